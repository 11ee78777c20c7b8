package store

import (
	"context"
	"fmt"

	"concert"
)

// SearchOrders is one page of orders, bare, by their newest change.
func (tx *Tx) SearchOrders(ctx context.Context, s concert.Scope, q concert.OrderSearch, p concert.Page) (concert.Listed[concert.Order], error) {
	var none concert.Listed[concert.Order]
	if err := s.Check(); err != nil {
		return none, err
	}
	a := asking{table: "removal_order o", keys: []keyColumn{{"o.updated_at", true}, {"o.id", false}}, down: true, walks: []walk{{}}}
	switch p.Order {
	case "", concert.OrderNewest:
	case concert.OrderOldest:
		a.down = false
	default:
		return none, concert.Refuse(concert.Invalid, "list.order", "order", "this list cannot be sorted by %q: choose an order from the list", p.Order)
	}
	switch {
	case q.Author != "":
		a.walks = []walk{{"o.authority = ?", []any{string(q.Author)}}}
	case q.Copied != "":
		a.walks = []walk{{"o.copied = ? AND o.copied <> ''", []any{string(q.Copied)}}}
		a.only("o.issued_at > 0")
	case q.Provider != "":
		a.walks = []walk{{"o.provider = ?", []any{string(q.Provider)}}}
	}
	if q.Author != "" || q.Copied != "" {
		a.onlyIf(string(q.Provider), "o.provider = ?")
	}
	if len(q.Statuses) > 0 {
		a.only("o.status IN (?"+repeat(", ?", len(q.Statuses)-1)+")", anys(strs(q.Statuses))...)
	}
	if q.Mine != "" {
		a.only("(o.drafter = ? OR o.reviewer = ? OR o.approver = ?)", string(q.Mine), string(q.Mine), string(q.Mine))
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]concert.Order, error) {
		return in(ctx, tx, func(r rowScanner) (concert.Order, error) { return scanOrder(r) }, "SELECT "+orderCols+" FROM removal_order o WHERE o.id IN (%s)", ids)
	}, func(o concert.Order) string { return string(o.ID) })
}

// CountOrders is how many orders an authority has in each status.
func (tx *Tx) CountOrders(ctx context.Context, a concert.AuthorityID) (map[concert.OrderStatus]int, error) {
	out := map[concert.OrderStatus]int{}
	_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var s concert.OrderStatus
		var n int
		err := r.Scan(&s, &n)
		out[s] = n
		return struct{}{}, err
	}, "SELECT o.status, count(*) FROM removal_order o WHERE o.authority = ? GROUP BY o.status", string(a))
	if err != nil {
		return nil, fmt.Errorf("count orders: %w", err)
	}
	return out, nil
}

// DeadlinesOf are the legal clocks of each of the orders.
func (tx *Tx) DeadlinesOf(ctx context.Context, ids []concert.OrderID) (map[concert.OrderID][]concert.Deadline, error) {
	ds, err := in(ctx, tx, scanDeadline, "SELECT "+deadlineCols+" FROM deadline d WHERE d.order_id IN (%s) ORDER BY d.started_at, d.term", anys(strs(ids)))
	out := map[concert.OrderID][]concert.Deadline{}
	for _, d := range ds {
		out[d.Order] = append(out[d.Order], d)
	}
	return out, err
}

// WarnedOrder is an order, bare, with one of its legal clocks of which people were
// warned.
type WarnedOrder struct {
	concert.Order
	concert.Deadline
}

// WarnedOrders are the orders on a side, with the clocks that were warned of and run or
// were missed, the first due first.
func (tx *Tx) WarnedOrders(ctx context.Context, side OrderSide, who string, limit int) ([]WarnedOrder, error) {
	return list(ctx, tx, func(r rowScanner) (w WarnedOrder, err error) {
		var started, due, paused, met int64
		d := &w.Deadline
		w.Order, err = scanOrder(r, &d.Order, &d.Term, &d.State, &started, &d.Evidence, &due, &paused, &d.Why, &met, &d.Warned, &d.Least, &d.Window, &d.Extension, &d.Version)
		d.StartedAt, d.DueAt, d.PausedAt, d.MetAt = concert.FromMicros(started), concert.FromMicros(due), concert.FromMicros(paused), concert.FromMicros(met)
		return w, err
	}, "SELECT "+orderCols+", "+deadlineCols+" FROM removal_order o JOIN deadline d ON d.order_id = o.id WHERE o."+string(side)+" = ? AND o.issued_at > 0 AND d.warned > 0 AND d.met_at = 0 AND d.state IN ('running', 'missed') ORDER BY d.due_at, d.id LIMIT ?", who, limit)
}
