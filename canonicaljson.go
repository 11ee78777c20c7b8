package concert

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeCanonical reads raw into v, a pointer to a value of the wire, and refuses
// all that is not byte for byte what CanonicalJSON makes of it (RFC 8785): another
// order or spelling, fields that v does not know, a name twice, anything before or
// behind. So one value has one text, and no byte of it can be changed unnoticed.
// The error says what is wrong and at which place (RFC 6901).
func DecodeCanonical(raw []byte, v any) error {
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
	again, err := CanonicalJSON(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, raw) {
		at := 0
		for at < min(len(raw), len(again)) && raw[at] == again[at] {
			at++
		}
		return fmt.Errorf("it is not in the one form that RFC 8785 gives it, from byte %d on", at)
	}
	return nil
}
