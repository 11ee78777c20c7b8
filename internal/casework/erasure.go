package casework

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"concert"
	"concert/internal/store"
	"concert/tlog"
)

// scrubTick is how soon after an erasure the embedded database's write-ahead
// file is emptied.
const scrubTick = 2 * time.Second

// AskErasure asks for the erasure of one item; a second person confirms it
// (EraseItem). Version is the one that was read.
func (s *Service) AskErasure(ctx context.Context, by concert.Actor, ref string, version int64, code concert.ErasureCode, reason string) error {
	if err := proven(by, concert.PowerErase); err != nil {
		return err
	}
	return s.onItem(ctx, by, ref, version, func(tx *store.Tx, it concert.Item) (concert.Item, error) {
		e, event, err := it.ErasureAsked(by, concert.Erasure{Code: code, Reason: reason}, s.now())
		if err != nil {
			return it, err
		}
		m, err := tx.Atrocity(ctx, it.ID)
		if err := cmp.Or(err, m.Erasable(it)); err != nil {
			return it, err
		}
		tx.Record(event)
		return it, tx.SaveErasure(ctx, e)
	})
}

// EraseItem confirms what another person asked for and erases the item: its
// key, everything sealed under it, the digests of its place and of its bytes.
// What remains are codes, counts, and commitments that nobody can link to text
// any more. Version is the one that was read with the request.
func (s *Service) EraseItem(ctx context.Context, by concert.Actor, ref string, version int64) error {
	if err := proven(by, concert.PowerErase); err != nil {
		return err
	}
	err := s.sequenced(ctx, func() error {
		return s.onItem(ctx, by, ref, version, func(tx *store.Tx, it concert.Item) (concert.Item, error) {
			e, err := tx.Erasure(ctx, it.ID)
			if err != nil {
				return it, err
			}
			next, e, err := it.Erased(by, e, s.now())
			if err != nil {
				return it, err
			}
			return next, s.erase(ctx, tx, by, next, e)
		})
	})
	if err == nil {
		s.unscrubbed.Store(true)
	}
	return err
}

// onItem runs a change of one item by its custodian's people: load, compare
// versions, change, save.
func (s *Service) onItem(ctx context.Context, by concert.Actor, ref string, version int64, change func(*store.Tx, concert.Item) (concert.Item, error)) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := items[ref]
		if !ok || by.Authority == "" || by.Authority != it.Custodian() {
			return concert.ErrNotFound
		}
		if err := it.Standing(); err != nil {
			return err
		}
		if version != it.Version {
			return outdated()
		}
		next, err := change(tx, it)
		if err != nil {
			return err
		}
		return tx.SaveItems(ctx, []concert.Item{next})
	})
}

// sequenced runs an erasure, and again once the log is published where an event
// of the item had no place in it yet. It is published apart from the request:
// a head may be shown to others only once it is committed.
func (s *Service) sequenced(ctx context.Context, erase func() error) error {
	var err error
	for range 8 {
		if err = erase(); !errors.Is(err, store.ErrUnsequenced) {
			return err
		}
		if err := s.PublishLog(store.Apart(ctx)); err != nil {
			return err
		}
	}
	return err
}

// erase destroys what there is of an item, inside the act that decided it.
func (s *Service) erase(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item, e concert.Erasure) error {
	m, err := tx.Atrocity(ctx, it.ID)
	if err := cmp.Or(err, m.Erasable(it)); err != nil {
		return err
	}
	if e.Captures, err = tx.EraseCapturesOf(ctx, it.ID, e.ErasedAt); err != nil {
		return err
	}
	if err := s.endEntriesOf(ctx, tx, it.ID, concert.EntryErased); err != nil {
		return err
	}
	n, remains, err := tx.Erase(ctx, it)
	if err != nil {
		return err
	}
	tx.Record(e.Done(by, it, n, remains))
	return tx.SaveErasure(ctx, e)
}

// retain sets the clock of an item that is kept for a term only (G22).
func (s *Service) retain(tx *store.Tx, it concert.Item) {
	if at, _, due := it.ErasureDue(); due {
		tx.SetClock(concert.ClockErase, string(it.ID), at)
	} else if it.Status == concert.ItemWithdrawn {
		tx.SetClock(concert.ClockCaptures, string(it.ID), it.UpdatedAt.Add(concert.ErasureTerm))
	}
}

// eraseItem erases an item whose term is over, unless a legal hold stands: the
// clock is set again when that is lifted.
func (s *Service) eraseItem(ctx context.Context, j concert.EraseItem) error {
	erased := false
	err := s.sequenced(ctx, func() error {
		return s.retryStale(ctx, func(tx *store.Tx) error {
			erased = false
			items, err := tx.BareItemsByID(ctx, []concert.ItemID{j.Item})
			if err != nil || len(items) == 0 {
				return err
			}
			m, err := tx.Atrocity(ctx, items[0].ID)
			if err != nil || m.Stands() {
				return err // its lifting sets the clock again
			}
			next, e, again, err := items[0].Expired(s.now())
			if refused, other := refusal(err); refused != nil || other != nil {
				if !again.IsZero() {
					tx.SetClock(concert.ClockErase, string(j.Item), again)
				}
				return other
			}
			if err := s.erase(ctx, tx, concert.House, next, e); err != nil {
				return err
			}
			erased = true
			return tx.SaveItems(ctx, []concert.Item{next})
		})
	})
	switch refused, other := refusal(err); {
	case refused != nil && refused != concert.ErrStale:
		// It cannot be erased as it is (its history was changed from outside, say):
		// people must look, and it is asked again tomorrow.
		s.Log.Error("an item whose term is over was not erased", "item", j.Item, "err", refused)
		return s.DB.Update(ctx, func(tx *store.Tx) error {
			tx.SetClock(concert.ClockErase, string(j.Item), s.now().Add(24*time.Hour))
			return nil
		})
	case refused != nil:
		return refused
	case other != nil:
		return other
	}
	if erased {
		s.unscrubbed.Store(true)
	}
	return nil
}

// scrubErased scrubs after an erasure, and again until it could.
func (s *Service) scrubErased(ctx context.Context) error {
	if !s.unscrubbed.Swap(false) {
		return nil
	}
	done, err := s.DB.Scrub(ctx)
	if err != nil || !done {
		s.unscrubbed.Store(true)
	}
	return err
}

// PlaceLegalHold keeps an item from erasure, with its reason.
func (s *Service) PlaceLegalHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string) error {
	return s.onItem(ctx, by, ref, version, func(tx *store.Tx, it concert.Item) (concert.Item, error) {
		next, e, err := it.LegallyHeld(by, reason, s.now())
		if err != nil {
			return it, err
		}
		tx.Record(e)
		return next, nil
	})
}

// LiftLegalHold ends it; an item whose term ran out meanwhile is asked about
// again.
func (s *Service) LiftLegalHold(ctx context.Context, by concert.Actor, ref string, version int64, reason string) error {
	return s.onItem(ctx, by, ref, version, func(tx *store.Tx, it concert.Item) (concert.Item, error) {
		next, e, err := it.LegallyFree(by, reason, s.now())
		if err != nil {
			return it, err
		}
		s.retain(tx, next)
		tx.SetClock(concert.ClockCaptures, string(next.ID), s.now())
		tx.Record(e)
		return next, nil
	})
}

// ErasureProof shows, to anyone and offline, that an item's erasure stands in
// the log. It is for the item's custodian and for auditors.
func (s *Service) ErasureProof(ctx context.Context, scope concert.Scope, ref string) (concert.ErasureProof, error) {
	p := concert.ErasureProof{Format: concert.ErasureProofFormat, Origin: s.Origin, LogKey: s.LogKey, Exercise: s.Exercise, Item: ref}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadErasure, Ref: ref, Count: 1}); err != nil {
		return p, err
	}
	if err := s.PublishLog(ctx); err != nil {
		return p, err
	}
	by := scope.Actor()
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := items[ref]
		if !ok || !by.Has(concert.RoleAuditor) && (by.Authority == "" || by.Authority != it.Custodian()) {
			return concert.ErrNotFound
		}
		if it.ErasedAt.IsZero() {
			return concert.Refuse(concert.NotFound, "erasure.not_yet", "", "item %s is not erased: there is nothing to prove", ref)
		}
		return s.proveErasure(ctx, tx, it, &p)
	})
	return p, err
}

func (s *Service) proveErasure(ctx context.Context, tx *store.Tx, it concert.Item, p *concert.ErasureProof) error {
	e, err := tx.EventOf(ctx, string(it.ID), concert.EventItemErased)
	if err != nil {
		return err
	}
	head, checkpoint, err := tx.LogHead(ctx)
	if err != nil {
		return err
	}
	if checkpoint, err = s.cosignatures(ctx, tx, checkpoint); err != nil {
		return err
	}
	if e.Index < 0 || e.Index >= head.Size {
		return concert.Refuse(concert.Unavailable, "erasure.unsequenced", "", "the erasure of item %s has no place in the signed log yet: try again in a moment", it.Ref)
	}
	path, err := tlog.InclusionProof(head.Size, e.Index, func(t tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, t) })
	if err != nil {
		return fmt.Errorf("prove the erasure of %s: %w", it.Ref, err)
	}
	p.Event, p.Salt, p.Index, p.Checkpoint = string(e.Canonical([32]byte{})), e.Salt, e.Index, checkpoint
	for _, h := range path {
		p.Inclusion = append(p.Inclusion, h[:])
	}
	return nil
}

// signedDigest is the SHA-256 of a referral's signed payload, hex, as its event
// keeps it.
func signedDigest(ctx context.Context, tx *store.Tx, id concert.ReferralID) (string, error) {
	e, err := tx.EventOf(ctx, string(id), concert.EventReferralSent)
	if err != nil {
		return "", err
	}
	var b concert.ReferralBody
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return "", fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	if _, err := hex.DecodeString(b.Digest); err != nil {
		return "", fmt.Errorf("digest in event %s: %w", e.ID, err)
	}
	return b.Digest, nil
}
