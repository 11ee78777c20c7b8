package casework

import (
	"context"
	"strconv"
	"time"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/formats"
	"concert/internal/store"
)

// mailing is what one mail says: a notice about referrals, or one about an order.
type mailing struct {
	notice *formats.Notice
	order  *orderMailing
}

func (m mailing) empty() bool { return m.order == nil && len(m.notice.Parts) == 0 }

// orderMailing is a mail about an order with the order itself.
type orderMailing struct {
	formats.OrderMail
	of   concert.Order
	file []byte // the signed order, "" where it cannot be shown, or the mail carries none
}

// minutesLeft are those of an alarm about an order, which its delivery keeps as text.
func minutesLeft(d store.Outgoing) int {
	n, err := strconv.Atoi(d.Remedy)
	if err != nil {
		return 0 // no number was kept: the hour is over
	}
	return n
}

// orderMailing gathers what a mail about an order says, as it stands now.
func (s *Service) orderMailing(ctx context.Context, tx *store.Tx, p concert.Provider, c concert.ContactPoint, m concert.Mail, d store.Outgoing) (*orderMailing, error) {
	o, err := tx.Order(ctx, d.RefRef)
	if err != nil {
		return nil, err
	}
	a, err := tx.Authority(ctx, string(o.Authority))
	if err != nil {
		return nil, err
	}
	n := &orderMailing{of: o, OrderMail: formats.OrderMail{Kind: d.Kind, Lang: formats.NoticeLanguage(c.Languages), Exercise: s.Exercise, Provider: p.Name, Author: a.Name, Country: a.Country, Sender: s.Origin, Base: s.BaseURL, Check: s.checkPage(),
		Reply: s.Mailer.Reply(m.Tag), Ref: o.Ref, Digest: o.Digest, IssuedAt: o.IssuedAt, Items: o.Items, Silent: o.Silent, Left: minutesLeft(d)}}
	switch d.Kind {
	case concert.NoticeFirstContact:
		first, err := tx.FirstContact(ctx, o.Authority, o.Provider)
		if err != nil {
			return nil, err
		}
		n.Ref, n.From = first.Ref, first.DueAt
		return n, nil
	case concert.NoticeOrderEnded:
		n.Reason = o.Ended
	case concert.NoticeClarified:
		n.Reason = o.Clarification
	}
	ds, err := tx.Deadlines(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range ds {
		if x.Term == concert.TermRemoval && x.State == concert.DeadlineRunning || x.Term == concert.TermPreservation && d.Kind == concert.NoticeOrderKept {
			n.Due = x.DueAt
		}
	}
	n.Link, n.Expires, err = s.orderLinkFor(ctx, tx, o.ID, c.ID)
	return n, err
}

// attachOrders gives the mails that bring an order its file, which is proved to stand
// in the log first: that is no part of the transaction that gathers the mails.
func (s *Service) attachOrders(ctx context.Context, ms []mailing) error {
	for _, m := range ms {
		if m.order == nil || m.order.Kind != concert.NoticeOrder {
			continue
		}
		var err error
		if m.order.file, err = s.orderFile(ctx, m.order.of); err != nil && !isCode(err, "order.erased") {
			return err
		}
	}
	return nil
}

// orderLetter puts a mail about an order into its text and its attachments.
func (s *Service) orderLetter(c concert.ContactPoint, m concert.Mail, n *orderMailing) (dispatch.Letter, error) {
	l := dispatch.Letter{Tag: m.Tag, Reference: n.Ref, To: c.Address, Lang: n.Lang, Date: time.Now(), Urgent: true}
	n.Attached = n.file != nil
	var err error
	if l.Subject, err = n.Subject(); err != nil {
		return l, err
	}
	if l.Text, err = n.Text(); err != nil || !n.Attached {
		return l, err
	}
	pdf, err := s.drawOrder(n.file, "", OrderAsPDF)
	if err != nil {
		return l, err
	}
	l.Files = []dispatch.LetterFile{{Name: n.Ref + ".pdf", Type: "application/pdf", Data: pdf}, {Name: n.Ref + ".order.json", Type: "application/json", Data: n.file}}
	return l, nil
}
