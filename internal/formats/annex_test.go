package formats_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/formats"
)

const verifyPage = "https://concert.example/verify"

var annexKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// order is a made-up removal order with so many places.
func order(places int) concert.OrderPayload {
	p := concert.OrderPayload{
		Type: "removal_order", Version: 1, Duty: concert.OrderDuty, Ref: "RO-7K3M-9QXT-4D2FH", Language: "en", Transport: "exercise.example/log", Exercise: true, IssuingState: "BE",
		Addressee: concert.OrderAddressee{Ref: "PR-1", Name: "EXERCISE Video", Representative: "EXERCISE Representative SA", ContactPoint: "orders@video.example", State: "IE"},
		IssuedAt:  "2019-11-21T12:00:00.000Z", Reasons: []concert.ContentType{concert.Incites, concert.Instruction},
		Statement:     "EXERCISE: a made-up video that would praise a made-up attack.\nIt would show, were it real, how a device is built (00:12 to 01:40).",
		LegalBasis:    []string{"Regulation (EU) 2021/784, Article 3(1)", "EXERCISE Act 2019, section 4"},
		Scope:         []string{"EU"},
		NonDisclosure: &concert.OrderSilence{Since: "2019-11-21T12:00:00.000Z", Until: "2020-01-02T12:00:00.000Z"},
		CopyTo:        &concert.OrderContact{Role: "authority_of_addressee", Name: "EXERCISE Authority West", State: "IE", Email: "tco@west.example"},
		Authority: concert.OrderAuthority{Ref: "AU-1", Kind: concert.OrderByLawEnforcement, Name: "EXERCISE Unit North", Country: "BE", Unit: "NORTH", Representative: "EXERCISE Officer", Post: "Head of unit, first class",
			FileNo: "EX/2019/17", Address: "1 Example Street, Exampletown", Telephone: "+32 0 000 00 00", Email: "orders@north.example", KeyID: concert.KeyID(annexKey.Public().(ed25519.PublicKey))},
		FollowUp: []concert.OrderContact{{Role: "issuing_authority", Name: "EXERCISE Unit North", State: "BE", Address: "1 Example Street, Exampletown", Telephone: "+32 0 000 00 01", Email: "duty@north.example"}},
		Redress: []concert.OrderRedress{
			{For: concert.RedressProvider, Body: "EXERCISE Council", Deadline: "30 days from receipt of the order", Law: "EXERCISE Act 2019, section 9", Link: "https://law.example/9", AsOf: "2019-11-01"},
			{For: concert.RedressContent, Body: "EXERCISE Council", Deadline: "30 days from the day on which the content provider was told", Law: "EXERCISE Act 2019, section 10", AsOf: "2019-11-01"},
		},
		FirstContact: concert.OrderFirstContact{NoticedAt: "2019-11-20T09:00:00.000Z", Notice: "FN-1"},
		Automated:    concert.PayloadMachine{Detection: true},
	}
	for i := range places {
		url := fmt.Sprintf("https://video.example/watch?v=exercise%03d&t=1s#top", i+1)
		p.Places = append(p.Places, concert.OrderPlace{Ref: fmt.Sprintf("IT-0000-0000-%05d", i+1), Location: concert.Location{Kind: "web", Canonical: strings.TrimSuffix(url, "#top"), Submitted: url, Display: "hxxps", Domain: "video.example"}})
	}
	if places > 1 {
		p.Places[1].Additional = "EXERCISE: the second video on the page, below the made-up picture."
	}
	return p
}

func reply() concert.OrderReply {
	return concert.OrderReply{Version: 1, Order: "RO-7K3M-9QXT-4D2FH", Addressee: "EXERCISE Video", Authority: "EXERCISE Unit North", AuthorityFile: "EX/2019/17", AddresseeFile: "V-88", ReceivedAt: "2019-11-21T12:00:03.000Z",
		Places: []string{"IT-0000-0000-00001", "IT-0000-0000-00002"}, State: "IE", Person: "EXERCISE Moderator", Email: "orders@video.example", At: "2019-11-21T12:41:00.000Z", Exercise: true}
}

func feedback() concert.OrderFeedback {
	return concert.OrderFeedback{Type: "order_feedback", OrderReply: reply(), Measure: concert.MeasureDisabled, MeasureAt: "2019-11-21T12:40:30.000Z"}
}

func impossible() concert.OrderImpossible {
	p := concert.OrderImpossible{Type: "order_impossible", OrderReply: reply(), Reasons: []concert.ImpossibleReason{concert.ImpossibleErrors, concert.ImpossibleInsufficient}, Further: "EXERCISE: the address leads to a page that is not ours.", Needed: "EXERCISE: the exact address."}
	p.Representative = "EXERCISE Representative SA"
	return p
}

// sealed is the payload in an envelope, signed by its author, as a file.
func sealed(t testing.TB, payloadType string, payload any) []byte {
	t.Helper()
	text, err := concert.CanonicalJSON(payload)
	if err != nil {
		t.Fatal(err)
	}
	e := concert.Envelope{PayloadType: payloadType, Payload: text}.Sign("author", annexKey)
	var file any = e
	if payloadType == concert.OrderPayloadType {
		file = concert.OrderFile{Format: concert.OrderFileFormat, Envelope: e}
	}
	raw, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// forms draws every form in the language: its name, HTML and PDF.
func forms(t testing.TB, lang string, words *formats.AnnexWords) map[string][2][]byte {
	t.Helper()
	out := map[string][2][]byte{}
	keep := func(name string, htmlText []byte, err1 error, pdf []byte, err2 error) {
		if err1 != nil || err2 != nil {
			t.Fatalf("%s in %s: %v, %v", name, lang, err1, err2)
		}
		out[name] = [2][]byte{htmlText, pdf}
	}
	p := order(2)
	o := formats.AnnexOptions{Words: words, File: sealed(t, concert.OrderPayloadType, p), Check: verifyPage, Standalone: true}
	a, err1 := formats.OrderHTML(lang, p, o)
	b, err2 := formats.OrderPDF(lang, p, o)
	keep("order", a, err1, b, err2)
	f := feedback()
	o.File = sealed(t, concert.FeedbackPayloadType, f)
	a, err1 = formats.FeedbackHTML(lang, f, o)
	b, err2 = formats.FeedbackPDF(lang, f, o)
	keep("feedback", a, err1, b, err2)
	i := impossible()
	o.File = sealed(t, concert.ImpossiblePayloadType, i)
	a, err1 = formats.ImpossibleHTML(lang, i, o)
	b, err2 = formats.ImpossiblePDF(lang, i, o)
	keep("impossible", a, err1, b, err2)
	return out
}

// golden compares with a file of testdata, or writes it (-update).
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "annex", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(want, got) {
		t.Errorf("%s differs (%v): go test ./internal/formats -run G37 -update, and read it", file, err)
	}
}

func TestG37AnnexesAreTheSameBytesFromTheSameData(t *testing.T) {
	t.Parallel()
	if got := formats.AnnexLanguages(); !slices.Equal(got, []string{"ar", "de", "en", "es", "fr", "nl"}) {
		t.Errorf("languages %q", got)
	}
	var sums strings.Builder
	for _, lang := range formats.AnnexLanguages() {
		first, second := forms(t, lang, nil), forms(t, lang, nil)
		for _, name := range slices.Sorted(maps.Keys(first)) {
			a, b := first[name], second[name]
			if !bytes.Equal(a[0], b[0]) || !bytes.Equal(a[1], b[1]) {
				t.Errorf("%s in %s: drawn twice it differs", name, lang)
			}
			golden(t, name+"."+lang+".html", a[0])
			if name == "order" && (lang == "en" || lang == "ar") {
				golden(t, name+"."+lang+".pdf", a[1])
			}
			if len(a[1]) > 200_000 {
				t.Errorf("%s in %s: %d bytes", name, lang, len(a[1]))
			}
			fmt.Fprintf(&sums, "%x  %s.%s.pdf\n", sha256.Sum256(a[1]), name, lang)
			if dir := os.Getenv("CONCERT_TEST_KEEP"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+"."+lang+".pdf"), a[1], 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	golden(t, "SHA256SUMS", []byte(sums.String()))
}
