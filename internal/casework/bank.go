package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// What became of an entry that was to come into a bank, besides OutcomeKnown of one
// that was there.
const (
	OutcomeAdded    = "added"
	OutcomeRecalled = "recalled"
)

// OpenBank opens a bank of known content.
func (s *Service) OpenBank(ctx context.Context, by concert.Actor, in concert.Bank) (concert.Bank, error) {
	in.ID, in.Ref, in.Exercise, in.Version = concert.BankID(identity.NewID()), identity.NewReference("BK"), s.Exercise, 1
	b, e, err := in.Opened(by, s.now())
	if err != nil {
		return b, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) (err error) {
		tx.Record(e.WithSealed(bankText(b)))
		b, err = tx.AddBank(ctx, b)
		return err
	})
	if e, other := refusal(err); other == nil && e != nil && e.Code == store.CodeExists {
		err = concert.Refuse(concert.Conflict, "bank.name_taken", "name", "your authority has a bank %s already: choose another name, or fill that one", b.Name)
	}
	if err != nil {
		return b, err
	}
	return b, s.follow(ctx)
}

// BankText is the sealed part of events on a bank.
type BankText struct {
	Name       string   `json:"name"`
	Purpose    string   `json:"purpose"`
	LegalBasis string   `json:"legal_basis"`
	Labels     []string `json:"labels,omitempty"`
}

func bankText(b concert.Bank) BankText { return BankText{b.Name, b.Purpose, b.LegalBasis, b.Labels} }

// follow lets this node know at once what its own act changed.
func (s *Service) follow(ctx context.Context) error {
	if s.known.Load() == nil {
		return nil // nothing was asked of it yet: it will read all
	}
	return s.RefreshKnown(ctx)
}

// ownBank is a bank of the actor's authority.
func (s *Service) ownBank(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Bank, error) {
	b, err := tx.Bank(ctx, ref)
	if err == nil && (by.Authority == "" || b.Authority != by.Authority) {
		return b, concert.ErrNotFound
	}
	return b, err
}

// changeBank lets a rule change a bank of the actor's authority.
func (s *Service) changeBank(ctx context.Context, by concert.Actor, ref string, version int64, rule func(b concert.Bank, held []concert.Handling) (concert.Bank, concert.Event, error)) (concert.Bank, error) {
	var out concert.Bank
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		b, err := s.ownBank(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		held, err := tx.EntryHandlings(ctx, b.ID)
		if err != nil {
			return err
		}
		next, e, err := rule(b, held)
		if err != nil {
			return err
		}
		if version != b.Version {
			return outdated()
		}
		tx.Record(e.WithSealed(bankText(next)))
		out = next
		out.Version++
		return tx.SaveBank(ctx, next)
	})
	if err != nil {
		return out, err
	}
	return out, s.follow(ctx)
}

// ChangeBank changes what a bank of the actor's authority is for and how it
// answers.
func (s *Service) ChangeBank(ctx context.Context, by concert.Actor, ref string, version int64, to concert.Bank) (concert.Bank, error) {
	return s.changeBank(ctx, by, ref, version, func(b concert.Bank, held []concert.Handling) (concert.Bank, concert.Event, error) {
		return b.Changed(by, to, held, s.now())
	})
}

// CloseBank ends a bank: its entries match nothing from then on.
func (s *Service) CloseBank(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Bank, error) {
	return s.changeBank(ctx, by, ref, version, func(b concert.Bank, _ []concert.Handling) (concert.Bank, concert.Event, error) {
		return b.Closed(by, s.now())
	})
}

// Filling is what goes into a bank, or is recalled by the source that it came from.
type Filling struct {
	concert.BankEntry
	Gone bool // SourceID is recalled
}

// FillBank adds entries to a bank of the actor's authority, at most
// concert.BankEntriesMost at once, and takes out what their source recalls. What the
// bank has of a source already is known.
func (s *Service) FillBank(ctx context.Context, by concert.Actor, ref string, in []Filling) ([]Result, error) {
	if err := by.MayFillBanks(); err != nil {
		return nil, err
	}
	if len(in) > concert.BankEntriesMost {
		return nil, concert.Refuse(concert.TooLarge, "bank.entries", "entries", "at most %d entries at once: send the rest in another request", concert.BankEntriesMost)
	}
	var out filling
	err := s.retryStale(ctx, func(tx *store.Tx) (err error) {
		if out, err = s.sorted(ctx, tx, by, ref, in); err != nil {
			return err
		}
		tx.Record(out.bank.Filled(by, len(out.fresh), len(out.ended), s.now())...)
		if _, err := tx.AddEntries(ctx, out.bank, out.fresh); err != nil {
			return err
		}
		return tx.SaveEntries(ctx, out.ended)
	})
	if err != nil {
		return nil, err
	}
	return out.results, s.follow(ctx)
}

// filling is what would become of entries that are to come into a bank.
type filling struct {
	bank         concert.Bank
	fresh, ended []concert.BankEntry
	results      []Result
}

// sorted says which entries are new to a bank, which are recalled by their source,
// and what is refused.
func (s *Service) sorted(ctx context.Context, tx *store.Tx, by concert.Actor, ref string, in []Filling) (out filling, err error) {
	if out.bank, err = s.ownBank(ctx, tx, by, ref); err != nil {
		return out, err
	}
	var sources []string
	for _, f := range in {
		if f.SourceID != "" {
			sources = append(sources, f.SourceID)
		}
	}
	have, err := tx.EntriesBySource(ctx, out.bank.ID, sources)
	if err != nil {
		return out, err
	}
	out.results = make([]Result, len(in))
	for i, f := range in {
		if err := out.sort(by, f, have, &out.results[i], s.now()); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (out *filling) sort(by concert.Actor, f Filling, have map[string]concert.BankEntry, res *Result, now time.Time) error {
	had, known := have[f.SourceID]
	known = known && f.SourceID != ""
	res.Ref, res.Outcome = had.Ref, OutcomeKnown
	if f.Gone != known || !had.EndedAt.IsZero() {
		return nil
	}
	var e concert.BankEntry
	var err error
	if f.Gone {
		e, _, err = had.Ended(out.bank, by, concert.EntryRecalled, now)
		res.Outcome = OutcomeRecalled
	} else {
		f.Ref = identity.NewReference("KE")
		e, err = out.bank.Entered(by, f.BankEntry, now)
		res.Outcome = OutcomeAdded
	}
	if res.Err, err = refusal(err); err != nil || res.Err != nil {
		return err
	}
	res.Ref, res.Version = e.Ref, e.Version+1
	switch {
	case f.Gone && had.N == 0: // it came with the same list
		out.fresh = slices.DeleteFunc(out.fresh, func(o concert.BankEntry) bool { return o.Ref == e.Ref })
	case f.Gone:
		out.ended = append(out.ended, e)
	default:
		out.fresh = append(out.fresh, e)
	}
	have[f.SourceID] = e
	return nil
}

// BankItem enters an item's content into a bank of the actor's authority: the
// hashes of its own captures of it.
func (s *Service) BankItem(ctx context.Context, by concert.Actor, bank, item string) (concert.BankEntry, error) {
	var out concert.BankEntry
	if err := by.MayFillBanks(); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		b, err := s.ownBank(ctx, tx, by, bank)
		if err != nil {
			return err
		}
		it, err := s.ownItem(ctx, tx, by, item)
		if err != nil {
			return err
		}
		if err := it.Standing(); err != nil {
			return err
		}
		had, err := tx.EntriesOf(ctx, it.ID)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(had, func(e concert.BankEntry) bool { return e.Bank == b.ID && e.EndedAt.IsZero() }); i >= 0 {
			return concert.Refuse(concert.Conflict, "bank.item_known", "item", "item %s is entry %s of bank %s already: withdraw that one first if its content is another now", it.Ref, had[i].Ref, b.Name)
		}
		hs, err := hashesOf(ctx, tx, it.ID, by.Authority)
		if err != nil {
			return err
		}
		if len(hs) == 0 {
			return concert.Refuse(concert.Conflict, "bank.no_hash", "item", "item %s has no capture of your authority that is the content itself, or it is not compared yet: add a screenshot or the file, and try again in a few seconds", it.Ref)
		}
		e, err := b.Entered(by, concert.BankEntry{Ref: identity.NewReference("KE"), Hashes: hs, Name: it.Ref, Handling: it.Handling, Item: it.ID}, s.now())
		if err != nil {
			return err
		}
		tx.Record(b.Filled(by, 1, 0, s.now())...)
		es, err := tx.AddEntries(ctx, b, []concert.BankEntry{e})
		if err == nil {
			out = es[0]
		}
		return err
	})
	if err != nil {
		return out, err
	}
	return out, s.follow(ctx)
}

// hashesOf are the hashes of an authority's captures of an item that are the
// content itself.
func hashesOf(ctx context.Context, tx *store.Tx, item concert.ItemID, a concert.AuthorityID) ([]concert.KnownHash, error) {
	cs, err := tx.Captures(ctx, item)
	if err != nil {
		return nil, err
	}
	works := map[concert.CaptureID]bool{}
	var out []concert.KnownHash
	add := func(h concert.KnownHash) {
		if len(out) < 64 && !slices.ContainsFunc(out, func(o concert.KnownHash) bool { return o.Kind == h.Kind && o.Value == h.Value && h.Value != "" }) {
			out = append(out, h)
		}
	}
	for _, c := range cs {
		if works[c.ID] = c.Authority == a && c.Kind.Works(); works[c.ID] && c.SHA256 != "" {
			add(concert.KnownHash{Kind: concert.HashSHA256, Value: c.SHA256, Quality: -1})
		}
	}
	ps, err := tx.PrintsOf(ctx, item, a)
	for _, p := range ps {
		switch {
		case !works[p.Capture]:
		case p.Kind == concert.PrintPicture:
			add(concert.KnownHash{Kind: concert.HashPDQ, Value: fmt.Sprintf("%x", p.PDQ), Quality: p.Quality})
		case p.Kind == concert.PrintVideo:
			add(concert.KnownHash{Kind: concert.HashVPDQ, Quality: -1, Frames: p.Frames})
		}
	}
	return out, err
}

// changeEntry lets a rule change an entry of a bank.
func (s *Service) changeEntry(ctx context.Context, ref string, rule func(concert.BankEntry, concert.Bank) (concert.BankEntry, concert.Event, error), then func(*store.Tx, concert.BankEntry) error) (concert.BankEntry, error) {
	var out concert.BankEntry
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		e, err := tx.EntryByRef(ctx, ref)
		if err != nil {
			return err
		}
		b, err := tx.Bank(ctx, string(e.Bank))
		if err != nil {
			return err
		}
		next, ev, err := rule(e, b)
		if err != nil {
			return err
		}
		tx.Record(ev)
		if err := tx.SaveEntries(ctx, []concert.BankEntry{next}); err != nil {
			return err
		}
		out = next
		out.Version++
		if then == nil {
			return nil
		}
		return then(tx, next)
	})
	if err != nil {
		return out, err
	}
	return out, s.follow(ctx)
}

// EndEntry withdraws an entry: it matches nothing from then on, and every holder
// learns of it.
func (s *Service) EndEntry(ctx context.Context, by concert.Actor, ref string) (concert.BankEntry, error) {
	return s.changeEntry(ctx, ref, func(e concert.BankEntry, b concert.Bank) (concert.BankEntry, concert.Event, error) {
		return e.Ended(b, by, concert.EntryWithdrawn, s.now())
	}, nil)
}

// JudgeEntry says what the actor's authority thinks of an entry.
func (s *Service) JudgeEntry(ctx context.Context, by concert.Actor, ref string, o concert.Opinion) (concert.BankEntry, error) {
	if err := by.MayFillBanks(); err != nil {
		return concert.BankEntry{}, err // before it is told that there is one
	}
	return s.changeEntry(ctx, ref, func(e concert.BankEntry, b concert.Bank) (concert.BankEntry, concert.Event, error) {
		return e.Judged(b, by, o, s.now())
	}, func(tx *store.Tx, e concert.BankEntry) error {
		return tx.SetOpinion(ctx, e.N, e.Said[len(e.Said)-1])
	})
}

// ClearEntry lets an entry match that was kept from it because it matched too much.
func (s *Service) ClearEntry(ctx context.Context, by concert.Actor, ref string) (concert.BankEntry, error) {
	return s.changeEntry(ctx, ref, func(e concert.BankEntry, b concert.Bank) (concert.BankEntry, concert.Event, error) {
		return e.ClearedBy(b, by, s.now())
	}, func(tx *store.Tx, e concert.BankEntry) error { return tx.LookBackAgain(ctx, e.N) })
}

// expireEntries ends entries whose time is over.
func (s *Service) expireEntries(ctx context.Context) error {
	const page = 500
	for n := page; n == page; {
		err := s.retryStale(ctx, func(tx *store.Tx) error {
			es, err := tx.ExpiredEntries(ctx, s.now(), page)
			if n = len(es); err != nil || n == 0 {
				return err
			}
			banks, err := tx.BareBanks(ctx)
			if err != nil {
				return err
			}
			for i, e := range es {
				b := banks[slices.IndexFunc(banks, func(b concert.Bank) bool { return b.ID == e.Bank })]
				next, ev, err := e.Ended(b, concert.House, concert.EntryExpired, s.now())
				if err != nil {
					return err
				}
				tx.Record(ev)
				es[i] = next
			}
			return tx.SaveEntries(ctx, es)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endEntriesOf takes out what was made of an item that was withdrawn or erased.
func (s *Service) endEntriesOf(ctx context.Context, tx *store.Tx, item concert.ItemID, code concert.EntryEnd) error {
	es, err := tx.EntriesOf(ctx, item)
	if err != nil || len(es) == 0 {
		return err
	}
	var ended []concert.BankEntry
	for _, e := range es {
		if !e.EndedAt.IsZero() {
			continue
		}
		b, err := tx.Bank(ctx, string(e.Bank))
		if err != nil {
			return err
		}
		next, ev, err := e.Ended(b, concert.House, code, s.now())
		if err != nil {
			return err
		}
		tx.Record(ev)
		ended = append(ended, next)
	}
	return tx.SaveEntries(ctx, ended)
}
