package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/vault"
)

const (
	// CustodyMost is the most bytes of a custody log that one act takes: some five
	// thousand records.
	CustodyMost = 3 << 20
	// PseudonymsMost is the most bytes of a locked table of pseudonyms: some three
	// hundred thousand visitors.
	PseudonymsMost = 32 << 20
)

// CustodyFiles are an exhibit's custody log and the head beside it, as the bag has
// them, with the digest of its manifest.
type CustodyFiles struct {
	Manifest string // SHA-256, in hexadecimal
	Log      []byte // custody.jsonl
	Head     []byte // custody-head.json
}

// records checks the chain of a custody log against the head that the hub knows,
// and gives the records after it. What was changed is told by its name.
func (f CustodyFiles) records(known concert.CustodyHead) ([]concert.CustodyRecord, error) {
	if len(f.Log) > CustodyMost {
		return nil, concert.Refuse(concert.TooLarge, "exhibit.custody", "custody", "a custody log has at most %d MB here", CustodyMost>>20)
	}
	var outside *vault.Head
	if known.N > 0 {
		outside = &vault.Head{N: known.N, Hash: known.Hash}
	}
	v := vault.CheckCustody(f.Log, f.Head, f.Manifest, outside)
	if len(v.Faults) > 0 {
		first := v.Faults[0]
		return nil, concert.Refuse(concert.Conflict, "exhibit.custody_broken", "custody", "the custody log was %s: %s. Nothing was recorded; find out who did it (concert evidence verify names every place)", first.Kind, first.Note)
	}
	var out []concert.CustodyRecord
	i := 0
	for line := range bytes.Lines(f.Log) {
		rec := v.Records[i] // a log without faults has one record a line
		i++
		if rec.N <= known.N {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, rec.At)
		if err != nil {
			return nil, fmt.Errorf("custody record %d: %w", rec.N, err)
		}
		sum := sha256.Sum256(line)
		out = append(out, concert.CustodyRecord{N: rec.N, At: at, Act: rec.Act, Outcome: rec.Outcome, Key: rec.Key, Line: hex.EncodeToString(sum[:])})
	}
	return out, nil
}

// AddExhibit puts a sealed exhibit into a case, with its custody log. The bytes
// stay where they are.
func (s *Service) AddExhibit(ctx context.Context, by concert.Actor, ref, label string, f CustodyFiles) (concert.Exhibit, error) {
	x := concert.Exhibit{ID: concert.ExhibitID(identity.NewID()), Ref: identity.NewReference("EX"), Label: label, Manifest: f.Manifest, Exercise: s.Exercise, Version: 1}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		_, err := caseOf(ctx, tx, by, ref) // before the log is read: to others the case is not there
		return err
	})
	if err != nil {
		return x, err
	}
	records, err := f.records(concert.CustodyHead{})
	if err != nil {
		return x, err
	}
	return x, s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		added, events, err := c.ExhibitAdded(by, x, records, s.now())
		if err != nil {
			return err
		}
		switch had, err := tx.ExhibitOf(ctx, c.ID, f.Manifest); {
		case err == nil:
			return concert.Refuse(concert.Conflict, "exhibit.known", "manifest", "this exhibit is in the case already, as %s: add to its custody there", had.Ref)
		case !errors.Is(err, concert.ErrNotFound):
			return err
		}
		if err := tx.AddExhibit(ctx, added); err != nil {
			return err
		}
		tx.Record(events...)
		x = added
		return nil
	})
}

// exhibitOf is an exhibit with the case of whoever holds it.
func exhibitOf(ctx context.Context, tx *store.Tx, ref string) (concert.Exhibit, concert.Case, error) {
	x, err := tx.Exhibit(ctx, ref)
	if err != nil {
		return x, concert.Case{}, err
	}
	c, err := tx.Case(ctx, string(x.Case))
	return x, c, err
}

// changeExhibit lets a rule take records in that follow on the known head.
func (s *Service) changeExhibit(ctx context.Context, by concert.Actor, ref string, f CustodyFiles, rule func(*store.Tx, concert.Exhibit, concert.Case, []concert.CustodyRecord) (concert.Exhibit, []concert.Event, error)) (concert.Exhibit, error) {
	var out concert.Exhibit
	if err := by.MayKeepCases(); err != nil {
		return out, err
	}
	return out, s.retryStale(ctx, func(tx *store.Tx) error {
		x, c, err := exhibitOf(ctx, tx, ref)
		if err != nil {
			return err
		}
		if err := x.MayRead(by, c); err != nil {
			return err
		}
		f.Manifest = x.Manifest
		records, err := f.records(x.Head)
		if err != nil {
			return err
		}
		next, events, err := rule(tx, x, c, records)
		if err != nil {
			return err
		}
		if err := tx.SaveExhibit(ctx, next, by.Person, s.now()); err != nil {
			return err
		}
		tx.Record(events...)
		next.Version++
		out = next
		return nil
	})
}

// AddCustody takes in what was recorded since: each record becomes an event of the
// log, so that nobody can take one away afterwards.
func (s *Service) AddCustody(ctx context.Context, by concert.Actor, ref string, f CustodyFiles) (concert.Exhibit, error) {
	return s.changeExhibit(ctx, by, ref, f, func(_ *store.Tx, x concert.Exhibit, c concert.Case, log []concert.CustodyRecord) (concert.Exhibit, []concert.Event, error) {
		return x.CustodyAdded(by, c, log, s.now())
	})
}

// HandExhibit says that an exhibit goes to another authority.
func (s *Service) HandExhibit(ctx context.Context, by concert.Actor, ref, to string, f CustodyFiles) (concert.Exhibit, error) {
	return s.changeExhibit(ctx, by, ref, f, func(tx *store.Tx, x concert.Exhibit, c concert.Case, log []concert.CustodyRecord) (concert.Exhibit, []concert.Event, error) {
		a, err := tx.Authority(ctx, to)
		if errors.Is(err, concert.ErrNotFound) {
			err = concert.Refuse(concert.Invalid, "exhibit.to", "to", "no authority %.40q is registered here: choose one from the register", to)
		}
		if err != nil {
			return x, nil, err
		}
		return x.Handed(by, c, a, log, s.now())
	})
}

// ReceiveExhibit says that an exhibit arrived, into a case of the authority that it
// was handed to.
func (s *Service) ReceiveExhibit(ctx context.Context, by concert.Actor, ref, into string, f CustodyFiles) (concert.Exhibit, error) {
	return s.changeExhibit(ctx, by, ref, f, func(tx *store.Tx, x concert.Exhibit, _ concert.Case, log []concert.CustodyRecord) (concert.Exhibit, []concert.Event, error) {
		c, err := caseOf(ctx, tx, by, into)
		if err != nil {
			return x, nil, err
		}
		return x.Received(by, c, log, s.now())
	})
}

// KeepPseudonyms keeps the locked table of an exhibit's pseudonyms. The house
// cannot open it: only its custodians together can, for a request.
func (s *Service) KeepPseudonyms(ctx context.Context, by concert.Actor, ref string, locked []byte) (vault.Lock, error) {
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		x, c, err := exhibitOf(ctx, tx, ref)
		if err == nil {
			err = x.MayRead(by, c) // before the table is read: to others the exhibit is not there
		}
		return err
	})
	if err != nil {
		return vault.Lock{}, err
	}
	if len(locked) > PseudonymsMost {
		return vault.Lock{}, concert.Refuse(concert.TooLarge, "exhibit.pseudonyms", "", "a locked table of pseudonyms has at most %d MB here", PseudonymsMost>>20)
	}
	l, err := vault.ParseLock(locked)
	if err == nil && l.Kind != vault.LockedPseudonyms {
		err = errors.New("it is a locked exhibit")
	}
	if err != nil {
		return l, concert.Refuse(concert.Invalid, "exhibit.pseudonyms", "", "this is no locked table of pseudonyms (%v): concert accesslog lake makes one", err)
	}
	sum := sha256.Sum256(locked)
	return l, s.retryStale(ctx, func(tx *store.Tx) error {
		x, c, err := exhibitOf(ctx, tx, ref)
		if err != nil {
			return err
		}
		e, err := x.PseudonymsKept(by, c, hex.EncodeToString(sum[:]), s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		return tx.KeepPseudonyms(ctx, x.ID, store.LockedPseudonyms{Bytes: locked, Sum: hex.EncodeToString(sum[:]), Needed: l.Needed, Custodians: len(l.Shares)}, by.Person, s.now())
	})
}

// ExhibitView is an exhibit as those who may read it see it.
type ExhibitView struct {
	concert.Exhibit
	CaseRef    string // of who holds it; "" for those who may not read that
	Works      bool   // the reader is a member of that case
	Holder     concert.Authority
	Going      concert.Authority // to which it is on its way
	Needed     int               // custodians that open its pseudonyms together; 0 where none are kept
	Custodians int               // of its pseudonyms, in all
	Timeline   []CaseMoment      // the oldest first
	Analyses   []AnalysisLine    // that its case asked for, the newest first; for those who may read that
	Countable  bool              // a node of this deployment may have its bytes: the one that answers, or another
	MayAnalyse bool              // the reader may ask now to count its logs
}

// exhibitView is an exhibit without its timeline; c is the case of who holds it.
func exhibitView(ctx context.Context, tx *store.Tx, by concert.Actor, x concert.Exhibit, c concert.Case) (ExhibitView, error) {
	v := ExhibitView{Exhibit: x, Works: c.Member(by)}
	if c.MayRead(by) == nil {
		v.CaseRef = c.Ref
	}
	var err error
	if v.Holder, err = tx.Authority(ctx, string(x.Authority)); err != nil {
		return v, err
	}
	if x.To != "" {
		if v.Going, err = tx.Authority(ctx, string(x.To)); err != nil {
			return v, err
		}
	}
	l, err := tx.LockedPseudonyms(ctx, x.ID, false)
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		return v, err
	}
	v.Needed, v.Custodians = l.Needed, l.Custodians
	return v, nil
}

// ReadExhibit is one exhibit with what the log has of its custody.
func (s *Service) ReadExhibit(ctx context.Context, scope concert.Scope, ref string) (ExhibitView, error) {
	var v ExhibitView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadExhibit, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		x, c, err := exhibitOf(ctx, tx, ref)
		if err != nil {
			return err
		}
		if err := x.MayRead(by, c); err != nil {
			return err
		}
		if v, err = exhibitView(ctx, tx, by, x, c); err != nil {
			return err
		}
		events, err := tx.SubjectHistory(ctx, string(x.ID), exhibitEventsPage)
		if err != nil {
			return err
		}
		if v.Timeline, err = moments(ctx, tx, events); err != nil {
			return err
		}
		if c.MayRead(by) != nil {
			return nil
		}
		_, running, err := tx.NextAnalysis(ctx, x.ID)
		if err != nil {
			return err
		}
		v.Countable = s.countable()
		v.MayAnalyse = v.Countable && x.MayAnalyse(by, c, running, s.now()) == nil
		as, err := tx.ExhibitAnalyses(ctx, x.ID, c.ID, analysesPage)
		if err != nil {
			return err
		}
		v.Analyses, err = analysisLines(ctx, tx, as)
		return err
	})
	if err != nil {
		return ExhibitView{}, err
	}
	return v, nil
}

// exhibitEventsPage bounds the events on one thing that one reading shows.
const exhibitEventsPage = 500

// moments are events with the operators who acted.
func moments(ctx context.Context, tx *store.Tx, events []concert.RecordedEvent) ([]CaseMoment, error) {
	people := make([]concert.PersonID, len(events))
	for i, e := range events {
		people[i] = e.Actor
	}
	operators, err := tx.Operators(ctx, people)
	if err != nil {
		return nil, err
	}
	out := make([]CaseMoment, len(events))
	for i, e := range events {
		out[i] = CaseMoment{e, operators[e.Actor]}
	}
	return out, nil
}

// ExhibitsComing is how many exhibits are on their way to the actor's authority. It
// opens nothing and is no reading.
func (s *Service) ExhibitsComing(ctx context.Context, by concert.Actor) (n int, err error) {
	if by.MayKeepCases() != nil {
		return 0, nil
	}
	return n, s.DB.View(ctx, func(tx *store.Tx) error {
		n, err = tx.CountHanded(ctx, by.Authority)
		return err
	})
}

// HandedExhibits are the exhibits on their way to the actor's authority.
func (s *Service) HandedExhibits(ctx context.Context, scope concert.Scope) ([]concert.Exhibit, error) {
	by := scope.Actor()
	if err := by.MayKeepCases(); err != nil {
		return nil, err
	}
	var out []concert.Exhibit
	b := concert.ConsultedBody{What: concert.ReadExhibits}
	return out, s.reading(ctx, scope, &b, func(tx *store.Tx) (err error) {
		out, err = tx.HandedExhibits(ctx, by.Authority)
		b.Count = len(out)
		return err
	})
}
