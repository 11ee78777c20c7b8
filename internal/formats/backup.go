package formats

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The two files of a backup, version 1 (docs/formats/backup.md): the data, and
// apart from them the keys of what is sealed in them.
const (
	BackupFormat     = "concert-backup/1"
	BackupKeysFormat = "concert-backup-keys/1"
)

// The types of a backup's columns.
const (
	BackupText    = "text"
	BackupInteger = "integer" // 64 bits, signed
	BackupBytes   = "bytes"   // base64 in the file
)

// maxBackupLine bounds a line of a backup: more than any row has.
const maxBackupLine = 64 << 20

// BackupHeader is a backup's first line.
type BackupHeader struct {
	Format    string `json:"format"`
	Origin    string `json:"origin"`
	Exercise  bool   `json:"exercise"`
	Schema    int64  `json:"schema"`    // version of the tables
	Database  string `json:"database"`  // it was made from; it can be restored into either
	KeyRing   string `json:"key_ring"`  // which master key: a fingerprint that tells nothing else
	LogKey    string `json:"log_key"`   // the log's verifier key
	Transport string `json:"transport"` // id of the transport's key
	LogSize   int64  `json:"log_size"`
	LogRoot   string `json:"log_root"` // hex
	MadeAt    int64  `json:"made_at"`  // microseconds UTC
}

// BackupColumn is one column of a table.
type BackupColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// BackupTable is the line before a table's rows.
type BackupTable struct {
	Name    string         `json:"table"`
	Columns []BackupColumn `json:"columns"`
}

// BackupTrailer is a backup's last line.
type BackupTrailer struct {
	Rows   map[string]int64 `json:"rows"`
	SHA256 string           `json:"sha256"` // of every line before this one, hex
	MAC    string           `json:"mac"`    // HMAC-SHA256 of that digest under the deployment's backup key, hex
}

// BackupWriter writes a backup: a header, then each table with its rows, then
// the trailer. It holds one row at a time.
type BackupWriter struct {
	zip  *gzip.Writer
	w    *bufio.Writer
	sum  hash.Hash
	line []byte
	cols []BackupColumn
	name string
	rows map[string]int64
}

// NewBackupWriter begins a backup of the format that the header names.
func NewBackupWriter(w io.Writer, h BackupHeader) (*BackupWriter, error) {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b := &BackupWriter{zip: z, w: bufio.NewWriterSize(z, 256<<10), sum: sha256.New(), rows: map[string]int64{}}
	return b, b.object(h)
}

func (b *BackupWriter) object(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return b.put(append(line, '\n'))
}

func (b *BackupWriter) put(line []byte) error {
	b.sum.Write(line)
	if _, err := b.w.Write(line); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Table begins a table.
func (b *BackupWriter) Table(t BackupTable) error {
	if _, ok := b.rows[t.Name]; ok {
		return fmt.Errorf("backup: table %s comes twice", t.Name)
	}
	b.name, b.cols, b.rows[t.Name] = t.Name, t.Columns, 0
	return b.object(t)
}

// Row writes a row of the table that was begun: nil, int64, string or []byte, as
// the columns say.
func (b *BackupWriter) Row(cells []any) error {
	if len(cells) != len(b.cols) {
		return fmt.Errorf("backup: a row of %s has %d cells, the table %d columns", b.name, len(cells), len(b.cols))
	}
	l := append(b.line[:0], '[')
	for i, c := range cells {
		if i > 0 {
			l = append(l, ',')
		}
		var ok bool
		switch v := c.(type) {
		case nil:
			l, ok = append(l, "null"...), true
		case int64:
			l, ok = strconv.AppendInt(l, v, 10), b.cols[i].Type == BackupInteger
		case string:
			var err error
			if l, err = jsontext.AppendQuote(l, v); err != nil {
				return fmt.Errorf("backup: column %s of %s holds text that is not UTF-8, which no other database takes", b.cols[i].Name, b.name)
			}
			ok = b.cols[i].Type == BackupText
		case []byte:
			l = append(base64.StdEncoding.AppendEncode(append(l, '"'), v), '"')
			ok = b.cols[i].Type == BackupBytes
		}
		if !ok {
			return fmt.Errorf("backup: column %s of %s is %s and holds a %T", b.cols[i].Name, b.name, b.cols[i].Type, c)
		}
	}
	b.line = append(l, ']', '\n')
	b.rows[b.name]++
	return b.put(b.line)
}

// Close writes the trailer under the deployment's backup key and says how many
// rows each table has.
func (b *BackupWriter) Close(key []byte) (rows map[string]int64, err error) {
	digest := b.sum.Sum(nil)
	if err := b.object(BackupTrailer{b.rows, hex.EncodeToString(digest), hex.EncodeToString(backupMAC(key, digest))}); err != nil {
		return nil, err
	}
	if err := b.w.Flush(); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	if err := b.zip.Close(); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return b.rows, nil
}

func backupMAC(key, digest []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(digest)
	return m.Sum(nil)
}

// BackupReader reads a backup once, from its first line to its last.
type BackupReader struct {
	Header BackupHeader

	src  *bufio.Reader // the compressed bytes
	zip  *gzip.Reader
	r    *bufio.Reader
	sum  hash.Hash
	line []byte
	n    int
}

// NewBackupReader reads the header of a backup of the format. What is no
// backup, or one of another or a newer format, is refused.
func NewBackupReader(r io.Reader, format string) (*BackupReader, error) {
	b := &BackupReader{src: bufio.NewReaderSize(r, 256<<10), sum: sha256.New()}
	var err error
	if b.zip, err = gzip.NewReader(b.src); err != nil {
		return nil, fmt.Errorf("this is no backup: %w; is it a file that concert backup wrote?", err)
	}
	b.zip.Multistream(false)
	b.r = bufio.NewReaderSize(b.zip, 256<<10)
	line, err := b.next()
	if err != nil {
		return nil, err
	}
	// The format is read leniently, so that a newer one is named and not called
	// broken.
	if err := json.Unmarshal(line, &b.Header); err != nil {
		return nil, b.bad("is no header: %w; is it a file that concert backup wrote?", err)
	}
	if b.Header.Format != format {
		return nil, b.otherFormat(format)
	}
	if err := strictly(line, &b.Header); err != nil {
		return nil, b.bad("is no header: %w", err)
	}
	b.sum.Write(line)
	return b, nil
}

func (b *BackupReader) otherFormat(want string) error {
	have := b.Header.Format
	name, _, _ := strings.Cut(want, "/")
	switch got, version, _ := strings.Cut(have, "/"); {
	case got == name && version != "":
		return fmt.Errorf("the format of this backup is %s, this program reads %s: use the newer program that wrote it", have, want)
	case have == BackupFormat || have == BackupKeysFormat:
		return fmt.Errorf("this is a %s, wanted is a %s: data and keys are two files, look whether they are exchanged", have, want)
	}
	return fmt.Errorf("the format %.60q is not %s: is this a file that concert backup wrote?", have, want)
}

// strictly decodes one object without unknown fields.
func strictly(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.InputOffset() != int64(len(line)-1) {
		return errors.New("something follows the object")
	}
	return nil
}

func (b *BackupReader) bad(format string, args ...any) error {
	return fmt.Errorf("backup line %d "+format, append([]any{b.n}, args...)...)
}

// next is the next line with its newline; it is overwritten by the one after.
func (b *BackupReader) next() ([]byte, error) {
	b.n++
	b.line = b.line[:0]
	for {
		part, err := b.r.ReadSlice('\n')
		if err == nil && len(b.line) == 0 {
			return part, nil
		}
		b.line = append(b.line, part...)
		switch {
		case err == nil:
			return b.line, nil
		case len(b.line) > maxBackupLine:
			return nil, b.bad("has more than %d MB: this is no row of ours", maxBackupLine>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil, b.bad("is missing: the file was cut off")
		default:
			return nil, b.bad("cannot be read (%w): the file is damaged", err)
		}
	}
}

// Each calls table for every table and row for its rows, in the order of the
// file. It returns nil only when the trailer was reached, the digest is that of
// the content, its MAC is of this key, and nothing follows: until then, nothing
// that was given is to be trusted.
func (b *BackupReader) Each(key []byte, table func(BackupTable) error, row func([]any) error) (BackupTrailer, error) {
	rows := map[string]int64{}
	var t BackupTable
	for {
		line, err := b.next()
		if err != nil {
			return BackupTrailer{}, err
		}
		if line[0] == '[' {
			b.sum.Write(line)
			if t.Name == "" {
				return BackupTrailer{}, b.bad("is a row of no table")
			}
			cells, err := b.cells(line, t.Columns)
			if err != nil {
				return BackupTrailer{}, b.bad("is no row of %s: %w", t.Name, err)
			}
			rows[t.Name]++
			if err := row(cells); err != nil {
				return BackupTrailer{}, err
			}
			continue
		}
		if bytes.HasPrefix(line, []byte(`{"rows"`)) {
			return b.finish(line, rows, key)
		}
		b.sum.Write(line)
		if t, err = b.table(line, rows); err != nil {
			return BackupTrailer{}, err
		}
		if err := table(t); err != nil {
			return BackupTrailer{}, err
		}
	}
}

func (b *BackupReader) table(line []byte, rows map[string]int64) (BackupTable, error) {
	var t BackupTable
	if err := strictly(line, &t); err != nil {
		return t, b.bad("is neither row nor table nor trailer: %w", err)
	}
	if _, twice := rows[t.Name]; twice || !plainName(t.Name) || len(t.Columns) == 0 {
		return t, b.bad("is no table: %.60q", t.Name)
	}
	seen := map[string]bool{}
	for _, c := range t.Columns {
		if seen[c.Name] || !plainName(c.Name) || c.Type != BackupText && c.Type != BackupInteger && c.Type != BackupBytes {
			return t, b.bad("is no table: its column %.60q", c.Name)
		}
		seen[c.Name] = true
	}
	rows[t.Name] = 0
	return t, nil
}

// plainName reports whether the name can stand in a statement as it is.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 60 && s[0] > '9'
}

func (b *BackupReader) finish(line []byte, rows map[string]int64, key []byte) (BackupTrailer, error) {
	var t BackupTrailer
	if err := strictly(line, &t); err != nil {
		return t, b.bad("is no trailer: %w", err)
	}
	digest := b.sum.Sum(nil)
	if t.SHA256 != hex.EncodeToString(digest) {
		return t, fmt.Errorf("the backup was changed: its content has the SHA-256 %x, its last line says %.64s", digest, t.SHA256)
	}
	mac, err := hex.DecodeString(t.MAC)
	if err != nil || !hmac.Equal(mac, backupMAC(key, digest)) {
		return t, errors.New("the backup was not made by this deployment, or was changed by someone without its keys: its MAC does not hold")
	}
	if !maps.Equal(t.Rows, rows) {
		return t, fmt.Errorf("the backup has other numbers of rows than its last line says: %v, not %v", rows, t.Rows)
	}
	// Reading to the end checks gzip's own sum as well.
	if _, err := b.r.ReadByte(); !errors.Is(err, io.EOF) {
		return t, b.bad("is followed by something: the file was changed (%v)", err)
	}
	if _, err := b.src.ReadByte(); !errors.Is(err, io.EOF) {
		return t, errors.New("something follows the backup's end: the file was changed")
	}
	return t, nil
}

var errCell = errors.New("a cell is malformed")

// cells reads one row: a JSON array without spaces, of null, integers and
// strings, as the columns say.
func (b *BackupReader) cells(line []byte, cols []BackupColumn) ([]any, error) {
	out := make([]any, len(cols))
	rest := line[1:]
	for i, c := range cols {
		end := cellEnd(rest)
		if end < 0 {
			return nil, errCell
		}
		raw, after := rest[:end], rest[end]
		rest = rest[end+1:]
		if want := byte(','); i == len(cols)-1 && after != ']' || i < len(cols)-1 && after != want {
			return nil, fmt.Errorf("it has not %d cells", len(cols))
		}
		if string(raw) == "null" {
			continue
		}
		var err error
		switch c.Type {
		case BackupInteger:
			out[i], err = strconv.ParseInt(string(raw), 10, 64)
		case BackupBytes:
			if len(raw) < 2 || raw[0] != '"' {
				return nil, errCell
			}
			out[i], err = base64.StdEncoding.Strict().AppendDecode(make([]byte, 0, len(raw)*3/4), raw[1:len(raw)-1])
		default:
			var text []byte
			if text, err = jsontext.AppendUnquote(nil, raw); err == nil {
				out[i] = string(text)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	if string(rest) != "\n" {
		return nil, errCell
	}
	return out, nil
}

// cellEnd is where the first cell ends: at a comma or bracket outside quotes.
func cellEnd(s []byte) int {
	if len(s) == 0 {
		return -1
	}
	if s[0] != '"' {
		return bytes.IndexAny(s, ",]")
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if i+1 < len(s) {
				return i + 1
			}
			return -1
		}
	}
	return -1
}
