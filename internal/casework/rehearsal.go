package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/store"
)

// ReadRehearsal is which captured items of an exercise are held for copies of one
// work: the cluster of each compared item by its reference, "" for like no other; and
// whether videos are looked into.
// The exercise knows the truth and counts. Only an exercise is answered: elsewhere
// nobody sees which authorities hold copies of one work.
func (s *Service) ReadRehearsal(ctx context.Context, scope concert.Scope) (clusters map[string]string, videos bool, err error) {
	if err := scope.Check(); err != nil {
		return nil, false, err
	}
	if err := scope.Actor().Need(concert.RoleCoordinator); err != nil {
		return nil, false, err
	}
	if !s.Exercise {
		return nil, false, concert.Refuse(concert.Forbidden, "rehearsal.live", "", "which items of all authorities are copies of one work is told in an exercise only: ask for one item, or for how many works there are")
	}
	var items []store.RehearsedItem
	err = s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if items, err = tx.RehearsedItems(ctx); err != nil {
			return err
		}
		videos, err = tx.RehearsedVideos(ctx)
		return err
	})
	clusters = make(map[string]string, len(items))
	for _, it := range items {
		if it.Compared {
			clusters[it.Ref] = it.Cluster
		}
	}
	return clusters, videos, err
}

// AwaitRecognition waits until the nodes have compared all captures, at most so
// long.
func (s *Service) AwaitRecognition(ctx context.Context, most time.Duration) error {
	if s.Printers == nil {
		return nil
	}
	end := time.NewTimer(most)
	defer end.Stop()
	tick := time.NewTicker(recogniseTick / 5)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-tick.C:
		}
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			waiting, err = tx.Unrecognised(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
