package lake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"concert/internal/accesslog"
)

// encoder makes the files of parts, one after another. Its rows come with numbers
// for what comes again and again, so that a dictionary is asked for each word of a
// part and not for each row, as the library's writer of rows does: with it a lake
// took 1.5 times as long. Encodings, structures and the reader that reads what comes
// out (table.go) are the library's.
type encoder struct {
	item   int32
	days   *calendar
	ts     []int64 // milliseconds since 1970
	bytes  []int64
	offset []int64
	length []int32

	day, verb, country, status, visitor, user, path, referrer, agent, campaign dictionary

	levels           []uint8 // 1 where somebody was logged in
	bot, unreliable  []byte  // bits
	out, page, again []byte
	columns          []format.ColumnChunk
	zstd             *zstd.Encoder
}

func newEncoder() *encoder {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants
	}
	return &encoder{zstd: z}
}

// begin forgets the rows of the part before.
func (e *encoder) begin(item int, days *calendar) {
	e.item, e.days = int32(item), days
	e.ts, e.bytes, e.offset, e.length = e.ts[:0], e.bytes[:0], e.offset[:0], e.length[:0]
	e.levels, e.bot, e.unreliable = e.levels[:0], e.bot[:0], e.unreliable[:0]
	for _, d := range []*dictionary{&e.day, &e.verb, &e.country, &e.status, &e.visitor, &e.user, &e.path, &e.referrer, &e.agent, &e.campaign} {
		d.begin()
	}
	e.day.loosen()
}

// add takes the rows of a block in, column by column.
func (e *encoder) add(b *stacked) {
	rows, w := b.rows, &b.words
	person := func(code uint32) []byte { return w.People[code][:] }
	word := func(code uint32) []byte { return []byte(w.Texts[code]) }
	e.visitor.from(w.Table, len(w.People))
	e.user.from(w.Table, len(w.People))
	for _, d := range []*dictionary{&e.path, &e.referrer, &e.agent, &e.campaign} {
		d.from(w.Table, len(w.Texts))
	}
	e.verb.from(0, len(accesslog.Methods))
	e.country.from(0, accesslog.Countries)
	e.status.from(0, accesslog.Statuses)
	for i := range rows {
		r := &rows[i]
		e.ts = append(e.ts, r.Sec*1000)
		e.bytes, e.offset, e.length = append(e.bytes, r.Bytes), append(e.offset, r.Offset), append(e.length, r.Length)
		e.visitor.add(r.Visitor, person)
		if r.User == 0 {
			e.levels = append(e.levels, 0)
		} else {
			e.levels = append(e.levels, 1)
			e.user.add(r.User, person)
		}
	}
	for i := range rows {
		r := &rows[i]
		e.path.add(r.Path, word)
		e.referrer.add(r.Referrer, word)
		e.agent.add(r.Agent, word)
		e.campaign.add(r.Campaign, word)
	}
	for i := range rows {
		r := &rows[i]
		e.verb.add(uint32(r.Method), func(code uint32) []byte { return []byte(accesslog.Methods[code]) })
		e.country.add(uint32(r.Country), func(code uint32) []byte { return []byte(accesslog.CountryCode(uint16(code))) })
		e.status.add(uint32(r.Status), func(code uint32) []byte { return binary.LittleEndian.AppendUint32(nil, code) })
	}
	e.dates(rows)
	e.bits(rows)
}

// dates adds the days, of which neighbours have mostly one.
func (e *encoder) dates(rows []accesslog.Coded) {
	for len(rows) > 0 {
		_, n := e.days.run(rows)
		day, _ := e.days.at(rows[0].Sec)
		code := e.day.number([]byte(day))
		for range n {
			e.day.codes = append(e.day.codes, code)
		}
		rows = rows[n:]
	}
}

// bits adds the flags of the rows that came last.
func (e *encoder) bits(rows []accesslog.Coded) {
	first := len(e.ts) - len(rows)
	for i := range rows {
		at := first + i
		if at%8 == 0 {
			e.bot, e.unreliable = append(e.bot, 0), append(e.unreliable, 0)
		}
		if rows[i].Bot {
			e.bot[at/8] |= 1 << (at % 8)
		}
		if rows[i].Unreliable {
			e.unreliable[at/8] |= 1 << (at % 8)
		}
	}
}

// file is the part whole, good until the next one begins.
func (e *encoder) file() ([]byte, error) {
	e.out, e.columns = append(e.out[:0], "PAR1"...), e.columns[:0]
	item := dictionary{words: binary.LittleEndian.AppendUint32(nil, uint32(e.item)), n: 1, codes: make([]int32, len(e.ts))}
	err := errors.Join(
		e.numbers("ts", e.ts),
		e.coded("day", &e.day, format.ByteArray),
		e.coded("visitor", &e.visitor, format.FixedLenByteArray),
		e.coded("usr", &e.user, format.FixedLenByteArray),
		e.coded("cc", &e.country, format.ByteArray),
		e.coded("verb", &e.verb, format.ByteArray),
		e.coded("path", &e.path, format.ByteArray),
		e.coded("status", &e.status, format.Int32),
		e.numbers("bytes", e.bytes),
		e.coded("ref", &e.referrer, format.ByteArray),
		e.coded("ua", &e.agent, format.ByteArray),
		e.coded("camp", &e.campaign, format.ByteArray),
		e.flags("bot", e.bot),
		e.flags("unreliable", e.unreliable),
		e.coded("item", &item, format.Int32),
		e.numbers("off", e.offset),
		e.lengths("len", e.length),
	)
	if err == nil {
		err = e.footer()
	}
	return e.out, err
}

// numbers writes a column of plain numbers with their bounds.
func (e *encoder) numbers(name string, of []int64) error {
	page, err := (&delta.BinaryPackedEncoding{}).EncodeInt64(e.page[:0], of)
	if err != nil {
		return fmt.Errorf("column %s: %w", name, err)
	}
	e.page = page
	least, most := binary.LittleEndian.AppendUint64(nil, uint64(slices.Min(of))), binary.LittleEndian.AppendUint64(nil, uint64(slices.Max(of)))
	e.column(name, format.Int64, format.Statistics{MinValue: least, MaxValue: most})
	return e.data(format.DeltaBinaryPacked, nil, len(of))
}

func (e *encoder) lengths(name string, of []int32) error {
	page, err := (&delta.BinaryPackedEncoding{}).EncodeInt32(e.page[:0], of)
	if err != nil {
		return fmt.Errorf("column %s: %w", name, err)
	}
	e.page = page
	least, most := binary.LittleEndian.AppendUint32(nil, uint32(slices.Min(of))), binary.LittleEndian.AppendUint32(nil, uint32(slices.Max(of)))
	e.column(name, format.Int32, format.Statistics{MinValue: least, MaxValue: most})
	return e.data(format.DeltaBinaryPacked, nil, len(of))
}

func (e *encoder) flags(name string, bits []byte) error {
	e.page = append(e.page[:0], bits...)
	e.column(name, format.Boolean, format.Statistics{})
	return e.data(format.Plain, nil, len(e.ts))
}

// coded writes a column's dictionary and its codes.
func (e *encoder) coded(name string, d *dictionary, kind format.Type) error {
	statistics := format.Statistics{}
	var levels []byte
	rows := len(d.codes)
	if kind == format.Int32 {
		statistics = d.bounds()
	}
	if d == &e.user {
		rows = len(e.levels)
		statistics.NullCount = int64(rows - len(d.codes))
		var err error
		if levels, err = (&rle.Encoding{BitWidth: 1}).EncodeLevels(nil, e.levels); err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
	}
	e.column(name, kind, statistics)
	e.page = append(e.page[:0], d.plain(kind)...)
	e.columns[len(e.columns)-1].MetaData.DictionaryPageOffset = int64(len(e.out))
	if err := e.put(format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(d.n), Encoding: format.Plain})}, nil); err != nil {
		return err
	}
	page, err := (&rle.DictionaryEncoding{}).EncodeInt32(e.page[:0], d.codes)
	if err != nil {
		return fmt.Errorf("column %s: %w", name, err)
	}
	e.page = page
	return e.data(format.RLEDictionary, levels, rows)
}

// column begins one.
func (e *encoder) column(name string, kind format.Type, s format.Statistics) {
	m := format.ColumnMetaData{Type: kind, PathInSchema: []string{name}, Codec: format.Zstd, NumValues: int64(len(e.ts)), Statistics: s}
	e.columns = append(e.columns, format.ColumnChunk{MetaData: m})
}

// data puts e.page as the column's one page.
func (e *encoder) data(encoding format.Encoding, levels []byte, rows int) error {
	m := &e.columns[len(e.columns)-1].MetaData
	m.DataPageOffset = int64(len(e.out))
	m.Encoding = []format.Encoding{encoding}
	if m.DictionaryPageOffset > 0 {
		m.Encoding = append(m.Encoding, format.Plain)
	}
	if levels != nil {
		m.Encoding = append(m.Encoding, format.RLE)
	}
	return e.put(format.PageHeader{Type: format.DataPageV2, DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{NumValues: int32(rows), NumNulls: int32(m.Statistics.NullCount), NumRows: int32(rows), Encoding: encoding,
		DefinitionLevelsByteLength: int32(len(levels)), IsCompressed: thrift.New(true)})}, levels)
}

// put compresses e.page, and writes it behind its header and its levels.
func (e *encoder) put(h format.PageHeader, levels []byte) error {
	e.again = e.zstd.EncodeAll(e.page, e.again[:0])
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(levels)+len(e.page)), int32(len(levels)+len(e.again))
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return err
	}
	e.out = append(append(append(e.out, head...), levels...), e.again...)
	m := &e.columns[len(e.columns)-1].MetaData
	m.TotalUncompressedSize += int64(len(head)) + int64(h.UncompressedPageSize)
	m.TotalCompressedSize += int64(len(head)) + int64(h.CompressedPageSize)
	return nil
}

// footer ends the file.
func (e *encoder) footer() error {
	empty, err := footerOfNone()
	if err != nil {
		return err
	}
	meta, group := *empty, format.RowGroup{Columns: e.columns, NumRows: int64(len(e.ts)), FileOffset: 4}
	for i := range e.columns {
		group.TotalByteSize += e.columns[i].MetaData.TotalUncompressedSize
		group.TotalCompressedSize += e.columns[i].MetaData.TotalCompressedSize
	}
	meta.NumRows, meta.RowGroups = group.NumRows, []format.RowGroup{group}
	text, err := thrift.Marshal(new(thrift.CompactProtocol), &meta)
	if err != nil {
		return err
	}
	e.out = append(e.out, text...)
	e.out = binary.LittleEndian.AppendUint32(e.out, uint32(len(text)))
	e.out = append(e.out, "PAR1"...)
	return nil
}

// footerOfNone is the footer of a part without rows, as the library writes it: the
// schema comes from row's fields, and from nowhere else.
var footerOfNone = sync.OnceValues(func() (*format.FileMetaData, error) {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.CreatedBy("concert", "2", ""))
	if err := w.Close(); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return nil, err
	}
	return f.Metadata(), nil
})

// dictionary is a column whose words come again and again: each word of a part
// once, in the order in which they came, and a number for each row.
type dictionary struct {
	codes []int32
	words []byte // one after another
	ends  []int32
	n     int
	here  []int32 // the numbers here of the block's words by theirs, and 1 more; 0 for none yet
	table int     // that here is of
	known map[string]int32
	loose bool // words are looked for in known
}

func (d *dictionary) begin() {
	d.codes, d.words, d.ends, d.n = d.codes[:0], d.words[:0], d.ends[:0], 0
	d.here, d.table, d.loose = d.here[:0], -1, false
}

// from makes room for the numbers of a block's table of words.
func (d *dictionary) from(table, size int) {
	if d.table != table && d.table >= 0 {
		d.here = d.here[:0]
		d.loosen()
	}
	d.table = table
	if more := size - len(d.here); more > 0 {
		d.here = append(d.here, make([]int32, more)...)
	}
}

// loosen has words found by themselves: they come from several tables, or from none.
func (d *dictionary) loosen() {
	if d.loose {
		return
	}
	if d.loose = true; d.known == nil {
		d.known = map[string]int32{}
	}
	clear(d.known)
	from := int32(0)
	for i, end := range d.ends {
		d.known[string(d.words[from:end])] = int32(i)
		from = end
	}
}

// add is one row's word.
func (d *dictionary) add(code uint32, word func(code uint32) []byte) {
	at := &d.here[code]
	if *at == 0 {
		*at = d.number(word(code)) + 1
	}
	d.codes = append(d.codes, *at-1)
}

// number is the word's in this part.
func (d *dictionary) number(word []byte) int32 {
	n := int32(d.n)
	if d.loose {
		if old, ok := d.known[string(word)]; ok {
			return old
		}
		d.known[string(word)] = n
	}
	d.n++
	d.words = append(d.words, word...)
	d.ends = append(d.ends, int32(len(d.words)))
	return n
}

// plain is the dictionary as its page has it.
func (d *dictionary) plain(kind format.Type) []byte {
	if kind != format.ByteArray {
		return d.words
	}
	out, from := make([]byte, 0, len(d.words)+4*d.n), int32(0)
	for _, end := range d.ends {
		out = binary.LittleEndian.AppendUint32(out, uint32(end-from))
		out = append(out, d.words[from:end]...)
		from = end
	}
	return out
}

// bounds are the least and the greatest of numbers of four bytes.
func (d *dictionary) bounds() format.Statistics {
	words := slices.Collect(slices.Chunk(d.words, 4))
	by := func(a, b []byte) int {
		return int(int32(binary.LittleEndian.Uint32(a))) - int(int32(binary.LittleEndian.Uint32(b)))
	}
	return format.Statistics{MinValue: slices.MinFunc(words, by), MaxValue: slices.MaxFunc(words, by)}
}
