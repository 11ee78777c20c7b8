package casework

import (
	"context"
	"maps"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// WriteNote writes an internal note beside an item that the actor's authority
// found or judged.
func (s *Service) WriteNote(ctx context.Context, by concert.Actor, ref, text string) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		seen, err := seenBy(ctx, tx, by, items)
		if err != nil {
			return err
		}
		it, ok := items[ref]
		if !ok || by.Authority == "" || it.Author != by.Authority && !seen[it.ID] {
			return concert.ErrNotFound
		}
		n, e, err := it.Noted(by, text, s.now())
		if err != nil {
			return err
		}
		n.ID = concert.NoteID(identity.NewID())
		tx.Record(e)
		return tx.AddNote(ctx, n)
	})
}

// annotate fills in the internal notes that the reader may know: those of its
// own authority, and all for an auditor.
func (v *ItemView) annotate(ctx context.Context, tx *store.Tx, by concert.Actor) error {
	if by.Authority == "" && !by.Has(concert.RoleAuditor) {
		return nil
	}
	var err error
	if v.Notes, err = tx.Notes(ctx, v.ID, by.Authority); err != nil || len(v.Notes) == 0 {
		return err
	}
	writers := make([]concert.PersonID, len(v.Notes))
	for i, n := range v.Notes {
		writers[i] = n.Author
	}
	names, err := tx.Operators(ctx, writers)
	if v.Reviewers == nil {
		v.Reviewers = map[concert.PersonID]string{}
	}
	maps.Copy(v.Reviewers, names)
	return err
}
