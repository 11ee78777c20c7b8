package webui

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) exposureRoutes() []route {
	return []route{
		{"POST /captures/{ref}/reveals", u.serve(person, u.revealCapture)},
		{"POST /captures/{ref}/reveals/{reveal}", u.serve(person, u.beatReveal)},
		{"GET /captures/{ref}/picture", u.serve(person, u.capturePicture)},
		{"POST /captures/{ref}/warnings", u.serve(person, u.warnCapture)},
		{"GET /exposure", u.serve(person, u.exposure)},
		{"POST /exposure", u.serve(person, u.setOwnLimit)},
		{"GET /team-exposure", u.serve(person, u.teamExposure)},
		{"POST /team-exposure", u.serve(person, u.setExposureLimits)},
	}
}

// eyes is how pictures open in a browser: as its reader chose, else veiled as far
// as they can be.
type eyes struct {
	Blur   int  // 0 for none, to blurMost
	Grey   bool // without colour
	Toggle bool // one press shows and another hides, instead of holding
}

const (
	blurMost   = 3
	blurPlain  = 2 // where nobody chose
	modeHold   = "hold"
	modeToggle = "toggle"
)

var blurTexts = [blurMost + 1]design.Text{"Not blurred: it counts as seen from the moment it opens", "Slightly blurred", "Blurred", "Blurred beyond recognition"}

// eyesOf reads them out of the reader's cookie; what is not there, or is none of
// them, is as nobody chose.
func eyesOf(r *http.Request) eyes {
	c, err := r.Cookie(readerCookie)
	if err != nil {
		return eyes{Blur: blurPlain, Grey: true}
	}
	q, _ := url.ParseQuery(c.Value) // what can be read of it
	return eyesIn(q.Get("b"), q.Get("g"), q.Get("h"))
}

func eyesIn(blur, grey, mode string) eyes {
	e := eyes{Blur: blurPlain, Grey: grey != "no", Toggle: mode == modeToggle}
	if n, err := strconv.Atoi(blur); err == nil && n >= 0 && n <= blurMost {
		e.Blur = n
	}
	return e
}

// kept puts them into the cookie.
func (e eyes) kept(q url.Values) {
	q.Set("b", strconv.Itoa(e.Blur))
	q.Set("g", map[bool]string{true: "yes", false: "no"}[e.Grey])
	q.Set("h", e.mode())
}

func (e eyes) mode() string {
	if e.Toggle {
		return modeToggle
	}
	return modeHold
}

var warningTexts = map[concert.Warning]design.Text{
	concert.WarnKilling: "A killing or beheading", concert.WarnInjury: "Injury, torture or the dead", concert.WarnChild: "A child is present", concert.WarnSexual: "Sexual violence",
	concert.WarnSuicide: "Suicide or self-harm", concert.WarnAudio: "Sound only", concert.WarnNothing: "None of these: somebody looked",
}

// warningState is a warning by shape and word.
func warningState(w concert.Warning) state {
	if w == concert.WarnNothing {
		return state{Mark: "○", Label: warningTexts[w], Tone: "end"}
	}
	return state{Mark: "▲", Label: warningTexts[w], Tone: "bad"}
}

// warningsIn are those that a form chose.
func warningsIn(r *http.Request) []concert.Warning {
	var out []concert.Warning
	for _, w := range concert.Warnings {
		if field(r, "warn_"+string(w)) != "" {
			out = append(out, w)
		}
	}
	return out
}

// minutesText is a span as people count it here: begun minutes.
func minutesText(d time.Duration) string {
	return strconv.Itoa(int((d + time.Minute - 1) / time.Minute))
}

func isCode(err error, code string) bool {
	var e *concert.Error
	return errors.As(err, &e) && e.Code == code
}

func (u *UI) revealCapture(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	ref := r.PathValue("ref")
	_, _, err = u.svc.RevealCapture(r.Context(), scope, ref, field(r, "go_on") == "yes")
	if isCode(err, "exposure.soft_stop") || isCode(err, "exposure.hard_cap") {
		// The page itself says what to do now.
		p := capturePage{Stopped: true}
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.captureShown(w, r, v, p)
	}
	if err != nil {
		return err
	}
	if to := backToMatch(r); to != "" {
		return onward(w, r, to, "", "")
	}
	return onward(w, r, "/captures/"+ref, "", "")
}

// beatReveal takes the signs of a page that measures, and the button that closes.
func (u *UI) beatReveal(w http.ResponseWriter, r *http.Request, v *visit) error {
	ms, err := strconv.ParseInt(field(r, "shown_ms"), 10, 64)
	if err != nil {
		ms = 0 // who says nothing measured nothing
	}
	quiet, closing := field(r, "quiet") != "", field(r, "close") != ""
	if !quiet && closing {
		// Without a script nothing was measured: what was counted when it opened stays.
		err = u.svc.CloseReveal(r.Context(), v.actor(), concert.RevealID(r.PathValue("reveal")))
		if err != nil && !isCode(err, "reveal.closed") {
			return err
		}
		if to := backToMatch(r); to != "" {
			return onward(w, r, to, "closed", "")
		}
		return onward(w, r, "/captures/"+r.PathValue("ref"), "closed", "")
	}
	out, now, err := u.svc.BeatReveal(r.Context(), v.actor(), concert.RevealID(r.PathValue("reveal")), time.Duration(max(-1, min(ms, 86_400_000)))*time.Millisecond, closing)
	if err != nil {
		return err
	}
	w.Header().Set("Concert-Exposure", string(now.Stop))
	if !out.ClosedAt.IsZero() {
		w.Header().Set("Concert-Exposure-Closed", "1")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// capturePicture is the picture of a preview, drawn anew, for who has the capture
// open.
func (u *UI) capturePicture(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	_, p, err := u.svc.PreviewCapture(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	if len(p.Picture) == 0 {
		return concert.Refuse(concert.Conflict, "capture.no_picture", "", "there is no picture of this capture here: its page says why")
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Length", strconv.Itoa(len(p.Picture)))
	if _, err := w.Write(p.Picture); err != nil {
		u.log.Debug("picture not delivered", "err", err)
	}
	return nil
}

func (u *UI) warnCapture(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	if err := u.svc.WarnCapture(r.Context(), v.actor(), ref, warningsIn(r)); err != nil {
		errs, err := formErrorsOf(err)
		if err != nil || errs[0].Kind == concert.Forbidden {
			return errs.or(err)
		}
		return u.captureShown(w, r, v, capturePage{Errors: errs, Warning: true})
	}
	return onward(w, r, "/captures/"+ref, "warned", "")
}

// exposurePage is somebody's own ledger.
type exposurePage struct {
	casework.OwnExposure
	Days            []concert.Exposure // every one of casework.ExposureDays
	Minutes, Opened string             // own limit as it stands or was typed
	Errors          formErrors
}

func (u *UI) exposure(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showExposure(w, r, v, exposurePage{})
}

func (u *UI) showExposure(w http.ResponseWriter, r *http.Request, v *visit, p exposurePage) error {
	own, err := u.svc.OwnExposure(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.OwnExposure = own
	for day := own.Today.Day; len(p.Days) < casework.ExposureDays; day = day.AddDate(0, 0, -1) {
		e := concert.Exposure{Day: day}
		if i := slices.IndexFunc(own.Days, func(e concert.Exposure) bool { return e.Day.Equal(day) }); i >= 0 {
			e = own.Days[i]
		}
		p.Days = append(p.Days, e)
	}
	if len(p.Errors) == 0 {
		p.Minutes, p.Opened = fieldNumber(int(own.Own.Hard.Minutes())), fieldNumber(own.Own.Opened)
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "What I have seen"), body: exposureView(p)})
}

// fieldNumber is a number for a field, "" for none.
func fieldNumber(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// wholeNumber is a field's number: 0 where it is empty, -1 where it is none.
func wholeNumber(r *http.Request, name string) int {
	s := field(r, name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return max(-1, min(n, 100_000))
}

func (u *UI) setOwnLimit(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.SetOwnLimit(r.Context(), v.actor(), concert.OwnLimit{Hard: time.Duration(wholeNumber(r, "minutes")) * time.Minute, Opened: wholeNumber(r, "opened")})
	if err != nil {
		p := exposurePage{Minutes: field(r, "minutes"), Opened: field(r, "opened")}
		if p.Errors, err = formErrorsOf(err); err != nil || p.Errors[0].Kind == concert.Forbidden {
			return p.Errors.or(err)
		}
		return u.showExposure(w, r, v, p)
	}
	return onward(w, r, "/exposure", "own_limit", "")
}

// teamExposurePage is what a lead reads of the team.
type teamExposurePage struct {
	casework.DeskExposure
	Form   map[string]string // the limits as they stand or were typed
	Errors formErrors
}

func (u *UI) teamExposure(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showTeamExposure(w, r, v, teamExposurePage{})
}

func (u *UI) showTeamExposure(w http.ResponseWriter, r *http.Request, v *visit, p teamExposurePage) error {
	d, err := u.svc.DeskExposure(r.Context(), v.actor())
	if err != nil {
		return err
	}
	p.DeskExposure = d
	if p.Form == nil {
		p.Form = map[string]string{"soft": minutesText(d.Hold.Soft), "hard": minutesText(d.Hold.Hard), "soft_opened": strconv.Itoa(d.Hold.SoftOpened), "hard_opened": strconv.Itoa(d.Hold.HardOpened)}
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "What the team saw"), body: teamExposureView(p)})
}

func (u *UI) setExposureLimits(w http.ResponseWriter, r *http.Request, v *visit) error {
	minutes := func(name string) time.Duration { return time.Duration(wholeNumber(r, name)) * time.Minute }
	_, err := u.svc.SetExposureLimits(r.Context(), v.actor(), concert.ExposureLimits{Soft: minutes("soft"), Hard: minutes("hard"), SoftOpened: wholeNumber(r, "soft_opened"), HardOpened: wholeNumber(r, "hard_opened")})
	if err != nil {
		p := teamExposurePage{Form: map[string]string{}}
		for _, name := range []string{"soft", "hard", "soft_opened", "hard_opened"} {
			p.Form[name] = field(r, name)
		}
		if p.Errors, err = formErrorsOf(err); err != nil || p.Errors[0].Kind == concert.Forbidden {
			return p.Errors.or(err)
		}
		return u.showTeamExposure(w, r, v, p)
	}
	return onward(w, r, "/team-exposure", "limits", "")
}

// exposed is a frame's person to whom captures may open, leads one who leads a
// desk.
func exposed(f frame) bool { return deskPeople(f) && f.Person.Authority != "" }

func leadsDesk(f frame) bool { return f.Person.ID != "" && f.Person.Actor().MayLeadDesk() == nil }

// samePanel is an earlier assessment of the same content on an item's page, and
// whether the form was filled from it.
type samePanel struct {
	casework.SameJudged
	Carried bool
}

// same tells of an earlier assessment of the same content, before anything is
// looked at, and fills the form from it where that was asked for: never the
// purpose, which is judged anew.
func (u *UI) same(r *http.Request, v *visit, p *itemPage) error {
	if !p.MayAssess {
		return nil
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	found, ok, err := u.svc.SameJudged(r.Context(), scope, p.Item.Ref)
	if err != nil || !ok {
		return err
	}
	p.Same = samePanel{SameJudged: found}
	if p.Same.Carried = r.URL.Query().Get("carry") == found.Item; p.Same.Carried {
		p.Assess.Type, p.Assess.Severity = string(found.Type), string(found.Severity)
		if found.Outlet.Ref != "" {
			p.Assess.Outlet = found.Outlet.Ref
		}
	}
	return nil
}

// carryFrom is the address of the item's page with its form filled.
func carryFrom(item, from string) string {
	return "/items/" + item + "?" + url.Values{"carry": {from}}.Encode() + "#assess"
}

// warningWords are warnings in one line, for a reader of a list.
func warningWords(ctx context.Context, ws []concert.Warning) string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = say(ctx, warningTexts[w])
	}
	return strings.Join(out, " · ")
}
