package apiserver

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

// numbered is one analysis of an exhibit.
type numbered struct {
	One
	N int64 `path:"n" minimum:"1"`
}

// droppedAnalysis is a POST on it without a body.
type droppedAnalysis struct {
	One
	N              int64  `path:"n" minimum:"1"`
	IfMatch        string `header:"If-Match" doc:"the ETag that was read"`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
}

// analyses count what exhibits' access logs hold.
func (s *Server) analyses() {
	const of = "/exhibits/{id}/analyses"
	do(s, created(op(http.MethodPost, of, "ask-analysis", "Count what an exhibit's access logs hold: a node that has its bytes compares each log with the manifest first", "evidence")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewAnalysis]) (api.Analysis, error) {
		a, err := s.svc.AskAnalysis(ctx, by, in.ID, concert.Analysis{Purpose: in.Body.Purpose, Format: in.Body.Format, Files: in.Body.Files})
		return analysisOf(a, in.ID, by.Operator), err
	})
	ask(s, op(http.MethodGet, of+"/{n}", "analysis", "One analysis of an exhibit's access logs: where it stands, or what came of it", "evidence"), func(ctx context.Context, sc concert.Scope, in *numbered) (api.Analysis, error) {
		v, err := s.svc.ReadAnalysis(ctx, sc, in.ID, in.N)
		out := analysisOf(v.Analysis, v.ExhibitRef, v.Operator)
		out.Case = v.CaseRef
		return out, err
	})
	do(s, op(http.MethodPost, of+"/{n}/drop", "drop-analysis", "End an analysis that has not ended", "evidence"), func(ctx context.Context, by concert.Actor, in *droppedAnalysis) (api.Analysis, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Analysis{}, err
		}
		a, err := s.svc.DropAnalysis(ctx, by, in.ID, in.N, v)
		a.Purpose, a.Format, a.Files = "", "", nil // they are read with a justification
		return analysisOf(a, in.ID, ""), err
	})
	read := op(http.MethodGet, of+"/{n}/files/{file}", "analysis-file", "A file of an analysis's report: report.json as it is kept, or a form for a reader outside the case, small numbers left out. Giving it out is recorded", "evidence")
	read.Responses = map[string]*huma.Response{"200": {Description: "the file", Content: map[string]*huma.MediaType{"application/json": {}, "text/csv": {}, "application/pdf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	huma.Register(s.api, read, func(ctx context.Context, in *struct {
		One
		N    int64  `path:"n" minimum:"1"`
		File string `path:"file" enum:"report.json,released.json,released.csv,released.pdf"`
	}) (*huma.StreamResponse, error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		form := casework.AnalysisFile(in.File)
		raw, err := s.svc.AnalysisFile(ctx, sc, in.ID, in.N, form)
		if err != nil {
			return nil, s.fail(err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			name := in.ID + "-" + strconv.FormatInt(in.N, 10) + "-" + in.File
			httpkit.NewDownload(w, form.MediaType(), name).Send(s.log, func(w io.Writer) error { _, err := w.Write(raw); return err })
		}}, nil
	})
}

func analysisOf(a concert.Analysis, exhibit, operator string) api.Analysis {
	out := api.Analysis{N: a.N, Version: a.Version, Exhibit: exhibit, Status: string(a.Status), Code: a.Code, Why: concert.AnalysisFailure(a.Code), Purpose: a.Purpose, Format: a.Format, Files: a.Files, Report: a.Result.Report, Work: a.Result.Work, Counted: a.Result.Files,
		AskedAt: stamp(a.AskedAt), AskedBy: operator, EndedAt: stamp(a.EndedAt), Erased: a.Erased, Exercise: a.Exercise}
	if a.Open() {
		out.Read, out.Total = a.Done, a.All
	}
	if a.Status == concert.AnalysisDone && !a.Erased {
		lines := api.AnalysisLines(a.Result.Lines)
		out.Lines = &lines
		for _, f := range casework.AnalysisFiles {
			out.Downloads = append(out.Downloads, string(f))
		}
	}
	return out
}
