package concert_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"concert"
)

// auditLog writes made-up events for a fold.
type auditLog struct {
	t    testing.TB
	fold *concert.AuditFold
	n    int64
	at   time.Time
}

func newAuditLog(t testing.TB) *auditLog {
	return &auditLog{t: t, fold: concert.NewAuditFold(), at: noon}
}

func (l *auditLog) add(kind concert.EventKind, subject string, by concert.PersonID, body any) {
	l.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		l.t.Fatal(err)
	}
	commit := sha256.Sum256(fmt.Appendf(nil, "%d %s", l.n, kind))
	if err := l.fold.Add(concert.RecordedEvent{Index: l.n, Kind: kind, Subject: subject, Actor: by, At: concert.Micros(l.at), Body: text, Commit: commit[:]}); err != nil {
		l.t.Fatal(err)
	}
	l.n++
}

// item refers an item and has it answered as removed.
func (l *auditLog) item(id string, a concert.AuthorityID, content concert.ContentType) {
	ref := "IT-" + id
	l.add(concert.EventItemAssessed, id, "ann", concert.ItemBody{Ref: ref, Authority: a, Provider: "video", Author: a, ContentType: content, To: &concert.Facet{Status: concert.ItemAssessed}})
	l.add(concert.EventItemReferred, id, "house", concert.ItemBody{Ref: ref, Authority: a, Provider: "video", Referral: "RF-1", To: &concert.Facet{Status: concert.ItemReferred, Sent: true}})
	l.add(concert.EventItemAnswered, id, "bob", concert.ItemBody{Ref: ref, Authority: a, Provider: "video", Referral: "RF-1", From: &concert.Facet{Status: concert.ItemReferred, Sent: true}, To: &concert.Facet{Status: concert.ItemAnswered, Claim: concert.AnswerRemoved, Sent: true}})
}

func (l *auditLog) draw(ref string, frame concert.DrawFrame, plan concert.DrawPlan) *concert.AuditSample {
	l.t.Helper()
	l.add(concert.EventAuditDrawn, "draw "+ref, "aud", concert.DrawBody{Ref: ref, Frame: frame, Plan: plan, HeadSize: l.n, HeadRoot: "00"})
	return l.fold.Sample(ref)
}

func (l *auditLog) judge(by concert.PersonID, draw string, u concert.DrawnUnit, v concert.AuditVerdict) {
	l.add(concert.EventAuditReassessed, u.Subject, by, concert.ReassessedBody{Ref: u.Ref, Draw: draw, About: u.About, Verdict: v})
}

// A stratified estimate weighs each stratum by its size, and not by how many were drawn of it: 900 of which one in ten is wrong
// and 100 of which half are make 14 per cent, not 30.
func TestG30StratifiedRateIsWeighted(t *testing.T) {
	t.Parallel()
	l := newAuditLog(t)
	for i := range 1000 {
		a := concert.AuthorityID("large")
		if i >= 900 {
			a = "small"
		}
		l.item(fmt.Sprintf("%04d", i), a, concert.Incites)
	}
	s := l.draw("DW-1", concert.DrawFrame{Outcome: concert.OutcomeRemoved}, concert.DrawPlan{By: concert.DrawByAuthority, Size: 80, Equal: true})
	if len(s.Units) != 80 || s.Strata[0].Drawn != 40 || s.Strata[0].Population != 900 || s.Strata[1].Drawn != 40 {
		t.Fatalf("%+v", s.Strata)
	}
	n := map[int]int{}
	for i, u := range s.Units {
		if i == 79 {
			if r := s.Rate(nil); r.Finished || r.All.Waiting != 1 {
				t.Errorf("with one left it is finished: %+v", r.All)
			}
		}
		n[u.Stratum]++
		v := concert.FoundTerrorist
		if wrong := map[int]int{0: 4, 1: 20}[u.Stratum]; n[u.Stratum] <= wrong {
			v = concert.FoundNot
		}
		l.judge("aud", "DW-1", u, v)
	}
	r := s.Rate(nil)
	if !r.Finished || !r.Known || math.Abs(r.All.Share-0.3) > 1e-9 || math.Abs(r.Weighted-0.14) > 1e-9 {
		t.Fatalf("simple %v, weighted %v", r.All.Share, r.Weighted)
	}
	// By hand: 0.81·(1-4/90)… variance = 0.9²·(860/899)·0.1·0.9/39 + 0.1²·(60/99)·0.5·0.5/39.
	variance := 0.81*860/899*0.09/39 + 0.01*60/99*0.25/39
	if want := 0.14 * 0.86 / variance; math.Abs(r.Effective-want) > 1e-6 {
		t.Errorf("effective number %v, want %v", r.Effective, want)
	}
	if r.Wilson.Low >= 0.14 || r.Wilson.High <= 0.14 || r.Exact.Low > r.Wilson.Low || r.Exact.High < r.Wilson.High {
		t.Errorf("intervals %v, %v", r.Wilson, r.Exact)
	}
}

func TestG30ErasedUnableOpenedAndDisputedCountForNeitherSide(t *testing.T) {
	t.Parallel()
	l := newAuditLog(t)
	for i := range 12 {
		l.item(fmt.Sprint(i), "north", concert.Threat)
	}
	l.add(concert.EventItemErased, "11", "house", concert.ErasureBody{Ref: "IT-11", Authority: "north"})
	s := l.draw("DW-1", concert.DrawFrame{}, concert.DrawPlan{Size: 20})
	if len(s.Units) != 11 || s.Erased != 1 {
		t.Fatalf("%d drawn, %d erased before", len(s.Units), s.Erased)
	}
	u := s.Units
	l.add(concert.EventItemErased, u[0].Subject, "house", concert.ErasureBody{Ref: u[0].Ref})
	l.judge("aud", "DW-1", u[0], concert.FoundNot) // too late
	l.judge("aud", "DW-1", u[1], concert.FoundNothing)
	l.add(concert.EventConsulted, "aud", "aud", concert.ConsultedBody{What: concert.ReadOneItem, Ref: u[2].Ref})
	l.judge("aud", "DW-1", u[2], concert.FoundNot)
	l.judge("aud", "DW-1", u[3], concert.FoundNot)
	l.judge("two", "DW-1", u[3], concert.FoundTerrorist)
	for _, x := range u[4:] {
		l.judge("aud", "DW-1", x, concert.FoundTerrorist)
	}
	l.judge("aud", "DW-1", u[4], concert.FoundNot) // a second word of the same auditor is none
	r := s.Rate(nil)
	a := r.All
	if a.Erased != 1 || a.Unable != 1 || a.NotBlind != 1 || a.Disputed != 1 || a.Judged != 8 || a.Wrong != 0 || !r.Finished {
		t.Errorf("%+v", a)
	}
	if math.Abs(a.Bounds.High-4.0/11) > 1e-9 || a.Bounds.Low != 0 {
		t.Errorf("whatever those were: %v", a.Bounds)
	}
	if a.WithinFrame.High >= a.Wilson.High {
		t.Errorf("with the finite population correction %v, without %v", a.WithinFrame, a.Wilson)
	}
	if len(r.Ours) != 2 || r.Ours[0].Auditor != "aud" || r.Ours[1].Judged != 1 {
		t.Errorf("by auditor: %+v", r.Ours)
	}
}

// However a plan allots, no stratum gives more than it has, and a plan by size gives what was asked for where two of each leave room.
func TestDrawAllotsWhatThereIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 5000), 1, 12).Draw(t, "sizes")
		p := concert.DrawPlan{Size: rapid.IntRange(1, 2000).Draw(t, "size"), Equal: rapid.Bool().Draw(t, "equal")}
		population, given, least := 0, 0, 0
		for i, n := range p.Allot(sizes) {
			population += sizes[i]
			given += n
			least += min(2, sizes[i])
			if n > sizes[i] || n < min(2, sizes[i]) {
				t.Fatalf("stratum of %d gives %d", sizes[i], n)
			}
		}
		if want := min(p.Size, population); !p.Equal && given != max(want, least) {
			t.Fatalf("%d of %v are given for %d", given, sizes, p.Size)
		}
	})
}

// Times in states against the definition worked out the long way, with what goes on counted as longer than it is so far.
func TestDwellIsWhatTheTimesSay(t *testing.T) {
	t.Parallel()
	l := newAuditLog(t)
	order := func(id string, minutes int) {
		l.at = noon
		l.add(concert.EventOrderIssued, id, "iss", concert.OrderBody{Ref: "OR-" + id, Authority: "spain", Provider: "video", To: concert.OrderIssued, Items: 1})
		if minutes > 0 {
			l.at = noon.Add(time.Duration(minutes) * time.Minute)
			l.add(concert.EventOrderReceived, id, "house", concert.OrderBody{Ref: "OR-" + id, Authority: "spain", Provider: "video", From: concert.OrderIssued, To: concert.OrderReceived, Items: 1})
		}
	}
	for i := range 10 {
		order(fmt.Sprint("a", i), i+1)
	}
	for i := range 30 {
		order(fmt.Sprint("b", i), 0)
	}
	ds := l.fold.Dwells(concert.DwellQuery{Kind: concert.DwellOrder}, noon.Add(20*time.Minute))
	if len(ds) != 2 || ds[0].State != string(concert.OrderIssued) || ds[0].Ended != 10 || ds[0].Waiting != 30 || ds[1].Waiting != 10 {
		t.Fatalf("%+v", ds)
	}
	d := ds[0]
	near := func(got, want time.Duration) bool { return math.Abs(float64(got-want)) <= float64(want)/128 }
	if !near(d.P50, 5*time.Minute) || !near(d.P90, 9*time.Minute) || !near(d.P99, 10*time.Minute) || d.Max != 10*time.Minute || d.Oldest != 20*time.Minute {
		t.Errorf("%+v", d)
	}
	// A quarter has ended: nothing says when half will have.
	if d.Reached {
		t.Errorf("a median of %v is made up", d.Median)
	}
	for i := range 20 {
		l.at = noon.Add(15 * time.Minute)
		l.add(concert.EventOrderReceived, fmt.Sprint("b", i), "house", concert.OrderBody{Ref: fmt.Sprint("OR-b", i), Authority: "spain", Provider: "video", To: concert.OrderReceived, Items: 1})
	}
	if d = l.fold.Dwells(concert.DwellQuery{Kind: concert.DwellOrder}, noon.Add(20*time.Minute))[0]; !d.Reached || !near(d.Median, 15*time.Minute) || d.P50 >= d.Median && !near(d.P50, 15*time.Minute) {
		t.Errorf("after twenty more: %+v", d)
	}
	if ds := l.fold.Dwells(concert.DwellQuery{Authority: "france"}, noon); len(ds) != 0 {
		t.Errorf("of another authority: %+v", ds)
	}
}
