package webui

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/design"
)

// formErrors are what stands in a form's way. Field names the field, "" what
// concerns the form as a whole.
type formErrors []*concert.Error

// formErrorsOf takes what a person can put right; anything else is passed on.
func formErrorsOf(err error) (formErrors, error) {
	var e *concert.Error
	if errors.As(err, &e) && e.Kind != concert.NotFound && e != concert.ErrStepUp && e != concert.ErrMustEnrol {
		return formErrors{e}, nil
	}
	return nil, err
}

// personTexts say in a form's words what the rule says in codes.
var personTexts = map[string]design.Text{
	"assessment.type":     "Choose the type, (a) to (e), or say that the purpose is exempt",
	"assessment.purpose":  "Choose the outcome of the purpose test",
	"assessment.severity": "Choose how severe it is",
	"recheck.state":       "Choose what you saw",
	"remedy.kind":         "Choose withdrawal or correction",
	"scope.justification": "Say what you are working on, in at least ten characters",
}

// said is what a person reads of a refusal.
func said(ctx context.Context, e *concert.Error) string {
	if s := personTexts[e.Code]; s != "" {
		return say(ctx, s)
	}
	return design.Refusal(ctx, e, worded)
}

func (e formErrors) of(ctx context.Context, field string) string {
	for _, p := range e {
		if p.Field == field {
			return said(ctx, p)
		}
	}
	return ""
}

// at reports whether something stands in the field's way.
func (e formErrors) at(field string) bool {
	return slices.ContainsFunc(e, func(p *concert.Error) bool { return p.Field == field })
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
	if e.at(field) {
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
type timeText struct{ time time.Time }

func at(t time.Time) timeText { return timeText{t} }
