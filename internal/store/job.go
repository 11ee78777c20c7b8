package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"concert"
)

// Handlers is the table of what runs which kind of job. Fill it with Handle.
type Handlers struct{ workers *river.Workers }

// NewHandlers is an empty table.
func NewHandlers() *Handlers { return &Handlers{river.NewWorkers()} }

// Handle adds the handler of one kind of job. An error makes the queue try
// again later.
func Handle[J concert.Job](h *Handlers, fn func(context.Context, J) error) {
	river.AddWorker(h.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[J]) error { return fn(ctx, job.Args) }))
}

func (db *DB) openQueue() error {
	q, err := river.NewClient(db.d.queue(db.write), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	db.queue = q
	return nil
}

// queueOut is the queue of jobs that wait for others' machines, so that a slow
// one holds up nothing else.
const queueOut = "out"

// enqueue keeps jobs with the transaction; they run after it commits. A job
// that waits or runs already is not kept twice: taken says of each whether it
// was.
func (tx *Tx) enqueue(ctx context.Context, jobs []concert.Job) (taken []bool, err error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		kind := concert.ClockKind(j.Kind())
		opts := &river.InsertOpts{MaxAttempts: retryMost, Priority: kind.Rank(), UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished}}
		if kind == concert.ClockDeliver {
			opts.Queue = queueOut
		}
		params[i] = river.InsertManyParams{Args: j, InsertOpts: opts}
	}
	results, err := tx.db.queue.InsertManyTx(tx.steady(ctx), tx.tx, params)
	if err != nil {
		return nil, fmt.Errorf("enqueue: %w", err)
	}
	taken = make([]bool, len(results))
	for i, r := range results {
		taken[i] = !r.UniqueSkippedAsDuplicate
	}
	return taken, nil
}

// unfinished are the states in which a job stands for any later one like it.
var unfinished = []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled}

// jobTimeout is short, and rescue follows soon after, for the work of a node
// that is alive and stuck. That of a dead one goes on much sooner (node.go).
const (
	jobTimeout = 60 * time.Second
	jobRescue  = 75 * time.Second
	jobPoll    = 100 * time.Millisecond
)

// Work runs jobs on this node until the context ends, several at once.
func (db *DB) Work(ctx context.Context, h *Handlers, log *slog.Logger, workers int) error {
	id := rand.Text()
	cfg := &river.Config{
		ID:                   id,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}, queueOut: {MaxWorkers: workers}},
		Workers:              h.workers,
		FetchPollInterval:    jobPoll,
		FetchCooldown:        jobPoll / 2,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: jobRescue,
		Logger:               log,
		PollOnly:             true,
		RetryPolicy:          retry{},
		ReindexerSchedule:    neverReindex{},
	}
	q, err := river.NewClient(db.d.queue(db.write), cfg)
	if err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	others := &nodes{db: db, self: id, seen: map[string]*heard{}}
	if db.line != nil {
		// Nobody else works on an embedded database, so whoever runs there is dead.
		n, err := db.rescue(ctx, func(string) bool { return true })
		if err != nil && ctx.Err() == nil {
			return err
		}
		if n > 0 {
			log.Warn("jobs that the last run left go on", "jobs", n)
		}
	} else if err := others.beat(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	if err := q.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	beating, still := context.WithCancel(context.WithoutCancel(ctx))
	defer still()
	var watching sync.WaitGroup
	if db.line == nil {
		watching.Go(func() { others.watch(beating, log) })
	}
	<-ctx.Done()
	// Jobs still run: until they have ended the other nodes must not take this
	// one for dead.
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = q.Stop(stop)
	still()
	watching.Wait()
	if err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	if db.line == nil {
		if err := others.leave(stop); err != nil {
			log.Warn("the other nodes were not told that this one ends: they will find out", "err", err)
		}
	}
	return nil
}

// neverReindex keeps the queue from rebuilding its indexes, which the embedded
// database cannot do beside readers.
type neverReindex struct{}

// Next is never.
func (neverReindex) Next(now time.Time) time.Time { return now.AddDate(100, 0, 0) }

var _ river.PeriodicSchedule = neverReindex{}
