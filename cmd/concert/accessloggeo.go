package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"concert/internal/accesslog"
	"concert/internal/durable"
	"concert/internal/pinned"
)

// geoArchive is the country database that the command fetches: registrations of
// address blocks by the five registries, in the public domain (CC0 1.0).
var geoArchive = pinned.Archive{
	Package:   "@ip-location-db/geo-whois-asn-country-mmdb",
	Version:   "2.3.2026061719",
	Integrity: "sha512-xemBDNQl4mCYDuVbqe3jKGKsVDykZGkfvebhtOh/3VGLadq8vsp7t7ontpMUt3hH7sAGT0eLDyJ99SV+0waxZg==",
	Most:      64 << 20,
}

const (
	geoMember = "package/geo-whois-asn-country.mmdb"
	geoMost   = 64 << 20
)

type accesslogGeoCmd struct {
	Out      string `help:"File to write." short:"o" name:"o" required:"" placeholder:"FILE"`
	Registry string `help:"npm registry to fetch from; what npm_config_registry names, or the public one, when left out." env:"npm_config_registry" placeholder:"URL"`
	From     string `help:"The package's archive (.tgz), fetched by other means, instead of the registry." placeholder:"FILE"`
}

// Run fetches the pinned archive, checks its digest, and writes the database.
func (c *accesslogGeoCmd) Run(ctx context.Context, e *env) error {
	archive, err := c.archive(ctx)
	if err != nil {
		return err
	}
	var db bytes.Buffer
	if err := pinned.Extract(archive, geoMember, geoMost, &db); err != nil {
		return err
	}
	if err := durable.WriteFile(c.Out, db.Bytes(), 0o644); err != nil {
		return err
	}
	if _, err := accesslog.OpenGeo(c.Out); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s: %s %s (CC0 1.0), SHA-256 %x\n", c.Out, geoArchive.Package, geoArchive.Version, sha256.Sum256(db.Bytes()))
	return nil
}

func (c *accesslogGeoCmd) archive(ctx context.Context) ([]byte, error) {
	if c.From != "" {
		return geoArchive.Read(c.From)
	}
	archive, err := geoArchive.Fetch(ctx, c.Registry)
	if errors.Is(err, pinned.ErrUnreachable) {
		err = fmt.Errorf("fetch the country database: %w; name another registry with -registry, or fetch the archive elsewhere and give it with -from", err)
	}
	return archive, err
}
