package webui

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// recognises lets the house compare captures, in children of this test.
func (h *house) recognises() {
	h.t.Helper()
	h.svc.Children = testkit.Children(h.t)
	h.svc.Printers = testkit.Children(h.t)
	h.t.Cleanup(func() { must(h.t, h.svc.CloseKnown()) })
}

// drawn is an invented picture: rectangles of grey that the seed chose, as JPEG.
func drawn(t testing.TB, seed uint64, quality int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	m := image.NewGray(image.Rect(0, 0, 480, 360))
	for range 40 {
		x, y := r.IntN(480), r.IntN(360)
		draw.Draw(m, image.Rect(x, y, x+20+r.IntN(160), y+20+r.IntN(120)), image.NewUniform(color.Gray{uint8(r.IntN(256))}), image.Point{}, draw.Src)
	}
	if quality < 70 {
		// A logo in a corner.
		draw.Draw(m, image.Rect(430, 10, 466, 32), image.White, image.Point{}, draw.Src)
	}
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}))
	return out.Bytes()
}

// holding is an item of somebody's with the bytes captured as the file itself.
func (h *house) holding(login, place string, b []byte) string {
	h.t.Helper()
	by := h.people[login].Actor()
	rs, err := h.svc.SubmitItems(h.t.Context(), by, []casework.Submission{{Location: place, Source: "form"}})
	must(h.t, err)
	_, err = h.svc.AddCapture(h.t.Context(), by, casework.Capturing{Item: rs[0].Ref, Kind: concert.CaptureFile, Bytes: bytes.NewReader(b)})
	must(h.t, err)
	return rs[0].Ref
}

// copies are a judged item, and two copies of it that wait.
func (h *house) copies() (judged, second, third string) {
	h.t.Helper()
	judged = h.holding("officer", "https://video.example/watch?v=ex950001Ab", drawn(h.t, 1, 95))
	h.assessed("officer", []string{judged}, concert.SeveritySerious)
	second = h.holding("officer", "https://video.example/watch?v=ex950002Ab", drawn(h.t, 1, 60))
	third = h.holding("officer", "https://video.example/watch?v=ex950003Ab", drawn(h.t, 1, 40))
	h.holding("south", "https://video.example/watch?v=ex950004Ab", drawn(h.t, 1, 75))
	return judged, second, third
}

func (h *house) compared() {
	h.t.Helper()
	must(h.t, h.svc.RecogniseFor(h.t.Context(), time.Minute))
}

// bankOf is a bank of the reviewer's authority, open to others here.
func (h *house) bankOf(change func(*concert.Bank)) concert.Bank {
	h.t.Helper()
	b := concert.Bank{Name: "EXERCISE_VIDEOS", Purpose: "EXERCISE: known invented <b>propaganda</b>", LegalBasis: "EXERCISE law", Radius: concert.RadiusUsual, Handling: concert.HandlingOpen, Ratio: concert.RatioWhole, OpenTo: []concert.Destination{concert.ToTenant}}
	if change != nil {
		change(&b)
	}
	b, err := h.svc.OpenBank(h.t.Context(), h.people["reviewer"].Actor(), b)
	must(h.t, err)
	return b
}

// banked is a bank with an entry that is in dispute.
func (h *house) banked() {
	h.t.Helper()
	b := h.bankOf(nil)
	rs, err := h.svc.FillBank(h.t.Context(), h.people["reviewer"].Actor(), b.Ref, []casework.Filling{{BankEntry: concert.BankEntry{Name: "EXERCISE <i>clip</i>", Labels: []string{"EXERCISE"}, Hashes: []concert.KnownHash{{Kind: concert.HashPDQ, Value: strings.Repeat("a5", 32), Quality: 80}}}}})
	must(h.t, err)
	_, err = h.svc.JudgeEntry(h.t.Context(), h.people["south"].Actor(), rs[0].Ref, concert.OpinionNegative)
	must(h.t, err)
}

// checked are the values of a form's radio buttons and boxes that are on.
func checked(p *page) string {
	var out []string
	for _, n := range p.all(tag("input")) {
		if hasAttr(n, "checked") {
			out = append(out, attr(n, "value"))
		}
	}
	return strings.Join(out, " ")
}

// textLines is a field's text with its lines.
func textLines(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		b.WriteString(d.Data)
	}
	return b.String()
}

func hrefWith(p *page, prefix string) string {
	for _, n := range p.all(tag("a")) {
		if strings.HasPrefix(attr(n, "href"), prefix) {
			return attr(n, "href")
		}
	}
	return ""
}

func TestACopyIsRecognisedCarriedOverAndItsCopiesComeNext(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.recognises()
	officer := h.as("officer")
	judged, second, third := h.copies()
	officer.get("/items/"+second).want(t, http.StatusOK, "Known content", "Not compared yet", "No match ever decides")
	h.compared()
	p := officer.get("/items/"+second).want(t, http.StatusOK, "Content that looks or reads alike was assessed before", "Earlier item "+judged, "of 256 bits differ", "turned neither way", "1 item of another authority is like it: nothing more is told", "1 copy of it waits to be assessed", third)
	if p.first(tag("img")) != nil {
		t.Error("a picture is on the page of an item")
	}
	h.as("coordinator").get("/actions/"+h.action.Ref+"/coordinate").want(t, http.StatusOK, "4 items of the house were compared; works behind them: 1.")
	officer.get("/actions/"+h.action.Ref+"/report").want(t, http.StatusOK, "works behind them: 1.")
	match, _, _ := strings.Cut(hrefWith(p, "/matches/"), "?")
	m := officer.get(match).want(t, http.StatusOK, "Which bits differ", "Later item", "Earlier item", "Is it right?", "nobody has said yet")
	if m.first(tag("img")) != nil || m.first(tagWith("svg", "class", "bits")) == nil {
		t.Error("a match shows a picture before a click, or no bits")
	}
	form := m.first(func(n *html.Node) bool { return tag("form")(n) && strings.HasSuffix(attr(n, "action"), "/reveals") })
	if m = officer.post(attr(form, "action"), url.Values{"next": {match}}).want(t, http.StatusOK, "Hold it to see it"); m.path != match || len(m.all(tag("img"))) != 1 {
		t.Errorf("opened, one is at %s with %d pictures", m.path, len(m.all(tag("img"))))
	}
	officer.post(match, url.Values{"word": {"perhaps"}}).want(t, http.StatusUnprocessableEntity, "A match is")
	officer.post(match, url.Values{"word": {"same"}}).want(t, http.StatusOK, "said to be the same work")
	h.as("south").get(match).want(t, http.StatusNotFound)

	// Carried over without viewing, the purpose apart; then the next copy comes by itself.
	p = officer.get("/items/" + second + "?carry=" + judged)
	if got := checked(p); !strings.Contains(got, "incites") || !strings.Contains(got, "serious") || strings.Contains(got, "purpose") {
		t.Errorf("the form has %q", got)
	}
	judgement := judgementForm(h.outlet.Ref)
	judgement.Set("then", "next")
	p = officer.post("/items/"+second+"/assessment", judgement).want(t, http.StatusOK, "Assessment recorded", "Type, outlet and severity stand in the form below")
	if p.path != "/items/"+third || !strings.Contains(checked(p), "incites") || strings.Contains(checked(p), "purpose") {
		t.Errorf("next comes %s with %q, want the copy %s", p.path, checked(p), third)
	}
	officer.get("/items/"+judged).want(t, http.StatusOK, "1 copy of it waits")
	if p = officer.post("/items/"+judged+"/copies", url.Values{}); p.path != "/items/"+judged {
		t.Errorf("a copy that is in hand is taken again: %s", p.path)
	}
}

func TestNothingIsCarriedOverOnARaisedHostAndThePageSaysWhy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.recognises()
	officer := h.as("officer")
	h.copies()
	news := h.holding("officer", "https://www.bbc.co.uk/news/exercise-12345678", drawn(t, 1, 70))
	words := h.holding("officer", "https://video.example/watch?v=ex950009Ab", []byte("EXERCICE. La société inventée des jardins annonce que sa septième réunion se tiendra derrière le vieux moulin, et que chacun peut y venir avec une pelle."))
	h.compared()
	p := officer.get("/items/"+news).want(t, http.StatusOK, "Nothing is carried over here", "on a news page", "of 256 bits differ")
	if strings.Contains(p.text(), "Take over type") || strings.Contains(p.text(), "was assessed before") {
		t.Error("something is carried over on a raised host")
	}
	p = officer.get("/items/"+words).want(t, http.StatusOK, "Language, guessed from the words: fr", "% sure", "Guessed from the words: check it.")
	if p.value("language") != "fr" {
		t.Errorf("the form has language %q", p.value("language"))
	}
}

func TestBankIsKeptOnItsPagesWithoutScripts(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.recognises()
	reviewer, officer, south := h.as("reviewer"), h.as("officer"), h.as("south")
	judged, _, _ := h.copies()
	h.compared()
	officer.get("/banks/new").want(t, http.StatusForbidden)
	reviewer.get("/banks/new").want(t, http.StatusOK, "Open a bank", "31 is usual")
	fields := url.Values{"name": {"exercise"}, "purpose": {"EXERCISE: invented <b>propaganda</b>"}, "legal_basis": {"EXERCISE law"}, "labels": {"b, a"}, "radius": {"31"}, "enabled_ratio": {"100"}, "handling": {"H0"}, "to_tenant": {"yes"}}
	reviewer.post("/banks", fields).want(t, http.StatusUnprocessableEntity, "A bank's name is 1 to 64 capital letters")
	fields.Set("name", "EXERCISE_VIDEOS")
	fields.Set("radius", "x")
	reviewer.post("/banks", fields).want(t, http.StatusUnprocessableEntity, "as a whole number")
	fields.Set("radius", "31")
	p := reviewer.post("/banks", fields).want(t, http.StatusOK, "Bank opened", "EXERCISE_VIDEOS", "a, b", "other authorities here")
	path := p.path
	if strings.Contains(p.body, "<b>propaganda") {
		t.Error("markup of a purpose is on the page")
	}

	// What a list would bring is seen before any of it is added.
	list := "pdq " + strings.Repeat("f0e1d2c3", 8) + "\nnonsense here\nmd5 " + strings.Repeat("0f", 16)
	p = reviewer.post(path+"/entries", url.Values{"lines": {list}}).want(t, http.StatusOK, "2 entries are good", "1 fault", "line 2", "Nothing was added yet")
	if got := textLines(p.first(tagWith("textarea", "name", "lines"))); got != list {
		t.Errorf("the list comes back as %q", got)
	}
	reviewer.get(path).want(t, http.StatusOK, "0 match")
	reviewer.post(path+"/entries", url.Values{"lines": {list}, "format": {p.value("format")}, "go": {"yes"}}).want(t, http.StatusOK, "2 entries added", "1 refused")
	reviewer.post(path+"/entries", url.Values{"lines": {""}}).want(t, http.StatusUnprocessableEntity, "There is no list")
	reviewer.upload(path+"/file", nil, "list.csv", []byte("type,value,name\npdq,"+strings.Repeat("a5", 32)+",EXERCISE clip\n")).want(t, http.StatusOK, "1 entry is good", "csv")
	reviewer.upload(path+"/file", nil, "list.txt", bytes.Repeat([]byte("pdq x\n"), listMost/5)).want(t, http.StatusRequestEntityTooLarge, "A form takes lists of at most")

	officer.get("/items/"+judged).want(t, http.StatusOK, "Add its content to a bank", "EXERCISE_VIDEOS")
	officer.post("/items/"+judged+"/bank", url.Values{"bank": {strings.TrimPrefix(path, "/banks/")}}).want(t, http.StatusOK, "Added to the bank")
	p = reviewer.get(path).want(t, http.StatusOK, "3 match", judged)
	entry := hrefWith(p, "/entries/")
	reviewer.get(entry).want(t, http.StatusOK, "Opinions", "it is what the bank is of", "pdq")
	south.post(entry+"/opinion", url.Values{"opinion": {"negative"}}).want(t, http.StatusOK, "Recorded what your authority thinks of it", "DISPUTED")
	reviewer.get(path).want(t, http.StatusOK, "DISPUTED")
	south.get(path).want(t, http.StatusOK, "EXERCISE_VIDEOS")
	if p = south.get(path); strings.Contains(p.text(), "Add entries") || strings.Contains(p.text(), "Close this bank") {
		t.Error("another authority is offered the owner's acts")
	}
	reviewer.post(entry+"/clear", url.Values{}).want(t, http.StatusConflict, "is in no quarantine")
	reviewer.post(entry+"/withdraw", url.Values{}).want(t, http.StatusOK, "Withdrawn.", "withdrawn by its owner")
	reviewer.get(path+"?show=ended").want(t, http.StatusOK, "withdrawn by its owner")

	p = reviewer.get(path)
	fields.Set("version", p.value("version"))
	fields.Set("radius", "99")
	reviewer.post(path, fields).want(t, http.StatusUnprocessableEntity, "etween 0 and 64 of 256 bits")
	fields.Set("radius", "10")
	reviewer.post(path, fields).want(t, http.StatusOK, "Bank changed", "10 of 256")
	p = reviewer.get(path+"?close=yes").want(t, http.StatusOK, "Close this bank?", "It cannot be opened again")
	reviewer.post(path+"/close", url.Values{"version": {p.value("version")}}).want(t, http.StatusOK, "Bank closed", "closed")
	south.get(path).want(t, http.StatusNotFound)
	reviewer.get("/banks?state=closed").want(t, http.StatusOK, "EXERCISE_VIDEOS")
	if p := reviewer.get("/banks.csv"); p.status != http.StatusOK || !strings.Contains(p.body, "EXERCISE_VIDEOS") {
		t.Errorf("the list as a file: %d", p.status)
	}
}

// In a real browser: the officer's way through copies and the reviewer's through a bank, in light, in dark and in Arabic.
func TestBrowserCopiesAreJudgedOnceAndABankIsFilled(t *testing.T) {
	h := open(t)
	h.recognises()
	judged, second, third := h.copies()
	b := h.bankOf(nil)
	h.compared()
	_, err := h.svc.BankItem(t.Context(), h.people["reviewer"].Actor(), b.Ref, judged)
	must(t, err)
	h.compared()
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	browser := startBrowser(t)
	officer, reviewer := h.browse(t, browser, shots()), h.browse(t, browser, shots())
	officer.enter(h, "officer")
	officer.works()
	officer.open("/items/"+second, ".matches")
	match := get(officer, chromedp.Evaluate[string](`document.querySelector(".matches li:last-child a[href^='/matches/']").pathname`))
	bankMatch := get(officer, chromedp.Evaluate[string](`document.querySelector(".matches li:first-child a[href^='/matches/']").pathname`))

	// Both sides are opened, one after the other; each is veiled, and opening the second leaves the first open.
	officer.open(match, "#here")
	officer.do(click("section[aria-labelledby=here] form button"), visible("section[aria-labelledby=here] .veil img"), click("section[aria-labelledby=there] form button"), visible("section[aria-labelledby=there] .veil img"), visible("section[aria-labelledby=here] .veil img"))
	get(officer, chromedp.Poll[bool](`[...document.querySelectorAll(".veil.scripted img")].filter(i => i.complete && i.naturalWidth > 0 && getComputedStyle(i).filter === "blur(18px) grayscale(1)").length === 2`))
	officer.shoot("match-open", false, 1280, 1000)
	officer.do(click("section[aria-labelledby=here] [data-veil-close] button"), visible("section[aria-labelledby=here] form[action$='/reveals'] button"), visible("section[aria-labelledby=there] .veil img"))
	officer.shoot("match-entry-before", false, 1280, 1000)
	officer.open("/scope", "main")
	officer.open(bankMatch, "section[aria-labelledby=here] form[action$='/reveals'] button")
	officer.open("/items/"+judged, ".known")

	reviewer.enter(h, "reviewer")
	reviewer.works()
	reviewer.open("/banks/"+b.Ref, "#f-lines")
	reviewer.do(typed("#f-lines", "pdq "+strings.Repeat("f0e1d2c3", 8)), click("section[aria-labelledby=fill] form button"), visible("button[name=go]"))
	reviewer.shoot("bank-preview", false, 1280, 900)
	reviewer.do(click("button[name=go]"), visible(".notice"))
	entry := get(reviewer, chromedp.Evaluate[string](`fetch("/banks/`+b.Ref+`").then(r => r.text()).then(t => t.match(/\/entries\/[A-Z0-9-]+/)[0])`, chromedp.EvalAwaitPromise))

	looks := []struct{ name, language, theme string }{{"light", "en", "light"}, {"dark", "en", "dark"}, {"arabic", "ar", "light"}}
	for _, look := range looks {
		for _, w := range []*window{officer, reviewer} {
			w.open("/preferences?next=/scope", "main form")
			w.do(click("input[name=language][value="+look.language+"]"), click("input[name=theme][value="+look.theme+"]"), click("main form button"), chromedp.WaitNotPresent(chromedp.CSS("input[name=theme]")), visible("html[lang="+look.language+"][data-theme="+look.theme+"]"))
		}
		for _, x := range []struct {
			w     *window
			name  string
			path  string
			shown string
		}{{officer, "item", "/items/" + second, ".matches"}, {officer, "match", match, "#bits"}, {officer, "match-entry", bankMatch, "#right"}, {reviewer, "banks", "/banks", ".list"}, {reviewer, "bank-new", "/banks/new", "#f-name"},
			{reviewer, "bank", "/banks/" + b.Ref + "?close=yes", "#closing"}, {reviewer, "entry", entry, "#opinions"}} {
			x.w.open(x.path, x.shown)
			x.w.weigh(x.path)
			x.w.judge(string(axe), look.name+" "+x.path)
			x.w.shoot("known-"+x.name+"-"+look.name, look.theme == "dark", 1280, 900)
			if look.name == "light" {
				x.w.shoot("known-"+x.name+"-780", false, 780, 900)
				x.w.do(chromedp.EmulateViewport(780, 900))
				if wide := get(x.w, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 780 {
					t.Errorf("%s is %d points wide at 780", x.path, wide)
				}
				x.w.do(chromedp.EmulateViewport(1280, 900))
			}
		}
	}

	// The verdict is carried over without anything being opened; the copy after it comes by itself.
	officer.open("/preferences?next=/scope", "main form")
	officer.do(click("input[name=language][value=en]"), click("main form button"), chromedp.WaitNotPresent(chromedp.CSS("input[name=theme]")))
	officer.open("/items/"+second, ".same a.button")
	officer.do(click(".same a.button"), visible("#f-facts"), click("input[value=no_protected_purpose]"), typed("#f-mark", "EXERCISE logo"), typed("#f-mark_where", "top right"), typed("#f-language", "ar"), chosen("#f-evaluation", "A1"),
		typed("#f-facts", "EXERCISE: a made-up picture."), typed("#f-judgement", "EXERCISE: would incite, were it real."), click("form:has(#f-facts) button[value=next]"), visible(".notice"))
	if at := mustURL(t, get(officer, chromedp.Location())); at.Path != "/items/"+third || at.Query().Get("carry") == "" {
		t.Errorf("next comes %s, want the copy %s", at, third)
	}
	if on := get(officer, chromedp.Evaluate[bool](`document.querySelector("input[value=incites]").checked && !document.querySelector("input[name=purpose]:checked")`)); !on {
		t.Error("the copy's form has not what may be carried over, or the purpose with it")
	}
}
