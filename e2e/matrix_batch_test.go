package e2e

import (
	"testing"

	"concert"
	"concert/internal/testkit"
)

// batched leaves a batch that waits and a template.
func (s *site) batched(t *testing.T, item string) {
	t.Helper()
	b, err := s.PlanBatch(t.Context(), s.North.Officers[0], concert.BatchPlan{Act: concert.BatchWithdraw, Reason: "EXERCISE: taken back."}, []concert.BatchItem{{Ref: item, Version: 1}})
	testkit.Must(t, err)
	w, err := s.WriteTemplate(t.Context(), s.North.Officers[0], concert.Template{Purpose: concert.TemplateNote, Language: "en", Name: "EXERCISE", Text: "EXERCISE {what}"})
	testkit.Must(t, err)
	s.things["{batch}"], s.things["{template}"] = b.Ref, w.Ref
}

// batchRows are acts on many items, internal notes and templates.
var batchRows = map[string]row{
	"POST /api/v1/batches":               {may: append(who{reviewer, outsider}, officers...), body: `{"act":"withdraw","reason":"EXERCISE: taken back.","items":[{"item":"{none}","version":1}],"preview":true}`},
	"GET /api/v1/batches/{id}":           {may: who{officer, colleague, reviewer, coordinator}, ref: "{batch}"},
	"POST /api/v1/batches/{id}/recall":   {may: who{officer, colleague, reviewer}, ref: "{batch}"},
	"POST /api/v1/items/{id}/notes":      {may: who{officer, colleague, reviewer}, ref: "{judged}", body: `{"text":"EXERCISE note {n}"}`},
	"GET /api/v1/templates":              {may: authoritySide},
	"POST /api/v1/templates":             {may: append(who{reviewer, outsider}, officers...), body: `{"purpose":"note","language":"en","name":"EXERCISE {n}","text":"EXERCISE {what}"}`},
	"POST /api/v1/templates/{id}/retire": {may: who{officer, colleague, reviewer}, ref: "{template}"},

	"GET /batches":                 {may: authoritySide},
	"POST /batches":                {may: append(who{reviewer, outsider}, officers...), body: "items={none}&act=withdraw&reason=EXERCISE+taken+back."},
	"GET /batches/{ref}":           {may: who{officer, colleague, reviewer, coordinator}, ref: "{batch}"},
	"POST /batches/{ref}/recall":   {may: who{officer, colleague, reviewer}, ref: "{batch}"},
	"POST /items/{ref}/notes":      {may: who{officer, colleague, reviewer}, ref: "{judged}", body: "note=EXERCISE+note"},
	"GET /templates":               {may: authoritySide},
	"POST /templates":              {may: append(who{reviewer, outsider}, officers...), body: "purpose=note&language=en&name=EXERCISE+{n}&text=EXERCISE"},
	"POST /templates/{ref}/retire": {may: who{officer, colleague, reviewer}, ref: "{template}"},
}
