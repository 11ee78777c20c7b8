package apiserver

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

// uploading is a POST on one thing whose body is read as a stream.
type uploading struct {
	One

	hc huma.Context
}

// Resolve keeps the request, so that its body is read as a stream.
func (in *uploading) Resolve(hc huma.Context) []error {
	in.hc = hc
	return nil
}

func custodyOf(f api.CustodyFiles) casework.CustodyFiles {
	return casework.CustodyFiles{Log: []byte(f.Custody), Head: []byte(f.Head)}
}

// exhibits are seized evidence: by manifest and custody, never by its bytes.
func (s *Server) exhibits() {
	do(s, created(op(http.MethodPost, "/cases/{id}/exhibits", "add-exhibit", "Put a sealed exhibit into a case, with its custody log; its bytes stay where they are", "evidence")), func(ctx context.Context, by concert.Actor, in *keyedOn[api.NewExhibit]) (api.Exhibit, error) {
		f := custodyOf(in.Body.CustodyFiles)
		f.Manifest = in.Body.Manifest
		x, err := s.svc.AddExhibit(ctx, by, in.ID, in.Body.Label, f)
		return exhibitOf(casework.ExhibitView{Exhibit: x, CaseRef: in.ID}), err
	})
	ask(s, op(http.MethodGet, "/cases/{id}/evidence", "case-evidence", "A case's exhibits, requests to open pseudonyms, and leads", "evidence"), func(ctx context.Context, sc concert.Scope, in *One) (api.CaseEvidence, error) {
		v, err := s.svc.ReadCaseEvidence(ctx, sc, in.ID)
		return caseEvidenceOf(v), err
	})
	ask(s, op(http.MethodGet, "/exhibits", "handed-exhibits", "Exhibits on their way to my authority", "evidence"), func(ctx context.Context, sc concert.Scope, _ *struct{}) (api.Page[api.Exhibit], error) {
		xs, err := s.svc.HandedExhibits(ctx, sc)
		out := api.Page[api.Exhibit]{Items: []api.Exhibit{}}
		for _, x := range xs {
			out.Items = append(out.Items, exhibitOf(casework.ExhibitView{Exhibit: x}))
		}
		return out, err
	})
	ask(s, op(http.MethodGet, "/exhibits/{id}", "exhibit", "One exhibit, with what the log has of its custody", "evidence"), func(ctx context.Context, sc concert.Scope, in *One) (api.Exhibit, error) {
		v, err := s.svc.ReadExhibit(ctx, sc, in.ID)
		return exhibitOf(v), err
	})
	do(s, op(http.MethodPost, "/exhibits/{id}/custody", "add-custody", "Record what an exhibit's custody log holds since", "evidence"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.CustodyFiles]) (api.Exhibit, error) {
		x, err := s.svc.AddCustody(ctx, by, in.ID, custodyOf(in.Body))
		return exhibitOf(casework.ExhibitView{Exhibit: x}), err
	})
	do(s, op(http.MethodPost, "/exhibits/{id}/hand", "hand-exhibit", "Hand an exhibit to another authority", "evidence"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.HandExhibit]) (api.Exhibit, error) {
		x, err := s.svc.HandExhibit(ctx, by, in.ID, in.Body.To, custodyOf(in.Body.CustodyFiles))
		return exhibitOf(casework.ExhibitView{Exhibit: x}), err
	})
	do(s, op(http.MethodPost, "/exhibits/{id}/receive", "receive-exhibit", "Take an exhibit in that was handed to my authority", "evidence"), func(ctx context.Context, by concert.Actor, in *keyedOn[api.ReceiveExhibit]) (api.Exhibit, error) {
		x, err := s.svc.ReceiveExhibit(ctx, by, in.ID, in.Body.Case, custodyOf(in.Body.CustodyFiles))
		return exhibitOf(casework.ExhibitView{Exhibit: x, CaseRef: in.Body.Case}), err
	})
	keep := created(op(http.MethodPost, "/exhibits/{id}/pseudonyms", "keep-pseudonyms", "Hand the locked table of an exhibit's pseudonyms in (concert accesslog lake makes it); only its custodians together open it", "evidence"))
	do(s, keep, func(ctx context.Context, by concert.Actor, in *uploading) (api.PseudonymsKept, error) {
		if err := by.MayKeepCases(); err != nil {
			return api.PseudonymsKept{}, err
		}
		r, w := humago.Unwrap(in.hc)
		locked, err := io.ReadAll(io.LimitReader(httpkit.NewUpload(w, r), casework.PseudonymsMost+1))
		if err != nil {
			return api.PseudonymsKept{}, concert.Refuse(concert.Invalid, "exhibit.pseudonyms", "", "the table broke off before its end and nothing was kept: send it again")
		}
		l, err := s.svc.KeepPseudonyms(ctx, by, in.ID, locked)
		out := api.PseudonymsKept{Lock: l.ID, Needed: l.Needed}
		for _, c := range l.Shares {
			out.Custodians = append(out.Custodians, c.Name)
		}
		return out, err
	})
	// Told once it is registered: the framework would read the body itself.
	s.api.OpenAPI().Paths[keep.Path].Post.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}

func exhibitOf(v casework.ExhibitView) api.Exhibit {
	x := v.Exhibit
	out := api.Exhibit{ID: x.Ref, Version: x.Version, Case: v.CaseRef, Label: x.Label, Holder: v.Holder.Ref, Going: v.Going.Ref, Manifest: x.Manifest, Head: headOf(x.Head), Custodians: v.Needed, AddedAt: stamp(x.AddedAt), Exercise: x.Exercise}
	for _, m := range v.Timeline {
		out.Custody = append(out.Custody, api.CaseMoment{At: stamp(concert.FromMicros(m.At)), Kind: string(m.Kind), Person: m.Operator, Body: m.Body})
	}
	for _, a := range v.Analyses {
		out.Analyses = append(out.Analyses, analysisOf(a.Analysis, x.Ref, a.Operator))
	}
	return out
}

func caseEvidenceOf(v casework.CaseEvidence) api.CaseEvidence {
	out := api.CaseEvidence{Exhibits: []api.Exhibit{}, Requests: []api.Reidentification{}, Leads: []api.Lead{}, LeadCounts: map[string]int{}, Analyses: []api.Analysis{}}
	for _, x := range v.Exhibits {
		out.Exhibits = append(out.Exhibits, exhibitOf(x))
	}
	for _, r := range v.Requests {
		out.Requests = append(out.Requests, requestOf(casework.ReidentificationView{Reidentification: r, Operators: v.Operators}))
	}
	for _, l := range v.Leads {
		out.Leads = append(out.Leads, leadOf(l, v.Operators))
	}
	for _, a := range v.Analyses {
		out.Analyses = append(out.Analyses, analysisOf(a.Analysis, a.ExhibitRef, a.Operator))
	}
	for status, n := range v.Counts {
		out.LeadCounts[string(status)] = n
	}
	return out
}
