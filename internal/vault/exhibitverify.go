package vault

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"concert/internal/sandbox"
	"concert/internal/vault/ewf"
)

// Kinds of a finding.
const (
	FoundMissing   = "missing"
	FoundNew       = "new"
	FoundAltered   = "altered"
	FoundMoved     = "moved"
	FoundTruncated = "truncated"
	FoundAppended  = "appended"
	FoundUnread    = "unread"  // it is there and cannot be read
	FoundTag       = "tag"     // a file that says what the bag holds was changed
	FoundReads     = "reading" // a container now reads otherwise
)

// Finding is one thing that is not as it was sealed.
type Finding struct {
	Kind   string      `json:"kind"`
	Path   string      `json:"path"`
	Ranges []ewf.Range `json:"ranges,omitempty"` // where its bytes differ
	Note   string      `json:"note,omitempty"`
}

// Words for a signature or a timestamp.
const (
	MarkNone      = "none"
	MarkBroken    = "broken"
	MarkHolds     = "holds, by one that nobody named as trusted"
	MarkTrusted   = "holds, by one that was named as trusted"
	MarkNoOutside = "holds, and nothing outside says whose it is"
)

// BagVerdict is what a bag is worth today.
type BagVerdict struct {
	Manifest   Manifest
	Digest     string // SHA-256 of manifest.json
	Findings   []Finding
	Remarks    []string // no faults of the bytes
	Files      int64
	Bytes      int64
	Seal       string // of the seal's signature
	SealKey    string
	Stamp      string // of the timestamp
	StampAt    string
	StampBy    string
	StampNote  string
	Custody    CustodyVerdict
	HeadKept   bool        // the custody log was compared with a head that was kept elsewhere
	Containers []Container // as they read now
}

// Whole reports whether everything is as it was sealed.
func (v BagVerdict) Whole() bool {
	return len(v.Findings) == 0 && v.Seal != MarkBroken && v.Stamp != MarkBroken && v.Custody.Whole()
}

// Anchored reports whether something outside of the bag vouches for it: a key or a
// timestamp authority that the verifier named, or a head kept elsewhere.
func (v BagVerdict) Anchored() bool {
	return v.Seal == MarkTrusted || v.Stamp == MarkTrusted || v.HeadKept
}

// VerifyJob is what is to be verified and what the verifier trusts.
type VerifyJob struct {
	Bag      string
	Trust    []string // public keys, as Key.Public gives them
	Roots    [][]byte // PEM of timestamp authorities' certificates
	Head     *Head    // of the custody log, kept elsewhere
	Children *sandbox.Pool
	Limits   Limits
	Shallow  bool // containers are not opened again
	Workers  int
	Progress *Progress
}

// VerifyEvidence reads a whole bag again and compares it with its manifest, its
// signature, timestamp and custody log. Its error says that it could not be done;
// what is wrong with the bag is in the verdict.
func VerifyEvidence(ctx context.Context, job VerifyJob) (v BagVerdict, err error) {
	if job.Progress == nil {
		job.Progress = new(Progress)
	}
	job.Workers, job.Limits = cmp.Or(job.Workers, runtime.GOMAXPROCS(0)), job.Limits.orDefault()
	if v.Manifest, v.Digest, err = readManifest(job.Bag); err != nil {
		return v, err
	}
	pieces, err := v.tags(job)
	if err != nil {
		return v, err
	}
	log, err := readTag(job.Bag, custodyName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	beside, err := readTag(job.Bag, custodyHead)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return v, err
	}
	v.Custody, v.HeadKept = CheckCustody(log, beside, v.Digest, job.Head), job.Head != nil
	if r := v.Custody.Records; v.Seal == MarkNone && len(r) > 0 && r[0].Key != "" {
		v.find(FoundMissing, fileSeal, "whoever sealed it signed the custody record of that, and the seal's own signature is gone")
	}
	if len(log) == 0 {
		v.Custody.fault(FaultDropped, 1, "the custody log is missing or empty")
	}
	if err := v.compare(ctx, job, filepath.Join(job.Bag, "data"), "data", v.Manifest.Items, pieces); err != nil {
		return v, err
	}
	if !job.Shallow {
		if err := v.openAgain(ctx, job); err != nil {
			return v, err
		}
	}
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return v, nil
}

func (v *BagVerdict) find(kind, path, note string, args ...any) {
	v.Findings = append(v.Findings, Finding{Kind: kind, Path: path, Note: fmt.Sprintf(note, args...)})
}

// tags compares the tag files with what follows from the manifest and with what
// was signed, and gives the digests of pieces.
func (v *BagVerdict) tags(job VerifyJob) (pieces []byte, err error) {
	have := map[string][]byte{}
	for _, name := range append(taggedFiles[:], fileTags, fileSeal, fileStamp) {
		raw, err := readTag(job.Bag, name)
		if errors.Is(err, fs.ErrNotExist) {
			if name != fileSeal && name != fileStamp {
				v.find(FoundMissing, name, "a file that says what the bag holds")
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		have[name] = raw
	}
	pieces = have[filePieces]
	if want := v.pieceBytes(); int64(len(pieces)) != want {
		v.find(FoundTag, filePieces, "it has %d bytes instead of %d: where a file differs cannot be told", len(pieces), want)
		pieces = nil
	}
	want, err := tagTexts(v.Manifest, have[filePieces])
	if err != nil {
		return nil, err
	}
	var tags bytes.Buffer
	for _, name := range taggedFiles {
		fmt.Fprintf(&tags, "%x  %s\n", sha256.Sum256(have[name]), name)
		if raw, ok := have[name]; ok && !bytes.Equal(raw, want[name]) {
			v.find(FoundTag, name, "it does not say what the manifest says")
		}
	}
	if raw, ok := have[fileTags]; ok && !bytes.Equal(raw, tags.Bytes()) {
		v.find(FoundTag, fileTags, "it has other digests than the files beside it")
	}
	v.checkSeal(job, have)
	v.checkStamp(job, have)
	return pieces, nil
}

func (v *BagVerdict) pieceBytes() (n int64) {
	for _, it := range v.Manifest.copied() {
		n += sumSize * pieceCount(it.Size)
	}
	return n
}

// checkSeal judges the signature over the tag files.
func (v *BagVerdict) checkSeal(job VerifyJob, have map[string][]byte) {
	raw, ok := have[fileSeal]
	if !ok {
		v.Seal = MarkNone
		if len(job.Trust) > 0 {
			v.find(FoundTag, fileSeal, "nobody signed it, though it should be by a key that was named")
		}
		return
	}
	st, good, err := readSeal(raw)
	if err != nil || !good {
		v.Seal = MarkBroken
		v.find(FoundTag, fileSeal, "the signature does not hold (%v)", cmp.Or(err, errors.New("over this text, with this key")))
		return
	}
	v.Seal, v.SealKey = MarkHolds, st.Predicate.Key
	if slices.Contains(job.Trust, v.SealKey) {
		v.Seal = MarkTrusted
	} else if len(job.Trust) > 0 {
		v.find(FoundTag, fileSeal, "it was sealed with the key %s, which is none of those that were named", v.SealKey)
	}
	signed := map[string]string{}
	for _, s := range st.Subject {
		signed[s.Name] = s.Digest["sha256"]
	}
	for _, name := range append(taggedFiles[:], fileTags) {
		sum := sha256.Sum256(have[name])
		if signed[name] != hex.EncodeToString(sum[:]) {
			v.Seal = MarkBroken
			v.find(FoundTag, name, "it is not the file that was signed")
		}
	}
}

// entryAt is a file that lies there.
type entryAt struct {
	size int64
	mode fs.FileMode
}

// compare compares what lies under root, whose path in the manifest is prefix,
// with the items.
func (v *BagVerdict) compare(ctx context.Context, job VerifyJob, root, prefix string, items []Item, pieces []byte) error {
	have, dirs, err := v.list(root, prefix)
	if err != nil {
		return err
	}
	c := &comparison{v: v, job: job, root: root, prefix: prefix, have: have, moved: map[string][]string{}}
	offset := int64(0)
	var todo []compared
	for _, it := range items {
		switch {
		case it.Type == TypeDirectory:
			if !dirs[it.Path] && it.Outcome == "" {
				v.find(FoundMissing, it.Path, "a directory")
			}
			delete(dirs, it.Path)
			continue
		case it.Type != TypeFile || it.SHA256 == "":
			continue
		}
		one := compared{item: it}
		if n := sumSize * pieceCount(it.Size); pieces != nil && n > 0 {
			one.pieces = pieces[offset : offset+n]
			offset += n
		}
		if _, ok := have[it.Path]; !ok {
			c.missing = append(c.missing, it)
			continue
		}
		job.Progress.Total.Add(have[it.Path].size)
		todo = append(todo, one)
	}
	known := map[string]bool{}
	for _, one := range todo {
		known[one.item.Path] = true
	}
	for path, e := range have {
		if !known[path] {
			c.extra = append(c.extra, path)
			job.Progress.Total.Add(e.size)
		}
	}
	job.Progress.Walked.Store(true)
	slices.Sort(c.extra)
	delete(dirs, prefix)
	for d := range dirs {
		v.find(FoundNew, d, "a directory")
	}
	return c.run(ctx, todo)
}

// list walks what lies there.
func (v *BagVerdict) list(root, prefix string) (files map[string]entryAt, dirs map[string]bool, err error) {
	files, dirs = map[string]entryAt{}, map[string]bool{}
	writable := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(root, path)
		if relErr != nil {
			return relErr
		}
		at := prefix
		if rel != "." {
			at = strings.TrimPrefix(prefix+"/"+filepath.ToSlash(rel), "/")
		}
		if err != nil {
			if path == root {
				return err
			}
			v.find(FoundUnread, EncodeName(at, false), "%s", reason(err))
			return nil
		}
		info, err := d.Info()
		switch {
		case err != nil:
			v.find(FoundUnread, EncodeName(at, false), "%s", reason(err))
			return nil
		case d.IsDir():
			dirs[at] = true
		case info.Mode().IsRegular():
			files[at] = entryAt{info.Size(), info.Mode()}
		default:
			v.find(FoundNew, EncodeName(at, false), "no file, but %s", info.Mode().Type())
			return nil
		}
		if info.Mode().Perm()&0o222 != 0 {
			writable++
		}
		return nil
	})
	if writable > 0 && prefix == "data" {
		v.Remarks = append(v.Remarks, fmt.Sprintf("%d files or directories of the evidentiary copy may be written to; they were sealed read-only", writable))
	}
	return files, dirs, err
}

// compared is a file on its way to be compared.
type compared struct {
	item   Item
	pieces []byte
	extra  string // a file that the manifest does not name
}

type comparison struct {
	v            *BagVerdict
	job          VerifyJob
	root, prefix string
	have         map[string]entryAt
	missing      []Item
	extra        []string

	mu    sync.Mutex
	moved map[string][]string // digests of extra files
}

func (c *comparison) path(at string) string {
	return filepath.Join(c.root, filepath.FromSlash(strings.TrimPrefix(at, c.prefix)))
}

func (c *comparison) run(ctx context.Context, list []compared) error {
	for _, p := range c.extra {
		list = append(list, compared{extra: p})
	}
	g, ctx := errgroup.WithContext(ctx)
	todo := make(chan compared)
	g.Go(func() error {
		defer close(todo)
		for _, one := range list {
			select {
			case todo <- one:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range c.job.Workers {
		g.Go(func() error {
			t := taker{plain: true}
			for one := range todo {
				if err := c.one(ctx, &t, one); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	c.conclude()
	return nil
}

// conclude tells what is missing from what was only moved.
func (c *comparison) conclude() {
	for _, it := range c.missing {
		if at := c.moved[it.SHA256]; len(at) > 0 && it.Size > 0 {
			c.v.find(FoundMoved, it.Path, "it lies at %s", EncodeName(at[0], false))
			c.moved[it.SHA256] = at[1:]
			c.extra = slices.DeleteFunc(c.extra, func(p string) bool { return p == at[0] })
		} else {
			c.v.find(FoundMissing, it.Path, "%d bytes", it.Size)
		}
	}
	for _, p := range c.extra {
		c.v.find(FoundNew, EncodeName(p, false), "%d bytes", c.have[p].size)
	}
}

// one compares a file.
func (c *comparison) one(ctx context.Context, t *taker, one compared) error {
	at := cmp.Or(one.extra, one.item.Path)
	f, err := os.Open(c.path(at))
	if err != nil {
		c.report(Finding{Kind: FoundUnread, Path: EncodeName(at, false), Note: reason(err)})
		return nil
	}
	defer f.Close()
	size := c.have[at].size
	told := int64(0)
	got := t.take(ctx, f, size, nil, func(at int64) error {
		c.job.Progress.Bytes.Add(at - told)
		told = at
		return nil
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	c.job.Progress.Files.Add(1)
	if got.readErr != nil {
		c.report(Finding{Kind: FoundUnread, Path: EncodeName(at, false), Ranges: []ewf.Range{{From: got.size, To: size}}, Note: reason(got.readErr)})
		return nil
	}
	sum := hex.EncodeToString(got.sha256[:])
	c.mu.Lock()
	c.v.Files++
	c.v.Bytes += got.size
	if one.extra != "" {
		c.moved[sum] = append(c.moved[sum], one.extra)
	}
	c.mu.Unlock()
	if one.extra != "" || sum == one.item.SHA256 && size == one.item.Size {
		return nil
	}
	found, err := locate(ctx, f, one, size)
	if err != nil {
		return err
	}
	c.report(found)
	return nil
}

func (c *comparison) report(f Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.v.Findings = append(c.v.Findings, f)
}

// locate says in what and where a file differs from what was sealed.
func locate(ctx context.Context, f *os.File, one compared, size int64) (Finding, error) {
	it := one.item
	found := Finding{Kind: FoundAltered, Path: it.Path}
	ranges, err := differing(ctx, f, one, min(size, it.Size))
	if err != nil {
		return found, err
	}
	switch {
	case size > it.Size:
		t := taker{plain: true}
		got := t.take(ctx, newSection(f, it.Size), it.Size, nil, func(int64) error { return nil })
		if hex.EncodeToString(got.sha256[:]) == it.SHA256 {
			found.Kind, found.Ranges = FoundAppended, []ewf.Range{{From: it.Size, To: size}}
			found.Note = fmt.Sprintf("the %d bytes that were sealed are unchanged", it.Size)
			return found, nil
		}
		found.Ranges = append(ranges, ewf.Range{From: it.Size, To: size})
		found.Note = fmt.Sprintf("it was changed, and has %d bytes instead of %d", size, it.Size)
	case size < it.Size:
		found.Kind, found.Ranges = FoundTruncated, append(ranges, ewf.Range{From: size, To: it.Size})
		found.Note = fmt.Sprintf("it has %d bytes of %d; its first %d bytes are compared", size, it.Size, size/PieceSize*PieceSize)
	default:
		found.Ranges = ranges
	}
	return found, nil
}

// differing are the ranges in the first size bytes that are not what was sealed,
// by the digests of pieces; the whole where there are none.
func differing(ctx context.Context, f *os.File, one compared, size int64) ([]ewf.Range, error) {
	if one.pieces == nil {
		if size < one.item.Size || size == 0 {
			return nil, nil
		}
		return []ewf.Range{{From: 0, To: size}}, nil
	}
	var out []ewf.Range
	buf := make([]byte, PieceSize)
	for i := range pieceCount(one.item.Size) {
		from := i * PieceSize
		to := min(from+PieceSize, one.item.Size)
		if to > size {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := buf[:to-from]
		if _, err := f.ReadAt(p, from); err != nil {
			return nil, err
		}
		if bytes.Equal(pieceSum(i, p), one.pieces[i*sumSize:(i+1)*sumSize]) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == from {
			out[n-1].To = to
		} else {
			out = append(out, ewf.Range{From: from, To: to})
		}
	}
	return out, nil
}

// openAgain reads every container once more and compares what it gives.
func (v *BagVerdict) openAgain(ctx context.Context, job VerifyJob) error {
	bad := map[string]bool{}
	for _, f := range v.Findings {
		bad[f.Path] = true
	}
	for _, was := range v.Manifest.Containers {
		paths := was.Segments
		if len(paths) == 0 {
			paths = []string{was.Path}
		}
		if was.Outcome == OutcomeNotRead || slices.ContainsFunc(paths, func(p string) bool { return bad[p] && !isThere(job.Bag, p) || !bagPath(p) }) {
			continue
		}
		c, err := openContainer(ctx, job.Children, job.Bag, set{kind: was.Kind, paths: paths, note: loneNote(was)}, job.Limits)
		if err != nil {
			return err
		}
		v.Containers = append(v.Containers, c)
		if c.Outcome == OutcomeNotRead || c.Outcome == OutcomeGone && was.Outcome == OutcomeGone {
			continue
		}
		a, errA := canonical(was)
		b, errB := canonical(c)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if !bytes.Equal(a, b) {
			v.find(FoundReads, was.Path, "it now reads otherwise: %s", cmp.Or(c.Note, c.Outcome, "other members or digests"))
		}
	}
	return nil
}

// loneNote is the note of a container that was never opened since it is a segment
// without a first one.
func loneNote(c Container) string {
	if _, first := ewf.FirstExtension(c.Path); c.Kind == KindEWF && !first {
		return c.Note
	}
	return ""
}

func isThere(bag, path string) bool {
	info, err := os.Lstat(filepath.Join(bag, filepath.FromSlash(path)))
	return err == nil && info.Mode().IsRegular()
}
