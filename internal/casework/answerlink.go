package casework

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
)

const (
	// linkQuestions is the most questions that one link asks.
	linkQuestions = 20
	// linkActs is the most acts of one link in a minute.
	linkActs = 60
)

// linkKey makes the tokens of answer links: a mail that is sent again carries the
// same link, and no table keeps it.
func (s *Service) linkKey() identity.Key { return s.DB.Keys.Derive("answer links") }

// ensureLink makes the answer link of a referral for a contact point where there
// is none that is good for a while yet.
func (s *Service) ensureLink(ctx context.Context, tx *store.Tx, d store.Outgoing, c concert.ContactPointID, now time.Time) error {
	if d.Referral == "" || !asked(d) {
		return nil
	}
	if _, ok, err := standingLink(ctx, tx, d.Referral, c, now); err != nil || ok {
		return err
	}
	l := concert.AnswerLink{ID: concert.AnswerLinkID(identity.NewID()), Referral: d.Referral, Contact: c, CreatedAt: now, ExpiresAt: now.Add(concert.AnswerLinkTerm), Version: 1}
	_, l.Digest = identity.DerivedToken(identity.AnswerToken, s.linkKey(), string(l.ID))
	return tx.AddLink(ctx, l)
}

// standingLink is the last link of the referral for the contact point that is
// good for at least a week.
func standingLink(ctx context.Context, tx *store.Tx, r concert.ReferralID, c concert.ContactPointID, now time.Time) (concert.AnswerLink, bool, error) {
	links, err := tx.Links(ctx, r)
	if err != nil {
		return concert.AnswerLink{}, false, err
	}
	for _, l := range slices.Backward(links) {
		if l.Contact == c && l.Usable(now.Add(7*24*time.Hour)) == nil {
			return l, true, nil
		}
	}
	return concert.AnswerLink{}, false, nil
}

// linkFor is the address of the standing link, "" where it is over.
func (s *Service) linkFor(ctx context.Context, tx *store.Tx, r concert.ReferralID, c concert.ContactPointID) (address string, until time.Time, err error) {
	links, err := tx.Links(ctx, r)
	if err != nil {
		return "", time.Time{}, err
	}
	for _, l := range slices.Backward(links) {
		if l.Contact == c && l.Usable(s.now()) == nil {
			token, _ := identity.DerivedToken(identity.AnswerToken, s.linkKey(), string(l.ID))
			return s.BaseURL + "/answer/" + token, l.ExpiresAt, nil
		}
	}
	return "", time.Time{}, nil
}

// LinkedView is what a link shows.
type LinkedView struct {
	ReferralView
	Link     concert.AnswerLink
	Contact  concert.ContactPoint
	May      map[concert.ItemID]bool           // the link may still give a final answer on it
	Answered map[concert.ItemID]concert.Answer // the last answer on each
	Finished bool                              // only the receipt is shown
}

// link is the link of a token with its contact point. Whatever is wrong with it,
// the answer is the same, so that nobody learns what there is.
func (s *Service) link(ctx context.Context, tx *store.Tx, token string) (concert.AnswerLink, concert.ContactPoint, error) {
	var c concert.ContactPoint
	digest, err := identity.DigestOf(identity.AnswerToken, token)
	if err != nil {
		return concert.AnswerLink{}, c, concert.ErrNotFound
	}
	l, err := tx.LinkByDigest(ctx, digest)
	if err != nil {
		return l, c, err
	}
	if err := l.Usable(s.now()); err != nil {
		return l, c, err
	}
	c, err = tx.ContactPoint(ctx, string(l.Contact))
	return l, c, err
}

// GreetLink says whether a token opens something, and nothing of what: scanners
// of mail follow every link, so that looking at it counts as nothing.
func (s *Service) GreetLink(ctx context.Context, token string) (concert.Provider, error) {
	var p concert.Provider
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		_, c, err := s.link(ctx, tx, token)
		if err != nil {
			return err
		}
		p, err = tx.Provider(ctx, string(c.Provider))
		return err
	})
	return p, err
}

// OpenLink shows the link's referral to a person who asked for it: the rung
// "opened" of what was sent to its contact point.
func (s *Service) OpenLink(ctx context.Context, token string) (LinkedView, error) {
	var v LinkedView
	if err := s.links.allow(token); err != nil {
		return v, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		v = LinkedView{}
		var err error
		if err = s.showLink(ctx, tx, token, &v); err != nil {
			return err
		}
		if v.Link.OpenedAt.IsZero() {
			v.Link.OpenedAt = s.now()
			if err := tx.SaveLink(ctx, v.Link); err != nil {
				return err
			}
		}
		return s.climbIn(ctx, tx, v.Referral.ID, concert.RungOpened, "shown through the link of contact point "+v.Contact.Ref, asked)
	})
	if err != nil {
		return LinkedView{}, err
	}
	return v, nil
}

// showLink fills in what the link shows; once every item has its final answer,
// that is the receipt: no place and no judgement any more.
func (s *Service) showLink(ctx context.Context, tx *store.Tx, token string, v *LinkedView) error {
	var err error
	if v.Link, v.Contact, err = s.link(ctx, tx, token); err != nil {
		return err
	}
	if v.Referral, err = tx.ReferralByID(ctx, v.Link.Referral); err != nil {
		return err
	}
	if err := s.fillReferral(ctx, tx, &v.ReferralView); err != nil {
		return err
	}
	v.May, v.Answered, v.Finished = map[concert.ItemID]bool{}, map[concert.ItemID]concert.Answer{}, true
	for _, it := range v.Items {
		answers, err := tx.Answers(ctx, it.ID)
		if err != nil {
			return err
		}
		if n := len(answers); n > 0 {
			v.Answered[it.ID] = answers[n-1]
		}
		if v.Link.MayAnswer(it, answers, v.Remedies[it.ID]) {
			v.May[it.ID], v.Finished = true, false
		}
	}
	v.Messages = slices.DeleteFunc(v.Messages, func(m concert.Message) bool { return !m.Kind.Spoken() || m.Contact != v.Contact.ID })
	if v.Finished {
		v.Payload.Items, v.Signed, v.Messages, v.Remedies = nil, concert.Envelope{}, nil, nil
	}
	return nil
}

// AcknowledgeByLink records that the provider took the referral.
func (s *Service) AcknowledgeByLink(ctx context.Context, token string) error {
	v, err := s.OpenLink(ctx, token)
	if err != nil {
		return err
	}
	_, err = s.AcknowledgeReferral(ctx, v.Link.Actor(v.Provider.ID, v.Contact.Ref), v.Ref)
	return err
}

// AnswerByLink records answers given through a link, by the same rules as all
// others; a final answer is given once, and once more after each correction.
func (s *Service) AnswerByLink(ctx context.Context, token string, version int64, in []Replying) ([]Result, error) {
	v, err := s.OpenLink(ctx, token)
	if err != nil {
		return nil, err
	}
	if len(in) == 0 || len(in) > concert.ReferralItems {
		return nil, concert.Refuse(concert.Invalid, "answer.empty", "code", "choose an answer for at least one item, and for at most %d", concert.ReferralItems)
	}
	may := map[string]bool{}
	for _, it := range v.Items {
		may[it.Ref] = v.May[it.ID]
	}
	for _, r := range in {
		if !may[r.Item] {
			return nil, concert.Refuse(concert.Conflict, "link.answered", "code", "item %q has its final answer, or is not part of this referral: to change it, answer the mail", r.Item)
		}
	}
	out, _, err := s.AnswerReferral(ctx, v.Link.Actor(v.Provider.ID, v.Contact.Ref), v.Ref, version, in)
	if err != nil {
		return out, err
	}
	return out, s.finishLink(ctx, token)
}

// finishLink notes when the link gave its last answer.
func (s *Service) finishLink(ctx context.Context, token string) error {
	return s.retryStale(ctx, func(tx *store.Tx) error {
		var v LinkedView
		if err := s.showLink(ctx, tx, token, &v); err != nil {
			return err
		}
		if !v.Finished || !v.Link.FinishedAt.IsZero() {
			return nil
		}
		v.Link.FinishedAt = s.now()
		return tx.SaveLink(ctx, v.Link)
	})
}

// AskByLink records a question about the referral, or about one item of it.
func (s *Service) AskByLink(ctx context.Context, token, item, text string) error {
	text = strings.TrimSpace(text)
	if len([]rune(text)) < 5 || len([]rune(text)) > 4000 {
		return concert.Refuse(concert.Invalid, "message.text", "text", "write your question in 5 to 4000 characters")
	}
	v, err := s.OpenLink(ctx, token)
	if err != nil {
		return err
	}
	if v.Finished {
		return concert.Refuse(concert.Conflict, "link.answered", "", "every item has its final answer: to ask something now, answer the mail")
	}
	m := concert.Message{ID: concert.MessageID(identity.NewID()), Contact: v.Contact.ID, Referral: v.Referral.ID, Kind: concert.MessageQuestion, Sender: concert.SenderLink, MessageText: concert.MessageText{Text: text}}
	if item != "" {
		i := slices.IndexFunc(v.Items, func(it concert.Item) bool { return it.Ref == item })
		if i < 0 {
			return concert.Refuse(concert.Invalid, "answer.item", "item", "item %q is not part of this referral: take the reference from the referral", item)
		}
		m.Item = v.Items[i].ID
	}
	return s.retryStale(ctx, func(tx *store.Tx) error {
		all, err := tx.Messages(ctx, v.Referral.ID)
		if err != nil {
			return err
		}
		mine := 0
		for _, o := range all {
			if o.Contact == v.Contact.ID && o.Kind == concert.MessageQuestion {
				mine++
			}
		}
		if mine >= linkQuestions {
			return concert.Refuse(concert.TooLarge, "link.questions", "text", "this link has asked %d questions: answer the mail to ask more", linkQuestions)
		}
		// The same words twice, by a form that was sent twice, are one question.
		m.Digest = sha256.Sum256(fmt.Appendf(nil, "question\x00%s\x00%s\x00%s", v.Link.ID, m.Item, text))
		next, e, err := m.Received(v.Ref, s.now())
		if err != nil {
			return err
		}
		if known, err := tx.KnownMessage(ctx, m.Digest); err != nil || known {
			return err
		}
		tx.Record(e)
		if _, err := tx.AddMessage(ctx, next); err != nil {
			return err
		}
		return s.heard(ctx, tx, next)
	})
}

// RevokeLinks ends every answer link of a referral: for a mail that went to the
// wrong people.
func (s *Service) RevokeLinks(ctx context.Context, by concert.Actor, ref string) (int, error) {
	n := 0
	if err := by.Need(concert.RoleOfficer, concert.RoleReviewer, concert.RoleCoordinator, concert.RoleAdministrator); err != nil {
		return 0, err
	}
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		n = 0
		r, err := tx.Referral(ctx, ref)
		if err != nil {
			return err
		}
		if err := by.MayRead(r); err != nil && !by.Has(concert.RoleAdministrator) {
			return err
		}
		links, err := tx.Links(ctx, r.ID)
		if err != nil {
			return err
		}
		for _, l := range links {
			if !l.RevokedAt.IsZero() {
				continue
			}
			next, e, err := l.Revoked(by, r.Ref, s.now())
			if err != nil {
				return err
			}
			if err := tx.SaveLink(ctx, next); err != nil {
				return err
			}
			tx.Record(e)
			n++
		}
		return nil
	})
	return n, err
}

// linkLimits keeps a link from being worked by a program: so many acts a minute,
// on each node.
type linkLimits struct {
	mu   sync.Mutex // guards both
	acts map[string]int
	from time.Time
}

func (l *linkLimits) allow(token string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.acts == nil || now.Sub(l.from) > time.Minute {
		l.acts, l.from = map[string]int{}, now
	}
	l.acts[token]++
	if l.acts[token] > linkActs || len(l.acts) > 100_000 {
		return concert.Refuse(concert.Unavailable, "link.busy", "", "too many requests through this link: try again in a minute")
	}
	return nil
}
