package neartext

import (
	"strings"
	"sync"
)

// lookalikes maps letters to the ASCII text they pass for (excerpt of the Unicode confusables table: the letters that IDNA
// admits and that common fonts draw alike). Letters with a visible mark are not in it; they are Latin of their own right.
const lookalikes = "аa бb вb гr дd еe ёe жx зз іi їi йn кk лn мm нh оo пn рp сc тt уy фo хx цu чч шw щw ъb ыb ьb эe юo яr " +
	"ѕs јj ҽe һh ԁd ԛq ԝw ґr ӏl ѵv ѡw ҫc ҡk қk ңh ӊh ҳx ҿe ԍg ԏt өo " +
	"αa βb γy δd εe ζz ηn θo ιi κk λl μu νv ξe οo πn ρp σo ςc τt υu φo χx ψw ωw " +
	"ɑa ɡg ɩi ɪi ʟl ʀr ʏy ɴn ʜh ʙb ƅb ɢg ɛe ɔc ʋv ɯw ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ƒf ſf " +
	"աw ցg եe օo սu ոn ռn զq հh ѐe ѝn օo Ꭰd Ꭱr Ꭲt Ꭺa Ꭻj Ꭼe ꮯc ꮪs ꮃw ꭺa ꭼe ꮋh ꮇm ꮲp ꮓz ꮤw"

// drawnAlike is the part of the table whose letters are drawn exactly as the Latin ones.
const drawnAlike = "аеорсухіјѕһԁԛԝӏѵοαɑɡνɩօսոցհѡӊзкмтнв"

// Lookalikes lists letters, each followed by the ASCII text that it passes for, in the order [strings.NewReplacer] wants.
func Lookalikes() []string {
	var list []string
	for word := range strings.FieldsSeq(lookalikes) {
		r := []rune(word)
		list = append(list, string(r[0]), string(r[1:]))
	}
	return list
}

// DrawnAlike says of a Cyrillic, Greek or Armenian letter of [Lookalikes] whether it is drawn exactly as the Latin one; the
// others are only similar.
func DrawnAlike(r rune) bool { return strings.ContainsRune(drawnAlike, r) }

// variants are letters that readers take for one: of Arabic (keyboards of Persian and Urdu, final forms that writers mix), and
// Latin letters whose mark Unicode does not take apart.
const variants = "ٱا ىي یي ةه ۃه ہه ھه ەه کك ڪك øo łl đd ħh ŧt ıi æae œoe ßss ςσ"

var folds = sync.OnceValue(func() map[rune]string {
	table := map[rune]string{}
	for word := range strings.FieldsSeq(variants) {
		r := []rune(word)
		table[r[0]] = string(r[1:])
	}
	pairs := Lookalikes()
	for i := 0; i < len(pairs); i += 2 {
		if r := []rune(pairs[i])[0]; !inAlphabetOfItsOwn(r) || DrawnAlike(r) {
			table[r] = pairs[i+1]
		}
	}
	// White letters on black discs and squares have no compatibility form.
	for i := range rune(26) {
		table[0x1F150+i], table[0x1F170+i] = string('a'+i), string('a'+i)
	}
	return table
})
