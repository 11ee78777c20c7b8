package casework

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"sync"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// consultMost bounds the consultations that one commit takes.
	consultMost = 256
	// consultTerm bounds how long a commit of consultations may take, whoever
	// waits for it.
	consultTerm = 30 * time.Second
	// answerWithin is how long after an act its actor may still be shown what
	// came of it.
	answerWithin = time.Minute
	sampleMost   = 50
)

// consultations are readings that wait to be committed. One goroutine writes
// while any wait: the first reader's is committed at once, and those that come
// while it is written go together in the next commit. Nothing ticks.
type consultations struct {
	mu      sync.Mutex // guards both
	waiting []*consulting
	writing bool
}

type consulting struct {
	event concert.Event
	done  chan error // gets the commit's outcome, once
}

// recordConsultation returns once the event is committed. A reader that goes
// away meanwhile gets no answer; that it asked may be recorded all the same.
func (s *Service) recordConsultation(ctx context.Context, e concert.Event) error {
	if s.DB.Requested(ctx) {
		// It commits with the request's own act and answer, and must not take
		// others along that are answered sooner.
		return s.DB.Update(ctx, func(tx *store.Tx) error {
			tx.Record(e)
			return tx.Consulting(ctx, []concert.PersonID{e.Actor})
		})
	}
	c := &consulting{e, make(chan error, 1)}
	q := &s.consulted
	q.mu.Lock()
	q.waiting = append(q.waiting, c)
	first := !q.writing
	q.writing = true
	q.mu.Unlock()
	if first {
		go s.writeConsultations(context.WithoutCancel(ctx))
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) writeConsultations(ctx context.Context) {
	q := &s.consulted
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.writing, q.waiting = false, nil
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		batch, err := s.commitConsultations(ctx)
		for _, c := range batch {
			c.done <- err
		}
	}
}

// commitConsultations commits what waits, at most consultMost. It takes them
// only once the database is its to write, so that those go along who came while
// it waited its turn. A batch that failed is told so as a whole: nobody is
// answered on a reading that may not be recorded.
func (s *Service) commitConsultations(ctx context.Context) (batch []*consulting, err error) {
	ctx, cancel := context.WithTimeout(ctx, consultTerm)
	defer cancel()
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		batch = append(batch, s.consulted.take(consultMost-len(batch))...)
		var readers []concert.PersonID
		for _, c := range batch {
			if !slices.Contains(readers, c.event.Actor) {
				readers = append(readers, c.event.Actor)
			}
			tx.Record(c.event)
		}
		return tx.Consulting(ctx, readers)
	})
	if len(batch) == 0 {
		// The database could not even be begun with.
		batch = s.consulted.take(consultMost)
	}
	return batch, err
}

func (q *consultations) take(most int) []*consulting {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.waiting))
	out := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return out
}

// reading runs read on one snapshot and lets its outcome go once the
// consultation b is committed, also when there is nothing there. Read fills
// what it found into b. Without a justification nothing is read at all (G19).
func (s *Service) reading(ctx context.Context, scope concert.Scope, b *concert.ConsultedBody, read func(*store.Tx) error) error {
	if err := scope.Justified(); err != nil {
		return err
	}
	b.Ref = referenceOnly(b.Ref)
	err := s.DB.View(ctx, read)
	var refused *concert.Error
	if err != nil && (!errors.As(err, &refused) || refused.Kind != concert.NotFound) {
		return err
	}
	if refused != nil {
		b.Count = 0
	}
	if e, ok := scope.Consulted(*b, s.now()); ok {
		if err := s.recordConsultation(ctx, e); err != nil {
			return fmt.Errorf("the reading could not be recorded, so there is no answer: %w", err)
		}
	}
	return err
}

// referenceOnly is what was asked for where it is a public reference, "" else: what
// people type into an address is no matter for the log, which keeps it for ever.
func referenceOnly(s string) string {
	_, ref, err := identity.ParseReference(s)
	if err != nil {
		return ""
	}
	return ref
}

// auditing records an auditor's reading of what opens nothing sealed; others
// need no justification for it and leave no record.
func (s *Service) auditing(ctx context.Context, scope concert.Scope, b concert.ConsultedBody) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if !scope.Actor().Has(concert.RoleAuditor) {
		return nil
	}
	return s.reading(ctx, scope, &b, func(*store.Tx) error { return nil })
}

// ItemAfter is the item as the answer to what the actor has just done to it:
// the act's own event covers what it shows, and no consultation is recorded.
// Where the actor has done nothing to it in the last minute, as when a place was
// handed in that its authority had found before, only what is not sealed is
// shown.
func (s *Service) ItemAfter(ctx context.Context, by concert.Actor, ref string) (ItemView, error) {
	var v ItemView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		bare, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := bare[ref]
		if !ok {
			return concert.ErrNotFound
		}
		acted, err := tx.ActedOn(ctx, string(it.ID), by.Person, time.Now().Add(-answerWithin))
		if err != nil {
			return err
		}
		if acted {
			return s.readItem(ctx, tx, by, ref, &v)
		}
		v.Item = it.ShownTo(by.Authority).Remaining()
		v.Assessment = ""
		if err := s.findersOf(ctx, tx, by, &v); err != nil {
			return err
		}
		return s.fillNames(ctx, tx, &v)
	})
	if err != nil {
		return ItemView{}, err
	}
	return v, nil
}

// CountItems counts items by status on the actor's own authority's desk, all for
// an auditor: up to most of each. It opens nothing sealed, so that nobody but an
// auditor says why.
func (s *Service) CountItems(ctx context.Context, scope concert.Scope, statuses []concert.ItemStatus, most int) (map[concert.ItemStatus]int, error) {
	desk, err := deskOf(scope.Actor())
	if err != nil {
		return nil, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadItemCounts, Count: len(statuses)}); err != nil {
		return nil, err
	}
	out := make(map[concert.ItemStatus]int, len(statuses))
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		for _, status := range statuses {
			var err error
			if out[status], err = tx.CountItems(ctx, scope, store.ItemFilter{Status: status, Authority: desk}, most); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// OpenActions are the joint actions that the actor's authority takes part in and
// that are not closed: what somebody may be working on.
func (s *Service) OpenActions(ctx context.Context, by concert.Actor) ([]concert.Action, error) {
	if by.Authority == "" {
		return nil, nil
	}
	var out []concert.Action
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.OpenActionsOf(ctx, by.Authority, 20)
		return err
	})
	return out, err
}

// ConsultationQuery asks for a page of consultations.
type ConsultationQuery struct {
	Before   concert.EventID // the last one of the page before
	Operator string          // number of a reader, "" for everybody's
	Ref      string          // of what was shown by reference, "" for any
	Limit    int
}

// Consultations are who read what and why, newest first, for auditors. Reading
// them opens the justifications, so it is a consultation itself.
func (s *Service) Consultations(ctx context.Context, scope concert.Scope, q ConsultationQuery) ([]concert.Consultation, error) {
	if err := scope.Actor().MayAudit(); err != nil {
		return nil, err
	}
	f := store.ConsultationFilter{Before: q.Before, Ref: referenceOnly(q.Ref), Limit: q.Limit}
	b := concert.ConsultedBody{What: concert.ReadConsultations, Ref: q.Ref, Filter: referenceOnly(q.Operator)}
	for field, given := range map[string]string{"ref": q.Ref, "operator": q.Operator} {
		if given != "" && referenceOnly(given) == "" {
			return nil, concert.Refuse(concert.Invalid, "consultation.reference", field, "this is no reference: it is written like IT-7K3M-9QXT-4D2FH")
		}
	}
	var out []concert.Consultation
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		if q.Operator != "" {
			p, err := tx.PersonByLogin(ctx, referenceOnly(q.Operator))
			if err != nil {
				return err
			}
			f.Reader = p.ID
		}
		var err error
		out, err = tx.Consultations(ctx, scope, f)
		b.Count = len(out)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// SampleItems draws n items at random, each as likely as any other, for an
// auditor to read again. Which were drawn is recorded, so that a draw cannot be
// repeated unseen until it pleases.
func (s *Service) SampleItems(ctx context.Context, scope concert.Scope, n int) ([]string, error) {
	if err := scope.Actor().MayAudit(); err != nil {
		return nil, err
	}
	var refs []string
	b := concert.ConsultedBody{What: concert.ReadSample}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		all, err := tx.AllItems(ctx)
		if err != nil {
			return err
		}
		drawn := map[int64]bool{}
		for want := min(int64(min(max(n, 1), sampleMost)), all); int64(len(refs)) < want; {
			i, err := rand.Int(rand.Reader, big.NewInt(all))
			if err != nil {
				return fmt.Errorf("draw: %w", err)
			}
			if drawn[i.Int64()] {
				continue
			}
			drawn[i.Int64()] = true
			ref, err := tx.ItemRefAt(ctx, i.Int64())
			if err != nil {
				return err
			}
			refs = append(refs, ref)
		}
		b.Refs, b.Count = refs, len(refs)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return refs, nil
}

// OpenExport lets an auditor have the export bundle: the reading is recorded
// before write may be called, and stands in the bundle itself. Sealed parts
// leave as ciphertext.
func (s *Service) OpenExport(ctx context.Context, scope concert.Scope) (write func(io.Writer) error, err error) {
	if err := proven(scope.Actor(), concert.PowerExport); err != nil {
		return nil, err
	}
	if err := scope.Actor().MayAudit(); err != nil {
		return nil, err
	}
	b := concert.ConsultedBody{What: concert.ReadExport}
	err = s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		head, _, err := tx.LogHead(ctx)
		b.Count = int(head.Size)
		return err
	})
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return s.Export(ctx, w) }, nil
}
