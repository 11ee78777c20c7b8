package casework

import (
	"context"
	"errors"
	"slices"

	"concert"
	"concert/internal/store"
)

// folders gather what finds belong to besides their place: incidents, and the
// sweeps that they came from.
type folders struct {
	incidents map[string]concert.Incident
	sweeps    map[string]concert.Sweep
	attached  attaching
	finds     []store.Find
	done      map[string]bool // incident and item, within this act
}

// of resolves what a find says that it belongs to; zero values where it says
// nothing.
func (f *folders) of(ctx context.Context, tx *store.Tx, by concert.Actor, sub Submission) (n concert.Incident, sw concert.Sweep, err error) {
	if f.done == nil {
		f.incidents, f.sweeps, f.done = map[string]concert.Incident{}, map[string]concert.Sweep{}, map[string]bool{}
	}
	if sub.Incident != "" {
		var ok bool
		if n, ok = f.incidents[sub.Incident]; !ok {
			if n, err = openIncident(ctx, tx, sub.Incident); err != nil {
				return n, sw, err
			}
			f.incidents[sub.Incident] = n
		}
	}
	if sub.Sweep != "" {
		var ok bool
		if sw, ok = f.sweeps[sub.Sweep]; !ok {
			sw, err = tx.Sweep(ctx, sub.Sweep)
			if err == nil {
				err = sw.Goes(by)
			}
			if errors.Is(err, concert.ErrNotFound) {
				return n, sw, concert.Refuse(concert.Invalid, "sweep.unknown", "sweep", "this is no sweep of yours: take the place on the watchlist first, and hand in what you find from there")
			}
			if err != nil {
				return n, sw, err
			}
			f.sweeps[sub.Sweep] = sw
		}
	}
	return n, sw, nil
}

// folded is one find, put where it says that it belongs.
func (b *submitting) folded(ctx context.Context, tx *store.Tx, sub Submission, loc concert.Location, g concert.Guard, place [32]byte) (Result, error) {
	f := &b.folders
	n, sw, err := f.of(ctx, tx, b.by, sub)
	if err != nil {
		return Result{}, err
	}
	if n.ID != "" && !n.Lasts() {
		_, _, err := n.Attached(b.by, concert.Item{}, true, b.s.now())
		return Result{}, err
	}
	r, err := b.one(ctx, tx, sub, loc, g, place)
	if err != nil {
		return r, err
	}
	it := b.known[place]
	if sw.ID != "" && r.Outcome != OutcomeStopped {
		f.finds = append(f.finds, store.Find{Sweep: sw.ID, Item: it.ID, Outcome: r.Outcome})
	}
	if n.ID == "" || f.done[string(n.ID+" ")+string(it.ID)] {
		return r, nil
	}
	f.done[string(n.ID+" ")+string(it.ID)] = true
	inside, err := tx.InIncident(ctx, n.ID, []concert.ItemID{it.ID})
	if err != nil || inside[it.ID] {
		return r, err
	}
	saved := len(f.attached.saved)
	next, err := f.attached.one(b.by, n, it, true, b.s)
	if err != nil {
		return r, err
	}
	if i := slices.IndexFunc(b.added, func(a concert.Item) bool { return a.ID == it.ID }); i >= 0 {
		// Not written yet: it is written as it stands then.
		f.attached.saved = f.attached.saved[:saved]
		next.Version = it.Version
		b.added[i] = next
	} else if len(f.attached.saved) > saved {
		r.Version++
	}
	b.known[place] = next
	return r, nil
}

func (f *folders) save(ctx context.Context, tx *store.Tx, s *Service) error {
	if err := f.attached.save(ctx, tx, s); err != nil {
		return err
	}
	_, err := tx.AddFinds(ctx, f.finds)
	return err
}
