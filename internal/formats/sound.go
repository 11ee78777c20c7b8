package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"concert/internal/match"
	"concert/internal/sandbox"
)

const (
	// SoundSeconds is how much of a sound is fingerprinted: a quarter of an hour.
	SoundSeconds = 900

	soundRate   = 11025 // samples a second, what Chromaprint works on
	soundSample = 2     // bytes
	soundText   = 1 << 20
)

// Sound is the fingerprint of what a video or a sound file lets hear, as fpcalc
// prints it and as it is compared; both are empty where there is no sound, or too
// little. ffmpeg decodes it, in the same limits and from a pipe as pictures are;
// fpcalc gets samples and nothing that a stranger wrote. The error is
// [ErrNoFFmpeg], [ErrNoFPCalc], the sandbox's or the context's.
func (p Player) Sound(ctx context.Context, file io.ReaderAt, size int64) (string, match.Sound, error) {
	switch {
	case p.FFmpeg == "":
		return "", nil, ErrNoFFmpeg
	case p.FPCalc == "":
		return "", nil, ErrNoFPCalc
	}
	in, err := InFront(ctx, p.Children, file, size)
	if err != nil {
		return "", nil, err
	}
	args := append(opens(false), "-map", "0:a:0", "-t", strconv.Itoa(SoundSeconds), "-ac", "1", "-ar", strconv.Itoa(soundRate), "-f", "s16le", "pipe:1")
	var samples bytes.Buffer
	err = p.Children.Stream(ctx, sandbox.Program{Path: p.FFmpeg, Args: args, Long: true, Wall: p.wall()}, in, func(r io.Reader) error {
		n, err := io.Copy(&samples, io.LimitReader(r, (SoundSeconds+1)*soundRate*soundSample))
		if err == nil && n == (SoundSeconds+1)*soundRate*soundSample {
			err = errors.New("the sound does not end")
		}
		return err
	})
	if err != nil && !errors.Is(err, sandbox.ErrGone) {
		return "", nil, err
	}
	// fpcalc 1.5 ends badly where its input ends before the length that it is told.
	seconds := samples.Len() / (soundRate * soundSample)
	if seconds == 0 {
		return "", nil, nil
	}
	args = []string{"-format", "s16le", "-rate", strconv.Itoa(soundRate), "-channels", "1", "-length", strconv.Itoa(seconds), "-json", "-"}
	out, err := p.Children.Run(ctx, p.FPCalc, args, append(samples.Bytes(), make([]byte, soundRate*soundSample)...), soundText)
	if err != nil {
		return "", nil, err
	}
	var said struct {
		Fingerprint string `json:"fingerprint"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return "", nil, fmt.Errorf("what fpcalc says: %w", err)
	}
	s, err := match.ParseSound(said.Fingerprint)
	if err != nil {
		return "", nil, fmt.Errorf("what fpcalc says: %w", err)
	}
	return said.Fingerprint, s, nil
}
