package concert

import "time"

// Ids inside are UUIDv7 text, which tells time; what leaves the house is the
// random public reference (field Ref) beside it.
type (
	// AuthorityID names an Authority.
	AuthorityID string
	// ProviderID names a Provider.
	ProviderID string
	// PersonID names a Person.
	PersonID string
	// OrderID names an Order.
	OrderID string
	// OutletID names an Outlet.
	OutletID string
	// ScopeEntryID names a ScopeEntry.
	ScopeEntryID string
	// ItemID names an Item.
	ItemID string
	// AssessmentID names an Assessment.
	AssessmentID string
	// ReferralID names a Referral.
	ReferralID string
	// HoldID names a Hold.
	HoldID string
	// ActionID names an Action.
	ActionID string
	// DeliveryID names a Delivery.
	DeliveryID string
	// EventID names an Event.
	EventID string
	// AlarmID names an Alarm.
	AlarmID string
	// DispatchHoldID names a DispatchHold.
	DispatchHoldID string
	// LogSuccessionID names a LogSuccession.
	LogSuccessionID string
	// FreezeID names a Freeze.
	FreezeID string
	// ThrottleID names a Throttle.
	ThrottleID string
	// ConsignmentID names a Consignment.
	ConsignmentID string
	// BulletinID names a Bulletin.
	BulletinID string
	// AllotmentID names an Allotment.
	AllotmentID string
	// ContactPointID names a ContactPoint.
	ContactPointID string
	// MailID names a Mail.
	MailID string
	// MessageID names a Message.
	MessageID string
	// OfficeMailID names an OfficeMail.
	OfficeMailID string
	// OrderLinkID names an OrderLink.
	OrderLinkID string
	// AnswerLinkID names an AnswerLink.
	AnswerLinkID string
	// CaptureID names a Capture.
	CaptureID string
	// CaseID names a Case.
	CaseID string
	// CasePersonID names a CasePerson.
	CasePersonID string
	// ExhibitID names an Exhibit.
	ExhibitID string
	// ReidentificationID names a Reidentification.
	ReidentificationID string
	// LeadID names a Lead.
	LeadID string
	// AnalysisID names an Analysis.
	AnalysisID string
	// IncidentID names an Incident.
	IncidentID string
	// WatchID names a Watch.
	WatchID string
	// SweepID names a Sweep.
	SweepID string
	// TranslationID names a Translation.
	TranslationID string
	// BankID names a Bank.
	BankID string
)

// Micros is t as the store keeps it: microseconds UTC since 1970; zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the inverse of Micros.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// TimeFormat is RFC 3339 with milliseconds, the form on the wire.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"
