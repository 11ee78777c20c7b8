package casework

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/internal/durable"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/tlog"
)

// CheckpointFile is the name, beside the log's key, under which a node keeps
// the last checkpoint that it signed, served or saw committed.
const CheckpointFile = "log.checkpoint"

const (
	// metaBehind keeps, in a database that a node found to be older than what was
	// published, the checkpoint that shows it: no node signs on from there.
	metaBehind = "log.behind"
	// metaOrigin names the deployment that a database belongs to.
	metaOrigin = "origin"
)

// KeptCheckpoint is the last checkpoint that this node knows to exist: in a file
// that is never part of the database, so that a restored database cannot bring
// back an old one. A log that does not go on from it is not signed.
type KeptCheckpoint struct {
	path   string
	origin string
	keys   note.Verifiers

	mu     sync.Mutex // guards all below
	head   tlog.Head
	text   string
	warned time.Time
}

// OpenKeptCheckpoint reads the file at path; one that is not there yet is an
// empty log's. A checkpoint of another log, or one that this key did not sign,
// is refused.
func OpenKeptCheckpoint(path, origin, logKey string) (*KeptCheckpoint, error) {
	v, err := tlog.NewVerifier(logKey)
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	k := &KeptCheckpoint{path: path, origin: origin, keys: note.VerifierList(v), head: tlog.Empty()}
	k.head, k.text, err = k.read()
	return k, err
}

// Missing reports whether the file was never written.
func (k *KeptCheckpoint) Missing() bool {
	_, err := os.Stat(k.path)
	return errors.Is(err, fs.ErrNotExist)
}

// Head is the kept head and its checkpoint, "" for an empty log.
func (k *KeptCheckpoint) Head() (tlog.Head, string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.head, k.text
}

func (k *KeptCheckpoint) read() (tlog.Head, string, error) {
	text, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return tlog.Empty(), "", nil
	}
	if err != nil {
		return tlog.Head{}, "", err
	}
	c, err := k.open(string(text))
	if err != nil {
		return tlog.Head{}, "", fmt.Errorf("%s: %w; it lies beside the log's key and belongs to it: put back the one that belongs to this key", k.path, err)
	}
	return c, string(text), nil
}

func (k *KeptCheckpoint) open(text string) (tlog.Head, error) {
	c, _, err := tlog.OpenCheckpoint([]byte(text), k.origin, k.keys)
	return c.Head, err
}

// keep writes a checkpoint that follows the kept one and returns once it is on
// the disk. Another process on this directory may have written a later one,
// which stays.
func (k *KeptCheckpoint) keep(head tlog.Head, text string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.text == text || head.Size < k.head.Size {
		return nil
	}
	if signed, err := k.open(text); err != nil || signed != head {
		return errors.Join(fmt.Errorf("the database's checkpoint is not that of its head %d, signed by this log's key", head.Size), err)
	}
	return durable.Alone(k.path, func() error {
		onDisk, was, err := k.read()
		if err != nil {
			return err
		}
		if onDisk.Size > head.Size {
			k.head, k.text = onDisk, was
			return nil
		}
		if err := durable.WriteFile(k.path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("keep the checkpoint: %w", err)
		}
		k.head, k.text = head, text
		return nil
	})
}

// warn reports whether it is time to say again that the log stands still.
func (k *KeptCheckpoint) warn() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.warned) < time.Minute {
		return false
	}
	k.warned = time.Now()
	return true
}

// codeBehind is the refusal of a log that is older than what it published.
const codeBehind = "log.behind"

// unsigned is what follows of it, and the way out.
const unsigned = ". Nothing is signed, since it would be a second history. Restore a newer backup; where there is none, go on under a new name: concert log succeed (docs/backup.md)"

// isBehind reports whether an error says that the log may not be signed on.
func isBehind(err error) bool {
	var e *concert.Error
	return errors.As(err, &e) && e.Code == codeBehind
}

// follows reports whether the tree at head, whose tiles the transaction reads,
// goes on from an earlier one.
func follows(ctx context.Context, tx *store.Tx, earlier, head tlog.Head) error {
	switch {
	case head == earlier || earlier.Size == 0:
		return nil
	case head.Size < earlier.Size:
		return concert.Refuse(concert.Conflict, "log.behind", "", "the log in the database has %d events, a checkpoint over %d was published: the database is older than that"+unsigned, head.Size, earlier.Size)
	case head.Size == earlier.Size:
		return concert.Refuse(concert.Conflict, "log.behind", "", "the log in the database has another history than the published checkpoint over the same %d events"+unsigned, head.Size)
	}
	proof, err := tlog.ConsistencyProof(head.Size, earlier.Size, func(t tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, t) })
	if err != nil {
		return err
	}
	if err := tlog.CheckConsistency(proof, earlier, head); err != nil {
		if errors.Is(err, tlog.ErrProof) {
			return concert.Refuse(concert.Conflict, "log.behind", "", "the log in the database, with %d events, does not go on from the published checkpoint over %d"+unsigned, head.Size, earlier.Size)
		}
		return err
	}
	return nil
}

// standing is the database's signed head, once it is seen to go on from
// everything that this node knows to be published. The kept head is read before
// the snapshot begins, so that a snapshot can only be as new or newer.
func (s *Service) standing(ctx context.Context) (head tlog.Head, checkpoint string, err error) {
	kept := tlog.Empty()
	if s.Kept != nil {
		kept, _ = s.Kept.Head()
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		if head, checkpoint, err = tx.LogHead(ctx); err != nil || s.Kept == nil {
			return err
		}
		origin, err := tx.Meta(ctx, metaOrigin)
		if err != nil {
			return err
		}
		if origin != "" && origin != s.Origin {
			return concert.Refuse(concert.Conflict, "log.succeeded", "", "this log was succeeded by %s: stop this node and give it that log's key and origin", origin)
		}
		shown, err := tx.Meta(ctx, metaBehind)
		if err != nil {
			return err
		}
		if shown != "" {
			published, err := s.Kept.open(shown)
			if err != nil {
				return fmt.Errorf("checkpoint that another node showed: %w", err)
			}
			if err := follows(ctx, tx, published, head); err != nil {
				return err
			}
		}
		return follows(ctx, tx, kept, head)
	})
	return head, checkpoint, err
}

// publishedHead is the head that may be shown: it goes on from what was
// published before, and this node keeps it before anyone sees it.
func (s *Service) publishedHead(ctx context.Context) (tlog.Head, string, error) {
	head, checkpoint, err := s.standing(ctx)
	if err != nil || s.Kept == nil || checkpoint == "" {
		return head, checkpoint, err
	}
	return head, checkpoint, s.Kept.keep(head, checkpoint)
}

// LogBehind says why the log may not be signed on, nil where it may.
func (s *Service) LogBehind(ctx context.Context) (*concert.Error, error) {
	_, _, err := s.standing(ctx)
	return refusal(err)
}

// markBehind shows every node of the deployment what this one keeps.
func (s *Service) markBehind(ctx context.Context) error {
	_, kept := s.Kept.Head()
	if kept == "" {
		return nil
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		shown, err := tx.Meta(ctx, metaBehind)
		if err != nil || shown != "" {
			return err
		}
		return tx.SetMeta(ctx, metaBehind, kept)
	})
}

// SucceedLog lets the log go on under a new name and key: the tree stays, the
// old name signs nothing any more, and an event tells which head it last
// published. The act is for the operator at the machine, with every node
// stopped; what it changed takes effect when the nodes start with the new key.
func (s *Service) SucceedLog(ctx context.Context, by concert.Actor, l concert.LogSuccession, successor note.Signer) error {
	if err := by.Need(concert.RoleAdministrator); err != nil {
		return err
	}
	if len(l.Reason) < 10 {
		return concert.Refuse(concert.Invalid, "log.reason", "reason", "a log that goes on under a new name needs a reason of at least ten characters: whoever verified the old one will ask")
	}
	if l.Successor == s.Origin {
		return concert.Refuse(concert.Invalid, "log.origin", "origin", "the new log needs a name that was never used: %s is the old one's", s.Origin)
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		head, checkpoint, err := tx.LogHead(ctx)
		if err != nil {
			return err
		}
		l.Origin, l.Key, l.Size, l.Root, l.Checkpoint, l.By, l.At = s.Origin, s.LogKey, head.Size, head.Root, checkpoint, by.Person, s.now()
		if s.Kept != nil {
			if kept, text := s.Kept.Head(); kept.Size > head.Size || kept.Size == head.Size && kept != head {
				l.Size, l.Root, l.Checkpoint = kept.Size, kept.Root, text
			}
		}
		signed := ""
		if head.Size > 0 {
			msg, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.Successor, Head: head}, successor)
			if err != nil {
				return err
			}
			signed = string(msg)
		}
		if err := tx.SucceedLog(ctx, l, signed); err != nil {
			return err
		}
		e := concert.NewEvent(concert.EventLogSucceeded, by, string(l.ID), l.At, concert.LogSuccessionBody{Origin: l.Origin, Key: l.Key, Size: l.Size, Root: hex.EncodeToString(l.Root[:]), Successor: l.Successor, SuccessorKey: l.SuccessorKey})
		tx.Record(e.WithSealed(concert.SealedReason{Reason: l.Reason}))
		if err := tx.SetMeta(ctx, metaBehind, ""); err != nil {
			return err
		}
		return tx.SetMeta(ctx, metaOrigin, l.Successor)
	})
}

// LogSuccessions are the logs that this one goes on from, oldest first.
func (s *Service) LogSuccessions(ctx context.Context) ([]concert.LogSuccession, error) {
	var out []concert.LogSuccession
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.LogSuccessions(ctx)
		return err
	})
	return out, err
}

// SucceededBy is the name of the log that was succeeded by this one in the
// database at the address, "" where none was: for a succession that was cut off
// before the data directory knew of it.
func SucceededBy(ctx context.Context, address string, ring *identity.KeyRing, successor string) (origin string, err error) {
	db, err := store.Open(ctx, address, ring)
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.View(ctx, func(tx *store.Tx) error {
		all, err := tx.LogSuccessions(ctx)
		for _, l := range all {
			if l.Successor == successor {
				origin = l.Origin
			}
		}
		return err
	})
	return origin, err
}
