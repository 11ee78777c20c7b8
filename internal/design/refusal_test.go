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
	"strconv"
	"strings"
	"sync"
	"testing"

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
	loaded, err := house()
	if err != nil {
		return nil, err
	}
	out := map[string]refused{}
	for _, p := range loaded {
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

// wayOut is how a message says what to do: after a colon or semicolon, as an order, or as the rule that was broken.
var wayOut = regexp.MustCompile(`[:;]|^(say|write|name|choose|give|log in|only)\b|\bneeds?\b|\bat (most|least)\b|\b\d+ to\b|\balready\b|\bis kept until\b|^an? [a-z ]+ (is|goes|has|have) |^[a-z]+ (is|are) |, or |, (not|since|and) `)

// A message that says only what was wrong leaves the reader standing there.
func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	said, err := readRefusals()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range slices.Sorted(maps.Keys(said)) {
		if !wayOut.MatchString(form) {
			t.Errorf("%s: %q says what is wrong and not what to do", said[form].place, form)
		}
	}
}

// Each refusal is made with something in every place, and said to a reader of each language: nothing is left over and no verb shows.
func TestRefusalsAreSaidWholeInEveryLanguage(t *testing.T) {
	t.Parallel()
	said, err := readRefusals()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range slices.Sorted(maps.Keys(said)) {
		var args []any
		for _, v := range verbs(form) {
			kind, at, _ := strings.Cut(v, "[")
			n, err := strconv.Atoi(strings.TrimSuffix(at, "]"))
			if err != nil {
				t.Fatal(err)
			}
			for len(args) < n {
				args = append(args, nil)
			}
			switch kind[len(kind)-1] {
			case 'd', 'X':
				args[n-1] = 7
			case 'v':
				args[n-1] = []string{"x", "y"}
			default:
				args[n-1] = "\u202ex"
			}
		}
		e := concert.Refuse(concert.Invalid, said[form].code, "", form, args...)
		for _, l := range design.Languages() {
			got := design.Refusal(design.WithReader(t.Context(), design.Reader{Language: l}), e, nil)
			if strings.Contains(got, "%!") || l.Code != "en" && got == e.Message {
				t.Errorf("%s: %q is said as %q", l.Code, form, got)
			}
		}
	}
}

func TestRefusalsAreSaidInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	word := func(code any) design.Text {
		switch code {
		case concert.ItemApproved:
			return "Approved"
		case concert.RoleReviewer:
			return "reviewer"
		}
		return ""
	}
	moved := concert.Refuse(concert.Conflict, "item.move", "", "item %s is %s and cannot %s: see docs/states.md", "IT-1", concert.ItemApproved, concert.MoveRefer)
	role := concert.Refuse(concert.Forbidden, "role.missing", "", "this needs the role %v; you have %v: ask an administrator", []concert.Role{concert.RoleReviewer, concert.RoleOfficer}, []concert.Role{})
	typed := concert.Refuse(concert.Invalid, "incident.country", "country", "country is two capital letters (ISO 3166-1): got %.20q", "\u202eGermany, the Federal Republic of")
	named := concert.ErrStale.About("IT-7")
	for _, c := range []struct {
		of             *concert.Error
		language, want string
	}{
		{moved, "en", "Item IT-1 is approved and cannot refer: see docs/states.md"},
		{moved, "fr", "L’élément IT-1 est à l’état «\u202fApprouvé\u202f» et n’admet pas l’acte «\u202frefer\u202f»\u202f: voir docs/states.md"},
		{moved, "ar", "العنصر \u2068IT-1\u2069 في حالة «تمت الموافقة» ولا يقبل الإجراء «\u2068refer\u2069»: انظروا docs/states.md"},
		{role, "fr", "Ceci demande le rôle\u202f: réviseur, officer\u202f; vous avez\u202f: –. Adressez-vous à un administrateur"},
		{role, "ar", "يتطلب هذا الدور: مراجع، \u2068officer\u2069؛ ولديكم: –. اسألوا مسؤولًا إداريًا"},
		{typed, "fr", "Un pays s’écrit en deux lettres capitales (ISO 3166-1)\u202f; il ne s’écrit pas «\u202f\\u202eGermany, the Federa\u202f»"},
		{typed, "ar", "يُكتب البلد بحرفين كبيرين (ISO 3166-1)؛ لا «\u2068\\u202eGermany, the Federa\u2069»"},
		{named, "en", "IT-7: someone else changed this meanwhile; load it again and repeat what still applies"},
		{named, "ar", "\u2068IT-7\u2069: غيّر شخص آخر هذا في الأثناء؛ حمّلوه من جديد وكرّروا ما بقي لازمًا"},
	} {
		l, _ := design.LanguageOf(c.language)
		if got := design.Refusal(design.WithReader(t.Context(), design.Reader{Language: l}), c.of, word); got != c.want {
			t.Errorf("%s of %s:\n%q, want\n%q", c.language, c.of.Code, got, c.want)
		}
	}
}
