package concert

import "time"

// ErrorID names an ErrorRecord.
type ErrorID string

// AboutKind is what a complaint or an error is about.
type AboutKind string

// The kinds.
const (
	AboutOrder    AboutKind = "order"
	AboutReferral AboutKind = "referral"
)

// ErrorCause is how an error came to light and was put right.
type ErrorCause string

// The causes.
const (
	ErrorVoid       ErrorCause = "void"       // scrutiny found an infringement (Art. 4)
	ErrorAppeal     ErrorCause = "appeal"     // a court did (Art. 9)
	ErrorWithdrawal ErrorCause = "withdrawal" // its authority took it back
	ErrorCorrection ErrorCause = "correction" // another order, or what is right of a referral, took its place
	ErrorComplaint  ErrorCause = "complaint"  // a complaint was upheld, in whole or in part
)

// ErrorCauses lists them.
var ErrorCauses = []ErrorCause{ErrorVoid, ErrorAppeal, ErrorWithdrawal, ErrorCorrection, ErrorComplaint}

// ErrorRecord is a line of the error register (G17): never changed, never deleted, and
// without a place, a person or a free text, so that anybody may read it.
type ErrorRecord struct {
	ID        ErrorID
	Ref       string // of the order, or of the referral's item
	Kind      AboutKind
	Cause     ErrorCause
	Category  RemedyCategory
	Authority AuthorityID // whose error it was
	Provider  ProviderID
	At        time.Time
	Exercise  bool
}

// ErrorBody is the body of the event of a line of the error register.
type ErrorBody struct {
	Ref       string         `json:"ref"`
	Kind      AboutKind      `json:"kind"`
	Cause     ErrorCause     `json:"cause"`
	Category  RemedyCategory `json:"category"`
	Authority AuthorityID    `json:"authority"`
	Provider  ProviderID     `json:"provider,omitempty"`
	At        int64          `json:"at"` // microseconds UTC
	Exercise  bool           `json:"exercise,omitempty"`
}

// Recorded is the event of the line; subject is the id of the order or the item. What
// was given no category stands there as another reason.
func (r ErrorRecord) Recorded(by Actor, subject string) (ErrorRecord, Event) {
	if r.Category == "" {
		r.Category = RemedyOther
	}
	return r, NewEvent(EventErrorRecorded, by, subject, r.At, ErrorBody{Ref: r.Ref, Kind: r.Kind, Cause: r.Cause, Category: r.Category, Authority: r.Authority, Provider: r.Provider, At: Micros(r.At), Exercise: r.Exercise})
}
