package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/store"
)

// ParkItem puts an item aside until a time, with a reason. It comes back by
// itself.
func (s *Service) ParkItem(ctx context.Context, by concert.Actor, ref string, until time.Time, reason string) (Taken, error) {
	var out Taken
	err := s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		had, err := written(ctx, tx, had, it)
		if err != nil {
			return err
		}
		next, e, err := had.ParkedFor(by, it, found, until, reason, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		out = Taken{it, next}
		return tx.SaveSlip(ctx, next)
	})
	return out, err
}

// written is a slip with what people wrote on it in this stage.
func written(ctx context.Context, tx *store.Tx, had concert.Slip, it concert.Item) (concert.Slip, error) {
	had = had.At(it)
	if had.Version == 0 {
		return had, nil
	}
	if had.ParkedBy == "" && had.HandedBy == "" && !had.Escalated() {
		return had, nil
	}
	var err error
	had.Text, err = tx.SlipText(ctx, it.ID)
	return had, err
}

// HandOver gives an item to the colleague with this operator number, with a
// note, or to all ("").
func (s *Service) HandOver(ctx context.Context, by concert.Actor, ref, operator, note string) (Taken, error) {
	var out Taken
	err := s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		had, err := written(ctx, tx, had, it)
		if err != nil {
			return err
		}
		to, err := colleague(ctx, tx, operator)
		if err != nil {
			return err
		}
		var done map[concert.AssessmentID][]concert.PersonID
		if it.Assessment != "" {
			if done, err = tx.Reviewers(ctx, []concert.AssessmentID{it.Assessment}); err != nil {
				return err
			}
		}
		next, e, err := had.HandedOver(by, it, found, to, done[it.Assessment], note, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		out = Taken{it, next}
		return tx.SaveSlip(ctx, next)
	})
	return out, err
}

// colleague is the person with the operator number; one of no authority where
// there is none, so that who is elsewhere is answered like who is not.
func colleague(ctx context.Context, tx *store.Tx, operator string) (concert.Person, error) {
	if operator == "" {
		return concert.Person{}, nil
	}
	nobody := concert.Person{ID: "nobody"}
	number := referenceOnly(operator)
	if number == "" {
		return nobody, nil
	}
	p, err := tx.PersonByLogin(ctx, number)
	if errors.Is(err, concert.ErrNotFound) {
		return nobody, nil
	}
	return p, err
}

// EscalateItem gives an item to the lead with this operator number, or to
// whichever comes first (""), and raises its priority.
func (s *Service) EscalateItem(ctx context.Context, by concert.Actor, ref, operator, reason string) (Taken, error) {
	var out Taken
	err := s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		had, err := written(ctx, tx, had, it)
		if err != nil {
			return err
		}
		to, err := colleague(ctx, tx, operator)
		if err != nil {
			return err
		}
		next, raised, e, err := had.EscalatedTo(by, it, found, to, reason, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		if err := tx.SaveItems(ctx, []concert.Item{raised}); err != nil {
			return err
		}
		raised.Version++
		out = Taken{raised, next}
		return tx.SaveSlip(ctx, next)
	})
	return out, err
}

// SlipView is what lies on an item, with the operator numbers of those it
// names. Its zero value is none.
type SlipView struct {
	concert.Slip
	Numbers map[concert.PersonID]string
}

// slipOf is what lies on an item, for people of its desk and who oversees.
func slipOf(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item) (SlipView, error) {
	if !it.Status.Waits() || !it.ErasedAt.IsZero() {
		return SlipView{}, nil
	}
	slips, err := tx.Slips(ctx, []concert.ItemID{it.ID})
	if err != nil || slips[it.ID].Version == 0 {
		return SlipView{}, err
	}
	v := SlipView{Slip: slips[it.ID].At(it)}
	if by.Authority != v.Authority && by.Authority != it.Custodian() && !by.Has(concert.RoleAuditor) && !by.Has(concert.RoleCoordinator) {
		return SlipView{}, nil
	}
	if v.Slip, err = written(ctx, tx, v.Slip, it); err != nil {
		return SlipView{}, err
	}
	v.Numbers, err = tx.Operators(ctx, v.people())
	return v, err
}

// people are those that the slip names.
func (v SlipView) people() []concert.PersonID { return peopleOn(v.Slip) }

func peopleOn(s concert.Slip) []concert.PersonID {
	var out []concert.PersonID
	for _, p := range []concert.PersonID{s.Holder, s.ParkedBy, s.Keeper, s.HandedBy, s.EscalatedBy} {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

// fillFlow fills in what lies on the item and why it is where it is.
func (s *Service) fillFlow(ctx context.Context, tx *store.Tx, by concert.Actor, v *ItemView) error {
	if !v.Item.ErasedAt.IsZero() {
		return nil
	}
	facts, err := priorityFacts(ctx, tx, []concert.ItemID{v.ID})
	if err != nil {
		return err
	}
	v.Why = v.Item.Why(facts[v.ID], s.now())
	v.Slip, err = slipOf(ctx, tx, by, v.Item)
	return err
}

// renewWhileReading lets a claim go on whose holder opens the item once more:
// that is work. It is no reason to refuse the reading.
func (s *Service) renewWhileReading(ctx context.Context, by concert.Actor, v ItemView) {
	now := s.now()
	if v.Slip.Holder != by.Person || !v.Slip.Held(now) || v.Slip.Until.Sub(now) > s.leaseTerm()*4/5 {
		return
	}
	if _, err := s.ClaimItem(ctx, by, v.Ref); err != nil {
		s.Log.Warn("a claim was not renewed by reading", "err", err)
	}
}
