package exercise

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"concert"
	"concert/api"
	"concert/order"
)

// addressee is one simulated provider that receives orders: pages, a webhook or a poll,
// and people who answer.
type addressee struct {
	venue
	hour  *Hour
	plan  hourPlan
	index int
	id    string
	key   atomic.Pointer[ed25519.PublicKey] // verifies what it is sent, set by Setup
	desk  *api.Client                       // its answerer, set by Setup
	busy  chan struct{}                     // one token for each request to the API under way

	ids doubles
	bad bad // since the first order that it was told of

	mu      sync.Mutex // guards what follows
	done    doubles    // what it has taken on, by order and what is to be done
	polling bool
	down    map[uint32]bool // items that it removed, by number
}

func newAddressee(h *Hour, index int) *addressee {
	return &addressee{venue: venue{base: &h.base}, hour: h, plan: hourProvider(index), index: index, busy: make(chan struct{}, deskSize), down: map[uint32]bool{}}
}

func (p *addressee) hookHost() string { return "hooks." + p.plan.domain }

func (p *addressee) listen() error {
	if p.plan.conduct.pull {
		return p.up(p.servePage, nil)
	}
	return p.up(p.servePage, p.serveHook)
}

// register brings in the provider, its seat and the person who answers.
func (p *addressee) register(ctx context.Context) error {
	h := p.hour
	in := api.NewProvider{Name: p.plan.name, Kind: p.plan.kind, Country: p.plan.state, Languages: []string{"en"}, Zone: "Europe/Brussels", Channel: string(concert.ChannelWebhook),
		Platforms: []string{p.plan.domain}, Contact: "Orders desk (EXERCISE), orders@" + p.plan.domain, WebhookURL: "http://" + p.hookHost() + "/hook"}
	if p.plan.conduct.pull {
		in.Channel, in.WebhookURL = string(concert.ChannelPull), ""
	}
	reg, err := h.admin.AddProvider(ctx, h.call("provider-%s", p.plan.key), in)
	if err != nil {
		return fmt.Errorf("%s: %w", p.plan.name, err)
	}
	p.id = reg.ID
	if _, err := h.admin.SeatProvider(ctx, h.call("seat-%s", p.plan.key), reg.ID, api.Seat{Establishment: p.plan.state}); err != nil {
		return fmt.Errorf("seat of %s: %w", p.plan.name, err)
	}
	if p.desk, err = h.addAnswerer(ctx, p.plan.key+"-answerer", reg.ID, p.index); err != nil {
		return err
	}
	p.desk.HTTP = h.desks
	if p.plan.conduct.pull {
		return nil
	}
	key, err := webhookKey(reg.WebhookKey)
	if err != nil {
		return fmt.Errorf("%s: %w", p.plan.name, err)
	}
	p.key.Store(&key)
	return nil
}

// serveHook takes a webhook: it verifies, misbehaves as the plan says, answers 202 and
// works afterwards. What it is told before the first order is taken as it comes.
func (p *addressee) serveHook(rw http.ResponseWriter, r *http.Request) {
	id, body, ok := takeHook(rw, r, p.key.Load())
	if !ok {
		return
	}
	var notice concert.OrderNotice
	if err := json.Unmarshal(body, &notice); err != nil || notice.Data.Order == "" {
		http.Error(rw, "the body is no notice of an order", http.StatusBadRequest)
		return
	}
	first := notice.Type == concert.NoticeTypes[concert.NoticeFirstContact]
	if !p.plan.conduct.pause(r) {
		return
	}
	if !first {
		if status := p.mood(); status != 0 {
			declined(rw, status)
			return
		}
	}
	rw.WriteHeader(http.StatusAccepted)
	if !first && p.ids.first(id) {
		p.take(notice.Data.Order)
	}
}

// mood is the addressee's now.
func (p *addressee) mood() int {
	c := p.plan.conduct
	status, first := p.bad.mood(c, p.hour.now())
	if first && c.dead > 0 {
		p.fallIll(c)
	}
	if status == http.StatusGone {
		p.startPolling()
	}
	return status
}

// startPolling makes the provider list its orders every other case minute, for good.
func (p *addressee) startPolling() {
	p.mu.Lock()
	was := p.polling
	p.polling = true
	p.mu.Unlock()
	if was {
		return
	}
	go p.hour.within(func(ctx context.Context) {
		tick := time.NewTicker(max(p.hour.cfg.Time.Wall(2*time.Minute), 100*time.Millisecond))
		defer tick.Stop()
		for {
			if err := p.poll(ctx); err != nil && ctx.Err() == nil {
				p.hour.problems.add(fmt.Errorf("provider %s: list orders: %w", p.plan.key, err))
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// poll takes on what changed, newest first, back to what it knows.
func (p *addressee) poll(ctx context.Context) error {
	q := api.OrderQuery{Limit: 100}
	for {
		page, err := p.desk.Orders(ctx, q)
		if err != nil {
			return err
		}
		fresh := false
		for _, o := range page.Items {
			if p.done.first(fmt.Sprintf("listed %s %d", o.ID, o.Version)) {
				fresh = true
				p.take(o.ID)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" || !fresh {
			return nil
		}
	}
}

// take looks at an order again, soon.
func (p *addressee) take(ref string) {
	p.hour.later(0, func(ctx context.Context) {
		if err := p.look(ctx, ref); err != nil && ctx.Err() == nil {
			p.hour.problems.add(fmt.Errorf("provider %s: order %s: %w", p.plan.key, ref, err))
		}
	})
}

// at does something at a moment of case time; the hour waits for it.
func (p *addressee) at(when time.Time, ref, what string, do func(context.Context) error) {
	if !p.done.first(ref + " " + what) {
		return
	}
	p.hour.later(p.hour.cfg.Time.Wall(when.Sub(p.hour.now())), func(ctx context.Context) {
		p.busy <- struct{}{}
		defer func() { <-p.busy }()
		err := p.hour.until(ctx, when)
		if err == nil {
			err = do(ctx)
		}
		if err != nil && ctx.Err() == nil {
			p.hour.problems.add(fmt.Errorf("provider %s: order %s: %s: %w", p.plan.key, ref, what, err))
		}
	})
}

// look reads an order and does what it asks for: verify and plan an answer, carry out
// after a clarification, reinstate.
func (p *addressee) look(ctx context.Context, ref string) error {
	p.busy <- struct{}{}
	defer func() { <-p.busy }()
	fresh := p.done.first(ref + " verified")
	if fresh {
		// The file first: to fetch it proves the receipt, from which the hour is counted.
		file, err := fileOf(ctx, p.desk, ref)
		if api.IsCode(err, "order.not_issued") {
			return nil
		}
		if err != nil {
			return fmt.Errorf("fetch its file: %w", err)
		}
		v := order.Verify(file, p.hour.register, order.Options{Addressee: p.id, Now: p.hour.now()})
		if v.Outcome != order.Valid || !v.Exercise || v.Ref != ref {
			return fmt.Errorf("its file is not valid: %s", v.Sentence)
		}
		p.hour.checked.Add(1)
	}
	o, err := p.desk.Order(ctx, ref)
	if err != nil {
		return err
	}
	n, ids, err := p.numbers(o)
	if err != nil {
		return err
	}
	switch concert.OrderStatus(o.Status) {
	case concert.OrderReceived:
		received, err := time.Parse(time.RFC3339Nano, o.ReceivedAt)
		if err != nil {
			return fmt.Errorf("received at %q: %w", o.ReceivedAt, err)
		}
		p.answer(o, n, ids, received)
	case concert.OrderClarified:
		when := p.hour.now().Add(2 * time.Minute)
		p.at(when, ref, "carry out after the clarification", func(ctx context.Context) error { return p.feed(ctx, o, n, ids, 0, when) })
	case concert.OrderWithdrawn, concert.OrderVoid:
		p.mark(ids, false)
	}
	return nil
}

// numbers are those of the order and of its items, read from its places.
func (p *addressee) numbers(o api.Order) (n uint32, ids []uint32, err error) {
	if o.Payload == nil || len(o.Payload.Places) != len(o.Items) {
		return 0, nil, fmt.Errorf("it names %d items and not as many places", len(o.Items))
	}
	for _, place := range o.Payload.Places {
		id, ok := number(place.Location.Submitted)
		if !ok {
			return 0, nil, fmt.Errorf("its place %q is none of this exercise", place.Location.Submitted)
		}
		ids = append(ids, id)
	}
	n = ids[0] / placesMost
	if n >= p.hour.script.total || p.hour.script.provider(n) != p.index {
		return 0, nil, fmt.Errorf("order number %d is none of this provider's", n)
	}
	return n, ids, nil
}

// answer plans what the script has the provider say first, counted from the receipt.
func (p *addressee) answer(o api.Order, n uint32, ids []uint32, received time.Time) {
	s := p.hour.script
	e, when := s.ending(n), received.Add(s.think(n))
	switch {
	case e == endSilence:
	case e == endParts:
		p.at(when, o.ID, "carry out the first part", func(ctx context.Context) error { return p.feed(ctx, o, n, ids, 1, when) })
		rest := when.Add(4 * time.Minute)
		p.at(rest, o.ID, "carry out the rest", func(ctx context.Context) error { return p.feed(ctx, o, n, ids, -1, rest) })
	case e.impossible() != "":
		p.at(when, o.ID, "say that it is impossible", func(ctx context.Context) error { return p.impede(ctx, o, n) })
	default:
		p.at(when, o.ID, "carry out", func(ctx context.Context) error { return p.feed(ctx, o, n, ids, 0, when) })
	}
}

// feed removes, and sends Annex II: for all items, for the first so many, or for those
// behind the first where part is negative.
func (p *addressee) feed(ctx context.Context, o api.Order, n uint32, ids []uint32, part int, when time.Time) error {
	var items []string
	about := ids
	switch {
	case part > 0:
		items, about = named(o.Items[:part]), ids[:part]
	case part < 0:
		items, about = named(o.Items[-part:]), ids[-part:]
	}
	p.mark(about, true)
	measure := concert.MeasureRemoved
	if p.hour.script.ending(n) == endDisabled {
		measure = concert.MeasureDisabled
	}
	_, err := p.desk.FeedOrder(ctx, p.hour.call("feed-%d-%d", n, part), o.ID, api.NewFeedback{Items: items, Measure: string(measure), MeasureAt: when.UTC().Format(concert.TimeFormat), Person: "EXERCISE Moderator", Email: "orders@" + p.plan.domain, File: fmt.Sprintf("EXERCISE-%d", n)})
	return err
}

func named(items []api.OrderItem) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.Item
	}
	return out
}

// impede sends Annex III. Where it is force majeure, the provider says a quarter of an
// hour later that it is over.
func (p *addressee) impede(ctx context.Context, o api.Order, n uint32) error {
	why := p.hour.script.ending(n).impossible()
	in := api.NewImpossible{Reasons: []string{why}, Further: "EXERCISE: " + map[string]string{"force_majeure": "the data centre that holds it is under water; we cannot reach the disk.", "manifest_errors": "the address in section B does not lead to what the statement describes.",
		"insufficient_information": "the place holds forty entries; which one is meant?"}[why], Person: "EXERCISE Moderator", Email: "orders@" + p.plan.domain, File: fmt.Sprintf("EXERCISE-%d", n)}
	if why != string(concert.ImpossibleForce) {
		in.Needed = "EXERCISE: the entry that is meant, by its number."
	}
	if _, err := p.desk.ImpedeOrder(ctx, p.hour.call("impede-%d", n), o.ID, in); err != nil || why != string(concert.ImpossibleForce) {
		return err
	}
	p.at(p.hour.now().Add(15*time.Minute), o.ID, "say that it is over", func(ctx context.Context) error {
		_, err := p.desk.ClarifyOrder(ctx, p.hour.call("over-%d", n), o.ID, api.OrderReason{Reason: "EXERCISE: the water is gone, and the disk can be reached again."})
		if err == nil {
			p.take(o.ID)
		}
		return err
	})
	return nil
}

// mark notes items as removed, or as back.
func (p *addressee) mark(ids []uint32, down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.down[id] = down
	}
}

// servePage answers for every place at the provider: the content until it is removed, a
// notice then, the content again where it was reinstated.
func (p *addressee) servePage(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	s := p.hour.script
	id, ok := number(r.URL.RequestURI())
	n := id / placesMost
	if !ok || n >= s.total || s.provider(n) != p.index || !strings.HasSuffix(s.place(n, int(id%placesMost)), r.URL.RequestURI()) {
		writePage(rw, http.StatusNotFound, "", "EXERCISE not found", "Page not found.")
		return
	}
	p.mu.Lock()
	down := p.down[id]
	p.mu.Unlock()
	if down {
		writePage(rw, http.StatusGone, "", "EXERCISE notice", "This content has been removed.")
		return
	}
	writePage(rw, http.StatusOK, `<meta property="og:video" content="/media">`, "EXERCISE "+token(n), scenes[s.pick(n, drawText, len(scenes))], outlets[0].mark)
}
