package webui

import (
	"bytes"
	"errors"
	"image"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
	"concert/internal/httpkit"

	_ "image/jpeg" // how a preview's picture is drawn
)

func (u *UI) captureRoutes() []route {
	return []route{
		{"POST /items/{ref}/captures", u.serve(person, u.addCapture)},
		{"GET /captures/{ref}", u.serve(person, u.showCapture)},
		{"GET /captures/{ref}/bytes", u.serve(person, u.captureBytes)},
		{"POST /captures/{ref}/export", u.serve(person, u.exportCapture)},
		{"POST /items/{ref}/atrocity", u.serve(person, u.markAtrocity)},
		{"POST /items/{ref}/atrocity/lift", u.serve(person, u.liftAtrocity)},
		{"POST /items/{ref}/preservations", u.serve(person, u.preserveItem)},
	}
}

// parse reads a form. Of one that carries a capture the fields before the file
// are read; the file stays a stream, for the handler.
func (v *visit) parse(r *http.Request) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && media == "multipart/form-data" && isEvidenceForm(r) {
		return r.ParseMultipartForm(httpkit.MaxBody)
	}
	if err != nil || media != "multipart/form-data" || !httpkit.IsUpload(r) && !isBankFile(r) && !isOrderFile(r) {
		return r.ParseForm()
	}
	fields, file, err := httpkit.FormFile(r)
	if err != nil {
		return err
	}
	r.PostForm, v.file = url.Values{}, file
	for name, text := range fields {
		r.PostForm.Set(name, text)
	}
	r.Form = r.PostForm
	return nil
}

// capturing is the capture panel of an item's page: what there is, what is
// missing, and the forms. What was typed in a form that was refused stands in it
// again, but for the file.
type capturing struct {
	May                    bool // add captures, mark, preserve
	MayOpen                bool
	MayLift                bool
	Assess                 bool // an assessment waits for a capture
	Fresh                  bool // one of the own authority that an assessment may rest on
	Kind, Vantage, Seen    string
	Way, Holder, Reference string
	On, Until, Ground      string
	Warnings               []concert.Warning
	Form                   string // whose errors they are: "capture", "mark", "lift", "preserve"
	Errors                 formErrors
}

// in are the errors of one form.
func (c capturing) in(form string) formErrors {
	if c.Form == form {
		return c.Errors
	}
	return nil
}

var captureKinds = map[concert.CaptureKind]design.Text{
	concert.CaptureScreenshot: "Screenshot", concert.CapturePage: "Saved page", concert.CaptureWARC: "Web archive (WARC)", concert.CaptureFile: "The file itself",
}

var preservationWays = map[concert.PreservationWay]design.Text{
	concert.PreservedByProvider: "The provider, on our request", concert.PreservedHere: "We ourselves, in our capture", concert.PreservedElsewhere: "Another body with a mandate",
}

// captures says what of the panel is for this person.
func (p *itemPage) captures(v *visit, found bool, now time.Time) {
	by, it := v.actor(), p.Item
	own := by.Authority != "" && (found || it.Item.Author == by.Authority) && it.ErasedAt.IsZero()
	_, _, leaving := it.ErasureDue()
	c := &p.Capture
	c.MayOpen = own && by.MayCapture() == nil
	c.May = c.MayOpen && !leaving
	c.MayLift = it.Atrocity.Stands() && it.Atrocity.By != by.Person && by.MayKeep(it.Item, concert.RoleReviewer) == nil
	c.Assess = p.MayAssess
	c.Fresh = slices.ContainsFunc(it.Captures, func(x casework.CaptureView) bool { return x.Authority == by.Authority && x.Fresh(now) })
	c.Vantage = p.Vantage
	p.Now = now
}

// captureState is what a capture is good for now.
func captureState(c concert.Capture, now time.Time) state {
	switch {
	case !c.ErasedAt.IsZero():
		return state{Mark: "∅", Label: "bytes erased", Tone: "end"}
	case c.Fresh(now):
		return state{Mark: "✓", Label: "fresh", Tone: "good"}
	}
	return state{Mark: "◔", Label: "too old to assess by: capture again", Tone: "wait"}
}

// size is a number of bytes as people say it.
func size(n int64) string {
	switch {
	case n < 10_000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 10_000_000:
		return strconv.FormatInt(n/1000, 10) + " kB"
	}
	return strconv.FormatInt(n/1_000_000, 10) + " MB"
}

func (u *UI) addCapture(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().MayCapture(); err != nil {
		return err
	}
	c := capturing{Form: "capture", Kind: field(r, "kind"), Vantage: field(r, "vantage"), Seen: field(r, "seen_at")}
	c.Warnings = warningsIn(r)
	in := casework.Capturing{Item: r.PathValue("ref"), Kind: concert.CaptureKind(c.Kind), Vantage: c.Vantage, Bytes: v.file, Warnings: c.Warnings}
	err := error(nil)
	if c.Seen != "" {
		if in.SeenAt, err = time.Parse("2006-01-02T15:04", c.Seen); err != nil {
			err = concert.Refuse(concert.Invalid, "capture.seen_at", "seen_at", "write the moment it was seen as 2019-11-21T09:30, in UTC")
		}
	}
	if err == nil && v.file == nil {
		err = concert.Refuse(concert.Invalid, "capture.empty", "capture", "choose the file of the capture, or paste a screenshot")
	}
	if err == nil {
		_, err = u.svc.AddCapture(r.Context(), v.actor(), in)
	}
	if err == nil {
		return onward(w, r, "/items/"+in.Item, "captured", "")
	}
	if v.file != nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(v.file, httpkit.MaxBody)) // a browser shows no answer before it has sent all
	}
	return u.captureFailed(w, r, v, err, c)
}

// captureFailed shows the item again with the form as it was typed.
func (u *UI) captureFailed(w http.ResponseWriter, r *http.Request, v *visit, err error, typed capturing) error {
	return u.itemFailed(w, r, v, err, func(p *itemPage, e formErrors) {
		e = slices.Clone(e)
		for i := range e {
			if e[i].Field == "file" {
				one := *e[i]
				one.Field = "capture"
				e[i] = &one
			}
		}
		now := p.Capture
		p.Capture = typed
		p.Capture.Errors, p.Capture.May, p.Capture.MayOpen, p.Capture.MayLift, p.Capture.Assess, p.Capture.Fresh = e, now.May, now.MayOpen, now.MayLift, now.Assess, now.Fresh
	})
}

func (u *UI) markAtrocity(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.marking(w, r, v, "mark", "marked", u.svc.MarkAtrocity(r.Context(), v.actor(), r.PathValue("ref"), field(r, "ground")))
}

func (u *UI) liftAtrocity(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.marking(w, r, v, "lift", "mark_lifted", u.svc.LiftAtrocity(r.Context(), v.actor(), r.PathValue("ref"), field(r, "ground")))
}

func (u *UI) preserveItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := concert.Preservation{Way: concert.PreservationWay(field(r, "way")), Holder: field(r, "holder"), Reference: field(r, "reference"), Ground: field(r, "ground")}
	// A day that cannot be read is none, which the rule tells with its field.
	p.On, _ = time.Parse(time.DateOnly, field(r, "on"))
	p.Until, _ = time.Parse(time.DateOnly, field(r, "until"))
	_, err := u.svc.PreserveItem(r.Context(), v.actor(), r.PathValue("ref"), p)
	return u.marking(w, r, v, "preserve", "preserved", err)
}

func (u *UI) marking(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error) error {
	if err == nil {
		return onward(w, r, "/items/"+r.PathValue("ref"), done, "")
	}
	return u.captureFailed(w, r, v, err, capturing{Form: form, Way: field(r, "way"), Holder: field(r, "holder"), Reference: field(r, "reference"), On: field(r, "on"), Until: field(r, "until"), Ground: field(r, "ground")})
}

// capturePage is one capture with its safe rendition.
type capturePage struct {
	casework.Veil
	formats.Rendition
	Now     time.Time
	Picture string // its address, "" for none
	In      concert.CaptureInstrument
	Errors  formErrors
	Stopped bool // the errors say that a limit is reached
	Warning bool // they are those of the form that says what is in it

	Eyes       eyes
	Veiled     bool // it opens by an act
	Wide, High int  // of the picture as it is shown
}

// exporting reports whether the form for a court was refused.
func (p capturePage) exporting() bool { return len(p.Errors) > 0 && !p.Stopped && !p.Warning }

// showCapture shows what is known of it and, where it is text or is open to the
// reader, a preview; the reading is recorded.
func (u *UI) showCapture(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.captureShown(w, r, v, capturePage{})
}

func (u *UI) captureShown(w http.ResponseWriter, r *http.Request, v *visit, p capturePage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if err := u.readSide(r, v, scope, r.PathValue("ref"), &p); err != nil {
		return err
	}
	var scripts []string
	if p.Picture != "" {
		scripts = []string{"veil.js"}
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: p.Ref, body: captureView(p), scripts: scripts})
}

// readSide reads a capture for a page, with its picture's address where it is open
// to the reader.
func (u *UI) readSide(r *http.Request, v *visit, scope concert.Scope, ref string, p *capturePage) error {
	c, shown, err := u.svc.PreviewCapture(r.Context(), scope, ref)
	switch {
	case isCode(err, "capture.veiled"):
		p.Veil, err = u.svc.LookAtVeil(r.Context(), scope, ref)
	case err == nil:
		p.Veil, err = u.svc.VeilOf(r.Context(), v.actor(), c)
	}
	if err != nil {
		return err
	}
	p.Rendition, p.Now, p.Eyes, p.Veiled = shown, u.svc.Now(), eyesOf(r), p.Capture.Veiled()
	if drawn, _, err := image.DecodeConfig(bytes.NewReader(p.Rendition.Picture)); err == nil && p.Opened.ID != "" {
		p.Picture, p.Wide, p.High = "/captures/"+ref+"/picture", drawn.Width, drawn.Height
	}
	return nil
}

func (u *UI) captureBytes(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	c, b, err := u.svc.OpenCapture(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	httpkit.SendCapture(w, u.log, c.Ref, c.Size, b)
	return nil
}

func (u *UI) exportCapture(w http.ResponseWriter, r *http.Request, v *visit) error {
	in := concert.CaptureInstrument{Issuer: field(r, "issuer"), Reference: field(r, "reference"), Recipient: field(r, "recipient"), Justification: field(r, "justification")}
	write, err := u.svc.ExportCapture(r.Context(), v.actor(), r.PathValue("ref"), in)
	if refused := (*concert.Error)(nil); errors.As(err, &refused) && refused.Kind == concert.Invalid {
		errs, err := formErrorsOf(err)
		if err != nil {
			return err
		}
		return u.captureShown(w, r, v, capturePage{In: in, Errors: errs})
	}
	if err != nil {
		return err
	}
	httpkit.NewDownload(w, "application/warc", r.PathValue("ref")+".warc").Send(u.log, write)
	return nil
}
