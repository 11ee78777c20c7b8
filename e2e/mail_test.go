package e2e

// mailRows are contact points of providers and what is behind answer links. Whoever holds a link's token is told apart by that alone
// (TestLinkOpensNothingElseAndEndsWhenItShould).
var mailRows = map[string]row{
	"POST /api/v1/providers/{id}/contacts":     {may: who{admin}, ref: "{provider}", body: `{"purpose":"questions","layer":"host","channel":"mail","form":"single","address":"new{n}@video.example"}`},
	"GET /api/v1/providers/{id}/contacts":      {may: append(who{auditor, admin}, authoritySide...), ref: "{provider}"},
	"POST /api/v1/providers/{id}/seat":         {may: who{admin}, ref: "{provider}", body: `{"establishment":"XN"}`},
	"POST /api/v1/contacts/{id}/restore":       {may: who{admin}, ref: "{contact}"},
	"POST /api/v1/contacts/{id}/retire":        {may: who{admin}, ref: "{contact}"},
	"GET /api/v1/referrals/{id}/messages":      {may: append(who{auditor, answerer, reader}, north...), ref: "{referral}"},
	"POST /api/v1/referrals/{id}/revoke-links": {may: append(who{admin}, north...), ref: "{referral}"},

	"GET /providers/{ref}":               {may: append(who{auditor, admin}, authoritySide...), ref: "{provider}"},
	"POST /providers/{ref}/contacts":     {may: who{admin}, ref: "{provider}", body: "purpose=questions&layer=host&channel=mail&form=single&address=new{n}@video.example"},
	"POST /providers/{ref}/seat":         {may: who{admin}, ref: "{provider}", body: "establishment=XN"},
	"POST /contacts/{ref}/restore":       {may: who{admin}, ref: "{contact}"},
	"POST /contacts/{ref}/retire":        {may: who{admin}, ref: "{contact}"},
	"POST /referrals/{ref}/links/revoke": {may: append(who{admin}, north...), ref: "{referral}"},

	"GET /answer/{token}":                  {may: anonymous},
	"POST /answer/{token}":                 {may: anonymous},
	"POST /answer/{token}/acknowledgement": {may: anonymous},
	"POST /answer/{token}/answers":         {may: anonymous},
	"POST /answer/{token}/question":        {may: anonymous},
}
