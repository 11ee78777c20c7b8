package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"concert/api"
	"concert/internal/testkit"
)

// hearing keeps every answer that a client gets.
type hearing struct {
	mu    sync.Mutex // guards heard
	heard bytes.Buffer
}

// RoundTrip implements http.RoundTripper.
func (h *hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard.Write(raw)
	res.Body = io.NopCloser(bytes.NewReader(raw))
	return res, nil
}

// P9: a log full of what identifies people, in a sealed bag. The real server counts it over HTTP, is killed in the middle, ended in good order in the middle, and goes on; then
// nothing of it stands in its data directory, its database, what it says or any of its answers.
func TestP9AnalysisOutlivesAKillAndLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			dir, address := filepath.Join(t.TempDir(), "data"), ""
			if database == "postgres" {
				address = testkit.Postgres(t)
			}
			exhibits := t.TempDir()
			const visitors = 400_000
			bag := testkit.SealFiles(t, exhibits, map[string][]byte{"logs/access.log": testkit.SeizedLog(visitors), "etc/passwd": []byte("exercisecanary:x:0\n")})
			var node *process
			start := func(d *deployment) string {
				node = startNode(t, d.path, append(d.at[:len(d.at):len(d.at)], "-exhibits", exhibits)...)
				return node.url
			}
			d := furnish(t, program(t), dir, address, start)
			ears := &hearing{}
			ctx, officer := t.Context(), d.officer
			officer.HTTP = &http.Client{Transport: ears}
			c, err := officer.OpenCase(ctx, api.Call{}, api.NewCase{Title: "EXERCISE case", Mandate: api.Mandate{Reference: "EXERCISE 1", Issuer: "EXERCISE court", On: "2020-01-01", Until: "2099-01-01"}})
			testkit.Must(t, err)
			files := bag.Files(t)
			x, err := officer.AddExhibit(ctx, api.Call{}, c.ID, api.NewExhibit{Label: "EXERCISE server", Manifest: bag.Manifest, CustodyFiles: api.CustodyFiles{Custody: string(files.Log), Head: string(files.Head)}})
			testkit.Must(t, err)
			for name, by := range map[string]api.Client{"a colleague": d.reviewer, "a provider": d.answerer, "an administrator": d.admins[0]} {
				if _, err := by.AskAnalysis(ctx, api.Call{}, x.ID, api.NewAnalysis{Purpose: "EXERCISE: which days"}); !api.IsCode(err, "not_found") {
					t.Errorf("%s asks: %v", name, err)
				}
			}
			a, err := officer.AskAnalysis(ctx, api.Call{}, x.ID, api.NewAnalysis{Purpose: "EXERCISE: which days"})
			testkit.Must(t, err)
			deadline := time.Now().Add(time.Minute)
			for a.Status == "asked" && time.Now().Before(deadline) {
				a, err = officer.Analysis(ctx, x.ID, a.N)
				testkit.Must(t, err)
			}
			said := node.said.String()
			t.Logf("killed while it was %s", a.Status)
			node.end(t, syscall.SIGKILL)
			officer.Base = start(d)
			for a, err = officer.Analysis(ctx, x.ID, a.N); a.Status == "asked"; a, err = officer.Analysis(ctx, x.ID, a.N) {
				testkit.Must(t, err)
			}
			testkit.Must(t, err)
			t.Logf("ended in good order while it was %s", a.Status)
			said += node.said.String()
			node.end(t, syscall.SIGTERM)
			officer.Base = start(d)
			testkit.Await(t, "the analysis ends", func() bool {
				a, err = officer.Analysis(ctx, x.ID, a.N)
				testkit.Must(t, err)
				return a.Status != "asked" && a.Status != "running"
			})
			if a.Status != "done" || a.Lines == nil || *a.Lines != (api.AnalysisLines{Lines: visitors + 5, Parsed: visitors + 3, Rejected: 1, Blank: 1}) || a.Counted != 1 || a.Work {
				t.Fatalf("%+v, %+v", a, a.Lines)
			}
			for _, f := range a.Downloads {
				var out bytes.Buffer
				testkit.Must(t, officer.AnalysisFile(ctx, x.ID, a.N, f, &out))
				if out.Len() < 1000 {
					t.Errorf("%s has %d bytes", f, out.Len())
				}
			}
			_, err = officer.CaseEvidence(ctx, c.ID)
			testkit.Must(t, err)
			node.end(t, syscall.SIGTERM)

			places := map[string][]byte{"the answers": ears.heard.Bytes(), "what the node said": []byte(said + node.said.String())}
			testkit.Must(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
				if err == nil && e.Type().IsRegular() {
					places[strings.TrimPrefix(path, dir)], err = os.ReadFile(path)
				}
				return err
			}))
			if address == "" {
				address = filepath.Join(dir, "concert.db")
			}
			places["the database"] = testkit.Dump(t, address)
			for _, canary := range testkit.LogCanaries {
				for name, text := range places {
					if i := bytes.Index(text, []byte(canary)); i >= 0 {
						t.Errorf("%s stands in %s: …%q…", canary, name, text[max(0, i-60):min(len(text), i+60)])
					}
				}
			}
			if !bytes.Contains(places["the answers"], []byte("film1.mp4")) || !bytes.Contains(places["the database"], []byte("analysis.done")) {
				t.Error("the places that were searched are not those that were meant")
			}
		})
	}
}
