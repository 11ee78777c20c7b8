package formats_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/formats"
)

// ownItem is an answered item with personal text all over, none of which may reach a statement.
func ownItem(code concert.AnswerCode, countries ...string) (concert.OwnItem, concert.Answer) {
	it := concert.Item{ID: "i1", Ref: "IT-7K3M-9QXT-4D2FH", Type: concert.TypeVideo, Location: concert.Location{Kind: "account", Canonical: "https://video.example/@john-exercise", Display: "hxxps://video[.]example/@john-exercise", Submitted: "https://video.example/@john-exercise", ObjectID: "john-exercise"}}
	o := concert.OwnItem{Item: it, RefRef: "RF-7K3M-9QXT-4D2FH", Said: concert.PayloadItem{Language: "ar-SY", Facts: "EXERCISE: John Exercise speaks", Operator: "OP-1", Location: it.Location}}
	return o, concert.Answer{Item: it.ID, Code: code, Countries: countries, At: time.Date(2019, 11, 21, 23, 59, 0, 0, time.UTC), Note: "John Exercise"}
}

// The rules of the database's API for what is not left to the provider: vocabularies, needed groups, formats.
func TestStatementsFollowTheDatabasesSchema(t *testing.T) {
	t.Parallel()
	visibility := []string{"DECISION_VISIBILITY_CONTENT_REMOVED", "DECISION_VISIBILITY_CONTENT_DISABLED", "DECISION_VISIBILITY_OTHER"}
	puid := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,500}$`)
	drafted := 0
	for _, code := range concert.AnswerCodes {
		o, a := ownItem(code, "BE", "US")
		s, ok := formats.StatementOf(o, a, "EXERCISE Unit North")
		if ok != (code.Effect() && code != concert.AnswerUnavailable) {
			t.Errorf("%s: a statement: %v", code, ok)
		}
		if !ok {
			continue
		}
		drafted++
		if len(s.Visibility) == 0 && s.Provision == "" && s.Account == "" {
			t.Errorf("%s: no decision at all", code)
		}
		for _, v := range s.Visibility {
			if !slices.Contains(visibility, v) || v == "DECISION_VISIBILITY_OTHER" && s.VisibilityOther == "" {
				t.Errorf("%s: visibility %q", code, v)
			}
		}
		for _, c := range s.Territory {
			if !slices.Contains(formats.EEA, c) {
				t.Errorf("%s: territory %q", code, c)
			}
		}
		if !puid.MatchString(s.PUID) || s.Category != "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY" || s.Source != "SOURCE_TYPE_OTHER_NOTIFICATION" || s.Language != "AR" || s.ApplicationDate != "2019-11-21" || len(s.Facts) > 5000 || s.ContentDate != nil {
			t.Errorf("%s: %+v", code, s)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{"John", "john-exercise", "video.example", "OP-1"} {
			if bytes.Contains(text, []byte(never)) {
				t.Errorf("%s: %q stands in %s", code, never, text)
			}
		}
	}
	if drafted != 6 {
		t.Errorf("%d answers lead to a statement", drafted)
	}
	o, a := ownItem(concert.AnswerDisabledIn, "US")
	if _, ok := formats.StatementOf(o, a, "x"); ok {
		t.Error("a statement for a restriction outside the Union")
	}
	o.Article16 = true
	if s, _ := formats.StatementOf(o, concert.Answer{Code: concert.AnswerRemoved, At: a.At}, "x"); s.Source != "SOURCE_ARTICLE_16" {
		t.Errorf("source %s", s.Source)
	}
}

func TestStatementsAsCSVReadBack(t *testing.T) {
	t.Parallel()
	o, a := ownItem(concert.AnswerRemoved)
	s, _ := formats.StatementOf(o, a, "=EXERCISE")
	var b bytes.Buffer
	c, err := formats.NewStatementCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(s); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if i := slices.Index(rows[0], "source_identity"); rows[1][i] != "'=EXERCISE" {
		t.Errorf("a spreadsheet runs %q", rows[1][i])
	}
}

func TestOwnCSVRunsInNoSpreadsheet(t *testing.T) {
	t.Parallel()
	o, _ := ownItem(concert.AnswerRemoved)
	o.Said.Outlet, o.Location.Display = "@SUM(A1)", "+1 hxxp"
	var b bytes.Buffer
	c, err := formats.NewOwnCSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(formats.OwnRecordOf(o, "=cmd", true)); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[1]) != len(formats.OwnColumns) {
		t.Fatalf("%v %v", rows, err)
	}
	for i, cell := range rows[1] {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("%s is %q", rows[0][i], cell)
		}
	}
	if strings.Contains(b.String(), "https://") {
		t.Error("a live place in the CSV")
	}
}
