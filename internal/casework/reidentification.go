package casework

import (
	"context"
	"errors"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/vault"
)

// requestsPage bounds the requests and leads of a case that one reading shows.
const requestsPage = 300

// AskReidentification asks to open named pseudonyms of an exhibit. What no
// approval could make lawful is refused at once; the refusal is recorded, and
// comes back as a request with the status refused.
func (s *Service) AskReidentification(ctx context.Context, by concert.Actor, ref, exhibit, judicial string, in concert.Reidentification) (concert.Reidentification, error) {
	r := in
	r.ID, r.Ref, r.Exercise, r.Version = concert.ReidentificationID(identity.NewID()), identity.NewReference("RI"), s.Exercise, 1
	public, secret, err := vault.NewShareKey()
	if err != nil {
		return r, err
	}
	r.Recipient, r.Key = public, secret
	return r, s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := caseOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		x, err := tx.Exhibit(ctx, exhibit)
		if err != nil {
			return err
		}
		court := concert.Authority{}
		if judicial != "" {
			court, err = tx.Authority(ctx, judicial)
			if errors.Is(err, concert.ErrNotFound) {
				err = concert.Refuse(concert.Invalid, "reidentify.judicial", "judicial", "no authority %.40q is registered here: choose one from the register", judicial)
			}
			if err != nil {
				return err
			}
		}
		asked, e, err := c.ReidentificationAsked(by, r, x, court, s.now())
		if err != nil {
			return err
		}
		if asked.Status == concert.ReidentifyRefused {
			asked.Key, asked.Recipient = "", ""
		} else if _, err := tx.LockedPseudonyms(ctx, x.ID, false); errors.Is(err, concert.ErrNotFound) {
			return concert.Refuse(concert.Conflict, "reidentify.no_table", "exhibit", "the locked pseudonyms of exhibit %s are not here: hand them in first", x.Ref)
		} else if err != nil {
			return err
		}
		if err := tx.AddReidentification(ctx, asked); err != nil {
			return err
		}
		tx.Record(e)
		r = asked
		return nil
	})
}

// changeReidentification lets a rule change a request that the actor may read.
// Version is the one that was read.
func (s *Service) changeReidentification(ctx context.Context, by concert.Actor, ref string, version int64, rule func(*store.Tx, concert.Reidentification, concert.Case, time.Time) (concert.Reidentification, concert.Event, error)) (concert.Reidentification, error) {
	var out concert.Reidentification
	return out, s.retryStale(ctx, func(tx *store.Tx) error {
		r, c, err := requestOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		next, e, err := rule(tx, r, c, s.now())
		if err != nil {
			return err
		}
		if version != r.Version {
			return outdated()
		}
		if err := tx.SaveReidentification(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		next.Version++
		out = next
		return nil
	})
}

// requestOf is a request that the actor may read, with its case.
func requestOf(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Reidentification, concert.Case, error) {
	r, err := tx.Reidentification(ctx, ref)
	if err != nil {
		return r, concert.Case{}, err
	}
	c, err := tx.Case(ctx, string(r.Case))
	if err != nil {
		return r, c, err
	}
	return r, c, r.MayRead(by, c)
}

// ConfirmReidentification is a reviewer's word that the facts bear the request.
func (s *Service) ConfirmReidentification(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Reidentification, error) {
	return s.changeReidentification(ctx, by, ref, version, func(_ *store.Tx, r concert.Reidentification, c concert.Case, now time.Time) (concert.Reidentification, concert.Event, error) {
		return r.Confirmed(by, c, now)
	})
}

// AuthoriseReidentification is a prosecutor's or judge's decision.
func (s *Service) AuthoriseReidentification(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Reidentification, error) {
	if err := by.MayDecideReidentifications(); err != nil {
		return concert.Reidentification{}, err
	}
	return s.changeReidentification(ctx, by, ref, version, func(_ *store.Tx, r concert.Reidentification, c concert.Case, now time.Time) (concert.Reidentification, concert.Event, error) {
		return r.Authorised(by, c, now)
	})
}

// DeclineReidentification ends a request, with the reason.
func (s *Service) DeclineReidentification(ctx context.Context, by concert.Actor, ref string, version int64, reason string) (concert.Reidentification, error) {
	return s.changeReidentification(ctx, by, ref, version, func(_ *store.Tx, r concert.Reidentification, c concert.Case, now time.Time) (concert.Reidentification, concert.Event, error) {
		return r.Declined(by, c, reason, now)
	})
}

// CloseReidentification ends it and destroys the key that shares were given to.
func (s *Service) CloseReidentification(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Reidentification, error) {
	return s.changeReidentification(ctx, by, ref, version, func(_ *store.Tx, r concert.Reidentification, c concert.Case, now time.Time) (concert.Reidentification, concert.Event, error) {
		return r.Closed(by, c, now)
	})
}

// TakeShare takes a custodian's share in, which must open with the request's key.
func (s *Service) TakeShare(ctx context.Context, by concert.Actor, ref string, version int64, share []byte) (concert.Reidentification, error) {
	return s.changeReidentification(ctx, by, ref, version, func(tx *store.Tx, r concert.Reidentification, c concert.Case, now time.Time) (concert.Reidentification, concert.Event, error) {
		if r.Key == "" || !c.Member(by) {
			return r.ShareTaken(by, c, "", nil, now) // says what stands in the way
		}
		l, err := tx.LockedPseudonyms(ctx, r.Exhibit, true)
		if err != nil {
			return r, concert.Event{}, err
		}
		lock, err := vault.ParseLock(l.Bytes)
		if err != nil {
			return r, concert.Event{}, err
		}
		custodian, err := lock.ReadShare(share, r.Key)
		if err != nil {
			return r, concert.Event{}, concert.Refuse(concert.Invalid, "reidentify.share", "share", "this share cannot be used: %v", err)
		}
		return r.ShareTaken(by, c, custodian, share, now)
	})
}

// OpenPseudonyms is the answer to a request: who stands behind its pseudonyms, and
// behind no others. That it is read is in the log before anything is opened; the
// house keeps nothing of the answer.
func (s *Service) OpenPseudonyms(ctx context.Context, by concert.Actor, ref string, version int64) (concert.Reidentification, []vault.Identified, error) {
	var locked store.LockedPseudonyms
	r, err := s.changeReidentification(ctx, by, ref, version, func(tx *store.Tx, r concert.Reidentification, c concert.Case, now time.Time) (concert.Reidentification, concert.Event, error) {
		var err error
		if locked, err = tx.LockedPseudonyms(ctx, r.Exhibit, true); err != nil {
			return r, concert.Event{}, err
		}
		return r.Opened(by, c, locked.Needed, now)
	})
	if err != nil {
		return r, nil, err
	}
	wanted := make([]string, len(r.Subjects))
	for i, sub := range r.Subjects {
		wanted[i] = sub.Pseudonym
	}
	who, err := vault.OpenPseudonyms(ctx, locked.Bytes, r.Shares, r.Key, wanted)
	if err != nil {
		return r, nil, concert.Refuse(concert.Conflict, "reidentify.shut", "", "that the answer to %s is read was recorded, and it could not be opened: %v", r.Ref, err)
	}
	return r, who, nil
}

// ReidentificationView is a request as those see it who may.
type ReidentificationView struct {
	concert.Reidentification
	CaseRef    string
	ExhibitRef string
	Of         concert.Authority
	Court      concert.Authority
	Operators  map[concert.PersonID]string
	Needed     int                    // custodians
	Held       int                    // custodians in all
	Works      bool                   // the reader is a member of its case
	Acts       concert.ReidentifyActs // that the reader may do now; of one request only
	Timeline   []CaseMoment           // the oldest first; of one request only
}

// ReadReidentification is one request.
func (s *Service) ReadReidentification(ctx context.Context, scope concert.Scope, ref string) (ReidentificationView, error) {
	var v ReidentificationView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadReidentification, Ref: ref, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		r, c, err := requestOf(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		if v, err = requestView(ctx, tx, r, c); err != nil {
			return err
		}
		v.Works, v.Acts = c.Member(by), r.Acts(by, c, v.Needed, s.now())
		events, err := tx.SubjectHistory(ctx, string(r.ID), exhibitEventsPage)
		if err != nil {
			return err
		}
		v.Timeline, err = moments(ctx, tx, events)
		return err
	})
	if err != nil {
		return ReidentificationView{}, err
	}
	return v, nil
}

func requestView(ctx context.Context, tx *store.Tx, r concert.Reidentification, c concert.Case) (ReidentificationView, error) {
	r.Key, r.Shares = "", make([][]byte, len(r.Shares)) // how many there are is all that anybody reads
	v := ReidentificationView{Reidentification: r, CaseRef: c.Ref}
	var err error
	if v.Of, err = tx.Authority(ctx, string(r.Authority)); err != nil {
		return v, err
	}
	if r.Judicial != "" {
		if v.Court, err = tx.Authority(ctx, string(r.Judicial)); err != nil {
			return v, err
		}
	}
	x, err := tx.Exhibit(ctx, string(r.Exhibit))
	if err != nil {
		return v, err
	}
	v.ExhibitRef = x.Ref
	l, err := tx.LockedPseudonyms(ctx, r.Exhibit, false)
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		return v, err
	}
	v.Needed, v.Held = l.Needed, l.Custodians
	v.Operators, err = tx.Operators(ctx, []concert.PersonID{r.AskedBy, r.ConfirmedBy, r.AuthorisedBy})
	return v, err
}

// ReidentificationsToDecide are the requests that wait for the actor, a magistrate.
func (s *Service) ReidentificationsToDecide(ctx context.Context, scope concert.Scope) ([]ReidentificationView, error) {
	by := scope.Actor()
	if err := by.MayDecideReidentifications(); err != nil {
		return nil, err
	}
	var out []ReidentificationView
	b := concert.ConsultedBody{What: concert.ReadReidentifications}
	return out, s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		rs, err := tx.ReidentificationsFor(ctx, by.Authority, requestsPage)
		if err != nil {
			return err
		}
		out = make([]ReidentificationView, 0, len(rs))
		for _, r := range rs {
			c, err := tx.Case(ctx, string(r.Case))
			if err != nil {
				return err
			}
			v, err := requestView(ctx, tx, r, c)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		b.Count = len(out)
		return nil
	})
}
