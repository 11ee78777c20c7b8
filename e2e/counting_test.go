package e2e

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"concert"
)

var update = flag.Bool("update", false, "write the generated documents anew")

const countingPage = "../docs/counting.md"

// counting is docs/counting.md as the code would have it.
func counting() string {
	var b strings.Builder
	b.WriteString(`# Counting

Made from the code (package concert, MetricDefinitions and Sums); a test compares. To change it, change the code and run
` + "`go test ./e2e -run Counting -update`" + `.

The unit is the **item**: one piece of content at one place. The board, the after-action report, a provider's statistics and a recount from an export
([formats/export.md](formats/export.md)) are the same sum over the same events. What a provider **claims** and what we **saw** are two numbers, never one.

## Sums that always hold

`)
	for _, s := range concert.Sums {
		parts := make([]string, len(s.Parts))
		for i, p := range s.Parts {
			parts[i] = "`" + string(p) + "`"
		}
		fmt.Fprintf(&b, "- `%s` = %s\n", s.Whole, strings.Join(parts, " + "))
	}
	b.WriteString("\n## Definitions\n\n| number | counts |\n|---|---|\n")
	for _, m := range concert.Metrics {
		fmt.Fprintf(&b, "| `%s` | %s |\n", m, concert.MetricDefinitions[m])
	}
	return b.String()
}

func TestG28TheCountingPageIsWhatTheCodeCounts(t *testing.T) {
	t.Parallel()
	for _, m := range concert.Metrics {
		if concert.MetricDefinitions[m] == "" {
			t.Errorf("%s has no definition", m)
		}
	}
	want := counting()
	if *update {
		if err := os.WriteFile(countingPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(countingPage)
	if err != nil || string(got) != want {
		t.Errorf("docs/counting.md is not what the code counts (%v): go test ./e2e -run Counting -update", err)
	}
}
