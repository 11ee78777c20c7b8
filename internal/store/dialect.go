package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	// The two drivers that database/sql opens; nothing else asks for them.
	_ "github.com/jackc/pgx/v5/stdlib"
)

// dialect is the whole list of differences between the two databases. No other
// file asks which one it is.
type dialect struct {
	name        string // "sqlite" or "postgres": the folder of the migrations
	driver      string
	goose       goose.Dialect
	numbered    bool   // placeholders are $1 instead of ?
	skipLocked  string // suffix that lets several nodes claim rows side by side
	shards      int    // rows one running number is spread over, against waiting on one
	countTables string // how many tables there are
	retryable   func(error) bool
	unique      func(error) bool
	queue       func(*sql.DB) riverdriver.Driver[*sql.Tx]
	scrub       string // takes what was erased out of the write-ahead file, "" where the server does
	queueSteps  bool   // the queue's schema is made in several transactions: a new enum value can be used only after its own

	rebound sync.Map // SQL text with ? → with $n
}

func sqliteDialect() *dialect {
	code := func(err error) int {
		var e *sqlite.Error
		if errors.As(err, &e) {
			return e.Code()
		}
		return 0
	}
	return &dialect{
		name: "sqlite", driver: "sqlite", goose: goose.DialectSQLite3, shards: 1, countTables: "SELECT count(*) FROM sqlite_master",
		scrub: "PRAGMA wal_checkpoint(TRUNCATE)",
		retryable: func(err error) bool {
			c := code(err) & 0xff
			return c == sqlite3.SQLITE_BUSY || c == sqlite3.SQLITE_LOCKED
		},
		unique: func(err error) bool {
			c := code(err)
			return c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
		},
		queue: func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) },
	}
}

func postgresDialect() *dialect {
	state := func(err error) string {
		var e *pgconn.PgError
		if errors.As(err, &e) {
			return e.Code
		}
		return ""
	}
	return &dialect{
		name: "postgres", driver: "pgx", goose: goose.DialectPostgres, numbered: true, skipLocked: " FOR UPDATE SKIP LOCKED", shards: 8,
		countTables: "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
		retryable:   func(err error) bool { s := state(err); return s == "40001" || s == "40P01" },
		unique:      func(err error) bool { return state(err) == "23505" },
		queue:       func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riverdatabasesql.New(db) },
		queueSteps:  true,
	}
}

// dialectOf chooses by the form of the address: "postgres://…" or a file.
func dialectOf(address string) *dialect {
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return postgresDialect()
	}
	return sqliteDialect()
}

// dsn is what the driver opens. SQLite: every commit reaches the disk
// (synchronous FULL), deleted text is overwritten, writers take their lock at
// once instead of failing later.
func (d *dialect) dsn(address string, readOnly bool) (string, error) {
	if d.name == "postgres" {
		if _, err := url.Parse(address); err != nil {
			return "", fmt.Errorf("database address: %w", err)
		}
		return address, nil
	}
	q := url.Values{}
	for _, p := range []string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(ON)", "secure_delete(ON)", "temp_store(MEMORY)"} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(ON)")
		q.Add("_pragma", "cache_size(-12288)")
	} else {
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "cache_size(-65536)")
		// Fewer, larger moves from the write-ahead file: a hot page is moved once
		// instead of once every four megabytes.
		q.Add("_pragma", "wal_autocheckpoint(8000)")
	}
	return "file:" + (&url.URL{Path: address}).EscapedPath() + "?" + q.Encode(), nil
}

// rebind turns ? into $n outside quotes; the result is kept per text.
func (d *dialect) rebind(text string) string {
	if !d.numbered {
		return text
	}
	if s, ok := d.rebound.Load(text); ok {
		return s.(string)
	}
	var b strings.Builder
	quoted, n := false, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c == '?' && !quoted:
			n++
			fmt.Fprintf(&b, "$%d", n)
		default:
			b.WriteByte(c)
		}
	}
	s := b.String()
	d.rebound.Store(text, s)
	return s
}
