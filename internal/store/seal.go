package store

import (
	"context"
	"encoding/json"
	"fmt"

	"concert"
	"concert/internal/identity"
)

// newSubjects makes the keys of new subjects (items, referrals, holds). Their
// rows are written at once, so that nothing is ever sealed under a key that is not kept.
func (tx *Tx) newSubjects(ctx context.Context, subjects ...string) error {
	rows := make([][]any, len(subjects))
	for i, s := range subjects {
		k := identity.NewItemKey()
		tx.keys[s] = identity.NewSealer(k)
		rows[i] = []any{s, tx.db.Keys.WrapKey(k, []byte(s))}
	}
	_, err := tx.insert(ctx, "subject_key", "subject, wrapped", rows, "")
	return err
}

// knowKey remembers a subject's key that was read beside its row; a nil one
// means that the subject was erased.
func (tx *Tx) knowKey(subject string, wrapped []byte) error {
	if len(wrapped) == 0 {
		return nil
	}
	if _, ok := tx.keys[subject]; ok {
		return nil
	}
	k, err := tx.db.Keys.UnwrapKey(wrapped, []byte(subject))
	if err != nil {
		return fmt.Errorf("key of %s: %w (is this the data directory's own master key?)", subject, err)
	}
	tx.keys[subject] = identity.NewSealer(k)
	return nil
}

// sealer is the subject's key, loaded where this transaction has not met it.
func (tx *Tx) sealer(ctx context.Context, subject string) (identity.Sealer, bool, error) {
	if s, ok := tx.keys[subject]; ok {
		return s, true, nil
	}
	var wrapped []byte
	err := tx.row(ctx, "SELECT wrapped FROM subject_key WHERE subject = ?", subject).Scan(&wrapped)
	if err == concert.ErrNotFound {
		return identity.Sealer{}, false, nil
	}
	if err != nil {
		return identity.Sealer{}, false, err
	}
	if err := tx.knowKey(subject, wrapped); err != nil {
		return identity.Sealer{}, false, err
	}
	return tx.keys[subject], true, nil
}

// seal encrypts v, as JSON, for the subject.
func (tx *Tx) seal(ctx context.Context, subject, what string, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", what, subject, err)
	}
	return tx.sealBytes(ctx, subject, what, raw)
}

func (tx *Tx) sealBytes(ctx context.Context, subject, what string, raw []byte) ([]byte, error) {
	s, ok, err := tx.sealer(ctx, subject)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("seal %s of %s: the subject has no key", what, subject)
	}
	return s.Seal(raw, []byte(what+":"+subject)), nil
}

// open decrypts JSON into v; sealed text of an erased subject leaves v as it is.
func (tx *Tx) open(ctx context.Context, subject, what string, sealed []byte, v any) error {
	raw, err := tx.openBytes(ctx, subject, what, sealed)
	if err != nil || raw == nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("open %s of %s: %w", what, subject, err)
	}
	return nil
}

// openBytes decrypts; nil where there is nothing, or nothing any more.
func (tx *Tx) openBytes(ctx context.Context, subject, what string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	s, ok, err := tx.sealer(ctx, subject)
	if err != nil || !ok {
		return nil, err
	}
	raw, err := s.Open(sealed, []byte(what+":"+subject))
	if err != nil {
		return nil, fmt.Errorf("open %s of %s: %w", what, subject, err)
	}
	return raw, nil
}

// eraseSealed destroys the key of a row and what lay under it.
func (tx *Tx) eraseSealed(ctx context.Context, table, id, ref string) error {
	tx.touch(table)
	for text, of := range map[string]string{"UPDATE " + table + " SET sealed = NULL WHERE id = ?": id, "DELETE FROM subject_key WHERE subject = ?": id, "DELETE FROM idempotency WHERE subject <> '' AND subject = ?": ref} {
		if _, err := tx.exec(ctx, text, of); err != nil {
			return fmt.Errorf("erase %s: %w", ref, err)
		}
	}
	delete(tx.keys, id)
	return nil
}

// Content is the keyed digest of captured bytes by their SHA-256: equal for
// copies of one work.
func (db *DB) Content(sum [32]byte) [32]byte { return db.Keys.ContentDigest(sum) }

// Place is the keyed digest of a place: the duplicate key.
func (db *DB) Place(kind, canonical string) [32]byte { return db.Keys.PlaceDigest(kind, canonical) }
