package concert

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// TemplateID names a Template.
type TemplateID string

// Limits of a template.
const (
	TemplateNameMost = 80   // characters
	TemplateTextMost = 4000 // characters
)

// TemplatePurpose is where a template is offered.
type TemplatePurpose string

// The purposes of a template.
const (
	TemplateQuestion TemplatePurpose = "question" // a message to a provider
	TemplateRemedy   TemplatePurpose = "remedy"   // the reason of a withdrawal or a correction
	TemplateNote     TemplatePurpose = "note"     // an internal note
)

// TemplatePurposes lists them.
var TemplatePurposes = []TemplatePurpose{TemplateQuestion, TemplateRemedy, TemplateNote}

// Template is a text of an authority with places to be filled: {place}. What
// goes out or on the record with a place that is still open is refused (Filled).
type Template struct {
	ID        TemplateID
	Ref       string
	Authority AuthorityID
	Purpose   TemplatePurpose
	Language  string // BCP 47
	Name      string
	Text      string
	By        PersonID
	At        time.Time
	RetiredAt time.Time // offered no more since then
	Version   int64
}

// openPlace is a place in a text that nobody has filled: braces around a name.
// A lone brace, or one around a sentence, is text.
var openPlace = regexp.MustCompile(`\{[\pL][\pL\pN _-]{0,39}\}`)

// Unfilled are the open places of a text, each once, in order.
func Unfilled(text string) []string {
	var out []string
	for _, p := range openPlace.FindAllString(text, -1) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// Filled refuses a text with open places.
func Filled(field, text string) error {
	if open := Unfilled(text); len(open) > 0 {
		return Refuse(Invalid, "text.unfilled", field, "%s still stands where something is to be filled in: fill every place in braces, then send", strings.Join(open, ", "))
	}
	return nil
}

// With is the template's text with the places filled that are known; the others
// stay open for whoever writes.
func (t Template) With(known map[string]string) string {
	text := t.Text
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if known[name] != "" {
			text = strings.ReplaceAll(text, "{"+name+"}", known[name])
		}
	}
	return text
}

// Written is a new template of the actor's authority.
func (t Template) Written(by Actor, now time.Time) (Template, Event, error) {
	if err := by.needAuthority(RoleReviewer); err != nil {
		if err := by.needAuthority(RoleOfficer); err != nil {
			return t, Event{}, err
		}
	}
	t.Name, t.Text = strings.TrimSpace(t.Name), strings.TrimSpace(t.Text)
	switch {
	case !slices.Contains(TemplatePurposes, t.Purpose):
		return t, Event{}, Refuse(Invalid, "template.purpose", "purpose", "%q is no purpose of a template; the purposes are %v", t.Purpose, TemplatePurposes)
	case t.Name == "" || utf8.RuneCountInString(t.Name) > TemplateNameMost:
		return t, Event{}, Refuse(Invalid, "template.name", "name", "a template needs a name of at most %d characters", TemplateNameMost)
	case t.Text == "" || utf8.RuneCountInString(t.Text) > TemplateTextMost:
		return t, Event{}, Refuse(Invalid, "template.text", "text", "a template needs a text of at most %d characters", TemplateTextMost)
	case len(t.Language) < 2 || len(t.Language) > 35:
		return t, Event{}, Refuse(Invalid, "template.language", "language", "%q is no language code (BCP 47, for example fr): write one", t.Language)
	}
	t.Authority, t.By, t.At = by.Authority, by.Person, now
	return t, NewEvent(EventTemplateWritten, by, string(t.ID), now, RegisterBody{Ref: t.Ref, Kind: string(t.Purpose), Authority: t.Authority}), nil
}

// Retired is the template, offered no more.
func (t Template) Retired(by Actor, now time.Time) (Template, Event, error) {
	if by.Authority == "" || by.Authority != t.Authority {
		return t, Event{}, ErrNotFound
	}
	if err := by.Need(RoleOfficer, RoleReviewer); err != nil {
		return t, Event{}, err
	}
	if !t.RetiredAt.IsZero() {
		return t, Event{}, Refuse(Conflict, "template.retired", "", "template %s is retired already", t.Ref)
	}
	t.RetiredAt = now
	return t, NewEvent(EventTemplateRetired, by, string(t.ID), now, RegisterBody{Ref: t.Ref, Kind: string(t.Purpose), Authority: t.Authority}), nil
}
