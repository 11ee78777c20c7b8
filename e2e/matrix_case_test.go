package e2e

import (
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// caseRows are cases, incidents, the watchlist and languages. The case is the officer's, with the reviewer as a member: a colleague
// is kept out as a stranger is.
var caseRows = map[string]row{
	"GET /api/v1/cases":                                        {may: append(who{auditor}, authoritySide...)},
	"POST /api/v1/cases":                                       {may: authoritySide, body: `{"title":"EXERCISE folder {n}","mandate":{"reference":"EXERCISE 1","issuer":"EXERCISE court","on":"2019-01-01","until":"2099-01-01"}}`},
	"GET /api/v1/cases/{id}":                                   {may: who{officer, reviewer, auditor}, ref: "{case}"},
	"POST /api/v1/cases/{id}/members":                          {may: who{officer}, ref: "{case}", body: `{"person":"North-officer-1"}`},
	"POST /api/v1/cases/{id}/members/remove":                   {may: who{officer}, ref: "{case}", body: `{"person":"North-officer-1"}`},
	"POST /api/v1/cases/{id}/lead":                             {may: who{officer}, ref: "{case}", body: `{"person":"North-officer-0"}`},
	"POST /api/v1/cases/{id}/mandate":                          {may: who{officer}, ref: "{case}", body: `{"reference":"EXERCISE 1","issuer":"EXERCISE court","on":"2019-01-01","until":"2099-01-01"}`},
	"POST /api/v1/cases/{id}/review":                           {may: who{reviewer}, ref: "{case}", body: `{"ground":"EXERCISE: still needed, all of it."}`},
	"POST /api/v1/cases/{id}/close":                            {may: who{officer}, ref: "{case}", body: `{"ground":"short"}`},
	"POST /api/v1/cases/{id}/items":                            {may: who{officer, reviewer}, ref: "{case}", body: `{"items":["{open}"]}`},
	"POST /api/v1/cases/{id}/items/remove":                     {may: who{officer, reviewer}, ref: "{case}", body: `{"items":["{judged}"],"reason":"EXERCISE: not about it."}`},
	"POST /api/v1/cases/{id}/persons":                          {may: who{officer, reviewer}, ref: "{case}", body: `{"category":"witness","name":"EXERCISE {n}","source":"EXERCISE","evaluation":"A1","ground":"EXERCISE grounds"}`},
	"POST /api/v1/cases/{id}/persons/{person}/category":        {may: who{officer, reviewer}, ref: "{case}", body: `{"version":1,"category":"other","ground":"EXERCISE grounds"}`},
	"POST /api/v1/cases/{id}/persons/{person}/erasure":         {may: who{officer, reviewer}, ref: "{case}", body: `{"version":1,"code":"mistaken","reason":"EXERCISE: by mistake."}`},
	"POST /api/v1/cases/{id}/persons/{person}/erasure/confirm": {may: who{officer, reviewer}, ref: "{case}", body: `{"version":1}`},

	"GET /cases":                                         {may: append(who{auditor}, authoritySide...)},
	"POST /cases":                                        {may: authoritySide, body: "title=EXERCISE+folder&reference=EXERCISE+1&issuer=EXERCISE+court&mandate_on=2019-01-01&mandate_until=2099-01-01&handling=H0"},
	"GET /cases/{ref}":                                   {may: who{officer, reviewer, auditor}, ref: "{case}"},
	"POST /cases/{ref}/members":                          {may: who{officer, reviewer}, ref: "{case}", body: "version={case.v}&person=nobody"},
	"POST /cases/{ref}/members/remove":                   {may: who{officer, reviewer}, ref: "{case}", body: "version={case.v}&person=nobody"},
	"POST /cases/{ref}/lead":                             {may: who{officer, reviewer}, ref: "{case}", body: "version={case.v}&person=nobody"},
	"POST /cases/{ref}/mandate":                          {may: who{officer}, ref: "{case}", body: "version={case.v}&reference=x"},
	"POST /cases/{ref}/review":                           {may: who{reviewer}, ref: "{case}", body: "version={case.v}&ground=short"},
	"POST /cases/{ref}/close":                            {may: who{officer}, ref: "{case}", body: "version={case.v}&reason=short"},
	"POST /cases/{ref}/items":                            {may: who{officer, reviewer}, ref: "{case}", body: "items={open}"},
	"POST /cases/{ref}/items/remove":                     {may: who{officer, reviewer}, ref: "{case}", body: "items={judged}&reason=EXERCISE+not+about+it"},
	"POST /cases/{ref}/persons":                          {may: who{officer, reviewer}, ref: "{case}", body: "category=witness&name=EXERCISE&source=EXERCISE&evaluation=A1&ground=EXERCISE+grounds"},
	"POST /cases/{ref}/persons/{person}/category":        {may: who{officer, reviewer}, ref: "{case}", body: "version=1&category=other&ground=short"},
	"POST /cases/{ref}/persons/{person}/erasure":         {may: who{officer, reviewer}, ref: "{case}", body: "version=1&code=mistaken&reason=short"},
	"POST /cases/{ref}/persons/{person}/erasure/confirm": {may: who{officer, reviewer}, ref: "{case}", body: "version=1"},

	"GET /api/v1/incidents":             {may: append(who{auditor}, authoritySide...)},
	"POST /api/v1/incidents":            {may: who{reviewer, outsider, coordinator}, body: `{"kind":"claim","name":"EXERCISE claim {n}","country":"XN","at":"2019-11-21T08:00:00Z"}`},
	"GET /api/v1/incidents/{id}":        {may: append(who{auditor}, authoritySide...), ref: "{incident}"},
	"POST /api/v1/incidents/{id}/items": {may: authoritySide, ref: "{incident}", body: `{"items":["{none}"]}`},
	"POST /api/v1/incidents/{id}/end":   {may: who{reviewer, coordinator}, ref: "{incident}"},
	"GET /incidents":                    {may: append(who{auditor}, authoritySide...)},
	"POST /incidents":                   {may: who{reviewer, outsider, coordinator}, body: "kind=claim&name=EXERCISE+claim&country=XN&at=2019-11-21T08:00"},
	"GET /incidents/{ref}":              {may: append(who{auditor}, authoritySide...), ref: "{incident}"},
	"POST /incidents/{ref}/items":       {may: authoritySide, ref: "{incident}", body: "items={none}"},
	"POST /incidents/{ref}/end":         {may: who{reviewer, coordinator}, ref: "{incident}", body: "version={incident.v}"},

	"GET /api/v1/watchlist":             {may: who{officer, colleague, reviewer, stranger, outsider, auditor}},
	"POST /api/v1/watchlist":            {may: who{officer, colleague, reviewer, stranger, outsider}, body: `{"location":"https://t.me/exercise_new{n}","owner":"outlet","outlet":"{outlet}","cadence":24}`},
	"GET /api/v1/watchlist/{id}":        {may: who{officer, colleague, reviewer, auditor}, ref: "{watch}"},
	"POST /api/v1/watchlist/{id}/sweep": {may: who{officer, colleague}, ref: "{watch}"},
	"POST /api/v1/watchlist/{id}/end":   {may: who{officer, colleague, reviewer}, ref: "{watch}"},
	"POST /api/v1/sweeps/{id}/finish":   {may: who{officer}, ref: "{sweep}", body: `{"outcome":"given_up"}`},
	"GET /watchlist":                    {may: who{officer, colleague, reviewer, stranger, outsider, auditor}},
	"POST /watchlist":                   {may: who{officer, colleague, reviewer, stranger, outsider}, body: "location=https://t.me/exercise_page{n}&owner=outlet&outlet={outlet}&cadence=24"},
	"GET /watchlist/{ref}":              {may: who{officer, colleague, reviewer, auditor}, ref: "{watch}"},
	"POST /watchlist/{ref}/sweep":       {may: who{officer, colleague}, ref: "{watch}"},
	"POST /watchlist/{ref}/end":         {may: who{officer, colleague, reviewer}, ref: "{watch}", body: "version=1"},
	"POST /sweeps/{ref}/finish":         {may: who{officer}, ref: "{sweep}", body: "watch={watch}&outcome=given_up"},

	"POST /api/v1/me/languages":            {may: anonymous},
	"POST /api/v1/people/{id}/languages":   {may: who{admin}, ref: "{newcomer}", body: `{"languages":["ar"]}`},
	"GET /api/v1/items/{id}/translations":  {may: append(who{auditor}, north...), ref: "{judged}"},
	"POST /api/v1/items/{id}/translations": {may: who{officer, colleague, reviewer}, ref: "{judged}", body: `{"kind":"machine","source":"ar","target":"en","translator":"EXERCISE engine","text":"EXERCISE {n}"}`},
	"GET /languages":                       {may: authoritySide},
	"POST /languages":                      {may: anonymous},
	"POST /people/{operator}/languages":    {may: who{admin}, ref: "{newcomer}", body: "languages=ar"},
	"POST /items/{ref}/translations":       {may: who{officer, colleague, reviewer}, ref: "{judged}", body: "kind=machine&source=ar&target=en&translator=EXERCISE+engine&text=EXERCISE"},
	"POST /items/{ref}/case":               {may: north, ref: "{judged}", body: "case={case}"},
	"POST /items/{ref}/incident":           {may: who{officer, colleague, reviewer, coordinator}, ref: "{judged}", body: "incident={incident}"},
}

// folders prepares a case, an incident and a watched place with a sweep, all of them North's, the case with a person in it.
func (s *site) folders(t *testing.T) {
	t.Helper()
	ctx, now := t.Context(), s.Now()
	lead, member := s.North.Officers[0], s.North.Reviewers[0]
	c, err := s.OpenCase(ctx, lead, concert.Case{Title: "EXERCISE hidden title", Mandate: concert.Mandate{Reference: "EXERCISE hidden mandate", Issuer: "EXERCISE court", On: now.AddDate(0, 0, -1), Until: now.AddDate(1, 0, 0)}})
	testkit.Must(t, err)
	c, err = s.AddCaseMember(ctx, lead, c.Ref, c.Version, member.Operator)
	testkit.Must(t, err)
	p, err := s.AddCasePerson(ctx, lead, c.Ref, concert.CasePerson{Category: concert.SubjectWitness, Name: "EXERCISE hidden name", Source: "EXERCISE", Evaluation: "A1", Ground: "EXERCISE: saw it happen."})
	testkit.Must(t, err)
	_, err = s.AddToCase(ctx, lead, c.Ref, []string{s.things["{judged}"]})
	testkit.Must(t, err)
	n, err := s.DeclareIncident(ctx, member, concert.Incident{Kind: concert.IncidentAttack, Name: "EXERCISE attack", Country: "XN", At: now})
	testkit.Must(t, err)
	w, err := s.WatchPlace(ctx, lead, casework.Watching{Location: "https://t.me/exercise_watched", Outlet: s.Outlet.Ref, Owner: concert.WatchOutlet, Cadence: time.Hour})
	testkit.Must(t, err)
	_, sweep, err := s.SweepPlace(ctx, lead, w.Ref)
	testkit.Must(t, err)
	for name, ref := range map[string]string{"case": c.Ref, "person": p.Ref, "incident": n.Ref, "watch": w.Ref, "sweep": sweep.Ref, "case.v": fmt.Sprint(c.Version), "incident.v": fmt.Sprint(n.Version), "watch.v": "2"} {
		s.things["{"+name+"}"] = ref
	}
	s.secrets = append(s.secrets, c.Ref, w.Ref, "hidden title", "hidden mandate", "hidden name", "exercise_watched")
}
