package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/match"
	"concert/internal/store"
)

const (
	// sameMost bounds the items with the same bytes or words that are looked at, of
	// which the first is kept and the first of its own authority, and alikeMost the
	// prints that look alike: copies are in one cluster, so that a few lead to all.
	sameMost  = 16
	alikeMost = 24
	// textCandidates bounds the texts that one is compared with.
	textCandidates = 32
)

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
	return s.withOthers(ctx, k, m, out, ns[:min(len(ns), alikeMost)], func(n int64, p concert.Print) (concert.KnownMatch, bool, error) {
		x := best[n]
		if p.Kind == concert.PrintVideo { // the picture is one of its frames
			f := nearestFrame(p.Frames, m.turned[x.Turn])
			x.Quality, x.Detail.There = min(m.Quality, f.Quality), f.PDQ[:]
			x.Detail.Segments = []concert.MatchSegment{{Then: f.Seconds, Frames: 1}}
			return x, true, nil
		}
		x.Quality = min(m.Quality, p.Quality)
		x.Detail.There = p.PDQ[:]
		return x, true, nil
	})
}

// withOthers adds the matches with other items' prints. Those that are gone are
// forgotten.
func (s *Service) withOthers(ctx context.Context, k *known, m madePrint, out []concert.KnownMatch, ns []int64, with func(int64, concert.Print) (m concert.KnownMatch, alike bool, err error)) ([]concert.KnownMatch, error) {
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
		x, alike, err := with(n, p)
		if err != nil {
			return nil, err
		}
		if alike {
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
	return s.withOthers(ctx, k, m, nil, k.textsLike(&sketch), func(n int64, p concert.Print) (concert.KnownMatch, bool, error) {
		var other match.Sketch
		if err := other.UnmarshalBinary(p.Sketch); err != nil {
			return concert.KnownMatch{}, false, err
		}
		l := sketch.Compare(&other)
		x := s.blank(m)
		x.OtherSide, x.Distance, x.ShareHere, x.ShareThen = n, l.Distance, int(l.ShareOfA*1000), int(l.ShareOfB*1000)
		x.Detail.Why = string(l.Verdict)
		if p.Kind == concert.PrintPage {
			x.By = p.Kind
		}
		return x, l.Verdict == match.TextSame || l.Verdict == match.TextNear || l.Verdict == match.TextPart, nil
	})
}
