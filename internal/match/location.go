package match

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kind is the nature of a place. The list is closed.
type Kind string

// The kinds of places. Web covers every page or file that no platform rule makes something narrower.
const (
	Web        Kind = "web"
	Onion      Kind = "onion"
	Channel    Kind = "channel"
	Message    Kind = "message"
	Account    Kind = "account"
	App        Kind = "app"
	Extension  Kind = "extension"
	Newsletter Kind = "newsletter"
	Stream     Kind = "stream"
	Bot        Kind = "bot"
)

// MaxInput is the longest text, in bytes, that Locate reads.
const MaxInput = 4096

// Location is a place: a kind plus an id. All text is ASCII; see the package comment for the canonical form.
type Location struct {
	Kind              Kind
	Canonical         string // the duplicate key; Locate reads it back
	Platform          string // "telegram", "youtube", ... or the registrable domain; "" for none
	ObjectID          string // the platform's own id: video, channel, message, account; "" where no rule names one
	RegistrableDomain string // eTLD+1 by the public suffix list, "" where there is none
	Host              string // ASCII host without port, "" where there is none
	Display           string // defanged, safe on a page: "hxxps://t[.]me/..."
	Visibility        string // channel and message only: "public", "private", "invite"
}

// String is the canonical text. Locate(l.String()) gives l again.
func (l Location) String() string { return l.Canonical }

// LocationError says why a text is no location.
type LocationError struct {
	Code    string // stable: "location.empty", "location.credentials", "location.homograph", ...
	Message string // one sentence with the way out, safe for the person who typed the text
	Form    string // Message before Args were put into it, for whoever says it in another language
	Args    []any
	Input   string // the text, cut to 120 bytes, control characters replaced
}

// Error is the message with the quoted input.
func (e *LocationError) Error() string {
	if e.Input == "" {
		return e.Message
	}
	return fmt.Sprintf("%s (input %q)", e.Message, e.Input)
}

// refuse builds the error; Locate fills the input in.
func refuse(code, format string, args ...any) *LocationError {
	return &LocationError{Code: "location." + code, Message: fmt.Sprintf(format, args...), Form: format, Args: args}
}

// clip cuts a text to at most 120 bytes on a rune boundary and replaces what must not reach a terminal or a log.
func clip(s string) string {
	const limit = 120
	cut := len(s) > limit
	if cut {
		s = s[:limit]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, n := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && n == 1 {
			s = s[:len(s)-1]
		}
	}
	s = strings.Map(func(r rune) rune {
		if isControl(r) || isInvisible(r) || r == utf8.RuneError {
			return '\uFFFD'
		}
		return r
	}, s)
	if cut {
		s += "..."
	}
	return s
}

// defang makes an address that no mail program or page turns into a link: http becomes hxxp, dots of the host become [.].
func defang(address string) string {
	i := strings.Index(address, "://")
	if i < 0 {
		return strings.ReplaceAll(address, ".", "[.]")
	}
	scheme, rest := address[:i], address[i+3:]
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	var b strings.Builder
	b.Grow(len(address) + 8)
	b.WriteString(strings.Replace(scheme, "http", "hxxp", 1))
	b.WriteString("://")
	for j := range end {
		if rest[j] == '.' {
			b.WriteString("[.]")
			continue
		}
		b.WriteByte(rest[j])
	}
	// A further address inside the path or query, as web archives carry, must not become a link either.
	b.WriteString(strings.ReplaceAll(rest[end:], "://", "[://]"))
	return b.String()
}
