package formats

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"concert"
)

func TestOrdersStatementSaysTheLawAndHoldsTheVocabulary(t *testing.T) {
	t.Parallel()
	o := concert.Order{Ref: "OR-7K3M-9QXT-4D2FH", Reasons: []concert.ContentType{concert.Incites, concert.Threat}}
	done := concert.OrderItem{Measure: concert.MeasureDisabled, MeasureAt: time.Date(2026, 5, 4, 23, 30, 0, 0, time.UTC)}
	item := concert.Item{Ref: "IT-1", Type: concert.TypeVideo, Location: concert.Location{Display: "hxxps://video[.]example/secret"}}
	s, ok := OrderStatementOf(o, done, item, "EXERCISE Authority")
	if !ok || s.Check() != nil || s.ApplicationDate != "2026-05-04" || !strings.Contains(s.Explains, "(a), (e)") {
		t.Fatalf("%+v, %v", s, s.Check())
	}
	for _, c := range s.Territory {
		if c == "NO" || c == "IS" || c == "LI" {
			t.Errorf("disabled in all Member States, and in %s", c)
		}
	}
	var b bytes.Buffer
	if err := WriteOrderStatements(&b, []OrderStatement{s}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Statements []map[string]any `json:"statements"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	m := got.Statements[0]
	for _, k := range []string{"incompatible_content_ground", "incompatible_content_explanation"} {
		if _, there := m[k]; there {
			t.Errorf("%s stands in a statement on illegal content", k)
		}
	}
	if m["decision_ground"] != "DECISION_GROUND_ILLEGAL_CONTENT" || m["illegal_content_legal_ground"] == "" || strings.Contains(b.String(), "secret") {
		t.Errorf("%s", b.String())
	}
	if _, ok := OrderStatementOf(o, concert.OrderItem{}, item, "EXERCISE Authority"); ok {
		t.Error("a statement for what was not done")
	}
	for name, spoil := range map[string]func(*OrderStatement){
		"source": func(s *OrderStatement) { s.Source = "SOURCE_ORDER" }, "ground": func(s *OrderStatement) { s.LegalGround = "" }, "scope": func(s *OrderStatement) { s.Territory = []string{"US"} },
		"terms": func(s *OrderStatement) { s.NoGround = "ours" }, "puid": func(s *OrderStatement) { s.PUID = "a b" }, "day": func(s *OrderStatement) { s.ApplicationDate = "yesterday" }, "type": func(s *OrderStatement) { s.ContentTypeOther = "x" },
	} {
		bad := s
		spoil(&bad)
		if bad.Check() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
