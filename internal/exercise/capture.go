package exercise

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"net/http"
	"time"

	"concert"
	"concert/api"
)

const (
	// lateShare is the part of items whose capture is too old when they are to be
	// assessed, so that it is refused and taken anew.
	lateShare = .01
	// lateBy is how old such a capture is.
	lateBy = 30 * time.Hour
	// atrocityEvery is of how many items one is marked as evidence of an atrocity.
	atrocityEvery = 500
	// anewMost bounds how often a capture is taken anew: in a fast exercise a case
	// day is over while one node is away.
	anewMost = 6
)

// outdated reports whether the item's first capture is older than an assessment
// may rest on.
func (s *script) outdated(n uint32) bool {
	return s.fate(n) != toGuard && (n == 1 || s.part(n, drawCapture) < lateShare)
}

// atrocity reports whether the item is marked as evidence of an atrocity.
func (s *script) atrocity(n uint32) bool {
	return s.fate(n) == toRefer && (n == 0 || s.draw(n, drawAtrocity)%atrocityEvery == 0)
}

// itemBytes are the invented bytes of the item: a copy of its work, which is a
// text, a picture of one colour or, for a share of works, a drawn one (media.go).
func (s *script) itemBytes(n uint32) []byte {
	work := s.work(n)
	if s.drawnWork(work) {
		return s.drawnCopy(n)
	}
	text := fmt.Appendf(nil, "EXERCISE work %x-%d", s.seed, work)
	if work%2 == 0 {
		return text
	}
	return picture(s.draw(work, drawWork), string(text))
}

// picture is a PNG of 16 by 16 pixels of one colour with a comment: stored, not
// packed, so that it costs next to nothing to make.
func picture(colour uint64, comment string) []byte {
	const side = 16
	var rows []byte
	for range side {
		rows = append(rows, 0)
		for range side {
			rows = append(rows, byte(colour), byte(colour>>8), byte(colour>>16))
		}
	}
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		body := append([]byte(kind), data...)
		out = binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
	}
	size := binary.BigEndian.AppendUint32(nil, side)
	chunk("IHDR", append(append(size, size...), 8, 2, 0, 0, 0))
	chunk("tEXt", append([]byte("Comment\x00"), comment...))
	packed := []byte{0x78, 0x01, 1}
	packed = binary.LittleEndian.AppendUint16(packed, uint16(len(rows)))
	packed = binary.LittleEndian.AppendUint16(packed, ^uint16(len(rows)))
	packed = binary.BigEndian.AppendUint32(append(packed, rows...), adler32.Checksum(rows))
	chunk("IDAT", packed)
	chunk("IEND", nil)
	return out
}

// capture is what an officer of the unit captured of the item before handing it
// in.
func (u *unit) capture(n uint32) []api.InlineCapture {
	s := u.world.script
	c := api.InlineCapture{Kind: string(concert.CaptureFile), Vantage: vantageOf(u.index), Bytes: u.world.file(n)}
	if s.outdated(n) {
		c.SeenAt = u.world.now().Add(-lateBy).Format(time.RFC3339)
	}
	return []api.InlineCapture{c}
}

func vantageOf(unit int) string { return "EXERCISE desk " + countries[unit] }

// captureAnew takes captures that were too old, item by item.
func (u *unit) captureAnew(ctx context.Context, lane int, entries []entry) error {
	w := u.world
	for _, e := range entries {
		in := api.NewCapture{Kind: string(concert.CaptureFile), Vantage: vantageOf(u.index), SeenAt: w.now().Format(time.RFC3339)}
		if err := w.again(ctx, func() error {
			_, err := u.officers[lane].AddCapture(ctx, e.ref, in, bytes.NewReader(w.file(e.n)))
			return err
		}); err != nil {
			return fmt.Errorf("capture %s anew: %w", e.ref, err)
		}
		w.captured.Add(1)
	}
	return nil
}

// again does what may be done twice until it has an answer: nodes die meanwhile.
func (w *World) again(ctx context.Context, do func() error) error {
	const most, pause = 60, 250 * time.Millisecond
	for try := 1; ; try++ {
		err := do()
		var p *api.Problem
		if err == nil || try == most || ctx.Err() != nil || errors.As(err, &p) && p.Status != http.StatusBadGateway && p.Status != http.StatusServiceUnavailable && p.Status != http.StatusGatewayTimeout {
			return err
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// mark marks what may be evidence of an atrocity, before it is assessed.
func (u *unit) mark(ctx context.Context, lane int, entries []entry) error {
	w := u.world
	for _, e := range entries {
		if !w.script.atrocity(e.n) {
			continue
		}
		_, err := u.officers[lane].MarkAtrocity(ctx, w.call("atrocity-%d", e.n), e.ref, api.Ground{Ground: "EXERCISE: the invented scene may show an invented crime under international law."})
		if err != nil && !api.IsCode(err, "atrocity.marked") {
			return fmt.Errorf("mark %s: %w", e.ref, err)
		}
		w.marked.Add(1)
	}
	return nil
}

// preserve records who preserves what was marked: until then dispatch passes it
// by.
func (u *unit) preserve(ctx context.Context, lane int, entries []entry) error {
	w := u.world
	for _, e := range entries {
		if !w.script.atrocity(e.n) {
			continue
		}
		way := concert.PreservationWays[w.script.pick(e.n, drawAtrocity, len(concert.PreservationWays))]
		_, err := u.reviewers[lane].PreserveItem(ctx, w.call("preserve-%d", e.n), e.ref, api.NewPreservation{Way: string(way), Holder: "Exercise Archive (EXERCISE)", Reference: "EXERCISE deposit " + token(e.n),
			Ground: "EXERCISE: asked for before the referral, for proceedings that may follow.", On: w.now().Format(time.DateOnly), Until: w.now().AddDate(1, 0, 0).Format(time.DateOnly)})
		if err != nil {
			return fmt.Errorf("preserve %s: %w", e.ref, err)
		}
	}
	return nil
}
