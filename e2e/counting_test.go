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
	b.WriteString(`
## How approvals were given

The after-action report says how many approvals were given alone and how many in bulk, and how long the reviewer had the item open. Anyone counts it again from an export:
take the events ` + "`item.approved` and `item.seconded`" + ` whose body has the action. Each is one approval (an item may need several).

- **alone**: ` + "`single`" + ` is true; **in bulk**: all others. Events from before this was recorded have no ` + "`single`" + ` and count as bulk.
- **seconds from opening**: ` + "`opened_s`" + `, whole seconds of case time from the reviewer's first opening of the item to the approval. Where it is missing, the reviewer never opened the item.
- **unopened**: given alone without ` + "`opened_s`" + `.
- **median, ninth tenth**: over approvals given alone with ` + "`opened_s`" + `, sorted: the one at place ⌊n/2⌋ and at place ⌊9n/10⌋, counted from 0.

## Second looks

An approval is drawn when its event ` + "`item.approved` has `drawn`" + `; the look is ` + "`item.second_look` with `look`" + ` (agree, disagree). The share that is drawn is a share of approvals;
the share that disagrees is one of those looked at. Providers' numbers hold none of it.

## A provider's own figures

` + "`GET /api/v1/provider/figures`" + ` and the page /figures, as of a moment. The unit is the item that was referred to the provider; those taken back are left out, but for the times.

| figure | counts |
|---|---|
| ` + "`by_code`" + ` | items by the provider's last word; the empty code is silence |
| ` + "`first_answer`" + ` | from the sending of the referral to the first word of any kind on the item: n, median and ninth tenth in whole seconds of case time, as above |
| ` + "`final_answer`" + ` | the same to its first final word |
| ` + "`agreement.claimed`" + ` | items that it says it removed, disabled, restricted or found gone |
| ` + "`agreement.looked`" + ` | of those: our last look saw them down or up (n); ` + "`agreed`" + ` down, ` + "`up`" + ` up |
| ` + "`agreement.unclear`" + ` | of those claimed: our last look could not tell, or saw them down in some places only, as limits by country are |
| ` + "`agreement.last_look`" + ` | when we last looked at anything of the provider's |

## Officers

How accurate an officer was is counted from the same events ([approvals.md](approvals.md)): those with ` + "`assessor`" + `, under the side ` + "`o:`" + ` and the officer, over all actions. These numbers stand on no board.

| number | counts, of the items that the officer assessed |
|---|---|
`)
	for _, m := range concert.OfficerMetrics {
		fmt.Fprintf(&b, "| `%s` | %s |\n", m, concert.OfficerDefinitions[m])
	}
	fmt.Fprintf(&b, `
- judged = `+"`officer_answered` + `officer_withdrawn` + `officer_corrected` + `officer_agreed` + `officer_disagreed`"+`
- inaccurate = `+"`officer_refused` + `officer_not_ours` + `officer_withdrawn` + `officer_corrected` + `officer_disagreed`"+`
- accuracy = 1 − inaccurate / judged, from %d judged on. Below %d %%, every new assessment of the officer needs one approval more.

An item counts at most once in each number. A provider's other word takes back what the word before counted, and so does a withdrawal: an item that was refused and is then withdrawn is one inaccuracy, not two.
`, concert.AccuracyFrom, concert.AccuracyLeast)
	publicCounting(&b)
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

// publicCounting is what the public register counts.
func publicCounting(b *strings.Builder) {
	b.WriteString("\n## The public register\n\nWhat it shows, holds back and hides: [register.md](register.md). The same fold gives what is published and what `concert report verify` recounts.\n\n| unit | is |\n|---|---|\n")
	for _, u := range concert.CountingUnits {
		fmt.Fprintf(b, "| %s | %s |\n", u, concert.UnitDefinitions[u])
	}
	b.WriteString("\n| number | unit | of | counts, of the requests that went out in the period |\n|---|---|---|---|\n")
	for _, f := range concert.PublicFigures() {
		of := ""
		if f.Of != "" {
			of = "`" + string(f.Of) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Metric, f.Unit, of, f.Definition)
	}
	b.WriteString("\n")
	for _, s := range concert.PublicSums() {
		parts := make([]string, len(s.Parts))
		for i, p := range s.Parts {
			parts[i] = "`" + string(p) + "`"
		}
		fmt.Fprintf(b, "- `%s` = %s\n", s.Whole, strings.Join(parts, " + "))
	}
}
