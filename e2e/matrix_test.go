package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
	"concert/internal/webui"
)

// The visitors of the matrix: each role, and for each side somebody of another tenant.
const (
	nobody      = "nobody"
	officer     = "officer"      // of North, found and judged the items
	colleague   = "colleague"    // another officer of North
	reviewer    = "reviewer"     // of North
	stranger    = "stranger"     // officer of South, which found nothing
	outsider    = "outsider"     // reviewer of South
	coordinator = "coordinator"  // of North
	auditor     = "auditor"      // with a justification
	mute        = "mute auditor" // without one
	admin       = "administrator"
	answerer    = "answerer"   // of the provider that the referral is addressed to
	reader      = "reader"     // of that provider
	rival       = "rival"      // answers for another provider
	magistrate  = "magistrate" // of a court, which decides on North's request
	boss        = "boss"       // administrator of that provider's people, and no more
)

var visitors = []string{nobody, officer, colleague, reviewer, stranger, outsider, coordinator, auditor, mute, admin, answerer, reader, rival, magistrate, boss}

// who is a set of visitors.
type who []string

var (
	authoritySide = who{officer, colleague, reviewer, stranger, outsider, coordinator}
	north         = who{officer, colleague, reviewer, coordinator}
	officers      = who{officer, colleague, stranger}
	everyone      = who(visitors)
	known         = who(visitors[1:])
	// anonymous routes tell strangers apart by what they bring, not by who they are: only that nothing breaks is looked at.
	anonymous = who{"anonymous"}
)

// outside are those who may read nothing of what North alone knows.
var outside = who{nobody, stranger, outsider, mute, answerer, reader, rival, boss}

// row is what one route allows: who, on which object, with which body. A placeholder like {open} in path or body is the
// reference of a thing, {open.v} its version.
type row struct {
	may  who
	ref  string // what {id} or {ref} stands for; "" where there is none
	body string // JSON under /api/, else a form
}

// matrix classifies every route of both doors: the rows of every feature, a map in the file of each. A route that is not here
// fails the test: say who may use it.
func matrix(t *testing.T) map[string]row {
	t.Helper()
	all := map[string]row{}
	for _, rows := range []map[string]row{
		deskRows,
		designRows,
		actionRows,
		captureRows,
		batchRows,
		securityRows,
		listRows,
		mailRows,
		caseRows,
		portalRows,
		orderPortalRows,
		flowRows,
		exposureRows,
		knownRows,
		bankRows,
		publicRows,
		orderPageRows,
		orderRows,
		remedyRows,
		threatRows,
		auditRows,
		evidenceRows,
	} {
		for pattern, r := range rows {
			if _, twice := all[pattern]; twice {
				t.Fatalf("two rows for %s", pattern)
			}
			all[pattern] = r
		}
	}
	return all
}

// designRows are the pages about the pages.
var designRows = map[string]row{
	"GET /preferences":  {may: everyone},
	"POST /preferences": {may: anonymous},
	"GET /design":       {may: everyone},
}

var deskRows = map[string]row{
	// What machines and verifiers read without a key.
	"GET /log/checkpoint": {may: everyone},
	"GET /log/tile/":      {may: anonymous},
	"GET /log/cosigned":   {may: anonymous},
	"GET /api/v1/keys":    {may: everyone},
	"GET /api/v1/scope":   {may: everyone},
	"GET /api/v1/me":      {may: known},

	// Registers.
	"POST /api/v1/authorities":        {may: who{admin}, body: `{"name":"EXERCISE Unit New","country":"XN","kind":"referral_unit","unit":"NEW-{n}","contact":"EXERCISE"}`},
	"POST /api/v1/providers":          {may: who{admin}, body: `{"name":"EXERCISE New","kind":"social","country":"XN","zone":"UTC","channel":"pull","platforms":["new{n}.example"],"contact":"EXERCISE"}`},
	"POST /api/v1/people":             {may: who{admin}, body: `{"name":"EXERCISE New","login":"new-{n}","roles":["provider_reader"],"provider":"{provider}"}`},
	"POST /api/v1/outlets":            {may: append(who{admin}, authoritySide...), body: `{"name":"EXERCISE Outlet {n}"}`},
	"POST /api/v1/scope":              {may: who{reviewer, outsider, coordinator}, body: `{"outlet":"{outlet}","legal_act":"EXERCISE Decision 2","authority":"EXERCISE Council","citation":"EXERCISE Journal","listed_on":"2019-01-01"}`},
	"POST /api/v1/scope/{id}/confirm": {may: who{reviewer, outsider}, ref: "{scope}"},
	"POST /api/v1/scope/{id}/delist":  {may: who{reviewer, outsider, coordinator}, ref: "{scope}", body: `{"on":"2019-06-01"}`},

	// Joint actions: numbers only, for whoever works for an authority or audits.
	"POST /api/v1/actions":                   {may: who{coordinator}, body: `{"name":"EXERCISE action {n}","lead":"{north}","mandate":"EXERCISE mandate","starts_at":"2019-11-21T08:00:00Z","ends_at":"2019-11-24T08:00:00Z"}`},
	"GET /api/v1/actions/{id}":               {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"GET /api/v1/actions/{id}/board":         {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"POST /api/v1/actions/{id}/participants": {may: who{coordinator}, ref: "{action}", body: `{"authority":"{south}","part":"judicial"}`},
	"POST /api/v1/actions/{id}/phase":        {may: who{coordinator}, ref: "{action}", body: `{"phase":"collect"}`},
	"POST /api/v1/actions/{id}/targets":      {may: who{coordinator}, ref: "{action}", body: `{"outlet":"{outlet}"}`},

	// Items.
	"GET /api/v1/items":                   {may: append(who{auditor}, authoritySide...)},
	"POST /api/v1/items":                  {may: officers, body: `{"location":"http://video.example/watch?v=new{n}AbCd"}`},
	"POST /api/v1/items/batch":            {may: officers, body: `{"items":[{"location":"http://video.example/watch?v=bat{n}AbCd"}]}`},
	"GET /api/v1/items/{id}":              {may: append(who{auditor}, north...), ref: "{judged}"},
	"POST /api/v1/items/{id}/assessment":  {may: who{officer, colleague}, ref: "{open}", body: `{"type":"incites","purpose":"no_protected_purpose","outlet":"{outlet}","mark":"EXERCISE logo","mark_where":"top right","language":"ar","severity":"routine","evaluation":"A1","facts":"EXERCISE: a made-up video.","judgement":"EXERCISE: would incite."}`},
	"POST /api/v1/assessments/batch":      {may: officers, body: `{"assessments":[{"item":"{none}","version":1,"purpose":"exempt","language":"ar","severity":"routine","evaluation":"A1","facts":"EXERCISE facts","judgement":"EXERCISE judgement"}]}`},
	"POST /api/v1/items/{id}/decision":    {may: who{reviewer}, ref: "{judged}", body: `{"decision":"approve"}`},
	"POST /api/v1/decisions/batch":        {may: who{reviewer, outsider}, body: `{"decisions":[{"item":"{none}","version":1,"decision":"approve"}]}`},
	"POST /api/v1/items/{id}/observation": {may: who{officer, colleague}, ref: "{referred}", body: `{"state":"up","vantage":"EXERCISE desk"}`},
	"POST /api/v1/items/{id}/remedy":      {may: who{officer, colleague, reviewer}, ref: "{referred}", body: `{"kind":"correction","reason":"EXERCISE: corrected."}`},
	"POST /api/v1/remedies/batch":         {may: append(who{reviewer, outsider}, officers...), body: `{"remedies":[{"item":"{none}","version":1,"kind":"correction","reason":"EXERCISE: corrected."}]}`},

	// Holds.
	"GET /api/v1/holds":               {may: who{officer, colleague, reviewer, stranger, outsider}},
	"POST /api/v1/holds":              {may: officers, body: `{"location":"http://video.example/watch?v=hld{n}AbCd","contact":"EXERCISE desk"}`},
	"POST /api/v1/holds/{id}/release": {may: who{officer, colleague, reviewer}, ref: "{hold}", body: `{"reason":"EXERCISE over"}`},

	// The provider's side.
	"GET /api/v1/inbox":                       {may: who{answerer, reader, rival}},
	"GET /api/v1/referrals/{id}":              {may: append(who{auditor, answerer, reader}, north...), ref: "{referral}"},
	"POST /api/v1/referrals/{id}/acknowledge": {may: who{answerer}, ref: "{referral}"},
	"POST /api/v1/referrals/{id}/answers":     {may: who{answerer}, ref: "{referral}", body: `{"answers":[{"item":"{referred}","code":"removed"}]}`},
	"GET /api/v1/provider/statistics":         {may: who{answerer, reader, rival}},
	"POST /api/v1/provider/sandbox":           {may: who{answerer, reader, rival}},

	// Pages that anybody may see, and the ways in and out.
	"/":                   {may: anonymous},
	"GET /assets/{name}":  {may: anonymous},
	"GET /enter":          {may: everyone},
	"POST /enter":         {may: anonymous},
	"GET /login":          {may: everyone},
	"POST /login":         {may: anonymous},
	"GET /scope":          {may: everyone},
	"GET /counting":       {may: everyone},
	"GET /log":            {may: everyone},
	"GET /{$}":            {may: anonymous},
	"POST /logout":        {may: anonymous},
	"GET /password":       {may: known},
	"POST /password":      {may: anonymous},
	"GET /justification":  {may: known},
	"POST /justification": {may: anonymous},

	// Pages of the desk.
	"GET /items":                            {may: append(who{auditor}, authoritySide...)},
	"GET /submit":                           {may: officers},
	"POST /submit":                          {may: officers, body: "locations=http://video.example/watch?v=pag{n}AbCd&evaluation=A1"},
	"GET /items/{ref}":                      {may: append(who{auditor}, north...), ref: "{judged}"},
	"POST /items/{ref}/assessment":          {may: who{officer, colleague}, ref: "{open}", body: "version={open.v}&purpose=exempt"},
	"POST /items/{ref}/decision":            {may: who{reviewer}, ref: "{judged}", body: "version={judged.v}&decision=approve"},
	"POST /items/{ref}/remedy":              {may: who{officer, colleague, reviewer}, ref: "{referred}", body: "version={referred.v}&kind=correction&reason=EXERCISE+corrected"},
	"POST /items/{ref}/observation":         {may: who{officer, colleague}, ref: "{referred}", body: "version={referred.v}&state=up&vantage=EXERCISE"},
	"GET /approvals":                        {may: who{reviewer, outsider}},
	"GET /holds":                            {may: who{officer, colleague, reviewer, stranger, outsider}},
	"POST /holds":                           {may: officers, body: "location=http://video.example/watch?v=hpg{n}AbCd&contact=EXERCISE"},
	"POST /holds/{ref}/release":             {may: who{officer, colleague, reviewer}, ref: "{hold}", body: "version={hold.v}&reason=EXERCISE+over"},
	"GET /referrals":                        {may: append(who{auditor, answerer, reader, rival}, authoritySide...)},
	"GET /referrals/{ref}":                  {may: append(who{auditor, answerer, reader}, north...), ref: "{referral}"},
	"POST /referrals/{ref}/acknowledgement": {may: who{answerer}, ref: "{referral}"},
	"POST /referrals/{ref}/answer":          {may: who{answerer}, ref: "{referral}", body: "version={referral.v}&item.0={referred}&code.0=removed"},
	"GET /actions":                          {may: append(who{auditor, admin}, authoritySide...)},
	"GET /actions/{ref}":                    {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"GET /actions/{ref}/stream":             {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"GET /actions/{ref}/report":             {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"GET /actions/{ref}/report.csv":         {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},

	// People: administrators and, to read, auditors; one's own keys.
	"POST /api/v1/enter":                        {may: anonymous},
	"GET /api/v1/me/keys":                       {may: known},
	"POST /api/v1/me/keys":                      {may: known, body: `{"name":"EXERCISE {n}"}`},
	"POST /api/v1/me/keys/{id}/revoke":          {may: anonymous},
	"GET /api/v1/people":                        {may: who{admin, auditor}},
	"GET /api/v1/people/{id}":                   {may: who{admin, auditor}, ref: "{newcomer}"},
	"GET /api/v1/people/{id}/keys":              {may: who{admin}, ref: "{newcomer}"},
	"POST /api/v1/people/{id}/confirm":          {may: who{admin}, ref: "{newcomer}", body: `{"proposal":"{proposal}"}`},
	"POST /api/v1/people/{id}/disable":          {may: who{admin}, ref: "{newcomer}"},
	"POST /api/v1/people/{id}/link":             {may: who{admin}, ref: "{newcomer}"},
	"POST /api/v1/people/{id}/roles":            {may: who{admin}, ref: "{newcomer}", body: `{"roles":["reviewer"]}`},
	"GET /account":                              {may: known},
	"POST /account/keys":                        {may: known, body: "name=EXERCISE+{n}"},
	"POST /account/keys/{key}/revoke":           {may: anonymous},
	"GET /people":                               {may: who{admin, auditor}},
	"POST /people":                              {may: who{admin}, body: "name=EXERCISE+New&login=page-{n}&roles=provider_reader&provider={provider}"},
	"GET /people/{operator}":                    {may: who{admin, auditor}, ref: "{newcomer}"},
	"POST /people/{operator}/confirm":           {may: who{admin}, ref: "{newcomer}", body: "proposal={proposal}"},
	"POST /people/{operator}/roles":             {may: who{admin}, ref: "{newcomer}", body: "roles=reviewer"},
	"POST /people/{operator}/link":              {may: who{admin}, ref: "{newcomer}"},
	"POST /people/{operator}/disable":           {may: who{admin}, ref: "{newcomer}"},
	"POST /people/{operator}/keys/{key}/revoke": {may: anonymous},

	// Holds renewed, overridden, and what is alarming.
	"POST /api/v1/holds/{id}/renew":           {may: who{colleague, reviewer}, ref: "{hold}", body: `{"reason":"EXERCISE: still needed."}`},
	"POST /holds/{ref}/renew":                 {may: who{colleague, reviewer}, ref: "{hold}", body: "version={hold.v}&reason=EXERCISE+still+needed"},
	"GET /api/v1/alarms":                      {may: who{coordinator, auditor}},
	"GET /alarms":                             {may: who{coordinator, auditor}},
	"POST /items/{ref}/override":              {may: who{reviewer}, ref: "{judged}", body: "version={judged.v}&reason=EXERCISE+threat+to+life+now"},
	"POST /items/{ref}/override/review":       {may: who{reviewer, coordinator}, ref: "{passed}", body: "verdict=justified&reason=EXERCISE+threat+to+life+was+real"},
	"POST /api/v1/items/{id}/override":        {may: who{reviewer}, ref: "{judged}", body: `{"reason":"EXERCISE: a threat to life, now."}`},
	"POST /api/v1/items/{id}/override/review": {may: who{reviewer, coordinator}, ref: "{passed}", body: `{"verdict":"justified","reason":"EXERCISE: the threat was real."}`},

	// The hold on all dispatch.
	"GET /dispatch":                 {may: without(known, mute)},
	"POST /dispatch/hold":           {may: who{admin}, body: "reason=EXERCISE+big+red+button"},
	"POST /dispatch/release":        {may: who{admin}, body: "reason=EXERCISE+all+is+well"},
	"GET /api/v1/dispatch":          {may: without(known, mute)},
	"POST /api/v1/dispatch/hold":    {may: who{admin}, body: `{"reason":"EXERCISE big red button"}`},
	"POST /api/v1/dispatch/release": {may: who{admin}, body: `{"reason":"EXERCISE all is well"}`},

	// Erasure, legal holds, handling codes, exports.
	"POST /api/v1/items/{id}/erasure":         {may: who{officer, colleague, reviewer}, ref: "{open}", body: `{"code":"not_needed","reason":"EXERCISE: not needed any more."}`},
	"POST /api/v1/items/{id}/erasure/confirm": {may: who{reviewer}, ref: "{asked}"},
	"GET /api/v1/items/{id}/erasure":          {may: append(who{auditor}, north...), ref: "{gone}"},
	"POST /api/v1/items/{id}/legal-hold":      {may: who{reviewer}, ref: "{judged}", body: `{"reason":"EXERCISE: proceedings."}`},
	"POST /api/v1/items/{id}/legal-hold/lift": {may: who{reviewer}, ref: "{judged}", body: `{"reason":"EXERCISE: proceedings are over."}`},
	"POST /api/v1/items/{id}/handling":        {may: who{reviewer}, ref: "{judged}", body: `{"handling":"H1","reason":"EXERCISE: its giver says so."}`},
	"POST /api/v1/exports":                    {may: who{officer, colleague, reviewer}, body: `{"items":["{referred}"],"destination":"judicial","recipient":"EXERCISE court","justification":"EXERCISE proceedings 1"}`},
	"POST /items/{ref}/erasure":               {may: who{officer, colleague, reviewer}, ref: "{open}", body: "version={open.v}&code=not_needed&reason=EXERCISE+not+needed"},
	"POST /items/{ref}/erasure/confirm":       {may: who{reviewer}, ref: "{asked}", body: "version={asked.v}"},
	"GET /items/{ref}/erasure.json":           {may: append(who{auditor}, north...), ref: "{gone}"},
	"POST /items/{ref}/legal-hold":            {may: who{reviewer}, ref: "{judged}", body: "version={judged.v}&reason=EXERCISE+proceedings"},
	"POST /items/{ref}/handling":              {may: who{reviewer}, ref: "{judged}", body: "version={judged.v}&code=H1&reason=EXERCISE+its+giver+says+so"},

	// Copies, second looks, accuracy.
	"POST /approvals/copies":         {may: who{reviewer}, body: "copy={judged}+{judged.v}&copy={open}+{open.v}"},
	"GET /second-looks":              {may: without(authoritySide, coordinator)},
	"POST /second-looks/{ref}":       {may: who{}, ref: "{judged}", body: "verdict=agree&type=incites"},
	"GET /api/v1/second-looks":       {may: without(authoritySide, coordinator)},
	"POST /api/v1/second-looks/{id}": {may: who{}, ref: "{judged}", body: `{"verdict":"agree","type":"incites"}`},
	"GET /accuracy":                  {may: append(who{auditor}, without(authoritySide, coordinator)...)},
	"GET /api/v1/accuracy":           {may: append(who{auditor}, without(authoritySide, coordinator)...)},

	// The auditor's own (G31).
	"GET /audit":                {may: who{auditor}},
	"GET /audit/export":         {may: who{auditor}},
	"GET /api/v1/consultations": {may: who{auditor}},
	"GET /api/v1/sample":        {may: who{auditor}},
	"GET /api/v1/export":        {may: who{auditor}},
}

func without(w who, v string) who {
	return slices.DeleteFunc(slices.Clone(w), func(x string) bool { return x == v })
}

// readers may see a thing: what keeps them from an act on it may tell them more than that there is nothing.
var readers = map[string]who{
	"{waiting}": append(who{auditor}, north...), "{open}": append(who{auditor}, north...), "{judged}": append(who{auditor}, north...), "{referred}": append(who{auditor}, north...), "{passed}": append(who{auditor}, north...), "{asked}": append(who{auditor}, north...), "{gone}": append(who{auditor}, north...), "{referral}": append(who{auditor, answerer, reader}, north...),
	"{consignment}": who{coordinator, reviewer, outsider}, "{bulletin}": who{coordinator}, "{allotment}": north,
	"{capture}": append(who{auditor}, north...), "{marked}": append(who{auditor}, north...), "{hold}": north, "{batch}": north, "{template}": north, "{action}": append(who{auditor, admin}, authoritySide...), "{scope}": everyone, "{newcomer}": who{admin, auditor}, "{outlet}": append(who{auditor, admin}, authoritySide...),
	"{recommendation}": who{auditor},
	"{exhibit}":        who{officer, reviewer, auditor}, "{request}": who{officer, reviewer, auditor, magistrate}, "{lead}": who{officer, reviewer, auditor},
	"{case}": who{officer, reviewer, auditor}, "{incident}": append(who{auditor}, authoritySide...), "{watch}": who{officer, colleague, reviewer, auditor}, "{sweep}": who{officer},
	"{bank}": append(who{auditor}, north...), "{closing}": append(who{auditor}, north...), "{entry}": append(who{auditor}, north...), "{bankname}": north, "{closingname}": north,
	"{shot}": append(who{auditor}, north...), "{order}": ordering, "{threat}": append(who{auditor, answerer, reader}, duty...), "{wide}": append(who{auditor}, north...), "{note}": append(who{auditor}, north...), "{mate}": who{boss},
	"{ownbank}": append(who{auditor}, north...), "{shut}": append(who{auditor}, north...), "{ownentry}": append(who{auditor}, north...), "{match}": append(who{auditor}, north...),
}

// site is a furnished deployment with both doors open and one session for each visitor.
type site struct {
	*testkit.House
	url      string
	routes   []string
	sessions map[string]string
	things   map[string]string // what a placeholder stands for
	secrets  []string          // what North alone may read
	n        int               // counts requests, for what must be new each time
}

// openSite prepares one thing of each kind, all of them North's.
func openSite(t *testing.T, svc *casework.Service) *site {
	t.Helper()
	h := testkit.Furnish(t, svc)
	s := &site{House: h, sessions: map[string]string{}, things: map[string]string{}}
	log := slog.New(slog.DiscardHandler)
	mux := http.NewServeMux()
	machine := apiserver.New(svc, log)
	machine.Register(mux)
	hub := casework.NewHub(svc)
	people, err := webui.New(svc, hub, log)
	testkit.Must(t, err)
	people.Register(mux)
	s.routes = slices.Concat(machine.Routes(), people.Routes())
	server := httptest.NewServer(httpkit.SecurityAt(svc.BaseURL, httpkit.Bounded(log, mux)))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	s.url = server.URL

	h.Time = concert.CaseTime{Since: time.Now(), Start: time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC), Rate: 120}
	referred := h.Approved(testkit.Page(1))[0]
	passed := s.threatened(t)
	stop := testkit.Run(t, svc)
	testkit.Await(t, "the item is referred", func() bool { return h.Item(referred.Ref).ReferredAs != "" })
	testkit.Await(t, "the threat is held", func() bool { return h.Item(passed).Status == concert.ItemHeld })
	stop()
	_, err = h.OverrideHold(t.Context(), h.North.Reviewers[1], passed, h.Item(passed).Version, "EXERCISE: a threat to life, now.")
	testkit.Must(t, err)
	h.Time = concert.CaseTime{}
	open := h.Submit(h.North.Officers[0], testkit.Page(2))[0]
	judged := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(3)))[0]
	hold, err := h.PlaceHold(t.Context(), h.North.Officers[0], casework.Holding{Location: testkit.Page(4), Contact: "EXERCISE desk", Case: "EXERCISE case"})
	testkit.Must(t, err)
	entry, err := h.ProposeScope(t.Context(), h.Coordinator, h.Outlet.Ref, concert.ScopeEntry{LegalAct: "EXERCISE Decision 3", Authority: "EXERCISE Council", Citation: "EXERCISE Journal", ListedOn: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)})
	testkit.Must(t, err)
	asked, gone := s.asked(t, 6), s.asked(t, 7)
	testkit.Must(t, h.EraseItem(t.Context(), h.North.Reviewers[1], gone, h.Item(gone).Version))
	newcomer, err := h.AddPerson(t.Context(), h.SecondAdmin, concert.Person{Name: "EXERCISE Newcomer", Login: "newcomer", Roles: []concert.Role{concert.RoleOfficer}}, h.North.Ref, "", "")
	testkit.Must(t, err)
	s.steered(t)
	s.capturesOf(t, open.Ref)
	v := h.Item(referred.Ref)
	s.batched(t, referred.Ref)
	for name, ref := range map[string]string{"open": open.Ref, "judged": judged.Ref, "referred": referred.Ref, "referral": v.ReferredAs, "hold": hold.Ref, "scope": entry.Ref, "action": h.Action.Ref,
		"outlet": h.Outlet.Ref, "north": h.North.Ref, "south": h.South.Ref, "provider": h.Hooked.Ref, "none": "IT-NONE", "asked": asked, "gone": gone, "passed": passed, "newcomer": newcomer.Operator, "proposal": newcomer.Proposal,
		"contact": h.MailContact(h.Pulled, "abuse@audio.example", concert.MailSingle, nil).Ref} {
		s.things["{"+name+"}"] = ref
	}
	s.things["{waiting}"] = h.Submit(h.North.Officers[0], testkit.Page(8))[0].Ref
	s.secrets = append(s.secrets, open.Ref, judged.Ref, hold.Ref, "ex000002", "ex000003", "ex000004", "EXERCISE case", "North-officer-0", "EXERCISE North-officer-1")
	for name, version := range map[string]int64{"open": open.Version, "asked": h.Item(asked).Version, "judged": judged.Version, "referred": v.Version, "referral": h.Referral(v.ReferredAs).Version, "hold": hold.Version, "action": h.Action.Version} {
		s.things["{"+name+".v}"] = fmt.Sprint(version)
	}
	s.folders(t)
	s.seized(t)
	s.banked(t)
	s.ordered(t)
	s.reported(t)
	s.drawn(t)
	for name, login := range map[string]string{officer: "North-officer-0", colleague: "North-officer-1", reviewer: "North-reviewer-0", stranger: "South-officer-0", outsider: "South-reviewer-0",
		coordinator: "coordinator", auditor: "auditor", admin: "admin", answerer: "answerer", reader: "reader", rival: "puller", magistrate: "magistrate"} {
		s.sessions[name] = s.enter(t, login)
	}
	h.Person("mute-auditor", "", "", concert.RoleAuditor) // a person of its own: files are counted by the person
	s.sessions[mute] = s.enter(t, "mute-auditor")
	s.portalThings(t)
	s.knownThings(t)
	testkit.Must(t, s.RefreshKnown(t.Context()))
	t.Cleanup(func() { testkit.Must(t, s.CloseKnown()) })
	return s
}

// threatened is an approved item of North's, assessed as a threat to life, at a place that South asks others to keep off.
func (s *site) threatened(t *testing.T) string {
	t.Helper()
	_, err := s.PlaceHold(t.Context(), s.South.Officers[0], casework.Holding{Location: testkit.Page(5), Contact: "EXERCISE desk"})
	testkit.Must(t, err)
	it := s.Submit(s.North.Officers[0], testkit.Page(5))[0]
	a := testkit.Judgement()
	a.Severity = concert.SeverityThreat
	judged, err := s.AssessItems(t.Context(), s.North.Officers[0], []casework.Judging{{Item: it.Ref, Version: it.Version, Outlet: s.Outlet.Ref, Assessment: a}})
	testkit.Must(t, err)
	return s.Approve(s.North.Reviewers[1], judged)[0].Ref
}

// asked is an open item of North's that is to be erased, as the second officer asked.
func (s *site) asked(t *testing.T, n int) string {
	t.Helper()
	it := s.Submit(s.North.Officers[0], testkit.Page(n))[0]
	testkit.Must(t, s.AskErasure(t.Context(), s.North.Officers[1], it.Ref, it.Version, concert.ErasureNotNeeded, "EXERCISE: not needed any more."))
	return it.Ref
}

func (s *site) enter(t *testing.T, login string) string {
	t.Helper()
	session, _, err := s.Enter(t.Context(), s.Links[login], s.Codes[login])
	testkit.Must(t, err)
	return session
}

// reply is what came back, without what differs from one request to the next.
type reply struct {
	status   int
	location string
	text     string
	name     string // of a download
}

// refused reports whether the reply keeps the visitor out.
func (r reply) refused() bool {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	case http.StatusSeeOther:
		return strings.HasPrefix(r.location, "/login") || strings.HasPrefix(r.location, "/justification")
	}
	return false
}

var token = regexp.MustCompile(`name="csrf" value="[^"]*"`)

// ask makes the visitor's request of the route; missing puts a reference that does not exist in place of the thing's.
func (s *site) ask(t *testing.T, visitor, pattern string, r row, missing bool) reply {
	t.Helper()
	s.n++
	pairs := []string{"{n}", fmt.Sprintf("%06d", s.n)}
	for name, ref := range s.things {
		pairs = append(pairs, name, ref)
	}
	fill := strings.NewReplacer(pairs...).Replace
	ref := fill(r.ref)
	if missing {
		ref = ref[:3] + "NNNN-NNNN"
	}
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.NewReplacer("{id}", ref, "{ref}", ref, "{operator}", ref, "{key}", "KEY-NONE", "{person}", fill("{person}"), "{reveal}", fill("{reveal}"), "{$}", "", "{bank}", ref, "{content}", fill("{content}"), "{item}", fill("{judged}"), "{lead}", fill("{lead}"), "{unit}", fill("{drawnunit}"), "{table}", "redress.csv", "{n}", "1", "{file}", "report.json").Replace(path)
	body := fill(r.body)
	machine := strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/hma/")
	if !machine && method == http.MethodPost {
		form, err := url.ParseQuery(body)
		testkit.Must(t, err)
		form.Set("csrf", s.CSRFToken(s.sessions[visitor]))
		body = form.Encode()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	testkit.Must(t, err)
	s.dress(req, visitor, r.ref, machine)
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	testkit.Must(t, err)
	defer res.Body.Close()
	out := reply{status: res.StatusCode, location: res.Header.Get("Location"), name: res.Header.Get("Content-Disposition")}
	var text []byte
	if res.Header.Get("Content-Type") == "text/event-stream" {
		text = make([]byte, 16<<10) // it does not end; its first piece is the whole board
		n, err := res.Body.Read(text)
		testkit.Must(t, err)
		text = text[:n]
	} else {
		text, err = io.ReadAll(res.Body)
		testkit.Must(t, err)
	}
	out.text = token.ReplaceAllString(string(text), "")
	if ref != "" {
		out.text, out.location = strings.ReplaceAll(out.text, ref, "REF"), strings.ReplaceAll(out.location, ref, "REF")
	}
	return out
}

// dress puts on a request who asks, why, and what was read.
func (s *site) dress(req *http.Request, visitor, ref string, machine bool) {
	session := s.sessions[visitor]
	if machine {
		req.Header.Set("Content-Type", "application/json")
		if v := s.things[strings.TrimSuffix(ref, "}")+".v}"]; v != "" {
			req.Header.Set("If-Match", `"v`+v+`"`)
		}
		if session != "" {
			req.Header.Set("Authorization", "Bearer "+session)
		}
	} else {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if session != "" {
			req.AddCookie(&http.Cookie{Name: httpkit.SessionCookie, Value: session})
		}
	}
	if visitor != mute && visitor != nobody {
		req.Header.Set("Concert-Justification", "EXERCISE reading for the matrix")
	}
}

// TestG19WhoMayDoWhat asks every route of both doors as every visitor. Those who may not are kept out before those who may have
// changed anything, and what keeps them out is the same whether the thing is there or not: nothing is learned by existence, error
// text or a file's name.
func TestG19WhoMayDoWhat(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, svc *casework.Service) {
		s := openSite(t, svc)
		rows := matrix(t)
		for pattern := range rows {
			if !slices.Contains(s.routes, pattern) {
				t.Errorf("the matrix names %s, which no door answers", pattern)
			}
		}
		for _, pattern := range s.routes {
			r, ok := rows[pattern]
			if !ok {
				t.Errorf("%s is not in the matrix: say who may use it", pattern)
			}
			if !ok || slices.Equal(r.may, anonymous) {
				continue
			}
			for _, v := range visitors {
				// Elsewhere a magistrate reads what its own authority has, as its other people do.
				if _, seized := evidenceRows[pattern]; slices.Contains(r.may, v) || v == magistrate && !seized {
					continue
				}
				got := s.ask(t, v, pattern, r, false)
				if !got.refused() {
					t.Errorf("%s as %s: %d, wanted is a refusal\n%.300s", pattern, v, got.status, got.text)
				}
				if r.ref == "" || slices.Contains(readers[r.ref], v) {
					continue
				}
				if none := s.ask(t, v, pattern, r, true); none != got {
					t.Errorf("%s as %s tells what is there from what is not: %d %q\n%.300s\nbut for a missing one %d %q\n%.300s", pattern, v, got.status, got.location, got.text, none.status, none.location, none.text)
				}
			}
		}
		for _, method := range []string{"GET ", "POST ", "PUT ", "DELETE "} {
			for _, pattern := range s.routes {
				r := rows[pattern]
				if !strings.HasPrefix(pattern, method) || slices.Equal(r.may, anonymous) {
					continue
				}
				for _, v := range r.may {
					got := s.ask(t, v, pattern, r, false)
					if got.refused() || got.status >= 500 {
						t.Errorf("%s as %s: %d %s, wanted is an answer\n%.300s", pattern, v, got.status, got.location, got.text)
					}
					for _, secret := range s.secrets {
						if slices.Contains(outside, v) && (strings.Contains(got.text, secret) || strings.Contains(got.name, secret)) {
							t.Errorf("%s as %s tells %q, which is North's alone", pattern, v, secret)
						}
					}
				}
			}
		}
	})
}
