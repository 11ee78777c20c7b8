package exercise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"concert"
	"concert/api"
)

// office is one authority of the hour at work.
type office struct {
	hour  *Hour
	index int
	state string
	id    string

	officer  *api.Client // writes
	reviewer *api.Client
	issuer   *api.Client

	numbers []uint32 // of its orders
}

func newOffice(h *Hour, index int) *office {
	o := &office{hour: h, index: index, state: bareState}
	if index < bareAuthority {
		o.state = hourStates[index]
	}
	for n := range h.script.total {
		if h.script.authority(n) == index {
			o.numbers = append(o.numbers, n)
		}
	}
	return o
}

// register brings in the authority, its functions and its people.
func (o *office) register(ctx context.Context) error {
	h, code := o.hour, strings.ToLower(o.state)
	a, err := h.addAuthority(ctx, "Competent Authority "+o.state+" (EXERCISE)", o.state, concert.KindCompetent, "CA-"+o.state, "Orders desk "+o.state+" (EXERCISE), orders@authority-"+code+".example")
	if err != nil {
		return err
	}
	o.id = a.ID
	in := api.Office{Kind: string(concert.OrderByLawEnforcement), Functions: []string{string(concert.FunctionIssue), string(concert.FunctionScrutinise)}, Address: "EXERCISE Street 1, " + o.state, Telephone: "+000 EXERCISE", Email: "orders@authority-" + code + ".example"}
	if err := h.admin.ProposeOffice(ctx, h.call("office-%s", code), a.ID, in); err != nil {
		return fmt.Errorf("functions of %s: %w", a.Name, err)
	}
	if err := h.second.ConfirmOffice(ctx, h.call("office-%s-confirm", code), a.ID); err != nil {
		return fmt.Errorf("functions of %s: %w", a.Name, err)
	}
	for _, p := range []struct {
		client **api.Client
		role   concert.Role
	}{{&o.officer, concert.RoleOfficer}, {&o.reviewer, concert.RoleReviewer}, {&o.issuer, concert.RoleIssuer}} {
		if *p.client, err = h.addPerson(ctx, code+"-"+string(p.role), p.role, a.ID, o.index); err != nil {
			return err
		}
	}
	return nil
}

// own are the numbers whose places the authority finds and judges itself.
func (o *office) own() []uint32 {
	var out []uint32
	for _, n := range o.numbers {
		if e := o.hour.script.ending(n); e != endTwice && e != endOther {
			out = append(out, n)
		}
	}
	return out
}

// prepare takes the places from the find to the assessment, and the orders to their
// review. The first one to each provider is approved: it waits for twelve hours.
func (o *office) prepare(ctx context.Context) error {
	h, own := o.hour, o.own()
	const orders = api.BatchLimit / placesMost
	for at := 0; at < len(own); at += orders {
		if err := o.judge(ctx, at, own[at:min(at+orders, len(own))]); err != nil {
			return err
		}
	}
	for _, n := range own {
		if h.script.ending(n) == endExempt {
			continue
		}
		if err := o.write(ctx, n); err != nil {
			return fmt.Errorf("order %d: %w", n, err)
		}
		h.prepared.Add(1)
	}
	return nil
}

// judge hands places in with their captures, and assesses them.
func (o *office) judge(ctx context.Context, batch int, numbers []uint32) error {
	h, s := o.hour, o.hour.script
	var in api.NewItems
	var of []uint32
	for _, n := range numbers {
		for k := range s.places(n) {
			if s.ending(n) == endHeld && k == 0 {
				holder := h.offices[s.holder(n)]
				if _, err := holder.officer.PlaceHold(ctx, h.call("hold-%d", n), api.NewHold{Location: s.place(n, k), Contact: "Duty desk " + holder.state + " (EXERCISE)", Case: "EXERCISE case " + token(n)}); err != nil {
					return fmt.Errorf("hold on %s: %w", s.place(n, k), err)
				}
			}
			in.Items = append(in.Items, api.NewItem{Location: s.place(n, k), Type: "video", Outlet: h.outlet, Evaluation: "A1",
				Captures: []api.InlineCapture{{Kind: string(concert.CaptureFile), Vantage: "EXERCISE desk " + o.state, Bytes: s.capture(n, k)}}})
			of = append(of, n)
		}
	}
	found, err := o.officer.SubmitItems(ctx, h.call("submit-%d-%d", o.index, batch), in)
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	var judged api.NewAssessments
	for _, r := range found.Results {
		if r.Problem != nil {
			return fmt.Errorf("submit %s: %w", in.Items[r.Index].Location, r.Problem)
		}
		n := of[r.Index]
		h.orders[n].items = append(h.orders[n].items, r.ID)
		judged.Assessments = append(judged.Assessments, api.BatchAssessment{Item: r.ID, Version: r.Version, NewAssessment: s.assessment(n, h.outlet)})
	}
	said, err := o.officer.AssessItems(ctx, h.call("assess-%d-%d", o.index, batch), judged)
	if err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	for _, r := range said.Results {
		if r.Problem != nil {
			return fmt.Errorf("assess %s: %w", judged.Assessments[r.Index].Item, r.Problem)
		}
	}
	return nil
}

// write takes an order from its draft to its review, by way of a return where the script
// has one.
func (o *office) write(ctx context.Context, n uint32) error {
	h, s, r := o.hour, o.hour.script, &o.hour.orders[n]
	out, err := o.officer.DraftOrder(ctx, h.call("draft-%d", n), s.order(n, r.items, false))
	if err != nil {
		return fmt.Errorf("draft: %w", err)
	}
	r.ref = out.ID
	h.mu.Lock()
	h.byRef[out.ID] = n
	h.mu.Unlock()
	at := func(step string) api.Call {
		c := h.call("%s-%d", step, n)
		c.IfMatch = out.Version
		return c
	}
	if out, err = o.reviewer.ReviewOrder(ctx, at("review"), r.ref); err != nil {
		return fmt.Errorf("review: %w", err)
	}
	if s.ending(n) == endRewritten {
		if out, err = o.reviewer.ReturnOrder(ctx, at("return"), r.ref, api.OrderReason{Reason: "EXERCISE: the statement does not say at which place the mark shows."}); err != nil {
			return fmt.Errorf("return: %w", err)
		}
		if out, err = o.officer.RewriteOrder(ctx, at("rewrite"), r.ref, s.order(n, r.items, true)); err != nil {
			return fmt.Errorf("write anew: %w", err)
		}
		if out, err = o.reviewer.ReviewOrder(ctx, at("review-again"), r.ref); err != nil {
			return fmt.Errorf("review again: %w", err)
		}
	}
	if s.first[n] {
		if out, err = o.issuer.ApproveOrder(ctx, at("approve-first"), r.ref); err != nil {
			return fmt.Errorf("approve: %w", err)
		}
		if out.Status != string(concert.OrderNoticed) {
			h.problems.add(fmt.Errorf("order %d (%s) is the first to its provider, and %s instead of waiting for twelve hours", n, r.ref, out.Status))
		}
	}
	r.version = out.Version
	return nil
}

// issue plays the authority's hour: every order at its moment.
func (o *office) issue(ctx context.Context) error {
	for _, n := range o.numbers {
		if err := o.hour.until(ctx, o.hour.begins.Add(o.hour.script.moment(n))); err != nil {
			return err
		}
		if err := o.issueOne(ctx, n); err != nil {
			return fmt.Errorf("order %d (%s): %w", n, o.hour.script.ending(n), err)
		}
		o.hour.passed.Add(1)
	}
	return nil
}

// issueOne issues an order, or meets the refusal that the script foresees.
func (o *office) issueOne(ctx context.Context, n uint32) error {
	h, s, r := o.hour, o.hour.script, &o.hour.orders[n]
	call := h.call("issue-%d", n)
	call.IfMatch = r.version
	var out api.Order
	var err error
	switch e := s.ending(n); {
	case e == endExempt:
		_, err = o.officer.DraftOrder(ctx, h.call("draft-%d", n), s.order(n, r.items, false))
	case e == endTwice:
		_, err = o.officer.DraftOrder(ctx, h.call("draft-%d", n), s.order(n, h.orders[s.partner(n)].items[:1], false))
	case e == endOther:
		err = o.tryOther(ctx, n)
	case e == endDropped:
		_, err = o.officer.DropOrder(ctx, call, r.ref, api.OrderReason{Reason: "EXERCISE: the place was found to be gone on a last look."})
	case s.first[n]:
		out, err = o.issuer.IssueOrder(ctx, call, r.ref)
	default:
		out, err = o.issuer.ApproveOrder(ctx, call, r.ref)
	}
	var p *api.Problem
	want := s.ending(n).refusal()
	switch {
	case errors.As(err, &p) && p.Code == want:
		r.refused = want
	case err != nil:
		return err
	case want != "":
		h.problems.add(fmt.Errorf("order %d (%s) went out, and should have been refused by %s", n, s.ending(n), want))
	case s.ending(n).issued() && out.Status != string(concert.OrderIssued):
		h.problems.add(fmt.Errorf("order %d (%s) is %s after its issuer's word", n, r.ref, out.Status))
	}
	return nil
}

// tryOther finds a place that another state's authority judged, and writes an order about
// it.
func (o *office) tryOther(ctx context.Context, n uint32) error {
	h, s := o.hour, o.hour.script
	found, err := o.officer.SubmitItems(ctx, h.call("submit-other-%d", n), api.NewItems{Items: []api.NewItem{{Location: s.place(n, 0), Type: "video", Outlet: h.outlet, Evaluation: "A1"}}})
	if err != nil {
		return err
	}
	if len(found.Results) != 1 || found.Results[0].Outcome != api.OutcomeDuplicate {
		return fmt.Errorf("a place that another state found comes back as %+v, and not as a duplicate", found.Results)
	}
	_, err = o.officer.DraftOrder(ctx, h.call("draft-%d", n), s.order(n, []string{found.Results[0].ID}, false))
	return err
}

// list are the authority's orders that stand so, "" for all.
func (o *office) list(ctx context.Context, status string) ([]api.OrderSummary, error) {
	var out []api.OrderSummary
	q := api.OrderQuery{Status: status, Limit: 200}
	for {
		page, err := o.officer.Orders(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list orders: %w", err)
		}
		out = append(out, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return out, nil
		}
	}
}

// followEvery is how often an authority looks for answers that want something of it.
const followEvery = 400 * time.Millisecond

// follow answers Annex III and takes back what the script takes back, until the context
// ends.
func (o *office) follow(ctx context.Context) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := o.followOnce(ctx)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("authority %s: %w", o.state, err)
		}
	}
}

func (o *office) followOnce(ctx context.Context) error {
	h := o.hour
	for _, status := range []string{string(concert.OrderImpeded), string(concert.OrderExecuted)} {
		list, err := o.list(ctx, status)
		if err != nil {
			return err
		}
		for _, s := range list {
			h.mu.Lock()
			n, known := h.byRef[s.ID]
			h.mu.Unlock()
			if !known {
				continue
			}
			call := h.call("follow-%s-%d-%d", status, n, s.Version)
			call.IfMatch = s.Version
			switch e := h.script.ending(n); {
			case status == string(concert.OrderImpeded) && (e == endManifest || e == endUnclear):
				_, err = o.officer.ClarifyOrder(ctx, call, s.ID, api.OrderReason{Reason: "EXERCISE: the entry at the address itself is meant, which carries the mark; its number is in section B."})
			case status == string(concert.OrderImpeded) && e == endRecalled:
				_, err = o.issuer.WithdrawOrder(ctx, call, s.ID, api.OrderReason{Reason: "EXERCISE: the provider is right, the address in the order is another one's."})
			case status == string(concert.OrderExecuted) && e == endUndone:
				_, err = o.reviewer.WithdrawOrder(ctx, call, s.ID, api.OrderReason{Reason: "EXERCISE: a second look shows a report of an invented news desk."})
			}
			// What moved on meanwhile is looked at again.
			if err != nil && !api.IsCode(err, "stale") && !api.IsCode(err, "order.move") {
				return fmt.Errorf("order %s: %w", s.ID, err)
			}
		}
	}
	return nil
}

// fileOf fetches an order's file.
func fileOf(ctx context.Context, c *api.Client, ref string) ([]byte, error) {
	var b bytes.Buffer
	err := c.OrderFile(ctx, ref, &b)
	return b.Bytes(), err
}
