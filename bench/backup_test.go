package bench

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"concert/internal/casework"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
)

// BenchmarkBackup backs up a deployment of CONCERT_BENCH_ITEMS approved and mostly referred items with the real binary, and restores
// it into the same and into the other kind of database.
func BenchmarkBackup(b *testing.B) {
	items := size(b, "CONCERT_BENCH_ITEMS", 300)
	for _, from := range databases {
		b.Run(from, func(b *testing.B) {
			if b.N > 1 {
				b.Skip("one backup is one turn: -benchtime 1x")
			}
			dir, address := filled(b, from, items)
			file := filepath.Join(b.TempDir(), "backup.gz")
			took, rss := command(b, "backup", "-data", dir, "-database", address, file)
			st, err := os.Stat(file)
			testkit.Must(b, err)
			metrics := map[string]float64{"backup_s": took.Seconds(), "backup_rss_MB": rss, "file_MB": float64(st.Size()) / 1e6, "items": float64(items)}
			for _, to := range databases {
				into := testkit.Address(b, "sqlite")
				if to == "postgres" {
					into = testkit.Postgres(b)
				}
				took, rss := command(b, "restore", "-data", dir, "-database", into, file)
				metrics["restore_"+to+"_s"], metrics["restore_"+to+"_rss_MB"] = took.Seconds(), rss
			}
			report(b, metrics)
		})
	}
}

// filled is a data directory and a database with items that went through the house's own acts, a hundred in each.
func filled(b *testing.B, database string, items int) (dir, address string) {
	b.Helper()
	dir = b.TempDir()
	address = testkit.Address(b, "sqlite")
	if database == "postgres" {
		address = testkit.Address(b, "postgres")
	}
	s := testkit.ServiceAt(b, address)
	h := testkit.Furnish(b, s)
	// Case time runs fast, so that what is approved is referred meanwhile.
	h.At(time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC), 600)
	stop := testkit.Run(b, s)
	for n := 0; n < items; n += 100 {
		places := make([]string, min(100, items-n))
		for i := range places {
			places[i] = testkit.Sound(n + i)
		}
		h.Approved(places...)
	}
	stop()
	testkit.Must(b, s.PublishLog(b.Context()))
	writeKeys(b, s, dir)
	return dir, address
}

// writeKeys writes the data directory that goes with a test's service.
func writeKeys(b *testing.B, s *casework.Service, dir string) {
	b.Helper()
	files := map[string]string{"master.key": hex.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n", "transport.key": string(identity.MarshalSigningKey(s.Transport)), "origin": s.Origin + "\n", "EXERCISE": "EXERCISE\n"}
	testkit.Must(b, s.DB.Update(b.Context(), func(tx *store.Tx) error {
		key, err := tx.Meta(b.Context(), "testkit.log")
		if err != nil {
			return err
		}
		files["log.key"] = key + "\n"
		if err := tx.SetMeta(b.Context(), "exercise", "true"); err != nil {
			return err
		}
		return tx.SetMeta(b.Context(), "origin", s.Origin)
	}))
	checkpoint, err := s.LogCheckpoint(b.Context())
	testkit.Must(b, err)
	files[casework.CheckpointFile] = checkpoint
	for name, text := range files {
		testkit.Must(b, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

// command runs the program to its end and says how long it took and how much memory it held at most, in MB, as seen each 20 ms: what
// the kernel tells afterwards counts this process as well, from which it was forked.
func command(b *testing.B, args ...string) (time.Duration, float64) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program(b), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	testkit.Must(b, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	most := 0.0
	for {
		select {
		case err := <-done:
			if err != nil {
				b.Fatalf("concert %v: %v\n%s", args, err, out.String())
			}
			return time.Since(began), most
		case <-tick.C:
			most = max(most, peak(cmd.Process.Pid))
		}
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the most memory that a process has held so far, in MB; 0 once it is gone.
func peak(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := highWater.FindSubmatch(text)
	if m == nil {
		return 0
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		return 0
	}
	return kb / 1024
}
