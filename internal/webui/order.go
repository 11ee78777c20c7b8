package webui

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
	"concert/internal/httpkit"
)

func (u *UI) orderRoutes() []route {
	return []route{
		{"GET /orders", u.serve(person, u.orders)},
		{"GET /orders.csv", u.serve(person, u.ordersCSV)},
		{"GET /orders/new", u.serve(person, u.newOrder)},
		{"POST /orders", u.serve(person, u.draftOrder)},
		{"GET /orders/alarms", u.serve(person, u.orderAlarmsPart)},
		{"GET /orders/alarms/stream", u.serve(person, u.orderStream)},
		{"GET /orders/{ref}", u.serve(person, u.order)},
		{"GET /orders/{ref}/draft", u.serve(person, u.rewriteForm)},
		{"POST /orders/{ref}/draft", u.serve(person, u.rewriteOrder)},
		{"POST /orders/{ref}/review", u.serve(person, u.orderAct("review"))},
		{"POST /orders/{ref}/return", u.serve(person, u.orderAct("return"))},
		{"POST /orders/{ref}/approve", u.serve(person, u.orderAct("approve"))},
		{"POST /orders/{ref}/issue", u.serve(person, u.orderAct("issue"))},
		{"POST /orders/{ref}/drop", u.serve(person, u.orderAct("drop"))},
		{"POST /orders/{ref}/withdraw", u.serve(person, u.orderAct("withdraw"))},
		{"POST /orders/{ref}/clarify", u.serve(person, u.orderAct("clarify"))},
		{"POST /orders/{ref}/emergency", u.serve(person, u.orderAct("emergency"))},
		{"GET /orders/{ref}/document", u.serve(person, u.orderDocument)},
		{"GET /orders/{ref}/document.pdf", u.serve(person, u.orderPDF)},
		{"GET /orders/{ref}/document.html", u.serve(person, u.orderHTML)},
		{"GET /orders/{ref}/order.json", u.serve(person, u.orderFile)},
		{"GET /authorities/{ref}", u.serve(person, u.office)},
		{"POST /authorities/{ref}", u.serve(person, u.proposeOffice)},
		{"POST /authorities/{ref}/confirm", u.serve(person, u.confirmOffice)},
	}
}

// issuers are the people of an authority who have a part in its orders.
var issuers = func(f frame) bool {
	return f.Person.Authority != "" && (deskPeople(f) || f.has(concert.RoleIssuer)) || overseers(f)
}

var orderStates = map[concert.OrderStatus]state{
	concert.OrderDrafted:   {Mark: "○", Label: "Draft, waits for a review", Tone: "wait"},
	concert.OrderReviewed:  {Mark: "◐", Label: "Reviewed, waits for an approval", Tone: "wait"},
	concert.OrderApproved:  {Mark: "●", Label: "Approved by a second person", Tone: "go"},
	concert.OrderNoticed:   {Mark: "⧗", Label: "Addressee told first, twelve hours run", Tone: "wait"},
	concert.OrderIssued:    {Mark: "➤", Label: "Issued, receipt not proven yet", Tone: "go"},
	concert.OrderReceived:  {Mark: "◔", Label: "Received, the hour runs", Tone: "bad"},
	concert.OrderImpeded:   {Mark: "‖", Label: "Impossible for now (Annex III): the hour stands still", Tone: "wait"},
	concert.OrderClarified: {Mark: "↻", Label: "Clarified, the hour runs anew", Tone: "bad"},
	concert.OrderExecuted:  {Mark: "✓", Label: "Executed (Annex II)", Tone: "good"},
	concert.OrderFinal:     {Mark: "■", Label: "Final, no appeal any more", Tone: "good"},
	concert.OrderVoid:      {Mark: "⊘", Label: "Void: found to infringe (Art. 4)", Tone: "end"},
	concert.OrderWithdrawn: {Mark: "↩", Label: "Withdrawn by its authority", Tone: "end"},
	concert.OrderDropped:   {Mark: "✕", Label: "Given up before it was issued", Tone: "end"},
}

var orderMoveTexts = map[concert.OrderMove]design.Text{
	concert.OrderMoveReview: "review", concert.OrderMoveReturn: "return", concert.OrderMoveApprove: "approve", concert.OrderMoveNotice: "tell first", concert.OrderMoveIssue: "issue", concert.OrderMoveReceive: "receive",
	concert.OrderMoveImpede: "report impossible", concert.OrderMoveClarify: "clarify", concert.OrderMoveExecute: "execute", concert.OrderMoveFinalise: "finalise", concert.OrderMoveVoid: "void", concert.OrderMoveWithdraw: "withdraw", concert.OrderMoveDrop: "give up",
}

var measureTexts = map[concert.OrderMeasure]design.Text{concert.MeasureRemoved: "removed", concert.MeasureDisabled: "access disabled in all Member States"}

// Values of the filter "stage" of the list of orders.
const (
	stageMine   = "mine"
	stageCopies = "copies"
)

// orderStage is a tab of the list: what waits for the same.
type orderStage struct {
	Name     string
	Label    design.Text
	Statuses []concert.OrderStatus // none for all
}

var orderStages = []orderStage{
	{"", "All of ours", nil},
	{stageMine, "I had a hand in", nil},
	{"review", "Wait for a review", []concert.OrderStatus{concert.OrderDrafted}},
	{"approve", "Wait for an approval", []concert.OrderStatus{concert.OrderReviewed, concert.OrderApproved}},
	{"told", "Addressee told first", []concert.OrderStatus{concert.OrderNoticed}},
	{"hour", "Out, the hour", []concert.OrderStatus{concert.OrderIssued, concert.OrderReceived, concert.OrderClarified}},
	{"answered", "Answered", []concert.OrderStatus{concert.OrderImpeded, concert.OrderExecuted}},
	{"ended", "Ended", []concert.OrderStatus{concert.OrderFinal, concert.OrderVoid, concert.OrderWithdrawn, concert.OrderDropped}},
	{stageCopies, "Copies of other states' orders", nil},
}

// ordersPage is the list with its tabs.
type ordersPage struct {
	Sheet  design.Sheet
	Tabs   []orderTab
	MayNew bool
}

// orderTab is one tab; Count is "" where it was not counted.
type orderTab struct {
	Label       design.Text
	Href, Count string
	Current     bool
}

func orderForm(g casework.Registers, all bool) *design.ListForm {
	f := &design.ListForm{Name: "orders", Path: "/orders", Also: []string{"done", "about"}, Orders: newestOrders()}
	stages := make([]design.Choice, len(orderStages)-1)
	for i, s := range orderStages[1:] {
		stages[i] = design.Choice{Value: s.Name, Label: s.Label}
	}
	f.Filters = []design.Filter{
		{Name: "stage", Label: "Which", Choices: stages},
		{Name: "status", Label: "State", Choices: stateChoices(concert.OrderStatuses, orderStates)},
		{Name: "provider", Label: "Provider", Choices: choicesOf(providerChoices(g))},
	}
	if all {
		f.Filters = append(f.Filters, design.Filter{Name: "authority", Label: "Authority", Choices: choicesOf(authorityChoices(g))})
	}
	return f
}

// clocksFor are the order's clocks as they concern an authority: of a copy, those of the
// scrutiny that it may do.
func clocksFor(o casework.ListedOrder, mine concert.AuthorityID) []concert.Deadline {
	if mine == "" || o.Copied != mine || o.Authority == mine {
		return o.Deadlines
	}
	return slices.DeleteFunc(slices.Clone(o.Deadlines), func(d concert.Deadline) bool {
		return d.Term != concert.TermOwnScrutiny && d.Term != concert.TermScrutiny
	})
}

func orderColumns(g casework.Registers, mine concert.AuthorityID, now time.Time) []design.Column[casework.ListedOrder] {
	type row = casework.ListedOrder
	return []design.Column[row]{
		linked("ref", "Reference", func(o row) (string, string) { return o.Ref, "/orders/" + o.Ref }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, o row) design.Cell { return stateCell(ctx, orderStates[o.Status]) }},
		{Name: "clock", Label: "Legal clock", Cell: func(ctx context.Context, o row) design.Cell {
			return countingCell(ctx, clocksFor(o, mine), now)
		}},
		text("provider", "Provider", func(_ context.Context, o row) string { return g.Providers[o.Provider].Name }),
		text("authority", "Authority", func(_ context.Context, o row) string { return g.Authorities[o.Authority].Unit }),
		{Name: "items", Label: "Items", Number: true, Cell: func(_ context.Context, o row) design.Cell { return design.Cell{Text: strconv.Itoa(o.Items)} }},
		{Name: "executed", Label: "With Annex II", Number: true, Cell: func(_ context.Context, o row) design.Cell { return design.Cell{Text: strconv.Itoa(o.Executed)} }},
		text("emergency", "Emergency", func(ctx context.Context, o row) string {
			if !o.Emergency {
				return ""
			}
			return say(ctx, "yes, with a reason")
		}),
		text("changed", "Newest change", func(ctx context.Context, o row) string { return when(ctx, o.UpdatedAt) }),
	}
}

// orderSearch is what the address asks.
func orderSearch(q design.Query, g casework.Registers, v *visit) (concert.OrderSearch, error) {
	var s concert.OrderSearch
	stage := q.Value("stage")
	for _, x := range orderStages {
		if x.Name == stage {
			s.Statuses = x.Statuses
		}
	}
	switch stage {
	case stageMine:
		s.Mine = v.person.ID
	case stageCopies:
		s.Copied = v.person.Authority
	}
	if status := concert.OrderStatus(q.Value("status")); status != "" {
		if len(s.Statuses) > 0 && !slices.Contains(s.Statuses, status) {
			return s, concert.Refuse(concert.Invalid, "list.orders", "", "no order of this tab stands so: take one of the two filters away")
		}
		s.Statuses = []concert.OrderStatus{status}
	}
	var err error
	if s.Provider, err = byRef(g.Providers, q.Value("provider"), func(p concert.Provider) string { return p.Ref }); err != nil {
		return s, err
	}
	s.Author, err = byRef(g.Authorities, q.Value("authority"), func(a concert.Authority) string { return a.Ref })
	return s, err
}

func (u *UI) orderListing(ctx context.Context, v *visit) (listing[casework.ListedOrder], error) {
	type row = casework.ListedOrder
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return listing[row]{}, err
	}
	now := u.svc.Now()
	return listing[row]{form: orderForm(g, v.has(concert.RoleAuditor) || v.has(concert.RoleCoordinator)), caption: "Removal orders", empty: "An order is begun on the page of an assessed item, or from the list of items.", columns: orderColumns(g, v.person.Authority, now), file: true,
		keys: func(_ string, o row) []string {
			return []string{strconv.FormatInt(concert.Micros(o.UpdatedAt), 10), string(o.ID)}
		},
		row: func(o row) (string, bool) {
			return o.Ref, slices.ContainsFunc(o.Deadlines, func(d concert.Deadline) bool { return o.Alarms(d) })
		},
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			s, err := orderSearch(q, g, v)
			if err != nil {
				return concert.Listed[row]{}, err
			}
			return u.svc.SearchOrders(ctx, scope, s, p)
		}}, nil
}

func (u *UI) orders(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.orderListing(r.Context(), v)
	if err != nil {
		return err
	}
	counts, err := u.svc.CountOrders(r.Context(), v.actor())
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Removal orders", func(s design.Sheet) templ.Component {
		return ordersView(ordersPage{Sheet: s, Tabs: orderTabs(s, counts)})
	})
}

func orderTabs(s design.Sheet, counts map[concert.OrderStatus]int) []orderTab {
	out := make([]orderTab, len(orderStages))
	for i, x := range orderStages {
		out[i] = orderTab{Label: x.Label, Href: s.Query.With("stage", x.Name), Current: s.Query.Value("stage") == x.Name}
		if len(x.Statuses) > 0 && counts != nil {
			n := 0
			for _, status := range x.Statuses {
				n += counts[status]
			}
			out[i].Count = strconv.Itoa(n)
		}
	}
	return out
}

func (u *UI) ordersCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.orderListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// orderReply is Annex II or Annex III as it came in.
type orderReply struct {
	concert.OrderReply
	At        time.Time
	Measure   concert.OrderMeasure // of Annex II
	MeasureAt time.Time
	Reasons   []concert.ImpossibleReason // of Annex III
	Further   string
	Needed    string
}

// orderActs are the acts that the reader may do on the order now.
type orderActs struct {
	Rewrite, Review, Return, Approve, Issue, Drop, Withdraw, Clarify, Emergency bool
}

// Any reports whether there is one.
func (a orderActs) Any() bool { return a != orderActs{} }

// orderPage is an order with its chain.
type orderPage struct {
	casework.OrderView
	Steps   []rung
	Now     time.Time
	Replies []orderReply
	Sent    []told
	Acts    orderActs
	Own     bool // the reader wrote it, so that others review and approve it
	Inside  bool // the reader is of its authority
	Outlook *casework.OrderOutlook
	Form    entered
}

// actsOf are those that the rules would not refuse for who asks and where it stands.
func actsOf(o concert.Order, by concert.Actor) orderActs {
	emergency := o.MayReviewEmergency(by) == nil
	if !o.Mine(by) {
		return orderActs{Emergency: emergency}
	}
	can := func(m concert.OrderMove) bool { _, err := o.Status.After(m); return err == nil }
	another := by.Person != o.Drafter
	of := func(roles ...concert.Role) bool { return by.Need(roles...) == nil }
	return orderActs{
		Rewrite:  o.Status == concert.OrderDrafted && by.Has(concert.RoleOfficer),
		Review:   another && can(concert.OrderMoveReview) && by.Has(concert.RoleReviewer),
		Return:   another && can(concert.OrderMoveReturn) && of(concert.RoleReviewer, concert.RoleIssuer),
		Approve:  another && can(concert.OrderMoveApprove) && by.Has(concert.RoleIssuer),
		Issue:    o.Approver != "" && can(concert.OrderMoveIssue) && by.Has(concert.RoleIssuer),
		Drop:     can(concert.OrderMoveDrop) && of(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer),
		Withdraw: can(concert.OrderMoveWithdraw) && of(concert.RoleReviewer, concert.RoleIssuer),
		Clarify:  can(concert.OrderMoveClarify) && of(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer),

		Emergency: emergency,
	}
}

func (u *UI) order(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOrder(w, r, v, entered{})
}

// theOrder reads the order that the address names, for people of an authority, for
// coordinators and for auditors.
func (u *UI) theOrder(r *http.Request, v *visit) (casework.OrderView, error) {
	if v.person.Provider != "" {
		return casework.OrderView{}, concert.ErrNotFound
	}
	scope, err := v.scope()
	if err != nil {
		return casework.OrderView{}, err
	}
	return u.svc.ReadOrder(r.Context(), scope, r.PathValue("ref"))
}

func (u *UI) showOrder(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	o, err := u.theOrder(r, v)
	if err != nil {
		return err
	}
	p := orderPage{OrderView: o, Now: u.svc.Now(), Form: form, Acts: actsOf(o.Order, v.actor()), Inside: o.Mine(v.actor()), Own: o.Drafter == v.person.ID}
	p.Steps = orderSteps(r.Context(), o.Order, o.Deadlines, o.Numbers)
	if p.Replies, err = repliesOf(o); err != nil {
		return err
	}
	for _, d := range o.Deliveries {
		p.Sent = append(p.Sent, told{Kind: noticeKinds[d.Kind], Rung: rungTexts[d.Rung], Author: d.Evidence, At: at(d.CreatedAt)})
	}
	if p.Acts.Approve || p.Acts.Issue {
		l, err := u.svc.PreviewOrder(r.Context(), v.actor(), o.Ref)
		if err != nil {
			return err
		}
		p.Outlook = &l
	}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: say(r.Context(), "Removal order %s", o.Ref), body: orderView(p), wide: true})
}

func repliesOf(o casework.OrderView) ([]orderReply, error) {
	var out []orderReply
	for _, a := range o.Answers {
		var f concert.OrderFeedback
		var m concert.OrderImpossible
		x := orderReply{At: concert.FromMicros(a.At)}
		var err error
		if a.Kind == "order_impossible" {
			err = json.Unmarshal(a.Text, &m)
			x.OrderReply, x.Reasons, x.Further, x.Needed = m.OrderReply, m.Reasons, m.Further, m.Needed
		} else if err = json.Unmarshal(a.Text, &f); err == nil {
			x.OrderReply, x.Measure = f.OrderReply, f.Measure
			x.MeasureAt, err = concert.ParseTime(f.MeasureAt)
		}
		if err != nil {
			return nil, fmt.Errorf("answer to %s: %w", o.Ref, err)
		}
		out = append(out, x)
	}
	return out, nil
}

// orderSteps is the order's way, with what is done and where it stands.
func orderSteps(ctx context.Context, o concert.Order, ds []concert.Deadline, numbers map[concert.PersonID]string) []rung {
	type step struct {
		label design.Text
		done  bool
		note  string
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return when(ctx, t)
	}
	told := slices.ContainsFunc(ds, func(d concert.Deadline) bool { return d.Term == concert.TermFirstContact }) || o.Status == concert.OrderNoticed
	steps := []step{{"Drafted", true, numbers[o.Drafter]}, {"Reviewed", o.Reviewer != "", numbers[o.Reviewer]}, {"Approved", !o.ApprovedAt.IsZero(), numbers[o.Approver]}}
	if told {
		steps = append(steps, step{"Told first", !o.ApprovedAt.IsZero(), say(ctx, "twelve hours, Art. 3(2)")})
	}
	received := step{"Received", !o.ReceivedAt.IsZero(), at(o.ReceivedAt)}
	if o.Status == concert.OrderImpeded || o.Status == concert.OrderClarified {
		received.note = say(ctx, orderStates[o.Status].Label)
	}
	steps = append(steps, step{"Issued", !o.IssuedAt.IsZero(), at(o.IssuedAt)}, received, step{"Executed", !o.ExecutedAt.IsZero(), at(o.ExecutedAt)})
	if o.Status.Binds() {
		steps = append(steps, step{"Final", o.Status == concert.OrderFinal, ""})
	} else {
		steps = append(slices.DeleteFunc(steps, func(s step) bool { return !s.done }), step{orderStates[o.Status].Label, true, at(o.EndedAt)})
	}
	out := make([]rung, len(steps))
	here := 0
	for i, s := range steps {
		if out[i] = (rung{Label: s.label, Note: s.note, State: "ahead"}); s.done {
			here, out[i].State = i, "done"
		}
		if !s.done {
			out[i].Note = ""
		}
	}
	out[here].State = "here"
	return out
}

// orderAct is a form on an order's page: what was refused is shown there, with what
// was typed.
func (u *UI) orderAct(act string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		if v.person.Provider != "" {
			return concert.ErrNotFound
		}
		ctx, ref, by, n, reason := r.Context(), r.PathValue("ref"), v.actor(), version(r), field(r, "reason")
		var o concert.Order
		var err error
		switch act {
		case "review":
			o, err = u.svc.ReviewOrder(ctx, by, ref, n)
		case "return":
			o, err = u.svc.ReturnOrder(ctx, by, ref, n, reason)
		case "approve":
			o, err = u.svc.ApproveOrder(ctx, by, ref, n)
		case "issue":
			o, err = u.svc.IssueOrder(ctx, by, ref, n)
		case "drop":
			o, err = u.svc.DropOrder(ctx, by, ref, n, reason)
		case "withdraw":
			o, err = u.svc.WithdrawOrder(ctx, by, ref, n, reason)
		case "clarify":
			o, err = u.svc.ClarifyOrder(ctx, by, ref, n, reason)
		case "emergency":
			o, err = u.svc.ReviewEmergency(ctx, by, ref, n, concert.Verdict(field(r, "verdict")), reason)
		}
		if err != nil {
			f, err := refusedForm(r, act, err, "reason")
			if err != nil {
				return err
			}
			return u.showOrder(w, r, v, f)
		}
		told := "order_" + string(o.Status)
		if act == "emergency" {
			told = "order_emergency"
		}
		return onward(w, r, "/orders/"+o.Ref, told, "")
	}
}

// orderDocumentPage is the form of Annex I as it was signed.
type orderDocumentPage struct {
	Ref, Language string
	Languages     []string
	Form          templ.Component
}

// languageOfForm is the language in which a form is drawn: the one that the address
// asks for, else the reader's, else English.
func languageOfForm(r *http.Request) string {
	all := formats.AnnexLanguages()
	for _, l := range []string{r.URL.Query().Get("lang"), design.ReaderOf(r.Context()).Language.Code} {
		if slices.Contains(all, l) {
			return l
		}
	}
	return "en"
}

func (u *UI) orderDocument(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := u.theOrder(r, v)
	if err != nil {
		return err
	}
	if o.Payload == nil {
		return concert.Refuse(concert.Conflict, "order.not_issued", "", "order %s is %s and not issued: there is no document yet", o.Ref, o.Status)
	}
	p := orderDocumentPage{Ref: o.Ref, Language: languageOfForm(r), Languages: formats.AnnexLanguages()}
	form, err := formats.OrderHTML(p.Language, *o.Payload, formats.AnnexOptions{})
	if err != nil {
		return err
	}
	// Its parts are parts of a document, and no landmarks of the page around it.
	p.Form = templ.Raw(strings.NewReplacer("<section>", "<div>", "</section>", "</div>", "<article ", "<div ", "</article>", "</div>").Replace(string(form)))
	return u.show(w, r, v, view{title: say(r.Context(), "Removal order %s", o.Ref), body: orderDocumentView(p)})
}

func (u *UI) orderPDF(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.sendOrder(w, r, v, "application/pdf", ".pdf", func(s concert.Scope, ref string) ([]byte, error) {
		return u.svc.OrderDocument(r.Context(), s, ref, languageOfForm(r), true)
	})
}

func (u *UI) orderHTML(w http.ResponseWriter, r *http.Request, v *visit) error {
	// As a file: its own style sheet stands in it, which no page of ours may have.
	return u.sendOrder(w, r, v, "application/octet-stream", ".html", func(s concert.Scope, ref string) ([]byte, error) {
		return u.svc.OrderDocument(r.Context(), s, ref, languageOfForm(r), false)
	})
}

func (u *UI) orderFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.sendOrder(w, r, v, "application/json", ".json", func(s concert.Scope, ref string) ([]byte, error) { return u.svc.OrderFile(r.Context(), s, ref) })
}

// sendOrder answers with a file of an issued order.
func (u *UI) sendOrder(w http.ResponseWriter, r *http.Request, v *visit, kind, ending string, make func(concert.Scope, string) ([]byte, error)) error {
	if v.person.Provider != "" {
		return concert.ErrNotFound
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	ref := r.PathValue("ref")
	raw, err := make(scope, ref)
	if err != nil {
		return err
	}
	httpkit.NewDownload(w, kind, ref+ending).Send(u.log, func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
	return nil
}

// orderWord is the act of the form of decision.
func orderWord(p orderPage) string {
	if p.Acts.Approve {
		return "approve"
	}
	return "review"
}

// fateText is what the second person's word would do now.
func fateText(p orderPage) design.Text {
	switch {
	case p.Outlook.Fate == casework.OrderFateTold:
		return "Approved, it tells the provider of procedures and deadlines first, since this is the first order of your authority to it, and waits twelve hours (Art. 3(2))."
	case p.Outlook.Fate == casework.OrderFateWaits:
		return "The provider was told of procedures and deadlines less than twelve hours ago: the order waits until they are over (Art. 3(2))."
	case p.Emergency && p.Outlook.Facts.First.IssuedAt.IsZero():
		return "It issues at once: the emergency spares the twelve hours' notice. The hour runs from its receipt."
	}
	return "It issues at once, signed. The hour runs from its receipt."
}
