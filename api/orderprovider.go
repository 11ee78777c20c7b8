package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// OrderCheck is what the public check of an order answers. It holds no place and no
// statement of reasons.
type OrderCheck struct {
	Outcome   string `json:"outcome" enum:"valid,invalid,authority_unknown"`
	Code      string `json:"code,omitempty" doc:"of what is wrong"`
	Field     string `json:"field,omitempty" doc:"that fails"`
	Sentence  string `json:"sentence" doc:"as concert order verify says it"`
	ID        string `json:"id,omitempty"`
	Authority string `json:"authority,omitempty"`
	State     string `json:"state,omitempty" doc:"under whose law it was issued"`
	Addressee string `json:"addressee,omitempty"`
	IssuedAt  string `json:"issued_at,omitempty"`
	Items     int    `json:"items,omitempty"`
	Digest    string `json:"digest,omitempty" doc:"SHA-256 of what was signed"`
	Status    string `json:"status,omitempty" enum:"issued,withdrawn,void" doc:"as it stands here"`
	Exercise  bool   `json:"exercise,omitempty"`
}

// CheckOrder says whether an order is valid, by its reference and its short code.
// Anybody may ask.
func (c *Client) CheckOrder(ctx context.Context, ref, code string) (OrderCheck, error) {
	return get[OrderCheck](ctx, c, "/api/v1/order-check", url.Values{"ref": {ref}, "code": {code}})
}

// OrderStatements writes drafts of statements of reasons for what was removed or
// disabled for an order, as the DSA Transparency Database takes them (provider).
func (c *Client) OrderStatements(ctx context.Context, id string, w io.Writer) error {
	req, err := c.request(ctx, http.MethodGet, "/api/v1/orders/"+url.PathEscape(id)+"/statements", nil)
	if err != nil {
		return err
	}
	return c.sendOnce(req, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}
