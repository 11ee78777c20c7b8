package casework_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// clockText asks when a clock of the kind falls due; 0 where there is none.
func clockText(kind concert.ClockKind, subject concert.ProviderID) string {
	return "SELECT coalesce(min(due_at), 0) FROM clock WHERE kind = '" + string(kind) + "' AND subject = '" + string(subject) + "'"
}

// due is the time that a row holds.
func due(t *testing.T, row interface{ Scan(...any) error }) time.Time {
	t.Helper()
	var us int64
	testkit.Must(t, row.Scan(&us))
	return concert.FromMicros(us)
}

func standing(h *testkit.House, items []casework.Result, want concert.ItemStatus) int {
	n := 0
	for _, it := range items {
		if h.Item(it.Ref).Status == want {
			n++
		}
	}
	return n
}

func TestG12ReferralsWaitForTheProvidersMorning(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		// 23:00 in Tokyo, where it is quiet until 07:00.
		night := time.Date(2019, 11, 21, 14, 0, 0, 0, time.UTC)
		morning := time.Date(2019, 11, 21, 22, 0, 0, 0, time.UTC)
		s.Time = concert.CaseTime{Since: time.Now(), Start: night, Rate: 1}
		h := testkit.Furnish(t, s, testkit.Hours{Zone: "Asia/Tokyo", QuietFrom: 22 * 60, QuietTo: 7 * 60})
		raw := testkit.Raw(t, s)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		h.At(night.Add(5*time.Minute), 1)
		stop := testkit.Run(t, s)
		testkit.Await(t, "the dispatch waits for the morning in Tokyo", func() bool {
			return due(t, raw.QueryRow(clockText(concert.ClockDispatch, h.Hooked.ID))).Equal(morning)
		})
		if n := standing(h, items, concert.ItemApproved); n != len(items) {
			t.Errorf("%d of %d items wait", n, len(items))
		}
		// A threat to life does not wait.
		urgent := h.Submit(h.North.Officers[0], testkit.Page(3))
		a := testkit.Judgement()
		a.Severity = concert.SeverityThreat
		judged, err := h.AssessItems(t.Context(), h.North.Officers[0], []casework.Judging{{Item: urgent[0].Ref, Version: urgent[0].Version, Outlet: h.Outlet.Ref, Assessment: a}})
		testkit.Must(t, err)
		h.Approve(h.North.Reviewers[0], judged)
		sent(h, t, urgent[0].Ref)
		testkit.Await(t, "the urgent webhook", func() bool { return len(h.Hook.Taken(concert.NoticeReferral)) == 1 })
		if n := h.Hook.Taken(concert.NoticeReferral)[0]; !n.Data.Urgent || n.Data.Items != 1 {
			t.Errorf("at night goes out %+v", n.Data)
		}
		if n := standing(h, items, concert.ItemApproved); n != len(items) {
			t.Errorf("with the urgent item %d others left at night", len(items)-n)
		}
		stop()
		h.At(morning.Add(time.Second), 1)
		testkit.Run(t, s)
		if ref := sent(h, t, items[0].Ref); h.Referral(ref).Items[0].Ref == "" || len(h.Referral(ref).Items) != len(items) {
			t.Errorf("in the morning %s carries %d items", ref, len(h.Referral(ref).Items))
		}
	})
}

func TestG12CapacityIsKeptHourByHour(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		s.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: 1}
		h := testkit.Furnish(t, s, testkit.Hours{Zone: "UTC", PerHour: 2})
		items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Page(4), testkit.Page(5))
		raw := testkit.Raw(t, s)
		for hour, want := range []int{2, 4, 5} {
			h.At(day.Add(time.Duration(hour)*time.Hour+10*time.Minute), 1)
			stop := testkit.Run(t, s)
			testkit.Await(t, "the hour's items", func() bool { return standing(h, items, concert.ItemReferred) >= want })
			testkit.Await(t, "the rest waits for the next hour", func() bool {
				return due(t, raw.QueryRow(clockText(concert.ClockDispatch, h.Hooked.ID))).Equal(day.Add(time.Duration(hour+1) * time.Hour))
			})
			stop()
			if n := standing(h, items, concert.ItemReferred); n != want {
				t.Errorf("in hour %d %d items went out in all, want %d", hour, n, want)
			}
		}
	})
}

func TestG07HoldOfAnotherUnitStopsTheDispatch(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		held := h.Hold(h.South.Officers[0], testkit.Page(1), "EXERCISE call the southern desk", "EXERCISE case 7")
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		h.At(h.Now(), swift)
		testkit.Run(t, h.Service)
		sent(h, t, items[1].Ref)
		h.Status(items[0].Ref, concert.ItemHeld)
		v, err := h.ReadItem(t.Context(), testkit.Scope(t, h.North.Officers[0]), items[0].Ref)
		if err != nil || v.HoldBy != "EXERCISE call the southern desk" || v.ReferredAs != "" {
			t.Errorf("the other unit sees %q, %v", v.HoldBy, err)
		}
		if hs, err := h.Holds(t.Context(), testkit.Scope(t, h.North.Officers[0]), "", 10); err != nil || len(hs) != 0 {
			t.Errorf("the other unit lists %d holds, %v", len(hs), err)
		}
		if hs, err := h.Holds(t.Context(), testkit.Scope(t, h.South.Officers[0]), "", 10); err != nil || len(hs) != 1 || hs[0].Case != "EXERCISE case 7" || hs[0].Location.Submitted != testkit.Page(1) {
			t.Errorf("the holder lists %+v, %v", hs, err)
		}
		if _, err := h.ReleaseHold(t.Context(), h.North.Officers[0], held.Ref, held.Version, ground); code(err) != "not_found" {
			t.Errorf("the other unit releases: %v", err)
		}
		if _, err := h.ReleaseHold(t.Context(), h.South.Officers[1], held.Ref, held.Version+1, ground); code(err) != "stale" {
			t.Errorf("a stale release: %v", err)
		}
		_, err = h.ReleaseHold(t.Context(), h.South.Officers[1], held.Ref, held.Version, ground)
		testkit.Must(t, err)
		sent(h, t, items[0].Ref)
	})
}

func TestDeliveryTriesAgainWhenTheEndpointAsks(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		items := h.Approved(testkit.Page(1))
		h.Hook.Say(testkit.Reply{Status: http.StatusServiceUnavailable}, testkit.Reply{Status: http.StatusTooManyRequests, RetryAfter: "7200"})
		now := day.Add(2 * time.Minute)
		for attempt, least := range []time.Duration{5 * time.Second, 2 * time.Hour, 0} {
			h.At(now, 1)
			stop := testkit.Run(t, h.Service)
			ref := sent(h, t, items[0].Ref)
			var d store.Outgoing
			testkit.Await(t, "the attempt", func() bool { d = h.Referral(ref).Deliveries[0]; return d.Attempts == attempt+1 })
			stop()
			if attempt == 2 {
				if d.Rung != concert.RungAccepted || !d.NextAt.IsZero() || !strings.Contains(d.Evidence, "202") {
					t.Errorf("at last: %s, next %v, %s", d.Rung, d.NextAt, d.Evidence)
				}
				continue
			}
			if wait := d.NextAt.Sub(now); wait < least || d.Rung != concert.RungSent || !strings.Contains(d.Evidence, []string{"503", "429"}[attempt]) {
				t.Errorf("after attempt %d: next in %s, at least %s; %s (%s)", attempt+1, wait, least, d.Rung, d.Evidence)
			}
			now = d.NextAt.Add(time.Second)
		}
		got := h.Hook.Got()
		if len(got) != 3 || got[0].ID != got[1].ID || got[1].ID != got[2].ID || got[0].ID == "" {
			t.Errorf("the attempts carry the ids %v", got)
		}
	})
}

func TestGoneEndpointIsLeftAloneAndItsInboxStillLists(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		h.Hook.Say(testkit.Reply{Status: http.StatusGone})
		items := h.Approved(testkit.Page(1))
		testkit.Run(t, h.Service)
		sent(h, t, items[0].Ref)
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the endpoint is disabled", func() bool {
			var at int64
			testkit.Must(t, raw.QueryRow("SELECT disabled_at FROM provider WHERE ref = '"+h.Hooked.Ref+"'").Scan(&at))
			return at > 0
		})
		more := h.Approved(testkit.Page(2))
		sent(h, t, more[0].Ref)
		inboxHas(t, h, h.Answerer, concert.NoticeReferral, concert.NoticeReferral)
		if n := len(h.Hook.Got()); n != 1 {
			t.Errorf("the endpoint that is gone was asked %d times", n)
		}
		for _, d := range h.Referral(h.Item(more[0].Ref).ReferredAs).Deliveries {
			if d.Kind == concert.NoticeReferral && d.Rung != concert.RungAccepted {
				t.Errorf("listed in the inbox, the notice stands on %s", d.Rung)
			}
		}
	})
}

func TestG38WhatIsDelistedBeforeDispatchStays(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		items := h.Approved(testkit.Page(1))
		list, err := h.Registers(t.Context())
		testkit.Must(t, err)
		entry := list.Scope.Entries[h.Outlet.ID][0]
		if _, err := h.DelistScope(t.Context(), h.Coordinator, entry.Ref, day.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		h.At(day.Add(time.Hour), swift)
		stop := testkit.Run(t, h.Service)
		h.Status(items[0].Ref, concert.ItemOutOfScope)
		stop()
		h.At(h.Now(), 1) // or the capture is a day old before it is assessed
		own, err := h.AddOutlet(t.Context(), h.North.Officers[0], concert.Outlet{Name: "EXERCISE invented by an officer"}, "")
		testkit.Must(t, err)
		found := h.Submit(h.North.Officers[0], testkit.Page(2))
		out, err := h.AssessItems(t.Context(), h.North.Officers[0], []casework.Judging{{Item: found[0].Ref, Version: found[0].Version, Outlet: own.Ref, Assessment: testkit.Judgement()}})
		if err != nil || outcomes(out) != string(concert.ItemOutOfScope) {
			t.Errorf("an outlet of the officer's own invention: %s, %v", outcomes(out), err)
		}
	})
}
