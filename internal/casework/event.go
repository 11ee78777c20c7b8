package casework

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/tlog"
)

// EventQuery asks the event log. Ref names what it happened to; everybody but an
// auditor names an item or a referral of its own authority.
type EventQuery struct {
	Kind     concert.EventKind
	Ref      string
	Operator string // number of who did it
	From     time.Time
	Until    time.Time
}

// ListedEvent is an event with the reference of what it happened to, as far as
// it says it.
type ListedEvent struct {
	store.ListedEvent
	Ref string
}

// SearchEvents is one page of the event log, newest first: all of it for an
// auditor, what happened to an item or a referral for its own authority and for
// coordinators. No sealed part is opened.
func (s *Service) SearchEvents(ctx context.Context, scope concert.Scope, q EventQuery, filters string, p concert.Page) (concert.Listed[ListedEvent], error) {
	var out concert.Listed[ListedEvent]
	by := scope.Actor()
	if by.Provider != "" || by.Authority == "" && !by.Has(concert.RoleAuditor) {
		return out, concert.Refuse(concert.Forbidden, "events.reader", "", "the event log is read by auditors, and by people of an authority for what is theirs; its signed head and its tiles are public (/log)")
	}
	if q.Ref == "" && !by.Has(concert.RoleAuditor) {
		return out, concert.Refuse(concert.Invalid, "events.subject", "ref", "name an item or a referral of your authority: you read what happened to that")
	}
	b := concert.ConsultedBody{What: concert.ReadEvents, Ref: q.Ref, Filter: filters}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		search := concert.EventSearch{Kind: q.Kind, From: q.From, Until: q.Until}
		var err error
		if q.Ref != "" {
			if search.Subject, err = subjectOf(ctx, tx, by, q.Ref); err != nil {
				return err
			}
		}
		if q.Operator != "" {
			who, err := tx.PersonByLogin(ctx, referenceOnly(q.Operator))
			if err != nil {
				return concert.Refuse(concert.Invalid, "events.operator", "operator", "there is nobody with the operator number %q: check it", q.Operator)
			}
			search.Actor = who.ID
		}
		found, err := tx.SearchEvents(ctx, scope, search, p)
		if err != nil {
			return err
		}
		out.Looked, out.Rest, b.Count = found.Looked, found.Rest, len(found.Rows)
		for _, e := range found.Rows {
			out.Rows = append(out.Rows, ListedEvent{e, concert.EventRef(e.Body)})
		}
		return nil
	})
	if err != nil {
		return concert.Listed[ListedEvent]{}, err
	}
	return out, nil
}

// subjectOf is the id of what a reference names, where the actor may read what
// happened to it: what an auditor names, an item that its authority answers for,
// a referral that it authored. Coordinators read of every item and referral.
func subjectOf(ctx context.Context, tx *store.Tx, by concert.Actor, typed string) (string, error) {
	prefix, ref, err := identity.ParseReference(typed)
	if err != nil {
		return "", concert.Refuse(concert.Invalid, "events.subject", "ref", "this is no reference: it is written like IT-7K3M-9QXT-4D2FH")
	}
	all := by.Has(concert.RoleAuditor) || by.Has(concert.RoleCoordinator)
	switch {
	case prefix == "IT":
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return "", err
		}
		if it, ok := items[ref]; ok && (all || it.Custodian() == by.Authority) {
			return string(it.ID), nil
		}
	case prefix == "RF":
		r, err := tx.Referral(ctx, ref)
		if err == nil {
			err = by.MayRead(r)
		}
		return string(r.ID), err
	case prefix == "OR":
		o, err := tx.Order(ctx, ref)
		if err == nil {
			err = by.MayReadOrder(o)
		}
		return string(o.ID), err
	case !by.Has(concert.RoleAuditor):
	case prefix == "HO":
		h, err := tx.Hold(ctx, ref)
		return string(h.ID), err
	case prefix == "OP":
		p, err := tx.PersonByLogin(ctx, ref)
		return string(p.ID), err
	case prefix == "JA":
		a, err := tx.Action(ctx, ref)
		return string(a.ID), err
	case prefix == "AU":
		a, err := tx.Authority(ctx, ref)
		return string(a.ID), err
	case prefix == "PR":
		p, err := tx.Provider(ctx, ref)
		return string(p.ID), err
	case prefix == "OU":
		o, err := tx.Outlet(ctx, ref)
		return string(o.ID), err
	case prefix == "SC":
		e, err := tx.ScopeEntry(ctx, ref)
		return string(e.ID), err
	}
	return "", concert.ErrNotFound
}

// mayReadEvent answers as for a missing one whoever may not read what happened
// to the event's subject.
func mayReadEvent(ctx context.Context, tx *store.Tx, by concert.Actor, subject string) error {
	if by.Has(concert.RoleAuditor) {
		return nil
	}
	if by.Authority == "" {
		return concert.ErrNotFound
	}
	items, err := tx.BareItemsByID(ctx, []concert.ItemID{concert.ItemID(subject)})
	if err != nil {
		return err
	}
	if len(items) > 0 {
		if items[0].Custodian() == by.Authority || by.Has(concert.RoleCoordinator) {
			return nil
		}
		return concert.ErrNotFound
	}
	if o, err := tx.Order(ctx, subject); err == nil {
		return by.MayReadOrder(o)
	} else if !errors.Is(err, concert.ErrNotFound) {
		return err
	}
	r, err := tx.ReferralByID(ctx, concert.ReferralID(subject))
	if err != nil {
		return err
	}
	return by.MayRead(r)
}

// EventView is one event with what shows, to anyone and offline, that it stands
// in the log.
type EventView struct {
	ListedEvent
	Head    tlog.Head            // that the proof leads to
	Proof   concert.EventProof   // what concert verify checks
	Leaf    tlog.Hash            // the tree's hash of the commitment (RFC 6962)
	Earlier concert.EarlierProof // that the log goes on from an earlier head; zero where none was given
}

// ReadEvent is the event at a place in the log with its proofs, for who may read
// what it happened to. earlier is a signed head that the reader kept from
// before, "" for none: the log is shown to go on from it.
func (s *Service) ReadEvent(ctx context.Context, scope concert.Scope, position int64, earlier string) (EventView, error) {
	var v EventView
	if err := scope.Justified(); err != nil {
		return v, err
	}
	by := scope.Actor()
	if by.Provider != "" || by.Authority == "" && !by.Has(concert.RoleAuditor) {
		return v, concert.Refuse(concert.Forbidden, "events.reader", "", "the event log is read by auditors, and by people of an authority for what is theirs; its signed head and its tiles are public (/log)")
	}
	if err := s.PublishLog(ctx); err != nil {
		return v, err
	}
	b := concert.ConsultedBody{What: concert.ReadOneEvent, Count: 1}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		e, err := tx.EventAt(ctx, position)
		if err != nil {
			return err
		}
		if err := mayReadEvent(ctx, tx, by, e.Subject); err != nil {
			return err
		}
		v.ListedEvent = ListedEvent{e, concert.EventRef(e.Body)}
		b.Ref = v.Ref
		return s.proveEvent(ctx, tx, &v, earlier)
	})
	if err != nil {
		return EventView{}, err
	}
	return v, nil
}

func (s *Service) proveEvent(ctx context.Context, tx *store.Tx, v *EventView, earlier string) error {
	head, checkpoint, err := tx.LogHead(ctx)
	if err != nil {
		return err
	}
	v.Head = head
	if checkpoint, err = s.cosignatures(ctx, tx, checkpoint); err != nil {
		return err
	}
	if v.Index < 0 || v.Index >= head.Size {
		return concert.Refuse(concert.Unavailable, "event.unsequenced", "", "this event has no place in the signed log yet: try again in a moment")
	}
	read := func(t tlog.TileID) ([]byte, error) { return tx.LogTile(ctx, t) }
	path, err := tlog.InclusionProof(head.Size, v.Index, read)
	if err != nil {
		return fmt.Errorf("prove event %d: %w", v.Index, err)
	}
	var commit tlog.Hash
	copy(commit[:], v.Commit)
	v.Leaf = tlog.LeafHash(commit)
	v.Proof = concert.EventProof{Format: concert.EventProofFormat, Origin: s.Origin, LogKey: s.LogKey, Exercise: s.Exercise, Index: v.Index, Commit: v.Commit, Inclusion: rowsOf(path), Checkpoint: checkpoint}
	if len(v.Salt) > 0 {
		v.Proof.Event, v.Proof.Salt = string(v.Canonical(sha256.Sum256(v.Sealed))), v.Salt
	}
	if earlier = strings.TrimSpace(strings.ReplaceAll(earlier, "\r\n", "\n")); earlier == "" {
		return nil
	}
	earlier += "\n" // as it was signed, whatever a form made of it
	before, err := s.earlierHead(earlier)
	if err != nil {
		return err
	}
	if before.Size > head.Size {
		return concert.Refuse(concert.Invalid, "event.later_head", "earlier", "the head that you give has %d events, the log's has %d: it is none from before", before.Size, head.Size)
	}
	consistent, err := tlog.ConsistencyProof(head.Size, before.Size, read)
	if err != nil {
		return fmt.Errorf("prove that the log goes on from %d: %w", before.Size, err)
	}
	if err := tlog.CheckConsistency(consistent, before, head); err != nil {
		return concert.Refuse(concert.Conflict, "event.forked", "earlier", "the log does NOT go on from the head that you give: one of the two was forged, or the log was rewritten; keep both and tell the supervisory authority")
	}
	v.Earlier = concert.EarlierProof{Checkpoint: earlier, Consistency: rowsOf(consistent)}
	v.Proof.Earlier = &v.Earlier
	return nil
}

// earlierHead opens a signed head that somebody gives, with this log's key.
func (s *Service) earlierHead(text string) (tlog.Head, error) {
	known, err := tlog.NewVerifier(s.LogKey)
	if err != nil {
		return tlog.Head{}, fmt.Errorf("log key: %w", err)
	}
	cp, _, err := tlog.OpenCheckpoint([]byte(text), s.Origin, note.VerifierList(known))
	if err != nil {
		return tlog.Head{}, concert.Refuse(concert.Invalid, "event.earlier_head", "earlier", "this is no head that this log signed: paste it whole, from its first line to the line with the signature")
	}
	return cp.Head, nil
}

func rowsOf(hashes []tlog.Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}
