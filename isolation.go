package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// OtherKind is what a measure on a place would hit beside it.
type OtherKind string

// What may be hit.
const (
	OtherSites     OtherKind = "sites"
	OtherCustomers OtherKind = "customers"
	OtherAccounts  OtherKind = "accounts"
	OtherWorks     OtherKind = "works" // posts, files, pages of others
	OtherUsers     OtherKind = "users"
)

// OtherKinds lists them.
var OtherKinds = []OtherKind{OtherSites, OtherCustomers, OtherAccounts, OtherWorks, OtherUsers}

// A proportionality says why a measure that hits others would still be
// proportionate (Charter Art. 52(1)): long enough to be one.
const (
	ProportionalityLeast = 80
	ProportionalityMost  = 4000
)

// checkIsolation holds cannot_isolate to its count, and every other answer to
// none.
func (a Answer) checkIsolation() error {
	if a.Code != AnswerCannotIsolate {
		if a.Others != 0 || a.OthersAre != "" {
			return Refuse(Invalid, "answer.others", "others", "only %s says how many others a measure would hit", AnswerCannotIsolate)
		}
		return nil
	}
	if a.Others < 1 || a.Others > 1_000_000_000 {
		return Refuse(Invalid, "answer.others", "others", "%s says how many others a measure would hit: a number from 1, estimated where it cannot be counted", AnswerCannotIsolate)
	}
	if !slices.Contains(OtherKinds, a.OthersAre) {
		return Refuse(Invalid, "answer.others_are", "others_are", "%s says what the others are: %v", AnswerCannotIsolate, OtherKinds)
	}
	return nil
}

// Isolation is what follows from cannot_isolate: a measure on the item's place
// would hit others, and nothing wider is asked of the provider until the author
// has written why it would be proportionate and a second person has approved
// that.
type Isolation struct {
	Item       ItemID
	Provider   ProviderID
	Referral   ReferralID
	Area       [32]byte // keyed digest of the registrable domain; zero where there is none
	Others     int
	OthersAre  OtherKind
	At         time.Time
	Text       string // the proportionality; sealed
	WrittenBy  PersonID
	WrittenAt  time.Time
	ApprovedBy PersonID
	ApprovedAt time.Time
	Version    int64
}

// IsolationState is where it stands.
type IsolationState string

// The states of an isolation.
const (
	IsolationBlocked  IsolationState = "blocked"  // nothing wider may be asked
	IsolationWritten  IsolationState = "written"  // the proportionality waits for a second person
	IsolationApproved IsolationState = "approved" // it may be asked, and was
)

// IsolationStates lists them in their order.
var IsolationStates = []IsolationState{IsolationBlocked, IsolationWritten, IsolationApproved}

// State is where the isolation stands.
func (i Isolation) State() IsolationState {
	switch {
	case !i.ApprovedAt.IsZero():
		return IsolationApproved
	case !i.WrittenAt.IsZero():
		return IsolationWritten
	}
	return IsolationBlocked
}

// IsolationBody is the body of events on a proportionality.
type IsolationBody struct {
	Ref       string         `json:"ref"` // of the item
	Authority AuthorityID    `json:"authority"`
	Provider  ProviderID     `json:"provider"`
	State     IsolationState `json:"state"`
	Others    int            `json:"others"`
	OthersAre OtherKind      `json:"others_are"`
}

func (i Isolation) body(it Item) IsolationBody {
	return IsolationBody{Ref: it.Ref, Authority: it.Author, Provider: it.Provider, State: i.State(), Others: i.Others, OthersAre: i.OthersAre}
}

// mayWeigh refuses whoever is not of the authority that judged the item, an item
// of which the provider does not say that it cannot be isolated, and one that was
// taken back.
func (i Isolation) mayWeigh(by Actor, it Item, roles ...Role) error {
	if by.Authority == "" || by.Authority != it.Author {
		return ErrNotFound
	}
	if err := by.Need(roles...); err != nil {
		return err
	}
	if err := it.Standing(); err != nil {
		return err
	}
	if it.Claimed != AnswerCannotIsolate || i.Item == "" || it.Status == ItemWithdrawn {
		return Refuse(Conflict, "isolation.none", "", "of item %s its provider does not say that it cannot be isolated: there is nothing to weigh", it.Ref)
	}
	return nil
}

// Weighed writes, as an officer, why a wider measure would be proportionate; written again, it
// waits for a second person again. Once approved it stands.
func (i Isolation) Weighed(by Actor, it Item, text string, now time.Time) (Isolation, Event, error) {
	if err := i.mayWeigh(by, it, RoleOfficer); err != nil {
		return i, Event{}, err
	}
	if i.State() == IsolationApproved {
		return i, Event{}, Refuse(Conflict, "isolation.approved", "", "the proportionality of item %s is approved and was sent: write in the referral's thread", it.Ref)
	}
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	if n := utf8.RuneCountInString(text); n < ProportionalityLeast || n > ProportionalityMost {
		return i, Event{}, Refuse(Invalid, "isolation.text", "text", "say in %d to %d characters why hitting %d others (%s) would be necessary and proportionate, and what milder way was tried: a second person approves it and the provider reads it", ProportionalityLeast, ProportionalityMost, i.Others, i.OthersAre)
	}
	i.Text, i.WrittenBy, i.WrittenAt = text, by.Person, now
	return i, NewEvent(EventIsolationWritten, by, string(it.ID), now, i.body(it)).WithSealed(GroundText{Ground: text}), nil
}

// Widened approves the proportionality, as a reviewer and second person: with that, and not
// before, the wider measure may be asked for.
func (i Isolation) Widened(by Actor, it Item, now time.Time) (Isolation, Event, error) {
	if err := i.mayWeigh(by, it, RoleReviewer); err != nil {
		return i, Event{}, err
	}
	switch {
	case i.State() != IsolationWritten:
		return i, Event{}, Refuse(Conflict, "isolation.unwritten", "", "no proportionality of item %s waits for an approval: write it first", it.Ref)
	case i.WrittenBy == by.Person:
		return i, Event{}, Refuse(Forbidden, "isolation.same_person", "", "you wrote this proportionality yourself: a second person approves it")
	}
	i.ApprovedBy, i.ApprovedAt = by.Person, now
	return i, NewEvent(EventIsolationApproved, by, string(it.ID), now, i.body(it)), nil
}

// Wide reports whether the item asks for more than one place: the whole of a
// site, or what the guard made two people answer for.
func (it Item) Wide() bool { return it.Type == TypeWebsite || it.Guard.Verdict == GuardElevate }

// ErrWider refuses to approve a wider item beside one that cannot be isolated.
func ErrWider(it Item) error {
	return Refuse(Conflict, "isolation.wider", "", "item %s would take more at a place where its provider says that a measure hits others: first that item's authority writes the proportionality, and a second person approves it", it.Ref)
}
