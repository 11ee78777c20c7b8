package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"concert"
)

// Client speaks to one Concert deployment with one key. It is safe for use by
// many goroutines.
type Client struct {
	Base string       // "https://concert.example", without a trailing slash
	Key  string       // API key, csk_…
	HTTP *http.Client // http.DefaultClient where nil
	// Tries is how often a request is repeated; 8 where 0, none where negative.
	Tries int
	// Justification goes with every request where it is not "": what its readings
	// of sealed data are for (docs/reading.md). Any text of 10 to 500 characters.
	Justification string
}

// Call is what one request carries beyond path and body.
type Call struct {
	IdempotencyKey string
	IfMatch        int64 // version that was read; 0 sends no If-Match
	media          string
}

// octets are a body that is no JSON.
type octets []byte

const (
	retryMax     = 8                      // how often a request is repeated
	retryWait    = 200 * time.Millisecond // before the first time, then twice, three times as long
	retryWaitMax = 2 * time.Second
)

// Do sends a request and decodes the answer into out (nil to drop it). Answers
// 429 and 503, and 409 while the same key is in flight, are waited out as
// Retry-After says: nothing was done. After a broken connection, 502 and 504
// something may have been done, so only a GET and a request with an idempotency
// key are repeated then. It gives up after c.Tries times, which are seven seconds or
// more where none is given. A refusal is a *Problem.
func (c *Client) Do(ctx context.Context, method, path string, call Call, in, out any) error {
	var body []byte
	if raw, ok := in.(octets); ok {
		body, call.media = raw, "application/octet-stream"
	} else if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s %s: encode: %w", method, path, err)
		}
	}
	for most, try := c.tries(), 0; ; try++ {
		wait, err := c.once(ctx, method, path, call, body, out)
		if err == nil || wait < 0 || try >= most {
			return err
		}
		if wait == retryWait {
			wait = min(retryWait*time.Duration(try+1), retryWaitMax)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

func (c *Client) tries() int { return cmp.Or(c.Tries, retryMax) }

func pause(ctx context.Context, wait time.Duration) error {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// once returns how long to wait before the next try, negative for none.
func (c *Client) once(ctx context.Context, method, path string, call Call, body []byte, out any) (time.Duration, error) {
	const no = time.Duration(-1)
	again := no
	if method == http.MethodGet || call.IdempotencyKey != "" {
		again = retryWait
	}
	req, err := c.request(ctx, method, path, body)
	if err != nil {
		return no, err
	}
	if call.media != "" {
		req.Header.Set("Content-Type", call.media)
	}
	if call.IdempotencyKey != "" {
		req.Header.Set(HeaderIdempotencyKey, call.IdempotencyKey)
	}
	if call.IfMatch > 0 {
		req.Header.Set("If-Match", ETag(call.IfMatch))
	}
	res, err := c.http().Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return no, ctx.Err()
		}
		return again, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 32<<20))
	if err != nil {
		if ctx.Err() != nil {
			return no, ctx.Err()
		}
		return again, fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	if res.StatusCode < 300 {
		if out == nil || len(data) == 0 {
			return no, nil
		}
		if err := json.Unmarshal(data, out); err != nil {
			return no, fmt.Errorf("%s %s: decode answer: %w", method, path, err)
		}
		return no, nil
	}
	p, err := problemOf(res, data)
	if err != nil {
		return no, fmt.Errorf("%s %s: %w", method, path, err)
	}
	switch {
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusServiceUnavailable, p.Code == "idempotency.in_flight":
		s, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if err != nil || s < 0 || s > 60 {
			s = 1
		}
		return time.Duration(s) * time.Second, p
	case res.StatusCode == http.StatusBadGateway, res.StatusCode == http.StatusGatewayTimeout:
		return again, p
	}
	return no, p
}

func (c *Client) http() *http.Client {
	if c.HTTP == nil {
		return http.DefaultClient
	}
	return c.HTTP
}

func (c *Client) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	if c.Justification != "" {
		req.Header.Set(HeaderJustification, JustificationValue(c.Justification))
	}
	return req, nil
}

func problemOf(res *http.Response, data []byte) (*Problem, error) {
	p := &Problem{Status: res.StatusCode, Code: "http." + strconv.Itoa(res.StatusCode), Detail: strings.TrimSpace(string(data[:min(len(data), 300)]))}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(data, p); err != nil {
			return nil, fmt.Errorf("status %d with a broken problem document: %w", res.StatusCode, err)
		}
	}
	return p, nil
}

// ETag is the entity tag of a version.
func ETag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

// IsCode reports whether err is a Problem with the code.
func IsCode(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	var out T
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	err := c.Do(ctx, http.MethodGet, path, Call{}, nil, &out)
	return out, err
}

func post[T any](ctx context.Context, c *Client, path string, call Call, in any) (T, error) {
	var out T
	err := c.Do(ctx, http.MethodPost, path, call, in, &out)
	return out, err
}

// Me says whom the key speaks for.
func (c *Client) Me(ctx context.Context) (Me, error) { return get[Me](ctx, c, "/api/v1/me", nil) }

// AddAuthority registers an authority.
func (c *Client) AddAuthority(ctx context.Context, call Call, in NewAuthority) (Authority, error) {
	return post[Authority](ctx, c, "/api/v1/authorities", call, in)
}

// AddProvider registers a provider.
func (c *Client) AddProvider(ctx context.Context, call Call, in NewProvider) (Provider, error) {
	return post[Provider](ctx, c, "/api/v1/providers", call, in)
}

// AddOutlet registers an outlet.
func (c *Client) AddOutlet(ctx context.Context, call Call, in NewOutlet) (Outlet, error) {
	return post[Outlet](ctx, c, "/api/v1/outlets", call, in)
}

// ProposeScope proposes a scope entry.
func (c *Client) ProposeScope(ctx context.Context, call Call, in NewScopeEntry) (ScopeEntry, error) {
	return post[ScopeEntry](ctx, c, "/api/v1/scope", call, in)
}

// ConfirmScope confirms a scope entry as the second person.
func (c *Client) ConfirmScope(ctx context.Context, call Call, id string) (ScopeEntry, error) {
	return post[ScopeEntry](ctx, c, "/api/v1/scope/"+url.PathEscape(id)+"/confirm", call, nil)
}

// DelistScope ends a scope entry.
func (c *Client) DelistScope(ctx context.Context, call Call, id string, in Delisting) (ScopeEntry, error) {
	return post[ScopeEntry](ctx, c, "/api/v1/scope/"+url.PathEscape(id)+"/delist", call, in)
}

// Scope is the public scope list.
func (c *Client) Scope(ctx context.Context) (Page[ScopeEntry], error) {
	return get[Page[ScopeEntry]](ctx, c, "/api/v1/scope", nil)
}

// Keys is every public key an outsider needs.
func (c *Client) Keys(ctx context.Context) (Keys, error) {
	return get[Keys](ctx, c, "/api/v1/keys", nil)
}

// OpenAction opens a joint action.
func (c *Client) OpenAction(ctx context.Context, call Call, in NewAction) (Action, error) {
	return post[Action](ctx, c, "/api/v1/actions", call, in)
}

// Action is one joint action.
func (c *Client) Action(ctx context.Context, id string) (Action, error) {
	return get[Action](ctx, c, "/api/v1/actions/"+url.PathEscape(id), nil)
}

// SetPhase moves an action to a phase.
func (c *Client) SetPhase(ctx context.Context, call Call, id string, in NewPhase) (Action, error) {
	return post[Action](ctx, c, "/api/v1/actions/"+url.PathEscape(id)+"/phase", call, in)
}

// JoinAction adds a participant.
func (c *Client) JoinAction(ctx context.Context, call Call, id string, in ActionParticipant) (Action, error) {
	return post[Action](ctx, c, "/api/v1/actions/"+url.PathEscape(id)+"/participants", call, in)
}

// TargetAction adds an outlet as a target.
func (c *Client) TargetAction(ctx context.Context, call Call, id string, in NewTarget) (Action, error) {
	return post[Action](ctx, c, "/api/v1/actions/"+url.PathEscape(id)+"/targets", call, in)
}

// Board is an action's numbers now.
func (c *Client) Board(ctx context.Context, id string) (Board, error) {
	return get[Board](ctx, c, "/api/v1/actions/"+url.PathEscape(id)+"/board", nil)
}

// SubmitItem hands in one item.
func (c *Client) SubmitItem(ctx context.Context, call Call, in NewItem) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items", call, in)
}

// SubmitItems hands in a batch.
func (c *Client) SubmitItems(ctx context.Context, call Call, in NewItems) (Results, error) {
	return post[Results](ctx, c, "/api/v1/items/batch", call, in)
}

// Item is one item.
func (c *Client) Item(ctx context.Context, id string) (Item, error) {
	return get[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id), nil)
}

// ItemQuery filters a list of items.
type ItemQuery struct {
	Status string
	Action string
	Mine   bool // found or assessed by my authority
	Cursor string
	Limit  int // at most 500
}

// Items is one page of items, by priority and age.
func (c *Client) Items(ctx context.Context, q ItemQuery) (Page[Item], error) {
	v := url.Values{}
	if q.Status != "" {
		v.Set("status", q.Status)
	}
	if q.Action != "" {
		v.Set("action", q.Action)
	}
	if q.Mine {
		v.Set("mine", "true")
	}
	if q.Cursor != "" {
		v.Set("cursor", q.Cursor)
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return get[Page[Item]](ctx, c, "/api/v1/items", v)
}

// Assess judges one item; call.IfMatch is the version that was read.
func (c *Client) Assess(ctx context.Context, call Call, id string, in NewAssessment) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/assessment", call, in)
}

// AssessItems judges a batch.
func (c *Client) AssessItems(ctx context.Context, call Call, in NewAssessments) (Results, error) {
	return post[Results](ctx, c, "/api/v1/assessments/batch", call, in)
}

// Decide approves or rejects one item.
func (c *Client) Decide(ctx context.Context, call Call, id string, in NewDecision) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/decision", call, in)
}

// DecideItems decides on a batch.
func (c *Client) DecideItems(ctx context.Context, call Call, in NewDecisions) (Results, error) {
	return post[Results](ctx, c, "/api/v1/decisions/batch", call, in)
}

// SecondLooks are the looks that wait for the caller, and what was disagreed
// with.
func (c *Client) SecondLooks(ctx context.Context) (SecondLooks, error) {
	return get[SecondLooks](ctx, c, "/api/v1/second-looks", nil)
}

// LookAgain says what a second pair of eyes thinks of an item.
func (c *Client) LookAgain(ctx context.Context, call Call, id string, in NewSecondLook) (SecondLook, error) {
	return post[SecondLook](ctx, c, "/api/v1/second-looks/"+url.PathEscape(id), call, in)
}

// Accuracy is how accurate officers were, as far as the caller may see it.
func (c *Client) Accuracy(ctx context.Context) (Accuracy, error) {
	return get[Accuracy](ctx, c, "/api/v1/accuracy", nil)
}

// Observe records what an officer saw.
func (c *Client) Observe(ctx context.Context, call Call, id string, in NewObservation) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/observation", call, in)
}

// Remedy withdraws or corrects one item.
func (c *Client) Remedy(ctx context.Context, call Call, id string, in NewRemedy) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/remedy", call, in)
}

// RemedyItems withdraws or corrects a batch.
func (c *Client) RemedyItems(ctx context.Context, call Call, in NewRemedies) (Results, error) {
	return post[Results](ctx, c, "/api/v1/remedies/batch", call, in)
}

// PlaceHold asks all others to keep off a place.
func (c *Client) PlaceHold(ctx context.Context, call Call, in NewHold) (Hold, error) {
	return post[Hold](ctx, c, "/api/v1/holds", call, in)
}

// Holds are the caller's authority's own.
func (c *Client) Holds(ctx context.Context) (Page[Hold], error) {
	return get[Page[Hold]](ctx, c, "/api/v1/holds", nil)
}

// ReleaseHold ends a hold.
func (c *Client) ReleaseHold(ctx context.Context, call Call, id string, in Release) (Hold, error) {
	return post[Hold](ctx, c, "/api/v1/holds/"+url.PathEscape(id)+"/release", call, in)
}

// Inbox is what came for the caller's provider after the cursor.
func (c *Client) Inbox(ctx context.Context, cursor string, limit int) (Inbox, error) {
	v := url.Values{}
	if cursor != "" {
		v.Set("cursor", cursor)
	}
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
	return get[Inbox](ctx, c, "/api/v1/inbox", v)
}

// Referral fetches one referral; its Version goes back as call.IfMatch.
func (c *Client) Referral(ctx context.Context, id string) (Referral, error) {
	return get[Referral](ctx, c, "/api/v1/referrals/"+url.PathEscape(id), nil)
}

// Acknowledge confirms that a referral was taken; it is not an answer.
func (c *Client) Acknowledge(ctx context.Context, call Call, id string) (Acknowledged, error) {
	return post[Acknowledged](ctx, c, "/api/v1/referrals/"+url.PathEscape(id)+"/acknowledge", call, nil)
}

// Answer answers some or all items of a referral.
func (c *Client) Answer(ctx context.Context, call Call, id string, in NewAnswers) (AnswerResults, error) {
	return post[AnswerResults](ctx, c, "/api/v1/referrals/"+url.PathEscape(id)+"/answers", call, in)
}

// Statistics are the caller's provider's own numbers.
func (c *Client) Statistics(ctx context.Context) (ProviderStatistics, error) {
	return get[ProviderStatistics](ctx, c, "/api/v1/provider/statistics", nil)
}

// Sandbox sends a made-up referral to the caller's own channel.
func (c *Client) Sandbox(ctx context.Context, call Call) (Sandboxed, error) {
	return post[Sandboxed](ctx, c, "/api/v1/provider/sandbox", call, nil)
}

// RenewHold lets a hold stand for another term.
func (c *Client) RenewHold(ctx context.Context, call Call, id string, in Renewal) (Hold, error) {
	return post[Hold](ctx, c, "/api/v1/holds/"+url.PathEscape(id)+"/renew", call, in)
}

// OverrideHold lets a held threat to life pass the hold.
func (c *Client) OverrideHold(ctx context.Context, call Call, id string, in NewOverride) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/override", call, in)
}

// ReviewOverride says whether an override was justified.
func (c *Client) ReviewOverride(ctx context.Context, call Call, id string, in NewReview) (Override, error) {
	return post[Override](ctx, c, "/api/v1/items/"+url.PathEscape(id)+"/override/review", call, in)
}

// Alarms are what coordinators and auditors must look at, newest first.
func (c *Client) Alarms(ctx context.Context) (Alarms, error) {
	return get[Alarms](ctx, c, "/api/v1/alarms", nil)
}

// Report is an action's after-action report, signed by the deployment
// (concert.ReportPayload) with its transport key.
func (c *Client) Report(ctx context.Context, id string) (concert.Envelope, error) {
	return get[concert.Envelope](ctx, c, "/api/v1/actions/"+url.PathEscape(id)+"/report", nil)
}
