package dispatch

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
	"net/url"
	"strconv"
	"time"

	"concert/internal/netguard"
)

const (
	defaultTimeout  = 15 * time.Second // the standard asks for 15 to 30 s
	maxAnswer       = 64 << 10
	maxAnswerHeader = 32 << 10
)

// WebhookOptions set up a Webhook. The zero value is usable and reaches public
// addresses only.
type WebhookOptions struct {
	Guard           netguard.Guard
	Timeout         time.Duration // for a whole attempt; 15 s if 0
	UserAgent       string
	MaxConnsPerHost int // 0: 8
	Resolver        *net.Resolver
	Header          http.Header      // added to each request, such as an exercise mark
	Now             func() time.Time // time.Now if nil
}

// Webhook sends messages as Standard Webhooks 1.0 over pooled connections.
type Webhook struct {
	client *http.Client
	opt    WebhookOptions
}

// NewWebhook returns a channel over HTTP and HTTPS.
func NewWebhook(opt WebhookOptions) *Webhook {
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.MaxConnsPerHost <= 0 {
		opt.MaxConnsPerHost = 8
	}
	if opt.UserAgent == "" {
		opt.UserAgent = "concert"
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	transport := &http.Transport{
		// No proxy from the environment: it would dial for us, behind the guard.
		Proxy:                  nil,
		DialContext:            opt.Guard.Dialer(opt.Timeout, opt.Resolver),
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    opt.MaxConnsPerHost,
		MaxConnsPerHost:        opt.MaxConnsPerHost,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true,
	}
	return &Webhook{opt: opt, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close drops idle connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// Send posts the message once. It follows no redirect and reads at most 64 KiB
// of the answer.
func (w *Webhook) Send(ctx context.Context, m Message) Receipt {
	started := w.opt.Now()
	if m.Timestamp.IsZero() {
		m.Timestamp = started
	}
	var remote string
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { remote = c.Conn.RemoteAddr().String() }}
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, trace), w.opt.Timeout)
	defer cancel()
	req, err := w.request(ctx, &m)
	if err != nil {
		return w.failed(started, Invalid, "", err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return w.failed(started, outcomeOfError(err), remote, fmt.Errorf("send webhook: %w", plainError(err)))
	}
	defer resp.Body.Close()
	digest := sha256.New()
	size, readErr := io.Copy(digest, io.LimitReader(resp.Body, maxAnswer))
	at := w.opt.Now()
	r := Receipt{Status: resp.StatusCode, At: at, Elapsed: at.Sub(started), Outcome: OutcomeOf(resp.StatusCode)}
	r.RetryAfter = ParseRetryAfter(resp.Header.Get("Retry-After"), at)
	cut := ""
	switch {
	case readErr != nil:
		cut = " (answer cut short)"
	case size == maxAnswer:
		cut = " (read no further)"
	}
	r.Evidence = fmt.Sprintf("%s %s; remote %s; answer %d bytes%s sha256 %s; %s",
		resp.Proto, strconv.Quote(limitText(resp.Status, 80)), remote, size, cut, hex.EncodeToString(digest.Sum(nil)), r.Elapsed.Round(time.Microsecond))
	// The status line has arrived, so the receiver has decided: a broken body
	// after 2xx is an acceptance all the same.
	if r.Outcome == Accepted {
		r.AcceptedAt = at
		return r
	}
	r.Err = fmt.Errorf("send webhook: endpoint answered %d (%s)", r.Status, r.Outcome)
	return r
}

func (w *Webhook) request(ctx context.Context, m *Message) (*http.Request, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	u, err := url.Parse(m.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		// The URL itself stays out of the error: its query may hold a secret.
		return nil, fmt.Errorf("%w: the endpoint is no http or https URL without credentials", ErrMessage)
	}
	sig, err := Sign(m.ID, m.Timestamp, m.Body, m.Keys)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return nil, fmt.Errorf("%w: the endpoint is no usable URL", ErrMessage)
	}
	for name, values := range w.opt.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", m.contentType())
	req.Header.Set("User-Agent", w.opt.UserAgent)
	req.Header.Set(HeaderID, m.ID)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(m.Timestamp.Unix(), 10))
	req.Header.Set(HeaderSignature, sig)
	return req, nil
}

func (w *Webhook) failed(started time.Time, o Outcome, remote string, err error) Receipt {
	at := w.opt.Now()
	r := Receipt{At: at, Elapsed: at.Sub(started), Outcome: o, Err: err}
	where := ""
	if remote != "" {
		where = "; remote " + remote
	}
	r.Evidence = fmt.Sprintf("no answer: %s%s; %s", limitText(err.Error(), 300), where, r.Elapsed.Round(time.Microsecond))
	return r
}

func outcomeOfError(err error) Outcome {
	if _, ok := errors.AsType[*netguard.RefusedError](err); ok {
		return Blocked
	}
	return Retry
}

// plainError drops the URL that *url.Error carries.
func plainError(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// OutcomeOf classes an HTTP status by Standard Webhooks 1.0.
func OutcomeOf(status int) Outcome {
	switch {
	case status >= 200 && status < 300:
		return Accepted
	case status >= 300 && status < 400:
		return Redirect
	case status == http.StatusGone:
		return Gone
	case status == http.StatusTooManyRequests, status == http.StatusBadGateway,
		status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return SlowDown
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status < 200, status >= 500:
		return Retry
	}
	return Refused
}

func limitText(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}
