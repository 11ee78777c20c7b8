package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"concert"
)

// TrustFormat names what a reader trusts, as a file, version 1.
const TrustFormat = "concert-trust/1"

// Trust is what a reader trusts: the roots that it pinned and the newest register
// that it has of each. It is a value; whoever keeps it writes [Trust.Marshal] down.
// It is not for use by many at once while it changes.
type Trust struct{ pins []Pin }

// Pin is one root that the reader pinned.
type Pin struct {
	Root     Fingerprint
	PinnedAt time.Time
	Register *Register // the newest edition that was shown
}

// pinned is a Pin as it is written down.
type pinned struct {
	Root     string           `json:"root"`
	PinnedAt string           `json:"pinned_at"`
	Register concert.Envelope `json:"register"`
}

type trustFile struct {
	Format string   `json:"format"`
	Pins   []pinned `json:"pins"`
}

// ReadTrust reads what Marshal wrote; no bytes at all trust nobody. Every register
// in it is checked anew.
func ReadTrust(raw []byte) (*Trust, error) {
	t := &Trust{}
	if len(raw) == 0 {
		return t, nil
	}
	var file trustFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("what you pinned cannot be read: %w", err)
	}
	if file.Format != TrustFormat {
		return nil, fmt.Errorf("what you pinned has the format %.100q, this program reads %q", file.Format, TrustFormat)
	}
	for _, p := range file.Pins {
		root, err := ParseFingerprint(p.Root)
		if err != nil {
			return nil, fmt.Errorf("what you pinned cannot be read: %w", err)
		}
		at, err := concert.ParseTime(p.PinnedAt)
		r, f := openRegister(p.Register)
		switch {
		case f != nil:
			return nil, fmt.Errorf("the register under the root %s that you pinned: %w", root, f)
		case r.root != root || err != nil:
			return nil, fmt.Errorf("the root %s that you pinned does not go with its register", root)
		}
		t.pins = append(t.pins, Pin{Root: root, PinnedAt: at, Register: r})
	}
	return t, nil
}

// Marshal is the trust as it is written down.
func (t *Trust) Marshal() ([]byte, error) {
	file := trustFile{Format: TrustFormat, Pins: []pinned{}}
	for _, p := range t.pins {
		file.Pins = append(file.Pins, pinned{Root: p.Root.String(), PinnedAt: p.PinnedAt.UTC().Format(concert.TimeFormat), Register: p.Register.envelope})
	}
	raw, err := json.MarshalIndent(file, "", " ")
	return append(raw, '\n'), err
}

// Pins lists the roots that are pinned.
func (t *Trust) Pins() []Pin { return slices.Clone(t.pins) }

// Roots are the roots that are pinned.
func (t *Trust) Roots() Roots {
	var out Roots
	for _, p := range t.pins {
		out = append(out, p.Root)
	}
	return out
}

// Pin pins the root of a register, if typed is its fingerprint: the reader has it from
// somebody that it knows, and did not copy it from the register. Where a root is
// pinned already, typed may be empty, and a newer edition takes the place of the older.
// Refused are an older edition than the one at hand, two texts of one edition, and a
// second root for an origin, unless replace says that the old root is to go.
func (t *Trust) Pin(typed string, raw []byte, replace bool, now time.Time) (*Register, error) {
	root, _, err := Look(raw)
	if err != nil {
		return nil, err
	}
	r, err := ReadRegister(raw, Roots{root})
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(t.pins, func(p Pin) bool { return p.Root == root })
	if typed == "" && at < 0 {
		return nil, fault("register.root", "root", "the register of %s is signed by the root %s: say the fingerprint that you were told by another way", r.edition.Origin, root)
	}
	if typed != "" {
		told, err := ParseFingerprint(typed)
		if err != nil {
			return nil, err
		}
		if told != root {
			return nil, fault("register.root", "root", "the register of %s is signed by the root %s, and not by the one that you were told: do not trust it, and ask whoever gave it to you", r.edition.Origin, root)
		}
	}
	if err := t.Accepts(r); err != nil {
		return nil, err
	}
	other := slices.IndexFunc(t.pins, func(p Pin) bool { return p.Root != root && p.Register.edition.Origin == r.edition.Origin })
	switch {
	case other >= 0 && !replace:
		return nil, fault("register.second_root", "origin", "you have pinned the root %s for %s: find out by another way why there is a second one, then replace the first", t.pins[other].Root, r.edition.Origin)
	case other >= 0:
		t.pins = slices.Delete(t.pins, other, other+1)
		at = slices.IndexFunc(t.pins, func(p Pin) bool { return p.Root == root })
	}
	if at < 0 {
		t.pins = append(t.pins, Pin{Root: root, PinnedAt: now, Register: r})
		slices.SortFunc(t.pins, func(a, b Pin) int { return strings.Compare(a.Register.edition.Origin, b.Register.edition.Origin) })
	} else {
		t.pins[at].Register = r
	}
	return r, nil
}

// Accepts refuses an edition that is older than the one at hand, or another text of
// the same number: then a key that was revoked could come back.
func (t *Trust) Accepts(r *Register) error {
	for _, p := range t.pins {
		have := p.Register
		switch {
		case p.Root != r.root:
		case have.edition.Origin != r.edition.Origin:
			return fault("register.origin", "origin", "the root %s is pinned for %s, this register is of %s", p.Root, have.edition.Origin, r.edition.Origin)
		case have.edition.Serial > r.edition.Serial:
			return fault("register.old", "serial", "this is edition %d of the register of %s, and you have edition %d: ask for the newest", r.edition.Serial, r.edition.Origin, have.edition.Serial)
		case have.edition.Serial == r.edition.Serial && !equal(have.envelope, r.envelope):
			return fault("register.forked", "serial", "there are two texts of edition %d of the register of %s: keep both, and ask who signs it", r.edition.Serial, r.edition.Origin)
		}
	}
	return nil
}

// Register is the pinned register that an order is to be judged by: the one that knows
// its author's key, or else the one of its log's origin, or else any; nil where
// nothing is pinned. The choice believes nothing of the order: what it says wrongly
// fails under any of them.
func (t *Trust) Register(file []byte) *Register {
	var is struct {
		Envelope concert.Envelope `json:"envelope"`
		Proof    struct {
			Origin string `json:"origin"`
		} `json:"proof"`
	}
	if len(file) > MaxFile || json.Unmarshal(file, &is) != nil || len(t.pins) == 0 {
		is.Envelope.Signatures = nil
	}
	var byOrigin, last *Register
	for _, p := range t.pins {
		r := p.Register
		if s := is.Envelope.Signatures; len(s) > 0 {
			if _, ok := r.keys[s[0].KeyID]; ok {
				return r
			}
		}
		if r.edition.Origin == is.Proof.Origin {
			byOrigin = r
		}
		last = r
	}
	if byOrigin != nil {
		return byOrigin
	}
	return last
}
