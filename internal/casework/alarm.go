package casework

import (
	"context"

	"concert"
	"concert/internal/store"
)

// overridesMost bounds the overrides that are listed as waiting for a review.
const overridesMost = 200

// AlarmView is an alarm with what it is about.
type AlarmView struct {
	concert.Alarm
	By         concert.Authority
	ItemRef    string
	ContactRef string // of the contact point that it concerns, "" for none
	Provider   concert.Provider
}

// ReviewView is an override that waits for its review.
type ReviewView struct {
	concert.Override
	By      concert.Authority
	ItemRef string
}

// Alarms are what coordinators and auditors must see: alarms, newest first, and
// the overrides that wait for a review, the first due first.
func (s *Service) Alarms(ctx context.Context, scope concert.Scope, before concert.AlarmID, limit int) ([]AlarmView, []ReviewView, error) {
	if err := scope.Check(); err != nil {
		return nil, nil, err
	}
	if err := scope.Actor().Need(concert.RoleCoordinator, concert.RoleAuditor); err != nil {
		return nil, nil, err
	}
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadAlarms}); err != nil {
		return nil, nil, err
	}
	var alarms []AlarmView
	var reviews []ReviewView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		as, err := tx.Alarms(ctx, before, limit)
		if err != nil {
			return err
		}
		os, err := tx.OverridesToReview(ctx, overridesMost)
		if err != nil {
			return err
		}
		var ids []concert.ItemID
		for _, a := range as {
			if a.Item != "" {
				ids = append(ids, a.Item)
			}
		}
		for _, o := range os {
			ids = append(ids, o.Item)
		}
		items, err := tx.BareItemsByID(ctx, ids)
		if err != nil {
			return err
		}
		refs := map[concert.ItemID]string{}
		for _, it := range items {
			refs[it.ID] = it.Ref
		}
		all, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		by := map[concert.AuthorityID]concert.Authority{}
		for _, a := range all {
			by[a.ID] = a
		}
		for _, a := range as {
			v := AlarmView{Alarm: a, By: by[a.Authority], ItemRef: refs[a.Item]}
			if err := v.contact(ctx, tx); err != nil {
				return err
			}
			alarms = append(alarms, v)
		}
		for _, o := range os {
			reviews = append(reviews, ReviewView{o, by[o.Authority], refs[o.Item]})
		}
		return nil
	})
	return alarms, reviews, err
}

// contact fills in the contact point that the alarm concerns.
func (v *AlarmView) contact(ctx context.Context, tx *store.Tx) error {
	if v.Contact == "" {
		return nil
	}
	c, err := tx.ContactPoint(ctx, string(v.Contact))
	if err != nil {
		return err
	}
	v.ContactRef = c.Ref
	v.Provider, err = tx.Provider(ctx, string(c.Provider))
	return err
}
