package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// BenchmarkMail is how many approved items a minute leave by mail, one report a message: referral, signed original, PDF, XARF, DKIM,
// answer link, to an SMTP server on loopback that takes each message apart. CONCERT_BENCH_MAILS (60) items; the goal is 1,000 a
// minute.
func BenchmarkMail(b *testing.B) {
	items := size(b, "CONCERT_BENCH_MAILS", 60)
	for _, database := range databases {
		for _, form := range []concert.MailForm{concert.MailSingle, concert.MailDigest} {
			b.Run(fmt.Sprintf("%s/%s", database, form), func(b *testing.B) {
				var wall time.Duration
				messages, turns := 0, 0
				for b.Loop() {
					w, n := post(b, database, form, items)
					wall, messages, turns = wall+w, messages+n, turns+1
				}
				report(b, map[string]float64{"reports/min": float64(items*turns) / wall.Minutes(), "messages/min": float64(messages) / wall.Minutes()})
			})
		}
	}
}

// post approves items and lets the service work: wall is from its start to the last item's acceptance.
func post(b *testing.B, database string, form concert.MailForm, items int) (wall time.Duration, messages int) {
	b.Helper()
	s := testkit.Service(b, database)
	h := testkit.Furnish(b, s)
	relay := h.Post()
	h.MailContact(h.Hooked, "abuse@video.example", form, nil)
	h.At(time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC), 1)
	var judged []casework.Result
	for i := 0; i < items; i += 50 {
		var places []string
		for n := i; n < min(i+50, items); n++ {
			places = append(places, testkit.Page(n+1))
		}
		judged = append(judged, h.Approved(places...)...)
	}
	// An approved item waits a minute, so that an approval can be taken back.
	h.At(time.Date(2019, 11, 21, 13, 0, 0, 0, time.UTC), 1)
	began := time.Now()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	testkit.Await(b, "every item is in a mailbox", func() bool {
		v, err := h.ReadProvider(ctx, testkit.Scope(b, h.Admin), h.Hooked.Ref)
		messages = len(relay.Got())
		sent := h.Item(judged[len(judged)-1].Ref).ReferredAs != ""
		return err == nil && sent && v.Contacts[0].Health.Waiting == 0 && v.Contacts[0].Health.Sending == 0 && (form == concert.MailDigest && messages > 0 || messages == items)
	})
	wall = time.Since(began)
	cancel()
	testkit.Must(b, <-done)
	return wall, messages
}
