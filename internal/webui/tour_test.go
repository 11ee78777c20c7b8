package webui

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"concert"
)

// stop is one page of the tour: who sees it, and where it is.
type stop struct{ login, path string }

// tour finds a page of every kind that a person reaches from the start page by links alone, for every kind of person: what nobody can
// reach is as good as not there.
func (h *house) tour(t *testing.T) (stops []stop, reached map[string]bool, visitors map[string]*visitor) {
	t.Helper()
	mux := http.NewServeMux()
	h.ui.Register(mux)
	reached, visitors = map[string]bool{}, map[string]*visitor{}
	kinds := map[string]bool{}
	for _, login := range []string{"officer", "reviewer", "coordinator", "auditor", "admin", "answerer", "boss", "es-officer", ""} {
		v := h.visitor()
		if login != "" {
			v = h.as(login)
		}
		if login == "answerer" {
			eventually(t, "something is referred", func() bool { return strings.Contains(v.get("/referrals").body, "/referrals/RF-") })
		}
		if h.people[login].Authority == "" && h.people[login].Provider == "" && login != "" {
			v.post("/justification", url.Values{"justification": {working}, "next": {"/password"}})
		}
		visitors[login] = v
		seen := map[string]bool{}
		queue := []string{"/", "/scope"}
		for len(queue) > 0 {
			path := queue[0]
			queue = queue[1:]
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			must(t, err)
			_, pattern := mux.Handler(r)
			if pattern == "" || pattern == "/" || seen[pattern] || strings.HasPrefix(pattern, "GET /assets/") || strings.HasSuffix(pattern, "/stream") {
				continue
			}
			seen[pattern] = true
			p := v.get(path)
			if p.status != http.StatusOK {
				t.Errorf("%s follows a link to %s and gets %d", login, path, p.status)
				continue
			}
			reached[pattern] = true
			if p.doc == nil {
				continue
			}
			// One of a kind is looked at, but an item by each who sees another side of it.
			if !kinds[pattern] || pattern == "GET /items/{ref}" {
				stops = append(stops, stop{login, path})
			}
			kinds[pattern] = true
			for _, a := range p.all(tag("a")) {
				to, err := url.Parse(attr(a, "href"))
				if err == nil && to.Host == "" && to.Scheme == "" && strings.HasPrefix(to.Path, "/") {
					queue = append(queue, to.RequestURI())
				}
			}
		}
	}
	return stops, reached, visitors
}

// unlinked are pages that one comes to by other ways than a link on a page, and by which.
var unlinked = map[string]string{
	"GET /enter":                    "the one-time link that was handed out",
	"GET /password":                 "the one-time link leads there",
	"GET /items/{ref}/erasure.json": "stands on an erased item only",
	"GET /audit/export":             "made by a form",
	"GET /second":                   "the log-in leads there",
	"GET /step-up":                  "a guarded act leads there",
	"GET /account/factors/totp":     "a form leads there, as long as a secret waits for its first code",
	"GET /answer/{token}":           "behind a link in a mail (TestBrowserProviderAnswersFromTheMailsLink)",

	"GET /own-orders/{ref}":                 "stands where an order is there only (TestBrowserProviderCarriesOutAnOrder)",
	"GET /own-orders/{ref}/order.pdf":       "a file of an order (TestProviderReadsAndAnswersAnOrderWithoutScripts)",
	"GET /own-orders/{ref}/order.html":      "a file of an order (the same)",
	"GET /own-orders/{ref}/order.json":      "a file of an order (the same)",
	"GET /own-orders/{ref}/statements.json": "a file of an order (the same)",
	"GET /order-answer/{token}":             "behind a link in a mail (TestG11ScannerOfAnOrdersMailProvesNothing)",

	"GET /audit/draws/{ref}":              "stands where something was drawn only (TestG30AuditorWorksADrawByForms)",
	"GET /audit/draws/{ref}/next":         "the same",
	"GET /audit/draws/{ref}/units/{unit}": "the same",
	"GET /recommendations/{ref}":          "stands where a finding was handed over only (the same)",

	"GET /own-threats/{ref}":            "stands where something was reported only (TestBrowserG32ThreatAlarmsTheOpenPage)",
	"GET /own-threats/{ref}/proof.json": "a file of a report (TestG32ThreatReachesTheDutyOfficerBothWays)",
	"GET /threats/{ref}":                "stands where something was reported only (TestBrowserG32ThreatAlarmsTheOpenPage)",
	"GET /threats/{ref}/proof.json":     "a file of a report (TestG32ThreatReachesTheDutyOfficerBothWays)",

	"GET /exhibits/{ref}":                     "stands where an exhibit is there only (TestG25ExhibitIsHandedOverOnThePages)",
	"GET /exhibits/{ref}/analyses/{n}":        "stands where one was asked for only (TestP9AccessLogsAreCountedFromTheExhibitsPage)",
	"GET /exhibits/{ref}/analyses/{n}/{file}": "a file of a report (the same)",
	"GET /reidentifications":                  "in the menu of magistrates (TestG34RequestToOpenPseudonymsThroughFourPeople)",
	"GET /reidentifications/{ref}":            "stands where something was asked for only (the same)",

	"GET /captures/{ref}/picture": "no page: the picture on one, once a form opened it (TestG35BrowserAPictureIsVeiledUntilHeld)",

	"GET /orders/new":         "stands on an assessed item of an authority that issues orders only (TestBrowserOrderGoesFromDraftToExecution)",
	"GET /orders/{ref}/draft": "stands on a draft only (TestOrderGoesItsWayByForm)",
	"GET /orders/alarms":      "a script asks for it",

	"GET /matches/{ref}": "stands on an item that is like another only (TestBrowserCopiesAreJudgedOnceAndABankIsFilled)",

	"GET /redress/{token}":                    "handed on by a provider (TestBrowserRedressAndScrutiny)",
	"GET /complaints/{ref}":                   "stands where there is a complaint only (the same)",
	"GET /orders/{ref}/scrutiny/package.json": "a file of an order of another state (TestG13ScrutinyOverHTTP)",

	"GET /public/register/{ref}":                     "in the register once it is a day old (TestPublicLinksStayPublic)",
	"GET /public/reports/{article}/{subject}/{year}": "among the reports once something is a day old (TestPublicLinksStayPublic)",

	"GET /items/{ref}/proportionality": "stands on an item that cannot be isolated only",
	"GET /notes/{ref}":                 "stands at a closed action's end only",
	"GET /second-looks/{ref}":          "stands in the list where one waits only (TestSecondLookIsGivenByForm)",
}

type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		Target         []any
		HTML           string
		FailureSummary string
	}
}

// TestEveryPageIsReachableLightAndAccessible goes through the whole desk in a real browser: axe-core finds nothing (WCAG 2.2 AA and
// its best practices) in light, in dark and in Arabic, nothing comes from another host, and no page weighs more than 150 kB.
func TestEveryPageIsReachableLightAndAccessible(t *testing.T) {
	h := open(t)
	h.work()
	h.crowd()
	h.folders()
	h.consignment()
	h.banked()
	h.competent()
	must(t, h.svc.JoinAction(t.Context(), h.people["coordinator"].Actor(), h.action.Ref, h.units[len(h.units)-2].Ref, concert.PartSupport))
	h.issuedOrder(h.judged(1, 7000)[0])
	h.join(t.Context(), "boss", "", h.provider.Ref, concert.RoleProviderAdmin)
	stops, reached, visitors := h.tour(t)
	for _, pattern := range h.ui.Routes() {
		if strings.HasPrefix(pattern, "GET ") && !reached[pattern] && unlinked[pattern] == "" && !strings.HasPrefix(pattern, "GET /assets/") && !strings.HasSuffix(pattern, "/stream") {
			t.Errorf("no link leads to %s for anybody", pattern)
		}
	}
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	browser := startBrowser(t)
	looks := []struct{ name, language, theme string }{{"light", "en", "light"}, {"dark", "en", "dark"}, {"arabic", "ar", "light"}}
	for _, login := range []string{"officer", "reviewer", "coordinator", "auditor", "admin", "answerer", "boss", "es-officer", ""} {
		w := h.browse(t, browser, t.ArtifactDir())
		w.resume(visitors[login])
		for _, look := range looks {
			w.open("/preferences?next=/preferences", "main form")
			w.do(click("input[name=language][value="+look.language+"]"), click("input[name=theme][value="+look.theme+"]"), click("main form button"), visible("html[lang="+look.language+"][data-theme="+look.theme+"]"))
			for _, s := range stops {
				if s.login != login {
					continue
				}
				w.open(s.path, "main")
				w.weigh(s.path)
				w.judge(string(axe), look.name+" "+login+" "+s.path)
				name := look.name + "-" + login + strings.NewReplacer("/", "-", "?", "-", "&", "-").Replace(s.path)
				w.picture(name)
				if look.theme == "light" {
					w.narrow(s.path, name)
				}
			}
		}
	}
}

// resume goes on in the window with the session of a visitor.
func (w *window) resume(v *visitor) {
	w.t.Helper()
	w.open("/scope", "main")
	for _, c := range v.http.Jar.Cookies(mustURL(w.t, w.base)) {
		get(w, chromedp.Evaluate[string](`document.cookie = "`+c.Name+"="+c.Value+`; path=/"`))
	}
}

// weigh holds what the page brought over the wire.
func (w *window) weigh(path string) {
	w.t.Helper()
	type got struct {
		Bytes int
		Hosts []string
	}
	g := get(w, chromedp.Evaluate[got](`(() => { const e = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]; return {Bytes: e.reduce((n, x) => n + x.encodedBodySize, 0), Hosts: [...new Set(e.map(x => new URL(x.name).origin))]} })()`))
	if g.Bytes > 150_000 {
		w.t.Errorf("%s weighs %d bytes", path, g.Bytes)
	}
	if !slices.Equal(g.Hosts, []string{w.base}) {
		w.t.Errorf("%s asks %v", path, g.Hosts)
	}
}

// judge asks axe-core.
func (w *window) judge(axe, where string) {
	w.t.Helper()
	w.do(chromedp.Evaluate[chromedp.Void](axe + "; undefined"))
	raw := get(w, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise))
	var found []violation
	must(w.t, json.Unmarshal([]byte(raw), &found))
	for _, v := range found {
		for _, n := range v.Nodes {
			w.t.Errorf("%s: %s (%s): %s\n%v %.200s", where, v.ID, v.Impact, v.Help, n.Target, n.HTML)
		}
	}
}

// narrow looks at the page in a half window and on a phone: nothing runs over the edge on either side (WCAG 2.2 1.4.10).
func (w *window) narrow(path, name string) {
	w.t.Helper()
	for _, width := range []int64{780, 390} {
		w.do(chromedp.EmulateViewport(width, 900))
		over := get(w, chromedp.Evaluate[string](`document.documentElement.scrollWidth <= innerWidth ? "" : [...document.querySelectorAll("body *")].filter(e => { const r = e.getBoundingClientRect(); return (r.right > innerWidth + 1 || r.left < -1) && r.width > 1 && !e.closest(".scroll, .hidden, pre") }).slice(0, 4).map(e => e.tagName + "." + e.className).join(" ") + " " + document.documentElement.scrollWidth`))
		if over != "" {
			w.t.Errorf("%s (%s) is wider than %d: %s", path, name, width, over)
		}
		// By the window and not by the page, whose picture the browser shifts where it is short and runs from right to left.
		w.do(chromedp.EmulateViewport(width, min(6000, max(900, get(w, chromedp.Evaluate[int64](`document.documentElement.scrollHeight`))))))
		must(w.t, os.WriteFile(filepath.Join(w.dir, fmt.Sprintf("%s-%d.png", name, width)), get(w, chromedp.CaptureScreenshot()), 0o600))
	}
	w.do(chromedp.EmulateViewport(1280, 900))
}

func (w *window) picture(name string) {
	w.t.Helper()
	must(w.t, os.WriteFile(filepath.Join(w.dir, name+".png"), get(w, chromedp.FullScreenshot(100)), 0o600))
}
