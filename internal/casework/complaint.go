package casework

import (
	"context"
	"errors"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

// complaintsMost bounds the complaints that one transaction alarms of.
const complaintsMost = 200

// complaintsListed bounds a list of complaints.
const complaintsListed = 200

// About is an item of an order or of a referral: what a content provider's page and a
// complaint are about.
type About struct {
	Kind concert.AboutKind
	Ref  string // of the order or referral
	Item string // its reference; "" where there is only one
}

// aboutItem is what stands behind an About.
type aboutItem struct {
	kind      concert.AboutKind
	ref       string
	order     concert.Order    // of an order
	referral  concert.Referral // of a referral
	item      concert.Item
	authority concert.AuthorityID
	provider  concert.ProviderID
}

// about finds what is meant, for whoever answers for its provider or works on cases of
// its authority; nobody else learns that it is there.
func (s *Service) about(ctx context.Context, tx *store.Tx, by concert.Actor, a About) (aboutItem, error) {
	out := aboutItem{kind: a.Kind, ref: a.Ref}
	var ids []concert.ItemID
	var err error
	if a.Kind == concert.AboutOrder {
		if out.order, err = tx.Order(ctx, a.Ref); err != nil {
			return out, err
		}
		if err := mayTell(by, out.order.Authority, func() error { return by.MayAnswerOrder(out.order) }); err != nil {
			return out, err
		}
		if !out.order.Status.Out() {
			return out, concert.Refuse(concert.Conflict, "order.not_issued", "", "order %s is %s and not issued: there is nothing to tell anybody yet", a.Ref, out.order.Status)
		}
		items, err := tx.OrderItems(ctx, out.order.ID)
		if err != nil {
			return out, err
		}
		for _, it := range items {
			ids = append(ids, it.Item)
		}
		out.authority, out.provider = out.order.Authority, out.order.Provider
	} else {
		if out.referral, err = tx.Referral(ctx, a.Ref); err != nil {
			return out, err
		}
		if err := mayTell(by, out.referral.Author, func() error { return by.MayAnswer(out.referral) }); err != nil {
			return out, err
		}
		items, err := tx.ReferralItems(ctx, out.referral.ID)
		if err != nil {
			return out, err
		}
		for _, it := range items {
			ids = append(ids, it.ID)
		}
		out.authority, out.provider = out.referral.Author, out.referral.Provider
	}
	items, err := tx.ItemsByID(ctx, ids)
	if err != nil {
		return out, err
	}
	if a.Item == "" && len(ids) != 1 {
		return out, concert.Refuse(concert.Invalid, "content_link.item", "item", "%s is about %d items, which may be different people's: name one", a.Ref, len(ids))
	}
	i := slices.IndexFunc(items, func(it concert.Item) bool { return a.Item == "" || it.Ref == a.Item })
	if i < 0 {
		return out, concert.Refuse(concert.Invalid, "content_link.item", "item", "item %.40q is not part of %s, or is erased: take the reference from there", a.Item, a.Ref)
	}
	out.item = items[i]
	return out, nil
}

func mayTell(by concert.Actor, authority concert.AuthorityID, provider func() error) error {
	if by.Provider != "" {
		return provider()
	}
	if by.Authority == "" || by.Authority != authority {
		return concert.ErrNotFound
	}
	return by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer)
}

// FileComplaint is a provider's handing on of a complaint of the one whose content it
// is. The provider's own mechanism (Art. 10) is its own; this one is the authority's.
func (s *Service) FileComplaint(ctx context.Context, by concert.Actor, a About, text string) (concert.Complaint, error) {
	var out concert.Complaint
	if by.Provider == "" {
		return out, concert.Refuse(concert.Forbidden, "complaint.provider", "", "a provider hands a complaint on, or the content provider files it on its page: an authority does not complain to itself")
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		x, err := s.about(ctx, tx, by, a)
		if err != nil {
			return err
		}
		out, err = s.fileComplaint(ctx, tx, by, x, text)
		return err
	})
	return out, err
}

func (s *Service) fileComplaint(ctx context.Context, tx *store.Tx, by concert.Actor, x aboutItem, text string) (concert.Complaint, error) {
	c := concert.Complaint{ID: concert.ComplaintID(identity.NewID()), Ref: identity.NewReference("CM"), Order: x.order.ID, Referral: x.referral.ID, For: x.ref, Authority: x.authority, Provider: x.provider, Through: by.Provider,
		Exercise: s.Exercise, ComplaintText: concert.ComplaintText{Text: text}}
	earlier, err := tx.ComplaintsAbout(ctx, c.Order, c.Referral, x.item.ID)
	if err != nil {
		return c, err
	}
	author, err := tx.Authority(ctx, string(c.Authority))
	if err != nil {
		return c, err
	}
	if c.DueAt, err = s.complaintEnds(author.Country); err != nil {
		return c, err
	}
	c, e, err := c.Filed(by, x.item, earlier, s.now())
	if err != nil {
		return c, err
	}
	tx.Record(e)
	return c, tx.PutComplaint(ctx, c)
}

// complaintEnds is by when a complaint that comes in now is decided: the two weeks of
// Art. 10(2), by which the house measures itself, counted in the authority's state; in
// one whose holidays are not known, two weeks of days.
func (s *Service) complaintEnds(state string) (end time.Time, err error) {
	book, err := law.Read()
	if err != nil {
		return end, err
	}
	t, err := book.Term(concert.TermComplaint)
	if err != nil {
		return end, err
	}
	cal, err := book.Calendar(state)
	if err != nil {
		cal = concert.Calendar{}
	}
	return t.Length.Ends(s.now(), cal, t.Working), nil
}

// ComplaintView is a complaint with what it is about.
type ComplaintView struct {
	concert.Complaint
	Item     string // its reference
	Author   concert.Authority
	Provider concert.Provider
	Involved bool // the reader had a part in it, and does not decide
}

// Complaints are those to the actor's authority: open ones by their end first, then what
// was decided, newest first.
func (s *Service) Complaints(ctx context.Context, scope concert.Scope) ([]ComplaintView, error) {
	by := scope.Actor()
	if by.Authority == "" {
		return nil, concert.Refuse(concert.Forbidden, "role.no_authority", "", "you belong to no authority: ask an administrator to place you in one")
	}
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer); err != nil {
		return nil, err
	}
	var out []ComplaintView
	b := concert.ConsultedBody{What: concert.ReadComplaints}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		out = nil
		cs, err := tx.ComplaintsTo(ctx, by.Authority, complaintsListed)
		if err != nil {
			return err
		}
		for _, c := range cs {
			v, err := s.viewComplaint(ctx, tx, by, c)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		b.Count = len(out)
		return nil
	})
	return out, err
}

// ReadComplaint is one complaint, for people of the authority that it goes to.
func (s *Service) ReadComplaint(ctx context.Context, scope concert.Scope, ref string) (ComplaintView, error) {
	var v ComplaintView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadComplaint, Ref: ref}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		c, err := tx.Complaint(ctx, ref)
		if err != nil {
			return err
		}
		if c.Authority != by.Authority || by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleIssuer) != nil {
			return concert.ErrNotFound
		}
		b.Count = 1
		v, err = s.viewComplaint(ctx, tx, by, c)
		return err
	})
	return v, err
}

func (s *Service) viewComplaint(ctx context.Context, tx *store.Tx, by concert.Actor, c concert.Complaint) (v ComplaintView, err error) {
	v.Complaint = c
	if v.Author, err = tx.Authority(ctx, string(c.Authority)); err != nil {
		return v, err
	}
	if v.Provider, err = tx.Provider(ctx, string(c.Provider)); err != nil {
		return v, err
	}
	it, people, err := s.involved(ctx, tx, c)
	v.Item, v.Involved = it.Ref, slices.Contains(people, by.Person)
	return v, err
}

// involved are the people who had a part in what the complaint is about: who assessed
// and approved the item, and who wrote, reviewed and approved the order.
func (s *Service) involved(ctx context.Context, tx *store.Tx, c concert.Complaint) (concert.Item, []concert.PersonID, error) {
	items, err := tx.BareItemsByID(ctx, []concert.ItemID{c.Item})
	if err != nil {
		return concert.Item{}, nil, err
	}
	if len(items) == 0 {
		return concert.Item{}, nil, concert.ErrNotFound
	}
	it := items[0]
	people := []concert.PersonID{it.Assessor}
	if it.Assessment != "" {
		approvals, err := tx.Approvals(ctx, []concert.AssessmentID{it.Assessment})
		if err != nil {
			return it, nil, err
		}
		for _, a := range approvals[it.Assessment] {
			people = append(people, a.Reviewer)
		}
	}
	if c.Order != "" {
		o, err := tx.Order(ctx, string(c.Order))
		if err != nil {
			return it, nil, err
		}
		people = append(people, o.Drafter, o.Reviewer, o.Approver)
	}
	return it, people, nil
}

// DecideComplaint decides a complaint, by somebody who had no part in what it is about.
// One that is upheld takes the order or the item's referral back, by the same way as
// any withdrawal: provider, banks, figures and error register hear of it in the same
// transaction.
func (s *Service) DecideComplaint(ctx context.Context, by concert.Actor, ref string, version int64, r concert.Ruling) (concert.Complaint, error) {
	var out concert.Complaint
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		c, err := tx.Complaint(ctx, ref)
		if err != nil {
			return err
		}
		if c.Authority != by.Authority {
			return concert.ErrNotFound
		}
		if version != 0 && version != c.Version {
			return outdated()
		}
		it, people, err := s.involved(ctx, tx, c)
		if err != nil {
			return err
		}
		next, e, err := c.Ruled(by, it.Ref, people, r, s.now())
		if err != nil {
			return err
		}
		tx.Record(e)
		if err := tx.PutComplaint(ctx, next); err != nil {
			return err
		}
		out = next
		out.Version++
		if r.Outcome == concert.ComplaintRejected {
			return nil
		}
		if c.Order != "" {
			return s.remedyOrder(ctx, tx, by, next, it, r)
		}
		return s.remedyReferred(ctx, tx, by, it, r, true)
	})
	return out, err
}

// remedyReferred takes the referral of an item back, or corrects what was said of it,
// for a complaint. An item that cannot be taken back any more stays as it is; need says
// that the error is recorded all the same.
func (s *Service) remedyReferred(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item, r concert.Ruling, need bool) error {
	kind := concert.RemedyWithdrawal
	if r.Outcome == concert.ComplaintPartly {
		kind = concert.RemedyCorrection
	}
	earlier, err := tx.Remedies(ctx, []concert.ItemID{it.ID})
	if err != nil {
		return err
	}
	next, m, e, err := it.Remedied(by, concert.Remedy{Ref: identity.NewReference("RM"), Kind: kind, Category: r.Category, Reason: r.Reasons, Again: corrected(earlier[it.ID])}, s.now())
	if refused := (*concert.Error)(nil); errors.As(err, &refused) {
		if !need {
			return nil
		}
		return s.recordError(ctx, tx, by, string(it.ID), concert.ErrorRecord{Ref: it.Ref, Kind: concert.AboutReferral, Cause: concert.ErrorComplaint, Category: r.Category, Authority: it.Author, Provider: it.Provider})
	}
	if err != nil {
		return err
	}
	if err := s.remedied(ctx, tx, by, next, m, e, concert.ErrorComplaint); err != nil {
		return err
	}
	if err := tx.AddRemedies(ctx, []concert.Remedy{m}); err != nil {
		return err
	}
	return tx.SaveItems(ctx, []concert.Item{next})
}

// remedyOrder takes an order back for a complaint about one of its items, which goes
// with it where it can; an order is one act, so that it goes as a whole, and its
// authority issues another one for the rest. What is upheld in part leaves it standing
// and is told to its addressee.
func (s *Service) remedyOrder(ctx context.Context, tx *store.Tx, by concert.Actor, c concert.Complaint, it concert.Item, r concert.Ruling) error {
	o, err := tx.Order(ctx, string(c.Order))
	if err != nil {
		return err
	}
	if r.Outcome == concert.ComplaintUpheld && o.Status.Binds() {
		next, e, err := o.Withdrawn(by, r.Reasons, s.now())
		if err != nil {
			return err
		}
		if err := s.remedyReferred(ctx, tx, by, it, r, false); err != nil {
			return err
		}
		return s.endOrder(ctx, tx, by, next, e, concert.ErrorComplaint, r.Category)
	}
	if o.Status.Binds() {
		if err := s.noticeOrder(ctx, tx, o, concert.NoticeScrutinised); err != nil {
			return err
		}
	}
	return s.recordError(ctx, tx, by, string(o.ID), concert.ErrorRecord{Ref: o.Ref, Kind: concert.AboutOrder, Cause: concert.ErrorComplaint, Category: r.Category, Authority: o.Authority, Provider: o.Provider})
}

// noticeOrder sends a notice about an order beside an event that is recorded already.
func (s *Service) noticeOrder(ctx context.Context, tx *store.Tx, o concert.Order, kind concert.NoticeKind) error {
	p, err := tx.Provider(ctx, string(o.Provider))
	if err != nil {
		return err
	}
	a, err := tx.Authority(ctx, string(o.Authority))
	if err != nil {
		return err
	}
	return s.post(ctx, tx, p, s.orderNotice(p, o, kind, a.Name, s.now()), s.now())
}

// fireComplaints gives the alarms of complaints that are due, each once, on whichever
// node comes first.
func (s *Service) fireComplaints(ctx context.Context) error {
	due := false
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.AnyComplaintDue(ctx, s.now())
		return err
	})
	if err != nil || !due {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		cs, err := tx.DueComplaints(ctx, s.now(), complaintsMost)
		if err != nil {
			return err
		}
		for _, c := range cs {
			items, err := tx.BareItemsByID(ctx, []concert.ItemID{c.Item})
			if err != nil {
				return err
			}
			ref := ""
			if len(items) > 0 {
				ref = items[0].Ref
			}
			next, events := c.Alarmed(ref, s.now())
			for _, e := range events {
				tx.Record(e)
			}
			if err := tx.PutComplaint(ctx, next); err != nil {
				return err
			}
		}
		return nil
	})
}
