package exercise

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Proxy spreads requests over serving nodes, one after the other, as any proxy
// in front of a deployment may. It repeats nothing: a node that is dead, or dies
// over a request, shows as 502 or as a broken connection. Streams pass through
// as they come.
type Proxy struct {
	nodes []atomic.Pointer[url.URL]
	next  atomic.Uint64
	pass  httputil.ReverseProxy
}

// NewProxy is a proxy in front of so many nodes, none of which is up yet.
func NewProxy(nodes int) *Proxy {
	p := &Proxy{nodes: make([]atomic.Pointer[url.URL], nodes)}
	p.pass = httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			to := p.nodes[p.next.Add(1)%uint64(len(p.nodes))].Load()
			if to == nil {
				to = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
			}
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		FlushInterval: -1,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute},
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return p
}

// Set says where the node answers from now on.
func (p *Proxy) Set(node int, base string) error {
	u, err := url.Parse(strings.TrimRight(base, "/"))
	if err != nil {
		return err
	}
	p.nodes[node].Store(u)
	return nil
}

// ServeHTTP passes a request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.pass.ServeHTTP(w, r) }
