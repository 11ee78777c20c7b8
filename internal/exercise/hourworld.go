package exercise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/api"
	"concert/order"
)

// Hour is the world of the plan one-hour: authorities that issue removal orders and
// providers that carry them out, or not (docs/onehour.md).
type Hour struct {
	base
	script    *hourScript
	foreseen  HourCounts
	providers [hourProviders]*addressee

	// Set by Setup, read afterwards.
	offices  [bareAuthority + 1]*office
	outlet   string
	register *order.Register // pinned by its root

	begins time.Time     // case time at which the hour begins, set before it does
	orders []orderRecord // by number

	passed  atomic.Int64 // orders whose moment has come
	settled atomic.Int64 // orders that ended as planned, as last counted
	checked atomic.Int64 // files of orders that were verified offline

	mu    sync.Mutex // guards what follows
	byRef map[string]uint32
}

// orderRecord is what the issuing authority knows of an order; one goroutine writes it.
type orderRecord struct {
	items   []string // references of its items
	ref     string   // "" until it is drafted
	version int64
	refused string // the code with which it was refused
}

// The stages of an hour, for progress.
const (
	stageSetup   = "setup"
	stagePrepare = "prepare"
	stageHour    = "hour"
	stageAnswers = "answers"
	stageAfter   = "weeks after"
)

// NewHour plans an hour. It is deterministic and does no I/O. It refuses another plan and
// fewer than MinOrders orders.
func NewHour(cfg Config) (*Hour, error) {
	switch {
	case cfg.Plan != PlanOneHour:
		return nil, fmt.Errorf("exercise plan %q is unknown here; NewHour makes %q, and New %q", cfg.Plan, PlanOneHour, PlanNovember2019)
	case cfg.Items < MinOrders || cfg.Items > 100_000:
		return nil, fmt.Errorf("an hour of %d orders cannot be planned: from %d orders up every ending occurs, and a hundred thousand are the most", cfg.Items, MinOrders)
	case cfg.Time.Rate <= 0:
		return nil, errors.New("an exercise needs a case clock that runs (rate above 0): at rate 120 the hour takes half a minute")
	case cfg.Jump == nil:
		return nil, errors.New("the plan one-hour jumps from the notice to the hour, and on to the end of the six weeks: give it the server's clock (Jump)")
	}
	h := &Hour{script: newHourScript(cfg.Seed, cfg.Items), byRef: map[string]uint32{}}
	h.settle(cfg)
	h.foreseen = h.script.foreseen()
	h.orders = make([]orderRecord, h.script.total)
	for i := range h.providers {
		h.providers[i] = newAddressee(h, i)
	}
	return h, nil
}

// Listen starts the providers' servers on 127.0.0.1, each on ports of its own.
func (h *Hour) Listen() error {
	for _, p := range h.providers {
		if err := p.listen(); err != nil {
			return fmt.Errorf("exercise provider %s: %w", p.plan.key, err)
		}
	}
	return nil
}

// Resolve gives the loopback address, host:port, behind an invented host, as World's
// does.
func (h *Hour) Resolve(host string) (addr string, ok bool) {
	s := Stage{}
	for _, p := range h.providers {
		s[p.plan.domain], _ = p.address(false)
		s[p.hookHost()], _ = p.address(true)
	}
	return s.Resolve(host)
}

// Close ends the world: servers, polls and what is in flight.
func (h *Hour) Close() {
	h.base.close()
	for _, p := range h.providers {
		p.close()
	}
}

// jump lets case time jump: the server's and everybody's.
func (h *Hour) jump(d time.Duration) {
	h.cfg.Jump(d)
	h.ahead.Add(int64(d))
}

// until waits for a moment of case time.
func (h *Hour) until(ctx context.Context, at time.Time) error {
	for {
		left := h.cfg.Time.Wall(at.Sub(h.now()))
		if left <= 0 {
			return ctx.Err()
		}
		t := time.NewTimer(min(left, time.Second))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// each runs f for every authority at the same time.
func (h *Hour) each(ctx context.Context, f func(context.Context, *office) error) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, o := range h.offices {
		g.Go(func() error {
			if err := f(gctx, o); err != nil {
				return fmt.Errorf("authority %s: %w", o.state, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// Setup registers everything through the public API: authorities with their functions,
// people, providers with their seats, an outlet on the scope list; and it pins the
// register of orders by the root that it was told.
func (h *Hour) Setup(ctx context.Context) error {
	h.admin, h.second = h.client(h.cfg.AdminKey, 0), h.client(h.cfg.SecondAdminKey, 1)
	for i := range h.offices {
		h.offices[i] = newOffice(h, i)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, o := range h.offices {
		g.Go(func() error { return o.register(gctx) })
	}
	for _, p := range h.providers {
		g.Go(func() error { return p.register(gctx) })
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if err := h.addOutlet(ctx); err != nil {
		return fmt.Errorf("set up the scope list: %w", err)
	}
	raw, err := h.admin.OrderRegister(ctx)
	if err != nil {
		return fmt.Errorf("set up the register of orders: %w", err)
	}
	if h.register, err = order.ReadRegister(raw, order.Roots{h.cfg.Root}); err != nil {
		return fmt.Errorf("the register of orders is not by the root that was told: %w", err)
	}
	return nil
}

// addOutlet registers an invented outlet and puts it on the scope list, by people of two
// authorities.
func (h *Hour) addOutlet(ctx context.Context) error {
	o, err := h.admin.AddOutlet(ctx, h.call("outlet"), api.NewOutlet{Name: outlets[0].name + " (EXERCISE)", Marks: []string{outlets[0].mark}})
	if err != nil {
		return err
	}
	h.outlet = o.ID
	e, err := h.offices[0].reviewer.ProposeScope(ctx, h.call("propose"), api.NewScopeEntry{Outlet: o.ID, LegalAct: "EXERCISE: Decision 2020/EX (invented)", Authority: "Exercise Council (EXERCISE)",
		Citation: "https://acts.example/2020/ex", ListedOn: h.cfg.Time.Start.AddDate(-4, 0, 0).Format(dateFormat)})
	if err != nil {
		return err
	}
	_, err = h.offices[1].reviewer.ConfirmScope(ctx, h.call("confirm"), e.ID)
	return err
}

// Run prepares the orders, plays the hour and what follows it, and returns what came of
// it once every number is as the script foresees. It gives up, naming what is short, once
// nothing has changed for twenty seconds and for an hour of case time. Unexpected refusals
// on the way are an error at the end.
func (h *Hour) Run(ctx context.Context) (HourOutcome, error) {
	if h.register == nil {
		return HourOutcome{}, errors.New("run exercise: nobody is there yet; call Setup first")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reported := make(chan struct{})
	reporting, stopReporting := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(reported)
		h.report(reporting, h.progress)
	}()
	defer func() {
		stopReporting()
		<-reported
	}()
	h.enter(stagePrepare)
	err := h.each(ctx, func(ctx context.Context, o *office) error { return o.prepare(ctx) })
	if err == nil {
		err = h.hour(ctx)
	}
	var out HourOutcome
	if err == nil {
		out, err = h.after(ctx)
	}
	if problems := h.problems.err(); problems != nil {
		err = errors.Join(err, problems)
	}
	if err != nil {
		return out, fmt.Errorf("run exercise: %w", err)
	}
	return out, nil
}

// firstContactTerm is after what time an order may follow the notice (Art. 3(2)), with a
// minute more.
const firstContactTerm = 12*time.Hour + time.Minute

// hour lets the notice's twelve hours pass, and issues; meanwhile the authorities answer
// what the providers ask.
func (h *Hour) hour(ctx context.Context) error {
	h.jump(firstContactTerm)
	h.enter(stageHour)
	h.begins = h.now()
	for _, p := range h.providers {
		if p.plan.conduct.pull {
			p.startPolling()
			continue
		}
		// What came before it was up, where a run is taken up again.
		if err := p.poll(ctx); err != nil {
			return fmt.Errorf("provider %s: list orders: %w", p.plan.key, err)
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	following, over := context.WithCancel(gctx)
	for _, o := range h.offices[:bareAuthority] {
		g.Go(func() error { return o.follow(following) })
	}
	g.Go(func() error {
		defer over()
		if err := h.each(gctx, func(ctx context.Context, o *office) error { return o.issue(ctx) }); err != nil {
			return err
		}
		return h.settles(gctx)
	})
	return g.Wait()
}

const (
	settleEvery = 300 * time.Millisecond
	// hourStill is without any change of what case time Run gives up: the longest that
	// nothing has to happen is an hour that nobody answers in.
	hourStill = 80 * time.Minute
)

// settles waits until every order stands where it should, and every hour that is missed
// is said to be.
func (h *Hour) settles(ctx context.Context) error {
	h.enter(stageAnswers)
	changed, last := time.Now(), int64(-1)
	still := max(stillWall, h.cfg.Time.Wall(hourStill))
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for {
		short, err := h.short(ctx)
		if err != nil {
			return err
		}
		if len(short) == 0 && h.work.Load() == 0 {
			return nil
		}
		settled := int64(h.script.total) - int64(len(short))
		h.settled.Store(settled)
		if settled != last {
			last, changed = settled, time.Now()
		}
		if time.Since(changed) > still {
			return fmt.Errorf("nothing has changed for %s, and %d orders are not as planned (%d pieces of work at providers): %w", still, len(short), h.work.Load(), errors.Join(short[:min(len(short), 8)]...))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// short says which orders are not, or not yet, where they should be. Only those are read
// whole whose hour is to be missed, once all others are in their place.
func (h *Hour) short(ctx context.Context) ([]error, error) {
	var mu sync.Mutex
	at := map[string]string{}
	err := h.each(ctx, func(ctx context.Context, o *office) error {
		list, err := o.list(ctx, "")
		mu.Lock()
		defer mu.Unlock()
		for _, s := range list {
			at[s.ID] = s.Status
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var short []error
	var silent []uint32
	for n := range h.script.total {
		e, r := h.script.ending(n), &h.orders[n]
		switch {
		case e.refusal() != "":
			if r.refused != e.refusal() {
				short = append(short, fmt.Errorf("order %d (%s) is refused by %q instead of %q", n, e, r.refused, e.refusal()))
			}
		case at[r.ref] != e.status():
			short = append(short, fmt.Errorf("order %d (%s, %s) is %q instead of %q", n, e, r.ref, at[r.ref], e.status()))
		case e == endSilence:
			silent = append(silent, n)
		}
	}
	if len(short) > 0 {
		return short, nil
	}
	for _, n := range silent {
		o, err := h.offices[h.script.authority(n)].officer.Order(ctx, h.orders[n].ref)
		if err != nil {
			return nil, err
		}
		if d := deadlineOf(o, concert.TermRemoval); d.State != string(concert.DeadlineMissed) {
			short = append(short, fmt.Errorf("the hour of order %d (%s) is %q and not missed", n, o.ID, d.State))
		}
	}
	return short, nil
}

// deadlineOf is the order's legal clock of a term, the zero one where there is none.
func deadlineOf(o api.Order, term concert.TermKey) api.Deadline {
	for _, d := range o.Deadlines {
		if d.Term == string(term) {
			return d
		}
	}
	return api.Deadline{}
}

func (h *Hour) progress() Progress {
	p := Progress{Stage: *h.stage.Load(), Counts: map[string]int64{}, Case: h.now(), Total: int64(h.script.total)}
	switch p.Stage {
	case stageSetup, stagePrepare:
		p.Done, p.Total = h.prepared.Load(), h.toPrepare()
	case stageHour:
		p.Done = h.passed.Load()
	default:
		p.Done = h.settled.Load()
	}
	return p
}

// toPrepare is how many parties are registered and how many orders are written before
// the hour.
func (h *Hour) toPrepare() int64 {
	all := int64(len(h.offices)*4 + len(h.providers))
	for n := range h.script.total {
		if e := h.script.ending(n); e != endExempt && e != endTwice && e != endOther {
			all++
		}
	}
	return all
}
