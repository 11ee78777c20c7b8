package api

import (
	"context"
	"encoding/json"
	"net/url"

	"concert"
)

// Received is an order or a referral at a provider's own desk (concert serve -role
// provider): what a host's own system reads there.
type Received struct {
	ID         string         `json:"id"`
	Version    int64          `json:"version"`
	Kind       string         `json:"kind" enum:"order,referral"`
	Status     string         `json:"status" enum:"unproven,open,impeded,answered,ended"`
	Binding    bool           `json:"binding" doc:"an order that was found valid and has not ended; never a referral"`
	Verdict    string         `json:"verdict" enum:"valid,invalid,authority_unknown"`
	Sentence   string         `json:"sentence" doc:"why, in one sentence"`
	Hub        string         `json:"hub"`
	Theirs     string         `json:"theirs" doc:"reference at the hub"`
	Author     string         `json:"author,omitempty"`
	Statement  string         `json:"statement,omitempty"`
	Items      []ReceivedItem `json:"items"`
	Posts      []ReceivedPost `json:"answers"`
	Hour       *Deadline      `json:"hour,omitempty"`
	ReceivedAt string         `json:"received_at"`
	SilentTill string         `json:"non_disclosure_until,omitempty"`
	Exercise   bool           `json:"exercise"`
	Waiting    int            `json:"not_delivered" doc:"answers that the hub has not taken yet"`
}

// ReceivedItem is one place of it.
type ReceivedItem struct {
	Ref        string           `json:"ref"`
	Location   concert.Location `json:"location"`
	Additional string           `json:"additional,omitempty"`
	Code       string           `json:"code,omitempty" doc:"what was done: a measure, or an answer to a referral"`
	At         string           `json:"at,omitempty"`
	Withdrawn  bool             `json:"withdrawn,omitempty"`
}

// ReceivedPost is an answer on its way to the hub.
type ReceivedPost struct {
	Way       string          `json:"way" enum:"feedback,impossible,resumed,replies"`
	State     string          `json:"state" enum:"waiting,delivered,refused"`
	Attempts  int             `json:"attempts"`
	At        string          `json:"at"`
	Delivered string          `json:"delivered_at,omitempty"`
	Problem   string          `json:"problem,omitempty"`
	Receipt   json.RawMessage `json:"receipt,omitempty"`
}

// NewReceivedAnswer answers what was received: with measure it is Annex II, with reasons
// Annex III, with over the word that what hindered is over, with answers that to a
// referral.
type NewReceivedAnswer struct {
	Measure   string      `json:"measure,omitempty" enum:"removed,access_disabled"`
	MeasureAt string      `json:"measure_at,omitempty" doc:"RFC 3339"`
	Items     []string    `json:"items,omitempty" maxItems:"100" doc:"none for all"`
	Reasons   []string    `json:"reasons,omitempty" maxItems:"3"`
	Further   string      `json:"further,omitempty" maxLength:"8000"`
	Needed    string      `json:"needed,omitempty" maxLength:"8000"`
	Over      string      `json:"over,omitempty" maxLength:"8000"`
	Answers   []NewAnswer `json:"answers,omitempty" maxItems:"100"`
	Person    string      `json:"person,omitempty" maxLength:"400"`
	Email     string      `json:"email,omitempty" maxLength:"400"`
	File      string      `json:"addressee_file,omitempty" maxLength:"400"`
}

// ReceivedList is what a provider's own desk has received: orders that bind first, by
// the time that is left.
func (c *Client) ReceivedList(ctx context.Context, status string) (Page[Received], error) {
	v := url.Values{}
	if status != "" {
		v.Set("status", status)
	}
	return get[Page[Received]](ctx, c, "/api/v1/received", v)
}

// Received is one of them, whole.
func (c *Client) Received(ctx context.Context, id string) (Received, error) {
	return get[Received](ctx, c, "/api/v1/received/"+url.PathEscape(id), nil)
}

// AnswerReceived answers one of them; the hub is told until it took it.
func (c *Client) AnswerReceived(ctx context.Context, call Call, id string, in NewReceivedAnswer) (Received, error) {
	return post[Received](ctx, c, "/api/v1/received/"+url.PathEscape(id)+"/answer", call, in)
}
