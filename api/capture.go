package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Headers that tell of a capture whose bytes are the body itself. In a form they
// are the fields kind, vantage and seen_at, before the file.
const (
	HeaderCaptureKind    = "Concert-Capture-Kind"
	HeaderCaptureVantage = "Concert-Capture-Vantage" // percent-encoded where it is not plain ASCII
	HeaderCaptureSeenAt  = "Concert-Capture-Seen-At" // RFC 3339
)

// InlineCapture is a capture that comes along with its item: up to 64 KiB.
type InlineCapture struct {
	Kind    string `json:"kind,omitempty" enum:"screenshot,page,warc,file" doc:"by the bytes themselves when left out"`
	Vantage string `json:"vantage,omitempty" maxLength:"100" doc:"from where it was seen"`
	SeenAt  string `json:"seen_at,omitempty" maxLength:"40" doc:"RFC 3339; now when left out"`
	Bytes   []byte `json:"bytes" minLength:"1" maxLength:"87384" doc:"base64"`
}

// Capture is what is known of a capture; its bytes are for its own authority.
type Capture struct {
	ID        string `json:"id"`
	Item      string `json:"item"`
	Kind      string `json:"kind"`
	MediaType string `json:"media_type" doc:"found in the bytes, whatever was said of them"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256,omitempty"`
	Unit      string `json:"unit,omitempty" doc:"of the authority that holds it"`
	Operator  string `json:"operator,omitempty" doc:"number of who captured"`
	Vantage   string `json:"vantage,omitempty"`
	SeenAt    string `json:"seen_at"`
	AddedAt   string `json:"added_at"`
	Fresh     bool   `json:"fresh" doc:"an assessment may rest on it now: seen at most 24 hours ago"`
	ErasedAt  string `json:"erased_at,omitempty"`

	Warnings []string `json:"warnings,omitempty" doc:"what is in it, as people said; missing where nobody did, or where the answer is to something else"`
}

// Captures is a list of them, the newest first.
type Captures struct {
	Captures []Capture `json:"captures"`
}

// NewCapture tells of a capture whose bytes follow.
type NewCapture struct {
	Kind    string
	Vantage string
	SeenAt  string // RFC 3339; now when left out
}

// CaptureExport is the act under which a capture leaves for a court.
type CaptureExport struct {
	Issuer        string `json:"issuer" maxLength:"200" doc:"court, prosecutor or body that issued it"`
	Reference     string `json:"reference" maxLength:"200" doc:"of the judicial act or mandate"`
	Recipient     string `json:"recipient" maxLength:"400"`
	Justification string `json:"justification" maxLength:"4000"`
}

// Preview is a safe rendition of a capture: nothing of its bytes is in it.
type Preview struct {
	Capture Capture         `json:"capture"`
	Width   int             `json:"width,omitempty" doc:"of the picture as captured"`
	Height  int             `json:"height,omitempty"`
	Picture []byte          `json:"picture,omitempty" doc:"JPEG, drawn anew"`
	Small   []byte          `json:"small,omitempty" doc:"PNG, drawn anew"`
	Title   string          `json:"title,omitempty"`
	Text    string          `json:"text,omitempty"`
	Records []ArchiveRecord `json:"records,omitempty"`
	More    bool            `json:"more,omitempty" doc:"there is more than is shown"`
	Note    string          `json:"note,omitempty" doc:"why there is no preview, or not all of it"`
}

// ArchiveRecord is one record of a web archive.
type ArchiveRecord struct {
	Type   string `json:"type"`
	Target string `json:"target,omitempty"`
	Date   string `json:"date,omitempty"`
	Media  string `json:"media,omitempty"`
	Status int    `json:"status,omitempty"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Digest string `json:"digest,omitempty"`
	Wrong  bool   `json:"wrong,omitempty" doc:"the stated digest is not the block's"`
}

// Ground is a written ground.
type Ground struct {
	Ground string `json:"ground" maxLength:"4000"`
}

// NewPreservation records who preserves the content of a marked item.
type NewPreservation struct {
	Way       string `json:"way" enum:"provider,own,other" doc:"the provider on request, the authority itself in its capture, or another body"`
	Holder    string `json:"holder" maxLength:"200"`
	Reference string `json:"reference" maxLength:"200" doc:"of the request or the deposit"`
	Ground    string `json:"ground" maxLength:"4000"`
	On        string `json:"on" maxLength:"10" doc:"date of the request or the deposit"`
	Until     string `json:"until" maxLength:"10" doc:"date until which it is preserved"`
}

// Preservation is a recorded one.
type Preservation struct {
	ID   string `json:"id"`
	Unit string `json:"unit,omitempty"`
	At   string `json:"at"`
	NewPreservation
}

// Atrocity is the mark of an item as evidence of an atrocity.
type Atrocity struct {
	MarkedAt       string         `json:"marked_at"`
	Unit           string         `json:"unit,omitempty"`
	Ground         string         `json:"ground,omitempty"`
	PreservedUntil string         `json:"preserved_until,omitempty"`
	KeptBack       bool           `json:"kept_back,omitempty" doc:"it is not referred before somebody is known to preserve it"`
	Preservations  []Preservation `json:"preservations,omitempty"`
}

// AddCapture adds a capture of an item from r. It is not sent again by itself:
// what r held is spent.
func (c *Client) AddCapture(ctx context.Context, item string, in NewCapture, r io.Reader) (Capture, error) {
	var out Capture
	req, err := c.request(ctx, http.MethodPost, "/api/v1/items/"+url.PathEscape(item)+"/captures", nil)
	if err != nil {
		return out, err
	}
	req.Body, req.ContentLength = io.NopCloser(r), -1
	if l, ok := r.(interface{ Len() int }); ok {
		req.ContentLength = int64(l.Len())
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	for name, v := range map[string]string{HeaderCaptureKind: in.Kind, HeaderCaptureVantage: JustificationValue(in.Vantage), HeaderCaptureSeenAt: in.SeenAt} {
		if v != "" {
			req.Header.Set(name, v)
		}
	}
	return out, c.sendOnce(req, func(r io.Reader) error { return json.NewDecoder(r).Decode(&out) })
}

// Captures are an item's captures, the newest first.
func (c *Client) Captures(ctx context.Context, item string) (Captures, error) {
	return get[Captures](ctx, c, "/api/v1/items/"+url.PathEscape(item)+"/captures", nil)
}

// CaptureBytes writes a capture's bytes to w.
func (c *Client) CaptureBytes(ctx context.Context, id string, w io.Writer) error {
	req, err := c.request(ctx, http.MethodGet, "/api/v1/captures/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	return c.sendOnce(req, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}

// MarkAtrocity marks an item as evidence of an atrocity.
func (c *Client) MarkAtrocity(ctx context.Context, call Call, item string, in Ground) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(item)+"/atrocity", call, in)
}

// PreserveItem records who preserves a marked item.
func (c *Client) PreserveItem(ctx context.Context, call Call, item string, in NewPreservation) (Item, error) {
	return post[Item](ctx, c, "/api/v1/items/"+url.PathEscape(item)+"/preservations", call, in)
}

// sendOnce sends a request that is not repeated and reads its answer.
func (c *Client) sendOnce(req *http.Request, read func(io.Reader) error) error {
	res, err := c.http().Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	defer res.Body.Close()
	if res.StatusCode < 300 {
		if err := read(res.Body); err != nil {
			return fmt.Errorf("%s %s: read answer: %w", req.Method, req.URL.Path, err)
		}
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s %s: read answer: %w", req.Method, req.URL.Path, err)
	}
	p, err := problemOf(res, data)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	return p
}
