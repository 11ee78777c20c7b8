package casework

import (
	"cmp"
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/match"
	"concert/internal/store"
)

const (
	// filmWall is the most time that one video has to be looked at: what was seen by
	// then counts. A job of a node ends after a minute (store.Work).
	filmWall = 35 * time.Second
	// framesNear is how near frames are of which one is enough, and framesAsked how
	// many are asked at most.
	framesNear  = 8
	framesAsked = 400
	// filmsMost bounds the videos that one is compared with, those with the most
	// frames in common.
	filmsMost = 16
)

// filmPrint makes the print of a video, false where none of its pictures says
// enough.
func filmPrint(film formats.Film) (madePrint, bool) {
	kept := match.DistinctFrames(film.Frames(), 0, concert.FramesMost)
	made := madePrint{Print: concert.Print{Kind: concert.PrintVideo, Frames: formats.KnownFrames(kept), Trouble: film.Cut}}
	for _, f := range film.Turned {
		made.film = append(made.film, f)
	}
	return made, len(kept) > 0
}

// questions are the frames of a video by which others are found, as it is and
// turned.
func questions(film [][]match.Frame) (out []match.Hash) {
	for _, turned := range film {
		for _, f := range match.DistinctFrames(turned, framesNear, framesAsked) {
			out = append(out, match.Hash(f.Hash))
		}
	}
	return out
}

// compareFilm compares a video with entries of banks and with the videos and the
// pictures that items hold.
func (s *Service) compareFilm(ctx context.Context, k *known, m madePrint) (out []concert.KnownMatch, err error) {
	qs := questions(m.film)
	hits, err := k.ask(concert.Actor{Authority: m.Authority}, KnownQuery{Hashes: qs, Radius: -1}, s.now())
	if err != nil {
		return nil, err
	}
	var ns []int64
	for _, h := range hits[:min(len(hits), concert.MatchesMost)] {
		ns = append(ns, h.Entry)
	}
	var es map[int64]concert.BankEntry
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		es, err = tx.EntriesByN(ctx, ns)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, h := range hits[:min(len(hits), concert.MatchesMost)] {
		x := s.blank(m)
		x.Entry, x.OtherSide, x.Owner, x.Distance = h.Entry, int64(h.Hash), h.Bank.Authority, h.Distance
		for _, kh := range es[h.Entry].Hashes {
			if kh.Kind == concert.HashVPDQ {
				if x, err = filmed(x, m.film, kh.Frames, h.Bank.Radius); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, x)
	}
	found, err := k.items.SearchBatch(nil, qs, match.HashRadii{Other: concert.AlikeRadius})
	if err != nil {
		return nil, err
	}
	return s.withOthers(ctx, k, m, out, commonest(found), func(n int64, p concert.Print) (concert.KnownMatch, bool, error) {
		x := s.blank(m)
		x.OtherSide = n
		if p.Kind == concert.PrintPicture {
			x, alike := withPicture(x, m.film, p)
			return x, alike, nil
		}
		x, err := filmed(x, m.film, p.Frames, concert.AlikeRadius)
		return x, len(x.Detail.Segments) > 0 || x.ShareHere >= concert.AlikeFrames || x.ShareThen >= concert.AlikeFrames, err
	})
}

// commonest are the prints with the most frames in common with what was asked.
func commonest(found [][]match.HashMatch) (ns []int64) {
	shared := map[int64]int{}
	for _, ms := range found {
		in := map[int64]bool{}
		for _, f := range ms {
			in[int64(f.ID>>hashBits)] = true
		}
		for n := range in {
			if shared[n]++; shared[n] == 1 {
				ns = append(ns, n)
			}
		}
	}
	slices.SortFunc(ns, func(a, b int64) int { return cmp.Or(shared[b]-shared[a], cmp.Compare(a, b)) })
	return ns[:min(len(ns), filmsMost)]
}

// filmed compares two videos, the one in the ways that it may be turned.
func filmed(x concert.KnownMatch, film [][]match.Frame, other []concert.KnownFrame, radius int) (concert.KnownMatch, error) {
	turn, l, err := match.CompareTurned(film, formats.MatchFrames(other), radius)
	if err != nil {
		return x, err
	}
	x.Turn, x.ShareHere, x.ShareThen = turn, int(l.ShareOfA*1000), int(l.ShareOfB*1000)
	for _, g := range l.Segments {
		x.Detail.Segments = append(x.Detail.Segments, concert.MatchSegment{From: g.A.From, To: g.A.To, Then: g.B.From, Frames: g.Frames})
		x.Distance = int(g.Distance)
	}
	return x, nil
}

// withPicture is the match of a video with a picture that is one of its frames.
func withPicture(x concert.KnownMatch, film [][]match.Frame, p concert.Print) (concert.KnownMatch, bool) {
	best := concert.AlikeRadius + 1
	picture := match.FrameHash(p.PDQ)
	for turn, frames := range film {
		for _, f := range frames {
			if d := f.Hash.Distance(&picture); d < best && f.Quality >= match.FrameQualityLeast {
				best = d
				x.By, x.Distance, x.Turn, x.Quality = concert.PrintPicture, d, turn, min(f.Quality, p.Quality)
				x.Detail = concert.MatchDetail{Here: slices.Clone(f.Hash[:]), There: slices.Clone(p.PDQ[:]), Segments: []concert.MatchSegment{{From: f.Seconds, To: f.Seconds, Frames: 1}}}
			}
		}
	}
	return x, best <= concert.AlikeRadius
}

// nearestFrame is the frame of a video that a picture's hash is nearest to.
func nearestFrame(fs []concert.KnownFrame, hash match.Hash) (best concert.KnownFrame) {
	least, want := 257, match.FrameHash(hash)
	for _, f := range fs {
		h := match.FrameHash(f.PDQ)
		if d := h.Distance(&want); d < least {
			least, best = d, f
		}
	}
	return best
}

// backFilm finds what was seen before that a video's entry matches: videos, and
// pictures that are one of its frames.
func (s *Service) backFilm(ctx context.Context, tx *store.Tx, k *known, b concert.Bank, frames []concert.KnownFrame) (map[int64]concert.KnownMatch, error) {
	film := [][]match.Frame{formats.MatchFrames(frames)}
	found, err := k.items.SearchBatch(nil, questions(film), match.HashRadii{Other: b.Radius})
	if err != nil {
		return nil, err
	}
	ps, err := tx.PrintsByN(ctx, commonest(found))
	if err != nil {
		return nil, err
	}
	out := map[int64]concert.KnownMatch{}
	for n, p := range ps {
		var x concert.KnownMatch
		if p.Kind == concert.PrintPicture {
			var alike bool
			if x, alike = withPicture(x, film, p); !alike {
				continue
			}
			x.Detail.Here, x.Detail.There = x.Detail.There, x.Detail.Here
		} else {
			// The item's side comes first, as in every match.
			if x, err = filmed(x, [][]match.Frame{formats.MatchFrames(p.Frames)}, frames, b.Radius); err != nil {
				return nil, err
			}
			if len(x.Detail.Segments) == 0 && x.ShareHere < concert.AlikeFrames && x.ShareThen < concert.AlikeFrames {
				continue
			}
		}
		out[n] = x
	}
	return out, nil
}
