package lead

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The graph is whole: each name has a namespace, each object one identifier that ends in a UUID, each reference leads to one.
func TestCaseUCOGraphIsWhole(t *testing.T) {
	t.Parallel()
	l, err := exercise().Lead(Key{9})
	must(t, err)
	raw, err := l.caseUCO()
	must(t, err)
	var graph map[string]any
	must(t, json.Unmarshal(raw, &graph))
	context := graph["@context"].(map[string]any)
	for prefix, to := range context {
		if !regexp.MustCompile(`^(https://ontology\.(caseontology\.org/case|unifiedcyberontology\.org/uco)/[a-z]+/|http://www\.w3\.org/2001/XMLSchema#|urn:concert:lead:.+:)$`).MatchString(to.(string)) {
			t.Errorf("namespace %s is %v", prefix, to)
		}
	}
	named := func(name string) {
		if prefix, _, ok := strings.Cut(name, ":"); !ok || context[prefix] == nil {
			t.Errorf("%q has no namespace", name)
		}
	}
	form := regexp.MustCompile(`^kb:[a-z-]+-[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	types, defined, referred := map[string]int{}, map[string]bool{}, map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			id, _ := v["@id"].(string)
			if _, isValue := v["@value"]; !isValue && !form.MatchString(id) {
				t.Errorf("identifier %q ends in no UUID", id)
			}
			if id != "" && len(v) == 1 {
				referred[id] = true
				return
			}
			if id != "" && defined[id] {
				t.Errorf("%s is defined twice", id)
			}
			defined[id] = true
			of, _ := v["@type"].([]any)
			if one, ok := v["@type"].(string); ok {
				of = []any{one}
			}
			for _, x := range of {
				named(x.(string))
				types[x.(string)]++
			}
			for key, x := range v {
				if !strings.HasPrefix(key, "@") {
					named(key)
					walk(x)
				}
			}
		}
	}
	walk(graph)
	for id := range referred {
		if !defined[id] {
			t.Errorf("%s is referred to and not there", id)
		}
	}
	for name, want := range map[string]int{"uco-core:Bundle": 1, "case-investigation:Investigation": 1, "case-investigation:ProvenanceRecord": 1, "uco-identity:Organization": 2, "uco-identity:Identity": 1,
		"uco-observable:ObservableObject": 3, "uco-observable:EventRecord": 2, "uco-core:Relationship": 2} {
		if types[name] != want {
			t.Errorf("%d objects of type %s, want %d", types[name], name, want)
		}
	}
	for _, o := range graph["uco-core:object"].([]any) {
		if o := o.(map[string]any); o["@type"] == "case-investigation:ProvenanceRecord" && (o["case-investigation:exhibitNumber"] != "EX-1" || len(o["uco-core:object"].([]any)) != 3) {
			t.Errorf("provenance: %v", o)
		}
	}
	if !slices.Contains(graph["uco-core:tag"].([]any), any("handling:H1")) {
		t.Error("the bundle does not bear its handling code")
	}
}
