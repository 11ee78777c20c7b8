package webui

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

func statusOf(err error) int { return httpkit.StatusOf(err) }

// judging is the assessment form as it was typed.
type judging struct {
	Type, Purpose, Outlet, Mark, MarkWhere, Language, Severity, Evaluation, Facts, Judgement string
	Unbranded                                                                                bool
	Errors                                                                                   formErrors
}

// deciding is the form of a decision as it was typed.
type deciding struct {
	Decision, Ground string
	Errors           formErrors
}

// remedying is the form of a withdrawal or correction as it was typed.
type remedying struct {
	Kind, Reason string
	Category     string
	Errors       formErrors
}

// observing is the form of an officer's own look as it was typed.
type observing struct {
	State, Vantage string
	Errors         formErrors
}

// rung is a step of the item's way: done, here, ahead, or off it.
type rung struct {
	Label       design.Text
	State, Note string
}

// moved is one line of an item's story.
type moved struct {
	At     time.Time
	What   string
	Who    string
	Detail string
}

// itemPage is everything about one item on one page.
type itemPage struct {
	Item      casework.ItemView
	Ladder    []rung
	Story     []moved
	Age       string
	Outlets   []choice
	InScope   string // scope entry that covers the outlet now, "" for none
	Vantage   string
	MayAssess bool
	MayDecide bool
	MayRemedy bool
	MayLook   bool
	Assess    judging
	Decide    deciding
	Remedy    remedying
	Look      observing
	Keep      keeping

	MayOverride bool
	MayReview   bool
	MayNote     bool
	Capture     capturing
	Now         time.Time
	Pass        overriding
	Review      reviewing
	From        string // the list to go back to after a decision

	Folder foldering
	Flow   flowing
	Same   samePanel
	Known  knownPanel

	Orders   []concert.Order // about it, that the reader may read
	MayOrder bool
}

// homeless are refusals of forms that this person is not, or no longer,
// offered: they stand on top of the page.
func (p itemPage) homeless() formErrors {
	var e formErrors
	for _, f := range []struct {
		shown bool
		errs  formErrors
	}{{p.MayAssess, p.Assess.Errors}, {p.MayDecide, p.Decide.Errors}, {p.MayRemedy, p.Remedy.Errors}, {p.MayLook, p.Look.Errors}, {p.MayOverride, p.Pass.Errors}, {p.MayReview, p.Review.Errors}, {p.Keep.shown(), p.Keep.Errors}, {p.Capture.May, p.Capture.Errors}, {p.Flow.Waits, p.Flow.Errors}} {
		if !f.shown {
			e = append(e, f.errs...)
		}
	}
	return append(e, p.Folder.Form.homeless(map[string]bool{"translate": p.Folder.May, "file": p.Folder.MayFile, "attach": p.Folder.MayFile && len(p.Folder.Incidents) > 0})...)
}

// itemFor loads an item for a page with what this person may do there.
func (u *UI) itemFor(r *http.Request, v *visit) (itemPage, error) {
	scope, err := v.scope()
	if err != nil {
		return itemPage{}, err
	}
	it, err := u.svc.ReadItem(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return itemPage{}, err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return itemPage{}, err
	}
	now, by := u.svc.Now(), v.actor()
	p := itemPage{Item: it, Ladder: ladder(r.Context(), it), Story: story(r.Context(), it), Age: age(r.Context(), it.CreatedAt, now), Outlets: outletChoices(r.Context(), g, now), Vantage: u.svc.Vantage}
	if e, err := g.Scope.Covers(it.Item.Outlet, now); err == nil {
		p.InScope = e.Ref + ", " + e.LegalAct
	}
	found := slices.ContainsFunc(it.Finders, func(a concert.Authority) bool { return a.ID == by.Authority })
	ours := by.Authority != "" && it.Item.Author == by.Authority
	can := func(m concert.ItemMove) bool { _, err := it.Status.After(m); return err == nil }
	p.MayAssess = v.has(concert.RoleOfficer) && found && can(concert.MoveAssess)
	p.MayDecide = v.has(concert.RoleReviewer) && ours && it.Status == concert.ItemAssessed && mayDecide(it, by)
	p.MayRemedy = (v.has(concert.RoleOfficer) || v.has(concert.RoleReviewer)) && ours && can(concert.MoveWithdraw)
	p.MayLook = v.has(concert.RoleOfficer) && ours && it.Item.Referral != "" && can(concert.MoveSeeUp)
	p.MayOverride = it.Status == concert.ItemHeld && it.Item.MayOverride(by, it.Judged) == nil
	p.MayReview = it.Override.Item != "" && it.Override.MayReview(by, it.Item, it.Approvals) == nil
	p.MayNote = by.Authority != "" && (found || ours) && (v.has(concert.RoleOfficer) || v.has(concert.RoleReviewer)) && it.ErasedAt.IsZero()
	p.keep(v)
	p.captures(v, found, now)
	if r.URL.Query().Get("from") == "approvals" || field(r, "from") == "approvals" {
		p.From = "approvals"
	}
	if p.Folder, err = u.folderingOf(r, v, found || ours); err != nil {
		return p, err
	}
	p.Assess = judging{Outlet: it.Outlet.Ref, Language: it.Language, Evaluation: it.Judged.Evaluation, Mark: it.Judged.Mark, MarkWhere: it.Judged.MarkWhere, Facts: it.Judged.Facts, Judgement: it.Judged.Judgement, Unbranded: it.Judged.Unbranded}
	if err := u.flow(r, v, &p); err != nil {
		return p, err
	}
	if err := u.same(r, v, &p); err != nil {
		return p, err
	}
	if err := u.ordering(r, v, &p); err != nil {
		return p, err
	}
	return p, u.known(r, v, &p)
}

// mayDecide reports whether the actor is a second person for this assessment
// (four eyes): neither its author nor someone who decided before.
func mayDecide(it casework.ItemView, by concert.Actor) bool {
	return it.Item.Assessor != by.Person && !slices.ContainsFunc(it.Approvals, func(a concert.Approval) bool { return a.Reviewer == by.Person })
}

func (u *UI) item(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.itemFor(r, v)
	if err != nil {
		return err
	}
	return u.showItem(w, r, v, p, 0)
}

func (u *UI) showItem(w http.ResponseWriter, r *http.Request, v *visit, p itemPage, status int) error {
	body := itemView(p)
	if !p.Item.ErasedAt.IsZero() {
		body = erasedView(p)
	}
	var scripts []string
	if p.Capture.May {
		scripts = []string{"capture.js"}
	}
	return u.show(w, r, v, view{status: status, title: p.Item.Ref, body: body, wide: true, scripts: scripts})
}

// itemFailed shows the item again with the form as it was typed and what is
// wrong with it.
func (u *UI) itemFailed(w http.ResponseWriter, r *http.Request, v *visit, err error, put func(*itemPage, formErrors)) error {
	errs, err := formErrorsOf(err)
	if err != nil {
		return err
	}
	p, err := u.itemFor(r, v)
	if err != nil {
		return err
	}
	put(&p, errs)
	return u.showItem(w, r, v, p, errs.status(statusOf))
}

// version is the version that the form was made from.
func version(r *http.Request) int64 {
	n, err := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// one is the outcome of an act on one item.
func one(rs []casework.Result, err error) (casework.Result, error) {
	if err != nil {
		return casework.Result{}, err
	}
	if rs[0].Err != nil {
		return rs[0], rs[0].Err
	}
	return rs[0], nil
}

func (u *UI) assessItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	f := judging{Type: field(r, "type"), Purpose: field(r, "purpose"), Outlet: field(r, "outlet"), Mark: field(r, "mark"), MarkWhere: field(r, "mark_where"), Language: field(r, "language"),
		Severity: field(r, "severity"), Evaluation: field(r, "evaluation"), Facts: field(r, "facts"), Judgement: field(r, "judgement"), Unbranded: field(r, "unbranded") != ""}
	res, err := one(u.svc.AssessItems(r.Context(), v.actor(), []casework.Judging{{Item: ref, Version: version(r), Outlet: f.Outlet, Assessment: concert.Assessment{
		Type: concert.ContentType(f.Type), Purpose: concert.Purpose(f.Purpose), Mark: f.Mark, MarkWhere: f.MarkWhere, Unbranded: f.Unbranded, Language: f.Language,
		Severity: concert.Severity(f.Severity), Evaluation: f.Evaluation, Facts: f.Facts, Judgement: f.Judgement}}}))
	if err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) { f.Errors = e; p.Assess = f })
	}
	done := map[string]string{string(concert.ItemRejected): "exempt", string(concert.ItemOutOfScope): "unscoped"}[res.Outcome]
	if done == "" {
		done = "assessed"
	}
	if field(r, "then") == "next" {
		// Copies first: what was just judged need not be seen again.
		if t, err := u.svc.TakeCopy(r.Context(), v.actor(), res.Ref); err == nil && t.Ref != "" {
			return u.toCopy(w, r, v, t.Ref, done, res.Ref)
		}
	}
	return u.afterwards(w, r, v, concert.ItemOpen, "/items/"+res.Ref, done, res.Ref)
}

func (u *UI) decideItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := deciding{Decision: field(r, "decision"), Ground: field(r, "ground")}
	res, err := one(u.svc.DecideItems(r.Context(), v.actor(), []casework.Deciding{{Item: r.PathValue("ref"), Version: version(r), Decision: concert.Decision(f.Decision), Ground: f.Ground}}))
	if err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) { f.Errors = e; p.Decide = f })
	}
	done := map[string]string{string(concert.ItemApproved): "approved", string(concert.ItemRejected): "rejected", string(concert.ItemOutOfScope): "unscoped"}[res.Outcome]
	if done == "" {
		done = "seconded"
	}
	to := "/items/" + res.Ref
	if field(r, "from") == "approvals" {
		to = "/approvals"
	}
	return u.afterwards(w, r, v, concert.ItemAssessed, to, done, res.Ref)
}

func (u *UI) remedyItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := remedying{Kind: field(r, "kind"), Reason: field(r, "reason"), Category: field(r, "category")}
	res, err := one(u.svc.RemedyItems(r.Context(), v.actor(), []casework.Remedying{{Item: r.PathValue("ref"), Version: version(r), Kind: concert.RemedyKind(f.Kind), Reason: f.Reason, Category: concert.RemedyCategory(f.Category)}}))
	if err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) { f.Errors = e; p.Remedy = f })
	}
	return onward(w, r, "/items/"+res.Ref, f.Kind, "")
}

func (u *UI) observeItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := observing{State: field(r, "state"), Vantage: field(r, "vantage")}
	it, err := u.svc.Observe(r.Context(), v.actor(), r.PathValue("ref"), version(r), concert.Observed(f.State), f.Vantage)
	if err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) { f.Errors = e; p.Look = f })
	}
	return onward(w, r, "/items/"+it.Ref, "observed", "")
}
