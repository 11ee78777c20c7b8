package casework

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/tlog"
)

const (
	clockTick    = 200 * time.Millisecond
	sequenceTick = 200 * time.Millisecond
	forgetTick   = 10 * time.Minute
	answerTerm   = 24 * time.Hour
	workers      = 12
)

// Handlers is the table of what runs which job.
func (s *Service) Handlers() *store.Handlers {
	h := store.NewHandlers()
	store.Handle(h, s.dispatchProvider)
	store.Handle(h, s.deliverProvider)
	store.Handle(h, s.recheckReferral)
	store.Handle(h, s.remindReferral)
	store.Handle(h, s.expireHold)
	store.Handle(h, s.resumeAuthority)
	store.Handle(h, s.reviewDue)
	store.Handle(h, s.eraseItem)
	store.Handle(h, s.leaveConsignment)
	store.Handle(h, s.eraseCaptures)
	store.Handle(h, s.runBatch)
	store.Handle(h, s.deliverContact)
	store.Handle(h, s.deliverOffice)
	store.Handle(h, s.reviewCaseDue)
	store.Handle(h, s.settleIncident)
	store.Handle(h, s.endWatchDue)
	store.Handle(h, s.draftPatterns)
	store.Handle(h, s.recogniseCaptures)
	store.Handle(h, s.lookAtOrder)
	store.HandleLong(h, analysisLimit, s.analyseExhibit)
	h.Evidence = s.Exhibits != ""
	return h
}

// Run does on this node what nobody asks for: clocks that fall due, jobs, the
// log's sequence. Every node runs it; what must happen once is taken by
// compare and swap.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	s.unscrubbed.Store(true) // a process before this one may have ended between an erasure and its scrubbing
	g.Go(func() error { return s.DB.Work(ctx, s.Handlers(), s.Log, workers) })
	g.Go(func() error { s.every(ctx, clockTick, "clocks", s.fireClocks); return nil })
	g.Go(func() error { s.every(ctx, clockTick, "legal clocks", s.fireDeadlines); return nil })
	g.Go(func() error { s.every(ctx, clockTick, "clocks of complaints", s.fireComplaints); return nil })
	g.Go(func() error { s.every(ctx, clockTick, "clocks of threats to life", s.FireThreats); return nil })
	g.Go(func() error { s.every(ctx, sequenceTick, "log", s.publishOnTick); return nil })
	g.Go(func() error { s.every(ctx, forgetTick, "stored answers", s.forgetAnswers); return nil })
	g.Go(func() error { s.every(ctx, forgetTick, "sessions", s.forgetSessions); return nil })
	g.Go(func() error { s.every(ctx, scrubTick, "scrub", s.scrubErased); return nil })
	g.Go(func() error { s.every(ctx, captureTick, "files of erased captures", s.removeFiles); return nil })
	g.Go(func() error { s.every(ctx, orphanTick, "files of captures", s.sweepCaptures); return nil })
	g.Go(func() error { s.every(ctx, leaseTick, "claims", s.endClaims); return nil })
	g.Go(func() error { s.every(ctx, forgetTick, "skips", s.forgetFlow); return nil })
	g.Go(func() error { s.every(ctx, forgetTick, "what was seen", s.ForgetExposure); return nil })
	g.Go(func() error { s.every(ctx, knownTick, "known content", s.RefreshKnown); return nil })
	g.Go(func() error { s.every(ctx, recogniseTick, "captures to compare", s.wakeRecognition); return nil })
	g.Go(func() error { s.every(ctx, forgetTick, "entries whose time is over", s.expireEntries); return nil })
	g.Go(func() error { s.every(ctx, forgetTick, "prints of erased items", s.forgetPrints); return nil })
	for _, w := range s.Witnesses {
		g.Go(func() error {
			s.every(ctx, witnessTick, "witness "+w.Name(), func(ctx context.Context) error { return s.askWitness(ctx, w, false) })
			return nil
		})
	}
	if s.Host {
		g.Go(func() error { s.every(ctx, receivedTick, "clocks of what was received", s.fireReceived); return nil })
		g.Go(func() error { s.every(ctx, hubEvery, "hubs", s.PullHubs); return nil })
		g.Go(func() error { s.every(ctx, forgetTick, "reports of threats to life", s.ForgetHostThreats); return nil })
	}
	return errors.Join(g.Wait(), s.CloseKnown())
}

// complainEvery bounds how often lasting trouble in the background is logged.
const complainEvery = 10 * time.Second

// every runs fn at each tick until the context ends. A failure is logged, once
// in a while as long as it lasts, and the next tick tries again: the rows are
// still there.
func (s *Service) every(ctx context.Context, tick time.Duration, what string, fn func(context.Context) error) {
	t := time.NewTicker(tick)
	defer t.Stop()
	var complained time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		switch err := fn(ctx); {
		case ctx.Err() != nil:
		case err != nil && time.Since(complained) > complainEvery:
			complained = time.Now()
			s.Log.Error("background work failed and will be tried again", "what", what, "err", err)
		case err == nil && !complained.IsZero():
			complained = time.Time{}
			s.Log.Warn("background work goes on", "what", what)
		}
	}
}

// caseSpan is how much case time passes in a span on the wall.
func (s *Service) caseSpan(wall time.Duration) time.Duration {
	if s.Time.Rate == 0 {
		return wall
	}
	return time.Duration(float64(wall) * s.Time.Rate)
}

func (s *Service) fireClocks(ctx context.Context) error {
	held, err := s.DispatchHeld(ctx)
	if err != nil {
		return err
	}
	var leave []concert.ClockKind
	if held {
		leave = concert.OutwardClocks
	}
	again := s.caseSpan(clockTick)
	if s.stopped.Load() != 0 {
		again = 0 // a later moment would never come
	}
	for {
		n, err := s.DB.FireClocks(ctx, s.now(), again, leave...)
		if err != nil || n == 0 {
			return err
		}
	}
}

// PublishLog gives waiting events their places in the log and signs the new
// head, until none waits. It signs only what goes on from all that was ever
// published, and keeps what it signed.
func (s *Service) PublishLog(ctx context.Context) error {
	for {
		if _, _, err := s.publishedHead(ctx); err != nil {
			if isBehind(err) {
				return errors.Join(err, s.markBehind(ctx))
			}
			return err
		}
		placed, _, err := s.DB.Sequence(ctx, s.signHead)
		// Another node was first: nothing is lost, the next tick goes on.
		if errors.Is(err, concert.ErrStale) || err == nil && placed == 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// publishOnTick is PublishLog that does not repeat, five times a second, that it
// may not sign.
func (s *Service) publishOnTick(ctx context.Context) error {
	err := s.PublishLog(ctx)
	if isBehind(err) && !s.Kept.warn() {
		return nil
	}
	return err
}

// signHead signs the head that follows before. What was looked at before this
// transaction began must be what it found: if another node was faster, the new
// head is looked at first.
func (s *Service) signHead(before tlog.Head, signed string, h tlog.Head) (string, error) {
	if s.Kept != nil {
		if kept, text := s.Kept.Head(); before != kept || signed != text {
			return "", concert.ErrStale
		}
	}
	msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: s.Origin, Head: h}, s.LogSigner)
	return string(msg), err
}

func (s *Service) forgetAnswers(ctx context.Context) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.ForgetAnswers(ctx, time.Now().Add(-answerTerm)) })
}

// StoredAnswer is what a repeated request gets again.
type StoredAnswer struct {
	Status int
	Header map[string]string
	Body   []byte
	Item   string // reference of the one item it tells of, "" for none: it goes when that is erased
}

// Recall is the stored answer to the person's key; ok is false when the key is
// new. The same key with another request is refused.
func (s *Service) Recall(ctx context.Context, p concert.PersonID, key string, request []byte) (a StoredAnswer, ok bool, err error) {
	var kept store.StoredAnswer
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		kept, err = tx.StoredAnswer(ctx, p, key)
		return err
	})
	if errors.Is(err, concert.ErrNotFound) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	// Earlier versions kept the plain digest, by which a request could be guessed.
	if kept.Fingerprint != s.fingerprint(request) && kept.Fingerprint != sha256.Sum256(request) {
		return a, false, concert.Refuse(concert.Invalid, "idempotency.reused", "Idempotency-Key", "this Idempotency-Key was used for another request: make a new key for a new request")
	}
	a.Status = kept.Status
	if a.Body, err = identity.Open(s.answerKey(), kept.Body, []byte(key)); err != nil {
		return a, false, fmt.Errorf("stored answer: %w", err)
	}
	return a, true, json.Unmarshal([]byte(kept.Header), &a.Header)
}

// answerKey seals stored answers: they name places, and once a new key or link.
func (s *Service) answerKey() identity.Key { return s.DB.Keys.Derive("stored answers") }

// fingerprint is a keyed digest of a request: with the database alone nobody can
// test whether a place was handed in.
func (s *Service) fingerprint(request []byte) (sum [sha256.Size]byte) {
	key := s.DB.Keys.Derive("stored requests")
	mac := hmac.New(sha256.New, key[:])
	mac.Write(request)
	mac.Sum(sum[:0])
	return sum
}

// sealed is an answer as it is kept.
func (s *Service) sealed(key string, request []byte, a StoredAnswer) (store.StoredAnswer, error) {
	header, err := json.Marshal(a.Header)
	return store.StoredAnswer{Fingerprint: s.fingerprint(request), Status: a.Status, Header: string(header), Body: identity.Seal(s.answerKey(), a.Body, []byte(key)), At: time.Now(), Subject: a.Item}, err
}

// Keep stores an answer for a repeated request in which nothing was done,
// unless the item that it tells of was erased meanwhile.
func (s *Service) Keep(ctx context.Context, p concert.PersonID, key string, request []byte, a StoredAnswer) error {
	kept, err := s.sealed(key, request, a)
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		if a.Item != "" {
			items, err := tx.BareItemsByRef(ctx, []string{a.Item})
			if err != nil {
				return err
			}
			if it, ok := items[a.Item]; ok && !it.ErasedAt.IsZero() {
				return nil
			}
		}
		return tx.StoreAnswer(ctx, p, key, kept)
	})
}

// Once lets a request act at most once for the person's key, on whichever nodes
// and however often it arrives: what act writes under its context and the
// answer it gives commit together, and a repeated request gets that answer
// (again is true). An answer that is not to be kept leaves the key free; one of
// 500 and above undoes what was written.
func (s *Service) Once(ctx context.Context, p concert.PersonID, key string, request []byte, act func(context.Context) (a StoredAnswer, keep bool)) (a StoredAnswer, again bool, err error) {
	if a, again, err = s.Recall(ctx, p, key, request); err != nil || again {
		return a, again, err
	}
	acting, once := s.DB.Once(ctx, p, key, s.fingerprint(request))
	// Also where the act panics: others wait for the database.
	defer func() { err = errors.Join(err, once.Rollback()) }()
	a, keep := act(acting)
	switch {
	case once.Taken():
		if a, again, err = s.Recall(ctx, p, key, request); err == nil && !again {
			err = concert.ErrInFlight
		}
		return a, again, err
	case a.Status >= 500:
		return a, false, nil
	case !once.Acted():
		if keep {
			// Nothing was done, so failing to keep the answer costs nothing but
			// the look at the request again.
			if err := s.Keep(ctx, p, key, request, a); err != nil {
				s.Log.Warn("answer was not kept for a repeated request", "err", err)
			}
		}
		return a, false, nil
	case !keep:
		return a, false, once.Commit(ctx, nil)
	}
	kept, err := s.sealed(key, request, a)
	if err != nil {
		return a, false, err
	}
	return a, false, once.Commit(ctx, &kept)
}
