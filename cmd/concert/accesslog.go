package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"concert/internal/accesslog"
	"concert/internal/durable"
	"concert/internal/formats"
)

type accesslogCmd struct {
	Report   accesslogReportCmd   `cmd:"" help:"Count what access logs hold: lines to the last one, visitors as ranges, countries, days, paths; nobody's address is shown. Exit 1: something could not be read whole, the report says what."`
	Sessions accesslogSessionsCmd `cmd:"" help:"Find who administered a server: log-ins, uploads and administration in its access and authentication logs, as facts with their lines, in sessions of pseudonyms. Exit 1: something could not be read whole, the report says what."`
	Geo      accesslogGeoCmd      `cmd:"" help:"Fetch the pinned country database (CC0) from an npm registry, check its digest, write it."`

	Lake       accesslogLakeCmd       `cmd:"" help:"Keep every access as a row under pseudonyms, in Parquet files with a signed manifest; whom they stand for is locked among custodians. Exit 1: something could not be read whole."`
	Query      accesslogQueryCmd      `cmd:"" help:"Ask a lake one of the catalogue's questions: from all of it, or not at all."`
	Load       accesslogLoadCmd       `cmd:"" help:"Bring a lake's rows to ClickHouse servers, where accesslog query -clickhouse asks them: when one machine is outgrown."`
	SQL        accesslogSQLCmd        `cmd:"" name:"sql" passthrough:"" help:"Ask a lake anything in SQL, with DuckDB, within the case: DIR \"SELECT … FROM accesses\". Needs concert-sql, a program of its own."`
	LakeVerify accesslogLakeVerifyCmd `cmd:"" help:"Read a lake again and compare it with its manifest. Exit 0: whole and vouched for from outside; 1: not whole; 3: whole, but only by its own word."`
}

type accesslogReportCmd struct {
	Geo     string   `help:"Country database in MaxMind's format (concert accesslog geo fetches one)." placeholder:"FILE"`
	JSON    bool     `name:"json" help:"Print the report as JSON."`
	Out     string   `help:"Directory to write report.json, report.html, report.csv, report.pdf and rejects.ndjson into; made where it is missing." short:"o" name:"o" placeholder:"DIR"`
	Format  string   `help:"Format of all files: a name, or a pattern as in Apache's LogFormat or nginx's log_format. Told by each file's own lines when left out." placeholder:"NAME|PATTERN"`
	Judged  string   `help:"List of files on the server that were judged, a path a line: counts accesses to propaganda." placeholder:"FILE"`
	Hosting string   `help:"List of networks or AS numbers, one a line, whose country says nothing of a person." placeholder:"FILE"`
	Workers int      `help:"Threads that read lines; as many as there are processors when left out." placeholder:"N"`
	Brief   bool     `help:"Count only days, status, methods, visitors by address, paths and countries: faster."`
	Release bool     `help:"Leave out numbers from 1 to 4 of countries, paths, referrers and the like, for a report that leaves the case."`
	Top     int      `help:"How long ranked lists are." default:"50" placeholder:"N"`
	Memory  int      `help:"MiB that tables may take before they go to disk, pseudonymised." default:"256" placeholder:"MIB"`
	Spill   int64    `help:"MiB of temporary files at most." default:"16384" placeholder:"MIB"`
	Files   []string `arg:"" name:"file" help:"Log files, plain or compressed (gzip, bzip2, xz, zstd), directories with all that is in them, or - for standard input."`
}

// Run counts and reports. Nothing of a log stands in a message.
func (c *accesslogReportCmd) Run(ctx context.Context, e *env) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	// Tables grow by doubling and leave the halves behind; nothing else is made, so collecting often costs little.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var rejects *rejectFile
	if c.Out != "" {
		if rejects, err = newRejectFile(c.Out); err != nil {
			return err
		}
		defer rejects.drop()
		o.Reject = rejects.add
	}
	stop := accesslogProgress(e.stderr, &o)
	r, err := accesslog.Analyse(ctx, c.Files, o)
	stop()
	if err != nil {
		return err
	}
	if c.Release {
		r = r.Released()
	}
	if c.Out != "" {
		files := map[string]func(io.Writer, *accesslog.Report) error{
			"report.json": formats.WriteReportJSON[*accesslog.Report], "report.html": formats.WriteAccessLogHTML, "report.csv": formats.WriteAccessLogCSV, "report.pdf": formats.WriteAccessLogPDF,
		}
		if err := writeReport(c.Out, r, rejects, files); err != nil {
			return err
		}
	}
	if c.JSON {
		err = formats.WriteReportJSON(e.stdout, r)
	} else {
		err = printAccesslog(e.stdout, r)
	}
	return errors.Join(err, accesslogProblems(e.stderr, r))
}

// options opens what the flags name.
func (c *accesslogReportCmd) options() (accesslog.Options, error) {
	o := accesslog.Options{Workers: c.Workers, Format: c.Format, Brief: c.Brief, Now: time.Now(), Top: c.Top, Memory: c.Memory << 20, Spill: c.Spill << 20}
	if c.Workers < 0 || c.Top < 1 || c.Memory < 1 || c.Spill < 1 {
		return o, &exitError{exitUsage, errors.New("-workers, -top, -memory and -spill are numbers above 0")}
	}
	var err error
	if c.Geo != "" {
		if o.Geo, err = accesslog.OpenGeo(c.Geo); err != nil {
			return o, &exitError{exitUsage, err}
		}
	}
	if c.Hosting != "" {
		list, err := readList(c.Hosting)
		if err == nil {
			o.Hosting, err = accesslog.ParseNetworks(list)
		}
		if err != nil {
			return o, &exitError{exitUsage, fmt.Errorf("-hosting %s: %w", c.Hosting, err)}
		}
		if o.Hosting.NeedsASN() && (o.Geo == nil || !o.Geo.HasASN()) {
			return o, &exitError{exitUsage, fmt.Errorf("-hosting %s names autonomous systems, which need a database that knows them (-geo); or name their networks", c.Hosting)}
		}
	}
	if c.Judged != "" {
		list, err := readList(c.Judged)
		if err == nil {
			o.Judged, err = accesslog.ParseJudged(list)
		}
		if err != nil {
			return o, &exitError{exitUsage, fmt.Errorf("-judged %s: %w", c.Judged, err)}
		}
	}
	if err := accesslog.CheckFormat(c.Format); err != nil {
		return o, &exitError{exitUsage, fmt.Errorf("-format: %w", err)}
	}
	return o, nil
}

// maxList bounds a list that is read whole.
const maxList = 256 << 20

func readList(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, errors.New(plainReason(err))
	}
	if !st.Mode().IsRegular() || st.Size() > maxList {
		return nil, fmt.Errorf("it must be a file of at most %d MiB", maxList>>20)
	}
	return os.ReadFile(path)
}

// accesslogProblems names on standard error what was not read whole.
func accesslogProblems(to io.Writer, r *accesslog.Report) error {
	bad := 0
	for _, in := range r.Inputs {
		if in.Detail != "" {
			fmt.Fprintf(to, "concert: %s: %s: %s\n", in.File, in.Outcome, in.Detail)
		}
		if in.Outcome != accesslog.Read && in.Outcome != accesslog.Duplicate {
			bad++
		}
	}
	if bad > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d inputs not read whole; the report counts the rest", bad, len(r.Inputs))}
	}
	return nil
}

// accesslogProgress says how far it is where somebody sees it, until it is stopped.
func accesslogProgress(to io.Writer, o *accesslog.Options) (stop func()) {
	if !isTerminal(to) {
		return func() {}
	}
	var last atomic.Int64
	began := time.Now()
	o.Progress = func(read, total int64) {
		now := time.Since(began)
		if seen := last.Load(); int64(now)-seen < int64(progressEvery) || !last.CompareAndSwap(seen, int64(now)) {
			return
		}
		share := 0.0
		if total > 0 {
			share = 100 * float64(read) / float64(total)
		}
		fmt.Fprintf(to, "\r\x1b[K%d MiB read, %.0f %%, %.1f GB/s", read>>20, share, float64(read)/1e9/now.Seconds())
	}
	return func() { fmt.Fprint(to, "\r\x1b[K") }
}

// rejectFile keeps where the lines lie that were not read.
type rejectFile struct {
	*os.File
	out  *bufio.Writer
	enc  *json.Encoder
	dir  string
	kept bool
}

// rejectedLine is one object of rejects.ndjson; File is a place in inputs until
// the names are known.
type rejectedLine struct {
	Input  int    `json:"input"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Reason string `json:"reason"`
}

func newRejectFile(dir string) (*rejectFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, ".rejects-*")
	if err != nil {
		return nil, err
	}
	r := &rejectFile{File: f, out: bufio.NewWriterSize(f, 64<<10), dir: dir}
	r.enc = json.NewEncoder(r.out)
	return r, nil
}

func (r *rejectFile) add(x accesslog.Reject) error {
	return r.enc.Encode(rejectedLine{x.File, x.Offset, x.Length, x.Reason.String()})
}

// keep gives the file its name.
func (r *rejectFile) keep() error {
	if err := errors.Join(r.out.Flush(), r.Sync(), os.Rename(r.Name(), filepath.Join(r.dir, "rejects.ndjson"))); err != nil {
		return err
	}
	r.kept = true
	return nil
}

func (r *rejectFile) drop() {
	r.Close()
	if !r.kept {
		os.Remove(r.Name())
	}
}

// writeReport puts a report's files into the directory, each whole or not at all.
func writeReport[T any](dir string, r T, rejects *rejectFile, files map[string]func(io.Writer, T) error) error {
	if err := rejects.keep(); err != nil {
		return err
	}
	for name, write := range files {
		var b bytes.Buffer
		if err := write(&b, r); err != nil {
			return err
		}
		if err := durable.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// printAccesslog is the report for a terminal.
func printAccesslog(to io.Writer, r *accesslog.Report) error {
	w := bufio.NewWriter(to)
	line := func(name string, value any, more string) { fmt.Fprintf(w, "%-26s %15v  %s\n", name, value, more) }
	fmt.Fprintf(w, "Access logs: %d files, %s to %s UTC\n\n", r.Files, cmp.Or(r.First, "no time"), cmp.Or(r.Last, "no time"))
	line("lines", digits(r.Lines), "")
	line("  parsed", digits(r.Parsed), "")
	line("  rejected", digits(r.Rejected), reasonsText(r.Rejects))
	line("  blank", digits(r.Blank), "")
	line("accesses", digits(r.Accesses), "requests of any kind, whatever the answer")
	line("bytes answered", digits(r.Bytes), "")
	if r.Bots != nil {
		line("  by known bots", digits(r.Bots.Accesses), "rule "+r.BotRule.Version)
	}
	fmt.Fprintf(w, "\nVisitors (addresses are not people)   with bots    without known bots\n")
	ranges := []struct {
		name string
		r    *accesslog.Range
	}{{"by address", &r.Visitors.IP}, {"by address and agent", r.Visitors.IPUA}, {"by address, IPv6 by /64", &r.Visitors.IP64}}
	for _, x := range ranges {
		if x.r != nil {
			fmt.Fprintf(w, "  %-24s %18s  %20s\n", x.name, digits(x.r.WithBots), digitsOr(x.r.WithoutBots))
		}
	}
	if p := r.Propaganda; p != nil {
		fmt.Fprintf(w, "\nAccesses to judged files %15s   by %s addresses; %.1f %% of successful requests were to paths not on the list\n", digits(p.Accesses), digits(p.Visitors), 100*p.UnresolvedShare)
	}
	printTables(w, r)
	fmt.Fprintf(w, "\n%.1f s, %s lines a second. Every number's definition: -json or -o DIR.\n", r.ElapsedS, digits(int64(r.LinesPerS)))
	return w.Flush()
}

// terminalRows is how much of a table a terminal is shown.
const terminalRows = 10

func printTables(w io.Writer, r *accesslog.Report) {
	type row struct {
		key string
		n   int64
	}
	table := func(title string, rows []row) {
		if len(rows) == 0 {
			return
		}
		fmt.Fprintf(w, "\n%s\n", title)
		for _, x := range rows[:min(len(rows), terminalRows)] {
			fmt.Fprintf(w, "  %15s  %s\n", digits(x.n), x.key)
		}
		if n := len(rows) - terminalRows; n > 0 {
			fmt.Fprintf(w, "  %15s  (%d more in -json or -o DIR)\n", "", n)
		}
	}
	byKey := func(m map[string]int64) (rows []row) {
		for k, n := range m {
			rows = append(rows, row{k, n})
		}
		slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.key, b.key)) })
		return rows
	}
	list := func(l []accesslog.Count) (rows []row) {
		for _, x := range l {
			rows = append(rows, row{x.Key, x.Accesses})
		}
		return rows
	}
	countries := map[string]int64{}
	for code, c := range r.Countries {
		countries[code] = c.Accesses
	}
	table("Countries by accesses", byKey(countries))
	table("Status", byKey(r.Status))
	table("Paths", list(r.TopPaths))
	table("Referrers", list(r.Referrers))
	var agents []row
	for _, a := range r.Agents {
		agents = append(agents, row{a.Family, a.Accesses})
	}
	table("User agents", agents)
	table("Languages (part of the path)", list(r.Languages))
	table("Campaigns", list(r.Campaigns))
}

func reasonsText(m map[string]int64) string {
	var parts []string
	for k, n := range m {
		parts = append(parts, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// digits sets a number in groups of three.
func digits(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func digitsOr(n *int64) string {
	if n == nil {
		return "not counted"
	}
	return digits(*n)
}
