package webui

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/match"
)

func (u *UI) knownRoutes() []route {
	return []route{
		{"POST /items/{ref}/copies", u.serve(person, u.takeCopy)},
		{"GET /matches/{ref}", u.serve(person, u.match)},
		{"POST /matches/{ref}", u.serve(person, u.judgeMatch)},

		{"GET /banks", u.serve(person, u.banks)},
		{"GET /banks.csv", u.serve(person, u.banksCSV)},
		{"GET /banks/new", u.serve(person, u.newBank)},
		{"POST /banks", u.serve(person, u.openBank)},
		{"GET /banks/{ref}", u.serve(person, u.bank)},
		{"POST /banks/{ref}", u.serve(person, u.changeBank)},
		{"POST /banks/{ref}/close", u.serve(person, u.closeBank)},
		{"POST /banks/{ref}/entries", u.serve(person, u.fillBank)},
		{"POST /banks/{ref}/file", u.serve(person, u.fillBank)},
		{"GET /entries/{ref}", u.serve(person, u.bankEntry)},
		{"POST /entries/{ref}/withdraw", u.serve(person, u.withdrawEntry)},
		{"POST /entries/{ref}/clear", u.serve(person, u.clearEntry)},
		{"POST /entries/{ref}/opinion", u.serve(person, u.judgeEntry)},
		{"POST /items/{ref}/bank", u.serve(person, u.bankItem)},
	}
}

// knownPanel is what is known of an item's content, on its page.
type knownPanel struct {
	casework.Known
	Shown   bool
	MayTake bool       // the next copy
	Guessed bool       // the language in the form is a guess
	Banks   []choice   // of the own authority, which the item may be added to
	Errors  formErrors // of adding it
}

// known tells what is known of the item's content, to people of whoever found or
// judged it.
func (u *UI) known(r *http.Request, v *visit, p *itemPage) error {
	by := v.actor()
	if !p.Capture.MayOpen {
		return nil
	}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	k := knownPanel{Shown: true, MayTake: v.has(concert.RoleOfficer)}
	if k.Known, err = u.svc.KnownOf(r.Context(), scope, p.Item.Ref); err != nil {
		return err
	}
	if by.MayFillBanks() == nil && len(p.Item.Captures) > 0 && p.Item.Standing() == nil {
		banks, err := u.svc.BanksToFill(r.Context(), by)
		if err != nil {
			return err
		}
		for _, b := range banks {
			k.Banks = append(k.Banks, choice{b.Ref, b.Name})
		}
	}
	if k.Guessed = p.Assess.Language == "" && k.Language.Language != ""; k.Guessed {
		p.Assess.Language = k.Language.Language
	}
	p.Known = k
	return nil
}

// copiesListed is how many of the copies that wait are named.
const copiesListed = 6

// hundredths is thousandths as whole hundredths.
func hundredths(thousandths int) int { return (thousandths + 5) / 10 }

// turnTexts say what was done to the other picture, by orientation (package pdq).
var turnTexts = [8]design.Text{"turned neither way", "turned a quarter to the left", "turned upside down", "turned a quarter to the right",
	"mirrored, top and bottom", "mirrored, left and right", "mirrored along the diagonal", "mirrored along the other diagonal"}

func turnText(turn int) design.Text {
	if turn < 0 || turn >= len(turnTexts) {
		return turnTexts[0]
	}
	return turnTexts[turn]
}

// howText says how a match was found.
func howText(ctx context.Context, m concert.KnownMatch) string {
	switch m.By {
	case concert.PrintBytes:
		return say(ctx, "the very same bytes")
	case concert.PrintPicture:
		return say(ctx, "looks alike: %d of 256 bits differ, quality %d, %s", m.Distance, m.Quality, turnText(m.Turn))
	case concert.PrintVideo:
		return say(ctx, "a video that looks alike: %d %% of this one is in it, %d %% of it is in this one", hundredths(m.ShareHere), hundredths(m.ShareThen))
	case concert.PrintPage:
		return say(ctx, "a saved page that reads alike, a hint only: a log-in wall or a notice stands at many places")
	}
	return say(ctx, "a text that reads alike: %d %% of this one is in it, %d %% of it is in this one", hundredths(m.ShareHere), hundredths(m.ShareThen))
}

var matchWords = map[concert.MatchWord]state{
	concert.MatchSame:  {Mark: "✓", Label: "said to be the same work", Tone: "good"},
	concert.MatchOther: {Mark: "✕", Label: "said to be another work", Tone: "end"},
}

var opinionStates = map[concert.Opinion]state{
	concert.OpinionPositive: {Mark: "●", Label: "it is what the bank is of", Tone: "go"},
	concert.OpinionNegative: {Mark: "✕", Label: "it is not what the bank is of", Tone: "end"},
	concert.OpinionSeed:     {Mark: "?", Label: "worth looking into", Tone: "wait"},
	concert.OpinionDisputed: {Mark: "≠", Label: "DISPUTED: some say that it is what the bank is of, some that it is not", Tone: "bad"},
}

// opinionBrief are the same for a table.
var opinionBrief = map[concert.Opinion]state{
	concert.OpinionPositive: {Mark: "●", Label: "it is", Tone: "go"},
	concert.OpinionNegative: {Mark: "✕", Label: "it is not", Tone: "end"},
	concert.OpinionSeed:     {Mark: "?", Label: "worth looking into", Tone: "wait"},
	concert.OpinionDisputed: {Mark: "≠", Label: "DISPUTED", Tone: "bad"},
}

// takeCopy takes the next copy in hand and opens it with what was judged of the
// others filled in.
func (u *UI) takeCopy(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, err := u.svc.TakeCopy(r.Context(), v.actor(), r.PathValue("ref"))
	if err != nil {
		return err
	}
	if t.Ref == "" {
		return onward(w, r, "/items/"+r.PathValue("ref"), "no_copy", "")
	}
	return u.toCopy(w, r, v, t.Ref, "", "")
}

// toCopy leads to a copy that was taken: what may be carried over is in its form,
// never the purpose.
func (u *UI) toCopy(w http.ResponseWriter, r *http.Request, v *visit, ref, done, about string) error {
	q := url.Values{"next": {"1"}}
	scope, err := v.scope()
	if err != nil {
		return err
	}
	same, ok, err := u.svc.SameJudged(r.Context(), scope, ref)
	if err != nil {
		return err
	}
	if ok {
		q.Set("carry", same.Item)
	}
	if done != "" {
		q.Set("done", done)
	}
	if about != "" {
		q.Set("about", about)
	}
	http.Redirect(w, r, "/items/"+ref+"?"+q.Encode(), http.StatusSeeOther)
	return nil
}

// matchSide is one side of a match: a capture of the own authority, or none.
type matchSide struct {
	ID   string // of its heading
	Name design.Text
	Item concert.Item
	capturePage
	There bool // there is a capture to be opened
}

// matchPage is a match with both sides beside each other.
type matchPage struct {
	casework.MatchPair
	Here, There matchSide
	Bits        bitMap
	Passages    []string
	Scripted    bool
	Back        string // the item that one came from
	Errors      formErrors
}

// otherName says of a match's other item whether it came before or after this one.
func otherName(this concert.Item, m casework.MatchView) design.Text {
	if m.KnownMatch.Item == this.ID {
		return "Earlier item"
	}
	return "Later item"
}

func (u *UI) match(w http.ResponseWriter, r *http.Request, v *visit) error {
	return u.showMatch(w, r, v, nil)
}

func (u *UI) showMatch(w http.ResponseWriter, r *http.Request, v *visit, errs formErrors) error {
	scope, err := v.scope()
	if err != nil {
		return err
	}
	if err := scope.Justified(); err != nil {
		return err
	}
	m, err := u.svc.ReadMatch(r.Context(), scope, r.PathValue("ref"))
	if err != nil {
		return err
	}
	p := matchPage{MatchPair: m, Bits: bitsOf(m.Detail.Here, m.Detail.There), Errors: errs, Back: m.This.Ref}
	names := [2]design.Text{"This item", "Earlier item"}
	if m.With.Ref != "" {
		names[0] = "Later item"
		if r.URL.Query().Get("from") == m.With.Ref {
			p.Back = m.With.Ref
		}
	}
	for _, s := range []struct {
		to   *matchSide
		id   string
		name design.Text
		item concert.Item
		ref  string
	}{{&p.Here, "here", names[0], m.This, m.OwnRef}, {&p.There, "there", names[1], m.With, m.TheirsRef}} {
		*s.to = matchSide{ID: s.id, Name: s.name, Item: s.item}
		if s.ref == "" {
			continue
		}
		// A side that is erased or closed to this reader is shown as having no capture.
		err := u.readSide(r, v, scope, s.ref, &s.to.capturePage)
		if s.to.There = err == nil; err != nil && statusOf(err) >= http.StatusInternalServerError {
			return err
		}
		p.Scripted = p.Scripted || s.to.Picture != ""
	}
	if l := match.CompareTexts(p.Here.Text, p.There.Text); p.By != concert.PrintPicture && p.Here.Text != "" && p.There.Text != "" {
		for _, c := range l.Common[:min(len(l.Common), passagesMost)] {
			p.Passages = append(p.Passages, p.Here.Text[c.A.Start:c.A.End])
		}
	}
	var scripts []string
	if p.Scripted {
		scripts = []string{"veil.js"}
	}
	return u.show(w, r, v, view{status: errs.status(statusOf), title: say(r.Context(), "Match %s", p.Ref), body: matchView(p), wide: true, scripts: scripts})
}

// passagesMost bounds the passages that two texts have in common as a page shows
// them.
const passagesMost = 20

func (u *UI) judgeMatch(w http.ResponseWriter, r *http.Request, v *visit) error {
	m, err := u.svc.JudgeMatch(r.Context(), v.actor(), r.PathValue("ref"), concert.MatchWord(field(r, "word")))
	if err != nil {
		errs, err := formErrorsOf(err)
		if err != nil || errs[0].Kind == concert.Forbidden {
			return errs.or(err)
		}
		return u.showMatch(w, r, v, errs)
	}
	return onward(w, r, "/matches/"+m.Ref, "match_judged", "")
}

// bitMap is which of the 256 bits of two hashes differ, as a drawing of 16 by 16
// and in words.
type bitMap struct {
	Set    string // path of the cells that are set in this item's hash
	Differ string // path of crosses where they differ
	N      int
	Rows   []bitRow
}

// bitRow is a row of the drawing in which something differs.
type bitRow struct {
	Row     int // from 1, slow changes of brightness first
	Columns string
}

// bitsOf compares two hashes as the bytes of their texts; the empty one where
// either is none.
func bitsOf(here, there []byte) bitMap {
	var b bitMap
	if len(here) != 32 || len(there) != 32 {
		return b
	}
	var set, differ strings.Builder
	for row := range 16 {
		var columns []string
		for col := range 16 {
			// The text begins with the last bit of the last row.
			n := 255 - (row*16 + col)
			mask := byte(0x80 >> (n % 8))
			x, y := strconv.Itoa(col), strconv.Itoa(row)
			if here[n/8]&mask != 0 {
				set.WriteString("M" + x + " " + y + "h1v1h-1z")
			}
			if (here[n/8]^there[n/8])&mask != 0 {
				differ.WriteString("M" + x + ".2 " + y + ".2l.6 .6m0-.6l-.6 .6")
				columns = append(columns, strconv.Itoa(col+1))
				b.N++
			}
		}
		if len(columns) > 0 {
			b.Rows = append(b.Rows, bitRow{row + 1, strings.Join(columns, ", ")})
		}
	}
	b.Set, b.Differ = set.String(), differ.String()
	return b
}

// clockText is a place in a video.
func clockText(seconds float64) string {
	s := int(seconds)
	return strconv.Itoa(s/60) + ":" + strconv.Itoa(s%60/10) + strconv.Itoa(s%10)
}

// backToMatch is the match's page that a small form stood on, "" for none.
func backToMatch(r *http.Request) string {
	if to := next(field(r, "next")); strings.HasPrefix(to, "/matches/") {
		return to
	}
	return ""
}

// entryNames is what a bank's entry is called, with its labels.
func entryNames(e concert.BankEntry) string {
	return joinedText(" · ", append([]string{e.Name}, slices.Clone(e.Labels)...)...)
}

// worksFor is how many works are behind what was handed in, for whoever may be
// told; the zero one for others.
func (u *UI) worksFor(ctx context.Context, v *visit, scope concert.Scope) (casework.Works, error) {
	if !v.has(concert.RoleCoordinator) && !v.has(concert.RoleOfficer) && !v.has(concert.RoleReviewer) && !v.has(concert.RoleAuditor) {
		return casework.Works{}, nil
	}
	return u.svc.WorksLately(ctx, scope)
}
