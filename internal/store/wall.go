package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"concert"
)

// skew is how far the clocks of two nodes may lie apart where a range of ids
// stands for a range of time.
const skew = time.Hour

// idSince is the least id (UUIDv7) that a thing made after the other one can
// have, whose clock may have been ahead; "" where id is none.
func idSince(id string) string {
	ms, err := strconv.ParseInt(strings.ReplaceAll(id[:min(13, len(id))], "-", ""), 16, 64)
	if err != nil {
		return ""
	}
	return idAt(time.UnixMilli(ms).Add(-skew))
}

// idAt is the least id that a thing made at the wall time can have.
func idAt(t time.Time) string {
	h := fmt.Sprintf("%012x", max(0, t.UnixMilli()))
	return h[:8] + "-" + h[8:]
}

// Pooled is how many items of an action wait in a status on a unit's desk, and
// since when the one that moved least lately does.
type Pooled struct {
	Status concert.ItemStatus
	Unit   concert.AuthorityID // the author's, the first finder's before an assessment
	N      int64
	Since  time.Time
}

// WaitingIn are the items of the action that somebody or something is yet to
// move. Items are as old as their action at most, so that a long history costs
// nothing.
func (tx *Tx) WaitingIn(ctx context.Context, a concert.ActionID) ([]Pooled, error) {
	got, err := list(ctx, tx, func(r rowScanner) (Pooled, error) {
		var w Pooled
		var since int64
		err := r.Scan(&w.Status, &w.Unit, &w.N, &since)
		w.Since = concert.FromMicros(since)
		return w, err
	}, "SELECT i.status, CASE WHEN i.author = '' THEN i.authority ELSE i.author END, count(*), min(i.updated_at) FROM item i "+
		"WHERE i.id >= ? AND i.action = ? AND i.erased_at = 0 AND i.status IN ('open', 'assessed', 'approved', 'held', 'referred', 'answered', 'still_up') GROUP BY 1, 2", idSince(string(a)), string(a))
	if err != nil {
		return nil, fmt.Errorf("what waits: %w", err)
	}
	return got, nil
}

// Unconfirmed is what a provider has not acknowledged within an action.
type Unconfirmed struct {
	Provider         concert.ProviderID
	Referrals, Items int64
	Since            time.Time // of the oldest
}

// UnconfirmedIn are an action's, by provider.
func (tx *Tx) UnconfirmedIn(ctx context.Context, a concert.ActionID) ([]Unconfirmed, error) {
	return list(ctx, tx, func(r rowScanner) (Unconfirmed, error) {
		var u Unconfirmed
		var since int64
		err := r.Scan(&u.Provider, &u.Referrals, &u.Items, &since)
		u.Since = concert.FromMicros(since)
		return u, err
	}, "SELECT provider, count(*), sum(items), min(created_at) FROM referral WHERE action = ? AND acked_at = 0 GROUP BY provider ORDER BY provider", string(a))
}

// Due is the next deadline of a kind within an action, with how many of them
// there are.
type Due struct {
	Kind     concert.ClockKind
	Provider concert.ProviderID // "" where it concerns none
	At       time.Time
	N        int
}

// DueIn are the next deadlines on referrals and overrides of the action.
func (tx *Tx) DueIn(ctx context.Context, a concert.ActionID) ([]Due, error) {
	scan := func(r rowScanner) (Due, error) {
		var d Due
		var at int64
		err := r.Scan(&d.Kind, &d.Provider, &at, &d.N)
		d.At = concert.FromMicros(at)
		return d, err
	}
	out, err := list(ctx, tx, scan, "SELECT c.kind, r.provider, min(c.due_at), count(*) FROM referral r JOIN clock c ON c.subject = r.id AND c.kind IN ('referral.remind', 'referral.recheck') WHERE r.action = ? GROUP BY c.kind, r.provider", string(a))
	if err != nil {
		return nil, fmt.Errorf("deadlines: %w", err)
	}
	reviews, err := list(ctx, tx, scan, "SELECT 'override.review', '', o.due_at, 1 FROM hold_override o JOIN item i ON i.id = o.item WHERE o.verdict = '' AND i.action = ? ORDER BY o.due_at LIMIT 20", string(a))
	if err != nil {
		return nil, fmt.Errorf("deadlines: %w", err)
	}
	return append(out, reviews...), nil
}

// FailingIn are notices of the action that came to no end, or fail one after
// the other, by provider: the second number counts the latter.
func (tx *Tx) FailingIn(ctx context.Context, a concert.ActionID, p concert.ProviderID, attempts int) (failed, failing int, since time.Time, err error) {
	var at, first int64
	err = tx.row(ctx, "SELECT count(*), coalesce(min(created_at), 0) FROM delivery WHERE action = ? AND provider = ? AND rung = 'failed'", string(a), string(p)).Scan(&failed, &first)
	if err != nil {
		return 0, 0, since, fmt.Errorf("failed notices: %w", err)
	}
	err = tx.row(ctx, "SELECT count(*), coalesce(min(created_at), 0) FROM delivery WHERE provider = ? AND next_at > 0 AND attempts >= ? AND action = ?", string(p), attempts, string(a)).Scan(&failing, &at)
	if err != nil {
		return 0, 0, since, fmt.Errorf("failing notices: %w", err)
	}
	if at == 0 || first > 0 && first < at {
		at = first
	}
	return failed, failing, concert.FromMicros(at), nil
}

// Sent is how many items were referred, and how many acknowledged, in a span.
type Sent struct {
	At              time.Time // its beginning
	Referred, Acked int64
}

// SentIn are an action's, in spans of that width; spans without either are left
// out.
func (tx *Tx) SentIn(ctx context.Context, a concert.ActionID, width time.Duration) ([]Sent, error) {
	us := width.Microseconds()
	got, err := list(ctx, tx, func(r rowScanner) (Sent, error) {
		var s Sent
		var at int64
		err := r.Scan(&at, &s.Referred, &s.Acked)
		s.At = concert.FromMicros(at * us)
		return s, err
	}, "SELECT at, sum(referred), sum(acked) FROM (SELECT created_at / CAST(? AS BIGINT) AS at, items AS referred, 0 AS acked FROM referral WHERE action = ? "+
		"UNION ALL SELECT acked_at / CAST(? AS BIGINT), 0, items FROM referral WHERE action = ? AND acked_at > 0) AS x GROUP BY at ORDER BY at", us, string(a), us, string(a))
	if err != nil {
		return nil, fmt.Errorf("sent by time: %w", err)
	}
	return got, nil
}

// Pace is how many assessments somebody made within an action.
type Pace struct {
	Person concert.PersonID
	Unit   concert.AuthorityID
	N      int
	Last   time.Time
}

// PaceIn is the work on the action's items since the case time, which is at
// most as long ago as the wall time made.
func (tx *Tx) PaceIn(ctx context.Context, a concert.ActionID, since, made time.Time) ([]Pace, error) {
	got, err := list(ctx, tx, func(r rowScanner) (Pace, error) {
		var p Pace
		var last int64
		err := r.Scan(&p.Person, &p.Unit, &p.N, &last)
		p.Last = concert.FromMicros(last)
		return p, err
	}, "SELECT s.author, s.authority, count(*), max(s.at) FROM assessment s JOIN item i ON i.id = s.item WHERE s.id >= ? AND s.at >= ? AND i.action = ? GROUP BY s.author, s.authority ORDER BY s.authority, s.author",
		max(idSince(string(a)), idAt(made.Add(-skew))), concert.Micros(since), string(a))
	if err != nil {
		return nil, fmt.Errorf("pace: %w", err)
	}
	return got, nil
}

// Hit is a hold that keeps items of an action back: how many, since when, and
// when its term ends. Nothing of its content.
type Hit struct {
	Unit  concert.AuthorityID // whose items
	N     int
	Since time.Time
	Until time.Time
}

// HitsIn are the action's, the first to end first.
func (tx *Tx) HitsIn(ctx context.Context, a concert.ActionID) ([]Hit, error) {
	got, err := list(ctx, tx, func(r rowScanner) (Hit, error) {
		var h Hit
		var since, until int64
		err := r.Scan(&h.Unit, &h.N, &since, &until)
		h.Since, h.Until = concert.FromMicros(since), concert.FromMicros(until)
		return h, err
	}, "SELECT i.author, count(*), min(k.at), h.expires_at FROM item i JOIN hold_asked k ON k.item = i.id AND k.kind = 'dispatch' JOIN hold h ON h.id = k.hold "+
		"WHERE i.status = 'held' AND i.id >= ? AND i.action = ? AND i.erased_at = 0 AND h.released_at = 0 GROUP BY i.author, h.id, h.expires_at ORDER BY h.expires_at, i.author", idSince(string(a)), string(a))
	if err != nil {
		return nil, fmt.Errorf("items held back: %w", err)
	}
	return got, nil
}

// Step is one event on an action itself: a phase, a participant, a target.
type Step struct {
	At     time.Time
	Kind   concert.EventKind
	By     concert.PersonID
	Detail string // the phase, the part, or whether releases are batched
}

// Steps are an action's own events, newest first. Signs of life are left out.
func (tx *Tx) Steps(ctx context.Context, action string, limit int) ([]Step, error) {
	got, err := list(ctx, tx, func(r rowScanner) (Step, error) {
		var s Step
		var at int64
		var body string
		if err := r.Scan(&s.Kind, &s.By, &at, &body); err != nil {
			return s, err
		}
		s.At = concert.FromMicros(at)
		var b struct {
			Phase   string `json:"phase"`
			Part    string `json:"part"`
			Batched bool   `json:"batched"`
		}
		err := json.Unmarshal([]byte(body), &b)
		s.Detail = b.Phase + b.Part
		if b.Batched {
			s.Detail = "batched"
		}
		return s, err
	}, "SELECT kind, actor, at, body FROM event WHERE subject = ? AND kind <> 'action.reported' ORDER BY id DESC LIMIT ?", action, limit)
	if err != nil {
		return nil, fmt.Errorf("steps of an action: %w", err)
	}
	return got, nil
}

// ActionItems are items of the action by id, bare, those after the cursor: of
// one provider and one unit's desk, "" for any.
func (tx *Tx) ActionItems(ctx context.Context, a concert.ActionID, p concert.ProviderID, unit concert.AuthorityID, after concert.ItemID, limit int) ([]concert.Item, error) {
	where, args := "WHERE i.id > ? AND i.action = ?", []any{max(idSince(string(a)), string(after)), string(a)}
	if p != "" {
		where, args = where+" AND i.provider = ?", append(args, string(p))
	}
	if unit != "" {
		where, args = where+" AND i.authority = ?", append(args, string(unit))
	}
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i "+where+" ORDER BY i.id LIMIT ?", append(args, limit)...)
}
