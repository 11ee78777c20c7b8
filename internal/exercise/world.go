package exercise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"concert"
	"concert/api"
	"concert/order"
)

// Config is what an exercise is told.
type Config struct {
	Base     string           // base URL of the running server
	Bases    []string         // instead of Base: several serve nodes, one person after the other
	AdminKey string           // API key of the first administrator, who proposes people
	Plan     string           // PlanNovember2019, or PlanOneHour
	Items    int              // items that end up referred, or orders that are issued: exactly so many
	Seed     uint64           // same seed, same exercise
	Time     concert.CaseTime // the case clock; its rate must not be zero
	Progress func(Progress)   // called several times a second; nil for nobody
	Log      *slog.Logger     // nil for none

	SecondAdminKey string // API key of another administrator, who confirms them

	Media float64 // share of works that are drawn pictures and clips, whose copies are altered: 0 to 1

	// Of the plan one-hour alone.
	Jump func(time.Duration) // lets the server's case time jump forwards, never back
	Root order.Fingerprint   // of the key that signs the register of orders, learnt by another way
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
	base
	script   *script
	expected map[string]int64
	sent     [len(providers)]int64 // items destined for each provider

	providers [len(providers)]*provider
	onlooker  atomic.Pointer[api.Client] // the coordinator, once there is one, for what pages ask
	acted     []atomic.Uint32            // one bit an item: its provider has done what its outcome says

	// Set by Setup, read afterwards.
	coordinator *api.Client
	units       [len(countries)]*unit
	outletIDs   [len(outlets)]string
	action      string
	logins      []Login

	submitted atomic.Int64 // distinct items handed in
	agreed    atomic.Int64 // second looks of this run
	doubted   atomic.Int64
	captured  atomic.Int64 // captures taken anew, since the first was too old
	marked    atomic.Int64 // items marked as evidence of an atrocity
	copies    copiesTaken
	files     files

	boardMu sync.Mutex
	board   map[string]int64 // the totals as last read
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
	w := &World{script: newScript(cfg.Seed, cfg.Items)}
	w.settle(cfg)
	w.script.media = cfg.Media
	w.expected, w.sent = w.script.expected()
	w.acted = make([]atomic.Uint32, w.script.total/32+1)
	for i := range providers {
		w.providers[i] = newProvider(w, i)
	}
	for i := range w.units {
		w.units[i] = &unit{world: w, index: i, holds: map[uint32]heldPlace{}}
	}
	return w, nil
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
	w.base.close()
	for _, p := range w.providers {
		p.close()
	}
}

// ActionID is the joint action's id, "" before Setup.
func (w *World) ActionID() string { return w.action }

// Logins are one-time links for people at the board, empty before Setup.
func (w *World) Logins() []Login { return w.logins }

// ends is when the four days are over, in case time.
func (w *World) ends() time.Time { return w.cfg.Time.Start.AddDate(0, 0, caseDays) }

func (w *World) markActed(n uint32) {
	if n < w.script.total {
		w.acted[n/32].Or(1 << (n % 32))
	}
}

func (w *World) hasActed(n uint32) bool {
	return n < w.script.total && w.acted[n/32].Load()&(1<<(n%32)) != 0
}

func (w *World) report(ctx context.Context) { w.base.report(ctx, w.progress) }

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
