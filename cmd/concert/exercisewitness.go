package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"

	"concert"
	"concert/internal/witness"
)

// lastCosignMost is how long an exercise waits, once all else is over, for its
// witnesses to cosign the last head.
const lastCosignMost = 20 * time.Second

// gallery is the witnesses of an exercise: in this process, but with a directory,
// a key and an address of their own, asked over real HTTP.
type gallery struct {
	all   []*witness.Witness
	names []string // addresses and keys, as nodes are told them
	stop  context.CancelFunc
	done  chan error
}

// openGallery makes witnesses of the log with this key and lets them serve.
func (r *rehearsal) openGallery(ctx context.Context, logKey string) error {
	run, stop := context.WithCancel(ctx)
	g := &gallery{stop: stop, done: make(chan error, r.cmd.Witnesses)}
	r.gallery = g
	for n := range r.cmd.Witnesses {
		dir := filepath.Join(r.dir, fmt.Sprintf("witness-%d", n+1))
		if _, err := witness.Init(dir, fmt.Sprintf("witness-%d.exercise.invalid", n+1)); err != nil {
			return err
		}
		w, err := witness.Open(dir, []string{logKey}, time.Now)
		if err != nil {
			return err
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return errors.Join(err, w.Close())
		}
		g.all = append(g.all, w)
		g.names = append(g.names, "http://"+ln.Addr().String()+" "+w.Key())
		go func() { g.done <- errors.Join(serveWitness(run, w, ln, r.log), w.Close()) }()
	}
	return nil
}

// close ends the witnesses; nil is no gallery.
func (g *gallery) close() error {
	if g == nil {
		return nil
	}
	g.stop()
	var err error
	for range g.all {
		err = errors.Join(err, <-g.done)
	}
	return err
}

// keys are the witnesses' public keys.
func (g *gallery) keys() []string {
	var out []string
	for _, w := range g.all {
		out = append(out, w.Key())
	}
	return out
}

// seen is what each witness cosigned.
func (g *gallery) seen() []concert.RehearsedWitness {
	var out []concert.RehearsedWitness
	for _, w := range g.all {
		s := w.Seen()[0]
		out = append(out, concert.RehearsedWitness{Name: w.Name(), Key: w.Key(), Checkpoints: s.Cosigned, Size: s.Head.Size, Refused: len(s.Refused)})
	}
	return out
}

// tellWitnesses is what each witness cosigned, for people.
func tellWitnesses(w io.Writer, all []concert.RehearsedWitness) {
	for _, x := range all {
		fmt.Fprintf(w, "Witness %s: %d checkpoints cosigned, the last over %d events, %d refused\n", x.Name, x.Checkpoints, x.Size, x.Refused)
	}
}
