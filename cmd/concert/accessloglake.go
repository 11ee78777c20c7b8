package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"concert/internal/accesslog"
	"concert/internal/lake"
	"concert/internal/vault"
)

type accesslogLakeCmd struct {
	Case      string   `help:"The case that the logs belong to; it names a directory." required:"" placeholder:"ID"`
	Out       string   `name:"out" short:"o" help:"The lake to make: a directory that does not exist yet, or is empty." required:"" placeholder:"DIR"`
	Custodian []string `help:"Who keeps a share of the key to the list of whom pseudonyms stand for, once for each: a name, = and their public key of age." sep:"none" placeholder:"NAME=age1…"`
	Of        int      `help:"How many custodians open the list together." default:"2" placeholder:"N"`
	List      string   `help:"Where the locked list goes; into the lake when left out. Keep it apart from the lake." placeholder:"FILE"`
	Epoch     string   `help:"Which of the case's keys this is." default:"1" placeholder:"TEXT"`
	Again     string   `help:"The locked list of an earlier lake of this case: its key is used again, so that who was there has the same pseudonym. Opened with -share and -identity." type:"existingfile" placeholder:"FILE"`
	Key       string   `help:"File of the key that signs (evidence key makes one)." type:"existingfile" placeholder:"FILE"`
	By        string   `help:"Your name; as the system knows you where it is left out." placeholder:"NAME"`
	Geo       string   `help:"Country database in MaxMind's format (concert accesslog geo fetches one)." placeholder:"FILE"`
	Hosting   string   `help:"List of networks or AS numbers, one a line, whose country says nothing of a person." placeholder:"FILE"`
	Format    string   `help:"Format of all files: a name or a pattern, as for accesslog report." placeholder:"NAME|PATTERN"`
	Workers   int      `help:"Threads that read lines; as many as there are processors when left out." placeholder:"N"`
	opening
	Files []string `arg:"" name:"file" help:"Log files, plain or compressed, or directories with all that is in them."`
}

// Run makes a lake. Nothing of a log stands in a message.
func (c *accesslogLakeCmd) Run(ctx context.Context, e *env) error {
	by, err := person(c.By)
	if err != nil {
		return err
	}
	report := accesslogReportCmd{Geo: c.Geo, Hosting: c.Hosting, Format: c.Format, Workers: c.Workers, Top: 1, Memory: 64, Spill: 16 << 10}
	o, err := report.options()
	if err != nil {
		return err
	}
	job := lake.Job{Dir: c.Out, Paths: c.Files, Log: o, Case: c.Case, Epoch: c.Epoch, By: by, Program: "concert " + version(), Now: time.Now(), Needed: c.Of, List: c.List}
	if job.Custodians, err = custodiansOf(c.Custodian); err != nil {
		return err
	}
	if c.Key != "" {
		if job.Sign, err = vault.ReadKey(c.Key); err != nil {
			return err
		}
	}
	if c.Again != "" {
		key, err := c.again(ctx)
		if err != nil {
			return err
		}
		defer clear(key.Key)
		job.Key, job.Epoch = key.Key, key.Epoch
	}
	stop := accesslogProgress(e.stderr, &job.Log)
	began := time.Now()
	made, err := lake.Write(ctx, job)
	stop()
	if err != nil {
		return err
	}
	sayLake(e, made, c.List, time.Since(began))
	return accesslogProblems(e.stderr, made.Report)
}

// again opens the key of an earlier lake of the case.
func (c *accesslogLakeCmd) again(ctx context.Context) (vault.PseudonymKey, error) {
	if c.Identity == "" {
		return vault.PseudonymKey{}, &exitError{exitUsage, errors.New("-again needs -identity, and a -share of each custodian who agreed")}
	}
	given, err := c.shares()
	if err != nil {
		return vault.PseudonymKey{}, err
	}
	ids, err := identitiesOf(c.Identity)
	if err != nil {
		return vault.PseudonymKey{}, err
	}
	key, err := vault.OpenPseudonymKey(ctx, c.Again, given, ids)
	if err == nil && key.Case != c.Case {
		clear(key.Key)
		err = fmt.Errorf("%s holds the key of case %.80q: a case's key is never another's", c.Again, key.Case)
	}
	return key, err
}

func sayLake(e *env, made *lake.Made, list string, took time.Duration) {
	m, size := made.Manifest, int64(0)
	for _, p := range m.Parts {
		size += p.Size
	}
	fmt.Fprintf(e.stdout, "Lake:       %s, case %s, epoch %s\nManifest:   sha256 %s\nLines:      %s = %s rows + %s rejected + %s blank\nParts:      %d, %s\n", made.Dir, m.Case, m.Epoch, made.Digest, digits(m.Lines), digits(m.Rows), digits(m.Rejected), digits(m.Blank), len(m.Parts), bytesText(size))
	fmt.Fprintf(e.stdout, "Pseudonyms: %s, in %s, lock %s; %d of %d custodians open it\n", digits(m.Pseudonyms.Known), cmp.Or(list, "the lake's pseudonyms.locked: keep it elsewhere"), made.Lock.ID, made.Lock.Needed, len(made.Lock.Shares))
	fmt.Fprintf(e.stdout, "%.1f s, %s rows a second.\n", took.Seconds(), digits(int64(float64(m.Rows)/max(took.Seconds(), 1e-3))))
	if made.Seal == nil {
		fmt.Fprintln(e.stdout, "SELF-ATTESTED: nobody signed it. Make it with -key FILE, so that it is known who did, or give the manifest's digest to somebody else.")
	}
}

// trusted opens a lake whose signature is by one of the named keys, if any is named.
func trusted(dir string, files []string) (*lake.Lake, error) {
	return openTrusted(lake.Open, dir, files)
}

// trustedManifest is trusted for a lake whose parts may lie elsewhere.
func trustedManifest(dir string, files []string) (*lake.Lake, error) {
	return openTrusted(lake.OpenManifest, dir, files)
}

func openTrusted(open func(string, []string) (*lake.Lake, error), dir string, files []string) (*lake.Lake, error) {
	var keys []string
	for _, path := range files {
		key, err := vault.ReadPublicKey(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return open(dir, keys)
}

type accesslogLakeVerifyCmd struct {
	Dir   string   `arg:"" help:"A lake." type:"existingdir"`
	Trust []string `help:"A public key file whose signature you trust. Repeat it for several." type:"existingfile" placeholder:"FILE"`
}

// Run reads every part again. Exit 0: as it was made; 1: not, or it cannot be told;
// 3: as it was made, but only by its own word.
func (c *accesslogLakeVerifyCmd) Run(ctx context.Context, e *env) error {
	l, err := trusted(c.Dir, c.Trust)
	if err != nil {
		return err
	}
	if err := l.Verify(ctx); err != nil {
		return err
	}
	m := l.Manifest
	fmt.Fprintf(e.stdout, "Case %s, epoch %s, made %s by %s\nManifest: sha256 %s\nRead again: %d parts, %s rows\n", m.Case, m.Epoch, m.Made, m.By, l.Digest, len(m.Parts), digits(m.Rows))
	switch {
	case l.Seal == nil:
		fmt.Fprintln(e.stdout, "WHOLE, but SELF-ATTESTED: nobody signed it.")
	case len(c.Trust) == 0:
		fmt.Fprintf(e.stdout, "Signed by %s with key %s\nWHOLE, but SELF-ATTESTED: name a key that you trust with -trust.\n", l.Seal.By, l.Seal.Key)
	default:
		fmt.Fprintf(e.stdout, "Signed by %s with key %s\nWHOLE, and vouched for from outside.\n", l.Seal.By, l.Seal.Key)
		return nil
	}
	return &exitError{code: exitSelfAttested}
}

type accesslogQueryCmd struct {
	Dir  string `arg:"" help:"A lake."`
	Name string `arg:"" optional:"" help:"A query of the catalogue."`

	ClickHouse string `name:"clickhouse" help:"Answer from the servers that accesslog load brought the rows to, written as there; of the lake only the manifest is needed." placeholder:"URL"`

	List      bool     `help:"Show the catalogue: names, what each counts, and its SQL for other engines."`
	JSON      bool     `name:"json" help:"Print the answer as JSON with its definitions, the manifest's digest and who signed it, instead of tab-separated text."`
	Pseudonym string   `help:"For a query about one pseudonym: its 32 hexadecimal digits." placeholder:"HEX"`
	Release   bool     `help:"Leave out numbers from 1 to 4, for an answer that leaves the case."`
	Trust     []string `help:"A public key file, of which one must have signed the lake. Repeat it for several." type:"existingfile" placeholder:"FILE"`
}

// Run answers from the whole lake or not at all.
func (c *accesslogQueryCmd) Run(ctx context.Context, e *env) error {
	if c.List {
		sayCatalogue(e, c.Dir)
		return nil
	}
	q, err := lake.FindQuery(c.Name)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	r, err := c.ask(ctx, q)
	if err != nil {
		return err
	}
	if c.Release {
		if r, err = r.Released(); err != nil {
			return err
		}
	}
	if c.JSON {
		return r.WriteJSON(e.stdout)
	}
	if r.Suppressed != nil && r.Suppressed.Cells > 0 {
		fmt.Fprintf(e.stderr, "concert: %d numbers below %d were left out\n", r.Suppressed.Cells, accesslog.Smallest)
	}
	return r.WriteTSV(e.stdout)
}

func (c *accesslogQueryCmd) ask(ctx context.Context, q lake.Query) (*lake.Result, error) {
	open := trusted
	if c.ClickHouse != "" {
		open = trustedManifest
	}
	l, err := open(c.Dir, c.Trust)
	if err != nil {
		return nil, err
	}
	pseudonym := strings.ToLower(c.Pseudonym)
	if c.ClickHouse != "" {
		return askCluster(ctx, l, c.ClickHouse, q, pseudonym)
	}
	return l.Ask(ctx, q, pseudonym)
}

func sayCatalogue(e *env, dir string) {
	rows := func(s string) string { return strings.ReplaceAll(s, "{dir}", strings.TrimSuffix(dir, "/")) }
	for _, q := range lake.Catalogue() {
		fmt.Fprintf(e.stdout, "%s\n  %s\n", q.Name, q.Definition)
		for _, col := range q.Columns {
			fmt.Fprintf(e.stdout, "    %-22s %s\n", col.Name, col.Definition)
		}
		fmt.Fprintf(e.stdout, "  %s\n\n", q.SQL)
	}
	fmt.Fprintf(e.stdout, "{lake} is\n  DuckDB (SET TimeZone = 'UTC'): %s\n  ClickHouse:                    %s\n", rows(lake.DuckDBRows), rows(lake.ClickHouseRows))
	fmt.Fprintln(e.stdout, "Verify the lake first (accesslog lake-verify): these engines read whatever lies there.")
}
