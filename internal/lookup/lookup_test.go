package lookup

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"concert/internal/netguard"
)

func client(t testing.TB, opt Options) *Client {
	t.Helper()
	if opt.Resolver == nil {
		opt.Guard = netguard.Only(netguard.Loopback()...)
	}
	c := New(opt)
	t.Cleanup(c.Close)
	return c
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

const exercisePage = `<!doctype html><title>EXERCISE item number %s</title><video src="/v.mp4"></video><p>An invented page with words enough to be one, for an exercise.</p>`

func TestG29ObservationCarriesTimeVantageAndEvidence(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			http.NotFound(w, r)
			return
		}
		if r.UserAgent() != "concert-exercise" || r.Header.Get("Cookie") != "" || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		fmt.Fprintf(w, exercisePage, "7")
	})
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := client(t, Options{Vantage: "EXERCISE, loopback", UserAgent: "concert-exercise", Now: func() time.Time { return now }})
	o := c.Check(t.Context(), Request{URL: s.URL + "/7", Title: "EXERCISE item number 7"})
	sum := sha256.Sum256(fmt.Appendf(nil, exercisePage, "7"))
	if o.State != Up || o.Reason != ContentMatches || o.Status != 200 || !o.At.Equal(now) || o.Vantage != "EXERCISE, loopback" ||
		o.BodySHA256 != hex.EncodeToString(sum[:]) || o.FinalURL != s.URL+"/7" || o.Sentence == "" {
		t.Errorf("%+v", o)
	}
	for _, part := range []string{`HTTP/1.1 "200 OK"`, "remote " + s.Listener.Addr().String(), o.BodySHA256, "decided by title or mark"} {
		if !strings.Contains(o.Evidence, part) {
			t.Errorf("evidence %q lacks %q", o.Evidence, part)
		}
	}
	o = c.Check(t.Context(), Request{URL: s.URL + "/gone"})
	if o.State != Down || o.Reason != NotFound || o.At.IsZero() || o.Vantage == "" {
		t.Errorf("%+v", o)
	}
	if strings.Contains(o.Evidence, "/gone") {
		t.Errorf("evidence %q carries the location", o.Evidence)
	}
	body := fmt.Sprintf(exercisePage, "7")
	sum = sha256.Sum256([]byte(body))
	if o := c.Check(t.Context(), Request{URL: s.URL + "/7", ExpectSHA256: strings.ToUpper(hex.EncodeToString(sum[:]))}); o.Reason != SameBytes {
		t.Errorf("same bytes: %+v", o)
	}
}

func TestG29RedirectsAreFollowedByHandAndBounded(t *testing.T) {
	t.Parallel()
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, exercisePage, "other") })
	var hits atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		to := map[string]string{
			"/one": "page", "/loop": "/loop", "/private": "http://10.0.0.1/", "/metadata": "http://169.254.169.254/", "/file": "file:///etc/passwd",
			"/js": "javascript:alert(1)", "/creds": "http://u:p@127.0.0.1/", "/bad": "http://[", "/home": "/", "/login": "/login/x", "/other": other.URL + "/x",
			"/to404": "/nothing", "/dead": "http://127.0.0.1:1/",
		}[r.URL.Path]
		switch {
		case to != "":
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusMovedPermanently)
		case r.URL.Path == "/nothing":
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, exercisePage, r.URL.Path)
		}
	})
	c := client(t, Options{})
	for path, want := range map[string]Verdict{
		"/one": {State: Up, Reason: ContentServed}, "/loop": {State: Unknown, Reason: TooManyHops}, "/private": {State: Unknown, Reason: AddressRefused},
		"/metadata": {State: Unknown, Reason: AddressRefused}, "/file": {State: Unknown, Reason: RedirectBroken}, "/js": {State: Unknown, Reason: RedirectBroken},
		"/creds": {State: Unknown, Reason: RedirectBroken}, "/bad": {State: Unknown, Reason: RedirectBroken}, "/home": {State: Unknown, Reason: RedirectedHome},
		"/login": {State: Up, Reason: ContentServed}, "/other": {State: Unknown, Reason: MovedElsewhere}, "/to404": {State: Down, Reason: NotFound},
		"/dead": {State: Unknown, Reason: RedirectBroken}, "/nowhere": {State: Unknown, Reason: OddStatus},
	} {
		hits.Store(0)
		o := c.Check(t.Context(), Request{URL: s.URL + path})
		if o.State != want.State || o.Reason != want.Reason {
			t.Errorf("%s: %s %s, %s; want %s %s", path, o.State, o.Reason, o.Evidence, want.State, want.Reason)
		}
		if hits.Load() > maxRedirects+1 {
			t.Errorf("%s: %d requests", path, hits.Load())
		}
	}
	if o := c.Check(t.Context(), Request{URL: s.URL + "/other", Title: "EXERCISE item number other"}); o.State != Up || o.FinalURL != other.URL+"/x" {
		t.Errorf("moved with its content: %+v", o)
	}
}

func TestGuardHoldsAtEveryHop(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	inner := serve(t, func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	port := inner.Listener.Addr().(*net.TCPAddr).Port
	outer, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("this machine has only one loopback address: %v", err)
	}
	s := &httptest.Server{Listener: outer, Config: &http.Server{Handler: http.RedirectHandler(fmt.Sprintf("http://127.0.0.1:%d/", port), http.StatusFound)}}
	s.Start()
	t.Cleanup(s.Close)
	c := New(Options{Guard: netguard.Public(netip.MustParsePrefix("127.0.0.2/32"))})
	t.Cleanup(c.Close)
	if o := c.Check(t.Context(), Request{URL: s.URL}); o.Reason != AddressRefused || o.Hops != 1 {
		t.Errorf("%+v", o)
	}
	if o := c.Check(t.Context(), Request{URL: inner.URL}); o.Reason != AddressRefused {
		t.Errorf("%+v", o)
	}
	if hits.Load() != 0 {
		t.Errorf("%d requests reached the inner server", hits.Load())
	}
}

func TestBadLocationsAreNeverAsked(t *testing.T) {
	t.Parallel()
	c := client(t, Options{})
	for _, u := range []string{"", "javascript:alert(1)", "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "http://user@127.0.0.1/", "http://127.0.0.1/\x00", "//127.0.0.1/", "tg://resolve?domain=x", "http://127.0.0.1/" + strings.Repeat("a", maxURL)} {
		if o := c.Check(t.Context(), Request{URL: u}); o.State != Unknown || o.Reason != BadLocation {
			t.Errorf("%.40q: %+v", u, o)
		}
	}
}

func TestG29FaultsOnTheWayAreUnknown(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		raw := func(text string) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			io.WriteString(conn, text)
			conn.Close()
		}
		switch r.URL.Path {
		case "/silent":
			<-release
		case "/stall":
			w.WriteHeader(http.StatusNotFound)
			_ = http.NewResponseController(w).Flush()
			<-release
		case "/reset":
			raw("")
		case "/nonsense":
			raw("SSH-2.0-EXERCISE\r\n\r\n")
		case "/cut404":
			raw("HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nNot")
		case "/header":
			raw("HTTP/1.1 404 Not Found\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n")
		}
	})
	t.Cleanup(func() { close(release) })
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(encrypted.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	c := client(t, Options{Timeout: time.Second})
	for u, want := range map[string]Reason{
		s.URL + "/silent": TimedOut, s.URL + "/stall": TimedOut, s.URL + "/reset": AnswerBroken, s.URL + "/nonsense": AnswerBroken,
		s.URL + "/cut404": AnswerBroken, s.URL + "/header": AnswerBroken, encrypted.URL: TLSFailed, closed.URL: ConnectFailed,
		strings.Replace(s.URL, "http:", "https:", 1): TLSFailed,
	} {
		if o := c.Check(t.Context(), Request{URL: u}); o.State != Unknown || o.Reason != want {
			t.Errorf("%s: %s %s, want unknown %s; %s", u, o.State, o.Reason, want, o.Evidence)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := c.Check(ctx, Request{URL: s.URL + "/silent"}); o.State != Unknown || o.Reason != TimedOut {
		t.Errorf("cancelled: %+v", o)
	}
}

func TestBodiesAreBoundedAlsoWhenCompressed(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte("EXERCISE "), 1<<19))
	_ = z.Close()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if r.URL.Path == "/bomb" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
			return
		}
		for r.Context().Err() == nil {
			if _, err := w.Write(bytes.Repeat([]byte("EXERCISE "), 1000)); err != nil {
				return
			}
		}
	})
	c := client(t, Options{MaxBody: 64 << 10})
	for _, path := range []string{"/bomb", "/endless"} {
		o := c.Check(t.Context(), Request{URL: s.URL + path})
		if o.State != Up || !o.Truncated || o.Bytes != 64<<10 {
			t.Errorf("%s: %+v", path, o)
		}
	}
}

// nameServer is a small real DNS server on loopback. Answers: an address for
// names with one, name servers for zones, "missing" (NXDOMAIN), "empty"
// (NODATA), "failure" (SERVFAIL); no entry is no answer at all.
func nameServer(t *testing.T, records map[string]string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			if reply := answerDNS(&q, records); reply != nil {
				_, _ = pc.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func answerDNS(q *dnsmessage.Message, records map[string]string) []byte {
	question := q.Questions[0]
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true, RecursionAvailable: true}, Questions: q.Questions}
	head := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1}
	name := strings.TrimSuffix(question.Name.String(), ".")
	switch v := records[name]; {
	case v == "":
		return nil
	case v == "missing":
		m.RCode = dnsmessage.RCodeNameError
	case v == "failure":
		m.RCode = dnsmessage.RCodeServerFailure
	case v == "empty":
	case v == "zone":
		if question.Type == dnsmessage.TypeNS {
			m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.NSResource{NS: dnsmessage.MustNewName("ns.example.net.")}}}
		}
	case question.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: netip.MustParseAddr(v).As4()}}}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func TestG29OnlyAVanishedDomainIsDownByName(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, exercisePage, "7") })
	port := s.Listener.Addr().(*net.TCPAddr).Port
	r := nameServer(t, map[string]string{
		"live.exercise-a.com":     "127.0.0.1",
		"gone.exercise-b.com":     "missing",
		"exercise-b.com":          "missing",
		"sub.exercise-c.com":      "missing",
		"exercise-c.com":          "zone",
		"mail-only.exercise-d.de": "empty",
		"exercise-d.de":           "zone",
		"broken.exercise-e.com":   "failure",
		"half.exercise-f.com":     "missing",
		"exercise-f.com":          "failure",
		"someone.github.io":       "missing",
		"github.io":               "zone",
		"exerciseexercise.onion":  "missing",
		"internal.exercise-g.com": "10.0.0.7",
		"twice.exercise-h.com":    "192.168.0.1",
	})
	c := client(t, Options{Guard: netguard.Only(netguard.Loopback()...), Resolver: r, Timeout: 3 * time.Second})
	for host, want := range map[string]Verdict{
		"live.exercise-a.com":     {State: Up, Reason: ContentServed},
		"gone.exercise-b.com":     {State: Down, Reason: HostGone},
		"sub.exercise-c.com":      {State: Unknown, Reason: NameUnresolved},
		"mail-only.exercise-d.de": {State: Unknown, Reason: NameUnresolved},
		"broken.exercise-e.com":   {State: Unknown, Reason: DNSFailed},
		"half.exercise-f.com":     {State: Unknown, Reason: NameUnresolved},
		"someone.github.io":       {State: Unknown, Reason: NameUnresolved},
		"exerciseexercise.onion":  {State: Unknown, Reason: NameUnresolved},
		"internal.exercise-g.com": {State: Unknown, Reason: AddressRefused},
		"twice.exercise-h.com":    {State: Unknown, Reason: AddressRefused},
	} {
		o := c.Check(t.Context(), Request{URL: fmt.Sprintf("http://%s:%d/7", host, port)})
		if o.State != want.State || o.Reason != want.Reason {
			t.Errorf("%s: %s %s, want %s %s; %s", host, o.State, o.Reason, want.State, want.Reason, o.Evidence)
		}
		if strings.Contains(o.Evidence, host) {
			t.Errorf("evidence %q carries the host", o.Evidence)
		}
	}
	mute := New(Options{Guard: netguard.Only(netguard.Loopback()...), Resolver: r, Timeout: 300 * time.Millisecond})
	t.Cleanup(mute.Close)
	if o := mute.Check(t.Context(), Request{URL: "http://silent.exercise-i.com/"}); o.State != Unknown || o.Reason != DNSFailed && o.Reason != TimedOut {
		t.Errorf("no answer from DNS: %+v", o)
	}
}

// The day's work of an action: 26,000 checks over nine hosts.
func BenchmarkCheck26000(b *testing.B) {
	h := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path[len(r.URL.Path)-1] {
		case '0', '1', '2', '3', '4', '5':
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, exercisePage, r.URL.Path)
		}
	}
	var hosts []string
	for range 9 {
		hosts = append(hosts, serve(b, h).URL)
	}
	c := client(b, Options{MaxConnsPerHost: 8})
	for b.Loop() {
		var wg sync.WaitGroup
		var next, down, up atomic.Int64
		for range 32 {
			wg.Go(func() {
				for i := next.Add(1); i <= 26000; i = next.Add(1) {
					switch o := c.Check(b.Context(), Request{URL: fmt.Sprintf("%s/item/%d", hosts[i%9], i), Title: "EXERCISE item number"}); o.State {
					case Down:
						down.Add(1)
					case Up:
						up.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if down.Load() != 15600 || up.Load() != 10400 {
			b.Fatalf("%d down, %d up", down.Load(), up.Load())
		}
	}
	b.ReportMetric(26000*float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}

// Whatever hop leads inside, and however the address is written, nothing inside
// is asked.
func TestG29RedirectsInsideAreRefusedAtEveryHop(t *testing.T) {
	t.Parallel()
	var inside atomic.Int32
	inner := serve(t, func(http.ResponseWriter, *http.Request) { inside.Add(1) })
	port := inner.Listener.Addr().(*net.TCPAddr).Port
	outer, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("this machine has only one loopback address: %v", err)
	}
	targets := []string{
		fmt.Sprintf("http://127.0.0.1:%d/", port), fmt.Sprintf("http://localhost:%d/", port), fmt.Sprintf("http://[::1]:%d/", port),
		fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/", port), fmt.Sprintf("http://0.0.0.0:%d/", port), fmt.Sprintf("http://2130706433:%d/", port), fmt.Sprintf("http://0x7f.1:%d/", port),
		"http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data/", "http://168.63.129.16/",
		"http://[fe80::1]/", "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
	}
	s := &httptest.Server{Listener: outer, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var left, target int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d/%d", &left, &target) // only our own paths are asked for
		to := targets[target]
		if left > 1 {
			to = fmt.Sprintf("/%d/%d", left-1, target)
		}
		http.Redirect(w, r, to, http.StatusFound)
	})}}
	s.Start()
	t.Cleanup(s.Close)
	c := New(Options{Guard: netguard.Public(netip.MustParsePrefix("127.0.0.2/32")), Timeout: 5 * time.Second})
	t.Cleanup(c.Close)
	for i, target := range targets {
		for hop := 1; hop <= maxRedirects; hop++ {
			o := c.Check(t.Context(), Request{URL: fmt.Sprintf("%s/%d/%d", s.URL, hop, i)})
			if o.State != Unknown || o.Hops != hop || o.Reason != AddressRefused && o.Reason != RedirectBroken {
				t.Errorf("%s behind hop %d: %s %s after %d hops; %s", target, hop, o.State, o.Reason, o.Hops, o.Evidence)
			}
		}
	}
	if n := inside.Load(); n != 0 {
		t.Errorf("%d requests came inside", n)
	}
}

// A server that gives a byte at a time holds a look no longer than its time.
func TestG29SlowAnswersAreBoundedInTime(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if r.URL.Path == "/hop" {
			_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: /body\r\nContent-Length: 5000\r\n\r\n") // the client may be gone
		}
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n") // the client may be gone
		}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		text := "HTTP/1.1 404 Not Found\r\nX-Exercise: " + strings.Repeat("x", 5000)
		for i := range text {
			<-tick.C
			if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
				return
			}
		}
	})
	c := client(t, Options{Timeout: 700 * time.Millisecond})
	for _, path := range []string{"/header", "/body", "/hop"} {
		o := c.Check(t.Context(), Request{URL: s.URL + path})
		if o.State != Unknown || o.Reason != TimedOut && o.Reason != RedirectBroken || o.Elapsed > 5*time.Second {
			t.Errorf("%s: %s %s after %s; %s", path, o.State, o.Reason, o.Elapsed, o.Evidence)
		}
	}
}

// A quarter of a gigabyte in a few hundred kilobytes costs the bound and no more.
func TestG29DecompressionBombsCostTheBound(t *testing.T) {
	var bomb bytes.Buffer
	z, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zeros := bytes.Repeat([]byte("<p>0"), 1<<18)
	for range 256 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/404" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(bomb.Bytes()) // the client hangs up
	})
	c := client(t, Options{})
	c.Check(t.Context(), Request{URL: s.URL}) // buffers are there now
	for _, path := range []string{"/", "/404"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		o := c.Check(t.Context(), Request{URL: s.URL + path})
		runtime.ReadMemStats(&after)
		if !o.Truncated || o.Bytes != defaultMaxBody {
			t.Errorf("%s: %d bytes read, truncated %v; %s", path, o.Bytes, o.Truncated, o.Evidence)
		}
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 16<<20 {
			t.Errorf("%s: %d MiB allocated", path, spent>>20)
		}
	}
}
