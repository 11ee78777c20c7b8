package casework_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
	"concert/order"
)

func eachCompetent(t *testing.T, fn func(t *testing.T, c *testkit.Competent)) {
	t.Helper()
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) { fn(t, testkit.FurnishCompetent(t, s)) })
}

func readOrder(t *testing.T, c *testkit.Competent, by concert.Actor, ref string) casework.OrderView {
	t.Helper()
	v, err := c.ReadOrder(t.Context(), testkit.Scope(t, by), ref)
	testkit.Must(t, err)
	return v
}

// clockOf is the order's legal clock of the term, the zero one where there is none.
func clockOf(v casework.OrderView, key concert.TermKey) concert.Deadline {
	for _, d := range v.Deadlines {
		if d.Term == key {
			return d
		}
	}
	return concert.Deadline{}
}

func TestG10FirstOrderWaitsForTwelveHours(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		day := time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC) // the clocks go forward that night in Spain and Ireland
		c.At(day, 1)
		o := c.Reviewed(testkit.Draft(c.Judged(testkit.Page(1))))
		o, err := c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version)
		testkit.Must(t, err)
		if o.Status != concert.OrderNoticed || o.Digest != "" {
			t.Fatalf("the first order to a provider is %s, want it noticed", o.Status)
		}
		if _, err := c.ReadOrder(ctx, testkit.Scope(t, c.Answerer), o.Ref); code(err) != "not_found" {
			t.Errorf("the provider reads an order that is not issued: %v", err)
		}
		c.At(day.Add(12*time.Hour-time.Minute), 1)
		if _, err := c.IssueOrder(ctx, c.Issuer, o.Ref, o.Version); code(err) != "order.first_contact" {
			t.Errorf("issued a minute before the twelve hours are over: %v", err)
		}
		c.At(day.Add(12*time.Hour+time.Minute), 1)
		if o, err = c.IssueOrder(ctx, c.Issuer, o.Ref, o.Version); err != nil || o.Status != concert.OrderIssued {
			t.Fatalf("after twelve hours: %s, %v", o.Status, err)
		}
		v := readOrder(t, c, c.Officer, o.Ref)
		if d := clockOf(v, concert.TermFirstContact); d.State != concert.DeadlineMet {
			t.Errorf("the twelve hours' clock is %q", d.State)
		}
		if v.Payload.FirstContact.NoticedAt == "" || v.Payload.FirstContact.Emergency != "" {
			t.Errorf("the order says of its first contact: %+v", v.Payload.FirstContact)
		}
		// The second one needs no notice; an emergency needs none either, with its reason.
		o = c.Reviewed(testkit.Draft(c.Judged(testkit.Page(2))))
		if o, err = c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version); err != nil || o.Status != concert.OrderIssued {
			t.Errorf("the second order: %s, %v", o.Status, err)
		}
	})
}

func TestG11HourRunsFromProvenReceiptAndAnewAfterAClarification(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		day := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		c.At(day, 1)
		o := c.Issued(testkit.Page(1))
		if d := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermRemoval); d.State != "" {
			t.Errorf("the hour runs before receipt: %+v", d)
		}
		c.StopClockAt(day.Add(10 * time.Minute))
		testkit.Run(t, c.Service)
		testkit.Await(t, "the webhook is taken and the order received", func() bool { return readOrder(t, c, c.Officer, o.Ref).Status == concert.OrderReceived })
		v := readOrder(t, c, c.Officer, o.Ref)
		if d := clockOf(v, concert.TermRemoval); d.State != concert.DeadlineRunning || !d.DueAt.Equal(day.Add(70*time.Minute)) {
			t.Errorf("the hour: %+v", d)
		}
		c.StopClockAt(day.Add(41 * time.Minute))
		testkit.Await(t, "people are told that half an hour is left", func() bool { return happened(c.House, t, concert.EventOrderAlarmed, string(o.ID)) })
		_, err := c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, concert.OrderAnswer{Reasons: []concert.ImpossibleReason{concert.ImpossibleInsufficient}, Further: "EXERCISE: there are two videos at this address.", Needed: "EXERCISE: which of them.", Person: "EXERCISE Moderator", Email: "legal@video.example"})
		testkit.Must(t, err)
		c.StopClockAt(day.Add(5 * time.Hour))
		if d := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermRemoval); d.State != concert.DeadlinePaused {
			t.Errorf("after Annex III the hour is %q", d.State)
		}
		if _, err := c.ClarifyOrder(ctx, c.Officer, o.Ref, 0, "EXERCISE: the first one, which is three minutes long."); err != nil {
			t.Fatal(err)
		}
		if d := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermRemoval); d.State != concert.DeadlineRunning || !d.DueAt.Equal(day.Add(6*time.Hour)) {
			t.Errorf("after the clarification: %+v", d)
		}
		c.StopClockAt(day.Add(6*time.Hour + time.Second))
		testkit.Await(t, "the hour is missed", func() bool { return happened(c.House, t, concert.EventOrderMissed, string(o.ID)) })
		o, err = c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, feedback(c.Now()))
		if err != nil || o.Status != concert.OrderExecuted {
			t.Fatalf("late: %s, %v", o.Status, err)
		}
		v = readOrder(t, c, c.Officer, o.Ref)
		if d := clockOf(v, concert.TermRemoval); d.State != concert.DeadlineMissed || d.MetAt.IsZero() {
			t.Errorf("after a late execution: %+v", d)
		}
		if d := clockOf(v, concert.TermPreservation); d.State != concert.DeadlineRunning || len(v.Answers) != 2 {
			t.Errorf("preservation %+v, %d answers", d, len(v.Answers))
		}
	})
}

func feedback(at time.Time) concert.OrderAnswer {
	return concert.OrderAnswer{Measure: concert.MeasureRemoved, MeasureAt: at, Person: "EXERCISE Moderator", Email: "legal@video.example", File: "EXERCISE-77"}
}

func TestG03NobodyApprovesAnOrderThatItWrote(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		both := c.Person("es-all", c.Spain.Ref, "", concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer)
		item := c.Judged(testkit.Page(1))
		o, err := c.DraftOrder(ctx, both, testkit.Urgent(testkit.Draft(item)))
		testkit.Must(t, err)
		if _, err := c.ReviewOrder(ctx, both, o.Ref, o.Version); code(err) != "order.own" {
			t.Errorf("reviewed by its author: %v", err)
		}
		o, err = c.ReviewOrder(ctx, c.Second, o.Ref, o.Version)
		testkit.Must(t, err)
		if _, err := c.ApproveOrder(ctx, both, o.Ref, o.Version); code(err) != "order.own" {
			t.Errorf("approved by its author: %v", err)
		}
		if _, err := c.ApproveOrder(ctx, c.Second, o.Ref, o.Version); code(err) != "role.missing" {
			t.Errorf("approved without the issuing function: %v", err)
		}
		// Nor does the table take it.
		if _, err := testkit.Raw(t, c.Service).Exec("UPDATE removal_order SET approver = drafter"); err == nil {
			t.Error("the table takes an approval by its author")
		}
		if o, err = c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version); err != nil || o.Status != concert.OrderIssued {
			t.Errorf("%s %v", o.Status, err)
		}
	})
}

// What serves a protected purpose is never ordered.
func TestG04WhatIsExemptIsNeverOrdered(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		found := c.Submit(c.Officer, testkit.Page(1))[0]
		a := testkit.Judgement()
		a.Purpose = concert.PurposeExempt
		out, err := c.AssessItems(t.Context(), c.Officer, []casework.Judging{{Item: found.Ref, Version: found.Version, Outlet: c.Outlet.Ref, Assessment: a}})
		testkit.Must(t, err)
		if out[0].Err != nil {
			t.Fatal(out[0].Err)
		}
		if _, err := c.DraftOrder(t.Context(), c.Officer, testkit.Draft(found.Ref)); code(err) != "order.exempt" {
			t.Errorf("drafted: %v", err)
		}
	})
}

// An authority whose state's redress is not on record orders nothing: not what it drafts, and not what was drafted with another's text.
func TestG15NoOrderWithoutRedressOnRecord(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		malta, err := c.AddAuthority(ctx, c.Admin, concert.Authority{Name: "EXERCISE Authority Malta", Country: "MT", Kind: concert.KindCompetent, Unit: "CAMT", Contact: "EXERCISE desk Malta"})
		testkit.Must(t, err)
		c.Office(malta, concert.FunctionIssue)
		testkit.Must(t, c.JoinAction(ctx, c.Coordinator, c.Action.Ref, malta.Ref, concert.PartSupport))
		officer, second, issuer := c.Person("mt-officer", malta.Ref, "", concert.RoleOfficer), c.Person("mt-reviewer", malta.Ref, "", concert.RoleReviewer), c.Person("mt-issuer", malta.Ref, "", concert.RoleIssuer)
		item := c.Assess(officer, c.Submit(officer, testkit.Page(1)))[0].Ref
		o, err := c.DraftOrder(ctx, officer, testkit.Urgent(testkit.Draft(item)))
		if err == nil {
			o, err = c.ReviewOrder(ctx, second, o.Ref, o.Version)
			testkit.Must(t, err)
			o, err = c.ApproveOrder(ctx, issuer, o.Ref, o.Version)
		}
		if code(err) != "law.redress" {
			t.Errorf("the order is %s: %v, want law.redress", o.Status, err)
		}
		if n := testkit.Count(t, testkit.Raw(t, c.Service), "SELECT count(*) FROM removal_order WHERE issued_at > 0"); n != 0 {
			t.Errorf("%d orders were issued", n)
		}
	})
}

func TestG08SecondOrderForOnePlaceIsRefusedAndG07HoldStopsOne(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		o := c.Issued(testkit.Page(1))
		item := readOrder(t, c, c.Officer, o.Ref).About[0].Of.Ref
		if _, err := c.DraftOrder(ctx, c.Officer, testkit.Draft(item)); code(err) != "order.duplicate" {
			t.Errorf("a second order for one place: %v", err)
		}
		hold := c.Hold(c.South.Officers[0], testkit.Page(2), "EXERCISE desk South", "EXERCISE secret case")
		held := c.Reviewed(testkit.Urgent(testkit.Draft(c.Judged(testkit.Page(2)))))
		_, err := c.ApproveOrder(ctx, c.Issuer, held.Ref, held.Version)
		if code(err) != "order.held" || !strings.Contains(err.Error(), "EXERCISE desk South") || strings.Contains(err.Error(), "secret") {
			t.Errorf("under a hold: %v", err)
		}
		if !happened(c.House, t, concert.EventHoldAsked, string(hold.ID)) {
			t.Error("its holder is not told")
		}
	})
}

func TestG09OrderFileIsValidForWhoPinnedTheRoot(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		o := c.Issued(testkit.Page(1))
		file, err := c.OrderFile(ctx, testkit.Scope(t, c.Answerer), o.Ref)
		testkit.Must(t, err)
		sealed, err := c.OrderRegister(ctx)
		testkit.Must(t, err)
		raw, err := concert.CanonicalJSON(sealed)
		testkit.Must(t, err)
		register, err := order.ReadRegister(raw, order.Roots{order.FingerprintOf(c.TransportKey())})
		testkit.Must(t, err)
		if v := order.Verify(file, register, order.Options{}); v.Outcome != order.Valid {
			t.Errorf("%+v", v)
		}
		if v := order.Verify(file, nil, order.Options{}); v.Outcome != order.AuthorityUnknown {
			t.Errorf("without a register: %+v", v)
		}
		// A witness of the log changes nothing in the file.
		one := attend(t, c.Service, "witness.invalid/one")
		testkit.Must(t, c.PublishLog(ctx))
		testkit.Must(t, c.AskWitnesses(ctx, 10*time.Second))
		if one.Seen()[0].Cosigned == 0 {
			t.Fatal("the witness has cosigned nothing")
		}
		if file, err = c.OrderFile(ctx, testkit.Scope(t, c.Answerer), o.Ref); err != nil {
			t.Fatal(err)
		}
		if v := order.Verify(file, register, order.Options{}); v.Outcome != order.Valid {
			t.Errorf("under a head that a witness cosigned: %+v", v)
		}
		for _, pdf := range []bool{true, false} {
			doc, err := c.OrderDocument(ctx, testkit.Scope(t, c.Officer), o.Ref, "es", pdf)
			if err != nil || len(doc) < 2000 {
				t.Errorf("document: %d bytes, %v", len(doc), err)
			}
		}
	})
}

func TestG16WithdrawnOrderReachesItsAddresseeAndEndsItsClocks(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		o := c.Issued(testkit.Page(1))
		_, err := c.ReadOrder(ctx, testkit.Scope(t, c.Answerer), o.Ref)
		testkit.Must(t, err)
		if o = readOrder(t, c, c.Officer, o.Ref).Order; o.Status != concert.OrderReceived {
			t.Fatalf("fetched, the order is %s", o.Status)
		}
		if o, err = c.WithdrawOrder(ctx, c.Issuer, o.Ref, o.Version, "EXERCISE: the video was a report of a news desk."); err != nil {
			t.Fatal(err)
		}
		v := readOrder(t, c, c.Officer, o.Ref)
		for _, d := range v.Deadlines {
			if d.State == concert.DeadlineRunning {
				t.Errorf("%s runs on", d.Term)
			}
		}
		if !slices.ContainsFunc(v.Deliveries, func(d store.Outgoing) bool { return d.Kind == concert.NoticeOrderEnded }) {
			t.Error("its addressee is not told")
		}
		if _, err := c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, feedback(c.Now())); code(err) != "order.ended" {
			t.Errorf("answered after it was withdrawn: %v", err)
		}
	})
}

func TestG32EmergencyIsReviewedInTimeOrMissed(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		day := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		c.StopClockAt(day)
		reviewed, missed := c.Issued(testkit.Page(1)), c.Issued(testkit.Page(2))
		found := "EXERCISE: the announcement was real, and twelve hours would have been too long."
		for who, by := range map[string]concert.Actor{"its author": c.Officer, "its reviewer": c.Second, "its approver": c.Issuer, "another state's": c.IrishJudge, "the provider": c.Answerer} {
			if _, err := c.ReviewEmergency(ctx, by, reviewed.Ref, 0, concert.Justified, found); err == nil {
				t.Errorf("reviewed by %s", who)
			}
		}
		other := c.Person("es-third", c.Spain.Ref, "", concert.RoleReviewer)
		if _, err := c.ReviewEmergency(ctx, other, reviewed.Ref, 0, concert.Justified, "short"); code(err) != "order.reason" {
			t.Errorf("without a reason: %v", err)
		}
		c.StopClockAt(day.Add(47 * time.Hour))
		if o, err := c.ReviewEmergency(ctx, other, reviewed.Ref, 0, concert.Justified, found); err != nil || o.EmergencyVerdict != concert.Justified {
			t.Fatalf("%+v, %v", o, err)
		}
		if _, err := c.ReviewEmergency(ctx, other, reviewed.Ref, 0, concert.Unjustified, found); code(err) != "order.emergency_reviewed" {
			t.Errorf("a second time: %v", err)
		}
		testkit.Run(t, c.Service)
		c.StopClockAt(day.Add(48*time.Hour + time.Second))
		testkit.Await(t, "the missing review is said", func() bool { return happened(c.House, t, concert.EventOrderMissed, string(missed.ID)) })
		if d := clockOf(readOrder(t, c, c.Officer, missed.Ref), concert.TermEmergency); d.State != concert.DeadlineMissed {
			t.Errorf("the review's clock: %+v", d)
		}
		if d := clockOf(readOrder(t, c, c.Officer, reviewed.Ref), concert.TermEmergency); d.State != concert.DeadlineMet {
			t.Errorf("the met review's clock: %+v", d)
		}
	})
}

func TestG29WhatAnOrderIsAboutIsSeenByOurselves(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		day := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		c.StopClockAt(day)
		o := c.Issued(testkit.Page(1))
		silent := c.Issued(testkit.Page(2))
		for _, ref := range []string{o.Ref, silent.Ref} {
			_, err := c.ReadOrder(ctx, testkit.Scope(t, c.Answerer), ref)
			testkit.Must(t, err)
		}
		testkit.Run(t, c.Service)
		if _, err := c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, feedback(c.Now())); err != nil {
			t.Fatal(err)
		}
		claimed := readOrder(t, c, c.Officer, o.Ref).About[0]
		if claimed.Measure != concert.MeasureRemoved || claimed.Observed != "" {
			t.Errorf("claimed, and not looked at: %+v", claimed.OrderItem)
		}
		status := claimed.Of.Status
		c.StopClockAt(day.Add(6 * time.Minute))
		testkit.Await(t, "somebody looks", func() bool { return !readOrder(t, c, c.Officer, o.Ref).About[0].ObservedAt.IsZero() })
		seen := readOrder(t, c, c.Officer, o.Ref).About[0]
		if seen.Observed == "" || seen.Of.Status != status || !happened(c.House, t, concert.EventOrderLooked, string(o.ID)) {
			t.Errorf("seen %+v, item %s before %s", seen.OrderItem, seen.Of.Status, status)
		}
		if readOrder(t, c, c.Officer, silent.Ref).About[0].Observed != "" {
			t.Error("looked at inside its hour, with nothing to look for")
		}
		c.StopClockAt(day.Add(70 * time.Minute))
		testkit.Await(t, "what was missed is looked at too", func() bool { return readOrder(t, c, c.Officer, silent.Ref).About[0].Observed != "" })
	})
}
