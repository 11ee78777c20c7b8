package e2e

// registerReaders are who sees the registers of parties and outlets: everybody but a provider's people.
var registerReaders = append(who{auditor, admin}, authoritySide...)

// listReaders are who lists what an authority has done.
var listReaders = append(who{auditor}, authoritySide...)

// listRows are lists, files of them, search, and the event log. Events by their place are looked at in casework: whose they are hangs
// on what happened.
var listRows = map[string]row{
	"POST /filters":                             {may: known, body: "list=items&name=EXERCISE+{n}&query=kind%3Dvideo"},
	"POST /filters/{id}/delete":                 {may: anonymous},
	"GET /items.csv":                            {may: listReaders},
	"GET /referrals.csv":                        {may: listReaders},
	"GET /holds.csv":                            {may: who{officer, colleague, reviewer, stranger, outsider}},
	"GET /remedies":                             {may: listReaders},
	"GET /remedies.csv":                         {may: listReaders},
	"GET /corrections":                          {may: everyone},
	"GET /corrections.csv":                      {may: everyone},
	"GET /people.csv":                           {may: who{admin, auditor}},
	"GET /authorities":                          {may: registerReaders},
	"GET /authorities.csv":                      {may: registerReaders},
	"GET /providers":                            {may: registerReaders},
	"GET /providers.csv":                        {may: registerReaders},
	"GET /outlets":                              {may: registerReaders},
	"GET /outlets.csv":                          {may: registerReaders},
	"GET /outlets/{ref}":                        {may: registerReaders, ref: "{outlet}"},
	"POST /authorities":                         {may: who{admin}, body: "name=EXERCISE+Unit+{n}&unit=U{n}&kind=court&country=XN"},
	"POST /providers":                           {may: who{admin}, body: "name=EXERCISE+Cloud+{n}&kind=cdn&country=XN&channel=pull&platforms=cloud{n}.example"},
	"POST /outlets":                             {may: append(who{admin}, authoritySide...), body: "name=EXERCISE+Voice+{n}"},
	"POST /outlets/{ref}/scope":                 {may: who{reviewer, outsider, coordinator}, ref: "{outlet}", body: "legal_act=EXERCISE+Decision+4&authority=EXERCISE+Council&citation=EXERCISE+Journal&listed_on=2019-01-01"},
	"POST /outlets/{ref}/scope/{entry}/confirm": {may: anonymous},
	"POST /outlets/{ref}/scope/{entry}/delist":  {may: anonymous},
	"GET /alarms.csv":                           {may: who{coordinator, auditor}},
	"GET /actions.csv":                          {may: registerReaders},
	"GET /search":                               {may: registerReaders},
	"POST /search":                              {may: registerReaders, body: "ref={outlet}"},
	"GET /events":                               {may: listReaders},
	"GET /events.csv":                           {may: listReaders},
	"GET /events/{position}":                    {may: anonymous},
	"POST /events/{position}":                   {may: anonymous},
	"GET /events/{position}/proof.json":         {may: anonymous},
	"GET /approvals.csv":                        {may: who{reviewer, outsider}},
	"GET /second-looks.csv":                     {may: without(authoritySide, coordinator)},
	"GET /second-looks/{ref}":                   {may: who{}, ref: "{judged}"},
	"GET /api/v1/second-looks/list":             {may: without(authoritySide, coordinator)},
	"GET /api/v1/second-looks/{id}":             {may: who{}, ref: "{judged}"},
	"GET /cases.csv":                            {may: append(who{auditor}, authoritySide...)},
	"GET /watchlist.csv":                        {may: who{officer, colleague, reviewer, stranger, outsider, auditor}},
}
