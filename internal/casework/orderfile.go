package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	register, err := s.OrderRegister(ctx)
	if err != nil {
		return nil, err
	}
	proof, err := s.issuingProof(ctx, v.Order)
	if err != nil {
		return nil, err
	}
	var o store.Original
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		o, err = tx.OrderOriginal(ctx, v.ID)
		return err
	})
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
	ctx, stop := context.WithTimeout(ctx, sequencedWithin)
	defer stop()
	for {
		if err := s.PublishLog(ctx); err != nil {
			return concert.EventProof{}, err
		}
		var proof EventView
		err := s.DB.View(ctx, func(tx *store.Tx) error {
			e, err := tx.EventOf(ctx, string(o.ID), concert.EventOrderIssued)
			if err != nil {
				return err
			}
			proof = EventView{ListedEvent: ListedEvent{store.ListedEvent{RecordedEvent: e}, o.Ref}}
			return s.proveEvent(ctx, tx, &proof, "")
		})
		if e := (*concert.Error)(nil); !errors.As(err, &e) || e.Code != "event.unsequenced" {
			return proof.Proof, err
		}
		select {
		case <-ctx.Done():
			return concert.EventProof{}, err
		case <-time.After(sequencedLook):
		}
	}
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
