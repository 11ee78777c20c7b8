package match

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// guardFixture checks a file of url, kind, expect, note; a row of kind "website" stands for a registered outlet's own site.
func guardFixture(t *testing.T, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the shared fixture %s is not in this checkout", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rules := DefaultRules()
	for _, row := range rows[1:] {
		l, err := Locate(row[0])
		if err != nil {
			if row[2] != "error" {
				t.Errorf("%s: %v, want %s", row[0], err, row[2])
			}
			continue
		}
		g := rules.CheckAs(l, row[1] == "website")
		if string(g.Verdict) != row[2] {
			t.Errorf("%s: %s (%s by %s, canonical %s), want %s: %s", row[0], g.Verdict, g.Class, g.Rule, l, row[2], row[3])
		}
		if g.Rule == "" || g.Class == "" || g.Reason == "" {
			t.Errorf("%s: a verdict without rule, class or reason: %+v", row[0], g)
		}
	}
	return len(rows) - 1
}

func TestG05NoticesOfApril2019(t *testing.T) {
	guardFixture(t, "../../../shared/data/guard/april-2019.csv")
}

func TestG05OrdinaryItems(t *testing.T) {
	guardFixture(t, "../../../shared/data/guard/ordinary-items.csv")
}

func TestG05OtherHostsAndLanguages(t *testing.T) {
	if n := guardFixture(t, "testdata/guard.csv"); n < 250 {
		t.Errorf("the fixture has %d rows, want at least 250", n)
	}
}
