package concert

import "time"

// How long after what an addressee said, missed or was told we look ourselves at what
// an order is about (G29): soon, a day later, a week later.
var orderLooks = [...]time.Duration{5 * time.Minute, 24 * time.Hour, 7 * 24 * time.Hour}

// NextLook is when an item of the order is to be looked at again; false for never. The
// looks count from what there was last to see: a claim of Annex II, an hour that was
// missed (zero for none), or the end of an order whose items are to be back.
func (o Order) NextLook(it OrderItem, missed time.Time) (time.Time, bool) {
	var from time.Time
	switch {
	case !o.Status.Out():
		return time.Time{}, false
	case !o.Status.Binds() && it.Measure != "":
		from = o.EndedAt // it is to be back
	case !o.Status.Binds():
	case it.Measure != "":
		from = it.RepliedAt
	default:
		from = missed
	}
	if from.IsZero() {
		return time.Time{}, false
	}
	for _, after := range orderLooks {
		if at := from.Add(after); at.After(it.ObservedAt) {
			return at, true
		}
	}
	return time.Time{}, false
}

// Looked records what we saw of some of an order's items. It says nothing of whether
// the order was obeyed: that stands in Annex II and in its clocks.
func (o Order) Looked(by Actor, items []OrderItem, saw map[ItemID]Observed, now time.Time) ([]OrderItem, Event) {
	e, b := o.change(EventOrderLooked, by, o.Status, now)
	b.Items = 0
	var out []OrderItem
	for _, it := range items {
		state, looked := saw[it.Item]
		if !looked {
			continue
		}
		it.Observed, it.ObservedAt = state, now
		b.Items++
		switch state {
		case ObservedDown:
			b.Down++
		case ObservedUp:
			b.Up++
		}
		out = append(out, it)
	}
	e.Body = b
	return out, e
}
