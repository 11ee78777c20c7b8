package apiserver

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"concert"
	"concert/api"
	"concert/internal/casework"
)

// batches are acts on many items, internal notes and templates: what helps the
// desk along.
func (s *Server) batches() {
	do(s, op(http.MethodPost, "/batches", "plan-batch", "Do one thing to many items, after half a minute in which it can be recalled; with preview, see what would become of each", "items"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewBatch]) (api.Batch, error) {
		plan := concert.BatchPlan{Act: concert.BatchAct(in.Body.Act), Reason: in.Body.Reason, Category: concert.RemedyCategory(in.Body.Category), Handling: concert.Handling(in.Body.Handling)}
		items := make([]concert.BatchItem, len(in.Body.Items))
		for i, l := range in.Body.Items {
			items[i] = concert.BatchItem{Ref: l.Item, Version: l.Version}
		}
		if in.Body.Preview {
			got, err := s.svc.Preview(ctx, by, plan, items)
			return previewOf(plan, items, got), err
		}
		b, err := s.svc.PlanBatch(ctx, by, plan, items)
		return batchOf(casework.BatchView{Batch: b, Lines: items}), err
	})
	huma.Register(s.api, op(http.MethodGet, "/batches/{id}", "batch", "A batch of my authority, with what became of each item", "items"), func(ctx context.Context, in *One) (*body[api.Batch], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		b, err := s.svc.ReadBatch(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Batch]{batchOf(b)}, nil
	})
	quietly(s, op(http.MethodPost, "/batches/{id}/recall", "recall-batch", "Take a batch back of which nothing was done yet", "items"), func(ctx context.Context, by concert.Actor, in *One) error {
		return s.svc.RecallBatch(ctx, by, in.ID)
	})
	quietly(s, op(http.MethodPost, "/items/{id}/notes", "write-note", "Write an internal note: my authority alone reads it", "items"), func(ctx context.Context, by concert.Actor, in *struct {
		One
		Keyed[api.NewNote]
	}) error {
		return s.svc.WriteNote(ctx, by, in.ID, in.Body.Text)
	})
	huma.Register(s.api, op(http.MethodGet, "/templates", "templates", "My authority's texts with places to be filled", "items"), func(ctx context.Context, _ *struct{}) (*body[api.Templates], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		all, err := s.svc.Templates(ctx, sc, "")
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Templates{Templates: make([]api.Template, len(all))}
		for i, t := range all {
			out.Templates[i] = templateOf(t)
		}
		return &body[api.Templates]{out}, nil
	})
	do(s, op(http.MethodPost, "/templates", "write-template", "Add a text with places to be filled", "items"), func(ctx context.Context, by concert.Actor, in *Keyed[api.NewTemplate]) (api.Template, error) {
		t, err := s.svc.WriteTemplate(ctx, by, concert.Template{Purpose: concert.TemplatePurpose(in.Body.Purpose), Language: in.Body.Language, Name: in.Body.Name, Text: in.Body.Text})
		return templateOf(t), err
	})
	quietly(s, op(http.MethodPost, "/templates/{id}/retire", "retire-template", "Offer a template no more", "items"), func(ctx context.Context, by concert.Actor, in *One) error {
		return s.svc.RetireTemplate(ctx, by, in.ID)
	})
}

// quietly registers an act that answers with nothing but its success.
func quietly[I any](s *Server, o huma.Operation, act func(context.Context, concert.Actor, *I) error) {
	o.DefaultStatus = http.StatusNoContent
	huma.Register(s.api, o, func(ctx context.Context, in *I) (*struct{}, error) {
		by, err := actor(ctx)
		if err == nil {
			err = act(ctx, by, in)
		}
		if err != nil {
			return nil, s.fail(err)
		}
		return nil, nil
	})
}

func templateOf(t concert.Template) api.Template {
	out := api.Template{NewTemplate: api.NewTemplate{Purpose: string(t.Purpose), Language: t.Language, Name: t.Name, Text: t.Text}, ID: t.Ref, Places: concert.Unfilled(t.Text)}
	if out.Places == nil {
		out.Places = []string{}
	}
	return out
}

func previewOf(p concert.BatchPlan, items []concert.BatchItem, got []casework.Result) api.Batch {
	out := api.Batch{Act: string(p.Act), Status: "preview", Items: len(items), Lines: make([]api.BatchLine, 0, len(items))}
	for i, r := range got {
		l := api.BatchLine{Item: items[i].Ref, Version: items[i].Version, Outcome: r.Outcome}
		if r.Err != nil {
			l.Outcome, l.Code = "", r.Err.Code
			out.Refused++
		}
		out.Lines = append(out.Lines, l)
	}
	return out
}

func batchOf(b casework.BatchView) api.Batch {
	out := api.Batch{ID: b.Ref, Act: string(b.Plan.Act), Status: string(b.Status), Items: b.Items, Done: b.Done, Refused: b.Refused, At: stamp(b.At), DueAt: stamp(b.DueAt), Lines: make([]api.BatchLine, len(b.Lines))}
	for i, l := range b.Lines {
		out.Lines[i] = api.BatchLine{Item: l.Ref, Version: l.Version, Outcome: l.Outcome, Code: l.Code}
	}
	return out
}
