package witness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert/internal/durable"
	"concert/tlog"
)

// log is a transparency log that a test grows; changed names the leaf that it tells otherwise, -1 for none.
type exerciseLog struct {
	t      testing.TB
	origin string
	vkey   string
	signer note.Signer
}

func newLog(t testing.TB, origin string) exerciseLog {
	t.Helper()
	skey, vkey, err := tlog.GenerateKey(origin)
	must(t, err)
	signer, err := tlog.NewSigner(skey)
	must(t, err)
	return exerciseLog{t, origin, vkey, signer}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask is the request for size leaves from old on.
func (l exerciseLog) ask(old, size int64, changed int) tlog.AddCheckpoint {
	l.t.Helper()
	tiles := map[tlog.TileID][]byte{}
	read := func(id tlog.TileID) ([]byte, error) {
		return tiles[tlog.TileID{Level: id.Level, Index: id.Index}][:id.Width*tlog.HashSize], nil
	}
	var leaves []tlog.Hash
	for i := range int(size) {
		text := fmt.Sprintf("EXERCISE %d", i)
		if i == changed {
			text = "EXERCISE told otherwise"
		}
		leaves = append(leaves, tlog.LeafHash(tlog.Commit(nil, []byte(text))))
	}
	head, grown, err := tlog.Grow(tlog.Empty(), leaves, read)
	must(l.t, err)
	for _, g := range grown {
		tiles[tlog.TileID{Level: g.Level, Index: g.Index}] = g.Data
	}
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.origin, Head: head}, l.signer)
	must(l.t, err)
	a := tlog.AddCheckpoint{Old: old, Checkpoint: signed}
	if old <= size {
		a.Proof, err = tlog.ConsistencyProof(size, old, read)
		must(l.t, err)
	}
	return a
}

// opened is a witness in the directory, made where it is missing, with its HTTP side and a client.
func opened(t testing.TB, dir string, logs ...exerciseLog) (*Witness, *Client) {
	t.Helper()
	if _, err := Init(dir, "witness.invalid/w1"); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	var keys []string
	for _, l := range logs {
		keys = append(keys, l.vkey)
	}
	w, err := Open(dir, keys, time.Now)
	must(t, err)
	srv := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	t.Cleanup(srv.Close)
	c, err := NewClient(srv.URL + "/ " + w.Key())
	must(t, err)
	return w, c
}

func refusedWith(t testing.TB, c *Client, a tlog.AddCheckpoint, status int, size int64) {
	t.Helper()
	_, _, err := c.Add(t.Context(), a)
	r, ok := errors.AsType[*tlog.WitnessRefusal](err)
	if !ok || r.Status != status || r.Size != size {
		t.Errorf("%v, want status %d and size %d", err, status, size)
	}
}

func get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(body)
}

func TestWitnessRemembersAcrossAnEnd(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "w")
	one, two, foreign := newLog(t, "one.invalid/log"), newLog(t, "two.invalid/log"), newLog(t, "three.invalid/log")
	w, c := opened(t, dir, one, two)
	for _, a := range []tlog.AddCheckpoint{one.ask(0, 7, -1), one.ask(7, 300, -1), two.ask(0, 5, -1)} {
		line, at, err := c.Add(t.Context(), a)
		must(t, err)
		if !strings.HasPrefix(line, "— witness.invalid/w1 ") || time.Since(at) > time.Minute {
			t.Errorf("answer %q at %v", line, at)
		}
	}
	refusedWith(t, c, foreign.ask(0, 5, -1), 404, 0)
	forged := newLog(t, "one.invalid/log")
	refusedWith(t, c, forged.ask(300, 301, -1), 403, 0)
	refusedWith(t, c, one.ask(300, 400, 3), 422, 0)
	refusedWith(t, c, one.ask(300, 300, 3), 409, 300)
	refusedWith(t, c, one.ask(7, 200, -1), 409, 300)
	refusedWith(t, c, one.ask(300, 200, -1), 400, 0)

	if _, err := Open(dir, []string{one.vkey}, time.Now); err == nil {
		t.Fatal("two processes in one directory")
	} else if _, ok := errors.AsType[*durable.LockedError](err); !ok {
		t.Fatal(err)
	}
	must(t, w.Close())
	w, c = opened(t, dir, two, one) // the order of the logs says nothing
	refusedWith(t, c, one.ask(0, 400, -1), 409, 300)
	refusedWith(t, c, one.ask(300, 400, 3), 422, 0)
	if seen := w.Seen(); len(seen) != 2 || seen[0].Head.Size != 300 || seen[1].Head.Size != 5 || len(seen[0].Refused) != 2 {
		t.Errorf("after the end it knows %+v", seen)
	}
	_, _, err := c.Add(t.Context(), one.ask(300, 301, -1))
	must(t, err)

	// What it shows people and verifiers.
	if _, body := get(t, c.URL+"/"); !strings.Contains(body, w.Key()) || !strings.Contains(body, "\nsize 301\n") || !strings.Contains(body, "REFUSED") || !strings.Contains(body, two.vkey) {
		t.Errorf("it says of itself\n%s", body)
	}
	status, body := get(t, c.URL+"/history?log="+one.origin)
	var sizes []int64
	for line := range strings.Lines(body) {
		var e entry
		must(t, json.Unmarshal([]byte(line), &e))
		sizes = append(sizes, e.Size)
	}
	if status != 200 || fmt.Sprint(sizes) != "[7 300 301]" {
		t.Errorf("%d, history of sizes %v", status, sizes)
	}
	for path, want := range map[string]int{"/history": 404, "/history?log=no.invalid": 404, "/checkpoint?log=two.invalid/log": 200, "/refused?log=one.invalid/log": 200, "/refused?log=two.invalid/log": 404, "/no": 404, "/add-checkpoint": 405} {
		if got, body := get(t, c.URL+path); got != want {
			t.Errorf("%s: %d, want %d: %s", path, got, want, body)
		}
	}
	must(t, w.Close())
}

// What was kept before the process ended and never answered is remembered all the same: it may have been seen.
func TestWitnessMendsWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "w")
	l := newLog(t, "one.invalid/log")
	w, c := opened(t, dir, l)
	for _, a := range []tlog.AddCheckpoint{l.ask(0, 7, -1), l.ask(7, 9, -1)} {
		_, _, err := c.Add(t.Context(), a)
		must(t, err)
	}
	must(t, w.Close())
	files, err := filepath.Glob(filepath.Join(dir, "*.history"))
	must(t, err)
	text, err := os.ReadFile(files[0])
	must(t, err)
	first := strings.Index(string(text), "\n") + 1
	must(t, os.WriteFile(files[0], text[:first+20], 0o600))
	w, _ = opened(t, dir, l)
	if got := w.logs[l.origin].history.entries; len(got) != 2 || got[0].Size != 7 || got[1].Size != 9 {
		t.Errorf("the history is %+v", got)
	}
	must(t, w.Close())
	mended, err := os.ReadFile(files[0])
	must(t, err)
	if string(mended) != string(text) {
		t.Errorf("mended to\n%s, want\n%s", mended, text)
	}
	// Damage that no killed process leaves is refused, with its place.
	for name, change := range map[string]func(string) string{
		"history":    func(s string) string { return "x" + s },
		"checkpoint": func(s string) string { return strings.Replace(s, "\n9\n", "\n8\n", 1) },
		"refused":    func(string) string { return "x" },
	} {
		path := strings.TrimSuffix(files[0], "history") + name
		was, err := os.ReadFile(path)
		if err != nil && name != "refused" {
			t.Fatal(err)
		}
		must(t, os.WriteFile(path, []byte(change(string(was))), 0o600))
		if _, err := Open(dir, []string{l.vkey}, time.Now); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("a changed %s: %v", name, err)
		}
		if was == nil {
			must(t, os.Remove(path))
		} else {
			must(t, os.WriteFile(path, was, 0o600))
		}
	}
	// Another key than the one it was kept under.
	if _, err := Open(dir, []string{newLog(t, l.origin).vkey}, time.Now); err == nil || !strings.Contains(err.Error(), ".checkpoint") {
		t.Errorf("another key of the log: %v", err)
	}
}

// The same checkpoint again costs no write, and a refusal that was only a bad proof goes away.
func TestWitnessAnswersAgainAndForgivesABadProof(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "w")
	l := newLog(t, "one.invalid/log")
	w, c := opened(t, dir, l)
	defer w.Close()
	first, _, err := c.Add(t.Context(), l.ask(0, 7, -1))
	must(t, err)
	again, _, err := c.Add(t.Context(), l.ask(7, 7, -1))
	must(t, err)
	if again != first || w.Seen()[0].Cosigned != 1 {
		t.Errorf("the same again: %q, then %q, %d cosigned", first, again, w.Seen()[0].Cosigned)
	}
	bad := l.ask(7, 20, -1)
	bad.Proof = nil
	refusedWith(t, c, bad, 422, 0)
	refusedWith(t, c, bad, 422, 0)
	if r := w.Seen()[0].Refused; len(r) != 1 || r[0].Status != 422 || !strings.HasPrefix(r[0].Checkpoint, l.origin+"\n20\n") || !strings.HasPrefix(r[0].Cosigned, l.origin+"\n7\n") {
		t.Errorf("refused %+v", r)
	}
	_, _, err = c.Add(t.Context(), l.ask(7, 20, -1))
	must(t, err)
	if r := w.Seen()[0].Refused; len(r) != 0 {
		t.Errorf("still refused: %+v", r)
	}
}

func TestHistoryKeepsTheNewestAndOneAnHour(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	h, err := openHistory(filepath.Join(t.TempDir(), "h"))
	must(t, err)
	const n = 3 * recentMost
	for i := range n {
		must(t, h.add(entry{Size: int64(i + 1), At: start.Add(time.Duration(i) * 10 * time.Minute)}))
	}
	all := make([]entry, 2*recentMost)
	for i := range all {
		all[i] = entry{Size: int64(i + 1), At: start.Add(time.Duration(i) * 10 * time.Minute)}
	}
	if got := thinned(all); len(got) >= len(all) || len(got) < recentMost || got[len(got)-recentMost] != all[recentMost] || got[len(got)-1] != all[len(all)-1] || got[0].Size != 6 {
		t.Errorf("%d of %d are left, the first of size %d", len(got), len(all), got[0].Size)
	}
	must(t, h.close())
	again, err := openHistory(h.path)
	must(t, err)
	defer again.close()
	if len(again.entries) != len(h.entries) || len(h.entries) >= n-recentMost {
		t.Fatalf("%d entries in memory, %d on the disk, of %d", len(h.entries), len(again.entries), n)
	}
	for i, e := range again.entries {
		if i > 0 && e.Size <= again.entries[i-1].Size {
			t.Fatalf("entry %d has size %d after %d", i, e.Size, again.entries[i-1].Size)
		}
		if gap := e.Size - max(0, int64(i)); i < 5 && (e.Size%6 != 0 || gap < 0) {
			t.Errorf("of the oldest, size %d was kept and is not the last of its hour", e.Size)
		}
	}
	if last := again.last(); last.Size != n || again.entries[len(again.entries)-recentMost].Size != n-recentMost+1 {
		t.Errorf("the newest are not whole: last %d", last.Size)
	}
}

func TestWitnessIsNamedByAddressAndKey(t *testing.T) {
	t.Parallel()
	key, err := Init(t.TempDir(), "witness.invalid/w1")
	must(t, err)
	l := newLog(t, "one.invalid/log")
	for text, want := range map[string]bool{
		"https://witness.invalid " + key: true, "http://127.0.0.1:1/prefix/ " + key: true,
		"": false, key: false, "https://witness.invalid": false, "https://witness.invalid " + l.vkey: false, "ftp://witness.invalid " + key: false, "witness.invalid " + key: false, "https://witness.invalid?x " + key: false,
	} {
		c, err := NewClient(text)
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && (c.Key() != key || c.Name() != "witness.invalid/w1" || strings.HasSuffix(c.URL, "/")) {
			t.Errorf("%q gave %+v", text, c)
		}
	}
	for _, keys := range [][]string{nil, {"x"}, {key}} {
		dir := t.TempDir()
		_, err := Init(dir, "witness.invalid/w1")
		must(t, err)
		if w, err := Open(dir, keys, time.Now); err == nil {
			t.Errorf("opened with keys %q: %v", keys, w.Close())
		}
	}
}
