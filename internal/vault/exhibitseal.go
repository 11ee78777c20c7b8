package vault

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/internal/durable"
	"concert/internal/sandbox"
	"concert/internal/vault/ewf"
)

const (
	sealingSuffix = ".sealing"
	sealedDirMode = 0o500
	sealedMode    = 0o400
	checkpoint    = 1 << 30
)

// Progress is how far a seal or a verification is. It may be read meanwhile.
type Progress struct {
	Files, Bytes atomic.Int64 // done
	Total        atomic.Int64 // bytes that are known of
	Walked       atomic.Bool  // Total is all
}

// SealJob is what is to be sealed, by whom and into what.
type SealJob struct {
	Sources []string // directories, files, first segments of images, block devices
	Bag     string   // the directory to make; it must not exist
	Case    string
	By      string
	Reason  string
	Program string           // what seals, with its version
	Key     *Key             // signs; nil seals without a signature, and the verifier says so
	Now     func() time.Time // the clock
	Workers int              // 0 for one a processor
	// Children open containers; with nil they are sealed whole and not opened.
	Children *sandbox.Pool
	Limits   Limits
	Progress *Progress // may be nil
	// Checkpoint is after how many bytes of one file a crash may set it back; 0 for 1 GiB.
	Checkpoint int64
}

// Sealed is what came of it.
type Sealed struct {
	Manifest Manifest
	Digest   string // SHA-256 of manifest.json, by which the exhibit may be named
	Resumed  int    // files that an earlier run had sealed
	Already  bool   // an earlier run had ended; nothing was left to do
}

// Remarks are the items and containers that are not whole, in words.
func (m Manifest) Remarks() []string {
	var out []string
	say := func(path, outcome, note string) {
		if outcome != "" {
			out = append(out, strings.TrimSuffix(fmt.Sprintf("%s: %s: %s", path, outcome, note), ": "))
		}
	}
	for _, it := range m.Items {
		say(it.Path, it.Outcome, it.Note)
	}
	for _, c := range m.Containers {
		say(c.Path, c.Outcome, c.Note)
		for _, mem := range c.Members {
			say(c.Path+" // "+strings.Join(mem.Name, " // "), mem.Outcome, mem.Note)
		}
	}
	return out
}

// sealer is a seal at work.
type sealer struct {
	SealJob
	dir  string // of the seal in progress
	bag  string // in it
	real []string
	j    *journal

	mu      sync.Mutex
	items   []*done
	resumed int
	now     time.Time
}

// SealEvidence copies the sources into a new bag while it digests them, reading
// each byte of a source once, and names the bag only when all of it is on the
// disk. What cannot be read stands in the manifest and stops nothing. Where the
// bag's disk fails or the process dies, the same call goes on from there.
func SealEvidence(ctx context.Context, job SealJob) (Sealed, error) {
	s := &sealer{SealJob: job, now: job.Now()}
	s.Workers = cmp.Or(s.Workers, runtime.GOMAXPROCS(0))
	s.Checkpoint = cmp.Or(s.Checkpoint, checkpoint)
	s.Limits = s.Limits.orDefault()
	if s.Progress == nil {
		s.Progress = new(Progress)
	}
	sources, err := s.prepare()
	if err != nil {
		return Sealed{}, err
	}
	if _, err := os.Lstat(s.Bag); err == nil {
		return s.ended()
	}
	if err := durable.MkdirAll(filepath.Join(s.bag, "data"), 0o700); err != nil {
		return Sealed{}, err
	}
	lock, err := durable.LockDir(s.dir)
	if err != nil {
		return Sealed{}, fmt.Errorf("another seal works on %s: %w", s.Bag, err)
	}
	out, err := s.run(ctx, sources)
	return out, errors.Join(err, lock.Unlock())
}

// ended says what there is where the bag stands already.
func (s *sealer) ended() (Sealed, error) {
	if _, err := os.Lstat(s.dir); err != nil {
		return Sealed{}, fmt.Errorf("%s exists already, and nothing is ever sealed over something: name another bag, or look at that one with evidence show", s.Bag)
	}
	// The bag took its name and the process died before it had tidied up.
	m, digest, err := readManifest(s.Bag)
	if err != nil {
		return Sealed{}, err
	}
	return Sealed{Manifest: m, Digest: digest, Already: true}, os.RemoveAll(s.dir)
}

// prepare resolves the sources and refuses what cannot be sealed.
func (s *sealer) prepare() ([]Source, error) {
	if strings.TrimSpace(s.Case) == "" || strings.TrimSpace(s.By) == "" {
		return nil, errors.New("a seal names its case and who seals")
	}
	if len(s.Sources) == 0 {
		return nil, errors.New("a seal has at least one source")
	}
	bag, err := filepath.Abs(s.Bag)
	if err != nil {
		return nil, err
	}
	s.Bag, s.dir, s.bag = bag, bag+sealingSuffix, filepath.Join(bag+sealingSuffix, "bag")
	var sources []Source
	taken := map[string]bool{}
	for _, given := range s.Sources {
		path, err := filepath.Abs(given)
		if err == nil {
			path, err = filepath.EvalSymlinks(path) // the one link that is followed: a person named it
		}
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", given, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", given, err)
		}
		if rel, err := filepath.Rel(path, bag); err == nil && info.IsDir() && filepath.IsLocal(rel) {
			return nil, fmt.Errorf("the bag %s would lie inside the source %s, which is changed by nothing: put it elsewhere", bag, path)
		}
		kind := "file"
		switch mode := info.Mode(); {
		case mode.IsDir():
			kind = "directory"
		case mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0:
			kind = "device"
		case !mode.IsRegular():
			return nil, fmt.Errorf("source %s is no directory, file or block device", given)
		}
		base := filepath.Base(path)
		if base == string(filepath.Separator) {
			base = "root"
		}
		name, _ := bagName(base)
		for n := 2; taken[name]; n++ {
			name, _ = bagName(fmt.Sprintf("%s-%d", base, n))
		}
		taken[name] = true
		sources = append(sources, Source{Given: EncodeName(path, true), Path: "data/" + name, Kind: kind})
		s.real = append(s.real, path)
	}
	return sources, nil
}

// run seals, once this process is alone at it.
func (s *sealer) run(ctx context.Context, sources []Source) (out Sealed, err error) {
	if s.j, err = openJournal(s.dir, s.Checkpoint); err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			_ = s.j.sync() // what was done so far, where the disk still takes it
		}
		err = errors.Join(err, s.j.close())
	}()
	b := begun{ManifestFormat, s.Case, s.By, s.Reason, stamp(s.now), sources}
	if was := s.j.begun; was != nil {
		b.At = was.At
		if !sameBegun(b, *was) {
			return out, fmt.Errorf("%s holds a seal in progress of other sources, another case or another person: end it with the same command, or remove that directory", s.dir)
		}
	} else if err := errors.Join(s.j.add(entry{Begun: &b}, 0), s.j.sync()); err != nil {
		return out, s.stopped(err)
	}
	if err := s.copyAll(ctx, sources); err != nil {
		return out, s.stopped(err)
	}
	containers, err := s.openAll(ctx)
	if err != nil {
		return out, s.stopped(err)
	}
	m := Manifest{Format: ManifestFormat, Case: s.Case, Begun: b.At, Sealed: stamp(s.Now()), By: s.By, Reason: s.Reason, Program: s.Program, Sources: sources, Items: []Item{}, Containers: containers}
	var pieces []byte
	for _, d := range s.items {
		m.Items = append(m.Items, d.Item)
		pieces = append(pieces, d.Pieces...)
	}
	digest, err := s.finish(m, pieces)
	if err != nil {
		return out, s.stopped(err)
	}
	return Sealed{Manifest: m, Digest: digest, Resumed: s.resumed}, nil
}

func sameBegun(a, b begun) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

// stopped says the way out of a seal that did not end.
func (s *sealer) stopped(err error) error {
	return fmt.Errorf("the seal is not done: %w; nothing is lost: the same command goes on from %s, which may also be removed to begin anew", err, s.dir)
}

// found is a file on its way to a worker.
type found struct {
	path string
	item Item
	dev  bool
}

// copyAll walks the sources and copies their files.
func (s *sealer) copyAll(ctx context.Context, sources []Source) error {
	g, ctx := errgroup.WithContext(ctx)
	todo := make(chan found, 256)
	g.Go(func() error {
		defer close(todo)
		for i, src := range sources {
			if err := s.walkSource(ctx, src, s.real[i], todo); err != nil {
				return err
			}
		}
		s.Progress.Walked.Store(true)
		return nil
	})
	for range s.Workers {
		g.Go(func() error {
			var t taker
			for f := range todo {
				if err := s.copyFile(ctx, &t, f); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	slices.SortFunc(s.items, func(a, b *done) int { return strings.Compare(a.Item.Path, b.Item.Path) })
	return s.j.sync()
}

// walkSource gives out one source's files. Of an image given by its first segment
// all segments belong to it.
func (s *sealer) walkSource(ctx context.Context, src Source, real string, todo chan<- found) error {
	if src.Kind == "directory" {
		return s.walk(ctx, real, src.Path, "", todo)
	}
	paths := []string{real}
	if src.Kind == "file" {
		paths = append(paths, ewf.Following(real, fileThere)...)
	}
	for i, p := range paths {
		bag := src.Path
		if i > 0 {
			bag = src.Path[:len(src.Path)-4] + EncodeName(filepath.Ext(p), true)
		}
		name64 := ""
		if _, short := bagName(filepath.Base(p)); short {
			name64 = base64Of(filepath.Base(p))
		}
		info, err := os.Stat(p)
		if err != nil {
			s.keep(&done{Item: Item{Path: bag, Name64: name64, Type: TypeFile, Outcome: OutcomeUnread, Note: reason(err)}})
			continue
		}
		it := itemOf(bag, name64, info)
		it.Type = TypeFile
		if err := s.give(ctx, found{p, it, src.Kind == "device"}, todo); err != nil {
			return err
		}
	}
	return nil
}

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (s *sealer) give(ctx context.Context, f found, todo chan<- found) error {
	s.Progress.Total.Add(f.item.Size)
	select {
	case todo <- f:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// walk goes through a directory, by the bytes of its names. Links are recorded
// and never followed, so that no loop has an end to look for.
func (s *sealer) walk(ctx context.Context, dir, bag, name64 string, todo chan<- found) error {
	item := Item{Path: bag, Name64: name64, Type: TypeDirectory}
	entries, info, err := readSourceDir(dir)
	if info != nil {
		item = itemOf(bag, name64, info)
	}
	if err != nil {
		item.Outcome, item.Note = OutcomeUnread, reason(err)
	}
	to := filepath.Join(s.bag, filepath.FromSlash(bag))
	made := os.MkdirAll(to, 0o700)
	if errors.Is(made, syscall.ENAMETOOLONG) {
		item.Outcome, item.Note = OutcomeUnread, errTooDeep.Error()
		s.keep(&done{Item: item})
		return nil
	}
	s.keep(&done{Item: item})
	if made != nil {
		return made
	}
	if err := os.Chmod(to, 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		name, short := bagName(e.Name())
		child, at := filepath.Join(dir, e.Name()), bag+"/"+name
		name64 := ""
		if short {
			name64 = base64Of(e.Name())
		}
		info, err := e.Info()
		switch {
		case err != nil:
			s.keep(&done{Item: Item{Path: at, Name64: name64, Type: TypeOther, Outcome: OutcomeUnread, Note: reason(err)}})
		case info.IsDir():
			if err := s.walk(ctx, child, at, name64, todo); err != nil {
				return err
			}
		case info.Mode().IsRegular():
			if err := s.give(ctx, found{path: child, item: itemOf(at, name64, info)}, todo); err != nil {
				return err
			}
		default:
			it := itemOf(at, name64, info)
			if it.Type == TypeLink {
				to, err := os.Readlink(child)
				if it.Link = EncodeName(to, true); err != nil {
					it.Outcome, it.Note = OutcomeUnread, reason(err)
				}
			}
			s.keep(&done{Item: it})
		}
	}
	return nil
}

func (s *sealer) keep(d *done) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, d)
}

// readSourceDir lists a directory without touching its time of last access.
func readSourceDir(dir string) ([]fs.DirEntry, fs.FileInfo, error) {
	f, err := openSource(dir)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	entries, err := f.ReadDir(-1)
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, info, err
}

func itemOf(path, name64 string, info fs.FileInfo) Item {
	it := Item{Path: path, Name64: name64, Type: TypeOther, Mode: fmt.Sprintf("%04o", info.Mode().Perm()), Modified: stamp(info.ModTime())}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		it.Type, it.Size = TypeFile, info.Size()
	case mode.IsDir():
		it.Type = TypeDirectory
	case mode&fs.ModeSymlink != 0:
		it.Type = TypeLink
	}
	return it
}

// reason is an error without the path, which stands beside it.
func reason(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return EncodeName(err.Error(), false)
}
