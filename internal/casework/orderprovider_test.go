package casework_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/internal/testkit"
	"concert/order"
)

// orderMailbox is the hooked provider's contact point for orders, by mail.
func orderMailbox(c *testkit.Competent, more func(*concert.ContactPoint)) concert.ContactPoint {
	return c.MailContact(c.Hooked, "orders@video.example", concert.MailDigest, func(p *concert.ContactPoint) {
		p.Purpose = concert.ForOrders
		if more != nil {
			more(p)
		}
	})
}

// orderToken is the token of the link to an order in a mail.
func orderToken(t *testing.T, m testkit.Mailed) string {
	t.Helper()
	_, rest, found := strings.Cut(m.Text, "/order-answer/")
	if !found {
		t.Fatalf("the mail has no link to an order:\n%s", m.Text)
	}
	token, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(token)
}

// soon is a day after the keys of the house were made, as an order must be.
func soon() time.Time { return time.Now().UTC().Truncate(time.Hour).Add(48 * time.Hour) }

func deliveryOf(v casework.OrderView, kind concert.NoticeKind) store.Outgoing {
	i := slices.IndexFunc(v.Deliveries, func(d store.Outgoing) bool { return d.Kind == kind })
	if i < 0 {
		return store.Outgoing{}
	}
	return v.Deliveries[i]
}

func TestG11AMailedOrderIsReceivedByProofOnly(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		post := c.Post()
		point := orderMailbox(c, nil)
		day := soon()
		c.At(day, 1)
		o := c.Issued(testkit.Page(1))
		c.StopClockAt(day.Add(5 * time.Minute))
		testkit.Run(t, c.Service)
		m := mailed(t, post, 1)[0]
		testkit.Await(t, "the relay took it", func() bool {
			return strings.HasPrefix(deliveryOf(readOrder(t, c, c.Officer, o.Ref), concert.NoticeOrder).Evidence, "250 ")
		})
		v := readOrder(t, c, c.Officer, o.Ref)
		if d := deliveryOf(v, concert.NoticeOrder); d.Rung != concert.RungSent || v.Status != concert.OrderIssued {
			t.Errorf("our relay took the mail: the notice is %s, the order %s", d.Rung, v.Status)
		}
		if v.Payload.Addressee.ContactPoint != "orders@video.example" {
			t.Errorf("the order names the contact point %q", v.Payload.Addressee.ContactPoint)
		}
		if len(c.Hook.Got()) != 0 {
			t.Error("the webhook was pushed as well")
		}
		// The order comes along, signed, and the mail says a duty and no place.
		if m.To != "orders@video.example" || !strings.Contains(m.Text, concert.OrderDuty) || strings.Contains(m.Text, concert.VoluntaryNotice) || strings.Contains(m.Text, "watch?v=") || !strings.Contains(m.Text, formats.OrderCode(o.Digest)) {
			t.Errorf("mail to %s:\n%s", m.To, m.Text)
		}
		raw, err := formats.PDFAttachment(m.Files[o.Ref+".pdf"], formats.OrderAttachment, order.MaxFile)
		testkit.Must(t, err)
		if v := order.Verify(raw, registerOf(t, c), order.Options{}); v.Outcome != order.Valid || !bytes.Equal(raw, m.Files[o.Ref+".order.json"]) {
			t.Errorf("the attached order: %s", v.Sentence)
		}
		// A scanner follows the link: nothing is proved.
		token := orderToken(t, m)
		if p, err := c.GreetOrderLink(ctx, token); err != nil || p.ID != c.Hooked.ID {
			t.Fatal(err)
		}
		if got := readOrder(t, c, c.Officer, o.Ref).Status; got != concert.OrderIssued {
			t.Errorf("a GET of the link made the order %s", got)
		}
		// A person asks to see it: the hour runs from then.
		c.StopClockAt(day.Add(20 * time.Minute))
		l, err := c.OpenOrderLink(ctx, token)
		if err != nil || l.Payload == nil || l.Payload.Places[0].Location.Submitted == "" {
			t.Fatalf("the link shows %+v, %v", l.Payload, err)
		}
		v = readOrder(t, c, c.Officer, o.Ref)
		if d := clockOf(v, concert.TermRemoval); v.Status != concert.OrderReceived || d.State != concert.DeadlineRunning || !d.DueAt.Equal(day.Add(80*time.Minute)) || !strings.Contains(deliveryOf(v, concert.NoticeOrder).Evidence, point.Ref) {
			t.Errorf("opened: %s, %+v", v.Status, d)
		}
		// It answers, and the link then shows a receipt alone.
		testkit.Must(t, c.AnswerOrderByLink(ctx, token, concert.OrderAnswer{Reasons: []concert.ImpossibleReason{concert.ImpossibleForce}, Further: "EXERCISE: the whole data centre is without power.", Person: "EXERCISE Moderator", Email: "orders@video.example"}))
		if d := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermRemoval); d.State != concert.DeadlinePaused {
			t.Errorf("after Annex III: %s", d.State)
		}
		testkit.Must(t, c.ResumeOrderByLink(ctx, token, "EXERCISE: power is back since a minute."))
		testkit.Must(t, c.AnswerOrderByLink(ctx, token, feedback(c.Now())))
		l, err = c.OpenOrderLink(ctx, token)
		if err != nil || !l.Finished || l.Payload != nil || l.Statement != "" || l.About[0].Of.Location.Display != "" {
			t.Errorf("the receipt: %+v, %v", l, err)
		}
		if err := c.AnswerOrderByLink(ctx, token, feedback(c.Now())); code(err) != "link.answered" {
			t.Errorf("answered once more: %v", err)
		}
	})
}

// registerOf is the house's own register, with its root pinned.
func registerOf(t *testing.T, c *testkit.Competent) *order.Register {
	t.Helper()
	sealed, err := c.OrderRegister(t.Context())
	testkit.Must(t, err)
	raw, err := concert.CanonicalJSON(sealed)
	testkit.Must(t, err)
	r, err := order.ReadRegister(raw, order.Roots{order.FingerprintOf(c.TransportKey())})
	testkit.Must(t, err)
	return r
}

func TestG11MailSystemsReportProvesReceipt(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		post := c.Post()
		orderMailbox(c, nil)
		c.At(soon(), 1)
		o := c.Issued(testkit.Page(1))
		testkit.Run(t, c.Service)
		m := mailed(t, post, 1)[0]
		testkit.Must(t, post.Deliver("", m.From, report(m, "one", "relayed", "2.0.0")))
		testkit.Must(t, post.Deliver("", m.From, report(m, "two", "delivered", "2.1.5")))
		testkit.Await(t, "the order is received", func() bool { return readOrder(t, c, c.Officer, o.Ref).Status == concert.OrderReceived })
	})
}

func TestG01OrdersAndReferralsNeverShareAMailOrALink(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		post := c.Post()
		// One mailbox for both, which takes digests: an order is a message of its own all the same.
		orderMailbox(c, func(p *concert.ContactPoint) { p.Purpose = concert.ForBoth })
		c.At(day, brisk)
		items := c.Approved(testkit.Page(2), testkit.Page(3))
		o := c.Issued(testkit.Page(1))
		testkit.Run(t, c.Service)
		var referral, ordered testkit.Mailed
		testkit.Await(t, "both mails", func() bool {
			for _, m := range post.Got() {
				if strings.Contains(m.Text, o.Ref) {
					ordered = m
				} else {
					referral = m
				}
			}
			return ordered.Text != "" && referral.Text != ""
		})
		if strings.Contains(referral.Text, o.Ref) || strings.Contains(referral.Text, concert.OrderDuty) || !strings.Contains(referral.Text, concert.VoluntaryNotice) {
			t.Errorf("the referral's mail:\n%s", referral.Text)
		}
		if strings.Contains(ordered.Text, items[0].Ref) || strings.Contains(ordered.Text, concert.VoluntaryNotice) {
			t.Errorf("the order's mail:\n%s", ordered.Text)
		}
		if _, err := c.OpenLink(ctx, orderToken(t, ordered)); code(err) != "not_found" {
			t.Errorf("an order's link opens a referral: %v", err)
		}
		if _, err := c.OpenOrderLink(ctx, referral.Link()); code(err) != "not_found" {
			t.Errorf("a referral's link opens an order: %v", err)
		}
		// A contact point for referrals alone takes no order.
		if _, ok := concert.OrderWay([]concert.ContactPoint{{Purpose: concert.ForReferrals, Channel: concert.ChannelMail}, {Purpose: concert.ForUrgent, Channel: concert.ChannelMail}}); ok {
			t.Error("an order goes to a contact point for referrals")
		}
		if _, ok := concert.WayTo([]concert.ContactPoint{{Purpose: concert.ForOrders, Channel: concert.ChannelMail}}, false); ok {
			t.Error("a referral goes to a contact point for orders")
		}
	})
}

func TestAlarmsReachTheAddresseeAndTheOffice(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		post := c.Post()
		orderMailbox(c, func(p *concert.ContactPoint) { p.Languages = []string{"fr"} })
		day := soon()
		c.At(day, 1)
		o := c.Issued(testkit.Page(1))
		c.StopClockAt(day.Add(time.Minute))
		testkit.Run(t, c.Service)
		token := orderToken(t, mailed(t, post, 1)[0])
		_, err := c.OpenOrderLink(ctx, token)
		testkit.Must(t, err)
		c.StopClockAt(day.Add(32 * time.Minute))
		to := map[string]int{}
		testkit.Await(t, "both are told that half an hour is left", func() bool {
			clear(to)
			for _, m := range post.Got() {
				if strings.Contains(m.Text, "30 minutes") {
					to[m.To]++
				}
			}
			return len(to) == 2
		})
		if to["orders@video.example"] != 1 || to["orders@authority.example"] != 1 {
			t.Errorf("told: %v", to)
		}
		c.StopClockAt(day.Add(62 * time.Minute))
		testkit.Await(t, "the office is told that the hour was missed", func() bool {
			return slices.ContainsFunc(post.Got(), func(m testkit.Mailed) bool {
				return m.To == "orders@authority.example" && strings.Contains(m.Text, "is over without an answer") && !strings.Contains(m.Text, "video.example")
			})
		})
		testkit.Await(t, "the addressee is told that its hour is over", func() bool { return len(post.Got()) == 5 })
		// What was told is told once; the six months end with a notice of their own.
		_, err = c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, feedback(c.Now()))
		testkit.Must(t, err)
		due := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermPreservation).DueAt
		c.StopClockAt(due.Add(time.Minute))
		testkit.Await(t, "the end of the six months is told", func() bool {
			return slices.ContainsFunc(post.Got(), func(m testkit.Mailed) bool {
				return strings.Contains(m.Text, "article 6") && strings.Contains(m.Text, "effacer")
			})
		})
		for what, words := range map[string]string{"half an hour": "30 minutes", "six months": "effacer"} {
			n := 0
			for _, m := range post.Got() {
				if m.To == "orders@video.example" && strings.Contains(m.Text, words) {
					n++
				}
			}
			if n > 1 {
				t.Errorf("%s is told %d times", what, n)
			}
		}
	})
}
