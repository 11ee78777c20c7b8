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

// A type that no form is worked out for is decoded all the same, as strictly.
func TestFormOfAnyTypeIsAsStrict(t *testing.T) {
	t.Parallel()
	type odd struct {
		Of map[string]float64 `json:"of"`
	}
	form := concert.FormOf[odd]()
	var v odd
	if err := form.Decode([]byte(`{"of":{"a":0.5}}`), &v); err != nil || v.Of["a"] != 0.5 {
		t.Errorf("%+v, %v", v, err)
	}
	for _, text := range []string{`{"of":{"a":0.50}}`, `{"of":{"a":0.5},"more":1}`, `{ "of":{"a":0.5}}`} {
		if err := form.Decode([]byte(text), &v); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestTimesHaveOneForm(t *testing.T) {
	t.Parallel()
	if at, err := concert.ParseTime("2026-01-31T09:30:00.250Z"); err != nil || at.Nanosecond() != 250e6 {
		t.Errorf("%v, %v", at, err)
	}
	for _, text := range []string{"", "2026-01-31", "2026-01-31T09:30:00Z", "2026-01-31T10:30:00.250+01:00", "2026-01-31T09:30:00.2501Z", "2026-02-30T09:30:00.250Z"} {
		if at, err := concert.ParseTime(text); err == nil {
			t.Errorf("%q is taken for %s", text, at)
		}
	}
}
