package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/internal/casework"
	"concert/internal/witness"
)

// witnessing is which witnesses cosign what the log publishes.
type witnessing struct {
	Witness []string `help:"A witness that is asked to cosign each published checkpoint: its address, a space, its key. Repeat it for several." sep:"none" placeholder:"'URL KEY'"`
}

// engage gives the witnesses to the service.
func (w witnessing) engage(svc *casework.Service) error {
	seen := map[string]bool{}
	for _, text := range w.Witness {
		c, err := witness.NewClient(text)
		if err != nil {
			return err
		}
		if seen[c.Key()] {
			return fmt.Errorf("witness %s is named twice", c.Name())
		}
		if c.Name() == svc.Origin {
			return fmt.Errorf("witness %s bears the log's own name: a log is not its own witness", c.Name())
		}
		seen[c.Key()] = true
		svc.Witnesses = append(svc.Witnesses, c)
	}
	return nil
}

type witnessCmd struct {
	Init  witnessInitCmd  `cmd:"" help:"Make a witness: a directory with its key. Prints the key that the log's operator and verifiers pin."`
	Serve witnessServeCmd `cmd:"" help:"Cosign checkpoints of the logs that are named, once they are checked to go on from those before."`
}

type witnessInitCmd struct {
	Data string `help:"Directory of the witness." default:"concert-witness" placeholder:"DIR"`
	Name string `help:"Its name for ever: a host name and path that is yours." required:"" placeholder:"NAME"`
}

// Run makes the witness.
func (c *witnessInitCmd) Run(e *env) error {
	key, err := witness.Init(c.Data, c.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Made the witness %s in %s. Its public key, to be given to whoever runs a log and whoever verifies one:\n%s\nThen: concert witness serve -data %s -log 'KEY OF THE LOG'\n", c.Name, c.Data, key, c.Data)
	return nil
}

type witnessServeCmd struct {
	Data   string   `help:"Directory of the witness." default:"concert-witness" placeholder:"DIR"`
	Listen string   `help:"Address to listen on; put a TLS proxy in front." default:"127.0.0.1:8090" placeholder:"HOST:PORT"`
	Log    []string `help:"The key of a log to watch, from its page /log. Repeat it for several." required:"" sep:"none" placeholder:"KEY"`
}

// Run cosigns until it is stopped.
func (c *witnessServeCmd) Run(ctx context.Context, e *env) (err error) {
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	w, err := witness.Open(c.Data, c.Log, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	fmt.Fprintf(e.stdout, "Witness %s on %s\n%s\n", w.Name(), ln.Addr(), w.Key())
	for _, s := range w.Seen() {
		fmt.Fprintf(e.stdout, "watches %s, cosigned up to %d events\n", s.Origin, s.Head.Size)
	}
	return serveWitness(ctx, w, ln, log)
}

// serveWitness answers on the listener until the context ends.
func serveWitness(ctx context.Context, w *witness.Witness, ln net.Listener, log *slog.Logger) error {
	srv := witness.Server(w.Handler(log), log)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error { return endServer(gctx, srv) })
	return g.Wait()
}
