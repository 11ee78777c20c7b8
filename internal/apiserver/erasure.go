package apiserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
)

// exportsPath is the one operation whose answers are never kept: they hold
// items in full.
const exportsPath = "/api/v1/exports"

func (s *Server) erasures() {
	change(s, op(http.MethodPost, "/items/{id}/erasure", "ask-erasure", "Ask for an item's erasure; a second person confirms it", "erasure"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewErasure) error {
		return s.svc.AskErasure(ctx, by, ref, v, concert.ErasureCode(in.Code), in.Reason)
	})
	huma.Register(s.api, op(http.MethodPost, "/items/{id}/erasure/confirm", "erase-item", "Confirm what another person asked for, and erase the item", "erasure"), func(ctx context.Context, in *struct {
		One
		IfMatch        string `header:"If-Match" doc:"the ETag that was read with the request"`
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (*tagged[api.Item], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := version(in.IfMatch)
		if err != nil {
			return nil, s.fail(err)
		}
		if err := s.svc.EraseItem(ctx, by, in.ID, v); err != nil {
			return nil, s.fail(err)
		}
		return s.item(ctx, in.ID)
	})
	huma.Register(s.api, op(http.MethodGet, "/items/{id}/erasure", "erasure-proof", "Proof of an item's erasure, to be verified offline", "erasure"), func(ctx context.Context, in *One) (*body[concert.ErasureProof], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		p, err := s.svc.ErasureProof(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[concert.ErasureProof]{p}, nil
	})
	change(s, op(http.MethodPost, "/items/{id}/legal-hold", "place-legal-hold", "Keep an item from erasure", "erasure"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Reasoned) error {
		return s.svc.PlaceLegalHold(ctx, by, ref, v, in.Reason)
	})
	change(s, op(http.MethodPost, "/items/{id}/legal-hold/lift", "lift-legal-hold", "End a legal hold", "erasure"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Reasoned) error {
		return s.svc.LiftLegalHold(ctx, by, ref, v, in.Reason)
	})
	change(s, op(http.MethodPost, "/items/{id}/handling", "change-handling", "Change an item's handling code with its giver's permission", "handling"), func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewHandling) error {
		return s.svc.ChangeHandling(ctx, by, ref, v, concert.Handling(in.Handling), in.Reason)
	})
	huma.Register(s.api, op(http.MethodPost, "/exports", "export-items", "The document with which items leave for a court or another authority; recorded with each", "handling"), func(ctx context.Context, in *body[api.NewExport]) (*body[concert.Disclosure], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		b := in.Body
		d, err := s.svc.ExportItems(ctx, sc, b.Items, concert.Destination(b.Destination), b.Recipient, b.Justification)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[concert.Disclosure]{d}, nil
	})
}

// tellsOf is the reference of the one item that an answer tells of: the one in
// the request's path, or the answer's own id; "" for none. Refusals may quote
// what was sent, so that they count, too.
func tellsOf(path string, answer []byte) string {
	if rest, ok := strings.CutPrefix(path, "/api/v1/banks/"); ok {
		if _, item, ok := strings.Cut(rest, "/items/"); ok {
			return item
		}
	}
	for _, of := range []string{"/api/v1/items/", "/api/v1/second-looks/"} {
		if rest, ok := strings.CutPrefix(path, of); ok {
			if ref, _, _ := strings.Cut(rest, "/"); ref != "batch" {
				return ref
			}
			return ""
		}
	}
	var one struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(answer, &one) != nil {
		return "" // it is not an object with an id
	}
	return one.ID
}

// erasureOf is what a view tells of an erasure; nil where nobody asked.
func erasureOf(e concert.Erasure, by string) *api.Erasure {
	if e.AskedBy == "" {
		return nil
	}
	out := &api.Erasure{Code: string(e.Code)}
	if e.ErasedAt.IsZero() {
		out.Reason, out.AskedBy, out.AskedAt = e.Reason, by, stamp(e.AskedAt)
	}
	return out
}
