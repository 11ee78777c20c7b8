package api

import (
	"context"
	"net/url"

	"concert"
)

// NewQuestion is a message in a referral's thread; it always goes to the other
// side.
type NewQuestion struct {
	Text string `json:"text" minLength:"3" maxLength:"16000" doc:"at most 4000 characters; the other side reads it"`
	Item string `json:"item,omitempty" maxLength:"80" doc:"the one item it is about"`
}

// Question is one message.
type Question struct {
	ID       string `json:"id"`
	Outward  bool   `json:"outward" doc:"always true: both sides read it"`
	Side     string `json:"side" enum:"provider,authority"`
	Kind     string `json:"kind" enum:"message,wider_request,mail"`
	Party    string `json:"party" doc:"name of the provider or of the authority that wrote"`
	Operator string `json:"operator"`
	Item     string `json:"item,omitempty"`
	Text     string `json:"text,omitempty"`
	Erased   bool   `json:"erased,omitempty"`
	At       string `json:"at"`
	Readers  int    `json:"readers" doc:"people of the other side who have read it"`
}

// Thread is the talk about one referral.
type Thread struct {
	Referral string     `json:"referral"`
	Messages []Question `json:"messages"`
}

// WrittenQuestion is what became of a message.
type WrittenQuestion struct {
	Question string `json:"question"`
	At       string `json:"at"`
}

// ListedThread is a thread in a list.
type ListedThread struct {
	Referral string `json:"referral"`
	Provider string `json:"provider"`
	Author   string `json:"author"`
	Waits    string `json:"waits" enum:"provider,authority"`
	Messages int    `json:"messages"`
	LastAt   string `json:"last_at"`
}

// NewProportionality is why a measure that hits others would be proportionate.
type NewProportionality struct {
	Text string `json:"text" maxLength:"16000" doc:"80 to 4000 characters; a second person approves it and the provider reads it"`
}

// Isolation is what a provider says it cannot isolate, and what followed.
type Isolation struct {
	Item       string `json:"item"`
	State      string `json:"state" enum:"blocked,written,approved"`
	Others     int    `json:"others"`
	OthersAre  string `json:"others_are" enum:"sites,customers,accounts,works,users"`
	At         string `json:"at"`
	WrittenAt  string `json:"written_at,omitempty"`
	ApprovedAt string `json:"approved_at,omitempty"`
}

// Article16 is how an authority means the referrals that it authors.
type Article16 struct {
	Authority string `json:"authority"`
	Article16 bool   `json:"article16" doc:"as notices under DSA Art. 16"`
	SetAt     string `json:"set_at,omitempty"`
}

// NewArticle16 changes it.
type NewArticle16 struct {
	Article16 bool `json:"article16"`
}

// PatternNote is a note on the patterns of abuse that an action found at one
// provider.
type PatternNote struct {
	ID         string           `json:"id"`
	Action     string           `json:"action"`
	Provider   string           `json:"provider"`
	State      string           `json:"state" enum:"drafted,reviewed,released"`
	Patterns   concert.Patterns `json:"patterns"`
	DraftedAt  string           `json:"drafted_at"`
	ReviewedAt string           `json:"reviewed_at,omitempty"`
	ReleasedAt string           `json:"released_at,omitempty"`
}

// Ask writes a message in a referral's thread, on the caller's side.
func (c *Client) Ask(ctx context.Context, call Call, referral string, in NewQuestion) (WrittenQuestion, error) {
	return post[WrittenQuestion](ctx, c, "/api/v1/referrals/"+url.PathEscape(referral)+"/questions", call, in)
}

// Thread is a referral's thread.
func (c *Client) Thread(ctx context.Context, referral string) (Thread, error) {
	return get[Thread](ctx, c, "/api/v1/referrals/"+url.PathEscape(referral)+"/questions", nil)
}
