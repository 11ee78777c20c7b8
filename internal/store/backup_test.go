package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/internal/testkit"
)

// backedUp is a backup in memory.
type backedUp struct {
	header     formats.BackupHeader
	data, keys bytes.Buffer
}

func backup(t testing.TB, db *store.DB, now time.Time) *backedUp {
	t.Helper()
	b := &backedUp{}
	to := func(w io.Writer) func(formats.BackupHeader) (*formats.BackupWriter, error) {
		return func(h formats.BackupHeader) (*formats.BackupWriter, error) { return formats.NewBackupWriter(w, h) }
	}
	testkit.Must(t, db.View(t.Context(), func(tx *store.Tx) error {
		b.data.Reset()
		b.keys.Reset()
		var err error
		b.header, _, err = tx.Backup(t.Context(), formats.BackupHeader{Origin: "exercise.example/log"}, to(&b.data), to(&b.keys), now)
		return err
	}))
	return b
}

// lines are the lines of a backup's file after its header, without the trailer, in an order that no database decides.
func lines(t testing.TB, file []byte) []string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file))
	testkit.Must(t, err)
	text, err := io.ReadAll(z)
	testkit.Must(t, err)
	table := ""
	var out []string
	for _, l := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")[1:] {
		if strings.HasPrefix(l, `{"table"`) {
			table = l
		}
		if !strings.HasPrefix(l, `{"rows"`) {
			out = append(out, table+" "+l)
		}
	}
	slices.Sort(out)
	return out
}

// restore loads a backup into an empty database and opens it, before anything else happens in it.
func restore(t testing.TB, b *backedUp, address string) *store.DB {
	t.Helper()
	data, err := formats.NewBackupReader(bytes.NewReader(b.data.Bytes()), formats.BackupFormat)
	testkit.Must(t, err)
	keys, err := formats.NewBackupReader(bytes.NewReader(b.keys.Bytes()), formats.BackupKeysFormat)
	testkit.Must(t, err)
	db, err := store.Restore(t.Context(), address, testkit.Ring(t), data, keys)
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, db.Close()) })
	return db
}

// empty is the address of a database in which there is nothing.
func empty(t testing.TB, database string) string {
	if database == "postgres" {
		return testkit.Postgres(t)
	}
	return testkit.Address(t, "sqlite")
}

func TestBackupCarriesEveryTableThatTheDatabaseHas(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		s := h.Service
		all := map[string]string{
			"sqlite":   "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
			"postgres": "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'p') AND nspname = current_schema()",
		}
		rows, err := testkit.Raw(t, s).Query(all[s.DB.Dialect()])
		testkit.Must(t, err)
		defer rows.Close()
		var want, not []string
		for rows.Next() {
			var name string
			testkit.Must(t, rows.Scan(&name))
			if name == "goose_db_version" || strings.HasPrefix(name, "river_") {
				not = append(not, name)
				continue
			}
			want = append(want, name)
		}
		testkit.Must(t, rows.Err())
		var have []string
		b := backup(t, s.DB, s.Now())
		for _, f := range [][]byte{b.data.Bytes(), b.keys.Bytes()} {
			for _, l := range lines(t, f) {
				if table, line, _ := strings.Cut(l, "} "); table+"}" == line {
					have = append(have, strings.Split(line, `"`)[3])
				}
			}
		}
		slices.Sort(want)
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" || len(not) < 5 {
			t.Errorf("tables (-in the database +in the backup), left out %v:\n%s", not, diff)
		}
		if bytes.Contains(b.data.Bytes(), []byte("wrapped")) || strings.Contains(strings.Join(lines(t, b.data.Bytes()), ""), `"wrapped"`) {
			t.Error("the data carry the subjects' keys")
		}
	})
}

// Every row is the same after it went through both databases, in whichever order.
func TestRestoredTablesHoldTheSameRows(t *testing.T) {
	t.Parallel()
	for _, way := range [][2]string{{"sqlite", "sqlite"}, {"sqlite", "postgres"}, {"postgres", "sqlite"}, {"postgres", "postgres"}} {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			t.Parallel()
			h := testkit.Furnish(t, testkit.Service(t, way[0]))
			// An approved item's minute of waiting passes in half a second.
			h.At(time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC), 120)
			h.Approved(testkit.Page(1), testkit.Page(2), testkit.Sound(1))
			stop := testkit.Run(t, h.Service)
			testkit.Await(t, "a webhook", func() bool { return len(h.Hook.Got()) > 0 })
			stop()
			before := backup(t, h.DB, h.Now())
			db := restore(t, before, empty(t, way[1]))
			// Whether the restore is finished is a matter of the copy alone.
			testkit.Must(t, db.Update(t.Context(), func(tx *store.Tx) error {
				tx.Record(concert.NewEvent(concert.EventConsulted, concert.House, "x", h.Now(), concert.RegisterBody{}))
				_, err := tx.Restored(t.Context(), h.Now())
				return err
			}))
			after := backup(t, db, h.Now())
			for what, pair := range map[string][2][]byte{"data": {before.data.Bytes(), after.data.Bytes()}, "keys": {before.keys.Bytes(), after.keys.Bytes()}} {
				mine := func(l string) bool {
					return strings.Contains(l, `["restoring",`) || strings.Contains(l, `"consulted",1,"x"`) || strings.Contains(l, `{"table":"log_batch"`) && strings.HasSuffix(l, `,"",-1]`)
				}
				want, have := slices.DeleteFunc(lines(t, pair[0]), mine), slices.DeleteFunc(lines(t, pair[1]), mine)
				if diff := cmp.Diff(want, have); diff != "" || len(want) < 5 {
					t.Errorf("%s, %d lines (-before +after):\n%s", what, len(want), diff)
				}
			}
			if before.header.LogSize == 0 || after.header.LogSize != before.header.LogSize || after.header.LogRoot != before.header.LogRoot {
				t.Errorf("log head %+v, then %+v", before.header, after.header)
			}
		})
	}
}

// What waits in the queue is carried as the clock that it stands for.
func TestWaitingJobsBecomeClocks(t *testing.T) {
	t.Parallel()
	testkit.EachHouse(t, func(t *testing.T, h *testkit.House) {
		h.Approved(testkit.Page(1))
		ctx := t.Context()
		var fired int
		testkit.Await(t, "the clock to become a job that nobody works on", func() bool {
			n, err := h.DB.FireClocks(ctx, h.Now().AddDate(0, 0, 1), 0)
			testkit.Must(t, err)
			fired += n
			return fired > 0
		})
		clocks := func(db *store.DB) (n int) {
			b := backup(t, db, h.Now())
			for _, l := range lines(t, b.data.Bytes()) {
				if strings.Contains(l, `["provider.dispatch","`+string(h.Hooked.ID)) {
					n++
				}
			}
			return n
		}
		if n := clocks(h.DB); n != 1 {
			t.Fatalf("the backup has %d clocks for one waiting job", n)
		}
		db := restore(t, backup(t, h.DB, h.Now()), empty(t, h.DB.Dialect()))
		testkit.Must(t, db.Update(ctx, func(tx *store.Tx) error {
			// A clock of the same kind that is due later gives way to the job.
			tx.SetClock(concert.ClockDeliver, string(h.Hooked.ID), h.Now().AddDate(1, 0, 0))
			return nil
		}))
		if n := clocks(db); n != 1 {
			t.Errorf("the restored database has %d clocks for it", n)
		}
		if n, err := db.FireClocks(ctx, h.Now(), 0); err != nil || n == 0 {
			t.Errorf("the clock is not due at once: %d fired, %v", n, err)
		}
	})
}

func TestCellsOfEveryKindComeBack(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			s := testkit.Service(t, database)
			testkit.Must(t, s.DB.Update(t.Context(), func(tx *store.Tx) error {
				if err := tx.StoreAnswer(t.Context(), "p", "EXERCISE \"quoted\"\n\u2028 ش ,]", store.StoredAnswer{Status: -1, Header: "", Body: []byte{}}); err != nil {
					return err
				}
				return tx.StoreAnswer(t.Context(), "p", "bytes", store.StoredAnswer{Status: 1 << 40, Header: "[,]", Body: []byte{0, 255, '"', '\n'}})
			}))
			b := backup(t, s.DB, s.Now())
			db := restore(t, b, empty(t, database))
			testkit.Must(t, db.View(context.Background(), func(tx *store.Tx) error {
				a, err := tx.StoredAnswer(t.Context(), "p", "EXERCISE \"quoted\"\n\u2028 ش ,]")
				testkit.Must(t, err)
				if a.Status != -1 || len(a.Body) != 0 {
					t.Errorf("%+v", a)
				}
				a, err = tx.StoredAnswer(t.Context(), "p", "bytes")
				if a.Status != 1<<40 || a.Header != "[,]" || !bytes.Equal(a.Body, []byte{0, 255, '"', '\n'}) {
					t.Errorf("%+v", a)
				}
				return err
			}))
		})
	}
}
