package concert

import (
	"slices"
	"strings"
	"time"
)

// IncidentPriority is what an item's priority rises to while an incident that
// it belongs to lasts. A threat to life stands above it, at 9.
const IncidentPriority = 7

// IncidentKind is what happened.
type IncidentKind string

// The kinds of incident.
const (
	IncidentAttack IncidentKind = "attack"
	IncidentClaim  IncidentKind = "claim" // somebody claims responsibility
	IncidentOther  IncidentKind = "other"
)

// IncidentKinds lists them.
var IncidentKinds = []IncidentKind{IncidentAttack, IncidentClaim, IncidentOther}

// Incident is what many authorities' items are about at once. All of it is
// visible to every authority: it holds a name, a time and a country, and nothing
// of any case.
type Incident struct {
	ID         IncidentID
	Ref        string
	Kind       IncidentKind
	Name       string
	Country    string    // ISO 3166-1 alpha-2
	At         time.Time // when it happened
	Authority  AuthorityID
	DeclaredBy PersonID
	DeclaredAt time.Time
	EndedBy    PersonID
	EndedAt    time.Time
	Exercise   bool
	Version    int64
}

// IncidentBody is the body of events on an incident.
type IncidentBody struct {
	Ref       string       `json:"ref"`
	Kind      IncidentKind `json:"kind,omitempty"`
	Country   string       `json:"country,omitempty"`
	Authority AuthorityID  `json:"authority,omitempty"` // who declared, ended, or attached
	Item      string       `json:"item,omitempty"`      // reference
	From      int          `json:"from,omitempty"`      // its priority before
	To        int          `json:"to,omitempty"`        // and after
	Items     int          `json:"items,omitempty"`
}

func (i Incident) event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, string(i.ID), now, IncidentBody{Ref: i.Ref, Kind: i.Kind, Country: i.Country, Authority: by.Authority})
}

// Lasts reports whether the incident raises its items now.
func (i Incident) Lasts() bool { return i.EndedAt.IsZero() }

// MayDeclare refuses whoever neither declares nor ends incidents.
func (a Actor) MayDeclare() error { return a.needAuthority(RoleCoordinator, RoleReviewer) }

// Declared checks a new incident, by a coordinator or a reviewer.
func (i Incident) Declared(by Actor, now time.Time) (Incident, Event, error) {
	if err := by.MayDeclare(); err != nil {
		return i, Event{}, err
	}
	i.Name = strings.Join(strings.Fields(i.Name), " ")
	switch {
	case !slices.Contains(IncidentKinds, i.Kind):
		return i, Event{}, Refuse(Invalid, "incident.kind", "kind", "%q is no kind of incident; the kinds are %v", i.Kind, IncidentKinds)
	case len(i.Name) < 3 || len(i.Name) > 200:
		return i, Event{}, Refuse(Invalid, "incident.name", "name", "name the incident in 3 to 200 characters, as it is known to the public: every authority reads it, so nothing of a case belongs in it")
	case len(i.Country) != 2 || strings.Trim(i.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return i, Event{}, Refuse(Invalid, "incident.country", "country", "country is two capital letters (ISO 3166-1): got %.20q", i.Country)
	case i.At.IsZero() || i.At.After(now):
		return i, Event{}, Refuse(Invalid, "incident.at", "at", "say when it happened; that is not in the future")
	}
	i.Authority, i.DeclaredBy, i.DeclaredAt = by.Authority, by.Person, now
	return i, i.event(EventIncidentDeclared, by, now), nil
}

// Ended ends it: by a coordinator, or a reviewer of who declared it.
func (i Incident) Ended(by Actor, now time.Time) (Incident, Event, error) {
	if err := by.MayDeclare(); err != nil {
		return i, Event{}, err
	}
	if !by.Has(RoleCoordinator) && by.Authority != i.Authority {
		return i, Event{}, Refuse(Forbidden, "incident.authority", "", "another authority declared incident %s: it ends it, or a coordinator does", i.Ref)
	}
	if !i.Lasts() {
		return i, Event{}, Refuse(Conflict, "incident.ended", "", "incident %s ended already, on %s", i.Ref, i.EndedAt.UTC().Format(time.DateOnly))
	}
	i.EndedBy, i.EndedAt = by.Person, now
	return i, i.event(EventIncidentEnded, by, now), nil
}

// Attached lets an item belong to the incident; found says whether the actor's
// authority found or judged it. The item's priority rises at once where it waits.
func (i Incident) Attached(by Actor, it Item, found bool, now time.Time) (Item, Event, error) {
	if err := by.needAuthority(RoleOfficer, RoleReviewer, RoleCoordinator); err != nil {
		return it, Event{}, err
	}
	if !i.Lasts() {
		return it, Event{}, Refuse(Conflict, "incident.ended", "incident", "incident %s ended on %s: hand the item in without it", i.Ref, i.EndedAt.UTC().Format(time.DateOnly))
	}
	if !found {
		return it, Event{}, ErrNotFound
	}
	if err := it.Standing(); err != nil {
		return it, Event{}, err
	}
	from := it.Priority
	if it.Waits() {
		it = it.Raised(PriorityFacts{Incident: IncidentPriority})
	}
	e := i.event(EventIncidentAttached, by, now)
	e.Subject = string(it.ID)
	e.Body = IncidentBody{Ref: i.Ref, Authority: by.Authority, Item: it.Ref, From: from, To: it.Priority}
	return it, e, nil
}

// Waits reports whether somebody is to do something about the item before it
// goes out: then its priority says when.
func (it Item) Waits() bool {
	switch it.Status {
	case ItemOpen, ItemOutOfScope, ItemAssessed, ItemApproved, ItemHeld:
		return true
	}
	return false
}

// Settled is the event that n items of the incident have the priority that is
// theirs by now.
func (i Incident) Settled(n int, now time.Time) Event {
	e := i.event(EventIncidentSettled, House, now)
	e.Body = IncidentBody{Ref: i.Ref, Items: n}
	return e
}

// RaisedBy is the priority that an item's incidents raise it to: those that
// last, 0 where none does.
func RaisedBy(incidents ...Incident) int {
	for _, i := range incidents {
		if i.Lasts() {
			return IncidentPriority
		}
	}
	return 0
}
