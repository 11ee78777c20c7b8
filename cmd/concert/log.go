package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/durable"
	"concert/internal/identity"
	"concert/internal/netguard"
	"concert/tlog"
)

// nextLogFile holds the new log's key until the database knows it.
const nextLogFile = "log.key.next"

type logCmd struct {
	Succeed logSucceedCmd `cmd:"" help:"Let the log go on under a new name and key, where the old one may sign no more. Stop every node first."`
}

type logSucceedCmd struct {
	place
	Origin string `help:"The new name, never used before: a host name and path that is yours." required:"" placeholder:"NAME"`
	Reason string `help:"Why; it is recorded." required:""`
}

// Run begins the new log over the events that are there. It can be repeated
// after it was cut off.
func (c *logSucceedCmd) Run(ctx context.Context, e *env) error {
	if !c.shared() {
		lock, err := durable.LockDir(c.Data)
		if err != nil {
			return err
		}
		defer lock.Unlock()
	}
	known, err := c.known(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Data, nextLogFile)); known != "" && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the log is %s already, in place of %s: a name is used once", c.Origin, known)
	}
	next, err := c.nextKey()
	if err != nil {
		return err
	}
	old, err := c.succeed(ctx, e, next)
	if err != nil {
		return err
	}
	if err := c.exchange(next); err != nil {
		return err
	}
	return c.withService(ctx, e, func(s *casework.Service) error {
		if err := s.PublishLog(ctx); err != nil {
			return err
		}
		v, err := s.VerifyLog(ctx, nil)
		if err != nil {
			return err
		}
		printVerdict(e.stdout, v)
		fmt.Fprintf(e.stdout, "The log goes on as %s in place of %s.\nIts key, for everyone to pin: %s\nGive every node the new %s and %s of %s, and back them up.\n", s.Origin, old, s.LogKey, logFile, originFile, c.Data)
		if !v.Verified {
			return &exitError{code: exitFailed}
		}
		return nil
	})
}

// nextKey is the new log's private key: made now, or by a run that was cut off.
func (c *logSucceedCmd) nextKey() (string, error) {
	path := filepath.Join(c.Data, nextLogFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, _, err := tlog.GenerateKey(c.Origin)
		if err != nil {
			return "", fmt.Errorf("log key of %s: %w", c.Origin, err)
		}
		return key, durable.CreateExclusive(path, []byte(key+"\n"), 0o600)
	}
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(text))
	signer, err := tlog.NewSigner(key)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if signer.Name() != c.Origin {
		return "", fmt.Errorf("%s is the key of %s, from a run that was cut off: repeat that one, or remove the file if the database does not know the name", path, signer.Name())
	}
	return key, nil
}

// succeed writes the succession into the database, unless it is there.
func (c *logSucceedCmd) succeed(ctx context.Context, e *env, next string) (old string, err error) {
	known, err := c.known(ctx)
	if err != nil || known != "" {
		return known, err
	}
	svc, err := c.open(ctx, slog.New(slog.NewTextHandler(e.stderr, nil)), netguard.Public(), false)
	if err != nil {
		return "", err
	}
	defer svc.DB.Close()
	signer, err := tlog.NewSigner(next)
	if err != nil {
		return "", err
	}
	key, err := tlog.VerifierKey(next)
	if err != nil {
		return "", err
	}
	err = svc.SucceedLog(ctx, operator, concert.LogSuccession{ID: concert.LogSuccessionID(identity.NewID()), Successor: c.Origin, SuccessorKey: key, Reason: c.Reason}, signer)
	var refused *concert.Error
	if errors.As(err, &refused) && refused.Kind != concert.Unavailable {
		// Nothing happened, so that the next try may take another name. After any
		// other error nobody knows, and the key may be the log's only one.
		err = errors.Join(err, durable.Remove(filepath.Join(c.Data, nextLogFile)))
	}
	return svc.Origin, err
}

// known is the old log's name where the database has this succession already.
func (c *logSucceedCmd) known(ctx context.Context) (string, error) {
	k, err := readKeys(c.Data)
	if err != nil {
		return "", err
	}
	return casework.SucceededBy(ctx, c.address(), k.ring, c.Origin)
}

// exchange puts the new key, name and kept checkpoint in the place of the old.
// The old private key is destroyed: nothing is signed under that name again. The
// new one stays in its own file until it is in place, so that a run that is cut
// off can be repeated.
func (c *logSucceedCmd) exchange(next string) error {
	file := func(name string) string { return filepath.Join(c.Data, name) }
	if err := durable.Remove(file(casework.CheckpointFile)); err != nil {
		return err
	}
	if err := durable.WriteFile(file(logFile), []byte(next+"\n"), 0o600); err != nil {
		return err
	}
	if err := durable.WriteFile(file(originFile), []byte(c.Origin+"\n"), 0o600); err != nil {
		return err
	}
	return durable.Remove(file(nextLogFile))
}
