package bench

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"concert/api"
	"concert/internal/httpkit"
	"concert/internal/testkit"
)

// BenchmarkPaint is when a person sees something (first contentful paint) of each list of an officer, in a real browser on loopback: first
// with an empty cache, then with what the pages before left in it. The items are those of BenchmarkPages.
func BenchmarkPaint(b *testing.B) {
	path := os.Getenv("CONCERT_TEST_CHROMIUM")
	if path == "" {
		path, _ = exec.LookPath("chromium")
	}
	if path == "" {
		b.Skip("there is no chromium here: CONCERT_TEST_CHROMIUM names one, ./check installs it")
	}
	d := openDesk(b, "sqlite", size(b, "CONCERT_BENCH_PAGES_ITEMS", 2000))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)...)
	defer stop()
	browser, end := chromedp.NewContext(alloc)
	defer end()
	testkit.Must(b, chromedp.Do(browser))
	for b.Loop() {
		var cold, warm spread
		for _, p := range d.pages {
			if p.file || p.audits {
				continue
			}
			cold = append(cold, d.paint(b, browser, p.path, 1)...)
		}
		for _, p := range d.pages {
			if p.file || p.audits {
				continue
			}
			warm = append(warm, d.paint(b, browser, p.path, 4)[1:]...)
		}
		report(b, map[string]float64{"cold-p50-ms": cold.at(0.5), "cold-max-ms": cold.at(1), "warm-p50-ms": warm.at(0.5), "warm-max-ms": warm.at(1)})
	}
}

// paint opens a page so often in a window with an empty cache, and says when each first showed something.
func (d desk) paint(b *testing.B, browser context.Context, path string, times int) spread {
	b.Helper()
	window, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer end()
	// A window lives as long as the context of its first step.
	testkit.Must(b, chromedp.Do(window))
	ctx, stop := context.WithTimeout(window, time.Minute)
	defer stop()
	// Robots have no styles, so nothing of the pages is in the cache yet.
	_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{api.HeaderJustification: "EXERCISE measurement of pages"}})
	testkit.Must(b, err)
	testkit.Must(b, chromedp.Do(ctx, chromedp.Navigate(d.url+"/robots.txt"),
		chromedp.Evaluate[chromedp.Void](`document.cookie = "`+httpkit.SessionCookiePlain+"="+d.next(false)+`; path=/"; undefined`)))
	var out spread
	for range times {
		testkit.Must(b, chromedp.Do(ctx, chromedp.Navigate(d.url+path), chromedp.WaitVisible(chromedp.CSS("main h1"))))
		if at, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.pathname + location.search")); err != nil || at != path {
			b.Fatalf("%s leads to %s: %v", path, at, err)
		}
		ms, err := chromedp.Run(ctx, chromedp.Evaluate[float64](firstPaint, chromedp.EvalAwaitPromise))
		testkit.Must(b, err)
		out = append(out, time.Duration(ms*float64(time.Millisecond)))
	}
	return out
}

// firstPaint waits for the entry, which may come a frame after the page is there.
const firstPaint = `new Promise(done => new PerformanceObserver(l => { for (const e of l.getEntries()) if (e.name === "first-contentful-paint") done(e.startTime) }).observe({type: "paint", buffered: true}))`
