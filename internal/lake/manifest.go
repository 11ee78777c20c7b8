package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/vault"
)

const (
	// Format names the form of a lake (docs/formats/lake.md).
	Format = "concert-lake/1"
	// Predicate is the type of the statement that a lake's signature makes about its
	// manifest (in-toto).
	Predicate = "urn:concert:lake:1"

	fileManifest   = "manifest.json"
	fileSeal       = "seal.dsse.json"
	filePseudonyms = "pseudonyms.locked"
	manifestMost   = 256 << 20
	partMost       = 1 << 30
)

// Manifest says what a lake holds and how it came about. Its file is canonical
// JSON (RFC 8785).
type Manifest struct {
	Format     string             `json:"format"`
	Case       string             `json:"case"`
	Epoch      string             `json:"epoch"`     // which of the case's keys the pseudonyms are made with
	KeyCheck   string             `json:"key_check"` // KeyCheck of that key
	Made       string             `json:"made"`      // RFC 3339, UTC
	By         string             `json:"by"`
	Parser     string             `json:"parser"` // program and version that read the logs
	BotRule    accesslog.BotRule  `json:"bot_rule"`
	Geo        *accesslog.GeoInfo `json:"geo"` // null: no country was looked up
	Lines      int64              `json:"lines"`
	Rows       int64              `json:"rows"` // parsed lines
	Rejected   int64              `json:"rejected"`
	Blank      int64              `json:"blank"`
	Inputs     []Input            `json:"inputs"` // column item counts them from 0
	Parts      []Part             `json:"parts"`  // in the order of their paths
	Pseudonyms Pseudonyms         `json:"pseudonyms"`
}

// Input is a log that was read. Lines = Parsed + Rejected + Blank.
type Input struct {
	Name     string            `json:"name"`   // its path, with what looks personal replaced (accesslog.Redact)
	SHA256   string            `json:"sha256"` // of the file as it lies there; empty where it could not be read again unchanged
	Size     int64             `json:"size"`
	Outcome  accesslog.Outcome `json:"outcome"`
	Format   string            `json:"format"`
	Packed   string            `json:"compression"`
	Lines    int64             `json:"lines"`
	Parsed   int64             `json:"parsed"`
	Rejected int64             `json:"rejected"`
	Blank    int64             `json:"blank"`
}

// Pseudonyms says which locked list tells whom the pseudonyms stand for.
type Pseudonyms struct {
	Lock  string `json:"lock"` // its id
	Known int64  `json:"known"`
}

// Lake is a lake whose manifest was read.
type Lake struct {
	Dir      string
	Manifest Manifest
	Digest   string             // SHA-256 of the manifest's file
	Seal     *vault.Attestation // nil: nobody signed it
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Open reads a lake's manifest and its signature, and refuses a lake whose files
// are not those that the manifest names. The parts' digests are compared when they
// are read. With trust given, one of those public keys (base64) must have signed.
func Open(dir string, trust []string) (*Lake, error) {
	l, err := OpenManifest(dir, trust)
	if err != nil {
		return nil, err
	}
	return l, l.present()
}

// OpenManifest is Open without the parts, which may lie elsewhere: for whoever has
// their rows from somewhere else and holds them against the manifest.
func OpenManifest(dir string, trust []string) (*Lake, error) {
	raw, err := readSmall(filepath.Join(dir, fileManifest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is no lake: it has no %s; one that was never finished has none either, make it again", dir, fileManifest)
	}
	if err != nil {
		return nil, err
	}
	l := &Lake{Dir: dir}
	if err := concert.DecodeCanonical(raw, &l.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w: somebody changed it", filepath.Join(dir, fileManifest), err)
	}
	sum := sha256.Sum256(raw)
	l.Digest = hex.EncodeToString(sum[:])
	if err := l.Manifest.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, fileManifest), err)
	}
	return l, l.sealed(trust)
}

func (m *Manifest) check() error {
	if m.Format != Format {
		return fmt.Errorf("its format is %.40q, this program reads %s", m.Format, Format)
	}
	if !plainID.MatchString(m.Case) {
		return fmt.Errorf("%.80q is no case's id", m.Case)
	}
	prefix, rows, before := "lake/case="+m.Case+"/kind=access/month=", int64(0), ""
	for _, p := range m.Parts {
		if !strings.HasPrefix(p.Path, prefix) || !filepath.IsLocal(p.Path) || p.Path <= before || p.Rows <= 0 || p.Size < 0 || p.Size > partMost {
			return fmt.Errorf("it names a part %.200q that cannot be", p.Path)
		}
		rows, before = rows+p.Rows, p.Path
	}
	if rows != m.Rows || m.Lines != m.Rows+m.Rejected+m.Blank {
		return fmt.Errorf("its numbers do not add up: %d rows in parts, %d in all; %d lines", rows, m.Rows, m.Lines)
	}
	return nil
}

// sealed reads the signature, if there is one.
func (l *Lake) sealed(trust []string) error {
	path := filepath.Join(l.Dir, fileSeal)
	raw, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		if len(trust) > 0 {
			return fmt.Errorf("%s is not signed, and a key was named that should have signed it", l.Dir)
		}
		return nil
	}
	if err != nil {
		return err
	}
	a, err := vault.ReadAttestation(raw, Predicate)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if a.Name != fileManifest || a.SHA256 != l.Digest {
		return fmt.Errorf("%s vouches for another manifest than the one that lies here: one of the two was changed", path)
	}
	if len(trust) > 0 && !slices.Contains(trust, a.Key) {
		return fmt.Errorf("%s: the key %s signed it, which is none of those that were named", path, a.Key)
	}
	l.Seal = &a
	return nil
}

// present compares what lies in the lake with what the manifest names, by name and
// size.
func (l *Lake) present() error {
	named := map[string]int64{}
	for _, p := range l.Manifest.Parts {
		named[p.Path] = p.Size
	}
	err := filepath.WalkDir(filepath.Join(l.Dir, "lake"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(l.Dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		size, ok := named[rel]
		if !ok {
			return fmt.Errorf("%s lies in the lake and its manifest does not name it: no answer is given until it is taken away", path)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || info.Size() != size {
			return fmt.Errorf("%s is no file of %d bytes, as the manifest says: it was changed; take the lake from another copy", path, size)
		}
		delete(named, rel)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for path := range named {
		return fmt.Errorf("%s is missing, and %d parts with it: no answer is given from the rest; take the lake from another copy", filepath.Join(l.Dir, path), len(named)-1)
	}
	return nil
}

// read gives a part's bytes, once they are known to be those that were written.
func (l *Lake) read(p Part) ([]byte, error) {
	path := filepath.Join(l.Dir, filepath.FromSlash(p.Path))
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: no answer is given without it", err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != p.SHA256 {
		return nil, fmt.Errorf("%s is not as it was written: its SHA-256 is %x, the manifest says %s; take the lake from another copy", path, sum, p.SHA256)
	}
	return raw, nil
}

func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > manifestMost {
		return nil, fmt.Errorf("%s is no file of at most %d MiB", path, manifestMost>>20)
	}
	return os.ReadFile(path)
}
