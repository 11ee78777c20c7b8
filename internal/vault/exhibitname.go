package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// nameMost is the longest name of one file on the file systems that matter.
	nameMost = 255
	// nameKept is how much of a name that is too long once encoded stays readable.
	nameKept  = 180
	shortMark = "=~"
	hexDigits = "0123456789ABCDEF"
)

// EncodeName writes a name, or a path with slashes, so that it is UTF-8 of one
// line and means the same to sha256sum, to hashdeep and to readers of BagIt: a
// byte that is a control character, "%", "=", a backslash, or no part of UTF-8
// stands as "=" and two hexadecimal digits. All else stays. With escapes false an
// encoded name is encoded once more to itself: its "=" is left.
func EncodeName(name string, escapes bool) string {
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		plain := r != utf8.RuneError || n > 1
		switch {
		case r < 0x20, r == 0x7f, r == '%', r == '\\', r == '=' && escapes, r >= 0x80 && r < 0xa0, r == 0x2028, r == 0x2029, !plain:
			for _, c := range []byte(name[i : i+n]) {
				b.WriteByte('=')
				b.WriteByte(hexDigits[c>>4])
				b.WriteByte(hexDigits[c&15])
			}
		default:
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}

// DecodeName gives back what EncodeName made of a name.
func DecodeName(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '=' {
			b.WriteByte(text[i])
			continue
		}
		if i+3 > len(text) {
			return "", fmt.Errorf("%q: \"=\" wants two hexadecimal digits behind it", text)
		}
		c, err := hex.DecodeString(text[i+1 : i+3])
		if err != nil {
			return "", fmt.Errorf("%q: \"=\" wants two hexadecimal digits behind it", text)
		}
		b.WriteByte(c[0])
		i += 2
	}
	return b.String(), nil
}

// bagName is the name of one file or directory in a bag. short says that it had
// to be cut, so that the name as it was stands beside it.
func bagName(name string) (bag string, short bool) {
	bag = EncodeName(name, true)
	if len(bag) <= nameMost {
		return bag, false
	}
	sum := sha256.Sum256([]byte(name))
	cut := nameKept
	for !utf8.RuneStart(bag[cut]) {
		cut--
	}
	// An escape is not cut in its middle, so that what is kept can be read.
	if i := strings.LastIndexByte(bag[:cut], '='); i >= cut-2 && i >= 0 {
		cut = i
	}
	return bag[:cut] + shortMark + hex.EncodeToString(sum[:]), true
}
