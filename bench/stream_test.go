package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"concert/api"
	"concert/internal/testkit"
)

// BenchmarkStream is what CONCERT_BENCH_STREAMS (1,000) viewers of one wall cost one node, over real connections on loopback: the
// memory of the process, viewers and server together, for each viewer, and how late an update is at them: from the answer to a
// submission to the frame that counts it. CONCERT_BENCH_UPDATES (10) submissions are made, one in two seconds, so that each is a frame
// of its own: frames are at most one a second.
func BenchmarkStream(b *testing.B) {
	viewers, updates := size(b, "CONCERT_BENCH_STREAMS", 1000), size(b, "CONCERT_BENCH_UPDATES", 10)
	d := deploy(b, "sqlite")
	testkit.Must(b, d.submit(b.Context(), d.officers[0], api.Call{}, 1))
	ctx, leave := context.WithCancelCause(b.Context())
	defer leave(nil)
	before := resident(b)
	came := make(chan seen, viewers)
	var bytes atomic.Int64
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	for v := range viewers {
		go func() {
			if err := follow(ctx, &http.Client{Transport: transport}, d, v, came, &bytes); ctx.Err() == nil {
				leave(fmt.Errorf("viewer %d: %w", v, err))
			}
		}()
	}
	await := func(count int, each func(seen)) {
		b.Helper()
		for waiting := viewers; waiting > 0; {
			select {
			case s := <-came:
				if s.count == count {
					each(s)
					waiting--
				}
			case <-ctx.Done():
				b.Fatal(context.Cause(ctx))
			case <-time.After(60 * time.Second):
				b.Fatalf("%d of %d viewers never saw %d items", waiting, viewers, count)
			}
		}
	}
	await(1, func(seen) {})
	perViewer := float64(resident(b)-before) / float64(viewers) / 1024
	first := bytes.Load()
	var late spread
	n := 1
	for b.Loop() {
		for range updates {
			testkit.Must(b, d.submit(ctx, d.officers[0], api.Call{}, 1))
			answered := time.Now()
			n++
			await(n, func(s seen) { late = append(late, max(0, s.at.Sub(answered))) })
		}
	}
	report(b, map[string]float64{"p50-ms": late.at(0.5), "p99-ms": late.at(0.99), "max-ms": late.at(1), "KiB/viewer": perViewer, "first-KiB/viewer": float64(first) / float64(viewers) / 1024,
		"delta-KiB/viewer": float64(bytes.Load()-first) / float64(viewers) / float64(n-1) / 1024})
}

// follow reads one viewer's wall until the context ends, and tells what it counts.
func follow(ctx context.Context, client *http.Client, d *deployment, viewer int, came chan<- seen, read *atomic.Int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/actions/"+d.action+"/stream", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+d.coordinator.Key)
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answered %s", res.Status)
	}
	lines := bufio.NewReaderSize(res.Body, 4096)
	found := -1
	var text strings.Builder
	for {
		part, prefix, err := lines.ReadLine()
		if err != nil {
			return err
		}
		read.Add(int64(len(part)) + 1)
		text.Write(part)
		if prefix {
			continue
		}
		line := text.String()
		text.Reset()
		if m := submittedCell.FindStringSubmatch(line); m != nil && found < 0 {
			if found, err = strconv.Atoi(strings.ReplaceAll(m[1], "\u202f", "")); err != nil {
				return err
			}
		}
		if line == "" && found >= 0 {
			select {
			case came <- seen{viewer, found, time.Now()}:
			case <-ctx.Done():
				return ctx.Err()
			}
			found = -1
		}
	}
}

// resident is the memory of this process, in bytes.
func resident(b *testing.B) int64 {
	b.Helper()
	runtime.GC()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skipf("the memory of a process is not told here: %v", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	testkit.Must(b, err)
	return pages * int64(os.Getpagesize())
}
