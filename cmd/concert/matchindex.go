package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"concert/internal/netguard"
)

type matchCmd struct {
	Find    matchFindCmd    `cmd:"" default:"withargs" help:"Find files among known hashes: one JSON object a match. The word find may be left out."`
	Rebuild matchRebuildCmd `cmd:"" help:"Make the index of known hashes anew from the database, while no server holds it."`
}

type matchRebuildCmd struct{ place }

// Run makes the files of the index anew. A server's own directory is refused, with its
// process.
func (c *matchRebuildCmd) Run(ctx context.Context, e *env) error {
	svc, err := c.open(ctx, slog.New(slog.NewTextHandler(e.stderr, nil)), netguard.Public(), false)
	if err != nil {
		return err
	}
	defer svc.DB.Close()
	tell := func(int) {}
	if isTerminal(e.stderr) {
		tell = func(n int) { fmt.Fprintf(e.stderr, "\r\x1b[K%d hashes", n) }
		defer fmt.Fprint(e.stderr, "\r\x1b[K")
	}
	began := time.Now()
	n, err := svc.RebuildKnown(ctx, tell)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d hashes in %s, in %.1f s\n", n, svc.KnownDir, time.Since(began).Seconds())
	return err
}
