package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"concert/internal/sandbox"
	"concert/internal/vault/filesystem"
)

// KindRaw is a media as it is, byte for byte: with a partition table or a file
// system that is known.
const KindRaw = "raw"

// Surveyed is one thing that a survey found: a file of a directory or a bag, one
// on a volume of an image, or a member of an archive. Only what is allocated is
// found, not what was deleted.
type Surveyed struct {
	Place    string   `json:"place"`            // the file of the source that it is, or lies in; encoded as EncodeName does
	Volume   int      `json:"volume,omitempty"` // of an image, from 1
	Inside   []string `json:"inside,omitempty"` // the path on the volume, the names in archives; encoded, the innermost last
	Type     string   `json:"type"`
	Size     int64    `json:"size"`
	Modified string   `json:"modified,omitempty"` // RFC 3339, UTC; of FAT local time without a zone
	Accessed string   `json:"accessed,omitempty"`
	Changed  string   `json:"changed,omitempty"` // its inode or record
	Born     string   `json:"born,omitempty"`
	Link     string   `json:"link,omitempty"`
	Media    string   `json:"media,omitempty"`    // by its bytes, never by its name
	Encoding string   `json:"encoding,omitempty"` // of text that was taken out
	SHA256   string   `json:"sha256,omitempty"`
	SHA1     string   `json:"sha1,omitempty"`
	MD5      string   `json:"md5,omitempty"`
	Outcome  string   `json:"outcome,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Path is where it lies, for people: PLACE, PLACE!VOLUME/PATH on a volume,
// PLACE!/MEMBER in an archive, and so on inward.
func (s Surveyed) Path() string {
	var b strings.Builder
	b.WriteString(s.Place)
	for i, in := range s.Inside {
		if b.WriteByte('!'); i == 0 && s.Volume > 0 {
			fmt.Fprint(&b, s.Volume)
		}
		b.WriteString("/" + in)
	}
	return b.String()
}

// SurveyedVolume is one volume of an image.
type SurveyedVolume struct {
	Place   string `json:"place"`
	Volume  int    `json:"volume"`
	Scheme  string `json:"scheme"` // mbr, gpt or none
	Start   int64  `json:"start"`  // bytes
	Size    int64  `json:"size"`
	Kind    string `json:"kind,omitempty"` // as the table says
	Name    string `json:"name,omitempty"`
	System  string `json:"system,omitempty"`
	Label   string `json:"label,omitempty"`
	Times   string `json:"times,omitempty"` // how exact they are
	Outcome string `json:"outcome,omitempty"`
	Note    string `json:"note,omitempty"`
}

// SurveyJob says what is surveyed and who is told. The source is only read.
type SurveyJob struct {
	Source    string        // a bag, a directory, the first segment of an image, an archive, a file
	Children  *sandbox.Pool // what reads hostile bytes
	Limits    Limits
	SHA1, MD5 bool  // wanted beside SHA-256
	Text      int64 // most bytes of one file's text that are wanted; 0 for none
	// Only is the one thing that is wanted, by its Place, Volume and Inside.
	Only *Surveyed

	Volume func(SurveyedVolume) error // may be nil
	// Part is given the text of the file of which Entry is told next, in parts.
	Part     func(text string) error // may be nil
	Entry    func(Surveyed) error
	Progress *Progress // may be nil
}

// surveyor is one survey under way.
type surveyor struct {
	SurveyJob
	base string  // the directory that places are relative to
	sets []set   // containers that were met
	kept []*done // of which they are made
}

// surveyItem is one thing of a source, as the operating system shows it.
type surveyItem struct {
	place string // encoded
	path  string // below base
	s     Surveyed
	// known is the digest that a bag's manifest has of it.
	known string
}

// Survey looks at everything in a source and tells of it, in one order whatever
// the machine: first the files, then what containers among them hold. What is
// wrong with one thing is an outcome of that one; the error is ours.
func Survey(ctx context.Context, job SurveyJob) error {
	job.Limits = job.Limits.orDefault()
	if job.Progress == nil {
		job.Progress = new(Progress)
	}
	s := &surveyor{SurveyJob: job}
	items, err := s.items()
	if err != nil {
		return err
	}
	total := int64(0)
	for _, it := range items {
		total += it.s.Size
	}
	s.Progress.Total.Store(total)
	s.Progress.Walked.Store(true)
	if err := s.files(ctx, items); err != nil {
		return err
	}
	s.sets = containerSets(s.kept)
	for _, one := range s.sets {
		if err := s.container(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// items lists a source.
func (s *surveyor) items() ([]surveyItem, error) {
	info, err := os.Stat(s.Source)
	if err != nil {
		return nil, fmt.Errorf("%s is not read: %w", s.Source, err)
	}
	if !info.IsDir() {
		dir, name := filepath.Split(s.Source)
		s.base = cmp.Or(dir, ".")
		it := surveyItem{place: EncodeName(name, true), path: name, s: Surveyed{Place: EncodeName(name, true), Type: TypeFile, Size: info.Size(), Modified: stamp(info.ModTime())}}
		return s.alone(it)
	}
	s.base = s.Source
	if _, err := os.Lstat(filepath.Join(s.Source, fileManifest)); err == nil {
		return s.bagItems()
	}
	var items []surveyItem
	if err := s.tree(".", &items); err != nil {
		return nil, err
	}
	return s.wanted(items), nil
}

// tree lists a directory and what is below it, in the order of the names' bytes.
// It opens directories as it opens files, so that their times stay as well.
func (s *surveyor) tree(rel string, items *[]surveyItem) error {
	dir, err := openSource(filepath.Join(s.Source, rel))
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	err = errors.Join(err, dir.Close())
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, d := range entries {
		p := filepath.Join(rel, d.Name())
		it := surveyItem{place: EncodeName(filepath.ToSlash(p), true), path: p}
		it.s = Surveyed{Place: it.place, Type: typeOf(d.Type())}
		fault := it.look(d)
		if it.s.Type == TypeLink {
			to, _ := os.Readlink(filepath.Join(s.Source, p)) // a link that is gone has no text
			it.s.Link = EncodeName(to, true)
		}
		at := len(*items)
		*items = append(*items, it)
		if it.s.Type == TypeDirectory {
			fault = errors.Join(fault, s.tree(p, items))
		}
		if fault != nil {
			(*items)[at].s.Outcome, (*items)[at].s.Note = OutcomeUnread, EncodeName(fault.Error(), false)
		}
	}
	return err
}

// look takes what the system says of a file.
func (it *surveyItem) look(d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	it.s.Modified, it.s.Accessed, it.s.Changed = stamp(info.ModTime()), stampOf(accessed(info)), stampOf(changed(info))
	if it.s.Type == TypeFile {
		it.s.Size = info.Size()
	}
	return nil
}

func typeOf(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return TypeFile
	case m.IsDir():
		return TypeDirectory
	case m&fs.ModeSymlink != 0:
		return TypeLink
	}
	return TypeOther
}

func stampOf(t time.Time) string {
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return ""
	}
	return stamp(t)
}

// bagItems are the items of a bag's manifest.
func (s *surveyor) bagItems() ([]surveyItem, error) {
	m, _, err := readManifest(s.Source)
	if err != nil {
		return nil, err
	}
	var items []surveyItem
	for _, it := range m.Items {
		items = append(items, surveyItem{place: it.Path, path: filepath.FromSlash(it.Path), known: it.SHA256,
			s: Surveyed{Place: it.Path, Type: it.Type, Size: it.Size, Modified: it.Modified, Link: it.Link, Outcome: it.Outcome, Note: it.Note}})
	}
	return s.wanted(items), nil
}

// wanted leaves the one item that was asked for.
func (s *surveyor) wanted(items []surveyItem) []surveyItem {
	if s.Only == nil {
		return items
	}
	return slices.DeleteFunc(items, func(it surveyItem) bool { return it.place != s.Only.Place })
}

// alone is a source of one file. Of an image or an archive only what is inside is
// told: what it is as a file, evidence verify says.
func (s *surveyor) alone(it surveyItem) ([]surveyItem, error) {
	kind, err := kindOfFile(filepath.Join(s.base, it.path), it.s.Size)
	if err != nil {
		return nil, err
	}
	if kind == "" {
		return s.wanted([]surveyItem{it}), nil
	}
	s.kept = []*done{{Item: Item{Path: it.path}, Kind: kind}}
	if kind == KindEWF {
		s.kept = nil
		for _, name := range s.segments(it.path) {
			s.kept = append(s.kept, &done{Item: Item{Path: name}, Kind: kind})
		}
	}
	return nil, nil
}

func (s *surveyor) segments(first string) []string {
	names := []string{first}
	return append(names, slices.DeleteFunc(ewfFollowing(first, func(name string) bool { return fileThere(filepath.Join(s.base, name)) }), func(n string) bool { return n == first })...)
}

// kindOfFile tells a container by its bytes; the empty text stands for what is none.
func kindOfFile(name string, size int64) (kind string, err error) {
	f, err := openSource(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return kindOf(f, size), nil
}

func kindOf(f io.ReaderAt, size int64) string {
	head := make([]byte, headKept)
	n, _ := f.ReadAt(head, 0) // a file that is not read has no kind
	if kind := containerKind(head[:n]); kind != "" {
		return kind
	}
	if size >= 1024 && filesystem.Media(f, size) {
		return KindRaw
	}
	return ""
}

// container surveys what one image or archive holds.
func (s *surveyor) container(ctx context.Context, one set) error {
	place := s.placeOf(one.paths[0])
	if s.Only != nil && (s.Only.Place != place || len(s.Only.Inside) == 0) {
		return nil
	}
	if one.note != "" || one.kind == KindImage {
		note := cmp.Or(one.note, "an image of a kind that is not read: export it as a raw image or as E01 with the program that made it")
		return s.volume(SurveyedVolume{Place: place, Outcome: OutcomeRefused, Note: note})
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			_ = f.Close() // they were only read
		}
	}()
	order, total := s.order(one.kind), int64(0)
	for _, p := range one.paths {
		f, err := openSource(filepath.Join(s.base, filepath.FromSlash(p)))
		if err != nil {
			return s.volume(SurveyedVolume{Place: place, Outcome: OutcomeUnread, Note: err.Error()})
		}
		files = append(files, f)
		info, err := f.Stat()
		if err != nil {
			return err
		}
		total += info.Size()
		order.Names = append(order.Names, path.Base(p))
	}
	c := &conversation{surveyor: s, place: place, order: order, files: files, seconds: seconds(total, s.Limits)}
	if one.kind != KindEWF && one.kind != KindRaw {
		v, err := c.talk(ctx)
		if err != nil || v.Outcome == "" {
			return err
		}
		return s.tell(Surveyed{Place: place, Type: TypeFile, Size: total, Outcome: v.Outcome, Note: v.Note})
	}
	volumes, err := c.volumes(ctx)
	if err != nil {
		return err
	}
	for _, v := range volumes {
		if s.Only != nil && s.Only.Volume != v.Volume {
			continue
		}
		if v.Outcome == "" {
			c.order.Volume = v.Volume
			if v, err = c.talk(ctx); err != nil {
				return err
			}
		}
		if err := s.volume(v); err != nil {
			return err
		}
	}
	return nil
}

// placeOf is the place of a path below base.
func (s *surveyor) placeOf(p string) string {
	if strings.HasPrefix(p, "data/") && s.base == s.Source {
		if _, err := os.Lstat(filepath.Join(s.Source, fileManifest)); err == nil {
			return p // the paths of a bag are encoded
		}
	}
	return EncodeName(filepath.ToSlash(p), true)
}

// seconds is how much processor time a child has: a megabyte a second is slower
// than anything that is read.
func seconds(total int64, l Limits) int {
	return int(120 + total>>20 + max(l.Floor, l.Ratio*min(total, 1<<40))>>27)
}

func (s *surveyor) volume(v SurveyedVolume) error {
	if s.Volume == nil {
		return nil
	}
	return s.Volume(v)
}

func (s *surveyor) tell(e Surveyed) error {
	if s.Only != nil && (e.Place != s.Only.Place || e.Volume != s.Only.Volume || !slices.Equal(e.Inside, s.Only.Inside)) {
		return nil
	}
	return s.Entry(e)
}
