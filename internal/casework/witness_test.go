package casework_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/internal/testkit"
	"concert/internal/witness"
	"concert/tlog"
)

// outside is a witness that somebody else runs, with its directory and its address.
type outside struct {
	*witness.Witness
	dir, url string
	log      []string
	server   *httptest.Server
}

// attend makes a witness of the house's log and lets the house ask it.
func attend(t *testing.T, s *casework.Service, name string) *outside {
	t.Helper()
	o := &outside{dir: t.TempDir(), log: []string{s.LogKey}}
	_, err := witness.Init(o.dir, name)
	testkit.Must(t, err)
	o.server = httptest.NewUnstartedServer(nil)
	o.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		o.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(rw, r)
	})
	o.open(t)
	o.server.Start()
	t.Cleanup(o.server.Close)
	o.url = o.server.URL
	c, err := witness.NewClient(o.url + " " + o.Key())
	testkit.Must(t, err)
	s.Witnesses = append(s.Witnesses, c)
	return o
}

func (o *outside) open(t *testing.T) {
	t.Helper()
	var err error
	o.Witness, err = witness.Open(o.dir, o.log, time.Now)
	testkit.Must(t, err)
}

// restart ends the witness and begins another over the same directory.
func (o *outside) restart(t *testing.T) {
	t.Helper()
	testkit.Must(t, o.Close())
	o.open(t)
}

func (o *outside) history(t *testing.T) string {
	t.Helper()
	res, err := http.Get(o.url + "/history")
	testkit.Must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	return string(text)
}

// cosign publishes the log and lets all witnesses cosign it, whatever they were told to wait.
func cosign(t *testing.T, s *casework.Service) {
	t.Helper()
	testkit.Must(t, s.PublishLog(t.Context()))
	impatient(t, s)
	testkit.Must(t, s.AskWitnesses(t.Context(), 20*time.Second))
}

// impatient lets every witness be asked at once.
func impatient(t *testing.T, s *casework.Service) {
	t.Helper()
	_, err := testkit.Raw(t, s).Exec("UPDATE log_witness SET next_at = 1, failures = 0")
	testkit.Must(t, err)
}

func logSize(t *testing.T, s *casework.Service) (size int64) {
	t.Helper()
	testkit.Must(t, s.DB.View(t.Context(), func(tx *store.Tx) error {
		head, _, err := tx.LogHead(t.Context())
		size = head.Size
		return err
	}))
	return size
}

// rebuild is what an operator can do who owns the machine: one event is told otherwise, its salt is new, and tree, tiles and head are
// made anew and signed with the log's own key. With cut, the events from there on are forgotten instead.
func rebuild(t *testing.T, s *casework.Service, index int64, forget bool) {
	t.Helper()
	raw := testkit.Raw(t, s)
	postgres := s.DB.Dialect() == "postgres"
	exec := func(text string, args ...any) {
		t.Helper()
		if postgres {
			for n := 1; strings.Contains(text, "?"); n++ {
				text = strings.Replace(text, "?", fmt.Sprintf("$%d", n), 1)
			}
		}
		_, err := raw.Exec(text, args...)
		testkit.Must(t, err)
	}
	drop := "DROP TRIGGER IF EXISTS event_append_only"
	if postgres {
		drop += " ON event"
	}
	exec(drop)
	var leaves []tlog.Hash
	var head tlog.Head
	testkit.Must(t, s.DB.View(t.Context(), func(tx *store.Tx) error {
		var err error
		if head, _, err = tx.LogHead(t.Context()); err != nil {
			return err
		}
		for int64(len(leaves)) < head.Size {
			events, err := tx.EventsFrom(t.Context(), int64(len(leaves)), 100)
			if err != nil {
				return err
			}
			for _, e := range events {
				if e.Index == index && forget {
					head.Size = index
					return nil
				}
				if e.Index == index {
					e.Actor = "EXERCISE somebody else"
					e.Salt = bytes.Repeat([]byte{7}, tlog.SaltSize)
					commit := tlog.Commit(e.Salt, e.Canonical(sha256.Sum256(e.Sealed)))
					e.Commit = commit[:]
					exec("UPDATE event SET actor = ?, salt = ?, leaf = ? WHERE id = ?", string(e.Actor), e.Salt, e.Commit, string(e.ID))
				}
				if e.Index < head.Size {
					leaves = append(leaves, tlog.LeafHash(tlog.Hash(e.Commit)))
				}
			}
		}
		return nil
	}))
	exec("DELETE FROM log_tile")
	exec("DELETE FROM log_witness")
	if forget {
		exec("UPDATE log_batch SET position = -1 WHERE position >= ?", index)
	}
	head, tiles, err := tlog.Grow(tlog.Empty(), leaves, func(id tlog.TileID) ([]byte, error) { return nil, concert.ErrNotFound })
	testkit.Must(t, err)
	for _, tile := range tiles {
		exec("INSERT INTO log_tile (level, idx, data) VALUES (?, ?, ?)", tile.Level, tile.Index, tile.Data)
	}
	signed, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: s.Origin, Head: head}, s.LogSigner)
	testkit.Must(t, err)
	exec("UPDATE log_head SET size = ?, root = ?, checkpoint = ?", head.Size, head.Root[:], string(signed))
}

func witnessAlarms(t *testing.T, h *testkit.House) (lasting, over int) {
	t.Helper()
	as, _, err := h.Alarms(t.Context(), testkit.Scope(t, h.Coordinator), "", 100)
	testkit.Must(t, err)
	for _, a := range as {
		switch {
		case a.Kind != concert.AlarmWitness:
		case a.EndedAt.IsZero():
			lasting++
		default:
			over++
		}
	}
	return lasting, over
}

func TestG19WitnessesRefuseARebuiltLogAndVerifyNamesTheSizes(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		one, two := attend(t, h.Service, "witness.invalid/one"), attend(t, h.Service, "witness.invalid/two")
		keys := []string{one.Key(), two.Key()}
		var sizes []int64
		for i := range 3 {
			h.Submit(h.North.Officers[0], testkit.Page(i))
			cosign(t, h.Service)
			sizes = append(sizes, logSize(t, h.Service))
		}
		// Cosigned by both, at the very head: on the checkpoint, in the audit, in the export.
		checkpoint, err := h.LogCheckpoint(t.Context())
		testkit.Must(t, err)
		if newest, err := h.LogCosigned(t.Context()); err != nil || newest != checkpoint || strings.Count(checkpoint, "\n— witness.invalid/") != 2 {
			t.Errorf("the checkpoint is\n%s\nthe newest that is cosigned %v\n%s", checkpoint, err, newest)
		}
		v, err := h.VerifyLog(t.Context(), keys, one.history(t), two.history(t))
		testkit.Must(t, err)
		if !v.Verified || v.SelfAttested || !slices.Equal(v.Witnesses, []string{"witness.invalid/one", "witness.invalid/two"}) || len(v.Cosigned) != 2 || v.Cosigned[0].Size != sizes[2] || time.Since(v.Cosigned[0].At) > time.Minute || v.Compared < 6 {
			t.Errorf("cosigned: %+v", v)
		}
		var bundle bytes.Buffer
		testkit.Must(t, h.Export(t.Context(), &bundle))
		if v, err := formats.VerifyBundle(bytes.NewReader(bundle.Bytes()), h.LogKey, keys[:1], one.history(t)); err != nil || !v.Verified || v.SelfAttested || v.Size != sizes[2] {
			t.Errorf("export: %v, %+v", err, v)
		}
		if v, err := h.VerifyLog(t.Context(), nil); err != nil || !v.Verified || !v.SelfAttested {
			t.Errorf("without a pinned witness: %v, %+v", err, v)
		}

		// One witness is killed and started again in between: it forgets nothing.
		two.restart(t)
		changed := sizes[1] - 1
		rebuild(t, h.Service, changed, false)
		if v, err := h.VerifyLog(t.Context(), keys); err != nil || !v.Verified || !v.SelfAttested {
			t.Fatalf("the rebuilt log does not even agree with itself: %v, %+v", err, v)
		}
		cosign(t, h.Service)
		if lasting, over := witnessAlarms(t, h); lasting != 2 || over != 0 {
			t.Errorf("after the refusals %d alarms last, %d are over", lasting, over)
		}
		for _, o := range []*outside{one, two} {
			if seen := o.Seen()[0]; seen.Head.Size != sizes[2] || len(seen.Refused) != 1 || seen.Refused[0].Status != 409 {
				t.Errorf("%s: %+v", o.Name(), seen)
			}
		}
		// The refusal is on record, and the grown log is refused as well, without a second alarm.
		cosign(t, h.Service)
		cosign(t, h.Service)
		if kinds := testkit.Column(t, testkit.Raw(t, h.Service), "SELECT kind FROM event WHERE kind LIKE 'log.witness%'"); len(kinds) != 2 || kinds[0] != "log.witness_refused" {
			t.Errorf("recorded %v", kinds)
		}
		if seen := one.Seen()[0]; seen.Refused[len(seen.Refused)-1].Status != 422 || seen.Head.Size != sizes[2] {
			t.Errorf("the grown log: %+v", seen.Refused)
		}
		view, err := h.LogWitnesses(t.Context())
		if err != nil || len(view) != 2 || !view[0].Disagree || view[0].Problem == "" || view[0].Behind == 0 {
			t.Errorf("shown are %+v, %v", view, err)
		}
		// The sizes between which the histories part: of the database and of an export.
		v, err = h.VerifyLog(t.Context(), keys, one.history(t))
		testkit.Must(t, err)
		want := formats.Parting{Agree: sizes[0], Part: sizes[1]}
		if v.Verified || v.Parted == nil || *v.Parted != want || !strings.Contains(v.Problem, fmt.Sprintf("agree up to size %d and part at or before size %d", sizes[0], sizes[1])) {
			t.Errorf("the histories part at %v of %v: %+v", v.Parted, want, v)
		}
		bundle.Reset()
		testkit.Must(t, h.Export(t.Context(), &bundle))
		if v, err := formats.VerifyBundle(bytes.NewReader(bundle.Bytes()), h.LogKey, keys, two.history(t)); err != nil || v.Verified || v.Parted == nil || *v.Parted != want {
			t.Errorf("the export parts at %v: %v, %s", v.Parted, err, v.Problem)
		}
		// With one old checkpoint alone, only an upper bound is known.
		if v, err := h.VerifyLog(t.Context(), keys, checkpoint); err != nil || v.Parted == nil || *v.Parted != (formats.Parting{Part: sizes[2]}) {
			t.Errorf("with the last checkpoint alone: %v, %v", v.Parted, err)
		}
	})
}

// A log that was rebuilt and has grown before a witness saw it is refused by its proof alone, and that is an alarm, too.
func TestG19WitnessRefusesWhatGrewOnAnotherHistory(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		one := attend(t, h.Service, "witness.invalid/one")
		h.Submit(h.North.Officers[0], testkit.Page(1))
		cosign(t, h.Service)
		cosigned := logSize(t, h.Service)
		rebuild(t, h.Service, cosigned-1, false)
		h.Submit(h.North.Officers[0], testkit.Page(2))
		cosign(t, h.Service)
		if seen := one.Seen()[0]; seen.Head.Size != cosigned || len(seen.Refused) != 1 || seen.Refused[0].Status != 422 {
			t.Errorf("the witness has %+v", seen)
		}
		if lasting, over := witnessAlarms(t, h); lasting != 1 || over != 0 {
			t.Errorf("%d alarms last, %d are over", lasting, over)
		}
	})
}

func TestWitnessesSeeARollbackAndItsEnd(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		one := attend(t, h.Service, "witness.invalid/one")
		h.Submit(h.North.Officers[0], testkit.Page(1))
		cosign(t, h.Service)
		half := logSize(t, h.Service)
		h.Submit(h.North.Officers[0], testkit.Page(2))
		cosign(t, h.Service)
		whole := logSize(t, h.Service)
		history := one.history(t)

		rebuild(t, h.Service, half, true)
		if v, err := h.VerifyLog(t.Context(), []string{one.Key()}, history); err != nil || v.Verified || v.Parted == nil || *v.Parted != (formats.Parting{Agree: half, Part: whole}) || !strings.Contains(v.Problem, "taken away") {
			t.Errorf("rolled back: %v, %v %s", err, v.Parted, v.Problem)
		}
		impatient(t, h.Service)
		testkit.Must(t, h.AskWitnesses(t.Context(), 20*time.Second))
		if lasting, _ := witnessAlarms(t, h); lasting != 1 {
			t.Errorf("%d alarms after the rollback", lasting)
		}
		// The events that were forgotten come back in their order: it is the old history again.
		cosign(t, h.Service)
		if v, err := h.VerifyLog(t.Context(), []string{one.Key()}, history); err != nil || !v.Verified {
			t.Fatalf("the events are back: %v, %s", err, v.Problem)
		}
		if lasting, over := witnessAlarms(t, h); lasting != 0 || over != 1 {
			t.Errorf("%d alarms last after the witness cosigned again, %d are over", lasting, over)
		}
		if one.Seen()[0].Head.Size <= whole {
			t.Errorf("the witness has %+v", one.Seen()[0].Head)
		}
	})
}

// What a witness does or does not do never stops the desk, and what it says is bounded and checked.
func TestADownOrLyingWitnessStopsNobody(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		good := attend(t, h.Service, "witness.invalid/good")
		down := attend(t, h.Service, "witness.invalid/down")
		down.server.Close()
		// It cosigns for another log: it was told another key.
		foreign := attend(t, h.Service, "witness.invalid/foreign")
		_, other, err := tlog.GenerateKey("other.invalid/log")
		testkit.Must(t, err)
		foreign.log = []string{other}
		foreign.restart(t)
		// It answers something, or somebody else's signature.
		liar := attend(t, h.Service, "witness.invalid/liar")
		liar.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			line, err := good.Add(body)
			if err != nil {
				line = "409 of nothing"
			}
			_, _ = io.WriteString(rw, line)
		})
		h.Submit(h.North.Officers[0], testkit.Page(1))
		cosign(t, h.Service)
		h.Submit(h.North.Officers[0], testkit.Page(2))
		views, err := h.LogWitnesses(t.Context())
		testkit.Must(t, err)
		for i, want := range []bool{true, false, false, false} {
			w := views[i]
			if (w.Size > 0) != want || (w.Problem == "") != want || w.FailingAt.IsZero() != want || w.Disagree || w.Late {
				t.Errorf("%s: %+v", w.Name, w)
			}
		}
		if lasting, over := witnessAlarms(t, h); lasting+over != 0 {
			t.Errorf("%d alarms for what is no contradiction", lasting+over)
		}
		// The wait before the next try grows; a witness that failed is not asked by an export.
		began := time.Now()
		testkit.Must(t, h.Export(t.Context(), io.Discard))
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("an export waited %v for witnesses that are down", took)
		}
	})
}

// The house asks by itself, from one node only, and not more often than every two seconds.
func TestOneNodeAsksEachWitness(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		one := attend(t, h.Service, "witness.invalid/one")
		other := service(h.Service)
		other.Witnesses = h.Witnesses
		asked := make(chan string, 1000)
		handler := one.server.Config.Handler
		one.server.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			asked <- r.URL.Path
			handler.ServeHTTP(rw, r)
		})
		for _, s := range []*casework.Service{h.Service, other} {
			defer testkit.Run(t, s)()
		}
		began := time.Now()
		h.Submit(h.North.Officers[0], testkit.Page(1))
		testkit.Await(t, "the first head is cosigned", func() bool { return one.Seen()[0].Cosigned > 0 })
		h.Submit(h.North.Officers[0], testkit.Page(2))
		testkit.Await(t, "the last head is cosigned", func() bool { return one.Seen()[0].Head.Size == logSize(t, h.Service) })
		if most := 2 + int(time.Since(began)/concert.CosignEvery); len(asked) > most {
			t.Errorf("asked %d times in %v", len(asked), time.Since(began))
		}
		// The witness has written down what the house takes in a moment later.
		testkit.Await(t, "the house has the cosignature", func() bool {
			v, err := h.VerifyLog(t.Context(), []string{one.Key()})
			return err == nil && v.Verified && !v.SelfAttested
		})
	})
}

// An event proof and a proof of erasure bear the cosignatures of the head that they are under.
func TestProofOfAnEventIsCosigned(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		one := attend(t, h.Service, "witness.invalid/one")
		h.Submit(h.North.Officers[0], testkit.Page(1))
		cosign(t, h.Service)
		scope, err := concert.NewScope(h.Auditor, ground)
		testkit.Must(t, err)
		e, err := h.ReadEvent(t.Context(), scope, 0, "")
		testkit.Must(t, err)
		text, err := json.Marshal(e.Proof)
		testkit.Must(t, err)
		v, err := formats.VerifyEvent(bytes.NewReader(text), h.LogKey, []string{one.Key()})
		if err != nil || !v.Verified || v.SelfAttested || v.Size != one.Seen()[0].Head.Size {
			t.Errorf("%v, %+v", err, v)
		}
	})
}
