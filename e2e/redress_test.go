package e2e

// unread are those who are told that they read no version before they are told that there is nothing.
var unread = append(who{auditor, mute, admin}, authoritySide...)

// remedyRows are complaints, content providers' pages and scrutiny. The matrix has no order, and what it has nobody complained of: that
// those who may, may, is shown where the acts are tested.
var remedyRows = map[string]row{
	"POST /api/v1/content-links":            {may: who{officer, colleague, reviewer, answerer}, body: `{"kind":"referral","ref":"{referral}","item":"{referred}"}`},
	"POST /api/v1/complaints":               {may: who{answerer}, body: `{"kind":"referral","ref":"{referral}","item":"{referred}","text":"EXERCISE: this was my report for a made-up newspaper."}`},
	"GET /api/v1/complaints":                {may: who{officer, colleague, reviewer, stranger, outsider}},
	"GET /api/v1/complaints/{id}":           {may: who{}, ref: "{none}"},
	"POST /api/v1/complaints/{id}/decision": {may: known, ref: "{none}", body: `{"outcome":"rejected","reasons":"EXERCISE: it stays as it is."}`},

	"POST /api/v1/orders/{id}/scrutiny-request":       {may: unread, ref: "{none}", body: `{"reasons":"EXERCISE: reasons that are long enough."}`},
	"POST /api/v1/orders/{id}/scrutiny-intention":     {may: unread, ref: "{none}", body: `{"reasons":"EXERCISE: reasons that are long enough."}`},
	"POST /api/v1/orders/{id}/scrutiny":               {may: unread, ref: "{none}", body: `{"outcome":"no_infringement","reasons":"EXERCISE: reasons that are long enough."}`},
	"GET /api/v1/orders/{id}/scrutiny":                {may: who{}, ref: "{none}"},
	"GET /api/v1/orders/{id}/scrutiny-package":        {may: who{}, ref: "{none}"},
	"POST /api/v1/orders/{id}/finalise":               {may: unread, ref: "{none}", body: `{}`},
	"POST /api/v1/orders/{id}/appeals":                {may: unread, ref: "{none}", body: `{"party":"provider","filed_at":"2019-11-21T00:00:00Z","court":"EXERCISE Court"}`},
	"POST /api/v1/orders/{id}/judgment":               {may: unread, ref: "{none}", body: `{"appeal":"AP-1","outcome":"rejected","reasons":"EXERCISE: reasons that are long enough.","at":"2019-11-21T00:00:00Z"}`},
	"POST /api/v1/orders/{id}/prolong-non-disclosure": {may: unread, ref: "{none}", body: `{"reason":"EXERCISE: reasons that are long enough."}`},
	"POST /api/v1/orders/{id}/look":                   {may: unread, ref: "{none}", body: `{}`},

	"GET /redress/{token}":            {may: anonymous},
	"POST /redress/{token}":           {may: anonymous},
	"POST /redress/{token}/complaint": {may: anonymous},
	"POST /redress/{token}/scrutiny":  {may: anonymous},
	"POST /redress/{token}/copy":      {may: anonymous},

	"GET /complaints":                 {may: who{officer, colleague, reviewer, stranger, outsider}},
	"GET /complaints/{ref}":           {may: who{}, ref: "{none}"},
	"POST /complaints/{ref}/decision": {may: who{}, ref: "{none}", body: "version=1&outcome=rejected&reasons=EXERCISE"},

	"GET /orders/{ref}/scrutiny":              {may: who{}, ref: "{none}"},
	"POST /orders/{ref}/scrutiny/intention":   {may: who{}, ref: "{none}", body: "version=1&reason=EXERCISE"},
	"POST /orders/{ref}/scrutiny/decision":    {may: who{}, ref: "{none}", body: "version=1&outcome=no_infringement&reason=EXERCISE"},
	"POST /orders/{ref}/scrutiny/look":        {may: who{}, ref: "{none}"},
	"GET /orders/{ref}/scrutiny/package.json": {may: who{}, ref: "{none}"},
}
