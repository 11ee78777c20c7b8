// Package apiserver is the door for machines: the JSON API of package api over
// HTTP, described by OpenAPI 3.1 that is made from the same types, and the
// transparency log in the public tlog-tiles layout. It decides nothing: it
// reads a request, calls one act, and tells what came of it.
package apiserver

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

// Server answers for one deployment.
type Server struct {
	svc *casework.Service
	log *slog.Logger
	api huma.API

	limits httpkit.Limits

	hashing chan struct{} // a place for each file that is hashed on asking

	mu     sync.Mutex // guards flying
	flying map[string]bool
}

// New is a server over the acts.
func New(svc *casework.Service, log *slog.Logger) *Server {
	return &Server{svc: svc, log: log, flying: map[string]bool{}, hashing: make(chan struct{}, hmaHashing)}
}

// Version is the API's version, as OpenAPI tells it.
const Version = "1.0.0"

// Register puts the API under /api/, the log under /log/ and what clients of
// Hasher-Matcher-Actioner ask under /hma/.
func (s *Server) Register(mux *http.ServeMux) {
	inner := http.NewServeMux()
	cfg := huma.DefaultConfig("Concert", Version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "/api/openapi", "", "/api/schemas", nil
	cfg.Info.Description = "Acting in concert against terrorist content online. Referrals are voluntary. See docs/provider.md for a ten-minute start."
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "API key, csk_…"}}
	cfg.Security = []map[string][]string{{"key": {}}}
	cfg.Transformers = append(cfg.Transformers, problemTransformer)
	s.api = humago.New(inner, cfg)
	s.doors()
	s.people()
	s.factors()
	s.team()
	if s.svc.Host {
		s.received()
		s.hubNotices(mux)
	} else {
		s.hub()
		s.registerHMA(mux)
	}
	inner.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		httpkit.WriteProblem(w, r, s.log, concert.Refuse(concert.NotFound, "request.path", "", "there is nothing at %s %s: /api/openapi.json lists every path", r.Method, r.URL.Path))
	})
	refuse := func(w http.ResponseWriter, r *http.Request, err error) { httpkit.WriteProblem(w, r, s.log, err) }
	mux.Handle("/api/", s.authenticated(refuse, s.idempotent(noNUL(methodProblem(inner, s.log)))))
	for _, r := range s.logRoutes() {
		mux.HandleFunc(r.pattern, r.handler)
	}
}

// hub are the operations of a hub of authorities: a provider's own desk has none of them.
func (s *Server) hub() {
	s.registers()
	s.actions()
	s.items()
	s.referrals()
	s.dispatching()
	s.audits()
	s.workbench()
	s.contacts()
	s.ownItems()
	s.questions()
	s.exposures()
	s.banks()
	s.threats()
}

// Routes are the patterns of every operation, of the log and of /hma/, in the form of
// http.ServeMux: what a test of who may do what goes through. Only after
// Register.
func (s *Server) Routes() []string {
	var out []string
	for path, item := range s.api.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete} {
			if op != nil {
				out = append(out, method+" "+path)
			}
		}
	}
	rest := s.logRoutes()
	if !s.svc.Host {
		rest = append(rest, s.hmaRoutes()...)
	}
	for _, r := range rest {
		out = append(out, r.pattern)
	}
	slices.Sort(out)
	return out
}

// OpenAPI is the description, as JSON.
func (s *Server) OpenAPI() ([]byte, error) { return s.api.OpenAPI().MarshalJSON() }

// authenticated finds out who asks. A request without a credential goes on as
// nobody: most acts refuse it, the public ones do not. A session's cookie is
// good for reading only, so that no other site can make a browser act. refuse tells
// what keeps a request out.
func (s *Server) authenticated(refuse func(http.ResponseWriter, *http.Request, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		token, cookie := httpkit.Token(r)
		var p concert.Person
		var err error
		known := token != "" && (!cookie || r.Method == http.MethodGet || r.Method == http.MethodHead)
		if known {
			p, err = s.svc.Bearer(r.Context(), token)
			// Whoever must have a second factor first may set one up.
			if err == concert.ErrMustEnrol && strings.HasPrefix(r.URL.Path, enrolPath) {
				err = nil
			}
		}
		if err == nil {
			err = s.limits.Take(w, r, p.ID)
		}
		if err == nil && !known {
			next.ServeHTTP(w, r)
			return
		}
		if err != nil {
			refuse(w, r, err)
			return
		}
		ctx := httpkit.WithPerson(r.Context(), p)
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, reasonKey{}, httpkit.Justification(r))))
	})
}

type reasonKey struct{}

// actor is who asks; nobody is told to bring a key.
func actor(ctx context.Context) (concert.Actor, error) {
	p, ok := httpkit.PersonOf(ctx)
	if !ok {
		return concert.Actor{}, concert.Refuse(concert.Forbidden, "credential.missing", "", "this needs an API key: send it as Authorization: Bearer csk_…")
	}
	return p.Actor(), nil
}

// scope is who asks to read, and why.
func scope(ctx context.Context) (concert.Scope, error) {
	a, err := actor(ctx)
	if err != nil {
		return concert.Scope{}, err
	}
	reason, _ := ctx.Value(reasonKey{}).(string)
	return concert.NewScope(a, reason)
}

// problem carries a problem document through the framework.
type problem struct{ *api.Problem }

// GetStatus tells the framework the status.
func (p problem) GetStatus() int { return p.Status }

// ContentType tells the framework the media type.
func (p problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders tells the framework what goes with the status.
func (p problem) GetHeaders() http.Header { return httpkit.ProblemHeader(p.Problem) }

// MarshalJSON writes the document alone.
func (p problem) MarshalJSON() ([]byte, error) { return marshal(p.Problem) }

// fail turns an act's error into what the framework answers.
func (s *Server) fail(err error) error {
	p := httpkit.ProblemOf(err)
	if httpkit.Ours(err) {
		s.log.Error("act failed", "err", err)
	}
	return problem{p}
}

// frameworkCodes are the codes of what the framework refuses before any act;
// every other status of its own is request.invalid.
var frameworkCodes = map[int]string{
	http.StatusBadRequest:            "request.malformed",
	http.StatusRequestTimeout:        "request.timeout",
	http.StatusRequestEntityTooLarge: "request.too_large",
	http.StatusUnsupportedMediaType:  "request.content_type",
}

// problemTransformer gives the framework's own refusals (a missing field, a
// bad enum) the same form and a stable code.
func problemTransformer(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code, ok := frameworkCodes[m.Status]
	if !ok {
		code = "request.invalid"
	}
	p := &api.Problem{Type: httpkit.ProblemBase + code, Code: code, Title: m.Title, Status: m.Status, Detail: m.Detail}
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, api.ProblemItem{Message: e.Message, Location: e.Location, Value: shortValue(e.Value)})
	}
	return p, nil
}

// shortValue keeps a wrong value from making the answer as long as the
// question.
func shortValue(v any) any {
	if s, ok := v.(string); ok && len(s) > 120 {
		return s[:120] + "…"
	}
	switch v.(type) {
	case map[string]any, []any:
		return nil
	}
	return v
}

// methodProblem turns the mux's own 405 into a problem document.
func methodProblem(next *http.ServeMux, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := next.Handler(r); pattern == "/" {
			var allowed []string
			for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
				try := r.Clone(r.Context())
				try.Method = m
				if _, p := next.Handler(try); p != "/" && m != r.Method {
					allowed = append(allowed, m)
				}
			}
			if len(allowed) > 0 {
				w.Header().Set("Allow", strings.Join(allowed, ", "))
				httpkit.WriteProblem(w, r, log, concert.Refuse(concert.Invalid, "request.method", "", "%s is not possible here; use %s", r.Method, strings.Join(allowed, " or ")))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

const maxIdempotencyKey = 200

// opensPseudonyms reports whether the answer says who stands behind pseudonyms: no
// answer is kept that does.
func opensPseudonyms(path string) bool {
	return strings.HasPrefix(path, "/api/v1/reidentifications/") && strings.HasSuffix(path, "/open")
}

// idempotent answers a repeated POST with what the first one got.
func (s *Server) idempotent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(api.HeaderIdempotencyKey)
		p, known := httpkit.PersonOf(r.Context())
		if key == "" || !known || r.Method != http.MethodPost || r.URL.Path == exportsPath || httpkit.IsUpload(r) || strings.HasPrefix(r.URL.Path, "/api/v1/captures/") || opensPseudonyms(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxIdempotencyKey {
			httpkit.WriteProblem(w, r, s.log, concert.Refuse(concert.Invalid, "idempotency.key_too_big", api.HeaderIdempotencyKey, "an Idempotency-Key has at most %d characters", maxIdempotencyKey))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			httpkit.WriteProblem(w, r, s.log, concert.Refuse(concert.TooLarge, "request.too_large", "", "the body is larger than %d bytes: send fewer entries at once", httpkit.MaxBody))
			return
		}
		request := append([]byte(r.Method+" "+r.URL.RequestURI()+"\n"+r.Header.Get("If-Match")+"\n"), body...)
		flight := string(p.ID) + "\x00" + key
		if !s.takeOff(flight) {
			w.Header().Set("Retry-After", "1")
			httpkit.WriteProblem(w, r, s.log, concert.ErrInFlight)
			return
		}
		defer s.land(flight)
		a, again, err := s.svc.Once(r.Context(), p.ID, key, request, func(ctx context.Context) (casework.StoredAnswer, bool) {
			act := r.WithContext(ctx)
			act.Body = io.NopCloser(bytes.NewReader(body))
			rec := &recorder{header: w.Header().Clone(), status: http.StatusOK}
			next.ServeHTTP(rec, act)
			a := rec.answer()
			a.Item = tellsOf(r.URL.Path, a.Body)
			return a, !passing(rec.status)
		})
		if err != nil {
			httpkit.WriteProblem(w, r, s.log, err)
			return
		}
		if again {
			w.Header().Set("Idempotency-Replayed", "true")
		}
		replay(w, a)
	})
}

// passing reports whether an answer tells of a moment only: the same request
// may get another one later, so it is not kept.
func passing(status int) bool {
	switch status {
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired, http.StatusTooManyRequests, http.StatusUnauthorized:
		return true
	}
	return status >= 500
}

func (s *Server) takeOff(flight string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flying[flight] {
		return false
	}
	s.flying[flight] = true
	return true
}

func (s *Server) land(flight string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.flying, flight)
}

func replay(w http.ResponseWriter, a casework.StoredAnswer) {
	for k, v := range a.Header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a client that went away hears nothing
}

// recorder takes down an answer that goes out once it is kept.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write notes the body.
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// answer is what was taken down, with the headers that belong to it.
func (r *recorder) answer() casework.StoredAnswer {
	a := casework.StoredAnswer{Status: r.status, Header: map[string]string{}, Body: r.body.Bytes()}
	for _, name := range []string{"Content-Type", "ETag", "Location", "Retry-After", "WWW-Authenticate", "Allow"} {
		if v := r.header.Get(name); v != "" {
			a.Header[name] = v
		}
	}
	return a
}

// version reads an If-Match header: the ETag that was read.
func version(ifMatch string) (int64, error) {
	if ifMatch == "" {
		return 0, concert.Refuse(concert.Invalid, "precondition.required", "If-Match", "a change of state needs If-Match with the ETag that you read, so that you overwrite nobody")
	}
	text, ok := strings.CutPrefix(strings.Trim(ifMatch, `"`), "v")
	v, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || v < 1 || ifMatch != api.ETag(v) && ifMatch != strings.Trim(api.ETag(v), `"`) {
		return 0, concert.Refuse(concert.Invalid, "precondition.malformed", "If-Match", "If-Match is the ETag as it was given, for example %s", api.ETag(3))
	}
	return v, nil
}
