package e2e

import (
	"testing"

	"concert"
	"concert/internal/testkit"
)

// supervising are the people of an authority to whom auditors' recommendations go.
var supervising = who{reviewer, outsider, coordinator}

// drawn draws of what North referred, judges it and hands it over, and leaves another draw that nobody judged.
func (s *site) drawn(t *testing.T) {
	t.Helper()
	ctx, sc := t.Context(), testkit.Scope(t, s.Auditor)
	draw := func() (ref, unit string) {
		ref, err := s.DrawSample(ctx, sc, concert.DrawFrame{}, concert.DrawPlan{Size: 1})
		testkit.Must(t, err)
		v, err := s.ReadDraw(ctx, sc, ref)
		testkit.Must(t, err)
		return ref, v.Units[0].Ref
	}
	first, unit := draw()
	_, err := s.ReassessUnit(ctx, testkit.Scope(t, s.Auditor), first, unit, concert.Reassessment{Verdict: concert.FoundNot, Purpose: concert.PurposeExempt, Note: "EXERCISE: a made-up news report about it."})
	testkit.Must(t, err)
	rc, err := s.Recommend(ctx, testkit.Scope(t, s.Auditor), first, unit, "EXERCISE: look at this again, please.")
	testkit.Must(t, err)
	s.things["{recommendation}"] = rc.Ref
	s.things["{draw}"], s.things["{drawnunit}"] = draw()
	s.secrets = append(s.secrets, rc.Ref)
}

// auditRows are the auditor's workbench, and the recommendations that come of it.
var auditRows = map[string]row{
	"GET /audit/accesses":                                       {may: who{auditor}},
	"GET /audit/accesses/list":                                  {may: who{auditor}},
	"GET /audit/draws":                                          {may: who{auditor}},
	"POST /audit/draws":                                         {may: who{auditor}, body: "size=1"},
	"GET /audit/draws/{ref}":                                    {may: who{auditor}, ref: "{draw}"},
	"GET /audit/draws/{ref}/next":                               {may: who{auditor}, ref: "{draw}"},
	"GET /audit/draws/{ref}/units/{unit}":                       {may: who{auditor}, ref: "{draw}"},
	"POST /audit/draws/{ref}/units/{unit}":                      {may: who{auditor}, ref: "{draw}", body: "find=incites"},
	"POST /audit/draws/{ref}/units/{unit}/recommend":            {may: who{auditor}, ref: "{draw}", body: "text=EXERCISE+look+at+this+again"},
	"GET /audit/rates":                                          {may: who{auditor}},
	"GET /audit/time":                                           {may: who{auditor}},
	"GET /audit/time.csv":                                       {may: who{auditor}},
	"GET /audit/report.csv":                                     {may: who{auditor}},
	"GET /audit/report.html":                                    {may: who{auditor}},
	"GET /recommendations":                                      {may: append(who{auditor}, supervising...)},
	"GET /recommendations/{ref}":                                {may: who{auditor, reviewer, coordinator}, ref: "{recommendation}"},
	"POST /recommendations/{ref}":                               {may: who{reviewer, coordinator}, ref: "{recommendation}", body: "answer=stands&reasons=EXERCISE+it+calls+for+an+attack"},
	"GET /api/v1/audit/accesses":                                {may: who{auditor}},
	"GET /api/v1/audit/accesses/list":                           {may: who{auditor}},
	"GET /api/v1/audit/draws":                                   {may: who{auditor}},
	"POST /api/v1/audit/draws":                                  {may: who{auditor}, body: `{"frame":{},"plan":{"size":1}}`},
	"GET /api/v1/audit/draws/{id}":                              {may: who{auditor}, ref: "{draw}"},
	"GET /api/v1/audit/draws/{id}/next":                         {may: who{auditor}, ref: "{draw}"},
	"GET /api/v1/audit/draws/{id}/units/{unit}":                 {may: who{auditor}, ref: "{draw}"},
	"POST /api/v1/audit/draws/{id}/units/{unit}":                {may: who{auditor}, ref: "{draw}", body: `{"verdict":"terrorist_content","type":"incites","purpose":"no_protected_purpose"}`},
	"POST /api/v1/audit/draws/{id}/units/{unit}/recommendation": {may: who{auditor}, ref: "{draw}", body: `{"text":"EXERCISE: look at this again."}`},
	"GET /api/v1/audit/time-in-state":                           {may: who{auditor}},
	"GET /api/v1/recommendations":                               {may: append(who{auditor}, supervising...)},
	"GET /api/v1/recommendations/{id}":                          {may: who{auditor, reviewer, coordinator}, ref: "{recommendation}"},
	"POST /api/v1/recommendations/{id}/answer":                  {may: who{reviewer, coordinator}, ref: "{recommendation}", body: `{"answer":"stands","reasons":"EXERCISE: it calls for an attack."}`},
}
