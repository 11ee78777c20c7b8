package casework_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// pageOf is the token of the content provider's page of an order.
func pageOf(t *testing.T, c *testkit.Competent, ref string) (string, casework.ContentPage) {
	t.Helper()
	p, err := c.LinkContent(t.Context(), c.Answerer, casework.About{Kind: concert.AboutOrder, Ref: ref}, "en")
	testkit.Must(t, err)
	_, token, ok := strings.Cut(p.Address, "/redress/")
	if !ok {
		t.Fatalf("the page lies at %q", p.Address)
	}
	return token, p
}

// Six weeks long the page of a silent order answers like one that was never there; then it opens by itself, with reasons, dates and copy.
func TestG14NonDisclosureHidesThePageAndLapsesByItself(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		c.At(monday, 1)
		c.StopClockAt(monday)
		o := executed(t, c, testkit.Page(1), true)
		token, page := pageOf(t, c, o.Ref)
		end := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermSilence).DueAt
		if !page.ShowsFrom.Equal(end) || end.Before(monday.Add(6*7*24*time.Hour)) {
			t.Errorf("it shows from %s, the silence ends %s", page.ShowsFrom, end)
		}
		if again, _ := pageOf(t, c, o.Ref); again != token {
			t.Error("asked for twice, there are two pages")
		}
		hidden := func(when time.Time) {
			t.Helper()
			c.StopClockAt(when)
			_, unknown := c.OpenContent(ctx, token[:len(token)-1]+"0")
			_, err := c.OpenContent(ctx, token)
			if code(err) != "not_found" || err.Error() != unknown.Error() {
				t.Errorf("at %s: %v, an unknown one: %v", when, err, unknown)
			}
			if greeted := c.GreetContent(ctx, token); code(greeted) != "not_found" {
				t.Errorf("at %s it is greeted with: %v", when, greeted)
			}
			if _, err := c.ContentDocument(ctx, token, "en"); code(err) != "not_found" {
				t.Errorf("at %s its copy: %v", when, err)
			}
			if _, err := c.ComplainByLink(ctx, token, "EXERCISE: this was a report of a news desk."); code(err) != "not_found" {
				t.Errorf("at %s a complaint: %v", when, err)
			}
		}
		hidden(monday)
		if _, err := c.ProlongSilence(ctx, c.Issuer, o.Ref, 0, "EXERCISE: the arrest takes longer."); err != nil {
			t.Fatal(err)
		}
		hidden(end.Add(time.Hour))
		if _, err := c.ProlongSilence(ctx, c.Issuer, o.Ref, 0, "EXERCISE: and longer still."); code(err) != "deadline.prolonged" {
			t.Errorf("prolonged twice: %v", err)
		}
		end = clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermSilence).DueAt
		hidden(end)
		c.StopClockAt(end.Add(time.Microsecond))
		v, err := c.OpenContent(ctx, token)
		testkit.Must(t, err)
		if v.Ref != o.Ref || v.Type != concert.Incites || v.Author.Name != c.Spain.Name || v.Payload == nil || v.Payload.Statement != o.Statement || v.Link.InformedAt.IsZero() {
			t.Errorf("the page shows %+v", v)
		}
		if len(v.Redress) != 1 || v.Redress[0].For != concert.RedressContent || !v.Redress[0].Ends.After(c.Now().AddDate(0, 1, 27)) {
			t.Errorf("redress: %+v", v.Redress)
		}
		if !v.AskUntil.Equal(c.Now().Add(48 * time.Hour)) {
			t.Errorf("scrutiny may be asked for until %s", v.AskUntil)
		}
		pdf, err := c.ContentDocument(ctx, token, "es")
		if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF")) {
			t.Errorf("its copy: %d bytes, %v", len(pdf), err)
		}
		if !happened(c.House, t, concert.EventContentInformed, string(o.ID)) {
			t.Error("nothing says that the content provider was informed")
		}
		// It asks in time, and Ireland voids: the page says so.
		testkit.Must(t, c.AskScrutinyByLink(ctx, token, infringing))
		_, err = c.IntendScrutiny(ctx, c.IrishOfficer, o.Ref, 0, infringing)
		testkit.Must(t, err)
		_, err = c.DecideScrutiny(ctx, c.IrishJudge, o.Ref, 0, concert.Finding{Outcome: concert.ScrutinyRegulation, Category: concert.RemedyProtected, Reasons: infringing})
		testkit.Must(t, err)
		if v, err = c.OpenContent(ctx, token); err != nil || !v.Ended || len(v.Scrutinies) != 1 || v.Scrutinies[0].Reasons != infringing {
			t.Errorf("after the decision: %+v, %v", v.Scrutinies, err)
		}
		c.StopClockAt(end.AddDate(2, 0, 0))
		if err := c.GreetContent(ctx, token); code(err) != "not_found" {
			t.Errorf("two years later: %v", err)
		}
	})
}

// The page of one item of an order shows nothing of the others, which may be other people's.
func TestG14PageOfOneItemHidesTheOthers(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		items := []string{c.Judged(testkit.Page(1)), c.Judged(testkit.Page(2))}
		o := c.Reviewed(testkit.Urgent(testkit.Draft(items...)))
		o, err := c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version)
		testkit.Must(t, err)
		about := casework.About{Kind: concert.AboutOrder, Ref: o.Ref}
		if _, err := c.LinkContent(ctx, c.Answerer, about, "en"); code(err) != "content_link.item" {
			t.Errorf("without an item: %v", err)
		}
		about.Item = items[1]
		p, err := c.LinkContent(ctx, c.Officer, about, "en")
		testkit.Must(t, err)
		_, token, _ := strings.Cut(p.Address, "/redress/")
		v, err := c.OpenContent(ctx, token)
		if err != nil || len(v.Payload.Places) != 1 || v.Payload.Places[0].Ref != items[1] {
			t.Errorf("the page: %+v, %v", v.Payload, err)
		}
		pdf, err := c.ContentDocument(ctx, token, "en")
		if err != nil || bytes.Contains(pdf, []byte("order.json")) {
			t.Errorf("the copy carries the original with all places: %v", err)
		}
		if _, err := c.LinkContent(ctx, c.South.Officers[0], about, "en"); code(err) != "not_found" {
			t.Errorf("a stranger: %v", err)
		}
		raw := testkit.Raw(t, c.Service)
		var n int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM content_link WHERE id LIKE '%"+token[4:]+"%'").Scan(&n))
		if n != 0 {
			t.Error("the token stands in the clear")
		}
	})
}

const plea = "EXERCISE: this is my report on a made-up group for a made-up newspaper, and I ask you to look at it again."

// A complaint about an order is decided by somebody who had no part in it, and upheld it reaches everybody at once.
func TestG16UpheldComplaintReachesProviderBanksAndRegister(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		c.At(monday, 1)
		c.StopClockAt(monday)
		o := executed(t, c, testkit.Page(1), false)
		item := readOrder(t, c, c.Officer, o.Ref).About[0].Of
		banked(t, c, item.Ref)
		token, _ := pageOf(t, c, o.Ref)
		if _, err := c.ComplainByLink(ctx, token, "too short"); code(err) != "complaint.text" {
			t.Errorf("without reasons: %v", err)
		}
		if _, err := c.ComplainByLink(ctx, token, strings.Repeat("x", concert.ComplaintMost+1)); code(err) != "complaint.text" {
			t.Errorf("without end: %v", err)
		}
		cm, err := c.ComplainByLink(ctx, token, plea+"\u202e\x00<script>")
		testkit.Must(t, err)
		if cm.Text != plea+"<script>" || !cm.DueAt.After(monday.AddDate(0, 0, 14)) || cm.DueAt.After(monday.AddDate(0, 0, 18)) {
			t.Errorf("filed: %+v", cm)
		}
		if _, err := c.ComplainByLink(ctx, token, plea); code(err) != "complaint.open" {
			t.Errorf("a second one: %v", err)
		}
		ruling := concert.Ruling{Outcome: concert.ComplaintUpheld, Category: concert.RemedyProtected, Reasons: "EXERCISE: it is a report; we took it for what it reports on."}
		fourth := c.Person("es-reviewer-2", c.Spain.Ref, "", concert.RoleReviewer)
		for _, x := range []struct {
			name string
			by   concert.Actor
			want string
		}{{"who wrote the order", c.Officer, "role.missing"}, {"who reviewed it", c.Second, "complaint.involved"}, {"another authority", c.North.Reviewers[0], "not_found"}} {
			if _, err := c.DecideComplaint(ctx, x.by, cm.Ref, 0, ruling); code(err) != x.want {
				t.Errorf("decided by %s: %v, want %s", x.name, err, x.want)
			}
		}
		got, err := c.DecideComplaint(ctx, fourth, cm.Ref, 0, ruling)
		if err != nil || got.Outcome != concert.ComplaintUpheld {
			t.Fatalf("%+v, %v", got, err)
		}
		v := readOrder(t, c, c.Officer, o.Ref)
		if v.Status != concert.OrderWithdrawn || !slices.ContainsFunc(v.Deliveries, func(d store.Outgoing) bool { return d.Kind == concert.NoticeOrderEnded }) {
			t.Errorf("the order is %s", v.Status)
		}
		if up, ended := bankEntries(t, c, item.ID); up != 0 || ended != 1 {
			t.Errorf("%d entries of the bank stand, %d ended", up, ended)
		}
		if lines := errorsOf(t, c.House, o.Ref); len(lines) != 1 || lines[0].Cause != concert.ErrorComplaint || lines[0].Category != concert.RemedyProtected {
			t.Errorf("the register: %+v", lines)
		}
		page, err := c.OpenContent(ctx, token)
		if err != nil || !page.Ended || page.Complaints[0].Reasons != ruling.Reasons || page.Complaints[0].Outcome != concert.ComplaintUpheld {
			t.Errorf("its page: %+v, %v", page.Complaints, err)
		}
	})
}

// Of a referral, an upheld complaint goes the way of every withdrawal.
func TestG16UpheldComplaintTakesAReferralBack(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1))
		stop := testkit.Run(t, h.Service)
		r := sent(h, t, items[0].Ref)
		stop()
		about := casework.About{Kind: concert.AboutReferral, Ref: r}
		p, err := h.LinkContent(ctx, h.Answerer, about, "de")
		testkit.Must(t, err)
		if !strings.Contains(p.Notice, "freiwillig") || !strings.Contains(p.Notice, p.Address) {
			t.Errorf("the notice: %s", p.Notice)
		}
		cm, err := h.FileComplaint(ctx, h.Answerer, about, plea)
		testkit.Must(t, err)
		if _, err := h.FileComplaint(ctx, h.North.Officers[0], about, plea); code(err) != "complaint.provider" {
			t.Errorf("an authority complains: %v", err)
		}
		ruling := concert.Ruling{Outcome: concert.ComplaintUpheld, Category: concert.RemedyNotTerrorist, Reasons: "EXERCISE: it shows nothing of the kind after all."}
		for _, by := range h.North.Reviewers[:2] {
			if _, err = h.DecideComplaint(ctx, by, cm.Ref, 0, ruling); code(err) != "complaint.involved" {
				break
			}
		}
		testkit.Must(t, err)
		after := h.Status(items[0].Ref, concert.ItemWithdrawn)
		if len(after.Remedies) != 1 || len(errorsOf(t, h, items[0].Ref)) != 1 {
			t.Errorf("%d remedies, %d errors", len(after.Remedies), len(errorsOf(t, h, items[0].Ref)))
		}
		if w := h.Referral(r); !slices.ContainsFunc(w.Deliveries, func(d store.Outgoing) bool { return d.Kind == concert.NoticeWithdrawal }) {
			t.Error("the provider is not told")
		}
	})
}

// The clock of a complaint warns three days and a day before its end, and once it has passed, each once.
func TestG16ComplaintAlarmsBeforeItsEnd(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		c.At(monday, 1)
		c.StopClockAt(monday)
		o := executed(t, c, testkit.Page(1), false)
		token, _ := pageOf(t, c, o.Ref)
		cm, err := c.ComplainByLink(ctx, token, plea)
		testkit.Must(t, err)
		testkit.Run(t, c.Service)
		raw := testkit.Raw(t, c.Service)
		alarms := func() int {
			var n int
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM event WHERE kind = 'complaint.alarmed'").Scan(&n))
			return n
		}
		for i, before := range concert.ComplaintAlarms {
			c.StopClockAt(cm.DueAt.Add(-before - time.Second))
			if n := alarms(); n != i {
				t.Errorf("%d alarms a second before the one of %s", n, before)
			}
			c.StopClockAt(cm.DueAt.Add(-before))
			testkit.Await(t, "the alarm is given", func() bool { return alarms() == i+1 })
		}
		fourth := c.Person("es-reviewer-2", c.Spain.Ref, "", concert.RoleReviewer)
		c.StopClockAt(cm.DueAt.Add(time.Hour))
		got, err := c.DecideComplaint(ctx, fourth, cm.Ref, 0, concert.Ruling{Outcome: concert.ComplaintRejected, Reasons: "EXERCISE: it is what it was taken for."})
		if err != nil || !got.Late(c.Now()) {
			t.Errorf("decided late: %+v, %v", got, err)
		}
		if n := len(errorsOf(t, c.House, o.Ref)); n != 0 {
			t.Errorf("%d errors recorded of a rejected complaint", n)
		}
	})
}

func TestG17ErrorRegisterIsAppendOnly(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		o := c.Issued(testkit.Page(1))
		o, err := c.WithdrawOrderFor(t.Context(), c.Issuer, o.Ref, o.Version, concert.RemedyWrongPlace, "EXERCISE: another address was meant.")
		testkit.Must(t, err)
		if lines := errorsOf(t, c.House, o.Ref); len(lines) != 1 || lines[0].Cause != concert.ErrorWithdrawal || lines[0].Category != concert.RemedyWrongPlace {
			t.Errorf("%+v", lines)
		}
		raw := testkit.Raw(t, c.Service)
		for _, text := range []string{"UPDATE error_record SET category = 'other'", "DELETE FROM error_record"} {
			if _, err := raw.Exec(text); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

// A correction of an order is a new one that names what it puts right; only what was taken back, or is void, is put right.
func TestG17CorrectedOrderNamesTheOneItReplaces(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		old := c.Issued(testkit.Page(1))
		d := testkit.Urgent(testkit.Draft(c.Judged(testkit.Page(2))))
		d.Replaces = old.Ref
		if _, err := c.DraftOrder(ctx, c.Officer, d); code(err) != "order.replaces" {
			t.Errorf("one that stands is replaced: %v", err)
		}
		_, err := c.WithdrawOrderFor(ctx, c.Issuer, old.Ref, old.Version, concert.RemedyWrongPlace, "EXERCISE: another address was meant.")
		testkit.Must(t, err)
		o := c.Reviewed(d)
		o, err = c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version)
		testkit.Must(t, err)
		if v := readOrder(t, c, c.Answerer, o.Ref); v.Payload.Replaces != old.Ref {
			t.Errorf("the order says that it replaces %q", v.Payload.Replaces)
		}
		if lines := errorsOf(t, c.House, old.Ref); len(lines) != 2 || lines[0].Cause != concert.ErrorCorrection {
			t.Errorf("the register: %+v", lines)
		}
		d.Replaces = "OR-NONE"
		d.Items[0].Item = c.Judged(testkit.Page(3))
		if _, err := c.DraftOrder(ctx, c.Officer, d); code(err) != "order.replaces" {
			t.Errorf("one that is not there is replaced: %v", err)
		}
	})
}

// Complaints are read with a reason only; no event holds what they say, and with the item it goes.
func TestG19ComplaintIsReadWithAReasonAndG20GoesWithItsItem(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		o := executed(t, c, testkit.Page(1), false)
		token, _ := pageOf(t, c, o.Ref)
		cm, err := c.ComplainByLink(ctx, token, plea)
		testkit.Must(t, err)
		mute := unreasoned(t, c.Second)
		if _, err := c.ReadComplaint(ctx, mute, cm.Ref); code(err) != "scope.justification" {
			t.Errorf("read without a reason: %v", err)
		}
		if _, err := c.Complaints(ctx, mute); code(err) != "scope.justification" {
			t.Errorf("listed without a reason: %v", err)
		}
		if _, err := c.ScrutinyPackage(ctx, unreasoned(t, c.IrishOfficer), o.Ref); code(err) != "scope.justification" {
			t.Errorf("a package without a reason: %v", err)
		}
		if v, err := c.ReadComplaint(ctx, testkit.Scope(t, c.Second), cm.Ref); err != nil || v.Text != plea || !v.Involved {
			t.Errorf("%+v, %v", v, err)
		}
		raw := testkit.Raw(t, c.Service)
		var n int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM event WHERE CAST(body AS TEXT) LIKE '%made-up newspaper%'").Scan(&n))
		if n != 0 {
			t.Errorf("%d events say it in the clear", n)
		}
		_, err = raw.Exec("DELETE FROM subject_key WHERE subject = '" + string(cm.Item) + "'") // what an erasure does
		testkit.Must(t, err)
		if v, err := c.ReadComplaint(ctx, testkit.Scope(t, c.Second), cm.Ref); err != nil || v.Text != "" {
			t.Errorf("after the erasure it says %q, %v", v.Text, err)
		}
	})
}

// unreasoned is a scope without a justification.
func unreasoned(t *testing.T, by concert.Actor) concert.Scope {
	t.Helper()
	s, err := concert.NewScope(by, "")
	testkit.Must(t, err)
	return s
}
