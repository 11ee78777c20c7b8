package hamming

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// planted is random hashes and queries: half of these are strangers, half differ from a hash by 0 to radius bits.
type planted struct {
	hashes  []words
	queries []words
	of      []int // the row a query was made from, -1
	away    []int
}

func plant(seed uint64, rows, queries, radius int) planted {
	r := rand.New(rand.NewPCG(seed, 1))
	random := func() words { return words{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()} }
	var p planted
	p.hashes = make([]words, rows)
	for i := range p.hashes {
		p.hashes[i] = random()
	}
	for i := range queries {
		if i%2 == 0 {
			p.queries, p.of, p.away = append(p.queries, random()), append(p.of, -1), append(p.away, -1)
			continue
		}
		of, away := r.IntN(rows), r.IntN(radius+1)
		q := p.hashes[of]
		for _, bit := range r.Perm(256)[:away] {
			q[bit/64] ^= 1 << (bit % 64)
		}
		p.queries, p.of, p.away = append(p.queries, q), append(p.of, of), append(p.away, away)
	}
	return p
}

func (p planted) content() content {
	return content{rows: func(yield func(row) bool) {
		for i := range p.hashes {
			if !yield(row{id: uint64(i), hash: &p.hashes[i]}) {
				return
			}
		}
	}}
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func buildPlanted(t testing.TB, p planted) *segment {
	t.Helper()
	s, err := build(p.content())
	s = must(t, s, err)
	t.Cleanup(s.release)
	return s
}

func TestSegmentFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{1, 2, 5, 4097, 20_000, 140_000, 401_000} {
		if rows > most {
			continue
		}
		p := plant(uint64(rows), rows, 60, 64)
		s := buildPlanted(t, p)
		sc := new(scratch)
		for l := levelGo; l <= bestLevel(); l++ {
			for i, q := range p.queries {
				for _, radius := range []int{0, 1, 10, 21, 31, 32, 40, 44, 64} {
					var want, got []int
					if l == levelGo || i < 20 {
						for row := range p.hashes {
							if distance(&p.hashes[row], &q) <= radius {
								want = append(want, row)
							}
						}
						s.search(sc, l, q, radius, nil, func(row, d int) {
							if d != distance(&p.hashes[row], &q) {
								t.Fatalf("row %d at %d", row, d)
							}
							got = append(got, row)
						})
						slices.Sort(got)
						if !slices.Equal(got, want) {
							t.Fatalf("%d rows, %s, radius %d (scan %v): got %v, want %v", rows, l, radius, s.plans[radius].scan, got, want)
						}
					}
				}
			}
		}
	}
}

func BenchmarkSegment(b *testing.B) {
	rows := 100_000
	if n, err := strconv.Atoi(os.Getenv("ROWS")); err == nil {
		rows = n
	}
	p := plant(7, rows, 20000, 31)
	at := time.Now()
	s := buildPlanted(b, p)
	b.Logf("built in %v, %.1f bytes a row", time.Since(at), float64(len(s.mem.data))/float64(rows))
	for l := levelGo; l <= bestLevel(); l++ {
		b.Run(l.String(), func(b *testing.B) {
			sc := new(scratch)
			found := 0
			var st searchStats
			for i := range b.N {
				s.search(sc, l, p.queries[i%len(p.queries)], 31, &st, func(row, d int) { found++ })
			}
			n := float64(b.N)
			b.ReportMetric(n/b.Elapsed().Seconds(), "q/s")
			b.ReportMetric(float64(st.probes)/n, "probes")
			b.ReportMetric(float64(st.spans)/n, "spans")
			b.ReportMetric(float64(st.candidates)/n, "cands")
			b.ReportMetric(float64(found)/n, "found")
		})
	}
}
