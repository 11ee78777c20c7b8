package exercise

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/api"
)

// hourly is a rate at which a case hour takes 20 ms.
const hourly = 180_000

// listening is a world whose providers listen, know a webhook key, and have a
// desk whose server is not there: what they take on is counted as a problem.
func listening(t *testing.T, rate float64) (*World, ed25519.PrivateKey) {
	t.Helper()
	w, err := New(testConfig(MinItems, 1, rate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := w.Listen(); err != nil {
		t.Fatal(err)
	}
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := webhookKey("whpk_" + base64.StdEncoding.EncodeToString(pub))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.providers {
		p.desk = &api.Client{Base: "http://127.0.0.1:1", HTTP: w.http}
		p.key.Store(&key)
	}
	return w, priv
}

// visitor reaches the invented hosts through Resolve, as the server does.
func visitor(t *testing.T, w *World) *http.Client {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		to, ok := w.Resolve(host)
		if !ok {
			return nil, fmt.Errorf("no such host %q in the exercise", host)
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func noticeBody(t *testing.T, referral string) []byte {
	t.Helper()
	body, err := json.Marshal(concert.WebhookNotice{Type: "referral.sent", Timestamp: "2019-11-21T08:00:00.000Z", Data: concert.NoticeData{Referral: referral, Items: 1, Voluntary: true, Exercise: true}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func signed(key ed25519.PrivateKey, id string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	sig := ed25519.Sign(key, append([]byte(id+"."+stamp+"."), body...))
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString([]byte("not for this key"))+" v1a,"+base64.StdEncoding.EncodeToString(sig))
	return h
}

func post(t *testing.T, c *http.Client, key string, h http.Header, body []byte) (int, http.Header, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://hooks."+key+"/hook", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h
	res, err := c.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, nil
}

// until repeats a question until it is answered as wanted or time is up.
func until(t *testing.T, what string, ask func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-deadline.C:
			t.Fatalf("ten seconds long not: %s", what)
		case <-tick.C:
		}
	}
}

func TestWebhookIsTakenOnlyWithAGoodFreshSignature(t *testing.T) {
	t.Parallel()
	w, key := listening(t, hourly)
	c := visitor(t, w)
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	body, now := noticeBody(t, "rf-1"), time.Now()
	plain := signed(key, "msg_1", now, body)
	without := func(name string) http.Header {
		h := plain.Clone()
		h.Del(name)
		return h
	}
	for _, x := range []struct {
		what string
		h    http.Header
		body []byte
		want int
	}{
		{"good", plain, body, 202},
		{"repeated delivery", plain, body, 202},
		{"changed body", plain, noticeBody(t, "rf-2"), 401},
		{"foreign key", signed(other, "msg_2", now, body), body, 401},
		{"late", signed(key, "msg_3", now.Add(-6*time.Minute), body), body, 401},
		{"from the future", signed(key, "msg_4", now.Add(6*time.Minute), body), body, 401},
		{"no id", without("Webhook-Id"), body, 400},
		{"no timestamp", without("Webhook-Timestamp"), body, 400},
		{"no signature", without("Webhook-Signature"), body, 401},
		{"no notice", signed(key, "msg_5", now, []byte("[]")), []byte("[]"), 400},
		{"too large", signed(key, "msg_6", now, bytes.Repeat([]byte(" "), webhookBody+1)), bytes.Repeat([]byte(" "), webhookBody+1), 413},
	} {
		status, _, err := post(t, c, "messenger.example", x.h, x.body)
		if err != nil || status != x.want {
			t.Errorf("%s: status %d, wanted %d (%v)", x.what, status, x.want, err)
		}
	}
	p := w.providers[atKanal]
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) != 1 {
		t.Errorf("%d notices taken on, wanted is the good one alone: %v", len(p.known), p.known)
	}
}

func FuzzVerifyWebhook(f *testing.F) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0)
	good := signed(key, "msg_1", now, []byte("{}"))
	f.Add(good.Get("Webhook-Id"), good.Get("Webhook-Timestamp"), good.Get("Webhook-Signature"), []byte("{}"))
	f.Add("", "-1", "v1a,", []byte(nil))
	f.Fuzz(func(t *testing.T, id, stamp, sig string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {sig}}
		if _, err := verifyWebhook(h, body, pub, now); err == nil && !(id == "msg_1" && string(body) == "{}") {
			t.Errorf("taken without a signature: %q %q %q %q", id, stamp, sig, body)
		}
	})
}

func TestWebhookKeyIsReadFromItsTextForm(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "whpk_", "whsec_AAAA", "whpk_!!!", "whpk_" + base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		if _, err := webhookKey(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}

func TestBusyProviderAsksForPatienceAndThenTakes(t *testing.T) {
	t.Parallel()
	w, key := listening(t, hourly)
	c := visitor(t, w)
	body := noticeBody(t, "rf-1")
	status, h, err := post(t, c, "files-eg.example", signed(key, "msg_1", time.Now(), body), body)
	if err != nil || status != http.StatusTooManyRequests || h.Get("Retry-After") == "" {
		t.Fatalf("status %d, Retry-After %q, %v; wanted 429 with Retry-After", status, h.Get("Retry-After"), err)
	}
	until(t, "202 after the busy hours", func() bool {
		status, _, err = post(t, c, "files-eg.example", signed(key, "msg_1", time.Now(), body), body)
		return err == nil && status == http.StatusAccepted
	})
}

func TestSickProviderFailsThenIsGoneThenComesBackAndItsPagesStay(t *testing.T) {
	t.Parallel()
	w, key := listening(t, hourly/10)
	c := visitor(t, w)
	body := noticeBody(t, "rf-1")
	send := func() (int, error) {
		status, _, err := post(t, c, "paste-eg.example", signed(key, "msg_1", time.Now(), body), body)
		return status, err
	}
	if status, err := send(); err != nil || status != http.StatusServiceUnavailable {
		t.Fatalf("status %d, %v; wanted 503", status, err)
	}
	until(t, "closed listener", func() bool { _, err := send(); return err != nil })
	if res, err := c.Get("http://paste-eg.example/"); err != nil || res.StatusCode != 200 {
		t.Errorf("front page: %v", err)
	} else {
		res.Body.Close()
	}
	until(t, "202 once it is back", func() bool { status, err := send(); return err == nil && status == http.StatusAccepted })
}

func TestGoneProviderSaysSoOnceAndPollsFromThenOn(t *testing.T) {
	t.Parallel()
	w, key := listening(t, hourly)
	c := visitor(t, w)
	body := noticeBody(t, "rf-1")
	for i, want := range []int{http.StatusGone, http.StatusAccepted} {
		if status, _, err := post(t, c, "brief-eg.example", signed(key, fmt.Sprintf("msg_%d", i), time.Now(), body), body); err != nil || status != want {
			t.Errorf("webhook %d: status %d, %v; wanted %d", i, status, err, want)
		}
	}
	p := w.providers[atBrief]
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.polling {
		t.Error("it does not poll its inbox")
	}
}

func TestSlowProviderTakesItsTime(t *testing.T) {
	t.Parallel()
	w, key := listening(t, hourly)
	body, begun := noticeBody(t, "rf-1"), time.Now()
	status, _, err := post(t, visitor(t, w), "video.example", signed(key, "msg_1", begun, body), body)
	if took := time.Since(begun); err != nil || status != http.StatusAccepted || took < 300*time.Millisecond {
		t.Errorf("status %d after %s, %v; wanted 202 after at least 300 ms", status, took, err)
	}
}

func TestResolveKnowsInventedHostsOnly(t *testing.T) {
	t.Parallel()
	w, _ := listening(t, hourly)
	for _, host := range []string{"kanal.messenger.example", "hooks.messenger.example", "CLIPS.video.example.", "www.files-eg.example:80", libraryHost} {
		if addr, ok := w.Resolve(host); !ok || !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("%s: %q, %t", host, addr, ok)
		}
	}
	for _, host := range []string{"", "example.org", "messenger.example.org", "evilmessenger.example", "mirror-ex0000001.example", "127.0.0.1", "localhost", "hooks.store-eg.example"} {
		if addr, ok := w.Resolve(host); ok {
			t.Errorf("%s resolves to %q", host, addr)
		}
	}
	page, _ := w.Resolve("kanal.messenger.example")
	hook, _ := w.Resolve("hooks.messenger.example")
	if page == hook {
		t.Error("pages and webhook share a port: one could not be down without the other")
	}
}

func TestPagesShowWhatTheOutcomeSays(t *testing.T) {
	t.Parallel()
	w, _ := listening(t, hourly)
	c, s := visitor(t, w), w.script
	get := func(n uint32) (int, string) {
		res, err := c.Get(s.place(n))
		if err != nil {
			t.Fatalf("%s: %v", s.place(n), err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	looked := map[outcome]bool{}
	for n := range s.total {
		if !s.fate(n).referred() || s.kind(n) != "web" {
			continue
		}
		o := s.outcome(n)
		status, text := get(n)
		if status != 200 || !strings.Contains(text, "EXERCISE "+token(n)) || !strings.Contains(text, s.mark(n)) {
			t.Fatalf("%s before: status %d, %s", s.place(n), status, text)
		}
		if o.answer() == "" {
			continue
		}
		w.markActed(n)
		status, text = get(n)
		shows := strings.Contains(text, token(n))
		switch o {
		case saysRemoved, saysDisabled, saysSuspended, saysUnavailable, saysLate, saysRemovedReturns:
			gone := status == 404 || status == 410 || status == 200 && strings.Contains(text, w.providers[s.provider(n)].plan.marker)
			if !gone || shows {
				t.Errorf("%s, outcome %d: status %d, %s", s.place(n), o, status, text)
			}
		case saysCountries:
			if status != 451 || shows {
				t.Errorf("%s: status %d, wanted 451", s.place(n), status)
			}
		case saysRemovedWalled, saysRemovedSoft, saysRestricted:
			if status != 200 && status != 403 || shows {
				t.Errorf("%s: status %d, %s", s.place(n), status, text)
			}
		default:
			if status != 200 || !shows {
				t.Errorf("%s, outcome %d: status %d, wanted the content", s.place(n), o, status)
			}
		}
		looked[o] = true
	}
	if len(looked) != int(outcomes)-2 {
		t.Errorf("looked at %d of %d outcomes", len(looked), int(outcomes)-2)
	}
	if status, _ := func() (int, string) {
		res, err := c.Get("http://clips.video.example/u/exercise1/p/ex0000000x")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode, ""
	}(); status != 404 {
		t.Errorf("a place outside the plan: status %d, wanted 404", status)
	}
}

func TestContentReturnsTheDayAfterItWasSeenGone(t *testing.T) {
	t.Parallel()
	w, _ := listening(t, hourly)
	s := w.script
	for n := range s.total {
		if !s.fate(n).referred() || s.outcome(n) != saysRemovedReturns {
			continue
		}
		p := w.providers[s.provider(n)]
		w.markActed(n)
		if got := p.pageOf(n); got.status != 404 {
			t.Fatalf("first look: status %d, wanted 404", got.status)
		}
		p.mu.Lock()
		p.goneSince[n] = p.goneSince[n].Add(-backAfter)
		p.mu.Unlock()
		if got := p.pageOf(n); got.status != 200 || got.text != "" {
			t.Errorf("the next day: status %d %q, wanted the content", got.status, got.text)
		}
		return
	}
	t.Fatal("no item returns")
}
