package webui

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
)

func eventForm() *design.ListForm {
	all := concert.EventKinds()
	kinds := make([]design.Choice, len(all))
	for i, k := range all {
		kinds[i] = design.Choice{Value: string(k), Said: string(k)} // codes: the same in every language
	}
	return &design.ListForm{Name: "events", Path: "/events", Orders: newestOrders(), Filters: []design.Filter{
		{Name: "ref", Label: "What it happened to (reference)", Kind: design.FilterText},
		{Name: "kind", Label: "Event", Choices: kinds},
		{Name: "operator", Label: "Who (operator number)", Kind: design.FilterText},
		{Name: "from", Label: "From", Kind: design.FilterDay},
		{Name: "until", Label: "Until", Kind: design.FilterDay},
	}}
}

// whoDid is who did it, by number: the house's own acts have none.
func whoDid(ctx context.Context, e casework.ListedEvent) string {
	switch {
	case e.Operator != "":
		return e.Operator
	case e.Actor == concert.House.Person:
		return say(ctx, "a clock of the house")
	}
	return string(e.Actor)
}

func (u *UI) eventListing(v *visit) (listing[casework.ListedEvent], error) {
	type row = casework.ListedEvent
	scope, err := v.scope()
	if err != nil {
		return listing[row]{}, err
	}
	columns := []design.Column[row]{
		linked("position", "Place in the log", func(e row) (string, string) {
			if e.Index < 0 {
				return "", ""
			}
			n := strconv.FormatInt(e.Index, 10)
			return n, "/events/" + n
		}),
		text("kind", "Event", func(_ context.Context, e row) string { return string(e.Kind) }),
		{Name: "ref", Label: "What it happened to", Code: true, Cell: func(_ context.Context, e row) design.Cell { return design.Cell{Text: e.Ref} }},
		text("operator", "Who", whoDid),
		text("at", "When", func(ctx context.Context, e row) string { return when(ctx, concert.FromMicros(e.At)) }),
		{Name: "leaf", Label: "Commitment", Code: true, Cell: func(_ context.Context, e row) design.Cell { return design.Cell{Text: fmt.Sprintf("%x", e.Commit)} }},
	}
	return listing[row]{form: eventForm(), caption: "Event log", columns: columns, file: true, empty: "Nothing has happened yet.", keys: func(_ string, e row) []string { return []string{string(e.ID)} },
		row: func(e row) (string, bool) { return string(e.ID), false },
		read: func(ctx context.Context, q design.Query, p concert.Page) (concert.Listed[row], error) {
			return u.svc.SearchEvents(ctx, scope, casework.EventQuery{Kind: concert.EventKind(q.Value("kind")), Ref: q.Value("ref"), Operator: q.Value("operator"), From: q.Day("from"), Until: q.DayAfter("until")}, eventFilter(q), p)
		}}, nil
}

// eventFilter is what the record of the reading says of the filters: codes and
// dates; the references are kept beside it, where they are such.
func eventFilter(q design.Query) string {
	var out []string
	for _, name := range []string{"kind", "from", "until"} {
		if s := q.Value(name); s != "" {
			out = append(out, name+"="+s)
		}
	}
	return strings.Join(out, "&")
}

func (u *UI) events(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.eventListing(v)
	if err != nil {
		return err
	}
	if !v.has(concert.RoleAuditor) && r.URL.Query().Get("ref") == "" && v.person.Authority != "" {
		// What others may read begins with the name of a thing of theirs.
		q, err := l.form.Parse(nil, nil)
		if err != nil {
			return err
		}
		return u.show(w, r, v, view{title: say(r.Context(), "Event log"), body: eventsAskView(design.Sheet{Query: q}), wide: true})
	}
	return l.show(u, w, r, v, "Event log", func(s design.Sheet) templ.Component {
		return plainList("Event log", "What happened, in the order of the log. Each event stands in the transparency log under its commitment: open one to see its proof and to check it yourself.", s)
	})
}

func (u *UI) eventsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	l, err := u.eventListing(v)
	if err != nil {
		return err
	}
	return l.csv(u, w, r, v)
}

// eventPage is one event with its proof.
type eventPage struct {
	casework.EventView
	Who       string
	Body      string // canonical, indented to be read
	Base      string // the deployment's address, for the commands
	Page      string // where what it happened to is shown, "" for nowhere
	Inclusion []string
	Consists  []string
	Earlier   string // as it was pasted
	Errors    formErrors
}

func (u *UI) event(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	position, err := positionOf(r)
	if err != nil {
		return err
	}
	p := eventPage{Base: strings.TrimSuffix(u.svc.BaseURL, "/")}
	if r.Method == http.MethodPost {
		p.Earlier = strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get("earlier"), "\r\n", "\n"))
	}
	p.EventView, err = u.svc.ReadEvent(r.Context(), scope, position, p.Earlier)
	if err != nil && p.Earlier != "" {
		if p.Errors, err = formErrorsOf(err); err == nil {
			p.EventView, err = u.svc.ReadEvent(r.Context(), scope, position, "")
		}
	}
	if err != nil {
		return err
	}
	if err := p.fill(r.Context()); err != nil {
		return err
	}
	return u.show(w, r, v, view{status: p.Errors.status(statusOf), title: say(r.Context(), "Event %d", position), body: eventView(p), wide: true})
}

func (p *eventPage) fill(ctx context.Context) error {
	p.Who = whoDid(ctx, p.ListedEvent)
	var body any
	if err := json.Unmarshal(p.ListedEvent.Body, &body); err != nil {
		return fmt.Errorf("body of event %s: %w", p.ID, err)
	}
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return err
	}
	p.Body = string(text)
	if prefix, _, ok := strings.Cut(p.Ref, "-"); ok && pagesOf[prefix] != "" {
		p.Page = pagesOf[prefix] + p.Ref
	}
	p.Inclusion, p.Consists = base64s(p.Proof.Inclusion), base64s(p.EventView.Earlier.Consistency)
	return nil
}

func base64s(hashes [][]byte) []string {
	out := make([]string, 0, len(hashes))
	for h := range slices.Values(hashes) {
		out = append(out, base64.StdEncoding.EncodeToString(h))
	}
	return out
}

func positionOf(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("position"), 10, 64)
	if err != nil || n < 0 {
		return 0, concert.ErrNotFound
	}
	return n, nil
}

// eventProof is the proof as a file, for concert verify.
func (u *UI) eventProof(w http.ResponseWriter, r *http.Request, v *visit) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	position, err := positionOf(r)
	if err != nil {
		return err
	}
	e, err := u.svc.ReadEvent(r.Context(), scope, position, "")
	if err != nil {
		return err
	}
	name := fmt.Sprintf("concert-event-%d.json", position)
	httpkit.NewDownload(w, "application/json", name).Send(u.log, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(e.Proof)
	})
	return nil
}
