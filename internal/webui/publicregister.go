package webui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/formats"
	"concert/internal/httpkit"
)

// publicRoutes are the public site: no log-in, no cookie, no script, and the same bytes
// for everyone, so that anything between may keep them.
func (u *UI) publicRoutes() []route {
	return []route{
		{"GET /public", u.publicly(u.publicStart)},
		{"GET /public/register", u.publicly(u.publicRegister)},
		{"GET /public/register/{ref}", u.publicly(u.publicRecord)},
		{"GET /public/errors", u.publicly(u.publicErrors)},
		{"GET /public/figures", u.publicly(u.publicFigures)},
		{"GET /public/reports", u.publicly(u.publicReports)},
		{"GET /public/reports/{article}/{subject}/{year}", u.publicly(u.publicReport)},
		{"GET /public/files/{name}", u.publicly(u.publicFile)},
	}
}

// RegisterPublic puts the public site alone on the mux, for a port that serves nothing
// else.
func (u *UI) RegisterPublic(mux *http.ServeMux) {
	mux.HandleFunc("GET /assets/{name}", u.assets.serve)
	for _, r := range u.publicRoutes() {
		mux.HandleFunc(r.pattern, r.handler)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/public", http.StatusFound) })
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if _, err := w.Write([]byte("User-agent: *\nAllow: /\n")); err != nil {
			u.log.Debug("robots.txt not delivered", "err", err)
		}
	})
	mux.HandleFunc("/", u.publicly(func(http.ResponseWriter, *http.Request, *publicVisit) error { return concert.ErrNotFound }))
}

// formatsSums is the name of the list of digests.
const formatsSums = formats.SumsFile

// publicKept is how long a browser or a proxy keeps a public page, in seconds.
const publicKept = 300

// publicVisit is one reading of the public site.
type publicVisit struct {
	*casework.Published
	names casework.Registers
}

// publicly is the way of every public page: it asks nobody who they are, reads no
// cookie and sets none, and is limited by network as other public doors are.
func (u *UI) publicly(h func(http.ResponseWriter, *http.Request, *publicVisit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		english, _ := design.LanguageOf("en")
		r = r.WithContext(design.WithReader(r.Context(), design.Reader{Language: english}))
		w.Header().Set("Vary", "Accept-Encoding")
		v, err := u.publicVisit(w, r)
		if err == nil {
			tag := fmt.Sprintf(`W/"%d-%d-%s"`, v.AsOf.Unix(), v.Size, strings.Trim(u.assets.url["app.css"], "/"))
			w.Header().Set("ETag", tag)
			w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(publicKept))
			if strings.Contains(r.Header.Get("If-None-Match"), tag) {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			err = h(w, r, v)
		}
		if err != nil {
			u.failPublic(w, r, err)
		}
	}
}

func (u *UI) publicVisit(w http.ResponseWriter, r *http.Request) (*publicVisit, error) {
	if err := u.limits.Take(w, r, ""); err != nil {
		return nil, err
	}
	p, err := u.svc.Public(r.Context())
	if err != nil {
		return nil, err
	}
	g, err := u.svc.Registers(r.Context())
	return &publicVisit{p, g}, err
}

// failPublic says what went wrong, in the public site's frame.
func (u *UI) failPublic(w http.ResponseWriter, r *http.Request, err error) {
	for _, name := range []string{"ETag", "Cache-Control"} {
		w.Header().Del(name)
	}
	w.Header().Set("Cache-Control", "no-store")
	p := failurePage{Status: httpkit.StatusOf(err), Title: say(r.Context(), failureTitle(httpkit.StatusOf(err))), Message: say(r.Context(), "Something went wrong on our side. It is logged: try again later.")}
	var refused *concert.Error
	if errors.As(err, &refused) {
		p.Code, p.Message = refused.Code, design.Refusal(r.Context(), refused, worded)
	} else if r.Context().Err() == nil {
		u.log.Error("public page failed", "pattern", r.Pattern, "err", err)
	}
	if err := u.showPublic(w, r, p.Status, p.Title, publicFailure(p)); err != nil {
		u.log.Error("public failure page failed", "err", err)
	}
}

// showPublic renders a page of the public site; status 0 is 200.
func (u *UI) showPublic(w http.ResponseWriter, r *http.Request, status int, title string, body templ.Component) error {
	f := frame{Title: title, Path: r.URL.Path, Exercise: u.svc.Exercise, Assets: u.assets.url, Reader: design.ReaderOf(r.Context()), Wide: true}
	ctx := context.WithValue(context.WithValue(r.Context(), frameKey{}, f), nowKey{}, u.svc.Now())
	var b bytes.Buffer
	if err := publicLayout(f, body).Render(ctx, &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	u.deliver(w, r, status, b.Bytes())
	return nil
}

// publicNav are the pages of the public site.
var publicNav = []struct {
	Path  string
	Label design.Text
}{
	{"/public", "What this is"}, {"/public/register", "Register"}, {"/public/errors", "Error register"}, {"/public/figures", "Figures"}, {"/public/reports", "Reports"},
}

var publicKinds = map[concert.PublicKind]state{
	concert.PublicOrder:    {Mark: "■", Label: "removal order", Tone: "bad"},
	concert.PublicReferral: {Mark: "➤", Label: "referral", Tone: "go"},
}

var publicStates = map[string]state{
	string(concert.OrderIssued):      {Mark: "➤", Label: "issued", Tone: "go"},
	string(concert.OrderReceived):    {Mark: "◐", Label: "received", Tone: "go"},
	string(concert.OrderImpeded):     {Mark: "‖", Label: "cannot be carried out (Annex III)", Tone: "wait"},
	string(concert.OrderClarified):   {Mark: "◑", Label: "clarified", Tone: "go"},
	string(concert.OrderExecuted):    {Mark: "●", Label: "done for every item", Tone: "good"},
	string(concert.OrderFinal):       {Mark: "●", Label: "final", Tone: "good"},
	string(concert.OrderVoid):        {Mark: "✕", Label: "without effect", Tone: "end"},
	string(concert.OrderWithdrawn):   {Mark: "↩", Label: "taken back", Tone: "end"},
	string(concert.ReferralSent):     {Mark: "➤", Label: "sent", Tone: "go"},
	string(concert.ReferralPartly):   {Mark: "◑", Label: "partly answered", Tone: "wait"},
	string(concert.ReferralAnswered): {Mark: "●", Label: "answered", Tone: "good"},

	string(concert.ReferralAcknowledged): {Mark: "◐", Label: "acknowledged", Tone: "go"},
}

// publicAnswer is a provider's word, to a referral or an order.
func publicAnswer(ctx context.Context, code string) string {
	if code == string(concert.MeasureDisabled) {
		return say(ctx, "access disabled across the Union")
	}
	return say(ctx, answerTexts[concert.AnswerCode(code)])
}

func publicAnswerChoices() []design.Choice {
	out := []design.Choice{{Value: string(concert.MeasureDisabled), Label: "access disabled across the Union"}}
	for _, c := range concert.AnswerCodes {
		out = append(out, design.Choice{Value: string(c), Label: answerTexts[c]})
	}
	return out
}

var publicErrorKinds = map[concert.ErrorCause]design.Text{
	concert.ErrorWithdrawal: "taken back", concert.ErrorCorrection: "corrected", concert.ErrorVoid: "found to infringe: void", concert.ErrorComplaint: "a complaint was upheld", concert.ErrorAppeal: "found to infringe by a court: void",
}

// publicStart is what the public site is, with the numbers of all years.
func (u *UI) publicStart(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	row, _ := v.Row(concert.PublicScope{Kind: concert.ScopeAll}, 0)
	sums, err := v.Sums()
	if err != nil {
		return err
	}
	return u.showPublic(w, r, 0, say(r.Context(), "Public register"), publicStartView(v, row.Lines(), strings.Split(strings.TrimSpace(string(sums)), "\n")))
}

// publicForm is how the register is asked.
func publicForm(v *publicVisit) *design.ListForm {
	parties := func(in []concert.PublicParty) []design.Choice {
		var out []choice
		for _, p := range in {
			out = append(out, choice{p.Ref, v.names.PublicName(p.Ref)})
		}
		return choicesOf(sortedChoices(out))
	}
	var types []design.Choice
	for _, c := range contentTypes {
		types = append(types, design.Choice{Value: string(c.Type), Label: c.Text})
	}
	var years []design.Choice
	for _, y := range v.Years() {
		years = append(years, design.Choice{Value: strconv.Itoa(y), Said: strconv.Itoa(y)})
	}
	return &design.ListForm{Name: "public", Path: "/public/register", Orders: newestOrders()[:1], Filters: []design.Filter{
		{Name: "kind", Label: "Kind of request", Choices: stateChoices(concert.PublicKinds, publicKinds)},
		{Name: "authority", Label: "Authority", Choices: parties(v.Authorities)},
		{Name: "provider", Label: "Provider", Choices: parties(v.Providers)},
		{Name: "type", Label: "Type of content", Choices: types},
		{Name: "answer", Label: "Answer", Choices: publicAnswerChoices()},
		{Name: "state", Label: "State", Choices: stateChoices(concert.PublicStatuses(), publicStates)},
		{Name: "error", Label: "In the error register", Choices: []design.Choice{{Value: "yes", Label: "yes"}}},
		{Name: "year", Label: "Year", Choices: years},
	}}
}

// publicPage is a page of rows that lie in memory, newest first.
func publicPage[R any](rows []R, index func(R) int64, p concert.Page) concert.Listed[R] {
	at := int64(0)
	if len(p.Keys) == 1 {
		at, _ = strconv.ParseInt(p.Keys[0], 10, 64) // the cursor is ours: what it is not finds nothing
		if p.Back {
			rows = slices.Clone(rows)
			slices.Reverse(rows)
			rows = slices.DeleteFunc(rows, func(r R) bool { return index(r) <= at })
		} else {
			rows = slices.DeleteFunc(slices.Clone(rows), func(r R) bool { return index(r) >= at })
		}
	}
	return concert.Listed[R]{Rows: rows[:min(len(rows), p.Limit)]}
}

// publicTypes are the letters of Art. 2(7).
func publicTypes(in []concert.ContentType) string {
	var out []string
	for _, c := range contentTypes {
		if slices.Contains(in, c.Type) {
			out = append(out, "2(7)("+c.Letter+")")
		}
	}
	return strings.Join(out, ", ")
}

func publicAnswers(ctx context.Context, in []string) string {
	var out []string
	for _, a := range in {
		out = append(out, publicAnswer(ctx, a))
	}
	return strings.Join(out, "; ")
}

func (u *UI) publicRegister(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	type row = concert.PublicRecord
	columns := []design.Column[row]{
		linked("ref", "Reference", func(r row) (string, string) { return r.Ref, "/public/register/" + r.Ref }),
		{Name: "kind", Label: "Kind of request", Cell: func(ctx context.Context, r row) design.Cell { return stateCell(ctx, publicKinds[r.Kind]) }},
		text("on", "Went out on", func(_ context.Context, r row) string { return r.On }),
		text("authority", "Authority", func(_ context.Context, r row) string { return v.names.PublicName(r.Authority) }),
		text("provider", "Provider", func(_ context.Context, r row) string { return v.names.PublicName(r.Provider) }),
		text("type", "Type of content", func(_ context.Context, r row) string { return publicTypes(r.Types) }),
		{Name: "items", Label: "Items", Number: true, Cell: func(_ context.Context, r row) design.Cell { return design.Cell{Text: string(r.Items)} }},
		{Name: "state", Label: "State", Cell: func(ctx context.Context, r row) design.Cell { return stateCell(ctx, publicStates[r.Status]) }},
		text("answer", "Answer", func(ctx context.Context, r row) string { return publicAnswers(ctx, r.Answers) }),
		text("error", "Error", func(ctx context.Context, r row) string {
			if r.Error {
				return say(ctx, "yes")
			}
			return ""
		}),
	}
	l := listing[row]{form: publicForm(v), caption: "Register", columns: columns, empty: "Nothing is old enough to be shown yet.",
		keys: func(_ string, r row) []string { return []string{strconv.FormatInt(r.Index, 10)} }, row: func(r row) (string, bool) { return r.Ref, false },
		read: func(_ context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			year, _ := strconv.Atoi(q.Value("year")) // one of the choices
			return publicPage(v.Find(concert.PublicSearch{Kind: concert.PublicKind(q.Value("kind")), Authority: q.Value("authority"), Provider: q.Value("provider"), Type: concert.ContentType(q.Value("type")), Answer: q.Value("answer"), Status: q.Value("state"), Error: q.Value("error") != "", Year: year}),
				func(r row) int64 { return r.Index }, p), nil
		}}
	s, err := l.sheet(u, r, &visit{})
	if err != nil {
		return err
	}
	return u.showPublic(w, r, 0, say(r.Context(), "Register"), publicListView(v, "Register", "One row is one referral or one removal order. A referral is voluntary; an order binds. No place, no person and no text is shown, and never the material itself.", s))
}

func (u *UI) publicRecord(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	rec, ok := v.Record(r.PathValue("ref"))
	if !ok {
		return concert.ErrNotFound
	}
	var mistakes []concert.PublicMistake
	for _, m := range v.Mistakes {
		if m.Ref == rec.Ref {
			mistakes = append(mistakes, m)
		}
	}
	return u.showPublic(w, r, 0, rec.Ref, publicRecordView(v, rec, mistakes))
}

func publicErrorForm() *design.ListForm {
	var kinds []design.Choice
	for _, k := range concert.ErrorCauses {
		kinds = append(kinds, design.Choice{Value: string(k), Label: publicErrorKinds[k]})
	}
	return &design.ListForm{Name: "publicerrors", Path: "/public/errors", Orders: newestOrders()[:1], Filters: []design.Filter{
		{Name: "kind", Label: "What was put right", Choices: kinds}, {Name: "request", Label: "Kind of request", Choices: stateChoices(concert.PublicKinds, publicKinds)}, {Name: "category", Label: "Reason category", Choices: textChoices(concert.RemedyCategories, remedyCategories)},
	}}
}

func (u *UI) publicErrors(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	type row = concert.PublicMistake
	columns := []design.Column[row]{
		text("on", "Put right on", func(_ context.Context, m row) string { return m.RightOn }),
		text("kind", "What was put right", func(ctx context.Context, m row) string { return say(ctx, publicErrorKinds[m.Kind]) }),
		text("category", "Reason category", func(ctx context.Context, m row) string { return say(ctx, remedyCategories[m.Category]) }),
		linked("ref", "Kind of request", func(m row) (string, string) { return m.Ref, "/public/register/" + m.Ref }),
		text("sent", "Went out on", func(_ context.Context, m row) string { return m.SentOn }),
		text("authority", "Authority", func(_ context.Context, m row) string { return v.names.PublicName(m.Authority) }),
		text("provider", "Provider", func(_ context.Context, m row) string { return v.names.PublicName(m.Provider) }),
		{Name: "items", Label: "Items", Number: true, Cell: func(_ context.Context, m row) design.Cell { return design.Cell{Text: string(m.Items)} }},
		{Name: "index", Label: "Place in the log", Number: true, Cell: func(_ context.Context, m row) design.Cell {
			return design.Cell{Text: strconv.FormatInt(m.Index, 10)}
		}},
	}
	l := listing[row]{form: publicErrorForm(), caption: "Error register", columns: columns, empty: "Nothing that went out was taken back or corrected yet.",
		keys: func(_ string, m row) []string { return []string{strconv.FormatInt(m.Index, 10)} }, row: func(m row) (string, bool) { return strconv.FormatInt(m.Index, 10), false },
		read: func(_ context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			found := slices.DeleteFunc(slices.Clone(v.Mistakes), func(m row) bool {
				return q.Value("kind") != "" && string(m.Kind) != q.Value("kind") || q.Value("request") != "" && string(m.Request) != q.Value("request") || q.Value("category") != "" && string(m.Category) != q.Value("category")
			})
			return publicPage(found, func(m row) int64 { return m.Index }, p), nil
		}}
	s, err := l.sheet(u, r, &visit{})
	if err != nil {
		return err
	}
	return u.showPublic(w, r, 0, say(r.Context(), "Error register"), publicListView(v, "Error register", "What went out and was wrong: taken back, corrected, found void, or complained of with success. Every recipient was told. An entry is never changed and never taken away.", s))
}

// publicTable is the numbers of one scope, year by year.
type publicTable struct {
	Scope concert.PublicScope
	Name  string
	Years []string
	Lines [][]concert.PublicReportLine // by figure, then by year
}

func (v *publicVisit) table(s concert.PublicScope) publicTable {
	t := publicTable{Scope: s, Name: v.names.PublicName(s.Ref)}
	var rows []concert.PublicRow
	for _, row := range v.Rows {
		if row.Scope != s {
			continue
		}
		rows = append(rows, row)
		year := ""
		if row.Year != 0 {
			year = strconv.Itoa(row.Year)
		}
		t.Years = append(t.Years, year)
	}
	for i := range concert.PublicFigures() {
		var line []concert.PublicReportLine
		for _, row := range rows {
			line = append(line, row.Lines()[i])
		}
		t.Lines = append(t.Lines, line)
	}
	return t
}

func (u *UI) publicFigures(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	scope := concert.PublicScope{Kind: concert.ScopeAll}
	choices := []choice{{"", ""}}
	for _, row := range v.Rows {
		if row.Year != 0 || row.Scope.Kind == concert.ScopeAll {
			continue
		}
		value := row.Scope.Kind + ":" + row.Scope.Ref
		choices = append(choices, choice{value, v.names.PublicName(row.Scope.Ref)})
		if r.URL.Query().Get("of") == value {
			scope = row.Scope
		}
	}
	if of := r.URL.Query().Get("of"); of != "" && scope.Kind == concert.ScopeAll {
		return concert.ErrNotFound
	}
	return u.showPublic(w, r, 0, say(r.Context(), "Figures"), publicFiguresView(v, v.table(scope), choices))
}

// publicReportLink is one report that can be had.
type publicReportLink struct {
	Article       int
	Subject, Name string
	Years         []int
}

func (u *UI) publicReports(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	var links []publicReportLink
	article := map[string]int{concert.ScopeProvider: 7, concert.ScopeAuthority: 8, concert.ScopeState: 21}
	for _, row := range v.Rows {
		a := article[row.Scope.Kind]
		if a == 0 || row.Year == 0 || row.Scope.Ref == "" {
			continue
		}
		if n := len(links); n == 0 || links[n-1].Article != a || links[n-1].Subject != row.Scope.Ref {
			links = append(links, publicReportLink{Article: a, Subject: row.Scope.Ref, Name: v.names.PublicName(row.Scope.Ref)})
		}
		links[len(links)-1].Years = append(links[len(links)-1].Years, row.Year)
	}
	slices.SortStableFunc(links, func(a, b publicReportLink) int { return a.Article - b.Article })
	return u.showPublic(w, r, 0, say(r.Context(), "Reports"), publicReportsView(v, links))
}

// reportTypes are how a report is given as a file.
var reportTypes = map[string]string{"pdf": "application/pdf", "html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8"}

// publicReport is a report as a page, or as a file where the year ends in its format.
func (u *UI) publicReport(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	text, format, file := strings.Cut(r.PathValue("year"), ".")
	year, err := strconv.Atoi(text)
	article, err2 := strconv.Atoi(r.PathValue("article"))
	if err != nil || err2 != nil || file && reportTypes[format] == "" {
		return concert.ErrNotFound
	}
	rep, err := v.Report(article, r.PathValue("subject"), year)
	if err != nil {
		return err
	}
	name := v.names.PublicName(rep.Subject)
	if !file {
		return u.showPublic(w, r, 0, say(r.Context(), "Report under Article %d", rep.Article), publicReportView(v, rep, name))
	}
	data, err := casework.PublicReportFile(rep, name, format)
	if err != nil {
		return err
	}
	u.publicData(w, r, reportTypes[format], fmt.Sprintf("article-%d-%s-%d.%s", rep.Article, rep.Subject, rep.Year, format), data)
	return nil
}

// publicFile is one of the register's files, or the list of their digests.
func (u *UI) publicFile(w http.ResponseWriter, r *http.Request, v *publicVisit) error {
	name := r.PathValue("name")
	if name == formatsSums {
		sums, err := v.Sums()
		if err != nil {
			return err
		}
		u.publicData(w, r, "text/plain; charset=utf-8", name, sums)
		return nil
	}
	data, _, err := v.File(name)
	if err != nil {
		return err
	}
	u.publicData(w, r, "text/csv; charset=utf-8", name, data)
	return nil
}

// publicData sends a file as it is: its digest is that of the bytes that arrive.
func (u *UI) publicData(w http.ResponseWriter, r *http.Request, kind, name string, data []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// shownLine is a number as the public pages write it.
func shownLine(ctx context.Context, l concert.PublicReportLine) string {
	switch {
	case l.Metric == "":
		return say(ctx, "not recorded")
	case l.N == concert.Few:
		return say(ctx, "not shown")
	}
	return thousands(l.N)
}

// ofLine is a number's denominator.
func ofLine(ctx context.Context, l concert.PublicReportLine) string {
	switch {
	case l.Of == "":
		return ""
	case l.OfN == concert.Few:
		return say(ctx, "of %s", string(l.Of))
	}
	return say(ctx, "of %s", thousands(l.OfN)+" "+string(l.Of))
}

// joined are codes as they stand in the files.
func joined[T ~string](in []T) string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return strings.Join(out, ", ")
}

// publicMarks are what else is to be said of a request.
func publicMarks(ctx context.Context, r concert.PublicRecord) []string {
	var out []string
	for _, m := range []struct {
		is   bool
		text design.Text
	}{
		{r.Acknowledged, "receipt acknowledged"}, {r.Executed, "done for every item"}, {r.Missed, "the hour went by"}, {r.CrossBorder, "to another Member State, whose authority got a copy (Art. 4)"},
		{r.Emergency, "in an emergency, without twelve hours' notice (Art. 3(2))"}, {r.Scrutinised, "scrutinised (Art. 4)"}, {r.Article16, "meant as a notice under DSA Art. 16"},
	} {
		if m.is {
			out = append(out, say(ctx, m.text))
		}
	}
	return out
}

func reportPath(article int, subject string, year int) string {
	return "/public/reports/" + strconv.Itoa(article) + "/" + subject + "/" + strconv.Itoa(year)
}

// reportPart is one point of a report's article.
type reportPart struct {
	ID, Point string
	Lines     []concert.PublicReportLine
}

func reportParts(r concert.PublicReport) []reportPart {
	var out []reportPart
	for _, l := range r.Lines {
		if n := len(out); n == 0 || out[n-1].Point != l.Point {
			out = append(out, reportPart{ID: "point-" + strconv.Itoa(n), Point: l.Point})
		}
		out[len(out)-1].Lines = append(out[len(out)-1].Lines, l)
	}
	return out
}
