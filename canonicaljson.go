package concert

import (
	"bytes"
	"encoding"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeCanonical reads raw into v, a pointer to a value of the wire, and refuses
// all that is not byte for byte what CanonicalJSON makes of it (RFC 8785): another
// order or spelling, fields that v does not know, a name twice, anything before or
// behind. So one value has one text, and no byte of it can be changed unnoticed.
// The error says what is wrong and at which place (RFC 6901).
func DecodeCanonical(raw []byte, v any) error {
	if err := decodeStrict(raw, v); err != nil {
		return err
	}
	again, err := CanonicalJSON(v)
	if err != nil {
		return err
	}
	return sameText(raw, again)
}

func decodeStrict(raw []byte, v any) error {
	if err := json.Unmarshal(raw, v, json.RejectUnknownMembers(true)); err != nil {
		var field *json.SemanticError
		switch {
		case errors.As(err, &field) && errors.Is(err, json.ErrUnknownName):
			return fmt.Errorf("it has a field that this version does not know: %.120q", field.JSONPointer)
		case errors.As(err, &field) && field.JSONPointer == "":
			return errors.New("it is none of the objects that belong here")
		case errors.As(err, &field):
			return fmt.Errorf("the value at %.120q is none of this field", field.JSONPointer)
		case errors.Is(err, jsontext.ErrDuplicateName):
			return errors.New("it names a field twice")
		}
		var syntax *jsontext.SyntacticError
		if errors.As(err, &syntax) {
			return fmt.Errorf("it is not JSON from byte %d on", syntax.ByteOffset)
		}
		return errors.New("it is not JSON")
	}
	return nil
}

func sameText(raw, again []byte) error {
	if bytes.Equal(again, raw) {
		return nil
	}
	at := 0
	for at < min(len(raw), len(again)) && raw[at] == again[at] {
		at++
	}
	return fmt.Errorf("it is not in the one form that RFC 8785 gives it, from byte %d on", at)
}

// Form is the canonical form of one type, worked out once: it decodes as
// DecodeCanonical does, with less work. It is never changed.
type Form[T any] struct{ encode encoder } // nil where the type has none of its own

// encoder appends the canonical text of a value.
type encoder func(b []byte, v reflect.Value) ([]byte, error)

// FormOf works out the form of a type of the wire: of structs, lists, texts, bytes,
// truth values, whole numbers and pointers to them. That of another type decodes as
// DecodeCanonical, with as much work.
func FormOf[T any]() *Form[T] { return &Form[T]{encoderOf(reflect.TypeFor[T](), 0)} }

// Decode reads raw into v as DecodeCanonical does.
func (f *Form[T]) Decode(raw []byte, v *T) error {
	if f.encode == nil {
		return DecodeCanonical(raw, v)
	}
	if err := decodeStrict(raw, v); err != nil {
		return err
	}
	again, err := f.encode(make([]byte, 0, len(raw)+64), reflect.ValueOf(v).Elem())
	if err != nil {
		return err
	}
	return sameText(raw, again)
}

// exactNumber is the largest whole number that JSON's readers agree on (RFC 8785).
const exactNumber = 1<<53 - 1

// encoderOf is the encoder of a type, nil where it has none: one that writes itself, or
// that holds one without.
func encoderOf(t reflect.Type, depth int) encoder {
	own := t.Implements(reflect.TypeFor[stdjson.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	if own || depth > 20 {
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value) ([]byte, error) { return jsontext.AppendQuote(b, v.String()) }
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }
	case reflect.Int, reflect.Int64:
		return func(b []byte, v reflect.Value) ([]byte, error) {
			if n := v.Int(); n < -exactNumber || n > exactNumber {
				return nil, fmt.Errorf("the number %d is beyond those that JSON writes exactly", n)
			}
			return strconv.AppendInt(b, v.Int(), 10), nil
		}
	case reflect.Pointer:
		of := encoderOf(t.Elem(), depth+1)
		if of == nil {
			return nil
		}
		return func(b []byte, v reflect.Value) ([]byte, error) {
			if v.IsNil() {
				return append(b, "null"...), nil
			}
			return of(b, v.Elem())
		}
	case reflect.Slice:
		return listEncoder(t, depth)
	case reflect.Struct:
		return structEncoder(t, depth)
	}
	return nil
}

func listEncoder(t reflect.Type, depth int) encoder {
	if t.Elem().Kind() == reflect.Uint8 {
		return func(b []byte, v reflect.Value) ([]byte, error) {
			if v.IsNil() {
				return append(b, "null"...), nil
			}
			b = append(b, '"')
			return append(base64.StdEncoding.AppendEncode(b, v.Bytes()), '"'), nil
		}
	}
	of := encoderOf(t.Elem(), depth+1)
	if of == nil {
		return nil
	}
	return func(b []byte, v reflect.Value) ([]byte, error) {
		if v.IsNil() {
			return append(b, "null"...), nil
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = of(b, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	}
}

// formField is a field in the place that its name gives it.
type formField struct {
	name, begins string // begins is the quoted name and a colon
	at           []int
	omit         bool
	encode       encoder
}

func structEncoder(t reflect.Type, depth int) encoder {
	var fields []formField
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, option, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous && tag == "":
			continue // its fields come by themselves
		case !f.IsExported(), name == "", name == "-", option != "" && option != "omitempty", strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != "",
			slices.ContainsFunc(fields, func(g formField) bool { return g.name == name }):
			return nil
		}
		of := encoderOf(f.Type, depth+1)
		if of == nil {
			return nil
		}
		fields = append(fields, formField{name: name, begins: `"` + name + `":`, at: f.Index, omit: option != "", encode: of})
	}
	slices.SortFunc(fields, func(a, b formField) int { return strings.Compare(a.name, b.name) })
	return func(b []byte, v reflect.Value) ([]byte, error) {
		b = append(b, '{')
		first := true
		for i := range fields {
			f := &fields[i]
			value := v.FieldByIndex(f.at)
			if f.omit && (value.IsZero() || value.Kind() == reflect.Slice && value.Len() == 0) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			var err error
			if b, err = f.encode(append(b, f.begins...), value); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
}
