package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"concert"
)

const slipCols = "s.item, s.stage, s.authority, s.holder, s.claimed_at, s.held_until, s.parked_by, s.parked_until, s.keeper, s.kept_until, s.handed_by, s.handed_at, s.escalated_by, s.escalated_at, s.version"

// slipRow is where a slip's columns are read into; any may be NULL, where no
// slip lies on an item.
type slipRow struct {
	item, stage, authority, holder, parkedBy, keeper, handedBy, escalatedBy, number *string
	claimed, until, parked, kept, handed, escalated, version                        *int64
}

func (w *slipRow) dest() []any {
	return []any{&w.item, &w.stage, &w.authority, &w.holder, &w.claimed, &w.until, &w.parkedBy, &w.parked, &w.keeper, &w.kept, &w.handedBy, &w.handed, &w.escalatedBy, &w.escalated, &w.version, &w.number}
}

func text[T ~string](p *string) T {
	if p == nil {
		return ""
	}
	return T(*p)
}

func (w *slipRow) slip() concert.Slip {
	if w.item == nil {
		return concert.Slip{}
	}
	return concert.Slip{Item: concert.ItemID(*w.item), Stage: text[concert.ItemStatus](w.stage), Authority: text[concert.AuthorityID](w.authority), Holder: text[concert.PersonID](w.holder), Number: text[string](w.number),
		ClaimedAt: concert.FromMicros(*w.claimed), Until: concert.FromMicros(*w.until), ParkedBy: text[concert.PersonID](w.parkedBy), ParkedUntil: concert.FromMicros(*w.parked),
		Keeper: text[concert.PersonID](w.keeper), KeptUntil: concert.FromMicros(*w.kept), HandedBy: text[concert.PersonID](w.handedBy), HandedAt: concert.FromMicros(*w.handed),
		EscalatedBy: text[concert.PersonID](w.escalatedBy), EscalatedAt: concert.FromMicros(*w.escalated), Version: *w.version}
}

// Slips are what lies on these items, in whichever stage it was written (see
// concert.Slip.At), without what is sealed.
func (tx *Tx) Slips(ctx context.Context, items []concert.ItemID) (map[concert.ItemID]concert.Slip, error) {
	got, err := in(ctx, tx, func(r rowScanner) (concert.Slip, error) {
		var w slipRow
		err := r.Scan(w.dest()...)
		if err != nil {
			return concert.Slip{}, err
		}
		return w.slip(), nil
	}, "SELECT "+slipCols+", p.operator FROM slip s LEFT JOIN person p ON p.id = s.holder WHERE s.item IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("slips: %w", err)
	}
	out := make(map[concert.ItemID]concert.Slip, len(got))
	for _, s := range got {
		out[s.Item] = s
	}
	return out, nil
}

// SlipText is what people wrote on an item's slip.
func (tx *Tx) SlipText(ctx context.Context, item concert.ItemID) (concert.SlipText, error) {
	var t concert.SlipText
	var sealed []byte
	err := tx.row(ctx, "SELECT sealed FROM slip WHERE item = ?", string(item)).Scan(&sealed)
	if err == concert.ErrNotFound {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	return t, tx.open(ctx, string(item), "slip", sealed, &t)
}

const slipSets = "stage = excluded.stage, authority = excluded.authority, holder = excluded.holder, claimed_at = excluded.claimed_at, held_until = excluded.held_until, parked_by = excluded.parked_by, parked_until = excluded.parked_until, " +
	"keeper = excluded.keeper, kept_until = excluded.kept_until, handed_by = excluded.handed_by, handed_at = excluded.handed_at, escalated_by = excluded.escalated_by, escalated_at = excluded.escalated_at, version = slip.version + 1"

func slipValues(s concert.Slip, sealed []byte) []any {
	return []any{string(s.Item), string(s.Stage), string(s.Authority), string(s.Holder), concert.Micros(s.ClaimedAt), concert.Micros(s.Until), string(s.ParkedBy), concert.Micros(s.ParkedUntil),
		string(s.Keeper), concert.Micros(s.KeptUntil), string(s.HandedBy), concert.Micros(s.HandedAt), string(s.EscalatedBy), concert.Micros(s.EscalatedAt), sealed, 1}
}

const slipNames = "item, stage, authority, holder, claimed_at, held_until, parked_by, parked_until, keeper, kept_until, handed_by, handed_at, escalated_by, escalated_at, sealed, version"

// SaveSlip writes a slip with its text; ErrStale when somebody was faster.
func (tx *Tx) SaveSlip(ctx context.Context, s concert.Slip) error {
	tx.touch("slip")
	var sealed []byte
	if s.Text != (concert.SlipText{}) {
		var err error
		if sealed, err = tx.seal(ctx, string(s.Item), "slip", s.Text); err != nil {
			return err
		}
	}
	return tx.saveSlip(ctx, s, "sealed = excluded.sealed, ", sealed)
}

// SaveClaim writes a slip and leaves its text as it is, unless that was of an
// earlier stage; ErrStale when somebody was faster. It is no case data: who made
// an assessment stands in the assessment.
func (tx *Tx) SaveClaim(ctx context.Context, s concert.Slip) error {
	return tx.saveSlip(ctx, s, "sealed = CASE WHEN slip.stage = excluded.stage THEN slip.sealed END, ", nil)
}

func (tx *Tx) saveSlip(ctx context.Context, s concert.Slip, text string, sealed []byte) error {
	one := "(?" + repeat(",?", 15) + ")"
	n, err := tx.exec(ctx, "INSERT INTO slip ("+slipNames+") VALUES "+one+" ON CONFLICT (item) DO UPDATE SET "+text+slipSets+" WHERE slip.version = ?", append(slipValues(s, sealed), s.Version)...)
	if err != nil {
		return fmt.Errorf("save slip: %w", err)
	}
	if n != 1 {
		return concert.ErrStale
	}
	return nil
}

// DropSlips takes away what lies on items that have moved on.
func (tx *Tx) DropSlips(ctx context.Context, items []concert.ItemID) error {
	for _, id := range items {
		if _, err := tx.exec(ctx, "DELETE FROM slip WHERE item = ?", string(id)); err != nil {
			return fmt.Errorf("drop slip: %w", err)
		}
	}
	return nil
}

// AddClaimEnd keeps what the holder of a claim is told.
func (tx *Tx) AddClaimEnd(ctx context.Context, e concert.ClaimEnd) error {
	_, err := tx.insert(ctx, "claim_end", "person, item, cause, ended_by, at", [][]any{{string(e.Person), string(e.Item), string(e.Cause), string(e.By), concert.Micros(e.At)}},
		"ON CONFLICT (person, item) DO UPDATE SET cause = excluded.cause, ended_by = excluded.ended_by, at = excluded.at")
	return err
}

// ClaimEnds are what the person is told, the newest first.
func (tx *Tx) ClaimEnds(ctx context.Context, p concert.PersonID, limit int) ([]concert.ClaimEnd, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.ClaimEnd, error) {
		var e concert.ClaimEnd
		var at int64
		err := r.Scan(&e.Person, &e.Item, &e.Cause, &e.By, &at)
		e.At = concert.FromMicros(at)
		return e, err
	}, "SELECT person, item, cause, ended_by, at FROM claim_end WHERE person = ? ORDER BY at DESC, item LIMIT ?", string(p), limit)
	if err != nil {
		return nil, fmt.Errorf("ended claims: %w", err)
	}
	return got, nil
}

// SeenClaimEnds forgets what the person was told.
func (tx *Tx) SeenClaimEnds(ctx context.Context, p concert.PersonID) error {
	_, err := tx.exec(ctx, "DELETE FROM claim_end WHERE person = ?", string(p))
	return err
}

// AddSkip keeps an item from being offered to the person until then.
func (tx *Tx) AddSkip(ctx context.Context, p concert.PersonID, item concert.ItemID, until time.Time) error {
	_, err := tx.insert(ctx, "skip", "person, item, until", [][]any{{string(p), string(item), concert.Micros(until)}}, "ON CONFLICT (person, item) DO UPDATE SET until = excluded.until")
	return err
}

// Skipped are the items that the person skipped and that are not offered yet.
func (tx *Tx) Skipped(ctx context.Context, p concert.PersonID, now time.Time) (map[concert.ItemID]bool, error) {
	out := map[concert.ItemID]bool{}
	_, err := list(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.ItemID
		err := r.Scan(&id)
		out[id] = true
		return struct{}{}, err
	}, "SELECT item FROM skip WHERE person = ? AND until > ?", string(p), concert.Micros(now))
	if err != nil {
		return nil, fmt.Errorf("skipped items: %w", err)
	}
	return out, nil
}

// ForgetFlow forgets skips that are over and ends of claims from before then.
func (tx *Tx) ForgetFlow(ctx context.Context, now, told time.Time) error {
	if _, err := tx.exec(ctx, "DELETE FROM skip WHERE until <= ?", concert.Micros(now)); err != nil {
		return fmt.Errorf("forget skips: %w", err)
	}
	_, err := tx.exec(ctx, "DELETE FROM claim_end WHERE at < ?", concert.Micros(told))
	return err
}

// OnSlip is an item with what lies on it, neither with what is sealed.
type OnSlip struct {
	concert.Item
	Slip concert.Slip
}

func scanOnSlip(r rowScanner) (OnSlip, error) {
	var w slipRow
	it, err := scanItemAnd(r, w.dest()...)
	return OnSlip{it, w.slip()}, err
}

// onSlips are items of the stage that their slip was written in.
const onSlips = " FROM slip s JOIN item i ON i.id = s.item AND i.status = s.stage LEFT JOIN person p ON p.id = s.holder WHERE i.erased_at = 0 AND "

// slipsMost bounds a list of slips.
const slipsMost = 100

func (tx *Tx) onSlips(ctx context.Context, where string, args ...any) ([]OnSlip, error) {
	got, err := list(ctx, tx, scanOnSlip, "SELECT "+bareCols+", "+slipCols+", p.operator"+onSlips+where+" LIMIT ?", append(args, slipsMost)...)
	if err != nil {
		return nil, fmt.Errorf("items on slips: %w", err)
	}
	return got, nil
}

// Held are the items that the person has in hand, the first to run out first.
func (tx *Tx) Held(ctx context.Context, p concert.PersonID, now time.Time) ([]OnSlip, error) {
	return tx.onSlips(ctx, "s.holder = ? AND s.holder <> '' AND s.held_until > ? ORDER BY s.held_until, i.id", string(p), concert.Micros(now))
}

// Kept are the items that wait for the person: handed over, escalated to them,
// or parked by them; what has waited longest first.
func (tx *Tx) Kept(ctx context.Context, p concert.PersonID) ([]OnSlip, error) {
	return tx.onSlips(ctx, "s.keeper = ? AND s.keeper <> '' ORDER BY s.kept_until, i.id", string(p))
}

// EscalatedIn are the items that wait for a lead of the authority, urgent and
// old first.
func (tx *Tx) EscalatedIn(ctx context.Context, a concert.AuthorityID) ([]OnSlip, error) {
	return tx.onSlips(ctx, "s.authority = ? AND s.escalated_at > 0 ORDER BY i.rank, s.escalated_at, i.id", string(a))
}

// ClaimsOf is how many items the person has in hand.
func (tx *Tx) ClaimsOf(ctx context.Context, p concert.PersonID, now time.Time) (n int, err error) {
	err = tx.row(ctx, "SELECT count(*) FROM slip WHERE holder = ? AND holder <> '' AND held_until > ?", string(p), concert.Micros(now)).Scan(&n)
	return n, err
}

// RanOut are slips whose claim's time is over, the oldest first.
func (tx *Tx) RanOut(ctx context.Context, now time.Time, limit int) ([]concert.Slip, error) {
	got, err := list(ctx, tx, func(r rowScanner) (concert.Slip, error) {
		var w slipRow
		if err := r.Scan(w.dest()...); err != nil {
			return concert.Slip{}, err
		}
		return w.slip(), nil
	}, "SELECT "+slipCols+", NULL FROM slip s WHERE s.holder <> '' AND s.held_until <= ? ORDER BY s.held_until LIMIT ?", concert.Micros(now), limit)
	if err != nil {
		return nil, fmt.Errorf("claims that ran out: %w", err)
	}
	return got, nil
}

// free leaves out what somebody has in hand, what is parked, kept for somebody
// else or escalated, and what the person skipped: by what stands against an item and not by
// a join, so that it is a walk along the index of what waits, however much does.
// Its arguments are now, now, now, the person, the person, now.
const free = " WHERE i.erased_at = 0 AND NOT EXISTS (SELECT 1 FROM slip s WHERE s.item = i.id AND s.stage = i.status AND (s.held_until > ? OR s.parked_until > ? OR s.escalated_at > 0 OR s.kept_until > ? AND s.keeper <> '' AND s.keeper <> ?))" +
	" AND NOT EXISTS (SELECT 1 FROM skip k WHERE k.person = ? AND k.item = i.id AND k.until > ?)"

// NextToAssess are the first open items that are free for the officer, of those
// that their authority found first: urgent and old first.
func (tx *Tx) NextToAssess(ctx context.Context, by concert.Actor, now time.Time, limit int) ([]OnSlip, error) {
	return tx.next(ctx, by, now, " AND i.authority = ? AND i.author = '' AND i.status = 'open'", limit, string(by.Authority))
}

// NextToDecide are the first assessments that are free for the reviewer, of
// those that others of their authority made and on which they have not decided.
func (tx *Tx) NextToDecide(ctx context.Context, by concert.Actor, now time.Time, limit int) ([]OnSlip, error) {
	return tx.next(ctx, by, now, " AND i.author = ? AND i.author <> '' AND i.status = 'assessed' AND i.assessor <> ? AND NOT EXISTS (SELECT 1 FROM approval a WHERE a.assessment = i.assessment AND a.reviewer = ?)",
		limit, string(by.Authority), string(by.Person), string(by.Person))
}

func (tx *Tx) next(ctx context.Context, by concert.Actor, now time.Time, whose string, limit int, args ...any) ([]OnSlip, error) {
	at, me := concert.Micros(now), string(by.Person)
	readable, codes := readableBy(by.Languages)
	all := slices.Concat([]any{at, at, at, me, me, at}, args, codes)
	items, err := list(ctx, tx, scanBare, "SELECT "+bareCols+" FROM item i"+free+whose+readable+" ORDER BY i.rank, i.id LIMIT ?", append(all, limit)...)
	if err != nil {
		return nil, fmt.Errorf("next items: %w", err)
	}
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	slips, err := tx.Slips(ctx, ids)
	out := make([]OnSlip, len(items))
	for i, it := range items {
		out[i] = OnSlip{it, slips[it.ID]}
	}
	return out, err
}

// readableBy leaves items to those who can judge them: in a language that they
// read, with a person's translation into one, without words, or of which nobody has
// said yet what language it is.
func readableBy(codes []string) (string, []any) {
	text, args := languages(append([]string{}, codes...))
	if len(codes) == 0 {
		return text, args
	}
	text = strings.Replace(text, " AND (", " AND ((", 1) + " OR EXISTS (SELECT 1 FROM translation t WHERE t.item = i.id AND t.kind = 'human' AND t.maker <> i.assessor AND t.target IN (?" + repeat(",?", len(codes)-1) + ")))"
	return text, append(args, anys(codes)...)
}

// ItemSeverities are those of every assessment of these items.
func (tx *Tx) ItemSeverities(ctx context.Context, items []concert.ItemID) (map[concert.ItemID][]concert.Severity, error) {
	out := map[concert.ItemID][]concert.Severity{}
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id concert.ItemID
		var s concert.Severity
		err := r.Scan(&id, &s)
		out[id] = append(out[id], s)
		return struct{}{}, err
	}, "SELECT item, severity FROM assessment WHERE item IN (%s)", anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("severities: %w", err)
	}
	return out, nil
}

// RaiseFound gives items the priority that the number of authorities which found
// them makes, where that is higher. It is what one authority's find does to
// another's item, so that the item's version stays: nobody's reading of it goes stale.
func (tx *Tx) RaiseFound(ctx context.Context, items []concert.ItemID) error {
	if len(items) == 0 {
		return nil
	}
	// Whoever finds the same item at this moment waits, and counts after us.
	if err := tx.LockItems(ctx, items); err != nil {
		return err
	}
	finders, err := tx.Finders(ctx, items)
	if err != nil {
		return err
	}
	for id, by := range finders {
		rank := 9 - concert.PriorityFacts{Finders: len(by)}.Priority()
		if _, err := tx.exec(ctx, "UPDATE item SET rank = ? WHERE id = ? AND rank > ?", rank, string(id), rank); err != nil {
			return fmt.Errorf("raise what was found again: %w", err)
		}
	}
	return nil
}

// LockItems makes others wait who lock the same items, until this act is over.
func (tx *Tx) LockItems(ctx context.Context, items []concert.ItemID) error {
	_, err := in(ctx, tx, func(r rowScanner) (struct{}, error) {
		var id string
		return struct{}{}, r.Scan(&id)
	}, "SELECT id FROM item WHERE id IN (%s) ORDER BY id"+tx.db.d.forUpdate, anys(strs(items)))
	if err != nil {
		return fmt.Errorf("lock items: %w", err)
	}
	return nil
}

// SettlePriorities gives items the priority that is theirs once an incident has
// ended, which may be a lower one: the only act that lowers. ErrStale where one moved on.
func (tx *Tx) SettlePriorities(ctx context.Context, items []concert.Item) error {
	for _, it := range items {
		tx.touch("item")
		n, err := tx.exec(ctx, "UPDATE item SET rank = ?, version = version + 1 WHERE id = ? AND version = ?", 9-it.Priority, string(it.ID), it.Version)
		if err != nil {
			return fmt.Errorf("settle priorities: %w", err)
		}
		if n != 1 {
			return concert.ErrStale
		}
	}
	return nil
}
