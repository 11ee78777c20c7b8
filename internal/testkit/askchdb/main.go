// Command askchdb asks ClickHouse's engine, read from the shared library of chDB, on
// behalf of a test: a process of its own, since the library is large and may print or
// end what it runs in. Usage: askchdb LIBRARY ANSWERS, with a JSON list of queries as
// text on standard input; ANSWERS becomes a JSON list of their answers as TabSeparated,
// each in base64. Any error ends it with 1 and without answers.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/ebitengine/purego"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "askchdb:", err)
		os.Exit(1)
	}
}

// engine is what is used of chDB's C interface (chdb.h).
type engine struct {
	connect func(argc int32, argv **byte) *uintptr
	query   func(connection uintptr, query, format string) uintptr
	failed  func(result uintptr) string
	buffer  func(result uintptr) *byte
	length  func(result uintptr) uintptr
	destroy func(result uintptr)
}

func run() error {
	if len(os.Args) != 3 {
		return errors.New("usage: askchdb LIBRARY ANSWERS < queries")
	}
	var queries []string
	if err := json.NewDecoder(os.Stdin).Decode(&queries); err != nil {
		return fmt.Errorf("the queries: %w", err)
	}
	library, err := purego.Dlopen(os.Args[1], purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return err
	}
	var e engine
	for name, fn := range map[string]any{
		"chdb_connect": &e.connect, "chdb_query": &e.query, "chdb_result_error": &e.failed, "chdb_result_buffer": &e.buffer,
		"chdb_result_length": &e.length, "chdb_destroy_query_result": &e.destroy,
	} {
		purego.RegisterLibFunc(fn, library, name)
	}
	name := append([]byte("clickhouse"), 0)
	argv := []*byte{&name[0], nil}
	connection := e.connect(1, &argv[0])
	if connection == nil {
		return errors.New("the library gives no connection")
	}
	answers := make([][]byte, len(queries))
	for i, q := range queries {
		if answers[i], err = e.ask(*connection, q); err != nil {
			return fmt.Errorf("%.400s: %w", q, err)
		}
	}
	text, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	return os.WriteFile(os.Args[2], text, 0o600)
}

func (e engine) ask(connection uintptr, query string) ([]byte, error) {
	r := e.query(connection, query, "TabSeparated")
	if r == 0 {
		return nil, errors.New("no result")
	}
	defer e.destroy(r)
	if text := e.failed(r); text != "" {
		return nil, errors.New(text)
	}
	n := int(e.length(r))
	if n == 0 {
		return []byte{}, nil
	}
	return append([]byte{}, unsafe.Slice(e.buffer(r), n)...), nil
}
