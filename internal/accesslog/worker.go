package accesslog

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// batch is how many lines are prepared before they are counted: memory is asked
// for all their places in the tables at once.
const batch = 32

// worker reads lines and counts them.
type worker struct {
	*counting
	t       *tally
	rejects *rejects
	parsers map[string]parser // one of its own for each format, by name and directive
	parse   parser
	buf     []byte
	one     [1]byte
	recs    [batch]record
	n       int // of recs that wait to be counted
	inline  bool
	file    int
	serial  bool
	fields  []byte
	finder  *finder // nil: nothing is found
	task    *task   // whose lines are read
	quiet   bool    // nobody wants to see rejects, so they are only counted
}

// aheadBy is how far before its reading a piece of a file is asked for.
const aheadBy = 16 << 20

// take does one task.
func (w *worker) take(ctx context.Context, t task) error {
	if ctx.Err() != nil {
		return nil
	}
	w.file = t.file
	w.t.file = &w.t.files[t.file]
	w.quiet = w.o.Reject == nil
	if t.lines > 0 {
		w.t.file.lines++
		if err := w.reject(t.reject.Offset, t.reject.Length, t.reject.Reason); err != nil {
			return err
		}
		return w.handOn(t)
	}
	format := w.inputs[t.file].format
	w.serial, w.inline, w.fields = format.serial, format.inline, t.fields
	w.parse = w.parserOf(format, t.fields)
	if t.open == nil {
		err := w.piece(t, func() error { return w.block(t.block, t.offset) })
		w.giveBack(t.block)
		return err
	}
	for ctx.Err() == nil {
		t.seq = int(t.open.next.Add(1) - 1)
		if t.offset = int64(t.seq) * int64(w.o.block); t.offset >= t.open.size {
			break
		}
		ahead(t.open.File, t.offset+aheadBy, int64(w.o.block))
		if err := w.piece(t, func() error { return w.chunk(t) }); err != nil {
			return err
		}
	}
	return nil
}

// piece counts the lines of one block or chunk, and notes how it began and ended.
func (w *worker) piece(t task, read func() error) error {
	w.t.began = false
	w.task = &t
	if err := read(); err != nil {
		return err
	}
	if w.finder != nil {
		w.finder.ended()
	}
	if w.t.began {
		in, e := w.inputs[t.file], w.t.edge
		e.file, e.seq, e.last, e.lastZone = t.file, t.seq, w.t.prev, w.t.zone
		w.mu.Lock()
		in.edges = append(in.edges, e)
		w.mu.Unlock()
	}
	if w.t.size() > w.o.Memory {
		if err := w.t.shrink(w.spools); err != nil {
			return err
		}
	}
	return w.handOn(t)
}

// handOn hands on what rows a block gave.
func (w *worker) handOn(t task) error {
	if w.o.Block == nil {
		return nil
	}
	rows, words, renewed := w.t.rows.end()
	if renewed {
		w.t.visitors.uncode()
	}
	return w.o.Block(Block{t.file, t.seq, rows, words})
}

func (w *worker) parserOf(f format, fields []byte) parser {
	if !f.known() {
		return func([]byte, *record) Reason { return UnknownFormat }
	}
	if f.serial {
		return f.open(fields)
	}
	key := f.name + "\x00" + f.pattern
	p := w.parsers[key]
	if p == nil {
		p = f.open(nil)
		w.parsers[key] = p
	}
	return p
}

// block reads whole lines; the last may lack its end.
func (w *worker) block(b []byte, offset int64) error {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		line, n := b, len(b)
		if i >= 0 {
			line, n = b[:i], i+1
		}
		if err := w.line(line, offset); err != nil {
			return err
		}
		offset += int64(n)
		b = b[n:]
	}
	return w.settle()
}

// readAhead is how much more is read at once of a line that a chunk cuts.
const readAhead = 4 << 10

// chunk reads the lines that begin in one piece of a plain file.
func (w *worker) chunk(t task) error {
	from, to := t.offset, min(t.offset+int64(w.o.block), t.open.size)
	first := true // a line begins with the chunk's first byte
	if from > 0 {
		// Read apart, so that the large read keeps to the file's pages: copying across them costs several times as much.
		before, _, err := w.pread(t, w.one[:0], from-1, 1)
		if err != nil {
			return err
		}
		first = len(before) == 1 && before[0] == '\n'
	}
	if need := int(to - from); cap(w.buf) < need+readAhead {
		w.buf = make([]byte, 0, need+readAhead)
	}
	buf, short, err := w.pread(t, w.buf[:0], from, int(to-from))
	if err != nil {
		return err
	}
	defer w.progress(int64(len(buf)))
	at := from
	if !first {
		i := bytes.IndexByte(buf, '\n')
		if i < 0 {
			return nil // no line begins here
		}
		buf, at = buf[i+1:], at+int64(i)+1
	}
	last := bytes.LastIndexByte(buf, '\n') + 1
	if err := w.block(buf[:last], at); err != nil {
		return err
	}
	rest, at := buf[last:], at+int64(last)
	if at >= to || len(rest) == 0 {
		return nil
	}
	return w.lastLine(t, append(w.buf[:0], rest...), at, short)
}

// lastLine reads on to the end of a line that begins in a chunk and ends beyond it.
func (w *worker) lastLine(t task, line []byte, at int64, ended bool) error {
	for !ended {
		next := at + int64(len(line))
		n := int(min(readAhead, t.open.size-next))
		if n <= 0 {
			break
		}
		more, short, err := w.pread(t, line, next, n)
		if err != nil {
			return err
		}
		if i := bytes.IndexByte(more[len(line):], '\n'); i >= 0 {
			return errors.Join(w.line(more[:len(line)+i], at), w.settle())
		}
		if line, ended = more, short; len(line) > w.o.LineMax {
			return w.longLine(t, at, int64(len(line)))
		}
	}
	return errors.Join(w.line(line, at), w.settle())
}

// longLine finds where a line ends that is not held.
func (w *worker) longLine(t task, at, length int64) error {
	for at+length < t.open.size {
		b, short, err := w.pread(t, w.buf[:0], at+length, int(min(int64(w.o.block), t.open.size-at-length)))
		if err != nil {
			return err
		}
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			length += int64(i)
			break
		}
		if length += int64(len(b)); short {
			break
		}
	}
	w.t.file.lines++
	return w.reject(at, length, TooLong)
}

// pread appends bytes of the file to the buffer. Short tells that the file ended
// before, which it did not when it was opened.
func (w *worker) pread(t task, buf []byte, at int64, n int) (all []byte, short bool, err error) {
	have := len(buf)
	if cap(buf) < have+n {
		grown := make([]byte, have, 2*(have+n))
		copy(grown, buf)
		buf = grown
	}
	buf = buf[:have+n]
	if cap(buf) > cap(w.buf) {
		w.buf = buf[:0]
	}
	got, err := t.open.ReadAt(buf[have:], at)
	if err == nil || got == n {
		return buf, false, nil
	}
	if err == io.EOF {
		w.fail(t.file, Shrank, "it became shorter while it was read; what was there is counted")
		return buf[:have+got], true, nil
	}
	o, detail := outcomeOf(err)
	w.fail(t.file, o, detail)
	return buf[:have+got], true, nil
}

// line accounts for one line without its end.
func (w *worker) line(line []byte, offset int64) error {
	f := w.t.file
	f.lines++
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) == 0 || line[0] <= ' ' && len(bytes.TrimSpace(line)) == 0 {
		f.blank++
		return nil
	}
	text := line
	if offset == 0 {
		text = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	why := TooLong
	rec := &w.recs[w.n]
	if len(line) <= w.o.LineMax && w.inputs[w.file].auth {
		var err error
		if why, err = w.finder.authLine(w.file, w.task, text, line, offset); err != nil {
			return err
		}
		if why == Accepted {
			f.parsed++
			return nil
		}
	} else if len(line) <= w.o.LineMax {
		why = w.parse(text, rec)
	}
	if why == Accepted && !w.t.prepare(rec) {
		why = BadAddress
	}
	if why == Accepted {
		rec.offset, rec.length, rec.line = offset, len(line), line
		if w.n++; w.n == batch || !w.inline {
			return w.settle()
		}
		return nil
	}
	if why == Comment && w.serial && bytes.HasPrefix(text, []byte("#Fields:")) {
		w.parse = w.parserOf(w.inputs[w.file].format, text)
	}
	if why != Comment && why != UnknownFormat && bytes.IndexByte(line, 0) >= 0 {
		why = NulBytes
	}
	return w.reject(offset, int64(len(line)), why)
}

// settle counts what waits.
func (w *worker) settle() error {
	n := w.n
	w.n = 0
	w.t.file.parsed += int64(n)
	if w.finder != nil {
		for i := range w.recs[:n] {
			w.t.when(&w.recs[i], false)
			if err := w.finder.access(w.file, &w.recs[i]); err != nil {
				return err
			}
		}
		return nil
	}
	w.t.touch(w.recs[:n])
	for i := range w.recs[:n] {
		w.t.count(&w.recs[i])
		if w.t.rows == nil {
			continue
		}
		if err := w.t.rows.give(&w.recs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) reject(offset, length int64, why Reason) error {
	w.t.file.rejected++
	w.t.file.byReason[why]++
	if w.quiet {
		return nil
	}
	return w.rejects.add(Reject{w.file, offset, length, why})
}
