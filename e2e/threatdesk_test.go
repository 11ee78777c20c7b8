package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// TestG32ThreatOfAHostsDeskReachesItsHub: a report from a provider's own desk is at the hub, with its receipt, when the act returns;
// while the hub is away it is kept, and sent until the hub has it, once; the hub's word comes back.
func TestG32ThreatOfAHostsDeskReachesItsHub(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	h := newHub(t)
	s, ann, _, _ := newDesk(t)
	in := casework.ThreatReport{Kind: concert.ThreatAnnounced, States: []string{"ES"}, Content: concert.ThreatUp, SeenAt: time.Now().UTC(), ThreatText: concert.ThreatText{Places: []string{testkit.Page(5)},
		Description: "EXERCISE: an attack that nobody plans.", Contact: "EXERCISE Ann", Telephone: "+000"}}
	if _, err := s.SendThreat(ctx, ann, in); err == nil || !strings.Contains(err.Error(), "emergency number") {
		t.Errorf("without a hub: %v", err)
	}
	joinHub(t, s, ann, h)
	sent, err := s.SendThreat(ctx, ann, in)
	if err != nil || len(sent) != 1 || sent[0].State != concert.PostDelivered || sent[0].Got == nil || sent[0].There != concert.ThreatReceived || len(sent[0].Got.Receipt.Commit) != 64 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if as, err := h.ThreatAlarms(ctx, h.Officer); err != nil || len(as) != 1 || as[0].Ref != sent[0].Theirs {
		t.Errorf("the hub's officer is alarmed of %+v, %v", as, err)
	}

	h.setAway(true)
	kept, err := s.SendThreat(ctx, ann, in)
	if err != nil || kept[0].State != concert.PostWaiting || kept[0].Problem == "" || kept[0].Got != nil {
		t.Fatalf("while the hub is away: %+v, %v", kept, err)
	}
	h.setAway(false)
	view := func(ref string) casework.HostThreatView {
		t.Helper()
		rows, err := s.HostThreat(ctx, testkit.Scope(t, ann), ref)
		testkit.Must(t, err)
		return rows[0]
	}
	testkit.Await(t, "the hub has what was kept", func() bool {
		testkit.Must(t, s.PullHubs(ctx))
		return view(kept[0].Ref).State == concert.PostDelivered
	})
	if all, err := h.Threats(ctx, testkit.Scope(t, h.Officer), ""); err != nil || len(all) != 2 {
		t.Errorf("the hub has %d reports, %v", len(all), err)
	}

	theirs := view(kept[0].Ref).Theirs
	_, err = h.TakeThreat(ctx, h.Officer, theirs, 0)
	testkit.Must(t, err)
	_, err = h.CloseThreat(ctx, h.Officer, theirs, 0, concert.ThreatActed, "EXERCISE: we were there in time.")
	testkit.Must(t, err)
	testkit.Await(t, "the hub's word comes back", func() bool {
		testkit.Must(t, s.PullHubs(ctx))
		v := view(kept[0].Ref)
		return v.There == concert.ThreatClosed && slices.ContainsFunc(v.Got.To, func(c api.ThreatCopy) bool { return c.Word == "EXERCISE: we were there in time." })
	})

	// A hub that answers nonsense takes nothing back.
	h.forge("/api/v1/threats/"+sent[0].Theirs, []byte("{"))
	testkit.Must(t, s.PullHubs(ctx))
	if v := view(sent[0].Ref); v.State != concert.PostDelivered {
		t.Errorf("what the hub has is %s once the hub answers nonsense", v.State)
	}
}
