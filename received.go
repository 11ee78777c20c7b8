package concert

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

type (
	// ReceivedID names a Received.
	ReceivedID string
	// HubID names a Hub.
	HubID string
)

// Hub is a deployment of authorities, as a provider's own desk knows it: where it is
// asked, and whose word on who may order counts.
type Hub struct {
	ID         HubID
	Ref        string
	URL        string // origin, without a trailing slash
	Origin     string // by which its register and its log call it
	Root       string // fingerprint of the register's root, learnt by another way
	Trust      []byte // the register that stands under it, as package order keeps it
	Addressee  string // the provider's own reference there
	WebhookKey string // whpk_… that signs its webhooks, "" where none is pinned
	Keys       []byte // its authorities' keys for referrals, as it published them when it was added
	SealedKey  []byte // the API key there, under the master key
	Cursor     string // of its inbox
	SeenAt     time.Time
	Problem    string // why it could not be asked last, "" where it could
	AddedAt    time.Time
	EndedAt    time.Time
	Version    int64
}

// Check refuses a hub that could not be asked. An address without TLS is taken on this
// machine only.
func (h Hub) Check() error {
	u, err := url.Parse(h.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return Refuse(Invalid, "hub.url", "url", "a hub's address is its origin alone, such as https://hub.example: got %.200q", h.URL)
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return Refuse(Invalid, "hub.tls", "url", "a hub is asked over https, since a key goes with each question: write https://%s", u.Host)
	}
	return nil
}

// Host is the hub's name in addresses, with its port: the webhook that it pushes to ends
// in it.
func (h Hub) Host() string {
	_, host, _ := strings.Cut(h.URL, "://")
	return host
}

// ReceivedKind is what came: an order binds, a referral is voluntary, and neither ever
// becomes the other (G01).
type ReceivedKind string

// The kinds.
const (
	ReceivedOrder    ReceivedKind = "order"
	ReceivedReferral ReceivedKind = "referral"
)

// ReceivedStatus is where something stands that a provider's own desk received. The
// table receivedMoves says what may happen next; docs/providerdesk.md draws it.
type ReceivedStatus string

// The statuses.
const (
	ReceivedUnproven ReceivedStatus = "unproven" // an order that is not valid: it binds nobody here
	ReceivedOpen     ReceivedStatus = "open"     // an order's hour runs, a referral waits
	ReceivedImpeded  ReceivedStatus = "impeded"  // Annex III: the hour stands still
	ReceivedAnswered ReceivedStatus = "answered" // all of it
	ReceivedEnded    ReceivedStatus = "ended"    // its authority took it back, or it lost its effect
)

// ReceivedStatuses lists them.
var ReceivedStatuses = []ReceivedStatus{ReceivedUnproven, ReceivedOpen, ReceivedImpeded, ReceivedAnswered, ReceivedEnded}

// ReceivedMove is what happens to it.
type ReceivedMove string

// The moves.
const (
	ReceivedProve  ReceivedMove = "prove"
	ReceivedImpede ReceivedMove = "impede"
	ReceivedResume ReceivedMove = "resume"
	ReceivedAnswer ReceivedMove = "answer"
	ReceivedEnd    ReceivedMove = "end"
)

// ReceivedMoves lists them.
var ReceivedMoves = []ReceivedMove{ReceivedProve, ReceivedImpede, ReceivedResume, ReceivedAnswer, ReceivedEnd}

// receivedMoves is the state table. What it does not name is refused: no path leads
// from unproven to answered.
var receivedMoves = map[ReceivedStatus]map[ReceivedMove]ReceivedStatus{
	ReceivedUnproven: {ReceivedProve: ReceivedOpen, ReceivedImpede: ReceivedUnproven, ReceivedEnd: ReceivedEnded},
	ReceivedOpen:     {ReceivedImpede: ReceivedImpeded, ReceivedAnswer: ReceivedAnswered, ReceivedEnd: ReceivedEnded},
	ReceivedImpeded:  {ReceivedResume: ReceivedOpen, ReceivedAnswer: ReceivedAnswered, ReceivedEnd: ReceivedEnded},
	ReceivedAnswered: {ReceivedAnswer: ReceivedAnswered, ReceivedEnd: ReceivedEnded},
	ReceivedEnded:    {},
}

// After is the status after the move; a move that the table does not name is a
// Conflict that says so.
func (s ReceivedStatus) After(m ReceivedMove) (ReceivedStatus, error) {
	if next, ok := receivedMoves[s][m]; ok {
		return next, nil
	}
	return s, Refuse(Conflict, "received.move", "", "what is %s cannot be moved by %s: see docs/providerdesk.md", s, m)
}

// Received is an order or a referral as the provider's own desk has it.
type Received struct {
	ID           ReceivedID
	Ref          string
	Hub          HubID
	Kind         ReceivedKind
	Theirs       string // reference at the hub
	TheirVersion int64
	Status       ReceivedStatus
	Verdict      string // "valid", "invalid" or "authority_unknown"; of a referral whether its signatures hold
	Items, Done  int
	ReceivedAt   time.Time
	AnsweredAt   time.Time // all of it
	EndedAt      time.Time
	UpdatedAt    time.Time
	Exercise     bool
	Version      int64
	ReceivedText
}

// ReceivedText is what others wrote, sealed under its key.
type ReceivedText struct {
	Sentence  string `json:"sentence"` // of the verdict
	Code      string `json:"code,omitempty"`
	Author    string `json:"author"` // as it calls itself
	Country   string `json:"country,omitempty"`
	Statement string `json:"statement,omitempty"`
	FileNo    string `json:"file_no,omitempty"`
	IssuedAt  string `json:"issued_at,omitempty"`
	Digest    string `json:"digest,omitempty"`
	Silent    string `json:"silent,omitempty"` // until when the content provider is not told
	Note      string `json:"note,omitempty"`   // why it ended, or the newest clarification
}

// ReceivedItem is one place in it.
type ReceivedItem struct {
	Received ReceivedID
	Pos      int
	Ref      string // of the item, at the hub
	Code     string // an OrderMeasure or an AnswerCode; "" while nothing was done
	At       time.Time
	Place    ReceivedPlace // sealed
}

// ReceivedPlace is what an item says.
type ReceivedPlace struct {
	Location   Location      `json:"location"`
	Additional string        `json:"additional,omitempty"`
	Type       ItemType      `json:"type,omitempty"`
	Reasons    []ContentType `json:"reasons,omitempty"`
	Language   string        `json:"language,omitempty"`
	Facts      string        `json:"facts,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	Withdrawn  bool          `json:"withdrawn,omitempty"`
}

// ReceivedBody is the body of events on what a provider's own desk received, and on
// what it keeps and is complained of because of it.
type ReceivedBody struct {
	Ref      string           `json:"ref"`
	Hub      HubID            `json:"hub,omitempty"`
	Kind     ReceivedKind     `json:"kind,omitempty"`
	Theirs   string           `json:"theirs,omitempty"`
	From     ReceivedStatus   `json:"from,omitempty"`
	To       ReceivedStatus   `json:"to,omitempty"`
	Verdict  string           `json:"verdict,omitempty"`
	Fault    string           `json:"fault,omitempty"` // code of what is wrong with it
	Items    int              `json:"items,omitempty"`
	Answer   ReceivedWay      `json:"answer,omitempty"`
	Measure  OrderMeasure     `json:"measure,omitempty"`
	Why      ImpossibleReason `json:"why,omitempty"`
	Outcome  string           `json:"outcome,omitempty"`
	Term     TermKey          `json:"term,omitempty"`
	DueAt    int64            `json:"due_at,omitempty"` // microseconds UTC
	Left     int              `json:"left,omitempty"`   // minutes, of an alarm
	Exercise bool             `json:"exercise,omitempty"`
}

// MayReceive refuses whoever is not of a provider's desk.
func (a Actor) MayReceive() error {
	if a.Provider == "" {
		return ErrNotFound
	}
	return a.Need(RoleProviderReader, RoleProviderAnswerer)
}

// MayReply refuses whoever does not answer at a provider's desk.
func (a Actor) MayReply() error {
	if a.Provider == "" {
		return ErrNotFound
	}
	return a.Need(RoleProviderAnswerer)
}

// Event is an event on the hub.
func (h Hub) Event(kind EventKind, by Actor, now time.Time) Event {
	return NewEvent(kind, by, string(h.ID), now, ReceivedBody{Ref: h.Ref, Hub: h.ID})
}

func (r Received) event(kind EventKind, by Actor, from ReceivedStatus, now time.Time) (Event, ReceivedBody) {
	b := ReceivedBody{Ref: r.Ref, Hub: r.Hub, Kind: r.Kind, From: from, To: r.Status, Exercise: r.Exercise}
	return NewEvent(kind, by, string(r.ID), now, b), b
}

func (r Received) moved(m ReceivedMove, now time.Time) (Received, error) {
	next, err := r.Status.After(m)
	if err != nil {
		return r, Refuse(Conflict, "received.move", "", "%s is %s and cannot be moved by %s: see docs/providerdesk.md", r.Ref, r.Status, m)
	}
	r.Status, r.UpdatedAt = next, now
	return r, nil
}

// Taken is what came in, at the moment at which it was fetched. Only an order that was
// found valid starts as one that binds.
func (r Received) Taken(now time.Time) (Received, Event) {
	r.Status = ReceivedOpen
	if r.Kind == ReceivedOrder && r.Verdict != "valid" {
		r.Status = ReceivedUnproven
	}
	r.ReceivedAt, r.UpdatedAt = now, now
	e, b := r.event(EventReceivedTaken, House, "", now)
	b.Theirs, b.Verdict, b.Fault, b.Items = r.Theirs, r.Verdict, r.Code, r.Items
	e.Body = b
	return r, e
}

// Proven says that an order that was not valid before is now: its authority stands in a
// newer edition of the register. The hour runs from then.
func (r Received) Proven(text ReceivedText, now time.Time) (Received, Event, error) {
	from := r.Status
	r, err := r.moved(ReceivedProve, now)
	if err != nil {
		return r, Event{}, err
	}
	r.Verdict, r.ReceivedText, r.ReceivedAt = "valid", text, now
	e, b := r.event(EventReceivedProven, House, from, now)
	b.Verdict = r.Verdict
	e.Body = b
	return r, e, nil
}

// Binds reports whether it is an order that binds the provider now.
func (r Received) Binds() bool {
	return r.Kind == ReceivedOrder && (r.Status == ReceivedOpen || r.Status == ReceivedImpeded)
}

// Over says that its authority took it back or that it lost its effect: what was removed
// for it alone is reinstated.
func (r Received) Over(why string, now time.Time) (Received, Event, error) {
	from := r.Status
	r, err := r.moved(ReceivedEnd, now)
	if err != nil {
		return r, Event{}, err
	}
	r.EndedAt, r.Note = now, why
	e, _ := r.event(EventReceivedEnded, House, from, now)
	return r, e.WithSealed(GroundText{Ground: why}), nil
}

// Alarmed says that a term of it is nearly over, or over.
func (r Received) Alarmed(d Deadline, left time.Duration, now time.Time) Event {
	return r.termed(EventReceivedAlarmed, d, left, now)
}

// Missed says that a term is over without what it asks.
func (r Received) Missed(d Deadline, now time.Time) Event {
	return r.termed(EventReceivedMissed, d, 0, now)
}

func (r Received) termed(kind EventKind, d Deadline, left time.Duration, now time.Time) Event {
	e, b := r.event(kind, House, r.Status, now)
	b.Term, b.DueAt, b.Left = d.Term, Micros(d.DueAt), int(left/time.Minute)
	e.Body = b
	return e
}

// named are the items of it that an answer speaks of, all for none.
func (r Received) named(want []string, items []ReceivedItem) ([]ReceivedItem, error) {
	if len(want) == 0 {
		return items, nil
	}
	var out []ReceivedItem
	for _, ref := range want {
		i := slices.IndexFunc(items, func(it ReceivedItem) bool { return it.Ref == ref })
		if i < 0 {
			return nil, Refuse(Invalid, "received.item", "items", "item %.40q is not part of %s: take the reference from its page", ref, r.Ref)
		}
		out = append(out, items[i])
	}
	return out, nil
}

// Amended says that something of it was withdrawn by its authority, and not the whole.
func (r Received) Amended(items int, now time.Time) Event {
	e, b := r.event(EventReceivedEnded, House, r.Status, now)
	b.Items = items
	e.Body = b
	return e
}
