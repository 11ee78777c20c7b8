package formats_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/formats"
)

// Each language has a text of both kinds that leaves nothing open, names the unit and leads to the page; only an order's says that
// it binds.
func TestG14UserNoticesNameTheUnitAndLeadToThePage(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	voluntary := map[string]string{"ar": "طوعية", "de": "freiwillig", "en": "voluntary", "es": "voluntaria", "fr": "volontaire", "nl": "vrijwillig"}
	if got := formats.UserNoticeLanguages(); len(got) != len(voluntary) {
		t.Fatalf("texts in %v", got)
	}
	for _, lang := range formats.UserNoticeLanguages() {
		var texts []string
		for _, kind := range []concert.AboutKind{concert.AboutReferral, concert.AboutOrder} {
			n := formats.UserNotice{Kind: kind, Provider: "EXERCISE Host", Author: "EXERCISE Unit {North}", Country: "XN", Ref: "RF-1", Item: "IT-1", Date: day, Link: "https://concert.example/redress/csd_x", Until: day.AddDate(0, 12, 0), Exercise: true}
			text, err := n.Text(lang)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"EXERCISE Host", "EXERCISE Unit {North}", "XN", "RF-1", "IT-1", "2026-05-04", "2027-05-04", "https://concert.example/redress/csd_x"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s, %s: %q is missing in %s", lang, kind, want, text)
				}
			}
			if rest := strings.ReplaceAll(text, "{North}", ""); strings.ContainsAny(rest, "{}") {
				t.Errorf("%s, %s: a place is left open: %s", lang, kind, text)
			}
			texts = append(texts, text)
		}
		if !strings.Contains(texts[0], voluntary[lang]) || strings.Contains(texts[1], voluntary[lang]) || !strings.Contains(texts[1], "2021/784") {
			t.Errorf("%s: %q", lang, texts)
		}
	}
	if text, err := (formats.UserNotice{Kind: concert.AboutReferral}).Text("xx"); err != nil || !strings.Contains(text, "voluntary") || !slices.Contains(formats.UserNoticeLanguages(), "en") {
		t.Errorf("an unknown language: %q, %v", text, err)
	}
}
