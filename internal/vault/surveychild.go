package vault

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	"concert/internal/sandbox"
	"concert/internal/vault/archive"
	"concert/internal/vault/ewf"
	"concert/internal/vault/filesystem"
	"concert/internal/vault/text"
)

const (
	// surveyDepth is the deepest directory that is opened on a volume.
	surveyDepth = 256
	// insideMost is how large an archive on a volume may be that is opened.
	insideMost = 64 << 20
	// sampleMost is how much text is wanted where nobody wants all of it.
	sampleMost = 64 << 10
)

// examiner is a child at work.
type examiner struct {
	surveyOrder
	out  io.Writer
	buf  []byte
	last Surveyed // what was seen of an archive's file, until its entry comes
}

func surveyTask(in []byte, files []*os.File, out io.Writer) error {
	x := &examiner{out: out}
	if err := json.Unmarshal(in, &x.surveyOrder); err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("there is nothing to survey")
	}
	switch x.Kind {
	case kindStream:
		return x.stream(bufio.NewReaderSize(files[0], feedPiece))
	case KindEWF, KindRaw:
		return x.image(files)
	}
	info, err := files[0].Stat()
	if err != nil {
		return err
	}
	outcome, note, err := x.archive(files[0], info.Size(), x.Kind, x.Names[0], nil, 0)
	if err == nil && outcome != "" {
		err = x.say(frameEntry, surveyAnswer{Surveyed: Surveyed{Type: TypeFile, Size: info.Size(), Outcome: outcome, Note: EncodeName(note, false)}})
	}
	return err
}

func (x *examiner) frame(kind byte, b []byte) error {
	x.buf = append(x.buf[:0], kind, 0, 0, 0, 0)
	binary.BigEndian.PutUint32(x.buf[1:], uint32(len(b)))
	x.buf = append(x.buf, b...)
	_, err := x.out.Write(x.buf)
	return err
}

func (x *examiner) say(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return x.frame(kind, b)
}

// begin tells the parent what is read next, before it is: it may be the last thing
// that this process says.
func (x *examiner) begin(index int64) error {
	return errors.Join(x.frame(frameBegin, binary.BigEndian.AppendUint64(nil, uint64(index))), sandbox.Flush(x.out))
}

// told reports whether an entry was told by a child before this one.
func (x *examiner) told(index int64) bool {
	return index <= x.From && !slices.Contains(x.Open, index)
}

// stream reads the files that the parent sends.
func (x *examiner) stream(in *bufio.Reader) error {
	for {
		var number [8]byte
		if _, err := io.ReadFull(in, number[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		index := int64(binary.BigEndian.Uint64(number[:]))
		if err := x.begin(index); err != nil {
			return err
		}
		s := Surveyed{Type: TypeFile}
		r := &pieces{in: in}
		if slices.Contains(x.Skip, index) {
			s.Outcome, s.Note = OutcomeGone, "the process that read it did not survive it"
		} else if err := x.file(&s, r, nil, false); err != nil {
			return err
		}
		s.Size = r.n
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		if err := x.say(frameEntry, surveyAnswer{index, s}); err != nil {
			return err
		}
	}
}

// pieces reads one file of the parent's.
type pieces struct {
	in   *bufio.Reader
	left uint32
	n    int64
	end  bool
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	if p.end {
		return 0, io.EOF
	}
	if p.left == 0 {
		var size [4]byte
		if _, err := io.ReadFull(p.in, size[:]); err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		if p.left = binary.BigEndian.Uint32(size[:]); p.left == 0 {
			p.end = true
			return 0, io.EOF
		}
	}
	n, err := p.in.Read(b[:min(len(b), int(p.left))])
	p.left -= uint32(n)
	p.n += int64(n)
	return n, err
}

// image reads a media: its volumes, or one of them.
func (x *examiner) image(files []*os.File) error {
	media, size, err := openMedia(x.Kind, files, x.Names)
	if err != nil {
		outcome := OutcomeDamaged
		if errors.Is(err, ewf.ErrNotRead) {
			outcome = OutcomeRefused
		}
		return x.say(frameVolume, SurveyedVolume{Volume: x.Volume, Outcome: outcome, Note: EncodeName(err.Error(), false)})
	}
	volumes, notes, err := filesystem.Volumes(media, size)
	if err != nil {
		return x.say(frameVolume, SurveyedVolume{Volume: x.Volume, Outcome: OutcomeDamaged, Note: EncodeName(err.Error(), false)})
	}
	if x.Volume == 0 {
		for _, note := range notes {
			if err := x.say(frameVolume, SurveyedVolume{Outcome: OutcomeDamaged, Note: note}); err != nil {
				return err
			}
		}
		for _, v := range volumes {
			if err := x.say(frameVolume, volumeOf(v)); err != nil {
				return err
			}
		}
		return nil
	}
	if x.Volume > len(volumes) {
		return fmt.Errorf("there is no volume %d", x.Volume)
	}
	v, err := x.walk(media, volumes[x.Volume-1])
	return errors.Join(err, x.say(frameVolume, volumeOf(v)))
}

func volumeOf(v filesystem.Volume) SurveyedVolume {
	return SurveyedVolume{Volume: v.Number, Scheme: v.Scheme, Start: v.Start, Size: v.Size, Kind: v.Type, Name: EncodeName(v.Name, true), System: v.System, Label: EncodeName(v.Label, true), Times: v.Times, Outcome: v.Outcome, Note: EncodeName(v.Note, false)}
}

func (x *examiner) walk(media io.ReaderAt, v filesystem.Volume) (filesystem.Volume, error) {
	limits := filesystem.Limits{Entries: x.Limits.Entries, Depth: surveyDepth, File: x.Limits.File, Bytes: max(x.Limits.Floor, 8*v.Size), Name: x.Limits.Name}
	of := func(e filesystem.Entry) Surveyed {
		s := Surveyed{Volume: v.Number, Inside: []string{EncodeName(e.Path, true)}, Type: e.Type, Size: e.Size, Link: EncodeName(e.Link, true), Outcome: e.Outcome, Note: EncodeName(e.Note, false)}
		s.Modified, s.Accessed, s.Changed, s.Born = stampOf(e.Modified), stampOf(e.Accessed), stampOf(e.Changed), stampOf(e.Born)
		return s
	}
	var read Surveyed
	return filesystem.Walk(media, v, limits, filesystem.Visit{
		Skip: func(index int64) bool { return slices.Contains(x.Skip, index) },
		Begin: func(e filesystem.Entry) error {
			if read = (Surveyed{}); x.told(e.Index) || e.Type != TypeFile && e.Type != TypeDirectory {
				return nil
			}
			return x.begin(e.Index)
		},
		File: func(e filesystem.Entry, r io.Reader) (outcome, note string, err error) {
			s := of(e)
			if x.told(e.Index) || !x.wants(s.Inside) {
				return "", "", nil
			}
			s.Outcome, s.Note = "", ""
			err = x.file(&s, r, s.Inside, true)
			read = s
			return s.Outcome, s.Note, err
		},
		Done: func(e filesystem.Entry) error {
			if x.told(e.Index) {
				return nil
			}
			s := of(e)
			if e.Type == TypeFile {
				s.Media, s.Encoding, s.SHA256, s.SHA1, s.MD5 = read.Media, read.Encoding, read.SHA256, read.SHA1, read.MD5
			}
			return x.say(frameEntry, surveyAnswer{e.Index, s})
		},
	})
}

// wants reports whether something is what is wanted, or lies on the way to it.
func (x *examiner) wants(inside []string) bool {
	n := min(len(inside), len(x.Only))
	return len(x.Only) == 0 || slices.Equal(inside[:n], x.Only[:n])
}

// sums digests a file.
type sums struct {
	sha256, sha1, md5 hash.Hash
}

// Write implements io.Writer.
func (s sums) Write(p []byte) (int, error) {
	for _, h := range []hash.Hash{s.sha256, s.sha1, s.md5} {
		if h != nil {
			h.Write(p)
		}
	}
	return len(p), nil
}

func (s sums) into(e *Surveyed) {
	text := func(h hash.Hash) string {
		if h == nil {
			return ""
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	e.SHA256, e.SHA1, e.MD5 = text(s.sha256), text(s.sha1), text(s.md5)
}

var errEnough = errors.New("enough of the text")

// file reads a file to its end: its kind, its digests, and its text. What is an
// archive on a volume is opened. The error is that nobody listens.
func (x *examiner) file(s *Surveyed, r io.Reader, at []string, open bool) error {
	sum := sums{sha256: sha256.New()}
	if x.SHA1 {
		sum.sha1 = sha1.New()
	}
	if x.MD5 {
		sum.md5 = md5.New()
	}
	in := bufio.NewReaderSize(io.TeeReader(r, sum), 64<<10)
	head, _ := in.Peek(max(SniffLen, headKept)) // what ends the reading ends it again below
	s.Media = MediaOf(head)
	kind := containerKind(head)
	var failed error
	switch {
	case open && kind != "" && kind != KindEWF && kind != KindImage && !office(s.Media):
		failed = x.nested(s, in, kind, at)
	case x.Text > 0 && text.Readable(s.Media):
		failed = x.words(s, in)
	}
	if failed != nil {
		return failed
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		s.Outcome, s.Note = OutcomeDamaged, err.Error()
	}
	sum.into(s)
	return nil
}

// words sends a file's text, as much as is wanted.
func (x *examiner) words(s *Surveyed, in io.Reader) error {
	var lost error
	left := x.Text
	encoding, err := text.Extract(s.Media, in, func(part string) error {
		if left <= 0 {
			return errEnough
		}
		part = part[:min(int64(len(part)), left)]
		left -= int64(len(part))
		lost = x.frame(frameText, []byte(part))
		return lost
	})
	s.Encoding = encoding
	if lost != nil {
		return lost
	}
	if errors.Is(err, errEnough) && x.Text > sampleMost {
		s.Outcome, s.Note = OutcomeLimit, fmt.Sprintf("only the first %d bytes of its text were taken", x.Text)
	}
	return nil // another error ends the reading again
}

// nested opens an archive that lies on a volume.
func (x *examiner) nested(s *Surveyed, in io.Reader, kind string, at []string) error {
	b, err := io.ReadAll(io.LimitReader(in, insideMost+1))
	if err != nil {
		return nil // the reading that follows meets it again
	}
	if len(b) > insideMost {
		s.Outcome, s.Note = OutcomeLimit, fmt.Sprintf("an archive of more than %d MiB on a volume is not opened: take it out in a working copy and survey that", insideMost>>20)
		return nil
	}
	outcome, note, err := x.archive(bytes.NewReader(b), int64(len(b)), kind, at[len(at)-1], at, s.Volume)
	if outcome != "" {
		s.Outcome, s.Note = outcome, "inside: "+EncodeName(note, false)
	}
	return err
}

// archive tells of every member of an archive. at are the names that lead to it.
func (x *examiner) archive(in io.ReaderAt, size int64, kind, name string, at []string, volume int) (outcome, note string, err error) {
	l := x.Limits
	limits := archive.Limits{Depth: l.Depth, Entries: l.Entries, Bytes: max(l.Floor, l.Ratio*min(size, 1<<50/max(l.Ratio, 1))), Name: l.Name}
	inside := func(name []string) []string {
		out := slices.Clone(at)
		for _, n := range name {
			out = append(out, EncodeName(n, true))
		}
		return out
	}
	content := archive.Content{See: func(e archive.Entry, r io.Reader) error {
		x.last = Surveyed{Inside: inside(e.Name)}
		return x.file(&x.last, r, nil, false)
	}}
	if len(x.Only) > 0 {
		content.Want = func(name []string) bool { return x.wants(inside(name)) }
	}
	return archive.WalkContent(in, size, kind, name, limits, containerKind, func(e archive.Entry) error {
		m := memberOf(e)
		s := Surveyed{Volume: volume, Inside: inside(e.Name), Type: m.Type, Size: m.Size, Modified: m.Modified, Link: m.Link, SHA256: m.SHA256, Outcome: m.Outcome, Note: m.Note}
		if slices.Equal(x.last.Inside, s.Inside) {
			s.Media, s.Encoding, s.SHA1, s.MD5 = x.last.Media, x.last.Encoding, x.last.SHA1, x.last.MD5
			if s.Outcome == "" {
				s.Outcome, s.Note = x.last.Outcome, x.last.Note
			}
		}
		x.last = Surveyed{}
		return x.say(frameEntry, surveyAnswer{Surveyed: s})
	}, content)
}
