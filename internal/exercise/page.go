package exercise

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"concert"
)

// page is what a visitor of an item's place sees.
type page struct {
	status int
	text   string // for the body; "" for the content itself
	markup string // a platform's own marker in the head
}

// backAfter is after what time content comes back where it does: the next day,
// and before whoever looks once a day looks again.
const backAfter = 20 * time.Hour

// pageOf is what the item's page shows now. Before its provider acted it is the
// content.
func (p *provider) pageOf(n uint32) page {
	s := p.world.script
	if !p.world.hasActed(n) {
		return page{status: http.StatusOK}
	}
	look := s.pick(n, drawLook, 10)
	switch s.outcome(n) {
	case saysRemoved, saysDisabled, saysSuspended, saysUnavailable, saysLate:
		switch {
		case look < 6:
			return page{status: http.StatusNotFound, text: "Page not found."}
		case look >= 9 && p.plan.marker != "":
			return page{status: http.StatusOK, text: "This content has been removed.", markup: p.plan.marker}
		}
		return page{status: http.StatusGone, text: "This content has been removed."}
	case saysRestricted:
		return page{status: http.StatusOK, text: "Confirm your age to go on."}
	case saysCountries:
		return page{status: http.StatusUnavailableForLegalReasons, text: "This content is not available in your country."}
	case saysRemovedWalled:
		if look < 5 {
			return page{status: http.StatusForbidden, text: "Checking your browser before accessing this page."}
		}
		return page{status: http.StatusOK, text: "Log in to continue."}
	case saysRemovedSoft:
		return page{status: http.StatusOK, text: "This video has been removed."}
	case saysRemovedReturns:
		if p.returned(n) {
			return page{status: http.StatusOK}
		}
		return page{status: http.StatusNotFound, text: "Page not found."}
	}
	return page{status: http.StatusOK}
}

// returned reports whether the content is back: the next day after a visitor
// found it gone and wrote that down. A visitor that died over it has seen
// nothing.
func (p *provider) returned(n uint32) bool {
	now := p.world.now()
	p.mu.Lock()
	gone, ok := p.goneSince[n]
	back, item := p.back[n], p.itemOf[n]
	if !ok {
		p.goneSince[n] = now
	}
	p.mu.Unlock()
	if back || !ok || now.Sub(gone) < backAfter {
		return back
	}
	back = p.seenGone(item)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back[n] = back
	if !back {
		p.goneSince[n] = now
	}
	return back
}

// seenGone reports whether the item is on record as gone. Before there are
// people who could be asked, it is.
func (p *provider) seenGone(item string) bool {
	who := p.world.onlooker.Load()
	if who == nil || item == "" {
		return true
	}
	var gone bool
	p.world.within(func(ctx context.Context) {
		it, err := who.Item(ctx, item)
		gone = err == nil && it.Observed == string(concert.ObservedDown)
	})
	return gone
}

// servePage answers for every place at the provider; a place that the plan does
// not know is not there.
func (p *provider) servePage(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		rw.Header().Set("Allow", "GET, HEAD")
		rw.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s := p.world.script
	uri := r.URL.RequestURI()
	if uri == "/" {
		writePage(rw, http.StatusOK, "", "EXERCISE "+p.plan.name, "The front page of an invented provider.")
		return
	}
	n, ok := number(uri)
	if !ok || n >= s.total || !strings.HasSuffix(strings.TrimSuffix(s.place(n), "/"), strings.TrimSuffix(uri, "/")) || s.provider(n) != p.index && s.fate(n) != toGuard {
		writePage(rw, http.StatusNotFound, "", "EXERCISE not found", "Page not found.")
		return
	}
	switch v := p.pageOf(n); v.text {
	case "":
		// A player, as on a platform's page: by it a visitor tells content from a notice.
		writePage(rw, v.status, `<meta property="og:video" content="/media">`, "EXERCISE "+token(n), scenes[s.pick(n, drawText, len(scenes))], s.mark(n))
	default:
		writePage(rw, v.status, v.markup, "EXERCISE notice", v.text)
	}
}

func writePage(rw http.ResponseWriter, status int, markup, title string, paragraphs ...string) {
	head, body := markup, ""
	if strings.HasPrefix(markup, "<div") {
		head, body = "", markup
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">%s<title>%s</title></head><body>%s<h1>%s</h1>", head, html.EscapeString(title), body, html.EscapeString(title))
	for _, text := range paragraphs {
		if text != "" {
			fmt.Fprintf(&b, "<p>%s</p>", html.EscapeString(text))
		}
	}
	b.WriteString("<p>Made up for an exercise: no real material, no real person.</p></body></html>\n")
	rw.WriteHeader(status)
	// A visitor who has gone away needs no page.
	_, _ = rw.Write([]byte(b.String())) // a client that went away hears nothing
}
