package concert_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	maxFunctionLines      = 150
	maxPlainFunctionLines = 100
	maxFileLines          = 800
	maxInterfaces         = 12
	maxInterfaceMethods   = 5
)

// longFunctions may pass 100 lines, never 150: folder, dot, name (Type.Method for methods), and why it reads better in one piece.
var longFunctions = map[string]string{}

// packageVariables may be what TestNoMutablePackageVariables refuses: folder, dot, name, and why nobody can be hurt by it.
var packageVariables = map[string]string{
	"internal/match.urlParser": "the WHATWG parser holds options only, set by NewParser",
}

var forbiddenPackageNames = []string{"util", "utils", "common", "helper", "helpers", "base", "core", "types", "manager"}

// constructors return values that are never changed after, so their results may stand in package variables, as may those of any
// function whose name starts with Must.
var constructors = []string{
	"errors.New", "fmt.Errorf", "sync.OnceFunc", "sync.OnceValue", "sync.OnceValues", "strings.NewReplacer", "time.Date",
	"template.New", "netip.PrefixFrom", "netip.AddrFrom4", "netip.AddrFrom16", "language.Make", "big.NewInt", "unique.Make",
	"base32.NewEncoding", "base64.NewEncoding", "crc32.MakeTable", "crc64.MakeTable", "runes.In", "reflect.TypeFor", "reflect.TypeOf",
	"version.Must",
}

func TestFunctionsStayShort(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	used := map[string]bool{}
	for _, s := range repo.written() {
		for _, decl := range s.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := repo.files.Position(fn.End()).Line - repo.files.Position(fn.Pos()).Line + 1
			name := s.folder + "." + functionName(fn)
			if lines > maxPlainFunctionLines && longFunctions[name] != "" {
				used[name] = true
			} else if lines > maxPlainFunctionLines {
				t.Errorf("%s: %s has %d lines, more than %d: split it by step, or name it with a reason in longFunctions (shape_test.go)",
					repo.at(fn), name, lines, maxPlainFunctionLines)
			}
			if lines > maxFunctionLines {
				t.Errorf("%s: %s has %d lines, more than %d, which no reason allows: split it by step", repo.at(fn), name, lines, maxFunctionLines)
			}
		}
	}
	for name := range longFunctions {
		if !used[name] {
			t.Errorf("longFunctions names %s, which is short or gone: remove the line", name)
		}
	}
}

func functionName(fn *ast.FuncDecl) string {
	if base := receiver(fn); base != "" {
		return base + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// receiver returns the name of the type a method belongs to; empty for a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	expr := fn.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

func TestFilesStayShort(t *testing.T) {
	t.Parallel()
	for _, s := range openRepository(t).written() {
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: split it by noun", s.path, s.lines, maxFileLines)
		}
	}
}

func TestInterfacesAreFewAndSmall(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	var found []string
	for _, s := range repo.written() {
		if s.test || isTestOnly(s.folder) {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			iface, ok := spec.Type.(*ast.InterfaceType)
			if !ok || isConstraint(iface) {
				return true
			}
			found = append(found, s.folder+"."+spec.Name.Name)
			if n := repo.methods(s.folder, iface); n > maxInterfaceMethods {
				t.Errorf("%s: interface %s has %d methods, more than %d (an embedded interface of another package counts as six: write its "+
					"methods out): split it by who calls what, or use the concrete type", repo.at(spec), spec.Name.Name, n, maxInterfaceMethods)
			}
			return true
		})
	}
	if len(found) > maxInterfaces {
		t.Errorf("%d interfaces, more than %d: an interface needs two real implementations; use a concrete type or a function value "+
			"for one of\n\t%s", len(found), maxInterfaces, strings.Join(found, "\n\t"))
	}
}

// isConstraint reports whether the interface lists types, so that no value can have it.
func isConstraint(iface *ast.InterfaceType) bool {
	for _, f := range iface.Methods.List {
		switch e := f.Type.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr:
			return true
		case *ast.Ident:
			if obj := types.Universe.Lookup(e.Name); obj != nil && e.Name != "error" {
				return true
			}
		}
	}
	return false
}

func (r *repository) methods(folder string, iface *ast.InterfaceType) int {
	n := 0
	for _, f := range iface.Methods.List {
		if len(f.Names) > 0 {
			n += len(f.Names)
			continue
		}
		ident, local := f.Type.(*ast.Ident)
		if local && ident.Name == "error" {
			n++
		} else if embedded := r.localInterface(folder, ident); embedded != nil {
			n += r.methods(folder, embedded)
		} else {
			n += maxInterfaceMethods + 1
		}
	}
	return n
}

func (r *repository) localInterface(folder string, name *ast.Ident) *ast.InterfaceType {
	if name == nil {
		return nil
	}
	for _, s := range r.sources {
		if s.folder != folder {
			continue
		}
		for _, decl := range s.syntax.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range gen.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name == name.Name {
					iface, _ := ts.Type.(*ast.InterfaceType)
					return iface
				}
			}
		}
	}
	return nil
}

func TestNoInitFunctions(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	for _, s := range repo.written() {
		for _, decl := range s.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: func init runs before anyone can say no: build the value in a constructor, or with sync.OnceValue", repo.at(fn))
			}
		}
	}
}

func TestNoContextInStructs(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	for _, s := range repo.written() {
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			st, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range st.Fields.List {
				if isSelector(f.Type, "context", "Context") {
					t.Errorf("%s: a struct holds a context.Context, which outlives its request there: pass it as the first argument", repo.at(f))
				}
			}
			return true
		})
	}
}

// In a synctest bubble time.Sleep costs nothing and is exact; anywhere else it is a guess about the machine.
func TestTestsDoNotSleep(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	for _, s := range repo.written() {
		if !s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if isSelector(call.Fun, "synctest", "Test") {
				return false
			}
			if isSelector(call.Fun, "time", "Sleep") {
				t.Errorf("%s: time.Sleep in a test: wait for a channel, or write the claim inside synctest.Test", repo.at(call))
			}
			return true
		})
	}
}

func isSelector(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

func TestPackageNamesSayWhatIsInside(t *testing.T) {
	t.Parallel()
	for _, s := range openRepository(t).sources {
		for _, name := range []string{path.Base(s.folder), strings.TrimSuffix(s.syntax.Name.Name, "_test")} {
			if slices.Contains(forbiddenPackageNames, name) {
				t.Errorf("%s: package %s says nothing about what is inside: name it for the one thing it holds", s.path, name)
			}
		}
	}
}

func TestNoMutablePackageVariables(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	var excused []string
	for _, folder := range repo.folders() {
		if isTestOnly(folder) {
			continue
		}
		for _, v := range repo.mutableVariables(folder) {
			name := folder + "." + v.name
			if packageVariables[name] != "" {
				excused = append(excused, name)
				continue
			}
			t.Errorf("%s: package variable %s %s: make it a const, a local or a field; a state that everyone shares belongs to "+
				"whoever is opened with New or Open (or name it with a reason in packageVariables, shape_test.go)", v.where, name, v.why)
		}
	}
	for name := range packageVariables {
		if !slices.Contains(excused, name) {
			t.Errorf("packageVariables names %s, which is fine by itself or gone: remove the line", name)
		}
	}
}

type variable struct{ name, where, why string }

// mutableVariables type-checks one folder without its imports (their names stay unknown, which the checker bears) and lists the
// package variables that start as something changeable or are changed anywhere in the package.
func (r *repository) mutableVariables(folder string) []variable {
	var parsed []*ast.File
	declared := map[types.Object]*ast.ValueSpec{}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	for _, s := range r.sources {
		if s.folder == folder && s.ordinary && !strings.HasSuffix(s.syntax.Name.Name, "_test") {
			parsed = append(parsed, s.syntax)
		}
	}
	conf := types.Config{Importer: noImports{}, Error: func(error) {}, FakeImportC: true}
	conf.Check(folder, r.files, parsed, info) // its error is the missing imports
	found := map[string]variable{}
	note := func(name *ast.Ident, why string) {
		if _, ok := found[name.Name]; !ok {
			found[name.Name] = variable{name.Name, r.at(name), why}
		}
	}
	for _, s := range r.written() {
		if s.folder != folder || s.test || !s.ordinary {
			continue
		}
		for _, decl := range s.syntax.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				v := spec.(*ast.ValueSpec)
				embedded := isEmbedded(gen.Doc) || isEmbedded(v.Doc)
				for i, name := range v.Names {
					if name.Name == "_" {
						continue
					}
					declared[info.Defs[name]] = v
					if len(v.Values) != len(v.Names) {
						if !embedded && len(v.Values) == 0 {
							note(name, "starts empty, so something must fill it later")
						}
					} else if why := changeable(v.Values[i], info); why != "" {
						note(name, why)
					}
				}
			}
		}
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			for _, target := range targets(n) {
				root := rootIdent(target)
				if root == nil {
					continue
				}
				if obj := info.Uses[root]; obj != nil && declared[obj] != nil {
					note(root, "is changed, or its address taken so that it could be")
				}
			}
			return true
		})
	}
	return slices.SortedFunc(maps.Values(found), func(a, b variable) int { return strings.Compare(a.name, b.name) })
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not loaded") }

func isEmbedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

var lockers = regexp.MustCompile(`^(sync|atomic)\.`)

// changeable says why an initial value may change by itself, or nothing.
func changeable(e ast.Expr, info *types.Info) string {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if e.Op == token.AND {
			return changeable(e.X, info)
		}
		if e.Op == token.ARROW {
			return "is received from a channel"
		}
	case *ast.CompositeLit:
		if e.Type != nil && lockers.MatchString(types.ExprString(e.Type)) {
			return "is made to be changed"
		}
	case *ast.CallExpr:
		name := types.ExprString(e.Fun)
		last := name[strings.LastIndex(name, ".")+1:]
		if strings.HasPrefix(last, "Must") || slices.Contains(constructors, strings.TrimSuffix(name, last)+last) {
			return ""
		}
		// A generic constructor carries its type arguments: language.Make, unique.Make[string], reflect.TypeFor[Item].
		if i := strings.IndexByte(name, '['); i > 0 && slices.Contains(constructors, name[:i]) {
			return ""
		}
		if sel, ok := e.Fun.(*ast.SelectorExpr); ok && isMethodOfKept(sel) {
			return ""
		}
		tv := info.Types[e]
		if tv.Type == nil || tv.Type == types.Typ[types.Invalid] {
			return "comes from " + name + ", which may return something changeable"
		}
		kept := tv.Type.Underlying()
		if pointer, ok := kept.(*types.Pointer); ok {
			if array, ok := pointer.Elem().Underlying().(*types.Array); ok {
				kept = array
			}
		}
		switch kept.(type) {
		case *types.Basic, *types.Slice, *types.Map, *types.Array, *types.Signature:
			return ""
		default:
			return "comes from " + name + ", which may return something changeable"
		}
	}
	return ""
}

// isMethodOfKept allows chains on a kept value, such as base64.URLEncoding.WithPadding(...).
func isMethodOfKept(sel *ast.SelectorExpr) bool {
	return slices.Contains([]string{"WithPadding", "Strict", "Funcs"}, sel.Sel.Name)
}

// targets lists what a node changes, or hands out for change.
func targets(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.UnaryExpr:
		if _, literal := ast.Unparen(n.X).(*ast.CompositeLit); n.Op == token.AND && !literal {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && slices.Contains([]string{"delete", "clear", "copy"}, f.Name) && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// The house may well hold no breach today; these show that the variable rule would see one, and lets the rest be.
func TestVariableRuleSeesChange(t *testing.T) {
	t.Parallel()
	const text = `package sample
import ("errors"; "regexp"; "sync"; "embed"; "strings")
var (
	errGone = errors.New("gone")
	pattern = regexp.MustCompile("x")
	once = sync.OnceValue(func() int { return 1 })
	table = map[string]int{"a": 1}
	bits = build()
	Sentinel = &Error{Code: "x"}
	_ Reader = file{}
)
//go:embed data
var data embed.FS
var (
	badEmpty map[string]int
	badElement = map[string]int{}
	badCount = 0
	badLock = sync.Mutex{}
	badPool = &sync.Pool{}
	badCall = strings.NewReader("x")
	badPointer int
	badDeleted = map[string]int{}
	badAppended = []int{1}
)
type Error struct{ Code string }
type Reader interface{ Read() }
type file struct{}
func (file) Read() {}
func build() (b [256]bool) { b[1] = true; return b }
func change(p *int) { badElement["x"] = 1; badCount++; change(&badPointer); delete(badDeleted, "x"); badAppended = append(badAppended, 1) }
func shadow() { table := map[string]int{}; table["b"] = 2; bits := 1; bits++ }
`
	repo := &repository{files: token.NewFileSet()}
	syntax, err := parser.ParseFile(repo.files, "sample.go", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	repo.sources = []source{{path: "sample/sample.go", folder: "sample", ordinary: true, syntax: syntax}}
	var got []string
	for _, v := range repo.mutableVariables("sample") {
		got = append(got, v.name)
	}
	want := []string{"badAppended", "badCall", "badCount", "badDeleted", "badElement", "badEmpty", "badLock", "badPointer", "badPool"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("variables refused (-want +got):\n%s", diff)
	}
}
