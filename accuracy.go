package concert

// What an officer's accuracy is judged by (G30).
const (
	AccuracyFrom  = 20 // words on an officer's work below which nothing is concluded
	AccuracyLeast = 85 // per cent; below it every assessment needs one approval more
)

// The numbers of an officer's side, which is none of the board's. The unit is
// the item: each counts at most once in each of them.
const (
	OfficerAnswered  Metric = "officer_answered"
	OfficerRefused   Metric = "officer_refused"
	OfficerNotOurs   Metric = "officer_not_ours"
	OfficerWithdrawn Metric = "officer_withdrawn"
	OfficerCorrected Metric = "officer_corrected"
	OfficerAgreed    Metric = "officer_agreed"
	OfficerDisagreed Metric = "officer_disagreed"
)

// OfficerMetrics lists them.
var OfficerMetrics = []Metric{OfficerAnswered, OfficerRefused, OfficerNotOurs, OfficerWithdrawn, OfficerCorrected, OfficerAgreed, OfficerDisagreed}

// OfficerDefinitions says what each counts, of the items that the officer
// assessed.
var OfficerDefinitions = map[Metric]string{
	OfficerAnswered:  "referred items with the provider's final word, not withdrawn",
	OfficerRefused:   "of those answered: found not to violate the provider's terms",
	OfficerNotOurs:   "of those answered: not at this provider",
	OfficerWithdrawn: "referred items whose referral the authority withdrew",
	OfficerCorrected: "referred items of which the authority corrected what it had said",
	OfficerAgreed:    "second looks that agreed",
	OfficerDisagreed: "second looks that disagreed",
}

// officerMetrics are the numbers of its officer that an item with this facet
// counts in: another last word of the provider takes back what the one before
// counted, and so does a withdrawal.
func (f Facet) officerMetrics() []Metric {
	switch {
	case !f.Sent:
		return nil
	case f.Status == ItemWithdrawn:
		return []Metric{OfficerWithdrawn}
	case f.Claim.Refusal():
		return []Metric{OfficerAnswered, OfficerRefused}
	case f.Claim == AnswerNotOurs:
		return []Metric{OfficerAnswered, OfficerNotOurs}
	case f.Claim.Final():
		return []Metric{OfficerAnswered}
	}
	return nil
}

// officerSide is the side of an officer's numbers. They belong to no action:
// accuracy goes with the person.
func officerSide(p PersonID) string { return "o:" + string(p) }

// countOfficer adds what the event changes for the officer whose work it
// judges.
func (d Deltas) countOfficer(kind EventKind, b ItemBody) {
	if b.Assessor == "" {
		return
	}
	one := func(m Metric, n int64) { d[TallyKey{"", officerSide(b.Assessor), m}] += n }
	switch {
	case kind == EventItemCorrected && !b.Again:
		one(OfficerCorrected, 1)
	case kind == EventItemSecondLook && b.Look == LookAgree:
		one(OfficerAgreed, 1)
	case kind == EventItemSecondLook && b.Look == LookDisagree:
		one(OfficerDisagreed, 1)
	}
	if b.From != nil {
		for _, m := range b.From.officerMetrics() {
			one(m, -1)
		}
	}
	if b.To != nil {
		for _, m := range b.To.officerMetrics() {
			one(m, 1)
		}
	}
}

// Accuracy is how an officer's work stood up where somebody else had a word on
// it. The unit is the word: a provider's last one, a withdrawal, a correction,
// a second look.
type Accuracy struct {
	Judged     int64
	Inaccurate int64
}

// AccuracyOf is the accuracy that an officer's numbers give.
func AccuracyOf(c Counts) Accuracy {
	// Words given before events named the officer may be taken back by later
	// ones, which then count below nothing.
	n := func(m Metric) int64 { return max(0, c[m]) }
	a := Accuracy{
		Judged:     n(OfficerAnswered) + n(OfficerWithdrawn) + n(OfficerCorrected) + n(OfficerAgreed) + n(OfficerDisagreed),
		Inaccurate: n(OfficerRefused) + n(OfficerNotOurs) + n(OfficerWithdrawn) + n(OfficerCorrected) + n(OfficerDisagreed),
	}
	a.Inaccurate = min(a.Inaccurate, a.Judged)
	return a
}

// Known reports whether there are enough words to conclude anything.
func (a Accuracy) Known() bool { return a.Judged >= AccuracyFrom }

// Low reports whether the officer's new assessments need one approval more.
func (a Accuracy) Low() bool {
	return a.Known() && 100*(a.Judged-a.Inaccurate) < AccuracyLeast*a.Judged
}

// MaySeeAccuracy reports whether the person's accuracy is shown to the actor:
// its own, to reviewers of its authority, and to auditors.
func (a Actor) MaySeeAccuracy(p Person) bool {
	return a.Has(RoleAuditor) || a.Person == p.ID || a.Has(RoleReviewer) && a.Authority != "" && a.Authority == p.Authority
}
