package lake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// table is the rows of one part, column by column; a column is decoded when it is
// asked for.
type table struct {
	rows   int
	chunks []parquet.ColumnChunk // of the part's row group
	names  map[string]int
}

// openTable reads a part's footer. What a broken file makes the reader do is an
// error here: the bytes are as they were written, yet by whom is for the signature.
func openTable(raw []byte, want int64) (t *table, err error) {
	defer guard(&err)
	// The library asks for as much memory as the footer says that it is long.
	if n := len(raw); n < 12 || int64(binary.LittleEndian.Uint32(raw[n-8:])) > int64(n-12) {
		return nil, errors.New("its footer is longer than itself")
	}
	f, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	groups := f.RowGroups()
	if len(groups) != 1 || groups[0].NumRows() != want || !parquet.EqualNodes(f.Schema(), parquet.SchemaOf(row{})) {
		return nil, fmt.Errorf("it has not the %d rows and the columns of this version's parts", want)
	}
	t = &table{rows: int(want), chunks: groups[0].ColumnChunks(), names: map[string]int{}}
	for i, path := range f.Schema().Columns() {
		t.names[path[0]] = i
	}
	return t, nil
}

// guard turns a panic of the reader over a broken file into an error.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("it cannot be read as Parquet: %v", r)
	}
}

// column is one column in memory: a dictionary's codes, or plain numbers.
type column struct {
	codes []int32 // places in texts or in dict; -1 for null
	texts []string
	dict  []int64
	ints  []int64
}

// at is a number of the column.
func (c *column) at(i int) int64 {
	if c.codes != nil {
		return c.dict[c.codes[i]]
	}
	return c.ints[i]
}

// text is a text of the column; "" for null.
func (c *column) text(i int) string {
	if c.codes[i] < 0 {
		return ""
	}
	return c.texts[c.codes[i]]
}

// column decodes a column whole.
func (t *table) column(name string) (c *column, err error) {
	defer guard(&err)
	c = &column{}
	pages := t.chunks[t.names[name]].Pages()
	defer pages.Close()
	for n := 0; n < t.rows; {
		p, err := pages.ReadPage()
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		n += int(p.NumRows())
		err = c.add(p)
		parquet.Release(p)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
	}
	if len(c.codes)+len(c.ints) != t.rows {
		return nil, fmt.Errorf("column %s has %d values for %d rows", name, len(c.codes)+len(c.ints), t.rows)
	}
	return c, nil
}

func (c *column) add(p parquet.Page) error {
	data := p.Data()
	if d := p.Dictionary(); d != nil {
		if c.texts == nil && c.dict == nil {
			c.words(d)
		}
		codes := data.Int32()
		for _, code := range codes {
			if code < 0 || int(code) >= d.Len() {
				return errors.New("a value lies outside of the dictionary")
			}
		}
		levels := p.DefinitionLevels()
		if len(levels) == 0 {
			c.codes = append(c.codes, codes...)
			return nil
		}
		for _, l := range levels {
			code := int32(-1)
			if l > 0 {
				code, codes = codes[0], codes[1:]
			}
			c.codes = append(c.codes, code)
		}
		return nil
	}
	switch p.Type().Kind() {
	case parquet.Int64:
		c.ints = append(c.ints, data.Int64()...)
	case parquet.Int32:
		for _, v := range data.Int32() {
			c.ints = append(c.ints, int64(v))
		}
	case parquet.Boolean:
		bits := data.Boolean()
		for i := range int(p.NumValues()) {
			c.ints = append(c.ints, int64(bits[i/8]>>(i%8)&1))
		}
	default:
		return errors.New("it has no dictionary")
	}
	return nil
}

// words copies a dictionary.
func (c *column) words(d parquet.Dictionary) {
	if k := d.Type().Kind(); k == parquet.Int32 || k == parquet.Int64 {
		c.dict = make([]int64, d.Len())
		for i := range c.dict {
			v := d.Index(int32(i))
			if k == parquet.Int32 {
				c.dict[i] = int64(v.Int32())
			} else {
				c.dict[i] = v.Int64()
			}
		}
		return
	}
	c.texts = make([]string, d.Len())
	for i := range c.texts {
		c.texts[i] = string(d.Index(int32(i)).ByteArray())
	}
}
