package tlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// maxCheckpoint bounds a checkpoint with all its signatures, in bytes.
const maxCheckpoint = 256 << 10

// Checkpoint is the text that a log signs (https://c2sp.org/tlog-checkpoint):
// which log, how many leaves, which root.
type Checkpoint struct {
	// Origin names the log for ever, as a URL without scheme, such as
	// "concert.example.org/log/1". The log's key bears the same name.
	Origin string
	Head
	// Extension holds further lines, none of them empty. The specification
	// advises against them; Concert writes none.
	Extension []string
}

// Marshal returns the note text: origin, size, base64 root and extensions,
// each line ended by a newline. Whether c is valid is seen by [SignCheckpoint].
func (c Checkpoint) Marshal() string {
	var b strings.Builder
	b.WriteString(c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64Hash(c.Root) + "\n")
	for _, line := range c.Extension {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// ParseCheckpoint reads a note text without its signatures. It accepts exactly
// what [Checkpoint.Marshal] can write, so that one checkpoint has one text,
// and returns [ErrMalformed] for all else. It proves nothing about who wrote
// the text: that is [OpenCheckpoint].
func ParseCheckpoint(text string) (Checkpoint, error) {
	bad := func(line int, why string) (Checkpoint, error) {
		return Checkpoint{}, fmt.Errorf("checkpoint line %d: %w: %s", line, ErrMalformed, why)
	}
	body, ok := strings.CutSuffix(text, "\n")
	switch {
	case len(text) > maxCheckpoint:
		return bad(1, fmt.Sprintf("the text has %d bytes, more than %d", len(text), maxCheckpoint))
	case !utf8.ValidString(text):
		return bad(1, "the text is not UTF-8")
	case !ok:
		return bad(1, "the text does not end with a newline")
	}
	lines := strings.Split(body, "\n")
	for i, line := range lines {
		if line == "" {
			return bad(i+1, "the line is empty")
		}
		if strings.IndexFunc(line, func(r rune) bool { return r < 0x20 }) >= 0 {
			return bad(i+1, "the line has a control character")
		}
	}
	if len(lines) < 3 {
		return bad(len(lines), "origin, size and root need three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || !validSize(size) || strconv.FormatInt(size, 10) != lines[1] {
		return bad(2, fmt.Sprintf("%.40q is not a size: a decimal number up to %d without sign or leading zeroes", lines[1], int64(MaxSize)))
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != HashSize {
		return bad(3, fmt.Sprintf("%.60q is not a root: the base64 of 32 bytes", lines[2]))
	}
	c := Checkpoint{Origin: lines[0], Head: Head{Size: size, Root: Hash(root)}}
	if len(lines) > 3 {
		c.Extension = lines[3:]
	}
	return c, nil
}

// SignCheckpoint returns the signed note of c, signed by each signer in order.
// The first is the log's own and bears the origin as its name, otherwise
// [OpenCheckpoint] would not accept the result; cosigners may follow. A
// checkpoint that could not be read back, no signer or a wrong first signer is
// [ErrMalformed].
func SignCheckpoint(c Checkpoint, signers ...note.Signer) ([]byte, error) {
	text := c.Marshal()
	if parsed, err := ParseCheckpoint(text); err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	} else if parsed.Origin != c.Origin || len(parsed.Extension) != len(c.Extension) {
		return nil, fmt.Errorf("sign checkpoint: %w: the origin or an extension holds a newline", ErrMalformed)
	}
	if len(signers) == 0 || signers[0].Name() != c.Origin {
		return nil, fmt.Errorf("sign checkpoint of %s: %w: the first signer must be the log's key, named like the origin", c.Origin, ErrMalformed)
	}
	msg, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint of %s at size %d: %w", c.Origin, c.Size, err)
	}
	return msg, nil
}

// OpenCheckpoint verifies a signed checkpoint. known holds the pinned keys:
// the log's, whose name is the origin, and those of witnesses. At least one
// signature by a key of the log must be there and hold; every signature by any
// other known key must hold too; signatures by unknown keys are ignored and
// listed in the note's UnverifiedSigs. [Cosignatures] tells which witnesses
// have signed.
//
// Errors: [ErrMalformed], [ErrOrigin], [ErrUnsigned]. No checkpoint is
// returned with an error: an unverified text must not be used.
func OpenCheckpoint(msg []byte, origin string, known note.Verifiers) (Checkpoint, *note.Note, error) {
	fail := func(err error) (Checkpoint, *note.Note, error) {
		return Checkpoint{}, nil, fmt.Errorf("open checkpoint of %s: %w", origin, err)
	}
	if len(msg) > maxCheckpoint {
		return fail(fmt.Errorf("%w: %d bytes, more than %d", ErrMalformed, len(msg), maxCheckpoint))
	}
	n, err := note.Open(msg, known)
	if err != nil {
		var unverified *note.UnverifiedNoteError
		var invalid *note.InvalidSignatureError
		switch {
		case errors.As(err, &unverified):
			return fail(fmt.Errorf("%w: its signatures are by %s; pin the log's key if you trust it", ErrUnsigned, signerNames(unverified.Note.UnverifiedSigs)))
		case errors.As(err, &invalid):
			return fail(fmt.Errorf("%w: the signature of %s+%08x does not hold; the text was changed after signing", ErrUnsigned, invalid.Name, invalid.Hash))
		}
		return fail(fmt.Errorf("%w: not a signed note: %w", ErrMalformed, err))
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return fail(err)
	}
	if c.Origin != origin {
		return fail(fmt.Errorf("%w: its origin is %q", ErrOrigin, c.Origin))
	}
	byLog := false
	for _, sig := range n.Sigs {
		// x/mod decodes leniently; a verified line has one spelling here, so
		// that nobody can change a byte of it unnoticed.
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return fail(fmt.Errorf("%w: the signature line of %s+%08x is not strict base64", ErrMalformed, sig.Name, sig.Hash))
		}
		byLog = byLog || sig.Name == origin
	}
	if byLog {
		return c, n, nil
	}
	return fail(fmt.Errorf("%w: only %s signed; the log's key is named like its origin", ErrUnsigned, signerNames(n.Sigs)))
}

func signerNames(sigs []note.Signature) string {
	var names []string
	for _, s := range sigs {
		names = append(names, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return strings.Join(names, ", ")
}
