package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Object is something that is there, as the server describes it. Nothing of that is
// believed before it was read.
type Object struct {
	Name
	Size     int64 // bytes
	Modified time.Time
	Retained time.Time // until then the server says it keeps it (COMPLIANCE); zero: it does not
	etag     string
	version  string
}

// Find asks for one object.
func (c *Client) Find(ctx context.Context, name Name) (Object, error) {
	return c.find(ctx, c.first, name)
}

func (c *Client) find(ctx context.Context, by *minio.Core, name Name) (Object, error) {
	info, err := by.StatObject(ctx, name.Bucket, name.Key, minio.StatObjectOptions{})
	if err != nil {
		return Object{}, c.explain(name, err)
	}
	o := Object{Name: name, Size: info.Size, Modified: info.LastModified, etag: info.ETag, version: info.VersionID}
	if o.Size < 0 {
		return Object{}, fmt.Errorf("%s: %s does not say how long it is", name, c.host)
	}
	if info.Metadata.Get("X-Amz-Object-Lock-Mode") == string(minio.Compliance) {
		o.Retained, _ = time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	}
	return o, nil
}

// List gives what is below a prefix, in the server's order. Keys are as the server
// writes them.
func (c *Client) List(ctx context.Context, prefix Name) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		for info := range c.first.ListObjectsIter(ctx, prefix.Bucket, minio.ListObjectsOptions{Prefix: prefix.Key, Recursive: true}) {
			if info.Err != nil {
				yield(Object{}, c.explain(prefix, info.Err))
				return
			}
			if !yield(Object{Name: Name{prefix.Bucket, info.Key}, Size: info.Size, Modified: info.LastModified, etag: info.ETag}, nil) {
				return
			}
		}
	}
}

const (
	resumeMost     = 5        // times that a body is asked for again without having come far
	resumeProgress = 64 << 10 // bytes that are far enough
)

// Body is a part of an object while it arrives. It goes on by itself where a
// connection was lost; its errors stay.
type Body struct {
	open    func(from int64) (io.ReadCloser, error)
	at, end int64
	opened  int64 // where the current one began
	poor    int   // openings in a row that brought little
	current io.ReadCloser
	err     error
	name    Name
}

// Range reads n bytes of an object from an offset on, and asks for nothing before it
// is read. What is replaced meanwhile is noticed where the server does.
func (c *Client) Range(ctx context.Context, o Object, from, n int64) *Body {
	b := &Body{at: from, end: from + n, name: o.Name}
	b.open = func(at int64) (io.ReadCloser, error) { return c.open(ctx, o, at, b.end-1) }
	return b
}

func (c *Client) open(ctx context.Context, o Object, from, last int64) (io.ReadCloser, error) {
	opts := minio.GetObjectOptions{VersionID: o.version}
	opts.Set("Range", fmt.Sprintf("bytes=%d-%d", from, last))
	if o.etag != "" {
		opts.Set("If-Match", `"`+o.etag+`"`)
	}
	body, _, header, err := c.core.GetObject(ctx, o.Bucket, o.Key, opts)
	if err != nil {
		switch codeOf(err) {
		case minio.PreconditionFailed, minio.NoSuchKey:
			err = fmt.Errorf("%s: %w: read it again", o.Name, ErrChanged)
		case "InvalidRange":
			err = fmt.Errorf("%s: it is shorter than %s said: %w", o.Name, c.host, ErrCutShort)
		default:
			err = c.explain(o.Name, err)
		}
		return nil, err
	}
	if err := ranged(header, from, last, o.Size); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", o.Name, err), body.Close())
	}
	return body, nil
}

// ranged says whether an answer is the one to a question for bytes from to last.
func ranged(h http.Header, from, last, size int64) error {
	where, total, _ := strings.Cut(strings.TrimPrefix(h.Get("Content-Range"), "bytes "), "/")
	first, end, _ := strings.Cut(where, "-")
	a, errA := strconv.ParseInt(first, 10, 64)
	b, errB := strconv.ParseInt(end, 10, 64)
	switch {
	case errA != nil || errB != nil || a != from:
		return ErrNoRange
	case total != "*" && total != strconv.FormatInt(size, 10):
		return ErrChanged
	case b < last:
		return ErrCutShort
	case b > last:
		return ErrMore
	}
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n > last-from+1 {
		return ErrMore
	}
	return nil
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	for b.err == nil {
		if b.at == b.end {
			b.err = b.finish()
			break
		}
		if b.current == nil {
			if b.current, b.err = b.open(b.at); b.err != nil {
				b.current = nil
				break
			}
			b.opened = b.at
		}
		n, err := b.current.Read(p[:min(int64(len(p)), b.end-b.at)])
		b.at += int64(n)
		if err != nil && b.at < b.end {
			b.err = b.lost(err)
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
	}
	return 0, b.err
}

// lost ends a body that broke off, and says whether it is asked for again.
func (b *Body) lost(err error) error {
	_ = b.current.Close() // it is broken as it is
	b.current = nil
	if b.at-b.opened >= resumeProgress {
		b.poor = 0
	}
	if b.poor++; b.poor >= resumeMost || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%s: %w: at byte %d, %d are missing (%w)", b.name, ErrCutShort, b.at, b.end-b.at, err)
	}
	return nil
}

// finish makes sure that nothing follows.
func (b *Body) finish() error {
	if b.current == nil {
		return io.EOF
	}
	n, _ := b.current.Read(make([]byte, 1))
	err := b.Close()
	if n > 0 {
		return fmt.Errorf("%s: %w", b.name, ErrMore)
	}
	if err != nil {
		return err
	}
	return io.EOF
}

// Close ends a body before its end.
func (b *Body) Close() error {
	if b.current == nil {
		return nil
	}
	err := b.current.Close()
	b.current = nil
	return err
}
