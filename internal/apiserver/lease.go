package apiserver

import (
	"context"
	"net/http"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// bare is a POST on one thing that says no more.
type bare struct {
	One
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
}

// on is a POST on one thing that says something, and reads no version: what it
// changes is about the work, not about the thing.
type on[T any] struct {
	One
	Keyed[T]
}

func (s *Server) leases() {
	do(s, op(http.MethodGet, "/desk", "desk", "What waits for me now; nothing of it is sealed", "desk"), func(ctx context.Context, _ concert.Actor, _ *struct{}) (api.Desk, error) {
		sc, err := scope(ctx)
		if err != nil {
			return api.Desk{}, err
		}
		d, err := s.svc.ReadDesk(ctx, sc)
		return deskOf(d), err
	})
	do(s, op(http.MethodPost, "/desk/next", "take-next", "Take the next item in hand: the most urgent and oldest that nobody else has", "desk"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NextQuery]) (api.NextItem, error) {
		take := func() (casework.Taken, error) { return s.svc.TakeNext(ctx, by, concert.ItemStatus(in.Body.Stage)) }
		if in.Body.Unveiled {
			if in.Body.Stage != "" {
				return api.NextItem{}, concert.Refuse(concert.Invalid, "desk.next", "without_pictures", "without_pictures takes whichever comes first for you: leave stage out")
			}
			take = func() (casework.Taken, error) { return s.svc.TakeNextUnveiled(ctx, by) }
		}
		t, err := take()
		if err != nil || t.Ref == "" {
			return api.NextItem{}, err
		}
		c := claimOf(t.Item, t.Slip, nil)
		return api.NextItem{Claim: &c}, nil
	})
	do(s, op(http.MethodPost, "/items/{id}/claim", "claim-item", "Take an item in hand for fifteen minutes, or go on holding it", "desk"), func(ctx context.Context, by concert.Actor, in *bare) (api.Claim, error) {
		return claimAfter(s.svc.ClaimItem(ctx, by, in.ID))
	})
	do(s, op(http.MethodPost, "/items/{id}/give-back", "give-back-item", "End my own claim", "desk"), func(ctx context.Context, by concert.Actor, in *bare) (struct{}, error) {
		return struct{}{}, s.svc.GiveBack(ctx, by, in.ID)
	})
	do(s, op(http.MethodPost, "/items/{id}/skip", "skip-item", "Do not offer it to me for a day; no reason, no event, no count", "desk"), func(ctx context.Context, by concert.Actor, in *bare) (struct{}, error) {
		return struct{}{}, s.svc.SkipItem(ctx, by, in.ID)
	})
	do(s, op(http.MethodPost, "/items/{id}/park", "park-item", "Put an item aside until a time", "desk"), func(ctx context.Context, by concert.Actor, in *on[api.NewParking]) (api.Claim, error) {
		until, err := time.Parse(time.RFC3339, in.Body.Until)
		if err != nil {
			until = time.Time{} // who may not park at all is told that first
		}
		return claimAfter(s.svc.ParkItem(ctx, by, in.ID, until, in.Body.Reason))
	})
	do(s, op(http.MethodPost, "/items/{id}/hand-over", "hand-over-item", "Give an item to a colleague with a note, or to all", "desk"), func(ctx context.Context, by concert.Actor, in *on[api.NewHandover]) (api.Claim, error) {
		return claimAfter(s.svc.HandOver(ctx, by, in.ID, in.Body.To, in.Body.Note))
	})
	do(s, op(http.MethodPost, "/items/{id}/ask-lead", "ask-lead", "Give an item to a reviewer or coordinator with a question, and raise its priority", "desk"), func(ctx context.Context, by concert.Actor, in *on[api.NewLeadQuestion]) (api.Claim, error) {
		return claimAfter(s.svc.EscalateItem(ctx, by, in.ID, in.Body.To, in.Body.Reason))
	})
	do(s, op(http.MethodPost, "/items/{id}/take-over", "take-over-item", "Take an item from a colleague who has it in hand, with a reason", "desk"), func(ctx context.Context, by concert.Actor, in *on[api.Reasoned]) (api.Claim, error) {
		return claimAfter(s.svc.TakeOver(ctx, by, in.ID, in.Body.Reason))
	})
}

func claimAfter(t casework.Taken, err error) (api.Claim, error) {
	return claimOf(t.Item, t.Slip, nil), err
}

// claimOf is an item with what lies on it; numbers are the operator numbers of
// those that the slip names, as far as they are known.
func claimOf(it concert.Item, s concert.Slip, numbers map[concert.PersonID]string) api.Claim {
	return api.Claim{ID: it.Ref, Version: it.Version, Status: string(it.Status), Type: string(it.Type), Priority: it.Priority, Holder: s.Number, Until: stamp(s.Until), ParkedUntil: stamp(s.ParkedUntil), KeptUntil: stamp(s.KeptUntil),
		HandedBy: numbers[s.HandedBy], AsksLead: s.Escalated(), AskedBy: numbers[s.EscalatedBy]}
}

func deskOf(d casework.Desk) api.Desk {
	rows := func(in []casework.OnDesk) []api.Claim {
		out := make([]api.Claim, len(in))
		for i, o := range in {
			out[i] = claimOf(o.Item, o.Slip, d.Numbers)
			out[i].Why = reasonsOf(o.Why)
		}
		return out
	}
	out := api.Desk{ServerTime: stamp(d.At), Held: rows(d.Held), Handed: rows(d.Handed), AskLead: rows(d.Escalated), Back: rows(d.Back), Parked: rows(d.Parked), Decide: rows(d.Decide), Assess: rows(d.Assess),
		Ended: make([]api.EndedClaim, len(d.Ended)), Counts: map[string]int{}, SecondLooks: d.SecondLooks}
	for i, e := range d.Ended {
		out.Ended[i] = api.EndedClaim{Item: e.Ref, Cause: string(e.Cause), By: d.Numbers[e.By], At: stamp(e.At)}
	}
	for status, n := range d.Counts {
		out.Counts[string(status)] = n
	}
	return out
}

func reasonsOf(why []concert.PriorityReason) []api.PriorityReason {
	out := make([]api.PriorityReason, len(why))
	for i, r := range why {
		out[i] = api.PriorityReason{Code: r.Code, Value: r.Value, Count: r.Count, Text: concert.ReasonTexts[r.Code]}
	}
	return out
}
