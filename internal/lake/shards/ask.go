package shards

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"concert/internal/lake"
)

// errTooMany refuses an answer that memory is not meant for.
var errTooMany = errors.New("the answer has more rows than this program takes into memory; no part of it is given")

// Ask answers a query from all shards, or not at all. The ledger must say of every
// part of the manifest that one shard holds it whole, and the rows must be those: before
// the answer and once more after it, so that what went away, came back or was added
// in between is an error.
func (c *Cluster) Ask(ctx context.Context, q lake.Query, pseudonym string) (*lake.Result, error) {
	raw, err := q.Pseudonym(pseudonym)
	if err != nil {
		return nil, err
	}
	want, err := c.ledger(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.reaches(ctx); err != nil {
		return nil, c.failed(c.shards[0], err)
	}
	if err := c.whole(ctx, want); err != nil {
		return nil, err
	}
	if err := c.shards[0].settled(ctx); err != nil {
		return nil, c.failed(c.shards[0], err)
	}
	rows, err := c.answer(ctx, q, raw)
	if err != nil {
		return nil, c.gone(ctx, err)
	}
	if err := c.whole(ctx, want); err != nil {
		return nil, fmt.Errorf("while the question was answered: %w", err)
	}
	if err := c.addsUp(q, rows, want); err != nil {
		return nil, err
	}
	return c.lake.Answer(q, rows), nil
}

// kept is where a part lies, and what its rows come to.
type kept struct {
	shard int
	is    measures
}

// ledger is what the shards say they hold: each part of the manifest on exactly one,
// with the digest and the rows that the manifest says.
func (c *Cluster) ledger(ctx context.Context) ([]kept, error) {
	all := make([]map[uint32][]entry, len(c.shards))
	err := c.each(ctx, func(ctx context.Context, i int, s *shard) (err error) {
		all[i], err = c.entries(ctx, s)
		if e := new(clickhouse.Exception); errors.As(err, &e) && e.Code == unknownTable {
			return errors.New("it has no rows of this lake: bring them there with accesslog load")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]kept, len(c.lake.Manifest.Parts))
	for n, p := range c.lake.Manifest.Parts {
		copies := 0
		for i, held := range all {
			for _, e := range held[uint32(n)] {
				if err := e.of(p); err != nil {
					return nil, c.failed(c.shards[i], fmt.Errorf("%s: %w", p.Path, err))
				}
				out[n], copies = kept{i, e.measures}, copies+1
			}
		}
		if copies != 1 {
			return nil, fmt.Errorf("%s was loaded %d times, not once: no answer is given; load the lake again, which sends what is missing and removes what is too much", p.Path, copies)
		}
	}
	return out, nil
}

// reaches makes sure that the shard that answers for all asks as many servers as were
// named, each for itself: two replicas of one could hold different rows, of which one
// is compared and the other answers. A table that was made otherwise, with settings
// of its own, may skip servers whatever a question says.
func (c *Cluster) reaches(ctx context.Context) error {
	if len(c.shards) == 1 {
		return nil
	}
	s := c.shards[0]
	var servers, shards int
	question := fmt.Sprintf("SELECT toInt64(count(*)), toInt64(count(DISTINCT shard_num)) FROM system.clusters WHERE cluster = '%s'", c.at.Cluster)
	if err := s.conn.QueryRowContext(ctx, question).Scan(&servers, &shards); err != nil {
		return err
	}
	if servers != len(c.shards) || shards != len(c.shards) {
		return fmt.Errorf("its configuration has %d servers in %d shards as cluster %s: it must name these very %d shards, each on one server", servers, shards, c.at.Cluster, len(c.shards))
	}
	var engine string
	database, name, _ := strings.Cut(c.names.all, ".")
	question = fmt.Sprintf("SELECT engine_full FROM system.tables WHERE database = '%s' AND name = '%s'", database, name)
	err := s.conn.QueryRowContext(ctx, question).Scan(&engine)
	if errors.Is(err, sql.ErrNoRows) {
		return errors.New("it has no table that answers for all shards: load the lake with this shard named first")
	}
	if want := c.names.engine(c.at); err == nil && strings.ReplaceAll(engine, "'", "") != want {
		err = fmt.Errorf("its table for all shards is %.300q, not %s: load the lake again, which makes it anew", engine, want)
	}
	return err
}

// unknownTable is ClickHouse's code of an error.
const unknownTable = 60

// whole compares the rows with the ledger, through the very table that the questions
// are asked of, and makes sure that every shard is still the server that it was.
func (c *Cluster) whole(ctx context.Context, want []kept) error {
	got, err := c.shards[0].measure(ctx, c.from())
	if err != nil {
		return c.gone(ctx, err)
	}
	for n, k := range want {
		if has := got[uint32(n)]; !same(has, k.is) {
			return c.differs(ctx, uint32(n), has, k)
		}
		delete(got, uint32(n))
	}
	for n, has := range got {
		held, _ := c.holders(ctx, n)
		return fmt.Errorf("%d rows of a part %d that the manifest does not name: somebody added them; no answer is given; load the lake again, which removes them%s", has[countAt], n, held)
	}
	return c.each(ctx, func(ctx context.Context, _ int, s *shard) error { return s.alive(ctx) })
}

// differs says what is wrong with a part's rows, and where.
func (c *Cluster) differs(ctx context.Context, n uint32, has measures, k kept) error {
	what := "other rows than those that were loaded"
	if has[countAt] != k.is[countAt] {
		what = fmt.Sprintf("%d rows, and the manifest says %d", has[countAt], k.is[countAt])
	}
	way := "load the lake again, which puts it right"
	held, sum := c.holders(ctx, n)
	if has[countAt] != k.is[countAt] && sum == k.is[countAt] {
		way = fmt.Sprintf("the shards hold them, and %s reaches others: its configuration must name these very shards, once each, as cluster %s", c.shards[0].addr, c.at.Cluster)
	}
	return fmt.Errorf("%s, on shard %s: the servers give %s: no answer is given; %s%s", c.lake.Manifest.Parts[n].Path, c.shards[k.shard].addr, what, way, held)
}

// holders says how many rows of a part each shard itself holds, and all of them.
func (c *Cluster) holders(ctx context.Context, part uint32) (text string, sum int64) {
	var list []string
	for _, s := range c.shards {
		var n int64
		if err := s.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT toInt64(count(*)) FROM %s WHERE part = %d%s", c.names.rows, part, s.setting)).Scan(&n); err != nil {
			list, sum = append(list, s.addr+" cannot say"), -1<<62
			continue
		}
		list, sum = append(list, fmt.Sprintf("%s holds %d", s.addr, n)), sum+n
	}
	return " (" + strings.Join(list, ", ") + ")", sum
}

// gone names the shards that do not answer by themselves, since the one that was
// asked for all names them by what its own configuration calls them, if at all.
func (c *Cluster) gone(ctx context.Context, err error) error {
	var lost []string
	for _, s := range c.shards {
		if s.alive(ctx) != nil {
			lost = append(lost, s.addr)
		}
	}
	if len(lost) == 0 {
		return c.failed(c.shards[0], err)
	}
	return fmt.Errorf("shard %s does not answer any more: no answer is given from the rest: %w", strings.Join(lost, " and "), err)
}

// alive reports whether a shard is still there, over the connection that it was met on.
func (s *shard) alive(ctx context.Context) error {
	if err := s.conn.PingContext(ctx); err != nil {
		return fmt.Errorf("the connection to it was lost, so that it may have become another: %w", err)
	}
	return nil
}

// answer asks the question and takes its rows.
func (c *Cluster) answer(ctx context.Context, q lake.Query, pseudonym string) (out [][]any, err error) {
	err = c.shards[0].ask(ctx, c.question(q, pseudonym)+c.shards[0].setting, func(scan func(...any) error) error {
		if len(out) >= lake.RowsMost {
			return errTooMany
		}
		row, into := make([]any, len(q.Columns)), make([]any, len(q.Columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := scan(into...); err != nil {
			return err
		}
		for i, v := range row {
			if row[i], err = clocked(q.Columns[i], plain(v)); err != nil {
				return err
			}
		}
		out = append(out, row)
		return nil
	})
	return out, err
}

// plain is a number or a text as our answers have it.
func plain(v any) any {
	switch n := reflect.ValueOf(v); {
	case !n.IsValid():
		return nil
	case n.CanInt():
		return n.Int()
	case n.CanUint():
		return int64(n.Uint())
	}
	return v
}

// addsUp holds an answer against the lake within itself, where its rows are all
// accesses there are, so that the numbers of the answer and of the comparisons
// around it are known to be of the same rows.
func (c *Cluster) addsUp(q lake.Query, rows [][]any, want []kept) error {
	var total int64
	switch q.Name {
	case "visitors", "status", "countries":
		total = c.lake.Manifest.Rows
	case "days":
		for n, p := range c.lake.Manifest.Parts {
			if !p.Undated() {
				total += want[n].is[countAt]
			}
		}
	case "users":
		for _, k := range want {
			total += k.is[usersAt]
		}
	default:
		return nil
	}
	var sum int64
	for i, col := range q.Columns {
		if col.Name != "accesses" {
			continue
		}
		for _, row := range rows {
			sum += row[i].(int64)
		}
	}
	if sum != total {
		return fmt.Errorf("the answer counts %d accesses of %d: the servers answered from other rows than those that they hold", sum, total)
	}
	return nil
}
