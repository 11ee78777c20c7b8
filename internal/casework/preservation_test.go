package casework_test

import (
	"fmt"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func preserved(h *testkit.House, way concert.PreservationWay) concert.Preservation {
	return concert.Preservation{Way: way, Holder: "EXERCISE archive", Reference: "EXERCISE 1", Ground: ground, On: h.Now().Add(-time.Hour), Until: h.Now().AddDate(1, 0, 0)}
}

func TestG26NoReferralOfAtrocityEvidenceBeforeSomebodyPreservesIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, ann, rex := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		h.At(day, brisk)
		found := h.Submit(ann, testkit.Page(1), testkit.Page(2))
		testkit.Must(t, h.MarkAtrocity(ctx, ann, found[0].Ref, ground))
		if err := h.MarkAtrocity(ctx, rex, found[0].Ref, ground); code(err) != "atrocity.marked" {
			t.Errorf("marked twice: %v", err)
		}
		items := h.Approve(rex, h.Assess(ann, found))
		testkit.Run(t, h.Service)
		sent(h, t, items[1].Ref) // dispatch ran and passed the other by
		v := h.Item(items[0].Ref)
		if v.Status != concert.ItemApproved || !v.KeptBack(h.Now()) || v.Atrocity.Ground != ground {
			t.Errorf("a marked item is %s, kept back %t: %+v", v.Status, v.KeptBack(h.Now()), v.Atrocity)
		}
		for name, change := range map[string]func(*concert.Preservation){
			"preservation.way":       func(p *concert.Preservation) { p.Way = "hope" },
			"preservation.holder":    func(p *concert.Preservation) { p.Holder = " " },
			"preservation.reference": func(p *concert.Preservation) { p.Reference = "" },
			"preservation.ground":    func(p *concert.Preservation) { p.Ground = "short" },
			"preservation.on":        func(p *concert.Preservation) { p.On = h.Now().Add(time.Hour) },
			"preservation.until":     func(p *concert.Preservation) { p.Until = h.Now().Add(-time.Hour) },
		} {
			p := preserved(h, concert.PreservedByProvider)
			change(&p)
			if _, err := h.PreserveItem(ctx, rex, v.Ref, p); code(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.PreserveItem(ctx, h.South.Officers[0], v.Ref, preserved(h, concert.PreservedByProvider)); code(err) != "not_found" {
			t.Errorf("by who knows nothing of it: %v", err)
		}
		p, err := h.PreserveItem(ctx, rex, v.Ref, preserved(h, concert.PreservedByProvider))
		testkit.Must(t, err)
		sent(h, t, v.Ref)
		if got := h.Item(v.Ref); len(got.Preservations) != 1 || got.Preservations[0].Ref != p.Ref || got.Preservations[0].Reference != "EXERCISE 1" || got.KeptBack(h.Now()) {
			t.Errorf("recorded: %+v", got.Preservations)
		}
		raw := testkit.Raw(t, h.Service)
		kinds := testkit.Column(t, raw, "SELECT kind FROM event WHERE subject = '"+string(v.ID)+"' AND kind IN ('item.preserved', 'item.referred') ORDER BY id")
		if len(kinds) != 2 || kinds[0] != string(concert.EventPreserved) {
			t.Errorf("in this order: %v", kinds)
		}
	})
}

func TestG26OwnPreservationNeedsACaptureAndKeepsIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, ann, rex := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		h.At(day, brisk)
		it := bare(h, t, ann, testkit.Page(1))
		testkit.Must(t, h.MarkAtrocity(ctx, ann, it.Ref, ground))
		if _, err := h.PreserveItem(ctx, ann, it.Ref, preserved(h, concert.PreservedHere)); code(err) != "preservation.capture" {
			t.Errorf("without a capture: %v", err)
		}
		c := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: text("EXERCISE evidence")})
		_, err := h.PreserveItem(ctx, ann, it.Ref, preserved(h, concert.PreservedHere))
		testkit.Must(t, err)
		h.Approve(rex, h.Assess(ann, []casework.Result{it}))
		stop := testkit.Run(t, h.Service)
		sent(h, t, it.Ref)
		stop()
		// The term of a referred item is over, the year that was promised is not.
		h.At(day.AddDate(0, concert.CaptureMonths+1, 0), 1)
		stop = testkit.Run(t, h.Service)
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the clock waits for the end of the year", func() bool {
			return testkit.Count(t, raw, fmt.Sprintf("SELECT count(*) FROM clock WHERE kind = 'item.captures' AND due_at > %d", concert.Micros(day.AddDate(0, 11, 0)))) == 1
		})
		stop()
		if got, err := read(h, t, ann, c.Ref); got != "EXERCISE evidence" {
			t.Errorf("while it is preserved: %q, %v", got, err)
		}
		h.At(day.AddDate(1, 0, 1), 1)
		stop = testkit.Run(t, h.Service)
		expire(h, t, it.Ref)
		stop()
	})
}

func TestG26MarkedItemsAreNotErasedAndAnotherReviewerLiftsTheMark(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, ann, rex := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		h.At(day, brisk)
		it := h.Submit(ann, testkit.Page(1))[0]
		testkit.Must(t, h.AskErasure(ctx, ann, it.Ref, it.Version, concert.ErasureNotNeeded, ground))
		testkit.Must(t, h.MarkAtrocity(ctx, rex, it.Ref, ground))
		if err := h.EraseItem(ctx, h.North.Reviewers[1], it.Ref, h.Item(it.Ref).Version); code(err) != "erasure.atrocity" {
			t.Errorf("a confirmed erasure: %v", err)
		}
		if err := h.AskErasure(ctx, ann, it.Ref, h.Item(it.Ref).Version, concert.ErasureNotNeeded, ground); code(err) != "erasure.atrocity" {
			t.Errorf("asked for: %v", err)
		}
		// Nor by the clock: rejected, its term over.
		rejected := h.Assess(ann, []casework.Result{{Ref: it.Ref, Version: h.Item(it.Ref).Version}})
		out, err := h.DecideItems(ctx, rex, []casework.Deciding{{Item: it.Ref, Version: rejected[0].Version, Decision: concert.Reject, Ground: ground}})
		if err != nil || out[0].Err != nil {
			t.Fatal(err, out)
		}
		h.At(day.Add(concert.ErasureTerm+time.Hour), brisk)
		stop := testkit.Run(t, h.Service)
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the clock has asked", func() bool {
			return testkit.Count(t, raw, "SELECT count(*) FROM clock WHERE kind = 'item.erase'") == 0 && testkit.Count(t, raw, "SELECT count(*) FROM river_job WHERE kind = 'item.erase' AND finalized_at IS NOT NULL") > 0
		})
		if v := h.Item(it.Ref); !v.ErasedAt.IsZero() {
			t.Error("it was erased by the clock")
		}
		if err := h.LiftAtrocity(ctx, rex, it.Ref, ground); code(err) != "atrocity.same_person" {
			t.Errorf("lifted by who placed it: %v", err)
		}
		if err := h.LiftAtrocity(ctx, ann, it.Ref, ground); code(err) != "role.missing" {
			t.Errorf("lifted by an officer: %v", err)
		}
		testkit.Must(t, h.LiftAtrocity(ctx, h.North.Reviewers[1], it.Ref, ground))
		testkit.Await(t, "it is erased", func() bool { return !h.Item(it.Ref).ErasedAt.IsZero() })
		stop()
	})
}
