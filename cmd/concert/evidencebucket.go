package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"concert/internal/vault"
)

// bucketFlags say how a server that speaks S3 is reached. Keys are no flags: what is
// one stands in the list of processes.
type bucketFlags struct {
	Endpoint string `name:"s3-endpoint" env:"CONCERT_S3_ENDPOINT" help:"The S3 server of s3:// names. Its keys come from CONCERT_S3_ACCESS_KEY and CONCERT_S3_SECRET_KEY, or as AWS tools have them." placeholder:"URL"`
	Region   string `name:"s3-region" env:"CONCERT_S3_REGION" help:"The server's region." default:"us-east-1" placeholder:"NAME"`
	CA       string `name:"s3-ca" env:"CONCERT_S3_CA" help:"Certificates (PEM) to believe the server by, instead of the system's." type:"existingfile" placeholder:"FILE"`
}

func (b bucketFlags) server() vault.BucketServer {
	return vault.BucketServer{Endpoint: b.Endpoint, Region: b.Region, CA: b.CA,
		AccessKey: os.Getenv("CONCERT_S3_ACCESS_KEY"), SecretKey: os.Getenv("CONCERT_S3_SECRET_KEY"), Token: os.Getenv("CONCERT_S3_SESSION_TOKEN")}
}

// place is the file or object of a name.
func (b bucketFlags) place(name string) (vault.Place, error) {
	at, err := vault.PlaceOf(name, b.server())
	if err != nil {
		err = &exitError{exitUsage, err}
	}
	return at, err
}

// lockedName is a locked file that is there, or s3://BUCKET/KEY.
type lockedName string

// Validate implements what the command line asks of a value.
func (n lockedName) Validate() error { return vault.CheckPlace(string(n)) }

// lastDay is the end of a day; zero where none is named.
func lastDay(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	end := day.AddDate(0, 0, 1).Add(-time.Second)
	if err != nil || !end.After(now) {
		return end, &exitError{exitUsage, fmt.Errorf("-retain-until %.40q: write a day that is not over yet, such as %s", text, now.UTC().AddDate(1, 0, 0).Format(time.DateOnly))}
	}
	return end, nil
}

type evidenceStoredCmd struct {
	Prefix string `arg:"" help:"s3://BUCKET, or s3://BUCKET/PREFIX."`
	bucketFlags
}

// Run lists locked exhibits by their heads, one a line. What its heads say is vouched
// for by nothing yet.
func (c *evidenceStoredCmd) Run(ctx context.Context, e *env) error {
	all, err := vault.ListStored(ctx, c.Prefix, c.server())
	if err != nil {
		return &exitError{exitUsage, err}
	}
	exhibits, others, bad := 0, 0, 0
	for s, err := range all {
		switch {
		case err != nil:
			return stopped(ctx, err)
		case errors.Is(s.Err, vault.ErrNotLocked):
			others++
		case s.Err != nil:
			bad++
			fmt.Fprintf(e.stderr, "concert: %s: %s\n", shown(s.Name), shown(s.Err.Error()))
		default:
			exhibits++
			fmt.Fprintf(e.stdout, "%s\t%d bytes\t%s\tlock %s\tcase %s\texhibit %s\n", shown(s.Name), s.Size, s.Modified.UTC().Format(time.RFC3339), shown(s.Lock.ID), shown(s.Lock.Case), shown(s.Lock.Exhibit))
		}
	}
	fmt.Fprintf(e.stdout, "%d locked exhibits.", exhibits)
	if others > 0 {
		fmt.Fprintf(e.stdout, " %d other objects there are none.", others)
	}
	fmt.Fprintln(e.stdout)
	if bad > 0 {
		return fmt.Errorf("%d objects begin as locked exhibits do and are none that is whole", bad)
	}
	return nil
}
