package api

import (
	"context"
	"net/url"
)

// NextQuery says which next item is wanted.
type NextQuery struct {
	Stage    string `json:"stage,omitempty" enum:"open,assessed" doc:"open: one to assess; assessed: one to decide on; left out: whichever comes first for me"`
	Unveiled bool   `json:"without_pictures,omitempty" doc:"only of which my authority holds nothing but text: a pause for the eyes without a pause in the work; goes with no stage"`
}

// Claim is an item with what lies on it, without anything sealed.
type Claim struct {
	ID          string           `json:"id"`
	Version     int64            `json:"version"`
	Status      string           `json:"status"`
	Type        string           `json:"type,omitempty"`
	Priority    int              `json:"priority"`
	Why         []PriorityReason `json:"why,omitempty" doc:"why it has its priority, the reason that decides first"`
	Holder      string           `json:"holder,omitempty" doc:"operator number of who has it in hand"`
	Until       string           `json:"until,omitempty" doc:"when the claim runs out unless it is renewed"`
	ParkedUntil string           `json:"parked_until,omitempty"`
	KeptUntil   string           `json:"kept_until,omitempty" doc:"until then it waits for one person alone"`
	HandedBy    string           `json:"handed_by,omitempty"`
	AsksLead    bool             `json:"asks_lead,omitempty" doc:"it waits for a reviewer or coordinator"`
	AskedBy     string           `json:"asked_by,omitempty" doc:"operator number of who asks a lead"`
}

// PriorityReason is one reason for an item's priority.
type PriorityReason struct {
	Code  string `json:"code" doc:"threat_to_life, serious, urgency, lead, incident, finders, age"`
	Value int    `json:"value" doc:"the priority that it alone would give"`
	Count int    `json:"count,omitempty" doc:"of authorities, for finders; of minutes, for age"`
	Text  string `json:"text"`
}

// NextItem is the item that was taken; without one, nothing waits.
type NextItem struct {
	Claim *Claim `json:"claim,omitempty"`
}

// NewParking puts an item aside.
type NewParking struct {
	Until  string `json:"until" maxLength:"40" doc:"RFC 3339; it comes back by itself then"`
	Reason string `json:"reason" maxLength:"4000"`
}

// NewHandover gives an item to a colleague, or to all.
type NewHandover struct {
	To   string `json:"to,omitempty" maxLength:"64" doc:"operator number; left out: to all"`
	Note string `json:"note,omitempty" maxLength:"4000"`
}

// NewLeadQuestion gives an item to a lead.
type NewLeadQuestion struct {
	To     string `json:"to,omitempty" maxLength:"64" doc:"operator number of a reviewer or coordinator; left out: whichever comes first"`
	Reason string `json:"reason" maxLength:"4000"`
}

// Desk is what waits for the one who asks.
type Desk struct {
	ServerTime  string         `json:"server_time"`
	Held        []Claim        `json:"held"`
	Handed      []Claim        `json:"handed"`
	AskLead     []Claim        `json:"ask_lead" doc:"that wait for me, or for any lead"`
	Back        []Claim        `json:"back" doc:"parked, and back"`
	Parked      []Claim        `json:"parked"`
	Decide      []Claim        `json:"decide" doc:"the first that wait for a decision"`
	Assess      []Claim        `json:"assess" doc:"the first that wait for an assessment"`
	Ended       []EndedClaim   `json:"ended" doc:"claims that ended without my doing"`
	Counts      map[string]int `json:"counts" doc:"items on my authority's desk by status, up to 100"`
	SecondLooks int            `json:"second_looks"`
}

// EndedClaim is a claim that ended without its holder's doing.
type EndedClaim struct {
	Item  string `json:"item"`
	Cause string `json:"cause" doc:"ran_out or taken_over"`
	By    string `json:"by,omitempty"`
	At    string `json:"at"`
}

// TakeNext takes the next item in hand; stage is "" for whichever comes first.
func (c *Client) TakeNext(ctx context.Context, call Call, stage string) (NextItem, error) {
	return post[NextItem](ctx, c, "/api/v1/desk/next", call, NextQuery{Stage: stage})
}

// TakeNextUnveiled is TakeNext among items of which the caller's authority holds
// nothing but text.
func (c *Client) TakeNextUnveiled(ctx context.Context, call Call) (NextItem, error) {
	return post[NextItem](ctx, c, "/api/v1/desk/next", call, NextQuery{Unveiled: true})
}

// Desk is what waits for the one who asks.
func (c *Client) Desk(ctx context.Context) (Desk, error) {
	return get[Desk](ctx, c, "/api/v1/desk", nil)
}

// Claim takes an item in hand, or goes on holding it.
func (c *Client) Claim(ctx context.Context, call Call, id string) (Claim, error) {
	return post[Claim](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/claim", call, nil)
}

// GiveBack ends one's own claim.
func (c *Client) GiveBack(ctx context.Context, call Call, id string) error {
	_, err := post[struct{}](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/give-back", call, nil)
	return err
}

// Skip keeps an item from being offered to the one who asks for a while.
func (c *Client) Skip(ctx context.Context, call Call, id string) error {
	_, err := post[struct{}](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/skip", call, nil)
	return err
}

// Park puts an item aside.
func (c *Client) Park(ctx context.Context, call Call, id string, in NewParking) (Claim, error) {
	return post[Claim](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/park", call, in)
}

// HandOver gives an item to a colleague, or to all.
func (c *Client) HandOver(ctx context.Context, call Call, id string, in NewHandover) (Claim, error) {
	return post[Claim](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/hand-over", call, in)
}

// AskLead gives an item to a lead.
func (c *Client) AskLead(ctx context.Context, call Call, id string, in NewLeadQuestion) (Claim, error) {
	return post[Claim](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/ask-lead", call, in)
}

// TakeOver takes an item from a colleague who has it in hand.
func (c *Client) TakeOver(ctx context.Context, call Call, id string, in Reasoned) (Claim, error) {
	return post[Claim](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/take-over", call, in)
}
