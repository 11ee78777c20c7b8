package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/store"
)

const (
	looksShown   = 100  // second looks that one list names
	looksScanned = 2000 // of other authorities, to find those that nobody there can do
)

// BlindLook is what a second pair of eyes is shown, and no more: not the
// judgement, nor its facts and grounds, nor whose they are.
type BlindLook struct {
	Ref        string
	Location   concert.Location
	Type       concert.ItemType
	Outlet     concert.Outlet
	Language   string
	Evaluation string
	Exercise   bool

	// Of one look alone: the item's words in other languages, without who made them,
	// who may be who judged; and whether the reader understands the item by itself
	// or by them.
	Translations []concert.Translation
	Understood   bool
}

// Disagreement is a second look that disagreed, as the author's authority
// hears of it.
type Disagreement struct {
	concert.SecondLook
	Ref    string
	Status concert.ItemStatus
}

// SecondLooks are those that the actor may do, and what was disagreed with.
type SecondLooks struct {
	Waiting   []BlindLook
	Disagreed []Disagreement
}

// ListSecondLooks are the second looks that wait for this reviewer, the oldest
// first, and the disagreements that its authority was told of, the newest
// first; officers hear of these as well.
func (s *Service) ListSecondLooks(ctx context.Context, scope concert.Scope) (SecondLooks, error) {
	var out SecondLooks
	if err := scope.Check(); err != nil {
		return out, err
	}
	by := scope.Actor()
	if err := by.Need(concert.RoleReviewer, concert.RoleOfficer); err != nil {
		return out, err
	}
	b := concert.ConsultedBody{What: concert.ReadSecondLooks}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		if by.MayApprove() == nil {
			if out.Waiting, err = waitingLooks(ctx, tx, by); err != nil {
				return err
			}
		}
		looks, err := tx.Disagreements(ctx, by.Authority, looksShown)
		if err != nil {
			return err
		}
		items, err := itemsOf(ctx, tx.BareItemsByID, looks)
		for _, l := range looks {
			out.Disagreed = append(out.Disagreed, Disagreement{SecondLook: l, Ref: items[l.Item].Ref, Status: items[l.Item].Status})
		}
		b.Count = len(out.Waiting) + len(out.Disagreed)
		return err
	})
	if err != nil {
		return SecondLooks{}, err
	}
	return out, nil
}

// itemsOf are the items of the looks, by id.
func itemsOf(ctx context.Context, load func(context.Context, []concert.ItemID) ([]concert.Item, error), looks []concert.SecondLook) (map[concert.ItemID]concert.Item, error) {
	ids := make([]concert.ItemID, len(looks))
	for i, l := range looks {
		ids[i] = l.Item
	}
	items, err := load(ctx, ids)
	out := make(map[concert.ItemID]concert.Item, len(items))
	for _, it := range items {
		out[it.ID] = it
	}
	return out, err
}

// looksFor are the second looks that wait for this reviewer.
func looksFor(ctx context.Context, tx *store.Tx, by concert.Actor) ([]concert.SecondLook, error) {
	looks, err := tx.WaitingLooks(ctx, by.Authority, false, looksScanned)
	if err != nil {
		return nil, err
	}
	others, err := tx.WaitingLooks(ctx, by.Authority, true, looksScanned)
	if err != nil {
		return nil, err
	}
	looks = append(looks, others...)
	bare, err := itemsOf(ctx, tx.BareItemsByID, looks)
	if err != nil {
		return nil, err
	}
	circles, err := circlesOf(ctx, tx, looks, bare)
	if err != nil {
		return nil, err
	}
	looks = slices.DeleteFunc(looks, func(l concert.SecondLook) bool {
		return l.MayLook(by, bare[l.Item], circles[l.Assessment]) != nil
	})
	return looks[:min(len(looks), looksShown)], nil
}

func waitingLooks(ctx context.Context, tx *store.Tx, by concert.Actor) ([]BlindLook, error) {
	looks, err := looksFor(ctx, tx, by)
	if err != nil {
		return nil, err
	}
	return blindLooks(ctx, tx, looks)
}

// blindLooks are second looks without anything of the judgements.
func blindLooks(ctx context.Context, tx *store.Tx, looks []concert.SecondLook) ([]BlindLook, error) {
	items, err := itemsOf(ctx, tx.ItemsByID, looks)
	if err != nil {
		return nil, err
	}
	ids := make([]concert.AssessmentID, len(looks))
	for i, l := range looks {
		ids[i] = l.Assessment
	}
	judged, err := tx.Assessments(ctx, ids)
	if err != nil {
		return nil, err
	}
	list, err := tx.ScopeList(ctx)
	out := make([]BlindLook, len(looks))
	for i, l := range looks {
		it := items[l.Item]
		out[i] = BlindLook{Ref: it.Ref, Location: it.Location, Type: it.Type, Outlet: list.Outlets[it.Outlet], Language: it.Language, Evaluation: judged[l.Assessment].Evaluation, Exercise: it.Exercise}
	}
	return out, err
}

// circlesOf says who stands around each assessment that was drawn.
func circlesOf(ctx context.Context, tx *store.Tx, looks []concert.SecondLook, items map[concert.ItemID]concert.Item) (map[concert.AssessmentID]concert.Circle, error) {
	if len(looks) == 0 {
		return nil, nil
	}
	ids := make([]concert.AssessmentID, len(looks))
	for i, l := range looks {
		ids[i] = l.Assessment
	}
	decided, err := tx.Reviewers(ctx, ids)
	if err != nil {
		return nil, err
	}
	opened, err := tx.Openings(ctx, ids)
	if err != nil {
		return nil, err
	}
	people, err := tx.People(ctx)
	if err != nil {
		return nil, err
	}
	reviewers := map[concert.AuthorityID][]concert.PersonID{}
	for _, p := range people {
		if slices.Contains(p.Roles, concert.RoleReviewer) && p.InForce() {
			reviewers[p.Authority] = append(reviewers[p.Authority], p.ID)
		}
	}
	parties := map[concert.ActionID][]concert.AuthorityID{"": nil}
	out := make(map[concert.AssessmentID]concert.Circle, len(looks))
	for _, l := range looks {
		it := items[l.Item]
		if _, known := parties[it.Action]; !known {
			ps, err := tx.Participants(ctx, it.Action)
			if err != nil {
				return nil, err
			}
			for _, p := range ps {
				parties[it.Action] = append(parties[it.Action], p.Authority)
			}
		}
		c := concert.Circle{Knowing: append(decided[l.Assessment], it.Assessor), Reviewers: reviewers[it.Author], Parties: parties[it.Action]}
		for p := range opened[l.Assessment] {
			c.Knowing = append(c.Knowing, p)
		}
		out[l.Assessment] = c
	}
	return out, nil
}

// LookAgain records a second look at an approved item. It stops and sends
// nothing: the author's authority is told, and decides (G27).
func (s *Service) LookAgain(ctx context.Context, by concert.Actor, ref string, said concert.SecondLook) (concert.SecondLook, error) {
	if err := by.MayApprove(); err != nil {
		return said, err
	}
	var out concert.SecondLook
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it := items[ref]
		looks, err := tx.SecondLooks(ctx, []concert.AssessmentID{it.Assessment})
		if err != nil {
			return err
		}
		l, drawn := looks[it.Assessment]
		if !drawn || !it.ErasedAt.IsZero() {
			return concert.ErrNotFound
		}
		circles, err := circlesOf(ctx, tx, []concert.SecondLook{l}, map[concert.ItemID]concert.Item{it.ID: it})
		if err != nil {
			return err
		}
		words, err := translated(ctx, tx, by, items, func(string) string { return "" })
		if err != nil {
			return err
		}
		l.Verdict, l.Type, l.Note, l.Translations = said.Verdict, said.Type, said.Note, words[it.ID]
		var e concert.Event
		if out, e, err = l.Looked(by, it, circles[l.Assessment], s.now()); err != nil {
			return err
		}
		tx.Record(e)
		return tx.SaveSecondLook(ctx, out)
	})
	return out, err
}
