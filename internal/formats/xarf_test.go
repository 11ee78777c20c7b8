package formats_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"concert/internal/formats"
)

// samples is a folder beside the repository with XARF's own samples and
// schemas (github.com/xarf/xarf-spec, MIT), which is not ours to copy.
const samples = "../../../shared/data/xarf"

func TestXARFReportsBecomePlaces(t *testing.T) {
	t.Parallel()
	// https://video.example/w/1, a comment, https://video.example/w/2.
	const payload = "aHR0cHM6Ly92aWRlby5leGFtcGxlL3cvMQ0KIyBFWEVSQ0lTRQpodHRwczovL3ZpZGVvLmV4YW1wbGUvdy8yCg=="
	text := strings.Join([]string{
		xarf(`"url":"https://video.example/w/1","media_type":"video","tags":["tlp:amber","lang:fa"],"hash_values":{"md5":"0","sha256":"` + sum + `"},"confidence":0.99`),
		xarf(`"url":"https://video.example/w/2","file_hash":"sha256:` + sum + `","evidence":[{"content_type":"image/png","payload":"AAAA","hash":"sha256:00"}]`),
		xarf(`"url":"https://video.example/w/3","file_hash":"md5:d41d8cd98f00b204e9800998ecf8427e","tags":["tlp:clear"]`),
		xarf(`"evidence":[{"content_type":"text/uri-list; charset=utf-8","payload":"` + payload + `"}],"domain":"video.example"`),
		xarf(`"domain":"video.example","url":7`),
	}, "\n")
	want := []string{
		"1 https://video.example/w/1 video SUM H2", "2 https://video.example/w/2 SUM", "3 https://video.example/w/3 H0",
		"4 https://video.example/w/1", "4 https://video.example/w/2", "5 7",
	}
	wantRows(t, formats.FormatXARF, text, want, nil)
	_, _, notes, _ := readAs(formats.FormatXARF, strings.NewReader(text))
	if len(notes) != 1 || !strings.Contains(notes[0], `reports by "Desk A (EXERCISE)", sent by "Desk B (EXERCISE)"`) || !strings.HasSuffix(notes[0], "(5)") {
		t.Errorf("notes %q: reporter and sender are told apart", notes)
	}
}

func TestXARFBadReportsCostOneRow(t *testing.T) {
	t.Parallel()
	good := xarf(`"url":"https://video.example/w/1"`)
	text := "[" + strings.Join([]string{
		xarf(`"evidence":[{"content_type":"text/uri-list","payload":"%%%"}]`),
		strings.Replace(good, `"content"`, `"connection"`, 1),
		strings.Replace(good, `"content"`, `"terrorism"`, 1),
		`{"Version":"3","ReporterInfo":{}}`,
		xarf(`"url":"https://video.example/w/1","file_hash":"sha256:beef"`),
		xarf(`"url":"https://video.example/w/1","url":"https://video.example/w/2"`),
		`7`,
		good,
	}, ",\n") + "]"
	wantRows(t, formats.FormatXARF, text, []string{"8 https://video.example/w/1"}, []string{
		"1 has a list of addresses", "2 is a report on connection", "3 …is no category", "4 is a report of XARF 3", "5 its SHA-256", "6 cannot be read…duplicate", "7 is no object",
	})
}

// schemas compiles XARF's schemas; those that the folder lacks are only named
// by the master schema, which is not used.
func schemas(t *testing.T) (core, content *jsonschema.Schema, byType map[string]*jsonschema.Schema) {
	t.Helper()
	if _, err := os.Stat(samples); err != nil {
		t.Skip("XARF's samples and schemas are not in ../shared/data/xarf beside the repository: nothing to compare with")
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	files, err := filepath.Glob(samples + "/schema/*.json")
	if err != nil {
		t.Fatal(err)
	}
	byType = map[string]*jsonschema.Schema{}
	ids := map[string]string{}
	for _, f := range files {
		text, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(text)
		text.Close()
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		id := doc.(map[string]any)["$id"].(string)
		if err := c.AddResource(id, doc); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		ids[filepath.Base(f)] = id
	}
	for name, id := range ids {
		if name == "xarf-v4-master.json" {
			continue
		}
		s, err := c.Compile(id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch name {
		case "xarf-core.json":
			core = s
		case "content-base.json":
			content = s
		default:
			byType[strings.TrimSuffix(strings.TrimPrefix(name, "content-"), ".json")] = s
		}
	}
	return core, content, byType
}

func sampleReports(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob(samples + "/*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	out := map[string]map[string]any{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[filepath.Base(f)] = doc
	}
	return out
}

func TestXARFSamplesAreValidAndRead(t *testing.T) {
	t.Parallel()
	_, content, byType := schemas(t)
	for name, doc := range sampleReports(t) {
		if err := content.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s := byType[doc["type"].(string)]; s != nil {
			if err := s.Validate(doc); err != nil {
				t.Errorf("%s, by its type: %v", name, err)
			}
		}
		text, err := os.ReadFile(filepath.Join(samples, name))
		if err != nil {
			t.Fatal(err)
		}
		if f, err := formats.DetectItems(text); err != nil || f != formats.FormatXARF {
			t.Errorf("%s: detected as %q, %v", name, f, err)
		}
		good, bad, notes, err := readAs(formats.FormatXARF, strings.NewReader(string(text)))
		want := fmt.Sprintf("1 %s", doc["url"])
		if err != nil || len(bad) > 0 || len(good) != 1 || !strings.HasPrefix(good[0], want) || len(notes) != 1 {
			t.Errorf("%s: %v, good %q, bad %q, notes %q", name, err, good, bad, notes)
		}
	}
}

// What the schema refuses of the core's required fields, our reader refuses
// too, with a reason.
func TestXARFCoreIsRefusedAsItsSchemaRefusesIt(t *testing.T) {
	t.Parallel()
	core, _, _ := schemas(t)
	tried := 0
	for name, doc := range sampleReports(t) {
		if err := core.Validate(doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		try := func(what string, changed map[string]any) {
			t.Helper()
			tried++
			text, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			again, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if core.Validate(again) == nil {
				t.Errorf("%s, %s: the schema lets it pass: no mutation", name, what)
			}
			good, bad, _, err := readAs(formats.FormatXARF, strings.NewReader(string(text)))
			if err != nil || len(good) > 0 || len(bad) != 1 || len(bad[0]) < 15 {
				t.Errorf("%s, %s: %v, good %q, bad %q", name, what, err, good, bad)
			}
		}
		with := func(key string, value any) map[string]any {
			out := maps.Clone(doc)
			if out[key] = value; value == nil {
				delete(out, key)
			}
			return out
		}
		for _, key := range []string{"xarf_version", "report_id", "timestamp", "reporter", "sender", "source_identifier", "category", "type"} {
			try(key+" is missing", with(key, nil))
			for _, wrong := range []any{7, true, []any{}, map[string]any{}} {
				try(fmt.Sprintf("%s is %v", key, wrong), with(key, wrong))
			}
		}
		try("version 3", with("xarf_version", "3.0.0"))
		try("half a version", with("xarf_version", "4.2"))
		try("no UUID", with("report_id", "51aab126"))
		try("no category", with("category", "terrorism"))
		try("no time", with("timestamp", "yesterday"))
		for _, who := range []string{"reporter", "sender"} {
			for _, key := range []string{"org", "contact", "domain"} {
				part := maps.Clone(doc[who].(map[string]any))
				delete(part, key)
				try(who+" without "+key, with(who, part))
				part[key] = 7
				try(who+" with a number as "+key, with(who, part))
			}
			part := maps.Clone(doc[who].(map[string]any))
			part["contact"] = "no mail address"
			try(who+" without an address", with(who, part))
			part = maps.Clone(doc[who].(map[string]any))
			part["org"] = strings.Repeat("x", 201)
			try(who+" with a long name", with(who, part))
		}
	}
	if tried < 300 {
		t.Errorf("%d mutations tried", tried)
	}
	if !slices.Contains(slices.Collect(maps.Keys(sampleReports(t))), "content-phishing.json") {
		t.Error("the samples are others than those the test was written for")
	}
}

func FuzzReadXARF(f *testing.F) {
	for _, s := range []string{
		"", "[]", xarf(`"url":"https://video.example/w/1"`), "[" + xarf(`"domain":"video.example"`) + ",\n{}]", xarf(`"url":"x"`) + "\n{\"broken\n" + xarf(`"url":"y"`),
		xarf(`"evidence":[{"content_type":"text/uri-list","payload":"eA=="}]`), xarf(`"file_hash":{"sha256":"` + sum + `"},"url":"\ud83d"`), "{\"a\":[[[[[1,2],{}]]]]}\r{",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { sound(t, formats.FormatXARF, text) })
}
