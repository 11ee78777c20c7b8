package webui

import (
	"fmt"
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func noteState(n concert.PatternNote) state {
	switch {
	case !n.ReleasedAt.IsZero():
		return state{Mark: "✓", Label: "released to its provider", Tone: "good"}
	case !n.ReviewedAt.IsZero():
		return state{Mark: "◐", Label: "reviewed, waits for one other person", Tone: "wait"}
	}
	return state{Mark: "○", Label: "drafted by a machine", Tone: "wait"}
}

// notesPage is a list of notes.
type notesPage struct{ Notes []casework.NoteView }

// countedLine is one value and how often it stands; Text says it where it is a
// code of ours.
type countedLine struct {
	Value string
	Text  design.Text
	N     int
}

// notePage is one note.
type notePage struct {
	Note                  casework.NoteView
	Types, Hours          []countedLine
	MayReview, MayRelease bool
	Errors                formErrors
}

func (u *UI) ownNotes(w http.ResponseWriter, r *http.Request, v *visit) error {
	ns, err := u.svc.OwnNotes(r.Context(), v.actor())
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Notes on patterns of abuse"), body: notesView(notesPage{ns})})
}

func (u *UI) actionNotes(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	ns, err := u.svc.ActionNotes(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Notes on patterns of abuse"), body: notesView(notesPage{ns})})
}

func (u *UI) note(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showNote(w, r, v, notePage{})
}

func (u *UI) showNote(w http.ResponseWriter, r *http.Request, v *visit, p notePage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	n, err := u.svc.ReadNote(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	p.Note = n
	for _, c := range n.Patterns.Types {
		p.Types = append(p.Types, countedLine{Value: c.Value, Text: typeText(concert.ItemType(c.Value)), N: c.N})
	}
	for h, k := range n.Patterns.Hours {
		if k > 0 {
			p.Hours = append(p.Hours, countedLine{Value: fmt.Sprintf("%02d–%02d", h, h+1), N: k})
		}
	}
	p.MayReview = v.has(concert.RoleCoordinator) && n.ReviewedAt.IsZero()
	p.MayRelease = (v.has(concert.RoleCoordinator) || v.has(concert.RoleReviewer)) && !n.ReviewedAt.IsZero() && n.ReleasedAt.IsZero() && n.ReviewedBy != v.person.ID
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Patterns of abuse: %s", n.Provider.Name), body: noteView(p)})
}

func (u *UI) reviewNote(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ReviewNote(r.Context(), v.actor(), r.PathValue("ref"))
	return u.afterNote(w, r, v, "note_reviewed", err)
}

func (u *UI) releaseNote(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ReleaseNote(r.Context(), v.actor(), r.PathValue("ref"))
	return u.afterNote(w, r, v, "note_released", err)
}

func (u *UI) afterNote(w http.ResponseWriter, r *http.Request, v *visit, done string, err error) error {
	if err == nil {
		return onward(w, r, "/notes/"+r.PathValue("ref"), done, "")
	}
	var p notePage
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showNote(w, r, v, p)
}
