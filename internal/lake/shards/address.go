package shards

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultPort       = "9000"
	defaultSecurePort = "9440"
	// defaultCluster is the name by which the servers' configuration lists all shards.
	defaultCluster = "concert"
	shardsMost     = 256
)

// Address says where the shards are. It holds no user and no password.
type Address struct {
	Shards   []string // host:port, in the order given; the first one answers for all
	Database string
	Cluster  string // how the servers' configuration (remote_servers) names the shards together
	Secure   bool   // TLS; without it only loopback addresses are connected to
}

// Login is who asks. It is given apart from the address, which stands in command
// lines and messages.
type Login struct{ User, Password string }

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// ParseAddress reads clickhouse://host[:port][,host[:port]…]/database[?secure=true][&cluster=NAME].
func ParseAddress(text string) (Address, error) {
	rest, ok := strings.CutPrefix(text, "clickhouse://")
	if !ok {
		return Address{}, errors.New("an address of ClickHouse begins with clickhouse://, as clickhouse://host:9000,host2:9000/database")
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(rest, "/")
	if strings.Contains(hosts, "@") {
		return Address{}, errors.New("an address of ClickHouse holds no user and no password: put them into CONCERT_CLICKHOUSE_USER and CONCERT_CLICKHOUSE_PASSWORD")
	}
	a := Address{Database: database, Cluster: defaultCluster}
	if err := a.options(query); err != nil {
		return Address{}, err
	}
	if !plainName.MatchString(a.Database) || !plainName.MatchString(a.Cluster) {
		return Address{}, fmt.Errorf("%.80q or %.80q is no name of a database or cluster: letters, digits and underscores, as in clickhouse://host:9000/database", a.Database, a.Cluster)
	}
	for host := range strings.SplitSeq(hosts, ",") {
		shard, err := a.shard(host)
		if err != nil {
			return Address{}, err
		}
		if slices.Contains(a.Shards, shard) {
			return Address{}, fmt.Errorf("the address names %s twice: each shard is named once", shard)
		}
		a.Shards = append(a.Shards, shard)
	}
	if len(a.Shards) > shardsMost {
		return Address{}, fmt.Errorf("the address names %d shards, more than %d", len(a.Shards), shardsMost)
	}
	return a, nil
}

func (a *Address) options(query string) error {
	options, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("the address's options cannot be read: %.80q", query)
	}
	for name, values := range options {
		switch name {
		case "secure":
			if a.Secure, err = strconv.ParseBool(values[0]); err != nil {
				return fmt.Errorf("secure is true or false, not %.80q", values[0])
			}
		case "cluster":
			a.Cluster = values[0]
		default:
			return fmt.Errorf("the address has an option %.80q; there are secure and cluster", name)
		}
	}
	return nil
}

// shard completes a host with its port.
func (a *Address) shard(host string) (string, error) {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), defaultPort
		if a.Secure {
			port = defaultSecurePort
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || name == "" || strings.ContainsAny(name, "/ []") {
		return "", fmt.Errorf("%.80q is no host or host:port", host)
	}
	return net.JoinHostPort(name, port), nil
}
