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
	b, err := formats.NewBundleWriter(w, formats.BundleHeader{Origin: s.Origin, LogKey: s.LogKey, ExportedAt: s.now().Format(concert.TimeFormat), Exercise: s.Exercise})
	if err != nil {
		return err
	}
	return s.DB.View(ctx, func(tx *store.Tx) error {
		head, checkpoint, err := tx.LogHead(ctx)
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
			if err := s.Kept.keep(head, checkpoint); err != nil {
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

// VerifyLog audits this deployment's own log against its database: every event
// against its commitment, all of them against the tiles and the signed head,
// and that none waits unsequenced.
func (s *Service) VerifyLog(ctx context.Context, witnessKeys []string) (formats.Verification, error) {
	return s.verifyLog(ctx, witnessKeys, unsequencedTerm)
}

// VerifyRestored is VerifyLog where no node runs yet: what waits for its place
// in the log goes on waiting, and is no fault.
func (s *Service) VerifyRestored(ctx context.Context) (formats.Verification, error) {
	return s.verifyLog(ctx, nil, math.MaxInt64)
}

func (s *Service) verifyLog(ctx context.Context, witnessKeys []string, wait time.Duration) (formats.Verification, error) {
	var v formats.Verification
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		stored, checkpoint, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		if checkpoint == "" {
			return concert.Refuse(concert.NotFound, "log.empty", "", "there is nothing to verify: nothing has happened yet")
		}
		head, witnesses, err := formats.OpenHead(checkpoint, s.Origin, s.LogKey, witnessKeys)
		if err != nil {
			v = formats.Verification{Origin: s.Origin, Size: stored.Size, FirstBad: -1, SelfAttested: true, Problem: err.Error()}
			return nil
		}
		events := formats.NewEventChecker()
		a := tlog.NewAuditor(func(id tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, id) }, head)
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
		v = formats.Conclude(s.Origin, head, witnesses, a.Finish(), events)
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
