package vault

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/internal/durable"
)

const (
	fileWork   = "working-copy.json"
	fileSealed = "sealed-manifest.json" // the bag's manifest.json, by which the copy is compared without the bag
	workFormat = "concert-working-copy/1"
)

// WorkingCopy is the list of a copy to work on: what each file was when it was
// copied. Names are the sources' own again.
type WorkingCopy struct {
	Format   string `json:"format"`
	Manifest string `json:"manifest"` // SHA-256 of the bag's manifest.json
	Case     string `json:"case"`
	At       string `json:"at"`
	By       string `json:"by"`
	Items    []Item `json:"items"` // paths from files/ on; encoded
}

// CopyEvidence makes a copy of a bag's files to work on, in a directory that does
// not exist yet, under the names that they had, and compares each with its digest
// while it is copied. The bag is only read. It returns the copy's list and its
// digest, for the custody record.
func CopyEvidence(ctx context.Context, bag, dir, by string, at time.Time, progress *Progress) (w WorkingCopy, digest string, err error) {
	m, manifest, err := readManifest(bag)
	if err != nil {
		return w, "", err
	}
	if progress == nil {
		progress = new(Progress)
	}
	if err := apart(bag, dir); err != nil {
		return w, "", err
	}
	pending := strings.TrimRight(dir, "/") + ".copying"
	if err := os.Mkdir(pending, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s is what an earlier copy left that did not end: remove it first", pending)
		}
		return w, "", err
	}
	w = WorkingCopy{Format: workFormat, Manifest: manifest, Case: m.Case, At: stamp(at), By: by, Items: []Item{}}
	names, err := originalNames(m.Items)
	if err != nil {
		return w, "", err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, it := range m.Items {
		to := filepath.Join(pending, "files", filepath.FromSlash(names[it.Path]))
		copied := it
		copied.Path, copied.Name64 = "files/"+EncodeName(names[it.Path], true), ""
		switch {
		case it.Type == TypeDirectory:
			if err := os.MkdirAll(to, 0o755); err != nil {
				return w, "", errors.Join(err, g.Wait())
			}
		case it.Type == TypeFile && it.SHA256 != "":
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return w, "", errors.Join(err, g.Wait())
			}
			progress.Total.Add(it.Size)
			g.Go(func() error { return copyOut(ctx, bag, it, to, progress) })
		}
		w.Items = append(w.Items, copied)
	}
	progress.Walked.Store(true)
	if err := g.Wait(); err != nil {
		return w, "", err
	}
	text, err := canonical(w)
	if err != nil {
		return w, "", err
	}
	sum := sha256.Sum256(text)
	whole, err := readTag(bag, fileManifest)
	if err != nil {
		return w, "", err
	}
	if sum := sha256.Sum256(whole); hex.EncodeToString(sum[:]) != manifest {
		return w, "", fmt.Errorf("%s changed while the copy was made: evidence verify says what it is now", fileManifest)
	}
	if err := errors.Join(durable.WriteFile(filepath.Join(pending, fileSealed), whole, 0o444), durable.WriteFile(filepath.Join(pending, fileWork), text, 0o444)); err != nil {
		return w, "", err
	}
	if err := os.Rename(pending, dir); err != nil {
		return w, "", err
	}
	return w, hex.EncodeToString(sum[:]), durable.SyncDir(filepath.Dir(filepath.Clean(dir)))
}

// apart refuses a working copy inside its bag, or over something.
func apart(bag, dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists already: a working copy gets a directory of its own", dir)
	}
	b, errB := filepath.Abs(bag)
	d, errD := filepath.Abs(dir)
	if err := errors.Join(errB, errD); err != nil {
		return err
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(d)); err == nil {
		d = filepath.Join(real, filepath.Base(d))
	}
	if real, err := filepath.EvalSymlinks(b); err == nil {
		b = real
	}
	if rel, err := filepath.Rel(b, d); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("%s lies inside the bag, into which nothing is written: put the working copy elsewhere", dir)
	}
	return nil
}

// originalNames gives every item's path as its source had it, byte for byte.
func originalNames(items []Item) (map[string]string, error) {
	out := map[string]string{"data": ""}
	for _, it := range items {
		dir, base := path.Split(it.Path)
		parent, known := out[strings.TrimSuffix(dir, "/")]
		if !known {
			parent = "" // a source that is a file
		}
		name, err := DecodeName(base)
		if it.Name64 != "" {
			var raw []byte
			raw, err = base64.StdEncoding.DecodeString(it.Name64)
			name = string(raw)
		}
		if err != nil || name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			return nil, fmt.Errorf("manifest: %q stands for no name of a file", it.Path)
		}
		out[it.Path] = path.Join(parent, name)
	}
	return out, nil
}

// copyOut copies one file and refuses what is not what was sealed.
func copyOut(ctx context.Context, bag string, it Item, to string, progress *Progress) (err error) {
	src, err := os.Open(filepath.Join(bag, filepath.FromSlash(it.Path)))
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	t, told := taker{plain: true}, int64(0)
	got := t.take(ctx, src, it.Size, dst, func(at int64) error {
		progress.Bytes.Add(at - told)
		told = at
		return nil
	})
	if err := cmp.Or(got.writeErr, ctx.Err(), got.readErr); err != nil {
		return fmt.Errorf("%s: %w", it.Path, err)
	}
	if info, err := src.Stat(); err != nil || info.Size() != it.Size || hex.EncodeToString(got.sha256[:]) != it.SHA256 {
		return fmt.Errorf("%s is not what was sealed: no working copy is made of it, evidence verify says where it differs", it.Path)
	}
	progress.Files.Add(1)
	if at, err := time.Parse(time.RFC3339Nano, it.Modified); err == nil {
		_ = os.Chtimes(to, at, at) // the list has it, too
	}
	return dst.Sync()
}

// VerifyWorkingCopy says what of a working copy is not what was copied. Work
// changes it; this tells how.
func VerifyWorkingCopy(ctx context.Context, dir string, progress *Progress) (w WorkingCopy, v BagVerdict, err error) {
	raw, err := readTag(dir, fileWork)
	if err != nil {
		return w, v, err
	}
	if err := decodeCanonical(raw, &w); err != nil || w.Format != workFormat {
		return w, v, fmt.Errorf("%s of %s is no list of a working copy (%w)", fileWork, dir, cmp.Or(err, errors.New("another format")))
	}
	sum := sha256.Sum256(raw)
	v.Digest = hex.EncodeToString(sum[:])
	if progress == nil {
		progress = new(Progress)
	}
	items := make([]Item, len(w.Items))
	for i, it := range w.Items {
		items[i] = it
		if items[i].Path, err = DecodeName(it.Path); err != nil {
			return w, v, err
		}
	}
	err = v.compare(ctx, VerifyJob{Workers: runtime.GOMAXPROCS(0), Progress: progress}, filepath.Join(dir, "files"), "files", items, nil)
	return w, v, err
}

// HandOver writes that an exhibit goes to an authority, signed by who gives it.
func HandOver(log *CustodyLog, rec Custody) (Custody, error) {
	if log.key == nil {
		return rec, errors.New("handing over is signed: name the giver's key")
	}
	if strings.TrimSpace(rec.To) == "" {
		return rec, errors.New("say to which authority it goes")
	}
	rec.Act = ActHanded
	rec, _, err := log.Add(rec)
	return rec, err
}

// Receive writes that an exhibit arrived, signed by who takes it, after the
// record that says it was handed over. The line it returns is the receipt: the
// giver adds it to the log that stayed there.
func Receive(log *CustodyLog, rec Custody) (Custody, []byte, error) {
	if log.key == nil {
		return rec, nil, errors.New("receiving is signed: name the receiver's key")
	}
	records, err := ReadCustody(log.bag)
	if err != nil {
		return rec, nil, err
	}
	last := records[len(records)-1]
	switch {
	case last.Act != ActHanded:
		return rec, nil, fmt.Errorf("the last custody record says %q by %s: nobody handed it over", last.Act, last.By)
	case last.Key == log.key.Public():
		return rec, nil, errors.New("giver and receiver sign with the same key: a handing over has two sides")
	}
	rec.Act, rec.From, rec.To = ActReceived, last.By, last.To
	return log.Add(rec)
}
