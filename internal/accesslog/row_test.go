package accesslog

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// each shows a run's blocks row by row.
func each(f func(Row) error) func(Block) error {
	return func(b Block) error {
		for i := range b.Rows {
			if err := f(b.Row(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

// P9: a row holds pseudonyms and redacted texts; under a case's key the same people have the same pseudonyms in every run, and
// Known tells the vault of each.
func TestRowsNameNobody(t *testing.T) {
	t.Parallel()
	log := `192.0.2.77 - EXERCISE-USER [10/Jun/2017:13:55:36 +0200] "PUT /files/canary@example.org/a.mp4?token=CANARYTOKEN HTTP/1.1" 201 10 "http://192.0.2.99/from?x=CANARYTOKEN" "Mozilla/5.0 (X11) Gecko/20100101 Firefox/54.0 CANARYAGENT"
host.canary.example - - [10/Jun/2017:13:55:37 +0200] "BREW /a?utm_campaign=spring HTTP/1.1" 200 11 "-" "-"
2001:db8::77 - - [10/Jun/2017:13:55:38 +0200] "GET /a HTTP/1.1" 200 12 "-" "curl/7"
`
	path := put(t, "access.log", log)
	key := [KeySize]byte{1, 2, 3}
	read := func(workers int, key *[KeySize]byte) (rows map[int64]Row, known map[Pseudonym]Identified) {
		var mu sync.Mutex
		rows, known = map[int64]Row{}, map[Pseudonym]Identified{}
		analyse(t, Options{Workers: workers, Key: key, Known: func(i Identified) error {
			mu.Lock()
			defer mu.Unlock()
			known[i.Pseudonym] = i
			return nil
		}, Block: each(func(r Row) error {
			mu.Lock()
			defer mu.Unlock()
			if _, ok := known[r.Visitor]; !ok {
				return fmt.Errorf("a row of a visitor that the vault was not told of")
			}
			rows[r.Offset] = r
			return nil
		})}, path)
		return rows, known
	}
	rows, known := read(2, &key)
	again, _ := read(1, &key)
	drawn, _ := read(1, nil)
	if len(rows) != 3 || len(known) != 4 {
		t.Fatalf("%d rows, %d identities", len(rows), len(known))
	}
	for at, r := range rows {
		if again[at].Visitor != r.Visitor || again[at] != r {
			t.Errorf("the row at %d differs in another run with the key: %+v, %+v", at, r, again[at])
		}
		if drawn[at].Visitor == r.Visitor {
			t.Errorf("a run without the key gave its pseudonym")
		}
		for _, canary := range []string{"192.0.2", "EXERCISE-USER", "canary", "CANARY", "2001:db8"} {
			if s := fmt.Sprintf("%+v", r); strings.Contains(s, canary) {
				t.Errorf("%q stands in %s", canary, s)
			}
		}
		if who := known[r.Visitor]; !bytes.Contains([]byte(log[at:at+int64(r.Length)]), []byte(who.Plain)) {
			t.Errorf("the vault was told %q for the line at %d", who.Plain, at)
		}
	}
	for p, who := range known {
		if q, ok := PseudonymOf(&key, who.Kind, who.Plain); !ok || q != p {
			t.Errorf("PseudonymOf(%s, %q) is another: %x, %v", who.Kind, who.Plain, q, ok)
		}
	}
	first, second := rows[0], rows[int64(strings.Index(log, "host.canary"))]
	if who := known[first.User]; who.Plain != "EXERCISE-USER" || first.Method != "PUT" || first.Status != 201 || first.Agent != "Firefox" || first.Path != "/files/[e-mail]/a.mp4" || first.Referrer != "http://[address]/from" {
		t.Errorf("first row: %+v, by %+v", first, who)
	}
	if second.User != (Pseudonym{}) || second.Method != "other" || second.Campaign != "spring" || known[second.Visitor].Kind != IdentityHost {
		t.Errorf("second row: %+v", second)
	}
	if _, ok := PseudonymOf(&key, IdentityAddress, "no address"); ok {
		t.Error("what is no address has a pseudonym")
	}
}
