package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"concert/internal/testkit"
	"concert/internal/vault"
)

// ran is one run of a command: how long, and how much processor time.
func ran(b *testing.B, dir string, ok []int, name string, args ...string) (took, work time.Duration) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(began)
	for _, code := range ok {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == code {
			return took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		}
	}
	b.Fatalf("%s %v: %v: %s", name, args, err, out)
	return 0, 0
}

// rate reports a command's speed over so many bytes. Processor time is of the command and its children.
func rate(b *testing.B, bytes int64, took, work time.Duration) {
	b.Helper()
	report(b, map[string]float64{"GB/s": float64(bytes) / 1e9 / took.Seconds(), "core-GB/s": float64(bytes) / 1e9 / work.Seconds(), "s": took.Seconds()})
}

// tree is a directory of CONCERT_BENCH_TREE_MB (60) megabytes: two fifths in files of an eighth of that each, the rest in files of 1 B to 1 MiB, log-uniform, all warm.
func tree(b *testing.B) (dir string, total int64) {
	b.Helper()
	most := int64(size(b, "CONCERT_BENCH_TREE_MB", 60)) << 20
	dir = filepath.Join(b.TempDir(), "tree")
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	put := func(name string, n int64) {
		testkit.Must(b, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		f, err := os.Create(filepath.Join(dir, name))
		testkit.Must(b, err)
		for left := n; left > 0; left -= min(left, int64(len(noise))) {
			_, err = f.Write(noise[:min(left, int64(len(noise)))])
			testkit.Must(b, err)
		}
		testkit.Must(b, f.Close())
		total += n
	}
	for i := range 8 {
		put(fmt.Sprintf("large/%d", i), most/20)
	}
	for i := 0; total < most; i++ {
		put(fmt.Sprintf("small/%02d/%05d", i%64, i), int64(1)<<r.IntN(21))
	}
	return dir, total
}

// BenchmarkEvidenceTree is a seal of a tree, its verification, and the peers on the same files. Peers digest; a seal copies to the disk as well.
func BenchmarkEvidenceTree(b *testing.B) {
	dir, total := tree(b)
	path, bag := program(b), filepath.Join(b.TempDir(), "bag")
	b.Run("seal: SHA-256+BLAKE3 and the copy", func(b *testing.B) {
		for b.Loop() {
			if _, err := os.Stat(bag); err == nil {
				testkit.Must(b, exec.Command("chmod", "-R", "u+w", bag).Run())
				testkit.Must(b, os.RemoveAll(bag))
			}
			took, work := ran(b, "", []int{0}, path, "evidence", "seal", dir, "-case", "EXERCISE", "-o", bag)
			rate(b, total, took, work)
		}
	})
	b.Cleanup(func() { _ = exec.Command("chmod", "-R", "u+w", bag).Run() })
	steps := []struct {
		name string
		ok   []int
		args []string
	}{
		{"verify: SHA-256", []int{3}, []string{path, "evidence", "verify", bag}},
		{"digest: SHA-256", []int{0}, []string{path, "evidence", "digest", dir}},
		{"digest: SHA-256+BLAKE3", []int{0}, []string{path, "evidence", "digest", "-blake3", dir}},
		{"peer: sha256sum, 2 processes", []int{0}, []string{"sh", "-c", "find " + dir + " -type f -print0 | xargs -0 -n 64 -P 2 sha256sum >/dev/null"}},
		{"peer: hashdeep -c sha256", []int{0}, []string{"hashdeep", "-c", "sha256", "-r", dir}},
	}
	for _, s := range steps {
		b.Run(s.name, func(b *testing.B) {
			if _, err := exec.LookPath(s.args[0]); err != nil {
				b.Skipf("%s is not installed", s.args[0])
			}
			for b.Loop() {
				took, work := ran(b, "", s.ok, s.args[0], s.args[1:]...)
				rate(b, total, took, work)
			}
		})
	}
}

// BenchmarkEvidenceImage verifies an E01 image of CONCERT_BENCH_IMAGE_MB (64) of media, made by ewfacquire, beside ewfverify, which digests MD5 and SHA-1 alone.
func BenchmarkEvidenceImage(b *testing.B) {
	acquire, err := exec.LookPath("ewfacquire")
	if err != nil {
		b.Skip("ewfacquire is not installed (Debian: ewf-tools)")
	}
	media := int64(size(b, "CONCERT_BENCH_IMAGE_MB", 64)) << 20
	dir := b.TempDir()
	raw := filepath.Join(dir, "raw")
	f, err := os.Create(raw)
	testkit.Must(b, err)
	r := rand.New(rand.NewPCG(3, 4))
	block := make([]byte, 1<<20)
	for n := int64(0); n < media; n += int64(len(block)) {
		// A third noise, a third text, a third zeros.
		switch n >> 20 % 3 {
		case 0:
			for i := range block {
				block[i] = byte(r.Uint32())
			}
		case 1:
			copy(block, strings.Repeat(fmt.Sprintf("EXERCISE line %d of a log\n", n), len(block)/20))
		default:
			clear(block)
		}
		_, err := f.Write(block)
		testkit.Must(b, err)
	}
	testkit.Must(b, f.Close())
	ran(b, dir, []int{0}, acquire, "-u", "-q", "-f", "encase6", "-c", "fast", "-d", "sha1", "-S", "100GiB", "-t", filepath.Join(dir, "image"), raw)
	testkit.Must(b, os.Remove(raw))
	image := filepath.Join(dir, "image.E01")
	path := program(b)
	b.Run("verify: MD5+SHA-1+SHA-256", func(b *testing.B) {
		for b.Loop() {
			took, work := ran(b, dir, []int{0}, path, "evidence", "verify", image)
			rate(b, media, took, work)
		}
	})
	b.Run("peer: ewfverify, MD5+SHA-1", func(b *testing.B) {
		for b.Loop() {
			took, work := ran(b, dir, []int{0}, "ewfverify", "-q", "-d", "sha1", image)
			rate(b, media, took, work)
		}
	})
}

// BenchmarkEvidenceCustody is signed custody records added by CONCERT_BENCH_CUSTODY_WRITERS (64) at once, each durable before its writer goes on.
func BenchmarkEvidenceCustody(b *testing.B) {
	dir := b.TempDir()
	src := filepath.Join(dir, "src")
	testkit.Must(b, os.WriteFile(src, []byte("EXERCISE"), 0o600))
	key, err := vault.NewKey(filepath.Join(dir, "key"))
	testkit.Must(b, err)
	bag := filepath.Join(dir, "bag")
	_, err = vault.SealEvidence(b.Context(), vault.SealJob{Sources: []string{src}, Bag: bag, Case: "EXERCISE", By: "A. Nobody", Reason: "an exercise", Program: "bench", Key: key, Now: time.Now})
	testkit.Must(b, err)
	b.Cleanup(func() { _ = exec.Command("chmod", "-R", "u+w", bag).Run() })
	writers, each := size(b, "CONCERT_BENCH_CUSTODY_WRITERS", 64), size(b, "CONCERT_BENCH_CUSTODY", 40)
	for b.Loop() {
		log, err := vault.OpenCustody(bag, key)
		testkit.Must(b, err)
		var g sync.WaitGroup
		before, began := worked(b), time.Now()
		for range writers {
			g.Go(func() {
				for range each {
					if _, _, err := log.Add(vault.Custody{At: "2026-11-24T10:00:00Z", Act: vault.ActVerified, By: "A. Nobody", Reason: "an exercise"}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		g.Wait()
		took, work := time.Since(began), worked(b)-before
		testkit.Must(b, log.Close())
		n := float64(writers * each)
		report(b, map[string]float64{"records/s": n / took.Seconds(), "core-us/record": work.Seconds() * 1e6 / n})
	}
}
