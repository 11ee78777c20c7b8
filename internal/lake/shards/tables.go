package shards

import (
	"fmt"
	"strings"

	"concert/internal/lake"
)

// names are the tables of one lake. They hold its manifest's digest whole, so that
// the rows of two lakes never come together.
type names struct{ rows, parts, all string }

func namesOf(digest, database string) names {
	rows := database + ".lake_" + digest
	return names{rows, rows + "_parts", rows + "_all"}
}

// columns are the table's, beside the number of the row's part. Time is a number of
// milliseconds: 18.16 has no type for it, and neither version's reaches every time
// that a log can hold.
var columns = []struct{ name, kind string }{
	{"ts", "Int64"}, {"day", "String"}, {"visitor", "FixedString(16)"}, {"usr", "Nullable(FixedString(16))"}, {"cc", "String"}, {"verb", "String"},
	{"path", "String"}, {"status", "Int32"}, {"bytes", "Int64"}, {"ref", "String"}, {"ua", "String"}, {"camp", "String"},
	{"bot", "UInt8"}, {"unreliable", "UInt8"}, {"item", "Int32"}, {"off", "Int64"}, {"len", "Int32"},
}

// createTables are the statements for one shard; they leave alone what is there. A
// plain MergeTree joins no rows and drops none that were sent twice, which is told
// rather than hidden.
func (n names) createTables() []string {
	rows, parts := "part UInt32", "part UInt32, sha256 String"
	for _, c := range columns {
		rows += ", " + c.name + " " + c.kind
	}
	for _, m := range measured {
		parts += ", " + m.name + " Int64"
	}
	return []string{
		"CREATE TABLE IF NOT EXISTS " + n.rows + " (" + rows + ") ENGINE = MergeTree ORDER BY (part, off)",
		"CREATE TABLE IF NOT EXISTS " + n.parts + " (" + parts + ") ENGINE = MergeTree ORDER BY part",
	}
}

// createAll are the statements for the shard that answers for all of them. The table
// holds nothing, so it is made anew for the cluster that is named now.
func (n names) createAll(at Address) []string {
	return []string{
		"DROP TABLE IF EXISTS " + n.all,
		fmt.Sprintf("CREATE TABLE %s AS %s ENGINE = %s", n.all, n.rows, n.engine(at)),
	}
}

func (n names) engine(at Address) string {
	return fmt.Sprintf("Distributed(%s, %s, %s)", at.Cluster, at.Database, strings.TrimPrefix(n.rows, at.Database+"."))
}

// from is what stands for {lake}: a lake on one shard needs no other to be asked.
func (c *Cluster) from() string {
	if len(c.shards) == 1 {
		return c.names.rows
	}
	return c.names.all
}

// dialect is all in which the catalogue's SQL differs here: 18.16 knows no VARCHAR,
// and time is a number (columns), which clocked writes out.
var dialect = strings.NewReplacer(
	"substring(CAST(ts AS VARCHAR), 1, 19)", "ts",
	"substring(CAST(min(ts) AS VARCHAR), 1, 19)", "min(ts)",
	"substring(CAST(max(ts) AS VARCHAR), 1, 19)", "max(ts)",
)

// question is a catalogue's query as the servers are asked it.
func (c *Cluster) question(q lake.Query, pseudonym string) string {
	return strings.NewReplacer("{lake}", c.from(), "{pseudonym}", fmt.Sprintf("%x", pseudonym)).Replace(dialect.Replace(q.SQL))
}

// clocked is a value as the answer has it: a time stands as a number in a column of
// text, and a count of nothing may come as null.
func clocked(c lake.Column, v any) (any, error) {
	switch v := v.(type) {
	case int64:
		if c.Kind == "text" {
			return lake.Clock(v), nil
		}
		return v, nil
	case string:
		if c.Kind == "text" {
			return v, nil
		}
	case nil:
		if c.Kind == "number" {
			return int64(0), nil
		}
	}
	return nil, fmt.Errorf("column %s came as %T", c.Name, v)
}
