package casework

import (
	"context"
	"fmt"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// MatchView is what an item was found to be like, as people of the authority whose
// capture it is see it.
type MatchView struct {
	concert.KnownMatch
	Entry  concert.BankEntry // of a bank; zero for another item
	Bank   concert.Bank
	Owner  concert.Authority // of the bank
	With   concert.Item      // the other item, without what is sealed
	Own    concert.CaptureID // that was compared
	Theirs concert.CaptureID
}

// Known is all that is known of an item's content.
type Known struct {
	Matches  []MatchView
	Others   int            // items of other authorities that are like it: how many is all that is told
	Alike    []concert.Item // copies of it that wait to be assessed, at most alikeShown
	Waiting  int            // how many those are in all
	Language store.LanguageHint
	Pending  bool // a capture is not compared yet
}

// alikeShown bounds the copies that are listed beside an item.
const alikeShown = 20

// KnownOf is what is known of an item's content to the actor's authority, which found
// or judged it.
func (s *Service) KnownOf(ctx context.Context, scope concert.Scope, ref string) (Known, error) {
	var out Known
	by := scope.Actor()
	if err := scope.Check(); err != nil {
		return out, err
	}
	if err := by.MayCapture(); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = Known{}
		it, err := s.ownItem(ctx, tx, by, ref)
		if err != nil || !it.ErasedAt.IsZero() {
			return err
		}
		ms, err := tx.MatchesOf(ctx, it.ID, by.Authority)
		if err != nil {
			return err
		}
		if err := s.viewMatches(ctx, tx, by, it, ms, &out); err != nil {
			return err
		}
		if out.Language, err = tx.LanguageHint(ctx, it.ID); err != nil {
			return err
		}
		if out.Pending, err = tx.Pending(ctx, it.ID); err != nil || s.Printers == nil {
			out.Pending = false
		}
		in, err := tx.ClustersOf(ctx, []concert.ItemID{it.ID})
		if err != nil || in[it.ID] == "" {
			return err
		}
		out.Alike, out.Waiting, err = tx.AlikeWaiting(ctx, in[it.ID], by.Authority, concert.ItemOpen, it.ID, alikeShown)
		return err
	})
	return out, err
}

func (s *Service) viewMatches(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item, ms []concert.KnownMatch, out *Known) error {
	var ns, prints []int64
	var ids []concert.ItemID
	foreign := map[concert.ItemID]bool{}
	for _, m := range ms {
		if m.Entry != 0 {
			ns, prints = append(ns, m.Entry), append(prints, m.Print)
			continue
		}
		if m.Authority != m.Owner {
			foreign[otherOf(m, it.ID)] = true
			continue
		}
		ids = append(ids, otherOf(m, it.ID))
		prints = append(prints, m.Print, m.OtherSide)
	}
	out.Others = len(foreign)
	entries, err := tx.EntriesByN(ctx, ns)
	if err != nil {
		return err
	}
	items, err := tx.BareItemsByID(ctx, ids)
	if err != nil {
		return err
	}
	captures, err := tx.PrintedCaptures(ctx, prints)
	if err != nil {
		return err
	}
	banks := map[concert.BankID]BankView{}
	told := map[string]bool{} // the nearest kind of each is enough
	for _, m := range concert.Nearest(ms) {
		v := MatchView{KnownMatch: m}
		with := fmt.Sprint(m.Entry, otherOf(m, it.ID))
		if told[with] {
			continue
		}
		told[with] = true
		if m.Entry != 0 {
			e, there := entries[m.Entry]
			if !there || !e.Matches(s.now()) {
				continue
			}
			b, known := banks[e.Bank]
			if !known {
				if b, err = s.bankView(ctx, tx, by, string(e.Bank)); err != nil {
					if refused, other := refusal(err); other != nil || refused.Kind != concert.NotFound {
						return err
					}
				}
				banks[e.Bank] = b
			}
			if b.ID == "" {
				continue // closed, or no longer open to them
			}
			v.Entry, v.Bank, v.Owner, v.Own = e.ShownOf(b.Bank, by), b.Bank, b.Owner, captures[m.Print]
			out.Matches = append(out.Matches, v)
			continue
		}
		other := otherOf(m, it.ID)
		i := slices.IndexFunc(items, func(o concert.Item) bool { return o.ID == other })
		if m.Authority != m.Owner || i < 0 || !items[i].ErasedAt.IsZero() {
			continue
		}
		v.With = items[i].ShownTo(by.Authority)
		v.Own, v.Theirs = captures[m.Print], captures[m.OtherSide]
		if m.Item != it.ID {
			v.Own, v.Theirs = v.Theirs, v.Own
		}
		out.Matches = append(out.Matches, v)
	}
	return nil
}

// otherOf is the item of a match that is not this one.
func otherOf(m concert.KnownMatch, this concert.ItemID) concert.ItemID {
	if m.Item == this {
		return m.Other
	}
	return m.Item
}

// JudgeMatch says whether a match is right: the same work, or another one. One that
// is wrong joins no copies and carries nothing over from then on.
func (s *Service) JudgeMatch(ctx context.Context, by concert.Actor, ref string, w concert.MatchWord) (concert.KnownMatch, error) {
	var out concert.KnownMatch
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		m, err := tx.MatchByRef(ctx, ref)
		if err != nil {
			return err
		}
		items, err := tx.BareItemsByID(ctx, []concert.ItemID{m.Item})
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return concert.ErrNotFound
		}
		next, e, err := m.Judged(by, items[0], w, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		out = next
		if err := tx.SaveMatchWord(ctx, next); err != nil || next.Other == "" {
			return err
		}
		if next.Alike() {
			return s.joinCopies(ctx, tx, next.Item, []concert.KnownMatch{next})
		}
		return s.partCopies(ctx, tx, next.Item)
	})
	return out, err
}

// partCopies parts the cluster of an item into what is still joined by matches that
// nobody called wrong. The largest part keeps its name.
func (s *Service) partCopies(ctx context.Context, tx *store.Tx, item concert.ItemID) error {
	in, err := tx.ClustersOf(ctx, []concert.ItemID{item})
	if err != nil || in[item] == "" {
		return err
	}
	all, err := tx.ClusterItems(ctx, in[item])
	if err != nil {
		return err
	}
	pairs, err := tx.AlikePairs(ctx, in[item])
	if err != nil {
		return err
	}
	parts := concert.Copies(pairs)
	if len(parts) == 1 && len(parts[0]) == len(all) {
		return nil
	}
	if err := tx.LeaveClusters(ctx, all); err != nil {
		return err
	}
	for i, part := range parts {
		name := in[item]
		if i > 0 {
			name = identity.NewID()
		}
		if err := tx.JoinCluster(ctx, name, part, nil); err != nil {
			return err
		}
	}
	return nil
}

// Works is how many works are behind the items that were compared, of all
// authorities: numbers, and nothing of any item.
func (s *Service) Works(ctx context.Context, scope concert.Scope) (store.Works, error) {
	var w store.Works
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadMatches}); err != nil {
		return w, err
	}
	if err := mayCountWorks(scope.Actor()); err != nil {
		return w, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		w, err = tx.Works(ctx)
		return err
	})
	return w, err
}
