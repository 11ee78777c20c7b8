package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"concert/internal/accesslog"
	"concert/internal/casework"
)

// place is where a deployment lives: shared by the commands that open it.
type place struct {
	Data     string `help:"Data directory." default:"concert-data" placeholder:"DIR"`
	Database string `help:"Database: a file in the data directory, or postgres://…" default:"concert.db" placeholder:"URL"`
}

// serving is how a node is reached.
type serving struct {
	Listen  string `help:"Address to listen on." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	BaseURL string `help:"What links and notices point to; http://LISTEN when left out." placeholder:"URL"`
	Vantage string `help:"From where this node looks again, as providers will read it." default:"unnamed vantage"`

	SecondFactor string   `help:"required: guarded acts need a second factor, and whoever approves, exports or administers sets one up first; offered: only those who have one are asked for it." enum:"required,offered" default:"required"`
	Proxy        []string `help:"Networks of your own proxies, whose X-Forwarded-For is believed." placeholder:"CIDR"`
}

// proxies are the networks of the deployment's own proxies.
func (s serving) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range s.Proxy {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("proxy %q: %w; write a network, for example 10.0.0.0/8 or 127.0.0.1/32", text, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// analysing is what a node needs to count the access logs of exhibits.
type analysing struct {
	Exhibits string `help:"Directory with bags and working copies (concert evidence work) of exhibits, each a directory of its own: this node counts their access logs when the desk asks. They are only read." placeholder:"DIR"`
	Geo      string `help:"Country database in MaxMind's format for those counts (concert accesslog geo fetches one); without it countries are unknown." placeholder:"FILE"`
}

// analyse tells the service where exhibits lie.
func (c analysing) analyse(svc *casework.Service) (err error) {
	if c.Geo != "" {
		if svc.Geo, err = accesslog.OpenGeo(c.Geo); err != nil {
			return err
		}
	}
	if c.Exhibits == "" {
		return nil
	}
	if svc.Children == nil {
		return errors.New("-exhibits: this program does not find itself, so that it starts no children, and logs are read in nothing else; start it by its path")
	}
	if svc.Exhibits, err = filepath.Abs(c.Exhibits); err != nil {
		return err
	}
	if _, err := os.ReadDir(svc.Exhibits); err != nil {
		return fmt.Errorf("-exhibits: %w; make the directory, and let this program read it", err)
	}
	return nil
}

// configFileName is the file in the data directory that flags may come from.
const configFileName = "concert.json"

// configFile finds the configuration file before the flags are parsed: in the
// data directory that the arguments or the environment name.
func configFile(args []string) []string {
	dir := os.Getenv("CONCERT_DATA")
	if dir == "" {
		dir = "concert-data"
	}
	for i, a := range args {
		name, value, has := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if !strings.HasPrefix(a, "-") || name != "data" {
			continue
		}
		if has {
			dir = value
		} else if i+1 < len(args) {
			dir = args[i+1]
		}
	}
	return []string{filepath.Join(dir, configFileName)}
}

// effective is every flag's value with where it came from hidden: what counts
// is what is in force.
func effective(k *kong.Context) []byte {
	out := map[string]any{}
	for _, f := range k.Flags() {
		if f.Name != "help" {
			out[f.Name] = k.FlagValue(f)
		}
	}
	b, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil // flags are strings, numbers and booleans
	}
	return b
}

type configCmd struct {
	place
	serving
	mailing
	witnessing
}

// Run prints the effective configuration.
func (c *configCmd) Run(e *env) error {
	_, err := fmt.Fprintf(e.stdout, "%s\n", e.config)
	return err
}

type versionCmd struct{}

// Run prints the version.
func (*versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.stdout, "concert", version())
	return err
}
