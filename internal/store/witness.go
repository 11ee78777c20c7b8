package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"concert"
)

const witnessCols = "origin, witness, size, checkpoint, line, cosigned_at, next_at, failures, failing_at, problem"

func scanWitness(r rowScanner) (concert.LogWitness, error) {
	var w concert.LogWitness
	var cosigned, next, failing int64
	err := r.Scan(&w.Origin, &w.Key, &w.Size, &w.Checkpoint, &w.Line, &cosigned, &next, &w.Failures, &failing, &w.Problem)
	w.CosignedAt, w.NextAt, w.FailingAt = concert.FromMicros(cosigned), concert.FromMicros(next), concert.FromMicros(failing)
	return w, err
}

// LogWitness is what is known of a witness of the log of this name; of one that
// was never asked only who it is.
func (tx *Tx) LogWitness(ctx context.Context, origin, key string) (concert.LogWitness, error) {
	w, err := scanWitness(tx.row(ctx, "SELECT "+witnessCols+" FROM log_witness WHERE origin = ? AND witness = ?", origin, key))
	if errors.Is(err, concert.ErrNotFound) {
		return concert.LogWitness{Origin: origin, Key: key}, nil
	}
	return w, err
}

// LogWitnesses are all that were ever asked by the log of this name, the one that
// cosigned the largest head first.
func (tx *Tx) LogWitnesses(ctx context.Context, origin string) ([]concert.LogWitness, error) {
	got, err := list(ctx, tx, scanWitness, "SELECT "+witnessCols+" FROM log_witness WHERE origin = ? ORDER BY size DESC, witness", origin)
	if err != nil {
		return nil, fmt.Errorf("witnesses of the log: %w", err)
	}
	return got, nil
}

// SaveLogWitness writes what is known of a witness. It is no case data and leaves
// no event: a cosignature that grew the log would have to be cosigned.
func (tx *Tx) SaveLogWitness(ctx context.Context, w concert.LogWitness) error {
	_, err := tx.insert(ctx, "log_witness", witnessCols, [][]any{{w.Origin, w.Key, w.Size, w.Checkpoint, w.Line, concert.Micros(w.CosignedAt), concert.Micros(w.NextAt), w.Failures, concert.Micros(w.FailingAt), w.Problem}},
		"ON CONFLICT (origin, witness) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint, line = excluded.line, cosigned_at = excluded.cosigned_at, next_at = excluded.next_at, failures = excluded.failures, failing_at = excluded.failing_at, problem = excluded.problem")
	return err
}

// TakeWitnessTurn gives the caller the turn to ask a witness until a time, if
// nobody has it: false where another node was faster since w was read.
func (tx *Tx) TakeWitnessTurn(ctx context.Context, w concert.LogWitness, until time.Time) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE log_witness SET next_at = ? WHERE origin = ? AND witness = ? AND next_at = ?", concert.Micros(until), w.Origin, w.Key, concert.Micros(w.NextAt))
	if err != nil || n == 1 {
		return n == 1, err
	}
	n, err = tx.insert(ctx, "log_witness", witnessCols, [][]any{{w.Origin, w.Key, w.Size, w.Checkpoint, w.Line, concert.Micros(w.CosignedAt), concert.Micros(until), w.Failures, concert.Micros(w.FailingAt), w.Problem}}, "ON CONFLICT (origin, witness) DO NOTHING")
	return n == 1, err
}

// OpenWitnessAlarm is the alarm about the witness of this name that lasts.
func (tx *Tx) OpenWitnessAlarm(ctx context.Context, name string) (concert.Alarm, error) {
	return scanAlarm(tx.row(ctx, "SELECT "+alarmCols+" FROM alarm WHERE kind = ? AND witness = ? AND ended_at = 0", string(concert.AlarmWitness), name))
}
