package formats

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"concert/internal/match"
	"concert/pdq"
)

// hashLineMost is the longest line of a list that is read.
const hashLineMost = 64 << 10

// hashNames are what lists call the kinds of hashes, pytx's and Tech Against
// Terrorism's among them.
var hashNames = map[string]match.HashKind{"pdq": match.HashPDQ, "sha256": match.HashSHA256, "video_sha256": match.HashSHA256, "sha1": match.HashSHA1, "md5": match.HashMD5, "video_md5": match.HashMD5}

// HashFault is a line of a list that says no hash, and why.
type HashFault struct {
	Line int
	Why  string
}

// ReadHashList reads a list of known hashes: one a line as pytx's local files
// have them ("pdq f8f8…", or the hash alone), with a name behind it if there is
// one, columns parted by blanks, commas or semicolons; or one JSON object a line,
// as concert hash prints them, or {"type", "value", "name"}. Empty lines, comments
// (#) and a line of column names are passed over. A line that is none of these is
// a fault, and the rest goes on. The error is the reader's own.
func ReadHashList(r io.Reader) (known []match.Known, faults []HashFault, err error) {
	lines := bufio.NewReaderSize(r, hashLineMost)
	for n := 1; ; n++ {
		raw, tooLong, err := lines.ReadLine()
		if err == io.EOF {
			return known, faults, nil
		}
		if err != nil {
			return known, faults, fmt.Errorf("line %d: %w", n, err)
		}
		if tooLong {
			faults = append(faults, HashFault{n, fmt.Sprintf("the line is longer than %d kB", hashLineMost>>10)})
			for tooLong && err == nil {
				_, tooLong, err = lines.ReadLine()
			}
			if err != nil && err != io.EOF {
				return known, faults, fmt.Errorf("line %d: %w", n, err)
			}
			continue
		}
		line := strings.TrimSpace(strings.TrimPrefix(string(raw), "\ufeff"))
		if line == "" || line[0] == '#' || n == 1 && isHashHeader(line) {
			continue
		}
		k, why := hashesIn(line, n)
		if why != nil {
			faults = append(faults, HashFault{n, why.Error()})
		}
		if k.Says() {
			known = append(known, k)
		}
	}
}

// isHashHeader tells the names of columns from a hash.
func isHashHeader(line string) bool {
	return line[0] != '{' && !strings.ContainsAny(line, "0123456789") && strings.Contains(strings.ToLower(line), "type")
}

// hashObject is a line in JSON.
type hashObject struct {
	Type    string `json:"type"` // of a hash; of a file its media type
	Value   string `json:"value"`
	Name    string `json:"name"`
	File    string `json:"file"`
	PDQ     string `json:"pdq"`
	Quality *int   `json:"pdq_quality"`
	SHA256  string `json:"sha256"`
	SHA1    string `json:"sha1"`
	MD5     string `json:"md5"`

	Chromaprint string `json:"chromaprint"`
}

// hashesIn are the hashes of a line; those before a faulty one stand.
func hashesIn(line string, n int) (match.Known, error) {
	if line[0] != '{' {
		return hashInText(line, n)
	}
	k := match.Known{Name: fmt.Sprintf("line %d", n)}
	var o hashObject
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		return k, fmt.Errorf("it begins like a JSON object and is none: %w", err)
	}
	k.Name = cmp.Or(o.Name, o.File, k.Name)
	if o.Value != "" {
		return k.With(cmp.Or(hashNames[strings.ToLower(o.Type)], match.HashKind(o.Type)), o.Value)
	}
	if o.Quality != nil && *o.Quality < pdq.QualityLeast {
		o.PDQ = "" // it would match too much
	}
	for _, h := range []struct {
		kind match.HashKind
		hash string
	}{{match.HashPDQ, o.PDQ}, {match.HashSHA256, o.SHA256}, {match.HashSHA1, o.SHA1}, {match.HashMD5, o.MD5}} {
		if h.hash == "" {
			continue
		}
		var err error
		if k, err = k.With(h.kind, h.hash); err != nil {
			return k, err
		}
	}
	if o.Chromaprint != "" {
		var err error
		if k.Sound, err = match.ParseSound(o.Chromaprint); err != nil {
			return k, err
		}
	}
	if !k.Says() {
		return k, fmt.Errorf("the object has no pdq, sha256, sha1, md5, chromaprint or value")
	}
	return k, nil
}

// hashInText reads "type value name…", or "value name…" where the number of
// digits says the type: 64 are taken for PDQ, as in pytx's lists.
func hashInText(line string, n int) (match.Known, error) {
	k := match.Known{Name: fmt.Sprintf("line %d", n)}
	parts := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
	if len(parts) == 0 {
		return k, fmt.Errorf("there is nothing but separators")
	}
	kind, named := hashNames[strings.ToLower(parts[0])]
	if named {
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return k, fmt.Errorf("the hash is missing")
	}
	if !named {
		kind = map[int]match.HashKind{40: match.HashSHA1, 32: match.HashMD5}[len(parts[0])]
		kind = cmp.Or(kind, match.HashPDQ)
	}
	if len(parts) > 1 {
		k.Name = strings.Join(parts[1:], " ")
	}
	return k.With(kind, parts[0])
}
