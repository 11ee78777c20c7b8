package casework_test

import (
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func TestCopiesAreTakenOneAfterAnother(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx := t.Context()
		ann, bob, sue := h.North.Officers[0], h.North.Officers[1], h.South.Officers[0]
		work := drawnWork(21, 640, 480)
		first := seen(h, t, ann, testkit.Page(1), asPNG(t, work))
		if got := judge(h, t, ann, first.Ref); got != string(concert.ItemAssessed) {
			t.Fatal(got)
		}
		two, three := seen(h, t, ann, testkit.Page(2), asJPEG(t, work, 60)), seen(h, t, ann, testkit.Page(3), asJPEG(t, work, 50))
		alone := seen(h, t, ann, testkit.Page(4), asPNG(t, drawnWork(22, 640, 480)))
		recognise(t, h)
		take := func(by concert.Actor, of string) string {
			t.Helper()
			got, err := h.TakeCopy(ctx, by, of)
			testkit.Must(t, err)
			return got.Ref
		}
		if a, b := take(ann, first.Ref), take(bob, first.Ref); a == b || a != two.Ref && a != three.Ref || b != two.Ref && b != three.Ref {
			t.Errorf("two take %s and %s, want %s and %s", a, b, two.Ref, three.Ref)
		}
		if again := take(ann, first.Ref); again != "" {
			t.Errorf("what is in hand is taken again: %s", again)
		}
		if none := take(ann, alone.Ref); none != "" {
			t.Errorf("a copy of what has none: %s", none)
		}
		if _, err := h.TakeCopy(ctx, sue, first.Ref); code(err) != "not_found" {
			t.Errorf("a stranger takes a copy: %v", err)
		}
		if _, err := h.TakeCopy(ctx, h.North.Reviewers[0], first.Ref); err == nil {
			t.Error("who assesses nothing takes a copy")
		}
	})
}

func TestMatchIsReadWithBothSidesByItsAuthorityAlone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx, ann, rev := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		picture := asPNG(t, drawnWork(23, 640, 480))
		first, second := seen(h, t, ann, testkit.Page(1), picture), seen(h, t, ann, testkit.Page(2), picture)
		recognise(t, h)
		b := newBank(h, t, rev, nil)
		_, err := h.BankItem(ctx, ann, b.Ref, first.Ref)
		testkit.Must(t, err)
		recognise(t, h)
		v := knownOf(h, t, ann, second.Ref)
		if len(v.Matches) != 2 {
			t.Fatalf("the second is like %+v, want the entry and the first", v.Matches)
		}
		for _, m := range v.Matches {
			p, err := h.ReadMatch(ctx, testkit.Scope(t, ann), m.Ref)
			testkit.Must(t, err)
			if entry := m.Entry.N != 0; p.OwnRef == "" || entry == (p.TheirsRef != "") || entry == (p.With.Ref != "") || entry == (p.EntryHash == "") || p.OwnRef == p.TheirsRef {
				t.Errorf("match %s by %s has the sides %q and %q, hash %q", m.Ref, m.By, p.OwnRef, p.TheirsRef, p.EntryHash)
			}
			for _, stranger := range []concert.Actor{h.South.Officers[0], h.Coordinator} {
				if _, err := h.ReadMatch(ctx, testkit.Scope(t, stranger), m.Ref); err == nil {
					t.Errorf("%s reads a match", stranger.Person)
				}
			}
		}
		if bs, err := h.BanksToFill(ctx, ann); err != nil || len(bs) != 1 || bs[0].Ref != b.Ref {
			t.Errorf("banks to fill: %+v, %v", bs, err)
		}
		if bs, err := h.BanksToFill(ctx, h.South.Officers[0]); err != nil || len(bs) != 0 {
			t.Errorf("another authority's banks to fill: %+v, %v", bs, err)
		}
		w, err := h.WorksLately(ctx, testkit.Scope(t, h.Coordinator))
		testkit.Must(t, err)
		if w != (casework.Works{Items: 2, Clusters: 1, Copies: 2}) {
			t.Errorf("works: %+v", w)
		}
		seen(h, t, ann, testkit.Page(3), asPNG(t, drawnWork(24, 640, 480)))
		recognise(t, h)
		if again, err := h.WorksLately(ctx, testkit.Scope(t, ann)); err != nil || again != w {
			t.Errorf("counted again at once: %+v, %v", again, err)
		}
		if _, err := h.WorksLately(ctx, testkit.Scope(t, h.Admin)); err == nil {
			t.Error("an administrator is told")
		}
	})
}
