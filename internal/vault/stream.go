package vault

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// Chunk is how many plain bytes one chunk holds; only the last holds less.
	Chunk = 64 << 10
	// KeySize is the size of a key in bytes.
	KeySize = 32

	magic     = "concert-vault/1\n"
	saltSize  = 32
	tagSize   = 16
	nonceSize = 12
	// last marks the nonce of the last chunk.
	last = 1
)

// ErrDamaged says that bytes are not what was sealed under this key for this
// purpose: changed, cut short, extended, or another's. It does not say which.
var ErrDamaged = errors.New("the sealed bytes are not what was put there: damaged, incomplete, or of another key")

// SealedSize is the size of n plain bytes once they are sealed.
func SealedSize(n int64) int64 {
	return int64(len(magic)) + saltSize + n + tagSize*max(1, (n+Chunk-1)/Chunk)
}

// cipherOf is the stream's own cipher: a fresh salt makes its nonces, which
// count from 0, unique under one key.
func cipherOf(key [KeySize]byte, salt, purpose []byte) (cipher.AEAD, error) {
	own, err := hkdf.Key(sha256.New, key[:], salt, "concert vault 1\x00"+string(purpose), KeySize)
	if err != nil {
		return nil, fmt.Errorf("vault: derive the stream's key: %w", err)
	}
	block, err := aes.NewCipher(own)
	if err != nil {
		return nil, fmt.Errorf("vault: AES-256: %w", err)
	}
	return cipher.NewGCM(block)
}

// place is the nonce of the chunk with the number.
func place(nonce *[nonceSize]byte, number uint64, end bool) []byte {
	binary.BigEndian.PutUint64(nonce[3:], number)
	nonce[nonceSize-1] = 0
	if end {
		nonce[nonceSize-1] = last
	}
	return nonce[:]
}

// Writer seals what is written to it. Without Close nothing of it opens.
type Writer struct {
	w      io.Writer
	aead   cipher.AEAD
	plain  []byte
	sealed []byte
	number uint64
	err    error
}

// NewWriter begins a stream on w under the key, bound to its purpose, which is
// needed again to open it.
func NewWriter(w io.Writer, key [KeySize]byte, purpose []byte) (*Writer, error) {
	head := make([]byte, len(magic)+saltSize)
	copy(head, magic)
	rand.Read(head[len(magic):])
	aead, err := cipherOf(key, head[len(magic):], purpose)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	return &Writer{w: w, aead: aead, plain: make([]byte, 0, Chunk)}, nil
}

// Write seals plain bytes.
func (s *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 && s.err == nil {
		// A full chunk waits until it is known not to be the last.
		if len(s.plain) == Chunk {
			s.flush(false)
		}
		k := min(Chunk-len(s.plain), len(p))
		s.plain = append(s.plain, p[:k]...)
		n, p = n+k, p[k:]
	}
	return n, s.err
}

// Close seals the last chunk. It does not close what lies below.
func (s *Writer) Close() error {
	if s.err == nil {
		s.flush(true)
	}
	if s.err != nil {
		return s.err
	}
	s.err = errors.New("vault: the stream is closed")
	return nil
}

func (s *Writer) flush(end bool) {
	var nonce [nonceSize]byte
	s.sealed = s.aead.Seal(s.sealed[:0], place(&nonce, s.number, end), s.plain, nil)
	s.number++
	s.plain = s.plain[:0]
	_, s.err = s.w.Write(s.sealed)
}

// Reader opens a stream, chunk by chunk: what it gives is authentic, and the end
// comes only where the whole was read.
type Reader struct {
	r      io.Reader
	aead   cipher.AEAD
	sealed []byte
	plain  []byte // opened and not given yet
	number uint64
	err    error
}

// NewReader opens a stream that a Writer made.
func NewReader(r io.Reader, key [KeySize]byte, purpose []byte) (*Reader, error) {
	head := make([]byte, len(magic)+saltSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, short(err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, ErrDamaged
	}
	aead, err := cipherOf(key, head[len(magic):], purpose)
	if err != nil {
		return nil, err
	}
	return &Reader{r: r, aead: aead, sealed: make([]byte, 0, Chunk+tagSize+1)}, nil
}

// short is ErrDamaged where a stream ends too early.
func short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrDamaged
	}
	return err
}

// Read gives plain bytes.
func (o *Reader) Read(p []byte) (int, error) {
	for len(o.plain) == 0 {
		if o.err != nil {
			return 0, o.err
		}
		o.next()
	}
	n := copy(p, o.plain)
	o.plain = o.plain[n:]
	return n, nil
}

// next opens one chunk. One byte more than a chunk is read, so that it is known
// whether it is the last; that byte begins the next.
func (o *Reader) next() {
	kept := len(o.sealed)
	buf := o.sealed[:cap(o.sealed)]
	n, err := io.ReadFull(o.r, buf[kept:])
	n += kept
	var nonce [nonceSize]byte
	switch {
	case err == nil:
		plain, err := o.aead.Open(nil, place(&nonce, o.number, false), buf[:n-1], nil)
		if err != nil {
			o.err = ErrDamaged
			return
		}
		o.number++
		o.plain = plain
		o.sealed = append(o.sealed[:0], buf[n-1])
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		plain, err := o.aead.Open(nil, place(&nonce, o.number, true), buf[:n], nil)
		if err != nil || len(plain) == 0 && o.number > 0 {
			o.err = ErrDamaged
			return
		}
		o.plain, o.err = plain, io.EOF
	default:
		o.err = err
	}
}

// Seal is a whole stream of these bytes.
func Seal(key [KeySize]byte, purpose, plain []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(int(SealedSize(int64(len(plain)))))
	w, err := NewWriter(&out, key, purpose)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Open is what Seal sealed.
func Open(key [KeySize]byte, purpose, sealed []byte) ([]byte, error) {
	r, err := NewReader(bytes.NewReader(sealed), key, purpose)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
