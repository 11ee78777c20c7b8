// Package casework is what is done: one exported method per act, one
// transaction per act, and the only writer. Every act loads, asks whether this
// actor may, lets a rule of package concert decide, saves, records the event
// and sets the clocks, all or nothing. Acts on many things take them in one
// transaction and answer for each.
package casework

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/lookup"
	"concert/internal/match"
	"concert/internal/sandbox"
	"concert/internal/store"
	"concert/internal/vault"
	"concert/internal/witness"
)

// Service does the acts of one deployment. Its fields are set once, before use.
type Service struct {
	DB        *store.DB
	Rules     *match.Rules
	Channel   dispatch.Channel
	Lookup    *lookup.Client
	Hasher    *identity.Hasher
	Transport ed25519.PrivateKey // signs as the one who carries, never as an author (G09)
	LogSigner note.Signer
	LogKey    string // the log's verifier key text
	Origin    string // names the deployment and its log for ever
	BaseURL   string // what links and notices point to
	Vantage   string // from where we look again
	Time      concert.CaseTime
	Exercise  bool // marks every row and envelope
	Log       *slog.Logger
	Kept      *KeptCheckpoint                       // the last checkpoint this node knows; nil keeps none
	Witnesses []*witness.Client                     // are asked to cosign what the log publishes
	Mailer    *dispatch.Mailer                      // takes mail to the relay; nil: this node sends and takes none
	MailKeys  func(domain string) ([]string, error) // TXT records, for the signatures of mail that comes in; nil trusts none

	Vault        *vault.Dir           // where captures lie that are larger than a row; nil takes none
	CaptureMost  int64                // bytes of the largest capture; 0 for the default
	Children     *sandbox.Pool        // opens captures for previews; nil opens none
	Printers     *sandbox.Pool        // opens captures to compare them with what is known; nil: this node compares none
	KnownDir     string               // where the index of banks lies; "" keeps it in memory
	Exhibits     string               // directory of bags and working copies, which are only read; "": this node has none
	Geo          *accesslog.Geo       // says where addresses in exhibits' logs are; nil: unknown
	SecondFactor concert.FactorPolicy // who must have one
	Host         bool                 // a provider's own desk: it asks hubs, and has its own pages

	PublicDelay time.Duration // how old something is before it is public; 0 for the default

	public     publication
	audited    auditFolding
	bearers    bearerCache
	hubs       hubTurns
	consulted  consultations
	links      linkLimits
	unscrubbed atomic.Bool // something was erased and may stand in the embedded database's write-ahead file still
	seen       sightings
	walls      wallCache
	known      atomic.Pointer[known]
	opening    sync.Mutex // of known
	noRelay    sync.Once  // that mail to authorities cannot be sent is said once
	works      worksCount
	publishing sync.Mutex   // of the log, by those that wait for it
	stopped    atomic.Int64 // case time at which StopClock was called, in microseconds; 0 while it runs
	ahead      atomic.Int64 // by how much case time jumped (JumpClock), in nanoseconds
}

// now is case time.
func (s *Service) now() time.Time {
	if us := s.stopped.Load(); us != 0 {
		return concert.FromMicros(us)
	}
	return s.Time.At(time.Now()).Add(time.Duration(s.ahead.Load()))
}

// JumpClock lets an exercise's case time jump forwards by a span, on this node: what falls
// due in between falls due at once. It never goes back, and does nothing in live work.
func (s *Service) JumpClock(by time.Duration) {
	if s.Time.Rate != 0 && by > 0 {
		s.ahead.Add(int64(by))
	}
}

// StopClock ends an exercise's case time: nothing falls due any more, so that
// what the report counted stays what the board shows.
func (s *Service) StopClock() { s.stopped.Store(concert.Micros(s.now())) }

// StopClockAt is StopClock at a case time, for a node that joins an exercise
// after its end.
func (s *Service) StopClockAt(at time.Time) { s.stopped.Store(concert.Micros(at)) }

// Now is case time, for pages and answers.
func (s *Service) Now() time.Time { return s.now() }

// Result is the outcome for one entry of an act on many.
type Result struct {
	Ref     string
	Outcome string
	Version int64
	Err     *concert.Error
}

// refusal splits an error into one that concerns the entry alone and one that
// ends the whole act.
func refusal(err error) (*concert.Error, error) {
	var e *concert.Error
	if errors.As(err, &e) {
		return e, nil
	}
	return nil, err
}

// retryStale runs an act again when a row moved on, or came to be, between its
// loading and its saving: on another node, or by what the clocks do. What a
// person read too long ago is another matter (outdated), and is told to the
// person.
func (s *Service) retryStale(ctx context.Context, fn func(*store.Tx) error) error {
	var err error
	for range 8 {
		err = s.DB.Update(ctx, fn)
		if e := (*concert.Error)(nil); !errors.As(err, &e) || e != concert.ErrStale && e.Code != store.CodeExists {
			return err
		}
	}
	return err
}

// outdated refuses a version that a person read and that is no longer the
// last.
func outdated() error {
	e := *concert.ErrStale
	return &e
}
