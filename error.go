package concert

import "fmt"

// ErrorKind is the closed list of ways an act can be refused. Doors map it to
// their own codes; nothing below a door knows an HTTP number.
type ErrorKind string

// The kinds of refusal.
const (
	Invalid     ErrorKind = "invalid"     // the input breaks a rule of form or of law
	Forbidden   ErrorKind = "forbidden"   // this actor may not
	NotFound    ErrorKind = "not_found"   // there is none, or the actor may not know of it
	Conflict    ErrorKind = "conflict"    // the state has moved on; load again
	TooLarge    ErrorKind = "too_large"   // over a stated bound
	Unavailable ErrorKind = "unavailable" // not now; try again later
)

// Error is a refusal that is safe to show to the person who asked. Every other
// error type is internal.
type Error struct {
	Kind    ErrorKind
	Code    string // stable, for machines: "assessment.same_person"
	Message string // what was wrong, where, and the way out
	Field   string // the field at fault, "" where there is none

	about string // reference of the one among many that was refused
	form  string // Message before what goes into it was put there
	args  []any
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Is makes two refusals equal when their codes are.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Refuse builds an Error of the kind; the message is formatted.
func Refuse(kind ErrorKind, code, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Field: field, Message: fmt.Sprintf(format, args...), form: format, args: args}
}

// About is the refusal of one among many: the message begins with its reference.
func (e *Error) About(ref string) *Error {
	c := *e
	if c.form == "" {
		c.form = c.Message
	}
	c.about, c.Message = ref, ref+": "+e.Message
	return &c
}

// Said is the message's form and what went into it, for whoever says it in
// another language; about is the reference that stands before it, "" for none.
func (e *Error) Said() (about, form string, args []any) {
	if e.form == "" {
		return e.about, e.Message, nil
	}
	return e.about, e.form, e.args
}

// ErrStale is what a save finds when the row has moved on since it was loaded.
var ErrStale = &Error{Kind: Conflict, Code: "stale", Message: "someone else changed this meanwhile; load it again and repeat what still applies"}

// ErrNotFound is what a look-up by id or reference finds nothing with.
var ErrNotFound = &Error{Kind: NotFound, Code: "not_found", Message: "there is nothing here under this reference that you may see: check it, or look for it on the search page"}

// ErrInFlight refuses an Idempotency-Key whose first request is still being
// answered.
var ErrInFlight = &Error{Kind: Conflict, Code: "idempotency.in_flight", Field: "Idempotency-Key", Message: "a request with this Idempotency-Key is still being answered: try again in a moment"}
