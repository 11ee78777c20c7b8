package match

import (
	"bytes"
	"io"

	"concert/internal/match/vpdq"
)

// ReadFrames gives each frame of a video's vPDQ hash in python-threatexchange's
// JSON, ["hash,quality,timestamp", ...]: the bytes of its PDQ hash as its text has
// them, its quality and its second. The whole is read before the first is given.
func ReadFrames(r io.Reader, each func(pdq [32]byte, quality int, seconds float64)) error {
	frames, err := vpdq.ReadJSON(r)
	for _, f := range frames {
		each(f.Hash, f.Quality, f.Seconds)
	}
	return err
}

// FramesText writes n frames in the form of [ReadFrames], on one line without its
// end. A frame that could not be read again is an error.
func FramesText(n int, frame func(i int) (pdq [32]byte, quality int, seconds float64)) (string, error) {
	frames := make([]vpdq.Frame, n)
	for i := range frames {
		frames[i].Number = i
		frames[i].Hash, frames[i].Quality, frames[i].Seconds = frame(i)
	}
	var b bytes.Buffer
	err := vpdq.WriteJSON(&b, frames)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}
