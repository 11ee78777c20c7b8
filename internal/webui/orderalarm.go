package webui

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

const (
	// alarmPause is the least time between two words on a stream of alarms.
	alarmPause = 400 * time.Millisecond
	// alarmIdle is how often alarms are looked at again though the log has not grown.
	alarmIdle = 15 * time.Second
)

// orderAlarms is what stands on top of every page of whoever an order concerns.
type orderAlarms struct {
	On    bool // the reader is one of them
	List  []casework.OrderAlarm
	Now   time.Time
	Order string // the order that the page shows, "" for none

	Threats []casework.ThreatAlarm // to life, that nobody has taken (Art. 14(5))
	Seen    string                 // digest of what is shown, by which the stream knows what is news
}

// hearsOrders reports whether alarms on orders, or reports of threats to life, may concern
// somebody: of an authority those who have a part in orders, of a provider those who read
// and answer; and coordinators.
func hearsOrders(p concert.Person) bool {
	by := p.Actor()
	if p.Provider != "" {
		return by.Need(concert.RoleProviderReader, concert.RoleProviderAnswerer) == nil
	}
	return p.Authority != "" && by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer) == nil || by.Has(concert.RoleCoordinator)
}

// orderAlarmsFor gathers the alarms that stand now, with where the order of the page
// stands; ref is "" where the page shows none.
func (u *UI) orderAlarmsFor(ctx context.Context, v *visit, ref string) (orderAlarms, casework.ListedOrder, error) {
	a := orderAlarms{On: true, Order: ref, Now: u.svc.Now()}
	var o casework.ListedOrder
	var err error
	if a.List, err = u.svc.OrderAlarms(ctx, v.actor()); err != nil {
		return a, o, err
	}
	if a.Threats, err = u.svc.ThreatAlarms(ctx, v.actor()); err != nil {
		return a, o, err
	}
	var b strings.Builder
	for _, x := range a.Threats {
		fmt.Fprintln(&b, x.Ref, x.Copy.Version)
	}
	for _, x := range a.List {
		fmt.Fprintln(&b, x.Ref, x.Term, x.Deadline.State, x.Warned, x.DueAt)
	}
	if ref != "" {
		if o, err = u.svc.GlanceOrder(ctx, v.actor(), ref); err != nil {
			return a, o, err
		}
		fmt.Fprintln(&b, o.Ref, o.Order.Version)
		for _, d := range o.Deadlines {
			fmt.Fprintln(&b, d.Term, d.Version)
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	a.Seen = hex.EncodeToString(sum[:8])
	return a, o, nil
}

// streamOf is where the page hears of news.
func (a orderAlarms) streamOf() string {
	q := url.Values{"seen": {a.Seen}}
	if a.Order != "" {
		q.Set("order", a.Order)
	}
	return "/orders/alarms/stream?" + q.Encode()
}

// partOf is where the news are.
func (a orderAlarms) partOf() string {
	if a.Order == "" {
		return "/orders/alarms"
	}
	return "/orders/alarms?" + url.Values{"order": {a.Order}}.Encode()
}

// orderOfPath is the order that a page shows, "" for none.
func orderOfPath(path string) string {
	rest, ok := strings.CutPrefix(path, "/orders/")
	if ref, _, _ := strings.Cut(rest, "/"); ok && isReference(ref) {
		return ref
	}
	return ""
}

// orderAlarmsPart is the inside of the alarms, and of what the order's page shows of
// where it stands: a script puts it in place of what is there.
func (u *UI) orderAlarmsPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !hearsOrders(v.person) {
		return errNoOrders()
	}
	a, o, err := u.orderAlarmsFor(r.Context(), v, clean(r.URL.Query().Get("order")))
	if err != nil {
		return err
	}
	return u.part(w, r, v, orderNews(a, o, orderSteps(r.Context(), o.Order, o.Deadlines, nil)))
}

func errNoOrders() error {
	return concert.Refuse(concert.Forbidden, "orders.reader", "", "alarms on removal orders are for people who have a part in them: officers, reviewers and issuers of an authority, coordinators, and an addressee's readers and answerers")
}

// orderStream says that there is news of alarms, or of the order that the page shows:
// what it is the page asks for then. It says so at once where something changed since
// the page was made.
func (u *UI) orderStream(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !hearsOrders(v.person) {
		return errNoOrders()
	}
	ref, seen := clean(r.URL.Query().Get("order")), r.URL.Query().Get("seen")
	if _, _, err := u.orderAlarmsFor(r.Context(), v, ref); err != nil {
		return err
	}
	s, err := httpkit.OpenStream(w)
	if err != nil {
		return err
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		_, grown := u.hub.Size()
		a, _, err := u.orderAlarmsFor(r.Context(), v, ref)
		switch {
		case r.Context().Err() != nil:
			return nil
		case err != nil:
			u.log.Error("alarms on orders not read; tried again", "err", err)
		case a.Seen != seen:
			if seen = a.Seen; s.Send("orders", "", seen) != nil {
				return nil // whoever went away is no failure
			}
		}
		if !wait(r.Context(), alarmPause) {
			return nil
		}
		idle := time.NewTimer(alarmIdle)
		select {
		case <-r.Context().Done():
			idle.Stop()
			return nil
		case <-grown:
			idle.Stop()
		case <-idle.C:
		case <-beat.C:
			idle.Stop()
			// Whoever was logged out or disabled meanwhile hears no more.
			if _, err := u.svc.Bearer(r.Context(), v.session); err != nil {
				return nil
			}
			if s.Send("beat", "", machine(u.svc.Now())) != nil {
				return nil
			}
		}
	}
}

// deskOrder is an order that waits for the reader.
type deskOrder struct {
	casework.OrderForMe
	Provider string
}

// needTexts say what an order waits for.
var needTexts = map[concert.OrderNeed]design.Text{
	concert.OrderNeedsHour: "its hour runs", concert.OrderNeedsClarity: "its addressee asks, or is hindered (Annex III)", concert.OrderNeedsIssue: "its twelve hours are over: issue it",
	concert.OrderNeedsWord: "waits for your approval", concert.OrderNeedsReview: "waits for your review",
}

// deskOrders are those that wait for the reader, for the desk.
func (u *UI) deskOrders(ctx context.Context, v *visit, g casework.Registers) ([]deskOrder, error) {
	scope, err := v.scope()
	if err != nil {
		return nil, err
	}
	found, err := u.svc.OrdersForMe(ctx, scope)
	out := make([]deskOrder, len(found))
	for i, o := range found {
		out[i] = deskOrder{o, g.Providers[o.Provider].Name}
	}
	return out, err
}

// hearOrders puts the alarms on orders on a page of whoever they concern. A page goes
// out without them rather than not at all.
func (u *UI) hearOrders(r *http.Request, v *visit, f *frame) {
	if u.svc.Host || !v.known() || v.limits != nil || f.Bare || !hearsOrders(v.person) {
		return
	}
	ref := ""
	if v.person.Provider == "" && r.Method == http.MethodGet {
		ref = orderOfPath(r.URL.Path)
	}
	a, _, err := u.orderAlarmsFor(r.Context(), v, ref)
	if err != nil && ref != "" {
		a, _, err = u.orderAlarmsFor(r.Context(), v, "") // of an order that is not for the reader
	}
	if err != nil {
		u.log.Error("alarms on orders are not known", "err", err)
		return
	}
	f.Alarms, f.Scripts = a, append(f.Scripts[:len(f.Scripts):len(f.Scripts)], "orders.js")
}
