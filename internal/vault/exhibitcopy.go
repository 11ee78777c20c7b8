package vault

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

var errTooDeep = errors.New("its path is longer than the bag's file system takes: seal the directory that it lies in as a source of its own")

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// copyFile reads one file of a source into the bag and journals it. Its error is
// the bag's, or the word to stop; what is wrong with the source stands in the item.
func (s *sealer) copyFile(ctx context.Context, t *taker, f found) error {
	d := &done{Item: f.item}
	src, err := openSource(f.path)
	if err != nil {
		return s.unread(d, err)
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return s.unread(d, err)
	}
	size := info.Size()
	if f.dev {
		if size, err = src.Seek(0, io.SeekEnd); err == nil {
			_, err = src.Seek(0, io.SeekStart)
		}
		s.Progress.Total.Add(size)
	} else if !info.Mode().IsRegular() {
		err = errors.New("it is no file any more")
	}
	if err != nil {
		return s.unread(d, err)
	}
	if !f.dev {
		d.Item = itemOf(f.item.Path, f.item.Name64, info)
	}
	d.Seen = seenOf(info, size)
	to := filepath.Join(s.bag, filepath.FromSlash(f.item.Path))
	if was := s.j.done[f.item.Path]; was != nil && was.Seen == d.Seen {
		if st, err := os.Lstat(to); err == nil && st.Mode().IsRegular() && st.Size() == was.Item.Size {
			s.Progress.Bytes.Add(was.Item.Size)
			s.Progress.Files.Add(1)
			s.keep(was)
			s.mu.Lock()
			s.resumed++
			s.mu.Unlock()
			return nil
		}
	}
	return s.copyTo(ctx, t, d, src, to)
}

// unread keeps an item that could not be opened.
func (s *sealer) unread(d *done, err error) error {
	d.Item.Outcome, d.Item.Note, d.Item.Size = OutcomeUnread, reason(err), 0
	s.Progress.Files.Add(1)
	s.keep(d)
	return nil
}

// copyTo copies and digests. Where an earlier run got some way into a long file,
// that part is digested from the copy, not from the source again.
func (s *sealer) copyTo(ctx context.Context, t *taker, d *done, src *os.File, to string) (err error) {
	path := d.Item.Path
	from, how := int64(0), os.O_RDWR|os.O_CREATE
	if p, ok := s.j.parts[path]; ok && p.Seen == d.Seen {
		if st, err := os.Lstat(to); err == nil && st.Mode().IsRegular() && st.Size() >= p.At {
			from = p.At
		}
	}
	if from == 0 {
		if err := os.Remove(to); err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENAMETOOLONG) {
			return err
		}
		how |= os.O_EXCL
	}
	dst, err := os.OpenFile(to, how, 0o600)
	if errors.Is(err, syscall.ENAMETOOLONG) {
		return s.unread(d, errTooDeep)
	}
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, dst.Close())
		}
	}()
	if err := dst.Truncate(from); err != nil {
		return err
	}
	if _, err := dst.Seek(from, io.SeekStart); err != nil {
		return err
	}
	var in io.Reader = src
	if from > 0 {
		in = io.MultiReader(io.NewSectionReader(dst, 0, from), io.NewSectionReader(src, from, d.Seen.Size-from))
	}
	last, told := from, int64(0)
	got := t.take(ctx, in, d.Seen.Size, &after{dst, from}, func(at int64) error {
		s.Progress.Bytes.Add(at - told)
		told = at
		if at-last < s.Checkpoint || at == d.Seen.Size {
			return nil
		}
		written := at - last
		last = at
		return s.j.add(entry{Part: &part{path, d.Seen, at}}, written)
	})
	if got.writeErr != nil {
		return got.writeErr
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.take(got)
	if late, err := src.Stat(); err == nil && d.Item.Outcome == "" && late.Mode().IsRegular() && seenOf(late, late.Size()) != d.Seen {
		d.Item.Outcome, d.Item.Note = OutcomeChanged, "it was written to while it was read"
	}
	if err := dst.Chmod(sealedMode); err != nil {
		return err
	}
	closed = true
	if err := dst.Close(); err != nil {
		return err
	}
	if at := time.Unix(0, d.Seen.Modified); d.Item.Modified != "" {
		_ = os.Chtimes(to, at, at) // a file system without times: the manifest has them
	}
	s.Progress.Files.Add(1)
	s.keep(d)
	return s.j.add(entry{Done: d}, got.size-last)
}

// take puts what a reading gave into the item.
func (d *done) take(got taken) {
	d.Item.SHA256, d.Item.BLAKE3 = hex.EncodeToString(got.sha256[:]), hex.EncodeToString(got.blake3[:])
	d.Item.Size, d.Pieces, d.Kind = got.size, got.pieces, containerKind(got.head)
	switch {
	case got.readErr == nil:
	case errors.Is(got.readErr, io.ErrUnexpectedEOF):
		d.Item.Outcome, d.Item.Note = OutcomeShort, fmt.Sprintf("it had %d bytes when it was opened and ended after %d", d.Seen.Size, got.size)
	default:
		d.Item.Outcome, d.Item.Note = OutcomeUnread, fmt.Sprintf("byte %d: %s; what is before is sealed, what is behind is not in the copy", got.size, reason(got.readErr))
	}
}

// after writes what comes after the first skip bytes, which are there already.
type after struct {
	w    io.Writer
	skip int64
}

// Write implements io.Writer.
func (a *after) Write(p []byte) (int, error) {
	n := len(p)
	k := min(a.skip, int64(n))
	a.skip -= k
	if p = p[k:]; len(p) == 0 {
		return n, nil
	}
	m, err := a.w.Write(p)
	return int(k) + m, err
}
