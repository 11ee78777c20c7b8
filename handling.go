package concert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Handling is a handling code: what may be done with a piece of information
// beyond the work it was handed in for (Europol's H codes, used by SIENA; G23).
type Handling string

// The codes.
const (
	HandlingOpen        Handling = "H0" // only to prevent and combat crime
	HandlingNotJudicial Handling = "H1" // not in judicial proceedings without its giver's permission
	HandlingNotShared   Handling = "H2" // not to be passed on without its giver's permission
	HandlingRestricted  Handling = "H3" // other restrictions, said in words
)

// Handlings lists the codes from the most open to the most restricted.
var Handlings = []Handling{HandlingOpen, HandlingNotJudicial, HandlingNotShared, HandlingRestricted}

// Destination is where information would go.
type Destination string

// The destinations.
const (
	ToJudicial Destination = "judicial" // prosecutors and courts
	ToTenant   Destination = "tenant"   // another authority
	ToProvider Destination = "provider" // in a referral
)

// Destinations lists them.
var Destinations = []Destination{ToJudicial, ToTenant, ToProvider}

// MayLeave reports whether information with the code may go there without its
// giver's permission. An unknown code or destination may not.
func (h Handling) MayLeave(to Destination) bool {
	switch h {
	case HandlingOpen:
		return slices.Contains(Destinations, to)
	case HandlingNotJudicial:
		return to == ToTenant || to == ToProvider
	case HandlingNotShared:
		return to == ToJudicial
	}
	return false
}

// Leaving lists the codes that may go to the destination.
func Leaving(to Destination) []Handling {
	return slices.DeleteFunc(slices.Clone(Handlings), func(h Handling) bool { return !h.MayLeave(to) })
}

// handledFor refuses a referral of what may not be passed on.
func (it Item) handledFor(to Destination) error {
	if it.Handling == "" || it.Handling.MayLeave(to) {
		return nil
	}
	return Refuse(Forbidden, "handling.blocked", "", "item %s carries the handling code %s and may not go to a %s: ask whoever gave it; with their permission a reviewer of its authority changes the code", it.Ref, it.Handling, to)
}

// HandlingBody is the body of events on an item's handling.
type HandlingBody struct {
	Ref         string      `json:"ref"`
	Authority   AuthorityID `json:"authority"` // the item's custodian
	From        Handling    `json:"from,omitempty"`
	Handling    Handling    `json:"handling"`
	Destination Destination `json:"destination,omitempty"`
}

// DisclosureText is the sealed part of a disclosure.
type DisclosureText struct {
	Recipient     string `json:"recipient"`
	Justification string `json:"justification"`
}

// Rehandled changes the item's handling code, with its giver's permission: by a
// reviewer of its custodian who did not hand it in. sighted are the custodian's
// own sightings of it.
func (it Item) Rehandled(by Actor, to Handling, reason string, sighted []Sighting, now time.Time) (Item, Event, error) {
	if err := by.MayKeep(it, RoleReviewer); err != nil {
		return it, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return it, Event{}, err
	}
	if slices.ContainsFunc(sighted, func(s Sighting) bool { return s.Person == by.Person }) {
		return it, Event{}, Refuse(Forbidden, "handling.same_person", "", "you handed item %s in yourself: another reviewer changes its handling code", it.Ref)
	}
	if !slices.Contains(Handlings, to) {
		return it, Event{}, Refuse(Invalid, "item.handling", "handling", "%q is no handling code; the codes are %v", to, Handlings)
	}
	if to == it.Handling {
		return it, Event{}, Refuse(Conflict, "handling.same", "handling", "item %s carries %s already", it.Ref, to)
	}
	if len(strings.TrimSpace(reason)) < 10 {
		return it, Event{}, Refuse(Invalid, "handling.reason", "reason", "say in at least ten characters who gave permission, or why the code is stricter now")
	}
	b := HandlingBody{Ref: it.Ref, Authority: it.Custodian(), From: it.Handling, Handling: to}
	it.Handling = to
	return it, NewEvent(EventHandlingChanged, by, string(it.ID), now, b).WithSealed(GroundText{Ground: reason}), nil
}

// Disclosed records that items leave for a destination, to whom and why
// (Directive (EU) 2016/680 Art. 25). One item that may not go stops them all.
func Disclosed(by Actor, items []Item, to Destination, text DisclosureText, now time.Time) ([]Event, error) {
	if to != ToJudicial && to != ToTenant {
		return nil, Refuse(Invalid, "export.destination", "destination", "an export goes to %q or %q; what providers read is a referral", ToJudicial, ToTenant)
	}
	if len(strings.TrimSpace(text.Recipient)) < 3 || len(text.Recipient) > 400 {
		return nil, Refuse(Invalid, "export.recipient", "recipient", "name who receives it, in 3 to 400 characters")
	}
	if len(strings.TrimSpace(text.Justification)) < 20 || len(text.Justification) > 4000 {
		return nil, Refuse(Invalid, "export.justification", "justification", "say in 20 to 4000 characters why it is disclosed, and on what basis: it is recorded with every item")
	}
	var blocked, erased []string
	events := make([]Event, 0, len(items))
	for _, it := range items {
		if err := by.MayKeep(it, RoleOfficer, RoleReviewer); err != nil {
			return nil, err
		}
		switch {
		case !it.ErasedAt.IsZero():
			erased = append(erased, it.Ref)
		case !it.Handling.MayLeave(to):
			blocked = append(blocked, fmt.Sprintf("%s (%s)", it.Ref, it.Handling))
		}
		events = append(events, NewEvent(EventItemDisclosed, by, string(it.ID), now, HandlingBody{Ref: it.Ref, Authority: it.Custodian(), Handling: it.Handling, Destination: to}).WithSealed(text))
	}
	if len(erased) > 0 {
		return nil, Refuse(Forbidden, "handling.blocked", "items", "nothing was exported, since these were erased and nothing of them is kept: %s. Leave them out", strings.Join(erased, ", "))
	}
	if len(blocked) > 0 {
		return nil, Refuse(Forbidden, "handling.blocked", "items", "nothing was exported, since these may not go to a %s: %s. Leave them out, or ask whoever gave them; with their permission a reviewer of the authority changes the code", to, strings.Join(blocked, ", "))
	}
	return events, nil
}

// DisclosureFormat names the document of an export, version 1
// (docs/handling.md).
const DisclosureFormat = "concert-disclosure/1"

// Disclosure is the document that leaves: items in full, each with its handling
// code and its evaluation.
type Disclosure struct {
	Format        string          `json:"format"`
	Origin        string          `json:"origin"`
	DisclosedAt   string          `json:"disclosed_at"`
	Authority     string          `json:"authority"`
	Operator      string          `json:"operator"`
	Destination   Destination     `json:"destination"`
	Recipient     string          `json:"recipient"`
	Justification string          `json:"justification"`
	Exercise      bool            `json:"exercise"`
	Items         []DisclosedItem `json:"items"`
}

// DisclosedItem is one item of an export. Facts and judgement are apart, and
// both codes are always there (Directive (EU) 2016/680 Art. 7 and 9(3); G23, G24).
type DisclosedItem struct {
	Ref         string           `json:"ref"`
	Handling    Handling         `json:"handling"`
	Evaluation  string           `json:"evaluation"` // of the assessment, else of the find
	Status      ItemStatus       `json:"status"`
	Type        ItemType         `json:"type,omitempty"`
	Location    Location         `json:"location"`
	SHA256      string           `json:"sha256,omitempty"`
	FoundAt     string           `json:"found_at"`
	Finders     []string         `json:"finders"` // unit codes
	Outlet      string           `json:"outlet,omitempty"`
	ContentType ContentType      `json:"content_type,omitempty"`
	Purpose     Purpose          `json:"purpose,omitempty"`
	Language    string           `json:"language,omitempty"`
	Severity    Severity         `json:"severity,omitempty"`
	Mark        string           `json:"mark,omitempty"`
	MarkWhere   string           `json:"mark_where,omitempty"`
	Facts       string           `json:"facts,omitempty"`
	Judgement   string           `json:"judgement,omitempty"`
	AssessedBy  string           `json:"assessed_by,omitempty"` // operator number
	AssessedAt  string           `json:"assessed_at,omitempty"`
	Decisions   []DisclosedWord  `json:"decisions,omitempty"`
	Referral    string           `json:"referral,omitempty"`
	Answers     []DisclosedWord  `json:"answers,omitempty"`
	Observed    []DisclosedSight `json:"observed,omitempty"`
	Remedies    []DisclosedWord  `json:"remedies,omitempty"`
}

// DisclosedWord is a decision, an answer or a remedy: its code, its text, when
// and by whom.
type DisclosedWord struct {
	Code     string `json:"code"`
	Text     string `json:"text,omitempty"`
	Operator string `json:"operator,omitempty"`
	At       string `json:"at"`
}

// DisclosedSight is one look of ours.
type DisclosedSight struct {
	State   Observed `json:"state"`
	Vantage string   `json:"vantage"`
	At      string   `json:"at"`
}
