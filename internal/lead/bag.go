package lead

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"concert"
	"concert/internal/durable"
	"concert/internal/vault"
)

// Names of a package's files (docs/formats/lead.md).
const (
	fileBagit       = "bagit.txt"
	fileInfo        = "bag-info.txt"
	fileSums        = "manifest-sha256.txt"
	fileTags        = "tagmanifest-sha256.txt"
	fileSeal        = "seal.dsse.json"
	fileReport      = "data/report.json"
	fileProof       = "data/custody.json"
	fileCustody     = "data/custody.jsonl"
	fileCustodyHead = "data/custody-head.json"

	sealType      = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "urn:concert:lead:1"
)

// tagged are the files whose digests stand in the tag manifest.
var tagged = [...]string{fileInfo, fileBagit, fileSums}

// statement is what a seal signs: an in-toto statement, version 1.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string `json:"name"`
	Digest struct {
		SHA256 string `json:"sha256"`
	} `json:"digest"`
}

type predicate struct {
	ID      string `json:"id"`
	Case    string `json:"case"`
	Country string `json:"country"`
	From    string `json:"from"`
	To      string `json:"to"`
	Made    string `json:"made"`
	Key     string `json:"key"` // the signer's, base64; proves nothing by itself
}

// Custody is the exhibit's custody log as it lies in its bag; empty: only its head is
// told.
type Custody struct {
	Log  []byte // custody.jsonl
	Head []byte // custody-head.json
}

// Bag is a package's files by name, with slashes.
type Bag map[string][]byte

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// Make checks a package and writes its files, signed. The same package, keys and
// custody give the same bytes.
func Make(p Package, k Key, signer *vault.Key, custody Custody) (Bag, error) {
	l, err := p.Lead(k)
	if err != nil {
		return nil, err
	}
	if signer == nil {
		return nil, refuse("lead.unsigned", "a package is signed: name the key that signs it")
	}
	b, err := l.payload()
	if err != nil {
		return nil, err
	}
	if custody.Log != nil {
		b[fileCustody], b[fileCustodyHead] = custody.Log, custody.Head
		if bad := b.custodyFindings(l); len(bad) > 0 {
			return nil, refuse("lead.custody", "the custody log does not go with the exhibit: %s", bad[0].Note)
		}
	}
	return b, b.seal(l, signer)
}

// seal adds the files that say what the payload is, and the signature over them.
func (b Bag) seal(l Lead, signer *vault.Key) (err error) {
	var sums, tags bytes.Buffer
	total := 0
	names := slices.Sorted(maps.Keys(b))
	for _, name := range names {
		fmt.Fprintf(&sums, "%s  %s\n", sum(b[name]), name)
		total += len(b[name])
	}
	b[fileSums] = sums.Bytes()
	b[fileBagit] = []byte("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
	b[fileInfo] = fmt.Appendf(nil, "Source-Organization: %s\nExternal-Identifier: %s\nExternal-Description: Lead package for %s, case %s\nBagging-Date: %.10s\nPayload-Oxum: %d.%d\n", l.From, l.ID, l.Country, l.Case, l.Made, total, len(names))
	for _, name := range tagged {
		fmt.Fprintf(&tags, "%s  %s\n", sum(b[name]), name)
	}
	b[fileTags] = tags.Bytes()
	st := statement{Type: statementType, PredicateType: predicateType, Predicate: l.predicate()}
	st.Predicate.Key = signer.Public()
	for _, name := range append(tagged[:], fileTags) {
		s := subject{Name: name}
		s.Digest.SHA256 = sum(b[name])
		st.Subject = append(st.Subject, s)
	}
	text, err := canonical(st)
	if err == nil {
		b[fileSeal], err = signer.Envelope(sealType, text)
	}
	return err
}

func (l Lead) predicate() predicate {
	return predicate{ID: l.ID, Case: l.Case, Country: l.Country, From: l.From, To: l.To, Made: l.Made}
}

// payload are the files under data that follow from the report.
func (l Lead) payload() (Bag, error) {
	b := Bag{"data/definitions.md": l.definitionsText(), "data/caveats.md": l.caveatsText()}
	var err error
	for name, make := range map[string]func() ([]byte, error){
		fileReport: func() ([]byte, error) { return canonical(l) }, fileProof: func() ([]byte, error) { return canonical(l.Exhibit) },
		"data/report.csv": l.reportCSV, "data/persons.csv": l.personsCSV, "data/report.html": l.html, "data/case-uco.jsonld": l.caseUCO,
	} {
		var e error
		b[name], e = make()
		err = errors.Join(err, e)
	}
	return b, err
}

// canonical is JSON by RFC 8785 with a line feed at its end.
func canonical(v any) ([]byte, error) {
	text, err := concert.CanonicalJSON(v)
	return append(text, '\n'), err
}

func decodeCanonical(raw []byte, v any) error {
	text, ok := bytes.CutSuffix(raw, []byte{'\n'})
	if !ok {
		return errors.New("it lacks the line feed at its end")
	}
	return concert.DecodeCanonical(text, v)
}

// Digest names the package and its signature: SHA-256 of seal.dsse.json, hexadecimal.
// A receipt is for it.
func (b Bag) Digest() string { return sum(b[fileSeal]) }

// Name is the name of the package's file.
func (l Lead) Name() string { return "lead-" + l.Country + "-" + l.ID + ".age" }

// Tar writes the files, below a directory of the package's name, as a tar file of
// which every byte follows from them.
func (b Bag) Tar(w io.Writer) error {
	l, err := b.Lead()
	if err != nil {
		return err
	}
	made, err := time.Parse(time.RFC3339, l.Made)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(b)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimSuffix(l.Name(), ".age") + "/" + name, Mode: 0o600, Size: int64(len(b[name])), ModTime: made, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(b[name]); err != nil {
			return err
		}
	}
	return tw.Close()
}

// Recipient reads a public key of age.
func Recipient(text string) (age.Recipient, error) {
	rs, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(rs) != 1 {
		return nil, fmt.Errorf("%.100q is no public key of age: it is written age1…, and made with age-keygen", text)
	}
	return rs[0], nil
}

// Encrypt writes the package so that only the recipient opens it.
func (b Bag) Encrypt(w io.Writer, to age.Recipient) error {
	enc, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	return errors.Join(b.Tar(enc), enc.Close())
}

// Lead is the report that the bag holds, checked by its own rules.
func (b Bag) Lead() (l Lead, err error) {
	if err := decodeCanonical(b[fileReport], &l); err != nil {
		return l, fmt.Errorf("%s: %w", fileReport, err)
	}
	return l, l.Check()
}

// WriteDir writes the files into a directory that does not exist yet. It is there
// whole or not at all.
func (b Bag) WriteDir(dir string) (err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists already; it was left untouched, name another directory", dir)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".lead-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	root, err := os.OpenRoot(temp)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir("data", 0o700); err != nil {
		return err
	}
	for name, text := range b {
		if !known(name) {
			return fmt.Errorf("%.200q is no file of a package", name)
		}
		if err := durable.WriteFile(filepath.Join(temp, filepath.FromSlash(name)), text, 0o600); err != nil {
			return err
		}
	}
	if err := os.Rename(temp, dir); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(dir))
}
