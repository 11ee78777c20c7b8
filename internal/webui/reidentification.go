package webui

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/vault"
)

var (
	reidentifyStates = map[concert.ReidentifyStatus]state{
		concert.ReidentifyRefused:    {Mark: "✕", Label: "refused", Tone: "end"},
		concert.ReidentifyAsked:      {Mark: "○", Label: "waits for a second member", Tone: "wait"},
		concert.ReidentifyConfirmed:  {Mark: "◐", Label: "waits for a magistrate", Tone: "wait"},
		concert.ReidentifyAuthorised: {Mark: "●", Label: "authorised: custodians may give their shares", Tone: "go"},
		concert.ReidentifyRevealed:   {Mark: "✎", Label: "its pseudonyms were opened", Tone: "good"},
		concert.ReidentifyClosed:     {Mark: "■", Label: "closed: its key is destroyed", Tone: "end"},
	}
	reidentifyPurposes = map[concert.ReidentifyPurpose]design.Text{
		concert.ReidentifyProsecution: "to prosecute a terrorist offence",
		concert.ReidentifyThreat:      "to prevent a threat to life",
		concert.ReidentifyVictim:      "to find and protect a victim",
	}
	instrumentKinds = map[concert.InstrumentKind]design.Text{
		concert.InstrumentCourt:      "order of a court",
		concert.InstrumentProsecutor: "order of a prosecutor",
		concert.InstrumentEIO:        "European Investigation Order",
		concert.InstrumentMLA:        "request for mutual legal assistance",
	}
	sourceFactKinds = map[string]design.Text{
		accesslog.FactLogIn: "log-in", accesslog.FactAuthenticated: "request by a user who was logged in", accesslog.FactSessionOpen: "session in a shell", accesslog.FactSessionClose: "end of a session in a shell",
		accesslog.FactUpload: "upload", accesslog.FactFileChange: "change of a file", accesslog.FactAdminister: "administration page", accesslog.FactAccountChange: "change of an account",
	}
	identityKinds = map[string]design.Text{accesslog.IdentityAddress: "address", accesslog.IdentityHost: "host name", accesslog.IdentityUser: "user name", accesslog.IdentityKey: "key"}
)

// subjectForms is how many pseudonyms the form has room for; programs ask for more.
const subjectForms = 3

// subjectNumbers are the numbers that the fields of the form's pseudonyms end in.
func subjectNumbers() []string {
	out := make([]string, subjectForms)
	for i := range out {
		out[i] = strconv.Itoa(i + 1)
	}
	return out
}

// sessionFact is a fact as concert accesslog sessions writes it, with whose it is.
type sessionFact struct {
	concert.SourceFact

	Pseudonym string `json:"pseudonym"`
}

// readFacts reads JSON objects, one after the other or in a list. One of another
// pseudonym is refused: it would open the wrong person. One more than a request
// may have is enough for the rule to refuse them.
func readFacts(text, pseudonym string) ([]concert.SourceFact, error) {
	var out []concert.SourceFact
	d := json.NewDecoder(strings.NewReader(text))
	for len(out) <= concert.ReidentifyFactsMost {
		var raw json.RawMessage
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		var some []sessionFact
		if err == nil {
			if raw = bytes.TrimSpace(raw); raw[0] != '[' {
				raw = slices.Concat([]byte("["), raw, []byte("]"))
			}
			err = json.Unmarshal(raw, &some)
		}
		if err != nil {
			return nil, concert.Refuse(concert.Invalid, "reidentify.fact", "facts", "fact %d cannot be read: give one JSON object a line, as concert accesslog sessions -json writes them", len(out)+1)
		}
		for _, f := range some {
			if f.Pseudonym != "" && f.Pseudonym != pseudonym {
				return nil, concert.Refuse(concert.Invalid, "reidentify.fact", "facts", "fact %d is of another pseudonym, %.40q: give it with that one", len(out)+1, f.Pseudonym)
			}
			out = append(out, f.SourceFact)
		}
	}
	return out, nil
}

// typedSubjects are the pseudonyms of the form; an error names the field.
func typedSubjects(r *http.Request) ([]concert.ReidentifySubject, error) {
	var out []concert.ReidentifySubject
	for _, n := range subjectNumbers() {
		s := concert.ReidentifySubject{Pseudonym: field(r, "pseudonym."+n), Category: concert.DataSubject(field(r, "category."+n)), Ground: field(r, "ground."+n)}
		facts := field(r, "facts."+n)
		if s.Pseudonym == "" && s.Ground == "" && facts == "" {
			continue
		}
		var err error
		if s.Facts, err = readFacts(facts, s.Pseudonym); err != nil {
			var refused *concert.Error
			if errors.As(err, &refused) {
				named := *refused
				named.Field += "." + n
				return nil, &named
			}
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (u *UI) askReidentification(w http.ResponseWriter, r *http.Request, v *visit) error {
	in := concert.Reidentification{Purpose: concert.ReidentifyPurpose(field(r, "purpose")), Selection: concert.SelectNamed, Instrument: concert.Instrument{Kind: concert.InstrumentKind(field(r, "instrument")), Issuer: field(r, "issuer"), Reference: field(r, "reference"), Until: dayField(r, "until")}}
	if !in.Instrument.Until.IsZero() {
		in.Instrument.Until = in.Instrument.Until.AddDate(0, 0, 1) // to the end of its last day
	}
	var err error
	if in.Subjects, err = typedSubjects(r); err == nil {
		in, err = u.svc.AskReidentification(r.Context(), v.actor(), r.PathValue("ref"), field(r, "exhibit"), field(r, "judicial"), in)
	}
	if err != nil {
		return u.evidenceFailed(w, r, v, "ask", err, "exhibit", "judicial", "purpose", "instrument", "until", "subjects", "facts.1", "facts.2", "facts.3")
	}
	done := "pseudonyms_asked"
	if in.Status == concert.ReidentifyRefused {
		done = "pseudonyms_refused"
	}
	return onward(w, r, "/reidentifications/"+in.Ref, done, in.Ref)
}

// requestPage is one request with the acts on it that the reader may do now.
type requestPage struct {
	casework.ReidentificationView
	Inside bool // the reader may read its case
	Over   bool // the answer may be read no longer
	Form   entered
}

func (p requestPage) lost() formErrors {
	return p.Form.homeless(map[string]bool{"confirm": p.Acts.Confirm, "authorise": p.Acts.Authorise, "decline": p.Acts.Decline, "share": p.Acts.Share, "open": p.Acts.Open, "close": p.Acts.Close})
}

// erased reports whether what it said of persons is gone with its case.
func (p requestPage) erased() bool {
	return slices.ContainsFunc(p.Timeline, func(m casework.CaseMoment) bool { return m.Kind == concert.EventReidentifyErased })
}

// requestStep is a step of a request's way, with who took it and when.
type requestStep struct {
	Label design.Text
	Args  []any
	Class string // of a ladder: done, here, ahead
	Taken []casework.CaseMoment
}

// steps are the way of a request: asked, confirmed, authorised, shares, opened,
// closed.
func (p requestPage) steps() []requestStep {
	taken := map[concert.EventKind][]casework.CaseMoment{}
	for _, m := range p.Timeline {
		taken[m.Kind] = append(taken[m.Kind], m)
	}
	shares := taken[concert.EventReidentifyShared]
	out := []requestStep{
		{Label: "Asked for", Taken: taken[concert.EventReidentifyAsked]},
		{Label: "Confirmed", Taken: taken[concert.EventReidentifyConfirmed]},
		{Label: "Authorised", Taken: taken[concert.EventReidentifyAuthorised]},
		{Label: "Shares: %d of %d", Args: []any{len(shares), p.Needed}, Taken: shares},
		{Label: "Opened", Taken: taken[concert.EventReidentifyRevealed]},
		{Label: "Closed", Taken: taken[concert.EventReidentifyClosed]},
	}
	ended := p.Status == concert.ReidentifyRefused || p.Status == concert.ReidentifyClosed
	for i := range out {
		switch done := len(out[i].Taken) > 0 && (i != 3 || len(shares) >= p.Needed); {
		case done:
			out[i].Class = "done"
		case ended || i > 0 && out[i-1].Class != "done":
			out[i].Class = "ahead"
		default:
			out[i].Class = "here"
		}
	}
	return out
}

// momentAt is when an event happened; the zero time for none.
func momentAt(m casework.CaseMoment) time.Time {
	if m.At == 0 {
		return time.Time{}
	}
	return concert.FromMicros(m.At)
}

// lastDay is the last day on which a judicial act is in force.
func lastDay(ctx context.Context, i concert.Instrument) string {
	return day(ctx, i.Until.Add(-time.Microsecond))
}

// refusal is who refused it, and when.
func (p requestPage) refusal() (m casework.CaseMoment) {
	for _, e := range p.Timeline {
		if e.Kind == concert.EventReidentifyRefused {
			m = e
		}
	}
	return m
}

func (u *UI) reidentification(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showRequest(w, r, v, entered{})
}

func (u *UI) showRequest(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := requestPage{Form: form}
	if p.ReidentificationView, err = u.svc.ReadReidentification(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Inside = p.Works || v.actor().Has(concert.RoleAuditor)
	p.Over = !p.OpenUntil().IsZero() && !u.svc.Now().Before(p.OpenUntil())
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: say(r.Context(), "Request %s to open pseudonyms", p.Ref), body: requestView(p), wide: true})
}

// reidentifications are the requests that wait for the reader, a magistrate.
func (u *UI) reidentifications(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	rs, err := u.svc.ReidentificationsToDecide(r.Context(), scope)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Pseudonyms to decide on"), body: requestsView(rs), wide: true})
}

// onRequest goes back to a request after an act on it.
func (u *UI) onRequest(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error, fields ...string) error {
	if err != nil {
		f, err := refusedForm(r, form, err, fields...)
		if err != nil {
			return err
		}
		return u.showRequest(w, r, v, f)
	}
	return onward(w, r, "/reidentifications/"+r.PathValue("ref"), done, "")
}

func (u *UI) confirmReidentification(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ConfirmReidentification(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.onRequest(w, r, v, "confirm", "pseudonyms_moved", err)
}

func (u *UI) authoriseReidentification(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.AuthoriseReidentification(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.onRequest(w, r, v, "authorise", "pseudonyms_moved", err)
}

func (u *UI) declineReidentification(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.DeclineReidentification(r.Context(), v.actor(), r.PathValue("ref"), version(r), field(r, "reason"))
	return u.onRequest(w, r, v, "decline", "pseudonyms_refused", err, "reason")
}

func (u *UI) closeReidentification(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.CloseReidentification(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.onRequest(w, r, v, "close", "pseudonyms_moved", err)
}

func (u *UI) takeShare(w http.ResponseWriter, r *http.Request, v *visit) error {
	share, err := textFile(r, "file")
	if err == nil && len(share) == 0 {
		share, err = textFile(r, "share")
	}
	if err == nil {
		_, err = u.svc.TakeShare(r.Context(), v.actor(), r.PathValue("ref"), version(r), share)
	}
	return u.onRequest(w, r, v, "share", "share_taken", err, "share")
}

// identitiesPage is the answer to a request. It is shown once and kept nowhere.
type identitiesPage struct {
	concert.Reidentification
	Found   []vault.Identified
	Missing []string // pseudonyms that the table does not have
}

// openPseudonyms answers the form itself: what stands behind the pseudonyms is in
// no address, no session and no store.
func (u *UI) openPseudonyms(w http.ResponseWriter, r *http.Request, v *visit) error {
	q, found, err := u.svc.OpenPseudonyms(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	if err != nil {
		return u.onRequest(w, r, v, "open", "", err)
	}
	p := identitiesPage{Reidentification: q, Found: found}
	for _, s := range q.Subjects {
		if !slices.ContainsFunc(found, func(i vault.Identified) bool { return i.Pseudonym == s.Pseudonym }) {
			p.Missing = append(p.Missing, s.Pseudonym)
		}
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Request %s to open pseudonyms", q.Ref), body: identitiesView(p)})
}
