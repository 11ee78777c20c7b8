package formats

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"
)

// joining is a letter's four shapes, Unicode Arabic Presentation Forms: isolated,
// final, initial, medial. A letter without an initial shape joins only to the
// one before it.
type joining struct{ isolated, final, initial, medial rune }

// arabicShape is a letter's shapes; ok is false for what does not join.
func arabicShape(r rune) (j joining, ok bool) {
	// Right-joining letters have two shapes, dual-joining ones four, in the order
	// isolated, final, initial, medial.
	two := func(at rune) (joining, bool) { return joining{isolated: at, final: at + 1}, true }
	four := func(at rune) (joining, bool) { return joining{at, at + 1, at + 2, at + 3}, true }
	switch r {
	case 0x0622, 0x0623, 0x0624, 0x0625: // alef with madda, hamza above; waw with hamza; alef with hamza below
		return two(0xfe81 + (r-0x0622)*2)
	case 0x0626:
		return four(0xfe89)
	case 0x0627:
		return two(0xfe8d)
	case 0x0628:
		return four(0xfe8f)
	case 0x0629:
		return two(0xfe93)
	case 0x062a, 0x062b, 0x062c, 0x062d, 0x062e:
		return four(0xfe95 + (r-0x062a)*4)
	case 0x062f, 0x0630, 0x0631, 0x0632:
		return two(0xfea9 + (r-0x062f)*2)
	case 0x0633, 0x0634, 0x0635, 0x0636, 0x0637, 0x0638, 0x0639, 0x063a:
		return four(0xfeb1 + (r-0x0633)*4)
	case 0x0641, 0x0642, 0x0643, 0x0644, 0x0645, 0x0646, 0x0647:
		return four(0xfed1 + (r-0x0641)*4)
	case 0x0648, 0x0649:
		return two(0xfeed + (r-0x0648)*2)
	case 0x064a:
		return four(0xfef1)
	case 0x067e: // Persian peh, tcheh, jeh, keheh, gaf, farsi yeh
		return four(0xfb56)
	case 0x0686:
		return four(0xfb7a)
	case 0x0698:
		return two(0xfb8a)
	case 0x06a9:
		return four(0xfb8e)
	case 0x06af:
		return four(0xfb92)
	case 0x06cc:
		return four(0xfbfc)
	}
	return joining{}, false
}

const (
	tatweel = 0x0640
	lam     = 0x0644
)

// lamAlef is the ligature of lam with an alef, isolated; final is one more.
func lamAlef(alef rune) (rune, bool) {
	switch alef {
	case 0x0622:
		return 0xfef5, true
	case 0x0623:
		return 0xfef7, true
	case 0x0625:
		return 0xfef9, true
	case 0x0627:
		return 0xfefb, true
	}
	return 0, false
}

// transparent reports whether the mark stands above or below a letter and does
// not part two that join.
func transparent(r rune) bool { return r >= 0x064b && r <= 0x065f || r == 0x0670 }

// shaped puts Arabic letters into the shapes that they take beside each other, in
// logical order. All else stays as it is.
func shaped(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x0600 && r <= 0x06ff }) {
		return s
	}
	in := []rune(s)
	out := make([]rune, 0, len(in))
	joined := false // the letter before reaches forward to this one
	for i := 0; i < len(in); i++ {
		r := in[i]
		j, ok := arabicShape(r)
		if !ok {
			out = append(out, r)
			if !transparent(r) {
				joined = r == tatweel
			}
			continue
		}
		next := i + 1
		for next < len(in) && transparent(in[next]) {
			next++
		}
		if r == lam && next < len(in) {
			if lig, ok := lamAlef(in[next]); ok {
				if joined {
					lig++
				}
				out = append(out, lig)
				out = append(out, in[i+1:next]...)
				i, joined = next, false
				continue
			}
		}
		forward := false
		if j.initial != 0 && next < len(in) {
			_, letter := arabicShape(in[next])
			forward = letter || in[next] == tatweel
		}
		switch {
		case joined && forward:
			out = append(out, j.medial)
		case joined:
			out = append(out, j.final)
		case forward:
			out = append(out, j.initial)
		default:
			out = append(out, j.isolated)
		}
		joined = forward
	}
	return string(out)
}

// visual is a line of shaped text in the order in which it is drawn from left to
// right (Unicode Bidirectional Algorithm, UAX 9, without embeddings).
func visual(s string, rtl bool) string {
	base := bidi.LeftToRight
	if rtl {
		base = bidi.RightToLeft
	}
	var p bidi.Paragraph
	if _, err := p.SetString(s, bidi.DefaultDirection(base)); err != nil {
		return s
	}
	order, err := p.Order()
	if err != nil || order.NumRuns() == 0 {
		return s
	}
	var runs []string
	after := false // the run before was from right to left, on a line from left to right
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := run.String()
		if run.Direction() == bidi.RightToLeft {
			text = reversed(text)
			if after {
				// A number stood between: it belongs to the Arabic on its both sides.
				text += runs[len(runs)-1]
				runs = runs[:len(runs)-1]
			}
			after = !rtl
		} else if after {
			number := leadingNumber(text)
			runs[len(runs)-1] = number + runs[len(runs)-1]
			text = text[len(number):]
			after = text == ""
		}
		if text != "" {
			runs = append(runs, text)
		}
	}
	// The package gives runs in the order of reading; on a line from right to left
	// the last one stands leftmost.
	if rtl {
		slices.Reverse(runs)
	}
	return strings.NewReplacer(leftToRight, "", rightToLeft, "").Replace(strings.Join(runs, ""))
}

// leadingNumber is the number that the text begins with, "" for none.
func leadingNumber(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789.,:/-"))]
}

// reversed is a text from right to left as it is drawn: letters backwards, each
// with the marks on it after it, and brackets turned (UAX 9, rule L4).
func reversed(s string) string {
	in := []rune(s)
	out := make([]rune, 0, len(in))
	for end := len(in); end > 0; {
		start := end - 1
		for start > 0 && unicode.Is(unicode.Mn, in[start]) {
			start--
		}
		out = append(out, mirrored(in[start]))
		out = append(out, in[start+1:end]...)
		end = start
	}
	return string(out)
}

// mirrored is the bracket that opens where the other closes.
func mirrored(r rune) rune {
	const pairs = "()[]{}<>«»‹›≤≥"
	all := []rune(pairs)
	if i := slices.Index(all, r); i >= 0 {
		return all[i^1]
	}
	return r
}
