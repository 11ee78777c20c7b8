package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/webui"
)

// publishing is how the public register is reached.
type publishing struct {
	PublicListen string        `help:"Address of a port that serves the public register and nothing else; it is under /public of every node anyway." placeholder:"HOST:PORT"`
	PublicDelay  time.Duration `help:"How old something is before it is public; an hour at least." default:"24h"`
}

// checkDelay refuses a delay that would show what is under way.
func (p publishing) checkDelay() error {
	if p.PublicDelay < casework.PublicationDelay {
		return &exitError{exitUsage, fmt.Errorf("-public-delay %s: nothing is public before it is %s old", p.PublicDelay, casework.PublicationDelay)}
	}
	return nil
}

// listenPublic listens where the flag says; nil where it says nothing.
func (p publishing) listenPublic() (net.Listener, error) {
	if p.PublicListen == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", p.PublicListen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s for the public register: %w", p.PublicListen, err)
	}
	return ln, nil
}

// publicServer is the server of the port that serves the public register alone. It
// demands no encrypted way by itself: what is in it is for everyone.
func publicServer(web *webui.UI, log *slog.Logger, proxies ...netip.Prefix) *http.Server {
	mux := http.NewServeMux()
	web.RegisterPublic(mux)
	return &http.Server{Handler: httpkit.Security(httpkit.Proxied(proxies, httpkit.Bounded(log, mux))), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}

// servePublic serves on the listener until the context ends, and has the register ready
// before the first reader asks.
func (n *node) servePublic(ctx context.Context) error {
	go func() {
		if _, err := n.svc.Public(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("public register", "err", err)
		}
	}()
	if n.publicLn == nil {
		return nil
	}
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := n.public.Shutdown(stop); err != nil {
			n.log.Debug("public register", "err", errors.Join(err, n.public.Close()))
		}
	}()
	if err := n.public.Serve(n.publicLn); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
