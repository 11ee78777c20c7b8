package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/law"
)

// contentKey makes the tokens of content providers' pages, so that who asks twice for one
// gets the same, and no table keeps it.
func (s *Service) contentKey() identity.Key { return s.DB.Keys.Derive("content links") }

// ContentPage is the address of a content provider's page, as its provider hands it on.
type ContentPage struct {
	Address   string
	Until     time.Time
	ShowsFrom time.Time // zero for at once; else the end of the non-disclosure, before which it shows nothing and must not be handed on
	Item      string    // reference of the item that it is about
	Notice    string    // a text for the user, in the language that was asked for
}

// LinkContent gives the address of the page of the one whose content an order or a
// referral is about: for the provider, who hands it on, and for the authority. Asked
// again, it is the same address, good for another twelve months.
func (s *Service) LinkContent(ctx context.Context, by concert.Actor, a About, lang string) (ContentPage, error) {
	var out ContentPage
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		x, err := s.about(ctx, tx, by, a)
		if err != nil {
			return err
		}
		l, err := tx.ContentLink(ctx, x.order.ID, x.referral.ID, x.item.ID)
		if errors.Is(err, concert.ErrNotFound) {
			// Its name is drawn: nobody guesses it from when it was made.
			l = concert.ContentLink{ID: concert.ContentLinkID(identity.NewID() + "." + identity.NewReference("CL")), Order: x.order.ID, Referral: x.referral.ID, Item: x.item.ID, Authority: x.authority, Provider: x.provider, CreatedAt: s.now()}
			err = nil
		}
		if err != nil {
			return err
		}
		token, digest := identity.DerivedToken(identity.ContentToken, s.contentKey(), string(l.ID))
		l = l.Prolonged(s.now())
		l.Digest = digest
		if err := tx.PutContentLink(ctx, l); err != nil {
			return err
		}
		out = ContentPage{Address: s.BaseURL + "/redress/" + token, Until: l.ExpiresAt, Item: x.item.Ref}
		silence, err := s.silenceOf(ctx, tx, x.order)
		if err != nil {
			return err
		}
		if x.order.Hides(silence, s.now()) {
			out.ShowsFrom = silence.DueAt
		}
		out.Notice, err = s.userNotice(ctx, tx, x, out, lang)
		return err
	})
	return out, err
}

func (s *Service) userNotice(ctx context.Context, tx *store.Tx, x aboutItem, page ContentPage, lang string) (string, error) {
	author, err := tx.Authority(ctx, string(x.authority))
	if err != nil {
		return "", err
	}
	p, err := tx.Provider(ctx, string(x.provider))
	if err != nil {
		return "", err
	}
	n := formats.UserNotice{Kind: x.kind, Provider: p.Name, Author: author.Name, Country: author.Country, Ref: x.ref, Item: x.item.Ref, Date: x.referral.CreatedAt, Link: page.Address, Until: page.Until, Exercise: s.Exercise}
	if x.kind == concert.AboutOrder {
		n.Date = x.order.IssuedAt
	}
	return n.Text(lang)
}

// silenceOf is the clock of an order's non-disclosure, the zero one where there is none.
func (s *Service) silenceOf(ctx context.Context, tx *store.Tx, o concert.Order) (concert.Deadline, error) {
	if !o.Silent {
		return concert.Deadline{}, nil
	}
	ds, err := tx.Deadlines(ctx, o.ID)
	for _, d := range ds {
		if d.Term == concert.TermSilence {
			return d, err
		}
	}
	return concert.Deadline{}, err
}

// Redress is one way to have an order reviewed, with its end where the law's data give a
// length.
type Redress struct {
	concert.OrderRedress
	Ends time.Time
}

// RedressView is a content provider's page.
type RedressView struct {
	Kind       concert.AboutKind
	Ref        string // of the order or referral
	Link       concert.ContentLink
	Author     concert.Authority
	Addressee  concert.Provider
	Item       concert.Item
	Type       concert.ContentType
	At         time.Time // when it was issued or sent
	Order      concert.Order
	Payload    *concert.OrderPayload // of an order, with this item's place alone
	Redress    []Redress             // of an order, the content provider's ways
	AskUntil   time.Time             // until when scrutiny may be asked for; zero where it may not
	Scrutinies []concert.Scrutiny    // the content provider's own request, and what was decided
	Complaints []concert.Complaint   // about this item, oldest first
	Ended      bool                  // the order or the item's referral was taken back, or is void
	May        bool                  // a complaint may be filed now

	whole concert.OrderPayload
}

// redress finds what a token opens. Whatever is wrong with it, and where the order is
// kept from the content provider, the answer is the same, so that nobody learns what
// there is (Art. 11(3)).
func (s *Service) redress(ctx context.Context, tx *store.Tx, token string, v *RedressView) error {
	digest, err := identity.DigestOf(identity.ContentToken, token)
	if err != nil {
		return concert.ErrNotFound
	}
	if v.Link, err = tx.ContentLinkByDigest(ctx, digest); err != nil {
		return err
	}
	if !v.Link.Usable(s.now()) {
		return concert.ErrNotFound
	}
	v.Kind = v.Link.Kind()
	if v.Kind == concert.AboutOrder {
		if v.Order, err = tx.Order(ctx, string(v.Link.Order)); err != nil {
			return err
		}
		silence, err := s.silenceOf(ctx, tx, v.Order)
		if err != nil {
			return err
		}
		if v.Order.Hides(silence, s.now()) {
			return concert.ErrNotFound
		}
	}
	items, err := tx.ItemsByID(ctx, []concert.ItemID{v.Link.Item})
	if err != nil {
		return err
	}
	if len(items) == 0 || !items[0].ErasedAt.IsZero() {
		return concert.ErrNotFound
	}
	v.Item = items[0]
	return nil
}

// GreetContent says whether a token opens something, and nothing of what: programs that
// check mail follow every link, and looking at it counts as nothing.
func (s *Service) GreetContent(ctx context.Context, token string) error {
	if err := s.links.allow(token); err != nil {
		return err
	}
	return s.DB.View(ctx, func(tx *store.Tx) error {
		var v RedressView
		return s.redress(ctx, tx, token, &v)
	})
}

// OpenContent shows a content provider's page to a person who asked for it. The first
// time is the information under Art. 11.
func (s *Service) OpenContent(ctx context.Context, token string) (RedressView, error) {
	var v RedressView
	if err := s.links.allow(token); err != nil {
		return v, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		v = RedressView{}
		if err := s.redress(ctx, tx, token, &v); err != nil {
			return err
		}
		if err := s.fillRedress(ctx, tx, &v); err != nil {
			return err
		}
		next, e, first := v.Link.Informed(v.Ref, v.Item.Ref, s.Exercise, s.now())
		if !first {
			return nil
		}
		tx.Record(e)
		if err := tx.PutContentLink(ctx, next); err != nil {
			return err
		}
		v.Link = next
		return s.fillRights(ctx, tx, &v)
	})
	if err != nil {
		return RedressView{}, err
	}
	return v, nil
}

func (s *Service) fillRedress(ctx context.Context, tx *store.Tx, v *RedressView) (err error) {
	if v.Author, err = tx.Authority(ctx, string(v.Link.Authority)); err != nil {
		return err
	}
	if v.Addressee, err = tx.Provider(ctx, string(v.Link.Provider)); err != nil {
		return err
	}
	judged, err := tx.Assessments(ctx, []concert.AssessmentID{v.Item.Assessment})
	if err != nil {
		return err
	}
	v.Type = judged[v.Item.Assessment].Type
	if v.Kind == concert.AboutReferral {
		r, err := tx.ReferralByID(ctx, v.Link.Referral)
		if err != nil {
			return err
		}
		v.Ref, v.At, v.Ended = r.Ref, r.CreatedAt, v.Item.Status == concert.ItemWithdrawn
		return s.fillRights(ctx, tx, v)
	}
	v.Ref, v.At, v.Ended = v.Order.Ref, v.Order.IssuedAt, !v.Order.Status.Binds()
	o, err := tx.OrderOriginal(ctx, v.Order.ID)
	if err != nil {
		return err
	}
	if len(o.Payload) > 0 {
		v.Payload = &concert.OrderPayload{}
		if err := json.Unmarshal(o.Payload, v.Payload); err != nil {
			return fmt.Errorf("payload of %s: %w", v.Ref, err)
		}
		v.whole = *v.Payload
		v.Payload.Places = slices.DeleteFunc(slices.Clone(v.Payload.Places), func(p concert.OrderPlace) bool { return p.Ref != v.Item.Ref })
	}
	return s.fillRights(ctx, tx, v)
}

// fillRights are what the content provider can do, and did.
func (s *Service) fillRights(ctx context.Context, tx *store.Tx, v *RedressView) (err error) {
	if v.Complaints, err = tx.ComplaintsAbout(ctx, v.Link.Order, v.Link.Referral, v.Link.Item); err != nil {
		return err
	}
	v.May = !v.Ended && len(v.Complaints) < concert.ComplaintsMost && !slices.ContainsFunc(v.Complaints, concert.Complaint.Open)
	if v.Kind != concert.AboutOrder {
		return nil
	}
	all, err := tx.Scrutinies(ctx, v.Order.ID)
	if err != nil {
		return err
	}
	v.Scrutinies = nil
	for _, sc := range all {
		if sc.AskedBy == concert.RedressContent && v.Order.Status.Binds() || !sc.Open() {
			sc.Intention = ""
			v.Scrutinies = append(v.Scrutinies, sc)
		}
	}
	v.Redress = nil
	if v.Payload != nil {
		for _, r := range v.Payload.Redress {
			if r.For != concert.RedressContent {
				continue
			}
			ends, err := redressEnds(v.Author.Country, r.For, v.Link.InformedAt)
			if err != nil {
				return err
			}
			v.Redress = append(v.Redress, Redress{r, ends})
		}
	}
	v.AskUntil = time.Time{}
	if until, err := s.contentAsks(v); err != nil {
		return err
	} else if v.Order.Copied != "" && v.Order.Status.Binds() && !s.now().After(until) && !slices.ContainsFunc(all, func(sc concert.Scrutiny) bool { return sc.AskedBy == concert.RedressContent }) {
		v.AskUntil = until
	}
	return nil
}

// contentAsks is until when the content provider may ask for scrutiny: 48 hours from the
// information (Art. 4(4)); zero before it was informed.
func (s *Service) contentAsks(v *RedressView) (time.Time, error) {
	if v.Link.InformedAt.IsZero() {
		return time.Time{}, nil
	}
	book, err := law.Read()
	if err != nil {
		return time.Time{}, err
	}
	t, err := book.Term(concert.TermScrutinyAsk)
	if err != nil {
		return time.Time{}, err
	}
	return t.Length.Ends(v.Link.InformedAt, concert.Calendar{}, t.Working), nil
}

// ComplainByLink is a complaint of the one whose content it is, from its page.
func (s *Service) ComplainByLink(ctx context.Context, token, text string) (concert.Complaint, error) {
	var out concert.Complaint
	v, err := s.OpenContent(ctx, token)
	if err != nil {
		return out, err
	}
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		x := aboutItem{kind: v.Kind, ref: v.Ref, order: v.Order, item: v.Item, authority: v.Link.Authority, provider: v.Link.Provider}
		x.referral.ID = v.Link.Referral
		out, err = s.fileComplaint(ctx, tx, v.Link.Actor(), x, text)
		return err
	})
	if isCode(err, store.CodeExists) {
		err = concert.Refuse(concert.Conflict, "complaint.open", "", "a complaint about this is open already: its answer stands on this page once it is decided")
	}
	return out, err
}

// AskScrutinyByLink is the content provider's reasoned request to the authority of its
// provider's state (Art. 4(4)).
func (s *Service) AskScrutinyByLink(ctx context.Context, token, request string) error {
	v, err := s.OpenContent(ctx, token)
	if err != nil {
		return err
	}
	if v.Kind != concert.AboutOrder {
		return concert.Refuse(concert.Conflict, "order.no_referral_scrutiny", "", "a referral binds nobody, so that no other state scrutinises it: complain to the unit that referred")
	}
	until, err := s.contentAsks(&v)
	if err != nil {
		return err
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, string(v.Order.ID))
		if err != nil {
			return err
		}
		return s.askScrutiny(ctx, tx, v.Link.Actor(), o, concert.RedressContent, request, until)
	})
}

// ContentDocument is the content provider's copy of the order, as Annex I in a language
// of the forms (Art. 11(2)). The copy of an order about one item carries the signed
// original; that of one about several shows this item's place alone, since the others
// may be other people's, and carries none.
func (s *Service) ContentDocument(ctx context.Context, token, lang string) ([]byte, error) {
	v, err := s.OpenContent(ctx, token)
	if err != nil {
		return nil, err
	}
	if v.Payload == nil {
		return nil, concert.ErrNotFound
	}
	if !slices.Contains(formats.AnnexLanguages(), lang) {
		lang = "en"
	}
	var o formats.AnnexOptions
	if len(v.whole.Places) == 1 {
		if o.File, err = s.orderFile(ctx, v.Order); err != nil {
			return nil, err
		}
	}
	return formats.OrderPDF(lang, *v.Payload, o)
}
