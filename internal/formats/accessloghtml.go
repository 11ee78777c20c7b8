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
func accessPeriod(r *accesslog.Report, say Say) string {
	if r.First == "" {
		return say("Files: %d. No time could be read.", r.Files)
	}
	return say("Files: %d. From %s to %s (UTC).", r.Files, readable(r.First), readable(r.Last))
}

func readable(stamp string) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	return t.Format(time.DateTime)
}

// accessSources says what the numbers rest on beside the logs.
func accessSources(r *accesslog.Report, say Say) []string {
	list := []string{say("Bot rule: version %s, %d tokens.", r.BotRule.Version, r.BotRule.Tokens)}
	if r.Geo != nil {
		list = append(list, say("Country database: %s, built %s, SHA-256 %s.", r.Geo.Type, r.Geo.Build, r.Geo.SHA256))
	}
	if s := r.Suppressed; s != nil {
		list = append(list, say("For release: %d numbers below %d were left out.", s.Cells, s.Below))
	}
	return list
}

// accessPage is a report as it is written in HTML.
type accessPage struct {
	annexPage
	say Say
}

// WriteAccessLogHTML writes the report as one page: no script, nothing from
// elsewhere, and a policy that says so. The same report gives the same bytes.
func WriteAccessLogHTML(w io.Writer, r *accesslog.Report) error {
	p := &accessPage{annexPage{top: 1}, inEnglish}
	sum := sha256.Sum256([]byte(accessLogStyle))
	p.printf("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'\">\n<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", base64.StdEncoding.EncodeToString(sum[:]), accessLogTitle, accessLogStyle)
	p.heading(0, accessLogTitle)
	p.report(r)
	p.printf("</main>\n</body>\n</html>\n")
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// WriteAccessLogSections writes what stands on that page below its title, for a page
// of another look, in the reader's language. Styles are the page's own: the classes
// are those of accesslog.css.
func WriteAccessLogSections(w io.Writer, r *accesslog.Report, say Say) error {
	p := &accessPage{annexPage{top: 1}, say}
	p.report(r)
	if _, err := io.WriteString(w, p.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (p *accessPage) report(r *accesslog.Report) {
	p.printf("<p>%s</p>\n", esc(accessPeriod(r, p.say)))
	p.printf("<section class=\"caveats\" aria-labelledby=\"caveats\">\n<h2 id=\"caveats\">%s</h2>\n<ul>\n", esc(p.say("Before you read a number")))
	for _, c := range r.Caveats {
		p.printf("<li>%s</li>\n", esc(p.say(c)))
	}
	p.printf("</ul>\n</section>\n<section aria-labelledby=\"figures\">\n<h2 id=\"figures\">%s</h2>\n<dl class=\"facts\">\n", esc(p.say("Figures")))
	for _, f := range accessFacts(r, p.say) {
		p.printf("<div><dt>%s</dt><dd class=\"big\">%s</dd><dd class=\"quiet\">%s</dd></div>\n", esc(f[0]), f[1], esc(f[2]))
	}
	p.printf("</dl>\n</section>\n")
	for _, t := range accessTables(r, p.say) {
		p.printf("<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n<p class=\"quiet\">%s</p>\n", t.id, t.id, esc(t.title), esc(p.say(r.Definitions[t.definition])))
		switch t.id {
		case "countries":
			if len(t.rows) > 0 {
				p.worldMap(r)
			}
		case "days":
			p.dayChart(r)
		case "hours":
			p.hourChart(r)
		case "status":
			p.statusChart(t)
		}
		p.accessTable(t)
		p.printf("</section>\n")
	}
	p.printf("<section aria-labelledby=\"sources\">\n<h2 id=\"sources\">%s</h2>\n<ul>\n", esc(p.say("What this rests on")))
	for _, s := range accessSources(r, p.say) {
		p.printf("<li>%s</li>\n", esc(s))
	}
	p.printf("<li>%s</li>\n</ul>\n</section>\n", esc(p.say(r.Definitions["redaction"])))
}

// openRows is how many rows a table shows before the rest is folded away.
const openRows = 15

func (p *accessPage) accessTable(t accessTable) {
	if len(t.rows) == 0 {
		p.printf("<p>%s</p>\n", esc(t.empty))
		return
	}
	head := func(caption string) {
		p.printf("<div class=\"wide\" role=\"group\" tabindex=\"0\" aria-label=\"%s\">\n<table>\n<caption class=\"quiet\">%s</caption>\n<thead><tr>", esc(caption), esc(caption))
		for i, h := range t.head {
			p.printf("<th scope=\"col\"%s>%s</th>", numberClass(t, i), esc(h))
		}
		p.printf("</tr></thead>\n<tbody>\n")
	}
	head(t.title)
	for n, row := range t.rows {
		if n == openRows && len(t.rows) > openRows+5 {
			p.printf("</tbody>\n</table>\n</div>\n<details><summary>%s</summary>\n", esc(p.say("%d more rows", len(t.rows)-openRows)))
			head(p.say("%s, continued", t.title))
		}
		p.printf("<tr><th scope=\"row\"><bdi>%s</bdi></th>", esc(row[0]))
		for i, cell := range row[1:] {
			p.printf("<td%s><bdi>%s</bdi></td>", numberClass(t, i+1), esc(cell))
		}
		p.printf("</tr>\n")
	}
	p.printf("</tbody>\n</table>\n</div>\n")
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
