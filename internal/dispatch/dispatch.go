// Package dispatch holds the ways out of the house: one file a channel. A
// channel takes a finished message to one endpoint, once, and says what
// happened; it neither decides whether something may leave (casework does,
// with two people) nor when to try again (NextAttempt, Window and Capacity are
// pure functions for the caller to ask).
//
// The invariant: a Receipt is evidence of what was observed, and only an
// answer of class 2xx, or a file that survives power loss, is an acceptance.
// Transport keys sign the message; the author's signature is inside the body
// and not this package's business (G09).
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxPayload is the largest body in bytes (Standard Webhooks 1.0 recommends
// less than 20 kB).
const MaxPayload = 20_000

// Message is what leaves, once, to one endpoint.
type Message struct {
	ID          string       // webhook-id: stays the same over all attempts, the receiver's key against doubles
	URL         string       // endpoint, http or https; not used by FileDrop
	Body        []byte       // at most MaxPayload bytes
	ContentType string       // application/json if empty
	Keys        []SigningKey // at least one; several while keys rotate
	Timestamp   time.Time    // wall time of this attempt, never case time; now if zero
}

// Outcome classes a receipt.
type Outcome string

// The outcomes.
const (
	Accepted Outcome = "accepted"  // 2xx, or the file is durable
	Retry    Outcome = "retry"     // no answer, 408, 425, 5xx: try again
	SlowDown Outcome = "slow_down" // 429, 502, 503, 504: try again and send less
	Gone     Outcome = "gone"      // 410: the endpoint is to be disabled
	Refused  Outcome = "refused"   // other 4xx: misconfigured on one side, tried again by schedule
	Redirect Outcome = "redirect"  // 3xx: never followed, a failure in the standard
	Blocked  Outcome = "blocked"   // the address guard refused the endpoint; nothing was sent
	Invalid  Outcome = "invalid"   // the message itself can never be sent; nothing was sent
	Bounced  Outcome = "bounced"   // the relay says for good that the recipient does not exist or takes nothing
)

// Receipt is the evidence of one attempt.
type Receipt struct {
	Status     int           // HTTP status, 0 if there was none
	At         time.Time     // when the attempt ended, wall time
	AcceptedAt time.Time     // At if Outcome is Accepted, else zero
	RetryAfter time.Duration // what the receiver asked for, at most MaxRetryAfter; 0 if nothing
	Outcome    Outcome
	Elapsed    time.Duration
	Evidence   string // one line: status line, remote address, digest and size of the answer, time taken
	Err        error  // why there is no acceptance; nil if there is one
}

// Channel is a way out. Send never returns before it knows or gives up; it
// respects the context and is safe for many goroutines.
type Channel interface {
	Send(ctx context.Context, m Message) Receipt
}

var (
	_ Channel = (*Webhook)(nil)
	_ Channel = (*FileDrop)(nil)
)

// ErrMessage says that a message can never be sent as it is.
var ErrMessage = errors.New("message cannot be sent")

func (m *Message) check() error {
	if err := checkID(m.ID); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if len(m.Body) > MaxPayload {
		return fmt.Errorf("%w: body has %d bytes, at most %d may be sent; send a thin payload and let the receiver pull the rest", ErrMessage, len(m.Body), MaxPayload)
	}
	if len(m.Keys) == 0 {
		return fmt.Errorf("%w: no signing key; create one for this endpoint", ErrMessage)
	}
	for _, k := range m.Keys {
		if k.secret == nil && k.private == nil {
			return fmt.Errorf("%w: a signing key is empty", ErrMessage)
		}
	}
	for _, c := range []byte(m.ContentType) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("%w: content type has a control character", ErrMessage)
		}
	}
	return nil
}

func (m *Message) contentType() string {
	if m.ContentType == "" {
		return "application/json"
	}
	return m.ContentType
}
