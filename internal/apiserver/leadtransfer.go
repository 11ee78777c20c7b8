package apiserver

import (
	"context"
	"fmt"
	"net/http"

	"concert"
	"concert/api"
)

func headOf(h concert.CustodyHead) string { return fmt.Sprintf("%d:%s", h.N, h.Hash) }

// leads are what single states receive of an exhibit.
func (s *Server) leads() {
	do(s, created(op(http.MethodPost, "/cases/{id}/leads", "request-lead", "Ask to let a lead go to a state; what the law does not let go comes back refused, and is recorded", "evidence")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewLead]) (api.Lead, error) {
		b := in.Body
		l := concert.Lead{Recipient: concert.LeadRecipient{Name: b.Name, Kind: concert.LeadRecipientKind(b.Kind), State: b.State}, ForCourt: b.ForCourt, Persons: b.Persons}
		if t := b.Transfer; t != nil {
			l.Transfer = concert.Transfer{Ground: concert.TransferGround(t.Ground), Basis: t.Basis, Torture: t.Torture, DeathPenalty: t.DeathPenalty, Persecution: t.Persecution}
		}
		l, err := s.svc.AskLead(ctx, by, in.ID, b.Exhibit, l)
		return leadOf(l, nil), err
	})
	onLead(s, "/release", "release-lead", "Let the package of a lead leave, as another member with the role reviewer", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.ReleaseLead) (concert.Lead, error) {
		return s.svc.ReleaseLead(ctx, by, ref, v, in.Package)
	})
	onLead(s, "/receipt", "receipt-lead", "Record the recipient's signed receipt", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.ReceiptLead) (concert.Lead, error) {
		return s.svc.ReceiptLead(ctx, by, ref, v, in.Receipt)
	})
	onLead(s, "/drop", "drop-lead", "End a lead that was not released", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Reasoned) (concert.Lead, error) {
		return s.svc.DropLead(ctx, by, ref, v, in.Reason)
	})
}

// onLead is an act on one lead that answers with it as it stands after.
func onLead[T any](s *Server, path, id, summary string, act func(context.Context, concert.Actor, string, int64, T) (concert.Lead, error)) {
	do(s, op(http.MethodPost, "/leads/{id}"+path, id, summary, "evidence"), func(ctx context.Context, by concert.Actor, in *matched[T]) (api.Lead, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Lead{}, err
		}
		l, err := act(ctx, by, in.ID, v, in.Body)
		l.Persons, l.Transfer, l.Recipient.Name, l.Reason = nil, concert.Transfer{Ground: l.Transfer.Ground}, "", "" // they are read with a justification
		return leadOf(l, nil), err
	})
}

func leadOf(l concert.Lead, names map[concert.PersonID]string) api.Lead {
	out := api.Lead{ID: l.Ref, Version: l.Version, Status: string(l.Status), Code: l.Code, Why: l.Reason, State: l.Recipient.State, Kind: string(l.Recipient.Kind), Name: l.Recipient.Name, ForCourt: l.ForCourt, Persons: l.Persons, Package: l.Package, Receipt: l.Receipt,
		AskedAt: stamp(l.AskedAt), AskedBy: names[l.AskedBy], ReleasedAt: stamp(l.ReleasedAt), ReleasedBy: names[l.ReleasedBy], Exercise: l.Exercise}
	if l.Code != "" {
		out.Why = concert.LeadRefusal(l.Code)
	}
	if t := l.Transfer; t != (concert.Transfer{}) {
		out.Transfer = &api.Transfer{Ground: string(t.Ground), Basis: t.Basis, Torture: t.Torture, DeathPenalty: t.DeathPenalty, Persecution: t.Persecution}
	}
	return out
}
