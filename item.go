package concert

import (
	"slices"
	"time"
)

// Location is where an item is: a kind and an id. A URL is only one kind.
// Package internal/match makes the canonical form; two spellings of one place
// share (Kind, Canonical), which is the duplicate rule.
type Location struct {
	Kind      string `json:"kind"`
	Canonical string `json:"canonical"`
	Platform  string `json:"platform,omitempty"`
	ObjectID  string `json:"object_id,omitempty"`
	Domain    string `json:"domain,omitempty"` // registrable domain, "" where there is none
	Display   string `json:"display"`          // defanged, for pages and mail
	Submitted string `json:"submitted"`        // as it came in
}

// GuardVerdict is what the protected-expression guard said (G05).
type GuardVerdict string

// The verdicts.
const (
	GuardPass    GuardVerdict = "pass"
	GuardElevate GuardVerdict = "elevate" // needs a second approval with written proportionality
	GuardStop    GuardVerdict = "stop"    // bare domain, search, listing, collection: cannot be referred
)

// Guard is the verdict with the rule that gave it.
type Guard struct {
	Verdict GuardVerdict `json:"verdict"`
	Class   string       `json:"class"`
	Rule    string       `json:"rule"`
	Reason  string       `json:"reason"`
}

// ItemStatus is where an item stands. The table itemMoves says what may happen
// next; docs/states.md draws it.
type ItemStatus string

// The statuses.
const (
	ItemStopped    ItemStatus = "stopped"      // the guard stopped it
	ItemOpen       ItemStatus = "open"         // waits for an assessment
	ItemOutOfScope ItemStatus = "out_of_scope" // its outlet is not on the scope list
	ItemAssessed   ItemStatus = "assessed"     // waits for an approval
	ItemRejected   ItemStatus = "rejected"     // exempt under Art. 1(3), or a reviewer said no
	ItemApproved   ItemStatus = "approved"     // may be referred
	ItemHeld       ItemStatus = "held"         // approved, but another authority asks to keep off
	ItemReferred   ItemStatus = "referred"     // part of a referral, no final answer yet
	ItemAnswered   ItemStatus = "answered"     // the provider claims an effect or an impossibility
	ItemRefused    ItemStatus = "refused"      // the provider finds no violation: that ends it
	ItemStillUp    ItemStatus = "still_up"     // we saw it up after the referral
	ItemClosed     ItemStatus = "closed"       // we saw it down
	ItemReturned   ItemStatus = "returned"     // we saw it down, then up again
	ItemWithdrawn  ItemStatus = "withdrawn"    // we took the referral back
)

// ItemStatuses lists them in the order of the chain.
var ItemStatuses = []ItemStatus{ItemStopped, ItemOpen, ItemOutOfScope, ItemAssessed, ItemRejected, ItemApproved, ItemHeld, ItemReferred, ItemAnswered, ItemRefused, ItemStillUp, ItemClosed, ItemReturned, ItemWithdrawn}

// ItemMove is what happens to an item.
type ItemMove string

// The moves.
const (
	MoveAssess   ItemMove = "assess"
	MoveExempt   ItemMove = "exempt"
	MoveUnscope  ItemMove = "unscope"
	MoveApprove  ItemMove = "approve"
	MoveReject   ItemMove = "reject"
	MoveHold     ItemMove = "hold"
	MoveRelease  ItemMove = "release"
	MoveRefer    ItemMove = "refer"
	MoveAnswer   ItemMove = "answer"
	MoveRefuse   ItemMove = "refuse"
	MoveSeeDown  ItemMove = "see_down"
	MoveSeeUp    ItemMove = "see_up"
	MoveWithdraw ItemMove = "withdraw"
)

// ItemMoves lists them.
var ItemMoves = []ItemMove{MoveAssess, MoveExempt, MoveUnscope, MoveApprove, MoveReject, MoveHold, MoveRelease, MoveRefer, MoveAnswer, MoveRefuse, MoveSeeDown, MoveSeeUp, MoveWithdraw}

// itemMoves is the state table. What it does not name is refused. A refusal
// ends it: no move leads from refused to anything that a provider would hear
// of again, but a withdrawal (G01, desk rule "a refusal ends it").
var itemMoves = map[ItemStatus]map[ItemMove]ItemStatus{
	ItemStopped:    {},
	ItemOpen:       {MoveAssess: ItemAssessed, MoveExempt: ItemRejected, MoveUnscope: ItemOutOfScope},
	ItemOutOfScope: {MoveAssess: ItemAssessed, MoveExempt: ItemRejected, MoveUnscope: ItemOutOfScope},
	ItemAssessed:   {MoveApprove: ItemApproved, MoveReject: ItemRejected, MoveUnscope: ItemOutOfScope},
	ItemRejected:   {},
	ItemApproved:   {MoveRefer: ItemReferred, MoveHold: ItemHeld, MoveUnscope: ItemOutOfScope, MoveWithdraw: ItemWithdrawn},
	ItemHeld:       {MoveRelease: ItemApproved, MoveWithdraw: ItemWithdrawn},
	ItemReferred:   {MoveAnswer: ItemAnswered, MoveRefuse: ItemRefused, MoveSeeDown: ItemClosed, MoveSeeUp: ItemStillUp, MoveWithdraw: ItemWithdrawn},
	ItemAnswered:   {MoveAnswer: ItemAnswered, MoveRefuse: ItemRefused, MoveSeeDown: ItemClosed, MoveSeeUp: ItemStillUp, MoveWithdraw: ItemWithdrawn},
	ItemStillUp:    {MoveAnswer: ItemAnswered, MoveRefuse: ItemRefused, MoveSeeDown: ItemClosed, MoveSeeUp: ItemStillUp, MoveWithdraw: ItemWithdrawn},
	ItemClosed:     {MoveAnswer: ItemClosed, MoveRefuse: ItemRefused, MoveSeeDown: ItemClosed, MoveSeeUp: ItemReturned, MoveWithdraw: ItemWithdrawn},
	ItemReturned:   {MoveAnswer: ItemAnswered, MoveRefuse: ItemRefused, MoveSeeDown: ItemClosed, MoveSeeUp: ItemReturned, MoveWithdraw: ItemWithdrawn},
	ItemRefused:    {MoveAnswer: ItemRefused, MoveRefuse: ItemRefused, MoveSeeDown: ItemRefused, MoveSeeUp: ItemRefused, MoveWithdraw: ItemWithdrawn},
	ItemWithdrawn:  {MoveAnswer: ItemWithdrawn, MoveRefuse: ItemWithdrawn, MoveSeeDown: ItemWithdrawn, MoveSeeUp: ItemWithdrawn},
}

// After is the status after the move; a move that the table does not name is a
// Conflict that says so.
func (s ItemStatus) After(m ItemMove) (ItemStatus, error) {
	if next, ok := itemMoves[s][m]; ok {
		return next, nil
	}
	return s, Refuse(Conflict, "item.move", "", "an item that is %s cannot %s: see docs/states.md", s, m)
}

// Observed is what we saw ourselves; claimed and observed are two facts.
type Observed string

// The observations (G29). Unknown is a value.
const (
	ObservedNot     Observed = ""
	ObservedDown    Observed = "down"
	ObservedUp      Observed = "up"
	ObservedPartial Observed = "partial"
	ObservedUnknown Observed = "unknown"
)

// ObservedStates lists the four.
var ObservedStates = []Observed{ObservedDown, ObservedUp, ObservedPartial, ObservedUnknown}

// Item is one piece of suspected content at one place. Location is sealed at
// rest under the item's own key.
type Item struct {
	ID         ItemID
	Ref        string
	Place      [32]byte // keyed digest of (Kind, Canonical): the duplicate key
	Location   Location
	Type       ItemType
	Provider   ProviderID // "" while nobody is known to host it
	Outlet     OutletID
	Authority  AuthorityID // who found it first
	Author     AuthorityID // whose officer assessed it
	Assessor   PersonID
	Action     ActionID
	Status     ItemStatus
	Priority   int // 0 routine to 9 threat to life
	Language   string
	Guard      Guard
	Assessment AssessmentID
	Needed     int        // approvals the assessment needs
	Given      int        // approvals given
	Claimed    AnswerCode // the provider's last word, "" while silent
	Observed   Observed   // our last look
	SeenDown   bool       // we saw it down at least once
	Referral   ReferralID
	Hash       string    // SHA-256 of the captured bytes, hex; sealed; "" where nothing was captured
	Content    [32]byte  // keyed digest of Hash: equal for copies of one work; zero where there is none
	Handling   Handling  // who may see it further (H0 to H3)
	HeldLegal  time.Time // a legal hold keeps it from erasure since then; zero for none
	ErasedAt   time.Time // nothing of it can be read since then; zero while it can
	Overridden bool      // a reviewed threat to life lets it pass other authorities' holds
	Urgency    int       // as it was handed in, 0 to 9; below 0 where that was not kept
	Escalated  bool      // to a lead, once
	Exercise   bool
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Version    int64
}

// Copied reports whether both items are captures of the very same bytes.
func (it Item) Copied(other Item) bool {
	return it.Content != [32]byte{} && it.Content == other.Content
}

// ItemType is what kind of thing the item is.
type ItemType string

// The types of item.
const (
	TypeVideo      ItemType = "video"
	TypeImage      ItemType = "image"
	TypeText       ItemType = "text"
	TypeAudio      ItemType = "audio"
	TypeDocument   ItemType = "document"
	TypeAccount    ItemType = "account"
	TypeChannel    ItemType = "channel"
	TypeBot        ItemType = "bot"
	TypeApp        ItemType = "app"
	TypeExtension  ItemType = "extension"
	TypeNewsletter ItemType = "newsletter"
	TypeWebsite    ItemType = "website"
)

// ItemTypes lists them.
var ItemTypes = []ItemType{TypeVideo, TypeImage, TypeText, TypeAudio, TypeDocument, TypeAccount, TypeChannel, TypeBot, TypeApp, TypeExtension, TypeNewsletter, TypeWebsite}

// Found is a new item as an officer hands it in, with the guard's verdict.
func Found(by Actor, it Item, now time.Time) (Item, Event, error) {
	if err := by.MaySubmit(); err != nil {
		return it, Event{}, err
	}
	if it.Type != "" && !slices.Contains(ItemTypes, it.Type) {
		return it, Event{}, Refuse(Invalid, "item.type", "type", "%q is no type of item; the types are %v", it.Type, ItemTypes)
	}
	if it.Handling == "" {
		it.Handling = HandlingOpen
	}
	if !slices.Contains(Handlings, it.Handling) {
		return it, Event{}, Refuse(Invalid, "item.handling", "handling", "%q is no handling code; the codes are %v", it.Handling, Handlings)
	}
	if it.Language != "" && (LanguageBase(it.Language) == "" || len(it.Language) > 35) {
		return it, Event{}, Refuse(Invalid, "item.language", "language", "name the language as BCP 47 does, for example ar or pt-BR, or leave it out: got %.40q", it.Language)
	}
	it.Authority, it.CreatedAt, it.UpdatedAt = by.Authority, now, now
	it.Status, it.Needed = ItemOpen, 1
	it.Urgency = it.Priority
	switch it.Guard.Verdict {
	case GuardStop:
		it.Status = ItemStopped
	case GuardElevate:
		it.Needed = 2
	case GuardPass:
	default:
		return it, Event{}, Refuse(Invalid, "item.guard", "", "the guard gave no verdict: try again")
	}
	kind := EventItemSubmitted
	if it.Status == ItemStopped {
		kind = EventItemStopped
	}
	b := change(Item{}, it)
	b.Kind, b.Type, b.Guard, b.Rule = it.Location.Kind, it.Type, it.Guard.Verdict, it.Guard.Rule
	b.Language = it.Language
	return it, NewEvent(kind, by, string(it.ID), now, b).WithSealed(it.Location), nil
}

// Sighting is who else found the item: duplicates join one item with shared
// credit (G08).
type Sighting struct {
	Item       ItemID
	Authority  AuthorityID
	Person     PersonID
	At         time.Time
	Source     string // form, api, csv
	Evaluation string // source and information code, A1 to X4
}

// Joined records one more authority that found the item.
func (it Item) Joined(by Actor, now time.Time) (Sighting, Event, error) {
	if err := by.MaySubmit(); err != nil {
		return Sighting{}, Event{}, err
	}
	if err := it.Standing(); err != nil {
		return Sighting{}, Event{}, err
	}
	e := NewEvent(EventItemJoined, by, string(it.ID), now, ItemBody{Ref: it.Ref, Action: it.Action, Provider: it.Provider, Authority: by.Authority})
	return Sighting{Item: it.ID, Authority: by.Authority, Person: by.Person, At: now}, e, nil
}

// Moved makes the move, or says why not.
func (it Item) Moved(m ItemMove, now time.Time) (Item, error) {
	if err := it.Standing(); err != nil {
		return it, err
	}
	next, err := it.Status.After(m)
	if err != nil {
		return it, Refuse(Conflict, "item.move", "", "item %s is %s and cannot %s: see docs/states.md", it.Ref, it.Status, m)
	}
	it.Status, it.UpdatedAt = next, now
	return it, nil
}

// Held parks an approved item because another authority asks to keep off.
func (it Item) Held(h Hold, now time.Time) (Item, Event, error) {
	before := it
	it, err := it.Moved(MoveHold, now)
	if err != nil {
		return it, Event{}, err
	}
	b := change(before, it)
	b.Hold = h.Ref
	return it, NewEvent(EventItemHeld, House, string(it.ID), now, b), nil
}

// Released lets a held item go its way again; holds that still stand stop it
// anew when it is next to be referred.
func (it Item) Released(by Actor, now time.Time) (Item, Event, error) {
	before := it
	it, err := it.Moved(MoveRelease, now)
	if err != nil {
		return it, Event{}, err
	}
	return it, NewEvent(EventItemReleased, by, string(it.ID), now, change(before, it)), nil
}

// Unscoped parks an item whose outlet is not, or no longer, on the scope list.
func (it Item) Unscoped(by Actor, now time.Time) (Item, Event, error) {
	before := it
	it, err := it.Moved(MoveUnscope, now)
	if err != nil {
		return it, Event{}, err
	}
	return it, NewEvent(EventItemUnscoped, by, string(it.ID), now, change(before, it)), nil
}

// Silent reports whether the provider has given no final word on the item:
// reminders follow silence only.
func (it Item) Silent() bool {
	return it.Claimed == "" || !it.Claimed.Final()
}
