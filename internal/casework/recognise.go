package casework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/sandbox"
	"concert/internal/store"
	"concert/pdq"
)

const (
	// recogniseTick is how often a node looks whether there is something to compare.
	recogniseTick = 500 * time.Millisecond
	// recogniseSpan bounds one run of the job: what is left is another's.
	recogniseSpan = 15 * time.Second
	// printBatch is how many captures are taken at a time, and lookBackBatch how many
	// new entries.
	printBatch    = 128
	lookBackBatch = 200
	// printMost is the most bytes of a capture that is opened for a print.
	printMost = previewMost
	// sureLeast is how sure a guess of a language is at least, in thousandths, to be
	// told.
	sureLeast = 500
)

// wakeRecognition makes sure that one node compares what waits to be.
func (s *Service) wakeRecognition(ctx context.Context) error {
	if s.Printers == nil {
		return nil
	}
	waiting := false
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		waiting, err = tx.Unrecognised(ctx)
		return err
	})
	if err != nil || !waiting {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.SetClock(concert.ClockRecognise, recogniseAll, s.now())
		return nil
	})
}

// recogniseAll is the subject of the one clock: one node at a time compares, so that
// of two copies that come at once one is the earlier.
const recogniseAll = "all"

// recogniseCaptures is the job.
func (s *Service) recogniseCaptures(ctx context.Context, _ concert.RecogniseCaptures) error {
	if s.Printers == nil {
		return nil // another node's, where there is one with a sandbox
	}
	return s.RecogniseFor(ctx, recogniseSpan)
}

// RecogniseFor makes prints of captures that have none and compares them with what
// is known, and what was seen before with entries that are new, until nothing waits
// or the span is over.
func (s *Service) RecogniseFor(ctx context.Context, span time.Duration) error {
	for end := time.Now().Add(span); time.Now().Before(end); {
		n, err := s.recogniseSome(ctx)
		if err != nil {
			return err
		}
		m, err := s.lookBackSome(ctx)
		if err != nil || n+m == 0 {
			return err
		}
	}
	return nil
}

func (s *Service) recogniseSome(ctx context.Context) (int, error) {
	var todo []store.Unprinted
	var sealed []store.SealedBytes
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if todo, err = tx.Unprinted(ctx, printBatch); err != nil {
			return err
		}
		// A video takes as long as all the rest: one at a time.
		if i := slices.IndexFunc(todo, func(u store.Unprinted) bool { return formats.IsFilm(u.MediaType) }); i >= 0 {
			todo = todo[:i+1]
		}
		sealed = make([]store.SealedBytes, len(todo))
		for i, u := range todo {
			if sealed[i], err = tx.CapturedBytes(ctx, u.Capture); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, concert.ErrNotFound) {
		return len(todo), nil // erased at this very moment
	}
	if err != nil || len(todo) == 0 {
		return 0, err
	}
	made, err := s.printAll(ctx, todo, sealed)
	if err != nil {
		return 0, err
	}
	return len(todo), s.recognised(ctx, todo, made)
}

// printAll makes the prints of captures, those of equal bytes once.
func (s *Service) printAll(ctx context.Context, todo []store.Unprinted, sealed []store.SealedBytes) ([]madePrint, error) {
	var out []madePrint
	of := map[string]*[]madePrint{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.Printers.Size))
	for i, u := range todo {
		if of[u.Bytes] != nil {
			continue
		}
		made := new([]madePrint)
		of[u.Bytes] = made
		g.Go(func() (err error) {
			*made, err = s.prints(ctx, u.Capture, sealed[i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	now := s.now()
	for _, u := range todo {
		for _, m := range *of[u.Bytes] {
			m.Item, m.Authority, m.Capture, m.At = u.Item, u.Authority, u.ID, now
			m.work = u.Kind.Works()
			out = append(out, m)
		}
	}
	return out, nil
}

// madePrint is a print with what it is asked by, and no longer kept after.
type madePrint struct {
	concert.Print
	turned []match.Hash    // of a picture
	film   [][]match.Frame // of a video, as it is and turned
	work   bool            // its bytes are the content itself
}

// prints makes what there is to make of a capture's bytes. What cannot be read has
// a print that says so.
func (s *Service) prints(ctx context.Context, c concert.Capture, sealed store.SealedBytes) ([]madePrint, error) {
	of := madePrint{Print: concert.Print{Kind: concert.PrintBytes, SHA256: c.SHA256}}
	trouble := func(why string) ([]madePrint, error) {
		of.Trouble = why
		return []madePrint{of}, nil
	}
	if c.Size > printMost {
		return trouble(fmt.Sprintf("it has more than %d MB and is not opened here", printMost>>20))
	}
	r, err := s.unseal(c, sealed)
	if err != nil {
		if refused, other := refusal(err); other == nil {
			return trouble(refused.Message)
		}
		return nil, err
	}
	defer r.Close()
	plain, err := io.ReadAll(r)
	if err != nil {
		return trouble(err.Error())
	}
	player := formats.NewPlayer(s.Printers)
	player.FPCalc, player.Wall = "", filmWall // sounds are not compared here
	f := player.HashFile(ctx, c.Ref, bytes.NewReader(plain))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	of.SHA256, of.SHA1, of.MD5, of.Trouble = f.SHA256, f.SHA1, f.MD5, f.Error
	made := []madePrint{of}
	switch {
	case f.PDQ != "" && f.Quality >= pdq.QualityLeast: // less would be like too much
		look := madePrint{Print: concert.Print{Kind: concert.PrintPicture, Quality: f.Quality}}
		for _, t := range f.Turned {
			look.turned = append(look.turned, t.Bytes())
		}
		look.PDQ = look.turned[pdq.Original]
		made = append(made, look)
	case f.Film != nil:
		film, there := filmPrint(*f.Film)
		if !there {
			return trouble("no picture of the video is clear enough to be compared")
		}
		made = append(made, film)
	}
	words, err := s.printWords(ctx, c, plain)
	var refused *sandbox.Refused
	switch {
	case errors.As(err, &refused), errors.Is(err, sandbox.ErrGone):
		return trouble(err.Error())
	case err != nil:
		return nil, err
	}
	return append(made, words...), nil
}

// printWords makes the print of what one reads.
func (s *Service) printWords(ctx context.Context, c concert.Capture, plain []byte) ([]madePrint, error) {
	switch media := c.MediaType; {
	case strings.HasPrefix(media, "text/plain"):
		text, _ := formats.PlainText(plain) // of a long one the beginning is compared
		return textPrint(textKind(c), strings.TrimSpace(text))
	case media == "text/html", media == "multipart/related":
		out, err := s.Printers.Do(ctx, TaskRender, append([]byte(media+"\n"), plain...))
		if err != nil {
			return nil, err
		}
		r, err := formats.ReadRendition(out)
		if err != nil {
			return nil, &sandbox.Refused{Reason: err.Error()}
		}
		return textPrint(textKind(c), strings.TrimSpace(r.Title+"\n"+r.Text))
	}
	return nil, nil
}

func textKind(c concert.Capture) concert.PrintKind {
	if c.Kind == concert.CapturePage {
		return concert.PrintPage
	}
	return concert.PrintText
}

func textPrint(kind concert.PrintKind, text string) ([]madePrint, error) {
	if text == "" {
		return nil, nil
	}
	sketch := match.SketchOf(text)
	raw, err := sketch.MarshalBinary()
	p := concert.Print{Kind: kind, Sketch: raw}
	if g := match.Language(text); g.Language != concert.LanguageUnknown && int(g.Confidence*1000) >= sureLeast {
		p.Language, p.Script, p.Sure = g.Language, g.Script, int(g.Confidence*1000)
	}
	return []madePrint{{Print: p}}, err
}

// recognised keeps the prints and what they are like.
func (s *Service) recognised(ctx context.Context, todo []store.Unprinted, made []madePrint) error {
	ids := make([]concert.CaptureID, len(todo))
	for i, u := range todo {
		ids[i] = u.ID
	}
	k, err := s.openKnown()
	if err != nil {
		return err
	}
	// What others printed comes first; ours is taken in one by one, as it is compared.
	k.prints.Lock()
	defer k.prints.Unlock()
	if err := errors.Join(s.refreshEntries(ctx, k), s.refreshPrints(ctx, k)); err != nil {
		return err
	}
	var kept []madePrint
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		kept = nil
		if err := tx.DropPrints(ctx, ids); err != nil {
			return err
		}
		var digests, others []concert.Print
		for _, m := range made {
			if m.Kind == concert.PrintBytes {
				if m.work {
					digests = append(digests, m.Print)
				}
				continue
			}
			others = append(others, m.Print)
		}
		numbered, err := tx.AddPrints(ctx, others)
		if err != nil {
			return err
		}
		next := 0
		for _, m := range made {
			if m.Kind == concert.PrintBytes {
				kept = append(kept, m)
			} else if next < len(numbered) && numbered[next].Capture == m.Capture && numbered[next].Kind == m.Kind {
				m.Print = numbered[next]
				kept, next = append(kept, m), next+1
			}
		}
		return tx.AddDigests(ctx, digests)
	})
	if err != nil {
		return err
	}
	found, err := s.compareAll(ctx, k, kept)
	if err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := s.keepMatches(ctx, tx, kept, found, false); err != nil {
			return err
		}
		return tx.Printed(ctx, ids, s.now())
	})
}
