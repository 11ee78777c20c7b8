package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// redressRoutes are the page of the one whose content went, behind a token; the
// complaints of an authority; and the form on which the authority of the addressee's
// state scrutinises an order.
func (u *UI) redressRoutes() []route {
	return []route{
		{"GET /redress/{token}", u.serve(byLink, u.greetContent)},
		{"POST /redress/{token}", u.serve(byLink, u.openContent)},
		{"POST /redress/{token}/complaint", u.serve(byLink, u.complainByLink)},
		{"POST /redress/{token}/scrutiny", u.serve(byLink, u.askScrutinyByLink)},
		{"POST /redress/{token}/copy", u.serve(byLink, u.contentCopy)},

		{"GET /complaints", u.serve(person, u.complaints)},
		{"GET /complaints/{ref}", u.serve(person, u.complaint)},
		{"POST /complaints/{ref}/decision", u.serve(person, u.decideComplaint)},

		{"GET /orders/{ref}/scrutiny", u.serve(person, u.scrutiny)},
		{"POST /orders/{ref}/scrutiny/intention", u.serve(person, u.intendScrutiny)},
		{"POST /orders/{ref}/scrutiny/decision", u.serve(person, u.decideScrutiny)},
		{"POST /orders/{ref}/scrutiny/look", u.serve(person, u.lookAtOrder)},
		{"GET /orders/{ref}/scrutiny/package.json", u.serve(person, u.scrutinyPackage)},
	}
}

var complaintOutcomes = map[concert.ComplaintOutcome]state{
	"":                        {Mark: "○", Label: "open", Tone: "wait"},
	concert.ComplaintUpheld:   {Mark: "✓", Label: "upheld: it is taken back", Tone: "good"},
	concert.ComplaintPartly:   {Mark: "◐", Label: "upheld in part: it is put right", Tone: "go"},
	concert.ComplaintRejected: {Mark: "✕", Label: "rejected", Tone: "end"},
}

var scrutinyOutcomes = map[concert.ScrutinyOutcome]state{
	"":                         {Mark: "○", Label: "open", Tone: "wait"},
	concert.ScrutinyClear:      {Mark: "✓", Label: "no infringement found", Tone: "end"},
	concert.ScrutinyRegulation: {Mark: "▲", Label: "infringes the Regulation: the order is void", Tone: "bad"},
	concert.ScrutinyCharter:    {Mark: "▲", Label: "infringes fundamental rights: the order is void", Tone: "bad"},
}

var scrutinyAskers = map[concert.RedressParty]design.Text{
	"":                      "on the authority’s own motion",
	concert.RedressProvider: "asked for by the provider",
	concert.RedressContent:  "asked for by the content provider",
}

// redressPage is the page of the one whose content went.
type redressPage struct {
	casework.RedressView
	Token  string
	Text   string // a complaint or a request as it was typed
	Done   design.Text
	Errors formErrors
	Typing string // which of the two forms Text is of
}

// typed is what was typed into a form that was refused, "" for the other one.
func (p redressPage) typed(form string) string {
	if p.Typing != form {
		return ""
	}
	return p.Text
}

// contentGone says the same of a token that is unknown, over, or kept from its holder.
func contentGone(err error) error {
	if isNotFound(err) {
		return concert.Refuse(concert.NotFound, "content_link.nothing", "", "nothing can be shown here: the link may have been cut when it was copied, may be over, or may show something later. Ask whoever gave it to you")
	}
	return err
}

// greetContent says that there is something to show, and nothing of what.
func (u *UI) greetContent(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.GreetContent(r.Context(), r.PathValue("token")); err != nil {
		return contentGone(err)
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Your content"), body: greetContentView(r.PathValue("token"))})
}

func (u *UI) openContent(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showContent(w, r, v, redressPage{})
}

func (u *UI) showContent(w http.ResponseWriter, r *http.Request, v *visit, p redressPage) error {
	var err error
	p.Token = r.PathValue("token")
	if p.RedressView, err = u.svc.OpenContent(r.Context(), p.Token); err != nil {
		return contentGone(err)
	}
	return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Your content"), body: redressView(p)})
}

func (u *UI) complainByLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := redressPage{Text: field(r, "text"), Typing: "complaint", Done: "Your complaint is recorded. Its answer will stand on this page."}
	_, err := u.svc.ComplainByLink(r.Context(), r.PathValue("token"), p.Text)
	return u.afterContent(w, r, v, p, err)
}

func (u *UI) askScrutinyByLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := redressPage{Text: field(r, "request"), Typing: "scrutiny", Done: "Your request is recorded. The decision will stand on this page."}
	return u.afterContent(w, r, v, p, u.svc.AskScrutinyByLink(r.Context(), r.PathValue("token"), p.Text))
}

func (u *UI) afterContent(w http.ResponseWriter, r *http.Request, v *visit, p redressPage, err error) error {
	if p.Errors, err = formErrorsOf(err); err != nil {
		return contentGone(err)
	}
	if len(p.Errors) == 0 {
		return u.showContent(w, r, v, redressPage{Done: p.Done})
	}
	p.Done = ""
	return u.showContent(w, r, v, p)
}

// contentCopy is the content provider's copy of the order: a form of its own, so that
// no program that follows links takes it.
func (u *UI) contentCopy(w http.ResponseWriter, r *http.Request, v *visit) error {
	pdf, err := u.svc.ContentDocument(r.Context(), r.PathValue("token"), design.ReaderOf(r.Context()).Language.Code)
	if err != nil {
		return contentGone(err)
	}
	u.attach(w, r, "application/pdf", "order.pdf", pdf)
	return nil
}

// attach writes a file to keep.
func (u *UI) attach(w http.ResponseWriter, r *http.Request, kind, name string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if _, err := w.Write(body); err != nil {
		u.log.Debug("file not delivered", "pattern", r.Pattern, "err", err)
	}
}

func (u *UI) complaints(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	cs, err := u.svc.Complaints(r.Context(), scope)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Complaints"), body: complaintsView(cs, u.svc.Now()), wide: true})
}

// complaintPage is one complaint with its decision as it was typed.
type complaintPage struct {
	casework.ComplaintView
	Late, MayDecide           bool
	Picked, Category, Reasons string
	Errors                    formErrors
}

func (u *UI) complaint(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showComplaint(w, r, v, complaintPage{})
}

func (u *UI) showComplaint(w http.ResponseWriter, r *http.Request, v *visit, p complaintPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.ComplaintView, err = u.svc.ReadComplaint(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Late, p.MayDecide = p.Complaint.Late(u.svc.Now()), p.Open() && !p.Involved && v.has(concert.RoleReviewer)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Complaint %s", p.Ref), body: complaintView(p)})
}

func (u *UI) decideComplaint(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := complaintPage{Picked: field(r, "outcome"), Category: field(r, "category"), Reasons: field(r, "reasons")}
	_, err := u.svc.DecideComplaint(r.Context(), v.actor(), r.PathValue("ref"), version(r), concert.Ruling{Outcome: concert.ComplaintOutcome(p.Picked), Category: concert.RemedyCategory(p.Category), Reasons: p.Reasons})
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showComplaint(w, r, v, p)
	}
	return onward(w, r, "/complaints/"+r.PathValue("ref"), "complaint_decided", "")
}

// scrutinyPage is an order with its scrutinies, and the forms of whoever scrutinises.
type scrutinyPage struct {
	casework.ScrutinyView
	Intended                        bool // the issuing authority was told of an intention
	Waits                           bool // a decision may be given now
	Look                            bool // the order has ended
	Picked, Category, Reason, Found string
	Errors                          formErrors
}

func (u *UI) scrutiny(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showScrutiny(w, r, v, scrutinyPage{})
}

func (u *UI) showScrutiny(w http.ResponseWriter, r *http.Request, v *visit, p scrutinyPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.ScrutinyView, err = u.svc.ReadScrutiny(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	for _, s := range p.Scrutinies {
		if s.Open() {
			p.Waits = true
			p.Intended = p.Intended || !s.IntendedAt.IsZero()
		}
	}
	for _, d := range p.Deadlines {
		p.Waits = p.Waits || d.Term == concert.TermOwnScrutiny && d.State == concert.DeadlineRunning
	}
	p.Waits, p.Look = p.Waits && p.May && p.Status.Binds(), !p.Status.Binds() && v.person.Provider == ""
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Scrutiny of order %s", p.Ref), body: scrutinyView(p)})
}

func (u *UI) intendScrutiny(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := scrutinyPage{Reason: field(r, "reason")}
	_, err := u.svc.IntendScrutiny(r.Context(), v.actor(), r.PathValue("ref"), version(r), p.Reason)
	return u.afterScrutiny(w, r, v, p, "scrutiny_intended", err)
}

func (u *UI) decideScrutiny(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := scrutinyPage{Picked: field(r, "outcome"), Category: field(r, "category"), Found: field(r, "reason")}
	_, err := u.svc.DecideScrutiny(r.Context(), v.actor(), r.PathValue("ref"), version(r), concert.Finding{Outcome: concert.ScrutinyOutcome(p.Picked), Category: concert.RemedyCategory(p.Category), Reasons: p.Found})
	return u.afterScrutiny(w, r, v, p, "scrutiny_decided", err)
}

func (u *UI) lookAtOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.afterScrutiny(w, r, v, scrutinyPage{}, "observed", u.svc.LookAtOrder(r.Context(), v.actor(), r.PathValue("ref")))
}

func (u *UI) afterScrutiny(w http.ResponseWriter, r *http.Request, v *visit, p scrutinyPage, done string, err error) error {
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showScrutiny(w, r, v, p)
	}
	return onward(w, r, "/orders/"+r.PathValue("ref")+"/scrutiny", done, "")
}

func (u *UI) scrutinyPackage(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	raw, err := u.svc.ScrutinyPackage(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	u.attach(w, r, "application/json", "scrutiny.json", raw)
	return nil
}
