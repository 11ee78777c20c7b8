package apiserver

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

// noticeMost bounds a hub's webhook, in bytes: it is thin.
const noticeMost = 20_000

// received is the API of a provider's own desk, for the host's own systems. A hub has
// none of it.
func (s *Server) received() {
	huma.Register(s.api, op(http.MethodGet, "/received", "received-list", "What came in: orders that bind first, by the time that is left", "desk"), s.receivedList)
	huma.Register(s.api, op(http.MethodGet, "/received/{id}", "received", "One order or referral that came in", "desk"), func(ctx context.Context, in *One) (*tagged[api.Received], error) {
		return s.receivedOne(ctx, in.ID)
	})
	huma.Register(s.api, op(http.MethodPost, "/received/{id}/answer", "answer-received", "Annex II, Annex III, or answers to a referral", "desk"), s.answerReceived)
}

// hubNotices is where hubs push their notices to a provider's own desk.
func (s *Server) hubNotices(mux *http.ServeMux) {
	mux.HandleFunc("POST /inbox/{hub}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, noticeMost))
		if err != nil {
			err = concert.Refuse(concert.TooLarge, "hub.notice", "", "a notice has at most %d bytes", noticeMost)
		} else {
			err = s.svc.HubNotice(r.Context(), r.PathValue("hub"), r.Header, body)
		}
		if err != nil {
			httpkit.WriteProblem(w, r, s.log, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func (s *Server) receivedList(ctx context.Context, in *struct {
	Status string `query:"status" maxLength:"20"`
}) (*body[api.Page[api.Received]], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	all, err := s.svc.ReceivedInbox(ctx, sc, concert.ReceivedStatus(in.Status))
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Page[api.Received]{Items: make([]api.Received, len(all))}
	for i, v := range all {
		out.Items[i] = s.receivedOf(v)
	}
	return &body[api.Page[api.Received]]{out}, nil
}

func (s *Server) receivedOne(ctx context.Context, ref string) (*tagged[api.Received], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := s.svc.ReadReceived(ctx, sc, ref)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.Received]{api.ETag(v.Version), s.receivedOf(v)}, nil
}

func (s *Server) receivedOf(v casework.ReceivedView) api.Received {
	now := s.svc.Now()
	out := api.Received{ID: v.Ref, Version: v.Version, Kind: string(v.Kind), Status: string(v.Status), Binding: v.Binds(), Verdict: v.Verdict, Sentence: v.Sentence, Hub: v.From.Origin, Theirs: v.Theirs, Author: v.Author, Statement: v.Statement,
		Items: []api.ReceivedItem{}, Posts: []api.ReceivedPost{}, ReceivedAt: stamp(v.ReceivedAt), SilentTill: v.Silent, Exercise: v.Exercise, Waiting: v.Waiting}
	for _, it := range v.Items {
		out.Items = append(out.Items, api.ReceivedItem{Ref: it.Ref, Location: it.Place.Location, Additional: it.Place.Additional, Code: it.Code, At: stamp(it.At), Withdrawn: it.Place.Withdrawn})
	}
	for _, p := range v.Posts {
		out.Posts = append(out.Posts, api.ReceivedPost{Way: string(p.Way), State: string(p.State), Attempts: p.Attempts, At: stamp(p.CreatedAt), Delivered: stamp(p.DeliveredAt), Problem: p.Problem, Receipt: p.Receipt})
	}
	if d := v.Hour; d.Term != "" {
		out.Hour = &api.Deadline{Term: string(d.Term), State: string(d.State), StartedAt: stamp(d.StartedAt), Evidence: d.Evidence, DueAt: stamp(d.DueAt), LeftS: int64(d.Left(now) / time.Second), MetAt: stamp(d.MetAt), Why: d.Why}
	}
	return out
}

func (s *Server) answerReceived(ctx context.Context, in *matched[api.NewReceivedAnswer]) (*tagged[api.Received], error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	var v int64
	if in.IfMatch != "" {
		if v, err = version(in.IfMatch); err != nil {
			return nil, s.fail(err)
		}
	}
	b := in.Body
	a := concert.OrderAnswer{Items: b.Items, Measure: concert.OrderMeasure(b.Measure), Further: b.Further, Needed: b.Needed, Person: b.Person, Email: b.Email, File: b.File}
	switch {
	case len(b.Answers) > 0:
		replies := make([]concert.ReceivedReply, len(b.Answers))
		for i, x := range b.Answers {
			replies[i] = concert.ReceivedReply{Item: x.Item, Answer: concert.Answer{Code: concert.AnswerCode(x.Code), Countries: x.Countries, Forwarded: x.Forwarded, Note: x.Note, Others: x.Others, OthersAre: concert.OtherKind(x.OthersAre)}}
		}
		_, err = s.svc.ReplyReceived(ctx, by, in.ID, v, replies)
	case b.Over != "":
		_, err = s.svc.ResumeReceived(ctx, by, in.ID, v, b.Over)
	case len(b.Reasons) > 0:
		for _, x := range b.Reasons {
			a.Reasons = append(a.Reasons, concert.ImpossibleReason(x))
		}
		_, err = s.svc.ImpedeReceived(ctx, by, in.ID, v, a)
	default:
		if a.MeasureAt, err = time.Parse(time.RFC3339Nano, b.MeasureAt); err != nil {
			return nil, s.fail(concert.Refuse(concert.Invalid, "order.measure_at", "measure_at", "a moment is written as 2026-03-28T12:00:00Z (RFC 3339): got %.40q", b.MeasureAt))
		}
		_, err = s.svc.FeedReceived(ctx, by, in.ID, v, a)
	}
	if err != nil {
		return nil, s.fail(err)
	}
	return s.receivedOne(ctx, in.ID)
}
