package webui

import (
	"net/http"
	"strconv"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
)

var (
	disputeKinds = map[concert.DisputeKind]design.Text{
		concert.DisputeOfUser: "Complaint of the content provider (Art. 10)",
		concert.DisputeReview: "Review before a court or an authority (Art. 9)",
	}
	disputeEnds = map[concert.DisputeOutcome]design.Text{
		concert.DisputeUpheld:     "The measure stands",
		concert.DisputeReinstated: "The content is reinstated",
	}
)

// disputeState is where a complaint stands at the time.
func disputeState(c casework.DisputeView, now time.Time) state {
	switch {
	case c.Outcome == concert.DisputeReinstated:
		return state{Mark: "↺", Label: "reinstated", Tone: "end"}
	case c.Outcome == concert.DisputeUpheld:
		return state{Mark: "■", Label: "the measure stands", Tone: "end"}
	case c.Term.State == concert.DeadlineMissed:
		return state{Mark: "▲", Label: "the two weeks are over", Tone: "bad"}
	case c.Term.State == concert.DeadlineRunning:
		return state{Mark: "◷", Label: "to be decided, %s days left", Tone: "wait", Args: []any{strconv.Itoa(int(c.Term.Left(now) / (24 * time.Hour)))}}
	}
	return state{Mark: "○", Label: "open", Tone: "wait"}
}

func keptState(k casework.KeptView, now time.Time) state {
	switch {
	case !k.ErasedAt.IsZero():
		return state{Mark: "✕", Label: "erased", Tone: "end"}
	case k.Over(now):
		return state{Mark: "▲", Label: "its time is over: erase it", Tone: "bad"}
	}
	return state{Mark: "■", Label: "preserved", Tone: "good"}
}

func hubState(h concert.Hub) state {
	switch {
	case !h.EndedAt.IsZero():
		return state{Mark: "✕", Label: "asked no more", Tone: "end"}
	case h.Problem != "":
		return state{Mark: "▲", Label: "cannot be asked", Tone: "bad"}
	case h.SeenAt.IsZero():
		return state{Mark: "○", Label: "not asked yet", Tone: "wait"}
	}
	return state{Mark: "✓", Label: "is there", Tone: "good"}
}

type keptPage struct {
	Rows   []casework.KeptView
	MayAct bool
	Now    time.Time
	Errors formErrors
}

func (u *UI) keptContents(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showKept(w, r, v, nil)
}

func (u *UI) showKept(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := keptPage{Now: u.svc.Now(), MayAct: v.actor().MayReply() == nil, Errors: errs}
	if p.Rows, err = u.svc.KeptContents(r.Context(), scope); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "What is preserved"), body: keptView(p)})
}

func (u *UI) afterKept(w http.ResponseWriter, r *http.Request, v *visit, err error, done string) error {
	if err == nil {
		return onward(w, r, "/kept", done, "")
	}
	errs, err := formErrorsOf(err)
	if err != nil {
		return err
	}
	return u.showKept(w, r, v, errs)
}

func (u *UI) prolongKept(w http.ResponseWriter, r *http.Request, v *visit) error {
	until, err := time.Parse(time.DateOnly, field(r, "until"))
	if err != nil {
		err = concert.Refuse(concert.Invalid, "kept.until", "", "name the day until which it is kept, such as 2027-01-31")
	} else {
		err = u.svc.ProlongKept(r.Context(), v.actor(), r.PathValue("ref"), until.AddDate(0, 0, 1).Add(-time.Microsecond), field(r, "reason"))
	}
	return u.afterKept(w, r, v, err, "prolonged")
}

func (u *UI) eraseKept(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.afterKept(w, r, v, u.svc.EraseKept(r.Context(), v.actor(), r.PathValue("ref")), "kept_erased")
}

type disputesPage struct {
	Rows   []casework.DisputeView
	MayAct bool
	Now    time.Time
	Errors formErrors
}

func (u *UI) disputes(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showDisputes(w, r, v, nil)
}

func (u *UI) showDisputes(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	p := disputesPage{Now: u.svc.Now(), MayAct: v.actor().MayReply() == nil, Errors: errs}
	if p.Rows, err = u.svc.Disputes(r.Context(), scope); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Complaints and reviews"), body: disputesView(p)})
}

func (u *UI) decideDispute(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.DecideDispute(r.Context(), v.actor(), r.PathValue("ref"), concert.DisputeOutcome(field(r, "outcome")), field(r, "answer"))
	if err == nil {
		return onward(w, r, "/disputes", "decided", "")
	}
	errs, err := formErrorsOf(err)
	if err != nil {
		return err
	}
	return u.showDisputes(w, r, v, errs)
}

// article7Row is one number with its letter of Art. 7(3).
type article7Row struct {
	Letter string
	Text   design.Text
	N      int
}

type article7Page struct {
	Year int
	Rows []article7Row
}

func (u *UI) article7For(r *http.Request, v *visit) (article7Page, error) {
	scope, err := v.scope()
	if err != nil {
		return article7Page{}, err
	}
	year, err := strconv.Atoi(r.URL.Query().Get("year"))
	if err != nil || year < 2022 || year > 9998 {
		year = u.svc.Now().Year()
	}
	a, err := u.svc.YearlyReport(r.Context(), scope, year)
	return article7Page{Year: year, Rows: article7Rows(a)}, err
}

func article7Rows(a concert.Article7) []article7Row {
	return []article7Row{
		{"(c)", "Pieces of content removed after orders", a.Removed},
		{"(c)", "Pieces of content to which access was disabled after orders", a.Disabled},
		{"(c)", "Orders hindered by force majeure or in fact impossible (Art. 3(7))", a.Force},
		{"(c)", "Orders with manifest errors (Art. 3(8))", a.Errors},
		{"(c)", "Orders with too little information (Art. 3(8))", a.Lacking},
		{"(d)", "Complaints of content providers", a.Complaints},
		{"(d)", "of which the measure stands", a.Upheld},
		{"(e)", "Reviews before a court or an authority", a.Reviews},
		{"(e)", "Reviews after which the measure stands", a.ReviewsUpheld},
		{"(f)", "Content reinstated after a review", a.ReviewsReinstated},
		{"(g)", "Content reinstated after a complaint", a.Reinstated},
		{"–", "Removal orders that came in", a.Orders},
		{"–", "of which were valid", a.Valid},
		{"–", "of which were not valid", a.Unproven},
		{"–", "Orders carried out in full", a.Executed},
		{"–", "Orders whose hour was over before they were carried out", a.Missed},
		{"–", "Orders that were taken back or lost their effect", a.Ended},
		{"–", "Referrals that came in (voluntary)", a.Referrals},
		{"–", "Pieces of content that they named", a.Referred},
		{"–", "of which a measure was taken under your own terms", a.Acted},
		{"–", "of which did not violate your terms", a.Refused},
	}
}

func (u *UI) article7(w http.ResponseWriter, r *http.Request, v *visit) error {
	p, err := u.article7For(r, v)
	if err != nil {
		return err
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Transparency report for %s", strconv.Itoa(p.Year)), body: article7View(p)})
}

type hubsPage struct {
	Hubs   []concert.Hub
	Base   string
	MayAct bool
	Errors formErrors
	Typed  map[string]string
}

func (u *UI) hubs(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showHubs(w, r, v, hubsPage{})
}

func (u *UI) showHubs(w http.ResponseWriter, r *http.Request, v *visit, p hubsPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if p.Hubs, err = u.svc.Hubs(r.Context(), scope); err != nil {
		return err
	}
	p.Base, p.MayAct = u.svc.BaseURL, v.has(concert.RoleProviderAdmin)
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Hubs"), body: hubsView(p)})
}

func (u *UI) addHub(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := hubsPage{Typed: map[string]string{"url": field(r, "url"), "root": field(r, "root"), "webhook_key": field(r, "webhook_key")}} // the key is typed again
	h, err := u.svc.AddHub(r.Context(), v.actor(), casework.HubSettings{URL: p.Typed["url"], Key: field(r, "key"), Root: p.Typed["root"], WebhookKey: p.Typed["webhook_key"]})
	if err == nil {
		return onward(w, r, "/hubs", "hub_added", h.Ref)
	}
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showHubs(w, r, v, p)
}

func (u *UI) endHub(w http.ResponseWriter, r *http.Request, v *visit) error {
	h, err := u.svc.EndHub(r.Context(), v.actor(), r.PathValue("ref"))
	if err == nil {
		return onward(w, r, "/hubs", "hub_ended", h.Ref)
	}
	var p hubsPage
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showHubs(w, r, v, p)
}
