package e2e

import (
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"concert"
	"concert/internal/apiserver"
	"concert/internal/casework"
	"concert/internal/testkit"
	"concert/internal/webui"
)

// atDesk are the visitors of a host's own desk: who answers, who reads, who brings in people and hubs, and nobody.
var atDesk = []string{nobody, answerer, reader, boss}

var (
	answering = who{answerer}
	atWork    = who{answerer, reader}
)

// hostDeskRows are what a host's own desk has beside the house's own pages. What an act makes of a thing is shown where acts are tested: here
// it is enough that none of those who may is kept out.
var hostDeskRows = map[string]row{
	"GET /received":                       {may: atWork},
	"GET /received/{ref}":                 {may: atWork, ref: "{received}"},
	"GET /received/{ref}/original":        {may: atWork, ref: "{received}"},
	"GET /received/{ref}/annex1.pdf":      {may: atWork, ref: "{received}"},
	"GET /received/{ref}/statements.json": {may: atWork, ref: "{received}"},
	"POST /received/{ref}/feedback":       {may: answering, ref: "{received}", body: "items={place}&measure=removed&measure_at=2026-03-28T12:00&person=EXERCISE+Ann&email=ann@host.example"},
	"POST /received/{ref}/impossible":     {may: answering, ref: "{received}", body: "reasons=manifest_errors&further=EXERCISE&person=EXERCISE+Ann&email=ann@host.example"},
	"POST /received/{ref}/over":           {may: answering, ref: "{received}", body: "over=EXERCISE+it+is+over"},
	"POST /received/{ref}/replies":        {may: answering, ref: "{received}", body: "code=removed"},
	"POST /received/{ref}/check":          {may: answering, ref: "{received}"},
	"POST /received/{ref}/disputes":       {may: answering, ref: "{received}", body: "kind=complaint&text=EXERCISE"},
	"GET /kept":                           {may: atWork},
	"POST /kept/{ref}/prolong":            {may: who{}, ref: "{none}", body: "until=2099-01-31&reason=EXERCISE"},
	"POST /kept/{ref}/erase":              {may: who{}, ref: "{none}"},
	"GET /disputes":                       {may: atWork},
	"POST /disputes/{ref}/decide":         {may: who{}, ref: "{none}", body: "outcome=rejected&answer=EXERCISE"},
	"GET /article7":                       {may: atWork},
	"GET /article7.csv":                   {may: atWork},
	"GET /hubs":                           {may: append(who{boss}, atWork...)},
	"POST /hubs":                          {may: who{boss}, body: "url=nowhere&key=csk_none&root=none"},
	"POST /hubs/{ref}/end":                {may: who{boss}, ref: "{hub}"},
	"GET /api/v1/received":                {may: atWork},
	"GET /api/v1/received/{id}":           {may: atWork, ref: "{received}"},
	"POST /api/v1/received/{id}/answer":   {may: answering, ref: "{received}", body: `{"measure":"removed","measure_at":"2026-03-28T12:00:00Z","person":"EXERCISE Ann","email":"ann@host.example"}`},
}

// TestG19WhoMayDoWhatAtAHostsDesk asks every route of a host's own desk as every visitor, and that nothing of a hub's work is there.
func TestG19WhoMayDoWhatAtAHostsDesk(t *testing.T) {
	t.Parallel()
	s := openDesk(t)
	rows := matrix(t)
	for pattern, r := range hostDeskRows {
		rows[pattern] = r
		if !slices.Contains(s.routes, pattern) {
			t.Errorf("the matrix names %s, which no door answers", pattern)
		}
	}
	for _, foreign := range []string{"POST /api/v1/items", "GET /api/v1/orders", "GET /items", "GET /hma/c/banks", "GET /api/v1/export"} {
		if slices.Contains(s.routes, foreign) {
			t.Errorf("a host's desk answers %s", foreign)
		}
	}
	for _, pattern := range s.routes {
		r, ok := rows[pattern]
		_, own := hostDeskRows[pattern]
		if !ok {
			t.Errorf("%s is not in the matrix: say who may use it", pattern)
		}
		if !ok || slices.Equal(r.may, anonymous) {
			continue
		}
		if !own && r.ref != "" {
			r.ref = "{none}" // of a hub's things none is here
		}
		for _, v := range atDesk {
			got := s.ask(t, v, pattern, r, false)
			switch may := slices.Contains(r.may, v); {
			case !may && !got.refused():
				t.Errorf("%s as %s: %d, wanted is a refusal\n%.300s", pattern, v, got.status, got.text)
			case got.status >= 500, may && own && got.refused():
				t.Errorf("%s as %s: %d %s, wanted is an answer\n%.300s", pattern, v, got.status, got.location, got.text)
			}
		}
	}
}

// openDesk is a host's own desk with one order that came from a hub.
func openDesk(t *testing.T) *site {
	t.Helper()
	ctx := t.Context()
	h := newHub(t)
	svc, ann, _, link := newDesk(t)
	s := &site{House: &testkit.House{Service: svc}, url: svc.BaseURL, sessions: map[string]string{}, things: map[string]string{"{none}": "IT-NONE"}}
	log := slog.New(slog.DiscardHandler)
	ui, err := webui.New(svc, casework.NewHub(svc), log)
	testkit.Must(t, err)
	machine := apiserver.New(svc, log)
	machine.Register(http.NewServeMux())
	s.routes = slices.Concat(machine.Routes(), ui.Routes())
	hub := joinHub(t, svc, ann, h)
	issued := h.Issued(testkit.Page(1))
	testkit.Must(t, svc.PullHubs(ctx))
	inbox, err := svc.ReceivedInbox(ctx, testkit.Scope(t, ann), "")
	testkit.Must(t, err)
	if len(inbox) != 1 || inbox[0].Theirs != issued.Ref {
		t.Fatalf("the desk has %+v", inbox)
	}
	one, err := svc.ReadReceived(ctx, testkit.Scope(t, ann), inbox[0].Ref)
	testkit.Must(t, err)
	s.things["{received}"], s.things["{place}"], s.things["{hub}"] = one.Ref, one.Items[0].Ref, hub.Ref
	operator := concert.Actor{Person: "operator", Operator: "operator", Roles: []concert.Role{concert.RoleAdministrator}}
	g, err := svc.Registers(ctx)
	testkit.Must(t, err)
	for name, role := range map[string]concert.Role{answerer: concert.RoleProviderAnswerer, reader: concert.RoleProviderReader, boss: concert.RoleProviderAdmin} {
		p, err := svc.AddPerson(ctx, operator, concert.Person{Name: "EXERCISE " + name, Login: name, Roles: []concert.Role{role}}, "", g.Providers[ann.Provider].Ref, "")
		testkit.Must(t, err)
		session, _, err := svc.Enter(ctx, testkit.Token(p.Link), "")
		testkit.Must(t, err)
		s.sessions[name] = session
	}
	if _, _, err := svc.Enter(ctx, testkit.Token(link), ""); err != nil {
		t.Errorf("who set the desk up does not get in: %v", err)
	}
	return s
}
