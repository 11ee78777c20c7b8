package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// recordError writes a line of the error register with its event (G17).
func (s *Service) recordError(ctx context.Context, tx *store.Tx, by concert.Actor, subject string, r concert.ErrorRecord) error {
	r.ID, r.At, r.Exercise = concert.ErrorID(identity.NewID()), s.now(), s.Exercise
	r, e := r.Recorded(by, subject)
	tx.Record(e)
	return tx.AddErrorRecord(ctx, r)
}

// ErrorRecords is a page of the error register, newest first, from before a line's id
// ("" for the newest). It is public: nothing in it names a place or a person.
func (s *Service) ErrorRecords(ctx context.Context, before concert.ErrorID, limit int) ([]concert.ErrorRecord, error) {
	var out []concert.ErrorRecord
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.ErrorRecords(ctx, before, min(max(limit, 1), 500))
		return err
	})
	return out, err
}
