package e2e

// orderPortalRows are the addressee's side of removal orders and the check that is open to anybody. Nobody has the order that is
// named here, so that each of its pages and files refuses everybody alike; who reads and answers one is told apart in
// internal/casework and internal/webui. Whoever holds a link's token is told apart by that alone.
var orderPortalRows = map[string]row{
	"GET /own-orders":                       {may: who{answerer, reader, rival}},
	"GET /own-orders/{ref}":                 {may: who{}, ref: "{none}"},
	"GET /own-orders/{ref}/order.pdf":       {may: who{}, ref: "{none}"},
	"GET /own-orders/{ref}/order.html":      {may: who{}, ref: "{none}"},
	"GET /own-orders/{ref}/order.json":      {may: who{}, ref: "{none}"},
	"GET /own-orders/{ref}/statements.json": {may: who{}, ref: "{none}"},
	"POST /own-orders/{ref}/feedback":       {may: who{}, ref: "{none}", body: "measure=removed&measure_at=2019-11-21T12:00&person=EXERCISE&email=orders@video.example"},
	"POST /own-orders/{ref}/impossible":     {may: who{}, ref: "{none}", body: "reasons=force_majeure&further=EXERCISE+no+power+in+the+house&person=EXERCISE&email=orders@video.example"},
	"POST /own-orders/{ref}/over":           {may: who{}, ref: "{none}", body: "reason=EXERCISE+power+is+back+since+a+minute"},
	"GET /api/v1/orders/{id}/statements":    {may: who{}, ref: "{none}"},
	"GET /api/v1/order-check":               {may: anonymous},
	"GET /verify/order":                     {may: everyone},
	"POST /verify/order":                    {may: anonymous},
	"GET /order-answer/{token}":             {may: anonymous},
	"POST /order-answer/{token}":            {may: anonymous},
	"POST /order-answer/{token}/feedback":   {may: anonymous},
	"POST /order-answer/{token}/impossible": {may: anonymous},
	"POST /order-answer/{token}/over":       {may: anonymous},
	"POST /order-answer/{token}/order.pdf":  {may: anonymous},
	"POST /order-answer/{token}/order.json": {may: anonymous},
}
