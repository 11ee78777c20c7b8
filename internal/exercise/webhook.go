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

// serveHook takes a webhook: it verifies, misbehaves as the plan says, answers
// 202 and works afterwards.
func (p *provider) serveHook(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, webhookBody))
	if err != nil {
		http.Error(rw, "the body is larger than 20000 bytes or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	key := p.key.Load()
	if key == nil {
		http.Error(rw, "no key is pinned yet", http.StatusServiceUnavailable)
		return
	}
	id, err := verifyWebhook(r.Header, body, *key, time.Now())
	switch {
	case errors.Is(err, errWebhookHeaders):
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	case err != nil:
		http.Error(rw, err.Error(), http.StatusUnauthorized)
		return
	}
	var notice concert.WebhookNotice
	if err := json.Unmarshal(body, &notice); err != nil || notice.Data.Referral == "" {
		http.Error(rw, "the body is no notice of a referral", http.StatusBadRequest)
		return
	}
	p.checkID(id, notice)
	if !p.pause(r) {
		return
	}
	if status := p.mood(); status != 0 {
		if status == http.StatusTooManyRequests {
			rw.Header().Set("Retry-After", "5")
		}
		http.Error(rw, http.StatusText(status), status)
		return
	}
	rw.WriteHeader(http.StatusAccepted)
	if p.firstTime(id) {
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
func (p *provider) pause(r *http.Request) bool {
	if p.plan.conduct.slow == 0 {
		return true
	}
	t := time.NewTimer(p.plan.conduct.slow)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// mood is the status with which the provider refuses a good webhook now, 0 if
// it takes it. The first one starts its bad hours, so that they are met however
// fast the exercise runs.
func (p *provider) mood() int {
	c := p.plan.conduct
	now := p.world.now()
	p.mu.Lock()
	first := p.first.IsZero()
	if first {
		p.first = now
	}
	since := now.Sub(p.first)
	p.mu.Unlock()
	if first && c.deadHours > 0 {
		p.fallIll()
	}
	switch {
	case first && c.gone:
		p.startPolling()
		return http.StatusGone
	case since < time.Duration(c.busyHours)*time.Hour:
		return http.StatusTooManyRequests
	case since < time.Duration(c.sickHours)*time.Hour:
		return http.StatusServiceUnavailable
	}
	return 0
}

// firstTime remembers the last ids, so that a repeated delivery is taken once.
func (p *provider) firstTime(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids[id] {
		return false
	}
	p.ids[id] = true
	p.idRing = append(p.idRing, id)
	if len(p.idRing) > webhookIDs {
		delete(p.ids, p.idRing[0])
		p.idRing = p.idRing[1:]
	}
	return true
}
