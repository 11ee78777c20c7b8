package concert

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Page asks for one page of a list: in which order, at which row it begins, and
// how many rows at most.
type Page struct {
	Order string   // one of the list's; "" for its first
	Keys  []string // of the row that the page follows, in the order's terms; none for the first page
	Back  bool     // the page lies before that row; its rows come nearest first
	Limit int
	Far   int // how often a search that stopped goes on by itself: for files, which wait
}

// Listed is one page. Where a search stopped before its end, since it had looked
// through Looked rows, Rest are the keys at which it goes on.
type Listed[R any] struct {
	Rows   []R
	Looked int
	Rest   []string
}

// ItemSearch asks a list of items. Empty fields ask nothing.
type ItemSearch struct {
	Desk     AuthorityID // whose desk they lie on: the author's once assessed, the first finder's before
	Found    bool        // instead of those on the desk, what it found first and another authority judged
	Status   ItemStatus
	Provider ProviderID
	Outlet   OutletID
	Action   ActionID
	Finder   AuthorityID // who found it first
	Type     ItemType
	Language string
	Priority int        // at least; 0 for any
	Claimed  AnswerCode // the provider's last word; ClaimedNothing for none yet
	Observed Observed   // our last look; ObservedNever for none yet
	From     time.Time  // found at this time or later
	Until    time.Time  // found before this time

	Languages []string  // base codes: in one of them, or in none that is named; nil asks nothing
	Severity  Severity  // of its assessment
	Rested    time.Time // nothing happened to it since before this time
	Decider   PersonID  // assessments on which this person may decide: neither made nor decided on by them
	Involved  bool      // instead of those, the ones that Decider made or decided on
}

// What the filters of claimed and observed say where there is nothing.
const (
	ClaimedNothing AnswerCode = "nothing"
	ObservedNever  Observed   = "never"
)

// Orders of lists.
const (
	OrderUrgent = "urgent" // by priority, then the oldest first
	OrderNewest = "newest"
	OrderOldest = "oldest"
)

// SavedFilter is a list as somebody wants to see it again: a page's filters and
// order under a name of its owner's. It holds no place and no text of others.
type SavedFilter struct {
	ID        string
	Owner     PersonID
	Authority AuthorityID // of the owner, when it was saved
	List      string      // the page's name
	Name      string
	Query     string // the filters, as an address has them
	Shared    bool   // with the owner's authority
	CreatedAt time.Time
}

// SavedFilters is the most that one person keeps for one list.
const SavedFilters = 20

// Saved checks a filter that somebody keeps.
func (f SavedFilter) Saved(by Actor, now time.Time) (SavedFilter, error) {
	f.Name = strings.Join(strings.Fields(strings.ToValidUTF8(f.Name, "")), " ")
	switch {
	case by.Person == "":
		return f, Refuse(Forbidden, "scope.nobody", "", "nobody asked: log in first")
	case f.Name == "" || utf8.RuneCountInString(f.Name) > 60 || strings.ContainsFunc(f.Name, unicode.IsControl):
		return f, Refuse(Invalid, "filter.name", "name", "a saved filter has a name of 1 to 60 characters")
	case len(f.Query) > 2000:
		return f, Refuse(TooLarge, "filter.query", "query", "these filters are too long to be saved: narrow them")
	case f.Shared && by.Authority == "":
		return f, Refuse(Invalid, "filter.shared", "shared", "only people of an authority share a filter: it is shared with the authority")
	}
	if _, err := url.ParseQuery(f.Query); err != nil {
		return f, Refuse(Invalid, "filter.query", "query", "these filters cannot be read: open the list again and save them there")
	}
	f.Owner, f.Authority, f.CreatedAt = by.Person, by.Authority, now
	return f, nil
}

// MayUse reports whether the filter is the actor's own, or shared with it.
func (f SavedFilter) MayUse(by Actor) bool {
	return f.Owner == by.Person || f.Shared && by.Authority != "" && f.Authority == by.Authority
}

// RemedyCategory says in one word why an item was taken back or corrected, for
// the public error register (G17).
type RemedyCategory string

// The categories.
const (
	RemedyNotTerrorist RemedyCategory = "not_terrorist" // it is no terrorist content (Art. 2(7))
	RemedyProtected    RemedyCategory = "protected"     // education, journalism, art, research, counter-speech (Art. 1(3))
	RemedyWrongPlace   RemedyCategory = "wrong_place"   // another place was meant, or the content had changed
	RemedyWrongFacts   RemedyCategory = "wrong_facts"   // what was said of it was wrong, the judgement stands
	RemedyOutOfScope   RemedyCategory = "out_of_scope"  // its outlet is not designated, or no longer
	RemedyProcedure    RemedyCategory = "procedure"     // it should not have gone out yet, or not to this provider
	RemedyInvestigated RemedyCategory = "investigated"  // another authority asked to keep off; no error of judgement
	RemedyOther        RemedyCategory = "other"
)

// RemedyCategories lists them.
var RemedyCategories = []RemedyCategory{RemedyNotTerrorist, RemedyProtected, RemedyWrongPlace, RemedyWrongFacts, RemedyOutOfScope, RemedyProcedure, RemedyInvestigated, RemedyOther}

func (c RemedyCategory) check() error {
	if c != "" && !slices.Contains(RemedyCategories, c) {
		return Refuse(Invalid, "remedy.category", "category", "%q is no category of a remedy; the categories are %v", c, RemedyCategories)
	}
	return nil
}

// EventIDOffset is how many places after base, the first of its act, the event
// with this id stands (EventIDAt); false where it is none of that act.
func EventIDOffset(base, id EventID) (int64, bool) {
	if len(base) != 36 || len(id) != 36 || base[:18] != id[:18] {
		return 0, false
	}
	tail := func(e EventID) (uint64, error) { return strconv.ParseUint(string(e[19:23]+e[24:]), 16, 64) }
	b, err := tail(base)
	i, wrong := tail(id)
	if err != nil || wrong != nil || i < b || i-b > 1<<32 {
		return 0, false
	}
	return int64(i - b), true
}

// ReferralSearch asks a list of referrals. Empty fields ask nothing.
type ReferralSearch struct {
	Author   AuthorityID
	Provider ProviderID
	Action   ActionID
	Status   ReferralStatus
	From     time.Time // sent at this time or later
	Until    time.Time // sent before this time
}

// HoldState is how a hold stands, for lists.
type HoldState string

// The states of a hold.
const (
	HoldStanding HoldState = "standing"
	HoldExpired  HoldState = "expired"
	HoldReleased HoldState = "released"
)

// HoldStates lists them.
var HoldStates = []HoldState{HoldStanding, HoldExpired, HoldReleased}

// State is how the hold stands now.
func (h Hold) State(now time.Time) HoldState {
	switch {
	case !h.ReleasedAt.IsZero():
		return HoldReleased
	case now.Before(h.ExpiresAt):
		return HoldStanding
	}
	return HoldExpired
}

// RemedySearch asks a list of withdrawals and corrections. Empty fields ask
// nothing.
type RemedySearch struct {
	Author   AuthorityID // whose item it was
	Sent     bool        // only of items that had gone out: what others were told wrongly
	Kind     RemedyKind
	Category RemedyCategory
	From     time.Time
	Until    time.Time
}

// RemedyCount is how many remedies there were of a kind, for a reason.
type RemedyCount struct {
	Kind     RemedyKind
	Category RemedyCategory
	N        int
}

// PersonState is whether a person's account works, for lists.
type PersonState string

// The states of an account.
const (
	PersonInForce  PersonState = "in_force"
	PersonWaiting  PersonState = "waiting" // for a second administrator
	PersonDisabled PersonState = "disabled"
)

// PersonStates lists them.
var PersonStates = []PersonState{PersonInForce, PersonWaiting, PersonDisabled}

// State is whether the person's account works.
func (p Person) State() PersonState {
	switch {
	case !p.DisabledAt.IsZero():
		return PersonDisabled
	case p.Waits:
		return PersonWaiting
	}
	return PersonInForce
}

// AlarmSearch asks a list of alarms. Empty fields ask nothing.
type AlarmSearch struct {
	Kind      AlarmKind
	Authority AuthorityID
	Lasting   bool
}

// EventSearch asks the event log. Empty fields ask nothing.
type EventSearch struct {
	Kind    EventKind
	Subject string // id of what it happened to
	Actor   PersonID
	From    time.Time
	Until   time.Time
}

// CaseState is where a case stands, for lists.
type CaseState string

// The states of a case.
const (
	CaseOpen        CaseState = "open"
	CaseMandateOver CaseState = "mandate_over" // open, but nothing can be added
	CaseClosed      CaseState = "closed"
)

// CaseStates lists them.
var CaseStates = []CaseState{CaseOpen, CaseMandateOver, CaseClosed}

// State is where the case stands now.
func (c Case) State(now time.Time) CaseState {
	switch {
	case !c.ClosedAt.IsZero():
		return CaseClosed
	case !now.Before(c.Mandate.Until):
		return CaseMandateOver
	}
	return CaseOpen
}

// ReviewState is how near a case's review is, for lists.
type ReviewState string

// The states of a review.
const (
	ReviewOverdue ReviewState = "overdue"
	ReviewSoon    ReviewState = "soon" // due within CaseGrace, or overdue
)

// ReviewStates lists them.
var ReviewStates = []ReviewState{ReviewOverdue, ReviewSoon}

// CaseSearch asks a list of cases. Empty fields ask nothing.
type CaseSearch struct {
	Member    PersonID // who reads it
	Authority AuthorityID
	Lead      PersonID
	State     CaseState
	Review    ReviewState
	Handling  Handling
}

// WatchState is whether a place is watched, for lists.
type WatchState string

// The states of a watched place.
const (
	WatchStanding WatchState = "watched"
	WatchOver     WatchState = "ended"
)

// WatchStates lists them.
var WatchStates = []WatchState{WatchStanding, WatchOver}

// WatchTurn is whose turn it is at a watched place, for lists.
type WatchTurn string

// The turns.
const (
	TurnDue   WatchTurn = "due"   // to be gone through now
	TurnNever WatchTurn = "never" // nobody has gone through it yet
	TurnUnder WatchTurn = "under" // somebody is going through it
	TurnLater WatchTurn = "later" // gone through, and not due yet
)

// WatchTurns lists them.
var WatchTurns = []WatchTurn{TurnDue, TurnNever, TurnUnder, TurnLater}

// WatchSearch asks a watchlist. Empty fields ask nothing.
type WatchSearch struct {
	Authority AuthorityID
	Member    PersonID // private persons' accounts of this person's cases only
	State     WatchState
	Turn      WatchTurn
	Outlet    OutletID
	Owner     WatchOwner
	Sweeper   PersonID // who has gone through it at least once
}

// OrderDue is by when it is due, what is due longest first.
const OrderDue = "due"

// LookState is where a second look stands, for lists.
type LookState string

// The states of a second look.
const (
	LookWaiting   LookState = "waiting"
	LookAgreed    LookState = LookState(LookAgree)
	LookDisagreed LookState = LookState(LookDisagree)
)

// LookStates lists them.
var LookStates = []LookState{LookWaiting, LookDisagreed, LookAgreed}

// LookSearch asks a list of second looks. Empty fields ask nothing.
type LookSearch struct {
	State    LookState
	Provider ProviderID
	Looker   PersonID  // who looked
	Before   time.Time // drawn before this time
}
