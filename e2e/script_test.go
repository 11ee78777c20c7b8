package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"concert/internal/casework"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// hostile are texts that somebody outside may send in any field.
var hostile = map[string]string{
	"script":     `"><script>EXERCISE(1)</script>'><img src=x onerror=EXERCISE(2)>`,
	"address":    `javascript:EXERCISE(3)`,
	"directions": "EXERCISE \u202e\u2066 txt.exe\u2069 \x00 \ufeff \ud7ff",
	"long":       strings.Repeat("EXERCISE <b> ", 7700),
}

// attacked looks for what a hostile text became on a page: something that runs, or a place that runs when it is clicked.
func attacked(body []byte) (problem string) {
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return "the page cannot be read"
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		src := false
		for _, a := range n.Attr {
			src = src || a.Key == "src" && strings.HasPrefix(a.Val, "/assets/")
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
				return "an inline " + a.Key
			case (a.Key == "href" || a.Key == "action" || a.Key == "formaction" || a.Key == "src") && (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "?"):
				return a.Key + "=" + a.Val
			}
		}
		switch {
		case n.Data == "script" && (!src || n.FirstChild != nil), n.Data == "style", n.Data == "iframe", n.Data == "object", n.Data == "embed", n.Data == "base", n.Data == "img" && !src:
			return "a <" + n.Data + "> element"
		}
	}
	return ""
}

// field is one place of a request that takes text.
type mutated struct {
	name string
	body string
}

// variants are the row's request with one field after the other made hostile; more are names of fields that its body leaves out.
func (s *site) variants(t *testing.T, r row, machine bool, text string, more []string) []mutated {
	t.Helper()
	pairs := []string{"{n}", "EX"}
	for name, ref := range s.things {
		pairs = append(pairs, name, ref)
	}
	body := strings.NewReplacer(pairs...).Replace(r.body)
	var out []mutated
	if !machine {
		form, err := url.ParseQuery(body)
		testkit.Must(t, err)
		names := slices.Sorted(maps.Keys(form))
		for _, name := range slices.Compact(slices.Sorted(slices.Values(append(names, more...)))) {
			if name == "csrf" {
				continue
			}
			f := maps.Clone(form)
			f.Set(name, text)
			out = append(out, mutated{name, f.Encode()})
		}
		return out
	}
	if body == "" {
		body = "{}"
	}
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return []mutated{{"body", text}} // bytes as they are
	}
	if m, ok := v.(map[string]any); ok {
		for _, name := range more {
			if _, has := m[name]; !has {
				m[name] = nil
			}
		}
	}
	var walk func(path string, at any, put func(any))
	walk = func(path string, at any, put func(any)) {
		switch at := at.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(at)) {
				was := at[k]
				walk(path+"."+k, was, func(v any) {
					if v == nil {
						delete(at, k)
						return
					}
					at[k] = v
				})
			}
		case []any:
			for i := range at {
				walk(path+"[]", at[i], func(v any) { at[i] = v })
			}
		case string, nil:
			put(text)
			raw, err := json.Marshal(v)
			testkit.Must(t, err)
			out = append(out, mutated{path, string(raw)})
			put(at)
		}
	}
	walk("", v, func(any) {})
	return out
}

// spared are requests that say nothing on any page and would end what the test goes on with.
var spared = map[string]bool{"POST /logout": true, "POST /password": true, "POST /account/sessions/end": true, "POST /api/v1/me/sessions/end-others": true, "POST /people/{operator}/disable": true, "POST /api/v1/people/{id}/disable": true}

// TestEveryFieldFromOutsideIsTestedWithAScript puts hostile texts into every field of every form and every JSON body of every route,
// one at a time, and reads every page afterwards: nothing of it runs anywhere, and nothing fails on our side.
func TestEveryFieldFromOutsideIsTestedWithAScript(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, svc *casework.Service) {
		s := openSite(t, svc)
		rows := matrix(t)
		forms, fields := s.formFields(t, rows), s.jsonFields(t)
		tried := 0
		for _, kind := range slices.Sorted(maps.Keys(hostile)) {
			for _, pattern := range s.routes {
				method, path, _ := strings.Cut(pattern, " ")
				r := rows[pattern]
				if method != http.MethodPost || spared[pattern] {
					continue
				}
				who := officer
				if len(r.may) > 0 && r.may[0] != "anonymous" && r.may[0] != nobody {
					who = r.may[0]
				}
				machine := strings.HasPrefix(path, "/api/")
				more := forms[pattern]
				if machine {
					more = fields[path]
				}
				if r.ref == "" && strings.Contains(path, "{") {
					r.ref = "{open}"
				}
				s.refresh()
				for _, m := range s.variants(t, r, machine, hostile[kind], more) {
					again := r
					again.body = m.body
					got := s.ask(t, who, pattern, again, false)
					tried++
					if got.status >= 500 {
						t.Errorf("%s: %s with %s text in %s: %d %.200s", who, pattern, kind, m.name, got.status, got.text)
					}
					if !machine && strings.HasPrefix(got.text, "<!") {
						if p := attacked([]byte(got.text)); p != "" {
							t.Errorf("%s: the answer to %s with %s text in %s has %s", who, pattern, kind, m.name, p)
						}
					}
				}
			}
		}
		looked := s.everyPage(t, rows, func(who, path string, header http.Header, body []byte) {
			if p := attacked(body); p != "" {
				t.Errorf("%s reads %s: %s", who, path, p)
			}
		})
		t.Logf("%d requests, then %d pages", tried, looked)
		if tried < 500 || looked < 100 {
			t.Errorf("only %d requests and %d pages were looked at", tried, looked)
		}
	})
}

// refresh takes the versions anew, so that what a request changes is not stale to the next one.
func (s *site) refresh() {
	for _, name := range []string{"open", "asked", "judged", "referred"} {
		s.things["{"+name+".v}"] = itoa(s.Item(s.things["{"+name+"}"]).Version)
	}
	s.things["{referral.v}"] = itoa(s.Referral(s.things["{referral}"]).Version)
}

func itoa(n int64) string {
	raw, _ := json.Marshal(n) // a number always marshals
	return string(raw)
}

// everyPage reads every page as everyone and gives those that are HTML; how many there were.
func (s *site) everyPage(t *testing.T, rows map[string]row, look func(who, path string, header http.Header, body []byte)) int {
	t.Helper()
	n := 0
	for _, pattern := range s.routes {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodGet || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/log/") || strings.HasPrefix(path, "/assets/") || strings.HasSuffix(path, "/stream") {
			continue
		}
		r := rows[pattern]
		for _, who := range []string{nobody, officer, reviewer, coordinator, auditor, admin, answerer} {
			ref := s.things[r.ref]
			at := strings.NewReplacer("{id}", ref, "{ref}", ref, "{operator}", ref, "{$}", "").Replace(path)
			res := s.read(t, who, at)
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			testkit.Must(t, err)
			if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") && len(body) > 0 && res.StatusCode != http.StatusSeeOther {
				n++
				look(who, at, res.Header, body)
			}
		}
	}
	return n
}

func (s *site) read(t *testing.T, who, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	testkit.Must(t, err)
	s.dress(req, who, "", strings.HasPrefix(path, "/api/"))
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	testkit.Must(t, err)
	return res
}

// formFields are the names of the fields of every form on every page, by the pattern that it is sent to.
func (s *site) formFields(t *testing.T, rows map[string]row) map[string][]string {
	t.Helper()
	hole := regexp.MustCompile(`\\\{[^}]*\\\}`)
	match := map[string]*regexp.Regexp{}
	for _, pattern := range s.routes {
		if path, ok := strings.CutPrefix(pattern, "POST "); ok && !strings.HasPrefix(path, "/api/") {
			match[pattern] = regexp.MustCompile("^" + hole.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
		}
	}
	out := map[string][]string{}
	s.everyPage(t, rows, func(_, _ string, _ http.Header, body []byte) {
		root, err := html.Parse(bytes.NewReader(body))
		testkit.Must(t, err)
		for n := range root.Descendants() {
			if n.Type != html.ElementNode || n.Data != "form" {
				continue
			}
			for pattern, re := range match {
				if !re.MatchString(value(n, "action")) {
					continue
				}
				for f := range n.Descendants() {
					if name := value(f, "name"); f.Type == html.ElementNode && name != "" && !slices.Contains(out[pattern], name) {
						out[pattern] = append(out[pattern], name)
					}
				}
			}
		}
	})
	if len(out) < 20 {
		t.Errorf("forms of %d routes only were found on the pages", len(out))
	}
	return out
}

func value(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// jsonFields are the text fields of every JSON body, by path.
func (s *site) jsonFields(t *testing.T) map[string][]string {
	t.Helper()
	res := s.read(t, nobody, "/api/openapi.json")
	defer res.Body.Close()
	type schema struct {
		Ref        string            `json:"$ref"`
		Type       any               `json:"type"`
		Properties map[string]schema `json:"properties"`
	}
	var spec struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Schema schema `json:"schema"`
				} `json:"content"`
			} `json:"requestBody"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]schema `json:"schemas"`
		} `json:"components"`
	}
	testkit.Must(t, json.NewDecoder(res.Body).Decode(&spec))
	out := map[string][]string{}
	for path, ops := range spec.Paths {
		sc := ops["post"].RequestBody.Content["application/json"].Schema
		if sc.Ref != "" {
			sc = spec.Components.Schemas[sc.Ref[strings.LastIndexByte(sc.Ref, '/')+1:]]
		}
		for name, p := range sc.Properties {
			if p.Type == "string" && name != "$schema" {
				out[path] = append(out[path], name)
			}
		}
	}
	return out
}

// TestEveryAnswerKeepsABrowserSafe asks every route of both doors, as nobody and as somebody, and looks at what an answer carries.
func TestEveryAnswerKeepsABrowserSafe(t *testing.T) {
	t.Parallel()
	s := openSite(t, testkit.Service(t, "sqlite"))
	rows := matrix(t)
	want := map[string]string{"Content-Security-Policy": httpkit.Policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000"}
	for _, bad := range []string{"unsafe", "data:", "*", "http"} {
		if strings.Contains(httpkit.Policy, bad) {
			t.Errorf("the policy makes an exception: %s", bad)
		}
	}
	// What somebody captured lies in a sandbox of its own and loads nothing at all.
	boxed := map[string]bool{"GET /api/v1/captures/{id}": true, "GET /captures/{ref}/bytes": true}
	looked := 0
	for _, pattern := range append(s.routes, "GET /no/such/page", "GET /api/v1/no/such", "PUT /api/v1/items", "PUT /items") {
		method, path, _ := strings.Cut(pattern, " ")
		if method == "/" {
			method, path = http.MethodGet, "/nowhere"
		}
		ref := s.things[rows[pattern].ref]
		at := strings.NewReplacer("{id}", ref, "{ref}", ref, "{operator}", ref, "{$}", "", "{name}", "app.css").Replace(path)
		for _, who := range []string{nobody, officer} {
			req, err := http.NewRequestWithContext(t.Context(), method, s.url+at, nil)
			testkit.Must(t, err)
			s.dress(req, who, "", strings.HasPrefix(path, "/api/"))
			res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
			testkit.Must(t, err)
			looked++
			for name, value := range want {
				if boxed[pattern] && res.StatusCode == http.StatusOK && name == "Content-Security-Policy" {
					value = "sandbox; default-src 'none'; frame-ancestors 'none'"
				}
				if got := res.Header.Get(name); got != value {
					t.Errorf("%s as %s answers %d with %s: %q", pattern, who, res.StatusCode, name, got)
				}
			}
			if p := res.Header.Get("Permissions-Policy"); !strings.Contains(p, "camera=()") {
				t.Errorf("%s: Permissions-Policy %q", pattern, p)
			}
			for _, c := range res.Cookies() {
				if !strings.HasPrefix(c.Name, "__Host-") && c.Name != "concert-why" && c.Name != "concert-reader" && c.Name != "concert-keys" || !c.Secure || !c.HttpOnly || c.SameSite == http.SameSiteNoneMode || c.SameSite == http.SameSiteDefaultMode || c.Domain != "" || c.Path != "/" {
					t.Errorf("%s sets %s", pattern, c)
				}
			}
			if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
				body, err := io.ReadAll(res.Body)
				testkit.Must(t, err)
				if p := attacked(body); len(body) > 0 && p != "" && res.StatusCode != http.StatusSeeOther {
					t.Errorf("%s as %s has %s", pattern, who, p)
				}
			}
			res.Body.Close()
		}
	}
	t.Logf("%d answers", looked)
}

// TestCookiesOfALogInAreTheHostsOwn comes in and looks at each cookie.
func TestCookiesOfALogInAreTheHostsOwn(t *testing.T) {
	t.Parallel()
	s := openSite(t, testkit.Service(t, "sqlite"))
	s.Person("newcomer-2", s.North.Ref, "", "officer")
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).PostForm(s.url+"/enter", url.Values{"token": {s.Links["newcomer-2"]}, "code": {s.Codes["newcomer-2"]}})
	testkit.Must(t, err)
	defer res.Body.Close()
	seen := map[string]bool{}
	for _, c := range res.Cookies() {
		if c.Value == "" {
			continue
		}
		seen[c.Name] = true
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Domain != "" || c.Path != "/" || c.MaxAge <= 0 {
			t.Errorf("cookie %s", c)
		}
	}
	if !seen[httpkit.SessionCookie] || !seen[httpkit.DeviceCookie] || len(seen) != 2 {
		t.Errorf("a log-in sets %v", seen)
	}
}

// TestABodyBeyondTheBoundIsNotRead announces a body of a gigabyte and sends five megabytes of it: the answer comes all the same.
func TestABodyBeyondTheBoundIsNotRead(t *testing.T) {
	t.Parallel()
	s := openSite(t, testkit.Service(t, "sqlite"))
	for _, c := range []struct{ path, kind, says string }{{"/submit", "application/x-www-form-urlencoded", "larger than 4 MB"}, {"/api/v1/items", "application/json", "request.too_large"}} {
		sent := &counted{left: 1 << 30}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+c.path, sent)
		testkit.Must(t, err)
		req.ContentLength = 1 << 30
		s.dress(req, officer, "", strings.HasPrefix(c.path, "/api/"))
		req.Header.Set("Content-Type", c.kind)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			// The connection may be cut before the answer is read; what counts is how much was taken.
			t.Logf("%s: %v", c.path, err)
		} else {
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			testkit.Must(t, err)
			if res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(body), c.says) {
				t.Errorf("%s: %d\n%.300s", c.path, res.StatusCode, body)
			}
		}
		if read := sent.read.Load(); read > 64<<20 {
			t.Errorf("%s: %d MB of a gigabyte were taken", c.path, read>>20)
		}
	}
}

// counted is a body that counts how much of it was taken.
type counted struct {
	left int64
	read atomic.Int64
}

// Read gives letters.
func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), c.left))
	for i := range n {
		p[i] = 'x'
	}
	c.left -= int64(n)
	c.read.Add(int64(n))
	return n, nil
}

func TestWhatRunsOnAPageIsSeen(t *testing.T) {
	t.Parallel()
	for page, found := range map[string]bool{
		`<p>&quot;&gt;&lt;script&gt;EXERCISE(1)&lt;/script&gt;</p>`:                false,
		`<a href="/items">x</a><script type="module" src="/assets/a.js"></script>`: false,
		`<p><script>EXERCISE(1)</script></p>`:                                      true,
		`<img src=x onerror=EXERCISE(2)>`:                                          true,
		`<a href="javascript:EXERCISE(3)">x</a>`:                                   true,
		`<a href="http://video.example/">x</a>`:                                    true,
		`<p style="color:red">x</p>`:                                               true,
		`<style>p{}</style>`:                                                       true,
		`<form action="//elsewhere.example"></form>`:                               true,
	} {
		if got := attacked([]byte(page)); (got != "") != found {
			t.Errorf("%s: %q", page, got)
		}
	}
}
