package casework

import (
	"context"
	"slices"
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
	err := s.DB.View(ctx, func(tx *store.Tx) error {
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
		b.Log, _, err = tx.LogHead(ctx)
		return err
	})
	return b, err
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

// Times are how long a provider took, over an action's referrals.
type Times struct {
	Referrals    int
	Acknowledged int
	Median       time.Duration // from referral to acknowledgement, of those acknowledged
	P90          time.Duration
}

// Report is an action's board with what takes longer to add up.
type Report struct {
	Board
	Times     map[concert.ProviderID]Times
	Approvals Approvals
}

// ReadReport is the after-action report of an action.
func (s *Service) ReadReport(ctx context.Context, scope concert.Scope, ref string) (Report, error) {
	b, err := s.ReadBoard(ctx, scope, ref)
	if err != nil {
		return Report{}, err
	}
	took := map[concert.ProviderID][]time.Duration{}
	rep := Report{Board: b, Times: map[concert.ProviderID]Times{}}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		rs, err := tx.Responses(ctx, b.Action.ID)
		for _, r := range rs {
			t := rep.Times[r.Provider]
			t.Referrals++
			if r.After > 0 {
				t.Acknowledged++
				took[r.Provider] = append(took[r.Provider], r.After)
			}
			rep.Times[r.Provider] = t
		}
		if err != nil {
			return err
		}
		given, err := tx.ApprovalsIn(ctx, b.Action.ID)
		rep.Approvals = approvalsOf(given)
		return err
	})
	for p, ds := range took {
		slices.Sort(ds)
		t := rep.Times[p]
		t.Median, t.P90 = ds[len(ds)/2], ds[len(ds)*9/10]
		rep.Times[p] = t
	}
	return rep, err
}
