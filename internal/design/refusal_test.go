package design_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"

	"concert"
	"concert/internal/design"
)

// unheard are the refusals that no page shows, by door and by noun (the first part of their codes): who meets them reads JSON, a log or the
// operator's command line, in English. A refusal of any other noun stands on pages and is translated.
var unheard = struct{ packages, nouns map[string]string }{
	packages: map[string]string{"concert/internal/apiserver": "the door for programs"},
	nouns: map[string]string{
		"clock":    "a node that is older than the database",
		"envelope": "verification of a signed document, off line",
		"mail":     "answered to a mail system",
		"restore":  "the operator, at concert restore",
	},
}

// refused is one refusal's form and where it stands first.
type refused struct{ form, code, place string }

// readRefusals are the forms of every refusal of the house that a person can meet on a page.
var readRefusals = sync.OnceValues(func() (map[string]refused, error) {
	mode := packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedExportFile
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root}, "./...")
	if err != nil {
		return nil, err
	}
	out := map[string]refused{}
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		if unheard.packages[p.PkgPath] != "" {
			continue
		}
		for _, file := range p.Syntax {
			var failed error
			ast.Inspect(file, func(n ast.Node) bool {
				code, form, ok := refusalAt(p.TypesInfo, n)
				if !ok {
					return true
				}
				at := p.Fset.Position(n.Pos())
				place := fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
				noun, _, _ := strings.Cut(code, ".")
				switch {
				case unheard.nouns[noun] != "":
				case form == "":
					failed = cmp.Or(failed, fmt.Errorf("%s: the form of this refusal is no constant, so that nobody can translate it", place))
				default:
					out[form] = refused{form, code, place}
				}
				return true
			})
			if failed != nil {
				return nil, failed
			}
		}
	}
	return out, nil
})

// refusalAt is the code and the form of the refusal that n makes: a call of a function named Refuse (or refuse, or weak) with a form, or
// a concert.Error with a message. What only hands a form on is none.
func refusalAt(info *types.Info, n ast.Node) (code, form string, ok bool) {
	text := func(e ast.Expr) string {
		if v := info.Types[e].Value; v != nil && v.Kind() == constant.String {
			return constant.StringVal(v)
		}
		return ""
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		f, is := info.Types[n.Fun].Type.(*types.Signature)
		if !is || !f.Variadic() || f.Params().Len() < 2 || f.Results().Len() != 1 {
			return "", "", false
		}
		i := f.Params().Len() - 2
		if f.Params().At(i).Name() != "format" || !refusing(f.Results().At(0).Type(), n.Fun) || n.Ellipsis.IsValid() {
			return "", "", false
		}
		for j := range i {
			if f.Params().At(j).Name() == "code" {
				code = text(n.Args[j])
			}
		}
		return code, text(n.Args[i]), true
	case *ast.CompositeLit:
		if info.Types[n].Type.String() != "concert.Error" {
			return "", "", false
		}
		for _, e := range n.Elts {
			kv, is := e.(*ast.KeyValueExpr)
			if !is {
				continue
			}
			switch types.ExprString(kv.Key) {
			case "Code":
				code = text(kv.Value)
			case "Message":
				form = text(kv.Value)
				ok = form != ""
			}
		}
		return code, form, ok
	}
	return "", "", false
}

func refusing(result types.Type, callee ast.Expr) bool {
	name := result.String()
	return name == "*concert.Error" || name == "*concert/internal/match.LocationError" || strings.HasSuffix(types.ExprString(callee), "weak")
}

func TestEveryRefusalIsTranslated(t *testing.T) {
	t.Parallel()
	said, err := readRefusals()
	if err != nil {
		t.Fatal(err)
	}
	if len(said) < 300 {
		t.Fatalf("only %d refusals were found in the house", len(said))
	}
	for _, l := range design.Languages()[1:] {
		have, err := design.Translated(l.Code)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range slices.Sorted(maps.Keys(said)) {
			if !slices.Contains(have, design.Text(form)) {
				t.Errorf("%s: the refusal %q (%s) has no translation in words/%s", said[form].place, form, said[form].code, l.Code)
			}
		}
	}
}

// A message that says only what was wrong leaves the reader standing there.
var wayOut = regexp.MustCompile(`[:;,]|\b(at most|only|already|until|needs?|before|since)\b`)

func TestRefusalsSayMoreThanNo(t *testing.T) {
	t.Parallel()
	said, err := readRefusals()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range slices.Sorted(maps.Keys(said)) {
		if !wayOut.MatchString(form) {
			t.Logf("%s: %q says what is wrong and no way out", said[form].place, form)
		}
	}
}

func TestRefusalsAreSaidInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	word := func(code any) design.Text {
		if code == concert.ItemApproved {
			return "Approved"
		}
		return ""
	}
	e := concert.Refuse(concert.Conflict, "item.move", "", "item %s is %s and cannot %s: see docs/states.md", "IT-1", concert.ItemApproved, concert.MoveRefer)
	for code, want := range map[string]string{
		"en": "Item IT-1 is approved and cannot refer: see docs/states.md",
	} {
		l, _ := design.LanguageOf(code)
		if got := design.Refusal(design.WithReader(t.Context(), design.Reader{Language: l}), e, word); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
}
