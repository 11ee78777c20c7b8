package formats

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// ItemFormat names a format of items.
type ItemFormat string

// The formats (docs/import.md).
const (
	FormatCSV  ItemFormat = "csv"
	FormatTCAP ItemFormat = "tcap"
	FormatXARF ItemFormat = "xarf"
	FormatMISP ItemFormat = "misp"
	FormatSTIX ItemFormat = "stix"
)

// jsonSigns are names that only one of the formats has.
var jsonSigns = regexp.MustCompile(`"(xarf_version|ReporterInfo)"\s*:|"(Event|Attribute|event_id|object_relation|response)"\s*:|"(spec_version|pattern_type|object_refs)"\s*:|"type"\s*:\s*"(bundle)"|"id"\s*:\s*"([a-z-]+--[0-9a-f]{8}-)`)

// DetectItems tells the format from a file's first bytes; 64 KiB are plenty.
func DetectItems(head []byte) (ItemFormat, error) {
	text, err := io.ReadAll(io.LimitReader(plain(bytes.NewReader(head)), maxCSVLine))
	if err != nil {
		return "", fmt.Errorf("the file's first bytes cannot be read: %w", err)
	}
	text = bytes.TrimLeft(text, " \t\r\n")
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		m := jsonSigns.FindSubmatch(text)
		switch {
		case m == nil:
			return "", fmt.Errorf("the file is JSON, and neither XARF nor MISP nor STIX: say which with -format")
		case m[1] != nil:
			return FormatXARF, nil
		case m[2] != nil:
			return FormatMISP, nil
		}
		return FormatSTIX, nil
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line, _, _ = strings.Cut(line, "\r")
	names := splitCSV(strings.ToLower(line), byte(commaOf(line))).fields
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	known := 0
	for _, n := range names {
		if _, ok := tcapColumns[n]; ok {
			known++
		}
	}
	if slices.Contains(names, "url") && !slices.Contains(names, "location") && known > 2 {
		return FormatTCAP, nil
	}
	return FormatCSV, nil
}

// ReadItems reads items of a format; its shape is that of [ReadItemCSV].
func ReadItems(f ItemFormat, r io.Reader, yield func(ItemRow) error, bad func(RowError) error) error {
	switch f {
	case FormatCSV:
		return ReadItemCSV(r, yield, bad)
	case FormatTCAP:
		return ReadTCAP(r, yield, bad)
	case FormatXARF:
		return ReadXARF(r, yield, bad)
	case FormatMISP:
		return ReadMISP(r, yield, bad)
	case FormatSTIX:
		return ReadSTIX(r, yield, bad)
	}
	return fmt.Errorf("%q is no format of items", f)
}
