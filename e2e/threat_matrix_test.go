package e2e

import (
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// duty are the people of North whom a report concerns that names its state.
var duty = who{officer, colleague, reviewer}

// tellThreat is a report as a program makes it.
const tellThreat = `{"kind":"attack_announced","places":["http://video.example/live/{n}"],"description":"EXERCISE: an attack that nobody plans.","states":["XN"],"seen_at":"2019-11-21T00:00:00Z","content":"up","contact":"EXERCISE Desk","telephone":"+000"}`

// threatRows are providers' reports of threats to life (Art. 14(5)): a report that names one state is that state's and its provider's,
// and not even a coordinator's.
var threatRows = map[string]row{
	"POST /api/v1/threats":            {may: who{answerer, reader, rival}, body: tellThreat},
	"GET /api/v1/threats":             {may: append(who{coordinator, auditor, answerer, reader, rival}, orderListing...)},
	"GET /api/v1/threats/{id}":        {may: append(who{auditor, answerer, reader}, duty...), ref: "{threat}"},
	"GET /api/v1/threats/{id}/proof":  {may: append(who{auditor, answerer, reader}, duty...), ref: "{threat}"},
	"POST /api/v1/threats/{id}/take":  {may: duty, ref: "{threat}", body: `{}`},
	"POST /api/v1/threats/{id}/pass":  {may: duty, ref: "{threat}", body: `{"to":"XS","reason":"short"}`},
	"POST /api/v1/threats/{id}/close": {may: duty, ref: "{threat}", body: `{"outcome":"acted","word":"short"}`},

	"GET /threats":                      {may: append(who{coordinator, auditor}, orderListing...)},
	"GET /threats/{ref}":                {may: append(who{auditor}, duty...), ref: "{threat}"},
	"GET /threats/{ref}/proof.json":     {may: append(who{auditor, answerer, reader}, duty...), ref: "{threat}"},
	"POST /threats/{ref}/take":          {may: duty, ref: "{threat}"},
	"POST /threats/{ref}/pass":          {may: duty, ref: "{threat}", body: "to=XS&reason=short"},
	"POST /threats/{ref}/close":         {may: duty, ref: "{threat}", body: "outcome=acted&word=short"},
	"GET /own-threats":                  {may: who{answerer, reader, rival}},
	"POST /own-threats":                 {may: who{answerer, reader, rival}, body: "kind=other"},
	"GET /own-threats/{ref}":            {may: who{answerer, reader}, ref: "{threat}"},
	"GET /own-threats/{ref}/proof.json": {may: append(who{auditor, answerer, reader}, duty...), ref: "{threat}"},
}

// reported leaves a report that went to North.
func (s *site) reported(t *testing.T) {
	t.Helper()
	v, err := s.ReportThreat(t.Context(), s.Answerer, casework.ThreatReport{Kind: concert.ThreatAnnounced, States: []string{"XN"}, Content: concert.ThreatUp, SeenAt: s.Now().Add(-time.Minute),
		ThreatText: concert.ThreatText{Places: []string{"http://video.example/live/1"}, Description: "EXERCISE: an attack that nobody plans.", Contact: "EXERCISE Desk", Telephone: "+000"}})
	testkit.Must(t, err)
	s.things["{threat}"], s.things["{threat.v}"] = v.Ref, fmt.Sprint(1)
}
