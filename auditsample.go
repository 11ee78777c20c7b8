package concert

import (
	"cmp"
	"slices"
	"time"
)

// AuditSample is a draw with what was drawn and found: what follows from the log.
type AuditSample struct {
	DrawBody
	Subject string // id of the draw
	Auditor PersonID
	At      time.Time
	Index   int64 // of its event in the log
	Commit  []byte
	Seed    [32]byte
	Strata  []DrawStratum
	Units   []DrawnUnit // in the order of their lots, which is no order of anything else
	Erased  int         // acted upon and erased before: in no draw
	byRef   map[string]int
}

// DrawStratum is a part of the frame with how many it has and how many were drawn.
type DrawStratum struct {
	Key        string // what it is by: a code, a month, or the id of an authority or a provider
	Population int
	Drawn      int
}

// DrawnUnit is one unit of a draw: an item of a referral or an order.
type DrawnUnit struct {
	Subject   string
	Ref       string
	About     AboutKind
	Stratum   int
	Authority AuthorityID
	Provider  ProviderID
	Content   ContentType
	Outcome   AuditOutcome // when it was drawn
	Month     string
	ErasedAt  time.Time      // since it was drawn; zero where it was not
	Findings  []AuditFinding // in the log's order
	opened    []PersonID
}

// AuditFinding is what one auditor found of a unit.
type AuditFinding struct {
	Auditor PersonID
	At      time.Time
	Verdict AuditVerdict
	Type    ContentType
	Purpose Purpose
	Why     UnableWhy
	Blind   bool // the auditor had not opened the unit since it was drawn
}

// By is the auditor's finding; false where there is none.
func (u DrawnUnit) By(p PersonID) (AuditFinding, bool) {
	i := slices.IndexFunc(u.Findings, func(f AuditFinding) bool { return f.Auditor == p })
	if i < 0 {
		return AuditFinding{}, false
	}
	return u.Findings[i], true
}

// drawnPlace is a unit's place in a draw.
type drawnPlace struct {
	sample *AuditSample
	unit   int
}

// AuditAdvice is a recommendation as the log knows it.
type AuditAdvice struct {
	RecommendationBody
	At         time.Time
	AnsweredAt time.Time
}

// Strata are the frame's parts as it stands now, by their keys. It goes through the
// numbers of what was acted upon, never through that itself.
func (f *AuditFold) Strata(frame DrawFrame, by DrawBy) []DrawStratum {
	n := map[string]int{}
	for c, k := range f.cells {
		if f.framed(frame, c) {
			n[f.stratumOf(by, c)] += k
		}
	}
	out := make([]DrawStratum, 0, len(n))
	for key, k := range n {
		out = append(out, DrawStratum{Key: key, Population: k})
	}
	slices.SortFunc(out, func(a, b DrawStratum) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// framed reports whether a frame takes what is counted in the cell.
func (f *AuditFold) framed(q DrawFrame, c frameCell) bool {
	is := func(want string, have uint32) bool { return want == "" || f.words.list[have] == want }
	return (q.About == "" || q.About == c.about) && (q.Outcome == "" || q.Outcome == c.outcome) && is(string(q.Authority), c.authority) && is(string(q.Provider), c.provider) && is(string(q.Content), c.content) &&
		AccessQuery{From: q.From, Until: q.Until}.within(c.month)
}

func (f *AuditFold) stratumOf(by DrawBy, c frameCell) string {
	switch by {
	case DrawByAbout:
		return string(c.about)
	case DrawByAuthority:
		return f.words.list[c.authority]
	case DrawByProvider:
		return f.words.list[c.provider]
	case DrawByContent:
		return f.words.list[c.content]
	case DrawByOutcome:
		return string(c.outcome)
	case DrawByMonth:
		return monthText(c.month)
	}
	return ""
}

// addDraw draws: of each stratum those with the smallest lots.
func (f *AuditFold) addDraw(e RecordedEvent, b DrawBody) {
	s := &AuditSample{DrawBody: b, Subject: e.Subject, Auditor: e.Actor, At: FromMicros(e.At), Index: e.Index, Commit: slices.Clone(e.Commit), Seed: DrawSeed(b, e.Commit), Erased: f.erased, byRef: map[string]int{}}
	s.Strata = f.Strata(b.Frame, b.Plan.By)
	sizes, place := make([]int, len(s.Strata)), map[string]int{}
	for i, x := range s.Strata {
		sizes[i], place[x.Key] = x.Population, i
	}
	lots := make([][]drawnLot, len(s.Strata))
	for subject, t := range f.things {
		if t.about == "" || t.erased || !f.framed(b.Frame, t.cell()) {
			continue
		}
		i := place[f.stratumOf(b.Plan.By, t.cell())]
		lots[i] = append(lots[i], drawnLot{lotOf(s.Seed, subject), subject})
	}
	var all []drawnLot
	stratum := map[string]int{}
	for i, n := range b.Plan.Allot(sizes) {
		slices.SortFunc(lots[i], drawnLot.compare)
		s.Strata[i].Drawn = min(n, len(lots[i]))
		for _, l := range lots[i][:s.Strata[i].Drawn] {
			stratum[l.subject] = i
			all = append(all, l)
		}
	}
	slices.SortFunc(all, drawnLot.compare)
	for _, l := range all {
		t := f.things[l.subject]
		s.byRef[t.ref] = len(s.Units)
		f.drawnIn[l.subject] = append(f.drawnIn[l.subject], &drawnPlace{s, len(s.Units)})
		s.Units = append(s.Units, DrawnUnit{Subject: l.subject, Ref: t.ref, About: t.about, Stratum: stratum[l.subject], Authority: AuthorityID(f.words.list[t.authority]), Provider: ProviderID(f.words.list[t.provider]),
			Content: ContentType(f.words.list[t.content]), Outcome: t.outcome, Month: monthText(t.month)})
	}
	f.draws = append(f.draws, s)
}

// addFinding takes the first word of each auditor on each unit of a draw.
func (f *AuditFold) addFinding(e RecordedEvent, b ReassessedBody) {
	s := f.Sample(b.Draw)
	if s == nil || !slices.Contains(AuditVerdicts, b.Verdict) {
		return
	}
	i, ok := s.byRef[b.Ref]
	if !ok {
		return
	}
	u := &s.Units[i]
	if _, judged := u.By(e.Actor); judged || !u.ErasedAt.IsZero() {
		return
	}
	u.Findings = append(u.Findings, AuditFinding{Auditor: e.Actor, At: FromMicros(e.At), Verdict: b.Verdict, Type: b.Type, Purpose: b.Purpose, Why: b.Why, Blind: !slices.Contains(u.opened, e.Actor)})
}

func (f *AuditFold) addAdvice(e RecordedEvent, b RecommendationBody) {
	at := FromMicros(e.At)
	if e.Kind == EventAuditRecommended {
		f.asked = append(f.asked, &AuditAdvice{RecommendationBody: b, At: at})
		return
	}
	for _, a := range f.asked {
		if a.Ref == b.Ref {
			a.Answer, a.AnsweredAt = b.Answer, at
		}
	}
}

// Sample is the draw with the reference; nil for none.
func (f *AuditFold) Sample(ref string) *AuditSample {
	for _, s := range f.draws {
		if s.Ref == ref {
			return s
		}
	}
	return nil
}

// Samples are all draws, the newest first.
func (f *AuditFold) Samples() []*AuditSample {
	out := slices.Clone(f.draws)
	slices.Reverse(out)
	return out
}

// Advice are the recommendations of a draw, or all for "", in the log's order.
func (f *AuditFold) Advice(draw string) []AuditAdvice {
	var out []AuditAdvice
	for _, a := range f.asked {
		if draw == "" || a.Draw == draw {
			out = append(out, *a)
		}
	}
	return out
}

// Copy is the sample as it stands, which the fold does not change any more.
func (s *AuditSample) Copy() *AuditSample {
	out := *s
	out.Strata, out.Units = slices.Clone(s.Strata), slices.Clone(s.Units)
	for i := range out.Units {
		out.Units[i].Findings = slices.Clone(out.Units[i].Findings)
	}
	return &out
}

// Unit is a unit of the draw; false for none.
func (s *AuditSample) Unit(ref string) (DrawnUnit, bool) {
	i, ok := s.byRef[ref]
	if !ok {
		return DrawnUnit{}, false
	}
	return s.Units[i], true
}

// Next is the first unit in the lots' order after the one named, "" for the first,
// that the auditor has not judged and that is not erased; it comes round to the
// beginning. False when nothing is left for that auditor.
func (s *AuditSample) Next(p PersonID, after string) (DrawnUnit, bool) {
	from := 0
	if i, ok := s.byRef[after]; ok {
		from = i + 1
	}
	for k := range s.Units {
		u := s.Units[(from+k)%len(s.Units)]
		if _, judged := u.By(p); !judged && u.ErasedAt.IsZero() {
			return u, true
		}
	}
	return DrawnUnit{}, false
}

// Auditors are those who judged something of the draw, in the order of their first
// findings.
func (s *AuditSample) Auditors() []PersonID {
	type first struct {
		who PersonID
		at  time.Time
	}
	var all []first
	for _, u := range s.Units {
		for _, f := range u.Findings {
			i := slices.IndexFunc(all, func(x first) bool { return x.who == f.Auditor })
			switch {
			case i < 0:
				all = append(all, first{f.Auditor, f.At})
			case f.At.Before(all[i].at):
				all[i].at = f.At
			}
		}
	}
	slices.SortFunc(all, func(a, b first) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.who, b.who)) })
	out := make([]PersonID, len(all))
	for i, x := range all {
		out[i] = x.who
	}
	return out
}
