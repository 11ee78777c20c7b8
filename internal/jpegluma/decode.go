package jpegluma

import (
	"errors"
	"fmt"
)

// Errors of [Decode].
var (
	ErrUnsupported = errors.New("jpegluma: a kind of JPEG that is not read here")
	ErrBroken      = errors.New("jpegluma: the file is broken")
	ErrSize        = errors.New("jpegluma: the picture has too many points")
)

// scansMost bounds a file's scans: encoders write about ten.
const scansMost = 200

// Picture is the brightness of a picture, 0 to 255, row by row.
type Picture struct {
	Width, Height, Stride int
	Y                     []uint8
}

// Row is row i.
func (p *Picture) Row(i int) []uint8 { return p.Y[i*p.Stride:][:p.Width:p.Width] }

// Decode reads a file's picture of at most so many points. The errors are
// [ErrUnsupported], [ErrBroken] and [ErrSize].
func Decode(data []byte, pointsMost int) (Picture, error) {
	d := decoder{reader: reader{data: data}, most: pointsMost}
	if err := d.file(); err != nil {
		return Picture{}, err
	}
	return d.picture, nil
}

// The markers that matter here.
const (
	markSOF0  = 0xc0 // baseline
	markSOF1  = 0xc1 // sequential
	markSOF2  = 0xc2 // progressive
	markDHT   = 0xc4
	markJPG   = 0xc8
	markDAC   = 0xcc
	markRST0  = 0xd0
	markRST7  = 0xd7
	markSOI   = 0xd8
	markEOI   = 0xd9
	markSOS   = 0xda
	markDQT   = 0xdb
	markDRI   = 0xdd
	markAPP0  = 0xe0
	markAPP14 = 0xee
)

type component struct {
	id, h, v, table uint8
}

type decoder struct {
	reader
	picture Picture
	most    int

	progressive bool
	components  []component
	jfif, adobe bool
	transform   uint8 // Adobe's
	quant       [4][64]uint16
	haveQuant   [4]bool
	dc, ac      [4]*huffman
	interval    int // units between restarts, 0 for none

	across, down int // units of the whole picture
	dequant      [64 + 64]int32
	block        [64 + 8]int32 // in rows and columns, and a place for what is out of bounds
	coefficients []int16       // of all blocks, where a picture comes in several scans
	blockRow     int           // blocks in a row of these
	scans        int
}

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrBroken}, args...)...)
}

// file goes from marker to marker.
func (d *decoder) file() error {
	if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != markSOI {
		return broken("it does not begin as JPEG does")
	}
	d.pos = 2
	for {
		mark, err := d.marker()
		if err != nil {
			return err
		}
		switch {
		case mark == markEOI:
			return d.end()
		case mark == markSOI, mark >= markRST0 && mark <= markRST7, mark <= 0x01:
			continue // no length follows
		}
		segment, err := d.segment()
		if err != nil {
			return err
		}
		switch {
		case mark == markSOS:
			done, err := d.scan(segment)
			if done || err != nil {
				return err
			}
		case mark == markDHT:
			err = d.tables(segment)
		case mark == markDQT:
			err = d.quantisation(segment)
		case mark == markDRI:
			if len(segment) < 2 {
				return broken("a restart interval of no length")
			}
			d.interval = int(segment[0])<<8 | int(segment[1])
		case mark == markAPP0:
			d.jfif = d.jfif || len(segment) >= 5 && string(segment[:5]) == "JFIF\x00"
		case mark == markAPP14:
			if len(segment) >= 12 && string(segment[:5]) == "Adobe" {
				d.adobe, d.transform = true, segment[11]
			}
		case mark >= markSOF0 && mark <= markSOF2:
			err = d.frame(segment, mark == markSOF2)
		case mark > markSOF2 && mark <= 0xcf && mark != markJPG:
			return fmt.Errorf("%w: marker %#x", ErrUnsupported, mark)
		}
		if err != nil {
			return err
		}
	}
}

// marker finds the next one; what lies before it is skipped, as others do.
func (d *decoder) marker() (byte, error) {
	for p := d.pos; p+1 < len(d.data); p++ {
		if d.data[p] == 0xff && d.data[p+1] != 0xff && d.data[p+1] != 0 {
			d.pos = p + 2
			return d.data[p+1], nil
		}
	}
	return 0, broken("it ends before its picture does")
}

func (d *decoder) segment() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, broken("it ends in a segment")
	}
	n := int(d.data[d.pos])<<8 | int(d.data[d.pos+1])
	if n < 2 || d.pos+n > len(d.data) {
		return nil, broken("a segment of %d bytes", n)
	}
	s := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return s, nil
}

func (d *decoder) quantisation(s []byte) error {
	for len(s) > 0 {
		size, id := 1+int(s[0]>>4), s[0]&15
		if size > 2 || id > 3 || len(s) < 1+64*size {
			return broken("a quantisation table")
		}
		for k := range 64 {
			if size == 1 {
				d.quant[id][k] = uint16(s[1+k])
			} else {
				d.quant[id][k] = uint16(s[1+2*k])<<8 | uint16(s[2+2*k])
			}
		}
		d.haveQuant[id] = true
		s = s[1+64*size:]
	}
	return nil
}

func (d *decoder) frame(s []byte, progressive bool) error {
	if d.components != nil {
		return broken("a second frame")
	}
	if len(s) < 6 || len(s) < 6+3*int(s[5]) {
		return broken("a frame of %d bytes", len(s))
	}
	height, width := int(s[1])<<8|int(s[2]), int(s[3])<<8|int(s[4])
	switch {
	case s[0] != 8, height == 0, s[5] != 1 && s[5] != 3:
		return fmt.Errorf("%w: %d bits, height %d, %d components", ErrUnsupported, s[0], height, s[5])
	case width == 0:
		return broken("a picture without width")
	case width*height > d.most:
		return fmt.Errorf("%w: %d by %d", ErrSize, width, height)
	}
	d.progressive = progressive
	for i := range int(s[5]) {
		p := s[6+3*i:]
		c := component{p[0], p[1] >> 4, p[1] & 15, p[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return broken("component %d", i)
		}
		d.components = append(d.components, c)
	}
	y := &d.components[0]
	if len(d.components) == 1 {
		y.h, y.v = 1, 1 // a picture of one component is made of single blocks
	} else if !d.brightnessFirst() {
		return fmt.Errorf("%w: its colours are stored as red, green and blue", ErrUnsupported)
	}
	for _, c := range d.components {
		if c.h > y.h || c.v > y.v {
			return fmt.Errorf("%w: brightness at less than full size", ErrUnsupported)
		}
	}
	w, h := 8*int(y.h), 8*int(y.v)
	d.across, d.down = (width+w-1)/w, (height+h-1)/h
	d.picture = Picture{Width: width, Height: height, Stride: d.across * w}
	return nil
}

// brightnessFirst tells YCbCr from RGB as libjpeg does.
func (d *decoder) brightnessFirst() bool {
	c := d.components
	switch {
	case d.jfif:
		return true
	case d.adobe:
		return d.transform != 0
	}
	return c[0].id != 'R' || c[1].id != 'G' || c[2].id != 'B'
}

// end makes the picture out of all scans.
func (d *decoder) end() error {
	if d.coefficients == nil {
		return broken("it ends without a picture")
	}
	d.allocate()
	for by := range d.down * int(d.components[0].v) {
		for bx := range d.blockRow {
			from := d.coefficients[(by*d.blockRow+bx)*64:][:64]
			for k, c := range from {
				at := zigzag[k]
				d.block[at] = int32(c) * d.dequant[k]
			}
			transform(&d.block, d.picture.Y[by*8*d.picture.Stride+bx*8:], d.picture.Stride)
		}
	}
	return nil
}

func (d *decoder) allocate() {
	d.picture.Y = make([]uint8, d.picture.Stride*d.down*8*int(d.components[0].v))
}

// useQuant takes the table that is valid now for the brightness.
func (d *decoder) useQuant() error {
	table := d.components[0].table
	if !d.haveQuant[table] {
		return broken("quantisation table %d is missing", table)
	}
	for k, q := range d.quant[table] {
		d.dequant[k] = int32(q)
	}
	return nil
}
