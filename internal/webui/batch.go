package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var batchStates = map[concert.BatchState]state{
	concert.BatchPrepared:  {Mark: "◐", Label: "waits for a second person", Tone: "wait"},
	concert.BatchConfirmed: {Mark: "◔", Label: "leaves when its window is over", Tone: "go"},
	concert.BatchRecalled:  {Mark: "↩", Label: "recalled", Tone: "end"},
	concert.BatchLeft:      {Mark: "➤", Label: "left", Tone: "good"},
}

var refusalTexts = map[concert.BatchRefusal]design.Text{
	concert.BatchGoes: "goes", concert.BatchUnscoped: "outlet no longer on the scope list", concert.BatchHandling: "its handling code keeps it from providers", concert.BatchPaused: "its author's dispatch is paused",
	concert.BatchFrozen: "waits: the action is frozen", concert.BatchQuieted: "waits: the provider is switched quiet", concert.BatchThrottled: "waits: this action's items an hour", concert.BatchFull: "waits: the provider's capacity this hour",
	concert.BatchClosed: "waits: the provider's quiet hours", concert.BatchGone: "waits: the provider's endpoint is gone",
}

// batchPage is a batch with what each of its items meets.
type batchPage struct {
	casework.BatchView
	Provider string
	Units    map[concert.AuthorityID]concert.Authority
	Goes     int
	Leaves   timeText
	Operator string
	Errors   formErrors
	MayOpen  bool // items, and the coordinator's page
}

func (u *UI) prepareBatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	b, err := u.svc.PrepareBatch(r.Context(), v.actor(), r.PathValue("ref"), field(r, "provider"), number32(field(r, "items")))
	if err != nil {
		return u.acted(w, r, v, "", err)
	}
	return onward(w, r, "/batches/"+b.Ref, "batch_prepared", b.Ref)
}

func (u *UI) batch(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showBatch(w, r, v, nil)
}

func (u *UI) showBatch(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := batchPage{Errors: errs, MayOpen: v.has(concert.RoleCoordinator)}
	if p.BatchView, err = u.svc.ReadBatch(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Provider, p.Units, p.Leaves = shortName(g)(string(p.BatchView.Provider)), g.Authorities, at(p.LeavesAt)
	for _, l := range p.Lines {
		if l.Left+l.Waits == concert.BatchGoes {
			p.Goes++
		}
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Batch %s", p.Ref), body: batchView(p)})
}

func (u *UI) confirmBatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ConfirmBatch(r.Context(), v.actor(), r.PathValue("ref"))
	return u.batched(w, r, v, "batch_confirmed", err)
}

func (u *UI) recallBatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.RecallBatch(r.Context(), v.actor(), r.PathValue("ref"))
	return u.batched(w, r, v, "batch_recalled", err)
}

func (u *UI) batched(w http.ResponseWriter, r *http.Request, v *visit, done string, err error) error {
	if err == nil {
		return onward(w, r, "/batches/"+r.PathValue("ref"), done, r.PathValue("ref"))
	}
	errs, other := formErrorsOf(err)
	if other != nil {
		return other
	}
	if v.actor().Need(concert.RoleCoordinator, concert.RoleReviewer) != nil {
		return err
	}
	return u.showBatch(w, r, v, errs)
}
