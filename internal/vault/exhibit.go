package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"concert/internal/vault/ewf"
)

// ManifestFormat is what a manifest's first field says (docs/formats/evidence.md).
const ManifestFormat = "concert-evidence/1"

// Types of an item or member.
const (
	TypeFile      = "file"
	TypeDirectory = "directory"
	TypeLink      = "link"  // a symbolic link: recorded, never followed
	TypeOther     = "other" // a device, pipe or socket: recorded, never opened
)

// Outcomes of an item, container or member. None stands for whole.
const (
	OutcomeChanged = "changed"  // it changed while it was read: what was read is sealed
	OutcomeShort   = "short"    // it ended before its size: what was read is sealed
	OutcomeUnread  = "unread"   // it could not be read, or not to its end
	OutcomeDamaged = "damaged"  // what it says is broken
	OutcomeLimit   = "limit"    // a limit stopped it
	OutcomeRefused = "refused"  // a kind, or a way of packing, that is not read
	OutcomeLocked  = "locked"   // encrypted
	OutcomeGone    = "gone"     // the process that read it did not survive it
	OutcomeNotRead = "not read" // nobody asked for it, or there was no child to read it
)

// Manifest is what was sealed: every item with its digests, and what containers
// among them hold. It has one text (Bytes).
type Manifest struct {
	Format     string      `json:"format"`
	Case       string      `json:"case"`
	Begun      string      `json:"begun"`  // RFC 3339, UTC
	Sealed     string      `json:"sealed"` // RFC 3339, UTC
	By         string      `json:"by"`
	Reason     string      `json:"reason"`
	Program    string      `json:"program"`
	Sources    []Source    `json:"sources"`
	Items      []Item      `json:"items"` // in the order of their paths' bytes
	Containers []Container `json:"containers"`
}

// Source is one thing that was sealed.
type Source struct {
	Given string `json:"given"` // the path as it was resolved, encoded as EncodeName does
	Path  string `json:"path"`  // where it lies in the bag
	Kind  string `json:"kind"`  // directory, file or device
}

// Item is a file, directory, link or other thing of a source.
type Item struct {
	Path     string `json:"path"`             // in the bag, from data/ on; encoded
	Name64   string `json:"name64,omitempty"` // the name as it was, base64, where the path had to be shortened
	Type     string `json:"type"`
	Size     int64  `json:"size"` // bytes of the copy
	Mode     string `json:"mode,omitempty"`
	Modified string `json:"modified,omitempty"` // RFC 3339 with nanoseconds, UTC
	Link     string `json:"link,omitempty"`     // where a link leads, encoded
	SHA256   string `json:"sha256,omitempty"`
	BLAKE3   string `json:"blake3,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Container is what an archive or an image holds, as it was read from its sealed
// copy.
type Container struct {
	Path     string   `json:"path"`
	Kind     string   `json:"kind"`
	Segments []string `json:"segments,omitempty"` // of an image: the paths of all, in order
	Outcome  string   `json:"outcome,omitempty"`
	Note     string   `json:"note,omitempty"`
	Media    *Media   `json:"media,omitempty"`
	Members  []Member `json:"members,omitempty"`
}

// Media is what came of reading an image, three verdicts apart.
type Media = ewf.Verdict

// Member is one entry of an archive. What is inside an archive inside has the
// names of both.
type Member struct {
	Name     []string `json:"name"` // encoded; the innermost last
	Type     string   `json:"type"`
	Size     int64    `json:"size"`
	Modified string   `json:"modified,omitempty"`
	Link     string   `json:"link,omitempty"`
	SHA256   string   `json:"sha256,omitempty"`
	BLAKE3   string   `json:"blake3,omitempty"`
	Outcome  string   `json:"outcome,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Bytes are the manifest's one text: JSON by RFC 8785, and a line feed.
func (m Manifest) Bytes() ([]byte, error) { return canonical(m) }

func canonical(v any) ([]byte, error) {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	text := jsontext.Value(raw.Bytes())
	if err := text.Canonicalize(); err != nil {
		return nil, err
	}
	return append(bytes.TrimSpace(text), '\n'), nil
}

// decodeCanonical reads the one text of a value and refuses any other.
func decodeCanonical(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	again, err := canonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, raw) {
		return errors.New("it is not written as its format says (RFC 8785, every field known, a line feed at its end)")
	}
	return nil
}

// ParseManifest reads a manifest, and refuses what no manifest may say.
func ParseManifest(raw []byte) (m Manifest, err error) {
	if err := decodeCanonical(raw, &m); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	if m.Format != ManifestFormat {
		return Manifest{}, fmt.Errorf("manifest: its format is %q; this version reads %q", m.Format, ManifestFormat)
	}
	for i, it := range m.Items {
		switch {
		case i > 0 && m.Items[i-1].Path >= it.Path:
			return Manifest{}, fmt.Errorf("manifest: %q stands after %q, out of order or twice", it.Path, m.Items[i-1].Path)
		case !bagPath(it.Path):
			return Manifest{}, fmt.Errorf("manifest: %q is no path of a bag", it.Path)
		case it.Size < 0 || it.Type == TypeFile && len(it.SHA256) != 64 && it.Outcome != OutcomeUnread:
			return Manifest{}, fmt.Errorf("manifest: %q has no size or digest that a file has", it.Path)
		}
	}
	return m, nil
}

// bagPath reports whether a path lies in a bag's payload and nowhere else.
func bagPath(p string) bool {
	rest, ok := bytes.CutPrefix([]byte(p), []byte("data/"))
	return ok && fs.ValidPath(string(rest)) && string(rest) != "." && p == EncodeName(p, false)
}

// stamp is a time as manifests and records write it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
