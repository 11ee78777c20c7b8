package casework_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// judgeAlone assesses one item and gives the refusal's code.
func judgeAlone(h *testkit.House, t *testing.T, by concert.Actor, ref string) string {
	t.Helper()
	testkit.Capture(t, h.Service, by, ref)
	out, err := h.AssessItems(t.Context(), by, []casework.Judging{{Item: ref, Version: h.Item(ref).Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})
	testkit.Must(t, err)
	if out[0].Err != nil {
		return out[0].Err.Code
	}
	return ""
}

func TestAClaimedItemIsRefusedToOthersUntilItRunsOutAndItsHolderIsTold(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ann, ben := h.North.Officers[0], h.North.Officers[1]
		it := h.Submit(ann, testkit.Page(1))[0]
		h.Submit(h.South.Officers[0], testkit.Page(1))
		got, err := h.ClaimItem(t.Context(), ann, it.Ref)
		testkit.Must(t, err)
		if left := got.Slip.Until.Sub(h.Now()); left < 14*time.Minute || left > 15*time.Minute {
			t.Errorf("a claim lasts %s", left)
		}
		_, err = h.ClaimItem(t.Context(), ben, it.Ref)
		if code(err) != "item.claimed" || !strings.Contains(err.Error(), ann.Operator) || !strings.Contains(err.Error(), "12:1") {
			t.Errorf("a colleague is told %v", err)
		}
		_, err = h.ClaimItem(t.Context(), h.South.Officers[0], it.Ref)
		if code(err) != "item.claimed" || strings.Contains(err.Error(), ann.Operator) {
			t.Errorf("another authority is told %v", err)
		}
		for _, by := range []concert.Actor{ben, h.South.Officers[0]} {
			if got := judgeAlone(h, t, by, it.Ref); got != "item.claimed" {
				t.Errorf("%s assesses it: %q", by.Operator, got)
			}
		}
		if v := h.Item(it.Ref); v.Slip.Number != ann.Operator || v.Status != concert.ItemOpen {
			t.Errorf("the item shows %+v", v.Slip)
		}
		if _, err := h.ClaimItem(t.Context(), h.South.Reviewers[0], it.Ref); code(err) != "role.missing" {
			t.Errorf("a reviewer claims an open item: %v", err)
		}
		h.At(day.Add(16*time.Minute), 1)
		if d := desk(h, t, ann); len(d.Held) != 0 {
			t.Errorf("the claim still stands: %+v", d.Held)
		}
		if _, err := h.ClaimItem(t.Context(), ben, it.Ref); err != nil {
			t.Fatal(err)
		}
		d := desk(h, t, ann)
		if len(d.Ended) != 1 || d.Ended[0].Ref != it.Ref || d.Ended[0].Cause != concert.ClaimRanOut {
			t.Errorf("the holder is told %+v", d.Ended)
		}
		testkit.Must(t, h.SeenEndedClaims(t.Context(), ann))
		if d := desk(h, t, ann); len(d.Ended) != 0 {
			t.Errorf("told again: %+v", d.Ended)
		}
		if got := judgeAlone(h, t, ben, it.Ref); got != "" {
			t.Errorf("the holder assesses: %s", got)
		}
		if v := h.Item(it.Ref); v.Slip.Holder != "" {
			t.Errorf("after it moved on: %+v", v.Slip)
		}
	})
}

func TestAClaimThatNobodyTakesOverRunsOutByItself(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ann := h.North.Officers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		_, err := h.ClaimItem(t.Context(), ann, it.Ref)
		testkit.Must(t, err)
		h.At(day.Add(time.Hour), 1)
		testkit.Run(t, h.Service)
		testkit.Await(t, "the holder is told", func() bool { return len(desk(h, t, ann).Ended) == 1 })
	})
}

// desk is what waits for the person.
func desk(h *testkit.House, t *testing.T, by concert.Actor) casework.Desk {
	t.Helper()
	scope, err := concert.NewScope(by, "")
	testkit.Must(t, err)
	d, err := h.ReadDesk(t.Context(), scope)
	testkit.Must(t, err)
	return d
}

// taken takes the next item and gives its reference, "" where nothing waits.
func taken(h *testkit.House, t *testing.T, by concert.Actor, stage concert.ItemStatus) string {
	t.Helper()
	got, err := h.TakeNext(t.Context(), by, stage)
	testkit.Must(t, err)
	return got.Ref
}

func refs(rs []casework.Result) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Ref
	}
	return out
}

func TestNextIsTheMostUrgentAndOldestThatNobodyHasAndIDidNotSkip(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, ben := t.Context(), h.North.Officers[0], h.North.Officers[1]
		out, err := h.SubmitItems(ctx, ann, []casework.Submission{{Location: testkit.Page(1)}, {Location: testkit.Page(2), Priority: 5}, {Location: testkit.Page(3), Priority: 5}, {Location: testkit.Page(4)}})
		testkit.Must(t, err)
		r := refs(out)
		h.Submit(h.South.Officers[0], testkit.Page(9)) // another authority's
		if got := taken(h, t, ann, ""); got != r[1] {
			t.Errorf("first %s, want %s", got, r[1])
		}
		if got := taken(h, t, ben, concert.ItemOpen); got != r[2] {
			t.Errorf("a colleague gets %s, want %s", got, r[2])
		}
		testkit.Must(t, h.SkipItem(ctx, ben, r[2]))
		if got := taken(h, t, ben, ""); got != r[0] {
			t.Errorf("after skipping %s, want %s", got, r[0])
		}
		if got := taken(h, t, ann, ""); got != r[2] {
			t.Errorf("what a colleague skipped: %s, want %s", got, r[2])
		}
		_, err = h.ParkItem(ctx, ben, r[0], day.Add(2*time.Hour), "EXERCISE: waits for a translation")
		testkit.Must(t, err)
		if got := taken(h, t, ann, ""); got != r[3] {
			t.Errorf("what is parked is left out: %s, want %s", got, r[3])
		}
		if got := taken(h, t, ben, ""); got != "" {
			t.Errorf("nothing waits, but %s", got)
		}
		if _, err := h.ClaimItem(ctx, ann, r[0]); code(err) != "item.parked" {
			t.Errorf("a colleague claims what is parked: %v", err)
		}
		h.At(day.Add(2*time.Hour+time.Minute), 1)
		if d := desk(h, t, ben); len(d.Back) != 1 || d.Back[0].Ref != r[0] {
			t.Errorf("parked is back: %+v", d.Back)
		}
		if got := taken(h, t, ben, ""); got != r[0] {
			t.Errorf("it came back as %s", got)
		}
		testkit.Must(t, h.GiveBack(ctx, ben, r[0]))
		h.At(day.Add(30*time.Hour), 1)
		if got, again := taken(h, t, ben, ""), taken(h, t, ben, ""); got != r[1] || again != r[2] {
			t.Errorf("claims and skips run out: %s and %s, want %s and %s", got, again, r[1], r[2])
		}
		for _, by := range []concert.Actor{h.Auditor, h.Admin, h.Answerer} {
			if _, err := h.TakeNext(ctx, by, ""); code(err) != "role.missing" {
				t.Errorf("%v takes the next: %v", by.Roles, err)
			}
		}
	})
}

// G35: what is skipped is counted nowhere and leaves nothing in the log; what is kept runs out.
func TestG35SkippingLeavesNothingBehind(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ann := h.North.Officers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		raw := testkit.Raw(t, h.Service)
		events := testkit.Count(t, raw, "SELECT count(*) FROM event")
		if got := taken(h, t, ann, ""); got != it.Ref {
			t.Fatalf("took %q", got)
		}
		for range 3 {
			testkit.Must(t, h.SkipItem(t.Context(), ann, it.Ref))
		}
		if n := testkit.Count(t, raw, "SELECT count(*) FROM event"); n != events {
			t.Errorf("skipping left %d events", n-events)
		}
		if n := testkit.Count(t, raw, "SELECT count(*) FROM skip"); n != 1 {
			t.Errorf("three skips of one item left %d rows", n)
		}
		cols := "SELECT name FROM pragma_table_info('skip')"
		if h.DB.Dialect() == "postgres" {
			cols = "SELECT column_name FROM information_schema.columns WHERE table_name = 'skip' AND table_schema = current_schema() ORDER BY ordinal_position"
		}
		if got := strings.Join(testkit.Column(t, raw, cols), " "); got != "person item until" {
			t.Errorf("a skip keeps %s", got)
		}
		h.At(day.Add(25*time.Hour), 1)
		testkit.Must(t, h.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.ForgetFlow(t.Context(), h.Now(), h.Now()) }))
		if n := testkit.Count(t, raw, "SELECT count(*) FROM skip"); n != 0 {
			t.Errorf("%d skips are left", n)
		}
	})
}

func TestTwoHundredOfficersNeverGetTheSameItem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		const officers, items = 200, 230
		places := make([]string, items)
		for i := range places {
			places[i] = testkit.Page(i)
		}
		for i := 0; i < items; i += 100 {
			h.Submit(h.North.Officers[0], places[i:min(i+100, items)]...)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		by, stale := map[string]int{}, 0
		start := make(chan struct{})
		for i := range officers {
			wg.Go(func() {
				<-start
				a := concert.Actor{Person: concert.PersonID(fmt.Sprintf("officer-%d", i)), Operator: "OP-X", Authority: h.North.ID, Roles: []concert.Role{concert.RoleOfficer}}
				got, err := h.TakeNext(context.Background(), a, "")
				mu.Lock()
				defer mu.Unlock()
				switch {
				case code(err) == "stale":
					stale++ // told to try again
				case err != nil:
					t.Error(err)
				default:
					by[got.Ref]++
				}
			})
		}
		close(start)
		wg.Wait()
		for ref, n := range by {
			if n > 1 || ref == "" {
				t.Errorf("%d officers have %q in hand", n, ref)
			}
		}
		if len(by)+stale != officers || stale > officers/20 {
			t.Errorf("%d got an item of their own, %d were told to try again", len(by), stale)
		}
		if n := testkit.Count(t, testkit.Raw(t, h.Service), "SELECT count(*) FROM slip WHERE holder <> ''"); n != len(by) {
			t.Errorf("%d slips for %d claims", n, len(by))
		}
	})
}

func TestNobodyHasMoreInHandThanTheyCanWorkOn(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann := h.North.Officers[0]
		for i := range concert.LeaseMost + 1 {
			h.Submit(ann, testkit.Page(i))
		}
		for range concert.LeaseMost {
			taken(h, t, ann, "")
		}
		if _, err := h.TakeNext(t.Context(), ann, ""); code(err) != "claim.too_many" {
			t.Errorf("one more: %v", err)
		}
		ref := desk(h, t, ann).Held[0].Ref
		if _, err := h.ClaimItem(t.Context(), ann, ref); err != nil {
			t.Errorf("going on with one: %v", err)
		}
		testkit.Must(t, h.GiveBack(t.Context(), ann, ref))
		if got := taken(h, t, ann, ""); got != ref {
			t.Errorf("given back, then taken: %s, want %s", got, ref)
		}
	})
}

func TestApprovalsAreTakenInTurnByReviewersWhoNeitherAssessedNorDecided(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		both := h.Person("north-both", h.North.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		rex, rita := h.North.Reviewers[0], h.North.Reviewers[1]
		own := h.Assess(both, h.Submit(both, testkit.Page(1)))[0]
		other := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(2)))[0]
		open := h.Submit(h.North.Officers[0], testkit.Page(3))[0]
		if got := taken(h, t, both, ""); got != other.Ref {
			t.Errorf("first comes what another assessed: %s", got)
		}
		if got := taken(h, t, both, ""); got != open.Ref {
			t.Errorf("then what waits for an assessment: %s", got)
		}
		if got := taken(h, t, rex, ""); got != own.Ref {
			t.Errorf("a reviewer gets %s, want %s", got, own.Ref)
		}
		if got := taken(h, t, rita, ""); got != "" {
			t.Errorf("nothing is left, but %s", got)
		}
		if got := approveAll(h, t, rita, own); got != "item.claimed" {
			t.Errorf("another reviewer decides: %s", got)
		}
		if got := approveAll(h, t, rex, own); got != "approved" {
			t.Errorf("the holder decides: %s", got)
		}
		if _, err := h.ClaimItem(t.Context(), rex, own.Ref); code(err) != "claim.stage" {
			t.Errorf("claiming what is approved: %v", err)
		}
		if _, err := h.ClaimItem(t.Context(), h.South.Reviewers[0], other.Ref); code(err) != "not_found" {
			t.Errorf("another authority's reviewer: %v", err)
		}
	})
}

func TestALeadTakesOverWithAReasonAndTheHolderIsTold(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 1)
		ctx, ann, ben, rex := t.Context(), h.North.Officers[0], h.North.Officers[1], h.North.Reviewers[0]
		it := h.Submit(ann, testkit.Page(1))[0]
		if _, err := h.TakeOver(ctx, rex, it.Ref, "EXERCISE: she is away"); code(err) != "claim.none" {
			t.Errorf("nobody has it: %v", err)
		}
		_, err := h.ClaimItem(ctx, ann, it.Ref)
		testkit.Must(t, err)
		if _, err := h.TakeOver(ctx, ben, it.Ref, "EXERCISE: she is away"); code(err) != "role.missing" {
			t.Errorf("an officer takes over: %v", err)
		}
		if _, err := h.TakeOver(ctx, rex, it.Ref, "away"); code(err) != "takeover.reason" {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := h.TakeOver(ctx, h.South.Reviewers[0], it.Ref, "EXERCISE: not theirs"); code(err) != "not_found" {
			t.Errorf("another authority: %v", err)
		}
		got, err := h.TakeOver(ctx, rex, it.Ref, "EXERCISE: she is away")
		if err != nil || got.Slip.Holder != "" {
			t.Fatalf("a reviewer cannot assess, so it goes to all: %+v, %v", got.Slip, err)
		}
		d := desk(h, t, ann)
		if len(d.Ended) != 1 || d.Ended[0].Cause != concert.ClaimTakenOver || d.Numbers[d.Ended[0].By] != rex.Operator {
			t.Errorf("the holder is told %+v", d.Ended)
		}
		if got := taken(h, t, ben, ""); got != it.Ref {
			t.Errorf("then anybody takes it: %s", got)
		}
		if n := testkit.Count(t, testkit.Raw(t, h.Service), "SELECT count(*) FROM event WHERE kind = 'item.taken_over'"); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}
