package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// NewPerson registers a person (administrator). Any role but a provider's
// waits for a second administrator.
type NewPerson struct {
	Name      string   `json:"name" minLength:"1" maxLength:"200"`
	Login     string   `json:"login" minLength:"1" maxLength:"200"`
	Authority string   `json:"authority,omitempty" doc:"id of its authority"`
	Provider  string   `json:"provider,omitempty" doc:"id of its provider"`
	Roles     []string `json:"roles"`
	Key       string   `json:"key,omitempty" maxLength:"80" doc:"name of an API key to issue at once; for a provider's people only"`
	Languages []string `json:"languages,omitempty" maxItems:"40" doc:"that the person reads (BCP 47): who reads none judges no words"`
}

// Person is a registered person; Link, Key and Code are shown once.
type Person struct {
	ID        string    `json:"id"`
	Operator  string    `json:"operator"`
	Login     string    `json:"login"`
	Name      string    `json:"name,omitempty" doc:"for administrators and auditors only"`
	Authority string    `json:"authority,omitempty"`
	Provider  string    `json:"provider,omitempty"`
	Roles     []string  `json:"roles"`
	State     string    `json:"state" enum:"in_force,waits,disabled" doc:"waits: for a second administrator; nothing of it works until then"`
	Waiting   *Proposal `json:"waiting,omitempty" doc:"what a second administrator can confirm"`
	Link      string    `json:"link,omitempty" doc:"one-time log-in link"`
	Code      string    `json:"code,omitempty" doc:"what its link needs beside it, for whoever confirmed"`
	Key       string    `json:"key,omitempty" doc:"API key, csk_…"`
	Languages []string  `json:"languages,omitempty" doc:"that the person says it reads: base codes"`
}

// Proposal is what waits for a second administrator.
type Proposal struct {
	ID        string   `json:"id"`
	Kind      string   `json:"kind" enum:"person,roles,link"`
	Roles     []string `json:"roles" doc:"that the person is to have"`
	Authority string   `json:"authority,omitempty" doc:"that the person is to speak for"`
	By        string   `json:"by,omitempty" doc:"operator number of its proposer"`
}

// Confirmation names the proposal that a second administrator looked at.
type Confirmation struct {
	Proposal string `json:"proposal" minLength:"1" maxLength:"80"`
}

// NewRoles gives a person other roles.
type NewRoles struct {
	Roles     []string `json:"roles"`
	Authority string   `json:"authority,omitempty" doc:"id of another authority; the present one stays when left out"`
}

// NewEntry is both halves of a way in.
type NewEntry struct {
	Link string `json:"link" maxLength:"500" doc:"the one-time link, or the part after the #"`
	Code string `json:"code,omitempty" maxLength:"40" doc:"what the second administrator got; a provider's people need none"`
}

// Entry is a session: its token works as a bearer for twelve hours, and ends
// after sixty minutes without a request.
type Entry struct {
	Session  string `json:"session"`
	Operator string `json:"operator"`
	Half     bool   `json:"half,omitempty" doc:"the log-in is half done: the session opens nothing but /enter/second, for ten minutes"`
}

// NewAPIKey names a key and what of the guarded acts it may do.
type NewAPIKey struct {
	Name   string   `json:"name" minLength:"1" maxLength:"80" doc:"by which you know later what uses it"`
	Scopes []string `json:"scopes,omitempty" doc:"of the guarded acts, those that it may do: approve, export, erase, release, administer; without any it does none of them"`
}

// AllScopes are all that a key can be made for.
func AllScopes() []string {
	return []string{"approve", "export", "erase", "release", "issue", "administer"}
}

// APIKey is a key of one's own; Key is shown once.
type APIKey struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	CreatedAt string   `json:"created_at"`
	Key       string   `json:"key,omitempty" doc:"csk_…"`
	Scopes    []string `json:"scopes,omitempty" doc:"guarded acts that it may do"`
}

// AddPerson registers a person.
func (c *Client) AddPerson(ctx context.Context, call Call, in NewPerson) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people", call, in)
}

// People are all accounts, for administrators and auditors.
func (c *Client) People(ctx context.Context) (Page[Person], error) {
	return get[Page[Person]](ctx, c, "/api/v1/people", nil)
}

// Person is one account, by operator number or log-in name.
func (c *Client) Person(ctx context.Context, id string) (Person, error) {
	return get[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id), nil)
}

// ConfirmPerson confirms what waits about a person, as a second administrator.
func (c *Client) ConfirmPerson(ctx context.Context, call Call, id string, in Confirmation) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/confirm", call, in)
}

// ChangeRoles gives a person other roles, or proposes them.
func (c *Client) ChangeRoles(ctx context.Context, call Call, id string, in NewRoles) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/roles", call, in)
}

// NewLink makes a new one-time link for a person, or the half of one.
func (c *Client) NewLink(ctx context.Context, call Call, id string) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/link", call, nil)
}

// DisablePerson ends a person and all its credentials.
func (c *Client) DisablePerson(ctx context.Context, call Call, id string) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/disable", call, nil)
}

// PersonKeys are somebody's keys, for an administrator.
func (c *Client) PersonKeys(ctx context.Context, id string) (Page[APIKey], error) {
	return get[Page[APIKey]](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/keys", nil)
}

// Enter turns a link, and its code where it has one, into a session.
func (c *Client) Enter(ctx context.Context, in NewEntry) (Entry, error) {
	return post[Entry](ctx, c, "/api/v1/enter", Call{}, in)
}

// IssueKey makes a key of one's own.
func (c *Client) IssueKey(ctx context.Context, call Call, in NewAPIKey) (APIKey, error) {
	return post[APIKey](ctx, c, "/api/v1/me/keys", call, in)
}

// MyKeys are one's own keys.
func (c *Client) MyKeys(ctx context.Context) (Page[APIKey], error) {
	return get[Page[APIKey]](ctx, c, "/api/v1/me/keys", nil)
}

// RevokeKey ends a key of one's own, or anybody's for an administrator.
func (c *Client) RevokeKey(ctx context.Context, call Call, id string) error {
	return c.Do(ctx, "POST", "/api/v1/me/keys/"+url.PathEscape(id)+"/revoke", call, nil, nil)
}

// Recruit brings somebody in the whole way: the first administrator proposes,
// the second one confirms, and the person enters with both halves and makes a
// key of its own for every guarded act, with which the client returned speaks. It is for machines that
// set people up, and holds both halves on the way. What was begun before goes on
// where it stopped: a link that was used already is made anew.
func Recruit(ctx context.Context, first, second *Client, call Call, in NewPerson) (*Client, error) {
	if in.Key == "" {
		in.Key = "setup"
	}
	name := in.Key
	in.Key = ""
	p, err := first.AddPerson(ctx, call, in)
	if err != nil {
		return nil, err
	}
	next := func(step string) Call {
		if call.IdempotencyKey == "" {
			return Call{}
		}
		return Call{IdempotencyKey: call.IdempotencyKey + step}
	}
	e, err := entered(ctx, second, next("-confirm"), p)
	for try := 0; try < first.tries() && startsAnew(ctx, err); try++ {
		if err = pause(ctx, min(retryWait*time.Duration(try), retryWaitMax)); err != nil {
			break
		}
		var link Person
		if link, err = first.NewLink(ctx, Call{}, p.ID); err == nil {
			e, err = entered(ctx, second, Call{}, link)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := (&Client{Base: first.Base, Key: e.Session, HTTP: first.HTTP, Tries: first.Tries}).IssueKey(ctx, next("-key"), NewAPIKey{Name: name, Scopes: AllScopes()})
	if err != nil {
		return nil, err
	}
	return &Client{Base: first.Base, Key: key.Key, HTTP: first.HTTP, Tries: first.Tries}, nil
}

// startsAnew reports whether a new link may help: the old one is used up, or
// nobody knows whether it is, since a node died over the request.
func startsAnew(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	var p *Problem
	if !errors.As(err, &p) {
		return true
	}
	return p.Code == "login.refused" || p.Code == "person.not_waiting" || p.Status == http.StatusBadGateway || p.Status == http.StatusGatewayTimeout
}

func entered(ctx context.Context, second *Client, call Call, p Person) (Entry, error) {
	if p.Waiting != nil {
		confirmed, err := second.ConfirmPerson(ctx, call, p.ID, Confirmation{Proposal: p.Waiting.ID})
		if err != nil {
			return Entry{}, err
		}
		p.Code = confirmed.Code
	}
	return (&Client{Base: second.Base, HTTP: second.HTTP, Tries: second.Tries}).Enter(ctx, NewEntry{Link: p.Link, Code: p.Code})
}
