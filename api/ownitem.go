package api

import (
	"context"
	"net/url"

	"concert"
)

// OwnItem is an item as its provider lists it: what a list, the CSV and the JSON
// lines show alike. Places are defanged unless live ones were asked for.
type OwnItem struct {
	Item        string `json:"item"`
	Version     int64  `json:"version" doc:"goes back in a bulk answer"`
	Referral    string `json:"referral"`
	SentAt      string `json:"sent_at"`
	Author      string `json:"author"`
	Article16   bool   `json:"article16" doc:"its referral is meant as a notice under DSA Art. 16"`
	Display     string `json:"location_defanged"`
	Location    string `json:"location,omitempty" doc:"as it was found; where live=true"`
	Kind        string `json:"kind"`
	Platform    string `json:"platform,omitempty"`
	ObjectID    string `json:"object_id,omitempty"`
	Type        string `json:"type,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Outlet      string `json:"outlet,omitempty"`
	Language    string `json:"language,omitempty"`
	Severity    string `json:"severity,omitempty"`
	Status      string `json:"status"`
	Claimed     string `json:"claimed,omitempty"`
	AnsweredAt  string `json:"answered_at,omitempty"`
	Observed    string `json:"observed,omitempty"`
	SeenAt      string `json:"seen_at,omitempty"`
	Withdrawn   bool   `json:"withdrawn"`
	Exercise    bool   `json:"exercise"`
}

// OwnReferral is a referral as its provider lists it.
type OwnReferral struct {
	ID        string `json:"id"`
	Version   int64  `json:"version"`
	Status    string `json:"status"`
	Author    string `json:"author"`
	Items     int    `json:"items"`
	Answered  int    `json:"answered"`
	CreatedAt string `json:"created_at"`
	AckedAt   string `json:"acknowledged_at,omitempty"`
	Article16 bool   `json:"article16"`
	Messages  int    `json:"messages" doc:"in its question thread"`
	Waits     string `json:"waits,omitempty" enum:"provider,authority" doc:"who is to write back"`
	Exercise  bool   `json:"exercise"`
}

// NewBulkAnswer answers one item of any of the provider's referrals.
type NewBulkAnswer struct {
	NewAnswer
	Version int64 `json:"version,omitempty" minimum:"0" doc:"of the item as it was read; refused where it moved on since; 0 takes any"`
}

// NewBulkAnswers answers items across referrals, each by itself.
type NewBulkAnswers struct {
	Answers     []NewBulkAnswer `json:"answers" minItems:"1" maxItems:"100"`
	Correlation string          `json:"correlation_id,omitempty" maxLength:"200" doc:"your own id, echoed"`
}

// BulkResults is what came of them, one by one.
type BulkResults struct {
	Results     []Result `json:"results"`
	Correlation string   `json:"correlation_id,omitempty"`
}

// Figures are a provider's own figures (docs/counting.md).
type Figures struct {
	Provider  string            `json:"provider"`
	Items     int64             `json:"items" doc:"referred and not taken back"`
	ByCode    map[string]int64  `json:"by_code" doc:"items by the last word; \"\" is silence"`
	First     concert.Spread    `json:"first_answer" doc:"from the referral to the first word of any kind"`
	Final     concert.Spread    `json:"final_answer" doc:"from the referral to the first final word"`
	Agreement concert.Agreement `json:"agreement"`
	AsOf      string            `json:"as_of"`
}

// ActionSide is a joint action as one of its providers sees it.
type ActionSide struct {
	ID        string           `json:"id"`
	Name      string           `json:"name"`
	Phase     string           `json:"phase"`
	StartsAt  string           `json:"starts_at"`
	EndsAt    string           `json:"ends_at"`
	Counts    map[string]int64 `json:"counts"`
	PerHour   int              `json:"per_hour" doc:"items an hour that were agreed; 0 for no bound"`
	Free      int              `json:"free" doc:"that are still taken this hour; -1 for no bound"`
	Open      bool             `json:"open" doc:"referrals are taken now, by your own hours"`
	NextBatch string           `json:"next_batch,omitempty" doc:"when dispatch to you is next looked at"`
	Threads   int              `json:"threads" doc:"that wait for you to write back"`
	Note      string           `json:"note,omitempty" doc:"id of your note on patterns of abuse, once released"`
	AsOf      string           `json:"as_of"`
	Exercise  bool             `json:"exercise"`
}

// OwnItems is a page of the caller's provider's items in a view: waiting, urgent,
// answered, still_up, withdrawn, all.
func (c *Client) OwnItems(ctx context.Context, view, cursor string) (Page[OwnItem], error) {
	return get[Page[OwnItem]](ctx, c, "/api/v1/provider/items", url.Values{"view": {view}, "cursor": {cursor}})
}

// AnswerItems answers items across referrals.
func (c *Client) AnswerItems(ctx context.Context, call Call, in NewBulkAnswers) (BulkResults, error) {
	return post[BulkResults](ctx, c, "/api/v1/provider/answers", call, in)
}

// Figures are the caller's provider's own.
func (c *Client) Figures(ctx context.Context) (Figures, error) {
	return get[Figures](ctx, c, "/api/v1/provider/figures", nil)
}
