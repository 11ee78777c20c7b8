package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/store"
)

// recheckAfterClaim is how soon we look after a provider says that it acted.
const recheckAfterClaim = time.Hour

// ReferralView is a referral with what its reader may see.
type ReferralView struct {
	concert.Referral
	Provider   concert.Provider
	Author     concert.Authority
	Payload    concert.ReferralPayload
	Signed     concert.Envelope
	Items      []concert.Item // those that are left
	Erased     int            // items that are not: the signed original cannot be shown whole any more
	Digest     string         // SHA-256 of the signed payload, hex, where an item is erased
	Remedies   map[concert.ItemID][]concert.Remedy
	Deliveries []store.Outgoing
	Messages   []concert.Message                    // what the provider wrote, oldest first, and what its mail system reported
	Isolations map[concert.ItemID]concert.Isolation // of items that cannot be isolated; for its provider without a text that is not approved
	Thread     concert.Thread                       // the talk about it; no messages where nobody wrote
}

// ReadReferral is one referral. A provider's reading of it is the rung "opened"
// of its delivery; everybody else's is a consultation.
func (s *Service) ReadReferral(ctx context.Context, scope concert.Scope, ref string) (ReferralView, error) {
	var v ReferralView
	by := scope.Actor()
	if isSandbox(ref) {
		if err := scope.Justified(); err != nil {
			return v, err
		}
		return s.readSandbox(ctx, by, ref)
	}
	b := concert.ConsultedBody{What: concert.ReadReferral, Ref: ref}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		if v.Referral, err = tx.Referral(ctx, ref); err != nil {
			return err
		}
		if err := by.MayRead(v.Referral); err != nil {
			return err
		}
		err = s.fillReferral(ctx, tx, &v)
		b.Count = len(v.Items)
		if by.Provider != "" {
			v.hideUnapproved()
		}
		return err
	})
	if err != nil {
		return ReferralView{}, err
	}
	if by.Provider == "" {
		return v, nil
	}
	seen := map[concert.DeliveryID]bool{}
	climbs := false
	for _, d := range v.Deliveries {
		seen[d.ID] = true
		climbs = climbs || d.Rung != concert.RungOpened && d.Rung != concert.RungAcknowledged
	}
	if climbs {
		return v, s.climb(ctx, v.ID, concert.RungOpened, "fetched with the key of operator "+by.Operator, seen)
	}
	return v, nil
}

func (s *Service) fillReferral(ctx context.Context, tx *store.Tx, v *ReferralView) error {
	var err error
	if v.Provider, err = tx.Provider(ctx, string(v.Referral.Provider)); err != nil {
		return err
	}
	if v.Author, err = tx.Authority(ctx, string(v.Referral.Author)); err != nil {
		return err
	}
	o, err := tx.Original(ctx, v.ID)
	if err != nil {
		return err
	}
	v.Signed, v.Erased = o.Signed, o.Erased
	if len(o.Payload) > 0 {
		if err := json.Unmarshal(o.Payload, &v.Payload); err != nil {
			return fmt.Errorf("payload of %s: %w", v.Ref, err)
		}
	}
	if v.Erased > 0 {
		if v.Digest, err = signedDigest(ctx, tx, v.ID); err != nil {
			return err
		}
	}
	if v.Items, err = tx.ReferralItems(ctx, v.ID); err != nil {
		return err
	}
	v.Items = slices.DeleteFunc(v.Items, func(it concert.Item) bool { return !it.ErasedAt.IsZero() })
	ids := make([]concert.ItemID, len(v.Items))
	for i, it := range v.Items {
		ids[i] = it.ID
	}
	if v.Remedies, err = tx.Remedies(ctx, ids); err != nil {
		return err
	}
	if v.Isolations, err = tx.Isolations(ctx, ids); err != nil {
		return err
	}
	threads, err := tx.Asking(ctx, []concert.ReferralID{v.ID})
	if err != nil {
		return err
	}
	v.Thread = threads[v.ID]
	if v.Deliveries, err = tx.Deliveries(ctx, v.ID); err != nil {
		return err
	}
	v.Messages, err = tx.Messages(ctx, v.ID)
	return err
}

// hideUnapproved takes from a provider's view a proportionality that is not
// approved: until then it is the authority's own.
func (v *ReferralView) hideUnapproved() {
	for id, i := range v.Isolations {
		if i.State() != concert.IsolationApproved {
			i.Text, i.WrittenBy, i.WrittenAt = "", "", time.Time{}
			v.Isolations[id] = i
		}
	}
}

// climb moves the notices of a referral that the provider has seen up to a
// rung.
func (s *Service) climb(ctx context.Context, id concert.ReferralID, to concert.Rung, evidence string, seen map[concert.DeliveryID]bool) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		return s.climbIn(ctx, tx, id, to, evidence, func(d store.Outgoing) bool { return seen[d.ID] })
	})
}

// asked are the notices that acknowledging or answering a referral confirms: a
// withdrawal or a correction that is still on its way goes on (G16).
func asked(d store.Outgoing) bool {
	return d.Kind == concert.NoticeReferral || d.Kind == concert.NoticeReminder
}

func (s *Service) climbIn(ctx context.Context, tx *store.Tx, id concert.ReferralID, to concert.Rung, evidence string, which func(store.Outgoing) bool) error {
	ds, err := tx.Deliveries(ctx, id)
	if err != nil {
		return err
	}
	var saved []store.Outgoing
	for _, d := range ds {
		// What takes an item back or corrects it is pushed all the same, even when
		// it was read before its turn came (G16).
		waiting := d.Rung == concert.RungQueued && d.Kind != concert.NoticeReferral && !d.NextAt.IsZero()
		if waiting || !which(d) {
			continue
		}
		next, e, up := d.Climbed(to, evidence, s.now())
		if !up {
			continue
		}
		d.Delivery = next
		saved = append(saved, d)
		tx.Record(e)
	}
	return tx.SaveDeliveries(ctx, saved)
}

// AcknowledgeReferral records that the provider took the referral.
func (s *Service) AcknowledgeReferral(ctx context.Context, by concert.Actor, ref string) (concert.Referral, error) {
	var r concert.Referral
	if isSandbox(ref) {
		v, err := s.readSandbox(ctx, by, ref)
		if err != nil {
			return r, err
		}
		r, _, err = v.Referral.Acknowledged(by, s.now())
		return r, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		var err error
		if r, err = tx.Referral(ctx, ref); err != nil {
			return err
		}
		next, events, err := r.Acknowledged(by, s.now())
		if err != nil || len(events) == 0 {
			return err
		}
		r = next
		if err := tx.SaveReferral(ctx, r); err != nil {
			return err
		}
		r.Version++
		tx.Record(events...)
		return s.climbIn(ctx, tx, r.ID, concert.RungAcknowledged, "acknowledged by operator "+by.Operator, asked)
	})
	return r, err
}

// Replying is one answer as it comes in.
type Replying struct {
	Item string
	concert.Answer
	Version int64 // of the item as it was read, for a bulk answer; 0 takes any
}

// AnswerReferral records a provider's answers to some or all items of a
// referral. Version is the one that was read: of two answers that race, one is
// told to read again. An answer acknowledges as well.
func (s *Service) AnswerReferral(ctx context.Context, by concert.Actor, ref string, version int64, in []Replying) ([]Result, int64, error) {
	if isSandbox(ref) {
		return s.answerSandbox(ctx, by, ref, version, in)
	}
	out := make([]Result, len(in))
	var r concert.Referral
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		var err error
		if r, err = tx.Referral(ctx, ref); err != nil {
			return err
		}
		if err := by.MayAnswer(r); err != nil {
			return err
		}
		if version != r.Version {
			return outdated()
		}
		named, err := tx.BareItemsByRef(ctx, entries(len(in), func(i int) string { return in[i].Item }))
		if err != nil {
			return err
		}
		now := s.now()
		r, acked, err := r.Acknowledged(by, now)
		if err != nil {
			return err
		}
		tx.Record(acked...)
		a := answering{byRef: named, changed: map[string]concert.Item{}}
		for i, rep := range in {
			if out[i], err = s.answerOne(ctx, tx, &a, by, r, rep, now); err != nil {
				return err
			}
		}
		return s.saveAnswers(ctx, tx, by, &r, &a, len(acked) > 0, now)
	})
	if err == nil {
		err = s.DB.View(ctx, func(tx *store.Tx) error {
			r, err = tx.Referral(ctx, ref)
			return err
		})
	}
	return out, r.Version, err
}

// answering is an answer to many items while its act runs.
type answering struct {
	byRef   map[string]concert.Item
	changed map[string]concert.Item
	answers []concert.Answer
	settled []concert.ItemID // with a new final word: our looks begin anew
	finals  int
	effects bool
	wide    []concert.Isolation // cannot be isolated
}

func (s *Service) answerOne(ctx context.Context, tx *store.Tx, a *answering, by concert.Actor, r concert.Referral, rep Replying, now time.Time) (Result, error) {
	it, ok := a.byRef[rep.Item]
	if !ok || it.Referral != r.ID {
		return Result{Ref: rep.Item, Err: concert.Refuse(concert.Invalid, "answer.item", "item", "item %q is not part of referral %s: take the reference from the referral", rep.Item, r.Ref)}, nil
	}
	silent := it.Silent()
	next, ans, e, changed, err := it.ItemAnswered(by, r, rep.Answer, now)
	if err != nil {
		ref, err := refusal(err)
		return Result{Ref: rep.Item, Err: ref}, err
	}
	if !changed {
		return Result{Ref: rep.Item, Outcome: "unchanged"}, nil
	}
	a.byRef[rep.Item], a.changed[rep.Item] = next, next
	a.answers = append(a.answers, ans)
	if silent && !next.Silent() {
		a.finals++
	}
	if rep.Code.Final() {
		a.settled = append(a.settled, next.ID)
	}
	a.effects = a.effects || rep.Code.Final() && !rep.Code.Refusal()
	if next.Claimed == concert.AnswerCannotIsolate {
		wide, err := s.isolated(ctx, tx, next, ans)
		if err != nil {
			return Result{}, err
		}
		a.wide = append(a.wide, wide)
	}
	tx.Record(e)
	return Result{Ref: rep.Item, Outcome: string(next.Status)}, nil
}

func (s *Service) saveAnswers(ctx context.Context, tx *store.Tx, by concert.Actor, r *concert.Referral, a *answering, acked bool, now time.Time) error {
	if len(a.changed) == 0 && !acked {
		return nil
	}
	items := make([]concert.Item, 0, len(a.changed))
	for _, it := range a.changed {
		items = append(items, it)
	}
	if err := tx.SaveItems(ctx, items); err != nil {
		return err
	}
	if err := tx.AddAnswers(ctx, a.answers); err != nil {
		return err
	}
	if err := tx.RestartChecks(ctx, a.settled); err != nil {
		return err
	}
	if err := tx.PutIsolations(ctx, a.wide, r.Author); err != nil {
		return err
	}
	*r = r.Counted(a.finals)
	if err := tx.SaveReferral(ctx, *r); err != nil {
		return err
	}
	if a.effects {
		tx.SetClock(concert.ClockRecheck, string(r.ID), now.Add(recheckAfterClaim))
	}
	if acked {
		return s.climbIn(ctx, tx, r.ID, concert.RungAcknowledged, "answered by operator "+by.Operator, asked)
	}
	return nil
}

// Inbox are the notices for the actor's provider after a place in the log.
// Reading it is the rung "accepted" where nothing was pushed.
func (s *Service) Inbox(ctx context.Context, by concert.Actor, after int64, limit int) ([]store.Outgoing, error) {
	if by.Provider == "" {
		return nil, concert.Refuse(concert.Forbidden, "inbox.provider", "", "only a provider has an inbox")
	}
	if err := by.Need(concert.RoleProviderReader, concert.RoleProviderAnswerer); err != nil {
		return nil, err
	}
	var out []store.Outgoing
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		out, err = tx.Inbox(ctx, by.Provider, after, min(max(limit, 1), 500))
		return err
	})
	if err != nil {
		return nil, err
	}
	queued := map[concert.ReferralID]map[concert.DeliveryID]bool{}
	for _, d := range out {
		if d.Rung == concert.RungQueued || d.Rung == concert.RungSent || d.Rung == concert.RungFailed {
			if queued[d.Referral] == nil {
				queued[d.Referral] = map[concert.DeliveryID]bool{}
			}
			queued[d.Referral][d.ID] = true
		}
	}
	for id, seen := range queued {
		if err := s.climb(ctx, id, concert.RungAccepted, "listed in the inbox", seen); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ProviderCounts are the actor's provider's own numbers.
func (s *Service) ProviderCounts(ctx context.Context, by concert.Actor) (concert.Provider, concert.Counts, error) {
	var p concert.Provider
	var c concert.Counts
	if by.Provider == "" {
		return p, c, concert.Refuse(concert.Forbidden, "statistics.provider", "", "only a provider has statistics of its own")
	}
	if err := by.MayOwn(); err != nil {
		return p, c, err
	}
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if p, err = tx.Provider(ctx, string(by.Provider)); err != nil {
			return err
		}
		c, err = tx.SideTallies(ctx, "p:"+string(by.Provider))
		return err
	})
	return p, c, err
}
