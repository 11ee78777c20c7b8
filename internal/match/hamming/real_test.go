package hamming

import (
	"bufio"
	"context"
	"encoding/hex"
	"math/bits"
	"os"
	"slices"
	"testing"
)

// realHashes are the 1,350 hashes of photographs that PDQ's reference implementation is tested with: haystack.txt of
// facebook/ThreatExchange (pdq/data/reg-test-input), or the file that CONCERT_TEST_PDQ_HASHES names.
func realHashes(t *testing.T) (hashes []Hash) {
	t.Helper()
	path := os.Getenv("CONCERT_TEST_PDQ_HASHES")
	if path == "" {
		path = "../../../../shared/data/pdq/haystack.txt"
	}
	f, err := os.Open(path)
	if err != nil {
		t.Skip("PDQ's public test set is not here: CONCERT_TEST_PDQ_HASHES names a file with a hash in hexadecimal on each line (pdq/data/reg-test-input/haystack.txt of facebook/ThreatExchange)")
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		b, err := hex.DecodeString(sc.Text())
		if err != nil || len(b) != len(Hash{}) {
			t.Fatalf("%q is no hash: %v", sc.Text(), err)
		}
		hashes = append(hashes, Hash(b))
	}
	ok(t, sc.Err())
	return hashes
}

// sameBelow parts copies of one picture, which the set has many of, from strangers: by chance no two hashes of a million come
// as near.
const sameBelow = 80

// Real hashes cost about as much as uniform ones: how many candidates a pair of strangers makes, against what chance would.
func TestRealHashesBehaveLikeUniformOnes(t *testing.T) {
	t.Parallel()
	hashes := realHashes(t)
	shuffled := make([]words, len(hashes))
	plain := make([]words, len(hashes))
	for i := range hashes {
		shuffled[i] = readShuffles().apply(&hashes[i])
		for w := range 4 {
			plain[i][w] = order.Uint64(hashes[i][8*w:])
		}
	}
	for _, rows := range []int{100_000, 1_000_000, 10_000_000} {
		widths := widthsFor(rows)
		p := planFor(widths, rows, 31)
		chance := 0.0
		for i, w := range widths {
			for f := 0; f <= int(p.flips[i]); f++ {
				chance += float64(choose(w, f)) / float64(uint64(1)<<w)
			}
		}
		factor := func(hashes []words) float64 {
			pairs, made := 0, 0
			for i := range hashes {
				for j := range i {
					if distance(&hashes[i], &hashes[j]) < sameBelow {
						continue
					}
					pairs++
					bit := uint(0)
					for t, w := range widths {
						if bits.OnesCount32(chunk(&hashes[i], bit, uint(w))^chunk(&hashes[j], bit, uint(w))) <= int(p.flips[t]) {
							made++
						}
						bit += uint(w)
					}
				}
			}
			return float64(made) / float64(pairs) / chance
		}
		got := factor(shuffled)
		t.Logf("tables for %d rows: %.2f times the candidates of uniform hashes, without the permutation %.2f", rows, got, factor(plain))
		if got > 2.5 {
			t.Errorf("tables for %d rows: real hashes make %.1f times the candidates of uniform ones", rows, got)
		}
	}

	x := open(t, "", Options{})
	model := naive{}
	for i, h := range hashes {
		e := Entry{ID: uint64(i), Hash: h}
		model[e.ID] = e
		ok(t, x.Add(0, e))
	}
	for range 2 {
		for i := 0; i < len(hashes); i += 9 {
			for _, radius := range []int{0, 31, 64} {
				got, err := x.Search(nil, hashes[i], radius)
				if want := model.search(hashes[i], Radii{Other: radius}); err != nil || !slices.Equal(got, want) {
					t.Fatalf("hash %d, radius %d: %d found of %d, %v", i, radius, len(got), len(want), err)
				}
			}
		}
		ok(t, x.Compact(context.Background()))
	}
}
