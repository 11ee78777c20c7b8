package formats_test

import (
	"strings"
	"testing"

	"concert/internal/formats"
)

const tcapHead = "ID,Description,URL,Domain,Created On,Content Data Type,Extreme Content,Pi I,Protocol,Core Tech Platform - Tech Platform → Name," +
	"Core Terrorist Group - Terrorist Group Fk → Name,Core Terrorist Group - Terrorist Group Fk → Entity Type,Core Terrorist Group - Terrorist Group Fk → Ideology\n"

// tcapRow is a row with an invented group.
func tcapRow(id, description, url string) string {
	return id + "," + description + "," + url + ",video.example,12/21/25 16:41:59,URL,NO,NO,https://,Video (EXERCISE),Group (EXERCISE),GRP,EXR\n"
}

func TestTCAPRowsBecomePlacesAndNoJudgement(t *testing.T) {
	t.Parallel()
	text := tcapHead +
		tcapRow("1", `"A film, in ""two"" parts (EXERCISE)."`, "video.example/w/1") +
		tcapRow("2", `plain`, "https://video.example/w/2") +
		`3,x,hxxps://video[.]example/w/3,,,VIDEO,YES,NTS,,,Group (EXERCISE),GRP,EXR` + "\n" +
		`4,x,video.example/w/4,,,URL,NTS,NO,http://,,,,` + "\n"
	wantRows(t, formats.FormatTCAP, text, []string{
		"2 https://video.example/w/1", "3 https://video.example/w/2", "4 hxxps://video[.]example/w/3 video", "5 http://video.example/w/4",
	}, nil)
	_, _, notes, _ := readAs(formats.FormatTCAP, strings.NewReader(text))
	if len(notes) != 2 || !strings.Contains(notes[0], "extreme") || !strings.HasSuffix(notes[0], "(2)") || !strings.Contains(notes[1], "personal data") || !strings.HasSuffix(notes[1], "(1)") {
		t.Errorf("notes %q", notes)
	}
	if strings.Contains(strings.Join(notes, ""), "Group") {
		t.Error("a group's name is in a note")
	}
}

func TestTCAPDescriptionsMayHoldLineBreaks(t *testing.T) {
	t.Parallel()
	wantRows(t, formats.FormatTCAP, tcapHead+
		tcapRow("1", "\"A film.\nIt has, so they say,\r\n\r\n\"\"two\"\" parts (EXERCISE)\"", "video.example/w/1")+
		"\n"+
		tcapRow("2", `a "quote" that opens nothing`, "video.example/w/2")+
		tcapRow("3", "\"two lines,\nwhose last, with commas, could be a row\"", "video.example/w/3"),
		[]string{"2 https://video.example/w/1", "7 https://video.example/w/2", "8 https://video.example/w/3"}, nil)
	// The last line of a description has as many commas as a row, and one more quoted field.
	wantRows(t, formats.FormatTCAP, "ID,Description,URL,Domain\n1,\"x\nb\",video.example/w/1,\"video.example\"\n2,\"one\nb, video.example,c,d\",video.example/w/2,x\n",
		[]string{"2 video.example/w/1", "4 video.example/w/2"}, nil)
}

func TestTCAPBrokenQuoteCostsItsRow(t *testing.T) {
	t.Parallel()
	wantRows(t, formats.FormatTCAP, tcapHead+
		tcapRow("1", `"never closed`, "video.example/w/1")+
		tcapRow("2", `plain`, "video.example/w/2")+
		tcapRow("3", `"never closed`, "video.example/w/3")+
		tcapRow("4", `"closed"`, "video.example/w/4")+
		tcapRow("5", `"never closed`, "video.example/w/5")+
		tcapRow("6", "\"over\ntwo lines\"", "video.example/w/6")+
		tcapRow("7", `"a "wrong" quote"`, "video.example/w/7")+
		tcapRow("8", `x`, `"video.example/w/8`),
		[]string{"3 https://video.example/w/2", "5 https://video.example/w/4", "7 https://video.example/w/6"},
		[]string{"2 opens a quote", "4 opens a quote", "6 opens a quote", "9 …written twice", "10 opens a quote"})
	// A stray quote further down would close it, and take whole rows with it.
	wantRows(t, formats.FormatTCAP, "ID,Description,URL,Domain\n1,\"open,video.example/w/1,x\n2,y,video.example/w/2,x\n3,stray\",video.example/w/3,x\n",
		[]string{"3 video.example/w/2", "4 video.example/w/3"}, []string{"2 opens a quote"})
	// None of the next lines closes it, and none is a row.
	text := tcapHead + "1,\"open\n" + strings.Repeat("a line of nothing\n", 500) + tcapRow("2", "x", "video.example/w/2")
	good, bad, _, err := readAs(formats.FormatTCAP, strings.NewReader(text))
	if err != nil || len(good) != 1 || len(bad) != 501 || !strings.HasPrefix(good[0], "503 ") {
		t.Errorf("%v, good %q, %d bad", err, good, len(bad))
	}
}

func TestTCAPColumns(t *testing.T) {
	t.Parallel()
	text := "Colour, ID ,url,Shade\nred,1,video.example/w/1,dark\n"
	wantRows(t, formats.FormatTCAP, text, []string{"2 video.example/w/1"}, nil)
	_, _, notes, _ := readAs(formats.FormatTCAP, strings.NewReader(text))
	if len(notes) != 1 || !strings.Contains(notes[0], `"Colour", "Shade"`) || !strings.HasPrefix(notes[0], "1 ") {
		t.Errorf("notes %q", notes)
	}
	wantRows(t, formats.FormatTCAP, "ID;URL;Description\n1;video.example/w/1;\n2;;x\n3;video.example/w/3\n\xe9;x;y\n4;video.example/w/4;x;y\n5;video.example/w/5;",
		[]string{"2 video.example/w/1", "7 video.example/w/5"}, []string{"3 has no place", "4 has 2 fields", "5 is not UTF-8", "6 has 4 fields"})
	for text, word := range map[string]string{
		"ID,Description\n1,x\n": "column URL is missing",
		"URL,ID,URL\nx,1,y\n":   `"URL" stands twice`,
		"PII,Pi I,URL\n":        "stands twice",
		"\"URL\n":               "quote",
	} {
		if good, _, _, err := readAs(formats.FormatTCAP, strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), word) || len(good) > 0 {
			t.Errorf("%q: %v, want %q", text, err, word)
		}
	}
}

func FuzzReadTCAP(f *testing.F) {
	for _, s := range []string{
		"", tcapHead, tcapHead + tcapRow("1", "\"a\nb\"", "video.example/w/1"), tcapHead + tcapRow("1", `"open`, "x") + tcapRow("2", `"y"`, "z"),
		"URL;ID\r\"a\"\"\";1\r\n\"\n\n\";2", "URL\n\"\"\n\"a\nb", "\ufeffURL,Colour\nx,y\n", "\xff\xfeU\x00R\x00L\x00\n\x00x\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { sound(t, formats.FormatTCAP, text) })
}
