package formats

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"concert"
)

// BankColumns are the columns of Concert's CSV of a bank, and the names of its
// NDJSON: a row a hash, rows of one id behind each other (docs/banks.md).
var BankColumns = []string{"id", "type", "value", "quality", "name", "labels", "opinion", "handling", "source", "owner", "purpose", "legal_basis", "added_at", "expires_at", "updated_at", "gone"}

// labelMark parts labels in a cell.
const labelMark = "|"

// bankRow is a row of a list of hashes: of Concert's own, or what concert hash
// prints of a file.
type bankRow struct {
	ID         word  `json:"id"`
	Type       word  `json:"type"` // of a hash; of a file its media type
	Value      word  `json:"value"`
	Quality    word  `json:"quality"`
	Name       word  `json:"name"`
	Labels     words `json:"labels"`
	Opinion    word  `json:"opinion"`
	Handling   word  `json:"handling"`
	Source     word  `json:"source"`
	Owner      word  `json:"owner"`
	Purpose    word  `json:"purpose"`
	LegalBasis word  `json:"legal_basis"`
	AddedAt    word  `json:"added_at"`
	ExpiresAt  word  `json:"expires_at"`
	UpdatedAt  word  `json:"updated_at"`
	Gone       word  `json:"gone"`

	File       word `json:"file"`
	PDQ        word `json:"pdq"`
	PDQQuality word `json:"pdq_quality"`
	SHA256     word `json:"sha256"`
	SHA1       word `json:"sha1"`
	MD5        word `json:"md5"`
}

// hashes are the hashes that the row says, unchecked.
func (o *bankRow) hashes() ([]concert.KnownHash, error) {
	quality := -1
	if q := cmp.Or(o.Quality, o.PDQQuality); q != "" {
		var err error
		if quality, err = strconv.Atoi(string(q)); err != nil {
			return nil, fmt.Errorf("quality %.20q is no whole number", string(q))
		}
	}
	if o.Value != "" {
		kind := cmp.Or(hashKind(string(o.Type)), concert.HashKind(o.Type))
		if kind != concert.HashPDQ {
			quality = -1
		}
		return []concert.KnownHash{{Kind: kind, Value: string(o.Value), Quality: quality}}, nil
	}
	var out []concert.KnownHash
	for _, h := range []concert.KnownHash{{Kind: concert.HashPDQ, Value: string(o.PDQ), Quality: quality}, {Kind: concert.HashSHA256, Value: string(o.SHA256), Quality: -1}, {Kind: concert.HashSHA1, Value: string(o.SHA1), Quality: -1}, {Kind: concert.HashMD5, Value: string(o.MD5), Quality: -1}} {
		if h.Value != "" {
			out = append(out, h)
		}
	}
	return out, nil
}

// entry is the row as an entry.
func (o *bankRow) entry() (e SharedEntry, err error) {
	if e.Hashes, err = o.hashes(); err != nil {
		return e, err
	}
	e.SourceID, e.Name, e.Handling = string(o.ID), string(cmp.Or(o.Name, o.File)), concert.Handling(o.Handling)
	for _, l := range o.Labels {
		e.Labels = append(e.Labels, string(l))
	}
	e.Provenance = Provenance{string(o.Owner), string(o.Source), string(o.Purpose), string(o.LegalBasis)}
	if e.Handling != "" && !slices.Contains(concert.Handlings, e.Handling) {
		return e, fmt.Errorf("%.20q is no handling code; the codes are %v", e.Handling, concert.Handlings)
	}
	if opinion := cmp.Or(concert.Opinion(strings.ToLower(string(o.Opinion))), concert.OpinionPositive); !e.said(opinion) {
		return e, fmt.Errorf("%.20q is no opinion; they are %v and %q", opinion, concert.Opinions, concert.OpinionDisputed)
	}
	switch word(strings.ToLower(string(o.Gone))) {
	case "", "false", "0", "no":
	case "true", "1", "yes":
		e.Gone = true
	default:
		return e, fmt.Errorf("gone is true or false: got %.20q", string(o.Gone))
	}
	return e, whens(timed{o.AddedAt, &e.AddedAt}, timed{o.ExpiresAt, &e.ExpiresAt}, timed{o.UpdatedAt, &e.UpdatedAt})
}

// lines reads hashes by the line: text as pytx has it, or objects.
func (b *bankReader) lines(r io.Reader) error {
	lines := lineReader{br: plain(r), most: bankLineMost}
	for {
		text, tooLong, err := lines.next()
		end, err := lines.ends(err)
		if err != nil {
			return err
		}
		if err = b.line(lines.n, strings.TrimSpace(text), tooLong); err != nil || end {
			return err
		}
	}
}

func (b *bankReader) line(n int, text string, tooLong bool) error {
	switch {
	case tooLong:
		return b.bad(wrong(n, "longer than %d bytes", bankLineMost))
	case text == "" || text[0] == '#' || n == 1 && isHashHeader(text):
		return nil
	case !utf8.ValidString(text):
		return b.bad(wrong(n, notUTF8))
	case text[0] != '{':
		name, found, err := hashesIn(text)
		if err != nil {
			return b.bad(wrong(n, "%s", err))
		}
		return b.part(n, SharedEntry{BankEntry: concert.BankEntry{Hashes: found, Name: name}})
	}
	var o bankRow
	if why := decode([]byte(text), &o); why != "" {
		return b.bad(wrong(n, "%s", why))
	}
	e, err := o.entry()
	if err != nil {
		return b.bad(wrong(n, "%s", err))
	}
	return b.part(n, e)
}

// isBankHeader knows the first line of a bank's CSV.
func isBankHeader(line string) bool {
	head := splitCSV(strings.ToLower(line), byte(commaOf(line))).fields
	for i := range head {
		head[i] = strings.TrimSpace(head[i])
	}
	return slices.Contains(head, "type") && slices.Contains(head, "value")
}

// csv reads Concert's CSV. A field may hold no line break.
func (b *bankReader) csv(r io.Reader) error {
	lines := lineReader{br: plain(r), most: bankLineMost}
	var cells []*word // of row, by column; nil for one that is not read
	var row bankRow
	var labels word
	var comma byte
	for {
		text, tooLong, err := lines.next()
		end, err := lines.ends(err)
		if err != nil {
			return err
		}
		switch {
		case tooLong:
			err = b.bad(wrong(lines.n, "longer than %d bytes", bankLineMost))
		case strings.TrimSpace(text) == "":
		case !utf8.ValidString(text):
			err = b.bad(wrong(lines.n, notUTF8))
		case cells == nil && !isBankHeader(text):
			return fmt.Errorf("line %d: the file begins with no header that names type and value; the columns are %s", lines.n, strings.Join(BankColumns, ","))
		case cells == nil:
			comma = byte(commaOf(text))
			cells, err = b.csvHead(lines.n, text, comma, &row, &labels)
		default:
			row, labels = bankRow{}, ""
			err = b.csvRow(lines.n, text, comma, cells, &row, &labels)
		}
		if err != nil || end {
			if err == nil && cells == nil {
				err = fmt.Errorf("the file has no header line; its columns are %s", strings.Join(BankColumns, ","))
			}
			return err
		}
	}
}

// csvHead says into which field of row each column goes.
func (b *bankReader) csvHead(line int, text string, comma byte, row *bankRow, labels *word) ([]*word, error) {
	fields := []*word{&row.ID, &row.Type, &row.Value, &row.Quality, &row.Name, labels, &row.Opinion, &row.Handling, &row.Source, &row.Owner, &row.Purpose, &row.LegalBasis, &row.AddedAt, &row.ExpiresAt, &row.UpdatedAt, &row.Gone}
	var cells []*word
	for _, name := range splitCSV(strings.ToLower(text), comma).fields {
		name = strings.TrimSpace(name)
		i := slices.Index(BankColumns, name)
		switch {
		case i < 0:
			cells = append(cells, nil)
			if err := b.bad(wrong(line, "column %.40q is not known and not read; the columns are %s", name, strings.Join(BankColumns, ","))); err != nil {
				return nil, err
			}
		case slices.Contains(cells, fields[i]):
			return nil, fmt.Errorf("line %d: column %q stands twice", line, name)
		default:
			cells = append(cells, fields[i])
		}
	}
	return cells, nil
}

func (b *bankReader) csvRow(line int, text string, comma byte, cells []*word, row *bankRow, labels *word) error {
	r := splitCSV(text, comma)
	switch {
	case r.open:
		return b.bad(wrong(line, unclosed))
	case r.why != "":
		return b.bad(wrong(line, "%s", r.why))
	case len(r.fields) != len(cells):
		return b.bad(wrong(line, "has %d fields, the header has %d", len(r.fields), len(cells)))
	}
	for i, to := range cells {
		if to != nil {
			*to = word(unguarded(strings.TrimSpace(r.fields[i])))
		}
	}
	for l := range strings.SplitSeq(string(*labels), labelMark) {
		row.Labels = append(row.Labels, word(strings.TrimSpace(l)))
	}
	e, err := row.entry()
	if err != nil {
		return b.bad(wrong(line, "%s", err))
	}
	return b.part(line, e)
}

// unguarded takes away what concert.PlainCell put before a cell.
func unguarded(cell string) string {
	if bare, ok := strings.CutPrefix(cell, "'"); ok && concert.PlainCell(bare) == cell {
		return bare
	}
	return cell
}

// rows are the entry's rows, as texts by BankColumns: one for each hash, or one
// without where there is none.
func (e *SharedEntry) rows() ([][]string, error) {
	hashes := e.Hashes
	if len(hashes) == 0 {
		hashes = []concert.KnownHash{{Quality: -1}}
	}
	var out [][]string
	for _, h := range hashes {
		value, err := hashValue(h)
		if err != nil {
			return nil, fmt.Errorf("entry %s: %w", e.id(), err)
		}
		quality := ""
		if h.Kind == concert.HashPDQ && h.Quality >= 0 {
			quality = strconv.Itoa(h.Quality)
		}
		labels := strings.ReplaceAll(strings.Join(e.Labels, "\n"), labelMark, "/")
		p := &e.Provenance
		out = append(out, []string{e.id(), string(h.Kind), value, quality, e.Name, strings.ReplaceAll(labels, "\n", labelMark), string(e.Stands()), string(e.Handling), shown(p.Source), shown(p.Owner), shown(p.Purpose), shown(p.LegalBasis),
			stamp(e.AddedAt), stamp(e.ExpiresAt), stamp(e.UpdatedAt), strconv.FormatBool(e.Gone)})
	}
	return out, nil
}

// lines writes what python-threatexchange reads as a local file: the type by its
// name there and the value. Such a list says of everything in it that it is known,
// so only what stands as positive is written.
func (out *bankWriter) lines(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	b := bufio.NewWriter(w)
	for e, err := range entries {
		if err != nil {
			return err
		}
		if e.Gone || e.Stands() != concert.OpinionPositive {
			out.page.Entries--
			continue
		}
		for _, h := range e.Hashes {
			value, err := hashValue(h)
			if err != nil {
				return fmt.Errorf("entry %s: %w", e.id(), err)
			}
			kind := string(h.Kind)
			if h.Kind == concert.HashMD5 || h.Kind == concert.HashSHA256 {
				kind = "video_" + kind // there are no others there
			}
			if _, err := fmt.Fprintf(b, "%s %s\n", kind, oneLine(value)); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

func (out *bankWriter) csv(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if err := c.Write(BankColumns); err != nil {
		return err
	}
	for e, err := range entries {
		if err != nil {
			return err
		}
		rows, err := e.rows()
		if err != nil {
			return err
		}
		for _, row := range rows {
			for i := range row {
				row[i] = concert.PlainCell(oneLine(row[i]))
			}
			if err := c.Write(row); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// bankLine is a line of NDJSON as it is written.
type bankLine struct {
	ID         string   `json:"id"`
	Type       string   `json:"type,omitempty"`
	Value      string   `json:"value,omitempty"`
	Quality    *int     `json:"quality,omitempty"`
	Name       string   `json:"name,omitempty"`
	Labels     []string `json:"labels,omitempty"`
	Opinion    string   `json:"opinion"`
	Handling   string   `json:"handling"`
	Source     string   `json:"source,omitempty"`
	Owner      string   `json:"owner"`
	Purpose    string   `json:"purpose,omitempty"`
	LegalBasis string   `json:"legal_basis,omitempty"`
	AddedAt    string   `json:"added_at,omitempty"`
	ExpiresAt  string   `json:"expires_at,omitempty"`
	UpdatedAt  string   `json:"updated_at,omitempty"`
	Gone       bool     `json:"gone"`
}

func (out *bankWriter) ndjson(w io.Writer, entries iter.Seq2[SharedEntry, error]) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for e, err := range entries {
		if err != nil {
			return err
		}
		rows, err := e.rows()
		if err != nil {
			return err
		}
		for i, r := range rows {
			line := bankLine{r[0], r[1], r[2], nil, r[4], e.Labels, r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], e.Gone}
			if r[3] != "" {
				line.Quality = &e.Hashes[i].Quality
			}
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}
