package exercise

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// venue is where a simulated provider is found: a server for its pages, another for
// its webhook, each on a loopback port of its own.
type venue struct {
	base *base
	hook http.HandlerFunc // nil where it never had one

	addrMu   sync.Mutex // guards what follows
	pageAddr string
	hookAddr string
	pages    *http.Server
	hooks    *http.Server // replaced when it comes up again
	closed   bool
}

// address is where its pages, or its webhook, listen now.
func (v *venue) address(hook bool) (string, bool) {
	v.addrMu.Lock()
	defer v.addrMu.Unlock()
	if hook {
		return v.hookAddr, v.hookAddr != ""
	}
	return v.pageAddr, v.pageAddr != ""
}

// up starts the server of the pages, and that of the webhook where there is one.
func (v *venue) up(page, hook http.HandlerFunc) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	v.hook = hook
	s := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second, ErrorLog: nil}
	v.addrMu.Lock()
	v.pageAddr, v.pages = l.Addr().String(), s
	v.addrMu.Unlock()
	v.serve(s, l)
	if hook == nil {
		return nil
	}
	return v.openHook()
}

func (v *venue) openHook() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", v.hook)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	v.addrMu.Lock()
	if v.closed {
		v.addrMu.Unlock()
		return l.Close()
	}
	v.hookAddr, v.hooks = l.Addr().String(), s
	v.addrMu.Unlock()
	v.serve(s, l)
	return nil
}

func (v *venue) serve(s *http.Server, l net.Listener) {
	go func() {
		if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			v.base.problems.add(err)
		}
	}()
}

// fallIll closes the webhook's server once it has been sick for so much case time, and
// opens it again after the dead time, on another port: Resolve follows.
func (v *venue) fallIll(c conduct) {
	clock := v.base.cfg.Time
	v.base.after(clock.Wall(c.sick), func(context.Context) {
		v.addrMu.Lock()
		s := v.hooks
		v.addrMu.Unlock()
		if s != nil {
			// Connections drop with the listener: that is the point.
			_ = s.Close()
		}
		v.base.after(clock.Wall(c.dead), func(context.Context) {
			if err := v.openHook(); err != nil {
				v.base.problems.add(err)
			}
		})
	})
}

func (v *venue) close() {
	v.addrMu.Lock()
	v.closed = true
	pages, hooks := v.pages, v.hooks
	v.addrMu.Unlock()
	for _, s := range []*http.Server{pages, hooks} {
		if s != nil {
			_ = s.Close()
		}
	}
}
