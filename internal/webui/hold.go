package webui

import (
	"net/http"

	"concert"
)

// holdsMost is how many holds the page lists, newest first.
const holdsMost = 100

// standing is one hold of the actor's authority.
type standing struct {
	concert.Hold
	Over string // "", "released" or "expired"
}

// holdsPage are the authority's own holds with the form for a new one.
type holdsPage struct {
	Holds                   []standing
	MayPlace                bool
	Location, Contact, Case string
	Errors                  formErrors
	ReleaseRef              string // the hold whose release was refused
	Reason                  string
	ReleaseErrors           formErrors
}

func (u *UI) holds(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showHolds(w, r, v, holdsPage{})
}

func (u *UI) showHolds(w http.ResponseWriter, r *http.Request, v *visit, p holdsPage) error {
	if err := v.actor().Need(concert.RoleOfficer, concert.RoleReviewer); err != nil {
		return err
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	hs, err := u.svc.Holds(r.Context(), scope, "", holdsMost)
	if err != nil {
		return err
	}
	now := u.svc.Now()
	for _, h := range hs {
		s := standing{Hold: h}
		switch {
		case !h.ReleasedAt.IsZero():
			s.Over = "released"
		case !now.Before(h.ExpiresAt):
			s.Over = "expired"
		}
		p.Holds = append(p.Holds, s)
	}
	p.MayPlace = v.has(concert.RoleOfficer)
	status := p.Errors.status(statusOf)
	if status == 0 {
		status = p.ReleaseErrors.status(statusOf)
	}
	return u.show(w, r, v, view{status: status, title: "Holds", body: holdsView(p)})
}

func (u *UI) placeHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := holdsPage{Location: field(r, "location"), Contact: field(r, "contact"), Case: field(r, "case")}
	h, err := u.svc.PlaceHold(r.Context(), v.actor(), p.Location, p.Contact, p.Case)
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showHolds(w, r, v, p)
	}
	return onward(w, r, "/holds", "held", h.Ref)
}

func (u *UI) releaseHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := holdsPage{ReleaseRef: r.PathValue("ref"), Reason: field(r, "reason")}
	h, err := u.svc.ReleaseHold(r.Context(), v.actor(), p.ReleaseRef, version(r), p.Reason)
	if err != nil {
		if p.ReleaseErrors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showHolds(w, r, v, p)
	}
	return onward(w, r, "/holds", "released", h.Ref)
}

// releaseReason is what was typed for the hold whose release was refused.
func releaseReason(p holdsPage, ref string) string {
	if p.ReleaseRef == ref {
		return p.Reason
	}
	return ""
}
