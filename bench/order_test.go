package bench

import (
	"crypto/ed25519"
	"crypto/sha256"
	"runtime"
	"syscall"
	"testing"
	"time"

	"concert"
	"concert/internal/testkit"
	"concert/internal/testkit/orderdesk"
	"concert/order"
	"concert/tlog"
)

// BenchmarkOrderVerify is how many removal orders a second of one core verifies, from the bytes of the file to the verdict: orders of one moment,
// under one head of the log; orders each under a head of its own; the same two without the transport's signature; and with a register that is
// not the pinned edition along. The peer, in the same run, is what no verifier can do without: two Ed25519 signatures over texts of these lengths
// and the SHA-256 of payload and of a proof of twenty hashes.
func BenchmarkOrderVerify(b *testing.B) {
	d := orderdesk.New(b, "north")
	along := d.Envelope()
	d.Edition.Serial++
	reg := d.Pinned()
	p := d.Payload(1)
	e := d.Seal(p)
	floor := orderFloor(b, d, e.Payload, d.Prove(p, e).Checkpoint)
	alone, err := order.Seal(p, d.Author, nil)
	testkit.Must(b, err)
	for _, c := range []struct {
		name     string
		envelope concert.Envelope
		register *concert.Envelope
		heads    int
	}{{"one moment", e, nil, 1}, {"heads apart", e, nil, 8}, {"one moment, no transport", alone, nil, 1}, {"heads apart, no transport", alone, nil, 8}, {"an older register along", e, &along, 1}} {
		b.Run(c.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			var files [][]byte
			for i := range c.heads {
				bodies := []string{orderdesk.IssuedBody(p.Ref, order.Digest(e))}
				for range i { // the log has grown
					bodies = append(bodies, "{}")
				}
				file, err := order.File(c.envelope, d.Proofs("order.issued", time.UnixMilli(1), bodies...)[0], c.register)
				testkit.Must(b, err)
				files = append(files, file)
			}
			n, begun := 0, busy(b)
			for b.Loop() {
				// One turn is a hundred orders, so that a single one says something, too.
				for range 100 {
					if v := order.Verify(files[n%len(files)], reg, order.Options{Addressee: "PR-video"}); v.Outcome != order.Valid {
						b.Fatal(v.Sentence)
					}
					n++
				}
			}
			rate := float64(n) / (busy(b) - begun).Seconds()
			report(b, map[string]float64{"orders/s": rate, "floor/s": floor, "of_floor": rate / floor, "bytes": float64(len(files[0]))})
		})
	}
}

// orderFloor is how often a second one core checks the signatures of author and log and the hashes of a proof, and nothing else.
func orderFloor(b *testing.B, d *orderdesk.Desk, payload []byte, head string) float64 {
	b.Helper()
	pub := d.Author.Public().(ed25519.PublicKey)
	first, second := ed25519.Sign(d.Author, payload), ed25519.Sign(d.Author, []byte(head))
	var node [2 * tlog.HashSize]byte
	n, begun := 0, busy(b)
	for end := time.Now().Add(time.Second / 2); time.Now().Before(end); n++ {
		if !ed25519.Verify(pub, payload, first) || !ed25519.Verify(pub, []byte(head), second) {
			b.Fatal("a signature does not hold")
		}
		sha256.Sum256(payload)
		for range 20 {
			sum := sha256.Sum256(node[:])
			copy(node[:], sum[:])
		}
	}
	return float64(n) / (busy(b) - begun).Seconds()
}

// busy is how long this process has kept a core busy: a second of a core, whatever else runs on the machine.
func busy(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	testkit.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
