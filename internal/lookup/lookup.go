// Package lookup asks the outside whether a location still shows what it
// showed. It is our own observation, kept apart from what a provider claims
// (G29), with time and vantage.
//
// The invariant: never a false down. Down takes proof: the server's own 404 or
// 410 that nothing in the answer contradicts, a domain that no longer exists,
// or a marker that only the platform itself can have written. Walls,
// challenges, errors, time-outs and pages that merely say "removed" are
// Unknown, which is a value and goes to a person. The questions are passive:
// GET without cookies, at addresses that the guard lets pass.
package lookup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"concert/internal/netguard"
)

const (
	defaultTimeout = 20 * time.Second
	defaultMaxBody = 512 << 10
	maxRedirects   = 5
	maxURL         = 8192
	maxHeader      = 64 << 10
)

// Options set up a Client. The zero value is usable and reaches public
// addresses only.
type Options struct {
	Guard           netguard.Guard
	Resolver        *net.Resolver    // Go's own if nil
	UserAgent       string           // "concert" if empty
	AcceptLanguage  string           // "en" if empty
	Timeout         time.Duration    // for a whole check with its redirects; 20 s if 0
	MaxBody         int              // bytes read of one answer, after decompression; 512 KiB if 0
	Vantage         string           // where this machine looks from, such as "AT, AS1853"; written into each observation
	MaxConnsPerHost int              // 4 if 0
	Now             func() time.Time // time.Now if nil
}

// Request is one location to look at. Title and Marks are what the capture
// showed: the page's own title, a brand's name, a line of text. The closer they
// are to the page's words, the more answers can be told apart; those shorter
// than 6 characters are not used.
type Request struct {
	URL          string
	Title        string
	Marks        []string
	ExpectSHA256 string // hex digest of the bytes once captured at this very URL; "" if none
}

// Observation is what we saw.
type Observation struct {
	State      State
	Reason     Reason
	Sentence   string // the reason for people
	At         time.Time
	Vantage    string
	Status     int    // HTTP status of the last answer, 0 if there was none
	FinalURL   string // after redirects; as personal as the location itself
	Hops       int    // redirects followed
	BodySHA256 string // hex digest of the bytes read, "" if none
	Bytes      int    // bytes read
	Truncated  bool   // the answer was longer
	Elapsed    time.Duration
	Evidence   string // one line without URLs: status line, remote address, digest, what decided
}

// Client checks locations over pooled connections. It may be used by many
// goroutines.
type Client struct {
	opt       Options
	transport *http.Transport
	resolver  *net.Resolver
	buffers   sync.Pool // of *bytes.Buffer
}

// New returns a client. Close it at the end.
func New(opt Options) *Client {
	if opt.UserAgent == "" {
		opt.UserAgent = "concert"
	}
	if opt.AcceptLanguage == "" {
		opt.AcceptLanguage = "en"
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.MaxBody <= 0 {
		opt.MaxBody = defaultMaxBody
	}
	if opt.MaxConnsPerHost <= 0 {
		opt.MaxConnsPerHost = 4
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Resolver == nil {
		opt.Resolver = &net.Resolver{PreferGo: true}
	}
	return &Client{
		opt:      opt,
		resolver: opt.Resolver,
		transport: &http.Transport{
			// No proxy from the environment: it would dial for us, behind the
			// guard, and from another vantage.
			Proxy:                  nil,
			DialContext:            opt.Guard.Dialer(opt.Timeout, opt.Resolver),
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           512,
			MaxIdleConnsPerHost:    opt.MaxConnsPerHost,
			MaxConnsPerHost:        opt.MaxConnsPerHost,
			IdleConnTimeout:        60 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
		},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

// Close drops idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Check looks once. It always observes something: what went wrong is in the
// reason, with State Unknown.
func (c *Client) Check(ctx context.Context, r Request) Observation {
	started := c.opt.Now()
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	buf := c.buffers.Get().(*bytes.Buffer)
	defer func() {
		buf.Reset()
		c.buffers.Put(buf)
	}()
	f := fetch{client: c, buf: buf}
	f.resp = Response{Requested: r.URL, Final: r.URL, Title: r.Title, Marks: r.Marks, ExpectSHA256: r.ExpectSHA256}
	f.run(ctx)
	v := Classify(&f.resp)
	o := Observation{
		State: v.State, Reason: v.Reason, Sentence: v.Reason.Sentence(),
		At: c.opt.Now(), Vantage: c.opt.Vantage, Status: f.resp.Status, FinalURL: f.resp.Final,
		Hops: f.resp.Hops, BodySHA256: f.resp.SHA256, Bytes: len(f.resp.Body), Truncated: f.resp.Truncated,
	}
	o.Elapsed = o.At.Sub(started)
	o.Evidence = f.evidence(v, o.Elapsed)
	return o
}

// fetch is the state of one check.
type fetch struct {
	client *Client
	buf    *bytes.Buffer
	resp   Response
	proto  string
	status string // status line
	remote string
	cause  string // of a failure, without URLs
}

func (f *fetch) run(ctx context.Context) {
	target, ok := parseTarget(f.resp.Requested)
	if !ok {
		f.resp.Failure = FailBadURL
		return
	}
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { f.remote = i.Conn.RemoteAddr().String() }}
	ctx = httptrace.WithClientTrace(ctx, trace)
	for {
		next, err := f.hop(ctx, target)
		if err != nil {
			f.fail(ctx, err, target)
			return
		}
		if next == nil {
			return
		}
		if f.resp.Hops == maxRedirects {
			f.resp.Failure = FailRedirects
			return
		}
		f.resp.Hops++
		f.resp.Final = next.String()
		if _, ok := parseTarget(f.resp.Final); !ok {
			f.resp.Failure = FailBadRedirect
			return
		}
		target = next
	}
}

// parseTarget takes http and https URLs without credentials.
func parseTarget(s string) (*url.URL, bool) {
	if len(s) > maxURL {
		return nil, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, false
	}
	return u, true
}

// hop asks one URL. It returns where the answer redirects to, or nil if it is
// the answer.
func (f *fetch) hop(ctx context.Context, u *url.URL) (*url.URL, error) {
	o := &f.client.opt
	req := (&http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"User-Agent":      {o.UserAgent},
			"Accept":          {"text/html,application/xhtml+xml,*/*;q=0.8"},
			"Accept-Language": {o.AcceptLanguage},
		},
	}).WithContext(ctx)
	resp, err := f.client.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	f.proto, f.status = resp.Proto, resp.Status
	f.resp.Status, f.resp.Header = resp.StatusCode, resp.Header
	switch resp.StatusCode {
	case 301, 302, 303, 307, 308:
		location := resp.Header.Get("Location")
		if location == "" {
			break
		}
		// A short body is read so that the connection can be used again.
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
		next, err := u.Parse(location)
		if err != nil || len(location) > maxURL {
			f.resp.Failure = FailBadRedirect
			return nil, nil
		}
		return next, nil
	}
	f.buf.Reset()
	n, err := io.Copy(f.buf, io.LimitReader(resp.Body, int64(o.MaxBody)+1))
	if n > int64(o.MaxBody) {
		f.resp.Truncated = true
		f.buf.Truncate(o.MaxBody)
	}
	f.resp.Body = f.buf.Bytes()
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	sum := sha256.Sum256(f.resp.Body)
	f.resp.SHA256 = hex.EncodeToString(sum[:])
	return nil, nil
}

// fail names the kind of an error. Whatever is not known for certain stays a
// plain connection failure.
func (f *fetch) fail(ctx context.Context, err error, u *url.URL) {
	f.cause = strings.ReplaceAll(err.Error(), u.Hostname(), "(host)")
	dns, isDNS := errors.AsType[*net.DNSError](err)
	_, refused := errors.AsType[*netguard.RefusedError](err)
	_, isAddr := errors.AsType[*net.AddrError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	timeout := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		timeout = true
	}
	switch {
	case refused:
		f.resp.Failure = FailAddress
	case isDNS && dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary:
		f.resp.Failure = FailNameMissing
		if f.client.domainGone(ctx, u.Hostname()) {
			f.resp.Failure = FailDomainGone
		}
	case isDNS:
		f.resp.Failure = FailDNS
	case isAddr:
		// How Go answers for onion names, without asking anyone.
		f.resp.Failure = FailNameMissing
	case timeout:
		f.resp.Failure = FailTimeout
	case isTLS(err), isOp && (op.Op == "remote error" || op.Op == "local error"):
		f.resp.Failure = FailTLS
	case isOp && op.Op == "dial":
		f.resp.Failure = FailConnect
	default:
		f.resp.Failure = FailProtocol
	}
}

// domainGone asks a second question before a name counts as gone: a missing
// address may be a fault inside a living zone (or a name with other records
// only), and then the registered domain still has its name servers. Names
// outside the public DNS (onion, eth, a local network's) are never gone.
func (c *Client) domainGone(ctx context.Context, host string) bool {
	domain, ok := registered(strings.TrimSuffix(strings.ToLower(host), "."))
	if !ok {
		return false
	}
	_, err := c.resolver.LookupNS(ctx, domain+".")
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary
}

// registered returns the domain directly under a public suffix of the list's
// ICANN section. The private section (platforms that give out subdomains) is
// passed over: those subdomains have no name servers while they live.
func registered(host string) (string, bool) {
	if _, err := netip.ParseAddr(host); err == nil {
		return "", false
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	for !icann {
		var more bool
		if _, suffix, more = strings.Cut(suffix, "."); !more {
			return "", false
		}
		suffix, icann = publicsuffix.PublicSuffix(suffix)
	}
	label, found := strings.CutSuffix(host, "."+suffix)
	// The list carries onion beside real suffixes; no public name server may
	// answer for it (RFC 7686).
	if !found || label == "" || suffix == "onion" {
		return "", false
	}
	return label[strings.LastIndexByte(label, '.')+1:] + "." + suffix, true
}

func (f *fetch) evidence(v Verdict, elapsed time.Duration) string {
	b := make([]byte, 0, 256)
	if f.resp.Status != 0 {
		b = append(b, f.proto...)
		b = append(b, ' ')
		b = strconv.AppendQuote(b, clip(f.status, 80))
	} else {
		b = append(b, "no answer"...)
	}
	if f.remote != "" {
		b = append(b, "; remote "...)
		b = append(b, f.remote...)
	}
	if f.cause != "" {
		b = append(b, "; "...)
		b = strconv.AppendQuote(b, clip(f.cause, 200))
	}
	if f.resp.SHA256 != "" {
		b = append(b, "; body "...)
		b = strconv.AppendInt(b, int64(len(f.resp.Body)), 10)
		b = append(b, " bytes sha256 "...)
		b = append(b, f.resp.SHA256...)
	}
	if f.resp.Hops > 0 {
		b = append(b, "; redirects "...)
		b = strconv.AppendInt(b, int64(f.resp.Hops), 10)
	}
	if v.Detail != "" {
		b = append(b, "; decided by "...)
		b = append(b, v.Detail...)
	}
	b = append(b, "; "...)
	return string(append(b, elapsed.Round(time.Microsecond).String()...))
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
