package formats_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"concert"
	"concert/internal/formats"
)

// shownText is what a reader of the HTML sees.
func shownText(t testing.TB, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}

func TestG01OrderSaysTheDutyAndReferralNever(t *testing.T) {
	t.Parallel()
	voluntary := regexp.MustCompile(`(?i)voluntar|volontaire|freiwillig|vrijwillig|طوع`)
	duty := regexp.MustCompile(`(?i)one hour|une heure|einer Stunde|una hora|één uur|ساعة واحدة|removal order under`)
	for _, lang := range formats.AnnexLanguages() {
		page, err := formats.OrderHTML(lang, order(1), formats.AnnexOptions{})
		if err != nil {
			t.Fatal(err)
		}
		text := shownText(t, page)
		if !strings.Contains(text, concert.OrderDuty) {
			t.Errorf("%s: the duty does not stand word for word", lang)
		}
		if got := len(duty.FindAllString(text, -1)); lang != "en" && got < 4 {
			t.Errorf("%s: one hour is said %d times; header and section B say it in the reader's language too", lang, got)
		}
		if m := voluntary.FindString(text); m != "" {
			t.Errorf("%s: an order says %q", lang, m)
		}
	}
	for _, lang := range formats.NoticeLanguages {
		text, err := notice(lang, concert.NoticeReferral, 2).Text()
		if err != nil || !strings.Contains(text, concert.VoluntaryNotice) {
			t.Errorf("%s: a referral does not say that it is voluntary: %v", lang, err)
		}
		if m := duty.FindString(text); m != "" {
			t.Errorf("%s: a referral says %q", lang, m)
		}
	}
	p := order(1)
	p.Duty = concert.VoluntaryNotice
	if _, err := formats.OrderHTML("en", p, formats.AnnexOptions{}); err == nil {
		t.Error("an order with the words of a referral is drawn")
	}
	p = order(1)
	p.Type = "referral"
	if _, err := formats.OrderPDF("en", p, formats.AnnexOptions{}); err == nil {
		t.Error("a referral is drawn as an order")
	}
}

func TestG15RedressIsFilledAndDatedOrTheFormIsRefused(t *testing.T) {
	t.Parallel()
	page, err := formats.OrderHTML("de", order(1), formats.AnnexOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ABSCHNITT G", "EXERCISE Council", "30 days from receipt of the order", "EXERCISE Act 2019, section 9", "https://law.example/9", "1. November 2019", "den Inhalteanbieter"} {
		if !strings.Contains(shownText(t, page), want) {
			t.Errorf("section G does not say %q", want)
		}
	}
	for field, spoil := range map[string]func(*concert.OrderPayload){
		"redress":             func(p *concert.OrderPayload) { p.Redress = nil },
		"redress ":            func(p *concert.OrderPayload) { p.Redress = p.Redress[:1] },
		"redress[0].body":     func(p *concert.OrderPayload) { p.Redress[0].Body = "\n " },
		"redress[1].deadline": func(p *concert.OrderPayload) { p.Redress[1].Deadline = "" },
		"redress[1].law":      func(p *concert.OrderPayload) { p.Redress[1].Law = "" },
		"redress[0].as_of":    func(p *concert.OrderPayload) { p.Redress[0].AsOf = "" },
		"redress[1].as_of":    func(p *concert.OrderPayload) { p.Redress[1].AsOf = "lately" },
	} {
		p := order(1)
		spoil(&p)
		_, err := formats.OrderPDF("en", p, formats.AnnexOptions{})
		var refused *concert.Error
		if !errors.As(err, &refused) || refused.Field != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAnnexWithAnEmptyFieldIsRefusedByItsName(t *testing.T) {
	t.Parallel()
	for field, spoil := range map[string]func(*concert.OrderPayload){
		"ref":                          func(p *concert.OrderPayload) { p.Ref = "" },
		"addressee.name":               func(p *concert.OrderPayload) { p.Addressee.Name = "" },
		"addressee.contact_point":      func(p *concert.OrderPayload) { p.Addressee.ContactPoint = "" },
		"addressee.state":              func(p *concert.OrderPayload) { p.Addressee.State = "" },
		"issuing_state":                func(p *concert.OrderPayload) { p.IssuingState = "" },
		"issued_at":                    func(p *concert.OrderPayload) { p.IssuedAt = "today" },
		"places":                       func(p *concert.OrderPayload) { p.Places = nil },
		"places[1].location.submitted": func(p *concert.OrderPayload) { p.Places[1].Location.Submitted = "" },
		"reasons":                      func(p *concert.OrderPayload) { p.Reasons = []concert.ContentType{"dislike"} },
		"statement":                    func(p *concert.OrderPayload) { p.Statement = " \n" },
		"legal_basis":                  func(p *concert.OrderPayload) { p.LegalBasis = nil },
		"scope":                        func(p *concert.OrderPayload) { p.Scope = nil },
		"authority.kind":               func(p *concert.OrderPayload) { p.Authority.Kind = "" },
		"authority.keyid":              func(p *concert.OrderPayload) { p.Authority.KeyID = "" },
		"follow_up":                    func(p *concert.OrderPayload) { p.FollowUp = nil },
		"non_disclosure.until":         func(p *concert.OrderPayload) { p.NonDisclosure.Until = "" },
	} {
		p := order(2)
		spoil(&p)
		_, err := formats.OrderHTML("en", p, formats.AnnexOptions{})
		var refused *concert.Error
		if !errors.As(err, &refused) || refused.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	p := order(1)
	other := order(2)
	if _, err := formats.OrderPDF("en", p, formats.AnnexOptions{File: sealed(t, concert.OrderPayloadType, other)}); err == nil {
		t.Error("the file of another order is attached")
	}
	if _, err := formats.OrderPDF("en", p, formats.AnnexOptions{Check: "javascript:1"}); err == nil {
		t.Error("the QR code holds no address of a page")
	}
	i := impossible()
	i.Needed = ""
	if _, err := formats.ImpossiblePDF("en", i, formats.AnnexOptions{}); err == nil {
		t.Error("Art. 3(8): errors without what they are")
	}
	if _, err := formats.OrderHTML("tlh", p, formats.AnnexOptions{}); err == nil {
		t.Error("a language that is not there")
	}
}

// A language that nobody speaks, each text of which is its own key: it is enough to
// give it, and what is not seen in any form would be a text that nothing says.
func TestG37LanguageIsAddedAsDataAlone(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("annex/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var w formats.AnnexWords
	if err := json.Unmarshal(raw, &w); err != nil {
		t.Fatal(err)
	}
	places := regexp.MustCompile(`\{[a-z]+\}`)
	w.Language, w.Name, w.Official, w.Direction = "qaa", "EXERCISE", false, "rtl"
	for key, text := range w.Texts {
		w.Texts[key] = formats.AnnexText{Text: strings.Join(append([]string{"<" + key + ">"}, places.FindAllString(text.Text, -1)...), " ")}
	}
	file, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	words, err := formats.ParseAnnexWords(file)
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	for _, f := range forms(t, "", words) {
		seen.WriteString(shownText(t, f[0]))
	}
	draw := func(change func(*concert.OrderPayload)) {
		p := order(2)
		change(&p)
		page, err := formats.OrderHTML("", p, formats.AnnexOptions{Words: words})
		if err != nil {
			t.Fatal(err)
		}
		seen.WriteString(shownText(t, page))
	}
	for month := time.January; month <= time.December; month++ {
		draw(func(p *concert.OrderPayload) {
			p.IssuedAt = time.Date(2019, month, 1, 0, 0, 0, 0, time.UTC).Format(concert.TimeFormat)
		})
	}
	for key := range w.Texts {
		if state, ok := strings.CutPrefix(key, "state."); ok {
			draw(func(p *concert.OrderPayload) { p.Addressee.State = state })
		}
	}
	draw(func(p *concert.OrderPayload) { p.FirstContact = concert.OrderFirstContact{} })
	draw(func(p *concert.OrderPayload) { p.FirstContact = concert.OrderFirstContact{Emergency: "EXERCISE"} })
	alone, err := formats.FeedbackHTML("", feedback(), formats.AnnexOptions{Words: words})
	if err != nil {
		t.Fatal(err)
	}
	seen.WriteString(shownText(t, alone))
	for key := range w.Texts {
		// The number of a page stands on the PDF only.
		if !strings.Contains(seen.String(), "<"+key+">") && key != "page" {
			t.Errorf("no form says the text %q: remove it from every language", key)
		}
	}
	for name, spoil := range map[string]func(map[string]any){
		"a text too few": func(m map[string]any) { delete(m["texts"].(map[string]any), "yes") },
		"a text too many": func(m map[string]any) {
			m["texts"].(map[string]any)["maybe"] = map[string]any{"own": false, "text": "x"}
		},
		"a place too few": func(m map[string]any) {
			m["texts"].(map[string]any)["page"] = map[string]any{"own": false, "text": "{n}"}
		},
		"an empty text": func(m map[string]any) { m["texts"].(map[string]any)["no"] = map[string]any{"own": false, "text": ""} },
		"own without a law": func(m map[string]any) {
			m["texts"].(map[string]any)["order.title"] = map[string]any{"own": true, "text": "x"}
		},
		"an unknown field": func(m map[string]any) { m["motto"] = "x" },
		"no day":           func(m map[string]any) { m["as_of"] = "" },
		"no direction":     func(m map[string]any) { m["direction"] = "down" },
		"marks of direction": func(m map[string]any) {
			m["texts"].(map[string]any)["no"] = map[string]any{"own": false, "text": "\u202ex"}
		},
	} {
		var m map[string]any
		if err := json.Unmarshal(file, &m); err != nil {
			t.Fatal(err)
		}
		spoil(m)
		bad, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := formats.ParseAnnexWords(bad); err == nil {
			t.Errorf("%s: the wording is taken", name)
		}
	}
}

// No script, no style attribute, no link, no address that something would load.
func TestAnnexHTMLStandsUnderAnyPolicy(t *testing.T) {
	t.Parallel()
	p := order(2)
	p.Statement = `<script>alert(1)</script> <img src=x onerror=y> https://video.example/x`
	p.Places[0].Location.Submitted = `https://video.example/"><a href="javascript:1">x</a>`
	p.Addressee.Name = "A\u202eB\r\n<b>"
	for _, whole := range []bool{false, true} {
		page, err := formats.OrderHTML("ar", p, formats.AnnexOptions{Standalone: whole, Check: verifyPage})
		if err != nil {
			t.Fatal(err)
		}
		root, err := html.Parse(bytes.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			count[n.Data]++
			for _, a := range n.Attr {
				if a.Key == "style" || a.Key == "href" || a.Key == "src" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
			}
		}
		for _, never := range []string{"script", "a", "img", "link", "iframe", "form", "b"} {
			if count[never] > 0 {
				t.Errorf("%d <%s>", count[never], never)
			}
		}
		if want := map[bool]int{false: 0, true: 1}[whole]; count["style"] != want || count["article"] != 1 || count["h1"] != want {
			t.Errorf("whole %v: %v", whole, count)
		}
		text := shownText(t, page)
		if !strings.Contains(text, p.Places[0].Location.Submitted) || !strings.Contains(text, p.Statement) || strings.ContainsAny(text, "\u202e\r") {
			t.Errorf("what was written does not stand as it was written: %q", text)
		}
		if strings.Count(text, "☒") != 6 || strings.Count(text, "(مؤشر)") != 6 || strings.Count(text, "☐") != 5 {
			t.Errorf("%d boxes of 11 ticked by shape, %d by words", strings.Count(text, "☒"), strings.Count(text, "(مؤشر)"))
		}
	}
}

func TestAnnexPDFHoldsLongAndStrangeTexts(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pdfinfo"); err != nil {
		t.Skip("there is no pdfinfo here (Debian: poppler-utils): ./check installs it")
	}
	long := func(p *concert.OrderPayload) {
		p.Places = order(100).Places
		p.Places[7].Location.Submitted = "https://video.example/" + strings.Repeat("very-long-", 400)
		p.Places[8].Location.Submitted = "https://video.example/\u202egnp.exe?a=\u0000 \u00adü\U0001f600/عربي/12"
	}
	for name, c := range map[string]struct {
		change      func(*concert.OrderPayload)
		least, most int
	}{
		"plain":  {func(*concert.OrderPayload) {}, 4, 6},
		"long":   {long, 12, 24},
		"words":  {func(p *concert.OrderPayload) { p.Statement = strings.Repeat("EXERCISE sentence. ", 2000) }, 10, 20},
		"onerun": {func(p *concert.OrderPayload) { p.Statement = strings.Repeat("x", 20000) }, 7, 14},
		"mixed": {func(p *concert.OrderPayload) {
			p.Statement = "تمرين: مقطع مختلق (12:30) من video.example بتاريخ 21/11/2019، وهو «غير حقيقي».\nEXERCISE: the words «لا إله 12 سطرا» stand at 00:40 [sic].\nשלום 123 (abc)\nΕλληνικά и кириллица ąčęė 漢字 \U0001f600\x00\x1b[31m"
			p.Redress[0].Deadline = "ثلاثون يوما (30) من تسلم الأمر"
		}, 4, 6},
		"short": {func(p *concert.OrderPayload) {
			p.NonDisclosure, p.CopyTo, p.Addressee.Representative, p.FirstContact, p.Authority.Unit, p.Exercise = nil, nil, "", concert.OrderFirstContact{}, "", false
		}, 3, 5},
	} {
		for _, lang := range []string{"en", "ar"} {
			p := order(2)
			c.change(&p)
			raw, err := formats.OrderPDF(lang, p, formats.AnnexOptions{Check: verifyPage})
			if err != nil {
				t.Errorf("%s in %s: %v", name, lang, err)
				continue
			}
			file := filepath.Join(t.TempDir(), "order.pdf")
			if dir := os.Getenv("CONCERT_TEST_KEEP"); dir != "" {
				file = filepath.Join(dir, "hard-"+name+"."+lang+".pdf")
			}
			if err := os.WriteFile(file, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			info, err := exec.Command("pdfinfo", file).CombinedOutput()
			if err != nil {
				t.Fatalf("%s in %s: %v: %s", name, lang, err, info)
			}
			m := regexp.MustCompile(`(?m)^Pages:\s+(\d+)`).FindSubmatch(info)
			n, _ := strconv.Atoi(string(m[1]))
			if n < c.least || n > c.most {
				t.Errorf("%s in %s: %d pages, not %d to %d", name, lang, n, c.least, c.most)
			}
			insidePages(t, name+" in "+lang, file, n)
		}
	}
}

// insidePages checks that no word stands outside its page's margins.
func insidePages(t *testing.T, name, file string, pages int) {
	t.Helper()
	boxes, err := exec.Command("pdftotext", "-bbox", file, "-").Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	const margin, width, height = 50.0, 595.28, 841.89 // points; the margins are 18 mm
	found := regexp.MustCompile(`xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)"`).FindAllSubmatch(boxes, -1)
	if len(found) < 50*pages {
		t.Errorf("%s: %d words on %d pages", name, len(found), pages)
	}
	for _, m := range found {
		var at [4]float64
		for i := range at {
			at[i], _ = strconv.ParseFloat(string(m[i+1]), 64)
		}
		if at[0] < margin-1 || at[2] > width-margin+1 || at[1] < 15 || at[3] > height-15 {
			t.Errorf("%s: a word stands at %v, outside the page's margins", name, at)
			return
		}
	}
}

func TestAnnexPDFCarriesTheOriginal(t *testing.T) {
	t.Parallel()
	for name, f := range forms(t, "nl", nil) {
		got, err := formats.PDFAttachment(f[1], name+".json", 1<<20)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := map[string][]byte{"order": sealed(t, concert.OrderPayloadType, order(2)), "feedback": sealed(t, concert.FeedbackPayloadType, feedback()), "impossible": sealed(t, concert.ImpossiblePayloadType, impossible())}[name]
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the attached original differs", name)
		}
		if !bytes.Contains(f[1], []byte("/Metadata ")) || !bytes.Contains(f[1], []byte("/Lang (nl)")) || bytes.Contains(f[1], []byte("/ca ")) || bytes.Contains(f[1], []byte("pdfaid")) {
			t.Errorf("%s: metadata, language, or a claim that is not kept", name)
		}
	}
}

func TestAnnexWordsSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	var owns []string
	for _, lang := range formats.AnnexLanguages() {
		w, err := formats.AnnexWordsOf(lang)
		if err != nil {
			t.Fatal(err)
		}
		own := 0
		for _, text := range w.Texts {
			if text.Own {
				own++
			}
		}
		if w.Official != (lang != "ar") || w.Checked || w.Official != (own > 0) {
			t.Errorf("%s: official %v, checked %v, %d own: set checked only with the Official Journal at hand", lang, w.Official, w.Checked, own)
		}
		owns = append(owns, fmt.Sprintf("%s %d of %d", lang, own, len(w.Texts)))
	}
	t.Log(owns)
	if w, err := formats.AnnexWordsOf("de-AT"); err != nil || w.Language != "de" {
		t.Errorf("%v, %v", w, err)
	}
}

func FuzzAnnexText(f *testing.F) {
	for _, seed := range []string{"EXERCISE", "\u202e\x00", "https://x.example/\U0001f600 a", "لا (12) إله", "\xff\xfe", "abc 1 אבג 2 " + strings.Repeat("ـ", 50), "\uffff\ufffe", "﷽ﷺ", "a\u0301\u064b"} {
		f.Add(seed, "ar")
		f.Add(seed, "en")
	}
	f.Fuzz(func(t *testing.T, text, lang string) {
		if len(text) > 2000 {
			return
		}
		p := order(2)
		p.Statement, p.Places[0].Location.Submitted, p.Places[1].Additional, p.Addressee.Name, p.Ref = text, text, text, text, text
		p.Redress[0].Deadline, p.Authority.Telephone, p.IssuingState, p.FirstContact.Emergency = text, text, text, text
		o := formats.AnnexOptions{Check: verifyPage, Standalone: true}
		page, err1 := formats.OrderHTML(lang, p, o)
		pdf, err2 := formats.OrderPDF(lang, p, o)
		if err1 == nil && (!bytes.Contains(page, []byte(concert.OrderDuty)) || bytes.ContainsRune(page, '\u202e')) {
			t.Error("the page lost the duty, or shows a mark of direction")
		}
		if err1 == nil && err2 == nil && !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Error("no PDF")
		}
		i := impossible()
		i.Further, i.Order, i.Places[0], i.Person = text, text, text, text
		if _, err := formats.ImpossiblePDF(lang, i, o); err == nil {
			if _, err := formats.ImpossibleHTML(lang, i, o); err != nil {
				t.Error(err)
			}
		}
	})
}

func BenchmarkOrderPDF(b *testing.B) {
	p := order(2)
	for b.Loop() {
		if _, err := formats.OrderPDF("ar", p, formats.AnnexOptions{Check: verifyPage}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOrderHTML(b *testing.B) {
	p := order(2)
	for b.Loop() {
		if _, err := formats.OrderHTML("ar", p, formats.AnnexOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParseAnnexWords(f *testing.F) {
	for _, lang := range []string{"en", "ar"} {
		text, err := os.ReadFile("annex/" + lang + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"language":"it","texts":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		w, err := formats.ParseAnnexWords(text)
		if err != nil {
			return
		}
		page, err := formats.OrderHTML("", order(1), formats.AnnexOptions{Words: w, Standalone: true})
		if err != nil || !strings.Contains(shownText(t, page), concert.OrderDuty) {
			t.Errorf("wording that was taken draws no order: %v", err)
		}
	})
}
