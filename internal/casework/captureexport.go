package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"concert"
	"concert/internal/formats"
	"concert/internal/identity"
	"concert/internal/store"
)

// exportedCapture is the metadata record of a capture that leaves for a court.
type exportedCapture struct {
	Origin        string                    `json:"origin"`
	Exercise      bool                      `json:"exercise"`
	Item          string                    `json:"item"`
	Handling      concert.Handling          `json:"handling"`
	Location      concert.Location          `json:"location"`
	Capture       string                    `json:"capture"`
	Kind          concert.CaptureKind       `json:"kind"`
	MediaType     string                    `json:"media_type"`
	Size          int64                     `json:"size"`
	SHA256        string                    `json:"sha256"`
	SeenAt        string                    `json:"seen_at"`
	AddedAt       string                    `json:"added_at"`
	Unit          string                    `json:"unit"`
	Operator      string                    `json:"operator"`
	Vantage       string                    `json:"vantage,omitempty"`
	Instrument    concert.CaptureInstrument `json:"instrument"`
	ExportedAt    string                    `json:"exported_at"`
	ExportedBy    string                    `json:"exported_by"`
	MarkedAt      string                    `json:"marked_as_atrocity_evidence_at,omitempty"`
	Preservations []exportedPreservation    `json:"preservations,omitempty"`
}

type exportedPreservation struct {
	Ref       string                  `json:"ref"`
	Way       concert.PreservationWay `json:"way"`
	Holder    string                  `json:"holder"`
	Reference string                  `json:"reference"`
	On        string                  `json:"on"`
	Until     string                  `json:"until"`
}

// ExportCapture lets a capture leave for a court or a body with a mandate, under
// an instrument, as a web archive (WARC 1.1): the bytes as they were captured
// and what is known of them (G26). The act is recorded with the item before
// write may be called.
func (s *Service) ExportCapture(ctx context.Context, by concert.Actor, ref string, in concert.CaptureInstrument) (write func(io.Writer) error, err error) {
	var doc exportedCapture
	var sealed store.SealedBytes
	var c concert.Capture
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		v, b, err := s.findCapture(ctx, tx, by, ref)
		if err != nil {
			return err
		}
		items, err := tx.ItemsByID(ctx, []concert.ItemID{v.Item})
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return concert.ErrNotFound
		}
		it := items[0]
		e, err := v.Exported(by, it, in, s.now())
		if err != nil {
			return err
		}
		m, err := tx.Atrocity(ctx, it.ID)
		if err != nil {
			return err
		}
		ps, err := tx.Preservations(ctx, it.ID)
		if err != nil {
			return err
		}
		tx.Record(e)
		c, sealed = v.Capture, b
		doc = exportedCapture{Origin: s.Origin, Exercise: s.Exercise, Item: it.Ref, Handling: it.Handling, Location: it.Location, Capture: c.Ref, Kind: c.Kind, MediaType: c.MediaType, Size: c.Size, SHA256: c.SHA256,
			SeenAt: c.SeenAt.Format(concert.TimeFormat), AddedAt: c.AddedAt.Format(concert.TimeFormat), Unit: v.Unit, Operator: v.Operator, Vantage: c.Vantage, Instrument: in, ExportedAt: s.now().Format(concert.TimeFormat), ExportedBy: by.Operator}
		if m.Stands() {
			doc.MarkedAt = m.At.Format(concert.TimeFormat)
		}
		for _, p := range ps {
			if p.Authority == by.Authority {
				doc.Preservations = append(doc.Preservations, exportedPreservation{p.Ref, p.Way, p.Holder, p.Reference, p.On.Format("2006-01-02"), p.Until.Format("2006-01-02")})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		r, err := s.unseal(c, sealed)
		if err != nil {
			return err
		}
		defer r.Close()
		return writeExport(w, doc, c, r)
	}, nil
}

func writeExport(w io.Writer, doc exportedCapture, c concert.Capture, r io.Reader) error {
	archive := formats.NewWARCWriter(w, identity.NewID)
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	target := "urn:concert:capture:" + c.Ref
	if doc.Location.Kind == "web" {
		target = doc.Location.Canonical
	}
	const seconds = "2006-01-02T15:04:05Z"
	id, err := archive.Record(formats.WARCHead{Type: "resource", Target: target, Date: c.SeenAt.UTC().Format(seconds), Media: c.MediaType, Size: c.Size, SHA256: c.SHA256}, r)
	if err != nil {
		return err
	}
	_, err = archive.Record(formats.WARCHead{Type: "metadata", Target: target, Date: c.AddedAt.UTC().Format(seconds), Media: "application/json", Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:]), About: id}, bytes.NewReader(text))
	return err
}
