package apiserver

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/httpkit"
)

// ownIn asks for a page of one's own.
type ownIn struct {
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor string `query:"cursor" maxLength:"200"`
	View   string `query:"view" enum:"waiting,urgent,answered,still_up,withdrawn,all" default:"waiting"`
	Live   bool   `query:"live" doc:"with places as they were found, beside the defanged ones"`
}

func (s *Server) ownItems() {
	do(s, op(http.MethodGet, "/provider/items", "own-items", "My provider's own items, across referrals", "provider"), s.listOwnItems)
	do(s, op(http.MethodGet, "/provider/referrals", "own-referrals", "My provider's own referrals, newest first", "provider"), s.listOwnReferrals)
	do(s, op(http.MethodPost, "/provider/answers", "answer-items", "Answer items across referrals, each by itself", "provider"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewBulkAnswers]) (api.BulkResults, error) {
		rs, err := s.svc.AnswerItems(ctx, by, bulkOf(in.Body.Answers))
		return api.BulkResults{Results: results(rs), Correlation: in.Body.Correlation}, err
	})
	do(s, op(http.MethodPost, "/provider/answers/preview", "preview-answers", "What a bulk answer would do, without doing it", "provider"), func(ctx context.Context, by concert.Actor, in *body[api.NewBulkAnswers]) (api.BulkResults, error) {
		rs, err := s.svc.PreviewAnswers(ctx, by, bulkOf(in.Body.Answers))
		return api.BulkResults{Results: results(rs), Correlation: in.Body.Correlation}, err
	})
	do(s, op(http.MethodGet, "/provider/figures", "figures", "My provider's own figures: by code, times to answer, claimed beside observed", "provider"), func(ctx context.Context, by concert.Actor, _ *struct{}) (api.Figures, error) {
		p, f, err := s.svc.OwnFigures(ctx, by)
		out := api.Figures{Provider: p.Ref, Items: f.Items, ByCode: map[string]int64{}, First: f.First, Final: f.Final, Agreement: f.Agreement, AsOf: stamp(s.svc.Now())}
		for c, n := range f.ByCode {
			out.ByCode[string(c)] = n
		}
		return out, err
	})
	do(s, op(http.MethodGet, "/provider/actions/{id}", "own-action", "A joint action as my provider sees it: its own numbers, what comes next", "provider"), func(ctx context.Context, by concert.Actor, in *One) (api.ActionSide, error) {
		v, err := s.svc.OwnAction(ctx, by, in.ID)
		return api.ActionSide{ID: v.Ref, Name: v.Name, Phase: string(v.Phase), StartsAt: stamp(v.StartsAt), EndsAt: stamp(v.EndsAt), Counts: counts(v.Counts), PerHour: v.Provider.PerHour, Free: v.Free, Open: v.Open,
			NextBatch: stamp(v.NextBatch), Threads: v.Threads, Note: v.Note, AsOf: stamp(s.svc.Now()), Exercise: v.Action.Exercise}, err
	})
	for file, what := range map[string]string{"items.csv": "My provider's own items as CSV, places defanged", "items.jsonl": "My provider's own items as JSON lines",
		"statements.json": "Drafts of statements of reasons for the DSA Transparency Database", "statements.csv": "Drafts of statements of reasons as CSV"} {
		huma.Register(s.api, op(http.MethodGet, "/provider/export/"+file, "own-"+strings.ReplaceAll(file, ".", "-"), what, "provider"), s.ownExport(file))
	}
}

func bulkOf(in []api.NewBulkAnswer) []casework.Replying {
	out := make([]casework.Replying, len(in))
	for i, a := range in {
		out[i] = casework.Replying{Item: a.Item, Answer: answerOf(a.NewAnswer), Version: a.Version}
	}
	return out
}

func answerOf(a api.NewAnswer) concert.Answer {
	return concert.Answer{Code: concert.AnswerCode(a.Code), Countries: a.Countries, Forwarded: a.Forwarded, Note: a.Note, Others: a.Others, OthersAre: concert.OtherKind(a.OthersAre)}
}

func (s *Server) listOwnItems(ctx context.Context, by concert.Actor, in *ownIn) (api.Page[api.OwnItem], error) {
	out := api.Page[api.OwnItem]{Items: []api.OwnItem{}}
	_, after, err := parseCursor(in.Cursor)
	if err != nil {
		return out, err
	}
	page, err := s.svc.OwnItems(ctx, by, casework.OwnQuery{View: concert.OwnView(in.View), After: concert.ItemID(after), Limit: in.Limit})
	if err != nil {
		return out, err
	}
	g, err := s.svc.Registers(ctx)
	for _, o := range page.Items {
		r := formats.OwnRecordOf(o, g.Authorities[o.Author].Name, in.Live)
		out.Items = append(out.Items, api.OwnItem{Item: r.Item, Version: o.Version, Referral: r.Referral, SentAt: r.SentAt, Author: r.Author, Article16: r.Article16, Display: r.Display, Location: r.Location, Kind: r.Kind, Platform: r.Platform, ObjectID: r.ObjectID,
			Type: r.Type, ContentType: r.ContentType, Outlet: r.Outlet, Language: r.Language, Severity: r.Severity, Status: string(o.Status), Claimed: r.Claimed, AnsweredAt: r.AnsweredAt, Observed: r.Observed, SeenAt: r.SeenAt, Withdrawn: r.Withdrawn, Exercise: r.Exercise})
	}
	if page.After != "" {
		out.Next = cursor(0, string(page.After))
	}
	return out, err
}

func (s *Server) listOwnReferrals(ctx context.Context, by concert.Actor, in *ownIn) (api.Page[api.OwnReferral], error) {
	out := api.Page[api.OwnReferral]{Items: []api.OwnReferral{}}
	_, before, err := parseCursor(in.Cursor)
	if err != nil {
		return out, err
	}
	rs, err := s.svc.OwnReferrals(ctx, by, concert.OwnView(in.View), concert.ReferralID(before), in.Limit)
	for _, r := range rs {
		out.Items = append(out.Items, api.OwnReferral{ID: r.Ref, Version: r.Version, Status: string(r.Status), Author: r.Author.Name, Items: r.Items, Answered: r.Answered, CreatedAt: stamp(r.CreatedAt), AckedAt: stamp(r.AckedAt),
			Article16: r.Article16, Messages: r.Thread.Messages, Waits: string(r.Thread.Waits), Exercise: r.Exercise})
	}
	if len(rs) == in.Limit {
		out.Next = cursor(0, string(rs[len(rs)-1].ID))
	}
	return out, err
}

// fileIn asks for one of one's own files.
type fileIn struct {
	View     string `query:"view" enum:"waiting,urgent,answered,still_up,withdrawn,all" default:"all" doc:"of items"`
	Live     bool   `query:"live" doc:"items.jsonl: with places as they were found"`
	Referral string `query:"referral" maxLength:"80" doc:"statements: of one referral"`
}

func (s *Server) ownExport(file string) func(context.Context, *fileIn) (*huma.StreamResponse, error) {
	return func(ctx context.Context, in *fileIn) (*huma.StreamResponse, error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		write, err := s.svc.OwnDownload(ctx, by, casework.OwnDownload{File: file, View: concert.OwnView(in.View), Live: in.Live, Referral: in.Referral})
		if err != nil {
			return nil, s.fail(err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			httpkit.NewDownload(w, casework.OwnFiles[file], file).Send(s.log, write)
		}}, nil
	}
}
