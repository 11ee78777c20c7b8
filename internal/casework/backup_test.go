package casework_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
	"concert/tlog"
)

// keepAt gives the service a kept checkpoint beside its key, in a directory of its own.
func keepAt(t testing.TB, s *casework.Service, dir string) {
	t.Helper()
	var err error
	s.Kept, err = casework.OpenKeptCheckpoint(filepath.Join(dir, casework.CheckpointFile), s.Origin, s.LogKey)
	testkit.Must(t, err)
}

// copies are a backup's two files in memory.
type copies struct{ data, keys []byte }

func backup(t testing.TB, s *casework.Service) copies {
	t.Helper()
	var data, keys bytes.Buffer
	_, _, err := s.Backup(context.Background(), &data, &keys)
	testkit.Must(t, err)
	return copies{data.Bytes(), keys.Bytes()}
}

// restoration is the way of the copies into an empty database, with the keys of the service that made them.
func (c copies) restoration(t testing.TB, s *casework.Service, address string) casework.Restoration {
	t.Helper()
	return casework.Restoration{Address: address, Ring: testkit.Ring(t), Transport: s.TransportKey(), Origin: s.Origin, LogKey: s.LogKey, Exercise: s.Exercise, Kept: s.Kept, Data: bytes.NewReader(c.data), Keys: bytes.NewReader(c.keys)}
}

func empty(t testing.TB, database string) string {
	if database == "postgres" {
		return testkit.Postgres(t)
	}
	return testkit.Address(t, "sqlite")
}

var operator = concert.Actor{Person: "operator", Operator: "operator", Roles: []concert.Role{concert.RoleAdministrator}}

// restored puts the copies into an empty database of the kind, with dispatch held, behind a service with the same keys and ways
// out as the house that made them.
func (c copies) restored(t testing.TB, h *testkit.House, database string) *casework.Service {
	t.Helper()
	r := c.restoration(t, h.Service, empty(t, database))
	made, err := r.Check()
	testkit.Must(t, err)
	db, err := r.Load(t.Context())
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, db.Close()) })
	s := &casework.Service{DB: db, Rules: h.Rules, Hasher: h.Hasher, Transport: h.Transport, LogSigner: h.LogSigner, LogKey: h.LogKey, Origin: h.Origin, BaseURL: h.BaseURL, Vantage: h.Vantage, Time: h.Time, Exercise: true, Log: h.Log, Channel: h.Channel, Lookup: h.Lookup, Kept: h.Kept}
	if err := casework.Finished(t.Context(), db); code(err) != "restore.unfinished" {
		t.Errorf("a database whose dispatch is not held yet may be opened: %v", err)
	}
	_, err = s.HoldRestored(t.Context(), operator, made.MadeAt)
	testkit.Must(t, err)
	testkit.Must(t, casework.Finished(t.Context(), db))
	return s
}

// ways are the ways between the two databases.
var ways = [][2]string{{"sqlite", "sqlite"}, {"sqlite", "postgres"}, {"postgres", "sqlite"}}

// A restored queue waits until a person lets it go, and then sends each notice once, under the id that it always had.
func TestRestoredDispatchWaitsForAPerson(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			t.Parallel()
			h := testkit.Furnish(t, testkit.Service(t, way[0]))
			keepAt(t, h.Service, t.TempDir())
			h.At(day, brisk)
			h.Hook.Say(testkit.Reply{Status: 503, RetryAfter: "3600"})
			first := h.Approved(testkit.Page(1))
			stop := testkit.Run(t, h.Service)
			testkit.Await(t, "a first attempt that the receiver turns away", func() bool { return len(h.Hook.Got()) == 1 })
			stop()
			testkit.Must(t, h.PublishLog(t.Context()))
			second := h.Approved(testkit.Page(2))
			c := backup(t, h.Service)
			tried := h.Hook.Got()[0]

			s := c.restored(t, h, way[1])
			s.Time = concert.CaseTime{Since: time.Now(), Start: day.Add(100 * time.Hour), Rate: brisk}
			h.Service = s
			if s.DB.Dialect() != way[1] {
				t.Fatal("it lies in the wrong database")
			}
			stop = testkit.Run(t, s)
			waitTicks(t, s)
			if n := len(h.Hook.Got()); n != 1 {
				t.Fatalf("%d webhooks came in while dispatch was held", n-1)
			}
			// Work inside goes on.
			more, err := s.SubmitItems(t.Context(), h.North.Officers[0], []casework.Submission{{Location: testkit.Page(3), Type: concert.TypeVideo, Action: h.Action.Ref, Evaluation: "A1", Source: "form"}})
			if err != nil || more[0].Err != nil {
				t.Fatal(err, more)
			}
			if _, err := s.ReleaseDispatch(t.Context(), h.North.Officers[0], "EXERCISE not an administrator"); code(err) != "role.missing" {
				t.Errorf("an officer released dispatch: %v", err)
			}
			if _, err := s.ReleaseDispatch(t.Context(), h.Admin, "short"); code(err) != "dispatch.reason" {
				t.Errorf("without a reason: %v", err)
			}
			if _, err := s.HoldDispatch(t.Context(), h.Admin, "EXERCISE held twice over"); code(err) != "dispatch.held" {
				t.Errorf("a second hold: %v", err)
			}
			_, err = s.ReleaseDispatch(t.Context(), h.Admin, "EXERCISE looked through the queue")
			testkit.Must(t, err)
			testkit.Await(t, "both notices", func() bool { return len(h.Hook.Taken(concert.NoticeReferral)) >= 2 })
			waitTicks(t, s)
			stop()
			ids := map[string]int{}
			for _, a := range h.Hook.Taken(concert.NoticeReferral) {
				ids[a.ID]++
			}
			if len(ids) != 2 || ids[tried.ID] != 1 {
				t.Errorf("notices by id %v; the one that was tried before the backup was %s", ids, tried.ID)
			}
			for _, it := range append(first, second...) {
				if h.Item(it.Ref).ReferredAs == "" {
					t.Errorf("%s was not referred", it.Ref)
				}
			}
			v, err := s.VerifyLog(t.Context(), nil)
			if err != nil || !v.Verified {
				t.Errorf("the restored log: %v, %+v", err, v)
			}
			recount(t, s, h.Action.ID, v)
		})
	}
}

// waitTicks waits until the house has had time for several rounds of its own: a clock that is not held comes and goes.
func waitTicks(t testing.TB, s *casework.Service) {
	t.Helper()
	for range 3 {
		testkit.Must(t, s.DB.Update(t.Context(), func(tx *store.Tx) error {
			tx.SetClock(concert.ClockHold, "none", s.Now())
			return nil
		}))
		testkit.Await(t, "a clock that is not held to come and go", func() bool { return !waits(t, s, concert.ClockHold, "none") })
	}
}

// waits reports whether the clock stands in a backup made now: as a row or as a job.
func waits(t testing.TB, s *casework.Service, kind concert.ClockKind, subject string) bool {
	t.Helper()
	found := false
	b, err := formats.NewBackupReader(bytes.NewReader(backup(t, s).data), formats.BackupFormat)
	testkit.Must(t, err)
	key := s.DB.Keys.Derive("backup authentication")
	table := ""
	_, err = b.Each(key[:], func(t formats.BackupTable) error { table = t.Name; return nil }, func(cells []any) error {
		found = found || table == "clock" && cells[0] == string(kind) && cells[1] == subject
		return nil
	})
	testkit.Must(t, err)
	return found
}

// recount compares the board's running numbers with those counted anew from an export.
func recount(t testing.TB, s *casework.Service, action concert.ActionID, v formats.Verification) {
	t.Helper()
	var out bytes.Buffer
	testkit.Must(t, s.Export(t.Context(), &out))
	got, err := formats.VerifyBundle(&out, s.LogKey, nil)
	if err != nil || !got.Verified {
		t.Fatalf("export: %v, %+v", err, got)
	}
	var tallies concert.Deltas
	testkit.Must(t, s.DB.View(t.Context(), func(tx *store.Tx) error { var err error; tallies, err = tx.Tallies(t.Context(), action); return err }))
	totals := tallies.Totals(action)
	if diff := cmp.Diff(got.Counts.Totals(action), totals); diff != "" {
		t.Errorf("numbers (-from the export +on the board):\n%s", diff)
	}
	if err := totals.Check(); err != nil {
		t.Error(err)
	}
}

// A backup made while others write is one moment: its log verifies and its numbers are those of its events.
func TestBackupUnderLoadIsOneMoment(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		keepAt(t, h.Service, t.TempDir())
		h.At(day, brisk)
		stop := testkit.Run(t, h.Service)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for w := range 3 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					n := w*100_000 + i*3
					h.Approved(testkit.Page(n), testkit.Page(n+1), testkit.Sound(n))
				}
			})
		}
		testkit.Await(t, "the first webhook", func() bool { return len(h.Hook.Got()) > 0 })
		var last copies
		for range 3 {
			last = backup(t, h.Service)
		}
		cancel()
		wg.Wait()
		stop()
		other := map[string]string{"sqlite": "postgres", "postgres": "sqlite"}[h.DB.Dialect()]
		keepAt(t, h.Service, t.TempDir())
		r := last.restoration(t, h.Service, empty(t, other))
		if _, err := r.Check(); code(err) != "restore.no_checkpoint" {
			t.Errorf("without a kept checkpoint: %v", err)
		}
		r.Lost = true
		_, err := r.Check()
		testkit.Must(t, err)
		db, err := r.Load(t.Context())
		testkit.Must(t, err)
		defer db.Close()
		s := &casework.Service{DB: db, Transport: h.Transport, LogSigner: h.LogSigner, LogKey: h.LogKey, Origin: h.Origin, Exercise: true, Log: h.Log, Kept: h.Kept, Time: h.Time}
		_, err = s.HoldRestored(t.Context(), operator, 1)
		testkit.Must(t, err)
		testkit.Must(t, s.PublishLog(t.Context()))
		v, err := s.VerifyLog(t.Context(), nil)
		if err != nil || !v.Verified {
			t.Fatalf("the restored log: %v, %+v", err, v)
		}
		recount(t, s, h.Action.ID, v)
	})
}

// A log that was restored from before its last published head is never signed on, by any node, under its name.
func TestRestoredOlderLogRefusesToSign(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		dir := t.TempDir()
		keepAt(t, h.Service, dir)
		testkit.Must(t, h.PublishLog(t.Context()))
		old := backup(t, h.Service)
		h.Submit(h.North.Officers[0], testkit.Page(1))
		testkit.Must(t, h.PublishLog(t.Context()))
		published, err := h.LogCheckpoint(t.Context())
		testkit.Must(t, err)
		head, text := h.Kept.Head()
		onDisk, err := os.ReadFile(filepath.Join(dir, casework.CheckpointFile))
		if err != nil || string(onDisk) != published || text != published {
			t.Fatalf("what was served is not what is kept: %v\n%s\n%s", err, onDisk, published)
		}

		s := old.restored(t, h, h.DB.Dialect())
		refused := func(s *casework.Service) {
			t.Helper()
			if err := s.PublishLog(t.Context()); !strings.Contains(fmt.Sprint(err), "concert log succeed") {
				t.Errorf("the older log was signed on, or without a way out: %v", err)
			}
			if got, err := s.LogCheckpoint(t.Context()); code(err) != "log.behind" {
				t.Errorf("the older log was served: %q, %v", got, err)
			}
			if v, err := s.VerifyLog(t.Context(), nil); err != nil || v.Verified || !strings.Contains(v.Problem, "was published") {
				t.Errorf("verify says %v, %+v", err, v)
			}
			if err := s.Export(t.Context(), io.Discard); err == nil {
				t.Error("the older log was exported")
			}
		}
		refused(s)
		// Another node, that keeps an older checkpoint or none, is told by the database.
		fresh := service(s)
		keepAt(t, fresh, t.TempDir())
		refused(fresh)

		succeedsAndVerifies(t, h, s, head)
	})
}

// service is a copy of a service's fields, a second node of the deployment.
func service(s *casework.Service) *casework.Service {
	return &casework.Service{DB: s.DB, Rules: s.Rules, Hasher: s.Hasher, Transport: s.Transport, LogSigner: s.LogSigner, LogKey: s.LogKey, Origin: s.Origin, BaseURL: s.BaseURL, Vantage: s.Vantage, Time: s.Time, Exercise: s.Exercise, Log: s.Log, Channel: s.Channel, Lookup: s.Lookup, Kept: s.Kept}
}

func succeedsAndVerifies(t *testing.T, h *testkit.House, s *casework.Service, published tlog.Head) {
	t.Helper()
	const name = "exercise.example/log2"
	skey, vkey, err := tlog.GenerateKey(name)
	testkit.Must(t, err)
	signer, err := tlog.NewSigner(skey)
	testkit.Must(t, err)
	l := concert.LogSuccession{ID: concert.LogSuccessionID(identity.NewID()), Successor: name, SuccessorKey: vkey, Reason: "EXERCISE the newest backup is older than the log"}
	if err := s.SucceedLog(t.Context(), h.North.Officers[0], l, signer); code(err) != "role.missing" {
		t.Errorf("an officer: %v", err)
	}
	testkit.Must(t, s.SucceedLog(t.Context(), operator, l, signer))
	// A node that was forgotten signs nothing more, even where it keeps nothing.
	forgotten := service(s)
	keepAt(t, forgotten, t.TempDir())
	if err := forgotten.PublishLog(t.Context()); code(err) != "log.succeeded" {
		t.Errorf("under the old name: %v", err)
	}
	next := service(s)
	next.Origin, next.LogKey, next.LogSigner = name, vkey, signer
	keepAt(t, next, t.TempDir())
	testkit.Must(t, next.PublishLog(t.Context()))
	v, err := next.VerifyLog(t.Context(), nil)
	if err != nil || !v.Verified || v.Origin != name {
		t.Fatalf("the new log: %v, %+v", err, v)
	}
	recount(t, next, h.Action.ID, v)
	before, err := next.LogSuccessions(t.Context())
	if err != nil || len(before) != 1 || before[0].Size != published.Size || before[0].Root != published.Root || before[0].Origin != h.Origin {
		t.Errorf("successions %+v, %v; published was %d %s", before, err, published.Size, hex.EncodeToString(published.Root[:]))
	}
}

// Two nodes that take turns at the log, each with a file of its own, raise no false alarm and lose no event.
func TestNodesTakeTurnsAtTheLogWithoutAlarm(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		nodes := []*casework.Service{h.Service, service(h.Service), service(h.Service)}
		for _, n := range nodes {
			keepAt(t, n, t.TempDir())
		}
		var wg sync.WaitGroup
		for i, n := range nodes {
			wg.Go(func() {
				for range 12 {
					if err := n.PublishLog(t.Context()); err != nil {
						t.Errorf("node %d: %v", i, err)
					}
					if _, err := n.LogCheckpoint(t.Context()); err != nil && code(err) != "log.empty" {
						t.Errorf("node %d serves: %v", i, err)
					}
				}
			})
		}
		for i := range 10 {
			h.Submit(h.North.Officers[0], testkit.Page(i))
		}
		wg.Wait()
		for i, n := range nodes {
			testkit.Must(t, n.PublishLog(t.Context()))
			if v, err := n.VerifyLog(t.Context(), nil); err != nil || !v.Verified {
				t.Errorf("node %d: %v, %+v", i, err, v)
			}
		}
	})
}

// What does not fit the data directory, or is not whole, is refused before anything is written.
func TestRestoreRefusesWhatDoesNotFit(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		keepAt(t, h.Service, t.TempDir())
		testkit.Must(t, h.PublishLog(t.Context()))
		c := backup(t, h.Service)
		h.Submit(h.North.Officers[0], testkit.Page(1))
		later := backup(t, h.Service)
		address := empty(t, h.DB.Dialect())
		otherRing, err := identity.NewKeyRing(bytes.Repeat([]byte{8}, 32))
		testkit.Must(t, err)
		_, otherLog, err := tlog.GenerateKey(h.Origin)
		testkit.Must(t, err)
		changed := bytes.Clone(c.data)
		changed[len(changed)/2] ^= 1
		for name, try := range map[string]struct {
			change func(*casework.Restoration)
			words  string
		}{
			"another deployment":  {func(r *casework.Restoration) { r.Origin = "other.example/log" }, `of "exercise.example/log", this data directory of "other.example/log"`},
			"another master key":  {func(r *casework.Restoration) { r.Ring = otherRing }, "another master.key"},
			"another log key":     {func(r *casework.Restoration) { r.LogKey = otherLog }, "another log.key"},
			"another transport":   {func(r *casework.Restoration) { r.Transport = make([]byte, 32) }, "another transport.key"},
			"a live directory":    {func(r *casework.Restoration) { r.Exercise = false }, "can only be restored as one"},
			"cut off":             {func(r *casework.Restoration) { r.Data = bytes.NewReader(c.data[:len(c.data)*2/3]) }, "cut off"},
			"changed":             {func(r *casework.Restoration) { r.Data = bytes.NewReader(changed) }, "the data: "},
			"followed by more":    {func(r *casework.Restoration) { r.Data = bytes.NewReader(append(bytes.Clone(c.data), 'x')) }, "follows the backup's end"},
			"no backup":           {func(r *casework.Restoration) { r.Data = strings.NewReader("hello") }, "is no backup"},
			"files exchanged":     {func(r *casework.Restoration) { r.Data, r.Keys = r.Keys, r.Data }, "look whether they are exchanged"},
			"keys cut off":        {func(r *casework.Restoration) { r.Keys = bytes.NewReader(c.keys[:len(c.keys)-9]) }, "the keys: "},
			"keys older than it":  {func(r *casework.Restoration) { r.Data = bytes.NewReader(later.data) }, "give the newest key file"},
			"a newer schema":      {func(r *casework.Restoration) { r.Data = newer(t, r.Data) }, "schema version 999, this program knows"},
			"the checkpoint lost": {func(r *casework.Restoration) { r.Kept = lost(t, h.Service) }, "-lost-checkpoint"},
		} {
			r := c.restoration(t, h.Service, address)
			try.change(&r)
			if _, err := r.Check(); err == nil || !strings.Contains(err.Error(), try.words) {
				t.Errorf("%s: %v, want it to say %q", name, err, try.words)
			}
		}
		if free, err := store.Empty(t.Context(), address); err != nil || !free {
			t.Errorf("the database holds something after refusals: %v", err)
		}
		r := c.restoration(t, h.Service, testkit.AddressOf(t, h.Service))
		if _, err := r.Load(t.Context()); code(err) != "restore.not_empty" {
			t.Errorf("into a database that holds something: %v", err)
		}
		// Newer keys go with older data.
		r = c.restoration(t, h.Service, address)
		r.Keys = bytes.NewReader(later.keys)
		if _, err := r.Check(); err != nil {
			t.Error(err)
		}
	})
}

// newer is the header of a backup as a later program would write it.
func newer(t testing.TB, data io.Reader) io.ReadSeeker {
	t.Helper()
	b, err := formats.NewBackupReader(data, formats.BackupFormat)
	testkit.Must(t, err)
	h := b.Header
	h.Schema = 999
	var out bytes.Buffer
	w, err := formats.NewBackupWriter(&out, h)
	testkit.Must(t, err)
	_, err = w.Close(nil)
	testkit.Must(t, err)
	return bytes.NewReader(out.Bytes())
}

func lost(t testing.TB, s *casework.Service) *casework.KeptCheckpoint {
	n := service(s)
	keepAt(t, n, t.TempDir())
	return n.Kept
}

// Old data with the newest keys cannot show what was erased in between.
func TestErasedStaysErasedInAnOlderBackup(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		keepAt(t, h.Service, t.TempDir())
		items := h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2))
		testkit.Must(t, h.PublishLog(t.Context()))
		old := backup(t, h.Service)
		// What erasing does, past the house: the subject's key is gone.
		_, err := testkit.Raw(t, h.Service).Exec("DELETE FROM subject_key WHERE subject = (SELECT id FROM item WHERE ref = '" + items[0].Ref + "')")
		testkit.Must(t, err)
		r := copies{old.data, backup(t, h.Service).keys}.restoration(t, h.Service, empty(t, h.DB.Dialect()))
		_, err = r.Check()
		testkit.Must(t, err)
		db, err := r.Load(t.Context())
		testkit.Must(t, err)
		defer db.Close()
		s := service(h.Service)
		s.DB = db
		if n, err := s.HoldRestored(t.Context(), operator, 1); err != nil || n != 1 {
			t.Errorf("%d erased, %v", n, err)
		}
		gone, err := s.ReadItem(t.Context(), testkit.Scope(t, h.Coordinator), items[0].Ref)
		testkit.Must(t, err)
		there, err := s.ReadItem(t.Context(), testkit.Scope(t, h.Coordinator), items[1].Ref)
		testkit.Must(t, err)
		if gone.Location.Canonical != "" || gone.ErasedAt.IsZero() || there.Location.Canonical == "" || !there.ErasedAt.IsZero() {
			t.Errorf("erased %+v, the other %+v", gone.Location, there.Location)
		}
	})
}
