package e2e

// securityRows are log-in, second factors and sessions. What needs a proof of its own (a code, a passkey's answer) is looked at by the
// tests of package webui; here nobody may reach what is somebody else's.
var securityRows = map[string]row{
	"GET /second":                           {may: anonymous},
	"POST /second":                          {may: anonymous},
	"POST /second/ask":                      {may: anonymous},
	"POST /login/passkey":                   {may: anonymous},
	"POST /login/passkey/ask":               {may: anonymous},
	"GET /step-up":                          {may: known},
	"POST /step-up":                         {may: anonymous},
	"POST /step-up/ask":                     {may: anonymous},
	"GET /account/factors":                  {may: known},
	"GET /account/factors/totp":             {may: anonymous},
	"POST /account/factors/totp":            {may: known, body: "name=EXERCISE+telephone"},
	"POST /account/factors/totp/confirm":    {may: anonymous},
	"POST /account/factors/passkey":         {may: anonymous},
	"POST /account/factors/passkey/ask":     {may: anonymous},
	"POST /account/factors/codes":           {may: anonymous},
	"POST /account/factors/{factor}/remove": {may: anonymous},
	"POST /account/sessions/end":            {may: known},
	"POST /account/sessions/{session}/end":  {may: anonymous},
	"POST /people/{operator}/sessions/end":  {may: who{admin}, ref: "{newcomer}"},
	"POST /people/{operator}/factors/reset": {may: anonymous, ref: "{newcomer}"},

	"POST /api/v1/enter/second":              {may: anonymous},
	"POST /api/v1/me/step-up":                {may: anonymous},
	"GET /api/v1/me/factors":                 {may: known},
	"POST /api/v1/me/factors/totp":           {may: known, body: `{"name":"EXERCISE telephone"}`},
	"POST /api/v1/me/factors/totp/confirm":   {may: anonymous},
	"POST /api/v1/me/factors/codes":          {may: anonymous},
	"POST /api/v1/me/factors/{id}/remove":    {may: anonymous},
	"GET /api/v1/me/sessions":                {may: known},
	"POST /api/v1/me/sessions/end-others":    {may: anonymous},
	"POST /api/v1/me/sessions/{id}/end":      {may: anonymous},
	"POST /api/v1/people/{id}/end-sessions":  {may: who{admin}, ref: "{newcomer}"},
	"POST /api/v1/people/{id}/reset-factors": {may: anonymous, ref: "{newcomer}"},
}
