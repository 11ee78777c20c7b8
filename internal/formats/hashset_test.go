package formats

import (
	"strings"
	"testing"
)

func TestHashSetsOfEachKindAreRead(t *testing.T) {
	t.Parallel()
	const sum256, sum1, sum5 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72"
	for name, list := range map[string]string{
		"sha256sum": sum256 + "  EXERCISE\n" + sum256 + " *EXERCISE\n", "hashdeep": "%%%% HASHDEEP-1.0\n## x\n3," + sum256 + ",EXERCISE, with a comma\n",
		"NSRL": "\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\"\r\n\"" + strings.ToUpper(sum1) + "\",\"" + strings.ToUpper(sum5) + "\",\"352441C2\",\"EXERCISE\"\r\n", "plain": sum5 + "\n",
	} {
		s, err := ReadHashSet(name, strings.NewReader(list))
		if err != nil || !s.Has(sum256, sum1, sum5) || s.Has(strings.Repeat("0", 64), strings.Repeat("0", 40), "") {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	if _, err := ReadHashSet("EXERCISE", strings.NewReader("nothing\n")); err == nil {
		t.Error("a list without a digest is taken for a hash set")
	}
}

func FuzzHashSet(f *testing.F) {
	f.Add("3,900150983cd24fb0d6963f7d28e17f72,x")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ReadHashSet("EXERCISE", strings.NewReader(text)); err == nil && s.Lines == 0 {
			t.Error("an empty set is taken")
		}
	})
}
