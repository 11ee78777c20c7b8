package casework

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
)

// Backup writes the whole database, in one snapshot, beside whatever runs: the
// keys of what is sealed to keys, all else to data.
func (s *Service) Backup(ctx context.Context, data, keys io.Writer) (h formats.BackupHeader, rows map[string]int64, err error) {
	to := func(w io.Writer) func(formats.BackupHeader) (*formats.BackupWriter, error) {
		return func(h formats.BackupHeader) (*formats.BackupWriter, error) { return formats.NewBackupWriter(w, h) }
	}
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		h, rows, err = tx.Backup(ctx, formats.BackupHeader{Origin: s.Origin, Exercise: s.Exercise, KeyRing: ringMark(s.DB.Keys, s.Origin), LogKey: s.LogKey, Transport: concert.KeyID(s.TransportKey())}, to(data), to(keys), s.now())
		return err
	})
	return h, rows, err
}

// ringMark tells one deployment's master key from another's and nothing else.
func ringMark(ring *identity.KeyRing, origin string) string {
	sum := ring.PlaceDigest("backup", origin)
	return hex.EncodeToString(sum[:8])
}

// Restoration is a backup on its way into an empty database. The keys are those
// of the data directory that is to hold it.
type Restoration struct {
	Address   string // of the database, which must be empty
	Ring      *identity.KeyRing
	Transport ed25519.PublicKey
	Origin    string
	LogKey    string
	Exercise  bool
	Kept      *KeptCheckpoint // beside the log's key
	// Lost says that the kept checkpoint is lost for good and that nothing was
	// published after the backup: the log goes on from the backup's head.
	Lost       bool
	Data, Keys io.ReadSeeker
}

// Check reads both files to their ends and refuses what is not whole, of
// another deployment, or not fit for this data directory. It writes nothing.
func (r Restoration) Check() (formats.BackupHeader, error) {
	h, err := r.whole("the data", r.Data, formats.BackupFormat)
	if err != nil {
		return h, err
	}
	k, err := r.whole("the keys", r.Keys, formats.BackupKeysFormat)
	if err != nil {
		return h, err
	}
	if k.MadeAt < h.MadeAt {
		return h, concert.Refuse(concert.Conflict, "restore.keys_older", "", "the keys were backed up %s, the data later, %s: what was sealed in between could never be read again; give the newest key file", wallTime(k.MadeAt), wallTime(h.MadeAt))
	}
	if r.Kept.Missing() && h.LogSize > 0 && !r.Lost {
		return h, concert.Refuse(concert.Conflict, "restore.no_checkpoint", "", "%s is not beside the log's key: without it nobody can tell whether the log published more than this backup has, and signing on could be a second history. Copy it from any node's data directory; if it is lost everywhere and nothing was published after %s, say so with -lost-checkpoint", CheckpointFile, wallTime(h.MadeAt))
	}
	return h, nil
}

func wallTime(us int64) string { return concert.FromMicros(us).Format(time.RFC3339) }

// whole checks one file's header against the data directory, then its content.
func (r Restoration) whole(what string, f io.ReadSeeker, format string) (formats.BackupHeader, error) {
	b, err := r.open(f, format)
	if err != nil {
		return formats.BackupHeader{}, fmt.Errorf("%s: %w", what, err)
	}
	h := b.Header
	known, err := store.KnownSchema()
	if err != nil {
		return h, err
	}
	switch {
	case h.Schema > known:
		return h, concert.Refuse(concert.Conflict, "restore.schema", "", "%s: the backup has schema version %d, this program knows %d: use the newer program that made it", what, h.Schema, known)
	case h.Origin != r.Origin:
		return h, concert.Refuse(concert.Conflict, "restore.origin", "", "%s: the backup is of %q, this data directory of %q: restore it with the keys it was made under", what, h.Origin, r.Origin)
	case h.Exercise && !r.Exercise:
		return h, concert.Refuse(concert.Conflict, "restore.exercise", "", "%s: the backup is of an exercise and can only be restored as one: the data directory needs the file EXERCISE of the one it was made in", what)
	case r.Exercise && !h.Exercise:
		return h, concert.Refuse(concert.Conflict, "restore.exercise", "", "%s: the backup is of a live deployment, this data directory is an exercise's: they never mix", what)
	case h.KeyRing != ringMark(r.Ring, r.Origin):
		return h, concert.Refuse(concert.Conflict, "restore.master_key", "", "%s: the backup was made under another master.key than this data directory has: nothing sealed in it could be read; put back the master.key of that time", what)
	case h.LogKey != r.LogKey:
		return h, concert.Refuse(concert.Conflict, "restore.log_key", "", "%s: the backup was made under another log.key than this data directory has: put back the one of that time", what)
	case h.Transport != concert.KeyID(r.Transport):
		return h, concert.Refuse(concert.Conflict, "restore.transport_key", "", "%s: the backup was made under another transport.key than this data directory has: put back the one of that time", what)
	}
	if _, err := store.CheckBackup(b, r.Ring); err != nil {
		return h, fmt.Errorf("%s: %w", what, err)
	}
	return h, nil
}

func (r Restoration) open(f io.ReadSeeker, format string) (*formats.BackupReader, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return formats.NewBackupReader(f, format)
}

// Load fills the empty database and opens it, marked as not finished: the next
// act on it is HoldRestored.
func (r Restoration) Load(ctx context.Context) (*store.DB, error) {
	data, err := r.open(r.Data, formats.BackupFormat)
	if err != nil {
		return nil, err
	}
	keys, err := r.open(r.Keys, formats.BackupKeysFormat)
	if err != nil {
		return nil, err
	}
	return store.Restore(ctx, r.Address, r.Ring, data, keys)
}

// HoldRestored ends a restore: dispatch is held, since what the backup's queue
// would send may have gone out after it was made. It returns how many items can
// be read no more because they were erased since.
func (s *Service) HoldRestored(ctx context.Context, by concert.Actor, madeAt int64) (erased int64, err error) {
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		if erased, err = tx.Restored(ctx, s.now()); err != nil {
			return err
		}
		h, held, err := tx.DispatchHeld(ctx)
		if err != nil {
			return err
		}
		if held {
			// It was held when the backup was made and stays so; that it was
			// restored is told all the same.
			tx.Record(concert.NewEvent(concert.EventDispatchHeld, by, string(h.ID), s.now(), concert.DispatchHoldBody{Cause: concert.CauseRestored, Erased: erased}))
			return nil
		}
		_, err = s.holdDispatch(ctx, tx, by, concert.CauseRestored, "Restored from the backup of "+wallTime(madeAt)+".", erased)
		return err
	})
	return erased, err
}

// Finished refuses a database whose restore was cut off before dispatch was
// held.
func Finished(ctx context.Context, db *store.DB) error {
	return db.View(ctx, func(tx *store.Tx) error {
		restoring, err := tx.Restoring(ctx)
		if err == nil && restoring {
			err = concert.Refuse(concert.Conflict, "restore.unfinished", "", "the restore into this database was cut off before dispatch was held: begin again with an empty database")
		}
		return err
	})
}
