package webui

import (
	"bytes"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"concert"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// addressed is a deployment in which an authority issues orders, with the door for people before it; "portal" answers for the
// provider.
func addressed(t *testing.T) (*testkit.Competent, *house) {
	t.Helper()
	svc := testkit.Service(t, "sqlite")
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	server := httptest.NewServer(httpkit.Security(httpkit.Bounded(log, mux)))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	svc.BaseURL = server.URL
	c := testkit.FurnishCompetent(t, svc)
	ui, err := New(svc, casework.NewHub(svc), log)
	must(t, err)
	ui.Register(mux)
	h := &house{t: t, svc: svc, ui: ui, server: server, log: &bytes.Buffer{}, people: map[string]concert.Person{}, links: map[string]string{}, codes: map[string]string{}}
	p, err := svc.AddPerson(t.Context(), c.Admin, concert.Person{Name: "EXERCISE portal", Login: "portal", Roles: []concert.Role{concert.RoleProviderAnswerer}}, "", c.Hooked.Ref, "")
	must(t, err)
	h.people["portal"], h.links["portal"] = p.Person, p.Link
	return c, h
}

// later is a day after the keys of the house were made.
func later() time.Time { return time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour) }

func annex2() url.Values {
	return url.Values{"measure": {"removed"}, "measure_at": {later().Format("2006-01-02T15:04")}, "person": {"EXERCISE Moderator"}, "email": {"orders@video.example"}}
}

func TestProviderReadsAndAnswersAnOrderWithoutScripts(t *testing.T) {
	t.Parallel()
	c, h := addressed(t)
	c.At(later(), 1)
	o := c.Issued(testkit.Page(1))
	v := h.as("portal")
	if p := v.get("/"); p.path != "/own-orders" {
		t.Errorf("with an order waiting one begins at %s", p.path)
	}
	v.get("/own-orders").want(t, http.StatusOK, o.Ref, concert.OrderDuty, "min left, ends")
	at := "/own-orders/" + o.Ref
	p := v.get(at).want(t, http.StatusOK, concert.OrderDuty, "received: the hour runs", "proves the receipt", "EXERCISE: the made-up video carries", "EXERCISE-1/2026", "Annex II: it is done", "Annex III: it cannot be done")
	if strings.Contains(p.text(), concert.VoluntaryNotice) {
		t.Error("G01: an order says that it is voluntary")
	}
	v.get(at+"?annex=ar").want(t, http.StatusOK, o.Ref)
	for file, begins := range map[string]string{"order.pdf": "%PDF-", "order.html": "<!DOCTYPE html>", "order.json": "{"} {
		res, err := v.http.Get(v.base + at + "/" + file)
		must(t, err)
		raw, err := io.ReadAll(res.Body)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(string(raw), begins) || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %.40q", file, res.StatusCode, raw)
		}
	}
	// Annex III stops the hour, and what was typed is kept where something is missing.
	bad := url.Values{"reasons": {"manifest_errors"}, "further": {"EXERCISE: this address leads to nothing that we host."}, "person": {"EXERCISE Moderator"}}
	p = v.post(at+"/impossible", bad).want(t, http.StatusUnprocessableEntity, "Not recorded yet")
	if got := p.value("further"); got != bad.Get("further") {
		t.Errorf("kept: %q", got)
	}
	bad.Set("email", "orders@video.example")
	bad.Set("needed", "EXERCISE: the whole address.")
	v.post(at+"/impossible", bad).want(t, http.StatusOK, "stands still", "What hindered us is over")
	v.post(at+"/over", url.Values{"reason": {"EXERCISE: we found it after all, a minute ago."}}).want(t, http.StatusOK, "clarified: the hour runs anew")
	v.post(at+"/feedback", annex2()).want(t, http.StatusOK, "carried out", "Keep until", "six months")
	if p := v.get(at + "/statements.json"); p.status != http.StatusOK || !strings.Contains(p.body, "DECISION_GROUND_ILLEGAL_CONTENT") || strings.Contains(p.body, "video.example") {
		t.Errorf("statements: %d %s", p.status, p.body)
	}
	v.get("/own-orders").want(t, http.StatusOK, "Nothing here.")
	v.get("/own-orders?view=all").want(t, http.StatusOK, o.Ref)
}

func TestG01ReferralPagesNeverOfferOrderFormsNorTheOtherWayRound(t *testing.T) {
	t.Parallel()
	c, h := addressed(t)
	c.At(later(), 120)
	o := c.Issued(testkit.Page(1))
	items := c.Approved(testkit.Page(2))
	testkit.Run(t, h.svc)
	var referral string
	testkit.Await(t, "the referral", func() bool { referral = c.Item(items[0].Ref).ReferredAs; return referral != "" })
	v := h.as("portal")
	for _, path := range []string{"/referrals", "/own", "/own/referrals", "/referrals/" + referral} {
		p := v.get(path).want(t, http.StatusOK)
		if main := textOf(p.first(tag("main"))); strings.Contains(main, o.Ref) || strings.Contains(main, concert.OrderDuty) || strings.Contains(p.body, `name="measure"`) || strings.Contains(p.body, "/feedback") {
			t.Errorf("%s speaks of orders", path)
		}
	}
	for _, path := range []string{"/own-orders", "/own-orders/" + o.Ref} {
		p := v.get(path).want(t, http.StatusOK)
		if main := textOf(p.first(tag("main"))); strings.Contains(main, referral) || strings.Contains(p.body, "refusing has no consequence") || strings.Contains(main, concert.VoluntaryNotice) || strings.Contains(p.body, "refused_not_violating") {
			t.Errorf("%s speaks of referrals", path)
		}
	}
	v.get("/own-orders/"+referral).want(t, http.StatusNotFound)
	v.get("/referrals/"+o.Ref).want(t, http.StatusNotFound)
	v.post("/own-orders/"+referral+"/feedback", annex2()).want(t, http.StatusNotFound)
}

func TestAnybodyChecksAnOrderAndLearnsNothingOfItsContent(t *testing.T) {
	t.Parallel()
	c, h := addressed(t)
	c.At(later(), 1)
	o := c.Issued(testkit.Page(1))
	file, err := c.OrderFile(t.Context(), testkit.Scope(t, c.Answerer), o.Ref)
	must(t, err)
	pdf, err := c.OrderDocument(t.Context(), testkit.Scope(t, c.Answerer), o.Ref, "en", true)
	must(t, err)
	v := h.visitor()
	hidden := func(p *page) {
		t.Helper()
		for _, s := range []string{"video[.]example", "video.example/", "watch?v=", "made-up video", "IT-"} {
			if strings.Contains(p.body, s) {
				t.Errorf("the public check shows %q", s)
			}
		}
	}
	v.get("/verify/order").want(t, http.StatusOK)
	p := v.get("/verify/order?ref="+o.Ref+"&digest="+o.Digest[:16]).want(t, http.StatusOK, "valid", "EXERCISE Authority Spain", c.Hooked.Name, o.Digest, "issued, and not ended")
	hidden(p)
	for _, wrong := range []string{"ref=" + o.Ref + "&digest=0000-0000-0000-0000", "ref=OR-0000-0000-00000&digest=" + o.Digest[:16]} {
		p = v.get("/verify/order?"+wrong).want(t, http.StatusOK, "invalid", "invalid (ref): no order")
		if strings.Contains(p.text(), "EXERCISE Authority Spain") {
			t.Errorf("a wrong code tells who issued: %s", wrong)
		}
	}
	v.get("/verify/order?ref="+o.Ref+"&digest=12").want(t, http.StatusUnprocessableEntity, "sixteen digits")
	send := func(raw []byte) *page {
		t.Helper()
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		part, err := w.CreateFormFile("file", "order")
		must(t, err)
		_, err = part.Write(raw)
		must(t, err)
		must(t, w.Close())
		return v.read(v.http.Post(h.server.URL+"/verify/order", w.FormDataContentType(), &b))
	}
	hidden(send(file).want(t, http.StatusOK, "valid", "event"))
	hidden(send(pdf).want(t, http.StatusOK, "valid"))
	send(bytes.Replace(file, []byte(`"payload":"`), []byte(`"payload":"A`), 1)).want(t, http.StatusOK, "invalid: the file is no order")
	send(nil).want(t, http.StatusUnprocessableEntity)
	send([]byte("%PDF-1.7 nothing")).want(t, http.StatusOK, "invalid")
	_, err = c.WithdrawOrder(t.Context(), c.Issuer, o.Ref, 0, "EXERCISE: it was a report of a news desk.")
	must(t, err)
	hidden(v.get("/verify/order?ref="+o.Ref+"&digest="+o.Digest[:16]).want(t, http.StatusOK, "withdrawn: it binds no more"))
	// A guesser is stopped.
	for range 80 {
		if p = v.get("/verify/order?ref=" + o.Ref + "&digest=0000000000000000"); p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests {
			return
		}
	}
	t.Errorf("80 checks in a row, and still %d", p.status)
}

func TestG11ScannerOfAnOrdersMailProvesNothing(t *testing.T) {
	t.Parallel()
	c, h := addressed(t)
	post := c.Post()
	c.MailContact(c.Hooked, "orders@video.example", concert.MailSingle, func(p *concert.ContactPoint) { p.Purpose = concert.ForOrders })
	c.At(later(), 1)
	o := c.Issued(testkit.Page(1))
	testkit.Run(t, h.svc)
	testkit.Await(t, "the mail", func() bool { return len(post.Got()) == 1 })
	token := orderTokenIn(t, post.Got()[0].Text)
	status := func() concert.OrderStatus {
		v, err := c.ReadOrder(t.Context(), testkit.Scope(t, c.Officer), o.Ref)
		must(t, err)
		return v.Status
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+"/order-answer/"+token, nil)
		must(t, err)
		res, err := h.server.Client().Do(r)
		must(t, err)
		text, err := io.ReadAll(res.Body)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != http.StatusOK || strings.Contains(string(text), o.Ref) || strings.Contains(string(text), "video[.]example") {
			t.Errorf("%s: %d, and it tells of the order", method, res.StatusCode)
		}
	}
	if got := status(); got != concert.OrderIssued {
		t.Errorf("a scanner made the order %s", got)
	}
	res, err := http.PostForm(h.server.URL+"/order-answer/"+token, url.Values{"token": {"another"}})
	must(t, err)
	res.Body.Close()
	if got := status(); res.StatusCode != http.StatusForbidden || got != concert.OrderIssued {
		t.Errorf("a form without the token: %d, %s", res.StatusCode, got)
	}
	res, err = http.PostForm(h.server.URL+"/order-answer/"+token, url.Values{"token": {token}})
	must(t, err)
	res.Body.Close()
	if got := status(); res.StatusCode != http.StatusOK || got != concert.OrderReceived {
		t.Errorf("the button: %d, %s", res.StatusCode, got)
	}
}

func orderTokenIn(t *testing.T, text string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "/order-answer/")
	if !found {
		t.Fatalf("no link in:\n%s", text)
	}
	token, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(token)
}

// In a real browser: the portal and the link, wide, on a telephone and in Arabic.
func TestBrowserProviderCarriesOutAnOrder(t *testing.T) {
	c, h := addressed(t)
	post := c.Post()
	c.MailContact(c.Hooked, "orders@video.example", concert.MailSingle, func(p *concert.ContactPoint) { p.Purpose = concert.ForOrders })
	c.At(later(), 1)
	one, two := c.Issued(testkit.Page(1)), c.Issued(testkit.Page(2))
	testkit.Run(t, h.svc)
	testkit.Await(t, "both mails", func() bool { return len(post.Got()) == 2 })
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	must(t, err)
	dir := shots()
	if dir == "" {
		dir = t.ArtifactDir()
	}
	browser := startBrowser(t)
	w := h.browse(t, browser, dir)
	look := func(name string) {
		t.Helper()
		for _, width := range []int64{1280, 380} {
			w.do(chromedp.EmulateViewport(width, 900))
			if wide := get(w, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > width+2 {
				t.Errorf("%s is %d wide in %d", name, wide, width)
			}
			w.picture(name + "-" + map[int64]string{1280: "wide", 380: "phone"}[width])
		}
		w.judge(string(axe), name)
	}
	// Without an account, by the mail's link.
	var mail string
	for _, m := range post.Got() {
		if strings.Contains(m.Text, two.Ref) {
			mail = m.Text
		}
	}
	token := orderTokenIn(t, mail)
	w.open("/order-answer/"+token, "main form")
	look("order-link-greet")
	w.do(click("main form button"), visible("#annex2"))
	look("order-link")
	w.do(typed("#f-person", "EXERCISE Moderator"), typed("#f-email", "orders@video.example"), click("form:has(#f-measure) button"), visible("#receipt"))
	look("order-link-receipt")
	// With an account.
	w.enter(h, "portal")
	w.open("/own-orders", "main table")
	look("own-orders")
	w.do(click("main table th a"), visible("#annex2"))
	look("own-order")
	w.do(click("#f-reasons input[value=insufficient_information]"), typed("#f-further", "EXERCISE: there are two videos at this address."), typed("#f-needed", "EXERCISE: which of them."), typed("#f-i-person", "EXERCISE Moderator"), typed("#f-i-email", "orders@video.example"), click("form:has(#f-reasons) button"), visible("#over"))
	look("own-order-impossible")
	w.do(typed("#f-reason", "EXERCISE: we know which one, since a minute."), click("form:has(#f-reason) button"), visible("#annex3"))
	w.do(typed("#f-person", "EXERCISE Moderator"), typed("#f-email", "orders@video.example"), click("form:has(#f-measure) button"), visible("main:not(:has(#f-measure))"))
	look("own-order-done")
	w.open("/verify/order?ref="+one.Ref+"&digest="+one.Digest[:16], "#verdict")
	look("verify")
	w.open("/preferences?next=/preferences", "main form")
	w.do(click("input[name=language][value=ar]"), click("main form button"), visible("html[dir=rtl] main"))
	w.open("/own-orders/"+one.Ref+"?annex=ar", "#documents")
	look("own-order-ar")
	for _, o := range []concert.Order{one, two} {
		v, err := c.ReadOrder(t.Context(), testkit.Scope(t, c.Officer), o.Ref)
		must(t, err)
		if v.Status != concert.OrderExecuted {
			t.Errorf("%s is %s", o.Ref, v.Status)
		}
	}
}
