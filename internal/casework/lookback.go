package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/match"
	"concert/internal/store"
	"concert/pdq"
)

// lookBackSome compares what was seen before with entries that are new. One that
// matches too much is no work but a common picture: it waits for a person, and
// nothing of what it matched is kept.
func (s *Service) lookBackSome(ctx context.Context) (int, error) {
	var es []concert.BankEntry
	banks := map[concert.BankID]concert.Bank{}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if es, err = tx.EntriesToLookBack(ctx, lookBackBatch); err != nil || len(es) == 0 {
			return err
		}
		all, err := tx.BareBanks(ctx)
		for _, b := range all {
			banks[b.ID] = b
		}
		return err
	})
	if err != nil || len(es) == 0 {
		return 0, err
	}
	k, err := s.openKnown()
	if err != nil {
		return 0, err
	}
	k.prints.Lock()
	err = s.refreshPrints(ctx, k)
	seen := int(k.print)
	k.prints.Unlock()
	if err != nil {
		return 0, err
	}
	for _, e := range es {
		b := banks[e.Bank]
		if b.Negative || !e.Matches(s.now()) {
			continue
		}
		found, items, err := s.lookBack(ctx, k, b, e)
		if err != nil {
			return 0, err
		}
		err = s.retryStale(ctx, func(tx *store.Tx) error {
			if concert.Floods(items, seen) && !e.Cleared {
				next, ev := e.Quarantined(b, items, s.now())
				tx.Record(ev)
				return tx.SaveEntries(ctx, []concert.BankEntry{next})
			}
			return s.keepMatches(ctx, tx, nil, found, true)
		})
		if err != nil {
			return 0, err
		}
	}
	ns := make([]int64, len(es))
	for i, e := range es {
		ns[i] = e.N
	}
	if err := s.DB.Update(ctx, func(tx *store.Tx) error { return tx.LookedBack(ctx, ns, s.now()) }); err != nil {
		return 0, err
	}
	return len(es), s.follow(ctx) // some may be in quarantine now
}

// lookBack finds what was seen before that the entry matches, and how many items
// that would be.
func (s *Service) lookBack(ctx context.Context, k *known, b concert.Bank, e concert.BankEntry) (out []concert.KnownMatch, items int, err error) {
	answers := func(a concert.AuthorityID) bool { return b.Answers(concert.Actor{Authority: a}, s.now()) }
	reached := map[concert.ItemID]bool{}
	best := map[int64]concert.KnownMatch{} // by print
	var ns []int64
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		side := 0
		for i, h := range e.Hashes {
			if i > 0 {
				side += max(1, len(e.Hashes[i-1].Frames))
			}
			switch h.Kind {
			case concert.HashSHA256, concert.HashSHA1, concert.HashMD5:
				same, err := tx.ItemsWithDigest(ctx, h.Value, concert.BankEntriesMost)
				if err != nil {
					return err
				}
				for _, o := range same {
					reached[o.Item] = true
					if !answers(o.Authority) {
						continue
					}
					x := s.blank(madePrint{Print: concert.Print{Item: o.Item, Authority: o.Authority, Kind: concert.PrintBytes}})
					x.Entry, x.Owner, x.OtherSide = e.N, b.Authority, int64(side)
					out = append(out, x)
				}
			case concert.HashPDQ:
				if h.Quality >= 0 && h.Quality < pdq.QualityLeast {
					continue
				}
				hash, err := pdq.Parse(h.Value)
				if err != nil {
					return err
				}
				found, err := k.items.SearchBanks(nil, hash.Bytes(), match.HashRadii{Other: -1, Banks: map[uint32]int{ofPicture: b.Radius}})
				if err != nil {
					return err
				}
				for _, f := range found {
					n := int64(f.ID >> hashBits)
					if had, known := best[n]; known && had.Distance <= f.Distance {
						continue
					} else if !known {
						ns = append(ns, n)
					}
					there := hash.Bytes()
					best[n] = concert.KnownMatch{By: concert.PrintPicture, Distance: f.Distance, OtherSide: int64(side), Detail: concert.MatchDetail{There: there[:]}}
				}
			case concert.HashVPDQ:
				films, err := s.backFilm(ctx, tx, k, b, h.Frames)
				if err != nil {
					return err
				}
				for n, x := range films {
					if _, known := best[n]; !known {
						x.OtherSide = int64(side)
						best[n], ns = x, append(ns, n)
					}
				}
			}
		}
		slices.SortStableFunc(ns, func(x, y int64) int { return best[x].Distance - best[y].Distance })
		items = len(ns)
		ps, err := tx.PrintsByN(ctx, ns[:min(len(ns), concert.BankEntriesMost)])
		if err != nil {
			return err
		}
		for _, n := range ns {
			p, there := ps[n]
			if !there || !answers(p.Authority) {
				continue
			}
			x := s.blank(madePrint{Print: p})
			x.Entry, x.Owner, x.OtherSide, x.Distance, x.Quality = e.N, b.Authority, best[n].OtherSide, best[n].Distance, p.Quality
			x.ShareHere, x.ShareThen, x.Detail = best[n].ShareHere, best[n].ShareThen, best[n].Detail
			if p.Kind == concert.PrintPicture {
				x.Detail.Here = p.PDQ[:]
			}
			out = append(out, x)
		}
		return nil
	})
	return out, max(items, len(reached)), err
}

// goneTerm is for how long nodes are told which prints went with erased items; a
// node that was away longer reads all anew.
const goneTerm = 24 * time.Hour

func (s *Service) forgetPrints(ctx context.Context) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.ForgetPrintsGone(ctx, time.Now().Add(-goneTerm)) })
}
