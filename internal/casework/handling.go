package casework

import (
	"context"
	"slices"
	"strings"

	"concert"
	"concert/internal/store"
)

// exportMost is how many items one export takes.
const exportMost = 100

// ChangeHandling changes an item's handling code with its giver's permission
// (G23): a reviewer of its authority who did not hand it in.
func (s *Service) ChangeHandling(ctx context.Context, by concert.Actor, ref string, version int64, to concert.Handling, reason string) error {
	return s.onItem(ctx, by, ref, version, func(tx *store.Tx, it concert.Item) (concert.Item, error) {
		all, err := tx.Sightings(ctx, []concert.ItemID{it.ID})
		if err != nil {
			return it, err
		}
		own := slices.DeleteFunc(all[it.ID], func(g concert.Sighting) bool { return g.Authority != by.Authority })
		next, e, err := it.Rehandled(by, to, reason, own, s.now())
		if err != nil {
			return it, err
		}
		tx.Record(e)
		s.onItsWay(tx, next)
		return next, nil
	})
}

// ExportItems makes the document with which items leave for a court or for
// another authority, and records for each to whom and why (Directive (EU)
// 2016/680 Art. 25). What one handling code forbids stops the whole, and the
// refusal names each item and code.
func (s *Service) ExportItems(ctx context.Context, scope concert.Scope, refs []string, to concert.Destination, recipient, justification string) (concert.Disclosure, error) {
	var d concert.Disclosure
	if err := scope.Check(); err != nil {
		return d, err
	}
	by := scope.Actor()
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer); err != nil {
		return d, err
	}
	if err := proven(by, concert.PowerExport); err != nil {
		return d, err
	}
	refs = slices.Compact(slices.Sorted(slices.Values(refs)))
	if len(refs) == 0 || len(refs) > exportMost {
		return d, concert.Refuse(concert.Invalid, "export.items", "items", "an export takes 1 to %d items, not %d", exportMost, len(refs))
	}
	text := concert.DisclosureText{Recipient: recipient, Justification: justification}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		found, err := tx.ItemsByRef(ctx, refs)
		if err != nil {
			return err
		}
		items := make([]concert.Item, 0, len(refs))
		var missing []string
		for _, ref := range refs {
			it, ok := found[ref]
			if !ok || by.Authority == "" || it.Custodian() != by.Authority {
				missing = append(missing, ref)
				continue
			}
			items = append(items, it)
		}
		if len(missing) > 0 {
			return concert.Refuse(concert.NotFound, "export.unknown", "items", "nothing was exported, since these are no items of your authority: %s", strings.Join(missing, ", "))
		}
		now := s.now()
		events, err := concert.Disclosed(by, items, to, text, now)
		if err != nil {
			return err
		}
		own, err := tx.Authority(ctx, string(by.Authority))
		if err != nil {
			return err
		}
		d = concert.Disclosure{Format: concert.DisclosureFormat, Origin: s.Origin, DisclosedAt: now.Format(concert.TimeFormat), Authority: own.Name, Operator: by.Operator, Destination: to, Recipient: recipient, Justification: justification, Exercise: s.Exercise}
		if d.Items, err = s.disclosed(ctx, tx, items); err != nil {
			return err
		}
		tx.Record(events...)
		return nil
	})
	return d, err
}

// disclosed are the items in full.
func (s *Service) disclosed(ctx context.Context, tx *store.Tx, items []concert.Item) ([]concert.DisclosedItem, error) {
	ids := make([]concert.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	sighted, err := tx.Sightings(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]concert.DisclosedItem, len(items))
	for i, it := range items {
		v := ItemView{Item: it}
		if err := s.fillItem(ctx, tx, &v); err != nil {
			return nil, err
		}
		d := concert.DisclosedItem{Ref: it.Ref, Handling: it.Handling, Status: it.Status, Type: it.Type, Location: it.Location, SHA256: it.Hash, FoundAt: it.CreatedAt.Format(concert.TimeFormat), Outlet: v.Outlet.Name, Referral: v.ReferredAs}
		for _, g := range sighted[it.ID] {
			a, err := tx.Authority(ctx, string(g.Authority))
			if err != nil {
				return nil, err
			}
			d.Finders = append(d.Finders, a.Unit)
			if g.Authority == it.Custodian() || d.Evaluation == "" {
				d.Evaluation = g.Evaluation
			}
		}
		if a := v.Judged; a.ID != "" {
			d.Evaluation, d.ContentType, d.Purpose, d.Language, d.Severity = a.Evaluation, a.Type, a.Purpose, a.Language, a.Severity
			d.Mark, d.MarkWhere, d.Facts, d.Judgement, d.AssessedBy, d.AssessedAt = a.Mark, a.MarkWhere, a.Facts, a.Judgement, v.Assessor, a.At.Format(concert.TimeFormat)
		}
		for _, p := range v.Approvals {
			d.Decisions = append(d.Decisions, concert.DisclosedWord{Code: string(p.Decision), Text: p.Ground, Operator: v.Reviewers[p.Reviewer], At: p.At.Format(concert.TimeFormat)})
		}
		for _, a := range v.Answers {
			d.Answers = append(d.Answers, concert.DisclosedWord{Code: string(a.Code), Text: a.Note, At: a.At.Format(concert.TimeFormat)})
		}
		for _, c := range v.Rechecks {
			d.Observed = append(d.Observed, concert.DisclosedSight{State: c.State, Vantage: c.Vantage, At: c.At.Format(concert.TimeFormat)})
		}
		for _, m := range v.Remedies {
			d.Remedies = append(d.Remedies, concert.DisclosedWord{Code: string(m.Kind), Text: m.Reason, At: m.At.Format(concert.TimeFormat)})
		}
		out[i] = d
	}
	return out, nil
}
