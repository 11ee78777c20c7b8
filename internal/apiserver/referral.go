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

func (s *Server) referrals() {
	huma.Register(s.api, op(http.MethodGet, "/inbox", "inbox", "Notices for my provider after a cursor, oldest first", "provider"), s.inbox)
	huma.Register(s.api, op(http.MethodGet, "/referrals/{id}", "referral", "One referral with its signed original", "provider"), func(ctx context.Context, in *One) (*tagged[api.Referral], error) {
		return s.referral(ctx, in.ID)
	})
	huma.Register(s.api, op(http.MethodPost, "/referrals/{id}/acknowledge", "acknowledge", "Confirm that a referral was taken; not an answer", "provider"), func(ctx context.Context, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (*tagged[api.Acknowledged], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		r, err := s.svc.AcknowledgeReferral(ctx, by, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &tagged[api.Acknowledged]{ETag: api.ETag(r.Version), Body: api.Acknowledged{ID: r.Ref, Version: r.Version, Status: string(r.Status), AckedAt: stamp(r.AckedAt)}}, nil
	})
	huma.Register(s.api, op(http.MethodPost, "/referrals/{id}/answers", "answer", "Answer some or all items of a referral", "provider"), s.answer)
	do(s, op(http.MethodGet, "/provider/statistics", "statistics", "My provider's own numbers", "provider"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.ProviderStatistics, error) {
		p, c, err := s.svc.ProviderCounts(ctx, by)
		defs := make(map[string]string, len(concert.MetricDefinitions))
		for m, text := range concert.MetricDefinitions {
			defs[string(m)] = text
		}
		return api.ProviderStatistics{Provider: p.Ref, Counts: counts(c), Definitions: defs, AsOf: stamp(s.svc.Now())}, err
	})
	do(s, created(op(http.MethodPost, "/provider/sandbox", "sandbox", "Send a made-up notice to my own channel", "provider")), func(ctx context.Context, by concert.Actor, _ *struct {
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
	}) (api.Sandboxed, error) {
		ref, err := s.svc.Sandbox(ctx, by)
		return api.Sandboxed{Referral: ref}, err
	})
}

func (s *Server) inbox(ctx context.Context, in *struct {
	Cursor string `query:"cursor" maxLength:"40"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
}) (*body[api.Inbox], error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	after, err := parseInboxCursor(in.Cursor)
	if err != nil {
		return nil, s.fail(err)
	}
	ds, err := s.svc.Inbox(ctx, by, after, in.Limit)
	if err != nil {
		return nil, s.fail(err)
	}
	notice16, err := s.svc.Article16Of(ctx, ds)
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Inbox{Entries: make([]api.InboxEntry, len(ds)), Cursor: in.Cursor, ServerTime: stamp(time.Now().UTC())}
	for i, d := range ds {
		out.Cursor = inboxCursor(d.Position)
		out.Entries[i] = api.InboxEntry{Cursor: out.Cursor, Type: concert.NoticeTypes[d.Kind], Referral: d.RefRef, Items: d.Items, Author: d.Author, At: stamp(d.CreatedAt), Voluntary: true, Remedy: d.Remedy, Exercise: d.Exercise, Article16: notice16[d.Referral]}
		if d.Kind == concert.NoticeQuestion {
			out.Entries[i].Question, out.Entries[i].Remedy = d.Remedy, ""
		}
	}
	return &body[api.Inbox]{out}, nil
}

func (s *Server) referral(ctx context.Context, ref string) (*tagged[api.Referral], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := s.svc.ReadReferral(ctx, sc, ref)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.Referral]{ETag: api.ETag(v.Version), Body: referralOf(v, time.Now().UTC())}, nil
}

func (s *Server) answer(ctx context.Context, in *matched[api.NewAnswers]) (*tagged[api.AnswerResults], error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	v, err := version(in.IfMatch)
	if err != nil {
		return nil, s.fail(err)
	}
	replies := make([]casework.Replying, len(in.Body.Answers))
	for i, a := range in.Body.Answers {
		replies[i] = casework.Replying{Item: a.Item, Answer: answerOf(a)}
	}
	rs, now, err := s.svc.AnswerReferral(ctx, by, in.ID, v, replies)
	if err != nil {
		return nil, s.fail(err)
	}
	return &tagged[api.AnswerResults]{ETag: api.ETag(now), Body: api.AnswerResults{Results: results(rs), Version: now, Correlation: in.Body.Correlation}}, nil
}
