package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
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
	forUpdate   string // suffix that makes others wait who read the same row with it
	shards      int    // rows one running number is spread over, against waiting on one
	countTables string // how many tables there are
	retryable   func(error) bool
	unique      func(error) bool
	lost        func(error) bool // the connection, not the statement, failed
	full        func(error) bool // there was no room to write
	queue       func(*sql.DB) riverdriver.Driver[*sql.Tx]
	tables      string // every table's columns in order: table, column, type
	references  string // every foreign key: table, table it points to
	waiting     string // kind and arguments (JSON) of the queue's jobs that are not done
	afterLoad   string // what a freshly filled database needs; "" for nothing
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
		lost: func(error) bool { return false },
		full: func(err error) bool {
			// Where even the shared memory beside the file finds no room, that is
			// told as an error of input and output.
			switch c := code(err); c {
			case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_TRUNCATE:
				return true
			default:
				return c&0xff == sqlite3.SQLITE_FULL
			}
		},
		queue:      func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riversqlite.New(db) },
		tables:     "SELECT m.name, c.name, c.type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
		references: "SELECT m.name, f.\"table\" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
		waiting:    "SELECT kind, json(args) FROM river_job WHERE finalized_at IS NULL",
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
		name: "postgres", driver: "pgx", goose: goose.DialectPostgres, numbered: true, skipLocked: " FOR UPDATE SKIP LOCKED", forUpdate: " FOR NO KEY UPDATE", shards: 8,
		countTables: "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
		retryable:   func(err error) bool { s := state(err); return s == "40001" || s == "40P01" },
		unique:      func(err error) bool { return state(err) == "23505" },
		lost: func(err error) bool {
			if s := state(err); s != "" {
				return strings.HasPrefix(s, "08") || strings.HasPrefix(s, "57P") || s == "53300" || s == "25P03"
			}
			return broken(err)
		},
		full:       func(err error) bool { s := state(err); return s == "53100" || s == "58030" },
		queue:      func(db *sql.DB) riverdriver.Driver[*sql.Tx] { return riverdatabasesql.New(db) },
		queueSteps: true,
		tables: "SELECT c.table_name, c.column_name, upper(c.data_type) FROM information_schema.columns c JOIN pg_tables t ON t.schemaname = c.table_schema AND t.tablename = c.table_name " +
			"WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position",
		references: "SELECT t.relname, r.relname FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid JOIN pg_namespace n ON n.oid = t.relnamespace " +
			"WHERE c.contype = 'f' AND n.nspname = current_schema()",
		afterLoad: "ANALYZE", // the first questions come before the server looks by itself
		waiting:   "SELECT kind, args::text FROM river_job WHERE finalized_at IS NULL",
	}
}

// broken reports whether an error is the network's or the driver's word that
// there is no connection. A context that ended is the asker's own doing.
func broken(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
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
