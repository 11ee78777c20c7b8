package testkit

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// serverScript keeps one PostgreSQL for as long as its own standard input is open. The test process holds the other end:
// however it ends, the kernel closes the pipe, the server stops at once and its directory goes. A line "stop" stops the server
// at once, as pg_ctl stop -m immediate does, and a line "start" starts it again.
const serverScript = `
start() {
	"$BIN/postgres" -D "$DIR/data" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$SOCKETS" \
		-c max_connections=200 -c fsync=on -c max_wal_size=256MB >"$DIR/log" 2>&1 </dev/null &
	server=$!
}
start
while read -r what; do
	case $what in
	stop) kill -QUIT "$server"; wait "$server" || true ;;
	start) start ;;
	esac
done
kill -QUIT "$server" 2>/dev/null
wait "$server" || true
cd / && rm -rf "$DIR"
`

// server is a running PostgreSQL. It must stay reachable as long as it is needed: the collector would close its pipe.
type server struct {
	dsn  string // of the maintenance database
	dir  string
	cmd  *exec.Cmd
	life io.WriteCloser
}

// startPostgres makes a cluster in a temporary directory and starts a server on a free port of the loopback address.
func startPostgres() (*server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	account, err := serverAccount()
	if err != nil {
		return nil, err
	}
	// A port that is free now may be another process's a moment later; then this server gives up and the next port is tried.
	for attempt := 1; ; attempt++ {
		s, err := tryPostgres(bin, account)
		if err == nil || attempt == 3 {
			return s, err
		}
	}
}

func tryPostgres(bin string, account *syscall.Credential) (*server, error) {
	dir, err := os.MkdirTemp(clusterParent(), "concert-pg-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the test PostgreSQL: %w", err)
	}
	password := rand.Text()
	if err := initCluster(bin, dir, password, account); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &server{dir: dir, dsn: (&url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/postgres", RawQuery: "sslmode=disable",
	}).String()}
	if err := s.start(bin, port, account); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.awaitReady(); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// clusterParent is where clusters live: memory where two GiB of it are free, since a database is 300 files and a slow disk takes
// ten times as long to make them (25 ms against 300 measured); else, or when TMPDIR is set, the directory for temporary files.
// fsync is on either way, but a measurement of durable commits wants TMPDIR on a real disk.
func clusterParent() string {
	const memory, tmpfs, enough = "/dev/shm", 0x01021994, 2 << 30
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") != "" || syscall.Statfs(memory, &fs) != nil || fs.Type != tmpfs || fs.Bavail*uint64(fs.Bsize) < enough {
		return os.TempDir()
	}
	return memory
}

// postgresBin finds the directory with initdb and postgres: Debian's newest, else what PATH offers.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	best, newest := "", 0
	for _, path := range found {
		bin := filepath.Dir(path)
		if n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && n > newest {
			best, newest = bin, n
		}
	}
	if best != "" {
		return best, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	return "", errNoPostgres
}

// serverAccount returns whom the server runs as: nil for the present user, the account "postgres" when that user is root,
// whom PostgreSQL refuses.
func serverAccount() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL refuses to run as root and there is no user postgres (Debian's package makes it): %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user id of postgres: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group id of postgres: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func initCluster(bin, dir, password string, account *syscall.Credential) error {
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if account != nil {
		for _, path := range []string{dir, secret} {
			if err := os.Chown(path, int(account.Uid), int(account.Gid)); err != nil {
				return fmt.Errorf("hand the test PostgreSQL its directory: %w", err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// --no-sync spares the flush of an empty cluster; the running server keeps fsync on.
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "--no-sync", "-U", "postgres",
		"--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", secret)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", dir, err, out)
	}
	return nil
}

// start runs serverScript in a session of its own, so that an interrupt at the terminal reaches the tests first.
func (s *server) start(bin string, port int, account *syscall.Credential) error {
	// A socket path holds 107 bytes; below a long TMPDIR the server does without.
	sockets := s.dir
	if len(sockets) > 85 {
		sockets = ""
	}
	s.cmd = exec.Command("/bin/sh", "-c", serverScript)
	s.cmd.Dir = s.dir
	s.cmd.Env = append(os.Environ(), "BIN="+bin, "DIR="+s.dir, "PORT="+strconv.Itoa(port), "SOCKETS="+sockets, "LC_ALL=C.UTF-8")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account, Setsid: true}
	life, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	s.life = life
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start the test PostgreSQL: %w", err)
	}
	return nil
}

// OwnServer is a PostgreSQL that a test has to itself and may stop and start.
type OwnServer struct {
	DSN string // of an empty database
	s   *server
}

// OwnPostgres starts one that ends with the test. Without PostgreSQL the test is skipped, or failed, as with Postgres.
func OwnPostgres(t testing.TB) *OwnServer {
	t.Helper()
	s, err := startPostgres()
	if errors.Is(err, errNoPostgres) && os.Getenv(EnvRequirePostgres) != "1" && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	Must(t, err)
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("stop the test's own PostgreSQL: %v", err)
		}
	})
	return &OwnServer{s.dsn, s}
}

// Stop stops the server at once: connections break, commits that were acknowledged are kept.
func (o *OwnServer) Stop(t testing.TB) {
	t.Helper()
	_, err := io.WriteString(o.s.life, "stop\n")
	Must(t, err)
}

// Start starts it again and waits until it answers.
func (o *OwnServer) Start(t testing.TB) {
	t.Helper()
	_, err := io.WriteString(o.s.life, "start\n")
	Must(t, err)
	Must(t, o.s.awaitReady())
}

// stop ends the server, waits for it and removes its directory.
func (s *server) stop() error {
	return errors.Join(s.life.Close(), s.cmd.Wait())
}

func (s *server) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		if bytes.Contains(log, []byte("FATAL:  could not")) {
			return fmt.Errorf("the test PostgreSQL gave up: %s", bytes.TrimSpace(log))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no connection to the test PostgreSQL within 30 s: %w\n%s", err, log)
		case <-tick.C:
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
