package casework_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// busy lets the action see everything that a report tells of: duplicates, answers, refusals, looks, silence, withdrawals.
func busy(t *testing.T, h *testkit.House) {
	t.Helper()
	h.At(day, brisk)
	items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Page(4), testkit.Sound(1), testkit.Sound(2))
	h.Submit(h.South.Officers[0], testkit.Page(1), testkit.Page(9))
	stop := testkit.Run(t, h.Service)
	for _, it := range items {
		sent(h, t, it.Ref)
	}
	ref := h.Item(items[0].Ref).ReferredAs
	_, err := h.AcknowledgeReferral(t.Context(), h.Answerer, ref)
	testkit.Must(t, err)
	in := map[string]concert.AnswerCode{items[0].Ref: concert.AnswerInReview, items[1].Ref: concert.AnswerRefused, items[2].Ref: concert.AnswerRemoved}
	for item, c := range in {
		answer(h, t, h.Answerer, h.Item(item).ReferredAs, concert.Answer{Code: c}, item)
	}
	answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRemoved}, items[0].Ref)
	remedy(h, t, h.North.Officers[0], items[3].Ref, concert.RemedyWithdrawal)
	h.Pages.Set(testkit.Page(1), http.StatusGone)
	stop()
	// Three days later the silent ones were looked at, and reminded of.
	h.At(day.Add(72*time.Hour), swift)
	stop = testkit.Run(t, h.Service)
	h.Status(items[0].Ref, concert.ItemClosed)
	testkit.Await(t, "a reminder", func() bool { return h.Referral(h.Item(items[4].Ref).ReferredAs).Reminders > 0 })
	stop()
	h.StopClock()
	testkit.Must(t, h.PublishLog(t.Context()))
}

// exported are all events as an export carries them.
func exported(t *testing.T, s *casework.Service) []concert.RecordedEvent {
	t.Helper()
	var out []concert.RecordedEvent
	testkit.Must(t, s.DB.View(t.Context(), func(tx *store.Tx) error {
		var err error
		out, err = tx.EventsFrom(t.Context(), 0, 100_000)
		return err
	}))
	return out
}

func TestG28ReportIsMadeAgainFromAnExport(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		busy(t, h)
		e, err := h.SignedReport(t.Context(), testkit.Scope(t, h.Auditor), h.Action.Ref)
		testkit.Must(t, err)
		var p concert.ReportPayload
		testkit.Must(t, json.Unmarshal(e.Payload, &p))
		g, err := h.Registers(t.Context())
		testkit.Must(t, err)
		f := concert.NewFollowing(h.Action.ID)
		events := exported(t, h.Service)
		for _, e := range events {
			testkit.Must(t, f.Follow(e))
		}
		if diff := cmp.Diff(p.Tables, f.Facts().Tables(g.NameOf)); diff != "" {
			t.Errorf("recounted from the export (-published +recounted):\n%s", diff)
		}
		if p.Size != int64(len(events)) || p.Waiting != 0 || len(p.Root) != 64 {
			t.Errorf("the log has %d events, the report says %d, %d waiting", len(events), p.Size, p.Waiting)
		}
		full := 0
		for _, table := range p.Tables {
			if len(table.Rows) > 0 {
				full++
			}
		}
		if full != len(p.Tables) {
			t.Errorf("%d of %d tables have rows: %v", full, len(p.Tables), p.Tables)
		}
		// Signed, and every byte of it.
		pub := h.Transport.Public().(ed25519.PublicKey)
		testkit.Must(t, e.Verify("transport", pub))
		e.Payload[len(e.Payload)/2] ^= 1
		if e.Verify("transport", pub) == nil {
			t.Error("a changed report verifies")
		}
	})
}

func TestOthersSeeNoNumberBelowFive(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		busy(t, h)
		other, err := h.AddAuthority(t.Context(), h.Admin, concert.Authority{Name: "EXERCISE Unit East", Country: "XE", Kind: concert.KindReferralUnit, Unit: "EAST", Contact: "EXERCISE"})
		testkit.Must(t, err)
		visitor := testkit.Scope(t, h.Person("visitor", other.Ref, "", concert.RoleOfficer))
		b, err := h.ReadBoard(t.Context(), visitor, h.Action.Ref)
		testkit.Must(t, err)
		if b.Totals[concert.ReferredN] != 6 || b.Totals[concert.Unique] != concert.Few || b.Totals[concert.Duplicates] != concert.Few || b.Totals[concert.Refused] != concert.Few {
			t.Errorf("others see %v", b.Totals)
		}
		r, err := h.ReadReport(t.Context(), visitor, h.Action.Ref)
		testkit.Must(t, err)
		for _, table := range r.Facts.Tables(func(id string) string { return id }) {
			for _, row := range table.Rows {
				for i, cell := range row[1:] {
					if len(cell) == 1 && cell > "0" && cell < "5" && !strings.HasSuffix(table.Columns[i+1], "_s") {
						t.Errorf("table %s shows %q to others: %v", table.Name, cell, row)
					}
				}
			}
		}
		own, err := h.ReadBoard(t.Context(), testkit.Scope(t, h.South.Officers[0]), h.Action.Ref)
		testkit.Must(t, err)
		if own.Totals[concert.Refused] != 1 || own.Partner {
			t.Errorf("a participant sees %v", own.Totals)
		}
	})
}

func TestG28UnitReportGrowsAsTheBoardDoes(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		busy(t, h)
		scope := testkit.Scope(t, h.North.Officers[0])
		from, until := day.AddDate(0, 0, -1), day.AddDate(0, 0, 360) // a case day passes in a second, and a busy machine takes minutes
		read := func(from, until time.Time) casework.UnitReport {
			r, err := h.ReadUnitReport(t.Context(), scope, "", from, until)
			testkit.Must(t, err)
			return r
		}
		// Reminders go out meanwhile: all are read until nothing came between.
		agree := func(diff func(m concert.Metric) string) {
			for try := 1; ; try++ {
				all := ""
				for _, m := range concert.Metrics {
					all += diff(m)
				}
				if all == "" {
					return
				}
				if try == 20 {
					t.Fatal(all)
				}
			}
		}
		agree(func(m concert.Metric) string {
			r := read(from, until)
			b, err := h.ReadBoard(t.Context(), scope, h.Action.Ref)
			testkit.Must(t, err)
			if r.Growth[m] == b.Authorities[h.North.ID][m] {
				return ""
			}
			return fmt.Sprintf("%s: the unit's report says %d, the board %d\n", m, r.Growth[m], b.Authorities[h.North.ID][m])
		})
		r := read(from, until)
		if err := r.Growth.Check(); err != nil || r.Providers[h.Hooked.ID][concert.ReferredN] != 4 {
			t.Errorf("sums: %v; the hooked provider got %d", err, r.Providers[h.Hooked.ID][concert.ReferredN])
		}
		// Two halves make the whole.
		agree(func(m concert.Metric) string {
			first, second, r := read(from, day), read(day.AddDate(0, 0, 1), until), read(from, until)
			if first.Growth[m]+second.Growth[m] == r.Growth[m] {
				return ""
			}
			return fmt.Sprintf("%s: %d + %d is not %d\n", m, first.Growth[m], second.Growth[m], r.Growth[m])
		})
		if r, err := h.ReadUnitReport(t.Context(), testkit.Scope(t, h.South.Officers[0]), h.North.Ref, from, until); err != nil || r.Unit.ID != h.South.ID {
			t.Errorf("another unit's report: %v, %v", r.Unit.Ref, err)
		}
	})
}

// In live work a day that is over is counted once, and kept.
func TestG28DaysThatAreOverAreCountedOnce(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Approved(testkit.Page(1))
		raw := testkit.Raw(t, h.Service)
		today := time.Now().UTC()
		scope := testkit.Scope(t, h.North.Officers[0])
		read := func() int64 {
			r, err := h.ReadUnitReport(t.Context(), scope, "", today.AddDate(0, 0, -3), today)
			testkit.Must(t, err)
			return r.Growth[concert.Approved]
		}
		for range 2 {
			if n := read(); n != 1 {
				t.Errorf("the approval of today is counted %d times", n)
			}
		}
		var days, kept int
		testkit.Must(t, raw.QueryRow("SELECT count(DISTINCT day) FROM tally_day").Scan(&days))
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM tally_day WHERE day = '"+today.Format(time.DateOnly)+"'").Scan(&kept))
		if days < 2 || kept != 0 {
			t.Errorf("%d days are kept, of today %d rows", days, kept)
		}
	})
}
