package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"concert"
)

// PutIsolations writes what a provider says it cannot isolate; said anew, it
// begins anew.
func (tx *Tx) PutIsolations(ctx context.Context, is []concert.Isolation, author concert.AuthorityID) error {
	if len(is) == 0 {
		return nil
	}
	tx.touch("isolation")
	rows := make([][]any, len(is))
	for i, v := range is {
		rows[i] = []any{string(v.Item), string(v.Provider), string(v.Referral), string(author), digest(v.Area), v.Others, string(v.OthersAre), concert.Micros(v.At), "", 0, "", 0, 1}
	}
	_, err := tx.insert(ctx, "isolation", "id, provider, referral, author, area, others, others_are, at, written_by, written_at, approved_by, approved_at, version", rows,
		"ON CONFLICT (id) DO UPDATE SET others = excluded.others, others_are = excluded.others_are, at = excluded.at, sealed = NULL, written_by = '', written_at = 0, approved_by = '', approved_at = 0, version = isolation.version + 1")
	return err
}

// SaveIsolation writes a proportionality or its approval.
func (tx *Tx) SaveIsolation(ctx context.Context, v concert.Isolation) error {
	tx.touch("isolation")
	sealed, err := tx.seal(ctx, string(v.Item), "isolation", concert.GroundText{Ground: v.Text})
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, "UPDATE isolation SET sealed = ?, written_by = ?, written_at = ?, approved_by = ?, approved_at = ?, version = version + 1 WHERE id = ? AND version = ?",
		sealed, string(v.WrittenBy), concert.Micros(v.WrittenAt), string(v.ApprovedBy), concert.Micros(v.ApprovedAt), string(v.Item), v.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// Isolations are those of these items, by item.
func (tx *Tx) Isolations(ctx context.Context, items []concert.ItemID) (map[concert.ItemID]concert.Isolation, error) {
	type row struct {
		v      concert.Isolation
		sealed []byte
	}
	got, err := in(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var area []byte
		var at, written, approved int64
		err := r.Scan(&w.v.Item, &w.v.Provider, &w.v.Referral, &area, &w.v.Others, &w.v.OthersAre, &at, &w.sealed, &w.v.WrittenBy, &written, &w.v.ApprovedBy, &approved, &w.v.Version)
		w.v.Area, w.v.At, w.v.WrittenAt, w.v.ApprovedAt = place(area), concert.FromMicros(at), concert.FromMicros(written), concert.FromMicros(approved)
		return w, err
	}, "SELECT id, provider, referral, area, others, others_are, at, sealed, written_by, written_at, approved_by, approved_at, version FROM isolation WHERE id IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("isolations: %w", err)
	}
	out := map[concert.ItemID]concert.Isolation{}
	for _, w := range got {
		var g concert.GroundText
		if err := tx.open(ctx, string(w.v.Item), "isolation", w.sealed, &g); err != nil {
			return nil, err
		}
		w.v.Text = g.Ground
		out[w.v.Item] = w.v
	}
	return out, nil
}

// AreaBlocked reports whether in the area an item of the author stands at the
// provider that cannot be isolated, without an approved proportionality.
func (tx *Tx) AreaBlocked(ctx context.Context, author concert.AuthorityID, p concert.ProviderID, area [sha256.Size]byte) (bool, error) {
	var n int
	err := tx.row(ctx, "SELECT 1 FROM isolation s JOIN item i ON i.id = s.id WHERE s.area = ? AND s.area IS NOT NULL AND s.approved_at = 0 AND s.author = ? AND s.provider = ? AND i.claimed = ? AND i.status <> 'withdrawn' LIMIT 1",
		area[:], string(author), string(p), string(concert.AnswerCannotIsolate)).Scan(&n)
	if err == concert.ErrNotFound {
		return false, nil
	}
	return n == 1, err
}

// OpenIsolations are the items of an author that cannot be isolated and whose
// proportionality is not approved, oldest first.
func (tx *Tx) OpenIsolations(ctx context.Context, author concert.AuthorityID, limit int) ([]concert.ItemID, error) {
	return list(ctx, tx, func(r rowScanner) (concert.ItemID, error) {
		var id concert.ItemID
		return id, r.Scan(&id)
	}, "SELECT s.id FROM isolation s JOIN item i ON i.id = s.id WHERE s.approved_at = 0 AND s.author = ? AND i.claimed = 'cannot_isolate' AND i.status <> 'withdrawn' AND i.erased_at = 0 ORDER BY s.at, s.id LIMIT ?", string(author), limit)
}

// Setting is how an authority authors; the default where nothing was set.
func (tx *Tx) Setting(ctx context.Context, a concert.AuthorityID) (concert.AuthoritySetting, error) {
	s := concert.AuthoritySetting{Authority: a}
	var at int64
	err := tx.row(ctx, "SELECT article16, set_by, set_at FROM authority_setting WHERE authority = ?", string(a)).Scan(&s.Article16, &s.SetBy, &at)
	if err == concert.ErrNotFound {
		return s, nil
	}
	s.SetAt = concert.FromMicros(at)
	return s, err
}

// SaveSetting writes it.
func (tx *Tx) SaveSetting(ctx context.Context, s concert.AuthoritySetting) error {
	tx.touch("authority_setting")
	_, err := tx.insert(ctx, "authority_setting", "authority, article16, set_by, set_at", [][]any{{string(s.Authority), flag(s.Article16), string(s.SetBy), concert.Micros(s.SetAt)}},
		"ON CONFLICT (authority) DO UPDATE SET article16 = excluded.article16, set_by = excluded.set_by, set_at = excluded.set_at")
	return err
}

// Article16Of says which of the referrals are meant as DSA Art. 16 notices.
func (tx *Tx) Article16Of(ctx context.Context, rs []concert.ReferralID) (map[concert.ReferralID]bool, error) {
	out := map[concert.ReferralID]bool{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.ReferralID
		err := r.Scan(&id)
		out[id] = true
		return struct{}{}, err
	}, "SELECT id FROM referral WHERE article16 = 1 AND id IN (%s)", anys(strs(rs)))
	return out, err
}
