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

	"concert/internal/sandbox"
	"concert/internal/vault"
	"concert/pdq"
)

// TaskHash is the name of the children's task (HashTask).
const TaskHash = "hash"

// pictureMost is the most bytes of a file that is opened as a picture.
const pictureMost = 128 << 20

// FileHash is what hash lists want to know of a file. Error says what is missing
// and why; the rest holds all the same.
type FileHash struct {
	File    string `json:"file"`
	Type    string `json:"type"` // media type, by the bytes
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	MD5     string `json:"md5"`
	SHA1    string `json:"sha1"`
	PDQ     string `json:"pdq"` // empty for what is no picture
	Quality int    `json:"pdq_quality"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Frames  int    `json:"frames"`
	Error   string `json:"error"`

	Turned []pdq.Hash `json:"-"` // of a picture, by [pdq.Orientation]
}

// HashFile reads a file to its end. Its picture is opened in a child of the
// pool, whatever is in it.
func HashFile(ctx context.Context, children *sandbox.Pool, name string, r io.Reader) FileHash {
	f := FileHash{File: name}
	sums := [3]hash.Hash{sha256.New(), md5.New(), sha1.New()}
	all := io.MultiWriter(sums[0], sums[1], sums[2])
	var head bytes.Buffer
	n, err := io.CopyN(&head, r, vault.SniffLen)
	f.Bytes = n
	if err == nil || errors.Is(err, io.EOF) {
		f.Type = pictureType(head.Bytes())
		err = nil
		if f.isPicture() {
			n, err = io.CopyN(&head, r, pictureMost+1-n)
			f.Bytes += n
			if errors.Is(err, io.EOF) {
				err = nil
			}
		}
		if err == nil {
			if _, err = all.Write(head.Bytes()); err == nil {
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
	switch {
	case f.Bytes == 0:
		f.Error = "the file is empty"
	case f.isPicture() && f.Bytes > pictureMost:
		f.Error = fmt.Sprintf("the picture has more than %d MB, and is not opened here", pictureMost>>20)
	case f.isPicture():
		f.picture(ctx, children, head.Bytes())
	}
	return f
}

// pictureType adds to the media types that browsers know the one picture format
// that they do not.
func pictureType(head []byte) string {
	if bytes.HasPrefix(head, []byte("II*\x00")) || bytes.HasPrefix(head, []byte("MM\x00*")) {
		return "image/tiff"
	}
	return vault.Sniff(head)
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
