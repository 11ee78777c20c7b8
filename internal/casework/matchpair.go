package casework

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"concert"
	"concert/internal/store"
	"concert/pdq"
)

// MatchPair is one match with the item that it was found of and the captures that
// were compared, by reference.
type MatchPair struct {
	MatchView
	This      concert.Item // without what is sealed
	OwnRef    string       // of the capture of this item; "" where there is none any more
	TheirsRef string       // of the other item's; "" for an entry of a bank
	EntryHash string       // of the entry that was met, as text; "" for another item
}

// ReadMatch is one match of the actor's authority, by reference, with both sides
// of it. Nothing of what the captures hold is opened.
func (s *Service) ReadMatch(ctx context.Context, scope concert.Scope, ref string) (MatchPair, error) {
	var out MatchPair
	by := scope.Actor()
	if err := scope.Check(); err != nil {
		return out, err
	}
	if err := by.MayCapture(); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		m, err := tx.MatchByRef(ctx, ref)
		if err != nil {
			return err
		}
		if by.Authority == "" || m.Authority != by.Authority {
			return concert.ErrNotFound
		}
		items, err := tx.BareItemsByID(ctx, []concert.ItemID{m.Item})
		if err != nil {
			return err
		}
		if len(items) == 0 || !items[0].ErasedAt.IsZero() {
			return concert.ErrNotFound
		}
		var seen Known
		if err := s.viewMatches(ctx, tx, by, items[0], []concert.KnownMatch{m}, &seen); err != nil {
			return err
		}
		if len(seen.Matches) == 0 {
			return concert.ErrNotFound
		}
		out = MatchPair{MatchView: seen.Matches[0], This: items[0].ShownTo(by.Authority)}
		return out.sides(ctx, tx, by.Authority)
	})
	return out, err
}

// sides finds the captures that were compared: those of the prints, and for equal
// bytes those that have them.
func (p *MatchPair) sides(ctx context.Context, tx *store.Tx, a concert.AuthorityID) error {
	if h, there := p.MatchView.Entry.HashAt(int(p.OtherSide)); there && p.By != concert.PrintBytes {
		p.EntryHash = h.String()
		if p.By == concert.PrintPicture && p.Detail.There == nil { // the index knows the distance alone
			there, err := lookOf(h)
			if err != nil {
				return err
			}
			p.Detail.There = there
		}
	}
	own, err := ownCaptures(ctx, tx, p.This.ID, a)
	if err != nil {
		return err
	}
	var theirs []concert.Capture
	if p.With.ID != "" {
		if theirs, err = ownCaptures(ctx, tx, p.With.ID, a); err != nil {
			return err
		}
	}
	for _, c := range own {
		same := slices.IndexFunc(theirs, func(o concert.Capture) bool { return o.SHA256 != "" && o.SHA256 == c.SHA256 })
		switch {
		case p.Own == c.ID:
			p.OwnRef = c.Ref
		case p.Own == "" && p.By == concert.PrintBytes && p.With.ID != "" && same >= 0 && p.OwnRef == "":
			p.OwnRef, p.TheirsRef = c.Ref, theirs[same].Ref
		case p.Own == "" && p.By == concert.PrintBytes && p.OwnRef == "":
			if i := slices.IndexFunc(p.MatchView.Entry.Hashes, func(h concert.KnownHash) bool { return h.Value != "" && h.Value == c.SHA256 }); i >= 0 {
				p.OwnRef, p.EntryHash = c.Ref, p.MatchView.Entry.Hashes[i].String()
			}
		}
	}
	for _, c := range theirs {
		if p.Theirs != "" && p.Theirs == c.ID {
			p.TheirsRef = c.Ref
		}
	}
	return nil
}

// lookOf are the bits of a hash of how something looks; none of others.
func lookOf(h concert.KnownHash) ([]byte, error) {
	if h.Kind == concert.HashVPDQ {
		return h.Frames[0].PDQ[:], nil
	}
	if h.Kind != concert.HashPDQ {
		return nil, nil
	}
	parsed, err := pdq.Parse(h.Value)
	bits := parsed.Bytes()
	return bits[:], err
}

// ownCaptures are an authority's captures of an item that still have their bytes.
func ownCaptures(ctx context.Context, tx *store.Tx, item concert.ItemID, a concert.AuthorityID) ([]concert.Capture, error) {
	cs, err := tx.Captures(ctx, item)
	return slices.DeleteFunc(cs, func(c concert.Capture) bool { return c.Authority != a || !c.ErasedAt.IsZero() }), err
}

// TakeCopy takes the next copy of an item that waits to be assessed in hand, as
// TakeNext does of all that waits. The zero Taken means that none is free.
func (s *Service) TakeCopy(ctx context.Context, by concert.Actor, of string) (Taken, error) {
	if err := by.MaySubmit(); err != nil {
		return Taken{}, err
	}
	return s.takeNext(ctx, by, concert.ItemOpen, func(ctx context.Context, tx *store.Tx, by concert.Actor, stage concert.ItemStatus, k int) ([]store.OnSlip, error) {
		it, err := s.ownItem(ctx, tx, by, of)
		if err != nil {
			return nil, err
		}
		in, err := tx.ClustersOf(ctx, []concert.ItemID{it.ID})
		if err != nil || in[it.ID] == "" {
			return nil, err
		}
		items, _, err := tx.AlikeWaiting(ctx, in[it.ID], by.Authority, stage, it.ID, nextMost)
		if err != nil || len(items) == 0 {
			return nil, err
		}
		ids := make([]concert.ItemID, len(items))
		for i, c := range items {
			ids[i] = c.ID
		}
		slips, err := tx.Slips(ctx, ids)
		if err != nil {
			return nil, err
		}
		now := s.now()
		skipped, err := tx.Skipped(ctx, by.Person, now)
		if err != nil {
			return nil, err
		}
		var out []store.OnSlip
		for _, c := range items {
			slip := slips[c.ID]
			if len(out) < k && !skipped[c.ID] && !slip.Held(now) && !slip.Parked(now) && slip.MayWork(by, c, true, now) == nil {
				out = append(out, store.OnSlip{Item: c, Slip: slip})
			}
		}
		return out, nil
	})
}

// Works is how many works are behind the items that were compared.
type Works = store.Works

// worksKept is for how long a count of works is good.
const worksKept = 10 * time.Second

// worksCount is a count of works, kept for a moment.
type worksCount struct {
	mu sync.Mutex
	at time.Time // of the clock on the wall
	n  store.Works
}

// WorksLately is Works, counted again every ten seconds at most.
func (s *Service) WorksLately(ctx context.Context, scope concert.Scope) (store.Works, error) {
	s.works.mu.Lock()
	defer s.works.mu.Unlock()
	if !s.works.at.IsZero() && time.Since(s.works.at) < worksKept {
		if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadMatches}); err != nil {
			return store.Works{}, err
		}
		return s.works.n, mayCountWorks(scope.Actor())
	}
	n, err := s.Works(ctx, scope)
	if err == nil {
		s.works.n, s.works.at = n, time.Now()
	}
	return n, err
}

func mayCountWorks(by concert.Actor) error {
	return by.Need(concert.RoleCoordinator, concert.RoleOfficer, concert.RoleReviewer, concert.RoleAuditor)
}

// BanksToFill are the banks of the actor's authority that are not closed, by name
// and without what is sealed.
func (s *Service) BanksToFill(ctx context.Context, by concert.Actor) ([]concert.Bank, error) {
	var out []concert.Bank
	if err := by.MayFillBanks(); err != nil {
		return nil, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.BareBanks(ctx)
		out = slices.DeleteFunc(all, func(b concert.Bank) bool { return b.Authority != by.Authority || !b.ClosedAt.IsZero() })
		return err
	})
	slices.SortFunc(out, func(a, b concert.Bank) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}
