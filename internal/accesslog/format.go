package accesslog

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// format is how the lines of a file are read.
type format struct {
	name    string
	pattern string                     // of a custom format
	serial  bool                       // lines depend on lines above them, so blocks are cut in order
	inline  bool                       // records point into their lines only, so many may wait
	open    func(fields []byte) parser // a parser of its own for each worker
}

func (f format) known() bool { return f.open != nil }

// combinedFormat is one of the combined family.
func combinedFormat(name string, vhost, long, extra bool) format {
	return format{name: name, inline: true, open: func([]byte) parser {
		p := &combined{vhost: vhost, long: long, extra: extra}
		return p.parse
	}}
}

// formats are the formats that are told by a file's own lines, the more exact
// first.
func formats() []format {
	return []format{
		combinedFormat("combined", false, true, false),
		combinedFormat("common", false, false, false),
		combinedFormat("combined_vhost", true, true, false),
		combinedFormat("common_vhost", true, false, false),
		combinedFormat("combined_extra", false, true, true),
		combinedFormat("combined_vhost_extra", true, true, true),
		{name: "caddy_json", open: func([]byte) parser { return newJSONParser().parse }},
		{name: "nginx_json", open: func([]byte) parser { return newJSONParser().parse }},
		{name: "haproxy", open: func([]byte) parser { return new(haproxy).parse }},
		{name: "s3", open: func([]byte) parser { return new(s3).parse }},
		{name: "w3c", serial: true, open: func(f []byte) parser { return newW3C(f).parse }},
		{name: "cloudfront", serial: true, open: func(f []byte) parser { return newW3C(f).parse }},
	}
}

// FormatNames are the formats that can be named.
func FormatNames() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// CheckFormat says what is wrong with a format's name or pattern; empty is right.
func CheckFormat(s string) error {
	if s == "" {
		return nil
	}
	_, err := namedFormat(s)
	return err
}

// namedFormat is the format of a name, or of a pattern in the language of
// Apache's LogFormat or nginx's log_format.
func namedFormat(s string) (format, error) {
	for _, f := range formats() {
		if f.name == s {
			return f, nil
		}
	}
	if !strings.ContainsAny(s, "%$") {
		return format{}, fmt.Errorf("%q is no format; name one of %s, or give a pattern as in Apache's LogFormat or nginx's log_format", s, strings.Join(FormatNames(), ", "))
	}
	p, err := compilePattern(s)
	if err != nil {
		return format{}, err
	}
	return format{name: "custom", pattern: s, open: func([]byte) parser { return p.fresh().parse }}, nil
}

const (
	sniffBytes = 256 << 10
	sniffLines = 500
)

// IsLog reports whether a text begins as an access log of a known format does: nine
// of ten of its whole lines, of at most 500, can be read as accesses.
func IsLog(head []byte) bool {
	_, certain := sniff(head[:min(len(head), sniffBytes)], false)
	return certain
}

// IsLogFile is IsLog of a file, which may be compressed: not more of it is unpacked
// than is looked at. What cannot be unpacked is none; the error is the medium's alone.
func IsLogFile(r io.Reader) (bool, error) {
	raw := &counter{r: r}
	medium := func() error {
		if e := raw.e.Load(); e != nil {
			return *e
		}
		return nil
	}
	head := make([]byte, 6)
	n, _ := io.ReadFull(raw, head) // what ends it early shows below
	text, closing, err := unpack(magic(head[:n]), io.MultiReader(bytes.NewReader(head[:n]), raw))
	defer closing()
	if err != nil {
		return false, medium()
	}
	sample, _ := io.ReadAll(io.LimitReader(text, sniffBytes)) // what was unpacked before an error is as good a beginning as any
	_, certain := sniff(sample, len(sample) < sniffBytes)
	return certain, medium()
}

// sniff tells the format of a file by its first lines: the one that reads most
// of them. It is certain when that reads nine of ten, and no other as many.
func sniff(head []byte, whole bool) (best format, certain bool) {
	lines := sampleLines(head, whole)
	if len(lines) == 0 {
		return format{}, false
	}
	if bytes.HasPrefix(lines[0], []byte("#Fields:")) || bytes.HasPrefix(lines[0], []byte("#Software:")) || bytes.HasPrefix(lines[0], []byte("#Version:")) {
		return sniffW3C(lines), true
	}
	most := 0
	for _, f := range formats() {
		if f.serial {
			continue
		}
		n := 0
		parse := f.open(nil)
		for _, line := range lines {
			var r record
			if parse(line, &r) != Accepted {
				continue
			}
			if _, _, ok := parseAddress(r.addr, fixedHash); ok && (f.name != "caddy_json" || bytes.Contains(line, []byte(`"request":{`)) || bytes.Contains(line, []byte(`"request": {`))) {
				n++
			}
		}
		switch {
		case n > most:
			best, most = f, n
		}
	}
	return best, most*10 >= len(lines)*9
}

func sniffW3C(lines [][]byte) format {
	name := "w3c"
	for _, l := range lines {
		if bytes.HasPrefix(l, []byte("#Fields:")) && bytes.Contains(l, []byte("x-edge-")) {
			name = "cloudfront"
		}
	}
	list := formats()
	return list[slices.IndexFunc(list, func(f format) bool { return f.name == name })]
}

// sampleLines are the first lines that are not blank; the last of a head that
// is not the whole file may be cut and is left out.
func sampleLines(head []byte, whole bool) [][]byte {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	var lines [][]byte
	for len(head) > 0 && len(lines) < sniffLines {
		i := bytes.IndexByte(head, '\n')
		if i < 0 {
			if whole {
				lines = append(lines, bytes.TrimSuffix(head, []byte("\r")))
			}
			break
		}
		if line := bytes.TrimSuffix(head[:i], []byte("\r")); len(bytes.TrimSpace(line)) > 0 {
			lines = append(lines, line)
		}
		head = head[i+1:]
	}
	return lines
}
