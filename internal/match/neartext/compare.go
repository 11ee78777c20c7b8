package neartext

import "slices"

// Verdict is how two texts are related. It is a finding for a person, never a decision.
type Verdict string

// The verdicts, the first that holds.
const (
	Same      Verdict = "same"      // equal normal forms, links included; short texts too
	Short     Verdict = "short"     // one of them is short, see [Sketch.Short], or what they share is: nothing else is told
	Near      Verdict = "near"      // each holds at least NearShare of the other's shingles
	Part      Verdict = "part"      // at least PartShare of the one's shingles are in the other
	Different Verdict = "different" // none of these
)

// NearShare and PartShare are the thresholds of the verdicts. One word replaced takes three shingles away: with one word in ten
// replaced about 0.73 remain, with one in five 0.51. docs/neartext.md has what they find and miss.
const (
	NearShare = 0.35
	PartShare = 0.5
)

// Span is a range of bytes of a text as it was given.
type Span struct{ Start, End int }

// Passage is what two texts have in common: at least three words or links in a row that are equal in normal form.
type Passage struct{ A, B Span }

// Likeness is how two texts A and B are related, and why.
type Likeness struct {
	Verdict  Verdict
	Distance int     // bits in which the simhashes differ
	ShareOfA float64 // share of A's shingles that B has, 0 to 1
	ShareOfB float64
	WordsA   int
	WordsB   int
	Common   []Passage // in the order of A; places of A do not overlap, those of B may where A repeats itself
	OnlyA    []Span    // the words and links of A between its common passages
	OnlyB    []Span    // the same of B
}

// Compare says how two texts are related and where, reading the first [MaxBytes] of each.
func Compare(a, b string) Likeness {
	as, bs := tokens(a), tokens(b)
	sa, sb := sketch(as), sketch(bs)
	l := sa.Compare(&sb)
	l.Common = passages(as, bs)
	inA, inB := make([]Span, len(l.Common)), make([]Span, len(l.Common))
	for i, p := range l.Common {
		inA[i], inB[i] = p.A, p.B
		l.Common[i] = Passage{A: bytesOf(as, p.A), B: bytesOf(bs, p.B)}
	}
	l.OnlyA, l.OnlyB = rest(as, inA), rest(bs, inB)
	return l
}

// Compare is the likeness without its passages, from the sketches alone; A is s.
func (s *Sketch) Compare(other *Sketch) Likeness {
	l := Likeness{Distance: s.Distance(other), WordsA: s.Words, WordsB: other.Words}
	l.ShareOfA, l.ShareOfB = s.Shares(other)
	common, _, _ := s.common(other)
	switch {
	case s.Key == other.Key:
		l.Verdict = Same
	case s.Short() || other.Short():
		l.Verdict = Short
	case max(l.ShareOfA, l.ShareOfB) >= NearShare && common < LeastShingles:
		l.Verdict = Short
	case min(l.ShareOfA, l.ShareOfB) >= NearShare:
		l.Verdict = Near
	case max(l.ShareOfA, l.ShareOfB) >= PartShare:
		l.Verdict = Part
	default:
		l.Verdict = Different
	}
	return l
}

func bytesOf(list []token, s Span) Span { return Span{list[s.Start].start, list[s.End-1].end} }

// placesTried bounds the work on texts that repeat themselves.
const placesTried = 16

// passages finds the common passages as ranges of tokens: at each word of A the longest one that begins there, those of B that
// no passage has taken yet first.
func passages(a, b []token) []Passage {
	ha, hb := hashes(a), hashes(b)
	places := make(map[uint64][]int32, len(hb))
	for j := 0; j+shingleWords <= len(hb); j++ {
		h := pair(pair(hb[j], hb[j+1]), hb[j+2])
		places[h] = append(places[h], int32(j))
	}
	taken := make([]bool, len(b))
	var list []Passage
	free := 0 // the first word of A in no passage yet
	for i := 0; i+shingleWords <= len(ha); {
		best := Passage{}
		candidates := places[pair(pair(ha[i], ha[i+1]), ha[i+2])]
		for _, j := range nearest(candidates, list, i) {
			if p, ok := extend(a, b, taken, free, i, int(j)); ok && better(p, best, taken) {
				best = p
			}
		}
		if best.A.End-best.A.Start < shingleWords {
			i++
			continue
		}
		list = append(list, best)
		for j := best.B.Start; j < best.B.End; j++ {
			taken[j] = true
		}
		i, free = best.A.End, best.A.End
	}
	return list
}

// nearest picks the places to try: of many, those from where the last passage would go on.
func nearest(places []int32, list []Passage, i int) []int32 {
	if len(places) <= placesTried {
		return places
	}
	next := int32(i)
	if len(list) > 0 {
		last := list[len(list)-1]
		next = int32(last.B.End + i - last.A.End)
	}
	at, _ := slices.BinarySearch(places, next)
	from := max(0, min(at-placesTried/2, len(places)-placesTried))
	return places[from : from+placesTried]
}

func better(p, best Passage, taken []bool) bool {
	if n, m := p.A.End-p.A.Start, best.A.End-best.A.Start; n != m {
		return n > m
	}
	return best.A.End > 0 && taken[best.B.Start] && !taken[p.B.Start]
}

// extend grows the match at words i and j both ways; ok is false where only hashes agreed.
func extend(a, b []token, taken []bool, free, i, j int) (Passage, bool) {
	n := 0
	for i+n < len(a) && j+n < len(b) && a[i+n].text == b[j+n].text {
		n++
	}
	if n < shingleWords {
		return Passage{}, false
	}
	back := 0
	for i-back > free && j-back > 0 && !taken[j-back-1] && a[i-back-1].text == b[j-back-1].text {
		back++
	}
	return Passage{A: Span{i - back, i + n}, B: Span{j - back, j + n}}, true
}

func hashes(list []token) []uint64 {
	h := make([]uint64, len(list))
	for i, t := range list {
		h[i] = hash(t.text)
	}
	return h
}

// rest lists the places of the tokens that are in no passage.
func rest(list []token, in []Span) []Span {
	slices.SortFunc(in, func(a, b Span) int { return a.Start - b.Start })
	var spans []Span
	at := 0
	for _, s := range append(in, Span{len(list), len(list)}) {
		if at < s.Start {
			spans = append(spans, bytesOf(list, Span{at, s.Start}))
		}
		at = max(at, s.End)
	}
	return spans
}
