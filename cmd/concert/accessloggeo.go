package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"concert/internal/accesslog"
	"concert/internal/durable"
)

// The country database that the command fetches: registrations of address
// blocks by the five registries, in the public domain (CC0 1.0), pinned.
const (
	geoPackage = "@ip-location-db/geo-whois-asn-country-mmdb"
	geoVersion = "2.3.2026061719"
	geoSHA256  = "91757a1b06cdcd1955f292e4c4cfc54e091204f998e159a3187f7a2ef3724be0"
	geoMember  = "package/geo-whois-asn-country.mmdb"
	geoMost    = 64 << 20
	geoTimeout = 5 * time.Minute
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
	if sum := sha256.Sum256(archive); hex.EncodeToString(sum[:]) != geoSHA256 {
		return fmt.Errorf("the archive is not the one that is pinned: SHA-256 is %s, must be %s; nothing was written", hex.EncodeToString(sum[:]), geoSHA256)
	}
	db, err := geoFile(archive)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(c.Out, db, 0o644); err != nil {
		return err
	}
	if _, err := accesslog.OpenGeo(c.Out); err != nil {
		return err
	}
	sum := sha256.Sum256(db)
	fmt.Fprintf(e.stdout, "%s: %s %s (CC0 1.0), SHA-256 %s\n", c.Out, geoPackage, geoVersion, hex.EncodeToString(sum[:]))
	return nil
}

func (c *accesslogGeoCmd) archive(ctx context.Context) ([]byte, error) {
	if c.From != "" {
		st, err := os.Stat(c.From)
		if err != nil {
			return nil, err
		}
		if !st.Mode().IsRegular() || st.Size() > geoMost {
			return nil, fmt.Errorf("%s is not the archive", c.From)
		}
		return os.ReadFile(c.From)
	}
	base := strings.TrimSuffix(cmp.Or(c.Registry, "https://registry.npmjs.org"), "/")
	url := base + "/" + geoPackage + "/-/" + geoPackage[strings.IndexByte(geoPackage, '/')+1:] + "-" + geoVersion + ".tgz"
	ctx, cancel := context.WithTimeout(ctx, geoTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("-registry: %w", err)}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch the country database: %w; name another registry with -registry, or fetch the archive elsewhere and give it with -from", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: the registry answers %s; name another with -registry, or give the archive with -from", url, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, geoMost+1))
	if err == nil && len(data) > geoMost {
		err = errors.New("the archive is larger than it may be")
	}
	if err != nil {
		return nil, fmt.Errorf("fetch the country database: %w", err)
	}
	return data, nil
}

// geoFile takes the database out of the archive.
func geoFile(archive []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("the archive: %w", err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("the archive has no %s: %w", geoMember, err)
		}
		if h.Name == geoMember {
			return io.ReadAll(io.LimitReader(t, geoMost))
		}
	}
}
