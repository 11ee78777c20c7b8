package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"concert"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store/migrations"
)

const (
	// keyTable is the one table that is backed up apart: what was erased must not
	// come back with an old copy of the data.
	keyTable   = "subject_key"
	clockTable = "clock"
	// notOurs begins the names of the queue's own tables, schemaTable is that of
	// the migrations: a restore makes both anew.
	notOurs     = "river_"
	schemaTable = "goose_db_version"
)

// metaRestoring marks a database whose restore is not finished: it may not be
// served, since nothing holds back yet what its queue would send again.
const metaRestoring = "restoring"

// Schema is the version of the database's tables.
func (tx *Tx) Schema(ctx context.Context) (int64, error) {
	var v int64
	err := tx.row(ctx, "SELECT max(version_id) FROM "+schemaTable+" WHERE is_applied").Scan(&v)
	return v, err
}

// KnownSchema is the newest version of the tables that this program knows.
func KnownSchema() (newest int64, err error) {
	files, err := fs.ReadDir(migrations.Files, "sqlite")
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	for _, f := range files {
		n, err := goose.NumericComponent(f.Name())
		if err != nil {
			return 0, fmt.Errorf("migrations: %w", err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}

// Tables are the tables of ours as the database itself lists them, each after
// those that it points to, so that they can be filled in this order.
func (tx *Tx) Tables(ctx context.Context) ([]formats.BackupTable, error) {
	rows, err := tx.query(ctx, tx.db.d.tables)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer rows.Close()
	found := map[string]formats.BackupTable{}
	for rows.Next() {
		var t string
		var c formats.BackupColumn
		if err := rows.Scan(&t, &c.Name, &c.Type); err != nil {
			return nil, err
		}
		if t == schemaTable || strings.HasPrefix(t, notOurs) {
			continue
		}
		switch strings.ToUpper(c.Type) {
		case "TEXT":
			c.Type = formats.BackupText
		case "INTEGER", "BIGINT":
			c.Type = formats.BackupInteger
		case "BLOB", "BYTEA":
			c.Type = formats.BackupBytes
		default:
			return nil, fmt.Errorf("column %s of %s has the type %s, which no backup carries: use TEXT, 64-bit integers or bytes", c.Name, t, c.Type)
		}
		found[t] = formats.BackupTable{Name: t, Columns: append(found[t].Columns, c)}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	refs, err := list(ctx, tx, func(r rowScanner) (ref [2]string, err error) { return ref, r.Scan(&ref[0], &ref[1]) }, tx.db.d.references)
	if err != nil {
		return nil, fmt.Errorf("list references: %w", err)
	}
	return parentsFirst(found, refs)
}

func parentsFirst(found map[string]formats.BackupTable, refs [][2]string) ([]formats.BackupTable, error) {
	waits := map[string]map[string]bool{}
	for name := range found {
		waits[name] = map[string]bool{}
	}
	for _, r := range refs {
		if r[0] != r[1] && waits[r[0]] != nil {
			waits[r[0]][r[1]] = true
		}
	}
	var out []formats.BackupTable
	for len(waits) > 0 {
		var free []string
		for name, on := range waits {
			if len(on) == 0 {
				free = append(free, name)
			}
		}
		if len(free) == 0 {
			return nil, fmt.Errorf("the tables %v point to each other in a ring: no order fills them", slices.Sorted(maps.Keys(waits)))
		}
		slices.Sort(free)
		for _, name := range free {
			out = append(out, found[name])
			delete(waits, name)
			for _, on := range waits {
				delete(on, name)
			}
		}
	}
	return out, nil
}

// Backup writes every table of ours, as the transaction's one snapshot has it:
// the subjects' keys to keys, all else to data. A job that waits or runs is
// written as the clock that it stands for, due at the time. The headers get
// what the database knows.
func (tx *Tx) Backup(ctx context.Context, h formats.BackupHeader, data, keys func(formats.BackupHeader) (*formats.BackupWriter, error), due time.Time) (formats.BackupHeader, map[string]int64, error) {
	head, _, err := tx.LogHead(ctx)
	if err != nil {
		return h, nil, err
	}
	h.Database, h.LogSize, h.LogRoot, h.MadeAt = tx.db.d.name, head.Size, fmt.Sprintf("%x", head.Root), concert.Micros(tx.db.now())
	if h.Schema, err = tx.Schema(ctx); err != nil {
		return h, nil, err
	}
	tables, err := tx.Tables(ctx)
	if err != nil {
		return h, nil, err
	}
	jobs, err := tx.waitingClocks(ctx, due)
	if err != nil {
		return h, nil, err
	}
	h.Format = formats.BackupKeysFormat
	kw, err := keys(h)
	if err != nil {
		return h, nil, err
	}
	h.Format = formats.BackupFormat
	dw, err := data(h)
	if err != nil {
		return h, nil, err
	}
	for _, t := range tables {
		w := dw
		if t.Name == keyTable {
			w = kw
		}
		if err := w.Table(t); err != nil {
			return h, nil, err
		}
		row := w.Row
		if t.Name == clockTable {
			row = func(cells []any) error { return jobs.merge(w, t, cells) }
		}
		if err := tx.eachRow(ctx, t, row); err != nil {
			return h, nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
		if t.Name == clockTable {
			if err := jobs.rest(w, t); err != nil {
				return h, nil, err
			}
		}
	}
	secret := backupKey(tx.db.Keys)
	rows, err := dw.Close(secret)
	if err != nil {
		return h, nil, err
	}
	kept, err := kw.Close(secret)
	maps.Copy(rows, kept)
	return h, rows, err
}

// backupKey is what a deployment's backups are authenticated with.
func backupKey(ring *identity.KeyRing) []byte {
	k := ring.Derive("backup authentication")
	return k[:]
}

func (tx *Tx) eachRow(ctx context.Context, t formats.BackupTable, fn func([]any) error) error {
	rows, err := tx.query(ctx, "SELECT "+columnNames(t)+" FROM "+t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	cells, at := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range cells {
		at[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return err
		}
		if err := fn(cells); err != nil {
			return err
		}
	}
	return rows.Err()
}

func columnNames(t formats.BackupTable) string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// jobClocks are the clocks that unfinished jobs stand for, by kind and subject.
type jobClocks struct {
	due  int64
	left map[clockKey]bool
}

func (tx *Tx) waitingClocks(ctx context.Context, due time.Time) (jobClocks, error) {
	j := jobClocks{concert.Micros(due), map[clockKey]bool{}}
	_, err := list(ctx, tx, func(r rowScanner) (none struct{}, err error) {
		var kind, args string
		if err = r.Scan(&kind, &args); err != nil {
			return none, err
		}
		c, err := concert.ClockOf(kind, []byte(args))
		j.left[clockKey{c.Kind, c.Subject}] = true
		return none, err
	}, tx.db.d.waiting)
	if err != nil {
		return j, fmt.Errorf("jobs that wait: %w", err)
	}
	return j, nil
}

// merge writes a clock's row, due at once where a job of its kind and subject
// waits as well.
func (j jobClocks) merge(w *formats.BackupWriter, t formats.BackupTable, cells []any) error {
	var k clockKey
	at := -1
	for i, c := range t.Columns {
		switch c.Name {
		case "kind":
			s, _ := cells[i].(string)
			k.kind = concert.ClockKind(s)
		case "subject":
			k.subject, _ = cells[i].(string)
		case "due_at":
			at = i
		}
	}
	if j.left[k] {
		delete(j.left, k)
		if was, ok := cells[at].(int64); ok && was > j.due {
			cells[at] = j.due
		}
	}
	return w.Row(cells)
}

// rest writes the clocks of jobs that have no row.
func (j jobClocks) rest(w *formats.BackupWriter, t formats.BackupTable) error {
	keys := slices.SortedFunc(maps.Keys(j.left), func(a, b clockKey) int {
		return compareStrings(string(a.kind), string(b.kind), a.subject, b.subject)
	})
	for _, k := range keys {
		cells := make([]any, len(t.Columns))
		for i, c := range t.Columns {
			switch c.Name {
			case "kind":
				cells[i] = string(k.kind)
			case "subject":
				cells[i] = k.subject
			case "due_at":
				cells[i] = j.due
			case "version":
				cells[i] = int64(1)
			default:
				return fmt.Errorf("table %s has a column %s that a job does not fill", t.Name, c.Name)
			}
		}
		if err := w.Row(cells); err != nil {
			return err
		}
	}
	return nil
}

// CheckBackup reads a backup to its end and reports whether it is whole and of
// this deployment. It writes nothing.
func CheckBackup(r *formats.BackupReader, ring *identity.KeyRing) (formats.BackupTrailer, error) {
	return r.Each(backupKey(ring), func(formats.BackupTable) error { return nil }, func([]any) error { return nil })
}

// Restore fills an empty database from a backup's two files, in one
// transaction, so that there is all of it or nothing, and opens it. Readers are
// at their headers. The database is marked as not finished until Restored.
func Restore(ctx context.Context, address string, ring *identity.KeyRing, data, keys *formats.BackupReader) (*DB, error) {
	empty, err := Empty(ctx, address)
	if err != nil {
		return nil, err
	}
	if !empty {
		return nil, concert.Refuse(concert.Conflict, "restore.not_empty", "", "the database holds something already: a restore fills an empty one only; name another with -database, or remove what a restore left that was cut off")
	}
	db, err := openAt(ctx, address, ring, data.Header.Schema)
	if err != nil {
		return nil, err
	}
	if err := db.load(ctx, ring, data, keys); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	// What came after the backup's schema finds the rows that it expects.
	if err := db.migrate(ctx, newestSchema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) load(ctx context.Context, ring *identity.KeyRing, data, keys *formats.BackupReader) error {
	t, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer t.Rollback()
	tx := &Tx{db: db, tx: t, keys: map[string]identity.Sealer{}}
	tables, err := tx.Tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range slices.Backward(tables) {
		if _, err := t.ExecContext(ctx, "DELETE FROM "+table.Name); err != nil {
			return fmt.Errorf("table %s: %w", table.Name, err)
		}
	}
	want := map[string]int64{}
	for _, r := range []*formats.BackupReader{data, keys} {
		l := loader{db: db, tx: t}
		trailer, err := r.Each(backupKey(ring), func(table formats.BackupTable) error { return l.begin(ctx, table, tables) }, func(cells []any) error { return l.add(ctx, cells) })
		if err == nil {
			err = l.flush(ctx)
		}
		if err != nil {
			return err
		}
		maps.Copy(want, trailer.Rows)
	}
	for _, table := range tables {
		var n int64
		if err := t.QueryRowContext(ctx, "SELECT count(*) FROM "+table.Name).Scan(&n); err != nil {
			return fmt.Errorf("count %s: %w", table.Name, err)
		}
		if n != want[table.Name] {
			return fmt.Errorf("table %s has %d rows after the restore, the backup %d: nothing was kept", table.Name, n, want[table.Name])
		}
	}
	if err := tx.SetMeta(ctx, metaRestoring, data.Header.LogRoot); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if db.d.afterLoad == "" {
		return nil
	}
	if _, err := db.write.ExecContext(ctx, db.d.afterLoad); err != nil {
		return fmt.Errorf("after the load: %w", err)
	}
	return nil
}

// loadCells bounds the cells that one statement carries, loadRows the rows,
// loadBytes what they hold, so that memory does not follow the largest rows.
const (
	loadCells = 2000
	loadRows  = 128
	loadBytes = 1 << 20
)

// loader writes rows of one table after the other, many in a statement.
type loader struct {
	db    *DB
	tx    *sql.Tx
	table formats.BackupTable
	rows  int // of a full statement
	full  *sql.Stmt
	args  []any
	bytes int // in args
}

func (l *loader) begin(ctx context.Context, t formats.BackupTable, known []formats.BackupTable) error {
	if err := l.flush(ctx); err != nil {
		return err
	}
	at := slices.IndexFunc(known, func(k formats.BackupTable) bool { return k.Name == t.Name })
	if at < 0 {
		return fmt.Errorf("the backup holds a table %s, which its schema does not have: it was made by another program", t.Name)
	}
	for _, c := range t.Columns {
		if !slices.Contains(known[at].Columns, c) {
			return fmt.Errorf("the backup's table %s has a column %s (%s), which its schema does not have: it was made by another program", t.Name, c.Name, c.Type)
		}
	}
	l.table, l.rows = t, max(1, min(loadRows, loadCells/len(t.Columns)))
	var err error
	if l.full, err = l.tx.PrepareContext(ctx, l.statement(l.rows)); err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	return nil
}

func (l *loader) statement(rows int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(l.table.Columns)), ",") + ")"
	return l.db.d.rebind("INSERT INTO " + l.table.Name + " (" + columnNames(l.table) + ") VALUES " + strings.TrimSuffix(strings.Repeat(one+",", rows), ","))
}

func (l *loader) add(ctx context.Context, cells []any) error {
	l.args = append(l.args, cells...)
	for _, c := range cells {
		switch v := c.(type) {
		case string:
			l.bytes += len(v)
		case []byte:
			l.bytes += len(v)
		}
	}
	if len(l.args) < l.rows*len(cells) {
		if l.bytes > loadBytes {
			return l.write(ctx)
		}
		return nil
	}
	_, err := l.full.ExecContext(ctx, l.args...)
	l.args, l.bytes = l.args[:0], 0
	return l.failed(err)
}

// write writes what waits, fewer rows than a full statement.
func (l *loader) write(ctx context.Context) error {
	n := len(l.args) / len(l.table.Columns)
	if n == 0 {
		return nil
	}
	_, err := l.tx.ExecContext(ctx, l.statement(n), l.args...)
	l.args, l.bytes = l.args[:0], 0
	return l.failed(err)
}

// flush writes what waits and ends the table.
func (l *loader) flush(ctx context.Context) error {
	if l.full == nil {
		return nil
	}
	err := errors.Join(l.write(ctx), l.full.Close())
	l.full = nil
	return err
}

func (l *loader) failed(err error) error {
	if err != nil {
		return fmt.Errorf("restore table %s: %w", l.table.Name, err)
	}
	return nil
}

// Restoring reports whether the database's restore was not finished.
func (tx *Tx) Restoring(ctx context.Context) (bool, error) {
	v, err := tx.Meta(ctx, metaRestoring)
	return v != "", err
}

// Restored finishes a restore: what its act holds back is held, and the
// database may be served. It returns how many items can be read no more, since
// their keys were erased after the data were backed up; they are marked so.
func (tx *Tx) Restored(ctx context.Context, now time.Time) (erased int64, err error) {
	erased, err = tx.exec(ctx, "UPDATE item SET sealed = NULL, erased_at = CASE WHEN erased_at = 0 THEN ? ELSE erased_at END, version = version + 1 "+
		"WHERE sealed IS NOT NULL AND NOT EXISTS (SELECT 1 FROM subject_key k WHERE k.subject = item.id)", concert.Micros(now))
	if err != nil {
		return 0, fmt.Errorf("items without a key: %w", err)
	}
	for _, text := range []string{
		"UPDATE captured_bytes SET sealed = NULL, address = NULL, erased_at = ? WHERE erased_at = 0 AND NOT EXISTS (SELECT 1 FROM subject_key k WHERE k.subject = captured_bytes.id)",
		"UPDATE capture SET erased_at = ? WHERE erased_at = 0 AND bytes IN (SELECT id FROM captured_bytes WHERE erased_at > 0)",
	} {
		if _, err := tx.exec(ctx, text, concert.Micros(now)); err != nil {
			return 0, fmt.Errorf("captures without a key: %w", err)
		}
	}
	tx.touch("item")
	return erased, tx.SetMeta(ctx, metaRestoring, "")
}
