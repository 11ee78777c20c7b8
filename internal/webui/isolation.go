package webui

import (
	"net/http"

	"concert"
)

var isolationStates = map[concert.IsolationState]state{
	concert.IsolationBlocked:  {Mark: "⊘", Label: "nothing wider may be asked", Tone: "bad"},
	concert.IsolationWritten:  {Mark: "◐", Label: "waits for a second person", Tone: "wait"},
	concert.IsolationApproved: {Mark: "✓", Label: "approved, and asked", Tone: "good"},
}

// isolationPage is what a provider cannot isolate, and the proportionality.
type isolationPage struct {
	Ref                  string
	Version              int64
	State                concert.IsolationState
	Others               int
	OthersAre            concert.OtherKind
	At                   timeText
	Text                 string
	Writer, Approver     string
	Written, Approved    timeText
	MayWrite, MayApprove bool
	Typed                string
	Errors               formErrors
}

func (u *UI) isolation(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showIsolation(w, r, v, isolationPage{})
}

func (u *UI) showIsolation(w http.ResponseWriter, r *http.Request, v *visit, p isolationPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	it, err := u.svc.ReadItem(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	i := it.Isolation
	if i.Item == "" {
		return concert.Refuse(concert.NotFound, "page.missing", "", "there is no page at this address, or not for you: go back to the start, and choose from the menu")
	}
	own := v.person.Authority != "" && v.person.Authority == it.Item.Author
	p.Ref, p.Version, p.State, p.Others, p.OthersAre, p.At, p.Text = it.Ref, it.Version, i.State(), i.Others, i.OthersAre, at(i.At), i.Text
	ops, err := u.svc.OperatorsOf(r.Context(), i.WrittenBy, i.ApprovedBy)
	if err != nil {
		return err
	}
	p.Writer, p.Approver, p.Written, p.Approved = ops[i.WrittenBy], ops[i.ApprovedBy], at(i.WrittenAt), at(i.ApprovedAt)
	p.MayWrite = own && v.has(concert.RoleOfficer)
	p.MayApprove = own && v.has(concert.RoleReviewer) && p.State == concert.IsolationWritten && i.WrittenBy != v.person.ID
	if p.Typed == "" {
		p.Typed = i.Text
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Proportionality of a wider measure on %s", p.Ref), body: isolationView(p)})
}

func (u *UI) weighIsolation(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, text := r.PathValue("ref"), field(r, "text")
	if _, err := u.svc.WeighIsolation(r.Context(), v.actor(), ref, version(r), text); err != nil {
		return u.refusedIsolation(w, r, v, text, err)
	}
	return onward(w, r, "/items/"+ref+"/proportionality", "weighed", "")
}

func (u *UI) approveIsolation(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	if _, err := u.svc.ApproveIsolation(r.Context(), v.actor(), ref, version(r)); err != nil {
		return u.refusedIsolation(w, r, v, "", err)
	}
	return onward(w, r, "/items/"+ref+"/proportionality", "widened", "")
}

func (u *UI) refusedIsolation(w http.ResponseWriter, r *http.Request, v *visit, typed string, err error) error {
	p := isolationPage{Typed: typed}
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showIsolation(w, r, v, p)
}

func (u *UI) openIsolations(w http.ResponseWriter, r *http.Request, v *visit) error {
	items, err := u.svc.OpenIsolations(r.Context(), v.actor())
	if err != nil {
		return err
	}
	var refs []string
	for _, it := range items {
		refs = append(refs, it.Ref)
	}
	return u.show(w, r, v, view{title: say(r.Context(), "What cannot be isolated"), body: isolationsView(refs)})
}

// article16Page is how an authority means its referrals.
type article16Page struct {
	Authority string
	On, May   bool
	Errors    formErrors
}

func (u *UI) article16(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showArticle16(w, r, v, article16Page{})
}

func (u *UI) showArticle16(w http.ResponseWriter, r *http.Request, v *visit, p article16Page) error {
	a, how, err := u.svc.Article16(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.Authority, p.On, p.May = a.Name, how.Article16, v.has(concert.RoleReviewer)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "How our referrals are meant"), body: article16View(p)})
}

func (u *UI) setArticle16(w http.ResponseWriter, r *http.Request, v *visit) error {
	if _, err := u.svc.SetArticle16(r.Context(), v.actor(), string(v.person.Authority), field(r, "on") == "yes"); err != nil {
		var p article16Page
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showArticle16(w, r, v, p)
	}
	return onward(w, r, "/article16", "meant", "")
}
