package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/order"
)

// OrderFile is an issued order as it travels: signed, with the proof that its issuing
// stands in the log, and with the register for reading. Whoever may read the order may
// take it; it is refused where a place of it was erased, since its signature would say
// nothing.
func (s *Service) OrderFile(ctx context.Context, scope concert.Scope, ref string) ([]byte, error) {
	v, err := s.ReadOrder(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	return s.orderFile(ctx, v.Order)
}

// orderFile is OrderFile for who is known to be allowed to have it.
func (s *Service) orderFile(ctx context.Context, of concert.Order) ([]byte, error) {
	if of.Digest == "" {
		return nil, concert.Refuse(concert.Conflict, "order.not_issued", "", "order %s is %s and not issued: there is no document yet", of.Ref, of.Status)
	}
	var o store.Original
	err := s.DB.View(ctx, func(tx *store.Tx) (err error) {
		o, err = tx.OrderOriginal(ctx, of.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.Erased > 0 {
		return nil, concert.Refuse(concert.Conflict, "order.erased", "", "%d places of order %s are erased: its signed original cannot be shown any more", o.Erased, of.Ref)
	}
	register, err := s.OrderRegister(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := s.issuingProof(ctx, of)
	if err != nil {
		return nil, err
	}
	return order.File(o.Signed, proof, &register)
}

const (
	sequencedWithin = 5 * time.Second // an event has its place in the log
	sequencedLook   = 20 * time.Millisecond
)

// issuingProof proves that the order's issuing stands in the log. Whoever takes an order
// in the moment in which it is issued waits for the log, which another node may be
// writing just now.
func (s *Service) issuingProof(ctx context.Context, o concert.Order) (concert.EventProof, error) {
	return s.provenSoon(ctx, string(o.ID), o.Ref, concert.EventOrderIssued)
}

// provenSoon proves that a subject's last event of a kind stands in the log, and waits for
// the log where it was written just now.
func (s *Service) provenSoon(ctx context.Context, subject, ref string, kind concert.EventKind) (concert.EventProof, error) {
	until := time.Now().Add(sequencedWithin)
	for {
		var proof EventView
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			e, err := tx.EventOf(ctx, subject, kind)
			if err != nil {
				return err
			}
			proof = EventView{ListedEvent: ListedEvent{store.ListedEvent{RecordedEvent: e}, ref}}
			return s.proveEvent(ctx, tx, &proof, "")
		})
		if !isCode(err, "event.unsequenced") || time.Now().After(until) {
			return proof.Proof, err
		}
		if err := s.publishInTurn(ctx); err != nil {
			return concert.EventProof{}, err
		}
		select {
		case <-ctx.Done():
			return concert.EventProof{}, ctx.Err()
		case <-time.After(sequencedLook):
		}
	}
}

// publishInTurn is PublishLog for many that ask at once: one of this node publishes,
// for all that waited for it.
func (s *Service) publishInTurn(ctx context.Context) error {
	s.publishing.Lock()
	defer s.publishing.Unlock()
	return s.PublishLog(ctx)
}

// OrderForm is how an order's document is drawn.
type OrderForm string

// The forms.
const (
	OrderAsPDF      OrderForm = "pdf"      // which carries the file
	OrderAsPage     OrderForm = "html"     // a whole page
	OrderAsFragment OrderForm = "fragment" // for a page of the house
)

// OrderDocument is an order as Annex I in a language of the forms: a PDF that carries
// the file, or a page.
func (s *Service) OrderDocument(ctx context.Context, scope concert.Scope, ref, lang string, pdf bool) ([]byte, error) {
	if pdf {
		return s.DrawOrder(ctx, scope, ref, lang, OrderAsPDF)
	}
	return s.DrawOrder(ctx, scope, ref, lang, OrderAsPage)
}

// DrawOrder is an order as Annex I in a language of the forms; "" is that of the order
// where there are forms in it, else English.
func (s *Service) DrawOrder(ctx context.Context, scope concert.Scope, ref, lang string, form OrderForm) ([]byte, error) {
	v, err := s.ReadOrder(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	file, err := s.orderFile(ctx, v.Order)
	if err != nil {
		return nil, err
	}
	return s.drawOrder(file, lang, form)
}

// drawOrder draws Annex I from an order's file: in the language, or with "" in that of
// the order where there are forms in it, else in English.
func (s *Service) drawOrder(file []byte, lang string, form OrderForm) ([]byte, error) {
	var f concert.OrderFile
	var p concert.OrderPayload
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fmt.Errorf("order's file: %w", err)
	}
	if err := json.Unmarshal(f.Envelope.Payload, &p); err != nil {
		return nil, fmt.Errorf("order's payload: %w", err)
	}
	if lang == "" {
		if lang = concert.LanguageBase(p.Language); !slices.Contains(formats.AnnexLanguages(), lang) {
			lang = "en"
		}
	}
	o := formats.AnnexOptions{File: file, Standalone: form == OrderAsPage, Check: s.checkPage()}
	if form == OrderAsPDF {
		return formats.OrderPDF(lang, p, o)
	}
	return formats.OrderHTML(lang, p, o)
}

// checkPage is the address of the public page that checks orders, "" where this node
// knows no address of its own.
func (s *Service) checkPage() string {
	if s.BaseURL == "" {
		return ""
	}
	return s.BaseURL + "/verify/order"
}
