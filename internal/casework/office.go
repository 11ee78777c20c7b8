package casework

import (
	"context"
	"time"

	"concert"
	"concert/internal/store"
	"concert/order"
)

// OfficeView is what the orders of an authority say of it, with what waits for a second
// administrator.
type OfficeView struct {
	concert.OrderOffice
	Of       concert.Authority
	Proposal *concert.OrderOffice
}

// ReadOffice is the office of an authority, for its people, coordinators, auditors and
// administrators.
func (s *Service) ReadOffice(ctx context.Context, scope concert.Scope, authority string) (OfficeView, error) {
	var v OfficeView
	if err := scope.Check(); err != nil {
		return v, err
	}
	by := scope.Actor()
	if err := s.auditing(ctx, scope, concert.ConsultedBody{What: concert.ReadRegisters, Ref: authority}); err != nil {
		return v, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if v.Of, err = tx.Authority(ctx, authority); err != nil {
			return err
		}
		if by.Authority != v.Of.ID && by.Need(concert.RoleCoordinator, concert.RoleAuditor, concert.RoleAdministrator) != nil {
			return concert.ErrNotFound
		}
		v.OrderOffice, v.Proposal, err = tx.Office(ctx, v.Of.ID)
		return err
	})
	return v, err
}

// ProposeOffice is the first half of giving an authority its functions (Art. 12(1)) and
// what section E says of it: nothing changes until another administrator confirms.
func (s *Service) ProposeOffice(ctx context.Context, by concert.Actor, authority string, in concert.OrderOffice) error {
	return s.changeOffice(ctx, by, authority, func(a concert.Authority, o concert.OrderOffice, _ *concert.OrderOffice) (concert.OrderOffice, *concert.OrderOffice, concert.Event, error) {
		in.Authority = a.ID
		return o.Propose(by, in, a.Ref, s.Exercise, s.now())
	})
}

// ConfirmOffice is the second half.
func (s *Service) ConfirmOffice(ctx context.Context, by concert.Actor, authority string) error {
	if err := proven(by, concert.PowerAdminister); err != nil {
		return err
	}
	return s.changeOffice(ctx, by, authority, func(a concert.Authority, o concert.OrderOffice, waits *concert.OrderOffice) (concert.OrderOffice, *concert.OrderOffice, concert.Event, error) {
		next, e, err := o.Confirm(by, waits, a.Ref, s.Exercise, s.now())
		return next, nil, e, err
	})
}

func (s *Service) changeOffice(ctx context.Context, by concert.Actor, authority string, rule func(concert.Authority, concert.OrderOffice, *concert.OrderOffice) (concert.OrderOffice, *concert.OrderOffice, concert.Event, error)) error {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		a, err := tx.Authority(ctx, authority)
		if err != nil {
			return err
		}
		o, waits, err := tx.Office(ctx, a.ID)
		if err != nil {
			return err
		}
		next, proposal, e, err := rule(a, o, waits)
		if err != nil {
			return err
		}
		tx.Record(e)
		next.Version = o.Version
		tx.SetClock(concert.ClockOffice, string(a.ID), s.now()) // what waited for a mailbox goes now
		return tx.PutOffice(ctx, next, proposal)
	})
}

// OrderRegister is the signed register of who may issue, by which an order is checked
// offline. It is public; its root is the deployment's key, which whoever checks learns
// by another way.
func (s *Service) OrderRegister(ctx context.Context) (concert.Envelope, error) {
	r := concert.OrderRegister{Transports: [][]byte{s.TransportKey()}, Type: "order_register", Version: 1, Origin: s.Origin, LogKey: s.LogKey, Exercise: s.Exercise, Authorities: []concert.RegisteredAuthority{}}
	var at time.Time
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		offices, err := tx.Offices(ctx)
		if err != nil {
			return err
		}
		r.Authorities, r.Serial = r.Authorities[:0], 1
		for _, a := range all {
			o := offices[a.ID]
			if len(o.Functions) == 0 {
				o.Functions, o.Since = []concert.Function{concert.FunctionRefer}, a.CreatedAt
			}
			r.Serial += o.Version
			if o.Since.After(at) {
				at = o.Since
			}
			r.Authorities = append(r.Authorities, concert.RegisteredAuthority{Ref: a.Ref, Name: a.Name, Country: a.Country, Keys: []concert.RegisteredKey{{KeyID: concert.KeyID(a.PublicKey), Public: a.PublicKey,
				Functions: o.Functions, Law: a.Country, Since: o.Since.UTC().Format(concert.TimeFormat)}}})
		}
		r.Serial += int64(len(all))
		return nil
	})
	if err != nil {
		return concert.Envelope{}, err
	}
	r.At = at.UTC().Format(concert.TimeFormat)
	return order.SealRegister(r, s.Transport)
}
