package webui

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// access is who may ask at all; what they may do is casework's to say.
type access int

const (
	anyone access = iota
	person
	enrolling // a person that may have to set up its second factor first
	halfway   // a person that may have to give its second factor first
	byLink    // whoever holds the token of an answer link, which stands in the path and in every form; a session counts for nothing
)

// whyCookie keeps a justification between pages, in the reader's own browser and
// for that person only, so that it stands in no address.
const whyCookie = "concert-why"

// visit is one request by somebody, or by nobody.
type visit struct {
	person  concert.Person // zero for nobody
	session string
	why     string    // what sealed data is read for (G19)
	limits  error     // why the session opens nothing else yet, nil for a whole one
	file    io.Reader // of a form that carries one; nil else
}

func (v *visit) known() bool { return v.person.ID != "" }

func (v *visit) actor() concert.Actor { return v.person.Actor() }

func (v *visit) has(r concert.Role) bool { return v.known() && v.actor().Has(r) }

// scope is the question's scope; whoever opens sealed data without a
// justification is refused, and sent to give one.
func (v *visit) scope() (concert.Scope, error) { return concert.NewScope(v.actor(), v.why) }

// handler answers a request, or says what went wrong; fail renders that.
type handler func(w http.ResponseWriter, r *http.Request, v *visit) error

var (
	errNobody = &concert.Error{Kind: concert.Forbidden, Code: "credential.missing", Message: "log in first"}
	errForged = &concert.Error{Kind: concert.Forbidden, Code: "form.forged", Message: "this form did not come from a page of yours, or its session has ended: open the page again and repeat"}
	errAPIKey = &concert.Error{Kind: concert.Forbidden, Code: "form.cookie", Message: "forms work with a log-in only: programs use the API under /api/v1"}
)

// serve is the way of every page: who asks, is a form its own, answer, and one
// place for what goes wrong.
func (u *UI) serve(need access, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Vary", "Accept-Encoding, Accept-Language, Cookie")
		r = r.WithContext(design.WithReader(r.Context(), readerOf(r)))
		if httpkit.IsUpload(r) {
			r.Body = httpkit.NewUpload(w, r)
		}
		v, err := u.visitor(r, need)
		if err == nil {
			err = u.limits.Take(w, r, v.person.ID)
		}
		if err == nil {
			err = h(w, r, v)
		}
		if err != nil {
			u.fail(w, r, v, err)
		}
	}
}

func (u *UI) visitor(r *http.Request, need access) (*visit, error) {
	v := &visit{}
	if need == byLink {
		return v, u.holder(r)
	}
	token, cookie := httpkit.Token(r)
	if token != "" {
		p, err := u.svc.Bearer(r.Context(), token)
		var refused *concert.Error
		switch {
		case err == nil:
			v.person, v.session = p, token
		case err == concert.ErrMustEnrol && need >= enrolling || err == concert.ErrSecondStep && need == halfway:
			v.person, v.session, v.limits = p, token, err
		case need != anyone || !errors.As(err, &refused):
			return v, err
		}
	}
	if need != anyone && !v.known() {
		return v, errNobody
	}
	if v.known() && v.person.Provider == "" {
		v.why = whyOf(r, v.person.ID)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return v, nil
	}
	if err := u.cross.Check(r); err != nil {
		return v, errForged
	}
	if err := v.parse(r); err != nil {
		if refused := (*concert.Error)(nil); errors.As(err, &refused) {
			return v, refused
		}
		return v, concert.Refuse(concert.TooLarge, "form.malformed", "", "the form could not be read: it is larger than %d MB, or broken", httpkit.MaxBody>>20)
	}
	if need == anyone {
		return v, nil
	}
	if !cookie {
		return v, errAPIKey
	}
	if !u.svc.CheckCSRF(v.session, r.PostForm.Get("csrf")) {
		return v, errForged
	}
	return v, nil
}

// holder checks a form behind an answer link: it came from a page of ours, and
// carries the token of its own address, so that nobody else can make a browser
// send it.
func (u *UI) holder(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if err := u.cross.Check(r); err != nil {
		return errForged
	}
	if err := r.ParseForm(); err != nil {
		return concert.Refuse(concert.TooLarge, "form.malformed", "", "the form could not be read: it is larger than %d MB, or broken", httpkit.MaxBody>>20)
	}
	if r.PostForm.Get("token") != r.PathValue("token") {
		return errForged
	}
	return nil
}

// whyOf is the justification of this person's reading: of the request itself,
// else the one given before.
func whyOf(r *http.Request, p concert.PersonID) string {
	if j := httpkit.Justification(r); j != "" {
		return clean(j)
	}
	c, err := r.Cookie(whyCookie)
	if err != nil {
		return ""
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return ""
	}
	who, why, ok := strings.Cut(string(raw), "\n")
	if !ok || who != string(p) {
		return ""
	}
	return clean(why)
}

// clean is text as it came from outside, without what no database keeps.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == 0 {
			return -1
		}
		return r
	}, s))
}

// field is a form's field, cleaned.
func field(r *http.Request, name string) string { return clean(r.PostForm.Get(name)) }

// frame is what every page stands in; components take it from the context.
type frame struct {
	Title    string
	Path     string
	Person   concert.Person
	CSRF     string
	Why      string
	Here     string // this page's own address, "" where it came of a form
	Exercise bool
	Held     bool // nothing leaves the house
	Wide     bool
	Bare     bool // without the menu: a screen on a wall
	Refresh  bool // without JavaScript the page loads itself again
	Scripts  []string
	Notice   notice
	Assets   map[string]string
	Reader   design.Reader
	Keys     bool // single keys and their hints are on
	Logins   int  // to the account since this one
	Rate     float64
	Alarms   orderAlarms
	Host     bool // a provider's own desk
}

func (f frame) has(r concert.Role) bool { return f.Person.ID != "" && f.Person.Actor().Has(r) }

// landing are the pages on which people begin: they tell of new log-ins.
var landing = map[string]bool{"/": true, "/received": true, "/desk": true, "/items": true, "/approvals": true, "/people": true, "/audit": true, "/referrals": true, "/own-orders": true, "/actions": true}

type frameKey struct{}

func frameOf(ctx context.Context) frame {
	f, _ := ctx.Value(frameKey{}).(frame)
	return f
}

// view is a page before it is rendered.
type view struct {
	status  int // 200 where zero
	title   string
	body    templ.Component
	wide    bool
	bare    bool
	refresh bool
	scripts []string
}

// show renders a page into memory first, so that a failing template never
// leaves half a page.
func (u *UI) show(w http.ResponseWriter, r *http.Request, v *visit, p view) error {
	f := frame{Rate: u.svc.Time.Rate, Title: p.title, Path: r.URL.Path, Person: v.person, Why: v.why, Exercise: u.svc.Exercise, Wide: p.wide, Bare: p.bare, Refresh: p.refresh, Scripts: p.scripts, Notice: noticeOf(r), Host: u.svc.Host, Assets: u.assets.url, Reader: design.ReaderOf(r.Context())}
	var err error
	if f.Held, err = u.svc.DispatchHeld(r.Context()); err != nil {
		// The page goes out all the same: a failure page must not fail for this.
		u.log.Error("whether dispatch is held is not known", "err", err)
	}
	if v.known() {
		f.CSRF = u.svc.CSRFToken(v.session)
		if f.Keys = v.limits == nil && keysOn(r); f.Keys {
			f.Scripts = append(slices.Clip(f.Scripts), "keys.js")
		}
	}
	u.hearOrders(r, v, &f)
	if v.limits != nil {
		f.Person = concert.Person{} // nothing else is open yet
	}
	if v.known() && r.Method == http.MethodGet && landing[r.URL.Path] {
		fresh, err := u.svc.NewLogins(r.Context(), v.actor())
		if err != nil {
			return err
		}
		f.Logins = len(fresh)
	}
	if r.Method == http.MethodGet {
		f.Here = r.URL.RequestURI()
	}
	ctx := context.WithValue(context.WithValue(r.Context(), frameKey{}, f), nowKey{}, u.svc.Now())
	var b bytes.Buffer
	if err := layout(f, p.body).Render(ctx, &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	u.deliver(w, r, p.status, b.Bytes())
	return nil
}

// deliver writes a page, compressed where the browser takes that: every token in
// it is drawn anew for each page, so that a length tells nothing of it (BREACH).
func (u *UI) deliver(w http.ResponseWriter, r *http.Request, status int, page []byte) {
	packed := len(page) > 1400 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	if packed {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if status != 0 {
		w.WriteHeader(status)
	}
	var err error
	if packed {
		z, _ := u.packers.Get().(*gzip.Writer)
		z.Reset(w)
		if _, err = z.Write(page); err == nil {
			err = z.Close()
		}
		u.packers.Put(z)
	} else {
		_, err = w.Write(page)
	}
	if err != nil {
		u.log.Debug("page not delivered", "path", r.URL.Path, "err", err)
	}
}

// fail renders what went wrong. Refusals are safe for people; all else is
// logged and says nothing of its inside.
func (u *UI) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	status := httpkit.StatusOf(err)
	p := failurePage{Status: status, Message: say(r.Context(), "Something went wrong on our side. It is logged: try again, and tell your administrator if it stays.")}
	var refused *concert.Error
	if errors.As(err, &refused) {
		p.Code, p.Message = refused.Code, design.Refusal(r.Context(), refused, worded)
	} else if r.Context().Err() == nil {
		u.log.Error("page failed", "method", r.Method, "pattern", r.Pattern, "err", err)
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case p.Code == concert.ErrSecondStep.Code && read:
		http.Redirect(w, r, "/second?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	case p.Code == concert.ErrMustEnrol.Code && read && !v.known():
		http.Redirect(w, r, "/account/factors", http.StatusSeeOther)
		return
	case (p.Code == concert.ErrStepUp.Code || p.Code == concert.ErrMustEnrol.Code) && v.known():
		if err = u.stopped(w, r, v, status); err == nil {
			return
		}
		u.log.Error("step-up page failed", "err", err)
	case status == http.StatusUnauthorized && read:
		http.Redirect(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	case p.Code == codeUnjustified && read:
		http.Redirect(w, r, justificationFor(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	p.Title = say(r.Context(), failureTitle(status))
	if err := u.show(w, r, v, view{status: status, title: p.Title, body: failureView(p)}); err != nil {
		u.log.Error("error page failed", "err", err)
		http.Error(w, p.Message, status)
	}
}

// codeUnjustified is the refusal that leads to the page where one says why.
const codeUnjustified = "scope.justification"

// justificationFor is the address of that page, from where the reader comes back.
func justificationFor(here string) string {
	if here == "" {
		return "/justification"
	}
	return "/justification?" + url.Values{"next": {here}}.Encode()
}

// failurePage is the one page for all that goes wrong.
type failurePage struct {
	Status               int
	Title, Message, Code string
}

func failureTitle(status int) design.Text {
	switch status {
	case http.StatusNotFound:
		return "There is no such page"
	case http.StatusForbidden:
		return "You may not do this"
	case http.StatusUnauthorized:
		return "You are not logged in"
	case http.StatusConflict, http.StatusPreconditionFailed:
		return "This has moved on"
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return "This cannot be taken as it is"
	case http.StatusRequestEntityTooLarge:
		return "This is too much at once"
	case http.StatusMethodNotAllowed:
		return "This cannot be asked for that way"
	case http.StatusTooManyRequests:
		return "This was asked for too often"
	case http.StatusServiceUnavailable:
		return "Not now"
	}
	return "Something went wrong"
}

func (u *UI) missing(http.ResponseWriter, *http.Request, *visit) error {
	return concert.Refuse(concert.NotFound, "page.missing", "", "there is no page at this address, or not for you: go back to the start, and choose from the menu")
}

// next is where to go on: a path of this site and nothing else.
func next(s string) string {
	t, err := url.Parse(s)
	if err != nil || t.Host != "" || t.Scheme != "" || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	return s
}

// onward sends the browser to a page after an act, with word of what was done.
func onward(w http.ResponseWriter, r *http.Request, to, done, ref string) error {
	if done != "" {
		q := url.Values{"done": {done}}
		if ref != "" {
			q.Set("about", ref)
		}
		to += "?" + q.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
