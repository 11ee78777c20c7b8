package webui

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// portalRoutes are a provider's own pages, and what stands across from them.
func (u *UI) portalRoutes() []route {
	return []route{
		{"GET /own", u.serve(person, u.own)},
		{"GET /own/referrals", u.serve(person, u.ownReferrals)},
		{"POST /own/answers/preview", u.serve(person, u.previewAnswers)},
		{"POST /own/answers", u.serve(person, u.answerItems)},
		{"GET /own/export/items.csv", u.serve(person, u.ownExport("items.csv"))},
		{"GET /own/export/items.jsonl", u.serve(person, u.ownExport("items.jsonl"))},
		{"GET /own/export/statements.json", u.serve(person, u.ownExport("statements.json"))},
		{"GET /own/export/statements.csv", u.serve(person, u.ownExport("statements.csv"))},
		{"GET /own/actions", u.serve(person, u.ownActions)},
		{"GET /actions/{ref}/provider", u.serve(person, u.ownAction)},
		{"GET /figures", u.serve(person, u.figures)},

		{"GET /questions", u.serve(person, u.threads)},
		{"GET /referrals/{ref}/questions", u.serve(person, u.thread)},
		{"POST /referrals/{ref}/questions", u.serve(person, u.writeQuestion)},

		{"GET /isolations", u.serve(person, u.openIsolations)},
		{"GET /items/{ref}/proportionality", u.serve(person, u.isolation)},
		{"POST /items/{ref}/proportionality", u.serve(person, u.weighIsolation)},
		{"POST /items/{ref}/proportionality/approve", u.serve(person, u.approveIsolation)},
		{"GET /article16", u.serve(person, u.article16)},
		{"POST /article16", u.serve(person, u.setArticle16)},

		{"GET /notes", u.serve(person, u.ownNotes)},
		{"GET /actions/{ref}/notes", u.serve(person, u.actionNotes)},
		{"GET /notes/{ref}", u.serve(person, u.note)},
		{"POST /notes/{ref}/review", u.serve(person, u.reviewNote)},
		{"POST /notes/{ref}/release", u.serve(person, u.releaseNote)},

		{"GET /team", u.serve(person, u.team)},
		{"POST /team", u.serve(person, u.addTeammate)},
		{"POST /team/{operator}/roles", u.serve(person, u.changeTeammate)},
		{"POST /team/{operator}/link", u.serve(person, u.linkTeammate)},
		{"POST /team/{operator}/disable", u.serve(person, u.disableTeammate)},
	}
}

// ownPageSize is how many items or referrals one page of a provider's own shows.
const ownPageSize = 50

var ownViewTexts = map[concert.OwnView]design.Text{
	concert.OwnWaiting: "Waiting for us", concert.OwnUrgent: "Urgent", concert.OwnAnswered: "Answered", concert.OwnStillUp: "Still up", concert.OwnWithdrawn: "Withdrawn", concert.OwnAll: "All",
}

var otherTexts = map[concert.OtherKind]design.Text{
	concert.OtherSites: "sites", concert.OtherCustomers: "customers", concert.OtherAccounts: "accounts", concert.OtherWorks: "works of others", concert.OtherUsers: "users",
}

// ownTab is one view; N is how many it holds, -1 where that is not counted.
type ownTab struct {
	Href string
	Text design.Text
	N    int
	Now  bool
}

// current marks the link to where one is.
func current(now bool) templ.Attributes {
	if !now {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

// ownLine is one item of a provider's own.
type ownLine struct {
	Ref, Key, Referral, Outlet string // Key is the reference with the version
	Location                   concert.Location
	Claimed                    concert.AnswerCode
	Observed                   concert.Observed
	Sent                       timeText
	Urgent, Withdrawn, Ticked  bool
}

// bulkReply is the one answer for many, as it was typed.
type bulkReply struct{ Code, Countries, Forwarded, Note, Others, OthersAre string }

func (b bulkReply) answer() concert.Answer {
	a := concert.Answer{Code: concert.AnswerCode(b.Code), Countries: countries(b.Countries), Forwarded: b.Forwarded, Note: b.Note, OthersAre: concert.OtherKind(b.OthersAre)}
	a.Others = othersOf(b.Others)
	return a
}

// othersOf reads a number of others; what is none is none.
func othersOf(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return 0
	}
	return n
}

func bulkReplyOf(r *http.Request) bulkReply {
	b := bulkReply{Code: field(r, "code"), Countries: field(r, "countries"), Forwarded: field(r, "forwarded"), Note: field(r, "note"), Others: field(r, "others"), OthersAre: field(r, "others_are")}
	if b.Code != string(concert.AnswerCannotIsolate) {
		b.Others, b.OthersAre = "", "" // left in the form by another choice
	}
	return b
}

// ownPage is a page of a provider's own items with the form that answers many.
type ownPage struct {
	View      concert.OwnView
	Tabs      []ownTab
	Items     []ownLine
	MayAnswer bool
	Reply     bulkReply
	Errors    formErrors
	Next      string
	Later     bool
}

// viewOf is the view that the address or form names.
func viewOf(s string) concert.OwnView {
	if v := concert.OwnView(s); v.Check() == nil {
		return v
	}
	return concert.OwnWaiting
}

func (u *UI) own(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOwn(w, r, v, ownPage{View: viewOf(r.URL.Query().Get("view"))}, concert.ItemID(clean(r.URL.Query().Get("after"))))
}

func (u *UI) showOwn(w http.ResponseWriter, r *http.Request, v *visit, p ownPage, after concert.ItemID) error {
	page, err := u.svc.OwnItems(r.Context(), v.actor(), casework.OwnQuery{View: p.View, After: after, Limit: ownPageSize})
	if err != nil {
		return err
	}
	counts, err := u.svc.CountOwn(r.Context(), v.actor())
	if err != nil {
		return err
	}
	for _, view := range concert.OwnViews {
		p.Tabs = append(p.Tabs, ownTab{Href: "/own?view=" + string(view), Text: ownViewTexts[view], N: counts[view], Now: view == p.View})
	}
	p.MayAnswer, p.Later = v.has(concert.RoleProviderAnswerer), after != ""
	for _, o := range page.Items {
		p.Items = append(p.Items, ownLine{Ref: o.Ref, Key: keyOf(o.Ref, o.Version), Referral: o.RefRef, Outlet: o.Said.Outlet, Location: o.Location, Claimed: o.Claimed, Observed: o.Observed, Sent: at(o.SentAt),
			Urgent: o.Priority >= 9 && o.Silent(), Withdrawn: o.Status == concert.ItemWithdrawn})
	}
	if page.After != "" {
		p.Next = "/own?" + url.Values{"view": {string(p.View)}, "after": {string(page.After)}}.Encode()
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Our items"), body: ownView(p), wide: true, scripts: []string{"ticks.js"}})
}

// keyOf is an item with the version that was read, as a form carries it.
func keyOf(ref string, version int64) string { return ref + " " + strconv.FormatInt(version, 10) }

// previewLine is what would come, or came, of one item.
type previewLine struct {
	Ref, Key, Error string
	Same            bool
}

// previewPage is a bulk answer before it is given, or after.
type previewPage struct {
	View      concert.OwnView
	Reply     bulkReply
	Lines     []previewLine
	Good, Bad int
}

// picked are the items that a form means: those ticked, those of a view, or what
// waits in one referral.
func (u *UI) picked(r *http.Request, v *visit, p concert.OwnView, answer concert.Answer) ([]casework.Replying, error) {
	var in []casework.Replying
	add := func(ref string, version int64) {
		in = append(in, casework.Replying{Item: ref, Answer: answer, Version: version})
	}
	switch field(r, "which") {
	case "view":
		page, err := u.svc.OwnItems(r.Context(), v.actor(), casework.OwnQuery{View: p, Limit: concert.BulkAnswers})
		if err != nil {
			return nil, err
		}
		for _, o := range page.Items {
			add(o.Ref, o.Version)
		}
	case "referral":
		scope, err := v.scope()
		if err != nil {
			return nil, err
		}
		ref, err := u.svc.ReadReferral(r.Context(), scope, field(r, "referral"))
		if err != nil {
			return nil, err
		}
		for _, it := range ref.Items {
			if it.Silent() && it.Status != concert.ItemWithdrawn {
				add(it.Ref, it.Version)
			}
		}
	default:
		for _, k := range r.PostForm["item"] {
			ref, version, _ := strings.Cut(clean(k), " ")
			n, err := strconv.ParseInt(version, 10, 64)
			if err != nil {
				n = -1 // a version that nobody has
			}
			add(ref, n)
		}
	}
	if len(in) == 0 {
		return nil, concert.Refuse(concert.Invalid, "answer.none", "", "no item has an answer: choose one for those you decided on, and leave the rest")
	}
	return in, nil
}

// bulk is what both steps of a bulk answer share: what was chosen, tried or done,
// and told line by line.
func (u *UI) bulk(w http.ResponseWriter, r *http.Request, v *visit, act func(context.Context, concert.Actor, []casework.Replying) ([]casework.Result, error)) (p previewPage, shown bool, err error) {
	p = previewPage{View: viewOf(field(r, "view")), Reply: bulkReplyOf(r)}
	in, err := u.picked(r, v, p.View, p.Reply.answer())
	var rs []casework.Result
	if err == nil {
		rs, err = act(r.Context(), v.actor(), in)
	}
	if err != nil {
		own := ownPage{View: p.View, Reply: p.Reply}
		if own.Errors, err = formErrorsOf(err); err != nil {
			return p, false, err
		}
		return p, true, u.showOwn(w, r, v, own, "")
	}
	for i, res := range rs {
		l := previewLine{Ref: res.Ref, Key: keyOf(res.Ref, in[i].Version), Same: res.Outcome == "unchanged"}
		switch {
		case res.Err != nil:
			l.Error = said(r.Context(), res.Err)
			p.Bad++
		case !l.Same:
			p.Good++
		}
		p.Lines = append(p.Lines, l)
	}
	return p, false, nil
}

func (u *UI) previewAnswers(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, shown, err := u.bulk(w, r, v, u.svc.PreviewAnswers)
	if err != nil || shown {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "What it would do"), body: previewView(p)})
}

func (u *UI) answerItems(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, shown, err := u.bulk(w, r, v, u.svc.AnswerItems)
	if err != nil || shown {
		return err
	}
	if p.Bad == 0 {
		return onward(w, r, "/own", "answered", "")
	}
	return u.show(w, r, v, view{title: say(r.Context(), "What came of it"), body: bulkResultView(p)})
}

// ownReferralsPage is a page of a provider's own referrals.
type ownReferralsPage struct {
	Tabs  []ownTab
	Lines []casework.OwnReferral
	Next  string
}

func (u *UI) ownReferrals(w http.ResponseWriter, r *http.Request, v *visit) error {
	which := viewOf(r.URL.Query().Get("view"))
	rs, err := u.svc.OwnReferrals(r.Context(), v.actor(), which, concert.ReferralID(clean(r.URL.Query().Get("before"))), ownPageSize)
	if err != nil {
		return err
	}
	p := ownReferralsPage{Lines: rs}
	for _, view := range concert.OwnViews {
		p.Tabs = append(p.Tabs, ownTab{Href: "/own/referrals?view=" + string(view), Text: ownViewTexts[view], N: -1, Now: view == which})
	}
	if len(rs) == ownPageSize {
		p.Next = "/own/referrals?" + url.Values{"view": {string(which)}, "before": {string(rs[ownPageSize-1].ID)}}.Encode()
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Our referrals"), body: ownReferralsView(p)})
}

func (u *UI) ownExport(file string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		q := r.URL.Query()
		write, err := u.svc.OwnDownload(r.Context(), v.actor(), casework.OwnDownload{File: file, View: concert.OwnView(q.Get("view")), Referral: clean(q.Get("referral"))})
		if err != nil {
			return err
		}
		httpkit.NewDownload(w, casework.OwnFiles[file], "concert-"+file).Send(u.log, write)
		return nil
	}
}

// codeLine is one word and how many items have it.
type codeLine struct {
	Code concert.AnswerCode
	N    int64
}

// figuresPage is a provider's own figures.
type figuresPage struct {
	Figures concert.Figures
	Codes   []codeLine
	AsOf    timeText
}

func (u *UI) figures(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, f, err := u.svc.OwnFigures(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p := figuresPage{Figures: f, AsOf: at(u.svc.Now())}
	for _, c := range append([]concert.AnswerCode{""}, concert.AnswerCodes...) {
		if n := f.ByCode[c]; n > 0 {
			p.Codes = append(p.Codes, codeLine{c, n})
		}
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Our figures"), body: figuresView(p)})
}

// lasting is a time that something took, "–" where nothing did.
func lasting(ctx context.Context, n int, seconds int64) string {
	if n == 0 {
		return "–"
	}
	if seconds < 60 {
		return say(ctx, "%d s", int(seconds))
	}
	start := time.Unix(0, 0)
	return design.Age(ctx, start, start.Add(time.Duration(seconds)*time.Second))
}

// metricLine is one running number.
type metricLine struct {
	Metric concert.Metric
	N      int64
}

// ownActionPage is a joint action for one of its providers.
type ownActionPage struct {
	Ref, Name     string
	Phase         concert.Phase
	PerHour, Free int
	Open          bool
	NextBatch     timeText
	Threads       int
	Note          string
	Counts        []metricLine
	AsOf          timeText
}

// ownMetrics are the running numbers that concern a provider.
var ownMetrics = []concert.Metric{concert.ReferredN, concert.Acknowledged, concert.AnsweredN, concert.Silent, concert.Removed, concert.Refused, concert.OtherAnswer, concert.CannotIsolate, concert.Down, concert.StillUp, concert.Returned, concert.WithdrawnN, concert.Reminders}

func (u *UI) ownAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, err := u.svc.OwnAction(r.Context(), v.actor(), r.PathValue("ref"))
	if err != nil {
		return err
	}
	p := ownActionPage{Ref: a.Ref, Name: a.Name, Phase: a.Phase, PerHour: a.Provider.PerHour, Free: a.Free, Open: a.Open, NextBatch: at(a.NextBatch), Threads: a.Threads, Note: a.Note, AsOf: at(u.svc.Now())}
	for _, m := range ownMetrics {
		p.Counts = append(p.Counts, metricLine{m, a.Counts[m]})
	}
	return u.show(w, r, v, view{title: a.Name, body: ownActionView(p), refresh: true})
}

func (u *UI) ownActions(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, err := u.svc.OwnActions(r.Context(), v.actor())
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Joint actions"), body: ownActionsView(all)})
}
