package e2e

import (
	"testing"

	"concert"
	"concert/internal/testkit"
)

// actionRows are the pages that run a joint action, and what they tell of it.
var actionRows = map[string]row{
	"GET /actions/new":                  {may: who{coordinator}},
	"POST /actions":                     {may: who{coordinator}, body: "name=EXERCISE+action+{n}&lead={north}&mandate=EXERCISE+mandate&starts_at=2019-11-21T08:00&ends_at=2019-11-24T08:00"},
	"GET /actions/{ref}/coordinate":     {may: who{coordinator, auditor}, ref: "{action}"},
	"POST /actions/{ref}/phase":         {may: who{coordinator}, ref: "{action}", body: "phase=collect"},
	"POST /actions/{ref}/participants":  {may: who{coordinator}, ref: "{action}", body: "authority={south}&part=judicial"},
	"POST /actions/{ref}/targets":       {may: who{coordinator}, ref: "{action}", body: "outlet={outlet}"},
	"POST /actions/{ref}/batching":      {may: who{coordinator}, ref: "{action}", body: "batched=on"},
	"POST /actions/{ref}/freeze":        {may: who{coordinator}, ref: "{action}", body: "reason=EXERCISE+something+is+wrong"},
	"POST /actions/{ref}/thaw":          {may: who{coordinator}, ref: "{action}", body: "reason=EXERCISE+it+was+looked+at"},
	"POST /actions/{ref}/thaw/confirm":  {may: who{reviewer, outsider, coordinator}, ref: "{action}"},
	"POST /actions/{ref}/throttle":      {may: who{coordinator}, ref: "{action}", body: "provider={provider}&per_hour=10&reason=EXERCISE+they+asked+for+it"},
	"POST /actions/{ref}/consignments":  {may: who{coordinator}, ref: "{action}", body: "provider={provider}&items=10"},
	"POST /actions/{ref}/bulletins":     {may: who{coordinator}, ref: "{action}", body: "kind=order&text=EXERCISE+video+first"},
	"POST /actions/{ref}/allotments":    {may: who{coordinator}, ref: "{action}", body: "kind=hold&from={north}&items=3&reason=EXERCISE+wait+for+the+court"},
	"POST /actions/{ref}/here":          {may: authoritySide, ref: "{action}"},
	"GET /actions/{ref}/items":          {may: append(who{auditor}, authoritySide...), ref: "{action}"},
	"POST /bulletins/{ref}/down":        {may: who{coordinator}, ref: "{bulletin}", body: "next=/actions"},
	"POST /bulletins/{ref}/take":        {may: who{coordinator}, ref: "{bulletin}", body: "next=/actions"},
	"POST /allotments/{ref}/answer":     {may: who{officer, colleague, reviewer}, ref: "{allotment}", body: "answer=accepted&next=/actions"},
	"GET /consignments/{ref}":           {may: who{coordinator, reviewer, outsider}, ref: "{consignment}"},
	"POST /consignments/{ref}/confirm":  {may: who{reviewer, outsider, coordinator}, ref: "{consignment}"},
	"POST /consignments/{ref}/recall":   {may: who{reviewer, outsider, coordinator}, ref: "{consignment}"},
	"GET /actions/{ref}/report.json":    {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"GET /actions/{ref}/tables/{table}": {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
	"GET /reports":                      {may: append(who{auditor}, authoritySide...)},
	"GET /reports.csv":                  {may: append(who{auditor}, authoritySide...)},
	"GET /api/v1/actions/{id}/report":   {may: append(who{auditor, admin}, authoritySide...), ref: "{action}"},
}

// steered prepares a consignment of North's, an order on the wall and a proposal to North.
func (s *site) steered(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	testkit.Must(t, s.ConsignAction(ctx, s.Coordinator, s.Action.Ref, true))
	s.Approved(testkit.Page(40))
	b, err := s.PrepareConsignment(ctx, s.Coordinator, s.Action.Ref, s.Hooked.Ref, 1)
	testkit.Must(t, err)
	order, err := s.PostBulletin(ctx, s.Coordinator, s.Action.Ref, concert.BulletinOrder, "EXERCISE audio last", "")
	testkit.Must(t, err)
	l, err := s.ProposeAllotment(ctx, s.Coordinator, s.Action.Ref, s.North.Ref, "", concert.Allotment{Kind: concert.AllotHold, Items: 2, Reason: "EXERCISE: wait for the court"})
	testkit.Must(t, err)
	s.things["{consignment}"], s.things["{bulletin}"], s.things["{allotment}"] = b.Ref, order.Ref, l.Ref
}
