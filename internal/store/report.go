package store

import (
	"context"
	"fmt"

	"concert"
)

// Courses are what became of the items that an action's referrals carried.
func (tx *Tx) Courses(ctx context.Context, a concert.ActionID) ([]concert.Course, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.Course, error) {
		var c concert.Course
		var sent, acked, answered, down, looked int64
		var status concert.ItemStatus
		var contested, restored int
		err := r.Scan(&c.Provider, &c.Category, &c.Language, &sent, &acked, &c.Claim, &c.Seen, &c.WasDown, &status, &answered, &contested, &restored, &down, &looked)
		c.SentAt, c.AckedAt, c.Answered, c.DownAt, c.LookedAt = concert.FromMicros(sent), concert.FromMicros(acked), concert.FromMicros(answered), concert.FromMicros(down), concert.FromMicros(looked)
		c.Withdrawn, c.Contested, c.Restored = status == concert.ItemWithdrawn, contested > 0, restored > 0
		return c, err
	}, "SELECT r.provider, coalesce(s.type, ''), coalesce(s.language, ''), r.created_at, r.acked_at, i.claimed, i.observed, i.seen_down, i.status, "+
		"coalesce((SELECT min(w.at) FROM answer w WHERE w.item = i.id AND w.code NOT IN ('received', 'in_review', 'need_information')), 0), "+
		"(SELECT count(*) FROM answer w WHERE w.item = i.id AND w.code = 'contested'), (SELECT count(*) FROM answer w WHERE w.item = i.id AND w.code = 'restored'), "+
		"coalesce((SELECT min(c.at) FROM recheck c WHERE c.item = i.id AND c.state = 'down'), 0), coalesce((SELECT max(c.at) FROM recheck c WHERE c.item = i.id), 0) "+
		"FROM referral r JOIN referral_item x ON x.referral = r.id JOIN item i ON i.id = x.item LEFT JOIN assessment s ON s.id = i.assessment WHERE r.action = ?", string(a))
	if err != nil {
		return nil, fmt.Errorf("courses: %w", err)
	}
	return got, nil
}

// Chases are an action's referrals as far as deadlines go.
func (tx *Tx) Chases(ctx context.Context, a concert.ActionID) ([]concert.Chase, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.Chase, error) {
		var c concert.Chase
		var sent, acked int64
		err := r.Scan(&c.Provider, &sent, &acked, &c.Reminders)
		c.SentAt, c.AckedAt = concert.FromMicros(sent), concert.FromMicros(acked)
		return c, err
	}, "SELECT provider, created_at, acked_at, reminders FROM referral WHERE action = ?", string(a))
	if err != nil {
		return nil, fmt.Errorf("chases: %w", err)
	}
	return got, nil
}
