package formats

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"concert/pdq"
)

// Element ids of Matroska (RFC 9559) that frames of grey points need.
const (
	mkSegment   = 0x18538067
	mkInfo      = 0x1549A966
	mkScale     = 0x2AD7B1
	mkTracks    = 0x1654AE6B
	mkTrack     = 0xAE
	mkDuration  = 0x23E383 // of a frame, in nanoseconds
	mkVideo     = 0xE0
	mkWidth     = 0xB0
	mkHeight    = 0xBA
	mkCluster   = 0x1F43B675
	mkTime      = 0xE7
	mkGroup     = 0xA0
	mkBlock     = 0xA1
	mkSimple    = 0xA3
	mkHead      = 4       // of a block: its track (one byte for the only one), 16 bits of time, flags
	mkOtherMost = 1 << 20 // of an element that nobody reads
	mkUnknown   = -1      // the size of one that goes on
)

var errGrey = errors.New("what came of the video are no frames of grey points")

// greyStream is what one may read of the frames of a video.
type greyStream struct {
	Width, Height int
	Rate          float64 // frames a second, as the video says; 0 where it does not
}

// readGrey reads what "ffmpeg -c:v rawvideo -pix_fmt gray -f matroska" writes: each
// takes a frame's place in milliseconds and its points, row by row, which are its
// own for the moment only. Whoever wrote may have been taken over by the video, so
// nothing is believed: the sizes of the one track bound every frame, and all else
// is passed over. The error is that of each, errGrey, or the reader's own.
func readGrey(r io.Reader, each func(s greyStream, ms int64, grey []byte) error) error {
	b := bufio.NewReaderSize(r, 1<<16)
	var s greyStream
	var grey []byte
	scale, now := uint64(1_000_000), uint64(0)
	for {
		id, size, err := mkElement(b)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch id {
		case mkSegment, mkInfo, mkTracks, mkTrack, mkVideo, mkCluster, mkGroup:
			continue // what is inside follows
		case mkScale, mkDuration, mkWidth, mkHeight, mkTime:
			v, err := mkNumber(b, size)
			if err != nil {
				return err
			}
			switch id {
			case mkScale:
				scale = v
			case mkDuration:
				if s.Rate = 0; v > 0 {
					s.Rate = 1e9 / float64(v)
				}
			case mkWidth:
				s.Width = int(min(v, pdq.SideMost+1))
			case mkHeight:
				s.Height = int(min(v, pdq.SideMost+1))
			case mkTime:
				now = v
			}
		case mkBlock, mkSimple:
			n := s.Width * s.Height
			if s.Width < 1 || s.Height < 1 || s.Width > pdq.SideMost || s.Height > pdq.SideMost || n > PixelsMost || size != int64(mkHead+n) {
				return fmt.Errorf("%w: %d bytes for %d by %d", errGrey, size, s.Width, s.Height)
			}
			var head [mkHead]byte
			if cap(grey) < n {
				grey = make([]byte, n)
			}
			if err := mkRead(b, head[:], grey[:n]); err != nil {
				return err
			}
			if scale != 1_000_000 || now > 1<<40 {
				return fmt.Errorf("%w: a time that no video has", errGrey)
			}
			at := int64(now) + int64(int16(uint16(head[1])<<8|uint16(head[2])))
			if err := each(s, at, grey[:n]); err != nil {
				return err
			}
		default:
			if size < 0 || size > mkOtherMost {
				return fmt.Errorf("%w: %d bytes of something else", errGrey, size)
			}
			if _, err := b.Discard(int(size)); err != nil {
				return mkCut(err)
			}
		}
	}
}

// mkElement reads an element's id and size (RFC 8794); io.EOF stands for the end
// before one.
func mkElement(b *bufio.Reader) (id, size int64, err error) {
	first, err := b.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	id = int64(first)
	for mask := byte(0x80); first&mask == 0; mask >>= 1 {
		if mask == 0x10 {
			return 0, 0, fmt.Errorf("%w: an id of more than four bytes", errGrey)
		}
		c, err := b.ReadByte()
		if err != nil {
			return 0, 0, mkCut(err)
		}
		id = id<<8 | int64(c)
	}
	if first, err = b.ReadByte(); err != nil {
		return 0, 0, mkCut(err)
	}
	mask := byte(0x80)
	n := 0
	for ; mask != 0 && first&mask == 0; mask >>= 1 {
		n++
	}
	if mask == 0 {
		return 0, 0, fmt.Errorf("%w: a size of more than eight bytes", errGrey)
	}
	size = int64(first &^ mask)
	ones := size == int64(mask)-1
	for range n {
		c, err := b.ReadByte()
		if err != nil {
			return 0, 0, mkCut(err)
		}
		ones = ones && c == 0xff
		size = size<<8 | int64(c)
	}
	if ones {
		size = mkUnknown
	}
	return id, size, nil
}

func mkNumber(b *bufio.Reader, size int64) (v uint64, err error) {
	if size < 0 || size > 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes", errGrey, size)
	}
	for range size {
		c, err := b.ReadByte()
		if err != nil {
			return 0, mkCut(err)
		}
		v = v<<8 | uint64(c)
	}
	return v, nil
}

func mkRead(b *bufio.Reader, parts ...[]byte) error {
	for _, p := range parts {
		if _, err := io.ReadFull(b, p); err != nil {
			return mkCut(err)
		}
	}
	return nil
}

// mkCut says of an end that it came too early.
func mkCut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: they break off", errGrey)
	}
	return err
}
