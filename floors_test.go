package concert_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// floors places every package of the house (folder, "." for the root). Imports go strictly down. A package inside another's
// folder on the same floor is that package's own room: nobody else may enter.
var floors = map[string]int{
	"cmd/concert": 6,

	"duckdb/concert-sql": 6,
	"duckdb":             3,

	"internal/apiserver": 5,
	"internal/webui":     5,

	"internal/casework": 4,
	"internal/exercise": 4,

	"internal/store":            3,
	"internal/store/migrations": 3,
	"internal/httpkit":          3,
	"internal/lake/shards":      3, // speaks of a lake: it stands on it, and is no room of it

	"api":               2,
	"order":             2,
	"law":               2, // data, but it speaks the root's words: terms for its clock, redress for its orders
	"internal/formats":  2,
	"internal/dispatch": 2,
	"internal/design":   2,
	"internal/lookup":   2,
	"internal/identity": 2,
	"internal/witness":  2,
	"internal/lake":     2,
	"internal/lead":     2,

	".":                      1,
	"pdq":                    1,
	"tlog":                   1,
	"internal/match":         1,
	"internal/accesslog":     1,
	"internal/vault":         1,
	"internal/vault/split":   1,
	"internal/graph":         1,
	"internal/match/hamming": 1,
	"internal/jpegluma":      1,

	"internal/vault/archive": 1,
	"internal/vault/bucket":  1,
	"internal/vault/ewf":     1,

	"internal/vault/filesystem": 1,
	"internal/vault/text":       1,

	"internal/match/language": 1,
	"internal/match/neartext": 1,
	"internal/match/vpdq":     1,

	"docs/formats/schema": 0,

	"internal/durable":  0,
	"internal/inflate":  0,
	"internal/sandbox":  0,
	"internal/netguard": 0,
	"internal/pinned":   0,
}

// testOnly lists folders whose packages exist for tests and measurements; no package of the house imports them.
var testOnly = []string{"internal/testkit", "e2e", "bench", "duckdb/bench-peer"}

// databaseModules are what only store may know; each stands for its packages too. DuckDB's driver speaks in words of
// database/sql, in a module of its own.
var databaseModules = []string{
	"database/sql",
	"modernc.org/sqlite",
	"github.com/jackc/pgx",
	"github.com/lib/pq",
	"github.com/pressly/goose",
	"github.com/riverqueue/river",
	"github.com/ClickHouse",
}

// engines ask other people's servers for rows that are no records of the house; each may import that driver and database/sql.
var engines = map[string]string{"internal/lake/shards": "github.com/ClickHouse"}

// doors never import store; what they need is an act or a query of casework.
var doors = []string{"internal/apiserver", "internal/webui"}

const (
	modulePath   = "concert"
	bucketFolder = "internal/vault/bucket"
)

// source is one Go file of the repository.
type source struct {
	path      string // slash-separated, from the root
	folder    string // "." for the root
	test      bool   // name ends in _test.go
	generated bool
	ordinary  bool // part of a build without special tags on this system
	lines     int
	syntax    *ast.File
}

type repository struct {
	files   *token.FileSet
	sources []source
}

var generatedMark = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

var readRepository = sync.OnceValues(func() (*repository, error) {
	repo := &repository{files: token.NewFileSet()}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipFolder(p, d.Name()) || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(repo.files, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ordinary, err := build.Default.MatchFile(filepath.Dir(p), d.Name())
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		repo.sources = append(repo.sources, source{
			path: p, folder: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), ordinary: ordinary, syntax: syntax,
			generated: strings.HasSuffix(p, "_templ.go") || generatedMark.Match(text),
			lines:     strings.Count(string(text), "\n"),
		})
		return nil
	})
	return repo, err
})

func skipFolder(p, name string) bool {
	return p != "." && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || p == "tmp")
}

func openRepository(t *testing.T) *repository {
	t.Helper()
	repo, err := readRepository()
	if err != nil {
		t.Fatalf("read the repository's Go files: %v", err)
	}
	return repo
}

// written returns the files people write, without generated ones.
func (r *repository) written() []source {
	return slices.DeleteFunc(slices.Clone(r.sources), func(s source) bool { return s.generated })
}

func (r *repository) folders() []string {
	var folders []string
	for _, s := range r.sources {
		folders = append(folders, s.folder)
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

func (r *repository) at(n ast.Node) string { return r.files.Position(n.Pos()).String() }

func isTestOnly(folder string) bool {
	return slices.ContainsFunc(testOnly, func(t string) bool { return within(folder, t) })
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

// ours turns an import path of this module into a folder.
func ours(importPath string) (folder string, ok bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

func roomOf(folder string) (owner string, ok bool) {
	for parent := path.Dir(folder); parent != "."; parent = path.Dir(parent) {
		if floor, known := floors[parent]; known && floor == floors[folder] {
			return parent, true
		}
	}
	return "", false
}

// breach says why a file may not import a package, or nothing.
func breach(s source, importPath string) string {
	free := isTestOnly(s.folder)
	if slices.ContainsFunc(databaseModules, func(m string) bool { return within(importPath, m) }) {
		if within(s.folder, "internal/store") || within(s.folder, "internal/testkit") || within(s.folder, "duckdb") {
			return ""
		}
		if driver, ok := engines[s.folder]; ok && (within(importPath, driver) || within(importPath, "database/sql")) {
			return ""
		}
		return "only internal/store speaks to databases: add a method there and call that"
	}
	if within(importPath, "github.com/minio/minio-go") && s.folder != bucketFolder {
		return "only " + bucketFolder + " speaks S3, and encrypts all that it writes: ask internal/vault for a place"
	}
	if importPath == "testing" && !s.test && !free {
		return "testing belongs in _test.go files and internal/testkit"
	}
	folder, isOurs := ours(importPath)
	if !isOurs || free || (s.test && (folder == s.folder || isTestOnly(folder))) {
		return ""
	}
	if isTestOnly(folder) {
		return "it is for tests only: move what is needed to a package of the house"
	}
	from, known := floors[s.folder]
	to, knownTo := floors[folder]
	if !known || !knownTo {
		return "one of the two has no floor: give it a line in floors (floors_test.go)"
	}
	if owner, ok := roomOf(folder); ok {
		if owner == s.folder {
			return ""
		}
		return "it is a room of " + owner + ": ask that package"
	}
	switch {
	case !s.test && slices.ContainsFunc(doors, func(d string) bool { return within(s.folder, d) }) && folder == "internal/store":
		return "doors never import store: call an act or a query of internal/casework"
	case !s.test && s.folder == "internal/exercise" && folder != "api" && folder != "." && folder != "order":
		return "the simulated world knows only the API, the root's words, and what its providers check orders with: speak HTTP through api"
	case s.folder == "internal/dispatch" && folder == "api":
		return "payloads that leave are types of the root"
	case to >= from && from == 1:
		return "engines and words on floor 1 know neither each other nor a case: pass plain values in"
	case to >= from:
		return fmt.Sprintf("it stands on floor %d, the importer on floor %d, and imports go strictly down: move the shared part "+
			"below both, or pass it in (a test of several floors belongs in e2e)", to, from)
	}
	return ""
}

func TestImportsGoStrictlyDown(t *testing.T) {
	t.Parallel()
	repo := openRepository(t)
	for _, s := range repo.sources {
		if !s.ordinary {
			continue
		}
		for _, spec := range s.syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := breach(s, imported); why != "" {
				t.Errorf("%s: %s imports %s: %s", repo.at(spec), s.folder, imported, why)
			}
		}
	}
}

func TestEveryPackageHasAFloor(t *testing.T) {
	t.Parallel()
	for _, folder := range openRepository(t).folders() {
		if _, ok := floors[folder]; !ok && !isTestOnly(folder) {
			t.Errorf("package %s has no floor: give it a line in floors (floors_test.go) and a reason in its package comment, "+
				"or put its files into a package that exists", folder)
		}
	}
}

// The house may well hold no breach today; these show that each rule would be seen.
func TestFloorRulesSeeABreach(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, imported string
		test, wrong    bool
	}{
		{"internal/casework", "concert/internal/store", false, false},
		{"internal/store", "concert/internal/casework", false, true},
		{"internal/store", "concert/internal/store/migrations", false, false},
		{"internal/casework", "concert/internal/store/migrations", false, true},
		{"internal/webui", "concert/internal/store", false, true},
		{"internal/webui", "concert/internal/store", true, false},
		{"internal/webui", "concert/internal/apiserver", false, true},
		{"internal/casework", "database/sql", false, true},
		{"internal/casework", "database/sql", true, true},
		{"internal/casework", "github.com/riverqueue/river/rivertype", false, true},
		{"internal/lake/shards", "database/sql/driver", false, false},
		{"internal/lake/shards", "github.com/ClickHouse/clickhouse-go/v2", false, false},
		{"internal/lake/shards", "github.com/jackc/pgx/v5", false, true},
		{"internal/lake", "github.com/ClickHouse/clickhouse-go/v2", false, true},
		{"internal/store", "github.com/jackc/pgx/v5/stdlib", false, false},
		{"internal/testkit", "github.com/jackc/pgx/v5", false, false},
		{"internal/exercise", "concert/api", false, false},
		{"internal/exercise", "concert/internal/match", false, true},
		{"internal/match", "concert", false, true},
		{"internal/match", "concert/pdq", false, true},
		{"internal/dispatch", "concert/api", false, true},
		{"internal/store", "concert/internal/testkit", false, true},
		{"internal/store", "concert/internal/testkit", true, false},
		{"internal/store", "testing", false, true},
		{"internal/store", "testing/synctest", true, false},
		{"e2e", "concert/cmd/concert", false, false},
		{"internal/unheard", "concert/api", false, true},
		{"cmd/concert", "concert/internal/store", false, false},
		{".", "concert/law", false, true},
		{"internal/vault", "github.com/minio/minio-go/v7", false, true},
		{"internal/vault/bucket", "github.com/minio/minio-go/v7/pkg/credentials", false, false},
		{"cmd/concert", "concert/internal/vault/bucket", false, true},
	} {
		why := breach(source{folder: c.from, test: c.test}, c.imported)
		if (why != "") != c.wrong {
			t.Errorf("%s importing %s (test file: %v): got %q, want a breach: %v", c.from, c.imported, c.test, why, c.wrong)
		}
	}
}
