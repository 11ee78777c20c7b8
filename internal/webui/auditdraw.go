package webui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var auditOutcomes = map[concert.AuditOutcome]design.Text{concert.OutcomeRemoved: "removed", concert.OutcomeKept: "kept", concert.OutcomeWaiting: "no final answer yet"}

var aboutTexts = map[concert.AboutKind]design.Text{concert.AboutReferral: "Referral", concert.AboutOrder: "Removal order"}

var drawByTexts = map[concert.DrawBy]design.Text{
	concert.DrawByNothing: "no strata", concert.DrawByAbout: "referral or order", concert.DrawByAuthority: "authority", concert.DrawByProvider: "provider", concert.DrawByContent: "type of Art. 2(7)", concert.DrawByOutcome: "what became of it", concert.DrawByMonth: "month",
}

// drawForm is a draw as it was typed: in an address while it is worked out, in a form
// when it is made.
type drawForm struct {
	About, Authority, Provider, Content, Outcome, From, Until, By, Margin, Size string
	Equal                                                                       bool
	Errors                                                                      formErrors
}

func drawFormOf(q url.Values) drawForm {
	get := func(name string) string { return clean(q.Get(name)) }
	return drawForm{About: get("about"), Authority: get("authority"), Provider: get("provider"), Content: get("content_type"), Outcome: get("outcome"), From: get("from"), Until: get("until"), By: get("by"), Margin: get("margin"), Size: get("size"), Equal: get("equal") != ""}
}

// fields are the form's fields by name, for the form that draws.
func (f drawForm) fields() []choice {
	out := []choice{{"about", f.About}, {"authority", f.Authority}, {"provider", f.Provider}, {"content_type", f.Content}, {"outcome", f.Outcome}, {"from", f.From}, {"until", f.Until}, {"by", f.By}, {"margin", f.Margin}, {"size", f.Size}}
	if f.Equal {
		out = append(out, choice{"equal", "1"})
	}
	return out
}

// plan reads the form. The margin is typed in per cent; where both are given the number
// counts.
func (u *UI) plan(ctx context.Context, scope concert.Scope, f drawForm) (concert.DrawFrame, concert.DrawPlan, error) {
	frame := concert.DrawFrame{About: concert.AboutKind(f.About), Content: concert.ContentType(f.Content), Outcome: concert.AuditOutcome(f.Outcome), From: f.From, Until: f.Until}
	plan := concert.DrawPlan{By: concert.DrawBy(f.By), Equal: f.Equal}
	var err error
	if frame.Authority, frame.Provider, err = u.svc.PartiesAsked(ctx, scope, f.Authority, f.Provider); err != nil {
		return frame, plan, err
	}
	if f.Size != "" {
		if plan.Size, err = strconv.Atoi(f.Size); err != nil || plan.Size < 1 {
			return frame, plan, concert.Refuse(concert.Invalid, "draw.number", "size", "%q is no number to draw: write a whole one, like 50", f.Size)
		}
		return frame, plan, nil
	}
	percent, err := strconv.ParseFloat(f.Margin, 64)
	if err != nil || percent <= 0 || percent > 50 {
		return frame, plan, concert.Refuse(concert.Invalid, "draw.percent", "margin", "%q is no precision: write points of a hundred, like 5 or 2.5", f.Margin)
	}
	plan.Margin = int(percent*10 + 0.5)
	return frame, plan, nil
}

// drawsPage is the list of draws, with what another one would take.
type drawsPage struct {
	Draws   []casework.DrawView
	Stand   casework.AuditStand
	Form    drawForm
	Parties frameChoices
	Names   map[string]string
	Preview *casework.DrawPreview
}

func (u *UI) draws(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	f := drawFormOf(q)
	if !q.Has("margin") && !q.Has("size") {
		f.Margin, f.Outcome = "5", string(concert.OutcomeRemoved)
		return u.showDraws(w, r, v, f, false)
	}
	return u.showDraws(w, r, v, f, true)
}

func (u *UI) showDraws(w http.ResponseWriter, r *http.Request, v *visit, f drawForm, work bool) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := drawsPage{Form: f}
	if work && len(f.Errors) == 0 {
		frame, plan, err := u.plan(r.Context(), scope, f)
		var found casework.DrawPreview
		if err == nil {
			found, err = u.svc.PlanDraw(r.Context(), scope, frame, plan)
		}
		if err == nil {
			p.Preview = &found
		} else if p.Form.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
	}
	if p.Draws, p.Stand, err = u.svc.AuditDraws(r.Context(), scope); err != nil {
		return err
	}
	if p.Parties, err = u.frameChoices(r.Context()); err != nil {
		return err
	}
	if p.Names, err = u.partyNames(r.Context()); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Form.Errors.status(statusOf), title: say(r.Context(), "Random draws"), body: drawsView(p), wide: true})
}

func (u *UI) drawSample(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := drawFormOf(r.PostForm)
	scope, err := v.scope()
	if err != nil {
		return err
	}
	frame, plan, err := u.plan(r.Context(), scope, f)
	var ref string
	if err == nil {
		ref, err = u.svc.DrawSample(r.Context(), scope, frame, plan)
	}
	if err != nil {
		if f.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showDraws(w, r, v, f, true)
	}
	return onward(w, r, "/audit/draws/"+ref, "drawn", "")
}

// drawPage is one draw.
type drawPage struct {
	casework.DrawView
	Me    concert.PersonID
	Names map[string]string // of parties, by reference
}

// stratumText is what people call a stratum.
func stratumText(ctx context.Context, by concert.DrawBy, key string, refs, names map[string]string) string {
	switch by {
	case concert.DrawByAbout:
		return say(ctx, aboutTexts[concert.AboutKind(key)])
	case concert.DrawByContent:
		return contentTypeText(ctx, concert.ContentType(key))
	case concert.DrawByOutcome:
		return say(ctx, auditOutcomes[concert.AuditOutcome(key)])
	case concert.DrawByAuthority, concert.DrawByProvider:
		if n := names[refs[key]]; n != "" {
			return n
		}
		return refs[key]
	case concert.DrawByMonth:
		return key
	}
	return say(ctx, "all")
}

func (u *UI) draw(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := drawPage{Me: v.person.ID}
	if p.DrawView, err = u.svc.ReadDraw(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	if p.Names, err = u.partyNames(r.Context()); err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Draw %s", p.Ref), body: drawView(p), wide: true})
}

// The findings as one choice each: a key for every one of them.
const (
	findExempt       = "exempt"
	findNoType       = "no_type"
	findErased       = string(concert.UnableErased)
	findInsufficient = string(concert.UnableInsufficient)
)

var otherFindings = []choice{{findExempt, "6"}, {findNoType, "7"}, {findErased, "8"}, {findInsufficient, "9"}}

var findTexts = map[string]design.Text{
	findExempt: "No terrorist content: its purpose is protected (Art. 1(3))", findNoType: "No terrorist content: of no type of Art. 2(7)", findErased: "Could not judge: the evidence was erased", findInsufficient: "Could not judge: the evidence is not enough",
}

// finding is the form of a finding as it was typed.
type finding struct {
	Find, Note string
	Errors     formErrors
}

// of is the re-assessment that the choice stands for.
func (f finding) of() concert.Reassessment {
	r := concert.Reassessment{Note: f.Note}
	switch f.Find {
	case "":
	case findExempt:
		r.Verdict, r.Purpose = concert.FoundNot, concert.PurposeExempt
	case findNoType:
		r.Verdict, r.Purpose = concert.FoundNot, concert.PurposeNone
	case findErased, findInsufficient:
		r.Verdict, r.Why = concert.FoundNothing, concert.UnableWhy(f.Find)
	default:
		r.Verdict, r.Type, r.Purpose = concert.FoundTerrorist, concert.ContentType(f.Find), concert.PurposeNone
	}
	return r
}

// findingText is a finding in words.
func findingText(ctx context.Context, r concert.Reassessment) string {
	switch {
	case r.Verdict == concert.FoundTerrorist:
		return contentTypeText(ctx, r.Type)
	case r.Verdict == concert.FoundNot && r.Purpose == concert.PurposeExempt:
		return say(ctx, findTexts[findExempt])
	case r.Verdict == concert.FoundNot:
		return say(ctx, findTexts[findNoType])
	}
	return say(ctx, findTexts[string(r.Why)])
}

var verdictStates = map[concert.AuditVerdict]state{
	concert.FoundTerrorist: {Mark: "✓", Label: "terrorist content", Tone: "good"},
	concert.FoundNot:       {Mark: "▲", Label: "no terrorist content", Tone: "bad"},
	concert.FoundNothing:   {Mark: "–", Label: "could not be judged", Tone: "end"},
}

// unitBlindPage is one drawn unit, with the form to judge it.
type unitBlindPage struct {
	casework.BlindUnit
	Form   finding
	Text   string // of a recommendation, as it was typed
	Wrong  formErrors
	Notice bool
}

func (u *UI) nextUnit(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	d, err := u.svc.ReadDraw(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	if d.NextUnit == "" {
		return onward(w, r, "/audit/draws/"+d.Ref, "", "")
	}
	return onward(w, r, "/audit/draws/"+d.Ref+"/units/"+d.NextUnit, "", "")
}

func (u *UI) drawnUnit(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showUnit(w, r, v, unitBlindPage{})
}

func (u *UI) showUnit(w http.ResponseWriter, r *http.Request, v *visit, p unitBlindPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.BlindUnit, err = u.svc.ReadUnit(r.Context(), scope, r.PathValue("ref"), r.PathValue("unit")); err != nil {
		return err
	}
	status := p.Form.Errors.status(statusOf)
	if status == 0 {
		status = p.Wrong.status(statusOf)
	}
	return u.show(w, r, v, view{status: status, title: say(r.Context(), "Re-assessment of %s", p.Unit.Ref), body: unitBlindView(p)})
}

func (u *UI) reassess(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := finding{Find: field(r, "find"), Note: field(r, "note")}
	draw, unit := r.PathValue("ref"), r.PathValue("unit")
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if _, err := u.svc.ReassessUnit(r.Context(), scope, draw, unit, f.of()); err != nil {
		if f.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showUnit(w, r, v, unitBlindPage{Form: f})
	}
	if f.of().Verdict == concert.FoundNot {
		return onward(w, r, "/audit/draws/"+draw+"/units/"+unit, "reassessed", "") // it may be handed over
	}
	return onward(w, r, "/audit/draws/"+draw+"/next", "", "")
}

func (u *UI) recommend(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := unitBlindPage{Text: field(r, "text")}
	draw, unit := r.PathValue("ref"), r.PathValue("unit")
	scope, err := v.scope()
	if err != nil {
		return err
	}
	rc, err := u.svc.Recommend(r.Context(), scope, draw, unit, p.Text)
	if err != nil {
		if p.Wrong, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showUnit(w, r, v, p)
	}
	return onward(w, r, "/recommendations/"+rc.Ref, "recommended", "")
}

// ratesPage are the over-removal rates of all draws.
type ratesPage struct {
	Draws []casework.DrawView
	Stand casework.AuditStand
	Names map[string]string
}

func (u *UI) rates(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := ratesPage{}
	if p.Draws, p.Stand, err = u.svc.AuditDraws(r.Context(), scope); err != nil {
		return err
	}
	if p.Names, err = u.partyNames(r.Context()); err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Over-removal rates"), body: ratesView(p), wide: true})
}

// recommendationsPage are recommendations.
type recommendationsPage struct {
	Rows    []casework.RecommendationView
	Auditor bool
}

// recommendationPage is one, with the form to answer it.
type recommendationPage struct {
	casework.RecommendationView
	May     bool
	Answer  string
	Said    string
	Errors  formErrors
	Auditor bool
}

var answerRecommendationTexts = map[concert.RecommendationAnswer]design.Text{
	concert.AnsweredRighted: "Put right: withdrawn or corrected", concert.AnsweredStands: "It stands", concert.AnsweredErased: "Nothing is left of it: it was erased",
}

// recommendationState says where a recommendation stands.
func recommendationState(r casework.RecommendationView) state {
	switch r.Answer {
	case "":
		return state{Mark: "◎", Label: "waits for the authority's answer", Tone: "wait"}
	case concert.AnsweredStands:
		return state{Mark: "–", Label: answerRecommendationTexts[r.Answer], Tone: "end"}
	}
	return state{Mark: "✓", Label: answerRecommendationTexts[r.Answer], Tone: "good"}
}

func (u *UI) recommendations(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := recommendationsPage{Auditor: v.has(concert.RoleAuditor)}
	if p.Rows, err = u.svc.Recommendations(r.Context(), scope, "", 500); err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Recommendations"), body: recommendationsView(p), wide: true})
}

func (u *UI) recommendation(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showRecommendation(w, r, v, recommendationPage{})
}

func (u *UI) showRecommendation(w http.ResponseWriter, r *http.Request, v *visit, p recommendationPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.RecommendationView, err = u.svc.ReadRecommendation(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Auditor = v.has(concert.RoleAuditor)
	p.May = p.MayAnswerAudit(v.actor()) == nil && p.RecommendationView.Answer == ""
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Recommendation %s", p.Ref), body: recommendationView(p)})
}

func (u *UI) answerRecommendation(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := recommendationPage{Answer: field(r, "answer"), Said: field(r, "reasons")}
	_, err := u.svc.AnswerRecommendation(r.Context(), v.actor(), r.PathValue("ref"), concert.RecommendationAnswer(p.Answer), p.Said)
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showRecommendation(w, r, v, p)
	}
	return onward(w, r, "/recommendations", "answered_audit", "")
}
