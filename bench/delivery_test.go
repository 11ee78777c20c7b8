package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/testkit"
)

// BenchmarkDeliveries is how many signed webhooks a second reach receivers on loopback that verify each: what is queued for one
// provider, and for nine. It runs in this process, since a served deployment dials no loopback. CONCERT_BENCH_DELIVERIES (300)
// are sent.
func BenchmarkDeliveries(b *testing.B) {
	notices := size(b, "CONCERT_BENCH_DELIVERIES", 300)
	for _, database := range databases {
		for _, providers := range []int{1, 9} {
			b.Run(fmt.Sprintf("%s/providers=%d", database, providers), func(b *testing.B) {
				var wall, first time.Duration
				turns := 0
				for b.Loop() {
					w, f := deliver(b, database, providers, notices)
					wall, first, turns = wall+w, first+f, turns+1
				}
				report(b, map[string]float64{"deliveries/s": float64((notices-1)*turns) / wall.Seconds(), "first-ms": float64(first.Milliseconds()) / float64(turns)})
			})
		}
	}
}

// receiver takes webhooks that verify and says when each arrived.
type receiver struct {
	key     dispatch.VerifyKey
	arrived chan<- time.Time
	wrong   chan<- error
}

// ServeHTTP accepts one webhook, or says that it was wrong.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(io.LimitReader(q.Body, 64<<10))
	if err == nil {
		_, err = dispatch.Verify(q.Header, body, []dispatch.VerifyKey{r.key}, 5*time.Minute, time.Now())
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		select {
		case r.wrong <- err:
		default:
		}
		return
	}
	w.WriteHeader(http.StatusAccepted)
	r.arrived <- time.Now()
}

// deliver queues notices evenly and then lets the service work: wall is from the first arrival to the last, first from the start
// to the first arrival.
func deliver(b *testing.B, database string, providers, notices int) (wall, first time.Duration) {
	b.Helper()
	s := testkit.Service(b, database)
	ctx := b.Context()
	two, err := s.FirstAdministrators(ctx, concert.Person{Name: "EXERCISE Administrator", Login: "admin"}, concert.Person{Name: "EXERCISE Second", Login: "admin2"}, false)
	testkit.Must(b, err)
	p := two[0]
	arrived, wrong := make(chan time.Time, notices), make(chan error, 1)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	answerers := make([]concert.Actor, providers)
	for i := range answerers {
		path := fmt.Sprintf("/hook/%d", i)
		v, _, err := s.AddProvider(ctx, p.Actor(), concert.Provider{Name: fmt.Sprintf("EXERCISE provider %d", i), Kind: "hosting", Country: "XA", Channel: concert.ChannelWebhook, WebhookURL: server.URL + path, Platforms: []string{fmt.Sprintf("host-%d.example", i)}}, false)
		testkit.Must(b, err)
		pinned, err := dispatch.ParseVerifyKey(v.WebhookKey)
		testkit.Must(b, err)
		mux.Handle(path, &receiver{pinned, arrived, wrong})
		person, err := s.AddPerson(ctx, p.Actor(), concert.Person{Name: "EXERCISE answerer", Login: fmt.Sprintf("answerer-%d", i), Roles: []concert.Role{concert.RoleProviderAnswerer}}, "", v.Ref, "")
		testkit.Must(b, err)
		answerers[i] = person.Actor()
	}
	for i := range notices {
		_, err := s.Sandbox(ctx, answerers[i%providers])
		testkit.Must(b, err)
	}
	begun := time.Now()
	defer testkit.Run(b, s)()
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	var from, to time.Time
	for n := range notices {
		select {
		case at := <-arrived:
			if n == 0 || at.Before(from) {
				from = at
			}
			if at.After(to) {
				to = at
			}
		case err := <-wrong:
			b.Fatal(err)
		case <-ctx.Done():
			b.Fatalf("%d of %d webhooks arrived: %v", n, notices, ctx.Err())
		}
	}
	return to.Sub(from), from.Sub(begun)
}
