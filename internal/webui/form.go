package webui

import (
	"errors"
	"time"

	"github.com/a-h/templ"

	"concert"
)

// formErrors are what stands in a form's way. Field names the field, "" what
// concerns the form as a whole.
type formErrors []*concert.Error

// formErrorsOf takes what a person can put right; anything else is passed on.
func formErrorsOf(err error) (formErrors, error) {
	var e *concert.Error
	if errors.As(err, &e) && e.Kind != concert.NotFound {
		return formErrors{e}, nil
	}
	return nil, err
}

func (e formErrors) of(field string) string {
	for _, p := range e {
		if p.Field == field {
			return p.Message
		}
	}
	return ""
}

// status is the page's, after what was refused first.
func (e formErrors) status(of func(error) int) int {
	if len(e) == 0 {
		return 0
	}
	return of(e[0])
}

// aria ties a field to its hint and its error.
func (e formErrors) aria(field string, hint bool) templ.Attributes {
	a := templ.Attributes{}
	var by string
	if hint {
		by = "h-" + field
	}
	if e.of(field) != "" {
		a["aria-invalid"] = "true"
		if by != "" {
			by += " "
		}
		by += "e-" + field
	}
	if by != "" {
		a["aria-describedby"] = by
	}
	return a
}

// choice is one of a closed list.
type choice struct{ Value, Text string }

// timeText is a time for machines and for people.
type timeText struct{ machine, text string }

func at(t time.Time) timeText {
	if t.IsZero() {
		return timeText{}
	}
	return timeText{machine(t), when(t)}
}
