package concert

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// ClockKind says what falls due. Clocks are rows that every node reads; no
// deadline lives only in memory.
type ClockKind string

// The clocks.
const (
	ClockDispatch ClockKind = "provider.dispatch" // subject: a provider; refer what is approved
	ClockDeliver  ClockKind = "provider.deliver"  // subject: a provider; send what is queued
	ClockRecheck  ClockKind = "referral.recheck"  // subject: a referral; look again
	ClockRemind   ClockKind = "referral.remind"   // subject: a referral; silence so far
	ClockHold     ClockKind = "hold.expire"       // subject: a hold
	ClockProbe    ClockKind = "hold.probe"        // subject: an authority; may its dispatch go on
	ClockOverride ClockKind = "override.review"   // subject: an item; is its override reviewed
	ClockErase    ClockKind = "item.erase"        // subject: an item; its term is over
	ClockCaptures ClockKind = "item.captures"     // subject: an item; are terms of its captures over
	ClockBatch    ClockKind = "batch.run"         // subject: a batch; its undo window is over
	ClockContact  ClockKind = "contact.deliver"   // subject: a contact point; send what waits for it
	ClockOffice   ClockKind = "office.deliver"    // subject: an authority; send what waits for its office

	ClockCaseReview ClockKind = "case.review"     // subject: a case; is it reviewed
	ClockIncident   ClockKind = "incident.settle" // subject: an incident; give its items their priority
	ClockWatch      ClockKind = "watch.end"       // subject: a watch; its end, or that of its traces
	ClockPatterns   ClockKind = "action.patterns" // subject: a closed action; draft its providers' notes

	ClockRecognise ClockKind = "captures.recognise" // subject: all; compare captures with what is known
	ClockOrderLook ClockKind = "order.look"         // subject: an order; look ourselves at what it is about
	ClockAnalysis  ClockKind = "exhibit.analyse"    // subject: an analysis; count what an exhibit's logs hold
)

// Clock is one deadline. There is at most one per kind and subject.
type Clock struct {
	Kind    ClockKind
	Subject string
	DueAt   time.Time
	Version int64
}

// Job is a plain value that a queue keeps until its handler has run; Kind
// names the handler. The zero value's Kind must be callable.
type Job interface{ Kind() string }

// Rank is how urgent a kind of job is, 1 first: what goes out before what is
// looked at, reminders after that, comparisons and erasures last.
func (k ClockKind) Rank() int {
	switch k {
	case ClockDispatch, ClockDeliver, ClockContact, ClockOffice, ClockConsignment:
		return 1
	case ClockRemind:
		return 3
	case ClockErase, ClockCaptures, ClockRecognise, ClockAnalysis:
		return 4
	}
	return 2
}

// DispatchProvider refers what is approved for a provider.
type DispatchProvider struct {
	Provider ProviderID `json:"provider"`
}

// Kind names the job.
func (DispatchProvider) Kind() string { return string(ClockDispatch) }

// DeliverProvider sends what is queued for a provider.
type DeliverProvider struct {
	Provider ProviderID `json:"provider"`
}

// Kind names the job.
func (DeliverProvider) Kind() string { return string(ClockDeliver) }

// RecheckReferral looks at a referral's items again.
type RecheckReferral struct {
	Referral ReferralID `json:"referral"`
}

// Kind names the job.
func (RecheckReferral) Kind() string { return string(ClockRecheck) }

// RemindReferral reminds the provider of the silent items of a referral.
type RemindReferral struct {
	Referral ReferralID `json:"referral"`
}

// Kind names the job.
func (RemindReferral) Kind() string { return string(ClockRemind) }

// ExpireHold looks at a hold again: it offers withdrawal of what went out while
// it was placed, and lets the items go once it is over.
type ExpireHold struct {
	Hold HoldID `json:"hold"`
}

// Kind names the job.
func (ExpireHold) Kind() string { return string(ClockHold) }

// ResumeAuthority lets an authority's dispatch go on that met too many holds.
type ResumeAuthority struct {
	Authority AuthorityID `json:"authority"`
}

// Kind names the job.
func (ResumeAuthority) Kind() string { return string(ClockProbe) }

// ReviewDue says that an override's review is due.
type ReviewDue struct {
	Item ItemID `json:"item"`
}

// Kind names the job.
func (ReviewDue) Kind() string { return string(ClockOverride) }

// EraseItem erases an item whose term is over (G22).
type EraseItem struct {
	Item ItemID `json:"item"`
}

// Kind names the job.
func (EraseItem) Kind() string { return string(ClockErase) }

// EraseCaptures erases the bytes of an item's captures whose term is over (G22).
type EraseCaptures struct {
	Item ItemID `json:"item"`
}

// Kind names the job.
func (EraseCaptures) Kind() string { return string(ClockCaptures) }

// RunBatch does what a batch is to do, now that it can be taken back no more.
type RunBatch struct {
	Batch BatchID `json:"batch"`
}

// Kind names the job.
func (RunBatch) Kind() string { return string(ClockBatch) }

// DeliverOffice sends what waits for an authority's office.
type DeliverOffice struct {
	Authority AuthorityID `json:"authority"`
}

// Kind names the job.
func (DeliverOffice) Kind() string { return string(ClockOffice) }

// DeliverContact sends what waits for a contact point.
type DeliverContact struct {
	Contact ContactPointID `json:"contact"`
}

// Kind names the job.
func (DeliverContact) Kind() string { return string(ClockContact) }

// ReviewCaseDue says that a case's review is due (G22).
type ReviewCaseDue struct {
	Case CaseID `json:"case"`
}

// Kind names the job.
func (ReviewCaseDue) Kind() string { return string(ClockCaseReview) }

// SettleIncident gives an incident's items the priority that is theirs by now.
type SettleIncident struct {
	Incident IncidentID `json:"incident"`
}

// Kind names the job.
func (SettleIncident) Kind() string { return string(ClockIncident) }

// EndWatchDue ends a watch whose date has come, and later what is kept of it.
type EndWatchDue struct {
	Watch WatchID `json:"watch"`
}

// Kind names the job.
func (EndWatchDue) Kind() string { return string(ClockWatch) }

// DraftPatterns drafts the notes on patterns of abuse of a closed action.
type DraftPatterns struct {
	Action ActionID `json:"action"`
}

// Kind names the job.
func (DraftPatterns) Kind() string { return string(ClockPatterns) }

// RecogniseCaptures compares captures with what is known, and what was seen with
// what is newly known.
type RecogniseCaptures struct {
	Which string `json:"which"` // "all"
}

// Kind names the job.
func (RecogniseCaptures) Kind() string { return string(ClockRecognise) }

// LookAtOrder looks at what an order is about.
type LookAtOrder struct {
	Order OrderID `json:"order"`
}

// Kind names the job.
func (LookAtOrder) Kind() string { return string(ClockOrderLook) }

// AnalyseExhibit counts what an exhibit's access logs hold.
type AnalyseExhibit struct {
	Analysis AnalysisID `json:"analysis"`
}

// Kind names the job.
func (AnalyseExhibit) Kind() string { return string(ClockAnalysis) }

// JobFor is the job of a clock that fell due.
func (c Clock) JobFor() (Job, error) {
	switch c.Kind {
	case ClockDispatch:
		return DispatchProvider{ProviderID(c.Subject)}, nil
	case ClockDeliver:
		return DeliverProvider{ProviderID(c.Subject)}, nil
	case ClockRecheck:
		return RecheckReferral{ReferralID(c.Subject)}, nil
	case ClockRemind:
		return RemindReferral{ReferralID(c.Subject)}, nil
	case ClockHold:
		return ExpireHold{HoldID(c.Subject)}, nil
	case ClockProbe:
		return ResumeAuthority{AuthorityID(c.Subject)}, nil
	case ClockOverride:
		return ReviewDue{ItemID(c.Subject)}, nil
	case ClockErase:
		return EraseItem{ItemID(c.Subject)}, nil
	case ClockCaptures:
		return EraseCaptures{ItemID(c.Subject)}, nil
	case ClockBatch:
		return RunBatch{BatchID(c.Subject)}, nil
	case ClockOffice:
		return DeliverOffice{AuthorityID(c.Subject)}, nil
	case ClockContact:
		return DeliverContact{ContactPointID(c.Subject)}, nil
	case ClockCaseReview:
		return ReviewCaseDue{CaseID(c.Subject)}, nil
	case ClockIncident:
		return SettleIncident{IncidentID(c.Subject)}, nil
	case ClockWatch:
		return EndWatchDue{WatchID(c.Subject)}, nil
	case ClockConsignment:
		return LeaveConsignment{ConsignmentID(c.Subject)}, nil
	case ClockPatterns:
		return DraftPatterns{ActionID(c.Subject)}, nil
	case ClockRecognise:
		return RecogniseCaptures{c.Subject}, nil
	case ClockOrderLook:
		return LookAtOrder{OrderID(c.Subject)}, nil
	case ClockAnalysis:
		return AnalyseExhibit{AnalysisID(c.Subject)}, nil
	}
	return nil, Refuse(Invalid, "clock.kind", "", "clock kind %q has no job: a newer version wrote it, upgrade this node", c.Kind)
}

// OutwardClocks are the kinds whose jobs reach out of the house: while dispatch
// is held they wait.
var OutwardClocks = []ClockKind{ClockDispatch, ClockDeliver, ClockRecheck, ClockRemind, ClockContact, ClockOrderLook, ClockOffice}

// GoesOut reports whether the clock's job reaches out of the house.
func (k ClockKind) GoesOut() bool { return slices.Contains(OutwardClocks, k) }

// ClockOf is the clock that a job stands for, by its kind and its arguments as
// JSON: a job that is not done yet is a clock that is due. It is JobFor the
// other way round.
func ClockOf(kind string, args []byte) (Clock, error) {
	var fields map[string]string
	if err := json.Unmarshal(args, &fields); err == nil && len(fields) == 1 {
		for _, subject := range fields {
			c := Clock{Kind: ClockKind(kind), Subject: subject}
			job, err := c.JobFor()
			if err != nil {
				return Clock{}, err
			}
			want, err := CanonicalJSON(job)
			if err != nil {
				return Clock{}, err
			}
			if have, err := CanonicalJSON(json.RawMessage(args)); err == nil && bytes.Equal(have, want) {
				return c, nil
			}
		}
	}
	return Clock{}, Refuse(Invalid, "clock.job", "", "a waiting job of kind %q stands for no clock: a newer version queued it, use that one", kind)
}

// CaseTime maps wall time to case time. In live work they are the same; in an
// exercise case time starts at Start when the wall shows Since and runs Rate
// times as fast.
type CaseTime struct {
	Since time.Time `json:"since"`
	Start time.Time `json:"start"`
	Rate  float64   `json:"rate"`
}

// At is the case time at the wall time.
func (c CaseTime) At(wall time.Time) time.Time {
	if c.Rate == 0 {
		return wall.UTC()
	}
	return c.Start.Add(time.Duration(float64(wall.Sub(c.Since)) * c.Rate)).UTC()
}

// Wall is how long a span of case time takes on the wall.
func (c CaseTime) Wall(d time.Duration) time.Duration {
	if c.Rate == 0 {
		return d
	}
	return time.Duration(float64(d) / c.Rate)
}
