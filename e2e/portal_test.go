package e2e

import (
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// portalRows are the provider's side: its own lists, files and figures, the talk with whoever judged, what cannot be isolated,
// notes on patterns of abuse, and its people.
var portalRows = map[string]row{
	"GET /own":                        {may: who{answerer, reader, rival}},
	"GET /own/referrals":              {may: who{answerer, reader, rival}},
	"POST /own/answers/preview":       {may: who{answerer, rival}, body: "which=ticked&item={referred}+1&code=removed"},
	"POST /own/answers":               {may: who{answerer, rival}, body: "which=ticked&item={referred}+1&code=removed"},
	"GET /own/export/items.csv":       {may: who{answerer, reader, rival}},
	"GET /own/export/items.jsonl":     {may: who{answerer, reader, rival}},
	"GET /own/export/statements.json": {may: who{answerer, reader, rival}},
	"GET /own/export/statements.csv":  {may: who{answerer, reader, rival}},
	"GET /own/actions":                {may: who{answerer, reader, rival}},
	"GET /actions/{ref}/provider":     {may: who{answerer, reader}, ref: "{action}"},
	"GET /figures":                    {may: who{answerer, reader, rival}},

	"GET /api/v1/provider/items":                  {may: who{answerer, reader, rival}},
	"GET /api/v1/provider/referrals":              {may: who{answerer, reader, rival}},
	"POST /api/v1/provider/answers":               {may: who{answerer, rival}, body: `{"answers":[{"item":"{none}","code":"removed"}]}`},
	"POST /api/v1/provider/answers/preview":       {may: who{answerer, rival}, body: `{"answers":[{"item":"{none}","code":"removed"}]}`},
	"GET /api/v1/provider/export/items.csv":       {may: who{answerer, reader, rival}},
	"GET /api/v1/provider/export/items.jsonl":     {may: who{answerer, reader, rival}},
	"GET /api/v1/provider/export/statements.json": {may: who{answerer, reader, rival}},
	"GET /api/v1/provider/export/statements.csv":  {may: who{answerer, reader, rival}},
	"GET /api/v1/provider/actions/{id}":           {may: who{answerer, reader}, ref: "{action}"},
	"GET /api/v1/provider/figures":                {may: who{answerer, reader, rival}},

	"GET /questions":                        {may: append(who{answerer, reader, rival}, authoritySide...)},
	"GET /referrals/{ref}/questions":        {may: append(who{auditor, answerer, reader}, north...), ref: "{referral}"},
	"POST /referrals/{ref}/questions":       {may: who{officer, colleague, reviewer, answerer}, ref: "{referral}", body: "text=EXERCISE+question+{n}"},
	"GET /api/v1/questions":                 {may: append(who{answerer, reader, rival}, authoritySide...)},
	"GET /api/v1/referrals/{id}/questions":  {may: append(who{auditor, answerer, reader}, north...), ref: "{referral}"},
	"POST /api/v1/referrals/{id}/questions": {may: who{officer, colleague, reviewer, answerer}, ref: "{referral}", body: `{"text":"EXERCISE question {n}"}`},
	"GET /isolations":                       {may: authoritySide},
	"GET /api/v1/isolations":                {may: authoritySide},
	"GET /items/{ref}/proportionality":      {may: append(who{auditor}, north...), ref: "{wide}"},
	"POST /items/{ref}/proportionality":     {may: who{officer, colleague}, ref: "{wide}", body: "version={wide.v}&text=" + weighed},
	"POST /api/v1/items/{id}/proportionality": {may: who{officer, colleague}, ref: "{wide}",
		body: `{"text":"` + weighed + `"}`},
	"POST /items/{ref}/proportionality/approve":       {may: who{reviewer}, ref: "{wide}", body: "version={wide.v}"},
	"POST /api/v1/items/{id}/proportionality/approve": {may: who{reviewer}, ref: "{wide}"},
	"GET /article16":                   {may: authoritySide},
	"POST /article16":                  {may: who{reviewer, outsider}, body: "on=yes"},
	"GET /api/v1/authority/article16":  {may: authoritySide},
	"POST /api/v1/authority/article16": {may: who{reviewer, outsider}, body: `{"article16":true}`},

	// One coordinator has reviewed the note, so that it is not the one who releases it.
	"GET /notes":                      {may: who{answerer, reader, rival}},
	"GET /api/v1/provider/notes":      {may: who{answerer, reader, rival}},
	"GET /actions/{ref}/notes":        {may: append(who{auditor}, authoritySide...), ref: "{action}"},
	"GET /api/v1/actions/{id}/notes":  {may: append(who{auditor}, authoritySide...), ref: "{action}"},
	"GET /notes/{ref}":                {may: append(who{auditor}, north...), ref: "{note}"},
	"GET /api/v1/notes/{id}":          {may: append(who{auditor}, north...), ref: "{note}"},
	"POST /notes/{ref}/review":        {may: who{coordinator}, ref: "{note}"},
	"POST /notes/{ref}/release":       {may: who{reviewer}, ref: "{note}"},
	"POST /api/v1/notes/{id}/review":  {may: who{coordinator}, ref: "{note}"},
	"POST /api/v1/notes/{id}/release": {may: who{reviewer}, ref: "{note}"},

	"GET /team":                               {may: who{boss}},
	"POST /team":                              {may: who{boss}, body: "name=EXERCISE+Mate&login=mate-{n}&roles=provider_reader"},
	"POST /team/{operator}/roles":             {may: who{boss}, ref: "{mate}", body: "roles=provider_answerer"},
	"POST /team/{operator}/link":              {may: who{boss}, ref: "{mate}"},
	"POST /team/{operator}/disable":           {may: who{boss}, ref: "{mate}"},
	"GET /api/v1/provider/team":               {may: who{boss}},
	"POST /api/v1/provider/team":              {may: who{boss}, body: `{"name":"EXERCISE Mate","login":"mate-{n}","roles":["provider_reader"]}`},
	"POST /api/v1/provider/team/{id}/roles":   {may: who{boss}, ref: "{mate}", body: `{"roles":["provider_answerer"]}`},
	"POST /api/v1/provider/team/{id}/link":    {may: who{boss}, ref: "{mate}"},
	"POST /api/v1/provider/team/{id}/disable": {may: who{boss}, ref: "{mate}"},
}

const weighed = "EXERCISE: the other sites are mirrors of one customer with the same made-up material, and removing single pages was undone twice."

// portalThings prepares an item that its provider cannot isolate, in an action of North's own that is closed, with a note that the
// coordinator has reviewed; and a provider's administrator with somebody to look after.
func (s *site) portalThings(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	s.Time = concert.CaseTime{Since: time.Now(), Start: time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC), Rate: 120}
	own, err := s.OpenAction(ctx, s.Coordinator, s.North.Ref, concert.Action{Name: "EXERCISE closed action", Mandate: "EXERCISE mandate", StartsAt: s.Now(), EndsAt: s.Now().Add(time.Hour)})
	testkit.Must(t, err)
	found, err := s.SubmitItems(ctx, s.North.Officers[0], []casework.Submission{{Location: testkit.Page(88), Type: concert.TypeVideo, Action: own.Ref, Evaluation: "A1", Source: "form"}})
	testkit.Must(t, err)
	wide := s.Approve(s.North.Reviewers[1], s.Assess(s.North.Officers[0], found))[0].Ref
	stop := testkit.Run(t, s.Service)
	testkit.Await(t, "the wide item is referred", func() bool { return s.Item(wide).ReferredAs != "" })
	ref := s.Item(wide).ReferredAs
	_, _, err = s.AnswerReferral(ctx, s.Answerer, ref, s.Referral(ref).Version, []casework.Replying{{Item: wide, Answer: concert.Answer{Code: concert.AnswerCannotIsolate, Others: 9, OthersAre: concert.OtherSites}}})
	testkit.Must(t, err)
	for _, p := range concert.Phases[1:] {
		_, err := s.SetPhase(ctx, s.Coordinator, own.Ref, 0, p)
		testkit.Must(t, err)
	}
	why, err := concert.NewScope(s.Coordinator, testkit.Why)
	testkit.Must(t, err)
	var note string
	testkit.Await(t, "the note is drafted", func() bool {
		notes, err := s.ActionNotes(ctx, why, own.Ref)
		testkit.Must(t, err)
		if len(notes) > 0 {
			note = notes[0].Ref
		}
		return note != ""
	})
	stop()
	_, err = s.ReviewNote(ctx, s.Coordinator, note)
	testkit.Must(t, err)
	s.Time = concert.CaseTime{}
	chief := s.Person("video-admin", "", s.Hooked.Ref, concert.RoleProviderAdmin)
	mate, err := s.AddTeammate(ctx, chief, concert.Person{Name: "EXERCISE Mate", Login: "mate", Roles: []concert.Role{concert.RoleProviderReader}})
	testkit.Must(t, err)
	s.things["{wide}"], s.things["{note}"], s.things["{mate}"] = wide, note, mate.Operator
	s.things["{wide.v}"] = fmt.Sprint(s.Item(wide).Version)
	s.sessions[boss] = s.enter(t, "video-admin")
}
