package casework_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// posted is a referral that went out by mail, with its message.
func posted(t *testing.T, h *testkit.House, form concert.MailForm, places ...string) (post *testkit.Post, ref string, items []casework.Result, m testkit.Mailed) {
	t.Helper()
	post = h.Post()
	h.MailContact(h.Hooked, "abuse@video.example", form, nil)
	h.At(day, brisk)
	items = h.Approved(places...)
	testkit.Run(t, h.Service)
	m = mailed(t, post, 1)[0]
	ref = sent(h, t, items[0].Ref)
	rung(t, h, ref, concert.RungAccepted)
	return post, ref, items, m
}

// report is a delivery report as mail systems write it.
func report(m testkit.Mailed, id, action, status string) string {
	return fmt.Sprintf(`From: MAILER-DAEMON@mx.video.example
To: <%s>
Subject: Delivery Status Notification
Message-ID: <%s@mx.video.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

This is a report.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.video.example

Original-Recipient: rfc822;abuse@video.example
Final-Recipient: rfc822;abuse@video.example
Action: %s
Status: %s
--b1
Content-Type: text/rfc822-headers

Message-ID: %s
--b1--
`, m.From, id, action, status, m.Header.Get("Message-Id"))
}

// reply is a person's mail in answer to ours.
func reply(m testkit.Mailed, id, more, text string) string {
	return fmt.Sprintf("From: Moderator <abuse@video.example>\nTo: %s\nSubject: Re: %s\nMessage-ID: <%s@video.example>\nIn-Reply-To: %s\nMIME-Version: 1.0\n%sContent-Type: text/plain; charset=utf-8\n\n%s\n",
		m.Header.Get("Reply-To"), m.Header.Get("X-Concert-Reference"), id, m.Header.Get("Message-Id"), more, text)
}

func refusedWith(err error, code int) bool {
	e, ok := errors.AsType[*smtp.SMTPError](err)
	return ok && e.Code == code
}

func replyTo(m testkit.Mailed) string { return strings.Trim(m.Header.Get("Reply-To"), "<> ") }

func TestReportsComeBackOntoTheLadder(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post, ref, _, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		testkit.Must(t, post.Deliver("", m.From, report(m, "one", "delayed", "4.4.1")))
		testkit.Must(t, post.Deliver("", m.From, report(m, "two", "delivered", "2.1.5")))
		if d := h.Referral(ref).Deliveries[0]; d.Rung != concert.RungDelivered || !strings.Contains(d.Evidence, "2.1.5") {
			t.Errorf("%+v", d)
		}
		testkit.Must(t, post.Deliver("", m.From, report(m, "two", "delivered", "2.1.5")))
		if got := h.Referral(ref).Messages; len(got) != 2 || got[1].Kind != concert.MessageDelivered || got[1].Code != "2.1.5" {
			t.Errorf("messages %+v", got)
		}
		// A bounce after that is contradicted by it, and changes nothing.
		testkit.Must(t, post.Deliver("", m.From, report(m, "three", "failed", "5.1.1")))
		if d := h.Referral(ref).Deliveries[0]; d.Rung != concert.RungDelivered {
			t.Errorf("%+v", d)
		}
	})
}

func TestBounceDemotesTheContactPointAndTheNextOneTakesOver(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post, ref, _, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		second := h.MailContact(h.Hooked, "second@video.example", concert.MailSingle, nil)
		testkit.Must(t, post.Deliver("", m.From, report(m, "one", "failed", "5.2.1")))
		got := mailed(t, post, 2)[1]
		if got.To != second.Address || got.Header.Get("X-Concert-Reference") != ref || got.Link() == m.Link() {
			t.Errorf("to %s, link the same: %v", got.To, got.Link() == m.Link())
		}
		rung(t, h, ref, concert.RungAccepted)
		alarms, _, err := h.Alarms(t.Context(), testkit.Scope(t, h.Auditor), "", 10)
		if err != nil || len(alarms) != 1 || alarms[0].Kind != concert.AlarmBounced || alarms[0].Provider.ID != h.Hooked.ID {
			t.Errorf("%+v, %v", alarms, err)
		}
		// Once all of them bounced, the webhook is left.
		testkit.Must(t, post.Deliver("", got.From, report(got, "two", "failed", "5.1.1")))
		testkit.Await(t, "the webhook takes over", func() bool { return len(h.Hook.Taken(concert.NoticeReferral)) == 1 })
	})
}

func TestReplyIsANoteAndAnswersNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post, ref, items, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		testkit.Must(t, post.Deliver("abuse@video.example", replyTo(m), reply(m, "one", "", "Removed. Case closed.\n> your words\nWhich law?")))
		testkit.Must(t, post.Deliver("abuse@video.example", replyTo(m), post.Signed("video.example", reply(m, "two", "", "Signed words"))))
		testkit.Must(t, post.Deliver("abuse@video.example", replyTo(m), post.Signed("evil.example", reply(m, "three", "", "Signed by another"))))
		testkit.Must(t, post.Deliver("", replyTo(m), reply(m, "four", "Auto-Submitted: auto-replied\n", "I am away until Monday")))
		marked := strings.Replace(reply(m, "five", "", `<html><head><title>x</title><script>alert(1)</script></head><body onload="x()"><p>Which <b>clip</b>?</p><img src=x onerror=y></body></html>`), "text/plain", "text/html", 1)
		testkit.Must(t, post.Deliver("abuse@video.example", replyTo(m), marked))
		v := h.Referral(ref)
		want := []struct {
			kind   concert.MessageKind
			sender concert.Sender
			text   string
		}{
			{concert.MessageReply, concert.SenderUnverified, "Removed. Case closed.\nWhich law?"}, {concert.MessageReply, concert.SenderDKIM, "Signed words"}, {concert.MessageReply, concert.SenderUnverified, "Signed by another"},
			{concert.MessageAutomatic, concert.SenderUnverified, "I am away until Monday"}, {concert.MessageReply, concert.SenderUnverified, "Which clip?"},
		}
		if len(v.Messages) != len(want) {
			t.Fatalf("%d messages", len(v.Messages))
		}
		for i, w := range want {
			if g := v.Messages[i]; g.Kind != w.kind || g.Sender != w.sender || g.Text != w.text || g.From != "abuse@video.example" {
				t.Errorf("message %d: %+v, want %+v", i, g, w)
			}
		}
		if it := h.Item(items[0].Ref); it.Status != concert.ItemReferred || it.Claimed != "" || len(it.Messages) != 5 {
			t.Errorf("a reply answered: %s %s, %d messages", it.Status, it.Claimed, len(it.Messages))
		}
		if v.Deliveries[0].Rung != concert.RungAccepted {
			t.Errorf("a reply moved the ladder: %s", v.Deliveries[0].Rung)
		}
		// None of it stands in the clear.
		var n int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM event WHERE body LIKE '%Monday%' OR body LIKE '%abuse@%'").Scan(&n))
		if n != 0 {
			t.Errorf("%d events hold words of a mail", n)
		}
	})
}

// A provider that has nothing but mail asks and hears: its words stand in the referral's thread, what the officer writes back goes
// out by mail, in words and with no report for programs.
func TestQuestionsByMailAreAnsweredInTheThread(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, officer := t.Context(), h.North.Officers[0]
		post, ref, items, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		testkit.Must(t, post.Deliver("abuse@video.example", replyTo(m), reply(m, "one", "", "Which minute do you mean?")))
		waiting, err := h.Threads(ctx, officer, concert.SideAuthority, "", 10)
		testkit.Must(t, err)
		if len(waiting) != 1 || waiting[0].Ref != ref {
			t.Fatalf("threads %+v", waiting)
		}
		_, err = h.ReplyQuestion(ctx, officer, ref, items[0].Ref, "EXERCISE: minute two, the logo at https://video.example/logo")
		testkit.Must(t, err)
		got := mailed(t, post, 2)[1]
		if got.To != m.To || !strings.Contains(got.Text, "minute two, the logo at hxxps://video[.]example/logo") || !strings.Contains(got.Header.Get("Subject"), ref) {
			t.Errorf("to %s: %s\n%s", got.To, got.Header.Get("Subject"), got.Text)
		}
		for name := range got.Files {
			if !strings.HasSuffix(name, ".pdf") {
				t.Errorf("%s is attached to a message", name)
			}
		}
		v, err := h.ReadThread(ctx, testkit.Scope(t, officer), ref)
		testkit.Must(t, err)
		if len(v.Messages) != 2 || v.Messages[0].Kind != concert.QuestionMail || v.Messages[0].Text != "Which minute do you mean?" || v.Messages[0].Operator != "" || v.Messages[1].Side != concert.SideAuthority {
			t.Errorf("thread %+v", v.Messages)
		}
		if waiting, err = h.Threads(ctx, officer, concert.SideAuthority, "", 10); err != nil || len(waiting) != 0 {
			t.Errorf("it still waits for the authority: %+v, %v", waiting, err)
		}
	})
}

func TestUnknownMailboxesAreRefusedBeforeTheMessage(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post, _, _, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		for _, to := range []string{"root@concert.example", "referrals@other.example", "referrals+r.aaaaaaaaaaaaaaaa@concert.example", "referrals+x." + "aaaaaaaaaaaaaaaa@concert.example", "referrals+r.short@concert.example"} {
			if err := post.Deliver("a@b.example", to, "Subject: x\n\nx\n"); !refusedWith(err, 550) {
				t.Errorf("%s: %v", to, err)
			}
		}
		if err := post.Deliver("a@b.example", testkit.MailFrom, "From: a@b.example\nSubject: hello\n\nx\n"); !refusedWith(err, 550) {
			t.Errorf("a mail that answers none of ours: %v", err)
		}
		testkit.Must(t, post.Deliver("a@b.example", testkit.MailFrom, reply(m, "one", "", "to the plain address")))
		if err := post.Deliver("a@b.example", replyTo(m), "Subject: big\n\n"+strings.Repeat("x\n", 2<<20)); err == nil {
			t.Error("a mail of 4 MiB was taken")
		}
	})
}

func TestG22ErasedItemsTakeWhatWasWrittenAboutThemAlong(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post, ref, items, m := posted(t, h, concert.MailDigest, testkit.Page(1), testkit.Page(2))
		testkit.Must(t, post.Deliver("abuse@video.example", replyTo(m), reply(m, "one", "", "About "+testkit.Page(1))))
		testkit.Must(t, h.AskByLink(t.Context(), m.Link(), items[0].Ref, "What of "+testkit.Page(1)+"?"))
		testkit.Must(t, h.AskByLink(t.Context(), m.Link(), items[1].Ref, "And this one?"))
		if n := len(h.Referral(ref).Messages); n != 3 {
			t.Fatalf("%d messages", n)
		}
		erased(t, h, items[0].Ref)
		var texts []string
		for _, got := range h.Referral(ref).Messages {
			texts = append(texts, got.Text)
		}
		if strings.Join(texts, "|") != "||And this one?" {
			t.Errorf("after the erasure: %q", texts)
		}
	})
}
