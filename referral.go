package concert

import (
	"slices"
	"strings"
	"time"
)

// ReferralItems is the most items one referral carries.
const ReferralItems = 100

// VoluntaryNotice stands on every referral, word for word (G01).
const VoluntaryNotice = "This is a referral, not an order. Acting on it is voluntary: you decide alone, under your own terms and conditions. Refusing has no consequence, and no authority will be told to press you."

// ReferralStatus is where a referral stands.
type ReferralStatus string

// The statuses.
const (
	ReferralSent         ReferralStatus = "sent" // handed to its delivery
	ReferralAcknowledged ReferralStatus = "acknowledged"
	ReferralPartly       ReferralStatus = "partly_answered"
	ReferralAnswered     ReferralStatus = "answered"
)

// ReferralStatuses lists them.
var ReferralStatuses = []ReferralStatus{ReferralSent, ReferralAcknowledged, ReferralPartly, ReferralAnswered}

// Referral asks one provider to look at several items. It is voluntary and has
// no method that would make it anything else.
type Referral struct {
	ID         ReferralID
	Ref        string
	Provider   ProviderID
	Author     AuthorityID // who judged; the deployment only transports (G09)
	Action     ActionID
	Status     ReferralStatus
	Items      int
	Answered   int // items with a final answer
	Envelope   []byte
	Exercise   bool
	CreatedAt  time.Time
	AckedAt    time.Time
	RemindedAt time.Time
	Reminders  int
	Version    int64
	Article16  bool // meant as a notice under DSA Art. 16
}

// ReferralItem is one item's place in a referral with the provider's claim.
type ReferralItem struct {
	Referral  ReferralID
	Item      ItemID
	Pos       int
	Claim     AnswerCode
	ClaimedAt time.Time
	CheckedAt time.Time
}

// Referred puts approved items into one referral. The caller has checked holds
// and scope inside the same transaction; the rule checks the rest: one author,
// one provider, all approved, at most ReferralItems.
func Referred(r Referral, items []Item, now time.Time) (Referral, []Item, []Event, error) {
	if len(items) == 0 || len(items) > ReferralItems {
		return r, nil, nil, Refuse(Invalid, "referral.items", "items", "a referral carries 1 to %d items, not %d", ReferralItems, len(items))
	}
	out := make([]Item, 0, len(items))
	events := make([]Event, 0, len(items)+1)
	events = append(events, NewEvent(EventReferralSent, House, string(r.ID), now, ReferralBody{Ref: r.Ref, Provider: r.Provider, Authority: r.Author, Action: r.Action, Items: len(items), Article16: r.Article16}))
	for _, it := range items {
		if it.Provider != r.Provider || it.Author != r.Author || it.Given < it.Needed {
			return r, nil, nil, Refuse(Conflict, "referral.mixed", "items", "item %s does not belong in this referral: other provider, other author, or not approved", it.Ref)
		}
		if err := it.handledFor(ToProvider); err != nil {
			return r, nil, nil, err
		}
		moved, err := it.Moved(MoveRefer, now)
		if err != nil {
			return r, nil, nil, err
		}
		moved.Referral = r.ID
		out = append(out, moved)
		b := change(it, moved)
		b.Referral, b.Kind = r.Ref, it.Location.Kind
		events = append(events, NewEvent(EventItemReferred, House, string(it.ID), now, b))
	}
	r.Status, r.Items, r.CreatedAt = ReferralSent, len(items), now
	return r, out, events, nil
}

// Acknowledged records that a person or machine of the provider took the
// referral; it is not an answer.
func (r Referral) Acknowledged(by Actor, now time.Time) (Referral, []Event, error) {
	if err := by.MayAnswer(r); err != nil {
		return r, nil, err
	}
	if !r.AckedAt.IsZero() {
		return r, nil, nil
	}
	r.AckedAt = now
	if r.Status == ReferralSent {
		r.Status = ReferralAcknowledged
	}
	return r, []Event{NewEvent(EventReferralAcknowledged, by, string(r.ID), now, ReferralBody{Ref: r.Ref, Provider: r.Provider, Authority: r.Author, Action: r.Action, Items: r.Items})}, nil
}

// AnswerCode is a provider's word on one item: a closed vocabulary.
type AnswerCode string

// The answers.
const (
	AnswerReceived         AnswerCode = "received"
	AnswerInReview         AnswerCode = "in_review"
	AnswerNeedInformation  AnswerCode = "need_information"
	AnswerRemoved          AnswerCode = "removed"
	AnswerDisabledEU       AnswerCode = "disabled_eu"
	AnswerDisabledIn       AnswerCode = "disabled_countries"
	AnswerAccountSuspended AnswerCode = "account_suspended"
	AnswerDomainOnHold     AnswerCode = "domain_on_hold"
	AnswerRestricted       AnswerCode = "age_or_interaction_restricted"
	AnswerUnavailable      AnswerCode = "already_unavailable"
	AnswerRefused          AnswerCode = "refused_not_violating"
	AnswerNotOurs          AnswerCode = "not_ours"
	AnswerForceMajeure     AnswerCode = "impossible_force_majeure"
	AnswerInsufficient     AnswerCode = "impossible_facts_insufficient"
	AnswerCannotIsolate    AnswerCode = "cannot_isolate"
	AnswerForwarded        AnswerCode = "forwarded_to_customer"
	AnswerContested        AnswerCode = "contested"
	AnswerRestored         AnswerCode = "restored"
)

// AnswerCodes lists the vocabulary.
var AnswerCodes = []AnswerCode{AnswerReceived, AnswerInReview, AnswerNeedInformation, AnswerRemoved, AnswerDisabledEU, AnswerDisabledIn, AnswerAccountSuspended, AnswerDomainOnHold, AnswerRestricted, AnswerUnavailable, AnswerRefused, AnswerNotOurs, AnswerForceMajeure, AnswerInsufficient, AnswerCannotIsolate, AnswerForwarded, AnswerContested, AnswerRestored}

// Final reports whether the answer is a last word for now: after it nothing is
// silent any more.
func (c AnswerCode) Final() bool {
	return c != "" && c != AnswerReceived && c != AnswerInReview && c != AnswerNeedInformation
}

// Effect reports whether the provider claims that the content is gone or
// limited.
func (c AnswerCode) Effect() bool {
	switch c {
	case AnswerRemoved, AnswerDisabledEU, AnswerDisabledIn, AnswerAccountSuspended, AnswerDomainOnHold, AnswerRestricted, AnswerUnavailable:
		return true
	}
	return false
}

// Refusal reports whether the provider found no violation, which ends it.
func (c AnswerCode) Refusal() bool { return c == AnswerRefused }

// Answer is what a provider claims about one item.
type Answer struct {
	Referral  ReferralID
	Item      ItemID
	Code      AnswerCode
	Countries []string // for disabled_countries
	Forwarded string   // for not_ours and forwarded_to_customer: where to try
	Note      string   // sealed
	By        PersonID
	At        time.Time
	Others    int       // for cannot_isolate: how many others a measure would hit
	OthersAre OtherKind // and what they are
}

func (a Answer) check() error {
	if !slices.Contains(AnswerCodes, a.Code) {
		return Refuse(Invalid, "answer.code", "code", "%q is no answer; the answers are %v", a.Code, AnswerCodes)
	}
	if a.Code == AnswerDisabledIn && len(a.Countries) == 0 {
		return Refuse(Invalid, "answer.countries", "countries", "disabled_countries names the countries (ISO 3166-1): write them")
	}
	if err := a.checkIsolation(); err != nil {
		return err
	}
	if len(a.Note) > 4000 || len(a.Forwarded) > 400 || len(a.Countries) > 60 {
		return Refuse(TooLarge, "answer.note", "note", "a note has at most 4000 characters, a forwarding address 400, a list of countries 60")
	}
	return nil
}

// ItemAnswered applies the provider's word on one item of its referral. The
// same word again changes nothing (changed is false); a word after withdrawal
// or refusal is recorded and changes no status.
func (it Item) ItemAnswered(by Actor, r Referral, a Answer, now time.Time) (next Item, ans Answer, e Event, changed bool, err error) {
	if err := by.MayAnswer(r); err != nil {
		return it, a, Event{}, false, err
	}
	if err := a.check(); err != nil {
		return it, a, Event{}, false, err
	}
	if err := it.Standing(); err != nil {
		return it, a, Event{}, false, err
	}
	if it.Claimed == a.Code {
		return it, a, Event{}, false, nil
	}
	a.Referral, a.Item, a.By, a.At = r.ID, it.ID, by.Person, now
	before, late := it, it.Status == ItemWithdrawn || it.Status == ItemRefused
	if a.Code.Final() {
		move := MoveAnswer
		if a.Code.Refusal() {
			move = MoveRefuse
		}
		if it, err = it.Moved(move, now); err != nil {
			return it, a, Event{}, false, err
		}
	}
	// A last word stands until another last word: "in review" after "removed"
	// is written down and makes nothing silent again.
	if it.Status != ItemRefused && (a.Code.Final() || it.Silent()) || a.Code.Refusal() {
		it.Claimed = a.Code
	}
	it.UpdatedAt = now
	b := change(before, it)
	b.Referral, b.Code, b.Countries, b.Late, b.Assessor = r.Ref, a.Code, a.Countries, late, before.Assessor
	b.Others, b.OthersAre = a.Others, a.OthersAre
	e = NewEvent(EventItemAnswered, by, string(it.ID), now, b)
	if a.Note != "" || a.Forwarded != "" {
		e = e.WithSealed(AnswerText{Note: a.Note, Forwarded: a.Forwarded})
	}
	return it, a, e, true, nil
}

// AnswerText is the sealed part of an answer.
type AnswerText struct {
	Note      string `json:"note,omitempty"`
	Forwarded string `json:"forwarded,omitempty"`
}

// Counted is the referral after some of its items got their first final answer.
func (r Referral) Counted(finals int) Referral {
	r.Answered += finals
	switch {
	case r.Answered >= r.Items:
		r.Status = ReferralAnswered
	case r.Answered > 0:
		r.Status = ReferralPartly
	}
	return r
}

// Recheck is one look of ours at an item: what we observed, when and from
// where (G29).
type Recheck struct {
	Item     ItemID
	Referral ReferralID
	State    Observed
	Reason   string
	HTTP     int
	Vantage  string
	Digest   string // SHA-256 of the body in hex, "" where there was none
	By       PersonID
	At       time.Time
}

// Rechecked applies an observation. Unknown and partial change no status: they
// wait for a person.
func (it Item) Rechecked(by Actor, c Recheck, now time.Time) (Item, Recheck, Event, error) {
	if !slices.Contains(ObservedStates, c.State) {
		return it, c, Event{}, Refuse(Invalid, "recheck.state", "state", "an observation is one of %v", ObservedStates)
	}
	if strings.TrimSpace(c.Vantage) == "" {
		return it, c, Event{}, Refuse(Invalid, "recheck.vantage", "vantage", "an observation says from where it was made: write the country and the kind of access")
	}
	if by.Person != House.Person {
		if err := by.needAuthority(RoleOfficer); err != nil {
			return it, c, Event{}, err
		}
	}
	if err := it.Standing(); err != nil {
		return it, c, Event{}, err
	}
	before := it
	var err error
	switch c.State {
	case ObservedDown:
		it, err = it.Moved(MoveSeeDown, now)
		it.SeenDown = true
	case ObservedUp:
		it, err = it.Moved(MoveSeeUp, now)
	default:
		if _, err = it.Status.After(MoveSeeUp); err != nil {
			err = Refuse(Conflict, "item.move", "", "item %s is %s and is not to be re-checked: only what was referred is looked at again", it.Ref, it.Status)
		}
	}
	if err != nil {
		return it, c, Event{}, err
	}
	c.Item, c.By, c.At = it.ID, by.Person, now
	it.Observed, it.UpdatedAt = c.State, now
	b := change(before, it)
	b.Reason, b.Vantage = c.Reason, c.Vantage
	return it, c, NewEvent(EventItemRechecked, by, string(it.ID), now, b), nil
}

// MayRemind reports whether the referral may be followed by a reminder for
// these of its items: only silence is, at most three times, never a refusal or
// a withdrawal.
func (r Referral) MayRemind(it Item) bool {
	return r.Reminders < 3 && it.Silent() && it.ErasedAt.IsZero() &&
		(it.Status == ItemReferred || it.Status == ItemStillUp || it.Status == ItemReturned) && it.Claimed != AnswerRefused
}

// Reminded counts one more reminder.
func (r Referral) Reminded(items int, now time.Time) (Referral, Event) {
	r.Reminders++
	r.RemindedAt = now
	return r, NewEvent(EventReferralReminded, House, string(r.ID), now, ReferralBody{Ref: r.Ref, Provider: r.Provider, Authority: r.Author, Action: r.Action, Items: items})
}

// RemedyKind is how a referral is put right.
type RemedyKind string

// The remedies.
const (
	RemedyWithdrawal RemedyKind = "withdrawal" // we take the referral of this item back
	RemedyCorrection RemedyKind = "correction" // what we said about it was wrong: here is what is right
)

// Remedy reaches every recipient of the item (G16) and is never deleted (G17).
type Remedy struct {
	Ref      string
	Item     ItemID
	Referral ReferralID
	Kind     RemedyKind
	Category RemedyCategory // "" where none was said
	Reason   string         // sealed
	Again    bool           // the item was corrected before
	By       PersonID
	At       time.Time
}

// Remedied takes the item back or corrects what was said of it.
func (it Item) Remedied(by Actor, m Remedy, now time.Time) (Item, Remedy, Event, error) {
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return it, m, Event{}, err
	}
	if by.Authority == "" || by.Authority != it.Author {
		return it, m, Event{}, Refuse(Forbidden, "remedy.author", "", "item %s was judged by another authority: only that one takes it back or corrects it", it.Ref)
	}
	if err := it.Standing(); err != nil {
		return it, m, Event{}, err
	}
	if m.Kind != RemedyWithdrawal && m.Kind != RemedyCorrection {
		return it, m, Event{}, Refuse(Invalid, "remedy.kind", "kind", "a remedy is a withdrawal or a correction: choose one")
	}
	if err := m.Category.check(); err != nil {
		return it, m, Event{}, err
	}
	if len(strings.TrimSpace(m.Reason)) < 10 {
		return it, m, Event{}, Refuse(Invalid, "remedy.reason", "reason", "a %s needs a reason of at least ten characters: the provider reads it", m.Kind)
	}
	if err := Filled("reason", m.Reason); err != nil {
		return it, m, Event{}, err
	}
	if m.Kind == RemedyCorrection && it.Referral == "" {
		return it, m, Event{}, Refuse(Conflict, "remedy.not_sent", "", "item %s was never referred: assess it again instead", it.Ref)
	}
	before, kind := it, EventItemCorrected
	if m.Kind == RemedyWithdrawal {
		kind = EventItemWithdrawn
		var err error
		if it, err = it.Moved(MoveWithdraw, now); err != nil {
			return it, m, Event{}, err
		}
	}
	m.Item, m.Referral, m.By, m.At = it.ID, it.Referral, by.Person, now
	b := change(before, it)
	b.Remedy, b.Again, b.Assessor, b.Category = m.Ref, m.Again, it.Assessor, m.Category
	return it, m, NewEvent(kind, by, string(it.ID), now, b).WithSealed(GroundText{Ground: m.Reason}), nil
}
