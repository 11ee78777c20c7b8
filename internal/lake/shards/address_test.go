package shards

import (
	"reflect"
	"strings"
	"testing"

	"concert/internal/lake"
	"concert/internal/testkit"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Address{
		"clickhouse://127.0.0.1/case":                                {[]string{"127.0.0.1:9000"}, "case", "concert", false},
		"clickhouse://127.0.0.1:9001,[::1],localhost:9003/x":         {[]string{"127.0.0.1:9001", "[::1]:9000", "localhost:9003"}, "x", "concert", false},
		"clickhouse://a.example,b.example:1/x?secure=true&cluster=c": {[]string{"a.example:9440", "b.example:1"}, "x", "c", true},
	} {
		got, err := ParseAddress(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
	for text, word := range map[string]string{
		"": "clickhouse://", "http://127.0.0.1/x": "clickhouse://", "clickhouse://": "name of a database", "clickhouse:///x": "host", "clickhouse://127.0.0.1": "name of a database",
		"clickhouse://ada:EXERCISE-secret@127.0.0.1/x": "CONCERT_CLICKHOUSE_PASSWORD", "clickhouse://127.0.0.1/x?password=EXERCISE-secret": "secure and cluster",
		"clickhouse://127.0.0.1/x;DROP": "name of a database", "clickhouse://127.0.0.1/x?cluster=a'b": "name of a database", "clickhouse://127.0.0.1/x?secure=EXERCISE": "true or false",
		"clickhouse://127.0.0.1,127.0.0.1:9000/x": "twice", "clickhouse://127.0.0.1:0/x": "host:port", "clickhouse://127.0.0.1:70000/x": "host:port", "clickhouse://127.0.0.1/x?%zz": "options",
		"clickhouse://" + strings.Repeat("a,", 3) + "/x": "twice",
	} {
		if _, err := ParseAddress(text); err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("clickhouse://127.0.0.1:9000,[::1]/case?secure=true&cluster=c")
	f.Add("clickhouse://u:p@h/x")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			return
		}
		query := "?cluster=" + a.Cluster
		if a.Secure {
			query += "&secure=true"
		}
		again, err := ParseAddress("clickhouse://" + strings.Join(a.Shards, ",") + "/" + a.Database + query)
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Errorf("%q is %+v, and written out again %+v, %v", text, a, again, err)
		}
	})
}

func TestPlainConnectionsStayOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"192.0.2.1:9000", "[2001:db8::1]:9000", "10.0.0.1:9000"} {
		at, err := ParseAddress(addressOf(addr))
		testkit.Must(t, err)
		if _, err := Open(t.Context(), &lake.Lake{}, at, Login{}); err == nil || !strings.Contains(err.Error(), "secure=true") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"18.16.1": true, "25.8.1.5101": true, "26.7.2.1": true, "18.17.0": false, "19.1": false, "25.7.9": false, "1.1.54388": false, "": false, "EXERCISE": false} {
		if _, err := accepted(version); (err == nil) != want {
			t.Errorf("version %q: %v", version, err)
		}
	}
}
