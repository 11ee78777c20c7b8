package httpkit

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"concert"
)

func TestCostlyRequestsAreLimitedByPersonAndNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Limits
		ask := func(from string, who concert.PersonID) (wait string, err error) {
			r := httptest.NewRequest(http.MethodGet, "/audit/export", nil)
			r.RemoteAddr = from
			w := httptest.NewRecorder()
			err = l.Take(w, r, who)
			return w.Header().Get("Retry-After"), err
		}
		for i := range int(rateExport.Burst) {
			if _, err := ask("192.0.2.1:1", "ann"); err != nil {
				t.Fatalf("export %d: %v", i, err)
			}
		}
		wait, err := ask("192.0.2.1:1", "ann")
		if StatusOf(err) != http.StatusTooManyRequests || wait != "2" {
			t.Errorf("one too many: %v, Retry-After %q", err, wait)
		}
		if _, err := ask("192.0.2.9:1", "bob"); err != nil {
			t.Errorf("a colleague in the same network: %v", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := ask("192.0.2.1:1", "ann"); err != nil {
			t.Errorf("after the wait: %v", err)
		}
		refused := 0
		for i := range 400 {
			if _, err := ask("198.51.100.1:1", concert.PersonID(fmt.Sprint("many", i))); err != nil {
				refused++
			}
		}
		if refused < 50 || refused > 150 {
			t.Errorf("400 people of one network: %d refused", refused)
		}
		if _, err := ask("203.0.113.1:1", ""); err != nil {
			t.Errorf("another network: %v", err)
		}
		r := httptest.NewRequest(http.MethodGet, "/scope", nil)
		for range 1000 {
			if err := l.Take(httptest.NewRecorder(), r, "ann"); err != nil {
				t.Fatalf("what costs little: %v", err)
			}
		}
	})
}

func TestLimitsKeepToTheirMemory(t *testing.T) {
	t.Parallel()
	var l Limits
	now := time.Now()
	for i := range 3 * limitsMost {
		l.take(fmt.Sprint(i), Rate{"x", 1, 1e-9}, now)
	}
	if len(l.seen) > limitsMost {
		t.Errorf("%d buckets are kept", len(l.seen))
	}
}

func TestANetworkIsThatOfTheCallerNotOfAHeader(t *testing.T) {
	t.Parallel()
	ours := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct {
		remote, header string
		proxies        []netip.Prefix
		want           string
	}{
		{"192.0.2.77:9", "", nil, "192.0.2.0/24"},
		{"192.0.2.77:9", "198.51.100.1", nil, "192.0.2.0/24"},
		{"192.0.2.77:9", "198.51.100.1", ours, "192.0.2.0/24"},
		{"10.1.1.1:9", "198.51.100.1", ours, "198.51.100.0/24"},
		{"10.1.1.1:9", "203.0.113.5, 198.51.100.1, 10.2.2.2", ours, "198.51.100.0/24"},
		{"10.1.1.1:9", "nonsense", ours, "10.1.1.0/24"},
		{"10.1.1.1:9", "", ours, "10.1.1.0/24"},
		{"[2001:db8:1:2::3]:9", "", nil, "2001:db8:1::/48"},
		{"[::ffff:192.0.2.77]:9", "", nil, "192.0.2.0/24"},
		{"", "", nil, ""},
	} {
		var got string
		h := Proxied(c.proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Network(r) }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s with %q is of %q, want %q", c.remote, c.header, got, c.want)
		}
	}
}

func TestABrowserIsKnownByItsFamilyAlone(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                        "Firefox, Linux",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15":         "Safari, macOS",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0": "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                  "Chrome, Android",
		"curl/8.5.0": "",
		"<script>":   "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := Browser(r); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

func TestAddressesThatAreNoTextAreRefused(t *testing.T) {
	t.Parallel()
	h := Bounded(slog.New(slog.DiscardHandler), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for target, want := range map[string]int{"/items/%00": 400, "/items/%ff": 400, "/items?q=%00": 400, "/items?q=%ff": 400, "/items?q=%zz": 400, "/items/%C3%BC?q=%C3%BC+a": 204} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}
