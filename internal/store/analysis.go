package store

import (
	"context"
	"encoding/json"
	"fmt"

	"concert"
)

const analysisCols = "id, exhibit, n, case_id, authority, status, code, report, work, files, read_bytes, all_bytes, looks, tries, asked_by, asked_at, ended_at, sealed, exercise, version"

// sealedAnalysis is what of an analysis lies under its key.
type sealedAnalysis struct {
	Purpose string                 `json:"purpose"`
	Format  string                 `json:"format,omitempty"`
	Files   []string               `json:"files,omitempty"`
	Result  concert.AnalysisResult `json:"result"`
}

func (tx *Tx) sealAnalysis(ctx context.Context, a concert.Analysis) ([]byte, error) {
	return tx.seal(ctx, string(a.ID), "analysis", sealedAnalysis{a.Purpose, a.Format, a.Files, a.Result})
}

// AddAnalysis writes a new analysis with its key.
func (tx *Tx) AddAnalysis(ctx context.Context, a concert.Analysis) error {
	tx.touch("analysis")
	if err := tx.newSubjects(ctx, string(a.ID)); err != nil {
		return err
	}
	sealed, err := tx.sealAnalysis(ctx, a)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "analysis", analysisCols, [][]any{{string(a.ID), string(a.Exhibit), a.N, string(a.Case), string(a.Authority), string(a.Status), "", "", 0, 0, 0, 0, 0, 0, string(a.AskedBy), concert.Micros(a.AskedAt), 0, sealed, flag(a.Exercise), 1}}, "")
	return err
}

// NextAnalysis is the number of the exhibit's next analysis, and whether one has not
// ended yet.
func (tx *Tx) NextAnalysis(ctx context.Context, x concert.ExhibitID) (n int64, running bool, err error) {
	var open int64
	err = tx.row(ctx, "SELECT coalesce(max(n), 0) + 1, count(*) FILTER (WHERE status IN ('asked', 'running')) FROM analysis WHERE exhibit = ?", string(x)).Scan(&n, &open)
	return n, open > 0, err
}

// SaveAnalysis writes an analysis's end back, with its report where it has one.
func (tx *Tx) SaveAnalysis(ctx context.Context, a concert.Analysis, report []byte) error {
	tx.touch("analysis")
	sealed, err := tx.sealAnalysis(ctx, a)
	if err != nil {
		return err
	}
	err = tx.update(ctx, "analysis", []typed{{"status", "TEXT"}, {"code", "TEXT"}, {"report", "TEXT"}, {"work", "BIGINT"}, {"files", "BIGINT"}, {"ended_at", "BIGINT"}},
		[][]any{{string(a.ID), a.Version, string(a.Status), a.Code, a.Result.Report, flag(a.Result.Work), a.Result.Files, concert.Micros(a.EndedAt)}})
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE analysis SET sealed = ? WHERE id = ?", sealed, string(a.ID)); err != nil {
		return fmt.Errorf("save analysis: %w", err)
	}
	if report == nil {
		return nil
	}
	if report, err = tx.sealBytes(ctx, string(a.ID), "analysis report", report); err != nil {
		return err
	}
	_, err = tx.insert(ctx, "analysis_report", "analysis, sealed", [][]any{{string(a.ID), report}}, "")
	return err
}

// MoveAnalysis writes how far the work of a job is: no case data, so that it needs no
// event, and no version either. ErrStale where the analysis has ended meanwhile.
func (tx *Tx) MoveAnalysis(ctx context.Context, a concert.Analysis) error {
	n, err := tx.exec(ctx, "UPDATE analysis SET status = ?, read_bytes = ?, all_bytes = ?, looks = ?, tries = ? WHERE id = ? AND status IN ('asked', 'running')", string(a.Status), a.Done, a.All, a.Looks, a.Tries, string(a.ID))
	if err != nil {
		return fmt.Errorf("move analysis: %w", err)
	}
	if n == 0 {
		return concert.ErrStale
	}
	return nil
}

func (tx *Tx) analyses(ctx context.Context, rest string, args ...any) ([]concert.Analysis, error) {
	type row struct {
		a      concert.Analysis
		sealed []byte
	}
	rows, err := list(ctx, tx, func(s rowScanner) (row, error) {
		var o row
		var asked, ended int64
		a := &o.a
		err := s.Scan(&a.ID, &a.Exhibit, &a.N, &a.Case, &a.Authority, &a.Status, &a.Code, &a.Result.Report, &a.Result.Work, &a.Result.Files, &a.Done, &a.All, &a.Looks, &a.Tries, &a.AskedBy, &asked, &ended, &o.sealed, &a.Exercise, &a.Version)
		a.AskedAt, a.EndedAt, a.Erased = concert.FromMicros(asked), concert.FromMicros(ended), o.sealed == nil
		return o, err
	}, "SELECT "+analysisCols+" FROM analysis "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("analyses: %w", err)
	}
	out := make([]concert.Analysis, len(rows))
	for i, o := range rows {
		s := sealedAnalysis{Result: o.a.Result}
		if err := tx.open(ctx, string(o.a.ID), "analysis", o.sealed, &s); err != nil {
			return nil, err
		}
		out[i] = o.a
		out[i].Purpose, out[i].Format, out[i].Files, out[i].Result = s.Purpose, s.Format, s.Files, s.Result
	}
	return out, nil
}

func (tx *Tx) oneAnalysis(ctx context.Context, rest string, args ...any) (concert.Analysis, error) {
	as, err := tx.analyses(ctx, rest, args...)
	if err == nil && len(as) == 0 {
		err = concert.ErrNotFound
	}
	if err != nil {
		return concert.Analysis{}, err
	}
	return as[0], nil
}

// Analysis is one, by id.
func (tx *Tx) Analysis(ctx context.Context, id concert.AnalysisID) (concert.Analysis, error) {
	return tx.oneAnalysis(ctx, "WHERE id = ?", string(id))
}

// ExhibitAnalysis is the exhibit's analysis with the number.
func (tx *Tx) ExhibitAnalysis(ctx context.Context, x concert.ExhibitID, n int64) (concert.Analysis, error) {
	return tx.oneAnalysis(ctx, "WHERE exhibit = ? AND n = ?", string(x), n)
}

// ExhibitAnalyses are the newest of an exhibit that a case asked for.
func (tx *Tx) ExhibitAnalyses(ctx context.Context, x concert.ExhibitID, of concert.CaseID, limit int) ([]concert.Analysis, error) {
	return tx.analyses(ctx, "WHERE exhibit = ? AND case_id = ? ORDER BY n DESC LIMIT ?", string(x), string(of), limit)
}

// CaseAnalyses are the newest that a case asked for.
func (tx *Tx) CaseAnalyses(ctx context.Context, id concert.CaseID, limit int) ([]concert.Analysis, error) {
	return tx.analyses(ctx, "WHERE case_id = ? ORDER BY id DESC LIMIT ?", string(id), limit)
}

// AnalysisReport is the report of an analysis, as JSON. ErrNotFound where there is
// none, or none any more.
func (tx *Tx) AnalysisReport(ctx context.Context, id concert.AnalysisID) (json.RawMessage, error) {
	var sealed []byte
	if err := tx.row(ctx, "SELECT sealed FROM analysis_report WHERE analysis = ?", string(id)).Scan(&sealed); err != nil {
		return nil, err
	}
	raw, err := tx.openBytes(ctx, string(id), "analysis report", sealed)
	if err == nil && raw == nil {
		err = concert.ErrNotFound
	}
	return raw, err
}

// EraseAnalysis destroys an analysis's key, what lay under it, and its report.
func (tx *Tx) EraseAnalysis(ctx context.Context, a concert.Analysis) error {
	if _, err := tx.exec(ctx, "UPDATE analysis SET status = ?, ended_at = ?, version = version + 1 WHERE id = ?", string(a.Status), concert.Micros(a.EndedAt), string(a.ID)); err != nil {
		return fmt.Errorf("erase analysis: %w", err)
	}
	if _, err := tx.exec(ctx, "DELETE FROM analysis_report WHERE analysis = ?", string(a.ID)); err != nil {
		return fmt.Errorf("erase analysis: %w", err)
	}
	return tx.eraseSealed(ctx, "analysis", string(a.ID), string(a.ID))
}

// UnerasedAnalyses are those of a case that were not erased.
func (tx *Tx) UnerasedAnalyses(ctx context.Context, id concert.CaseID) ([]concert.Analysis, error) {
	return tx.analyses(ctx, "WHERE case_id = ? AND sealed IS NOT NULL ORDER BY id", string(id))
}
