// Command gen-accesslog writes an invented access log in combined format, always
// the same for the same seed, and a truth file that says what it holds
// (exercise.SeizedLog).
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"concert/internal/exercise"
)

func main() {
	lines := flag.Int("lines", 20_000_000, "number of lines")
	seed := flag.Uint64("seed", 1, "seed")
	out := flag.String("o", "", "file to write; empty: standard output")
	truthTo := flag.String("truth", "", "file for the truth, as JSON")
	flag.Parse()
	if err := write(exercise.SeizedLog{Lines: *lines, Seed: *seed}, *out, *truthTo); err != nil {
		fmt.Fprintln(os.Stderr, "gen-accesslog:", err)
		os.Exit(1)
	}
}

func write(l exercise.SeizedLog, out, truthTo string) (err error) {
	w := os.Stdout
	if out != "" {
		if w, err = os.Create(out); err != nil {
			return err
		}
	}
	truth, err := l.Write(w)
	if err = errors.Join(err, w.Close()); err != nil || truthTo == "" {
		return err
	}
	text, err := json.MarshalIndent(truth, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(truthTo, append(text, '\n'), 0o600)
}
