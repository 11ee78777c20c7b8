package casework_test

import (
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// The job of a node that died goes on elsewhere within seconds, not after the minutes that the queue itself would wait.
func TestJobOfADeadNodeGoesOn(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Approved(testkit.Page(1))
		// The clock that the approval set becomes a job, which a node takes and dies over.
		fired, err := h.DB.FireClocks(t.Context(), h.Now().Add(time.Hour), time.Second)
		testkit.Must(t, err)
		raw, by := testkit.Raw(t, h.Service), `'["dead"]'`
		if h.DB.Dialect() == "postgres" {
			by = `'{dead}'`
		}
		for _, text := range []string{
			"UPDATE river_job SET state = 'running', attempt = 1, attempted_at = created_at, attempted_by = " + by,
			"INSERT INTO node (id, beat) VALUES ('dead', 7)",
		} {
			_, err := raw.Exec(text)
			testkit.Must(t, err)
		}
		died := time.Now()
		testkit.Run(t, h.Service)
		sent(h, t, items[0].Ref)
		t.Logf("%s: %d job of a dead node was done by another %.1f s after its last beat", h.DB.Dialect(), fired, time.Since(died).Seconds())
		var nodes int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM node WHERE id = 'dead'").Scan(&nodes))
		if h.DB.Dialect() == "postgres" && nodes != 0 {
			t.Error("the dead node is not forgotten")
		}
	})
}

// A job may run twice, when its node dies between the act and the queue's knowing: a reminder is sent once all the same.
func TestReminderWhoseJobRunsTwiceIsSentOnce(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1))
		stop := testkit.Run(t, h.Service)
		sent(h, t, items[0].Ref)
		stop()
		h.At(h.Now().Add(49*time.Hour), 1)
		stop = testkit.Run(t, h.Service)
		testkit.Await(t, "a reminder", func() bool { return len(h.Hook.Taken(concert.NoticeReminder)) == 1 })
		stop()
		// The same job once more.
		v := h.Referral(h.Item(items[0].Ref).ReferredAs)
		testkit.Must(t, h.DB.Update(t.Context(), func(tx *store.Tx) error {
			tx.SetClock(concert.ClockRemind, string(v.ID), h.Now())
			return nil
		}))
		testkit.Run(t, h.Service)
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the job done", func() bool {
			var waiting int
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM clock WHERE kind = 'referral.remind' AND due_at <= "+fmt.Sprint(concert.Micros(h.Now()))).Scan(&waiting))
			var running int
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM river_job WHERE state IN ('available', 'running')").Scan(&running))
			return waiting == 0 && running == 0
		})
		if got := h.Referral(v.Ref).Reminders; got != 1 {
			t.Errorf("%d reminders", got)
		}
	})
}

// Two nodes whose clocks are two hours apart, one of them set back and forth: nothing is sent or counted twice, nothing stays
// behind, the log verifies and a session of one is good at the other.
func TestSteppedClocksLoseAndDoubleNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ahead := h.Service
		if h.DB.Dialect() == "postgres" {
			ahead = testkit.ServiceAt(t, testkit.AddressOf(t, h.Service))
			ahead.Lookup = h.Lookup
		}
		at := func(s *casework.Service, off time.Duration) {
			s.Time = concert.CaseTime{Since: time.Now(), Start: time.Now().Add(off), Rate: brisk}
		}
		_, err := h.PlaceHold(t.Context(), h.South.Officers[0], casework.Holding{Location: testkit.Page(0), Contact: "EXERCISE desk", Case: "EXERCISE case"})
		testkit.Must(t, err)
		session, _, err := ahead.Enter(t.Context(), h.Links["answerer"], h.Codes["answerer"])
		testkit.Must(t, err)

		var items []casework.Result
		for round, off := range []time.Duration{time.Hour, -time.Hour, time.Hour, -time.Hour} {
			at(h.Service, -off)
			at(ahead, off)
			items = append(items, h.Approved(testkit.Page(2*round), testkit.Page(2*round+1))...)
			stop := testkit.Run(t, h.Service)
			other := func() {}
			if ahead != h.Service {
				other = testkit.Run(t, ahead)
			}
			if round == 0 {
				testkit.Await(t, "the held item to be kept back", func() bool { return h.Item(items[0].Ref).Status == concert.ItemHeld || ahead == h.Service })
			}
			if ahead == h.Service {
				// Alone, what waits for its minute goes once the clock has come back to it.
				stop()
				at(h.Service, time.Hour)
				stop = testkit.Run(t, h.Service)
			}
			for _, it := range items[1:] {
				sent(h, t, it.Ref)
			}
			stop()
			other()
		}
		// The hold's end, seen by a clock ahead half an hour too early and by the other not yet.
		at(h.Service, concert.HoldTerm-30*time.Minute-time.Hour)
		at(ahead, concert.HoldTerm+30*time.Minute)
		testkit.Run(t, h.Service)
		if ahead != h.Service {
			testkit.Run(t, ahead)
		}
		sent(h, t, items[0].Ref)

		seen := map[string]string{}
		testkit.Await(t, "every referral at the provider", func() bool {
			clear(seen)
			for _, a := range h.Hook.Taken(concert.NoticeReferral) {
				if was := seen[a.Data.Referral]; was != "" && was != a.ID {
					t.Fatalf("referral %s came under two ids, %s and %s", a.Data.Referral, was, a.ID)
				}
				seen[a.Data.Referral] = a.ID
			}
			for _, it := range items {
				if seen[h.Item(it.Ref).ReferredAs] == "" {
					return false
				}
			}
			return true
		})
		raw := testkit.Raw(t, h.Service)
		var twice, events, ids int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM (SELECT item FROM referral_item GROUP BY item HAVING count(*) > 1) AS d").Scan(&twice))
		testkit.Must(t, raw.QueryRow("SELECT count(*), count(DISTINCT id) FROM event").Scan(&events, &ids))
		if twice != 0 || events != ids {
			t.Errorf("%d items lie in two referrals; %d events have %d ids", twice, events, ids)
		}
		testkit.Must(t, h.PublishLog(t.Context()))
		v, err := h.VerifyLog(t.Context(), nil)
		if err != nil || !v.Verified {
			t.Errorf("the log: %v, %+v", err, v)
		}
		for _, s := range []*casework.Service{h.Service, ahead} {
			if _, err := s.Bearer(t.Context(), session); err != nil {
				t.Errorf("the session: %v", err)
			}
		}
	})
}

// A clock that only a newer program knows is left to that program's nodes and keeps no other from falling due.
func TestClockOfANewerProgramIsLeftToIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		raw := testkit.Raw(t, h.Service)
		_, err := raw.Exec("INSERT INTO clock (kind, subject, due_at, version) VALUES ('newer.kind', 'EXERCISE', 1, 1)")
		testkit.Must(t, err)
		items := h.Approved(testkit.Page(1))
		testkit.Run(t, h.Service)
		sent(h, t, items[0].Ref)
		var left int
		testkit.Must(t, raw.QueryRow("SELECT count(*) FROM clock WHERE kind = 'newer.kind'").Scan(&left))
		if left != 1 {
			t.Errorf("%d clocks of the newer kind are left", left)
		}
	})
}

// A node whose clock is ahead ends a hold's term; one that is behind holds the item once more. The hold's end comes all the same.
func TestHoldThatOneClockEndedEarlyIsNotForgotten(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		hold, err := h.PlaceHold(t.Context(), h.South.Officers[0], casework.Holding{Location: testkit.Page(1), Contact: "EXERCISE desk", Case: "EXERCISE case"})
		testkit.Must(t, err)
		items := h.Approved(testkit.Page(1))
		run := func(at time.Time, rate float64, want concert.ItemStatus) {
			h.At(at, rate)
			stop := testkit.Run(t, h.Service)
			h.Status(items[0].Ref, want)
			stop()
		}
		run(h.Now(), brisk, concert.ItemHeld)
		run(hold.ExpiresAt.Add(30*time.Minute), 1, concert.ItemApproved)
		_, err = h.DB.FireClocks(t.Context(), hold.ExpiresAt.Add(time.Hour), time.Second)
		testkit.Must(t, err)
		run(hold.ExpiresAt.Add(-30*time.Minute), 1, concert.ItemHeld)
		run(hold.ExpiresAt.Add(time.Minute), brisk, concert.ItemReferred)
	})
}
