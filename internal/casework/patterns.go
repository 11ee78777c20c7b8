package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// draftPatterns drafts the notes of a closed action, one for each provider that
// got items of it. The counting happens outside the writing transaction.
func (s *Service) draftPatterns(ctx context.Context, j concert.DraftPatterns) error {
	var a concert.Action
	var items map[concert.ProviderID][]concert.PatternItem
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if a, err = tx.Action(ctx, string(j.Action)); err != nil {
			return err
		}
		items, err = tx.PatternItems(ctx, a.ID)
		return err
	})
	if err != nil {
		return err
	}
	counted := map[concert.ProviderID]concert.Patterns{}
	for p, its := range items {
		counted[p] = concert.PatternsOf(its)
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		have, err := tx.PatternNotesOf(ctx, a.ID)
		if err != nil {
			return err
		}
		var fresh []concert.PatternNote
		for p, counts := range counted {
			if slices.ContainsFunc(have, func(n concert.PatternNote) bool { return n.Provider == p }) {
				continue
			}
			n, e, err := concert.PatternNote{ID: concert.PatternNoteID(identity.NewID()), Ref: identity.NewReference("PN"), Provider: p, Patterns: counts}.Drafted(a, s.now())
			if err != nil {
				return err
			}
			fresh = append(fresh, n)
			tx.Record(e)
		}
		if len(fresh) == 0 {
			return nil
		}
		return tx.AddPatternNotes(ctx, fresh)
	})
}

// NoteView is a note with the names of what it is about.
type NoteView struct {
	concert.PatternNote
	Action   concert.Action
	Provider concert.Provider
	Reviewer string // operator number
	Releaser string
}

// ActionNotes are an action's notes for who takes part in it or oversees it.
func (s *Service) ActionNotes(ctx context.Context, scope concert.Scope, action string) ([]NoteView, error) {
	by := scope.Actor()
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadNotes, Ref: action}); err != nil {
		return nil, err
	}
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer, concert.RoleOfficer, concert.RoleAuditor); err != nil {
		return nil, err
	}
	var out []NoteView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, action)
		if err != nil {
			return err
		}
		if err := s.mayNote(ctx, tx, by, a); err != nil {
			return err
		}
		notes, err := tx.PatternNotesOf(ctx, a.ID)
		if err != nil {
			return err
		}
		out, err = fillNotes(ctx, tx, notes)
		return err
	})
	return out, err
}

// mayNote lets coordinators, auditors and an action's participants at its notes.
func (s *Service) mayNote(ctx context.Context, tx *store.Tx, by concert.Actor, a concert.Action) error {
	if by.Has(concert.RoleCoordinator) || by.Has(concert.RoleAuditor) {
		return nil
	}
	parts, err := tx.Participants(ctx, a.ID)
	if err != nil {
		return err
	}
	if by.Authority == "" || !slices.ContainsFunc(parts, func(p concert.Participant) bool { return p.Authority == by.Authority }) {
		return concert.ErrNotFound
	}
	return nil
}

func fillNotes(ctx context.Context, tx *store.Tx, notes []concert.PatternNote) ([]NoteView, error) {
	out := make([]NoteView, len(notes))
	for i, n := range notes {
		v := NoteView{PatternNote: n}
		var err error
		if v.Action, err = tx.Action(ctx, string(n.Action)); err != nil {
			return nil, err
		}
		if v.Provider, err = tx.Provider(ctx, string(n.Provider)); err != nil {
			return nil, err
		}
		ops, err := tx.Operators(ctx, []concert.PersonID{n.ReviewedBy, n.ReleasedBy})
		if err != nil {
			return nil, err
		}
		v.Reviewer, v.Releaser = ops[n.ReviewedBy], ops[n.ReleasedBy]
		out[i] = v
	}
	return out, nil
}

// OwnNotes are the released notes of the actor's provider, newest first.
func (s *Service) OwnNotes(ctx context.Context, by concert.Actor) ([]NoteView, error) {
	if err := by.MayOwn(); err != nil {
		return nil, err
	}
	var out []NoteView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		notes, err := tx.ReleasedNotes(ctx, by.Provider)
		if err != nil {
			return err
		}
		out, err = fillNotes(ctx, tx, notes)
		return err
	})
	return out, err
}

// ReadNote is one note: for its provider once it is released, for the action's
// side at any time.
func (s *Service) ReadNote(ctx context.Context, scope concert.Scope, ref string) (NoteView, error) {
	var v NoteView
	by := scope.Actor()
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadNotes, Ref: ref}); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		n, err := tx.PatternNote(ctx, ref)
		if err != nil {
			return err
		}
		if by.Provider != "" {
			if n.Provider != by.Provider || n.ReleasedAt.IsZero() || by.MayOwn() != nil {
				return concert.ErrNotFound
			}
		} else {
			a, err := tx.Action(ctx, string(n.Action))
			if err != nil {
				return err
			}
			if err := s.mayNote(ctx, tx, by, a); err != nil {
				return err
			}
		}
		all, err := fillNotes(ctx, tx, []concert.PatternNote{n})
		if err != nil {
			return err
		}
		v = all[0]
		return nil
	})
	return v, err
}

// ReviewNote is the coordinator's half of releasing a note.
func (s *Service) ReviewNote(ctx context.Context, by concert.Actor, ref string) (concert.PatternNote, error) {
	return s.changeNote(ctx, by, ref, func(tx *store.Tx, n concert.PatternNote) (concert.PatternNote, error) {
		next, e, err := n.Reviewed(by, s.now())
		if err == nil {
			tx.Record(e)
		}
		return next, err
	})
}

// ReleaseNote is the other person's half: the note's provider hears of it.
func (s *Service) ReleaseNote(ctx context.Context, by concert.Actor, ref string) (concert.PatternNote, error) {
	return s.changeNote(ctx, by, ref, func(tx *store.Tx, n concert.PatternNote) (concert.PatternNote, error) {
		now := s.now()
		next, e, err := n.Released(by, now)
		if err != nil {
			return n, err
		}
		p, err := tx.Provider(ctx, string(n.Provider))
		if err != nil {
			return n, err
		}
		a, err := tx.Action(ctx, string(n.Action))
		if err != nil {
			return n, err
		}
		lead, err := tx.Authority(ctx, string(a.Lead))
		if err != nil {
			return n, err
		}
		out := s.notice(p, concert.Referral{Ref: n.Ref, Action: a.ID, Items: n.Patterns.Items}, concert.NoticePatterns, lead.Name, now)
		tx.RecordNotice(e, out.ID)
		return next, s.post(ctx, tx, p, out, now)
	})
}

func (s *Service) changeNote(ctx context.Context, by concert.Actor, ref string, rule func(*store.Tx, concert.PatternNote) (concert.PatternNote, error)) (concert.PatternNote, error) {
	var out concert.PatternNote
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer); err != nil {
		return out, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		n, err := tx.PatternNote(ctx, ref)
		if err != nil {
			return err
		}
		a, err := tx.Action(ctx, string(n.Action))
		if err != nil {
			return err
		}
		if err := s.mayNote(ctx, tx, by, a); err != nil {
			return err
		}
		next, err := rule(tx, n)
		if err != nil {
			return err
		}
		out = next
		return tx.SavePatternNote(ctx, next)
	})
	return out, err
}
