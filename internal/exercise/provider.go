package exercise

import (
	"crypto/ed25519"
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

	venue
	busy chan struct{} // one token for each request to the API under way
	bad  bad           // since its first webhook

	mu        sync.Mutex // guards what follows
	ids       doubles
	known     map[string]bool      // notices taken on, by kind, referral and remedy
	sentAs    map[string]string    // webhook-ids by kind, referral and remedy, and the other way round
	referred  map[string]string    // referrals by item
	goneSince map[uint32]time.Time // case time at which a visitor found gone what will return
	back      map[uint32]bool      // what has returned
	itemOf    map[uint32]string    // items that were referred, by number
	polling   bool
}

// deskSize is how many requests one provider has under way at most.
const deskSize = 6

func newProvider(w *World, index int) *provider {
	plan := providers[index]
	return &provider{
		venue: venue{base: &w.base}, world: w, plan: &plan, index: index, busy: make(chan struct{}, deskSize),
		known: map[string]bool{}, sentAs: map[string]string{}, referred: map[string]string{}, goneSince: map[uint32]time.Time{}, back: map[uint32]bool{}, itemOf: map[uint32]string{},
	}
}

func (p *provider) hookHost() string { return "hooks." + p.plan.domain }

func (p *provider) listen() error {
	if p.plan.conduct.pull {
		return p.up(p.servePage, nil)
	}
	return p.up(p.servePage, p.serveHook)
}
