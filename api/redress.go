package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// ScrutinyRequest is an addressee's reasoned request for scrutiny (Art. 4(4)), or the
// intention of an authority to find an infringement.
type ScrutinyRequest struct {
	Reasons string `json:"reasons" maxLength:"8000" doc:"20 to 8000 characters"`
}

// Finding is the decision of a scrutiny.
type Finding struct {
	Outcome  string `json:"outcome" enum:"no_infringement,infringes_regulation,infringes_charter"`
	Category string `json:"category,omitempty" maxLength:"40" doc:"of an infringement, for the error register"`
	Reasons  string `json:"reasons" maxLength:"8000"`
}

// Scrutiny is one scrutiny of an order.
type Scrutiny struct {
	AskedBy    string `json:"asked_by,omitempty" enum:"provider,content_provider" doc:"missing where it is on the authority's own motion"`
	AskedAt    string `json:"asked_at"`
	DueAt      string `json:"due_at"`
	IntendedAt string `json:"intended_at,omitempty" doc:"when the issuing authority was told that an infringement is to be found"`
	Request    string `json:"request,omitempty"`
	Intention  string `json:"intention,omitempty"`
	Outcome    string `json:"outcome,omitempty"`
	Reasons    string `json:"reasons,omitempty"`
	DecidedAt  string `json:"decided_at,omitempty"`
}

// Appeal is a party's way to the court against an order.
type Appeal struct {
	ID        string `json:"id"`
	Party     string `json:"party" enum:"provider,content_provider"`
	FiledAt   string `json:"filed_at"`
	Court     string `json:"court"`
	Docket    string `json:"docket,omitempty"`
	Outcome   string `json:"outcome,omitempty" enum:"upheld,rejected"`
	DecidedAt string `json:"decided_at,omitempty"`
}

// OrderReview is what stands around the review of an order.
type OrderReview struct {
	Order      string     `json:"order"`
	Status     string     `json:"status"`
	Scrutinies []Scrutiny `json:"scrutinies"`
	Appeals    []Appeal   `json:"appeals"`
	Places     []Seen     `json:"places" doc:"what was seen of each place after the order ended"`
}

// Seen is what we saw of a place.
type Seen struct {
	Item     string `json:"item"`
	Observed string `json:"observed,omitempty"`
	At       string `json:"at,omitempty"`
}

// NewAppeal records that a party appealed (reviewer, issuer).
type NewAppeal struct {
	Party   string `json:"party" enum:"provider,content_provider"`
	FiledAt string `json:"filed_at" doc:"RFC 3339"`
	Court   string `json:"court" maxLength:"400"`
	Docket  string `json:"docket,omitempty" maxLength:"400"`
}

// NewJudgment records how a court decided.
type NewJudgment struct {
	Appeal   string `json:"appeal" maxLength:"80"`
	Outcome  string `json:"outcome" enum:"upheld,rejected"`
	Category string `json:"category,omitempty" maxLength:"40"`
	Reasons  string `json:"reasons" maxLength:"8000"`
	At       string `json:"at" doc:"the day of the judgment, RFC 3339"`
}

// NewContentLink asks for the address of the page of the one whose content an item of an
// order or a referral is.
type NewContentLink struct {
	Kind     string `json:"kind" enum:"order,referral"`
	Ref      string `json:"ref" maxLength:"80"`
	Item     string `json:"item,omitempty" maxLength:"80" doc:"may be left out where there is one"`
	Language string `json:"language,omitempty" maxLength:"35" doc:"of the text for the user"`
}

// ContentLink is that address with a text for the user.
type ContentLink struct {
	Item      string `json:"item"`
	URL       string `json:"url"`
	Until     string `json:"until"`
	ShowsFrom string `json:"shows_from,omitempty" doc:"before then it shows nothing, and is not handed on: the non-disclosure of Art. 11(3)"`
	Notice    string `json:"notice" doc:"a text for the user"`
}

// NewComplaint is a complaint that a provider hands on.
type NewComplaint struct {
	Kind string `json:"kind" enum:"order,referral"`
	Ref  string `json:"ref" maxLength:"80"`
	Item string `json:"item,omitempty" maxLength:"80"`
	Text string `json:"text" maxLength:"16000" doc:"20 to 4000 characters"`
}

// Complaint is one against an order or a referral.
type Complaint struct {
	ID        string `json:"id"`
	Version   int64  `json:"version"`
	Kind      string `json:"kind" enum:"order,referral"`
	Ref       string `json:"ref"`
	Item      string `json:"item,omitempty"`
	Text      string `json:"text,omitempty"`
	FiledAt   string `json:"filed_at"`
	DueAt     string `json:"due_at"`
	Late      bool   `json:"late,omitempty"`
	Involved  bool   `json:"involved,omitempty" doc:"the caller had a part in what it is about, and does not decide"`
	Outcome   string `json:"outcome,omitempty" enum:"upheld,partly_upheld,rejected"`
	Reasons   string `json:"reasons,omitempty"`
	DecidedAt string `json:"decided_at,omitempty"`
	Exercise  bool   `json:"exercise"`
}

// Ruling is the decision on a complaint.
type Ruling struct {
	Outcome  string `json:"outcome" enum:"upheld,partly_upheld,rejected"`
	Category string `json:"category,omitempty" maxLength:"40" doc:"unless it is rejected, for the error register"`
	Reasons  string `json:"reasons" maxLength:"16000" doc:"the complainant reads them"`
}

// AskScrutiny asks the authority of the provider's state to scrutinise an order.
func (c *Client) AskScrutiny(ctx context.Context, call Call, id string, in ScrutinyRequest) (Order, error) {
	return c.orderAct(ctx, call, id, "scrutiny-request", in)
}

// IntendScrutiny tells the issuing authority that an infringement is to be found.
func (c *Client) IntendScrutiny(ctx context.Context, call Call, id string, in ScrutinyRequest) (Order, error) {
	return c.orderAct(ctx, call, id, "scrutiny-intention", in)
}

// DecideScrutiny decides: an infringement voids the order.
func (c *Client) DecideScrutiny(ctx context.Context, call Call, id string, in Finding) (Order, error) {
	return c.orderAct(ctx, call, id, "scrutiny", in)
}

// OrderReview is what stands around the review of an order.
func (c *Client) OrderReview(ctx context.Context, id string) (OrderReview, error) {
	return get[OrderReview](ctx, c, "/api/v1/orders/"+url.PathEscape(id)+"/scrutiny", nil)
}

// ScrutinyPackage writes what an authority scrutinises by.
func (c *Client) ScrutinyPackage(ctx context.Context, id string, w io.Writer) error {
	req, err := c.request(ctx, http.MethodGet, "/api/v1/orders/"+url.PathEscape(id)+"/scrutiny-package", nil)
	if err != nil {
		return err
	}
	return c.sendOnce(req, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// LinkContent gives the address of a content provider's page.
func (c *Client) LinkContent(ctx context.Context, call Call, in NewContentLink) (ContentLink, error) {
	return post[ContentLink](ctx, c, "/api/v1/content-links", call, in)
}

// FileComplaint hands a complaint on (provider).
func (c *Client) FileComplaint(ctx context.Context, call Call, in NewComplaint) (Complaint, error) {
	return post[Complaint](ctx, c, "/api/v1/complaints", call, in)
}

// Complaints are those to the caller's authority.
func (c *Client) Complaints(ctx context.Context) (Page[Complaint], error) {
	return get[Page[Complaint]](ctx, c, "/api/v1/complaints", nil)
}

// DecideComplaint decides one, by somebody who had no part in what it is about.
func (c *Client) DecideComplaint(ctx context.Context, call Call, id string, in Ruling) (Complaint, error) {
	return post[Complaint](ctx, c, "/api/v1/complaints/"+url.PathEscape(id)+"/decision", call, in)
}
