package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"concert"
	"concert/internal/durable"
	"concert/internal/exercise"
	"concert/internal/netguard"
)

// scriptFile tells an exercise's nodes what it plays; it lies in the data
// directory.
const scriptFile = "exercise.json"

// exerciseNodeCmd is one serving node of an exercise, started by the exercise
// itself: it ends when its standard input does, so that none is left behind.
type exerciseNodeCmd struct {
	place
	witnessing
	Listen string `help:"Loopback address." default:"127.0.0.1:0"`
}

// Run serves until standard input ends.
func (c *exerciseNodeCmd) Run(ctx context.Context, e *env) error {
	log := slog.New(slog.NewTextHandler(e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	k, err := readKeys(c.Data)
	if err != nil {
		return err
	}
	if !k.exercise {
		return fmt.Errorf("%s was not made by an exercise: serve it with: concert serve", c.Data)
	}
	if !c.shared() {
		lock, err := durable.LockDir(c.Data)
		if err != nil {
			return err
		}
		defer lock.Unlock()
	}
	script, err := readScript(c.Data)
	if err != nil {
		return err
	}
	// The stage changes while it is played, so each dial asks anew.
	svc, err := c.open(ctx, log, netguard.Staged(func(host string) (string, bool) {
		now, err := readScript(c.Data)
		if err != nil {
			return "", false
		}
		return now.Stage.Resolve(host)
	}), true)
	if err != nil {
		return err
	}
	defer svc.DB.Close()
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	if err := c.engage(svc); err != nil {
		return errors.Join(err, ln.Close())
	}
	svc.Vantage, svc.BaseURL, svc.Time = exerciseVantage, script.BaseURL, script.Time
	if script.Stopped != 0 {
		svc.StopClockAt(concert.FromMicros(script.Stopped))
	}
	n, err := newNode(svc, log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		// The exercise never writes: what comes is the end.
		_, _ = io.Copy(io.Discard, e.stdin)
		stop()
	}()
	fmt.Fprintf(e.stdout, "Concert serves %s on %s\n", svc.BaseURL, ln.Addr())
	return n.run(ctx, ln)
}

func readScript(dir string) (exercise.Script, error) {
	var s exercise.Script
	text, err := os.ReadFile(filepath.Join(dir, scriptFile))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

// cluster is the nodes of an exercise as processes of their own, behind a
// proxy.
type cluster struct {
	place  place
	stderr io.Writer
	log    *slog.Logger
	proxy  *exercise.Proxy
	front  *http.Server
	url    string
	nodes  []*member
	kills  atomic.Int64
	asked  []string // the witnesses that nodes ask, by address and key

	mu       sync.Mutex // guards script
	script   exercise.Script
	watching sync.WaitGroup
}

// member is one node's process while it runs.
type member struct {
	cmd  *exec.Cmd
	life io.Closer // its standard input
	rss  float64   // the most memory that any run of it held, MB
}

// newCluster listens for the proxy; no node runs yet.
func newCluster(p place, nodes int, listen string, e *env, log *slog.Logger) (*cluster, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	c := &cluster{place: p, stderr: &lockedWriter{w: e.stderr}, log: log, proxy: exercise.NewProxy(nodes), url: "http://" + ln.Addr().String(), nodes: make([]*member, nodes)}
	for i := range c.nodes {
		c.nodes[i] = &member{}
	}
	c.front = &http.Server{Handler: c.proxy, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		if err := c.front.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the exercise's proxy ended", "err", err)
		}
	}()
	return c, nil
}

// tell writes the script that the nodes read, where it has changed.
func (c *cluster) tell(change func(*exercise.Script)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.script
	change(&c.script)
	if c.script.Stopped == was.Stopped && maps.Equal(c.script.Stage, was.Stage) {
		return nil
	}
	text, err := json.Marshal(c.script)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(c.place.Data, scriptFile), text, 0o600)
}

// stageTick is how soon the nodes hear that a provider's server has moved.
const stageTick = 50 * time.Millisecond

// follow keeps the script as the world's stage is, until the context ends.
func (c *cluster) follow(ctx context.Context, w *exercise.World) {
	c.watching.Go(func() {
		t := time.NewTicker(stageTick)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			if err := c.tell(func(s *exercise.Script) { s.Stage = w.Stage() }); err != nil {
				c.log.Error("the stage could not be told to the nodes", "err", err)
			}
		}
	})
}

// start starts every node.
func (c *cluster) start() error {
	for i := range c.nodes {
		if err := c.startNode(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) startNode(i int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"exercise-node", "--data", c.place.Data, "--database", c.place.Database}
	for _, w := range c.asked {
		args = append(args, "--witness", w)
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = c.stderr
	life, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start node %d: %w", i+1, err)
	}
	c.nodes[i].cmd, c.nodes[i].life = cmd, life
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("node %d did not start: %w", i+1, errors.Join(err, cmd.Wait()))
	}
	words := strings.Fields(line) // Concert serves URL on ADDRESS
	return c.proxy.Set(i, "http://"+words[len(words)-1])
}

// ended waits for a node's process.
func (m *member) ended() {
	// How it ended was its killer's doing, or is in its own log.
	_ = m.cmd.Wait()
	if u, ok := m.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.rss = max(m.rss, float64(u.Maxrss)/1024)
	}
	m.cmd = nil
}

// nodeStopMost is how long a node may take to end.
const nodeStopMost = 20 * time.Second

// stop ends every node in its own time.
func (c *cluster) stop() {
	for _, m := range c.nodes {
		if m.cmd != nil {
			_ = m.life.Close() // the node reads the end
		}
	}
	for _, m := range c.nodes {
		if m.cmd != nil {
			node := m.cmd.Process
			kill := time.AfterFunc(nodeStopMost, func() { _ = node.Kill() })
			m.ended()
			kill.Stop()
		}
	}
}

// close ends everything.
func (c *cluster) close() {
	c.watching.Wait()
	c.stop()
	_ = c.front.Close() // nobody asks any more
}

// downMost is for how long a killed node stays away where others go on.
const downMost = 400 * time.Millisecond

// upLeast is how long a node that was started again is left alone.
const upLeast = 250 * time.Millisecond

// killing kills a node so many times in the span of wall time, each time
// another one by the seed, and starts it again. Those left over when playing
// ends follow at once: no number may change by them either.
func (c *cluster) killing(ctx, playing context.Context, seed uint64, kills int, span time.Duration) error {
	rng := rand.New(rand.NewPCG(seed, uint64(kills)))
	begun := time.Now()
	for k := range kills {
		due := begun.Add(time.Duration((float64(k) + rng.Float64()) * float64(span) / float64(kills)))
		wait(playing, max(time.Until(due), upLeast))
		if ctx.Err() != nil {
			return nil
		}
		i := rng.IntN(len(c.nodes))
		if err := c.nodes[i].cmd.Process.Kill(); err != nil {
			return fmt.Errorf("kill node %d: %w", i+1, err)
		}
		c.nodes[i].ended()
		c.kills.Add(1)
		if len(c.nodes) > 1 {
			wait(playing, time.Duration(rng.Int64N(int64(downMost))))
		}
		if err := c.startNode(i); err != nil {
			return err
		}
	}
	return nil
}

// wait lets the time pass, or less where the context ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// memory is the most that one node held, in MB.
func (c *cluster) memory() float64 {
	most := 0.0
	for _, m := range c.nodes {
		most = max(most, m.rss)
	}
	return most
}

// lockedWriter lets several processes write to one place.
type lockedWriter struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

// Write writes.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
