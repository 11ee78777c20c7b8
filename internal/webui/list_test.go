package webui

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"concert"
	"concert/internal/casework"
)

// cells are the texts of a list's rows, and its head.
func (p *page) cells() (head []string, rows [][]string) {
	for _, n := range p.all(tag("th")) {
		if attr(n, "scope") == "col" && n.Parent.Parent.Parent.Data == "table" && slices.Contains(strings.Fields(attr(n.Parent.Parent.Parent, "class")), "list") {
			head = append(head, textOf(n))
		}
	}
	for _, tr := range p.all(func(n *html.Node) bool { return tag("tr")(n) && hasAttr(n, "data-row") }) {
		var row []string
		for _, c := range all(tr, func(n *html.Node) bool { return hasAttr(n, "data-label") }) {
			var b strings.Builder
			for d := range c.Descendants() {
				if d.Type == html.TextNode && attr(d.Parent, "aria-hidden") == "" {
					b.WriteString(d.Data)
				}
			}
			row = append(row, strings.TrimSpace(b.String()))
		}
		rows = append(rows, row)
	}
	return head, rows
}

// file reads a list's file, without the mark at its beginning.
func (v *visitor) file(path string) [][]string {
	v.t.Helper()
	p := v.get(path)
	if p.status != http.StatusOK || !strings.HasPrefix(p.header.Get("Content-Type"), "text/csv") || !strings.Contains(p.header.Get("Content-Disposition"), ".csv") {
		v.t.Fatalf("%s: %d %v\n%.300s", path, p.status, p.header, p.body)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(p.body, "\uFEFF"))).ReadAll()
	must(v.t, err)
	return rows
}

// The file holds exactly what the filters show, on all pages, in the words and the order of the page.
func TestAFileIsExactlyTheList(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.submit("officer", 57, 1, h.action.Ref)
	h.folders()
	for i := range 51 {
		_, err := h.svc.WatchPlace(t.Context(), h.people["officer"].Actor(), casework.Watching{Location: fmt.Sprintf("https://t.me/exercise_listed_%d", i), Outlet: h.outlet.Ref, Owner: concert.WatchOutlet, Cadence: time.Hour})
		must(t, err)
	}
	h.assessed("officer", h.submit("officer", 53, 2000, h.action.Ref), concert.SeveritySerious)
	officer, reviewer := h.as("officer"), h.as("reviewer")
	for _, list := range []string{"/second-looks?state=any", "/approvals", "/approvals?severity=serious&reads=own&order=newest", "/approvals?whose=own", "/items?status=assessed&reads=own", "/cases", "/cases?mine=lead&state=open", "/watchlist", "/watchlist?turn=never&order=newest", "/items?kind=video&action=" + h.action.Ref + "&order=newest", "/items", "/outlets", "/providers", "/authorities", "/actions", "/referrals", "/holds", "/remedies", "/corrections"} {
		v := officer
		if strings.HasPrefix(list, "/approvals") {
			v = reviewer
		}
		p := v.get(list).want(t, http.StatusOK)
		link := p.first(class("a", "file"))
		if link == nil {
			t.Errorf("%s offers no file", list)
			continue
		}
		file := v.file(attr(link, "href"))
		var want [][]string
		for {
			head, rows := p.cells()
			if len(want) == 0 && len(head) > 0 {
				want = append(want, head)
			}
			want = append(want, rows...)
			next := p.first(tagWith("a", "rel", "next"))
			if next == nil {
				break
			}
			p = v.get(attr(next, "href")).want(t, http.StatusOK, "First page")
		}
		if len(want) == 0 {
			if len(file) != 1 {
				t.Errorf("%s is empty, its file has %d lines", list, len(file))
			}
			continue
		}
		if len(file) != len(want) {
			t.Errorf("%s shows %d rows, its file has %d", list, len(want)-1, len(file)-1)
			continue
		}
		for i := range want {
			for k := range want[i] {
				shown, have := strings.TrimPrefix(want[i][k], "–"), strings.TrimPrefix(file[i][k], "'")
				if shown != have {
					t.Errorf("%s row %d: the page says %q, the file %q", list, i, want[i][k], file[i][k])
				}
			}
		}
	}
}

func TestListsRefuseWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.submit("officer", 3, 1, "")
	v := h.as("officer")
	for address, says := range map[string]string{
		"/items?status=nonsense": "none of the values of status", "/items?stauts=open": "no filter \"stauts\"", "/items?from=yesterday": "no date", "/items?size=7": "50, 100 or 200", "/items?order=size": "cannot be sorted",
		"/items?provider=PR-NONE": "none of the values", "/items?at=a": "address is broken", "/items?kind=video&kind=text": "more than once", "/outlets?named=" + strings.Repeat("x", 300): "at most 200", "/remedies?category=x": "none of the values",
		"/watchlist?ended=1": "no filter \"ended\"", "/watchlist?by=EX-NOBODY": "nobody with the operator number", "/cases?state=lost": "none of the values",
	} {
		p := v.get(address)
		if p.status < 400 || p.status > 422 || !strings.Contains(p.text(), says) || len(p.all(func(n *html.Node) bool { return hasAttr(n, "data-row") })) > 0 {
			t.Errorf("%s: %d %s", address, p.status, p.text())
		}
		if back := p.first(class("a", "button")); back == nil || strings.Contains(attr(back, "href"), "?") {
			t.Errorf("%s shows no way out", address)
		}
	}
}

func TestFiltersAreKeptFoundAndForgotten(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.submit("officer", 3, 1, "")
	v := h.as("officer")
	v.get("/items?kind=video&status=any").want(t, http.StatusOK, "Save these filters", "3 rows shown")
	p := v.post("/filters", url.Values{"list": {"items"}, "query": {"kind=video&status=any"}, "name": {"EXERCISE <videos>"}, "shared": {"yes"}}).want(t, http.StatusOK, "EXERCISE <videos>", "shared", "3 rows shown")
	if strings.Contains(p.text(), "Save these filters") {
		t.Error("filters that are kept are offered to be kept again")
	}
	v.post("/filters", url.Values{"list": {"items"}, "query": {"kind=video"}, "name": {"EXERCISE <videos>"}}).want(t, http.StatusConflict, "of this name already")
	v.post("/filters", url.Values{"list": {"//evil.example"}, "query": {""}, "name": {"x"}}).want(t, http.StatusUnprocessableEntity, "no list of this name")
	colleague := h.as("both")
	q := colleague.get("/items").want(t, http.StatusOK, "EXERCISE <videos>")
	if strings.Contains(q.text(), "forget") {
		t.Error("a colleague is offered to take the filter away")
	}
	for _, f := range p.all(tag("form")) {
		if strings.HasSuffix(attr(f, "action"), "/delete") {
			v.post(attr(f, "action"), url.Values{})
		}
	}
	if strings.Contains(v.get("/items").text(), "EXERCISE <videos>") {
		t.Error("a filter that was taken away is still there")
	}
}

func TestSearchFindsByReferenceAndExactPlace(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, "")[0]
	v := h.as("officer")
	v.get("/search").want(t, http.StatusOK, "Places are sealed")
	if p := v.post("/search", url.Values{"ref": {" " + strings.ToLower(ref) + " "}}); p.path != "/items/"+ref {
		t.Errorf("the reference led to %s", p.path)
	}
	if p := v.post("/search", url.Values{"place": {"hxxps://video[.]example/watch?v=ex000001Ab"}}); p.path != "/items/"+ref {
		t.Errorf("the place led to %s: %s", p.path, p.text())
	}
	v.post("/search", url.Values{"place": {"https://video.example/watch?v=ex000001A"}}).want(t, http.StatusNotFound, "no item of yours at exactly this place")
	h.as("south").post("/search", url.Values{"place": {"https://video.example/watch?v=ex000001Ab"}}).want(t, http.StatusNotFound, "no item of yours at exactly this place")
	v.post("/search", url.Values{"ref": {"IT-1"}}).want(t, http.StatusUnprocessableEntity, "no reference")
	v.post("/search", url.Values{}).want(t, http.StatusUnprocessableEntity, "Write a reference")
}

// An outlet comes on the scope list by two people, on its own page.
func TestG38OutletIsListedByTwoOnItsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, err := h.svc.AddOutlet(t.Context(), h.people["officer"].Actor(), concert.Outlet{Name: "EXERCISE New <i>outlet</i>", Aliases: []string{"EXN"}, Marks: []string{"EXERCISE star"}}, h.outlet.Ref)
	must(t, err)
	path := "/outlets/" + o.Ref
	first, second := h.as("coordinator"), h.as("reviewer")
	first.get("/outlets?named=exn").want(t, http.StatusOK, "EXERCISE New <i>outlet</i>", "1 row shown")
	first.get(path).want(t, http.StatusOK, "EXERCISE star", "Propose an entry")
	first.post(path+"/scope", url.Values{"legal_act": {"x"}}).want(t, http.StatusUnprocessableEntity)
	p := first.post(path+"/scope", url.Values{"legal_act": {"EXERCISE Decision 7"}, "authority": {"EXERCISE Council"}, "citation": {"EXERCISE Journal L 7"}, "listed_on": {"2019-01-02"}}).want(t, http.StatusOK, "Proposed. It counts once", "proposed: counts only")
	if strings.Contains(p.text(), "Confirm this entry") {
		t.Error("whoever proposed is offered to confirm")
	}
	p = second.get(path).want(t, http.StatusOK, "Confirm this entry")
	for _, f := range p.all(tag("form")) {
		if strings.HasSuffix(attr(f, "action"), "/confirm") {
			second.post(attr(f, "action"), url.Values{}).want(t, http.StatusOK, "in force", h.people["coordinator"].Operator, h.people["reviewer"].Operator)
		}
	}
	h.as("officer").get(path).want(t, http.StatusOK, "in scope")
}

// In a real browser: an auditor looks for what happened to an item, opens one event, sees its proof, pastes the head kept from before,
// keeps the file, and checks it with the program and with nothing else.
func TestAuditorProvesOneEventInABrowser(t *testing.T) {
	h := open(t)
	h.work()
	ref := h.submit("officer", 1, 1, "")[0]
	var earlier string
	eventually(t, "the log is signed", func() bool {
		var err error
		earlier, err = h.svc.LogCheckpoint(t.Context())
		return err == nil
	})
	h.submit("officer", 2, 2, "")
	browser := startBrowser(t)
	w := h.browse(t, browser, shots())
	w.enter(h, "auditor")
	w.works()
	w.open("/search", "h1")
	w.do(click(`main a[href="/events"]`), visible("#q-ref"))
	w.do(typed("#q-ref", ref), chosen("#q-kind", string(concert.EventItemSubmitted)), click(".filterform button"), visible(".asked"))
	var at string
	eventually(t, "the event has its place", func() bool {
		w.open("/events?kind=item.submitted&ref="+ref, "tr[data-row]")
		at = get(w, chromedp.Evaluate[string](`document.querySelector("tr[data-row] th a")?.getAttribute("href") ?? ""`))
		return at != ""
	})
	w.shoot("events", false, 1280, 900)
	w.do(click("tr[data-row] th a"), visible("#f-earlier"))
	w.do(chosen("#f-earlier", earlier), click(`main form[action^="/events/"] button`), visible("#goeson"))
	w.shoot("event", false, 1280, 1400)
	w.shoot("event-phone", true, 390, 1400)
	text := get(w, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
	for _, want := range []string{"item.submitted", ref, "the commitment stands in the signed log", "the log goes on from the head that you gave", "concert verify event"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of the event does not say %q:\n%s", want, text)
		}
	}
	proof := get(w, chromedp.Evaluate[string](`(() => { const r = new XMLHttpRequest(); r.open("GET", document.querySelector("a[href$='proof.json']").href, false); r.send(); return r.responseText })()`))
	name := filepath.Join(t.TempDir(), "proof.json")
	must(t, os.WriteFile(name, []byte(proof), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "run", "concert/cmd/concert", "verify", "event", "-log-key", h.svc.LogKey, name).CombinedOutput()
	if !strings.Contains(string(out), "VERIFIED: event "+strings.TrimPrefix(at, "/events/")) || !strings.Contains(string(out), "item.submitted") {
		t.Errorf("the program says of the proof: %s (%v)", out, err)
	}
}
