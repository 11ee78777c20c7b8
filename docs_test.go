package concert_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// requiredSafeguards are those of G01-G38 that stand in the code today; each has a test whose name carries its number.
var requiredSafeguards = []string{
	"G01", "G02", "G03", "G04", "G05", "G06", "G07", "G08", "G09", "G10", "G11", "G12", "G13", "G14", "G15", "G16", "G17", "G19", "G20", "G21", "G22", "G23", "G24", "G25", "G26", "G27", "G28", "G29", "G30", "G31", "G32", "G34", "G35", "G37", "G38",
}

// strangers are words of the place where a text was written. They are put together here so that this file holds none of them.
var strangers = []string{"/" + "work/main", "/" + "work/shared", "/" + "work/brief", "farm" + "-", "helper " + "agent"}

func TestEveryPackageIsExplained(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	comments, inHouse := map[string]string{}, map[string]string{}
	for _, s := range repo.sources {
		if !s.test {
			inHouse[s.folder] = s.syntax.Name.Name
		}
		if s.syntax.Doc != nil && !s.generated && comments[s.folder] == "" {
			comments[s.folder] = s.syntax.Doc.Text()
		}
	}
	for _, folder := range repo.folders() {
		text := strings.TrimSpace(comments[folder])
		start := "Package " + inHouse[folder]
		if inHouse[folder] == "main" {
			start = "Command " + path.Base(folder)
		}
		switch {
		case text == "":
			t.Errorf("package %s has no comment: say in doc.go what it is, what it is not, and its one invariant", folder)
		case inHouse[folder] != "" && !strings.HasPrefix(text, start+" "):
			t.Errorf("the comment of package %s starts %.40q: start it with %q, as go doc expects", folder, text, start)
		}
	}
}

func TestEveryExportedNameIsExplained(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	for _, s := range repo.written() {
		if s.test {
			continue
		}
		for _, decl := range s.syntax.Decls {
			for _, name := range unexplained(decl) {
				t.Errorf("%s: %s has no comment: say what it is, its units, its errors and where the rule comes from", repo.at(decl), name)
			}
		}
	}
}

// unexplained lists exported names of a declaration without a comment of their own or of their group.
func unexplained(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		base := receiver(d)
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(base)) {
			return []string{functionName(d)}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				// A comment above a group of types explains the group, not each type.
				if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && (d.Doc == nil || d.Lparen.IsValid()) {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, d.Tok.String()+" "+name.Name)
					}
				}
			}
		}
		return names
	}
	return nil
}

func TestCommentRuleSeesWhatIsMissing(t *testing.T) {
	t.Parallel()
	fn := &ast.FuncDecl{Name: ast.NewIdent("Open"), Type: &ast.FuncType{}}
	constant := &ast.GenDecl{Tok: token.CONST, Specs: []ast.Spec{&ast.ValueSpec{Names: []*ast.Ident{ast.NewIdent("Limit")}}}}
	for _, decl := range []ast.Decl{fn, constant} {
		if len(unexplained(decl)) != 1 {
			t.Errorf("a bare %T passes", decl)
		}
	}
	fn.Doc, constant.Doc = &ast.CommentGroup{}, &ast.CommentGroup{}
	for _, decl := range []ast.Decl{fn, constant} {
		if len(unexplained(decl)) != 0 {
			t.Errorf("an explained %T is refused", decl)
		}
	}
}

// walkTexts calls fn for every text file of the repository that git would carry.
func walkTexts(t *testing.T, fn func(name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != ".ci" && p != ".github" && skipFolder(p, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		// The tests of a package start tools of their own, whose files may vanish while this walk goes on.
		text, err := os.ReadFile(p)
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if bytes.IndexByte(text[:min(len(text), 8000)], 0) < 0 {
			fn(filepath.ToSlash(p), text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRepositorySpeaksOnlyOfItself(t *testing.T) {
	t.Parallel()
	walkTexts(t, func(name string, text []byte) {
		lower := bytes.ToLower(text)
		for _, word := range strangers {
			if i := bytes.Index(lower, []byte(word)); i >= 0 {
				t.Errorf("%s:%d speaks of %q, which no reader elsewhere has: use a relative path or plain words",
					name, 1+bytes.Count(text[:i], []byte("\n")), word)
			}
		}
	})
}

var (
	fencedBlock   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	inlineCode    = regexp.MustCompile("`[^`\n]*`")
	inlineLink    = regexp.MustCompile(`\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)`)
	referenceLink = regexp.MustCompile(`(?m)^\[[^\]]+\]:\s+<?([^>\s]+)>?`)
)

func TestMarkdownLinksResolve(t *testing.T) {
	t.Parallel()
	walkTexts(t, func(name string, text []byte) {
		if path.Ext(name) != ".md" {
			return
		}
		text = inlineCode.ReplaceAll(fencedBlock.ReplaceAll(text, nil), []byte("``"))
		for _, pattern := range []*regexp.Regexp{inlineLink, referenceLink} {
			for _, m := range pattern.FindAllSubmatch(text, -1) {
				if err := resolve(name, string(m[1])); err != nil {
					t.Errorf("%s: link %s %v: correct the path, relative to this file", name, m[1], err)
				}
			}
		}
	})
}

func resolve(from, link string) error {
	u, err := url.Parse(link)
	if err != nil {
		return fmt.Errorf("is no address (%w)", err)
	}
	if u.Scheme != "" || u.Host != "" || u.Path == "" {
		return nil
	}
	target := path.Join(path.Dir(from), u.Path)
	if !filepath.IsLocal(target) || path.IsAbs(u.Path) {
		return fmt.Errorf("leaves the repository")
	}
	if _, err := os.Stat(filepath.FromSlash(target)); err != nil {
		return fmt.Errorf("leads to %s, which is not there", target)
	}
	return nil
}

// Inside the README a package may be named in full or, as in a drawing of the floors, by its last element.
func TestReadmeNamesEveryPackage(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatalf("the README is the first screen of the house: %v", err)
	}
	present := openRepository(t).folders()
	for _, folder := range slices.Sorted(maps.Keys(floors)) {
		if folder == "." || !slices.Contains(present, folder) {
			continue
		}
		named := regexp.MustCompile(`(?m)(^|[^\w-])` + regexp.QuoteMeta(path.Base(folder)) + `($|[^\w-])`)
		if !named.Match(readme) {
			t.Errorf("README.md does not name package %s: say in its plan of the house what lives there", folder)
		}
	}
}

func TestEverySafeguardHasATest(t *testing.T) {
	t.Parallel()
	numbers := regexp.MustCompile(`G\d\d`)
	tested := map[string]bool{}
	for _, s := range openRepository(t).sources {
		if !s.test {
			continue
		}
		for _, decl := range s.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				for _, number := range numbers.FindAllString(fn.Name.Name, -1) {
					tested[number] = true
				}
			}
		}
	}
	for _, number := range requiredSafeguards {
		if !tested[number] {
			t.Errorf("safeguard %s has no test: write one named for the claim, func Test%s..., and see it fail once without its rule",
				number, number)
		}
	}
}
