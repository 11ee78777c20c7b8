package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

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

// Enqueue keeps jobs with the act; they run after it commits.
func (tx *Tx) Enqueue(ctx context.Context, jobs ...concert.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{Args: j}
	}
	if _, err := tx.db.queue.InsertManyFastTx(ctx, tx.tx, params); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}

// jobTimeout is short, and rescue follows soon after, so that the work of a
// node that died goes on elsewhere.
const (
	jobTimeout = 60 * time.Second
	jobRescue  = 75 * time.Second
	jobPoll    = 100 * time.Millisecond
)

// Work runs jobs on this node until the context ends, several at once.
func (db *DB) Work(ctx context.Context, h *Handlers, log *slog.Logger, workers int) error {
	cfg := &river.Config{
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:              h.workers,
		FetchPollInterval:    jobPoll,
		FetchCooldown:        jobPoll / 2,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: jobRescue,
		Logger:               log,
		PollOnly:             true,
		ReindexerSchedule:    neverReindex{},
	}
	q, err := river.NewClient(db.d.queue(db.write), cfg)
	if err != nil {
		return fmt.Errorf("job queue: %w", err)
	}
	if err := q.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	<-ctx.Done()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := q.Stop(stop); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

// neverReindex keeps the queue from rebuilding its indexes, which the embedded
// database cannot do beside readers.
type neverReindex struct{}

// Next is never.
func (neverReindex) Next(now time.Time) time.Time { return now.AddDate(100, 0, 0) }

var _ river.PeriodicSchedule = neverReindex{}
