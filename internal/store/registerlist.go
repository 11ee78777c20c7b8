package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

// newestFirst is a list sorted by an id that tells time.
func newestFirst(table, id, order string) (asking, error) {
	a := asking{table: table, keys: []keyColumn{{id, false}}, down: true, walks: []walk{{}}}
	switch order {
	case "", concert.OrderNewest:
	case concert.OrderOldest:
		a.down = false
	default:
		return a, concert.Refuse(concert.Invalid, "list.order", "order", "this list cannot be sorted by %q: choose an order from the list", order)
	}
	return a, nil
}

// between asks for rows of a time column within a span. The column stands in a
// sum, so that no index on it is taken and then sorted.
func (a *asking) between(column string, from, until time.Time) {
	column += " + 0"
	if !from.IsZero() {
		a.only(column+" >= ?", concert.Micros(from))
	}
	if !until.IsZero() {
		a.only(column+" < ?", concert.Micros(until))
	}
}

// SearchReferrals is one page of referrals, without their envelopes.
func (tx *Tx) SearchReferrals(ctx context.Context, s concert.Scope, q concert.ReferralSearch, p concert.Page) (concert.Listed[concert.Referral], error) {
	var none concert.Listed[concert.Referral]
	if err := s.Check(); err != nil {
		return none, err
	}
	a, err := newestFirst("referral r", "r.id", p.Order)
	if err != nil {
		return none, err
	}
	switch {
	case q.Author != "":
		a.walks = []walk{{"r.author = ?", []any{string(q.Author)}}}
		a.onlyIf(string(q.Provider), "r.provider = ?")
	case q.Provider != "":
		a.walks = []walk{{"r.provider = ?", []any{string(q.Provider)}}}
	}
	a.onlyIf(string(q.Action), "r.action = ?")
	a.onlyIf(string(q.Status), "r.status = ?")
	a.between("r.created_at", q.From, q.Until)
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]concert.Referral, error) {
		return in(ctx, tx, scanReferral, "SELECT "+referralCols+" FROM referral WHERE id IN (%s)", ids)
	}, func(r concert.Referral) string { return string(r.ID) })
}

// Rungs are how far the first notice of each referral has come.
func (tx *Tx) Rungs(ctx context.Context, ids []concert.ReferralID) (map[concert.ReferralID]concert.Rung, error) {
	out := map[concert.ReferralID]concert.Rung{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.ReferralID
		var rung concert.Rung
		err := r.Scan(&id, &rung)
		out[id] = rung
		return struct{}{}, err
	}, "SELECT referral, rung FROM delivery WHERE referral IN (%s) AND kind = 'referral'", anys(strs(ids)))
	if err != nil {
		return nil, fmt.Errorf("rungs of referrals: %w", err)
	}
	return out, nil
}

// SearchHolds is one page of the reader's authority's own holds, with what is
// sealed to it.
func (tx *Tx) SearchHolds(ctx context.Context, s concert.Scope, state concert.HoldState, now time.Time, p concert.Page) (concert.Listed[concert.Hold], error) {
	var none concert.Listed[concert.Hold]
	if err := s.Justified(); err != nil {
		return none, err
	}
	a, err := newestFirst("hold h", "h.id", p.Order)
	if err != nil {
		return none, err
	}
	a.walks = []walk{{"h.authority = ?", []any{string(s.Actor().Authority)}}}
	switch state {
	case concert.HoldStanding:
		a.only("h.released_at = 0 AND h.expires_at > ?", concert.Micros(now))
	case concert.HoldExpired:
		a.only("h.released_at = 0 AND h.expires_at <= ?", concert.Micros(now))
	case concert.HoldReleased:
		a.only("h.released_at > 0")
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	return listed(found, func(ids []any) ([]concert.Hold, error) {
		hs, err := in(ctx, tx, scanHold, "SELECT "+holdCols+" FROM hold WHERE id IN (%s)", ids)
		for i := range hs {
			if hs[i], err = tx.OpenHold(ctx, hs[i], s.Actor().Authority); err != nil {
				return nil, err
			}
		}
		return hs, err
	}, func(h concert.Hold) string { return string(h.ID) })
}

// ListedRemedy is a withdrawal or correction with what a list says of its item.
type ListedRemedy struct {
	concert.Remedy
	ItemRef  string
	Type     concert.ItemType
	Author   concert.AuthorityID
	Provider concert.ProviderID
	Exercise bool
	sealed   []byte
}

// SearchRemedies is one page of withdrawals and corrections. Their reasons are
// opened only where the reader says why.
func (tx *Tx) SearchRemedies(ctx context.Context, q concert.RemedySearch, open bool, p concert.Page) (concert.Listed[ListedRemedy], error) {
	var none concert.Listed[ListedRemedy]
	a, err := newestFirst("remedy m", "m.ref", p.Order)
	if err != nil {
		return none, err
	}
	a.keys = []keyColumn{{"m.at", true}, {"m.ref", false}}
	if q.Author != "" {
		a.only("EXISTS (SELECT 1 FROM item i WHERE i.id = m.item AND i.author = ?)", string(q.Author))
	}
	if q.Sent {
		a.only("m.referral <> ''")
	}
	a.onlyIf(string(q.Kind), "m.kind = ?")
	a.onlyIf(string(q.Category), "m.category = ?")
	a.between("m.at", q.From, q.Until)
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return none, err
	}
	out, err := listed(found, func(ids []any) ([]ListedRemedy, error) {
		return in(ctx, tx, func(r rowScanner) (ListedRemedy, error) {
			var m ListedRemedy
			var at int64
			err := r.Scan(&m.Ref, &m.Item, &m.Referral, &m.Kind, &m.Category, &m.sealed, &m.By, &at, &m.ItemRef, &m.Type, &m.Author, &m.Provider, &m.Exercise)
			m.At = concert.FromMicros(at)
			return m, err
		}, "SELECT m.ref, m.item, m.referral, m.kind, m.category, m.sealed, m.person, m.at, i.ref, i.type, i.author, i.provider, i.exercise FROM remedy m JOIN item i ON i.id = m.item WHERE m.ref IN (%s)", ids)
	}, func(m ListedRemedy) string { return m.Ref })
	if err != nil || !open {
		return out, err
	}
	for i, m := range out.Rows {
		var g concert.GroundText
		if err := tx.open(ctx, string(m.Item), "remedy", m.sealed, &g); err != nil {
			return none, err
		}
		out.Rows[i].Reason = g.Ground
	}
	return out, nil
}

// CountRemedies counts the remedies of what had gone out, by kind and reason.
func (tx *Tx) CountRemedies(ctx context.Context) ([]concert.RemedyCount, error) {
	return list(ctx, tx, func(r rowScanner) (concert.RemedyCount, error) {
		var c concert.RemedyCount
		return c, r.Scan(&c.Kind, &c.Category, &c.N)
	}, "SELECT kind, category, count(*) FROM remedy WHERE referral <> '' GROUP BY kind, category ORDER BY kind, category")
}

// SearchAlarms is one page of alarms, newest first.
func (tx *Tx) SearchAlarms(ctx context.Context, q concert.AlarmSearch, p concert.Page) (concert.Listed[concert.Alarm], error) {
	a, err := newestFirst("alarm a", "a.id", p.Order)
	if err != nil {
		return concert.Listed[concert.Alarm]{}, err
	}
	if q.Authority != "" {
		a.walks = []walk{{"a.authority = ?", []any{string(q.Authority)}}}
	}
	a.onlyIf(string(q.Kind), "a.kind = ?")
	if q.Lasting {
		a.only("a.ended_at = 0")
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return concert.Listed[concert.Alarm]{}, err
	}
	return listed(found, func(ids []any) ([]concert.Alarm, error) {
		return in(ctx, tx, scanAlarm, "SELECT "+alarmCols+" FROM alarm WHERE id IN (%s)", ids)
	}, func(a concert.Alarm) string { return string(a.ID) })
}

// SearchActions is one page of joint actions, newest first.
func (tx *Tx) SearchActions(ctx context.Context, phase concert.Phase, p concert.Page) (concert.Listed[concert.Action], error) {
	a, err := newestFirst("action a", "a.id", p.Order)
	if err != nil {
		return concert.Listed[concert.Action]{}, err
	}
	a.onlyIf(string(phase), "a.phase = ?")
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return concert.Listed[concert.Action]{}, err
	}
	return listed(found, func(ids []any) ([]concert.Action, error) {
		return in(ctx, tx, scanAction, "SELECT "+actionCols+" FROM action WHERE id IN (%s)", ids)
	}, func(a concert.Action) string { return string(a.ID) })
}
