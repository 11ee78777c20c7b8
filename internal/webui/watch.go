package webui

import (
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) watchRoutes() []route {
	return []route{
		{"GET /watchlist", u.serve(person, u.watchlist)},
		{"GET /watchlist.csv", u.serve(person, u.watchlistCSV)},
		{"POST /watchlist", u.serve(person, u.watchPlace)},
		{"GET /watchlist/{ref}", u.serve(person, u.watch)},
		{"POST /watchlist/{ref}/sweep", u.serve(person, u.sweepPlace)},
		{"POST /watchlist/{ref}/end", u.serve(person, u.endWatch)},
		{"POST /sweeps/{ref}/finish", u.serve(person, u.finishSweep)},
	}
}

var sweepOutcomes = map[concert.SweepOutcome]design.Text{
	concert.SweepFound: "items handed in", concert.SweepNone: "nothing there", concert.SweepGone: "the place is gone", concert.SweepGivenUp: "given up", "": "under way",
}

// watchlistPage lists watched places.
type watchlistPage struct {
	Sheet   design.Sheet
	MayAdd  bool
	Outlets []choice
	Form    entered
}

func (u *UI) watchlist(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showWatchlist(w, r, v, entered{})
}

func (u *UI) showWatchlist(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	l, g, err := u.watchListing(r.Context(), v)
	if err != nil {
		return err
	}
	return l.showAfter(u, w, r, v, "Watchlist", form.Errors, func(s design.Sheet) templ.Component {
		return watchlistView(watchlistPage{s, v.actor().MayWatch() == nil, outletChoices(r.Context(), g, u.svc.Now()), form})
	})
}

func (u *UI) watchPlace(w http.ResponseWriter, r *http.Request, v *visit) error {
	hours, err := strconv.Atoi(field(r, "cadence"))
	if err != nil {
		hours = 0 // the rule says that it is missing
	}
	in := casework.Watching{Location: field(r, "location"), Outlet: field(r, "outlet"), Owner: concert.WatchOwner(field(r, "owner")), Case: field(r, "case"), Ground: field(r, "ground"), Cadence: time.Duration(hours) * time.Hour, Until: dayField(r, "until")}
	made, err := u.svc.WatchPlace(r.Context(), v.actor(), in)
	if err != nil {
		form, err := refusedForm(r, "watch", caseMissing(err, in.Case), "location", "outlet", "owner", "case", "ground", "cadence", "until")
		if err != nil {
			return err
		}
		return u.showWatchlist(w, r, v, form)
	}
	return onward(w, r, "/watchlist/"+made.Ref, "watched", made.Ref)
}

// caseMissing says in a form that a case was not found; a page of its own would
// lose what was entered.
func caseMissing(err error, ref string) error {
	if err == nil || ref == "" || !isNotFound(err) {
		return err
	}
	return concert.Refuse(concert.Invalid, "case.unknown", "case", "you are a member of no case %.40q: take its reference from the list of cases", ref)
}

// watchPage is one watched place.
type watchPage struct {
	casework.WatchView
	MaySweep bool // nobody else has it now
	Mine     bool // the reader is going through it
	MayEnd   bool
	InForce  bool
	Form     entered
}

func (u *UI) watch(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showWatch(w, r, v, r.PathValue("ref"), entered{})
}

func (u *UI) showWatch(w http.ResponseWriter, r *http.Request, v *visit, ref string, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	x, err := u.svc.ReadWatch(r.Context(), scope, ref)
	if err != nil {
		return err
	}
	by, now := v.actor(), u.svc.Now()
	p := watchPage{WatchView: x, Form: form, InForce: x.InForce(now)}
	under := x.Now.ID != "" && x.Now.DoneAt.IsZero()
	p.Mine = under && x.Now.Person == by.Person
	p.MaySweep = by.Has(concert.RoleOfficer) && p.InForce && !p.Mine && (!under || !now.Before(x.Now.Until))
	p.MayEnd = by.MayWatch() == nil && x.EndedAt.IsZero()
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: x.Ref, body: watchView(p), wide: true})
}

func (u *UI) sweepPlace(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, _, err := u.svc.SweepPlace(r.Context(), v.actor(), r.PathValue("ref"))
	return u.onWatch(w, r, v, r.PathValue("ref"), "sweep", "swept", err)
}

func (u *UI) finishSweep(w http.ResponseWriter, r *http.Request, v *visit) error {
	x, _, err := u.svc.FinishSweep(r.Context(), v.actor(), r.PathValue("ref"), concert.SweepOutcome(field(r, "outcome")))
	ref := x.Ref
	if err != nil {
		ref = field(r, "watch")
	}
	return u.onWatch(w, r, v, ref, "finish", "sweep_done", err, "outcome")
}

func (u *UI) endWatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.EndWatch(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.onWatch(w, r, v, r.PathValue("ref"), "end", "watch_ended", err)
}

func (u *UI) onWatch(w http.ResponseWriter, r *http.Request, v *visit, ref, form, done string, err error, fields ...string) error {
	if err != nil {
		f, err := refusedForm(r, form, err, fields...)
		if err != nil {
			return err
		}
		return u.showWatch(w, r, v, ref, f)
	}
	return onward(w, r, "/watchlist/"+ref, done, "")
}

// watchState is where a watched place stands: whose turn it is.
func watchState(v casework.WatchView) state {
	switch {
	case !v.EndedAt.IsZero():
		return state{Mark: "■", Label: "No longer watched", Tone: "end"}
	case v.Now.ID != "" && v.Now.DoneAt.IsZero():
		return state{Mark: "◐", Label: "%s is going through it", Tone: "go", Args: []any{v.By}}
	case v.Overdue && v.LastAt.IsZero():
		return state{Mark: "▲", Label: "Not gone through yet", Tone: "wait"}
	case v.Overdue:
		return state{Mark: "▲", Label: "Due", Tone: "wait"}
	}
	return state{Mark: "✓", Label: "Gone through", Tone: "good"}
}
