package apiserver_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"concert/internal/apiserver"
	"concert/internal/casework"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	repository = "../.."
	golden     = repository + "/api/openapi.json"
)

// description is as much of OpenAPI as the tests read.
type description struct {
	OpenAPI string                          `json:"openapi"`
	Paths   map[string]map[string]operation `json:"paths"`
}

type operation struct {
	ID      string `json:"operationId"`
	Summary string `json:"summary"`
}

// openAPI is the description, for which nothing need be there to describe.
func openAPI(t *testing.T) (description, []byte) {
	t.Helper()
	server := apiserver.New(&casework.Service{}, slog.New(slog.DiscardHandler))
	server.Register(http.NewServeMux())
	raw := must(server.OpenAPI())(t)
	var out description
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	return out, pretty.Bytes()
}

func TestTheDescriptionIsTheOneInTheRepository(t *testing.T) {
	t.Parallel()
	_, got := openAPI(t)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v: write it with: go test ./internal/apiserver -run Description -update", err)
	}
	if !bytes.Equal(got, want) {
		t.Error("api/openapi.json is not what the server says: look at the change, then go test ./internal/apiserver -run Description -update")
	}
}

func TestEveryOperationIsNamedAndAnswers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	spec, _ := openAPI(t)
	if !strings.HasPrefix(spec.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q, want 3.1", spec.OpenAPI)
	}
	served := d.raw(t, nil, "GET", "/api/openapi.json", "")
	if served.status != 200 || !json.Valid([]byte(served.body)) {
		t.Errorf("/api/openapi.json: %d", served.status)
	}
	ids := map[string]string{}
	for path, ops := range spec.Paths {
		for method, op := range ops {
			where := method + " " + path
			if op.ID == "" || op.Summary == "" {
				t.Errorf("%s has operationId %q and summary %q", where, op.ID, op.Summary)
			}
			if ids[op.ID] != "" {
				t.Errorf("%s and %s share the operationId %s", where, ids[op.ID], op.ID)
			}
			ids[op.ID] = where
			// Nobody asks, so that nothing is found or done: what counts is that the door knows the way.
			a := d.raw(t, nil, strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "none"), "")
			if a.status == 404 || a.status == 405 {
				t.Errorf("%s answers %d", where, a.status)
			}
		}
	}
	if len(ids) < 30 {
		t.Errorf("%d operations are described", len(ids))
	}
}

func TestG01NoOperationTurnsAReferralIntoAnOrder(t *testing.T) {
	t.Parallel()
	spec, text := openAPI(t)
	var ways []string
	for path, ops := range spec.Paths {
		if strings.Contains(path, "/referrals/") {
			for method := range ops {
				ways = append(ways, method+" "+path)
			}
		}
	}
	slices.Sort(ways)
	want := []string{"get /api/v1/referrals/{id}", "get /api/v1/referrals/{id}/messages", "get /api/v1/referrals/{id}/questions", "post /api/v1/referrals/{id}/acknowledge", "post /api/v1/referrals/{id}/answers", "post /api/v1/referrals/{id}/questions", "post /api/v1/referrals/{id}/revoke-links"}
	if !slices.Equal(ways, want) {
		t.Errorf("what can be done with a referral: %v, want %v", ways, want)
	}
	var described struct {
		Paths map[string]map[string]struct {
			Tags []string `json:"tags"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &described); err != nil {
		t.Fatal(err)
	}
	binding := regexp.MustCompile(`(?i)\b(removal[ -]orders?|escalat\w*|enforce\w*|penalt\w*|compel\w*|binding|mandatory)\b`)
	for path, ops := range described.Paths {
		for method, op := range ops {
			if slices.Contains(op.Tags, "orders") && strings.Contains(path, "referral") {
				t.Errorf("%s %s is both: a referral is voluntary and no path leads from it to an order", method, path)
			}
		}
	}
	for name, schema := range described.Components.Schemas {
		if found := binding.FindAll(schema, -1); found != nil && strings.Contains(name, "Referral") {
			t.Errorf("%s speaks of %q: a referral is voluntary", name, found)
		}
		if strings.Contains(name, "Order") && regexp.MustCompile(`(?i)"referrals?"`).Match(schema) {
			t.Errorf("%s has a referral in it: an order is made of items, and of no referral", name)
		}
	}
}

// codesInCode are the literals that become problem codes.
func codesInCode(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	form := regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)
	err := filepath.WalkDir(repository, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		note := func(e ast.Expr, prefix string) {
			if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && s != "" && !strings.HasSuffix(s, ".") {
					codes[prefix+s] = p
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch name := called(n); {
				case name == "Refuse" && len(n.Args) > 1:
					note(n.Args[1], "")
				case name == "refuse" && file.Name.Name == "match" && len(n.Args) > 0:
					note(n.Args[0], "location.")
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if strings.HasPrefix(name.Name, "Code") && i < len(n.Values) {
						note(n.Values[i], "")
					}
				}
			case *ast.KeyValueExpr:
				key, ok := n.Key.(*ast.Ident)
				if ok && key.Name == "Code" && file.Name.Name != "api" {
					note(n.Value, "")
				}
				if file.Name.Name == "apiserver" && !ok {
					if lit, is := n.Value.(*ast.BasicLit); is && form.MatchString(strings.Trim(lit.Value, `"`)) {
						note(n.Value, "")
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func TestEveryProblemCodeIsInTheManual(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile(repository + "/docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := codesInCode(t)
	if len(codes) < 100 {
		t.Fatalf("only %d codes were found in the code", len(codes))
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		if !bytes.Contains(manual, []byte("`"+code+"`")) {
			t.Errorf("docs/api.md does not list the problem code %s of %s", code, strings.TrimPrefix(codes[code], repository+"/"))
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+[a-z_.]+)` \\|").FindAllSubmatch(manual, -1) {
		code := string(m[1])
		if _, ok := codes[code]; !ok && code != "internal" && code != "request.invalid" {
			t.Errorf("docs/api.md lists the problem code %s, which no code gives", code)
		}
	}
}
