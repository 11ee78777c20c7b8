package formats

import (
	"bytes"
	"context"
	"crypto/md5"  // what hash lists hold
	"crypto/sha1" // likewise
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"concert/internal/match"
	"concert/internal/sandbox"
	"concert/internal/vault"
	"concert/pdq"
)

// TaskHash is the name of the children's task (HashTask).
const TaskHash = "hash"

const (
	// pictureMost is the most bytes of a file that is opened as a picture.
	pictureMost = 128 << 20
	// filmHeld is the most bytes of a video that comes from a pipe, since its index
	// may stand at its end.
	filmHeld = 256 << 20
)

// FileHash is what hash lists want to know of a file. Error says what is missing
// and why; the rest holds all the same.
type FileHash struct {
	File    string `json:"file"`
	Type    string `json:"type"` // media type, by the bytes
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	MD5     string `json:"md5"`
	SHA1    string `json:"sha1"`
	PDQ     string `json:"pdq"` // empty for what is no picture; of a video write its frames (vPDQ)
	Quality int    `json:"pdq_quality"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Frames  int    `json:"frames"` // of a picture those in the file; of a video those that were hashed
	Error   string `json:"error"`

	// Chromaprint is the fingerprint of its sound as fpcalc prints it, where that is
	// installed.
	Chromaprint string `json:"chromaprint,omitempty"`

	Turned []pdq.Hash  `json:"-"` // of a picture, by [pdq.Orientation]
	Film   *Film       `json:"-"`
	Sound  match.Sound `json:"-"`
}

// HashFile reads a file to its end. Its picture is opened in a child of the
// pool, its frames and its sound by the player's programs, whatever is in it. A
// file that can be read at any place (an io.ReaderAt, from its beginning) is not
// held in memory.
func (p Player) HashFile(ctx context.Context, name string, r io.Reader) FileHash {
	f := FileHash{File: name}
	sums := [3]hash.Hash{sha256.New(), md5.New(), sha1.New()}
	all := io.MultiWriter(sums[0], sums[1], sums[2])
	at, placed := r.(io.ReaderAt)
	var held bytes.Buffer
	n, err := io.CopyN(&held, r, vault.SniffLen)
	f.Bytes = n
	if err == nil || errors.Is(err, io.EOF) {
		f.Type = vault.Sniff(held.Bytes())
		if most := f.heldMost(placed); most > 0 && err == nil {
			n, err = io.CopyN(&held, r, most+1-n)
			f.Bytes += n
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if err == nil {
			if _, err = all.Write(held.Bytes()); err == nil {
				n, err = io.Copy(all, r)
				f.Bytes += n
			}
		}
	}
	if err != nil {
		f.Error = fmt.Sprintf("the file cannot be read to its end: %v", err)
		return f
	}
	f.SHA256, f.MD5, f.SHA1 = hex.EncodeToString(sums[0].Sum(nil)), hex.EncodeToString(sums[1].Sum(nil)), hex.EncodeToString(sums[2].Sum(nil))
	if !placed {
		at = bytes.NewReader(held.Bytes())
	}
	switch {
	case f.Bytes == 0:
		f.Error = "the file is empty"
	case f.isPicture() && f.Bytes > pictureMost:
		f.Error = fmt.Sprintf("the picture has more than %d MB, and is not opened here", pictureMost>>20)
	case f.isPicture():
		f.picture(ctx, p.Children, held.Bytes())
	case f.Plays() && !placed && f.Bytes > filmHeld:
		f.Error = fmt.Sprintf("it has more than %d MB, and a video that large is read from a file, not from a pipe", filmHeld>>20)
	case f.Plays():
		f.play(ctx, p, at)
	}
	return f
}

// heldMost is how much of a file is kept beside its digests.
func (f *FileHash) heldMost(placed bool) int64 {
	switch {
	case f.isPicture():
		return pictureMost
	case f.Plays() && !placed:
		return filmHeld
	}
	return 0
}

// Plays says whether there may be frames or a sound in a file.
func (f *FileHash) Plays() bool {
	return f.isFilm() || strings.HasPrefix(f.Type, "audio/")
}

func (f *FileHash) isFilm() bool { return IsFilm(f.Type) }

// play adds what a video's frames and a file's sound say.
func (f *FileHash) play(ctx context.Context, p Player, in io.ReaderAt) {
	if f.isFilm() {
		film, err := p.Frames(ctx, in, f.Bytes)
		switch f.Error = film.Cut; {
		case err != nil && f.Type == "application/ogg" && p.FFmpeg != "": // may be a sound alone
		case err != nil:
			f.Error = err.Error()
		default:
			f.Width, f.Height, f.Frames, f.Film = film.Width, film.Height, len(film.Frames()), &film
		}
	}
	if p.FPCalc == "" {
		return // said once, not for each file
	}
	text, sound, err := p.Sound(ctx, in, f.Bytes)
	switch {
	case errors.Is(err, ErrNoFFmpeg): // said of the frames
	case err != nil && f.Error == "":
		f.Error = err.Error()
	case err == nil && len(sound) == 0 && !f.isFilm():
		f.Error = "no sound of it could be read, or less than a second"
	case len(sound) > 0 && f.Film == nil:
		f.Error = "" // a sound alone, in a container for videos
	}
	f.Chromaprint, f.Sound = text, sound
}

// isPicture says whether a child is asked; of formats that nobody here reads
// (an icon, say) it says so.
func (f *FileHash) isPicture() bool { return strings.HasPrefix(f.Type, "image/") }

func (f *FileHash) picture(ctx context.Context, children *sandbox.Pool, in []byte) {
	task := append([]byte(f.Type+"\n"), in...)
	began := time.Now()
	out, err := children.Do(ctx, TaskHash, task)
	if errors.Is(err, sandbox.ErrGone) && time.Since(began) < childAgain {
		// It may have been the child's time that was up, after many others.
		out, err = children.Do(ctx, TaskHash, task)
	}
	if err != nil {
		f.Error = err.Error()
		return
	}
	p, err := ReadPicture(out)
	if err != nil {
		f.Error = err.Error()
		return
	}
	f.PDQ, f.Quality, f.Width, f.Height, f.Frames, f.Error = p.PDQ, p.Quality, p.Width, p.Height, p.Frames, p.Error
	f.Turned = p.Turned
}

// childAgain is how soon a child must have ended for its input to be tried once
// more: one that used up its own time is not.
const childAgain = 5 * time.Second
