package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/store"
	"concert/tlog"
)

// Board is an action's numbers at one moment. It reads running numbers only,
// so that it costs the same at any size.
type Board struct {
	Action       concert.Action
	Participants []concert.Participant
	Targets      []concert.OutletID
	AsOf         time.Time // case time
	Totals       concert.Counts
	Authorities  map[concert.AuthorityID]concert.Counts
	Providers    map[concert.ProviderID]concert.Counts
	Log          tlog.Head
	Partner      bool // numbers below five are not shown (concert.Few)
}

// ReadBoard is the board of an action. It holds no place and no name of a
// person: whoever works for an authority, coordinates or audits may see it. A
// provider's people have their own numbers instead, and none of the others'.
// An auditor's look is recorded first.
func (s *Service) ReadBoard(ctx context.Context, scope concert.Scope, ref string) (Board, error) {
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadBoard, Ref: ref, Count: 1}); err != nil {
		return Board{}, err
	}
	return s.WatchBoard(ctx, scope, ref)
}

// WatchBoard is the board again for those who opened it (ReadBoard) and go on
// watching: one look, however long.
func (s *Service) WatchBoard(ctx context.Context, scope concert.Scope, ref string) (Board, error) {
	var b Board
	if err := scope.Check(); err != nil {
		return b, err
	}
	if scope.Actor().Provider != "" {
		return b, concert.ErrNotFound
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error { return s.readBoard(ctx, tx, scope.Actor(), ref, &b) })
	return b, err
}

func (s *Service) readBoard(ctx context.Context, tx *store.Tx, by concert.Actor, ref string, b *Board) error {
	var err error
	if b.Action, err = tx.Action(ctx, ref); err != nil {
		return err
	}
	if b.Participants, err = tx.Participants(ctx, b.Action.ID); err != nil {
		return err
	}
	if b.Targets, err = tx.Targets(ctx, b.Action.ID); err != nil {
		return err
	}
	d, err := tx.Tallies(ctx, b.Action.ID)
	if err != nil {
		return err
	}
	b.Totals = d.Totals(b.Action.ID)
	b.Authorities = map[concert.AuthorityID]concert.Counts{}
	for id, c := range d.BySide(b.Action.ID, 'a') {
		b.Authorities[concert.AuthorityID(id)] = c
	}
	b.Providers = map[concert.ProviderID]concert.Counts{}
	for id, c := range d.BySide(b.Action.ID, 'p') {
		b.Providers[concert.ProviderID(id)] = c
	}
	b.AsOf = s.now()
	if b.Log, _, err = tx.LogHead(ctx); err == nil && b.partner(by) {
		*b = b.Suppressed()
	}
	return err
}

// Actions are the joint actions, newest first, for those who may see a board.
func (s *Service) Actions(ctx context.Context, scope concert.Scope) ([]concert.Action, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	if scope.Actor().Provider != "" {
		return nil, concert.ErrNotFound
	}
	var out []concert.Action
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.Actions(ctx, actionsMost)
		return err
	})
	return out, err
}

// actionsMost bounds the actions that are listed.
const actionsMost = 500
