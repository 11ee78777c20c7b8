package casework

import (
	"context"
	"slices"
	"strings"

	"concert"
	"concert/internal/store"
)

// Bank is one bank that the actor may know of, with how its entries stand.
func (s *Service) Bank(ctx context.Context, scope concert.Scope, ref string) (BankView, error) {
	var v BankView
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref}); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		v, err = s.countedBank(ctx, tx, scope.Actor(), ref)
		return err
	})
	return v, err
}

// BankView is a bank with its owner and, where it stands in a list or before its
// entries, how those stand.
type BankView struct {
	concert.Bank
	Owner concert.Authority
	Count store.BankCount
	Mine  bool
}

// Banks are the banks that the actor may know of, those of its own authority first.
func (s *Service) Banks(ctx context.Context, scope concert.Scope) ([]BankView, error) {
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks}); err != nil {
		return nil, err
	}
	by := scope.Actor()
	var out []BankView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		bare, err := tx.BareBanks(ctx)
		if err != nil {
			return err
		}
		for _, b := range bare {
			if b.MayKnow(by, s.now()) != nil {
				continue
			}
			v, err := s.countedBank(ctx, tx, by, b.Ref)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b BankView) int {
		if a.Mine != b.Mine {
			if a.Mine {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, err
}

func (s *Service) bankView(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (v BankView, err error) {
	if v.Bank, err = tx.Bank(ctx, ref); err != nil {
		return v, err
	}
	if err := v.MayKnow(by, s.now()); err != nil {
		return v, err
	}
	if v.Owner, err = tx.Authority(ctx, string(v.Authority)); err != nil {
		return v, err
	}
	v.Mine = v.Bank.Mine(by)
	return v, nil
}

// countedBank is bankView with how the entries stand, for which all of them are gone
// through.
func (s *Service) countedBank(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (BankView, error) {
	v, err := s.bankView(ctx, tx, by, ref)
	if err == nil {
		v.Count, err = tx.BankCounts(ctx, v.ID)
	}
	return v, err
}

// EntryQuery asks for a page of a bank's entries.
type EntryQuery struct {
	Quarantined bool
	Ended       bool
	Before      int64
	Limit       int
}

// BankEntries are a page of a bank's entries, the newest first.
func (s *Service) BankEntries(ctx context.Context, scope concert.Scope, ref string, q EntryQuery) (BankView, []concert.BankEntry, error) {
	var v BankView
	var es []concert.BankEntry
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref}); err != nil {
		return v, nil, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if v, err = s.countedBank(ctx, tx, scope.Actor(), ref); err != nil {
			return err
		}
		es, err = tx.Entries(ctx, store.EntryFilter{Bank: v.ID, Quarantined: q.Quarantined, Ended: q.Ended, Before: q.Before, Limit: q.Limit})
		es = slices.DeleteFunc(es, func(e concert.BankEntry) bool { return !v.Shows(e, scope.Actor()) })
		for i, e := range es {
			es[i] = e.ShownOf(v.Bank, scope.Actor())
		}
		return err
	})
	return v, es, err
}

// BankEntry is one entry with its bank.
func (s *Service) BankEntry(ctx context.Context, scope concert.Scope, ref string) (BankView, concert.BankEntry, error) {
	var v BankView
	var e concert.BankEntry
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref, Count: 1}); err != nil {
		return v, e, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if e, err = tx.EntryByRef(ctx, ref); err != nil {
			return err
		}
		if v, err = s.bankView(ctx, tx, scope.Actor(), string(e.Bank)); err != nil {
			return err
		}
		if !v.Shows(e, scope.Actor()) {
			return concert.ErrNotFound
		}
		e = e.ShownOf(v.Bank, scope.Actor())
		return nil
	})
	return v, e, err
}
