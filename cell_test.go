package concert_test

import (
	"testing"

	"concert"
)

func TestSpreadsheetsRunNoCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "@x": "'@x", "-5": "-5", "-x": "'-x", "plain": "plain", "": "", "＝1+1": "'＝1+1", " =1": "' =1", "\x00=1": "'=1", "\t=1": "'\t=1",
	} {
		if got := concert.PlainCell(in); got != want {
			t.Errorf("PlainCell(%q) = %q, want %q", in, got, want)
		}
	}
}
