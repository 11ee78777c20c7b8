package casework

import (
	"context"

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

// notesFor are the item's internal notes that the reader may know: its own
// authority's, and an auditor's are all.
func notesFor(ctx context.Context, tx *store.Tx, by concert.Actor, item concert.ItemID) ([]concert.Note, error) {
	if by.Has(concert.RoleAuditor) {
		return tx.Notes(ctx, item, "")
	}
	if by.Authority == "" {
		return nil, nil
	}
	return tx.Notes(ctx, item, by.Authority)
}
