package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"concert/internal/durable"
	"concert/internal/match"
)

// fullTextFormat is what a full-text file says of itself.
const fullTextFormat = "concert-fulltext/1"

// fullTextSchema is the whole file: SQLite with one FTS5 table that has words and
// places and no text (contentless), since the text stands in the evidence. A row
// of word is a part of a document: its number is document<<16 | part. The words
// come folded, so that the tokenizer only parts at spaces.
const fullTextSchema = `
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source (id INTEGER PRIMARY KEY, path TEXT NOT NULL);
CREATE TABLE document (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, place TEXT NOT NULL, volume INTEGER NOT NULL, inside TEXT NOT NULL,
	path TEXT NOT NULL, media TEXT NOT NULL, language TEXT NOT NULL, modified INTEGER NOT NULL, size INTEGER NOT NULL, sha256 BLOB NOT NULL, known TEXT NOT NULL);
CREATE VIRTUAL TABLE word USING fts5(body, content='', detail=full, tokenize='ascii');
`

const (
	partBits  = 16
	partsMost = 1 << partBits
	// fullTextBatch is how many bytes of text one transaction has.
	fullTextBatch = 64 << 20
)

// TextDocument is one file whose words are searched.
type TextDocument struct {
	Source   string // the bag, directory or image, as a path
	Place    string // as vault.Surveyed has it, with Volume and Inside
	Volume   int
	Inside   []string
	Path     string // for people
	Media    string
	Language string // BCP 47
	Modified time.Time
	Size     int64
	SHA256   string
	Known    string // the hash set that has it
}

// FullTextWriter makes a full-text file. It belongs to one goroutine.
type FullTextWriter struct {
	path, pending string
	db            *sql.DB
	tx            *sql.Tx
	word, doc     *sql.Stmt
	id            int64 // of the document whose parts come
	parts         int64
	batch, most   int64 // bytes of words in this transaction, and in one
	sources       map[string]int64
}

// CreateFullText begins a full-text file of a case at a path where nothing is. It
// has its name only when Keep gave it.
func CreateFullText(ctx context.Context, path, caseID string) (*FullTextWriter, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%s exists: an index is made anew under another name, or remove it first", path)
	}
	w := &FullTextWriter{path: path, pending: path + ".indexing", id: 1, most: fullTextBatch, sources: map[string]int64{}}
	f, err := newFile(w.pending)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	// Nothing of a pending file survives a crash, so nothing is made durable before its end.
	if w.db, err = sql.Open("sqlite", fileAddress(w.pending, "_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-65536)&_pragma=page_size(8192)&_pragma=locking_mode(EXCLUSIVE)")); err != nil {
		return nil, err
	}
	w.db.SetMaxOpenConns(1)
	if _, err := w.db.ExecContext(ctx, fullTextSchema); err != nil {
		return nil, errors.Join(err, w.Drop())
	}
	if _, err := w.db.ExecContext(ctx, `INSERT INTO word(word, rank) VALUES ('hashsize', 16777216)`); err != nil {
		return nil, errors.Join(err, w.Drop())
	}
	for name, value := range map[string]string{"format": fullTextFormat, "case": caseID} {
		if _, err := w.db.ExecContext(ctx, `INSERT INTO about VALUES (?, ?)`, name, value); err != nil {
			return nil, errors.Join(err, w.Drop())
		}
	}
	return w, w.begin(ctx)
}

// fileAddress is the address of a file for the driver, whatever its name has in it.
func fileAddress(path, options string) string {
	r := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")
	return "file:" + r.Replace(filepath.ToSlash(path)) + "?" + options
}

func (w *FullTextWriter) begin(ctx context.Context) (err error) {
	// A transaction outlives the call that it began in, and that call's context.
	ctx = context.WithoutCancel(ctx)
	if w.tx, err = w.db.BeginTx(ctx, nil); err != nil {
		return err
	}
	if w.word, err = w.tx.PrepareContext(ctx, `INSERT INTO word(rowid, body) VALUES (?, ?)`); err != nil {
		return err
	}
	w.doc, err = w.tx.PrepareContext(ctx, `INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	return err
}

// Part adds words, as match.Fold writes them, of the document that Document names
// next.
func (w *FullTextWriter) Part(ctx context.Context, fold string) error {
	if fold == "" {
		return nil
	}
	if w.parts == partsMost {
		return fmt.Errorf("a document of more than %d parts", partsMost)
	}
	if _, err := w.word.ExecContext(ctx, w.id<<partBits|w.parts, fold); err != nil {
		return fmt.Errorf("index a text: %w", err)
	}
	w.parts++
	if w.batch += int64(len(fold)); w.batch < w.most {
		return nil
	}
	w.batch = 0
	if err := w.tx.Commit(); err != nil {
		return err
	}
	return w.begin(ctx)
}

// Document names what the parts before were of. One without parts is not kept:
// no search would find it.
func (w *FullTextWriter) Document(ctx context.Context, d TextDocument) error {
	if w.parts == 0 {
		return nil
	}
	source, ok := w.sources[d.Source]
	if !ok {
		source = int64(len(w.sources) + 1)
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO source VALUES (?, ?)`, source, d.Source); err != nil {
			return err
		}
		w.sources[d.Source] = source
	}
	inside, place := "", d.Place
	if len(d.Inside) > 0 {
		b, err := json.Marshal(d.Inside)
		if err != nil {
			return err
		}
		inside = string(b)
	} else if place == d.Path {
		place = "" // most are files by themselves
	}
	sum, err := hex.DecodeString(d.SHA256)
	if err != nil {
		return fmt.Errorf("the SHA-256 of %s: %w", d.Path, err)
	}
	modified := int64(0)
	if !d.Modified.IsZero() {
		modified = d.Modified.UnixMicro()
	}
	_, err = w.doc.ExecContext(ctx, w.id, source, place, d.Volume, inside, d.Path, d.Media, d.Language, modified, d.Size, sum, d.Known)
	w.id, w.parts = w.id+1, 0
	return err
}

// Keep ends the file, makes it durable and gives it its name.
func (w *FullTextWriter) Keep(ctx context.Context) error {
	if err := w.tx.Commit(); err != nil {
		return errors.Join(err, w.Drop())
	}
	if _, err := w.db.ExecContext(ctx, `INSERT INTO word(word) VALUES ('optimize')`); err != nil {
		return errors.Join(err, w.Drop())
	}
	// A fifth of the pages are free after that; a copy has none.
	f, err := newFile(w.packed())
	if err != nil {
		return errors.Join(err, w.Drop())
	}
	if _, err := w.db.ExecContext(ctx, `VACUUM INTO ?`, w.packed()); err != nil {
		return errors.Join(err, f.Close(), w.Drop())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return errors.Join(err, w.Drop())
	}
	// A link does not write over what came there meanwhile.
	if err := os.Link(w.packed(), w.path); err != nil {
		return errors.Join(err, w.Drop())
	}
	return errors.Join(w.Drop(), durable.SyncDir(filepath.Dir(w.path)))
}

func (w *FullTextWriter) packed() string { return w.path + ".packing" }

// newFile makes an empty file that only its owner reads, over one that an earlier
// run left; SQLite would let others read it.
func newFile(path string) (*os.File, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

// Drop forgets the file.
func (w *FullTextWriter) Drop() error {
	err := errors.Join(w.db.Close(), os.Remove(w.pending))
	if packed := os.Remove(w.packed()); packed != nil && !errors.Is(packed, fs.ErrNotExist) {
		err = errors.Join(err, packed)
	}
	return err
}

// FullText is a full-text file open for searching.
type FullText struct {
	Case string
	db   *sql.DB
}

// OpenFullText opens a full-text file; it is only read.
func OpenFullText(ctx context.Context, path string) (*FullText, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("no index is read: %w; evidence index makes one", err)
	}
	db, err := sql.Open("sqlite", fileAddress(path, "mode=ro&immutable=1"))
	if err != nil {
		return nil, err
	}
	f, format := &FullText{db: db}, ""
	err = db.QueryRowContext(ctx, `SELECT f.value, c.value FROM about f, about c WHERE f.name = 'format' AND c.name = 'case'`).Scan(&format, &f.Case)
	if err != nil || format != fullTextFormat {
		return nil, errors.Join(fmt.Errorf("%s is no index of this version (%s): make it anew with evidence index", path, fullTextFormat), err, db.Close())
	}
	return f, nil
}

// Close lets go of the file.
func (f *FullText) Close() error { return f.db.Close() }

// TextSearch is what is searched for, and where.
type TextSearch struct {
	Query    TextQuery
	Path     string // GLOB on the path; empty for all, as are the others
	Language string
	Media    string
	From, To time.Time // of the last change; To is not in it
	Most     int       // hits; 0 for 100
}

// TextHit is a document that was found, the best of its parts counting.
type TextHit struct {
	TextDocument
	Score float64 // bm25, the higher the better; it orders and says nothing more
	Part  int     // which of its parts
}

// Search finds documents, the best first. more says that there are others.
func (f *FullText) Search(ctx context.Context, s TextSearch) (hits []TextHit, more bool, err error) {
	if s.Most <= 0 {
		s.Most = 100
	}
	text := `SELECT word.rowid, bm25(word), source.path, place, volume, inside, document.path, media, language, modified, size, sha256, known
		FROM word JOIN document ON document.id = word.rowid >> 16 JOIN source ON source.id = document.source WHERE word MATCH ?`
	args := []any{s.Query.match}
	for _, c := range []struct {
		where string
		value any
		given bool
	}{
		{" AND document.path GLOB ?", s.Path, s.Path != ""}, {" AND language = ?", s.Language, s.Language != ""}, {" AND media = ?", s.Media, s.Media != ""},
		{" AND modified >= ? AND modified <> 0", s.From.UnixMicro(), !s.From.IsZero()}, {" AND modified < ? AND modified <> 0", s.To.UnixMicro(), !s.To.IsZero()},
	} {
		if c.given {
			text, args = text+c.where, append(args, c.value)
		}
	}
	rows, err := f.db.QueryContext(ctx, text+" ORDER BY known <> '', bm25(word), word.rowid", args...)
	if err != nil {
		return nil, false, fmt.Errorf("search: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	seen := map[int64]bool{}
	for rows.Next() {
		var h TextHit
		var row, modified int64
		var inside string
		var sum []byte
		if err := rows.Scan(&row, &h.Score, &h.Source, &h.Place, &h.Volume, &inside, &h.Path, &h.Media, &h.Language, &modified, &h.Size, &sum, &h.Known); err != nil {
			return nil, false, err
		}
		if seen[row>>partBits] {
			continue
		}
		if len(hits) == s.Most {
			return hits, true, nil
		}
		seen[row>>partBits] = true
		if h.Place, h.SHA256 = cmp.Or(h.Place, h.Path), hex.EncodeToString(sum); inside != "" {
			if err := json.Unmarshal([]byte(inside), &h.Inside); err != nil {
				return nil, false, err
			}
		}
		if modified != 0 {
			h.Modified = time.UnixMicro(modified).UTC()
		}
		h.Score, h.Part = -h.Score, int(row&(partsMost-1))
		hits = append(hits, h)
	}
	return hits, false, rows.Err()
}

// wordsOf are the words of a text as the index has them.
func wordsOf(text string) []string { return strings.Fields(match.Fold(text)) }
