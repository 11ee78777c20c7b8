package casework

import (
	"context"
	"fmt"
	"strings"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
)

// Feed is a page of a bank's entries in the order in which they changed.
type Feed struct {
	BankView
	Entries []formats.SharedEntry
	Next    string // the checkpoint behind it
}

// BankFeed are the entries of a bank that changed after a checkpoint that was given
// before ("" for all): those that ended, and those that whoever asks no longer sees,
// as tombstones. Who took entries of a bank that no longer answers them is told, from
// the first to the last, that they are withdrawn. How far each holder has come is
// kept, so that the owner sees who has not yet learned of a withdrawal.
func (s *Service) BankFeed(ctx context.Context, scope concert.Scope, ref, checkpoint string, limit int) (Feed, error) {
	var f Feed
	at, err := readCheckpoint(checkpoint)
	if err != nil {
		return f, err
	}
	by := scope.Actor()
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBanks, Ref: ref}); err != nil {
		return f, err
	}
	holder := store.Holder{Party: partyOf(by), At: s.now()}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		f = Feed{}
		if at, holder.Upto, err = s.readFeed(ctx, tx, by, ref, at, limit, &f); err != nil {
			return err
		}
		holder.Entries = len(f.Entries)
		return nil
	})
	if err != nil {
		return f, err
	}
	f.Next = at.text()
	if holder.Upto > 0 && !f.Mine && !by.Has(concert.RoleAuditor) {
		err = s.DB.Update(ctx, func(tx *store.Tx) error { return tx.SetHolder(ctx, f.ID, holder) })
	}
	return f, err
}

// readFeed reads a page, and gives its end and up to which change its reader knows
// all of the bank then; 0 for no further than before.
func (s *Service) readFeed(ctx context.Context, tx *store.Tx, by concert.Actor, ref string, at feedPlace, limit int, f *Feed) (feedPlace, int64, error) {
	v, err := s.bankView(ctx, tx, by, ref)
	gone := false
	if refused, other := refusal(err); other == nil && refused != nil && refused.Kind == concert.NotFound {
		b, missing := tx.Bank(ctx, ref)
		if missing != nil {
			return at, 0, missing
		}
		if gone, missing = tx.IsHolder(ctx, b.ID, partyOf(by)); missing != nil {
			return at, 0, missing
		}
		if gone { // no more is told of it than what it was called
			v, err = BankView{Bank: concert.Bank{ID: b.ID, Ref: b.Ref, Name: b.Name, Handling: concert.HandlingRestricted, Exercise: b.Exercise}}, nil
		}
	}
	if err != nil {
		return at, 0, err
	}
	f.BankView = v
	if at.gone != gone {
		at = feedPlace{gone: gone} // from the first entry on
	}
	es, next, err := tx.EntriesAfter(ctx, v.ID, at.BankPlace, limit)
	if err != nil {
		return at, 0, err
	}
	for _, e := range es {
		x := formats.SharedEntry{BankEntry: e.ShownOf(v.Bank, by), UpdatedAt: e.ChangedAt, Provenance: formats.Provenance{Owner: v.Owner.Name, Source: v.Source, Purpose: v.Purpose, LegalBasis: v.LegalBasis}}
		if gone || !v.Shows(e, by) {
			x.BankEntry, x.Gone = concert.BankEntry{N: e.N, Ref: e.Ref, Bank: e.Bank, Opinion: concert.OpinionSeed, ChangedAt: e.ChangedAt}, true
		}
		f.Entries = append(f.Entries, x)
	}
	at.BankPlace = next
	switch {
	case !gone && len(es) == 0, gone && len(es) == limit:
		return at, 0, nil
	case gone:
		upto, err := tx.BankChanged(ctx, v.ID)
		return at, upto, err
	}
	return at, next.Seq, nil
}

// feedPlace is a place in a bank's feed, or in the feed of what is withdrawn of it
// all.
type feedPlace struct {
	store.BankPlace
	gone bool
}

// goneMark begins the checkpoints in what is withdrawn of a whole bank.
const goneMark = "withdrawn,"

func (p feedPlace) text() string {
	text := fmt.Sprintf("%d,%d", p.Seq, p.N)
	if p.gone {
		return goneMark + text
	}
	return text
}

// readCheckpoint reads what text wrote.
func readCheckpoint(text string) (p feedPlace, err error) {
	if text == "" {
		return p, nil
	}
	rest, gone := strings.CutPrefix(text, goneMark)
	p.gone = gone
	if n, err := fmt.Sscanf(rest, "%d,%d", &p.Seq, &p.N); err != nil || n != 2 || p.text() != text || p.Seq < 0 || p.N < 0 {
		return p, concert.Refuse(concert.Invalid, "bank.checkpoint", "checkpoint", "a checkpoint is two numbers, as an answer gave it: got %.40q; leave it out to begin anew", text)
	}
	return p, nil
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
		out = nil
		b, err := s.ownBank(ctx, tx, scope.Actor(), ref)
		if err != nil {
			return err
		}
		last, err := tx.BankLast(ctx, b.ID)
		if err != nil {
			return err
		}
		changed, err := tx.BankChanged(ctx, b.ID)
		if err != nil {
			return err
		}
		hs, err := tx.Holders(ctx, b.ID)
		if err != nil {
			return err
		}
		for _, h := range hs {
			v := HolderView{Entries: h.Entries, At: h.At, Behind: h.Upto < last}
			who := partyActor(h.Party)
			if !b.Answers(who, s.now()) {
				v.Behind = h.Upto < changed
			}
			if who.Provider != "" {
				p, err := tx.Provider(ctx, string(who.Provider))
				if err != nil {
					return err
				}
				v.Name = p.Name
			} else {
				a, err := tx.Authority(ctx, string(who.Authority))
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
