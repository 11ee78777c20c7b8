package apiserver

import (
	"strings"
	"testing"

	"concert/api"
)

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "!!", "i7", cursor(3, "019a"), cursor(-1, "x"), cursor(0, ":"), "OTk5OTk5OTk5OTk5OTk5OTk5OTk6eA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rank, id, err := parseCursor(s)
		if err != nil || s == "" {
			return
		}
		if id == "" {
			t.Fatalf("%q names no row", s)
		}
		again, same, err := parseCursor(cursor(rank, id))
		if err != nil || again != rank || same != id {
			t.Fatalf("%q is %d %q; given again it is %d %q (%v)", s, rank, id, again, same, err)
		}
	})
}

func FuzzInboxCursor(f *testing.F) {
	for _, s := range []string{"", "i0", "i-1", "i-2", "7", "ii7", "i+7", "i99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := parseInboxCursor(s)
		if err != nil {
			return
		}
		if at < -1 {
			t.Fatalf("%q is place %d", s, at)
		}
		if again, err := parseInboxCursor(inboxCursor(at)); err != nil || again != at {
			t.Fatalf("%q is place %d; given again it is %d (%v)", s, at, again, err)
		}
	})
}

func FuzzIfMatch(f *testing.F) {
	for _, s := range []string{"", `"v1"`, "v1", `""v1""`, `W/"v1"`, "*", `"v-1"`, `"v+1"`, `"v007"`, `"v9223372036854775808"`, `"v1", "v2"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := version(s)
		if err != nil {
			return
		}
		if v < 1 {
			t.Fatalf("%q is version %d", s, v)
		}
		if s != api.ETag(v) && s != strings.Trim(api.ETag(v), `"`) {
			t.Fatalf("%q was taken for version %d, whose tag is %s", s, v, api.ETag(v))
		}
	})
}
