package formats

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"concert"
)

// A statement of reasons as the DSA Transparency Database takes it (Regulation
// (EU) 2022/2065 Art. 17 and 24(5); API version 1, vocabulary since 1 July 2025).
// What we hand over is a draft: docs/formats/dsa.md says which values are ours
// and which the provider must check or fill in.

// Statement is one. Fields that are left out are the provider's to fill in.
type Statement struct {
	Visibility           []string `json:"decision_visibility,omitempty"`
	VisibilityOther      string   `json:"decision_visibility_other,omitempty"`
	Provision            string   `json:"decision_provision,omitempty"`
	Account              string   `json:"decision_account,omitempty"`
	Ground               string   `json:"decision_ground"`
	IncompatibleGround   string   `json:"incompatible_content_ground"`
	IncompatibleExplains string   `json:"incompatible_content_explanation"`
	ContentType          []string `json:"content_type"`
	ContentTypeOther     string   `json:"content_type_other,omitempty"`
	Category             string   `json:"category"`
	Specification        []string `json:"category_specification"`
	Territory            []string `json:"territorial_scope,omitempty"`
	Language             string   `json:"content_language,omitempty"`
	ContentDate          *string  `json:"content_date"` // null: only the provider knows it
	ApplicationDate      string   `json:"application_date"`
	Facts                string   `json:"decision_facts"`
	Source               string   `json:"source_type"`
	SourceIdentity       string   `json:"source_identity,omitempty"`
	AutomatedDetection   string   `json:"automated_detection"`
	AutomatedDecision    string   `json:"automated_decision"`
	PUID                 string   `json:"puid"`
}

// Statements is the body of a batch, of at most StatementBatch.
type Statements struct {
	Statements []Statement `json:"statements"`
}

// StatementBatch is how many statements the database takes at once.
const StatementBatch = 100

// EEA are the states of the European Union and the European Economic Area, as
// the database names them.
var EEA = []string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}

// notEU are those of EEA outside the Union.
var notEU = []string{"IS", "LI", "NO"}

// contentTypes says what of the database's vocabulary an item is; what is not
// here is OTHER, with our word for it.
var contentTypes = map[concert.ItemType]string{
	concert.TypeVideo: "CONTENT_TYPE_VIDEO", concert.TypeImage: "CONTENT_TYPE_IMAGE", concert.TypeText: "CONTENT_TYPE_TEXT", concert.TypeAudio: "CONTENT_TYPE_AUDIO",
	concert.TypeDocument: "CONTENT_TYPE_TEXT", concert.TypeApp: "CONTENT_TYPE_APP", concert.TypeNewsletter: "CONTENT_TYPE_TEXT",
}

var (
	puidMark     = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)
	languageMark = regexp.MustCompile(`^[a-zA-Z]{2}$`)
)

// StatementOf drafts the statement for an item whose provider says that it
// restricted it; false for every other answer: a refusal, and content that was
// gone before, is no decision to state reasons for. author is the authority's
// name. No place, no text of the referral and no person stands in it.
func StatementOf(o concert.OwnItem, a concert.Answer, author string) (Statement, bool) {
	s := Statement{
		Ground: "DECISION_GROUND_INCOMPATIBLE_CONTENT", Category: "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY", Specification: []string{"KEYWORD_TERRORIST_CONTENT"},
		ContentType: []string{"CONTENT_TYPE_OTHER"}, ApplicationDate: a.At.UTC().Format(time.DateOnly), Source: "SOURCE_TYPE_OTHER_NOTIFICATION", SourceIdentity: author,
		AutomatedDetection: "No", AutomatedDecision: "AUTOMATED_DECISION_NOT_AUTOMATED", PUID: puidMark.ReplaceAllString(o.Ref+"_"+string(a.Code), "-"),
		Facts: "A public authority referred this content under reference " + o.RefRef + " as suspected terrorist content (Regulation (EU) 2021/784, recital 40). The referral was voluntary to act on; the decision was taken by the provider alone, under its own terms and conditions.",
	}
	if o.Article16 {
		s.Source = "SOURCE_ARTICLE_16"
	}
	switch a.Code {
	case concert.AnswerRemoved:
		s.Visibility, s.Territory = []string{"DECISION_VISIBILITY_CONTENT_REMOVED"}, EEA
	case concert.AnswerDisabledEU:
		s.Visibility, s.Territory = []string{"DECISION_VISIBILITY_CONTENT_DISABLED"}, slices.DeleteFunc(slices.Clone(EEA), func(c string) bool { return slices.Contains(notEU, c) })
	case concert.AnswerDisabledIn:
		s.Visibility = []string{"DECISION_VISIBILITY_CONTENT_DISABLED"}
		s.Territory = slices.DeleteFunc(slices.Clone(EEA), func(c string) bool { return !slices.Contains(a.Countries, c) })
		if len(s.Territory) == 0 {
			return s, false // nowhere that the database knows
		}
	case concert.AnswerAccountSuspended:
		s.Account, s.Territory = "DECISION_ACCOUNT_SUSPENDED", EEA
	case concert.AnswerDomainOnHold:
		s.Provision, s.Territory = "DECISION_PROVISION_TOTAL_SUSPENSION", EEA
	case concert.AnswerRestricted:
		s.Visibility, s.VisibilityOther, s.Territory = []string{"DECISION_VISIBILITY_OTHER"}, "Restricted by age or interaction: choose which", EEA
	default:
		return s, false
	}
	if t, ok := contentTypes[o.Item.Type]; ok {
		s.ContentType = []string{t}
	} else {
		s.ContentTypeOther = string(o.Item.Type)
		if s.ContentTypeOther == "" {
			s.ContentTypeOther = "not told"
		}
	}
	if base, _, _ := strings.Cut(o.Said.Language, "-"); languageMark.MatchString(base) {
		s.Language = strings.ToUpper(base)
	}
	return s, true
}

// WriteStatements writes drafts as the body of a batch.
func WriteStatements(w io.Writer, in []Statement) error {
	if in == nil {
		in = []Statement{}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(Statements{in})
}

// statementColumns are the columns of drafts as CSV, in the database's words.
var statementColumns = []string{"puid", "decision_visibility", "decision_visibility_other", "decision_provision", "decision_account", "decision_ground", "incompatible_content_ground", "incompatible_content_explanation", "content_type", "content_type_other", "category", "category_specification", "territorial_scope", "content_language", "content_date", "application_date", "decision_facts", "source_type", "source_identity", "automated_detection", "automated_decision"}

// StatementCSV writes drafts as CSV; lists are JSON, as in the database's dumps.
type StatementCSV struct{ w *csv.Writer }

// NewStatementCSV begins one with its head.
func NewStatementCSV(w io.Writer) (*StatementCSV, error) {
	c := csv.NewWriter(w)
	return &StatementCSV{c}, c.Write(statementColumns)
}

// Write writes one draft.
func (c *StatementCSV) Write(s Statement) error {
	list := func(v []string) string {
		if len(v) == 0 {
			return ""
		}
		b, err := json.Marshal(v)
		if err != nil {
			return "" // strings always are JSON
		}
		return string(b)
	}
	row := []string{s.PUID, list(s.Visibility), s.VisibilityOther, s.Provision, s.Account, s.Ground, s.IncompatibleGround, s.IncompatibleExplains, list(s.ContentType), s.ContentTypeOther, s.Category, list(s.Specification), list(s.Territory), s.Language, "", s.ApplicationDate, s.Facts, s.Source, s.SourceIdentity, s.AutomatedDetection, s.AutomatedDecision}
	for i, v := range row {
		row[i] = concert.PlainCell(v)
	}
	if err := c.w.Write(row); err != nil {
		return fmt.Errorf("statement %s: %w", s.PUID, err)
	}
	return nil
}

// Close writes what is left.
func (c *StatementCSV) Close() error {
	c.w.Flush()
	return c.w.Error()
}
