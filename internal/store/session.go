package store

import (
	"context"
	"strings"
	"time"

	"concert"
)

// Session is a log-in as its owner sees it.
type Session struct {
	Digest    [32]byte
	Browser   string // its family, no more
	CreatedAt time.Time
	SeenAt    time.Time // to the minute
	ProvenAt  time.Time // second factor, zero for never
}

// sessionGood is what makes a credential still good: at most so old, and if it
// is a session, seen not too long ago. An older node's was never seen.
const sessionGood = "(c.expires_at = 0 OR c.expires_at > ?) AND (c.kind <> 'session' OR c.seen_at = 0 OR c.seen_at > ?)"

// Bearer is the person that a session or key speaks for, while it is good at wall
// time now, with its way in but for the policy; and when it was seen last.
func (tx *Tx) Bearer(ctx context.Context, kind string, digest [32]byte, now time.Time) (concert.Person, time.Time, error) {
	var proven, seen int64
	var scopes string
	p, err := scanPersonAnd(tx.row(ctx, "SELECT "+personCols+", c.proven_at, c.seen_at, c.scopes FROM credential c JOIN person p ON p.id = c.person WHERE c.digest = ? AND c.kind = ? AND "+sessionGood+" AND (c.kind <> 'link' OR c.used_at = 0) AND p.disabled_at = 0 AND p.waits = 0",
		digest[:], kind, concert.Micros(now), concert.Micros(now.Add(-concert.SessionIdle))), &proven, &seen, &scopes)
	if err != nil {
		return p, time.Time{}, err
	}
	p.Way = concert.Way{Kind: concert.WayKind(kind), Digest: digest, ProvenAt: concert.FromMicros(proven), Scopes: scopesOf(scopes)}
	if kind != string(concert.WaySession) {
		return p, concert.FromMicros(seen), nil
	}
	p.Way.Enrolled, err = tx.Enrolled(ctx, p.ID)
	return p, concert.FromMicros(seen), err
}

// Enrolled reports whether a person has a second factor.
func (tx *Tx) Enrolled(ctx context.Context, p concert.PersonID) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM factor WHERE person = ? AND confirmed_at > 0", string(p)).Scan(&n)
	return n > 0, err
}

func scopesOf(text string) []concert.Power {
	var out []concert.Power
	for s := range strings.SplitSeq(text, ",") {
		if s != "" {
			out = append(out, concert.Power(s))
		}
	}
	return out
}

// SeeSession notes that a session was used.
func (tx *Tx) SeeSession(ctx context.Context, digest [32]byte, minute time.Time) error {
	_, err := tx.exec(ctx, "UPDATE credential SET seen_at = ? WHERE digest = ? AND kind = 'session' AND seen_at < ?", concert.Micros(minute), digest[:], concert.Micros(minute))
	return err
}

// ProveSession notes that a session's second factor was given.
func (tx *Tx) ProveSession(ctx context.Context, digest [32]byte, now time.Time) error {
	_, err := tx.exec(ctx, "UPDATE credential SET proven_at = ? WHERE digest = ? AND kind = 'session'", concert.Micros(now), digest[:])
	return err
}

// Sessions are a person's that are good at wall time now, newest first.
func (tx *Tx) Sessions(ctx context.Context, p concert.PersonID, now time.Time) ([]Session, error) {
	return list(ctx, tx, func(r rowScanner) (Session, error) {
		var s Session
		var digest []byte
		var created, seen, proven int64
		err := r.Scan(&digest, &s.Browser, &created, &seen, &proven)
		s.Digest, s.CreatedAt, s.SeenAt, s.ProvenAt = place(digest), concert.FromMicros(created), concert.FromMicros(seen), concert.FromMicros(proven)
		return s, err
	}, "SELECT c.digest, c.browser, c.created_at, c.seen_at, c.proven_at FROM credential c WHERE c.person = ? AND c.kind = 'session' AND "+sessionGood+" ORDER BY c.created_at DESC, c.digest",
		string(p), concert.Micros(now), concert.Micros(now.Add(-concert.SessionIdle)))
}

// DropSessions ends a person's sessions but one, that of the digest; how many
// there were.
func (tx *Tx) DropSessions(ctx context.Context, p concert.PersonID, but [32]byte) (int64, error) {
	return tx.exec(ctx, "DELETE FROM credential WHERE person = ? AND kind = 'session' AND digest <> ?", string(p), but[:])
}

// ForgetSessions drops what ended by itself: sessions, links, challenges, and
// counts of failed log-ins, of which at most triesMost stay.
func (tx *Tx) ForgetSessions(ctx context.Context, now, tried time.Time, triesMost int) error {
	us := concert.Micros(now)
	if _, err := tx.exec(ctx, "DELETE FROM credential WHERE kind IN ('session', 'link') AND (expires_at <= ? AND expires_at > 0 OR kind = 'session' AND seen_at > 0 AND seen_at <= ?)", us, concert.Micros(now.Add(-concert.SessionIdle))); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "DELETE FROM challenge WHERE expires_at <= ?", us); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "DELETE FROM login_try WHERE failed_at <= ?", concert.Micros(tried)); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "DELETE FROM login_try WHERE failed_at <= (SELECT failed_at FROM login_try ORDER BY failed_at DESC LIMIT 1 OFFSET ?)", triesMost)
	return err
}

// LoginTry is how often log-ins failed in a row under a digest, and when last.
func (tx *Tx) LoginTry(ctx context.Context, digest [32]byte) (failed int, last time.Time, err error) {
	var at int64
	err = tx.row(ctx, "SELECT failed, failed_at FROM login_try WHERE digest = ?", digest[:]).Scan(&failed, &at)
	if err == concert.ErrNotFound {
		return 0, time.Time{}, nil
	}
	return failed, concert.FromMicros(at), err
}

// CountTry counts a try as failed until ForgetTry says otherwise, so that tries
// side by side are counted too. false where another one came in between.
func (tx *Tx) CountTry(ctx context.Context, digest [32]byte, before int, now time.Time) (bool, error) {
	n, err := tx.insert(ctx, "login_try", "digest, failed, failed_at", [][]any{{digest[:], before + 1, concert.Micros(now)}},
		"ON CONFLICT (digest) DO UPDATE SET failed = excluded.failed, failed_at = excluded.failed_at WHERE login_try.failed < excluded.failed")
	return n == 1, err
}

// ForgetTry forgets the tries under a digest: the right word was said.
func (tx *Tx) ForgetTry(ctx context.Context, digest [32]byte) error {
	_, err := tx.exec(ctx, "DELETE FROM login_try WHERE digest = ?", digest[:])
	return err
}
