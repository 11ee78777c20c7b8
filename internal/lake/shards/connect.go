package shards

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"concert/internal/lake"
	"concert/internal/netguard"
)

const (
	dialTimeout = 10 * time.Second
	// forever is longer than any question or connection lasts; who gives up cancels.
	forever = 365 * 24 * time.Hour
)

// Cluster is a lake on its shards, over one connection to each. It is for one
// goroutine.
type Cluster struct {
	lake   *lake.Lake
	at     Address
	who    Login
	shards []*shard
	names  names
}

// shard is one server, over the one connection that is made to it: where it breaks,
// nothing more is asked, since whatever answers a new one may be another server, or
// the same one with other rows. The driver's own pool connects again in silence.
type shard struct {
	addr    string
	db      *sql.DB
	conn    *sql.Conn
	version string
	setting string // the clause that ends every question
}

// Open connects to every shard and refuses those that this program cannot trust
// with a question: see accepted and questionSettings.
func Open(ctx context.Context, l *lake.Lake, at Address, who Login) (*Cluster, error) {
	c := &Cluster{lake: l, at: at, who: who, names: namesOf(l.Digest, at.Database)}
	for _, addr := range at.Shards {
		c.shards = append(c.shards, &shard{addr: addr, db: clickhouse.OpenDB(c.options(addr))})
	}
	err := c.each(ctx, func(ctx context.Context, _ int, s *shard) error { return s.meet(ctx) })
	for _, s := range c.shards {
		if err == nil && s.version != c.shards[0].version {
			err = fmt.Errorf("%s is ClickHouse %s and %s is %s: the servers of a cluster are of one version", c.shards[0].addr, c.shards[0].version, s.addr, s.version)
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close ends the connections.
func (c *Cluster) Close() error {
	var err error
	for _, s := range c.shards {
		if s.conn != nil {
			// A connection that broke was told of when it did.
			if broke := s.conn.Close(); !errors.Is(broke, driver.ErrBadConn) && !errors.Is(broke, sql.ErrConnDone) {
				err = errors.Join(err, broke)
			}
		}
		err = errors.Join(err, s.db.Close())
	}
	return err
}

// each does something with every shard side by side; an error names its shard.
func (c *Cluster) each(ctx context.Context, do func(context.Context, int, *shard) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, s := range c.shards {
		g.Go(func() error {
			if err := do(ctx, i, s); err != nil {
				return c.failed(s, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (c *Cluster) failed(s *shard, err error) error {
	return fmt.Errorf("shard %s: %w", s.addr, err)
}

func (c *Cluster) options(addr string) *clickhouse.Options {
	return &clickhouse.Options{
		Addr:        []string{addr},
		Auth:        clickhouse.Auth{Database: c.at.Database, Username: cmp.Or(c.who.User, "default"), Password: c.who.Password},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		DialContext: dialer(c.at.Secure), DialTimeout: dialTimeout,
		ReadTimeout: forever, ConnMaxLifetime: forever,
	}
}

// dialer connects under TLS, or to this machine alone.
func dialer(secure bool) func(context.Context, string) (net.Conn, error) {
	if secure {
		overTLS := &tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: &tls.Config{MinVersion: tls.VersionTLS12}}
		return func(ctx context.Context, addr string) (net.Conn, error) { return overTLS.DialContext(ctx, "tcp", addr) }
	}
	here := netguard.Only(netguard.Loopback()...).Dialer(dialTimeout, nil)
	return func(ctx context.Context, addr string) (net.Conn, error) {
		c, err := here(ctx, "tcp", addr)
		if _, refused := errors.AsType[*netguard.RefusedError](err); refused {
			err = fmt.Errorf("%s is not on this machine, and rows and passwords travel there under TLS only: add ?secure=true", addr)
		}
		return c, err
	}
}

// meet learns what a server is, and that questions can be asked of it by our rules.
func (s *shard) meet(ctx context.Context) (err error) {
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return fmt.Errorf("it does not answer, and no answer is given without it: %w", err)
	}
	var version string
	if err := s.conn.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return err
	}
	if s.version, err = accepted(version); err != nil {
		return err
	}
	return s.settle(ctx)
}

// accepted are the versions that the driver supports, and the one of Debian, which
// this package is tested with. Between them lie twenty that neither vouches for, and
// a driver that mistakes an answer is not noticed (clickhouse-go #727, #750, #978).
func accepted(version string) (string, error) {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return "", fmt.Errorf("it says that it is ClickHouse %.40q", version)
	}
	if old := major == 18 && minor == 16; !old && major < 25 || major == 25 && minor < 8 {
		return "", fmt.Errorf("ClickHouse %d.%d is neither 18.16 nor 25.8 or later, and what the driver makes of its answers was tried by nobody", major, minor)
	}
	return fmt.Sprintf("%d.%d", major, minor), nil
}

// ask takes an answer's rows one by one.
func (s *shard) ask(ctx context.Context, question string, row func(scan func(...any) error) error) error {
	rows, err := s.conn.QueryContext(ctx, question)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *shard) run(ctx context.Context, statement string) error {
	_, err := s.conn.ExecContext(ctx, statement)
	return err
}
