package casework_test

import (
	"testing"
	"time"

	"concert"
	"concert/internal/testkit"
)

const why = "EXERCISE: for a reason that is long enough"

// batched sets the action to consignments and takes n places to an approval.
func batched(t *testing.T, h *testkit.House, n int) []string {
	t.Helper()
	testkit.Must(t, h.ConsignAction(t.Context(), h.Coordinator, h.Action.Ref, true))
	places := make([]string, n)
	for i := range places {
		places[i] = testkit.Page(i + 1)
	}
	var refs []string
	for _, r := range h.Approved(places...) {
		refs = append(refs, r.Ref)
	}
	return refs
}

// later stops the house and starts it again when so much case time has passed.
func later(t *testing.T, h *testkit.House, stop func(), d time.Duration) (again func()) {
	t.Helper()
	now := h.Now()
	stop()
	h.At(now.Add(d), brisk)
	return testkit.Run(t, h.Service)
}

func TestConsignmentWaitsForASecondPersonAndItsWindow(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		refs := batched(t, h, 3)
		stop := testkit.Run(t, h.Service)
		b, err := h.PrepareConsignment(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, 2)
		testkit.Must(t, err)
		if b.Items != 2 || b.Refused != 0 || b.State != concert.ConsignmentPrepared {
			t.Fatalf("prepared: %+v", b)
		}
		if _, err := h.ConfirmConsignment(ctx, h.Coordinator, b.Ref); code(err) != "consignment.same_person" {
			t.Errorf("confirmed by who prepared it: %v", err)
		}
		if _, err := h.ConfirmConsignment(ctx, h.North.Officers[0], b.Ref); code(err) != "role.missing" {
			t.Errorf("confirmed by an officer: %v", err)
		}
		b, err = h.ConfirmConsignment(ctx, h.South.Reviewers[0], b.Ref)
		testkit.Must(t, err)
		if got := h.Time.Wall(b.LeavesAt.Sub(b.ConfirmedAt)); got.Round(time.Second) != concert.RecallWindow {
			t.Errorf("the window is %v on the wall", got)
		}
		for _, ref := range refs {
			if got := h.Item(ref); got.Status != concert.ItemApproved {
				t.Errorf("within the window item %s is %s", ref, got.Status)
			}
		}
		stop = later(t, h, stop, concert.RecallWindow*brisk+time.Minute)
		h.Status(refs[0], concert.ItemReferred)
		h.Status(refs[1], concert.ItemReferred)
		if got := h.Item(refs[2]); got.Status != concert.ItemApproved {
			t.Errorf("the third item is in no consignment and %s", got.Status)
		}
		if _, err := h.RecallConsignment(ctx, h.Coordinator, b.Ref); code(err) != "consignment.gone" {
			t.Errorf("recalled after it left: %v", err)
		}
		// Turned off, what waits goes as always.
		testkit.Must(t, h.ConsignAction(ctx, h.Coordinator, h.Action.Ref, false))
		h.Status(refs[2], concert.ItemReferred)
		stop()
	})
}

func TestRecalledConsignmentNeverLeaves(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		refs := batched(t, h, 1)
		b, err := h.PrepareConsignment(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, 10)
		testkit.Must(t, err)
		if _, err := h.PrepareConsignment(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, 10); code(err) != "consignment.empty" {
			t.Errorf("an item in two consignments: %v", err)
		}
		_, err = h.ConfirmConsignment(ctx, h.North.Reviewers[0], b.Ref)
		testkit.Must(t, err)
		_, err = h.RecallConsignment(ctx, h.North.Reviewers[0], b.Ref)
		testkit.Must(t, err)
		later(t, h, func() {}, 2*concert.RecallWindow*brisk)
		// Something else goes out meanwhile, so that dispatch has looked.
		testkit.Must(t, h.ConsignAction(ctx, h.Coordinator, h.Action.Ref, false))
		testkit.Must(t, h.ConsignAction(ctx, h.Coordinator, h.Action.Ref, true))
		again, err := h.PrepareConsignment(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, 10)
		if err == nil && again.Items != 1 {
			t.Errorf("its items wait for another consignment: %+v", again)
		}
		v, err := h.ReadConsignment(ctx, testkit.Scope(t, h.Coordinator), b.Ref)
		testkit.Must(t, err)
		if v.State != concert.ConsignmentRecalled || len(v.Lines) != 1 || v.Lines[0].Ref != refs[0] {
			t.Errorf("the consignment: %+v", v)
		}
	})
}

func TestPreviewSaysWhatEachItemWouldMeet(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		refs := batched(t, h, 3)
		testkit.Must(t, h.ThrottleAction(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, concert.Throttle{PerHour: 1, Reason: why}))
		testkit.Must(t, h.ChangeHandling(ctx, h.North.Reviewers[0], refs[1], h.Item(refs[1]).Version, concert.HandlingNotShared, why))
		b, err := h.PrepareConsignment(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, 10)
		testkit.Must(t, err)
		if b.Items != 2 || b.Refused != 1 {
			t.Fatalf("prepared: %+v", b)
		}
		v, err := h.ReadConsignment(ctx, testkit.Scope(t, h.North.Reviewers[0]), b.Ref)
		testkit.Must(t, err)
		got := map[string]concert.ConsignmentRefusal{}
		for _, l := range v.Lines {
			got[l.Ref] = l.Left + l.Waits
		}
		if got[refs[0]] != concert.ConsignmentGoes || got[refs[1]] != concert.ConsignmentHandling || got[refs[2]] != concert.ConsignmentThrottled {
			t.Errorf("the preview says %v", got)
		}
		if _, err := h.ReadConsignment(ctx, testkit.Scope(t, h.North.Officers[0]), b.Ref); code(err) != "role.missing" {
			t.Errorf("read by an officer: %v", err)
		}
	})
}

func TestThrottleLetsSoManyAnHourAndQuietNone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		testkit.Must(t, h.ThrottleAction(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, concert.Throttle{PerHour: 2, Reason: why}))
		if err := h.ThrottleAction(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, concert.Throttle{Quiet: true, Reason: "short"}); code(err) != "throttle.reason" {
			t.Errorf("without a reason: %v", err)
		}
		items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Sound(1))
		stop := testkit.Run(t, h.Service)
		h.Status(items[0].Ref, concert.ItemReferred)
		h.Status(items[1].Ref, concert.ItemReferred)
		h.Status(items[3].Ref, concert.ItemReferred) // the other provider is free
		if got := h.Item(items[2].Ref); got.Status != concert.ItemApproved {
			t.Errorf("the third within the hour is %s", got.Status)
		}
		testkit.Must(t, h.ThrottleAction(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, concert.Throttle{Quiet: true, Reason: why}))
		stop = later(t, h, stop, 2*time.Hour)
		more := h.Approved(testkit.Sound(2))
		h.Status(more[0].Ref, concert.ItemReferred)
		if got := h.Item(items[2].Ref); got.Status != concert.ItemApproved {
			t.Errorf("while it is quiet the item is %s", got.Status)
		}
		testkit.Must(t, h.ThrottleAction(ctx, h.Coordinator, h.Action.Ref, h.Hooked.Ref, concert.Throttle{Reason: why}))
		h.Status(items[2].Ref, concert.ItemReferred)
		stop()
	})
}

func TestFrozenActionSendsNothingAndTakesTwoToGoOn(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		testkit.Must(t, h.FreezeAction(ctx, h.Coordinator, h.Action.Ref, why))
		if err := h.FreezeAction(ctx, h.Coordinator, h.Action.Ref, why); code(err) != "freeze.frozen" {
			t.Errorf("frozen twice: %v", err)
		}
		items := h.Approved(testkit.Page(1))
		stop := testkit.Run(t, h.Service)
		// What belongs to no action goes out all the same.
		if err := h.ThawAction(ctx, h.North.Reviewers[0], h.Action.Ref); code(err) != "freeze.not_asked" {
			t.Errorf("thawed unasked: %v", err)
		}
		testkit.Must(t, h.AskThaw(ctx, h.Coordinator, h.Action.Ref, why))
		if err := h.ThawAction(ctx, h.Coordinator, h.Action.Ref); code(err) != "freeze.same_person" {
			t.Errorf("thawed by who asked: %v", err)
		}
		if got := h.Item(items[0].Ref); got.Status != concert.ItemApproved {
			t.Errorf("frozen, the item is %s", got.Status)
		}
		testkit.Must(t, h.ThawAction(ctx, h.South.Reviewers[0], h.Action.Ref))
		h.Status(items[0].Ref, concert.ItemReferred)
		if err := h.ThawAction(ctx, h.South.Reviewers[0], h.Action.Ref); code(err) != "freeze.not_frozen" {
			t.Errorf("thawed again: %v", err)
		}
		stop()
	})
}

func TestCommandRollCallAndProposals(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		scope := testkit.Scope(t, h.Coordinator)
		next := h.Person("coordinator-2", h.South.Ref, "", concert.RoleCoordinator)
		h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))
		over, err := h.PostBulletin(ctx, h.Coordinator, h.Action.Ref, concert.BulletinHandOver, "EXERCISE all quiet, two finds wait", next.Operator)
		testkit.Must(t, err)
		if _, err := h.PostBulletin(ctx, h.Coordinator, h.Action.Ref, concert.BulletinHandOver, "EXERCISE to an officer", h.North.Officers[0].Operator); code(err) != "bulletin.to" {
			t.Errorf("handed over to an officer: %v", err)
		}
		if err := h.TakeCommand(ctx, h.Coordinator, over.Ref); code(err) != "bulletin.not_yours" {
			t.Errorf("taken by who handed over: %v", err)
		}
		testkit.Must(t, h.TakeCommand(ctx, next, over.Ref))
		order, err := h.PostBulletin(ctx, next, h.Action.Ref, concert.BulletinOrder, "EXERCISE video first", "")
		testkit.Must(t, err)
		_, err = h.PostBulletin(ctx, next, h.Action.Ref, concert.BulletinRollCall, "EXERCISE report, please", "")
		testkit.Must(t, err)
		testkit.Must(t, h.ReportPresence(ctx, h.South.Officers[0], h.Action.Ref))
		l, err := h.ProposeAllotment(ctx, next, h.Action.Ref, h.North.Ref, h.South.Ref, concert.Allotment{Kind: concert.AllotReassign, Items: 1, Reason: why})
		testkit.Must(t, err)
		if err := h.AnswerAllotment(ctx, h.South.Reviewers[0], l.Ref, concert.AllotAccepted, ""); code(err) != concert.ErrNotFound.Code {
			t.Errorf("answered by another unit: %v", err)
		}
		testkit.Must(t, h.AnswerAllotment(ctx, h.North.Reviewers[0], l.Ref, concert.AllotAccepted, ""))
		c, err := h.ReadCommand(ctx, scope, h.Action.Ref)
		testkit.Must(t, err)
		if c.InCommand != next.Person || c.Allotments[0].Answer != concert.AllotAccepted || len(c.Orders) != 2 || c.Operators[next.Person] != next.Operator {
			t.Errorf("in command %s, allotments %+v, orders %+v", c.InCommand, c.Allotments, c.Orders)
		}
		for _, m := range c.Muster {
			if m.Missing != (m.Authority == h.North.ID) || m.Online != map[concert.AuthorityID]int{h.South.ID: 1}[m.Authority] {
				t.Errorf("at the roll call: %+v", m)
			}
		}
		for _, u := range c.Units {
			if want := map[concert.AuthorityID]int64{h.North.ID: 2}[u.Authority]; u.Unassigned.N != want {
				t.Errorf("unit %s has %d unassigned, want %d", u.Authority, u.Unassigned.N, want)
			}
		}
		testkit.Must(t, h.TakeDown(ctx, h.Coordinator, order.Ref))
		if c, err = h.ReadCommand(ctx, scope, h.Action.Ref); err != nil || len(c.Orders) != 1 || len(c.Timeline) < 8 {
			t.Errorf("orders %+v, timeline %+v, %v", c.Orders, c.Timeline, err)
		}
		if _, err := h.ReadCommand(ctx, testkit.Scope(t, h.North.Officers[0]), h.Action.Ref); code(err) != "role.missing" {
			t.Errorf("read by an officer: %v", err)
		}
	})
}
