package casework

import (
	"context"
	"errors"
	"strings"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// lookAgain is how long after a hold was placed or ended it is looked at
	// once more: a dispatch on another node may have been under way.
	lookAgain = 10 * time.Second
	// underPage bounds the items under a hold that one query loads.
	underPage = 400
	// askedMost bounds who is listed as having asked about one hold, the last ones.
	askedMost = 100
)

// Holding is a hold as it is asked for.
type Holding struct {
	Location string // "" where it covers bytes only
	SHA256   string // of the bytes, 64 hex digits; "" where it covers a place only
	Contact  string // shown to who meets the hold
	Case     string // the holder's own reference
}

// PlaceHold asks every other authority to keep off a place, or off the very
// bytes of a work, or both. What went out already, its author may take back:
// it is offered to.
func (s *Service) PlaceHold(ctx context.Context, by concert.Actor, in Holding) (concert.Hold, error) {
	h := concert.Hold{ID: concert.HoldID(identity.NewID()), Ref: identity.NewReference("HO"), Contact: in.Contact, Case: in.Case, Exercise: s.Exercise, Version: 1}
	if in.Location != "" {
		loc, _, err := s.locate(in.Location, nil)
		if err != nil {
			return concert.Hold{}, err
		}
		h.Location, h.Place = loc, s.DB.Place(loc.Kind, loc.Canonical)
	}
	sum, named, err := Submission{SHA256: in.SHA256}.sum()
	if err != nil {
		return concert.Hold{}, err
	}
	if named {
		h.Hash, h.Content = strings.ToLower(in.SHA256), s.DB.Content(sum)
	}
	h, e, err := h.Placed(by, s.now())
	if err != nil {
		return h, err
	}
	return h, s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddHold(ctx, h); err != nil {
			return err
		}
		tx.Record(e)
		return s.offerLate(ctx, tx, h, s.caseSpan(lookAgain))
	})
}

// offerLate tells the holder what had gone out when the hold was placed, and
// thereby offers its authors to take it back. The hold is looked at again after
// the span.
func (s *Service) offerLate(ctx context.Context, tx *store.Tx, h concert.Hold, again time.Duration) error {
	now := s.now()
	items, err := tx.ReferredUnder(ctx, h, underPage)
	if err != nil {
		return err
	}
	for _, it := range items {
		if _, err := s.tell(ctx, tx, concert.House, h, it, concert.AskedLate); err != nil {
			return err
		}
	}
	next := now.Add(again)
	if len(items) >= underPage {
		next = now
	}
	if h.ExpiresAt.Before(next) {
		next = h.ExpiresAt
	}
	tx.SetClock(concert.ClockHold, string(h.ID), next)
	return nil
}

// tell writes for the holder that an item came upon the hold; fresh is false
// where that was written before.
func (s *Service) tell(ctx context.Context, tx *store.Tx, by concert.Actor, h concert.Hold, it concert.Item, kind concert.AskedKind) (fresh bool, err error) {
	a, e := h.Asked(by, it, kind, s.now())
	if fresh, err = tx.AddAsked(ctx, a); fresh {
		tx.Record(e)
	}
	return fresh, err
}

// changeHold lets a rule change one of the actor's authority's own holds.
func (s *Service) changeHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string, rule func(concert.Hold, concert.Actor, string, time.Time) (concert.Hold, concert.Event, error), then func(*store.Tx, concert.Hold) error) (concert.Hold, error) {
	var h concert.Hold
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		had, err := tx.HoldOf(ctx, ref, by.Authority)
		if err != nil {
			return err
		}
		next, e, err := rule(had, by, reason, s.now())
		if err != nil {
			return err
		}
		if version != had.Version {
			return outdated()
		}
		if err := tx.SaveHold(ctx, next); err != nil {
			return err
		}
		tx.Record(e.WithSealed(holderText{Own: tx.SealToHolder(next, string(e.Kind), reason)}))
		h = next
		h.Version++
		return then(tx, h)
	})
	return h, err
}

// holderText is the sealed part of an event on a hold: text that opens on
// behalf of the holder only.
type holderText struct {
	Own []byte `json:"own"`
}

// ReleaseHold ends a hold; what it kept back goes its way unless another hold
// stands.
func (s *Service) ReleaseHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Hold, error) {
	if err := proven(by, concert.PowerRelease); err != nil {
		return concert.Hold{}, err
	}
	return s.changeHold(ctx, by, ref, version, reason, concert.Hold.Released, func(tx *store.Tx, h concert.Hold) error {
		tx.SetClock(concert.ClockHold, string(h.ID), s.now().Add(s.caseSpan(lookAgain)))
		return s.letGo(ctx, tx, by, h)
	})
}

// RenewHold lets a hold stand for another term from now.
func (s *Service) RenewHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Hold, error) {
	return s.changeHold(ctx, by, ref, version, reason, concert.Hold.Renewed, func(tx *store.Tx, h concert.Hold) error {
		tx.SetClock(concert.ClockHold, string(h.ID), h.ExpiresAt)
		return nil
	})
}

// HoldView is a hold with who came upon it, as its holder sees it.
type HoldView struct {
	concert.Hold
	Asked []AskedView
}

// AskedView is one item that came upon a hold.
type AskedView struct {
	concert.Asked
	By     concert.Authority
	Probed []concert.Alarm // when it met too many holds, newest first
}

// Holds are the actor's authority's own, newest first, with who came upon each.
func (s *Service) Holds(ctx context.Context, scope concert.Scope, before concert.HoldID, limit int) ([]HoldView, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.Actor().Need(concert.RoleOfficer, concert.RoleReviewer); err != nil {
		return nil, err
	}
	var out []HoldView
	b := concert.ConsultedBody{What: concert.ReadHolds}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		hs, err := tx.Holds(ctx, scope, before, limit)
		if err != nil {
			return err
		}
		b.Count = len(hs)
		out, err = s.withAsked(ctx, tx, hs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) withAsked(ctx context.Context, tx *store.Tx, hs []concert.Hold) ([]HoldView, error) {
	ids := make([]concert.HoldID, len(hs))
	for i, h := range hs {
		ids[i] = h.ID
	}
	asked, err := tx.AskedAbout(ctx, ids)
	if err != nil {
		return nil, err
	}
	by := map[concert.AuthorityID]concert.Authority{}
	var authorities []concert.AuthorityID
	for _, as := range asked {
		for _, a := range as {
			if _, ok := by[a.Authority]; ok {
				continue
			}
			if by[a.Authority], err = tx.Authority(ctx, string(a.Authority)); err != nil {
				return nil, err
			}
			authorities = append(authorities, a.Authority)
		}
	}
	probed, err := tx.AlarmsAbout(ctx, concert.AlarmProbed, authorities)
	if err != nil {
		return nil, err
	}
	out := make([]HoldView, len(hs))
	for i, h := range hs {
		out[i].Hold = h
		for _, a := range asked[h.ID][max(0, len(asked[h.ID])-askedMost):] {
			out[i].Asked = append(out[i].Asked, AskedView{a, by[a.Authority], probed[a.Authority]})
		}
	}
	return out, nil
}

// letGo releases the items that a hold kept back which is over, unless another
// hold stands in their way.
func (s *Service) letGo(ctx context.Context, tx *store.Tx, by concert.Actor, h concert.Hold) error {
	now := s.now()
	for after := concert.ItemID(""); ; {
		items, err := tx.HeldUnder(ctx, h, after, underPage)
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].ID
		holds, err := tx.HoldsFor(ctx, items)
		if err != nil {
			return err
		}
		var freed []concert.Item
		for _, it := range items {
			if len(standing(holds[it.ID], it, now)) > 0 {
				continue
			}
			it, e, err := it.Released(by, now)
			if err != nil {
				return err
			}
			tx.Record(e)
			s.onItsWay(tx, it)
			freed = append(freed, it)
		}
		if err := tx.SaveItems(ctx, freed); err != nil {
			return err
		}
	}
}

// standing are the holds that stop the item now.
func standing(holds []concert.Hold, it concert.Item, now time.Time) []concert.Hold {
	var out []concert.Hold
	for _, h := range holds {
		if h.Stands(it.Author, now) {
			out = append(out, h)
		}
	}
	return out
}

// expireHold looks at a hold: while it stands, for what went out meanwhile;
// once it is over, for what it kept back.
func (s *Service) expireHold(ctx context.Context, j concert.ExpireHold) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		h, err := tx.Hold(ctx, string(j.Hold))
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.InForce(s.now()) {
			return s.offerLate(ctx, tx, h, concert.HoldTerm)
		}
		return s.letGo(ctx, tx, concert.House, h)
	})
}

// shownHold is what an item's author is told of the holds of others: whom to
// call, and whether the item had gone out before the hold was placed.
func (s *Service) shownHold(ctx context.Context, tx *store.Tx, it concert.Item) (contact string, late bool, err error) {
	var holds []concert.Hold
	switch {
	case it.Status == concert.ItemHeld:
		of, err := tx.HoldsFor(ctx, []concert.Item{it})
		if err != nil {
			return "", false, err
		}
		holds = of[it.ID]
	case it.Referral != "" && it.Status != concert.ItemWithdrawn:
		late = true
		if holds, err = tx.LateFor(ctx, it.ID); err != nil {
			return "", false, err
		}
	}
	holds = standing(holds, it, s.now())
	if len(holds) == 0 {
		return "", false, nil
	}
	contact, err = tx.HoldContact(ctx, holds[0].ID)
	return contact, late, err
}
