package casework_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-smtp"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// mailed waits for so many messages and gives them.
func mailed(t *testing.T, p *testkit.Post, n int) []testkit.Mailed {
	t.Helper()
	testkit.Await(t, "mail goes out", func() bool { return len(p.Got()) >= n })
	return p.Got()
}

// rung waits until the referral's first notice stands there.
func rung(t *testing.T, h *testkit.House, ref string, want concert.Rung) store.Outgoing {
	t.Helper()
	var d store.Outgoing
	testkit.Await(t, "the notice of "+ref+" is "+string(want), func() bool { d = h.Referral(ref).Deliveries[0]; return d.Rung == want })
	return d
}

func TestG09ReferralByMailIsSignedDefangedAndWhole(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post := h.Post()
		h.MailContact(h.Hooked, "abuse@video.example", concert.MailSingle, func(c *concert.ContactPoint) { c.Languages = []string{"de", "fr-CA", "en"} })
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		testkit.Run(t, h.Service)
		got := mailed(t, post, 2)
		refs := map[string]bool{}
		for _, it := range items {
			refs[sent(h, t, it.Ref)] = true
		}
		for _, m := range got {
			vs, err := dkim.VerifyWithOptions(bytes.NewReader(m.Raw), &dkim.VerifyOptions{LookupTXT: post.LookupTXT})
			if err != nil || len(vs) != 1 || vs[0].Err != nil || vs[0].Domain != "concert.example" {
				t.Errorf("DKIM: %+v, %v", vs, err)
			}
			if vs, _ := dkim.VerifyWithOptions(bytes.NewReader(bytes.Replace(m.Raw, []byte("Signalement"), []byte("Injonctions"), 1)), &dkim.VerifyOptions{LookupTXT: post.LookupTXT}); len(vs) != 1 || vs[0].Err == nil {
				t.Error("a changed message verifies")
			}
			subject := m.Header.Get("Subject")
			ref := strings.TrimPrefix(m.Header.Get("X-Concert-Reference"), "")
			if !refs[ref] || !strings.Contains(m.Header.Get("Message-Id"), "<"+ref+".") || m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("List-Unsubscribe") != "" || m.Header.Get("Precedence") != "" {
				t.Errorf("headers %v", m.Header)
			}
			delete(refs, ref)
			if !strings.Contains(m.From, "referrals+b.") || !strings.Contains(m.Header.Get("Reply-To"), "referrals+r.") || m.To != "abuse@video.example" || len(m.Notify) != 3 {
				t.Errorf("envelope %q %q %v, reply to %q, subject %q", m.From, m.To, m.Notify, m.Header.Get("Reply-To"), subject)
			}
			if strings.Contains(m.Text, "http://video.example") || !strings.Contains(m.Text, "video[.]example") || !strings.Contains(m.Text, concert.VoluntaryNotice) || !strings.Contains(m.Text, "Le présent message est un signalement") || m.Link() == "" {
				t.Errorf("text:\n%s", m.Text)
			}
			if bytes.Contains(m.Raw, []byte("OP-")) || strings.Contains(m.Text, "North-officer") {
				t.Error("an officer is named")
			}
			var env concert.Envelope
			if err := json.Unmarshal(m.Files[ref+".signed.json"], &env); err != nil || env.Verify("author", ed25519.PublicKey(h.North.PublicKey)) != nil || env.Verify("transport", h.TransportKey()) != nil {
				t.Errorf("G09: the attached original does not verify: %v", err)
			}
			var report map[string]any
			if err := json.Unmarshal(m.Files["xarf.json"], &report); err != nil || !strings.HasPrefix(report["url"].(string), "http://video.example/watch?v=") {
				t.Errorf("XARF %v, %v", report["url"], err)
			}
			if !bytes.HasPrefix(m.Files[ref+".pdf"], []byte("%PDF-")) || len(m.Files) != 3 {
				t.Errorf("%d attachments", len(m.Files))
			}
		}
		for _, it := range items {
			if d := rung(t, h, h.Item(it.Ref).ReferredAs, concert.RungAccepted); !strings.HasPrefix(d.Evidence, "250 ") || d.Attempts != 1 {
				t.Errorf("ladder: %+v", d)
			}
		}
		if n := len(h.Hook.Got()); n != 0 {
			t.Errorf("the webhook was pushed %d notices as well", n)
		}
		inboxHas(t, h, h.Answerer, concert.NoticeReferral, concert.NoticeReferral)
	})
}

func TestDigestIsOneSignedMessageWithALineAnItem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post := h.Post()
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Page(3))
		h.MailContact(h.Hooked, "abuse@video.example", concert.MailDigest, func(c *concert.ContactPoint) { c.Messages = 1 })
		testkit.Run(t, h.Service)
		ref := sent(h, t, items[0].Ref)
		m := mailed(t, post, 1)[0]
		rows, err := csv.NewReader(bytes.NewReader(m.Files["digest.csv"])).ReadAll()
		if err != nil || len(rows) != 4 || rows[1][1] != ref || !strings.HasPrefix(rows[1][3], "http://video.example/") {
			t.Errorf("%v, %q", err, rows)
		}
		var sig []byte
		for line := range strings.Lines(string(m.Files["digest.csv.sig"])) {
			if v, ok := strings.CutPrefix(line, "ed25519: "); ok {
				sig, err = base64.StdEncoding.DecodeString(strings.TrimSpace(v))
			}
		}
		if err != nil || !ed25519.Verify(h.TransportKey(), m.Files["digest.csv"], sig) || ed25519.Verify(h.TransportKey(), append(m.Files["digest.csv"], 'x'), sig) {
			t.Error("the detached signature does not hold")
		}
		if lines := strings.Count(string(m.Files["xarf.ndjson"]), "\n"); lines != 3 || !strings.HasPrefix(m.Header.Get("Subject"), "[MD-") {
			t.Errorf("%d reports, subject %q", lines, m.Header.Get("Subject"))
		}
	})
}

func TestG12MailKeepsTheContactPointsNightAndItsHours(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		night := time.Date(2019, 11, 21, 14, 0, 0, 0, time.UTC) // 23:00 in Tokyo
		h := testkit.Furnish(t, s)
		post := h.Post()
		h.At(night.Add(-time.Hour), 1)
		items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Page(3))
		urgent := h.Submit(h.North.Officers[0], testkit.Page(4))
		a := testkit.Judgement()
		a.Severity = concert.SeverityThreat
		judged, err := h.AssessItems(t.Context(), h.North.Officers[0], []casework.Judging{{Item: urgent[0].Ref, Version: urgent[0].Version, Outlet: h.Outlet.Ref, Assessment: a}})
		testkit.Must(t, err)
		h.Approve(h.North.Reviewers[0], judged)
		h.MailContact(h.Hooked, "abuse@video.example", concert.MailSingle, func(c *concert.ContactPoint) {
			c.Zone, c.QuietFrom, c.QuietTo, c.Messages = "Asia/Tokyo", 22*60, 7*60, 2
		})
		h.At(night, 1)
		stop := testkit.Run(t, s)
		sent(h, t, items[0].Ref)
		ref := sent(h, t, urgent[0].Ref)
		rung(t, h, ref, concert.RungAccepted)
		stop()
		if got := post.Got(); len(got) != 1 || got[0].Header.Get("X-Concert-Reference") != ref || got[0].Header.Get("Importance") == "" {
			t.Fatalf("at night %d messages went out", len(got))
		}
		for hour, want := range []int{3, 4} {
			h.At(time.Date(2019, 11, 21, 22+hour, 0, 1, 0, time.UTC), 1)
			stop := testkit.Run(t, s)
			mailed(t, post, want)
			testkit.Await(t, "the rest waits for the next hour", func() bool {
				v, err := h.ReadProvider(t.Context(), testkit.Scope(t, h.Admin), h.Hooked.Ref)
				return err == nil && v.Contacts[0].Health.Reached == want && v.Contacts[0].Health.Waiting == 4-want
			})
			stop()
			if n := len(post.Got()); n != want {
				t.Errorf("in hour %d %d messages went out in all, want %d", hour, n, want)
			}
		}
	})
}

func TestRefusedRecipientDemotesTheContactPointAndNothingIsLost(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post := h.Post()
		post.Say("RCPT", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"})
		c := h.MailContact(h.Hooked, "gone@video.example", concert.MailSingle, nil)
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1))
		testkit.Run(t, h.Service)
		ref := sent(h, t, items[0].Ref)
		// The provider's own webhook is what is left.
		testkit.Await(t, "the webhook takes it over", func() bool { return len(h.Hook.Taken(concert.NoticeReferral)) == 1 })
		rung(t, h, ref, concert.RungAccepted)
		v, err := h.ReadProvider(t.Context(), testkit.Scope(t, h.Coordinator), h.Hooked.Ref)
		testkit.Must(t, err)
		if got := v.Contacts[0]; got.State() != "bounced" || got.Trouble != "5.1.1" || got.Health.Failed != 1 {
			t.Errorf("the contact point: %+v", got)
		}
		alarms, _, err := h.Alarms(t.Context(), testkit.Scope(t, h.Coordinator), "", 10)
		if err != nil || len(alarms) != 1 || alarms[0].Kind != concert.AlarmBounced || alarms[0].ContactRef != c.Ref || !alarms[0].EndedAt.IsZero() {
			t.Errorf("alarms %+v, %v", alarms, err)
		}
		if _, err := h.RestoreContact(t.Context(), h.Coordinator, c.Ref); code(err) != "role.missing" {
			t.Errorf("a coordinator restores: %v", err)
		}
		post.Say("RCPT", nil)
		_, err = h.RestoreContact(t.Context(), h.Admin, c.Ref)
		testkit.Must(t, err)
		if alarms, _, err = h.Alarms(t.Context(), testkit.Scope(t, h.Coordinator), "", 10); err != nil || alarms[0].EndedAt.IsZero() {
			t.Errorf("after it was restored the alarm lasts: %+v, %v", alarms, err)
		}
		more := h.Approved(testkit.Page(2))
		sent(h, t, more[0].Ref)
		mailed(t, post, 1)
	})
}

func TestMailIsTriedAgainUnderTheSameMessageID(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		post := h.Post()
		h.MailContact(h.Hooked, "abuse@video.example", concert.MailSingle, nil)
		post.Say("DATA", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "greylisted"})
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1))
		testkit.Run(t, h.Service)
		ref := sent(h, t, items[0].Ref)
		var d store.Outgoing
		testkit.Await(t, "a first attempt", func() bool { d = h.Referral(ref).Deliveries[0]; return d.Attempts > 0 })
		if d.Rung != concert.RungSent || !strings.Contains(d.Evidence, "451") {
			t.Errorf("%+v", d)
		}
		post.Say("DATA", nil)
		d = rung(t, h, ref, concert.RungAccepted)
		if d.Attempts < 2 || len(post.Got()) != 1 || !strings.Contains(post.Got()[0].Header.Get("Message-Id"), ref) {
			t.Errorf("%d messages, %+v", len(post.Got()), d)
		}
	})
}

func TestG16WithdrawalGoesByMailAtNightAndTheWaitingReferralLosesTheItem(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		h := testkit.Furnish(t, s)
		post := h.Post()
		night := time.Date(2019, 11, 21, 23, 0, 0, 0, time.UTC)
		h.At(night.Add(-time.Hour), 1)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		h.MailContact(h.Hooked, "abuse@video.example", concert.MailDigest, func(c *concert.ContactPoint) { c.QuietFrom, c.QuietTo = 22*60, 7*60 })
		h.At(night, 1)
		stop := testkit.Run(t, s)
		sent(h, t, items[0].Ref)
		sent(h, t, items[1].Ref)
		out, err := h.RemedyItems(t.Context(), h.North.Officers[0], []casework.Remedying{{Item: items[0].Ref, Version: h.Item(items[0].Ref).Version, Kind: concert.RemedyWithdrawal, Reason: ground}})
		if err != nil || outcomes(out) != string(concert.ItemWithdrawn) {
			t.Fatalf("%s, %v", outcomes(out), err)
		}
		m := mailed(t, post, 1)[0]
		if !strings.Contains(m.Text, items[0].Ref) || !strings.Contains(m.Text, "takes the referral of the items below back") || !strings.Contains(m.Text, ground) || strings.Contains(m.Text, items[1].Ref) {
			t.Errorf("withdrawal:\n%s", m.Text)
		}
		stop()
		h.At(time.Date(2019, 11, 22, 7, 0, 1, 0, time.UTC), 1)
		testkit.Run(t, s)
		m = mailed(t, post, 2)[1]
		if !strings.Contains(m.Text, items[1].Ref) || strings.Contains(m.Text, items[0].Ref) {
			t.Errorf("in the morning:\n%s", m.Text)
		}
	})
}
