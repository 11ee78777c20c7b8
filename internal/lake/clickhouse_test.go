package lake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concert/internal/lake"
	"concert/internal/testkit/oddlake"
)

// chdb is ClickHouse's engine as a shared library, asked in a process of its own.
func chdb(t *testing.T) func(queries ...string) []string {
	t.Helper()
	library := os.Getenv("CONCERT_TEST_CHDB")
	if library == "" {
		const how = "CONCERT_TEST_CHDB names no libchdb.so (go run ./bench/get-chdb FILE fetches it)"
		if os.Getenv("CONCERT_TEST_REQUIRE_ENGINES") != "" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	program, answers := filepath.Join(t.TempDir(), "askchdb"), filepath.Join(t.TempDir(), "answers.json")
	build := exec.Command("go", "build", "-o", program, "concert/internal/testkit/askchdb")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build askchdb: %v\n%s", err, out)
	}
	return func(queries ...string) []string {
		t.Helper()
		text, err := json.Marshal(queries)
		if err != nil {
			t.Fatal(err)
		}
		ask := exec.CommandContext(t.Context(), program, library, answers)
		ask.Stdin, ask.Dir = bytes.NewReader(text), t.TempDir()
		if out, err := ask.CombinedOutput(); err != nil {
			t.Fatalf("askchdb: %v\n%s", err, out)
		}
		raw, err := os.ReadFile(answers)
		if err != nil {
			t.Fatal(err)
		}
		var out [][]byte
		if err := json.Unmarshal(raw, &out); err != nil || len(out) != len(queries) {
			t.Fatalf("%d answers to %d queries: %v", len(out), len(queries), err)
		}
		got := make([]string, len(out))
		for i := range out {
			got[i] = string(out[i])
		}
		return got
	}
}

// ClickHouse's engine of today answers every question of the catalogue from the parts as we do, to the byte, and reads from them what
// the manifest says.
func TestClickHouseAnswersAsWeDo(t *testing.T) {
	t.Parallel()
	ask := chdb(t)
	l := oddlake.Make(t, filepath.Join("..", ".."), 50_000)
	questions := oddlake.Questions(t, l)
	rows := strings.ReplaceAll(lake.ClickHouseRows, "{dir}", l.Dir)
	queries := []string{"SELECT version()"}
	for _, q := range questions {
		queries = append(queries, strings.ReplaceAll(q.SQL, "{lake}", rows))
	}
	part := "replaceOne(_path, '" + l.Dir + "/', '') AS part"
	footers := strings.Replace(rows, "'Parquet'", "'ParquetMetadata'", 1)
	queries = append(queries,
		"SELECT arrayStringConcat(arrayMap(c -> char(c), range(128)))",
		"SELECT "+part+", num_row_groups, num_rows FROM "+footers+" ORDER BY part",
		"SELECT "+part+", count(), if(month = 'unknown', '', formatDateTime(min(ts), '%FT%TZ')), if(month = 'unknown', '', formatDateTime(max(ts), '%FT%TZ')) FROM "+rows+" GROUP BY part, month ORDER BY part",
		"SELECT "+part+", c.statistics.min, c.statistics.max FROM "+footers+" ARRAY JOIN tupleElement(row_groups[1], 'columns') AS c WHERE c.name = 'ts' AND part NOT LIKE '%unknown%' ORDER BY part")
	got := ask(queries...)
	t.Logf("ClickHouse %s", strings.TrimSpace(got[0]))
	var ascii [128]byte
	for i := range ascii {
		ascii[i] = byte(i)
	}
	var escaped, footer, spans, bounds strings.Builder
	if err := (&lake.Result{Rows: [][]any{{string(ascii[:])}}}).WriteTSV(&escaped); err != nil {
		t.Fatal(err)
	}
	ms := func(at string) int64 {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMilli()
	}
	for _, p := range l.Manifest.Parts {
		fmt.Fprintf(&footer, "%s\t1\t%d\n", p.Path, p.Rows)
		fmt.Fprintf(&spans, "%s\t%d\t%s\t%s\n", p.Path, p.Rows, p.First, p.Last)
		if p.First != "" {
			fmt.Fprintf(&bounds, "%s\t%d\t%d\n", p.Path, ms(p.First), ms(p.Last))
		}
	}
	oddlake.Same(t, append(questions, oddlake.Question{Name: "every ASCII character", Want: escaped.String()}, oddlake.Question{Name: "the footers' rows", Want: footer.String()},
		oddlake.Question{Name: "the parts' rows and times", Want: spans.String()}, oddlake.Question{Name: "the footers' times", Want: bounds.String()}), got[1:])
}
