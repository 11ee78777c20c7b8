package language

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// lettersMost bounds what is read of a text: further letters change no guess.
const lettersMost = 4000

// word is a run of letters of one script in reading.letters.
type word struct {
	from, to int
	script   int
}

// reading is a text as the guess sees it: words in small letters, without addresses, vowel signs of Arabic and Hebrew, and digits.
type reading struct {
	letters []rune // a mark within a word is kept; sequences stop at it
	words   []word
	count   [noScript + 1]int // letters by script
	total   int
}

// read takes the words out of a text. What is not UTF-8 is skipped.
func read(text string) reading {
	r := reading{letters: make([]rune, 0, min(len(text), lettersMost)+8), words: make([]word, 0, 32)}
	for len(text) > 0 && len(r.letters) < lettersMost {
		start := strings.IndexFunc(text, func(c rune) bool { return !unicode.IsSpace(c) })
		if start < 0 {
			break
		}
		text = text[start:]
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		if token := text[:end]; !address(token) {
			r.take(token)
		}
		text = text[end:]
	}
	return r
}

// address reports whether a token is one of the net's: it names a place, not a language.
func address(token string) bool {
	if !strings.ContainsAny(token, ".@:") {
		return false
	}
	if strings.Contains(token, "://") || strings.HasPrefix(token, "www.") || strings.Contains(token, "@") {
		return true
	}
	host, _, path := strings.Cut(token, "/")
	host = strings.TrimRight(host, ".,;:!?)»”\"")
	dot := strings.LastIndexByte(host, '.')
	if dot < 1 || dot == len(host)-1 {
		return false
	}
	if path {
		return true
	}
	top := host[dot+1:]
	return len(top) >= 2 && len(top) <= 6 && strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// take adds a token's words.
func (r *reading) take(token string) {
	if len(token) > 4*lettersMost {
		token = token[:4*lettersMost]
	}
	if plain := norm.NFKC; !ascii(token) && !plain.IsNormalString(token) {
		token = plain.String(token)
	}
	w := word{from: len(r.letters), script: noScript}
	for _, c := range token {
		c = folded(c)
		switch {
		case c == 'ـ' || c == '\u200d' || c == '\u00ad' || c == utf8.RuneError:
			continue
		case unicode.IsLetter(c) && !apostrophe(c):
			s := scriptOf(c, w.script)
			if s != w.script && len(r.letters) > w.from {
				w = r.end(w)
			}
			if len(r.letters) == w.from {
				w.script = s
			}
			r.letters = append(r.letters, unicode.ToLower(c))
			r.count[s]++
			r.total++
		case c == smallAlef && len(r.letters) > w.from && w.script == arabic:
			if last := r.letters[len(r.letters)-1]; last != 'ى' && last != 'و' && last != 'ی' {
				r.letters = append(r.letters, 'ا')
			}
		case unicode.Is(unicode.M, c):
			if w.script == arabic || w.script == hebrew || len(r.letters) == w.from {
				continue
			}
			r.letters = append(r.letters, c)
			if w.script < noScript && scripts[w.script].single != "" { // half of such a script's writing is marks
				r.count[w.script]++
				r.total++
			}
		default:
			w = r.end(w)
		}
	}
	r.end(w)
}

func (r *reading) end(w word) word {
	if w.to = len(r.letters); w.to > w.from {
		r.words = append(r.words, w)
	}
	return word{from: len(r.letters), script: noScript}
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// folded writes letters that keyboards exchange as one: Arabic's yeh and kaf for Persian's, and the Quran's alef.
func folded(c rune) rune {
	switch c {
	case 'ي':
		return 'ی'
	case 'ك':
		return 'ک'
	case 'ٱ':
		return 'ا'
	}
	return c
}

// smallAlef is an alef that the Quran's spelling sets above the line.
const smallAlef = '\u0670'

func apostrophe(c rune) bool { return c == 'ʻ' || c == 'ʼ' || c == 'ʹ' || c == 'ʿ' || c == 'ʾ' }
