package casework

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
)

// ownPage is how many items an export takes at once, ownCountMost how far the
// views' counts go.
const (
	ownPage      = 500
	ownCountMost = 1000
)

// OwnQuery asks for a page of a provider's own items.
type OwnQuery struct {
	View  concert.OwnView
	After concert.ItemID // the last one of the page before
	Limit int
}

// OwnPage is a page of them; After goes on, "" at the end.
type OwnPage struct {
	Items []concert.OwnItem
	After concert.ItemID
}

// OwnItems is a page of the actor's own provider's items, in the order in which
// they were found. Listing shows places, so that it is the rung "opened" of their
// referrals' delivery.
func (s *Service) OwnItems(ctx context.Context, by concert.Actor, q OwnQuery) (OwnPage, error) {
	var out OwnPage
	if err := by.MayOwn(); err != nil {
		return out, err
	}
	if err := q.View.Check(); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		ids, err := tx.OwnIDs(ctx, store.OwnFilter{Provider: by.Provider, View: q.View, After: q.After, Limit: q.Limit})
		if err != nil {
			return err
		}
		if len(ids) == min(max(q.Limit, 1), 500) {
			out.After = ids[len(ids)-1]
		}
		out.Items, err = tx.OwnItems(ctx, by.Provider, ids)
		return err
	})
	if err != nil {
		return OwnPage{}, err
	}
	out.Items = slices.DeleteFunc(out.Items, func(o concert.OwnItem) bool { return !o.ErasedAt.IsZero() })
	return out, s.openedBy(ctx, by, out.Items)
}

// openedBy moves the notices of the items' referrals up to "opened" where they
// are not yet.
func (s *Service) openedBy(ctx context.Context, by concert.Actor, items []concert.OwnItem) error {
	var ids, low []concert.ReferralID
	for _, o := range items {
		if !slices.Contains(ids, o.Item.Referral) {
			ids = append(ids, o.Item.Referral)
		}
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		low, err = tx.Unopened(ctx, ids)
		return err
	})
	if err != nil || len(low) == 0 {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		for _, id := range low {
			err := s.climbIn(ctx, tx, id, concert.RungOpened, "listed by operator "+by.Operator, func(d store.Outgoing) bool { return d.Kind == concert.NoticeReferral })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// CountOwn counts the views of the actor's own provider's items, each up to a
// thousand.
func (s *Service) CountOwn(ctx context.Context, by concert.Actor) (map[concert.OwnView]int, error) {
	if err := by.MayOwn(); err != nil {
		return nil, err
	}
	out := map[concert.OwnView]int{}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		for _, v := range concert.OwnViews {
			var err error
			if out[v], err = tx.CountOwn(ctx, store.OwnFilter{Provider: by.Provider, View: v}, ownCountMost); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// OwnReferral is a referral as its provider lists it.
type OwnReferral struct {
	concert.Referral
	Author concert.Authority
	Thread concert.Thread
}

// OwnReferrals is a page of the actor's own provider's referrals, newest first,
// before the one with the id.
func (s *Service) OwnReferrals(ctx context.Context, by concert.Actor, view concert.OwnView, before concert.ReferralID, limit int) ([]OwnReferral, error) {
	if err := by.MayOwn(); err != nil {
		return nil, err
	}
	if err := view.Check(); err != nil {
		return nil, err
	}
	var out []OwnReferral
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		rs, err := tx.OwnReferrals(ctx, by.Provider, view, before, limit)
		if err != nil {
			return err
		}
		ids := make([]concert.ReferralID, len(rs))
		for i, r := range rs {
			ids[i] = r.ID
		}
		threads, err := tx.Asking(ctx, ids)
		if err != nil {
			return err
		}
		authors := map[concert.AuthorityID]concert.Authority{}
		for _, r := range rs {
			a, ok := authors[r.Author]
			if !ok {
				if a, err = tx.Authority(ctx, string(r.Author)); err != nil {
					return err
				}
				authors[r.Author] = a
			}
			out = append(out, OwnReferral{Referral: r, Author: a, Thread: threads[r.ID]})
		}
		return nil
	})
	return out, err
}

// EachOwn gives every item of a view to yield, page by page: what an export
// writes is what the list shows.
func (s *Service) EachOwn(ctx context.Context, by concert.Actor, view concert.OwnView, yield func(concert.OwnItem) error) error {
	for q := (OwnQuery{View: view, Limit: ownPage}); ; {
		p, err := s.OwnItems(ctx, by, q)
		if err != nil {
			return err
		}
		for _, o := range p.Items {
			if err := yield(o); err != nil {
				return err
			}
		}
		if p.After == "" {
			return nil
		}
		q.After = p.After
	}
}

// OwnFigures are the actor's own provider's figures, as of now.
func (s *Service) OwnFigures(ctx context.Context, by concert.Actor) (concert.Provider, concert.Figures, error) {
	var p concert.Provider
	f := concert.Figures{ByCode: map[concert.AnswerCode]int64{}}
	if err := by.MayOwn(); err != nil {
		return p, f, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if p, err = tx.Provider(ctx, string(by.Provider)); err != nil {
			return err
		}
		rows, err := tx.OwnMatches(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, m := range rows {
			f.Items += m.N
			f.ByCode[m.Claim] += m.N
			f.Agreement = f.Agreement.Matched(m.Claim, m.Seen, m.N)
		}
		times, err := tx.AnswerTimes(ctx, p.ID)
		if err != nil {
			return err
		}
		var first, final []time.Duration
		for _, t := range times {
			first = append(first, t.First)
			if t.Final > 0 {
				final = append(final, t.Final)
			}
		}
		f.First, f.Final = concert.SpreadOf(first), concert.SpreadOf(final)
		f.Agreement.LastLook, err = tx.LastLook(ctx, p.ID)
		return err
	})
	if !f.Agreement.LastLook.IsZero() {
		f.Agreement.LookedAt = f.Agreement.LastLook.Format(concert.TimeFormat)
	}
	return p, f, err
}

// ActionSide is a joint action as one of its providers sees it: its own numbers
// and what comes next, and nothing of anybody else.
type ActionSide struct {
	concert.Action
	Provider  concert.Provider
	Counts    concert.Counts
	NextBatch time.Time // when dispatch to it is next looked at; zero while nothing waits
	Open      bool      // it takes referrals now, by its own hours
	Free      int       // items it still takes this hour, -1 for no bound
	Threads   int       // threads that wait for it, up to a hundred
	Note      string    // reference of its released note on patterns of abuse
}

// OwnAction is the action for the actor's own provider; one from which it got
// nothing is missing.
func (s *Service) OwnAction(ctx context.Context, by concert.Actor, ref string) (ActionSide, error) {
	var v ActionSide
	if err := by.MayOwn(); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if v.Action, err = tx.Action(ctx, ref); err != nil {
			return err
		}
		part, err := tx.ProvidersOf(ctx, v.Action.ID)
		if err != nil {
			return err
		}
		if !slices.Contains(part, by.Provider) {
			return concert.ErrNotFound
		}
		if v.Provider, err = tx.Provider(ctx, string(by.Provider)); err != nil {
			return err
		}
		all, err := tx.Tallies(ctx, v.Action.ID)
		if err != nil {
			return err
		}
		v.Counts = all.BySide(v.Action.ID, 'p')[string(by.Provider)]
		if v.NextBatch, err = tx.ClockAt(ctx, concert.ClockDispatch, string(by.Provider)); err != nil {
			return err
		}
		threads, err := tx.Threads(ctx, store.ThreadFilter{Provider: by.Provider, Waits: concert.SideProvider, Limit: 100})
		if err != nil {
			return err
		}
		v.Threads = len(threads)
		notes, err := tx.ReleasedNotes(ctx, by.Provider)
		for _, n := range notes {
			if n.Action == v.Action.ID {
				v.Note = n.Ref
			}
		}
		return err
	})
	if err != nil {
		return ActionSide{}, err
	}
	now := s.now()
	v.Open, v.Free = windowOf(v.Provider).Open(now), -1
	if v.Provider.PerHour > 0 {
		v.Free = v.Provider.PerHour
		if v.Provider.HourStart.Equal(now.Truncate(time.Hour)) {
			v.Free = max(0, v.Provider.PerHour-v.Provider.HourCount)
		}
	}
	return v, nil
}

// OwnActions are the joint actions that brought the actor's provider items, newest
// first.
func (s *Service) OwnActions(ctx context.Context, by concert.Actor) ([]concert.Action, error) {
	if err := by.MayOwn(); err != nil {
		return nil, err
	}
	var out []concert.Action
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.ActionsOfProvider(ctx, by.Provider)
		return err
	})
	return out, err
}

// OwnFiles are the files that a provider takes of its own, with their media types.
var OwnFiles = map[string]string{"items.csv": "text/csv; charset=utf-8", "items.jsonl": "application/jsonl; charset=utf-8", "statements.json": "application/json", "statements.csv": "text/csv; charset=utf-8"}

// OwnDownload asks for a file of a provider's own: items.csv, items.jsonl,
// statements.json or statements.csv.
type OwnDownload struct {
	File     string
	View     concert.OwnView // of items
	Live     bool            // items.jsonl: with places as they were found
	Referral string          // statements: of one referral, "" for all
}

// OwnDownload begins a file; what it returns writes it, page by page.
func (s *Service) OwnDownload(ctx context.Context, by concert.Actor, d OwnDownload) (func(io.Writer) error, error) {
	if err := by.MayOwn(); err != nil {
		return nil, err
	}
	if d.View == "" {
		d.View = concert.OwnAll
	}
	if err := d.View.Check(); err != nil {
		return nil, err
	}
	switch d.File {
	case "items.csv", "items.jsonl":
		g, err := s.Registers(ctx)
		if err != nil {
			return nil, err
		}
		return func(w io.Writer) error { return s.writeOwn(ctx, by, d, g, w) }, nil
	case "statements.json", "statements.csv":
		if d.Referral != "" {
			// Whether it is there at all is told before the file begins.
			if err := s.DB.View(ctx, func(tx *store.Tx) error { _, err := s.restricted(ctx, tx, by, d.Referral, OwnQuery{}); return err }); err != nil {
				return nil, err
			}
		}
		return func(w io.Writer) error { return s.writeStatements(ctx, by, d, w) }, nil
	}
	return nil, concert.ErrNotFound
}

func (s *Service) writeOwn(ctx context.Context, by concert.Actor, d OwnDownload, g Registers, w io.Writer) error {
	if d.File == "items.jsonl" {
		return s.EachOwn(ctx, by, d.View, func(o concert.OwnItem) error {
			return formats.WriteOwnLine(w, formats.OwnRecordOf(o, g.Authorities[o.Author].Name, d.Live))
		})
	}
	c, err := formats.NewOwnCSV(w)
	if err != nil {
		return err
	}
	err = s.EachOwn(ctx, by, d.View, func(o concert.OwnItem) error {
		return c.Write(formats.OwnRecordOf(o, g.Authorities[o.Author].Name, false))
	})
	return cmp.Or(err, c.Close())
}

func (s *Service) writeStatements(ctx context.Context, by concert.Actor, d OwnDownload, w io.Writer) error {
	if d.File == "statements.csv" {
		c, err := formats.NewStatementCSV(w)
		if err != nil {
			return err
		}
		return cmp.Or(s.Statements(ctx, by, d.Referral, c.Write), c.Close())
	}
	var all []formats.Statement
	err := s.Statements(ctx, by, d.Referral, func(st formats.Statement) error {
		all = append(all, st)
		return nil
	})
	if err != nil {
		return err
	}
	return formats.WriteStatements(w, all)
}
