package casework

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

// registered runs an act that adds one thing to a register: add writes it, e
// records it.
func (s *Service) registered(ctx context.Context, e concert.Event, add func(*store.Tx) error) error {
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		if err := add(tx); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}

// AddAuthority registers an authority and makes the key that signs what it
// authors.
func (s *Service) AddAuthority(ctx context.Context, by concert.Actor, a concert.Authority) (concert.Authority, error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return a, err
	}
	if err := a.Check(); err != nil {
		return a, err
	}
	key := identity.NewSigningKey()
	a.ID, a.Ref, a.CreatedAt, a.Exercise = concert.AuthorityID(identity.NewID()), identity.NewReference("AU"), s.now(), s.Exercise
	a.PublicKey = key.Public().(ed25519.PublicKey)
	a.SealedKey = identity.Seal(s.DB.Keys.Derive("authority signing keys"), key.Seed(), []byte(a.ID))
	e := concert.NewEvent(concert.EventAuthorityAdded, by, string(a.ID), a.CreatedAt, concert.RegisterBody{Ref: a.Ref, Kind: string(a.Kind), Authority: a.ID, Exercise: a.Exercise, Country: a.Country})
	return a, s.registered(ctx, e, func(tx *store.Tx) error { return tx.AddAuthority(ctx, a) })
}

// AddProvider registers a provider and makes the keys that sign its notices;
// with hmac the secret is returned, once.
func (s *Service) AddProvider(ctx context.Context, by concert.Actor, p concert.Provider, hmac bool) (concert.Provider, string, error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return p, "", err
	}
	if p.Zone == "" {
		p.Zone = "UTC"
	}
	if err := p.Check(); err != nil {
		return p, "", err
	}
	if p.Channel == concert.ChannelWebhook {
		u, err := url.Parse(p.WebhookURL)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && s.Exercise) {
			return p, "", concert.Refuse(concert.Invalid, "provider.webhook_url", "webhook_url", "a webhook address is https, with a host and without credentials")
		}
	}
	p.ID, p.Ref, p.CreatedAt, p.Exercise, p.Version = concert.ProviderID(identity.NewID()), identity.NewReference("PR"), s.now(), s.Exercise, 1
	var secret string
	key := dispatch.NewPrivateKey()
	if hmac {
		key = dispatch.NewSecret()
		secret = key.Text()
	} else {
		p.WebhookKey = key.VerifyKey().Text()
	}
	texts, err := json.Marshal([]string{key.Text()})
	if err != nil {
		return p, "", fmt.Errorf("webhook keys: %w", err)
	}
	p.SealedKeys = identity.Seal(s.DB.Keys.Derive("webhook signing keys"), texts, []byte(p.ID))
	e := concert.NewEvent(concert.EventProviderAdded, by, string(p.ID), p.CreatedAt, concert.RegisterBody{Ref: p.Ref, Kind: p.Kind, Provider: p.ID, Exercise: p.Exercise})
	return p, secret, s.registered(ctx, e, func(tx *store.Tx) error { return tx.AddProvider(ctx, p) })
}

// AddOutlet registers an outlet. That puts it on no list: only a scope entry
// does.
func (s *Service) AddOutlet(ctx context.Context, by concert.Actor, o concert.Outlet, parent string) (concert.Outlet, error) {
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer, concert.RoleOfficer, concert.RoleAdministrator); err != nil {
		return o, err
	}
	if o.Name == "" {
		return o, concert.Refuse(concert.Invalid, "outlet.name", "name", "an outlet needs a name")
	}
	o.ID, o.Ref, o.CreatedAt, o.Exercise = concert.OutletID(identity.NewID()), identity.NewReference("OU"), s.now(), s.Exercise
	return o, s.DB.Update(ctx, func(tx *store.Tx) error {
		if parent != "" {
			p, err := tx.Outlet(ctx, parent)
			if err != nil {
				return err
			}
			o.Parent = p.ID
		}
		if err := tx.AddOutlet(ctx, o); err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventOutletAdded, by, string(o.ID), o.CreatedAt, concert.RegisterBody{Ref: o.Ref, Outlet: o.ID, Exercise: o.Exercise}))
		return nil
	})
}

// ProposeScope proposes an entry of the public scope list (G38).
func (s *Service) ProposeScope(ctx context.Context, by concert.Actor, outlet string, e concert.ScopeEntry) (concert.ScopeEntry, error) {
	now := s.now()
	e, err := e.Proposed(by, now)
	if err != nil {
		return e, err
	}
	e.ID, e.Ref, e.Exercise, e.Version = concert.ScopeEntryID(identity.NewID()), identity.NewReference("SC"), s.Exercise, 1
	return e, s.DB.Update(ctx, func(tx *store.Tx) error {
		o, err := tx.Outlet(ctx, outlet)
		if err != nil {
			return err
		}
		e.Outlet = o.ID
		if err := tx.AddScopeEntry(ctx, e); err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventScopeProposed, by, string(e.ID), now, concert.RegisterBody{Ref: e.Ref, Outlet: e.Outlet, Date: e.ListedOn.Format(time.DateOnly), Exercise: e.Exercise}))
		return nil
	})
}

// ConfirmScope makes an entry count, as its second person.
func (s *Service) ConfirmScope(ctx context.Context, by concert.Actor, ref string) (concert.ScopeEntry, error) {
	return s.changeScope(ctx, by, ref, concert.EventScopeConfirmed, func(e concert.ScopeEntry, now time.Time) (concert.ScopeEntry, error) {
		return e.Confirmed(by, now)
	})
}

// DelistScope ends an entry from a date on; what is not yet referred stays.
func (s *Service) DelistScope(ctx context.Context, by concert.Actor, ref string, on time.Time) (concert.ScopeEntry, error) {
	return s.changeScope(ctx, by, ref, concert.EventScopeDelisted, func(e concert.ScopeEntry, now time.Time) (concert.ScopeEntry, error) {
		return e.Delisted(by, on, now)
	})
}

func (s *Service) changeScope(ctx context.Context, by concert.Actor, ref string, kind concert.EventKind, rule func(concert.ScopeEntry, time.Time) (concert.ScopeEntry, error)) (concert.ScopeEntry, error) {
	var e concert.ScopeEntry
	if err := by.Need(concert.RoleCoordinator, concert.RoleReviewer); err != nil {
		return e, err
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		now := s.now()
		was, err := tx.ScopeEntry(ctx, ref)
		if err != nil {
			return err
		}
		if e, err = rule(was, now); err != nil {
			return err
		}
		if err := tx.SaveScopeEntry(ctx, e); err != nil {
			return err
		}
		date := e.ListedOn
		if kind == concert.EventScopeDelisted {
			date = e.DelistedOn
		}
		tx.Record(concert.NewEvent(kind, by, string(e.ID), now, concert.RegisterBody{Ref: e.Ref, Outlet: e.Outlet, Date: date.Format(time.DateOnly), Exercise: e.Exercise}))
		return nil
	})
	return e, err
}

// OpenAction opens a joint action.
func (s *Service) OpenAction(ctx context.Context, by concert.Actor, lead string, a concert.Action) (concert.Action, error) {
	a.ID, a.Ref, a.Exercise, a.Version = concert.ActionID(identity.NewID()), identity.NewReference("JA"), s.Exercise, 1
	return a, s.DB.Update(ctx, func(tx *store.Tx) error {
		l, err := tx.Authority(ctx, lead)
		if err != nil {
			return err
		}
		a.Lead = l.ID
		next, e, err := a.Opened(by, s.now())
		if err != nil {
			return err
		}
		a = next
		if err := tx.AddAction(ctx, a); err != nil {
			return err
		}
		if err := tx.AddParticipant(ctx, concert.Participant{Action: a.ID, Authority: l.ID, Part: concert.PartLead}); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}

// SetPhase moves an action to another phase.
func (s *Service) SetPhase(ctx context.Context, by concert.Actor, ref string, version int64, to concert.Phase) (concert.Action, error) {
	var a concert.Action
	// Asked before anything is looked up, so that a refusal tells nothing of
	// what is there.
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return a, err
	}
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		was, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		if version != 0 && version != was.Version {
			return outdated()
		}
		next, e, err := was.Phased(by, to, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveAction(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		if next.Phase == concert.PhaseClose {
			tx.SetClock(concert.ClockPatterns, string(next.ID), s.now())
		}
		a = next
		a.Version++
		return nil
	})
	return a, err
}

// JoinAction gives an authority its part in an action.
func (s *Service) JoinAction(ctx context.Context, by concert.Actor, ref, authority string, part concert.Part) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		who, err := tx.Authority(ctx, authority)
		if err != nil {
			return err
		}
		p, e, err := a.Joined(by, who.ID, part, s.now())
		if err != nil {
			return err
		}
		if err := tx.AddParticipant(ctx, p); err != nil {
			return err
		}
		tx.Record(e)
		return nil
	})
}

// TargetAction names an outlet as an action's target.
func (s *Service) TargetAction(ctx context.Context, by concert.Actor, ref, outlet string) error {
	if err := by.Need(concert.RoleCoordinator); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Action(ctx, ref)
		if err != nil {
			return err
		}
		o, err := tx.Outlet(ctx, outlet)
		if err != nil {
			return err
		}
		if err := tx.AddTarget(ctx, a.ID, o.ID); err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventActionTargeted, by, string(a.ID), s.now(), concert.RegisterBody{Ref: a.Ref, Outlet: o.ID}))
		return nil
	})
}
