package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"

	"concert/internal/testkit"
)

// BenchmarkLake makes a lake of CONCERT_BENCH_ACCESSLOG_LINES (200,000) invented lines with the real binary and asks it every
// question, beside DuckDB's COPY to Parquet where CONCERT_BENCH_DUCKDB names it. Each answer is checked against the generator's truth.
func BenchmarkLake(b *testing.B) {
	lines := size(b, "CONCERT_BENCH_ACCESSLOG_LINES", 200_000)
	dir := b.TempDir()
	gen, log, truthFile := filepath.Join(dir, "gen-accesslog"), filepath.Join(dir, "access.log"), filepath.Join(dir, "truth.json")
	if out, err := exec.Command("go", "build", "-o", gen, "./gen-accesslog").CombinedOutput(); err != nil {
		b.Fatalf("build the generator: %v\n%s", err, out)
	}
	costs(b, gen, "-lines", strconv.Itoa(lines), "-o", log, "-truth", truthFile)
	text, err := os.ReadFile(truthFile)
	testkit.Must(b, err)
	var truth accesslogTruth
	testkit.Must(b, json.Unmarshal(text, &truth))
	raw, err := os.Stat(log)
	testkit.Must(b, err)
	args := []string{"accesslog", "lake", log, "-case", "EXERCISE"}
	for i := range 3 {
		k, err := age.GenerateX25519Identity()
		testkit.Must(b, err)
		args = append(args, "-custodian", fmt.Sprintf("EXERCISE %d=%s", i, k.Recipient()))
	}
	if geo := os.Getenv("CONCERT_BENCH_GEO"); geo != "" {
		args = append(args, "-geo", geo)
	}
	for n := 0; b.Loop(); n++ {
		lake := filepath.Join(dir, fmt.Sprint("lake", n))
		_, s := costs(b, program(b), append(args, "-o", lake)...)
		reportSpent(b, "lake", s, lines)
		b.ReportMetric(100*float64(weight(b, filepath.Join(lake, "lake")))/float64(raw.Size()), "%-of-text")
		duckdbToParquet(b, log, raw.Size(), truth, lines, s)
		askLake(b, lake, truth)
	}
}

// askLake asks each question of the catalogue and holds the answers against the truth.
func askLake(b *testing.B, lake string, truth accesslogTruth) {
	b.Helper()
	ask := func(name string, more ...string) [][]string {
		out, s := costs(b, program(b), append([]string{"accesslog", "query", lake, name}, more...)...)
		b.Logf("%-10s %6.3f s wall, %6.3f s of processors, %4.0f MB", name, s.wall, s.cpu, s.rssMB)
		b.ReportMetric(s.wall, name+"-s")
		var rows [][]string
		for line := range strings.Lines(string(out)) {
			rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
		return rows
	}
	same := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			b.Fatalf("%s: %v, the truth is %v", what, got, want)
		}
	}
	same("visitors", ask("visitors"), [][]int64{{truth.Parsed, truth.IP, truth.Human, truth.Users}})
	pairs := func(rows [][]string) map[string]int64 {
		m := map[string]int64{}
		for _, row := range rows {
			n, err := strconv.ParseInt(row[1], 10, 64)
			testkit.Must(b, err)
			m[row[0]] = n
		}
		return m
	}
	same("status", pairs(ask("status")), truth.Status)
	same("days", pairs(ask("days")), truth.PerDay)
	same("top path", ask("paths")[0], []any{truth.TopPath, truth.TopPathN})
	ask("countries")
	users := ask("users")
	same("users", len(users), truth.Users)
	ask("timeline", "-pseudonym", users[0][0])
}
