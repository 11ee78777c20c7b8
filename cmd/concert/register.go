package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"

	"concert"
	"concert/internal/casework"
	"concert/internal/netguard"
)

// withService opens the deployment for one operator command.
func (p place) withService(ctx context.Context, e *env, fn func(*casework.Service) error) error {
	svc, err := p.open(ctx, slog.New(slog.NewTextHandler(e.stderr, nil)), netguard.Public(), false)
	if err != nil {
		return err
	}
	defer svc.DB.Close()
	return fn(svc)
}

// show prints a register: a table for people, one object a line with -json.
func show[T any](e *env, asJSON bool, header string, rows []T, line func(T) []string) error {
	if asJSON {
		enc := json.NewEncoder(e.stdout)
		for _, r := range rows {
			cells := line(r)
			obj := map[string]string{}
			for i, name := range strings.Split(header, "\t") {
				obj[strings.ToLower(name)] = cells[i]
			}
			if err := enc.Encode(obj); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, header)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(line(r), "\t"))
	}
	return w.Flush()
}

type authorityCmd struct {
	Add  authorityAddCmd  `cmd:"" help:"Add an authority."`
	List authorityListCmd `cmd:"" help:"List authorities."`
}

type authorityAddCmd struct {
	place
	Name    string `arg:"" help:"Name."`
	Country string `help:"Two letters, ISO 3166-1." required:""`
	Kind    string `help:"referral_unit, competent_authority, prosecutor, court or coordinator." default:"referral_unit"`
	Unit    string `help:"Short code shown outside with the operator number." required:""`
	Contact string `help:"Shown beside a hold."`
}

// Run adds an authority.
func (c *authorityAddCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		a, err := s.AddAuthority(ctx, operator, concert.Authority{Name: c.Name, Country: c.Country, Kind: concert.AuthorityKind(c.Kind), Unit: c.Unit, Contact: c.Contact})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, a.Ref)
		return err
	})
}

type authorityListCmd struct {
	place
	JSON bool `help:"One object a line." name:"json"`
}

// Run lists authorities.
func (c *authorityListCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		g, err := s.Registers(ctx)
		if err != nil {
			return err
		}
		return show(e, c.JSON, "REFERENCE\tUNIT\tCOUNTRY\tKIND\tNAME", sorted(g.Authorities, func(a concert.Authority) string { return a.Name }), func(a concert.Authority) []string {
			return []string{a.Ref, a.Unit, a.Country, string(a.Kind), a.Name}
		})
	})
}

type providerCmd struct {
	Add  providerAddCmd  `cmd:"" help:"Add a provider."`
	List providerListCmd `cmd:"" help:"List providers."`
}

type providerAddCmd struct {
	place
	Name       string   `arg:"" help:"Name."`
	Kind       string   `help:"social, messaging, hosting, cdn, registrar, registry, app_store, extension_store or mail." required:""`
	Country    string   `help:"Main establishment or legal representative, two letters." required:""`
	Platforms  []string `help:"Platform names and registrable domains it answers for." required:"" name:"platform"`
	Webhook    string   `help:"https address to push notices to; it pulls its inbox when left out."`
	HMAC       bool     `help:"Sign with v1 (HMAC) instead of v1a (Ed25519)." name:"hmac"`
	Zone       string   `help:"Time zone of its moderators." default:"UTC"`
	QuietFrom  int      `help:"Quiet hours: minutes after local midnight."`
	QuietTo    int      `help:"Quiet hours: minutes after local midnight."`
	PerHour    int      `help:"Items an hour it agreed to take; 0: no bound."`
	Languages  []string `help:"Languages it reads." name:"language"`
	Contactpnt string   `help:"Contact point." name:"contact"`
}

// Run adds a provider.
func (c *providerAddCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p := concert.Provider{Name: c.Name, Kind: c.Kind, Country: c.Country, Platforms: c.Platforms, Zone: c.Zone, QuietFrom: c.QuietFrom, QuietTo: c.QuietTo, PerHour: c.PerHour, Languages: c.Languages, Contact: c.Contactpnt, WebhookURL: c.Webhook, Channel: concert.ChannelPull}
		if c.Webhook != "" {
			p.Channel = concert.ChannelWebhook
		}
		p, secret, err := s.AddProvider(ctx, operator, p, c.HMAC)
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, p.Ref)
		if p.WebhookKey != "" {
			fmt.Fprintf(e.stdout, "webhook key (public): %s\n", p.WebhookKey)
		}
		if secret != "" {
			fmt.Fprintf(e.stdout, "webhook secret (shown once): %s\n", secret)
		}
		return nil
	})
}

type providerListCmd struct {
	place
	JSON bool `help:"One object a line." name:"json"`
}

// Run lists providers.
func (c *providerListCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		g, err := s.Registers(ctx)
		if err != nil {
			return err
		}
		return show(e, c.JSON, "REFERENCE\tKIND\tCOUNTRY\tCHANNEL\tPLATFORMS\tNAME", sorted(g.Providers, func(p concert.Provider) string { return p.Name }), func(p concert.Provider) []string {
			return []string{p.Ref, p.Kind, p.Country, string(p.Channel), strings.Join(p.Platforms, " "), p.Name}
		})
	})
}

type outletCmd struct {
	Add  outletAddCmd  `cmd:"" help:"Add an outlet to the register. That puts it on no scope list."`
	List outletListCmd `cmd:"" help:"List outlets and whether they are in scope."`
}

type outletAddCmd struct {
	place
	Name    string   `arg:"" help:"Name."`
	Aliases []string `help:"Other names." name:"alias"`
	Marks   []string `help:"Marks that brand its content." name:"mark"`
	Sites   []string `help:"Registrable domains that are its own." name:"site"`
	Parent  string   `help:"Reference of the entity behind it."`
}

// Run adds an outlet.
func (c *outletAddCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		o, err := s.AddOutlet(ctx, operator, concert.Outlet{Name: c.Name, Aliases: c.Aliases, Marks: c.Marks, Sites: c.Sites}, c.Parent)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, o.Ref)
		return err
	})
}

type outletListCmd struct {
	place
	JSON bool `help:"One object a line." name:"json"`
}

// Run lists outlets.
func (c *outletListCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		g, err := s.Registers(ctx)
		if err != nil {
			return err
		}
		return show(e, c.JSON, "REFERENCE\tSCOPE\tNAME", sorted(g.Scope.Outlets, func(o concert.Outlet) string { return o.Name }), func(o concert.Outlet) []string {
			entry, err := g.Scope.Covers(o.ID, s.Now())
			if err != nil {
				return []string{o.Ref, "not listed", o.Name}
			}
			return []string{o.Ref, entry.Ref, o.Name}
		})
	})
}
