package concert

import (
	"encoding/hex"
	"strconv"
	"time"
)

// AuditReport is what leaves an auditor's workbench as a file: the same numbers as on
// its pages, as of an event of the log, so that whoever has the log makes the same
// again. Shares of fewer than five are left out of it.
type AuditReport struct {
	Size     int64     // events that it speaks of
	AsOf     time.Time // of the newest of them
	Root     string    // of the log up to there, hex
	Exercise bool
	Lines    []AuditLine
}

// AuditLine is one number of the report.
type AuditLine struct {
	Section string // access, disclosure, draw, unit, recommendation, time_in_state
	Of      string // a kind of access, a reference of a draw, a kind of what stands in a state
	Part    string // a month, a stratum, a state, a place in the order of the lots
	Figure  string
	Value   string
}

// AuditFew stands for a number that is left out because it is of fewer than five.
const AuditFew = "fewer_than_5"

// Report is the report of what the fold has seen. Times that go on are counted up to
// the newest event.
func (f *AuditFold) Report() AuditReport {
	r := AuditReport{Size: f.Size, AsOf: f.At}
	add := func(section, of, part, figure, value string) {
		r.Lines = append(r.Lines, AuditLine{section, of, part, figure, value})
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, k := range AccessKinds {
		a := f.Accesses(AccessQuery{Kind: k})
		for i := len(a.Months) - 1; i >= 0; i-- {
			add("access", string(k), a.Months[i].Of, "accesses", number(a.Months[i].N))
		}
	}
	for _, d := range f.Accesses(AccessQuery{Kind: AccessDisclosure}).Recipients {
		ref := f.Party(d.ID)
		if ref == "" && d.Kind == ToASealedAddress {
			ref = d.ID
		}
		add("disclosure", string(d.Kind), ref, "disclosures", number(d.N))
	}
	for _, s := range f.draws {
		f.reportDraw(s, add)
	}
	for _, d := range f.Dwells(DwellQuery{}, f.At) {
		for _, x := range []struct {
			figure string
			value  time.Duration
			told   bool
		}{{"p50_s", d.P50, d.Ended > 0}, {"p90_s", d.P90, d.Ended > 0}, {"p99_s", d.P99, d.Ended > 0}, {"max_s", d.Max, d.Ended > 0}, {"oldest_waiting_s", d.Oldest, d.Waiting > 0}, {"kaplan_meier_median_s", d.Median, d.Reached}} {
			if x.told {
				add("time_in_state", string(d.Kind), d.State, x.figure, number(int64(x.value/time.Second)))
			}
		}
		add("time_in_state", string(d.Kind), d.State, "ended", number(d.Ended))
		add("time_in_state", string(d.Kind), d.State, "waiting", number(d.Waiting))
	}
	return r
}

// reportDraw adds a draw: what proves it, what was drawn, and its rate.
func (f *AuditFold) reportDraw(s *AuditSample, add func(section, of, part, figure, value string)) {
	rate := s.Rate(f.Advice(""))
	for _, x := range [][2]string{
		{"index", strconv.FormatInt(s.Index, 10)}, {"head_size", strconv.FormatInt(s.HeadSize, 10)}, {"head_root", s.HeadRoot}, {"seed", hex.EncodeToString(s.Seed[:])}, {"finished", strconv.FormatBool(rate.Finished)},
	} {
		add("draw", s.Ref, "", x[0], x[1])
	}
	for i, u := range s.Units {
		add("unit", s.Ref, strconv.Itoa(i+1), string(u.About), u.Ref)
	}
	reportTally(s.Ref, "all", rate.All, rate.Finished, add)
	for _, x := range rate.Strata {
		if len(rate.Strata) == 1 {
			break
		}
		key := x.Key
		if ref := f.Party(key); ref != "" {
			key = ref
		}
		reportTally(s.Ref, key, x.AuditTally, rate.Finished, add)
	}
	if rate.Finished && rate.Known && !rate.All.Few {
		add("draw", s.Ref, "weighted", "share", part(rate.Weighted))
		reportInterval(s.Ref, "weighted", "wilson", rate.Wilson, add)
		reportInterval(s.Ref, "weighted", "exact", rate.Exact, add)
	}
	if k := rate.Agreement; k.N >= FewLeast && k.Known {
		add("draw", s.Ref, "agreement", "judged_by_both", strconv.Itoa(k.N))
		add("draw", s.Ref, "agreement", "kappa", part(k.Value))
		if !k.Wide {
			reportInterval(s.Ref, "agreement", "kappa", k.Interval, add)
		}
	}
	for _, x := range []struct {
		figure string
		n      int
	}{{"recommended", rate.Recommended}, {"answered", rate.Answered}, {"put_right", rate.PutRight}} {
		add("recommendation", s.Ref, "", x.figure, strconv.Itoa(x.n))
	}
}

// reportTally adds a part of a draw. What was found is told only of a finished draw, and
// of no fewer than five judged.
func reportTally(ref, key string, t AuditTally, finished bool, add func(section, of, part, figure, value string)) {
	for _, x := range []struct {
		figure string
		n      int
	}{{"population", t.Population}, {"drawn", t.Drawn}, {"erased", t.Erased}, {"unable", t.Unable}, {"not_blind", t.NotBlind}, {"waiting", t.Waiting}, {"judged", t.Judged}} {
		add("draw", ref, key, x.figure, strconv.Itoa(x.n))
	}
	switch {
	case !finished:
		return
	case t.Few:
		add("draw", ref, key, "share", AuditFew)
		return
	}
	add("draw", ref, key, "wrong", strconv.Itoa(t.Wrong))
	add("draw", ref, key, "disputed", strconv.Itoa(t.Disputed))
	add("draw", ref, key, "share", part(t.Share))
	reportInterval(ref, key, "wilson", t.Wilson, add)
	reportInterval(ref, key, "exact", t.Exact, add)
	reportInterval(ref, key, "wilson_finite", t.WithinFrame, add)
	reportInterval(ref, key, "bounds", t.Bounds, add)
}

func reportInterval(ref, key, name string, i Interval, add func(section, of, part, figure, value string)) {
	add("draw", ref, key, name+"_low", part(i.Low))
	add("draw", ref, key, name+"_high", part(i.High))
}

// part is a share to a hundredth of a per cent: what is worked out on two machines
// agrees to that.
func part(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
