package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"concert"
)

// A group takes no more acts once it has so many, or is so old: whoever came
// first waits for the last of it.
const (
	groupMost = 64
	groupAge  = 16 * time.Millisecond
)

// group is one transaction of the embedded database that several acts share,
// each in a savepoint of its own. A commit waits for the disk, and acts that
// queue up need not each wait for one of their own. No act ends, well or badly,
// before its group does, so that what it was answered is true on the disk.
type group struct {
	tx    *sql.Tx
	since time.Time
	acts  int
	over  chan struct{} // closed when it ended, err then says how
	err   error
}

// line is where acts queue up that write the embedded database: the driver's
// pool would give its one connection to any of those that wait, and the unlucky
// one would wait ten times as long.
type line struct {
	turn    chan struct{} // holds one element while an act runs: waiters are served in order
	waiting atomic.Int64
	open    *group // of the act whose turn it is, nil between groups
}

// turn is one act's hold of the database.
type turn struct {
	db *DB
	tx *sql.Tx
	g  *group // nil on PostgreSQL
}

// begin waits for the act's turn. It ends with commit or undo.
func (db *DB) begin(ctx context.Context) (*turn, error) {
	if db.line == nil {
		t, err := db.write.BeginTx(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("begin: %w", err)
		}
		return &turn{db: db, tx: t}, nil
	}
	if err := db.line.take(ctx, db); err != nil {
		return nil, err
	}
	l := db.line
	// The transaction outlives the act that begins it.
	ctx = context.WithoutCancel(ctx)
	if l.open == nil {
		t, err := db.write.BeginTx(ctx, nil)
		if err != nil {
			<-l.turn
			return nil, fmt.Errorf("begin: %w", err)
		}
		l.open = &group{tx: t, since: time.Now(), over: make(chan struct{})}
	}
	t := &turn{db: db, tx: l.open.tx, g: l.open}
	if _, err := t.tx.ExecContext(ctx, "SAVEPOINT act"); err != nil {
		return nil, t.broken(fmt.Errorf("begin: %w", err))
	}
	return t, nil
}

// take waits in line.
func (l *line) take(ctx context.Context, db *DB) error {
	l.waiting.Add(1)
	select {
	case l.turn <- struct{}{}:
		l.waiting.Add(-1)
		return nil
	case <-ctx.Done():
		// A group may have stayed open for this act.
		go func() {
			l.turn <- struct{}{}
			l.waiting.Add(-1)
			db.pass()
		}()
		return ctx.Err()
	}
}

// pass gives the turn to the next act, with the open group if it takes more;
// otherwise that ends first.
func (db *DB) pass() {
	l := db.line
	if g := l.open; g != nil && (l.waiting.Load() == 0 || g.acts >= groupMost || time.Since(g.since) >= groupAge) {
		db.end(g, g.tx.Commit())
	}
	<-l.turn
}

// end tells all acts of a group how it ended.
func (db *DB) end(g *group, err error) {
	if err != nil {
		// The embedded database may keep open what it could not commit, and its
		// one connection is used again.
		_ = g.tx.Rollback()
		_, _ = db.write.Exec("ROLLBACK") // refused where nothing is open: just as well
	}
	db.line.open = nil
	g.err = err
	close(g.over)
}

// alone runs fn while no act writes and no transaction is open.
func (db *DB) alone(ctx context.Context, fn func() error) error {
	if err := db.line.take(ctx, db); err != nil {
		return err
	}
	if g := db.line.open; g != nil {
		db.end(g, g.tx.Commit())
	}
	defer db.pass()
	return fn()
}

// broken ends the group: its transaction is gone, and the acts in it with it.
func (t *turn) broken(err error) error {
	t.db.end(t.g, err)
	<-t.db.line.turn
	return err
}

// commit makes the act true, and then does what was to come after.
func (t *turn) commit(after []func()) error {
	err := t.close()
	switch {
	case err == nil:
	case t.db.d.lost(err):
		return &concert.Error{Kind: concert.Unavailable, Code: CodeUnsure, Message: "the database broke off while this was being written, so it may or may not have been done: look, or repeat it with the same Idempotency-Key"}
	default:
		return fmt.Errorf("commit: %w", err)
	}
	for _, f := range after {
		f()
	}
	return nil
}

func (t *turn) close() error {
	if t.g == nil {
		return t.tx.Commit()
	}
	if _, err := t.tx.Exec("RELEASE SAVEPOINT act"); err != nil {
		return t.broken(err)
	}
	return t.leave()
}

// leave ends the act's turn and waits for the group's end.
func (t *turn) leave() error {
	t.g.acts++
	t.db.pass()
	<-t.g.over
	return t.g.err
}

// undone ends a failed act's turn without a trace of the act, and gives its
// error. That it is over already, by its context or with its connection, is
// what was wanted.
func (t *turn) undone(err error) error {
	if t.g == nil {
		if end := t.tx.Rollback(); end != nil && !errors.Is(end, sql.ErrTxDone) && !t.db.d.lost(end) {
			return errors.Join(err, fmt.Errorf("roll back: %w", end))
		}
		return err
	}
	for _, text := range []string{"ROLLBACK TO SAVEPOINT act", "RELEASE SAVEPOINT act"} {
		if _, end := t.tx.Exec(text); end != nil {
			// A full disk, for one, undoes the whole transaction, and then there is
			// no savepoint any more. The others are told why, unless it was a
			// refusal, which is none of theirs.
			end = fmt.Errorf("roll back: %w", end)
			if err != nil && !refused(err) {
				end = errors.Join(err, end)
			}
			end = t.broken(end)
			return cmp.Or(err, end)
		}
	}
	end := t.leave()
	return cmp.Or(err, end)
}
