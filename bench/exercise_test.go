package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"concert/internal/testkit"
)

// exercised is what the exercise says on its last line, as far as it is measured here.
type exercised struct {
	Referred  int64   `json:"referred"`
	Events    int64   `json:"events"`
	ElapsedS  float64 `json:"elapsed_s"`
	ItemsPerS float64 `json:"items_per_s"`
	PeakRSSMB float64 `json:"peak_rss_mb"`
	Data      string  `json:"data"`
	Ledger    struct {
		Verified bool `json:"verified"`
	} `json:"ledger"`
}

// BenchmarkExercise is the exercise of November 2019. CONCERT_BENCH_ITEMS (500) are the items to be referred; CONCERT_BENCH_SPEED
// (0, which fits the four days to the work) is how many times as fast as the wall case time runs.
func BenchmarkExercise(b *testing.B) {
	items := size(b, "CONCERT_BENCH_ITEMS", 500)
	args := []string{"exercise", "-json", "-exit", "-items", strconv.Itoa(items)}
	if speed := os.Getenv("CONCERT_BENCH_SPEED"); speed != "" {
		args = append(args, "-speed", speed)
	}
	for _, database := range databases {
		b.Run(database, func(b *testing.B) {
			var sum exercised
			turns := 0
			for b.Loop() {
				in := args
				if database == "postgres" {
					in = append(in[:len(in):len(in)], "-database", testkit.Postgres(b))
				}
				o := exercise(b, in)
				turns++
				sum.ElapsedS, sum.ItemsPerS, sum.Events = sum.ElapsedS+o.ElapsedS, sum.ItemsPerS+o.ItemsPerS, o.Events
				sum.PeakRSSMB = max(sum.PeakRSSMB, o.PeakRSSMB)
			}
			report(b, map[string]float64{"items/s": sum.ItemsPerS / float64(turns), "s": sum.ElapsedS / float64(turns), "peak-MB": sum.PeakRSSMB, "events": float64(sum.Events)})
		})
	}
}

// exercise runs one to its end and removes its data directory.
func exercise(b *testing.B, args []string) exercised {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program(b), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("concert %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var o exercised
	if err := json.Unmarshal(lines[len(lines)-1], &o); err != nil {
		b.Fatalf("the last line is no outcome: %v\n%s", err, lines[len(lines)-1])
	}
	if !o.Ledger.Verified || o.Referred == 0 || o.Events == 0 {
		b.Fatalf("nothing to measure: %d items referred, %d events, log verified %t", o.Referred, o.Events, o.Ledger.Verified)
	}
	if strings.HasPrefix(filepath.Base(o.Data), "concert-exercise-") {
		testkit.Must(b, os.RemoveAll(o.Data))
	}
	return o
}
