package webui

import (
	"context"
	"net/http"
	"slices"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// standing is one hold of the actor's authority.
type standing struct {
	casework.HoldView
	Over     string // "", "released" or "expired"
	Left     int    // renewals
	MayRenew bool   // this person did not place it
}

// holdsPage are the authority's own holds with the form for a new one.
type holdsPage struct {
	Holds                   []standing
	Sheet                   design.Sheet // the same, with what stands around a list
	MayPlace                bool
	Location, Contact, Case string
	SHA256                  string
	Errors                  formErrors
	ReleaseRef              string // the hold whose release or renewal was refused
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
	l, err := u.holdListing(v)
	if err != nil {
		return err
	}
	read := l.read
	var hs []casework.HoldView
	l.read = func(ctx context.Context, q design.Query, page concert.Page) (concert.Listed[casework.HoldView], error) {
		found, err := read(ctx, q, page)
		hs = found.Rows
		return found, err
	}
	if p.Sheet, err = l.sheet(u, r, v); err != nil {
		return l.refused(u, w, r, v, "Holds", err)
	}
	hs = hs[:min(len(hs), len(p.Sheet.Rows))]
	if p.Sheet.Query.At.Back {
		slices.Reverse(hs)
	}
	now := u.svc.Now()
	for _, h := range hs {
		s := standing{HoldView: h, Left: max(0, concert.HoldRenewals-h.Renewals)}
		switch {
		case !h.ReleasedAt.IsZero():
			s.Over = "released"
		case !now.Before(h.ExpiresAt):
			s.Over = "expired"
		default:
			s.MayRenew = s.Left > 0 && h.PlacedBy != v.person.ID
		}
		p.Holds = append(p.Holds, s)
	}
	p.MayPlace = v.has(concert.RoleOfficer)
	status := p.Errors.status(statusOf)
	if status == 0 {
		status = p.ReleaseErrors.status(statusOf)
	}
	return u.show(w, r, v, view{status: status, title: say(r.Context(), "Holds"), body: holdsView(p)})
}

func (u *UI) placeHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := holdsPage{Location: field(r, "location"), SHA256: field(r, "sha256"), Contact: field(r, "contact"), Case: field(r, "case")}
	h, err := u.svc.PlaceHold(r.Context(), v.actor(), casework.Holding{Location: p.Location, SHA256: p.SHA256, Contact: p.Contact, Case: p.Case})
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showHolds(w, r, v, p)
	}
	return onward(w, r, "/holds", "held", h.Ref)
}

func (u *UI) releaseHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.changeHold(w, r, v, "released", u.svc.ReleaseHold)
}

func (u *UI) renewHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.changeHold(w, r, v, "renewed", u.svc.RenewHold)
}

// changeHold ends or renews one of the authority's own holds, with a reason.
func (u *UI) changeHold(w http.ResponseWriter, r *http.Request, v *visit, done string, act func(context.Context, concert.Actor, string, int64, string) (concert.Hold, error)) error {
	p := holdsPage{ReleaseRef: r.PathValue("ref"), Reason: field(r, "reason")}
	h, err := act(r.Context(), v.actor(), p.ReleaseRef, version(r), p.Reason)
	if err != nil {
		if p.ReleaseErrors, err = formErrorsOf(err); err != nil {
			return err
		}
		p.ReleaseErrors = renamed(p.ReleaseErrors, "reason", "reason-"+p.ReleaseRef)
		return u.showHolds(w, r, v, p)
	}
	return onward(w, r, "/holds", done, h.Ref)
}

// releaseReason is what was typed for the hold whose release or
// renewal was refused.
func releaseReason(p holdsPage, ref string) string {
	if p.ReleaseRef == ref {
		return p.Reason
	}
	return ""
}

var askedStates = map[concert.AskedKind]state{
	concert.AskedDispatch: {Mark: "‖", Label: "stopped by this hold", Tone: "wait"},
	concert.AskedLate:     {Mark: "➤", Label: "had been referred when you placed it; its author may withdraw", Tone: "bad"},
	concert.AskedOverride: {Mark: "⚠", Label: "let through for a threat to life; reviewed within 48 hours", Tone: "bad"},
	concert.AskedAlike:    {Mark: "≈", Label: "holds a copy of what you hold; it was not stopped, and its finder knows nothing of this", Tone: "wait"},
}

// noteTexts are what a note on a hold was written for.
var noteTexts = map[string]design.Text{"renewed": "renewed", "released": "released"}

// renewalsLeft says how often a hold may still be renewed.
func renewalsLeft(n int) design.Text {
	switch n {
	case 0:
		return "it cannot be renewed again"
	case 1:
		return "it can be renewed once more"
	}
	return "it can be renewed twice"
}
