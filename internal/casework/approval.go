package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

// decisions is an act on many decisions while it runs.
type decisions struct {
	s          *Service
	by         concert.Actor
	list       concert.ScopeList
	bulk       bool
	items      map[string]concert.Item
	earlier    map[concert.AssessmentID][]concert.Approval
	opened     map[concert.AssessmentID]map[concert.PersonID]time.Time
	precedents map[[32]byte][]concert.Precedent
	slips      map[concert.ItemID]concert.Slip
	translated map[concert.ItemID][]concert.Translation
	saved      []concert.Item
	decided    []concert.Approval
}

func (s *Service) beginDeciding(ctx context.Context, tx *store.Tx, by concert.Actor, list concert.ScopeList, in []Deciding) (*decisions, error) {
	d := &decisions{s: s, by: by, list: list, bulk: len(in) > 1}
	var err error
	if d.items, err = tx.BareItemsByRef(ctx, entries(len(in), func(i int) string { return in[i].Item })); err != nil {
		return nil, err
	}
	if d.slips, err = slipsOn(ctx, tx, d.items); err != nil {
		return nil, err
	}
	var all, open []concert.AssessmentID
	for _, it := range d.items {
		if it.Assessment != "" {
			all = append(all, it.Assessment)
		}
		if it.Given > 0 {
			open = append(open, it.Assessment)
		}
	}
	if d.earlier, err = tx.Approvals(ctx, open); err != nil {
		return nil, err
	}
	if d.opened, err = tx.Openings(ctx, all); err != nil {
		return nil, err
	}
	if d.translated, err = translated(ctx, tx, by, d.items, func(string) string { return "" }); err != nil {
		return nil, err
	}
	if d.bulk {
		d.precedents, err = tx.Precedents(ctx, works(d.items))
	}
	return d, err
}

// works are the digests of the works that the items are captures of.
func works(items map[string]concert.Item) [][32]byte {
	seen := map[[32]byte]bool{{}: true}
	var out [][32]byte
	for _, it := range items {
		if !seen[it.Content] {
			seen[it.Content] = true
			out = append(out, it.Content)
		}
	}
	return out
}

// precedent is one that the item may follow, the zero value where there is
// none.
func (d *decisions) precedent(it concert.Item) concert.Precedent {
	ps := d.precedents[it.Content]
	if i := slices.IndexFunc(ps, func(p concert.Precedent) bool { return it.MayFollow(d.by, p) }); i >= 0 {
		return ps[i]
	}
	return concert.Precedent{}
}

func (d *decisions) one(ctx context.Context, tx *store.Tx, in Deciding) (Result, error) {
	it, ok := d.items[in.Item]
	if !ok || it.Author != d.by.Authority {
		return Result{Ref: in.Item, Err: concert.ErrNotFound}, nil
	}
	if in.Version != it.Version {
		ref, err := refusal(outdated())
		return Result{Ref: in.Item, Err: ref}, err
	}
	if in.Decision == concert.Approve {
		if err := d.s.narrow(ctx, tx, it); err != nil {
			ref, err := refusal(err)
			return Result{Ref: in.Item, Err: ref}, err
		}
	}
	next, a, e, err := it.Decided(d.by, concert.Approval{Decision: in.Decision, Ground: in.Ground, Bulk: d.bulk, Precedent: d.precedent(it),
		OpenedAt: d.opened[it.Assessment][d.by.Person], Draw: d.s.DB.Draw(it.ID), Translations: d.translated[it.ID]}, d.earlier[it.Assessment], d.list, d.s.now())
	if err == nil {
		err = unclaimed(d.slips, d.by, it, d.s.now())
	}
	if err != nil {
		ref, err := refusal(err)
		return Result{Ref: in.Item, Err: ref}, err
	}
	delete(d.items, in.Item) // a second entry for one item finds it gone
	d.saved = append(d.saved, next)
	if a.Reviewer != "" {
		d.decided = append(d.decided, a)
	}
	tx.Record(e)
	if a.Drawn {
		if err := tx.AddSecondLook(ctx, next, concert.SecondLook{Item: next.ID, Assessment: next.Assessment, DrawnAt: a.At}); err != nil {
			return Result{}, err
		}
	}
	d.s.onItsWay(tx, next)
	d.s.retain(tx, next)
	return Result{Ref: next.Ref, Outcome: string(next.Status), Version: next.Version + 1}, nil
}

// Awaiting is one assessment on the desk of a reviewer.
type Awaiting struct {
	concert.Item
	Own     bool   // the reviewer assessed it, or decided on it already
	Follows string // reference of a copy that was approved alone: those with the same one may be approved together
}

// SearchApprovals is one page of the assessments that wait for an approval on the
// desk of the actor's authority; with q.Decider only those that this person may
// decide on. filters is the search as an address has it. Listing shows places; it
// counts as the opening of none of them.
func (s *Service) SearchApprovals(ctx context.Context, scope concert.Scope, q concert.ItemSearch, filters string, p concert.Page) (concert.Listed[Awaiting], error) {
	var out concert.Listed[Awaiting]
	if err := scope.Check(); err != nil {
		return out, err
	}
	by := scope.Actor()
	if err := by.MayApprove(); err != nil {
		return out, err
	}
	q.Desk, q.Status, q.Found = by.Authority, concert.ItemAssessed, false
	b := concert.ConsultedBody{What: concert.ReadApprovals, Filter: filters}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		found, err := tx.SearchItems(ctx, scope, q, p)
		if err != nil {
			return err
		}
		items := found.Rows
		byRef := make(map[string]concert.Item, len(items))
		var given []concert.AssessmentID
		for _, it := range items {
			byRef[it.Ref] = it
			if it.Given > 0 {
				given = append(given, it.Assessment)
			}
		}
		reviewers, err := tx.Reviewers(ctx, given)
		if err != nil {
			return err
		}
		d := decisions{by: by}
		if d.precedents, err = tx.Precedents(ctx, works(byRef)); err != nil {
			return err
		}
		b.Count = len(items)
		out = concert.Listed[Awaiting]{Looked: found.Looked, Rest: found.Rest, Rows: make([]Awaiting, len(items))}
		follows := make([]concert.ItemID, len(items))
		for i, it := range items {
			out.Rows[i] = Awaiting{Item: it, Own: it.Assessor == by.Person || slices.Contains(reviewers[it.Assessment], by.Person)}
			if !out.Rows[i].Own {
				follows[i] = d.precedent(it).Item
			}
		}
		return nameFollowed(ctx, tx, out.Rows, follows)
	})
	if err != nil {
		return concert.Listed[Awaiting]{}, err
	}
	return out, nil
}

func nameFollowed(ctx context.Context, tx *store.Tx, out []Awaiting, follows []concert.ItemID) error {
	ids := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(follows))), func(id concert.ItemID) bool { return id == "" })
	named, err := tx.BareItemsByID(ctx, ids)
	refs := map[concert.ItemID]string{}
	for _, it := range named {
		refs[it.ID] = it.Ref
	}
	for i, id := range follows {
		out[i].Follows = refs[id]
	}
	return err
}

// opens reports whether this reading is the first by a reviewer of an
// assessment that waits for a decision, or for a second look: from then on the
// reviewer knows what was judged.
func opens(ctx context.Context, tx *store.Tx, by concert.Actor, v *ItemView) (bool, error) {
	waits := v.Status == concert.ItemAssessed || v.Look.Assessment != "" && v.Look.At.IsZero()
	if !waits || by.MayApprove() != nil || v.Item.Author != by.Authority || v.Item.Assessor == by.Person ||
		slices.ContainsFunc(v.Approvals, func(a concert.Approval) bool { return a.Reviewer == by.Person }) {
		return false, nil
	}
	known, err := tx.Openings(ctx, []concert.AssessmentID{v.Assessment})
	_, was := known[v.Assessment][by.Person]
	return !was, err
}

// Approvals is how the approvals within an action were given.
type Approvals struct {
	Total, Single, Bulk int
	Unopened            int           // given alone without ever opening the item
	Median, P90         time.Duration // from opening to approval, of those given alone after opening
}

func approvalsOf(ds []concert.Approval) Approvals {
	a := Approvals{Total: len(ds)}
	var took []time.Duration
	for _, d := range ds {
		t, opened := d.Took()
		switch {
		case d.Bulk:
			a.Bulk++
			continue
		case opened:
			took = append(took, t)
		default:
			a.Unopened++
		}
		a.Single++
	}
	if slices.Sort(took); len(took) > 0 {
		a.Median, a.P90 = took[len(took)/2], took[len(took)*9/10]
	}
	return a
}
