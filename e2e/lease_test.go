package e2e

// takers may take the next item: whoever works for an authority.
var takers = authoritySide

// flowRows are claims, the next item, parking, handing over, escalating, skipping, the desk, keys and finding.
var flowRows = map[string]row{
	"GET /api/v1/desk":                  {may: takers},
	"POST /api/v1/desk/next":            {may: takers, body: `{}`},
	"POST /api/v1/items/{id}/claim":     {may: who{officer, colleague}, ref: "{waiting}"},
	"POST /api/v1/items/{id}/give-back": {may: north, ref: "{waiting}"},
	"POST /api/v1/items/{id}/skip":      {may: who{officer, colleague}, ref: "{waiting}"},
	"POST /api/v1/items/{id}/park":      {may: who{officer, colleague}, ref: "{waiting}", body: `{"until":"2019-11-21T18:00:00Z","reason":"EXERCISE: waits for a translation."}`},
	"POST /api/v1/items/{id}/hand-over": {may: who{officer, colleague}, ref: "{waiting}", body: `{"to":"OP-NONE","note":"EXERCISE: reads the language."}`},
	"POST /api/v1/items/{id}/ask-lead":  {may: who{officer, colleague}, ref: "{waiting}", body: `{"to":"OP-NONE","reason":"EXERCISE: is it in scope."}`},
	"POST /api/v1/items/{id}/take-over": {may: who{reviewer, coordinator}, ref: "{waiting}", body: `{"reason":"EXERCISE: the holder is away."}`},

	"GET /desk":                   {may: takers},
	"POST /desk/next":             {may: takers},
	"POST /desk/seen":             {may: takers},
	"GET /keys":                   {may: everyone},
	"POST /keys":                  {may: anonymous},
	"GET /find":                   {may: without(known, mute)},
	"POST /items/{ref}/claim":     {may: who{officer, colleague}, ref: "{waiting}"},
	"POST /items/{ref}/give-back": {may: north, ref: "{waiting}"},
	"POST /items/{ref}/skip":      {may: who{officer, colleague}, ref: "{waiting}"},
	"POST /items/{ref}/park":      {may: who{officer, colleague}, ref: "{waiting}", body: "for=2h&reason=EXERCISE+waits+for+a+translation"},
	"POST /items/{ref}/hand-over": {may: who{officer, colleague}, ref: "{waiting}", body: "to=OP-NONE&note=EXERCISE+reads+the+language"},
	"POST /items/{ref}/escalate":  {may: who{officer, colleague}, ref: "{waiting}", body: "to=OP-NONE&reason=EXERCISE+is+it+in+scope"},
	"POST /items/{ref}/take-over": {may: who{reviewer, coordinator}, ref: "{waiting}", body: "reason=EXERCISE+the+holder+is+away"},
}
