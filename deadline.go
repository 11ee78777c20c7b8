package concert

import "time"

// TermKey names a term of the law (law/terms.json).
type TermKey string

// The terms of Regulation (EU) 2021/784.
const (
	TermFirstContact   TermKey = "first_contact"   // Art. 3(2): what the addressee is told before its first order
	TermRemoval        TermKey = "removal"         // Art. 3(3)
	TermOwnScrutiny    TermKey = "own_scrutiny"    // Art. 4(3)
	TermScrutinyAsk    TermKey = "scrutiny_ask"    // Art. 4(4): the window to ask
	TermScrutiny       TermKey = "scrutiny"        // Art. 4(4): to decide on a request
	TermSilence        TermKey = "non_disclosure"  // Art. 11(3)
	TermPreservation   TermKey = "preservation"    // Art. 6(2)
	TermComplaint      TermKey = "complaint"       // Art. 10(2)
	TermExposure       TermKey = "exposure"        // Art. 5(4)
	TermProviderReport TermKey = "provider_report" // Art. 7(1)
	TermYearlyReport   TermKey = "yearly_report"   // Art. 8
	TermStateReport    TermKey = "state_report"    // Art. 21(1)
	TermEmergency      TermKey = "emergency_review"
)

// Span is a length of time as a law writes it. Hours run on; days, weeks and months
// are of the calendar, in the zone of whoever is to act.
type Span struct {
	Hours  int `json:"hours,omitempty"`
	Days   int `json:"days,omitempty"`
	Weeks  int `json:"weeks,omitempty"`
	Months int `json:"months,omitempty"`
}

// Term is a length of time that the law gives, as law/terms.json has it.
type Term struct {
	Key     TermKey
	Article string
	Length  Span
	Starts  string // what starts it, in words
	Stops   string
	Pauses  []TermPause
	Longer  Span // by how much it may be prolonged, once; zero for not at all
	Least   bool // at least so long, as a notice is; else at most
	Source  string
	Checked bool // against the Official Journal; else it stands as it is remembered
}

// TermPause is what stops a term for a while, and what starts it anew.
type TermPause struct {
	Why      string // a reason of Annex III
	Until    string // what starts it anew, in words
	Anew     bool   // from its beginning; else where it stopped
	Evidence string // the document that says so
}

// DeadlineState is where a deadline stands.
type DeadlineState string

// The states.
const (
	DeadlineRunning DeadlineState = "running"
	DeadlinePaused  DeadlineState = "paused"
	DeadlineMet     DeadlineState = "met"
	DeadlineMissed  DeadlineState = "missed" // it passed; what was due may come still (MetAt)
	DeadlineVoid    DeadlineState = "void"   // what it was about is no more
)

// Deadline is a legal clock of one order: a term with the evidence that started it.
type Deadline struct {
	Order     OrderID
	Term      TermKey
	State     DeadlineState
	StartedAt time.Time
	Evidence  string // of the start: a rung of the ladder and what proves it
	DueAt     time.Time
	PausedAt  time.Time
	Why       string // it is paused, was missed or is void
	MetAt     time.Time
	Warned    int // alarms so far: at 30, 10 and 0 minutes
	Version   int64
}
