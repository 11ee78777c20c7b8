package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// NewThreat is a provider's report of content that involves an imminent threat to life
// (Regulation (EU) 2021/784 Art. 14(5)).
type NewThreat struct {
	Kind        string   `json:"kind" enum:"attack_under_way,attack_announced,person_threatened,other"`
	Places      []string `json:"places" minItems:"1" maxItems:"20" doc:"where it is or was seen, such as its address; one line each"`
	Description string   `json:"description" maxLength:"32000" doc:"what is seen, and whose life is in danger: 10 to 8000 characters"`
	States      []string `json:"states,omitempty" maxItems:"30" doc:"Member States concerned, ISO 3166-1 alpha-2; the authority of each gets it at the same moment"`
	Unknown     string   `json:"unknown,omitempty" maxLength:"32000" doc:"why no state can be told; it then goes to the contact point of the provider's state and to the coordinators"`
	SeenAt      string   `json:"seen_at" doc:"RFC 3339"`
	Content     string   `json:"content" enum:"up,disabled,removed" doc:"whether it is still there"`
	Preserved   bool     `json:"preserved,omitempty" doc:"content and related data are kept for the authorities"`
	Contact     string   `json:"contact" maxLength:"1600" doc:"who can be asked now"`
	Telephone   string   `json:"telephone,omitempty" maxLength:"1600" doc:"this or email"`
	Email       string   `json:"email,omitempty" maxLength:"254"`
}

// ThreatCopy is a report at one authority, or at the coordinators.
type ThreatCopy struct {
	Authority  string `json:"authority,omitempty" doc:"reference; missing for the coordinators"`
	Name       string `json:"name,omitempty"`
	State      string `json:"state,omitempty"`
	Why        string `json:"why" enum:"state_concerned,contact_point,coordinators,passed,untaken"`
	Status     string `json:"status" enum:"received,taken,passed,closed"`
	ReceivedAt string `json:"received_at"`
	TakenAt    string `json:"taken_at,omitempty"`
	ClosedAt   string `json:"closed_at,omitempty"`
	Operator   string `json:"operator,omitempty" doc:"who took it; for people of authorities"`
	Outcome    string `json:"outcome,omitempty" enum:"acted,known,no_threat,unclear"`
	Word       string `json:"word,omitempty" doc:"to the provider"`
	Reason     string `json:"reason,omitempty" doc:"why it was passed to the caller's authority"`
}

// ThreatReceipt proves that the deployment has a report.
type ThreatReceipt struct {
	ReceivedAt string `json:"received_at"`
	Event      string `json:"event"`
	Commit     string `json:"commit" doc:"the event's entry in the transparency log, hex; GET /threats/{id}/proof proves that it stands there"`
	Index      *int64 `json:"index,omitempty" doc:"its place in the log, once it has one"`
}

// ThreatSummary is a report in a list: nothing that somebody wrote.
type ThreatSummary struct {
	ID         string       `json:"id"`
	Provider   string       `json:"provider"`
	Kind       string       `json:"kind"`
	States     []string     `json:"states"`
	Content    string       `json:"content"`
	Status     string       `json:"status" enum:"received,taken,closed" doc:"of the report as a whole"`
	SeenAt     string       `json:"seen_at"`
	ReceivedAt string       `json:"received_at"`
	To         []ThreatCopy `json:"to"`
	Exercise   bool         `json:"exercise,omitempty"`
}

// Threat is one report, with its receipt.
type Threat struct {
	ThreatSummary
	Version     int64         `json:"version,omitempty" doc:"of the caller's authority's copy, for If-Match"`
	Places      []string      `json:"places"`
	Description string        `json:"description"`
	Unknown     string        `json:"unknown,omitempty"`
	Preserved   bool          `json:"preserved,omitempty"`
	Contact     string        `json:"contact"`
	Telephone   string        `json:"telephone,omitempty"`
	Email       string        `json:"email,omitempty"`
	Items       []string      `json:"items,omitempty" doc:"items of the caller's authority at these places"`
	ErasedAt    string        `json:"erased_at,omitempty"`
	Receipt     ThreatReceipt `json:"receipt"`
}

// ThreatState is where a report stands after an act: what somebody wrote is read with a
// justification (GET /threats/{id}).
type ThreatState struct {
	ThreatSummary
	Version int64 `json:"version" doc:"of the caller's authority's copy; 0 where it has none any more"`
}

// PassThreat hands a report on that is not the caller's authority's.
type PassThreat struct {
	To     string `json:"to" maxLength:"80" doc:"a state, the reference of an authority, or coordinators"`
	Reason string `json:"reason" maxLength:"32000" doc:"why: 10 to 8000 characters, which whoever gets it reads"`
}

// CloseThreat ends a report at the caller's authority.
type CloseThreat struct {
	Outcome string `json:"outcome" enum:"acted,known,no_threat,unclear"`
	Word    string `json:"word" maxLength:"32000" doc:"to the provider: 10 to 8000 characters"`
}

// ReportThreat reports a threat to life (provider); the answer is the receipt.
func (c *Client) ReportThreat(ctx context.Context, call Call, in NewThreat) (Threat, error) {
	return post[Threat](ctx, c, "/api/v1/threats", call, in)
}

// Threats is a page of the reports that concern the caller, the newest first, before one.
func (c *Client) Threats(ctx context.Context, before string) (Page[ThreatSummary], error) {
	q := url.Values{}
	if before != "" {
		q.Set("before", before)
	}
	return get[Page[ThreatSummary]](ctx, c, "/api/v1/threats", q)
}

// Threat is one report.
func (c *Client) Threat(ctx context.Context, id string) (Threat, error) {
	return get[Threat](ctx, c, "/api/v1/threats/"+url.PathEscape(id), nil)
}

// ThreatProof proves that a report's receipt stands in the log (docs/formats/event.md).
func (c *Client) ThreatProof(ctx context.Context, id string) (json.RawMessage, error) {
	var raw json.RawMessage
	err := c.Do(ctx, http.MethodGet, "/api/v1/threats/"+url.PathEscape(id)+"/proof", Call{}, nil, &raw)
	return raw, err
}

// TakeThreat says that the caller has the report in hand.
func (c *Client) TakeThreat(ctx context.Context, call Call, id string) (ThreatState, error) {
	return post[ThreatState](ctx, c, "/api/v1/threats/"+url.PathEscape(id)+"/take", call, struct{}{})
}

// PassThreat hands the report on.
func (c *Client) PassThreat(ctx context.Context, call Call, id string, in PassThreat) (ThreatState, error) {
	return post[ThreatState](ctx, c, "/api/v1/threats/"+url.PathEscape(id)+"/pass", call, in)
}

// CloseThreat ends the report at the caller's authority.
func (c *Client) CloseThreat(ctx context.Context, call Call, id string, in CloseThreat) (ThreatState, error) {
	return post[ThreatState](ctx, c, "/api/v1/threats/"+url.PathEscape(id)+"/close", call, in)
}
