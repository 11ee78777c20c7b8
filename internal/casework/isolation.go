package casework

import (
	"context"

	"concert"
	"concert/internal/store"
)

// isolated notes that an item's provider says it cannot isolate it. The item was
// loaded bare, so its domain is opened here; it is rarely said.
func (s *Service) isolated(ctx context.Context, tx *store.Tx, it concert.Item, a concert.Answer) (concert.Isolation, error) {
	whole, err := tx.Item(ctx, it.Ref)
	if err != nil {
		return concert.Isolation{}, err
	}
	return concert.Isolation{Item: it.ID, Provider: it.Provider, Referral: it.Referral, Area: s.areaOf(whole), Others: a.Others, OthersAre: a.OthersAre, At: a.At}, nil
}

// areaOf is the keyed digest of an item's registrable domain, zero without one.
func (s *Service) areaOf(it concert.Item) [32]byte {
	if it.Location.Domain == "" {
		return [32]byte{}
	}
	return s.DB.Place("area", it.Location.Domain)
}

// narrow refuses to approve an item that asks for more than one place where an
// item of the same author at the same provider cannot be isolated and no
// proportionality is approved.
func (s *Service) narrow(ctx context.Context, tx *store.Tx, it concert.Item) error {
	if !it.Wide() || it.Provider == "" {
		return nil
	}
	whole, err := tx.Item(ctx, it.Ref)
	if err != nil {
		return err
	}
	area := s.areaOf(whole)
	if area == [32]byte{} {
		return nil
	}
	blocked, err := tx.AreaBlocked(ctx, it.Author, it.Provider, area)
	if err != nil || !blocked {
		return err
	}
	return concert.ErrWider(it)
}

// WeighIsolation writes the proportionality of a measure that would hit others.
// Version is the item's.
func (s *Service) WeighIsolation(ctx context.Context, by concert.Actor, ref string, version int64, text string) (concert.Isolation, error) {
	return s.weigh(ctx, by, ref, version, func(_ *store.Tx, i concert.Isolation, it concert.Item) (concert.Isolation, concert.Event, error) {
		return i.Weighed(by, it, text, s.now())
	})
}

// ApproveIsolation approves it as a second person, and with that writes the
// wider request, with the proportionality as its text, into the item's thread.
func (s *Service) ApproveIsolation(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Isolation, error) {
	return s.weigh(ctx, by, ref, version, func(tx *store.Tx, i concert.Isolation, it concert.Item) (concert.Isolation, concert.Event, error) {
		next, e, err := i.Widened(by, it, s.now())
		if err != nil {
			return i, e, err
		}
		r, err := tx.ReferralByID(ctx, it.Referral)
		if err != nil {
			return i, e, err
		}
		_, err = s.addQuestion(ctx, tx, by, r, concert.Question{Kind: concert.QuestionWider, Text: next.Text}, it)
		return next, e, err
	})
}

func (s *Service) weigh(ctx context.Context, by concert.Actor, ref string, version int64, rule func(*store.Tx, concert.Isolation, concert.Item) (concert.Isolation, concert.Event, error)) (concert.Isolation, error) {
	var out concert.Isolation
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		named, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := named[ref]
		if !ok || by.Authority == "" || it.Author != by.Authority {
			return concert.ErrNotFound
		}
		if version != it.Version {
			return outdated()
		}
		all, err := tx.Isolations(ctx, []concert.ItemID{it.ID})
		if err != nil {
			return err
		}
		next, e, err := rule(tx, all[it.ID], it)
		if err != nil {
			return err
		}
		if err := tx.SaveIsolation(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		out = next
		return nil
	})
	return out, err
}

// OpenIsolations are the items of the actor's authority that cannot be isolated
// and whose proportionality is not approved, oldest first, bare.
func (s *Service) OpenIsolations(ctx context.Context, by concert.Actor) ([]concert.Item, error) {
	if by.Authority == "" {
		return nil, concert.Refuse(concert.Forbidden, "items.authority", "", "only people of an authority, and auditors, list items")
	}
	var out []concert.Item
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		ids, err := tx.OpenIsolations(ctx, by.Authority, 100)
		if err != nil {
			return err
		}
		out, err = tx.BareItemsByID(ctx, ids)
		return err
	})
	return out, err
}

// SetArticle16 says whether the referrals that the actor's authority authors from
// now on are meant as notices under DSA Art. 16.
func (s *Service) SetArticle16(ctx context.Context, by concert.Actor, authority string, on bool) (concert.AuthoritySetting, error) {
	var out concert.AuthoritySetting
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		a, err := tx.Authority(ctx, authority)
		if err != nil {
			return err
		}
		was, err := tx.Setting(ctx, a.ID)
		if err != nil {
			return err
		}
		next, e, err := was.Article16Set(by, a, on, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		out = next
		return tx.SaveSetting(ctx, next)
	})
	return out, err
}

// Article16 is how the actor's own authority means its referrals.
func (s *Service) Article16(ctx context.Context, by concert.Actor) (concert.Authority, concert.AuthoritySetting, error) {
	var a concert.Authority
	var out concert.AuthoritySetting
	if by.Authority == "" {
		return a, out, concert.Refuse(concert.Forbidden, "role.no_authority", "", "you belong to no authority: ask an administrator to place you in one")
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if a, err = tx.Authority(ctx, string(by.Authority)); err != nil {
			return err
		}
		out, err = tx.Setting(ctx, by.Authority)
		return err
	})
	return a, out, err
}

// OperatorsOf are the operator numbers of people, for pages that name who did
// what.
func (s *Service) OperatorsOf(ctx context.Context, people ...concert.PersonID) (map[concert.PersonID]string, error) {
	var out map[concert.PersonID]string
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.Operators(ctx, people)
		return err
	})
	return out, err
}
