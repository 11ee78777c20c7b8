// Command concert-sql answers free SQL about one lake with DuckDB, within the case; it
// is what `concert accesslog sql` runs (docs/lake.md). It reads the lake that it is
// given and nothing else, and decides nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"concert/duckdb"
	"concert/internal/lake"
	"concert/internal/vault"
)

const (
	exitFailed = 1
	exitUsage  = 2
	sqlMost    = 1 << 20
	usage      = `usage: concert accesslog sql DIR "SELECT … FROM accesses"
       concert accesslog sql DIR -f FILE

One SELECT over the view accesses, a row for each access of the lake at DIR; the answer as tab-separated text.`
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// question is what the arguments ask.
type question struct {
	dir, sql, file string
	trust          []string
	json           bool
	limits         duckdb.Limits
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	q, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "concert:", err)
		return exitUsage
	}
	a, err := q.ask(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "concert:", err)
		return exitFailed
	}
	fmt.Fprintln(stderr, "concert:", duckdb.Caveat)
	write := a.WriteTSV
	if q.json {
		write = a.WriteJSON
	}
	if err := write(stdout); err != nil {
		fmt.Fprintln(stderr, "concert:", err)
		return exitFailed
	}
	return 0
}

// parse takes flags before, between and behind the two arguments.
func parse(args []string, stderr io.Writer) (question, error) {
	var q question
	f := flag.NewFlagSet("concert accesslog sql", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&q.file, "f", "", "`FILE` that holds the query")
	f.BoolVar(&q.json, "json", false, "print the answer as JSON with its columns, the manifest's digest and who signed it")
	f.IntVar(&q.limits.Rows, "rows", 100_000, "`N` rows that an answer may have; a longer one is refused")
	f.IntVar(&q.limits.Memory, "memory", 2048, "`MIB` that the engine may use; it writes nothing to disk")
	f.IntVar(&q.limits.Threads, "threads", runtime.GOMAXPROCS(0), "`N` threads")
	f.Func("trust", "public key `FILE`, of which one must have signed the lake; repeat it for several", func(path string) error {
		key, err := vault.ReadPublicKey(path)
		q.trust = append(q.trust, key)
		return err
	})
	f.Usage = func() {
		fmt.Fprintln(stderr, usage)
		f.SetOutput(stderr)
		f.PrintDefaults()
	}
	var words []string
	for len(args) > 0 {
		if err := f.Parse(args); err != nil {
			return q, err
		}
		if args = f.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	want := 2
	if q.file != "" {
		want = 1
	}
	if len(words) != want {
		return q, errors.New("a lake's directory and one query, as an argument or with -f FILE; -help says more")
	}
	if q.dir = words[0]; q.file == "" {
		q.sql = words[1]
		return q, nil
	}
	text, err := readQuery(q.file)
	q.sql = text
	return q, err
}

func readQuery(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, sqlMost+1))
	if err == nil && len(text) > sqlMost {
		err = fmt.Errorf("%s is longer than a query may be", path)
	}
	return strings.TrimSpace(string(text)), err
}

func (q question) ask(ctx context.Context) (_ *duckdb.Answer, err error) {
	l, err := lake.Open(q.dir, q.trust)
	if err != nil {
		return nil, err
	}
	e, err := duckdb.Open(ctx, l, q.limits)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.Ask(ctx, q.sql)
}
