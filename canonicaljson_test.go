package concert_test

import (
	"strings"
	"testing"

	"concert"
)

func TestDecodeCanonicalTakesOneForm(t *testing.T) {
	t.Parallel()
	good := `{"keyid":"0123456789abcdef","role":"author","sig":"AAEC"}`
	var s concert.Signature
	if err := concert.DecodeCanonical([]byte(good), &s); err != nil || s.Role != "author" || len(s.Sig) != 3 {
		t.Fatalf("%v %+v", err, s)
	}
	for raw, says := range map[string]string{
		"":                                  "not JSON",
		"null":                              "one form",
		"[]":                                "none of the objects",
		"{":                                 "not JSON",
		" " + good:                          "one form",
		good + "\n":                         "one form",
		good + "{}":                         "not JSON",
		strings.Replace(good, ",", ", ", 1): "one form",
		strings.Replace(good, "AAEC", "AAED\\n", 1):                 "/sig",
		strings.Replace(good, "AAEC", "AAF=", 1):                    "",
		strings.Replace(good, "author", `auth\u006fr`, 1):           "one form",
		strings.Replace(good, `"role"`, `"Role"`, 1):                `"/Role"`,
		strings.Replace(good, `"role"`, `"x":1,"role"`, 1):          `"/x"`,
		strings.Replace(good, `"author"`, "1", 1):                   `"/role"`,
		strings.Replace(good, `{"`, `{"role":"author","`, 1):        "twice",
		`{"role":"author","keyid":"0123456789abcdef","sig":"AAEC"}`: "one form",
	} {
		var s concert.Signature
		if err := concert.DecodeCanonical([]byte(raw), &s); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", raw, err, says)
		}
	}
}

func FuzzDecodeCanonical(f *testing.F) {
	f.Add([]byte(`{"keyid":"0123456789abcdef","role":"author","sig":"AAEC"}`))
	f.Add([]byte(`{"keyid":"\u2028<&>","role":"é","sig":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s concert.Signature
		if concert.DecodeCanonical(raw, &s) != nil {
			return
		}
		again, err := concert.CanonicalJSON(s)
		if err != nil || string(again) != string(raw) {
			t.Errorf("%q was taken, and is %q", raw, again)
		}
	})
}
