package formats

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"concert"
)

// OrderStatement is a draft of a statement of reasons (DSA Art. 17 and 24(5)) for
// content that was removed, or disabled, because of a removal order: the ground is the
// law, not the provider's terms.
type OrderStatement struct {
	Statement
	LegalGround string `json:"illegal_content_legal_ground"`
	Explains    string `json:"illegal_content_explanation"`

	// Those of a decision under terms and conditions have no place here.
	NoGround   string `json:"incompatible_content_ground,omitempty"`
	NoExplains string `json:"incompatible_content_explanation,omitempty"`
}

// legalGround is said of every order.
const legalGround = "Regulation (EU) 2021/784, Article 3(1): removal order of a competent authority"

// OrderStatementOf drafts the statement for an item of an order that its addressee says
// it removed or disabled; false for one that has no Annex II yet. author is the issuing
// authority's name. No place, no text of the order and no person stands in it.
func OrderStatementOf(o concert.Order, it concert.OrderItem, item concert.Item, author string) (OrderStatement, bool) {
	s := OrderStatement{LegalGround: legalGround, Statement: Statement{
		Ground: "DECISION_GROUND_ILLEGAL_CONTENT", Category: "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY", Specification: []string{"KEYWORD_TERRORIST_CONTENT"},
		ContentType: []string{"CONTENT_TYPE_OTHER"}, ApplicationDate: it.MeasureAt.UTC().Format(time.DateOnly), Source: "SOURCE_TYPE_OTHER_NOTIFICATION", SourceIdentity: author,
		AutomatedDetection: "No", AutomatedDecision: "AUTOMATED_DECISION_NOT_AUTOMATED", PUID: puidMark.ReplaceAllString(o.Ref+"_"+item.Ref, "-"),
		Facts: "A competent authority ordered under reference " + o.Ref + " that this content be removed, or access to it disabled in all Member States, as terrorist content. The order binds; it was carried out on " + it.MeasureAt.UTC().Format(time.DateOnly) + ".",
	}}
	letters := map[concert.ContentType]string{concert.Incites: "a", concert.SolicitsCommit: "b", concert.SolicitsParticipation: "c", concert.Instruction: "d", concert.Threat: "e"}
	var points []string
	for _, t := range o.Reasons {
		points = append(points, "("+letters[t]+")")
	}
	s.Explains = "The order names the content as terrorist content within the meaning of Article 2(7), point " + strings.Join(points, ", ") + ", of Regulation (EU) 2021/784."
	switch it.Measure {
	case concert.MeasureRemoved:
		s.Visibility, s.Territory = []string{"DECISION_VISIBILITY_CONTENT_REMOVED"}, EEA
	case concert.MeasureDisabled:
		s.Visibility, s.Territory = []string{"DECISION_VISIBILITY_CONTENT_DISABLED"}, slices.DeleteFunc(slices.Clone(EEA), func(c string) bool { return slices.Contains(notEU, c) })
	default:
		return s, false
	}
	if t, ok := contentTypes[item.Type]; ok {
		s.ContentType = []string{t}
	} else if s.ContentTypeOther = string(item.Type); s.ContentTypeOther == "" {
		s.ContentTypeOther = "not told"
	}
	return s, true
}

// statementWords are the values of the database's vocabulary, as published on
// 1 July 2025, that drafts use.
var statementWords = map[string][]string{
	"decision_ground":          {"DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"},
	"category":                 {"STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY"},
	"source_type":              {"SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_VOLUNTARY", "SOURCE_TYPE_OTHER_NOTIFICATION"},
	"automated_detection":      {"Yes", "No"},
	"automated_decision":       {"AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"},
	"decision_visibility":      {"DECISION_VISIBILITY_CONTENT_REMOVED", "DECISION_VISIBILITY_CONTENT_DISABLED", "DECISION_VISIBILITY_OTHER"},
	"content_type":             {"CONTENT_TYPE_APP", "CONTENT_TYPE_AUDIO", "CONTENT_TYPE_IMAGE", "CONTENT_TYPE_PRODUCT", "CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_TEXT", "CONTENT_TYPE_VIDEO", "CONTENT_TYPE_OTHER"},
	"category_specification":   {"KEYWORD_TERRORIST_CONTENT"},
	"territorial_scope":        EEA,
	"incompatible_content_all": {""},
}

// Check says what the database would refuse of the draft: a value outside of its
// vocabulary, a field that is missing or too long. What only the provider knows, the
// content's date, is no part of it.
func (s OrderStatement) Check() error {
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"decision_ground", []string{s.Ground}}, {"category", []string{s.Category}}, {"source_type", []string{s.Source}}, {"automated_detection", []string{s.AutomatedDetection}}, {"automated_decision", []string{s.AutomatedDecision}},
		{"decision_visibility", s.Visibility}, {"content_type", s.ContentType}, {"category_specification", s.Specification}, {"territorial_scope", s.Territory}, {"incompatible_content_all", []string{s.NoGround + s.NoExplains + s.IncompatibleGround + s.IncompatibleExplains}},
	} {
		if len(f.values) == 0 {
			return fmt.Errorf("statement %s: %s is missing", s.PUID, f.name)
		}
		for _, v := range f.values {
			if !slices.Contains(statementWords[f.name], v) {
				return fmt.Errorf("statement %s: %q is no value of %s", s.PUID, v, f.name)
			}
		}
	}
	for _, f := range []struct {
		name, text string
		most       int
	}{{"illegal_content_legal_ground", s.LegalGround, 500}, {"illegal_content_explanation", s.Explains, 2000}, {"decision_facts", s.Facts, 5000}, {"source_identity", s.SourceIdentity, 500}, {"puid", s.PUID, 500}} {
		if f.text == "" || len(f.text) > f.most {
			return fmt.Errorf("statement %s: %s has %d bytes: write 1 to %d", s.PUID, f.name, len(f.text), f.most)
		}
	}
	if _, err := time.Parse(time.DateOnly, s.ApplicationDate); err != nil || puidMark.MatchString(s.PUID) {
		return fmt.Errorf("statement %s: the day it was applied, or its PUID, cannot stand in the database", s.PUID)
	}
	if slices.Contains(s.ContentType, "CONTENT_TYPE_OTHER") == (s.ContentTypeOther == "") {
		return fmt.Errorf("statement %s: content_type_other is named with CONTENT_TYPE_OTHER, and then alone", s.PUID)
	}
	return nil
}

// WriteOrderStatements writes drafts as the body of a batch.
func WriteOrderStatements(w io.Writer, in []OrderStatement) error {
	if in == nil {
		in = []OrderStatement{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Statements []OrderStatement `json:"statements"`
	}{in})
}
