package formats_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"concert/internal/formats"
)

// read gives the good rows as "line location|type|outlet|action|priority|evaluation"
// and the bad ones as "line reason".
func read(r io.Reader) (good, bad []string, err error) {
	err = formats.ReadItemCSV(r, func(row formats.ItemRow) error {
		it := row.Item
		good = append(good, fmt.Sprintf("%d %s|%s|%s|%s|%d|%s", row.Line, it.Location, it.Type, it.Outlet, it.Action, it.Priority, it.Evaluation))
		return nil
	}, func(e formats.RowError) error {
		bad = append(bad, fmt.Sprintf("%d %s", e.Line, e.Reason))
		return nil
	})
	return good, bad, err
}

func TestItemCSVIsReadAsSpreadsheetsWriteIt(t *testing.T) {
	t.Parallel()
	want := []string{"2 https://video.example/w/1|video|OU-1|JA-1|5|A1", "3 https://video.example/w/2|||||"}
	want[1] = "3 https://video.example/w/2||||0|"
	for name, text := range map[string]string{
		"plain":           "location,type,outlet,action,priority,evaluation\nhttps://video.example/w/1,video,OU-1,JA-1,5,A1\nhttps://video.example/w/2,,,,,\n",
		"no last newline": "location,type,outlet,action,priority,evaluation\nhttps://video.example/w/1,video,OU-1,JA-1,5,A1\nhttps://video.example/w/2,,,,,",
		"BOM and CRLF":    "\ufefflocation,type,outlet,action,priority,evaluation\r\nhttps://video.example/w/1,video,OU-1,JA-1,5,A1\r\nhttps://video.example/w/2,,,,,\r\n",
		"semicolons":      "location;type;outlet;action;priority;evaluation\nhttps://video.example/w/1;video;OU-1;JA-1;5;A1\nhttps://video.example/w/2;;;;;\n",
		"tabs":            "location\ttype\toutlet\taction\tpriority\tevaluation\nhttps://video.example/w/1\tvideo\tOU-1\tJA-1\t5\tA1\nhttps://video.example/w/2\t\t\t\t\t\n",
		"quotes":          "\"location\",\"type\",outlet,action,priority,evaluation\n\"https://video.example/w/1\",\"video\",OU-1,JA-1,\"5\",A1\n\"https://video.example/w/2\",,,,,\n",
		"capitals":        "Location, TYPE ,Outlet,Action,Priority,Evaluation\nhttps://video.example/w/1, video,OU-1,JA-1, 5 ,A1\n https://video.example/w/2,,,,,\n",
		"other order":     "priority,location,evaluation,action,outlet,type\n5,https://video.example/w/1,A1,JA-1,OU-1,video\n,https://video.example/w/2,,,,\n",
	} {
		good, bad, err := read(strings.NewReader(text))
		if err != nil || len(bad) > 0 {
			t.Errorf("%s: %v, bad %v", name, err, bad)
		}
		if d := cmp.Diff(want, good); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestItemCSVWithOneColumn(t *testing.T) {
	t.Parallel()
	good, bad, err := read(strings.NewReader("location\n\nhttps://video.example/w/1?a=1;b\n   \nchannel:telegram/example\n"))
	want := []string{"3 https://video.example/w/1?a=1;b||||0|", "5 channel:telegram/example||||0|"}
	if err != nil || len(bad) > 0 || !cmp.Equal(good, want) {
		t.Errorf("%v, bad %v, %s", err, bad, cmp.Diff(want, good))
	}
}

func TestItemCSVBadRowsCostOneLineEach(t *testing.T) {
	t.Parallel()
	text := strings.Join([]string{
		"location,priority",
		"https://video.example/w/2,1",
		`"https://video.example/w/3,1`,
		"https://video.example/w/4,1",
		`https://video.example/"w"/5,1`,
		"https://video.example/w/6",
		"https://video.example/w/7,1,2",
		"https://video.example/w/8,ten",
		"https://video.example/w/9,10",
		"https://video.example/w/10,-1",
		",1",
		"https://video.example/w/\xe9,1",
		"https://video.example/w/13,1\x00",
		"https://video.example/w/14,9",
	}, "\n")
	good, bad, err := read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"2 https://video.example/w/2||||1|", "4 https://video.example/w/4||||1|", "14 https://video.example/w/14||||9|"}; !cmp.Equal(good, want) {
		t.Errorf("good rows: %s", cmp.Diff(want, good))
	}
	lines := []int{3, 5, 6, 7, 8, 9, 10, 11, 12, 13}
	if len(bad) != len(lines) {
		t.Fatalf("%d bad rows, want %d: %v", len(bad), len(lines), bad)
	}
	for i, line := range lines {
		if !strings.HasPrefix(bad[i], fmt.Sprintf("%d ", line)) {
			t.Errorf("bad row %q, want line %d", bad[i], line)
		}
	}
}

func TestItemCSVWrongHeaderIsRefusedByName(t *testing.T) {
	t.Parallel()
	for text, word := range map[string]string{
		"":                              "no header",
		"\n\n\r\n":                      "no header",
		"\ufeff":                        "no header",
		"location,url\nx,y\n":           `unknown column "url"`,
		"location,type,location\nx,y,z": `column "location" stands twice`,
		"type,outlet\nvideo,OU-1\n":     "column location is missing",
		"https://video.example/w/1\n":   "unknown column",
		"\"location\nx\n":               "line 1",
		"l\x00o,location\n":             "unknown column",
	} {
		good, _, err := read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), word) || len(good) > 0 {
			t.Errorf("%q: %v, want an error with %q", text, err, word)
		}
	}
	// Latin-1 as spreadsheets also write it.
	_, bad, err := read(strings.NewReader("loc\xe4tion\nx\n"))
	if err == nil || len(bad) == 0 || !strings.Contains(bad[0], "not UTF-8") {
		t.Errorf("%v, bad %v: want that it is not UTF-8", err, bad)
	}
}

func TestItemCSVStopsWhenItsReaderDoes(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	n := 0
	err := formats.ReadItemCSV(strings.NewReader("location\na\nb\nc\n"), func(formats.ItemRow) error {
		n++
		return stop
	}, func(formats.RowError) error { return nil })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
	broken := errors.New("disk")
	if _, _, err := read(io.MultiReader(strings.NewReader("location\na\n"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("a failing file: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// endless is n bytes of one letter.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := min(len(b), e.n)
	for i := range b[:n] {
		b[i] = 'x'
	}
	e.n -= n
	return n, nil
}

func TestItemCSVHundredMegabyteLineCostsNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	good, bad, err := read(io.MultiReader(strings.NewReader("location\na\n"), &endless{100 << 20}, strings.NewReader("\nb\n")))
	runtime.ReadMemStats(&after)
	if err != nil || len(good) != 2 || len(bad) != 1 || !strings.HasPrefix(bad[0], "3 longer than") {
		t.Fatalf("%v, good %v, bad %v", err, good, bad)
	}
	if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20 {
		t.Errorf("%d bytes allocated for a line that is skipped", spent)
	}
}

func TestItemCSVKnowsEveryLineEndAndUTF16(t *testing.T) {
	t.Parallel()
	text := "location,type\r\nhttps://video.example/w/1,video\rhttps://video.example/w/\u00e9,\n\r\nhttps://video.example/w/3,\r"
	want := []string{"2 https://video.example/w/1|video|||0|", "3 https://video.example/w/\u00e9||||0|", "5 https://video.example/w/3||||0|"}
	for name, r := range map[string]io.Reader{
		"UTF-8":                  strings.NewReader(text),
		"UTF-8 with a mark":      strings.NewReader("\ufeff" + text),
		"UTF-16 LE":              utf16Of(text, unicode.LittleEndian, unicode.UseBOM),
		"UTF-16 BE":              utf16Of(text, unicode.BigEndian, unicode.UseBOM),
		"UTF-16 LE without mark": utf16Of(text, unicode.LittleEndian, unicode.IgnoreBOM),
		"UTF-16 BE without mark": utf16Of(text, unicode.BigEndian, unicode.IgnoreBOM),
		"a byte at a time":       iotest.OneByteReader(strings.NewReader(text)),
	} {
		good, bad, err := read(r)
		if err != nil || len(bad) > 0 || !cmp.Equal(good, want) {
			t.Errorf("%s: %v, bad %v, %s", name, err, bad, cmp.Diff(want, good))
		}
	}
}

// utf16Of is a text as UTF-16.
func utf16Of(text string, order unicode.Endianness, mark unicode.BOMPolicy) io.Reader {
	return transform.NewReader(strings.NewReader(text), unicode.UTF16(order, mark).NewEncoder())
}

func FuzzReadItemCSV(f *testing.F) {
	for _, s := range []string{"", "location\nx", "\ufefflocation;type\r\nx;video\r\n", "location,priority\n\"a,b\",3\n\"broken\nc,4\n", "location\t\n\xff\n", "location\n\"a\"\"b\"\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + len(text)/2 + 1 // a text of UTF-16 has others
		last := 0
		at := func(line int) {
			if line <= last || line > lines {
				t.Fatalf("line %d after %d of %d", line, last, lines)
			}
			last = line
		}
		_ = formats.ReadItemCSV(strings.NewReader(text), func(r formats.ItemRow) error {
			at(r.Line)
			if r.Item.Location == "" || r.Item.Priority < 0 || r.Item.Priority > 9 {
				t.Fatalf("line %d went in as %+v", r.Line, r.Item)
			}
			return nil
		}, func(e formats.RowError) error {
			at(e.Line)
			return nil
		}) // any refusal is fine: what counts is that it ends, in order
	})
}
