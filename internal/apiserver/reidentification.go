package apiserver

import (
	"context"
	"net/http"
	"slices"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/vault"
)

// reidentifications are requests to open pseudonyms of a seized server's visitors.
func (s *Server) reidentifications() {
	do(s, created(op(http.MethodPost, "/cases/{id}/reidentifications", "ask-reidentification", "Ask to open named pseudonyms; what no approval could make lawful comes back refused, and is recorded", "evidence")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewReidentification]) (api.Reidentification, error) {
		r, err := newRequest(in.Body)
		if err != nil {
			return api.Reidentification{}, err
		}
		r, err = s.svc.AskReidentification(ctx, by, in.ID, in.Body.Exhibit, in.Body.Judicial, r)
		return requestOf(casework.ReidentificationView{Reidentification: r, CaseRef: in.ID}), err
	})
	ask(s, op(http.MethodGet, "/reidentifications", "reidentifications", "Requests to open pseudonyms that wait for me, a magistrate", "evidence"), func(ctx context.Context, sc concert.Scope, _ *struct{}) (api.Page[api.Reidentification], error) {
		vs, err := s.svc.ReidentificationsToDecide(ctx, sc)
		out := api.Page[api.Reidentification]{Items: []api.Reidentification{}}
		for _, v := range vs {
			out.Items = append(out.Items, requestOf(v))
		}
		return out, err
	})
	ask(s, op(http.MethodGet, "/reidentifications/{id}", "reidentification", "One request to open pseudonyms", "evidence"), func(ctx context.Context, sc concert.Scope, in *One) (api.Reidentification, error) {
		v, err := s.svc.ReadReidentification(ctx, sc, in.ID)
		return requestOf(v), err
	})
	onRequest(s, "/confirm", "confirm-reidentification", "Confirm that the facts bear the request, as another member with the role reviewer", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Reidentification, error) {
		return s.svc.ConfirmReidentification(ctx, by, ref, v)
	})
	onRequest(s, "/authorise", "authorise-reidentification", "Decide that the pseudonyms are opened (prosecutor or judge)", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Reidentification, error) {
		return s.svc.AuthoriseReidentification(ctx, by, ref, v)
	})
	onRequest(s, "/decline", "decline-reidentification", "Decline a request to open pseudonyms", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Reasoned) (concert.Reidentification, error) {
		return s.svc.DeclineReidentification(ctx, by, ref, v, in.Reason)
	})
	onRequest(s, "/shares", "give-share", "Hand a custodian's share in", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.GivenShare) (concert.Reidentification, error) {
		return s.svc.TakeShare(ctx, by, ref, v, []byte(in.Share))
	})
	onRequest(s, "/close", "close-reidentification", "End a request and destroy the key that shares were given to", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Reidentification, error) {
		return s.svc.CloseReidentification(ctx, by, ref, v)
	})
	do(s, op(http.MethodPost, "/reidentifications/{id}/open", "open-pseudonyms", "Read who stands behind the pseudonyms: that it is read is in the log before anything is opened, and nothing of the answer is kept", "evidence"), func(ctx context.Context, by concert.Actor, in *matchedOne) (api.Identities, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Identities{}, err
		}
		r, who, err := s.svc.OpenPseudonyms(ctx, by, in.ID, v)
		return identitiesOf(r, who), err
	})
}

// onRequest is an act on one request that answers with it as it stands after.
func onRequest[T any](s *Server, path, id, summary string, act func(context.Context, concert.Actor, string, int64, T) (concert.Reidentification, error)) {
	do(s, op(http.MethodPost, "/reidentifications/{id}"+path, id, summary, "evidence"), func(ctx context.Context, by concert.Actor, in *matched[T]) (api.Reidentification, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Reidentification{}, err
		}
		r, err := act(ctx, by, in.ID, v, in.Body)
		r.Subjects = nil // they are read with a justification
		return requestOf(casework.ReidentificationView{Reidentification: r}), err
	})
}

func newRequest(in api.NewReidentification) (concert.Reidentification, error) {
	r := concert.Reidentification{Purpose: concert.ReidentifyPurpose(in.Purpose), Selection: concert.Selection(in.Selection), Instrument: concert.Instrument{Kind: concert.InstrumentKind(in.Instrument.Kind), Issuer: in.Instrument.Issuer, Reference: in.Instrument.Reference}}
	var err error
	if r.Instrument.Until, err = day(in.Instrument.Until, "instrument.over", "until"); err != nil {
		return r, err
	}
	if !r.Instrument.Until.IsZero() {
		r.Instrument.Until = r.Instrument.Until.AddDate(0, 0, 1) // to the end of its last day
	}
	for _, s := range in.Subjects {
		sub := concert.ReidentifySubject{Pseudonym: s.Pseudonym, Category: concert.DataSubject(s.Category), Ground: s.Ground}
		for _, f := range s.Facts {
			sub.Facts = append(sub.Facts, concert.SourceFact{Kind: f.Kind, At: momentOf(f.At), File: f.File, Offset: f.Offset, Length: f.Length, Line: f.Line, Rule: f.Rule, Evaluation: f.Evaluation})
		}
		r.Subjects = append(r.Subjects, sub)
	}
	return r, nil
}

func requestOf(v casework.ReidentificationView) api.Reidentification {
	r := v.Reidentification
	out := api.Reidentification{ID: r.Ref, Version: r.Version, Status: string(r.Status), Code: r.Code, Why: r.Reason, Case: v.CaseRef, Exhibit: v.ExhibitRef, Authority: v.Of.Ref, Judicial: v.Court.Ref, Purpose: string(r.Purpose), AskedAt: stamp(r.AskedAt),
		AskedBy: v.Operators[r.AskedBy], ConfirmedBy: v.Operators[r.ConfirmedBy], AuthorisedBy: v.Operators[r.AuthorisedBy], Recipient: r.Recipient, Shares: len(r.Shares), Needed: v.Needed, Revealed: r.Revealed, Exercise: r.Exercise, OpenUntil: stamp(r.OpenUntil())}
	if r.Code != "" {
		out.Why = concert.ReidentifyNever(r.Code)
	}
	if r.Instrument.Kind != "" {
		out.Instrument = &api.Instrument{Kind: string(r.Instrument.Kind), Issuer: r.Instrument.Issuer, Reference: r.Instrument.Reference, Until: date(r.Instrument.Until.Add(-time.Microsecond))}
	}
	for _, s := range r.Subjects {
		sub := api.ReidentifySubject{Pseudonym: s.Pseudonym, Category: string(s.Category), Ground: s.Ground, Facts: []api.SourceFact{}}
		for _, f := range s.Facts {
			sub.Facts = append(sub.Facts, api.SourceFact{Kind: f.Kind, At: stamp(f.At), File: f.File, Offset: f.Offset, Length: f.Length, Line: f.Line, Rule: f.Rule, Evaluation: f.Evaluation})
		}
		out.Subjects = append(out.Subjects, sub)
	}
	return out
}

func identitiesOf(r concert.Reidentification, who []vault.Identified) api.Identities {
	out := api.Identities{Request: requestOf(casework.ReidentificationView{Reidentification: r}), Identities: []api.Identity{}}
	for _, i := range who {
		out.Identities = append(out.Identities, api.Identity{Pseudonym: i.Pseudonym, Kind: i.Kind, Plain: i.Text()})
	}
	for _, s := range r.Subjects {
		if !slices.ContainsFunc(who, func(i vault.Identified) bool { return i.Pseudonym == s.Pseudonym }) {
			out.Missing = append(out.Missing, s.Pseudonym)
		}
	}
	return out
}
