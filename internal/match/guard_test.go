package match

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
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

func TestG05VerdictDoesNotDependOnTheSpelling(t *testing.T) {
	rules := DefaultRules()
	for _, spellings := range [][]string{
		{"https://archive.org/details/gutenberg", "archive.org/details/gutenberg", "HTTP://www.ARCHIVE.org.:80/x/..//details/%67utenberg/?sort=x#y", "https://archive.org/stream/gutenberg", "https://archive.org/details%2Fgutenberg"},
		{"https://exercise.example/search?q=x", "https://exercise.example/SEARCH?q=x", "https://exercise.example/%73earch?q=x", "https://exercise.example/%2573earch?q=x", "https://exercise.example/a/../search?q=x"},
		{"https://de.wikipedia.org/wiki/Hauptseite", "https://de.wikipedia.org//wiki/./Hauptseite#x", "https://de.wikipedia.org/wiki/%48auptseite"},
	} {
		for _, s := range spellings {
			l, err := Locate(s)
			if err != nil {
				t.Errorf("%s: %v", s, err)
			} else if g := rules.Check(l); g.Verdict != Stop {
				t.Errorf("%s: %s by %s, want stop", s, g.Verdict, g.Rule)
			}
		}
	}
}

func TestG05RegisteredSiteOpensOnlyItsOwnRoot(t *testing.T) {
	rules := DefaultRules()
	for _, c := range []struct {
		input string
		want  Verdict
	}{
		{"https://exercise-outlet.example/", Pass},
		{"https://exercise-outlet.example/search?q=x", Stop},
		{"https://exercise-outlet.example/tag/x", Stop},
		{"https://youtube.com/", Stop},
		{"https://wordpress.com/", Stop},
		{"https://github.io/", Stop},
		{"https://archive.org/", Stop},
		{"https://www.bbc.com/", Stop},
		{"https://exercise.edu/", Stop},
		{"https://de.wikipedia.org/wiki/Hauptseite", Stop},
	} {
		l, err := Locate(c.input)
		if err != nil {
			t.Errorf("%s: %v", c.input, err)
			continue
		}
		if g := rules.CheckAs(l, true); g.Verdict != c.want {
			t.Errorf("%s as a registered site: %s by %s, want %s", c.input, g.Verdict, g.Rule, c.want)
		}
	}
}

func TestG05CheckIsTotal(t *testing.T) {
	rules := DefaultRules()
	if g := rules.Check(Location{}); g.Verdict != Stop || g.Rule == "" {
		t.Errorf("the zero Location: %+v, want stop", g)
	}
	for _, text := range []string{"", ":", "https://", "/", "%", "https://%zz/%zz?%zz#%zz", "stream:", "https://[::1"} {
		for _, kind := range []Kind{Web, Onion, Stream, Channel, "x"} {
			if g := rules.Check(Location{Kind: kind, Canonical: text}); g.Verdict == "" || g.Reason == "" {
				t.Errorf("%s %q: %+v", kind, text, g)
			}
		}
	}
}

func TestRulesAreDocumented(t *testing.T) {
	for _, q := range DefaultRules().generic {
		if q.Source == "" {
			t.Errorf("rule %s has no source", q.ID)
		}
	}
}

func TestLoadRulesNamesWhatIsWrong(t *testing.T) {
	good := func() fstest.MapFS {
		dir := fstest.MapFS{}
		for _, name := range []string{"guard.json", "protected.json", "collections.json"} {
			data, err := embedded.ReadFile("rules/" + name)
			if err != nil {
				t.Fatal(err)
			}
			dir[name] = &fstest.MapFile{Data: data}
		}
		return dir
	}
	if _, err := LoadRules(good()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"guard.json": "guard.json", "protected.json": "protected.json", "collections.json": "collections.json"} {
		dir := good()
		delete(dir, name)
		if _, err := LoadRules(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", name, err)
		}
		dir[name] = &fstest.MapFile{Data: []byte("{")}
		if _, err := LoadRules(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("broken %s: %v", name, err)
		}
	}
	dir := good()
	dir["guard.json"] = &fstest.MapFile{Data: []byte(strings.Replace(string(dir["guard.json"].Data), `"test": "root"`, `"test": "nonsense"`, 1))}
	if _, err := LoadRules(dir); err == nil || !strings.Contains(err.Error(), "root.bare") {
		t.Errorf("unknown test: %v", err)
	}
}
