package jpegluma

import "fmt"

// zigzag is where the coefficients stand in a block, in the order of the file;
// behind it, that they stand nowhere.
var zigzag = [64 + 80]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
}

// part is a component within a scan.
type part struct {
	component
	bright    bool
	dc, ac    *huffman
	predictor int32
}

// span is what a scan carries of each block: from and to among the coefficients,
// and the bits, of which those above high came before.
type span struct {
	from, to, high, low int
	run                 int // blocks that a code said are at their end
}

// scan reads one. It is done once the picture is whole before the file's end:
// then the picture is made.
func (d *decoder) scan(s []byte) (done bool, err error) {
	if d.components == nil {
		return false, broken("a scan before its frame")
	}
	if d.scans++; d.scans > scansMost {
		return false, broken("more than %d scans", scansMost)
	}
	parts, sp, err := d.header(s)
	if err != nil {
		return false, err
	}
	d.align()
	if len(parts) == 1 && !parts[0].bright {
		return false, nil // of another colour alone: the next marker is beyond it
	}
	bright := false
	for i := range parts {
		bright = bright || parts[i].bright
	}
	if !bright {
		return false, nil
	}
	if err := d.useQuant(); err != nil {
		return false, err
	}
	if d.progressive {
		return false, d.progress(parts, sp)
	}
	return true, d.sequence(parts)
}

func (d *decoder) header(s []byte) ([]part, *span, error) {
	if len(s) < 1 || s[0] < 1 || s[0] > 4 || len(s) < 4+2*int(s[0]) {
		return nil, nil, broken("a scan of %d bytes", len(s))
	}
	var parts []part
	for i := range int(s[0]) {
		id, tables := s[1+2*i], s[2+2*i]
		if tables>>4 > 3 || tables&15 > 3 {
			return nil, nil, broken("a scan with table %#x", tables)
		}
		found := false
		for j, c := range d.components {
			if c.id == id && !found {
				found = true
				parts = append(parts, part{component: c, bright: j == 0, dc: d.dc[tables>>4], ac: d.ac[tables&15]})
			}
		}
		if !found {
			return nil, nil, broken("a scan of component %d, which there is not", id)
		}
	}
	if len(parts) > len(d.components) {
		return nil, nil, broken("a scan of %d components", len(parts))
	}
	tail := s[1+2*len(parts):]
	sp := &span{from: int(tail[0]), to: int(tail[1]), high: int(tail[2] >> 4), low: int(tail[2] & 15)}
	if !d.progressive {
		return parts, &span{to: 63}, nil
	}
	if sp.from > sp.to || sp.to > 63 || sp.from == 0 && sp.to != 0 || sp.from > 0 && len(parts) != 1 || sp.low > 13 || sp.high != 0 && sp.high != sp.low+1 {
		return nil, nil, broken("a scan from %d to %d, bits %d to %d", sp.from, sp.to, sp.high, sp.low)
	}
	return parts, sp, nil
}

// units calls each for every unit of the scan and sees to the restarts between
// them. A unit of one component is a block of the picture's own size.
func (d *decoder) units(parts []part, sp *span, each func(ux, uy int)) error {
	across, down := d.across, d.down
	if len(parts) == 1 {
		across, down = (d.picture.Width+7)/8, (d.picture.Height+7)/8
	}
	left, restart := d.interval, byte(markRST0)
	for uy := range down {
		for ux := range across {
			if d.interval > 0 && left == 0 {
				if d.overdrawn() {
					return broken("it ends before its picture does")
				}
				d.align()
				if mark, err := d.marker(); err != nil {
					return err
				} else if mark != restart {
					return broken("marker %#x instead of restart %d", mark, restart-markRST0)
				}
				restart = markRST0 + (restart+1)&7
				left = d.interval
				sp.run = 0
				for i := range parts {
					parts[i].predictor = 0
				}
			}
			left--
			each(ux, uy)
		}
		if d.overdrawn() {
			return broken("it ends before its picture does")
		}
	}
	return nil
}

// sequence reads the one scan of a picture that is not progressive.
func (d *decoder) sequence(parts []part) error {
	for _, p := range parts {
		if p.dc == nil || p.ac == nil {
			return broken("a Huffman table is missing")
		}
	}
	d.allocate()
	stride := d.picture.Stride
	if len(parts) == 1 {
		parts[0].h, parts[0].v = 1, 1
	}
	return d.units(parts, &span{}, func(ux, uy int) {
		for i := range parts {
			p := &parts[i]
			if !p.bright {
				for range int(p.h) * int(p.v) {
					d.pass(p)
				}
				continue
			}
			for v := range int(p.v) {
				for h := range int(p.h) {
					at := (uy*int(p.v)+v)*8*stride + (ux*int(p.h)+h)*8
					if d.coded(p) {
						transform(&d.block, d.picture.Y[at:], stride)
					} else {
						flat(d.block[0], d.picture.Y[at:], stride)
						d.block[0] = 0
					}
				}
			}
		}
	})
}

// coded reads a block and says whether there is more in it than its mean.
func (d *decoder) coded(p *part) bool {
	p.predictor += d.signed(int(d.next(p.dc) & 15))
	d.block[0] = p.predictor * d.dequant[0]
	acc, n, h, more := d.acc, d.n, p.ac, false
	for k := 1; k < 64; k++ {
		if n < 32 {
			d.acc, d.n = acc, n
			d.fill()
			acc, n = d.acc, d.n
		}
		if e := h.whole[acc>>(64-lookBits)]; e != 0 {
			bits := e & 0xff
			acc <<= bits
			n -= int(bits)
			k += int(e >> 8 & 0xff)
			d.block[zigzag[k]] = int32(e) >> 16 * d.dequant[k&127]
			more = more || k < endBlock
			continue
		}
		d.acc, d.n = acc, n
		symbol := d.next(h)
		if size := int(symbol & 15); size > 0 {
			k += int(symbol >> 4)
			d.block[zigzag[k]] = d.signed(size) * d.dequant[k&127]
		} else if symbol>>4 == 15 {
			k += 15
		} else {
			k = 64
		}
		more = more || k < endBlock
		acc, n = d.acc, d.n
	}
	d.acc, d.n = acc, n
	return more
}

// pass reads a block of another component, and over it.
func (d *decoder) pass(p *part) {
	d.signed(int(d.next(p.dc) & 15))
	acc, n, h := d.acc, d.n, p.ac
	for k := 1; k < 64; k++ {
		if n < 32 {
			d.acc, d.n = acc, n
			d.fill()
			acc, n = d.acc, d.n
		}
		if e := h.skip[acc>>(64-lookBits)]; e != 0 {
			bits := e & 0xff
			acc <<= bits
			n -= int(bits)
			k += int(e >> 8)
			continue
		}
		d.acc, d.n = acc, n
		symbol := d.next(h)
		switch size := int(symbol & 15); {
		case size > 0:
			k += int(symbol >> 4)
			d.bits(size)
		case symbol>>4 == 15:
			k += 15
		default:
			k = 64
		}
		acc, n = d.acc, d.n
	}
	d.acc, d.n = acc, n
}

// progress reads a scan that adds to the coefficients.
func (d *decoder) progress(parts []part, sp *span) error {
	y := d.components[0]
	if d.coefficients == nil {
		d.blockRow = d.across * int(y.h)
		d.coefficients = make([]int16, d.blockRow*d.down*int(y.v)*64)
	}
	var block func(p *part, c *[64]int16)
	needDC, needAC := false, false
	switch {
	case sp.from == 0 && sp.high == 0:
		block, needDC = func(p *part, c *[64]int16) {
			p.predictor += d.signed(int(d.next(p.dc) & 15))
			c[0] = int16(p.predictor << sp.low)
		}, true
	case sp.from == 0:
		block = func(_ *part, c *[64]int16) { c[0] |= int16(d.bits(1) << sp.low) }
	case sp.high == 0:
		block, needAC = func(p *part, c *[64]int16) { d.first(p.ac, c, sp) }, true
	default:
		block, needAC = func(p *part, c *[64]int16) { d.refine(p.ac, c, sp) }, true
	}
	for i := range parts {
		if needDC && parts[i].dc == nil || needAC && parts[i].ac == nil {
			return fmt.Errorf("%w: a Huffman table is missing", ErrBroken)
		}
	}
	if len(parts) == 1 {
		parts[0].h, parts[0].v = 1, 1
	}
	var other [64]int16
	return d.units(parts, sp, func(ux, uy int) {
		for i := range parts {
			p := &parts[i]
			for v := range int(p.v) {
				for h := range int(p.h) {
					if !p.bright {
						block(p, &other)
						continue
					}
					at := (uy*int(p.v)+v)*d.blockRow + ux*int(p.h) + h
					block(p, (*[64]int16)(d.coefficients[at*64:]))
				}
			}
		}
	})
}

// first reads coefficients of a block for the first time (T.81 G.1.2.2).
func (d *decoder) first(h *huffman, c *[64]int16, sp *span) {
	if sp.run > 0 {
		sp.run--
		return
	}
	for k := sp.from; k <= sp.to; k++ {
		symbol := d.next(h)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run != 15 {
				sp.run = 1<<run - 1
				if run > 0 {
					sp.run += int(d.bits(run))
				}
				return
			}
			k += 15
			continue
		}
		if k += run; k > sp.to {
			return
		}
		c[k] = int16(d.signed(size) << sp.low)
	}
}

// refine reads one more bit of coefficients (T.81 G.1.2.3).
func (d *decoder) refine(h *huffman, c *[64]int16, sp *span) {
	bit := int16(1) << sp.low
	k := sp.from
	if sp.run == 0 {
		for k <= sp.to {
			symbol := d.next(h)
			run, size := int(symbol>>4), int(symbol&15)
			var value int16
			switch {
			case size > 0:
				if value = bit; d.bits(1) == 0 {
					value = -bit
				}
			case run != 15:
				sp.run = 1 << run
				if run > 0 {
					sp.run += int(d.bits(run))
				}
			}
			if sp.run > 0 {
				break
			}
			if k = d.correct(c, k, sp.to, run, bit); k <= sp.to && value != 0 {
				c[k] = value
			}
			k++
		}
	}
	if sp.run > 0 {
		sp.run--
		d.correct(c, k, sp.to, -1, bit)
	}
}

// correct gives a bit to each coefficient that is there already and passes as
// many of the others as said, or all; it returns the place of the next.
func (d *decoder) correct(c *[64]int16, k, to, pass int, bit int16) int {
	for ; k <= to; k++ {
		if c[k] == 0 {
			if pass == 0 {
				break
			}
			pass--
			continue
		}
		if d.bits(1) != 0 && c[k]&bit == 0 {
			if c[k] > 0 {
				c[k] += bit
			} else {
				c[k] -= bit
			}
		}
	}
	return k
}
