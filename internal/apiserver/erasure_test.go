package apiserver_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"concert/api"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/testkit"
)

func TestG20ErasureOverTheAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	ctx := context.Background()
	refs := d.refer(t, place(0, 1), place(0, 2))
	ref := awaitInbox(t, &d.provider, 1)[0].Referral
	verifyEnvelope(t, d, must(d.provider.Referral(ctx, ref))(t))
	it := must(d.officer.Item(ctx, refs[0]))(t)
	d.raw(t, &d.officer, "POST", "/api/v1/items", encode(t, api.NewItem{Location: place(0, 3)}), "Idempotency-Key", "kept one")
	stored := func() (n int) {
		testkit.Must(t, testkit.Raw(t, d.svc).QueryRow("SELECT count(*) FROM idempotency").Scan(&n))
		return n
	}

	ask := encode(t, api.NewErasure{Code: "data_subject", Reason: "EXERCISE canary: the person asked"})
	a := d.raw(t, &d.officer, "POST", "/api/v1/items/"+refs[0]+"/erasure", ask, "If-Match", api.ETag(it.Version), "Idempotency-Key", "ask")
	if a.status != 200 || !strings.Contains(a.body, place(0, 1)) || stored() != 2 {
		t.Fatalf("asked: %d %s, %d answers kept", a.status, short(a.body), stored())
	}
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/items/"+refs[0]+"/erasure", ""), 404, "erasure.not_yet")
	pending := must(d.reviewer.Item(ctx, refs[0]))(t)
	if pending.Erasure == nil || pending.Erasure.AskedBy == "" || !strings.Contains(pending.Erasure.Reason, "canary") {
		t.Errorf("the request reads %+v", pending.Erasure)
	}
	wantCode(t, d.raw(t, &d.reviewer, "POST", "/api/v1/items/"+refs[0]+"/erasure/confirm", "", "If-Match", api.ETag(it.Version)), 412, "stale")
	gone := must(d.reviewer.EraseItem(ctx, api.Call{IfMatch: pending.Version, IdempotencyKey: "erase"}, refs[0]))(t)
	if gone.ErasedAt == "" || gone.Location != "" || gone.Assessment != nil || gone.Erasure == nil || gone.Erasure.Code != "data_subject" || gone.Erasure.Reason != "" {
		t.Errorf("the erased item reads %+v, %+v", gone, gone.Erasure)
	}
	// The answer to the request told of the place and is gone; what tells of nothing any more may stay.
	if again := d.raw(t, &d.officer, "POST", "/api/v1/items/"+refs[0]+"/erasure", ask, "If-Match", api.ETag(it.Version), "Idempotency-Key", "ask"); again.status != 410 || strings.Contains(again.body, "video0") {
		t.Errorf("the request repeated: %d %s", again.status, again.body)
	}
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items/"+refs[0]+"/assessment", encode(t, d.judgement()), "If-Match", api.ETag(gone.Version)), 410, "item.erased")

	r := must(d.provider.Referral(ctx, ref))(t)
	if r.Envelope != nil || r.Incomplete == nil || r.Incomplete.Erased != 1 || len(r.Incomplete.Digest) != 64 || len(r.Items) != 1 || r.Items[0].Ref != refs[1] || r.Items[0].Facts == "" {
		t.Errorf("the referral reads %+v, %+v", r, r.Incomplete)
	}
	p := d.raw(t, &d.auditor, "GET", "/api/v1/items/"+refs[0]+"/erasure", "", "Concert-Justification", "EXERCISE audit of erasures")
	v, err := formats.VerifyErasure(strings.NewReader(p.body), d.svc.LogKey, nil)
	if p.status != 200 || err != nil || !v.Verified || v.Erasure.Item != refs[0] {
		t.Errorf("the proof: %d, %+v, %v", p.status, v, err)
	}
	if got := formats.FormatOf([]byte(p.body[:60])); got != "concert-erasure/1" {
		t.Errorf("the proof begins with %.60s", p.body)
	}
	var bundle bytes.Buffer
	testkit.Must(t, d.svc.Export(ctx, &bundle))
	if v, err := formats.VerifyBundle(&bundle, d.svc.LogKey, nil); err != nil || !v.Verified || v.Erased == 0 {
		t.Errorf("the bundle: %+v, %v", v, err)
	}
}

func TestAnswersAboutAnErasedItemAreNotKeptAfterwards(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	it := d.submit(t, place(0, 1))
	testkit.Must(t, d.svc.Keep(ctx, "somebody", "before", []byte("x"), casework.StoredAnswer{Status: 200, Body: []byte("x"), Item: it.ID}))
	asked := must(d.officer.AskErasure(ctx, api.Call{IfMatch: it.Version}, it.ID, api.NewErasure{Code: "mistaken", Reason: "EXERCISE a test of ours"}))(t)
	must(d.reviewer.EraseItem(ctx, api.Call{IfMatch: asked.Version}, it.ID))(t)
	testkit.Must(t, d.svc.Keep(ctx, "somebody", "after", []byte("x"), casework.StoredAnswer{Status: 200, Body: []byte("x"), Item: it.ID}))
	for _, key := range []string{"before", "after"} {
		if _, ok, err := d.svc.Recall(ctx, "somebody", key, []byte("x")); ok || err != nil {
			t.Errorf("an answer kept %s the erasure is there: %v, %v", key, ok, err)
		}
	}
}

func TestG23ExportOverTheAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	open := d.submit(t, place(0, 1))
	shut := must(d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, 2), Handling: "H1", Captures: seen()}))(t)
	in := api.NewExport{Items: []string{open.ID, shut.ID}, Destination: "judicial", Recipient: "EXERCISE court", Justification: "EXERCISE: asked for by the court"}
	a := d.raw(t, &d.officer, "POST", "/api/v1/exports", encode(t, in))
	wantCode(t, a, 403, "handling.blocked")
	if !strings.Contains(a.body, shut.ID+" (H1)") || strings.Contains(a.body, open.ID) {
		t.Errorf("the refusal names %s", a.body)
	}
	changed := must(d.second.ChangeHandling(ctx, api.Call{IfMatch: shut.Version}, shut.ID, api.NewHandling{Handling: "H0", Reason: "EXERCISE: its giver permits it"}))(t)
	if changed.Handling != "H0" {
		t.Errorf("the code is %s", changed.Handling)
	}
	a = d.raw(t, &d.officer, "POST", "/api/v1/exports", encode(t, in), "Idempotency-Key", "export")
	if a.status != 200 || strings.Count(a.body, `"evaluation":"A1"`) != 2 || !strings.Contains(a.body, place(0, 2)) {
		t.Errorf("the document: %d %s", a.status, a.body)
	}
	var n int
	testkit.Must(t, testkit.Raw(t, d.svc).QueryRow("SELECT count(*) FROM idempotency WHERE name = 'export'").Scan(&n))
	if n != 0 {
		t.Error("a document with items in full is kept for a repeated request")
	}
	held := must(d.reviewer.PlaceLegalHold(ctx, api.Call{IfMatch: open.Version}, open.ID, api.Reasoned{Reason: "EXERCISE evidence in a case"}))(t)
	if held.HeldLegal == "" {
		t.Error("the legal hold is not shown")
	}
	if free := must(d.reviewer.LiftLegalHold(ctx, api.Call{IfMatch: held.Version}, open.ID, api.Reasoned{Reason: "EXERCISE the case is over"}))(t); free.HeldLegal != "" {
		t.Error("the lifted legal hold is shown")
	}
}
