package match

import "strings"

// genericTests are the shapes that rules of guard.json may name. Each is true where the page is of the rule's class.
var genericTests = map[string]func(*genericRule, *view) bool{
	"root":         (*genericRule).isRoot,
	"host-label":   (*genericRule).isHostLabel,
	"segment":      (*genericRule).hasSegment,
	"last":         (*genericRule).endsIn,
	"taxonomy":     (*genericRule).isTaxonomy,
	"query":        (*genericRule).hasQuery,
	"query-root":   (*genericRule).hasRootQuery,
	"query-list":   (*genericRule).hasListQuery,
	"query-value":  (*genericRule).hasQueryValue,
	"page":         (*genericRule).isPage,
	"dates":        (*genericRule).isDate,
	"wiki-main":    (*genericRule).isWikiMain,
	"wiki-special": (*genericRule).isWikiSpecial,
	"section":      (*genericRule).isSection,
	"star":         (*genericRule).hasStar,
}

func (q *genericRule) isRoot(v *view) bool {
	// "/~name" is the front page of one user's site.
	home := len(v.short) == 1 && strings.HasPrefix(v.short[0], "~")
	return (len(v.short) == 0 || home) && !v.itemParameter
}

func (q *genericRule) isHostLabel(v *view) bool {
	label, _, _ := strings.Cut(v.host, ".")
	return q.words[label] && !v.mediaFile && !v.itemParameter
}

// hasSegment finds a word as a whole segment; a file of its own below such a path is an item.
func (q *genericRule) hasSegment(v *view) bool {
	if v.mediaFile || v.wikiPage() != "" {
		return false
	}
	for i, s := range v.short {
		if q.words[s] || q.words[v.withoutPageExtension(s)] {
			// "buscar/doc.php?id=7" shows one document although a search led there.
			return !v.itemParameter || i == len(v.short)-1
		}
	}
	return false
}

func (v *view) withoutPageExtension(s string) string {
	if i := strings.LastIndexByte(s, '.'); i > 0 && v.rules.words["page-extensions"][s[i+1:]] {
		return s[:i]
	}
	return s
}

// endsIn finds a word as the last segment: what stands there is the list itself. A parameter may still name one item of it.
func (q *genericRule) endsIn(v *view) bool {
	return q.words[v.stem] && !v.itemParameter && v.wikiPage() == ""
}

// isTaxonomy finds "tag/word" and "category/a/b". Behind it a segment that looks like an item's id or title is an item.
func (q *genericRule) isTaxonomy(v *view) bool {
	if v.mediaFile || v.wikiPage() != "" {
		return false
	}
	for i, s := range v.short {
		if !q.words[s] && !q.words[v.withoutPageExtension(s)] {
			continue
		}
		rest := v.short[i+1:]
		return len(rest) <= 1 || !looksLikeItem(v.stem)
	}
	return false
}

// looksLikeItem knows the shapes of ids and titles: three digits, a digit in a longer word, four words, or great length.
func looksLikeItem(s string) bool {
	digits, breaks := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == '-' || c == '_':
			breaks++
		}
	}
	return digits >= 3 || digits >= 1 && len(s) >= 6 || breaks >= 3 || len(s) >= 32
}

func (q *genericRule) hasQuery(v *view) bool {
	if v.mediaFile || v.itemParameter && !v.searchPage() {
		return false
	}
	for _, p := range v.query {
		if q.words[p.name] {
			return true
		}
	}
	return false
}

func (v *view) searchPage() bool {
	return strings.Contains(v.stem, "search")
}

// hasRootQuery is for names that ask on a front page and mean something else below it: "s", "k", "text".
func (q *genericRule) hasRootQuery(v *view) bool {
	if len(v.short) > 1 || v.itemParameter || looksLikeItem(v.stem) {
		return false
	}
	for _, p := range v.query {
		if q.words[p.name] && !isDigits(p.value) {
			return true
		}
	}
	return false
}

// hasListQuery finds sorting and paging, which lists have and items rarely.
func (q *genericRule) hasListQuery(v *view) bool {
	if v.itemParameter || v.mediaFile || looksLikeItem(v.stem) {
		return false
	}
	for _, p := range v.query {
		if q.words[p.name] {
			return true
		}
	}
	return false
}

func (q *genericRule) hasQueryValue(v *view) bool {
	for _, p := range v.query {
		if q.names[p.name] && q.words[p.value] {
			return true
		}
	}
	return false
}

// isPage finds ".../page/2" at the end and "page2".
func (q *genericRule) isPage(v *view) bool {
	n := len(v.short)
	if n == 0 || v.wikiPage() != "" {
		return false
	}
	if n >= 2 && q.words[v.short[n-2]] && isDigits(v.stem) {
		// "/article-title-2019/page/2" is the second page of one article.
		return n < 3 || !looksLikeItem(v.short[n-3])
	}
	digits := strings.TrimLeft(v.stem, "abcdefghijklmnopqrstuvwxyz-_")
	word := strings.TrimRight(v.stem[:len(v.stem)-len(digits)], "-_")
	return isDigits(digits) && len(digits) <= 4 && q.words[word] && (n < 2 || !looksLikeItem(v.short[n-2]))
}

// isDate finds archives by date: a year, a month or a day at the end and nothing else but a blog's prefix before.
func (q *genericRule) isDate(v *view) bool {
	segs := v.short
	for len(segs) > 0 && v.rules.words["date-prefixes"][segs[0]] {
		segs = segs[1:]
	}
	if len(segs) == 0 || len(segs) > 3 || v.itemParameter {
		return false
	}
	if len(segs) == 1 && (len(segs[0]) == 7 || len(segs[0]) == 10) && segs[0][4] == '-' {
		return isYear(segs[0][:4]) && isDigits(strings.ReplaceAll(segs[0], "-", ""))
	}
	if s := segs[0]; len(segs) == 1 && len(s) == 10 && s[2] == '-' && s[5] == '-' {
		return isYear(s[6:]) && isDigits(s[:2]+s[3:5])
	}
	if !isYear(segs[0]) {
		return false
	}
	for _, s := range segs[1:] {
		if !v.rules.words["months"][s] && !(isDigits(s) && len(s) <= 2) {
			return false
		}
	}
	return true
}

func isYear(s string) bool {
	return len(s) == 4 && isDigits(s) && (strings.HasPrefix(s, "19") || strings.HasPrefix(s, "20"))
}

// wikiPage is the title of a wiki page, "" where the address is none.
func (v *view) wikiPage() string {
	for i, s := range v.segs {
		if v.rules.words["wiki-paths"][s] && i <= 2 && i+1 < len(v.segs) {
			if s != "index.php" {
				return strings.Join(v.segs[i+1:], "/")
			}
		}
	}
	for _, p := range v.query {
		if p.name == "title" && p.value != "" && len(v.segs) > 0 && v.segs[len(v.segs)-1] == "index.php" {
			return strings.ReplaceAll(p.value, " ", "_")
		}
	}
	return ""
}

func (q *genericRule) isWikiMain(v *view) bool {
	page := strings.ReplaceAll(v.wikiPage(), " ", "_")
	if page == "" {
		n := len(v.short)
		return n > 0 && n <= 2 && v.rules.words["wiki-paths"][v.short[n-1]] && !v.itemParameter
	}
	if v.rules.words["wiki-main"][page] {
		return true
	}
	// The main page may stand in the project's own namespace, whose name differs from wiki to wiki.
	if _, name, ok := strings.Cut(page, ":"); ok {
		return v.rules.words["wiki-main"][strings.TrimLeft(name, "_")]
	}
	return false
}

func (q *genericRule) isWikiSpecial(v *view) bool {
	page := v.wikiPage()
	if page == "" && len(v.segs) == 1 {
		page = v.segs[0]
	}
	namespace, _, ok := strings.Cut(page, ":")
	return ok && v.rules.words["wiki-namespaces"][strings.ReplaceAll(namespace, " ", "_")]
}

// isSection finds the front page of a section on a named news outlet: a few plain words and no number, date or title.
func (q *genericRule) isSection(v *view) bool {
	if !v.section || v.mediaFile || v.itemParameter || len(v.short) > 4 || v.stem != lastOf(v.short) {
		return false
	}
	for _, s := range v.short {
		if looksLikeItem(s) || strings.ContainsAny(s, "0123456789") || v.rules.words["item-words"][s] {
			return false
		}
	}
	return true
}

func lastOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// hasStar finds the wildcard with which archives list captures.
func (q *genericRule) hasStar(v *view) bool {
	for _, s := range v.segs {
		if s == "*" || strings.HasSuffix(s, "*") {
			return true
		}
	}
	return false
}
