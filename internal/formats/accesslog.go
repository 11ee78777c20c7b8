package formats

import (
	"cmp"
	"encoding/csv"
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

func groupedOr(n *int64) string {
	if n == nil {
		return notCounted
	}
	return grouped(*n)
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// accessFacts are the figures at the head of a report: name, number, definition.
func accessFacts(r *accesslog.Report) [][3]string {
	d := r.Definitions
	facts := [][3]string{
		{"Lines", grouped(r.Lines), d["lines"]},
		{"Accesses", grouped(r.Accesses), d["accesses"]},
		{"Rejected lines", grouped(r.Rejected), d["rejected"]},
		{"Blank lines", grouped(r.Blank), d["blank"]},
		{"Bytes answered", grouped(r.Bytes), d["bytes"]},
	}
	if r.Bots != nil {
		facts = append(facts, [3]string{"Accesses by known bots", grouped(r.Bots.Accesses), d["bots"] + "; " + d["bot_rule"] + "; version " + r.BotRule.Version})
	}
	if p := r.Propaganda; p != nil {
		facts = append(facts, [3]string{"Accesses to judged files", grouped(p.Accesses), d["propaganda_accesses"]})
	}
	if r.AuthUsers != nil {
		facts = append(facts, [3]string{"User names", grouped(*r.AuthUsers), d["auth_users"]})
	}
	return facts
}

// accessTables are the tables of a report in their order.
func accessTables(r *accesslog.Report) []accessTable {
	visitors := accessTable{id: "visitors", title: "Visitors, as ranges", definition: "visitors.ip", head: []string{"Counted by", "With bots", "Without known bots"}}
	row := func(name string, x accesslog.Range) {
		visitors.rows = append(visitors.rows, []string{name, grouped(x.WithBots), groupedOr(x.WithoutBots)})
	}
	row("Address", r.Visitors.IP)
	if r.Visitors.IPUA != nil {
		row("Address and user agent", *r.Visitors.IPUA)
	}
	row("Address, IPv6 by /64 network", r.Visitors.IP64)
	list := []accessTable{visitors}
	if p := r.Propaganda; p != nil {
		list = append(list, accessTable{id: "propaganda", title: "Accesses to judged files", definition: "propaganda_accesses", head: []string{"Figure", "With bots", "Without known bots"}, rows: [][]string{
			{"Accesses", grouped(p.Accesses), groupedOr(p.AccessesWithoutBots)},
			{"Visitors by address", grouped(p.Visitors), groupedOr(p.VisitorsWithoutBots)},
			{"Judged files on the list", grouped(int64(p.JudgedFiles)), ""},
			{"Share of successful requests to paths not on the list", percent(p.UnresolvedShare), ""},
		}})
	}
	return append(append(list, accessPlaces(r)...), accessLists(r)...)
}

func accessPlaces(r *accesslog.Report) []accessTable {
	countries := accessTable{id: "countries", title: "Countries", definition: "countries", head: []string{"Country", "Accesses", "Visitors", "Without known bots"}, empty: "No country database was given (-geo)."}
	names := countryNames()
	codes := slices.SortedFunc(maps.Keys(r.Countries), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Countries[b].Visitors, r.Countries[a].Visitors), cmp.Compare(a, b))
	})
	for _, code := range codes {
		c := r.Countries[code]
		countries.rows = append(countries.rows, []string{countryLabel(code, names), grouped(c.Accesses), grouped(c.Visitors), groupedOr(c.VisitorsWithoutBots)})
	}
	list := []accessTable{countries}
	if u := r.Unreliable; u != nil {
		list = append(list, accessTable{id: "unreliable", title: "Networks whose country says nothing", definition: "unreliable_networks", head: []string{"Figure", "Number"}, rows: [][]string{
			{"Accesses", grouped(u.Accesses)}, {"Visitors by address", grouped(u.Visitors)}, {"Share of all accesses", percent(u.Share)}}})
	}
	return list
}

// accessLists are the ranked and counted lists.
func accessLists(r *accesslog.Report) []accessTable {
	counts := func(id, title, definition, key string, rows []accesslog.Count) accessTable {
		t := accessTable{id: id, title: title, definition: definition, head: []string{key, "Accesses"}, empty: "None."}
		for _, x := range rows {
			t.rows = append(t.rows, []string{x.Key, grouped(x.Accesses)})
		}
		return t
	}
	days := accessTable{id: "days", title: "Days", definition: "per_day", head: []string{"Day (UTC)", "Accesses", "By known bots", "Bytes"}, empty: "No time could be read."}
	for _, d := range r.PerDay {
		days.rows = append(days.rows, []string{d.Day, grouped(d.Accesses), groupedOr(d.Bots), grouped(d.Bytes)})
	}
	hours := accessTable{id: "hours", title: "Hours of the day", definition: "hours", head: []string{"Hour (UTC)", "Accesses"}}
	for _, h := range r.Hours {
		hours.rows = append(hours.rows, []string{fmt.Sprintf("%02d", h.Hour), grouped(h.Accesses)})
	}
	agents := accessTable{id: "agents", title: "User agents, by family", definition: "user_agents", head: []string{"Family", "Accesses", "By known bots"}, empty: "None."}
	for _, a := range r.Agents {
		agents.rows = append(agents.rows, []string{a.Family, grouped(a.Accesses), grouped(a.Bots)})
	}
	return []accessTable{
		days, hours,
		counts("status", "Status of answers", "status", "Status", mapCounts(r.Status)),
		counts("methods", "Methods", "methods", "Method", mapCounts(r.Methods)),
		counts("paths", "Paths most asked for", "top_paths", "Path", r.TopPaths),
		counts("referrers", "Referrers", "top_referrers", "Referrer", r.Referrers),
		agents,
		counts("languages", "Languages, by part of the path", "languages", "Language", r.Languages),
		counts("campaigns", "Campaigns", "campaigns", "utm_campaign", r.Campaigns),
		accessClock(r), accessInputs(r),
		counts("rejects", "Rejected lines, by reason", "rejected", "Reason", mapCounts(r.Rejects)),
	}
}

func accessClock(r *accesslog.Report) accessTable {
	t := accessTable{id: "clock", title: "What the times are worth", definition: "clock", head: []string{"Figure", "Number"}}
	for _, z := range r.Clock.Zones {
		t.rows = append(t.rows, []string{"Accesses with zone " + z.Zone, grouped(z.Accesses)})
	}
	t.rows = append(t.rows, []string{"Changes of zone", grouped(r.Clock.ZoneChanges)}, []string{"Lines out of order", grouped(r.Clock.OutOfOrder)}, []string{"Implausible times", grouped(r.Clock.Implausible)})
	return t
}

func accessInputs(r *accesslog.Report) accessTable {
	t := accessTable{id: "inputs", title: "Inputs", definition: "files", head: []string{"File", "Outcome", "Format", "Lines", "Parsed", "Rejected", "Blank"}}
	for _, in := range r.Inputs {
		format := in.Format
		if format != "" && !in.FormatCertain {
			format += " (uncertain)"
		}
		if in.Compression != "" && in.Compression != "plain" {
			format += ", " + in.Compression
		}
		t.rows = append(t.rows, []string{in.File, strings.ReplaceAll(string(in.Outcome), "_", " "), format, grouped(in.Lines), grouped(in.Parsed), grouped(in.Rejected), grouped(in.Blank)})
	}
	return t
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

func countryLabel(code string, names map[string]string) string {
	if code == "unknown" {
		return "Unknown"
	}
	if n := names[code]; n != "" {
		return n + " (" + code + ")"
	}
	return code
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
	for _, f := range accessFacts(r) {
		put("report", f[0], "value", plain(f[1]))
	}
	for _, t := range accessTables(r) {
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
