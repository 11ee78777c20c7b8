package webui

import (
	"net/http"

	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// orderGreeting is what stands behind a link to an order before a person asks for it.
type orderGreeting struct{ Token, Provider string }

// greetOrderLink says that there is something to show, and nothing of what: programs
// that check mail follow every link, and that proves no receipt (G11).
func (u *UI) greetOrderLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.svc.GreetOrderLink(r.Context(), r.PathValue("token"))
	if err != nil {
		return linkGone(err)
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Read and answer a removal order"), body: greetOrderView(orderGreeting{r.PathValue("token"), p.Name})})
}

func (u *UI) openOrderLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOrderLink(w, r, v, ownOrderPage{})
}

func (u *UI) showOrderLink(w http.ResponseWriter, r *http.Request, v *visit, p ownOrderPage) error {
	token := r.PathValue("token")
	l, err := u.svc.OpenOrderLink(r.Context(), token)
	if err != nil {
		return linkGone(err)
	}
	p.OrderView, p.Token, p.Path, p.Finished, p.MayAnswer = l.OrderView, token, "/order-answer/"+token, l.Finished, l.Status.Binds() && !l.Finished
	if !p.Finished {
		annex, err := u.svc.OrderFormByLink(r.Context(), token)
		if err == nil {
			p.Annex = asPart(annex)
		} else if !isCode(err, "order.erased") {
			return err
		}
	}
	p.fill(u.svc.Now())
	p.Steps = nil // the link shows the order and takes its answer; the story is for those with an account
	return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Removal order %s", p.Ref), body: ownOrderView(p)})
}

func (u *UI) feedOrderLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.answerOrderLink(w, r, v, "feedback", "Annex II is recorded. Thank you.")
}

func (u *UI) impedeOrderLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.answerOrderLink(w, r, v, "impossible", "Annex III is recorded. The hour stands still until the authority answers, or what hinders you is over.")
}

func (u *UI) answerOrderLink(w http.ResponseWriter, r *http.Request, v *visit, which string, done design.Text) error {
	f := orderFormOf(r, which)
	a, err := f.answer()
	if err == nil {
		err = u.svc.AnswerOrderByLink(r.Context(), r.PathValue("token"), a)
	}
	return u.afterOrderLink(w, r, v, f, err, done)
}

func (u *UI) resumeOrderLink(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := orderFormOf(r, "over")
	err := u.svc.ResumeOrderByLink(r.Context(), r.PathValue("token"), f.Over)
	return u.afterOrderLink(w, r, v, f, err, "Recorded. The hour runs anew from now.")
}

func (u *UI) afterOrderLink(w http.ResponseWriter, r *http.Request, v *visit, f orderReplyForm, err error, done design.Text) error {
	errs, err := formErrorsOf(err)
	if err != nil {
		return linkGone(err)
	}
	if len(errs) > 0 {
		return u.showOrderLink(w, r, v, ownOrderPage{Form: f, Errors: f.apart(errs)})
	}
	return u.showOrderLink(w, r, v, ownOrderPage{Done: done})
}

// orderLinkFile gives the order as a document, to a person who asks for it by a form.
func (u *UI) orderLinkFile(form casework.OrderForm) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		ref, raw, err := u.svc.OrderDocumentByLink(r.Context(), r.PathValue("token"), form)
		if err != nil {
			return linkGone(err)
		}
		if form == casework.OrderAsPDF {
			return download(w, "application/pdf", ref+"-order.pdf", raw)
		}
		return download(w, "application/json", ref+"-order.json", raw)
	}
}
