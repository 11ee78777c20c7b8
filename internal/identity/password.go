package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"concert"
)

// Params is the price of one argon2id hash (RFC 9106).
type Params struct {
	MemoryKiB uint32 // memory filled by one hash
	Passes    uint32 // times it is filled
	Lanes     uint8  // parallel lanes inside one hash
}

// DefaultParams is RFC 9106's second recommended option: 64 MiB, 3 passes, 4
// lanes, 0.1 to 0.3 s of one core.
func DefaultParams() Params { return Params{MemoryKiB: 64 * 1024, Passes: 3, Lanes: 4} }

// ExerciseParams costs about 0.1 ms. It is for invented people in an exercise
// or a test, never for a real account.
func ExerciseParams() Params { return Params{MemoryKiB: 16, Passes: 1, Lanes: 1} }

const (
	saltSize = 16
	hashSize = 32
	// A stored string is trusted less than our code: without bounds one bad row
	// could take all memory.
	maxMemoryKiB = 1 << 20
	maxPasses    = 32
	maxLanes     = 16

	// MaxPassword is the longest password in bytes; more is refused before it
	// is hashed.
	MaxPassword = 1024
	// MinPassword is the shortest new password in characters (NIST SP 800-63B
	// section 3.1.1.2 asks for 15, or 8 beside a second factor; we take 12).
	MinPassword = 12
)

// ErrHash says that a stored password hash cannot be read.
var ErrHash = errors.New("stored password hash is malformed")

// Hasher hashes passwords, at most so many at a time: each one fills its
// memory, and a burst of log-ins must not take the machine's.
type Hasher struct {
	params Params
	slots  chan struct{} // one element for each hash under way
	nobody string        // what stands for an unknown user's hash
}

// NewHasher returns a hasher with these parameters that runs at most
// concurrent hashes at once. Parameters outside RFC 9106's or our own bounds,
// or concurrent < 1, are errors.
func NewHasher(p Params, concurrent int) (*Hasher, error) {
	if err := p.valid(); err != nil {
		return nil, err
	}
	if concurrent < 1 {
		return nil, fmt.Errorf("password hasher: %d hashes at once, wanted is at least 1", concurrent)
	}
	h := &Hasher{params: p, slots: make(chan struct{}, concurrent)}
	// Random bytes in a digest's place: no password gives them, and a program
	// that never logs anyone in pays for no hash at its start.
	var salt [saltSize]byte
	var sum [hashSize]byte
	rand.Read(salt[:])
	rand.Read(sum[:])
	h.nobody = h.phc(salt[:], sum[:])
	return h, nil
}

func (p Params) valid() error {
	if p.Passes < 1 || p.Passes > maxPasses || p.Lanes < 1 || p.Lanes > maxLanes ||
		p.MemoryKiB < 8*uint32(p.Lanes) || p.MemoryKiB > maxMemoryKiB {
		return fmt.Errorf("argon2id parameters m=%d,t=%d,p=%d: wanted are t 1 to %d, p 1 to %d, m from 8p to %d KiB",
			p.MemoryKiB, p.Passes, p.Lanes, maxPasses, maxLanes, maxMemoryKiB)
	}
	return nil
}

// Hash returns the PHC string of the password under a fresh salt. It waits for
// its turn and gives up with the context.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxPassword {
		return "", fmt.Errorf("password has %d bytes, at most %d are taken", len(password), MaxPassword)
	}
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	return h.hash(password), nil
}

// Verify reports whether password belongs to the stored PHC string, in time
// that does not depend on where they differ. rehash says that the stored
// parameters are weaker than the hasher's, and that the caller, who holds the
// right password at this moment, should store a new Hash. An empty stored
// string stands for an unknown user or one without password: it costs the same
// as a wrong password, so that log-in does not tell which names exist.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (ok, rehash bool, err error) {
	known := stored != ""
	if !known {
		stored = h.nobody
	}
	p, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	if len(password) > MaxPassword {
		return false, false, nil
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	got := argon2.IDKey(norm.NFKC.Bytes([]byte(password)), salt, p.Passes, p.MemoryKiB, p.Lanes, uint32(len(want)))
	ok = subtle.ConstantTimeCompare(got, want) == 1 && known
	return ok, ok && h.weaker(p, salt, want), nil
}

// NeedsRehash reports whether the stored string was made with weaker
// parameters than the hasher's, or cannot be read.
func (h *Hasher) NeedsRehash(stored string) bool {
	p, salt, want, err := parsePHC(stored)
	return err != nil || h.weaker(p, salt, want)
}

func (h *Hasher) weaker(p Params, salt, hash []byte) bool {
	return p.MemoryKiB < h.params.MemoryKiB || p.Passes < h.params.Passes || len(salt) < saltSize || len(hash) < hashSize
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
}

func (h *Hasher) leave() { <-h.slots }

func (h *Hasher) hash(password string) string {
	var salt [saltSize]byte
	rand.Read(salt[:])
	// NFKC, since one keyboard sends a composed letter and another its parts.
	return h.phc(salt[:], argon2.IDKey(norm.NFKC.Bytes([]byte(password)), salt[:], h.params.Passes, h.params.MemoryKiB, h.params.Lanes, hashSize))
}

func (h *Hasher) phc(salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.params.MemoryKiB, h.params.Passes, h.params.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// parsePHC reads $argon2id$v=19$m=65536,t=3,p=4$salt$hash (the PHC string
// format). Errors match ErrHash and never contain the string.
func parsePHC(s string) (p Params, salt, hash []byte, err error) {
	if len(s) > 512 {
		return p, nil, nil, fmt.Errorf("%w: longer than 512 bytes", ErrHash)
	}
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" {
		return p, nil, nil, fmt.Errorf("%w: not of the form $argon2id$v=..$m=..,t=..,p=..$salt$hash", ErrHash)
	}
	if part[2] != "v="+strconv.Itoa(argon2.Version) {
		return p, nil, nil, fmt.Errorf("%w: argon2 version is not %d", ErrHash, argon2.Version)
	}
	field := strings.Split(part[3], ",")
	if len(field) != 3 {
		return p, nil, nil, fmt.Errorf("%w: parameters are not m, t, p", ErrHash)
	}
	var n [3]uint64
	for i, key := range []string{"m=", "t=", "p="} {
		digits, found := strings.CutPrefix(field[i], key)
		n[i], err = strconv.ParseUint(digits, 10, 24)
		if !found || err != nil {
			return p, nil, nil, fmt.Errorf("%w: parameter %s is no number in range", ErrHash, key)
		}
	}
	if n[2] > maxLanes || n[1] > maxPasses {
		return p, nil, nil, fmt.Errorf("%w: parameters out of bounds", ErrHash)
	}
	p = Params{MemoryKiB: uint32(n[0]), Passes: uint32(n[1]), Lanes: uint8(n[2])}
	if err := p.valid(); err != nil {
		return p, nil, nil, fmt.Errorf("%w: %w", ErrHash, err)
	}
	strict := base64.RawStdEncoding.Strict()
	salt, serr := strict.DecodeString(part[4])
	hash, herr := strict.DecodeString(part[5])
	if serr != nil || herr != nil || len(salt) < 8 || len(salt) > 64 || len(hash) < 16 || len(hash) > 64 {
		return p, nil, nil, fmt.Errorf("%w: salt or hash is no base64 of a sound length", ErrHash)
	}
	return p, salt, hash, nil
}

//go:embed common.txt
var commonPasswords string

// CheckPassword refuses what NIST SP 800-63B section 3.1.1.2 refuses: too short,
// too long, known from lists, or equal to a name of the account (pass log-in
// name, mail address, display name). It asks for no mixture of character
// classes.
func CheckPassword(password string, names ...string) error {
	if n := utf8.RuneCountInString(password); n < MinPassword {
		return weak("the password has %d characters, at least %d are needed; a sentence of four or more words is easy to remember", n, MinPassword)
	}
	if len(password) > MaxPassword {
		return weak("the password has %d bytes, at most %d are taken", len(password), MaxPassword)
	}
	if !utf8.ValidString(password) {
		return weak("the password is not valid UTF-8; type it anew")
	}
	folded := strings.ToLower(norm.NFKC.String(password))
	for _, name := range names {
		name = strings.ToLower(norm.NFKC.String(strings.TrimSpace(name)))
		local, _, _ := strings.Cut(name, "@")
		bare := strings.TrimRight(folded, "0123456789!?.#*-_ ")
		if name != "" && (folded == name || bare == name || bare == local) {
			return weak("the password is the account's own name or mail address; choose another")
		}
	}
	distinct := make(map[rune]bool)
	for _, r := range folded {
		distinct[r] = true
	}
	if len(distinct) < 5 {
		return weak("the password repeats fewer than 5 different characters; choose another")
	}
	for line := range strings.Lines(commonPasswords) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && strings.TrimRight(folded, "!?.") == line {
			return weak("the password stands on lists of common passwords; choose another")
		}
	}
	return nil
}

func weak(format string, args ...any) error {
	return concert.Refuse(concert.Invalid, "password.weak", "password", format, args...)
}
