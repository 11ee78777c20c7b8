package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// heldLine is one hold on dispatch, past or standing.
type heldLine struct {
	Since, Until    timeText
	Cause           design.Text
	Reason, Grounds string
}

// dispatchPage says whether anything leaves the house, with the forms to stop
// and to release it.
type dispatchPage struct {
	casework.Dispatching
	Lines   []heldLine
	MayAct  bool
	Reason  string
	Errors  formErrors
	History bool
}

var causeTexts = map[concert.HoldCause]design.Text{
	concert.CauseRestored: "the data were restored from a backup",
	concert.CauseOrdered:  "an administrator stopped it",
}

func (u *UI) dispatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showDispatch(w, r, v, dispatchPage{})
}

func (u *UI) showDispatch(w http.ResponseWriter, r *http.Request, v *visit, p dispatchPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.Dispatching, err = u.svc.ReadDispatch(r.Context(), scope); err != nil {
		return err
	}
	p.MayAct = v.has(concert.RoleAdministrator)
	p.History = p.MayAct || v.has(concert.RoleAuditor)
	for _, h := range p.Dispatching.History {
		p.Lines = append(p.Lines, heldLine{at(h.HeldAt), at(h.ReleasedAt), causeTexts[h.Cause], h.Reason, h.Grounds})
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Dispatch"), body: dispatchView(p)})
}

func (u *UI) holdDispatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := dispatchPage{Reason: field(r, "reason")}
	if _, err := u.svc.HoldDispatch(r.Context(), v.actor(), p.Reason); err != nil {
		return u.dispatchRefused(w, r, v, p, err)
	}
	return onward(w, r, "/dispatch", "dispatchheld", "")
}

func (u *UI) releaseDispatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := dispatchPage{Reason: field(r, "reason")}
	if _, err := u.svc.ReleaseDispatch(r.Context(), v.actor(), p.Reason); err != nil {
		return u.dispatchRefused(w, r, v, p, err)
	}
	return onward(w, r, "/dispatch", "dispatchgoes", "")
}

func (u *UI) dispatchRefused(w http.ResponseWriter, r *http.Request, v *visit, p dispatchPage, err error) error {
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showDispatch(w, r, v, p)
}
