package vault

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
)

const (
	// PseudonymsFormat names the form of what a list of pseudonyms holds once it is
	// opened (docs/formats/lake.md).
	PseudonymsFormat = "concert-pseudonyms/1"

	memberKey        = "key.json"
	memberPseudonyms = "pseudonyms.jsonl"
	pseudonymMost    = 4 << 20 // bytes of one line
)

// PseudonymKey is the key that a case's pseudonyms of one epoch are made with.
type PseudonymKey struct {
	Format string `json:"format"`
	Case   string `json:"case"`
	Epoch  string `json:"epoch"`
	Key    []byte `json:"key"`
}

// Identified is what stands behind a pseudonym.
type Identified struct {
	Pseudonym string `json:"pseudonym"` // 32 hexadecimal digits
	Kind      string `json:"kind"`      // address, host or user
	Plain     string `json:"plain,omitempty"`
	Plain64   []byte `json:"plain64,omitempty"` // instead of Plain where it is no UTF-8
}

// Text is the address or name, byte for byte.
func (i Identified) Text() string {
	if i.Plain64 != nil {
		return string(i.Plain64)
	}
	return i.Plain
}

func (i Identified) line() ([]byte, error) {
	if !utf8.ValidString(i.Plain) {
		i.Plain, i.Plain64 = "", []byte(i.Plain)
	}
	raw, err := json.Marshal(i)
	return append(raw, '\n'), err
}

// LockPseudonyms locks a key and whom its pseudonyms stand for, in the order given
// and as often as the list is asked for, among the job's custodians. Nothing of
// either is ever on a disk in the clear. Dir and Members of the job are not used.
func LockPseudonyms(ctx context.Context, j LockJob, key PseudonymKey, known iter.Seq[Identified]) (Lock, error) {
	key.Format = PseudonymsFormat
	head, err := json.Marshal(key)
	if err != nil {
		return Lock{}, err
	}
	defer clear(head)
	size := &counted{w: io.Discard}
	list := func(w io.Writer) error {
		for i := range known {
			line, err := i.line()
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				_, err = w.Write(line)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := list(size); err != nil {
		return Lock{}, err
	}
	j.Dir, j.kind, j.Members = "", LockedPseudonyms, []LockMember{
		{memberKey, int64(len(head)), func(w io.Writer) error { _, err := w.Write(head); return err }},
		{memberPseudonyms, size.n, list},
	}
	return LockExhibit(ctx, j)
}

// OpenPseudonyms says whom the wanted pseudonyms of a locked list stand for, in the
// list's order, and of nobody else: the rest is read past and forgotten. Who is not
// in the list is not in the answer. Shares are as their custodians wrote them, given
// to the holder of the secret key.
func OpenPseudonyms(ctx context.Context, locked []byte, shares [][]byte, secret string, wanted []string) ([]Identified, error) {
	if len(wanted) == 0 {
		return nil, errors.New("name the pseudonyms that are to be opened: a list is never opened whole")
	}
	ask := map[string]bool{}
	for _, w := range wanted {
		if raw, err := hex.DecodeString(w); err != nil || len(raw) != 16 {
			return nil, fmt.Errorf("%.80q is no pseudonym: 32 hexadecimal digits", w)
		}
		ask[w] = true
	}
	ids, err := age.ParseIdentities(strings.NewReader(secret))
	if err != nil {
		return nil, err
	}
	given := make([]GivenShare, len(shares))
	for i, raw := range shares {
		if given[i], err = ParseShare(raw); err != nil {
			return nil, err
		}
	}
	var found []Identified
	err = readPseudonyms(ctx, bytes.NewReader(locked), given, ids, func(PseudonymKey) {}, func(i Identified) {
		if ask[i.Pseudonym] {
			found = append(found, i)
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// OpenPseudonymKey gives the key back, so that more logs of the case get the same
// pseudonyms.
func OpenPseudonymKey(ctx context.Context, file string, given []GivenShare, identities []age.Identity) (key PseudonymKey, err error) {
	f, err := os.Open(file)
	if err != nil {
		return key, err
	}
	defer f.Close()
	if err := readPseudonyms(ctx, f, given, identities, func(k PseudonymKey) { key = k }, func(Identified) {}); err != nil {
		clear(key.Key)
		return PseudonymKey{}, fmt.Errorf("%s: %w", file, err)
	}
	return key, nil
}

// readPseudonyms reads a list to its end, and believes it only then.
func readPseudonyms(ctx context.Context, locked io.ReaderAt, given []GivenShare, identities []age.Identity, key func(PseudonymKey), each func(Identified)) error {
	l, err := readLock(io.NewSectionReader(locked, 0, 1<<62))
	if err != nil {
		return err
	}
	if l.Kind != LockedPseudonyms {
		return errors.New("it is locked, and no list of pseudonyms: concert evidence unlock opens it")
	}
	opener, err := l.key(given, identities)
	if err != nil {
		return err
	}
	sum := sha256.New()
	payload := io.TeeReader(io.NewSectionReader(locked, l.headSize, l.Size), sum)
	opened := eachPseudonym(ctx, payload, opener, key, each)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, err := io.Copy(io.Discard, payload); err != nil {
		return err
	}
	if err := l.checkPayload("the locked list", sum); err != nil {
		return err
	}
	return opened
}

func eachPseudonym(ctx context.Context, payload io.Reader, opener age.Identity, key func(PseudonymKey), each func(Identified)) error {
	plain, err := age.Decrypt(payload, opener)
	if err != nil {
		return fmt.Errorf("the payload is not opened by its own key: %w", err)
	}
	tr := tar.NewReader(plain)
	if h, err := tr.Next(); err != nil || h.Name != memberKey || h.Size > pseudonymMost {
		return errors.New("the key of its pseudonyms is missing")
	}
	raw, err := io.ReadAll(tr)
	if err != nil {
		return err
	}
	defer clear(raw)
	var k PseudonymKey
	if err := json.Unmarshal(raw, &k); err != nil || k.Format != PseudonymsFormat {
		return fmt.Errorf("this program does not read its list of pseudonyms: its format is not %s", PseudonymsFormat)
	}
	if h, err := tr.Next(); err != nil || h.Name != memberPseudonyms {
		return errors.New("its list of pseudonyms is missing")
	}
	lines := bufio.NewScanner(tr)
	lines.Buffer(make([]byte, 0, 64<<10), pseudonymMost)
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		i, err := parseIdentified(lines.Bytes())
		if err != nil {
			return err
		}
		each(i)
	}
	key(k)
	return lines.Err()
}

func parseIdentified(line []byte) (Identified, error) {
	var i Identified
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&i); err != nil || len(i.Pseudonym) != 32 || i.Text() == "" {
		return i, errors.New("a line of its list of pseudonyms cannot be read") // never what stands in it
	}
	return i, nil
}
