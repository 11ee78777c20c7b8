package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"concert/internal/accesslog"
	"concert/internal/formats"
)

type accesslogSessionsCmd struct {
	Auth    []string      `help:"Authentication logs (auth.log, secure, xferlog, vsftpd's, cPanel's), plain or compressed, or directories with all that is in them; may be named several times." placeholder:"FILE" sep:"none"`
	Year    int           `help:"Year of the last line of authentication logs whose times have none." placeholder:"YEAR"`
	Zone    string        `help:"Zone of authentication logs' times that have none." default:"UTC" placeholder:"NAME"`
	Geo     string        `help:"Country database in MaxMind's format (concert accesslog geo fetches one)." placeholder:"FILE"`
	Hosting string        `help:"List of networks or AS numbers, one a line, whose country says nothing of a person." placeholder:"FILE"`
	Gap     time.Duration `help:"How long nothing may happen before a session is over; at least 5m." default:"30m" placeholder:"DURATION"`
	Key     string        `help:"File with a case's key, 32 bytes in hexadecimal, so that pseudonyms stay the same; drawn for the run and kept nowhere when left out." placeholder:"FILE"`
	Without []string      `help:"Rule to leave out, by name; may be named several times." placeholder:"RULE" sep:"none"`
	JSON    bool          `name:"json" help:"Print the report as JSON."`
	Out     string        `help:"Directory to write sessions.json, sessions.txt, facts.csv and rejects.ndjson into; made where it is missing." short:"o" name:"o" placeholder:"DIR"`
	Format  string        `help:"Format of all access logs: a name, or a pattern. Told by each file's own lines when left out." placeholder:"NAME|PATTERN"`
	Workers int           `help:"Threads that read lines; as many as there are processors when left out." placeholder:"N"`
	Most    int           `help:"Facts that are held at most; more are refused, none is dropped." default:"250000" placeholder:"N"`
	Spill   int64         `help:"MiB of temporary files at most." default:"16384" placeholder:"MIB"`
	Files   []string      `arg:"" optional:"" name:"file" help:"Access logs, plain or compressed, directories with all that is in them, or - for standard input."`
}

// Run finds facts and sessions. Nothing of a log stands in a message.
func (c *accesslogSessionsCmd) Run(ctx context.Context, e *env) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	var rejects *rejectFile
	if c.Out != "" {
		if rejects, err = newRejectFile(c.Out); err != nil {
			return err
		}
		defer rejects.drop()
		o.Reject = rejects.add
	}
	stop := accesslogProgress(e.stderr, &o.Options)
	r, err := accesslog.Sessions(ctx, c.Files, c.Auth, o)
	stop()
	if o.Key != nil {
		clear(o.Key[:])
	}
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := writeReport(c.Out, r, rejects, map[string]func(io.Writer, *accesslog.SessionReport) error{"sessions.json": formats.WriteReportJSON[*accesslog.SessionReport], "sessions.txt": printSessions, "facts.csv": formats.WriteSessionFactsCSV}); err != nil {
			return err
		}
	}
	if c.JSON {
		err = formats.WriteReportJSON(e.stdout, r)
	} else {
		err = printSessions(e.stdout, r)
	}
	return errors.Join(err, accesslogProblems(e.stderr, &accesslog.Report{Inputs: r.Inputs}))
}

// options opens what the flags name.
func (c *accesslogSessionsCmd) options() (accesslog.SessionOptions, error) {
	usage := func(err error) (accesslog.SessionOptions, error) {
		return accesslog.SessionOptions{}, &exitError{exitUsage, err}
	}
	if len(c.Files)+len(c.Auth) == 0 {
		return usage(errors.New("no log is named: give access logs, or authentication logs with -auth"))
	}
	if c.Most < 1 || c.Gap < 5*time.Minute || c.Year != 0 && (c.Year < 1970 || c.Year > time.Now().Year()) {
		return usage(errors.New("-most is above 0, -gap at least 5m, and -year a year from 1970 to this one"))
	}
	base, err := (&accesslogReportCmd{Geo: c.Geo, Hosting: c.Hosting, Format: c.Format, Workers: c.Workers, Top: 1, Memory: 256, Spill: c.Spill}).options()
	if err != nil {
		return accesslog.SessionOptions{}, err
	}
	o := accesslog.SessionOptions{Options: base, Year: c.Year, Gap: c.Gap, Most: c.Most, Without: c.Without}
	if o.Zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
		return usage(fmt.Errorf("-zone %q is no zone; write UTC or a name like Europe/Madrid", c.Zone))
	}
	if err := accesslog.CheckRules(c.Without); err != nil {
		return usage(fmt.Errorf("-without: %w", err))
	}
	if c.Key != "" {
		text, err := readList(c.Key)
		if err != nil {
			return usage(fmt.Errorf("-key %s: %w", c.Key, err))
		}
		var key [accesslog.KeySize]byte
		if n, err := hex.Decode(key[:], boundKey(text)); err != nil || n != accesslog.KeySize {
			return usage(fmt.Errorf("-key %s holds no key: it must be %d bytes, as %d hexadecimal digits", c.Key, accesslog.KeySize, 2*accesslog.KeySize))
		}
		clear(text)
		o.Key = &key
	}
	return o, nil
}

// boundKey is the text without white space around it, or nothing where it is no
// key by its length.
func boundKey(text []byte) []byte {
	if text = bytes.TrimSpace(text); len(text) != 2*accesslog.KeySize {
		return nil
	}
	return text
}

// printSessions is the report for people.
func printSessions(to io.Writer, r *accesslog.SessionReport) error {
	w := bufio.NewWriter(to)
	line := func(name string, n int64, more string) { fmt.Fprintf(w, "%-26s %15s  %s\n", name, digits(n), more) }
	fmt.Fprintf(w, "Sessions: %d of pseudonyms, %d facts in %d files; nobody is named\n\n", len(r.Sessions), r.Facts, r.Files)
	line("lines", r.Lines, "")
	line("  parsed", r.Parsed, "")
	line("  rejected", r.Rejected, reasonsText(r.Rejects))
	line("  blank", r.Blank, "")
	fmt.Fprintf(w, "\nA session ends where nothing happens for %s. Times without a zone: %s.", time.Duration(r.GapS)*time.Second, r.Zone)
	if r.Year != nil {
		fmt.Fprintf(w, " Times without a year: the logs end in %d.", *r.Year)
	}
	fmt.Fprintf(w, "\nRules: version %s.", r.RulesVersion)
	if len(r.Without) > 0 {
		fmt.Fprintf(w, " Left out: %s.", strings.Join(r.Without, ", "))
	}
	fmt.Fprintln(w)
	if len(r.Sessions) > 0 {
		fmt.Fprintf(w, "\n%7s  %-20s  %-20s  %-7s  %-32s  %-9s  %6s  %10s  %s\n", "Session", "First (UTC)", "Last (UTC)", "Of", "Pseudonym", "Country", "Facts", "Failed", "By kind")
	}
	for _, s := range r.Sessions {
		fmt.Fprintf(w, "%7d  %-20s  %-20s  %-7s  %-32s  %-9s  %6d  %10s  %s\n", s.Number, s.First, s.Last, s.Of, s.Pseudonym, country(s.Country, s.Unreliable), len(s.Facts), digits(s.Failed), kindsText(s.Kinds))
	}
	for _, s := range r.Sessions {
		fmt.Fprintf(w, "\nSession %d, %s %s\n", s.Number, s.Of, s.Pseudonym)
		for _, u := range s.Users {
			fmt.Fprintf(w, "  names user %s\n", u)
		}
		for _, k := range s.Keys {
			fmt.Fprintf(w, "  key %s\n", k)
		}
		for _, f := range s.Facts {
			printFact(w, f)
		}
	}
	if len(r.Unattributed) > 0 {
		fmt.Fprintf(w, "\nFacts in no session: who did it the line does not say\n")
	}
	for _, f := range r.Unattributed {
		printFact(w, f)
	}
	if len(r.Attempts) > 0 {
		fmt.Fprintf(w, "\nCounted, never facts %20s  %15s\n", "failed", "undecided")
	}
	for _, a := range r.Attempts {
		fmt.Fprintf(w, "  %-20s  %15s  %15s\n", a.Rule, digits(a.Failed), digits(a.Undecided))
	}
	printSessionWords(w, r)
	return w.Flush()
}

// country marks one that says nothing of a person.
func country(code string, unreliable bool) string {
	if unreliable {
		return code + "?"
	}
	return code
}

func kindsText(kinds map[string]int64) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, kinds[k]))
	}
	return strings.Join(parts, ", ")
}

func printFact(w io.Writer, f accesslog.SessionFact) {
	what := strings.TrimSpace(f.Method + " " + f.Path)
	if f.Status != 0 {
		what += fmt.Sprintf(" %d", f.Status)
	}
	if f.Times > 1 {
		what += fmt.Sprintf(" (%d until %s)", f.Times, f.Until)
	}
	var assumed []string
	for word, is := range map[string]bool{"year": f.YearAssumed, "zone": f.ZoneAssumed} {
		if is {
			assumed = append(assumed, word)
		}
	}
	slices.Sort(assumed)
	if len(assumed) > 0 {
		what += "; assumed: " + strings.Join(assumed, ", ")
	}
	if f.Implausible {
		what += "; no plausible time"
	}
	fmt.Fprintf(w, "  %s  %-14s %s  %-18s %s\n    %s, offset %d, length %d, SHA-256 %s\n", f.At, f.Kind, f.Evaluation, f.Rule, what, f.File, f.Offset, f.Length, f.LineSHA256)
}

// printSessionWords says by which rules facts were found, and what words mean.
func printSessionWords(w io.Writer, r *accesslog.SessionReport) {
	used := map[string]bool{}
	for _, a := range r.Attempts {
		used[a.Rule] = true
	}
	for _, s := range r.Sessions {
		for _, f := range s.Facts {
			used[f.Rule] = true
		}
	}
	for _, f := range r.Unattributed {
		used[f.Rule] = true
	}
	if len(used) > 0 {
		fmt.Fprintf(w, "\nRules\n")
	}
	for _, rule := range r.Rules {
		if used[rule.Name] {
			fmt.Fprintf(w, "  %s (%s, %s): %s\n", rule.Name, rule.Kind, rule.Evaluation, rule.Definition)
		}
	}
	fmt.Fprintf(w, "\nWords\n")
	for _, k := range slices.Sorted(maps.Keys(r.Definitions)) {
		fmt.Fprintf(w, "  %s: %s\n", k, r.Definitions[k])
	}
	fmt.Fprintf(w, "\n%s\n", strings.Join(r.Caveats, "\n"))
}
