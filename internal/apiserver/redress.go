package apiserver

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// remedyOrders are what follows an order: scrutiny, appeals, the content provider's
// page, complaints.
func (s *Server) remedyOrders() {
	orderAct(s, "scrutiny-request", "ask-scrutiny", "Ask the authority of my state to scrutinise an order, within 48 hours of receipt (provider)", func(ctx context.Context, by concert.Actor, ref string, _ int64, in api.ScrutinyRequest) (concert.Order, error) {
		return s.svc.AskScrutiny(ctx, by, ref, in.Reasons)
	})
	orderAct(s, "scrutiny-intention", "intend-scrutiny", "Tell the issuing authority that an infringement is to be found, and why", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.ScrutinyRequest) (concert.Order, error) {
		return s.svc.IntendScrutiny(ctx, by, ref, v, in.Reasons)
	})
	orderAct(s, "scrutiny", "decide-scrutiny", "Decide a scrutiny: an infringement voids the order, and its addressee reinstates", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.Finding) (concert.Order, error) {
		return s.svc.DecideScrutiny(ctx, by, ref, v, concert.Finding{Outcome: concert.ScrutinyOutcome(in.Outcome), Category: concert.RemedyCategory(in.Category), Reasons: in.Reasons})
	})
	huma.Register(s.api, op(http.MethodGet, "/orders/{id}/scrutiny", "order-review", "Scrutinies of an order, appeals against it, and what was seen of its places after it ended", "orders"), s.orderReview)
	huma.Register(s.api, op(http.MethodGet, "/orders/{id}/scrutiny-package", "scrutiny-package", "What an authority scrutinises by: the order's file, what was found, digests of captures, and no content", "orders"), s.scrutinyPackage)
	orderAct(s, "finalise", "finalise-order", "Say that nobody appealed in time: the order is final", func(ctx context.Context, by concert.Actor, ref string, v int64, _ struct{}) (concert.Order, error) {
		return s.svc.FinaliseOrder(ctx, by, ref, v)
	})
	orderAct(s, "appeals", "appeal-order", "Record that a party appealed to a court", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewAppeal) (concert.Order, error) {
		_, err := s.svc.AppealOrder(ctx, by, ref, v, concert.Appeal{Party: concert.RedressParty(in.Party), FiledAt: momentOf(in.FiledAt), AppealText: concert.AppealText{Court: in.Court, Docket: in.Docket}})
		return s.orderNow(ctx, ref, err)
	})
	orderAct(s, "judgment", "decide-appeal", "Record a judgment: it voids the order, or makes it final", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.NewJudgment) (concert.Order, error) {
		return s.svc.DecideAppeal(ctx, by, ref, v, casework.Judgment{Appeal: in.Appeal, Outcome: concert.AppealOutcome(in.Outcome), Category: concert.RemedyCategory(in.Category), Reasons: in.Reasons, At: momentOf(in.At)})
	})
	orderAct(s, "prolong-non-disclosure", "prolong-silence", "Keep an order from the content provider for six weeks more, once, with a reason", func(ctx context.Context, by concert.Actor, ref string, v int64, in api.OrderReason) (concert.Order, error) {
		return s.svc.ProlongSilence(ctx, by, ref, v, in.Reason)
	})
	orderAct(s, "look", "look-at-order", "Look now whether what an ended order was about is back", func(ctx context.Context, by concert.Actor, ref string, _ int64, _ struct{}) (concert.Order, error) {
		return s.orderNow(ctx, ref, s.svc.LookAtOrder(ctx, by, ref))
	})
	s.complaints()
}

// momentOf is a moment as it was given, the zero one where it is none: the rule says so,
// once it knows who asks.
func momentOf(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// orderNow is the order after an act that answers with something else.
func (s *Server) orderNow(ctx context.Context, ref string, err error) (concert.Order, error) {
	if err != nil {
		return concert.Order{}, err
	}
	sc, err := scope(ctx)
	if err != nil {
		return concert.Order{}, err
	}
	v, err := s.svc.ReadOrder(ctx, sc, ref)
	return v.Order, err
}

func (s *Server) orderReview(ctx context.Context, in *One) (*body[api.OrderReview], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := s.svc.ReadScrutiny(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.OrderReview{Order: v.Ref, Status: string(v.Status), Scrutinies: []api.Scrutiny{}, Appeals: []api.Appeal{}, Places: []api.Seen{}}
	for _, x := range v.Scrutinies {
		out.Scrutinies = append(out.Scrutinies, api.Scrutiny{AskedBy: string(x.AskedBy), AskedAt: stamp(x.AskedAt), DueAt: stamp(x.DueAt), IntendedAt: stamp(x.IntendedAt), Request: x.Request, Intention: x.Intention, Outcome: string(x.Outcome), Reasons: x.Reasons, DecidedAt: stamp(x.DecidedAt)})
	}
	for _, a := range v.Appeals {
		out.Appeals = append(out.Appeals, api.Appeal{ID: a.Ref, Party: string(a.Party), FiledAt: stamp(a.FiledAt), Court: a.Court, Docket: a.Docket, Outcome: string(a.Outcome), DecidedAt: stamp(a.DecidedAt)})
	}
	for _, it := range v.About {
		out.Places = append(out.Places, api.Seen{Item: it.Of.Ref, Observed: string(it.Observed), At: stamp(it.ObservedAt)})
	}
	return &body[api.OrderReview]{out}, nil
}

func (s *Server) scrutinyPackage(ctx context.Context, in *One) (*file, error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	raw, err := s.svc.ScrutinyPackage(ctx, sc, in.ID)
	if err != nil {
		return nil, s.fail(err)
	}
	return &file{"application/json", raw}, nil
}

func (s *Server) complaints() {
	do(s, op(http.MethodPost, "/content-links", "link-content", "The address of the page of the one whose content it is, with a text for it (provider, authority)", "remedies"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewContentLink]) (api.ContentLink, error) {
		p, err := s.svc.LinkContent(ctx, by, casework.About{Kind: concert.AboutKind(in.Body.Kind), Ref: in.Body.Ref, Item: in.Body.Item}, in.Body.Language)
		return api.ContentLink{Item: p.Item, URL: p.Address, Until: stamp(p.Until), ShowsFrom: stamp(p.ShowsFrom), Notice: p.Notice}, err
	})
	do(s, created(op(http.MethodPost, "/complaints", "file-complaint", "Hand a complaint of the one whose content it is on to the authority (provider)", "remedies")), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewComplaint]) (api.Complaint, error) {
		c, err := s.svc.FileComplaint(ctx, by, casework.About{Kind: concert.AboutKind(in.Body.Kind), Ref: in.Body.Ref, Item: in.Body.Item}, in.Body.Text)
		return s.complaintOf(casework.ComplaintView{Complaint: c}), err
	})
	huma.Register(s.api, op(http.MethodGet, "/complaints", "complaints", "Complaints to my authority, open ones first", "remedies"), func(ctx context.Context, _ *struct{}) (*body[api.Page[api.Complaint]], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		vs, err := s.svc.Complaints(ctx, sc)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Page[api.Complaint]{Items: []api.Complaint{}}
		for _, v := range vs {
			out.Items = append(out.Items, s.complaintOf(v))
		}
		return &body[api.Page[api.Complaint]]{out}, nil
	})
	huma.Register(s.api, op(http.MethodGet, "/complaints/{id}", "complaint", "One complaint to my authority", "remedies"), func(ctx context.Context, in *One) (*tagged[api.Complaint], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		v, err := s.svc.ReadComplaint(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &tagged[api.Complaint]{api.ETag(v.Version), s.complaintOf(v)}, nil
	})
	do(s, op(http.MethodPost, "/complaints/{id}/decision", "decide-complaint", "Decide a complaint, as a reviewer who had no part in what it is about", "remedies"), func(ctx context.Context, by concert.Actor, in *matched[api.Ruling]) (api.Complaint, error) {
		v, err := version(in.IfMatch)
		if err != nil {
			return api.Complaint{}, err
		}
		c, err := s.svc.DecideComplaint(ctx, by, in.ID, v, concert.Ruling{Outcome: concert.ComplaintOutcome(in.Body.Outcome), Category: concert.RemedyCategory(in.Body.Category), Reasons: in.Body.Reasons})
		return s.complaintOf(casework.ComplaintView{Complaint: c}), err
	})
}

func (s *Server) complaintOf(v casework.ComplaintView) api.Complaint {
	return api.Complaint{ID: v.Ref, Version: v.Version, Kind: string(v.Kind()), Ref: v.For, Item: v.Item, Text: v.Text, FiledAt: stamp(v.FiledAt), DueAt: stamp(v.DueAt), Late: v.Late(s.svc.Now()), Involved: v.Involved, Outcome: string(v.Outcome),
		Reasons: v.Reasons, DecidedAt: stamp(v.DecidedAt), Exercise: v.Exercise}
}
