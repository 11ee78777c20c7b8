package casework

import (
	"context"
	"strconv"

	"concert"
	"concert/internal/store"
)

// ListedLook is a second look as its list shows it: while it waits no more than a
// blind one, and once it is given what was said, by whom, and where the item
// stands now.
type ListedLook struct {
	concert.SecondLook
	Ref      string
	Location concert.Location
	Kind     concert.ItemType
	Provider concert.ProviderID
	Outlet   concert.OutletID
	Language string
	Operator string             // number of who looked
	Unit     string             // and of which authority
	Status   concert.ItemStatus // "" while it waits
}

// LookKeys are a second look's place in its list.
func LookKeys(l concert.SecondLook) []string {
	return []string{strconv.FormatInt(concert.Micros(l.DrawnAt), 10), string(l.Assessment)}
}

// SearchSecondLooks is one page of second looks: those that the actor may give,
// and those that were given to assessments of its authority. looker is the
// operator number of somebody of the authority who looked, "" for any; filters is
// the search as an address has it.
func (s *Service) SearchSecondLooks(ctx context.Context, scope concert.Scope, q concert.LookSearch, looker, filters string, p concert.Page) (concert.Listed[ListedLook], error) {
	var out concert.Listed[ListedLook]
	if err := scope.Check(); err != nil {
		return out, err
	}
	by := scope.Actor()
	if err := by.Need(concert.RoleReviewer, concert.RoleOfficer); err != nil {
		return out, err
	}
	b := concert.ConsultedBody{What: concert.ReadSecondLooks, Filter: filters}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		if q.Looker, err = personAsked(ctx, tx, by, looker, "by"); err != nil {
			return err
		}
		found, err := tx.SearchLooks(ctx, scope, q, by.MayApprove() == nil, p)
		if err != nil {
			return err
		}
		out = concert.Listed[ListedLook]{Looked: found.Looked, Rest: found.Rest}
		bare, err := itemsOf(ctx, tx.BareItemsByID, found.Rows)
		if err != nil {
			return err
		}
		circles, err := circlesOf(ctx, tx, found.Rows, bare)
		if err != nil {
			return err
		}
		var shown []concert.SecondLook
		for _, l := range found.Rows {
			if !l.At.IsZero() || l.MayLook(by, bare[l.Item], circles[l.Assessment]) == nil {
				shown = append(shown, l)
			}
		}
		if n := len(found.Rows); len(shown) < n && n == p.Limit {
			out.Looked, out.Rest = n, LookKeys(found.Rows[n-1]) // what was left out makes no page the last one
		}
		b.Count = len(shown)
		out.Rows, err = listedLooks(ctx, tx, shown)
		return err
	})
	if err != nil {
		return concert.Listed[ListedLook]{}, err
	}
	return out, nil
}

func listedLooks(ctx context.Context, tx *store.Tx, looks []concert.SecondLook) ([]ListedLook, error) {
	items, err := itemsOf(ctx, tx.ItemsByID, looks)
	if err != nil {
		return nil, err
	}
	people := make([]concert.PersonID, len(looks))
	for i, l := range looks {
		people[i] = l.By
	}
	numbers, err := tx.Operators(ctx, people)
	if err != nil {
		return nil, err
	}
	units := map[concert.AuthorityID]string{"": ""}
	out := make([]ListedLook, len(looks))
	for i, l := range looks {
		if _, known := units[l.Authority]; !known {
			a, err := tx.Authority(ctx, string(l.Authority))
			if err != nil {
				return nil, err
			}
			units[l.Authority] = a.Unit
		}
		it := items[l.Item]
		out[i] = ListedLook{SecondLook: l, Ref: it.Ref, Location: it.Location, Kind: it.Type, Provider: it.Provider, Outlet: it.Outlet, Language: it.Language, Operator: numbers[l.By], Unit: units[l.Authority]}
		if !l.At.IsZero() {
			out[i].Status = it.Status
		}
	}
	return out, nil
}

// ReadSecondLook is one second look as whoever may give it sees it, with the
// translations of its words. It is no opening of the item: it stays blind.
func (s *Service) ReadSecondLook(ctx context.Context, scope concert.Scope, ref string) (BlindLook, error) {
	var out BlindLook
	if err := scope.Check(); err != nil {
		return out, err
	}
	by := scope.Actor()
	if err := by.MayApprove(); err != nil {
		return out, err
	}
	b := concert.ConsultedBody{What: concert.ReadSecondLooks, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
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
		if err := l.MayLook(by, it, circles[l.Assessment]); err != nil {
			return err
		}
		blind, err := blindLooks(ctx, tx, []concert.SecondLook{l})
		if err != nil {
			return err
		}
		out = blind[0]
		if l.Translations, err = tx.Translations(ctx, it.ID); err != nil {
			return err
		}
		out.Understood = l.Understands(by, it)
		for _, t := range l.Translations {
			out.Translations = append(out.Translations, concert.Translation{Ref: t.Ref, Kind: t.Kind, Source: t.Source, Target: t.Target, Text: t.Text, At: t.At})
		}
		return nil
	})
	if err != nil {
		return BlindLook{}, err
	}
	return out, nil
}
