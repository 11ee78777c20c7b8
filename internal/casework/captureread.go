package casework

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"concert"
	"concert/internal/store"
	"concert/internal/vault"
)

// CaptureView is what is known of a capture, beside its bytes.
type CaptureView struct {
	concert.Capture
	Unit     string // of the authority that holds it
	Operator string // number of who captured
	ItemRef  string

	Warnings []concert.Warning // those that stand; where somebody is to open it
}

// ItemCaptures are an item's captures, the newest first, as far as the reader
// may know of them: those of the own authority; all for coordinators and
// auditors. Their bytes are for the own authority alone (OpenCapture).
func (s *Service) ItemCaptures(ctx context.Context, scope concert.Scope, ref string) ([]CaptureView, error) {
	var out []CaptureView
	by := scope.Actor()
	b := concert.ConsultedBody{What: concert.ReadCaptures, Ref: ref}
	err := s.reading(ctx, scope, &b, func(tx *store.Tx) error {
		items, err := tx.BareItemsByRef(ctx, []string{ref})
		if err != nil {
			return err
		}
		it, ok := items[ref]
		if !ok {
			return concert.ErrNotFound
		}
		if err := s.findersOf(ctx, tx, by, &ItemView{Item: it}); err != nil {
			return err
		}
		out, err = s.capturesOf(ctx, tx, by, it)
		b.Count = len(out)
		if err != nil {
			return err
		}
		return warned(ctx, tx, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// capturesOf are the item's captures that the actor may know of.
func (s *Service) capturesOf(ctx context.Context, tx *store.Tx, by concert.Actor, it concert.Item) ([]CaptureView, error) {
	if !it.ErasedAt.IsZero() {
		return nil, nil
	}
	cs, err := tx.Captures(ctx, it.ID)
	if err != nil {
		return nil, err
	}
	var out []CaptureView
	for _, c := range cs {
		if c.MayKnow(by) == nil {
			out = append(out, CaptureView{Capture: c, ItemRef: it.Ref})
		}
	}
	return out, nameCaptures(ctx, tx, out)
}

// nameCaptures fills in whose the captures are.
func nameCaptures(ctx context.Context, tx *store.Tx, out []CaptureView) error {
	var people []concert.PersonID
	units := map[concert.AuthorityID]string{}
	for _, c := range out {
		people = append(people, c.Person)
		if _, ok := units[c.Authority]; !ok {
			a, err := tx.Authority(ctx, string(c.Authority))
			if err != nil {
				return err
			}
			units[c.Authority] = a.Unit
		}
	}
	ops, err := tx.Operators(ctx, people)
	for i, c := range out {
		out[i].Unit, out[i].Operator = units[c.Authority], ops[c.Person]
	}
	return err
}

// OpenCapture gives a capture's bytes to people of its own authority, once the
// reading is recorded. The caller closes them. What was changed where it lies
// breaks off with an error instead of its end.
func (s *Service) OpenCapture(ctx context.Context, scope concert.Scope, ref string) (CaptureView, io.ReadCloser, error) {
	return s.openCapture(ctx, scope, ref, concert.ReadCapture)
}

func (s *Service) openCapture(ctx context.Context, scope concert.Scope, ref, what string) (CaptureView, io.ReadCloser, error) {
	var v CaptureView
	var sealed store.SealedBytes
	by := scope.Actor()
	opened, err := s.unveiled(ctx, by, ref, what)
	if err != nil {
		return CaptureView{}, nil, err
	}
	find := func(tx *store.Tx) error {
		var err error
		v, sealed, err = s.findCapture(ctx, tx, by, ref)
		return err
	}
	if opened.ID != "" && what == concert.ReadPreview {
		// The opening itself was recorded (RevealCapture).
		err = s.DB.View(ctx, find)
	} else {
		b := concert.ConsultedBody{What: what, Ref: ref, Count: 1}
		err = s.reading(ctx, scope, &b, find)
	}
	if err != nil {
		return CaptureView{}, nil, err
	}
	r, err := s.unseal(v.Capture, sealed)
	if err == nil && opened.ID != "" && what == concert.ReadCapture {
		if err = s.takenAway(ctx, opened); err != nil {
			return CaptureView{}, nil, errors.Join(err, r.Close())
		}
	}
	return v, r, err
}

func (s *Service) findCapture(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (v CaptureView, sealed store.SealedBytes, err error) {
	c, err := tx.Capture(ctx, ref)
	if err != nil {
		return v, sealed, err
	}
	if err := c.MayOpen(by); err != nil {
		return v, sealed, err
	}
	items, err := tx.BareItemsByID(ctx, []concert.ItemID{c.Item})
	if err != nil || len(items) == 0 {
		return v, sealed, err
	}
	vs := []CaptureView{{Capture: c, ItemRef: items[0].Ref}}
	if err := nameCaptures(ctx, tx, vs); err != nil {
		return v, sealed, err
	}
	sealed, err = tx.CapturedBytes(ctx, c)
	return vs[0], sealed, err
}

// unseal opens the bytes where they lie.
func (s *Service) unseal(c concert.Capture, b store.SealedBytes) (io.ReadCloser, error) {
	if b.File == "" {
		plain, err := vault.Open(b.Key, b.Purpose(), b.Row)
		if err != nil {
			return nil, fmt.Errorf("bytes of %s: %w", c.Ref, err)
		}
		return io.NopCloser(bytes.NewReader(plain)), nil
	}
	missing := concert.Refuse(concert.Unavailable, "capture.missing", "", "the bytes of capture %s do not lie where this node looks for them: its operator restores the directory of captures (docs/captures.md)", c.Ref)
	if s.Vault == nil {
		return nil, missing
	}
	f, err := s.Vault.Open(b.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("bytes of %s: %w", c.Ref, err)
	}
	r, err := vault.NewReader(f, b.Key, b.Purpose())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bytes of %s: %w", c.Ref, err), f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{r, f}, nil
}

// PreservationView is a record of who preserves an item.
type PreservationView struct {
	concert.Preservation
	Unit string // of the authority that recorded it
}

// fillCaptures fills in the captures that the reader may know of, and the mark
// of an atrocity with who preserves it. What was written with them is for who
// wrote it, the item's own authority, coordinators and auditors.
func (s *Service) fillCaptures(ctx context.Context, tx *store.Tx, by concert.Actor, v *ItemView) error {
	var err error
	if v.Captures, err = s.capturesOf(ctx, tx, by, v.Item); err != nil {
		return err
	}
	if v.Atrocity, err = tx.Atrocity(ctx, v.ID); err != nil || v.Atrocity.At.IsZero() {
		return err
	}
	ps, err := tx.Preservations(ctx, v.ID)
	if err != nil {
		return err
	}
	over := by.Has(concert.RoleCoordinator) || by.Has(concert.RoleAuditor) || by.Authority == v.Item.Custodian()
	if !over && by.Authority != v.Atrocity.Authority {
		v.Atrocity.Ground = ""
	}
	units := map[concert.AuthorityID]string{v.Atrocity.Authority: ""}
	for _, p := range ps {
		units[p.Authority] = ""
	}
	for id := range units {
		a, err := tx.Authority(ctx, string(id))
		if err != nil {
			return err
		}
		units[id] = a.Unit
	}
	v.AtrocityUnit = units[v.Atrocity.Authority]
	for _, p := range ps {
		if !over && by.Authority != p.Authority {
			p.Holder, p.Reference, p.Ground = "", "", ""
		}
		v.Preservations = append(v.Preservations, PreservationView{p, units[p.Authority]})
	}
	return nil
}

// KeptBack reports whether the item waits, approved, for somebody to preserve
// it: dispatch passes it by (G26).
func (v ItemView) KeptBack(now time.Time) bool {
	return v.Status == concert.ItemApproved && v.Atrocity.Blocks(now)
}
