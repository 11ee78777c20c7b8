package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"concert/api"
	"concert/internal/testkit"
)

// tally counts what clients hear, by status and problem code.
type tally struct {
	mu     sync.Mutex // guards heard
	heard  map[string]int
	silent atomic.Int64 // refusals of 503 without Retry-After
	http.RoundTripper
}

func newTally() *tally {
	return &tally{heard: map[string]int{}, RoundTripper: &http.Transport{MaxIdleConnsPerHost: 16}}
}

// RoundTrip counts one answer.
func (c *tally) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		c.heard["broken"]++
	default:
		c.heard[fmt.Sprint(res.StatusCode)]++
		if res.StatusCode == http.StatusServiceUnavailable && (res.Header.Get("Retry-After") == "" || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json")) {
			c.silent.Add(1)
		}
	}
	return res, err
}

func (c *tally) count(status string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard[status]
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.heard)
}

// A PostgreSQL that is stopped at once under load and comes again: requests are told 503 meanwhile, nodes go on by themselves,
// nothing that was acknowledged is lost and nothing is there twice.
func TestNodesOutliveAnOutageOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server := testkit.OwnPostgres(t)
	f := openFleet(t, t.TempDir()+"/data", server.DSN, 2)
	heard := newTally()
	officer := f.officer
	officer.HTTP, officer.Tries = &http.Client{Transport: heard}, 60

	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	loading, enough := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[string]string{} // hold by place
	for worker := range 6 {
		wg.Go(func() {
			for i := 0; loading.Err() == nil; i++ {
				location := place(fmt.Sprintf("outage-%d", worker), i)
				h, err := officer.PlaceHold(ctx, api.Call{IdempotencyKey: location}, api.NewHold{Location: location, Contact: "EXERCISE desk"})
				if err != nil {
					t.Errorf("%s: %v", location, err)
					return
				}
				mu.Lock()
				acknowledged[h.ID] = location
				mu.Unlock()
			}
		})
	}
	testkit.Await(t, "load", func() bool { return heard.count("201") > 50 })
	before := heard.count("201")
	server.Stop(t)
	testkit.Await(t, "requests that are told of the outage", func() bool { return heard.count("503") >= 12 })
	server.Start(t)
	back := time.Now()
	testkit.Await(t, "requests that succeed again", func() bool { return heard.count("201") > before+50 })
	recovered := time.Since(back)
	enough()
	wg.Wait()
	t.Logf("answers: %s; fifty more requests succeeded %.1f s after PostgreSQL was back", heard, recovered.Seconds())
	if heard.count("500") > 0 || heard.silent.Load() > 0 {
		t.Errorf("%d answers of 500, %d of 503 without Retry-After or problem document", heard.count("500"), heard.silent.Load())
	}

	// Every acknowledged hold is there, once.
	raw := map[string]int{}
	for cursor := ""; ; {
		var p api.Page[api.Hold]
		path := "/api/v1/holds?limit=500"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		testkit.Must(t, officer.Do(ctx, http.MethodGet, path, api.Call{}, nil, &p))
		for _, h := range p.Items {
			raw[h.ID]++
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	for id, location := range acknowledged {
		if raw[id] != 1 {
			t.Errorf("hold %s on %s is there %d times", id, location, raw[id])
		}
	}
	if len(raw) != len(acknowledged) {
		t.Errorf("%d holds are there, %d were acknowledged", len(raw), len(acknowledged))
	}
	// What nobody asks for goes on as well: clocks, jobs, log.
	n := f.entries(t, 0)
	f.chain(t, f.on(1, f.officer), f.on(0, f.reviewer), place("after", 1))
	testkit.Await(t, "a referral after the outage", func() bool { return f.entries(t, 0) > n })
	for i, p := range f.nodes {
		if lines := strings.Count(p.said.String(), "level=ERROR"); lines > 80 {
			t.Errorf("node %d complained %d times:\n%s", i+1, lines, p.said)
		}
	}
}

// newer builds the program as its next version would be: with one more additive migration.
func newer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "concert-newer")
	if out, err := exec.Command("go", "build", "-tags", "concert_newer", "-o", path, "concert/cmd/concert").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// A node goes on beside a newer one that has brought the schema further; started anew, it is refused.
func TestOlderNodeGoesOnBesideANewerOne(t *testing.T) {
	t.Parallel()
	f := openFleet(t, t.TempDir()+"/data", testkit.Postgres(t), 1)
	young := startNode(t, newer(t), f.at...)
	for i, base := range []string{f.nodes[0].url, young.url, f.nodes[0].url} {
		f.officer.Base, f.reviewer.Base = base, base
		n := f.entries(t, 0)
		f.chain(t, &f.officer, &f.reviewer, place("upgrade", i))
		testkit.Await(t, "a referral", func() bool { return f.entries(t, 0) > n })
	}
	cmd := exec.Command(f.path, append([]string{"serve", "-listen", "127.0.0.1:0"}, f.at...)...)
	out, err := cmd.CombinedOutput()
	var x *exec.ExitError
	if !errors.As(err, &x) || x.ExitCode() != 1 || !strings.Contains(string(out), "run the newer program") {
		t.Errorf("the older program started anew: %v\n%s", err, out)
	}
	if _, err := f.on(0, f.officer).Me(t.Context()); err != nil {
		t.Errorf("the older node that ran on: %v", err)
	}
}

// A full disk is told as such, loses nothing that was acknowledged, and is over as soon as there is room.
func TestFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a small file system of its own needs root and mount: not tried here")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=96m"); err != nil {
		t.Skipf("a small file system could not be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	dir := filepath.Join(disk, "data")
	var p *process
	d := furnish(t, program(t), dir, "", func(d *deployment) string {
		p = startNode(t, d.path, d.at...)
		return p.url
	})
	ballast := filepath.Join(disk, "ballast")
	testkit.Must(t, os.WriteFile(ballast, make([]byte, 78<<20), 0o600))

	d.officer.Tries = -1
	var acknowledged []string
	batch := func(round int) error {
		in := api.NewItems{}
		for i := range api.BatchLimit {
			in.Items = append(in.Items, api.NewItem{Location: place(fmt.Sprintf("full-%d-%s", round, strings.Repeat("x", 2000)), i), Type: "video"})
		}
		rs, err := d.officer.SubmitItems(t.Context(), api.Call{IdempotencyKey: fmt.Sprint("full-", round)}, in)
		for _, r := range rs.Results {
			acknowledged = append(acknowledged, r.ID)
		}
		return err
	}
	var full *api.Problem
	round := 0
	for ; round < 200 && full == nil; round++ {
		if err := batch(round); err != nil && !errors.As(err, &full) {
			t.Fatal(err)
		}
	}
	if full == nil || full.Status != http.StatusInsufficientStorage || full.Code != "storage.full" {
		t.Fatalf("after %d batches: %+v", round, full)
	}
	if err := batch(round - 1); !api.IsCode(err, "storage.full") {
		t.Errorf("the same again, still without room: %v", err)
	}
	// What is sealed is not shown to anyone while the reading cannot be recorded; numbers and the public lists are.
	// The record of a reading is smaller than a batch, so that a few may still find room.
	var reading error
	for i := 0; i < len(acknowledged) && reading == nil; i++ {
		_, reading = d.officer.Item(t.Context(), acknowledged[i])
	}
	if !api.IsCode(reading, "storage.full") {
		t.Errorf("reading items with a full disk: %v", reading)
	}
	if _, err := d.officer.Scope(t.Context()); err != nil {
		t.Errorf("reading the scope list with a full disk: %v", err)
	}
	testkit.Must(t, os.Remove(ballast))
	testkit.Await(t, "room", func() bool { return batch(round-1) == nil })
	// Each reading is recorded, so that reading all of them would fill the little room again.
	for i := 0; i < len(acknowledged); i += 10 {
		id := acknowledged[i]
		if _, err := d.officer.Item(t.Context(), id); err != nil {
			t.Fatalf("item %s, acknowledged: %v", id, err)
		}
	}
	testkit.Must(t, published(d.url))
	p.end(t, syscall.SIGTERM)
	cmd := exec.Command(d.path, "verify", "-data", dir)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 3 {
		t.Errorf("verify: %v\n%s", err, out)
	}
	t.Logf("%d items acknowledged, full after %d batches", len(acknowledged), round)
}
