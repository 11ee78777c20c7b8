package apiserver_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"concert"
	"concert/api"
)

func TestAProviderWorksThroughItsReferral(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	ctx := context.Background()
	refs := d.refer(t, place(0, 1), place(0, 2), place(0, 3))
	note := awaitInbox(t, &d.provider, 1)[0]
	if note.Type != "referral.sent" || note.Items != 3 || !note.Voluntary || !note.Exercise {
		t.Fatalf("notice %+v", note)
	}
	if strings.Contains(encode(t, note), "example") {
		t.Errorf("the thin notice names a place: %s", encode(t, note))
	}
	r := must(d.provider.Referral(ctx, note.Referral))(t)
	if r.Voluntary != concert.VoluntaryNotice || len(r.Items) != 3 || r.Items[0].Facts == "" {
		t.Fatalf("referral %s", encode(t, r))
	}
	verifyEnvelope(t, d, r)

	// Polling on from the cursor gives nothing and the same cursor.
	on := must(d.provider.Inbox(ctx, note.Cursor, 10))(t)
	if len(on.Entries) != 0 || on.Cursor != note.Cursor {
		t.Errorf("polling on: %d entries, cursor %q, want %q", len(on.Entries), on.Cursor, note.Cursor)
	}
	acked := must(d.provider.Acknowledge(ctx, api.Call{}, r.ID))(t)
	if acked.Status != "acknowledged" || acked.AckedAt == "" {
		t.Errorf("after acknowledging: %s at %q", acked.Status, acked.AckedAt)
	}

	path := "/api/v1/referrals/" + r.ID + "/answers"
	part := encode(t, api.NewAnswers{Correlation: "ticket 7", Answers: []api.NewAnswer{{Item: refs[0], Code: "removed"}, {Item: "IT-NONE", Code: "removed"}, {Item: refs[1], Code: "disabled_countries"}}})
	wantCode(t, d.raw(t, &d.provider, "POST", path, part), 428, "precondition.required")
	wantCode(t, d.raw(t, &d.provider, "POST", path, part, "If-Match", `"v99"`), 412, "stale")
	a := d.raw(t, &d.provider, "POST", path, part, "If-Match", api.ETag(acked.Version))
	var out api.AnswerResults
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || out.Correlation != "ticket 7" || a.header.Get("ETag") != api.ETag(out.Version) {
		t.Fatalf("partial answer: %d %v %s", a.status, err, a.body)
	}
	if rs := out.Results; rs[0].Problem != nil || rs[1].Problem == nil || rs[1].Problem.Code != "answer.item" || rs[2].Problem == nil || rs[2].Problem.Code != "answer.countries" {
		t.Errorf("results %s", encode(t, rs))
	}
	rest := api.NewAnswers{Answers: []api.NewAnswer{{Item: refs[1], Code: "disabled_countries", Countries: []string{"BE", "ES"}}, {Item: refs[2], Code: "refused_not_violating", Note: "EXERCISE"}}}
	must(d.provider.Answer(ctx, api.Call{IfMatch: out.Version}, r.ID, rest))(t)
	done := must(d.provider.Referral(ctx, r.ID))(t)
	if done.Status != "answered" {
		t.Errorf("status %s, want answered", done.Status)
	}
	stats := must(d.provider.Statistics(ctx))(t)
	for metric, want := range map[string]int64{"referred": 3, "answered": 3, "removed": 2, "refused": 1, "silent": 0, "acknowledged": 3} {
		if stats.Counts[metric] != want || stats.Definitions[metric] == "" {
			t.Errorf("%s is %d (%q), want %d", metric, stats.Counts[metric], stats.Definitions[metric], want)
		}
	}
}

// verifyEnvelope checks both signatures with the published keys, as an
// outsider would.
func verifyEnvelope(t *testing.T, d *desk, r api.Referral) {
	t.Helper()
	keys := must((&api.Client{Base: d.url}).Keys(context.Background()))(t)
	for _, role := range []string{"author", "transport"} {
		ok := false
		for _, k := range keys.Keys {
			if k.Role != role {
				continue
			}
			pub := must(base64.StdEncoding.DecodeString(k.PublicKey))(t)
			ok = ok || r.Envelope.Verify(role, ed25519.PublicKey(pub)) == nil
		}
		if !ok {
			t.Errorf("no published %s key verifies the envelope", role)
		}
	}
}

func TestOfTwoRacingAnswersOneIsToldToReadAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	refs := d.refer(t, place(0, 1))
	ref := awaitInbox(t, &d.provider, 1)[0].Referral
	r := must(d.provider.Referral(context.Background(), ref))(t)
	var wg sync.WaitGroup
	got := make([]answer, 2)
	for i, code := range []string{"removed", "refused_not_violating"} {
		body := encode(t, api.NewAnswers{Answers: []api.NewAnswer{{Item: refs[0], Code: code}}})
		wg.Go(func() {
			got[i] = d.raw(t, &d.provider, "POST", "/api/v1/referrals/"+ref+"/answers", body, "If-Match", api.ETag(r.Version))
		})
	}
	wg.Wait()
	if got[0].status != 200 {
		got[0], got[1] = got[1], got[0]
	}
	if got[0].status != 200 {
		t.Fatalf("no answer was taken: %d %s, %d %s", got[0].status, short(got[0].body), got[1].status, short(got[1].body))
	}
	wantCode(t, got[1], 412, "stale")
}

func TestAProviderSeesOnlyWhatIsAddressedToIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	refs := d.refer(t, place(0, 1))
	ref := awaitInbox(t, &d.provider, 1)[0].Referral
	body := encode(t, api.NewAnswers{Answers: []api.NewAnswer{{Item: refs[0], Code: "removed"}}})
	for _, a := range []answer{
		d.raw(t, &d.other, "GET", "/api/v1/referrals/"+ref, ""),
		d.raw(t, &d.other, "POST", "/api/v1/referrals/"+ref+"/acknowledge", ""),
		d.raw(t, &d.other, "POST", "/api/v1/referrals/"+ref+"/answers", body, "If-Match", `"v1"`),
		d.raw(t, &d.other, "GET", "/api/v1/referrals/RF-NONE", ""),
		d.raw(t, &d.provider, "GET", "/api/v1/items/"+refs[0], ""),
	} {
		wantCode(t, a, 404, "not_found")
	}
	if in := must(d.other.Inbox(context.Background(), "", 10))(t); len(in.Entries) != 0 {
		t.Errorf("the other provider's inbox lists %d notices", len(in.Entries))
	}
	wantCode(t, d.raw(t, &d.provider, "GET", "/api/v1/items", ""), 403, "items.authority")
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/inbox", ""), 403, "inbox.provider")
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/provider/statistics", ""), 403, "statistics.provider")
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/provider/sandbox", ""), 403, "sandbox.provider")
}

func TestAnotherAuthoritysOfficerFindsNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	item := d.submit(t, place(0, 1))
	body := encode(t, d.judgement())
	missing := d.raw(t, &d.foreign, "GET", "/api/v1/items/IT-NONE", "")
	foreign := d.raw(t, &d.foreign, "GET", "/api/v1/items/"+item.ID, "")
	wantCode(t, foreign, 404, "not_found")
	if foreign.body != missing.body {
		t.Errorf("another's item answers %s, a missing one %s: the difference tells that it exists", foreign.body, missing.body)
	}
	wantCode(t, d.raw(t, &d.foreign, "POST", "/api/v1/items/"+item.ID+"/assessment", body, "If-Match", `"v1"`), 404, "not_found")
	wantCode(t, d.raw(t, &d.foreign, "POST", "/api/v1/items/"+item.ID+"/observation", `{"state":"down","vantage":"EXERCISE"}`, "If-Match", `"v1"`), 404, "not_found")
	wantCode(t, d.raw(t, &d.foreign, "POST", "/api/v1/items/"+item.ID+"/remedy", `{"kind":"withdrawal","reason":"EXERCISE withdrawn"}`, "If-Match", `"v1"`), 404, "not_found")
	if p := must(d.foreign.Items(context.Background(), api.ItemQuery{Status: "open"}))(t); len(p.Items) != 0 {
		t.Errorf("another authority's list has %d items", len(p.Items))
	}
	// With a find of its own it shares the credit and sees the item.
	joined := must(d.foreign.SubmitItem(context.Background(), api.Call{}, api.NewItem{Location: place(0, 1) + "?utm_source=x", Captures: seen()}))(t)
	if joined.ID != item.ID || len(joined.Finders) != 2 {
		t.Errorf("joined %s with finders %v, want %s with two", joined.ID, joined.Finders, item.ID)
	}
}

func TestG07AHoldShowsOthersOnlyThatItStandsAndWhomToCall(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	ctx := context.Background()
	h := must(d.foreign.PlaceHold(ctx, api.Call{}, api.NewHold{Location: place(0, 1), Contact: "desk B, EXERCISE", Case: "SECRET-CASE-9"}))(t)
	refs := d.refer(t, place(0, 1))
	var raw answer
	await(t, func() bool {
		raw = d.raw(t, &d.officer, "GET", "/api/v1/items/"+refs[0], "")
		return strings.Contains(raw.body, `"status":"held"`)
	})
	var it struct {
		Hold map[string]any `json:"hold"`
	}
	if err := json.Unmarshal([]byte(raw.body), &it); err != nil {
		t.Fatal(err)
	}
	if len(it.Hold) != 2 || it.Hold["hold"] != true || it.Hold["contact"] != "desk B, EXERCISE" {
		t.Errorf("the hold shows %v, want only hold and contact", it.Hold)
	}
	for _, secret := range []string{"SECRET-CASE-9", h.ID} {
		if strings.Contains(raw.body, secret) {
			t.Errorf("the item tells %q of another's hold", secret)
		}
	}
	// Neither lists, nor what the item's finders see, nor refusals say more.
	listed := d.raw(t, &d.officer, "GET", "/api/v1/items?status=held", "")
	joined := must(d.foreign.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, 1), Captures: seen()}))(t)
	finder := d.raw(t, &d.foreign, "GET", "/api/v1/items/"+refs[0], "")
	refused := d.raw(t, &d.officer, "POST", "/api/v1/items/"+refs[0]+"/assessment", `{"type":"incites","purpose":"no_protected_purpose","outlet":"`+d.outlet+`","mark":"EXERCISE","mark_where":"top","language":"ar","severity":"routine","evaluation":"A1","facts":"EXERCISE what is seen","judgement":"EXERCISE why it incites"}`, "If-Match", fmt.Sprintf(`"v%d"`, must(d.officer.Item(ctx, refs[0]))(t).Version))
	override := d.raw(t, &d.officer, "POST", "/api/v1/items/"+refs[0]+"/override", `{"reason":"EXERCISE: a reason that is long enough"}`, "If-Match", fmt.Sprintf(`"v%d"`, must(d.officer.Item(ctx, refs[0]))(t).Version))
	for name, body := range map[string]string{"list": listed.body, "finder": finder.body, "refusal": refused.body, "override": override.body} {
		for _, secret := range []string{"SECRET-CASE-9", h.ID, "desk B, EXERCISE"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells %q of another's hold: %s", name, secret, body)
			}
		}
	}
	if joined.Status != "approved" || joined.Hold != nil || strings.Contains(finder.body, "held") {
		t.Errorf("a finder that did not ask sees %s: %s", joined.Status, finder.body)
	}
	wantCode(t, refused, 409, "item.move")
	wantCode(t, override, 403, "role.missing")
	own := must(d.foreign.Holds(ctx))(t).Items
	if len(own) != 1 || own[0].Case != "SECRET-CASE-9" || own[0].State != "stands" || own[0].RenewalsLeft != 2 || len(own[0].Asked) != 1 || own[0].Asked[0].Unit != "RU-A" || own[0].Asked[0].Contact != "desk A" || own[0].Asked[0].Kind != "dispatch" {
		t.Errorf("the holder sees %+v", own)
	}
	wantCode(t, d.raw(t, &d.foreign, "POST", "/api/v1/holds/"+h.ID+"/renew", `{"reason":"EXERCISE still needed"}`, "If-Match", `"v1"`), 403, "hold.same_person")
	wantCode(t, d.raw(t, &d.officer, "GET", "/api/v1/alarms", ""), 403, "role.missing")
	if as := must(d.coordinator.Alarms(ctx))(t); len(as.Items) != 0 || len(as.Reviews) != 0 {
		t.Errorf("alarms without a cause: %+v", as)
	}
	if p := must(d.officer.Holds(ctx))(t); len(p.Items) != 0 {
		t.Errorf("another authority's holds are listed: %d", len(p.Items))
	}
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/holds/"+h.ID+"/release", `{"reason":"EXERCISE over"}`, "If-Match", `"v1"`), 404, "not_found")
	wantCode(t, d.raw(t, &d.foreign, "POST", "/api/v1/holds/"+h.ID+"/release", `{"reason":"EXERCISE over"}`), 428, "precondition.required")
	wantCode(t, d.raw(t, &d.foreign, "POST", "/api/v1/holds/"+h.ID+"/release", `{"reason":"EXERCISE over"}`, "If-Match", `"v5"`), 412, "stale")
	must(d.foreign.ReleaseHold(ctx, api.Call{IfMatch: h.Version}, h.ID, api.Release{Reason: "EXERCISE over"}))(t)
	awaitInbox(t, &d.provider, 1)
}

func TestG16AWithdrawalReachesTheInbox(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	ctx := context.Background()
	refs := d.refer(t, place(0, 1), place(0, 2))
	first := awaitInbox(t, &d.provider, 1)[0]
	it := must(d.officer.Item(ctx, refs[0]))(t)
	must(d.officer.Remedy(ctx, api.Call{IfMatch: it.Version}, it.ID, api.NewRemedy{Kind: "withdrawal", Reason: "EXERCISE: a mistake of ours"}))(t)
	other := must(d.officer.Item(ctx, refs[1]))(t)
	must(d.officer.Remedy(ctx, api.Call{IfMatch: other.Version}, other.ID, api.NewRemedy{Kind: "correction", Reason: "EXERCISE: the language is another"}))(t)
	got := awaitInbox(t, &d.provider, 3)
	if got[1].Type != "referral.withdrawn" || got[1].Remedy == "" || got[2].Type != "referral.corrected" || got[1].Referral != first.Referral {
		t.Errorf("notices %+v", got)
	}
	r := must(d.provider.Referral(ctx, first.Referral))(t)
	for _, ri := range r.Items {
		if ri.Withdrawn != (ri.Ref == refs[0]) {
			t.Errorf("item %s: withdrawn %t", ri.Ref, ri.Withdrawn)
		}
		if ri.Ref == refs[1] && (len(ri.Correction) != 1 || !strings.Contains(ri.Correction[0], "language")) {
			t.Errorf("correction %v", ri.Correction)
		}
	}
}

func TestTheSandboxSendsANoticeThatCountsNowhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.run(t)
	ctx := context.Background()
	s := must(d.provider.Sandbox(ctx, api.Call{}))(t)
	got := awaitInbox(t, &d.provider, 1)[0]
	if got.Type != "referral.sandbox" || got.Referral != s.Referral || !got.Exercise || got.Items != 2 {
		t.Errorf("notice %+v, want a sandbox of %s", got, s.Referral)
	}
	for metric, n := range must(d.provider.Statistics(ctx))(t).Counts {
		if n != 0 {
			t.Errorf("a sandbox counted: %s is %d", metric, n)
		}
	}
}

func placesThatAreNoneAreRefusedWithTheirOwnCode(t *testing.T, d *desk) {
	for input, code := range map[string]string{
		"https://user:secret@video0.example/w/1":                "location.credentials",
		"https://vide\u043e.com/w/1":                            "location.homograph",
		"https://video0.example/w/\x01":                         "location.control_character",
		"https://video0.example/w/%00":                          "location.control_character",
		"https://video0.example/w/\u202Egpj":                    "location.invisible_character",
		"javascript:alert(1)":                                   "location.scheme_refused",
		"file:///etc/passwd":                                    "location.scheme_refused",
		"data:text/html,x":                                      "location.scheme_refused",
		"http://127.0.0.1/w/1":                                  "location.private_host",
		"http://localhost/w/1":                                  "location.private_host",
		"https://video0.example/w/%zz":                          "location.bad_percent_encoding",
		"https://video0.example/" + strings.Repeat("a/b", 2000): "request.invalid",
		" ": "location.empty",
	} {
		wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items", encode(t, api.NewItem{Location: input})), 422, code)
	}
}
