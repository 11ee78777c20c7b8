package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"concert"
)

// NewOrder writes a removal order about items that the caller's authority assessed
// (officer). What Annex I takes from registers is not given here.
type NewOrder struct {
	Items           []NewOrderItem `json:"items" minItems:"1" maxItems:"20"`
	Language        string         `json:"language" maxLength:"35" doc:"in which the order is written (BCP 47)"`
	Statement       string         `json:"statement" maxLength:"8000" doc:"detailed statement of reasons, at least 80 characters (Art. 3(4)(b))"`
	LegalBasis      []string       `json:"legal_basis" maxItems:"10" doc:"provisions, the Regulation's first (Art. 3(4)(d))"`
	Proportionality string         `json:"proportionality,omitempty" maxLength:"8000" doc:"where the guard raises a place"`
	Silent          bool           `json:"non_disclosure,omitempty" doc:"the addressee may not tell the content provider (Art. 11(3))"`
	SilenceGround   string         `json:"silence_ground,omitempty" maxLength:"4000"`
	Emergency       bool           `json:"emergency,omitempty" doc:"no twelve hours' notice (Art. 3(2))"`
	EmergencyGround string         `json:"emergency_ground,omitempty" maxLength:"4000"`
	Representative  string         `json:"representative" maxLength:"400" doc:"who signs for the authority (section E)"`
	Post            string         `json:"post" maxLength:"400"`
	FileNo          string         `json:"file_no" maxLength:"400"`
	Replaces        string         `json:"replaces,omitempty" maxLength:"80" doc:"an order of the caller's authority that was withdrawn, or is void, and that this one puts right"`
}

// NewOrderItem names an item of an order.
type NewOrderItem struct {
	Item       string `json:"item" maxLength:"80"`
	Additional string `json:"additional,omitempty" maxLength:"8000" doc:"what else finds it (section B)"`
}

// Order is a removal order as its reader sees it. It binds; a referral does not.
type Order struct {
	ID         string                `json:"id"`
	Version    int64                 `json:"version"`
	Status     string                `json:"status"`
	Authority  string                `json:"authority"`
	Provider   string                `json:"provider"`
	Items      []OrderItem           `json:"items"`
	Reasons    []concert.ContentType `json:"reasons"`
	Emergency  bool                  `json:"emergency,omitempty"`
	Silent     bool                  `json:"non_disclosure,omitempty"`
	Deadlines  []Deadline            `json:"deadlines"`
	Answers    []json.RawMessage     `json:"answers" doc:"Annex II and Annex III as they came in, oldest first"`
	Payload    *concert.OrderPayload `json:"payload,omitempty" doc:"the order as it was signed; missing before it was issued"`
	Ended      string                `json:"ended,omitempty" doc:"why it was returned, dropped, withdrawn or found void"`
	Answer     string                `json:"clarification,omitempty"`
	CreatedAt  string                `json:"created_at"`
	IssuedAt   string                `json:"issued_at,omitempty"`
	ReceivedAt string                `json:"received_at,omitempty"`
	ExecutedAt string                `json:"executed_at,omitempty"`
	ServerTime string                `json:"server_time"`
	Exercise   bool                  `json:"exercise"`

	EmergencyVerdict string `json:"emergency_verdict,omitempty" enum:"justified,unjustified"`
}

// OrderItem is an item of an order, with what became of it.
type OrderItem struct {
	Item      string `json:"item"`
	Measure   string `json:"measure,omitempty" enum:"removed,access_disabled"`
	MeasureAt string `json:"measure_at,omitempty"`

	Observed   string `json:"observed,omitempty" enum:"down,up,partial,unknown" doc:"what we saw ourselves"`
	ObservedAt string `json:"observed_at,omitempty"`
}

// Deadline is a legal clock of an order.
type Deadline struct {
	Term      string `json:"term"`
	State     string `json:"state" enum:"running,paused,met,missed,lapsed,void"`
	StartedAt string `json:"started_at"`
	Evidence  string `json:"evidence"`
	DueAt     string `json:"due_at"`
	LeftS     int64  `json:"left_s" doc:"seconds that are left; 0 where it does not run"`
	MetAt     string `json:"met_at,omitempty"`
	Why       string `json:"why,omitempty"`
}

// OrderSummary is an order in a list.
type OrderSummary struct {
	ID         string `json:"id"`
	Version    int64  `json:"version"`
	Status     string `json:"status"`
	Items      int    `json:"items"`
	Executed   int    `json:"executed"`
	Emergency  bool   `json:"emergency,omitempty"`
	IssuedAt   string `json:"issued_at,omitempty"`
	ReceivedAt string `json:"received_at,omitempty"`
	UpdatedAt  string `json:"updated_at"`
	Exercise   bool   `json:"exercise"`
}

// OrderQuery says which orders are listed.
type OrderQuery struct {
	Status string
	Copied bool // those of which the caller's authority has a copy
	Cursor string
	Limit  int
}

// OrderReason is the reason of an act on an order, or the text of a clarification.
type OrderReason struct {
	Reason string `json:"reason" maxLength:"8000"`
}

// EmergencyReview is what a review finds of an emergency (G32).
type EmergencyReview struct {
	Verdict string `json:"verdict" enum:"justified,unjustified"`
	Reason  string `json:"reason" maxLength:"8000"`
}

// NewFeedback is Annex II: what was done, and when.
type NewFeedback struct {
	Items     []string `json:"items,omitempty" maxItems:"20" doc:"none for all"`
	Measure   string   `json:"measure" enum:"removed,access_disabled"`
	MeasureAt string   `json:"measure_at" doc:"RFC 3339"`
	Person    string   `json:"person" maxLength:"400" doc:"who is authorised"`
	Email     string   `json:"email" maxLength:"400"`
	File      string   `json:"addressee_file,omitempty" maxLength:"400"`
}

// NewImpossible is Annex III: why not.
type NewImpossible struct {
	Reasons []string `json:"reasons" minItems:"1" maxItems:"3"`
	Further string   `json:"further" maxLength:"8000"`
	Needed  string   `json:"needed,omitempty" maxLength:"8000"`
	Person  string   `json:"person" maxLength:"400"`
	Email   string   `json:"email" maxLength:"400"`
	File    string   `json:"addressee_file,omitempty" maxLength:"400"`
}

// Office is what an authority's orders say of it, and its functions (Art. 12(1)).
type Office struct {
	Kind      string   `json:"kind" enum:"judge_court_investigating_judge,law_enforcement,other"`
	Functions []string `json:"functions" maxItems:"5"`
	Address   string   `json:"address" maxLength:"400"`
	Telephone string   `json:"telephone" maxLength:"400"`
	Fax       string   `json:"fax,omitempty" maxLength:"400"`
	Email     string   `json:"email" maxLength:"400"`
	Since     string   `json:"since,omitempty"`
	Waits     bool     `json:"waits,omitempty" doc:"a proposal waits for a second administrator"`
}

// DraftOrder writes a new order.
func (c *Client) DraftOrder(ctx context.Context, call Call, in NewOrder) (Order, error) {
	return post[Order](ctx, c, "/api/v1/orders", call, in)
}

// RewriteOrder writes a draft anew.
func (c *Client) RewriteOrder(ctx context.Context, call Call, id string, in NewOrder) (Order, error) {
	return c.orderAct(ctx, call, id, "draft", in)
}

// ReviewOrder confirms a draft (reviewer).
func (c *Client) ReviewOrder(ctx context.Context, call Call, id string) (Order, error) {
	return c.orderAct(ctx, call, id, "review", nil)
}

// ApproveOrder approves an order, and issues it where nothing stands in its way
// (issuer).
func (c *Client) ApproveOrder(ctx context.Context, call Call, id string) (Order, error) {
	return c.orderAct(ctx, call, id, "approve", nil)
}

// IssueOrder issues an approved order whose twelve hours are over (issuer).
func (c *Client) IssueOrder(ctx context.Context, call Call, id string) (Order, error) {
	return c.orderAct(ctx, call, id, "issue", nil)
}

// ReturnOrder sends an order back to who wrote it.
func (c *Client) ReturnOrder(ctx context.Context, call Call, id string, in OrderReason) (Order, error) {
	return c.orderAct(ctx, call, id, "return", in)
}

// DropOrder gives an order up that was never issued.
func (c *Client) DropOrder(ctx context.Context, call Call, id string, in OrderReason) (Order, error) {
	return c.orderAct(ctx, call, id, "drop", in)
}

// WithdrawOrder takes an issued order back.
func (c *Client) WithdrawOrder(ctx context.Context, call Call, id string, in OrderReason) (Order, error) {
	return c.orderAct(ctx, call, id, "withdraw", in)
}

// ClarifyOrder answers Annex III; as a provider it says that what hindered it is over.
func (c *Client) ClarifyOrder(ctx context.Context, call Call, id string, in OrderReason) (Order, error) {
	return c.orderAct(ctx, call, id, "clarify", in)
}

// FeedOrder sends Annex II (provider).
func (c *Client) FeedOrder(ctx context.Context, call Call, id string, in NewFeedback) (Order, error) {
	return c.orderAct(ctx, call, id, "feedback", in)
}

// ImpedeOrder sends Annex III (provider).
func (c *Client) ImpedeOrder(ctx context.Context, call Call, id string, in NewImpossible) (Order, error) {
	return c.orderAct(ctx, call, id, "impossible", in)
}

// ReviewOrderEmergency reviews an order that was issued in an emergency.
func (c *Client) ReviewOrderEmergency(ctx context.Context, call Call, id string, in EmergencyReview) (Order, error) {
	return c.orderAct(ctx, call, id, "emergency-review", in)
}

func (c *Client) orderAct(ctx context.Context, call Call, id, act string, in any) (Order, error) {
	if in == nil {
		in = struct{}{}
	}
	return post[Order](ctx, c, "/api/v1/orders/"+url.PathEscape(id)+"/"+act, call, in)
}

// Order is one order; a provider's reading proves its receipt.
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	return get[Order](ctx, c, "/api/v1/orders/"+url.PathEscape(id), nil)
}

// Orders are a page of those that concern the caller, newest change first.
func (c *Client) Orders(ctx context.Context, q OrderQuery) (Page[OrderSummary], error) {
	v := url.Values{}
	if q.Status != "" {
		v.Set("status", q.Status)
	}
	if q.Copied {
		v.Set("copied", "true")
	}
	if q.Cursor != "" {
		v.Set("cursor", q.Cursor)
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return get[Page[OrderSummary]](ctx, c, "/api/v1/orders", v)
}

// OrderFile writes an issued order as it travels: what verifies offline.
func (c *Client) OrderFile(ctx context.Context, id string, w io.Writer) error {
	req, err := c.request(ctx, http.MethodGet, "/api/v1/orders/"+url.PathEscape(id)+"/file", nil)
	if err != nil {
		return err
	}
	return c.sendOnce(req, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}
