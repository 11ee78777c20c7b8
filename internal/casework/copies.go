package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// keepMatches writes matches, joins copies into clusters and records what each item
// was found to be like.
func (s *Service) keepMatches(ctx context.Context, tx *store.Tx, made []madePrint, found []concert.KnownMatch, back bool) error {
	if len(found) == 0 {
		return nil
	}
	byItem := map[concert.ItemID][]concert.KnownMatch{}
	var order []concert.ItemID
	for _, m := range found {
		if _, known := byItem[m.Item]; !known {
			order = append(order, m.Item)
		}
		byItem[m.Item] = append(byItem[m.Item], m)
	}
	items, err := tx.BareItemsByID(ctx, order)
	if err != nil {
		return err
	}
	var nearest []concert.KnownMatch
	for _, it := range items {
		if it.ErasedAt.IsZero() {
			nearest = append(nearest, concert.Nearest(byItem[it.ID])...)
		}
	}
	added, err := tx.AddMatches(ctx, identity.NewID, nearest)
	if err != nil {
		return err
	}
	if err := s.tellHolders(ctx, tx, items, added); err != nil {
		return err
	}
	clear(byItem)
	for _, m := range added {
		byItem[m.Item] = append(byItem[m.Item], m)
	}
	for _, it := range items {
		fresh := byItem[it.ID]
		if err := s.joinCopies(ctx, tx, it.ID, fresh); err != nil {
			return err
		}
		for _, a := range authoritiesOf(fresh) {
			of := slices.DeleteFunc(slices.Clone(fresh), func(m concert.KnownMatch) bool { return m.Authority != a })
			var prints []concert.Print
			for _, p := range made {
				if p.Item == it.ID && p.Authority == a {
					prints = append(prints, p.Print)
				}
			}
			if e, ok := it.Recognised(a, prints, of, back, s.now()); ok {
				tx.Record(e)
			}
		}
	}
	return nil
}

func authoritiesOf(ms []concert.KnownMatch) (out []concert.AuthorityID) {
	for _, m := range ms {
		if !slices.Contains(out, m.Authority) {
			out = append(out, m.Authority)
		}
	}
	return out
}

// tellHolders tells whoever holds what items are copies of.
func (s *Service) tellHolders(ctx context.Context, tx *store.Tx, items []concert.Item, ms []concert.KnownMatch) error {
	var ids []concert.ItemID
	for _, m := range ms {
		if m.Other != "" && m.Alike() {
			ids = append(ids, m.Other)
		}
	}
	slices.Sort(ids)
	others, err := tx.BareItemsByID(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	held, err := tx.HoldsFor(ctx, others)
	if err != nil || len(held) == 0 {
		return err
	}
	for _, m := range ms {
		it := items[slices.IndexFunc(items, func(it concert.Item) bool { return it.ID == m.Item })]
		for _, h := range held[m.Other] {
			a, e, stands := h.Mirrored(it, m.Authority, s.now())
			if !stands || !m.Alike() || h.Covers(it) {
				continue // what it covers itself is told when it is to go out
			}
			if fresh, err := tx.AddAsked(ctx, a); err != nil {
				return err
			} else if fresh {
				tx.Record(e)
			}
		}
	}
	return nil
}

// joinCopies puts the item into one cluster with what it is a copy of. The name of
// a cluster says nothing.
func (s *Service) joinCopies(ctx context.Context, tx *store.Tx, item concert.ItemID, ms []concert.KnownMatch) error {
	ids := []concert.ItemID{item}
	for _, m := range ms {
		if m.Other != "" && m.Alike() && !slices.Contains(ids, m.Other) {
			ids = append(ids, m.Other)
		}
	}
	if len(ids) == 1 {
		return nil
	}
	in, err := tx.ClustersOf(ctx, ids)
	if err != nil {
		return err
	}
	var clusters []string
	for _, id := range ids {
		if c := in[id]; c != "" && !slices.Contains(clusters, c) {
			clusters = append(clusters, c)
		}
	}
	if len(clusters) == 0 {
		clusters = []string{identity.NewID()}
	}
	slices.Sort(clusters)
	alone := slices.DeleteFunc(ids, func(id concert.ItemID) bool { return in[id] == clusters[0] })
	return tx.JoinCluster(ctx, clusters[0], alone, clusters[1:])
}
