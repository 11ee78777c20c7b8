package webui

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func TestAnalysisPagesRenderTheirZeroValue(t *testing.T) {
	t.Parallel()
	view := func(a concert.Analysis, r *accesslog.Report) templ.Component {
		return analysisView(analysisPage{AnalysisView: casework.AnalysisView{MayDrop: true, Analysis: a, Report: r}})
	}
	for name, c := range map[string]templ.Component{
		"exhibit with analyses": exhibitView(exhibitPage{ExhibitView: casework.ExhibitView{Works: true, Countable: true, MayAnalyse: true, Analyses: make([]casework.AnalysisLine, 1)}}),
		"exhibit of no node":    exhibitView(exhibitPage{ExhibitView: casework.ExhibitView{Works: true}}),
		"case with analyses":    evidenceView(evidencePage{CaseEvidence: casework.CaseEvidence{Analyses: make([]casework.AnalysisLine, 1)}}),
		"none":                  view(concert.Analysis{}, nil),
		"under way":             view(concert.Analysis{Status: concert.AnalysisRunning, Files: make([]string, 1), Format: "x"}, nil),
		"failed":                view(concert.Analysis{Status: concert.AnalysisFailed, Code: concert.AnalysisNoCopy, EndedAt: time.Unix(1, 0)}, nil),
		"erased":                view(concert.Analysis{Status: concert.AnalysisDone, Erased: true}, nil),
		"done":                  view(concert.Analysis{Status: concert.AnalysisDone, Result: concert.AnalysisResult{Report: "x"}}, new(accesslog.Report)),
	} {
		renders(t, name, c)
	}
}

func TestEveryWordOfAnAnalysisHasALabel(t *testing.T) {
	t.Parallel()
	for _, x := range concert.AnalysisStatuses {
		if analysisStates[x].Label == "" || analysisStates[x].Mark == "" {
			t.Errorf("status %s has no words or no shape", x)
		}
	}
	for _, x := range casework.AnalysisFiles {
		if analysisFiles[x] == "" {
			t.Errorf("file %s has no words", x)
		}
	}
}

// seizedLogs is an exhibit of the officer's case whose bag lies where this node looks. What it holds from outside tries to be a script.
func (h *house) seizedLogs() (concert.Case, concert.Exhibit) {
	h.t.Helper()
	h.svc.Exhibits, h.svc.Children = h.t.TempDir(), testkit.Children(h.t)
	log := append(testkit.SeizedLog(400), []byte(strings.Repeat(`198.51.100.9 - - [11/Jun/2017:13:55:37 +0200] "GET /<script>alert(1)</script>/`+"<img src=x onerror=alert(2)>"+` HTTP/1.1" 200 5 "https://example.org/<b>" "<i>agent</i>"`+"\n", 60))...)
	bag := testkit.SealFiles(h.t, h.svc.Exhibits, map[string][]byte{"logs/<b>access.log": log})
	c := h.opened("officer", "reviewer")
	x, err := h.svc.AddExhibit(h.t.Context(), h.people["officer"].Actor(), c.Ref, canary, bag.Files(h.t))
	must(h.t, err)
	h.join(h.t.Context(), "judge", h.units[2].Ref, "", concert.RoleMagistrate)
	h.work()
	return c, x
}

// By forms, without a script: asked on the exhibit's page, counted by the node, read, taken along, and hidden from everybody else.
func TestP9AccessLogsAreCountedFromTheExhibitsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, x := h.seizedLogs()
	officer, reviewer, auditor, south := h.as("officer"), h.as("reviewer"), h.as("auditor"), h.as("south")
	auditor.post("/justification", url.Values{"justification": {working}})
	exhibit := "/exhibits/" + x.Ref
	officer.get(exhibit).want(t, http.StatusOK, "Count what its access logs hold")
	p := officer.post(exhibit+"/analyses", url.Values{"purpose": {"short"}, "files": {canary}}).want(t, http.StatusUnprocessableEntity, "in 10 to 500 characters", canary)
	if p.first(tagWith("textarea", "aria-invalid", "true")) == nil {
		t.Error("the field is not marked")
	}
	officer.post(exhibit+"/analyses", url.Values{"purpose": {canary}, "files": {"data/x"}, "format": {canary}}).want(t, http.StatusUnprocessableEntity, "This is no format")
	for _, v := range []*visitor{south, h.as("both"), h.as("judge")} {
		v.post(exhibit+"/analyses", url.Values{"purpose": {canary}}).want(t, http.StatusNotFound)
	}
	auditor.post(exhibit+"/analyses", url.Values{"purpose": {canary}}).want(t, http.StatusNotFound)
	p = officer.post(exhibit+"/analyses", url.Values{"purpose": {canary}}).want(t, http.StatusOK, "Asked for.", canary)
	path := p.path
	if path != exhibit+"/analyses/1" {
		t.Fatalf("asked, and came to %s", path)
	}
	testkit.Await(t, "the logs are counted", func() bool {
		v, err := h.svc.ReadAnalysis(t.Context(), scopeOf(t, h.people["officer"].Actor()), x.Ref, 1)
		must(t, err)
		return !v.Open()
	})
	p = officer.get(path).want(t, http.StatusOK, canary, "An address is not a person", "Visitors, as ranges", "Accesses by day in UTC", "252", "the evidentiary copy", "data/server/logs/<b>access.log", "No country database was given")
	if strings.Contains(p.text(), "203.0.113.77") || strings.Contains(strings.ToLower(p.text()), "suspect") {
		t.Error("the page shows somebody, or calls somebody a suspect")
	}
	if p.first(tagWith("img", "src", "x")) != nil || len(all(p.first(tag("main")), tag("script"))) > 0 {
		t.Error("what a log holds became a part of the page")
	}
	for _, f := range casework.AnalysisFiles {
		if p.first(tagWith("a", "href", path+"/"+string(f))) == nil {
			t.Errorf("no link to %s", f)
		}
		for _, v := range []*visitor{officer, reviewer, auditor} {
			res, err := v.http.Get(v.base + path + "/" + string(f))
			must(t, err)
			res.Body.Close()
			if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || res.Header.Get("Content-Type") != f.MediaType() {
				t.Errorf("%s: %d %v", f, res.StatusCode, res.Header)
			}
		}
	}
	for _, to := range []string{path, path + "/report.json", path + "/released.pdf"} {
		south.get(to).want(t, http.StatusNotFound)
	}
	officer.get(exhibit+"/analyses/x").want(t, http.StatusNotFound)
	officer.get(exhibit+"/analyses/2").want(t, http.StatusNotFound)
	officer.post(path+"/drop", url.Values{"version": {"2"}}).want(t, http.StatusConflict, "has ended already")
	officer.get("/cases/"+c.Ref+"/evidence").want(t, http.StatusOK, x.Ref+" / 1", "counted")
	auditor.get(exhibit).want(t, http.StatusOK, "counted")
	if strings.Contains(h.log.String(), "page failed") {
		t.Error(h.log.String())
	}
}

// In a real browser the report passes axe in light and dark, in Arabic too, and fits a narrow screen.
func TestBrowserAccessLogReport(t *testing.T) {
	h := open(t)
	var err error
	h.svc.Geo, err = accesslog.OpenGeo(testkit.Countries(t))
	must(t, err)
	_, x := h.seizedLogs()
	ctx, officer := t.Context(), h.people["officer"].Actor()
	_, err = h.svc.AskAnalysis(ctx, officer, x.Ref, concert.Analysis{Purpose: "EXERCISE: which days and which films"})
	must(t, err)
	testkit.Await(t, "the logs are counted", func() bool {
		v, err := h.svc.ReadAnalysis(ctx, scopeOf(t, h.people["officer"].Actor()), x.Ref, 1)
		must(t, err)
		return v.Status == concert.AnalysisDone
	})
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	dir := shots()
	if dir == "" {
		dir = t.ArtifactDir()
	}
	w := h.browse(t, startBrowser(t), dir)
	w.enter(h, "officer")
	w.works()
	look := func(name string) {
		t.Helper()
		w.judge(string(axe), name)
		for _, width := range []int64{400, 1280} {
			w.do(chromedp.EmulateViewport(width, 900))
			if wide := get(w, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); int64(wide) > width {
				t.Errorf("%s is %d pixels wide on a screen of %d", name, wide, width)
			}
			w.picture(name + map[int64]string{400: "-400", 1280: ""}[width])
		}
	}
	w.open("/exhibits/"+x.Ref, "#analyses")
	get(w, chromedp.Evaluate[int](`document.querySelectorAll("details").forEach(d => d.open = true); 1`))
	look("analysis-asked")
	page := "/exhibits/" + x.Ref + "/analyses/1"
	w.open(page, ".logreport")
	look("analysis")
	get(w, chromedp.Evaluate[int](`document.cookie = "concert-reader=l=ar&t=dark; path=/"; 1`))
	w.open(page, ".logreport")
	look("analysis-ar-dark")
}

// What one reads at the end of a report is what the report says, whatever a log held.
func TestAccessLogSectionsEscapeWhatALogHolds(t *testing.T) {
	t.Parallel()
	r := &accesslog.Report{First: canary, Last: canary, Countries: map[string]accesslog.Country{canary: {Accesses: 9, Visitors: 9}}, PerDay: []accesslog.Day{{Day: "2017-06-10", Accesses: 3}}, Hours: []accesslog.Hour{{Hour: 1, Accesses: 3}}, Status: map[string]int64{canary: 1}, Methods: map[string]int64{canary: 1},
		TopPaths: []accesslog.Count{{Key: canary, Accesses: 1}}, Referrers: []accesslog.Count{{Key: canary, Accesses: 1}}, Agents: []accesslog.Agent{{Family: canary}}, Languages: []accesslog.Count{{Key: canary}}, Campaigns: []accesslog.Count{{Key: canary}},
		Clock: accesslog.Clock{Zones: []accesslog.Zone{{Zone: canary}}}, Inputs: []accesslog.Input{{File: canary, Outcome: accesslog.Outcome(canary), Format: canary, Compression: canary}}, Rejects: map[string]int64{canary: 1}, Geo: &accesslog.GeoInfo{Build: canary, SHA256: canary, Type: canary},
		BotRule: accesslog.BotRule{Version: canary}, Definitions: map[string]string{"lines": canary, "redaction": canary}, Caveats: []string{canary}, Bots: new(accesslog.Bots), Propaganda: new(accesslog.Propaganda), Unreliable: new(accesslog.Unreliable), Suppressed: new(accesslog.Suppression)}
	var b bytes.Buffer
	must(t, accessLogReport(r).Render(t.Context(), &b))
	for _, bad := range []string{"<script", "<img"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("%s stands in the report", bad)
		}
	}
	if n := strings.Count(b.String(), "&lt;script&gt;"); n < 18 {
		t.Errorf("of all that came from outside %d pieces are shown", n)
	}
}
