package exercise

import (
	"encoding/binary"
	"image"
	"math/rand/v2"

	"concert"
)

const (
	// clipFrames is how many frames an invented clip has, one a second.
	clipFrames = 9
	// clipQuality keeps a clip below what comes along with an item.
	clipQuality = 60
	// clipWide and clipHigh are the points of a frame.
	clipWide, clipHigh = 240, 180
)

// clip is an invented short clip with one alteration: frames of the work's picture
// that a disc and a block move over, as Motion JPEG in AVI, which every player knows
// and which takes no other program to write.
func clip(seed uint64, outlet int, a concert.Alteration, r *rand.Rand) []byte {
	still := drawn(seed, outlet)
	still = scaled(still, clipWide, clipHigh)
	path := rand.New(rand.NewPCG(seed, 1))
	from, to := image.Pt(path.IntN(clipWide), path.IntN(clipHigh)), image.Pt(path.IntN(clipWide), path.IntN(clipHigh))
	one, other := colour(path), colour(path)
	first, quality, micros := 0, clipQuality, 1_000_000
	switch a {
	case concert.AlterClipJPEG:
		quality = 30 + r.IntN(20)
	case concert.AlterClipCut:
		first = clipFrames / 3
	case concert.AlterClipFast:
		micros = 800_000
	}
	var frames [][]byte
	var size image.Point
	twist := r.Uint64()
	for i := first; i < clipFrames; i++ {
		frame := image.NewRGBA(still.Rect)
		copy(frame.Pix, still.Pix)
		at := from.Add(to.Sub(from).Mul(i).Div(clipFrames - 1))
		disc(frame, at, clipWide/6, clipHigh/6, one)
		at = image.Pt(clipWide-at.X, at.Y)
		block(frame, image.Rectangle{Min: at, Max: at.Add(image.Pt(clipWide/4, clipHigh/4))}, other)
		frame = reworked(frame, a, rand.New(rand.NewPCG(twist, 0))) // in every frame at the same place
		size = frame.Rect.Size()
		frames = append(frames, asJPEG(frame, quality))
	}
	return avi(size, micros, frames)
}

// avi puts frames (JPEG) into an AVI file, each shown for so many microseconds:
// "AVI RIFF File Reference", Microsoft.
func avi(size image.Point, micros int, frames [][]byte) []byte {
	var movi, index []byte
	most := 0
	for _, f := range frames {
		index = words(append(index, "00dc"...), 0x10, 4+len(movi), len(f)) // each can be shown by itself
		movi = chunk(movi, "00dc", f)
		most = max(most, len(f))
	}
	head := words(nil, micros, 0, 0, 0x10, len(frames), 0, 1, most, size.X, size.Y, 0, 0, 0, 0) // 0x10: it has an index
	stream := words([]byte("vidsMJPG"), 0, 0, 0, micros, 1_000_000, 0, len(frames), most, -1, 0, 0, size.X|size.Y<<16)
	format := words(nil, 40, size.X, size.Y, 1|24<<16)
	format = words(append(format, "MJPG"...), size.X*size.Y*3, 0, 0, 0, 0)
	strl := chunk(chunk([]byte("strl"), "strh", stream), "strf", format)
	hdrl := chunk(chunk([]byte("hdrl"), "avih", head), "LIST", strl)
	body := chunk([]byte("AVI "), "LIST", hdrl)
	body = chunk(body, "LIST", append([]byte("movi"), movi...))
	return chunk(nil, "RIFF", chunk(body, "idx1", index))
}

// words appends numbers of 32 bits, the lowest byte first.
func words(to []byte, numbers ...int) []byte {
	for _, n := range numbers {
		to = binary.LittleEndian.AppendUint32(to, uint32(n))
	}
	return to
}

// chunk appends a chunk of a RIFF file, filled up to an even length.
func chunk(to []byte, kind string, data []byte) []byte {
	to = append(words(append(to, kind...), len(data)), data...)
	if len(data)%2 == 1 {
		to = append(to, 0)
	}
	return to
}
