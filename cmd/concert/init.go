package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"concert/internal/netguard"
)

type initCmd struct {
	place
	Origin  string `help:"Name of the deployment and its log, for ever: a host name and path that is yours." default:"concert.invalid/log" placeholder:"NAME"`
	BaseURL string `help:"What links point to." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Name    string `help:"Name of the first administrator." default:"Administrator"`
	Login   string `help:"Log-in name of the first administrator." default:"admin"`
}

// Run makes a data directory, its keys and database, and the first
// administrator.
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
	link, _, err := svc.FirstAdministrator(ctx, c.Name, c.Login, false)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, `Made %s.
Back up its *.key files apart from the database: without %s nothing sealed can be read.
First administrator %q logs in once, within 72 hours, with:
  %s
Then: concert serve -data %s
`, c.Data, masterFile, c.Login, link, c.Data)
	return nil
}
