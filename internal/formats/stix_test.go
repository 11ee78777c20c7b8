package formats_test

import (
	"encoding/json"
	"strings"
	"testing"

	"concert/internal/formats"
)

// bundle is a bundle of objects, one a line from line 2.
func bundle(objects ...string) string {
	return `{"type":"bundle","id":"bundle--1","objects":[` + "\n" + strings.Join(objects, ",\n") + "\n]}"
}

// indicator is an indicator with a pattern.
func indicator(t *testing.T, pattern string) string {
	t.Helper()
	quoted, err := json.Marshal(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return `{"type":"indicator","spec_version":"2.1","id":"indicator--1","pattern_type":"stix","confidence":90,"pattern":` + string(quoted) + `}`
}

func TestSTIXObjectsBecomePlaces(t *testing.T) {
	t.Parallel()
	wantRows(t, formats.FormatSTIX, bundle(
		`{"type":"identity","id":"identity--1","name":"Desk (EXERCISE)"}`,
		`{"type":"url","id":"url--1","value":"https://video.example/w/1","object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]}`,
		`{"type":"domain-name","id":"domain-name--1","value":"video.example"}`,
		`{"type":"ipv4-addr","id":"ipv4-addr--1","value":"192.0.2.1"}`,
		`{"type":"file","id":"file--1","hashes":{"SHA-256":"`+sum+`"}}`,
		`{"type":"artifact","id":"artifact--1","url":"https://video.example/a.pdf","mime_type":"application/pdf","hashes":{"SHA-256":"`+sum+`"}}`,
		`{"type":"artifact","id":"artifact--2","payload_bin":"QUJD"}`,
		`{"type":"relationship","id":"relationship--1","relationship_type":"related-to","source_ref":"url--1","target_ref":"file--1"}`,
		`{"type":"url","id":"url--2","value":"https://video.example/w/2","object_marking_refs":["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1","marking-definition--11111111-1111-4111-8111-111111111111"]}`,
		`{"type":"indicator","pattern":"[url:value = 'https://video.example/w/3']","revoked":true}`,
		`{"id":"x"}`,
		`{"type":"url","value":["https://video.example/w/4"]}`,
		`{"type":"x-desk-channel","value":"channel:telegram/exercise"}`,
	), []string{
		"3 https://video.example/w/1 H2", "4 video.example", "7 https://video.example/a.pdf document SUM", "10 https://video.example/w/2 H3",
	}, []string{
		`5 has no place: an object "ipv4-addr"`, `8 has no place: an object "artifact"`, "11 was revoked", "12 is no STIX object", `14 has no place: an object "x-desk-channel"`,
		"6 has no place: a file", "13 has no place",
	})
}

func TestSTIXObservationsJoinOnePlaceWithOneFile(t *testing.T) {
	t.Parallel()
	url := func(id, n string) string {
		return `{"type":"url","id":"url--` + id + `","value":"https://video.example/w/` + n + `"}`
	}
	file := func(id string) string {
		return `{"type":"file","id":"file--` + id + `","mime_type":"video/mp4","hashes":{"SHA-256":"` + sum + `"}}`
	}
	saw := func(refs ...string) string {
		return `{"type":"observed-data","id":"observed-data--1","object_refs":["` + strings.Join(refs, `","`) + `"]}`
	}
	other := strings.Replace(file("5"), sum, strings.Repeat("a", 64), 1)
	wantRows(t, formats.FormatSTIX, bundle(
		saw("url--1", "file--1"), url("1", "1"), file("1"),
		file("2"), url("2", "2"), url("3", "3"), saw("url--2", "url--3", "file--2"), // whose is it?
		url("4", "4"), file("4"), other, saw("url--4", "file--4"), saw("url--4", "file--5"), // the two differ
		saw("url--7"), `{"type":"observed-data","id":"observed-data--9"}`,
	), []string{
		"3 https://video.example/w/1 video SUM", "6 https://video.example/w/2", "7 https://video.example/w/3", "9 https://video.example/w/4 video",
	}, []string{"15 has no place", "5 has no place", "11 has no place"})
	// Before 2.1 the objects stood inside.
	wantRows(t, formats.FormatSTIX, bundle(
		`{"type":"observed-data","objects":{"0":{"type":"file","hashes":{"SHA-256":"`+sum+`"}},"1":{"type":"url","value":"https://video.example/w/1"}}}`,
		`{"type":"observed-data","objects":{"0":{"type":"ipv4-addr","value":"192.0.2.1"}}}`,
	), []string{"2 https://video.example/w/1 SUM"}, []string{"3 has no place"})
}

func TestSTIXPatterns(t *testing.T) {
	t.Parallel()
	const u, h = "https://video.example/w/", sum
	for pattern, want := range map[string]string{
		"[url:value = 'https://video.example/w/1']":                                                                   "1",
		"[domain-name:value='video.example']":                                                                         "video.example",
		"[url:value = '" + u + "1' OR url:value = '" + u + "2']":                                                      "1, 2",
		"[url:value IN ('" + u + "1', '" + u + "2')]":                                                                 "1, 2",
		"[url:value = '" + u + "1' AND file:hashes.'SHA-256' = '" + h + "']":                                          "1 SUM",
		"[file:hashes.\"SHA-256\" = '" + h + "' AND (url:value = '" + u + "1' OR url:value = '" + u + "2')]":          "1 SUM, 2 SUM",
		"[url:value = '" + u + "1'] AND [file:hashes.'SHA-256' = '" + h + "']":                                        "1",
		"([url:value = '" + u + "1'] FOLLOWEDBY [url:value = '" + u + "2']) WITHIN 5 SECONDS":                         "1, 2",
		"[url:value = '" + u + "1'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'":                       "1",
		"[url:value = '" + u + "1'] REPEATS 5 TIMES OR [url:value = '" + u + "2']":                                    "1, 2",
		"[url:value = '" + u + `it\'s\\1` + "']":                                                                      `it's\1`,
		"[url:value = '" + u + "1' AND url:value != '" + u + "2' AND NOT url:value = '" + u + "3']":                   "1",
		"[url:value NOT = '" + u + "1' OR url:value NOT IN ('" + u + "2') OR domain-name:value = 'video.example']":    "video.example",
		"[url:value = '" + u + "1' AND network-traffic:src_ref.value = '192.0.2.1' AND EXISTS file:name]":             "1",
		"[url:value = '" + u + "1' AND process:x_refs[*].y[0] IN (1, 2, -3.5, true) AND a:b ISSUBSET '192.0.2.0/24']": "1",
		"[url:value LIKE '" + u + "%']":                                                                               "!asks for no url",
		"[url:value MATCHES 'video']":                                                                                 "!asks for no url",
		"[ipv4-addr:value = '192.0.2.1']":                                                                             "!asks for no url",
		"[file:hashes.'SHA-256' = '" + h + "']":                                                                       "!asks for no url",
		"":                                                                                                            "!cannot be read",
		"url:value = 'x'":                                                                                             "!cannot be read",
		"[url:value = 'x'":                                                                                            "!cannot be read",
		"[url:value = 'x' OR]":                                                                                        "!cannot be read",
		"[url:value = 'x\\']":                                                                                         "!cannot be read",
		"[url:value = ]":                                                                                              "!cannot be read",
		"[url:value = 'x'] AND":                                                                                       "!cannot be read",
		"[url:value IN ('x' 'y')]":                                                                                    "!cannot be read",
		strings.Repeat("(", 5000):                                                                                     "!nested too deep",
		"[" + strings.Repeat("(", 5000) + "]":                                                                         "!nested too deep",
		"[" + strings.Repeat("url:value = 'x' OR ", 900) + "a:b = 1]":                                                 "!too many ways",
		"[" + strings.Repeat("url:value = 'x' AND ", 900) + "a:b = 1]":                                                "!too much at once",
		"[" + strings.Repeat("url:value IN ('x','y','z') AND ", 900) + "a:b = 1]":                                     "!too many ways",
		strings.Repeat("[url:value = 'x'] OR ", 900) + "[a:b = 1]":                                                    "!too many ways",
	} {
		good, bad, _, err := readAs(formats.FormatSTIX, strings.NewReader(bundle(indicator(t, pattern))))
		if err != nil {
			t.Fatal(err)
		}
		if word, isBad := strings.CutPrefix(want, "!"); isBad {
			if len(good) > 0 || len(bad) != 1 || !strings.Contains(bad[0], word) {
				t.Errorf("%.80s: good %q, bad %q, want %q", pattern, good, bad, word)
			}
			continue
		}
		for i := range good {
			good[i] = strings.TrimPrefix(strings.TrimPrefix(good[i], "2 "), u)
		}
		if got := strings.Join(good, ", "); got != want || len(bad) > 0 {
			t.Errorf("%.80s: %q, want %q, bad %q", pattern, got, want, bad)
		}
	}
	other := strings.Replace(indicator(t, "alert tcp any any"), `"stix"`, `"snort"`, 1)
	wantRows(t, formats.FormatSTIX, bundle(other), nil, []string{`2 has no place: a pattern of the kind "snort"`})
}

func FuzzReadSTIX(f *testing.F) {
	for _, s := range []string{
		"", bundle(), bundle(`{"type":"url","id":"url--1","value":"x"}`, `{"type":"file","id":"file--1","hashes":{"SHA-256":"`+sum+`"}}`, `{"type":"observed-data","object_refs":["url--1","file--1"]}`),
		bundle(`{"type":"indicator","pattern":"[url:value = 'x' AND (file:hashes.'SHA-256' = 'y' OR a:b IN (1,2))] START t'1' STOP t'2'"}`),
		bundle(`{"type":"observed-data","objects":{"0":{"type":"url","value":"x"}}}`), `{"type":"domain-name","value":"x"}` + "\n{\"\n" + `{"type":"url","value":"\u0000"}`,
		`[{"type":"artifact","url":"x","hashes":{}},{"objects":[]}]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { sound(t, formats.FormatSTIX, text) })
}
