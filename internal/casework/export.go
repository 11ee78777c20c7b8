package casework

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/tlog"
)

const (
	exportPage = 5000
	// unsequencedTerm is how long an event may wait for its place in the log
	// before a verifier says so.
	unsequencedTerm = 10 * time.Second
	// exportCosignTerm is how long an export waits for witnesses, and
	// exportCosignFresh how old a cosignature is at most for which an export ends at
	// the head that bears it.
	exportCosignTerm  = 5 * time.Second
	exportCosignFresh = time.Minute
)

// eachEvent gives every sequenced event of the snapshot, in the log's order.
func eachEvent(ctx context.Context, tx *store.Tx, size int64, fn func(concert.RecordedEvent) error) error {
	return eachEventFrom(ctx, tx, 0, size, fn)
}

// Export writes every event, the tiles and the signed head in one snapshot:
// all that an outsider needs to verify and to recount, offline.
func (s *Service) Export(ctx context.Context, w io.Writer) error {
	if err := s.PublishLog(ctx); err != nil {
		return err
	}
	if err := s.AskWitnesses(ctx, exportCosignTerm); err != nil {
		return err
	}
	b, err := formats.NewBundleWriter(w, formats.BundleHeader{Origin: s.Origin, LogKey: s.LogKey, ExportedAt: s.now().Format(concert.TimeFormat), Exercise: s.Exercise})
	if err != nil {
		return err
	}
	return s.DB.View(ctx, func(tx *store.Tx) error {
		head, checkpoint, err := s.exportedHead(ctx, tx)
		if err != nil {
			return err
		}
		if checkpoint == "" {
			return concert.Refuse(concert.NotFound, "log.empty", "", "there is nothing to export: nothing has happened yet")
		}
		if err := eachEvent(ctx, tx, head.Size, b.Event); err != nil {
			return err
		}
		if s.Kept != nil {
			if err := s.keepNewest(ctx, tx); err != nil {
				return err
			}
		}
		for id := range tlog.Tiles(head.Size) {
			data, err := tx.LogTile(ctx, id)
			if err != nil {
				return fmt.Errorf("tile %s: %w", id.Path(), err)
			}
			if err := b.Tile(tlog.Tile{TileID: id, Data: data}); err != nil {
				return err
			}
		}
		return b.Close(checkpoint)
	})
}

// exportedHead is the head that an export is of: the newest, or the one just
// before it that a witness has cosigned a moment ago, where nobody has cosigned
// the newest yet.
func (s *Service) exportedHead(ctx context.Context, tx *store.Tx) (tlog.Head, string, error) {
	newest, signed, err := tx.LogHead(ctx)
	if err != nil {
		return newest, "", err
	}
	checkpoint, err := s.cosignatures(ctx, tx, signed)
	if err != nil || checkpoint != signed {
		return newest, checkpoint, err
	}
	head, cosigned, at, err := s.newestCosigned(ctx, tx)
	if err != nil || cosigned == "" || head.Size > newest.Size || time.Since(at) > exportCosignFresh {
		return newest, signed, err
	}
	return head, cosigned, nil
}

// keepNewest makes sure that this node never forgets the snapshot's newest head.
func (s *Service) keepNewest(ctx context.Context, tx *store.Tx) error {
	head, signed, err := tx.LogHead(ctx)
	if err != nil {
		return err
	}
	return s.Kept.keep(head, signed)
}

// VerifyLog audits this deployment's own log against its database: every event
// against its commitment, all of them against the tiles and the signed head,
// and that none waits unsequenced. earlier are checkpoints from elsewhere, such as
// a witness's history, that the log must go on from ([formats.OpenEarlier]).
func (s *Service) VerifyLog(ctx context.Context, witnessKeys []string, earlier ...string) (formats.Verification, error) {
	return s.verifyLog(ctx, witnessKeys, unsequencedTerm, earlier...)
}

// VerifyRestored is VerifyLog where no node runs yet: what waits for its place
// in the log goes on waiting, and is no fault.
func (s *Service) VerifyRestored(ctx context.Context) (formats.Verification, error) {
	return s.verifyLog(ctx, nil, math.MaxInt64)
}

func (s *Service) verifyLog(ctx context.Context, witnessKeys []string, wait time.Duration, earlier ...string) (formats.Verification, error) {
	var v formats.Verification
	before, err := formats.OpenEarlier(earlier, s.Origin, s.LogKey, witnessKeys)
	if err != nil {
		return v, err
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		stored, checkpoint, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		if checkpoint == "" {
			return concert.Refuse(concert.NotFound, "log.empty", "", "there is nothing to verify: nothing has happened yet")
		}
		if checkpoint, err = s.cosignatures(ctx, tx, checkpoint); err != nil {
			return err
		}
		_, cosigned, _, err := s.newestCosigned(ctx, tx)
		if err != nil {
			return err
		}
		head, err := formats.Compare(checkpoint, s.Origin, s.LogKey, witnessKeys, before)
		if err == nil && cosigned != checkpoint {
			err = head.Beside(cosigned, s.Origin, s.LogKey, witnessKeys)
		}
		if err != nil {
			v = formats.Verification{Origin: s.Origin, Size: stored.Size, FirstBad: -1, SelfAttested: true, Problem: err.Error()}
			return nil
		}
		events := formats.NewEventChecker()
		a := tlog.NewAuditor(func(id tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, id) }, head.Heads()...)
		err = eachEvent(ctx, tx, head.Size, func(e concert.RecordedEvent) error {
			events.Check(e)
			var c tlog.Hash
			copy(c[:], e.Commit)
			a.Add(c)
			return nil
		})
		if err != nil {
			return err
		}
		v = formats.Conclude(s.Origin, head, a.Finish(), events, time.Now())
		v.Exercise = s.Exercise
		n, oldest, first, err := tx.Unsequenced(ctx)
		if err == nil && n > 0 && time.Since(concert.FromMicros(oldest)) > wait {
			v.Verified = false
			v.Problem = fmt.Sprintf("%d events wait for their place in the log, the oldest (%s) since %s: no node is sequencing", n, first, concert.FromMicros(oldest).Format(time.RFC3339))
		}
		return err
	})
	if err != nil {
		return v, err
	}
	late, err := s.LogBehind(ctx)
	if late != nil {
		v.Verified, v.Problem = false, late.Message
	}
	return v, err
}
