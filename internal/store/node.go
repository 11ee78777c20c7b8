package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	nodeTick = time.Second
	// nodeLooks is how many looks in a row must find a node's number unchanged
	// before it is taken for dead. Looks are counted, not seconds: a node that
	// was itself away, or without its database, has looked at nobody.
	nodeLooks = 5
	// rescueMost bounds the running jobs that one look goes through: there are
	// two dozen a node.
	rescueMost = 1000
)

// nodes is what one node knows of all.
type nodes struct {
	db   *DB
	self string
	seen map[string]*heard
}

type heard struct {
	beat int64
	same int // looks that found no change
}

// beat tells the others that this node lives.
func (n *nodes) beat(ctx context.Context) error {
	return n.db.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, "INSERT INTO node (id, beat) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET beat = node.beat + 1", n.self)
		return err
	})
}

// look finds the dead, gives their jobs to whoever comes first and forgets
// them. A node that was only slow does no harm: handlers read anew and swap by
// version, and a webhook keeps its id, so a job may run twice.
func (n *nodes) look(ctx context.Context) (rescued int, err error) {
	beats := map[string]int64{}
	err = n.db.View(ctx, func(tx *Tx) error {
		_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
			var id string
			var beat int64
			err := r.Scan(&id, &beat)
			beats[id] = beat
			return struct{}{}, err
		}, "SELECT id, beat FROM node")
		return err
	})
	if err != nil {
		return 0, err
	}
	for id := range n.seen {
		if _, ok := beats[id]; !ok {
			delete(n.seen, id)
		}
	}
	dead := map[string]bool{}
	for id, beat := range beats {
		h := n.seen[id]
		if h == nil || h.beat != beat {
			n.seen[id] = &heard{beat: beat}
			continue
		}
		if h.same++; h.same >= nodeLooks && id != n.self {
			dead[id] = true
		}
	}
	if len(dead) == 0 {
		return 0, nil
	}
	rescued, err = n.db.rescue(ctx, func(id string) bool { return dead[id] })
	if err != nil {
		return rescued, err
	}
	return rescued, n.db.Update(ctx, func(tx *Tx) error {
		for id := range dead {
			if _, err := tx.exec(ctx, "DELETE FROM node WHERE id = ? AND beat = ?", id, beats[id]); err != nil {
				return err
			}
		}
		return nil
	})
}

// watch beats and looks until the context ends.
func (n *nodes) watch(ctx context.Context, log *slog.Logger) {
	t := time.NewTicker(nodeTick)
	defer t.Stop()
	for {
		err := n.beat(ctx)
		rescued := 0
		if err == nil {
			rescued, err = n.look(ctx)
		}
		if err != nil && ctx.Err() == nil {
			// The ticks beside this one complain of a lasting trouble.
			log.Debug("nodes were not looked at", "err", err)
		}
		if rescued > 0 {
			log.Warn("jobs of a node that died go on here or elsewhere", "jobs", rescued)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// leave forgets this node, whose jobs are done.
func (n *nodes) leave(ctx context.Context) error {
	return n.db.Update(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, "DELETE FROM node WHERE id = ?", n.self)
		return err
	})
}

// rescue makes the running jobs of the dead available again. It returns how
// many.
func (db *DB) rescue(ctx context.Context, dead func(node string) bool) (int, error) {
	found, err := db.queue.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).First(rescueMost))
	if err != nil {
		return 0, fmt.Errorf("look for jobs of dead nodes: %w", err)
	}
	n := 0
	err = db.Update(ctx, func(tx *Tx) error {
		n = 0
		for _, j := range found.Jobs {
			if len(j.AttemptedBy) == 0 || !dead(j.AttemptedBy[len(j.AttemptedBy)-1]) {
				continue
			}
			// Another node may have done the same, and the job may run again already.
			rows, err := tx.exec(ctx, "UPDATE river_job SET state = 'available' WHERE id = ? AND attempt = ? AND state = 'running'", j.ID, j.Attempt)
			if err != nil {
				return fmt.Errorf("take over a job: %w", err)
			}
			n += int(rows)
		}
		return nil
	})
	return n, err
}

// retry is when a job that failed runs again: soon, since most failures are
// another's outage, and less often once they last. Up to five seconds no
// leader of the queue is needed.
type retry struct{}

const (
	retrySoonMost = 5
	retryOften    = 20 // attempts
	retryLater    = time.Minute
	// retryMost attempts are a week of them; the queue drops a job after its
	// last.
	retryMost = 10_000
)

// NextRetry is when.
func (retry) NextRetry(job *rivertype.JobRow) time.Time {
	if job.Attempt > retryOften {
		return time.Now().Add(retryLater)
	}
	return time.Now().Add(time.Duration(min(max(job.Attempt, 1), retrySoonMost)) * time.Second)
}

var _ river.ClientRetryPolicy = retry{}
