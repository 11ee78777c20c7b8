package webui

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

// evidenceRoutes are what of seized servers stands at the desk: exhibits, requests
// to open pseudonyms, leads to states.
func (u *UI) evidenceRoutes() []route {
	return []route{
		{"GET /cases/{ref}/evidence", u.serve(person, u.caseEvidence)},
		{"POST /cases/{ref}/exhibits", u.serve(person, u.addExhibit)},
		{"POST /cases/{ref}/reidentifications", u.serve(person, u.askReidentification)},
		{"POST /cases/{ref}/leads", u.serve(person, u.askLead)},
		{"POST /cases/{ref}/leads/{lead}/release", u.serve(person, u.releaseLead)},
		{"POST /cases/{ref}/leads/{lead}/receipt", u.serve(person, u.receiptLead)},
		{"POST /cases/{ref}/leads/{lead}/drop", u.serve(person, u.dropLead)},

		{"GET /exhibits/{ref}", u.serve(person, u.exhibit)},
		{"POST /exhibits/{ref}/custody", u.serve(person, u.addCustody)},
		{"POST /exhibits/{ref}/hand", u.serve(person, u.handExhibit)},
		{"POST /exhibits/{ref}/receive", u.serve(person, u.receiveExhibit)},
		{"POST /exhibits/{ref}/pseudonyms", u.serve(person, u.keepPseudonyms)},

		{"GET /reidentifications", u.serve(person, u.reidentifications)},
		{"GET /reidentifications/{ref}", u.serve(person, u.reidentification)},
		{"POST /reidentifications/{ref}/confirm", u.serve(person, u.confirmReidentification)},
		{"POST /reidentifications/{ref}/authorise", u.serve(person, u.authoriseReidentification)},
		{"POST /reidentifications/{ref}/decline", u.serve(person, u.declineReidentification)},
		{"POST /reidentifications/{ref}/shares", u.serve(person, u.takeShare)},
		{"POST /reidentifications/{ref}/open", u.serve(person, u.openPseudonyms)},
		{"POST /reidentifications/{ref}/close", u.serve(person, u.closeReidentification)},
	}
}

// isEvidenceForm reports whether a form carries a custody log with its head, or a
// share: small files, read whole.
func isEvidenceForm(r *http.Request) bool {
	path := r.URL.Path
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "exhibits":
		return r.Method == http.MethodPost && strings.HasPrefix(path, "/cases/")
	case "custody", "hand", "receive":
		return r.Method == http.MethodPost && strings.HasPrefix(path, "/exhibits/")
	case "shares":
		return r.Method == http.MethodPost && strings.HasPrefix(path, "/reidentifications/")
	}
	return false
}

// textFile is a file of a form with several, byte by byte; else the field of that
// name.
func textFile(r *http.Request, name string) ([]byte, error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File[name]) == 0 {
		return []byte(r.PostForm.Get(name)), nil
	}
	f, err := r.MultipartForm.File[name][0].Open()
	if err != nil {
		return nil, fmt.Errorf("form file %s: %w", name, err)
	}
	defer f.Close()
	return io.ReadAll(f)
}

// custodyOf are the two files of an exhibit's bag.
func custodyOf(r *http.Request) (f casework.CustodyFiles, err error) {
	if f.Log, err = textFile(r, "custody"); err != nil {
		return f, err
	}
	f.Head, err = textFile(r, "head")
	return f, err
}

// evidencePage is what of seized servers a case has.
type evidencePage struct {
	casework.CaseEvidence
	Member, Open bool // the reader works on the case; it is open
	Reviews      bool // with the role reviewer
	Self         concert.PersonID
	Courts       []choice
	Form         entered
}

// holding are the exhibits that the case holds now.
func (p evidencePage) holding() []casework.ExhibitView {
	return slices.DeleteFunc(slices.Clone(p.Exhibits), func(x casework.ExhibitView) bool { return x.Exhibit.Case != p.Case.ID || x.To != "" })
}

// keeping are those whose pseudonyms are here.
func (p evidencePage) keeping() []casework.ExhibitView {
	return slices.DeleteFunc(p.holding(), func(x casework.ExhibitView) bool { return x.Needed == 0 })
}

// grows reports whether the reader may add to the case.
func (p evidencePage) grows() bool { return p.Member && p.Open }

// lost are refusals of forms that the page does not show.
func (p evidencePage) lost() formErrors {
	offered := map[string]bool{"exhibit": p.grows(), "ask": p.grows() && len(p.keeping()) > 0, "lead": p.grows() && len(p.holding()) > 0}
	for _, l := range p.Leads {
		offered["l-"+l.Ref] = p.Member && (l.Status == concert.LeadAsked || l.Status == concert.LeadReleased)
	}
	return p.Form.homeless(offered)
}

func (u *UI) caseEvidence(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showEvidence(w, r, v, entered{})
}

func (u *UI) showEvidence(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	e, err := u.svc.ReadCaseEvidence(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	by := v.actor()
	p := evidencePage{CaseEvidence: e, Member: e.Case.Member(by), Open: e.Case.ClosedAt.IsZero(), Reviews: by.Has(concert.RoleReviewer), Self: by.Person, Form: form}
	slices.SortStableFunc(p.Leads, func(a, b concert.Lead) int { return strings.Compare(a.Recipient.State, b.Recipient.State) })
	if p.grows() {
		if p.Courts, err = u.courts(r.Context()); err != nil {
			return err
		}
	}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: say(r.Context(), "Seized evidence of case %s", e.Case.Ref), body: evidenceView(p), wide: true})
}

// courts are the authorities whose magistrates may be asked: prosecutors and courts,
// and competent authorities, which have them in some states.
func (u *UI) courts(ctx context.Context) ([]choice, error) {
	g, err := u.svc.Registers(ctx)
	if err != nil {
		return nil, err
	}
	var out []choice
	for _, k := range []concert.AuthorityKind{concert.KindProsecutor, concert.KindCourt, concert.KindCompetent} {
		var of []choice
		for _, a := range g.Authorities {
			if a.Kind == k {
				of = append(of, choice{a.Ref, a.Name + ", " + a.Country + " (" + say(ctx, authorityKinds[k]) + ")"})
			}
		}
		slices.SortFunc(of, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
		out = append(out, of...)
	}
	return out, nil
}

// evidenceFailed shows the page again with the form that was refused.
func (u *UI) evidenceFailed(w http.ResponseWriter, r *http.Request, v *visit, form string, err error, fields ...string) error {
	f, err := refusedForm(r, form, err, fields...)
	if err != nil {
		return err
	}
	return u.showEvidence(w, r, v, f)
}

func (u *UI) addExhibit(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := custodyOf(r)
	if err != nil {
		return err
	}
	f.Manifest = field(r, "manifest")
	x, err := u.svc.AddExhibit(r.Context(), v.actor(), r.PathValue("ref"), field(r, "label"), f)
	if err != nil {
		return u.evidenceFailed(w, r, v, "exhibit", err, "label", "manifest", "custody")
	}
	return onward(w, r, "/exhibits/"+x.Ref, "exhibit_added", x.Ref)
}

// exhibitPage is one exhibit with the acts on it that the reader may do.
type exhibitPage struct {
	casework.ExhibitView
	Goes   bool // it is on its way to the reader's authority
	Others []choice
	Form   entered
}

// held reports whether the reader goes on with its custody.
func (p exhibitPage) held() bool { return p.Works && p.To == "" }

func (p exhibitPage) lost() formErrors {
	return p.Form.homeless(map[string]bool{"custody": p.held(), "hand": p.held(), "analyse": p.MayAnalyse, "table": p.held() && p.Needed == 0, "receive": p.Goes})
}

// coming are the exhibits on their way to the reader's authority; where there are
// none nothing is read, and nothing recorded.
func (u *UI) coming(ctx context.Context, v *visit) ([]concert.Exhibit, error) {
	n, err := u.svc.ExhibitsComing(ctx, v.actor())
	if err != nil || n == 0 {
		return nil, err
	}
	scope, err := v.scope()
	if err != nil {
		return nil, err
	}
	return u.svc.HandedExhibits(ctx, scope)
}

func (u *UI) exhibit(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showExhibit(w, r, v, entered{})
}

func (u *UI) showExhibit(w http.ResponseWriter, r *http.Request, v *visit, form entered) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	x, err := u.svc.ReadExhibit(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	p := exhibitPage{ExhibitView: x, Form: form, Goes: x.To != "" && x.To == v.person.Authority && v.actor().MayKeepCases() == nil}
	if p.held() {
		g, err := u.svc.Registers(r.Context())
		if err != nil {
			return err
		}
		p.Others = slices.DeleteFunc(actionAuthorities(g, nil), func(c choice) bool { return c.Value == x.Holder.Ref })
	}
	return u.show(w, r, v, view{status: form.Errors.status(statusOf), title: say(r.Context(), "Exhibit %s", x.Ref), body: exhibitView(p), wide: true})
}

// onExhibit does an act on an exhibit and goes back to it.
func (u *UI) onExhibit(w http.ResponseWriter, r *http.Request, v *visit, form, done string, err error, fields ...string) error {
	if err != nil {
		f, err := refusedForm(r, form, err, fields...)
		if err != nil {
			return err
		}
		return u.showExhibit(w, r, v, f)
	}
	return onward(w, r, "/exhibits/"+r.PathValue("ref"), done, "")
}

func (u *UI) addCustody(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := custodyOf(r)
	if err == nil {
		_, err = u.svc.AddCustody(r.Context(), v.actor(), r.PathValue("ref"), f)
	}
	return u.onExhibit(w, r, v, "custody", "custody_added", err, "custody")
}

func (u *UI) handExhibit(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := custodyOf(r)
	if err == nil {
		_, err = u.svc.HandExhibit(r.Context(), v.actor(), r.PathValue("ref"), field(r, "to"), f)
	}
	return u.onExhibit(w, r, v, "hand", "exhibit_handed", err, "to", "custody")
}

func (u *UI) receiveExhibit(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, err := custodyOf(r)
	if err == nil {
		_, err = u.svc.ReceiveExhibit(r.Context(), v.actor(), r.PathValue("ref"), field(r, "case"), f)
	}
	return u.onExhibit(w, r, v, "receive", "exhibit_received", err, "case", "custody")
}

func (u *UI) keepPseudonyms(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().MayKeepCases(); err != nil {
		return err
	}
	var locked []byte
	if v.file != nil {
		var err error
		if locked, err = io.ReadAll(io.LimitReader(v.file, casework.PseudonymsMost+1)); err != nil {
			return concert.Refuse(concert.Invalid, "exhibit.pseudonyms", "", "the table broke off before its end and nothing was kept: send it again")
		}
	}
	_, err := u.svc.KeepPseudonyms(r.Context(), v.actor(), r.PathValue("ref"), locked)
	if err != nil && v.file != nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(v.file, httpkit.MaxBody)) // a browser shows no answer before it has sent all
	}
	return u.onExhibit(w, r, v, "table", "pseudonyms_kept", err)
}

// shortHead is a head of custody as people compare it.
func shortHead(h concert.CustodyHead) string {
	return fmt.Sprintf("%d:%.12s…", h.N, h.Hash)
}

// fullHead is the same in full, as concert evidence verify -head takes it.
func fullHead(h concert.CustodyHead) string { return fmt.Sprintf("%d:%s", h.N, h.Hash) }

var custodyActs = map[string]design.Text{
	concert.CustodySealed: "sealed", concert.CustodyVerified: "verified", concert.CustodyCopied: "copied", concert.CustodyHanded: "handed over", concert.CustodyReceived: "received",
}

// custodyLine is one event on an exhibit, in words.
type custodyLine struct {
	casework.CaseMoment
	Number string // of the record, "" for what is none
	What   design.Text
	Note   string // the outcome of a verification
	Digest string
}

// custodyLines are what the log has of an exhibit.
func custodyLines(ms []casework.CaseMoment) []custodyLine {
	out := make([]custodyLine, 0, len(ms))
	for _, m := range ms {
		var b concert.ExhibitBody
		l := custodyLine{CaseMoment: m, What: "added to a case"}
		if err := json.Unmarshal(m.Body, &b); err == nil {
			l.Digest = b.Line
		}
		switch m.Kind {
		case concert.EventExhibitCustody, concert.EventExhibitHanded, concert.EventExhibitReceived:
			l.Number, l.What, l.Note = fmt.Sprint(b.N), custodyActs[b.Act], b.Outcome
		case concert.EventExhibitAdded:
			l.Digest = "" // its records follow
		case concert.EventVaultKept:
			l.What = "locked pseudonyms handed in"
		case concert.EventVaultErased:
			l.What = "locked pseudonyms erased"
		}
		out = append(out, l)
	}
	return out
}
