package formats

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
)

// Bounds of a PDF that somebody hands in.
const (
	MaxPDF         = 64 << 20 // bytes
	maxPDFObjects  = 200_000
	maxPDFDepth    = 12
	maxPDFElements = 4_000 // of one array or dictionary
)

// OrderAttachment is the name of the file inside an order's PDF that is the order.
const OrderAttachment = "order.json"

// PDFAttachment takes the one file that is embedded in a PDF, which must bear the
// name, and whose length is at most that of most bytes. It reads the PDFs of Concert's
// own writer (PDF 1.3 to 1.7, one table of references, no later changes) and refuses
// by name whatever else a PDF may be: encrypted, changed after it was written, with
// compressed objects, with other filters than Flate, with other attachments. It opens
// nothing else of the document, and takes time in proportion to its length.
func PDFAttachment(raw []byte, name string, most int) ([]byte, error) {
	p := pdfReader{raw: raw}
	content, err := p.attachment(name, most)
	if err != nil {
		return nil, fmt.Errorf("PDF: %w", err)
	}
	return content, nil
}

// IsPDF reports whether a file says that it is one.
func IsPDF(raw []byte) bool { return bytes.HasPrefix(raw, []byte("%PDF-")) }

type (
	pdfName string
	pdfDict map[pdfName]any
	pdfRef  int // number of an object; generations other than 0 are refused
	// pdfStream is where a stream's bytes begin, behind its dictionary.
	pdfStream struct {
		dict pdfDict
		at   int
	}
)

type pdfReader struct {
	raw     []byte
	offsets []int // of objects by number, -1 for free
	at      int   // of what is read next
}

func (p *pdfReader) attachment(name string, most int) ([]byte, error) {
	switch {
	case !IsPDF(p.raw):
		return nil, errors.New("it does not begin with %PDF-")
	case len(p.raw) > MaxPDF:
		return nil, fmt.Errorf("it has %d bytes, more than %d", len(p.raw), MaxPDF)
	}
	trailer, err := p.references()
	if err != nil {
		return nil, err
	}
	files, err := p.embedded(trailer)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no file is attached to it: an order's PDF carries %s; ask for the original", name)
	}
	if len(files) > 2 {
		return nil, fmt.Errorf("%d files are attached to it: take %s out with a PDF reader, if you know which one is meant", len(files)/2, name)
	}
	spec, err := p.dict(files[1], "the attached file")
	if err != nil {
		return nil, err
	}
	if have := pdfText(spec, "UF", "F"); have != name {
		return nil, fmt.Errorf("the attached file is %.80q and not %s", have, name)
	}
	ef, err := p.dict(spec["EF"], "the attached file's EF")
	if err != nil {
		return nil, err
	}
	ref, ok := ef["F"].(pdfRef)
	if !ok {
		return nil, errors.New("the attached file has no content")
	}
	return p.stream(ref, most)
}

// references reads the one table of references and the trailer.
func (p *pdfReader) references() (pdfDict, error) {
	tail := bytes.TrimRight(p.raw, "\r\n\x00 ")
	if !bytes.HasSuffix(tail, []byte("%%EOF")) {
		return nil, errors.New("its end is missing: it was cut off, or something was put behind it")
	}
	start := bytes.LastIndex(tail, []byte("startxref"))
	if start < 0 || len(tail)-start > 64 {
		return nil, errors.New("it has no startxref at its end")
	}
	p.at = start + len("startxref")
	offset, ok := p.number()
	if !ok || offset < 0 || offset >= start {
		return nil, errors.New("its startxref leads nowhere")
	}
	p.at = offset
	if !p.word("xref") {
		return nil, errors.New("its references are compressed (a cross-reference stream), which this program does not read")
	}
	first, ok := p.number()
	count, okCount := p.number()
	if !ok || !okCount || first != 0 || count < 1 || count > maxPDFObjects {
		return nil, errors.New("its table of references is not one piece from 0 on: it was changed after it was written")
	}
	for range count {
		offset, ok := p.number()
		generation, okGeneration := p.number()
		switch {
		case !ok || !okGeneration || offset < 0 || offset > len(p.raw):
			return nil, errors.New("its table of references is damaged")
		case p.word("n") && generation == 0:
			p.offsets = append(p.offsets, offset)
		case p.word("f"):
			p.offsets = append(p.offsets, -1)
		default:
			return nil, errors.New("its table of references is damaged")
		}
	}
	if !p.word("trailer") {
		return nil, errors.New("its table of references is not one piece: it was changed after it was written")
	}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	trailer, ok := v.(pdfDict)
	switch {
	case !ok:
		return nil, errors.New("it has no trailer")
	case trailer["Encrypt"] != nil:
		return nil, errors.New("it is encrypted: open it with its password in a PDF reader and take the attached file out there")
	case trailer["Prev"] != nil || trailer["XRefStm"] != nil:
		return nil, errors.New("it was changed after it was written: take the attached file out with a PDF reader")
	}
	return trailer, nil
}

// embedded are names and files of the document's attachments, by turns.
func (p *pdfReader) embedded(trailer pdfDict) ([]any, error) {
	catalog, err := p.dict(trailer["Root"], "the catalogue")
	if err != nil {
		return nil, err
	}
	var at any = catalog
	for _, key := range []pdfName{"Names", "EmbeddedFiles"} {
		d, err := p.dict(at, "the catalogue's "+string(key))
		if err != nil {
			return nil, err
		}
		if at = d[key]; at == nil {
			return nil, nil
		}
	}
	tree, err := p.dict(at, "the list of attached files")
	if err != nil {
		return nil, err
	}
	if tree["Kids"] != nil {
		return nil, errors.New("its list of attached files has branches, which this program does not read: take the file out with a PDF reader")
	}
	names, ok := tree["Names"].([]any)
	if !ok && tree["Names"] != nil || len(names)%2 != 0 {
		return nil, errors.New("its list of attached files is damaged")
	}
	return names, nil
}

// dict is a dictionary, there or where a reference leads.
func (p *pdfReader) dict(v any, what string) (pdfDict, error) {
	if ref, ok := v.(pdfRef); ok {
		var err error
		if v, err = p.object(ref); err != nil {
			return nil, err
		}
	}
	d, ok := v.(pdfDict)
	if !ok {
		return nil, fmt.Errorf("%s is no dictionary", what)
	}
	return d, nil
}

// object reads the object of a number.
func (p *pdfReader) object(ref pdfRef) (any, error) {
	if int(ref) >= len(p.offsets) || ref < 1 || p.offsets[ref] < 0 {
		return nil, fmt.Errorf("object %d is not there", ref)
	}
	p.at = p.offsets[ref]
	number, ok := p.number()
	generation, okGeneration := p.number()
	if !ok || !okGeneration || number != int(ref) || generation != 0 || !p.word("obj") {
		return nil, fmt.Errorf("object %d does not begin where the table of references says", ref)
	}
	v, err := p.value(0)
	if err != nil {
		return nil, fmt.Errorf("object %d: %w", ref, err)
	}
	if d, ok := v.(pdfDict); ok && p.word("stream") {
		// The keyword ends with a line feed, or a carriage return and a line feed.
		p.at += len(p.raw[p.at:]) - len(bytes.TrimPrefix(p.raw[p.at:], []byte("\r")))
		if p.at >= len(p.raw) || p.raw[p.at] != '\n' {
			return nil, fmt.Errorf("object %d: its stream does not begin", ref)
		}
		return pdfStream{d, p.at + 1}, nil
	}
	if !p.word("endobj") {
		return nil, fmt.Errorf("object %d does not end", ref)
	}
	return v, nil
}

// stream gives the content of an embedded file.
func (p *pdfReader) stream(ref pdfRef, most int) ([]byte, error) {
	v, err := p.object(ref)
	if err != nil {
		return nil, err
	}
	s, ok := v.(pdfStream)
	if !ok || s.dict["Type"] != pdfName("EmbeddedFile") {
		return nil, errors.New("the attached file's content is no embedded file")
	}
	length, ok := s.dict["Length"].(int)
	if !ok || length < 0 || length > len(p.raw)-s.at {
		return nil, errors.New("the attached file has no length of its own, or one beyond the document")
	}
	p.at = s.at + length
	if !p.word("endstream") {
		return nil, errors.New("the attached file does not end where its length says")
	}
	content := p.raw[s.at : s.at+length]
	switch {
	case s.dict["DecodeParms"] != nil || s.dict["F"] != nil:
		return nil, errors.New("the attached file lies elsewhere or is packed by parameters, which this program does not read")
	case s.dict["Filter"] == pdfName("FlateDecode"):
		if content, err = inflate(content, most); err != nil {
			return nil, err
		}
	case s.dict["Filter"] != nil:
		return nil, fmt.Errorf("the attached file is packed by %.80v, this program reads FlateDecode", s.dict["Filter"])
	}
	if len(content) > most {
		return nil, fmt.Errorf("the attached file has more than %d bytes", most)
	}
	if params, ok := s.dict["Params"].(pdfDict); ok {
		if size, ok := params["Size"].(int); ok && size != len(content) {
			return nil, fmt.Errorf("the attached file has %d bytes and says %d", len(content), size)
		}
	}
	return content, nil
}

func inflate(packed []byte, most int) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("the attached file cannot be unpacked: %w", err)
	}
	content, err := io.ReadAll(io.LimitReader(z, int64(most)+1))
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("the attached file cannot be unpacked: %w", err)
	}
	return content, nil
}

// pdfText is the first of these fields that is a text with something in it.
func pdfText(d pdfDict, keys ...pdfName) string {
	for _, k := range keys {
		s, _ := d[k].(string)
		if rest, ok := bytes.CutPrefix([]byte(s), []byte("\xfe\xff")); ok && len(rest)%2 == 0 {
			units := make([]uint16, len(rest)/2)
			for i := range units {
				units[i] = uint16(rest[2*i])<<8 | uint16(rest[2*i+1])
			}
			s = string(utf16.Decode(units))
		}
		if s != "" {
			return s
		}
	}
	return ""
}

func pdfSpace(b byte) bool { return bytes.IndexByte([]byte("\x00\t\n\f\r "), b) >= 0 }

func pdfDelimiter(b byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), b) >= 0 }

// skip passes white space and comments.
func (p *pdfReader) skip() {
	for p.at < len(p.raw) {
		switch b := p.raw[p.at]; {
		case pdfSpace(b):
			p.at++
		case b == '%':
			for p.at < len(p.raw) && p.raw[p.at] != '\n' && p.raw[p.at] != '\r' {
				p.at++
			}
		default:
			return
		}
	}
}

// token is a run of ordinary characters, bounded, without moving past it.
func (p *pdfReader) token() []byte {
	p.skip()
	end := p.at
	for end < len(p.raw) && end-p.at < 128 && !pdfSpace(p.raw[end]) && !pdfDelimiter(p.raw[end]) {
		end++
	}
	return p.raw[p.at:end]
}

// word passes a keyword, if it stands here.
func (p *pdfReader) word(s string) bool {
	if string(p.token()) != s {
		return false
	}
	p.at += len(s)
	return true
}

// number passes a whole number, if one stands here.
func (p *pdfReader) number() (int, bool) {
	t := p.token()
	n, err := strconv.Atoi(string(t))
	if err != nil {
		return 0, false
	}
	p.at += len(t)
	return n, true
}

// value reads one value: of a reference its number, of a number that is not whole 0.
func (p *pdfReader) value(depth int) (any, error) {
	if depth > maxPDFDepth {
		return nil, fmt.Errorf("values lie more than %d deep", maxPDFDepth)
	}
	p.skip()
	if p.at >= len(p.raw) {
		return nil, io.ErrUnexpectedEOF
	}
	switch rest := p.raw[p.at:]; {
	case rest[0] == '/':
		return p.name()
	case rest[0] == '(':
		return p.literal()
	case bytes.HasPrefix(rest, []byte("<<")):
		p.at += 2
		return p.dictionary(depth)
	case rest[0] == '<':
		return p.hex()
	case rest[0] == '[':
		p.at++
		return p.array(depth)
	}
	if n, ok := p.number(); ok {
		// Two numbers and an R are a reference.
		here := p.at
		if generation, ok := p.number(); ok && generation == 0 && p.word("R") {
			return pdfRef(n), nil
		}
		p.at = here
		return n, nil
	}
	t := p.token()
	p.at += len(t)
	switch string(t) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if _, err := strconv.ParseFloat(string(t), 64); err != nil {
		return nil, fmt.Errorf("%.40q is no value", t)
	}
	return 0.0, nil
}

func (p *pdfReader) array(depth int) (any, error) {
	out := []any{}
	for {
		p.skip()
		switch {
		case p.at >= len(p.raw):
			return nil, io.ErrUnexpectedEOF
		case p.raw[p.at] == ']':
			p.at++
			return out, nil
		case len(out) >= maxPDFElements:
			return nil, fmt.Errorf("an array has more than %d elements", maxPDFElements)
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

func (p *pdfReader) dictionary(depth int) (any, error) {
	out := pdfDict{}
	for {
		p.skip()
		switch {
		case bytes.HasPrefix(p.raw[p.at:], []byte(">>")):
			p.at += 2
			return out, nil
		case len(out) >= maxPDFElements:
			return nil, fmt.Errorf("a dictionary has more than %d entries", maxPDFElements)
		case p.at >= len(p.raw) || p.raw[p.at] != '/':
			return nil, errors.New("a dictionary is damaged")
		}
		key, err := p.name()
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("a dictionary has the entry %.40q twice", string(key))
		}
		if out[key], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
}

// name reads a name. Those that matter here need no escapes, so one is refused.
func (p *pdfReader) name() (pdfName, error) {
	p.at++
	end := p.at
	for end < len(p.raw) && !pdfSpace(p.raw[end]) && !pdfDelimiter(p.raw[end]) {
		end++
	}
	n := pdfName(p.raw[p.at:end])
	p.at = end
	if len(n) > 127 || bytes.IndexByte([]byte(n), '#') >= 0 {
		return "", errors.New("a name has an escape or is too long")
	}
	return n, nil
}

// literal reads a text in brackets (ISO 32000-1, 7.3.4.2).
func (p *pdfReader) literal() (any, error) {
	p.at++
	var out []byte
	for open := 1; p.at < len(p.raw); p.at++ {
		b := p.raw[p.at]
		switch b {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				p.at++
				return string(out), nil
			}
		case '\\':
			p.at++
			if p.at >= len(p.raw) {
				return nil, io.ErrUnexpectedEOF
			}
			b = p.raw[p.at]
			if i := bytes.IndexByte([]byte("nrtbf"), b); i >= 0 {
				b = "\n\r\t\b\f"[i]
			} else if b >= '0' && b <= '9' || b == '\r' || b == '\n' {
				return nil, errors.New("a text has escapes that this program does not read")
			}
		}
		out = append(out, b)
	}
	return nil, io.ErrUnexpectedEOF
}

// hex reads a text in hexadecimal digits, of which only its being one matters.
func (p *pdfReader) hex() (any, error) {
	end := bytes.IndexByte(p.raw[p.at:], '>')
	if end < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	p.at += end + 1
	return "", nil
}
