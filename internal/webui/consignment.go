package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var consignmentStates = map[concert.ConsignmentState]state{
	concert.ConsignmentPrepared:  {Mark: "◐", Label: "waits for a second person", Tone: "wait"},
	concert.ConsignmentConfirmed: {Mark: "◔", Label: "leaves when its window is over", Tone: "go"},
	concert.ConsignmentRecalled:  {Mark: "↩", Label: "recalled", Tone: "end"},
	concert.ConsignmentLeft:      {Mark: "➤", Label: "left", Tone: "good"},
}

var refusalTexts = map[concert.ConsignmentRefusal]design.Text{
	concert.ConsignmentGoes: "goes", concert.ConsignmentUnscoped: "outlet no longer on the scope list", concert.ConsignmentHandling: "its handling code keeps it from providers", concert.ConsignmentPaused: "its author's dispatch is paused",
	concert.ConsignmentFrozen: "waits: the action is frozen", concert.ConsignmentQuieted: "waits: the provider is switched quiet", concert.ConsignmentThrottled: "waits: this action's items an hour", concert.ConsignmentFull: "waits: the provider's capacity this hour",
	concert.ConsignmentClosed: "waits: the provider's quiet hours", concert.ConsignmentGone: "waits: the provider's endpoint is gone",
}

// consignmentPage is a consignment with what each of its items meets.
type consignmentPage struct {
	casework.ConsignmentView
	Provider string
	Units    map[concert.AuthorityID]concert.Authority
	Goes     int
	Leaves   timeText
	Operator string
	Errors   formErrors
	MayOpen  bool // items, and the coordinator's page
}

func (u *UI) prepareConsignment(w http.ResponseWriter, r *http.Request, v *visit) error {
	b, err := u.svc.PrepareConsignment(r.Context(), v.actor(), r.PathValue("ref"), field(r, "provider"), number32(field(r, "items")))
	if err != nil {
		return u.acted(w, r, v, "", err)
	}
	return onward(w, r, "/consignments/"+b.Ref, "consignment_prepared", b.Ref)
}

func (u *UI) consignment(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showConsignment(w, r, v, nil)
}

func (u *UI) showConsignment(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := consignmentPage{Errors: errs, MayOpen: v.has(concert.RoleCoordinator)}
	if p.ConsignmentView, err = u.svc.ReadConsignment(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Provider, p.Units, p.Leaves = shortName(g)(string(p.ConsignmentView.Provider)), g.Authorities, at(p.LeavesAt)
	for _, l := range p.Lines {
		if l.Left+l.Waits == concert.ConsignmentGoes {
			p.Goes++
		}
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Consignment %s", p.Ref), body: consignmentView(p)})
}

func (u *UI) confirmConsignment(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ConfirmConsignment(r.Context(), v.actor(), r.PathValue("ref"))
	return u.batched(w, r, v, "consignment_confirmed", err)
}

func (u *UI) recallConsignment(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.RecallConsignment(r.Context(), v.actor(), r.PathValue("ref"))
	return u.batched(w, r, v, "consignment_recalled", err)
}

func (u *UI) batched(w http.ResponseWriter, r *http.Request, v *visit, done string, err error) error {
	if err == nil {
		return onward(w, r, "/consignments/"+r.PathValue("ref"), done, r.PathValue("ref"))
	}
	errs, other := formErrorsOf(err)
	if other != nil {
		return other
	}
	if v.actor().Need(concert.RoleCoordinator, concert.RoleReviewer) != nil {
		return err
	}
	return u.showConsignment(w, r, v, errs)
}
