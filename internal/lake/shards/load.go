package shards

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"concert/internal/lake"
)

const (
	// deleteMost is how many parts one statement names: fewer bytes than a server reads.
	deleteMost = 10_000
	pollEvery  = 50 * time.Millisecond
)

// Loaded says what a load did.
type Loaded struct {
	Parts, Rows int64 // of the lake, all of them on the shards now
	Sent        int64 // rows that were sent this time
	Removed     int64 // parts of which something lay there that was not whole, or not the lake's
	Shards      []int64
}

// Load brings a lake's rows to the shards, each part to one of them: its SHA-256 is
// compared before its rows go, and what the shard then holds before the ledger says
// so. What an earlier load left is kept where it is whole and sent again where it is
// not. At the end all of it is asked for through the table that answers for all.
func (c *Cluster) Load(ctx context.Context) (*Loaded, error) {
	if err := c.create(ctx); err != nil {
		return nil, err
	}
	there, err := c.inventory(ctx)
	if err != nil {
		return nil, err
	}
	out := &Loaded{Parts: int64(len(c.lake.Manifest.Parts)), Rows: c.lake.Manifest.Rows, Shards: make([]int64, len(c.shards))}
	todo, removed := c.plan(there, out)
	if err := c.each(ctx, func(ctx context.Context, i int, s *shard) error { return c.remove(ctx, s, removed) }); err != nil {
		return nil, err
	}
	if err := c.each(ctx, func(ctx context.Context, i int, s *shard) error { return c.send(ctx, s, todo[i]) }); err != nil {
		return nil, fmt.Errorf("%w; what was sent whole stays, load again to send the rest", err)
	}
	want, err := c.ledger(ctx)
	if err != nil {
		return nil, err
	}
	return out, errors.Join(c.reaches(ctx), c.whole(ctx, want))
}

// Drop removes the lake's tables from every shard.
func (c *Cluster) Drop(ctx context.Context) error {
	return c.each(ctx, func(ctx context.Context, _ int, s *shard) error {
		for _, name := range []string{c.names.all, c.names.parts, c.names.rows} {
			if err := s.run(ctx, "DROP TABLE IF EXISTS "+name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *Cluster) create(ctx context.Context) error {
	return c.each(ctx, func(ctx context.Context, i int, s *shard) error {
		for _, statement := range c.names.createTables() {
			if err := s.run(ctx, statement); err != nil {
				return err
			}
		}
		if i > 0 || len(c.shards) == 1 {
			return nil
		}
		for _, statement := range c.names.createAll(c.at) {
			if err := s.run(ctx, statement); err != nil {
				return fmt.Errorf("the table that answers for all shards cannot be made: does its configuration (remote_servers) name them as cluster %s? %w", c.at.Cluster, err)
			}
		}
		return nil
	})
}

// found is what a shard holds of a part: rows, and what its ledger says of them.
type found struct {
	has    measures
	says   []entry
	stands bool // there are rows
}

// entry is a row of the ledger.
type entry struct {
	sha256 string
	measures
}

// inventory is what each shard holds, by the number of the part.
func (c *Cluster) inventory(ctx context.Context) ([]map[uint32]found, error) {
	out := make([]map[uint32]found, len(c.shards))
	err := c.each(ctx, func(ctx context.Context, i int, s *shard) error {
		out[i] = map[uint32]found{}
		ledger, err := c.entries(ctx, s)
		if err != nil {
			return err
		}
		rows, err := s.measure(ctx, c.names.rows)
		if err != nil {
			return err
		}
		for part, m := range rows {
			out[i][part] = found{has: m, stands: true}
		}
		for part, says := range ledger {
			f := out[i][part]
			f.says = says
			out[i][part] = f
		}
		return nil
	})
	return out, err
}

// measure reckons the measures of every part in a table, without the digest.
func (s *shard) measure(ctx context.Context, table string) (map[uint32]measures, error) {
	out := map[uint32]measures{}
	err := s.ask(ctx, "SELECT part, "+measuring(digestAt)+" FROM "+table+" GROUP BY part"+s.setting, func(scan func(...any) error) error {
		var part uint32
		var m measures
		err := scan(append([]any{&part}, m.scanned(digestAt)...)...)
		out[part] = m
		return err
	})
	return out, err
}

// entries are a shard's ledger.
func (c *Cluster) entries(ctx context.Context, s *shard) (map[uint32][]entry, error) {
	var list []string
	for _, m := range measured {
		list = append(list, m.name)
	}
	out := map[uint32][]entry{}
	err := s.ask(ctx, "SELECT part, sha256, "+strings.Join(list, ", ")+" FROM "+c.names.parts+s.setting, func(scan func(...any) error) error {
		var part uint32
		var e entry
		err := scan(append([]any{&part, &e.sha256}, e.scanned(len(measured))...)...)
		out[part] = append(out[part], e)
		return err
	})
	return out, err
}

// plan says which parts go to which shard, and which must go away first. A part is
// kept where exactly one shard holds it, as its ledger says.
func (c *Cluster) plan(there []map[uint32]found, out *Loaded) (todo [][]int, removed []uint32) {
	todo = make([][]int, len(there))
	var missing []int
	for n, p := range c.lake.Manifest.Parts {
		at, holders := -1, 0
		for i, held := range there {
			if f, ok := held[uint32(n)]; ok {
				at = i
				holders++
				if !f.whole(p) {
					holders = 2
				}
			}
		}
		switch {
		case holders == 1:
			out.Shards[at] += p.Rows
			continue
		case holders > 1:
			removed = append(removed, uint32(n))
		}
		missing = append(missing, n)
	}
	for _, held := range there {
		for part := range held {
			if int64(part) >= out.Parts {
				removed = append(removed, part)
			}
		}
	}
	slices.Sort(removed)
	removed = slices.Compact(removed)
	out.Removed = int64(len(removed))
	for _, n := range missing {
		p, least := c.lake.Manifest.Parts[n], slices.Index(out.Shards, slices.Min(out.Shards))
		todo[least] = append(todo[least], n)
		out.Shards[least] += p.Rows
		out.Sent += p.Rows
	}
	return todo, removed
}

// whole reports whether a shard's ledger and rows agree, and with the manifest.
func (f found) whole(p lake.Part) bool {
	return f.stands && len(f.says) == 1 && f.says[0].of(p) == nil && same(f.has, f.says[0].measures)
}

// same compares all but the digest.
func same(a, b measures) bool {
	a[digestAt] = b[digestAt]
	return a == b
}

// of says in what an entry is not of that part.
func (e entry) of(p lake.Part) error {
	first, last := p.Span(e.measures[firstAt], e.measures[lastAt])
	if e.sha256 != p.SHA256 || e.measures[countAt] != p.Rows || first != p.First || last != p.Last {
		return errors.New("the servers' ledger has other rows of it than the manifest")
	}
	return nil
}

// remove takes parts away, the ledger's word first, so that no moment shows a part
// as whole that is not.
func (c *Cluster) remove(ctx context.Context, s *shard, parts []uint32) error {
	for _, table := range []string{c.names.parts, c.names.rows} {
		for some := range slices.Chunk(parts, deleteMost) {
			var list []string
			for _, part := range some {
				list = append(list, strconv.Itoa(int(part)))
			}
			if err := s.run(ctx, "ALTER TABLE "+table+" DELETE WHERE part IN ("+strings.Join(list, ", ")+")"); err != nil {
				return err
			}
		}
		if len(parts) > 0 {
			if err := s.mutated(ctx, table); err != nil {
				return err
			}
		}
	}
	return nil
}

// mutated waits until a table's deletions are done.
func (s *shard) mutated(ctx context.Context, table string) error {
	database, name, _ := strings.Cut(table, ".")
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		left := uint64(0)
		err := s.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM system.mutations WHERE database = '%s' AND table = '%s' AND is_done = 0", database, name)).Scan(&left)
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// send reads parts and sends them to a shard, the next one read meanwhile.
func (c *Cluster) send(ctx context.Context, s *shard, parts []int) error {
	type read struct {
		n    int
		rows *lake.Rows
		is   measures
	}
	ready := make(chan read)
	to, err := clickhouse.Open(c.options(s.addr))
	if err != nil {
		return err
	}
	defer to.Close()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(ready)
		for _, n := range parts {
			rows, err := c.lake.Rows(c.lake.Manifest.Parts[n])
			if err != nil {
				return err
			}
			select {
			case ready <- read{n, rows, measure(rows)}:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	g.Go(func() error {
		for r := range ready {
			p := c.lake.Manifest.Parts[r.n]
			if err := c.sendPart(ctx, s, to, uint32(r.n), entry{p.SHA256, r.is}, r.rows); err != nil {
				return fmt.Errorf("%s: %w", p.Path, err)
			}
		}
		return nil
	})
	return g.Wait()
}

// sendPart sends a part as one block, which a server keeps whole or not at all, asks
// what arrived, and only then writes it into the ledger.
func (c *Cluster) sendPart(ctx context.Context, s *shard, to clickhouse.Conn, part uint32, e entry, rows *lake.Rows) error {
	if err := c.of(part, e); err != nil {
		return err
	}
	if err := c.insert(ctx, to, part, rows); err != nil {
		return err
	}
	var got measures
	err := s.conn.QueryRowContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE part = %d%s", measuring(len(measured)), c.names.rows, part, s.setting)).Scan(got.scanned(len(measured))...)
	if err != nil {
		return err
	}
	if got != e.measures {
		return fmt.Errorf("the server holds other rows than those that were sent (%d of %d; %v, not %v): somebody else writes there, or the driver and this server do not understand each other", got[countAt], e.measures[countAt], got, e.measures)
	}
	values := fmt.Sprintf("toUInt32(%d), '%s'", part, e.sha256)
	names := "part, sha256"
	for i, m := range measured {
		values += fmt.Sprintf(", toInt64(%d)", e.measures[i])
		names += ", " + m.name
	}
	return s.run(ctx, "INSERT INTO "+c.names.parts+" ("+names+") SELECT "+values)
}

func (c *Cluster) of(part uint32, e entry) error { return e.of(c.lake.Manifest.Parts[part]) }

// insert sends rows. The columns are named: 18.16 tells nothing of them otherwise,
// and the driver then expects none.
func (c *Cluster) insert(ctx context.Context, to clickhouse.Conn, part uint32, rows *lake.Rows) error {
	names := "part"
	for _, col := range columns {
		names += ", " + col.name
	}
	b, err := to.PrepareBatch(ctx, "INSERT INTO "+c.names.rows+" ("+names+")")
	if err != nil {
		return err
	}
	if n := len(b.Columns()); n != 1+len(columns) {
		return errors.Join(fmt.Errorf("the server's table has %d of %d columns", n, 1+len(columns)), b.Abort())
	}
	err = b.Column(0).Append(slices.Repeat([]uint32{part}, rows.Count))
	for i, col := range columns {
		if err == nil {
			err = b.Column(1 + i).Append(values(rows, col.name, col.kind))
		}
	}
	if err != nil {
		return errors.Join(err, b.Abort())
	}
	return b.Send()
}

// values are a column as the driver takes it.
func values(rows *lake.Rows, name, kind string) any {
	switch kind {
	case "Int64":
		return rows.Numbers[name]
	case "Int32":
		return narrowed[int32](rows.Numbers[name])
	case "UInt8":
		return narrowed[uint8](rows.Numbers[name])
	case "Nullable(FixedString(16))":
		out := make([]*string, rows.Count)
		for i := range out {
			if rows.Texts[name][i] != "" {
				out[i] = &rows.Texts[name][i]
			}
		}
		return out
	default:
		return rows.Texts[name]
	}
}

func narrowed[T int32 | uint8](wide []int64) []T {
	out := make([]T, len(wide))
	for i, v := range wide {
		out[i] = T(v)
	}
	return out
}
