package design_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// sentence is what looks like words for people rather than a code, an address or a piece of HTML.
var sentence = regexp.MustCompile(`(^|[ (])[A-Za-z]?[a-z'’]+,? [a-z'’]{2,}|^[,:;] [a-z]|[a-z][,:] $|\b[A-Z][a-z]+ $|(^| )[a-z]{2,} $|^ [a-z]+`)

// heading is one word that a piece of a page is given to show.
var heading = regexp.MustCompile(`^"[A-Z][a-z]{2,}"$`)

// codes are strings that only look like words: a header, a unit, a command line, a reason as it is recorded.
var codes = regexp.MustCompile(`^(public, max-age|concert verify| kB$| plan$|bar $| class=|Joint action $)`)

// speaking are the calls whose strings are for the log, the operator or the catalogue.
var speaking = regexp.MustCompile(`(^|\.)(Errorf|New|Debug|Info|Warn|Error|Refuse|WriteString|panic|Query|Exec)$`)

// sentencesIn are the plain strings of the package that look like words for people: they never ask the catalogue.
func sentencesIn(p *packages.Package) []string {
	var out []string
	for _, file := range p.Syntax {
		name := p.Fset.Position(file.Pos()).Filename
		generated := strings.HasSuffix(name, "_templ.go")
		walk := func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				callee := types.ExprString(n.Fun)
				if speaking.MatchString(callee) {
					return false
				}
				if t := p.TypesInfo.Types[n].Type; t != nil && strings.HasSuffix(t.String(), "templ.Component") {
					for _, a := range n.Args {
						if b, ok := a.(*ast.BasicLit); ok && b.Kind == token.STRING && heading.MatchString(b.Value) && !isText(p.TypesInfo.Types[b].Type) {
							out = append(out, p.Fset.Position(b.Pos()).String()+": "+b.Value)
						}
					}
				}
			case *ast.ImportSpec, *ast.Field:
				return false
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Message" {
					return false
				}
			case *ast.BasicLit:
				if n.Kind != token.STRING {
					return true
				}
				s, err := strconv.Unquote(n.Value)
				if err != nil || !sentence.MatchString(s) || codes.MatchString(s) || generated && strings.Contains(s, "<") {
					return true
				}
				if t, ok := p.TypesInfo.Types[n].Type.(*types.Named); ok && (isText(t) || t.Obj().Name() == "English") {
					return true
				}
				out = append(out, p.Fset.Position(n.Pos()).String()+": "+strconv.Quote(s))
			}
			return true
		}
		ast.Inspect(file, walk)
	}
	return out
}

func TestNoSentenceIsPutTogetherPastTheCatalogue(t *testing.T) {
	t.Parallel()
	loaded, err := speakers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range loaded {
		for _, s := range sentencesIn(p) {
			t.Errorf("%s is put on the page as it is: say(ctx, …) it", s)
		}
	}
}
