package webui

import (
	"encoding/json"
	"net/http"
	"slices"

	"concert"
	"concert/internal/design"
)

// keeping are the forms that say how long an item is kept and where it may go:
// for its own authority's people. Code and Reason are what was typed in the
// form named Form, which was refused with Errors.
type keeping struct {
	MayAsk, MayErase, MayHold, MayHandle bool
	Form, Code, Reason                   string
	Errors                               formErrors
}

func (k keeping) shown() bool { return k.MayAsk || k.MayErase || k.MayHold || k.MayHandle }

// typed is what was typed in a form that was refused; "" in the others.
func (k keeping) typed(form, text string) string {
	if k.Form == form {
		return text
	}
	return ""
}

// erasureTexts say why an item is erased.
var erasureTexts = map[concert.ErasureCode]design.Text{
	concert.ErasureLawful:    "found lawful, and the thirty days for redress are over",
	concert.ErasureStopped:   "stopped by the guard, and thirty days are over",
	concert.ErasureTakenBack: "taken back before it went out, and thirty days are over",
	concert.ErasureSubject:   "the person concerned asked for it",
	concert.ErasureUnlawful:  "it ought never to have been kept",
	concert.ErasureNotNeeded: "its purpose is over",
	concert.ErasureOrdered:   "a court or a supervisory authority ordered it",
	concert.ErasureMistaken:  "handed in by mistake",
}

// handlingTexts are the handling codes in words.
var handlingTexts = map[concert.Handling]design.Text{
	concert.HandlingOpen:        "H0: only to prevent and combat crime",
	concert.HandlingNotJudicial: "H1: not in judicial proceedings without permission",
	concert.HandlingNotShared:   "H2: not to be passed on without permission",
	concert.HandlingRestricted:  "H3: other restrictions",
}

// keep says what of this the person may do.
func (p *itemPage) keep(v *visit) {
	by, it := v.actor(), p.Item
	own := by.MayKeep(it.Item, concert.RoleOfficer, concert.RoleReviewer) == nil && it.ErasedAt.IsZero()
	reviews := own && v.has(concert.RoleReviewer)
	p.Keep.MayAsk = own && it.HeldLegal.IsZero()
	p.Keep.MayErase = reviews && it.HeldLegal.IsZero() && it.Erasure.AskedBy != "" && it.Erasure.AskedBy != by.Person
	p.Keep.MayHold, p.Keep.MayHandle = reviews, reviews
}

// kept ends a form about keeping: on with the item, or once more with what was
// typed.
func (u *UI) kept(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error) error {
	if err == nil {
		return onward(w, r, "/items/"+r.PathValue("ref"), done, "")
	}
	return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) {
		// Several forms of this page have a reason: the refusal points to none.
		e = slices.Clone(e)
		for i := range e {
			c := *e[i]
			c.Field = ""
			e[i] = &c
		}
		p.Keep.Form, p.Keep.Code, p.Keep.Reason, p.Keep.Errors = form, field(r, "code"), field(r, "reason"), e
	})
}

func (u *UI) askErasure(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := u.svc.AskErasure(r.Context(), v.actor(), r.PathValue("ref"), version(r), concert.ErasureCode(field(r, "code")), field(r, "reason"))
	return u.kept(w, r, v, "erasure", "erasure_asked", err)
}

func (u *UI) eraseItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.kept(w, r, v, "confirm", "erased", u.svc.EraseItem(r.Context(), v.actor(), r.PathValue("ref"), version(r)))
}

func (u *UI) legalHold(w http.ResponseWriter, r *http.Request, v *visit) error {
	if field(r, "lift") != "" {
		return u.kept(w, r, v, "legal", "legal_free", u.svc.LiftLegalHold(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "reason")))
	}
	return u.kept(w, r, v, "legal", "legal_held", u.svc.PlaceLegalHold(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "reason")))
}

func (u *UI) changeHandling(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := u.svc.ChangeHandling(r.Context(), v.actor(), r.PathValue("ref"), version(r), concert.Handling(field(r, "code")), field(r, "reason"))
	return u.kept(w, r, v, "handling", "handled", err)
}

// erasureProof is the proof as a file, for concert verify.
func (u *UI) erasureProof(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p, err := u.svc.ErasureProof(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="erasure.json"`)
	_, err = w.Write(append(text, '\n'))
	if err != nil {
		u.log.Debug("proof not delivered", "path", r.URL.Path, "err", err)
	}
	return nil
}
