package e2e

import (
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// captureRows are captures, marks of atrocity evidence, and who preserves it.
var captureRows = map[string]row{
	"POST /api/v1/items/{id}/captures":      {may: who{officer, colleague, reviewer}, ref: "{open}", body: "EXERCISE capture {n}"},
	"GET /api/v1/items/{id}/captures":       {may: append(who{auditor}, north...), ref: "{open}"},
	"GET /api/v1/captures/{id}":             {may: who{officer, colleague, reviewer}, ref: "{capture}"},
	"GET /api/v1/captures/{id}/preview":     {may: who{officer, colleague, reviewer}, ref: "{capture}"},
	"POST /api/v1/captures/{id}/export":     {may: who{officer, colleague, reviewer}, ref: "{capture}", body: `{"issuer":"EXERCISE court","reference":"EXERCISE 1","recipient":"EXERCISE court","justification":"EXERCISE proceedings number one"}`},
	"POST /api/v1/items/{id}/atrocity":      {may: who{officer, colleague, reviewer}, ref: "{judged}", body: `{"ground":"EXERCISE: may show a crime."}`},
	"POST /api/v1/items/{id}/atrocity/lift": {may: who{reviewer}, ref: "{marked}", body: `{"ground":"EXERCISE: shows no crime."}`},
	"POST /items/{ref}/captures":            {may: who{officer, colleague, reviewer}, ref: "{open}", body: "kind=page"},
	"GET /captures/{ref}":                   {may: who{officer, colleague, reviewer}, ref: "{capture}"},
	"GET /captures/{ref}/bytes":             {may: who{officer, colleague, reviewer}, ref: "{capture}"},
	"POST /captures/{ref}/export":           {may: who{officer, colleague, reviewer}, ref: "{capture}", body: "issuer=EXERCISE+court&reference=EXERCISE+1&recipient=EXERCISE+court&justification=EXERCISE+proceedings+number+one"},
	"POST /items/{ref}/atrocity":            {may: who{officer, colleague, reviewer}, ref: "{judged}", body: "ground=EXERCISE+may+show+a+crime"},
	"POST /items/{ref}/atrocity/lift":       {may: who{reviewer}, ref: "{marked}", body: "ground=EXERCISE+shows+no+crime"},
	"POST /items/{ref}/preservations":       {may: who{officer, colleague, reviewer}, ref: "{marked}", body: "way=provider&holder=EXERCISE+host&reference=EXERCISE+1&ground=EXERCISE+asked+for+it&on=2019-11-21&until=2099-11-21"},
	"POST /api/v1/items/{id}/preservations": {may: who{officer, colleague, reviewer}, ref: "{marked}", body: `{"way":"provider","holder":"EXERCISE host","reference":"EXERCISE 1","ground":"EXERCISE: asked for it.","on":"2019-11-21","until":"2099-11-21"}`},
}

// capturesOf prepares a capture of North's open item, and an item that its officer marked.
func (s *site) capturesOf(t *testing.T, open string) {
	t.Helper()
	c, err := s.AddCapture(t.Context(), s.North.Officers[0], casework.Capturing{Item: open, Kind: concert.CaptureFile, Vantage: "EXERCISE secret vantage", Bytes: strings.NewReader("EXERCISE secret bytes")})
	testkit.Must(t, err)
	marked := s.Submit(s.North.Officers[0], testkit.Page(8))[0]
	testkit.Must(t, s.MarkAtrocity(t.Context(), s.North.Officers[0], marked.Ref, "EXERCISE: secret ground"))
	s.things["{capture}"], s.things["{marked}"] = c.Ref, marked.Ref
	s.shot(t, open)
	s.secrets = append(s.secrets, "secret vantage", "secret bytes", "secret ground")
}
