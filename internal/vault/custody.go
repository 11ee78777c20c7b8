package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Acts of a custody record.
const (
	ActSealed    = "sealed"
	ActVerified  = "verified"
	ActCopied    = "copied"
	ActHanded    = "handed over"
	ActReceived  = "received"
	custodyType  = "application/vnd.concert.evidence-custody+json"
	custodyName  = "custody.jsonl"
	custodyHead  = "custody-head.json"
	custodyMost  = 64 << 10 // bytes of one line
	noteMost     = 4 << 10
	digestLength = 2 * sha256.Size
)

// Custody is one record of who had an exhibit and did what with it. It is made of
// words and digests only, so that a floor above can turn it into an event.
type Custody struct {
	N        int64  `json:"n"`  // from 1
	At       string `json:"at"` // RFC 3339, UTC
	Act      string `json:"act"`
	By       string `json:"by"` // the person
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"` // the authority, where it changes hands
	Reason   string `json:"reason,omitempty"`
	Outcome  string `json:"outcome,omitempty"` // of a verification
	Manifest string `json:"manifest"`          // SHA-256 of manifest.json
	Copy     string `json:"copy,omitempty"`    // SHA-256 of a working copy's list
	Prev     string `json:"prev"`              // SHA-256 of the line before with its line feed; zeros in the first
	Key      string `json:"key,omitempty"`     // Ed25519, base64; none in an unsigned record
}

// signed is a line of the log.
type signed struct {
	Record Custody `json:"record"`
	Sig    string  `json:"sig,omitempty"` // Ed25519 over DSSE's encoding of the record, base64
}

// head is what is kept beside the log, so that a log that was cut short is told
// from one that is whole.
type head struct {
	N    int64  `json:"n"`
	Hash string `json:"hash"` // SHA-256 of the last line with its line feed
	Key  string `json:"key,omitempty"`
	Sig  string `json:"sig,omitempty"`
}

// Head names a state of a custody log: how many records, and the digest of the
// last. Kept somewhere else, it tells whether records were taken away.
type Head struct {
	N    int64
	Hash string
}

// String is a head as ParseHead reads it.
func (h Head) String() string { return fmt.Sprintf("%d:%s", h.N, h.Hash) }

// ParseHead reads "N:HASH".
func ParseHead(text string) (h Head, err error) {
	if n, err := fmt.Sscanf(text, "%d:%64s", &h.N, &h.Hash); n != 2 || err != nil || h.N < 1 || !isDigest(h.Hash) || text != h.String() {
		return Head{}, fmt.Errorf("%q is no head of a custody log: it reads N:HASH, as evidence verify prints it", text)
	}
	return h, nil
}

func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && s == strings.ToLower(s)
}

// line is the record's line, signed.
func (c Custody) line(key *Key) ([]byte, error) {
	c.Key = ""
	if key != nil {
		c.Key = key.Public()
	}
	text, err := canonical(c)
	if err != nil {
		return nil, err
	}
	out := signed{Record: c}
	if key != nil {
		out.Sig = key.sign(custodyType, text)
	}
	line, err := canonical(out)
	if err == nil && len(line) > custodyMost {
		err = fmt.Errorf("a custody record of %d bytes, more than %d: shorten its reason", len(line), custodyMost)
	}
	return line, err
}

// parseCustody reads one line and says whether its signature holds.
func parseCustody(line []byte) (c Custody, good bool, err error) {
	var s signed
	if err := decodeCanonical(line, &s); err != nil {
		return c, false, err
	}
	c = s.Record
	switch {
	case c.N < 1 || !isDigest(c.Prev) || !isDigest(c.Manifest):
		return c, false, errors.New("it lacks its number or a digest")
	case !slices.Contains([]string{ActSealed, ActVerified, ActCopied, ActHanded, ActReceived}, c.Act):
		return c, false, fmt.Errorf("it tells of an act %q, which is none", c.Act)
	}
	if _, err := time.Parse(time.RFC3339Nano, c.At); err != nil {
		return c, false, errors.New("its time is none")
	}
	if c.Key == "" {
		return c, s.Sig == "", nil
	}
	text, err := canonical(c)
	if err != nil {
		return c, false, err
	}
	return c, verifySig(c.Key, custodyType, text, s.Sig), nil
}

// hashLine is the SHA-256 of bytes, in hexadecimal.
func hashLine(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}
