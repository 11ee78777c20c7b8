package main

import (
	"context"
	"fmt"
	"time"

	"concert"
	"concert/internal/casework"
)

type hubCmd struct {
	Add  hubAddCmd  `cmd:"" help:"Add a hub: it is asked whose key this is, and its register must stand under the root that you were told."`
	List hubListCmd `cmd:"" help:"List hubs, and how each was met last."`
	End  hubEndCmd  `cmd:"" help:"End a hub: it is asked no more; what came of it stays."`
}

// withHost runs fn on a provider's own desk.
func (p place) withHost(ctx context.Context, e *env, fn func(*casework.Service) error) error {
	k, err := readKeys(p.Data)
	if err != nil {
		return err
	}
	if err := k.playing(p.Data, roleProvider); err != nil {
		return err
	}
	return p.withService(ctx, e, fn)
}

type hubAddCmd struct {
	place
	URL     string `help:"The hub's address." required:"" name:"url" placeholder:"https://hub.example"`
	Key     string `help:"Your API key there, of a provider_answerer." required:"" placeholder:"csk_…"`
	Root    string `help:"Fingerprint of its register's root, told to you by another way than from the hub." required:"" placeholder:"FINGERPRINT"`
	Webhook string `help:"Key that signs its webhooks; the one that it publishes when left out." placeholder:"whpk_…"`
	BaseURL string `help:"Where the hub reaches this desk." default:"http://127.0.0.1:8080" placeholder:"URL"`
}

// Run adds a hub.
func (c *hubAddCmd) Run(ctx context.Context, e *env) error {
	return c.withHost(ctx, e, func(s *casework.Service) error {
		h, err := s.AddHub(ctx, operator, casework.HubSettings{URL: c.URL, Key: c.Key, Root: c.Root, WebhookKey: c.Webhook})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s is %s; you are %s there\nroot: %s\nIt is asked every few seconds. To be told at once, give its administrator this webhook address:\n  %s/inbox/%s\n", h.Ref, h.Origin, h.Addressee, h.Root, c.BaseURL, h.Host())
		return err
	})
}

type hubListCmd struct {
	place
	JSON bool `help:"One object a line." name:"json"`
}

// Run lists hubs.
func (c *hubListCmd) Run(ctx context.Context, e *env) error {
	return c.withHost(ctx, e, func(s *casework.Service) error {
		scope, err := concert.NewScope(operator, "")
		if err != nil {
			return err
		}
		hubs, err := s.Hubs(ctx, scope)
		if err != nil {
			return err
		}
		return show(e, c.JSON, "REFERENCE\tORIGIN\tADDRESS\tAS\tASKED\tSTATE", hubs, func(h concert.Hub) []string {
			asked, state := "never", "in force"
			if !h.SeenAt.IsZero() {
				asked = h.SeenAt.Format(time.RFC3339)
			}
			switch {
			case !h.EndedAt.IsZero():
				state = "ended"
			case h.Problem != "":
				state = "away: " + h.Problem
			}
			return []string{h.Ref, h.Origin, h.URL, h.Addressee, asked, state}
		})
	})
}

type hubEndCmd struct {
	place
	Hub string `arg:"" help:"Reference of the hub, HB-…."`
}

// Run ends a hub.
func (c *hubEndCmd) Run(ctx context.Context, e *env) error {
	return c.withHost(ctx, e, func(s *casework.Service) error {
		h, err := s.EndHub(ctx, operator, c.Hub)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s (%s) is asked no more\n", h.Ref, h.Origin)
		return err
	})
}
