package casework

import (
	"context"
	"sync"
	"time"

	"concert"
	"concert/internal/lookup"
	"concert/internal/match"
	"concert/internal/store"
)

// recheckAtOnce bounds the looks in flight for one referral.
const recheckAtOnce = 8

// After a claim we look within the hour, a day later, and a week later; while
// a provider is silent, once a day for three days.
var (
	claimedLooks = []time.Duration{time.Hour, 24 * time.Hour, 6 * 24 * time.Hour}
	silentLooks  = []time.Duration{firstSilentCheck, 24 * time.Hour, 24 * time.Hour}
)

// nextLook is when an item is to be looked at again; false for never.
func nextLook(it concert.Item, r concert.Referral, c store.Checked) (time.Time, bool) {
	if !it.ErasedAt.IsZero() {
		return time.Time{}, false
	}
	switch it.Status {
	case concert.ItemRefused, concert.ItemWithdrawn:
		return time.Time{}, false
	}
	looks, from := claimedLooks, it.UpdatedAt
	if it.Silent() {
		looks, from = silentLooks, r.CreatedAt
	}
	if c.Count >= len(looks) {
		return time.Time{}, false
	}
	if c.Count > 0 {
		from = c.At
	}
	return from.Add(looks[c.Count]), true
}

// recheckReferral looks again at a referral's items that are due, and sets the
// clock for those that are not.
func (s *Service) recheckReferral(ctx context.Context, j concert.RecheckReferral) error {
	if held, err := s.heldBack(ctx, concert.ClockRecheck, string(j.Referral)); err != nil || held {
		return err
	}
	var due looks
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		due, err = s.dueLooks(ctx, tx, j.Referral)
		return err
	})
	if err != nil {
		return err
	}
	saw := s.lookAll(ctx, due.items)
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		ids := make([]concert.ItemID, len(due.items))
		for i, it := range due.items {
			ids[i] = it.ID
		}
		items, err := tx.BareItemsByID(ctx, ids)
		if err != nil {
			return err
		}
		now, next := s.now(), due.next
		var saved []concert.Item
		var looked []concert.Recheck
		for _, it := range items {
			c := saw[it.ID]
			c.Referral = j.Referral
			after, c, e, err := it.Rechecked(concert.House, c, now)
			if err != nil {
				continue // it moved on while we looked (withdrawn, say) and is left alone
			}
			saved, looked = append(saved, after), append(looked, c)
			tx.Record(e)
			again := store.Checked{At: now, Count: due.checks[it.ID].Count + 1}
			if at, more := nextLook(after, due.referral, again); more && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
		if !next.IsZero() {
			tx.SetClock(concert.ClockRecheck, string(j.Referral), next)
		}
		if err := tx.AddRechecks(ctx, looked); err != nil {
			return err
		}
		return tx.SaveItems(ctx, saved)
	})
}

// lookSlack lets looks that fall due almost together go together.
const lookSlack = 30 * time.Minute

// looks is what of a referral is to be looked at now, and when the rest is.
type looks struct {
	referral concert.Referral
	items    []concert.Item
	checks   map[concert.ItemID]store.Checked
	next     time.Time // of those that are not due yet; zero for none
}

func (s *Service) dueLooks(ctx context.Context, tx *store.Tx, id concert.ReferralID) (looks, error) {
	var l looks
	var err error
	if l.referral, err = tx.ReferralByID(ctx, id); err != nil {
		return l, err
	}
	items, err := tx.ReferralItems(ctx, id)
	if err != nil {
		return l, err
	}
	if l.checks, err = tx.Checks(ctx, id); err != nil {
		return l, err
	}
	var due []concert.ItemID
	soon := s.now().Add(lookSlack)
	for _, it := range items {
		at, more := nextLook(it, l.referral, l.checks[it.ID])
		switch {
		case !more:
		case !at.After(soon):
			due = append(due, it.ID)
		case l.next.IsZero() || at.Before(l.next):
			l.next = at
		}
	}
	l.items, err = tx.ItemsByID(ctx, due)
	return l, err
}

func (s *Service) lookAll(ctx context.Context, items []concert.Item) map[concert.ItemID]concert.Recheck {
	out := make(map[concert.ItemID]concert.Recheck, len(items))
	var mu sync.Mutex // guards out
	var wg sync.WaitGroup
	slots := make(chan struct{}, recheckAtOnce)
	for _, it := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c := s.look(ctx, it)
			mu.Lock()
			defer mu.Unlock()
			out[it.ID] = c
		})
	}
	wg.Wait()
	return out
}

// look is one look of ours. A place that is no web page has no machine's eye:
// unknown until an officer looks.
func (s *Service) look(ctx context.Context, it concert.Item) concert.Recheck {
	c := concert.Recheck{Item: it.ID, State: concert.ObservedUnknown, Reason: "needs_person", Vantage: s.Vantage}
	// Lists and officers write addresses defanged or without a scheme.
	address, ok := match.Fetchable(it.Location.Submitted)
	if !ok {
		return c
	}
	o := s.Lookup.Check(ctx, lookup.Request{URL: address, ExpectSHA256: it.Hash})
	c.State, c.Reason, c.HTTP, c.Digest = concert.Observed(o.State), string(o.Reason), o.Status, o.BodySHA256
	return c
}

// Observe records what an officer saw with their own eyes.
func (s *Service) Observe(ctx context.Context, by concert.Actor, ref string, version int64, state concert.Observed, vantage string) (concert.Item, error) {
	var it concert.Item
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		var err error
		if it, err = tx.Item(ctx, ref); err != nil {
			return err
		}
		if it.Author != by.Authority {
			return concert.ErrNotFound
		}
		if version != it.Version {
			return outdated()
		}
		next, c, e, err := it.Rechecked(by, concert.Recheck{State: state, Reason: "officer", Vantage: vantage, Referral: it.Referral}, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddRechecks(ctx, []concert.Recheck{c}); err != nil {
			return err
		}
		if err := tx.SaveItems(ctx, []concert.Item{next}); err != nil {
			return err
		}
		tx.Record(e)
		it = next
		it.Version++
		return nil
	})
	return it, err
}

// remindReferral follows silence with a reminder, never a refusal.
func (s *Service) remindReferral(ctx context.Context, j concert.RemindReferral) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		if held, err := s.heldBackHere(ctx, tx, concert.ClockRemind, string(j.Referral)); err != nil || held {
			return err
		}
		r, err := tx.ReferralByID(ctx, j.Referral)
		if err != nil {
			return err
		}
		items, err := tx.ReferralItems(ctx, r.ID)
		if err != nil {
			return err
		}
		n := 0
		for _, it := range items {
			if r.MayRemind(it) {
				n++
			}
		}
		if n == 0 {
			return nil
		}
		// A node may have died after it reminded and before its job was done, or
		// its clock be ahead.
		last := r.CreatedAt
		if !r.RemindedAt.IsZero() {
			last = r.RemindedAt
		}
		if due := last.Add(remindAfter); s.now().Before(due.Add(-hourAhead)) {
			tx.SetClock(concert.ClockRemind, string(r.ID), due)
			return nil
		}
		p, err := tx.Provider(ctx, string(r.Provider))
		if err != nil {
			return err
		}
		author, err := tx.Authority(ctx, string(r.Author))
		if err != nil {
			return err
		}
		now := s.now()
		if w := windowOf(p); !w.Open(now) {
			tx.SetClock(concert.ClockRemind, string(r.ID), w.NextOpen(now))
			return nil
		}
		r, e := r.Reminded(n, now)
		out := s.notice(p, r, concert.NoticeReminder, author.Name, now)
		out.Items = n
		if err := s.post(ctx, tx, p, out, now); err != nil {
			return err
		}
		if err := tx.SaveReferral(ctx, r); err != nil {
			return err
		}
		tx.RecordNotice(e, out.ID)
		tx.SetClock(concert.ClockRemind, string(r.ID), now.Add(remindAfter))
		return nil
	})
}
