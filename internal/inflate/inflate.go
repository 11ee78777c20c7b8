package inflate

import (
	"encoding/binary"
	"errors"
	"io"
)

// ErrCorrupt says that the data are no DEFLATE stream, or not the one that was written.
var ErrCorrupt = errors.New("inflate: the compressed data are damaged")

const (
	window  = 32 << 10
	inSize  = 256 << 10
	outSize = window + 256<<10
	// pad is how many zeros stand behind the end of the input, so that eight bytes
	// may always be looked at.
	pad = 32
	// slack is what a match may write beyond the place where it began: itself, and
	// the rest of the last eight bytes.
	slack = 258 + 8 + 8
	// margin is how far from the input's end symbols are decoded without care.
	margin = 16
)

// decoder decodes one DEFLATE stream after another from one input.
type decoder struct {
	r     io.Reader
	in    []byte
	pos   int // of the first byte that is not in bits
	end   int
	ended error // io.EOF, or why nothing more comes

	bits uint64 // the lowest n bits come next
	n    uint

	out  []byte
	base int // where the stream's first byte lies, or lay
	from int // of what was not given yet
	w    int

	coded  bool // inside a block of codes
	stored int  // bytes left of a stored block
	last   bool // it is the stream's last block

	lit  [litSize]uint32
	dist [distSize]uint32
}

// fill reads more input. Behind the end of all stand zeros.
func (d *decoder) fill() {
	kept := copy(d.in, d.in[d.pos:d.end])
	d.pos, d.end = 0, kept
	for d.end < margin && d.ended == nil {
		n, err := d.r.Read(d.in[d.end:inSize])
		d.end += n
		d.ended = err
	}
	clear(d.in[d.end : d.end+pad])
}

// need puts at least 56 bits into bits; beyond the input's end they are zeros.
func (d *decoder) need() {
	if d.pos+margin > d.end && d.ended == nil {
		d.fill()
	}
	if d.pos > d.end+pad-8 {
		return
	}
	d.bits |= binary.LittleEndian.Uint64(d.in[d.pos:]) << d.n
	d.pos += int(63-d.n) >> 3
	d.n |= 56
}

// take gives the next bits, at most 32.
func (d *decoder) take(n uint) uint32 {
	if d.n < n {
		d.need()
	}
	v := uint32(d.bits & (1<<n - 1))
	d.bits >>= n
	d.n -= min(n, d.n)
	return v
}

// short says why the input ended where more was needed; nil where it did not.
func (d *decoder) short() error {
	switch {
	case d.pos-int(d.n>>3) <= d.end:
		return nil
	case d.ended == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return d.ended
}

// align goes on at the next whole byte, and leaves no byte in bits.
func (d *decoder) align() {
	d.pos -= int(d.n >> 3)
	d.bits, d.n = 0, 0
}

// begin prepares for a stream.
func (d *decoder) begin() { d.base, d.coded, d.stored, d.last = d.w, false, 0, false }

// more decodes until the buffer is full or the stream ends, which io.EOF tells.
// What an error comes after was decoded well.
func (d *decoder) more() error {
	if d.w > outSize-slack {
		shift := d.w - window
		copy(d.out, d.out[shift:d.w])
		d.base, d.w = max(d.base-shift, 0), window
	}
	d.from = d.w
	for d.w <= outSize-slack {
		var err error
		switch {
		case d.coded:
			err = d.codes()
		case d.stored > 0:
			err = d.copyStored()
		case d.last:
			return io.EOF
		default:
			err = d.block()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// block reads a block's head.
func (d *decoder) block() error {
	d.last = d.take(1) == 1
	kind := d.take(2)
	if err := d.short(); err != nil {
		return err
	}
	switch kind {
	case 0:
		d.take(d.n & 7)
		size, check := d.take(16), d.take(16)
		if err := d.short(); err != nil {
			return err
		}
		if size != check^0xffff {
			return ErrCorrupt
		}
		d.stored = int(size)
		d.align()
		return nil
	case 1:
		var lens [litMost + distMost]uint8
		for i := range lens {
			switch {
			case i < 144, i >= 280 && i < litMost:
				lens[i] = 8
			case i < 256:
				lens[i] = 9
			case i < 280:
				lens[i] = 7
			default:
				lens[i] = 5
			}
		}
		return d.tables(lens[:litMost], lens[litMost:])
	case 2:
		return d.dynamic()
	}
	return ErrCorrupt
}

func (d *decoder) tables(lit, dist []uint8) error {
	if !build(d.lit[:], litRoot, lit, litEntry) || !build(d.dist[:], distRoot, dist, distEntry) {
		return ErrCorrupt
	}
	d.coded = true
	return nil
}

// dynamic reads the codes of a block (RFC 1951, 3.2.7).
func (d *decoder) dynamic() error {
	lits, dists, count := int(d.take(5))+257, int(d.take(5))+1, int(d.take(4))+4
	if lits > 286 || dists > 30 {
		return errors.Join(d.short(), ErrCorrupt)
	}
	var own [19]uint8
	for _, i := range lengthOrder[:count] {
		own[i] = uint8(d.take(3))
	}
	var table [128]uint32
	if err := d.short(); err != nil {
		return err
	}
	if !build(table[:], 7, own[:], plainEntry) {
		return ErrCorrupt
	}
	var lens [litMost + distMost]uint8
	for i := 0; i < lits+dists; {
		d.need()
		e := table[d.bits&127]
		symbol := e >> 16
		d.take(uint(e & 15))
		var value uint8
		times := 1
		switch {
		case e == 0:
			return errors.Join(d.short(), ErrCorrupt)
		case symbol < 16:
			value = uint8(symbol)
		case symbol == 16 && i == 0:
			return ErrCorrupt
		case symbol == 16:
			value, times = lens[i-1], 3+int(d.take(2))
		case symbol == 17:
			times = 3 + int(d.take(3))
		default:
			times = 11 + int(d.take(7))
		}
		if err := d.short(); err != nil {
			return err
		}
		if i+times > lits+dists {
			return ErrCorrupt
		}
		for range times {
			lens[i] = value
			i++
		}
	}
	return d.tables(lens[:lits], lens[lits:lits+dists])
}

func (d *decoder) copyStored() error {
	for d.stored > 0 && d.w <= outSize-slack {
		if d.pos == d.end {
			if d.ended != nil {
				d.pos++ // more than there is
				return d.short()
			}
			d.fill()
			continue
		}
		n := copy(d.out[d.w:outSize-slack+1], d.in[d.pos:min(d.end, d.pos+d.stored)])
		d.w, d.pos, d.stored = d.w+n, d.pos+n, d.stored-n
	}
	return nil
}

// codes decodes symbols until the block ends or the buffer is full.
func (d *decoder) codes() error {
	in, out := d.in, d.out
	pos, w, bits, n := d.pos, d.w, d.bits, d.n
	lit, dist := &d.lit, &d.dist
	safe := d.end - margin
	var err error
	for w <= outSize-slack {
		careful := pos > safe
		if careful && d.ended == nil {
			d.pos = pos
			d.fill()
			pos, safe = d.pos, d.end-margin
			continue
		}
		begun := w
		bits |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := lit[bits&(1<<litRoot-1)]
		if e&literal != 0 && !careful {
			// Up to three short literals fit into what was refilled, and the length of a match behind two.
			out[w] = byte(e >> 16)
			w++
			bits >>= e & 15
			n -= uint(e & 15)
			e = lit[bits&(1<<litRoot-1)]
			if e&literal != 0 {
				out[w] = byte(e >> 16)
				w++
				bits >>= e & 15
				n -= uint(e & 15)
				e = lit[bits&(1<<litRoot-1)]
				if e&literal != 0 {
					out[w] = byte(e >> 16)
					w++
					bits >>= e & 15
					n -= uint(e & 15)
					continue
				}
			}
		}
		if e&longer != 0 {
			e = lit[e>>16&0x1fff+uint32(bits>>litRoot)&(1<<(e&15)-1)]
		}
		bits >>= e & 15
		n -= uint(e & 15)
		switch {
		case e&literal != 0:
			out[w] = byte(e >> 16)
			w++
		case e&endMark != 0:
			d.coded = false
		case e == 0:
			err = ErrCorrupt
		default:
			x := e >> 8 & 15
			length := int(e>>16) + int(bits&(1<<x-1))
			bits >>= x
			n -= uint(x)
			bits |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
			pos += int(63-n) >> 3
			n |= 56
			e = dist[bits&(1<<distRoot-1)]
			if e&longer != 0 {
				e = dist[e>>16&0x1fff+uint32(bits>>distRoot)&(1<<(e&15)-1)]
			}
			bits >>= e & 15
			n -= uint(e & 15)
			x = e >> 8 & 15
			from := w - int(e>>16) - int(bits&(1<<x-1))
			bits >>= x
			n -= uint(x)
			if e == 0 || from < d.base {
				err = ErrCorrupt
				break
			}
			match(out, from, w, length)
			w += length
		}
		if careful && pos-int(n>>3) > d.end {
			w, err = begun, io.ErrUnexpectedEOF
			if d.ended != io.EOF {
				err = d.ended
			}
		}
		if err != nil || !d.coded {
			break
		}
	}
	d.pos, d.w, d.bits, d.n = pos, w, bits, n
	return err
}

// match repeats what lies before. Up to seven bytes behind it may be overwritten.
func match(out []byte, from, w, length int) {
	if w-from < 8 {
		for i := range length {
			out[w+i] = out[from+i]
		}
		return
	}
	if length > 32 && w-from >= length {
		copy(out[w:w+length], out[from:from+length])
		return
	}
	for end := w + length; w < end; w, from = w+8, from+8 {
		binary.LittleEndian.PutUint64(out[w:], binary.LittleEndian.Uint64(out[from:]))
	}
}
