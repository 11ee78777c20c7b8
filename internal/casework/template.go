package casework

import (
	"context"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// WriteTemplate adds a template to the actor's authority's.
func (s *Service) WriteTemplate(ctx context.Context, by concert.Actor, t concert.Template) (concert.Template, error) {
	t.ID, t.Ref, t.Version = concert.TemplateID(identity.NewID()), identity.NewReference("TM"), 1
	t, e, err := t.Written(by, s.now())
	if err != nil {
		return t, err
	}
	return t, s.DB.Update(ctx, func(tx *store.Tx) error {
		tx.Record(e)
		return tx.AddTemplate(ctx, t)
	})
}

// RetireTemplate offers it no more.
func (s *Service) RetireTemplate(ctx context.Context, by concert.Actor, ref string) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		t, err := tx.Template(ctx, ref)
		if err != nil {
			return err
		}
		t, e, err := t.Retired(by, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		return tx.SaveTemplate(ctx, t)
	})
}

// Templates are those of the actor's authority, of one purpose or of all ("").
func (s *Service) Templates(ctx context.Context, scope concert.Scope, purpose concert.TemplatePurpose) ([]concert.Template, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	by := scope.Actor()
	if by.Authority == "" {
		return nil, by.Need(concert.RoleOfficer, concert.RoleReviewer)
	}
	var out []concert.Template
	return out, s.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Templates(ctx, by.Authority)
		for _, t := range all {
			if purpose == "" || t.Purpose == purpose {
				out = append(out, t)
			}
		}
		return err
	})
}
