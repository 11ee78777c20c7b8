package accesslog

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A line of each format, and what is read from it.
var formatLines = []struct {
	format, head, line string // head: lines above it
	want               string
}{
	{"common", "", `192.0.2.7 - - [17/May/2015:10:05:43 +0200] "GET /a?q=1 HTTP/1.0" 200 12`, "192.0.2.7 1431849943 GET /a?q=1 200 12 <nil> <nil>"},
	{"combined", "", `2001:db8::7 - exercise user [17/May/2015:10:05:43 +0000] "GET /a b HTTP/1.1" 304 - "-" "Some \"quoted\" agent"`, `2001:db8::7 1431857143 GET /a b 304 0 - Some \"quoted\" agent`},
	{"combined_vhost", "", `www.example.org:443 192.0.2.7 - - [17/May/2015:10:05:43 +0000] "POST /x HTTP/2.0" 200 1 "https://example.org/" "A"`, "192.0.2.7 1431857143 POST /x 200 1 https://example.org/ A"},
	{"common_vhost", "", `www.example.org 192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1`, "192.0.2.7 1431857143 GET /x 200 1 <nil> <nil>"},
	{"combined_extra", "", `192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A" 0.012 "203.0.113.1"`, "192.0.2.7 1431857143 GET /x 200 1 - A"},
	{"combined_vhost_extra", "", `w.example.org 192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A" 7`, "192.0.2.7 1431857143 GET /x 200 1 - A"},
	{"nginx_json", "", `{"time_iso8601":"2015-05-17T12:05:43+02:00","remote_addr":"192.0.2.7","remote_user":"","request":"GET /\u0061?b=\"c\" HTTP/1.1","status":"200","body_bytes_sent":"5","http_referer":"","http_user_agent":"A","x":[1,{"y":null}]}`, `192.0.2.7 1431857143 GET /a?b="c" 200 5 <nil> A`},
	{"caddy_json", "", `{"level":"info","ts":1431857143.52,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.9","client_ip":"192.0.2.7","proto":"HTTP/2.0","method":"GET","host":"example.org","uri":"/a?b=c","headers":{"User-Agent":["A"],"Referer":["https://example.org/"],"Accept":["*/*"]}},"bytes_read":0,"user_id":"","duration":0.0009,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"]}}`, "192.0.2.7 1431857143 GET /a?b=c 200 10900 https://example.org/ A"},
	{"haproxy", "", `May 17 10:05:43 lb haproxy[14389]: 192.0.2.7:33317 [17/May/2015:10:05:43.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`, "192.0.2.7:33317 1431857143 GET /index.html 200 2750 <nil> <nil>"},
	{"s3", "", `79a59df900b949e5 bucket [17/May/2015:10:05:43 +0000] 192.0.2.7 79a59df900b949e5 3E57427F3EXAMPLE REST.GET.OBJECT a.mp4 "GET /bucket/a.mp4 HTTP/1.1" 200 - 113 113 7 6 "-" "S3Console/0.4" - abc= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader bucket.s3.example.com TLSV1.2`, "192.0.2.7 1431857143 GET /bucket/a.mp4 200 113 - S3Console/0.4"},
	{"w3c", "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n", `2015-05-17 10:05:43 198.51.100.1 GET /a b=c 443 - 192.0.2.7 Some+agent - 200 0 0 12`, "192.0.2.7 1431857143 GET /a?b=c 200 0 <nil> Some agent"},
	{"cloudfront", "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query\n", "2015-05-17\t10:05:43\tLAX1\t2390\t192.0.2.7\tGET\td1.cloudfront.example\t/a.mp4\t200\t-\tMozilla/5.0%20(X)\t-", "192.0.2.7 1431857143 GET /a.mp4 200 2390 <nil> Mozilla/5.0%20(X)"},
}

func shown(r *record) string {
	opt := func(b []byte) string {
		if b == nil {
			return "<nil>"
		}
		return string(b)
	}
	return strings.Join([]string{string(r.addr), fmtInt(r.sec), string(r.method), string(r.target), fmtInt(int64(r.status)), fmtInt(r.bytes), opt(r.referrer), opt(r.agent)}, " ")
}

func fmtInt(n int64) string { return string(appendInt(nil, n)) }

func appendInt(b []byte, n int64) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

func TestEveryFormatIsToldAndRead(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range formatLines {
		names = append(names, c.format)
		f, certain := sniff([]byte(c.head+strings.Repeat(c.line+"\n", 20)), true)
		if f.name != c.format || !certain {
			t.Errorf("%s is taken for %q, certain %v", c.format, f.name, certain)
			continue
		}
		var r record
		var fields []byte
		if i := strings.Index(c.head, "#Fields"); i >= 0 {
			fields = []byte(strings.TrimSpace(c.head[i:]))
		}
		if why := f.open(fields)([]byte(c.line), &r); why != Accepted {
			t.Errorf("%s: %s", c.format, why)
			continue
		}
		if got := shown(&r); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.format, got, c.want)
		}
		report := analyse(t, Options{}, put(t, "log", c.head+strings.Repeat(c.line+"\r\n", 3)+"\n"))
		if report.Parsed != 3 || report.Blank != 1 || report.Inputs[0].Format != c.format || report.First != "2015-05-17T08:05:43Z" && report.First != "2015-05-17T10:05:43Z" {
			t.Errorf("%s as a file: %+v", c.format, report.Inputs[0])
		}
	}
	for _, n := range FormatNames() {
		if !strings.Contains(strings.Join(names, " "), n) {
			t.Errorf("format %s has no line here", n)
		}
	}
}

func TestPatternsOfApacheAndNginx(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, line, want string }{
		{`%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D`, `192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A \"b\" c" 31`, `192.0.2.7 1431857143 GET /x 200 1 - A \"b\" c`},
		{`%t %m %U%%%q %a`, `[17/May/2015:10:05:43 +0000] GET /x%?a=1 192.0.2.7`, "192.0.2.7 1431857143 GET /x?a=1 0 0 <nil> <nil>"},
		{`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for" $request_time`, `192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A" "203.0.113.1" 0.1`, "192.0.2.7 1431857143 GET /x 200 1 - A"},
		{`$http_x_forwarded_for|$msec|$request_uri|$status`, `203.0.113.1, 10.0.0.1|1431857143.123|/x?y|404`, "203.0.113.1, 10.0.0.1 1431857143 other /x?y 404 0 <nil> <nil>"},
		{`${remote_addr}\t$time_iso8601\t$request_method\t$uri`, "192.0.2.7\t2015-05-17T10:05:43+00:00\tGET\t/x", "192.0.2.7 1431857143 GET /x 0 0 <nil> <nil>"},
	} {
		f, err := namedFormat(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		var r record
		if why := f.open(nil)([]byte(c.line), &r); why != Accepted {
			t.Errorf("%s: %s", c.pattern, why)
		} else if got := shown(&r); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.pattern, got, c.want)
		}
	}
	for pattern, part := range map[string]string{"nothing": "is no format", "%h %t": "request", "%h %r": "time", "%t %r": "client", "%h%t %r": "nothing between", "%{x %h": "brace", "%h %t %r %": "without a letter", "%h %{%Y}t %r": "sec, msec", "$": "without a name", "%Z %h": "no directive"} {
		if err := CheckFormat(pattern); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v, want a word of %q", pattern, err, part)
		}
	}
}

func TestLinesThatAreNoAccesses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Reason{
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A"`:    Accepted,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "\x16\x03" 400 1 "-" "-"`:           Accepted,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /"b HTTP/1.1" 200 1 "-" "A"`:   Accepted,
		`192.0.2.7 - - [31/Feb/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A"`:    BadTime,
		`192.0.2.7 - - [17/May/2015:25:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A"`:    BadTime,
		`192.0.2.7 - - [17/May/2015:10:05:43 +9900] "GET /x HTTP/1.1" 200 1 "-" "A"`:    BadTime,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1 200 1 - A`:         BadRequest,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 2x0 1 "-" "A"`:    BadStatus,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 x "-" "A"`:    BadSize,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A`:     BadField,
		`192.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A" xx`: Extra,
		`999.0.2.7 - - [17/May/2015:10:05:43 +0000] "GET /x HTTP/1.1" 200 1 "-" "A"`:    BadAddress,
		"a\x00\x00": NulBytes,
	} {
		var got Reason
		path := put(t, "log", line+"\n")
		r := analyse(t, Options{Format: "combined", Reject: func(x Reject) error { got = x.Reason; return nil }}, path)
		if got != want {
			t.Errorf("%s: %s, want %s (%d parsed)", line, got, want, r.Parsed)
		}
	}
}

func TestW3CDirectivesChangeInsideAFile(t *testing.T) {
	t.Parallel()
	text := "#Fields: date time c-ip cs-uri-stem sc-status\n" + strings.Repeat("2015-05-17 10:05:43 192.0.2.7 /x 200\n", 50) +
		"#Fields: c-ip cs-uri-stem date time\n" + strings.Repeat("192.0.2.8 /y 2015-05-17 10:05:43\n", 50)
	for _, block := range []int{1 << 20, 100, 7} {
		r := analyse(t, Options{block: block, Workers: 4}, put(t, "u_ex.log", text))
		if r.Parsed != 100 || r.Rejects["directive"] != 2 || r.Visitors.IP.WithBots != 2 {
			t.Errorf("block %d: parsed %d, rejected %v", block, r.Parsed, r.Rejects)
		}
	}
}

func TestTimesOutOfOrderZonesAndForgery(t *testing.T) {
	t.Parallel()
	line := func(at string) string { return "192.0.2.7 - - [" + at + `] "GET /x HTTP/1.1" 200 1` + "\n" }
	text := line("17/May/2015:10:05:43 +0000") + line("17/May/2015:10:05:43 +0000") + line("17/May/2015:12:00:43 +0200") + line("17/May/2015:12:06:00 +0200") + line("17/May/1970:12:06:00 +0200") + line("17/May/2999:12:06:00 +0200")
	for _, block := range []int{1 << 20, 80, 10} {
		r := analyse(t, Options{block: block, Workers: 2, Now: testNow}, put(t, "access.log", text))
		want := Clock{Zones: []Zone{{"+00:00", 2}, {"+02:00", 2}}, ZoneChanges: 1, OutOfOrder: 1, Implausible: 2}
		if d := cmp.Diff(want, r.Clock); d != "" || r.First != "2015-05-17T10:00:43Z" || r.Last != "2015-05-17T10:06:00Z" || r.Accesses != 6 || len(r.PerDay) != 1 {
			t.Errorf("block %d: %s %s %s", block, d, r.First, r.Last)
		}
	}
}

func FuzzParsers(f *testing.F) {
	for _, c := range formatLines {
		f.Add([]byte(c.line), c.head)
	}
	f.Add([]byte(`{"request":{"headers":{"User-Agent":["\ud83d\ude00\x41"]}}}`), "")
	list := formats()
	for _, p := range []string{`%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`, `$remote_addr|$msec|$request_uri|$args`} {
		x, err := namedFormat(p)
		if err != nil {
			f.Fatal(err)
		}
		list = append(list, x)
	}
	f.Fuzz(func(t *testing.T, line []byte, head string) {
		if len(line) == 0 || bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		for _, x := range list {
			r, again := record{}, record{}
			fields := []byte(strings.TrimSpace(head[max(0, strings.Index(head, "#Fields")):]))
			before := bytes.Clone(line)
			why := x.open(fields)(line, &r)
			if !bytes.Equal(before, line) {
				t.Fatalf("%s changed its line", x.name)
			}
			if why == Accepted && (r.status < 0 || r.status > 999 || r.bytes < 0) {
				t.Fatalf("%s: status %d, bytes %d", x.name, r.status, r.bytes)
			}
			parse := x.open(fields)
			parse(line, &again)
			if w := parse(line, &again); w != why || why == Accepted && shown(&r) != shown(&again) {
				t.Fatalf("%s reads a line differently the second time", x.name)
			}
		}
	})
}

func FuzzPattern(f *testing.F) {
	f.Add(`%h %t "%r"`, `192.0.2.7 [17/May/2015:10:05:43 +0000] "GET / HTTP/1.1"`)
	f.Add(`$remote_addr [$time_local] $request`, "x")
	f.Fuzz(func(t *testing.T, pattern, line string) {
		p, err := compilePattern(pattern)
		if err == nil {
			var r record
			p.fresh().parse([]byte(line), &r)
		}
	})
}
