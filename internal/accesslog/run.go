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
	Workers  int       // goroutines that read lines; 0: one for each processor
	Format   string    // a name or a pattern; empty: told by each file's own lines
	Brief    bool      // only days, status, methods, visitors by address, paths and countries
	Geo      *Geo      // nil: no countries
	Hosting  *Networks // networks whose country says nothing; nil: none but those the database marks
	Judged   *Judged   // nil: accesses to propaganda are not counted
	Now      time.Time // later times are implausible; zero: nothing is too late
	Top      int       // how long ranked lists are; 0: 50
	Memory   int       // bytes that the tables of all workers may take before they go to disk; 0: 256 MiB
	Spill    int64     // bytes of temporary files at most; 0: 16 GiB
	TempDir  string    // for temporary files; empty: the system's
	Root     *os.Root  // paths are names of files below it, and nothing outside of it is opened; nil: the system's paths
	LineMax  int       // longer lines are rejected without being held; 0: 1 MiB
	Unpacked int64     // bytes that one compressed file may unpack to; 0: 1 TiB

	Key      *[KeySize]byte          // of the pseudonyms, a case's own for one epoch; nil: one is drawn for the run and kept nowhere
	Known    func(Identified) error  // told, on any worker's goroutine, what stands behind each pseudonym of a Block, at least once before that block; for the vault alone; nil: nobody is
	Block    func(Block) error       // sees the accesses of each block of a file at once, on any worker's goroutine, and Brief does not hold then; nil: nobody does
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

// task is a file of which a worker takes pieces, or such a piece: a chunk that it
// reads itself, a block of whole lines that was read already, or a line that could
// not be held.
type task struct {
	file   int
	open   *openFile
	seq    int
	offset int64
	block  []byte // nil for a chunk
	fields []byte // the W3C directive in force at its beginning
	reject Reject // a line that was too long to hold, or whose file has no format
	lines  int64  // that Reject stands for; 0: there is none
}

// openFile is a file that several workers share, as long as any is at it.
type openFile struct {
	*os.File
	size    int64
	next    atomic.Int64 // number of the first chunk that no worker has taken
	pending atomic.Int64
	stream  *cutter // nil: it is read in chunks
}

func (f *openFile) done() {
	if f.pending.Add(-1) > 0 {
		return
	}
	if f.stream != nil && f.stream.closing != nil {
		f.stream.closing()
	}
	f.Close()
}

// counting is a run in progress.
type counting struct {
	*run
	inputs []*input
	spools *spools
	tasks  chan task
	free   chan []byte
	mu     sync.Mutex // guards inputs' outcomes and edges
	cancel context.CancelCauseFunc
	read   atomic.Int64
	total  int64
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
	disk := disk{o.Root}
	c.inputs = disk.gather(paths, seen)
	for _, in := range c.inputs {
		in.format = forced
	}
	for _, in := range disk.gather(auth, seen) {
		in.auth, in.format = true, authFormat()
		c.inputs = append(c.inputs, in)
	}
	c.spools = newSpools(o.TempDir, o.Spill)
	defer c.spools.close()
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
	defer func() {
		for _, r := range rejected {
			if r.file != nil {
				r.file.Close()
			}
		}
	}()
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
		rejected[i] = &rejects{dir: c.o.TempDir, limits: c.spools.limit}
		working.Go(func() {
			w := &worker{counting: c, t: tallies[i], rejects: rejected[i], parsers: map[string]parser{}}
			if c.o.facts != nil {
				w.finder = c.o.facts.finder(w.t)
			}
			for t := range c.tasks {
				if err := w.take(ctx, t); err != nil {
					c.cancel(err)
				}
				t.open.done()
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

// feed offers all inputs to the workers. Several share a plain file, whose chunks
// each reads for itself. Of what only comes from its beginning to its end, one
// worker after another unpacks a block and counts it while it is at hand; there is
// a worker for each such file, and more once there are no others.
func (c *counting) feed(ctx context.Context) {
	var streams []*openFile // that were offered last, and may still be read
	end := func() {
		streams[0].done()
		c.handled(ctx, streams[0].stream.file)
		streams = streams[1:]
	}
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
		open := &openFile{File: f, size: in.size}
		open.pending.Store(1)
		if !in.stdin && in.compression == plain && !in.format.serial {
			pieces := (in.size + int64(c.o.block) - 1) / int64(c.o.block)
			c.offer(ctx, i, open, int(min(int64(c.o.Workers), pieces)))
			open.done()
			c.handled(ctx, i)
			continue
		}
		open.stream = &cutter{counting: c, file: i, in: in, from: f, skipped: -1}
		c.offer(ctx, i, open, 1)
		if streams = append(streams, open); len(streams) > 2*c.o.Workers {
			end()
		}
	}
	for len(streams) > 0 {
		c.offer(ctx, streams[0].stream.file, streams[0], c.o.Workers-1)
		end()
	}
}

// offer asks for so many workers.
func (c *counting) offer(ctx context.Context, file int, open *openFile, workers int) {
	for range workers {
		open.pending.Add(1)
		c.inputs[file].waiting.Add(1)
		select {
		case c.tasks <- task{file: file, open: open}:
		case <-ctx.Done():
			open.done()
			return
		}
	}
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
	f, err := disk{c.o.Root}.open(in.path)
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

// cutter cuts a compressed file, standard input or a file whose lines depend on one
// another into blocks of whole lines, for one worker at a time.
type cutter struct {
	*counting
	mu      sync.Mutex // guards what follows
	file    int
	in      *input
	from    io.Reader
	raw     *counter
	told    int64     // of raw's bytes, as progress
	text    io.Reader // nil: not begun
	closing func()
	seq     int
	buf     []byte
	offset  int64  // of the buffer's first byte
	skipped int64  // bytes of a line that is too long, so far; -1: there is none
	fields  []byte // the last W3C directive
	ended   bool   // there is no more text than the buffer holds
	over    bool   // all was given
}

// take gives the next piece, until there is none.
func (s *cutter) take() (t task, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text == nil && !s.over {
		s.over = !s.begin()
	}
	for !s.over {
		if !s.ended {
			s.fill()
		}
		if s.skipped >= 0 { // inside a line that is too long
			if t, ok := s.long(); ok {
				return t, true
			}
			continue
		}
		if len(s.buf) < s.o.block && !s.ended {
			continue
		}
		if t, ok := s.cut(); ok {
			return t, true
		}
		if len(s.buf) > s.o.LineMax && !s.ended {
			s.skipped = int64(len(s.buf))
			s.buf = s.buf[:0]
		}
	}
	return task{}, false
}

// begin opens the text.
func (s *cutter) begin() bool {
	s.raw = &counter{r: s.from}
	var src io.Reader = s.raw
	if s.in.stdin {
		head := make([]byte, 6)
		n, _ := io.ReadFull(s.raw, head) // what ends it early ends the next reading, too
		s.in.compression = magic(head[:n])
		src = io.MultiReader(bytes.NewReader(head[:n]), s.raw)
	}
	text, closing, err := unpack(s.in.compression, src)
	s.closing = closing
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		o, detail := damage(s.in.compression, s.raw, err)
		s.fail(s.file, o, detail)
		return false
	}
	s.text, s.buf = text, s.buffer()
	return true
}

// fill reads up to the end of a block. Blocks end where the text says, whatever a
// single read gives, so that they are the same in every run.
func (s *cutter) fill() {
	had, full := len(s.buf), (len(s.buf)/s.o.block+1)*s.o.block
	if full > cap(s.buf) {
		s.buf = append(make([]byte, 0, full+s.o.block), s.buf...)
	}
	var err error
	for n := 0; len(s.buf) < full && err == nil; s.buf = s.buf[:len(s.buf)+n] {
		n, err = s.text.Read(s.buf[len(s.buf):full])
	}
	s.in.read += int64(len(s.buf) - had)
	s.progress(s.raw.n - s.told)
	s.told = s.raw.n
	if err != nil {
		s.ended = true
		if err != io.EOF {
			o, detail := damage(s.in.compression, s.raw, err)
			s.fail(s.file, o, detail)
		}
		return
	}
	s.ended = s.bomb()
}

// long goes on in a line that is too long, and gives it once it ends.
func (s *cutter) long() (task, bool) {
	i := bytes.IndexByte(s.buf, '\n')
	if i < 0 && !s.ended {
		s.skipped += int64(len(s.buf))
		s.buf = s.buf[:0]
		return task{}, false
	}
	if i < 0 {
		i = len(s.buf)
	}
	s.skipped += int64(i)
	t := s.piece(task{lines: 1, reject: Reject{s.file, s.offset, s.skipped, TooLong}})
	s.offset += s.skipped + 1
	s.skipped = -1
	s.buf = append(s.buf[:0], s.buf[min(i+1, len(s.buf)):]...)
	return t, true
}

func (s *cutter) piece(t task) task {
	t.file, t.seq = s.file, s.seq
	s.seq++
	return t
}

// cut gives the whole lines of the buffer, all of it at the end.
func (s *cutter) cut() (task, bool) {
	s.over = s.ended
	if !s.in.format.known() && !s.in.sniffed {
		s.in.format, s.in.certain = sniff(s.buf[:min(len(s.buf), sniffBytes)], s.ended && len(s.buf) <= sniffBytes)
		s.in.sniffed = true
	}
	cut := bytes.LastIndexByte(s.buf, '\n') + 1
	if s.ended {
		cut = len(s.buf)
	}
	if cut == 0 {
		return task{}, false
	}
	block := s.buf[:cut]
	t := s.piece(task{offset: s.offset, block: block, fields: s.fields})
	if !s.over {
		s.buf = append(s.buffer(), s.buf[cut:]...)
	}
	if s.in.format.serial {
		if f := lastFields(block); f != nil {
			s.fields = f
		}
	}
	s.offset += int64(cut)
	return t, true
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

// bomb reports whether the file unpacks to more than it may.
func (s *cutter) bomb() bool {
	if s.in.compression == plain {
		return false
	}
	if s.in.read > s.o.Unpacked {
		s.fail(s.file, Bomb, fmt.Sprintf("it unpacks to more than %d MiB; what came before is counted", s.o.Unpacked>>20))
		return true
	}
	if s.in.read > bombFree && s.in.read/bombRatio > s.raw.n {
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
