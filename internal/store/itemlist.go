package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"concert"
)

// ranks are the values of rank: 9 - priority.
const ranks = 10

// itemAsking turns a search into walks. Sorted by urgency each status is one
// walk along the desk's index; sorted by time each status and priority is one,
// since an index holds them so; and where no status is asked for, everything by
// time is one walk along the ids.
func itemAsking(q concert.ItemSearch, order string) (asking, error) {
	a := asking{table: "item i", keys: []keyColumn{{"i.rank", true}, {"i.id", false}}}
	statuses := concert.ItemStatuses
	switch {
	case q.Found && q.Status == concert.ItemHeld:
		return a, concert.Refuse(concert.Invalid, "list.choice", "status", "whether another authority's item is held is shown to that authority alone: choose another state")
	case q.Found && q.Status == concert.ItemApproved:
		statuses = []concert.ItemStatus{concert.ItemApproved, concert.ItemHeld} // to others it stands as before (Item.ShownTo)
	case q.Status != "":
		statuses = []concert.ItemStatus{q.Status}
	}
	switch order {
	case "", concert.OrderUrgent:
	case concert.OrderNewest, concert.OrderOldest:
		a.keys, a.down = a.keys[1:], order == concert.OrderNewest
	default:
		return a, concert.Refuse(concert.Invalid, "list.order", "order", "this list cannot be sorted by %q: choose an order from the list", order)
	}
	byTime := len(a.keys) == 1
	switch {
	case byTime && q.Status == "":
		a.walks = []walk{{}}
		a.onDesk(q)
	default:
		for _, s := range statuses {
			a.walks = append(a.walks, deskWalks(q, s)...)
		}
		switch {
		case byTime:
			a.eachRank(q.Priority)
		case q.Priority > 0:
			for i, w := range a.walks { // the walk itself ends there
				a.walks[i] = walk{w.fixed + " AND i.rank <= ?", append(slices.Clip(w.args), ranks-1-q.Priority)}
			}
		}
	}
	if q.Found && q.Desk == "" {
		return a, concert.Refuse(concert.Invalid, "list.choice", "whose", "only people of an authority have what it found")
	}
	a.asked(q, byTime)
	return a, nil
}

// deskWalks are the walks that hold a desk's items with a status.
func deskWalks(q concert.ItemSearch, s concert.ItemStatus) []walk {
	switch {
	case q.Desk == "":
		return []walk{{"i.status = ?", []any{string(s)}}}
	case q.Found:
		return []walk{{"i.authority = ? AND i.author <> '' AND i.author <> i.authority AND i.status = ?", []any{string(q.Desk), string(s)}}}
	case s == concert.ItemOpen || s == concert.ItemStopped:
		return []walk{{"i.authority = ? AND i.author = '' AND i.status = ?", []any{string(q.Desk), string(s)}}}
	}
	return []walk{{"i.author = ? AND i.author <> '' AND i.status = ?", []any{string(q.Desk), string(s)}}}
}

// onDesk asks for the desk where no walk does.
func (a *asking) onDesk(q concert.ItemSearch) {
	desk := string(q.Desk)
	switch {
	case desk == "":
	case q.Found:
		// Joined to nothing, so that no index of the desk's is taken and then sorted.
		a.only("i.authority || '' = ? AND i.author <> '' AND i.author <> i.authority", desk)
	default:
		a.only("(i.author = ? OR i.author = '' AND i.authority = ?)", desk, desk)
	}
}

// eachRank makes of each walk one a priority.
func (a *asking) eachRank(least int) {
	var out []walk
	for _, w := range a.walks {
		for rank := range ranks - least {
			out = append(out, walk{w.fixed + " AND i.rank = ?", append(slices.Clip(w.args), rank)})
		}
	}
	a.walks = out
}

// asked adds what no walk serves. What is erased waits for nobody; where nothing
// waits it stays in the list, as erased.
func (a *asking) asked(q concert.ItemSearch, byTime bool) {
	if q.Priority > 0 && byTime && q.Status == "" {
		a.only("i.rank <= ?", ranks-1-q.Priority)
	}
	switch q.Status {
	case concert.ItemStopped, concert.ItemRejected, concert.ItemWithdrawn:
	case "":
		a.only("(i.erased_at = 0 OR i.status IN ('stopped', 'rejected', 'withdrawn'))")
	default:
		a.only("i.erased_at = 0")
	}
	a.onlyIf(string(q.Provider), "i.provider = ?")
	a.onlyIf(string(q.Outlet), "i.outlet = ?")
	a.onlyIf(string(q.Action), "i.action = ?")
	a.onlyIf(string(q.Finder), "i.authority = ?")
	a.onlyIf(string(q.Type), "i.type = ?")
	a.onlyIf(q.Language, "i.language = ?")
	switch q.Claimed {
	case "":
	case concert.ClaimedNothing:
		a.only("i.claimed = ''")
	default:
		a.only("i.claimed = ?", string(q.Claimed))
	}
	switch q.Observed {
	case "":
	case concert.ObservedNever:
		a.only("i.observed = ''")
	default:
		a.only("i.observed = ?", string(q.Observed))
	}
	if spoken, args := languages(q.Languages); spoken != "" {
		a.only(strings.TrimPrefix(spoken, " AND "), args...)
	}
	a.onlyIf(string(q.Severity), "EXISTS (SELECT 1 FROM assessment x WHERE x.id = i.assessment AND x.severity = ?)")
	a.decidedBy(q.Decider, q.Involved)
	if !q.Rested.IsZero() {
		a.only("i.updated_at < ?", concert.Micros(q.Rested))
	}
	if !q.From.IsZero() {
		a.only("i.created_at >= ?", concert.Micros(q.From))
	}
	if !q.Until.IsZero() {
		a.only("i.created_at < ?", concert.Micros(q.Until))
	}
}

// decidedBy asks for what the person neither assessed nor decided on, or, where
// they are involved, for what they did.
func (a *asking) decidedBy(p concert.PersonID, involved bool) {
	const decided = "EXISTS (SELECT 1 FROM approval y WHERE y.assessment = i.assessment AND y.reviewer = ?)"
	switch {
	case p == "":
	case involved:
		a.only("(i.assessor = ? OR "+decided+")", string(p), string(p))
	default:
		a.only("i.assessor <> ? AND NOT "+decided, string(p), string(p))
	}
}

// SearchItems is one page of the items that a search asks for.
func (tx *Tx) SearchItems(ctx context.Context, s concert.Scope, q concert.ItemSearch, p concert.Page) (concert.Listed[concert.Item], error) {
	if err := s.Justified(); err != nil {
		return concert.Listed[concert.Item]{}, err
	}
	a, err := itemAsking(q, p.Order)
	if err != nil {
		return concert.Listed[concert.Item]{}, err
	}
	found, err := tx.search(ctx, a, p)
	if err != nil {
		return concert.Listed[concert.Item]{}, err
	}
	return listed(found, func(ids []any) ([]concert.Item, error) {
		items, err := in(ctx, tx, tx.scanItem(ctx), "SELECT "+itemCols+itemFrom+"WHERE i.id IN (%s)", ids)
		if err != nil {
			return nil, fmt.Errorf("items of a page: %w", err)
		}
		return items, nil
	}, func(it concert.Item) string { return string(it.ID) })
}
