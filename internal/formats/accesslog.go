package formats

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"concert"
	"concert/internal/accesslog"
)

// accessTable is one table of an access-log report, the same on a page, in a
// PDF and in CSV.
type accessTable struct {
	id, title  string
	definition string // key into the report's definitions
	head       []string
	rows       [][]string // the first cell names the row, the others are numbers
	empty      string     // what is said where there is no row
}

// Say is a text of a report in its reader's language, with what goes into it as
// package fmt writes it.
type Say func(text string, args ...any) string

// inEnglish says a text as it is written here.
func inEnglish(text string, args ...any) string {
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// notCounted stands where a run did not count.
const notCounted = "not counted"

// grouped is a number as it is read, in groups of three.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func groupedOr(say Say, n *int64) string {
	if n == nil {
		return say(notCounted)
	}
	return grouped(*n)
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// accessFacts are the figures at the head of a report: name, number, definition.
func accessFacts(r *accesslog.Report, say Say) [][3]string {
	d := func(key string) string { return say(r.Definitions[key]) }
	facts := [][3]string{
		{say("Lines"), grouped(r.Lines), d("lines")},
		{say("Accesses"), grouped(r.Accesses), d("accesses")},
		{say("Rejected lines"), grouped(r.Rejected), d("rejected")},
		{say("Blank lines"), grouped(r.Blank), d("blank")},
		{say("Bytes answered"), grouped(r.Bytes), d("bytes")},
	}
	if r.Bots != nil {
		facts = append(facts, [3]string{say("Accesses by known bots"), grouped(r.Bots.Accesses), d("bots") + "; " + d("bot_rule") + "; " + say("version %s", r.BotRule.Version)})
	}
	if p := r.Propaganda; p != nil {
		facts = append(facts, [3]string{say("Accesses to judged files"), grouped(p.Accesses), d("propaganda_accesses")})
	}
	if r.AuthUsers != nil {
		facts = append(facts, [3]string{say("User names"), grouped(*r.AuthUsers), d("auth_users")})
	}
	return facts
}

// accessTables are the tables of a report in their order.
func accessTables(r *accesslog.Report, say Say) []accessTable {
	visitors := accessTable{id: "visitors", title: say("Visitors, as ranges"), definition: "visitors.ip", head: []string{say("Counted by"), say("With bots"), say("Without known bots")}}
	row := func(name string, x accesslog.Range) {
		visitors.rows = append(visitors.rows, []string{name, grouped(x.WithBots), groupedOr(say, x.WithoutBots)})
	}
	row(say("Address"), r.Visitors.IP)
	if r.Visitors.IPUA != nil {
		row(say("Address and user agent"), *r.Visitors.IPUA)
	}
	row(say("Address, IPv6 by /64 network"), r.Visitors.IP64)
	list := []accessTable{visitors}
	if p := r.Propaganda; p != nil {
		list = append(list, accessTable{id: "propaganda", title: say("Accesses to judged files"), definition: "propaganda_accesses", head: []string{say("Figure"), say("With bots"), say("Without known bots")}, rows: [][]string{
			{say("Accesses"), grouped(p.Accesses), groupedOr(say, p.AccessesWithoutBots)},
			{say("Visitors by address"), grouped(p.Visitors), groupedOr(say, p.VisitorsWithoutBots)},
			{say("Judged files on the list"), grouped(int64(p.JudgedFiles)), ""},
			{say("Share of successful requests to paths not on the list"), percent(p.UnresolvedShare), ""},
		}})
	}
	return append(append(list, accessPlaces(r, say)...), accessLists(r, say)...)
}

func accessPlaces(r *accesslog.Report, say Say) []accessTable {
	countries := accessTable{id: "countries", title: say("Countries"), definition: "countries", head: []string{say("Country"), say("Accesses"), say("Visitors"), say("Without known bots")}, empty: say("No country database was given (-geo).")}
	names := countryNames()
	codes := slices.SortedFunc(maps.Keys(r.Countries), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Countries[b].Visitors, r.Countries[a].Visitors), cmp.Compare(a, b))
	})
	for _, code := range codes {
		c := r.Countries[code]
		countries.rows = append(countries.rows, []string{countryLabel(say, code, names), grouped(c.Accesses), grouped(c.Visitors), groupedOr(say, c.VisitorsWithoutBots)})
	}
	list := []accessTable{countries}
	if u := r.Unreliable; u != nil {
		list = append(list, accessTable{id: "unreliable", title: say("Networks whose country says nothing"), definition: "unreliable_networks", head: []string{say("Figure"), say("Number")}, rows: [][]string{
			{say("Accesses"), grouped(u.Accesses)}, {say("Visitors by address"), grouped(u.Visitors)}, {say("Share of all accesses"), percent(u.Share)}}})
	}
	return list
}

// accessLists are the ranked and counted lists.
func accessLists(r *accesslog.Report, say Say) []accessTable {
	counts := func(id, title, definition, key string, rows []accesslog.Count) accessTable {
		t := accessTable{id: id, title: title, definition: definition, head: []string{key, say("Accesses")}, empty: say("None.")}
		for _, x := range rows {
			t.rows = append(t.rows, []string{x.Key, grouped(x.Accesses)})
		}
		return t
	}
	days := accessTable{id: "days", title: say("Days"), definition: "per_day", head: []string{say("Day (UTC)"), say("Accesses"), say("By known bots"), say("Bytes")}, empty: say("No time could be read.")}
	for _, d := range r.PerDay {
		days.rows = append(days.rows, []string{d.Day, grouped(d.Accesses), groupedOr(say, d.Bots), grouped(d.Bytes)})
	}
	hours := accessTable{id: "hours", title: say("Hours of the day"), definition: "hours", head: []string{say("Hour (UTC)"), say("Accesses")}}
	for _, h := range r.Hours {
		hours.rows = append(hours.rows, []string{fmt.Sprintf("%02d", h.Hour), grouped(h.Accesses)})
	}
	agents := accessTable{id: "agents", title: say("User agents, by family"), definition: "user_agents", head: []string{say("Family"), say("Accesses"), say("By known bots")}, empty: say("None.")}
	for _, a := range r.Agents {
		agents.rows = append(agents.rows, []string{a.Family, grouped(a.Accesses), grouped(a.Bots)})
	}
	return []accessTable{
		days, hours,
		counts("status", say("Status of answers"), "status", say("Status"), mapCounts(r.Status)),
		counts("methods", say("Methods"), "methods", say("Method"), mapCounts(r.Methods)),
		counts("paths", say("Paths most asked for"), "top_paths", say("Path"), r.TopPaths),
		counts("referrers", say("Referrers"), "top_referrers", say("Referrer"), r.Referrers),
		agents,
		counts("languages", say("Languages, by part of the path"), "languages", say("Language"), r.Languages),
		counts("campaigns", say("Campaigns"), "campaigns", "utm_campaign", r.Campaigns),
		accessClock(r, say), accessInputs(r, say),
		counts("rejects", say("Rejected lines, by reason"), "rejected", say("Reason"), mapCounts(r.Rejects)),
	}
}

func accessClock(r *accesslog.Report, say Say) accessTable {
	t := accessTable{id: "clock", title: say("What the times are worth"), definition: "clock", head: []string{say("Figure"), say("Number")}}
	for _, z := range r.Clock.Zones {
		zone := say("Accesses with zone %s", z.Zone)
		if z.Zone == accesslog.NoZone {
			zone = say("Accesses whose zone is not written")
		}
		t.rows = append(t.rows, []string{zone, grouped(z.Accesses)})
	}
	t.rows = append(t.rows, []string{say("Changes of zone"), grouped(r.Clock.ZoneChanges)}, []string{say("Lines out of order"), grouped(r.Clock.OutOfOrder)}, []string{say("Implausible times"), grouped(r.Clock.Implausible)})
	return t
}

func accessInputs(r *accesslog.Report, say Say) accessTable {
	t := accessTable{id: "inputs", title: say("Inputs"), definition: "files", head: []string{say("File"), say("Outcome"), say("Format"), say("Lines"), say("Parsed"), say("Rejected"), say("Blank")}}
	for _, in := range r.Inputs {
		format := in.Format
		if format != "" && !in.FormatCertain {
			format = say("%s (uncertain)", format)
		}
		if in.Compression != "" && in.Compression != "plain" {
			format += ", " + in.Compression
		}
		t.rows = append(t.rows, []string{in.File, outcomeText(say, in.Outcome), format, grouped(in.Lines), grouped(in.Parsed), grouped(in.Rejected), grouped(in.Blank)})
	}
	return t
}

// outcomeText is what became of an input, in words.
func outcomeText(say Say, o accesslog.Outcome) string {
	switch o {
	case accesslog.Read:
		return say("read whole")
	case accesslog.Truncated:
		return say("it ends too early")
	case accesslog.Corrupt:
		return say("damaged")
	case accesslog.Bomb:
		return say("it unpacks to more than the limits allow")
	case accesslog.Unknown:
		return say("format unknown")
	case accesslog.Duplicate:
		return say("named twice, counted once")
	}
	return strings.ReplaceAll(string(o), "_", " ")
}

func mapCounts(m map[string]int64) []accesslog.Count {
	list := []accesslog.Count{}
	for k, n := range m {
		list = append(list, accesslog.Count{Key: strings.ReplaceAll(k, "_", " "), Accesses: n})
	}
	slices.SortFunc(list, func(a, b accesslog.Count) int {
		return cmp.Or(cmp.Compare(b.Accesses, a.Accesses), cmp.Compare(a.Key, b.Key))
	})
	return list
}

func countryLabel(say Say, code string, names map[string]string) string {
	if code == "unknown" {
		return say("Unknown")
	}
	if n := names[code]; n != "" {
		return n + " (" + code + ")"
	}
	return code
}

// WriteReportJSON writes a report as it lies in a file.
func WriteReportJSON[T any](w io.Writer, r T) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteAccessLogCSV writes the report as one CSV of four columns: table, row,
// figure, number. Numbers are plain digits; a number that was not counted has no
// line. A cell that a spreadsheet would take for a formula begins with an
// apostrophe.
func WriteAccessLogCSV(w io.Writer, r *accesslog.Report) error {
	c := csv.NewWriter(w)
	put := func(cells ...string) {
		for i, s := range cells {
			cells[i] = concert.PlainCell(s)
		}
		c.Write(cells) // its error stays in c
	}
	plain := func(s string) string { return strings.ReplaceAll(s, "\u202f", "") }
	put("table", "row", "figure", "number")
	for _, f := range [][2]string{{"files", strconv.Itoa(r.Files)}, {"first", r.First}, {"last", r.Last}} {
		put("report", f[0], "value", f[1])
	}
	for _, f := range accessFacts(r, inEnglish) {
		put("report", f[0], "value", plain(f[1]))
	}
	for _, t := range accessTables(r, inEnglish) {
		for _, row := range t.rows {
			for i, cell := range row[1:] {
				if cell != "" && cell != notCounted {
					put(t.id, row[0], t.head[i+1], plain(cell))
				}
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(r.Definitions)) {
		put("definitions", k, "text", r.Definitions[k])
	}
	c.Flush()
	return c.Error()
}
