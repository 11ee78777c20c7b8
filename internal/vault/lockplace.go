package vault

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"filippo.io/age"

	"concert/internal/durable"
	"concert/internal/vault/bucket"
)

// BucketServer says how a server that speaks S3 is reached, and with which keys.
type BucketServer = bucket.Server

// ErrNotRetained says that an exhibit is stored whole, and that the server does not
// say that it keeps it as long as was asked.
var ErrNotRetained = bucket.ErrNotRetained

// Place is where a locked exhibit lies, or is to lie: a file, or an object in a bucket.
// It is the only way to a bucket, and only locking writes there.
type Place struct {
	path   string
	object bucket.Name
	client *bucket.Client // nil: a file
}

// FilePlace is a file.
func FilePlace(path string) Place { return Place{path: path} }

// PlaceOf is the object that s3://bucket/key names, or else a file. The server is not
// asked yet.
func PlaceOf(name string, server BucketServer) (Place, error) {
	if !InBucket(name) {
		return FilePlace(name), nil
	}
	object, err := bucket.ParseName(name)
	if err != nil {
		return Place{}, err
	}
	client, err := bucket.Open(server)
	return Place{object: object, client: client}, err
}

// InBucket says whether a name is an object's.
func InBucket(name string) bool { return strings.HasPrefix(name, bucket.Scheme) }

// CheckPlace says what is wrong with the name of something to be read, as far as it
// shows without asking a server.
func CheckPlace(name string) error {
	if InBucket(name) {
		_, err := bucket.ParseName(name)
		return err
	}
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: name a locked file", name)
	}
	return err
}

// String names it as it was named.
func (p Place) String() string {
	if p.client != nil {
		return p.object.String()
	}
	return p.path
}

// withLock reads a head, compares the length that it promises with what is there, and
// gives the payload to use where there is a use.
func (p Place) withLock(ctx context.Context, use func(l Lock, payload io.Reader) error) (Lock, error) {
	if p.client != nil {
		o, err := p.client.Find(ctx, p.object)
		if err != nil {
			return Lock{}, err
		}
		return p.readAt(func(from, n int64) io.ReadCloser { return p.client.Range(ctx, o, from, n) }, o.Size, use)
	}
	f, err := os.Open(p.path)
	if err != nil {
		return Lock{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Lock{}, err
	}
	return p.readAt(func(from, n int64) io.ReadCloser { return io.NopCloser(io.NewSectionReader(f, from, n)) }, st.Size(), use)
}

func (p Place) readAt(part func(from, n int64) io.ReadCloser, size int64, use func(l Lock, payload io.Reader) error) (Lock, error) {
	l, err := lockAt(part, size)
	if err != nil {
		return l, fmt.Errorf("%s: %w", p, err)
	}
	if size != l.headSize+l.Size {
		return l, fmt.Errorf("%s has %d bytes and says that it has %d: it was cut short or added to", p, size, l.headSize+l.Size)
	}
	if use == nil {
		return l, nil
	}
	payload := part(l.headSize, l.Size)
	return l, errors.Join(use(l, payload), payload.Close())
}

const headUsual = 32 << 10 // bytes; longer heads are asked for a second time

// lockAt reads a head and no more than its beginning of what follows.
func lockAt(part func(from, n int64) io.ReadCloser, size int64) (Lock, error) {
	begin := part(0, min(size, headUsual))
	rest := part(min(size, headUsual), min(max(size-headUsual, 0), lockBeginMost))
	l, err := readLock(io.MultiReader(begin, rest))
	return l, errors.Join(err, begin.Close(), rest.Close())
}

// lockPut is what is to be locked at a place.
type lockPut struct {
	to       age.Recipient
	room     int // bytes of the head
	expect   int64
	retain   time.Time
	say      func(string)
	partSize int64
	write    func(w io.Writer) error // in the clear; what is stored is encrypted
	describe func(size int64, sum [sha256.Size]byte) ([]byte, error)
}

func (p Place) put(ctx context.Context, j lockPut) error {
	if p.client != nil {
		return p.client.Put(ctx, bucket.Put{Name: p.object, To: j.to, Head: j.room, Expect: j.expect, Write: j.write, Describe: j.describe, Retain: j.retain, Say: j.say, PartSize: j.partSize})
	}
	if !j.retain.IsZero() {
		return fmt.Errorf("%s is a file, which nothing keeps until a date: that is for a bucket", p.path)
	}
	return p.putFile(j)
}

func (p Place) putFile(j lockPut) (err error) {
	if _, err := os.Lstat(p.path); err == nil {
		return fmt.Errorf("%s exists already; it was left untouched, name another file", p.path)
	}
	out, err := os.CreateTemp(dirOf(p.path), ".lock-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close(), os.Remove(out.Name()))
		}
	}()
	if _, err := out.Write(make([]byte, j.room)); err != nil {
		return err
	}
	sum := sha256.New()
	buf := bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<20)
	n := &counted{w: buf}
	enc, err := age.Encrypt(n, j.to)
	if err != nil {
		return err
	}
	if err := j.write(enc); err != nil {
		return err
	}
	if err := errors.Join(enc.Close(), buf.Flush()); err != nil {
		return err
	}
	head, err := j.describe(n.n, [sha256.Size]byte(sum.Sum(nil)))
	if err != nil {
		return err
	}
	// What is filled in has the length of what stood there.
	if _, err := out.WriteAt(head, 0); err != nil {
		return err
	}
	if err := errors.Join(out.Chmod(0o400), out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Link(out.Name(), p.path); err != nil { // never over another file
		return err
	}
	return errors.Join(os.Remove(out.Name()), durable.SyncDir(dirOf(p.path)))
}

// Stored is a locked exhibit in a bucket, by its head alone, which vouches for nothing.
type Stored struct {
	Name     string
	Size     int64 // bytes, as the server says
	Modified time.Time
	Lock     Lock
	Err      error // why it is none: ErrNotLocked for what is something else
}

// ListStored lists what lies below s3://bucket/prefix, and reads the heads.
func ListStored(ctx context.Context, prefix string, server BucketServer) (iter.Seq2[Stored, error], error) {
	name, err := bucket.ParsePrefix(prefix)
	if err != nil {
		return nil, err
	}
	client, err := bucket.Open(server)
	if err != nil {
		return nil, err
	}
	return func(yield func(Stored, error) bool) {
		for o, err := range client.List(ctx, name) {
			if err != nil {
				yield(Stored{}, err)
				return
			}
			s := Stored{Name: o.String(), Size: o.Size, Modified: o.Modified}
			s.Lock, s.Err = lockAt(func(from, n int64) io.ReadCloser { return client.Range(ctx, o, from, n) }, o.Size)
			if s.Err == nil && o.Size != s.Lock.headSize+s.Lock.Size {
				s.Err = fmt.Errorf("it has %d bytes and says that it has %d: it was cut short or added to", o.Size, s.Lock.headSize+s.Lock.Size)
			}
			if !yield(s, nil) {
				return
			}
		}
	}, nil
}
