package e2e

import (
	"fmt"
	"testing"

	"concert"
	"concert/internal/testkit"
)

// ordered lets North issue removal orders, and leaves a draft of one.
func (s *site) ordered(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	testkit.Must(t, s.ProposeOffice(ctx, s.Admin, s.North.Ref, concert.OrderOffice{Kind: concert.OrderByLawEnforcement, Functions: []concert.Function{concert.FunctionIssue}, Address: "EXERCISE Street 1", Telephone: "+000", Email: "orders@north.example"}))
	testkit.Must(t, s.ConfirmOffice(ctx, s.SecondAdmin, s.North.Ref))
	it := s.Assess(s.North.Officers[0], s.Submit(s.North.Officers[0], testkit.Page(31)))[0]
	o, err := s.DraftOrder(ctx, s.North.Officers[0], testkit.Draft(it.Ref))
	testkit.Must(t, err)
	s.things["{order}"], s.things["{order.v}"] = o.Ref, fmt.Sprint(o.Version)
	s.secrets = append(s.secrets, o.Ref)
}

// ordering are the people of North who have a part in its orders, and those who read all.
var ordering = who{officer, colleague, reviewer, coordinator, auditor}

// orderListing are those who have a list of orders, be it empty.
var orderListing = who{officer, colleague, reviewer, stranger, outsider}

// orderPageRows are the pages of removal orders and of what an authority is.
var orderPageRows = map[string]row{
	"GET /orders":                     {may: append(who{coordinator, auditor}, orderListing...)},
	"GET /orders.csv":                 {may: append(who{coordinator, auditor}, orderListing...)},
	"GET /orders/new":                 {may: who{officer, colleague}},
	"POST /orders":                    {may: who{officer, colleague}, body: "statement=EXERCISE"},
	"GET /orders/alarms":              {may: append(who{coordinator, answerer, reader, rival}, orderListing...)},
	"GET /orders/alarms/stream":       {may: append(who{coordinator, answerer, reader, rival}, orderListing...)},
	"GET /orders/{ref}":               {may: ordering, ref: "{order}"},
	"GET /orders/{ref}/draft":         {may: who{officer, colleague}, ref: "{order}"},
	"POST /orders/{ref}/draft":        {may: who{officer, colleague}, ref: "{order}", body: "version={order.v}"},
	"POST /orders/{ref}/review":       {may: who{reviewer}, ref: "{order}", body: "version={order.v}"},
	"POST /orders/{ref}/return":       {may: who{reviewer}, ref: "{order}", body: "version={order.v}&reason=EXERCISE+a+reason+that+is+long+enough"},
	"POST /orders/{ref}/approve":      {may: who{}, ref: "{order}", body: "version={order.v}"},
	"POST /orders/{ref}/issue":        {may: who{}, ref: "{order}", body: "version={order.v}"},
	"POST /orders/{ref}/drop":         {may: who{officer, colleague, reviewer}, ref: "{order}", body: "version={order.v}&reason=EXERCISE+a+reason+that+is+long+enough"},
	"POST /orders/{ref}/withdraw":     {may: who{reviewer}, ref: "{order}", body: "version={order.v}&reason=EXERCISE+a+reason+that+is+long+enough"},
	"POST /orders/{ref}/clarify":      {may: who{officer, colleague, reviewer}, ref: "{order}", body: "version={order.v}&reason=EXERCISE+a+reason+that+is+long+enough"},
	"POST /orders/{ref}/emergency":    {may: who{reviewer, coordinator}, ref: "{order}", body: "version={order.v}&verdict=justified&reason=EXERCISE+a+reason+that+is+long+enough"},
	"GET /orders/{ref}/document":      {may: ordering, ref: "{order}"},
	"GET /orders/{ref}/document.pdf":  {may: ordering, ref: "{order}"},
	"GET /orders/{ref}/document.html": {may: ordering, ref: "{order}"},
	"GET /orders/{ref}/order.json":    {may: ordering, ref: "{order}"},

	"GET /authorities/{ref}":          {may: append(who{admin}, ordering...), ref: "{north}"},
	"POST /authorities/{ref}":         {may: who{admin}, ref: "{north}", body: "kind=other"},
	"POST /authorities/{ref}/confirm": {may: who{admin}, ref: "{north}", body: "version=1"},
}

// orderRows are removal orders for programs.
var orderRows = map[string]row{
	"GET /api/v1/order-register":                   {may: everyone},
	"POST /api/v1/orders":                          {may: who{officer, colleague}, body: `{"items":[{"item":"{none}"}],"statement":"EXERCISE","legal_basis":["EXERCISE"],"language":"en","representative":"EXERCISE","post":"EXERCISE","file_no":"EXERCISE"}`},
	"GET /api/v1/orders":                           {may: append(who{answerer, reader, rival}, orderListing...)},
	"GET /api/v1/orders/{id}":                      {may: ordering, ref: "{order}"},
	"GET /api/v1/orders/{id}/file":                 {may: ordering, ref: "{order}"},
	"GET /api/v1/orders/{id}/document":             {may: ordering, ref: "{order}"},
	"POST /api/v1/orders/{id}/draft":               {may: who{officer, colleague}, ref: "{order}", body: `{"items":[{"item":"{none}"}],"statement":"EXERCISE","legal_basis":["EXERCISE"],"language":"en","representative":"EXERCISE","post":"EXERCISE","file_no":"EXERCISE"}`},
	"POST /api/v1/orders/{id}/review":              {may: who{reviewer}, ref: "{order}", body: `{}`},
	"POST /api/v1/orders/{id}/approve":             {may: who{}, ref: "{order}", body: `{}`},
	"POST /api/v1/orders/{id}/issue":               {may: who{}, ref: "{order}", body: `{}`},
	"POST /api/v1/orders/{id}/return":              {may: who{reviewer}, ref: "{order}", body: `{"reason":"EXERCISE: a reason that is long enough."}`},
	"POST /api/v1/orders/{id}/drop":                {may: who{officer, colleague, reviewer}, ref: "{order}", body: `{"reason":"EXERCISE: a reason that is long enough."}`},
	"POST /api/v1/orders/{id}/withdraw":            {may: who{reviewer}, ref: "{order}", body: `{"reason":"EXERCISE: a reason that is long enough."}`},
	"POST /api/v1/orders/{id}/emergency-review":    {may: who{reviewer, coordinator}, ref: "{order}", body: `{"verdict":"justified","reason":"EXERCISE: a reason that is long enough."}`},
	"POST /api/v1/orders/{id}/clarify":             {may: who{officer, colleague, reviewer}, ref: "{order}", body: `{"reason":"EXERCISE: a reason that is long enough."}`},
	"POST /api/v1/orders/{id}/feedback":            {may: who{}, ref: "{order}", body: `{"measure":"removed","measure_at":"2026-01-01T12:00:00Z","person":"EXERCISE","email":"legal@video.example"}`},
	"POST /api/v1/orders/{id}/impossible":          {may: who{}, ref: "{order}", body: `{"reasons":["force_majeure"],"further":"EXERCISE: a reason that is long enough.","person":"EXERCISE","email":"legal@video.example"}`},
	"GET /api/v1/authorities/{id}/office":          {may: append(who{admin}, ordering...), ref: "{north}"},
	"POST /api/v1/authorities/{id}/office":         {may: who{admin}, ref: "{north}", body: `{"kind":"other","functions":["refer"],"address":"EXERCISE","telephone":"+0","email":"none"}`},
	"POST /api/v1/authorities/{id}/office/confirm": {may: who{admin}, ref: "{north}"},
}
