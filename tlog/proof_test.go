package tlog_test

import (
	"errors"
	"slices"
	"testing"

	"concert/tlog"

	modtlog "golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

const proofLog = 70_000

func flipped(h tlog.Hash, at int) tlog.Hash {
	h[at%32] ^= 1 << (at / 32 % 8)
	return h
}

func TestInclusionProofsHoldAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	ref := newReference(t, proofLog)
	_, store := grown(t, proofLog)
	rapid.Check(t, func(r *rapid.T) {
		// The tiles are those of the newest tree; proofs for older sizes come from them too.
		size := rapid.OneOf(rapid.Int64Range(1, proofLog), rapid.Int64Range(1, 600)).Draw(r, "size")
		index := rapid.Int64Range(0, size-1).Draw(r, "index")
		head, leaf := ref.head(t, size), tlog.LeafHash(commitment(index))
		proof, err := tlog.InclusionProof(size, index, store.read)
		if err != nil {
			r.Fatal(err)
		}
		want, err := modtlog.ProveRecord(size, index, ref)
		if err != nil || len(want) != len(proof) {
			r.Fatalf("the reference's proof has %d hashes, ours %d (%v)", len(want), len(proof), err)
		}
		for i := range want {
			if tlog.Hash(want[i]) != proof[i] {
				r.Fatalf("hash %d differs from the reference", i)
			}
		}
		check := func(proof []tlog.Hash, size int64, root tlog.Hash, index int64, leaf tlog.Hash) error {
			return tlog.CheckInclusion(proof, size, root, index, leaf)
		}
		if err := check(proof, size, head.Root, index, leaf); err != nil {
			r.Fatal(err)
		}
		at := rapid.IntRange(0, 255).Draw(r, "bit")
		for name, err := range map[string]error{
			"leaf":   check(proof, size, head.Root, index, flipped(leaf, at)),
			"root":   check(proof, size, flipped(head.Root, at), index, leaf),
			"longer": check(append(slices.Clone(proof), leaf), size, head.Root, index, leaf),
			"huge":   check(make([]tlog.Hash, 1000), size, head.Root, index, leaf),
		} {
			if !errors.Is(err, tlog.ErrProof) {
				r.Fatalf("changed %s: %v", name, err)
			}
		}
		if len(proof) > 0 {
			i := rapid.IntRange(0, len(proof)-1).Draw(r, "hash")
			bad := slices.Clone(proof)
			bad[i] = flipped(bad[i], at)
			if err := check(bad, size, head.Root, index, leaf); !errors.Is(err, tlog.ErrProof) {
				r.Fatalf("changed proof: %v", err)
			}
			if err := check(slices.Delete(slices.Clone(proof), i, i+1), size, head.Root, index, leaf); !errors.Is(err, tlog.ErrProof) {
				r.Fatalf("shorter proof: %v", err)
			}
			if other := (index + 1) % size; check(proof, size, head.Root, other, leaf) == nil {
				r.Fatalf("the proof of leaf %d also shows it at %d", index, other)
			}
		}
	})
}

func TestProofsFromChangedTilesAreRefused(t *testing.T) {
	t.Parallel()
	head, store := grown(t, proofLog)
	rapid.Check(t, func(t *rapid.T) {
		index := rapid.Int64Range(0, proofLog-1).Draw(t, "index")
		var used []tlog.TileID
		if _, err := tlog.InclusionProof(proofLog, index, func(id tlog.TileID) ([]byte, error) {
			used = append(used, id)
			return store.read(id)
		}); err != nil {
			t.Fatal(err)
		}
		target := rapid.SampledFrom(used).Draw(t, "tile")
		at := rapid.IntRange(0, target.Width*32-1).Draw(t, "byte")
		proof, err := tlog.InclusionProof(proofLog, index, func(id tlog.TileID) ([]byte, error) {
			data, err := store.read(id)
			if id == target {
				data = slices.Clone(data)
				data[at] ^= 1
			}
			return data, err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = tlog.CheckInclusion(proof, proofLog, head.Root, index, tlog.LeafHash(commitment(index)))
		// The hash of the proved leaf, or of its own ancestor, is what the
		// verifier computes: the proof does not carry it.
		own := int64(at/32) == index>>(8*target.Level)-target.Index*256
		if own && err != nil {
			t.Fatal(err)
		} else if !own && !errors.Is(err, tlog.ErrProof) {
			t.Fatalf("byte %d of %s was changed: %v", at, target.Path(), err)
		}
	})
}

func TestConsistencyProofsHoldAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	ref := newReference(t, proofLog)
	_, store := grown(t, proofLog)
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.OneOf(rapid.Int64Range(0, proofLog), rapid.Int64Range(0, 600)).Draw(r, "size")
		oldSize := rapid.Int64Range(0, size).Draw(r, "old")
		earlier, later := ref.head(t, oldSize), ref.head(t, size)
		proof, err := tlog.ConsistencyProof(size, oldSize, store.read)
		if err != nil {
			r.Fatal(err)
		}
		if err := tlog.CheckConsistency(proof, earlier, later); err != nil {
			r.Fatal(err)
		}
		at := rapid.IntRange(0, 255).Draw(r, "bit")
		forged := later
		forged.Root = flipped(forged.Root, at)
		if err := tlog.CheckConsistency(proof, earlier, forged); oldSize > 0 && !errors.Is(err, tlog.ErrFork) {
			r.Fatalf("changed later root: %v", err)
		}
		forged = earlier
		forged.Root = flipped(forged.Root, at)
		if err := tlog.CheckConsistency(proof, forged, later); !errors.Is(err, tlog.ErrFork) {
			r.Fatalf("changed earlier root: %v", err)
		}
		if err := tlog.CheckConsistency(append(slices.Clone(proof), tlog.Hash{}), earlier, later); !errors.Is(err, tlog.ErrProof) {
			r.Fatalf("longer proof: %v", err)
		}
		if len(proof) > 0 {
			i := rapid.IntRange(0, len(proof)-1).Draw(r, "hash")
			bad := slices.Clone(proof)
			bad[i] = flipped(bad[i], at)
			if err := tlog.CheckConsistency(bad, earlier, later); !errors.Is(err, tlog.ErrFork) || !errors.Is(err, tlog.ErrProof) {
				r.Fatalf("changed proof: %v", err)
			}
		}
		if oldSize < size {
			if err := tlog.CheckConsistency(proof, later, earlier); !errors.Is(err, tlog.ErrRollback) {
				r.Fatalf("shrunk log: %v", err)
			}
		}
	})
}

// x/mod's search for the largest power of two below a size does not end for
// sizes near 2^63, which a hostile checkpoint can name.
func TestHostileSizesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	none := tileStore{}
	for _, size := range []int64{-1, tlog.MaxSize + 1, 1<<62 + 1, 1<<63 - 1, -1 << 63} {
		if _, err := tlog.InclusionProof(size, 0, none.read); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("InclusionProof in %d: %v", size, err)
		}
		if err := tlog.CheckInclusion(nil, size, tlog.Hash{}, 0, tlog.Hash{}); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("CheckInclusion in %d: %v", size, err)
		}
		if _, err := tlog.ConsistencyProof(size, 0, none.read); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("ConsistencyProof to %d: %v", size, err)
		}
		if err := tlog.CheckConsistency(nil, tlog.Empty(), tlog.Head{Size: size}); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("CheckConsistency to %d: %v", size, err)
		}
	}
	if err := tlog.CheckInclusion(make([]tlog.Hash, 60), tlog.MaxSize, tlog.Hash{}, tlog.MaxSize-1, tlog.Hash{}); !errors.Is(err, tlog.ErrProof) {
		t.Errorf("CheckInclusion in a tree of MaxSize: %v", err)
	}
	if err := tlog.CheckConsistency(make([]tlog.Hash, 60), tlog.Head{Size: 3}, tlog.Head{Size: tlog.MaxSize}); !errors.Is(err, tlog.ErrProof) {
		t.Errorf("CheckConsistency to a tree of MaxSize: %v", err)
	}
}

func TestIndexesOutsideTheLogAreRefused(t *testing.T) {
	t.Parallel()
	_, store := grown(t, 10)
	for _, index := range []int64{-1, 10, 1 << 62} {
		if _, err := tlog.InclusionProof(10, index, store.read); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("InclusionProof of %d: %v", index, err)
		}
		if err := tlog.CheckInclusion(nil, 10, tlog.Hash{}, index, tlog.Hash{}); !errors.Is(err, tlog.ErrMalformed) {
			t.Errorf("CheckInclusion of %d: %v", index, err)
		}
	}
	if _, err := tlog.ConsistencyProof(10, 11, store.read); !errors.Is(err, tlog.ErrMalformed) {
		t.Errorf("ConsistencyProof from 11 to 10: %v", err)
	}
	if err := tlog.CheckConsistency(nil, tlog.Head{}, tlog.Head{Size: 10}); !errors.Is(err, tlog.ErrFork) {
		t.Errorf("an empty log with a wrong root: %v", err)
	}
}

func BenchmarkInclusionProof(b *testing.B) {
	head, store := grown(b, 250_000)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		index := i * 7919 % head.Size
		if _, err := tlog.InclusionProof(head.Size, index, store.read); err != nil {
			b.Fatal(err)
		}
	}
}
