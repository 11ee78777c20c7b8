package accesslog

import (
	"bytes"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What stands for a part that was taken out.
const (
	redactedMail    = "[e-mail]"
	redactedAddress = "[address]"
	redactedToken   = "[token]"
	redactedNumber  = "[number]"
	redactedUser    = "[user]"
	redactedValue   = "[value]"
)

// redactionRule is the rule of redactPath in words, for the report.
const redactionRule = "Queries are cut off. In a path, each part between slashes is tried as it stands and percent-decoded twice: an e-mail address, an IPv4 or IPv6 address, " +
	"a value after “=” or “;”, a name after “~” or after a part such as user, profile, member, account or author, nine digits in a row, and a run of 16 or more letters and digits " +
	"that is hexadecimal or changes between letters, digits or cases as tokens do are each replaced by a word in brackets."

// Redact gives a path, as a log has it, as it may be shown.
func Redact(path string) string {
	path = unescape(path)
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	path = printable(path)
	rest, scheme := path, ""
	if s, after, ok := strings.Cut(path, "://"); ok && len(s) < 16 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789+-.") == "" {
		scheme, rest = s+"://", after
		host, tail, slash := strings.Cut(rest, "/")
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			host = host[i+1:]
		}
		rest = redactHost(host)
		if slash {
			rest += "/" + redactParts(tail)
		}
		return scheme + rest
	}
	return redactParts(path)
}

// printable replaces what is no text.
func printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '�'
		}
		return r
	}, s)
}

// unescape takes back what servers write for what they would not write plainly:
// \", \\ and \xHH (Apache httpd's ap_escape_logitem; nginx's default).
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		if s[i+1] == 'x' && i+3 < len(s) && hexadecimal(s[i+2:i+4]) {
			v, _ := strconv.ParseUint(s[i+2:i+4], 16, 8) // two hexadecimal digits always are a byte
			out = append(out, byte(v))
			i += 3
			continue
		}
		if s[i+1] == '"' || s[i+1] == '\\' {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}

func redactHost(host string) string {
	bare := strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(bare); err == nil || host == redactedAddress {
		return redactedAddress
	}
	if name, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
		if _, err := netip.ParseAddr(name); err == nil {
			return redactedAddress
		}
	}
	if strings.HasPrefix(host, "[") {
		return redactedAddress
	}
	if hasQuad(host) {
		return redactedAddress
	}
	labels := strings.Split(host, ".")
	for i, l := range labels {
		labels[i] = redactPart(l, false)
	}
	return strings.Join(labels, ".")
}

func redactParts(path string) string {
	parts := strings.Split(path, "/")
	owner, changed := false, false
	for i, p := range parts {
		parts[i] = redactPart(p, owner)
		changed = changed || parts[i] != p
		owner = owns(p)
	}
	if !changed {
		return path
	}
	return strings.Join(parts, "/")
}

// owns reports whether the next part of a path names a person.
func owns(part string) bool {
	switch strings.ToLower(part) {
	case "user", "users", "u", "profile", "profiles", "member", "members", "account", "accounts", "author", "authors", "home", "people":
		return true
	}
	return false
}

// isPage reports whether the part is a file of a site by its ending.
func isPage(part string) bool {
	switch i := strings.LastIndexByte(part, '.'); strings.ToLower(part[i+1:]) {
	case "html", "htm", "php", "asp", "aspx", "jsp", "cgi", "css", "js", "json", "xml", "txt", "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "mp4", "webm", "mp3", "pdf", "zip":
		return i > 0
	}
	return false
}

// harmless reports whether a part is beyond doubt: too short, of too few digits
// and with too few marks between them to be any of what redactPart looks for.
func harmless(p string) bool {
	digits, marks := 0, 0
	for i := range len(p) {
		switch c := p[i]; {
		case digit(c):
			digits++
		case c == '.', c == '-', c == '_':
			marks++
		case c|0x20 < 'a' || c|0x20 > 'z':
			return false
		}
	}
	return len(p) < 16 && digits < 9 && marks < 3
}

func redactPart(p string, owner bool) string {
	if !owner && harmless(p) {
		return p
	}
	return redactDoubtful(p, owner)
}

func redactDoubtful(p string, owner bool) string {
	if p == "" || p[0] == '[' && p[len(p)-1] == ']' && strings.IndexByte(p[1:], '[') < 0 {
		switch p {
		case "", redactedMail, redactedAddress, redactedToken, redactedNumber, redactedUser, redactedValue:
			return p
		}
	}
	plain := p
	for range 2 {
		if d, err := url.PathUnescape(plain); err == nil {
			plain = d
		}
	}
	if strings.IndexByte(plain, '@') >= 0 && len(plain) > 1 {
		return redactedMail
	}
	if a, err := netip.ParseAddr(strings.Trim(plain, "[]")); err == nil && (a.Is4() || len(plain) > 2) {
		return redactedAddress
	}
	if hasQuad(plain) || hasSix(plain) {
		return redactedAddress
	}
	if strings.HasPrefix(plain, "~") && len(plain) > 1 {
		return "~" + redactedUser
	}
	if owner && plain != "" && !isPage(plain) {
		return redactedUser
	}
	if plain != p && strings.ContainsAny(plain, "/\\?&") {
		// An encoded path or query inside a part: each of its pieces is a part of its own.
		for _, piece := range strings.FieldsFunc(plain, func(r rune) bool { return strings.ContainsRune("/\\?&", r) }) {
			if redactPart(piece, false) != piece {
				return redactedValue
			}
		}
	}
	if i := strings.IndexAny(plain, ";="); i >= 0 && i+1 < len(plain) {
		if plain[i+1:] == redactedValue && looksLike(plain[:i]) == "" {
			return p
		}
		return strings.NewReplacer("/", "%2F", "?", "%3F").Replace(redactPart(printable(plain[:i]), false)) + plain[i:i+1] + redactedValue
	}
	if what := looksLike(plain); what != "" {
		return what
	}
	return p
}

// looksLike names what a run of letters and digits in the part looks like.
func looksLike(s string) string {
	if n := strings.Count(s, "-"); len(s)-n >= 32 && n <= 4 && hexadecimal(strings.ReplaceAll(s, "-", "")) {
		return redactedToken
	}
	for run := range strings.FieldsFuncSeq(s, func(r rune) bool { return !(r < 128 && (digit(byte(r)) || byte(r)|0x20 >= 'a' && byte(r)|0x20 <= 'z')) }) {
		digits, changes, longest, row := 0, 0, 0, 0
		for i := range len(run) {
			if digit(run[i]) {
				digits++
				row++
				longest = max(longest, row)
			} else {
				row = 0
			}
			if i > 0 && class(run[i]) != class(run[i-1]) && !(i == 1 && class(run[i]) == 2) {
				changes++
			}
		}
		switch {
		case len(run) >= 16 && (digits > 0 && digits < len(run) && hexadecimal(run) || changes >= 4 || len(run) >= 24 && changes >= 3):
			return redactedToken
		case longest >= 9:
			return redactedNumber
		}
	}
	return ""
}

func class(b byte) int {
	switch {
	case digit(b):
		return 0
	case b >= 'A' && b <= 'Z':
		return 1
	}
	return 2
}

func hexadecimal(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) && (s[i]|0x20 < 'a' || s[i]|0x20 > 'f') {
			return false
		}
	}
	return len(s) > 0
}

// hasQuad reports whether a dotted quad stands anywhere in the text, with dots
// or with hyphens, as names of connections have it.
func hasQuad(s string) bool {
	for _, sep := range []byte{'.', '-', '_'} {
		if strings.Count(s, string(sep)) < 3 {
			continue
		}
		run := 0 // groups of digits in a row
		for piece := range strings.SplitSeq(s, string(sep)) {
			// The first and the last group may touch other letters.
			tail := len(piece) - len(strings.TrimRight(piece, "0123456789"))
			head := len(piece) - len(strings.TrimLeft(piece, "0123456789"))
			switch {
			case head == len(piece) && head > 0 && head <= 3:
				run++
			case run >= 3 && head > 0 && head <= 3:
				return true
			case tail > 0 && tail <= 3:
				run = 1
			default:
				run = 0
			}
			if run >= 4 {
				return true
			}
		}
	}
	return false
}

// hasSix reports whether an IPv6 address stands in the text.
func hasSix(s string) bool {
	if strings.Count(s, ":") < 2 {
		return false
	}
	for f := range strings.FieldsFuncSeq(s, func(r rune) bool { return r != ':' && r != '.' && !(r < 128 && hexadecimal(string(r))) }) {
		if a, err := netip.ParseAddr(strings.Trim(f, ".")); err == nil && a.Is6() {
			return true
		}
	}
	return false
}

// campaignOf finds the value of utm_campaign in a query.
func campaignOf(query []byte) []byte {
	i := bytes.Index(query, []byte("utm_campaign="))
	if i < 0 || i > 0 && query[i-1] != '&' && query[i-1] != '?' && query[i-1] != ';' {
		return nil
	}
	v := query[i+len("utm_campaign="):]
	if j := bytes.IndexAny(v, "&;#"); j >= 0 {
		v = v[:j]
	}
	return v
}

// redactCampaign keeps the only value of a query that is kept: a name of at most
// 40 letters, digits, hyphens and underscores that looks like nothing personal.
func redactCampaign(v string) string {
	if len(v) > 40 || v == "" {
		return redactedValue
	}
	for _, r := range v {
		if r >= 128 || !(digit(byte(r)) || r|0x20 >= 'a' && r|0x20 <= 'z' || strings.ContainsRune("-_. +", r)) {
			return redactedValue
		}
	}
	if redactPart(v, false) != v {
		return redactedValue
	}
	return v
}
