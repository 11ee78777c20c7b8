package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"concert/internal/testkit"
)

// duckdb runs statements in DuckDB, where CONCERT_BENCH_DUCKDB names the program (go build -C duckdb -o FILE ./bench-peer), and
// gives the last one's rows.
func duckdb(b *testing.B, sql string) (rows [][]string, s cost, ok bool) {
	b.Helper()
	peer := os.Getenv("CONCERT_BENCH_DUCKDB")
	if peer == "" {
		b.Log("CONCERT_BENCH_DUCKDB names no DuckDB: left out")
		return nil, s, false
	}
	out, s := costsOf(b, strings.NewReader(sql), peer)
	for line := range strings.Lines(string(out)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows, s, true
}

// duckdbLines reads a combined log as DuckDB does it fastest: fields between blanks, quoted ones whole, and lines that have others
// dropped without a word. A quotation mark that is never closed takes the line behind it along; fields between quotation marks,
// which it cannot, cost a quarter more processor time.
func duckdbLines(log string) string {
	var columns []string
	for i, kind := range []string{"VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "SMALLINT", "BIGINT", "VARCHAR", "VARCHAR"} {
		columns = append(columns, fmt.Sprintf("'c%d': '%s'", i, kind))
	}
	return "read_csv('" + log + `', delim = ' ', quote = '"', escape = '"', header = false, auto_detect = false, strict_mode = false, ignore_errors = true, columns = {` + strings.Join(columns, ", ") + "})"
}

// duckdbSet is one pass over the log for days, status, different addresses and top paths; it knows no countries.
const duckdbSet = `SET preserve_insertion_order = false;
WITH lines AS (SELECT c0 AS ip, substr(c3, 2, 11) AS day, split_part(split_part(c5, ' ', 2), '?', 1) AS path, c6 AS status FROM {lines}),
counted AS MATERIALIZED (SELECT grouping(day, status, ip, path) AS g, day, status, path, count(*) AS n FROM lines GROUP BY GROUPING SETS ((day), (status), (ip), (path)))
SELECT 'day', day, n FROM counted WHERE g = 7
UNION ALL SELECT 'status', status::VARCHAR, n FROM counted WHERE g = 11
UNION ALL SELECT 'visitors', '', count(*) FROM counted WHERE g = 13
UNION ALL SELECT 'path', path, n FROM (SELECT path, n FROM counted WHERE g = 14 ORDER BY n DESC, path LIMIT 50)`

// duckdbAnalyse runs the peer on the same log as the brief report, whose cost is ours, and holds its answer against the truth.
func duckdbAnalyse(b *testing.B, log string, truth accesslogTruth, lines int, ours cost) {
	b.Helper()
	rows, s, ok := duckdb(b, strings.ReplaceAll(duckdbSet, "{lines}", duckdbLines(log)))
	if !ok {
		return
	}
	got := map[string]map[string]int64{"day": {}, "status": {}, "visitors": {}, "path": {}}
	for _, row := range rows {
		n, err := strconv.ParseInt(row[2], 10, 64)
		testkit.Must(b, err)
		key := row[1]
		if row[0] == "day" {
			at, err := time.Parse("02/Jan/2006", key)
			testkit.Must(b, err)
			key = at.Format(time.DateOnly)
		}
		got[row[0]][key] = n
	}
	for what, want := range map[string]map[string]int64{"day": truth.PerDay, "status": truth.Status, "visitors": {"": truth.IP}, "path": {truth.TopPath: truth.TopPathN}} {
		for key, n := range want {
			nearly(b, what+" "+key, got[what][key], n, truth)
		}
	}
	if len(got["day"]) != len(truth.PerDay) || len(got["status"]) != len(truth.Status) || len(got["path"]) != 50 {
		b.Fatalf("DuckDB counts %d days, %d status and %d paths", len(got["day"]), len(got["status"]), len(got["path"]))
	}
	reportSpent(b, "duckdb", s, lines)
	reportTimes(b, "DuckDB", s, ours)
}

// nearly holds a number against the truth, of which DuckDB may miss a line for each that is no access.
func nearly(b *testing.B, what string, got, want int64, truth accesslogTruth) {
	b.Helper()
	if got > want || got < want-truth.Rejected {
		b.Fatalf("DuckDB, %s: %d, the truth is %d", what, got, want)
	}
}

// duckdbCopy is the log as Parquet by month: addresses and agents as they stand there, no place of a line, no digest.
const duckdbCopy = `SET preserve_insertion_order = false;
COPY (SELECT strptime(c3 || ' ' || c4, '[%d/%b/%Y:%H:%M:%S %z]') AS ts, c0 AS ip, c2 AS usr, split_part(c5, ' ', 1) AS verb, split_part(split_part(c5, ' ', 2), '?', 1) AS path,
	split_part(split_part(c5, ' ', 2), '?', 2) AS query, c6 AS status, c7 AS bytes, c8 AS ref, c9 AS ua, substr(c3, 9, 4) || substr(c3, 5, 3) AS month FROM {lines})
TO '{dir}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month))`

// duckdbToParquet runs the peer on the log of which a lake was made, at our cost, and holds what it wrote against the truth.
func duckdbToParquet(b *testing.B, log string, raw int64, truth accesslogTruth, lines int, ours cost) {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "duckdb")
	_, s, ok := duckdb(b, strings.NewReplacer("{lines}", duckdbLines(log), "{dir}", dir).Replace(duckdbCopy))
	if !ok {
		return
	}
	rows, _, _ := duckdb(b, "SELECT count(*), count(DISTINCT ip) FROM read_parquet('"+dir+"/*/*.parquet')")
	for i, want := range []int64{truth.Parsed, truth.IP} {
		got, err := strconv.ParseInt(rows[0][i], 10, 64)
		testkit.Must(b, err)
		nearly(b, []string{"rows", "visitors"}[i], got, want, truth)
	}
	b.Logf("DuckDB wrote %s rows of %d, and said nothing of the others", rows[0][0], truth.Parsed)
	reportSpent(b, "duckdb", s, lines)
	reportTimes(b, "DuckDB", s, ours)
	b.ReportMetric(100*float64(weight(b, dir))/float64(raw), "duckdb-%-of-text")
	testkit.Must(b, os.RemoveAll(dir))
}

// reportTimes says how many times as much a peer took.
func reportTimes(b *testing.B, peer string, s, ours cost) {
	b.Helper()
	b.Logf("%s takes %.2f times as long by the wall, %.2f times the processor time", peer, s.wall/ours.wall, s.cpu/ours.cpu)
	b.ReportMetric(s.cpu/ours.cpu, strings.ToLower(peer)+"-times-cpu")
	b.ReportMetric(s.wall/ours.wall, strings.ToLower(peer)+"-times-wall")
}

// weight is how many bytes lie in a directory.
func weight(b *testing.B, dir string) (size int64) {
	b.Helper()
	testkit.Must(b, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		return err
	}))
	return size
}
