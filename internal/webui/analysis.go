package webui

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
)

// analysisRoutes are what the access logs of an exhibit hold.
func (u *UI) analysisRoutes() []route {
	return []route{
		{"POST /exhibits/{ref}/analyses", u.serve(person, u.askAnalysis)},
		{"GET /exhibits/{ref}/analyses/{n}", u.serve(person, u.analysis)},
		{"POST /exhibits/{ref}/analyses/{n}/drop", u.serve(person, u.dropAnalysis)},
		{"GET /exhibits/{ref}/analyses/{n}/{file}", u.serve(person, u.analysisFile)},
	}
}

var analysisStates = map[concert.AnalysisStatus]state{
	concert.AnalysisAsked:   {Mark: "○", Label: "waits for a node that has the bytes", Tone: "wait"},
	concert.AnalysisRunning: {Mark: "◐", Label: "logs are read", Tone: "go"},
	concert.AnalysisDone:    {Mark: "✓", Label: "counted", Tone: "good"},
	concert.AnalysisFailed:  {Mark: "✕", Label: "failed: nothing was counted", Tone: "bad"},
	concert.AnalysisDropped: {Mark: "■", Label: "dropped", Tone: "end"},
}

var analysisFiles = map[casework.AnalysisFile]design.Text{
	casework.AnalysisReport:       "The report as it is kept (JSON)",
	casework.AnalysisReleasedJSON: "For release (JSON)",
	casework.AnalysisReleasedCSV:  "For release (CSV)",
	casework.AnalysisReleasedPDF:  "For release (PDF, English)",
}

func analysisAddress(exhibit string, n int64) string {
	return "/exhibits/" + exhibit + "/analyses/" + strconv.FormatInt(n, 10)
}

// analysisNumber is the number in an address; 0, which none has, for what is no number.
func analysisNumber(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (u *UI) askAnalysis(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	var files []string
	for line := range strings.Lines(r.PostForm.Get("files")) {
		if line = strings.TrimSpace(line); line != "" {
			files = append(files, line)
		}
	}
	a, err := u.svc.AskAnalysis(r.Context(), v.actor(), ref, concert.Analysis{Purpose: field(r, "purpose"), Format: field(r, "format"), Files: files})
	if err != nil {
		return u.onExhibit(w, r, v, "analyse", "", err, "purpose", "files", "format")
	}
	return onward(w, r, analysisAddress(ref, a.N), "analysis_asked", "")
}

// analysisPage is one analysis with the acts on it that the reader may do.
type analysisPage struct {
	casework.AnalysisView
	Form entered
}

func (p analysisPage) address() string { return analysisAddress(p.ExhibitRef, p.N) }

func (p analysisPage) lost() formErrors {
	return p.Form.homeless(map[string]bool{"drop": p.MayDrop})
}

func (u *UI) analysis(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showAnalysis(w, r, v, entered{})
}

func (u *UI) showAnalysis(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	a, err := u.svc.ReadAnalysis(r.Context(), scope, r.PathValue("ref"), analysisNumber(r))
	if err != nil {
		return err
	}
	p := analysisPage{AnalysisView: a, Form: form}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: say(r.Context(), "Access logs of exhibit %s", a.ExhibitRef), body: analysisView(p), wide: true})
}

func (u *UI) dropAnalysis(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, err := u.svc.DropAnalysis(r.Context(), v.actor(), r.PathValue("ref"), analysisNumber(r), version(r))
	if err != nil {
		f, err := refusedForm(r, "drop", err)
		if err != nil {
			return err
		}
		return u.showAnalysis(w, r, v, f)
	}
	return onward(w, r, analysisAddress(r.PathValue("ref"), a.N), "analysis_dropped", "")
}

func (u *UI) analysisFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	form, n := casework.AnalysisFile(r.PathValue("file")), analysisNumber(r)
	raw, err := u.svc.AnalysisFile(r.Context(), scope, r.PathValue("ref"), n, form)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return download(w, form.MediaType(), r.PathValue("ref")+"-"+strconv.FormatInt(n, 10)+"-"+string(form), raw)
}

// accessLogReport is the report as the command writes it, in the reader's language and
// in the look of these pages.
func accessLogReport(r *accesslog.Report) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return formats.WriteAccessLogSections(w, r, func(text string, args ...any) string {
			for i, a := range args {
				// A date or a version keeps its order in a text that runs the other way.
				if s, ok := a.(string); ok && design.ReaderOf(ctx).Language.Dir == "rtl" {
					args[i] = "\u2068" + s + "\u2069"
				}
			}
			return say(ctx, design.Text(text), args...)
		})
	})
}

// analysisShare is how much of an analysis is read, of a hundred.
func analysisShare(a concert.Analysis) int64 {
	if a.All == 0 {
		return 0
	}
	return 100 * a.Done / a.All
}
