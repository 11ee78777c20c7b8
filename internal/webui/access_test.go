package webui

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"concert/internal/design"
)

// checkPage holds what every page must keep: nothing inline and nothing from
// elsewhere (the content security policy allows neither), and what WCAG 2.2 AA
// asks of any page and can be seen in its text.
func checkPage(t testing.TB, p *page) {
	t.Helper()
	bad := func(n *html.Node, what string) {
		t.Helper()
		t.Errorf("%s: <%s %v>: %s", p.path, n.Data, n.Attr, what)
	}
	if root := p.first(tag("html")); attr(root, "lang") == "" {
		bad(root, "no language")
	}
	for name, want := range map[string]int{"h1": 1, "main": 1, "title": 1, "header": -1, "footer": -1} {
		// A drawing's parts have titles of their own.
		if n := len(p.all(func(n *html.Node) bool { return tag(name)(n) && n.Namespace == "" })); n != want && (want > 0 || n == 0) {
			t.Errorf("%s has %d <%s>", p.path, n, name)
		}
	}
	if m := unrendered.FindString(textOf(p.doc)); m != "" {
		t.Errorf("%s shows its template: %s", p.path, m)
	}
	ids := map[string]bool{}
	labels := map[string]bool{}
	for n := range p.doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				bad(n, "id stands twice")
			}
			ids[id] = true
		}
		if n.Data == "label" {
			labels[attr(n, "for")] = true
		}
	}
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode {
			checkElement(n, ids, labels, bad)
		}
	}
}

func checkElement(n *html.Node, ids, labels map[string]bool, bad func(*html.Node, string)) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			bad(n, "inline "+a.Key)
		case slices.Contains([]string{"href", "src", "action", "data-stream"}, a.Key):
			if !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "?") || strings.HasPrefix(a.Val, "//") {
				bad(n, "leads outside")
			}
		case a.Key == "aria-describedby" || a.Key == "aria-labelledby":
			for _, id := range strings.Fields(a.Val) {
				if !ids[id] {
					bad(n, "points to no id "+id)
				}
			}
		}
	}
	switch n.Data {
	case "style", "iframe", "object", "embed", "video", "audio":
		bad(n, "has no place on a page")
	case "img":
		// Only what somebody opened knowingly (G35).
		if !hasAttr(n.Parent, "data-veil") || attr(n, "alt") == "" {
			bad(n, "has no place on a page")
		}
	case "script":
		if attr(n, "src") == "" {
			bad(n, "inline script")
		}
	case "form":
		// A form that only asks changes nothing, and stands in the address.
		if attr(n, "method") == "get" {
			break
		}
		if attr(n, "method") != "post" {
			bad(n, "form that is neither GET nor POST")
		}
		token := slices.ContainsFunc(all(n, tagWith("input", "name", "csrf")), func(i *html.Node) bool { return attr(i, "value") != "" })
		if a := attr(n, "action"); !token && a != "/login" && a != "/enter" && a != "/preferences" && a != "/verify/order" {
			bad(n, "form without its token")
		}
	case "input", "select", "textarea":
		if attr(n, "type") != "hidden" && !labels[attr(n, "id")] && !within(n, "label") {
			bad(n, "field without a label")
		}
	case "fieldset":
		if len(all(n, tag("legend"))) == 0 {
			bad(n, "group without a legend")
		}
	case "th":
		if attr(n, "scope") == "" {
			bad(n, "header without scope")
		}
	case "svg":
		if attr(n, "aria-hidden") != "true" && (attr(n, "role") != "img" || attr(n, "aria-label") == "") {
			bad(n, "drawing without a text")
		}
	case "a", "button", "h1", "h2", "h3", "label", "legend", "title", "summary":
		if textOf(n) == "" {
			bad(n, "says nothing")
		}
	case "section", "nav", "article":
		if attr(n, "aria-label") == "" && attr(n, "aria-labelledby") == "" {
			bad(n, "landmark without a name")
		}
	}
}

func within(n *html.Node, name string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Type == html.ElementNode && p.Data == name {
			return true
		}
	}
	return false
}

var unrendered = regexp.MustCompile(`@[a-z]+\(|%!|<nil>`)

var cssToken = regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`)

// TestColoursHaveContrast holds WCAG 2.2 1.4.3 (text, 4.5) and 1.4.11 (edges
// and focus, 3) in the light and in the dark scheme.
func TestColoursHaveContrast(t *testing.T) {
	t.Parallel()
	css, err := design.Stylesheet()
	must(t, err)
	tokens := cssToken.FindAllStringSubmatch(string(css), -1)
	if len(tokens) < 10 {
		t.Fatalf("the style has %d colours with a light and a dark side", len(tokens))
	}
	for side, scheme := range map[int]string{2: "light", 3: "dark"} {
		c := map[string]string{}
		for _, m := range tokens {
			c[m[1]] = m[side]
		}
		for _, p := range []struct {
			fore, back string
			least      float64
		}{
			{"ink", "paper", 7}, {"ink", "card", 7}, {"ink", "note", 7}, {"ink", "alarm", 7}, {"soft", "paper", 4.5}, {"soft", "card", 4.5}, {"soft", "note", 4.5}, {"accent", "paper", 4.5}, {"accent", "card", 4.5}, {"accent", "note", 4.5},
			{"on-accent", "accent", 4.5}, {"bad", "card", 4.5}, {"bad", "paper", 4.5}, {"bad", "alarm", 4.5}, {"good", "card", 4.5}, {"wait", "card", 4.5}, {"end", "card", 4.5}, {"card", "bad", 4.5},
			{"edge", "card", 3}, {"edge", "paper", 3}, {"focus", "card", 3}, {"focus", "paper", 3},
		} {
			got := contrast(t, c[p.fore], c[p.back])
			if got < p.least {
				t.Errorf("%s: %s on %s has contrast %.2f, less than %.1f", scheme, p.fore, p.back, got, p.least)
			}
		}
		for _, tone := range []string{"good", "bad", "wait", "go", "end"} {
			if got := contrast(t, c["ink"], mix(t, c[tone], c["card"], 0.26)); got < 4.5 {
				t.Errorf("%s: ink on the hottest %s cell has contrast %.2f", scheme, tone, got)
			}
		}
	}
	if got := contrast(t, "#1a1400", "#ffcf26"); got < 7 {
		t.Errorf("the EXERCISE banner has contrast %.2f", got)
	}
}

func rgb(t *testing.T, hex string) [3]float64 {
	t.Helper()
	var c [3]float64
	if len(hex) != 7 {
		t.Fatalf("colour %q is missing in a scheme", hex)
	}
	for i := range c {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		must(t, err)
		c[i] = float64(n) / 255
	}
	return c
}

func mix(t *testing.T, a, b string, share float64) string {
	x, y := rgb(t, a), rgb(t, b)
	s := "#"
	for i := range x {
		s += fmt.Sprintf("%02x", int(math.Round(255*(share*x[i]+(1-share)*y[i]))))
	}
	return s
}

// contrast is the ratio of WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	light := func(hex string) float64 {
		var l float64
		for i, c := range rgb(t, hex) {
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			l += c * [3]float64{0.2126, 0.7152, 0.0722}[i]
		}
		return l
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
