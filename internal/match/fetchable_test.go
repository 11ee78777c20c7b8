package match_test

import (
	"strings"
	"testing"

	"concert/internal/match"
)

func TestFetchableUndoesDefangingAndNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://video.example/w/1?a=[.]#x": "https://video.example/w/1?a=[.]#x",
		" hxxps://video[.]example/W/1 ":     "https://video.example/W/1",
		"HXXP://video(.)example[:]8080/x":   "http://video.example:8080/x",
		"video.example/w/1":                 "https://video.example/w/1",
		"//video[dot]example/":              "https://video.example/",
		"video.example:8080/x":              "https://video.example:8080/x",
		"channel:telegram/x":                "",
		"tg://resolve?domain=x":             "",
		"javascript:alert(1)":               "",
		"":                                  "",
		"///":                               "",
	} {
		got, ok := match.Fetchable(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, ok, want)
		}
		// What can be fetched is the place that was submitted.
		if a, err := match.Locate(in); err == nil && ok {
			if b, err := match.Locate(got); err != nil || a.Canonical != b.Canonical || strings.Contains(got[:8], "xx") {
				t.Errorf("%q is %s, what is fetched is %s (%v)", in, a.Canonical, b.Canonical, err)
			}
		}
	}
}
