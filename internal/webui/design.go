package webui

import (
	"net/http"
	"regexp"
	"time"

	"concert"
	"concert/internal/design"
)

func (u *UI) designRoutes() []route {
	return []route{
		{"GET /design", u.serve(anyone, u.designSystem)},
	}
}

// designPage shows every piece that pages are made of, as the pages make them.
type designPage struct {
	Tokens []string
	States []state
	Now    time.Time
}

var colourToken = regexp.MustCompile(`(?m)^\s*(--[a-z-]+): light-dark\(`)

func (u *UI) designSystem(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := designPage{Now: u.svc.Now()}
	sheet, err := design.Stylesheet()
	if err != nil {
		return err
	}
	for _, m := range colourToken.FindAllSubmatch(sheet, -1) {
		p.Tokens = append(p.Tokens, string(m[1]))
	}
	for _, s := range concert.ItemStatuses {
		p.States = append(p.States, itemStates[s])
	}
	return u.show(w, r, v, view{title: say(r.Context(), "How pages are made"), body: designView(p), wide: true})
}

// sampleErrors show what a form says.
var sampleErrors = formErrors{{Kind: concert.Invalid, Code: "page.missing", Field: "sample", Message: "this is what a field says that cannot be taken as it is, with the way out"}}
