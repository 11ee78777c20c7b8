package apiserver_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"concert"
	"concert/api"
	"concert/internal/httpkit"
	"concert/internal/store"
	"concert/internal/testkit"
)

func TestEveryRefusalUnderApiIsAProblemDocument(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	item := d.submit(t, place(0, 1))
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	for _, c := range []struct {
		name, method, path, body string
		client                   *api.Client
		headers                  []string
		status                   int
		code                     string
	}{
		{"no such path", "GET", "/api/v1/nothing", "", &d.officer, nil, 404, "request.path"},
		{"the root", "GET", "/api/", "", nil, nil, 404, "request.path"},
		{"no such item", "GET", "/api/v1/items/IT-0000", "", &d.officer, nil, 404, "not_found"},
		{"wrong method", "DELETE", "/api/v1/items/" + item.ID, "", &d.officer, nil, 405, "request.method"},
		{"malformed JSON", "POST", "/api/v1/items", `{"location":`, &d.officer, nil, 400, "request.malformed"},
		{"trailing garbage", "POST", "/api/v1/items", `{"location":"https://video0.example/watch/x"} }`, &d.officer, nil, 400, "request.malformed"},
		{"not JSON at all", "POST", "/api/v1/items", `location=1`, &d.officer, nil, 400, "request.malformed"},
		{"wrong media type", "POST", "/api/v1/items", `location=1`, &d.officer, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "request.content_type"},
		{"no body", "POST", "/api/v1/items", "", &d.officer, nil, 400, "request.malformed"},
		{"wrong type", "POST", "/api/v1/items", `{"location":7}`, &d.officer, nil, 422, "request.invalid"},
		{"unknown enum", "POST", "/api/v1/items", `{"location":"https://video0.example/w/1","type":"hologram"}`, &d.officer, nil, 422, "request.invalid"},
		{"missing field", "POST", "/api/v1/items", `{}`, &d.officer, nil, 422, "request.invalid"},
		{"unknown field", "POST", "/api/v1/items", `{"location":"https://video0.example/w/1","order":true}`, &d.officer, nil, 422, "request.invalid"},
		{"nested too deep", "POST", "/api/v1/items", deep, &d.officer, nil, 422, "request.invalid"},
		{"empty batch", "POST", "/api/v1/items/batch", `{"items":[]}`, &d.officer, nil, 422, "request.invalid"},
		{"bad query enum", "GET", "/api/v1/items?status=lost", "", &d.officer, nil, 422, "request.invalid"},
		{"bad query number", "GET", "/api/v1/items?limit=many", "", &d.officer, nil, 422, "request.invalid"},
		{"limit too large", "GET", "/api/v1/items?limit=501", "", &d.officer, nil, 422, "request.invalid"},
		{"bad cursor", "GET", "/api/v1/items?cursor=%21%21", "", &d.officer, nil, 400, "cursor.malformed"},
		{"other list's cursor", "GET", "/api/v1/items?cursor=i7", "", &d.officer, nil, 400, "cursor.malformed"},
		{"bad inbox cursor", "GET", "/api/v1/inbox?cursor=7", "", &d.provider, nil, 400, "cursor.malformed"},
		{"long id", "GET", "/api/v1/items/" + strings.Repeat("x", 81), "", &d.officer, nil, 422, "request.invalid"},
		{"no key", "GET", "/api/v1/items", "", nil, nil, 401, "credential.missing"},
		{"unknown key", "GET", "/api/v1/items", "", &api.Client{Key: "csk_unknown"}, nil, 401, "credential.unknown"},
		{"a word for a key", "GET", "/api/v1/me", "", &api.Client{Key: "let me in"}, nil, 401, "credential.unknown"},
		{"wrong role", "POST", "/api/v1/items", `{"location":"https://video0.example/w/1"}`, &d.reviewer, nil, 403, "role.missing"},
		{"auditor without a reason", "GET", "/api/v1/items/" + item.ID, "", &d.auditor, nil, 403, "scope.justification"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := d.raw(t, c.client, c.method, c.path, c.body, c.headers...)
			wantCode(t, a, c.status, c.code)
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q, want no-store", got)
			}
			if c.status == 401 && a.header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
		})
	}
}

func TestTheDoorKeepsItsBounds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	t.Run("wrong method", func(t *testing.T) { wrongMethodNamesTheRightOnes(t, d) })
	t.Run("oversized body", func(t *testing.T) { oversizedBodyIsRefusedWithAndWithoutIdempotencyKey(t, d) })
	t.Run("full batch", func(t *testing.T) { aBatchOfAHundredFullAssessmentsFits(t, d) })
	t.Run("places that are none", func(t *testing.T) { placesThatAreNoneAreRefusedWithTheirOwnCode(t, d) })
}

func wrongMethodNamesTheRightOnes(t *testing.T, d *desk) {
	for _, c := range []struct{ method, path, allow string }{
		{"DELETE", "/api/v1/items", "GET, POST"},
		{"PUT", "/api/v1/inbox", "GET"},
		{"GET", "/api/v1/items/batch/x", ""},
		{"PATCH", "/api/v1/items/batch", "GET, POST"},
		{"POST", "/api/v1/me", "GET"},
	} {
		a := d.raw(t, &d.officer, c.method, c.path, "")
		if c.allow == "" {
			wantCode(t, a, 404, "request.path")
			continue
		}
		wantCode(t, a, 405, "request.method")
		if got := a.header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow is %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}

func oversizedBodyIsRefusedWithAndWithoutIdempotencyKey(t *testing.T, d *desk) {
	big := `{"location":"https://video0.example/w/1","outlet":"` + strings.Repeat("x", httpkit.MaxBody) + `"}`
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items", big), 413, "request.too_large")
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items", big, api.HeaderIdempotencyKey, "big"), 413, "request.too_large")
}

func aBatchOfAHundredFullAssessmentsFits(t *testing.T, d *desk) {
	in := api.NewAssessments{}
	for range api.BatchLimit {
		a := d.judgement()
		a.Facts, a.Judgement = strings.Repeat("EXERCISE ", 888), strings.Repeat("EXERCISE ", 888)
		in.Assessments = append(in.Assessments, api.BatchAssessment{Item: "IT-NONE", Version: 1, NewAssessment: a})
	}
	rs, err := d.officer.AssessItems(context.Background(), api.Call{}, in)
	if err != nil || len(rs.Results) != api.BatchLimit {
		t.Fatalf("a full batch of %d bytes: %v, %d results", len(encode(t, in)), err, len(rs.Results))
	}
}

func TestRepeatedRequestGetsTheStoredAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	body := encode(t, api.NewItem{Location: place(0, 1), Type: "video"})
	first := d.raw(t, &d.officer, "POST", "/api/v1/items", body, api.HeaderIdempotencyKey, "k1")
	again := d.raw(t, &d.officer, "POST", "/api/v1/items", body, api.HeaderIdempotencyKey, "k1")
	if first.status != 201 || again.status != 201 || first.body != again.body {
		t.Fatalf("first %d %s, again %d %s", first.status, short(first.body), again.status, short(again.body))
	}
	if first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true" {
		t.Error("only the repeated answer says that it is one")
	}
	for _, h := range []string{"ETag", "Content-Type"} {
		if first.header.Get(h) == "" || first.header.Get(h) != again.header.Get(h) {
			t.Errorf("%s was %q and is %q", h, first.header.Get(h), again.header.Get(h))
		}
	}
	other := encode(t, api.NewItem{Location: place(0, 2), Type: "video"})
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items", other, api.HeaderIdempotencyKey, "k1"), 422, "idempotency.reused")
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items/batch", body, api.HeaderIdempotencyKey, "k1"), 422, "idempotency.reused")
	wantCode(t, d.raw(t, &d.officer, "POST", "/api/v1/items", body, api.HeaderIdempotencyKey, strings.Repeat("k", 201)), 400, "idempotency.key_too_big")

	// Another person's equal key is another key.
	if a := d.raw(t, &d.foreign, "POST", "/api/v1/items", body, api.HeaderIdempotencyKey, "k1"); a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("another person got the stored answer: %d", a.status)
	}
	// A refusal is kept as well.
	d.raw(t, &d.officer, "POST", "/api/v1/items", `{"location":"javascript:1"}`, api.HeaderIdempotencyKey, "k2")
	if a := d.raw(t, &d.officer, "POST", "/api/v1/items", `{"location":"javascript:1"}`, api.HeaderIdempotencyKey, "k2"); a.status != 422 || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("repeated refusal: %d, replayed %q", a.status, a.header.Get("Idempotency-Replayed"))
	}
}

func TestSameKeyInFlightIsAConflict(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	body := encode(t, api.NewItem{Location: place(0, 1), Type: "video"})
	// While another act holds the database, the first request cannot end.
	holding, release, held := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		held <- d.svc.DB.Update(context.Background(), func(*store.Tx) error {
			close(holding)
			<-release
			return nil
		})
	}()
	<-holding
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			answers <- d.raw(t, &d.officer, "POST", "/api/v1/items", body, api.HeaderIdempotencyKey, "same")
		}()
	}
	refused := <-answers
	close(release)
	done := <-answers
	if err := <-held; err != nil {
		t.Fatal(err)
	}
	wantCode(t, refused, 409, "idempotency.in_flight")
	if refused.header.Get("Retry-After") == "" {
		t.Error("409 in flight without Retry-After")
	}
	if done.status != 201 || done.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("the first request: %d %s", done.status, short(done.body))
	}
	if again := d.raw(t, &d.officer, "POST", "/api/v1/items", body, api.HeaderIdempotencyKey, "same"); again.header.Get("Idempotency-Replayed") != "true" || again.body != done.body {
		t.Errorf("afterwards: %d, replayed %q", again.status, again.header.Get("Idempotency-Replayed"))
	}
}

func TestChangesOfStateNeedTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	item := d.submit(t, place(0, 1))
	path, body := "/api/v1/items/"+item.ID+"/assessment", encode(t, d.judgement())
	wantCode(t, d.raw(t, &d.officer, "POST", path, body), 428, "precondition.required")
	for _, tag := range []string{"v1x", "1", `"1"`, `W/"v1"`, "*", `"v0"`, `"v-1"`, `"v99999999999999999999"`, `"v1", "v2"`} {
		wantCode(t, d.raw(t, &d.officer, "POST", path, body, "If-Match", tag), 400, "precondition.malformed")
	}
	wantCode(t, d.raw(t, &d.officer, "POST", path, body, "If-Match", `"v7"`), 412, "stale")
	read := d.raw(t, &d.officer, "GET", "/api/v1/items/"+item.ID, "")
	if read.header.Get("ETag") != api.ETag(item.Version) {
		t.Fatalf("ETag is %q, want %q", read.header.Get("ETag"), api.ETag(item.Version))
	}
	done := d.raw(t, &d.officer, "POST", path, body, "If-Match", read.header.Get("ETag"))
	if done.status != 200 || done.header.Get("ETag") != api.ETag(item.Version+1) {
		t.Fatalf("assessment: %d, ETag %q: %s", done.status, done.header.Get("ETag"), short(done.body))
	}
	wantCode(t, d.raw(t, &d.officer, "POST", path, body, "If-Match", read.header.Get("ETag")), 412, "stale")
	decision := encode(t, api.NewDecision{Decision: "approve"})
	wantCode(t, d.raw(t, &d.reviewer, "POST", "/api/v1/items/"+item.ID+"/decision", decision), 428, "precondition.required")
}

func TestABatchAnswersForEachEntry(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	in := api.NewItems{}
	for n := range 9 {
		in.Items = append(in.Items, api.NewItem{Location: place(0, n), Captures: seen()})
	}
	in.Items[4].Location = "javascript:alert(1)"
	in.Items[6].Location = in.Items[5].Location
	in.Items[7].Outlet = "OU-UNKNOWN"
	in.Items[8].Location = "https://video0.example/"
	rs := must(d.officer.SubmitItems(ctx, api.Call{}, in))(t)
	want := []string{"created", "created", "created", "created", "location.scheme_refused", "created", "known", "outlet.unknown", "stopped"}
	for i, r := range rs.Results {
		got := r.Outcome
		if r.Problem != nil {
			got = r.Problem.Code
			if r.Status != r.Problem.Status || r.Status < 400 {
				t.Errorf("entry %d: status %d, problem's %d", i, r.Status, r.Problem.Status)
			}
		}
		if got != want[i] || r.Index != i {
			t.Errorf("entry %d (index %d): %s, want %s", i, r.Index, got, want[i])
		}
	}
	// Judging: a stale one and one of nobody among good ones.
	js := api.NewAssessments{}
	for _, i := range []int{0, 1, 2} {
		js.Assessments = append(js.Assessments, api.BatchAssessment{Item: rs.Results[i].ID, Version: rs.Results[i].Version, NewAssessment: d.judgement()})
	}
	js.Assessments[1].Version = 9
	js.Assessments = append(js.Assessments, api.BatchAssessment{Item: "IT-NONE", Version: 1, NewAssessment: d.judgement()})
	out := must(d.officer.AssessItems(ctx, api.Call{}, js))(t)
	var got []int
	for _, r := range out.Results {
		got = append(got, r.Status)
	}
	if fmt.Sprint(got) != "[200 412 200 404]" {
		t.Errorf("statuses %v, want [200 412 200 404]", got)
	}
}

func TestPagesGiveEveryItemOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	const total = 57
	in := api.NewItems{}
	for n := range total {
		in.Items = append(in.Items, api.NewItem{Location: place(n%2, n), Priority: n % 4})
	}
	must(d.officer.SubmitItems(ctx, api.Call{}, in))(t)
	for _, limit := range []int{1, 7, total, 500} {
		seen := map[string]bool{}
		last := 10
		for cursor, pages := "", 0; ; pages++ {
			p := must(d.officer.Items(ctx, api.ItemQuery{Status: "open", Cursor: cursor, Limit: limit}))(t)
			for _, it := range p.Items {
				if seen[it.ID] {
					t.Fatalf("limit %d: item %s twice", limit, it.ID)
				}
				if it.Priority > last {
					t.Fatalf("limit %d: priority %d after %d", limit, it.Priority, last)
				}
				seen[it.ID], last = true, it.Priority
			}
			if cursor = p.Next; cursor == "" {
				break
			}
			if pages > total {
				t.Fatalf("limit %d: the pages do not end", limit)
			}
		}
		if len(seen) != total {
			t.Errorf("limit %d: %d of %d items", limit, len(seen), total)
		}
	}
	for n := range 5 {
		must(d.officer.PlaceHold(ctx, api.Call{}, api.NewHold{Location: place(1, 100+n), Contact: "desk A"}))(t)
	}
	holds, cursor := map[string]bool{}, ""
	for range 6 {
		var p api.Page[api.Hold]
		if err := d.officer.Do(ctx, "GET", "/api/v1/holds?limit=2&cursor="+cursor, api.Call{}, nil, &p); err != nil {
			t.Fatal(err)
		}
		for _, h := range p.Items {
			if holds[h.ID] {
				t.Fatalf("hold %s twice", h.ID)
			}
			holds[h.ID] = true
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if len(holds) != 5 || cursor != "" {
		t.Errorf("%d of 5 holds, cursor %q", len(holds), cursor)
	}
}

func TestASessionCookieReadsButNeverActs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	p := must(d.svc.AddPerson(t.Context(), administrator, concert.Person{Login: "cookie", Name: "Cookie (EXERCISE)", Roles: []concert.Role{concert.RoleOfficer}, Languages: testkit.Languages()}, d.authority, "", ""))(t)
	_, code, err := d.svc.ConfirmPerson(t.Context(), d.administrators[0], "cookie", p.Proposal)
	if err != nil {
		t.Fatal(err)
	}
	session := must(d.admin.Enter(t.Context(), api.NewEntry{Link: p.Link, Code: code}))(t).Session
	for _, name := range []string{"__Host-concert", "concert"} {
		if a := d.raw(t, nil, "GET", "/api/v1/me", "", "Cookie", name+"="+session); a.status != 200 {
			t.Errorf("reading with cookie %s: %d", name, a.status)
		}
		body := encode(t, api.NewItem{Location: place(0, 1)})
		wantCode(t, d.raw(t, nil, "POST", "/api/v1/items", body, "Cookie", name+"="+session), 401, "credential.missing")
	}
	if err := d.svc.Logout(context.Background(), session); err != nil {
		t.Fatal(err)
	}
	wantCode(t, d.raw(t, nil, "GET", "/api/v1/me", "", "Cookie", "concert="+session), 401, "credential.unknown")
}
