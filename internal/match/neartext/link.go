package neartext

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// linkAt reads a link at the start of the glyphs: its normal form and how many glyphs it takes, or nothing. A host without a
// scheme is a link where a path follows, where it starts with "www", or where it was defanged, as nobody does to a sentence.
func linkAt(gs []glyph) (string, int) {
	scheme, at := schemeAt(gs)
	host, n, defanged := hostAt(gs[at:])
	if host == "" {
		return "", 0
	}
	at += n
	hasPath := at < len(gs) && strings.ContainsRune("/?#:", gs[at].r)
	if scheme == "" {
		if !strings.Contains(host, ".") || !defanged && !strings.HasPrefix(host, "www.") && !(hasPath && gs[at].r == '/') {
			return "", 0
		}
		scheme = "https://"
	}
	var b strings.Builder
	b.WriteString(scheme)
	b.WriteString(host)
	if hasPath {
		for ; at < len(gs) && !endsLink(gs[at].r); at++ {
			b.WriteRune(gs[at].r)
		}
	}
	text := strings.TrimRight(b.String(), ".,;:!?…/*_~-#&=")
	if len(text) <= len(scheme) {
		return "", 0
	}
	return norm.NFC.String(text), at
}

// schemeAt reads a scheme up to and with "//"; those of the web are all one.
func schemeAt(gs []glyph) (string, int) {
	n := 0
	for n < len(gs) && n < 6 && 'a' <= gs[n].r && gs[n].r <= 'z' {
		n++
	}
	scheme := "https://"
	switch letters(gs[:n]) {
	case "http", "https", "hxxp", "hxxps", "ftp", "fxp":
	case "tg":
		scheme = "tg://"
	default:
		return "", 0
	}
	for _, mark := range []string{"://", "[:]//", "[://]"} {
		if starts(gs[n:], mark) {
			return scheme, n + len(mark)
		}
	}
	return "", 0
}

// hostAt reads labels with dots between, plain or defanged.
func hostAt(gs []glyph) (host string, n int, defanged bool) {
	var b strings.Builder
	for {
		from, empty := n, true
		for n < len(gs) && (inWord(gs[n].r) || gs[n].r == '-' || gs[n].r == '_') {
			empty = empty && !inWord(gs[n].r)
			b.WriteRune(gs[n].r)
			n++
		}
		if empty {
			// A dot with nothing behind it ends the sentence, not the label.
			text := b.String()
			for range gs[from:n] {
				_, size := utf8.DecodeLastRuneInString(text)
				text = text[:len(text)-size]
			}
			return strings.TrimSuffix(text, "."), n, defanged
		}
		dot := ""
		for _, d := range []string{".", "[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}"} {
			if starts(gs[n:], d) {
				dot = d
			}
		}
		if dot == "" {
			return b.String(), n, defanged
		}
		b.WriteByte('.')
		n += len(dot)
		defanged = defanged || dot != "."
	}
}

func letters(gs []glyph) string {
	var b strings.Builder
	for _, g := range gs {
		b.WriteRune(g.r)
	}
	return b.String()
}

func starts(gs []glyph, ascii string) bool {
	if len(gs) < len(ascii) {
		return false
	}
	for i := range len(ascii) {
		if gs[i].r != rune(ascii[i]) {
			return false
		}
	}
	return true
}

func endsLink(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7F || strings.ContainsRune("\"'<>()[]{}|`\\^", r)
	}
	return !inWord(r) && !unicode.In(r, unicode.Po, unicode.Pd, unicode.Pc)
}
