package webui

import (
	"net/http"

	"concert"
)

// overriding is the form that lets an item pass a hold, as it was typed.
type overriding struct {
	Reason string
	Errors formErrors
}

// reviewing is the form of an override's review as it was typed.
type reviewing struct {
	Verdict, Reason string
	Errors          formErrors
}

// renamed gives the field of a form its name on a page that has more than one
// reason to ask for.
func renamed(e formErrors, from, to string) formErrors {
	out := make(formErrors, len(e))
	for i, p := range e {
		c := *p
		if c.Field == from {
			c.Field = to
		}
		out[i] = &c
	}
	return out
}

func (u *UI) overrideHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := overriding{Reason: field(r, "override_reason")}
	it, err := u.svc.OverrideHold(r.Context(), v.actor(), r.PathValue("ref"), version(r), f.Reason)
	if err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) { f.Errors = renamed(e, "reason", "override_reason"); p.Pass = f })
	}
	return onward(w, r, "/items/"+it.Ref, "overridden", "")
}

func (u *UI) reviewOverride(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := reviewing{Verdict: field(r, "verdict"), Reason: field(r, "review_reason")}
	ref := r.PathValue("ref")
	if _, err := u.svc.ReviewOverride(r.Context(), v.actor(), ref, concert.Verdict(f.Verdict), f.Reason); err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) { f.Errors = renamed(e, "reason", "review_reason"); p.Review = f })
	}
	return onward(w, r, "/items/"+ref, "reviewed", "")
}
