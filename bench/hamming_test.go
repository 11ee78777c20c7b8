package bench

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"concert/internal/match/hamming"
	"concert/internal/testkit"
)

// BenchmarkHamming measures the index of 256-bit hashes on one core, all recall checked: queries are strangers and, as many,
// near-duplicates with 0 to 31 bits flipped. The peer is FAISS as Debian packs it (python3-faiss), where that is installed.
func BenchmarkHamming(b *testing.B) {
	n := size(b, "CONCERT_BENCH_HASHES", 100_000)
	queries := size(b, "CONCERT_BENCH_QUERIES", 10_000)
	for b.Loop() {
		m := map[string]float64{}
		dir := filepath.Join(b.TempDir(), "index")
		x, err := hamming.Open(dir, hamming.Options{})
		testkit.Must(b, err)
		start := time.Now()
		testkit.Must(b, x.Rebuild(b.Context(), uint64(n), func(yield func(hamming.Entry, error) bool) {
			for i := range n {
				if !yield(hamming.Entry{ID: uint64(i), Hash: numbered(i)}, nil) {
					return
				}
			}
		}))
		m["build_s"] = time.Since(start).Seconds()
		m["build_peak_B/hash"] = peak(os.Getpid()) * (1 << 20) / float64(n)
		testkit.Must(b, x.Close())

		x = hammingStart(b, dir, m)
		asked := plantQueries(n, queries)
		hammingQueries(b, x, asked, m, "")
		debug.FreeOSMemory()
		m["index_B/hash"] = float64(x.Stats().Bytes) / float64(n)
		m["process_B/hash"] = residentMB(b, os.Getpid()) * (1 << 20) / float64(n)
		hammingRadii(b, x, asked, m)
		hammingOrientations(b, x, asked, m)
		hammingAdded(b, x, n, m)

		// A merge of everything beside the queries, on the other core.
		done := make(chan error, 1)
		go func() { done <- x.Compact(b.Context()) }()
		hammingQueries(b, x, asked, m, "merging_")
		testkit.Must(b, <-done)
		testkit.Must(b, x.Close())
		hammingPeer(b, n, asked, m)
		report(b, m)
	}
}

// numbered is the hash with that number, the same each time, so that no list of them takes memory beside the index.
func numbered(i int) (h hamming.Hash) {
	s := uint64(i) * 4
	for w := range 4 {
		z := (s + uint64(w) + 1) * 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		for i := range 8 {
			h[8*w+i] = byte(z >> (8 * i))
		}
	}
	return h
}

type plantedQuery struct {
	hash hamming.Hash
	of   int // the hash it was made from, -1 for a stranger
	away int
}

func plantQueries(n, queries int) []plantedQuery {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]plantedQuery, queries)
	for i := range out {
		out[i] = plantedQuery{numbered(1<<40 + i), -1, 0}
		if i%2 == 1 {
			of, away := r.IntN(n), r.IntN(32)
			h := numbered(of)
			for _, bit := range r.Perm(256)[:away] {
				h[bit/8] ^= 1 << (bit % 8)
			}
			out[i] = plantedQuery{h, of, away}
		}
	}
	return out
}

// hammingStart opens the index with its files out of the page cache, then again with them in it, and stays with the latter.
func hammingStart(b *testing.B, dir string, m map[string]float64) *hamming.Index {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.hamming"))
	testkit.Must(b, err)
	for _, name := range files {
		f, err := os.Open(name)
		testkit.Must(b, err)
		const dontNeed = 4 // POSIX_FADV_DONTNEED
		if _, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, dontNeed, 0, 0); errno != 0 {
			b.Logf("the page cache keeps %s: %v", name, errno)
		}
		testkit.Must(b, f.Close())
	}
	var x *hamming.Index
	for _, which := range []string{"start_cold_ms", "start_ms"} {
		if x != nil {
			testkit.Must(b, x.Close())
		}
		start := time.Now()
		x, err = hamming.Open(dir, hamming.Options{})
		testkit.Must(b, err)
		if got, err := x.Search(nil, numbered(7), 31); err != nil || len(got) != 1 {
			b.Fatalf("first answer: %v, %v", got, err)
		}
		m[which] = float64(time.Since(start).Microseconds()) / 1e3
		for x.Stats().Mapped > 0 && x.Err() == nil {
			runtime.Gosched()
		}
		testkit.Must(b, x.Err())
		m["load_s"] = time.Since(start).Seconds()
	}
	return x
}

func hammingQueries(b *testing.B, x *hamming.Index, asked []plantedQuery, m map[string]float64, which string) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Best of five, since the machine is shared; while merging, all of one.
	rounds := 5
	if which != "" {
		rounds = 1
	}
	var dst []hamming.Match
	for range rounds {
		var times spread
		start, worked := time.Now(), threadSeconds(b)
		for _, q := range asked {
			at := time.Now()
			var err error
			dst, err = x.Search(dst[:0], q.hash, 31)
			times = append(times, time.Since(at))
			if err != nil {
				b.Fatal(err)
			}
			if q.of < 0 && len(dst) != 0 || q.of >= 0 && (len(dst) != 1 || dst[0].ID != uint64(q.of) || dst[0].Distance != q.away) {
				b.Fatalf("query made from %d at distance %d found %v", q.of, q.away, dst)
			}
		}
		took, worked := time.Since(start).Seconds(), threadSeconds(b)-worked
		m[which+"q/core-s"] = max(m[which+"q/core-s"], float64(len(asked))/worked)
		if rate := float64(len(asked)) / took; rate > m[which+"q/s"] {
			m[which+"q/s"], m[which+"p50_ms"], m[which+"p99_ms"] = rate, times.at(0.5), times.at(0.99)
		}
	}
}

// threadSeconds is the processor time of this thread, which waiting for a turn on a busy machine does not count in.
func threadSeconds(b *testing.B) float64 {
	b.Helper()
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	testkit.Must(b, syscall.Getrusage(thread, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// hammingRadii asks with other radii than 31.
func hammingRadii(b *testing.B, x *hamming.Index, asked []plantedQuery, m map[string]float64) {
	b.Helper()
	for _, radius := range []int{10, 21, 40, 64} {
		var times spread
		for _, q := range asked[:min(len(asked), 200)] {
			at := time.Now()
			got, err := x.Search(nil, q.hash, radius)
			times = append(times, time.Since(at))
			if err != nil || len(got) != 0 && q.of < 0 || len(got) != 1 && q.of >= 0 && q.away <= radius {
				b.Fatalf("radius %d: query made from %d at distance %d found %v, %v", radius, q.of, q.away, got, err)
			}
		}
		m[fmt.Sprintf("radius_%d_p50_ms", radius)] = times.at(0.5)
	}
}

// hammingOrientations asks for the eight orientations of an image at once.
func hammingOrientations(b *testing.B, x *hamming.Index, asked []plantedQuery, m map[string]float64) {
	b.Helper()
	var times spread
	for i := 0; i+8 <= len(asked) && i < 4000; i += 8 {
		var eight []hamming.Hash
		for _, q := range asked[i : i+8] {
			eight = append(eight, q.hash)
		}
		at := time.Now()
		_, err := x.SearchBatch(nil, eight, hamming.Radii{Other: 31})
		testkit.Must(b, err)
		times = append(times, time.Since(at))
	}
	m["eight_p50_ms"] = times.at(0.5)
}

// hammingAdded adds hashes one by one and asks for each at once.
func hammingAdded(b *testing.B, x *hamming.Index, n int, m map[string]float64) {
	b.Helper()
	var times spread
	for i := n; i < n+2000; i++ {
		h := numbered(i)
		at := time.Now()
		testkit.Must(b, x.Add(uint64(i), hamming.Entry{ID: uint64(i), Hash: h}))
		got, err := x.Search(nil, h, 31)
		times = append(times, time.Since(at))
		if err != nil || len(got) != 1 || got[0].ID != uint64(i) {
			b.Fatalf("added %d, found %v, %v", i, got, err)
		}
	}
	m["added_found_p50_ms"], m["added_found_p99_ms"] = times.at(0.5), times.at(0.99)
}

// hammingPeer gives FAISS the same hashes and as many of the queries as it answers in a while.
func hammingPeer(b *testing.B, n int, asked []plantedQuery, m map[string]float64) {
	b.Helper()
	dir := b.TempDir()
	hashes, queries := filepath.Join(dir, "hashes"), filepath.Join(dir, "queries")
	f, err := os.Create(hashes)
	testkit.Must(b, err)
	w := bufio.NewWriter(f)
	for i := range n {
		h := numbered(i)
		_, err := w.Write(h[:])
		testkit.Must(b, err)
	}
	testkit.Must(b, errors.Join(w.Flush(), f.Close()))
	few := asked[:min(len(asked), 500)]
	var text []byte
	for _, q := range few {
		text = append(text, q.hash[:]...)
	}
	testkit.Must(b, os.WriteFile(queries, text, 0o600))
	for _, kind := range []string{"multi", "flat"} {
		// Debian's own interpreter first: others in PATH do not see its packages.
		cmd := exec.CommandContext(b.Context(), "/usr/bin/python3", "hamming_faiss.py", hashes, queries, kind)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		out, err := cmd.Output()
		if err != nil {
			b.Logf("no figures of the peer (apt-get install python3-faiss): %v %s", err, complaint.String())
			return
		}
		var built, took, bytes float64
		var found int
		if _, err := fmt.Sscan(string(out), &built, &took, &found, &bytes); err != nil {
			b.Fatalf("the peer said %q: %v", out, err)
		}
		planted := len(few) / 2
		if found != planted {
			b.Logf("FAISS %s finds %d of %d", kind, found, planted)
		}
		m["faiss_"+kind+"_q/core-s"] = float64(len(few)) / took
		m["faiss_"+kind+"_build_s"] = built
		m["faiss_"+kind+"_B/hash"] = bytes / float64(n)
	}
}
