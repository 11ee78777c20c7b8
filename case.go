package concert

import (
	"slices"
	"strings"
	"time"
)

const (
	// CaseReviewYears is how long a case stands without a review (Regulation
	// (EU) 2016/794 Art. 31(2); Directive (EU) 2016/680 Art. 5; G22).
	CaseReviewYears = 3
	// CaseGrace is how long after a missed review the persons of the case are
	// kept still; then the house erases them (Regulation (EU) 2016/794 Art.
	// 31(3): without a decision, data is erased).
	CaseGrace = 90 * 24 * time.Hour
	// CaseMembersMost bounds who reads one case.
	CaseMembersMost = 60
	// CaseThingsMost bounds what one act adds to a case.
	CaseThingsMost = 500
)

// Mandate is what allows an investigation: who ordered it, when, until when.
type Mandate struct {
	Reference string // sealed under the case's key
	Issuer    string // sealed, too
	On        time.Time
	Until     time.Time // the last day is before it
}

func (m Mandate) check(now time.Time) error {
	switch {
	case len(strings.TrimSpace(m.Reference)) < 3 || len(strings.TrimSpace(m.Issuer)) < 3 || len(m.Reference) > 200 || len(m.Issuer) > 200:
		return Refuse(Invalid, "case.mandate", "mandate", "a case stands on a mandate: write its reference and who issued it, each in 3 to 200 characters")
	case m.On.IsZero() || m.On.After(now):
		return Refuse(Invalid, "case.mandate", "mandate_on", "the date of the mandate is missing, or lies in the future")
	case !m.Until.After(now) || !m.Until.After(m.On):
		return Refuse(Invalid, "case.mandate", "mandate_until", "the mandate must be valid beyond today: write until when it is, and enter its extension once that is over")
	}
	return nil
}

// Case is an investigation of one authority: the folder that items, and later
// exhibits and measures, belong to. Only its members read it; other authorities
// do not learn that there is one.
type Case struct {
	ID         CaseID
	Ref        string
	Authority  AuthorityID
	Title      string // sealed
	Lead       PersonID
	Mandate    Mandate
	Handling   Handling
	Reason     string // sealed: why it was closed
	Review     string // sealed: the last review's ground
	Members    []PersonID
	OpenedBy   PersonID
	OpenedAt   time.Time
	ClosedBy   PersonID
	ClosedAt   time.Time
	ReviewAt   time.Time
	ReviewedBy PersonID
	ReviewedAt time.Time
	Exercise   bool
	Version    int64
}

// Thing is a kind of what belongs to a case, by the id of its subject.
type Thing string

// The things. An item's captures belong to the case with the item; an exhibit
// belongs to the case of whoever holds it, and to those of whoever held it.
const (
	ThingItem    Thing = "item"
	ThingExhibit Thing = "exhibit"
)

// CaseBody is the body of events on a case and on its persons.
type CaseBody struct {
	Ref        string      `json:"ref"`
	Authority  AuthorityID `json:"authority"`
	Member     PersonID    `json:"member,omitempty"`
	Person     string      `json:"person,omitempty"` // reference of a case's person
	Category   DataSubject `json:"category,omitempty"`
	From       DataSubject `json:"from,omitempty"`
	Evaluation string      `json:"evaluation,omitempty"`
	Thing      Thing       `json:"thing,omitempty"`
	Item       string      `json:"item,omitempty"` // reference
	Handling   Handling    `json:"handling,omitempty"`
	Until      string      `json:"until,omitempty"` // date
	Code       ErasureCode `json:"code,omitempty"`
	AskedBy    PersonID    `json:"asked_by,omitempty"`
}

// CaseText is the sealed part of events on a case.
type CaseText struct {
	Title   string `json:"title,omitempty"`
	Mandate string `json:"mandate,omitempty"`
	Issuer  string `json:"issuer,omitempty"`
	Ground  string `json:"ground,omitempty"`
	Own     []byte `json:"own,omitempty"` // a ground sealed once more, under the key of the item that it is about
}

func (c Case) event(kind EventKind, by Actor, now time.Time, fill func(*CaseBody)) Event {
	b := CaseBody{Ref: c.Ref, Authority: c.Authority}
	if fill != nil {
		fill(&b)
	}
	return NewEvent(kind, by, string(c.ID), now, b)
}

// casePeople are the roles that may be members: nobody who registers people,
// and no provider's.
var casePeople = []Role{RoleOfficer, RoleReviewer, RoleCoordinator}

// MayKeepCases refuses whoever may have no part in any case.
func (a Actor) MayKeepCases() error { return a.needAuthority(casePeople...) }

// Member reports whether the actor works on the case: a person of its authority
// who was let in.
func (c Case) Member(a Actor) bool {
	return a.Authority != "" && a.Authority == c.Authority && slices.Contains(c.Members, a.Person) && a.MayKeepCases() == nil
}

// MayRead lets members and auditors read; all others get the answer that a
// missing case gets.
func (c Case) MayRead(a Actor) error {
	if c.Member(a) || a.Has(RoleAuditor) {
		return nil
	}
	return ErrNotFound
}

// works lets members act, and leads refuses all but the person who leads.
func (c Case) works(a Actor) error {
	if c.Member(a) {
		return nil
	}
	return ErrNotFound
}

func (c Case) leads(a Actor) error {
	if err := c.works(a); err != nil {
		return err
	}
	if a.Person != c.Lead {
		return Refuse(Forbidden, "case.lead", "", "this is for the person who leads case %s: ask it", c.Ref)
	}
	return nil
}

func (c Case) open() error {
	if c.ClosedAt.IsZero() {
		return nil
	}
	return Refuse(Conflict, "case.closed", "", "case %s was closed on %s: what comes up now is another case", c.Ref, c.ClosedAt.UTC().Format(time.DateOnly))
}

// grows refuses whatever would add to a case that is closed, whose mandate is
// over, or whose review is overdue.
func (c Case) grows(now time.Time) error {
	switch err := c.open(); {
	case err != nil:
		return err
	case !now.Before(c.Mandate.Until):
		return Refuse(Conflict, "case.mandate_over", "", "the mandate of case %s ended on %s: enter its extension before anything is added", c.Ref, c.Mandate.Until.UTC().Format(time.DateOnly))
	case !now.Before(c.ReviewAt):
		return Refuse(Conflict, "case.review_overdue", "", "case %s was to be reviewed by %s: review it before anything is added (its persons are erased on %s without that)", c.Ref, c.ReviewAt.UTC().Format(time.DateOnly), c.ReviewAt.Add(CaseGrace).UTC().Format(time.DateOnly))
	}
	return nil
}

func written(text string, least int) bool {
	n := len(strings.TrimSpace(text))
	return n >= least && len(text) <= 8000
}

// Opened checks a new case; whoever opens it leads it and is its first member.
func (c Case) Opened(by Actor, now time.Time) (Case, Event, error) {
	if err := by.MayKeepCases(); err != nil {
		return c, Event{}, err
	}
	if n := len(strings.TrimSpace(c.Title)); n < 3 || len(c.Title) > 200 {
		return c, Event{}, Refuse(Invalid, "case.title", "title", "a case needs a title of 3 to 200 characters: only its members read it")
	}
	if err := c.Mandate.check(now); err != nil {
		return c, Event{}, err
	}
	if c.Handling == "" {
		c.Handling = HandlingOpen
	}
	if !slices.Contains(Handlings, c.Handling) {
		return c, Event{}, Refuse(Invalid, "case.handling", "handling", "%q is no handling code; the codes are %v", c.Handling, Handlings)
	}
	c.Authority, c.Lead, c.Members = by.Authority, by.Person, []PersonID{by.Person}
	c.OpenedBy, c.OpenedAt, c.ReviewAt = by.Person, now, now.AddDate(CaseReviewYears, 0, 0)
	e := c.event(EventCaseOpened, by, now, func(b *CaseBody) { b.Handling, b.Until = c.Handling, c.Mandate.Until.UTC().Format(time.DateOnly) })
	return c, e.WithSealed(CaseText{Title: c.Title, Mandate: c.Mandate.Reference, Issuer: c.Mandate.Issuer}), nil
}

// MemberAdded lets a person of the authority read the case.
func (c Case) MemberAdded(by Actor, p Person, now time.Time) (Case, Event, error) {
	if err := c.leads(by); err != nil {
		return c, Event{}, err
	}
	if err := c.open(); err != nil {
		return c, Event{}, err
	}
	switch {
	case !p.InForce() || p.Authority == "" || p.Authority != c.Authority || p.Actor().MayKeepCases() != nil:
		return c, Event{}, Refuse(Invalid, "case.member", "person", "only officers, reviewers and coordinators of your own authority who are in force become members: %s is none", p.Operator)
	case slices.Contains(c.Members, p.ID):
		return c, Event{}, Refuse(Conflict, "case.member", "person", "%s is a member already", p.Operator)
	case len(c.Members) >= CaseMembersMost:
		return c, Event{}, Refuse(TooLarge, "case.members", "person", "a case has at most %d members", CaseMembersMost)
	}
	c.Members = append(slices.Clone(c.Members), p.ID)
	return c, c.event(EventCaseMemberAdded, by, now, func(b *CaseBody) { b.Member = p.ID }), nil
}

// MemberRemoved ends that; the lead stays until another person leads.
func (c Case) MemberRemoved(by Actor, p PersonID, now time.Time) (Case, Event, error) {
	if err := c.leads(by); err != nil {
		return c, Event{}, err
	}
	switch {
	case p == c.Lead:
		return c, Event{}, Refuse(Conflict, "case.member", "person", "the person who leads stays a member: hand the lead over first")
	case !slices.Contains(c.Members, p):
		return c, Event{}, Refuse(Conflict, "case.member", "person", "this person is no member: choose one from the list of members")
	}
	c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(m PersonID) bool { return m == p })
	return c, c.event(EventCaseMemberRemoved, by, now, func(b *CaseBody) { b.Member = p }), nil
}

// Led hands the lead to another member: by the lead, or by any member once the
// lead is no longer in force.
func (c Case) Led(by Actor, lead Person, to PersonID, now time.Time) (Case, Event, error) {
	if err := c.works(by); err != nil {
		return c, Event{}, err
	}
	if lead.InForce() {
		if err := c.leads(by); err != nil {
			return c, Event{}, err
		}
	}
	if to == c.Lead || !slices.Contains(c.Members, to) {
		return c, Event{}, Refuse(Invalid, "case.member", "person", "the lead goes to another member of the case: make the person one first")
	}
	c.Lead = to
	return c, c.event(EventCaseLed, by, now, func(b *CaseBody) { b.Member = to }), nil
}

// Mandated enters another mandate, or the extension of the one that was.
func (c Case) Mandated(by Actor, m Mandate, now time.Time) (Case, Event, error) {
	if err := c.leads(by); err != nil {
		return c, Event{}, err
	}
	if err := c.open(); err != nil {
		return c, Event{}, err
	}
	if err := m.check(now); err != nil {
		return c, Event{}, err
	}
	c.Mandate = m
	e := c.event(EventCaseMandated, by, now, func(b *CaseBody) { b.Until = m.Until.UTC().Format(time.DateOnly) })
	return c, e.WithSealed(CaseText{Mandate: m.Reference, Issuer: m.Issuer}), nil
}

// Added puts an item into the case; found says whether the case's authority
// found or judged it, since nobody files what the authority does not know.
func (c Case) Added(by Actor, it Item, found bool, now time.Time) (Event, error) {
	if err := c.works(by); err != nil {
		return Event{}, err
	}
	if err := c.grows(now); err != nil {
		return Event{}, err
	}
	if !found {
		return Event{}, ErrNotFound
	}
	if err := it.Standing(); err != nil {
		return Event{}, err
	}
	return c.event(EventCaseAdded, by, now, func(b *CaseBody) { b.Thing, b.Item = ThingItem, it.Ref }), nil
}

// Removed takes an item out again, with a reason.
func (c Case) Removed(by Actor, it Item, reason string, now time.Time) (Event, error) {
	if err := c.works(by); err != nil {
		return Event{}, err
	}
	if err := c.open(); err != nil {
		return Event{}, err
	}
	if !written(reason, 10) {
		return Event{}, Refuse(Invalid, "case.reason", "reason", "say in at least ten characters why item %s does not belong to case %s", it.Ref, c.Ref)
	}
	return c.event(EventCaseRemoved, by, now, func(b *CaseBody) { b.Thing, b.Item = ThingItem, it.Ref }), nil
}

// Reviewed says that the case's data is still needed: by a member with the role
// reviewer who does not lead it. It stands for another three years.
func (c Case) Reviewed(by Actor, ground string, now time.Time) (Case, Event, error) {
	if err := c.works(by); err != nil {
		return c, Event{}, err
	}
	if err := by.Need(RoleReviewer); err != nil {
		return c, Event{}, err
	}
	if by.Person == c.Lead {
		return c, Event{}, Refuse(Forbidden, "case.same_person", "", "you lead case %s yourself: another member with the role reviewer reviews it", c.Ref)
	}
	if !written(ground, 20) {
		return c, Event{}, Refuse(Invalid, "case.ground", "ground", "write in at least twenty characters why the persons and things of case %s are still needed, having gone through them; what is not, erase or remove first", c.Ref)
	}
	c.Review, c.ReviewedBy, c.ReviewedAt, c.ReviewAt = ground, by.Person, now, now.AddDate(CaseReviewYears, 0, 0)
	e := c.event(EventCaseReviewed, by, now, func(b *CaseBody) { b.Until = c.ReviewAt.UTC().Format(time.DateOnly) })
	return c, e.WithSealed(CaseText{Ground: ground}), nil
}

// Closed ends the case; its data stays under review.
func (c Case) Closed(by Actor, reason string, now time.Time) (Case, Event, error) {
	if err := c.leads(by); err != nil {
		return c, Event{}, err
	}
	if err := c.open(); err != nil {
		return c, Event{}, err
	}
	if !written(reason, 10) {
		return c, Event{}, Refuse(Invalid, "case.reason", "reason", "say in at least ten characters why case %s is closed", c.Ref)
	}
	c.Reason, c.ClosedBy, c.ClosedAt = reason, by.Person, now
	return c, c.event(EventCaseClosed, by, now, nil).WithSealed(CaseText{Ground: reason}), nil
}

// ReviewFell is what the clock finds: at the review's date it is said once that
// it is due, CaseGrace later the case's persons are erased. Again is when to ask
// anew; erase says that it is time.
func (c Case) ReviewFell(now time.Time) (due Event, erase bool, again time.Time) {
	switch {
	case now.Before(c.ReviewAt):
		return due, false, c.ReviewAt
	case now.Before(c.ReviewAt.Add(CaseGrace)):
		return c.event(EventCaseReviewDue, House, now, func(b *CaseBody) { b.Until = c.ReviewAt.Add(CaseGrace).UTC().Format(time.DateOnly) }), false, c.ReviewAt.Add(CaseGrace)
	}
	return due, true, time.Time{}
}
