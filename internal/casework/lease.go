package casework

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

const (
	// leaseTick is how soon after its end a claim's holder is told.
	leaseTick = 5 * time.Second
	// lapsedMost bounds the claims that one transaction ends.
	lapsedMost = 200
	// nextTries bounds how often another item is tried when others were faster,
	// of the first nextMost.
	nextTries = 16
	nextMost  = 256
)

// Taken is an item that somebody has in hand, or put aside, with what lies on
// it now; nothing of it is sealed. Its zero value is none.
type Taken struct {
	concert.Item
	Slip concert.Slip
}

// leaseTerm is the people's time: in an exercise it does not run faster.
func (s *Service) leaseTerm() time.Duration { return s.caseSpan(concert.LeaseTerm) }

// onSlip runs an act on what lies on an item: load, let a rule decide, save.
// found says whether the actor's authority has found the item.
func (s *Service) onSlip(ctx context.Context, by concert.Actor, ref string, act func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error) error {
	if by.Authority == "" {
		return concert.ErrNotFound
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := items[ref]
		if !ok {
			return concert.ErrNotFound
		}
		seen, err := tx.SeenBy(ctx, by.Authority, []concert.ItemID{it.ID})
		if err != nil {
			return err
		}
		slips, err := tx.Slips(ctx, []concert.ItemID{it.ID})
		if err != nil {
			return err
		}
		return act(tx, it.ShownTo(by.Authority), slips[it.ID], seen[it.ID])
	})
}

// ClaimItem takes an item in hand, or goes on holding it: nobody else assesses
// it or decides on it until the claim ends.
func (s *Service) ClaimItem(ctx context.Context, by concert.Actor, ref string) (Taken, error) {
	var out Taken
	err := s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		var err error
		out, err = s.claim(ctx, tx, by, it, had, found)
		return err
	})
	return out, err
}

func (s *Service) claim(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item, had concert.Slip, found bool) (Taken, error) {
	now := s.now()
	next, end, err := had.Claimed(by, it, found, now, s.leaseTerm())
	if err != nil {
		return Taken{}, err
	}
	if had = had.At(it); had.Holder != by.Person || !had.Held(now) {
		n, err := tx.ClaimsOf(ctx, by.Person, now)
		if err != nil {
			return Taken{}, err
		}
		if n >= concert.LeaseMost {
			return Taken{}, concert.Refuse(concert.Conflict, "claim.too_many", "", "you have %d items in hand: finish one, give it back or hand it over", n)
		}
	}
	if err := s.tellEnd(ctx, tx, end); err != nil {
		return Taken{}, err
	}
	return Taken{it, next}, tx.SaveClaim(ctx, next)
}

func (s *Service) tellEnd(ctx context.Context, tx *store.Tx, end *concert.ClaimEnd) error {
	if end == nil {
		return nil
	}
	return tx.AddClaimEnd(ctx, *end)
}

// TakeNext takes the next item for the actor in hand: what was handed to them or
// they had parked, what is escalated to them, then assessments to decide on,
// then finds to assess, each urgent and old first. Stage narrows it to one of the
// two, "" is both. The zero Taken means that nothing waits. Two people never get
// the same item: the claim is written by compare-and-swap, and who comes too late
// looks further down.
func (s *Service) TakeNext(ctx context.Context, by concert.Actor, stage concert.ItemStatus) (Taken, error) {
	return s.takeNext(ctx, by, stage, s.candidates)
}

// chooser gives the first items that are free for the actor, at most k.
type chooser func(ctx context.Context, tx *store.Tx, by concert.Actor, stage concert.ItemStatus, k int) ([]store.OnSlip, error)

func (s *Service) takeNext(ctx context.Context, by concert.Actor, stage concert.ItemStatus, choose chooser) (Taken, error) {
	if err := mayTake(by, stage); err != nil {
		return Taken{}, err
	}
	// Alone, one gets the first. Where many ask at once, those who came too late
	// spread out over the ones after it.
	var out Taken
	var first []store.OnSlip
	err := error(concert.ErrStale)
	for try := 0; try < nextTries && errors.Is(err, concert.ErrStale); try++ {
		if try < 2 || len(first) == 0 {
			err = s.DB.View(ctx, func(tx *store.Tx) error {
				var err error
				first, err = choose(ctx, tx, by, stage, []int{1, nextMost}[min(try, 1)])
				return err
			})
			if err != nil || len(first) == 0 {
				return Taken{}, err
			}
		}
		at := rand.IntN(len(first))
		w := first[at]
		first = slices.Delete(first, at, at+1)
		err = s.DB.Update(ctx, func(tx *store.Tx) error {
			now, err := tx.BareItemsByID(ctx, []concert.ItemID{w.ID})
			if err != nil {
				return err
			}
			if len(now) == 0 || now[0].Status != w.Status || !now[0].ErasedAt.IsZero() {
				return concert.ErrStale
			}
			out, err = s.claim(ctx, tx, by, now[0], w.Slip, true)
			return err
		})
	}
	return out, err
}

func mayTake(by concert.Actor, stage concert.ItemStatus) error {
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator); err != nil {
		return err
	}
	if by.Authority == "" {
		return by.MaySubmit()
	}
	if stage != "" && !stage.Waits() {
		return concert.Refuse(concert.Invalid, "next.stage", "stage", "the next item is one to assess (%s) or one to decide on (%s): choose one", concert.ItemOpen, concert.ItemAssessed)
	}
	return nil
}

// candidates are the first items that are free for the actor, at most k.
func (s *Service) candidates(ctx context.Context, tx *store.Tx, by concert.Actor, stage concert.ItemStatus, k int) ([]store.OnSlip, error) {
	now := s.now()
	mine, err := s.mine(ctx, tx, by, now)
	if err != nil {
		return nil, err
	}
	if stage != "" {
		mine = slices.DeleteFunc(mine, func(w store.OnSlip) bool { return w.Status != stage })
	}
	if len(mine) > 0 {
		return mine[:1], nil
	}
	if stage != concert.ItemOpen && by.Has(concert.RoleReviewer) {
		if got, err := tx.NextToDecide(ctx, by, now, k); err != nil || len(got) > 0 {
			return got, err
		}
	}
	if stage != concert.ItemAssessed && by.Has(concert.RoleOfficer) {
		return tx.NextToAssess(ctx, by, now, k)
	}
	return nil, nil
}

// mine are the items that wait for the actor before all others and that nobody
// has in hand: handed over or back from being parked, then escalated.
func (s *Service) mine(ctx context.Context, tx *store.Tx, by concert.Actor, now time.Time) ([]store.OnSlip, error) {
	kept, err := tx.Kept(ctx, by.Person)
	if err != nil {
		return nil, err
	}
	var lead []store.OnSlip
	if by.Has(concert.RoleReviewer) || by.Has(concert.RoleCoordinator) {
		if lead, err = tx.EscalatedIn(ctx, by.Authority); err != nil {
			return nil, err
		}
	}
	all := append(kept, lead...)
	if len(all) == 0 {
		return nil, nil
	}
	skipped, err := tx.Skipped(ctx, by.Person, now)
	if err != nil {
		return nil, err
	}
	seen := map[concert.ItemID]bool{}
	return slices.DeleteFunc(all, func(w store.OnSlip) bool {
		again := seen[w.ID]
		seen[w.ID] = true
		return again || skipped[w.ID] || w.Slip.Held(now) || w.Slip.Parked(now) || w.Slip.EscalatedBy == by.Person || w.Slip.MayWork(by, w.Item, true, now) != nil
	}), nil
}

// GiveBack ends the actor's own claim.
func (s *Service) GiveBack(ctx context.Context, by concert.Actor, ref string) error {
	return s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		next, err := had.GivenBack(by, it, found)
		if err != nil {
			return err
		}
		return tx.SaveClaim(ctx, next)
	})
}

// SkipItem keeps an item from being offered to the actor again for a while, and
// ends their claim on it. It takes no reason, leaves no event and is counted
// nowhere (G35): all that is kept is what not to offer, until it runs out.
func (s *Service) SkipItem(ctx context.Context, by concert.Actor, ref string) error {
	return s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		if err := had.MaySkip(by, it, found); err != nil {
			return err
		}
		if next := had.LetGo(by, it); next != had.At(it) {
			if err := tx.SaveClaim(ctx, next); err != nil {
				return err
			}
		}
		return tx.AddSkip(ctx, by.Person, it.ID, s.now().Add(s.caseSpan(concert.SkipTerm)))
	})
}

// TakeOver takes an item from a colleague who has it in hand, parked it or was
// handed it. The colleague is told.
func (s *Service) TakeOver(ctx context.Context, by concert.Actor, ref, reason string) (Taken, error) {
	var out Taken
	err := s.onSlip(ctx, by, ref, func(tx *store.Tx, it concert.Item, had concert.Slip, found bool) error {
		next, end, e, err := had.TakenOver(by, it, found, reason, s.now(), s.leaseTerm())
		if err != nil {
			return err
		}
		if next.Text, err = tx.SlipText(ctx, it.ID); err != nil {
			return err
		}
		next.Text.Park = ""
		tx.Record(e)
		if err := s.tellEnd(ctx, tx, end); err != nil {
			return err
		}
		out = Taken{it, next}
		return tx.SaveSlip(ctx, next)
	})
	return out, err
}

// SeenEndedClaims says that the actor has seen which of their claims ended.
func (s *Service) SeenEndedClaims(ctx context.Context, by concert.Actor) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SeenClaimEnds(ctx, by.Person) })
}

// endClaims ends claims whose time is over, so that their holders are told.
func (s *Service) endClaims(ctx context.Context) error {
	for {
		n := 0
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			got, err := tx.RanOut(ctx, s.now(), 1)
			n = len(got)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		err = s.retryStale(ctx, func(tx *store.Tx) error {
			now := s.now()
			slips, err := tx.RanOut(ctx, now, lapsedMost)
			if err != nil {
				return err
			}
			n = len(slips)
			for _, had := range slips {
				next, end := had.RanOut(now)
				if err := tx.SaveClaim(ctx, next); err != nil {
					return err
				}
				if err := s.tellEnd(ctx, tx, end); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < lapsedMost {
			return err
		}
	}
}

// forgetFlow forgets skips that ran out, and what holders were told long ago.
func (s *Service) forgetFlow(ctx context.Context) error {
	now := s.now()
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.ForgetFlow(ctx, now, now.Add(-s.caseSpan(concert.ClaimEndTerm)))
	})
}

// unclaimed refuses what somebody else has in hand; Slips is what lies on the
// items of an act on many.
func unclaimed(slips map[concert.ItemID]concert.Slip, by concert.Actor, it concert.Item, now time.Time) error {
	had, ok := slips[it.ID]
	if !ok {
		return nil
	}
	return had.Bars(by, it, now)
}

// movedOn takes away what lay on items that were assessed or decided on.
func movedOn(ctx context.Context, tx *store.Tx, slips map[concert.ItemID]concert.Slip, items []concert.Item) error {
	var gone []concert.ItemID
	for _, it := range items {
		if _, ok := slips[it.ID]; ok {
			gone = append(gone, it.ID)
		}
	}
	return tx.DropSlips(ctx, gone)
}

// slipsOn are what lies on the items of an act on many.
func slipsOn(ctx context.Context, tx *store.Tx, items map[string]concert.Item) (map[concert.ItemID]concert.Slip, error) {
	ids := make([]concert.ItemID, 0, len(items))
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	return tx.Slips(ctx, ids)
}
