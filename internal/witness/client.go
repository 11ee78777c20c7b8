package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert/tlog"
)

const (
	askTerm   = 10 * time.Second
	answerMax = 64 << 10
)

// Client asks one witness for cosignatures.
type Client struct {
	URL      string // submission prefix, without a slash at the end
	verifier *tlog.CosignatureVerifier
	http     *http.Client
}

// NewClient reads how an operator names a witness: its address, a space, its
// public key.
func NewClient(text string) (*Client, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return nil, fmt.Errorf("witness %.200q: write its address, a space and its key, as its page shows it: 'https://witness.example NAME+ID+KEY'", text)
	}
	u, err := url.Parse(fields[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("witness %.200q: its address begins with https:// and holds no question mark", fields[0])
	}
	v, err := Key(fields[1])
	if err != nil {
		return nil, err
	}
	hc := &http.Client{Timeout: askTerm, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Client{strings.TrimRight(fields[0], "/"), v, hc}, nil
}

// Key reads a witness's public key; one of another kind is refused.
func Key(vkey string) (*tlog.CosignatureVerifier, error) {
	v, err := tlog.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	w, ok := v.(*tlog.CosignatureVerifier)
	if !ok {
		return nil, fmt.Errorf("witness %s: this is the key of a log; that of a witness was printed by: concert witness init", v.Name())
	}
	return w, nil
}

// Name is the witness's name.
func (c *Client) Name() string { return c.verifier.Name() }

// Key is the witness's public key.
func (c *Client) Key() string { return c.verifier.String() }

// Add asks the witness to cosign. It returns its signature line, checked, and the
// time in it. A [*tlog.WitnessRefusal] is what the witness answered; any other
// error says that it gave no answer of the protocol.
func (c *Client) Add(ctx context.Context, a tlog.AddCheckpoint) (line string, at time.Time, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/add-checkpoint", bytes.NewReader(a.Marshal()))
	if err != nil {
		return "", at, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	res, err := c.http.Do(req)
	if err != nil {
		return "", at, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, answerMax))
	if err != nil {
		return "", at, err
	}
	switch res.StatusCode {
	case http.StatusOK:
		line, by, err := tlog.ReadCosignatures(a.Checkpoint, body, note.VerifierList(c.verifier))
		if err != nil {
			return "", at, err
		}
		return line, by[0].Time, nil
	case http.StatusConflict:
		size, err := strconv.ParseInt(strings.TrimSuffix(string(body), "\n"), 10, 64)
		if err != nil || size < 0 || size > tlog.MaxSize || !strings.HasPrefix(res.Header.Get("Content-Type"), tlog.WitnessSizeType) {
			return "", at, fmt.Errorf("the witness answered 409 without a size: %.80q", body)
		}
		return "", at, &tlog.WitnessRefusal{Status: res.StatusCode, Size: size}
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity:
		return "", at, &tlog.WitnessRefusal{Status: res.StatusCode, Err: errors.New("the witness answered " + res.Status)}
	}
	return "", at, fmt.Errorf("the witness answered %s", res.Status)
}
