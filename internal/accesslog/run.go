package accesslog

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how a run counts. The zero value counts everything, with as many
// workers as there are processors.
type Options struct {
	Workers  int        // goroutines that read lines; 0: one for each processor
	Format   string     // a name or a pattern; empty: told by each file's own lines
	Brief    bool       // only days, status, methods, visitors by address, paths and countries
	Geo      *Geo       // nil: no countries
	Hosting  *Networks  // networks whose country says nothing; nil: none but those the database marks
	Judged   *Judged    // nil: accesses to propaganda are not counted
	Now      time.Time  // later times are implausible; zero: nothing is too late
	Top      int        // how long ranked lists are; 0: 50
	Memory   int        // bytes that the tables of all workers may take before they go to disk; 0: 256 MiB
	Spill    int64      // bytes of temporary files at most; 0: 16 GiB
	TempDir  string     // for temporary files; empty: the system's
	Scratch  *os.File   // an empty file to write to instead of a temporary one, closed in the end; nil: there is none
	Files    []*os.File // open for reading, one for each path, which is only its name then; each is closed once it was read; nil: paths are opened
	LineMax  int        // longer lines are rejected without being held; 0: 1 MiB
	Unpacked int64      // bytes that one compressed file may unpack to; 0: 1 TiB

	Key      *[KeySize]byte          // of the pseudonyms, a case's own for one epoch; nil: one is drawn for the run and kept nowhere
	Known    func(Identified) error  // told, on any worker's goroutine, what stands behind each pseudonym of a Block, at least once before that block; for the vault alone; nil: nobody is
	Block    func(Block) error       // sees the accesses of each block of a file at once, on any worker's goroutine, and Brief does not hold then; nil: nobody does
	Found    func(files []string)    // told once, before any is read, the inputs in the order of the report's, empty what will not be read; nil: nobody is
	Ended    func(file int) error    // told, on any goroutine, when Block has seen the last of a file that was opened; nil: nobody is
	Reject   func(Reject) error      // sees each rejected line in the order of files and offsets, when all are read; nil: nobody does
	Progress func(read, total int64) // told now and then how many bytes were read; total is 0 where it is unknown
	block    int
	facts    *facts // facts are found, and nothing is counted; nil: the other way round
}

const (
	defaultBlock  = 256 << 10
	defaultLine   = 1 << 20
	defaultMemory = 256 << 20
	defaultSpill  = 16 << 30
	defaultTop    = 50
	defaultUnpack = 1 << 40
)

func (o Options) filled() Options {
	set := func(n *int, to int) {
		if *n <= 0 {
			*n = to
		}
	}
	set(&o.Workers, runtime.GOMAXPROCS(0))
	set(&o.Top, defaultTop)
	set(&o.Memory, defaultMemory)
	set(&o.LineMax, defaultLine)
	set(&o.block, defaultBlock)
	if o.Spill <= 0 {
		o.Spill = defaultSpill
	}
	if o.Unpacked <= 0 {
		o.Unpacked = defaultUnpack
	}
	o.Brief = o.Brief && o.Block == nil
	o.Memory /= o.Workers // each worker's share
	return o
}

// task is a piece of a file: a block of whole lines that was read already, or
// a file of which the worker reads chunks itself.
type task struct {
	file   int
	seq    int
	offset int64
	open   *openFile // chunks only
	block  []byte    // blocks only
	fields []byte    // the W3C directive in force at its beginning
	reject Reject    // a line that was too long to hold, or whose file has no format
	lines  int64     // that Reject stands for; 0: there is none
}

// openFile is a plain file that several workers read at once.
type openFile struct {
	*os.File
	size    int64
	next    atomic.Int64 // number of the first chunk that no worker has taken
	pending atomic.Int64
}

func (f *openFile) done() {
	if f.pending.Add(-1) == 0 {
		f.Close()
	}
}

// counting is a run in progress.
type counting struct {
	*run
	inputs  []*input
	spools  *spools
	scratch *scratch
	tasks   chan task
	free    chan []byte
	mu      sync.Mutex // guards inputs' outcomes and edges
	cancel  context.CancelCauseFunc
	read    atomic.Int64
	total   int64
}

// Analyse reads files, directories and rotated sets, and counts them. It fails
// only where it cannot go on (a pattern that is none, no space for temporary
// files, ctx done); what is wrong with an input stands in the report, and the
// rest is counted.
func Analyse(ctx context.Context, paths []string, o Options) (*Report, error) {
	return analyseAll(ctx, paths, nil, o)
}

// analyseAll reads access logs and, where facts are found, authentication logs.
func analyseAll(ctx context.Context, paths, auth []string, o Options) (*Report, error) {
	began := time.Now()
	o = o.filled()
	c := &counting{run: &run{hasher: newHasher(), o: o, bots: newBots(), latest: 1 << 40, methods: map[string]uint8{}}}
	if !o.Now.IsZero() {
		c.latest = o.Now.Add(24 * time.Hour).Unix()
	}
	for i, m := range methodNames[:otherMethod] {
		c.methods[m] = uint8(i)
	}
	if o.Key != nil {
		c.key = *o.Key
	} else if _, err := rand.Read(c.key[:]); err != nil {
		return nil, err
	}
	defer clear(c.key[:])
	var forced format
	if o.Format != "" {
		var err error
		if forced, err = namedFormat(o.Format); err != nil {
			return nil, err
		}
	}
	seen := map[fileID]bool{}
	if o.Files == nil {
		c.inputs = gather(paths, seen)
	}
	for i, f := range o.Files {
		c.inputs = append(c.inputs, handed(paths[i], f, seen))
	}
	for _, in := range c.inputs {
		in.format = forced
	}
	for _, in := range gather(auth, seen) {
		in.auth, in.format = true, authFormat()
		c.inputs = append(c.inputs, in)
	}
	if o.Found != nil {
		files := make([]string, len(c.inputs))
		for i, in := range c.inputs {
			if in.outcome == "" {
				files[i] = in.path
			}
		}
		o.Found(files)
	}
	c.scratch = &scratch{dir: o.TempDir, most: o.Spill, file: o.Scratch}
	defer c.scratch.close()
	c.spools = newSpools(c.scratch)
	for _, in := range c.inputs {
		c.total += max(in.size, 0)
	}
	if o.facts != nil {
		o.facts.prepare(c)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.cancel = cancel
	tallies, rejected, err := c.work(ctx)
	if err != nil {
		return nil, err
	}
	if o.Reject != nil {
		if err := mergeRejects(rejected, o.Reject); err != nil {
			return nil, err
		}
	}
	if o.facts != nil {
		return o.facts.report(c, tallies, began)
	}
	return c.report(tallies, began)
}

// work feeds the workers until all is read.
func (c *counting) work(ctx context.Context) ([]*tally, []*rejects, error) {
	c.tasks = make(chan task, c.o.Workers)
	c.free = make(chan []byte, 4*c.o.Workers)
	var feeding, working sync.WaitGroup
	feeding.Go(func() { c.feed(ctx) })
	tallies, rejected := make([]*tally, c.o.Workers), make([]*rejects, c.o.Workers)
	for i := range tallies {
		tallies[i] = newTally(c.run, len(c.inputs))
		rejected[i] = &rejects{to: c.scratch}
		working.Go(func() {
			w := &worker{counting: c, t: tallies[i], rejects: rejected[i], parsers: map[string]parser{}}
			if c.o.facts != nil {
				w.finder = c.o.facts.finder(w.t)
			}
			for t := range c.tasks {
				if err := w.take(ctx, t); err != nil {
					c.cancel(err)
				}
				if t.open != nil {
					t.open.done()
				}
				c.handled(ctx, t.file)
			}
			w.t.turn(nil)
		})
	}
	feeding.Wait()
	close(c.tasks)
	working.Wait()
	if err := context.Cause(ctx); err != nil {
		return tallies, rejected, err
	}
	return tallies, rejected, nil
}

// feed makes tasks of all inputs: plain files one after another, since several
// workers read each, compressed ones side by side.
func (c *counting) feed(ctx context.Context) {
	slots := make(chan struct{}, c.o.Workers)
	var streams sync.WaitGroup
	for i, in := range c.inputs {
		if ctx.Err() != nil || in.outcome != "" {
			continue
		}
		f, err := c.openInput(in)
		if err != nil {
			o, detail := outcomeOf(err)
			c.fail(i, o, detail)
			continue
		}
		in.waiting.Add(1)
		if f != nil && in.compression == plain && !in.format.serial {
			c.chunks(ctx, i, f)
			c.handled(ctx, i)
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			f.Close()
			continue
		}
		streams.Go(func() {
			defer func() { <-slots }()
			defer f.Close()
			c.stream(ctx, i, f)
			c.handled(ctx, i)
		})
	}
	streams.Wait()
}

// handled counts down what waits of a file, and tells when nothing does.
func (c *counting) handled(ctx context.Context, file int) {
	if c.inputs[file].waiting.Add(-1) > 0 || c.o.Ended == nil || ctx.Err() != nil {
		return
	}
	if err := c.o.Ended(file); err != nil {
		c.cancel(err)
	}
}

func (c *counting) fail(file int, o Outcome, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inputs[file].fail(o, detail)
}

// openInput opens a file read-only and looks at its beginning. Only standard
// input has no file to look into twice.
func (c *counting) openInput(in *input) (*os.File, error) {
	if in.stdin {
		return os.Stdin, nil
	}
	f, err := in.open()
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if st.Size() < in.size {
		in.fail(Shrank, "it became shorter before it was read")
	}
	in.size = st.Size()
	head := make([]byte, min(in.size, sniffBytes))
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		f.Close()
		return nil, err
	}
	if in.compression = magic(head[:n]); in.compression == plain && !in.format.known() {
		in.format, in.certain = sniff(head[:n], int64(n) == in.size)
		in.sniffed = true
	}
	return f, nil
}

// chunks hands a plain file to as many workers as can share it. They take chunk
// after chunk of it themselves, since to be handed one costs as much as to count
// a hundred lines.
func (c *counting) chunks(ctx context.Context, file int, f *os.File) {
	in := c.inputs[file]
	open := &openFile{File: f, size: in.size}
	open.pending.Store(1)
	defer open.done()
	pieces := (in.size + int64(c.o.block) - 1) / int64(c.o.block)
	for range min(int64(c.o.Workers), pieces) {
		open.pending.Add(1)
		in.waiting.Add(1)
		select {
		case c.tasks <- task{file: file, open: open}:
		case <-ctx.Done():
			open.done()
			return
		}
	}
}

// stream cuts a compressed file, standard input or a file whose lines depend on
// one another into blocks of whole lines.
func (c *counting) stream(ctx context.Context, file int, f io.Reader) {
	in := c.inputs[file]
	raw := &counter{r: f}
	var src io.Reader = raw
	if in.stdin {
		head := make([]byte, 6)
		n, _ := io.ReadFull(raw, head) // what ends it early ends the next reading, too
		in.compression = magic(head[:n])
		src = io.MultiReader(bytes.NewReader(head[:n]), raw)
	}
	text, closing, err := unpack(in.compression, src)
	defer closing()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		o, detail := damage(in.compression, raw, err)
		c.fail(file, o, detail)
		return
	}
	s := &cutter{counting: c, done: ctx.Done(), file: file, in: in, raw: raw}
	s.cut(text)
}

// buffer is a block's memory, used again.
func (c *counting) buffer() []byte {
	select {
	case b := <-c.free:
		return b[:0]
	default:
		return make([]byte, 0, c.o.block+64<<10)
	}
}

func (c *counting) giveBack(b []byte) {
	select {
	case c.free <- b:
	default:
	}
}

// cutter cuts one stream.
type cutter struct {
	*counting
	done   <-chan struct{}
	file   int
	in     *input
	raw    *counter
	seq    int
	offset int64 // of the buffer's first byte
	fields []byte
}

func (s *cutter) send(t task) bool {
	t.file, t.seq = s.file, s.seq
	s.seq++
	s.in.waiting.Add(1)
	select {
	case s.tasks <- t:
		return true
	case <-s.done:
		return false
	}
}

// cut reads the text to its end.
func (s *cutter) cut(text io.Reader) {
	buf := s.buffer()
	skipped := int64(-1) // bytes of a line that is too long, so far
	told := int64(0)     // of the bytes that were read, packed, as progress
	ended := false
	for !ended {
		// Blocks end where the text says, whatever a single read gives, so that they are the same in every run.
		had, full := len(buf), (len(buf)/s.o.block+1)*s.o.block
		if full > cap(buf) {
			buf = append(make([]byte, 0, full+s.o.block), buf...)
		}
		var err error
		for n := 0; len(buf) < full && err == nil; buf = buf[:len(buf)+n] {
			n, err = text.Read(buf[len(buf):full])
		}
		n := len(buf) - had
		s.in.read += int64(n)
		read := s.raw.n.Load()
		s.progress(read - told)
		told = read
		if err != nil {
			ended = true
			if err != io.EOF {
				o, detail := damage(s.in.compression, s.raw, err)
				s.fail(s.file, o, detail)
			}
		}
		if !ended && s.bomb() {
			ended = true
		}
		if skipped >= 0 { // inside a line that is too long
			i := bytes.IndexByte(buf, '\n')
			if i < 0 && !ended {
				skipped += int64(len(buf))
				buf = buf[:0]
				continue
			}
			if i < 0 {
				i = len(buf)
			}
			skipped += int64(i)
			if !s.long(s.offset, skipped) {
				return
			}
			i = min(i+1, len(buf))
			s.offset += skipped + 1
			skipped = -1
			buf = append(buf[:0], buf[i:]...)
		}
		if len(buf) < s.o.block && !ended {
			continue
		}
		if buf = s.emit(buf, ended); buf == nil {
			return
		}
		if len(buf) > s.o.LineMax && !ended {
			skipped = int64(len(buf))
			buf = buf[:0]
		}
	}
}

// emit sends the whole lines of the buffer, all of it at the end, and gives the
// rest in a buffer of its own; nil to stop.
func (s *cutter) emit(buf []byte, ended bool) []byte {
	if !s.in.format.known() && !s.in.sniffed {
		s.in.format, s.in.certain = sniff(buf[:min(len(buf), sniffBytes)], ended && len(buf) <= sniffBytes)
		s.in.sniffed = true
	}
	cut := bytes.LastIndexByte(buf, '\n') + 1
	if ended {
		cut = len(buf)
	}
	if cut == 0 {
		if ended {
			return nil
		}
		return buf
	}
	rest := append(s.buffer(), buf[cut:]...)
	if !s.send(task{offset: s.offset, block: buf[:cut], fields: s.fields}) {
		return nil
	}
	if s.in.format.serial {
		if f := lastFields(buf[:cut]); f != nil {
			s.fields = f
		}
	}
	s.offset += int64(cut)
	return rest
}

// lastFields is a copy of the last #Fields directive of a block.
func lastFields(block []byte) []byte {
	i := bytes.LastIndex(block, []byte("\n#Fields:"))
	if i < 0 && !bytes.HasPrefix(block, []byte("#Fields:")) {
		return nil
	}
	line := block[i+1:]
	if j := bytes.IndexByte(line, '\n'); j >= 0 {
		line = line[:j]
	}
	return bytes.Clone(line)
}

func (s *cutter) long(offset, length int64) bool {
	return s.send(task{lines: 1, reject: Reject{s.file, offset, length, TooLong}})
}

// bomb reports whether the file unpacks to more than it may.
func (s *cutter) bomb() bool {
	if s.in.compression == plain {
		return false
	}
	if s.in.read > s.o.Unpacked {
		s.fail(s.file, Bomb, fmt.Sprintf("it unpacks to more than %d MiB; what came before is counted", s.o.Unpacked>>20))
		return true
	}
	if s.in.read > bombFree && s.in.read/bombRatio > s.raw.n.Load() {
		s.fail(s.file, Bomb, fmt.Sprintf("it unpacks to more than %d times its size; what came before is counted", bombRatio))
		return true
	}
	return false
}

func (c *counting) progress(n int64) {
	if c.o.Progress != nil {
		c.o.Progress(c.read.Add(n), c.total)
	}
}
