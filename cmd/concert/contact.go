package main

import (
	"context"
	"fmt"
	"strconv"

	"concert"
	"concert/internal/casework"
)

type contactCmd struct {
	Add     contactAddCmd    `cmd:"" help:"Add a contact point of a provider."`
	List    contactListCmd   `cmd:"" help:"List a provider's contact points and how they go."`
	Restore contactChangeCmd `cmd:"" help:"Put a contact point that bounced back into use."`
	Retire  contactRetireCmd `cmd:"" help:"Take a contact point out of use for good."`
	Seat    contactSeatCmd   `cmd:"" help:"Record where a provider is established and who represents it."`
}

type contactAddCmd struct {
	place
	Provider  string   `arg:"" help:"Reference of the provider."`
	Purpose   string   `help:"referrals, urgent or questions." default:"referrals"`
	Layer     string   `help:"platform, site_owner, host, reseller, cdn, registrar, registry, upstream, app_store, extension_store or mail_service." default:"platform"`
	Mail      string   `help:"Mail address." xor:"way"`
	Webhook   string   `help:"https address to push notices to." xor:"way"`
	Form      string   `help:"Mail: single (one report a message) or digest." default:"single"`
	Languages []string `help:"Languages it reads, the preferred first: notices are written in en, fr and ar." name:"language"`
	Zone      string   `help:"Time zone of its people." default:"UTC"`
	QuietFrom int      `help:"Quiet hours: minutes after local midnight."`
	QuietTo   int      `help:"Quiet hours: minutes after local midnight."`
	PerHour   int      `help:"Items an hour it takes; 0: no bound."`
	Messages  int      `help:"Messages an hour it takes; 0: no bound." name:"messages-per-hour"`
}

// Run adds a contact point.
func (c *contactAddCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p := concert.ContactPoint{Purpose: concert.ContactPurpose(c.Purpose), Layer: concert.Layer(c.Layer), Languages: c.Languages, Zone: c.Zone, QuietFrom: c.QuietFrom, QuietTo: c.QuietTo, PerHour: c.PerHour, Messages: c.Messages, Channel: concert.ChannelPull}
		switch {
		case c.Mail != "":
			p.Channel, p.Address, p.Form = concert.ChannelMail, c.Mail, concert.MailForm(c.Form)
		case c.Webhook != "":
			p.Channel, p.Address = concert.ChannelWebhook, c.Webhook
		}
		p, err := s.AddContactPoint(ctx, operator, c.Provider, p)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, p.Ref)
		return err
	})
}

type contactListCmd struct {
	place
	Provider string `arg:"" help:"Reference of the provider."`
	JSON     bool   `help:"One object a line." name:"json"`
}

// Run lists contact points.
func (c *contactListCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		scope, err := concert.NewScope(operator, "")
		if err != nil {
			return err
		}
		v, err := s.ReadProvider(ctx, scope, c.Provider)
		if err != nil {
			return err
		}
		return show(e, c.JSON, "REFERENCE\tPURPOSE\tLAYER\tCHANNEL\tADDRESS\tSTATE\tREACHED\tWAITING", v.Contacts, func(p casework.ContactView) []string {
			return []string{p.Ref, string(p.Purpose), string(p.Layer), string(p.Channel), p.Address, p.State(), strconv.Itoa(p.Health.Reached), strconv.Itoa(p.Health.Waiting + p.Health.Sending)}
		})
	})
}

type contactChangeCmd struct {
	place
	Contact string `arg:"" help:"Reference of the contact point."`
}

// Run restores a contact point.
func (c *contactChangeCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p, err := s.RestoreContact(ctx, operator, c.Contact)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s is in use again; what reached nobody goes out now\n", p.Ref)
		return err
	})
}

type contactRetireCmd struct {
	place
	Contact string `arg:"" help:"Reference of the contact point."`
}

// Run retires a contact point.
func (c *contactRetireCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p, err := s.RetireContact(ctx, operator, c.Contact)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s is retired; what waited for it takes another way\n", p.Ref)
		return err
	})
}

type contactSeatCmd struct {
	place
	Provider       string `arg:"" help:"Reference of the provider."`
	Establishment  string `help:"Country of its main establishment, two letters." placeholder:"CC"`
	Representative string `help:"Name and place of its legal representative."`
}

// Run records the seat.
func (c *contactSeatCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		return s.SeatProvider(ctx, operator, c.Provider, concert.Seat{Establishment: c.Establishment, Representative: c.Representative})
	})
}
