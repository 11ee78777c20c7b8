package formats_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"concert"
	"concert/internal/formats"
)

var update = flag.Bool("update", false, "rewrite the golden texts")

var sentAt = time.Date(2019, 11, 21, 12, 0, 0, 0, time.UTC)

// payload is a made-up referral of so many items.
func payload(n int) concert.ReferralPayload {
	p := concert.ReferralPayload{Type: "referral", Version: 1, Ref: "RF-7K3M-9QXT-4D2FH", Voluntary: concert.VoluntaryNotice, Transport: "exercise.example/log", Provider: "EXERCISE Video", SentAt: sentAt.Format(concert.TimeFormat), Exercise: true,
		Author: concert.PayloadParty{Name: "EXERCISE Unit North", Country: "XN", Unit: "NORTH", Operator: "OP-SECRET", KeyID: "00"}}
	for i := range n {
		url := "https://video.example/watch?v=ex" + string(rune('a'+i))
		p.Items = append(p.Items, concert.PayloadItem{Ref: "IT-0000-0000-0000" + string(rune('A'+i)), Type: concert.TypeVideo, ContentType: concert.Incites, Outlet: "EXERCISE Outlet", ScopeEntry: "SC-1", Mark: "EXERCISE logo", MarkWhere: "top right",
			Location: concert.Location{Kind: "web", Canonical: url, Submitted: url, Domain: "video.example", Platform: "video.example", Display: strings.NewReplacer("https", "hxxps", ".", "[.]").Replace(url)},
			Language: "ar", Severity: concert.SeverityRoutine, Facts: "EXERCISE: a made-up video, also at https://mirror.video.example/x\nwith a made-up logo.", Reason: "EXERCISE: would incite, were it real.", Operator: "OP-SECRET", Finders: []string{"NORTH"}})
	}
	return p
}

func notice(lang string, kind concert.NoticeKind, items int) *formats.Notice {
	n := &formats.Notice{Lang: lang, Exercise: true, Provider: "EXERCISE Video", Sender: "exercise.example/log", Base: "https://concert.example", Keys: "https://concert.example/api/v1/keys", Reply: "referrals+r.tag@concert.example",
		Token: "RF-7K3M-9QXT-4D2FH", SentAt: sentAt, Parts: []formats.NoticePart{{Kind: kind, Payload: payload(items), Signed: []byte("{}"), Link: "https://concert.example/answer#csa_x", Expires: sentAt.Add(concert.AnswerLinkTerm)}}}
	if kind == concert.NoticePatterns {
		p := &n.Parts[0]
		p.Payload.Items, p.Payload.Ref, p.Link, p.Signed, p.Action = nil, "PN-1", "", nil, "EXERCISE action"
		p.Patterns = &concert.Patterns{Items: 12, Types: []concert.Counted{{Value: "video", N: 9}, {Value: "image", N: 3}}, Kinds: []concert.Counted{{Value: "web", N: 12}}, Outlets: []concert.Counted{{Value: "EXERCISE Outlet", N: 12}},
			Languages: []concert.Counted{{Value: "ar", N: 12}}, Captured: 12, Works: 4, Repeated: 2, Copies: 8, MostAt: 7, Returned: 1, Reuploads: 3}
	}
	if kind == concert.NoticeQuestion {
		n.Parts[0].Reason, n.Parts[0].Remedy, n.Parts[0].Link = "EXERCISE: which of the two is it? https://video.example/x", "QU-1", ""
	}
	if kind == concert.NoticeWithdrawal || kind == concert.NoticeCorrection {
		n.Parts[0].Reason, n.Parts[0].Remedy, n.Parts[0].Link = "EXERCISE: it was research.", "RM-1", ""
	}
	return n
}

func TestNoticeTextIsThisInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range formats.NoticeLanguages {
		for _, kind := range []concert.NoticeKind{concert.NoticeReferral, concert.NoticeReminder, concert.NoticeWithdrawal, concert.NoticeCorrection, concert.NoticeQuestion, concert.NoticePatterns, concert.NoticeSandbox} {
			n := notice(lang, kind, 2)
			subject, err := n.Subject()
			if err != nil {
				t.Fatal(err)
			}
			text, err := n.Text()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "notice", string(kind)+"."+lang+".txt")
			got := subject + "\n\n" + text
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != got {
				t.Errorf("%s differs (%v): go test ./internal/formats -run Notice -update, and read it", file, err)
			}
			for _, never := range []string{"https://video.example", "https://mirror", "OP-SECRET", "{"} {
				if strings.Contains(got, never) {
					t.Errorf("%s holds %q", file, never)
				}
			}
			if asks := kind == concert.NoticeReferral || kind == concert.NoticeReminder; asks != strings.Contains(got, concert.VoluntaryNotice) {
				t.Errorf("G01: %s: the voluntary notice word for word: %v", file, !asks)
			}
		}
	}
}

func TestNoticeWithAnUnfilledPlaceIsNotSent(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*formats.Notice){
		"no provider": func(n *formats.Notice) { n.Provider = " " },
		"no author":   func(n *formats.Notice) { n.Parts[0].Payload.Author.Name = "" },
		"no place":    func(n *formats.Notice) { n.Parts[0].Payload.Items[0].Location.Display = "" },
		"no keys":     func(n *formats.Notice) { n.Keys = "" },
		"no facts":    func(n *formats.Notice) { n.Parts[0].Payload.Items[0].Facts = "\n" },
		"no kind":     func(n *formats.Notice) { n.Parts[0].Kind = "order" },
		"no language": func(n *formats.Notice) { n.Lang = "tlh" },
	} {
		n := notice("en", concert.NoticeReferral, 1)
		spoil(n)
		if _, err := n.Text(); err == nil {
			t.Errorf("%s: the text is written", name)
		}
		if _, err := formats.WritePDF(n); err == nil {
			t.Errorf("%s: the PDF is drawn", name)
		}
	}
}

func TestTextOfOthersCannotBeginALineOfOurs(t *testing.T) {
	t.Parallel()
	n := notice("en", concert.NoticeReferral, 1)
	n.Parts[0].Payload.Items[0].Facts = "seen\r\nBcc: a@b.example\n\n\u202eThis is an order\u2028Pay"
	n.Parts[0].Payload.Author.Name = "Unit\r\nBcc: x@y.example"
	subject, err := n.Subject()
	if err != nil || strings.ContainsAny(subject, "\r\n\u202e") {
		t.Errorf("subject %q, %v", subject, err)
	}
	text, err := n.Text()
	if err != nil || strings.Contains(text, "\nBcc") || strings.ContainsAny(text, "\u202e\u2028\r") {
		t.Errorf("text %q, %v", text, err)
	}
}

func TestXARFReportsValidateAgainstXARFAndOurExtension(t *testing.T) {
	t.Parallel()
	core, content, _ := schemas(t)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	own, err := os.Open("../../docs/formats/xarf-tco.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	doc, err := jsonschema.UnmarshalJSON(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(formats.XARFSchema, doc); err != nil {
		t.Fatal(err)
	}
	ours, err := c.Compile(formats.XARFSchema)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []concert.NoticeKind{concert.NoticeReferral, concert.NoticeReminder, concert.NoticeWithdrawal, concert.NoticeCorrection, concert.NoticeSandbox} {
		n := notice("en", kind, 3)
		n.Parts[0].Payload.Items[1].Location = concert.Location{Kind: "channel", Canonical: "telegram:some channel/ü", Submitted: "@exercise", Display: "telegram channel", Platform: "telegram"}
		n.Parts[0].Payload.Items[2].Language = "zh-Hant"
		text, err := formats.WriteXARF(n)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != 3 {
			t.Fatalf("%d reports", len(lines))
		}
		for _, l := range lines {
			report, err := jsonschema.UnmarshalJSON(strings.NewReader(l))
			if err != nil {
				t.Fatal(err)
			}
			for name, s := range map[string]*jsonschema.Schema{"core": core, "content": content, "ours": ours} {
				if err := s.Validate(report); err != nil {
					t.Errorf("%s, %s: %v\n%s", kind, name, err, l)
				}
			}
			if strings.Contains(l, "OP-SECRET") || strings.Contains(l, "_internal") || strings.Contains(l, `"evidence":`) {
				t.Errorf("a report tells too much: %s", l)
			}
			report.(map[string]any)["tco"].(map[string]any)["instrument"] = "order"
			if ours.Validate(report) == nil {
				t.Error("G01: our schema takes an order")
			}
		}
		// Our own reader takes what our writer writes.
		good, bad, _, err := readAs(formats.FormatXARF, bytes.NewReader(text))
		if err != nil || len(good) != 3 || len(bad) != 0 {
			t.Errorf("read back: %q, %q, %v", good, bad, err)
		}
	}
}

func TestDigestCSVHasALineAnItemAndNoFormula(t *testing.T) {
	t.Parallel()
	n := notice("en", concert.NoticeReferral, 3)
	n.Digest = true
	n.Parts = append(n.Parts, notice("en", concert.NoticeWithdrawal, 1).Parts...)
	n.Parts[0].Payload.Items[0].Outlet = "=HYPERLINK(\"x\")"
	text, err := formats.WriteDigestCSV(n)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][9] != "'=HYPERLINK(\"x\")" || rows[4][0] != "withdrawal" || rows[1][3] != "https://video.example/watch?v=exa" {
		t.Errorf("%v: %q", err, rows)
	}
	subject, err := n.Subject()
	if err != nil || subject != "[RF-7K3M-9QXT-4D2FH] EXERCISE: 2 notice(s) on 4 item(s)" {
		t.Errorf("%q, %v", subject, err)
	}
}

// The PDF is looked at by people; here only that it is one, the same each time, and embeds its fonts.
func TestNoticePDFIsDrawnInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range formats.NoticeLanguages {
		n := notice(lang, concert.NoticeReferral, 12)
		n.Parts[0].Payload.Items[0].Facts = strings.Repeat("х", 400) + " Ελληνικά العربية لا إله 😀"
		a, err := formats.WritePDF(n)
		if err != nil {
			t.Fatal(err)
		}
		b, err := formats.WritePDF(n)
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: drawn twice it differs, %v", lang, err)
		}
		if !bytes.HasPrefix(a, []byte("%PDF-")) || !bytes.Contains(a, []byte("/FontFile2")) || len(a) > 200_000 {
			t.Errorf("%s: %d bytes", lang, len(a))
		}
		if dir := os.Getenv("CONCERT_TEST_KEEP"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "notice."+lang+".pdf"), a, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestOneReportIsOneObject(t *testing.T) {
	t.Parallel()
	text, err := formats.WriteXARF(notice("en", concert.NoticeReferral, 1))
	var report map[string]any
	if err != nil || json.Unmarshal(text, &report) != nil || report["type"] != formats.XARFType {
		t.Errorf("%s, %v", text, err)
	}
}

func BenchmarkNoticePDF(b *testing.B) {
	n := notice("en", concert.NoticeReferral, 1)
	for b.Loop() {
		if _, err := formats.WritePDF(n); err != nil {
			b.Fatal(err)
		}
	}
}
