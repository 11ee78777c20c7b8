package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"concert"
)

const referralCols = "id, ref, provider, author, action, status, items, answered, exercise, created_at, acked_at, reminded_at, reminders, version, article16"

func scanReferral(r rowScanner) (concert.Referral, error) {
	var v concert.Referral
	var created, acked, reminded int64
	err := r.Scan(&v.ID, &v.Ref, &v.Provider, &v.Author, &v.Action, &v.Status, &v.Items, &v.Answered, &v.Exercise, &created, &acked, &reminded, &v.Reminders, &v.Version, &v.Article16)
	v.CreatedAt, v.AckedAt, v.RemindedAt = concert.FromMicros(created), concert.FromMicros(acked), concert.FromMicros(reminded)
	return v, err
}

// AddReferral writes a new referral with its items. The envelope is kept in
// parts: its frame sealed under the referral's own key, each item under the
// item's, so that an item can be erased from it (Original).
func (tx *Tx) AddReferral(ctx context.Context, r concert.Referral, items []concert.Item) error {
	tx.touch("referral")
	if err := tx.newSubjects(ctx, string(r.ID)); err != nil {
		return err
	}
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	var e concert.Envelope
	if err := json.Unmarshal(r.Envelope, &e); err != nil {
		return fmt.Errorf("envelope of %s: %w", r.Ref, err)
	}
	frame, parts, err := tx.sealParts(ctx, partingOf(false), string(r.ID), e, ids)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "referral", referralCols+", frame", [][]any{{string(r.ID), r.Ref, string(r.Provider), string(r.Author), string(r.Action), string(r.Status), r.Items, r.Answered, flag(r.Exercise), concert.Micros(r.CreatedAt), 0, 0, 0, 1, flag(r.Article16), frame}}, "")
	if err != nil {
		return err
	}
	rows := make([][]any, len(items))
	for i, it := range items {
		rows[i] = []any{string(r.ID), i, string(it.ID), 0, 0, parts[i]}
	}
	_, err = tx.insert(ctx, "referral_item", "referral, pos, item, checked_at, checks, sealed", rows, "")
	return err
}

// SaveReferral writes a referral back.
func (tx *Tx) SaveReferral(ctx context.Context, r concert.Referral) error {
	tx.touch("referral")
	return tx.update(ctx, "referral", []typed{{"status", "TEXT"}, {"answered", "BIGINT"}, {"acked_at", "BIGINT"}, {"reminded_at", "BIGINT"}, {"reminders", "BIGINT"}},
		[][]any{{string(r.ID), r.Version, string(r.Status), r.Answered, concert.Micros(r.AckedAt), concert.Micros(r.RemindedAt), r.Reminders}})
}

// Referral is one referral by reference, without its envelope.
func (tx *Tx) Referral(ctx context.Context, ref string) (concert.Referral, error) {
	return scanReferral(tx.row(ctx, "SELECT "+referralCols+" FROM referral WHERE ref = ?", ref))
}

// ReferralByID is one referral by id, without its envelope.
func (tx *Tx) ReferralByID(ctx context.Context, id concert.ReferralID) (concert.Referral, error) {
	return scanReferral(tx.row(ctx, "SELECT "+referralCols+" FROM referral WHERE id = ?", string(id)))
}

// Response is how long a provider took to acknowledge one referral; zero while
// it has not.
type Response struct {
	Provider concert.ProviderID
	After    time.Duration
}

// Responses are those of an action's referrals.
func (tx *Tx) Responses(ctx context.Context, a concert.ActionID) ([]Response, error) {
	return list(ctx, tx, func(r rowScanner) (Response, error) {
		var v Response
		var us int64
		err := r.Scan(&v.Provider, &us)
		v.After = time.Duration(us) * time.Microsecond
		return v, err
	}, "SELECT provider, CASE WHEN acked_at > 0 THEN acked_at - created_at ELSE 0 END FROM referral WHERE action = ?", string(a))
}

// ReferralItems are a referral's items in their order, bare.
func (tx *Tx) ReferralItems(ctx context.Context, id concert.ReferralID) ([]concert.Item, error) {
	return list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM referral_item r JOIN item i ON i.id = r.item WHERE r.referral = ? ORDER BY r.pos", string(id))
}

// Checked is when an item was last looked at, and how often.
type Checked struct {
	At    time.Time
	Count int
}

// Checks says of each item of a referral when it was last looked at.
func (tx *Tx) Checks(ctx context.Context, id concert.ReferralID) (map[concert.ItemID]Checked, error) {
	out := map[concert.ItemID]Checked{}
	_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var item concert.ItemID
		var at int64
		var c Checked
		err := r.Scan(&item, &at, &c.Count)
		c.At = concert.FromMicros(at)
		out[item] = c
		return struct{}{}, err
	}, "SELECT item, checked_at, checks FROM referral_item WHERE referral = ?", string(id))
	return out, err
}

// AddAnswers writes what a provider claims.
func (tx *Tx) AddAnswers(ctx context.Context, as []concert.Answer) error {
	if len(as) == 0 {
		return nil
	}
	tx.touch("answer")
	rows := make([][]any, len(as))
	for i, a := range as {
		var sealed []byte
		if a.Note != "" || a.Forwarded != "" {
			var err error
			if sealed, err = tx.seal(ctx, string(a.Item), "answer", concert.AnswerText{Note: a.Note, Forwarded: a.Forwarded}); err != nil {
				return err
			}
		}
		countries, err := json.Marshal(a.Countries)
		if err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		rows[i] = []any{string(a.Item), concert.Micros(a.At), string(a.Referral), string(a.Code), string(countries), string(a.By), sealed, a.Others, string(a.OthersAre)}
	}
	_, err := tx.insert(ctx, "answer", "item, at, referral, code, countries, person, sealed, others, others_are", rows, "")
	return err
}

// Answers are the provider's words on an item, oldest first.
func (tx *Tx) Answers(ctx context.Context, item concert.ItemID) ([]concert.Answer, error) {
	type row struct {
		a      concert.Answer
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var at int64
		var countries string
		if err := r.Scan(&w.a.Item, &at, &w.a.Referral, &w.a.Code, &countries, &w.a.By, &w.sealed, &w.a.Others, &w.a.OthersAre); err != nil {
			return w, err
		}
		w.a.At = concert.FromMicros(at)
		return w, json.Unmarshal([]byte(countries), &w.a.Countries)
	}, "SELECT item, at, referral, code, countries, person, sealed, others, others_are FROM answer WHERE item = ? ORDER BY at", string(item))
	if err != nil {
		return nil, err
	}
	out := make([]concert.Answer, len(got))
	for i, w := range got {
		var t concert.AnswerText
		if err := tx.open(ctx, string(item), "answer", w.sealed, &t); err != nil {
			return nil, err
		}
		w.a.Note, w.a.Forwarded = t.Note, t.Forwarded
		out[i] = w.a
	}
	return out, nil
}

// AddRechecks writes what we saw, and when we last looked.
func (tx *Tx) AddRechecks(ctx context.Context, cs []concert.Recheck) error {
	if len(cs) == 0 {
		return nil
	}
	tx.touch("recheck")
	rows := make([][]any, len(cs))
	marks := make([][]any, len(cs))
	for i, c := range cs {
		rows[i] = []any{string(c.Item), concert.Micros(c.At), string(c.Referral), string(c.State), c.Reason, c.HTTP, c.Vantage, c.Digest, string(c.By)}
		marks[i] = []any{string(c.Item), concert.Micros(c.At)}
	}
	if _, err := tx.insert(ctx, "recheck", "item, at, referral, state, reason, http, vantage, digest, person", rows, "ON CONFLICT (item, at) DO NOTHING"); err != nil {
		return err
	}
	for len(marks) > 0 {
		k := chunk(len(marks), 2)
		text := "WITH v (item, at) AS (VALUES (CAST(? AS TEXT),CAST(? AS BIGINT))" + repeat(",(?,?)", k-1) + ") UPDATE referral_item SET checked_at = v.at, checks = referral_item.checks + 1 FROM v WHERE referral_item.item = v.item"
		if _, err := tx.exec(ctx, text, flatten(marks[:k], 2)...); err != nil {
			return fmt.Errorf("mark re-checked: %w", err)
		}
		marks = marks[k:]
	}
	return nil
}

// RestartChecks counts our looks at these items from nothing again.
func (tx *Tx) RestartChecks(ctx context.Context, items []concert.ItemID) error {
	ids := anys(strs(items))
	for len(ids) > 0 {
		k := chunk(len(ids), 1)
		if _, err := tx.exec(ctx, "UPDATE referral_item SET checks = 0 WHERE item IN (?"+repeat(",?", k-1)+")", ids[:k]...); err != nil {
			return fmt.Errorf("restart checks: %w", err)
		}
		ids = ids[k:]
	}
	return nil
}

// Rechecks are our own looks at an item, oldest first.
func (tx *Tx) Rechecks(ctx context.Context, item concert.ItemID) ([]concert.Recheck, error) {
	return list(ctx, tx, func(r rowScanner) (concert.Recheck, error) {
		var c concert.Recheck
		var at int64
		err := r.Scan(&c.Item, &at, &c.Referral, &c.State, &c.Reason, &c.HTTP, &c.Vantage, &c.Digest, &c.By)
		c.At = concert.FromMicros(at)
		return c, err
	}, "SELECT item, at, referral, state, reason, http, vantage, digest, person FROM recheck WHERE item = ? ORDER BY at", string(item))
}

// AddRemedies writes withdrawals and corrections; the table refuses to forget
// them (G17).
func (tx *Tx) AddRemedies(ctx context.Context, ms []concert.Remedy) error {
	if len(ms) == 0 {
		return nil
	}
	tx.touch("remedy")
	rows := make([][]any, len(ms))
	for i, m := range ms {
		sealed, err := tx.seal(ctx, string(m.Item), "remedy", concert.GroundText{Ground: m.Reason})
		if err != nil {
			return err
		}
		rows[i] = []any{m.Ref, string(m.Item), string(m.Referral), string(m.Kind), sealed, string(m.By), concert.Micros(m.At), string(m.Category)}
	}
	_, err := tx.insert(ctx, "remedy", "ref, item, referral, kind, sealed, person, at, category", rows, "")
	return err
}

// Remedies are the withdrawals and corrections of these items, by item.
func (tx *Tx) Remedies(ctx context.Context, items []concert.ItemID) (map[concert.ItemID][]concert.Remedy, error) {
	type row struct {
		m      concert.Remedy
		sealed []byte
	}
	got, err := in(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var at int64
		err := r.Scan(&w.m.Ref, &w.m.Item, &w.m.Referral, &w.m.Kind, &w.sealed, &w.m.By, &at, &w.m.Category)
		w.m.At = concert.FromMicros(at)
		return w, err
	}, "SELECT ref, item, referral, kind, sealed, person, at, category FROM remedy WHERE item IN (%s) ORDER BY item, at", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("remedies: %w", err)
	}
	out := map[concert.ItemID][]concert.Remedy{}
	for _, w := range got {
		var g concert.GroundText
		if err := tx.open(ctx, string(w.m.Item), "remedy", w.sealed, &g); err != nil {
			return nil, err
		}
		w.m.Reason = g.Ground
		out[w.m.Item] = append(out[w.m.Item], w.m)
	}
	return out, nil
}
