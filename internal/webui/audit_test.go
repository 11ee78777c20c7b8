package webui

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
)

// recorded are the kinds of all events so far, in the log's order.
func (h *house) recorded() []string {
	h.t.Helper()
	var bundle bytes.Buffer
	must(h.t, h.svc.Export(h.t.Context(), &bundle))
	var out []string
	for _, m := range regexp.MustCompile(`"kind":"([a-z._]+)","version"`).FindAllStringSubmatch(bundle.String(), -1) {
		out = append(out, m[1])
	}
	return out
}

func (h *house) consulted() int {
	n := 0
	for _, kind := range h.recorded() {
		if kind == string(concert.EventConsulted) {
			n++
		}
	}
	return n
}

// entered is a visitor who came in and said nothing yet.
func (h *house) entered(login string) *visitor {
	h.t.Helper()
	v := h.visitor()
	v.post("/enter", url.Values{"token": {h.links[login]}, "code": {h.codes[login]}}).want(h.t, http.StatusOK)
	return v
}

func TestG19EverybodyIsAskedOnceForASessionWhatTheyWorkOn(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, h.action.Ref)[0]
	v := h.entered("officer")
	for _, path := range []string{"/items", "/items/" + ref, "/items?status=held", "/holds", "/items?justification=" + url.QueryEscape(working)} {
		p := v.get(path)
		if p.path != "/justification" || p.value("next") != path || strings.Contains(textOf(p.doc), "video") {
			t.Errorf("%s led to %s, next %q", path, p.path, p.value("next"))
		}
	}
	// Numbers and acts need none.
	v.get("/actions/"+h.action.Ref).want(t, http.StatusOK, "From find to seen down")
	v.post("/submit", url.Values{"locations": {"https://video.example/watch?v=ex900002Ab"}, "evaluation": {"A1"}}).want(t, http.StatusOK, "taken")
	if n := h.consulted(); n != 0 {
		t.Fatalf("%d readings are recorded before any", n)
	}
	v.post("/justification", url.Values{"justification": {"desk"}}).want(t, http.StatusUnprocessableEntity, "at least ten characters")
	v.post("/justification", url.Values{"action": {"JA-0000"}, "next": {"/items"}}).want(t, http.StatusUnprocessableEntity, "choose another")
	p := v.get("/justification?next=/items/"+ref).want(t, http.StatusOK, h.action.Name)
	p = v.post("/justification", url.Values{"action": {h.action.Ref}, "justification": {"EXERCISE évaluation"}, "next": {p.value("next")}}).want(t, http.StatusOK, ref)
	if top := textOf(p.first(class("p", "why"))); !strings.Contains(top, "Joint action "+h.action.Ref+", "+h.action.Name+": EXERCISE évaluation") {
		t.Errorf("on top of the page stands %q", top)
	}
	if p.path != "/items/"+ref || h.consulted() != 1 {
		t.Errorf("landed on %s, %d readings recorded", p.path, h.consulted())
	}
	link := p.first(class("p", "why"))
	if got := attr(all(link, tag("a"))[0], "href"); got != justificationFor("/items/"+ref) || strings.Contains(got, "EXERCISE") {
		t.Errorf("the way to change it is %s", got)
	}
	// A list is one reading, its tabs are counts.
	v.get("/items").want(t, http.StatusOK, "video")
	if n := h.consulted(); n != 2 {
		t.Errorf("%d readings recorded after an item and a list", n)
	}
	reviewer := h.as("reviewer")
	h.assessed("officer", []string{ref}, concert.SeverityRoutine)
	reviewer.get("/approvals").want(t, http.StatusOK, ref)
	if n := h.consulted(); n != 3 {
		t.Errorf("%d readings recorded after a page of approvals", n)
	}
	// A provider's people are never asked, and have no such page.
	if p := h.entered("reader").get("/justification"); p.path != "/referrals" {
		t.Errorf("a provider's person is led to %s", p.path)
	}
}

func TestG31AuditorsPage(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, "")[0]
	h.as("officer").get("/items/"+ref).want(t, http.StatusOK)
	must(t, h.svc.PublishLog(t.Context()))
	v := h.entered("auditor")
	if p := v.get("/"); p.path != "/justification" || p.value("next") != "/audit" {
		t.Errorf("an auditor starts at %s, next %q", p.path, p.value("next"))
	}
	if p := v.get("/audit/export"); p.path != "/justification" {
		t.Errorf("without a reason the export led to %s", p.path)
	}
	p := v.post("/justification", url.Values{"justification": {"EXERCISE inspection 7/2019"}, "next": {"/audit"}})
	p.want(t, http.StatusOK, "Who read what", "one item", ref, working, h.people["officer"].Operator, h.svc.LogKey)
	v.get("/audit?ref="+ref).want(t, http.StatusOK, "where "+ref+" was shown", working)
	v.get("/audit?operator="+h.people["reviewer"].Operator).want(t, http.StatusOK, "Nobody.")
	v.get("/audit?ref=%25").want(t, http.StatusUnprocessableEntity)
	res, err := v.http.Get(h.server.URL + "/audit/export")
	must(t, err)
	defer res.Body.Close()
	bundle, err := io.ReadAll(res.Body)
	must(t, err)
	got, err := formats.VerifyBundle(strings.NewReader(string(bundle)), h.svc.LogKey, nil)
	if err != nil || !got.Verified || !strings.Contains(res.Header.Get("Content-Disposition"), "concert-export.jsonl") || strings.Contains(string(bundle), "EXERCISE inspection") {
		t.Errorf("the bundle: %s, %v, %v", got.Problem, err, res.Header)
	}
	other := h.as("coordinator")
	other.get("/audit").want(t, http.StatusForbidden)
	other.get("/audit/export").want(t, http.StatusForbidden)
}

// Every form of every page by an auditor: but for what is its own (its session, its password, its reason, its way in) and for the three
// acts of docs/decisions/0015, each is refused, and nothing is recorded.
func TestG31AuditorWritesNothingOnPagesButItsOwnFindings(t *testing.T) {
	t.Parallel()
	h := open(t)
	ref := h.submit("officer", 1, 1, h.action.Ref)[0]
	hold, err := h.svc.PlaceHold(t.Context(), h.people["officer"].Actor(), casework.Holding{Location: "https://video.example/watch?v=ex900003Ab", Contact: "EXERCISE desk"})
	must(t, err)
	v := h.entered("auditor")
	v.post("/justification", url.Values{"justification": {"EXERCISE inspection 7/2019"}})
	read := func(kind string) bool { return kind == string(concert.EventConsulted) }
	before := slices.DeleteFunc(h.recorded(), read)
	own := []string{"/enter", "/login", "/logout", "/password", "/justification", "/preferences", "/second", "/step-up", "/keys"}
	acts := []string{"/audit/draws", "/audit/draws/{ref}/units/{unit}", "/audit/draws/{ref}/units/{unit}/recommend"}
	tried, mine := 0, 0
	for _, pattern := range h.ui.Routes() {
		path, post := strings.CutPrefix(pattern, "POST ")
		if !post || slices.Contains(own, path) || strings.HasPrefix(path, "/account") || strings.HasPrefix(path, "/enter/") || strings.HasPrefix(path, "/login/") || strings.Contains(path, "{token}") || strings.HasPrefix(path, "/public") {
			continue
		}
		tried++
		to := strings.NewReplacer("{ref}", ref, "{unit}", ref).Replace(path)
		if strings.HasPrefix(path, "/holds/") {
			to = strings.ReplaceAll(path, "{ref}", hold.Ref)
		}
		form := judgementForm(h.outlet.Ref)
		for name, value := range map[string]string{"locations": "https://video.example/watch?v=ex900004Ab", "location": "https://video.example/watch?v=ex900005Ab", "contact": "EXERCISE desk", "reason": "EXERCISE: long enough a reason", "decision": "approve",
			"ground": "EXERCISE: a ground of more than twenty characters", "kind": "withdrawal", "state": "up", "vantage": "XN", "item.0": ref, "code.0": "removed", "size": "5", "find": "incites", "text": "EXERCISE: look at this again."} {
			form.Set(name, value)
		}
		p := v.post(to, form)
		if slices.Contains(acts, path) {
			mine++
			// Nothing was acted upon: there is nothing to draw of, and so no draw to judge in.
			if p.status != http.StatusNotFound && p.status != http.StatusUnprocessableEntity {
				t.Errorf("POST %s by an auditor: %d\n%s", path, p.status, p.text())
			}
			continue
		}
		if p.status < 400 || p.status >= 500 {
			t.Errorf("POST %s by an auditor: %d, at %s\n%s", path, p.status, p.path, p.text())
		}
	}
	if tried < 60 || mine != len(acts) {
		t.Errorf("%d forms were tried, %d of an auditor's own", tried, mine)
	}
	after := slices.DeleteFunc(h.recorded(), read)
	if !slices.Equal(before, after) {
		t.Errorf("an auditor wrote: before %v, after %v", before, after)
	}
}

func TestReasonIsKeptForItsPersonOnly(t *testing.T) {
	t.Parallel()
	r, err := http.NewRequest("GET", "/items", nil)
	must(t, err)
	r.AddCookie(&http.Cookie{Name: whyCookie, Value: base64.RawURLEncoding.EncodeToString([]byte("ann\nEXERCISE café \x00case"))})
	if got := whyOf(r, "ann"); got != "EXERCISE café case" {
		t.Errorf("the reason is %q", got)
	}
	if got := whyOf(r, "bob"); got != "" {
		t.Errorf("another's reason is %q", got)
	}
	r.URL.RawQuery = "justification=" + url.QueryEscape(working)
	if got := whyOf(r, "bob"); got != "" {
		t.Errorf("the address gives the reason %q", got)
	}
}
