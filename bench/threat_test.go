package bench

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"concert/api"
	"concert/internal/testkit"
)

// BenchmarkThreat is how soon a provider's report of a threat to life (Art. 14(5)) is answered with its receipt, and how soon it alarms the
// open page of a duty officer, from the beginning of the request, over HTTP on the served program, on both databases and by both ways: the
// interface and the portal's form. CONCERT_BENCH_THREATS (20) of each. It fails where one takes a second.
func BenchmarkThreat(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			d := deploy(b, database)
			p, err := d.admin.AddProvider(b.Context(), api.Call{}, api.NewProvider{Name: "EXERCISE audio", Kind: "social", Country: "XA", Zone: "UTC", Channel: "pull", Platforms: []string{"audio.example"}})
			testkit.Must(b, err)
			person, err := d.admin.AddPerson(b.Context(), api.Call{}, api.NewPerson{Name: "EXERCISE desk", Login: "desk", Provider: p.ID, Roles: []string{"provider_answerer"}, Key: "bench"})
			testkit.Must(b, err)
			provider, browser := d.client(person.Key), d.enter(b, person.Link)
			news := d.alarms(b, d.officers[0])
			for _, way := range []string{"interface", "portal"} {
				b.Run(way, func(b *testing.B) {
					var receipts, alarms spread
					for i := range size(b, "CONCERT_BENCH_THREATS", 20) {
						for len(news) > 0 {
							<-news
						}
						begun := time.Now()
						if way == "interface" {
							_, err = provider.ReportThreat(b.Context(), api.Call{IdempotencyKey: fmt.Sprint(way, i)}, threatIn(begun))
							testkit.Must(b, err)
						} else {
							begun = d.form(b, browser)
						}
						receipts = append(receipts, time.Since(begun))
						select {
						case at := <-news:
							alarms = append(alarms, at.Sub(begun))
						case <-time.After(20 * time.Second):
							b.Fatal("the officer's page is not told")
						}
					}
					for b.Loop() { // the work is done above: what counts is when it was seen
					}
					slices.Sort(receipts)
					slices.Sort(alarms)
					n := len(alarms)
					b.ReportMetric(float64(receipts[n/2].Microseconds())/1000, "receipt-p50-ms")
					b.ReportMetric(float64(receipts[n-1].Microseconds())/1000, "receipt-max-ms")
					b.ReportMetric(float64(alarms[n/2].Microseconds())/1000, "alarm-p50-ms")
					b.ReportMetric(float64(alarms[n-1].Microseconds())/1000, "alarm-max-ms")
					if receipts[n-1] >= time.Second || alarms[n-1] >= time.Second {
						b.Errorf("a receipt took %s, an alarm %s: each is to take less than a second", receipts[n-1], alarms[n-1])
					}
				})
			}
		})
	}
}

func threatIn(now time.Time) api.NewThreat {
	return api.NewThreat{Kind: "attack_announced", Places: []string{"https://audio.example/EXERCISE"}, Description: "EXERCISE: an attack that nobody plans.", States: []string{"XA"}, SeenAt: now.UTC().Format(time.RFC3339), Content: "up", Contact: "EXERCISE desk", Telephone: "+000"}
}

var (
	pageStream = regexp.MustCompile(`data-stream="([^"]+)"`)
	pageKey    = regexp.MustCompile(`name="csrf" value="([^"]+)"`)
)

func (d *deployment) page(b *testing.B, c *http.Client, key, path string) string {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, d.url+path, nil)
	testkit.Must(b, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := c.Do(r)
	testkit.Must(b, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	testkit.Must(b, err)
	return string(text)
}

// enter is a browser of somebody who came in by a one-time link.
func (d *deployment) enter(b *testing.B, link string) *http.Client {
	b.Helper()
	jar, err := cookiejar.New(nil)
	testkit.Must(b, err)
	c := &http.Client{Jar: jar}
	_, token, _ := strings.Cut(link, "#")
	res, err := c.PostForm(d.url+"/enter", url.Values{"token": {token}})
	testkit.Must(b, err)
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.Fatalf("the link opens nothing: %s", res.Status)
	}
	return c
}

// alarms are the words of news on the stream of an officer's open page.
func (d *deployment) alarms(b *testing.B, officer *api.Client) <-chan time.Time {
	b.Helper()
	m := pageStream.FindStringSubmatch(d.page(b, officer.HTTP, officer.Key, "/scope"))
	if m == nil {
		b.Fatal("the page has no stream of alarms")
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, d.url+strings.ReplaceAll(m[1], "&amp;", "&"), nil)
	testkit.Must(b, err)
	r.Header.Set("Authorization", "Bearer "+officer.Key)
	res, err := (&http.Client{}).Do(r)
	testkit.Must(b, err)
	b.Cleanup(func() { res.Body.Close() })
	news := make(chan time.Time, 100)
	go func() {
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if lines.Text() == "event: orders" {
				news <- time.Now()
			}
		}
	}()
	return news
}

// form sends the portal's form, and gives the moment at which it was sent.
func (d *deployment) form(b *testing.B, browser *http.Client) time.Time {
	b.Helper()
	m := pageKey.FindStringSubmatch(d.page(b, browser, "", "/own-threats"))
	if m == nil {
		b.Fatal("the portal has no form")
	}
	in := threatIn(time.Now())
	v := url.Values{"csrf": {m[1]}, "kind": {in.Kind}, "places": in.Places, "description": {in.Description}, "states": in.States, "seen_at": {time.Now().UTC().Format("2006-01-02T15:04")}, "content": {"up"}, "contact": {in.Contact}, "telephone": {"+000"}}
	begun := time.Now()
	res, err := browser.PostForm(d.url+"/own-threats", v)
	testkit.Must(b, err)
	defer res.Body.Close()
	if !strings.Contains(res.Request.URL.Path, "/own-threats/TH-") {
		b.Fatalf("the form leads to %s (%s)", res.Request.URL, res.Status)
	}
	return begun
}
