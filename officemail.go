package concert

import "time"

// OfficeMailKind is what an office is told by mail.
type OfficeMailKind string

// The kinds.
const (
	OfficeOrderAlarm  OfficeMailKind = "order_alarm"  // an order's hour is nearly over
	OfficeOrderMissed OfficeMailKind = "order_missed" // it is over without an answer

	OfficeOrderReply OfficeMailKind = "order_reply" // somebody is to read a reply by mail

	OfficeThreat       OfficeMailKind = "threat"        // a provider reports a threat to life (Art. 14(5))
	OfficeThreatWaits  OfficeMailKind = "threat_waits"  // nobody has taken it so far
	OfficeThreatMissed OfficeMailKind = "threat_missed" // nor within the hour

	OfficeRecommended OfficeMailKind = "audit_recommended" // an auditor handed over a finding
)

// OfficeMail is a mail to the functional mailbox of an authority (OrderOffice.Email),
// for its people on duty. It names a reference and no content: they read on at their
// desk.
type OfficeMail struct {
	ID        OfficeMailID
	Tag       string // 80 random bits, lower-case base32
	Authority AuthorityID
	Kind      OfficeMailKind
	Ref       string // of the order
	Minutes   int    // of the hour that are left, with an alarm
	Attempts  int
	NextAt    time.Time // zero when done
	Evidence  string    // of the last attempt
	CreatedAt time.Time
	SentAt    time.Time
	Version   int64
}
