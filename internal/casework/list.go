package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/match"
	"concert/internal/store"
)

// SearchItems is one page of a search: on the actor's own authority's desk, or
// of what it found and another judged; wherever an auditor asks. filters is the
// search as an address has it, for the record of the reading.
func (s *Service) SearchItems(ctx context.Context, scope concert.Scope, q concert.ItemSearch, filters string, p concert.Page) (concert.Listed[concert.Item], error) {
	var out concert.Listed[concert.Item]
	by := scope.Actor()
	desk, err := deskOf(by)
	if err != nil {
		return out, err
	}
	if desk != "" {
		q.Desk = desk
	}
	b := concert.ConsultedBody{What: concert.ReadItemList, Filter: filters}
	err = s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		out, err = tx.SearchItems(ctx, scope, q, p)
		b.Count = len(out.Rows)
		return err
	})
	if err != nil {
		return concert.Listed[concert.Item]{}, err
	}
	for i, it := range out.Rows {
		if !by.Has(concert.RoleAuditor) {
			it = it.ShownTo(by.Authority)
		}
		out.Rows[i] = it.Remaining()
	}
	return out, nil
}

// ListedReferral is a referral with how far its first notice has come.
type ListedReferral struct {
	concert.Referral
	Rung concert.Rung
}

// SearchReferrals is one page of referrals: of the actor's own authority, all
// for coordinators and auditors. It opens nothing sealed.
func (s *Service) SearchReferrals(ctx context.Context, scope concert.Scope, q concert.ReferralSearch, p concert.Page) (concert.Listed[ListedReferral], error) {
	var out concert.Listed[ListedReferral]
	by := scope.Actor()
	switch {
	case by.Has(concert.RoleAuditor), by.Has(concert.RoleCoordinator):
	case by.Authority == "":
		return out, concert.Refuse(concert.Forbidden, "referrals.authority", "", "only people of an authority, and auditors, list referrals that were sent")
	default:
		q.Author = by.Authority
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadReferrals}); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.SearchReferrals(ctx, scope, q, p)
		if err != nil {
			return err
		}
		ids := make([]concert.ReferralID, len(found.Rows))
		for i, r := range found.Rows {
			ids[i] = r.ID
		}
		rungs, err := tx.Rungs(ctx, ids)
		out.Looked, out.Rest, out.Rows = found.Looked, found.Rest, make([]ListedReferral, len(found.Rows))
		for i, r := range found.Rows {
			out.Rows[i] = ListedReferral{r, rungs[r.ID]}
		}
		return err
	})
	return out, err
}

// SearchHolds is one page of the actor's authority's own holds, newest first,
// with who came upon each.
func (s *Service) SearchHolds(ctx context.Context, scope concert.Scope, state concert.HoldState, p concert.Page) (concert.Listed[HoldView], error) {
	var out concert.Listed[HoldView]
	if err := scope.Check(); err != nil {
		return out, err
	}
	if err := scope.Actor().Need(concert.RoleOfficer, concert.RoleReviewer); err != nil {
		return out, err
	}
	b := concert.ConsultedBody{What: concert.ReadHolds, Filter: string(state)}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		found, err := tx.SearchHolds(ctx, scope, state, s.now(), p)
		if err != nil {
			return err
		}
		b.Count = len(found.Rows)
		out.Looked, out.Rest = found.Looked, found.Rest
		out.Rows, err = s.withAsked(ctx, tx, found.Rows)
		return err
	})
	if err != nil {
		return concert.Listed[HoldView]{}, err
	}
	return out, nil
}

// ListedRemedy is a withdrawal or correction with what a list says of its item.
type ListedRemedy = store.ListedRemedy

// SearchRemedies is one page of the error register with its reasons: the
// actor's own authority's, all for coordinators and auditors.
func (s *Service) SearchRemedies(ctx context.Context, scope concert.Scope, q concert.RemedySearch, filters string, p concert.Page) (concert.Listed[ListedRemedy], error) {
	var out concert.Listed[ListedRemedy]
	by := scope.Actor()
	switch {
	case by.Has(concert.RoleAuditor), by.Has(concert.RoleCoordinator):
	case by.Authority == "":
		return out, concert.Refuse(concert.Forbidden, "remedies.authority", "", "only people of an authority, and auditors, read the reasons of withdrawals and corrections: the public register is at /corrections")
	default:
		q.Author = by.Authority
	}
	b := concert.ConsultedBody{What: concert.ReadRemedies, Filter: filters}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		out, err = tx.SearchRemedies(ctx, q, true, p)
		b.Count = len(out.Rows)
		return err
	})
	if err != nil {
		return concert.Listed[ListedRemedy]{}, err
	}
	return out, nil
}

// ErrorRegister is one page of the public register of what was taken back or
// corrected after it had gone out, newest first, with the counts of all (G17).
// It names no place, no person and no ground in words.
func (s *Service) ErrorRegister(ctx context.Context, q concert.RemedySearch, p concert.Page) (concert.Listed[ListedRemedy], []concert.RemedyCount, error) {
	var out concert.Listed[ListedRemedy]
	var counts []concert.RemedyCount
	q.Author, q.Sent = "", true
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if out, err = tx.SearchRemedies(ctx, q, false, p); err != nil {
			return err
		}
		for i := range out.Rows {
			m := &out.Rows[i]
			m.Item, m.ItemRef, m.By, m.Referral = "", "", "", ""
		}
		counts, err = tx.CountRemedies(ctx)
		return err
	})
	return out, counts, err
}

// SearchAlarms is one page of alarms, newest first, for coordinators and
// auditors.
func (s *Service) SearchAlarms(ctx context.Context, scope concert.Scope, q concert.AlarmSearch, p concert.Page) (concert.Listed[AlarmView], error) {
	var out concert.Listed[AlarmView]
	if err := scope.Check(); err != nil {
		return out, err
	}
	if err := scope.Actor().Need(concert.RoleCoordinator, concert.RoleAuditor); err != nil {
		return out, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadAlarms}); err != nil {
		return out, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.SearchAlarms(ctx, q, p)
		if err != nil {
			return err
		}
		out.Looked, out.Rest = found.Looked, found.Rest
		var ids []concert.ItemID
		for _, a := range found.Rows {
			if a.Item != "" {
				ids = append(ids, a.Item)
			}
		}
		items, err := tx.BareItemsByID(ctx, ids)
		if err != nil {
			return err
		}
		refs := map[concert.ItemID]string{}
		for _, it := range items {
			refs[it.ID] = it.Ref
		}
		for _, a := range found.Rows {
			v := AlarmView{Alarm: a, ItemRef: refs[a.Item]}
			if a.Authority != "" {
				if v.By, err = tx.Authority(ctx, string(a.Authority)); err != nil {
					return err
				}
			}
			if err := v.contact(ctx, tx); err != nil {
				return err
			}
			out.Rows = append(out.Rows, v)
		}
		return nil
	})
	return out, err
}

// SearchActions is one page of joint actions, newest first, for everybody but a
// provider's people.
func (s *Service) SearchActions(ctx context.Context, scope concert.Scope, phase concert.Phase, p concert.Page) (concert.Listed[concert.Action], error) {
	var out concert.Listed[concert.Action]
	if err := scope.Check(); err != nil {
		return out, err
	}
	if scope.Actor().Provider != "" {
		return out, concert.ErrNotFound
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.SearchActions(ctx, phase, p)
		return err
	})
	return out, err
}

// ItemAtPlace is the reference of the item at a place as somebody types it, in
// any spelling: places are sealed, so that only the very place is found, by its
// keyed digest. What the actor may not read is not there.
func (s *Service) ItemAtPlace(ctx context.Context, scope concert.Scope, typed string) (string, error) {
	by := scope.Actor()
	if by.Authority == "" && !by.Has(concert.RoleAuditor) {
		return "", concert.Refuse(concert.Forbidden, "items.authority", "", "only people of an authority, and auditors, list items")
	}
	l, err := match.Locate(typed)
	if err != nil {
		return "", concert.Refuse(concert.Invalid, "search.place", "place", "this is no place that Concert can read: write a web address, an account, a channel or a message as a whole")
	}
	var ref string
	b := concert.ConsultedBody{What: concert.ReadPlace}
	err = s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		place := s.DB.Place(string(l.Kind), l.Canonical)
		items, err := tx.ItemsByPlace(ctx, [][32]byte{place})
		if err != nil {
			return err
		}
		it, ok := items[place]
		if !ok {
			return concert.ErrNotFound
		}
		v := ItemView{Item: it}
		if err := s.findersOf(ctx, tx, by, &v); err != nil {
			return err
		}
		b.Ref, b.Count, ref = it.Ref, 1, it.Ref
		return nil
	})
	if err != nil {
		return "", err
	}
	return ref, nil
}

// SaveFilter keeps a list's filters under a name.
func (s *Service) SaveFilter(ctx context.Context, by concert.Actor, f concert.SavedFilter) (concert.SavedFilter, error) {
	f, err := f.Saved(by, s.now())
	if err != nil {
		return f, err
	}
	f.ID = identity.NewID()
	return f, s.DB.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.SavedFilters(ctx, by, f.List)
		if err != nil {
			return err
		}
		own := slices.DeleteFunc(have, func(h concert.SavedFilter) bool { return h.Owner != by.Person })
		if len(own) >= concert.SavedFilters {
			return concert.Refuse(concert.Conflict, "filter.too_many", "name", "you keep %d filters of this list, which is all that fit: take one away first", len(own))
		}
		if slices.ContainsFunc(own, func(h concert.SavedFilter) bool { return h.Name == f.Name }) {
			return concert.Refuse(concert.Conflict, "filter.name_taken", "name", "you keep a filter of this name already: choose another, or take that one away")
		}
		return tx.AddSavedFilter(ctx, f)
	})
}

// SavedFilters are the filters of a list that the actor keeps, and those that
// others of its authority share.
func (s *Service) SavedFilters(ctx context.Context, by concert.Actor, list string) ([]concert.SavedFilter, error) {
	var out []concert.SavedFilter
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.SavedFilters(ctx, by, list)
		return err
	})
	return out, err
}

// DropFilter takes a filter of the actor's own away.
func (s *Service) DropFilter(ctx context.Context, by concert.Actor, id string) (concert.SavedFilter, error) {
	var f concert.SavedFilter
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		var err error
		if f, err = tx.SavedFilter(ctx, id); err != nil {
			return err
		}
		if f.Owner != by.Person {
			return concert.ErrNotFound
		}
		return tx.DropSavedFilter(ctx, id)
	})
	return f, err
}

// ReadRegisters are the registers of parties and outlets, for everybody but a
// provider's people.
func (s *Service) ReadRegisters(ctx context.Context, scope concert.Scope) (Registers, error) {
	if err := scope.Check(); err != nil {
		return Registers{}, err
	}
	if scope.Actor().Provider != "" {
		return Registers{}, concert.ErrNotFound
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadRegisters}); err != nil {
		return Registers{}, err
	}
	return s.Registers(ctx)
}

// OutletView is an outlet with what it stands on and who entered that.
type OutletView struct {
	concert.Outlet
	Parent    concert.Outlet // zero where there is none
	Entries   []concert.ScopeEntry
	Operators map[concert.PersonID]string
}

// ReadOutlet is one outlet by reference, for everybody but a provider's people.
func (s *Service) ReadOutlet(ctx context.Context, scope concert.Scope, ref string) (OutletView, error) {
	g, err := s.ReadRegisters(ctx, scope)
	if err != nil {
		return OutletView{}, err
	}
	for _, o := range g.Scope.Outlets {
		if o.Ref != ref {
			continue
		}
		v := OutletView{Outlet: o, Parent: g.Scope.Outlets[o.Parent], Entries: g.Scope.Entries[o.ID]}
		var people []concert.PersonID
		for _, e := range v.Entries {
			people = append(people, e.ProposedBy, e.ConfirmedBy, e.DelistedBy)
		}
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			var err error
			v.Operators, err = tx.Operators(ctx, people)
			return err
		})
		return v, err
	}
	return OutletView{}, concert.ErrNotFound
}
