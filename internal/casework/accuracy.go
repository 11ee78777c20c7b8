package casework

import (
	"cmp"
	"context"
	"slices"

	"concert"
	"concert/internal/store"
)

// OfficerAccuracy is one officer's numbers with what follows from them.
type OfficerAccuracy struct {
	Operator  string
	Authority concert.Authority
	Counts    concert.Counts
	concert.Accuracy
}

// ReadAccuracy is how accurate officers were (G30): an officer sees their own,
// a reviewer those of the authority, an auditor all, by unit and operator
// number.
func (s *Service) ReadAccuracy(ctx context.Context, scope concert.Scope) ([]OfficerAccuracy, error) {
	if err := scope.Check(); err != nil {
		return nil, err
	}
	by := scope.Actor()
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleAuditor); err != nil {
		return nil, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadAccuracy}); err != nil {
		return nil, err
	}
	var out []OfficerAccuracy
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		people, err := tx.People(ctx)
		if err != nil {
			return err
		}
		d, err := tx.Tallies(ctx, "")
		if err != nil {
			return err
		}
		as, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		units := map[concert.AuthorityID]concert.Authority{}
		for _, a := range as {
			units[a.ID] = a
		}
		counts := d.BySide("", 'o')
		for _, p := range people {
			// Who is no officer any more stays accountable for what was assessed.
			c := counts[string(p.ID)]
			if !slices.Contains(p.Roles, concert.RoleOfficer) && len(c) == 0 || !by.MaySeeAccuracy(p) {
				continue
			}
			out = append(out, OfficerAccuracy{Operator: p.Operator, Authority: units[p.Authority], Counts: c, Accuracy: concert.AccuracyOf(c)})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b OfficerAccuracy) int {
		return cmp.Or(cmp.Compare(a.Authority.Unit, b.Authority.Unit), cmp.Compare(a.Operator, b.Operator))
	})
	return out, err
}
