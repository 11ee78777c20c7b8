package store

import (
	"context"
	"fmt"
	"time"

	"concert"
)

// questionSubject is under whose key a message is sealed: its item's, else its
// referral's.
func questionSubject(q concert.Question) string {
	if q.Item != "" {
		return string(q.Item)
	}
	return string(q.Referral)
}

// AddQuestion writes a message and brings its thread up to date.
func (tx *Tx) AddQuestion(ctx context.Context, q concert.Question) error {
	tx.touch("question")
	sealed, err := tx.seal(ctx, questionSubject(q), "question", concert.GroundText{Ground: q.Text})
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "question", "id, ref, referral, item, provider, author, side, kind, sealed, person, at",
		[][]any{{string(q.ID), q.Ref, string(q.Referral), string(q.Item), string(q.Provider), string(q.Author), string(q.Side), string(q.Kind), sealed, string(q.By), concert.Micros(q.At)}}, "")
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "thread", "referral, provider, author, waits, messages, last_at, last_id",
		[][]any{{string(q.Referral), string(q.Provider), string(q.Author), string(q.Side.Other()), 1, concert.Micros(q.At), string(q.ID)}},
		"ON CONFLICT (referral) DO UPDATE SET waits = excluded.waits, messages = thread.messages + 1, last_at = excluded.last_at, last_id = excluded.last_id")
	return err
}

// Questions are the messages of a referral's thread, oldest first, each with how
// many of the other side have read it.
func (tx *Tx) Questions(ctx context.Context, r concert.ReferralID) ([]concert.Question, error) {
	type row struct {
		q      concert.Question
		sealed []byte
	}
	got, err := list(ctx, tx, func(s rowScanner) (row, error) {
		var w row
		var at int64
		err := s.Scan(&w.q.ID, &w.q.Ref, &w.q.Referral, &w.q.Item, &w.q.Provider, &w.q.Author, &w.q.Side, &w.q.Kind, &w.sealed, &w.q.By, &at, &w.q.Readers)
		w.q.At = concert.FromMicros(at)
		return w, err
	}, "SELECT q.id, q.ref, q.referral, q.item, q.provider, q.author, q.side, q.kind, q.sealed, q.person, q.at, (SELECT count(*) FROM question_read x WHERE x.question = q.id) FROM question q WHERE q.referral = ? ORDER BY q.id", string(r))
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	out := make([]concert.Question, len(got))
	for i, w := range got {
		var g concert.GroundText
		if err := tx.open(ctx, questionSubject(w.q), "question", w.sealed, &g); err != nil {
			return nil, err
		}
		w.q.Text, w.q.Erased = g.Ground, g.Ground == ""
		out[i] = w.q
	}
	return out, nil
}

// Unread are those of a thread's messages from the other side that the person
// has not read yet.
func (tx *Tx) Unread(ctx context.Context, r concert.ReferralID, side concert.Side, p concert.PersonID) ([]concert.QuestionID, error) {
	return list(ctx, tx, func(s rowScanner) (concert.QuestionID, error) {
		var id concert.QuestionID
		return id, s.Scan(&id)
	}, "SELECT q.id FROM question q WHERE q.referral = ? AND q.side = ? AND NOT EXISTS (SELECT 1 FROM question_read x WHERE x.question = q.id AND x.person = ?)", string(r), string(side.Other()), string(p))
}

// MarkRead writes that a person has read messages.
func (tx *Tx) MarkRead(ctx context.Context, qs []concert.QuestionID, p concert.PersonID, at time.Time) error {
	rows := make([][]any, len(qs))
	for i, q := range qs {
		rows[i] = []any{string(q), string(p), concert.Micros(at)}
	}
	_, err := tx.insert(ctx, "question_read", "question, person, at", rows, "ON CONFLICT (question, person) DO NOTHING")
	return err
}

// ListedThread is a thread with its referral's reference.
type ListedThread struct {
	concert.Thread
	Ref    string
	LastID concert.QuestionID
}

// ThreadFilter chooses a page of threads, newest last message first: a provider's
// or an authority's.
type ThreadFilter struct {
	Provider concert.ProviderID
	Author   concert.AuthorityID
	Waits    concert.Side // who is to write back
	Before   concert.QuestionID
	Limit    int
}

// Threads are one page.
func (tx *Tx) Threads(ctx context.Context, f ThreadFilter) ([]ListedThread, error) {
	where, args := "WHERE t.author = ? AND t.waits = ?", []any{string(f.Author), string(f.Waits)}
	if f.Provider != "" {
		where, args = "WHERE t.provider = ? AND t.waits = ?", []any{string(f.Provider), string(f.Waits)}
	}
	if f.Before != "" {
		where += " AND t.last_id < ?"
		args = append(args, string(f.Before))
	}
	return list(ctx, tx, func(s rowScanner) (ListedThread, error) {
		var t ListedThread
		var at int64
		err := s.Scan(&t.Referral, &t.Provider, &t.Author, &t.Waits, &t.Messages, &at, &t.LastID, &t.Ref)
		t.LastAt = concert.FromMicros(at)
		return t, err
	}, "SELECT t.referral, t.provider, t.author, t.waits, t.messages, t.last_at, t.last_id, r.ref FROM thread t JOIN referral r ON r.id = t.referral "+where+" ORDER BY t.last_id DESC LIMIT ?", append(args, min(max(f.Limit, 1), 500))...)
}

// Asking reports of each referral how many messages its thread has.
func (tx *Tx) Asking(ctx context.Context, rs []concert.ReferralID) (map[concert.ReferralID]concert.Thread, error) {
	out := map[concert.ReferralID]concert.Thread{}
	_, err := in(ctx, tx, func(s rowScanner) (struct{}, error) {
		var t concert.Thread
		var at int64
		err := s.Scan(&t.Referral, &t.Provider, &t.Author, &t.Waits, &t.Messages, &at)
		t.LastAt = concert.FromMicros(at)
		out[t.Referral] = t
		return struct{}{}, err
	}, "SELECT referral, provider, author, waits, messages, last_at FROM thread WHERE referral IN (%s)", anys(strs(rs)))
	return out, err
}

// eraseQuestions takes a referral's messages along with the first of its items
// that is erased: what was written of one may tell of the other.
func (tx *Tx) eraseQuestions(ctx context.Context, r concert.ReferralID) error {
	if r == "" {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE question SET sealed = NULL WHERE referral = ? AND sealed IS NOT NULL", string(r))
	return err
}
