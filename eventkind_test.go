package concert_test

import (
	"go/ast"
	"slices"
	"strconv"
	"testing"

	"concert"
)

// Whoever looks through the event log is offered every kind that the house records.
func TestEveryEventKindIsListed(t *testing.T) {
	t.Parallel()
	var have []concert.EventKind
	for _, s := range openRepository(t).sources {
		if s.folder != "." || s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "EventKind" || len(v.Values) != 1 {
				return true
			}
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				have = append(have, concert.EventKind(text))
			}
			return true
		})
	}
	slices.Sort(have)
	listed := concert.EventKinds()
	if !slices.IsSorted(listed) {
		t.Error("the kinds of event are not listed by name")
	}
	for _, k := range have {
		if !slices.Contains(listed, k) {
			t.Errorf("%s is missing from eventKinds (eventkind.go)", k)
		}
	}
	if len(have) != len(listed) || len(have) < 60 {
		t.Errorf("%d kinds are declared, %d listed", len(have), len(listed))
	}
}
