package webui

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert/internal/casework"
)

// upload sends a form with a file, as a browser without scripts does.
func (v *visitor) upload(path string, fields map[string]string, name string, file []byte) *page {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	must(v.t, form.WriteField("csrf", v.csrf))
	for name, text := range fields {
		must(v.t, form.WriteField(name, text))
	}
	if name != "" {
		part, err := form.CreateFormFile("file", name)
		must(v.t, err)
		_, err = part.Write(file)
		must(v.t, err)
	}
	must(v.t, form.Close())
	res, err := v.http.Post(v.base+path, form.FormDataContentType(), &body)
	return v.read(res, err)
}

func TestG06CapturePanelSaysWhatIsMissingAndTakesAFile(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	officer := h.as("officer")
	rs, err := h.svc.SubmitItems(t.Context(), h.people["officer"].Actor(), []casework.Submission{{Location: "https://video.example/watch?v=ex900101Ab", Source: "form"}})
	must(t, err)
	path := "/items/" + rs[0].Ref
	officer.get(path).want(t, http.StatusOK, "An assessment needs a capture of your authority", "There is no capture yet")
	if p := officer.post(path+"/assessment", judgementForm(h.outlet.Ref)).want(t, http.StatusConflict, "has no capture of your own authority"); !strings.Contains(p.body, `href="#f-capture"`) {
		t.Error("the refusal does not lead to the panel")
	}

	// What is wrong stands beside its field, and what was typed is kept.
	officer.upload(path+"/captures", map[string]string{"vantage": "EXERCISE <b>line</b>"}, "", nil).want(t, http.StatusUnprocessableEntity, "Choose the file of the capture")
	officer.upload(path+"/captures", map[string]string{"kind": "screenshot"}, "page.html", []byte("<!doctype html><title>EXERCISE</title>")).want(t, http.StatusUnprocessableEntity, "these bytes are text/html")
	officer.upload(path+"/captures", map[string]string{"seen_at": time.Now().UTC().Add(-25 * time.Hour).Format("2006-01-02T15:04")}, "page.html", []byte("<!doctype html><title>EXERCISE yesterday</title>")).want(t, http.StatusOK, "The capture is kept, sealed.", "too old to assess by: capture again")
	officer.post(path+"/assessment", judgementForm(h.outlet.Ref)).want(t, http.StatusConflict, "more than 24 hours ago")

	p := officer.upload(path+"/captures", map[string]string{"vantage": "EXERCISE <b>line</b>"}, "page.html", []byte("<!doctype html><title>EXERCISE <script>alert(1)</script></title><p>text</p>")).want(t, http.StatusOK, "The capture is kept, sealed.", "fresh")
	if strings.Contains(p.body, "<b>line") || strings.Contains(p.body, "An assessment needs a capture") {
		t.Error("the panel shows markup from outside, or still says that a capture is missing")
	}
	var link string
	for _, a := range all(p.doc, tag("a")) {
		if href := attr(a, "href"); strings.HasPrefix(href, "/captures/") && link == "" {
			link = href
		}
	}
	if p.first(tag("img")) != nil || link == "" {
		t.Fatal("the panel shows a picture before a click, or links to no preview")
	}
	officer.get(link).want(t, http.StatusOK, "Safe preview", "No preview, or not all of it")
	res, err := officer.http.Get(officer.base + link + "/bytes")
	must(t, err)
	res.Body.Close()
	if got := res.Header.Get("Content-Disposition"); res.StatusCode != http.StatusOK || !strings.HasPrefix(got, "attachment") || res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") || res.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("bytes: %d %v", res.StatusCode, res.Header)
	}
	officer.post(path+"/assessment", judgementForm(h.outlet.Ref)).want(t, http.StatusOK, "A second person decides now")

	// A form of another session, or of none, uploads nothing.
	csrf := officer.csrf
	officer.csrf = "forged"
	officer.upload(path+"/captures", nil, "page.html", []byte("<!doctype html>")).want(t, http.StatusForbidden)
	officer.csrf = csrf
}

func TestG26PanelMarksAndRecordsWhoPreserves(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.work()
	officer := h.as("officer")
	ref := h.submit("officer", 1, 700, h.action.Ref)[0]
	path := "/items/" + ref
	officer.get(path).want(t, http.StatusOK, "It may be evidence of an atrocity")
	officer.post(path+"/atrocity", url.Values{"ground": {"short"}}).want(t, http.StatusUnprocessableEntity, "Say in 10 to 4000 characters")
	officer.post(path+"/atrocity", url.Values{"ground": {"EXERCISE: may show a crime."}}).want(t, http.StatusOK, "Marked. It is not referred before", "Kept back")
	form := url.Values{"way": {"provider"}, "holder": {"EXERCISE host"}, "reference": {"EXERCISE 7"}, "ground": {"EXERCISE: asked for it."}, "on": {time.Now().UTC().Format(time.DateOnly)}, "until": {"soon"}}
	officer.post(path+"/preservations", form).want(t, http.StatusUnprocessableEntity, "one that is yet to come")
	form.Set("until", fmt.Sprint(time.Now().Year()+2)+"-01-01")
	p := officer.post(path+"/preservations", form).want(t, http.StatusOK, "Recorded who preserves it.", "EXERCISE 7")
	if strings.Contains(p.body, "Kept back") {
		t.Error("it is still kept back")
	}
}

// In a real browser: a screenshot from the clipboard, and a file dropped on the panel, each go into the form's field and are kept.
func TestBrowserCapturesByPasteAndDrop(t *testing.T) {
	browser := startBrowser(t)
	h := open(t)
	ref := h.submit("officer", 1, 1, "")[0]
	w := h.browse(t, browser, shots())
	w.enter(h, "officer")
	w.works()
	for i, event := range []string{
		`document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: held, bubbles: true, cancelable: true}))`,
		`document.querySelector("[data-capture]").dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true}))`,
	} {
		w.open("/items/"+ref, "#f-capture")
		name := get(w, chromedp.Evaluate[string](`(() => {
			const held = new DataTransfer();
			held.items.add(new File(["EXERCISE page `+strconv.Itoa(i)+`"], "EXERCISE.txt", {type: "text/plain"}));
			`+event+`;
			return document.getElementById("f-capture").files[0].name;
		})()`))
		if name != "EXERCISE.txt" {
			t.Fatalf("the field holds %q", name)
		}
		w.do(click(`form[action$="/captures"] button`), visible(".notice"))
		if n := get(w, chromedp.Evaluate[int](`document.querySelectorAll('a[href^="/captures/"]').length`)); n != i+2 { // it was handed in with one
			t.Errorf("%d captures after %d were added", n, i+1)
		}
	}
}
