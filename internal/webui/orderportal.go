package webui

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
	"concert/internal/httpkit"
)

// orderPortalRoutes are the addressee's pages of removal orders, which stand apart from
// those of referrals (G01), the pages behind a link to an order, and the public check.
func (u *UI) orderPortalRoutes() []route {
	return []route{
		{"GET /own-orders", u.serve(person, u.ownOrders)},
		{"GET /own-orders/{ref}", u.serve(person, u.ownOrder)},
		{"GET /own-orders/{ref}/order.pdf", u.serve(person, u.ownOrderFile("order.pdf"))},
		{"GET /own-orders/{ref}/order.html", u.serve(person, u.ownOrderFile("order.html"))},
		{"GET /own-orders/{ref}/order.json", u.serve(person, u.ownOrderFile("order.json"))},
		{"GET /own-orders/{ref}/statements.json", u.serve(person, u.ownOrderFile("statements.json"))},
		{"POST /own-orders/{ref}/feedback", u.serve(person, u.feedOwnOrder)},
		{"POST /own-orders/{ref}/impossible", u.serve(person, u.impedeOwnOrder)},
		{"POST /own-orders/{ref}/over", u.serve(person, u.resumeOwnOrder)},

		{"GET /order-answer/{token}", u.serve(byLink, u.greetOrderLink)},
		{"POST /order-answer/{token}", u.serve(byLink, u.openOrderLink)},
		{"POST /order-answer/{token}/feedback", u.serve(byLink, u.feedOrderLink)},
		{"POST /order-answer/{token}/impossible", u.serve(byLink, u.impedeOrderLink)},
		{"POST /order-answer/{token}/over", u.serve(byLink, u.resumeOrderLink)},
		{"POST /order-answer/{token}/order.pdf", u.serve(byLink, u.orderLinkFile(casework.OrderAsPDF))},
		{"POST /order-answer/{token}/order.json", u.serve(byLink, u.orderLinkFile(""))},

		{"GET /verify/order", u.serve(anyone, u.verifyOrder)},
		{"POST /verify/order", u.serve(anyone, u.verifyOrderFile)},
	}
}

// aboutOrders reports whether a page is about removal orders, so that what is said of
// referrals has no place on it (G01).
func aboutOrders(path string) bool {
	return path == "/orders" || strings.HasPrefix(path, "/orders/") || strings.HasPrefix(path, "/own-orders") || strings.HasPrefix(path, "/order-answer/") || path == "/verify/order" || aboutThreats(path)
}

var ownOrderStates = map[concert.OrderStatus]state{
	concert.OrderIssued:    {Mark: "▲", Label: "issued, receipt not proven yet", Tone: "bad"},
	concert.OrderReceived:  {Mark: "▲", Label: "received: the hour runs", Tone: "bad"},
	concert.OrderImpeded:   {Mark: "‖", Label: "Annex III given: the hour stands still", Tone: "wait"},
	concert.OrderClarified: {Mark: "▲", Label: "clarified: the hour runs anew", Tone: "bad"},
	concert.OrderExecuted:  {Mark: "✓", Label: "carried out", Tone: "good"},
	concert.OrderFinal:     {Mark: "✓", Label: "carried out, and final", Tone: "good"},
	concert.OrderVoid:      {Mark: "↩", Label: "void: reinstate at once", Tone: "wait"},
	concert.OrderWithdrawn: {Mark: "↩", Label: "withdrawn: reinstate at once", Tone: "wait"},
}

// groundTexts are the grounds of Annex III as its form has them.
var groundTexts = map[concert.ImpossibleReason]design.Text{
	concert.ImpossibleForce:        "force majeure, or it is impossible in fact for reasons that we do not answer for (Art. 3(7))",
	concert.ImpossibleErrors:       "the order has manifest errors (Art. 3(8))",
	concert.ImpossibleInsufficient: "the order does not have the information that is needed (Art. 3(8))",
}

// hourOf is the clock of an order's hour, the zero one where it has not begun.
func hourOf(ds []concert.Deadline) concert.Deadline {
	for _, d := range ds {
		if d.Term == concert.TermRemoval {
			return d
		}
	}
	return concert.Deadline{}
}

// ownOrdersPage is the list of orders to a provider.
type ownOrdersPage struct {
	Tabs  []ownTab
	Lines []casework.OwnOrder
	Now   time.Time
	Next  string
}

func (u *UI) ownOrders(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	all := r.URL.Query().Get("view") == "all"
	var os []casework.OwnOrder
	if all {
		os, err = u.svc.OwnOrders(r.Context(), scope, clean(r.URL.Query().Get("after")))
	} else {
		os, err = u.svc.OpenOwnOrders(r.Context(), scope)
	}
	if err != nil {
		return err
	}
	p := ownOrdersPage{Tabs: []ownTab{{Href: "/own-orders", Text: "Waiting for us", N: -1, Now: !all}, {Href: "/own-orders?view=all", Text: "All", N: -1, Now: all}}}
	p.Lines, p.Now = os, u.svc.Now()
	if all && len(os) == 50 {
		p.Next = "/own-orders?" + url.Values{"view": {"all"}, "after": {os[len(os)-1].Ref}}.Encode()
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Removal orders to us"), body: ownOrdersView(p), wide: true})
}

// orderReplyForm is what was typed into the forms of Annex II and III.
type orderReplyForm struct {
	Which                            string // "feedback", "impossible" or "over": whose errors they are
	Items                            []string
	Measure, At, Person, Email, File string
	Reasons                          []string
	Further, Needed, Over            string
}

// ownOrderPage is an order as its addressee reads and answers it.
type ownOrderPage struct {
	casework.OrderView
	Path      string // that its forms and files stand under
	Token     string // of the link; "" for a person with an account
	Now       time.Time
	Kept      concert.Deadline // the six months of Art. 6; zero where they have not begun
	Annex     string           // Annex I as HTML of ours
	Lang      string           // of the annex as it was chosen
	Languages []string
	Steps     []orderStep
	MayAnswer bool
	Open      []casework.OrderItemView // without Annex II yet
	Finished  bool                     // the link shows the receipt alone
	Form      orderReplyForm
	Errors    formErrors
	Done      design.Text
}

// orderStep is one thing that happened to an order.
type orderStep struct {
	At     timeText
	Text   design.Text
	Args   []any
	Detail string // of words by hand
}

// Ended reports whether the order binds no more.
func (p ownOrderPage) Ended() bool { return !p.Status.Binds() }

// in are the errors of one form.
func (p ownOrderPage) in(form string) formErrors {
	if p.Form.Which == form {
		return p.Errors
	}
	return nil
}

func (u *UI) ownOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOwnOrder(w, r, v, ownOrderPage{Lang: r.URL.Query().Get("annex")})
}

func (u *UI) showOwnOrder(w http.ResponseWriter, r *http.Request, v *visit, p ownOrderPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if err := v.actor().MayOwn(); err != nil {
		return err
	}
	if p.OrderView, err = u.svc.ReadOrder(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Path, p.MayAnswer = "/own-orders/"+p.Ref, v.has(concert.RoleProviderAnswerer) && p.Status.Binds()
	if p.Lang != "" && !slices.Contains(formats.AnnexLanguages(), p.Lang) {
		p.Lang = ""
	}
	annex, err := u.svc.DrawOrder(r.Context(), scope, p.Ref, p.Lang, casework.OrderAsFragment)
	if err == nil {
		p.Annex = asPart(annex)
	} else if !isCode(err, "order.erased") {
		return err
	}
	p.fill(u.svc.Now())
	return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Removal order %s", p.Ref), body: ownOrderView(p)})
}

// asPart makes the form a part of a page that has landmarks of its own: boxes without a
// name are none.
func asPart(annex []byte) string {
	return strings.NewReplacer("<section>", `<div class="annex-box">`, "</section>", "</div>", "<article ", "<div ", "</article>", "</div>", "<header>", "<div>", "</header>", "</div>").Replace(string(annex))
}

// fill works out what the page shows of its order.
func (p *ownOrderPage) fill(now time.Time) {
	p.Now, p.Languages = now, formats.AnnexLanguages()
	for _, d := range p.Deadlines {
		if d.Term == concert.TermPreservation {
			p.Kept = d
		}
	}
	for _, it := range p.About {
		if it.Measure == "" {
			p.Open = append(p.Open, it)
		}
	}
	if p.Form.At == "" {
		p.Form.At = now.UTC().Format("2006-01-02T15:04")
	}
	if p.Form.Measure == "" {
		p.Form.Measure = string(concert.MeasureRemoved)
	}
	p.Steps = ownOrderSteps(p.OrderView)
}

var orderNoticeTexts = map[concert.NoticeKind]design.Text{
	concert.NoticeOrder: "The order was sent", concert.NoticeFirstContact: "You were told of procedures and deadlines", concert.NoticeClarified: "A clarification was sent", concert.NoticeOrderEnded: "You were told that the order ended",
	concert.NoticeOrderAlarm: "You were warned: %d minutes left", concert.NoticeOrderKept: "You were told that the six months are over",
}

// ownOrderSteps is what happened, oldest first, as the addressee may read it.
func ownOrderSteps(v casework.OrderView) []orderStep {
	var out []orderStep
	for _, d := range v.Deliveries {
		s := orderStep{At: at(d.CreatedAt), Text: orderNoticeTexts[d.Kind]}
		if d.Kind == concert.NoticeOrderAlarm {
			s.Args = []any{number32(d.Remedy)}
		}
		out = append(out, s)
	}
	if !v.ReceivedAt.IsZero() {
		out = append(out, orderStep{At: at(v.ReceivedAt), Text: "Receipt is proven: the hour began"})
	}
	for _, a := range v.Answers {
		out = append(out, answerStep(a.Kind, concert.FromMicros(a.At), a.Text))
	}
	if !v.ExecutedAt.IsZero() {
		out = append(out, orderStep{At: at(v.ExecutedAt), Text: "Annex II is there for every item"})
	}
	if !v.EndedAt.IsZero() {
		out = append(out, orderStep{At: at(v.EndedAt), Text: "The order ended", Detail: v.Ended})
	}
	// Within a second they stand as they follow from each other.
	slices.SortStableFunc(out, func(a, b orderStep) int {
		return a.At.time.Truncate(time.Second).Compare(b.At.time.Truncate(time.Second))
	})
	return out
}

func answerStep(kind string, when time.Time, text []byte) orderStep {
	if kind == "order_feedback" {
		var f concert.OrderFeedback
		if err := json.Unmarshal(text, &f); err != nil {
			return orderStep{At: at(when), Text: "You gave Annex II"}
		}
		return orderStep{At: at(when), Text: "You gave Annex II: %s, at %s", Args: []any{measureTexts[f.Measure], spoken(f.MeasureAt)}, Detail: strings.Join(f.Places, ", ")}
	}
	var f concert.OrderImpossible
	if err := json.Unmarshal(text, &f); err != nil {
		return orderStep{At: at(when), Text: "You gave Annex III"}
	}
	return orderStep{At: at(when), Text: "You gave Annex III", Detail: strings.TrimSpace(f.Further + "\n" + f.Needed)}
}

// spoken is a moment of an annex as people write it; what is none stays as it is.
func spoken(moment string) string {
	t, err := concert.ParseTime(moment)
	if err != nil {
		return moment
	}
	return t.Format("2006-01-02 15:04 UTC")
}

// orderFormOf reads a form of Annex II or III, or that what hindered is over.
func orderFormOf(r *http.Request, which string) orderReplyForm {
	f := orderReplyForm{Which: which, Measure: field(r, "measure"), At: field(r, "measure_at"), Person: field(r, "person"), Email: field(r, "email"), File: field(r, "addressee_file"), Further: field(r, "further"), Needed: field(r, "needed"), Over: field(r, "reason")}
	for _, ref := range r.PostForm["items"] {
		f.Items = append(f.Items, clean(ref))
	}
	for _, why := range r.PostForm["reasons"] {
		f.Reasons = append(f.Reasons, clean(why))
	}
	return f
}

// answer is what was typed as Annex II, or as Annex III.
func (f orderReplyForm) answer() (concert.OrderAnswer, error) {
	a := concert.OrderAnswer{Person: f.Person, Email: f.Email, File: f.File}
	if f.Which == "impossible" {
		a.Further, a.Needed = f.Further, f.Needed
		if len(f.Reasons) == 0 {
			return a, concert.Refuse(concert.Invalid, "order.reasons", "reasons", "Annex III names at least one reason of %v: got %v", concert.ImpossibleReasons, f.Reasons)
		}
		for _, why := range f.Reasons {
			a.Reasons = append(a.Reasons, concert.ImpossibleReason(why))
		}
		return a, nil
	}
	a.Items, a.Measure = f.Items, concert.OrderMeasure(f.Measure)
	t, err := time.Parse("2006-01-02T15:04", f.At) // as browsers send it
	if err != nil {
		t, err = time.Parse(time.RFC3339Nano, f.At)
	}
	if err != nil {
		return a, concert.Refuse(concert.Invalid, "order.measure_at", "measure_at", "a moment is written as 2026-03-28T12:00:00Z (RFC 3339): got %.40q", f.At)
	}
	a.MeasureAt = t.UTC()
	return a, nil
}

// apart keeps the fields of the two forms apart on one page.
func (f orderReplyForm) apart(errs formErrors) formErrors {
	for i, e := range errs {
		if f.Which == "impossible" && (e.Field == "person" || e.Field == "email" || e.Field == "addressee_file") {
			next := *e
			next.Field = "i-" + e.Field
			errs[i] = &next
		}
	}
	return errs
}

func (u *UI) feedOwnOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.answerOwnOrder(w, r, v, "feedback", "order_fed")
}

func (u *UI) impedeOwnOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.answerOwnOrder(w, r, v, "impossible", "order_impeded")
}

func (u *UI) answerOwnOrder(w http.ResponseWriter, r *http.Request, v *visit, which, done string) error {
	f := orderFormOf(r, which)
	a, err := f.answer()
	if err == nil {
		_, err = u.svc.AnswerOrder(r.Context(), v.actor(), r.PathValue("ref"), 0, a)
	}
	return u.afterOrder(w, r, v, f, err, done)
}

func (u *UI) resumeOwnOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := orderFormOf(r, "over")
	if v.person.Provider == "" {
		return concert.ErrNotFound // an authority clarifies on its own page
	}
	_, err := u.svc.ClarifyOrder(r.Context(), v.actor(), r.PathValue("ref"), 0, f.Over)
	return u.afterOrder(w, r, v, f, err, "order_resumed")
}

func (u *UI) afterOrder(w http.ResponseWriter, r *http.Request, v *visit, f orderReplyForm, err error, done string) error {
	errs, err := mended(err)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return u.showOwnOrder(w, r, v, ownOrderPage{Form: f, Errors: f.apart(errs)})
	}
	return onward(w, r, "/own-orders/"+r.PathValue("ref"), done, "")
}

// ownOrderFile is a document of an order, as its addressee takes it.
func (u *UI) ownOrderFile(name string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		scope, err := v.scope()
		if err != nil {
			return err
		}
		if err := v.actor().MayOwn(); err != nil {
			return err
		}
		ref := r.PathValue("ref")
		var raw []byte
		kind := "application/json"
		switch name {
		case "order.pdf":
			kind = "application/pdf"
			raw, err = u.svc.DrawOrder(r.Context(), scope, ref, clean(r.URL.Query().Get("annex")), casework.OrderAsPDF)
		case "order.html":
			kind = "application/octet-stream" // its own style sheet stands in it, which no page of ours may have
			raw, err = u.svc.DrawOrder(r.Context(), scope, ref, clean(r.URL.Query().Get("annex")), casework.OrderAsPage)
		case "order.json":
			raw, err = u.svc.OrderFile(r.Context(), scope, ref)
		default:
			raw, err = u.statements(r.Context(), scope, ref)
		}
		if err != nil {
			return err
		}
		return download(w, kind, ref+"-"+name, raw)
	}
}

func (u *UI) statements(ctx context.Context, scope concert.Scope, ref string) ([]byte, error) {
	drafts, err := u.svc.OrderStatements(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	err = formats.WriteOrderStatements(&b, drafts)
	return []byte(b.String()), err
}

// download sends bytes as a file, which no browser shows within a page of ours.
func download(w http.ResponseWriter, kind, name string, raw []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, err := w.Write(raw)
	return err
}

// signed is what was typed into section C of one form.
func (p ownOrderPage) signed(form string) orderReplyForm {
	if p.Form.Which == form {
		return p.Form
	}
	return orderReplyForm{}
}
