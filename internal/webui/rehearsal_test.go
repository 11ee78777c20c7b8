package webui

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"concert"
)

func TestTheExercisesReportShowsWhatWasFoundByContent(t *testing.T) {
	t.Parallel()
	for _, a := range append(append([]concert.Alteration{concert.AlterBytes}, concert.PictureAlterations...), concert.ClipAlterations...) {
		if alterationTexts[a] == "" {
			t.Errorf("%s has no name", a)
		}
	}
	h := open(t)
	h.submit("officer", 2, 1, h.action.Ref)
	scope, err := concert.NewScope(h.people["coordinator"].Actor(), "")
	must(t, err)
	known := concert.Rehearsed(5, []concert.RehearsedCopy{
		{Work: 1, Alteration: concert.AlterNone, Cluster: "a"}, {Work: 1, Alteration: concert.AlterBlur, Cluster: "a"}, {Work: 1, Alteration: concert.AlterBlur},
	})
	var page, table bytes.Buffer
	must(t, h.ui.WriteExerciseReport(t.Context(), scope, h.action.Ref, known, &page, &table))
	for _, want := range []string{"Copies found by content", "Of 5 items with a capture, 3 were compared.", "Blurred, over", "50.0 %"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	rows, err := csv.NewReader(&table).ReadAll()
	must(t, err)
	told := map[string]string{}
	for _, r := range rows {
		if r[0] == "known_content" {
			told[r[1]+" "+r[3]] = r[4]
		}
	}
	if told["all compared"] != "3" || told["blur asked"] != "2" || told["blur found"] != "1" {
		t.Errorf("the table says %v", told)
	}
}
