package webui

import (
	"net/http"
	"net/url"

	"concert"
	"concert/internal/casework"
)

// threadPage is the talk about one referral.
type threadPage struct {
	Ref, Provider, Author string
	Messages              []casework.QuestionView
	Items                 []string
	MayWrite              bool
	Item, Text            string // as typed
	Errors                formErrors
}

func (u *UI) thread(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showThread(w, r, v, threadPage{Item: clean(r.URL.Query().Get("item"))})
}

func (u *UI) showThread(w http.ResponseWriter, r *http.Request, v *visit, p threadPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	t, err := u.svc.ReadThread(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	p.Ref, p.Provider, p.Author, p.Messages, p.Items = t.Ref, t.Provider.Name, t.Author.Name, t.Messages, t.Items
	_, refused := t.Referral.MayAsk(v.actor())
	p.MayWrite = refused == nil
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Questions on referral %s", p.Ref), body: threadView(p)})
}

func (u *UI) writeQuestion(w http.ResponseWriter, r *http.Request, v *visit) error {
	write := u.svc.ReplyQuestion
	if v.person.Provider != "" {
		write = u.svc.AskQuestion
	}
	ref, item, text := r.PathValue("ref"), field(r, "item"), field(r, "text")
	if _, err := write(r.Context(), v.actor(), ref, item, text); err != nil {
		p := threadPage{Item: item, Text: text}
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showThread(w, r, v, p)
	}
	return onward(w, r, "/referrals/"+ref+"/questions", "written", "")
}

// threadsPage is a page of threads.
type threadsPage struct {
	Tabs  []ownTab
	Lines []casework.ListedThread
	Next  string
}

func (u *UI) threads(w http.ResponseWriter, r *http.Request, v *visit) error {
	waits := concert.Side(r.URL.Query().Get("waits"))
	if waits != concert.SideProvider && waits != concert.SideAuthority {
		waits = concert.SideAuthority
		if v.person.Provider != "" {
			waits = concert.SideProvider
		}
	}
	ts, err := u.svc.Threads(r.Context(), v.actor(), waits, concert.QuestionID(clean(r.URL.Query().Get("before"))), ownPageSize)
	if err != nil {
		return err
	}
	p := threadsPage{Lines: ts, Tabs: []ownTab{
		{Href: "/questions?waits=authority", Text: "The authority is to write", N: -1, Now: waits == concert.SideAuthority},
		{Href: "/questions?waits=provider", Text: "The provider is to write", N: -1, Now: waits == concert.SideProvider},
	}}
	if len(ts) == ownPageSize {
		p.Next = "/questions?" + url.Values{"waits": {string(waits)}, "before": {string(ts[ownPageSize-1].LastID)}}.Encode()
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Questions"), body: threadsView(p)})
}
