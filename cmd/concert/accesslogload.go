package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"concert/internal/lake"
	"concert/internal/lake/shards"
)

// Where who asks a cluster stands: never in a command line, and in no message.
const (
	envClickHouseUser     = "CONCERT_CLICKHOUSE_USER"
	envClickHousePassword = "CONCERT_CLICKHOUSE_PASSWORD"
)

type accesslogLoadCmd struct {
	Dir        string   `arg:"" help:"A lake." type:"existingdir"`
	ClickHouse string   `name:"clickhouse" help:"Shards and database: clickhouse://HOST:9000,HOST2:9000/DATABASE, with ?secure=true for TLS, which any address but loopback needs, and cluster=NAME where the servers' configuration does not list them as concert. User and password: CONCERT_CLICKHOUSE_USER, CONCERT_CLICKHOUSE_PASSWORD." required:"" placeholder:"URL"`
	Drop       bool     `help:"Remove the lake's tables from every shard instead."`
	Trust      []string `help:"A public key file, of which one must have signed the lake. Repeat it for several." type:"existingfile" placeholder:"FILE"`
}

// Run brings a lake's rows to a cluster, or takes them away from it.
func (c *accesslogLoadCmd) Run(ctx context.Context, e *env) (err error) {
	open := trusted
	if c.Drop {
		open = trustedManifest
	}
	l, err := open(c.Dir, c.Trust)
	if err != nil {
		return err
	}
	there, err := openCluster(ctx, l, c.ClickHouse)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, there.Close()) }()
	if c.Drop {
		return there.Drop(ctx)
	}
	// The driver's buffers grow by doubling and leave the halves behind, for each shard at once.
	defer debug.SetGCPercent(debug.SetGCPercent(30))
	began := time.Now()
	done, err := there.Load(ctx)
	if err != nil {
		return err
	}
	if done.Removed > 0 {
		fmt.Fprintf(e.stderr, "concert: of %d parts something lay there that was not whole, twice there or not the lake's; it was removed\n", done.Removed)
	}
	took := time.Since(began)
	fmt.Fprintf(e.stdout, "Loaded:   %s rows of %d parts on %d shards, manifest sha256 %s\nSent now: %s rows in %.1f s, %s a second; the rest was there, whole.\n",
		digits(done.Rows), done.Parts, len(done.Shards), l.Digest, digits(done.Sent), took.Seconds(), digits(int64(float64(done.Sent)/max(took.Seconds(), 1e-3))))
	fmt.Fprintln(e.stdout, "Who can read the database reads the pseudonymised rows of the case there. Remove them with -drop.")
	return nil
}

func openCluster(ctx context.Context, l *lake.Lake, address string) (*shards.Cluster, error) {
	at, err := shards.ParseAddress(address)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return shards.Open(ctx, l, at, shards.Login{User: os.Getenv(envClickHouseUser), Password: os.Getenv(envClickHousePassword)})
}

// askCluster answers from a cluster, for which the lake's manifest is enough.
func askCluster(ctx context.Context, l *lake.Lake, address string, q lake.Query, pseudonym string) (r *lake.Result, err error) {
	there, err := openCluster(ctx, l, address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, there.Close()) }()
	return there.Ask(ctx, q, pseudonym)
}
