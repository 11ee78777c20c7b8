package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/casework"
	"concert/internal/durable"
	"concert/internal/exercise"
	"concert/internal/identity"
	"concert/internal/netguard"
	"concert/internal/store"
)

type exerciseCmd struct {
	Plan      string  `help:"What to rehearse: november-2019, referrals; one-hour, removal orders; june-2017, a seized server." enum:"november-2019,one-hour,june-2017" default:"november-2019"`
	Items     int     `help:"Distinct items to be referred (26000 where it is 0), or orders to be issued (500)." default:"0"`
	Lines     int     `help:"Lines of the seized server's log, of the plan june-2017." default:"1000000"`
	Geo       string  `help:"Country database of the plan june-2017 (concert accesslog geo fetches one); an invented one when left out." placeholder:"FILE"`
	Seed      uint64  `help:"Everything invented follows from it." default:"2019"`
	Database  string  `help:"postgres://… of an empty database; a fresh embedded one when left out." placeholder:"URL"`
	Speed     float64 `help:"Case time runs this many times as fast as the wall; 0 fits the four days to the work, and the one hour into half a minute." default:"0"`
	Listen    string  `help:"Loopback address of the server." default:"127.0.0.1:0"`
	JSON      bool    `help:"Print the outcome as one object on the last line of standard output." name:"json"`
	Exit      bool    `help:"End when the four days are over, instead of staying up for the board."`
	Nodes     int     `help:"Serving nodes, each a process of its own behind a proxy; more than one needs PostgreSQL. 0: the exercise itself serves." default:"0"`
	Media     float64 `help:"Share of works that are drawn pictures and clips, of which copies are altered as people alter them: 0 to 1." default:"0.02"`
	Witnesses int     `help:"Witnesses of the log, each with a directory and an address of its own." default:"2"`
	Kills     int     `help:"How many times a node is killed (kill -9) and started again meanwhile; needs -nodes." default:"0"`
}

// exerciseVantage is from where an exercise looks again.
const exerciseVantage = "EXERCISE loopback"

// start is when case time begins.
func (c *exerciseCmd) start() time.Time {
	switch c.Plan {
	case exercise.PlanOneHour:
		return hourEve
	case exercise.PlanJune2017:
		return exercise.SeizureStart
	}
	return novemberStart
}

// novemberStart is when the rehearsed action began, in case time.
var novemberStart = time.Date(2019, 11, 21, 8, 0, 0, 0, time.UTC)

// size is how many items are referred, or how many orders are issued.
func (c *exerciseCmd) size() int {
	switch {
	case c.Items != 0:
		return c.Items
	case c.Plan == exercise.PlanOneHour:
		return 500
	}
	return 26000
}

// rate is how fast case time runs: four days fit into the time that the work
// itself takes on a small machine, so that nights and retries are waited for
// but do not rule.
func (c *exerciseCmd) rate() float64 {
	if c.Speed > 0 {
		return c.Speed
	}
	switch c.Plan {
	case exercise.PlanOneHour:
		return hourRate
	case exercise.PlanJune2017:
		return 1
	}
	const itemsPerSecond = 900
	wall := max(8*time.Second, time.Duration(c.size())*time.Second/itemsPerSecond, time.Duration(c.Kills)*perKill)
	return float64(96*time.Hour) / float64(wall)
}

// perKill is wall time for each killing of a node: to start again and to take
// part before the next.
const perKill = 1600 * time.Millisecond

// outcome is the last line with -json. Its sums are in docs/counting.md.
type outcome struct {
	Plan        string           `json:"plan"`
	Authorities int              `json:"authorities"`
	Providers   int              `json:"providers"`
	Counts      map[string]int64 `json:"-"`
	Events      int64            `json:"events"`
	ElapsedS    float64          `json:"elapsed_s"`
	ItemsPerS   float64          `json:"items_per_s"`
	PeakRSSMB   float64          `json:"peak_rss_mb"`
	Database    string           `json:"database"`
	Ledger      ledger           `json:"ledger"`
	Data        string           `json:"data"`
	Report      string           `json:"report"`
	Nodes       int              `json:"nodes,omitempty"`
	Kills       int64            `json:"kills,omitempty"`

	Known concert.Rehearsal `json:"known"` // what was found by content (docs/known-alterations.md)

	Witnesses []concert.RehearsedWitness `json:"witnesses,omitempty"` // what each cosigned (docs/witness.md)
}

// ledger is the transparency log at the end.
type ledger struct {
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	Verified bool   `json:"verified"`
	Cosigned bool   `json:"cosigned"` // by its witnesses
}

// MarshalJSON puts the counts beside the other fields.
func (o outcome) MarshalJSON() ([]byte, error) {
	type plain outcome
	head, err := json.Marshal(plain(o))
	if err != nil {
		return nil, err
	}
	counts, err := json.Marshal(o.Counts)
	if err != nil || len(o.Counts) == 0 {
		return head, err
	}
	return append(append(head[:len(head)-1], ','), counts[1:]...), nil
}

// rehearsal is one exercise while it runs.
type rehearsal struct {
	cmd    *exerciseCmd
	e      *env
	dir    string
	place  place
	node   *node    // serves, or only counts where the cluster serves
	nodes  *cluster // nil where the exercise itself serves
	world  *exercise.World
	hour   *exercise.Hour    // instead of world, of the plan one-hour
	seized *exercise.Seizure // likewise, of the plan june-2017
	stop   context.CancelFunc
	done   chan error
	log    *slog.Logger

	gallery *gallery // the log's witnesses
}

// Run rehearses the action, writes the report, and stays up for the board.
func (c *exerciseCmd) Run(ctx context.Context, e *env) error {
	if err := errors.Join(c.loopbackOnly(), c.enough()); err != nil {
		return err
	}
	r := &rehearsal{cmd: c, e: e, done: make(chan error, 1)}
	begun := time.Now()
	if err := r.open(ctx, begun); err != nil {
		return err
	}
	defer r.close()
	switch r.cmd.Plan {
	case exercise.PlanOneHour:
		return r.oneHour(ctx, begun)
	case exercise.PlanJune2017:
		return r.june(ctx, begun)
	}
	if err := r.play(ctx); err != nil {
		return fmt.Errorf("exercise: %w (data kept in %s)", err, r.dir)
	}
	if err := r.ended(ctx); err != nil {
		return err
	}
	elapsed := time.Since(begun)
	known, err := r.compared(ctx)
	if err != nil {
		return err
	}
	o, err := r.conclude(ctx, elapsed, known)
	if err != nil {
		return err
	}
	r.tell(o)
	if err := r.last(o); err != nil || c.Exit {
		return err
	}
	if r.nodes != nil {
		if err := r.nodes.start(); err != nil {
			return err
		}
	}
	fmt.Fprintln(e.stderr, "The board stays up until you stop it (Ctrl-C).")
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.done:
		return err
	}
}

// last prints the outcome as the last line, where that is wanted.
func (r *rehearsal) last(outcome any) error {
	if !r.cmd.JSON {
		return nil
	}
	line, err := json.Marshal(outcome)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.e.stdout, "%s\n", line)
	return err
}

// enough refuses a number of nodes that the database cannot have, and killing
// the only process.
func (c *exerciseCmd) enough() error {
	switch {
	case c.Nodes < 0 || c.Kills < 0 || c.Witnesses < 0:
		return errors.New("nodes, kills and witnesses are 0 or more")
	case c.Plan == exercise.PlanJune2017 && (c.Lines < juneLinesLeast || c.Nodes > 0):
		return fmt.Errorf("the plan june-2017 needs %d -lines at least, of which its administrators are, and serves by itself: leave -nodes out", juneLinesLeast)
	case c.Nodes > 0 && c.Plan == exercise.PlanOneHour:
		return errors.New("the plan one-hour lets case time jump, which it can do in its own process only: leave -nodes out, or rehearse november-2019 on nodes")
	case c.Kills > 0 && c.Nodes == 0:
		return errors.New("only nodes in processes of their own can be killed: give -nodes 1 or more with -kills")
	case c.Nodes > 1 && c.Database == "":
		return errors.New("several nodes need PostgreSQL: give -database postgres://… of an empty database")
	}
	return nil
}

// play sets up and runs the action, with nodes dying meanwhile where that is
// wanted.
func (r *rehearsal) play(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	playing, over := context.WithCancel(gctx)
	if r.cmd.Kills > 0 {
		// What is planned is mostly over after half the time.
		span := time.Duration(float64(96*time.Hour)/r.cmd.rate()) / 2
		g.Go(func() error { return r.nodes.killing(gctx, playing, r.cmd.Seed, r.cmd.Kills, span) })
	}
	g.Go(func() error {
		defer over()
		if err := r.world.Setup(gctx); err != nil {
			return fmt.Errorf("set up: %w", err)
		}
		r.announce()
		return r.world.Run(gctx)
	})
	return g.Wait()
}

// ended lets the nodes of a cluster end and makes one here that counts.
func (r *rehearsal) ended(ctx context.Context) error {
	if r.nodes == nil {
		r.node.svc.StopClock()
		return nil
	}
	r.nodes.stop()
	svc, err := r.place.open(ctx, r.log, netguard.Only(), true)
	if err != nil {
		return err
	}
	svc.Vantage, svc.BaseURL, svc.Time = exerciseVantage, r.nodes.url, r.nodes.script.Time
	if err := (witnessing{r.gallery.names}).engage(svc); err != nil {
		return errors.Join(err, svc.DB.Close())
	}
	svc.StopClock()
	if r.node, err = newNode(svc, r.log); err != nil {
		return errors.Join(err, svc.DB.Close())
	}
	return r.nodes.tell(func(s *exercise.Script) { s.Stopped = concert.Micros(svc.Now()) })
}

// loopbackOnly refuses to listen where others could take invented referrals
// for real ones.
func (c *exerciseCmd) loopbackOnly() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w", c.Listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("an exercise listens on loopback only, not on %s", c.Listen)
	}
	return nil
}

// open makes the data directory, refuses any database that it did not create,
// and starts the server.
func (r *rehearsal) open(ctx context.Context, begun time.Time) error {
	dir, err := os.MkdirTemp("", "concert-exercise-")
	if err != nil {
		return err
	}
	r.dir = dir
	r.place = place{Data: dir, Database: "concert.db"}
	if r.cmd.Database != "" {
		r.place.Database = r.cmd.Database
		empty, err := store.Empty(ctx, r.place.address())
		if err != nil {
			return err
		}
		if !empty {
			return errors.New("this database holds something already: an exercise works only in a database that it made itself; give it an empty one")
		}
	}
	if err := makeKeys(dir, "exercise.invalid/"+strings.ToLower(identity.NewReference("EX"))); err != nil {
		return err
	}
	mark := "EXERCISE: everything in here is invented. Never served live.\n"
	if err := durable.CreateExclusive(filepath.Join(dir, exerciseMark), []byte(mark), 0o600); err != nil {
		return err
	}
	r.log = slog.New(slog.NewTextHandler(r.e.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	// The world is made after the server that it needs, and the server's way
	// out leads to the world alone.
	stage := func(host string) (string, bool) {
		switch {
		case r.hour != nil:
			return r.hour.Resolve(host)
		case r.seized != nil:
			return r.seized.Resolve(host)
		}
		return r.world.Resolve(host)
	}
	svc, err := r.place.open(ctx, r.log, netguard.Staged(stage), true)
	if err != nil {
		return err
	}
	if err := errors.Join(r.openGallery(ctx, svc.LogKey), witnessing{r.gallery.names}.engage(svc)); err != nil {
		return errors.Join(err, r.gallery.close(), svc.DB.Close())
	}
	svc.Vantage = exerciseVantage
	svc.Time = concert.CaseTime{Since: begun, Start: r.cmd.start(), Rate: r.cmd.rate()}
	admins, err := svc.FirstAdministrators(ctx, concert.Person{Name: "EXERCISE administrator", Login: "admin"}, concert.Person{Name: "EXERCISE second administrator", Login: "admin2"}, true)
	if err != nil {
		return errors.Join(err, svc.DB.Close())
	}
	keys := [2]string{admins[0].Key, admins[1].Key}
	if r.cmd.Nodes > 0 {
		// The nodes have the database to themselves.
		if err := svc.DB.Close(); err != nil {
			return err
		}
		return r.openCluster(ctx, keys, svc.Time)
	}
	return r.openHere(ctx, svc, keys)
}

// openWorld makes the invented world that asks the server at base, with the
// keys of two administrators.
func (r *rehearsal) openWorld(base string, keys [2]string, at concert.CaseTime) error {
	c := exercise.Config{Base: base, AdminKey: keys[0], SecondAdminKey: keys[1], Plan: r.cmd.Plan, Items: r.cmd.size(), Seed: r.cmd.Seed, Media: r.cmd.Media, Time: at, Progress: r.progress(), Log: r.log}
	switch r.cmd.Plan {
	case exercise.PlanOneHour:
		return r.openHour(c)
	case exercise.PlanJune2017:
		r.seized = exercise.NewSeizure(c)
		return nil
	}
	var err error
	r.world, err = exercise.New(c)
	if err != nil {
		return err
	}
	return r.world.Listen()
}

// openHere serves in this process.
func (r *rehearsal) openHere(ctx context.Context, svc *casework.Service, keys [2]string) error {
	ln, err := net.Listen("tcp", r.cmd.Listen)
	if err != nil {
		return errors.Join(err, svc.DB.Close())
	}
	svc.BaseURL = "http://" + ln.Addr().String()
	if r.node, err = newNode(svc, r.log); err == nil {
		err = r.openWorld(svc.BaseURL, keys, svc.Time)
	}
	if err != nil {
		return errors.Join(err, ln.Close(), svc.DB.Close())
	}
	run, stop := context.WithCancel(ctx)
	r.stop = stop
	go func() { r.done <- r.node.run(run, ln) }()
	return nil
}

// openCluster serves in processes of their own, behind a proxy in this one.
func (r *rehearsal) openCluster(ctx context.Context, keys [2]string, at concert.CaseTime) error {
	var err error
	if r.nodes, err = newCluster(r.place, r.cmd.Nodes, r.cmd.Listen, r.e, r.log); err != nil {
		return err
	}
	r.nodes.asked = r.gallery.names
	follow, stop := context.WithCancel(ctx)
	r.stop = stop
	if err = r.openWorld(r.nodes.url, keys, at); err == nil {
		err = r.nodes.tell(func(s *exercise.Script) { s.BaseURL, s.Time, s.Stage = r.nodes.url, at, r.world.Stage() })
	}
	if err == nil {
		err = r.nodes.start()
	}
	if err != nil {
		stop()
		r.nodes.close()
		return err
	}
	r.nodes.follow(follow, r.world)
	return nil
}

func (r *rehearsal) close() {
	if r.stop == nil {
		return
	}
	r.stop()
	if r.nodes != nil {
		r.nodes.close()
	} else {
		select {
		case <-r.done:
		case <-time.After(10 * time.Second):
		}
	}
	if r.world != nil {
		r.world.Close()
	}
	if r.hour != nil {
		r.hour.Close()
	}
	if r.seized != nil {
		r.seized.Close()
	}
	if err := r.gallery.close(); err != nil {
		fmt.Fprintln(r.e.stderr, "concert: close witnesses:", err)
	}
	if r.node == nil {
		return
	}
	if err := r.node.svc.DB.Close(); err != nil {
		fmt.Fprintln(r.e.stderr, "concert: close database:", err)
	}
}

// base is where people and programs of the exercise go.
func (r *rehearsal) base() string {
	if r.nodes != nil {
		return r.nodes.url
	}
	return r.node.svc.BaseURL
}

// announce says where to watch.
func (r *rehearsal) announce() {
	fmt.Fprintf(r.e.stderr, "EXERCISE: everything is invented. Data directory %s\nBoard: %s/actions/%s\n", r.dir, r.base(), r.world.ActionID())
	for _, l := range r.world.Logins() {
		fmt.Fprintf(r.e.stderr, "Log in as %-12s %s  code %s\n", l.Role+":", l.Link, l.Code)
	}
}

// progress draws one line on a terminal, and a line every few seconds
// elsewhere.
func (r *rehearsal) progress() func(exercise.Progress) {
	terminal := isTerminal(r.e.stderr)
	var last time.Time
	return func(p exercise.Progress) {
		const width = int64(30)
		full := 0
		if p.Total > 0 {
			full = int(min(width*p.Done/p.Total, width))
		}
		line := fmt.Sprintf("%-10s [%s%s] %d/%d", p.Stage, strings.Repeat("#", full), strings.Repeat(".", int(width)-full), p.Done, p.Total)
		switch {
		case terminal:
			fmt.Fprintf(r.e.stderr, "\r%s\x1b[K", line)
			if p.Total > 0 && p.Done >= p.Total {
				fmt.Fprintln(r.e.stderr)
			}
		case time.Since(last) > 5*time.Second:
			last = time.Now()
			fmt.Fprintln(r.e.stderr, line)
		}
	}
}

// conclude writes the report and counts, by the same queries as the board.
func (r *rehearsal) conclude(ctx context.Context, elapsed time.Duration, known concert.Rehearsal) (outcome, error) {
	svc := r.node.svc
	o := outcome{Plan: r.cmd.Plan, ElapsedS: elapsed.Seconds(), ItemsPerS: float64(r.cmd.size()) / elapsed.Seconds(), Known: known, Database: svc.DB.Dialect(), Data: r.dir, PeakRSSMB: peakRSS(), Counts: map[string]int64{}}
	if r.nodes != nil {
		o.Nodes, o.Kills, o.PeakRSSMB = r.cmd.Nodes, r.nodes.kills.Load(), r.nodes.memory()
	}
	if err := svc.PublishLog(ctx); err != nil {
		return o, err
	}
	if err := svc.AskWitnesses(ctx, lastCosignMost); err != nil {
		return o, err
	}
	o.Witnesses = r.gallery.seen()
	scope, err := coordinating()
	if err != nil {
		return o, err
	}
	b, err := svc.ReadBoard(ctx, scope, r.world.ActionID())
	if err != nil {
		return o, err
	}
	for _, m := range concert.Metrics {
		o.Counts[string(m)] = b.Totals[m]
	}
	if err := b.Totals.Check(); err != nil {
		return o, err
	}
	g, err := svc.Registers(ctx)
	if err != nil {
		return o, err
	}
	o.Authorities, o.Providers = len(b.Authorities), len(g.Providers)
	v, err := svc.VerifyLog(ctx, r.gallery.keys())
	if err != nil {
		return o, err
	}
	o.Events, o.Ledger = v.Size, ledger{v.Size, v.Root, v.Verified, !v.SelfAttested}
	if !v.Verified {
		fmt.Fprintln(r.e.stderr, "concert: the log does not verify:", v.Problem)
	}
	if v.Root == "" {
		o.Ledger.Root = hex.EncodeToString(b.Log.Root[:])
	}
	o.Report = filepath.Join(r.dir, "report.html")
	return o, r.report(ctx, scope, known, o.Witnesses, o.Report)
}

// coordinating is the operator as a coordinator, who reads the board.
func coordinating() (concert.Scope, error) {
	who := operator
	who.Roles = []concert.Role{concert.RoleCoordinator}
	return concert.NewScope(who, "")
}

func (r *rehearsal) report(ctx context.Context, scope concert.Scope, known concert.Rehearsal, witnesses []concert.RehearsedWitness, path string) error {
	html, err := os.Create(path)
	if err != nil {
		return err
	}
	defer html.Close()
	csv, err := os.Create(strings.TrimSuffix(path, ".html") + ".csv")
	if err != nil {
		return err
	}
	defer csv.Close()
	if err := r.node.web.WriteExerciseReport(ctx, scope, r.world.ActionID(), known, html, csv, witnesses...); err != nil {
		return fmt.Errorf("after-action report: %w", err)
	}
	return errors.Join(html.Sync(), csv.Sync())
}

// tell is the outcome for people.
func (r *rehearsal) tell(o outcome) {
	w := io.Writer(r.e.stderr)
	fmt.Fprintf(w, "\n%d items referred in %.1f s (%.0f/s) on %s, peak memory %.0f MB\n", o.Counts["referred"], o.ElapsedS, o.ItemsPerS, o.Database, o.PeakRSSMB)
	for _, s := range concert.Sums {
		parts := make([]string, len(s.Parts))
		for i, p := range s.Parts {
			parts[i] = fmt.Sprintf("%s %d", p, o.Counts[string(p)])
		}
		fmt.Fprintf(w, "  %s %d = %s\n", s.Whole, o.Counts[string(s.Whole)], strings.Join(parts, " + "))
	}
	tellKnown(w, o.Known)
	tellWitnesses(w, o.Witnesses)
	fmt.Fprintf(w, "Log: %d events, root %s, verified %t\nReport: %s\nRecount: concert export -data %s FILE && concert verify -json FILE\n", o.Events, o.Ledger.Root, o.Ledger.Verified, o.Report, r.dir)
}

// peakRSS is the most memory this process has held, in MB; 0 where the system
// does not say.
func peakRSS() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if rest, ok := strings.CutPrefix(sc.Text(), "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err != nil {
				return 0
			}
			return kb / 1024
		}
	}
	return 0
}
