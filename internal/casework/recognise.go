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
	"concert/internal/identity"
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
	// sameMost bounds the items with the same bytes or words that are looked at, of
	// which the first is kept and the first of its own authority, and alikeMost the
	// prints that look alike: copies are in one cluster, so that a few lead to all.
	sameMost  = 16
	alikeMost = 24
	// textCandidates bounds the texts that one is compared with.
	textCandidates = 32
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

// compareAll compares prints with banks and with what was seen before, in order: a
// print is like those before it. The caller holds prints.
func (s *Service) compareAll(ctx context.Context, k *known, kept []madePrint) (found []concert.KnownMatch, err error) {
	// What has the same bytes need not be told to look alike, nor to say the same.
	same, copied := map[[2]concert.ItemID]bool{}, map[concert.ItemID]bool{}
	for _, m := range kept {
		var ms []concert.KnownMatch
		switch m.Kind {
		case concert.PrintBytes:
			ms, err = s.compareBytes(ctx, k, m)
		case concert.PrintPicture:
			ms, err = s.comparePicture(ctx, k, m)
		case concert.PrintVideo:
			ms, err = s.compareFilm(ctx, k, m)
		case concert.PrintText, concert.PrintPage:
			ms, err = s.compareText(ctx, k, m)
		}
		if err != nil {
			return nil, err
		}
		for _, x := range ms {
			pair := [2]concert.ItemID{x.Item, x.Other}
			if x.Other != "" && m.Kind == concert.PrintBytes {
				same[pair], copied[x.Item] = true, true
			} else if same[pair] || copied[x.Item] && x.Detail.Why == string(match.TextSame) {
				continue
			}
			found = append(found, x)
		}
		if m.Kind != concert.PrintBytes {
			if err := k.learn(m.Print); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// blank is a match of a print, with nothing in it yet.
func (s *Service) blank(m madePrint) concert.KnownMatch {
	return concert.KnownMatch{Ref: identity.NewReference("KM"), Item: m.Item, Authority: m.Authority, By: m.Kind, Print: m.N, At: s.now()}
}

func (s *Service) compareBytes(ctx context.Context, k *known, m madePrint) (out []concert.KnownMatch, err error) {
	a := k.forWhom(concert.Actor{Authority: m.Authority}, s.now())
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		hits, err := tx.EntriesWithDigest(ctx, nonEmpty(m.SHA256, m.SHA1, m.MD5)...)
		if err != nil {
			return err
		}
		for _, h := range hits {
			b, answers := a.banks[uint32(h.Bank)]
			if !answers {
				continue
			}
			if b.Negative {
				out = nil
				break
			}
			x := s.blank(m)
			x.Entry, x.Owner = h.Entry, b.Authority
			out = append(out, x)
		}
		if !m.work || m.SHA256 == "" {
			return nil
		}
		same, err := tx.ItemsWithDigest(ctx, m.SHA256, sameMost)
		all, own := false, false
		for _, o := range same {
			if o.Item == m.Item || all && (own || o.Authority != m.Authority) {
				continue
			}
			all, own = true, own || o.Authority == m.Authority
			x := s.blank(m)
			x.Other, x.Owner = o.Item, o.Authority
			out = append(out, x)
		}
		return err
	})
	return out, err
}

func nonEmpty(in ...string) []string {
	return slices.DeleteFunc(in, func(s string) bool { return s == "" })
}

func (s *Service) comparePicture(ctx context.Context, k *known, m madePrint) (out []concert.KnownMatch, err error) {
	hits, err := k.ask(concert.Actor{Authority: m.Authority}, KnownQuery{Hashes: m.turned, Radius: -1}, s.now())
	if err != nil {
		return nil, err
	}
	for _, h := range hits[:min(len(hits), concert.MatchesMost)] {
		x := s.blank(m)
		x.Entry, x.OtherSide, x.Owner, x.Distance, x.Turn, x.Quality = h.Entry, int64(h.Hash), h.Bank.Authority, h.Distance, h.Turn, m.Quality
		x.Detail.Here = m.turned[h.Turn][:]
		out = append(out, x)
	}
	found, err := k.items.SearchBatch(nil, m.turned, match.HashRadii{Other: concert.AlikeRadius})
	if err != nil {
		return nil, err
	}
	best := map[int64]concert.KnownMatch{}
	var ns []int64
	for turn, ms := range found {
		for _, f := range ms {
			n := int64(f.ID >> hashBits)
			if had, known := best[n]; known && had.Distance <= f.Distance {
				continue
			} else if !known {
				ns = append(ns, n)
			}
			x := s.blank(m)
			x.OtherSide, x.Distance, x.Turn = n, f.Distance, turn
			x.Detail.Here = m.turned[turn][:]
			best[n] = x
		}
	}
	slices.SortFunc(ns, func(a, b int64) int { return best[a].Distance - best[b].Distance })
	return s.withOthers(ctx, k, m, out, ns[:min(len(ns), alikeMost)], func(n int64, p concert.Print) (concert.KnownMatch, bool) {
		x := best[n]
		if p.Kind == concert.PrintVideo { // the picture is one of its frames
			f := nearestFrame(p.Frames, m.turned[x.Turn])
			x.Quality, x.Detail.There = min(m.Quality, f.Quality), f.PDQ[:]
			x.Detail.Segments = []concert.MatchSegment{{Then: f.Seconds, Frames: 1}}
			return x, true
		}
		x.Quality = min(m.Quality, p.Quality)
		x.Detail.There = p.PDQ[:]
		return x, true
	})
}

// withOthers adds the matches with other items' prints. Those that are gone are
// forgotten.
func (s *Service) withOthers(ctx context.Context, k *known, m madePrint, out []concert.KnownMatch, ns []int64, with func(int64, concert.Print) (concert.KnownMatch, bool)) ([]concert.KnownMatch, error) {
	if len(ns) == 0 {
		return out, nil
	}
	var ps map[int64]concert.Print
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		ps, err = tx.PrintsByN(ctx, ns)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, n := range ns {
		p, there := ps[n]
		if !there {
			if err := k.forget(n); err != nil {
				return nil, err
			}
			continue
		}
		if p.Item == m.Item {
			continue
		}
		if x, ok := with(n, p); ok {
			x.Other, x.Owner = p.Item, p.Authority
			out = append(out, x)
		}
	}
	return out, nil
}

func (s *Service) compareText(ctx context.Context, k *known, m madePrint) ([]concert.KnownMatch, error) {
	var sketch match.Sketch
	if err := sketch.UnmarshalBinary(m.Sketch); err != nil {
		return nil, err
	}
	return s.withOthers(ctx, k, m, nil, k.textsLike(&sketch), func(n int64, p concert.Print) (concert.KnownMatch, bool) {
		var other match.Sketch
		if other.UnmarshalBinary(p.Sketch) != nil {
			return concert.KnownMatch{}, false
		}
		l := sketch.Compare(&other)
		x := s.blank(m)
		x.OtherSide, x.Distance, x.ShareHere, x.ShareThen = n, l.Distance, int(l.ShareOfA*1000), int(l.ShareOfB*1000)
		x.Detail.Why = string(l.Verdict)
		if p.Kind == concert.PrintPage {
			x.By = p.Kind
		}
		return x, l.Verdict == match.TextSame || l.Verdict == match.TextNear || l.Verdict == match.TextPart
	})
}

// keepMatches writes matches, joins copies into clusters and records what each item
// was found to be like.
func (s *Service) keepMatches(ctx context.Context, tx *store.Tx, made []madePrint, found []concert.KnownMatch, back bool) error {
	if len(found) == 0 {
		return nil
	}
	byItem := map[concert.ItemID][]concert.KnownMatch{}
	var order []concert.ItemID
	for _, m := range found {
		if _, known := byItem[m.Item]; !known {
			order = append(order, m.Item)
		}
		byItem[m.Item] = append(byItem[m.Item], m)
	}
	items, err := tx.BareItemsByID(ctx, order)
	if err != nil {
		return err
	}
	var nearest []concert.KnownMatch
	for _, it := range items {
		if it.ErasedAt.IsZero() {
			nearest = append(nearest, concert.Nearest(byItem[it.ID])...)
		}
	}
	added, err := tx.AddMatches(ctx, identity.NewID, nearest)
	if err != nil {
		return err
	}
	if err := s.tellHolders(ctx, tx, items, added); err != nil {
		return err
	}
	clear(byItem)
	for _, m := range added {
		byItem[m.Item] = append(byItem[m.Item], m)
	}
	for _, it := range items {
		fresh := byItem[it.ID]
		if err := s.joinCopies(ctx, tx, it.ID, fresh); err != nil {
			return err
		}
		for _, a := range authoritiesOf(fresh) {
			of := slices.DeleteFunc(slices.Clone(fresh), func(m concert.KnownMatch) bool { return m.Authority != a })
			var prints []concert.Print
			for _, p := range made {
				if p.Item == it.ID && p.Authority == a {
					prints = append(prints, p.Print)
				}
			}
			if e, ok := it.Recognised(a, prints, of, back, s.now()); ok {
				tx.Record(e)
			}
		}
	}
	return nil
}

func authoritiesOf(ms []concert.KnownMatch) (out []concert.AuthorityID) {
	for _, m := range ms {
		if !slices.Contains(out, m.Authority) {
			out = append(out, m.Authority)
		}
	}
	return out
}

// tellHolders tells whoever holds what items are copies of.
func (s *Service) tellHolders(ctx context.Context, tx *store.Tx, items []concert.Item, ms []concert.KnownMatch) error {
	var ids []concert.ItemID
	for _, m := range ms {
		if m.Other != "" && m.Alike() {
			ids = append(ids, m.Other)
		}
	}
	slices.Sort(ids)
	others, err := tx.BareItemsByID(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	held, err := tx.HoldsFor(ctx, others)
	if err != nil || len(held) == 0 {
		return err
	}
	for _, m := range ms {
		it := items[slices.IndexFunc(items, func(it concert.Item) bool { return it.ID == m.Item })]
		for _, h := range held[m.Other] {
			a, e, stands := h.Mirrored(it, m.Authority, s.now())
			if !stands || !m.Alike() || h.Covers(it) {
				continue // what it covers itself is told when it is to go out
			}
			if fresh, err := tx.AddAsked(ctx, a); err != nil {
				return err
			} else if fresh {
				tx.Record(e)
			}
		}
	}
	return nil
}

// joinCopies puts the item into one cluster with what it is a copy of. The name of
// a cluster says nothing.
func (s *Service) joinCopies(ctx context.Context, tx *store.Tx, item concert.ItemID, ms []concert.KnownMatch) error {
	ids := []concert.ItemID{item}
	for _, m := range ms {
		if m.Other != "" && m.Alike() && !slices.Contains(ids, m.Other) {
			ids = append(ids, m.Other)
		}
	}
	if len(ids) == 1 {
		return nil
	}
	in, err := tx.ClustersOf(ctx, ids)
	if err != nil {
		return err
	}
	var clusters []string
	for _, id := range ids {
		if c := in[id]; c != "" && !slices.Contains(clusters, c) {
			clusters = append(clusters, c)
		}
	}
	if len(clusters) == 0 {
		clusters = []string{identity.NewID()}
	}
	slices.Sort(clusters)
	alone := slices.DeleteFunc(ids, func(id concert.ItemID) bool { return in[id] == clusters[0] })
	return tx.JoinCluster(ctx, clusters[0], alone, clusters[1:])
}
