package casework

import (
	"context"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// dispatchLinger is how long an approved item waits for company, so that one
// referral carries several; an urgent one does not wait.
const dispatchLinger = time.Minute

// lingerWall is the least of that wait on the wall: in an exercise a case minute
// is over before anybody could approve the next item.
const lingerWall = time.Second

// Judging is one assessment as it comes in.
type Judging struct {
	Item    string
	Version int64  // that was read
	Outlet  string // reference
	concert.Assessment
	Captures []Capturing // small ones that come along, and that it may rest on

	taken   []taken
	untaken *concert.Error // why they could not be read
}

// AssessItems records assessments by an officer of an authority that found the
// items.
func (s *Service) AssessItems(ctx context.Context, by concert.Actor, in []Judging) ([]Result, error) {
	if err := by.MaySubmit(); err != nil {
		return nil, err
	}
	out := make([]Result, len(in))
	for i, j := range in {
		var err error
		if in[i].taken, err = s.takeInline(by, j.Captures); err != nil {
			if in[i].untaken, err = refusal(err); err != nil {
				return nil, err
			}
		}
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		list, err := tx.ScopeList(ctx)
		if err != nil {
			return err
		}
		hosts, err := tx.Platforms(ctx)
		if err != nil {
			return err
		}
		items, err := tx.ItemsByRef(ctx, entries(len(in), func(i int) string { return in[i].Item }))
		if err != nil {
			return err
		}
		seen, err := seenBy(ctx, tx, by, items)
		if err != nil {
			return err
		}
		slips, err := slipsOn(ctx, tx, items)
		if err != nil {
			return err
		}
		captures, err := newestCaptures(ctx, tx, by, items)
		if err != nil {
			return err
		}
		record, err := tx.OfficerTallies(ctx, by.Person)
		if err != nil {
			return err
		}
		watched := concert.AccuracyOf(record).Low()
		named := make(map[string]string, len(in))
		for _, j := range in {
			named[j.Item] = j.Language
		}
		words, err := translated(ctx, tx, by, items, func(ref string) string { return named[ref] })
		if err != nil {
			return err
		}
		var saved []concert.Item
		var judged []concert.Assessment
		var along captured
		for i, j := range in {
			it, ok := items[j.Item]
			if !ok || !seen[it.ID] {
				out[i] = Result{Ref: j.Item, Err: concert.ErrNotFound}
				continue
			}
			j.Watched, j.Capture, j.Translations = watched, captures[it.ID], words[it.ID]
			next, a, e := it, j.Assessment, concert.Event{}
			brought, err := s.brought(by, it.ShownTo(by.Authority), &j)
			if err == nil {
				err = unclaimed(slips, by, it, s.now())
			}
			if err == nil {
				next, a, e, err = s.assess(by, it.ShownTo(by.Authority), j, list, hosts)
			}
			if err != nil {
				if out[i].Err, err = refusal(err); err != nil {
					return err
				}
				out[i].Ref = j.Item
				continue
			}
			delete(items, j.Item) // a second entry for one item finds it gone
			saved, judged = append(saved, next), append(judged, a)
			if err := along.add(ctx, tx, s, it, j.taken, brought); err != nil {
				return err
			}
			tx.Record(e)
			s.retain(tx, next)
			out[i] = Result{Ref: next.Ref, Outcome: string(next.Status), Version: next.Version + 1}
		}
		if _, err := tx.AddCaptures(ctx, along.captures, along.bytes); err != nil {
			return err
		}
		if err := tx.AddAssessments(ctx, judged); err != nil {
			return err
		}
		if err := movedOn(ctx, tx, slips, saved); err != nil {
			return err
		}
		return tx.SaveItems(ctx, saved)
	})
	return out, err
}

func (s *Service) assess(by concert.Actor, it concert.Item, j Judging, list concert.ScopeList, hosts map[string]concert.ProviderID) (concert.Item, concert.Assessment, concert.Event, error) {
	a := j.Assessment
	if j.Version != it.Version {
		return it, a, concert.Event{}, outdated()
	}
	if j.Outlet != "" {
		o, err := findOutlet(list, j.Outlet)
		if err != nil {
			return it, a, concert.Event{}, err
		}
		a.Outlet = o.ID
	}
	a.Host = it.Provider
	if a.Host == "" {
		a.Host = hostOf(hosts, it.Location)
	}
	a.ID = concert.AssessmentID(identity.NewID())
	return it.Assessed(by, a, list, s.now())
}

// entries are the references that the entries of an act on many name.
func entries(n int, ref func(int) string) []string {
	refs := make([]string, n)
	for i := range refs {
		refs[i] = ref(i)
	}
	return refs
}

// seenBy says which of the items the actor's authority has found.
func seenBy(ctx context.Context, tx *store.Tx, by concert.Actor, items map[string]concert.Item) (map[concert.ItemID]bool, error) {
	ids := make([]concert.ItemID, 0, len(items))
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	return tx.SeenBy(ctx, by.Authority, ids)
}

// newestCaptures are the newest captures of the items by the actor's authority.
func newestCaptures(ctx context.Context, tx *store.Tx, by concert.Actor, items map[string]concert.Item) (map[concert.ItemID]concert.Capture, error) {
	ids := make([]concert.ItemID, 0, len(items))
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	return tx.NewestCaptures(ctx, by.Authority, ids)
}

// Deciding is one decision as it comes in.
type Deciding struct {
	Item     string
	Version  int64
	Decision concert.Decision
	Ground   string
}

// DecideItems records decisions by a reviewer on assessments that others of
// the same authority made. What is approved is on its way to its provider. More
// than one decision at once is a decision in bulk, which approves copies only.
func (s *Service) DecideItems(ctx context.Context, by concert.Actor, in []Deciding) ([]Result, error) {
	if err := by.MayApprove(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(in, func(d Deciding) bool { return d.Decision == concert.Approve }) {
		if err := proven(by, concert.PowerApprove); err != nil {
			return nil, err
		}
	}
	out := make([]Result, len(in))
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		list, err := tx.ScopeList(ctx)
		if err != nil {
			return err
		}
		d, err := s.beginDeciding(ctx, tx, by, list, in)
		if err != nil {
			return err
		}
		for i, x := range in {
			if out[i], err = d.one(ctx, tx, x); err != nil {
				return err
			}
		}
		if err := tx.AddApprovals(ctx, d.decided); err != nil {
			return err
		}
		if err := movedOn(ctx, tx, d.slips, d.saved); err != nil {
			return err
		}
		return tx.SaveItems(ctx, d.saved)
	})
	return out, err
}

// onItsWay wakes the dispatch to the item's provider once the item may go.
func (s *Service) onItsWay(tx *store.Tx, it concert.Item) {
	if it.Status != concert.ItemApproved || it.Provider == "" {
		return
	}
	wait := max(dispatchLinger, s.caseSpan(lingerWall))
	if it.Priority >= urgentPriority {
		wait = 0
	}
	tx.SetClock(concert.ClockDispatch, string(it.Provider), s.now().Add(wait))
}
