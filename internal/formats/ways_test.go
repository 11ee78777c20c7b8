package formats_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"concert/internal/formats"
)

// sum is a digest for tests.
const sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// readAs gives the good rows as "line location" with whatever else the row
// says behind it (type, evaluation, digest, handling), the bad ones as "line
// reason", and the notes likewise.
func readAs(f formats.ItemFormat, r io.Reader) (good, bad, notes []string, err error) {
	err = formats.ReadItems(f, r, func(row formats.ItemRow) error {
		it := row.Item
		s := fmt.Sprintf("%d %s", row.Line, it.Location)
		for _, w := range []string{it.Type, it.Outlet, it.Action, it.Evaluation, it.SHA256, it.Handling} {
			if w == sum {
				w = "SUM"
			}
			if w != "" {
				s += " " + w
			}
		}
		if it.Priority != 0 {
			s += fmt.Sprintf(" priority %d", it.Priority)
		}
		good = append(good, s)
		return nil
	}, func(e formats.RowError) error {
		if e.Note {
			notes = append(notes, fmt.Sprintf("%d %s", e.Line, e.Reason))
		} else {
			bad = append(bad, fmt.Sprintf("%d %s", e.Line, e.Reason))
		}
		return nil
	})
	return good, bad, notes, err
}

// wantRows compares; each wanted bad row is a beginning and, behind "…", a
// word.
func wantRows(t *testing.T, f formats.ItemFormat, text string, good, bad []string) {
	t.Helper()
	gotGood, gotBad, _, err := readAs(f, strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	if d := cmp.Diff(good, gotGood); d != "" {
		t.Errorf("%s, good rows: %s", f, d)
	}
	ok := len(bad) == len(gotBad)
	for i := 0; ok && i < len(bad); i++ {
		head, word, _ := strings.Cut(bad[i], "…")
		ok = strings.HasPrefix(gotBad[i], head) && strings.Contains(gotBad[i], word)
	}
	if !ok {
		t.Errorf("%s, bad rows:\n%s\nwant\n%s", f, strings.Join(gotBad, "\n"), strings.Join(bad, "\n"))
	}
}

// one is a file of each format with one item at n, in one line where that can be.
func one(f formats.ItemFormat, n int) string {
	place := fmt.Sprintf("https://video.example/w/EXERCISE-%d", n)
	switch f {
	case formats.FormatCSV:
		return "location\n" + place + "\n"
	case formats.FormatTCAP:
		return "ID,Description,URL\n1,EXERCISE," + place + "\n"
	case formats.FormatXARF:
		return xarf(`"url":"`+place+`"`) + "\n"
	case formats.FormatMISP:
		return `{"Event":{"info":"EXERCISE","Attribute":[{"type":"url","category":"Network activity","value":"` + place + `"}]}}` + "\n"
	}
	return `{"type":"bundle","id":"bundle--0","objects":[{"type":"url","id":"url--1","value":"` + place + `"}]}` + "\n"
}

// xarf is a report with the core's fields and more.
func xarf(more string) string {
	return `{"xarf_version":"4.2.0","report_id":"51aab126-b37d-458d-ad32-9ebf3d63865f","timestamp":"2026-01-11T14:15:30Z",` +
		`"reporter":{"org":"Desk A (EXERCISE)","contact":"a@desk.example","domain":"desk.example"},` +
		`"sender":{"org":"Desk B (EXERCISE)","contact":"b@desk.example","domain":"desk.example"},` +
		`"source_identifier":"192.0.2.1","category":"content","type":"phishing",` + more + `}`
}

var allFormats = []formats.ItemFormat{formats.FormatCSV, formats.FormatTCAP, formats.FormatXARF, formats.FormatMISP, formats.FormatSTIX}

var jsonFormats = allFormats[2:]

func TestEveryFormatIsToldByItsFirstBytes(t *testing.T) {
	t.Parallel()
	for _, f := range allFormats {
		text := one(f, 1)
		for name, r := range map[string]io.Reader{
			"plain": strings.NewReader(text), "mark": strings.NewReader("\ufeff" + text), "blank": strings.NewReader("\r\n  " + text),
			"UTF-16": utf16Of(text, unicode.LittleEndian, unicode.UseBOM), "UTF-16 BE": utf16Of(text, unicode.BigEndian, unicode.IgnoreBOM),
		} {
			head, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := formats.DetectItems(head)
			if err != nil || got != f {
				t.Errorf("%s, %s: detected as %q, %v", f, name, got, err)
			}
			good, bad, _, err := readAs(f, strings.NewReader(string(head)))
			if err != nil || len(bad) > 0 || len(good) != 1 || !strings.Contains(good[0], "https://video.example/w/EXERCISE-1") {
				t.Errorf("%s, %s: %v, good %q, bad %q", f, name, err, good, bad)
			}
		}
	}
	if _, err := formats.DetectItems([]byte(`{"hello":"world"}`)); err == nil || !strings.Contains(err.Error(), "-format") {
		t.Errorf("JSON of no format: %v", err)
	}
	if f, err := formats.DetectItems([]byte("url,name\nx,y\n")); err != nil || f != formats.FormatCSV {
		t.Errorf("a CSV that is not TCAP's: %q, %v", f, err)
	}
}

func TestEmptyFilesAreRefusedInEveryFormat(t *testing.T) {
	t.Parallel()
	for _, f := range allFormats {
		for _, text := range []string{"", "\ufeff", "\r\n\n  \n", "\xff\xfe"} {
			good, bad, _, err := readAs(f, strings.NewReader(text))
			if err == nil || len(good)+len(bad) > 0 {
				t.Errorf("%s: %q: %v, good %q, bad %q", f, text, err, good, bad)
			}
		}
	}
	for _, f := range jsonFormats {
		if good, bad, _, err := readAs(f, strings.NewReader("[ ]")); err != nil || len(good)+len(bad) > 0 {
			t.Errorf("%s: an empty list: %v, good %q, bad %q", f, err, good, bad)
		}
	}
}

func TestReadersStopWhenAsked(t *testing.T) {
	t.Parallel()
	stop, disk := errors.New("enough"), errors.New("disk")
	for _, f := range allFormats {
		err := formats.ReadItems(f, strings.NewReader(one(f, 1)), func(formats.ItemRow) error { return stop }, func(formats.RowError) error { return nil })
		if !errors.Is(err, stop) {
			t.Errorf("%s: %v after yield asked to stop", f, err)
		}
		text := one(f, 1)
		if _, _, _, err := readAs(f, io.MultiReader(strings.NewReader(text[:len(text)-3]), iotest.ErrReader(disk))); !errors.Is(err, disk) {
			t.Errorf("%s: a failing file: %v", f, err)
		}
	}
	for _, f := range jsonFormats {
		err := formats.ReadItems(f, strings.NewReader(`[{"type":"x"}]`), func(formats.ItemRow) error { return nil }, func(formats.RowError) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("%s: %v after bad asked to stop", f, err)
		}
	}
}

func TestTruncatedJSONGivesWhatCameBefore(t *testing.T) {
	t.Parallel()
	for _, f := range jsonFormats {
		whole := manyOf(f, 3)
		good, bad, _, err := readAs(f, strings.NewReader(whole))
		if err != nil || len(good) != 3 || len(bad) > 0 {
			t.Fatalf("%s: %v, good %q, bad %q", f, err, good, bad)
		}
		for cut := 1; cut < len(whole); cut++ {
			got, bad, _, err := readAs(f, strings.NewReader(whole[:cut]))
			if err != nil {
				t.Fatalf("%s, cut at %d: %v", f, cut, err)
			}
			for i, g := range got {
				// Of an event whose end is missing nobody knows what it asks for.
				if strings.TrimSuffix(g, " H2") != good[i] {
					t.Fatalf("%s, cut at %d: row %q, want %q", f, cut, g, good[i])
				}
			}
			line := fmt.Sprint(strings.Count(whole[:cut], "\n") + 1)
			if strings.TrimSpace(whole[cut:]) == "" {
				continue
			}
			if len(bad) == 0 || !strings.HasPrefix(bad[len(bad)-1], line+" ") || !strings.Contains(bad[len(bad)-1], "ends in the middle") {
				t.Fatalf("%s, cut at %d in line %s: bad %q", f, cut, line, bad)
			}
		}
	}
}

// manyOf is a file with n items, an object to a line.
func manyOf(f formats.ItemFormat, n int) string {
	var objects []string
	for i := range n {
		line := strings.TrimSpace(one(f, i))
		switch f {
		case formats.FormatMISP:
			line = line[strings.Index(line, `[`)+1 : strings.LastIndex(line, `]`)]
		case formats.FormatSTIX:
			line = strings.Replace(line[strings.Index(line, `[`)+1:strings.LastIndex(line, `]`)], "url--1", fmt.Sprintf("url--%d", i), 1)
		}
		objects = append(objects, line)
	}
	list := "[\n" + strings.Join(objects, ",\n") + "\n]"
	switch f {
	case formats.FormatMISP:
		return `{"Event":{"info":"EXERCISE","Attribute":` + list + `,"Tag":[]}}`
	case formats.FormatSTIX:
		return `{"type":"bundle","id":"bundle--0","objects":` + list + `}`
	}
	return list
}

func TestOneObjectALineCostsOneLineEach(t *testing.T) {
	t.Parallel()
	for _, f := range jsonFormats {
		text := one(f, 1) + `{"broken` + "\n" + one(f, 2) + `{"a":1` + "\n" + one(f, 3) + "rubbish\n" + `{"a":[1,2}` + "\n\n" + one(f, 4) + strings.TrimSpace(one(f, 5)) + " x\n" + one(f, 6)
		good, bad, _, err := readAs(f, strings.NewReader(text))
		if err != nil || len(good) != 6 {
			t.Errorf("%s: %v, good %q", f, err, good)
		}
		var lines []string
		for _, b := range bad {
			n, _, _ := strings.Cut(b, " ")
			lines = append(lines, n)
		}
		if got := strings.Join(lines, " "); got != "2 4 6 7 10" {
			t.Errorf("%s: bad lines %s: %q", f, got, bad)
		}
	}
}

func TestWrongEncodingCostsOneObject(t *testing.T) {
	t.Parallel()
	for _, f := range jsonFormats {
		text := strings.Replace(manyOf(f, 3), "EXERCISE-1", "EXERCISE-\xe9", 1)
		good, bad, _, err := readAs(f, strings.NewReader(text))
		if err != nil || len(good) != 2 || len(bad) != 1 || !strings.Contains(bad[0], "is not UTF-8") || !strings.HasPrefix(bad[0], "3 ") {
			t.Errorf("%s: %v, good %q, bad %q", f, err, good, bad)
		}
		// Half a surrogate pair is JSON, and no text.
		text = strings.Replace(manyOf(f, 3), "EXERCISE-1", `EXERCISE-\ud83d`, 1)
		good, bad, _, err = readAs(f, strings.NewReader(text))
		if err != nil || len(good) != 2 || len(bad) != 1 {
			t.Errorf("%s: half a pair: %v, good %q, bad %q", f, err, good, bad)
		}
	}
}

// What a decoder could not read it marks, and a place with such a mark is
// another place.
func TestBrokenCharactersAreNoPlace(t *testing.T) {
	t.Parallel()
	for _, f := range allFormats[1:] {
		text := strings.Replace(one(f, 1), "EXERCISE-1", "EXERCISE-\ufffd", 1)
		if good, bad, _, err := readAs(f, strings.NewReader(text)); err != nil || len(good) > 0 || len(bad) != 1 || !strings.Contains(bad[0], "broken on the way") {
			t.Errorf("%s: %v, good %q, bad %q", f, err, good, bad)
		}
	}
}

func TestJSONLinesAreCountedWithEveryLineEnd(t *testing.T) {
	t.Parallel()
	for _, f := range jsonFormats {
		for _, end := range []string{"\n", "\r\n", "\r", "\n\r\n"} {
			text := strings.ReplaceAll(manyOf(f, 3), "\n", end)
			good, bad, _, err := readAs(f, iotest.OneByteReader(strings.NewReader(text)))
			step := strings.Count(strings.ReplaceAll(strings.ReplaceAll(end, "\r\n", "\n"), "\r", "\n"), "\n")
			if err != nil || len(bad) > 0 || len(good) != 3 {
				t.Fatalf("%s, %q: %v, good %q, bad %q", f, end, err, good, bad)
			}
			for i, g := range good {
				if want := fmt.Sprintf("%d ", 1+(i+1)*step); !strings.HasPrefix(g, want) {
					t.Errorf("%s, %q: row %q, want line %s", f, end, g, want)
				}
			}
		}
	}
}

func TestDeepAndLongObjectsCostOneRow(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":[`, 50) + strings.Repeat(`]}`, 50)
	deeper := strings.Repeat(`[`, 1<<19) + strings.Repeat(`]`, 1<<19)
	long := `"` + strings.Repeat("x", 60<<10) + `"`
	for _, f := range jsonFormats {
		for name, c := range map[string]struct{ value, word string }{
			"deep":   {deep, "nested deeper"},
			"deeper": {deeper, "nested deeper"},
			"long":   {"[" + strings.Repeat(long+",", 20) + "1]", "longer than"},
		} {
			text := strings.Replace(manyOf(f, 3), `"https://video.example/w/EXERCISE-1"`, `"https://video.example/w/EXERCISE-1","extra":`+c.value, 1)
			good, bad, _, err := readAs(f, strings.NewReader(text))
			if err != nil || len(good) != 2 || len(bad) != 1 || !strings.HasPrefix(bad[0], "3 ") || !strings.Contains(bad[0], c.word) {
				t.Errorf("%s, %s: %v, good %q, bad %.200q", f, name, err, good, bad)
			}
		}
		// A screenshot or a sample in a string is passed over, not counted.
		text := strings.Replace(manyOf(f, 3), `"https://video.example/w/EXERCISE-1"`, `"https://video.example/w/EXERCISE-1","data":"`+strings.Repeat("QUJD", 1<<20)+`"`, 1)
		if good, bad, _, err := readAs(f, strings.NewReader(text)); err != nil || len(good) != 3 || len(bad) > 0 {
			t.Errorf("%s, a sample: %v, good %.200q, bad %.200q", f, err, good, bad)
		}
		// A place of that length is none.
		text = strings.Replace(manyOf(f, 3), "EXERCISE-1", strings.Repeat("x", 1<<20), 1)
		if good, bad, _, err := readAs(f, strings.NewReader(text)); err != nil || len(good) != 2 || len(bad) != 1 || !strings.Contains(bad[0], "longer than 4096") {
			t.Errorf("%s, a long place: %v, good %q, bad %.200q", f, err, good, bad)
		}
	}
	if _, bad, _, err := readAs(formats.FormatSTIX, strings.NewReader(strings.Repeat("[", 3<<20))); err != nil || len(bad) != 1 {
		t.Errorf("nothing but brackets: %v, %q", err, bad)
	}
}

// repeated is one text n times.
type repeated struct {
	text string
	n    int
	rest string
}

func (r *repeated) Read(b []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.text
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func TestHundredMegabytesCostNoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a hundred megabytes in each format")
	}
	junk := strings.Repeat("x", 1<<10)
	for _, f := range allFormats {
		head, tail := one(f, 1), ""
		switch f {
		case formats.FormatCSV, formats.FormatTCAP:
			tail = "\n" + strings.SplitAfter(one(f, 2), "\n")[1]
		default:
			head, tail = one(f, 1)+`{"junk":[1,{"a":"`, `"}]}`+"\n"+one(f, 2)
		}
		for name, big := range map[string]io.Reader{
			"one line":         &repeated{text: junk, n: 100 << 10},
			"values in a line": &repeated{text: strings.Repeat(`",`, 400) + `"x`, n: 4 << 10},
		} {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var good, bad []string
			peak := uint64(0)
			look := func() error {
				runtime.ReadMemStats(&after)
				peak = max(peak, after.HeapAlloc)
				return nil
			}
			err := formats.ReadItems(f, io.MultiReader(strings.NewReader(head), big, strings.NewReader(tail)), func(r formats.ItemRow) error {
				good = append(good, r.Item.Location)
				return look()
			}, func(e formats.RowError) error {
				bad = append(bad, fmt.Sprint(e.Line))
				return look()
			})
			_ = look()
			if err != nil {
				t.Errorf("%s, %s: %v", f, name, err)
			}
			lines := 0
			for _, b := range bad {
				if b != bad[0] {
					lines++
				}
			}
			if len(bad) == 0 || lines > 1 {
				t.Errorf("%s, %s: bad %q", f, name, bad)
			}
			if len(good) != 2 && name == "one line" {
				t.Errorf("%s, %s: good %q", f, name, good)
			}
			if grown := int64(peak) - int64(before.HeapAlloc); grown > 8<<20 {
				t.Errorf("%s, %s: the heap grew by %d bytes", f, name, grown)
			}
			if spent := after.TotalAlloc - before.TotalAlloc; spent > 32<<20 {
				t.Errorf("%s, %s: %d bytes allocated", f, name, spent)
			}
		}
	}
}

// Many small objects: what is held does not grow with the file.
func TestLongFilesCostNoMemory(t *testing.T) {
	for _, f := range allFormats {
		whole := manyOf(f, 1)
		var head, body, tail string
		switch f {
		case formats.FormatCSV, formats.FormatTCAP:
			head, body, _ = strings.Cut(one(f, 1), "\n")
			head += "\n"
		default:
			lines := strings.Split(whole, "\n")
			head, body, tail = lines[0]+"\n", lines[1]+",\n", lines[1]+"\n"+lines[2]
		}
		const n = 60_000
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		got, peak := 0, uint64(0)
		err := formats.ReadItems(f, io.MultiReader(strings.NewReader(head), &repeated{text: body, n: n}, strings.NewReader(tail)), func(formats.ItemRow) error {
			if got++; got%5000 == 0 {
				runtime.ReadMemStats(&after)
				peak = max(peak, after.HeapInuse)
			}
			return nil
		}, func(e formats.RowError) error {
			if !e.Note {
				t.Errorf("%s: %v", f, e)
			}
			return nil
		})
		if err != nil || got < n {
			t.Errorf("%s: %v, %d rows of %d", f, err, got, n)
		}
		if grown := int64(peak) - int64(before.HeapInuse); grown > 64<<20 {
			t.Errorf("%s: the heap grew by %d MiB", f, grown>>20)
		}
	}
}

// mangled changes a text at random places, as broken exporters and bad lines do.
func mangled(rng *rand.Rand, text string) string {
	b := []byte(text)
	for range 1 + rng.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := rng.IntN(len(b))
		switch rng.IntN(5) {
		case 0:
			b = append(b[:i], b[i+1:]...)
		case 1:
			b[i] = byte(rng.IntN(256))
		case 2:
			b = append(b[:i], append([]byte{`"{}[],:'\`[rng.IntN(9)]}, b[i:]...)...)
		case 3:
			b = b[:i]
		case 4:
			j := i + rng.IntN(len(b)-i)
			b = append(b, b[i:j]...)
		}
	}
	return string(b)
}

func TestMangledFilesAreReadToAnEnd(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, f := range allFormats {
		text := manyOf(f, 3)
		if f == formats.FormatCSV || f == formats.FormatTCAP {
			text = one(f, 1)
		}
		for range 600 {
			sound(t, f, mangled(rng, text))
		}
	}
}

// sound is what holds of every reader on every text: it ends without a panic,
// places are not empty, lines are within the file.
func sound(t *testing.T, f formats.ItemFormat, text string) {
	t.Helper()
	lines := strings.Count(text, "\n") + strings.Count(text, "\r") + len(text)/2 + 1 // a text of UTF-16 has others
	at := func(line int) {
		if line < 1 || line > lines {
			t.Fatalf("%s: line %d of %d in %q", f, line, lines, text)
		}
	}
	_ = formats.ReadItems(f, strings.NewReader(text), func(r formats.ItemRow) error {
		at(r.Line)
		if strings.TrimSpace(r.Item.Location) == "" || r.Item.Priority < 0 || r.Item.Priority > 9 {
			t.Fatalf("%s: line %d went in as %+v", f, r.Line, r.Item)
		}
		return nil
	}, func(e formats.RowError) error {
		at(e.Line)
		if e.Reason == "" {
			t.Fatalf("%s: line %d is bad without a reason", f, e.Line)
		}
		return nil
	}) // any refusal is fine: what counts is that it ends
}
