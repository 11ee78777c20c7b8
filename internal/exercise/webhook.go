package exercise

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"concert"
)

const (
	webhookTolerance = 5 * time.Minute // wall time, either way
	webhookBody      = 20_000          // bytes, the standard's recommendation
	webhookIDs       = 4096            // ids remembered against doubles
)

// Why a webhook is refused.
var (
	errWebhookHeaders   = errors.New("webhook headers are missing or malformed")
	errWebhookStale     = errors.New("webhook timestamp is more than five minutes off: late or replayed")
	errWebhookSignature = errors.New("no webhook signature fits the pinned key")
)

// webhookKey reads the text form whpk_<base64> of an Ed25519 public key
// (Standard Webhooks 1.0).
func webhookKey(text string) (ed25519.PublicKey, error) {
	encoded, ok := strings.CutPrefix(text, "whpk_")
	if !ok {
		return nil, fmt.Errorf("a webhook key begins with whpk_, this one does not (%d characters)", len(text))
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("a webhook key is 32 bytes in base64 behind whpk_; this one has %d", len(key))
	}
	return key, nil
}

// verifyWebhook checks the signature over id.timestamp.body and the age, and
// returns the id. It is written from the standard with the standard library
// only, as a provider's engineer would.
func verifyWebhook(h http.Header, body []byte, key ed25519.PublicKey, now time.Time) (id string, err error) {
	id, stamp := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || len(id) > 128 || strings.Contains(id, ".") || err != nil || seconds < 0 || seconds > 1<<40 {
		return "", errWebhookHeaders
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > webhookTolerance {
		return "", errWebhookStale
	}
	text := append([]byte(id+"."+stamp+"."), body...)
	signatures := strings.Fields(h.Get("Webhook-Signature"))
	for i, s := range signatures {
		if i == 16 {
			break
		}
		encoded, ok := strings.CutPrefix(s, "v1a,")
		if !ok {
			continue
		}
		sig, err := base64.StdEncoding.DecodeString(encoded)
		if err == nil && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, text, sig) {
			return id, nil
		}
	}
	return "", errWebhookSignature
}

// takeHook reads a webhook and verifies it; where it does not hold it is answered, and
// ok is false.
func takeHook(rw http.ResponseWriter, r *http.Request, key *ed25519.PublicKey) (id string, body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, webhookBody))
	if err != nil {
		http.Error(rw, "the body is larger than 20000 bytes or broke off", http.StatusRequestEntityTooLarge)
		return "", nil, false
	}
	if key == nil {
		http.Error(rw, "no key is pinned yet", http.StatusServiceUnavailable)
		return "", nil, false
	}
	id, err = verifyWebhook(r.Header, body, *key, time.Now())
	switch {
	case errors.Is(err, errWebhookHeaders):
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return "", nil, false
	case err != nil:
		http.Error(rw, err.Error(), http.StatusUnauthorized)
		return "", nil, false
	}
	return id, body, true
}

// declined answers a good webhook that a provider of this conduct does not take now,
// by the status that it gives.
func declined(rw http.ResponseWriter, status int) {
	if status == http.StatusTooManyRequests {
		rw.Header().Set("Retry-After", "5")
	}
	http.Error(rw, http.StatusText(status), status)
}

// serveHook takes a webhook: it verifies, misbehaves as the plan says, answers
// 202 and works afterwards.
func (p *provider) serveHook(rw http.ResponseWriter, r *http.Request) {
	id, body, ok := takeHook(rw, r, p.key.Load())
	if !ok {
		return
	}
	var notice concert.WebhookNotice
	if err := json.Unmarshal(body, &notice); err != nil || notice.Data.Referral == "" {
		http.Error(rw, "the body is no notice of a referral", http.StatusBadRequest)
		return
	}
	p.checkID(id, notice)
	if !p.plan.conduct.pause(r) {
		return
	}
	if status := p.mood(); status != 0 {
		declined(rw, status)
		return
	}
	rw.WriteHeader(http.StatusAccepted)
	if p.ids.first(id) {
		p.take(notice.Type, notice.Data.Referral, notice.Data.Remedy)
	}
}

// checkID makes a problem of a notice that comes under two ids and of an id that
// stands for two notices: however often a delivery is tried, and on whichever
// node, its id is the same. Reminders are many to one referral.
func (p *provider) checkID(id string, n concert.WebhookNotice) {
	name := "notice " + n.Type + " " + n.Data.Referral + " " + n.Data.Remedy
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.sentAs["id "+id]; was != "" && was != name {
		p.world.problems.add(fmt.Errorf("provider %s: webhook-id %s stands for %q and for %q", p.plan.key, id, was, name))
	}
	p.sentAs["id "+id] = name
	if n.Type == concert.NoticeTypes[concert.NoticeReminder] {
		return
	}
	if was := p.sentAs[name]; was != "" && was != id {
		p.world.problems.add(fmt.Errorf("provider %s: %q came under two webhook-ids, %s and %s", p.plan.key, name, was, id))
	}
	p.sentAs[name] = id
}

// checkItem makes a problem of an item that lies in two referrals.
func (p *provider) checkItem(n uint32, item, referral string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if was := p.referred[item]; was != "" && was != referral {
		p.world.problems.add(fmt.Errorf("provider %s: item %s was referred twice, in %s and in %s", p.plan.key, item, was, referral))
	}
	p.referred[item], p.itemOf[n] = referral, item
}

// pause is how long a slow provider takes over a webhook; false if the sender
// went away meanwhile.
func (c conduct) pause(r *http.Request) bool {
	if c.slow == 0 {
		return true
	}
	t := time.NewTimer(c.slow)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// mood is the status with which a provider of this conduct refuses a good webhook so
// long after its first one, 0 where it takes it.
func (c conduct) mood(first bool, since time.Duration) int {
	switch {
	case first && c.gone:
		return http.StatusGone
	case since < c.busy:
		return http.StatusTooManyRequests
	case since < c.sick:
		return http.StatusServiceUnavailable
	}
	return 0
}

// bad is a counterpart's bad time: what its conduct says of it, from its first webhook on,
// so that it is met however fast the exercise runs.
type bad struct {
	mu    sync.Mutex
	first time.Time // case time of its first webhook
}

// mood is the status with which a counterpart of the conduct refuses a webhook now, 0
// where it takes it; first is told of its first one alone.
func (b *bad) mood(c conduct, now time.Time) (status int, first bool) {
	b.mu.Lock()
	if first = b.first.IsZero(); first {
		b.first = now
	}
	since := now.Sub(b.first)
	b.mu.Unlock()
	return c.mood(first, since), first
}

// mood is the provider's now.
func (p *provider) mood() int {
	c := p.plan.conduct
	status, first := p.bad.mood(c, p.world.now())
	if first && c.dead > 0 {
		p.fallIll(c)
	}
	if status == http.StatusGone {
		p.startPolling()
	}
	return status
}

// doubles remembers the last ids, so that a repeated delivery is taken once.
type doubles struct {
	mu   sync.Mutex
	seen map[string]bool
	ring []string
}

// first reports whether the id was not seen yet.
func (d *doubles) first(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[id] {
		return false
	}
	if d.seen == nil {
		d.seen = map[string]bool{}
	}
	d.seen[id] = true
	d.ring = append(d.ring, id)
	if len(d.ring) > webhookIDs {
		delete(d.seen, d.ring[0])
		d.ring = d.ring[1:]
	}
	return true
}
