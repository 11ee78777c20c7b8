package design_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	templ "github.com/a-h/templ/parser/v2"
	"golang.org/x/tools/go/packages"

	"concert"
	"concert/internal/accesslog"
	"concert/internal/design"
)

// texts are what the pages say.
type texts struct {
	keys  map[string]string // every constant of type design.Text, and one place where it stands
	shown []string          // places that show a Text without asking for its translation
}

// asString are files that may make a plain string of a Text: the catalogue itself.
var asString = map[string]bool{"catalogue.go": true}

// root is the repository, from here.
const root = "../.."

// spoken are the packages whose constants of type design.Text people read.
var spoken = []string{"./internal/design", "./internal/webui"}

// house is every package of the repository, read once.
var house = sync.OnceValues(func() ([]*packages.Package, error) {
	mode := packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedExportFile
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root}, "./...")
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
	}
	return loaded, err
})

// speakers are the packages whose texts people read.
func speakers() ([]*packages.Package, error) {
	all, err := house()
	return slices.DeleteFunc(slices.Clone(all), func(p *packages.Package) bool {
		return !slices.Contains(spoken, "."+strings.TrimPrefix(p.PkgPath, "concert"))
	}), err
}

var readTexts = sync.OnceValues(func() (texts, error) {
	out := texts{keys: map[string]string{}}
	loaded, err := speakers()
	if err != nil {
		return out, err
	}
	for _, p := range loaded {
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				at := p.Fset.Position(e.Pos())
				place := fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
				if v := p.TypesInfo.Types[e]; isText(v.Type) && v.Value != nil && constant.StringVal(v.Value) != "" {
					out.keys[constant.StringVal(v.Value)] = place
				}
				if c, ok := e.(*ast.CallExpr); ok && showsText(p.TypesInfo, c) && !asString[filepath.Base(at.Filename)] {
					out.shown = append(out.shown, place)
				}
				return true
			})
		}
	}
	for place, text := range definitions() {
		out.keys[text] = place
	}
	if err := reportTexts(out.keys); err != nil {
		return out, err
	}
	return out, guardReasons(out.keys)
})

// definitions are what each number counts, by the number, and why a rule refuses a request or a lead, by its code: the root package says
// it and pages show it.
func definitions() map[string]string {
	out := map[string]string{}
	for _, of := range []map[concert.Metric]string{concert.MetricDefinitions, concert.DerivedDefinitions, concert.OfficerDefinitions} {
		for m, text := range of {
			out[string(m)] = text
		}
	}
	for _, code := range []string{concert.ReidentifyBySelection, concert.ReidentifyTooMany, concert.ReidentifyOnViews, concert.ReidentifyVisitor} {
		out[code] = concert.ReidentifyNever(code)
	}
	for _, code := range []string{concert.LeadMilitary, concert.LeadIncompetent, concert.LeadThirdCountry, concert.LeadInadequate, concert.LeadUnchecked, concert.LeadHandling, concert.LeadVisitors, concert.LeadTwice} {
		out[code] = concert.LeadRefusal(code)
	}
	for _, code := range concert.AnalysisCodes {
		out[code] = concert.AnalysisFailure(code)
	}
	for name, text := range accesslog.Definitions() {
		out["definition of "+name] = text
	}
	for i, text := range accesslog.Caveats() {
		out[fmt.Sprintf("caveat %d", i)] = text
	}
	for _, t := range (concert.ReportFacts{}).Tables(func(id string) string { return id }) {
		if i := slices.Index(t.Columns, "definition"); i >= 0 {
			for _, row := range t.Rows {
				out[t.Name+" "+row[0]] = row[i]
			}
		}
	}
	return out
}

// reportTexts adds what package formats says through a formats.Say: reports that pages show as well.
func reportTexts(keys map[string]string) error {
	all, err := house()
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.PkgPath != "concert/internal/formats" {
			continue
		}
		for _, file := range p.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				c, ok := n.(*ast.CallExpr)
				if !ok || len(c.Args) == 0 {
					return true
				}
				if t := p.TypesInfo.Types[c.Fun].Type; t == nil || t.String() != "concert/internal/formats.Say" {
					return true
				}
				if v := p.TypesInfo.Types[c.Args[0]].Value; v != nil {
					at := p.Fset.Position(c.Pos())
					keys[constant.StringVal(v)] = fmt.Sprintf("%s:%d", filepath.Base(at.Filename), at.Line)
				}
				return true
			})
		}
	}
	return nil
}

// guardReasons adds why the guard stops or raises an item: pages show that sentence as it stands in the rules of package match.
func guardReasons(keys map[string]string) error {
	files, err := filepath.Glob(filepath.Join(root, "internal", "match", "rules", "*.json"))
	if err != nil {
		return err
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range regexp.MustCompile(`(?i)"reason":\s*("(?:[^"\\]|\\.)*")`).FindAllSubmatch(raw, -1) {
			var reason string
			if err := json.Unmarshal(m[1], &reason); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			keys[reason] = filepath.Base(name)
		}
	}
	all, err := house()
	if err != nil {
		return err
	}
	for _, p := range all {
		for _, file := range p.Syntax {
			if at := p.Fset.Position(file.Pos()).Filename; p.PkgPath != "concert/internal/match" || filepath.Base(at) != "guard.go" {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if b, ok := n.(*ast.BasicLit); ok {
					if v := p.TypesInfo.Types[b].Value; v != nil && v.Kind() == constant.String && strings.HasSuffix(constant.StringVal(v), ".") && strings.Contains(constant.StringVal(v), " ") {
						keys[constant.StringVal(v)] = "guard.go"
					}
				}
				return true
			})
		}
	}
	return nil
}

func isText(t types.Type) bool {
	n, ok := t.(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "concert/internal/design" && n.Obj().Name() == "Text"
}

// showsText reports whether the call writes a Text on the page, or makes a plain string of one, outside of package design.
func showsText(info *types.Info, c *ast.CallExpr) bool {
	if len(c.Args) == 0 || !isText(info.Types[c.Args[0]].Type) {
		return false
	}
	if s, ok := c.Fun.(*ast.SelectorExpr); ok {
		return s.Sel.Name == "JoinStringErrs"
	}
	id, ok := c.Fun.(*ast.Ident)
	return ok && id.Name == "string"
}

func TestEveryTextIsTranslated(t *testing.T) {
	t.Parallel()
	said, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	if err := design.CheckCatalogues(); err != nil {
		t.Fatal(err)
	}
	refused, err := readRefusals()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range design.Languages()[1:] {
		have, err := design.Translated(l.Code)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, k := range have {
			known[string(k)] = true
			if said.keys[string(k)] == "" && refused[string(k)].form == "" {
				t.Errorf("words/%s translates %q, which no page says any more: take it out", l.Code, k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(said.keys)) {
			if !known[k] {
				t.Errorf("%s: %q has no translation in words/%s", said.keys[k], k, l.Code)
			}
		}
	}
}

func TestNoTextIsShownUntranslated(t *testing.T) {
	t.Parallel()
	said, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range said.shown {
		t.Errorf("%s shows a design.Text as it is: say(ctx, …) it", place)
	}
}

var verb = regexp.MustCompile(`%(\[\d+\])?[+#0-9.\- ]*[a-zA-Z%]`)

// verbs are a format's verbs, each once, by the number of the argument that they take.
func verbs(s string) []string {
	var out []string
	next := 1
	for _, v := range verb.FindAllStringSubmatch(s, -1) {
		if v[0] == "%%" {
			continue
		}
		index := v[1]
		if index == "" {
			index = fmt.Sprintf("[%d]", next)
		}
		_, _ = fmt.Sscanf(index, "[%d]", &next)
		next++
		out = append(out, strings.TrimPrefix(v[0], "%"+v[1])+index)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A verb that goes missing in a translation, or one too many, would show on the page.
func TestTranslationsTakeWhatTheirTextTakes(t *testing.T) {
	t.Parallel()
	for _, l := range design.Languages()[1:] {
		files, err := filepath.Glob(filepath.Join("words", l.Code, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var page map[string]any
			if err := json.Unmarshal(raw, &page); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for key, value := range page {
				switch said := value.(type) {
				case string:
					if strings.TrimSpace(said) == "" {
						t.Errorf("%s: %q is translated by nothing", name, key)
					}
					if !slices.Equal(verbs(key), verbs(said)) {
						t.Errorf("%s: %q takes %v, its translation %q takes %v", name, key, verbs(key), said, verbs(said))
					}
				case map[string]any:
					if said["other"] == nil {
						t.Errorf("%s: %q has no form \"other\"", name, key)
					}
				default:
					t.Errorf("%s: %q is neither a text nor its plural forms", name, key)
				}
			}
		}
	}
}

// heard are the attributes that somebody reads or hears.
var heard = []string{"aria-label", "title", "placeholder", "alt", "label", "aria-roledescription"}

// Words stand on a page through the catalogue only; code and names of keys are the same in every language.
func TestPagesSpeakThroughTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, folder := range spoken {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.templ"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			file, err := templ.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range file.Nodes {
				if h, ok := n.(*templ.HTMLTemplate); ok {
					speechless(t, name, h.Children)
				}
			}
		}
	}
}

// untranslatable are words that are the same everywhere.
var untranslatable = []string{"Concert", "· Concert", "· SHA-256", "SHA-256", "UTC", "CSV", "JSON", "XARF", "PDF", "EXERCISE"}

func speechless(t *testing.T, name string, nodes []templ.Node) {
	t.Helper()
	for _, n := range nodes {
		switch n := n.(type) {
		case *templ.Text:
			if s := strings.TrimSpace(n.Value); strings.ContainsFunc(s, unicode.IsLetter) && !slices.Contains(untranslatable, s) {
				t.Errorf("%s:%d: %q stands on the page as it is: say(ctx, …) it", name, n.Range.From.Line+1, s)
			}
		case *templ.Element:
			for _, a := range n.Attributes {
				if c, ok := a.(*templ.ConstantAttribute); ok && slices.Contains(heard, c.Key.String()) && strings.ContainsFunc(c.Value, unicode.IsLetter) {
					t.Errorf("%s:%d: %s=%q is read or heard as it is: say(ctx, …) it", name, n.Range.From.Line+1, c.Key.String(), c.Value)
				}
			}
			if !slices.Contains([]string{"code", "kbd", "pre"}, n.Name) {
				speechless(t, name, n.Children)
			}
		case templ.CompositeNode:
			speechless(t, name, n.ChildNodes())
		}
	}
}
