package webui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"concert"
)

// entered is a form of a page with many: what was entered into it and what stood in
// its way. Name is the form's, and stands before each of its fields' names.
type entered struct {
	Name   string
	Errors formErrors
	Values url.Values
}

// at is what a field of a form holds: what was entered there before it was refused,
// else the value given.
func (f entered) at(form, field, otherwise string) string {
	if f.Name != form || f.Values == nil {
		return otherwise
	}
	return clean(f.Values.Get(field))
}

// of are the errors of one form.
func (f entered) of(form string) formErrors {
	if f.Name != form {
		return nil
	}
	return f.Errors
}

// homeless are the errors of a form that this person is not, or no longer,
// offered: they stand on top of the page. offered says which forms are.
func (f entered) homeless(offered map[string]bool) formErrors {
	if offered[f.Name] {
		return nil
	}
	var out formErrors
	for _, e := range f.Errors {
		bare := *e
		bare.Field = ""
		out = append(out, &bare)
	}
	return out
}

// refusedForm keeps a form that was refused, for the page to show it again; what
// no person can put right is passed on. Fields are those that the form has.
func refusedForm(r *http.Request, form string, err error, fields ...string) (entered, error) {
	errs, err := formErrorsOf(err)
	if err != nil {
		return entered{}, err
	}
	for i, e := range errs {
		named := *e
		named.Field = ""
		for _, f := range fields {
			if e.Field == f {
				named.Field = form + "-" + f
			}
		}
		errs[i] = &named
	}
	return entered{form, errs, r.PostForm}, nil
}

// references are the references in a text, one a line or between commas.
func references(s string) []string {
	return strings.FieldsFunc(clean(s), func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}

// dayField reads a date; the zero time for nothing, and for what is none, which
// the rule then misses.
func dayField(r *http.Request, name string) time.Time {
	t, err := time.Parse(time.DateOnly, field(r, name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// firstRefusal is the first entry of an act on many that was refused, named.
func firstRefusal(refs []string, errs []*concert.Error) error {
	for i, e := range errs {
		if e == nil {
			continue
		}
		named := e.About(refs[i])
		if errors.Is(e, concert.ErrNotFound) {
			named.Kind = concert.Invalid
			named.Field = "items"
		}
		return named
	}
	return nil
}

// dayValue is a date as a form's field holds it, "" for none.
func dayValue(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
