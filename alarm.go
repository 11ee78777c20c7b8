package concert

import "time"

// AlarmKind is what somebody must look at.
type AlarmKind string

// The alarms.
const (
	AlarmProbed     AlarmKind = "hold.probed"         // an authority met too many holds: its dispatch is paused (G07)
	AlarmUnreviewed AlarmKind = "override.unreviewed" // an overridden hold was not reviewed in time (G32)
	AlarmBounced    AlarmKind = "contact.bounced"     // mail to a contact point came back: it is out of use until a person restores it
	AlarmWitness    AlarmKind = "log.witness_refused" // a witness of the log has cosigned another history than the one it is shown
	AlarmAudit      AlarmKind = "audit.recommended"   // an auditor's findings wait for the authority's answer
)

// Alarm is something that coordinators and auditors are shown until it is over,
// and afterwards as what it was.
type Alarm struct {
	ID        AlarmID
	Kind      AlarmKind
	Authority AuthorityID // whose doing it is
	Item      ItemID      // "" where it concerns none
	Met       int         // holds met, for AlarmProbed
	At        time.Time
	EndedAt   time.Time      // zero while it lasts
	Contact   ContactPointID // that it concerns, "" for none
	Witness   string         // the name of the log's witness that it concerns, "" for none
}

// Probed is the pause of an authority that met too many holds.
func (p Probe) Probed(a AuthorityID, now time.Time) (Alarm, Event) {
	return Alarm{Kind: AlarmProbed, Authority: a, Met: len(p.Met), At: now}, NewEvent(EventHoldProbed, House, string(a), now, RegisterBody{Kind: string(AlarmProbed), Authority: a})
}

// Resumed ends the pause of an authority.
func (a Alarm) Resumed(now time.Time) (Alarm, Event) {
	a.EndedAt = now
	return a, NewEvent(EventHoldResumed, House, string(a.Authority), now, RegisterBody{Kind: string(a.Kind), Authority: a.Authority})
}
