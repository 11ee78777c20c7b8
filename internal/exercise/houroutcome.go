package exercise

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"concert"
	"concert/api"
)

// HourOutcome is what came of an hour, as its authorities read it through the API.
type HourOutcome struct {
	HourCounts
	Verified int         `json:"files_verified"` // offline, by the providers, each order's once
	Begins   time.Time   `json:"hour_begins"`    // case time
	Orders   []HourOrder `json:"-"`
}

// HourOrder is one order of an hour.
type HourOrder struct {
	Number     int
	Ending     string // what the script foresaw
	Ref        string // "" where it was refused before it was written
	Authority  string // state
	Provider   string
	State      string // of the provider
	Items      int
	Status     string
	Refused    string // code
	IssuedAt   string
	ReceivedAt string
	ExecutedAt string
	Removal    string // state of the hour's clock
	DueAt      string
}

// hourAftermath are the jumps after the hour: beyond the 72 hours in which the authority
// of the addressee's state may scrutinise, and beyond the six weeks of a non-disclosure.
var hourAftermath = [...]time.Duration{4 * 24 * time.Hour, 43 * 24 * time.Hour}

// after lets the authorities of the providers' states scrutinise, then the time pass in
// which clocks end by themselves, and reads every order.
func (h *Hour) after(ctx context.Context) (HourOutcome, error) {
	h.enter(stageAfter)
	if err := h.scrutinise(ctx); err != nil {
		return HourOutcome{}, err
	}
	for _, d := range hourAftermath {
		h.jump(d)
	}
	deadline := time.Now().Add(stillWall)
	for {
		out, err := h.count(ctx)
		if err != nil {
			return out, err
		}
		short := out.differs(h.foreseen)
		if short == nil || time.Now().After(deadline) {
			return out, short
		}
		t := time.NewTimer(settleEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return out, ctx.Err()
		case <-t.C:
		}
	}
}

// differs names the numbers that are not as foreseen, nil where all are.
func (c HourCounts) differs(want HourCounts) error {
	var errs []error
	is, should := c.numbers(), want.numbers()
	for name, n := range should {
		if is[name] != n {
			errs = append(errs, fmt.Errorf("%s is %d instead of %d", name, is[name], n))
		}
		delete(is, name)
	}
	for name, n := range is {
		if n != 0 {
			errs = append(errs, fmt.Errorf("%s is %d instead of 0", name, n))
		}
	}
	return errors.Join(errs...)
}

// numbers are the counts by name.
func (c HourCounts) numbers() map[string]int {
	out := map[string]int{"orders_issued": c.Issued, "orders_received": c.Received, "executed": c.Executed, "executed_in_time": c.InTime, "executed_late": c.Late, "missed": c.Missed, "clarified": c.Clarified, "withdrawn": c.Withdrawn, "void": c.Void, "dropped": c.Dropped, "non_disclosure_lapsed": c.Lapsed}
	for name, part := range map[string]map[string]int{"refused": c.RefusedBy, "annex_iii": c.ImpossibleBy, "ending": c.Endings} {
		for key, n := range part {
			out[name+"."+key] = n
		}
	}
	return out
}

// count reads every order as its authority and counts what became of it: nothing is taken
// from the script but how the ending is called, and that only where the order fits it.
func (h *Hour) count(ctx context.Context) (HourOutcome, error) {
	out := HourOutcome{Begins: h.begins, Orders: make([]HourOrder, h.script.total), HourCounts: HourCounts{RefusedBy: map[string]int{}, ImpossibleBy: map[string]int{}, Endings: map[string]int{}}}
	var mu sync.Mutex
	err := h.each(ctx, func(ctx context.Context, o *office) error {
		for _, n := range o.numbers {
			row, c, err := h.countOne(ctx, o, n)
			if err != nil {
				return fmt.Errorf("order %d: %w", n, err)
			}
			mu.Lock()
			out.Orders[n] = row
			out.sum(c)
			mu.Unlock()
		}
		return nil
	})
	out.Verified = int(h.checked.Load())
	return out, err
}

// sum adds other counts.
func (c *HourCounts) sum(o HourCounts) {
	for _, f := range []struct {
		to *int
		n  int
	}{{&c.Issued, o.Issued}, {&c.Received, o.Received}, {&c.Executed, o.Executed}, {&c.InTime, o.InTime}, {&c.Late, o.Late}, {&c.Missed, o.Missed}, {&c.Clarified, o.Clarified}, {&c.Withdrawn, o.Withdrawn}, {&c.Void, o.Void}, {&c.Dropped, o.Dropped}, {&c.Lapsed, o.Lapsed}} {
		*f.to += f.n
	}
	for _, m := range [][2]map[string]int{{c.RefusedBy, o.RefusedBy}, {c.ImpossibleBy, o.ImpossibleBy}, {c.Endings, o.Endings}} {
		for k, n := range m[1] {
			m[0][k] += n
		}
	}
}

func (h *Hour) countOne(ctx context.Context, o *office, n uint32) (HourOrder, HourCounts, error) {
	s, r := h.script, &h.orders[n]
	plan := hourProvider(s.provider(n))
	row := HourOrder{Number: int(n), Ending: s.ending(n).String(), Ref: r.ref, Authority: o.state, Provider: plan.name, State: plan.state, Items: s.places(n), Refused: r.refused}
	c := HourCounts{RefusedBy: map[string]int{}, ImpossibleBy: map[string]int{}, Endings: map[string]int{}}
	if r.refused != "" {
		c.RefusedBy[r.refused]++
	}
	if r.ref != "" {
		v, err := o.officer.Order(ctx, r.ref)
		if err != nil {
			return row, c, err
		}
		row.Status, row.Items, row.IssuedAt, row.ReceivedAt, row.ExecutedAt = v.Status, len(v.Items), v.IssuedAt, v.ReceivedAt, v.ExecutedAt
		d := deadlineOf(v, concert.TermRemoval)
		row.Removal, row.DueAt = d.State, d.DueAt
		if err := c.read(v); err != nil {
			return row, c, err
		}
	}
	want := HourCounts{RefusedBy: map[string]int{}, ImpossibleBy: map[string]int{}, Endings: map[string]int{}}
	want.add(s.ending(n))
	clear(want.Endings)
	if c.differs(want) == nil {
		c.Endings[row.Ending]++
	}
	return row, c, nil
}

// read counts one order.
func (c *HourCounts) read(v api.Order) error {
	count := func(to *int, yes bool) {
		if yes {
			*to++
		}
	}
	d := deadlineOf(v, concert.TermRemoval)
	missed := d.State == string(concert.DeadlineMissed)
	count(&c.Issued, v.IssuedAt != "")
	count(&c.Received, v.ReceivedAt != "")
	count(&c.Executed, v.ExecutedAt != "")
	count(&c.InTime, v.ExecutedAt != "" && d.State == string(concert.DeadlineMet))
	count(&c.Late, v.ExecutedAt != "" && missed)
	count(&c.Missed, missed)
	count(&c.Clarified, v.Answer != "")
	count(&c.Withdrawn, v.Status == string(concert.OrderWithdrawn))
	count(&c.Void, v.Status == string(concert.OrderVoid))
	count(&c.Dropped, v.Status == string(concert.OrderDropped))
	count(&c.Lapsed, deadlineOf(v, concert.TermSilence).State == string(concert.DeadlineLapsed))
	for _, raw := range v.Answers {
		var a concert.OrderImpossible
		if err := json.Unmarshal(raw, &a); err != nil {
			return fmt.Errorf("an answer: %w", err)
		}
		for _, why := range a.Reasons {
			c.ImpossibleBy[string(why)]++
		}
	}
	return nil
}

// WriteCSV writes the orders as a table: one line each, and a head.
func (o HourOutcome) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"number", "ending", "order", "authority", "provider", "provider_state", "items", "status", "refused", "issued_at", "received_at", "executed_at", "removal", "due_at"}}
	for _, r := range o.Orders {
		rows = append(rows, []string{fmt.Sprint(r.Number), r.Ending, r.Ref, r.Authority, r.Provider, r.State, fmt.Sprint(r.Items), r.Status, r.Refused, r.IssuedAt, r.ReceivedAt, r.ExecutedAt, r.Removal, r.DueAt})
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("table of orders: %w", err)
	}
	return nil
}
