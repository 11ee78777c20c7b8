package casework

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"strings"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/order"
)

// OrderCheck is what the public check of an order answers: whether it is valid, and of
// one that is, who issued it, to whom, when, about how many items, and how it stands.
// It never holds a place or a statement of reasons: whoever knows a reference and a
// code need not be the addressee.
type OrderCheck struct {
	Outcome   order.Outcome
	Code      string // of what is wrong; "" where nothing is
	Field     string // that fails; "" where none does
	Sentence  string // one, in English, as concert order verify says it
	Ref       string
	Authority string
	State     string
	Addressee string
	IssuedAt  string
	Items     int
	Digest    string
	Status    concert.OrderStatus // as it stands here: issued, withdrawn or void; "" where the order is not known here
	Exercise  bool
}

// checkCode is the short code as it was typed, made comparable: the first sixteen
// hexadecimal digits of the digest.
func checkCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '\u00a0' {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(typed)))
}

// publicStatus is how an order stands for whoever asks: that it was issued, and that it
// ended. What its addressee did is not told.
func publicStatus(s concert.OrderStatus) concert.OrderStatus {
	if s == concert.OrderWithdrawn || s == concert.OrderVoid {
		return s
	}
	return concert.OrderIssued
}

// CheckOrderCode checks an order of this house by its reference and short code. An
// unknown reference and a wrong code are answered alike.
func (s *Service) CheckOrderCode(ctx context.Context, ref, code string) (OrderCheck, error) {
	ref = strings.ToUpper(strings.TrimSpace(ref))
	typed := checkCode(code)
	if len(typed) != 16 || strings.Trim(typed, "0123456789abcdef") != "" {
		return OrderCheck{}, concert.Refuse(concert.Invalid, "order.check_code", "code", "the code has sixteen digits and letters from a to f, as it stands beside the QR code of the order: type it whole")
	}
	if err := s.links.allow("check " + ref); err != nil {
		return OrderCheck{}, err
	}
	var o concert.Order
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		o, err = tx.Order(ctx, ref)
		return err
	})
	if err != nil && !errors.Is(err, concert.ErrNotFound) {
		return OrderCheck{}, err
	}
	if err != nil || o.Ref != ref || o.Digest == "" || subtle.ConstantTimeCompare([]byte(typed), []byte(o.Digest[:16])) != 1 {
		return OrderCheck{Outcome: order.Invalid, Code: "order.check_unknown", Field: "ref",
			Sentence: "invalid (ref): no order that was issued here has this reference and this code; compare both with the document, and act on it only if its file verifies"}, nil
	}
	file, err := s.orderFile(ctx, o)
	if isCode(err, "order.erased") {
		return s.checkErased(ctx, o)
	}
	if err != nil {
		return OrderCheck{}, err
	}
	return s.CheckOrderFile(ctx, file)
}

// checkErased answers for an order of which places are erased, so that its signature
// can be checked no more: that its issuing is on record.
func (s *Service) checkErased(ctx context.Context, o concert.Order) (OrderCheck, error) {
	var a concert.Authority
	var p concert.Provider
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		if a, err = tx.Authority(ctx, string(o.Authority)); err != nil {
			return err
		}
		p, err = tx.Provider(ctx, string(o.Provider))
		return err
	})
	return OrderCheck{Outcome: order.AuthorityUnknown, Code: "order.erased", Field: "places", Sentence: "not checked (places): places of this order are erased since, so that its signature can be checked no more; that it was issued is on record", Ref: o.Ref, Authority: a.Name, State: a.Country, Addressee: p.Name,
		IssuedAt: o.IssuedAt.UTC().Format(concert.TimeFormat), Items: o.Items, Digest: o.Digest, Status: publicStatus(o.Status), Exercise: o.Exercise}, err
}

// CheckOrderFile checks an order's file, or a PDF that carries one, against this
// house's register, as concert order verify does with the root of this house pinned.
// Whoever has the file has read it: still no place of it is repeated.
func (s *Service) CheckOrderFile(ctx context.Context, raw []byte) (OrderCheck, error) {
	if formats.IsPDF(raw) {
		var err error
		if raw, err = formats.PDFAttachment(raw, formats.OrderAttachment, order.MaxFile); err != nil {
			return OrderCheck{Outcome: order.Invalid, Code: "order.pdf", Sentence: "invalid: " + err.Error()}, nil
		}
	}
	sealed, err := s.OrderRegister(ctx)
	if err != nil {
		return OrderCheck{}, err
	}
	text, err := concert.CanonicalJSON(sealed)
	if err != nil {
		return OrderCheck{}, err
	}
	register, err := order.ReadRegister(text, order.Roots{order.FingerprintOf(s.TransportKey())})
	if err != nil {
		return OrderCheck{}, err
	}
	// What is sent by mail or typed in may end with a line's end; the file does not.
	v := order.Verify(bytes.TrimRight(raw, "\r\n"), register, order.Options{Now: s.now()})
	c := OrderCheck{Outcome: v.Outcome, Code: v.Code, Field: v.Field, Sentence: v.Sentence}
	if v.Outcome != order.Valid {
		return c, nil
	}
	c.Ref, c.Authority, c.State, c.Addressee, c.IssuedAt, c.Items, c.Digest, c.Exercise = v.Ref, v.Authority, v.State, v.AddresseeName, v.IssuedAt, len(v.Order.Places), v.Digest, v.Exercise
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		o, err := tx.Order(ctx, v.Ref)
		if err == nil && o.Digest == v.Digest {
			c.Status = publicStatus(o.Status)
		}
		if errors.Is(err, concert.ErrNotFound) {
			return nil
		}
		return err
	})
	return c, err
}
