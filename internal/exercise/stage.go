package exercise

import (
	"strings"

	"concert"
)

// Stage is at which loopback address, host:port, each invented domain is played
// now; what lies below a domain is played with it unless it has an entry of its
// own.
type Stage map[string]string

// Resolve gives the address behind a host.
func (s Stage) Resolve(host string) (addr string, ok bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if i := strings.IndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	for {
		if addr, ok = s[host]; ok {
			return addr, addr != ""
		}
		_, above, more := strings.Cut(host, ".")
		if !more {
			return "", false
		}
		host = above
	}
}

// Stage is the stage as it stands. An address changes when a provider's server
// comes up again.
func (w *World) Stage() Stage {
	s := Stage{}
	for _, p := range w.providers {
		for _, d := range []string{p.plan.domain, p.plan.also} {
			if d != "" {
				s[d], _ = p.address(false)
			}
		}
		s[p.hookHost()], _ = p.address(true)
	}
	return s
}

// Script is what serving nodes in processes of their own are told of an
// exercise.
type Script struct {
	BaseURL string           `json:"base_url"` // of the proxy before them
	Time    concert.CaseTime `json:"time"`
	Stopped int64            `json:"stopped,omitempty"` // case time in microseconds at which the exercise ended; 0 while it runs
	Stage   Stage            `json:"stage"`
}
