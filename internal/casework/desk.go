package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

const (
	// deskNext is how many of the next items the desk shows.
	deskNext = 5
	// deskMost bounds each of its counts.
	deskMost  = 100
	endsShown = 20
)

// OnDesk is one item that waits, with what lies on it and why it is where it is.
// Nothing of it is sealed.
type OnDesk struct {
	concert.Item
	Slip concert.Slip
	Why  []concert.PriorityReason
}

// EndedClaim is a claim that ended without its holder's doing.
type EndedClaim struct {
	concert.ClaimEnd
	Ref    string
	Status concert.ItemStatus // where the item stands now
}

// Desk is what waits for one person now.
type Desk struct {
	At          time.Time
	Held        []OnDesk // in hand, the first to run out first
	Handed      []OnDesk // handed over to me by a colleague
	Escalated   []OnDesk // escalated to me, or to any lead
	Back        []OnDesk // parked by me, and back
	Parked      []OnDesk // parked by me, until later
	Ended       []EndedClaim
	Decide      []OnDesk // the first that wait for a decision
	Assess      []OnDesk // the first that wait for an assessment
	Counts      map[concert.ItemStatus]int
	SecondLooks int
	Numbers     map[concert.PersonID]string // operator numbers of those named
}

// Waiting is how many items wait for this person before all others.
func (d Desk) Waiting() int { return len(d.Held) + len(d.Handed) + len(d.Escalated) + len(d.Back) }

// Empty reports whether there is nothing to take.
func (d Desk) Empty() bool { return d.Waiting()+len(d.Decide)+len(d.Assess) == 0 }

// deskCounts are the statuses that a desk counts.
var deskCounts = []concert.ItemStatus{concert.ItemOpen, concert.ItemAssessed, concert.ItemHeld, concert.ItemStillUp, concert.ItemReturned}

// ReadDesk is what waits for the actor now. It opens nothing sealed, so that
// it needs no justification: references, codes and times only.
func (s *Service) ReadDesk(ctx context.Context, scope concert.Scope) (Desk, error) {
	d := Desk{At: s.now()}
	if err := scope.Check(); err != nil {
		return d, err
	}
	by := scope.Actor()
	if err := mayTake(by, ""); err != nil {
		return d, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		if err := s.deskLists(ctx, tx, by, &d); err != nil {
			return err
		}
		if err := s.explain(ctx, tx, &d); err != nil {
			return err
		}
		d.Counts = make(map[concert.ItemStatus]int, len(deskCounts))
		for _, status := range deskCounts {
			var err error
			if d.Counts[status], err = tx.CountItems(ctx, scope, store.ItemFilter{Status: status, Authority: by.Authority}, deskMost); err != nil {
				return err
			}
		}
		if by.Has(concert.RoleReviewer) {
			looks, err := looksFor(ctx, tx, by)
			if err != nil {
				return err
			}
			d.SecondLooks = len(looks)
		}
		return s.deskEnds(ctx, tx, by, &d)
	})
	return d, err
}

func (s *Service) deskLists(ctx context.Context, tx *store.Tx, by concert.Actor, d *Desk) error {
	held, err := tx.Held(ctx, by.Person, d.At)
	if err != nil {
		return err
	}
	d.Held = onDesk(held)
	kept, err := tx.Kept(ctx, by.Person)
	if err != nil {
		return err
	}
	for _, w := range kept {
		o := onDesk([]store.OnSlip{w})
		switch {
		case w.Slip.Held(d.At):
		case w.Slip.ParkedBy == by.Person && w.Slip.Parked(d.At):
			d.Parked = append(d.Parked, o...)
		case w.Slip.ParkedBy == by.Person:
			d.Back = append(d.Back, o...)
		case !w.Slip.Escalated() && w.Slip.MayWork(by, w.Item, true, d.At) == nil:
			d.Handed = append(d.Handed, o...)
		}
	}
	if by.Has(concert.RoleReviewer) || by.Has(concert.RoleCoordinator) {
		lead, err := tx.EscalatedIn(ctx, by.Authority)
		if err != nil {
			return err
		}
		d.Escalated = onDesk(slices.DeleteFunc(lead, func(w store.OnSlip) bool {
			return w.Slip.Held(d.At) || w.Slip.Parked(d.At) || w.Slip.EscalatedBy == by.Person || w.Slip.MayWork(by, w.Item, true, d.At) != nil
		}))
	}
	if by.Has(concert.RoleReviewer) {
		next, err := tx.NextToDecide(ctx, by, d.At, deskNext)
		if err != nil {
			return err
		}
		d.Decide = onDesk(d.notYet(next))
	}
	if by.Has(concert.RoleOfficer) {
		next, err := tx.NextToAssess(ctx, by, d.At, deskNext)
		if err != nil {
			return err
		}
		d.Assess = onDesk(d.notYet(next))
	}
	return nil
}

// notYet leaves out what stands further up already.
func (d *Desk) notYet(next []store.OnSlip) []store.OnSlip {
	above := map[concert.ItemID]bool{}
	for _, list := range [][]OnDesk{d.Held, d.Handed, d.Escalated, d.Back} {
		for _, o := range list {
			above[o.ID] = true
		}
	}
	return slices.DeleteFunc(next, func(w store.OnSlip) bool { return above[w.ID] })
}

func onDesk(ws []store.OnSlip) []OnDesk {
	out := make([]OnDesk, len(ws))
	for i, w := range ws {
		out[i] = OnDesk{Item: w.Item, Slip: w.Slip}
	}
	return out
}

// explain fills in why each item is where it is, and who is named.
func (s *Service) explain(ctx context.Context, tx *store.Tx, d *Desk) error {
	lists := []*[]OnDesk{&d.Held, &d.Handed, &d.Escalated, &d.Back, &d.Parked, &d.Decide, &d.Assess}
	var ids []concert.ItemID
	var people []concert.PersonID
	for _, list := range lists {
		for _, o := range *list {
			ids = append(ids, o.ID)
			people = append(people, peopleOn(o.Slip)...)
		}
	}
	facts, err := priorityFacts(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, list := range lists {
		for i, o := range *list {
			(*list)[i].Why = o.Item.Why(facts[o.ID], d.At)
		}
	}
	d.Numbers, err = tx.Operators(ctx, people)
	return err
}

// priorityFacts are what the priorities of these items follow from, besides the
// items themselves.
func priorityFacts(ctx context.Context, tx *store.Tx, items []concert.ItemID) (map[concert.ItemID]concert.PriorityFacts, error) {
	finders, err := tx.Finders(ctx, items)
	if err != nil {
		return nil, err
	}
	severities, err := tx.ItemSeverities(ctx, items)
	if err != nil {
		return nil, err
	}
	incidents, err := tx.IncidentsOf(ctx, items)
	if err != nil {
		return nil, err
	}
	out := make(map[concert.ItemID]concert.PriorityFacts, len(items))
	for _, id := range items {
		out[id] = concert.PriorityFacts{Severity: severities[id], Finders: len(finders[id]), Incident: concert.RaisedBy(incidents[id]...)}
	}
	return out, nil
}

func (s *Service) deskEnds(ctx context.Context, tx *store.Tx, by concert.Actor, d *Desk) error {
	ends, err := tx.ClaimEnds(ctx, by.Person, endsShown)
	if err != nil || len(ends) == 0 {
		return err
	}
	ids := make([]concert.ItemID, len(ends))
	var people []concert.PersonID
	for i, e := range ends {
		ids[i] = e.Item
		if e.By != "" {
			people = append(people, e.By)
		}
	}
	items, err := tx.BareItemsByID(ctx, ids)
	if err != nil {
		return err
	}
	byID := map[concert.ItemID]concert.Item{}
	for _, it := range items {
		byID[it.ID] = it
	}
	numbers, err := tx.Operators(ctx, people)
	if err != nil {
		return err
	}
	for p, n := range numbers {
		d.Numbers[p] = n
	}
	for _, e := range ends {
		it := byID[e.Item].ShownTo(by.Authority)
		d.Ended = append(d.Ended, EndedClaim{e, it.Ref, it.Status})
	}
	return nil
}

// Colleagues are the people in force of the actor's authority to whom an item
// of the stage may be handed over, or escalated (lead), by operator number.
func (s *Service) Colleagues(ctx context.Context, by concert.Actor, stage concert.ItemStatus, lead bool) ([]string, error) {
	if err := mayTake(by, stage); err != nil {
		return nil, err
	}
	var out []string
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		people, err := tx.People(ctx)
		if err != nil {
			return err
		}
		for _, p := range people {
			a := p.Actor()
			fits := a.Has(concert.RoleOfficer)
			if stage == concert.ItemAssessed {
				fits = a.Has(concert.RoleReviewer)
			}
			if lead {
				fits = a.Has(concert.RoleReviewer) || a.Has(concert.RoleCoordinator)
			}
			if fits && p.InForce() && p.Authority == by.Authority && p.ID != by.Person {
				out = append(out, p.Operator)
			}
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}
