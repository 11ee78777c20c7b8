package webui

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) incidentRoutes() []route {
	return []route{
		{"GET /incidents", u.serve(person, u.incidents)},
		{"POST /incidents", u.serve(person, u.declareIncident)},
		{"GET /incidents/{ref}", u.serve(person, u.incident)},
		{"POST /incidents/{ref}/items", u.serve(person, u.attachToIncident)},
		{"POST /incidents/{ref}/end", u.serve(person, u.endIncident)},
	}
}

var incidentKinds = map[concert.IncidentKind]design.Text{concert.IncidentAttack: "Attack", concert.IncidentClaim: "Claim of responsibility", concert.IncidentOther: "Other incident"}

// incidentsPage lists incidents, newest first.
type incidentsPage struct {
	Rows       []casework.IncidentView
	Next       string
	MayDeclare bool
	Form       entered
}

func (u *UI) incidents(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showIncidents(w, r, v, entered{})
}

func (u *UI) showIncidents(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := incidentsPage{Form: form, MayDeclare: v.actor().MayDeclare() == nil}
	if p.Rows, err = u.svc.Incidents(r.Context(), scope, false, concert.IncidentID(clean(r.URL.Query().Get("before"))), casesMost+1); err != nil {
		return err
	}
	if len(p.Rows) > casesMost {
		p.Rows = p.Rows[:casesMost]
		p.Next = "/incidents?before=" + string(p.Rows[casesMost-1].ID)
	}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: say(r.Context(), "Incidents"), body: incidentsView(p), wide: true})
}

func (u *UI) declareIncident(w http.ResponseWriter, r *http.Request, v *visit) error {
	at, err := time.Parse("2006-01-02T15:04", field(r, "at"))
	if err != nil {
		at = time.Time{} // the rule says that it is missing
	}
	n, err := u.svc.DeclareIncident(r.Context(), v.actor(), concert.Incident{Kind: concert.IncidentKind(field(r, "kind")), Name: field(r, "name"), Country: strings.ToUpper(field(r, "country")), At: at})
	if err != nil {
		form, err := refusedForm(r, "declare", err, "kind", "name", "country", "at")
		if err != nil {
			return err
		}
		return u.showIncidents(w, r, v, form)
	}
	return onward(w, r, "/incidents/"+n.Ref, "incident_declared", n.Ref)
}

// incidentPage is one incident with the reader's own items.
type incidentPage struct {
	casework.IncidentView
	Statuses  []statusCount
	MayAttach bool
	MayEnd    bool
	Next      string
	Form      entered
}

// statusCount is how many items stand where, of all authorities and of one's own.
type statusCount struct {
	Status   concert.ItemStatus
	All, Own int
}

func (u *UI) incident(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showIncident(w, r, v, entered{})
}

func (u *UI) showIncident(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	n, err := u.svc.ReadIncident(r.Context(), scope, r.PathValue("ref"), concert.ItemID(clean(r.URL.Query().Get("after"))))
	if err != nil {
		return err
	}
	by := v.actor()
	p := incidentPage{IncidentView: n, Form: form, MayAttach: n.Lasts() && by.MayKeepCases() == nil}
	_, _, err = n.Ended(by, u.svc.Now())
	p.MayEnd = err == nil
	for _, s := range concert.ItemStatuses {
		if n.Counts[s] > 0 {
			p.Statuses = append(p.Statuses, statusCount{s, n.Counts[s], n.Own[s]})
		}
	}
	if k := len(n.Items); k == casePageItems {
		p.Next = "/incidents/" + n.Ref + "?after=" + string(n.Items[k-1].ID)
	}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: n.Name, body: incidentView(p), wide: true})
}

func (u *UI) attachToIncident(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := refusalOf(u.svc.AttachToIncident(r.Context(), v.actor(), r.PathValue("ref"), references(r.PostForm.Get("items"))))
	return u.onIncident(w, r, v, "attach", "incident_attached", err, "items")
}

func (u *UI) endIncident(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.EndIncident(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.onIncident(w, r, v, "end", "incident_ended", err)
}

func (u *UI) onIncident(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error, fields ...string) error {
	if err != nil {
		f, err := refusedForm(r, form, err, fields...)
		if err != nil {
			return err
		}
		return u.showIncident(w, r, v, f)
	}
	return onward(w, r, "/incidents/"+r.PathValue("ref"), done, "")
}

// incidentState is whether an incident raises its items.
func incidentState(n concert.Incident) state {
	if n.Lasts() {
		return state{Mark: "▲", Label: "Lasts: its items come first", Tone: "bad"}
	}
	return state{Mark: "■", Label: "Ended", Tone: "end"}
}

// openIncidents are those that an item can be handed in with, for a form.
func (u *UI) openIncidents(r *http.Request, v *visit) ([]choice, error) {
	if v.actor().MayKeepCases() != nil {
		return nil, nil
	}
	scope, err := concert.NewScope(v.actor(), v.why)
	if err != nil {
		return nil, err
	}
	ns, err := u.svc.Incidents(r.Context(), scope, true, "", casesMost)
	if err != nil {
		return nil, err
	}
	out := make([]choice, 0, len(ns))
	for _, n := range ns {
		out = append(out, choice{n.Ref, n.Name})
	}
	slices.SortFunc(out, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return out, nil
}
