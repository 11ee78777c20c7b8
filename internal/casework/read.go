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
	Messages   []concert.Message // from the provider about it, or about its referral as a whole; for its author, coordinators and auditors
	HoldBy     string            // contact of the hold that keeps it back, or that came late; for its author
	HoldLate   bool              // the hold was placed after the item had been referred
	Override   concert.Override  // zero where no hold was overridden; for its author, coordinators and auditors
	ReferredAs string            // the referral's reference
	ActionRef  string
	Erasure    concert.Erasure    // asked for or done; the zero one for neither
	AskedBy    string             // operator number of who asked for the erasure
	Withheld   bool               // the judgement is not shown: its handling code keeps it to its own authority (G23)
	Look       concert.SecondLook // that the assessment was drawn for; zero where it was not
	LookUnit   string             // of who looked
	Notes      []concert.Note     // internal, of the reader's own authority
	Isolation  concert.Isolation  // what its provider cannot isolate; zero where it does not say so
	Slip       SlipView           // what lies on it while it waits; for its desk and who oversees
	Why        []concert.PriorityReason

	Captures      []CaptureView    // those that the reader may know of, the newest first
	Atrocity      concert.Atrocity // zero where the item was never marked
	AtrocityUnit  string           // of who marked it
	Preservations []PreservationView

	Cases        []concert.Case     // that it belongs to, of those that the reader is a member of; all for auditors
	Incidents    []concert.Incident // that it belongs to
	Translations []concert.Translation
	TranslatedBy map[concert.PersonID]string // operator numbers of makers and recorders
}

// ReadItem is one item. Those who neither found nor judged it get the answer
// of a missing one; coordinators see all of it, and so do auditors. Whoever
// reads says why, and that is recorded first (G19). When a reviewer first opens
// an assessment that waits is kept.
func (s *Service) ReadItem(ctx context.Context, scope concert.Scope, ref string) (ItemView, error) {
	var v ItemView
	first := false
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadOneItem, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		err := s.readItem(ctx, tx, by, ref, &v)
		if err == nil {
			first, err = opens(ctx, tx, by, &v)
		}
		if err == nil {
			err = s.fillFlow(ctx, tx, by, &v)
		}
		if err == nil {
			err = warned(ctx, tx, v.Captures)
		}
		return err
	})
	if err == nil {
		s.renewWhileReading(ctx, by, v)
	}
	if err == nil && first {
		err = s.DB.Update(ctx, func(tx *store.Tx) error { return tx.AddOpening(ctx, v.Assessment, by.Person, s.now()) })
	}
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
	if v.Erasure, err = tx.Erasure(ctx, v.ID); err != nil {
		return err
	}
	if !v.Item.ErasedAt.IsZero() {
		*v = ItemView{Item: v.Item.Remaining(), Erasure: v.Erasure}
		return nil
	}
	if err := s.showItem(ctx, tx, by, v); err != nil {
		return err
	}
	if err := v.annotate(ctx, tx, by); err != nil {
		return err
	}
	if err := v.limit(ctx, tx, by); err != nil {
		return err
	}
	if err := s.fillCaptures(ctx, tx, by, v); err != nil {
		return err
	}
	return s.fillFolders(ctx, tx, by, v)
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

// showItem fills the view, with what there is of holds for who may know: of a
// hold only the author learns, who asked by dispatching, and who oversees.
func (s *Service) showItem(ctx context.Context, tx *store.Tx, by concert.Actor, v *ItemView) error {
	inside := by.Authority != "" && v.Item.Author == by.Authority || by.Has(concert.RoleAuditor) || by.Has(concert.RoleCoordinator)
	if !inside {
		v.Item = v.Item.ShownTo(by.Authority)
		err := s.fillItem(ctx, tx, v)
		if n := len(v.Approvals); n > 0 && v.Status == concert.ItemApproved {
			v.UpdatedAt = v.Approvals[n-1].At // not when a hold stopped it
		}
		return err
	}
	var err error
	if v.Overridden {
		if v.Override, err = tx.Override(ctx, v.ID); err != nil {
			return err
		}
	}
	if v.HoldBy, v.HoldLate, err = s.shownHold(ctx, tx, v.Item); err != nil {
		return err
	}
	if v.Messages, err = messagesAbout(ctx, tx, v.Item); err != nil {
		return err
	}
	return s.fillItem(ctx, tx, v)
}

// limit takes from the view what is not for its reader: who is not of the
// item's own authority sees no request to erase it and, where the handling code
// keeps it from other authorities, no judgement and no ground (G23).
func (v *ItemView) limit(ctx context.Context, tx *store.Tx, by concert.Actor) error {
	own := by.Has(concert.RoleAuditor) || by.Authority != "" && by.Authority == v.Item.Custodian()
	if !own {
		v.Erasure = concert.Erasure{}
	}
	if !own && !v.Handling.MayLeave(concert.ToTenant) {
		v.Judged, v.Approvals, v.Remedies, v.Answers, v.Messages, v.Withheld = concert.Assessment{}, nil, nil, nil, nil, true
		v.Isolation = concert.Isolation{}
		v.Look, v.LookUnit = concert.SecondLook{}, ""
	}
	if v.Erasure.AskedBy == "" {
		return nil
	}
	ops, err := tx.Operators(ctx, []concert.PersonID{v.Erasure.AskedBy})
	v.AskedBy = ops[v.Erasure.AskedBy]
	return err
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
	if v.Claimed == concert.AnswerCannotIsolate {
		all, err := tx.Isolations(ctx, []concert.ItemID{v.ID})
		if err != nil {
			return err
		}
		v.Isolation = all[v.ID]
	}
	remedies, err := tx.Remedies(ctx, []concert.ItemID{v.ID})
	v.Remedies = remedies[v.ID]
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
	for _, p := range []concert.PersonID{v.Override.By, v.Override.Reviewer} {
		if p != "" {
			people = append(people, p)
		}
	}
	if v.Status != concert.ItemAssessed {
		looks, err := tx.SecondLooks(ctx, []concert.AssessmentID{v.Assessment})
		if err != nil {
			return err
		}
		if v.Look = looks[v.Assessment]; v.Look.By != "" {
			people = append(people, v.Look.By)
			a, err := tx.Authority(ctx, string(v.Look.Authority))
			if err != nil {
				return err
			}
			v.LookUnit = a.Unit
		}
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
		acts, err := tx.Actions(ctx, actionsMost)
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
	Read      bool // only what is in a language that the actor reads, or in none that is named
}

func (q ItemQuery) on(desk concert.AuthorityID, by concert.Actor) store.ItemFilter {
	f := store.ItemFilter{Status: q.Status, AfterRank: q.AfterRank, AfterID: q.AfterID, Limit: q.Limit, Authority: desk}
	if q.Read {
		f.Languages = append([]string{}, by.Languages...)
	}
	return f
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
		out, err = tx.Items(ctx, scope, q.on(desk, scope.Actor()))
		b.Count = len(out)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, it := range out {
		out[i] = it.Remaining()
	}
	return out, nil
}
