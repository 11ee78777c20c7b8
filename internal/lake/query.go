package lake

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Query is a question of the catalogue. SQL asks the same of any engine that reads
// Parquet: {lake} stands for the rows, {pseudonym} for 32 hexadecimal digits, and
// the answer as tab-separated text is the same to the byte.
type Query struct {
	Name       string
	Definition string
	Columns    []Column
	SQL        string
	Person     bool // of one pseudonym or a list of them: it is never released

	fold func(l *Lake, pseudonym string) fold
}

// Column is one column of an answer.
type Column struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"` // number or text
	Definition string `json:"definition"`
}

// Rows say how other engines name the parts below a lake's directory, written
// {dir}, for {lake} in a query.
const (
	DuckDBRows     = `read_parquet('{dir}/lake/*/*/*/*.parquet', hive_partitioning = true)`
	ClickHouseRows = `file('{dir}/lake/case=*/kind=access/month=*/*.parquet', 'Parquet')`
)

// fold takes parts in, from any goroutine, and then gives the answer's rows.
type fold struct {
	part func(number int, t *table) error
	rows func() ([][]any, error)
}

const (
	number = "number"
	text   = "text"
)

// Columns that several answers have.
var (
	accessesColumn = Column{"accesses", number, "rows: every parsed line, whatever was asked and answered"}
	visitorsColumn = Column{"visitors", number, "different pseudonyms of client addresses; an address is not a person"}
	firstColumn    = Column{"first", text, "earliest time, UTC, by the server's clock"}
	lastColumn     = Column{"last", text, "latest time, UTC, by the server's clock"}
)

// Catalogue is every question that a lake answers, in a fixed order.
func Catalogue() []Query {
	return []Query{
		{Name: "visitors", fold: foldVisitors, Definition: "How many accesses, client addresses and user names there are. A bot is an agent that says it is one (manifest: bot_rule).",
			Columns: []Column{accessesColumn, visitorsColumn, {"visitors_without_bots", number, "pseudonyms of addresses with at least one access by no known bot"}, {"users", number, "different pseudonyms of user names"}},
			SQL:     "SELECT count(*) AS accesses, count(DISTINCT visitor) AS visitors, count(DISTINCT CASE WHEN bot THEN NULL ELSE visitor END) AS visitors_without_bots, count(DISTINCT usr) AS users FROM {lake}"},
		{Name: "status", fold: foldStatus, Definition: "Accesses by HTTP status of the answer.",
			Columns: []Column{{"status", number, "HTTP status, three digits"}, accessesColumn},
			SQL:     "SELECT status, count(*) AS accesses FROM {lake} GROUP BY status ORDER BY status"},
		{Name: "days", fold: foldDays, Definition: "Accesses and visitors by day in UTC. Accesses with implausible times (before 1990, or more than a day after the lake was made) are in no day.",
			Columns: []Column{{"day", text, "YYYY-MM-DD, UTC"}, accessesColumn, visitorsColumn},
			SQL:     "SELECT day, count(*) AS accesses, count(DISTINCT visitor) AS visitors FROM {lake} WHERE day <> '' GROUP BY day ORDER BY day"},
		{Name: "countries", fold: foldCountries, Definition: "Accesses and visitors by the country that the database gave for the address (manifest: geo). It says where an address was registered, not who somebody is; column unreliable of the rows marks networks that say nothing of a country.",
			Columns: []Column{{"cc", text, "two letters, or unknown"}, accessesColumn, visitorsColumn, {"accesses_without_bots", number, "accesses by agents that are no known bot's"}, {"visitors_without_bots", number, "visitors with at least one such access"}},
			SQL:     "SELECT cc, count(*) AS accesses, count(DISTINCT visitor) AS visitors, sum(CASE WHEN bot THEN 0 ELSE 1 END) AS accesses_without_bots, count(DISTINCT CASE WHEN bot THEN NULL ELSE visitor END) AS visitors_without_bots FROM {lake} GROUP BY cc ORDER BY cc"},
		{Name: "paths", fold: foldPaths, Definition: fmt.Sprintf("The %d paths with the most accesses, without queries; parts that may identify a person stand replaced. Lines without a request are left out.", topPaths),
			Columns: []Column{{"path", text, "path, redacted"}, accessesColumn},
			SQL:     fmt.Sprintf("SELECT path, count(*) AS accesses FROM {lake} WHERE verb <> '' GROUP BY path ORDER BY accesses DESC, path LIMIT %d", topPaths)},
		{Name: "users", fold: foldUsers, Person: true, Definition: "Who was logged in by the log's own user field: one row for each pseudonym of a user name.",
			Columns: []Column{{"who", text, "pseudonym of the user name"}, firstColumn, lastColumn, accessesColumn},
			SQL:     "SELECT lower(hex(usr)) AS who, substring(CAST(min(ts) AS VARCHAR), 1, 19) AS first, substring(CAST(max(ts) AS VARCHAR), 1, 19) AS last, count(*) AS accesses FROM {lake} WHERE usr IS NOT NULL GROUP BY usr ORDER BY accesses DESC, who"},
		{Name: "timeline", fold: foldTimeline, Person: true, Definition: "Every access of one pseudonym, of an address or of a user name, in the order of time, each with the place of its line.",
			Columns: []Column{{"time", text, "UTC, by the server's clock"}, {"item", number, "which log: counts inputs of the manifest from 0"}, {"off", number, "byte where its line begins, in the unpacked log"}, {"len", number, "bytes of the line"},
				{"verb", text, "request method"}, {"status", number, "HTTP status"}, {"bytes", number, "size of the answer as logged"}, {"path", text, "path, redacted"}, {"ref", text, "referrer, redacted"}, {"ua", text, "family of the agent"}, {"cc", text, "country of the address"}},
			SQL: "SELECT substring(CAST(ts AS VARCHAR), 1, 19) AS time, item, off, len, verb, status, bytes, path, ref, ua, cc FROM {lake} WHERE lower(hex(visitor)) = '{pseudonym}' OR lower(hex(usr)) = '{pseudonym}' ORDER BY ts, item, off"},
	}
}

// FindQuery is the query of that name.
func FindQuery(name string) (Query, error) {
	var names []string
	for _, q := range Catalogue() {
		if q.Name == name {
			return q, nil
		}
		names = append(names, q.Name)
	}
	return Query{}, fmt.Errorf("there is no query %.80q; there are %s", name, strings.Join(names, ", "))
}

// Ask answers a query from all parts, or not at all: a part that is missing,
// changed or unreadable is an error and never a smaller number. Pseudonym is for
// queries that ask for one.
func (l *Lake) Ask(ctx context.Context, q Query, pseudonym string) (*Result, error) {
	pseudonym, err := q.Pseudonym(pseudonym)
	if err != nil {
		return nil, err
	}
	f := q.fold(l, pseudonym)
	if err := l.each(ctx, f.part); err != nil {
		return nil, err
	}
	rows, err := f.rows()
	if err != nil {
		return nil, err
	}
	return l.Answer(q, rows), nil
}

// Verify reads every part and compares it with the manifest.
func (l *Lake) Verify(ctx context.Context) error {
	return l.each(ctx, func(int, *table) error { return nil })
}

// each reads the parts side by side.
func (l *Lake) each(outer context.Context, part func(int, *table) error) error {
	g, ctx := errgroup.WithContext(outer)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range l.Manifest.Parts {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			raw, err := l.read(p)
			if err != nil {
				return err
			}
			t, err := openTable(raw, p.Rows)
			if err == nil {
				err = part(i, t)
			}
			if err != nil && !errors.Is(err, errTooMuch) {
				err = fmt.Errorf("%s: %w", p.Path, err)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(outer)
}
