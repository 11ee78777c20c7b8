package formats

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"concert/internal/accesslog"
)

//go:embed accesslog.css
var accessLogStyle string

const accessLogTitle = "Report on access logs"

// accessPeriod is what the report covers, in one line.
func accessPeriod(r *accesslog.Report) string {
	if r.First == "" {
		return fmt.Sprintf("%d files, no time could be read", r.Files)
	}
	return fmt.Sprintf("%d files, %s to %s (UTC)", r.Files, readable(r.First), readable(r.Last))
}

func readable(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return t.Format("2 January 2006 15:04:05")
}

// accessSources says what the numbers rest on beside the logs.
func accessSources(r *accesslog.Report) []string {
	list := []string{"Bot rule: version " + r.BotRule.Version + fmt.Sprintf(", %d tokens.", r.BotRule.Tokens)}
	if r.Geo != nil {
		list = append(list, "Country database: "+r.Geo.Type+", built "+r.Geo.Build+", SHA-256 "+r.Geo.SHA256+".")
	}
	if s := r.Suppressed; s != nil {
		list = append(list, fmt.Sprintf("For release: %d numbers below %d were left out.", s.Cells, s.Below))
	}
	return list
}

// WriteAccessLogHTML writes the report as one page: no script, nothing from
// elsewhere, and a policy that says so. The same report gives the same bytes.
func WriteAccessLogHTML(w io.Writer, r *accesslog.Report) error {
	p := &annexPage{top: 1}
	sum := sha256.Sum256([]byte(accessLogStyle))
	p.printf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", base64.StdEncoding.EncodeToString(sum[:]), accessLogTitle, accessLogStyle)
	p.heading(0, accessLogTitle)
	p.printf("<p>%s</p>\n", esc(accessPeriod(r)))
	p.printf("<section class=\"caveats\" aria-labelledby=\"caveats\">\n<h2 id=\"caveats\">Before you read a number</h2>\n<ul>\n")
	for _, c := range r.Caveats {
		p.printf("<li>%s</li>\n", esc(c))
	}
	p.printf("</ul>\n</section>\n<section aria-labelledby=\"figures\">\n<h2 id=\"figures\">Figures</h2>\n<dl class=\"facts\">\n")
	for _, f := range accessFacts(r) {
		p.printf("<div><dt>%s</dt><dd class=\"big\">%s</dd><dd class=\"quiet\">%s</dd></div>\n", esc(f[0]), f[1], esc(f[2]))
	}
	p.printf("</dl>\n</section>\n")
	for _, t := range accessTables(r) {
		p.printf("<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n<p class=\"quiet\">%s</p>\n", t.id, t.id, esc(t.title), esc(r.Definitions[t.definition]))
		switch t.id {
		case "countries":
			if len(t.rows) > 0 {
				mapSVG(p, r)
			}
		case "days":
			dayChart(p, r)
		case "hours":
			hourChart(p, r)
		case "status":
			statusChart(p, t)
		}
		p.accessTable(t)
		p.printf("</section>\n")
	}
	p.printf("<section aria-labelledby=\"sources\">\n<h2 id=\"sources\">What this rests on</h2>\n<ul>\n")
	for _, s := range accessSources(r) {
		p.printf("<li>%s</li>\n", esc(s))
	}
	p.printf("<li>%s</li>\n</ul>\n</section>\n</main>\n</body>\n</html>\n", esc(r.Definitions["redaction"]))
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// openRows is how many rows a table shows before the rest is folded away.
const openRows = 15

func (p *annexPage) accessTable(t accessTable) {
	if len(t.rows) == 0 {
		p.printf("<p>%s</p>\n", esc(t.empty))
		return
	}
	head := func(caption string) {
		p.printf("<table>\n<caption class=\"quiet\">%s</caption>\n<thead><tr>", esc(caption))
		for i, h := range t.head {
			p.printf("<th scope=\"col\"%s>%s</th>", numberClass(t, i), esc(h))
		}
		p.printf("</tr></thead>\n<tbody>\n")
	}
	head(t.title)
	for n, row := range t.rows {
		if n == openRows && len(t.rows) > openRows+5 {
			p.printf("</tbody>\n</table>\n<details><summary>%d more rows</summary>\n", len(t.rows)-openRows)
			head(t.title + ", continued")
		}
		p.printf("<tr><th scope=\"row\">%s</th>", esc(row[0]))
		for i, cell := range row[1:] {
			p.printf("<td%s>%s</td>", numberClass(t, i+1), esc(cell))
		}
		p.printf("</tr>\n")
	}
	p.printf("</tbody>\n</table>\n")
	if len(t.rows) > openRows+5 {
		p.printf("</details>\n")
	}
}

func numberClass(t accessTable, column int) string {
	if column == 0 || t.id == "inputs" && column < 3 {
		return ""
	}
	return ` class="n"`
}
