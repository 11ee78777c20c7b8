package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
func (s *Service) changeBank(ctx context.Context, by concert.Actor, ref string, version int64, rule func(concert.Bank) (concert.Bank, concert.Event, error)) (concert.Bank, error) {
	var out concert.Bank
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		b, err := s.ownBank(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		next, e, err := rule(b)
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
	return s.changeBank(ctx, by, ref, version, func(b concert.Bank) (concert.Bank, concert.Event, error) { return b.Changed(by, to, s.now()) })
}

// CloseBank ends a bank: its entries match nothing from then on.
func (s *Service) CloseBank(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Bank, error) {
	return s.changeBank(ctx, by, ref, version, func(b concert.Bank) (concert.Bank, concert.Event, error) { return b.Closed(by, s.now()) })
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
	out := make([]Result, len(in))
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		b, err := s.ownBank(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		var sources []string
		for _, f := range in {
			if f.SourceID != "" {
				sources = append(sources, f.SourceID)
			}
		}
		have, err := tx.EntriesBySource(ctx, b.ID, sources)
		if err != nil {
			return err
		}
		return s.fillBank(ctx, tx, by, b, in, have, out)
	})
	if err != nil {
		return nil, err
	}
	return out, s.follow(ctx)
}

func (s *Service) fillBank(ctx context.Context, tx *store.Tx, by concert.Actor, b concert.Bank, in []Filling, have map[string]concert.BankEntry, out []Result) (err error) {
	now := s.now()
	var fresh, ended []concert.BankEntry
	for i, f := range in {
		had, known := have[f.SourceID]
		known = known && f.SourceID != ""
		out[i].Ref = had.Ref
		switch {
		case f.Gone && !known, known && !f.Gone, known && !had.EndedAt.IsZero():
			out[i].Outcome = OutcomeKnown
			continue
		case f.Gone:
			next, _, err := had.Ended(b, by, concert.EntryRecalled, now)
			if out[i].Err, err = refusal(err); err != nil {
				return err
			} else if out[i].Err != nil {
				continue
			}
			ended = append(ended, next)
			out[i].Outcome = OutcomeRecalled
			have[f.SourceID] = next
			continue
		}
		f.Ref = identity.NewReference("KE")
		e, err := b.Entered(by, f.BankEntry, now)
		if out[i].Err, err = refusal(err); err != nil {
			return err
		} else if out[i].Err != nil {
			continue
		}
		out[i].Ref, out[i].Outcome, out[i].Version = e.Ref, OutcomeAdded, 1
		fresh = append(fresh, e)
		if e.SourceID != "" {
			have[e.SourceID] = e
		}
	}
	tx.Record(b.Filled(by, len(fresh), len(ended), now)...)
	if _, err := tx.AddEntries(ctx, b, fresh); err != nil {
		return err
	}
	return tx.SaveEntries(ctx, ended)
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

// endEntriesOf takes out what was made of an item that turned out wrong.
func (s *Service) endEntriesOf(ctx context.Context, tx *store.Tx, item concert.ItemID) error {
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
		next, ev, err := e.Ended(b, concert.House, concert.EntryErased, s.now())
		if err != nil {
			return err
		}
		tx.Record(ev)
		ended = append(ended, next)
	}
	return tx.SaveEntries(ctx, ended)
}

// BankView is a bank with its owner and, where it stands in a list or before its
// entries, how those stand.
type BankView struct {
	concert.Bank
	Owner concert.Authority
	Count store.BankCount
	Mine  bool
}

// Banks are the banks that the actor may know of, those of its own authority first.
func (s *Service) Banks(ctx context.Context, scope concert.Scope) ([]BankView, error) {
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks}); err != nil {
		return nil, err
	}
	by := scope.Actor()
	var out []BankView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		bare, err := tx.BareBanks(ctx)
		if err != nil {
			return err
		}
		for _, b := range bare {
			if b.MayKnow(by, s.now()) != nil {
				continue
			}
			v, err := s.countedBank(ctx, tx, by, b.Ref)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b BankView) int {
		if a.Mine != b.Mine {
			if a.Mine {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, err
}

func (s *Service) bankView(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (v BankView, err error) {
	if v.Bank, err = tx.Bank(ctx, ref); err != nil {
		return v, err
	}
	if err := v.MayKnow(by, s.now()); err != nil {
		return v, err
	}
	if v.Owner, err = tx.Authority(ctx, string(v.Authority)); err != nil {
		return v, err
	}
	v.Mine = by.Authority == v.Authority
	return v, nil
}

// countedBank is bankView with how the entries stand, for which all of them are gone
// through.
func (s *Service) countedBank(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (BankView, error) {
	v, err := s.bankView(ctx, tx, by, ref)
	if err == nil {
		v.Count, err = tx.BankCounts(ctx, v.ID)
	}
	return v, err
}

// EntryQuery asks for a page of a bank's entries.
type EntryQuery struct {
	Quarantined bool
	Ended       bool
	Before      int64
	Limit       int
}

// BankEntries are a page of a bank's entries, the newest first.
func (s *Service) BankEntries(ctx context.Context, scope concert.Scope, ref string, q EntryQuery) (BankView, []concert.BankEntry, error) {
	var v BankView
	var es []concert.BankEntry
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref}); err != nil {
		return v, nil, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if v, err = s.countedBank(ctx, tx, scope.Actor(), ref); err != nil {
			return err
		}
		es, err = tx.Entries(ctx, store.EntryFilter{Bank: v.ID, Quarantined: q.Quarantined, Ended: q.Ended, Before: q.Before, Limit: q.Limit})
		es = shownEntries(v, es)
		return err
	})
	return v, es, err
}

// shownEntries are entries as somebody else than the owner sees them: without
// whose people added them, and what the owner noted.
func shownEntries(v BankView, es []concert.BankEntry) []concert.BankEntry {
	if v.Mine {
		return es
	}
	for i := range es {
		es[i].AddedBy, es[i].Note, es[i].Item = "", "", ""
	}
	return es
}

// BankEntry is one entry with its bank.
func (s *Service) BankEntry(ctx context.Context, scope concert.Scope, ref string) (BankView, concert.BankEntry, error) {
	var v BankView
	var e concert.BankEntry
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref, Count: 1}); err != nil {
		return v, e, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if e, err = tx.EntryByRef(ctx, ref); err != nil {
			return err
		}
		if v, err = s.bankView(ctx, tx, scope.Actor(), string(e.Bank)); err == nil {
			e = shownEntries(v, []concert.BankEntry{e})[0]
		}
		return err
	})
	return v, e, err
}

// BankFeed are entries of a bank in the order in which they changed, ended ones as
// tombstones, after a checkpoint that was given before ("" for all), and the next
// checkpoint. How far each holder has come is kept, so that the owner sees who has
// not yet learned of a withdrawal.
func (s *Service) BankFeed(ctx context.Context, scope concert.Scope, ref, checkpoint string, limit int) (v BankView, es []concert.BankEntry, next string, err error) {
	at, err := readCheckpoint(checkpoint)
	if err != nil {
		return v, nil, "", err
	}
	by := scope.Actor()
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref}); err != nil {
		return v, nil, "", err
	}
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if v, err = s.bankView(ctx, tx, by, ref); err != nil {
			return err
		}
		es, at, err = tx.EntriesAfter(ctx, v.ID, at, limit)
		es = shownEntries(v, es)
		return err
	})
	if err != nil {
		return v, nil, "", err
	}
	if !v.Mine && !by.Has(concert.RoleAuditor) && len(es) > 0 {
		err = s.DB.Update(ctx, func(tx *store.Tx) error {
			return tx.SetHolder(ctx, v.ID, store.Holder{Party: partyOf(by), Upto: at.Seq, Entries: len(es), At: s.now()})
		})
	}
	text, marshal := json.Marshal([2]int64{at.Seq, at.N})
	if marshal != nil {
		return v, nil, "", marshal
	}
	return v, es, strings.Trim(string(text), "[]"), err
}

// readCheckpoint reads "change,entry".
func readCheckpoint(text string) (store.BankPlace, error) {
	var at [2]int64
	if text == "" {
		return store.BankPlace{}, nil
	}
	if err := json.Unmarshal([]byte("["+text+"]"), &at); err != nil || at[0] < 0 || at[1] < 0 {
		return store.BankPlace{}, concert.Refuse(concert.Invalid, "bank.checkpoint", "checkpoint", "a checkpoint is two numbers, as an answer gave it: got %.40q; leave it out to begin anew", text)
	}
	return store.BankPlace{Seq: at[0], N: at[1]}, nil
}

// HolderView is who takes a bank's entries.
type HolderView struct {
	Name    string // of the authority or provider
	Entries int
	At      time.Time
	Behind  bool // there are changes that it was not given
}

// BankHolders are who takes entries of a bank of the actor's authority.
func (s *Service) BankHolders(ctx context.Context, scope concert.Scope, ref string) ([]HolderView, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	var out []HolderView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		b, err := s.ownBank(ctx, tx, scope.Actor(), ref)
		if err != nil {
			return err
		}
		last, err := tx.BankLast(ctx, b.ID)
		if err != nil {
			return err
		}
		hs, err := tx.Holders(ctx, b.ID)
		if err != nil {
			return err
		}
		for _, h := range hs {
			kind, id, _ := strings.Cut(h.Party, ":")
			v := HolderView{Entries: h.Entries, At: h.At, Behind: h.Upto < last}
			if kind == "provider" {
				p, err := tx.Provider(ctx, id)
				if err != nil {
					return err
				}
				v.Name = p.Name
			} else {
				a, err := tx.Authority(ctx, id)
				if err != nil {
					return err
				}
				v.Name = a.Name
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}
