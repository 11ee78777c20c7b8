package casework

import (
	"context"
	"crypto/ed25519"

	"concert"
	"concert/internal/store"
	"concert/tlog"
)

// TransportKey is the public half of what signs as the one who carries.
func (s *Service) TransportKey() ed25519.PublicKey {
	return s.Transport.Public().(ed25519.PublicKey)
}

// LogCheckpoint is the latest signed checkpoint, a note. This node keeps it
// before anyone sees it; one that is older than what was published is refused.
// Where witnesses have cosigned this very one, their lines stand behind.
func (s *Service) LogCheckpoint(ctx context.Context) (string, error) {
	_, out, err := s.publishedHead(ctx)
	if err == nil && out == "" {
		err = concert.Refuse(concert.NotFound, "log.empty", "", "the log has no checkpoint yet: nothing has happened")
	}
	if err != nil {
		return out, err
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		out, err = s.cosignatures(ctx, tx, out)
		return err
	})
	return out, err
}

// LogTile is one tile of the log; a tile beyond the signed head does not exist.
func (s *Service) LogTile(ctx context.Context, t tlog.TileID) ([]byte, error) {
	var out []byte
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		head, _, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		if !t.Within(head.Size) {
			return concert.ErrNotFound
		}
		out, err = tx.LogTile(ctx, t)
		return err
	})
	return out, err
}

// LogEntries is one entry bundle: the commitments themselves.
func (s *Service) LogEntries(ctx context.Context, index int64, width int) ([]byte, error) {
	var entries [][]byte
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		head, _, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		if !(tlog.TileID{Index: index, Width: width}).Within(head.Size) {
			return concert.ErrNotFound
		}
		entries, err = tx.LogEntries(ctx, index, width)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tlog.EncodeEntries(entries)
}
