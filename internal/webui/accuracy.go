package webui

import (
	"net/http"

	"concert/internal/casework"
)

// accuracyPage is how accurate officers were, as far as this person may see it.
type accuracyPage struct{ Officers []casework.OfficerAccuracy }

func (u *UI) accuracy(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	officers, err := u.svc.ReadAccuracy(r.Context(), scope)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Accuracy"), body: accuracyView(accuracyPage{officers}), wide: true})
}

// accuracyState says what follows from an officer's numbers.
func accuracyState(o casework.OfficerAccuracy) state {
	switch {
	case !o.Known():
		return state{Mark: "–", Label: "too few to conclude anything", Tone: "end"}
	case o.Low():
		return state{Mark: "▲", Label: "one approval more for every assessment", Tone: "bad"}
	}
	return state{Mark: "✓", Label: "as usual", Tone: "good"}
}
