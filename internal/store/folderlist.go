package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

// SearchCases is one page of cases, newest first: those that a person is a member
// of, or all, for whoever may read all.
func (tx *Tx) SearchCases(ctx context.Context, s concert.Scope, q concert.CaseSearch, now time.Time, p concert.Page) (concert.Listed[concert.Case], error) {
	var none concert.Listed[concert.Case]
	if err := s.Justified(); err != nil {
		return none, err
	}
	table, id := "case_file f", "f.id"
	if q.Member != "" {
		table, id = "case_member m JOIN case_file f ON f.id = m.case_id", "m.case_id"
	}
	a, err := newestFirst(table, id, p.Order)
	if err != nil {
		return none, err
	}
	if q.Member != "" {
		a.walks = []walk{{"m.person = ?", []any{string(q.Member)}}}
		a.only("f.authority = ?", string(s.Actor().Authority)) // who moved to another one reads no more of the first
	}
	a.onlyIf(string(q.Authority), "f.authority = ?")
	a.onlyIf(string(q.Lead), "f.lead = ?")
	a.onlyIf(string(q.Handling), "f.handling = ?")
	at := concert.Micros(now)
	switch q.State {
	case concert.CaseOpen:
		a.only("f.closed_at = 0 AND f.mandate_until > ?", at)
	case concert.CaseMandateOver:
		a.only("f.closed_at = 0 AND f.mandate_until <= ?", at)
	case concert.CaseClosed:
		a.only("f.closed_at > 0")
	}
	switch q.Review {
	case concert.ReviewOverdue:
		a.only("f.review_at <= ?", at)
	case concert.ReviewSoon:
		a.only("f.review_at <= ?", concert.Micros(now.Add(concert.CaseGrace)))
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]concert.Case, error) {
		cs, err := in(ctx, tx, tx.scanCase(ctx), "SELECT "+caseCols+caseFrom+"WHERE f.id IN (%s)", ids)
		if err != nil {
			return nil, fmt.Errorf("cases of a page: %w", err)
		}
		return tx.peopled(ctx, cs)
	}, func(c concert.Case) string { return string(c.ID) })
}

// watchAsking turns a search of the watchlist into walks: by when places are due,
// those in force and those that are over apart, or by when they were placed.
func watchAsking(q concert.WatchSearch, order string, now time.Time) (asking, error) {
	a := asking{table: "watch w"}
	whose, args := "", []any(nil)
	if q.Authority != "" {
		whose, args = "w.authority = ?", []any{string(q.Authority)}
	}
	at := concert.Micros(now)
	switch order {
	case "", concert.OrderDue:
		a.keys = []keyColumn{{"w.next_at", true}, {"w.id", false}}
		if whose != "" {
			whose = " AND " + whose
		}
		if q.State != concert.WatchOver {
			a.walks = append(a.walks, walk{"w.ended_at = 0" + whose, args})
		}
		if q.State != concert.WatchStanding {
			a.walks = append(a.walks, walk{"w.ended_at > 0" + whose, args})
		}
	case concert.OrderNewest, concert.OrderOldest:
		a.keys, a.down = []keyColumn{{"w.id", false}}, order == concert.OrderNewest
		a.walks = []walk{{whose, args}}
		switch q.State {
		case concert.WatchStanding:
			a.only("w.ended_at + 0 = 0") // in a sum, so that no index on it is taken and then sorted
		case concert.WatchOver:
			a.only("w.ended_at + 0 > 0")
		}
	default:
		return a, concert.Refuse(concert.Invalid, "list.order", "order", "this list cannot be sorted by %q: choose an order from the list", order)
	}
	if q.Turn != "" {
		a.only("w.ended_at + 0 = 0")
	}
	switch q.Turn {
	case concert.TurnDue:
		a.only("w.next_at + 0 <= ?", at)
	case concert.TurnNever:
		a.only("w.last_at = 0")
	case concert.TurnUnder:
		a.only("w.sweep <> ''")
	case concert.TurnLater:
		a.only("w.next_at + 0 > ? AND w.last_at > 0", at)
	}
	if q.Member != "" {
		a.only("(w.owner <> 'person' OR w.case_id IN (SELECT m.case_id FROM case_member m WHERE m.person = ?))", string(q.Member))
	}
	a.onlyIf(string(q.Outlet), "w.outlet = ?")
	a.onlyIf(string(q.Owner), "w.owner = ?")
	a.onlyIf(string(q.Sweeper), "EXISTS (SELECT 1 FROM sweep s WHERE s.person = ? AND s.watch = w.id AND s.done_at > 0 AND s.outcome <> 'given_up')")
	return a, nil
}

// SearchWatches is one page of the watchlist.
func (tx *Tx) SearchWatches(ctx context.Context, s concert.Scope, q concert.WatchSearch, now time.Time, p concert.Page) (concert.Listed[concert.Watch], error) {
	var none concert.Listed[concert.Watch]
	if err := s.Justified(); err != nil {
		return none, err
	}
	a, err := watchAsking(q, p.Order, now)
	if err != nil {
		return none, err
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]concert.Watch, error) {
		return in(ctx, tx, tx.scanWatch(ctx), "SELECT "+watchCols+watchFrom+"WHERE w.id IN (%s)", ids)
	}, func(w concert.Watch) string { return string(w.ID) })
}
