package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/store"
)

// recordsMost bounds the registers of what is kept and of complaints.
const recordsMost = 2000

// KeptView is what is preserved, with until when.
type KeptView struct {
	concert.KeptContent
	Term   concert.Deadline
	Of     string // reference of what was received
	Theirs string
}

// Over reports whether its time is over, so that it may be erased.
func (k KeptView) Over(now time.Time) bool { return !now.Before(k.Term.DueAt) }

// KeptContents is the register of what is preserved (Art. 6): what is not erased yet first, by
// its age.
func (s *Service) KeptContents(ctx context.Context, scope concert.Scope) ([]KeptView, error) {
	var out []KeptView
	err := s.received(ctx, scope, func(tx *store.Tx) (err error) {
		out, err = s.kept(ctx, tx)
		return err
	})
	return out, err
}

// received lets people of the desk read.
func (s *Service) received(ctx context.Context, scope concert.Scope, fn func(*store.Tx) error) error {
	if err := scope.Check(); err != nil {
		return err
	}
	if err := scope.Actor().MayReceive(); err != nil {
		return err
	}
	return s.DB.View(ctx, fn)
}

func (s *Service) kept(ctx context.Context, tx *store.Tx) ([]KeptView, error) {
	all, err := tx.AllKept(ctx, recordsMost)
	if err != nil {
		return nil, err
	}
	terms, err := tx.ReceivedDeadlines(ctx, concert.TermPreservation)
	if err != nil {
		return nil, err
	}
	names, err := s.receivedNames(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := make([]KeptView, len(all))
	for i, k := range all {
		out[i] = KeptView{KeptContent: k, Term: terms[k.ID], Of: names[k.Received].Ref, Theirs: names[k.Received].Theirs}
	}
	return out, nil
}

func (s *Service) receivedNames(ctx context.Context, tx *store.Tx) (map[concert.ReceivedID]concert.Received, error) {
	all, err := tx.ReceivedList(ctx, "", recordsMost)
	out := make(map[concert.ReceivedID]concert.Received, len(all))
	for _, r := range all {
		out[r.ID] = r
	}
	return out, err
}

// changeKept lets a rule change what is kept and its term.
func (s *Service) changeKept(ctx context.Context, by concert.Actor, ref string, rule func(*store.Tx, concert.KeptContent, concert.Deadline) (concert.KeptContent, concert.Deadline, concert.Event, error)) error {
	if err := by.MayReceive(); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		k, err := tx.KeptContent(ctx, ref)
		if err != nil {
			return err
		}
		d, err := tx.ReceivedDeadline(ctx, k.ID, concert.TermPreservation)
		if err != nil {
			return err
		}
		next, term, e, err := rule(tx, k, d)
		if err != nil {
			return err
		}
		tx.Record(e)
		term.Version = d.Version
		if err := s.putReceivedDeadline(ctx, tx, term); err != nil {
			return err
		}
		return tx.SaveKept(ctx, next)
	})
}

// ProlongKept keeps content longer, for a reason (Art. 6(2)).
func (s *Service) ProlongKept(ctx context.Context, by concert.Actor, ref string, until time.Time, reason string) error {
	return s.changeKept(ctx, by, ref, func(tx *store.Tx, k concert.KeptContent, d concert.Deadline) (concert.KeptContent, concert.Deadline, concert.Event, error) {
		t, cal, err := s.receivedLaw(ctx, tx, concert.TermPreservation)
		if err != nil {
			return k, d, concert.Event{}, err
		}
		next, err := d.Prolonged(t, s.now(), until, reason, cal)
		if err != nil {
			return k, d, concert.Event{}, err
		}
		e, err := k.Prolonged(by, next, s.now())
		return k, next, e, err
	})
}

// EraseKept records that what was kept is erased, which its time has to allow.
func (s *Service) EraseKept(ctx context.Context, by concert.Actor, ref string) error {
	return s.changeKept(ctx, by, ref, func(_ *store.Tx, k concert.KeptContent, d concert.Deadline) (concert.KeptContent, concert.Deadline, concert.Event, error) {
		next, e, err := k.Erased(by, d, s.now())
		if err != nil {
			return k, d, e, err
		}
		d, err = d.Met(s.now())
		return next, d, e, err
	})
}

// YearlyReport counts a year for the report of Art. 7(2) and (3): what came in that year,
// with what became of it until now. Exercises are not counted.
func (s *Service) YearlyReport(ctx context.Context, scope concert.Scope, year int) (concert.Article7, error) {
	out := concert.Article7{Year: year}
	from := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	err := s.received(ctx, scope, func(tx *store.Tx) error {
		out = concert.Article7{Year: year}
		all, err := tx.ReceivedBetween(ctx, from, from.AddDate(1, 0, 0))
		if err != nil {
			return err
		}
		hours, err := tx.ReceivedDeadlines(ctx, concert.TermRemoval)
		if err != nil {
			return err
		}
		rehearsed := map[concert.ReceivedID]bool{}
		for _, r := range all {
			if rehearsed[r.ID] = r.Exercise; r.Exercise {
				continue
			}
			items, err := tx.ReceivedItems(ctx, r.ID)
			if err != nil {
				return err
			}
			posts, err := tx.Posts(ctx, r.ID)
			if err != nil {
				return err
			}
			out = out.Counted(r, items, posts, hours[string(r.ID)])
		}
		complaints, err := tx.Disputes(ctx, from, from.AddDate(1, 0, 0), recordsMost)
		if err != nil {
			return err
		}
		for _, c := range complaints {
			r, err := tx.Received(ctx, string(c.Received))
			if err != nil {
				return err
			}
			if !r.Exercise {
				out = out.Complained(c)
			}
		}
		return nil
	})
	return out, err
}
