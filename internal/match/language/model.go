package language

import (
	"cmp"
	_ "embed" // the two texts
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed profiles.txt
var profilesText string

//go:embed words.txt
var wordsText string

const (
	languagesMost = 64 // of one script: a letter's languages are bits of a word

	// Evidence is counted in quarters of a natural logarithm, over what any language of the script gives at least.
	quarters  = 4
	gramFloor = 44 // a sequence that a profile lacks: p = e^-11
	wordFloor = 38 // a word that a list lacks
	telltale  = 14 // a word by which a language is told from its relatives, at least
	partGain  = 10 // five letters of such words
	near      = 80 // percent of a near language's evidence
)

// hit is what a sequence or a word says for one language of its script.
type hit struct {
	language uint8
	gain     uint8
}

// model is what is known of one script's languages.
type model struct {
	languages []string // codes as in the texts
	permille  [languagesMost]int
	cousin    [languagesMost]int     // a language from which its sequences hardly tell it, or itself
	expected  [languagesMost]float64 // evidence that a sequence of a language's own texts gives on average, in quarters
	grams     map[uint64][]hit
	words     map[uint64][]hit
	parts     map[uint64][]hit  // five letters of telltale words
	letters   map[rune]uint64   // in whose alphabets a letter is
	telltales map[uint64]uint64 // whose telltale a word is
}

var models = sync.OnceValue(func() *[len(scripts)]*model {
	var all [len(scripts)]*model
	b := builder{models: &all}
	b.profiles(profilesText)
	b.lists(wordsText)
	return &all
})

// builder reads the two texts.
type builder struct {
	models   *[len(scripts)]*model
	profiled []string
}

// sample is one language of words.txt.
type sample struct {
	code, letters    string
	words, telltales string
	parts            string // of telltales
	text             string // further words
	twin, near       string // languages whose sequences count for it
	cousin, permille string // whose words count for it as well; how far its own sequences count
}

// model finds the model of the script in which the letters are, and the place of the language in it.
func (b *builder) model(code, letters string) (*model, uint8) {
	r, _ := utf8.DecodeRuneInString(letters)
	s := scriptOf(r, noScript)
	if b.models[s] == nil {
		b.models[s] = &model{grams: map[uint64][]hit{}, words: map[uint64][]hit{}, parts: map[uint64][]hit{}, letters: map[rune]uint64{}, telltales: map[uint64]uint64{}}
	}
	m := b.models[s]
	at := slices.Index(m.languages, code)
	if at < 0 {
		at = len(m.languages)
		m.languages = append(m.languages, code)
		m.permille[at], m.cousin[at] = 1000, at
	}
	if at >= languagesMost {
		panic("language: more languages of one script than a word has bits") // the embedded files are too long: every test says so
	}
	return m, uint8(at)
}

func (m *model) alphabet(at uint8, letters string) {
	for r, set := range m.letters {
		m.letters[r] = set &^ (1 << at)
	}
	for _, r := range letters {
		m.letters[folded(r)] |= 1 << at
	}
}

// profiles reads lines of "= code letters" and "level sequences".
func (b *builder) profiles(text string) {
	var m *model
	var at uint8
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "= "); ok {
			code, letters, _ := strings.Cut(rest, " ")
			m, at = b.model(code, letters)
			m.alphabet(at, letters)
			b.profiled = append(b.profiled, code)
			continue
		}
		number, grams, ok := strings.Cut(line, " ")
		level, err := strconv.Atoi(number)
		if !ok || err != nil || level >= gramFloor {
			continue
		}
		letters := []rune(grams)
		for i := 0; i+3 <= len(letters); i += 3 {
			k := gram(folded(letters[i]), folded(letters[i+1]), folded(letters[i+2]))
			m.grams[k] = withGain(m.grams[k], int(at), max(gramFloor-level, gainOf(m.grams[k], int(at))))
		}
	}
}

// lists reads words.txt, whose head says how it is written.
func (b *builder) lists(text string) {
	var all []*sample
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "", ";":
		case "=":
			s := &sample{}
			s.code, s.letters, _ = strings.Cut(rest, " ")
			all = append(all, s)
		case "?":
			all[len(all)-1].parts = rest
		case "!":
			all[len(all)-1].telltales = rest
		case "~":
			all[len(all)-1].text = rest
		case "&":
			all[len(all)-1].twin = rest
		case "%":
			all[len(all)-1].cousin, all[len(all)-1].permille, _ = strings.Cut(rest, " ")
		case "<":
			all[len(all)-1].near = rest
		default:
			all[len(all)-1].words = line
		}
	}
	for _, s := range all {
		b.list(s)
	}
	for _, s := range all {
		b.lend(s)
	}
	for _, m := range b.models {
		if m != nil {
			m.expect(b.profiled)
		}
	}
}

// list adds the words of a language and, where it has no profile, their sequences.
func (b *builder) list(s *sample) {
	m, at := b.model(s.code, cmp.Or(s.letters, s.words))
	if s.letters != "" {
		m.alphabet(at, s.letters)
	}
	if p, err := strconv.Atoi(s.permille); err == nil {
		m.permille[at] = p
	}
	words := read(s.words)
	seen := map[uint64]bool{}
	word := func(r reading, gain func(i int) int) {
		for i, w := range r.words {
			k := wordKey(r.letters[w.from:w.to])
			if g := gain(i); g > 0 && !seen[k] {
				seen[k] = true
				m.words[k] = append(m.words[k], hit{at, uint8(g)})
			}
		}
	}
	rank := func(i int) int { return int(quarters*math.Log(0.07/(float64(i)+1.5)) + wordFloor) }
	common := map[uint64]int{}
	for i, w := range slices.Backward(words.words) {
		common[wordKey(words.letters[w.from:w.to])] = rank(i)
	}
	telltales := read(s.telltales)
	word(telltales, func(i int) int {
		w := telltales.words[i]
		k := wordKey(telltales.letters[w.from:w.to])
		m.telltales[k] |= 1 << at
		return max(telltale, common[k])
	})
	word(words, rank)
	for part := range strings.FieldsSeq(s.parts) {
		k := wordKey([]rune(part))
		m.parts[k] = append(m.parts[k], hit{at, partGain})
	}
	if slices.Contains(b.profiled, s.code) {
		return
	}
	counts, total := map[uint64]float64{}, 0.0
	add := func(r reading, weight func(i int) float64) {
		for i, w := range r.words {
			each(r.letters[w.from:w.to], func(k uint64) {
				counts[k] += weight(i)
				total += weight(i)
			})
		}
	}
	add(words, func(i int) float64 { return 1 / (float64(i) + 10) })
	add(read(s.text), func(int) float64 { return 1.0 / 60 })
	for k, n := range counts {
		if gain := quarters*math.Log(n/total*0.4) + gramFloor; gain >= 1 {
			m.grams[k] = append(m.grams[k], hit{at, uint8(gain)})
		}
	}
}

// lend gives a language its twin's evidence, or some of its near ones' where it has less.
func (b *builder) lend(s *sample) {
	m, at := b.model(s.code, cmp.Or(s.letters, s.words))
	if of := slices.Index(m.languages, s.cousin); of >= 0 {
		m.twins(int(at), of)
		m.cousin[at] = of
	}
	for i, name := range append([]string{s.twin}, strings.Fields(s.near)...) {
		of := slices.Index(m.languages, name)
		if of < 0 {
			continue
		}
		if i == 0 {
			m.twins(int(at), of)
		}
		for k, hits := range m.grams {
			own, his := gainOf(hits, int(at)), gainOf(hits, of)
			if i == 0 {
				hits = withGain(hits, int(at), his)
			} else if m.writes(k, at) {
				hits = withGain(hits, int(at), max(own, his*near/100))
			}
			m.grams[k] = hits
		}
	}
}

// expect weighs the evidence of each sequence with how often it comes. A list is short, so that texts have less of it than it promises.
func (m *model) expect(profiled []string) {
	for _, hits := range m.grams {
		for _, h := range hits {
			m.expected[h.language] += math.Exp((float64(h.gain)-gramFloor)/quarters) * float64(h.gain)
		}
	}
	for l, code := range m.languages {
		if !slices.Contains(profiled, code) {
			m.expected[l] *= 0.75
		}
	}
}

// twins share the words that are no telltale of either.
func (m *model) twins(a, b int) {
	for k, hits := range m.words {
		x, y := gainOf(hits, a), gainOf(hits, b)
		if m.telltales[k]&(1<<a|1<<b) == 0 {
			m.words[k] = withGain(withGain(hits, a, max(x, y)), b, max(x, y))
		}
	}
}

func gainOf(hits []hit, language int) int {
	for _, h := range hits {
		if int(h.language) == language {
			return int(h.gain)
		}
	}
	return 0
}

func withGain(hits []hit, language, gain int) []hit {
	for i, h := range hits {
		if int(h.language) == language {
			hits[i].gain = uint8(gain)
			return hits
		}
	}
	if gain == 0 {
		return hits
	}
	return append(hits, hit{uint8(language), uint8(gain)})
}

// writes reports whether a sequence is of the language's letters.
func (m *model) writes(k uint64, at uint8) bool {
	for ; k > 0; k >>= 21 {
		if m.letters[rune(k&(1<<21-1))]&(1<<at) == 0 {
			return false
		}
	}
	return true
}

// gram is a sequence of three letters as a key.
func gram(a, b, c rune) uint64 { return uint64(a)<<42 | uint64(b)<<21 | uint64(c) }

// each calls fn with the sequences of a word.
func each(letters []rune, fn func(uint64)) {
	for i := 2; i < len(letters); i++ {
		fn(gram(letters[i-2], letters[i-1], letters[i]))
	}
}

// wordKey is a word as a key: FNV-1a over its letters.
func wordKey(letters []rune) uint64 {
	h := uint64(14695981039346656037)
	for _, r := range letters {
		h = (h ^ uint64(r)) * 1099511628211
	}
	return h
}
