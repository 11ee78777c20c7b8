package match

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed rules
var embedded embed.FS

// catalog is what Locate needs to know: the platforms and the parameters that identify nothing. It is embedded and fixed for
// one build, since a canonical form that changes under a running system would split duplicates.
type catalog struct {
	byID     map[string]*platform
	aliases  map[string]string
	hosts    map[string]*platform
	under    map[string]*platform
	tracking map[string][]string // parameter to platforms, none meaning everywhere
	prefixes []string
}

var catalogue = sync.OnceValue(func() *catalog {
	sub, err := fs.Sub(embedded, "rules")
	if err != nil {
		panic(err)
	}
	c, err := loadCatalog(sub)
	if err != nil {
		panic("match: the embedded rules do not load, which a test should have found: " + err.Error())
	}
	return c
})

type trackingFile struct {
	Prefixes   []string            `json:"prefixes"`
	Everywhere []string            `json:"everywhere"`
	Platforms  map[string][]string `json:"platforms"`
}

func loadCatalog(dir fs.FS) (*catalog, error) {
	var platforms []*platform
	if err := readJSON(dir, "platforms.json", &platforms); err != nil {
		return nil, err
	}
	c := &catalog{byID: map[string]*platform{}, aliases: map[string]string{}, hosts: map[string]*platform{}, under: map[string]*platform{}, tracking: map[string][]string{}}
	for _, p := range platforms {
		if err := p.compile(); err != nil {
			return nil, err
		}
		if c.byID[p.ID] != nil {
			return nil, fmt.Errorf("platforms.json: platform %q stands twice", p.ID)
		}
		c.byID[p.ID] = p
		for _, a := range p.Aliases {
			c.aliases[a] = p.ID
		}
		for _, h := range p.Hosts {
			if c.hosts[h] != nil {
				return nil, fmt.Errorf("platforms.json: host %q belongs to %s and %s", h, c.hosts[h].ID, p.ID)
			}
			c.hosts[h] = p
		}
		for _, h := range p.Under {
			c.under[h] = p
		}
	}
	var t trackingFile
	if err := readJSON(dir, "tracking.json", &t); err != nil {
		return nil, err
	}
	c.prefixes = t.Prefixes
	for _, name := range t.Everywhere {
		c.tracking[name] = nil
	}
	for id, names := range t.Platforms {
		for _, name := range names {
			if was, ok := c.tracking[name]; ok && was == nil {
				continue
			}
			c.tracking[name] = append(c.tracking[name], id)
		}
	}
	return c, nil
}

func readJSON(dir fs.FS, name string, to any) error {
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("read rules %s: %w", name, err)
	}
	return nil
}

// platform finds the house of a host, and the part of the host below a shared domain.
func (c *catalog) platform(host string) (p *platform, sub string) {
	if p := c.hosts[host]; p != nil {
		return p, ""
	}
	for i := range len(host) {
		if host[i] == '.' {
			if p := c.under[host[i+1:]]; p != nil {
				return p, host[:i]
			}
		}
	}
	return nil, ""
}

// tracks says whether a parameter says who shared an address rather than which place it is.
func (c *catalog) tracks(name, platform string) bool {
	only, ok := c.tracking[name]
	if !ok {
		if lower := strings.ToLower(name); lower != name {
			name = lower
			only, ok = c.tracking[name]
		}
	}
	if ok {
		if only == nil {
			return true
		}
		for _, id := range only {
			if id == platform {
				return true
			}
		}
	}
	for _, prefix := range c.prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
