package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"

	"concert/internal/lake"
)

// Limits bound what a question may take.
type Limits struct {
	Memory  int // MiB that the engine may use; it writes nothing to disk
	Threads int
	Rows    int // of an answer
}

// Engine is DuckDB with the view accesses over one lake and nothing else. It is not
// for use by several goroutines at once.
type Engine struct {
	lake      *lake.Lake
	held      *held
	connector *duck.Connector
	conn      *duck.Conn
	limits    Limits
}

// Open compares every part of the lake with the manifest, keeps it open, and locks the
// engine to it.
func Open(ctx context.Context, l *lake.Lake, limits Limits) (_ *Engine, err error) {
	if limits.Memory < 1 || limits.Threads < 1 || limits.Rows < 1 {
		return nil, errors.New("memory, threads and rows are numbers above 0")
	}
	if len(l.Manifest.Parts) == 0 {
		return nil, fmt.Errorf("%s holds no access: there is nothing to ask", l.Dir)
	}
	e := &Engine{lake: l, limits: limits}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	if e.held, err = hold(ctx, l); err != nil {
		return nil, err
	}
	if e.connector, err = duck.NewConnector(":memory:", nil); err != nil {
		return nil, fmt.Errorf("start DuckDB: %w", err)
	}
	conn, err := e.connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("start DuckDB: %w", err)
	}
	e.conn = conn.(*duck.Conn)
	return e, e.lock(ctx)
}

// lock leaves the engine the parts and nothing else, for good.
func (e *Engine) lock(ctx context.Context) error {
	parts := "['" + strings.Join(e.held.paths, "', '") + "']"
	for _, statement := range []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET allow_persistent_secrets = false",
		"SET temp_directory = ''",
		fmt.Sprintf("SET memory_limit = '%dMiB'", e.limits.Memory),
		fmt.Sprintf("SET threads = %d", e.limits.Threads),
		"SET TimeZone = 'UTC'",
		"SET allowed_paths = " + parts,
		"SET enable_external_access = false",
		"CREATE VIEW accesses AS SELECT * FROM read_parquet(" + parts + ")",
		"SET lock_configuration = true",
	} {
		if _, err := e.conn.ExecContext(ctx, statement, nil); err != nil {
			return fmt.Errorf("lock DuckDB to the lake (%.60s): %w", statement, err)
		}
	}
	return nil
}

// Close ends the engine and lets the parts go.
func (e *Engine) Close() error {
	var err error
	if e.conn != nil {
		err = e.conn.Close()
	}
	if e.connector != nil {
		err = errors.Join(err, e.connector.Close())
	}
	if e.held != nil {
		e.held.close()
	}
	return err
}

// prepare takes one SELECT and nothing else.
func (e *Engine) prepare(sql string) (*duck.Stmt, error) {
	prepared, err := e.conn.Prepare(sql)
	if err != nil {
		// What the driver says of more than one statement is about its own functions.
		if strings.Contains(err.Error(), "PrepareContext") {
			err = errors.New("it is more than one statement (a PIVOT without IN is several, too): ask one SELECT")
		}
		return nil, fmt.Errorf("the query: %w", err)
	}
	stmt := prepared.(*duck.Stmt)
	kind, err := stmt.StatementType()
	if err == nil && kind != duck.STATEMENT_TYPE_SELECT {
		err = errors.New("it is no SELECT: nothing else is run")
	}
	if err == nil && stmt.NumInput() != 0 {
		err = errors.New("it has parameters, for which there are no values: write them out")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the query: %w", err), stmt.Close())
	}
	return stmt, nil
}
