package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

// OwnOrder is an order in its addressee's list, with who issued it and its clocks.
type OwnOrder struct {
	concert.Order
	Author    string
	Deadlines []concert.Deadline
}

// Due is when the order's hour ends; zero where it does not run.
func (o OwnOrder) Due() time.Time {
	for _, d := range o.Deadlines {
		if d.Term == concert.TermRemoval && d.State == concert.DeadlineRunning {
			return d.DueAt
		}
	}
	return time.Time{}
}

// ownOpen are the statuses in which an order waits for its addressee. The first is
// asked for before and after, since being listed proves the receipt of what is new.
var ownOpen = []concert.OrderStatus{concert.OrderReceived, concert.OrderClarified, concert.OrderImpeded, concert.OrderIssued}

// OpenOwnOrders are the orders that wait for the actor's provider, the hour that ends
// first at the top. Being listed is the rung "accepted", which proves receipt.
func (s *Service) OpenOwnOrders(ctx context.Context, scope concert.Scope) ([]OwnOrder, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.Actor().MayOwn(); err != nil {
		return nil, err
	}
	var all []concert.Order
	for i, status := range append([]concert.OrderStatus{concert.OrderIssued}, ownOpen...) {
		os, err := s.Orders(ctx, scope, OrderSearch{Status: status, Limit: 200})
		if err != nil {
			return nil, err
		}
		if i > 0 {
			all = append(all, os...)
		}
	}
	out, err := s.ownOrders(ctx, all)
	slices.SortStableFunc(out, func(a, b OwnOrder) int {
		x, y := a.Due(), b.Due()
		switch {
		case x.IsZero() == y.IsZero():
			return x.Compare(y)
		case x.IsZero():
			return 1
		}
		return -1
	})
	return out, err
}

// OwnOrders are all orders to the actor's provider, newest change first, at most fifty
// after one.
func (s *Service) OwnOrders(ctx context.Context, scope concert.Scope, after string) ([]OwnOrder, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if err := scope.Actor().MayOwn(); err != nil {
		return nil, err
	}
	os, err := s.Orders(ctx, scope, OrderSearch{After: after, Limit: 50})
	if err != nil {
		return nil, err
	}
	return s.ownOrders(ctx, os)
}

func (s *Service) ownOrders(ctx context.Context, os []concert.Order) ([]OwnOrder, error) {
	out := make([]OwnOrder, len(os))
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		authors := map[concert.AuthorityID]string{}
		for i, o := range os {
			if _, known := authors[o.Authority]; !known {
				a, err := tx.Authority(ctx, string(o.Authority))
				if err != nil {
					return err
				}
				authors[o.Authority] = a.Name
			}
			ds, err := tx.Deadlines(ctx, o.ID)
			if err != nil {
				return err
			}
			out[i] = OwnOrder{Order: o, Author: authors[o.Authority], Deadlines: ds}
		}
		return nil
	})
	return out, err
}

// AwaitsOrders reports whether an order waits for the actor's provider. It proves no
// receipt: nothing of an order is shown.
func (s *Service) AwaitsOrders(ctx context.Context, by concert.Actor) (bool, error) {
	found := false
	if by.Provider == "" {
		return false, nil
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		for _, status := range ownOpen {
			os, err := tx.Orders(ctx, store.OrdersTo, string(by.Provider), status, true, 0, "", 1)
			if err != nil {
				return err
			}
			found = found || len(os) > 0
		}
		return nil
	})
	return found, err
}
