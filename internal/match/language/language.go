package language

import (
	"math"
	"strings"
)

// Unknown is the language of a text that names none (BCP 47, ISO 639-2).
const Unknown = "und"

// The directions of a text, as HTML names them.
const (
	LeftToRight = "ltr"
	RightToLeft = "rtl"
	Neither     = "auto" // no letter shows one
)

// Guess is what a text seems to be.
type Guess struct {
	Language   string  // BCP 47, base code, or Unknown
	Script     string  // ISO 15924 of most letters; Zyyy where there are none
	Direction  string  // ltr, rtl or auto
	Confidence float64 // 0 to 1: how likely Language is right; with Unknown how likely the best one was
}

const (
	certain     = 0.3 // below it a language is not named: three that are written alike have a third each
	shareLeast  = 0.6 // of the letters in one script; below it the text is mixed
	foreign     = 12  // quarters that a letter costs which a language does not have
	partLetters = 5
	cousinMost  = 8 // quarters by which sequences may tell a language from its cousin: less than one telltale word

	temper       = 12   // quarters by which two languages differ when one is e times as likely: neighbouring sequences repeat each other
	namesLetters = 12   // without a common word it takes so many letters to be half as sure
	fitNone      = 0.55 // evidence a letter, as a part of what the language's texts have: below it the text is in none of ours
	fitFull      = 0.85
	foreignMost  = 2 // such letters of one word that count: a foreign name is one word
)

// Detect says in what language a text is. It reads the first 4,000 letters; it never fails, whatever the bytes.
func Detect(text string) Guess {
	r := read(text)
	s, n := r.script()
	if n == 0 {
		return Guess{Unknown, common, Neither, 0}
	}
	g := Guess{Language: Unknown, Script: scripts[s].code, Direction: LeftToRight}
	if scripts[s].rtl {
		g.Direction = RightToLeft
	}
	share := float64(n) / float64(r.total)
	lang, confidence := scripts[s].single, 1-math.Exp(-float64(n)/2)
	if lang == "" {
		lang, confidence = models()[s].guess(r, s)
	} else if s == hiragana || s == katakana {
		g.Script = "Jpan"
	}
	g.Confidence = math.Round(confidence*min(1, share+0.1)*1000) / 1000
	if g.Confidence >= certain && share >= shareLeast {
		g.Language, _, _ = strings.Cut(lang, "-")
	}
	return g
}

// script is the one of most letters, with their number. Japanese is written in three.
func (r reading) script() (s, n int) {
	count := r.count
	if kana := count[hiragana] + count[katakana]; kana*10 > count[han] {
		count[hiragana] = kana + count[han]
		count[han], count[katakana] = 0, 0
	}
	for i, c := range count[:noScript] {
		if c > n {
			s, n = i, c
		}
	}
	return s, n
}

// guess weighs the languages of a script.
func (m *model) guess(r reading, s int) (string, float64) {
	var grams, words [languagesMost]int
	var known [languagesMost]int // words
	seen := 0
	for _, w := range r.words {
		if w.script != s {
			continue
		}
		letters := r.letters[w.from:w.to]
		seen += len(letters)
		for _, h := range m.words[wordKey(letters)] {
			words[h.language] += int(h.gain)
			known[h.language]++
		}
		strange := 0
		for i, c := range letters {
			if c > 'z' || c == 'q' || c == 'w' || c == 'x' {
				if in := m.letters[c]; strange < foreignMost && in != 0 {
					strange++
					for l := range m.languages {
						if in&(1<<l) == 0 {
							words[l] -= foreign
						}
					}
				}
			}
			if i < 2 {
				continue
			}
			if i >= partLetters-1 && len(m.parts) > 0 {
				for _, h := range m.parts[wordKey(letters[i-partLetters+1:i+1])] {
					words[h.language] += int(h.gain)
				}
			}
			for _, h := range m.grams[gram(letters[i-2], letters[i-1], c)] {
				grams[h.language] += int(h.gain)
			}
		}
	}
	best, scores := 0, [languagesMost]int{}
	for l := range m.languages {
		scores[l] = grams[l] / 2
		if of := m.cousin[l]; of != l {
			scores[l] = grams[of]/2 + min(cousinMost, max(-cousinMost, grams[l]*m.permille[l]/2000-grams[of]/2))
		}
		scores[l] += words[l]
		if scores[l] > scores[best] {
			best = l
		}
	}
	sum := 0.0
	for l := range m.languages {
		sum += math.Exp(float64(scores[l]-scores[best]) / temper)
	}
	confidence := 1 / sum
	if known[best] == 0 { // names, or a word or two
		confidence *= float64(seen) / float64(seen+namesLetters)
	}
	if usual := scripts[s].fit * m.expected[best]; usual > 0 {
		fit := 2 * float64(scores[best]) / float64(seen) / usual
		confidence *= min(1, max(0, (fit-fitNone)/(fitFull-fitNone)))
	}
	return m.languages[best], confidence
}
