package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"concert/api"
	"concert/internal/testkit"
)

// submittedCell is the first number of the board's funnel: items submitted.
var submittedCell = regexp.MustCompile(`<td class="n big">([^<]*)</td>`)

// seen is that a viewer's board showed so many items submitted.
type seen struct {
	viewer, count int
	at            time.Time
}

// BenchmarkBoard200Viewers is how long after a submission's answer the event that counts it has arrived at each viewer of the
// live board. One officer submits ten items a second; CONCERT_BENCH_VIEWERS (200) watch, CONCERT_BENCH_FINDS (40) are submitted.
func BenchmarkBoard200Viewers(b *testing.B) {
	viewers, finds := size(b, "CONCERT_BENCH_VIEWERS", 200), size(b, "CONCERT_BENCH_FINDS", 40)
	d := deploy(b, "sqlite")
	testkit.Must(b, d.submit(b.Context(), d.officers[0], api.Call{}, 1))
	ctx, leave := context.WithCancelCause(b.Context())
	defer leave(nil)
	came := make(chan seen, viewers)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for v := range viewers {
		go func() {
			if err := watch(ctx, &http.Client{Transport: transport}, d, v, came); ctx.Err() == nil {
				leave(fmt.Errorf("viewer %d: %w", v, err))
			}
		}()
	}
	shown := make([]int, viewers) // by viewer
	until := func(count int, each func(seen)) {
		b.Helper()
		for waiting := viewers; waiting > 0; {
			select {
			case s := <-came:
				each(s)
				if shown[s.viewer] < count && s.count >= count {
					waiting--
				}
				shown[s.viewer] = max(shown[s.viewer], s.count)
			case <-ctx.Done():
				b.Fatal(context.Cause(ctx))
			case <-time.After(30 * time.Second):
				b.Fatalf("%d of %d viewers never saw %d items", waiting, viewers, count)
			}
		}
	}
	until(1, func(seen) {})
	var late spread
	events := 0
	for b.Loop() {
		first := int(d.places.Load()) + 1
		answered := make([]time.Time, finds)
		done := make(chan error, 1)
		go func() { done <- submitSteadily(ctx, d, answered) }()
		var all []seen
		before := slices.Clone(shown)
		until(first+finds-1, func(s seen) { all = append(all, s) })
		testkit.Must(b, <-done)
		for _, s := range all {
			events++
			for n := max(before[s.viewer]+1, first); n <= s.count; n++ {
				// An event may overtake the answer: both follow the same commit.
				late = append(late, max(0, s.at.Sub(answered[n-first])))
			}
			before[s.viewer] = max(before[s.viewer], s.count)
		}
	}
	report(b, map[string]float64{"p50-ms": late.at(0.5), "p99-ms": late.at(0.99), "max-ms": late.at(1), "events": float64(events)})
}

// submitSteadily submits ten items a second and notes when each was answered.
func submitSteadily(ctx context.Context, d *deployment, answered []time.Time) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range answered {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := d.submit(ctx, d.officers[0], api.Call{}, 1); err != nil {
			return err
		}
		answered[i] = time.Now()
	}
	return nil
}

// watch reads one viewer's board until the context ends.
func watch(ctx context.Context, client *http.Client, d *deployment, viewer int, came chan<- seen) error {
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
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || kind != "text/event-stream" {
		return fmt.Errorf("the stream answered %s as %q", res.Status, kind)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	s := seen{viewer: viewer}
	for lines.Scan() {
		line := lines.Text()
		if m := submittedCell.FindStringSubmatch(line); m != nil && s.at.IsZero() {
			s.at = time.Now()
			if s.count, err = strconv.Atoi(strings.ReplaceAll(m[1], "\u202f", "")); err != nil {
				return err
			}
		}
		if line == "" && !s.at.IsZero() {
			select {
			case came <- s:
			case <-ctx.Done():
				return ctx.Err()
			}
			s.at = time.Time{}
		}
	}
	return errors.Join(errors.New("the stream ended"), lines.Err())
}
