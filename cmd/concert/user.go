package main

import (
	"context"
	"fmt"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Add a person; prints the one-time log-in link."`
	List    userListCmd    `cmd:"" help:"List people, and who waits for a second administrator."`
	Link    userLinkCmd    `cmd:"" help:"Make a new one-time log-in link for a person."`
	Confirm userConfirmCmd `cmd:"" help:"Confirm what waits about a person, as an administrator over the API; prints the code that its link needs."`
	Roles   userRolesCmd   `cmd:"" help:"Give a person other roles."`
	Disable userDisableCmd `cmd:"" help:"End a person and all its credentials."`

	Languages userLanguagesCmd `cmd:"" help:"Enter which languages a person reads."`
}

type userAddCmd struct {
	place
	Login     string   `arg:"" help:"Log-in name."`
	Name      string   `help:"Name." required:""`
	Roles     []string `help:"Roles: officer, reviewer, coordinator, provider_reader, provider_answerer, auditor, administrator." required:"" name:"role"`
	Authority string   `help:"Reference of its authority."`
	Provider  string   `help:"Reference of its provider."`
	Key       string   `help:"Issue an API key with this name, too; for a provider's people only."`
	BaseURL   string   `help:"What the link points to." default:"http://127.0.0.1:8080"`
	Languages []string `help:"Languages that the person reads (BCP 47, for example ar); who reads none judges no words." name:"language"`
}

// Run adds a person. Any role but a provider's waits for an administrator's
// confirmation, which no command on this machine can give.
func (c *userAddCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		s.BaseURL = c.BaseURL
		p, err := s.AddPerson(ctx, operator, concert.Person{Login: c.Login, Name: c.Name, Roles: rolesOf(c.Roles), Languages: c.Languages}, c.Authority, c.Provider, c.Key)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s is operator %s\nlog-in link (once, 72 hours): %s\n", p.Login, p.Operator, p.Link)
		if p.Key != "" {
			fmt.Fprintf(e.stdout, "API key (shown once): %s\n", p.Key)
		}
		waits(e, p.Login, p.Proposal)
		return nil
	})
}

func rolesOf(in []string) []concert.Role {
	out := make([]concert.Role, len(in))
	for i, r := range in {
		out[i] = concert.Role(r)
	}
	return out
}

// waits says how to go on with a proposal.
func waits(e *env, login, proposal string) {
	if proposal != "" {
		fmt.Fprintf(e.stdout, "waits for an administrator (%s), on the page /people or with: concert user confirm %s %s -server URL -key csk_…\n", proposal, login, proposal)
	}
}

type userListCmd struct {
	place
	JSON bool `help:"One object a line." name:"json"`
}

// Run lists people.
func (c *userListCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		scope, err := concert.NewScope(operator, "")
		if err != nil {
			return err
		}
		people, err := s.People(ctx, scope)
		if err != nil {
			return err
		}
		g, err := s.Registers(ctx)
		if err != nil {
			return err
		}
		return show(e, c.JSON, "LOGIN\tOPERATOR\tROLES\tAUTHORITY\tPROVIDER\tSTATE", people, func(p casework.PersonView) []string {
			return []string{p.Login, p.Operator, fmt.Sprint(p.Roles), g.Authorities[p.Authority].Ref, g.Providers[p.Provider].Ref, stateOf(p)}
		})
	})
}

// stateOf is whether a person is in force, and what waits about it.
func stateOf(p casework.PersonView) string {
	q := p.Waiting
	switch {
	case !p.DisabledAt.IsZero():
		return "disabled"
	case q.Kind == concert.ProposedRoles:
		return fmt.Sprintf("in force; roles %v wait for a second administrator (by %s)", q.Roles, p.Proposer)
	case q.Kind == concert.ProposedLink:
		return fmt.Sprintf("in force; a link waits for a second administrator (by %s)", p.Proposer)
	case p.Waits && q.Ref == "":
		return "waits for a second administrator; lapsed, make a new link"
	case p.Waits:
		return fmt.Sprintf("waits for a second administrator (by %s)", p.Proposer)
	}
	return "in force"
}

type userLinkCmd struct {
	place
	Login   string `arg:"" help:"Log-in name."`
	BaseURL string `help:"What the link points to." default:"http://127.0.0.1:8080"`
}

// Run makes a new link.
func (c *userLinkCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		s.BaseURL = c.BaseURL
		link, proposal, err := s.NewLink(ctx, operator, c.Login)
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, link)
		waits(e, c.Login, proposal)
		return nil
	})
}

type userConfirmCmd struct {
	Login    string `arg:"" help:"Log-in name or operator number."`
	Proposal string `arg:"" optional:"" help:"What you looked at and confirm, PP-…; left out, it only says what waits."`
	Server   string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key      string `help:"API key of the administrator who confirms: another one than proposed it." required:"" placeholder:"csk_…"`
}

// Run confirms, as the person whose key it is.
func (c *userConfirmCmd) Run(ctx context.Context, e *env) error {
	client := &api.Client{Base: c.Server, Key: c.Key}
	p, err := client.Person(ctx, c.Login)
	if err != nil {
		return err
	}
	if p.Waiting == nil {
		return fmt.Errorf("%s is %s and waits for nobody", p.Login, p.State)
	}
	q := p.Waiting
	if c.Proposal == "" {
		return fmt.Errorf("nothing is confirmed yet: for %s (%s) waits %s, roles %v, proposed by %s; if that is right, name it: concert user confirm %s %s -server %s -key csk_…", p.Login, p.Name, q.Kind, q.Roles, q.By, c.Login, q.ID, c.Server)
	}
	p, err = client.ConfirmPerson(ctx, api.Call{}, p.ID, api.Confirmation{Proposal: c.Proposal})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "confirmed %s for %s (%s), roles %v, proposed by %s\n", q.Kind, p.Login, p.Name, p.Roles, q.By)
	if p.Code != "" {
		fmt.Fprintf(e.stdout, "code (once, with the link that its proposer has; for %s alone): %s\n", p.Login, p.Code)
	}
	return nil
}

type userRolesCmd struct {
	place
	Login     string   `arg:"" help:"Log-in name."`
	Roles     []string `help:"All roles that it is to have." required:"" name:"role"`
	Authority string   `help:"Reference of another authority."`
}

// Run changes roles, or proposes them.
func (c *userRolesCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p, proposal, err := s.ChangeRoles(ctx, operator, c.Login, rolesOf(c.Roles), c.Authority)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "%s has the roles %v\n", p.Login, p.Roles)
		waits(e, p.Login, proposal)
		return nil
	})
}

type userLanguagesCmd struct {
	place
	Login     string   `arg:"" help:"Log-in name."`
	Languages []string `arg:"" optional:"" help:"Languages (BCP 47, for example ar fr); none takes all away."`
}

// Run enters languages.
func (c *userLanguagesCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p, err := s.StateLanguages(ctx, operator, c.Login, c.Languages)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s reads %v\n", p.Login, p.Languages)
		return err
	})
}

type userDisableCmd struct {
	place
	Login string `arg:"" help:"Log-in name."`
}

// Run disables a person.
func (c *userDisableCmd) Run(ctx context.Context, e *env) error {
	return c.withService(ctx, e, func(s *casework.Service) error {
		p, err := s.DisablePerson(ctx, operator, c.Login)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s is disabled: its sessions, links and keys have ended\n", p.Login)
		return err
	})
}
