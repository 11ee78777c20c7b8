package exercise

import (
	"context"
	"crypto/ed25519"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"concert/api"
)

// provider is one simulated online service: a server for its pages, another
// for its webhook, and people who answer.
type provider struct {
	world *World
	plan  *providerPlan
	index int
	key   atomic.Pointer[ed25519.PublicKey] // verifies what we are sent, set by Setup
	desk  *api.Client                       // its answerer, set by Setup

	pages *http.Server
	busy  chan struct{} // one token for each request to the API under way

	mu        sync.Mutex // guards what follows
	pageAddr  string
	hookAddr  string
	hooks     *http.Server // replaced when it comes up again
	first     time.Time    // case time of its first webhook
	ids       map[string]bool
	idRing    []string
	known     map[string]bool      // notices taken on, by kind, referral and remedy
	sentAs    map[string]string    // webhook-ids by kind, referral and remedy, and the other way round
	referred  map[string]string    // referrals by item
	goneSince map[uint32]time.Time // case time at which a visitor found gone what will return
	back      map[uint32]bool      // what has returned
	itemOf    map[uint32]string    // items that were referred, by number
	polling   bool
	closed    bool
}

// deskSize is how many requests one provider has under way at most.
const deskSize = 6

func newProvider(w *World, index int) *provider {
	plan := providers[index]
	return &provider{
		world: w, plan: &plan, index: index, busy: make(chan struct{}, deskSize),
		ids: map[string]bool{}, known: map[string]bool{}, sentAs: map[string]string{}, referred: map[string]string{}, goneSince: map[uint32]time.Time{}, back: map[uint32]bool{}, itemOf: map[uint32]string{},
	}
}

func (p *provider) hookHost() string { return "hooks." + p.plan.domain }

// address is where its pages, or its webhook, listen now.
func (p *provider) address(hook bool) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if hook {
		return p.hookAddr, p.hookAddr != ""
	}
	return p.pageAddr, p.pageAddr != ""
}

func (p *provider) listen() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.pages = &http.Server{Handler: http.HandlerFunc(p.servePage), ReadHeaderTimeout: 10 * time.Second, ErrorLog: nil}
	p.mu.Lock()
	p.pageAddr = l.Addr().String()
	p.mu.Unlock()
	p.serve(p.pages, l)
	if p.plan.conduct.pull {
		return nil
	}
	return p.listenForHooks()
}

func (p *provider) listenForHooks() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", p.serveHook)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return l.Close()
	}
	p.hookAddr, p.hooks = l.Addr().String(), s
	p.mu.Unlock()
	p.serve(s, l)
	return nil
}

func (p *provider) serve(s *http.Server, l net.Listener) {
	go func() {
		if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			p.world.problems.add(err)
		}
	}()
}

// fallIll closes the webhook's server after the hours of 503 and opens it again
// after the dead hours, on another port: Resolve follows.
func (p *provider) fallIll() {
	c, clock := p.plan.conduct, p.world.cfg.Time
	p.world.after(clock.Wall(time.Duration(c.sickHours)*time.Hour), func(context.Context) {
		p.mu.Lock()
		s := p.hooks
		p.mu.Unlock()
		if s != nil {
			// Connections drop with the listener: that is the point.
			_ = s.Close()
		}
		p.world.after(clock.Wall(time.Duration(c.deadHours)*time.Hour), func(context.Context) {
			if err := p.listenForHooks(); err != nil {
				p.world.problems.add(err)
			}
		})
	})
}

func (p *provider) close() {
	p.mu.Lock()
	p.closed = true
	hooks := p.hooks
	p.mu.Unlock()
	for _, s := range []*http.Server{p.pages, hooks} {
		if s != nil {
			_ = s.Close()
		}
	}
}
