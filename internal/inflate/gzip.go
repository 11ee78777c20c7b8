package inflate

import (
	"errors"
	"hash/crc32"
	"io"
)

// textMost bounds a member's name and its comment, as compress/gzip does.
const textMost = 512

// Gzip reads the text of one gzip member after another (RFC 1952).
type Gzip struct {
	d    decoder
	crc  uint32
	size uint32
	err  error
}

// NewGzip reads the first member's head. io.EOF says that the input is empty.
func NewGzip(r io.Reader) (*Gzip, error) {
	z := &Gzip{d: decoder{r: r, in: make([]byte, inSize+pad), out: make([]byte, outSize)}}
	if err := z.head(); err != nil {
		return nil, err
	}
	return z, nil
}

// Read implements io.Reader. io.EOF comes where a member ended and nothing follows.
func (z *Gzip) Read(p []byte) (int, error) {
	for z.d.from == z.d.w {
		if z.err != nil {
			return 0, z.err
		}
		if len(p) == 0 {
			return 0, nil
		}
		err := z.d.more()
		text := z.d.out[z.d.from:z.d.w]
		z.crc = crc32.Update(z.crc, crc32.IEEETable, text)
		z.size += uint32(len(text))
		if err == io.EOF {
			err = z.next()
		}
		z.err = err
	}
	n := copy(p, z.d.out[z.d.from:z.d.w])
	z.d.from += n
	return n, nil
}

// next compares what stands behind a member, and reads the head of another.
func (z *Gzip) next() error {
	d := &z.d
	d.take(d.n & 7)
	crc, size := d.take(32), d.take(32)
	if err := d.short(); err != nil {
		return err
	}
	if crc != z.crc || size != z.size {
		return ErrCorrupt
	}
	return z.head()
}

// head reads a member's head; io.EOF where nothing follows.
func (z *Gzip) head() error {
	d := &z.d
	d.align()
	if d.fill(); d.pos == d.end {
		return d.ended
	}
	var sum uint32
	octet := func() byte {
		b := byte(d.take(8))
		sum = crc32.Update(sum, crc32.IEEETable, []byte{b})
		return b
	}
	const hasCRC, hasExtra, hasName, hasComment = 2, 4, 8, 16
	var fixed [10]byte
	for i := range fixed {
		fixed[i] = octet()
	}
	if err := d.short(); err != nil {
		return err
	}
	flags := fixed[3]
	if fixed[0] != 0x1f || fixed[1] != 0x8b || fixed[2] != 8 {
		return ErrCorrupt
	}
	if flags&hasExtra != 0 {
		for n := int(octet()) | int(octet())<<8; n > 0 && d.short() == nil; n-- {
			octet()
		}
	}
	for _, has := range []byte{hasName, hasComment} {
		for n := 1; flags&has != 0 && octet() != 0 && d.short() == nil; n++ {
			if n == textMost {
				return ErrCorrupt
			}
		}
	}
	if want := sum & 0xffff; flags&hasCRC != 0 && d.take(16) != want {
		return errors.Join(d.short(), ErrCorrupt)
	}
	if err := d.short(); err != nil {
		return err
	}
	z.crc, z.size = 0, 0
	d.begin()
	return nil
}
