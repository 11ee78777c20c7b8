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
type Handlers struct {
	Evidence bool // this node has bytes of exhibits, and works the jobs that need them

	workers *river.Workers
	ending  <-chan struct{} // closed when the node's work ends; set by Work before anything runs
}

// NewHandlers is an empty table.
func NewHandlers() *Handlers {
	return &Handlers{workers: river.NewWorkers()}
}

// Handle adds the handler of one kind of job. An error makes the queue try
// again later.
func Handle[J concert.Job](h *Handlers, fn func(context.Context, J) error) {
	river.AddWorker(h.workers, river.WorkFunc(func(ctx context.Context, job *river.Job[J]) error { return fn(ctx, job.Args) }))
}

// HandleLong is Handle for a job that may take up to the limit. It is cut short when
// the node ends in good order, so that another takes it over at once.
func HandleLong[J concert.Job](h *Handlers, limit time.Duration, fn func(context.Context, J) error) {
	river.AddWorker(h.workers, &longWorker[J]{limit: limit, work: func(ctx context.Context, j J) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-h.ending:
				cancel()
			case <-ctx.Done():
			}
		}()
		return fn(ctx, j)
	}})
}

// longWorker has a limit of its own.
type longWorker[J concert.Job] struct {
	river.WorkerDefaults[J]
	limit time.Duration
	work  func(context.Context, J) error
}

// Timeout is the limit.
func (w *longWorker[J]) Timeout(*river.Job[J]) time.Duration { return w.limit }

// Work runs the job.
func (w *longWorker[J]) Work(ctx context.Context, job *river.Job[J]) error {
	return w.work(ctx, job.Args)
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

// queueEvidence is the queue of jobs that read exhibits: only nodes that have some
// work it, one job at a time, since each takes all of a disk.
const queueEvidence = "evidence"

func queueOf(kind concert.ClockKind) string {
	switch kind {
	case concert.ClockDeliver:
		return queueOut
	case concert.ClockAnalysis:
		return queueEvidence
	}
	return river.QueueDefault
}

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
		opts := &river.InsertOpts{MaxAttempts: retryMost, Priority: kind.Rank(), Queue: queueOf(kind), UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished}}
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

// Alone reports whether no other node can work on this database.
func (db *DB) Alone() bool { return db.line != nil }

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
	h.ending = ctx.Done()
	if h.Evidence {
		cfg.Queues[queueEvidence] = river.QueueConfig{MaxWorkers: 1}
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
