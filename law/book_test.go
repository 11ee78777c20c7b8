package law

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"concert"
)

// states are those of the Union; each has a calendar.
var states = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")

// issuing are the states under whose law orders are issued here: each has redress texts.
var issuing = strings.Fields("AT BE DE ES FR IE IT NL PL SE")

func book(t *testing.T) Book {
	t.Helper()
	b, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheBookIsWhole(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, key := range concert.TermKeys {
		if term, err := b.Term(key); err != nil || term.Key != key {
			t.Errorf("term %s: %+v, %v", key, term, err)
		}
	}
	for _, typ := range concert.ContentTypes {
		if r, err := b.Reason(typ); err != nil || r.Type != typ {
			t.Errorf("type %s: %+v, %v", typ, r, err)
		}
	}
	if got := slices.Sorted(maps.Keys(b.calendars)); !slices.Equal(got, states) {
		t.Errorf("calendars of %v, want %v", got, states)
	}
	if got := b.States(); !slices.Equal(got, issuing) {
		t.Errorf("redress texts of %v, want %v", got, issuing)
	}
	if r := b.Regulation(); r.CELEX != "32021R0784" || r.AppliesFrom != "2022-06-07" {
		t.Errorf("the regulation is %+v", r)
	}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	var read []string
	for _, e := range b.Editions() {
		read = append(read, e.File)
	}
	if slices.Sort(read); !slices.Equal(read, names) {
		t.Errorf("read %v of %v", read, names)
	}
	if _, err := b.Term("unheard"); err == nil {
		t.Error("an unknown term is given out")
	}
	if _, err := b.Reason("unheard"); err == nil {
		t.Error("an unknown type is given out")
	}
}

// The review of an override stands in code as well, where no data is read.
func TestG32TheBookAndTheRuleAgreeOnTheReview(t *testing.T) {
	t.Parallel()
	term, err := book(t).Term(concert.TermEmergency)
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Duration(term.Length.Hours) * time.Hour; got != concert.OverrideTerm {
		t.Errorf("law/terms.json says %s, concert.OverrideTerm %s", got, concert.OverrideTerm)
	}
}

func TestG15WithoutRedressNoOrder(t *testing.T) {
	t.Parallel()
	b := book(t)
	for _, state := range states {
		ways, err := b.Redress(state)
		if !slices.Contains(issuing, state) {
			var refusal *concert.Error
			if !errors.As(err, &refusal) || refusal.Code != "law.redress" || ways != nil {
				t.Errorf("%s: %v, %v", state, ways, err)
			}
			continue
		}
		if err != nil || len(ways) != 2 || ways[0].For != concert.RedressProvider || ways[1].For != concert.RedressContent {
			t.Errorf("%s: %+v, %v", state, ways, err)
		}
		for _, w := range ways {
			if w.Body == "" || w.Deadline == "" || w.Law == "" || w.AsOf == "" {
				t.Errorf("%s: %+v leaves something open", state, w)
			}
		}
	}
	de, _ := b.RedressIn("DE", "de-DE")
	en, _ := b.RedressIn("DE", "fi")
	if !strings.Contains(de[0].Body, "Widerspruch") || !strings.Contains(en[0].Body, "Objection") {
		t.Errorf("in German: %s; in Finnish, which is not there: %s", de[0].Body, en[0].Body)
	}
	if ways, err := b.RedressIn("XA", "de"); err == nil {
		t.Errorf("redress of no state: %v", ways)
	}
}

func TestWhatNobodyCheckedIsListed(t *testing.T) {
	t.Parallel()
	open := book(t).Unchecked()
	for _, want := range []string{"redress.json: DE, en, provider", "terms.json: non_disclosure", "holidays.json: ES"} {
		if !slices.Contains(open, want) {
			t.Errorf("%q is not among what nobody checked", want)
		}
	}
	if slices.Contains(open, "terms.json: removal") {
		t.Error("the hour is listed as unchecked")
	}
}

// embedded are the files of the build, to be changed.
func embedded(t testing.TB) fstest.MapFS {
	t.Helper()
	dir := fstest.MapFS{}
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dir[name] = &fstest.MapFile{Data: text}
	}
	return dir
}

func TestAWrongFileIsNamedWithItsEntry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, old, new, says string }{
		{"terms.json", `"version": 2,`, `"version": 0,`, "terms.json: version"},
		{"terms.json", `"as_of": "2026-11-26"`, `"as_of": "22.11.2026"`, "terms.json: as_of"},
		{"terms.json", `"version": 2,`, `"version": 1, "version": 2,`, "terms.json"},
		{"terms.json", `"least": true,`, `"lest": true,`, "lest"},
		{"terms.json", `"key": "removal"`, `"key": "first_contact"`, `"first_contact" stands twice`},
		{"terms.json", `"key": "removal"`, `"key": "remuval"`, `"remuval"`},
		{"terms.json", `"length": {"hours": 1},`, ``, `"removal"`},
		{"terms.json", `"length": {"hours": 1},`, `"length": {"hours": 1, "days": 1},`, `"removal"`},
		{"terms.json", `"length": {"hours": 1},`, `"length": {"hours": -1},`, `"removal"`},
		{"terms.json", `"length": {"hours": 1},`, `"length": {"hours": 1}, "working": true,`, `"removal"`},
		{"terms.json", `"why": "manifest_errors"`, `"why": "force_majeure"`, `"removal": pause "force_majeure"`},
		{"terms.json", `(Art. 3(8))", "anew": true`, `(Art. 3(8))", "anew": false`, `"removal": pause "manifest_errors"`},
		{"terms.json", `"article": "Art. 3(3)"`, `"article": ""`, `"removal": article`},
		{"terms.json", `{"month": 3, "day": 31}`, `{"month": 2, "day": 29}`, `"state_report"`},
		{"terms.json", `"each": {"month": 3, "day": 31}`, `"length": {"hours": 1}, "each": {"month": 3, "day": 31}`, `"state_report"`},
		{"reasons.json", `"type": "threat"`, `"type": "incites"`, `reasons.json: type "incites"`},
		{"reasons.json", `"type": "threat"`, `"type": "dislike"`, `reasons.json: type "dislike"`},
		{"reasons.json", `"provision": "Art. 2(7)(e)"`, `"provision": ""`, `reasons.json: type "threat"`},
		{"redress.json", `"state":`, `"land":`, "redress.json"},
		{"redress.json", `"state": "AT", "language": "de", "for": "content_provider"`, `"state": "AT", "language": "de", "for": "provider"`, "redress.json: AT, de, provider stands twice"},
		{"redress.json", `"state": "IE", "language": "en", "for": "content_provider"`, `"state": "GB", "language": "en", "for": "content_provider"`, "redress.json"},
		{"redress.json", `"for": "content_provider"`, `"for": "reader"`, "redress.json: AT, en, reader"},
		{"redress.json", `"as_of": "2026-11-22", "source": "the issuing`, `"as_of": "2027-01-01", "source": "the issuing`, "redress.json: AT, en, provider: as_of"},
		{"redress.json", `"state": "AT"`, `"state": "Austria"`, "redress.json: Austria"},
		{"regulation.json", `"applies_from": "2022-06-07"`, `"applies_from": "2021-06-06"`, "regulation.json"},
		{"regulation.json", `"celex": "32021R0784"`, `"celex": ""`, "regulation.json"},
		{"holidays.json", `"state": "BE"`, `"state": "AT"`, `holidays.json: state "AT"`},
		{"holidays.json", `"zone": "Europe/Vienna"`, `"zone": "Europe/Wien"`, "holidays.json: state AT: zone"},
		{"holidays.json", `"easter": "western"`, `"easter": "northern"`, "holidays.json: state AT: easter"},
		{"holidays.json", `"name": "Epiphany", "on": "01-06"`, `"name": "Epiphany", "on": "02-30"`, "holidays.json: state AT: Epiphany"},
		{"holidays.json", `"name": "Epiphany", "on": "01-06"`, `"name": "New Year", "on": "01-06"`, "holidays.json: state AT: New Year stands twice"},
		{"holidays.json", `"name": "Epiphany", "on": "01-06"`, `"name": "Epiphany", "on": "01-06", "easter": 2`, "holidays.json: state AT: Epiphany"},
		{"holidays.json", `"name": "Epiphany", "on": "01-06"`, `"name": "Epiphany", "on": "01-06", "from": 2020, "until": 2019`, "it ends in 2019, before it begins in 2020"},
		{"holidays.json", `"weekday": "saturday"`, `"weekday": "samedi"`, "samedi"},
	} {
		dir := embedded(t)
		text := dir[c.file].Data
		if !bytes.Contains(text, []byte(c.old)) {
			t.Errorf("%s holds no %s to be changed", c.file, c.old)
			continue
		}
		dir[c.file].Data = bytes.Replace(text, []byte(c.old), []byte(c.new), 1)
		if _, err := parse(dir); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s with %s for %s: %v, want it to say %s", c.file, c.new, c.old, err, c.says)
		}
	}
	for name := range embedded(t) {
		dir := embedded(t)
		delete(dir, name)
		if _, err := parse(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// Whatever stands in a file, it is refused or gives a book that answers.
func FuzzBook(f *testing.F) {
	names := slices.Sorted(maps.Keys(embedded(f)))
	for i, name := range names {
		f.Add(uint8(i), embedded(f)[name].Data)
	}
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		dir := embedded(t)
		dir[names[int(which)%len(names)]].Data = text
		b, err := parse(dir)
		if err != nil {
			return
		}
		for _, key := range concert.TermKeys {
			term, err := b.Term(key)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 3, 28, 23, 30, 0, 0, time.UTC)
			d, err := concert.Begin("o", term, concert.TermStart{At: at, Evidence: "EXERCISE"}, concert.Calendar{})
			if err != nil || d.DueAt.Before(at) {
				t.Fatalf("%+v, %v", d, err)
			}
		}
		for state, c := range b.calendars {
			for year := 2026; year < 2028; year++ {
				for _, day := range c.holidays(year) {
					if !b.Holiday(state, day.Year(), day.Month(), day.Day()) && day.Year() == year {
						t.Fatalf("%s %s", state, day)
					}
				}
			}
		}
		for _, state := range b.States() {
			if ways, err := b.Redress(state); err != nil || len(ways) != 2 {
				t.Fatalf("%s: %v, %v", state, ways, err)
			}
		}
	})
}
