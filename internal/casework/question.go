package casework

import (
	"context"
	"strings"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

// QuestionView is a message as both sides see it: who wrote it by side, unit and
// operator number, never by name.
type QuestionView struct {
	concert.Question
	ItemRef  string
	Operator string
	Party    string // name of the provider, or of the authority
}

// ThreadView is the talk about one referral.
type ThreadView struct {
	concert.Referral
	Side     concert.Side // on which the reader writes; "" for who only reads
	Provider concert.Provider
	Author   concert.Authority
	Items    []string // references of those that a message may be about
	Messages []QuestionView
}

// AskQuestion writes a message of the provider in a referral's thread, about one
// of its items or, with item "", about it as a whole.
func (s *Service) AskQuestion(ctx context.Context, by concert.Actor, referral, item, text string) (concert.Question, error) {
	if by.Provider == "" {
		return concert.Question{}, concert.Refuse(concert.Forbidden, "question.side", "", "only a provider's people ask here; who judged replies")
	}
	return s.writeQuestion(ctx, by, referral, item, text)
}

// ReplyQuestion writes a message of the authority that judged. Its provider
// hears of it as of a referral, in its hours.
func (s *Service) ReplyQuestion(ctx context.Context, by concert.Actor, referral, item, text string) (concert.Question, error) {
	if by.Provider != "" {
		return concert.Question{}, concert.Refuse(concert.Forbidden, "question.side", "", "only the authority that judged replies here; a provider asks")
	}
	return s.writeQuestion(ctx, by, referral, item, text)
}

func (s *Service) writeQuestion(ctx context.Context, by concert.Actor, referral, item, text string) (concert.Question, error) {
	var q concert.Question
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		r, err := tx.Referral(ctx, referral)
		if err != nil {
			return err
		}
		if _, err := r.MayAsk(by); err != nil {
			return err
		}
		var about concert.Item
		if item != "" {
			named, err := tx.BareItemsByRef(ctx, []string{item})
			if err != nil {
				return err
			}
			var ok bool
			if about, ok = named[item]; !ok {
				return concert.Refuse(concert.Invalid, "question.item", "item", "item %q is not part of referral %s: take the reference from the referral", item, r.Ref)
			}
		}
		q, err = s.addQuestion(ctx, tx, by, r, concert.Question{Text: text}, about)
		return err
	})
	return q, err
}

func (s *Service) addQuestion(ctx context.Context, tx *store.Tx, by concert.Actor, r concert.Referral, q concert.Question, about concert.Item) (concert.Question, error) {
	now := s.now()
	q.ID, q.Ref = concert.QuestionID(identity.NewID()), identity.NewReference("QU")
	q, e, err := r.Asked(by, q, about, now)
	if err != nil {
		return q, err
	}
	if err := tx.AddQuestion(ctx, q); err != nil {
		return q, err
	}
	if q.Side == concert.SideProvider {
		tx.Record(e)
		return q, nil
	}
	p, err := tx.Provider(ctx, string(r.Provider))
	if err != nil {
		return q, err
	}
	author, err := tx.Authority(ctx, string(r.Author))
	if err != nil {
		return q, err
	}
	out := s.notice(p, r, concert.NoticeQuestion, author.Name, now)
	out.Items, out.Remedy = 0, q.Ref
	if about.ID != "" {
		out.Items = 1
	}
	tx.RecordNotice(e, out.ID)
	return q, s.post(ctx, tx, p, out, now)
}

// heard puts what came by mail or through an answer link into the referral's
// thread, where the authority's people see that they are to write back.
func (s *Service) heard(ctx context.Context, tx *store.Tx, m concert.Message) error {
	if !m.Kind.Spoken() || m.Referral == "" || strings.TrimSpace(m.Text) == "" {
		return nil
	}
	r, err := tx.ReferralByID(ctx, m.Referral)
	if err != nil {
		return err
	}
	return tx.AddQuestion(ctx, r.Heard(concert.Question{ID: concert.QuestionID(identity.NewID()), Ref: identity.NewReference("QU")}, m, s.now()))
}

// ReadThread is a referral's thread. Who reads on either side leaves a receipt,
// which the other side sees as a number; an authority's people say why they read.
func (s *Service) ReadThread(ctx context.Context, scope concert.Scope, referral string) (ThreadView, error) {
	var v ThreadView
	by := scope.Actor()
	var unread []concert.QuestionID
	b := concert.ConsultedBody{What: concert.ReadQuestions, Ref: referral}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		var err error
		if v.Referral, err = tx.Referral(ctx, referral); err != nil {
			return err
		}
		if err := by.MayRead(v.Referral); err != nil {
			return err
		}
		if err := s.fillThread(ctx, tx, &v); err != nil {
			return err
		}
		b.Count = len(v.Messages)
		switch {
		case by.Provider != "":
			v.Side = concert.SideProvider
		case by.Authority == v.Referral.Author && by.Authority != "":
			v.Side = concert.SideAuthority
		default:
			return nil
		}
		unread, err = tx.Unread(ctx, v.ID, v.Side, by.Person)
		return err
	})
	if err != nil {
		return ThreadView{}, err
	}
	if len(unread) > 0 {
		err = s.DB.Update(ctx, func(tx *store.Tx) error { return tx.MarkRead(ctx, unread, by.Person, s.now()) })
	}
	return v, err
}

func (s *Service) fillThread(ctx context.Context, tx *store.Tx, v *ThreadView) error {
	var err error
	if v.Provider, err = tx.Provider(ctx, string(v.Referral.Provider)); err != nil {
		return err
	}
	if v.Author, err = tx.Authority(ctx, string(v.Referral.Author)); err != nil {
		return err
	}
	items, err := tx.ReferralItems(ctx, v.ID)
	if err != nil {
		return err
	}
	refs := map[concert.ItemID]string{}
	for _, it := range items {
		refs[it.ID] = it.Ref
		if it.ErasedAt.IsZero() {
			v.Items = append(v.Items, it.Ref)
		}
	}
	qs, err := tx.Questions(ctx, v.ID)
	if err != nil {
		return err
	}
	people := make([]concert.PersonID, len(qs))
	for i, q := range qs {
		people[i] = q.By
	}
	ops, err := tx.Operators(ctx, people)
	for _, q := range qs {
		m := QuestionView{Question: q, ItemRef: refs[q.Item], Operator: ops[q.By], Party: v.Author.Name}
		if q.Side == concert.SideProvider {
			m.Party = v.Provider.Name
		}
		v.Messages = append(v.Messages, m)
	}
	return err
}

// Threads are a page of the threads that wait for one side to write back, newest
// first: of the actor's own provider, or of what its authority authored. They
// open nothing sealed.
func (s *Service) Threads(ctx context.Context, by concert.Actor, waits concert.Side, before concert.QuestionID, limit int) ([]ListedThread, error) {
	f := store.ThreadFilter{Waits: waits, Before: before, Limit: limit}
	switch {
	case waits != concert.SideProvider && waits != concert.SideAuthority:
		return nil, concert.Refuse(concert.Invalid, "question.waits", "waits", "a thread waits for %q or for %q: choose one", concert.SideProvider, concert.SideAuthority)
	case by.Provider != "":
		if err := by.MayOwn(); err != nil {
			return nil, err
		}
		f.Provider = by.Provider
	case by.Authority != "":
		if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator); err != nil {
			return nil, err
		}
		f.Author = by.Authority
	default:
		return nil, concert.Refuse(concert.Forbidden, "question.side", "", "threads are between a provider and the authority that judged: ask one of their people")
	}
	var out []ListedThread
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		got, err := tx.Threads(ctx, f)
		if err != nil {
			return err
		}
		for _, t := range got {
			l := ListedThread{ListedThread: t}
			if l.Provider, err = tx.Provider(ctx, string(t.Thread.Provider)); err != nil {
				return err
			}
			if l.Author, err = tx.Authority(ctx, string(t.Thread.Author)); err != nil {
				return err
			}
			out = append(out, l)
		}
		return nil
	})
	return out, err
}

// ListedThread is a thread with the names of its sides.
type ListedThread struct {
	store.ListedThread
	Provider concert.Provider
	Author   concert.Authority
}
