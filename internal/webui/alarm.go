package webui

import (
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// alarmsMost is how many alarms the page lists, newest first.
const alarmsMost = 100

// alarmsPage is what coordinators and auditors must look at.
type alarmsPage struct {
	Reviews []casework.ReviewView
	Alarms  []casework.AlarmView
}

var alarmTexts = map[concert.AlarmKind]design.Text{
	concert.AlarmProbed:     "Met too many holds within 24 hours",
	concert.AlarmUnreviewed: "An overridden hold was not reviewed in time",
}

func (u *UI) alarms(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	alarms, reviews, err := u.svc.Alarms(r.Context(), scope, "", alarmsMost)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Alarms"), body: alarmsView(alarmsPage{Reviews: reviews, Alarms: alarms})})
}
