package api

import "context"

// DispatchReason is why everything that leaves is held, or released.
type DispatchReason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"4000"`
}

// Dispatch says whether anything leaves the house.
type Dispatch struct {
	Held   bool   `json:"held"`
	Cause  string `json:"cause,omitempty" enum:"restored,ordered" doc:"restored: from a backup; ordered: by an administrator"`
	Since  string `json:"since,omitempty"`
	Reason string `json:"reason,omitempty" doc:"for administrators and auditors"`
}

// Dispatch says whether anything leaves the house now.
func (c *Client) Dispatch(ctx context.Context) (Dispatch, error) {
	return get[Dispatch](ctx, c, "/api/v1/dispatch", nil)
}

// HoldDispatch stops everything that leaves the house (administrator).
func (c *Client) HoldDispatch(ctx context.Context, call Call, in DispatchReason) (Dispatch, error) {
	return post[Dispatch](ctx, c, "/api/v1/dispatch/hold", call, in)
}

// ReleaseDispatch lets everything go again (administrator).
func (c *Client) ReleaseDispatch(ctx context.Context, call Call, in DispatchReason) (Dispatch, error) {
	return post[Dispatch](ctx, c, "/api/v1/dispatch/release", call, in)
}
