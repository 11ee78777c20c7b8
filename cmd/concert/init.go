package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"concert"
	"concert/internal/durable"
	"concert/internal/netguard"
)

type initCmd struct {
	place
	Origin      string `help:"Name of the deployment and its log, for ever: a host name and path that is yours." default:"concert.invalid/log" placeholder:"NAME"`
	BaseURL     string `help:"What links point to." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Name        string `help:"Name of the first administrator." default:"Administrator"`
	Login       string `help:"Log-in name of the first administrator." default:"admin"`
	SecondName  string `help:"Name of the second administrator." default:"Second administrator"`
	SecondLogin string `help:"Log-in name of the second administrator." default:"admin2"`
	Keys        bool   `help:"Print an API key for each of the two as well, for scripts."`
	Role        string `help:"authority: a deployment of authorities, a hub. provider: a provider's own desk, with -name the provider, -login its first person." enum:"authority,provider" default:"authority"`
	Country     string `help:"provider: state of its main establishment or legal representative, two letters; its holidays count." placeholder:"XX"`
	Email       string `help:"provider: mail address of its contact point, for the annexes and for alarms." placeholder:"ADDRESS"`
}

// Run makes a data directory, its keys and database, and the first two
// administrators.
func (c *initCmd) Run(ctx context.Context, e *env) error {
	if c.Role == roleProvider {
		return c.host(ctx, e)
	}
	if err := makeKeys(c.Data, c.Origin); err != nil {
		return err
	}
	svc, err := c.open(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), netguard.Public(), false)
	if err != nil {
		return err
	}
	defer svc.DB.Close()
	svc.BaseURL = c.BaseURL
	two, err := svc.FirstAdministrators(ctx, concert.Person{Name: c.Name, Login: c.Login}, concert.Person{Name: c.SecondName, Login: c.SecondLogin}, c.Keys)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, `Made %s.
Back up its *.key files apart from the database: without %s nothing sealed can be read.
Two administrators, since nobody is given a role by one alone. Hand each link to another
person; it works once, within 72 hours:
  %q  %s
  %q  %s
`, c.Data, masterFile, c.Login, two[0].Link, c.SecondLogin, two[1].Link)
	if c.Keys {
		fmt.Fprintf(e.stdout, "API keys (shown once):\n  %q  %s\n  %q  %s\n", c.Login, two[0].Key, c.SecondLogin, two[1].Key)
	}
	fmt.Fprintf(e.stdout, "Then: concert serve -data %s\n", c.Data)
	return nil
}

// host makes the data directory of a provider's own desk: one provider, and its first
// person, who answers and brings in the others.
func (c *initCmd) host(ctx context.Context, e *env) error {
	if !concert.IsCountry(c.Country) {
		return fmt.Errorf("-country is %q: write the state of the provider's main establishment or legal representative as two capital letters, such as IE", c.Country)
	}
	if c.Email != "" && !concert.PlainMailbox(c.Email) {
		return fmt.Errorf("-email is %q: write an address alone, such as tco@host.example", c.Email)
	}
	if err := makeKeys(c.Data, c.Origin); err != nil {
		return err
	}
	if err := durable.CreateExclusive(filepath.Join(c.Data, roleFile), []byte(roleProvider+"\n"), 0o600); err != nil {
		return err
	}
	svc, err := c.open(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), netguard.Public(), false)
	if err != nil {
		return err
	}
	defer svc.DB.Close()
	svc.BaseURL = c.BaseURL
	first, err := svc.NewHost(ctx, operator, concert.Provider{Name: c.Name, Country: c.Country, Contact: c.Email}, concert.Person{Name: c.Login, Login: c.Login})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, `Made %s, the desk of %q.
Back up its *.key files apart from the database: without %s nothing sealed can be read.
Open this link once, within 72 hours, as %q:
  %s
Then: concert hub add -data %s -url https://HUB -key csk_… -root FINGERPRINT
      concert serve -role provider -data %s
`, c.Data, c.Name, masterFile, c.Login, first.Link, c.Data, c.Data)
	return err
}
