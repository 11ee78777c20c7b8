package webui

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

func (u *UI) actionRoutes() []route {
	return []route{
		{"GET /actions/new", u.serve(person, u.newAction)},
		{"POST /actions", u.serve(person, u.openAction)},
		{"GET /actions/{ref}/coordinate", u.serve(person, u.coordinate)},
		{"POST /actions/{ref}/phase", u.serve(person, u.setPhase)},
		{"POST /actions/{ref}/participants", u.serve(person, u.joinAction)},
		{"POST /actions/{ref}/targets", u.serve(person, u.targetAction)},
		{"POST /actions/{ref}/batching", u.serve(person, u.batching)},
		{"POST /actions/{ref}/freeze", u.serve(person, u.freezeAction)},
		{"POST /actions/{ref}/thaw", u.serve(person, u.askThaw)},
		{"POST /actions/{ref}/thaw/confirm", u.serve(person, u.confirmThaw)},
		{"POST /actions/{ref}/throttle", u.serve(person, u.throttle)},
		{"POST /actions/{ref}/consignments", u.serve(person, u.prepareConsignment)},
		{"POST /actions/{ref}/bulletins", u.serve(person, u.postBulletin)},
		{"POST /actions/{ref}/allotments", u.serve(person, u.proposeAllotment)},
		{"POST /actions/{ref}/here", u.serve(person, u.sayHere)},
		{"GET /actions/{ref}/items", u.serve(person, u.countedItems)},
		{"POST /bulletins/{ref}/down", u.serve(person, u.takeDown)},
		{"POST /bulletins/{ref}/take", u.serve(person, u.takeCommand)},
		{"POST /allotments/{ref}/answer", u.serve(person, u.answerAllotment)},
		{"GET /consignments/{ref}", u.serve(person, u.consignment)},
		{"POST /consignments/{ref}/confirm", u.serve(person, u.confirmConsignment)},
		{"POST /consignments/{ref}/recall", u.serve(person, u.recallConsignment)},
		{"GET /actions/{ref}/report.json", u.serve(person, u.signedReport)},
		{"GET /actions/{ref}/tables/{table}", u.serve(person, u.reportTable)},
		{"GET /reports", u.serve(person, u.unitReport)},
		{"GET /reports.csv", u.serve(person, u.unitReportCSV)},
	}
}

// newActionPage is the form that opens a joint action.
type newActionPage struct {
	Authorities                               []choice
	Name, Lead, Mandate, Starts, Ends, Target string
	Errors                                    formErrors
}

func (u *UI) newAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().Need(concert.RoleCoordinator); err != nil {
		return err
	}
	now := u.svc.Now().UTC()
	return u.showNewAction(w, r, v, newActionPage{Starts: now.Format("2006-01-02T15:04"), Ends: now.Add(96 * time.Hour).Format("2006-01-02T15:04")})
}

func (u *UI) showNewAction(w http.ResponseWriter, r *http.Request, v *visit, p newActionPage) error {
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Authorities = actionAuthorities(g, nil)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Open a joint action"), body: newActionView(p)})
}

// actionAuthorities are the authorities by name; of those in among only, where
// that is not nil.
func actionAuthorities(g casework.Registers, among map[concert.AuthorityID]bool) []choice {
	var out []choice
	for id, a := range g.Authorities {
		if among == nil || among[id] {
			out = append(out, choice{a.Ref, a.Name})
		}
	}
	slices.SortFunc(out, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return out
}

// timeField is a form's local time, taken as UTC.
func timeField(r *http.Request, name string) (time.Time, error) {
	t, err := time.Parse("2006-01-02T15:04", field(r, name))
	if err != nil {
		return t, concert.Refuse(concert.Invalid, "action.dates", name, "write the time like 2019-11-21T08:00, in UTC")
	}
	return t.UTC(), nil
}

func (u *UI) openAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().Need(concert.RoleCoordinator); err != nil {
		return err
	}
	p := newActionPage{Name: field(r, "name"), Lead: field(r, "lead"), Mandate: field(r, "mandate"), Starts: field(r, "starts_at"), Ends: field(r, "ends_at"), Target: field(r, "target")}
	a := concert.Action{Name: p.Name, Mandate: p.Mandate, Target: number32(p.Target)}
	var err error
	if a.StartsAt, err = timeField(r, "starts_at"); err == nil {
		if a.EndsAt, err = timeField(r, "ends_at"); err == nil {
			a, err = u.svc.OpenAction(r.Context(), v.actor(), p.Lead, a)
		}
	}
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showNewAction(w, r, v, p)
	}
	return onward(w, r, "/actions/"+a.Ref+"/coordinate", "action_opened", a.Ref)
}

// number32 is a whole number of a form, 0 where there is none.
func number32(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1_000_000_000 {
		return 0
	}
	return n
}

// commandPage is what a coordinator runs an action from.
type commandPage struct {
	casework.Command
	Board      boardPage
	Own        bool   // the reader commands
	Commander  string // operator number
	Next       concert.Phase
	Back       []concert.Phase
	Pools      []poolLine
	Hits       []hitLine
	Providers  []providerLine
	Units      []choice // participants
	Others     []choice // authorities that take no part yet
	Outlets    []choice // targets to name
	Targets    []string
	Muster     []musterLine
	Standing   []concert.Bulletin
	HandOvers  []concert.Bulletin
	Moments    []momentLine
	Names      func(string) string
	Errors     formErrors
	MayAct     bool
	Person     concert.PersonID
	AsOf       time.Time
	MayConfirm bool // the freeze's end
	Works      casework.Works
}

type poolLine struct {
	Unit string
	casework.UnitPool
	Age, ApprovalAge string
}

type hitLine struct {
	Unit string
	casework.HoldHit
	Age string
}

type providerLine struct {
	Ref, Name string
	Ready     int64
	Agreed    int // items an hour
	concert.Throttle
}

type musterLine struct {
	Unit string
	concert.Muster
}

type momentLine struct {
	casework.Moment
	What     design.Text
	Operator string
	Detail   design.Text
	Who      string
}

var allotmentTexts = map[concert.AllotmentKind]design.Text{
	concert.AllotReassign: "Another unit takes items on", concert.AllotHold: "Items wait", concert.AllotSplit: "Divide the pool among officers",
}

var allotmentWords = map[concert.AllotmentWord]state{
	"": {Mark: "…", Label: "waits for the unit", Tone: "wait"}, concert.AllotAccepted: {Mark: "✓", Label: "accepted", Tone: "good"}, concert.AllotDeclined: {Mark: "✕", Label: "declined", Tone: "end"},
}

var bulletinTexts = map[concert.BulletinKind]design.Text{
	concert.BulletinOrder: "Order of the day", concert.BulletinAnnotation: "Note on the timeline", concert.BulletinHandOver: "Hand-over", concert.BulletinRollCall: "Roll call",
}

var momentTexts = map[concert.EventKind]design.Text{
	concert.EventActionOpened: "opened", concert.EventActionPhase: "phase", concert.EventActionJoined: "an authority takes part", concert.EventActionTargeted: "an outlet is a target",
	concert.EventActionFrozen: "frozen", concert.EventThawAsked: "end of the freeze asked for", concert.EventActionThawed: "freeze ended", concert.EventActionThrottled: "throttle",
	concert.EventActionBatching: "releases", concert.EventConsignmentPrepared: "consignment prepared", concert.EventConsignmentConfirmed: "consignment confirmed", concert.EventConsignmentRecalled: "consignment recalled",
	concert.EventConsignmentLeft: "consignment left", concert.EventBulletinPosted: "said", concert.EventBulletinTakenDown: "taken down", concert.EventCommandTaken: "command taken",
	concert.EventAllotmentProposed: "proposal to a unit", concert.EventAllotmentAnswered: "the unit answered",
}

// detailText is a moment's code in words.
func detailText(m casework.Moment) design.Text {
	switch m.Kind {
	case concert.EventActionPhase, concert.EventActionOpened:
		return phaseTexts[concert.Phase(m.Detail)]
	case concert.EventActionJoined:
		return partTexts[concert.Part(m.Detail)]
	case concert.EventActionBatching:
		if m.Detail == "batched" {
			return "in consignments"
		}
		return "as items are approved"
	case concert.EventBulletinPosted, concert.EventBulletinTakenDown:
		return bulletinTexts[concert.BulletinKind(m.Detail)]
	case concert.EventAllotmentProposed:
		return allotmentTexts[concert.AllotmentKind(m.Detail)]
	case concert.EventAllotmentAnswered:
		return allotmentWords[concert.AllotmentWord(m.Detail)].Label
	}
	return ""
}

func (u *UI) coordinate(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showCommand(w, r, v, r.PathValue("ref"), nil)
}

func (u *UI) showCommand(w http.ResponseWriter, r *http.Request, v *visit, ref string, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	c, err := u.svc.ReadCommand(r.Context(), scope, ref)
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p := u.commandOf(r, v, c, g)
	if p.Works, err = u.worksFor(r.Context(), v, scope); err != nil {
		return err
	}
	p.Errors = errs
	u.svc.Present(r.Context(), v.actor(), c.Action.ID)
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Coordinate: %s", c.Action.Name), body: commandView(p), wide: true})
}

func (u *UI) commandOf(r *http.Request, v *visit, c casework.Command, g casework.Registers) commandPage {
	ctx := r.Context()
	p := commandPage{Command: c, Board: boardOf(ctx, c.Board, g, c.WallFigures, u.svc.Time.Rate, mayList(v.actor())), Own: c.InCommand == v.person.ID, Commander: c.Operators[c.InCommand], Names: shortName(g),
		MayAct: v.has(concert.RoleCoordinator) && c.Action.Phase != concert.PhaseClose, Person: v.person.ID, AsOf: c.Board.AsOf, MayConfirm: v.has(concert.RoleCoordinator) && c.Freeze.ThawBy != v.person.ID}
	if at := slices.Index(concert.Phases, c.Action.Phase); at >= 0 {
		if at+1 < len(concert.Phases) {
			p.Next = concert.Phases[at+1]
		}
		p.Back = concert.Phases[:at]
	}
	takes := map[concert.AuthorityID]bool{}
	for _, x := range c.Participants {
		takes[x.Authority] = true
	}
	p.Units = actionAuthorities(g, takes)
	p.Others = actionAuthorities(g, nil)
	for _, x := range c.Units {
		p.Pools = append(p.Pools, poolLine{p.Names(string(x.Authority)), x, ageOf(r, x.Unassigned, p.AsOf), ageOf(r, x.Approval, p.AsOf)})
	}
	for _, x := range c.Hits {
		p.Hits = append(p.Hits, hitLine{p.Names(string(x.Authority)), x, design.Age(ctx, x.Since, p.AsOf)})
	}
	for id, x := range g.Providers {
		p.Providers = append(p.Providers, providerLine{x.Ref, x.Name, c.Board.Providers[id][concert.Ready], x.PerHour, c.Throttles[id]})
	}
	slices.SortFunc(p.Providers, func(a, b providerLine) int { return strings.Compare(a.Name, b.Name) })
	for _, x := range c.Muster {
		p.Muster = append(p.Muster, musterLine{p.Names(string(x.Authority)), x})
	}
	for _, b := range c.Bulletins {
		switch {
		case !b.EndedAt.IsZero():
		case b.Kind.OnWall():
			p.Standing = append(p.Standing, b)
		case b.Kind == concert.BulletinHandOver:
			p.HandOvers = append(p.HandOvers, b)
		}
	}
	for _, m := range c.Timeline {
		l := momentLine{m, momentTexts[m.Kind], c.Operators[m.By], detailText(m), ""}
		if m.Kind == concert.EventActionThrottled {
			l.Who = p.Names(m.Detail)
		}
		p.Moments = append(p.Moments, l)
	}
	p.outlets(c, g)
	return p
}

func (p *commandPage) outlets(c casework.Command, g casework.Registers) {
	aimed := map[concert.OutletID]bool{}
	for _, id := range c.Targets {
		aimed[id] = true
		p.Targets = append(p.Targets, g.Scope.Outlets[id].Name)
	}
	for id, o := range g.Scope.Outlets {
		if !aimed[id] {
			p.Outlets = append(p.Outlets, choice{o.Ref, o.Name})
		}
	}
	slices.Sort(p.Targets)
	slices.SortFunc(p.Outlets, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
}

func ageOf(r *http.Request, x concert.Wait, now time.Time) string {
	if x.N == 0 {
		return ""
	}
	return design.Age(r.Context(), x.Since, now)
}

// acted ends an act on an action: onward with word of it, or the coordinator's
// page with what was wrong.
func (u *UI) acted(w http.ResponseWriter, r *http.Request, v *visit, done string, err error) error {
	ref := r.PathValue("ref")
	if err == nil {
		return onward(w, r, "/actions/"+ref+"/coordinate", done, ref)
	}
	errs, other := formErrorsOf(err)
	if other != nil {
		return other
	}
	if v.actor().Need(concert.RoleCoordinator) != nil {
		return err
	}
	return u.showCommand(w, r, v, ref, errs)
}

func (u *UI) setPhase(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.SetPhase(r.Context(), v.actor(), r.PathValue("ref"), 0, concert.Phase(field(r, "phase")))
	return u.acted(w, r, v, "phase_set", err)
}

func (u *UI) joinAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.acted(w, r, v, "action_joined", u.svc.JoinAction(r.Context(), v.actor(), r.PathValue("ref"), field(r, "authority"), concert.Part(field(r, "part"))))
}

func (u *UI) targetAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.acted(w, r, v, "action_targeted", u.svc.TargetAction(r.Context(), v.actor(), r.PathValue("ref"), field(r, "outlet")))
}

func (u *UI) batching(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.acted(w, r, v, "action_batching", u.svc.ConsignAction(r.Context(), v.actor(), r.PathValue("ref"), field(r, "batched") == "on"))
}

func (u *UI) freezeAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.acted(w, r, v, "action_frozen", u.svc.FreezeAction(r.Context(), v.actor(), r.PathValue("ref"), field(r, "reason")))
}

func (u *UI) askThaw(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.acted(w, r, v, "thaw_asked", u.svc.AskThaw(r.Context(), v.actor(), r.PathValue("ref"), field(r, "reason")))
}

func (u *UI) confirmThaw(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := u.svc.ThawAction(r.Context(), v.actor(), r.PathValue("ref"))
	if err == nil && !v.has(concert.RoleCoordinator) {
		return onward(w, r, "/actions/"+r.PathValue("ref"), "action_thawed", r.PathValue("ref"))
	}
	return u.acted(w, r, v, "action_thawed", err)
}

func (u *UI) throttle(w http.ResponseWriter, r *http.Request, v *visit) error {
	t := concert.Throttle{PerHour: number32(field(r, "per_hour")), Quiet: field(r, "quiet") == "on", Reason: field(r, "reason")}
	return u.acted(w, r, v, "action_throttled", u.svc.ThrottleAction(r.Context(), v.actor(), r.PathValue("ref"), field(r, "provider"), t))
}

func (u *UI) postBulletin(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.PostBulletin(r.Context(), v.actor(), r.PathValue("ref"), concert.BulletinKind(field(r, "kind")), field(r, "text"), field(r, "to"))
	return u.acted(w, r, v, "bulletin_posted", err)
}

func (u *UI) proposeAllotment(w http.ResponseWriter, r *http.Request, v *visit) error {
	l := concert.Allotment{Kind: concert.AllotmentKind(field(r, "kind")), Items: number32(field(r, "items")), Reason: field(r, "reason")}
	_, err := u.svc.ProposeAllotment(r.Context(), v.actor(), r.PathValue("ref"), field(r, "from"), field(r, "to"), l)
	return u.acted(w, r, v, "allotment_proposed", err)
}

func (u *UI) sayHere(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.ReportPresence(r.Context(), v.actor(), r.PathValue("ref")); err != nil {
		return err
	}
	return onward(w, r, "/actions/"+r.PathValue("ref"), "here", r.PathValue("ref"))
}

// back sends the browser to the page that a small form stood on.
func back(w http.ResponseWriter, r *http.Request, done string, err error) error {
	if err != nil {
		return err
	}
	return onward(w, r, next(field(r, "next")), done, r.PathValue("ref"))
}

func (u *UI) takeDown(w http.ResponseWriter, r *http.Request, v *visit) error {
	return back(w, r, "taken_down", u.svc.TakeDown(r.Context(), v.actor(), r.PathValue("ref")))
}

func (u *UI) takeCommand(w http.ResponseWriter, r *http.Request, v *visit) error {
	return back(w, r, "command_taken", u.svc.TakeCommand(r.Context(), v.actor(), r.PathValue("ref")))
}

func (u *UI) answerAllotment(w http.ResponseWriter, r *http.Request, v *visit) error {
	return back(w, r, "allotment_answered", u.svc.AnswerAllotment(r.Context(), v.actor(), r.PathValue("ref"), concert.AllotmentWord(field(r, "answer")), field(r, "ground")))
}

// shortName is an authority's name with its unit, or a provider's name.
func shortName(g casework.Registers) func(string) string {
	return func(id string) string {
		if a, ok := g.Authorities[concert.AuthorityID(id)]; ok {
			return a.Name + " (" + a.Unit + ")"
		}
		if p, ok := g.Providers[concert.ProviderID(id)]; ok {
			return p.Name
		}
		return id
	}
}
