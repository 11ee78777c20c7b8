package casework

import (
	"context"
	"encoding/json"
	"fmt"

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
	return s.orderFile(ctx, v)
}

// orderFile is OrderFile of an order that was read.
func (s *Service) orderFile(ctx context.Context, v OrderView) ([]byte, error) {
	if v.Payload == nil {
		return nil, concert.Refuse(concert.Conflict, "order.not_issued", "", "order %s is %s and not issued: there is no document yet", v.Ref, v.Status)
	}
	if v.Erased > 0 {
		return nil, concert.Refuse(concert.Conflict, "order.erased", "", "%d places of order %s are erased: its signed original cannot be shown any more", v.Erased, v.Ref)
	}
	if err := s.PublishLog(ctx); err != nil {
		return nil, err
	}
	register, err := s.OrderRegister(ctx)
	if err != nil {
		return nil, err
	}
	var o store.Original
	var proof EventView
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		if o, err = tx.OrderOriginal(ctx, v.ID); err != nil {
			return err
		}
		e, err := tx.EventOf(ctx, string(v.ID), concert.EventOrderIssued)
		if err != nil {
			return err
		}
		proof = EventView{ListedEvent: ListedEvent{store.ListedEvent{RecordedEvent: e}, v.Ref}}
		return s.proveEvent(ctx, tx, &proof, "")
	})
	if err != nil {
		return nil, err
	}
	return order.File(o.Signed, proof.Proof, &register)
}

// OrderDocument is an order as Annex I in a language of the forms: a PDF that carries
// the file, or a page.
func (s *Service) OrderDocument(ctx context.Context, scope concert.Scope, ref, lang string, pdf bool) ([]byte, error) {
	file, err := s.OrderFile(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	var f concert.OrderFile
	var p concert.OrderPayload
	if err := json.Unmarshal(file, &f); err != nil {
		return nil, fmt.Errorf("file of %s: %w", ref, err)
	}
	if err := json.Unmarshal(f.Envelope.Payload, &p); err != nil {
		return nil, fmt.Errorf("payload of %s: %w", ref, err)
	}
	o := formats.AnnexOptions{File: file, Standalone: true}
	if pdf {
		return formats.OrderPDF(lang, p, o)
	}
	return formats.OrderHTML(lang, p, o)
}
