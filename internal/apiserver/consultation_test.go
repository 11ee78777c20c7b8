package apiserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"concert/api"
	"concert/internal/formats"
	"concert/internal/testkit"
)

// kinds counts the recorded events by kind.
func (d *desk) kinds(t *testing.T) map[string]int {
	t.Helper()
	rows, err := testkit.Raw(t, d.svc).Query("SELECT kind, count(*) FROM event GROUP BY kind")
	testkit.Must(t, err)
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var kind string
		var n int
		testkit.Must(t, rows.Scan(&kind, &n))
		out[kind] = n
	}
	testkit.Must(t, rows.Err())
	return out
}

func TestG19JustificationComesInTheHeaderAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	item := d.submit(t, place(0, 1))
	silent := d.officer
	silent.Justification = ""
	path := "/api/v1/items/" + item.ID
	for _, p := range []string{path, "/api/v1/items", "/api/v1/holds", path + "?justification=EXERCISE+long+enough+for+this", "/api/v1/items?justification=EXERCISE+long+enough+for+this"} {
		a := d.raw(t, &silent, "GET", p, "")
		wantCode(t, a, 403, "scope.justification")
		if strings.Contains(a.body, "video0") {
			t.Errorf("%s shows a place", p)
		}
	}
	if n := d.kinds(t)["consulted"]; n != 0 {
		t.Fatalf("%d readings are recorded before any", n)
	}
	wantCode(t, d.raw(t, &silent, "GET", path, "", api.HeaderJustification, strings.Repeat("long ", 101)), 413, "scope.justification_long")
	for value, want := range map[string]string{
		"EXERCISE plain reason":                   "EXERCISE plain reason",
		"EXERCISE 100% plain %C3%A9":              "EXERCISE 100% plain %C3%A9",
		"UTF-8''EXERCISE%20caf%C3%A9%0A%D8%A7%21": "EXERCISE café ا!",
		"utf-8''EXERCISE+plus%zz and broken":      "utf-8''EXERCISE+plus%zz and broken",
		"EXERCISE caf\u00e9 raw UTF-8":            "EXERCISE café raw UTF-8",
	} {
		if a := d.raw(t, &silent, "GET", path, "", api.HeaderJustification, value); a.status != 200 {
			t.Errorf("%q: %d %s", value, a.status, a.body)
		}
		audit := d.auditor
		audit.Justification = testkit.Why
		page := must(audit.Consultations(context.Background(), api.ConsultationQuery{Ref: item.ID, Limit: 1}))(t)
		if len(page.Items) != 1 || page.Items[0].Justification != want || page.Items[0].What != "item" || page.Items[0].Ref != item.ID {
			t.Errorf("%q is kept as %+v", value, page.Items)
		}
	}
	for _, text := range []string{"plain", "UTF-8''so it begins", "café über alles", "100%"} {
		if v := api.JustificationValue(text); api.JustificationText(v) != text || strings.ContainsFunc(v, func(r rune) bool { return r > '~' }) {
			t.Errorf("%q travels as %q and arrives as %q", text, v, api.JustificationText(v))
		}
	}
}

// What was done is answered, whether or not its doer could read it again.
func TestG19AnActIsAnsweredWithoutAJustification(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := context.Background()
	officer, reviewer := d.officer, d.reviewer
	officer.Justification, reviewer.Justification = "", ""
	it := must(officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, 1), Type: "video", Captures: seen()}))(t)
	if it.Location != place(0, 1) {
		t.Errorf("handed in %q", it.Location)
	}
	it = must(officer.Assess(ctx, api.Call{IfMatch: it.Version}, it.ID, d.judgement()))(t)
	it = must(reviewer.Decide(ctx, api.Call{IfMatch: it.Version}, it.ID, api.NewDecision{Decision: "approve"}))(t)
	if it.Status != "approved" || it.Assessment == nil || it.Assessment.Facts == "" || it.Location != place(0, 1) {
		t.Errorf("decided: %+v", it)
	}
	// A place that is known is no act: only what is not sealed comes back.
	late := must(api.Recruit(ctx, &d.admin, &d.admin2, api.Call{}, api.NewPerson{Login: "late", Name: "late (EXERCISE)", Roles: []string{"officer"}, Authority: d.authority, Languages: testkit.Languages()}))(t)
	known := must(late.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place(0, 1), Type: "video", Captures: seen()}))(t)
	if known.ID != it.ID || known.Status != "approved" || known.Location != "" || known.Assessment != nil || known.Provider == "" {
		t.Errorf("known: %+v", known)
	}
	if n := d.kinds(t)["consulted"]; n != 0 {
		t.Errorf("%d acts were recorded as readings", n)
	}
}

// least is a body that the schema takes.
func (s schema) least(all map[string]schema) any {
	if s.Ref != "" {
		return all[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]].least(all)
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind, _, _ := strings.Cut(strings.Trim(string(s.Type), "[ \n\""), "\"") // one, or one and null
	switch {
	case kind == "array":
		return []any{s.Items.least(all)}
	case kind == "object":
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = s.Properties[name].least(all)
		}
		return out
	case kind == "integer":
		return max(1, s.Minimum)
	case kind == "boolean":
		return false
	case s.Format == "date-time":
		return "2019-11-21T08:00:00Z"
	case s.Format == "date":
		return "2019-11-21"
	case s.MaxLength > 0 && s.MaxLength < 40:
		return "XN"
	}
	return "https://video0.example/watch/EXERCISE-" + strings.Repeat("9", s.MinLength)
}

type schema struct {
	Ref        string            `json:"$ref"`
	Type       json.RawMessage   `json:"type"`
	Enum       []any             `json:"enum"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Format     string            `json:"format"`
	MinLength  int               `json:"minLength"`
	MaxLength  int               `json:"maxLength"`
	Minimum    int               `json:"minimum"`
}

// auditorsActs are all that an auditor may do by the API but read.
var auditorsActs = []string{"/api/v1/audit/draws", "/api/v1/audit/draws/{id}/units/{unit}", "/api/v1/audit/draws/{id}/units/{unit}/recommendation"}

func TestG31AuditorWritesNothingButItsOwnFindings(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	item := d.submit(t, place(0, 1))
	hold := must(d.officer.PlaceHold(context.Background(), api.Call{}, api.NewHold{Location: place(0, 7), Contact: "EXERCISE desk"}))(t)
	audit := d.auditor
	audit.Justification = testkit.Why
	var spec struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema schema `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	_, raw := openAPI(t)
	testkit.Must(t, json.Unmarshal(raw, &spec))
	before := d.kinds(t)
	tried, own := 0, 0
	for path, ops := range spec.Paths {
		for method, op := range ops {
			if method == "get" {
				continue
			}
			if path == "/api/v1/me/keys" || path == "/api/v1/me/step-up" || strings.HasPrefix(path, "/api/v1/enter") || strings.HasPrefix(path, "/api/v1/me/factors") || strings.HasPrefix(path, "/api/v1/me/sessions") {
				continue // the auditor's own way in
			}
			tried++
			body := ""
			if c, ok := op.RequestBody.Content["application/json"]; ok {
				body = encode(t, c.Schema.least(spec.Components.Schemas))
			}
			id := item.ID
			if strings.Contains(path, "/holds/") {
				id = hold.ID
			}
			a := d.raw(t, &audit, strings.ToUpper(method), strings.NewReplacer("{id}", id, "{n}", "1").Replace(path), body, "If-Match", `"v1"`)
			// What the auditor may not even know of is as if it were missing. Its own three acts are refused here for what they
			// say or name, and for nothing else (docs/decisions/0015-what-an-auditor-writes.md).
			if slices.Contains(auditorsActs, path) {
				if a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
					t.Errorf("%s %s by an auditor: %d", method, path, a.status)
				}
				own++
				continue
			}
			if p := a.problem(t); a.status != http.StatusForbidden && a.status != http.StatusNotFound {
				t.Errorf("%s %s by an auditor with %s: %d %s %v", method, path, body, a.status, p.Code, p.Errors)
			}
		}
	}
	after := d.kinds(t)
	delete(after, "consulted")
	if own != len(auditorsActs) {
		t.Errorf("of an auditor's acts %v, %d are described", auditorsActs, own)
	}
	if tried < 20 || encode(t, before) != encode(t, after) {
		t.Errorf("%d ways to write were tried; before %v, after %v", tried, before, after)
	}
}

func TestG31AuditorVerifiesTheDownloadedBundleOffline(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.submit(t, place(0, 1))
	ctx := context.Background()
	audit := d.auditor
	var out bytes.Buffer
	if err := audit.Export(ctx, &out); !api.IsCode(err, "scope.justification") || out.Len() > 0 {
		t.Errorf("without a justification: %v, %d bytes", err, out.Len())
	}
	for _, c := range []api.Client{d.officer, d.reviewer, d.coordinator, d.admin, d.provider} {
		if err := c.Export(ctx, &out); !api.IsCode(err, "role.missing") || out.Len() > 0 {
			t.Errorf("someone else exports: %v, %d bytes", err, out.Len())
		}
	}
	if n := d.kinds(t)["consulted"]; n != 0 {
		t.Errorf("%d refused exports are recorded", n)
	}
	audit.Justification = testkit.Why
	testkit.Must(t, audit.Export(ctx, &out))
	v, err := formats.VerifyBundle(bytes.NewReader(out.Bytes()), d.svc.LogKey, nil)
	if err != nil || !v.Verified || !strings.Contains(out.String(), `"what":"export"`) {
		t.Errorf("the bundle: %s, %v", v.Problem, err)
	}
	var local bytes.Buffer
	testkit.Must(t, d.svc.Export(ctx, &local))
	lines := func(b []byte) [][]byte { return bytes.Split(b, []byte("\n"))[1:] }
	if !slices.EqualFunc(lines(out.Bytes()), lines(local.Bytes()), bytes.Equal) {
		t.Error("the download is not what concert export writes")
	}
	a := d.raw(t, &audit, "GET", "/api/v1/export", "")
	if a.status != 200 || a.header.Get("Content-Type") != "application/jsonl" || !strings.Contains(a.header.Get("Content-Disposition"), "concert-export.jsonl") || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", a.status, a.header)
	}
	drawn := must(audit.Sample(ctx, 5))(t)
	if len(drawn.Items) != 1 {
		t.Errorf("drawn of one: %v", drawn.Items)
	}
	if it := must(audit.Item(ctx, drawn.Items[0]))(t); it.Location != place(0, 1) {
		t.Errorf("the auditor reads %q", it.Location)
	}
	page := must(audit.Consultations(ctx, api.ConsultationQuery{Limit: 2}))(t)
	if len(page.Items) != 2 || page.Next == "" || page.Items[0].What != "item" || page.Items[1].What != "sample" || len(page.Items[1].Refs) != 1 {
		t.Fatalf("who read what: %+v", page)
	}
	if page = must(audit.Consultations(ctx, api.ConsultationQuery{Cursor: page.Next}))(t); len(page.Items) != 2 || page.Items[0].What != "export" {
		t.Errorf("the page after: %+v", page)
	}
}
