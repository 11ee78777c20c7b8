package match

import (
	"strings"
	"unicode/utf8"
)

// Locate reads a text of one of the forms in the package comment. It never panics; an error is always a *[LocationError].
// Refused: empty and oversized texts, broken UTF-8, control and invisible characters, bad percent-encoding, credentials,
// schemes that name no public place, private and loopback hosts, hosts without a public suffix, look-alike names.
func Locate(input string) (Location, error) {
	l, err := locate(input)
	if err != nil {
		err.Input = clip(input)
		return Location{}, err
	}
	return l, nil
}

func locate(input string) (Location, *LocationError) {
	text := strings.Trim(input, " ")
	switch {
	case text == "":
		return Location{}, refuse("empty", "the location is empty; give an address or a form such as channel:telegram/name")
	case len(text) > MaxInput:
		return Location{}, refuse("too_long", "the location is %d bytes long; at most %d are read", len(text), MaxInput)
	}
	if err := checkCharacters(text); err != nil {
		return Location{}, err
	}
	scheme, rest := splitScheme(text)
	switch scheme {
	case "https", "http", "hxxp", "hxxps":
		return locateWeb(strings.Replace(scheme, "xx", "tt", 1), rest)
	case "":
		return locateWeb("https", strings.TrimLeft(rest, "/"))
	case "tg":
		return locateTelegramLink(rest)
	case "rtmp", "rtmps", "rtmpt", "rtmpe", "rtsp", "rtsps", "mms", "mmsh", "srt", "icy":
		return locateStream(text)
	case "channel", "message", "account", "app", "extension", "newsletter", "stream", "bot":
		return locateText(Kind(scheme), rest)
	}
	return Location{}, refuse("scheme_refused", "%q is not an address of a public place; give an http or https address, or a form such as channel:platform/id", clip(scheme)+":")
}

// Fetchable gives the http or https address that a text names, as it was
// written but for its defanging; without a scheme it is https. ok is false for
// every other form. It judges nothing: a text that [Locate] refuses may pass.
func Fetchable(input string) (address string, ok bool) {
	scheme, rest := splitScheme(strings.Trim(input, " "))
	switch scheme {
	case "https", "http", "hxxp", "hxxps":
		return strings.Replace(scheme, "xx", "tt", 1) + ":" + refang(rest), true
	case "":
		if rest = strings.TrimLeft(rest, "/"); rest != "" {
			return "https://" + refang(rest), true
		}
	}
	return "", false
}

// splitScheme separates "scheme:" from the rest. A text such as "host.example:8080/x" or "host.example/a:b" has none.
func splitScheme(text string) (scheme, rest string) {
	i := strings.IndexByte(text, ':')
	if i <= 0 {
		return "", text
	}
	for j := range i {
		switch c := text[j]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', j > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-'):
		default:
			return "", text
		}
	}
	return strings.ToLower(text[:i]), text[i+1:]
}

// checkCharacters refuses what an address never needs and an attacker does.
func checkCharacters(s string) *LocationError {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < 0x20 || c == 0x7F:
			return refuse("control_character", "the location has a control character (U+%04X) at byte %d; remove it", c, i)
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return refuse("bad_percent_encoding", "the location has a %% at byte %d that two hexadecimal digits do not follow; write a percent sign as %%25", i)
			}
			if b := unhex(s[i+1])<<4 | unhex(s[i+2]); b < 0x20 || b == 0x7F {
				return refuse("control_character", "the location has an encoded control character (%s) at byte %d; remove it", s[i:i+3], i)
			}
		case c >= 0x80:
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				return refuse("encoding", "the location is not valid UTF-8 at byte %d; copy it again from the browser", i)
			case isControl(r):
				return refuse("control_character", "the location has a control character (U+%04X) at byte %d; remove it", r, i)
			case isInvisible(r):
				return refuse("invisible_character", "the location has an invisible or direction-changing character (U+%04X) at byte %d; remove it", r, i)
			}
			i += n - 1
		}
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || 0x7F <= r && r < 0xA0 }

// isInvisible names the characters that change what the eye sees without being seen. The joiners U+200C and U+200D are not
// among them: Persian and Indic page titles need them, and IDNA judges them in hosts.
func isInvisible(r rune) bool {
	switch {
	case r == 0x200B, r == 0x200E, r == 0x200F, 0x202A <= r && r <= 0x202E, 0x2060 <= r && r <= 0x206F,
		r == 0xFEFF, r == 0x00AD, r == 0x061C, r == 0x180E, 0xE0000 <= r && r <= 0xE007F, r == 0x2028, r == 0x2029:
		return true
	}
	return false
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
