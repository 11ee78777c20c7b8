package casework

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/identity"
	"concert/internal/store"
)

// ContactView is a contact point with how it goes.
type ContactView struct {
	concert.ContactPoint
	Health store.ContactHealth
	Last   []concert.Message // what last came back, newest first, without text
	Sends  bool              // this node can send mail
}

// ProviderView is a provider with the ways to reach it.
type ProviderView struct {
	concert.Provider
	Seat     concert.Seat
	Contacts []ContactView
	Sends    bool // this node can send mail
}

// messagesShown bounds what is shown of what last came back from a contact point.
const messagesShown = 10

// ReadProvider is a provider with its contact points and their health, for who
// works for an authority, coordinates, audits or administers.
func (s *Service) ReadProvider(ctx context.Context, scope concert.Scope, ref string) (ProviderView, error) {
	var v ProviderView
	if err := scope.Check(); err != nil {
		return v, err
	}
	by := scope.Actor()
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator, concert.RoleAuditor, concert.RoleAdministrator); err != nil {
		return v, err
	}
	v.Sends = s.Mailer != nil
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if v.Provider, err = tx.Provider(ctx, ref); err != nil {
			return err
		}
		if v.Seat, err = tx.Seat(ctx, v.Provider.ID); err != nil {
			return err
		}
		points, err := tx.ContactPoints(ctx, v.Provider.ID)
		if err != nil {
			return err
		}
		for _, c := range points {
			cv := ContactView{ContactPoint: c}
			if cv.Health, err = tx.ContactHealth(ctx, c.ID); err != nil {
				return err
			}
			if cv.Last, err = tx.MessagesFrom(ctx, c.ID, messagesShown); err != nil {
				return err
			}
			for i := range cv.Last {
				cv.Last[i].MessageText = concert.MessageText{}
			}
			v.Contacts = append(v.Contacts, cv)
		}
		return nil
	})
	return v, err
}

// AddContactPoint registers a contact point of a provider.
func (s *Service) AddContactPoint(ctx context.Context, by concert.Actor, provider string, c concert.ContactPoint) (concert.ContactPoint, error) {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return c, err
	}
	if strings.HasPrefix(strings.ToLower(c.Address), "http:") && !s.Exercise {
		return c, concert.Refuse(concert.Invalid, "contact.address", "address", "a webhook address is https, with a host and without credentials")
	}
	c.ID, c.Ref, c.Exercise, c.Version = concert.ContactPointID(identity.NewID()), identity.NewReference("CP"), s.Exercise, 1
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Provider(ctx, provider)
		if err != nil {
			return err
		}
		c.Provider = p.ID
		next, e, err := c.Added(by, s.now())
		if err != nil {
			return err
		}
		c = next
		if err := tx.AddContactPoint(ctx, c); err != nil {
			return err
		}
		tx.Record(e)
		return s.adopt(ctx, tx, c)
	})
	return c, err
}

// SeatProvider records where a provider is established and who represents it.
func (s *Service) SeatProvider(ctx context.Context, by concert.Actor, provider string, seat concert.Seat) error {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return err
	}
	if err := seat.Check(); err != nil {
		return err
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Provider(ctx, provider)
		if err != nil {
			return err
		}
		if err := tx.SaveSeat(ctx, p.ID, seat); err != nil {
			return err
		}
		tx.Record(concert.NewEvent(concert.EventProviderSeated, by, string(p.ID), s.now(), concert.RegisterBody{Ref: p.Ref, Provider: p.ID, Kind: seat.Establishment, Exercise: p.Exercise}))
		return nil
	})
}

// RestoreContact puts a demoted contact point back into use, and ends its alarm.
func (s *Service) RestoreContact(ctx context.Context, by concert.Actor, ref string) (concert.ContactPoint, error) {
	return s.changeContact(ctx, by, ref, concert.ContactPoint.Restored, func(tx *store.Tx, c concert.ContactPoint) error { return s.adopt(ctx, tx, c) })
}

// RetireContact takes a contact point out of use for good; what waits for it
// takes another way.
func (s *Service) RetireContact(ctx context.Context, by concert.Actor, ref string) (concert.ContactPoint, error) {
	return s.changeContact(ctx, by, ref, concert.ContactPoint.Retired, func(tx *store.Tx, c concert.ContactPoint) error { return s.rerouteAll(ctx, tx, c) })
}

func (s *Service) changeContact(ctx context.Context, by concert.Actor, ref string, rule func(concert.ContactPoint, concert.Actor, time.Time) (concert.ContactPoint, concert.Event, error), then func(*store.Tx, concert.ContactPoint) error) (concert.ContactPoint, error) {
	var c concert.ContactPoint
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return c, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		was, err := tx.ContactPoint(ctx, ref)
		if err != nil {
			return err
		}
		next, e, err := rule(was, by, s.now())
		if err != nil {
			return err
		}
		if err := tx.SaveContactPoint(ctx, next); err != nil {
			return err
		}
		tx.Record(e)
		c = next
		c.Version++
		if alarm, err := tx.OpenContactAlarm(ctx, concert.AlarmBounced, c.ID); err == nil {
			alarm.EndedAt = s.now()
			if err := tx.EndAlarm(ctx, alarm); err != nil {
				return err
			}
		} else if !errors.Is(err, concert.ErrNotFound) {
			return err
		}
		tx.SetClock(concert.ClockContact, string(c.ID), s.now())
		return then(tx, c)
	})
	return c, err
}

// adoptMost bounds the notices that a contact point takes over at once.
const adoptMost = 2000

// adopt gives a contact point that comes into use what reached nobody: what came
// back, and what had no way at all.
func (s *Service) adopt(ctx context.Context, tx *store.Tx, c concert.ContactPoint) error {
	points, err := tx.ContactPoints(ctx, c.Provider)
	if err != nil {
		return err
	}
	ds, err := tx.Stranded(ctx, c.Provider, adoptMost)
	if err != nil {
		return err
	}
	now := s.now()
	for _, d := range ds {
		way, ok := d.Kind.Way(points, d.Urgent)
		if !ok || way.ID != c.ID {
			continue
		}
		if err := tx.AddPosting(ctx, concert.Posting{Delivery: d.ID, Contact: c.ID, DueAt: now}); err != nil {
			return err
		}
		tx.SetClock(concert.ClockContact, string(c.ID), now)
	}
	return nil
}

// contactWindow is when the contact point takes what is not urgent (G12).
func contactWindow(c concert.ContactPoint) dispatch.Window {
	return windowOf(concert.Provider{Zone: c.Zone, QuietFrom: c.QuietFrom, QuietTo: c.QuietTo})
}

// post writes a notice and puts it on its way: to the contact point that takes it,
// else the provider's own first way, else into its inbox alone, which lists every
// notice whatever way it takes.
func (s *Service) post(ctx context.Context, tx *store.Tx, p concert.Provider, out store.Outgoing, now time.Time) error {
	points, err := tx.ContactPoints(ctx, p.ID)
	if err != nil {
		return err
	}
	way, ok := out.Kind.Way(points, out.Urgent)
	if ok {
		out.NextAt = time.Time{}
	}
	if err := tx.AddDeliveries(ctx, []store.Outgoing{out}); err != nil {
		return err
	}
	switch {
	case ok:
		tx.SetClock(concert.ClockContact, string(way.ID), now)
		return tx.AddPosting(ctx, concert.Posting{Delivery: out.ID, Contact: way.ID, DueAt: now})
	case !out.NextAt.IsZero():
		tx.SetClock(concert.ClockDeliver, string(p.ID), now)
	}
	return nil
}

// referralMost is how many items one referral to the provider carries: one where
// its contact point takes one report a message.
func (s *Service) referralMost(ctx context.Context, tx *store.Tx, p concert.ProviderID) (int, error) {
	points, err := tx.ContactPoints(ctx, p)
	if way, ok := concert.WayTo(points, false); ok && way.Channel == concert.ChannelMail && way.Form == concert.MailSingle {
		return 1, err
	}
	return concert.ReferralItems, err
}

// reroute sends notices another way that their contact point does not take.
func (s *Service) reroute(ctx context.Context, tx *store.Tx, ds []store.Waiting, from concert.ContactPoint, now time.Time) error {
	if len(ds) == 0 {
		return nil
	}
	p, err := tx.Provider(ctx, string(from.Provider))
	if err != nil {
		return err
	}
	points, err := tx.ContactPoints(ctx, p.ID)
	if err != nil {
		return err
	}
	points = slices.DeleteFunc(points, func(c concert.ContactPoint) bool { return c.ID == from.ID })
	var pushed []store.Outgoing
	for _, d := range ds {
		posting := concert.Posting{Delivery: d.ID, Contact: from.ID, Mail: d.Mail}
		if way, ok := d.Kind.Way(points, d.Urgent); ok {
			posting = concert.Posting{Delivery: d.ID, Contact: way.ID, DueAt: now}
			tx.SetClock(concert.ClockContact, string(way.ID), now)
		} else if p.Channel == concert.ChannelWebhook && p.DisabledAt.IsZero() {
			d.NextAt = now
			pushed = append(pushed, d.Outgoing)
			tx.SetClock(concert.ClockDeliver, string(p.ID), now)
		}
		if err := tx.AddPosting(ctx, posting); err != nil {
			return err
		}
	}
	return tx.SaveDeliveries(ctx, pushed)
}

// rerouteMost bounds what one act sends another way; the clock asks again.
const rerouteMost = 500

// rerouteAll sends all that waits for a contact point another way.
func (s *Service) rerouteAll(ctx context.Context, tx *store.Tx, c concert.ContactPoint) error {
	now := s.now()
	mails, err := tx.OpenMails(ctx, c.ID, rerouteMost)
	if err != nil {
		return err
	}
	ids := make([]concert.MailID, len(mails))
	for i := range mails {
		ids[i] = mails[i].ID
		mails[i].NextAt = time.Time{}
		mails[i].Evidence = "not sent: the contact point is out of use"
	}
	if err := tx.SaveMails(ctx, mails); err != nil {
		return err
	}
	parts, err := tx.PostingsOf(ctx, ids)
	if err != nil {
		return err
	}
	var all []store.Waiting
	for _, id := range ids {
		all = append(all, parts[id]...)
	}
	waiting, err := tx.DuePostings(ctx, c.ID, farFuture, rerouteMost)
	if err != nil {
		return err
	}
	if len(mails) == rerouteMost || len(waiting) == rerouteMost {
		tx.SetClock(concert.ClockContact, string(c.ID), now)
	}
	return s.reroute(ctx, tx, append(all, waiting...), c, now)
}

// farFuture is later than anything falls due.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
