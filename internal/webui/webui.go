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
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"slices"
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
	device string // name of the cookie by which a device is known
	secure bool
	limits httpkit.Limits
	cross  *http.CrossOriginProtection

	packers sync.Pool // of *gzip.Writer

	mu    sync.Mutex // guards feeds
	feeds map[feedKey]*feed
}

// New is a UI over a service; the hub tells the boards when the log has grown.
// It fails only when the embedded assets cannot be read.
func New(svc *casework.Service, hub *casework.Hub, log *slog.Logger) (*UI, error) {
	a, err := readAssets()
	if err != nil {
		return nil, err
	}
	u := &UI{svc: svc, hub: hub, log: log, assets: a, cookie: httpkit.SessionCookiePlain, device: httpkit.DeviceCookiePlain, cross: http.NewCrossOriginProtection(), feeds: map[feedKey]*feed{}}
	u.packers.New = func() any {
		z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // fails for an unknown level only
		return z
	}
	if strings.HasPrefix(svc.BaseURL, "https://") {
		u.cookie, u.device, u.secure = httpkit.SessionCookie, httpkit.DeviceCookie, true
	}
	return u, nil
}

// route is one page or form: the pattern it stands at, and what answers there.
type route struct {
	pattern string
	handler http.HandlerFunc
}

// Register puts the pages on the mux, with a page of its own for every path
// that nobody else takes.
func (u *UI) Register(mux *http.ServeMux) {
	for _, r := range u.routes() {
		mux.HandleFunc(r.pattern, r.handler)
	}
}

// Routes are the patterns of every page and form, in the form of
// http.ServeMux: what a test of who may do what goes through.
func (u *UI) Routes() []string {
	var out []string
	for _, r := range u.routes() {
		out = append(out, r.pattern)
	}
	return out
}

// routes are those of every feature, a group in the file of each.
func (u *UI) routes() []route {
	all := slices.Concat(
		u.deskRoutes(),
		u.preferenceRoutes(),
		u.designRoutes(),
		u.flowRoutes(),
		u.batchRoutes(),
		u.captureRoutes(),
		u.securityRoutes(),
		u.listRoutes(),
		u.linkRoutes(),
		u.caseRoutes(),
		u.incidentRoutes(),
		u.watchRoutes(),
		u.secondLookRoutes(),
		u.languageRoutes(),
		u.actionRoutes(),
		u.portalRoutes(),
		u.orderPortalRoutes(),
		u.exposureRoutes(),
		u.registerRoutes(),
		u.knownRoutes(),
		u.redressRoutes(),
		u.publicRoutes(),
		u.orderRoutes(),
		u.threatRoutes(),
		u.evidenceRoutes(),
		u.analysisRoutes(),
		u.auditRoutes(),
	)
	if u.svc.Host {
		return u.hostRoutes(all)
	}
	return all
}

func (u *UI) deskRoutes() []route {
	return []route{
		{"GET /assets/{name}", u.assets.serve},
		{"/", u.serve(anyone, u.missing)},

		{"GET /{$}", u.serve(person, u.home)},
		{"GET /enter", u.serve(anyone, u.enterForm)},
		{"POST /enter", u.serve(anyone, u.enter)},
		{"GET /login", u.serve(anyone, u.loginForm)},
		{"POST /login", u.serve(anyone, u.login)},
		{"POST /logout", u.serve(halfway, u.logout)},
		{"GET /password", u.serve(enrolling, u.passwordForm)},
		{"POST /password", u.serve(enrolling, u.setPassword)},
		{"GET /justification", u.serve(person, u.justificationForm)},
		{"POST /justification", u.serve(person, u.justify)},

		{"GET /items", u.serve(person, u.items)},
		{"GET /submit", u.serve(person, u.submitForm)},
		{"POST /submit", u.serve(person, u.submitItems)},
		{"GET /items/{ref}", u.serve(person, u.item)},
		{"POST /items/{ref}/assessment", u.serve(person, u.assessItem)},
		{"POST /items/{ref}/decision", u.serve(person, u.decideItem)},
		{"POST /items/{ref}/remedy", u.serve(person, u.remedyItem)},
		{"POST /items/{ref}/observation", u.serve(person, u.observeItem)},
		{"GET /approvals", u.serve(person, u.approvals)},
		{"GET /holds", u.serve(person, u.holds)},
		{"POST /holds", u.serve(person, u.placeHold)},
		{"POST /holds/{ref}/release", u.serve(person, u.releaseHold)},

		{"GET /referrals", u.serve(person, u.inbox)},
		{"GET /referrals/{ref}", u.serve(person, u.referral)},
		{"POST /referrals/{ref}/acknowledgement", u.serve(person, u.acknowledgeReferral)},
		{"POST /referrals/{ref}/answer", u.serve(person, u.answerReferral)},

		{"GET /actions", u.serve(person, u.actions)},
		{"GET /actions/{ref}", u.serve(person, u.board)},
		{"GET /actions/{ref}/stream", u.serve(person, u.stream)},
		{"GET /actions/{ref}/report", u.serve(person, u.report)},
		{"GET /actions/{ref}/report.csv", u.serve(person, u.reportCSV)},

		{"GET /scope", u.serve(anyone, u.scope)},
		{"GET /counting", u.serve(anyone, u.counting)},
		{"GET /log", u.serve(anyone, u.logHead)},

		{"GET /account", u.serve(person, u.account)},
		{"POST /account/keys", u.serve(person, u.issueKey)},
		{"POST /account/keys/{key}/revoke", u.serve(person, u.revokeKey)},
		{"GET /people", u.serve(person, u.people)},
		{"POST /people", u.serve(person, u.addPerson)},
		{"GET /people/{operator}", u.serve(person, u.person)},
		{"POST /people/{operator}/confirm", u.serve(person, u.confirmPerson)},
		{"POST /people/{operator}/roles", u.serve(person, u.changeRoles)},
		{"POST /people/{operator}/link", u.serve(person, u.linkPerson)},
		{"POST /people/{operator}/disable", u.serve(person, u.disablePerson)},
		{"POST /people/{operator}/keys/{key}/revoke", u.serve(person, u.revokePersonKey)},

		{"POST /holds/{ref}/renew", u.serve(person, u.renewHold)},
		{"POST /items/{ref}/override", u.serve(person, u.overrideHold)},
		{"POST /items/{ref}/override/review", u.serve(person, u.reviewOverride)},
		{"GET /alarms", u.serve(person, u.alarms)},

		{"GET /dispatch", u.serve(person, u.dispatch)},
		{"POST /dispatch/hold", u.serve(person, u.holdDispatch)},
		{"POST /dispatch/release", u.serve(person, u.releaseDispatch)},

		{"POST /items/{ref}/erasure", u.serve(person, u.askErasure)},
		{"POST /items/{ref}/erasure/confirm", u.serve(person, u.eraseItem)},
		{"GET /items/{ref}/erasure.json", u.serve(person, u.erasureProof)},
		{"POST /items/{ref}/legal-hold", u.serve(person, u.legalHold)},
		{"POST /items/{ref}/handling", u.serve(person, u.changeHandling)},

		{"POST /approvals/copies", u.serve(person, u.approveCopies)},
		{"GET /accuracy", u.serve(person, u.accuracy)},

		{"GET /audit", u.serve(person, u.audit)},
		{"GET /audit/export", u.serve(person, u.auditExport)},
	}
}
