package casework

import (
	"context"
	"slices"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// Remedying is one withdrawal or correction as it comes in.
type Remedying struct {
	Item    string
	Version int64
	Kind    concert.RemedyKind
	Reason  string

	Category concert.RemedyCategory
}

// RemedyItems takes referrals of items back, or corrects what was said of
// them. Every provider that received the item hears of it (G16).
func (s *Service) RemedyItems(ctx context.Context, by concert.Actor, in []Remedying) ([]Result, error) {
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer); err != nil {
		return nil, err
	}
	out := make([]Result, len(in))
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		clear(out)
		items, err := tx.BareItemsByRef(ctx, entries(len(in), func(i int) string { return in[i].Item }))
		if err != nil {
			return err
		}
		seen, err := seenBy(ctx, tx, by, items)
		if err != nil {
			return err
		}
		earlier, err := remediesOf(ctx, tx, items)
		if err != nil {
			return err
		}
		var saved []concert.Item
		var remedies []concert.Remedy
		for i, m := range in {
			it, ok := items[m.Item]
			if !ok || it.Author != by.Authority && !seen[it.ID] {
				out[i] = Result{Ref: m.Item, Err: concert.ErrNotFound}
				continue
			}
			if it = it.ShownTo(by.Authority); m.Version != it.Version {
				out[i] = Result{Ref: m.Item, Err: concert.ErrStale}
				continue
			}
			next, rem, e, err := it.Remedied(by, concert.Remedy{Ref: identity.NewReference("RM"), Kind: m.Kind, Category: m.Category, Reason: m.Reason, Again: corrected(earlier[it.ID])}, s.now())
			if err != nil {
				if out[i].Err, err = refusal(err); err != nil {
					return err
				}
				out[i].Ref = m.Item
				continue
			}
			if err := s.remedied(ctx, tx, by, next, rem, e, remedyCauses[rem.Kind]); err != nil {
				return err
			}
			delete(items, m.Item)
			saved, remedies = append(saved, next), append(remedies, rem)
			out[i] = Result{Ref: next.Ref, Outcome: string(next.Status), Version: next.Version + 1}
		}
		if err := tx.AddRemedies(ctx, remedies); err != nil {
			return err
		}
		return tx.SaveItems(ctx, saved)
	})
	return out, err
}

var remedyCauses = map[concert.RemedyKind]concert.ErrorCause{concert.RemedyWithdrawal: concert.ErrorWithdrawal, concert.RemedyCorrection: concert.ErrorCorrection}

// remedied lets a withdrawal or correction reach everybody in the transaction that
// makes it: recipient, banks, terms and, of what had gone out, the error register (G16,
// G17). The caller writes item and remedy.
func (s *Service) remedied(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item, m concert.Remedy, e concert.Event, cause concert.ErrorCause) error {
	if err := s.tellRecipient(ctx, tx, it, m, e); err != nil {
		return err
	}
	s.retain(tx, it)
	if it.Status == concert.ItemWithdrawn {
		if err := s.endEntriesOf(ctx, tx, it.ID, concert.EntryWithdrawn); err != nil {
			return err
		}
	}
	if it.Referral == "" {
		return nil
	}
	return s.recordError(ctx, tx, by, string(it.ID), concert.ErrorRecord{Ref: it.Ref, Kind: concert.AboutReferral, Cause: cause, Category: m.Category, Authority: it.Author, Provider: it.Provider})
}

func remediesOf(ctx context.Context, tx *store.Tx, items map[string]concert.Item) (map[concert.ItemID][]concert.Remedy, error) {
	ids := make([]concert.ItemID, 0, len(items))
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	return tx.Remedies(ctx, ids)
}

func corrected(ms []concert.Remedy) bool {
	return slices.ContainsFunc(ms, func(m concert.Remedy) bool { return m.Kind == concert.RemedyCorrection })
}

// tellRecipient queues the notice to the provider that got the item; nobody is
// told of what never went out.
func (s *Service) tellRecipient(ctx context.Context, tx *store.Tx, it concert.Item, m concert.Remedy, e concert.Event) error {
	if it.Referral == "" {
		tx.Record(e)
		return nil
	}
	r, err := tx.ReferralByID(ctx, it.Referral)
	if err != nil {
		return err
	}
	p, err := tx.Provider(ctx, string(r.Provider))
	if err != nil {
		return err
	}
	author, err := tx.Authority(ctx, string(r.Author))
	if err != nil {
		return err
	}
	kind := concert.NoticeCorrection
	if m.Kind == concert.RemedyWithdrawal {
		kind = concert.NoticeWithdrawal
	}
	out := s.notice(p, r, kind, author.Name, s.now())
	out.Items, out.Remedy = 1, m.Ref
	if err := s.post(ctx, tx, p, out, s.now()); err != nil {
		return err
	}
	tx.RecordNotice(e, out.ID)
	return nil
}
