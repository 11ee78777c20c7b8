package casework_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// annexed is a reply to an order's mail with documents attached.
func annexed(m testkit.Mailed, id string, documents ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "From: Moderator <orders@video.example>\nTo: %s\nSubject: Re: order\nMessage-ID: <%s@video.example>\nIn-Reply-To: %s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b1\"\n\n--b1\nContent-Type: text/plain\n\nEXERCISE: our answer is attached.\n",
		m.Header.Get("Reply-To"), id, m.Header.Get("Message-Id"))
	for i, d := range documents {
		fmt.Fprintf(&b, "--b1\nContent-Type: application/json\nContent-Disposition: attachment; filename=\"annex%d.json\"\nContent-Transfer-Encoding: base64\n\n%s\n", i, base64.StdEncoding.EncodeToString([]byte(d)))
	}
	return b.String() + "--b1--\n"
}

// annex2Of is Annex II of an order as docs/formats/annex.md has it.
func annex2Of(o concert.Order, at time.Time, places ...string) concert.OrderFeedback {
	stamp := at.UTC().Format(concert.TimeFormat)
	return concert.OrderFeedback{Type: "order_feedback", OrderReply: concert.OrderReply{Version: 1, Order: o.Ref, Addressee: "EXERCISE Video", Authority: "EXERCISE Authority Spain", AuthorityFile: "EXERCISE-1/2026", AddresseeFile: "EX-7",
		ReceivedAt: stamp, Places: places, State: "IE", Person: "EXERCISE Moderator", Email: "orders@video.example", At: stamp, Exercise: true}, Measure: concert.MeasureRemoved, MeasureAt: stamp}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	testkit.Must(t, err)
	return string(raw)
}

// mailedOrder is an order that went out by mail, with what comes back.
type mailedOrder struct {
	c    *testkit.Competent
	post *testkit.Post
	o    concert.Order
	m    testkit.Mailed // that brought it
	sent int            // mails to the contact point so far
}

func (x *mailedOrder) read(t *testing.T) casework.OrderView {
	t.Helper()
	return readOrder(t, x.c, x.c.Officer, x.o.Ref)
}

// toContact are the mails to the contact point.
func (x *mailedOrder) toContact() []testkit.Mailed {
	return slices.DeleteFunc(x.post.Got(), func(m testkit.Mailed) bool { return m.To != "orders@video.example" })
}

// answered waits for the mail that answers a reply, beside what the office is told.
func (x *mailedOrder) answered(t *testing.T, id, subject string, says ...string) {
	t.Helper()
	testkit.Await(t, id+" is answered by mail", func() bool { return len(x.toContact()) > x.sent })
	got := x.toContact()[x.sent]
	x.sent++
	if !strings.Contains(got.Header.Get("Subject"), "["+x.o.Ref+"]") || !strings.Contains(got.Header.Get("Subject"), subject) || got.Header.Get("Message-Id") == x.m.Header.Get("Message-Id") || replyTo(got) != replyTo(x.m) {
		t.Errorf("%s: %v", id, got.Header)
	}
	for _, s := range says {
		if !strings.Contains(got.Text, s) {
			t.Errorf("%s: the mail does not say %q:\n%s", id, s, got.Text)
		}
	}
	if strings.Contains(got.Text, "watch?v=") {
		t.Errorf("%s: a place stands in the mail", id)
	}
}

// standing says that nothing has answered the order so far, and what became of the last reply.
func (x *mailedOrder) standing(t *testing.T, id string, replies int, outcome concert.ReplyOutcome, code string) {
	t.Helper()
	v := x.read(t)
	if v.Executed != 0 || v.Status != concert.OrderReceived && v.Status != concert.OrderIssued || len(v.Answers) > 0 {
		t.Fatalf("%s answered the order: %s, %d items, %d answers", id, v.Status, v.Executed, len(v.Answers))
	}
	if len(v.Mailed) != replies || v.Mailed[replies-1].Outcome != outcome || v.Mailed[replies-1].Code != code {
		t.Fatalf("%s: %d replies, the last %+v", id, len(v.Mailed), v.Mailed[len(v.Mailed)-1])
	}
}

// Over real SMTP: Annex II that the contact point's domain signed is taken by the same act as the interface's, once, and answered with a
// receipt; a wrong field is answered with its name; what is not signed, not understood or not attached goes to a person, and answers
// nothing. No answer is ever of an order that the mail was not about.
func TestOrderIsAnsweredBySignedMail(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		post := c.Post()
		orderMailbox(c, nil)
		day := soon()
		c.At(day, 1)
		o := c.Issued(testkit.Page(1))
		other := c.Issued(testkit.Page(2))
		c.StopClockAt(day.Add(5 * time.Minute))
		testkit.Run(t, c.Service)
		mails := mailed(t, post, 2)
		m := mails[slices.IndexFunc(mails, func(m testkit.Mailed) bool { return strings.Contains(m.Header.Get("Subject"), o.Ref) })]
		x := &mailedOrder{c, post, o, m, 2}
		item := x.read(t).About[0].Of.Ref
		good := annex2Of(o, day.Add(4*time.Minute), item)
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), annexed(m, "unsigned", jsonOf(t, good))))
		x.answered(t, "unsigned", "given to a person", "DKIM", "mailreply.sender")
		x.standing(t, "unsigned", 1, concert.ReplyPerson, "mailreply.sender")
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("evil.example", annexed(m, "foreign", jsonOf(t, good)))))
		x.answered(t, "foreign", "given to a person", "mailreply.sender")
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "words"))))
		x.answered(t, "words", "given to a person", "mailreply.none")
		x.standing(t, "words", 3, concert.ReplyPerson, "mailreply.none")
		if v := x.read(t).Mailed[2]; v.Text != "EXERCISE: our answer is attached." || v.From != "orders@video.example" || v.Sender != concert.SenderDKIM {
			t.Errorf("the person reads %+v", v)
		}
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "broken", `{"type":"order_feedback",`))))
		x.answered(t, "broken", "given to a person", "mailreply.json")
		testkit.Await(t, "the office is told that a reply waits to be read", func() bool {
			return slices.ContainsFunc(post.Got(), func(m testkit.Mailed) bool {
				return m.To == "orders@authority.example" && strings.Contains(m.Header.Get("Subject"), o.Ref) && strings.Contains(m.Text, "/orders/"+o.Ref) && !strings.Contains(m.Text, "our answer")
			})
		})

		wrong := good
		wrong.Order = other.Ref
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "other", jsonOf(t, wrong)))))
		x.answered(t, "other", "NOT taken", "The field that is wrong: order", "mailreply.order")
		x.standing(t, "other", 5, concert.ReplyRefused, "mailreply.order")
		wrong = good
		wrong.MeasureAt = "yesterday"
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "when", jsonOf(t, wrong)))))
		x.answered(t, "when", "NOT taken", "The field that is wrong: measure_at")
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "more", strings.Replace(jsonOf(t, good), `{`, `{"void":true,`, 1)))))
		x.answered(t, "more", "NOT taken", "The field that is wrong: void", "mailreply.unknown")
		wrong = good
		wrong.Person = ""
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "who", jsonOf(t, wrong)))))
		x.answered(t, "who", "NOT taken", "The field that is wrong: person")

		signed := post.Signed("video.example", annexed(m, "good", jsonOf(t, good)))
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), signed))
		x.answered(t, "good", "Receipt", "Items with Annex II: 1 of 1", "executed")
		v := x.read(t)
		if v.Status != concert.OrderExecuted || v.Executed != 1 || len(v.Answers) != 1 || v.Mailed[len(v.Mailed)-1].Outcome != concert.ReplyAnswered {
			t.Fatalf("%s, %d items, %d answers, %+v", v.Status, v.Executed, len(v.Answers), v.Mailed[len(v.Mailed)-1])
		}
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), signed))
		if again := x.read(t); len(again.Answers) != 1 || len(again.Mailed) != len(v.Mailed) {
			t.Errorf("the same mail again: %d answers, %d replies", len(again.Answers), len(again.Mailed))
		}
		if o, err := c.Service.ReadOrder(ctx, testkit.Scope(t, c.Officer), other.Ref); err != nil || o.Executed != 0 {
			t.Errorf("the other order: %d, %v", o.Executed, err)
		}
		var n int
		testkit.Must(t, testkit.Raw(t, c.Service).QueryRow("SELECT count(*) FROM event WHERE kind = 'order.replied' AND (body LIKE '%orders@%' OR body LIKE '%EXERCISE:%')").Scan(&n))
		if n != 0 {
			t.Errorf("%d events hold words of a mail", n)
		}
	})
}

// Annex III in an envelope stops the hour.
func TestOrderIsImpededBySignedMail(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		post := c.Post()
		orderMailbox(c, nil)
		day := soon()
		c.At(day, 1)
		o := c.Issued(testkit.Page(1))
		c.StopClockAt(day.Add(5 * time.Minute))
		testkit.Run(t, c.Service)
		m := mailed(t, post, 1)[0]
		p := concert.OrderImpossible{Type: "order_impossible", OrderReply: annex2Of(o, day).OrderReply, Reasons: []concert.ImpossibleReason{concert.ImpossibleForce}, Further: "EXERCISE: the whole data centre is without power."}
		p.Places = []string{readOrder(t, c, c.Officer, o.Ref).About[0].Of.Ref}
		e := concert.Envelope{PayloadType: concert.ImpossiblePayloadType, Payload: []byte(jsonOf(t, p)), Signatures: []concert.Signature{}}
		testkit.Must(t, post.Deliver("orders@video.example", replyTo(m), post.Signed("video.example", annexed(m, "hindered", jsonOf(t, e)))))
		v := readOrder(t, c, c.Officer, o.Ref)
		if v.Status != concert.OrderImpeded || clockOf(v, concert.TermRemoval).State != concert.DeadlinePaused || len(v.Answers) != 1 {
			t.Errorf("%s, %s, %d answers, %+v", v.Status, clockOf(v, concert.TermRemoval).State, len(v.Answers), v.Mailed)
		}
	})
}
