package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// Watching is a place to be watched, as it comes in.
type Watching struct {
	Location string
	Outlet   string // reference; of an outlet's own place
	Owner    concert.WatchOwner
	Case     string // reference, may be "" for an outlet's place
	Ground   string
	Cadence  time.Duration
	Until    time.Time // zero: until somebody ends it
}

// WatchPlace puts a place on the watchlist of the actor's authority.
func (s *Service) WatchPlace(ctx context.Context, by concert.Actor, in Watching) (concert.Watch, error) {
	loc, _, err := s.locate(in.Location, nil)
	if err != nil {
		return concert.Watch{}, err
	}
	w := concert.Watch{ID: concert.WatchID(identity.NewID()), Ref: identity.NewReference("WA"), Location: loc, Place: s.DB.Place(loc.Kind, loc.Canonical), Owner: in.Owner, Ground: in.Ground,
		Cadence: in.Cadence, EndsAt: in.Until, Exercise: s.Exercise, Version: 1}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		if in.Outlet != "" {
			list, err := tx.ScopeList(ctx)
			if err != nil {
				return err
			}
			o, err := findOutlet(list, in.Outlet)
			if err != nil {
				return err
			}
			w.Outlet = o.ID
		}
		var c concert.Case
		if in.Case != "" {
			if c, err = caseOf(ctx, tx, by, in.Case); err != nil {
				return err
			}
			w.Case = c.ID
		}
		next, e, err := w.Placed(by, c, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddWatch(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		if !next.EndsAt.IsZero() {
			tx.SetClock(concert.ClockWatch, string(next.ID), next.EndsAt)
		}
		w = next
		return nil
	})
	if errors.Is(err, &concert.Error{Code: store.CodeExists}) {
		return w, concert.Refuse(concert.Conflict, "watch.exists", "location", "your authority watches this place already: find it on the watchlist")
	}
	return w, err
}

// watchOf is a watch that the actor may see.
func watchOf(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Watch, error) {
	w, err := tx.Watch(ctx, ref)
	if err != nil {
		return concert.Watch{}, err
	}
	var c concert.Case
	if w.Owner == concert.WatchPerson {
		if c, err = tx.Case(ctx, string(w.Case)); err != nil {
			return concert.Watch{}, err
		}
	}
	if err := w.MaySee(by, c); err != nil {
		return concert.Watch{}, err
	}
	return w, nil
}

// SweepPlace takes a watched place to go through it; nobody else of the
// authority does for an hour.
func (s *Service) SweepPlace(ctx context.Context, by concert.Actor, ref string) (concert.Watch, concert.Sweep, error) {
	var w concert.Watch
	var sweep concert.Sweep
	if err := by.MaySubmit(); err != nil {
		return w, sweep, err
	}
	fresh := concert.Sweep{ID: concert.SweepID(identity.NewID()), Ref: identity.NewReference("SW"), Version: 1}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := watchOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		var now concert.Sweep
		if had.Sweep != "" {
			if now, err = tx.Sweep(ctx, string(had.Sweep)); err != nil {
				return err
			}
		}
		next, taken, e, err := had.Claimed(by, now, fresh, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveWatch(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		w, sweep = next, taken
		w.Version++
		return tx.AddSweep(ctx, taken)
	})
	return w, sweep, err
}

// FinishSweep ends the actor's sweep and says what came of it.
func (s *Service) FinishSweep(ctx context.Context, by concert.Actor, ref string, outcome concert.SweepOutcome) (concert.Watch, concert.Sweep, error) {
	var w concert.Watch
	var sweep concert.Sweep
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := tx.Sweep(ctx, ref)
		if err != nil {
			return err
		}
		if err := had.Goes(by); err != nil {
			return err
		}
		of, err := watchOf(ctx, tx, by, string(had.Watch))
		if err != nil {
			return err
		}
		next, done, e, err := of.Swept(by, had, outcome, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveWatch(ctx, next); err != nil {
			return err
		}
		if err := tx.SaveSweep(ctx, done); err != nil {
			return err
		}
		tx.Record(e)
		w, sweep = next, done
		w.Version++
		return nil
	})
	return w, sweep, err
}

// EndWatch takes a place off the watchlist.
func (s *Service) EndWatch(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Watch, error) {
	var out concert.Watch
	if err := by.MayWatch(); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		w, err := watchOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		next, e, err := w.Ended(by, s.now())
		if err != nil {
			return err
		}
		if version != w.Version {
			return outdated()
		}
		out = next
		out.Version++
		return s.endWatch(ctx, tx, next, e)
	})
	return out, err
}

// endWatch writes an end; what is kept of a private person's account goes later.
func (s *Service) endWatch(ctx context.Context, tx *store.Tx, w concert.Watch, e concert.Event) error {
	tx.Record(e)
	if w.Owner == concert.WatchPerson {
		tx.SetClock(concert.ClockWatch, string(w.ID), w.EndedAt.Add(concert.WatchTraces))
	}
	return tx.SaveWatch(ctx, w)
}

// endWatchDue is what the clock of a watch does: it ends it, and later erases
// what is kept of a private person's account.
func (s *Service) endWatchDue(ctx context.Context, j concert.EndWatchDue) error {
	erased := false
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		erased = false
		w, err := tx.Watch(ctx, string(j.Watch))
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.now()
		switch {
		case w.EndedAt.IsZero() && now.Before(w.EndsAt):
			tx.SetClock(concert.ClockWatch, string(w.ID), w.EndsAt)
		case w.EndedAt.IsZero():
			next, e, err := w.Expired(now)
			if err != nil {
				return err
			}
			return s.endWatch(ctx, tx, next, e)
		case w.Owner != concert.WatchPerson || w.Location.Canonical == "":
		case now.Before(w.EndedAt.Add(concert.WatchTraces)):
			tx.SetClock(concert.ClockWatch, string(w.ID), w.EndedAt.Add(concert.WatchTraces))
		default:
			tx.Record(w.Erased(now))
			erased = true
			return tx.EraseWatch(ctx, w)
		}
		return nil
	})
	if err == nil && erased {
		s.unscrubbed.Store(true)
	}
	return err
}

// WatchView is a watched place as its authority's people see it.
type WatchView struct {
	concert.Watch
	Outlet  concert.Outlet
	CaseRef string
	Now     concert.Sweep // that has it now; zero for none
	By      string        // operator number of who has it
	Sweeps  []concert.Sweep
	Found   int // items that all sweeps brought
	Swept   int // how often it was gone through
	Names   map[concert.PersonID]string
	Items   []concert.Item // that were handed in from it, newest first, without what is sealed
	Overdue bool
}

func (s *Service) watchViews(ctx context.Context, tx *store.Tx, ws []concert.Watch) ([]WatchView, error) {
	list, err := tx.ScopeList(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]concert.WatchID, len(ws))
	var now []concert.SweepID
	for i, w := range ws {
		ids[i] = w.ID
		if w.Sweep != "" {
			now = append(now, w.Sweep)
		}
	}
	found, swept, err := tx.Yields(ctx, ids)
	if err != nil {
		return nil, err
	}
	under, err := tx.SweepsNow(ctx, now)
	if err != nil {
		return nil, err
	}
	var people []concert.PersonID
	current := map[concert.WatchID]concert.Sweep{}
	for _, sw := range under {
		current[sw.Watch] = sw
		people = append(people, sw.Person)
	}
	ops, err := tx.Operators(ctx, people)
	if err != nil {
		return nil, err
	}
	out := make([]WatchView, len(ws))
	cases := map[concert.CaseID]string{}
	for i, w := range ws {
		sw := current[w.ID]
		out[i] = WatchView{Watch: w, Outlet: list.Outlets[w.Outlet], Now: sw, By: ops[sw.Person], Found: found[w.ID], Swept: swept[w.ID], Overdue: w.InForce(s.now()) && !s.now().Before(w.NextAt)}
		if w.Case == "" {
			continue
		}
		if _, known := cases[w.Case]; !known {
			c, err := tx.Case(ctx, string(w.Case))
			if err != nil {
				return nil, err
			}
			cases[w.Case] = c.Ref
		}
		out[i].CaseRef = cases[w.Case]
	}
	return out, nil
}

// sweepsPage bounds the sweeps of one place that are shown.
const sweepsPage = 100

// ReadWatch is one watched place with who went through it, when, and with what
// yield.
func (s *Service) ReadWatch(ctx context.Context, scope concert.Scope, ref string) (WatchView, error) {
	var v WatchView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadOneWatch, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		w, err := watchOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		vs, err := s.watchViews(ctx, tx, []concert.Watch{w})
		if err != nil {
			return err
		}
		v = vs[0]
		if v.Sweeps, err = tx.Sweeps(ctx, w.ID, sweepsPage); err != nil {
			return err
		}
		if v.Items, err = tx.SweepItems(ctx, w.ID, sweepsPage); err != nil {
			return err
		}
		for i, it := range v.Items {
			v.Items[i] = it.ShownTo(w.Authority).Remaining()
		}
		people := []concert.PersonID{w.PlacedBy, w.EndedBy}
		for _, sw := range v.Sweeps {
			people = append(people, sw.Person)
		}
		v.Names, err = tx.Operators(ctx, people)
		return err
	})
	if err != nil {
		return WatchView{}, err
	}
	return v, nil
}
