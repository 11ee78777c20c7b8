package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/durable"
	"concert/internal/formats"
	"concert/internal/netguard"
	"concert/internal/store"
	"concert/internal/vault"
	"concert/tlog"
)

type backupCmd struct {
	place
	Keys string `help:"File for the keys of what is sealed: keep it apart, and only the newest; FILE.keys when left out." placeholder:"KEYFILE"`
	File string `arg:"" help:"File to write the data to; it must not exist yet."`
}

// Run backs up the whole database, beside whatever serves it.
func (c *backupCmd) Run(ctx context.Context, e *env) error {
	if c.Keys == "" {
		c.Keys = c.File + ".keys"
	}
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("%s: %w: a backup overwrites none, name another file", c.File, fs.ErrExist)
	}
	return c.withService(ctx, e, func(s *casework.Service) error {
		data, err := durable.NewPending(c.File, 0o600)
		if err != nil {
			return err
		}
		defer data.Drop()
		keys, err := durable.NewPending(c.Keys, 0o600)
		if err != nil {
			return err
		}
		defer keys.Drop()
		h, rows, err := s.Backup(ctx, data, keys)
		if err != nil {
			return err
		}
		// The keys first: newer keys open older data, older keys lose newer data.
		if err := errors.Join(keys.Replace(), data.Create()); err != nil {
			return err
		}
		captures, err := vault.OpenDir(c.File + capturesSuffix)
		if err != nil {
			return err
		}
		files, err := s.BackupCaptures(ctx, captures)
		if err != nil {
			return err
		}
		defer tellCaptures(e.stdout, "Captures' files: "+c.File+capturesSuffix, files)
		fmt.Fprintf(e.stdout, "Backed up %s as of %s: %d rows of %d tables, log of %d events, root %s\nData: %s\nKeys: %s (keep them apart from the data, and only the newest)\n",
			h.Origin, concert.FromMicros(h.MadeAt).Format(time.RFC3339), total(rows), len(rows), h.LogSize, h.LogRoot, c.File, c.Keys)
		return nil
	})
}

// capturesSuffix names the directory beside a backup that holds the sealed files
// of captures. The same one may serve several backups: files never change.
const capturesSuffix = ".captures"

func tellCaptures(w io.Writer, where string, files casework.CaptureFiles) {
	fmt.Fprintf(w, "%s: %d verified\n", where, files.Copied)
	for _, name := range files.Missing {
		fmt.Fprintf(w, "  MISSING or damaged: %s\n", name)
	}
}

func total(rows map[string]int64) (n int64) {
	for _, m := range rows {
		n += m
	}
	return n
}

type restoreCmd struct {
	place
	Keys           string `help:"The newest file of keys; FILE.keys when left out." placeholder:"KEYFILE"`
	Captures       string `help:"The directory with the captures' sealed files; FILE.captures when left out." placeholder:"DIR"`
	LostCheckpoint bool   `help:"log.checkpoint is lost on every node and nothing was published after the backup: let the log go on from the backup's head."`
	File           string `arg:"" help:"The backup's data."`
}

// Run restores a backup into an empty database, verifies it, and leaves
// dispatch held.
func (c *restoreCmd) Run(ctx context.Context, e *env) error {
	if c.Keys == "" {
		c.Keys = c.File + ".keys"
	}
	k, err := readKeys(c.Data)
	if err != nil {
		return fmt.Errorf("%w; for a restore, put there the deployment's own %s, %s, %s and %s, and the newest %s", err, masterFile, transportFile, logFile, originFile, casework.CheckpointFile)
	}
	if !c.shared() {
		lock, err := durable.LockDir(c.Data)
		if err != nil {
			return err
		}
		defer lock.Unlock()
	}
	data, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer data.Close()
	keys, err := os.Open(c.Keys)
	if err != nil {
		return fmt.Errorf("the keys: %w; they lie apart from the data: name their file with -keys", err)
	}
	defer keys.Close()
	r, err := c.restoration(k, data, keys)
	if err != nil {
		return err
	}
	h, err := r.Check()
	if err != nil {
		return err
	}
	db, err := r.Load(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return c.conclude(ctx, e, k, db, h)
}

func (c *restoreCmd) restoration(k keys, data, apart io.ReadSeeker) (casework.Restoration, error) {
	logKey, err := tlog.VerifierKey(k.log)
	if err != nil {
		return casework.Restoration{}, fmt.Errorf("%s: %w", logFile, err)
	}
	kept, err := c.kept(k.origin, logKey)
	if err != nil {
		return casework.Restoration{}, err
	}
	return casework.Restoration{Address: c.address(), Ring: k.ring, Transport: k.public(), Origin: k.origin, LogKey: logKey, Exercise: k.exercise, Kept: kept, Lost: c.LostCheckpoint, Data: data, Keys: apart}, nil
}

// conclude holds dispatch, verifies what was restored and tells of it.
func (c *restoreCmd) conclude(ctx context.Context, e *env, k keys, db *store.DB, h formats.BackupHeader) error {
	svc, err := c.service(ctx, db, k, slog.New(slog.NewTextHandler(e.stderr, nil)), netguard.Public(), false)
	if err != nil {
		return err
	}
	erased, err := svc.HoldRestored(ctx, operator, h.MadeAt)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Restored %s as of %s from %s into %s.\n", h.Origin, concert.FromMicros(h.MadeAt).Format(time.RFC3339), h.Database, db.Dialect())
	if erased > 0 {
		fmt.Fprintf(e.stdout, "%d items were erased after this backup was made: their keys are gone, they stay erased.\n", erased)
	}
	// The restored head is kept, and nothing is signed: that is for the node that
	// serves, so that a drill leaves no second history. A log that may not be
	// signed on is told by the verdict.
	var refused *concert.Error
	if _, err := svc.LogCheckpoint(ctx); err != nil && !errors.As(err, &refused) {
		return err
	}
	v, err := svc.VerifyRestored(ctx)
	if err != nil {
		return err
	}
	printVerdict(e.stdout, v)
	if c.Captures == "" {
		c.Captures = c.File + capturesSuffix
	}
	from, err := vault.OpenDir(c.Captures)
	if err != nil {
		return err
	}
	files, err := svc.RestoreCaptures(ctx, from)
	if err != nil {
		return err
	}
	tellCaptures(e.stdout, "Captures' files: "+filepath.Join(c.Data, capturesDir), files)
	fmt.Fprintf(e.stdout, "Dispatch is held: nothing goes out until an administrator releases it, on the page /dispatch or with: concert release -server URL -key csk_… -reason TEXT\n")
	if !v.Verified || len(files.Missing) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

type releaseCmd struct {
	Server string `help:"Address of the server." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key    string `help:"API key of an administrator." required:"" placeholder:"csk_…"`
	Reason string `help:"What was checked before everything goes out." required:""`
}

// Run releases dispatch.
func (c *releaseCmd) Run(ctx context.Context, e *env) error {
	if _, err := (&api.Client{Base: c.Server, Key: c.Key}).ReleaseDispatch(ctx, api.Call{}, api.DispatchReason{Reason: c.Reason}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.stdout, "Dispatch is released: what waits goes out now.")
	return err
}

// kept is the checkpoint beside the log's key.
func (p place) kept(origin, logKey string) (*casework.KeptCheckpoint, error) {
	return casework.OpenKeptCheckpoint(filepath.Join(p.Data, casework.CheckpointFile), origin, logKey)
}
