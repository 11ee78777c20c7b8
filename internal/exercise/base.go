package exercise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"concert/api"
)

// base is what the worlds of all plans have in common: their way to the server, their
// clock, what went wrong, and what goes on in the background.
type base struct {
	cfg   Config
	http  *http.Client // of the authorities
	desks *http.Client // of the providers: other machines, so connections of their own
	log   *slog.Logger

	work  atomic.Int64 // what providers have taken on and not yet finished
	ahead atomic.Int64 // by how much case time jumped, in nanoseconds

	lifeMu  sync.Mutex // guards the three
	closed  bool
	tasks   int
	running map[int]context.CancelFunc // of what goes on in the background, ended by close

	admin  *api.Client // set by Setup
	second *api.Client // confirms what admin proposes

	stage    atomic.Pointer[string]
	prepared atomic.Int64 // parties and entries registered
	problems problems
}

// settle makes the base of a world that is set up.
func (w *base) settle(cfg Config) {
	if len(cfg.Bases) == 0 {
		cfg.Bases = []string{cfg.Base}
	}
	for i, b := range cfg.Bases {
		cfg.Bases[i] = strings.TrimRight(b, "/")
	}
	w.cfg, w.log = cfg, cfg.Log
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.http, w.desks = newHTTP(), newHTTP()
	w.running = map[int]context.CancelFunc{}
	w.enter("setup")
}

// close ends what goes on in the background.
func (w *base) close() {
	w.lifeMu.Lock()
	w.closed = true
	for _, cancel := range w.running {
		cancel()
	}
	w.lifeMu.Unlock()
	w.http.CloseIdleConnections()
	w.desks.CloseIdleConnections()
}

// problems keeps the first few unexpected refusals and counts all.
type problems struct {
	mu    sync.Mutex
	count int64
	first []error
}

func (p *problems) add(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	if len(p.first) < 8 {
		p.first = append(p.first, err)
	}
}

func (p *problems) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		return nil
	}
	return fmt.Errorf("%d answers were not as planned, the first of them: %w", p.count, errors.Join(p.first...))
}

func newHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxConnsPerHost: 32, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute}, Timeout: time.Minute}
}

// within runs f with a context that ends at Close; after Close it runs nothing.
func (w *base) within(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.lifeMu.Lock()
	if w.closed {
		w.lifeMu.Unlock()
		return
	}
	w.tasks++
	id := w.tasks
	w.running[id] = cancel
	w.lifeMu.Unlock()
	defer func() {
		w.lifeMu.Lock()
		defer w.lifeMu.Unlock()
		delete(w.running, id)
	}()
	f(ctx)
}

// after runs f once the span of wall time has passed, unless the world ended.
func (w *base) after(d time.Duration, f func(context.Context)) {
	time.AfterFunc(d, func() { w.within(f) })
}

// later is after for work that Run waits for.
func (w *base) later(d time.Duration, f func(context.Context)) {
	w.work.Add(1)
	time.AfterFunc(d, func() {
		defer w.work.Add(-1)
		w.within(f)
	})
}

// now is the case time.
func (w *base) now() time.Time { return w.cfg.Time.At(time.Now()).Add(time.Duration(w.ahead.Load())) }

// patience is how often people and programs repeat a request: a minute at
// least, since nodes may be killed as often as they come up.
const patience = 40

// justification is what everybody reads for (G19).
const justification = "EXERCISE joint action of November 2019, desk work"

// client is a person's way in; persons are spread over the nodes.
func (w *base) client(key string, person int) *api.Client {
	return &api.Client{Base: w.cfg.Bases[person%len(w.cfg.Bases)], Key: key, HTTP: w.http, Tries: patience, Justification: justification}
}

// call carries an Idempotency-Key made of the seed and what is done.
func (w *base) call(format string, args ...any) api.Call {
	return api.Call{IdempotencyKey: fmt.Sprintf("exercise-%x-%d-", w.cfg.Seed, w.cfg.Items) + fmt.Sprintf(format, args...)}
}

func (w *base) enter(stage string) { w.stage.Store(&stage) }

// report calls Progress five times a second until the context ends, and once
// at the end.
func (w *base) report(ctx context.Context, progress func() Progress) {
	if w.cfg.Progress == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		w.cfg.Progress(progress())
		select {
		case <-ctx.Done():
			w.cfg.Progress(progress())
			return
		case <-tick.C:
		}
	}
}
