package vault

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"concert/internal/sandbox"
	"concert/internal/vault/archive"
	"concert/internal/vault/ewf"
)

const (
	taskImage   = "evidence.image"
	taskArchive = "evidence.archive"
	// aff4Mark is the member that makes an AFF4 image of a zip (AFF4 standard 1.0).
	aff4Mark = "information.turtle"
	// lineMost bounds one line of a child's answer.
	lineMost = 1 << 20
)

// order is what a child is asked.
type order struct {
	Kind   string   `json:"kind"`
	Names  []string `json:"names"` // of the files, for what is said of them
	Limits Limits   `json:"limits"`
}

// answer is one line of what a child says; the last has End.
type answer struct {
	Member *Member    `json:"member,omitempty"`
	End    *Container `json:"end,omitempty"`
}

// FileTasks are what children do for this package: to read images, archives and
// files that are handed to them open.
func FileTasks() map[string]sandbox.FileTask {
	return map[string]sandbox.FileTask{taskImage: imageTask, taskArchive: archiveTask, taskSurvey: surveyTask}
}

// set is one container and the files that it consists of.
type set struct {
	kind  string
	paths []string // in the bag
	note  string   // why it is not opened
}

// containerSets finds what of the items is a container, and which segments make
// one image.
func containerSets(items []*done) []set {
	segments := map[string]bool{}
	var sets []set
	for _, d := range items {
		if d.Kind == KindEWF {
			segments[d.Item.Path] = true
		}
	}
	for _, d := range items {
		p := d.Item.Path
		switch {
		case d.Kind == "":
			continue
		case d.Kind != KindEWF:
			sets = append(sets, set{kind: d.Kind, paths: []string{p}})
			continue
		}
		if _, first := ewf.FirstExtension(p); !first {
			continue
		}
		one := set{kind: KindEWF, paths: append([]string{p}, ewf.Following(p, func(name string) bool { return segments[name] })...)}
		for _, path := range one.paths {
			delete(segments, path)
		}
		sets = append(sets, one)
	}
	for p := range segments {
		sets = append(sets, set{kind: KindEWF, paths: []string{p}, note: "no first segment (.E01, .S01) stands beside it, so that nobody can tell which image it belongs to"})
	}
	slices.SortFunc(sets, func(a, b set) int { return strings.Compare(a.paths[0], b.paths[0]) })
	return sets
}

// openAll opens every container from its sealed copy.
func (s *sealer) openAll(ctx context.Context) ([]Container, error) {
	sets := containerSets(s.items)
	out := make([]Container, len(sets))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.Workers)
	for i, one := range sets {
		if was := s.j.containers[one.paths[0]]; was != nil && was.Kind == one.kind && len(was.Segments) == segmentCount(one) {
			out[i] = *was
			continue
		}
		g.Go(func() error {
			c, err := openContainer(ctx, s.Children, s.bag, one, s.Limits)
			if err != nil {
				return err
			}
			out[i] = c
			return s.j.add(entry{Container: &c}, 0)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, s.j.sync()
}

func segmentCount(one set) int {
	if one.kind == KindEWF {
		return len(one.paths)
	}
	return 0
}

// openContainer lets a child read a container. Whatever is wrong with it is an
// outcome; the error is only ours: to be stopped, or that no child starts.
func openContainer(ctx context.Context, pool *sandbox.Pool, bag string, one set, limits Limits) (Container, error) {
	c := Container{Path: one.paths[0], Kind: one.kind}
	if one.kind == KindEWF {
		c.Segments = one.paths
	}
	switch {
	case one.note != "":
		c.Outcome, c.Note = OutcomeDamaged, one.note
		return c, nil
	case pool == nil:
		c.Outcome, c.Note = OutcomeNotRead, "it was sealed whole and not opened"
		return c, nil
	}
	job, files, err := childJob(bag, one, limits)
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return c, err
	}
	end, err := askChild(ctx, pool, job, &c, limits)
	switch {
	case errors.Is(err, sandbox.ErrGone), err == nil && end == nil:
		// How far it came is chance, so nothing of it is kept: a manifest says the same twice.
		c.Outcome, c.Note, c.Members = OutcomeGone, sandbox.ErrGone.Error(), nil
	case errors.Is(err, errAnswer):
		c.Outcome, c.Note, c.Members = OutcomeGone, err.Error(), nil
	case err != nil:
		return c, err
	default:
		c.Outcome, c.Note, c.Media = end.Outcome, end.Note, end.Media
		if c.Outcome == "" && slices.ContainsFunc(c.Members, func(m Member) bool { return slices.Equal(m.Name, []string{aff4Mark}) }) {
			c.Outcome, c.Note = OutcomeRefused, "an AFF4 image: its members are digested here, its media is not read; export it as a raw image or as E01 with the program that made it, and seal that beside it"
		}
	}
	return c, nil
}

// childJob opens the files of a container for a child. Its time grows with their
// size: a megabyte a second is slower than anything that is read.
func childJob(bag string, one set, limits Limits) (job sandbox.OnFiles, files []*os.File, err error) {
	total := int64(0)
	o := order{Kind: one.kind, Limits: limits}
	for _, p := range one.paths {
		f, err := os.Open(filepath.Join(bag, filepath.FromSlash(p)))
		if err != nil {
			return job, files, err
		}
		files = append(files, f)
		info, err := f.Stat()
		if err != nil {
			return job, files, err
		}
		total += info.Size()
		o.Names = append(o.Names, path.Base(p))
	}
	in, err := json.Marshal(o)
	seconds := 120 + total>>20 + max(limits.Floor, limits.Ratio*min(total, 1<<40))>>27
	job = sandbox.OnFiles{Task: taskArchive, In: in, Files: files, Seconds: int(seconds), Wall: 4 * time.Duration(seconds) * time.Second}
	if one.kind == KindEWF || one.kind == KindImage {
		job.Task = taskImage
	}
	return job, files, err
}

var errAnswer = errors.New("the process that read it gave an answer that is none")

// askChild collects a child's answer, which is not trusted: it read hostile bytes.
func askChild(ctx context.Context, pool *sandbox.Pool, job sandbox.OnFiles, c *Container, limits Limits) (end *Container, err error) {
	err = pool.ReadFiles(ctx, job, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, lineMost)
		for lines.Scan() {
			var a answer
			if err := json.Unmarshal(lines.Bytes(), &a); err != nil || end != nil {
				return errAnswer
			}
			switch {
			case a.End != nil:
				end = a.End
			case a.Member != nil && int64(len(c.Members)) <= limits.Entries:
				c.Members = append(c.Members, *a.Member)
			default:
				return errAnswer
			}
		}
		if lines.Err() != nil {
			return errAnswer
		}
		return nil
	})
	return end, err
}

// imageTask reads an image, in a child.
func imageTask(in []byte, files []*os.File, out io.Writer) error {
	var o order
	if err := json.Unmarshal(in, &o); err != nil {
		return err
	}
	c := Container{}
	media, err := readImage(files, o.Names)
	switch {
	case errors.Is(err, ewf.ErrNotRead):
		c.Outcome, c.Note = OutcomeRefused, err.Error()
	case err != nil:
		c.Outcome, c.Note = OutcomeDamaged, err.Error()
	default:
		c.Media = &media
		if !media.Whole() {
			c.Outcome, c.Note = OutcomeDamaged, fmt.Sprintf("structure %s, chunks %s, media %s", media.Structure, media.Chunks, media.Media)
		}
	}
	return json.NewEncoder(out).Encode(answer{End: &c})
}

func readImage(files []*os.File, names []string) (media Media, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("what reads images broke on it: %v", p)
		}
	}()
	var segments []ewf.Segment
	for i, f := range files {
		info, err := f.Stat()
		if err != nil {
			return media, err
		}
		segments = append(segments, ewf.Segment{Name: cmp.Or(names[min(i, len(names)-1)], f.Name()), Size: info.Size(), ReaderAt: f})
	}
	image, err := ewf.Open(segments)
	if err != nil {
		return media, err
	}
	return image.Verify(context.Background())
}

// archiveTask reads an archive, in a child.
func archiveTask(in []byte, files []*os.File, out io.Writer) error {
	var o order
	if err := json.Unmarshal(in, &o); err != nil {
		return err
	}
	if len(files) != 1 || len(o.Names) != 1 {
		return errors.New("an archive is one file")
	}
	info, err := files[0].Stat()
	if err != nil {
		return err
	}
	say := json.NewEncoder(out)
	most := max(o.Limits.Floor, o.Limits.Ratio*min(info.Size(), 1<<50/max(o.Limits.Ratio, 1)))
	limits := archive.Limits{Depth: o.Limits.Depth, Entries: o.Limits.Entries, Bytes: most, Name: o.Limits.Name}
	var c Container
	c.Outcome, c.Note, err = archive.Walk(files[0], info.Size(), o.Kind, o.Names[0], limits, containerKind, func(e archive.Entry) error {
		m := memberOf(e)
		return say.Encode(answer{Member: &m})
	})
	c.Note = EncodeName(c.Note, false)
	return errors.Join(err, say.Encode(answer{End: &c}))
}

// memberOf is an entry as the manifest writes it.
func memberOf(e archive.Entry) Member {
	m := Member{Type: e.Type, Size: e.Size, Link: EncodeName(e.Link, true), SHA256: e.SHA256, BLAKE3: e.BLAKE3, Outcome: e.Outcome, Note: EncodeName(e.Note, false)}
	for _, n := range e.Name {
		m.Name = append(m.Name, EncodeName(n, true))
	}
	if !e.Modified.IsZero() {
		m.Modified = stamp(e.Modified)
	}
	return m
}

// ReadContainer reads an archive or an image that lies in no bag, by its path; of
// an image that of the first segment.
func ReadContainer(ctx context.Context, pool *sandbox.Pool, file string, limits Limits) (Container, error) {
	f, err := os.Open(file)
	if err != nil {
		return Container{}, err
	}
	head := make([]byte, headKept)
	n, err := io.ReadFull(f, head)
	if err = errors.Join(ignoreEnd(err), f.Close()); err != nil {
		return Container{}, err
	}
	kind := containerKind(head[:n])
	if kind == "" {
		return Container{}, fmt.Errorf("%s is no bag, no working copy, no image and no archive that is known: there is nothing to compare it with", file)
	}
	dir, name := filepath.Split(file)
	items := []*done{{Item: Item{Path: name}, Kind: kind}}
	if kind == KindEWF {
		for _, n := range ewf.Following(name, func(n string) bool { return fileThere(filepath.Join(dir, n)) }) {
			items = append(items, &done{Item: Item{Path: n}, Kind: kind})
		}
	}
	return openContainer(ctx, pool, cmp.Or(dir, "."), containerSets(items)[0], limits.orDefault())
}

func ignoreEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
