package tlog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// WitnessSizeType is the content type of the answer 409 of a witness: the size
// of the last checkpoint that it cosigned, decimal, and a newline
// (https://c2sp.org/tlog-witness).
const WitnessSizeType = "text/x.tlog.size"

const (
	// witnessProofMost is how many hashes of a proof one request may carry.
	witnessProofMost = 63
	// MaxAddCheckpoint bounds the body of an add-checkpoint request, in bytes.
	MaxAddCheckpoint = 32 + witnessProofMost*45 + 1 + maxCheckpoint
)

// AddCheckpoint is what a log asks of a witness: the body of POST
// <prefix>/add-checkpoint (https://c2sp.org/tlog-witness).
type AddCheckpoint struct {
	Old        int64  // size of the checkpoint that the witness cosigned last, 0 for none
	Proof      []Hash // consistency proof from Old to the checkpoint (RFC 6962, 2.1.2), at most 63 hashes
	Checkpoint []byte // the signed note
}

// Marshal returns the body: the line "old" with the size, a line in base64 for
// each hash, an empty line, the checkpoint.
func (a AddCheckpoint) Marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", a.Old)
	for _, h := range a.Proof {
		b.WriteString(base64Hash(h) + "\n")
	}
	b.WriteByte('\n')
	b.Write(a.Checkpoint)
	return b.Bytes()
}

// ParseAddCheckpoint reads a body. It accepts exactly what
// [AddCheckpoint.Marshal] writes, and returns [ErrMalformed] for all else. The
// checkpoint is not looked at: that is [AddCheckpoint.Decide].
func ParseAddCheckpoint(body []byte) (AddCheckpoint, error) {
	bad := func(line int, why string) (AddCheckpoint, error) {
		return AddCheckpoint{}, fmt.Errorf("add-checkpoint line %d: %w: %s", line, ErrMalformed, why)
	}
	if len(body) > MaxAddCheckpoint {
		return bad(1, fmt.Sprintf("the body has %d bytes, more than %d", len(body), MaxAddCheckpoint))
	}
	first, rest, ok := bytes.Cut(body, []byte("\n"))
	digits, named := strings.CutPrefix(string(first), "old ")
	old, err := strconv.ParseInt(digits, 10, 64)
	if !ok || !named || err != nil || !validSize(old) || strconv.FormatInt(old, 10) != digits {
		return bad(1, fmt.Sprintf("%.40q is not the word old, a space and a size", first))
	}
	a := AddCheckpoint{Old: old}
	for n := 2; ; n++ {
		line, more, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return bad(n, "an empty line must follow the proof, and the checkpoint the empty line")
		}
		rest = more
		if len(line) == 0 {
			break
		}
		if len(a.Proof) == witnessProofMost {
			return bad(n, fmt.Sprintf("a proof has at most %d hashes", witnessProofMost))
		}
		h, err := base64.StdEncoding.Strict().DecodeString(string(line))
		if err != nil || len(h) != HashSize {
			return bad(n, fmt.Sprintf("%.60q is not a hash: the base64 of 32 bytes", line))
		}
		a.Proof = append(a.Proof, Hash(h))
	}
	a.Checkpoint = rest
	return a, nil
}

// Origin is the name of the log that the checkpoint says it is of, which nobody
// has checked yet. A checkpoint that is none is [ErrMalformed].
func (a AddCheckpoint) Origin() (string, error) {
	text, _, err := splitNote(a.Checkpoint)
	if err != nil {
		return "", err
	}
	c, err := ParseCheckpoint(text)
	return c.Origin, err
}

// WitnessRefusal is why a witness does not cosign, with the status that the
// protocol has for it: 400 malformed, 403 not signed by a key of the log, 404 a
// log that it does not watch, 409 another checkpoint than Old was cosigned last
// or one of the same size has another root, 422 the proof does not hold. Err is
// the reason: it wraps a sentinel of this package, or nil where only the size is
// another.
type WitnessRefusal struct {
	Status int
	Size   int64 // of the last checkpoint that the witness cosigned, for 409
	Err    error
	// Signed is the checkpoint as a note with the log's own signature alone,
	// where the log did sign it and it was refused for its history: keep it,
	// with the one that was cosigned before it may prove a fork.
	Signed []byte
}

// Error says why.
func (e *WitnessRefusal) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the witness cosigned the checkpoint of size %d last: prove the new one from there", e.Size)
	}
	return e.Err.Error()
}

// Unwrap is the reason.
func (e *WitnessRefusal) Unwrap() error { return e.Err }

// Decide is a witness's decision. last is the head that it cosigned last of this
// log, [Empty] for none; logKeys are the keys that it trusts for the origin,
// which the caller has looked up by [AddCheckpoint.Origin]. To be cosigned, the
// checkpoint must be signed by the log and go on from last. What is returned
// then is the checkpoint as a note with the log's own signatures alone, for
// [Cosigner.Cosign]; the new head must be on the disk before anybody sees the
// cosignature. Every error is a [*WitnessRefusal].
func (a AddCheckpoint) Decide(last Head, logKeys note.Verifiers) (Checkpoint, []byte, error) {
	refuse := func(status int, err error) (Checkpoint, []byte, error) {
		return Checkpoint{}, nil, &WitnessRefusal{Status: status, Size: last.Size, Err: err}
	}
	origin, err := a.Origin()
	if err != nil {
		return refuse(400, err)
	}
	c, n, err := OpenCheckpoint(a.Checkpoint, origin, logKeys)
	switch {
	case errors.Is(err, ErrMalformed):
		return refuse(400, err)
	case err != nil:
		return refuse(403, err)
	case a.Old > c.Size:
		return refuse(400, fmt.Errorf("old size %d, new size %d: %w: a proof leads from the smaller to the larger", a.Old, c.Size, ErrMalformed))
	case a.Old != last.Size:
		return refuse(409, nil)
	}
	n.UnverifiedSigs = nil
	signed, err := note.Sign(n)
	if err != nil {
		return refuse(400, fmt.Errorf("%w: %w", ErrMalformed, err))
	}
	if err := CheckConsistency(a.Proof, last, c.Head); err != nil {
		status := 422
		if c.Size > 0 && c.Size == last.Size && c.Root != last.Root {
			status = 409
		}
		return Checkpoint{}, nil, &WitnessRefusal{Status: status, Size: last.Size, Err: err, Signed: signed}
	}
	return c, signed, nil
}

// Cosign adds a cosignature to a checkpoint, a note. It returns the note with
// the new line, and the line alone: the answer of a witness.
func (s *Cosigner) Cosign(signed []byte) (cosigned []byte, line string, err error) {
	text, _, err := splitNote(signed)
	if err != nil {
		return nil, "", err
	}
	sig, err := s.Sign([]byte(text))
	if err != nil {
		return nil, "", err
	}
	id := s.KeyHash()
	raw := append([]byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}, sig...)
	line = signatureLine(s.Name(), base64.StdEncoding.EncodeToString(raw))
	return append(bytes.Clone(signed), line...), line, nil
}

// ReadCosignatures reads what witnesses answered to the checkpoint signed, a
// note: of the signature lines in answer, those by the known keys of witnesses,
// which must hold. It returns these lines as they are appended to the note, and
// who says what in them. No such line is [ErrUnsigned].
func ReadCosignatures(signed, answer []byte, witnesses note.Verifiers) (lines string, by []Cosignature, err error) {
	text, _, err := splitNote(signed)
	if err != nil {
		return "", nil, err
	}
	if len(answer) > maxCheckpoint {
		return "", nil, fmt.Errorf("the answer has %d bytes, more than %d: %w", len(answer), maxCheckpoint, ErrMalformed)
	}
	n, err := note.Open(append([]byte(text+"\n"), answer...), witnesses)
	if err != nil {
		var unverified *note.UnverifiedNoteError
		var invalid *note.InvalidSignatureError
		switch {
		case errors.As(err, &unverified):
			return "", nil, fmt.Errorf("%w: the answer is signed by %s, by no known witness", ErrUnsigned, signerNames(unverified.Note.UnverifiedSigs))
		case errors.As(err, &invalid):
			return "", nil, fmt.Errorf("%w: the cosignature of %s+%08x does not hold", ErrUnsigned, invalid.Name, invalid.Hash)
		}
		return "", nil, fmt.Errorf("the answer of a witness is no signature line: %w", ErrMalformed)
	}
	by = Cosignatures(n, witnesses)
	if len(by) == 0 {
		return "", nil, fmt.Errorf("%w: the answer holds no cosignature of a witness", ErrUnsigned)
	}
	for _, sig := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return "", nil, fmt.Errorf("the cosignature of %s is not strict base64: %w", sig.Name, ErrMalformed)
		}
		lines += signatureLine(sig.Name, sig.Base64)
	}
	return lines, by, nil
}

// splitNote parts a note into its text and its signature lines.
func splitNote(signed []byte) (text, signatures string, err error) {
	i := bytes.LastIndex(signed, []byte("\n\n"))
	if i < 0 || len(signed) > maxCheckpoint {
		return "", "", fmt.Errorf("a checkpoint of %d bytes: %w: want a text, an empty line and signature lines, at most %d bytes", len(signed), ErrMalformed, maxCheckpoint)
	}
	return string(signed[:i+1]), string(signed[i+2:]), nil
}

func signatureLine(name, sig string) string { return "— " + name + " " + sig + "\n" }
