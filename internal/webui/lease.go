package webui

import (
	"context"
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

func (u *UI) flowRoutes() []route {
	return []route{
		{"GET /desk", u.serve(person, u.desk)},
		{"POST /desk/next", u.serve(person, u.takeNext)},
		{"POST /desk/seen", u.serve(person, u.seenEnds)},
		{"GET /keys", u.serve(anyone, u.keys)},
		{"POST /keys", u.serve(anyone, u.setKeys)},
		{"GET /find", u.serve(person, u.find)},
		{"POST /items/{ref}/claim", u.serve(person, u.claimItem)},
		{"POST /items/{ref}/give-back", u.serve(person, u.giveBack)},
		{"POST /items/{ref}/skip", u.serve(person, u.skipItem)},
		{"POST /items/{ref}/park", u.serve(person, u.parkItem)},
		{"POST /items/{ref}/hand-over", u.serve(person, u.handOver)},
		{"POST /items/{ref}/escalate", u.serve(person, u.escalateItem)},
		{"POST /items/{ref}/take-over", u.serve(person, u.takeOver)},
	}
}

// reasonTexts say why an item has its priority.
var reasonTexts = map[string]design.Text{
	concert.ReasonUrgency:   "handed in with this urgency",
	concert.ReasonSerious:   "assessed as serious",
	concert.ReasonThreat:    "assessed as a threat to life",
	concert.ReasonIncident:  "belongs to an incident",
	concert.ReasonEscalated: "escalated to a lead",
}

// whyText is the one reason for a priority in the reader's words.
func whyText(ctx context.Context, r concert.PriorityReason) string {
	switch r.Code {
	case concert.ReasonFinders:
		return count(ctx, r.Count, "found by %d authority", "found by %d authorities")
	case concert.ReasonAge:
		if r.Count == 0 {
			return say(ctx, "found just now")
		}
		return say(ctx, "found %s ago", waitText(ctx, time.Duration(r.Count)*time.Minute))
	}
	return say(ctx, reasonTexts[r.Code])
}

// waitText is a span of time in its largest unit that says enough.
func waitText(ctx context.Context, d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return say(ctx, "%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return say(ctx, "%d h", int(d.Hours()))
	}
	return count(ctx, int(d.Hours()/24), "%d day", "%d days")
}

// flowing is what lies on an item, as its page shows it, and what this person
// may do with it.
type flowing struct {
	casework.SlipView
	Status   concert.ItemStatus
	Mine     bool
	Others   bool // somebody else has it in hand, or it waits for them alone
	Parked   bool
	Waits    bool          // for an assessment or a decision
	Left     time.Duration // of the claim, on the wall
	MayClaim bool
	MayMove  bool // park, hand over, escalate
	MayLead  bool // take it over
	To       []string
	Leads    []string
	Next     bool // the next item is wanted afterwards
	Form     flowForm
	Errors   formErrors
}

// flowForm is what was typed.
type flowForm struct{ For, ParkReason, To, Note, Lead, Escalation, TakeOver string }

// number is somebody's operator number, "you" for the reader.
func (f flowing) number(ctx context.Context, p concert.PersonID) string {
	if p == frameOf(ctx).Person.ID {
		return say(ctx, "you")
	}
	return f.Numbers[p]
}

// purposeKeys choose the outcome of the purpose test.
var purposeKeys = map[concert.Purpose]string{concert.PurposeNone: "o", concert.PurposeExempt: "x"}

// groundFor is the field that a key fills before it approves: the ground, where
// one is needed.
func groundFor(ref string, needed int) string {
	if needed > 1 {
		return "ground-" + ref
	}
	return ""
}

// parkSpans are for how long an item may be put aside by form.
var parkSpans = []struct {
	Value string
	Span  time.Duration
	Text  design.Text
}{
	{"30m", 30 * time.Minute, "half an hour"},
	{"2h", 2 * time.Hour, "two hours"},
	{"8h", 8 * time.Hour, "eight hours"},
	{"24h", 24 * time.Hour, "a day"},
	{"72h", 72 * time.Hour, "three days"},
	{"168h", 7 * 24 * time.Hour, "a week"},
}

// flow fills in what lies on the item and what this person may do with it.
func (u *UI) flow(r *http.Request, v *visit, p *itemPage) error {
	now, by, it := u.svc.Now(), v.actor(), p.Item
	if v.person.Authority == "" || !it.ErasedAt.IsZero() {
		return nil
	}
	f := flowing{SlipView: it.Slip, Status: it.Status, Waits: it.Status.Waits(), Next: r.URL.Query().Get("next") != "" || field(r, "then") == "next"}
	found := slices.ContainsFunc(it.Finders, func(a concert.Authority) bool { return a.ID == by.Authority })
	s := it.Slip.Slip
	if s.Version == 0 {
		s = concert.Slip{}
	}
	bars := s.Bars(by, it.Item, now)
	may := f.Waits && s.MayWork(by, it.Item, found, now) == nil
	f.Mine = s.Held(now) && s.Holder == by.Person
	f.Others, f.Parked = f.Waits && bars != nil, s.Parked(now)
	f.MayClaim = may && !f.Mine
	f.MayMove = may && by.Authority == it.Item.Custodian()
	f.MayLead = f.Others && (v.has(concert.RoleReviewer) || v.has(concert.RoleCoordinator)) && (by.Authority == it.Item.Custodian() || by.Authority == s.Authority)
	f.Left = u.svc.Time.Wall(max(0, s.Until.Sub(now)))
	if f.MayMove {
		var err error
		if f.To, err = u.svc.Colleagues(r.Context(), by, it.Status, false); err != nil {
			return err
		}
		if f.Leads, err = u.svc.Colleagues(r.Context(), by, it.Status, true); err != nil {
			return err
		}
	}
	if f.Others {
		p.MayAssess, p.MayDecide = false, false
	}
	p.Flow = f
	return nil
}

// flowFailed shows the item again with what stands in the way of an act on its slip;
// part names the form. What people cannot put right is passed on.
func (u *UI) flowFailed(w http.ResponseWriter, r *http.Request, v *visit, err error, part string, typed flowForm) error {
	return u.itemFailed(w, r, v, err, func(p *itemPage, errs formErrors) {
		for i, e := range errs {
			here := *e
			if here.Field != "" {
				here.Field = part + "-" + here.Field
			}
			errs[i] = &here
		}
		p.Flow.Errors, p.Flow.Form = errs, typed
	})
}

func (u *UI) claimItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	t, err := u.svc.ClaimItem(r.Context(), v.actor(), ref)
	quiet := field(r, "quiet") != ""
	switch {
	case err != nil && quiet:
		return err
	case err != nil:
		return u.flowFailed(w, r, v, err, "claim", flowForm{})
	case quiet:
		left := u.svc.Time.Wall(t.Slip.Until.Sub(u.svc.Now()))
		w.Header().Set("Concert-Claim-Seconds", strconv.Itoa(int(left.Seconds())))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return onward(w, r, "/items/"+ref, "claimed", "")
}

func (u *UI) giveBack(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref := r.PathValue("ref")
	if err := u.svc.GiveBack(r.Context(), v.actor(), ref); err != nil {
		return u.flowFailed(w, r, v, err, "claim", flowForm{})
	}
	return onward(w, r, "/desk", "given_back", ref)
}

// skipItem goes straight on to the next.
func (u *UI) skipItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := u.svc.SkipItem(r.Context(), v.actor(), r.PathValue("ref")); err != nil {
		return u.flowFailed(w, r, v, err, "claim", flowForm{})
	}
	return u.goNext(w, r, v, "", "", "")
}

func (u *UI) parkItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, f := r.PathValue("ref"), flowForm{For: field(r, "for"), ParkReason: field(r, "reason")}
	until := time.Time{}
	for _, s := range parkSpans {
		if s.Value == f.For {
			until = u.svc.Now().Add(s.Span)
		}
	}
	if _, err := u.svc.ParkItem(r.Context(), v.actor(), ref, until, f.ParkReason); err != nil {
		return u.flowFailed(w, r, v, err, "park", f)
	}
	return onward(w, r, "/desk", "parked", ref)
}

func (u *UI) handOver(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, f := r.PathValue("ref"), flowForm{To: field(r, "to"), Note: field(r, "note")}
	if _, err := u.svc.HandOver(r.Context(), v.actor(), ref, f.To, f.Note); err != nil {
		return u.flowFailed(w, r, v, err, "hand", f)
	}
	return onward(w, r, "/desk", "handed_over", ref)
}

func (u *UI) escalateItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, f := r.PathValue("ref"), flowForm{Lead: field(r, "to"), Escalation: field(r, "reason")}
	if _, err := u.svc.EscalateItem(r.Context(), v.actor(), ref, f.Lead, f.Escalation); err != nil {
		return u.flowFailed(w, r, v, err, "escalate", f)
	}
	return onward(w, r, "/desk", "escalated", ref)
}

func (u *UI) takeOver(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, f := r.PathValue("ref"), flowForm{TakeOver: field(r, "reason")}
	if _, err := u.svc.TakeOver(r.Context(), v.actor(), ref, f.TakeOver); err != nil {
		return u.flowFailed(w, r, v, err, "take", f)
	}
	return onward(w, r, "/items/"+ref, "taken_over", "")
}

func (u *UI) takeNext(w http.ResponseWriter, r *http.Request, v *visit) error {
	stage := concert.ItemStatus(field(r, "stage"))
	var t casework.Taken
	var err error
	if field(r, "unveiled") != "" {
		t, err = u.svc.TakeNextUnveiled(r.Context(), v.actor())
	} else {
		t, err = u.svc.TakeNext(r.Context(), v.actor(), stage)
	}
	if err != nil {
		errs, err := formErrorsOf(err)
		if err != nil || errs[0].Kind == concert.Forbidden {
			return errs.or(err)
		}
		return u.showDesk(w, r, v, errs)
	}
	if t.Ref == "" {
		return onward(w, r, "/desk", "nothing_waits", "")
	}
	return toItem(w, r, t.Ref, "", "")
}

// or is the error that there was besides, else the first of these.
func (e formErrors) or(err error) error {
	if err != nil {
		return err
	}
	return e[0]
}

// goNext goes on to the next item after an act that is done, or to the desk
// where there is none: what was done is never called into question by that.
func (u *UI) goNext(w http.ResponseWriter, r *http.Request, v *visit, stage concert.ItemStatus, done, about string) error {
	t, err := u.svc.TakeNext(r.Context(), v.actor(), stage)
	if err != nil || t.Ref == "" {
		if done == "" {
			done = "nothing_waits"
		}
		return onward(w, r, "/desk", done, about)
	}
	return toItem(w, r, t.Ref, done, about)
}

// toItem leads to an item that was taken as the next one.
func toItem(w http.ResponseWriter, r *http.Request, ref, done, about string) error {
	q := url.Values{"next": {"1"}}
	if done != "" {
		q.Set("done", done)
	}
	if about != "" {
		q.Set("about", about)
	}
	http.Redirect(w, r, "/items/"+ref+"?"+q.Encode(), http.StatusSeeOther)
	return nil
}

// afterwards goes where the form says: to the next item, or to the page named.
func (u *UI) afterwards(w http.ResponseWriter, r *http.Request, v *visit, stage concert.ItemStatus, to, done, ref string) error {
	if field(r, "then") == "next" {
		return u.goNext(w, r, v, stage, done, ref)
	}
	if strings.HasPrefix(to, "/items/") {
		ref = ""
	}
	return onward(w, r, to, done, ref)
}
