package testkit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// EnvPostgres names a running PostgreSQL for tests: a URL (postgres://user:password@host:port/database) whose user may
	// create databases. Empty: the test process starts a server of its own.
	EnvPostgres = "CONCERT_TEST_POSTGRES"

	// EnvRequirePostgres set to 1 turns a missing PostgreSQL from a skipped test into a failed one; so does CI=true.
	EnvRequirePostgres = "CONCERT_TEST_REQUIRE_POSTGRES"

	// adminTimeout bounds one CREATE or DROP DATABASE; both wait for checkpoints and departing sessions.
	adminTimeout = 60 * time.Second

	// databasePrefix starts the name of every database made here, followed by the owner's number in eight hex digits.
	databasePrefix = "concert_test_"
)

var (
	errNoPostgres = errors.New("no PostgreSQL on this machine: install Debian's postgresql-15 (./check does), or name a server in " +
		EnvPostgres)

	databaseName = regexp.MustCompile(`^` + databasePrefix + `([0-9a-f]{8})_[0-9a-z_]+$`)
	templateName = regexp.MustCompile(`^[0-9a-z_]{1,32}$`)

	desk = sync.OnceValues(openDesk)
)

// Postgres returns the URL of a fresh, empty database on a real PostgreSQL. The database is dropped, with whatever sessions are
// left, when the test ends. A server started here has fsync on, sorts by ICU, unlike C, so that a forgotten COLLATE shows, and
// keeps its files in memory where there is room, unless TMPDIR is set. Without PostgreSQL the test is skipped, or failed where
// EnvRequirePostgres or CI asks for it. Call it outside synctest bubbles: a bubble's clock does not move while a server works.
func Postgres(t testing.TB) string {
	t.Helper()
	d := openOrSkip(t)
	return d.create(t, "")
}

// PostgresFrom returns the URL of a database cloned from a migrated template, which spares migrating again. The template is made
// once a process and name (lower-case letters, digits, underscores, at most 32): an empty database that migrate gets the URL of.
// migrate must close every connection before it returns, since PostgreSQL does not clone a database in use. All else is as in
// Postgres.
func PostgresFrom(t testing.TB, template string, migrate func(dsn string) error) string {
	t.Helper()
	if !templateName.MatchString(template) {
		t.Fatalf("template name %q: use 1 to 32 lower-case letters, digits and underscores", template)
	}
	d := openOrSkip(t)
	name, err := d.template(template, migrate)
	if err != nil {
		t.Fatalf("prepare template %s: %v", template, err)
	}
	return d.create(t, name)
}

func openOrSkip(t testing.TB) *databases {
	t.Helper()
	d, err := desk()
	if errors.Is(err, errNoPostgres) && os.Getenv(EnvRequirePostgres) != "1" && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// databases creates and drops databases on one server on behalf of this process.
type databases struct {
	base  *url.URL
	own   *server // nil when EnvPostgres names one; kept because its end is this process's end
	owner string  // eight hex digits; the advisory lock of that number is held as long as this process lives
	next  atomic.Int64

	mu        sync.Mutex
	conn      *pgx.Conn // guarded by mu; holds the owner's advisory lock
	templates sync.Map  // name to func() (string, error), run once
}

func openDesk() (*databases, error) {
	dsn := os.Getenv(EnvPostgres)
	var own *server
	if dsn == "" {
		var err error
		if own, err = startPostgres(); err != nil {
			return nil, err
		}
		dsn = own.dsn
	}
	base, err := url.Parse(dsn)
	if err != nil || (base.Scheme != "postgres" && base.Scheme != "postgresql") {
		return nil, fmt.Errorf("%s is no URL of the form postgres://user:password@host:port/database", EnvPostgres)
	}
	return connectDesk(base, own)
}

func connectDesk(base *url.URL, own *server) (*databases, error) {
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, base.String())
	if err != nil {
		return nil, fmt.Errorf("connect to the test PostgreSQL (unset %s to let the test start its own): %w", EnvPostgres, err)
	}
	var number [4]byte
	rand.Read(number[:])
	d := &databases{base: base, own: own, conn: conn, owner: hex.EncodeToString(number[:])}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, lockOf(d.owner)); err != nil {
		return nil, fmt.Errorf("lock owner number %s: %w", d.owner, err)
	}
	if err := d.sweep(ctx); err != nil {
		return nil, fmt.Errorf("remove databases of test processes that are gone: %w", err)
	}
	return d, nil
}

// sweep drops databases whose process was killed before its tests could clean up: nobody holds the lock of such an owner.
// pg_locks shows the locks of all databases, so it does not matter which one another process connected to.
func (d *databases) sweep(ctx context.Context) error {
	rows, err := d.conn.Query(ctx, `SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)`, databasePrefix)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		m := databaseName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		var alive bool
		if err := d.conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks
			WHERE locktype = 'advisory' AND classid = 0 AND objid::bigint = $1)`, lockOf(m[1])).Scan(&alive); err != nil {
			return err
		}
		if alive {
			continue
		}
		if _, err := d.conn.Exec(ctx, dropStatement(name)); err != nil {
			return err
		}
	}
	return nil
}

func (d *databases) create(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("%s%s_%d", databasePrefix, d.owner, d.next.Add(1))
	if err := d.exec(createStatement(name, template)); err != nil {
		t.Fatalf("create test database: %v", err)
	}
	t.Cleanup(func() {
		if err := d.exec(dropStatement(name)); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return d.dsn(name)
}

func (d *databases) template(name string, migrate func(dsn string) error) (string, error) {
	once, _ := d.templates.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		full := fmt.Sprintf("%s%s_t_%s", databasePrefix, d.owner, name)
		if err := d.exec(createStatement(full, "")); err != nil {
			return "", err
		}
		if err := migrate(d.dsn(full)); err != nil {
			return "", fmt.Errorf("migrate: %w", err)
		}
		// A session left open by migrate would make each later clone wait five seconds and fail; this names the culprit at once.
		if err := d.exec(`ALTER DATABASE ` + full + ` ALLOW_CONNECTIONS false`); err != nil {
			return "", err
		}
		return full, d.awaitUnused(full)
	}))
	return once.(func() (string, error))()
}

// awaitUnused waits for sessions on the database to end: a server's session outlives its client's close by some milliseconds.
func (d *databases) awaitUnused(name string) error {
	deadline := time.Now().Add(2 * time.Second)
	for {
		var sessions int
		err := d.with(func(ctx context.Context, conn *pgx.Conn) error {
			return conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = $1`, name).Scan(&sessions)
		})
		if err != nil || sessions == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("migrate left %d connections open: close the pool before returning", sessions)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (d *databases) exec(statement string) error {
	return d.with(func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		return nil
	})
}

func (d *databases) with(fn func(context.Context, *pgx.Conn) error) error {
	// Not t.Context: it is cancelled before Cleanup functions run.
	ctx, cancel := context.WithTimeout(context.Background(), adminTimeout)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	return fn(ctx, d.conn)
}

func (d *databases) dsn(name string) string {
	u := *d.base
	u.Path = "/" + name
	return u.String()
}

// Names are ours and match databaseName, so they need no quoting.
func createStatement(name, template string) string {
	if template == "" {
		template = "template0"
	}
	return "CREATE DATABASE " + name + " TEMPLATE " + template
}

func dropStatement(name string) string { return "DROP DATABASE IF EXISTS " + name + " WITH (FORCE)" }

func lockOf(owner string) int64 {
	n, err := strconv.ParseUint(owner, 16, 32)
	if err != nil {
		panic("testkit: owner number is not hexadecimal: " + owner)
	}
	return int64(n)
}
