package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"concert"
)

const watchCols = "w.id, w.ref, w.authority, w.outlet, w.place, w.kind, w.owner, w.case_id, w.sealed, w.cadence, w.ends_at, w.placed_by, w.placed_at, w.next_at, w.last_at, w.sweep, w.ended_by, w.ended_at, w.exercise, w.version, k.wrapped"

const watchFrom = " FROM watch w LEFT JOIN subject_key k ON k.subject = w.id "

func (tx *Tx) scanWatch(ctx context.Context) func(rowScanner) (concert.Watch, error) {
	return func(r rowScanner) (concert.Watch, error) {
		var w concert.Watch
		var at, sealed, wrapped []byte
		var cadence, ends, placed, next, last, ended int64
		err := r.Scan(&w.ID, &w.Ref, &w.Authority, &w.Outlet, &at, &w.Location.Kind, &w.Owner, &w.Case, &sealed, &cadence, &ends, &w.PlacedBy, &placed, &next, &last, &w.Sweep, &w.EndedBy, &ended, &w.Exercise, &w.Version, &wrapped)
		if err != nil {
			return w, err
		}
		w.Place, w.Cadence = place(at), time.Duration(cadence)*time.Microsecond
		w.EndsAt, w.PlacedAt, w.NextAt, w.LastAt, w.EndedAt = concert.FromMicros(ends), concert.FromMicros(placed), concert.FromMicros(next), concert.FromMicros(last), concert.FromMicros(ended)
		if len(wrapped) == 0 {
			return w, nil
		}
		if err := tx.knowKey(string(w.ID), wrapped); err != nil {
			return w, err
		}
		var s concert.WatchText
		err = tx.open(ctx, string(w.ID), "watch", sealed, &s)
		w.Location, w.Ground = s.Location, s.Ground
		return w, err
	}
}

// AddWatch writes a new watch with its key.
func (tx *Tx) AddWatch(ctx context.Context, w concert.Watch) error {
	tx.touch("watch")
	if err := tx.newSubjects(ctx, string(w.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(w.ID), "watch", concert.WatchText{Location: w.Location, Ground: w.Ground})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "watch", "id, ref, authority, outlet, place, kind, owner, case_id, sealed, cadence, ends_at, placed_by, placed_at, next_at, last_at, sweep, ended_by, ended_at, exercise, version",
		[][]any{{string(w.ID), w.Ref, string(w.Authority), string(w.Outlet), w.Place[:], w.Location.Kind, string(w.Owner), string(w.Case), sealed, w.Cadence.Microseconds(), concert.Micros(w.EndsAt), string(w.PlacedBy), concert.Micros(w.PlacedAt), concert.Micros(w.NextAt), 0, "", "", 0, flag(w.Exercise), 1}}, "")
	return err
}

// SaveWatch writes claims, sweeps and the end back.
func (tx *Tx) SaveWatch(ctx context.Context, w concert.Watch) error {
	tx.touch("watch")
	return tx.update(ctx, "watch", []typed{{"next_at", "BIGINT"}, {"last_at", "BIGINT"}, {"sweep", "TEXT"}, {"ended_by", "TEXT"}, {"ended_at", "BIGINT"}},
		[][]any{{string(w.ID), w.Version, concert.Micros(w.NextAt), concert.Micros(w.LastAt), string(w.Sweep), string(w.EndedBy), concert.Micros(w.EndedAt)}})
}

// EraseWatch destroys the key of an ended watch, what lay under it, and the
// digest of its place.
func (tx *Tx) EraseWatch(ctx context.Context, w concert.Watch) error {
	tx.touch("watch")
	elsewhere := make([]byte, sha256.Size)
	rand.Read(elsewhere)
	if _, err := tx.exec(ctx, "UPDATE watch SET sealed = NULL, place = ? WHERE id = ?", elsewhere, string(w.ID)); err != nil {
		return fmt.Errorf("erase %s: %w", w.Ref, err)
	}
	_, err := tx.exec(ctx, "DELETE FROM subject_key WHERE subject = ?", string(w.ID))
	delete(tx.keys, string(w.ID))
	return err
}

// Watch is one, by reference or id.
func (tx *Tx) Watch(ctx context.Context, ref string) (concert.Watch, error) {
	return tx.scanWatch(ctx)(tx.row(ctx, "SELECT "+watchCols+watchFrom+"WHERE w.ref = ? OR w.id = ?", ref, ref))
}

// WatchesOfCase are the watches in force that stand on a case.
func (tx *Tx) WatchesOfCase(ctx context.Context, id concert.CaseID) ([]concert.Watch, error) {
	return list(ctx, tx, tx.scanWatch(ctx), "SELECT "+watchCols+watchFrom+"WHERE w.case_id = ? AND w.case_id <> '' AND w.ended_at = 0 ORDER BY w.id", string(id))
}

const sweepCols = "s.id, s.ref, s.watch, s.person, s.claimed_at, s.until, s.done_at, s.outcome, s.version"

func scanSweep(r rowScanner) (concert.Sweep, error) {
	var s concert.Sweep
	var claimed, until, done int64
	err := r.Scan(&s.ID, &s.Ref, &s.Watch, &s.Person, &claimed, &until, &done, &s.Outcome, &s.Version)
	s.ClaimedAt, s.Until, s.DoneAt = concert.FromMicros(claimed), concert.FromMicros(until), concert.FromMicros(done)
	return s, err
}

// AddSweep writes a new sweep.
func (tx *Tx) AddSweep(ctx context.Context, s concert.Sweep) error {
	tx.touch("sweep")
	_, err := tx.insert(ctx, "sweep", "id, ref, watch, person, claimed_at, until, done_at, outcome, version", [][]any{{string(s.ID), s.Ref, string(s.Watch), string(s.Person), concert.Micros(s.ClaimedAt), concert.Micros(s.Until), 0, "", 1}}, "")
	return err
}

// SaveSweep writes its end back.
func (tx *Tx) SaveSweep(ctx context.Context, s concert.Sweep) error {
	tx.touch("sweep")
	return tx.update(ctx, "sweep", []typed{{"done_at", "BIGINT"}, {"outcome", "TEXT"}}, [][]any{{string(s.ID), s.Version, concert.Micros(s.DoneAt), string(s.Outcome)}})
}

// Sweep is one, by reference or id, with its yield.
func (tx *Tx) Sweep(ctx context.Context, ref string) (concert.Sweep, error) {
	s, err := scanSweep(tx.row(ctx, "SELECT "+sweepCols+" FROM sweep s WHERE s.ref = ? OR s.id = ?", ref, ref))
	if err != nil {
		return concert.Sweep{}, err
	}
	ss, err := tx.yielded(ctx, []concert.Sweep{s})
	return ss[0], err
}

// SweepsNow are the sweeps that these watches are under.
func (tx *Tx) SweepsNow(ctx context.Context, ids []concert.SweepID) ([]concert.Sweep, error) {
	return in(ctx, tx, scanSweep, "SELECT "+sweepCols+" FROM sweep s WHERE s.id IN (%s)", anys(strs(ids)))
}

// Sweeps are a watch's sweeps, newest first, each with its yield.
func (tx *Tx) Sweeps(ctx context.Context, w concert.WatchID, limit int) ([]concert.Sweep, error) {
	ss, err := list(ctx, tx, scanSweep, "SELECT "+sweepCols+" FROM sweep s WHERE s.watch = ? ORDER BY s.id DESC LIMIT ?", string(w), min(max(limit, 1), 500))
	if err != nil {
		return nil, fmt.Errorf("sweeps: %w", err)
	}
	return tx.yielded(ctx, ss)
}

// yielded counts what was handed in from each sweep.
func (tx *Tx) yielded(ctx context.Context, ss []concert.Sweep) ([]concert.Sweep, error) {
	ids := make([]concert.SweepID, len(ss))
	at := map[concert.SweepID]int{}
	for i, s := range ss {
		ids[i], at[s.ID] = s.ID, i
	}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.SweepID
		var outcome string
		var n int
		if err := r.Scan(&id, &outcome, &n); err != nil {
			return struct{}{}, err
		}
		y := &ss[at[id]].Yield
		switch outcome {
		case "duplicate":
			y.Joined += n
		case "known":
			y.Known += n
		default:
			y.New += n
		}
		return struct{}{}, nil
	}, "SELECT sweep, outcome, count(*) FROM sweep_item WHERE sweep IN (%s) GROUP BY sweep, outcome", anys(strs(ids)))
	return ss, err
}

// Yields are what all sweeps of each watch brought so far, with how many there
// were.
func (tx *Tx) Yields(ctx context.Context, ids []concert.WatchID) (found, sweeps map[concert.WatchID]int, err error) {
	found, sweeps = map[concert.WatchID]int{}, map[concert.WatchID]int{}
	_, err = in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.WatchID
		var n, items int
		err := r.Scan(&id, &n, &items)
		sweeps[id], found[id] = n, items
		return struct{}{}, err
	}, "SELECT s.watch, count(DISTINCT s.id), count(i.item) FROM sweep s LEFT JOIN sweep_item i ON i.sweep = s.id WHERE s.outcome <> 'given_up' AND s.done_at > 0 AND s.watch IN (%s) GROUP BY s.watch", anys(strs(ids)))
	return found, sweeps, err
}

// Find is an item handed in from a sweep.
type Find struct {
	Sweep   concert.SweepID
	Item    concert.ItemID
	Outcome string // of its submission
}

// AddFinds writes what was handed in from sweeps; one item counts once a sweep.
// It returns how many were new.
func (tx *Tx) AddFinds(ctx context.Context, fs []Find) (int64, error) {
	if len(fs) == 0 {
		return 0, nil
	}
	rows := make([][]any, len(fs))
	for i, f := range fs {
		rows[i] = []any{string(f.Sweep), string(f.Item), f.Outcome}
	}
	return tx.insert(ctx, "sweep_item", "sweep, item, outcome", rows, "ON CONFLICT (sweep, item) DO NOTHING")
}

// SweepItems are the items handed in from a watch's sweeps, newest first, by
// reference.
func (tx *Tx) SweepItems(ctx context.Context, w concert.WatchID, limit int) ([]concert.Item, error) {
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i WHERE i.id IN (SELECT f.item FROM sweep_item f JOIN sweep s ON s.id = f.sweep WHERE s.watch = ?) ORDER BY i.id DESC LIMIT ?", string(w), min(max(limit, 1), 500))
}
