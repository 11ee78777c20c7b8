package store

import (
	"context"
	"fmt"

	"concert"
)

const savedFilterCols = "id, owner, authority, list, query, sealed, shared, created_at"

// sealedFilter is what of a saved filter lies under its owner's key.
type sealedFilter struct {
	Name string `json:"name"`
}

// AddSavedFilter writes a filter that somebody keeps; its name is sealed under
// the owner's key.
func (tx *Tx) AddSavedFilter(ctx context.Context, f concert.SavedFilter) error {
	if err := tx.Consulting(ctx, []concert.PersonID{f.Owner}); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(f.Owner), "saved_filter", sealedFilter{f.Name})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "saved_filter", savedFilterCols, [][]any{{f.ID, string(f.Owner), string(f.Authority), f.List, f.Query, sealed, flag(f.Shared), concert.Micros(f.CreatedAt)}}, "")
	return err
}

// SavedFilters are the filters of a list that somebody keeps, and those that
// others of its authority share; the oldest first.
func (tx *Tx) SavedFilters(ctx context.Context, by concert.Actor, name string) ([]concert.SavedFilter, error) {
	const what = "SELECT " + savedFilterCols + " FROM saved_filter WHERE "
	own, err := list(ctx, tx, scanSavedFilter, what+"owner = ? AND list = ? ORDER BY id LIMIT ?", string(by.Person), name, concert.SavedFilters)
	if err != nil {
		return nil, fmt.Errorf("saved filters: %w", err)
	}
	if by.Authority != "" {
		shared, err := list(ctx, tx, scanSavedFilter, what+"authority = ? AND list = ? AND shared = 1 AND owner <> ? ORDER BY id LIMIT ?", string(by.Authority), name, string(by.Person), concert.SavedFilters)
		if err != nil {
			return nil, fmt.Errorf("shared filters: %w", err)
		}
		own = append(own, shared...)
	}
	out := make([]concert.SavedFilter, len(own))
	for i, f := range own {
		if out[i], err = tx.openFilter(ctx, f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SavedFilter is one, by id.
func (tx *Tx) SavedFilter(ctx context.Context, id string) (concert.SavedFilter, error) {
	f, err := scanSavedFilter(tx.row(ctx, "SELECT "+savedFilterCols+" FROM saved_filter WHERE id = ?", id))
	if err != nil {
		return concert.SavedFilter{}, err
	}
	return tx.openFilter(ctx, f)
}

// DropSavedFilter forgets one.
func (tx *Tx) DropSavedFilter(ctx context.Context, id string) error {
	_, err := tx.exec(ctx, "DELETE FROM saved_filter WHERE id = ?", id)
	return err
}

type rowFilter struct {
	f      concert.SavedFilter
	sealed []byte
}

func scanSavedFilter(r rowScanner) (rowFilter, error) {
	var w rowFilter
	var created int64
	err := r.Scan(&w.f.ID, &w.f.Owner, &w.f.Authority, &w.f.List, &w.f.Query, &w.sealed, &w.f.Shared, &created)
	w.f.CreatedAt = concert.FromMicros(created)
	return w, err
}

func (tx *Tx) openFilter(ctx context.Context, w rowFilter) (concert.SavedFilter, error) {
	var s sealedFilter
	err := tx.open(ctx, string(w.f.Owner), "saved_filter", w.sealed, &s)
	w.f.Name = s.Name
	return w.f, err
}
