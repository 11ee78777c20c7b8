package concert

import (
	"slices"
	"strings"
	"time"
)

// leadArea are the states to which leads go as within the Union: those bound by
// Directive (EU) 2016/680, and those that apply it by association to Schengen
// (its recitals 101 to 103).
var leadArea = [...]string{"AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}

// WithinLeadArea reports whether a lead to the state is no transfer to a third
// country.
func WithinLeadArea(state string) bool { return slices.Contains(leadArea[:], state) }

// LeadRecipientKind is what kind of body would receive a lead.
type LeadRecipientKind string

// The kinds. Only the first two are competent (Directive (EU) 2016/680 Art. 3(7)).
const (
	LeadToPolice       LeadRecipientKind = "law_enforcement"
	LeadToJudicial     LeadRecipientKind = "judicial"
	LeadToMilitary     LeadRecipientKind = "military"
	LeadToIntelligence LeadRecipientKind = "intelligence"
	LeadToOther        LeadRecipientKind = "other"
)

// LeadRecipientKinds lists them.
var LeadRecipientKinds = []LeadRecipientKind{LeadToPolice, LeadToJudicial, LeadToMilitary, LeadToIntelligence, LeadToOther}

// TransferGround is what a transfer to a third country rests on (Directive (EU)
// 2016/680 chapter V). There is no default: without one nothing leaves.
type TransferGround string

// The grounds.
const (
	TransferAdequacy   TransferGround = "adequacy"   // Art. 36: a decision of the Commission
	TransferSafeguards TransferGround = "safeguards" // Art. 37: a binding instrument, or all circumstances assessed
	TransferDerogation TransferGround = "derogation" // Art. 38: vital interests, an immediate threat, an individual case
)

// TransferGrounds lists them.
var TransferGrounds = []TransferGround{TransferAdequacy, TransferSafeguards, TransferDerogation}

// adequate are the states that the Commission ever decided on under Art. 36:
// Implementing Decision (EU) 2021/1773, the United Kingdom. Whether a decision is in
// force on the day is for the basis that people write; decisions under the General
// Data Protection Regulation are others.
var adequate = []string{"GB"}

// Transfer is what was weighed before a lead goes to a third country.
type Transfer struct {
	Ground       TransferGround `json:"ground,omitempty"`
	Basis        string         `json:"basis,omitempty"` // the decision, the instrument, or why the derogation holds
	Torture      string         `json:"torture,omitempty"`
	DeathPenalty string         `json:"death_penalty,omitempty"`
	Persecution  string         `json:"persecution,omitempty"`
}

// LeadRecipient is who would receive a lead.
type LeadRecipient struct {
	Name  string            `json:"name,omitempty"` // sealed
	Kind  LeadRecipientKind `json:"kind"`
	State string            `json:"state"` // two letters, ISO 3166-1
}

// LeadStatus is where a lead stands.
type LeadStatus string

// The statuses.
const (
	LeadRefused   LeadStatus = "refused"
	LeadAsked     LeadStatus = "asked"
	LeadReleased  LeadStatus = "released"
	LeadReceipted LeadStatus = "receipted"
	LeadDropped   LeadStatus = "dropped"
)

// Lead is what one state would receive of an exhibit: counts, and the rows of
// persons that officer and magistrate both hold to be suspects.
type Lead struct {
	ID         LeadID
	Ref        string
	Case       CaseID
	Authority  AuthorityID
	Exhibit    ExhibitID
	Recipient  LeadRecipient
	Transfer   Transfer // sealed but for the ground
	ForCourt   bool     // for a bundle that goes before a court
	Persons    []string // pseudonyms; sealed
	Status     LeadStatus
	Code       string // why it was refused
	Reason     string // sealed: why it was dropped
	Package    string // SHA-256 of the package that left, in hexadecimal
	Receipt    string // SHA-256 of the signed receipt
	AskedBy    PersonID
	AskedAt    time.Time
	ReleasedBy PersonID
	ReleasedAt time.Time
	Exercise   bool
	Version    int64
}

// LeadBody is the body of events on a lead.
type LeadBody struct {
	Ref       string            `json:"ref"`
	Case      string            `json:"case"`
	Authority AuthorityID       `json:"authority"`
	Exhibit   ExhibitID         `json:"exhibit"`
	State     string            `json:"state"`
	Kind      LeadRecipientKind `json:"recipient"`
	Ground    TransferGround    `json:"ground,omitempty"`
	Persons   int               `json:"persons"`
	Code      string            `json:"code,omitempty"`
	Package   string            `json:"package,omitempty"`
	Receipt   string            `json:"receipt,omitempty"`
}

// LeadText is the sealed part of events on a lead: the recipient and why, as Art.
// 25(1) of the directive asks.
type LeadText struct {
	Recipient string   `json:"recipient,omitempty"`
	Transfer  Transfer `json:"transfer,omitzero"`
	Persons   []string `json:"persons,omitempty"`
	Reason    string   `json:"reason,omitempty"`
}

func (l Lead) event(kind EventKind, by Actor, c Case, now time.Time) Event {
	return NewEvent(kind, by, string(l.ID), now, LeadBody{l.Ref, c.Ref, l.Authority, l.Exhibit, l.Recipient.State, l.Recipient.Kind, l.Transfer.Ground, len(l.Persons), l.Code, l.Package, l.Receipt})
}

// Codes of leads that are refused by themselves.
const (
	LeadMilitary     = "lead.military"
	LeadIncompetent  = "lead.incompetent_recipient"
	LeadThirdCountry = "lead.third_country"
	LeadInadequate   = "lead.no_adequacy"
	LeadUnchecked    = "lead.rights_unchecked"
	LeadHandling     = "lead.handling"
	LeadVisitors     = "lead.uncategorised"
	LeadTwice        = "lead.person_released"
)

// LeadRefusal says in words why a lead was refused.
func LeadRefusal(code string) string {
	switch code {
	case LeadMilitary:
		return "nothing goes to a military body"
	case LeadIncompetent:
		return "the recipient is no authority competent for the prosecution of criminal offences (Directive (EU) 2016/680 Art. 35(1)(b))"
	case LeadThirdCountry:
		return "a transfer outside the Union is refused unless it has a ground in chapter V of Directive (EU) 2016/680 and a basis in writing"
	case LeadInadequate:
		return "no decision of the Commission under Article 36 of Directive (EU) 2016/680 is about this state: safeguards or a derogation would have to be the ground"
	case LeadUnchecked:
		return "nobody has written down whether torture, the death penalty or persecution threaten whom it is about"
	case LeadHandling:
		return "the case's handling code does not let it leave this way"
	case LeadVisitors:
		return "a row leaves only for a person that officer and magistrate hold to be a suspect on recorded facts; all others are counts"
	case LeadTwice:
		return "this person was released to another state already: two packages about one person could be joined"
	}
	return ""
}

// mayLeave reports whether the case's handling code lets the lead go to whom it is
// for.
func (l Lead) mayLeave(h Handling) bool {
	court := l.ForCourt || l.Recipient.Kind == LeadToJudicial
	return h.MayLeave(ToTenant) && (!court || h.MayLeave(ToJudicial))
}

// ruling is the code for which a lead is refused; "" where it may go on.
func (l Lead) ruling(c Case, suspect func(pseudonym string) bool, released func(pseudonym string) bool) string {
	switch {
	case l.Recipient.Kind == LeadToMilitary:
		return LeadMilitary
	case l.Recipient.Kind != LeadToPolice && l.Recipient.Kind != LeadToJudicial:
		return LeadIncompetent
	case !l.mayLeave(c.Handling):
		return LeadHandling
	case !WithinLeadArea(l.Recipient.State) && (!slices.Contains(TransferGrounds, l.Transfer.Ground) || !written(l.Transfer.Basis, 20)):
		return LeadThirdCountry
	case !WithinLeadArea(l.Recipient.State) && l.Transfer.Ground == TransferAdequacy && !slices.Contains(adequate, l.Recipient.State):
		return LeadInadequate
	case !WithinLeadArea(l.Recipient.State) && !(written(l.Transfer.Torture, 20) && written(l.Transfer.DeathPenalty, 20) && written(l.Transfer.Persecution, 20)):
		return LeadUnchecked
	case slices.ContainsFunc(l.Persons, func(p string) bool { return !suspect(p) }):
		return LeadVisitors
	case slices.ContainsFunc(l.Persons, released):
		return LeadTwice
	}
	return ""
}

// LeadAsked opens a lead for one state. Suspect says whether officer and
// magistrate hold a pseudonym to be a suspect's, released whether it left in
// another lead. What the law does not let go comes back refused, with the event
// that records it.
func (c Case) LeadAsked(by Actor, l Lead, x Exhibit, suspect, released func(pseudonym string) bool, now time.Time) (Lead, Event, error) {
	if err := c.works(by); err != nil {
		return l, Event{}, err
	}
	if err := c.grows(now); err != nil {
		return l, Event{}, err
	}
	l.Recipient.Name = strings.TrimSpace(l.Recipient.Name)
	switch {
	case x.Case != c.ID || x.Authority != by.Authority || x.To != "":
		return l, Event{}, ErrNotFound
	case !stateCode(l.Recipient.State):
		return l, Event{}, Refuse(Invalid, "lead.state", "state", "write the state as two capital letters (ISO 3166-1): got %.10q", l.Recipient.State)
	case !slices.Contains(LeadRecipientKinds, l.Recipient.Kind):
		return l, Event{}, Refuse(Invalid, "lead.recipient", "recipient", "say what kind of body receives it: %v", LeadRecipientKinds)
	case !between(l.Recipient.Name, 3, 200):
		return l, Event{}, Refuse(Invalid, "lead.recipient", "name", "name the authority that receives it, in 3 to 200 characters")
	case len(l.Persons) > ReidentifyMost:
		return l, Event{}, Refuse(TooLarge, "lead.persons", "persons", "a lead names at most %d persons", ReidentifyMost)
	}
	l.Case, l.Authority, l.Exhibit, l.AskedBy, l.AskedAt, l.Status = c.ID, by.Authority, x.ID, by.Person, now, LeadAsked
	kind := EventLeadAsked
	if l.Code = l.ruling(c, suspect, released); l.Code != "" {
		l.Status, kind = LeadRefused, EventLeadRefused
	}
	e := l.event(kind, by, c, now)
	return l, e.WithSealed(LeadText{Recipient: l.Recipient.Name, Transfer: l.Transfer, Persons: l.Persons}), nil
}

func stateCode(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}

func (l Lead) moves(by Actor, c Case, from LeadStatus) error {
	if err := c.works(by); err != nil {
		return err
	}
	if l.Status != from {
		return Refuse(Conflict, "lead.status", "", "lead %s is %s: this is for one that is %s", l.Ref, l.Status, from)
	}
	return nil
}

// Released lets the package leave: by a member with the role reviewer who did not
// ask for it. The digest binds the decision to what leaves.
func (l Lead) Released(by Actor, c Case, digest string, now time.Time) (Lead, Event, error) {
	if err := l.moves(by, c, LeadAsked); err != nil {
		return l, Event{}, err
	}
	if err := by.Need(RoleReviewer); err != nil {
		return l, Event{}, err
	}
	switch {
	case by.Person == l.AskedBy:
		return l, Event{}, Refuse(Forbidden, "lead.same_person", "", "you asked for lead %s yourself: another member with the role reviewer releases it", l.Ref)
	case !digestText(digest):
		return l, Event{}, Refuse(Invalid, "lead.package", "package", "give the SHA-256 of the package that leaves, 64 hexadecimal digits")
	case !l.mayLeave(c.Handling):
		return l, Event{}, Refuse(Forbidden, "handling.blocked", "", "case %s carries the handling code %s now: its lead stays", c.Ref, c.Handling)
	}
	l.Status, l.Package, l.ReleasedBy, l.ReleasedAt = LeadReleased, digest, by.Person, now
	e := l.event(EventLeadReleased, by, c, now)
	return l, e.WithSealed(LeadText{Recipient: l.Recipient.Name, Transfer: l.Transfer, Persons: l.Persons}), nil
}

// Receipted records the recipient's signed receipt of the package.
func (l Lead) Receipted(by Actor, c Case, receipt string, now time.Time) (Lead, Event, error) {
	if err := l.moves(by, c, LeadReleased); err != nil {
		return l, Event{}, err
	}
	if !digestText(receipt) {
		return l, Event{}, Refuse(Invalid, "lead.receipt", "receipt", "give the SHA-256 of the signed receipt, 64 hexadecimal digits (concert lead check-receipt checks it)")
	}
	l.Status, l.Receipt = LeadReceipted, receipt
	return l, l.event(EventLeadReceipted, by, c, now), nil
}

// Dropped ends a lead that was asked for and not released.
func (l Lead) Dropped(by Actor, c Case, reason string, now time.Time) (Lead, Event, error) {
	if err := l.moves(by, c, LeadAsked); err != nil {
		return l, Event{}, err
	}
	if !written(reason, 10) {
		return l, Event{}, Refuse(Invalid, "lead.reason", "reason", "say in at least ten characters why lead %s does not leave", l.Ref)
	}
	l.Status, l.Reason = LeadDropped, reason
	return l, l.event(EventLeadDropped, by, c, now).WithSealed(LeadText{Reason: reason}), nil
}

// Expired is the erasure of a lead whose case nobody reviewed (G22).
func (l Lead) Expired(c Case, now time.Time) Event {
	l.Code, l.Persons = string(ErasureUnreviewed), nil
	return l.event(EventLeadErased, House, c, now)
}
