package apiserver

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func withoutNUL(t *testing.T, in string, one bool) string {
	t.Helper()
	var r io.Reader = &nulReader{body: io.NopCloser(nil), in: bufio.NewReader(strings.NewReader(in))}
	if one {
		r = iotest.OneByteReader(r)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestJSONLosesItsNULs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":"x\u0000y\u0000"}`:   `{"a":"x\ufffdy\ufffd"}`,
		`{"a":"x\\u0000y"}`:        `{"a":"x\\u0000y"}`,
		`{"a":"x\\\u0000y"}`:       `{"a":"x\\\ufffdy"}`,
		`{"a":"\"\u00000 \u000"}`:  `{"a":"\"\ufffd0 \u000"}`,
		`\`:                        `\`,
		`\u0000`:                   `\ufffd`,
		"{\"a\":\"\\\xff\u20ac\"}": "{\"a\":\"\\\xff\u20ac\"}",
	} {
		for _, one := range []bool{false, true} {
			if got := withoutNUL(t, in, one); got != want {
				t.Errorf("%q is read as %q, want %q", in, got, want)
			}
		}
	}
}

func FuzzJSONLosesItsNULs(f *testing.F) {
	f.Add(`{"a":"x\u0000y\\u0000"}`)
	f.Fuzz(func(t *testing.T, in string) {
		var before, after any
		out := withoutNUL(t, in, false)
		if len(out) != len(in) {
			t.Fatalf("%q has another length as %q", in, out)
		}
		if json.Unmarshal([]byte(in), &before) != nil {
			return
		}
		if err := json.Unmarshal([]byte(out), &after); err != nil {
			t.Fatalf("%q is no JSON any more: %v", in, err)
		}
		if raw, err := json.Marshal(after); err != nil || strings.Contains(strings.ReplaceAll(string(raw), `\\`, ""), `\u0000`) {
			t.Errorf("%q still has a NUL: %s, %v", in, raw, err)
		}
	})
}
