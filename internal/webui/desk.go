package webui

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

// worksHere reports whether items may wait for this person.
func worksHere(f frame) bool {
	return f.Person.Authority != "" && (f.has(concert.RoleOfficer) || f.has(concert.RoleReviewer) || f.has(concert.RoleCoordinator))
}

type nowKey struct{}

// nowOf is case time as the page was made.
func nowOf(ctx context.Context) time.Time {
	t, _ := ctx.Value(nowKey{}).(time.Time)
	return t
}

// leftSeconds is how long the reader's claim lasts, for the script that tells of its
// end; "" where they have none.
func leftSeconds(f flowing) string {
	if !f.Mine {
		return ""
	}
	return strconv.Itoa(int(f.Left.Seconds()))
}

// deskRow is one item on the desk.
type deskRow struct {
	concert.Item
	Provider string
	Why      []concert.PriorityReason
	Slip     concert.Slip
	By       string        // operator number of who handed it over or escalated it
	Left     time.Duration // of a claim, on the wall
	Since    time.Time     // when it was handed over or escalated
	Until    time.Time     // parked until
}

// deskList is one group of what waits.
type deskList struct {
	ID    string
	Title design.Text
	Hint  design.Text
	Rows  []deskRow
	Stage concert.ItemStatus // one of these may be taken, "" for none
}

// deskCount is what waits elsewhere.
type deskCount struct {
	State state
	Href  string
	N     string
}

// deskPage is what waits for one person now.
type deskPage struct {
	Ended     []casework.EndedClaim
	By        map[concert.PersonID]string
	Lists     []deskList
	Counts    []deskCount
	Empty     bool
	MaySubmit bool
	Errors    formErrors
	Seen      casework.Seeing // the reader's own day
	Shows     bool            // captures may open to the reader
	Orders    []deskOrder
}

func (u *UI) desk(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showDesk(w, r, v, nil)
}

func (u *UI) showDesk(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	d, err := u.svc.ReadDesk(r.Context(), scope)
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	rows := func(in []casework.OnDesk, by func(concert.Slip) (concert.PersonID, time.Time)) []deskRow {
		out := make([]deskRow, len(in))
		for i, o := range in {
			out[i] = deskRow{Item: o.Item, Provider: g.Providers[o.Provider].Name, Why: o.Why, Slip: o.Slip, Until: o.Slip.ParkedUntil}
			if o.Slip.Held(d.At) {
				out[i].Left = u.svc.Time.Wall(o.Slip.Until.Sub(d.At))
			}
			if by != nil {
				p, since := by(o.Slip)
				out[i].By, out[i].Since = d.Numbers[p], since
			}
		}
		return out
	}
	handed := func(s concert.Slip) (concert.PersonID, time.Time) { return s.HandedBy, s.HandedAt }
	escalated := func(s concert.Slip) (concert.PersonID, time.Time) { return s.EscalatedBy, s.EscalatedAt }
	p := deskPage{Ended: d.Ended, By: d.Numbers, Empty: d.Empty(), MaySubmit: v.has(concert.RoleOfficer), Errors: errs}
	for _, l := range []deskList{
		{ID: "held", Title: "In your hands", Hint: "Nobody else works on these. Opening one lets the claim go on.", Rows: rows(d.Held, nil)},
		{ID: "handed", Title: "Handed to you", Rows: rows(d.Handed, handed)},
		{ID: "escalated", Title: "Escalated", Hint: "Answer by handing it over with a note, or decide it yourself.", Rows: rows(d.Escalated, escalated)},
		{ID: "back", Title: "Parked, and back", Rows: rows(d.Back, nil)},
		{ID: "decide", Title: "Next to decide on", Rows: rows(d.Decide, nil), Stage: concert.ItemAssessed},
		{ID: "assess", Title: "Next to assess", Rows: rows(d.Assess, nil), Stage: concert.ItemOpen},
		{ID: "parked", Title: "Parked by you", Rows: rows(d.Parked, nil)},
	} {
		if len(l.Rows) > 0 {
			p.Lists = append(p.Lists, l)
		}
	}
	if p.Orders, err = u.deskOrders(r.Context(), v, g); err != nil {
		return err
	}
	p.Empty = p.Empty && len(p.Orders) == 0
	p.Counts = deskCounts(d, v)
	if p.Shows = v.actor().MayCapture() == nil; p.Shows {
		if p.Seen, err = u.svc.SeenToday(r.Context(), v.actor()); err != nil {
			return err
		}
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Your desk"), body: deskView(p), wide: true})
}

func deskCounts(d casework.Desk, v *visit) []deskCount {
	var out []deskCount
	add := func(s state, href string, n int) {
		text := strconv.Itoa(n)
		if n >= 100 {
			text = "100+"
		}
		out = append(out, deskCount{s, href, text})
	}
	for _, s := range []concert.ItemStatus{concert.ItemOpen, concert.ItemAssessed, concert.ItemHeld, concert.ItemStillUp, concert.ItemReturned} {
		href := "/items?status=" + string(s)
		if s == concert.ItemAssessed && v.has(concert.RoleReviewer) {
			href = "/approvals"
		}
		add(itemStates[s], href, d.Counts[s])
	}
	if v.has(concert.RoleReviewer) {
		add(state{Mark: "◎", Label: "Second looks for you", Tone: "wait"}, "/second-looks", d.SecondLooks)
	}
	return out
}

func (u *UI) seenEnds(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator); err != nil {
		return err
	}
	if err := u.svc.SeenEndedClaims(r.Context(), v.actor()); err != nil {
		return err
	}
	return onward(w, r, "/desk", "", "")
}
