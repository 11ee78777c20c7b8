package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"concert/api"
	"concert/internal/exercise"
	"concert/internal/testkit"
)

// process is one serving node.
type process struct {
	cmd  *exec.Cmd
	url  string // of the node itself
	said *noise
	over bool
}

// noise is what a node says, to be read while it runs.
type noise struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

// Write keeps it.
func (n *noise) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(p)
}

func (n *noise) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// startNode serves until it is stopped, killed, or the test ends.
func startNode(t *testing.T, path string, args ...string) *process {
	t.Helper()
	p := &process{said: &noise{}}
	p.cmd = exec.Command(path, append([]string{"serve", "-listen", "127.0.0.1:0", "-second-factor", "offered"}, args...)...)
	p.cmd.Stderr = p.said
	out, err := p.cmd.StdoutPipe()
	testkit.Must(t, err)
	testkit.Must(t, p.cmd.Start())
	t.Cleanup(func() { p.end(t, syscall.SIGTERM) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the node did not start: %v\n%s", err, p.said)
	}
	words := strings.Fields(line) // Concert serves URL on ADDRESS
	p.url = "http://" + words[len(words)-1]
	return p
}

// end ends the node by the signal and waits for it.
func (p *process) end(t *testing.T, by syscall.Signal) {
	t.Helper()
	if p.over {
		return
	}
	p.over = true
	testkit.Must(t, p.cmd.Process.Signal(by))
	late := time.AfterFunc(25*time.Second, func() { _ = p.cmd.Process.Kill() }) // Wait then tells that it was killed
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil && by == syscall.SIGTERM {
		t.Errorf("the node did not end well: %v\n%s", err, p.said)
	}
}

// fleet is a deployment served by several nodes behind a proxy.
type fleet struct {
	*deployment
	proxy *exercise.Proxy
	nodes []*process
}

func openFleet(t *testing.T, dir, database string, nodes int) *fleet {
	t.Helper()
	f := &fleet{proxy: exercise.NewProxy(nodes), nodes: make([]*process, nodes)}
	front := httptest.NewServer(f.proxy)
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	f.deployment = furnish(t, program(t), dir, database, func(d *deployment) string {
		for i := range f.nodes {
			f.nodes[i] = startNode(t, d.path, append(d.at[:len(d.at):len(d.at)], "-base-url", front.URL)...)
			testkit.Must(t, f.proxy.Set(i, f.nodes[i].url))
		}
		return front.URL
	})
	return f
}

// on is the client's person at one node itself.
func (f *fleet) on(node int, c api.Client) *api.Client {
	c.Base = f.nodes[node].url
	return &c
}

// place is an invented address.
func place(name string, n int) string {
	return fmt.Sprintf("https://video.example/watch/EXERCISE-%s-%d", name, n)
}

func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	testkit.Must(t, err)
	return n
}

// An exercise whose nodes are killed twenty times ends with every number as planned: the world itself checks the numbers, that
// no notice comes under two ids and that no item is referred twice. CONCERT_E2E_ITEMS (600) and CONCERT_E2E_KILLS (20) make it longer.
func TestExerciseSurvivesTwentyKills(t *testing.T) {
	t.Parallel()
	path := program(t)
	items, kills := number(t, "CONCERT_E2E_ITEMS", 600), number(t, "CONCERT_E2E_KILLS", 20)
	for _, on := range []struct {
		database string
		nodes    int
	}{{"sqlite", 1}, {"postgres", 3}} {
		t.Run(on.database, func(t *testing.T) {
			t.Parallel()
			args := []string{"exercise", "-json", "-exit", "-items", strconv.Itoa(items), "-kills", strconv.Itoa(kills), "-nodes", strconv.Itoa(on.nodes)}
			if on.database == "postgres" {
				args = append(args, "-database", testkit.Postgres(t))
			}
			ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute+time.Duration(items)*100*time.Millisecond)
			defer stop()
			cmd := exec.CommandContext(ctx, path, args...)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			cmd.WaitDelay = 20 * time.Second
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			var o struct {
				Referred, Kills, Events int
				ElapsedS                float64 `json:"elapsed_s"`
				Ledger                  struct{ Verified bool }
			}
			lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
			testkit.Must(t, json.Unmarshal(lines[len(lines)-1], &o))
			if o.Referred != items || o.Kills != kills || !o.Ledger.Verified {
				t.Errorf("%d items referred of %d, %d killings of %d, log verified %t", o.Referred, items, o.Kills, kills, o.Ledger.Verified)
			}
			t.Logf("%d killings in %.1f s", o.Kills, o.ElapsedS)
		})
	}
}

// browser is a person's session, carried from node to node.
type browser struct {
	t       *testing.T
	cookies map[string]string
}

// cookie is the header with all that the nodes have given.
func (b *browser) cookie() string {
	var all []string
	for name, value := range b.cookies {
		all = append(all, name+"="+value)
	}
	return strings.Join(all, "; ")
}

var hiddenToken = regexp.MustCompile(`name="csrf"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf"`)

func (b *browser) do(method, address string, form url.Values) (status int, body string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(form.Encode()))
	testkit.Must(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Cookie", b.cookie())
	req.Header.Set(api.HeaderJustification, testkit.Why)
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	testkit.Must(b.t, err)
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Value != "" {
			b.cookies[c.Name] = c.Value
		}
	}
	text, err := io.ReadAll(res.Body)
	testkit.Must(b.t, err)
	return res.StatusCode, string(text)
}

// watch opens the board's stream at a node and sends the log's size of each frame.
func (b *browser) watch(address string) <-chan int64 {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	testkit.Must(b.t, err)
	req.Header.Set("Cookie", b.cookie())
	res, err := http.DefaultClient.Do(req)
	testkit.Must(b.t, err)
	b.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s", address, res.Status)
	}
	sizes := make(chan int64, 100)
	go func() {
		defer close(sizes)
		for in := bufio.NewScanner(res.Body); in.Scan(); {
			if id, ok := strings.CutPrefix(in.Text(), "id: "); ok {
				if n, err := strconv.ParseInt(id, 10, 64); err == nil {
					sizes <- n
				}
			}
		}
	}()
	return sizes
}

// Whichever node is asked, it is one deployment; and with two of three dead the third does all that the three did.
func TestThreeNodesAreOneDeployment(t *testing.T) {
	t.Parallel()
	f := openFleet(t, t.TempDir()+"/data", testkit.Postgres(t), 3)
	ctx := t.Context()
	coordinator := f.person(t, "coordinator", "coordinator")
	now := time.Now().UTC()
	action, err := coordinator.OpenAction(ctx, api.Call{}, api.NewAction{Name: "EXERCISE action", Lead: f.authority, Mandate: "EXERCISE mandate", StartsAt: now.Format(time.RFC3339), EndsAt: now.Add(time.Hour).Format(time.RFC3339)})
	testkit.Must(t, err)

	// A session made at one node, a form read at another, sent to the third.
	b := &browser{t: t, cookies: map[string]string{}}
	link, err := f.admins[0].NewLink(ctx, api.Call{}, "officer")
	testkit.Must(t, err)
	confirmed, err := f.admins[1].ConfirmPerson(ctx, api.Call{}, "officer", api.Confirmation{Proposal: link.Waiting.ID})
	testkit.Must(t, err)
	if status, _ := b.do("POST", f.nodes[0].url+"/enter", url.Values{"token": {testkit.Token(link.Link)}, "code": {confirmed.Code}}); status != http.StatusSeeOther || len(b.cookies) == 0 {
		t.Fatalf("enter: %d, cookies %v", status, b.cookies)
	}
	status, page := b.do("GET", f.nodes[1].url+"/holds", nil)
	token := hiddenToken.FindStringSubmatch(page)
	if status != http.StatusOK || token == nil {
		t.Fatalf("the form at another node: %d, %d characters", status, len(page))
	}
	if status, page := b.do("POST", f.nodes[2].url+"/holds", url.Values{"csrf": {token[1] + token[2]}, "location": {place("held", 1)}, "contact": {"EXERCISE desk"}, "case": {"EXERCISE"}}); status != http.StatusSeeOther {
		t.Errorf("the form sent to a third node: %d\n%s", status, page)
	}

	// Streams at every node hear of events from every node, through the proxy, too.
	streams := make([]<-chan int64, 0, 4)
	for _, base := range []string{f.nodes[0].url, f.nodes[1].url, f.nodes[2].url, f.url} {
		streams = append(streams, b.watch(base+"/actions/"+action.ID+"/stream"))
	}
	last := make([]int64, len(streams))
	for i := range streams {
		last[i] = await(t, streams[i], 0)
	}
	for writer := range f.nodes {
		officer := f.on(writer, f.officer)
		_, err := officer.SubmitItem(ctx, api.Call{}, api.NewItem{Location: place("seen", writer), Type: "video", Action: action.ID})
		testkit.Must(t, err)
		for i := range streams {
			last[i] = await(t, streams[i], last[i])
		}
	}

	// A repeated request is known at another node.
	call := api.Call{IdempotencyKey: "EXERCISE-1"}
	h, err := f.on(0, f.officer).PlaceHold(ctx, call, api.NewHold{Location: place("held", 2), Contact: "EXERCISE desk"})
	testkit.Must(t, err)
	again, err := f.on(1, f.officer).PlaceHold(ctx, call, api.NewHold{Location: place("held", 2), Contact: "EXERCISE desk"})
	testkit.Must(t, err)
	hs, err := f.on(2, f.officer).Holds(ctx)
	testkit.Must(t, err)
	if again.ID != h.ID || len(hs.Items) != 2 {
		t.Errorf("the repeated hold is %s, the first was %s, and there are %d", again.ID, h.ID, len(hs.Items))
	}

	for i, dead := range []int{1, 0} {
		f.nodes[dead].end(t, syscall.SIGKILL)
		died := time.Now()
		before := f.entries(t, 2)
		f.chain(t, f.on(2, f.officer), f.on(2, f.reviewer), place("survives", i))
		testkit.Await(t, "a referral by the nodes that live", func() bool { return f.entries(t, 2) > before })
		t.Logf("with %d of three nodes dead a referral went its way %.1f s after the death", i+1, time.Since(died).Seconds())
	}
}

// await waits for a frame of a log that is longer than size.
func await(t *testing.T, sizes <-chan int64, size int64) int64 {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		select {
		case n, ok := <-sizes:
			if !ok {
				t.Fatal("the stream ended")
			}
			if n > size {
				return n
			}
		case <-late:
			t.Fatalf("no frame of a log longer than %d within 20 s", size)
		}
	}
}

// entries counts the provider's inbox at a node.
func (f *fleet) entries(t *testing.T, node int) int {
	t.Helper()
	in, err := f.on(node, f.answerer).Inbox(t.Context(), "", 100)
	testkit.Must(t, err)
	return len(in.Entries)
}

// chain takes a place from the find to an approval that does not wait for company.
func (f *fleet) chain(t *testing.T, officer, reviewer *api.Client, location string) {
	t.Helper()
	d := *f.deployment
	d.officer, d.reviewer = *officer, *reviewer
	d.judge(t, location, "threat_to_life")
}
