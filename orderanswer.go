package concert

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Received says that receipt is proven, by a rung of the delivery ladder that the law
// accepts: the hour runs (Art. 3(3), 3(5); G11). Proof that comes later changes nothing.
func (o Order) Received(evidence string, at, now time.Time) (Order, Event, bool) {
	if o.Status != OrderIssued {
		return o, Event{}, false
	}
	from := o.Status
	o.Status, o.ReceivedAt, o.UpdatedAt = OrderReceived, at, now
	e, b := o.change(EventOrderReceived, House, from, now)
	b.Evidence = evidence
	e.Body = b
	return o, e, true
}

// MayAnswerOrder refuses whoever does not answer for the order's addressee.
func (a Actor) MayAnswerOrder(o Order) error {
	if a.Provider == "" || a.MayReadOrder(o) != nil {
		return ErrNotFound
	}
	return a.Need(RoleProviderAnswerer)
}

// OrderAnswer is what an addressee sends in: Annex II with Measure, or Annex III with
// Reasons.
type OrderAnswer struct {
	Items     []string // references of what it speaks of; none for all
	Measure   OrderMeasure
	MeasureAt time.Time
	Reasons   []ImpossibleReason
	Further   string
	Needed    string
	File      string // the addressee's own reference
	Person    string // who is authorised
	Email     string
}

// Fed records Annex II for some or all of an order's items: what was done, and when.
// It gives the items as they stand then. The order is executed once all of them are.
func (o Order) Fed(by Actor, a OrderAnswer, items []OrderItem, refs map[ItemID]string, now time.Time) (Order, []OrderItem, Event, error) {
	if err := o.answerable(by, a); err != nil {
		return o, nil, Event{}, err
	}
	if err := a.feedback(now); err != nil {
		return o, nil, Event{}, err
	}
	named, err := named(o, a.Items, items, refs)
	if err != nil {
		return o, nil, Event{}, err
	}
	var out []OrderItem
	for _, it := range named {
		if it.Measure != "" {
			continue
		}
		it.Measure, it.MeasureAt, it.RepliedAt = a.Measure, a.MeasureAt, now
		out = append(out, it)
		o.Executed++
	}
	if len(out) == 0 {
		return o, nil, Event{}, Refuse(Conflict, "order.answered", "", "order %s was answered for these items already: nothing is changed", o.Ref)
	}
	from := o.Status
	if o.Executed == o.Items {
		if o, err = o.moved(OrderMoveExecute, now); err != nil {
			return o, nil, Event{}, err
		}
		o.ExecutedAt = now
	}
	o.UpdatedAt = now
	e, b := o.change(EventOrderExecuted, by, from, now)
	b.Measure, b.Items = a.Measure, len(out)
	e.Body = b
	return o, out, e, nil
}

// named are the items that an answer speaks of.
func named(o Order, want []string, items []OrderItem, refs map[ItemID]string) ([]OrderItem, error) {
	if len(want) == 0 {
		return items, nil
	}
	var out []OrderItem
	for _, ref := range want {
		i := slices.IndexFunc(items, func(it OrderItem) bool { return refs[it.Item] == ref })
		if i < 0 {
			return nil, Refuse(Invalid, "order.item", "items", "item %q is not part of order %s: take the reference from the order", ref, o.Ref)
		}
		out = append(out, items[i])
	}
	return out, nil
}

// answerable refuses an answer of a stranger, to an order that does not bind, and one
// whose sections A and C are not filled.
func (o Order) answerable(by Actor, a OrderAnswer) error {
	if err := by.MayAnswerOrder(o); err != nil {
		return err
	}
	if !o.Status.Binds() {
		return Refuse(Conflict, "order.ended", "", "order %s is %s and binds no more: there is nothing to answer; what was removed for it alone is reinstated", o.Ref, o.Status)
	}
	return a.contact()
}

// contact refuses an annex whose section C is not filled.
func (a OrderAnswer) contact() error {
	for _, f := range []struct {
		field, text string
		needed      bool
	}{{"person", a.Person, true}, {"email", a.Email, true}, {"addressee_file", a.File, false}} {
		if f.needed && strings.TrimSpace(f.text) == "" || len(f.text) > orderFieldMost {
			return Refuse(Invalid, "order."+f.field, f.field, "section C of the annex needs the %s, in at most %d bytes: write it", strings.ReplaceAll(f.field, "_", " "), orderFieldMost)
		}
	}
	return nil
}

// feedback refuses an Annex II without its measure, or without the moment of it.
func (a OrderAnswer) feedback(now time.Time) error {
	switch {
	case !slices.Contains(OrderMeasures, a.Measure):
		return Refuse(Invalid, "order.measure", "measure", "Annex II names a measure: %v; got %q", OrderMeasures, a.Measure)
	case a.MeasureAt.IsZero():
		return Refuse(Invalid, "order.measure_at", "measure_at", "Annex II says when the measure was taken: write the moment as 2026-03-28T12:00:00Z (RFC 3339)")
	case a.MeasureAt.After(now.Add(time.Minute)):
		return Refuse(Invalid, "order.measure_at", "measure_at", "Annex II says when the measure was taken, and that is not yet to come: got %s", a.MeasureAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// impossible refuses an Annex III without its reasons, or without what they need said.
func (a OrderAnswer) impossible() error {
	switch {
	case len(a.Reasons) == 0 || slices.ContainsFunc(a.Reasons, func(r ImpossibleReason) bool { return !slices.Contains(ImpossibleReasons, r) }):
		return Refuse(Invalid, "order.reasons", "reasons", "Annex III names at least one reason of %v: got %v", ImpossibleReasons, a.Reasons)
	case utf8.RuneCountInString(strings.TrimSpace(a.Further)) < OrderGroundLeast || len(a.Further) > OrderStatementMost:
		return Refuse(Invalid, "order.further", "further", "Annex III explains the reason: write it in %d to %d characters", OrderGroundLeast, OrderStatementMost)
	case !slices.Equal(a.Reasons, []ImpossibleReason{ImpossibleForce}) && strings.TrimSpace(a.Needed) == "" || len(a.Needed) > OrderStatementMost:
		return Refuse(Invalid, "order.needed", "needed", "Annex III says which errors there are, or which information is needed, in at most %d characters", OrderStatementMost)
	}
	return nil
}

// Impeded records Annex III: why the order cannot be carried out (Art. 3(7), 3(8)).
// The hour stands still until the grounds are gone or the clarification is received.
func (o Order) Impeded(by Actor, a OrderAnswer, now time.Time) (Order, Event, error) {
	if err := o.answerable(by, a); err != nil {
		return o, Event{}, err
	}
	if err := a.impossible(); err != nil {
		return o, Event{}, err
	}
	from := o.Status
	o, err := o.moved(OrderMoveImpede, now)
	if err != nil {
		return o, Event{}, err
	}
	e, b := o.change(EventOrderImpossible, by, from, now)
	b.Why = a.Reasons[0]
	e.Body = b
	return o, e, nil
}

// Clarified answers Annex III: the issuing authority gives what was asked for, or the
// addressee says that what hindered it is over (Art. 3(7)). The hour runs anew.
func (o Order) Clarified(by Actor, text string, now time.Time) (Order, Event, error) {
	var err error
	if by.Provider != "" {
		err = by.MayAnswerOrder(o)
	} else {
		err = o.own(by, RoleOfficer, RoleReviewer, RoleIssuer)
	}
	if err != nil {
		return o, Event{}, err
	}
	next, e, err := o.ended(OrderMoveClarify, EventOrderClarified, by, text, now)
	if err != nil {
		return o, Event{}, err
	}
	next.Ended, next.Clarification = o.Ended, next.Ended
	return next, e, nil
}

// Finalised says that the time to appeal is over (Art. 3(9)).
func (o Order) Finalised(now time.Time) (Order, Event, error) {
	from := o.Status
	o, err := o.moved(OrderMoveFinalise, now)
	if err != nil {
		return o, Event{}, err
	}
	e, _ := o.change(EventOrderFinal, House, from, now)
	return o, e, nil
}

// Alarmed says that a term of the order is nearly over, or over: by how much, told to
// its people.
func (o Order) Alarmed(d Deadline, left time.Duration, now time.Time) Event {
	e, b := o.change(EventOrderAlarmed, House, o.Status, now)
	b.Term, b.DueAt, b.Left = d.Term, Micros(d.DueAt), int(left/time.Minute)
	e.Body = b
	return e
}

// Missed says that an order's term is over without what it asks.
func (o Order) Missed(d Deadline, now time.Time) Event {
	e, b := o.change(EventOrderMissed, House, o.Status, now)
	b.Term, b.DueAt = d.Term, Micros(d.DueAt)
	e.Body = b
	return e
}
