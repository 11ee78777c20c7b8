package tlog_test

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"concert/tlog"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// auditLog is a size with full and partial tiles on three levels; smallLog,
// with two, is for tests that audit a log many times.
const auditLog, smallLog = 66_000, 3_000

// records yields commitments as they would come from the event rows, with one
// replaced by what change returns.
func records(size int64, change func(int64) tlog.Hash) iter.Seq2[tlog.Hash, error] {
	return func(yield func(tlog.Hash, error) bool) {
		for i := range size {
			if !yield(change(i), nil) {
				return
			}
		}
	}
}

func audit(t testing.TB, commitments iter.Seq2[tlog.Hash, error], read tlog.ReadTile, heads ...tlog.Head) tlog.Report {
	t.Helper()
	r, err := tlog.Audit(commitments, read, heads...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAuditOfAnUntouchedLogAgrees(t *testing.T) {
	t.Parallel()
	ref := newReference(t, auditLog)
	head, store := grown(t, auditLog)
	heads := []tlog.Head{head, ref.head(t, 0), ref.head(t, 300), ref.head(t, 65_536)}
	r := audit(t, records(auditLog+7, commitment), store.read, heads...)
	want := tlog.Report{Size: auditLog, Root: head.Root, Beyond: 7, FirstBad: -1, Agreed: head}
	if diff := cmp.Diff(want, r); diff != "" || r.Err() != nil {
		t.Errorf("(-want +got):\n%s%v", diff, r.Err())
	}
}

func TestAuditWithoutTilesOrHeadsGivesTheRoot(t *testing.T) {
	t.Parallel()
	head, _ := grown(t, 700)
	if r := audit(t, records(700, commitment), nil); r.Size != 700 || r.Root != head.Root || r.Err() != nil {
		t.Errorf("without heads: %+v, %v", r, r.Err())
	}
	if r := audit(t, records(700, commitment), nil, head); r.Agreed != head || r.Err() != nil {
		t.Errorf("without tiles: %+v, %v", r, r.Err())
	}
	if r := audit(t, records(0, commitment), nil); r.Size != 0 || r.Root != tlog.Empty().Root || r.Err() != nil {
		t.Errorf("empty: %+v, %v", r, r.Err())
	}
}

func TestAuditNamesTheFirstChangedEvent(t *testing.T) {
	t.Parallel()
	head, store := grown(t, smallLog)
	ref := newReference(t, 512)
	rapid.Check(t, func(r *rapid.T) {
		bad := rapid.Int64Range(0, smallLog-1).Draw(r, "bad")
		later := rapid.Int64Range(bad, smallLog-1).Draw(r, "later")
		got := audit(t, records(smallLog, func(i int64) tlog.Hash {
			if i == bad || i == later {
				return commitment(-i - 1)
			}
			return commitment(i)
		}), store.read, head, ref.head(t, 512))
		err := got.Err()
		if got.FirstBad != bad || !errors.Is(err, tlog.ErrAltered) {
			r.Fatalf("leaf %d was changed, named is %d: %v", bad, got.FirstBad, err)
		}
		wantAgreed := int64(512)
		if bad < 512 {
			wantAgreed = 0
		}
		if got.Agreed.Size != wantAgreed || len(got.Heads) == 0 {
			r.Fatalf("agreed up to %d, want %d; heads %v", got.Agreed.Size, wantAgreed, got.Heads)
		}
	})
}

func TestAuditNamesAnEventThatWasRemoved(t *testing.T) {
	t.Parallel()
	head, store := grown(t, 1000)
	got := audit(t, records(999, func(i int64) tlog.Hash {
		if i >= 700 {
			i++
		}
		return commitment(i)
	}), store.read, head)
	if got.FirstBad != 700 || got.Size != 999 || got.Bad != 300 || got.Missing != 1 || !strings.Contains(got.Err().Error(), "leaf 700 in tile/0/002 ") {
		t.Errorf("%+v: %v", got, got.Err())
	}

	got = audit(t, records(950, commitment), store.read, head)
	if got.FirstBad != 950 || got.Bad != 50 || got.Missing != 50 || got.BadTiles != 0 || len(got.Heads) != 1 || !errors.Is(got.Err(), tlog.ErrAltered) {
		t.Errorf("%+v: %v", got, got.Err())
	}
}

func TestAuditGoesOnAfterAKnownGap(t *testing.T) {
	t.Parallel()
	head, store := grown(t, 1000)
	a := tlog.NewAuditor(store.read, head)
	for i := range int64(1000) {
		switch i {
		case 255, 256, 999:
			a.AddMissing()
		case 250, 600:
			a.Add(commitment(-1))
		default:
			a.Add(commitment(i))
		}
	}
	a.AddMissing()
	got := a.Finish()
	if got.FirstBad != 250 || got.Bad != 5 || got.Missing != 3 || got.Beyond != 1 || len(got.Heads) != 1 {
		t.Errorf("%+v: %v", got, got.Err())
	}
}

func TestAuditOfMissingRecordsAsksForABackup(t *testing.T) {
	t.Parallel()
	head, store := grown(t, 400)
	a := tlog.NewAuditor(store.read, head)
	for i := range int64(400) {
		if i == 300 {
			a.AddMissing()
		} else {
			a.Add(commitment(i))
		}
	}
	got := a.Finish()
	if got.FirstBad != 300 || len(got.Heads) != 0 || !strings.Contains(got.Err().Error(), "compare its event with a backup") {
		t.Errorf("%+v: %v", got, got.Err())
	}
}

func TestAuditNamesAnyChangedTile(t *testing.T) {
	t.Parallel()
	small, smallTiles := grown(t, smallLog)
	ids := slices.Collect(tlog.Tiles(smallLog))
	rapid.Check(t, func(r *rapid.T) {
		target := rapid.SampledFrom(ids).Draw(r, "tile")
		checkChangedTile(r, small, smallTiles, target, rapid.IntRange(0, target.Width*32-1).Draw(r, "byte"))
	})
	large, largeTiles := grown(t, auditLog)
	for _, target := range []tlog.TileID{{Level: 0, Index: 200, Width: 256}, {Level: 1, Index: 0, Width: 256}, {Level: 1, Index: 1, Width: 1}, {Level: 2, Index: 0, Width: 1}} {
		checkChangedTile(t, large, largeTiles, target, target.Width*32-1)
	}
}

// checkChangedTile audits a log after byte at of one stored tile was changed.
func checkChangedTile(t rapid.TB, head tlog.Head, store tileStore, target tlog.TileID, at int) {
	t.Helper()
	got, err := tlog.Audit(records(head.Size, commitment), func(id tlog.TileID) ([]byte, error) {
		data, err := store.read(id)
		if id == target {
			data = bytes.Clone(data)
			data[at] ^= 4
		}
		return data, err
	}, head)
	if err != nil {
		t.Fatal(err)
	}
	first := int64(-1)
	if target.Level == 0 {
		first = target.Index*256 + int64(at/32)
	}
	if got.BadTiles != 1 || got.Tiles[0].TileID != target || got.FirstBad != first || len(got.Heads) != 0 {
		t.Fatalf("%+v", got)
	}
	if err := got.Err(); !errors.Is(err, tlog.ErrAltered) || !strings.Contains(err.Error(), target.Path()) {
		t.Fatal(err)
	}
}

func TestAuditNamesAMissingTile(t *testing.T) {
	t.Parallel()
	head, store := grown(t, 1000)
	delete(store, place{0, 2})
	got := audit(t, records(1000, commitment), store.read, head)
	if got.BadTiles != 1 || got.Tiles[0].Path() != "tile/0/002" || got.Tiles[0].Err == nil || got.FirstBad != -1 || !strings.Contains(got.Err().Error(), "tile/0/002") {
		t.Errorf("%+v: %v", got, got.Err())
	}
}

// Who rewrites events and tiles alike is still caught by the signed heads.
func TestAuditOfARewrittenLogIsCaughtByTheCheckpoint(t *testing.T) {
	t.Parallel()
	ref := newReference(t, 1000)
	store := tileStore{}
	leaves := leafHashes(0, 1000)
	leaves[600] = tlog.LeafHash(commitment(-1))
	_, tiles, err := tlog.Grow(tlog.Empty(), leaves, store.read)
	if err != nil {
		t.Fatal(err)
	}
	store.save(tiles)
	got := audit(t, records(1000, func(i int64) tlog.Hash {
		if i == 600 {
			return commitment(-1)
		}
		return commitment(i)
	}), store.read, ref.head(t, 500), ref.head(t, 1000), ref.head(t, 700))
	if got.FirstBad != -1 || got.BadTiles != 0 || len(got.Heads) != 2 || got.Agreed.Size != 500 || !strings.Contains(got.Err().Error(), "from leaf 500 on") {
		t.Errorf("%+v: %v", got, got.Err())
	}
}

func TestAuditAgreesOnlyUpToTheFirstForgedHead(t *testing.T) {
	t.Parallel()
	ref := newReference(t, 1000)
	head, store := grown(t, 1000)
	forged := tlog.Head{Size: 700, Root: commitment(-1)}
	got := audit(t, records(1000, commitment), store.read, head, forged, ref.head(t, 500))
	want := tlog.Report{Size: 1000, Root: head.Root, FirstBad: -1, Heads: []tlog.HeadFault{{Head: forged, Got: ref.head(t, 700).Root}}, Agreed: ref.head(t, 500)}
	if diff := cmp.Diff(want, got); diff != "" || !errors.Is(got.Err(), tlog.ErrAltered) {
		t.Errorf("(-want +got):\n%s%v", diff, got.Err())
	}
}

func TestAuditStopsAtAnUnreadableRecord(t *testing.T) {
	t.Parallel()
	broken := errors.New("EXERCISE: disk")
	_, err := tlog.Audit(func(yield func(tlog.Hash, error) bool) {
		_ = yield(commitment(0), nil) && yield(tlog.Hash{}, broken)
	}, nil)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "leaf 1") {
		t.Error(err)
	}
}

func TestAuditListsAtMostAHundredTiles(t *testing.T) {
	t.Parallel()
	head, _ := grown(t, auditLog)
	got := audit(t, records(auditLog, commitment), tileStore{}.read, head)
	if got.BadTiles != 258+2+1 || len(got.Tiles) != 100 {
		t.Errorf("%d bad tiles, %d listed", got.BadTiles, len(got.Tiles))
	}
}

func BenchmarkAudit(b *testing.B) {
	head, store := grown(b, 250_000)
	b.ReportAllocs()
	for b.Loop() {
		a := tlog.NewAuditor(store.read, head)
		for range head.Size {
			a.Add(tlog.Hash{})
		}
		a.Finish()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/250_000, "ns/leaf")
}
