package casework

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"concert/internal/store"
	"concert/internal/vault"
)

// CaptureFiles is how many files of captures were copied, and which could not
// be: missing where they should lie, or not what was put there.
type CaptureFiles struct {
	Copied  int
	Missing []string
}

// BackupCaptures copies the sealed files that captures need into a directory
// beside a backup; those that lie there already are left. It comes after the
// data: a file that was erased meanwhile is not missed, since its key is gone.
func (s *Service) BackupCaptures(ctx context.Context, to *vault.Dir) (CaptureFiles, error) {
	return s.copyCaptures(ctx, s.Vault, to)
}

// RestoreCaptures copies them back and verifies each against the digest that the
// restored rows state.
func (s *Service) RestoreCaptures(ctx context.Context, from *vault.Dir) (CaptureFiles, error) {
	return s.copyCaptures(ctx, from, s.Vault)
}

func (s *Service) copyCaptures(ctx context.Context, from, to *vault.Dir) (CaptureFiles, error) {
	var out CaptureFiles
	var files []store.CaptureFile
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		files, err = tx.CaptureFiles(ctx)
		return err
	})
	if err != nil {
		return out, err
	}
	if len(files) > 0 && (from == nil || to == nil) {
		return out, errors.New("there is no directory of captures to copy between")
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		switch err := from.Copy(to, f.Name, f.Sum); {
		case err == nil:
			out.Copied++
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, vault.ErrDamaged):
			out.Missing = append(out.Missing, f.Name)
		default:
			return out, fmt.Errorf("copy the captures' files: %w", err)
		}
	}
	return out, nil
}
