package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/law"
	"concert/tlog"
)

// PublicationDelay bounds how soon something is public in a deployment that is no
// exercise: nothing younger than an hour ever is.
const PublicationDelay = time.Hour

// publication is what a node keeps of the public register: the fold over the log so
// far, and the edition of today. It is memory alone. The log's index is the one cursor:
// every node folds the same events in the same order up to the same moment, so that all
// of them publish the same bytes, and a node that starts begins at the first event.
type publication struct {
	mu   sync.Mutex // guards fold and upTo; held while the log is read
	fold *concert.PublicFold
	upTo time.Time
	last atomic.Pointer[Published]
}

// Published is one edition of the public register with its files.
type Published struct {
	concert.PublicEdition
	Checkpoint string // the log's signed head when the edition was made
	HeadSize   int64
	files      map[string]*publicFile
}

// publicFile is one file, made when it is first asked for.
type publicFile struct {
	once sync.Once
	data []byte
	sum  [32]byte
	err  error
}

// PublicRules are what this deployment holds back, and how long.
func (s *Service) PublicRules() (concert.PublicRules, error) {
	book, err := law.Read()
	if err != nil {
		return concert.PublicRules{}, err
	}
	silence, err := book.Term(concert.TermSilence)
	if err != nil {
		return concert.PublicRules{}, err
	}
	removal, err := book.Term(concert.TermRemoval)
	if err != nil {
		return concert.PublicRules{}, err
	}
	delay := s.PublicDelay
	switch {
	case delay <= 0:
		delay = concert.PublicDelay
	case delay < PublicationDelay && !s.Exercise:
		delay = PublicationDelay
	}
	return concert.PublicRulesBy(delay, silence, removal), nil
}

// Public is the public register as it stands. Nobody is asked who they are: what is in
// it is for everyone.
func (s *Service) Public(ctx context.Context) (*Published, error) {
	rules, err := s.PublicRules()
	if err != nil {
		return nil, err
	}
	cutoff := rules.Cutoff(s.now())
	if p := s.public.last.Load(); p != nil && p.AsOf.Equal(cutoff) {
		return p, nil
	}
	s.public.mu.Lock()
	defer s.public.mu.Unlock()
	if p := s.public.last.Load(); p != nil && p.AsOf.Equal(cutoff) {
		return p, nil
	}
	return s.publish(ctx, rules, cutoff)
}

// errPublicEnd ends the reading of the log at the first event that is not old enough.
var errPublicEnd = errors.New("the rest is not public yet")

// publish takes the log up to the cutoff and makes the edition.
func (s *Service) publish(ctx context.Context, rules concert.PublicRules, cutoff time.Time) (*Published, error) {
	k := &s.public
	if k.fold == nil || cutoff.Before(k.upTo) {
		k.fold = concert.NewPublicFold()
	}
	k.upTo = cutoff
	p := &Published{files: map[string]*publicFile{formats.RegisterFile: {}, formats.ErrorsFile: {}, formats.FiguresFile: {}}}
	whole := true
	var root tlog.Hash
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		head, checkpoint, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		p.Checkpoint, p.HeadSize = checkpoint, head.Size
		err = eachEventFrom(ctx, tx, k.fold.Size, head.Size, func(e concert.RecordedEvent) error {
			if e.At >= concert.Micros(cutoff) {
				return errPublicEnd
			}
			return k.fold.Add(e)
		})
		if err != nil && err != errPublicEnd {
			return err
		}
		// What waits for its place in the log may be older than the cutoff: then this
		// edition is not the last of its day.
		waiting, oldest, _, err := tx.Unsequenced(ctx)
		if err != nil {
			return err
		}
		whole = waiting == 0 || oldest >= concert.Micros(cutoff)
		root, err = tlog.RootAt(k.fold.Size, func(id tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, id) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("public register: %w", err)
	}
	p.PublicEdition = k.fold.Edition(rules, cutoff)
	p.Exercise, p.Root = s.Exercise, fmt.Sprintf("%x", root)
	if whole {
		k.last.Store(p)
	}
	return p, nil
}

// eachEventFrom gives the sequenced events of the snapshot from the index on.
func eachEventFrom(ctx context.Context, tx *store.Tx, from, size int64, fn func(concert.RecordedEvent) error) error {
	for next := from; next < size; {
		events, err := tx.EventsFrom(ctx, next, exportPage)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if e.Index >= size {
				return nil
			}
			if err := fn(e); err != nil {
				return err
			}
			next = e.Index + 1
		}
	}
	return nil
}

// File is one of the edition's files with its SHA-256; a name that is none is not
// found.
func (p *Published) File(name string) ([]byte, [32]byte, error) {
	f := p.files[name]
	if f == nil {
		return nil, [32]byte{}, concert.ErrNotFound
	}
	f.once.Do(func() {
		var b bytes.Buffer
		f.err = formats.WritePublic(&b, name, p.PublicEdition)
		f.data, f.sum = b.Bytes(), sha256.Sum256(b.Bytes())
	})
	return f.data, f.sum, f.err
}

// Files are the names of the edition's files.
func (p *Published) Files() []string {
	return []string{formats.RegisterFile, formats.ErrorsFile, formats.FiguresFile}
}

// Sums are the files' SHA-256 as sha256sum writes and checks them.
func (p *Published) Sums() ([]byte, error) {
	var b bytes.Buffer
	for _, name := range p.Files() {
		_, sum, err := p.File(name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%x  %s\n", sum, name)
	}
	return b.Bytes(), nil
}

// PublicReportFile is a report as a file: html, pdf or csv. name is the subject's, as
// people call it; the numbers are those of the edition.
func PublicReportFile(r concert.PublicReport, name, format string) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch format {
	case "csv":
		err = formats.WriteReportCSV(&b, r)
	case "html":
		err = formats.WriteReportHTML(&b, r, name)
	case "pdf":
		err = formats.WriteReportPDF(&b, r, name)
	default:
		return nil, concert.ErrNotFound
	}
	return b.Bytes(), err
}

// PublicName is what people call a report's subject: the registered name of the
// authority or provider with the reference, or the state's code.
func (g Registers) PublicName(ref string) string {
	for _, a := range g.Authorities {
		if a.Ref == ref {
			return a.Name
		}
	}
	for _, p := range g.Providers {
		if p.Ref == ref {
			return p.Name
		}
	}
	return ref
}
