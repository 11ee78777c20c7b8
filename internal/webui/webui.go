// Package webui is the door for people: HTML pages over the acts of casework.
// Every page can be read, assessed on, approved on and answered on without
// JavaScript; two small modules only save a step (one-time links) and keep the
// wall board live. Nothing is loaded from outside, nothing is inline, and no
// place ever stands on a page as a link.
//
// It decides nothing: what may be done is asked of casework, and a form that is
// shown to someone who may not use it is refused there all the same.
package webui

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"concert/internal/casework"
	"concert/internal/httpkit"
)

// UI is the HTML door of one node.
type UI struct {
	svc    *casework.Service
	hub    *casework.Hub
	log    *slog.Logger
	assets assets
	cookie string
	secure bool
	cross  *http.CrossOriginProtection

	mu    sync.Mutex // guards feeds
	feeds map[string]*feed
}

// New is a UI over a service; the hub tells the boards when the log has grown.
// It fails only when the embedded assets cannot be read.
func New(svc *casework.Service, hub *casework.Hub, log *slog.Logger) (*UI, error) {
	a, err := readAssets()
	if err != nil {
		return nil, err
	}
	u := &UI{svc: svc, hub: hub, log: log, assets: a, cookie: httpkit.SessionCookiePlain, cross: http.NewCrossOriginProtection(), feeds: map[string]*feed{}}
	if strings.HasPrefix(svc.BaseURL, "https://") {
		u.cookie, u.secure = httpkit.SessionCookie, true
	}
	return u, nil
}

// Register puts the pages on the mux, with a page of its own for every path
// that nobody else takes.
func (u *UI) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /assets/{name}", u.assets.serve)
	mux.HandleFunc("/", u.serve(anyone, u.missing))

	mux.HandleFunc("GET /{$}", u.serve(person, u.home))
	mux.HandleFunc("GET /enter", u.serve(anyone, u.enterForm))
	mux.HandleFunc("POST /enter", u.serve(anyone, u.enter))
	mux.HandleFunc("GET /login", u.serve(anyone, u.loginForm))
	mux.HandleFunc("POST /login", u.serve(anyone, u.login))
	mux.HandleFunc("POST /logout", u.serve(person, u.logout))
	mux.HandleFunc("GET /password", u.serve(person, u.passwordForm))
	mux.HandleFunc("POST /password", u.serve(person, u.setPassword))
	mux.HandleFunc("GET /justification", u.serve(person, u.justificationForm))
	mux.HandleFunc("POST /justification", u.serve(person, u.justify))

	mux.HandleFunc("GET /items", u.serve(person, u.items))
	mux.HandleFunc("GET /submit", u.serve(person, u.submitForm))
	mux.HandleFunc("POST /submit", u.serve(person, u.submitItems))
	mux.HandleFunc("GET /items/{ref}", u.serve(person, u.item))
	mux.HandleFunc("POST /items/{ref}/assessment", u.serve(person, u.assessItem))
	mux.HandleFunc("POST /items/{ref}/decision", u.serve(person, u.decideItem))
	mux.HandleFunc("POST /items/{ref}/remedy", u.serve(person, u.remedyItem))
	mux.HandleFunc("POST /items/{ref}/observation", u.serve(person, u.observeItem))
	mux.HandleFunc("GET /approvals", u.serve(person, u.approvals))
	mux.HandleFunc("GET /holds", u.serve(person, u.holds))
	mux.HandleFunc("POST /holds", u.serve(person, u.placeHold))
	mux.HandleFunc("POST /holds/{ref}/release", u.serve(person, u.releaseHold))

	mux.HandleFunc("GET /referrals", u.serve(person, u.inbox))
	mux.HandleFunc("GET /referrals/{ref}", u.serve(person, u.referral))
	mux.HandleFunc("POST /referrals/{ref}/acknowledgement", u.serve(person, u.acknowledgeReferral))
	mux.HandleFunc("POST /referrals/{ref}/answer", u.serve(person, u.answerReferral))

	mux.HandleFunc("GET /actions", u.serve(person, u.actions))
	mux.HandleFunc("GET /actions/{ref}", u.serve(person, u.board))
	mux.HandleFunc("GET /actions/{ref}/stream", u.serve(person, u.stream))
	mux.HandleFunc("GET /actions/{ref}/report", u.serve(person, u.report))
	mux.HandleFunc("GET /actions/{ref}/report.csv", u.serve(person, u.reportCSV))

	mux.HandleFunc("GET /scope", u.serve(anyone, u.scope))
	mux.HandleFunc("GET /counting", u.serve(anyone, u.counting))
	mux.HandleFunc("GET /log", u.serve(anyone, u.logHead))

	mux.HandleFunc("GET /audit", u.serve(person, u.audit))
	mux.HandleFunc("GET /audit/export", u.serve(person, u.auditExport))
}
