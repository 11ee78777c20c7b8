package casework

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/vault"
)

const (
	// CaptureInline is the most bytes that a capture has which lies in a row, or
	// comes along with its item.
	CaptureInline = 64 << 10
	// CaptureMost is the most bytes of a capture where the deployment says nothing
	// else.
	CaptureMost = 64 << 20
	// captureTick is how often files of erased captures are removed, orphanTick how
	// often files are looked for that crashes left.
	captureTick = time.Minute
	orphanTick  = time.Hour
	// orphanAge is how old a file is at least that no capture needs, before it
	// counts as left behind by a crash.
	orphanAge = 24 * time.Hour
	// filesMost bounds the files that one sweep takes.
	filesMost = 200
)

// Capturing is one capture as it comes in.
type Capturing struct {
	Item    string // reference; "" where it comes along with its item
	Kind    concert.CaptureKind
	Vantage string
	SeenAt  time.Time // zero for now
	Bytes   io.Reader

	Warnings []concert.Warning // what is in it, as who captured it says
}

// taken is a capture whose bytes are known.
type taken struct {
	concert.Capture // kind, media type, size, digest, vantage, when seen
	bytes           store.Bytes
}

// AddCapture keeps what an officer or a reviewer saw of an item that their
// authority found or judged. The same bytes, seen at the same moment, are the
// same capture.
func (s *Service) AddCapture(ctx context.Context, by concert.Actor, in Capturing) (concert.Capture, error) {
	var out concert.Capture
	if err := by.MayCapture(); err != nil {
		return out, err
	}
	// Rights come before bytes: a stranger fills no disk.
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		it, err := s.ownItem(ctx, tx, by, in.Item)
		if err != nil {
			return err
		}
		return it.Standing()
	})
	if err != nil {
		return out, err
	}
	t, err := s.take(by, in, s.captureMost())
	if err != nil {
		return out, err
	}
	var spare []string
	err = s.retryStale(ctx, func(tx *store.Tx) error {
		var err error
		out, spare, err = s.keepCapture(ctx, tx, by, in, t)
		return err
	})
	if f := t.bytes.File.Name; f != "" && (err != nil || slices.Contains(spare, f)) {
		err = errors.Join(err, s.Vault.Remove(f))
	}
	return out, err
}

func (s *Service) keepCapture(ctx context.Context, tx *store.Tx, by concert.Actor, in Capturing, t taken) (out concert.Capture, spare []string, err error) {
	it, err := s.ownItem(ctx, tx, by, in.Item)
	if err != nil {
		return out, nil, err
	}
	c, e, err := it.Captured(by, t.ready(), s.now())
	if err != nil {
		return out, nil, err
	}
	if had, ok, err := sameCapture(ctx, tx, in, c); err != nil || ok {
		return had, []string{t.bytes.File.Name}, err
	}
	if c.Kind.Works() && it.Content == [sha256.Size]byte{} {
		if it, err = tx.Item(ctx, it.Ref); err != nil {
			return out, nil, err
		}
		if err := tx.SetHash(ctx, it, c.SHA256, s.DB.Content(t.bytes.Sum)); err != nil {
			return out, nil, err
		}
	}
	tx.Record(e)
	tx.SetClock(concert.ClockCaptures, string(it.ID), s.now().Add(concert.ErasureTerm))
	if spare, err = tx.AddCaptures(ctx, []concert.Capture{c}, []store.Bytes{t.bytes}); err != nil || len(in.Warnings) == 0 {
		return c, spare, err
	}
	return c, spare, s.warn(ctx, tx, by, c, it, false, in.Warnings)
}

// ready is the capture with its own names.
func (t taken) ready() concert.Capture {
	c := t.Capture
	c.ID, c.Ref = concert.CaptureID(identity.NewID()), identity.NewReference("CP")
	return c
}

// sameCapture finds a capture that was handed in before, by its bytes and the
// moment they were seen.
func sameCapture(ctx context.Context, tx *store.Tx, in Capturing, c concert.Capture) (concert.Capture, bool, error) {
	if in.SeenAt.IsZero() {
		return c, false, nil
	}
	cs, err := tx.Captures(ctx, c.Item)
	if err != nil {
		return c, false, err
	}
	at := concert.Micros(c.SeenAt)
	i := slices.IndexFunc(cs, func(had concert.Capture) bool {
		return had.Authority == c.Authority && had.SHA256 == c.SHA256 && concert.Micros(had.SeenAt) == at && had.ErasedAt.IsZero()
	})
	if i < 0 {
		return c, false, nil
	}
	return cs[i], true, nil
}

// ownItem is an item that the actor's authority found or judged, without what is
// sealed; others get the answer of a missing one.
func (s *Service) ownItem(ctx context.Context, tx *store.Tx, by concert.Actor, ref string) (concert.Item, error) {
	items, err := tx.BareItemsByRef(ctx, []string{ref})
	if err != nil {
		return concert.Item{}, err
	}
	it, ok := items[ref]
	if !ok || by.Authority == "" {
		return concert.Item{}, concert.ErrNotFound
	}
	if it.Author == by.Authority {
		return it, nil
	}
	seen, err := tx.SeenBy(ctx, by.Authority, []concert.ItemID{it.ID})
	if err != nil {
		return concert.Item{}, err
	}
	if !seen[it.ID] {
		return concert.Item{}, concert.ErrNotFound
	}
	return it.ShownTo(by.Authority), nil
}

func (s *Service) captureMost() int64 {
	if s.CaptureMost > 0 {
		return s.CaptureMost
	}
	return CaptureMost
}

// take reads a capture's bytes: what is larger than a row goes into a file of
// the vault at once, sealed, so that memory does not follow its size.
func (s *Service) take(by concert.Actor, in Capturing, most int64) (taken, error) {
	t := taken{Capture: concert.Capture{Kind: in.Kind, Vantage: in.Vantage, SeenAt: in.SeenAt}}
	head := make([]byte, CaptureInline+1)
	n, err := io.ReadFull(in.Bytes, head)
	head = head[:n]
	if t.MediaType = vault.Sniff(head); t.Kind == "" {
		t.Kind = concert.CaptureKindOf(t.MediaType)
	}
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		t.bytes = store.Bytes{Sum: sha256.Sum256(head), Size: int64(n), Small: head}
	case err != nil:
		return t, unread(err)
	case s.Vault == nil:
		return t, concert.Refuse(concert.Unavailable, "capture.no_vault", "file", "this node has no directory for captures of more than %d bytes: its operator gives it one", CaptureInline)
	default:
		if t.bytes, err = s.takeFile(by.Authority, io.MultiReader(bytes.NewReader(head), in.Bytes), most); err != nil {
			return t, err
		}
	}
	t.Size, t.SHA256 = t.bytes.Size, hex.EncodeToString(t.bytes.Sum[:])
	return t, nil
}

// unread is what to tell of a body that could not be read to its end.
func unread(err error) error {
	if e := (*concert.Error)(nil); errors.As(err, &e) {
		return err
	}
	return concert.Refuse(concert.Invalid, "capture.unread", "file", "the capture broke off before its end and nothing was kept: send it again")
}

func (s *Service) takeFile(a concert.AuthorityID, r io.Reader, most int64) (b store.Bytes, err error) {
	f, key, purpose := s.DB.NewFile(a)
	p, err := s.Vault.New(f.Name, key, purpose)
	if err != nil {
		return b, noRoom(err)
	}
	defer func() { err = errors.Join(err, p.Drop()) }()
	sum := sha256.New()
	broken := &firstError{r: io.LimitReader(r, most+1)}
	n, err := io.Copy(io.MultiWriter(p, sum), broken)
	switch {
	case broken.err != nil:
		return b, unread(broken.err)
	case err != nil:
		return b, noRoom(err)
	case n > most:
		return b, TooLargeCapture(most)
	}
	if f.Sum, err = p.Keep(); err != nil {
		return b, noRoom(err)
	}
	return store.Bytes{Sum: [sha256.Size]byte(sum.Sum(nil)), Size: n, File: f}, nil
}

// TooLargeCapture refuses a capture of more than most bytes.
func TooLargeCapture(most int64) error {
	return concert.Refuse(concert.TooLarge, "capture.too_large", "file", "a capture has at most %d MB here: save the part that matters, a screenshot, or the first minutes of a recording", most>>20)
}

// noRoom tells a full disk from the rest.
func noRoom(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return concert.Refuse(concert.Unavailable, store.CodeFull, "", "there is no room left where captures are kept, and nothing was done: the operator must make room, then repeat this")
	}
	return fmt.Errorf("keep a capture: %w", err)
}

// firstError remembers that reading failed, apart from writing.
type firstError struct {
	r   io.Reader
	err error
}

// Read reads.
func (f *firstError) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// takeInline reads the captures that come along with an item.
func (s *Service) takeInline(by concert.Actor, in []Capturing) ([]taken, error) {
	out := make([]taken, 0, len(in))
	for _, c := range in {
		head, err := io.ReadAll(io.LimitReader(c.Bytes, CaptureInline+1))
		if err != nil {
			return nil, unread(err)
		}
		if len(head) > CaptureInline {
			return nil, concert.Refuse(concert.TooLarge, "capture.inline", "captures", "a capture that comes along with its item has at most %d bytes: hand the item in, then add the capture with POST /api/v1/items/{id}/captures", CaptureInline)
		}
		c.Bytes = bytes.NewReader(head)
		t, err := s.take(by, c, CaptureInline)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// capture keeps the captures that came along with a submission. What the guard
// stopped is recorded without them: nobody will judge it.
func (b *submitting) capture(ctx context.Context, tx *store.Tx, it concert.Item, sub Submission, known bool) error {
	if it.Status == concert.ItemStopped {
		return nil
	}
	for i, t := range sub.taken {
		c, e, err := it.Captured(b.by, t.ready(), b.s.now())
		if err != nil {
			return err
		}
		if known {
			if _, had, err := sameCapture(ctx, tx, sub.Captures[i], c); err != nil || had {
				return err
			}
		}
		b.captured, b.bytes, b.events = append(b.captured, c), append(b.bytes, t.bytes), append(b.events, e)
	}
	return nil
}

// captured are captures that come along with other acts while they run.
type captured struct {
	captures []concert.Capture
	bytes    []store.Bytes
}

// bringing is a capture that came along, with its event.
type bringing struct {
	concert.Capture
	event concert.Event
}

// brought are the captures that came along with an assessment, which rests on
// the newest there is.
func (s *Service) brought(by concert.Actor, it concert.Item, j *Judging) ([]bringing, error) {
	if j.untaken != nil {
		return nil, j.untaken
	}
	out := make([]bringing, 0, len(j.taken))
	for _, t := range j.taken {
		c, e, err := it.Captured(by, t.ready(), s.now())
		if err != nil {
			return nil, err
		}
		out = append(out, bringing{c, e})
		if j.Capture.ID == "" || !j.Capture.ErasedAt.IsZero() || c.SeenAt.After(j.Capture.SeenAt) {
			j.Capture = c
		}
	}
	return out, nil
}

// add keeps what came along with the item.
func (k *captured) add(ctx context.Context, tx *store.Tx, s *Service, it concert.Item, in []taken, brought []bringing) error {
	for i, b := range brought {
		if b.Kind.Works() && it.Content == [sha256.Size]byte{} {
			it.Content = s.DB.Content(in[i].bytes.Sum)
			if err := tx.SetHash(ctx, it, b.SHA256, it.Content); err != nil {
				return err
			}
		}
		k.captures, k.bytes = append(k.captures, b.Capture), append(k.bytes, in[i].bytes)
		tx.Record(b.event)
		tx.SetClock(concert.ClockCaptures, string(it.ID), b.AddedAt.Add(concert.ErasureTerm))
	}
	return nil
}

// work is the digest of the first capture that is the content's own bytes.
func (sub Submission) work() (sum [sha256.Size]byte, hash string, ok bool) {
	for _, t := range sub.taken {
		if t.Kind.Works() {
			return t.bytes.Sum, t.SHA256, true
		}
	}
	return sum, "", false
}

// eraseCaptures erases the bytes of an item's captures whose term is over, and
// asks again when the next one's is.
func (s *Service) eraseCaptures(ctx context.Context, j concert.EraseCaptures) error {
	var gone []concert.Capture
	err := s.retryStale(ctx, func(tx *store.Tx) error {
		gone = nil
		items, err := tx.BareItemsByID(ctx, []concert.ItemID{j.Item})
		if err != nil || len(items) == 0 || !items[0].ErasedAt.IsZero() {
			return err
		}
		it := items[0]
		m, err := tx.Atrocity(ctx, it.ID)
		if err != nil {
			return err
		}
		var referred time.Time
		if it.Referral != "" {
			r, err := tx.ReferralByID(ctx, it.Referral)
			if err != nil {
				return err
			}
			referred = r.CreatedAt
		}
		cs, err := tx.Captures(ctx, it.ID)
		if err != nil {
			return err
		}
		now := s.now()
		for _, c := range cs {
			next, e, again, err := c.Expired(it, m, referred, now)
			if refused, other := refusal(err); other != nil {
				return other
			} else if refused == nil {
				tx.Record(e)
				gone = append(gone, next)
				continue
			}
			if c.ErasedAt.IsZero() {
				if again.IsZero() {
					again = now.Add(concert.ErasureTerm)
				}
				tx.SetClock(concert.ClockCaptures, string(it.ID), again)
			}
		}
		if len(gone) == 0 {
			return nil
		}
		return tx.EraseCaptures(ctx, gone)
	})
	if err == nil && len(gone) > 0 {
		s.unscrubbed.Store(true)
		err = s.removeFiles(ctx)
	}
	return err
}

// removeFiles removes the files of erased bytes, whose keys are gone already.
func (s *Service) removeFiles(ctx context.Context) error {
	if s.Vault == nil {
		return nil
	}
	var names []string
	err := s.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		names, err = tx.GoneFiles(ctx, filesMost)
		return err
	})
	if err != nil || len(names) == 0 {
		return err
	}
	for _, name := range names {
		if err := s.Vault.Remove(name); err != nil {
			return err
		}
	}
	return s.DB.Update(ctx, func(tx *store.Tx) error { return tx.FilesRemoved(ctx, names) })
}

// sweepCaptures removes what crashes left in the vault: files half written, and
// whole ones that no act took.
func (s *Service) sweepCaptures(ctx context.Context) error {
	if s.Vault == nil {
		return nil
	}
	old := map[string]string{}
	before := time.Now().Add(-orphanAge)
	err := s.Vault.Each(func(name, path string, info fs.FileInfo) error {
		switch {
		case info.ModTime().After(before):
		case name == "":
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		default:
			old[name] = path
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	names := make([]string, 0, len(old))
	for name := range old {
		names = append(names, name)
	}
	var known map[string]bool
	err = s.DB.View(ctx, func(tx *store.Tx) error {
		known, err = tx.KnownFiles(ctx, names)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if !known[name] {
			if err := s.Vault.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
