package match

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// mixedScripts says whether a label goes beyond one script, Common and Inherited apart. The mixtures of Chinese, Japanese and
// Korean writing with Latin are ordinary (UTS 39, 5.2, "highly restrictive").
func mixedScripts(label string) bool {
	var latin, cjk, bopomofo, hangul, kana, other int
	seen := ""
	for _, r := range label {
		switch {
		case unicode.In(r, unicode.Common, unicode.Inherited):
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.Is(unicode.Han, r):
			cjk++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Bopomofo, r):
			bopomofo++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		default:
			if s := scriptOf(r); s != seen {
				seen = s
				other++
			}
		}
	}
	eastern := 0
	for _, n := range []int{kana, bopomofo, hangul} {
		if n > 0 {
			eastern++
		}
	}
	return other > 1 || other == 1 && latin+cjk+kana+bopomofo+hangul > 0 || eastern > 1
}

// scriptOf names the scripts in which registries sell names; all rarer ones count as one.
func scriptOf(r rune) string {
	for _, name := range []string{"Cyrillic", "Greek", "Arabic", "Hebrew", "Armenian", "Georgian", "Devanagari", "Bengali", "Thai", "Cherokee", "Tamil"} {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	return "other"
}

// lookalikes maps letters to the ASCII text they pass for (excerpt of the Unicode confusables table: the letters that IDNA
// admits and that common fonts draw alike). Letters with a visible mark are not in it; they are Latin of their own right.
const lookalikes = "аa бb вb гr дd еe ёe жx зз іi їi йn кk лn мm нh оo пn рp сc тt уy фo хx цu чч шw щw ъb ыb ьb эe юo яr " +
	"ѕs јj ҽe һh ԁd ԛq ԝw ґr ӏl ѵv ѡw ҫc ҡk қk ңh ӊh ҳx ҿe ԍg ԏt өo " +
	"αa βb γy δd εe ζz ηn θo ιi κk λl μu νv ξe οo πn ρp σo ςc τt υu φo χx ψw ωw " +
	"ɑa ɡg ɩi ɪi ʟl ʀr ʏy ɴn ʜh ʙb ƅb ɢg ɛe ɔc ʋv ɯw ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ƒf ſf " +
	"աw ցg եe օo սu ոn ռn զq հh ѐe ѝn օo Ꭰd Ꭱr Ꭲt Ꭺa Ꭻj Ꭼe ꮯc ꮪs ꮃw ꭺa ꭼe ꮋh ꮇm ꮲp ꮓz ꮤw"

// exact is the part of the table whose letters are drawn exactly as the Latin ones; only these make a whole-script look-alike.
const exactLookalikes = "аеорсухіјѕһԁԛԝӏѵοαɑɡνɩօսոցհѡӊзкмтнв"

var lookalikeTable = strings.NewReplacer(lookalikePairs()...)

func lookalikePairs() []string {
	var list []string
	for word := range strings.FieldsSeq(lookalikes) {
		r := []rune(word)
		list = append(list, string(r[0]), string(r[1:]))
	}
	return list
}

// skeleton is what a label looks like to a hurried eye: marks removed, look-alikes replaced. It stays non-ASCII where a letter
// has no Latin look-alike, and where letters are only similar rather than drawn alike.
func skeleton(label string) string {
	for _, r := range label {
		if r >= 0x80 && unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian) && !strings.ContainsRune(exactLookalikes, r) {
			return looks(label)
		}
	}
	return lookalikeTable.Replace(label)
}

// looks is the skeleton for the message only; a dotted ring keeps it apart from an ASCII name.
func looks(label string) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(label))
	return "~" + lookalikeTable.Replace(plain) + "\u25CC"
}
