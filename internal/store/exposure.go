package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"concert"
)

// The ledger of what people saw is theirs: it holds no case data, so that none of
// what is written here needs an event, but for an authority's limits and what was
// said of a capture.

func joined(ws []concert.Warning) string { return strings.Join(strs(ws), ",") }

func parted(s string) []concert.Warning {
	if s == "" {
		return nil
	}
	var out []concert.Warning
	for w := range strings.SplitSeq(s, ",") {
		out = append(out, concert.Warning(w))
	}
	return out
}

const revealCols = "id, person, authority, capture, warnings, opened_at, beat_at, closed_at, shown, measured, taken"

func scanReveal(r rowScanner) (concert.Reveal, error) {
	var v concert.Reveal
	var capture *string
	var said string
	var opened, beat, closed, shown int64
	err := r.Scan(&v.ID, &v.Person, &v.Authority, &capture, &said, &opened, &beat, &closed, &shown, &v.Measured, &v.Taken)
	v.Capture, v.Warnings, v.Shown = text[concert.CaptureID](capture), parted(said), time.Duration(shown)*time.Microsecond
	v.OpenedAt, v.BeatAt, v.ClosedAt = concert.FromMicros(opened), concert.FromMicros(beat), concert.FromMicros(closed)
	return v, err
}

// AddReveal writes a line of a person's ledger.
func (tx *Tx) AddReveal(ctx context.Context, r concert.Reveal) error {
	_, err := tx.insert(ctx, "reveal", revealCols, [][]any{{string(r.ID), string(r.Person), string(r.Authority), string(r.Capture), joined(r.Warnings), concert.Micros(r.OpenedAt), concert.Micros(r.BeatAt), concert.Micros(r.ClosedAt),
		r.Shown.Microseconds(), flag(r.Measured), flag(r.Taken)}}, "")
	return err
}

// SaveReveal writes what has become of a line; ErrStale when the same person's
// other request was faster.
func (tx *Tx) SaveReveal(ctx context.Context, had, r concert.Reveal) error {
	n, err := tx.exec(ctx, "UPDATE reveal SET beat_at = ?, closed_at = ?, shown = ?, measured = ?, taken = ? WHERE id = ? AND beat_at = ? AND shown = ? AND closed_at = 0",
		concert.Micros(r.BeatAt), concert.Micros(r.ClosedAt), r.Shown.Microseconds(), flag(r.Measured), flag(r.Taken), string(r.ID), concert.Micros(had.BeatAt), had.Shown.Microseconds())
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// RevealOf is the person's own line.
func (tx *Tx) RevealOf(ctx context.Context, p concert.PersonID, id concert.RevealID) (concert.Reveal, error) {
	return scanReveal(tx.row(ctx, "SELECT "+revealCols+" FROM reveal WHERE id = ? AND person = ?", string(id), string(p)))
}

// LastReveal is the person's last line of the capture that is not closed; the zero
// one where there is none.
func (tx *Tx) LastReveal(ctx context.Context, p concert.PersonID, c concert.CaptureID) (concert.Reveal, error) {
	r, err := scanReveal(tx.row(ctx, "SELECT "+revealCols+" FROM reveal WHERE capture = ? AND person = ? AND closed_at = 0 ORDER BY opened_at DESC, id DESC LIMIT 1", string(c), string(p)))
	if err == concert.ErrNotFound {
		return concert.Reveal{}, nil
	}
	return r, err
}

// SawCapture reports whether the person has opened the capture, as far as the
// ledger goes back.
func (tx *Tx) SawCapture(ctx context.Context, p concert.PersonID, c concert.CaptureID) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 AS one FROM reveal WHERE capture = ? AND person = ? LIMIT 1) x", string(c), string(p)).Scan(&n)
	return n > 0, err
}

// Ledger are the person's lines since then, the newest first.
func (tx *Tx) Ledger(ctx context.Context, p concert.PersonID, since time.Time) ([]concert.Reveal, error) {
	got, err := list(ctx, tx, scanReveal, "SELECT "+revealCols+" FROM reveal WHERE person = ? AND opened_at >= ? ORDER BY opened_at DESC", string(p), concert.Micros(since))
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return got, nil
}

// TeamShares are what each of an authority's people but one saw in a span. They are
// added up (concert.TeamExposureOf) before anybody reads them.
func (tx *Tx) TeamShares(ctx context.Context, a concert.AuthorityID, but concert.PersonID, from, until time.Time) ([]concert.PersonShare, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.PersonShare, error) {
		var s concert.PersonShare
		var said string
		var shown int64
		err := r.Scan(&s.Person, &said, &s.Opened, &shown)
		s.Warnings, s.Shown = parted(said), time.Duration(shown)*time.Microsecond
		return s, err
	}, "SELECT person, warnings, count(*), CAST(sum(shown) AS BIGINT) FROM reveal WHERE authority = ? AND opened_at >= ? AND opened_at < ? AND person <> ? GROUP BY person, warnings",
		string(a), concert.Micros(from), concert.Micros(until), string(but))
	if err != nil {
		return nil, fmt.Errorf("shares: %w", err)
	}
	return got, nil
}

// ForgetExposure takes away what was opened before then.
func (tx *Tx) ForgetExposure(ctx context.Context, before time.Time) error {
	if _, err := tx.exec(ctx, "DELETE FROM reveal WHERE opened_at < ?", concert.Micros(before)); err != nil {
		return fmt.Errorf("forget what was seen: %w", err)
	}
	return nil
}

// SetWarnings puts what a person says of a capture in place of what they said
// before.
func (tx *Tx) SetWarnings(ctx context.Context, c concert.CaptureID, p concert.PersonID, said []concert.Warning, at time.Time) error {
	tx.touch("capture_warning")
	if _, err := tx.exec(ctx, "DELETE FROM capture_warning WHERE capture = ? AND person = ?", string(c), string(p)); err != nil {
		return fmt.Errorf("warnings: %w", err)
	}
	rows := make([][]any, len(said))
	for i, w := range said {
		rows[i] = []any{string(c), string(w), string(p), concert.Micros(at)}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.insert(ctx, "capture_warning", "capture, tag, person, at", rows, "")
	return err
}

// Said is what a person said of a capture.
type Said struct {
	Capture concert.CaptureID
	Person  concert.PersonID
	Warning concert.Warning
}

// WarningsOn is what people said of the captures.
func (tx *Tx) WarningsOn(ctx context.Context, captures []concert.CaptureID) ([]Said, error) {
	got, err := in(ctx, tx, func(r rowScanner) (Said, error) {
		var s Said
		return s, r.Scan(&s.Capture, &s.Person, &s.Warning)
	}, "SELECT capture, person, tag FROM capture_warning WHERE capture IN (%s)", anys(strs(captures)))
	if err != nil {
		return nil, fmt.Errorf("warnings: %w", err)
	}
	return got, nil
}

const limitCols = "authority, from_at, soft, hard, soft_opened, hard_opened, person, at"

func scanLimits(r rowScanner) (concert.ExposureLimits, error) {
	var l concert.ExposureLimits
	var from, soft, hard, at int64
	err := r.Scan(&l.Authority, &from, &soft, &hard, &l.SoftOpened, &l.HardOpened, &l.SetBy, &at)
	l.From, l.SetAt, l.Soft, l.Hard = concert.FromMicros(from), concert.FromMicros(at), time.Duration(soft)*time.Microsecond, time.Duration(hard)*time.Microsecond
	return l, err
}

// ExposureLimits are the limits that hold for the authority's people now, and
// those that are to hold later; zero ones where none are.
func (tx *Tx) ExposureLimits(ctx context.Context, a concert.AuthorityID, now time.Time) (hold, later concert.ExposureLimits, err error) {
	got, err := list(ctx, tx, scanLimits, "SELECT "+limitCols+" FROM exposure_limit WHERE authority = ? ORDER BY from_at DESC LIMIT 2", string(a))
	if err != nil {
		return hold, later, fmt.Errorf("limits: %w", err)
	}
	for _, l := range got {
		if l.From.After(now) {
			later = l
		} else if hold.Authority == "" {
			hold = l
		}
	}
	return hold, later, nil
}

// SaveExposureLimits writes limits; what was to hold later holds no more.
func (tx *Tx) SaveExposureLimits(ctx context.Context, l concert.ExposureLimits) error {
	tx.touch("exposure_limit")
	if _, err := tx.exec(ctx, "DELETE FROM exposure_limit WHERE authority = ? AND from_at > ?", string(l.Authority), concert.Micros(l.SetAt)); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	_, err := tx.insert(ctx, "exposure_limit", limitCols, [][]any{{string(l.Authority), concert.Micros(l.From), l.Soft.Microseconds(), l.Hard.Microseconds(), l.SoftOpened, l.HardOpened, string(l.SetBy), concert.Micros(l.SetAt)}},
		"ON CONFLICT (authority, from_at) DO UPDATE SET soft = excluded.soft, hard = excluded.hard, soft_opened = excluded.soft_opened, hard_opened = excluded.hard_opened, person = excluded.person, at = excluded.at")
	return err
}

// OwnLimit is the person's own limit; the zero one where none is set.
func (tx *Tx) OwnLimit(ctx context.Context, p concert.PersonID) (concert.OwnLimit, error) {
	var o concert.OwnLimit
	var hard, at int64
	err := tx.row(ctx, "SELECT person, hard, opened, at FROM exposure_own WHERE person = ?", string(p)).Scan(&o.Person, &hard, &o.Opened, &at)
	if err == concert.ErrNotFound {
		return concert.OwnLimit{}, nil
	}
	o.Hard, o.SetAt = time.Duration(hard)*time.Microsecond, concert.FromMicros(at)
	return o, err
}

// SaveOwnLimit writes the person's own limit.
func (tx *Tx) SaveOwnLimit(ctx context.Context, o concert.OwnLimit) error {
	_, err := tx.insert(ctx, "exposure_own", "person, hard, opened, at", [][]any{{string(o.Person), o.Hard.Microseconds(), o.Opened, concert.Micros(o.SetAt)}},
		"ON CONFLICT (person) DO UPDATE SET hard = excluded.hard, opened = excluded.opened, at = excluded.at")
	return err
}

// LockLedger makes the person's other openings wait until this one is counted.
func (tx *Tx) LockLedger(ctx context.Context, p concert.PersonID) error {
	_, err := scanText(tx.row(ctx, "SELECT id FROM person WHERE id = ?"+tx.db.d.forUpdate, string(p)))
	return err
}

// eraseExposure takes the item's captures out of everybody's ledger, and what was
// said of them.
func (tx *Tx) eraseExposure(ctx context.Context, item concert.ItemID) error {
	for _, text := range []string{"DELETE FROM capture_warning WHERE capture IN (SELECT id FROM capture WHERE item = ?)", "UPDATE reveal SET capture = NULL, closed_at = CASE WHEN closed_at = 0 THEN beat_at ELSE closed_at END WHERE capture IN (SELECT id FROM capture WHERE item = ?)"} {
		if _, err := tx.exec(ctx, text, string(item)); err != nil {
			return fmt.Errorf("erase what was seen: %w", err)
		}
	}
	return nil
}

// WithMedia are those of the items of which the authority holds a capture that may
// hold what one sees or hears.
func (tx *Tx) WithMedia(ctx context.Context, a concert.AuthorityID, items []concert.ItemID) (map[concert.ItemID]bool, error) {
	got, err := in2(ctx, tx, func(r rowScanner) (concert.ItemID, error) {
		var id concert.ItemID
		return id, r.Scan(&id)
	}, "SELECT DISTINCT item FROM capture WHERE authority = ? AND item IN (%s) AND erased_at = 0 AND media NOT LIKE 'text/%%'", string(a), anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("items with media: %w", err)
	}
	out := make(map[concert.ItemID]bool, len(got))
	for _, id := range got {
		out[id] = true
	}
	return out, nil
}

// judgedCols is an earlier assessment, in clear.
const judgedCols = "SELECT i.ref, a.at, a.type, a.severity, a.outlet, i.status FROM "

// ofSame narrows it to assessments of the authority on other items that are there.
const ofSame = "i.id <> ? AND i.author = ? AND i.erased_at = 0 AND a.authority = ? ORDER BY a.at DESC LIMIT 8"

// JudgedSame are the newest assessments that the authority made of other items
// with the same content: by the item's own digest, then by equal bytes of captures
// that are the content itself, then by what looks or reads alike.
func (tx *Tx) JudgedSame(ctx context.Context, by concert.AuthorityID, it concert.Item) ([]concert.JudgedBefore, error) {
	read := func(bytes bool, text string, args ...any) ([]concert.JudgedBefore, error) {
		got, err := list(ctx, tx, func(r rowScanner) (concert.JudgedBefore, error) {
			j := concert.JudgedBefore{Bytes: bytes}
			var at int64
			err := r.Scan(&j.Item, &at, &j.Type, &j.Severity, &j.Outlet, &j.Status)
			j.At = concert.FromMicros(at)
			return j, err
		}, text, append(args, string(it.ID), string(by), string(by))...)
		if err != nil {
			return nil, fmt.Errorf("judged before: %w", err)
		}
		return got, nil
	}
	var out []concert.JudgedBefore
	if it.Content != [32]byte{} {
		got, err := read(false, judgedCols+"item i JOIN assessment a ON a.id = i.assessment WHERE i.content = ? AND "+ofSame, it.Content[:])
		if err != nil {
			return nil, err
		}
		out = got
	}
	got, err := read(true, judgedCols+"item i JOIN assessment a ON a.id = i.assessment WHERE i.id IN (SELECT o.item FROM capture c JOIN capture o ON o.bytes = c.bytes WHERE c.item = ? AND c.authority = ? AND c.kind IN ('screenshot', 'file') AND c.erased_at = 0 AND o.kind IN ('screenshot', 'file')) AND "+ofSame,
		string(it.ID), string(by))
	if err != nil {
		return nil, err
	}
	out = append(out, got...)
	got, err = read(false, judgedCols+"item i JOIN assessment a ON a.id = i.assessment WHERE i.id IN (SELECT m.other FROM known_match m WHERE m.item = ? AND m.authority = ? AND m.owner = m.authority AND "+alike+" UNION SELECT m.item FROM known_match m WHERE m.other = ? AND m.owner = ? AND m.authority = m.owner AND "+alike+") AND "+ofSame,
		string(it.ID), string(by), string(it.ID), string(by))
	for i := range got {
		got[i].Alike = true
	}
	return append(out, got...), err
}

// alike narrows matches to those that make copies of one work of two items
// (concert.KnownMatch.Alike); a test holds both against each other.
const alike = "m.entry = 0 AND m.said <> 'other' AND m.by_print <> 'page' AND (m.by_print <> 'picture' OR m.distance <= 31) AND (m.by_print <> 'video' OR m.share_here >= 500 OR m.share_then >= 500)"
