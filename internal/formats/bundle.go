// Package formats reads and writes foreign documents, one file a format. It
// knows no table and no request.
package formats

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"concert"
	"concert/tlog"
)

// BundleFormat names the export bundle, version 1 (docs/formats/export.md).
const BundleFormat = "concert-export/1"

// maxBundleLine bounds a line of a bundle.
const maxBundleLine = 4 << 20

// BundleHeader is a bundle's first line.
type BundleHeader struct {
	Format     string `json:"format"`
	Origin     string `json:"origin"`
	LogKey     string `json:"log_key"`
	ExportedAt string `json:"exported_at"`
	Exercise   bool   `json:"exercise"`
}

// bundleLine is any later line: exactly one field is set.
type bundleLine struct {
	Event      *concert.RecordedEvent `json:"event,omitempty"`
	Tile       *bundleTile            `json:"tile,omitempty"`
	Checkpoint string                 `json:"checkpoint,omitempty"`
}

type bundleTile struct {
	Path string `json:"path"`
	Data []byte `json:"data"`
}

// BundleWriter writes a bundle line by line.
type BundleWriter struct {
	w   *bufio.Writer
	enc *json.Encoder
}

// NewBundleWriter begins a bundle.
func NewBundleWriter(w io.Writer, h BundleHeader) (*BundleWriter, error) {
	b := bufio.NewWriterSize(w, 1<<20)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	h.Format = BundleFormat
	if err := e.Encode(h); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return &BundleWriter{b, e}, nil
}

// Event writes one event; they come in the log's order.
func (b *BundleWriter) Event(e concert.RecordedEvent) error {
	return b.enc.Encode(bundleLine{Event: &e})
}

// Tile writes one tile.
func (b *BundleWriter) Tile(t tlog.Tile) error {
	return b.enc.Encode(bundleLine{Tile: &bundleTile{t.Path(), t.Data}})
}

// Close writes the signed checkpoint and flushes.
func (b *BundleWriter) Close(checkpoint string) error {
	if err := b.enc.Encode(bundleLine{Checkpoint: checkpoint}); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return b.w.Flush()
}

// Verification is what an audit found. Verified means: every event is the one
// its commitment commits to (or was erased by a recorded erasure), and all of
// them in this order give the root that the log's key signed.
type Verification struct {
	Origin       string         `json:"origin"`
	Size         int64          `json:"size"`
	Root         string         `json:"root"`
	Verified     bool           `json:"verified"`
	SelfAttested bool           `json:"self_attested"` // no outside witness has cosigned
	Witnesses    []string       `json:"witnesses,omitempty"`
	Cosigned     []Cosigned     `json:"cosigned,omitempty"` // by each witness that was named, the largest head
	Compared     int            `json:"compared,omitempty"` // earlier heads that the log was compared with
	Parted       *Parting       `json:"parted,omitempty"`   // from one of them
	Erased       int64          `json:"erased"`             // events whose salt is gone
	FirstBad     int64          `json:"first_bad"`
	Problem      string         `json:"problem,omitempty"`
	Counts       concert.Deltas `json:"-"`
	Exercise     bool           `json:"exercise"`
	Erasure      *Erasure       `json:"erasure,omitempty"` // of a proof of erasure
	Event        *ProvenEvent   `json:"event,omitempty"`   // of a proof of one event
}

// EventChecker checks events one by one against their commitments and folds
// them into the published numbers. An event without a salt is good only when a
// later erasure of the same subject covers it; until that comes, the checker
// keeps one hash state for the subject and nothing else.
type EventChecker struct {
	Counts  concert.Deltas
	Erased  int64
	Bad     int64 // index of the first event that does not match, -1 for none
	Problem string
	next    int64
	bare    map[string]*bareEvents // by subject, until an erasure covers them
}

// bareEvents are a subject's events without a salt that no erasure covers yet.
type bareEvents struct {
	first   int64 // index
	n       int
	remains hash.Hash
	problem string
}

// NewEventChecker is a checker that expects event 0 first.
func NewEventChecker() *EventChecker {
	return &EventChecker{Counts: concert.Deltas{}, Bad: -1, bare: map[string]*bareEvents{}}
}

// bad keeps what is wrong with the event at the index, if it is the first.
func (c *EventChecker) bad(index int64, format string, args ...any) {
	if c.Bad < 0 || index < c.Bad {
		c.Bad, c.Problem = index, fmt.Sprintf(format, args...)
	}
}

// Check takes the next event.
func (c *EventChecker) Check(e concert.RecordedEvent) {
	fail := func(format string, args ...any) { c.bad(c.next, format, args...) }
	if e.Index != c.next {
		fail("event %d is missing: after %d comes %d (%s)", c.next, c.next-1, e.Index, e.ID)
	}
	switch {
	case len(e.Commit) != 32:
		fail("event %d (%s) has a commitment of %d bytes", c.next, e.ID, len(e.Commit))
	case len(e.Salt) == 0:
		c.Erased++
		c.uncovered(e)
	default:
		if got := tlog.Commit(e.Salt, e.Canonical(sha256.Sum256(e.Sealed))); !bytes.Equal(got[:], e.Commit) {
			fail("event %d (%s, %s of %s) is not what its commitment commits to: it was changed after it was recorded", c.next, e.ID, e.Kind, e.Subject)
		} else if e.Kind == concert.EventItemErased {
			c.cover(e)
		}
	}
	if err := c.Counts.CountRecorded(e); err != nil {
		fail("event %d (%s) has a body that cannot be read: %v", c.next, e.ID, err)
	}
	c.next++
}

// uncovered keeps an event without a salt until an erasure of its subject comes.
func (c *EventChecker) uncovered(e concert.RecordedEvent) {
	if len(e.Sealed) > 0 {
		c.bad(c.next, "event %d (%s, %s of %s) has no salt but still its sealed part: that is no erasure", c.next, e.ID, e.Kind, e.Subject)
	}
	b := c.bare[e.Subject]
	if b == nil {
		b = &bareEvents{first: c.next, remains: sha256.New(),
			problem: fmt.Sprintf("event %d (%s, %s of %s) has no salt and no erasure of it is recorded: nothing shows that it is what its commitment commits to", c.next, e.ID, e.Kind, e.Subject)}
		c.bare[e.Subject] = b
	}
	b.n++
	b.remains.Write(e.Remains())
}

// cover compares what remains of a subject's erased events with what their
// erasure committed to.
func (c *EventChecker) cover(e concert.RecordedEvent) {
	var body concert.ErasureBody
	if err := json.Unmarshal(e.Body, &body); err != nil {
		c.bad(c.next, "event %d (%s) has a body that cannot be read: %v", c.next, e.ID, err)
		return
	}
	b := c.bare[e.Subject]
	delete(c.bare, e.Subject)
	switch {
	case b == nil && body.Events == 0:
	case b == nil:
		c.bad(c.next, "event %d (%s) erased %d events of %s, but none of them is without its salt", c.next, e.ID, body.Events, e.Subject)
	case b.n != body.Events || hex.EncodeToString(b.remains.Sum(nil)) != body.Remains:
		c.bad(b.first, "of the %d events of %s without a salt, the first at %d, at least one is not what event %d (%s) erased (%d events): it was changed, taken away or added after the erasure", b.n, e.Subject, b.first, c.next, e.ID, body.Events)
	}
}

// finish judges what no erasure covered.
func (c *EventChecker) finish() {
	for _, b := range c.bare {
		c.bad(b.first, "%s", b.problem)
	}
	clear(c.bare)
}

// BundleTime is when a bundle was made, as its first line says.
func BundleTime(r io.Reader) (time.Time, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxBundleLine)).ReadBytes('\n')
	var h BundleHeader
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	if err != nil {
		return time.Time{}, bundleError(1, err)
	}
	at, err := time.Parse(concert.TimeFormat, h.ExportedAt)
	if err != nil {
		return at, bundleError(1, err)
	}
	return at, nil
}

// VerifyBundle audits an exported bundle, with no connection to anything.
// logKey is the key the reader trusts; "" takes the bundle's own, which shows
// only that the bundle is consistent with itself. earlier are checkpoints that the
// log must go on from ([OpenEarlier]).
func VerifyBundle(r io.Reader, logKey string, witnessKeys []string, earlier ...string) (Verification, error) {
	return verifyBundle(r, logKey, witnessKeys, func(concert.RecordedEvent) {}, earlier...)
}

// verifyBundle gives each event to take before anything is known to be true of it.
func verifyBundle(r io.Reader, logKey string, witnessKeys []string, take func(concert.RecordedEvent), earlier ...string) (Verification, error) {
	v := Verification{FirstBad: -1}
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 1<<16), maxBundleLine)
	if !sc.Scan() {
		return v, bundleError(1, errors.Join(sc.Err(), io.ErrUnexpectedEOF))
	}
	var h BundleHeader
	if err := json.Unmarshal(sc.Bytes(), &h); err != nil {
		return v, bundleError(1, err)
	}
	if h.Format != BundleFormat {
		return v, bundleError(1, fmt.Errorf("format is %q, this program reads %q", h.Format, BundleFormat))
	}
	v.Origin, v.Exercise = h.Origin, h.Exercise
	if logKey == "" {
		logKey = h.LogKey
	}
	events := NewEventChecker()
	var commits []tlog.Hash
	tiles := map[tlog.TileID][]byte{}
	var checkpoint string
	for line := 2; sc.Scan(); line++ {
		var l bundleLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return v, bundleError(line, err)
		}
		switch {
		case l.Event != nil:
			events.Check(*l.Event)
			take(*l.Event)
			var c tlog.Hash
			copy(c[:], l.Event.Commit)
			commits = append(commits, c)
		case l.Tile != nil:
			id, err := tlog.ParseTilePath(l.Tile.Path)
			if err != nil {
				return v, bundleError(line, err)
			}
			tiles[tlog.TileID{Level: id.Level, Index: id.Index}] = l.Tile.Data
		case l.Checkpoint != "":
			checkpoint = l.Checkpoint
		}
	}
	if err := sc.Err(); err != nil {
		return v, fmt.Errorf("bundle: %w", err)
	}
	v.Counts, v.Erased = events.Counts, events.Erased
	if checkpoint == "" {
		v.Problem = "the bundle ends without a signed checkpoint: it was cut off"
		return v, nil
	}
	before, err := OpenEarlier(earlier, h.Origin, logKey, witnessKeys)
	if err != nil {
		return v, err
	}
	head, err := Compare(checkpoint, h.Origin, logKey, witnessKeys, before)
	if err != nil {
		v.Problem = err.Error()
		return v, nil
	}
	read := func(id tlog.TileID) ([]byte, error) {
		data, ok := tiles[tlog.TileID{Level: id.Level, Index: id.Index}]
		if !ok {
			return nil, fmt.Errorf("tile %s is not in the bundle", id.Path())
		}
		return data, nil
	}
	a := tlog.NewAuditor(read, head.Heads()...)
	for _, c := range commits {
		a.Add(c)
	}
	v.conclude(head, a.Finish(), events, time.Time{})
	return v, nil
}

// conclude puts together what the tree and the events say.
func (v *Verification) conclude(head Compared, rep tlog.Report, events *EventChecker, live time.Time) {
	events.finish()
	v.Size, v.Root = head.Size, fmt.Sprintf("%x", head.Root)
	v.attest(head, live)
	defer v.part(head, rep, live)
	switch err := rep.Err(); {
	case events.Bad >= 0:
		v.FirstBad, v.Problem = events.Bad, events.Problem
	case err != nil:
		v.FirstBad, v.Problem = rep.FirstBad, err.Error()
	case rep.Beyond > 0:
		v.FirstBad, v.Problem = head.Size, fmt.Sprintf("%d events stand behind the %d that were signed: event %d is the first that nobody vouches for", rep.Beyond, head.Size, head.Size)
	case rep.Size != head.Size:
		v.FirstBad, v.Problem = min(rep.Size, head.Size), fmt.Sprintf("the log was signed with %d events, %d are here: event %d is the first missing", head.Size, rep.Size, min(rep.Size, head.Size))
	default:
		v.Verified = true
	}
}

// Conclude is the verdict on a log that was read otherwise than from a bundle. now
// is the verifier's time.
func Conclude(origin string, head Compared, rep tlog.Report, events *EventChecker, now time.Time) Verification {
	v := Verification{Origin: origin, FirstBad: -1, Counts: events.Counts, Erased: events.Erased}
	v.conclude(head, rep, events, now)
	return v
}

func bundleError(line int, err error) error {
	return fmt.Errorf("bundle line %d: %w; is this a file that concert export wrote?", line, err)
}
