package webui

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
)

// receivedRoutes are the pages of a provider's own desk.
func (u *UI) receivedRoutes() []route {
	return []route{
		{"GET /received", u.serve(person, u.receivedInbox)},
		{"GET /received/{ref}", u.serve(person, u.receivedOne)},
		{"GET /received/{ref}/original", u.serve(person, u.receivedOriginal)},
		{"GET /received/{ref}/annex1.pdf", u.serve(person, u.receivedAnnex)},
		{"GET /received/{ref}/statements.json", u.serve(person, u.receivedStatements)},
		{"POST /received/{ref}/feedback", u.serve(person, u.feedReceived)},
		{"POST /received/{ref}/impossible", u.serve(person, u.impedeReceived)},
		{"POST /received/{ref}/over", u.serve(person, u.resumeReceived)},
		{"POST /received/{ref}/replies", u.serve(person, u.replyReceived)},
		{"POST /received/{ref}/check", u.serve(person, u.checkReceived)},
		{"POST /received/{ref}/disputes", u.serve(person, u.enterDispute)},
		{"GET /kept", u.serve(person, u.keptContents)},
		{"POST /kept/{ref}/prolong", u.serve(person, u.prolongKept)},
		{"POST /kept/{ref}/erase", u.serve(person, u.eraseKept)},
		{"GET /disputes", u.serve(person, u.disputes)},
		{"POST /disputes/{ref}/decide", u.serve(person, u.decideDispute)},
		{"GET /article7", u.serve(person, u.article7)},
		{"GET /article7.csv", u.serve(person, u.article7CSV)},
		{"GET /hubs", u.serve(person, u.hubs)},
		{"POST /hubs", u.serve(person, u.addHub)},
		{"POST /hubs/{ref}/end", u.serve(person, u.endHub)},
	}
}

// hostPages are the pages of the house that a provider's own desk has too, by the first
// part of their path.
var hostPages = []string{"assets", "", "{$}", "enter", "login", "logout", "password", "preferences", "design", "account", "second", "step-up", "team", "log", "keys"}

// hostRoutes are those of a provider's own desk: nothing of a hub's work is there.
func (u *UI) hostRoutes(all []route) []route {
	out := append(u.receivedRoutes(), u.ownThreatRoutes()...)
	for _, r := range all {
		_, path, there := strings.Cut(r.pattern, " ")
		if !there {
			path = r.pattern
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if slices.Contains(hostPages, first) {
			out = append(out, r)
		}
	}
	return out
}

// hostMenu is the menu of a provider's own desk.
var hostMenu = []navGroup{
	{"Work", []navItem{
		{"/received", "What came in", ofProvider},
		{"/kept", "What is preserved", ofProvider},
		{"/disputes", "Complaints and reviews", ofProvider},
		{"/own-threats", "Report a threat to life", ofProvider},
	}},
	{"House", []navItem{
		{"/article7", "Transparency report", ofProvider},
		{"/hubs", "Hubs", func(f frame) bool { return ofProvider(f) || teamLeads(f) }},
		{"/team", "Our people", teamLeads},
	}},
}

var (
	receivedKinds = map[concert.ReceivedKind]design.Text{concert.ReceivedOrder: "Removal order", concert.ReceivedReferral: "Referral (voluntary)"}

	receivedStates = map[concert.ReceivedStatus]state{
		concert.ReceivedUnproven: {Mark: "✕", Label: "not valid", Tone: "bad"},
		concert.ReceivedOpen:     {Mark: "○", Label: "to be answered", Tone: "wait"},
		concert.ReceivedImpeded:  {Mark: "‖", Label: "hindered (Annex III)", Tone: "wait"},
		concert.ReceivedAnswered: {Mark: "✓", Label: "answered", Tone: "good"},
		concert.ReceivedEnded:    {Mark: "↩", Label: "taken back or void", Tone: "end"},
	}
	verdicts = map[string]state{
		"valid":             {Mark: "✓", Label: "valid", Tone: "good"},
		"invalid":           {Mark: "✕", Label: "invalid", Tone: "bad"},
		"authority_unknown": {Mark: "?", Label: "authority unknown", Tone: "bad"},
	}
	feedTexts = map[concert.OrderMeasure]design.Text{
		concert.MeasureRemoved:  "The content was removed",
		concert.MeasureDisabled: "Access was disabled in all Member States",
	}
	doneMeasures = map[concert.OrderMeasure]design.Text{
		concert.MeasureRemoved:  "removed",
		concert.MeasureDisabled: "access disabled",
	}
	impedeTexts = map[concert.ImpossibleReason]design.Text{
		concert.ImpossibleForce:        "Force majeure, or it is in fact impossible for reasons that are not yours, technical ones included",
		concert.ImpossibleErrors:       "The order has manifest errors, or is not valid",
		concert.ImpossibleInsufficient: "The order does not say enough to carry it out",
	}
	wayTexts = map[concert.ReceivedWay]design.Text{
		concert.WayFeedback:   "Annex II",
		concert.WayImpossible: "Annex III",
		concert.WayResumed:    "What hindered is over",
		concert.WayReplies:    "Answers to the referral",
	}
	postStates = map[concert.PostState]state{
		concert.PostWaiting:   {Mark: "↻", Label: "not delivered yet", Tone: "wait"},
		concert.PostDelivered: {Mark: "✓", Label: "the hub has it", Tone: "good"},
		concert.PostRefused:   {Mark: "✕", Label: "the hub refused it", Tone: "bad"},
	}
)

func receivedState(r concert.Received) state { return receivedStates[r.Status] }

func verdictState(v string) state { return verdicts[v] }

// doneTexts says what was done about an item: a measure, or an answer to a referral.
func doneTexts(code string) design.Text {
	if t, ok := doneMeasures[concert.OrderMeasure(code)]; ok && code != "" && code != string(concert.AnswerRemoved) {
		return t
	}
	return answerTexts[concert.AnswerCode(code)]
}

type receivedList struct {
	Rows  []casework.ReceivedView
	Away  []concert.Hub
	NoHub bool
	Now   time.Time
}

func (u *UI) receivedInbox(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := receivedList{Now: u.svc.Now()}
	if p.Rows, err = u.svc.ReceivedInbox(r.Context(), scope, ""); err != nil {
		return err
	}
	hubs, err := u.svc.Hubs(r.Context(), scope)
	if err != nil {
		return err
	}
	p.NoHub = true
	for _, h := range hubs {
		if !h.EndedAt.IsZero() {
			continue
		}
		p.NoHub = false
		if h.Problem != "" {
			p.Away = append(p.Away, h)
		}
	}
	return u.show(w, r, v, view{title: say(r.Context(), "What came in"), body: receivedListView(p), refresh: true, scripts: []string{"again.js", "orders.js"}})
}

// receivedPage is one of them, with the forms that its reader may use.
type receivedPage struct {
	casework.ReceivedView
	MayAnswer bool
	Now       time.Time
	Errors    formErrors
	Typed     map[string]string
	Replies   map[string]replying
}

func (p receivedPage) typed(name string) string { return p.Typed[name] }

// Done is how many of its items something was done about.
func (p receivedPage) Done() int {
	n := 0
	for _, it := range p.Items {
		if it.Code != "" {
			n++
		}
	}
	return n
}

// momentForm is how a form's field has a moment, to the second.
const momentForm = "2006-01-02T15:04:05"

func (u *UI) receivedOne(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showReceived(w, r, v, receivedPage{Typed: map[string]string{}})
}

// minuteForm is the same, to the minute.
const minuteForm = "2006-01-02T15:04"

func (u *UI) showReceived(w http.ResponseWriter, r *http.Request, v *visit, p receivedPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.ReceivedView, err = u.svc.ReadReceived(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Now, p.MayAnswer = u.svc.Now(), v.actor().MayReply() == nil
	for name, usual := range map[string]string{"measure_at": p.Now.UTC().Format(momentForm), "at": p.Now.UTC().Format(minuteForm), "person": v.person.Name, "email": u.contactOf(r.Context(), v)} {
		p.Typed[name] = cmp.Or(p.Typed[name], usual)
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: p.Ref, body: receivedView(p), scripts: []string{"orders.js"}})
}

// contactOf is the contact point's address as the provider was entered with it.
func (u *UI) contactOf(ctx context.Context, v *visit) string {
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return "" // it is typed then
	}
	return g.Providers[v.person.Provider].Contact
}

// afterReceived goes on from an act, or shows the form again with what stood in its way.
func (u *UI) afterReceived(w http.ResponseWriter, r *http.Request, v *visit, err error, done string) error {
	if err == nil {
		return onward(w, r, "/received/"+r.PathValue("ref"), done, "")
	}
	p := receivedPage{Typed: map[string]string{}, Replies: map[string]replying{}}
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	for name := range r.PostForm {
		p.Typed[name] = field(r, name)
	}
	for i := range concert.ReferralItems {
		if f := replyOf(r, strconv.Itoa(i)); f.Code != "" {
			p.Replies[field(r, "item."+strconv.Itoa(i))] = f
		}
	}
	return u.showReceived(w, r, v, p)
}

func replierOf(r *http.Request) concert.OrderAnswer {
	a := concert.OrderAnswer{Person: field(r, "person"), Email: field(r, "email"), File: field(r, "addressee_file"), Further: field(r, "further"), Needed: field(r, "needed")}
	for _, ref := range r.PostForm["items"] {
		a.Items = append(a.Items, clean(ref))
	}
	for _, why := range r.PostForm["reasons"] {
		a.Reasons = append(a.Reasons, concert.ImpossibleReason(clean(why)))
	}
	return a
}

// typedMoment reads a moment with or without seconds; zero where it is none.
func typedMoment(r *http.Request, name string) time.Time {
	for _, form := range []string{momentForm, minuteForm} {
		if t, err := time.Parse(form, field(r, name)); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (u *UI) feedReceived(w http.ResponseWriter, r *http.Request, v *visit) error {
	a := replierOf(r)
	a.Measure, a.MeasureAt = concert.OrderMeasure(field(r, "measure")), typedMoment(r, "measure_at")
	var err error
	switch {
	case a.MeasureAt.IsZero():
		err = concert.Refuse(concert.Invalid, "order.measure_at", "measure_at", "a moment is written as 2026-03-28T12:00:00Z (RFC 3339): got %.40q", field(r, "measure_at"))
	case len(a.Items) == 0:
		err = concert.Refuse(concert.Invalid, "received.none", "", "no content is chosen: choose that for which it was done")
	default:
		_, err = u.svc.FeedReceived(r.Context(), v.actor(), r.PathValue("ref"), version(r), a)
	}
	return u.afterReceived(w, r, v, err, "reported")
}

func (u *UI) impedeReceived(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ImpedeReceived(r.Context(), v.actor(), r.PathValue("ref"), version(r), replierOf(r))
	return u.afterReceived(w, r, v, err, "reported")
}

func (u *UI) resumeReceived(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ResumeReceived(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "over"))
	return u.afterReceived(w, r, v, err, "reported")
}

func (u *UI) checkReceived(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.CheckReceived(r.Context(), v.actor(), r.PathValue("ref"))
	return u.afterReceived(w, r, v, err, "proven")
}

func replyOf(r *http.Request, n string) replying {
	f := replying{Code: field(r, "code."+n), Countries: field(r, "countries."+n), Forwarded: field(r, "forwarded."+n), Note: field(r, "note."+n)}
	if f.Code == string(concert.AnswerCannotIsolate) {
		f.Others, f.OthersAre = field(r, "others."+n), field(r, "others_are."+n)
	}
	return f
}

func (u *UI) replyReceived(w http.ResponseWriter, r *http.Request, v *visit) error {
	var in []concert.ReceivedReply
	for i := range concert.ReferralItems {
		n := strconv.Itoa(i)
		f, item := replyOf(r, n), field(r, "item."+n)
		if f.Code == "" || item == "" {
			continue
		}
		in = append(in, concert.ReceivedReply{Item: item, Answer: concert.Answer{Code: concert.AnswerCode(f.Code), Countries: countries(f.Countries), Forwarded: f.Forwarded, Note: f.Note, Others: othersOf(f.Others), OthersAre: concert.OtherKind(f.OthersAre)}})
	}
	_, err := u.svc.ReplyReceived(r.Context(), v.actor(), r.PathValue("ref"), version(r), in)
	return u.afterReceived(w, r, v, err, "reported")
}

func (u *UI) enterDispute(w http.ResponseWriter, r *http.Request, v *visit) error {
	c := concert.Dispute{Kind: concert.DisputeKind(field(r, "kind")), Item: field(r, "item"), ReceivedAt: typedMoment(r, "at"), DisputeText: concert.DisputeText{From: field(r, "from"), Text: field(r, "text")}}
	_, err := u.svc.EnterDispute(r.Context(), v.actor(), r.PathValue("ref"), c)
	return u.afterReceived(w, r, v, err, "disputed")
}

// sendFile sends bytes as a file.
func sendFile(w http.ResponseWriter, kind, name string, raw []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", "attachment; filename="+strconv.Quote(name))
	_, err := w.Write(raw)
	return err
}

func (u *UI) receivedOriginal(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	raw, err := u.svc.ReceivedOriginal(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	return sendFile(w, "application/json", r.PathValue("ref")+".json", raw)
}

func (u *UI) receivedAnnex(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	raw, err := u.svc.ReceivedDocument(r.Context(), scope, r.PathValue("ref"), design.ReaderOf(r.Context()).Language.Code)
	if err != nil {
		return err
	}
	return sendFile(w, "application/pdf", r.PathValue("ref")+".pdf", raw)
}

func (u *UI) receivedStatements(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	drafts, err := u.svc.ReceivedStatements(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := formats.WriteStatements(&b, drafts); err != nil {
		return err
	}
	return sendFile(w, "application/json", r.PathValue("ref")+"-statements.json", []byte(b.String()))
}

func (u *UI) article7CSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.article7For(r, v)
	if err != nil {
		return err
	}
	var b strings.Builder
	c := csv.NewWriter(&b)
	rows := [][]string{{"year", "letter", "counted", "number"}}
	for _, row := range p.Rows {
		rows = append(rows, []string{strconv.Itoa(p.Year), row.Letter, concert.PlainCell(say(r.Context(), row.Text)), strconv.Itoa(row.N)})
	}
	if err := c.WriteAll(rows); err != nil {
		return err
	}
	return sendFile(w, "text/csv; charset=utf-8; header=present", fmt.Sprintf("article7-%d.csv", p.Year), []byte(b.String()))
}
