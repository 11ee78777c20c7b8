package apiserver

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// enrolPath is what is open to whoever has to set up a second factor first.
const enrolPath = "/api/v1/me/factors"

func (s *Server) factors() {
	huma.Register(s.api, public(op(http.MethodPost, "/enter/second", "second-step", "End a log-in that is half done", "people")), func(ctx context.Context, in *body[api.SecondStep]) (*body[api.Entry], error) {
		e, err := s.svc.SecondStep(ctx, casework.Caller{}, in.Body.Session, in.Body.Code)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Entry]{entryOf(e)}, nil
	})
	do(s, op(http.MethodPost, "/me/step-up", "step-up", "Prove your second factor once more in this session", "people"), func(ctx context.Context, by concert.Actor, in *body[api.NewCode]) (struct{}, error) {
		return struct{}{}, s.svc.StepUp(ctx, by, casework.Caller{}, in.Body.Code)
	})
	do(s, op(http.MethodGet, "/me/factors", "my-factors", "Your own second factors", "people"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Factors, error) {
		factors, codes, err := s.svc.Factors(ctx, by)
		out := api.Factors{Items: []api.Factor{}, RecoveryCodes: codes}
		for _, f := range factors {
			out.Items = append(out.Items, api.Factor{ID: f.Ref, Kind: string(f.Kind), Name: f.Name, CreatedAt: stamp(f.CreatedAt.UTC()), UsedAt: stamp(f.UsedAt.UTC())})
		}
		return out, err
	})
	do(s, op(http.MethodPost, "/me/factors/totp", "begin-totp", "Begin one-time codes: the secret for your authenticator app", "people"), func(ctx context.Context, by concert.Actor, in *body[api.NewFactor]) (api.FactorSetup, error) {
		setup, err := s.svc.BeginTOTP(ctx, by, in.Body.Name)
		return api.FactorSetup{Secret: setup.Text, URL: setup.URL}, err
	})
	do(s, op(http.MethodPost, "/me/factors/totp/confirm", "confirm-totp", "Give the first one-time code; recovery codes come with your first factor", "people"), func(ctx context.Context, by concert.Actor, in *body[api.NewCode]) (api.RecoveryCodes, error) {
		codes, err := s.svc.ConfirmTOTP(ctx, by, in.Body.Code)
		return recoveryOf(codes), err
	})
	do(s, op(http.MethodPost, "/me/factors/codes", "new-recovery-codes", "Make new recovery codes; the older ones end", "people"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.RecoveryCodes, error) {
		codes, err := s.svc.NewRecoveryCodes(ctx, by)
		return recoveryOf(codes), err
	})
	do(s, op(http.MethodPost, "/me/factors/{id}/remove", "remove-factor", "Take one of your own second factors away", "people"), func(ctx context.Context, by concert.Actor, in *One) (struct{}, error) {
		return struct{}{}, s.svc.RemoveFactor(ctx, by, in.ID)
	})
	do(s, op(http.MethodGet, "/me/sessions", "my-sessions", "Your own log-ins, newest first", "people"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Page[api.Session], error) {
		kept, err := s.svc.Sessions(ctx, by)
		out := api.Page[api.Session]{Items: []api.Session{}}
		for _, k := range kept {
			out.Items = append(out.Items, api.Session{ID: k.ID, Browser: k.Browser, CreatedAt: stamp(k.CreatedAt.UTC()), SeenAt: stamp(k.SeenAt.UTC()), ProvenAt: stamp(k.ProvenAt.UTC()), Current: k.Current})
		}
		return out, err
	})
	do(s, op(http.MethodPost, "/me/sessions/end-others", "end-other-sessions", "End all of your own log-ins but this one", "people"), func(ctx context.Context, by concert.Actor, _ *struct{}) (struct{}, error) {
		return struct{}{}, s.svc.EndOtherSessions(ctx, by)
	})
	do(s, op(http.MethodPost, "/me/sessions/{id}/end", "end-session", "End one of your own log-ins", "people"), func(ctx context.Context, by concert.Actor, in *One) (struct{}, error) {
		return struct{}{}, s.svc.EndSession(ctx, by, in.ID)
	})
	do(s, op(http.MethodPost, "/people/{id}/end-sessions", "end-sessions", "End all log-ins of somebody", "people"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Person, error) {
		p, err := s.svc.EndSessionsOf(ctx, by, in.ID)
		return s.changedPerson(ctx, by, p, err, nil)
	})
	do(s, op(http.MethodPost, "/people/{id}/reset-factors", "reset-factors", "Propose to take somebody's lost second factors away; a second administrator confirms", "people"), func(ctx context.Context, by concert.Actor, in *keyedOne) (api.Person, error) {
		link, _, err := s.svc.ResetFactors(ctx, by, in.ID)
		return s.changedPerson(ctx, by, concert.Person{Operator: in.ID}, err, func(out *api.Person) { out.Link = link })
	})
}

func entryOf(e casework.Entered) api.Entry {
	return api.Entry{Session: e.Session, Operator: e.Person.Operator, Half: e.Half}
}

func recoveryOf(codes []string) api.RecoveryCodes {
	if codes == nil {
		codes = []string{}
	}
	return api.RecoveryCodes{Codes: codes}
}

func powersOf(scopes []string) []concert.Power {
	out := make([]concert.Power, len(scopes))
	for i, s := range scopes {
		out[i] = concert.Power(s)
	}
	return out
}

func scopeNames(scopes []concert.Power) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = string(s)
	}
	return out
}
