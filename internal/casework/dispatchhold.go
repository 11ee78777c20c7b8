package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// HoldDispatch stops all that leaves the house until someone releases it. Work
// inside goes on. What is on its way at this moment is not called back.
func (s *Service) HoldDispatch(ctx context.Context, by concert.Actor, reason string) (concert.DispatchHold, error) {
	var h concert.DispatchHold
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		_, held, err := tx.DispatchHeld(ctx)
		if err != nil {
			return err
		}
		if held {
			return concert.Refuse(concert.Conflict, "dispatch.held", "", "dispatch is held already: an administrator releases it")
		}
		h, err = s.holdDispatch(ctx, tx, by, concert.CauseOrdered, reason, 0)
		return err
	})
	return h, err
}

func (s *Service) holdDispatch(ctx context.Context, tx *store.Tx, by concert.Actor, cause concert.HoldCause, reason string, erased int64) (concert.DispatchHold, error) {
	h, e, err := concert.DispatchHold{ID: concert.DispatchHoldID(identity.NewID()), Version: 1}.Held(by, cause, reason, erased, s.now())
	if err != nil {
		return h, err
	}
	if err := tx.AddDispatchHold(ctx, h); err != nil {
		return h, err
	}
	tx.Record(e)
	return h, nil
}

// ReleaseDispatch lets everything go again: each notice that waits goes out
// under the webhook-id that it always had.
func (s *Service) ReleaseDispatch(ctx context.Context, by concert.Actor, reason string) (concert.DispatchHold, error) {
	var h concert.DispatchHold
	if err := proven(by, concert.PowerRelease); err != nil {
		return h, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		standing, _, err := tx.DispatchHeld(ctx)
		if err != nil {
			return err
		}
		next, e, err := standing.Released(by, reason, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveDispatchHold(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		h = next
		return nil
	})
	return h, err
}

// Dispatching is whether anything goes out.
type Dispatching struct {
	Held    bool
	Hold    concert.DispatchHold   // that stands; only administrators and auditors see its words
	History []concert.DispatchHold // newest first, for administrators and auditors
}

// ReadDispatch says whether dispatch is held; those who may also read why.
func (s *Service) ReadDispatch(ctx context.Context, scope concert.Scope) (Dispatching, error) {
	var d Dispatching
	if err := scope.Check(); err != nil {
		return d, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadDispatch}); err != nil {
		return d, err
	}
	by := scope.Actor()
	may := by.Has(concert.RoleAdministrator) || by.Has(concert.RoleAuditor)
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if d.Hold, d.Held, err = tx.DispatchHeld(ctx); err != nil {
			return err
		}
		if may {
			d.History, err = tx.DispatchHolds(ctx, dispatchHistory)
		} else {
			d.Hold.Reason = ""
		}
		return err
	})
	return d, err
}

// dispatchHistory bounds the holds that one page lists.
const dispatchHistory = 50

// DispatchHeld reports whether all that leaves the house is stopped, for the
// banner on every page.
func (s *Service) DispatchHeld(ctx context.Context) (bool, error) {
	var held bool
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		held, err = tx.DispatchStands(ctx)
		return err
	})
	return held, err
}

// heldBack reports whether a job that reaches out must wait, and then keeps it
// as a clock that is due once dispatch is released.
func (s *Service) heldBack(ctx context.Context, kind concert.ClockKind, subject string) (bool, error) {
	held, err := s.DispatchHeld(ctx)
	if err != nil || !held {
		return false, err
	}
	return true, s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.SetClock(kind, subject, s.now())
		return nil
	})
}

// heldBackHere is heldBack within the transaction that would reach out.
func (s *Service) heldBackHere(ctx context.Context, tx *store.Tx, kind concert.ClockKind, subject string) (bool, error) {
	held, err := tx.DispatchStands(ctx)
	if held {
		tx.SetClock(kind, subject, s.now())
	}
	return held, err
}
