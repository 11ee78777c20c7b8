// Package httpkit is the manners of HTTP that both doors share: who asks, how
// an error is told, what every answer carries, bounds on what comes in. It
// knows no act and no table.
package httpkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"concert"
	"concert/api"
)

// statusOf is the one table from a kind of refusal to an HTTP status.
var statusOf = map[concert.ErrorKind]int{
	concert.Invalid:     http.StatusUnprocessableEntity,
	concert.Forbidden:   http.StatusForbidden,
	concert.NotFound:    http.StatusNotFound,
	concert.Conflict:    http.StatusConflict,
	concert.TooLarge:    http.StatusRequestEntityTooLarge,
	concert.Unavailable: http.StatusServiceUnavailable,
}

// statusOfCode are codes whose status says more than their kind: what HTTP
// itself has a word for.
var statusOfCode = map[string]int{
	concert.ErrStale.Code:     http.StatusPreconditionFailed,
	"precondition.required":   http.StatusPreconditionRequired,
	"credential.missing":      http.StatusUnauthorized,
	"credential.unknown":      http.StatusUnauthorized,
	"request.method":          http.StatusMethodNotAllowed,
	"request.rate":            http.StatusTooManyRequests,
	"idempotency.in_flight":   http.StatusConflict,
	"request.malformed":       http.StatusBadRequest,
	"request.content_type":    http.StatusUnsupportedMediaType,
	"request.justification":   http.StatusForbidden,
	"cursor.malformed":        http.StatusBadRequest,
	"precondition.malformed":  http.StatusBadRequest,
	"idempotency.key_too_big": http.StatusBadRequest,
	"database.unsure":         http.StatusGatewayTimeout,
	"storage.full":            http.StatusInsufficientStorage,
	"item.erased":             http.StatusGone,
	"capture.erased":          http.StatusGone,
	"factor.stale":            http.StatusUnauthorized,
	"factor.second_step":      http.StatusUnauthorized,
}

// ProblemBase is what problem types begin with; docs/api.md lists the codes.
const ProblemBase = "urn:concert:problem:"

// StatusOf is the HTTP status of an error; 500 for what is not a refusal.
func StatusOf(err error) int {
	var e *concert.Error
	if !errors.As(err, &e) {
		return http.StatusInternalServerError
	}
	if s, ok := statusOfCode[e.Code]; ok {
		return s
	}
	return statusOf[e.Kind]
}

// ProblemOf is the error as a problem document. What is not a refusal says
// nothing of its inside.
func ProblemOf(err error) *api.Problem {
	status := StatusOf(err)
	p := &api.Problem{Status: status, Title: http.StatusText(status)}
	var e *concert.Error
	if errors.As(err, &e) {
		p.Code, p.Detail = e.Code, e.Message
		if e.Field != "" {
			p.Errors = []api.ProblemItem{{Message: e.Message, Location: e.Field}}
		}
	} else {
		p.Code, p.Detail = "internal", "something went wrong on our side; it is logged: try again, and tell the operator if it stays"
	}
	p.Type = ProblemBase + p.Code
	return p
}

// WriteProblem answers with the error as a problem document, and logs what is
// not a refusal.
func WriteProblem(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	p := ProblemOf(err)
	if Ours(err) {
		log.Error("request failed", "method", r.Method, "pattern", r.Pattern, "err", err)
	}
	WriteProblemDocument(w, p)
}

// Ours reports whether an error belongs in the log: it is no refusal, and the
// asker has not gone away. That the database is away is a refusal, told to
// everybody who asks and logged by what works in the background.
func Ours(err error) bool {
	var e *concert.Error
	return !errors.As(err, &e) && !errors.Is(err, context.Canceled)
}

// ProblemHeader is what HTTP asks to go with a problem's status.
func ProblemHeader(p *api.Problem) http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="concert"`)
		if p.Code == concert.ErrStepUp.Code {
			h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="concert", error="insufficient_user_authentication", max_age=%d`, int(concert.FactorTerm.Seconds()))) // RFC 9470
		}
	case http.StatusServiceUnavailable, http.StatusInsufficientStorage, http.StatusGatewayTimeout:
		h.Set("Retry-After", "2")
	}
	return h
}

// WriteProblemDocument answers with the document as it is.
func WriteProblemDocument(w http.ResponseWriter, p *api.Problem) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	for name, values := range ProblemHeader(p) {
		if h.Get(name) == "" {
			h[name] = values
		}
	}
	w.WriteHeader(p.Status)
	body, err := json.Marshal(p)
	if err != nil {
		return // a Problem always marshals; the status is out already
	}
	_, _ = w.Write(body) // a client that went away hears nothing
}
