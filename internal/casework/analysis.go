package casework

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
)

// analysesPage bounds the analyses that one reading lists.
const analysesPage = 100

// AskAnalysis asks to count what the access logs of an exhibit hold. A node that has
// the exhibit's bytes does it (analyseExhibit).
func (s *Service) AskAnalysis(ctx context.Context, by concert.Actor, ref string, in concert.Analysis) (concert.Analysis, error) {
	a := in
	a.ID, a.Exercise, a.Version = concert.AnalysisID(identity.NewID()), s.Exercise, 1
	return a, s.retryStale(ctx, func(tx *store.Tx) error {
		x, c, err := exhibitOf(ctx, tx, ref)
		if err != nil {
			return err
		}
		n, running, err := tx.NextAnalysis(ctx, x.ID)
		if err != nil {
			return err
		}
		asked := a
		asked.N = n
		asked, e, err := x.AnalysisAsked(by, c, asked, running, s.now())
		if err != nil {
			return err
		}
		if err := accesslog.CheckFormat(asked.Format); err != nil {
			return concert.Refuse(concert.Invalid, "analysis.format", "format", "this is no format: write a name, or a pattern as in Apache's LogFormat or nginx's log_format (%v)", err)
		}
		if !s.countable() {
			return concert.Refuse(concert.Conflict, "analysis.nowhere", "", "this node was not told where bags and working copies lie: the operator starts it with concert serve -exhibits DIR")
		}
		if err := tx.AddAnalysis(ctx, asked); err != nil {
			return err
		}
		tx.Record(e)
		tx.SetClock(concert.ClockAnalysis, string(asked.ID), s.now())
		a = asked
		return nil
	})
}

// countable reports whether a node of this deployment may have bytes of exhibits.
func (s *Service) countable() bool { return s.Exhibits != "" || !s.DB.Alone() }

// analysisOf is an exhibit's analysis that the actor may read, with the case that
// asked for it: those whom the exhibit was handed to since ask for their own.
func analysisOf(ctx context.Context, tx *store.Tx, by concert.Actor, ref string, n int64) (concert.Analysis, concert.Exhibit, concert.Case, error) {
	x, err := tx.Exhibit(ctx, ref)
	if err != nil {
		return concert.Analysis{}, x, concert.Case{}, err
	}
	a, err := tx.ExhibitAnalysis(ctx, x.ID, n)
	if err != nil {
		return a, x, concert.Case{}, err
	}
	c, err := tx.Case(ctx, string(a.Case))
	if err != nil {
		return a, x, c, err
	}
	return a, x, c, c.MayRead(by)
}

// DropAnalysis ends an analysis that has not ended. Version is the one that was read.
func (s *Service) DropAnalysis(ctx context.Context, by concert.Actor, ref string, n, version int64) (concert.Analysis, error) {
	var out concert.Analysis
	return out, s.retryStale(ctx, func(tx *store.Tx) error {
		a, x, c, err := analysisOf(ctx, tx, by, ref, n)
		if err != nil {
			return err
		}
		next, e, err := a.Dropped(by, x, c, s.now())
		if err != nil {
			return err
		}
		if version != a.Version {
			return outdated()
		}
		if err := tx.SaveAnalysis(ctx, next, nil); err != nil {
			return err
		}
		tx.Record(e)
		next.Version++
		out = next
		return nil
	})
}

// AnalysisLine is an analysis in a list.
type AnalysisLine struct {
	concert.Analysis
	ExhibitRef string
	Operator   string // of who asked
}

func analysisLines(ctx context.Context, tx *store.Tx, as []concert.Analysis) ([]AnalysisLine, error) {
	people := make([]concert.PersonID, len(as))
	for i, a := range as {
		people[i] = a.AskedBy
	}
	operators, err := tx.Operators(ctx, people)
	if err != nil {
		return nil, err
	}
	refs := map[concert.ExhibitID]string{}
	out := make([]AnalysisLine, len(as))
	for i, a := range as {
		if refs[a.Exhibit] == "" {
			x, err := tx.Exhibit(ctx, string(a.Exhibit))
			if err != nil {
				return nil, err
			}
			refs[a.Exhibit] = x.Ref
		}
		out[i] = AnalysisLine{a, refs[a.Exhibit], operators[a.AskedBy]}
	}
	return out, nil
}

// AnalysisView is an analysis as those see it who may.
type AnalysisView struct {
	concert.Analysis
	ExhibitRef string
	Label      string // of the exhibit
	CaseRef    string
	MayDrop    bool   // the reader may end it now
	Operator   string // of who asked
	Report     *accesslog.Report
}

// ReadAnalysis is one analysis with its report, where it has one.
func (s *Service) ReadAnalysis(ctx context.Context, scope concert.Scope, ref string, n int64) (AnalysisView, error) {
	var v AnalysisView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadAnalysis, Ref: ref, Filter: strconv.FormatInt(n, 10), Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		a, x, c, err := analysisOf(ctx, tx, by, ref, n)
		if err != nil {
			return err
		}
		v = AnalysisView{Analysis: a, ExhibitRef: x.Ref, Label: x.Label, CaseRef: c.Ref, MayDrop: a.MayDrop(by, x, c) == nil}
		operators, err := tx.Operators(ctx, []concert.PersonID{a.AskedBy})
		if err != nil {
			return err
		}
		v.Operator = operators[a.AskedBy]
		if a.Status != concert.AnalysisDone || a.Erased {
			return nil
		}
		raw, err := tx.AnalysisReport(ctx, a.ID)
		if err != nil {
			return err
		}
		v.Report = new(accesslog.Report)
		if err := json.Unmarshal(raw, v.Report); err != nil {
			return fmt.Errorf("report of analysis %d of %s: %w", a.N, x.Ref, err)
		}
		return nil
	})
	if err != nil {
		return AnalysisView{}, err
	}
	return v, nil
}

// AnalysisFile is a form in which a report is given out.
type AnalysisFile string

// The forms. All but the first are for a reader outside the case: small cells are
// left out (accesslog.Report.Released).
const (
	AnalysisReport       AnalysisFile = "report.json" // as it is kept; its SHA-256 stands in the log of the house
	AnalysisReleasedJSON AnalysisFile = "released.json"
	AnalysisReleasedCSV  AnalysisFile = "released.csv"
	AnalysisReleasedPDF  AnalysisFile = "released.pdf"
)

// AnalysisFiles lists them.
var AnalysisFiles = []AnalysisFile{AnalysisReport, AnalysisReleasedJSON, AnalysisReleasedCSV, AnalysisReleasedPDF}

// MediaType is the form's.
func (f AnalysisFile) MediaType() string {
	switch {
	case strings.HasSuffix(string(f), ".csv"):
		return "text/csv; charset=utf-8"
	case strings.HasSuffix(string(f), ".pdf"):
		return "application/pdf"
	}
	return "application/json"
}

// AnalysisFile is the report of an analysis in one form; giving it out is a reading.
func (s *Service) AnalysisFile(ctx context.Context, scope concert.Scope, ref string, n int64, form AnalysisFile) ([]byte, error) {
	if !slices.Contains(AnalysisFiles, form) {
		return nil, concert.ErrNotFound
	}
	var raw []byte
	b := concert.ConsultedBody{What: concert.ReadAnalysisFile, Ref: ref, Filter: strconv.FormatInt(n, 10) + " " + string(form), Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		a, _, _, err := analysisOf(ctx, tx, scope.Actor(), ref, n)
		if err == nil {
			raw, err = tx.AnalysisReport(ctx, a.ID)
		}
		return err
	})
	if err != nil || form == AnalysisReport {
		return raw, err
	}
	var r accesslog.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("report of analysis %d: %w", n, err)
	}
	var out bytes.Buffer
	write := map[AnalysisFile]func(io.Writer, *accesslog.Report) error{AnalysisReleasedJSON: formats.WriteReportJSON[*accesslog.Report], AnalysisReleasedCSV: formats.WriteAccessLogCSV, AnalysisReleasedPDF: formats.WriteAccessLogPDF}[form]
	err = write(&out, r.Released())
	return out.Bytes(), err
}
