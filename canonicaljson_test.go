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

// A form worked out once takes exactly what the plain way takes, of an order's file and of all that is in it.
func FuzzDecodeCanonical(f *testing.F) {
	file, order, feedback, register := concert.FormOf[concert.OrderFile](), concert.FormOf[concert.OrderPayload](), concert.FormOf[concert.OrderFeedback](), concert.FormOf[concert.OrderRegister]()
	full := concert.OrderPayload{Type: "removal_order", Places: []concert.OrderPlace{{Ref: "\u2028<&>\" é \u0007 \U0001f512", Location: concert.Location{Domain: "video.invalid"}}}, Reasons: []concert.ContentType{concert.Incites},
		Scope: []string{}, NonDisclosure: &concert.OrderSilence{}, CopyTo: &concert.OrderContact{Role: "x", Address: "y"}, Redress: []concert.OrderRedress{{}}, Version: -3}
	proof := &concert.EventProof{Salt: []byte{}, Commit: []byte{1, 2}, Inclusion: [][]byte{{1}, nil, {}}, Earlier: &concert.EarlierProof{}, Index: 1<<53 - 1}
	for _, v := range []any{concert.Signature{Sig: []byte{1}}, full, concert.OrderPayload{}, concert.OrderFile{}, concert.OrderFile{Proof: proof, Register: &concert.Envelope{Signatures: []concert.Signature{{}}}},
		concert.OrderFeedback{OrderReply: concert.OrderReply{Places: []string{"IT-1"}, AddresseeFile: "1"}}, concert.OrderRegister{Transports: [][]byte{{1}}, Authorities: []concert.RegisteredAuthority{{Keys: []concert.RegisteredKey{{Until: "x"}}}}}} {
		raw, err := concert.CanonicalJSON(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"proof":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		same(t, file, raw)
		same(t, order, raw)
		same(t, feedback, raw)
		same(t, register, raw)
	})
}

func same[T any](t *testing.T, form *concert.Form[T], raw []byte) {
	var plain, formed T
	err, ferr := concert.DecodeCanonical(raw, &plain), form.Decode(raw, &formed)
	if (err == nil) != (ferr == nil) || err != nil && err.Error() != ferr.Error() && !strings.Contains(ferr.Error(), "beyond") {
		t.Errorf("%T: %q gives %v, its form %v", plain, raw, err, ferr)
	}
	if again, cerr := concert.CanonicalJSON(plain); err == nil && (cerr != nil || string(again) != string(raw)) {
		t.Errorf("%q was taken, and is %q", raw, again)
	}
}
