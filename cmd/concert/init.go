package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"concert"
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
}

// Run makes a data directory, its keys and database, and the first two
// administrators.
func (c *initCmd) Run(ctx context.Context, e *env) error {
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
