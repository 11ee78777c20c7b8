package formats

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concert/internal/accesslog"
)

// accessReport is a report of an invented log in which what a report must not
// show is planted.
func accessReport(t *testing.T) *accesslog.Report {
	t.Helper()
	text := strings.Repeat(`203.0.113.77 - canaryuser [17/May/2015:10:05:43 +0000] "GET /=cmd/<script>canary@example.org?token=canarytoken HTTP/1.1" 200 5 "https://203.0.113.77/x" "canaryagent"`+"\n", 3) +
		`2001:db8:77::77 - - [19/May/2015:10:05:43 +0000] "GET =1+1 HTTP/1.1" 404 5 "-" "examplebot"` + "\n" + "canaryuser 203.0.113.77 EXERCISE\n"
	path := filepath.Join(t.TempDir(), "access<b>.log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := accesslog.Analyse(t.Context(), []string{path}, accesslog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := int64(2)
	r.Countries = map[string]accesslog.Country{"FR": {Accesses: 3, Visitors: 40, VisitorsWithoutBots: &n}, "unknown": {Accesses: 1, Visitors: 1, VisitorsWithoutBots: &n}}
	r.ElapsedS, r.LinesPerS = 0, 0
	return r
}

func TestAccessLogReportsShowNobodyAndAreTheSameTwice(t *testing.T) {
	t.Parallel()
	r := accessReport(t)
	for name, write := range map[string]func(io.Writer, *accesslog.Report) error{"html": WriteAccessLogHTML, "csv": WriteAccessLogCSV, "pdf": WriteAccessLogPDF} {
		var a, b bytes.Buffer
		if err := write(&a, r); err != nil {
			t.Fatal(err)
		}
		if err := write(&b, r); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: the same report gave other bytes", name)
		}
		for _, c := range []string{"203.0.113.77", "2001:db8:77", "canary", "suspect"} {
			if bytes.Contains(bytes.ToLower(a.Bytes()), []byte(c)) {
				t.Errorf("%s holds %q", name, c)
			}
		}
	}
}

func TestAccessLogPageIsStrict(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := WriteAccessLogHTML(&b, accessReport(t)); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "javascript:", "src=", "href=", "url(", " style=", "onload", "<b>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, need := range []string{"default-src 'none'", `lang="en"`, `<h1>`, `scope="col"`, `scope="row"`, "France: 2", "An address is not a person", "role=\"img\" aria-label="} {
		if !strings.Contains(page, need) {
			t.Errorf("the page lacks %q", need)
		}
	}
	d := xml.NewDecoder(strings.NewReader(strings.NewReplacer("<!DOCTYPE html>", "", `<meta charset="utf-8">`, "").Replace(page)))
	d.Strict = false
	d.AutoClose = xml.HTMLAutoClose
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the page's elements do not close: %v", err)
		}
	}
}

func TestAccessLogCSVHoldsTheNumbersAndNoFormula(t *testing.T) {
	t.Parallel()
	r := accessReport(t)
	var b bytes.Buffer
	if err := WriteAccessLogCSV(&b, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
		found[row[0]+"/"+row[1]+"/"+row[2]] = row[3]
	}
	for key, want := range map[string]string{"report/Lines/value": "5", "visitors/Address/With bots": "2", "visitors/Address/Without known bots": "1", "status/404/Accesses": "1", "countries/France (FR)/Visitors": "40", "rejects/address/Accesses": "1"} {
		if found[key] != want {
			t.Errorf("%s is %q, want %s", key, found[key], want)
		}
	}
}

func TestWorldMapIsWhole(t *testing.T) {
	t.Parallel()
	shapes := mapShapes()
	if len(shapes) < 170 {
		t.Fatalf("%d shapes", len(shapes))
	}
	for _, s := range shapes {
		rings, err := mapRings(s.path)
		if err != nil || len(rings) == 0 || len(s.code) != 2 {
			t.Errorf("%s: %v, %d rings", s.name, err, len(rings))
		}
		for _, ring := range rings {
			for _, at := range ring {
				if at[0] < -5 || at[0] > mapWidth+5 || at[1] < 0 || at[1] > mapHeight {
					t.Errorf("%s leaves the map: %v", s.name, at)
				}
			}
		}
	}
}
