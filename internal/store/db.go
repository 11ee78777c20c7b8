// Package store is memory: all SQL, in one text for SQLite and PostgreSQL,
// every difference on one page (dialect.go). It decides nothing. [DB.Update]
// runs one act in one transaction and refuses to commit a change of case data
// without an event; [DB.View] reads one snapshot. What is personal is sealed
// under the key of its subject before it reaches a table.
package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"

	"concert"
	"concert/internal/identity"
	"concert/internal/store/migrations"
)

// DB is one database: one writer and several readers on SQLite, one pool on
// PostgreSQL.
type DB struct {
	Keys *identity.KeyRing

	line   *line // of those that write the embedded database, nil on PostgreSQL
	d      *dialect
	write  *sql.DB
	read   *sql.DB
	queue  *river.Client[*sql.Tx] // inserts jobs; set by Work
	stmts  stmtCache
	closed chan struct{}
}

// Open opens the database at the address (a file, or postgres://…) and brings
// its schema up to date. A schema newer than this program is refused.
func Open(ctx context.Context, address string, keys *identity.KeyRing) (*DB, error) {
	return openAt(ctx, address, keys, newestSchema)
}

// newestSchema is the version that this program knows, whichever that is.
const newestSchema = 0

// openAt is Open with the schema brought up to a version and no further.
func openAt(ctx context.Context, address string, keys *identity.KeyRing, version int64) (*DB, error) {
	d := dialectOf(address)
	dsn, err := d.dsn(address, false)
	if err != nil {
		return nil, err
	}
	w, err := sql.Open(d.driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{Keys: keys, d: d, write: w, read: w, closed: make(chan struct{})}
	if d.name == "sqlite" {
		w.SetMaxOpenConns(1)
		db.line = &line{turn: make(chan struct{}, 1)}
	} else {
		w.SetMaxOpenConns(32)
		w.SetMaxIdleConns(16)
	}
	if err := db.migrate(ctx, version); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if d.name == "sqlite" {
		if dsn, err = d.dsn(address, true); err != nil {
			return nil, errors.Join(err, w.Close())
		}
		if db.read, err = sql.Open(d.driver, dsn); err != nil {
			return nil, errors.Join(fmt.Errorf("open database for reading: %w", err), w.Close())
		}
		db.read.SetMaxOpenConns(max(4, runtime.NumCPU()))
		db.read.SetMaxIdleConns(4)
	}
	if err := db.openQueue(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Dialect is "sqlite" or "postgres", for reports.
func (db *DB) Dialect() string { return db.d.name }

// Close lets go of the database.
func (db *DB) Close() error {
	close(db.closed)
	db.stmts.close()
	err := db.write.Close()
	if db.read != db.write {
		err = errors.Join(err, db.read.Close())
	}
	return err
}

func (db *DB) migrate(ctx context.Context, version int64) error {
	files, err := fs.Sub(migrations.Files, db.d.name)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	// The queue's own schema is a numbered step of ours, so that an older
	// program refuses both together.
	m, err := rivermigrate.New(db.d.queue(db.write), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("migrations of the job queue: %w", err)
	}
	step := &goose.GoFunc{RunTx: func(ctx context.Context, t *sql.Tx) error {
		//lint:ignore SA1019 the embedded database has one connection, and this transaction holds it
		_, err := m.MigrateTx(ctx, t, rivermigrate.DirectionUp, nil)
		return err
	}}
	if db.d.queueSteps {
		step = &goose.GoFunc{RunDB: func(ctx context.Context, _ *sql.DB) error {
			_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
			return err
		}}
	}
	queue := goose.NewGoMigration(2, step, nil)
	p, err := goose.NewProvider(db.d.goose, db.write, files, goose.WithGoMigrations(append(newer(), queue)...), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; have > newest {
		return fmt.Errorf("the database has schema version %d, this program knows %d: run the newer program that wrote it", have, newest)
	}
	if version == newestSchema {
		_, err = p.Up(ctx)
	} else {
		_, err = p.UpTo(ctx, version)
	}
	if err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	return nil
}

// Tx is one transaction: a snapshot to read, and in Update what to write.
type Tx struct {
	db      *DB
	tx      *sql.Tx
	ro      bool
	changed string // a table of case data that was written
	events  []concert.Event
	notices []notice
	deltas  concert.Deltas
	clocks  map[clockKey]time.Time
	keys    map[string]identity.Sealer
	after   []func()
}

// View runs fn on one snapshot.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	if o := db.onceOf(ctx); o != nil && o.Acted() {
		return db.translate(o.view(fn))
	}
	opts := &sql.TxOptions{ReadOnly: true}
	if db.d.name == "postgres" {
		opts.Isolation = sql.LevelRepeatableRead
	}
	t, err := db.read.BeginTx(ctx, opts)
	if err != nil {
		return db.translate(fmt.Errorf("begin reading: %w", err))
	}
	tx := &Tx{db: db, tx: t, ro: true, keys: map[string]identity.Sealer{}}
	err = fn(tx)
	// A view changes nothing: ending it either way is the same.
	if end := t.Rollback(); err == nil && end != nil {
		if err = ctx.Err(); err == nil {
			err = fmt.Errorf("end reading: %w", end)
		}
	}
	for _, f := range tx.after {
		f()
	}
	return db.translate(err)
}

// updateTries bounds how often an act is run again after a clash that the
// database asks to retry.
const updateTries = 12

// Update runs fn in one transaction and commits. fn touches nothing but tx: no
// I/O, no hashing of passwords; it runs again when the database asks for it. A
// change of case data without an event is refused: that is a programmer's
// error, and nothing is committed.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := db.updateOnce(ctx, fn)
		if err == nil || !db.d.retryable(err) || try == updateTries {
			return db.translate(err)
		}
		t := time.NewTimer(time.Duration(rand.Int64N(int64(5*time.Millisecond) << min(try, 6))))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

func (db *DB) updateOnce(ctx context.Context, fn func(*Tx) error) (err error) {
	if o := db.onceOf(ctx); o != nil {
		return o.update(ctx, fn)
	}
	t, err := db.begin(ctx)
	if err != nil {
		return err
	}
	over := false
	defer func() {
		if !over { // the act panicked, and others wait for the database
			err = t.undone(err)
		}
	}()
	tx := db.writing(t.tx)
	err = tx.run(ctx, fn)
	over = true
	if err != nil {
		return t.undone(err)
	}
	return t.commit(tx.after)
}

func (db *DB) writing(t *sql.Tx) *Tx {
	return &Tx{db: db, tx: t, deltas: concert.Deltas{}, clocks: map[clockKey]time.Time{}, keys: map[string]identity.Sealer{}}
}

// run does one act in the transaction, up to its commit.
func (tx *Tx) run(ctx context.Context, fn func(*Tx) error) error {
	if err := fn(tx); err != nil {
		return err
	}
	if tx.changed != "" && len(tx.events) == 0 {
		return fmt.Errorf("table %s was changed without an event: the act records none", tx.changed)
	}
	return tx.flush(ctx)
}

// flush writes what the act gathered: events with their leaves, running
// numbers, clocks. The numbers come last, so that their rows are locked for
// the shortest time.
func (tx *Tx) flush(ctx context.Context) error {
	if err := tx.flushEvents(ctx); err != nil {
		return err
	}
	if err := tx.flushClocks(ctx); err != nil {
		return err
	}
	return tx.flushTallies(ctx)
}

// Codes of refusals that come from the database itself.
const (
	CodeExists = "exists"               // a unique row is there already
	CodeAway   = "database.unavailable" // no connection, or it broke off before anything was done
	CodeUnsure = "database.unsure"      // it broke off during the commit
	CodeFull   = "storage.full"         // no room on its disk
)

// translate is the only place that reads a driver's errors.
func (db *DB) translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return concert.ErrNotFound
	case refused(err):
		return err
	case db.d.lost(err):
		return &concert.Error{Kind: concert.Unavailable, Code: CodeAway, Message: "the database cannot be reached just now and nothing was done: try again in a moment"}
	case db.d.full(err):
		return &concert.Error{Kind: concert.Unavailable, Code: CodeFull, Message: "there is no room left where the database is kept, and nothing was done: the operator must make room, then repeat this"}
	case db.d.unique(err):
		return &concert.Error{Kind: concert.Conflict, Code: CodeExists, Message: "this exists already, or someone made it at the same moment: load it and repeat what still applies"}
	}
	return err
}

// refused reports whether the error is an answer already.
func refused(err error) bool {
	_, ok := errors.AsType[*concert.Error](err)
	return ok
}

// steady is the context for a statement that is yet to begin: an interrupted
// one would undo the whole transaction of the embedded database, and other acts
// are in it.
func (tx *Tx) steady(ctx context.Context) context.Context {
	if tx.ro || tx.db.line == nil || ctx.Err() != nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

func (tx *Tx) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := tx.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	ctx = tx.steady(ctx)
	if st != nil {
		return st.QueryContext(ctx, args...)
	}
	return tx.tx.QueryContext(ctx, tx.db.d.rebind(text), args...)
}

func (tx *Tx) row(ctx context.Context, text string, args ...any) rowScanner {
	rows, err := tx.query(ctx, text, args...)
	return &oneRow{rows: rows, err: err}
}

func (tx *Tx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	if tx.ro {
		return 0, errors.New("a view cannot write: use Update")
	}
	st, err := tx.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	ctx = tx.steady(ctx)
	var res sql.Result
	if st != nil {
		res, err = st.ExecContext(ctx, args...)
	} else {
		res, err = tx.tx.ExecContext(ctx, tx.db.d.rebind(text), args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// rowScanner is one row or a list of them: *sql.Rows, or a single result.
type rowScanner interface{ Scan(dest ...any) error }

type oneRow struct {
	rows *sql.Rows
	err  error
}

func (r *oneRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return concert.ErrNotFound
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// list reads all rows of a query.
func list[T any](ctx context.Context, tx *Tx, scan func(rowScanner) (T, error), text string, args ...any) ([]T, error) {
	rows, err := tx.query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func (tx *Tx) touch(table string) { tx.changed = table }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// digest is a digest as a column keeps it: NULL for the zero one.
func digest(d [sha256.Size]byte) []byte {
	if d == [sha256.Size]byte{} {
		return nil
	}
	return d[:]
}

func place(b []byte) (p [sha256.Size]byte) {
	copy(p[:], b)
	return p
}

// Empty reports whether the database at the address holds no table yet. It
// changes nothing: a file that is not there is empty.
func Empty(ctx context.Context, address string) (bool, error) {
	d := dialectOf(address)
	if d.name == "sqlite" {
		if _, err := os.Stat(address); errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
	}
	dsn, err := d.dsn(address, false)
	if err != nil {
		return false, err
	}
	conn, err := sql.Open(d.driver, dsn)
	if err != nil {
		return false, fmt.Errorf("open database: %w", err)
	}
	defer conn.Close()
	var n int
	if err := conn.QueryRowContext(ctx, d.countTables).Scan(&n); err != nil {
		return false, fmt.Errorf("look into the database: %w", err)
	}
	return n == 0, nil
}
