package webui

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
)

// threatRoutes are providers' reports of threats to life (Art. 14(5)): the provider's
// pages, and those of the people on duty.
func (u *UI) threatRoutes() []route {
	return append(u.ownThreatRoutes(), []route{
		{"GET /own-threats/{ref}/proof.json", u.serve(person, u.threatProof)},
		{"GET /threats", u.serve(person, u.threats)},
		{"GET /threats/{ref}", u.serve(person, u.threat)},
		{"GET /threats/{ref}/proof.json", u.serve(person, u.threatProof)},
		{"POST /threats/{ref}/take", u.serve(person, u.takeThreat)},
		{"POST /threats/{ref}/pass", u.serve(person, u.passThreat)},
		{"POST /threats/{ref}/close", u.serve(person, u.closeThreat)},
	}...)
}

// ownThreatRoutes are those that a provider has at a hub and at its own desk.
func (u *UI) ownThreatRoutes() []route {
	return []route{
		{"GET /own-threats", u.serve(person, u.ownThreats)},
		{"POST /own-threats", u.serve(person, u.reportThreat)},
		{"GET /own-threats/{ref}", u.serve(person, u.ownThreat)},
	}
}

// aboutThreats reports whether a page is about threats to life: what is said of referrals
// has no place on it (G01).
func aboutThreats(path string) bool {
	return path == "/threats" || strings.HasPrefix(path, "/threats/") || path == "/own-threats" || strings.HasPrefix(path, "/own-threats/")
}

// onDuty are the people whom reports of threats to life concern.
var onDuty = func(f frame) bool {
	return ofAuthority(f) && (deskPeople(f) || f.has(concert.RoleIssuer)) || overseers(f)
}

var (
	threatKinds = map[concert.ThreatKind]design.Text{
		concert.ThreatUnderWay:  "an attack is under way",
		concert.ThreatAnnounced: "an attack is announced or prepared",
		concert.ThreatPerson:    "somebody’s life is threatened",
		concert.ThreatOther:     "another danger to life",
	}
	threatContents = map[concert.ThreatContent]design.Text{
		concert.ThreatUp:       "still there",
		concert.ThreatDisabled: "access is disabled",
		concert.ThreatRemoved:  "removed from view",
	}
	threatStates = map[concert.ThreatStatus]state{
		concert.ThreatReceived: {Mark: "▲", Label: "nobody has taken it so far", Tone: "bad"},
		concert.ThreatTaken:    {Mark: "●", Label: "somebody has it in hand", Tone: "go"},
		concert.ThreatPassed:   {Mark: "➤", Label: "passed on", Tone: "end"},
		concert.ThreatClosed:   {Mark: "✓", Label: "answered, closed", Tone: "good"},
	}
	threatWhys = map[concert.ThreatWhy]design.Text{
		concert.ThreatConcerned:    "state concerned",
		concert.ThreatContactPoint: "contact point of the provider’s state",
		concert.ThreatCoordinators: "where no other can be told or reached",
		concert.ThreatHanded:       "passed on to it",
		concert.ThreatUntaken:      "nobody took it within the hour",
	}
	threatOutcomes = map[concert.ThreatOutcome]design.Text{
		concert.ThreatActed:   "measures were taken",
		concert.ThreatKnown:   "it was in hand already",
		concert.ThreatNone:    "no life is found to be in danger",
		concert.ThreatUnclear: "it could not be found out",
	}
)

// threatForm is a report as it was typed.
type threatForm struct {
	Kind, Places, Description, States, Unknown, SeenAt, Content, Contact, Telephone, Email string
	Preserved                                                                              bool
}

func readThreat(r *http.Request) threatForm {
	return threatForm{Kind: field(r, "kind"), Places: field(r, "places"), Description: field(r, "description"), States: field(r, "states"), Unknown: field(r, "unknown"), SeenAt: field(r, "seen_at"), Content: field(r, "content"),
		Contact: field(r, "contact"), Telephone: field(r, "telephone"), Email: field(r, "email"), Preserved: field(r, "preserved") != ""}
}

// report is what the act takes.
func (f threatForm) report() casework.ThreatReport {
	out := casework.ThreatReport{Kind: concert.ThreatKind(f.Kind), States: strings.FieldsFunc(f.States, func(r rune) bool { return r == ' ' || r == ',' || r == ';' || r == '\n' || r == '\r' }), Content: concert.ThreatContent(f.Content), Preserved: f.Preserved,
		ThreatText: concert.ThreatText{Description: f.Description, Unknown: f.Unknown, Contact: f.Contact, Telephone: f.Telephone, Email: f.Email}}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, f.SeenAt); err == nil {
			out.SeenAt = at
		}
	}
	for line := range strings.SplitSeq(f.Places, "\n") {
		if line = clean(line); line != "" {
			out.Places = append(out.Places, line)
		}
	}
	return out
}

// ownThreatLine is a report in the list of a provider.
type ownThreatLine struct {
	Ref      string
	Kind     concert.ThreatKind
	State    state
	At       time.Time
	To       []string
	Exercise bool
}

// ownThreatsPage is a provider's form with its reports.
type ownThreatsPage struct {
	Form     threatForm
	Lines    []ownThreatLine
	Next     string
	Host     bool
	Exercise bool
	Errors   formErrors
}

func (u *UI) ownThreats(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showOwnThreats(w, r, v, ownThreatsPage{Form: threatForm{SeenAt: u.svc.Now().UTC().Format("2006-01-02T15:04"), Content: string(concert.ThreatUp)}})
}

func (u *UI) showOwnThreats(w http.ResponseWriter, r *http.Request, v *visit, p ownThreatsPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if err := v.actor().MayReportThreat(); err != nil {
		return err
	}
	p.Host, p.Exercise = u.svc.Host, u.svc.Exercise
	if p.Host {
		err = u.hostThreatLines(r.Context(), scope, &p)
	} else {
		err = u.ownThreatLines(r.Context(), scope, clean(r.URL.Query().Get("before")), &p)
	}
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Report a threat to life"), body: ownThreatsView(p)})
}

func (u *UI) ownThreatLines(ctx context.Context, scope concert.Scope, before string, p *ownThreatsPage) error {
	vs, err := u.svc.Threats(ctx, scope, before)
	for _, t := range vs {
		p.Lines = append(p.Lines, ownThreatLine{Ref: t.Ref, Kind: t.Kind, State: threatStates[t.Status], At: t.ReceivedAt, To: threatNames(ctx, t), Exercise: t.Exercise})
	}
	p.Next = nextThreats("/own-threats", vs)
	return err
}

// threatNames are whom a report went to.
func threatNames(ctx context.Context, t casework.ThreatView) []string {
	out := make([]string, len(t.Copies))
	for i, c := range t.Copies {
		out[i] = cmp.Or(c.Of.Name, say(ctx, "the coordinators"))
	}
	return out
}

// nextThreats is where the list goes on, "" at its end.
func nextThreats(path string, vs []casework.ThreatView) string {
	if len(vs) < casework.ThreatsListed {
		return ""
	}
	return path + "?before=" + vs[len(vs)-1].Ref
}

// hostThreatState is how a report stands at a hub.
func hostThreatState(t casework.HostThreatView) state {
	if t.State == concert.PostDelivered {
		return threatStates[t.There]
	}
	return postStates[t.State]
}

func (u *UI) hostThreatLines(ctx context.Context, scope concert.Scope, p *ownThreatsPage) error {
	all, err := u.svc.HostThreats(ctx, scope)
	at := map[string]int{}
	for _, t := range all {
		i, seen := at[t.Ref]
		if !seen {
			i = len(p.Lines)
			at[t.Ref] = i
			p.Lines = append(p.Lines, ownThreatLine{Ref: t.Ref, Kind: concert.ThreatKind(t.Told.Kind), State: hostThreatState(t), At: t.CreatedAt, Exercise: t.Exercise})
		}
		if s := hostThreatState(t); s.Tone == "bad" || s.Tone == "wait" {
			p.Lines[i].State = s // the one that people must look at
		}
		p.Lines[i].To = append(p.Lines[i].To, t.To.Origin)
	}
	return err
}

func (u *UI) reportThreat(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := ownThreatsPage{Form: readThreat(r)}
	var ref string
	var err error
	if u.svc.Host {
		var sent []casework.HostThreatView
		if sent, err = u.svc.SendThreat(r.Context(), v.actor(), p.Form.report()); err == nil && len(sent) > 0 {
			ref = sent[0].Ref
		}
	} else {
		var t casework.ThreatView
		t, err = u.svc.ReportThreat(r.Context(), v.actor(), p.Form.report())
		ref = t.Ref
	}
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showOwnThreats(w, r, v, p)
	}
	done := "threat_reported"
	if u.svc.Host {
		done = "threat_written"
	}
	return onward(w, r, "/own-threats/"+ref, done, ref)
}

func (u *UI) ownThreat(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if err := v.actor().MayReportThreat(); err != nil {
		return err
	}
	ref := r.PathValue("ref")
	title := say(r.Context(), "Report %s of a threat to life", ref)
	if u.svc.Host {
		rows, err := u.svc.HostThreat(r.Context(), scope, ref)
		if err != nil {
			return err
		}
		return u.show(w, r, v, view{title: title, body: hostThreatView(rows)})
	}
	t, err := u.svc.ReadThreat(r.Context(), scope, ref)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: title, body: ownThreatView(t)})
}

// threatsPage is the list of the people on duty.
type threatsPage struct {
	Rows []casework.ThreatView
	Next string
}

func (u *UI) threats(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if v.person.Provider != "" {
		return concert.Refuse(concert.Forbidden, "threats.authority", "", "this list is for people of an authority: your own reports stand at /own-threats")
	}
	vs, err := u.svc.Threats(r.Context(), scope, clean(r.URL.Query().Get("before")))
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Threats to life"), body: threatsView(threatsPage{vs, nextThreats("/threats", vs)}), wide: true})
}

// threatPage is one report with the acts on it, as they were typed.
type threatPage struct {
	casework.ThreatView
	To, Reason, Outcome, Word string
	Acting                    string // the act that was refused
	Hands                     bool   // the reader hands in
	Errors                    formErrors
}

// in are the errors of an act's form.
func (p threatPage) in(act string) formErrors {
	if p.Acting != act {
		return nil
	}
	return p.Errors
}

// mayTake reports whether the reader may take the report now.
func (p threatPage) mayTake() bool {
	return p.Mine != nil && p.Mine.ThreatCopy.Status == concert.ThreatReceived && p.ErasedAt.IsZero()
}

// mayPass reports whether the reader may pass it on.
func (p threatPage) mayPass() bool { return p.Mine != nil && p.Mine.Open() && p.ErasedAt.IsZero() }

// inHand reports whether it is in hand at the reader's.
func (p threatPage) inHand() bool {
	return p.Mine != nil && p.Mine.ThreatCopy.Status == concert.ThreatTaken && p.ErasedAt.IsZero()
}

func (u *UI) threat(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showThreat(w, r, v, threatPage{})
}

func (u *UI) showThreat(w http.ResponseWriter, r *http.Request, v *visit, p threatPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if v.person.Provider != "" {
		return concert.ErrNotFound
	}
	if p.ThreatView, err = u.svc.ReadThreat(r.Context(), scope, r.PathValue("ref")); err != nil {
		return err
	}
	p.Hands = v.actor().MaySubmit() == nil && p.inHand()
	slices.SortFunc(p.Items, func(a, b concert.Item) int { return cmp.Compare(a.Ref, b.Ref) })
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Report %s of a threat to life", p.Ref), body: threatView(p)})
}

func (u *UI) takeThreat(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.TakeThreat(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	return u.afterThreat(w, r, v, threatPage{Acting: "take"}, "threat_taken", err)
}

func (u *UI) passThreat(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := threatPage{Acting: "pass", To: field(r, "to"), Reason: field(r, "reason")}
	_, err := u.svc.PassThreat(r.Context(), v.actor(), r.PathValue("ref"), version(r), p.To, p.Reason)
	return u.afterThreat(w, r, v, p, "threat_passed", err)
}

func (u *UI) closeThreat(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := threatPage{Acting: "close", Outcome: field(r, "outcome"), Word: field(r, "word")}
	_, err := u.svc.CloseThreat(r.Context(), v.actor(), r.PathValue("ref"), version(r), concert.ThreatOutcome(p.Outcome), p.Word)
	return u.afterThreat(w, r, v, p, "threat_closed", err)
}

func (u *UI) afterThreat(w http.ResponseWriter, r *http.Request, v *visit, p threatPage, done string, err error) error {
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showThreat(w, r, v, p)
	}
	return onward(w, r, "/threats/"+r.PathValue("ref"), done, "")
}

// threatProof is the receipt's proof as a file, for concert verify.
func (u *UI) threatProof(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p, err := u.svc.ThreatProof(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	u.attach(w, r, "application/json", "threat-receipt.json", raw)
	return nil
}

// submitOfThreat fills the form for finds with what a report names.
func (u *UI) submitOfThreat(r *http.Request, v *visit, p *submitPage) error {
	ref := clean(r.URL.Query().Get("threat"))
	if !isReference(ref) {
		return nil
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	t, err := u.svc.ReadThreat(r.Context(), scope, ref)
	if err != nil {
		return err
	}
	p.Locations, p.Priority = strings.Join(t.Places, "\n"), "threat"
	return nil
}

// draftOfThreat makes an order's draft an emergency, with what a report says as its
// ground: the officer writes it as it is to stand.
func (u *UI) draftOfThreat(r *http.Request, v *visit, d *drafting) error {
	ref := clean(r.URL.Query().Get("threat"))
	if !isReference(ref) {
		return nil
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	t, err := u.svc.ReadThreat(r.Context(), scope, ref)
	if err != nil {
		return err
	}
	d.Emergency, d.EmergencyGround = true, say(r.Context(), "Report %s of a threat to life (Art. 14(5)), seen %s: %s", t.Ref, when(r.Context(), t.SeenAt), t.Description)
	return nil
}

// threatHere is where a report stands at the reader's, else as a whole.
func threatHere(t casework.ThreatView) concert.ThreatStatus {
	if t.Mine != nil {
		return t.Mine.ThreatCopy.Status
	}
	return t.Status
}

// threatLate says for how long nobody took it, as its alarms go.
func threatLate(c concert.ThreatCopy) design.Text {
	if c.Missed() {
		return "for more than an hour"
	}
	return "for more than 15 minutes"
}

// defanged is a place that no program makes a link of.
func defanged(s string) string { return formats.Defanged(s) }
