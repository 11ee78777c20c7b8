package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/store"
	"concert/internal/testkit"
	"concert/internal/webui"
)

// pause is how long an officer reads a list before asking the next one, on average.
const pause = 5 * time.Second

// pageOf is one page that officers or auditors ask for; with file only its first piece is waited for.
type pageOf struct {
	name, path string
	audits     bool
	file       bool
}

// pagesOf are the lists as they are asked, with filters that many, few and no items fit.
func pagesOf(g casework.Registers) []pageOf {
	var provider, outlet string
	for _, p := range g.Providers {
		if p.Name == "EXERCISE Service 06" {
			provider = p.Ref
		}
	}
	for _, o := range g.Scope.Outlets {
		if o.Name == "EXERCISE Outlet 10" {
			outlet = o.Ref
		}
	}
	return []pageOf{
		{name: "items, to assess", path: "/items"},
		{name: "items, seen down", path: "/items?status=closed"},
		{name: "items, seen down, newest", path: "/items?status=closed&order=newest"},
		{name: "items, any state", path: "/items?status=any"},
		{name: "items, any state, newest", path: "/items?status=any&order=newest"},
		{name: "items, provider and kind", path: "/items?status=closed&kind=image&provider=" + provider},
		{name: "items, outlet and language", path: "/items?status=refused&language=fr&outlet=" + outlet},
		{name: "items, urgent", path: "/items?status=any&priority=5"},
		{name: "items, claimed but up", path: "/items?status=any&claimed=removed&observed=up"},
		{name: "items, none fits", path: "/items?status=any&language=xx"},
		{name: "items, older than a month", path: "/items?age=month&size=200"},
		{name: "items as CSV, first piece", path: "/items.csv?status=closed&kind=video", file: true},
		{name: "referrals", path: "/referrals"},
		{name: "referrals, filtered", path: "/referrals?status=answered&provider=" + provider},
		{name: "withdrawals and corrections", path: "/remedies"},
		{name: "error register", path: "/corrections"},
		{name: "holds", path: "/holds"},
		{name: "outlets", path: "/outlets"},
		{name: "providers", path: "/providers"},
		{name: "search", path: "/search"},
		{name: "auditor: event log", path: "/events", audits: true},
		{name: "auditor: events of a kind", path: "/events?kind=scope.proposed", audits: true},
		{name: "auditor: items, any state", path: "/items?status=any", audits: true},
		{name: "auditor: items, two filters", path: "/items?status=closed&order=newest&language=de&outlet=" + outlet, audits: true},
	}
}

// desk is the pages' server on a filled database, with sessions of officers, of reviewers and of an auditor: people take turns, since the door
// limits how often one person asks for lists.
type desk struct {
	url      string
	sessions map[bool][]string // by whether they audit
	asked    *atomic.Uint64
	pages    []pageOf
}

// openDesk fills a database with items, or takes the one that CONCERT_BENCH_FILLED_SQLITE or _POSTGRES names, which stays.
func openDesk(b *testing.B, database string, items int) desk {
	b.Helper()
	ctx := b.Context()
	var svc *casework.Service
	if address := os.Getenv("CONCERT_BENCH_FILLED_" + strings.ToUpper(database)); address != "" {
		svc = testkit.ServiceAt(b, address)
	} else {
		svc = testkit.Service(b, database)
		h := testkit.Furnish(b, svc)
		h.Fill(items)
		h.Steady(b)
	}
	g, err := svc.Registers(ctx)
	testkit.Must(b, err)
	mux := http.NewServeMux()
	ui, err := webui.New(svc, casework.NewHub(svc), slog.New(slog.DiscardHandler))
	testkit.Must(b, err)
	ui.Register(mux)
	server := httptest.NewServer(httpkit.Security(httpkit.Bounded(slog.New(slog.DiscardHandler), mux)))
	b.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	d := desk{url: server.URL, sessions: map[bool][]string{}, asked: new(atomic.Uint64), pages: pagesOf(g)}
	for _, login := range []string{"auditor", "North-officer-0", "North-officer-1", "North-reviewer-0", "North-reviewer-1", "South-officer-0", "South-officer-1", "South-reviewer-0", "South-reviewer-1"} {
		link, proposal, err := svc.NewLink(ctx, actor(b, svc, "admin"), login)
		testkit.Must(b, err)
		_, code, err := svc.ConfirmPerson(ctx, actor(b, svc, "second-admin"), login, proposal)
		testkit.Must(b, err)
		session, _, err := svc.Enter(ctx, testkit.Token(link), code)
		testkit.Must(b, err)
		audits := login == "auditor"
		d.sessions[audits] = append(d.sessions[audits], session)
	}
	return d
}

func actor(b *testing.B, svc *casework.Service, login string) concert.Actor {
	b.Helper()
	var p concert.Person
	testkit.Must(b, svc.DB.View(b.Context(), func(tx *store.Tx) (err error) { p, err = tx.PersonByLogin(b.Context(), login); return err }))
	return p.Actor()
}

// next is the session of whoever's turn it is.
func (d desk) next(audits bool) string {
	takers := d.sessions[audits]
	return takers[d.asked.Add(1)%uint64(len(takers))]
}

// ask waits for a page, or for the first piece of a file, and says how long that took.
func (d desk) ask(ctx context.Context, client *http.Client, p pageOf) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+p.path, nil)
	if err != nil {
		return 0, err
	}
	session := d.next(p.audits)
	req.AddCookie(&http.Cookie{Name: httpkit.SessionCookie, Value: session})
	req.AddCookie(&http.Cookie{Name: httpkit.SessionCookiePlain, Value: session})
	req.Header.Set("Concert-Justification", "EXERCISE measurement of pages")
	begun := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s answers %s", p.path, res.Status)
	}
	if p.file {
		if _, err = io.CopyN(io.Discard, res.Body, 4096); errors.Is(err, io.EOF) {
			err = nil
		}
	} else {
		_, err = io.Copy(io.Discard, res.Body)
	}
	return time.Since(begun), err
}

// BenchmarkPages is how long the lists take: each alone (the slowest of its p99 is reported, all are logged), then with 200 officers
// who each read for five seconds between two pages (CONCERT_BENCH_OFFICERS). CONCERT_BENCH_PAGES_ITEMS (2,000) are in the database,
// CONCERT_BENCH_PAGES_SECONDS (10) are measured.
func BenchmarkPages(b *testing.B) {
	items, officers, seconds := size(b, "CONCERT_BENCH_PAGES_ITEMS", 2000), size(b, "CONCERT_BENCH_OFFICERS", 200), size(b, "CONCERT_BENCH_PAGES_SECONDS", 10)
	for _, database := range databases {
		b.Run(database, func(b *testing.B) {
			d := openDesk(b, database, items)
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: officers}}
			defer client.CloseIdleConnections()
			for b.Loop() {
				slowest := 0.0
				for _, p := range d.pages {
					var took spread
					before := worked(b)
					for range 100 {
						t, err := d.ask(b.Context(), client, p)
						testkit.Must(b, err)
						took = append(took, t)
					}
					b.Logf("%-32s p50 %6.1f ms, p99 %6.1f ms, work %5.1f ms", p.name, took.at(0.5), took.at(0.99), float64((worked(b)-before).Microseconds())/1000/100)
					slowest = max(slowest, took.at(0.99))
				}
				took := d.crowd(b, client, officers, time.Duration(seconds)*time.Second)
				b.Logf("%d officers: %d pages, %.0f a second, p50 %.1f ms, p99 %.1f ms", officers, len(took), float64(len(took))/float64(seconds), took.at(0.5), took.at(0.99))
				report(b, map[string]float64{"alone-p99-ms": slowest, "crowd-p50-ms": took.at(0.5), "crowd-p99-ms": took.at(0.99), "pages/s": float64(len(took)) / float64(seconds)})
			}
		})
	}
}

// worked is the processor time of this process so far: of the pages, their readers and the embedded database.
func worked(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	testkit.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// crowd lets officers go through the lists side by side.
func (d desk) crowd(b *testing.B, client *http.Client, officers int, span time.Duration) spread {
	b.Helper()
	ctx, stop := context.WithTimeout(b.Context(), span)
	defer stop()
	var mu sync.Mutex // guards took and failed
	var took spread
	var failed error
	var wg sync.WaitGroup
	desks := slices.DeleteFunc(slices.Clone(d.pages), func(p pageOf) bool { return p.audits })
	for i := range officers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			wait := time.Duration(r.Int64N(int64(pause)))
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(wait):
				}
				t, err := d.ask(b.Context(), client, desks[r.IntN(len(desks))])
				mu.Lock()
				if took = append(took, t); err != nil {
					failed = err
				}
				mu.Unlock()
				wait = pause/2 + time.Duration(r.Int64N(int64(pause)))
			}
		})
	}
	wg.Wait()
	testkit.Must(b, failed)
	return took
}
