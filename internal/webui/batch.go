package webui

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) batchRoutes() []route {
	return []route{
		{"GET /batches", u.serve(person, u.batches)},
		{"POST /batches", u.serve(person, u.planBatch)},
		{"GET /batches/{ref}", u.serve(person, u.batch)},
		{"POST /batches/{ref}/recall", u.serve(person, u.recallBatch)},
		{"POST /items/{ref}/notes", u.serve(person, u.writeNote)},
		{"GET /templates", u.serve(person, u.templates)},
		{"POST /templates", u.serve(person, u.writeTemplate)},
		{"POST /templates/{ref}/retire", u.serve(person, u.retireTemplate)},
	}
}

var batchTexts = map[concert.BatchAct]design.Text{
	concert.BatchWithdraw: "Withdraw", concert.BatchCorrect: "Correct", concert.BatchHandling: "Change the handling code",
}

var batchStates = map[concert.BatchStatus]state{
	concert.BatchWaiting:  {Mark: "◔", Label: "Waits: can be recalled", Tone: "wait"},
	concert.BatchRunning:  {Mark: "➤", Label: "Runs", Tone: "go"},
	concert.BatchRecalled: {Mark: "↩", Label: "Recalled: nothing was done", Tone: "end"},
	concert.BatchDone:     {Mark: "✓", Label: "Done", Tone: "good"},
}

// batchLine is one item of a batch with what would become or became of it.
type batchLine struct {
	Ref, Outcome, Message string
	Version               int64
}

// batchPage plans an act on many items: choose, look, go.
type batchPage struct {
	Items                           string // references, one a line
	Act, Reason, Category, Handling string
	Template                        string
	Templates                       []choice
	Previewed                       bool
	Lines                           []batchLine
	Refused                         int
	Batches                         []concert.Batch
	Errors                          formErrors
}

func (u *UI) batches(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	return u.showBatches(w, r, v, batchPage{Items: strings.Join(q["item"], "\n"), Act: q.Get("act"), Template: q.Get("template")})
}

func (u *UI) showBatches(w http.ResponseWriter, r *http.Request, v *visit, p batchPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.Batches, err = u.svc.ListBatches(r.Context(), scope); err != nil {
		return err
	}
	ts, err := u.svc.Templates(r.Context(), scope, concert.TemplateRemedy)
	if err != nil {
		return err
	}
	for _, t := range ts {
		p.Templates = append(p.Templates, choice{t.Ref, t.Name + " (" + t.Language + ")"})
		if t.Ref == p.Template && p.Reason == "" {
			p.Reason = t.Text
		}
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Many items at once"), body: batchesView(p), wide: true})
}

// planBatch previews; what was previewed and is sent again with its versions is
// done.
func (u *UI) planBatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := batchPage{Items: r.PostForm.Get("items"), Act: field(r, "act"), Reason: field(r, "reason"), Category: field(r, "category"), Handling: field(r, "handling")}
	plan := concert.BatchPlan{Act: concert.BatchAct(p.Act), Reason: p.Reason, Category: concert.RemedyCategory(p.Category), Handling: concert.Handling(p.Handling)}
	items, err := u.chosen(r, v, p.Items)
	var got []casework.Result
	if err == nil {
		got, err = u.svc.Preview(r.Context(), v.actor(), plan, items)
	}
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showBatches(w, r, v, p)
	}
	if field(r, "go") != "" {
		b, err := u.svc.PlanBatch(r.Context(), v.actor(), plan, items)
		if err != nil {
			return err
		}
		return onward(w, r, "/batches/"+b.Ref, "", "")
	}
	p.Previewed = true
	for i, res := range got {
		l := batchLine{Ref: items[i].Ref, Version: items[i].Version, Outcome: res.Outcome}
		if res.Err != nil {
			l.Outcome, l.Message = "", said(r.Context(), res.Err)
			p.Refused++
		}
		p.Lines = append(p.Lines, l)
	}
	return u.showBatches(w, r, v, p)
}

// chosen are the items as the form names them, each with the version that was
// seen: the one of the preview where there was one, else today's.
func (u *UI) chosen(r *http.Request, v *visit, lines string) ([]concert.BatchItem, error) {
	var refs []string
	for _, line := range strings.Fields(lines) {
		if ref := strings.ToUpper(clean(line)); ref != "" && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	if len(refs) > concert.BatchMost {
		return nil, concert.Refuse(concert.TooLarge, "batch.large", "items", "%d items are too many at once: at most %d, the rest in another batch", len(refs), concert.BatchMost)
	}
	now, err := u.svc.Versions(r.Context(), v.actor(), refs)
	if err != nil {
		return nil, err
	}
	out := make([]concert.BatchItem, len(refs))
	for i, ref := range refs {
		out[i] = concert.BatchItem{Ref: ref, Version: max(now[ref], 1)}
		if seen, err := strconv.ParseInt(r.PostForm.Get("version."+ref), 10, 64); err == nil {
			out[i].Version = seen
		}
	}
	return out, nil
}

// batchProgress is how far one batch is.
type batchProgress struct {
	casework.BatchView
	MayRecall bool
}

func (u *UI) batch(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	b, err := u.svc.ReadBatch(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	moving := b.Status == concert.BatchWaiting || b.Status == concert.BatchRunning
	var scripts []string
	if moving {
		scripts = []string{"again.js"}
	}
	return u.show(w, r, v, view{title: b.Ref, body: batchView(batchProgress{b, b.Status == concert.BatchWaiting}), wide: true, refresh: moving, scripts: scripts})
}

// linesOf are a batch's items with what became of them.
func linesOf(ctx context.Context, p batchProgress) []batchLine {
	out := make([]batchLine, len(p.Lines))
	for i, l := range p.Lines {
		out[i] = batchLine{Ref: l.Ref, Outcome: l.Outcome}
		if l.Code != "" {
			out[i].Message = say(ctx, "Refused: %s", l.Code)
		}
	}
	return out
}

func (u *UI) recallBatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.RecallBatch(r.Context(), v.actor(), r.PathValue("ref")); err != nil {
		return err
	}
	return onward(w, r, "/batches/"+r.PathValue("ref"), "recalled", "")
}

func (u *UI) writeNote(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	if err := u.svc.WriteNote(r.Context(), v.actor(), ref, field(r, "note")); err != nil {
		return err
	}
	return onward(w, r, "/items/"+ref, "noted", "")
}

// templatePage are an authority's texts.
type templatePage struct {
	Templates                     []concert.Template
	Purpose, Language, Name, Text string
	Errors                        formErrors
}

var templateTexts = map[concert.TemplatePurpose]design.Text{
	concert.TemplateQuestion: "A message to a provider", concert.TemplateRemedy: "The reason of a withdrawal or a correction", concert.TemplateNote: "An internal note",
}

func (u *UI) templates(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showTemplates(w, r, v, templatePage{Language: "en"})
}

func (u *UI) showTemplates(w http.ResponseWriter, r *http.Request, v *visit, p templatePage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.Templates, err = u.svc.Templates(r.Context(), scope, ""); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Templates"), body: templatesView(p)})
}

func (u *UI) writeTemplate(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := templatePage{Purpose: field(r, "purpose"), Language: field(r, "language"), Name: field(r, "name"), Text: field(r, "text")}
	_, err := u.svc.WriteTemplate(r.Context(), v.actor(), concert.Template{Purpose: concert.TemplatePurpose(p.Purpose), Language: p.Language, Name: p.Name, Text: p.Text})
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showTemplates(w, r, v, p)
	}
	return onward(w, r, "/templates", "templated", "")
}

func (u *UI) retireTemplate(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.RetireTemplate(r.Context(), v.actor(), r.PathValue("ref")); err != nil {
		return err
	}
	return onward(w, r, "/templates", "retired", "")
}
