package design

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed css
var sheets embed.FS

// Stylesheet is the one style sheet of every page: the files of css in the order
// of their names. Tokens come first, pieces next, what one kind of page alone
// needs after them, and what depends on screen, motion or paper last.
func Stylesheet() ([]byte, error) {
	names, err := fs.Glob(sheets, "css/*.css")
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, name := range names {
		text, err := sheets.ReadFile(name)
		if err != nil {
			return nil, err
		}
		b.Write(text)
	}
	return []byte(b.String()), nil
}
