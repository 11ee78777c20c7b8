package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"concert"
)

const (
	threatCols     = "t.id, t.ref, t.provider, t.person, t.kind, t.states, t.content, t.preserved, t.seen_at, t.received_at, t.erase_at, t.erased_at, t.exercise, t.version"
	threatCopyCols = "c.id, c.threat, c.authority, c.state, c.why, c.status, c.taker, c.received_at, c.due_at, c.taken_at, c.closed_at, c.outcome, c.warned, c.version"
)

// What of a report lies under its own key.
const (
	sealedThreat     = "threat.text"
	sealedThreatCopy = "threat.copy"
)

func scanThreat(r rowScanner, more ...any) (concert.LifeThreat, error) {
	var t concert.LifeThreat
	var states string
	var seen, received, erase, erased int64
	err := r.Scan(append([]any{&t.ID, &t.Ref, &t.Provider, &t.By, &t.Kind, &states, &t.Content, &t.Preserved, &seen, &received, &erase, &erased, &t.Exercise, &t.Version}, more...)...)
	t.States = strings.Fields(states)
	t.SeenAt, t.ReceivedAt, t.EraseAt, t.ErasedAt = concert.FromMicros(seen), concert.FromMicros(received), concert.FromMicros(erase), concert.FromMicros(erased)
	return t, err
}

func scanThreatCopy(r rowScanner, more ...any) (concert.ThreatCopy, error) {
	var c concert.ThreatCopy
	var received, due, taken, closed int64
	err := r.Scan(append([]any{&c.ID, &c.Threat, &c.Authority, &c.State, &c.Why, &c.Status, &c.Taker, &received, &due, &taken, &closed, &c.Outcome, &c.Warned, &c.Version}, more...)...)
	c.ReceivedAt, c.DueAt, c.TakenAt, c.ClosedAt = concert.FromMicros(received), concert.FromMicros(due), concert.FromMicros(taken), concert.FromMicros(closed)
	return c, err
}

// AddThreat writes a new report with the copies of those whom it goes to.
func (tx *Tx) AddThreat(ctx context.Context, t concert.LifeThreat, copies []concert.ThreatCopy) error {
	tx.touch("life_threat")
	if err := tx.newSubjects(ctx, string(t.ID)); err != nil {
		return err
	}
	sealed, err := tx.seal(ctx, string(t.ID), sealedThreat, t.ThreatText)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "life_threat", strings.ReplaceAll(threatCols, "t.", "")+", sealed", [][]any{{string(t.ID), t.Ref, string(t.Provider), string(t.By), string(t.Kind), strings.Join(t.States, " "), string(t.Content), flag(t.Preserved),
		concert.Micros(t.SeenAt), concert.Micros(t.ReceivedAt), concert.Micros(t.EraseAt), concert.Micros(t.ErasedAt), flag(t.Exercise), 1, sealed}}, "")
	if err != nil {
		return err
	}
	for _, c := range copies {
		if err := tx.PutThreatCopy(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// PutThreatCopy writes a copy: a new one where its version is 0.
func (tx *Tx) PutThreatCopy(ctx context.Context, c concert.ThreatCopy) error {
	tx.touch("threat_copy")
	sealed, err := tx.seal(ctx, string(c.Threat), sealedThreatCopy, c.ThreatCopyText)
	if err != nil {
		return err
	}
	next := concert.Micros(c.NextLook())
	if c.Version == 0 {
		_, err := tx.insert(ctx, "threat_copy", strings.ReplaceAll(threatCopyCols, "c.", "")+", next_at, sealed", [][]any{{string(c.ID), string(c.Threat), string(c.Authority), c.State, string(c.Why), string(c.Status), string(c.Taker),
			concert.Micros(c.ReceivedAt), concert.Micros(c.DueAt), concert.Micros(c.TakenAt), concert.Micros(c.ClosedAt), string(c.Outcome), c.Warned, 1, next, sealed}}, "")
		return err
	}
	n, err := tx.exec(ctx, "UPDATE threat_copy SET status = ?, taker = ?, received_at = ?, due_at = ?, taken_at = ?, closed_at = ?, outcome = ?, warned = ?, next_at = ?, sealed = ?, version = version + 1 WHERE id = ? AND version = ?",
		string(c.Status), string(c.Taker), concert.Micros(c.ReceivedAt), concert.Micros(c.DueAt), concert.Micros(c.TakenAt), concert.Micros(c.ClosedAt), string(c.Outcome), c.Warned, next, sealed, string(c.ID), c.Version)
	if err == nil && n != 1 {
		err = concert.ErrStale
	}
	return err
}

// SettleThreat writes by when a report's text is erased.
func (tx *Tx) SettleThreat(ctx context.Context, t concert.LifeThreat) error {
	tx.touch("life_threat")
	return tx.update(ctx, "life_threat", []typed{{"erase_at", "BIGINT"}}, [][]any{{string(t.ID), t.Version, concert.Micros(t.EraseAt)}})
}

// EraseThreat destroys a report's key and all that lay under it, in its events too.
func (tx *Tx) EraseThreat(ctx context.Context, t concert.LifeThreat) error {
	tx.touch("life_threat")
	if err := tx.update(ctx, "life_threat", []typed{{"erase_at", "BIGINT"}, {"erased_at", "BIGINT"}}, [][]any{{string(t.ID), t.Version, concert.Micros(t.EraseAt), concert.Micros(t.ErasedAt)}}); err != nil {
		return err
	}
	for _, text := range []string{"UPDATE life_threat SET sealed = NULL WHERE id = ?", "UPDATE threat_copy SET sealed = NULL WHERE threat = ?", "UPDATE event SET sealed = NULL, salt = NULL WHERE subject = ?", "DELETE FROM subject_key WHERE subject = ?"} {
		if _, err := tx.exec(ctx, text, string(t.ID)); err != nil {
			return fmt.Errorf("erase %s: %w", t.Ref, err)
		}
	}
	delete(tx.keys, string(t.ID))
	return nil
}

// Threat is a report, by reference or id, with what is sealed, and its copies, in the
// order in which they went out.
func (tx *Tx) Threat(ctx context.Context, ref string) (concert.LifeThreat, []concert.ThreatCopy, error) {
	var sealed []byte
	t, err := scanThreat(tx.row(ctx, "SELECT "+threatCols+", t.sealed FROM life_threat t WHERE t.ref = ? OR t.id = ?", ref, ref), &sealed)
	if err != nil {
		return t, nil, err
	}
	if err := tx.open(ctx, string(t.ID), sealedThreat, sealed, &t.ThreatText); err != nil {
		return t, nil, err
	}
	type row struct {
		c      concert.ThreatCopy
		sealed []byte
	}
	got, err := list(ctx, tx, func(r rowScanner) (row, error) {
		var w row
		var err error
		w.c, err = scanThreatCopy(r, &w.sealed)
		return w, err
	}, "SELECT "+threatCopyCols+", c.sealed FROM threat_copy c WHERE c.threat = ? ORDER BY c.id", string(t.ID))
	if err != nil {
		return t, nil, fmt.Errorf("copies of %s: %w", t.Ref, err)
	}
	copies := make([]concert.ThreatCopy, len(got))
	for i, w := range got {
		if err := tx.open(ctx, string(t.ID), sealedThreatCopy, w.sealed, &w.c.ThreatCopyText); err != nil {
			return t, nil, err
		}
		copies[i] = w.c
	}
	return t, copies, nil
}

// ListedThreat is a report, bare, with its copies, bare.
type ListedThreat struct {
	concert.LifeThreat
	Copies []concert.ThreatCopy
}

// threats are reports of a condition, bare, with their copies.
func (tx *Tx) threats(ctx context.Context, rest string, args ...any) ([]ListedThreat, error) {
	got, err := list(ctx, tx, func(r rowScanner) (ListedThreat, error) {
		t, err := scanThreat(r)
		return ListedThreat{LifeThreat: t}, err
	}, "SELECT "+threatCols+" FROM life_threat t "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("threats: %w", err)
	}
	at := map[concert.ThreatID]int{}
	ids := make([]any, len(got))
	for i, t := range got {
		at[t.ID], ids[i] = i, string(t.ID)
	}
	copies, err := in(ctx, tx, func(r rowScanner) (concert.ThreatCopy, error) { return scanThreatCopy(r) }, "SELECT "+threatCopyCols+" FROM threat_copy c WHERE c.threat IN (%s) ORDER BY c.id", ids)
	for _, c := range copies {
		got[at[c.Threat]].Copies = append(got[at[c.Threat]].Copies, c)
	}
	return got, err
}

// ThreatDesk is whose reports are listed: those of a provider, or the copies of
// authorities, "" among them for the coordinators'. Neither is everybody's.
type ThreatDesk struct {
	Provider concert.ProviderID
	Desks    []concert.AuthorityID
	All      bool // an auditor's
}

// Threats are a desk's, the newest first, bare, from before an id ("" for the newest).
func (tx *Tx) Threats(ctx context.Context, s concert.Scope, d ThreatDesk, before concert.ThreatID, limit int) ([]ListedThreat, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	where, args := "WHERE 1 = 1", []any{}
	switch {
	case d.All:
	case d.Provider != "":
		where, args = "WHERE t.provider = ?", []any{string(d.Provider)}
	default:
		marks := strings.TrimSuffix(strings.Repeat("?,", len(d.Desks)), ",")
		if marks == "" {
			return nil, nil
		}
		where, args = "WHERE t.id IN (SELECT c.threat FROM threat_copy c WHERE c.authority IN ("+marks+"))", anys(strs(d.Desks))
	}
	if before != "" {
		where, args = where+" AND t.id < ?", append(args, string(before))
	}
	return tx.threats(ctx, where+" ORDER BY t.id DESC LIMIT ?", append(args, limit)...)
}

// WaitingThreats are the newest reports that nobody at the desks has taken, the newest
// first, bare: one that comes in stands among them however many wait.
func (tx *Tx) WaitingThreats(ctx context.Context, desks []concert.AuthorityID, limit int) ([]ListedThreat, error) {
	marks := strings.TrimSuffix(strings.Repeat("?,", len(desks)), ",")
	if marks == "" {
		return nil, nil
	}
	return tx.threats(ctx, "WHERE t.id IN (SELECT c.threat FROM threat_copy c WHERE c.authority IN ("+marks+") AND c.status = 'received') ORDER BY t.id DESC LIMIT ?", append(anys(strs(desks)), limit)...)
}

// AnyThreatDue reports whether a copy is to be looked at, or a report erased, by the
// moment.
func (tx *Tx) AnyThreatDue(ctx context.Context, now time.Time) (bool, error) {
	var n int
	at := concert.Micros(now)
	err := tx.row(ctx, "SELECT count(*) FROM (SELECT 1 FROM threat_copy WHERE next_at > 0 AND next_at <= ? UNION ALL SELECT 1 FROM life_threat WHERE erase_at > 0 AND erase_at <= ? LIMIT 1) AS d", at, at).Scan(&n)
	return n > 0, err
}

// DueThreats are the reports of which a copy is to be looked at by the moment, at most
// limit: on PostgreSQL those that no other node has in hand.
func (tx *Tx) DueThreats(ctx context.Context, now time.Time, limit int) ([]concert.ThreatID, error) {
	return list(ctx, tx, func(r rowScanner) (id concert.ThreatID, err error) { return id, r.Scan(&id) }, "SELECT threat FROM threat_copy WHERE next_at > 0 AND next_at <= ? ORDER BY next_at, id LIMIT ?"+tx.db.d.skipLocked, concert.Micros(now), limit)
}

// StaleThreats are the reports whose text is to be erased by the moment, bare.
func (tx *Tx) StaleThreats(ctx context.Context, now time.Time, limit int) ([]concert.LifeThreat, error) {
	return list(ctx, tx, func(r rowScanner) (concert.LifeThreat, error) { return scanThreat(r) }, "SELECT "+threatCols+" FROM life_threat t WHERE t.erase_at > 0 AND t.erase_at <= ? ORDER BY t.erase_at LIMIT ?"+tx.db.d.skipLocked, concert.Micros(now), limit)
}

// CoordinatorOffices are the authorities to which coordinators belong: their mailboxes
// hear of what goes to the coordinators.
func (tx *Tx) CoordinatorOffices(ctx context.Context) ([]concert.AuthorityID, error) {
	people, err := tx.People(ctx)
	if err != nil {
		return nil, err
	}
	var out []concert.AuthorityID
	seen := map[concert.AuthorityID]bool{"": true}
	for _, p := range people {
		if by := p.Actor(); by.Has(concert.RoleCoordinator) && p.DisabledAt.IsZero() && !seen[p.Authority] {
			seen[p.Authority] = true
			out = append(out, p.Authority)
		}
	}
	return out, nil
}
