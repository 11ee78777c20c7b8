package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
)

// looking is the form of a second look as it was typed; Ref says whose.
type looking struct {
	Ref, Verdict, Type, Reason string
	Errors                     formErrors
}

// looksPage is what waits for a second pair of eyes, blind, and what the
// person's authority was disagreed with.
type looksPage struct {
	Waiting   []casework.BlindLook
	Disagreed []casework.Disagreement
	Form      looking
	Reviewer  bool
}

// form is the form of one item: as it was typed where it was this one.
func (p looksPage) form(ref string) looking {
	if p.Form.Ref == ref {
		return p.Form
	}
	return looking{Ref: ref}
}

// homeless are refusals of a look that does not wait any more.
func (p looksPage) homeless() formErrors {
	for _, l := range p.Waiting {
		if l.Ref == p.Form.Ref {
			return nil
		}
	}
	return p.Form.Errors
}

func (u *UI) secondLooks(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showLooks(w, r, v, looking{})
}

func (u *UI) showLooks(w http.ResponseWriter, r *http.Request, v *visit, f looking) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	looks, err := u.svc.ListSecondLooks(r.Context(), scope)
	if err != nil {
		return err
	}
	p := looksPage{Waiting: looks.Waiting, Disagreed: looks.Disagreed, Form: f, Reviewer: v.has(concert.RoleReviewer)}
	return u.show(w, r, v, view{status: f.Errors.status(statusOf), title: say(r.Context(), "Second looks"), body: looksView(p)})
}

func (u *UI) lookAgain(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := looking{Ref: r.PathValue("ref"), Verdict: field(r, "verdict"), Type: field(r, "type"), Reason: field(r, "reason")}
	_, err := u.svc.LookAgain(r.Context(), v.actor(), f.Ref, concert.SecondLook{Verdict: concert.LookVerdict(f.Verdict), Type: concert.ContentType(f.Type), Note: f.Reason})
	if err != nil {
		if f.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showLooks(w, r, v, f)
	}
	return onward(w, r, "/second-looks", "looked", "")
}

// lookTexts say what a second pair of eyes said.
var lookTexts = map[concert.LookVerdict]state{
	concert.LookAgree:    {Mark: "✓", Label: "would refer it, too", Tone: "good"},
	concert.LookDisagree: {Mark: "▲", Label: "would not refer it: exempt, or no terrorist content", Tone: "bad"},
}
