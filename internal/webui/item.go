package webui

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

const (
	queuePage  = 50  // rows of a page of the queue
	submitMost = 100 // locations that one form takes
)

// queueTabs are the statuses that wait for somebody, before those that wait for
// nobody here.
var queueTabs = []concert.ItemStatus{concert.ItemOpen, concert.ItemAssessed, concert.ItemHeld, concert.ItemStillUp, concert.ItemReturned,
	concert.ItemApproved, concert.ItemReferred, concert.ItemAnswered, concert.ItemClosed, concert.ItemRefused, concert.ItemOutOfScope, concert.ItemRejected, concert.ItemStopped, concert.ItemWithdrawn}

// waitingTabs is how many of queueTabs wait for somebody.
const waitingTabs = 5

// tab is one status of the queue; Count is "" where it was not counted.
type tab struct {
	Status  concert.ItemStatus
	Label   design.Text
	Count   string
	Href    string
	Current bool
}

// itemsPage is the list of items, with what waits above it.
type itemsPage struct {
	Waiting, Other []tab
	Sheet          design.Sheet
	MaySubmit      bool
}

// cursor names a row of the queue, opaquely, for the page that begins after it.
func cursor(it concert.Item) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(9-it.Priority) + "." + string(it.ID)))
}

func openCursor(s string) (int, concert.ItemID, error) {
	bad := concert.Refuse(concert.Invalid, "cursor.malformed", "", "this page's address is broken: begin with the first page of the list")
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) > 60 {
		return 0, "", bad
	}
	rank, id, ok := strings.Cut(string(raw), ".")
	n, err := strconv.Atoi(rank)
	if !ok || err != nil || n < 0 || n > 9 || id == "" || clean(id) != id {
		return 0, "", bad
	}
	return n, concert.ItemID(id), nil
}

// submitted is what became of one line.
type submitted struct {
	Line    int
	Text    string // defanged where it could be read
	Ref     string
	Outcome string
	Message string
}

// submitPage hands in finds, one location a line.
type submitPage struct {
	Locations, Type, Outlet, Action, Evaluation, Priority string
	Outlets, Actions                                      []choice
	Results                                               []submitted
	Errors                                                formErrors

	Language, Incident, Sweep string
	Incidents                 []choice
}

var outcomeTexts = map[string]state{
	casework.OutcomeCreated:   {Mark: "✓", Label: "taken: waits for an assessment", Tone: "good"},
	casework.OutcomeStopped:   {Mark: "⊘", Label: "recorded, but stopped by the guard", Tone: "end"},
	casework.OutcomeDuplicate: {Mark: "+", Label: "another authority found it before: you share the credit", Tone: "go"},
	casework.OutcomeKnown:     {Mark: "=", Label: "you handed it in before: nothing added", Tone: "end"},
	"":                        {Mark: "▲", Label: "not taken", Tone: "bad"},
}

func (u *UI) submitForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := submitPage{Evaluation: "A1"}
	if sweep := clean(r.URL.Query().Get("sweep")); isReference(sweep) {
		p.Sweep = sweep
	}
	if err := u.submitOfThreat(r, v, &p); err != nil {
		return err
	}
	return u.showSubmit(w, r, v, p)
}

func (u *UI) showSubmit(w http.ResponseWriter, r *http.Request, v *visit, p submitPage) error {
	if err := v.actor().MaySubmit(); err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	p.Outlets = outletChoices(r.Context(), g, u.svc.Now())
	if p.Incidents, err = u.openIncidents(r, v); err != nil {
		return err
	}
	for _, a := range g.Actions {
		if a.Phase != concert.PhaseClose {
			p.Actions = append(p.Actions, choice{a.Ref, a.Name})
		}
	}
	slices.SortFunc(p.Actions, func(a, b choice) int { return cmp.Compare(a.Text, b.Text) })
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Hand in"), body: submitView(p)})
}

func (u *UI) submitItems(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := submitPage{Locations: r.PostForm.Get("locations"), Type: field(r, "type"), Outlet: field(r, "outlet"), Action: field(r, "action"), Evaluation: field(r, "evaluation"), Priority: field(r, "priority"),
		Language: field(r, "language"), Incident: field(r, "incident"), Sweep: field(r, "sweep")}
	var lines []submitted
	var in []casework.Submission
	priority := map[string]int{"serious": 5, "threat": 9}[p.Priority]
	for i, line := range strings.Split(p.Locations, "\n") {
		if line = clean(line); line == "" {
			continue
		}
		lines = append(lines, submitted{Line: i + 1, Text: line})
		in = append(in, casework.Submission{Location: line, Type: concert.ItemType(p.Type), Outlet: p.Outlet, Action: p.Action, Priority: priority, Evaluation: p.Evaluation, Source: "form",
			Language: p.Language, Incident: p.Incident, Sweep: p.Sweep})
	}
	switch {
	case len(in) == 0:
		p.Errors = formErrors{concert.Refuse(concert.Invalid, "submit.empty", "locations", "there is no location: write one a line")}
	case len(in) > submitMost:
		p.Errors = formErrors{concert.Refuse(concert.TooLarge, "submit.too_many", "locations", "%d lines are too many at once: at most %d; a file goes in by concert import", len(in), submitMost)}
	}
	if len(p.Errors) > 0 {
		return u.showSubmit(w, r, v, p)
	}
	results, err := u.svc.SubmitItems(r.Context(), v.actor(), in)
	if err != nil {
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showSubmit(w, r, v, p)
	}
	var again []string
	for i, res := range results {
		lines[i].Ref, lines[i].Outcome = res.Ref, res.Outcome
		if res.Err != nil {
			lines[i].Message = said(r.Context(), res.Err)
			again = append(again, in[i].Location)
		}
		if l, _, err := u.svc.Locate(in[i].Location); err == nil {
			lines[i].Text = l.Display
		}
	}
	p.Results, p.Locations = lines, strings.Join(again, "\n")
	return u.showSubmit(w, r, v, p)
}

// outletChoices are the outlets for a form, each with whether it is in scope
// now: in words, since options have no other way.
func outletChoices(ctx context.Context, g casework.Registers, now time.Time) []choice {
	var in, out []choice
	for id, o := range g.Scope.Outlets {
		if e, err := g.Scope.Covers(id, now); err == nil {
			in = append(in, choice{o.Ref, say(ctx, "%s (in scope: %s)", o.Name, e.LegalAct)})
		} else {
			out = append(out, choice{o.Ref, say(ctx, "%s (NOT in scope: cannot be referred)", o.Name)})
		}
	}
	byText := func(a, b choice) int { return cmp.Compare(a.Text, b.Text) }
	slices.SortFunc(in, byText)
	slices.SortFunc(out, byText)
	return append(in, out...)
}

// isOther reports whether the page shows a status that waits for nobody here.
func isOther(p itemsPage) bool {
	return slices.ContainsFunc(p.Other, func(t tab) bool { return t.Current })
}
