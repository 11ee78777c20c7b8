package e2e

// publicRows are the public register: for everyone, with and without a session, and never more for one than for another.
var publicRows = map[string]row{
	"GET /public":                                    {may: everyone},
	"GET /public/register":                           {may: everyone},
	"GET /public/register/{ref}":                     {may: who{}, ref: "{referral}"}, // not a day old
	"GET /public/errors":                             {may: everyone},
	"GET /public/figures":                            {may: everyone},
	"GET /public/reports":                            {may: everyone},
	"GET /public/reports/{article}/{subject}/{year}": {may: anonymous},
	"GET /public/files/{name}":                       {may: anonymous},
}
