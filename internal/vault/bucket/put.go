package bucket

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

const (
	// PartLeast is the size of a part, in bytes, up to about 155 GB.
	PartLeast = 16 << 20

	partMost  = 5 << 30 // as S3 has it
	partsMost = 10_000
	partsPlan = 9_900 // leaves room where more comes than was expected
	inFlight  = 2     // parts on their way while the next one fills
	endMost   = time.Minute
	pagesMost = 100
)

// Put is an object to be made.
type Put struct {
	Name     Name
	To       age.Recipient
	Head     int                                                        // bytes that the head will have
	Expect   int64                                                      // about how many bytes are written, for the size of parts
	Write    func(w io.Writer) error                                    // writes everything; it becomes an age file
	Describe func(size int64, sha256 [sha256.Size]byte) ([]byte, error) // gives the head once the age file is known
	Retain   time.Time                                                  // the server keeps it until then, whoever asks; zero: no more than it does anyway
	Say      func(text string)                                          // told of what is worth knowing and no error
	PartSize int64                                                      // 0: by Expect, PartLeast at least
}

// Put makes an object: a head, and what is written, encrypted. It never takes the place
// of another. No more than four parts are in memory at once. When it fails, nothing is
// there, and no upload is left where the server can be reached.
func (c *Client) Put(ctx context.Context, p Put) (err error) {
	size, err := p.partSize()
	if err != nil {
		return err
	}
	if err := c.vacant(ctx, c.first, p.Name); err != nil {
		return err
	}
	if !p.Retain.IsZero() {
		if err := c.retains(ctx, p.Name); err != nil {
			return err
		}
	}
	if err := c.sweep(ctx, p.Name, p.Say); err != nil {
		return err
	}
	u := &upload{Client: c, name: p.Name, done: map[int]minio.CompletePart{}}
	if err := u.begin(ctx, p.Retain); err != nil {
		return err
	}
	total, head, err := u.fill(ctx, p, size)
	if err == nil {
		err = u.complete(ctx, total, head)
	}
	if err != nil {
		return u.abort(ctx, err)
	}
	return u.look(ctx, total, head, p.Retain)
}

func (p Put) partSize() (int64, error) {
	if p.PartSize > 0 {
		return max(p.PartSize, int64(p.Head)), nil
	}
	// age adds 16 bytes to each 64 KiB.
	need := (p.Expect + p.Expect/4000 + int64(p.Head) + 1<<10) / partsPlan
	size := max((need/(1<<20)+1)<<20, PartLeast)
	if size > partMost {
		return 0, fmt.Errorf("%d bytes are more than one object takes, which is %d parts of %d bytes: lock it in pieces", p.Expect, partsPlan, int64(partMost))
	}
	return size, nil
}

// vacant says whether nothing is there yet.
func (c *Client) vacant(ctx context.Context, by *minio.Core, name Name) error {
	_, err := c.find(ctx, by, name)
	if err == nil {
		return exists(name)
	}
	if errors.Is(err, ErrMissing) {
		return nil
	}
	return err
}

func exists(name Name) error {
	return fmt.Errorf("%s: %w; it was left untouched, name another key", name, ErrExists)
}

// retains asks whether the bucket keeps anything for a time, before much is sent.
func (c *Client) retains(ctx context.Context, name Name) error {
	enabled, _, _, _, err := c.first.GetObjectLockConfig(ctx, name.Bucket)
	if code := codeOf(err); code == minio.AccessDenied || enabled == "Enabled" {
		return nil // where it does not tell, the object itself will
	}
	if err != nil && codeOf(err) == "" && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("the server keeps nothing in bucket %s until a date: object lock is not enabled there; nothing was stored, name a bucket that has it, or lock without -retain-until", name.Bucket)
}

// sweep ends what earlier attempts at the same name left, of which nothing can be used.
func (c *Client) sweep(ctx context.Context, name Name, say func(string)) error {
	var key, id string
	for range pagesMost {
		page, err := c.core.ListMultipartUploads(ctx, name.Bucket, name.Key, key, id, "", 1000)
		switch codeOf(err) {
		case "NoSuchUpload":
			return nil
		case minio.AccessDenied, minio.NotImplemented, minio.MethodNotAllowed:
			say("Whether an earlier attempt left a part of an upload there, the server does not say.")
			return nil
		}
		if err != nil {
			return c.explain(name, err)
		}
		for _, u := range page.Uploads {
			if u.Key != name.Key {
				continue
			}
			if err := c.core.AbortMultipartUpload(ctx, name.Bucket, name.Key, u.UploadID); err != nil && codeOf(err) != "NoSuchUpload" {
				return c.explain(name, err)
			}
			say(fmt.Sprintf("Aborted: an upload to the same name that was begun %s and never ended (%.100q).", u.Initiated.UTC().Format(time.RFC3339), u.UploadID))
		}
		if !page.IsTruncated {
			return nil
		}
		key, id = page.NextKeyMarker, page.NextUploadIDMarker
	}
	return nil
}

// upload is one object on its way.
type upload struct {
	*Client
	name Name
	id   string
	mu   sync.Mutex
	done map[int]minio.CompletePart
}

func (u *upload) begin(ctx context.Context, retain time.Time) (err error) {
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream", UserMetadata: map[string]string{"X-Amz-Checksum-Algorithm": "SHA256"}}
	if !retain.IsZero() {
		opts.Mode, opts.RetainUntilDate = minio.Compliance, retain
	}
	u.id, err = u.core.NewMultipartUpload(ctx, u.name.Bucket, u.name.Key, opts)
	switch {
	case err != nil && !retain.IsZero():
		return fmt.Errorf("the server takes nothing that it is to keep until %s; nothing was stored: %w", retain.Format(time.RFC3339), u.explain(u.name, err))
	case err != nil:
		return u.explain(u.name, err)
	case u.id == "":
		return fmt.Errorf("%s: %s began no upload", u.name, u.host)
	}
	return nil
}

// fill sends every part, the first one last, since it begins with what is known at the
// end.
func (u *upload) fill(ctx context.Context, p Put, size int64) (total int64, head []byte, err error) {
	group, sending := errgroup.WithContext(ctx)
	parts := &parts{size: int(size), room: p.Head, sum: sha256.New(), free: make(chan []byte, inFlight+1), stopped: sending.Done()}
	for range inFlight + 1 {
		parts.free <- nil
	}
	parts.send = func(number int, body []byte) {
		group.Go(func() error {
			defer func() { parts.free <- body[:0] }()
			return u.part(sending, number, body)
		})
	}
	if err = encrypted(parts, p); err == nil {
		parts.flush()
	}
	if sent := group.Wait(); sent != nil {
		err = sent // it is why the writer was stopped
	}
	if err != nil {
		return 0, nil, err
	}
	if head, err = p.Describe(parts.n, [sha256.Size]byte(parts.sum.Sum(nil))); err != nil {
		return 0, nil, err
	}
	if len(head) != p.Head {
		return 0, nil, fmt.Errorf("the head has %d bytes, and %d were kept for it", len(head), p.Head)
	}
	copy(parts.first, head)
	return parts.n + int64(len(head)), head, u.part(ctx, 1, parts.first)
}

func encrypted(dst io.Writer, p Put) error {
	enc, err := age.Encrypt(dst, p.To)
	if err != nil {
		return err
	}
	if err := p.Write(enc); err != nil {
		return err
	}
	return enc.Close()
}

// parts cuts what is written into parts of one size.
type parts struct {
	size, room int
	sum        hash.Hash
	n          int64
	first      []byte // the head's room, and the beginning
	filling    []byte
	number     int // of the part that fills; 1 while first does
	free       chan []byte
	stopped    <-chan struct{}
	send       func(number int, body []byte)
}

// Write takes a piece of the age file.
func (p *parts) Write(b []byte) (int, error) {
	if p.number == 0 {
		p.number, p.first = 1, make([]byte, p.room, p.size)
	}
	p.sum.Write(b)
	p.n += int64(len(b))
	for rest := b; len(rest) > 0; {
		if p.number == 1 {
			n := min(len(rest), p.size-len(p.first))
			p.first, rest = append(p.first, rest[:n]...), rest[n:]
			if len(rest) == 0 {
				return len(b), nil
			}
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		if len(p.filling) == p.size {
			p.send(p.number, p.filling)
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		n := min(len(rest), p.size-len(p.filling))
		p.filling, rest = append(p.filling, rest[:n]...), rest[n:]
	}
	return len(b), nil
}

// next waits for a part's memory.
func (p *parts) next() error {
	select {
	case p.filling = <-p.free:
	case <-p.stopped:
		return context.Canceled
	}
	if p.filling == nil {
		p.filling = make([]byte, 0, p.size)
	}
	if p.number++; p.number > partsMost {
		return errors.New("there is more than was there when it began: lock it again")
	}
	return nil
}

// flush sends what is left.
func (p *parts) flush() {
	if p.number > 1 {
		p.send(p.number, p.filling)
	}
}

func (u *upload) part(ctx context.Context, number int, body []byte) error {
	sum := sha256.Sum256(body)
	sent := base64.StdEncoding.EncodeToString(sum[:])
	got, err := u.core.PutObjectPart(ctx, u.name.Bucket, u.name.Key, u.id, number, bytes.NewReader(body), int64(len(body)), minio.PutObjectPartOptions{
		Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true, CustomHeader: http.Header{"X-Amz-Checksum-Sha256": {sent}}})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case codeOf(err) == "NoSuchUpload":
		return fmt.Errorf("%s: the upload was ended by somebody else, perhaps by another lock to the same name", u.name)
	case err != nil:
		return fmt.Errorf("part %d: %w", number, u.explain(u.name, err))
	case got.ETag == "":
		return fmt.Errorf("%s: %s does not say that it has part %d", u.name, u.host, number)
	case cmp.Or(got.ChecksumSHA256, sent) != sent:
		return fmt.Errorf("%s: %s has another part %d than was sent: SHA-256 %.100q, not %s", u.name, u.host, number, got.ChecksumSHA256, sent)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done[number] = minio.CompletePart{PartNumber: number, ETag: got.ETag, ChecksumSHA256: got.ChecksumSHA256}
	return nil
}

// complete makes the parts one object, unless one is there. Where the answer is lost,
// what is there tells.
func (u *upload) complete(ctx context.Context, total int64, head []byte) error {
	if err := u.vacant(ctx, u.core, u.name); err != nil {
		return err
	}
	var all []minio.CompletePart
	for _, part := range u.done {
		all = append(all, part)
	}
	slices.SortFunc(all, func(a, b minio.CompletePart) int { return cmp.Compare(a.PartNumber, b.PartNumber) })
	var opts minio.PutObjectOptions
	opts.SetMatchETagExcept("*")
	_, err := u.core.CompleteMultipartUpload(ctx, u.name.Bucket, u.name.Key, u.id, all, opts)
	if codeOf(err) == minio.NotImplemented { // it does not know the condition
		_, err = u.core.CompleteMultipartUpload(ctx, u.name.Bucket, u.name.Key, u.id, all, minio.PutObjectOptions{})
	}
	if err == nil {
		return nil
	}
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), endMost)
	defer stop()
	if _, ours := u.ours(late, total, head); ours == nil {
		return nil
	}
	switch {
	case codeOf(err) == minio.PreconditionFailed || codeOf(err) == "ConditionalRequestConflict":
		return exists(u.name)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return u.explain(u.name, err)
}

// ours says whether what is there is what was sent, by its length and its head, which
// no other has.
func (u *upload) ours(ctx context.Context, total int64, head []byte) (Object, error) {
	o, err := u.find(ctx, u.core, u.name)
	if err != nil {
		return o, err
	}
	if o.Size != total {
		return o, fmt.Errorf("%s: %d bytes were sent and %s has %d", u.name, total, u.host, o.Size)
	}
	body := u.Range(ctx, o, 0, int64(len(head)))
	defer body.Close()
	got, err := io.ReadAll(body)
	if err != nil {
		return o, err
	}
	if !bytes.Equal(got, head) {
		return o, fmt.Errorf("%s: what %s has begins with another head than was sent: somebody else wrote there", u.name, u.host)
	}
	return o, nil
}

// look reads back what the server says of the object.
func (u *upload) look(ctx context.Context, total int64, head []byte, retain time.Time) error {
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), endMost)
	defer stop()
	o, err := u.ours(late, total, head)
	if err != nil {
		return fmt.Errorf("the server said that all is stored, and it cannot be seen there: %w", err)
	}
	if o.Retained.Before(retain.Truncate(time.Second)) {
		return fmt.Errorf("%s: %w until %s: set the retention there, or remove the object", u.name, ErrNotRetained, retain.Format(time.RFC3339))
	}
	return nil
}

// abort leaves nothing of an upload that failed.
func (u *upload) abort(ctx context.Context, cause error) error {
	late, stop := context.WithTimeout(context.WithoutCancel(ctx), endMost)
	defer stop()
	err := u.first.AbortMultipartUpload(late, u.name.Bucket, u.name.Key, u.id)
	switch {
	case codeOf(err) == "NoSuchUpload":
		return fmt.Errorf("%w (the server does not know the upload any more: concert evidence locked %s says whether it is there)", cause, u.name)
	case err != nil:
		return fmt.Errorf("%w (its upload could not be aborted, and the next lock to the same name does it: %.200s)", cause, u.explain(u.name, err))
	}
	return cause
}
