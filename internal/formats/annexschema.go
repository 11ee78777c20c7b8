package formats

import (
	"io/fs"
	"strings"

	"concert"
	"concert/docs/formats/schema"
)

// AnnexSchemaBase is what the $id of every schema begins with; its name follows.
const AnnexSchemaBase = "https://concert.invalid/schemas/"

// AnnexSchemas are the names of the JSON Schemas (2020-12) of removal orders: the
// payloads of the three annexes, the order file, the register and what they share.
func AnnexSchemas() []string {
	names, err := fs.Glob(schema.Files, "*.json")
	if err != nil {
		return nil
	}
	return names
}

// AnnexSchema is the text of one of them, as docs/formats/schema has it.
func AnnexSchema(name string) ([]byte, error) {
	text, err := schema.Files.ReadFile(name)
	if err != nil {
		return nil, concert.Refuse(concert.NotFound, "annex.schema", "", "there is no schema %.60q: use one of %s", name, strings.Join(AnnexSchemas(), ", "))
	}
	return text, nil
}
