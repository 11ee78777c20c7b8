package accesslog

import (
	"encoding/json"
	"strings"
	"testing"
)

// G34: a number that leaves the case is of five or more, or is not there.
func TestG34ReleasedReportHasNoSmallCell(t *testing.T) {
	t.Parallel()
	n := func(x int64) *int64 { return &x }
	r := analyse(t, Options{}, put(t, "access.log", invented(4_000, 6)))
	r.Countries = map[string]Country{
		"AA": {400, 100, n(300), n(90)}, "BB": {30, 4, n(30), n(4)}, "CC": {90, 6, n(80), n(6)}, "DD": {60, 20, n(50), n(18)}, "EE": {6, 6, n(2), n(2)},
	}
	r.TopPaths = append(r.TopPaths, Count{"/rare", 4}, Count{"/five", 5})
	r.PerDay = append(r.PerDay, Day{"2015-06-01", 3, n(0), 9}, Day{"2015-06-02", 50, n(2), 9})
	r.Propaganda = &Propaganda{Accesses: 80, Visitors: 3}
	out := r.Released()
	if _, ok := out.Countries["BB"]; ok || len(out.Countries) != 3 || out.Countries["DD"].VisitorsWithoutBots != nil || out.Countries["AA"].VisitorsWithoutBots == nil || *out.Countries["CC"].VisitorsWithoutBots != 6 {
		t.Errorf("countries: %+v", out.Countries)
	}
	if len(r.Countries) != 5 || r.Propaganda == nil || r.Inputs[0].File == "" {
		t.Error("the case's own report was changed")
	}
	small := func(x int64) bool { return x > 0 && x < 5 }
	for _, c := range out.TopPaths {
		if small(c.Accesses) {
			t.Errorf("path %+v", c)
		}
	}
	for _, d := range out.PerDay {
		if small(d.Accesses) || d.Bots != nil && small(*d.Bots) {
			t.Errorf("day %+v", d)
		}
	}
	if out.Propaganda != nil || out.Inputs[0].File != "" || out.Suppressed == nil || out.Suppressed.Cells < 5 || out.Suppressed.Below != 5 {
		t.Errorf("%+v %+v", out.Propaganda, out.Suppressed)
	}
	text, err := json.Marshal(out)
	if err != nil || len(text) == 0 {
		t.Fatal(err)
	}

	// One country alone that is hidden could be reckoned from the totals: the next smallest goes, too.
	r.Countries = map[string]Country{"AA": {400, 100, n(300), n(90)}, "BB": {30, 4, n(30), n(4)}, "CC": {90, 7, n(80), n(7)}}
	if out := r.Released(); len(out.Countries) != 1 || out.Countries["AA"].Visitors != 100 {
		t.Errorf("countries: %+v", out.Countries)
	}
}

// G34: what goes with a small number is as much as it takes, and no more.
func TestG34HiddenRowsTellOnlySumsThatMayBeTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows   [][]int64
		hidden string // x for each row that is hidden
	}{
		{[][]int64{{900}, {80}, {7}}, "..."},
		{[][]int64{{900}, {80}, {3}}, ".xx"},
		{[][]int64{{900}, {80}, {1}, {1}}, ".xxx"}, // one each, or none was hidden
		{[][]int64{{900}, {80}, {3}, {4}}, "..xx"},
		{[][]int64{{900}, {80}, {2}, {3}}, ".xxx"},             // together five, and each at least one
		{[][]int64{{900, 9}, {80, 0}, {7, 1}, {9, 0}}, "xxxx"}, // the second column's total gives one away until nine more go
		{[][]int64{{3}}, "x"},
		{[][]int64{{0}, {3}, {0}}, ".x."},
	} {
		hidden := make([]bool, len(c.rows))
		for i, row := range c.rows {
			hidden[i] = fewOf(row...)
		}
		got, n := "", Hide(c.rows, hidden)
		for _, h := range hidden {
			got += map[bool]string{true: "x", false: "."}[h]
		}
		if got != c.hidden || n != strings.Count(got, "x") {
			t.Errorf("%v: %s, want %s (%d)", c.rows, got, c.hidden, n)
		}
	}
}
