package webui

import (
	"net/http"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) languageRoutes() []route {
	return []route{
		{"GET /languages", u.serve(person, u.languageForm)},
		{"POST /languages", u.serve(person, u.stateLanguages)},
		{"POST /people/{operator}/languages", u.serve(person, u.setLanguages)},
		{"POST /items/{ref}/translations", u.serve(person, u.recordTranslation)},
		{"POST /items/{ref}/case", u.serve(person, u.fileItem)},
		{"POST /items/{ref}/incident", u.serve(person, u.attachItem)},
	}
}

// languagesPage says which languages a person reads.
type languagesPage struct {
	Typed  string
	Errors formErrors
}

func (u *UI) languageForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().MayKeepCases(); err != nil {
		return err
	}
	return u.showLanguages(w, r, v, languagesPage{Typed: strings.Join(v.person.Languages, " ")})
}

func (u *UI) showLanguages(w http.ResponseWriter, r *http.Request, v *visit, p languagesPage) error {
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Languages that you read"), body: languagesView(p)})
}

func (u *UI) stateLanguages(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := languagesPage{Typed: field(r, "languages")}
	if _, err := u.svc.StateLanguages(r.Context(), v.actor(), "", references(p.Typed)); err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showLanguages(w, r, v, p)
	}
	return onward(w, r, "/languages", "languages", "")
}

func (u *UI) setLanguages(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.StateLanguages(r.Context(), v.actor(), r.PathValue("operator"), references(field(r, "languages")))
	if err != nil {
		var p personPage
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showPerson(w, r, v, p)
	}
	return onward(w, r, "/people/"+r.PathValue("operator"), "roles", "")
}

// foldering is what an item's page offers besides its own course: cases,
// incidents, translations.
type foldering struct {
	May       bool // the reader's authority found or judged the item
	MayFile   bool
	Incidents []choice
	Reads     []string
	Form      entered
}

func (u *UI) folderingOf(r *http.Request, v *visit, ours bool) (foldering, error) {
	by := v.actor()
	f := foldering{May: ours && by.MayWatch() == nil, MayFile: ours && by.MayKeepCases() == nil, Reads: by.Languages}
	if !f.MayFile {
		return f, nil
	}
	var err error
	f.Incidents, err = u.openIncidents(r, v)
	return f, err
}

var translationKinds = map[concert.TranslationKind]design.Text{concert.TranslationHuman: "a person", concert.TranslationMachine: "a machine: a help, never enough to judge by"}

func (u *UI) recordTranslation(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.RecordTranslation(r.Context(), v.actor(), r.PathValue("ref"), concert.Translation{Kind: concert.TranslationKind(field(r, "kind")), Source: field(r, "source"), Target: field(r, "target"), Translator: field(r, "translator"), Text: clean(r.PostForm.Get("text"))})
	return u.onFolder(w, r, v, "translate", "translated", err, "kind", "target", "translator", "text")
}

func (u *UI) fileItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().MayKeepCases(); err != nil {
		return err
	}
	ref := field(r, "case")
	err := caseMissing(refusalOf(u.svc.AddToCase(r.Context(), v.actor(), ref, []string{r.PathValue("ref")})), ref)
	return u.onFolder(w, r, v, "file", "case_changed", err, "case")
}

func (u *UI) attachItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := refusalOf(u.svc.AttachToIncident(r.Context(), v.actor(), field(r, "incident"), []string{r.PathValue("ref")}))
	return u.onFolder(w, r, v, "attach", "incident_attached", err, "incident")
}

func (u *UI) onFolder(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error, fields ...string) error {
	if err == nil {
		return onward(w, r, "/items/"+r.PathValue("ref"), done, "")
	}
	f, err := refusedForm(r, form, err, fields...)
	if err != nil {
		return err
	}
	p, err := u.itemFor(r, v)
	if err != nil {
		return err
	}
	p.Folder.Form = f
	return u.showItem(w, r, v, p, f.Errors.status(statusOf))
}

// makerOf is who translated: a person of the house by operator number, else as
// it was named.
func makerOf(v casework.ItemView, t concert.Translation) string {
	if t.Maker != "" {
		return v.TranslatedBy[t.Maker]
	}
	return t.Translator
}
