package casework

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"concert"
	"concert/internal/store"
)

const (
	// wallKept is how long a node shows the figures that take longer to look up.
	wallKept = 4 * time.Second
	// failsAfter is after how many attempts a notice counts as failing.
	failsAfter = 3
	// flowMost bounds the spans of the series of what was sent.
	flowMost = 240
	// bulletinsMost bounds the bulletins that one page reads.
	bulletinsMost = 200
)

// Flow is how many items were referred, and how many acknowledged, in a span.
type Flow struct {
	At              time.Time // its beginning
	Referred, Acked int64
}

// Deadline is the next of a kind within an action.
type Deadline struct {
	Kind     concert.ClockKind
	Provider concert.ProviderID // "" where it concerns none
	At       time.Time
	N        int // how many of the kind there are
}

// DeadlineEnd is the end of the action itself.
const DeadlineEnd concert.ClockKind = "action.end"

// WallFigures are what a wall shows beside the running numbers. They name no
// person and no place.
type WallFigures struct {
	AsOf      time.Time                       // case time
	Waiting   map[concert.Metric]concert.Wait // by step of the funnel that it waits to enter
	Deadlines []Deadline                      // the first to fall due first
	Incidents []concert.Trouble
	Flow      []Flow
	Width     time.Duration // of a span of Flow
	Online    map[concert.AuthorityID]int
	Orders    []concert.Bulletin // on the wall, newest first
	Frozen    bool
	Pools     []store.Pooled
	Muster    []concert.Muster
}

type wallCache struct {
	mu   sync.Mutex // guards kept
	kept map[concert.ActionID]keptWall
}

type keptWall struct {
	at      time.Time // wall time
	figures WallFigures
}

// WallFigures are an action's figures beside its board, at most a few seconds
// old. Who may see the board may see them: the caller has read it.
func (s *Service) WallFigures(ctx context.Context, b Board) (WallFigures, error) {
	c := &s.walls
	c.mu.Lock()
	k, ok := c.kept[b.Action.ID]
	c.mu.Unlock()
	if ok && time.Since(k.at) < wallKept {
		return k.figures, nil
	}
	f := WallFigures{Waiting: map[concert.Metric]concert.Wait{}, Online: map[concert.AuthorityID]int{}}
	at := time.Now()
	err := s.DB.View(ctx, func(tx *store.Tx) error { return s.wallFigures(ctx, tx, b, &f) })
	if err != nil {
		return f, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) > 100 {
		c.kept = map[concert.ActionID]keptWall{}
	}
	c.kept[b.Action.ID] = keptWall{at, f}
	return f, nil
}

// forgetWall makes the next wall look anew: somebody has just changed what it
// shows.
func (s *Service) forgetWall(a concert.ActionID) {
	s.walls.mu.Lock()
	defer s.walls.mu.Unlock()
	delete(s.walls.kept, a)
}

// entered says which step of the funnel what has the status waits to enter.
var entered = map[concert.ItemStatus]concert.Metric{concert.ItemOpen: concert.Assessed, concert.ItemAssessed: concert.Approved, concert.ItemHeld: concert.Deconflicted, concert.ItemApproved: concert.ReferredN,
	concert.ItemReferred: concert.AnsweredN, concert.ItemAnswered: concert.Down, concert.ItemStillUp: concert.Down}

func addWait(w concert.Wait, n int64, since time.Time) concert.Wait {
	w.N += n
	if w.Since.IsZero() || !since.IsZero() && since.Before(w.Since) {
		w.Since = since
	}
	return w
}

func (s *Service) wallFigures(ctx context.Context, tx *store.Tx, b Board, f *WallFigures) error {
	a := b.Action
	var err error
	f.AsOf = s.now()
	if f.Pools, err = tx.WaitingIn(ctx, a.ID); err != nil {
		return err
	}
	for _, w := range f.Pools {
		m := entered[w.Status]
		f.Waiting[m] = addWait(f.Waiting[m], w.N, w.Since)
	}
	silent, err := tx.UnconfirmedIn(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, u := range silent {
		f.Waiting[concert.Acknowledged] = addWait(f.Waiting[concert.Acknowledged], u.Items, u.Since)
		if f.AsOf.Sub(u.Since) >= concert.SilentAfter {
			f.Incidents = append(f.Incidents, concert.Trouble{Kind: concert.TroubleSilent, Provider: u.Provider, N: int(u.Referrals), Since: u.Since})
		}
	}
	if err := s.deadlines(ctx, tx, b, f); err != nil {
		return err
	}
	if err := incidents(ctx, tx, b, f); err != nil {
		return err
	}
	f.Width = flowWidth(a, f.AsOf)
	flow, err := tx.SentIn(ctx, a.ID, f.Width)
	if err != nil {
		return err
	}
	for _, x := range flow[max(0, len(flow)-flowMost):] {
		f.Flow = append(f.Flow, Flow{x.At, x.Referred, x.Acked})
	}
	said, err := tx.Bulletins(ctx, a.ID, bulletinsMost)
	if err != nil {
		return err
	}
	for _, x := range said {
		if x.Kind.OnWall() && x.EndedAt.IsZero() {
			f.Orders = append(f.Orders, x)
		}
	}
	if f.Muster, err = s.muster(ctx, tx, a.ID, b.Participants, said); err != nil {
		return err
	}
	for _, m := range f.Muster {
		f.Online[m.Authority] = m.Online
	}
	_, err = tx.Freeze(ctx, a.ID)
	f.Frozen = err == nil
	if err == concert.ErrNotFound {
		err = nil
	}
	return err
}

func (s *Service) deadlines(ctx context.Context, tx *store.Tx, b Board, f *WallFigures) error {
	due, err := tx.DueIn(ctx, b.Action.ID)
	if err != nil {
		return err
	}
	for _, d := range due {
		f.Deadlines = append(f.Deadlines, Deadline{d.Kind, d.Provider, d.At, d.N})
	}
	consignments, err := tx.Consignments(ctx, b.Action.ID, 50)
	if err != nil {
		return err
	}
	for _, x := range consignments {
		if x.State == concert.ConsignmentConfirmed {
			f.Deadlines = append(f.Deadlines, Deadline{concert.ClockConsignment, x.Provider, x.LeavesAt, x.Items})
		}
	}
	if b.Action.Phase != concert.PhaseClose {
		f.Deadlines = append(f.Deadlines, Deadline{DeadlineEnd, "", b.Action.EndsAt, 1})
	}
	slices.SortFunc(f.Deadlines, func(a, b Deadline) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Provider, b.Provider))
	})
	return nil
}

func incidents(ctx context.Context, tx *store.Tx, b Board, f *WallFigures) error {
	for id := range b.Providers {
		p, err := tx.Provider(ctx, string(id))
		if err != nil {
			return err
		}
		if !p.DisabledAt.IsZero() {
			f.Incidents = append(f.Incidents, concert.Trouble{Kind: concert.TroubleGone, Provider: id, N: 1, Since: p.DisabledAt})
		}
		failed, failing, since, err := tx.FailingIn(ctx, b.Action.ID, id, failsAfter)
		if err != nil {
			return err
		}
		if failed > 0 {
			f.Incidents = append(f.Incidents, concert.Trouble{Kind: concert.TroubleBounce, Provider: id, N: failed, Since: since})
		}
		if failing > 0 {
			f.Incidents = append(f.Incidents, concert.Trouble{Kind: concert.TroubleDown, Provider: id, N: failing, Since: since})
		}
	}
	slices.SortFunc(f.Incidents, func(a, b concert.Trouble) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Kind, b.Kind))
	})
	return nil
}

// flowWidth is a minute, or the least of a few wider spans that leaves no more
// of them than are drawn.
func flowWidth(a concert.Action, now time.Time) time.Duration {
	whole := now.Sub(a.StartsAt)
	for _, w := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour} {
		if whole <= flowMost*w {
			return w
		}
	}
	return 24 * time.Hour
}

// partner reports whether the actor sees the board of others: of an authority
// that takes no part. Coordinators and those of no authority, who audit or
// administer, see all of it.
func (b Board) partner(by concert.Actor) bool {
	return by.Authority != "" && !by.Has(concert.RoleCoordinator) && !slices.ContainsFunc(b.Participants, func(p concert.Participant) bool { return p.Authority == by.Authority })
}

// Suppressed is the board as others may see it: no number below five.
func (b Board) Suppressed() Board {
	if b.Partner {
		return b
	}
	b.Partner = true
	b.Totals = b.Totals.Suppressed()
	b.Authorities = concert.SuppressedRows(b.Authorities, b.Totals)
	b.Providers = concert.SuppressedRows(b.Providers, b.Totals)
	return b
}

// Counted asks for the items behind a number of an action's wall.
type Counted struct {
	Metric   concert.Metric
	Provider concert.ProviderID  // "" for all
	Unit     concert.AuthorityID // whose find, "" for all: the units' numbers are by first finder
	After    concert.ItemID
	Limit    int
}

// CountedItems are the items that a number counts, oldest first, without places:
// all of them for coordinators and auditors, those of their own authority for
// others. more is the cursor of the next page, "" for none.
func (s *Service) CountedItems(ctx context.Context, scope concert.Scope, ref string, q Counted) (items []concert.Item, more concert.ItemID, err error) {
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadItemCounts, Ref: ref}); err != nil {
		return nil, "", err
	}
	by := scope.Actor()
	switch {
	case by.Provider != "":
		return nil, "", concert.ErrNotFound
	case by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator, concert.RoleAuditor) != nil:
		return nil, "", by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator, concert.RoleAuditor)
	case !q.Metric.Listable():
		return nil, "", concert.Refuse(concert.Invalid, "items.metric", "m", "%q is no number of items that can be listed: see /counting", q.Metric)
	}
	all := by.Has(concert.RoleCoordinator) || by.Has(concert.RoleAuditor)
	q.Limit = min(max(q.Limit, 1), 200)
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		for after := q.After; ; {
			got, err := tx.ActionItems(ctx, a.ID, q.Provider, q.Unit, after, countedStep)
			if err != nil {
				return err
			}
			for _, it := range got {
				mine := all || it.Authority == by.Authority || it.Author == by.Authority
				if !all {
					it = it.ShownTo(by.Authority) // before it is counted: a hold shows to its author alone
				}
				if !mine || !it.Facet().Counts(q.Metric) {
					continue
				}
				if len(items) == q.Limit {
					more = items[len(items)-1].ID
					return nil
				}
				items = append(items, it)
			}
			if len(got) < countedStep {
				return nil
			}
			after = got[len(got)-1].ID
		}
	})
	return items, more, err
}

// countedStep is how many items are looked at in one go.
const countedStep = 1000
