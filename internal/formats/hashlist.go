package formats

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"concert"
	"concert/internal/match"
	"concert/pdq"
)

// hashLineMost is the longest line of a list that is read.
const hashLineMost = 64 << 10

// hashNames are what lists call the kinds of hashes: pytx, Tech Against Terrorism,
// ThreatExchange, STIX and MISP among them. Ask [hashKind].
var hashNames = map[string]concert.HashKind{
	"pdq": concert.HashPDQ, "vpdq": concert.HashVPDQ, "sha256": concert.HashSHA256, "videosha256": concert.HashSHA256, "sha1": concert.HashSHA1, "md5": concert.HashMD5, "videomd5": concert.HashMD5,
	"sha512": concert.HashSHA512, "tmk": concert.HashTMK, "tmkpdqf": concert.HashTMK, "tlsh": concert.HashTLSH, "texttlsh": concert.HashTLSH, "photodna": concert.HashPhotoDNA,
}

// hashKind is the kind that a list means by a name, in any letters, with or
// without hyphens and underscores; "" for none known here.
func hashKind(name string) concert.HashKind {
	if kind := hashNames[name]; kind != "" {
		return kind
	}
	return hashNames[strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)]
}

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
		k, why := knownIn(line, n)
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

// knownIn are the hashes of a line that can be compared; those before a faulty
// one stand.
func knownIn(line string, n int) (match.Known, error) {
	k := match.Known{Name: fmt.Sprintf("line %d", n)}
	name, found, err := hashesIn(line)
	if err != nil {
		return k, err
	}
	k.Name = cmp.Or(name, k.Name)
	for _, h := range found {
		if h.Quality >= 0 && h.Quality < pdq.QualityLeast {
			continue // it would match too much
		}
		if h.Kind == concert.HashVPDQ {
			k.Frames, err = match.ReadFrameList(strings.NewReader(h.Value))
		} else {
			k, err = k.With(match.HashKind(h.Kind), h.Value)
		}
		if err != nil {
			return k, err
		}
	}
	if k.Sound, err = soundIn(line); err != nil {
		return k, err
	}
	if !k.Says() {
		return k, fmt.Errorf("the object has no pdq, sha256, sha1, md5, chromaprint or value")
	}
	return k, nil
}

// soundIn is the fingerprint of a line of concert hash, if it has one.
func soundIn(line string) (match.Sound, error) {
	var o struct {
		Chromaprint string `json:"chromaprint"`
	}
	if line[0] != '{' || json.Unmarshal([]byte(line), &o) != nil || o.Chromaprint == "" {
		return nil, nil
	}
	return match.ParseSound(o.Chromaprint)
}

// hashesIn are the hashes of a line as they stand there, unchecked, and its name.
func hashesIn(line string) (name string, found []concert.KnownHash, err error) {
	if line[0] != '{' {
		kind, value, name, err := hashInText(line)
		return name, []concert.KnownHash{{Kind: kind, Value: value, Quality: -1}}, err
	}
	var o bankRow
	if why := decode([]byte(line), &o); why != "" {
		return "", nil, fmt.Errorf("it begins like a JSON object and is none: it %s", why)
	}
	found, err = o.hashes()
	return string(cmp.Or(o.Name, o.File)), found, err
}

// hashInText reads "type value name…", or "value name…" where the number of
// digits says the type: 64 are taken for PDQ, as in pytx's lists. The value of
// vpdq is a list in JSON.
func hashInText(line string) (kind concert.HashKind, value, name string, err error) {
	parted := func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' }
	rest := strings.TrimLeftFunc(line, parted)
	if rest == "" {
		return "", "", "", fmt.Errorf("there is nothing but separators")
	}
	next := func() (word string) {
		end := strings.IndexFunc(rest, parted)
		if end < 0 {
			end = len(rest)
		}
		word, rest = rest[:end], strings.TrimLeftFunc(rest[end:], parted)
		return word
	}
	value = next()
	kind = hashKind(value)
	if kind != "" {
		value = next()
	}
	if value == "" {
		return "", "", "", fmt.Errorf("the hash is missing")
	}
	if value[0] == '[' {
		list := line[strings.IndexByte(line, '['):]
		if end := strings.IndexByte(list, ']'); end > 0 {
			value, rest = list[:end+1], list[end+1:]
		}
	}
	if kind == "" {
		kind = map[int]concert.HashKind{40: concert.HashSHA1, 32: concert.HashMD5}[len(value)]
		kind = cmp.Or(kind, concert.HashPDQ)
	}
	return kind, value, strings.Join(strings.FieldsFunc(rest, parted), " "), nil
}
