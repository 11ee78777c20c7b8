package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"concert/internal/testkit"
)

// accesslogTruth is what gen-accesslog says its log holds.
type accesslogTruth struct {
	Lines, Parsed, Rejected, Bytes, Bots int64
	IP                                   int64            `json:"visitors_ip"`
	Human                                int64            `json:"visitors_ip_without_bots"`
	IPUA                                 int64            `json:"visitors_ip_ua"`
	IP64                                 int64            `json:"visitors_ip64"`
	Users                                int64            `json:"auth_users"`
	Paths                                int64            `json:"distinct_paths"`
	Status                               map[string]int64 `json:"status"`
	PerDay                               map[string]int64 `json:"per_day"`
	TopPath                              string           `json:"top_path"`
	TopPathN                             int64            `json:"top_path_accesses"`
}

// cost is what a program took.
type cost struct {
	wall, cpu float64 // seconds
	rssMB     float64
}

// costs runs a program to its end and says what it cost.
func costs(b *testing.B, name string, args ...string) ([]byte, cost) {
	b.Helper()
	return costsOf(b, nil, name, args...)
}

// costsOf is costs of a program that reads.
func costsOf(b *testing.B, in io.Reader, name string, args ...string) ([]byte, cost) {
	b.Helper()
	var out, bad bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &bad
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", filepath.Base(name), err, bad.Bytes())
	}
	s := cost{wall: time.Since(began).Seconds(), cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.rssMB = float64(u.Maxrss) / 1024
	}
	return out.Bytes(), s
}

// BenchmarkAccesslog counts CONCERT_BENCH_ACCESSLOG_LINES (200,000) invented lines with the real binary: the full report and the
// brief one, plain and packed, beside GoAccess where it is installed and DuckDB where CONCERT_BENCH_DUCKDB names it. Each answer is checked against the generator's truth.
// CONCERT_BENCH_GEO names a country database.
func BenchmarkAccesslog(b *testing.B) {
	lines := size(b, "CONCERT_BENCH_ACCESSLOG_LINES", 200_000)
	dir := b.TempDir()
	gen, plain, truthFile := filepath.Join(dir, "gen-accesslog"), filepath.Join(dir, "access.log"), filepath.Join(dir, "truth.json")
	if out, err := exec.Command("go", "build", "-o", gen, "./gen-accesslog").CombinedOutput(); err != nil {
		b.Fatalf("build the generator: %v\n%s", err, out)
	}
	_, made := costs(b, gen, "-lines", strconv.Itoa(lines), "-o", plain, "-truth", truthFile)
	text, err := os.ReadFile(truthFile)
	testkit.Must(b, err)
	var truth accesslogTruth
	testkit.Must(b, json.Unmarshal(text, &truth))
	inputs := map[string]string{"plain": plain}
	for name, pack := range map[string][]string{"gz": {"gzip", "-6", "-k", "-f"}, "zst": {"zstd", "-3", "-q", "-k", "-f"}} {
		if _, err := exec.LookPath(pack[0]); err == nil {
			costs(b, pack[0], append(pack[1:], plain)...)
			inputs[name] = plain + "." + name
		}
	}
	b.ReportMetric(made.wall, "generate-s")
	for b.Loop() {
		var plainBrief cost
		for _, name := range []string{"plain", "gz", "zst"} {
			if inputs[name] == "" {
				continue
			}
			for _, brief := range []bool{false, true} {
				full := name
				args := []string{"accesslog", "report", "-json"}
				if geo := os.Getenv("CONCERT_BENCH_GEO"); geo != "" {
					args = append(args, "-geo", geo)
				}
				if brief {
					full, args = name+"-brief", append(args, "-brief")
				}
				out, s := costs(b, program(b), append(args, inputs[name])...)
				checkAccesslog(b, out, truth, brief)
				reportSpent(b, full, s, lines)
				if full == "plain-brief" {
					plainBrief = s
				}
			}
		}
		duckdbAnalyse(b, plain, truth, lines, plainBrief)
		goaccess(b, plain, truth, lines)
	}
}

func reportSpent(b *testing.B, name string, s cost, lines int) {
	b.Helper()
	b.Logf("%-12s %6.2f s wall, %6.2f s of processors, %4.0f MB, %.2f M lines/s, %.2f M lines/s of two processors", name, s.wall, s.cpu, s.rssMB, float64(lines)/s.wall/1e6, 2*float64(lines)/s.cpu/1e6)
	b.ReportMetric(float64(lines)/s.wall/1e6, name+"-Mlines/s")
	b.ReportMetric(s.cpu, name+"-cpu-s")
	b.ReportMetric(s.rssMB, name+"-MB")
}

// checkAccesslog holds a report against the truth.
func checkAccesslog(b *testing.B, out []byte, truth accesslogTruth, brief bool) {
	b.Helper()
	var r struct {
		Lines, Parsed, Rejected, Bytes int64
		Visitors                       struct {
			IP, IP64 struct {
				All   int64  `json:"with_bots"`
				Human *int64 `json:"without_bots"`
			}
			IPUA *struct {
				All int64 `json:"with_bots"`
			} `json:"ip_ua"`
		}
		Bots   *struct{ Accesses int64 }
		Status map[string]int64
		PerDay []struct {
			Day      string
			Accesses int64
		} `json:"per_day"`
		TopPaths []struct {
			Key      string
			Accesses int64
		} `json:"top_paths"`
		Users    *int64 `json:"auth_users"`
		Distinct struct{ Paths int64 }
	}
	testkit.Must(b, json.Unmarshal(out, &r))
	same := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			b.Fatalf("%s: %v, the truth is %v", what, got, want)
		}
	}
	same("lines", []int64{r.Lines, r.Parsed, r.Rejected, r.Bytes}, []int64{truth.Lines, truth.Parsed, truth.Rejected, truth.Bytes})
	same("visitors", []int64{r.Visitors.IP.All, r.Visitors.IP64.All}, []int64{truth.IP, truth.IP64})
	same("status", r.Status, truth.Status)
	days := map[string]int64{}
	for _, d := range r.PerDay {
		days[d.Day] = d.Accesses
	}
	same("days", days, truth.PerDay)
	same("paths", r.Distinct.Paths, truth.Paths)
	same("top path", []any{r.TopPaths[0].Key, r.TopPaths[0].Accesses}, []any{truth.TopPath, truth.TopPathN})
	if !brief {
		same("bots and users", []int64{r.Bots.Accesses, *r.Visitors.IP.Human, r.Visitors.IPUA.All, *r.Users}, []int64{truth.Bots, truth.Human, truth.IPUA, truth.Users})
	}
}

// goaccess runs the peer on the same log, where it is installed.
func goaccess(b *testing.B, log string, truth accesslogTruth, lines int) {
	b.Helper()
	path, err := exec.LookPath("goaccess")
	if err != nil {
		b.Log("goaccess is not installed: left out")
		return
	}
	to := filepath.Join(filepath.Dir(log), "goaccess.json")
	_, s := costs(b, path, log, "--log-format=COMBINED", "--no-global-config", "-o", to)
	out, err := os.ReadFile(to)
	testkit.Must(b, err)
	var r struct {
		General struct {
			Total int64 `json:"total_requests"`
			Valid int64 `json:"valid_requests"`
		}
		Hosts struct {
			Metadata struct{ Data struct{ Unique any } }
		}
	}
	testkit.Must(b, json.Unmarshal([]byte(strings.ToValidUTF8(string(out), "")), &r))
	if r.General.Valid != truth.Parsed {
		b.Logf("goaccess read %d lines as accesses, the truth is %d", r.General.Valid, truth.Parsed)
	}
	reportSpent(b, "goaccess", s, lines)
}
