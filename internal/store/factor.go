package store

import (
	"context"
	"time"

	"concert"
)

const sealedFactor = "factor"

// FactorText is the sealed part of a factor.
type FactorText struct {
	Name   string `json:"name"`
	Secret []byte `json:"secret"` // of one-time codes, or a passkey as identity keeps it
}

// KeptFactor is a factor with its secret.
type KeptFactor struct {
	concert.Factor
	Secret []byte
	Step   int64     // the last time step whose code was used
	Handle *[32]byte // digest of a passkey's id
}

const factorCols = "ref, person, kind, sealed, step, created_at, confirmed_at, used_at"

func scanFactor(r rowScanner) (KeptFactor, []byte, error) {
	var f KeptFactor
	var sealed []byte
	var created, confirmed, used int64
	err := r.Scan(&f.Ref, &f.Person, &f.Kind, &sealed, &f.Step, &created, &confirmed, &used)
	f.CreatedAt, f.ConfirmedAt, f.UsedAt = concert.FromMicros(created), concert.FromMicros(confirmed), concert.FromMicros(used)
	return f, sealed, err
}

func (tx *Tx) openFactor(ctx context.Context, f *KeptFactor, sealed []byte) error {
	var text FactorText
	err := tx.open(ctx, string(f.Person), sealedFactor, sealed, &text)
	f.Name, f.Secret = text.Name, text.Secret
	return err
}

// Factors are a person's second factors, oldest first, with what waits for its
// first code.
func (tx *Tx) Factors(ctx context.Context, p concert.PersonID) ([]KeptFactor, error) {
	type row struct {
		f      KeptFactor
		sealed []byte
	}
	rows, err := list(ctx, tx, func(r rowScanner) (row, error) {
		f, sealed, err := scanFactor(r)
		return row{f, sealed}, err
	}, "SELECT "+factorCols+" FROM factor WHERE person = ? ORDER BY created_at, ref", string(p))
	if err != nil {
		return nil, err
	}
	out := make([]KeptFactor, len(rows))
	for i, r := range rows {
		out[i] = r.f
		if err := tx.openFactor(ctx, &out[i], r.sealed); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// FactorByHandle is the passkey under the digest of its id.
func (tx *Tx) FactorByHandle(ctx context.Context, handle [32]byte) (KeptFactor, error) {
	f, sealed, err := scanFactor(tx.row(ctx, "SELECT "+factorCols+" FROM factor WHERE handle = ?", handle[:]))
	if err != nil {
		return f, err
	}
	return f, tx.openFactor(ctx, &f, sealed)
}

// AddFactor writes a new one; its secret is sealed under the person's key. One
// that waits for its first code ends.
func (tx *Tx) AddFactor(ctx context.Context, f KeptFactor) error {
	tx.touch("factor")
	person := string(f.Person)
	if _, ok, err := tx.sealer(ctx, person); err != nil {
		return err
	} else if !ok {
		if err := tx.newSubjects(ctx, person); err != nil {
			return err
		}
	}
	sealed, err := tx.seal(ctx, person, sealedFactor, FactorText{Name: f.Name, Secret: f.Secret})
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "DELETE FROM factor WHERE person = ? AND confirmed_at = 0", person); err != nil {
		return err
	}
	var handle any
	if f.Handle != nil {
		handle = f.Handle[:]
	}
	_, err = tx.insert(ctx, "factor", "ref, person, kind, sealed, handle, step, created_at, confirmed_at, used_at",
		[][]any{{f.Ref, person, string(f.Kind), sealed, handle, f.Step, concert.Micros(f.CreatedAt), concert.Micros(f.ConfirmedAt), concert.Micros(f.UsedAt)}}, "")
	return err
}

// UseTOTP notes that the code of a time step was used, and with it that the
// factor is confirmed; false where this or a later one was used already.
func (tx *Tx) UseTOTP(ctx context.Context, ref string, step int64, now time.Time) (bool, error) {
	us := concert.Micros(now)
	n, err := tx.exec(ctx, "UPDATE factor SET step = ?, used_at = ?, confirmed_at = CASE WHEN confirmed_at = 0 THEN ? ELSE confirmed_at END WHERE ref = ? AND step < ?", step, us, us, ref, step)
	return n == 1, err
}

// UsePasskey writes a passkey back as it is after its use.
func (tx *Tx) UsePasskey(ctx context.Context, f KeptFactor, now time.Time) error {
	sealed, err := tx.seal(ctx, string(f.Person), sealedFactor, FactorText{Name: f.Name, Secret: f.Secret})
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "UPDATE factor SET sealed = ?, used_at = ? WHERE ref = ?", sealed, concert.Micros(now), f.Ref)
	return err
}

// DropFactor takes one away.
func (tx *Tx) DropFactor(ctx context.Context, ref string) error {
	tx.touch("factor")
	_, err := tx.exec(ctx, "DELETE FROM factor WHERE ref = ?", ref)
	return err
}

// DropFactors takes all of a person's away, with its recovery codes and what it
// was asked.
func (tx *Tx) DropFactors(ctx context.Context, p concert.PersonID) error {
	tx.touch("factor")
	for _, text := range []string{"DELETE FROM factor WHERE person = ?", "DELETE FROM recovery_code WHERE person = ?", "DELETE FROM challenge WHERE person = ?"} {
		if _, err := tx.exec(ctx, text, string(p)); err != nil {
			return err
		}
	}
	return nil
}

// SetRecoveryCodes puts new codes, by digest, in the older ones' place.
func (tx *Tx) SetRecoveryCodes(ctx context.Context, p concert.PersonID, digests [][32]byte, now time.Time) error {
	tx.touch("recovery_code")
	if _, err := tx.exec(ctx, "DELETE FROM recovery_code WHERE person = ?", string(p)); err != nil {
		return err
	}
	rows := make([][]any, len(digests))
	for i, d := range digests {
		rows[i] = []any{d[:], string(p), concert.Micros(now), 0}
	}
	_, err := tx.insert(ctx, "recovery_code", "digest, person, created_at, used_at", rows, "")
	return err
}

// UseRecoveryCode marks a code as used; false when it is none, or was used.
func (tx *Tx) UseRecoveryCode(ctx context.Context, p concert.PersonID, digest [32]byte, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE recovery_code SET used_at = ? WHERE digest = ? AND person = ? AND used_at = 0", concert.Micros(now), digest[:], string(p))
	return n == 1, err
}

// RecoveryCodesLeft is how many codes a person has.
func (tx *Tx) RecoveryCodesLeft(ctx context.Context, p concert.PersonID) (int, error) {
	var n int
	return n, tx.row(ctx, "SELECT count(*) FROM recovery_code WHERE person = ? AND used_at = 0", string(p)).Scan(&n)
}

// Challenge is what a passkey was asked, until its answer.
type Challenge struct {
	Digest    [32]byte // of the token that stands for it
	Purpose   string
	Person    concert.PersonID // "" where anybody may answer
	Kept      []byte           // as identity keeps it, JSON
	ExpiresAt time.Time        // wall time
}

// AddChallenge writes one.
func (tx *Tx) AddChallenge(ctx context.Context, c Challenge) error {
	_, err := tx.insert(ctx, "challenge", "digest, purpose, person, kept, expires_at", [][]any{{c.Digest[:], c.Purpose, string(c.Person), string(c.Kept), concert.Micros(c.ExpiresAt)}}, "")
	return err
}

// Challenge is the one under the digest, while it is good at wall time now.
func (tx *Tx) Challenge(ctx context.Context, digest [32]byte, purpose string, now time.Time) (Challenge, error) {
	c := Challenge{Digest: digest, Purpose: purpose}
	var kept string
	err := tx.row(ctx, "SELECT person, kept FROM challenge WHERE digest = ? AND purpose = ? AND expires_at > ?", digest[:], purpose, concert.Micros(now)).Scan(&c.Person, &kept)
	c.Kept = []byte(kept)
	return c, err
}

// TakeChallenge takes it away; false where another answer was faster.
func (tx *Tx) TakeChallenge(ctx context.Context, digest [32]byte) (bool, error) {
	n, err := tx.exec(ctx, "DELETE FROM challenge WHERE digest = ?", digest[:])
	return n == 1, err
}
