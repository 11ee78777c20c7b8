package durable

import (
	"errors"
	"fmt"
	"os"
)

// Nameless makes a temporary file in the directory ("": the system's) that has no
// name, so that nothing is left of it once it is closed, or the program ends, however
// it does.
func Nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("temporary file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("temporary file: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}
