package vault

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"concert/internal/durable"
)

// Names of a bag's tag files (RFC 8493, and docs/formats/evidence.md).
const (
	fileBagit    = "bagit.txt"
	fileInfo     = "bag-info.txt"
	fileSums     = "manifest-sha256.txt"
	fileTags     = "tagmanifest-sha256.txt"
	fileManifest = "manifest.json"
	fileDeep     = "hashdeep.txt"
	filePieces   = "pieces.blake3"
	fileSeal     = "seal.dsse.json"
	fileStamp    = "seal.tsr"

	// sealType is the type of what a seal signs: an in-toto statement, version 1.
	sealType      = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "urn:concert:evidence:1"
	tagMost       = 4 << 30
)

// taggedFiles are the files whose digests stand in the tag manifest.
var taggedFiles = [...]string{fileInfo, fileBagit, fileDeep, fileManifest, fileSums, filePieces}

// statement is what a seal signs: the digests of the bag's tag files.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	Case   string `json:"case"`
	By     string `json:"by"`
	Reason string `json:"reason"`
	Sealed string `json:"sealed"`
	Key    string `json:"key"` // the signer's, base64
}

// copied are the items that have a copy in the bag.
func (m Manifest) copied() []Item {
	return slices.DeleteFunc(slices.Clone(m.Items), func(it Item) bool { return it.Type != TypeFile || it.SHA256 == "" })
}

// tagTexts are the tag files of a manifest, by name: they follow from it.
func tagTexts(m Manifest, pieces []byte) (map[string][]byte, error) {
	text, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	var sums, deep bytes.Buffer
	var total int64
	fmt.Fprintf(&deep, "%%%%%%%% HASHDEEP-1.0\n%%%%%%%% size,sha256,filename\n## Invoked from: the bag\n## # hashdeep -c sha256 -r -l data\n## \n")
	files := m.copied()
	for _, it := range files {
		total += it.Size
		fmt.Fprintf(&sums, "%s  %s\n", it.SHA256, it.Path)
		fmt.Fprintf(&deep, "%d,%s,%s\n", it.Size, it.SHA256, it.Path)
	}
	line := func(s string) string { return EncodeName(s, false) }
	info := fmt.Sprintf("Bagging-Date: %.10s\nBag-Software-Agent: %s\nContact-Name: %s\nExternal-Identifier: %s\nExternal-Description: %s\nPayload-Oxum: %d.%d\n", m.Sealed, line(m.Program), line(m.By), line(m.Case), line(m.Reason), total, len(files))
	return map[string][]byte{fileBagit: []byte("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"), fileInfo: []byte(info), fileSums: sums.Bytes(), fileDeep: deep.Bytes(), fileManifest: text, filePieces: pieces}, nil
}

// finish writes the tag files, the signature and the first custody record, takes
// away every right to write, and gives the bag its name.
func (s *sealer) finish(m Manifest, pieces []byte) (digest string, err error) {
	texts, err := tagTexts(m, pieces)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(texts[fileManifest])
	digest = hex.EncodeToString(sum[:])
	var tags bytes.Buffer
	st := statement{Type: statementType, PredicateType: predicateType, Predicate: predicate{Case: m.Case, By: m.By, Reason: m.Reason, Sealed: m.Sealed}}
	for _, name := range taggedFiles {
		sum := sha256.Sum256(texts[name])
		fmt.Fprintf(&tags, "%x  %s\n", sum, name)
		st.Subject = append(st.Subject, subject{name, map[string]string{"sha256": hex.EncodeToString(sum[:])}})
	}
	texts[fileTags] = tags.Bytes()
	if s.Key != nil {
		sum := sha256.Sum256(texts[fileTags])
		st.Subject = append(st.Subject, subject{fileTags, map[string]string{"sha256": hex.EncodeToString(sum[:])}})
		if texts[fileSeal], err = s.Key.envelope(st); err != nil {
			return "", err
		}
	}
	record := Custody{N: 1, At: m.Sealed, Act: ActSealed, By: m.By, Reason: m.Reason, Manifest: digest, Prev: strings.Repeat("0", digestLength)}
	line, err := record.line(s.Key)
	if err != nil {
		return "", err
	}
	texts[custodyName] = line
	if texts[custodyHead], err = headText(1, hashLine(line), s.Key); err != nil {
		return "", err
	}
	for name, text := range texts {
		mode := fs.FileMode(sealedMode)
		if name == custodyName || name == custodyHead {
			mode = 0o600 // records are added
		}
		if err := durable.WriteFile(filepath.Join(s.bag, name), text, mode); err != nil {
			return "", err
		}
	}
	if err := sealDirs(filepath.Join(s.bag, "data")); err != nil {
		return "", err
	}
	if err := syncAll(s.j.dir); err != nil {
		return "", err
	}
	if err := os.Rename(s.bag, s.Bag); err != nil {
		return "", err
	}
	if err := durable.SyncDir(filepath.Dir(s.Bag)); err != nil {
		return "", err
	}
	return digest, os.RemoveAll(s.dir)
}

// sealDirs takes the right to write from every directory, the deepest first.
func sealDirs(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for _, d := range slices.Backward(dirs) {
		err = errors.Join(err, os.Chmod(d, sealedDirMode))
	}
	return err
}

// envelope is the statement under DSSE, signed.
func (k *Key) envelope(st statement) ([]byte, error) {
	st.Predicate.Key = k.Public()
	text, err := canonical(st)
	if err != nil {
		return nil, err
	}
	return k.Envelope(sealType, text)
}

// readSeal reads a bag's envelope: the statement, whose key it names, and whether
// that key's signature holds.
func readSeal(raw []byte) (st statement, good bool, err error) {
	return readStatement(raw, predicateType)
}

// readStatement is the same for a statement of another type.
func readStatement(raw []byte, predicate string) (st statement, good bool, err error) {
	env, err := ReadEnvelope(raw, sealType)
	if err != nil {
		return st, false, fmt.Errorf("%s: %w", fileSeal, err)
	}
	if err := decodeCanonical(env.Payload, &st); err != nil || st.Type != statementType || st.PredicateType != predicate {
		return statement{}, false, fmt.Errorf("%s holds no statement about evidence (%w)", fileSeal, cmp.Or(err, errors.New("another type")))
	}
	if _, err := parsePublic(st.Predicate.Key); err != nil {
		return statement{}, false, fmt.Errorf("%s: %w", fileSeal, err)
	}
	return st, env.SignedBy(st.Predicate.Key), nil
}

// Attestation is a person's signed word that a file is as it was made: an in-toto
// statement about one subject.
type Attestation struct {
	Kind   string // predicate type of the statement, a URN
	Name   string // of the file
	SHA256 string // hexadecimal
	Case   string
	By     string
	Reason string
	At     string // RFC 3339
	Key    string // of who signed, base64; filled in by Attest
}

// Attest is the attestation under DSSE, in the form of a bag's seal.
func (k *Key) Attest(a Attestation) ([]byte, error) {
	return k.envelope(statement{Type: statementType, PredicateType: a.Kind, Subject: []subject{{a.Name, map[string]string{"sha256": a.SHA256}}},
		Predicate: predicate{Case: a.Case, By: a.By, Reason: a.Reason, Sealed: a.At}})
}

// ReadAttestation reads what Attest wrote, and refuses a signature that does not
// hold. Whether its key is anybody's is for the caller to know.
func ReadAttestation(raw []byte, kind string) (Attestation, error) {
	st, good, err := readStatement(raw, kind)
	switch {
	case err != nil:
		return Attestation{}, err
	case !good:
		return Attestation{}, fmt.Errorf("%s: the signature does not hold: what it vouches for was changed, or somebody else signed", fileSeal)
	case len(st.Subject) != 1:
		return Attestation{}, fmt.Errorf("%s vouches for %d files, not for one", fileSeal, len(st.Subject))
	}
	p := st.Predicate
	return Attestation{kind, st.Subject[0].Name, st.Subject[0].Digest["sha256"], p.Case, p.By, p.Reason, p.Sealed, p.Key}, nil
}

// readManifest reads a bag's manifest and its digest.
func readManifest(bag string) (m Manifest, digest string, err error) {
	raw, err := readTag(bag, fileManifest)
	if err != nil {
		return m, "", fmt.Errorf("%s is no bag of evidence: %w", bag, err)
	}
	sum := sha256.Sum256(raw)
	m, err = ParseManifest(raw)
	return m, hex.EncodeToString(sum[:]), err
}

func readTag(bag, name string) ([]byte, error) {
	path := filepath.Join(bag, name)
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > tagMost {
		return nil, fmt.Errorf("%s is no file of at most %d GiB", path, tagMost>>30)
	}
	return os.ReadFile(path)
}

// ReadManifest reads a bag's manifest, and its digest, without judging the bag.
func ReadManifest(bag string) (Manifest, string, error) { return readManifest(bag) }
