package apiserver_test

import (
	"testing"

	"concert/api"
)

func TestDispatchIsHeldAndReleasedOverTheAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	reason := api.DispatchReason{Reason: "EXERCISE something is badly wrong"}
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/dispatch/hold", encode(t, reason)), 403, "role.missing")
	wantCode(t, d.raw(t, &d.admin, "POST", "/api/v1/dispatch/release", encode(t, reason)), 409, "dispatch.not_held")
	wantCode(t, d.raw(t, &d.admin, "POST", "/api/v1/dispatch/hold", `{"reason":"short"}`), 422, "dispatch.reason")
	if held := must(d.admin.HoldDispatch(ctx, api.Call{}, reason))(t); !held.Held || held.Cause != "ordered" || held.Since == "" {
		t.Errorf("%+v", held)
	}
	wantCode(t, d.raw(t, &d.admin, "POST", "/api/v1/dispatch/hold", encode(t, reason)), 409, "dispatch.held")
	wantCode(t, d.raw(t, nil, "GET", "/api/v1/dispatch", ""), 401, "credential.missing")
	if got := must(d.officer.Dispatch(ctx))(t); !got.Held || got.Reason != "" {
		t.Errorf("an officer reads %+v", got)
	}
	if got := must(d.admin.Dispatch(ctx))(t); got.Reason != reason.Reason {
		t.Errorf("an administrator reads %+v", got)
	}
	if got := must(d.admin.ReleaseDispatch(ctx, api.Call{}, api.DispatchReason{Reason: "EXERCISE it was a false alarm"}))(t); got.Held {
		t.Errorf("released, it is %+v", got)
	}
	if got := must(d.officer.Dispatch(ctx))(t); got != (api.Dispatch{}) {
		t.Errorf("afterwards an officer reads %+v", got)
	}
}
