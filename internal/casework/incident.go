package casework

import (
	"context"
	"errors"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// settlePage bounds the items of an ended incident whose priority one
// transaction gives back.
const settlePage = 200

// DeclareIncident says that something happened that many items are about.
func (s *Service) DeclareIncident(ctx context.Context, by concert.Actor, in concert.Incident) (concert.Incident, error) {
	n := concert.Incident{ID: concert.IncidentID(identity.NewID()), Ref: identity.NewReference("IN"), Kind: in.Kind, Name: in.Name, Country: in.Country, At: in.At, Exercise: s.Exercise, Version: 1}
	n, e, err := n.Declared(by, s.now())
	if err != nil {
		return n, err
	}
	return n, s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.Record(e)
		return tx.AddIncident(ctx, n)
	})
}

// EndIncident ends it; what it raised goes back to its own priority, a page at a
// time.
func (s *Service) EndIncident(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Incident, error) {
	var out concert.Incident
	if err := by.MayDeclare(); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		n, err := tx.Incident(ctx, ref)
		if err != nil {
			return err
		}
		next, e, err := n.Ended(by, s.now())
		if err != nil {
			return err
		}
		if version != n.Version {
			return outdated()
		}
		tx.Record(e)
		tx.SetClock(concert.ClockIncident, string(n.ID), s.now())
		out = next
		out.Version++
		return tx.SaveIncident(ctx, next)
	})
	return out, err
}

// AttachToIncident lets items belong to an incident, at most
// concert.CaseThingsMost at once; what waits rises at once.
func (s *Service) AttachToIncident(ctx context.Context, by concert.Actor, ref string, items []string) ([]Result, error) {
	if err := by.MayKeepCases(); err != nil {
		return nil, err
	}
	if len(items) > concert.CaseThingsMost {
		return nil, concert.Refuse(concert.TooLarge, "incident.items", "items", "at most %d items at once", concert.CaseThingsMost)
	}
	out := make([]Result, len(items))
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		n, err := tx.Incident(ctx, ref)
		if err != nil {
			return err
		}
		known, err := tx.BareItemsByRef(ctx, items)
		if err != nil {
			return err
		}
		seen, err := seenBy(ctx, tx, by, known)
		if err != nil {
			return err
		}
		ids := make([]concert.ItemID, 0, len(known))
		for _, it := range known {
			ids = append(ids, it.ID)
		}
		inside, err := tx.InIncident(ctx, n.ID, ids)
		if err != nil {
			return err
		}
		var a attaching
		for i, name := range items {
			it, ok := known[name]
			out[i].Ref = name
			found := ok && (seen[it.ID] || it.Author == by.Authority)
			if !found {
				out[i].Err = concert.ErrNotFound
				continue
			}
			delete(known, name)
			if inside[it.ID] {
				out[i].Outcome, out[i].Version = OutcomeKnown, it.ShownTo(by.Authority).Version
				continue
			}
			next, err := a.one(by, n, it, found, s)
			if err != nil {
				if out[i].Err, err = refusal(err); err != nil {
					return err
				}
				continue
			}
			out[i].Outcome, out[i].Version = "attached", next.ShownTo(by.Authority).Version
		}
		return a.save(ctx, tx, s)
	})
	return out, err
}

// attaching gathers what comes to belong to incidents within one act.
type attaching struct {
	parts  []store.Attached
	saved  []concert.Item
	events []concert.Event
}

// one attaches an item and gives it as it will stand: with the version that it
// has after being saved.
func (a *attaching) one(by concert.Actor, n concert.Incident, it concert.Item, found bool, s *Service) (concert.Item, error) {
	next, e, err := n.Attached(by, it, found, s.now())
	if err != nil {
		return it, err
	}
	a.parts, a.events = append(a.parts, store.Attached{Incident: n, Item: it, By: by, Raised: true}), append(a.events, e)
	if next.Priority != it.Priority {
		a.saved = append(a.saved, next)
		next.Version++
	}
	return next, nil
}

func (a *attaching) save(ctx context.Context, tx *store.Tx, s *Service) error {
	tx.Record(a.events...)
	if err := tx.SaveItems(ctx, a.saved); err != nil {
		return err
	}
	_, err := tx.AddIncidentItems(ctx, a.parts, s.now())
	return err
}

// settleIncident gives the items of an ended incident the priority that is
// theirs without it.
func (s *Service) settleIncident(ctx context.Context, j concert.SettleIncident) error {
	for more := true; more; {
		err := s.retryStale(ctx, func(tx *store.Tx) error {
			more = false
			n, err := tx.Incident(ctx, string(j.Incident))
			if errors.Is(err, concert.ErrNotFound) || err == nil && n.Lasts() {
				return nil
			}
			if err != nil {
				return err
			}
			items, err := tx.Unsettled(ctx, n.ID, true, settlePage)
			if err != nil || len(items) == 0 {
				return err
			}
			more = len(items) == settlePage
			return s.settle(ctx, tx, n, items)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) settle(ctx context.Context, tx *store.Tx, n concert.Incident, items []store.Unsettled) error {
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	// Whoever finds one of them at this moment waits, and raises it after us.
	if err := tx.LockItems(ctx, ids); err != nil {
		return err
	}
	facts, err := priorityFacts(ctx, tx, ids)
	if err != nil {
		return err
	}
	var saved []concert.Item
	for _, it := range items {
		p := it.Own(facts[it.ID], it.Stated).Priority()
		if it.Waits() && it.ErasedAt.IsZero() && it.Priority != p {
			it.Priority = p
			saved = append(saved, it.Item)
		}
	}
	if err := tx.SettlePriorities(ctx, saved); err != nil {
		return err
	}
	tx.Record(n.Settled(len(saved), s.now()))
	return tx.SettleIncidentItems(ctx, n.ID, ids, false)
}

// IncidentView is an incident as any authority sees it: how many items it has in
// all, and the items that its own authority found.
type IncidentView struct {
	concert.Incident
	Authority concert.Authority
	Operator  string // of who declared it
	Counts    map[concert.ItemStatus]int
	Own       map[concert.ItemStatus]int
	Items     []concert.Item // one page of its own, without what is sealed
}

// mayKnowIncidents lets everybody of an authority, and auditors.
func mayKnowIncidents(by concert.Actor) error {
	if by.Has(concert.RoleAuditor) {
		return nil
	}
	return by.MayKeepCases()
}

// Incidents are a page of the incidents, newest first; open ones only where it
// is asked for.
func (s *Service) Incidents(ctx context.Context, scope concert.Scope, open bool, before concert.IncidentID, limit int) ([]IncidentView, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := mayKnowIncidents(scope.Actor()); err != nil {
		return nil, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadIncidents}); err != nil {
		return nil, err
	}
	var out []IncidentView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		ns, err := tx.Incidents(ctx, open, before, limit)
		if err != nil {
			return err
		}
		out = make([]IncidentView, len(ns))
		for i, n := range ns {
			out[i].Incident = n
			if out[i].Authority, err = tx.Authority(ctx, string(n.Authority)); err != nil {
				return err
			}
			if out[i].Counts, out[i].Own, err = tx.IncidentCounts(ctx, n.ID, scope.Actor().Authority); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// ReadIncident is one, with a page of the items that the actor's authority found
// after the one named.
func (s *Service) ReadIncident(ctx context.Context, scope concert.Scope, ref string, after concert.ItemID) (IncidentView, error) {
	var v IncidentView
	if err := scope.Check(); err != nil {
		return v, err
	}
	by := scope.Actor()
	if err := mayKnowIncidents(by); err != nil {
		return v, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadIncident, Ref: ref, Count: 1}); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if v.Incident, err = tx.Incident(ctx, ref); err != nil {
			return err
		}
		if v.Authority, err = tx.Authority(ctx, string(v.Incident.Authority)); err != nil {
			return err
		}
		if v.Counts, v.Own, err = tx.IncidentCounts(ctx, v.ID, by.Authority); err != nil {
			return err
		}
		if v.Items, err = tx.IncidentItems(ctx, v.ID, by.Authority, after, caseItemsPage); err != nil {
			return err
		}
		for i, it := range v.Items {
			v.Items[i] = it.ShownTo(by.Authority).Remaining()
		}
		ops, err := tx.Operators(ctx, []concert.PersonID{v.DeclaredBy})
		v.Operator = ops[v.DeclaredBy]
		return err
	})
	if err != nil {
		return IncidentView{}, err
	}
	return v, nil
}

// openIncident is an incident that items may be handed in with.
func openIncident(ctx context.Context, tx *store.Tx, ref string) (concert.Incident, error) {
	n, err := tx.Incident(ctx, ref)
	if errors.Is(err, concert.ErrNotFound) {
		return n, concert.Refuse(concert.Invalid, "incident.unknown", "incident", "no incident is declared as %.40q: take the reference from the list, or leave it out", ref)
	}
	return n, err
}
