package vault

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"concert/internal/vault/split"
)

const (
	// LockFormat names the form of a locked exhibit's head (docs/formats/locked.md).
	LockFormat = "concert-locked/1"
	// ShareFormat names the form of a share that its custodian gave out.
	ShareFormat = "concert-share/1"

	lockMagic    = LockFormat + "\n"
	lockHeadMost = 1 << 20

	lockBeginMost = int64(len(lockMagic)) + 4 + lockHeadMost
	// LockedPseudonyms is the kind of a locked list of whom pseudonyms stand for.
	LockedPseudonyms = "pseudonyms"

	// CustodiansMost bounds who keeps a share.
	CustodiansMost = 20
)

// ErrNotLocked says that a file is no locked exhibit, or is cut short in its head.
var ErrNotLocked = errors.New("this is no locked exhibit")

// Custodian is somebody who keeps a share of an exhibit's key.
type Custodian struct {
	Name      string `json:"name"`
	Recipient string `json:"recipient"` // age1…, of which only they have the identity
}

// LockedShare is a custodian's share, which only they open.
type LockedShare struct {
	Custodian
	Share []byte `json:"share"` // of split, as an age file to the recipient
}

// Lock is the head of a locked exhibit: everything of it that is not secret. What it
// says is vouched for by MAC, which only the opened key can check.
type Lock struct {
	Format   string        `json:"format"`
	Kind     string        `json:"kind,omitempty"` // LockPseudonyms' are LockedPseudonyms; "" for an exhibit
	ID       string        `json:"id"`             // 128 random bits, hexadecimal
	Case     string        `json:"case"`
	Exhibit  string        `json:"exhibit"`
	By       string        `json:"by"`
	At       string        `json:"at"`     // RFC 3339
	Needed   int           `json:"needed"` // how many shares open it
	Shares   []LockedShare `json:"shares"`
	Key      string        `json:"key"` // SHA-256 of the payload's age recipient: tells a wrong key
	Size     int64         `json:"payload_bytes"`
	SHA256   string        `json:"payload_sha256"` // of the encrypted payload: anybody can check it
	MAC      string        `json:"mac"`            // HMAC-SHA-256 of this head without it
	headSize int64         // of magic, length and head in the file
	headSum  string
}

// HeadSHA256 is the digest, in hexadecimal, of everything before the payload: whoever
// keeps it elsewhere sees whether this is the file that was written, without any key.
func (l Lock) HeadSHA256() string { return l.headSum }

// LockJob is an exhibit to be locked: a directory with everything below it, or
// members that are nowhere on a disk.
type LockJob struct {
	Dir        string       // files and directories only, as a bag has them
	Members    []LockMember // instead of Dir
	Out        Place        // must not exist
	Case       string
	Exhibit    string
	By         string
	At         time.Time
	Custodians []Custodian
	Needed     int
	Retain     time.Time // until then a bucket's server keeps it, whoever asks; zero: it need not
	kind       string
	partSize   int64
	Progress   func(bytes int64) // told of what was read; nil: nobody is
	Say        func(text string) // told of what is worth knowing and no error; nil: nobody is
}

// LockMember is a file that is written straight into a locked one, so that it is
// never on a disk in the clear.
type LockMember struct {
	Name  string
	Size  int64                   // bytes that Write writes, exactly
	Write func(w io.Writer) error // called once
}

func (j LockJob) check() error {
	switch n := len(j.Custodians); {
	case n < 2 || n > CustodiansMost:
		return fmt.Errorf("an exhibit is locked for 2 to %d custodians, not %d: dual control needs two people at least", CustodiansMost, n)
	case j.Needed < 2 || j.Needed > n:
		return fmt.Errorf("%d of %d custodians: at least two open an exhibit together, and no more than there are", j.Needed, n)
	case strings.TrimSpace(j.Case) == "" || strings.TrimSpace(j.By) == "":
		return errors.New("say whose case it is, and who locks it")
	}
	for i, c := range j.Custodians {
		if strings.TrimSpace(c.Name) == "" {
			return fmt.Errorf("custodian %d has no name", i+1)
		}
		for _, o := range j.Custodians[:i] {
			if o.Name == c.Name || o.Recipient == c.Recipient {
				return fmt.Errorf("custodian %q is named twice, or has another's key: two shares in one hand are no dual control", c.Name)
			}
		}
		if _, err := recipientOf(c.Recipient); err != nil {
			return fmt.Errorf("custodian %q: %w", c.Name, err)
		}
	}
	return nil
}

func recipientOf(text string) (age.Recipient, error) {
	rs, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(rs) != 1 {
		return nil, fmt.Errorf("%.100q is no public key of age: it is written age1…, and made with age-keygen", text)
	}
	return rs[0], nil
}

// LockExhibit encrypts a directory into one file, or object, that only some of its
// custodians together can open. The key exists while this runs and is kept nowhere
// whole. The directory is left as it is: whoever wants the locked file alone removes it.
func LockExhibit(ctx context.Context, j LockJob) (Lock, error) {
	if err := j.check(); err != nil {
		return Lock{}, err
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return Lock{}, err
	}
	l, err := j.head(key)
	if err != nil {
		return Lock{}, err
	}
	head, err := l.bytes()
	if err != nil {
		return Lock{}, err
	}
	put := lockPut{to: key.Recipient(), room: len(head), retain: j.Retain, say: func(string) {}, partSize: j.partSize}
	if j.Say != nil {
		put.say = j.Say
	}
	if put.expect, err = j.tarSize(); err != nil {
		return Lock{}, err
	}
	put.write = func(w io.Writer) error { return writeTar(ctx, w, j) }
	put.describe = func(size int64, sum [sha256.Size]byte) ([]byte, error) {
		var err error
		l.Size, l.SHA256 = size, hex.EncodeToString(sum[:])
		if l.MAC, err = l.mac(key); err != nil {
			return nil, err
		}
		head, err := l.bytes()
		l.headSize, l.headSum = int64(len(head)), hashLine(head)
		return head, err
	}
	if err = j.Out.put(ctx, put); err != nil && !errors.Is(err, ErrNotRetained) {
		return Lock{}, err
	}
	return l, err
}

// head is the lock with the key's shares, each sealed to its custodian, and with room
// for what is known at the end.
func (j LockJob) head(key *age.X25519Identity) (Lock, error) {
	var id [16]byte
	rand.Read(id[:])
	l := Lock{Format: LockFormat, Kind: j.kind, ID: hex.EncodeToString(id[:]), Case: strings.TrimSpace(j.Case), Exhibit: strings.TrimSpace(j.Exhibit), By: strings.TrimSpace(j.By), At: j.At.UTC().Format(time.RFC3339Nano), Needed: j.Needed, Key: keyPrint(key),
		Size: sizeRoom, SHA256: strings.Repeat("0", 64), MAC: strings.Repeat("0", 64)}
	shares, err := split.Split([]byte(key.String()), len(j.Custodians), j.Needed)
	if err != nil {
		return l, err
	}
	for i, c := range j.Custodians {
		sealed, err := sealTo(c.Recipient, shares[i])
		clear(shares[i])
		if err != nil {
			return l, fmt.Errorf("share of %s: %w", c.Name, err)
		}
		l.Shares = append(l.Shares, LockedShare{c, sealed})
	}
	return l, nil
}

// sizeRoom has as many digits as a size can have, and leaves its room.
const sizeRoom = 1e18

func keyPrint(key *age.X25519Identity) string {
	sum := sha256.Sum256([]byte(key.Recipient().String()))
	return hex.EncodeToString(sum[:])
}

func sealTo(recipient string, plain []byte) ([]byte, error) {
	r, err := recipientOf(recipient)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// bytes are the file's beginning: magic, length, head. They have one length before and
// after the payload is written.
func (l Lock) bytes() ([]byte, error) {
	raw, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	if pad := 19 - len(fmt.Sprint(l.Size)); pad > 0 {
		raw = append(raw, bytes.Repeat([]byte{' '}, pad)...)
	}
	if len(raw) > lockHeadMost {
		return nil, fmt.Errorf("the head of this lock has %d bytes, more than %d: name fewer custodians", len(raw), lockHeadMost)
	}
	out := binary.BigEndian.AppendUint32([]byte(lockMagic), uint32(len(raw)))
	return append(out, raw...), nil
}

// mac vouches for the head by what only the key's holders have.
func (l Lock) mac(key *age.X25519Identity) (string, error) {
	l.MAC = ""
	raw, err := json.Marshal(l)
	if err != nil {
		return "", err
	}
	own, err := hkdf.Key(sha256.New, []byte(key.String()), nil, LockFormat+" head", sha256.Size)
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, own)
	m.Write(raw)
	return hex.EncodeToString(m.Sum(nil)), nil
}

// ReadLock reads the head of a locked exhibit, and no more than that. It vouches for
// nothing yet.
func ReadLock(ctx context.Context, at Place) (Lock, error) { return at.withLock(ctx, nil) }

func readLock(r io.Reader) (Lock, error) {
	var l Lock
	begin := make([]byte, len(lockMagic)+4)
	if _, err := io.ReadFull(r, begin); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return l, err
	} else if err != nil || string(begin[:len(lockMagic)]) != lockMagic {
		return l, ErrNotLocked
	}
	n := binary.BigEndian.Uint32(begin[len(lockMagic):])
	if n > lockHeadMost {
		return l, fmt.Errorf("%w: its head has %d bytes, more than %d", ErrNotLocked, n, lockHeadMost)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(r, raw); err == io.EOF || err == io.ErrUnexpectedEOF {
		return l, fmt.Errorf("%w: it is cut short in its head", ErrNotLocked)
	} else if err != nil {
		return l, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil || d.More() {
		return l, fmt.Errorf("%w: its head cannot be read", ErrNotLocked)
	}
	if l.Format != LockFormat || l.Size < 0 || l.Needed < 2 || l.Needed > len(l.Shares) || len(l.Shares) > CustodiansMost {
		return l, fmt.Errorf("%w: its head says what cannot be", ErrNotLocked)
	}
	l.headSize, l.headSum = int64(len(begin))+int64(n), hashLine(append(begin, raw...))
	return l, nil
}

// CheckLock reads everything and says whether the payload is the one that was written,
// which needs no key.
func CheckLock(ctx context.Context, at Place, progress func(int64)) (Lock, error) {
	return at.withLock(ctx, func(l Lock, payload io.Reader) error {
		sum := sha256.New()
		if err := copyUnder(ctx, sum, payload, progress); err != nil {
			return err
		}
		return l.checkPayload(at.String(), sum)
	})
}

func (l Lock) checkPayload(path string, sum hash.Hash) error {
	if got := hex.EncodeToString(sum.Sum(nil)); got != l.SHA256 {
		return fmt.Errorf("%s is damaged: its payload has SHA-256 %s, its head says %s; take another copy of it", path, got, l.SHA256)
	}
	return nil
}

// GivenShare is a share that its custodian gave to somebody for a reason: sealed to
// whoever unlocks, so that custodians need neither meet nor show their keys.
type GivenShare struct {
	Format    string `json:"format"`
	Lock      string `json:"lock"` // its ID
	Custodian string `json:"custodian"`
	To        string `json:"to"` // the recipient that opens it
	Reason    string `json:"reason"`
	At        string `json:"at"`
	Share     []byte `json:"share"`
}

// GiveShare is a custodian's act: they open their own share and seal it to another.
func GiveShare(l Lock, identities []age.Identity, to, reason string, at time.Time) (GivenShare, error) {
	if strings.TrimSpace(reason) == "" {
		return GivenShare{}, errors.New("say what the share is given for: it stands in it")
	}
	for _, s := range l.Shares {
		plain, err := openShare(s.Share, identities)
		if err != nil {
			continue // another's
		}
		defer clear(plain)
		sealed, err := sealTo(to, plain)
		return GivenShare{ShareFormat, l.ID, s.Name, to, strings.TrimSpace(reason), at.UTC().Format(time.RFC3339Nano), sealed}, err
	}
	return GivenShare{}, fmt.Errorf("none of these keys opens a share of this exhibit: its custodians are %s", strings.Join(l.custodians(), ", "))
}

func (l Lock) custodians() []string {
	var out []string
	for _, s := range l.Shares {
		out = append(out, s.Name)
	}
	return out
}

func openShare(sealed []byte, identities []age.Identity) (split.Share, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<10))
}

// key puts the exhibit's key together from given shares, each opened with the
// identities. It names what is missing, and which share is another exhibit's.
func (l Lock) key(given []GivenShare, identities []age.Identity) (*age.X25519Identity, error) {
	var names []string
	var shares []split.Share
	for _, g := range given {
		switch {
		case g.Format != ShareFormat:
			return nil, fmt.Errorf("the share of %.80q is none that this program reads: its format is %.40q", g.Custodian, g.Format)
		case g.Lock != l.ID:
			return nil, fmt.Errorf("the share of %.80q is of another exhibit: ask for the one of %s", g.Custodian, l.ID)
		case slices.Contains(names, g.Custodian):
			continue // the same share twice is one
		}
		plain, err := openShare(g.Share, identities)
		if err != nil {
			return nil, fmt.Errorf("the share of %.80q was given to %.80s and is not opened by your key", g.Custodian, g.To)
		}
		names, shares = append(names, g.Custodian), append(shares, plain)
	}
	if len(shares) < l.Needed {
		return nil, fmt.Errorf("%d shares are needed and %d are here (%s): ask another of %s", l.Needed, len(shares), strings.Join(names, ", "), strings.Join(l.custodians(), ", "))
	}
	secret, err := split.Combine(shares)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	key, err := age.ParseX25519Identity(string(secret))
	if err != nil || keyPrint(key) != l.Key {
		return nil, fmt.Errorf("the shares of %s give no key of this exhibit: one of them was changed", strings.Join(names, ", "))
	}
	if mac, err := l.mac(key); err != nil || !hmac.Equal([]byte(mac), []byte(l.MAC)) {
		return nil, errors.New("the key is right and the head of this exhibit is not as it was written: somebody changed it")
	}
	return key, nil
}
