package api

import (
	"context"
	"net/url"
)

// SecondStep ends a log-in that is half done.
type SecondStep struct {
	Session string `json:"session" maxLength:"100" doc:"the half session, cst_…"`
	Code    string `json:"code" minLength:"1" maxLength:"40" doc:"a one-time code, or a recovery code"`
}

// NewCode is a one-time code, or a recovery code.
type NewCode struct {
	Code string `json:"code" minLength:"1" maxLength:"40"`
}

// NewFactor names a second factor.
type NewFactor struct {
	Name string `json:"name" minLength:"1" maxLength:"40" doc:"by which you know it again"`
}

// FactorSetup is what an authenticator app needs, until its first code.
type FactorSetup struct {
	Secret string `json:"secret" doc:"base32, to be typed"`
	URL    string `json:"url" doc:"otpauth://totp/…, to be drawn"`
}

// Factor is a second factor of one's own.
type Factor struct {
	ID        string `json:"id"`
	Kind      string `json:"kind" enum:"totp,passkey"`
	Name      string `json:"name"`
	CreatedAt string `json:"created_at"`
	UsedAt    string `json:"used_at,omitempty"`
}

// Factors are one's own second factors.
type Factors struct {
	Items         []Factor `json:"items"`
	RecoveryCodes int      `json:"recovery_codes" doc:"how many are left"`
}

// RecoveryCodes are shown once; each is good once, in the second factor's place.
type RecoveryCodes struct {
	Codes []string `json:"codes" doc:"empty where the older ones stay good"`
}

// Session is a log-in of one's own.
type Session struct {
	ID        string `json:"id"`
	Browser   string `json:"browser,omitempty"`
	CreatedAt string `json:"created_at"`
	SeenAt    string `json:"seen_at,omitempty" doc:"last request, to the minute"`
	ProvenAt  string `json:"proven_at,omitempty" doc:"last time its second factor was given"`
	Current   bool   `json:"current,omitempty" doc:"the one that asks"`
}

// SecondStep ends a log-in that is half done.
func (c *Client) SecondStep(ctx context.Context, in SecondStep) (Entry, error) {
	return post[Entry](ctx, c, "/api/v1/enter/second", Call{}, in)
}

// StepUp proves one's second factor once more in a session.
func (c *Client) StepUp(ctx context.Context, in NewCode) error {
	return c.Do(ctx, "POST", "/api/v1/me/step-up", Call{}, in, nil)
}

// MyFactors are one's own second factors.
func (c *Client) MyFactors(ctx context.Context) (Factors, error) {
	return get[Factors](ctx, c, "/api/v1/me/factors", nil)
}

// BeginTOTP begins one-time codes.
func (c *Client) BeginTOTP(ctx context.Context, in NewFactor) (FactorSetup, error) {
	return post[FactorSetup](ctx, c, "/api/v1/me/factors/totp", Call{}, in)
}

// ConfirmTOTP gives the first code.
func (c *Client) ConfirmTOTP(ctx context.Context, in NewCode) (RecoveryCodes, error) {
	return post[RecoveryCodes](ctx, c, "/api/v1/me/factors/totp/confirm", Call{}, in)
}

// RemoveFactor takes one away.
func (c *Client) RemoveFactor(ctx context.Context, id string) error {
	return c.Do(ctx, "POST", "/api/v1/me/factors/"+url.PathEscape(id)+"/remove", Call{}, nil, nil)
}

// NewRecoveryCodes makes new ones in the older ones' place.
func (c *Client) NewRecoveryCodes(ctx context.Context) (RecoveryCodes, error) {
	return post[RecoveryCodes](ctx, c, "/api/v1/me/factors/codes", Call{}, nil)
}

// MySessions are one's own log-ins, newest first.
func (c *Client) MySessions(ctx context.Context) (Page[Session], error) {
	return get[Page[Session]](ctx, c, "/api/v1/me/sessions", nil)
}

// EndSession ends one of one's own log-ins.
func (c *Client) EndSession(ctx context.Context, id string) error {
	return c.Do(ctx, "POST", "/api/v1/me/sessions/"+url.PathEscape(id)+"/end", Call{}, nil, nil)
}

// EndOtherSessions ends all of one's own log-ins but the one that asks.
func (c *Client) EndOtherSessions(ctx context.Context) error {
	return c.Do(ctx, "POST", "/api/v1/me/sessions/end-others", Call{}, nil, nil)
}

// EndSessionsOf ends all log-ins of somebody, for an administrator.
func (c *Client) EndSessionsOf(ctx context.Context, call Call, id string) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/end-sessions", call, nil)
}

// ResetFactors proposes to take somebody's lost factors away, for an
// administrator; a second one confirms it (ConfirmPerson).
func (c *Client) ResetFactors(ctx context.Context, call Call, id string) (Person, error) {
	return post[Person](ctx, c, "/api/v1/people/"+url.PathEscape(id)+"/reset-factors", call, nil)
}
