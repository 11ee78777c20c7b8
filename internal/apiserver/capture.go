package apiserver

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"concert"
	"concert/api"
	"concert/internal/casework"
	"concert/internal/httpkit"
)

// capturing is an upload: the body itself, or a form with a file. It is exported
// fields for the framework, which leaves the body alone.
type capturing struct {
	One
	Kind    string `header:"Concert-Capture-Kind" enum:"screenshot,page,warc,file" doc:"by the bytes themselves when left out"`
	Vantage string `header:"Concert-Capture-Vantage" maxLength:"400" doc:"from where it was seen; percent-encoded where it is not plain ASCII"`
	SeenAt  string `header:"Concert-Capture-Seen-At" maxLength:"40" doc:"RFC 3339; now when left out"`

	hc huma.Context
}

// Resolve keeps the request, so that its body is read as a stream.
func (in *capturing) Resolve(hc huma.Context) []error {
	in.hc = hc
	return nil
}

func (s *Server) captures() {
	add := created(op(http.MethodPost, "/items/{id}/captures", "add-capture", "Add a capture of an item: the body itself, or a form with a file", "captures"))
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	huma.Register(s.api, add, s.addCapture)
	// Told once it is registered: the framework would read the body itself.
	s.api.OpenAPI().Paths[add.Path].Post.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: binary},
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
			"kind": {Type: huma.TypeString}, "vantage": {Type: huma.TypeString}, "seen_at": {Type: huma.TypeString}, "file": binary}}},
	}}
	huma.Register(s.api, op(http.MethodGet, "/items/{id}/captures", "captures", "What is known of an item's captures, the newest first", "captures"), func(ctx context.Context, in *One) (*body[api.Captures], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		cs, err := s.svc.ItemCaptures(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Captures{Captures: make([]api.Capture, len(cs))}
		for i, c := range cs {
			out.Captures[i] = captureOf(c, s.svc.Now())
		}
		return &body[api.Captures]{out}, nil
	})
	read := op(http.MethodGet, "/captures/{id}", "capture", "A capture's bytes, for its own authority alone", "captures")
	read.Responses = map[string]*huma.Response{"200": {Description: "the bytes as they were captured, never to be opened where they could act", Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: binary}}}}
	huma.Register(s.api, read, func(ctx context.Context, in *One) (*huma.StreamResponse, error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		c, r, err := s.svc.OpenCapture(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			httpkit.SendCapture(w, s.log, c.Ref, c.Size, r)
		}}, nil
	})
	huma.Register(s.api, op(http.MethodGet, "/captures/{id}/preview", "capture-preview", "A safe rendition of a capture: a picture drawn anew, plain text, or the records of an archive", "captures"), func(ctx context.Context, in *One) (*body[api.Preview], error) {
		sc, err := scope(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		c, p, err := s.svc.PreviewCapture(ctx, sc, in.ID)
		if err != nil {
			return nil, s.fail(err)
		}
		out := api.Preview{Capture: captureOf(c, s.svc.Now()), Width: p.Width, Height: p.Height, Picture: p.Picture, Small: p.Small, Title: p.Title, Text: p.Text, More: p.More, Note: p.Note}
		for _, r := range p.Records {
			out.Records = append(out.Records, api.ArchiveRecord(r))
		}
		return &body[api.Preview]{out}, nil
	})
	s.preservations()
	s.captureExports()
}

// captureExports let a capture leave for a court (G26).
func (s *Server) captureExports() {
	export := op(http.MethodPost, "/captures/{id}/export", "export-capture", "A capture as a web archive, for a court or a body with a mandate, under an instrument; recorded with the item", "captures")
	export.Responses = map[string]*huma.Response{"200": {Description: "a WARC 1.1 file", Content: map[string]*huma.MediaType{"application/warc": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	huma.Register(s.api, export, func(ctx context.Context, in *struct {
		One
		Body api.CaptureExport
	}) (*huma.StreamResponse, error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		write, err := s.svc.ExportCapture(ctx, by, in.ID, concert.CaptureInstrument(in.Body))
		if err != nil {
			return nil, s.fail(err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			httpkit.NewDownload(w, "application/warc", in.ID+".warc").Send(s.log, write)
		}}, nil
	})
}

func (s *Server) addCapture(ctx context.Context, in *capturing) (*struct {
	Location string `header:"Location"`
	Body     api.Capture
}, error) {
	by, err := actor(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	// Before the form is read: who may not hears that, not what is wrong with it.
	if err := by.MayCapture(); err != nil {
		return nil, s.fail(err)
	}
	r, w := humago.Unwrap(in.hc)
	c := casework.Capturing{Item: in.ID, Kind: concert.CaptureKind(in.Kind), Vantage: api.JustificationText(in.Vantage)}
	seen := in.SeenAt
	upload := httpkit.NewUpload(w, r)
	r.Body, c.Bytes = upload, upload
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == "multipart/form-data" {
		fields, file, err := httpkit.FormFile(r)
		if err != nil {
			return nil, s.fail(err)
		}
		if file == nil {
			return nil, s.fail(concert.Refuse(concert.Invalid, "capture.empty", "file", "the form holds no file: send it as the field file, after all others"))
		}
		c.Kind, c.Vantage, seen, c.Bytes = concert.CaptureKind(fields["kind"]), fields["vantage"], fields["seen_at"], file
	}
	if c.SeenAt, err = seenAt(seen); err != nil {
		return nil, s.fail(err)
	}
	kept, err := s.svc.AddCapture(ctx, by, c)
	if err != nil {
		return nil, s.fail(err)
	}
	out := captureOf(casework.CaptureView{Capture: kept, ItemRef: in.ID, Operator: by.Operator}, s.svc.Now())
	return &struct {
		Location string `header:"Location"`
		Body     api.Capture
	}{"/api/v1/captures/" + kept.Ref, out}, nil
}

// seenAt reads when something was seen; the zero time for "".
func seenAt(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, concert.Refuse(concert.Invalid, "capture.seen_at", "seen_at", "write the moment it was seen as RFC 3339, for example 2019-11-21T09:30:00Z: got %.40q", s)
	}
	return t.UTC(), nil
}

// inline are captures that come along with an item.
func inline(in []api.InlineCapture) ([]casework.Capturing, error) {
	out := make([]casework.Capturing, len(in))
	for i, c := range in {
		seen, err := seenAt(c.SeenAt)
		if err != nil {
			return nil, err
		}
		out[i] = casework.Capturing{Kind: concert.CaptureKind(c.Kind), Vantage: c.Vantage, SeenAt: seen, Bytes: bytes.NewReader(c.Bytes)}
	}
	return out, nil
}

func captureOf(c casework.CaptureView, now time.Time) api.Capture {
	var warnings []string
	for _, w := range c.Warnings {
		warnings = append(warnings, string(w))
	}
	return api.Capture{Warnings: warnings, ID: c.Ref, Item: c.ItemRef, Kind: string(c.Kind), MediaType: c.MediaType, Size: c.Size, SHA256: c.SHA256, Unit: c.Unit, Operator: c.Operator, Vantage: c.Vantage,
		SeenAt: stamp(c.SeenAt), AddedAt: stamp(c.AddedAt), Fresh: c.Fresh(now), ErasedAt: stamp(c.ErasedAt)}
}

// preservations are the marks of atrocity evidence and who preserves it (G26).
func (s *Server) preservations() {
	on := func(path, id, summary string, act func(context.Context, concert.Actor, string, string) error) {
		huma.Register(s.api, op(http.MethodPost, path, id, summary, "preservation"), func(ctx context.Context, in *struct {
			One
			IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
			Body           api.Ground
		}) (*tagged[api.Item], error) {
			by, err := actor(ctx)
			if err != nil {
				return nil, s.fail(err)
			}
			if err := act(ctx, by, in.ID, in.Body.Ground); err != nil {
				return nil, s.fail(err)
			}
			return s.itemAfter(ctx, by, in.ID)
		})
	}
	on("/items/{id}/atrocity", "mark-atrocity", "Mark an item as evidence of an atrocity: it is not referred before somebody preserves it", s.svc.MarkAtrocity)
	on("/items/{id}/atrocity/lift", "lift-atrocity", "End a mark that was wrong (reviewer, never who placed it)", s.svc.LiftAtrocity)
	huma.Register(s.api, op(http.MethodPost, "/items/{id}/preservations", "preserve-item", "Record who preserves a marked item", "preservation"), func(ctx context.Context, in *struct {
		One
		IdempotencyKey string `header:"Idempotency-Key" maxLength:"200"`
		Body           api.NewPreservation
	}) (*tagged[api.Item], error) {
		by, err := actor(ctx)
		if err != nil {
			return nil, s.fail(err)
		}
		if err := by.MayCapture(); err != nil {
			return nil, s.fail(err)
		}
		p := concert.Preservation{Way: concert.PreservationWay(in.Body.Way), Holder: in.Body.Holder, Reference: in.Body.Reference, Ground: in.Body.Ground}
		if p.On, err = day(in.Body.On, "preservation.on", "on"); err != nil {
			return nil, s.fail(err)
		}
		if p.Until, err = day(in.Body.Until, "preservation.until", "until"); err != nil {
			return nil, s.fail(err)
		}
		if _, err := s.svc.PreserveItem(ctx, by, in.ID, p); err != nil {
			return nil, s.fail(err)
		}
		return s.itemAfter(ctx, by, in.ID)
	})
}

// atrocityOf is the mark that stands on an item; nil where none does.
func atrocityOf(v casework.ItemView, now time.Time) *api.Atrocity {
	m := v.Atrocity
	if !m.Stands() {
		return nil
	}
	out := &api.Atrocity{MarkedAt: stamp(m.At), Unit: v.AtrocityUnit, Ground: m.Ground, PreservedUntil: date(m.PreservedUntil), KeptBack: v.KeptBack(now)}
	for _, p := range v.Preservations {
		out.Preservations = append(out.Preservations, api.Preservation{ID: p.Ref, Unit: p.Unit, At: stamp(p.At),
			NewPreservation: api.NewPreservation{Way: string(p.Way), Holder: p.Holder, Reference: p.Reference, Ground: p.Ground, On: date(p.On), Until: date(p.Until)}})
	}
	return out
}
