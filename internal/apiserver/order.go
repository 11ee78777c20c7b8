package apiserver

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

func (s *Server) orders() {
	do(s, created(op(http.MethodPost, "/orders", "draft-order", "Write a removal order about assessed items", "orders")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewOrder]) (api.Order, error) {
		o, err := s.svc.DraftOrder(ctx, by, draftOf(in.Body))
		if err != nil {
			return api.Order{}, err
		}
		return s.orderAfter(o), nil
	})
	huma.Register(s.api, op(http.MethodGet, "/orders", "orders", "Orders of my authority, copies of others' with copied, or those addressed to my provider; newest change first", "orders"), s.listOrders)
	huma.Register(s.api, op(http.MethodGet, "/orders/{id}", "order", "One order; a provider's reading proves its receipt", "orders"), s.order)
	huma.Register(s.api, op(http.MethodGet, "/orders/{id}/file", "order-file", "An issued order as it travels: concert order verify checks it offline", "orders"), s.orderFile)
	huma.Register(s.api, op(http.MethodGet, "/orders/{id}/document", "order-document", "An issued order as Annex I: a PDF that carries the file, or a page", "orders"), s.orderDocument)
	huma.Register(s.api, public(op(http.MethodGet, "/order-register", "order-register", "The signed register of who may issue orders", "orders")), s.orderRegister)
	orderAct(s, "draft", "rewrite-order", "Write a draft anew", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewOrder) (concert.Order, error) {
		return s.svc.RewriteOrder(ctx, by, ref, v, draftOf(in))
	})
	orderAct(s, "review", "review-order", "Confirm a draft (reviewer)", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Order, error) {
		return s.svc.ReviewOrder(ctx, by, ref, v)
	})
	orderAct(s, "approve", "approve-order", "Approve, and issue where nothing stands in its way (issuer)", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Order, error) {
		return s.svc.ApproveOrder(ctx, by, ref, v)
	})
	orderAct(s, "issue", "issue-order", "Issue an approved order whose twelve hours are over (issuer)", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Order, error) {
		return s.svc.IssueOrder(ctx, by, ref, v)
	})
	for _, a := range []struct {
		act, id, summary string
		do               func(context.Context, concert.Actor, string, int64, string) (concert.Order, error)
	}{
		{"return", "return-order", "Send an order back to who wrote it", s.svc.ReturnOrder},
		{"drop", "drop-order", "Give an order up that was never issued", s.svc.DropOrder},
		{"withdraw", "withdraw-order", "Take an issued order back: its addressee reinstates", s.svc.WithdrawOrder},
		{"clarify", "clarify-order", "Answer Annex III, or say as a provider that what hindered is over: the hour runs anew", s.svc.ClarifyOrder},
	} {
		orderAct(s, a.act, a.id, a.summary, func(ctx context.Context, by concert.Actor, ref string, v int64, in api.OrderReason) (concert.Order, error) {
			return a.do(ctx, by, ref, v, in.Reason)
		})
	}
	orderAct(s, "emergency-review", "review-order-emergency", "Review an order that was issued in an emergency, within 48 hours (somebody without a part in it)", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.EmergencyReview) (concert.Order, error) {
		return s.svc.ReviewEmergency(ctx, by, ref, v, concert.Verdict(in.Verdict), in.Reason)
	})
	orderAct(s, "feedback", "feed-order", "Annex II: what was done, and when (provider)", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewFeedback) (concert.Order, error) {
		return s.svc.AnswerOrder(ctx, by, ref, v, concert.OrderAnswer{Items: in.Items, Measure: concert.OrderMeasure(in.Measure), MeasureAt: momentOf(in.MeasureAt), Person: in.Person, Email: in.Email, File: in.File})
	})
	orderAct(s, "impossible", "impede-order", "Annex III: why the order cannot be carried out (provider)", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewImpossible) (concert.Order, error) {
		a := concert.OrderAnswer{Further: in.Further, Needed: in.Needed, Person: in.Person, Email: in.Email, File: in.File}
		for _, r := range in.Reasons {
			a.Reasons = append(a.Reasons, concert.ImpossibleReason(r))
		}
		return s.svc.AnswerOrder(ctx, by, ref, v, a)
	})
	s.offices()
	s.orderProvider()
	s.remedyOrders()
}

func (s *Server) offices() {
	huma.Register(s.api, op(http.MethodGet, "/authorities/{id}/office", "office", "What the orders of an authority say of it, and its functions", "registers"), func(ctx context.Context, in *One) (*body[api.Office], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := s.svc.ReadOffice(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		o := api.Office{Kind: string(v.Kind), Functions: []string{}, Address: v.Address, Telephone: v.Telephone, Fax: v.Fax, Email: v.Email, Since: stamp(v.Since), Waits: v.Proposal != nil}
		for _, f := range v.Functions {
			o.Functions = append(o.Functions, string(f))
		}
		return &body[api.Office]{o}, nil
	})
	huma.Register(s.api, op(http.MethodPost, "/authorities/{id}/office", "propose-office", "Give an authority its functions (administrator): another one confirms", "registers"), func(ctx context.Context, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
		Body           api.Office
	}) (*struct{}, error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		o := concert.OrderOffice{Kind: concert.OrderAuthorityKind(in.Body.Kind), Address: in.Body.Address, Telephone: in.Body.Telephone, Fax: in.Body.Fax, Email: in.Body.Email}
		for _, f := range in.Body.Functions {
			o.Functions = append(o.Functions, concert.Function(f))
		}
		if err := s.svc.ProposeOffice(ctx, by, in.ID, o); err != nil {
			return nil, s.fail(err)
		}
		return nil, nil
	})
	huma.Register(s.api, op(http.MethodPost, "/authorities/{id}/office/confirm", "confirm-office", "Confirm what another administrator proposed", "registers"), func(ctx context.Context, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (*struct{}, error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		if err := s.svc.ConfirmOffice(ctx, by, in.ID); err != nil {
			return nil, s.fail(err)
		}
		return nil, nil
	})
}

func draftOf(in api.NewOrder) casework.OrderDraft {
	d := casework.OrderDraft{Language: in.Language, Silent: in.Silent, Emergency: in.Emergency, OrderText: concert.OrderText{Statement: in.Statement, LegalBasis: in.LegalBasis, Proportionality: in.Proportionality,
		SilenceGround: in.SilenceGround, EmergencyGround: in.EmergencyGround, Representative: in.Representative, Post: in.Post, FileNo: in.FileNo, Replaces: in.Replaces}}
	for _, it := range in.Items {
		d.Items = append(d.Items, casework.OrderDraftItem{Item: it.Item, Additional: it.Additional})
	}
	return d
}

// orderAct is an act on an order of the version that was read; a provider need not have
// read one, since its answer changes nothing that the authority wrote.
func orderAct[T any](s *Server, act, id, summary string, run func(context.Context, concert.Actor, string, int64, T) (concert.Order, error)) {
	huma.Register(s.api, op(http.MethodPost, "/orders/{id}/"+act, id, summary, "orders"), func(ctx context.Context, in *matched[T]) (*tagged[api.Order], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		var v int64
		if by.Provider == "" || in.IfMatch != "" {
			if v, err = version(in.IfMatch); err != nil {
				return nil, s.fail(err)
			}
		}
		o, err := run(ctx, by, in.ID, v, in.Body)
		if err != nil {
			return nil, s.fail(err)
		}
		return &tagged[api.Order]{api.ETag(o.Version), s.orderAfter(o)}, nil
	})
}

// orderAfter is an order as an act's answer tells of it: without what only reading it
// shows.
func (s *Server) orderAfter(o concert.Order) api.Order {
	return s.orderOf(casework.OrderView{Order: o})
}

func (s *Server) orderOf(v casework.OrderView) api.Order {
	now := s.svc.Now()
	out := api.Order{ID: v.Ref, Version: v.Version, Status: string(v.Status), Authority: v.Author.Name, Provider: v.Addressee.Name, Items: []api.OrderItem{}, Reasons: v.Reasons, Emergency: v.Emergency, Silent: v.Silent, Deadlines: []api.Deadline{},
		Answers: []json.RawMessage{}, Payload: v.Payload, EmergencyVerdict: string(v.EmergencyVerdict), Ended: v.Ended, Answer: v.Clarification, CreatedAt: stamp(v.CreatedAt), IssuedAt: stamp(v.IssuedAt), ReceivedAt: stamp(v.ReceivedAt), ExecutedAt: stamp(v.ExecutedAt), ServerTime: stamp(now), Exercise: v.Exercise}
	for _, it := range v.About {
		out.Items = append(out.Items, api.OrderItem{Item: it.Of.Ref, Measure: string(it.Measure), MeasureAt: stamp(it.MeasureAt), Observed: string(it.Observed), ObservedAt: stamp(it.ObservedAt)})
	}
	for _, d := range v.Deadlines {
		out.Deadlines = append(out.Deadlines, api.Deadline{Term: string(d.Term), State: string(d.State), StartedAt: stamp(d.StartedAt), Evidence: d.Evidence, DueAt: stamp(d.DueAt), LeftS: int64(d.Left(now) / time.Second), MetAt: stamp(d.MetAt), Why: d.Why})
	}
	for _, a := range v.Answers {
		out.Answers = append(out.Answers, a.Text)
	}
	return out
}

func (s *Server) listOrders(ctx context.Context, in *struct {
	Status string `query:"status" maxLength:"40"`
	Copied bool   `query:"copied"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"200"`
	Cursor string `query:"cursor" maxLength:"200"`
}) (*body[api.Page[api.OrderSummary]], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	os, err := s.svc.Orders(ctx, sc, casework.OrderSearch{Status: concert.OrderStatus(in.Status), Copied: in.Copied, After: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Page[api.OrderSummary]{Items: make([]api.OrderSummary, len(os))}
	for i, o := range os {
		out.Items[i] = api.OrderSummary{ID: o.Ref, Version: o.Version, Status: string(o.Status), Items: o.Items, Executed: o.Executed, Emergency: o.Emergency, IssuedAt: stamp(o.IssuedAt), ReceivedAt: stamp(o.ReceivedAt), UpdatedAt: stamp(o.UpdatedAt), Exercise: o.Exercise}
	}
	if len(os) == in.Limit && len(os) > 0 {
		out.Next = os[len(os)-1].Ref
	}
	return &body[api.Page[api.OrderSummary]]{out}, nil
}

func (s *Server) order(ctx context.Context, in *One) (*tagged[api.Order], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := s.svc.ReadOrder(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.Order]{api.ETag(v.Version), s.orderOf(v)}, nil
}

// file is bytes with their type.
type file struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Server) orderFile(ctx context.Context, in *One) (*file, error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	raw, err := s.svc.OrderFile(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	return &file{"application/json", raw}, nil
}

func (s *Server) orderDocument(ctx context.Context, in *struct {
	One
	Language string `query:"lang" default:"en" maxLength:"10"`
	Form     string `query:"form" default:"pdf" enum:"pdf,html"`
}) (*file, error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	raw, err := s.svc.OrderDocument(ctx, sc, in.ID, in.Language, in.Form == "pdf")
	if err != nil {
		return nil, s.fail(err)
	}
	if in.Form == "pdf" {
		return &file{"application/pdf", raw}, nil
	}
	return &file{"text/html; charset=utf-8", raw}, nil
}

func (s *Server) orderRegister(ctx context.Context, _ *struct{}) (*file, error) {
	e, err := s.svc.OrderRegister(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	raw, err := concert.CanonicalJSON(e)
	if err != nil {
		return nil, s.fail(err)
	}
	return &file{"application/json", raw}, nil
}
