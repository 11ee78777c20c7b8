package bench

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/api"
	"concert/internal/testkit"
)

// BenchmarkLookup is the served program with CONCERT_BENCH_HASHES (100,000) hashes in a bank on SQLite, asked as a client of
// Hasher-Matcher-Actioner asks: how long it takes from its start to the first answer, CONCERT_BENCH_QUERIES (10,000) look-ups over
// CONCERT_BENCH_CLIENTS (8) connections, half of them strangers and half near-duplicates that must be found, and how long it
// takes from sending a new hash to having it found, durable. The index is made anew by the command before.
func BenchmarkLookup(b *testing.B) {
	n := size(b, "CONCERT_BENCH_HASHES", 100_000)
	queries := size(b, "CONCERT_BENCH_QUERIES", 10_000)
	clients := size(b, "CONCERT_BENCH_CLIENTS", 8)
	d := deploy(b, "sqlite")
	ctx := b.Context()
	keys := lookupPeople(b, d)
	bank, err := d.client(keys.reviewer).OpenBank(ctx, api.Call{}, api.NewBank{Name: "EXERCISE_BENCH", BankSettings: api.BankSettings{Purpose: "EXERCISE: numbers for a benchmark", LegalBasis: "EXERCISE law"}})
	testkit.Must(b, err)
	d.stop()
	m := map[string]float64{}
	begun := time.Now()
	testkit.FillBankHashes(b, filepath.Join(d.at[1], "concert.db"), bank.ID, n, func(i int) [32]byte { return numbered(i) })
	m["fill_s"] = time.Since(begun).Seconds()
	begun = time.Now()
	run(b, fmt.Sprintf(`%d hashes`, n), append([]string{"match", "rebuild"}, d.at...)...)
	m["rebuild_s"] = time.Since(begun).Seconds()
	for b.Loop() {
		s := serve(b, d.at...)
		l := &looking{url: s.url, key: keys.officer, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}}
		for {
			_, status, err := l.look(hex.EncodeToString(hash(n/2, 0, 1)))
			testkit.Must(b, err)
			if status == http.StatusOK {
				break
			}
		}
		m["start_ms"] = float64(time.Since(s.started)) / float64(time.Millisecond)
		l.load(b, n, queries, clients, m)
		l.add(b, bank.Name, m)
		m["server_MB"] = residentMB(b, s.pid)
		s.stop()
	}
	report(b, m)
}

// lookupKeys are keys of an authority's people.
type lookupKeys struct{ reviewer, officer string }

// lookupPeople lets a reviewer of the first unit be there beside its officer.
func lookupPeople(b *testing.B, d *deployment) lookupKeys {
	b.Helper()
	ctx := b.Context()
	me, err := d.officers[0].Me(ctx)
	testkit.Must(b, err)
	c, err := api.Recruit(ctx, d.admin, d.second, api.Call{}, api.NewPerson{Name: "EXERCISE reviewer", Login: "reviewer", Authority: me.Authority, Roles: []string{"reviewer"}, Key: "bench", Languages: testkit.Languages()})
	testkit.Must(b, err)
	return lookupKeys{c.Key, d.officers[0].Key}
}

// hash is the i-th hash with flips of its bits turned over.
func hash(i, flips int, seed uint64) []byte {
	h := numbered(i)
	r := rand.New(rand.NewPCG(uint64(i), seed))
	for _, bit := range r.Perm(256)[:flips] {
		h[bit/8] ^= 1 << (bit % 8)
	}
	return h[:]
}

// looking is a client of Hasher-Matcher-Actioner.
type looking struct {
	url, key string
	http     *http.Client
}

func (l *looking) do(method, path, body string) (string, int, error) {
	req, err := http.NewRequest(method, l.url+"/hma"+path, strings.NewReader(body))
	if err != nil {
		return "", 0, err
	}
	req.Header.Set("Authorization", "Bearer "+l.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := l.http.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(bytes.TrimSpace(text)), res.StatusCode, err
}

func (l *looking) look(hash string) (string, int, error) {
	return l.do("GET", "/m/lookup?signal_type=pdq&signal="+hash, "")
}

// load looks up over some connections at once.
func (l *looking) load(b *testing.B, n, queries, clients int, m map[string]float64) {
	b.Helper()
	var mu sync.Mutex // guards took
	var took spread
	var g errgroup.Group
	begun := time.Now()
	for c := range clients {
		g.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(c), 3))
			var mine spread
			for q := range queries / clients {
				i, flips := r.IntN(n), r.IntN(32)
				if q%2 == 1 {
					i, flips = n+r.IntN(1<<40), 0 // a stranger
				}
				text := hex.EncodeToString(hash(i, flips, 9))
				asked := time.Now()
				got, status, err := l.look(text)
				mine = append(mine, time.Since(asked))
				if err != nil || status != http.StatusOK || (got == "{}") != (q%2 == 1) {
					return fmt.Errorf("look-up of number %d with %d bits turned: %d %.200s %w", i, flips, status, got, err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			return nil
		})
	}
	testkit.Must(b, g.Wait())
	m["lookups/s"] = float64(len(took)) / time.Since(begun).Seconds()
	m["p50_ms"], m["p99_ms"] = took.at(0.5), took.at(0.99)
}

// add sends new hashes one by one and has each found.
func (l *looking) add(b *testing.B, bank string, m map[string]float64) {
	b.Helper()
	added := size(b, "CONCERT_BENCH_ADDED", 200)
	var took, sent spread
	for i := range added {
		text := hex.EncodeToString(hash(1<<41+i, 0, 1))
		begun := time.Now()
		got, status, err := l.do("POST", "/c/bank/"+bank+"/signal", `{"pdq":"`+text+`"}`)
		sent = append(sent, time.Since(begun))
		testkit.Must(b, err)
		var in struct{ ID int64 }
		if status != http.StatusOK || json.Unmarshal([]byte(got), &in) != nil {
			b.Fatalf("adding: %d %s", status, got)
		}
		got, _, err = l.look(text)
		took = append(took, time.Since(begun))
		testkit.Must(b, err)
		if !strings.Contains(got, fmt.Sprint(`"bank_content_id":`, in.ID)) {
			b.Fatalf("entry %d is not found by the next question: %s", in.ID, got)
		}
	}
	m["found_p50_ms"], m["found_p99_ms"], m["added_p50_ms"] = took.at(0.5), took.at(0.99), sent.at(0.5)
}
