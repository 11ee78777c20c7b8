package webui

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// casesMost is how many rows a page of incidents has.
const casesMost = 50

func (u *UI) caseRoutes() []route {
	return []route{
		{"GET /cases", u.serve(person, u.cases)},
		{"GET /cases.csv", u.serve(person, u.casesCSV)},
		{"POST /cases", u.serve(person, u.openCase)},
		{"GET /cases/{ref}", u.serve(person, u.oneCase)},
		{"POST /cases/{ref}/members", u.serve(person, u.addMember)},
		{"POST /cases/{ref}/members/remove", u.serve(person, u.removeMember)},
		{"POST /cases/{ref}/lead", u.serve(person, u.leadCase)},
		{"POST /cases/{ref}/mandate", u.serve(person, u.mandateCase)},
		{"POST /cases/{ref}/review", u.serve(person, u.reviewCase)},
		{"POST /cases/{ref}/close", u.serve(person, u.closeCase)},
		{"POST /cases/{ref}/items", u.serve(person, u.addToCase)},
		{"POST /cases/{ref}/items/remove", u.serve(person, u.removeFromCase)},
		{"POST /cases/{ref}/persons", u.serve(person, u.addCasePerson)},
		{"POST /cases/{ref}/persons/{person}/category", u.serve(person, u.categoriseCasePerson)},
		{"POST /cases/{ref}/persons/{person}/erasure", u.serve(person, u.askCasePersonErasure)},
		{"POST /cases/{ref}/persons/{person}/erasure/confirm", u.serve(person, u.eraseCasePerson)},
	}
}

// casesPage lists the cases that the reader is a member of.
type casesPage struct {
	Sheet   design.Sheet
	MayOpen bool
	Coming  []concert.Exhibit // on their way to the reader's authority
	Form    entered
}

var dataSubjects = map[concert.DataSubject]design.Text{
	concert.SubjectSuspect: "Suspect", concert.SubjectConvicted: "Convicted", concert.SubjectVictim: "Victim", concert.SubjectWitness: "Witness", concert.SubjectContact: "Contact or associate", concert.SubjectOther: "Other person",
}

func (u *UI) cases(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showCases(w, r, v, entered{})
}

func (u *UI) showCases(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	l, err := u.caseListing(r.Context(), v)
	if err != nil {
		return err
	}
	coming, err := u.coming(r.Context(), v)
	if err != nil {
		return err
	}
	return l.showAfter(u, w, r, v, "Cases", form.Errors, func(s design.Sheet) templ.Component {
		return casesView(casesPage{s, v.actor().MayKeepCases() == nil, coming, form})
	})
}

// mandateField reads a mandate, valid to the end of its last day (UTC).
func mandateField(r *http.Request) concert.Mandate {
	m := concert.Mandate{Reference: field(r, "reference"), Issuer: field(r, "issuer"), On: dayField(r, "mandate_on"), Until: dayField(r, "mandate_until")}
	if !m.Until.IsZero() {
		m.Until = m.Until.AddDate(0, 0, 1)
	}
	return m
}

func (u *UI) openCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := u.svc.OpenCase(r.Context(), v.actor(), concert.Case{Title: field(r, "title"), Mandate: mandateField(r), Handling: concert.Handling(field(r, "handling"))})
	if err != nil {
		form, err := refusedForm(r, "open", err, "title", "mandate", "mandate_on", "mandate_until", "handling")
		if err != nil {
			return err
		}
		return u.showCases(w, r, v, form)
	}
	return onward(w, r, "/cases/"+c.Ref, "case_opened", c.Ref)
}

// casePage is one case for a member, or for an auditor, who only reads.
type casePage struct {
	casework.CaseView
	State               state
	Member, Leads, Open bool
	Overdue             bool
	MayReview           bool
	Self                concert.PersonID
	Next                string
	Form                entered
}

func (u *UI) oneCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showCase(w, r, v, entered{})
}

func (u *UI) showCase(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	c, err := u.svc.ReadCase(r.Context(), scope, r.PathValue("ref"), concert.ItemID(clean(r.URL.Query().Get("after"))))
	if err != nil {
		return err
	}
	by := v.actor()
	p := casePage{CaseView: c, State: caseState(c, u.svc.Now()), Form: form, Member: c.Case.Member(by), Leads: c.Lead == by.Person, Open: c.ClosedAt.IsZero(), Overdue: !u.svc.Now().Before(c.ReviewAt), Self: by.Person}
	p.MayReview = p.Member && !p.Leads && by.Has(concert.RoleReviewer)
	if n := len(c.Items); n > 0 && n < c.ItemCount && n == casePageItems {
		p.Next = "/cases/" + c.Ref + "?after=" + string(c.Items[n-1].ID)
	}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: c.Title, body: caseView(p), wide: true})
}

// lost are refusals of forms that the page does not show.
func (p casePage) lost() formErrors {
	works, leads := p.Member && p.Open, p.Leads && p.Open
	offered := map[string]bool{"member": leads, "mandate": leads, "close": leads, "review": p.MayReview && p.Open, "items": works, "remove": works && len(p.Items) > 0, "person": works}
	for _, x := range p.Persons {
		live := p.Member && x.ErasedAt.IsZero()
		offered["c-"+x.Ref], offered["e-"+x.Ref] = live, live
	}
	return p.Form.homeless(offered)
}

// casePageItems is how many items a reading of a case has at most.
const casePageItems = 200

// onCase does an act on a case and goes back to it.
func (u *UI) onCase(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error, fields ...string) error {
	if err != nil {
		f, err := refusedForm(r, form, err, fields...)
		if err != nil {
			return err
		}
		return u.showCase(w, r, v, f)
	}
	return onward(w, r, "/cases/"+r.PathValue("ref"), done, "")
}

func (u *UI) addMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.AddCaseMember(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "person"))
	return u.onCase(w, r, v, "member", "case_changed", err, "person")
}

func (u *UI) removeMember(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.RemoveCaseMember(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "person"))
	return u.onCase(w, r, v, "member", "case_changed", err, "person")
}

func (u *UI) leadCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.LeadCase(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "person"))
	return u.onCase(w, r, v, "member", "case_changed", err, "person")
}

func (u *UI) mandateCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.MandateCase(r.Context(), v.actor(), r.PathValue("ref"), version(r), mandateField(r))
	return u.onCase(w, r, v, "mandate", "case_changed", err, "mandate", "mandate_on", "mandate_until")
}

func (u *UI) reviewCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ReviewCase(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "ground"))
	return u.onCase(w, r, v, "review", "case_reviewed", err, "ground")
}

func (u *UI) closeCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.CloseCase(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "reason"))
	return u.onCase(w, r, v, "close", "case_closed", err, "reason")
}

// refusalOf is the first refusal among results, nil where there is none.
func refusalOf(rs []casework.Result, err error) error {
	if err != nil {
		return err
	}
	refs, errs := make([]string, len(rs)), make([]*concert.Error, len(rs))
	for i, r := range rs {
		refs[i], errs[i] = r.Ref, r.Err
	}
	return firstRefusal(refs, errs)
}

func (u *UI) addToCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := refusalOf(u.svc.AddToCase(r.Context(), v.actor(), r.PathValue("ref"), references(r.PostForm.Get("items"))))
	return u.onCase(w, r, v, "items", "case_changed", err, "items")
}

func (u *UI) removeFromCase(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := refusalOf(u.svc.RemoveFromCase(r.Context(), v.actor(), r.PathValue("ref"), references(r.PostForm.Get("items")), field(r, "reason")))
	return u.onCase(w, r, v, "remove", "case_changed", err, "items", "reason")
}

func (u *UI) addCasePerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.AddCasePerson(r.Context(), v.actor(), r.PathValue("ref"), concert.CasePerson{Category: concert.DataSubject(field(r, "category")), Name: field(r, "name"), Source: field(r, "source"), Evaluation: field(r, "evaluation"), Ground: field(r, "ground")})
	return u.onCase(w, r, v, "person", "case_changed", err, "category", "name", "source", "evaluation", "ground")
}

func (u *UI) categoriseCasePerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	who := r.PathValue("person")
	_, err := u.svc.CategoriseCasePerson(r.Context(), v.actor(), r.PathValue("ref"), who, version(r), concert.DataSubject(field(r, "category")), field(r, "ground"))
	return u.onCase(w, r, v, "c-"+who, "case_changed", err, "category", "ground")
}

func (u *UI) askCasePersonErasure(w http.ResponseWriter, r *http.Request, v *visit) error {
	who := r.PathValue("person")
	_, err := u.svc.AskCasePersonErasure(r.Context(), v.actor(), r.PathValue("ref"), who, version(r), concert.ErasureCode(field(r, "code")), field(r, "reason"))
	return u.onCase(w, r, v, "e-"+who, "erasure_asked", err, "code", "reason")
}

func (u *UI) eraseCasePerson(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.EraseCasePerson(r.Context(), v.actor(), r.PathValue("ref"), r.PathValue("person"), version(r))
	return u.onCase(w, r, v, "e-"+r.PathValue("person"), "erased", err)
}

// caseState is where a case stands.
func caseState(v casework.CaseView, now time.Time) state {
	switch {
	case !v.ClosedAt.IsZero():
		return state{Mark: "■", Label: "Closed", Tone: "end"}
	case !now.Before(v.ReviewAt):
		return state{Mark: "▲", Label: "Review overdue: nothing can be added", Tone: "bad"}
	case !now.Before(v.Mandate.Until):
		return state{Mark: "▲", Label: "Mandate over: nothing can be added", Tone: "bad"}
	case v.Soon:
		return state{Mark: "◐", Label: "Review due soon", Tone: "wait"}
	}
	return state{Mark: "●", Label: "Open", Tone: "go"}
}

var caseMoments = map[concert.EventKind]design.Text{
	concert.EventCaseOpened: "opened", concert.EventCaseMemberAdded: "let a member in", concert.EventCaseMemberRemoved: "took a member out", concert.EventCaseLed: "handed the lead over", concert.EventCaseMandated: "entered a mandate",
	concert.EventCaseAdded: "added an item", concert.EventCaseRemoved: "took an item out", concert.EventCaseReviewDue: "its review fell due", concert.EventCaseReviewed: "reviewed it", concert.EventCaseClosed: "closed it",
	concert.EventCasePersonAdded: "added a person", concert.EventCasePersonPlaced: "moved a person to another category", concert.EventCasePersonAsked: "asked for the erasure of a person", concert.EventCasePersonErased: "a person was erased",
	concert.EventItemSubmitted: "item handed in", concert.EventItemStopped: "item stopped by the guard", concert.EventItemAssessed: "item assessed", concert.EventItemExempt: "item found exempt", concert.EventItemApproved: "item approved", concert.EventItemRejected: "item rejected",
	concert.EventItemReferred: "item referred", concert.EventItemAnswered: "item answered by its provider", concert.EventItemRechecked: "item looked at again", concert.EventItemWithdrawn: "item withdrawn", concert.EventItemCorrected: "item corrected", concert.EventItemErased: "item erased", concert.EventItemTranslated: "item translated",
}

// momentRef is what an event of a timeline is about: a person of the case or an
// item, by reference.
func momentRef(m casework.CaseMoment) string {
	var b struct{ Ref, Person, Item string }
	if err := json.Unmarshal(m.Body, &b); err != nil {
		return ""
	}
	if m.Kind == concert.EventCaseAdded || m.Kind == concert.EventCaseRemoved {
		return b.Item
	}
	return cmp.Or(b.Person, b.Ref)
}
