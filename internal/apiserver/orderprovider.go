package apiserver

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert/api"
	"concert/internal/formats"
)

// orderProvider is what an order's addressee needs beside reading and answering, and
// the check that is open to anybody.
func (s *Server) orderProvider() {
	huma.Register(s.api, op(http.MethodGet, "/orders/{id}/statements", "order-statements", "Drafts of statements of reasons for the DSA Transparency Database, of what was removed or disabled for the order (provider)", "orders"), s.orderStatements)
	huma.Register(s.api, public(op(http.MethodGet, "/order-check", "check-order", "Whether an order is valid, by its reference and short code: never its places or its reasons", "orders")), s.checkOrder)
}

func (s *Server) orderStatements(ctx context.Context, in *One) (*file, error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	drafts, err := s.svc.OrderStatements(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	var b bytes.Buffer
	if err := formats.WriteOrderStatements(&b, drafts); err != nil {
		return nil, s.fail(err)
	}
	return &file{"application/json", b.Bytes()}, nil
}

func (s *Server) checkOrder(ctx context.Context, in *struct {
	Ref  string `query:"ref" required:"true" maxLength:"80"`
	Code string `query:"code" required:"true" maxLength:"80" doc:"the first sixteen hexadecimal digits of the SHA-256 of what was signed, as they stand beside the QR code"`
}) (*body[api.OrderCheck], error) {
	c, err := s.svc.CheckOrderCode(ctx, in.Ref, in.Code)
	if err != nil {
		return nil, s.fail(err)
	}
	return &body[api.OrderCheck]{api.OrderCheck{Outcome: string(c.Outcome), Code: c.Code, Field: c.Field, Sentence: c.Sentence, ID: c.Ref, Authority: c.Authority, State: c.State, Addressee: c.Addressee, IssuedAt: c.IssuedAt, Items: c.Items, Digest: c.Digest,
		Status: string(c.Status), Exercise: c.Exercise}}, nil
}
