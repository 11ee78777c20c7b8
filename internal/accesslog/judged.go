package accesslog

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"
)

// Judged lists the files of a server, so that an access can be told as one to
// judged content. Only what a person judged, or a comparison with known content
// found, belongs on it as judged.
type Judged struct {
	files map[string]bool // canonical path; true for judged
	n     int
}

// What a path's mark says.
const (
	onList     uint16 = 1
	judgedMark uint16 = 2
	seenBare   uint16 = 4 // the path came without a query, so its URL is in the estimate
)

// ParseJudged reads a list: a path of the server in each line, and after a tab
// or comma "judged" (which a line without a word means) or "other" for a file
// that is known to be there and was judged to be something else. An error names
// the line by its number.
func ParseJudged(list []byte) (*Judged, error) {
	j := &Judged{files: map[string]bool{}}
	no := 0
	for line := range strings.Lines(strings.TrimPrefix(string(list), "\ufeff")) {
		no++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, word := line, ""
		if i := strings.LastIndexAny(line, "\t,"); i >= 0 {
			switch w := strings.ToLower(strings.TrimSpace(line[i+1:])); w {
			case "judged", "other":
				name, word = line[:i], w
			default:
				if line[i] == '\t' {
					return nil, fmt.Errorf("line %d: after the path stands judged, other, or nothing", no)
				}
			}
		}
		if !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0 {
			return nil, fmt.Errorf("line %d is no UTF-8 text", no)
		}
		key := canonicalPath(strings.TrimSpace(name))
		if judged := word != "other"; judged || !j.files[key] {
			j.files[key] = judged
		}
	}
	if len(j.files) == 0 {
		return nil, fmt.Errorf("the list names no path; write one path a line, such as /video/1.mp4")
	}
	for _, judged := range j.files {
		if judged {
			j.n++
		}
	}
	return j, nil
}

// canonicalPath is the file a path resolves to: decoded once, without query and
// parameters, dots resolved, from the root.
func canonicalPath(p string) string {
	p, _, _ = strings.Cut(p, "?")
	p, _, _ = strings.Cut(p, "#")
	if s, after, ok := strings.Cut(p, "://"); ok && !strings.Contains(s, "/") {
		_, p, _ = strings.Cut(after, "/")
	}
	if d, err := url.PathUnescape(p); err == nil {
		p = d
	}
	return path.Clean("/" + p)
}

// mark says what the list knows of a path.
func (j *Judged) mark(p []byte) uint16 {
	if j == nil {
		return 0
	}
	key := canonicalPath(unescape(string(p)))
	judged, ok := j.files[key]
	if !ok {
		// A server answers a directory with its index.
		for _, index := range []string{"index.html", "index.htm", "index.php"} {
			if judged, ok = j.files[path.Join(key, index)]; ok {
				break
			}
		}
	}
	switch {
	case judged:
		return onList | judgedMark
	case ok:
		return onList
	}
	return 0
}
