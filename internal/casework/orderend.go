package casework

import (
	"context"
	"errors"

	"concert"
	"concert/internal/store"
)

// endOrder lets the end of an order reach everybody in the transaction that ends it: its
// addressee, who reinstates; its clocks; the banks that hold entries made of its items;
// the error register (G13, G16, G17). e is the event of the end.
func (s *Service) endOrder(ctx context.Context, tx *store.Tx, by concert.Actor, o concert.Order, e concert.Event, cause concert.ErrorCause, category concert.RemedyCategory) error {
	if err := s.tellAddressee(ctx, tx, o, concert.NoticeOrderEnded, e); err != nil {
		return err
	}
	if err := s.endDeadlines(ctx, tx, o, "order "+string(o.Status)); err != nil {
		return err
	}
	items, err := tx.OrderItems(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := s.endEntriesOf(ctx, tx, it.Item, concert.EntryWithdrawn); err != nil {
			return err
		}
	}
	if err := s.recordError(ctx, tx, by, string(o.ID), concert.ErrorRecord{Ref: o.Ref, Kind: concert.AboutOrder, Cause: cause, Category: category, Authority: o.Authority, Provider: o.Provider}); err != nil {
		return err
	}
	return tx.SaveOrder(ctx, o)
}

// replaces refuses a draft that names an order which it cannot put right.
func replaces(ctx context.Context, tx *store.Tx, o concert.Order) error {
	if o.Replaces == "" {
		return nil
	}
	old, err := tx.Order(ctx, o.Replaces)
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		return err
	}
	return o.Replacing(old)
}
