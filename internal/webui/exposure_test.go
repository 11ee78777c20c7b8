package webui

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// The children that open captures are this test binary again.
func TestMain(m *testing.M) {
	testkit.ServeIfChild()
	os.Exit(m.Run())
}

// pictured hands in an item of the officer's with a made-up screenshot, and gives both references.
func (h *house) pictured(place string) (item, capture string) {
	h.t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	m.Set(1, 1, color.White)
	var out bytes.Buffer
	must(h.t, png.Encode(&out, m))
	by := h.people["officer"].Actor()
	rs, err := h.svc.SubmitItems(h.t.Context(), by, []casework.Submission{{Location: place, Source: "form"}})
	must(h.t, err)
	c, err := h.svc.AddCapture(h.t.Context(), by, casework.Capturing{Item: rs[0].Ref, Bytes: bytes.NewReader(out.Bytes())})
	must(h.t, err)
	return rs[0].Ref, c.Ref
}

func TestG35WithoutAScriptAPictureOpensByAFormAfterItsWarning(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.svc.Children = testkit.Children(h.t)
	officer := h.as("officer")
	item, cp := h.pictured("https://video.example/watch?v=ex910001Ab")
	path := "/captures/" + cp
	for _, p := range []*page{officer.get("/items/"+item).want(t, http.StatusOK, "Open the preview"), officer.get(path).want(t, http.StatusOK, "Before you open it", "Nobody has said yet what is in it")} {
		if p.first(tag("img")) != nil || p.first(tag("video")) != nil || p.first(tag("audio")) != nil {
			t.Error("something is loaded before a click")
		}
	}
	for _, guess := range []string{path + "/picture", path + "/bytes"} {
		officer.get(guess).want(t, http.StatusForbidden, "is veiled until you open it")
	}
	officer.post(path+"/warnings", url.Values{"warn_child": {"yes"}, "warn_nothing": {"yes"}}).want(t, http.StatusUnprocessableEntity, "choose one")
	officer.post(path+"/warnings", url.Values{"warn_child": {"yes"}, "warn_killing": {"yes"}}).want(t, http.StatusOK, "A child is present", "A killing or beheading")
	officer.get("/items/"+item).want(t, http.StatusOK, "A killing or beheading · A child is present")
	p := officer.post(path+"/reveals", url.Values{}).want(t, http.StatusOK, "A killing or beheading", "Hold it to see it")
	img := p.first(tag("img"))
	if img == nil || attr(img, "src") != path+"/picture" || attr(img.Parent, "data-blur") != "2" || attr(img.Parent, "data-grey") != "true" || attr(img.Parent, "class") != "veil" {
		t.Fatalf("the picture is not veiled: %v", img)
	}
	res, err := officer.http.Get(officer.base + path + "/picture")
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/jpeg" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the picture: %d %v", res.StatusCode, res.Header)
	}
	reviewer := h.as("reviewer")
	reviewer.get(path+"/picture").want(t, http.StatusForbidden)
	officer.get("/exposure").want(t, http.StatusOK, "Only you read this page", "A child is present: 1")
	officer.post("/exposure", url.Values{"opened": {"x"}}).want(t, http.StatusUnprocessableEntity, "our own limit is 1 to 300 openings")
	officer.post("/exposure", url.Values{"opened": {"2"}}).want(t, http.StatusOK, "Your own limit is kept.", "1 / 2")
	form := p.first(tagWith("form", "id", "veil-close"))
	officer.post(attr(form, "action"), url.Values{"close": {"yes"}}).want(t, http.StatusOK, "Closed. It opens again only by you.", "Before you open it")
	officer.get(path+"/picture").want(t, http.StatusForbidden)

	// Past the soft stop three ways are offered, past the hard cap ways out; a lead's limits hold at once where they are lower.
	reviewer.get("/team-exposure").want(t, http.StatusOK, "fewer than five people: not shown")
	reviewer.post("/team-exposure", url.Values{"soft": {"1"}, "hard": {"2"}, "soft_opened": {"1"}, "hard_opened": {"0"}}).want(t, http.StatusUnprocessableEntity)
	reviewer.post("/team-exposure", url.Values{"soft": {"10"}, "hard": {"20"}, "soft_opened": {"1"}, "hard_opened": {"2"}}).want(t, http.StatusOK, "Set. Lower limits hold at once")
	officer.get(path).want(t, http.StatusOK, "A pause now?", "Take an item without pictures", "Go on and open it")
	officer.post(path+"/reveals", url.Values{}).want(t, http.StatusConflict, "A pause now?")
	officer.post(path+"/reveals", url.Values{"go_on": {"yes"}}).want(t, http.StatusOK, "Hold it to see it")
	form = officer.get(path).first(tagWith("form", "id", "veil-close"))
	officer.post(attr(form, "action"), url.Values{"close": {"yes"}})
	officer.get(path).want(t, http.StatusOK, "Enough for today.", "A lead cannot lift this")
	officer.post(path+"/reveals", url.Values{"go_on": {"yes"}}).want(t, http.StatusConflict, "Enough for today.")
	officer.get("/desk").want(t, http.StatusOK, "Your eyes today", "Enough for today")
	officer.post("/desk/next", url.Values{"unveiled": {"yes"}}).want(t, http.StatusOK, "Nothing waits for you now")
}

func TestG35TheItemsPageSaysFirstThatTheSameWasJudged(t *testing.T) {
	t.Parallel()
	h := open(t)
	officer := h.as("officer")
	first, _ := h.pictured("https://video.example/watch?v=ex920001Ab")
	second, _ := h.pictured("https://video.example/watch?v=ex920002Ab")
	if p := officer.get("/items/" + second); strings.Contains(p.body, "was assessed before") {
		t.Fatal("nobody assessed it yet")
	}
	h.assessed("officer", []string{first}, concert.SeveritySerious)
	p := officer.get("/items/"+second).want(t, http.StatusOK, "The same content was assessed before", first, "You need not see it again")
	if at, panel := strings.Index(p.body, `id="same"`), strings.Index(p.body, `id="captures"`); at < 0 || at > panel {
		t.Error("it is not said before the captures")
	}
	checked := func(p *page) (out []string) {
		for _, in := range p.all(tag("input")) {
			if attr(in, "type") == "radio" && hasAttr(in, "checked") {
				out = append(out, attr(in, "name")+"="+attr(in, "value"))
			}
		}
		return out
	}
	if got := checked(p); len(got) != 0 {
		t.Errorf("the form is filled before anybody asks: %v", got)
	}
	p = officer.get("/items/"+second+"?carry="+first).want(t, http.StatusOK, "the purpose is yours to judge")
	if got := checked(p); !slices.Equal(got, []string{"type=incites", "severity=serious"}) {
		t.Errorf("carried over: %v", got)
	}
	if p.first(tag("img")) != nil {
		t.Error("a picture is on the page")
	}
	// Whatever stands in the address, nothing else is carried over.
	if got := checked(officer.get("/items/" + second + "?carry=IT-0000-0000-00000&purpose=no_protected_purpose")); len(got) != 0 {
		t.Errorf("by an address alone: %v", got)
	}
}

// keyed presses or lets go of the space bar.
func keyed(typ input.DispatchKeyEventType) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: typ, Key: " ", Code: "Space", WindowsVirtualKeyCode: 32})
		return err
	})
}

// asked are the addresses that a window asks for from now on.
type asked struct {
	mu    sync.Mutex
	paths []string
}

func (a *asked) media() (out []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.paths {
		if strings.HasSuffix(p, "/picture") || strings.HasSuffix(p, "/bytes") {
			out = append(out, p)
		}
	}
	return out
}

// In a real browser: no picture is asked for before the click, it is blurred and grey until it is held, hidden when it is let go,
// by hand and by keyboard, and what is counted is what was seen.
func TestG35BrowserAPictureIsVeiledUntilHeld(t *testing.T) {
	h := open(t)
	h.work()
	h.svc.Children = testkit.Children(h.t)
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	browser := startBrowser(t)
	w := h.browse(t, browser, shots())
	ctx, over := w.step()
	defer over()
	var seen asked
	requests := chromedp.Events(context.WithoutCancel(ctx), network.RequestWillBeSent)
	go func() {
		for e, err := range requests {
			if err != nil {
				return
			}
			seen.mu.Lock()
			seen.paths = append(seen.paths, strings.SplitN(e.Request.URL, "?", 2)[0])
			seen.mu.Unlock()
		}
	}()
	w.enter(h, "officer")
	w.works()
	item, cp := h.pictured("https://video.example/watch?v=ex930001Ab")
	must(t, h.svc.WarnCapture(t.Context(), h.people["officer"].Actor(), cp, []concert.Warning{concert.WarnInjury}))
	w.open("/items/"+item, "#captures")
	w.open("/captures/"+cp, "#before")
	w.judge(string(axe), "before")
	w.shoot("veil-before", false, 1280, 900)
	if got := seen.media(); len(got) != 0 || len(seen.paths) == 0 {
		t.Fatalf("before the click the browser asks for %v, of %d", got, len(seen.paths))
	}
	filter := func(want string) {
		t.Helper()
		get(w, chromedp.Poll[bool](`(() => { const i = document.querySelector(".veil img"); return i && i.complete && i.naturalWidth === 320 && getComputedStyle(i).filter === "`+want+`" })()`))
	}
	const veiled = "blur(18px) grayscale(1)"
	w.do(click("main form[action$='/reveals'] button"), visible(".veil img"))
	filter(veiled)
	if got := seen.media(); len(got) != 1 {
		t.Errorf("after the click: %v", got)
	}
	w.judge(string(axe), "open")
	w.shoot("veil-open", false, 1280, 900)
	w.holds(filter, veiled)
	own := func() casework.OwnExposure {
		t.Helper()
		v, err := h.svc.OwnExposure(t.Context(), h.people["officer"].Actor())
		must(t, err)
		return v
	}
	testkit.Await(t, "what was seen is counted", func() bool { s := own().Today.Shown; return s >= time.Second && s < concert.RevealUnmeasured })
	if own().Today.Opened != 1 {
		t.Errorf("opened %d", own().Today.Opened)
	}
	// Leaving the page closes it.
	w.open("/preferences?next=/captures/"+cp, "main form")
	w.do(click("input[name=blur][value='3']"), click("input[name=grey][value=no]"), click("input[name=reveal][value=toggle]"), click("main form button"), visible("#before"))
	w.do(click("main form[action$='/reveals'] button"), visible(".veil img"))
	filter("blur(36px) grayscale(0)")
	w.do(click(".veil"))
	filter("none")
	w.do(click(".veil"))
	filter("blur(36px) grayscale(0)")
	w.judge(string(axe), "open, by presses")
	w.do(click("#veil-close button"), visible("#before"))
	if got := get(w, chromedp.Evaluate[int](`fetch("/captures/`+cp+`/picture").then(r => r.status)`, chromedp.EvalAwaitPromise)); got != http.StatusForbidden {
		t.Errorf("closed, the picture is given: %d", got)
	}
	if own().Today.Opened != 2 {
		t.Errorf("opened %d", own().Today.Opened)
	}
	w.open("/exposure", "#days")
	w.shoot("exposure", false, 1280, 900)
	// At the hard cap an open picture goes by itself.
	_, err = h.svc.SetOwnLimit(t.Context(), h.people["officer"].Actor(), concert.OwnLimit{Opened: 3, Hard: time.Minute})
	must(t, err)
	w.open("/captures/"+cp, "#before")
	w.do(click("#pause form[action$='/reveals'] button, main form[action$='/reveals'] button"), visible(".veil img"), click("#veil-close button"), visible("#cap"))
	w.judge(string(axe), "the cap")
	w.shoot("veil-cap", true, 1280, 900)
}

// holds shows the picture by hand and by keyboard, and sees it hidden each time it is let go.
func (w *window) holds(filter func(string), veiled string) {
	w.t.Helper()
	type box struct{ X, Y float64 }
	b := get(w, chromedp.Evaluate[box](`(() => { const v = document.querySelector(".veil"); v.scrollIntoView({block: "center"}); const r = v.getBoundingClientRect(); return {X: r.x + r.width / 2, Y: r.y + r.height / 2} })()`))
	mouse := func(typ input.DispatchMouseEventType) {
		w.t.Helper()
		w.do(chromedp.MouseEvent(typ, b.X, b.Y, chromedp.ButtonLeft))
	}
	mouse(chromedp.MousePressed)
	filter("none")
	w.shoot("veil-held", false, 1280, 900)
	get(w, chromedp.Evaluate[bool](`new Promise(r => setTimeout(() => r(true), 1200))`, chromedp.EvalAwaitPromise))
	mouse(chromedp.MouseReleased)
	filter(veiled)
	// By keyboard: space holds, Enter shows and hides, Escape hides.
	w.do(chromedp.Focus(chromedp.CSS(".veil")), keyed(input.DispatchKeyEventTypeKeyDown))
	filter("none")
	w.do(keyed(input.DispatchKeyEventTypeKeyUp))
	filter(veiled)
	w.do(chromedp.KeyEvent("\r"))
	filter("none")
	w.do(chromedp.KeyEvent("\x1b"))
	filter(veiled)
	w.do(chromedp.KeyEvent("\r"))
	filter("none")
	get(w, chromedp.Evaluate[int](`document.querySelector(".veil").blur(); 1`))
	filter(veiled)
}
