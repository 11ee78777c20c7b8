package webui

import (
	"context"
	"io"
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

const (
	entryRows    = 50      // entries of a bank on one page
	waitingRows  = 20      // entries in quarantine above them
	listMost     = 1 << 20 // bytes of a list that a form takes
	faultsShown  = 50      // faults of a list that a page lists
	bankHeadMost = 64 << 10
)

// Values of the filters of the list of banks.
const (
	bankOurs   = "ours"
	bankTheirs = "theirs"
	bankOpen   = "open"
	bankShut   = "closed"
)

func bankForm() *design.ListForm {
	return &design.ListForm{Name: "banks", Path: "/banks", Orders: byName(), Also: []string{"done", "about"}, Filters: []design.Filter{
		{Name: "whose", Label: "Whose", Choices: []design.Choice{{Value: bankOurs, Label: "our own"}, {Value: bankTheirs, Label: "of others, open to us"}}},
		{Name: "state", Label: "State", Choices: []design.Choice{{Value: bankOpen, Label: "answers"}, {Value: bankShut, Label: "closed or over"}}},
	}}
}

// bankState is whether a bank answers now.
func bankState(b concert.Bank, now time.Time) state {
	switch {
	case !b.ClosedAt.IsZero():
		return state{Mark: "✕", Label: "closed bank", Tone: "end"}
	case !b.ExpiresAt.IsZero() && !now.Before(b.ExpiresAt):
		return state{Mark: "–", Label: "its time is over", Tone: "end"}
	case b.Ratio == 0:
		return state{Mark: "‖", Label: "answers no question yet", Tone: "wait"}
	case b.Ratio < concert.RatioWhole:
		return state{Mark: "◑", Label: "answers a share of the questions", Tone: "go"}
	}
	return state{Mark: "●", Label: "answers", Tone: "good"}
}

// bankEnded reports whether a bank answers no more.
func bankEnded(b concert.Bank, now time.Time) bool { return bankState(b, now).Tone == "end" }

var openTexts = map[concert.Destination]design.Text{concert.ToTenant: "other authorities here", concert.ToProvider: "providers"}

// openText is whom a bank is open to.
func openText(ctx context.Context, b concert.Bank) string {
	if len(b.OpenTo) == 0 {
		return say(ctx, "its owner alone")
	}
	var out []string
	for _, d := range b.OpenTo {
		out = append(out, say(ctx, openTexts[d]))
	}
	return strings.Join(out, ", ")
}

// ratioText is a share of questions.
func ratioText(ratio int) string {
	return strings.TrimSuffix(strconv.FormatFloat(float64(ratio)/10, 'f', 1, 64), ".0") + " %"
}

func (u *UI) bankListing(v *visit) (listing[casework.BankView], error) {
	type row = casework.BankView
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	now := u.svc.Now()
	number := func(name string, label design.Text, of func(row) int) design.Column[row] {
		return design.Column[row]{Name: name, Label: label, Number: true, Cell: func(_ context.Context, b row) design.Cell { return design.Cell{Text: strconv.Itoa(of(b))} }}
	}
	columns := []design.Column[row]{
		linked("name", "Name", func(b row) (string, string) { return b.Name, "/banks/" + b.Ref }),
		text("owner", "Owner", func(_ context.Context, b row) string { return b.Owner.Unit }),
		{Name: "state", Label: "State", Cell: func(ctx context.Context, b row) design.Cell { return stateCell(ctx, bankState(b.Bank, now)) }},
		text("purpose", "Purpose", func(_ context.Context, b row) string { return b.Purpose }),
		number("matching", "Entries that match", func(b row) int { return b.Count.Matching }),
		number("quarantined", "In quarantine", func(b row) int { return b.Count.Quarantined }),
		number("ended", "Ended", func(b row) int { return b.Count.Ended }),
		number("radius", "Bits that may differ", func(b row) int { return b.Radius }),
		text("handling", "Handling", func(_ context.Context, b row) string { return string(b.Handling) }),
		text("open", "Open to", func(ctx context.Context, b row) string { return openText(ctx, b.Bank) }),
		text("ratio", "Share of questions answered", func(_ context.Context, b row) string { return ratioText(b.Ratio) }),
		text("expires", "Answers until", func(ctx context.Context, b row) string { return day(ctx, b.ExpiresAt) }),
		text("negative", "Negative", func(ctx context.Context, b row) string {
			if b.Negative {
				return say(ctx, "yes: what is near it matches nothing")
			}
			return ""
		}),
		text("source", "Source", func(_ context.Context, b row) string { return b.Source }),
	}
	keys := func(_ string, b row) []string {
		return []string{map[bool]string{true: "0", false: "1"}[b.Mine], b.Name, string(b.ID)}
	}
	return listing[row]{form: bankForm(), caption: "Banks of known content", empty: "A reviewer opens one.", columns: columns, keys: keys, file: true,
		row: func(b row) (string, bool) { return b.Ref, false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			all, err := u.svc.Banks(ctx, scope)
			if err != nil {
				return concert.Listed[row]{}, err
			}
			all = slices.DeleteFunc(all, func(b row) bool {
				return q.Value("whose") != "" && b.Mine != (q.Value("whose") == bankOurs) || q.Value("state") != "" && bankEnded(b.Bank, now) != (q.Value("state") == bankShut)
			})
			return inMemory(all, func(b row) []string { return keys("", b) }, p), nil
		}}, nil
}

func (u *UI) banks(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.bankListing(v)
	if err != nil {
		return err
	}
	return l.show(u, w, r, v, "Banks", func(s design.Sheet) templ.Component { return banksView(s, v.actor().MayKeepBanks() == nil) })
}

func (u *UI) banksCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.bankListing(v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// bankFields are a bank's fields as they stand or were typed.
type bankFields struct {
	Name, Purpose, LegalBasis, Source, Labels, Radius, Handling, Ratio, Expires string
	Tenants, Providers, Negative                                                bool
	New                                                                         bool
	Ref                                                                         string
	Version                                                                     int64
	Errors                                                                      formErrors
}

func fieldsOf(b concert.Bank) bankFields {
	f := bankFields{Name: b.Name, Purpose: b.Purpose, LegalBasis: b.LegalBasis, Source: b.Source, Labels: strings.Join(b.Labels, ", "), Radius: strconv.Itoa(b.Radius), Handling: string(b.Handling),
		Ratio: strings.TrimSuffix(ratioText(b.Ratio), " %"), Negative: b.Negative, Ref: b.Ref, Version: b.Version, Tenants: slices.Contains(b.OpenTo, concert.ToTenant), Providers: slices.Contains(b.OpenTo, concert.ToProvider)}
	if !b.ExpiresAt.IsZero() {
		f.Expires = b.ExpiresAt.UTC().Format(time.DateOnly)
	}
	return f
}

// bankTyped reads the form of a bank.
func bankTyped(r *http.Request) (bankFields, concert.Bank, error) {
	f := bankFields{Name: field(r, "name"), Purpose: field(r, "purpose"), LegalBasis: field(r, "legal_basis"), Source: field(r, "source"), Labels: field(r, "labels"), Radius: field(r, "radius"), Handling: field(r, "handling"),
		Ratio: field(r, "enabled_ratio"), Expires: field(r, "expires_at"), Tenants: field(r, "to_tenant") != "", Providers: field(r, "to_provider") != "", Negative: field(r, "negative") != ""}
	b := concert.Bank{Name: f.Name, Purpose: f.Purpose, LegalBasis: f.LegalBasis, Source: f.Source, Labels: strings.Split(f.Labels, ","), Handling: concert.Handling(f.Handling), Negative: f.Negative}
	if f.Tenants {
		b.OpenTo = append(b.OpenTo, concert.ToTenant)
	}
	if f.Providers {
		b.OpenTo = append(b.OpenTo, concert.ToProvider)
	}
	var err error
	if b.Radius, err = strconv.Atoi(f.Radius); err != nil {
		return f, b, concert.Refuse(concert.Invalid, "bank.radius", "radius", "write how many of 256 bits may differ as a whole number")
	}
	share, err := strconv.ParseFloat(strings.Replace(f.Ratio, ",", ".", 1), 64)
	if err != nil || !(share >= 0 && share <= 100) {
		return f, b, concert.Refuse(concert.Invalid, "bank.ratio", "enabled_ratio", "write the share of questions as a number of hundredths, 0 to 100")
	}
	b.Ratio = int(share*10 + 0.5)
	if f.Expires != "" {
		if b.ExpiresAt, err = time.Parse(time.DateOnly, f.Expires); err != nil {
			return f, b, concert.Refuse(concert.Invalid, "bank.expires_at", "expires_at", "write the day as 2027-11-21, or leave it empty")
		}
	}
	return f, b, nil
}

func (u *UI) newBank(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().MayKeepBanks(); err != nil {
		return err
	}
	f := fieldsOf(concert.UsualBank())
	return u.showNewBank(w, r, v, f)
}

func (u *UI) showNewBank(w http.ResponseWriter, r *http.Request, v *visit, f bankFields) error {
	f.New = true
	return u.show(w, r, v, view{status: f.Errors.status(statusOf), title: say(r.Context(), "Open a bank"), body: newBankView(f)})
}

func (u *UI) openBank(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := v.actor().MayKeepBanks(); err != nil {
		return err
	}
	f, b, err := bankTyped(r)
	if err == nil {
		b, err = u.svc.OpenBank(r.Context(), v.actor(), b)
	}
	if err != nil {
		if f.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		return u.showNewBank(w, r, v, f)
	}
	return onward(w, r, "/banks/"+b.Ref, "bank_opened", b.Ref)
}

// entryChoices are the entries that a bank's page lists.
var entryChoices = []design.Choice{{Value: "", Label: "those that did not end"}, {Value: "quarantined", Label: "those in quarantine"}, {Value: "ended", Label: "all, those that ended among them"}}

// bankPage is a bank with a page of its entries.
type bankPage struct {
	casework.BankView
	State    state
	Fields   bankFields
	MayKeep  bool // change, close, clear
	MayFill  bool // add, withdraw
	Closing  bool // asked whether it is meant
	Show     string
	Waiting  []concert.BankEntry // in quarantine
	Entries  []concert.BankEntry
	Next     string
	Later    bool
	Holders  []casework.HolderView
	Lines    string // as they were pasted
	Format   string
	Errors   formErrors // of the lines
	Now      time.Time
	ListMost int
}

func (u *UI) bank(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showBank(w, r, v, bankPage{})
}

func (u *UI) showBank(w http.ResponseWriter, r *http.Request, v *visit, p bankPage) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	ref, q := r.PathValue("ref"), r.URL.Query()
	ask := casework.EntryQuery{Limit: entryRows + 1}
	switch p.Show = q.Get("show"); p.Show {
	case "quarantined":
		ask.Quarantined = true
	case "ended":
		ask.Ended = true
	default:
		p.Show = ""
	}
	if n, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && n > 0 {
		ask.Before, p.Later = n, true
	}
	if p.BankView, p.Entries, err = u.svc.BankEntries(r.Context(), scope, ref, ask); err != nil {
		return err
	}
	if len(p.Entries) > entryRows {
		p.Entries = p.Entries[:entryRows]
		p.Next = strconv.FormatInt(p.Entries[entryRows-1].N, 10)
	}
	p.Now, p.State, p.ListMost = u.svc.Now(), bankState(p.Bank, u.svc.Now()), listMost>>20
	open := p.Mine && p.ClosedAt.IsZero()
	p.MayKeep, p.MayFill = open && v.actor().MayKeepBanks() == nil, open && v.actor().MayFillBanks() == nil
	p.Closing = p.MayKeep && q.Get("close") != ""
	if p.Mine && p.Count.Quarantined > 0 && p.Show == "" && !p.Later {
		if _, p.Waiting, err = u.svc.BankEntries(r.Context(), scope, ref, casework.EntryQuery{Quarantined: true, Limit: waitingRows}); err != nil {
			return err
		}
	}
	if p.Mine {
		if p.Holders, err = u.svc.BankHolders(r.Context(), scope, ref); err != nil {
			return err
		}
	}
	if len(p.Fields.Errors) == 0 {
		p.Fields = fieldsOf(p.Bank)
	}
	p.Fields.Ref, p.Fields.Version = p.Ref, p.Version
	errs := p.Errors
	if len(p.Fields.Errors) > 0 {
		errs = p.Fields.Errors
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: p.Name, body: bankPageView(p), wide: true})
}

func (u *UI) changeBank(w http.ResponseWriter, r *http.Request, v *visit) error {
	f, b, err := bankTyped(r)
	if err == nil {
		_, err = u.svc.ChangeBank(r.Context(), v.actor(), r.PathValue("ref"), version(r), b)
	}
	if err != nil {
		errs, err := formErrorsOf(err)
		if err != nil || errs[0].Kind == concert.Forbidden {
			return errs.or(err)
		}
		f.Errors = errs
		return u.showBank(w, r, v, bankPage{Fields: f})
	}
	return onward(w, r, "/banks/"+r.PathValue("ref"), "bank_changed", "")
}

func (u *UI) closeBank(w http.ResponseWriter, r *http.Request, v *visit) error {
	b, err := u.svc.CloseBank(r.Context(), v.actor(), r.PathValue("ref"), version(r))
	if err != nil {
		return err
	}
	return onward(w, r, "/banks/"+b.Ref, "bank_closed", b.Ref)
}

// isBankFile reports whether a form carries a list for a bank.
func isBankFile(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/banks/") && strings.HasSuffix(r.URL.Path, "/file")
}

// fillPage is a list before it goes into a bank, and what became of it.
type fillPage struct {
	Bank   concert.Bank
	Lines  string
	Format string // as it was chosen; "" for by the list itself
	Done   bool
	casework.Imported
}

// Shown are the faults that the page lists.
func (p fillPage) Shown() []casework.ImportFault { return p.Faults[:min(len(p.Faults), faultsShown)] }

// fillBank shows what a list would bring, and adds it once that was seen.
func (u *UI) fillBank(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	b, err := u.svc.Bank(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	p := fillPage{Bank: b.Bank, Format: field(r, "format"), Done: field(r, "go") != ""}
	form, err := readList(r, v, &p)
	if err == nil {
		act := u.svc.PreviewImport
		if p.Done {
			act = u.svc.ImportBank
		}
		p.Imported, err = act(r.Context(), v.actor(), p.Bank.Ref, form, strings.NewReader(p.Lines))
	}
	if err != nil {
		errs, err := formErrorsOf(err)
		if err != nil || errs[0].Kind == concert.Forbidden || errs[0].Kind == concert.NotFound {
			return errs.or(err)
		}
		return u.showBank(w, r, v, bankPage{Lines: p.Lines, Format: p.Format, Errors: errs})
	}
	return u.show(w, r, v, view{title: say(r.Context(), "Into bank %s", b.Name), body: fillView(p), wide: true})
}

// readList reads the list of a form, pasted or as a file, and tells its form.
func readList(r *http.Request, v *visit, p *fillPage) (formats.BankFormat, error) {
	p.Lines = r.PostForm.Get("lines")
	if v.file != nil {
		raw, err := io.ReadAll(io.LimitReader(v.file, listMost+1))
		if err != nil {
			return "", err
		}
		if len(raw) > listMost {
			_, _ = io.Copy(io.Discard, io.LimitReader(v.file, httpkit.MaxBody)) // a browser shows no answer before it has sent all
		}
		p.Lines = string(raw)
	}
	p.Lines = clean(p.Lines)
	switch {
	case p.Lines == "":
		return "", concert.Refuse(concert.Invalid, "bank.list_empty", "lines", "there is no list: paste its lines, or choose a file")
	case len(p.Lines) > listMost:
		p.Lines = ""
		return "", concert.Refuse(concert.TooLarge, "bank.list", "lines", "a form takes lists of at most %d MB: send longer ones through the API", listMost>>20)
	case p.Format != "":
		return formats.BankFormat(p.Format), nil
	}
	form, known := formats.BankFormatOf([]byte(p.Lines[:min(len(p.Lines), bankHeadMost)]))
	if !known {
		return "", concert.Refuse(concert.Invalid, "bank.list_form", "lines", "this is none of the forms in which entries of banks travel: choose the form, or look it up in the manual (docs/banks.md)")
	}
	return form, nil
}

// knownState is whether an entry matches now, and why not.
func knownState(e concert.BankEntry, now time.Time) state {
	switch {
	case !e.EndedAt.IsZero():
		return state{Mark: "–", Label: endTexts[e.End], Tone: "end"}
	case !e.QuarantinedAt.IsZero():
		return state{Mark: "⚠", Label: "in quarantine: it matched too much", Tone: "wait"}
	case e.Stands() == concert.OpinionNegative:
		return state{Mark: "✕", Label: "matches nothing: all say that it is not", Tone: "end"}
	case !e.Matches(now):
		return state{Mark: "–", Label: "its time is over", Tone: "end"}
	}
	return state{Mark: "●", Label: "matches", Tone: "good"}
}

var endTexts = map[concert.EntryEnd]design.Text{
	concert.EntryWithdrawn: "withdrawn by its owner", concert.EntryExpired: "its time is over", concert.EntryRecalled: "recalled by its source", concert.EntryErased: "erased with its item",
}

// hashKindsText are the kinds of hash that an entry has.
func hashKindsText(e concert.BankEntry) string {
	var out []string
	for _, h := range e.Hashes {
		if !slices.Contains(out, string(h.Kind)) {
			out = append(out, string(h.Kind))
		}
	}
	return strings.Join(out, " ")
}

// bankEntryPage is one entry with its bank.
type bankEntryPage struct {
	Bank     casework.BankView
	E        concert.BankEntry
	State    state
	Item     string // the item that it was made of, "" for none
	MayEnd   bool
	MayClear bool
	MayJudge bool
	Mine     concert.Opinion // what the own authority says of it; "" for nothing
	Units    map[concert.AuthorityID]string
	Errors   formErrors
}

func (u *UI) bankEntry(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showBankEntry(w, r, v, nil)
}

func (u *UI) showBankEntry(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	b, e, err := u.svc.BankEntry(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	g, err := u.svc.Registers(r.Context())
	if err != nil {
		return err
	}
	by, now := v.actor(), u.svc.Now()
	p := bankEntryPage{Bank: b, E: e, State: knownState(e, now), Units: map[concert.AuthorityID]string{}, Errors: errs}
	if e.Item != "" && isReference(e.Name) {
		p.Item = e.Name
	}
	stands := e.EndedAt.IsZero()
	p.MayEnd = stands && b.Mine && by.MayFillBanks() == nil
	p.MayClear = stands && b.Mine && !e.QuarantinedAt.IsZero() && by.MayKeepBanks() == nil
	p.MayJudge = stands && by.MayFillBanks() == nil && b.Answers(by, now)
	for _, s := range e.Said {
		p.Units[s.Authority] = g.Authorities[s.Authority].Unit
		if s.Authority == by.Authority {
			p.Mine = s.Opinion
		}
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: e.Ref, body: bankEntryView(p)})
}

// entryActed ends an act on an entry: onward with word of it, or the entry's page
// with what was wrong.
func (u *UI) entryActed(w http.ResponseWriter, r *http.Request, v *visit, done string, err error) error {
	if err == nil {
		return onward(w, r, "/entries/"+r.PathValue("ref"), done, "")
	}
	errs, other := formErrorsOf(err)
	if other != nil || errs[0].Kind == concert.Forbidden && errs[0].Code != "entry.same_person" {
		return err
	}
	return u.showBankEntry(w, r, v, errs)
}

func (u *UI) withdrawEntry(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.EndEntry(r.Context(), v.actor(), r.PathValue("ref"))
	return u.entryActed(w, r, v, "entry_withdrawn", err)
}

func (u *UI) clearEntry(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.ClearEntry(r.Context(), v.actor(), r.PathValue("ref"))
	return u.entryActed(w, r, v, "entry_cleared", err)
}

func (u *UI) judgeEntry(w http.ResponseWriter, r *http.Request, v *visit) error {
	_, err := u.svc.JudgeEntry(r.Context(), v.actor(), r.PathValue("ref"), concert.Opinion(field(r, "opinion")))
	return u.entryActed(w, r, v, "entry_judged", err)
}

func (u *UI) bankItem(w http.ResponseWriter, r *http.Request, v *visit) error {
	e, err := u.svc.BankItem(r.Context(), v.actor(), field(r, "bank"), r.PathValue("ref"))
	if err != nil {
		return u.itemFailed(w, r, v, err, func(p *itemPage, errs formErrors) { p.Known.Errors = errs })
	}
	return onward(w, r, "/items/"+r.PathValue("ref"), "banked", e.Ref)
}

// headOf is the beginning of a text, for a list.
func headOf(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
