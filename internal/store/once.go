package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"concert"
)

// Once is one request that carries a key of its own (Idempotency-Key). The
// first Update under its context claims the key in the database, and nothing
// that is done under it commits before Commit: the act, its events and the
// answer to be given again are one transaction, so that a node that dies in
// between has either done both or neither, and of two nodes with the same key
// one waits for the other and finds the key taken. It belongs to one request
// and is used by one goroutine at a time.
type Once struct {
	db     *DB
	person concert.PersonID
	name   string
	print  [32]byte // of the request
	keyed  bool     // the first act claims a key
	turn   *turn    // nil until something is written
	after  []func()
	taken  bool
	lost   error // what undid the whole transaction, with everything done before
}

type onceKey struct{}

// Once is a request under the person's key, and the context in which its act
// runs. End it with Commit or Rollback.
func (db *DB) Once(ctx context.Context, p concert.PersonID, name string, print [32]byte) (context.Context, *Once) {
	o := &Once{db: db, person: p, name: name, print: print, keyed: true}
	return context.WithValue(ctx, onceKey{}, o), o
}

// Together runs acts that become true together or not at all: what do returns
// as an error undoes them all. They are one request without a key.
func (db *DB) Together(ctx context.Context, do func(context.Context) error) (err error) {
	o := &Once{db: db}
	defer func() { err = errors.Join(err, o.Rollback()) }()
	if err := do(context.WithValue(ctx, onceKey{}, o)); err != nil {
		return err
	}
	if o.lost != nil {
		return db.translate(o.lost)
	}
	if o.turn == nil {
		return nil
	}
	t := o.turn
	o.turn = nil
	if err := t.commit(o.after); err != nil {
		return cmp.Or(ctx.Err(), db.translate(err))
	}
	return nil
}

// Trial runs acts, lets do look at what they gave, and undoes them: a preview
// that follows the very rules of the acts, since it is the acts.
func (db *DB) Trial(ctx context.Context, do func(context.Context) error) (err error) {
	o := &Once{db: db}
	defer func() { err = errors.Join(err, o.Rollback()) }()
	return do(context.WithValue(ctx, onceKey{}, o))
}

// Apart is a context outside the request: what is written under it commits by
// itself, and what is read is committed. The request must not have acted yet,
// since it then holds the database's turn.
func Apart(ctx context.Context) context.Context {
	return context.WithValue(ctx, onceKey{}, (*Once)(nil))
}

// onceOf is the request that the context belongs to, if it goes to this
// database.
func (db *DB) onceOf(ctx context.Context) *Once {
	if o, _ := ctx.Value(onceKey{}).(*Once); o != nil && o.db == db {
		return o
	}
	return nil
}

// Requested reports whether what is written under the context waits for the
// answer of a request with a key.
func (db *DB) Requested(ctx context.Context) bool { return db.onceOf(ctx) != nil }

// Taken reports whether an act was refused because another request had the
// key, whose answer is there by now.
func (o *Once) Taken() bool { return o.taken }

// Acted reports whether something was written that waits for Commit.
func (o *Once) Acted() bool { return o.turn != nil || o.lost != nil }

// update is an Update within the request. What it writes waits for Commit; when
// it fails, only its own part is undone.
func (o *Once) update(ctx context.Context, fn func(*Tx) error) error {
	if o.lost != nil {
		return o.lost
	}
	if o.turn != nil {
		return o.within(ctx, fn)
	}
	t, err := o.db.begin(ctx)
	if err != nil {
		return err
	}
	o.turn = t // also where the act panics: Rollback ends it
	if err := o.claim(ctx, t.tx, fn); err != nil {
		o.turn = nil
		return t.undone(err)
	}
	return nil
}

func (o *Once) claim(ctx context.Context, t *sql.Tx, fn func(*Tx) error) error {
	tx := o.db.writing(t)
	if !o.keyed {
		err := tx.run(ctx, fn)
		o.after = append(o.after, tx.after...)
		return err
	}
	n, err := tx.insert(ctx, "idempotency", "person, name, fingerprint, status, header, body, at",
		[][]any{{string(o.person), o.name, o.print[:], 0, "", []byte{}, concert.Micros(time.Now())}}, "ON CONFLICT (person, name) DO NOTHING")
	if err != nil {
		return err
	}
	if n == 0 {
		o.taken = true
		return concert.ErrInFlight
	}
	err = tx.run(ctx, fn)
	o.after = append(o.after, tx.after...)
	return err
}

// within is a second act of the same request.
func (o *Once) within(ctx context.Context, fn func(*Tx) error) error {
	tx := o.db.writing(o.turn.tx)
	if _, err := tx.exec(ctx, "SAVEPOINT further"); err != nil {
		return err
	}
	ending := context.WithoutCancel(ctx)
	err := tx.run(ctx, fn)
	o.after = append(o.after, tx.after...)
	if err != nil {
		if _, undone := tx.exec(ending, "ROLLBACK TO SAVEPOINT further"); undone != nil {
			o.lost, o.turn = o.turn.undone(err), nil
			return o.lost
		}
		return err
	}
	_, err = tx.exec(ending, "RELEASE SAVEPOINT further")
	return err
}

// view reads what the request itself has written, too.
func (o *Once) view(fn func(*Tx) error) error {
	if o.lost != nil {
		return o.lost
	}
	tx := o.db.writing(o.turn.tx)
	err := fn(tx)
	o.after = append(o.after, tx.after...)
	return err
}

// Commit ends the request: what was done and its answer become true together.
// Without an answer the key is free again.
func (o *Once) Commit(ctx context.Context, a *StoredAnswer) error {
	if o.lost != nil {
		return o.db.translate(o.lost)
	}
	if o.turn == nil {
		return errors.New("nothing was done under this key: keep its answer alone")
	}
	tx := o.db.writing(o.turn.tx)
	var err error
	if a != nil {
		err = tx.StoreAnswer(ctx, o.person, o.name, *a)
	} else {
		_, err = tx.exec(ctx, "DELETE FROM idempotency WHERE person = ? AND name = ?", string(o.person), o.name)
	}
	t := o.turn
	o.turn = nil
	if err != nil {
		return o.db.translate(t.undone(fmt.Errorf("keep the answer: %w", err)))
	}
	if err := t.commit(append(o.after, tx.after...)); err != nil {
		// Whoever asked has gone: that is all there is to tell.
		return cmp.Or(ctx.Err(), o.db.translate(err))
	}
	return nil
}

// Rollback undoes what was not committed; after Commit it does nothing.
func (o *Once) Rollback() error {
	if o.turn == nil {
		return nil
	}
	t := o.turn
	o.turn = nil
	return t.undone(nil)
}
