package duckdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concert/internal/lake"
	"concert/internal/testkit/oddlake"
)

var generous = Limits{Memory: 1024, Threads: 2, Rows: 100_000}

func opened(t testing.TB, l *lake.Lake, limits Limits) *Engine {
	t.Helper()
	e, err := Open(t.Context(), l, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func made(t testing.TB) *lake.Lake {
	t.Helper()
	return oddlake.Make(t, "..", 2000)
}

func tsv(t testing.TB, a *Answer) string {
	t.Helper()
	var b bytes.Buffer
	if err := a.WriteTSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// DuckDB answers every question of the catalogue from the parts as we do, to the byte, and reads from them what the manifest says.
func TestDuckDBAnswersAsWeDo(t *testing.T) {
	t.Parallel()
	l := oddlake.Make(t, "..", 50_000)
	e := opened(t, l, generous)
	questions := oddlake.Questions(t, l)
	var ascii [128]byte
	for i := range ascii {
		ascii[i] = byte(i)
	}
	var escaped strings.Builder
	if err := (&lake.Result{Rows: [][]any{{string(ascii[:])}}}).WriteTSV(&escaped); err != nil {
		t.Fatal(err)
	}
	questions = append(questions, oddlake.Question{Name: "every ASCII character", SQL: "SELECT string_agg(chr(i::INTEGER), '' ORDER BY i) FROM range(128) AS r(i)", Want: escaped.String()})
	// The footers of the parts, in the manifest's order, which is that of the descriptors' paths in the lock.
	for i, p := range l.Manifest.Parts {
		file := "'" + e.held.paths[i] + "'"
		questions = append(questions, oddlake.Question{Name: p.Path, SQL: "SELECT num_rows, num_row_groups FROM parquet_file_metadata(" + file + ")", Want: fmt.Sprintf("%d\t1\n", p.Rows)})
		if p.First != "" {
			questions = append(questions, oddlake.Question{Name: p.Path, SQL: "SELECT strftime(stats_min_value::TIMESTAMPTZ, '%xT%XZ'), strftime(stats_max_value::TIMESTAMPTZ, '%xT%XZ') FROM parquet_metadata(" + file + ") WHERE path_in_schema = 'ts'", Want: p.First + "\t" + p.Last + "\n"})
		}
	}
	var got []string
	for _, q := range questions {
		a, err := e.Ask(t.Context(), strings.ReplaceAll(q.SQL, "{lake}", "accesses"))
		if err != nil {
			t.Fatalf("%s: %v", q.Name, err)
		}
		got = append(got, tsv(t, a))
	}
	oddlake.Same(t, questions, got)
}

// waysOut are queries that would read or write something else than the lake's rows, or that are not one SELECT.
func waysOut(dir, secret, out, first, lakeDir string) []string {
	reads := []string{
		"SELECT * FROM read_csv('/etc/passwd', delim = ':', header = false)",
		"SELECT * FROM read_csv_auto('" + secret + "')",
		"SELECT * FROM '" + secret + "'",
		"FROM '" + secret + "'",
		"SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM read_blob('/etc/passwd')",
		"SELECT * FROM read_text('/proc/self/environ')",
		"SELECT * FROM read_text('/proc/self/maps')",
		"SELECT * FROM read_text('/dev/fd/0')",
		"SELECT * FROM read_text('" + first + "/../../../etc/passwd')",
		"SELECT * FROM read_text('" + first + "/../../.." + secret + "')",
		"SELECT * FROM read_text('file://" + secret + "')",
		"SELECT * FROM read_text('" + dir + "/*')",
		"SELECT * FROM read_text(['" + first + "', '" + secret + "'])",
		"SELECT * FROM sniff_csv('" + secret + "')",
		"SELECT * FROM read_json('" + secret + "')",
		"SELECT * FROM read_json_objects('" + secret + "')",
		"SELECT * FROM glob('/etc/*')",
		"SELECT * FROM glob('" + lakeDir + "/*')",
		"SELECT * FROM read_blob('" + lakeDir + "/pseudonyms.locked')",
		"SELECT * FROM read_text('" + lakeDir + "/manifest.json')",
		"SELECT * FROM read_parquet('" + lakeDir + "/lake/*/*/*/*.parquet')",
		"SELECT * FROM read_parquet('s3://exercise.example/x.parquet')",
		"SELECT * FROM read_parquet('https://exercise.example/x.parquet')",
		"SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
		"SELECT * FROM query('SELECT * FROM read_text(''" + secret + "'')')",
		"SELECT * FROM query_table('" + secret + "')",
		"SELECT * FROM sqlite_scan('" + secret + "', 'x')",
		"SELECT * FROM arrow_scan(1, 2, 3)",
		"SELECT * FROM seq_scan(1)",
		"SELECT (SELECT content FROM read_text('" + secret + "'))",
		"WITH x AS MATERIALIZED (SELECT * FROM read_text('" + secret + "')) SELECT * FROM x",
		"SELECT getenv('HOME')",
		"SELECT * FROM duckdb_extensions()",
	}
	return append(reads,
		"COPY (SELECT 1) TO '"+out+"'",
		"COPY accesses TO '"+out+"' (FORMAT parquet)",
		"COPY (SELECT 1) TO '/dev/stdout'",
		"COPY (SELECT 1) TO '"+first+"'",
		"EXPORT DATABASE '"+dir+"/all'",
		"IMPORT DATABASE '"+dir+"'",
		"ATTACH '"+out+"'",
		"ATTACH ':memory:' AS other",
		"ATTACH '"+secret+"' (TYPE sqlite)",
		"DETACH memory",
		"USE memory",
		"INSTALL httpfs",
		"LOAD httpfs",
		"LOAD '"+secret+"'",
		"FORCE INSTALL httpfs FROM 'http://127.0.0.1:9'",
		"SET enable_external_access = true",
		"SET lock_configuration = false",
		"SET allowed_paths = ['"+secret+"']",
		"SET memory_limit = '100GB'",
		"SET TimeZone = 'Europe/Madrid'",
		"RESET lock_configuration",
		"PRAGMA enable_profiling = 'json'",
		"CALL enable_logging()",
		"CALL pragma_version()",
		"CREATE TABLE x AS SELECT 1",
		"CREATE OR REPLACE VIEW accesses AS SELECT 1",
		"CREATE SECRET (TYPE s3)",
		"CREATE FUNCTION f() AS 1",
		"DROP VIEW accesses",
		"INSERT INTO accesses VALUES (1)",
		"UPDATE accesses SET status = 1",
		"DELETE FROM accesses",
		"WITH x AS (SELECT 1) INSERT INTO accesses SELECT * FROM x",
		"BEGIN",
		"PREPARE p AS SELECT 1",
		"EXECUTE p",
		"EXPLAIN ANALYZE SELECT 1",
		"VACUUM",
		"CHECKPOINT",
		"SELECT 1; SELECT 2",
		"SELECT 1; COPY (SELECT 1) TO '"+out+"'",
		"CREATE TABLE x (a INT); SELECT 1",
		"SELECT $1",
		"SELECT ?",
		"",
		"-- nothing",
		";",
		"SELEC",
		"SELECT '\x00'; SELECT 2",
	)
}

// Each way out of the lake that SQL knows is shut, whatever the query calls it.
func TestNothingButTheLakeIsReadOrWritten(t *testing.T) {
	t.Parallel()
	l := made(t)
	dir := t.TempDir()
	secret, out := filepath.Join(dir, "secret.csv"), filepath.Join(dir, "out.csv")
	if err := os.WriteFile(secret, []byte("a,b\nSECRET,EXERCISE\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := opened(t, l, generous)
	for _, query := range waysOut(dir, secret, out, e.held.paths[0], l.Dir) {
		a, err := e.Ask(t.Context(), query)
		if err == nil {
			t.Errorf("%s: answered with %.200q", query, tsv(t, a))
		} else if strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "root:") {
			t.Errorf("%s: the error tells what is in the file: %v", query, err)
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || !slices.Equal(files, []string{secret}) {
		t.Errorf("%v lies where nothing was to be written: %v", files, err)
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM accesses":                    fmt.Sprintln(l.Manifest.Rows),
		"SELECT current_setting('lock_configuration')":     "true\n",
		"SELECT current_setting('enable_external_access')": "false\n",
		"SELECT current_setting('TimeZone')":               "UTC\n",
		"SELECT count(*) FROM duckdb_tables()":             "0\n",
	} {
		if a, err := e.Ask(t.Context(), query); err != nil || tsv(t, a) != want {
			t.Errorf("%s: %+v, %v, want %q", query, a, err, want)
		}
	}
}

// Whatever is not as the manifest says gives no answer, also when it changes after it was compared.
func TestWhatWasChangedGivesNoAnswer(t *testing.T) {
	t.Parallel()
	l := made(t)
	part := filepath.Join(l.Dir, l.Manifest.Parts[0].Path)
	whole, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(part)
	if err != nil {
		t.Fatal(err)
	}
	const query = "SELECT count(*) FROM accesses"
	write := func(data []byte) {
		t.Helper()
		if err := errors.Join(os.Chmod(part, 0o600), os.WriteFile(part, data, 0o600), os.Chtimes(part, info.ModTime(), info.ModTime())); err != nil {
			t.Fatal(err)
		}
	}
	e := opened(t, l, generous)
	if _, err := e.Ask(t.Context(), query); err != nil {
		t.Fatal(err)
	}
	write(whole)
	if _, err := e.Ask(t.Context(), query); err == nil || !strings.Contains(err.Error(), "was changed while") {
		t.Errorf("a part that was written to, with its old bytes and times: %v", err)
	}
	e = opened(t, l, generous)
	if err := os.Rename(part, part+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Ask(t.Context(), query); err == nil {
		t.Error("a part that was taken away is answered from")
	}
	if err := os.Rename(part+".away", part); err != nil {
		t.Fatal(err)
	}
	e = opened(t, l, generous)
	for _, dir := range []string{filepath.Dir(part), l.Dir} {
		if err := errors.Join(os.Rename(dir, dir+"-away"), os.Rename(dir+"-away", dir)); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Ask(t.Context(), query); err == nil {
			t.Errorf("%s was another for a moment, and is answered from", dir)
		}
		e = opened(t, l, generous)
	}
	other := bytes.Clone(whole)
	other[len(other)/2] ^= 1
	write(other)
	if _, err := Open(t.Context(), l, generous); err == nil || !strings.Contains(err.Error(), "not as it was written") {
		t.Errorf("a part with one bit turned: %v", err)
	}
	if err := os.Remove(part); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), l, generous); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a part that is missing: %v", err)
	}
}

// An answer is whole or none: longer than allowed, larger than the memory, or broken off by who asked.
func TestAnAnswerIsWholeOrNone(t *testing.T) {
	t.Parallel()
	l := made(t)
	e := opened(t, l, Limits{Memory: 128, Threads: 1, Rows: 10})
	if a, err := e.Ask(t.Context(), "SELECT * FROM range(10)"); err != nil || len(a.Rows) != 10 {
		t.Errorf("10 rows of 10: %v", err)
	}
	if _, err := e.Ask(t.Context(), "SELECT * FROM range(11)"); err == nil || !strings.Contains(err.Error(), "more than 10 rows") {
		t.Errorf("11 rows of 10: %v", err)
	}
	if _, err := e.Ask(t.Context(), "SELECT * FROM range(100000000) AS r(i) ORDER BY hash(i)"); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("more than the memory: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.Ask(ctx, "SELECT count(*) FROM range(10000000) AS a(i), range(10000000) AS b(j) WHERE hash(i + j) = 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a query that was broken off: %v", err)
	}
	if a, err := e.Ask(t.Context(), "SELECT 1"); err != nil || tsv(t, a) != "1\n" {
		t.Errorf("the question after one that was broken off: %v", err)
	}
	for _, limits := range []Limits{{}, {Memory: 1, Threads: 1}, {Memory: -1, Threads: 1, Rows: 1}} {
		if _, err := Open(t.Context(), l, limits); err == nil {
			t.Errorf("%+v are no limits", limits)
		}
	}
}

func TestValuesAreWrittenInOneWay(t *testing.T) {
	t.Parallel()
	e := opened(t, made(t), generous)
	a, err := e.Ask(t.Context(), `SELECT NULL AS n, true AS b, -5::TINYINT, 18446744073709551615::UBIGINT, sum(i) AS s, 1.50::DECIMAL(5,2), 0.1::DOUBLE, 'inf'::FLOAT, 'a	b''c\' AS t, '\xAB\x00'::BLOB,
		DATE '2017-06-10', TIMESTAMP '2017-06-10 13:55:36.5', TIMESTAMPTZ '2017-06-10 13:55:36+02', '<é>' FROM range(3) AS r(i)`)
	if err != nil {
		t.Fatal(err)
	}
	const want = `\N	true	-5	18446744073709551615	3	1.5	0.1	+Inf	a\tb\'c\\	ab00	2017-06-10	2017-06-10 13:55:36.5	2017-06-10 11:55:36	<é>` + "\n"
	if got := tsv(t, a); got != want {
		t.Errorf("as text: %q\nwant     %q", got, want)
	}
	var b bytes.Buffer
	var again struct {
		SQL     string
		Columns []Column
		Rows    [][]any
		Lake    lake.Source
		Caveats []string
	}
	if err := errors.Join(a.WriteJSON(&b), json.Unmarshal(b.Bytes(), &again)); err != nil {
		t.Fatal(err)
	}
	if again.Rows[0][0] != nil || again.Rows[0][4] != 3.0 || again.Rows[0][9] != "ab00" || again.Columns[4] != (Column{"s", "HUGEINT"}) || again.Columns[5].Type != "DECIMAL(5,2)" || again.Lake.Manifest != e.lake.Digest || again.Caveats[0] != Caveat {
		t.Errorf("as JSON: %+v", again)
	}
	for _, query := range []string{"SELECT [1, 2]", "SELECT {'a': 1}", "SELECT INTERVAL 1 DAY", "SELECT TIME '10:00:00'", "SELECT uuid()", "SELECT MAP {'a': 1}"} {
		if _, err := e.Ask(t.Context(), query); err == nil || !strings.Contains(err.Error(), "AS VARCHAR") {
			t.Errorf("%s: %v", query, err)
		}
	}
}
