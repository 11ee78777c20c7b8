package webui

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"concert"
)

// eventually asks again until the claim holds or ten seconds are over.
func eventually(t testing.TB, claim string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not within ten seconds: %s", claim)
		case <-tick.C:
		}
	}
}

// event is one server-sent event.
type event struct{ name, id, data string }

// watch reads events of a board until the context ends.
func (v *visitor) watch(ctx context.Context, ref string, got func(event)) error {
	r, err := http.NewRequestWithContext(ctx, "GET", v.base+"/actions/"+ref+"/stream", nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: v.http.Jar}
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	var e event
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "":
			got(e)
			e = event{}
		case strings.HasPrefix(line, "event: "):
			e.name = line[7:]
		case strings.HasPrefix(line, "id: "):
			e.id = line[4:]
		case strings.HasPrefix(line, "data: "):
			e.data += line[6:] + "\n"
		}
	}
	return lines.Err()
}

func submittedOn(t *testing.T, fragment string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(fragment))
	must(t, err)
	cells := all(doc, class("td", "big"))
	if len(cells) == 0 {
		return "" // a frame holds the panels that changed
	}
	return textOf(cells[0])
}

// One rendering serves all: 200 viewers of one board get an event within a
// second of the act, and frames keep their distance.
func TestBoardReachesTwoHundredViewers(t *testing.T) {
	h := open(t)
	h.work()
	h.submit("officer", 10, 1, h.action.Ref)
	v := h.as("officer")
	const viewers = 200
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex // guards all below
	first, late := map[int]bool{}, []time.Duration{}
	frames := map[string]bool{}
	var begun time.Time
	want := ""
	ready, done := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for i := range viewers {
		wg.Go(func() {
			seen := false
			_ = v.watch(ctx, h.action.Ref, func(e event) {
				now := time.Now()
				if e.name != "board" {
					return
				}
				n := submittedOn(t, e.data)
				if n == "" {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				frames[e.data] = true
				if !first[i] {
					if first[i] = true; len(first) == viewers {
						close(ready)
					}
				}
				if want != "" && n == want && !seen {
					seen = true
					if late = append(late, now.Sub(begun)); len(late) == viewers {
						close(done)
					}
				}
			})
		})
	}
	awaited(t, ready, "all viewers have a first frame")
	mu.Lock()
	want, begun = "15", time.Now()
	mu.Unlock()
	h.submit("officer", 5, 1000, h.action.Ref)
	awaited(t, done, "all viewers saw the new number")
	stop()
	wg.Wait()
	slices.Sort(late)
	t.Logf("%d viewers: median %v, last %v; %d different frames (bench/ holds how fast)", viewers, late[viewers/2], late[viewers-1], len(frames))
	if len(frames) > 12 {
		t.Errorf("%d different frames: each viewer seems to get its own", len(frames))
	}
	f := h.ui.feedOf(feedKey{h.action.Ref, "en", false, true})
	eventually(t, "the feed rests when nobody looks", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.viewers == 0
	})
}

func TestBoardShowsNumbersAndNoPlaceOrName(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("officer", 3, 1, h.action.Ref)
	h.submit("south", 2, 1, h.action.Ref)
	h.assessed("officer", refs[:2], concert.SeverityRoutine)
	h.approved("reviewer", refs[:1])
	v := h.as("coordinator")
	v.get("/actions").want(t, http.StatusOK, h.action.Name)
	p := v.get("/actions/"+h.action.Ref).want(t, http.StatusOK, h.action.Name, "Prepare", "40 left of 40")
	var got []string
	for _, n := range p.all(class("td", "big")) {
		got = append(got, textOf(n))
	}
	if want := []string{"5", "3", "2", "1", "1", "0", "0", "0", "0"}; !slices.Equal(got, want) {
		t.Errorf("funnel %v, want %v", got, want)
	}
	board := textOf(p.first(tagWith("div", "id", "board")))
	for _, secret := range []string{"video[.]example", "video.example", "EXERCISE officer", "watch?v"} {
		if strings.Contains(board, secret) {
			t.Errorf("the wall says %q", secret)
		}
	}
	if !strings.Contains(p.body, "<noscript><meta http-equiv=\"refresh\" content=\"5\"") {
		t.Error("without JavaScript the board does not load itself again")
	}
	if strings.Contains(v.get("/actions/"+h.action.Ref+"?refresh=off").body, "http-equiv=\"refresh\"") {
		t.Error("loading again cannot be stopped")
	}
	if !strings.Contains(textOf(p.doc), "EXERCISE Everything here is invented") {
		t.Error("no EXERCISE banner")
	}
	h.visitor().get("/actions/"+h.action.Ref+"/stream").want(t, http.StatusOK, "Log in")
	v.get("/actions/JA-0000/stream").want(t, http.StatusNotFound)
}

func TestG28ReportNumbersAddUpAndAreDefined(t *testing.T) {
	t.Parallel()
	h := open(t)
	refs := h.submit("officer", 4, 1, h.action.Ref)
	h.submit("south", 2, 1, h.action.Ref)
	h.assessed("officer", refs[:3], concert.SeverityRoutine)
	h.approved("reviewer", refs[:2])
	must(t, h.svc.PublishLog(t.Context()))
	v := h.as("coordinator")
	v.get("/actions/"+h.action.Ref+"/report").want(t, http.StatusOK, "6 submitted = 4 unique + 2 duplicates", concert.MetricDefinitions[concert.Silent], "EXERCISE.", "Log head")
	res := v.get("/actions/" + h.action.Ref + "/report.csv")
	if ct := res.header.Get("Content-Type"); !strings.HasPrefix(ct, "text/csv") {
		t.Errorf("CSV comes as %q", ct)
	}
	scope, err := concert.NewScope(h.people["coordinator"].Actor(), "")
	must(t, err)
	var page, table bytes.Buffer
	must(t, h.ui.WriteReport(t.Context(), scope, h.action.Ref, &page, &table))
	if s := page.String(); !strings.Contains(s, "<style>") || strings.Contains(s, "<link") || strings.Contains(s, "<script") || !strings.Contains(s, "EXERCISE") {
		t.Error("the file does not stand by itself")
	}
	rows, err := csv.NewReader(&table).ReadAll()
	must(t, err)
	counts := concert.Counts{}
	for _, r := range rows {
		if r[0] == "total" {
			var n int64
			for _, c := range r[4] {
				n = 10*n + int64(c-'0')
			}
			counts[concert.Metric(r[3])] = n
			if r[5] == "" {
				t.Errorf("%s has no definition", r[3])
			}
		}
	}
	if err := counts.Check(); err != nil || counts[concert.Submitted] != 6 || len(counts) != len(concert.Metrics) {
		t.Errorf("%v, %v", counts, err)
	}
	if err := h.ui.WriteReport(t.Context(), concert.Scope{}, h.action.Ref, &page, &table); err == nil {
		t.Error("nobody got a report")
	}
}

func awaited(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(15 * time.Second):
		t.Fatalf("not within fifteen seconds: %s", what)
	}
}
