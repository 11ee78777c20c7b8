package shards

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"concert/internal/testkit"
)

// envRequireEngines makes it a failure that an engine is not installed.
const envRequireEngines = "CONCERT_TEST_REQUIRE_ENGINES"

// The root element is what every version reads. The servers name one another by their own ports, whoever stands before them.
const serverConfig = `<yandex>
<logger><level>warning</level><console>1</console></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>%[1]d</tcp_port>
<path>%[2]s/data/</path><tmp_path>%[2]s/tmp/</tmp_path><user_files_path>%[2]s/files/</user_files_path><format_schema_path>%[2]s/schemas/</format_schema_path>
<users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>67108864</mark_cache_size><max_concurrent_queries>50</max_concurrent_queries>
<remote_servers><concert>%[3]s</concert></remote_servers>%[4]s
</yandex>`

const serverUsers = `<yandex><profiles><default>%s</default></profiles><users>
<default><password>%s</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
</users><quotas><default/></quotas></yandex>`

// serverScript keeps one server for as long as its own standard input is open: however the test's process ends, the kernel
// closes the pipe and the server is gone at once, as by kill -9.
const serverScript = `"$BIN" --config-file="$DIR/config.xml" >>"$DIR/log" 2>&1 </dev/null &
read -r end
kill -9 $!
wait $! 2>/dev/null`

// server is one clickhouse-server of the distribution on a loopback port.
type server struct {
	t    testing.TB
	bin  string
	dir  string
	addr string
	cmd  *exec.Cmd
	life io.WriteCloser

	port int
	more string // of its configuration
}

// trio starts three servers that know one another as cluster concert, with something in their profile.
func trio(t testing.TB, profile string) []*server {
	t.Helper()
	bin := findServer(t)
	var out []*server
	for i := range 3 {
		port := freePort(t)
		s := &server{t: t, bin: bin, dir: filepath.Join(t.TempDir(), fmt.Sprint("clickhouse", i)), addr: fmt.Sprintf("127.0.0.1:%d", port), port: port}
		testkit.Must(t, os.MkdirAll(s.dir, 0o700))
		t.Cleanup(s.kill)
		out = append(out, s)
	}
	for _, s := range out {
		s.knows(out...)
		s.profile(profile, "")
		s.launch()
	}
	for _, s := range out {
		s.await()
	}
	return out
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// knows says which servers are cluster concert to this one, once it is started again.
func (s *server) knows(others ...*server) {
	s.t.Helper()
	shards := ""
	for _, o := range others {
		shards += fmt.Sprintf("<shard><replica><host>127.0.0.1</host><port>%d</port></replica></shard>", o.port)
	}
	s.write("config.xml", fmt.Sprintf(serverConfig, s.port, s.dir, shards, s.more))
}

func findServer(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"clickhouse-server", "/usr/sbin/clickhouse-server", "/usr/bin/clickhouse-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "clickhouse-server is not installed (Debian's package of that name): a cluster is not tested"
	if os.Getenv(envRequireEngines) != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

func (s *server) write(name, text string) {
	s.t.Helper()
	testkit.Must(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// profile says with what settings the server's user asks when they say nothing, and the user's password. A server reads it when it starts.
func (s *server) profile(profile, password string) {
	s.t.Helper()
	s.write("users.xml", fmt.Sprintf(serverUsers, profile, password))
}

// launch starts the server.
func (s *server) launch() {
	s.t.Helper()
	s.cmd = exec.Command("sh", "-c", serverScript)
	s.cmd.Env = append(os.Environ(), "BIN="+s.bin, "DIR="+s.dir)
	var err error
	s.life, err = s.cmd.StdinPipe()
	testkit.Must(s.t, err)
	testkit.Must(s.t, s.cmd.Start())
}

// await waits until the server takes questions.
func (s *server) await() {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(60 * time.Second); ; {
		if c, err := net.Dial("tcp", s.addr); err == nil {
			testkit.Must(s.t, c.Close())
			return
		}
		select {
		case <-deadline:
			log, err := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("%s did not start in a minute: %s %v", s.bin, log, err)
		case <-tick.C:
		}
	}
}

// kill ends the server as kill -9 does. It may be called again.
func (s *server) kill() {
	if s.life == nil {
		return
	}
	s.life.Close()
	s.cmd.Wait()
	s.life = nil
}

// restart starts the server again after kill.
func (s *server) restart() {
	s.t.Helper()
	s.kill()
	s.launch()
	s.await()
}

// forget removes what the server holds.
func (s *server) forget() {
	s.t.Helper()
	testkit.Must(s.t, os.RemoveAll(filepath.Join(s.dir, "data")))
}

// run makes the server do something past the product, as somebody else would.
func (s *server) run(statement string) {
	s.t.Helper()
	db := clickhouse.OpenDB(&clickhouse.Options{Addr: []string{s.addr}})
	defer db.Close()
	_, err := db.Exec(statement)
	testkit.Must(s.t, err)
}

// delete makes the server forget rows of a table, and waits for it.
func (s *server) delete(table, where string) {
	s.t.Helper()
	s.run("ALTER TABLE " + table + " DELETE WHERE " + where)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(60 * time.Second); s.number("SELECT toInt64(count(*)) FROM system.mutations WHERE is_done = 0") > 0; {
		select {
		case <-deadline:
			s.t.Fatal("rows are not deleted in a minute")
		case <-tick.C:
		}
	}
}

func (s *server) number(question string) (n int64) {
	s.t.Helper()
	db := clickhouse.OpenDB(&clickhouse.Options{Addr: []string{s.addr}})
	defer db.Close()
	testkit.Must(s.t, func(row *sql.Row) error { return row.Scan(&n) }(db.QueryRow(question)))
	return n
}

// addressOf names servers, or what stands before them.
func addressOf(addrs ...string) string {
	return "clickhouse://" + strings.Join(addrs, ",") + "/default"
}

func addresses(servers []*server) (out []string) {
	for _, s := range servers {
		out = append(out, s.addr)
	}
	return out
}

// proxy stands before a server and shows what a client sends before it is passed on. It ends with the test.
func proxy(t testing.TB, to string, seen func(sent []byte)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer from.Close()
				there, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer there.Close()
				go func() {
					io.Copy(from, there)
					from.Close()
				}()
				buf := make([]byte, 32<<10)
				for {
					n, err := from.Read(buf)
					if n > 0 {
						seen(buf[:n])
						if _, err := there.Write(buf[:n]); err != nil {
							return
						}
					}
					if err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}
