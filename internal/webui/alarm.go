package webui

import (
	"net/http"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// alarmsPage is what coordinators and auditors must look at.
type alarmsPage struct {
	Reviews []casework.ReviewView
	Sheet   design.Sheet
}

var alarmTexts = map[concert.AlarmKind]design.Text{
	concert.AlarmProbed:     "Met too many holds within 24 hours",
	concert.AlarmUnreviewed: "An overridden hold was not reviewed in time",
	concert.AlarmBounced:    "Mail to a contact point came back: it is out of use",
	concert.AlarmWitness:    "A witness has cosigned another history of the log",
	concert.AlarmAudit:      "An auditor's recommendations wait for the authority's answer",
}

func (u *UI) alarms(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.alarmListing(r.Context(), v)
	if err != nil {
		return err
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	_, reviews, err := u.svc.Alarms(r.Context(), scope, "", 1)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Alarms", func(s design.Sheet) templ.Component { return alarmsView(alarmsPage{reviews, s}) })
}
