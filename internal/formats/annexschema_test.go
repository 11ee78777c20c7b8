package formats_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"concert"
	"concert/internal/formats"
)

// annexSchemas are the compiled schemas by name.
func annexSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range formats.AnnexSchemas() {
		text, err := formats.AnnexSchema(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.AddResource(formats.AnnexSchemaBase+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]*jsonschema.Schema{}
	for _, name := range formats.AnnexSchemas() {
		s, err := c.Compile(formats.AnnexSchemaBase + name)
		if err != nil {
			t.Fatal(err)
		}
		if s.Location != formats.AnnexSchemaBase+name+"#" {
			t.Errorf("%s has the $id %s", name, s.Location)
		}
		out[name] = s
	}
	return out
}

// examples are payloads by the schema that judges them.
func examples(t *testing.T) map[string]any {
	key := concert.RegisteredKey{KeyID: "fe812c12f3ab4ce6", Public: bytes.Repeat([]byte{1}, 32), Functions: concert.Functions, Law: "BE", Since: "2019-01-01T00:00:00.000Z", Until: "2020-01-01T00:00:00.000Z", Revoked: "2019-12-01T00:00:00.000Z"}
	register := concert.OrderRegister{Type: "order_register", Version: 1, Origin: "exercise.example/log", LogKey: "exercise.example/log+00000000+AAAA", Serial: 3, At: "2019-11-01T00:00:00.000Z", Exercise: true, Root: bytes.Repeat([]byte{7}, 32), Transports: [][]byte{bytes.Repeat([]byte{8}, 32)},
		Authorities: []concert.RegisteredAuthority{{Ref: "AU-1", Name: "EXERCISE Unit North", Country: "BE", Keys: []concert.RegisteredKey{key}}}}
	var file concert.OrderFile
	if err := json.Unmarshal(sealed(t, concert.OrderPayloadType, order(2)), &file); err != nil {
		t.Fatal(err)
	}
	file.Register = &concert.Envelope{PayloadType: concert.RegisterPayloadType, Payload: []byte("{}"), Signatures: file.Envelope.Signatures}
	file.Proof = &concert.EventProof{Format: "concert-event-proof/1", Origin: "exercise.example/log", LogKey: "k", Commit: bytes.Repeat([]byte{2}, 32), Inclusion: [][]byte{{1}}, Checkpoint: "c", Event: "{}", Salt: []byte{3}, Earlier: &concert.EarlierProof{Checkpoint: "c"}}
	full := order(2)
	full.Authority.Fax, full.FirstContact.Emergency = "+32 0 000 00 09", "EXERCISE: a made-up threat"
	return map[string]any{"order-1.json": full, "order-feedback-1.json": feedback(), "order-impossible-1.json": impossible(), "order-register-1.json": register, "order-file-1.json": file}
}

func TestAnnexSchemasTakeWhatWeWriteAndNothingElse(t *testing.T) {
	t.Parallel()
	schemas := annexSchemas(t)
	for name, example := range examples(t) {
		text, err := concert.CanonicalJSON(example)
		if err != nil {
			t.Fatal(err)
		}
		read := func() map[string]any {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			return v.(map[string]any)
		}
		if err := schemas[name].Validate(read()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		more := read()
		more["stranger"] = true
		if schemas[name].Validate(more) == nil {
			t.Errorf("%s takes a field that no type has", name)
		}
		for field := range read() {
			less := read()
			delete(less, field)
			if optional(reflect.TypeOf(example), field) != (schemas[name].Validate(less) == nil) && field != "needed" {
				t.Errorf("%s without %s: optional in the type %v", name, field, optional(reflect.TypeOf(example), field))
			}
		}
	}
	p := impossible()
	p.Needed = ""
	if schemas["order-impossible-1.json"].Validate(asAny(t, p)) == nil {
		t.Error("Art. 3(8): errors without what they are")
	}
	p.Reasons = []concert.ImpossibleReason{concert.ImpossibleForce}
	if err := schemas["order-impossible-1.json"].Validate(asAny(t, p)); err != nil {
		t.Error(err)
	}
	one := order(1)
	one.Redress = append(one.Redress[:1:1], one.Redress[0])
	if schemas["order-1.json"].Validate(asAny(t, one)) == nil {
		t.Error("G15: redress for the provider only")
	}
}

func asAny(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func optional(t reflect.Type, field string) bool {
	for _, f := range reflect.VisibleFields(t) {
		if name, rest, _ := strings.Cut(f.Tag.Get("json"), ","); name == field {
			return strings.Contains(rest, "omitempty")
		}
	}
	return false
}

func TestAnnexSchemasHaveEveryFieldOfTheTypesAndNoOther(t *testing.T) {
	t.Parallel()
	schemas := annexSchemas(t)
	for name, example := range examples(t) {
		sameFields(t, name, reflect.TypeOf(example), schemas[name])
	}
}

func sameFields(t *testing.T, at string, typ reflect.Type, s *jsonschema.Schema) {
	t.Helper()
	for s != nil && s.Ref != nil {
		s = s.Ref
	}
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case s == nil:
		t.Errorf("%s has no schema", at)
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() != reflect.Uint8:
		items := s.Items2020
		if items == nil {
			t.Errorf("%s: the schema has no items for %s", at, typ)
			return
		}
		sameFields(t, at+"[]", typ.Elem(), items)
	case typ.Kind() == reflect.Struct:
		fields := map[string]reflect.Type{}
		var must []string
		for _, f := range reflect.VisibleFields(typ) {
			if name, rest, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				fields[name] = f.Type
				if !strings.Contains(rest, "omitempty") {
					must = append(must, name)
				}
			}
		}
		if got, want := slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(maps.Keys(fields)); !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %v, the type %v", at, got, want)
		}
		if got, want := slices.Sorted(slices.Values(s.Required)), slices.Sorted(slices.Values(must)); !slices.Equal(got, want) {
			t.Errorf("%s: the schema requires %v, the type always has %v", at, got, want)
		}
		for name, field := range fields {
			if s.Properties[name] != nil {
				sameFields(t, fmt.Sprintf("%s.%s", at, name), field, s.Properties[name])
			}
		}
	}
}
