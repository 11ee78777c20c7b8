package e2e

import (
	"strings"
	"testing"

	"concert/internal/casework"
	"concert/internal/testkit"
)

// exposureRows are captures opened knowingly, one's own ledger, and what a team is told (G35). The shot is open to the officer
// alone: a colleague of the same authority is kept out of it as long as they have not opened it themselves.
var exposureRows = map[string]row{
	"POST /api/v1/captures/{id}/reveals":          {may: who{officer, colleague, reviewer}, ref: "{capture}", body: `{}`},
	"POST /api/v1/captures/{id}/reveals/{reveal}": {may: who{officer}, ref: "{shot}", body: `{"shown_ms":1}`},
	"POST /api/v1/captures/{id}/warnings":         {may: who{officer}, ref: "{shot}", body: `{"warnings":["injury"]}`},
	"GET /api/v1/exposure":                        {may: who{officer, colleague, reviewer, stranger, outsider}},
	"POST /api/v1/exposure/limit":                 {may: who{officer, colleague, reviewer, stranger, outsider}, body: `{"minutes":60,"opened":0}`},
	"GET /api/v1/exposure/team":                   {may: who{reviewer, outsider, coordinator}},
	"POST /api/v1/exposure/team":                  {may: who{reviewer, outsider, coordinator}, body: `{"soft_minutes":40,"hard_minutes":80,"soft_opened":100,"hard_opened":200}`},
	"GET /api/v1/items/{id}/same":                 {may: who{officer, colleague, reviewer}, ref: "{judged}"},

	"POST /captures/{ref}/reveals":          {may: who{officer, colleague, reviewer}, ref: "{capture}"},
	"POST /captures/{ref}/reveals/{reveal}": {may: who{officer}, ref: "{shot}", body: "quiet=1&shown_ms=1"},
	"GET /captures/{ref}/picture":           {may: who{officer}, ref: "{shot}"},
	"POST /captures/{ref}/warnings":         {may: who{officer}, ref: "{shot}", body: "warn_injury=yes"},
	"GET /exposure":                         {may: who{officer, colleague, reviewer, stranger, outsider}},
	"POST /exposure":                        {may: who{officer, colleague, reviewer, stranger, outsider}, body: "minutes=60"},
	"GET /team-exposure":                    {may: who{reviewer, outsider, coordinator}},
	"POST /team-exposure":                   {may: who{reviewer, outsider, coordinator}, body: "soft=40&hard=80&soft_opened=100&hard_opened=200"},
}

// shot prepares a capture with a picture, open to the officer of North who took it.
func (s *site) shot(t *testing.T, item string) {
	t.Helper()
	by := s.North.Officers[0]
	c, err := s.AddCapture(t.Context(), by, casework.Capturing{Item: item, Bytes: strings.NewReader("\x89PNG\r\n\x1a\n EXERCISE secret picture")})
	testkit.Must(t, err)
	r, _, err := s.RevealCapture(t.Context(), testkit.Scope(t, by), c.Ref, false)
	testkit.Must(t, err)
	s.things["{shot}"], s.things["{reveal}"] = c.Ref, string(r.ID)
	s.secrets = append(s.secrets, "secret picture")
}
