package webui

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	agekey "filippo.io/age"
	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/testkit"
	"concert/internal/vault"
)

// In a real browser the pages of seized evidence pass axe and fit a narrow screen; an exhibit's two files are chosen and sent.
func TestBrowserSeizedEvidence(t *testing.T) {
	h := open(t)
	c, x, locked, keys := h.seized()
	ctx, officer := t.Context(), h.people["officer"].Actor()
	facts, err := readFacts(factLine(t, "upload", pseudonym)+factLine(t, "session_open", pseudonym), pseudonym)
	must(t, err)
	r, err := h.svc.AskReidentification(ctx, officer, c.Ref, x.Ref, h.units[2].Ref, concert.Reidentification{Purpose: concert.ReidentifyProsecution, Selection: concert.SelectNamed,
		Instrument: concert.Instrument{Kind: concert.InstrumentCourt, Issuer: "EXERCISE court", Reference: "EXERCISE order 1", Until: h.svc.Now().AddDate(1, 0, 0)},
		Subjects:   []concert.ReidentifySubject{{Pseudonym: pseudonym, Category: concert.SubjectSuspect, Ground: canary + " uploaded two made-up films", Facts: facts}}})
	must(t, err)
	_, err = h.svc.AskReidentification(ctx, officer, c.Ref, x.Ref, h.units[2].Ref, concert.Reidentification{Selection: concert.SelectCountry})
	must(t, err)
	path := "/reidentifications/" + r.Ref
	for _, l := range []concert.Lead{{Recipient: concert.LeadRecipient{Name: "EXERCISE Service", Kind: concert.LeadToMilitary, State: "US"}}, {Recipient: concert.LeadRecipient{Name: "EXERCISE Police", Kind: concert.LeadToPolice, State: "ES"}}} {
		_, err := h.svc.AskLead(ctx, officer, c.Ref, x.Ref, l)
		must(t, err)
	}
	_, err = h.svc.ConfirmReidentification(ctx, h.people["reviewer"].Actor(), r.Ref, 1)
	must(t, err)
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	dir := shots()
	if dir == "" {
		dir = t.ArtifactDir()
	}
	browser := startBrowser(t)
	w := h.browse(t, browser, dir)
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
	unfold := func() {
		get(w, chromedp.Evaluate[int](`document.querySelectorAll("details").forEach(d => d.open = true); 1`))
	}
	w.open("/cases/"+c.Ref+"/evidence", "#leads")
	look("evidence")
	unfold()
	look("evidence-forms")

	bag := testkit.Seal(t)
	w.do(typed("#f-exhibit-label", "EXERCISE second server"), typed("#f-exhibit-manifest", bag.Manifest), chromedp.SetUploadFiles(chromedp.CSS("#f-exhibit-custody"), []string{filepath.Join(bag.Dir, "custody.jsonl")}),
		chromedp.SetUploadFiles(chromedp.CSS("#f-exhibit-head"), []string{filepath.Join(bag.Dir, "custody-head.json")}), click("form:has(#f-exhibit-label) button"), visible("#custody"))
	if text := get(w, chromedp.Text(chromedp.CSS("main"))); !strings.Contains(text, "EXERCISE second server") {
		t.Errorf("the exhibit did not come in: %s", text)
	}
	look("exhibit")

	m := h.browse(t, browser, dir)
	m.enter(h, "judge")
	m.works()
	officerWindow := w
	w = m
	w.open("/reidentifications", "main table a")
	look("requests")
	w.do(click("main table a"), visible("#a-authorise"))
	look("request-magistrate")
	w.do(click("form[action$=authorise] button"), visible(".notice"))
	w = officerWindow
	w.open(path, "#a-share")
	look("request-authorised")
	lock, err := vault.ParseLock(locked)
	must(t, err)
	for i, key := range keys[:2] {
		g, err := vault.GiveShare(lock, []agekey.Identity{key}, r.Recipient, r.Ref, time.Now())
		must(t, err)
		raw, err := json.Marshal(g)
		must(t, err)
		_, err = h.svc.TakeShare(ctx, officer, r.Ref, int64(3+i), raw)
		must(t, err)
	}
	w.open(path, "#a-open")
	look("request-shares")
	get(w, chromedp.Evaluate[int](`document.cookie = "concert-reader=l=ar; path=/"; 1`))
	w.open(path, "#a-open")
	look("request-ar")
}
