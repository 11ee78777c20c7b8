package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/witness"
	"concert/tlog"
)

const (
	// witnessTick is how often a node looks whether a witness is to be asked.
	witnessTick = time.Second
	// witnessTries bounds how often one turn asks, each time from where the
	// witness says that it is.
	witnessTries = 3
	// awaitTick is how often it is looked whether a witness that is waited for has
	// cosigned.
	awaitTick = 100 * time.Millisecond
)

// askWitness lets a witness cosign the published head, if it has not yet and it
// is this node's turn: outside every act, and nothing waits for it. once asks
// without waiting for the time that has come, for an export.
func (s *Service) askWitness(ctx context.Context, w *witness.Client, once bool) error {
	head, checkpoint, err := s.publishedHead(ctx)
	if err != nil || checkpoint == "" {
		if isBehind(err) {
			return nil // said where the log is published
		}
		return err
	}
	known, mine, err := s.witnessTurn(ctx, w, checkpoint, once)
	if err != nil || !mine {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, concert.CosignTerm*4/5)
	line, at, err := s.cosign(asking, w, known, head, checkpoint)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		return s.saveCosigned(ctx, w, head, checkpoint, line, at)
	}
	return s.saveFailed(ctx, w, head, err)
}

// witnessTurn takes the turn to ask a witness.
func (s *Service) witnessTurn(ctx context.Context, w *witness.Client, checkpoint string, once bool) (known concert.LogWitness, mine bool, err error) {
	now := time.Now()
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		known, err = tx.LogWitness(ctx, s.Origin, w.Key())
		return err
	})
	due := known
	if once && known.Failures == 0 && known.NextAt.Sub(now) <= concert.CosignEvery {
		due.NextAt = time.Time{}
	}
	if err != nil || !due.Due(checkpoint, now) {
		return known, false, err
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		mine, err = tx.TakeWitnessTurn(ctx, known, now.Add(concert.CosignTerm))
		return err
	})
	return known, mine, err
}

// cosign asks the witness, and again from the size that it names where that is
// another than was thought.
func (s *Service) cosign(ctx context.Context, w *witness.Client, known concert.LogWitness, head tlog.Head, checkpoint string) (line string, at time.Time, err error) {
	old := min(known.Size, head.Size)
	for range witnessTries {
		a := tlog.AddCheckpoint{Old: old, Checkpoint: []byte(checkpoint)}
		err = s.DB.View(ctx, func(tx *store.Tx) error {
			a.Proof, err = tlog.ConsistencyProof(head.Size, old, func(t tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, t) })
			return err
		})
		if err != nil {
			return "", at, err
		}
		line, at, err = w.Add(ctx, a)
		refused, ok := errors.AsType[*tlog.WitnessRefusal](err)
		if !ok || refused.Status != http.StatusConflict || refused.Size == old || refused.Size > head.Size {
			return line, at, err
		}
		old = refused.Size
	}
	return "", at, err
}

// saveCosigned keeps a cosignature, and ends the alarm about a witness that had
// refused.
func (s *Service) saveCosigned(ctx context.Context, w *witness.Client, head tlog.Head, checkpoint, line string, at time.Time) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		known, err := tx.LogWitness(ctx, s.Origin, w.Key())
		if err != nil {
			return err
		}
		if known.Size > head.Size && known.FailingAt.IsZero() {
			return nil // another node was faster with a later one
		}
		if err := tx.SaveLogWitness(ctx, known.Cosigned(head.Size, checkpoint, line, at, time.Now())); err != nil {
			return err
		}
		alarm, err := tx.OpenWitnessAlarm(ctx, w.Name())
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		alarm, e := alarm.Reconciled(w.Key(), s.now())
		tx.Record(e)
		return tx.EndAlarm(ctx, alarm)
	})
}

// saveFailed keeps why a witness did not cosign. That it has cosigned another
// history is an alarm, once, and on record.
func (s *Service) saveFailed(ctx context.Context, w *witness.Client, head tlog.Head, why error) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		known, err := tx.LogWitness(ctx, s.Origin, w.Key())
		if err != nil {
			return err
		}
		now, _, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		refusal, contradicted := contradiction(w, why, head, now)
		problem := why.Error()
		if contradicted {
			problem = fmt.Sprintf("refused with %d: it has cosigned another history", refusal.Status)
		}
		if err := tx.SaveLogWitness(ctx, known.Failed(problem, time.Now())); err != nil || !contradicted {
			return err
		}
		switch _, err := tx.OpenWitnessAlarm(ctx, w.Name()); {
		case err == nil:
			return nil
		case !errors.Is(err, concert.ErrNotFound):
			return err
		}
		s.Log.Error("A WITNESS HAS COSIGNED ANOTHER HISTORY OF THIS LOG", "witness", w.Name(), "status", refusal.Status, "size", refusal.Size, "cosigned", refusal.Had)
		alarm, e := refusal.Refused(concert.AlarmID(identity.NewID()), hex.EncodeToString(head.Root[:]), s.now())
		tx.Record(e)
		return tx.AddAlarm(ctx, alarm)
	})
}

// contradiction tells a refusal that says something of the log's history from
// other answers. asked is the head that the witness was shown, now the database's
// after its answer: another node may have shown it a later one meanwhile.
func contradiction(w *witness.Client, why error, asked, now tlog.Head) (concert.WitnessRefusal, bool) {
	refused, ok := errors.AsType[*tlog.WitnessRefusal](why)
	if !ok {
		return concert.WitnessRefusal{}, false
	}
	r := concert.WitnessRefusal{Witness: w.Name(), Key: w.Key(), Status: refused.Status, Size: asked.Size, Root: asked.Root, Had: refused.Size}
	switch refused.Status {
	case http.StatusUnprocessableEntity:
		return r, true
	case http.StatusConflict:
		return r, refused.Size == asked.Size || refused.Size > now.Size
	}
	return r, false
}

// cosignatures is a checkpoint with the lines of the witnesses that cosigned this
// very one.
func (s *Service) cosignatures(ctx context.Context, tx *store.Tx, checkpoint string) (string, error) {
	if checkpoint == "" {
		return "", nil
	}
	all, err := tx.LogWitnesses(ctx, s.Origin)
	if err != nil {
		return "", err
	}
	return withLines(all, checkpoint), nil
}

func withLines(all []concert.LogWitness, checkpoint string) string {
	out := checkpoint
	for _, w := range all {
		if w.Checkpoint == checkpoint {
			out += w.Line
		}
	}
	return out
}

// newestCosigned is the largest head that a witness cosigned, with all lines to
// it and the time of the newest; "" where none has cosigned yet.
func (s *Service) newestCosigned(ctx context.Context, tx *store.Tx) (head tlog.Head, checkpoint string, at time.Time, err error) {
	all, err := tx.LogWitnesses(ctx, s.Origin)
	if err != nil || len(all) == 0 || all[0].Checkpoint == "" {
		return tlog.Empty(), "", at, err
	}
	signed := all[0].Checkpoint
	text, _, _ := strings.Cut(signed, "\n\n")
	c, err := tlog.ParseCheckpoint(text + "\n")
	if err != nil {
		return head, "", at, fmt.Errorf("checkpoint that %s cosigned: %w", all[0].Key, err)
	}
	for _, w := range all {
		if w.Checkpoint == signed && w.CosignedAt.After(at) {
			at = w.CosignedAt
		}
	}
	return c.Head, withLines(all, signed), at, nil
}

// LogCosigned is the newest checkpoint that a witness has cosigned, a note: a
// little older than LogCheckpoint while much happens.
func (s *Service) LogCosigned(ctx context.Context) (out string, err error) {
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		_, out, _, err = s.newestCosigned(ctx, tx)
		return err
	})
	if err == nil && out == "" {
		err = concert.Refuse(concert.NotFound, "log.not_cosigned", "", "no witness has cosigned this log yet: the newest head that the log signed alone is at /log/checkpoint")
	}
	return out, err
}

// WitnessView is a witness of the log as people are shown it.
type WitnessView struct {
	concert.LogWitness
	Name     string
	URL      string // "" of one that is asked no more
	Behind   int64  // events that it has not cosigned yet
	Late     bool
	Disagree bool // it has cosigned another history
}

// LogWitnesses are the witnesses that this node asks, and those that were asked
// before.
func (s *Service) LogWitnesses(ctx context.Context) ([]WitnessView, error) {
	var out []WitnessView
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		head, _, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		all, err := tx.LogWitnesses(ctx, s.Origin)
		if err != nil {
			return err
		}
		for _, w := range s.Witnesses {
			known, err := tx.LogWitness(ctx, s.Origin, w.Key())
			if err != nil {
				return err
			}
			out = append(out, WitnessView{LogWitness: known, Name: w.Name(), URL: w.URL})
		}
		for _, k := range all {
			if s.witness(k.Key) == nil {
				v, err := witness.Key(k.Key)
				if err != nil {
					return err
				}
				out = append(out, WitnessView{LogWitness: k, Name: v.Name()})
			}
		}
		for i := range out {
			w := &out[i]
			w.Behind, w.Late = max(0, head.Size-w.Size), w.URL != "" && w.LogWitness.Late(time.Now())
			switch _, err := tx.OpenWitnessAlarm(ctx, w.Name); {
			case err == nil:
				w.Disagree = true
			case !errors.Is(err, concert.ErrNotFound):
				return err
			}
		}
		return nil
	})
	return out, err
}

// witness is the one with this key that this node asks, nil for none.
func (s *Service) witness(key string) *witness.Client {
	for _, w := range s.Witnesses {
		if w.Key() == key {
			return w
		}
	}
	return nil
}

// AskWitnesses lets every witness that answers cosign the published head now, and
// waits for the answers, at most so long: for an export, and at an exercise's end.
// That one does not answer is no error.
func (s *Service) AskWitnesses(ctx context.Context, most time.Duration) error {
	asking, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	g, gctx := errgroup.WithContext(asking)
	head, _, err := s.publishedHead(ctx)
	if err != nil {
		return err
	}
	for _, w := range s.Witnesses {
		g.Go(func() error {
			if err := s.awaitWitness(gctx, w, head.Size); err != nil && gctx.Err() == nil {
				s.Log.Warn("witness could not be asked", "witness", w.Name(), "err", err)
			}
			return nil
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}

// awaitWitness asks a witness, or waits for the node whose turn it is, until it
// has cosigned so many events or did not cosign.
func (s *Service) awaitWitness(ctx context.Context, w *witness.Client, size int64) error {
	for {
		if err := s.askWitness(ctx, w, true); err != nil {
			return err
		}
		var known concert.LogWitness
		err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
			known, err = tx.LogWitness(ctx, s.Origin, w.Key())
			return err
		})
		if err != nil || known.Size >= size || known.Failures > 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(awaitTick):
		}
	}
}
