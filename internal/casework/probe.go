package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// probing keeps count, while items are dispatched, of how many holds their
// authors have met (G07).
type probing struct {
	s      *Service
	now    time.Time
	met    map[concert.AuthorityID]concert.Probe // of the authors that a hold stands against in this batch
	paused map[concert.AuthorityID]bool
}

// beginProbing loads the counts of the authors of items that meet a hold: one
// look-up an author, and none where no hold is met.
func (s *Service) beginProbing(ctx context.Context, tx *store.Tx, items []concert.Item, holds map[concert.ItemID][]concert.Hold, paused []concert.AuthorityID, now time.Time) (*probing, error) {
	p := &probing{s: s, now: now, met: map[concert.AuthorityID]concert.Probe{}, paused: map[concert.AuthorityID]bool{}}
	for _, a := range paused {
		p.paused[a] = true
	}
	var authors []concert.AuthorityID
	for _, it := range items {
		if !it.Overridden && len(standing(holds[it.ID], it, now)) > 0 {
			authors = append(authors, it.Author)
		}
	}
	// In one order for all dispatches, since each makes the others wait.
	slices.Sort(authors)
	for _, a := range slices.Compact(authors) {
		var err error
		if p.met[a], err = tx.Probe(ctx, a, now.Add(-concert.ProbeWindow)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// stays reports whether the item waits because its author is paused.
func (p *probing) stays(it concert.Item) bool {
	return p.paused[it.Author] && it.Priority < urgentPriority
}

// meets counts one more item of the author that met a hold; one too many
// pauses the author and raises the alarm, once a pause.
func (p *probing) meets(ctx context.Context, tx *store.Tx, a concert.AuthorityID) error {
	m := p.met[a]
	m.Met = append(m.Met, p.now)
	p.met[a] = m
	if p.paused[a] || !m.Exceeded() {
		return nil
	}
	p.paused[a] = true
	alarm, e := m.Probed(a, p.now)
	alarm.ID = concert.AlarmID(identity.NewID())
	if err := tx.AddAlarm(ctx, alarm); err != nil {
		return err
	}
	tx.Record(e)
	tx.SetClock(concert.ClockProbe, string(a), m.Resumes())
	return nil
}

// resumeAuthority lets a paused authority's dispatch go on once the window has
// moved past enough of what it met.
func (s *Service) resumeAuthority(ctx context.Context, j concert.ResumeAuthority) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		alarm, err := tx.OpenAlarm(ctx, concert.AlarmProbed, j.Authority, "")
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.now()
		p, err := tx.Probe(ctx, j.Authority, now.Add(-concert.ProbeWindow))
		if err != nil {
			return err
		}
		if p.Exceeded() {
			tx.SetClock(concert.ClockProbe, string(j.Authority), p.Resumes())
			return nil
		}
		alarm, e := alarm.Resumed(now)
		if err := tx.EndAlarm(ctx, alarm); err != nil {
			return err
		}
		tx.Record(e)
		providers, err := tx.ProvidersAwaiting(ctx, j.Authority)
		for _, id := range providers {
			tx.SetClock(concert.ClockDispatch, string(id), now)
		}
		return err
	})
}
