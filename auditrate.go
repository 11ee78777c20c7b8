package concert

import (
	"math"
)

// AuditTally is how the units of a draw, or of a part of it, stand.
type AuditTally struct {
	Population  int
	Drawn       int
	Erased      int // of those drawn, since: neither side
	Unable      int // judged by somebody who could not tell: neither side
	NotBlind    int // judged by nobody who had not opened it: neither side
	Waiting     int // judged by nobody yet
	Judged      int // found to be terrorist content, or not
	Wrong       int // of those judged: found not to be
	Disputed    int // of those judged: as many auditors say one as the other; not counted as wrong
	NarrowerBy  float64
	Share       float64  // Wrong of Judged
	Wilson      Interval // of it, at 95 per cent
	Exact       Interval // by Clopper and Pearson
	WithinFrame Interval // Wilson's with the finite population correction
	Bounds      Interval // whatever those were that were erased, could not be judged or are disputed
	Few         bool     // fewer than five judged: no share leaves the auditor
}

// Finished reports whether nobody has anything left to judge: before that no share is
// a rate.
func (t AuditTally) Finished() bool { return t.Drawn > 0 && t.Waiting == 0 }

// AuditRate is the over-removal rate of a draw: of what was acted upon, the share that
// the re-assessment finds not to be terrorist content.
type AuditRate struct {
	Draw     string
	Finished bool
	All      AuditTally
	Strata   []StratumTally
	// Weighted is the estimate for the whole frame: each stratum by its size. Without
	// strata it is All's share.
	Weighted     float64
	Known        bool     // every stratum that has units has some judged
	Effective    float64  // number of units that a simple draw would need to say as much
	Wilson       Interval // of Weighted, with the effective number
	Exact        Interval
	Ours         []AuditorTally
	Agreement    Kappa // of the first two auditors
	AgreedBy     []PersonID
	Recommended  int
	Answered     int
	PutRight     int
	OpenedBefore int // findings that were not blind
}

// StratumTally is the tally of one stratum.
type StratumTally struct {
	DrawStratum
	AuditTally
}

// AuditorTally is the tally of what one auditor found.
type AuditorTally struct {
	Auditor PersonID
	AuditTally
}

// Rate is the sample's over-removal rate. Only blind findings count. Where several
// auditors judged a unit most say, and where they are even it is disputed.
func (s *AuditSample) Rate(advice []AuditAdvice) AuditRate {
	r := AuditRate{Draw: s.Ref}
	for _, u := range s.Units {
		for _, f := range u.Findings {
			if !f.Blind {
				r.OpenedBefore++
			}
		}
	}
	everybody := func(AuditFinding) bool { return true }
	r.All = s.tally(-1, everybody)
	r.Finished = r.All.Finished()
	for i, x := range s.Strata {
		r.Strata = append(r.Strata, StratumTally{x, s.tally(i, everybody)})
	}
	r.weigh()
	auditors := s.Auditors()
	for _, a := range auditors {
		r.Ours = append(r.Ours, AuditorTally{a, s.tally(-1, func(f AuditFinding) bool { return f.Auditor == a })})
	}
	if len(auditors) > 1 {
		r.AgreedBy = auditors[:2]
		r.Agreement = s.agreement(auditors[0], auditors[1])
	}
	for _, a := range advice {
		if a.Draw != s.Ref {
			continue
		}
		r.Recommended++
		if !a.AnsweredAt.IsZero() {
			r.Answered++
		}
		if a.Answer == AnsweredRighted {
			r.PutRight++
		}
	}
	return r
}

// tally counts the units of a stratum, or of all for -1, by the findings that count.
func (s *AuditSample) tally(stratum int, counts func(AuditFinding) bool) AuditTally {
	var t AuditTally
	for i, x := range s.Strata {
		if stratum < 0 || i == stratum {
			t.Population += x.Population
		}
	}
	for _, u := range s.Units {
		if stratum < 0 || u.Stratum == stratum {
			t.add(u, counts)
		}
	}
	t.finish()
	return t
}

func (t *AuditTally) add(u DrawnUnit, counts func(AuditFinding) bool) {
	t.Drawn++
	var yes, no, unable, open int
	for _, f := range u.Findings {
		switch {
		case !counts(f):
		case !f.Blind:
			open++
		case f.Verdict == FoundTerrorist:
			yes++
		case f.Verdict == FoundNot:
			no++
		default:
			unable++
		}
	}
	switch {
	case yes+no > 0:
		t.Judged++
		if no > yes {
			t.Wrong++
		} else if no == yes {
			t.Disputed++
		}
	case !u.ErasedAt.IsZero():
		t.Erased++
	case unable > 0:
		t.Unable++
	case open > 0:
		t.NotBlind++
	default:
		t.Waiting++
	}
}

func (t *AuditTally) finish() {
	x, n := float64(t.Wrong), float64(t.Judged)
	t.Few = t.Judged < FewLeast
	t.Wilson, t.Exact = WilsonInterval(x, n), ExactInterval(x, n)
	t.WithinFrame, t.Bounds = t.Wilson, Interval{0, 1}
	t.NarrowerBy = math.Sqrt(FinitePopulation(t.Population, t.Judged))
	if t.Judged == 0 {
		return
	}
	t.Share = x / n
	if f := FinitePopulation(t.Population, t.Judged); f == 0 {
		t.WithinFrame = Interval{t.Share, t.Share}
	} else {
		t.WithinFrame = WilsonInterval(x/f, n/f)
	}
	all := n + float64(t.Erased+t.Unable+t.NotBlind)
	t.Bounds = Interval{x / all, (x + float64(t.Disputed+t.Erased+t.Unable+t.NotBlind)) / all}
}

// weigh estimates the share of the whole frame: the sum of the strata's shares by
// their sizes, with the variance of a stratified draw without replacement. The
// interval is the score interval, and the exact one, of the number of units that a
// simple draw would need for the same variance (Korn and Graubard 1998); where nothing
// or everything is wrong the variance tells nothing, and the weights alone do.
func (r *AuditRate) weigh() {
	population, known := 0, true
	for _, x := range r.Strata {
		population += x.AuditTally.Population
		known = known && x.Judged > 0
	}
	if population == 0 || !known {
		r.Wilson, r.Exact = Interval{0, 1}, Interval{0, 1}
		return
	}
	r.Known = true
	var variance, spread float64
	for _, x := range r.Strata {
		w, n := float64(x.AuditTally.Population)/float64(population), float64(x.Judged)
		r.Weighted += w * x.Share
		spread += w * w / n
		if x.Judged > 1 {
			variance += w * w * FinitePopulation(x.AuditTally.Population, x.Judged) * x.Share * (1 - x.Share) / (n - 1)
		} else {
			variance += w * w * x.Share * (1 - x.Share)
		}
	}
	r.Effective = 1 / spread
	if variance > 0 && r.Weighted > 0 && r.Weighted < 1 {
		r.Effective = min(r.Weighted*(1-r.Weighted)/variance, float64(population)*1000)
	}
	x := r.Weighted * r.Effective
	r.Wilson, r.Exact = WilsonInterval(x, r.Effective), ExactInterval(x, r.Effective)
}

// agreement is how far two auditors agree on what both judged, blind.
func (s *AuditSample) agreement(a, b PersonID) Kappa {
	var n [2][2]int
	for _, u := range s.Units {
		x, first := u.By(a)
		y, second := u.By(b)
		if !first || !second || !x.Blind || !y.Blind || x.Verdict == FoundNothing || y.Verdict == FoundNothing {
			continue
		}
		i, j := 0, 0
		if x.Verdict == FoundNot {
			i = 1
		}
		if y.Verdict == FoundNot {
			j = 1
		}
		n[i][j]++
	}
	return CohenKappa(n[0][0], n[0][1], n[1][0], n[1][1])
}
