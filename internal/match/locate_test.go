package match

import (
	"encoding/csv"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func canonicalRows(t testing.TB) [][]string {
	t.Helper()
	f, err := os.Open("testdata/canonical.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func TestG08TwoSpellingsOfOnePlaceAreOneLocation(t *testing.T) {
	rows := canonicalRows(t)
	if len(rows) < 120 {
		t.Errorf("the fixture has %d pairs, want at least 120", len(rows))
	}
	for _, row := range rows {
		a, errA := Locate(row[0])
		b, errB := Locate(row[1])
		if errA != nil || errB != nil {
			t.Errorf("%s | %s: %v, %v", row[0], row[1], errA, errB)
			continue
		}
		same := a.Kind == b.Kind && a.Canonical == b.Canonical
		if want := row[2] == "equal"; same != want {
			t.Errorf("%s and %s: %s %s and %s %s, want %s", row[0], row[1], a.Kind, a, b.Kind, b, row[2])
		}
		if diff := cmp.Diff(a, b); row[2] == "equal" && diff != "" {
			t.Errorf("%s and %s are one place with two faces:\n%s", row[0], row[1], diff)
		}
		for _, l := range []Location{a, b} {
			again, err := Locate(l.String())
			if err != nil {
				t.Errorf("%s is not read back: %v", l, err)
			} else if diff := cmp.Diff(l, again); diff != "" {
				t.Errorf("%s is read back as another place:\n%s", l, diff)
			}
		}
	}
}

func TestLocationFields(t *testing.T) {
	for _, want := range []Location{
		{Kind: Web, Canonical: "https://youtube.com/watch?v=EXERCISE001", Platform: "youtube", ObjectID: "EXERCISE001", RegistrableDomain: "youtube.com", Host: "youtube.com", Display: "hxxps://youtube[.]com/watch?v=EXERCISE001"},
		{Kind: Message, Canonical: "message:telegram/exercise_channel/12", Platform: "telegram", ObjectID: "exercise_channel/12", RegistrableDomain: "t.me", Host: "t.me", Display: "hxxps://t[.]me/exercise_channel/12", Visibility: "public"},
		{Kind: Channel, Canonical: "channel:telegram/+AbCd", Platform: "telegram", ObjectID: "+AbCd", RegistrableDomain: "t.me", Host: "t.me", Display: "hxxps://t[.]me/+AbCd", Visibility: "invite"},
		{Kind: Channel, Canonical: "channel:telegram/-1001234", Platform: "telegram", ObjectID: "-1001234", RegistrableDomain: "t.me", Host: "t.me", Display: "hxxps://t[.]me/c/1234", Visibility: "private"},
		{Kind: Web, Canonical: "https://a.exercise.co.uk/x", Platform: "exercise.co.uk", RegistrableDomain: "exercise.co.uk", Host: "a.exercise.co.uk", Display: "hxxps://a[.]exercise[.]co[.]uk/x"},
		{Kind: Account, Canonical: "account:forum.example/77", Platform: "forum.example", ObjectID: "77", Display: "account:forum[.]example/77"},
		{Kind: Newsletter, Canonical: "newsletter:list.exercise.example/s@mail.exercise.example", Platform: "exercise.example", ObjectID: "list.exercise.example/s@mail.exercise.example", RegistrableDomain: "exercise.example", Host: "mail.exercise.example", Display: "newsletter:list[.]exercise[.]example/s[@]mail[.]exercise[.]example"},
		{Kind: Stream, Canonical: "stream:rtmp://live.exercise.example/app/key", Platform: "exercise.example", RegistrableDomain: "exercise.example", Host: "live.exercise.example", Display: "stream:rtmp://live[.]exercise[.]example/app/key"},
	} {
		got, err := Locate(want.Canonical)
		if err != nil {
			t.Errorf("%s: %v", want.Canonical, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Canonical, diff)
		}
	}
}

var refusals = []struct{ code, input string }{
	{"empty", ""},
	{"empty", "   "},
	{"too_long", "https://exercise.example/" + strings.Repeat("a", MaxInput)},
	{"too_long", "https://exercise.example/" + strings.Repeat("ü", 1500)},
	{"credentials", "https://user:secret@exercise.example/a"},
	{"credentials", "https://user@exercise.example/a"},
	{"credentials", "https://youtube.com@exercise.example/a"},
	{"credentials", "https:user@exercise.example"},
	{"credentials", "https:\\\\user@exercise.example\\a"},
	{"credentials", "stream:rtmp://user:secret@exercise.example/live"},
	{"control_character", "https://exercise.example/a\x00b"},
	{"control_character", "https://exercise.example/a\nb"},
	{"control_character", "java\tscript:alert(1)"},
	{"control_character", "https://exercise.example/a%00b"},
	{"control_character", "https://exercise.example/a%0d%0aSet-Cookie"},
	{"control_character", "https://exercise.example/\u0085"},
	{"invisible_character", "https://exercise.example/\u202Egnp.exe"},
	{"invisible_character", "https://exer\u200Bcise.example/"},
	{"encoding", "https://exercise.example/\xff"},
	{"scheme_refused", "javascript:alert(1)"},
	{"scheme_refused", "JavaScript:alert(1)"},
	{"scheme_refused", "file:///etc/passwd"},
	{"scheme_refused", "data:text/html,x"},
	{"scheme_refused", "vbscript:x"},
	{"scheme_refused", "about:blank"},
	{"scheme_refused", "blob:https://exercise.example/1"},
	{"scheme_refused", "view-source:https://exercise.example"},
	{"scheme_refused", "mailto:a@exercise.example"},
	{"scheme_refused", "ftp://exercise.example/a"},
	{"scheme_refused", "chrome://settings"},
	{"scheme_refused", "localhost:8080/a"},
	{"scheme_refused", "stream:javascript:alert(1)"},
	{"scheme_refused", "stream:file:///etc/passwd"},
	{"bad_percent_encoding", "https://exercise.example/%zz"},
	{"bad_percent_encoding", "https://exercise.example/%a"},
	{"bad_percent_encoding", "https://exercise.example/100%"},
	{"bad_percent_encoding", "https://exercise.example/?q=%u0041"},
	{"private_host", "http://127.0.0.1/a"},
	{"private_host", "http://2130706433/a"},
	{"private_host", "http://0x7f.1/a"},
	{"private_host", "http://10.0.0.1/a"},
	{"private_host", "http://192.168.1.1/a"},
	{"private_host", "http://169.254.169.254/latest"},
	{"private_host", "http://100.64.0.1/a"},
	{"private_host", "http://0.0.0.0/a"},
	{"private_host", "http://[::1]/a"},
	{"private_host", "http://[fd00::1]/a"},
	{"private_host", "http://[fe80::1]/a"},
	{"private_host", "http://[::ffff:127.0.0.1]/a"},
	{"private_host", "http://[::ffff:10.1.2.3]/a"},
	{"private_host", "http://localhost/a"},
	{"private_host", "http://a.localhost/a"},
	{"private_host", "http://printer.local/a"},
	{"private_host", "http://router.home.arpa/a"},
	{"private_host", "http://db.internal/a"},
	{"no_public_suffix", "https://intranetserver/a"},
	{"no_public_suffix", "https://exercise.notasuffix/a"},
	{"no_public_suffix", "https://co.uk/a"},
	{"no_public_suffix", "https://example/a"},
	{"bad_host", "https://a..example/a"},
	{"bad_host", "https://" + strings.Repeat("a", 64) + ".example/a"},
	{"bad_url", "https://exercise.example:99999/a"},
	{"bad_url", "https://exercise.exa mple/a"},
	{"bad_url", "https://xn--a.example/"},
	{"bad_url", "https:///"},
	{"bad_url", "https://[::1/"},
	{"homograph", "https://p\u0430ypal.com/a"},
	{"homograph", "https://xn--pypal-4ve.com/a"},
	{"homograph", "https://\u0430\u0440\u0440\u04cf\u0435.com/a"},
	{"homograph", "https://www.yout\u03BFbe.com/a"},
	{"homograph", "https://te\u0261gram.example/a"},
	{"bad_onion", "http://exercise.onion/a"},
	{"bad_onion", "http://exercise12345678.onion/a"},
	{"bad_onion", "http://2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wie.onion/a"},
	{"bad_identifier", "channel:telegram"},
	{"bad_identifier", "channel:telegram/"},
	{"bad_identifier", "channel:/x"},
	{"bad_identifier", "channel:telegram/a b"},
	{"bad_identifier", "message:telegram/a//b"},
	{"bad_identifier", "extension:chrome/short"},
	{"bad_identifier", "app:apk/org.example?cert=12"},
	{"bad_identifier", "newsletter:list"},
	{"bad_identifier", "newsletter:list/nobody"},
	{"bad_identifier", "tg://settings"},
}

func TestLocateRefuses(t *testing.T) {
	for _, c := range refusals {
		l, err := Locate(c.input)
		var e *LocationError
		switch {
		case err == nil:
			t.Errorf("%q is read as %s, want the error %s", c.input, l, c.code)
		case !errors.As(err, &e):
			t.Errorf("%q: an error that is no LocationError: %v", c.input, err)
		case e.Code != "location."+c.code:
			t.Errorf("%q: code %s (%v), want location.%s", c.input, e.Code, err, c.code)
		case len(e.Input) > 130 || strings.ContainsAny(e.Input, "\x00\n\t"):
			t.Errorf("%q: the error carries the input unclipped: %q", c.input, e.Input)
		}
	}
}

func TestHomographErrorNamesTheLookalike(t *testing.T) {
	_, err := Locate("https://p\u0430ypal.com/")
	if err == nil || !strings.Contains(err.Error(), `"paypal"`) {
		t.Errorf("the error does not name the look-alike: %v", err)
	}
}

func TestHonestInternationalNamesPass(t *testing.T) {
	for _, s := range []string{
		"https://bücher.example/", "https://münchen.de/x", "https://пример.рф/x", "https://почта.рф/", "https://правда.com/x", "https://例え.jp/x",
		"https://東京タワー.jp/", "https://ソニーstyle.jp/", "https://한국.kr/x", "https://مثال.مصر/x", "https://παράδειγμα.gr/x", "https://ışık.com.tr/x",
		"https://łódź.pl/x", "https://דוגמה.co.il/x",
	} {
		if _, err := Locate(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestPlainSplitAgreesWithTheStandard(t *testing.T) {
	for _, row := range canonicalRows(t) {
		for _, s := range row[:2] {
			agree(t, s)
		}
	}
}

// agree compares the two ways of splitting on one text.
func agree(t *testing.T, text string) {
	t.Helper()
	scheme, rest := splitScheme(text)
	if scheme != "https" && scheme != "http" || checkCharacters(text) != nil {
		return
	}
	a, plain, err := splitPlain(scheme, rest)
	if !plain || err != nil {
		return
	}
	b, err := splitStandard(scheme, rest)
	if err != nil {
		t.Errorf("%q: the plain split reads %+v, the standard refuses: %v", text, a, err)
		return
	}
	if a != b {
		t.Errorf("%q: plain %+v, standard %+v", text, a, b)
	}
}

func FuzzLocate(f *testing.F) {
	for _, row := range canonicalRows(f) {
		f.Add(row[0])
		f.Add(row[1])
	}
	for _, s := range []string{"", "%", "https://%", "tg://x?y", "a:b", "channel:x/%2F", "https://a.example/;jsessionid=1;jsessionid=2", "https://a.example/http://http:///x", "https://x.com/i/i/i", "https://archive.org/details/%", "https://a.example/?=&==&a==b"} {
		f.Add(s)
	}
	rules := DefaultRules()
	f.Fuzz(func(t *testing.T, s string) {
		agree(t, s)
		l, err := Locate(s)
		if err != nil {
			var e *LocationError
			if !errors.As(err, &e) || l != (Location{}) {
				t.Fatalf("%q: error %v with %+v", s, err, l)
			}
			return
		}
		again, err := Locate(l.String())
		if err != nil {
			t.Fatalf("%q: canonical %q is not read back: %v", s, l, err)
		}
		if l != again {
			t.Fatalf("%q: %s", s, cmp.Diff(l, again))
		}
		if g := rules.Check(l); g != rules.Check(again) || g.Rule == "" || g.Reason == "" {
			t.Fatalf("%q: unsteady verdict %+v", s, g)
		}
	})
}

func BenchmarkLocate(b *testing.B) {
	for name, s := range map[string]string{
		"web":      "https://files.exercise.example/f/00000c/video.mp4",
		"tracking": "https://www.exercise.example/watch?v=abc123&utm_source=x&fbclid=y",
		"youtube":  "https://www.youtube.com/watch?v=EXERCISE001&feature=share",
		"telegram": "https://t.me/exercise_channel/1234",
		"encoded":  "https://exercise.example/%D0%B0/%D0%B1?x=%20y",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Locate(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	l, err := Locate("https://files.exercise.example/f/00000c/video.mp4")
	if err != nil {
		b.Fatal(err)
	}
	rules := DefaultRules()
	b.ReportAllocs()
	for b.Loop() {
		rules.Check(l)
	}
}

func TestHostileLengthStaysCheap(t *testing.T) {
	rules := DefaultRules()
	for _, s := range []string{
		"https://medium.com/@a/" + strings.Repeat("a-", 2000),
		"https://telegra.ph/" + strings.Repeat("-00", 1300),
		"https://exercise.example/" + strings.Repeat("a/", 2000),
		"https://exercise.example/" + strings.Repeat("%2525", 800),
		"https://exercise.example/?" + strings.Repeat("a&", 2000),
		"https://exercise.example/" + strings.Repeat(";jsessionid=", 330),
		"https://" + strings.Repeat("a.", 120) + "example/",
	} {
		start := time.Now()
		l, err := Locate(s)
		if err != nil {
			t.Errorf("%.40s: %v", s, err)
			continue
		}
		rules.Check(l)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.40s: took %v", s, took)
		} else {
			t.Logf("%.40s: %v", s, took)
		}
	}
}
