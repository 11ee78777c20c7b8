package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"concert"
	"concert/internal/store"
	"concert/internal/testkit"
)

// What many write at once is each one's own affair: acts that fail, that panic or whose caller has gone leave no
// trace and stand in nobody's way, and whoever was told that an act is done finds it.
func TestActsThatQueueUpStandOrFallAlone(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			queueUp(t, testkit.Service(t, database).DB)
		})
	}
}

func queueUp(t *testing.T, db *store.DB) {
	refusal := concert.Refuse(concert.Conflict, "exercise", "", "EXERCISE")
	const acts = 400
	var wg sync.WaitGroup
	for i := range acts {
		name := fmt.Sprint(i)
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			defer func() {
				if r := recover(); (r != nil) != (i%8 == 3) {
					t.Errorf("act %d: %v", i, r)
				}
			}()
			if i%8 == 5 {
				go cancel()
			}
			err := db.Update(ctx, func(tx *store.Tx) error {
				if err := tx.StoreAnswer(ctx, "p", name, store.StoredAnswer{Body: []byte{}}); err != nil {
					return err
				}
				switch i % 8 {
				case 1:
					return refusal
				case 3:
					panic("EXERCISE")
				}
				return nil
			})
			switch {
			case i%8 == 1:
				if !errors.Is(err, refusal) {
					t.Errorf("act %d: %v", i, err)
				}
			case i%8 == 5:
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("act %d: %v", i, err)
				}
			case err != nil:
				t.Errorf("act %d: %v", i, err)
			default:
				if !kept(t, db, name) {
					t.Errorf("act %d was said to be done and is not there", i)
				}
			}
		})
	}
	wg.Wait()
	for i := range acts {
		if kept(t, db, fmt.Sprint(i)) != (i%8 != 1 && i%8 != 3) && i%8 != 5 {
			t.Errorf("act %d is there or not against what it was told", i)
		}
	}
	// And whoever comes afterwards finds the database free.
	testkit.Must(t, db.Update(t.Context(), func(tx *store.Tx) error { return nil }))
}

func kept(t *testing.T, db *store.DB, name string) bool {
	t.Helper()
	err := db.View(context.WithoutCancel(t.Context()), func(tx *store.Tx) error {
		_, err := tx.StoredAnswer(context.WithoutCancel(t.Context()), "p", name)
		return err
	})
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		t.Error(err)
	}
	return err == nil
}
