package casework

import (
	"context"

	"concert"
	"concert/internal/formats"
)

// OrderStatements are drafts of statements of reasons (DSA Art. 17 and 24(5)) for the
// items of an order that its addressee removed or disabled; only that provider has them.
func (s *Service) OrderStatements(ctx context.Context, scope concert.Scope, ref string) ([]formats.OrderStatement, error) {
	if err := scope.Actor().MayOwn(); err != nil {
		return nil, err
	}
	v, err := s.ReadOrder(ctx, scope, ref)
	if err != nil {
		return nil, err
	}
	out := []formats.OrderStatement{}
	for _, it := range v.About {
		if it.Of.Ref == "" || !it.Of.ErasedAt.IsZero() || !v.Status.Binds() {
			continue
		}
		draft, ok := formats.OrderStatementOf(v.Order, it.OrderItem, it.Of, v.Author.Name)
		if !ok {
			continue
		}
		if err := draft.Check(); err != nil {
			return nil, err
		}
		out = append(out, draft)
	}
	return out, nil
}
