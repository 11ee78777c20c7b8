package bench

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"concert/internal/testkit"
)

// idleAfter is how long a server rests before its memory is read.
const idleAfter = 2 * time.Second

// BenchmarkStart is the time from starting the program on a data directory to its first answer, and the memory that it holds two
// seconds later. CONCERT_BENCH_STARTS (3) are made, the median counts.
func BenchmarkStart(b *testing.B) {
	starts := size(b, "CONCERT_BENCH_STARTS", 3)
	dir := filepath.Join(b.TempDir(), "data")
	run(b, "", "init", "-data", dir, "-origin", "exercise.invalid/log")
	var took spread
	idle := 0.0
	for b.Loop() {
		for i := range starts {
			s := serve(b, "-data", dir)
			res, err := http.Get(s.url + "/api/v1/scope")
			testkit.Must(b, err)
			_, err = io.Copy(io.Discard, res.Body)
			took = append(took, time.Since(s.started))
			testkit.Must(b, err)
			testkit.Must(b, res.Body.Close())
			if res.StatusCode != http.StatusOK {
				b.Fatalf("the scope list answers %s", res.Status)
			}
			if i == starts-1 {
				<-time.After(idleAfter)
				idle = residentMB(b, s.pid)
			}
			s.stop()
		}
	}
	http.DefaultClient.CloseIdleConnections()
	report(b, map[string]float64{"ms-to-answer": took.at(0.5), "ms-slowest": took.at(1), "idle-MB": idle})
}

// residentMB is a process's memory as the system counts it now; 0 where the system does not say.
func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if rest, ok := strings.CutPrefix(sc.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			testkit.Must(b, err)
			return kb / 1024
		}
	}
	return 0
}

// BenchmarkBinarySize is the program's size, plain and without symbols. CONCERT_BENCH_RELEASE=1 builds the latter with -trimpath,
// too, which compiles everything anew.
func BenchmarkBinarySize(b *testing.B) {
	flags := []string{"-ldflags=-s -w"}
	if os.Getenv("CONCERT_BENCH_RELEASE") == "1" {
		flags = append(flags, "-trimpath")
	}
	small := filepath.Join(b.TempDir(), "concert")
	for b.Loop() {
		testkit.Must(b, build(small, flags...))
	}
	report(b, map[string]float64{"plain-MB": megabytes(b, program(b)), "stripped-MB": megabytes(b, small)})
}

func megabytes(b *testing.B, path string) float64 {
	b.Helper()
	st, err := os.Stat(path)
	testkit.Must(b, err)
	return float64(st.Size()) / (1 << 20)
}
