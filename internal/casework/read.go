package casework

import (
	"cmp"
	"context"

	"concert"
	"concert/internal/store"
)

// ItemView is an item with its story, as far as its reader may see it.
type ItemView struct {
	concert.Item
	Finders    []concert.Authority
	Author     concert.Authority
	Provider   concert.Provider
	Outlet     concert.Outlet
	Judged     concert.Assessment
	Assessor   string // operator number
	Approvals  []concert.Approval
	Reviewers  map[concert.PersonID]string // operator numbers
	Answers    []concert.Answer
	Rechecks   []concert.Recheck
	Remedies   []concert.Remedy
	HoldBy     string // contact of the hold that keeps it back
	ReferredAs string // the referral's reference
	ActionRef  string
}

// ReadItem is one item. Those who neither found nor judged it get the answer
// of a missing one; coordinators see all of it, and so do auditors. Whoever
// reads says why, and that is recorded first (G19).
func (s *Service) ReadItem(ctx context.Context, scope concert.Scope, ref string) (ItemView, error) {
	var v ItemView
	b := concert.ConsultedBody{What: concert.ReadOneItem, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error { return s.readItem(ctx, tx, scope.Actor(), ref, &v) })
	if err != nil {
		return ItemView{}, err
	}
	return v, nil
}

func (s *Service) readItem(ctx context.Context, tx *store.Tx, by concert.Actor, ref string, v *ItemView) error {
	var err error
	if v.Item, err = tx.Item(ctx, ref); err != nil {
		return err
	}
	if err := s.findersOf(ctx, tx, by, v); err != nil {
		return err
	}
	return s.fillItem(ctx, tx, v)
}

// findersOf fills in who found the item, and answers as for a missing one
// whoever neither found nor judged it and neither coordinates nor audits.
func (s *Service) findersOf(ctx context.Context, tx *store.Tx, by concert.Actor, v *ItemView) error {
	finders, err := tx.Finders(ctx, []concert.ItemID{v.ID})
	if err != nil {
		return err
	}
	mine := v.Item.Author == by.Authority
	for _, id := range finders[v.ID] {
		mine = mine || id == by.Authority
		a, err := tx.Authority(ctx, string(id))
		if err != nil {
			return err
		}
		v.Finders = append(v.Finders, a)
	}
	if by.Authority == "" || !mine {
		if !by.Has(concert.RoleAuditor) && !by.Has(concert.RoleCoordinator) {
			return concert.ErrNotFound
		}
	}
	return nil
}

// fillNames fills in what the item names, none of which is sealed.
func (s *Service) fillNames(ctx context.Context, tx *store.Tx, v *ItemView) error {
	var err error
	if v.Item.Provider != "" {
		if v.Provider, err = tx.Provider(ctx, string(v.Item.Provider)); err != nil {
			return err
		}
	}
	if v.Item.Outlet != "" {
		if v.Outlet, err = tx.Outlet(ctx, string(v.Item.Outlet)); err != nil {
			return err
		}
	}
	if v.Item.Action != "" {
		a, err := tx.Action(ctx, string(v.Item.Action))
		if err != nil {
			return err
		}
		v.ActionRef = a.Ref
	}
	return nil
}

func (s *Service) fillItem(ctx context.Context, tx *store.Tx, v *ItemView) error {
	err := s.fillNames(ctx, tx, v)
	if err != nil {
		return err
	}
	if v.Assessment != "" {
		if err := s.fillJudgement(ctx, tx, v); err != nil {
			return err
		}
	}
	if v.Item.Referral != "" {
		r, err := tx.ReferralByID(ctx, v.Item.Referral)
		if err != nil {
			return err
		}
		v.ReferredAs = r.Ref
	}
	if v.Answers, err = tx.Answers(ctx, v.ID); err != nil {
		return err
	}
	if v.Rechecks, err = tx.Rechecks(ctx, v.ID); err != nil {
		return err
	}
	remedies, err := tx.Remedies(ctx, []concert.ItemID{v.ID})
	v.Remedies = remedies[v.ID]
	if err != nil || v.Status != concert.ItemHeld {
		return err
	}
	holds, err := tx.HoldsAt(ctx, [][32]byte{v.Place})
	for _, h := range holds[v.Place] {
		if h.Stands(v.Item.Author, s.now()) {
			v.HoldBy = h.Contact
		}
	}
	return err
}

func (s *Service) fillJudgement(ctx context.Context, tx *store.Tx, v *ItemView) error {
	judged, err := tx.Assessments(ctx, []concert.AssessmentID{v.Assessment})
	if err != nil {
		return err
	}
	v.Judged = judged[v.Assessment]
	approvals, err := tx.Approvals(ctx, []concert.AssessmentID{v.Assessment})
	if err != nil {
		return err
	}
	v.Approvals = approvals[v.Assessment]
	people := []concert.PersonID{v.Judged.Author}
	for _, a := range v.Approvals {
		people = append(people, a.Reviewer)
	}
	if v.Reviewers, err = tx.Operators(ctx, people); err != nil {
		return err
	}
	v.Assessor = v.Reviewers[v.Judged.Author]
	v.Author, err = tx.Authority(ctx, string(v.Item.Author))
	return err
}

// Registers are the small registers that pages and answers name things from.
type Registers struct {
	Authorities map[concert.AuthorityID]concert.Authority
	Providers   map[concert.ProviderID]concert.Provider
	Scope       concert.ScopeList
	Actions     map[concert.ActionID]concert.Action
}

// Registers loads them.
func (s *Service) Registers(ctx context.Context) (Registers, error) {
	g := Registers{Authorities: map[concert.AuthorityID]concert.Authority{}, Providers: map[concert.ProviderID]concert.Provider{}, Actions: map[concert.ActionID]concert.Action{}}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		as, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		for _, a := range as {
			g.Authorities[a.ID] = a
		}
		ps, err := tx.Providers(ctx)
		if err != nil {
			return err
		}
		for _, p := range ps {
			g.Providers[p.ID] = p
		}
		acts, err := tx.Actions(ctx, 500)
		if err != nil {
			return err
		}
		for _, a := range acts {
			g.Actions[a.ID] = a
		}
		g.Scope, err = tx.ScopeList(ctx)
		return err
	})
	return g, err
}

// ItemQuery asks for a page of items.
type ItemQuery struct {
	Status    concert.ItemStatus
	AfterRank int
	AfterID   concert.ItemID
	Limit     int
}

func (q ItemQuery) on(desk concert.AuthorityID) store.ItemFilter {
	return store.ItemFilter{Status: q.Status, AfterRank: q.AfterRank, AfterID: q.AfterID, Limit: q.Limit, Authority: desk}
}

// deskOf is whose items the actor lists: its own authority's, "" for all.
func deskOf(by concert.Actor) (concert.AuthorityID, error) {
	switch {
	case by.Has(concert.RoleAuditor):
		return "", nil
	case by.Authority == "":
		return "", concert.Refuse(concert.Forbidden, "items.authority", "", "only people of an authority, and auditors, list items")
	}
	return by.Authority, nil
}

// ListItems is one page of items with a status, urgent and old first: those on
// the actor's own authority's desk; all for an auditor.
func (s *Service) ListItems(ctx context.Context, scope concert.Scope, q ItemQuery) ([]concert.Item, error) {
	desk, err := deskOf(scope.Actor())
	if err != nil {
		return nil, cmp.Or(scope.Check(), err)
	}
	var out []concert.Item
	b := concert.ConsultedBody{What: concert.ReadItemList, Filter: string(q.Status)}
	err = s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		out, err = tx.Items(ctx, scope, q.on(desk))
		b.Count = len(out)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ReadItems is the same page with each item's whole story, as one consultation
// that names each.
func (s *Service) ReadItems(ctx context.Context, scope concert.Scope, q ItemQuery) ([]ItemView, error) {
	desk, err := deskOf(scope.Actor())
	if err != nil {
		return nil, cmp.Or(scope.Check(), err)
	}
	var out []ItemView
	b := concert.ConsultedBody{What: concert.ReadItemsInFull, Filter: string(q.Status)}
	err = s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		items, err := tx.Items(ctx, scope, q.on(desk))
		if err != nil {
			return err
		}
		for _, it := range items {
			v := ItemView{Item: it}
			if err := s.findersOf(ctx, tx, scope.Actor(), &v); err != nil {
				return err
			}
			if err := s.fillItem(ctx, tx, &v); err != nil {
				return err
			}
			out, b.Refs = append(out, v), append(b.Refs, it.Ref)
		}
		b.Count = len(out)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
