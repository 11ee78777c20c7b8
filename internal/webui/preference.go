package webui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"concert"
	"concert/internal/design"
)

func (u *UI) preferenceRoutes() []route {
	return []route{
		{"GET /preferences", u.serve(anyone, u.preferenceForm)},
		{"POST /preferences", u.serve(anyone, u.prefer)},
	}
}

// readerCookie keeps how this browser is read: language, time zone, colours, and
// how pictures open.
// It says nothing of a person, and a control room's screen is read by many.
const readerCookie = "concert-reader"

const readerSeconds = 365 * 24 * 3600

var themeTexts = map[string]design.Text{"": "As the device is set", "light": "Light", "dark": "Dark"}

// zones are offered where one types; any other of IANA's is taken too.
var zones = []string{"Africa/Algiers", "Africa/Cairo", "Africa/Tunis", "America/New_York", "Asia/Amman", "Asia/Baghdad", "Asia/Beirut", "Asia/Dubai", "Asia/Riyadh", "Europe/Amsterdam", "Europe/Athens",
	"Europe/Berlin", "Europe/Brussels", "Europe/Bucharest", "Europe/Budapest", "Europe/Copenhagen", "Europe/Dublin", "Europe/Helsinki", "Europe/Lisbon", "Europe/London", "Europe/Luxembourg", "Europe/Madrid",
	"Europe/Paris", "Europe/Prague", "Europe/Rome", "Europe/Sofia", "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "UTC"}

// readerOf is how the browser that asks is read: as was chosen, else as it asks.
func readerOf(r *http.Request) design.Reader {
	out := design.Reader{Language: design.Negotiated(r)}
	c, err := r.Cookie(readerCookie)
	if err != nil {
		return out
	}
	q, err := url.ParseQuery(c.Value)
	if err != nil {
		return out
	}
	if l, ok := design.LanguageOf(q.Get("l")); ok {
		out.Language = l
	}
	if z, ok := design.ZoneOf(q.Get("z")); ok {
		out.Zone = z
	}
	if slices.Contains(design.Themes(), q.Get("t")) {
		out.Theme = q.Get("t")
	}
	return out
}

// preferencesFor is the address where one chooses, from where the reader comes
// back.
func preferencesFor(here string) string {
	if here == "" {
		return "/preferences"
	}
	return "/preferences?" + url.Values{"next": {here}}.Encode()
}

// zoneName is the reader's zone as it was chosen, "" for UTC.
func zoneName(r design.Reader) string {
	if r.Zone == nil || r.Zone.String() == "UTC" {
		return ""
	}
	return r.Zone.String()
}

// preferencePage chooses how this browser is read.
type preferencePage struct {
	Language, Zone, Theme, Next string
	Errors                      formErrors
	Eyes                        eyes
}

func (u *UI) preferenceForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	now := design.ReaderOf(r.Context())
	return u.showPreferences(w, r, v, preferencePage{Language: now.Language.Code, Zone: zoneName(now), Theme: now.Theme, Next: next(r.URL.Query().Get("next")), Eyes: eyesOf(r)})
}

func (u *UI) showPreferences(w http.ResponseWriter, r *http.Request, v *visit, p preferencePage) error {
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "How you read"), body: preferenceView(p)})
}

func (u *UI) prefer(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := preferencePage{Language: field(r, "language"), Zone: field(r, "zone"), Theme: field(r, "theme"), Next: next(field(r, "next")), Eyes: eyesIn(field(r, "blur"), field(r, "grey"), field(r, "reveal"))}
	if _, ok := design.LanguageOf(p.Language); !ok {
		p.Errors = append(p.Errors, concert.Refuse(concert.Invalid, "preference.language", "language", "choose one of the languages"))
	}
	if _, ok := design.ZoneOf(p.Zone); !ok && p.Zone != "" {
		p.Errors = append(p.Errors, concert.Refuse(concert.Invalid, "preference.zone", "zone", "%q is no time zone: write a name like Europe/Brussels, or leave it empty for UTC", p.Zone))
	}
	if !slices.Contains(design.Themes(), p.Theme) {
		p.Errors = append(p.Errors, concert.Refuse(concert.Invalid, "preference.theme", "theme", "choose the colours"))
	}
	if len(p.Errors) > 0 {
		return u.showPreferences(w, r, v, p)
	}
	q := url.Values{"l": {p.Language}, "z": {strings.TrimSpace(p.Zone)}, "t": {p.Theme}}
	p.Eyes.kept(q)
	u.setCookie(w, readerCookie, q.Encode(), readerSeconds)
	return onward(w, r, p.Next, "", "")
}
