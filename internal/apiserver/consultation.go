package apiserver

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

// audits are what an auditor reads beside what others do (G31): who read what,
// a random draw, and everything, to be verified elsewhere.
func (s *Server) audits() {
	huma.Register(s.api, op(http.MethodGet, "/consultations", "consultations", "Who read what and why, newest first (auditor)", "audit"), s.consultations)
	huma.Register(s.api, op(http.MethodGet, "/sample", "sample", "Items drawn at random, to be read again (auditor)", "audit"), func(ctx context.Context, in *struct {
		N int `query:"n" default:"10" minimum:"1" maximum:"50"`
	}) (*body[api.Sample], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		refs, err := s.svc.SampleItems(ctx, sc, in.N)
		if err != nil {
			return nil, s.fail(err)
		}
		return &body[api.Sample]{api.Sample{Items: refs}}, nil
	})
	export := op(http.MethodGet, "/export", "export", "The export bundle: every event, tiles and signed head; sealed parts as ciphertext (auditor)", "audit")
	export.Responses = map[string]*huma.Response{"200": {Description: "lines of JSON, docs/formats/export.md", Content: map[string]*huma.MediaType{exportType: {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	huma.Register(s.api, export, s.export)
}

// exportType is the media type of lines of JSON.
const exportType = "application/jsonl"

func (s *Server) consultations(ctx context.Context, in *struct {
	Operator string `query:"operator" maxLength:"40" doc:"number of a reader"`
	Ref      string `query:"ref" maxLength:"40" doc:"of an item or referral that was shown by reference"`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
	Cursor   string `query:"cursor" maxLength:"200"`
}) (*body[api.Page[api.Consultation]], error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	_, before, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, s.fail(err)
	}
	cs, err := s.svc.Consultations(ctx, sc, casework.ConsultationQuery{Before: concert.EventID(before), Operator: in.Operator, Ref: in.Ref, Limit: in.Limit})
	if err != nil {
		return nil, s.fail(err)
	}
	out := api.Page[api.Consultation]{Items: make([]api.Consultation, len(cs))}
	for i, c := range cs {
		out.Items[i] = api.Consultation{ID: string(c.Event), Operator: c.Operator, At: stamp(c.At), What: c.What, Ref: c.Ref, Refs: c.Refs, Filter: c.Filter, Count: c.Count, Justification: c.Justification}
	}
	if len(cs) == in.Limit {
		out.Next = cursor(0, string(cs[len(cs)-1].Event))
	}
	return &body[api.Page[api.Consultation]]{out}, nil
}

func (s *Server) export(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	sc, err := scope(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	write, err := s.svc.OpenExport(ctx, sc)
	if err != nil {
		return nil, s.fail(err)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		httpkit.NewDownload(w, exportType, "concert-export.jsonl").Send(s.log, write)
	}}, nil
}
