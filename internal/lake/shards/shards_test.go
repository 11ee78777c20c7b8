package shards

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"concert/internal/lake"
	"concert/internal/testkit"
	"concert/internal/vault"
)

// envLoader makes the test's program load a lake and end: the process that a test kills.
const envLoader = "CONCERT_TEST_LOADER"

func TestMain(m *testing.M) {
	if job := os.Getenv(envLoader); job != "" {
		dir, address, _ := strings.Cut(job, "\n")
		if err := loadOnce(dir, address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func loadOnce(dir, address string) error {
	l, err := lake.Open(dir, nil)
	if err != nil {
		return err
	}
	at, err := ParseAddress(address)
	if err != nil {
		return err
	}
	c, err := Open(context.Background(), l, at, Login{})
	if err != nil {
		return err
	}
	_, err = c.Load(context.Background())
	return err
}

// logsOf are generated lines in several logs, so that a lake of them has parts enough for every shard, and one of odd lines.
func logsOf(t testing.TB, lines int) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.log")
	if out, err := exec.Command("go", "run", "../../../bench/gen-accesslog", "-lines", fmt.Sprint(lines), "-o", whole).CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	text, err := os.ReadFile(whole)
	testkit.Must(t, err)
	for n := 0; len(text) > 0; n++ {
		end := min(len(text), 2<<20)
		if nl := bytes.IndexByte(text[end:], '\n'); nl >= 0 {
			end += nl + 1
		}
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("access.%d.log", n)))
		testkit.Must(t, os.WriteFile(paths[n], text[:end], 0o600))
		text = text[end:]
	}
	odd := filepath.Join(dir, "odd.log")
	testkit.Must(t, os.WriteFile(odd, []byte(oddLines()), 0o600))
	return append(paths, odd)
}

// oddLines hold bytes and times that an engine or a driver could make something else of.
func oddLines() string {
	var b strings.Builder
	for i, path := range []string{"/it's", `/back\slash`, "/\xff\xfe\x80", "/\x01\x02\b\f", "/\u00e4\U0001f600", "/tab\there", "/%00%0a", "/" + strings.Repeat("long", 2000), "/?", "//"} {
		for n := range 400 + i {
			fmt.Fprintf(&b, "203.0.113.%d - %s [05/Feb/2017:10:%02d:%02d +0000] \"GET %s HTTP/1.1\" %d %d \"-\" \"Mozilla/5.0 EXERCISE\"\n", n%200, []string{"-", "EXERCISE"}[n%2], n/60, n%60, path, 100+n, n*n)
		}
	}
	for _, year := range []int{1970, 1989, 2099, 9999} {
		fmt.Fprintf(&b, "203.0.113.9 - EXERCISE [01/Jan/%d:00:00:00 +0000] \"GET /time HTTP/1.1\" 200 9223372036854775807 \"-\" \"Googlebot/2.1\"\n", year)
	}
	b.WriteString("203.0.113.9 - - [05/Feb/2017:11:00:00 +0000] \"-\" 408 - \"-\" \"-\"\n")
	return b.String()
}

// lakeOf makes a lake of logs.
func lakeOf(t testing.TB, paths ...string) *lake.Lake {
	t.Helper()
	var who []vault.Custodian
	for i := range 2 {
		k, err := age.GenerateX25519Identity()
		testkit.Must(t, err)
		who = append(who, vault.Custodian{Name: fmt.Sprint("EXERCISE Custodian ", i), Recipient: k.Recipient().String()})
	}
	job := lake.Job{Dir: filepath.Join(t.TempDir(), "lake"), Paths: paths, Case: "EXERCISE", Epoch: "1", By: "EXERCISE Analyst", Program: "concert test",
		Now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), Custodians: who, Needed: 2}
	_, err := lake.Write(t.Context(), job)
	testkit.Must(t, err)
	l, err := lake.Open(job.Dir, nil)
	testkit.Must(t, err)
	return l
}

func open(t testing.TB, l *lake.Lake, address string) (*Cluster, error) {
	t.Helper()
	at, err := ParseAddress(address)
	testkit.Must(t, err)
	c, err := Open(t.Context(), l, at, Login{})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func load(t testing.TB, l *lake.Lake, address string) *Loaded {
	t.Helper()
	c, err := open(t, l, address)
	testkit.Must(t, err)
	done, err := c.Load(t.Context())
	testkit.Must(t, err)
	return done
}

// asked is an answer as text and as JSON, from the files where the address is empty.
func asked(t testing.TB, l *lake.Lake, address, name, pseudonym string) (string, error) {
	t.Helper()
	q, err := lake.FindQuery(name)
	testkit.Must(t, err)
	ask := l.Ask
	if address != "" {
		c, err := open(t, l, address)
		if err != nil {
			return "", err
		}
		ask = c.Ask
	}
	r, err := ask(t.Context(), q, pseudonym)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	testkit.Must(t, r.WriteTSV(&b))
	testkit.Must(t, r.WriteJSON(&b))
	released, err := r.Released()
	fmt.Fprintln(&b, "released:", err)
	if err == nil {
		testkit.Must(t, released.WriteJSON(&b))
	}
	return b.String(), nil
}

// sameBytes holds every question's answer against the files'.
func sameBytes(t testing.TB, files, there *lake.Lake, address string) {
	t.Helper()
	users, err := asked(t, files, "", "users", "")
	testkit.Must(t, err)
	user := users[:32]
	rows, err := files.Rows(files.Manifest.Parts[0])
	testkit.Must(t, err)
	visitor := hex.EncodeToString([]byte(rows.Texts["visitor"][0]))
	for _, q := range lake.Catalogue() {
		pseudonyms := []string{""}
		if q.Name == "timeline" {
			pseudonyms = []string{user, visitor, strings.Repeat("0", 32)}
		}
		for _, p := range pseudonyms {
			want, err := asked(t, files, "", q.Name, p)
			testkit.Must(t, err)
			got, err := asked(t, there, address, q.Name, p)
			testkit.Must(t, err)
			if got != want {
				t.Errorf("%s: the cluster answers\n%.2000s\nand the files\n%.2000s", q.Name, got, want)
			}
		}
	}
}

// refused wants an error for every question, with all these words in it.
func refused(t testing.TB, l *lake.Lake, address string, words ...string) {
	t.Helper()
	for _, q := range lake.Catalogue() {
		pseudonym := ""
		if q.Name == "timeline" {
			pseudonym = strings.Repeat("0", 32)
		}
		got, err := asked(t, l, address, q.Name, pseudonym)
		if err == nil {
			t.Fatalf("%s is answered: %.300s", q.Name, got)
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s is refused, and %q is not said: %v", q.Name, word, err)
			}
		}
	}
}

func TestClusterGivesTheSameBytes(t *testing.T) {
	servers := trio(t, "<count_distinct_implementation>uniq</count_distinct_implementation>")
	address := addressOf(addresses(servers)...)
	l := lakeOf(t, logsOf(t, 50_000)...)
	refused(t, l, address, "accesslog load")
	done := load(t, l, address)
	if done.Sent != l.Manifest.Rows || done.Removed != 0 {
		t.Fatalf("the first load says %+v of %d rows", done, l.Manifest.Rows)
	}
	table := namesOf(l.Digest, "default").rows
	for i, s := range servers {
		if n := s.number("SELECT toInt64(count(*)) FROM " + table); n != done.Shards[i] || n == 0 {
			t.Errorf("shard %d holds %d rows, the load said %d", i, n, done.Shards[i])
		}
	}
	sameBytes(t, l, l, address)
	if again := load(t, l, address); again.Sent != 0 || again.Removed != 0 {
		t.Errorf("loading again says %+v, and all was there", again)
	}

	t.Run("the manifest is enough", func(t *testing.T) {
		dir := t.TempDir()
		text, err := os.ReadFile(filepath.Join(l.Dir, "manifest.json"))
		testkit.Must(t, err)
		testkit.Must(t, os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600))
		alone, err := lake.OpenManifest(dir, nil)
		testkit.Must(t, err)
		sameBytes(t, l, alone, address)
	})
	t.Run("one shard", func(t *testing.T) {
		small := lakeOf(t, logsOf(t, 1000)...)
		load(t, small, addressOf(servers[1].addr))
		sameBytes(t, small, small, addressOf(servers[1].addr))
		sameBytes(t, l, l, address)
	})
	t.Run("a lake without a row", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "garbage.log")
		testkit.Must(t, os.WriteFile(path, []byte("EXERCISE garbage\n"), 0o600))
		empty := lakeOf(t, path)
		load(t, empty, address)
		for _, name := range []string{"visitors", "status", "days", "paths", "users"} {
			want, err := asked(t, empty, "", name, "")
			testkit.Must(t, err)
			got, err := asked(t, empty, address, name, "")
			testkit.Must(t, err)
			if got != want {
				t.Errorf("%s: %s instead of %s", name, got, want)
			}
		}
	})
	t.Run("a changed part does not go", func(t *testing.T) {
		broken := lakeOf(t, logsOf(t, 1000)...)
		path := filepath.Join(broken.Dir, broken.Manifest.Parts[0].Path)
		raw, err := os.ReadFile(path)
		testkit.Must(t, err)
		raw[len(raw)/2] ^= 1
		testkit.Must(t, os.Chmod(path, 0o600))
		testkit.Must(t, os.WriteFile(path, raw, 0o600))
		c, err := open(t, broken, address)
		testkit.Must(t, err)
		if _, err := c.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "not as it was written") {
			t.Errorf("a part whose digest is another's is loaded: %v", err)
		}
		refused(t, broken, address, "loaded 0 times")
	})
	t.Run("dropped", func(t *testing.T) {
		c, err := open(t, l, address)
		testkit.Must(t, err)
		testkit.Must(t, c.Drop(t.Context()))
		refused(t, l, address, "accesslog load")
		if n := servers[0].number("SELECT toInt64(count(*)) FROM system.tables WHERE name LIKE '%" + l.Digest + "%'"); n != 0 {
			t.Errorf("%d tables are left", n)
		}
	})
}

func TestShardGone(t *testing.T) {
	for _, profile := range []string{"", "<skip_unavailable_shards>1</skip_unavailable_shards>"} {
		servers := trio(t, profile)
		address := addressOf(addresses(servers)...)
		l := lakeOf(t, logsOf(t, 3000)...)
		load(t, l, address)
		for _, s := range servers {
			s.kill()
			refused(t, l, address, s.addr, "no answer")
			s.restart()
			sameBytes(t, l, l, address)
		}
		servers[2].kill()
		servers[2].forget()
		servers[2].restart()
		refused(t, l, address, servers[2].addr, "no rows of this lake")
		load(t, l, address)
		sameBytes(t, l, l, address)
	}
}

func TestOtherRows(t *testing.T) {
	servers := trio(t, "")
	address := addressOf(addresses(servers)...)
	l := lakeOf(t, logsOf(t, 3000)...)
	load(t, l, address)
	names := namesOf(l.Digest, "default")
	part := servers[1].number("SELECT toInt64(min(part)) FROM " + names.rows)
	path := l.Manifest.Parts[part].Path
	all := "part"
	for _, c := range columns {
		all += ", " + c.name
	}
	copied := func(where string, changed ...string) string {
		return "INSERT INTO " + names.rows + " (" + all + ") SELECT " + strings.NewReplacer(changed...).Replace(all) + " FROM " + names.rows + " WHERE " + where
	}
	whole := fmt.Sprint("part = ", part)
	one := fmt.Sprintf("%s AND off = %d", whole, servers[1].number("SELECT max(off) FROM "+names.rows+" WHERE "+whole))
	other := lakeOf(t, logsOf(t, 3000)...)
	load(t, other, addressOf(servers[1].addr))
	do := servers[1].run
	for name, c := range map[string]struct {
		do    func()
		words []string
	}{
		"a doubled part":       {func() { do(copied(whole)) }, []string{path, servers[1].addr, "load the lake again"}},
		"a row more":           {func() { do(copied(one)) }, []string{path, "load the lake again"}},
		"a row less":           {func() { servers[1].delete(names.rows, one) }, []string{path, servers[1].addr + " holds"}},
		"a part less":          {func() { servers[1].delete(names.rows, whole) }, []string{path, servers[1].addr + " holds 0"}},
		"a part on two shards": {func() { loadPart(t, l, servers[0].addr, int(part)) }, []string{path, "loaded 2 times"}},
		"a foreign part":       {func() { do(copied(one, "part", "toUInt32(99999)")) }, []string{"99999", servers[1].addr + " holds 1"}},
		"a changed row": {func() {
			do(copied(one, "off", "toInt64(off + 1)"))
			servers[1].delete(names.rows, one)
		}, []string{path, "other rows than those that were loaded"}},
		"another lake's rows": {func() {
			servers[1].delete(names.rows, whole)
			do(fmt.Sprintf("INSERT INTO %s (%s) SELECT toUInt32(%d)%s FROM %s LIMIT %d", names.rows, all, part, strings.TrimPrefix(all, "part"), namesOf(other.Digest, "default").rows, l.Manifest.Parts[part].Rows))
		}, []string{path, "other rows than those that were loaded"}},
		"no ledger":        {func() { servers[1].delete(names.parts, "1") }, []string{"loaded 0 times"}},
		"the ledger twice": {func() { do("INSERT INTO " + names.parts + " SELECT * FROM " + names.parts) }, []string{"loaded 2 times"}},
		"another lake's ledger": {func() {
			do(fmt.Sprintf("INSERT INTO %s (part, sha256) SELECT toUInt32(%d), 'EXERCISE'", names.parts, part))
		}, []string{"other rows of it than the manifest"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.do()
			refused(t, l, address, c.words...)
			if done := load(t, l, address); done.Removed == 0 {
				t.Errorf("loading again says %+v", done)
			}
			sameBytes(t, l, l, address)
		})
	}
}

// loadPart sends one part to a shard, whatever other shards hold.
func loadPart(t testing.TB, l *lake.Lake, addr string, part int) {
	t.Helper()
	c, err := open(t, l, addressOf(addr))
	testkit.Must(t, err)
	testkit.Must(t, c.send(t.Context(), c.shards[0], []int{part}))
}

// A shard that goes away between the comparison and the answer, or is away for that moment only.
func TestShardGoneInBetween(t *testing.T) {
	servers := trio(t, "<skip_unavailable_shards>1</skip_unavailable_shards>")
	l := lakeOf(t, logsOf(t, 3000)...)
	load(t, l, addressOf(addresses(servers)...))
	for name, then := range map[string]func(){"gone": func() {}, "back": func() { servers[2].restart() }} {
		var once sync.Once
		front := proxy(t, servers[0].addr, func(sent []byte) {
			if bytes.Contains(sent, []byte("GROUP BY status")) {
				once.Do(func() { servers[2].kill(); then() })
			}
		})
		got, err := asked(t, l, addressOf(front, servers[1].addr, servers[2].addr), "status", "")
		if err == nil || !strings.Contains(err.Error(), servers[2].addr) {
			t.Errorf("%s: %v, %.200s", name, err, got)
		}
		servers[2].restart()
	}
}

func TestLoaderKilled(t *testing.T) {
	servers := trio(t, "")
	address := addressOf(addresses(servers)...)
	l := lakeOf(t, logsOf(t, 50_000)...)
	table := namesOf(l.Digest, "default")
	// The proxy holds the second shard's bytes back in the midst of a part, so that the process dies there.
	var sent atomic.Int64
	stuck, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	front := proxy(t, servers[1].addr, func(b []byte) {
		if before := sent.Add(int64(len(b))); before > 300_000 && before-int64(len(b)) <= 300_000 {
			close(stuck)
			<-release
		}
	})
	loader := exec.Command(os.Args[0])
	loader.Env = append(os.Environ(), envLoader+"="+l.Dir+"\n"+addressOf(servers[0].addr, front, servers[2].addr))
	testkit.Must(t, loader.Start())
	<-stuck
	awaitPart(t, servers[0], table.parts)
	testkit.Must(t, loader.Process.Kill())
	if err := loader.Wait(); err == nil {
		t.Fatal("the loader was done before it was killed")
	}
	refused(t, l, address, "loaded 0 times")
	done := load(t, l, address)
	if done.Sent == 0 || done.Sent == l.Manifest.Rows {
		t.Errorf("loading again says %+v of %d rows", done, l.Manifest.Rows)
	}
	sameBytes(t, l, l, address)
}

// awaitPart waits until a shard's ledger has a part.
func awaitPart(t testing.TB, s *server, ledger string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(60 * time.Second); s.number("SELECT toInt64(count(*)) FROM "+ledger) == 0; {
		select {
		case <-deadline:
			t.Fatal("no part is whole in a minute")
		case <-tick.C:
		}
	}
}

// Two loads at once send parts twice, which is told and put right by a third.
func TestTwoLoadsAtOnce(t *testing.T) {
	servers := trio(t, "")
	address := addressOf(addresses(servers)...)
	l := lakeOf(t, logsOf(t, 10_000)...)
	var g sync.WaitGroup
	for range 2 {
		g.Go(func() { loadOnce(l.Dir, address) })
	}
	g.Wait()
	load(t, l, address)
	sameBytes(t, l, l, address)
}

func TestProfilesThatBendAnswers(t *testing.T) {
	servers := trio(t, "")
	address := addressOf(addresses(servers)...)
	l := lakeOf(t, logsOf(t, 3000)...)
	load(t, l, address)
	for profile, word := range map[string]string{
		"<readonly>1</readonly><skip_unavailable_shards>1</skip_unavailable_shards>":             "readonly = 2",
		"<max_rows_to_read>400</max_rows_to_read><read_overflow_mode>break</read_overflow_mode>": "Limit for rows",
	} {
		for _, s := range servers {
			s.profile(profile, "")
			s.restart()
		}
		refused(t, l, address, word)
	}
	for _, s := range servers {
		s.profile("<readonly>2</readonly><skip_unavailable_shards>1</skip_unavailable_shards>", "")
		s.restart()
	}
	sameBytes(t, l, l, address)
}

func TestPasswordIsInNoMessage(t *testing.T) {
	servers := trio(t, "")
	servers[0].profile("", "EXERCISE-right")
	servers[0].restart()
	l := lakeOf(t, logsOf(t, 100)...)
	at, err := ParseAddress(addressOf(servers[0].addr))
	testkit.Must(t, err)
	c, err := Open(t.Context(), l, at, Login{Password: "EXERCISE-right"})
	testkit.Must(t, err)
	testkit.Must(t, c.Close())
	if _, err := Open(t.Context(), l, at, Login{User: "default", Password: "EXERCISE-wrong"}); err == nil || strings.Contains(err.Error(), "EXERCISE") {
		t.Errorf("a wrong password: %v", err)
	}
}

// A cluster in the servers' own configuration that is not the shards that were named.
func TestOtherServers(t *testing.T) {
	servers := trio(t, "")
	address := addressOf(addresses(servers)...)
	l := lakeOf(t, logsOf(t, 3000)...)
	load(t, l, address)
	for name, known := range map[string][]*server{"one missing": servers[:2], "one twice": {servers[0], servers[1], servers[2], servers[2]}, "one instead of another": {servers[0], servers[1], servers[1]}} {
		servers[0].knows(known...)
		servers[0].restart()
		refused(t, l, address, "must name these very")
		if err := loadOnce(l.Dir, address); err == nil || !strings.Contains(err.Error(), "must name these very") {
			t.Errorf("%s: loading says %v", name, err)
		}
	}
	servers[0].knows(servers...)
	servers[0].restart()
	sameBytes(t, l, l, address)
	names := namesOf(l.Digest, "default")
	servers[0].run("DROP TABLE " + names.all)
	refused(t, l, address, servers[0].addr, "named first")
	servers[0].run("CREATE TABLE " + names.all + " AS " + names.rows + " ENGINE = Distributed(concert, default, " + strings.TrimPrefix(names.parts, "default.") + ")")
	refused(t, l, address, servers[0].addr, "makes it anew")
	load(t, l, address)
	sameBytes(t, l, l, address)
	if err := loadOnce(l.Dir, address+"?cluster=nobody"); err == nil || !strings.Contains(err.Error(), "remote_servers") {
		t.Errorf("a cluster that is not configured: %v", err)
	}
}

// Under TLS, by whom the system trusts; the process that loads is another, since what it trusts is read once.
func TestTLS(t *testing.T) {
	s := trio(t, "")[0]
	port := freePort(t)
	cert, key := filepath.Join(s.dir, "cert.pem"), filepath.Join(s.dir, "key.pem")
	testkit.Must(t, certificate(cert, key))
	s.more = fmt.Sprintf("<tcp_port_secure>%d</tcp_port_secure><openSSL><server><certificateFile>%s</certificateFile><privateKeyFile>%s</privateKeyFile><verificationMode>none</verificationMode></server></openSSL>", port, cert, key)
	s.knows(s)
	s.restart()
	l := lakeOf(t, logsOf(t, 1000)...)
	address := addressOf(fmt.Sprintf("127.0.0.1:%d", port)) + "?secure=true"
	if _, err := open(t, l, address); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server whose certificate nobody vouches for: %v", err)
	}
	loader := exec.Command(os.Args[0])
	loader.Env = append(os.Environ(), envLoader+"="+l.Dir+"\n"+address, "SSL_CERT_FILE="+cert)
	if out, err := loader.CombinedOutput(); err != nil {
		t.Fatalf("load under TLS: %v\n%s", err, out)
	}
	sameBytes(t, l, l, addressOf(s.addr))
}

// certificate makes one for 127.0.0.1 that vouches for itself.
func certificate(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		return err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600))
}

// BenchmarkLoad brings CONCERT_BENCH_ACCESSLOG_LINES (100,000) invented lines to three servers on this machine and asks every question.
func BenchmarkLoad(b *testing.B) {
	lines := 100_000
	if text := os.Getenv("CONCERT_BENCH_ACCESSLOG_LINES"); text != "" {
		var err error
		lines, err = strconv.Atoi(text)
		testkit.Must(b, err)
	}
	servers := trio(b, "")
	address := addressOf(addresses(servers)...)
	l := lakeOf(b, logsOf(b, lines)...)
	for b.Loop() {
		c, err := open(b, l, address)
		testkit.Must(b, err)
		testkit.Must(b, c.Drop(b.Context()))
		began := time.Now()
		load(b, l, address)
		b.ReportMetric(float64(l.Manifest.Rows)/time.Since(began).Seconds(), "rows/s")
		for _, q := range lake.Catalogue() {
			pseudonym := ""
			if q.Name == "timeline" {
				pseudonym = strings.Repeat("0", 32)
			}
			began = time.Now()
			_, err := c.Ask(b.Context(), q, pseudonym)
			testkit.Must(b, err)
			b.ReportMetric(time.Since(began).Seconds(), q.Name+"-s")
		}
	}
}
