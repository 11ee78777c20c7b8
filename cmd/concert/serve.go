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

	"github.com/emersion/go-smtp"
	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/durable"
	"concert/internal/httpkit"
	"concert/internal/netguard"
	"concert/internal/webui"
)

type serveCmd struct {
	place
	serving
	mailing
	publishing
	witnessing
	analysing
	CaptureMB int    `help:"Largest capture that is taken, in MB." default:"64" name:"capture-mb"`
	Role      string `help:"authority: a deployment of authorities, a hub. provider: a provider's own desk." enum:"authority,provider" default:"authority"`
}

// Run serves until it is stopped.
func (c *serveCmd) Run(ctx context.Context, e *env) error {
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	if err := c.checkDelay(); err != nil {
		return err
	}
	k, err := readKeys(c.Data)
	if err != nil {
		return err
	}
	if k.exercise {
		return fmt.Errorf("%s was made by an exercise and is never served live: make another with: concert init", c.Data)
	}
	if err := k.playing(c.Data, c.Role); err != nil {
		return err
	}
	if !c.shared() {
		lock, err := durable.LockDir(c.Data)
		if err != nil {
			return fmt.Errorf("%w; several nodes need PostgreSQL: -database postgres://…", err)
		}
		defer func() {
			if err := lock.Unlock(); err != nil {
				log.Error("unlock data directory", "err", err)
			}
		}()
		if _, err := durable.Sweep(c.Data); err != nil {
			return err
		}
	}
	svc, err := c.open(ctx, log, netguard.Public(), false)
	if err != nil {
		return err
	}
	defer svc.DB.Close()
	proxies, err := c.proxies()
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	svc.Host = c.Role == roleProvider
	svc.BaseURL, svc.Vantage, svc.SecondFactor = c.BaseURL, c.Vantage, concert.FactorPolicy(c.SecondFactor)
	svc.CaptureMost = int64(max(1, min(c.CaptureMB, httpkit.MaxUpload>>20))) << 20
	if svc.BaseURL == "" {
		svc.BaseURL = "http://" + ln.Addr().String()
	}
	if err := errors.Join(c.setUp(svc, c.Data), c.engage(svc), c.analyse(svc)); err != nil {
		return errors.Join(err, ln.Close())
	}
	node, err := newNode(svc, log, proxies...)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	if node.mail, node.mailLn, err = c.door(ctx, svc, log); err != nil {
		return errors.Join(err, ln.Close())
	}
	if node.publicLn, err = c.listenPublic(); err != nil {
		return errors.Join(err, ln.Close())
	}
	svc.PublicDelay, node.public = c.PublicDelay, publicServer(node.web, log, proxies...)
	fmt.Fprintf(e.stdout, "Concert serves %s on %s\n", svc.BaseURL, ln.Addr())
	if node.publicLn != nil {
		fmt.Fprintf(e.stdout, "The public register is on %s\n", node.publicLn.Addr())
	}
	if node.mail != nil {
		fmt.Fprintf(e.stdout, "Mail comes in on %s\n", node.mailLn.Addr())
	}
	return node.run(ctx, ln)
}

// node is one serving process: doors, and what the clocks do.
type node struct {
	svc *casework.Service
	hub *casework.Hub
	web *webui.UI
	mux http.Handler
	log *slog.Logger

	mail   *smtp.Server // for mail that comes in; nil for none
	mailLn net.Listener

	public   *http.Server // the port that serves the public register alone
	publicLn net.Listener // nil for none
}

func newNode(svc *casework.Service, log *slog.Logger, proxies ...netip.Prefix) (*node, error) {
	n := &node{svc: svc, hub: casework.NewHub(svc), log: log}
	mux := http.NewServeMux()
	apiserver.New(svc, log).Register(mux)
	var err error
	if n.web, err = webui.New(svc, n.hub, log); err != nil {
		return nil, err
	}
	n.web.Register(mux)
	n.mux = httpkit.SecurityAt(svc.BaseURL, httpkit.Proxied(proxies, httpkit.Bounded(log, mux)))
	return n, nil
}

// run serves on the listener until the context ends, then lets requests in
// flight finish.
func (n *node) run(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{Handler: n.mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 120 * time.Second, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx }}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error { return n.svc.Run(gctx) })
	if n.mail != nil {
		g.Go(func() error {
			if err := n.mail.Serve(n.mailLn); !errors.Is(err, smtp.ErrServerClosed) {
				return err
			}
			return nil
		})
		g.Go(func() error {
			<-gctx.Done()
			return n.mail.Close()
		})
	}
	g.Go(func() error { return n.hub.Run(gctx) })
	if n.public != nil {
		g.Go(func() error { return n.servePublic(gctx) })
	}
	g.Go(func() error { return endServer(gctx, srv) })
	return g.Wait()
}

// endServer waits for the context's end, then ends the server: open requests have five
// seconds.
func endServer(ctx context.Context, srv *http.Server) error {
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return srv.Close()
	}
	return nil
}
