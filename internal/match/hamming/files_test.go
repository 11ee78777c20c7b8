package hamming

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"concert/internal/durable"
)

// filled makes a directory with an index of n entries in one segment and removes nothing; its hashes are returned.
func filled(t testing.TB, n int) (dir string, hashes []Hash) {
	t.Helper()
	dir = t.TempDir()
	x := open(t, dir, Options{Source: [16]byte{1}})
	r := rand.New(rand.NewPCG(20, 20))
	for i := range n {
		hashes = append(hashes, randomHash(r))
		ok(t, x.Add(uint64(i+1), Entry{ID: uint64(i + 1), Hash: hashes[i]}))
	}
	ok(t, x.Compact(context.Background()))
	ok(t, x.Close())
	return dir, hashes
}

// all gives the entries to Rebuild.
func all(hashes []Hash) func(func(Entry, error) bool) {
	return func(yield func(Entry, error) bool) {
		for i, h := range hashes {
			if !yield(Entry{ID: uint64(i + 1), Hash: h}, nil) {
				return
			}
		}
	}
}

func theSegment(t testing.TB, dir string) string {
	t.Helper()
	names, err := segmentFiles(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("segments %v, %v", names, err)
	}
	return filepath.Join(dir, names[0])
}

// rewrite changes a file whatever its mode.
func rewrite(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	ok(t, durable.WriteFile(path, change(text), 0o600))
}

func TestFilesThatCannotBeReliedUponAreRefusedByName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		manifest bool
		says     string
		change   func([]byte) []byte
	}{
		"cut short":           {says: "bytes instead of the", change: func(b []byte) []byte { return b[:len(b)-1] }},
		"cut within header":   {says: "fewer than a header", change: func(b []byte) []byte { return b[:100] }},
		"empty":               {says: "fewer than a header", change: func([]byte) []byte { return nil }},
		"longer":              {says: "bytes instead of the", change: func(b []byte) []byte { return append(b, 0) }},
		"foreign":             {says: "it is no segment", change: func(b []byte) []byte { return bytes.Repeat([]byte("EXERCISE"), len(b)/8) }},
		"another version":     {says: "version 2", change: func(b []byte) []byte { b[8] = 2; return b }},
		"header bit":          {says: "checksum", change: func(b []byte) []byte { b[40] ^= 1; return b }},
		"row bit":             {says: "bytes 4096 to", change: func(b []byte) []byte { b[5000] ^= 1; return b }},
		"table bit":           {says: "do not have the checksum", change: func(b []byte) []byte { b[len(b)-4000] ^= 1; return b }},
		"checksum bit":        {says: "table of checksums", change: func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
		"another database's":  {says: "another database", change: func(b []byte) []byte { return signed(b, func() { b[16] = 7 }) }},
		"other rows":          {says: "the manifest says", change: func([]byte) []byte { return second(t) }},
		"manifest bit":        {manifest: true, says: "checksum", change: func(b []byte) []byte { b[60] ^= 1; return b }},
		"manifest cut":        {manifest: true, says: "checksum", change: func(b []byte) []byte { return b[:len(b)-10] }},
		"manifest empty":      {manifest: true, says: "no manifest", change: func([]byte) []byte { return nil }},
		"manifest's version":  {manifest: true, says: "another version", change: func(b []byte) []byte { return bytes.Replace(b, []byte("manifest 1"), []byte("manifest 9"), 1) }},
		"manifest's database": {manifest: true, says: "another database", change: func([]byte) []byte { return manifest{}.text() }},
		"manifest's segment": {manifest: true, says: "no such file", change: func([]byte) []byte {
			return manifest{source: [16]byte{1}, segments: []manifestLine{{"00000000000000ff.hamming", 1, 1}}}.text()
		}},
		"manifest's bad names": {manifest: true, says: "names no segment", change: func([]byte) []byte {
			return manifest{source: [16]byte{1}, segments: []manifestLine{{"../x", 1, 1}}}.text()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, hashes := filled(t, 4200)
			path := theSegment(t, dir)
			if c.manifest {
				path = filepath.Join(dir, manifestName)
			}
			rewrite(t, path, c.change)
			_, err := Open(dir, Options{Source: [16]byte{1}})
			var damaged *DamagedError
			if !errors.As(err, &damaged) || !strings.HasPrefix(damaged.Path, dir) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "concert match rebuild") {
				t.Fatalf("opened with %v", err)
			}
			// The way out that the error names.
			ok(t, Clear(dir))
			x := open(t, dir, Options{Source: [16]byte{1}})
			if x.Upto() != 0 {
				t.Fatalf("a cleared index says %d", x.Upto())
			}
			ok(t, x.Rebuild(context.Background(), 4200, all(hashes)))
			if got, err := x.Search(nil, hashes[99], 0); err != nil || len(got) != 1 || got[0].ID != 100 || x.Upto() != 4200 {
				t.Fatalf("after it: %v, %v, upto %d", got, err, x.Upto())
			}
		})
	}
}

// second is a segment of another size.
func second(t testing.TB) []byte {
	dir, _ := filled(t, 10)
	text, err := os.ReadFile(theSegment(t, dir))
	ok(t, err)
	return text
}

// signed changes a segment's bytes and gives its header the checksum for it.
func signed(b []byte, change func()) []byte {
	change()
	order.PutUint32(b[headerSum:], checksum(b[:headerSum]))
	return b
}

func TestManifestThatIsGoneIsNotAnEmptyIndex(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t, 10)
	ok(t, os.Remove(filepath.Join(dir, manifestName)))
	var damaged *DamagedError
	if _, err := Open(dir, Options{Source: [16]byte{1}}); !errors.As(err, &damaged) {
		t.Errorf("opened: %v", err)
	}
}

func TestDirectoryHasOneProcess(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t, 10)
	x := open(t, dir, Options{Source: [16]byte{1}})
	var locked *durable.LockedError
	if _, err := Open(dir, Options{Source: [16]byte{1}}); !errors.As(err, &locked) {
		t.Errorf("opened twice: %v", err)
	}
	if err := Clear(dir); !errors.As(err, &locked) {
		t.Errorf("cleared while open: %v", err)
	}
	ok(t, x.Close())
	if _, err := x.Search(nil, Hash{}, 31); !errors.Is(err, ErrClosed) {
		t.Errorf("searched after Close: %v", err)
	}
	if err := x.Add(1, Entry{}); !errors.Is(err, ErrClosed) {
		t.Errorf("added after Close: %v", err)
	}
	if err := x.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
}

// settled waits until what is mapped was read, or refused.
func settled(x *Index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.damaged.Load() == nil && slices.ContainsFunc(x.now.Load().segments, func(s *segment) bool { return !s.sound() }) {
		x.changed.Wait()
	}
}

func TestMappedSegmentsAnswerAtOnceAndAreReadBehind(t *testing.T) {
	t.Parallel()
	for _, mapped := range []bool{false, true} {
		dir, hashes := filled(t, 4200)
		x := open(t, dir, Options{Source: [16]byte{1}, Mapped: mapped, loadNow: 1})
		for range 3 {
			if got, err := x.Search(nil, hashes[5], 31); err != nil || len(got) != 1 {
				t.Fatalf("mapped %v: %v, %v", mapped, got, err)
			}
			settled(x)
		}
		if st := x.Stats(); (st.Mapped == 1) != mapped || st.Rows != 4200 {
			t.Errorf("mapped %v: %+v", mapped, st)
		}
		ok(t, x.Verify(context.Background()))
		ok(t, x.Add(5000, Entry{ID: 1, Hash: hashes[0]}))
		ok(t, x.Compact(context.Background()))
		if got, err := x.Search(nil, hashes[0], 0); err != nil || len(got) != 1 || x.Stats().Rows != 4200 {
			t.Errorf("merged: %v, %v", got, err)
		}
	}
}

// A large file is not read before the first answer; what is wrong in it is told by every search once it was read.
func TestDamageBehindIsToldByEverySearch(t *testing.T) {
	t.Parallel()
	for _, mapped := range []bool{false, true} {
		dir, hashes := filled(t, 4200)
		rewrite(t, theSegment(t, dir), func(b []byte) []byte {
			for i := 200_000; i < len(b)-5000; i += 97 { // rows stay, tables lie
				b[i] ^= 0xff
			}
			return b
		})
		x := open(t, dir, Options{Source: [16]byte{1}, Mapped: mapped, loadNow: 1})
		for i := range 200 {
			_, _ = x.Search(nil, hashes[i], i%65) // wrong or refused, but alive
		}
		settled(x)
		var damaged *DamagedError
		if _, err := x.Search(nil, hashes[0], 0); !errors.As(err, &damaged) || damaged.Path != theSegment(t, dir) || !errors.As(x.Err(), &damaged) {
			t.Fatalf("mapped %v: %v, %v", mapped, err, x.Err())
		}
		if err := x.Verify(context.Background()); !errors.As(err, &damaged) {
			t.Errorf("verified: %v", err)
		}
		ok(t, x.Rebuild(context.Background(), 4200, all(hashes)))
		if got, err := x.Search(nil, hashes[0], 0); err != nil || len(got) != 1 {
			t.Errorf("rebuilt: %v, %v", got, err)
		}
		ok(t, x.Verify(context.Background()))
	}
}

// The kernel kills a process that reads a mapped file behind its end, unless it says otherwise.
func TestFileCutShortWhileMappedIsAnError(t *testing.T) {
	t.Parallel()
	dir, hashes := filled(t, 4200)
	x := open(t, dir, Options{Source: [16]byte{1}, Mapped: true, loadNow: 1})
	settled(x)
	path := theSegment(t, dir)
	ok(t, os.Chmod(path, 0o600))
	ok(t, os.Truncate(path, 4096))
	var damaged *DamagedError
	if _, err := x.Search(nil, hashes[0], 31); !errors.As(err, &damaged) || damaged.Path != path {
		t.Errorf("searched: %v", err)
	}
	if _, err := x.Search(nil, hashes[0], 31); !errors.As(err, &damaged) {
		t.Errorf("searched again: %v", err)
	}
}

// A file that cannot be written costs Upto, no answer, and is made good with the next.
func TestIndexGoesOnWhileFilesCannotBeWritten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	x := open(t, dir, Options{memtable: 16})
	aside := dir + "-aside"
	ok(t, os.Rename(dir, aside))
	r := rand.New(rand.NewPCG(30, 30))
	var hashes []Hash
	for i := range 100 {
		hashes = append(hashes, randomHash(r))
		ok(t, x.Add(uint64(i+1), Entry{ID: uint64(i + 1), Hash: hashes[i]}))
	}
	if err := x.Flush(ctx); err == nil || x.Upto() != 0 || x.Err() == nil {
		t.Fatalf("flushed without a directory: %v, upto %d", err, x.Upto())
	}
	for _, h := range hashes {
		if got, err := x.Search(nil, h, 31); err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
	}
	ok(t, os.Rename(aside, dir))
	ok(t, x.Flush(ctx))
	if x.Upto() != 100 || x.Err() != nil {
		t.Errorf("upto %d, %v", x.Upto(), x.Err())
	}
	ok(t, x.Close())
	x = open(t, dir, Options{})
	if got, err := x.Search(nil, hashes[99], 31); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// image is the files of a directory at one moment.
func image(dir string) (map[string]string, error) {
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() == durable.LockName {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		out[e.Name()] = string(text)
	}
	return out, err
}

// After a crash between any two operations on files, the index opens, and what the caller gives again from Upto on makes it whole.
func TestCrashBetweenAnyTwoFileOperations(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	var mu sync.Mutex
	images := map[string]map[string]string{}
	o := Options{memtable: 16, between: func() {
		mu.Lock()
		defer mu.Unlock()
		first, err := image(dir)
		second, err2 := image(dir)
		if fmt.Sprint(first) == fmt.Sprint(second) && err == nil && err2 == nil { // else another goroutine wrote meanwhile
			images[fmt.Sprint(first)] = first
		}
	}}
	x := open(t, dir, o)
	r := rand.New(rand.NewPCG(31, 31))
	model := naive{}
	var log []Batch
	for i := range 60 {
		b := Batch{Upto: uint64(i + 1)}
		for range 3 {
			e := Entry{ID: uint64(r.IntN(200)), Bank: uint32(i % 2), Hash: randomHash(r)}
			b.Add, b.Remove = append(b.Add, e), append(b.Remove, uint64(r.IntN(200)))
		}
		for _, id := range b.Remove {
			delete(model, id)
		}
		for _, e := range b.Add {
			model[e.ID] = e
		}
		log = append(log, b)
		ok(t, x.Apply(b))
		if i%20 == 19 {
			ok(t, x.Flush(ctx))
		}
		if i%30 == 29 {
			ok(t, x.Compact(ctx))
		}
	}
	ok(t, x.Close())
	if len(images) < 30 {
		t.Fatalf("only %d states of the directory were seen", len(images))
	}
	t.Logf("%d states of the directory", len(images))
	for _, files := range images {
		at := t.TempDir()
		for name, text := range files {
			ok(t, os.WriteFile(filepath.Join(at, name), []byte(text), 0o600))
		}
		x, err := Open(at, Options{})
		ok(t, err)
		for _, b := range log {
			if b.Upto > x.Upto() {
				ok(t, x.Apply(b))
			}
		}
		for id := range uint64(200) {
			want, lives := model[id]
			if got, err := x.Search(nil, want.Hash, 0); lives && (err != nil || !slices.Contains(got, Match{id, want.Bank, 0})) {
				t.Fatalf("after a crash with upto %d: id %d is %v, %v", x.Upto(), id, got, err)
			}
		}
		got, err := x.Search(nil, Hash{}, 64)
		ok(t, err)
		if len(got) != 0 {
			t.Fatalf("found %v", got)
		}
		n := 0
		for _, b := range log {
			for _, e := range b.Add {
				if got, err := x.Search(nil, e.Hash, 0); err != nil {
					t.Fatal(err)
				} else if model[e.ID].Hash != e.Hash && len(got) > 0 {
					t.Fatalf("id %d is found by a hash it no longer has: %v", e.ID, got)
				}
				n++
			}
		}
		ok(t, x.Close())
	}
}

// small is a segment with tables in a few kilobytes, with a line that overflows.
func small(t testing.TB) []byte {
	p := plant(40, 400, 1, 0)
	for i := range 300 {
		p.hashes[i] = p.hashes[0]
	}
	c := p.content()
	c.widths, c.removed = []int{8, 8, 9, 7, 10, 6, 11, 5}, []uint64{3000, 4000}
	s, err := build(c)
	s = must(t, s, err)
	defer s.release()
	return slices.Clone(s.mem.data)
}

// Whatever the bytes, a segment is refused or can be searched without leaving it.
func FuzzSegment(f *testing.F) {
	whole := small(f)
	f.Add(uint32(80), []byte{3}, uint32(9000), []byte{255, 255, 255, 255})
	f.Add(uint32(88), []byte{0, 0}, uint32(len(whole)-2000), bytes.Repeat([]byte{0xfe}, 700))
	f.Add(uint32(32), []byte{255, 255, 255}, uint32(20000), bytes.Repeat([]byte{0x80}, 64))
	f.Fuzz(func(t *testing.T, at uint32, some []byte, at2 uint32, more []byte) {
		b := slices.Clone(whole)
		copy(b[int(at)%len(b):], some)
		copy(b[int(at2)%len(b):], more)
		b = signed(b, func() {})
		h, err := parseHeader(b, int64(len(b)))
		if err != nil {
			return
		}
		mem, err := newRegion(len(b))
		ok(t, err)
		copy(mem.data, b)
		s := newSegment(h, mem)
		defer s.release()
		sc := new(scratch)
		for _, l := range levels() {
			for _, radius := range []int{7, 12, 24} {
				s.plans[radius].scan = false
				s.search(sc, l, s.hashes[0], radius, nil, func(row, d int) { _, _, _ = s.id(row), s.bank(row), s.knows(uint64(row)) })
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add(manifest{upto: 3, segments: []manifestLine{{"00000000000000ff.hamming", 1, 1}}}.text())
	f.Add([]byte("concert hamming manifest 1\nend 00000000\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if body, _, whole := bytes.Cut(text, []byte("end ")); whole {
			text = fmt.Appendf(slices.Clip(body), "end %08x\n", checksum(body))
		}
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		again, err := parseManifest(m.text())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(m) {
			t.Errorf("%q is read as %v, and that as %v, %v", text, m, again, err)
		}
	})
}
