package apiserver_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"
	"time"

	"concert/api"
)

// What waits, taken, handed over, put before a lead, parked and taken over: by the client of package api.
func TestTheDeskByTheAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	var refs []string
	for i := range 2 {
		refs = append(refs, must(d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, i)}))(t).ID)
	}
	before := must(d.officer.Desk(ctx))(t)
	if len(before.Assess) != 2 || before.Assess[0].ID != refs[0] || len(before.Held) != 0 || before.Assess[0].Why[0].Code != "age" || before.Counts["open"] != 2 {
		t.Errorf("the desk: %+v", before)
	}
	next := must(d.officer.TakeNext(ctx, api.Call{IdempotencyKey: "k1"}, ""))(t)
	again := must(d.officer.TakeNext(ctx, api.Call{IdempotencyKey: "k1"}, ""))(t)
	if next.Claim == nil || next.Claim.ID != refs[0] || again.Claim.ID != refs[0] {
		t.Fatalf("the next is %+v, asked again %+v", next.Claim, again.Claim)
	}
	if _, err := d.foreign.Claim(ctx, api.Call{}, refs[0]); !api.IsCode(err, "not_found") {
		t.Errorf("another authority: %v", err)
	}
	if _, err := d.officer.HandOver(ctx, api.Call{}, refs[0], api.NewHandover{To: "OP-NONE", Note: "EXERCISE: reads the language"}); !api.IsCode(err, "handover.to") {
		t.Errorf("to nobody: %v", err)
	}
	asked := must(d.officer.AskLead(ctx, api.Call{}, refs[0], api.NewLeadQuestion{Reason: "EXERCISE: is it in scope"}))(t)
	if !asked.AsksLead || asked.Priority != 8 {
		t.Errorf("asked: %+v", asked)
	}
	if lead := must(d.reviewer.Desk(ctx))(t); len(lead.AskLead) != 1 || lead.AskLead[0].AskedBy == "" {
		t.Errorf("the lead's desk: %+v", lead.AskLead)
	}
	if c := must(d.reviewer.Claim(ctx, api.Call{}, refs[0]))(t); c.Holder == "" || c.Until == "" {
		t.Errorf("the lead claims %+v", c)
	}
	if _, err := d.officer.Claim(ctx, api.Call{}, refs[0]); !api.IsCode(err, "item.claimed") {
		t.Errorf("who asked, meanwhile: %v", err)
	}
	if err := d.reviewer.GiveBack(ctx, api.Call{}, refs[0]); err != nil {
		t.Error(err)
	}
	park := api.NewParking{Until: "soon", Reason: "EXERCISE: waits for a translation"}
	if _, err := d.officer.Park(ctx, api.Call{}, refs[1], park); !api.IsCode(err, "park.until") {
		t.Errorf("until soon: %v", err)
	}
	park.Until = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if c := must(d.officer.Park(ctx, api.Call{}, refs[1], park))(t); c.ParkedUntil == "" {
		t.Errorf("parked: %+v", c)
	}
	must(d.reviewer.TakeOver(ctx, api.Call{}, refs[1], api.Reasoned{Reason: "EXERCISE: she is away"}))(t)
	if err := d.officer.Skip(ctx, api.Call{}, refs[1]); err != nil {
		t.Error(err)
	}
	if next = must(d.officer.TakeNext(ctx, api.Call{}, "open"))(t); next.Claim != nil {
		t.Errorf("nothing waits, but %+v", next.Claim)
	}
	it := must(d.officer.Item(ctx, refs[0]))(t)
	if it.Claim == nil || !it.Claim.AsksLead || it.Why[0].Code != "lead" || it.Why[0].Text == "" {
		t.Errorf("the item: %+v %+v", it.Claim, it.Why)
	}
	after := must(d.officer.Desk(ctx))(t)
	if len(after.Ended) != 1 || after.Ended[0].Cause != "taken_over" || after.Ended[0].Item != refs[1] {
		t.Errorf("claims that ended: %+v", after.Ended)
	}
}

// For the eyes: the next item without pictures, by the API as on the page.
func TestTheNextItemWithoutPicturesByTheAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	var shot bytes.Buffer
	if err := png.Encode(&shot, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	seen := must(d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, 0), Captures: []api.InlineCapture{{Bytes: shot.Bytes()}}}))(t).ID
	plain := must(d.officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, 1), Captures: []api.InlineCapture{{Kind: "page", Bytes: []byte("<!doctype html><p>EXERCISE")}}}))(t).ID
	if err := d.officer.Do(ctx, "POST", "/api/v1/desk/next", api.Call{}, api.NextQuery{Stage: "open", Unveiled: true}, nil); !api.IsCode(err, "desk.next") {
		t.Errorf("with a stage: %v", err)
	}
	if next := must(d.officer.TakeNextUnveiled(ctx, api.Call{IdempotencyKey: "eyes"}))(t); next.Claim == nil || next.Claim.ID != plain {
		t.Errorf("the next without pictures is %+v, want %s", next.Claim, plain)
	}
	if err := d.officer.GiveBack(ctx, api.Call{}, plain); err != nil {
		t.Error(err)
	}
	if err := d.officer.Skip(ctx, api.Call{}, plain); err != nil {
		t.Error(err)
	}
	if next := must(d.officer.TakeNextUnveiled(ctx, api.Call{}))(t); next.Claim != nil {
		t.Errorf("pictures alone wait, but %+v", next.Claim)
	}
	if next := must(d.officer.TakeNext(ctx, api.Call{}, ""))(t); next.Claim == nil || next.Claim.ID != seen {
		t.Errorf("the next of all is %+v, want %s", next.Claim, seen)
	}
}
