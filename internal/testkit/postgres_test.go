package testkit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func value[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func nameOf(t testing.TB, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

func TestPostgresGivesEachTestItsOwnEmptyDurableDatabase(t *testing.T) {
	t.Parallel()
	one, two := connect(t, Postgres(t)), connect(t, Postgres(t))
	if _, err := one.Exec(t.Context(), `CREATE TABLE item (id TEXT)`); err != nil {
		t.Fatal(err)
	}
	const tables = `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`
	if n := value[int](t, two, tables); n != 0 {
		t.Errorf("the second database has %d tables before anyone made one", n)
	}
	if got := value[string](t, one, `SHOW fsync`); got != "on" {
		t.Errorf("fsync is %s; a test on such a server proves nothing about durability", got)
	}
	if os.Getenv(EnvPostgres) == "" && !value[bool](t, one, `SELECT 'a' < 'B'`) {
		t.Error("the default collation sorts like C, so a forgotten COLLATE would go unseen")
	}
}

func TestPostgresDropsTheDatabaseThoughSessionsAreOpen(t *testing.T) {
	t.Parallel()
	outer := connect(t, Postgres(t))
	var name string
	t.Run("inner", func(t *testing.T) {
		dsn := Postgres(t)
		name = nameOf(t, dsn)
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn // left open on purpose
	})
	if value[bool](t, outer, `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`, name) {
		t.Errorf("database %s is still there after its test", name)
	}
}

func TestPostgresFromMigratesOnceAndClonesIndependently(t *testing.T) {
	t.Parallel()
	runs := 0
	migrate := func(dsn string) error {
		runs++
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), `CREATE TABLE item (id TEXT); INSERT INTO item VALUES ('EXERCISE')`)
		return errors.Join(err, conn.Close(t.Context()))
	}
	one := connect(t, PostgresFrom(t, "items", migrate))
	two := connect(t, PostgresFrom(t, "items", migrate))
	if _, err := one.Exec(t.Context(), `DELETE FROM item`); err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, two, `SELECT count(*) FROM item`); n != 1 || runs != 1 {
		t.Errorf("second clone has %d rows after %d migrations, want 1 and 1", n, runs)
	}
}

func TestPostgresFromNamesAMigrationThatKeepsItsConnection(t *testing.T) {
	t.Parallel()
	d := openOrSkip(t)
	_, err := d.template("leaky", func(dsn string) error {
		connect(t, dsn)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "close the pool") {
		t.Errorf("got %v, want an error that says to close the pool", err)
	}
}

func TestDatabasesOfKilledProcessesAreSweptAndOthersKept(t *testing.T) {
	t.Parallel()
	mine := Postgres(t)
	d := openOrSkip(t)
	gone, err := connectDesk(d.base, nil)
	if err != nil {
		t.Fatal(err)
	}
	left := fmt.Sprintf("%s%s_1", databasePrefix, gone.owner)
	if err := gone.exec(createStatement(left, "")); err != nil {
		t.Fatal(err)
	}
	if err := gone.conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, mine)
	// The server lets go of the lock when it has seen the connection end, not when the client closes it.
	for value[bool](t, conn, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = $1)`, lockOf(gone.owner)) {
		if t.Context().Err() != nil {
			t.Fatal("the lock of a closed connection is still held")
		}
	}
	next, err := connectDesk(d.base, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { next.conn.Close(context.Background()) })
	const exists = `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`
	if value[bool](t, conn, exists, left) {
		t.Errorf("%s of a process that is gone was kept", left)
	}
	if !value[bool](t, conn, exists, nameOf(t, mine)) {
		t.Error("the database of a living process was dropped")
	}
}

// TestServerChild is no test of its own: the parent below runs it as a process to kill.
func TestServerChild(t *testing.T) {
	if os.Getenv("CONCERT_TESTKIT_CHILD") == "" {
		return
	}
	s, err := startPostgres()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("server %s %s\n", s.dsn, s.dir)
	select {}
}

func TestServerEndsWithAKilledTestProcess(t *testing.T) {
	t.Parallel()
	if _, err := postgresBin(); err != nil {
		openOrSkip(t)
		t.Skip("the server in use runs elsewhere; none can be started here")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerChild$", "-test.v")
	child.Env = append(os.Environ(), "CONCERT_TESTKIT_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var dsn, dir string
	for lines := bufio.NewScanner(out); dsn == "" && lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "server" {
			dsn, dir = f[1], f[2]
		}
	}
	if dsn == "" {
		t.Fatal("the child started no server")
	}
	connect(t, dsn)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait() // its status is "killed", as intended
	deadline := time.After(20 * time.Second)
	for {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("20 s after the test process was killed, %s is still there", dir)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		conn.Close(t.Context())
		t.Error("the server answers though its test process was killed")
	}
}

// BenchmarkDatabase measures what a test pays: create and drop, empty and cloned.
func BenchmarkDatabase(b *testing.B) {
	d := openOrSkip(b)
	cloned, err := d.template("bench", func(dsn string) error {
		conn, err := pgx.Connect(b.Context(), dsn)
		if err != nil {
			return err
		}
		for i := range 45 {
			if _, err := conn.Exec(b.Context(), fmt.Sprintf(`CREATE TABLE t%d (id TEXT PRIMARY KEY, n BIGINT)`, i)); err != nil {
				return err
			}
		}
		return conn.Close(b.Context())
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, template string }{{"empty", ""}, {"cloned", cloned}} {
		name := fmt.Sprintf("%s%s_bench", databasePrefix, d.owner)
		b.Run(c.name, func(b *testing.B) {
			var drop time.Duration
			for b.Loop() {
				if err := d.exec(createStatement(name, c.template)); err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				if err := d.exec(dropStatement(name)); err != nil {
					b.Fatal(err)
				}
				drop += time.Since(start)
			}
			b.ReportMetric(float64(drop.Milliseconds())/float64(b.N), "ms-drop/op")
		})
	}
}
