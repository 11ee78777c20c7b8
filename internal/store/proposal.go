package store

import (
	"context"
	"strings"
	"time"

	"concert"
)

// EntryTries is how many codes may be tried on a link before it is dead.
const EntryTries = 5

const proposalCols = "q.ref, q.person, q.kind, q.roles, q.authority, q.proposed_by, q.proposed_at, q.expires_at, q.confirmed_by, q.confirmed_at, q.resets"

func scanProposal(r rowScanner) (concert.Proposal, error) { return scanProposalAnd(r) }

func scanProposalAnd(r rowScanner, more ...any) (concert.Proposal, error) {
	var q concert.Proposal
	var roles string
	var proposed, expires, confirmed int64
	if err := r.Scan(append([]any{&q.Ref, &q.Person, &q.Kind, &roles, &q.Authority, &q.ProposedBy, &proposed, &expires, &q.ConfirmedBy, &confirmed, &q.Resets}, more...)...); err != nil {
		return q, err
	}
	for role := range strings.SplitSeq(roles, ",") {
		q.Roles = append(q.Roles, concert.Role(role))
	}
	q.ProposedAt, q.ExpiresAt, q.ConfirmedAt = concert.FromMicros(proposed), concert.FromMicros(expires), concert.FromMicros(confirmed)
	return q, nil
}

// Propose writes a new proposal with the digest of its link, nil where it gives
// no way in. It takes the place of what waits about the person; with a new link
// the older ones end at wall time now, confirmed or not.
func (tx *Tx) Propose(ctx context.Context, q concert.Proposal, link *[32]byte, now time.Time) error {
	tx.touch("proposal")
	if err := tx.DropWaiting(ctx, q.Person, now); err != nil {
		return err
	}
	var digest any
	if link != nil {
		digest = link[:]
		if _, err := tx.exec(ctx, "UPDATE proposal SET closed_at = ?, code = NULL WHERE person = ? AND closed_at = 0", concert.Micros(now), string(q.Person)); err != nil {
			return err
		}
	}
	_, err := tx.insert(ctx, "proposal", "ref, person, kind, roles, authority, link, code, tries, proposed_by, proposed_at, expires_at, confirmed_by, confirmed_at, closed_at, resets",
		[][]any{{q.Ref, string(q.Person), string(q.Kind), strings.Join(strs(q.Roles), ","), string(q.Authority), digest, nil, 0, string(q.ProposedBy), concert.Micros(q.ProposedAt), concert.Micros(q.ExpiresAt), "", 0, 0, flag(q.Resets)}}, "")
	return err
}

// DropWaiting ends what waits about a person.
func (tx *Tx) DropWaiting(ctx context.Context, p concert.PersonID, now time.Time) error {
	_, err := tx.exec(ctx, "UPDATE proposal SET closed_at = ? WHERE person = ? AND confirmed_at = 0 AND closed_at = 0", concert.Micros(now), string(p))
	return err
}

const proposalOpen = "q.confirmed_at = 0 AND q.closed_at = 0 AND q.expires_at > ?"

// Proposal is the one that waits under the reference at wall time now, with
// the digest of its link, nil where it has none.
func (tx *Tx) Proposal(ctx context.Context, ref string, now time.Time) (concert.Proposal, *[32]byte, error) {
	var link []byte
	q, err := scanProposalAnd(tx.row(ctx, "SELECT "+proposalCols+", q.link FROM proposal q WHERE q.ref = ? AND "+proposalOpen, ref, concert.Micros(now)), &link)
	if err != nil || len(link) == 0 {
		return q, nil, err
	}
	digest := place(link)
	return q, &digest, nil
}

// Proposals are all that wait at wall time now, oldest first.
func (tx *Tx) Proposals(ctx context.Context, now time.Time) ([]concert.Proposal, error) {
	return list(ctx, tx, scanProposal, "SELECT "+proposalCols+" FROM proposal q WHERE "+proposalOpen+" ORDER BY q.proposed_at, q.ref", concert.Micros(now))
}

// Confirm writes a proposal's second half; code is the digest of what its link
// needs beside it, nil where it has none, and expires when the link ends. A
// proposal that does not wait any more is concert.ErrNotWaiting.
func (tx *Tx) Confirm(ctx context.Context, q concert.Proposal, code *[32]byte, expires, now time.Time) error {
	tx.touch("proposal")
	var digest any
	closed := concert.Micros(now)
	if code != nil {
		digest, closed = code[:], 0
	}
	n, err := tx.exec(ctx, "UPDATE proposal SET confirmed_by = ?, confirmed_at = ?, code = ?, expires_at = ?, closed_at = ? WHERE ref = ? AND confirmed_at = 0 AND closed_at = 0",
		string(q.ConfirmedBy), concert.Micros(q.ConfirmedAt), digest, concert.Micros(expires), closed, q.Ref)
	if err == nil && n != 1 {
		return concert.ErrNotWaiting
	}
	return err
}

// CloseProposals ends what is open about a person, and what it proposed and
// nobody has confirmed.
func (tx *Tx) CloseProposals(ctx context.Context, p concert.PersonID, now time.Time) error {
	_, err := tx.exec(ctx, "UPDATE proposal SET closed_at = ?, code = NULL WHERE closed_at = 0 AND (person = ? OR proposed_by = ? AND confirmed_at = 0)", concert.Micros(now), string(p), string(p))
	return err
}

// Entry is a confirmed link that may still be used at wall time now: its
// proposal's reference, the digest of its code, and the person, in force.
func (tx *Tx) Entry(ctx context.Context, link [32]byte, now time.Time) (ref string, code [32]byte, p concert.Person, err error) {
	var digest []byte
	p, err = scanPersonAnd(tx.row(ctx, "SELECT "+personCols+", q.ref, q.code FROM proposal q JOIN person p ON p.id = q.person WHERE q.link = ? AND q.confirmed_at > 0 AND q.closed_at = 0 AND q.expires_at > ? AND p.disabled_at = 0 AND p.waits = 0", link[:], concert.Micros(now)), &ref, &digest)
	return ref, place(digest), p, err
}

// TryEntry counts a try before its code is looked at, so that tries side by
// side are counted too; how many there were with it, 0 when none is left.
func (tx *Tx) TryEntry(ctx context.Context, ref string) (int, error) {
	n, err := tx.exec(ctx, "UPDATE proposal SET tries = tries + 1 WHERE ref = ? AND closed_at = 0 AND tries < ?", ref, EntryTries)
	if err != nil || n != 1 {
		return 0, err
	}
	var tries int
	return tries, tx.row(ctx, "SELECT tries FROM proposal WHERE ref = ?", ref).Scan(&tries)
}

// CloseEntry ends a link, used or dead; false when it had ended already.
func (tx *Tx) CloseEntry(ctx context.Context, ref string, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, "UPDATE proposal SET closed_at = ?, code = NULL WHERE ref = ? AND closed_at = 0", concert.Micros(now), ref)
	return n == 1, err
}
