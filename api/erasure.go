package api

import (
	"context"
	"net/url"

	"concert"
)

// NewErasure asks for the erasure of one item (officer or reviewer of its
// authority); a second person confirms it.
type NewErasure struct {
	Code   string `json:"code" enum:"data_subject,unlawful,not_needed,ordered,mistaken"`
	Reason string `json:"reason" maxLength:"4000" doc:"read by whoever confirms; erased with the item"`
}

// Erasure is what is known of an item's erasure: asked for, or done.
type Erasure struct {
	Code    string `json:"code" doc:"judged_lawful, guard_stopped and taken_back are the house's own, when a term was over"`
	Reason  string `json:"reason,omitempty" doc:"while it waits only"`
	AskedBy string `json:"asked_by,omitempty" doc:"operator number, while it waits only"`
	AskedAt string `json:"asked_at,omitempty"`
}

// Reasoned is an act that needs nothing but its reason.
type Reasoned struct {
	Reason string `json:"reason" minLength:"10" maxLength:"4000"`
}

// NewHandling changes an item's handling code with its giver's permission.
type NewHandling struct {
	Handling string `json:"handling" enum:"H0,H1,H2,H3"`
	Reason   string `json:"reason" minLength:"10" maxLength:"4000" doc:"who gave permission, or why it is stricter now"`
}

// NewExport asks for the document with which items leave for a court or another
// authority.
type NewExport struct {
	Items         []string `json:"items" minItems:"1" maxItems:"100"`
	Destination   string   `json:"destination" enum:"judicial,tenant"`
	Recipient     string   `json:"recipient" maxLength:"400"`
	Justification string   `json:"justification" maxLength:"4000" doc:"recorded, sealed, with every item"`
}

// Incomplete says that a referral's signed original cannot be shown whole any
// more.
type Incomplete struct {
	Erased int    `json:"erased_items"`
	Digest string `json:"payload_sha256" doc:"of the payload as it was signed, from the event referral.sent: an original that the provider kept can be checked against it"`
	Note   string `json:"note"`
}

// AskErasure asks for an item's erasure.
func (c *Client) AskErasure(ctx context.Context, call Call, id string, in NewErasure) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/erasure", call, in)
}

// EraseItem confirms what another person asked for.
func (c *Client) EraseItem(ctx context.Context, call Call, id string) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/erasure/confirm", call, nil)
}

// ErasureProof is the proof of an item's erasure.
func (c *Client) ErasureProof(ctx context.Context, id string) (concert.ErasureProof, error) {
	return get[concert.ErasureProof](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/erasure", nil)
}

// PlaceLegalHold keeps an item from erasure.
func (c *Client) PlaceLegalHold(ctx context.Context, call Call, id string, in Reasoned) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/legal-hold", call, in)
}

// LiftLegalHold ends that.
func (c *Client) LiftLegalHold(ctx context.Context, call Call, id string, in Reasoned) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/legal-hold/lift", call, in)
}

// ChangeHandling changes an item's handling code.
func (c *Client) ChangeHandling(ctx context.Context, call Call, id string, in NewHandling) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/handling", call, in)
}

// ExportItems makes the document with which items leave. Its answer is never
// kept for a repeated request: each is a disclosure of its own.
func (c *Client) ExportItems(ctx context.Context, in NewExport) (concert.Disclosure, error) {
	return post[concert.Disclosure](ctx, c, "/api/v1/exports", Call{}, in)
}
