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

	"concert"
	"concert/api"
)

// Config is what an exercise is told.
type Config struct {
	Base     string           // base URL of the running server
	Bases    []string         // instead of Base: several serve nodes, one person after the other
	AdminKey string           // API key of the first administrator, who proposes people
	Plan     string           // PlanNovember2019
	Items    int              // items that end up referred: exactly so many
	Seed     uint64           // same seed, same exercise
	Time     concert.CaseTime // the case clock; its rate must not be zero
	Progress func(Progress)   // called several times a second; nil for nobody
	Log      *slog.Logger     // nil for none

	SecondAdminKey string // API key of another administrator, who confirms them

	Media float64 // share of works that are drawn pictures and clips, whose copies are altered: 0 to 1
}

// Progress is how far an exercise has come.
type Progress struct {
	Stage  string           // "setup", or the phase of the action
	Done   int64            // of Total: parties registered, items submitted, referred, answered
	Total  int64            // see Done
	Counts map[string]int64 // the board's totals as last read, and "problems"
	Case   time.Time        // case time
}

// Login is a one-time link, with its code, for a person who wants to look at the
// board.
type Login struct {
	Role string // officer, coordinator, auditor
	Link string
	Code string
}

// World is one exercise: the people, the providers and their pages.
type World struct {
	cfg      Config
	script   *script
	expected map[string]int64
	sent     [len(providers)]int64 // items destined for each provider
	http     *http.Client          // of the units
	desks    *http.Client          // of the providers: other machines, so connections of their own
	log      *slog.Logger

	work atomic.Int64 // what providers have taken on and not yet finished

	lifeMu  sync.Mutex // guards the three
	closed  bool
	tasks   int
	running map[int]context.CancelFunc // of what goes on in the background, ended by Close

	providers [len(providers)]*provider
	onlooker  atomic.Pointer[api.Client] // the coordinator, once there is one, for what pages ask
	acted     []atomic.Uint32            // one bit an item: its provider has done what its outcome says

	// Set by Setup, read afterwards.
	admin       *api.Client
	second      *api.Client // confirms what admin proposes
	coordinator *api.Client
	units       [len(countries)]*unit
	outletIDs   [len(outlets)]string
	action      string
	logins      []Login

	stage     atomic.Pointer[string]
	submitted atomic.Int64 // distinct items handed in
	prepared  atomic.Int64 // parties and entries registered
	agreed    atomic.Int64 // second looks of this run
	doubted   atomic.Int64
	captured  atomic.Int64 // captures taken anew, since the first was too old
	marked    atomic.Int64 // items marked as evidence of an atrocity
	problems  problems
	copies    copiesTaken
	files     files

	boardMu sync.Mutex
	board   map[string]int64 // the totals as last read
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

// New plans an exercise. It is deterministic and does no I/O. It refuses an
// unknown plan and fewer than MinItems items.
func New(cfg Config) (*World, error) {
	if err := knownPlan(cfg.Plan); err != nil {
		return nil, err
	}
	if cfg.Items < MinItems || cfg.Items > 10_000_000 {
		return nil, fmt.Errorf("an exercise of %d items cannot be planned: from %d items up every outcome occurs, and ten million are the most", cfg.Items, MinItems)
	}
	if cfg.Time.Rate <= 0 {
		return nil, errors.New("an exercise needs a case clock that runs (rate above 0): four days at rate 20000 take 17 seconds")
	}
	if cfg.Media < 0 || cfg.Media > 1 {
		return nil, fmt.Errorf("the share of works that are drawn is 0 to 1, not %g", cfg.Media)
	}
	if len(cfg.Bases) == 0 {
		cfg.Bases = []string{cfg.Base}
	}
	for i, b := range cfg.Bases {
		cfg.Bases[i] = strings.TrimRight(b, "/")
	}
	w := &World{cfg: cfg, script: newScript(cfg.Seed, cfg.Items), log: cfg.Log}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.script.media = cfg.Media
	w.expected, w.sent = w.script.expected()
	w.acted = make([]atomic.Uint32, w.script.total/32+1)
	w.http, w.desks = newHTTP(), newHTTP()
	w.running = map[int]context.CancelFunc{}
	for i := range providers {
		w.providers[i] = newProvider(w, i)
	}
	for i := range w.units {
		w.units[i] = &unit{world: w, index: i, holds: map[uint32]heldPlace{}}
	}
	w.enter("setup")
	return w, nil
}

func newHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxConnsPerHost: 32, MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute}, Timeout: time.Minute}
}

// Listen starts the providers' servers on 127.0.0.1, each on ports of its own.
func (w *World) Listen() error {
	for _, p := range w.providers {
		if err := p.listen(); err != nil {
			return fmt.Errorf("exercise provider %s: %w", p.plan.key, err)
		}
	}
	return nil
}

// Resolve gives the loopback address, host:port, behind an invented host. The
// server's re-checks and webhooks may reach nothing else. An address can
// change when a provider's server comes up again, so ask before each dial.
func (w *World) Resolve(host string) (addr string, ok bool) { return w.Stage().Resolve(host) }

// Close ends the world: servers, polls and what is in flight.
func (w *World) Close() {
	w.lifeMu.Lock()
	w.closed = true
	for _, cancel := range w.running {
		cancel()
	}
	w.lifeMu.Unlock()
	for _, p := range w.providers {
		p.close()
	}
	w.http.CloseIdleConnections()
	w.desks.CloseIdleConnections()
}

// within runs f with a context that ends at Close; after Close it runs nothing.
func (w *World) within(f func(context.Context)) {
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
func (w *World) after(d time.Duration, f func(context.Context)) {
	time.AfterFunc(d, func() { w.within(f) })
}

// later is after for work that Run waits for.
func (w *World) later(d time.Duration, f func(context.Context)) {
	w.work.Add(1)
	time.AfterFunc(d, func() {
		defer w.work.Add(-1)
		w.within(f)
	})
}

// ActionID is the joint action's id, "" before Setup.
func (w *World) ActionID() string { return w.action }

// Logins are one-time links for people at the board, empty before Setup.
func (w *World) Logins() []Login { return w.logins }

// now is the case time.
func (w *World) now() time.Time { return w.cfg.Time.At(time.Now()) }

// ends is when the four days are over, in case time.
func (w *World) ends() time.Time { return w.cfg.Time.Start.AddDate(0, 0, caseDays) }

// patience is how often people and programs repeat a request: a minute at
// least, since nodes may be killed as often as they come up.
const patience = 40

// justification is what everybody reads for (G19).
const justification = "EXERCISE joint action of November 2019, desk work"

// client is a person's way in; persons are spread over the nodes.
func (w *World) client(key string, person int) *api.Client {
	return &api.Client{Base: w.cfg.Bases[person%len(w.cfg.Bases)], Key: key, HTTP: w.http, Tries: patience, Justification: justification}
}

// call carries an Idempotency-Key made of the seed and what is done.
func (w *World) call(format string, args ...any) api.Call {
	return api.Call{IdempotencyKey: fmt.Sprintf("exercise-%x-%d-", w.cfg.Seed, w.cfg.Items) + fmt.Sprintf(format, args...)}
}

func (w *World) markActed(n uint32) {
	if n < w.script.total {
		w.acted[n/32].Or(1 << (n % 32))
	}
}

func (w *World) hasActed(n uint32) bool {
	return n < w.script.total && w.acted[n/32].Load()&(1<<(n%32)) != 0
}

func (w *World) enter(stage string) { w.stage.Store(&stage) }

// report calls Progress five times a second until the context ends, and once
// at the end.
func (w *World) report(ctx context.Context) {
	if w.cfg.Progress == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		w.cfg.Progress(w.progress())
		select {
		case <-ctx.Done():
			w.cfg.Progress(w.progress())
			return
		case <-tick.C:
		}
	}
}

func (w *World) progress() Progress {
	p := Progress{Stage: *w.stage.Load(), Counts: map[string]int64{}, Case: w.now()}
	w.boardMu.Lock()
	for m, n := range w.board {
		p.Counts[m] = n
	}
	w.boardMu.Unlock()
	w.problems.mu.Lock()
	p.Counts["problems"] = w.problems.count
	w.problems.mu.Unlock()
	switch concert.Phase(p.Stage) {
	case "setup":
		p.Done, p.Total = w.prepared.Load(), w.toPrepare()
	case concert.PhaseRefer:
		p.Done, p.Total = p.Counts[string(concert.ReferredN)], int64(w.cfg.Items)
	case concert.PhaseFollowUp, concert.PhaseClose:
		p.Done, p.Total = p.Counts[string(concert.AnsweredN)], w.expected[string(concert.AnsweredN)]
	default:
		p.Done, p.Total = w.submitted.Load(), int64(w.script.total)
	}
	return p
}
