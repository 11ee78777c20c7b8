package formats_test

import (
	"fmt"
	"strings"
	"testing"

	"concert/internal/formats"
)

// attr is an attribute of MISP.
func attr(kind, value, more string) string {
	return fmt.Sprintf(`{"type":"%s","category":"Network activity","to_ids":true,"value":"%s"%s}`, kind, value, more)
}

func TestMISPAttributesBecomePlaces(t *testing.T) {
	t.Parallel()
	text := `{"Event":{"id":"1","info":"EXERCISE","threat_level_id":"1","Orgc":{"name":"Desk (EXERCISE)"},"Attribute":[
` + attr("url", "https://video.example/w/1", "") + `,
` + attr("uri", "https://video.example/w/2", `,"deleted":"0"`) + `,
` + attr("link", "hxxps://video[.]example/w/3", "") + `,
` + attr("domain|ip", "video.example|192.0.2.1", "") + `,
` + attr("ip-dst", "192.0.2.1", "") + `,
` + attr("sha256", sum, "") + `,
{"type":"link","category":"External analysis","value":"https://news.example/report"},
` + attr("url", "https://video.example/w/4", `,"deleted":true`) + `,
` + attr("url", "", "") + `,
` + attr("comment", "EXERCISE", `,"RelatedAttribute":[{"type":"url","value":"https://video.example/not"}]`) + `,
` + attr("url", "https://video.example/w/5", `,"Tag":[{"name":"tlp:red"}]`) + `
],"RelatedEvent":[{"Event":{"Attribute":[` + attr("url", "https://video.example/related", "") + `]}}],"Object":[
{"name":"url","Attribute":[{"type":"url","object_relation":"url","value":"https://video.example/w/6"},{"type":"domain","object_relation":"domain","value":"video.example"}]},
{"name":"file","Attribute":[{"type":"filename","value":"a.mp4"},{"type":"sha256","value":"` + sum + `"}]},
{"name":"file","Attribute":[{"type":"url","value":"https://video.example/a.mp4"},{"type":"mime-type","value":"video/mp4"},{"type":"sha256","value":"` + sum + `"},{"type":"url","object_relation":"archive","value":"https://archive.example/1"}]},
{"name":"domain-ip","Attribute":[{"type":"hostname","value":"v.video.example"},{"type":"ip-dst","value":"192.0.2.1"}]},
{"name":"two","Attribute":[{"type":"url","value":"https://video.example/w/7"},{"type":"url","value":"https://video.example/w/8"},{"type":"sha256","value":"` + sum + `"}]}
],"Tag":[{"name":"tlp:amber"},{"name":"type:OSINT"}]}}`
	wantRows(t, formats.FormatMISP, text, []string{
		"2 https://video.example/w/1 H2", "3 https://video.example/w/2 H2", "4 hxxps://video[.]example/w/3 H2", "5 video.example H2", "12 https://video.example/w/5 H3",
		"14 https://video.example/w/6 H2", "16 https://video.example/a.mp4 video SUM H2", "17 v.video.example H2", "18 https://video.example/w/7 H2", "18 https://video.example/w/8 H2",
	}, []string{
		`6 has no place: an attribute "ip-dst"`, `7 has no place: an attribute "sha256"`, "8 is a link for reference", "9 was deleted", `11 has no place: an attribute "comment"`,
		`15 has no place: an object "file"`, "10 has no place",
	})
}

func TestMISPComesInManyWrappings(t *testing.T) {
	t.Parallel()
	a, b := attr("url", "https://video.example/w/1", ""), attr("url", "https://video.example/w/2", `,"event_id":"1"`)
	event := func(x string) string { return `{"Event":{"Tag":[{"name":"tlp:green"}],"Attribute":[` + x + `]}}` }
	for name, c := range map[string]struct{ text, handling string }{
		"a list of events":     {"[" + event(a) + "," + event(b) + "]", " H0"},
		"an answer of events":  {`{"response":[` + event(a) + "," + event(b) + "]}", " H0"},
		"an answer's values":   {`{"response":{"Attribute":[` + a + "," + b + `]}}`, ""},
		"events by the line":   {event(a) + "\n" + event(b), " H0"},
		"an event's inside":    {`{"info":"EXERCISE","Attribute":[` + a + "," + b + `]}`, ""},
		"attributes":           {"[" + a + "," + b + "]", ""},
		"attributes by line":   {a + "\n" + b, ""},
		"not to be passed on":  {`{"Event":{"distribution":"0","Attribute":[` + a + "," + b + `]}}`, " H2"},
		"a number for it":      {`{"Event":{"Attribute":[` + a + "," + b + `],"distribution":4}}`, " H2"},
		"tags that are broken": {`{"Event":{"Attribute":[` + a + "," + b + `],"Tag":7}}`, " H2"},
	} {
		good, bad, _, err := readAs(formats.FormatMISP, strings.NewReader(c.text))
		if err != nil || len(bad) > 0 || len(good) != 2 {
			t.Errorf("%s: %v, good %q, bad %q", name, err, good, bad)
			continue
		}
		for i, g := range good {
			if want := fmt.Sprintf(" https://video.example/w/%d%s", i+1, c.handling); !strings.HasSuffix(g, want) {
				t.Errorf("%s: row %q, want …%q", name, g, want)
			}
		}
	}
	if good, bad, _, err := readAs(formats.FormatMISP, strings.NewReader(strings.Repeat(`{"Event":`, 40)+"{}"+strings.Repeat("}", 40))); err != nil || len(good) > 0 || len(bad) != 1 {
		t.Errorf("events in events: %v, good %q, bad %q", err, good, bad)
	}
}

// The tags of an event stand at its end: what goes in before they are known
// may not be passed on.
func TestMISPLargeAndBrokenEventsAreHandledWithCare(t *testing.T) {
	t.Parallel()
	a := attr("url", "https://video.example/w/"+strings.Repeat("x", 200), "")
	text := `{"Event":{"Attribute":[` + strings.Repeat(a+",", 30_000) + a + `],"Tag":[{"name":"tlp:clear"}]}}`
	good, bad, notes, err := readAs(formats.FormatMISP, strings.NewReader(text))
	if err != nil || len(bad) > 0 || len(good) != 30_001 || len(notes) != 1 {
		t.Fatalf("%v, %d good, bad %q, notes %q", err, len(good), bad, notes)
	}
	if !strings.HasSuffix(good[0], " H2") || !strings.HasSuffix(good[30_000], " H0") {
		t.Errorf("first %q, last %q", good[0][200:], good[30_000][200:])
	}
	good, bad, _, err = readAs(formats.FormatMISP, strings.NewReader(`{"Event":{"Attribute":[`+a+","+a[:50]))
	if err != nil || len(bad) != 1 || len(good) != 1 || !strings.HasSuffix(good[0], " H2") {
		t.Errorf("an event that breaks off: %v, good %q, bad %q", err, good, bad)
	}
	// Nor does the next line's event say for a broken one what may be passed on.
	one := attr("url", "https://video.example/w/1", "")
	two := `{"Event":{"Attribute":[` + attr("url", "https://video.example/w/2", "") + `],"Tag":[{"name":"tlp:clear"}]}}`
	good, bad, notes, err = readAs(formats.FormatMISP, strings.NewReader(`{"Event":{"Attribute":[`+one+`],"Tag":[{"name":tlp:red}]}}`+"\n"+two+"\n"))
	if err != nil || len(bad) != 1 || len(notes) != 1 || len(good) != 2 || !strings.HasSuffix(good[0], "w/1 H2") || !strings.HasSuffix(good[1], "w/2 H0") {
		t.Errorf("a broken line before another: %v, good %q, bad %q, notes %q", err, good, bad, notes)
	}
	// What follows and is no object is not passed over without a word.
	_, bad, _, err = readAs(formats.FormatMISP, strings.NewReader(two+"\n{\"Event\":x}\nEXERCISE\n  \n[1]\n"+two))
	if err != nil || len(bad) != 3 {
		t.Errorf("lines that begin no object: %v, bad %q", err, bad)
	}
	// Tags of no readable size are the strictest.
	good, bad, _, err = readAs(formats.FormatMISP, strings.NewReader(`{"Event":{"Attribute":[`+one+`],"Tag":[`+strings.Repeat(`{"name":"tlp:red"},`, 80_000)+`{}]}}`))
	if err != nil || len(bad) > 0 || len(good) != 1 || !strings.HasSuffix(good[0], " H2") {
		t.Errorf("tags without end: %v, good %q, bad %q", err, good, bad)
	}
}

func FuzzReadMISP(f *testing.F) {
	a := attr("url", "https://video.example/w/1", "")
	for _, s := range []string{
		"", `{"Event":{"Attribute":[` + a + `],"Tag":[{"name":"tlp:red"}]}}`, `{"response":[{"Event":{"Object":[{"Attribute":[` + a + `]}]}}]}`,
		`{"response":{"Attribute":[` + a + `,7,null]}}`, "[" + a + "]", a + "\n{\"x\n" + a, `{"Event":{"Event":{"Attribute":` + a + `}}}`, attr("domain|ip", "|", ""),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { sound(t, formats.FormatMISP, text) })
}
