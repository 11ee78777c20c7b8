package casework_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/match"
	"concert/internal/testkit"
	"concert/pdq"
)

// recognising lets the house compare captures, in children of this test.
func recognising(t *testing.T, h *testkit.House) {
	t.Helper()
	h.Children = testkit.Children(t)
	h.Printers = testkit.Children(t)
	t.Cleanup(func() { testkit.Must(t, h.CloseKnown()) })
}

// recognise compares all that waits.
func recognise(t *testing.T, h *testkit.House) {
	t.Helper()
	testkit.Must(t, h.RecogniseFor(t.Context(), time.Minute))
}

// drawnWork is an invented picture: rectangles of grey that the seed chose.
func drawnWork(seed uint64, w, h int) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 7))
	img := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(color.Gray{uint8(r.IntN(256))}), image.Point{}, draw.Src)
	for range 40 {
		x, y := r.IntN(w), r.IntN(h)
		box := image.Rect(x, y, x+20+r.IntN(w/3), y+20+r.IntN(h/3))
		draw.Draw(img, box, image.NewUniform(color.Gray{uint8(r.IntN(256))}), image.Point{}, draw.Src)
	}
	return img
}

func asPNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	testkit.Must(t, png.Encode(&out, img))
	return out.Bytes()
}

func asJPEG(t *testing.T, img image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	testkit.Must(t, jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}))
	return out.Bytes()
}

func mirrored(img *image.Gray) *image.Gray {
	out := image.NewGray(img.Rect)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			out.SetGray(img.Rect.Dx()-1-x, y, img.GrayAt(x, y))
		}
	}
	return out
}

// seen is an item of the person's with the bytes captured as the file that they are.
func seen(h *testkit.House, t *testing.T, by concert.Actor, place string, b []byte) casework.Result {
	t.Helper()
	it := bare(h, t, by, place)
	take(h, t, by, casework.Capturing{Item: it.Ref, Kind: concert.CaptureFile, Bytes: bytes.NewReader(b)})
	return it
}

func knownOf(h *testkit.House, t *testing.T, by concert.Actor, ref string) casework.Known {
	t.Helper()
	v, err := h.KnownOf(t.Context(), testkit.Scope(t, by), ref)
	testkit.Must(t, err)
	return v
}

func newBank(h *testkit.House, t *testing.T, by concert.Actor, change func(*concert.Bank)) concert.Bank {
	t.Helper()
	b := concert.Bank{Name: "EXERCISE_VIDEOS", Purpose: "EXERCISE: known invented propaganda", LegalBasis: "EXERCISE law", Radius: concert.RadiusUsual, Handling: concert.HandlingOpen, Ratio: concert.RatioWhole}
	if change != nil {
		change(&b)
	}
	b, err := h.OpenBank(t.Context(), by, b)
	testkit.Must(t, err)
	return b
}

func TestAnAlteredCopyIsRecognisedAndItsVerdictCarriedOver(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ann := h.North.Officers[0]
		work := drawnWork(1, 640, 480)
		first := seen(h, t, ann, testkit.Page(1), asPNG(t, work))
		if got := judge(h, t, ann, first.Ref); got != string(concert.ItemAssessed) {
			t.Fatal(got)
		}
		copied := seen(h, t, ann, testkit.Page(2), asJPEG(t, work, 60))
		turned := seen(h, t, ann, testkit.Page(3), asJPEG(t, mirrored(work), 80))
		other := seen(h, t, ann, testkit.Page(4), asPNG(t, drawnWork(2, 640, 480)))
		if v := knownOf(h, t, ann, copied.Ref); !v.Pending || len(v.Matches) != 0 {
			t.Errorf("before anything was compared: %+v", v)
		}
		recognise(t, h)
		v := knownOf(h, t, ann, copied.Ref)
		if len(v.Matches) != 2 || v.Pending || v.Matches[0].With.Ref != first.Ref || v.Matches[0].Distance > concert.AlikeRadius || v.Matches[0].Turn != 0 {
			t.Fatalf("the copy is like %+v, want %s first", v.Matches, first.Ref)
		}
		if m := v.Matches[0]; len(m.Detail.Here) != 32 || len(m.Detail.There) != 32 || m.Own == "" || m.Theirs == "" || m.Own == m.Theirs {
			t.Errorf("a match shows %+v", m)
		}
		if v.Waiting != 1 || len(v.Alike) != 1 || v.Alike[0].Ref != turned.Ref {
			t.Errorf("beside the copy wait %d, %+v; want %s alone", v.Waiting, v.Alike, turned.Ref)
		}
		if v := knownOf(h, t, ann, turned.Ref); len(v.Matches) == 0 || v.Matches[0].Turn == 0 {
			t.Errorf("the mirrored copy is like %+v", v.Matches)
		}
		if v := knownOf(h, t, ann, other.Ref); len(v.Matches) != 0 || v.Waiting != 0 {
			t.Errorf("another work is like %+v", v)
		}
		same, ok, err := h.SameJudged(t.Context(), testkit.Scope(t, ann), copied.Ref)
		testkit.Must(t, err)
		if !ok || same.Item != first.Ref || !same.Alike || same.Outlet.Ref != h.Outlet.Ref {
			t.Errorf("carried over: %+v %v", same, ok)
		}
		// What a person says is another work carries nothing.
		m, err := h.JudgeMatch(t.Context(), ann, v.Matches[0].Ref, concert.MatchOther)
		testkit.Must(t, err)
		if m.Said != concert.MatchOther {
			t.Errorf("said %q", m.Said)
		}
		if same, ok, err := h.SameJudged(t.Context(), testkit.Scope(t, ann), copied.Ref); err != nil || ok {
			t.Errorf("carried over all the same: %+v %v", same, err)
		}
		// They are one work still, by a third; once nothing joins them they are two.
		if v := knownOf(h, t, ann, copied.Ref); v.Waiting != 1 {
			t.Errorf("%d copies wait", v.Waiting)
		}
		for _, m := range knownOf(h, t, ann, turned.Ref).Matches {
			_, err := h.JudgeMatch(t.Context(), ann, m.Ref, concert.MatchOther)
			testkit.Must(t, err)
		}
		if v := knownOf(h, t, ann, copied.Ref); v.Waiting != 0 {
			t.Errorf("%d copies wait that are none", v.Waiting)
		}
		// Another authority learns nothing of whose it is.
		sue := h.South.Officers[0]
		hers := seen(h, t, sue, testkit.Page(5), asJPEG(t, work, 70))
		recognise(t, h)
		if v := knownOf(h, t, sue, hers.Ref); len(v.Matches) != 0 || v.Others == 0 {
			t.Errorf("another authority sees %+v", v)
		}
		if v := knownOf(h, t, ann, first.Ref); len(v.Matches) != 2 || v.Others != 1 {
			t.Errorf("the first is like %d of ours and %d of others", len(v.Matches), v.Others)
		}
		if _, err := h.KnownOf(t.Context(), testkit.Scope(t, sue), first.Ref); code(err) != "not_found" {
			t.Errorf("a stranger asks: %v", err)
		}
		w, err := h.Works(t.Context(), testkit.Scope(t, h.Coordinator))
		testkit.Must(t, err)
		if w.Items != 5 || w.Distinct() != 2 {
			t.Errorf("%+v come to %d works, want 5 items and 2", w, w.Distinct())
		}
	})
}

// The same clip on a news page and on a fan channel gets two verdicts.
func TestNothingIsCarriedOverOnAnElevatedHost(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ann := h.North.Officers[0]
		work := drawnWork(3, 640, 480)
		first := seen(h, t, ann, testkit.Page(1), asPNG(t, work))
		if got := judge(h, t, ann, first.Ref); got != string(concert.ItemAssessed) {
			t.Fatal(got)
		}
		news := seen(h, t, ann, "https://www.bbc.co.uk/news/exercise-12345678", asJPEG(t, work, 70))
		fans := seen(h, t, ann, testkit.Page(2), asJPEG(t, work, 75))
		recognise(t, h)
		if it := h.Item(news.Ref); it.Guard.Verdict != concert.GuardElevate {
			t.Fatalf("the news page is %s", it.Guard.Verdict)
		}
		for _, c := range []struct {
			ref     string
			carries bool
		}{{news.Ref, false}, {fans.Ref, true}} {
			_, ok, err := h.SameJudged(t.Context(), testkit.Scope(t, ann), c.ref)
			testkit.Must(t, err)
			if ok != c.carries || len(knownOf(h, t, ann, c.ref).Matches) == 0 {
				t.Errorf("%s carries over: %v, want %v; both show the match", c.ref, ok, c.carries)
			}
		}
	})
}

func TestAddedEntryMatchesTheNextQuestionAndARemovedOneDoesNot(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx := t.Context()
		ann, rev := h.North.Officers[0], h.North.Reviewers[0]
		testkit.Must(t, h.RefreshKnown(ctx))
		b := newBank(h, t, rev, nil)
		work := seen(h, t, ann, testkit.Page(1), asPNG(t, drawnWork(5, 640, 480)))
		recognise(t, h)
		if _, err := h.BankItem(ctx, h.South.Officers[0], b.Ref, work.Ref); code(err) != "not_found" {
			t.Errorf("a stranger fills the bank: %v", err)
		}
		e, err := h.BankItem(ctx, ann, b.Ref, work.Ref)
		testkit.Must(t, err)
		ask := func(by concert.Actor) int {
			t.Helper()
			hits, err := h.AskBanks(by, casework.KnownQuery{Hashes: []match.Hash{pdqOf(t, e)}, Radius: -1})
			testkit.Must(t, err)
			return len(hits)
		}
		if n := ask(ann); n != 1 {
			t.Errorf("the next question after it was added finds %d", n)
		}
		if n := ask(h.South.Officers[0]); n != 0 {
			t.Errorf("another authority finds %d in a bank that is not open to it", n)
		}
		if _, err := h.BankItem(ctx, ann, b.Ref, work.Ref); code(err) != "bank.item_known" {
			t.Errorf("entered twice: %v", err)
		}
		// A copy that came before is matched when the bank grows, and one that comes later when it comes.
		later := seen(h, t, ann, testkit.Page(2), asJPEG(t, drawnWork(5, 640, 480), 60))
		recognise(t, h)
		for _, ref := range []string{work.Ref, later.Ref} {
			v := knownOf(h, t, ann, ref)
			if !slices.ContainsFunc(v.Matches, func(m casework.MatchView) bool { return m.Entry.Ref == e.Ref && m.Bank.Ref == b.Ref }) {
				t.Errorf("%s does not match the entry: %+v", ref, v.Matches)
			}
		}
		// It outlives this node, and what another one adds comes by the database.
		testkit.Must(t, h.CloseKnown())
		if _, err := h.AskBanks(ann, casework.KnownQuery{Hashes: []match.Hash{pdqOf(t, e)}, Radius: -1}); code(err) != "known.filling" {
			t.Errorf("before anything was read: %v", err)
		}
		testkit.Must(t, h.RefreshKnown(ctx))
		if n := ask(ann); n != 1 {
			t.Errorf("after a restart it finds %d", n)
		}
		// Open to others, within its handling code.
		open := b
		open.OpenTo, open.Handling = []concert.Destination{concert.ToTenant}, concert.HandlingNotShared
		if _, err := h.ChangeBank(ctx, rev, b.Ref, b.Version, open); code(err) != "bank.open_to" {
			t.Errorf("opened against its handling code: %v", err)
		}
		open.Handling = concert.HandlingOpen
		b, err = h.ChangeBank(ctx, rev, b.Ref, b.Version, open)
		testkit.Must(t, err)
		if n := ask(h.South.Officers[0]); n != 1 {
			t.Errorf("another authority finds %d in a bank that is open to it", n)
		}
		// What one says that it is not, and its owner that it is, is disputed and matches still.
		_, err = h.JudgeEntry(ctx, h.South.Officers[0], e.Ref, concert.OpinionNegative)
		testkit.Must(t, err)
		_, got, err := h.BankEntry(ctx, testkit.Scope(t, ann), e.Ref)
		testkit.Must(t, err)
		if got.Stands() != concert.OpinionDisputed || ask(ann) != 1 {
			t.Errorf("it stands %s", got.Stands())
		}
		withdrawalIsFed(h, t, b, e)
		if n := ask(ann); n != 0 {
			t.Errorf("the next question after it was withdrawn finds %d", n)
		}
	})
}

// withdrawalIsFed withdraws an entry: its holder learns of it, and its owner sees who has not yet.
func withdrawalIsFed(h *testkit.House, t *testing.T, b concert.Bank, e concert.BankEntry) {
	t.Helper()
	ctx, ann, rev := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
	sue := testkit.Scope(t, h.South.Officers[0])
	feed := func(after string) casework.Feed {
		t.Helper()
		f, err := h.BankFeed(ctx, sue, b.Ref, after, 10)
		testkit.Must(t, err)
		return f
	}
	first := feed("")
	if es := first.Entries; len(es) != 1 || es[0].Gone || !es[0].EndedAt.IsZero() || es[0].AddedBy != "" || es[0].Name != "" {
		t.Errorf("the feed gives %+v", es)
	}
	_, err := h.EndEntry(ctx, ann, e.Ref)
	testkit.Must(t, err)
	behind := func() bool {
		t.Helper()
		hs, err := h.BankHolders(ctx, testkit.Scope(t, rev), b.Ref)
		testkit.Must(t, err)
		if len(hs) != 1 || hs[0].Name != h.South.Name {
			t.Fatalf("holders: %+v", hs)
		}
		return hs[0].Behind
	}
	if !behind() {
		t.Error("who has not fetched the withdrawal is not behind")
	}
	second := feed(first.Next)
	if es := second.Entries; len(es) != 1 || es[0].EndedAt.IsZero() || es[0].End != concert.EntryWithdrawn || second.Next == first.Next || behind() {
		t.Errorf("the feed goes on with %+v, at %s", es, second.Next)
	}
	if third := feed(second.Next); len(third.Entries) != 0 || third.Next != second.Next {
		t.Errorf("and then %+v", third)
	}
	for _, at := range []string{"tomorrow", "1,x", "-1,2", "withdrawn,", "1,2,3"} {
		if _, err := h.BankFeed(ctx, sue, b.Ref, at, 10); code(err) != "bank.checkpoint" {
			t.Errorf("a checkpoint %q: %v", at, err)
		}
	}
	// A bank that closes, or is open to them no more, is withdrawn whole, and its owner sees who does not know.
	b, err = h.CloseBank(ctx, rev, b.Ref, b.Version)
	testkit.Must(t, err)
	if !behind() {
		t.Error("who does not know that the bank closed is not behind")
	}
	closed := feed(second.Next)
	if es := closed.Entries; len(es) != 1 || !es[0].Gone || es[0].Ref != e.Ref || len(es[0].Hashes) != 0 || closed.Purpose != "" || behind() {
		t.Errorf("of a closed bank the feed gives %+v", closed)
	}
	if last := feed(closed.Next); len(last.Entries) != 0 || last.Next != closed.Next {
		t.Errorf("and then %+v", last)
	}
	if _, err := h.BankFeed(ctx, testkit.Scope(t, h.Answerer), b.Ref, "", 10); code(err) != "not_found" {
		t.Errorf("who never had any of it asks: %v", err)
	}
}

// pdqOf is the look of an entry's picture.
func pdqOf(t *testing.T, e concert.BankEntry) match.Hash {
	t.Helper()
	for _, k := range e.Hashes {
		if k.Kind == concert.HashPDQ {
			h, err := pdq.Parse(k.Value)
			testkit.Must(t, err)
			return h.Bytes()
		}
	}
	t.Fatalf("entry %s has no look: %v", e.Ref, e.Hashes)
	return match.Hash{}
}

func filled(h *testkit.House, t *testing.T, by concert.Actor, bank string, in ...concert.BankEntry) []casework.Result {
	t.Helper()
	fs := make([]casework.Filling, len(in))
	for i, e := range in {
		fs[i].BankEntry = e
	}
	out, err := h.FillBank(t.Context(), by, bank, fs)
	testkit.Must(t, err)
	return out
}

func entryOf(hash string) concert.BankEntry {
	return concert.BankEntry{Hashes: []concert.KnownHash{{Kind: concert.HashPDQ, Value: hash, Quality: -1}}}
}

// What one node was told another one knows, by the database alone.
func TestNodesKnowWhatAnotherWasTold(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		if h.DB.Dialect() != "postgres" {
			t.Skip("a data directory with an embedded database has one node")
		}
		ctx, rev := t.Context(), h.North.Reviewers[0]
		other := testkit.ServiceAt(t, testkit.AddressOf(t, h.Service))
		for _, s := range []*casework.Service{h.Service, other} {
			testkit.Must(t, s.RefreshKnown(ctx))
			t.Cleanup(func() { testkit.Must(t, s.CloseKnown()) })
		}
		text := strings.Repeat("a5c3", 16)
		b := newBank(h, t, rev, nil)
		e := filled(h, t, rev, b.Ref, entryOf(text))[0]
		q, err := pdq.Parse(text)
		testkit.Must(t, err)
		ask := func(s *casework.Service) int {
			t.Helper()
			hits, err := s.AskBanks(rev, casework.KnownQuery{Hashes: []match.Hash{q.Bytes()}, Radius: -1})
			testkit.Must(t, err)
			return len(hits)
		}
		if ask(h.Service) != 1 || ask(other) != 0 {
			t.Error("the node that was told does not know, or the other one guesses")
		}
		testkit.Must(t, other.RefreshKnown(ctx))
		if ask(other) != 1 {
			t.Error("the other node did not learn of the entry")
		}
		_, err = other.EndEntry(ctx, rev, e.Ref)
		testkit.Must(t, err)
		testkit.Must(t, h.RefreshKnown(ctx))
		if ask(h.Service) != 0 || ask(other) != 0 {
			t.Error("a withdrawn entry matches on one of them")
		}
	})
}

func TestNegativeBankLetsNothingMatch(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		rev := h.North.Reviewers[0]
		testkit.Must(t, h.RefreshKnown(t.Context()))
		t.Cleanup(func() { testkit.Must(t, h.CloseKnown()) })
		text := strings.Repeat("f0e1d2c3", 8)
		near := "f1" + text[2:]
		b := newBank(h, t, rev, nil)
		filled(h, t, rev, b.Ref, entryOf(text))
		q, err := pdq.Parse(near)
		testkit.Must(t, err)
		ask := func() int {
			t.Helper()
			hits, err := h.AskBanks(rev, casework.KnownQuery{Hashes: []match.Hash{q.Bytes()}, Radius: -1})
			testkit.Must(t, err)
			return len(hits)
		}
		if ask() != 1 {
			t.Error("a hash one bit off is not found")
		}
		never := newBank(h, t, rev, func(b *concert.Bank) { b.Name, b.Negative = "EXERCISE_WALLS", true })
		filled(h, t, rev, never.Ref, entryOf(near))
		if n := ask(); n != 0 {
			t.Errorf("what a negative bank has matches %d", n)
		}
		_, err = h.CloseBank(t.Context(), rev, never.Ref, never.Version)
		testkit.Must(t, err)
		if ask() != 1 {
			t.Error("a closed bank still keeps others from matching")
		}
		// A bank that answers half of the questions, and none.
		for _, c := range []struct{ ratio, coin, want int }{{500, 499, 1}, {500, 500, 0}, {0, 0, 0}} {
			b.Ratio = c.ratio
			b, err = h.ChangeBank(t.Context(), rev, b.Ref, b.Version, b)
			testkit.Must(t, err)
			hits, err := h.AskBanks(rev, casework.KnownQuery{Hashes: []match.Hash{q.Bytes()}, Radius: -1, Coin: func() int { return c.coin }})
			if err != nil || len(hits) != c.want {
				t.Errorf("ratio %d, coin %d: %d hits, %v", c.ratio, c.coin, len(hits), err)
			}
		}
		if hits, err := h.AskBanks(rev, casework.KnownQuery{Hashes: []match.Hash{q.Bytes()}, Radius: -1, Whole: true}); err != nil || len(hits) != 1 {
			t.Errorf("asked past the ratio: %d, %v", len(hits), err)
		}
		if hits, err := h.AskBanks(rev, casework.KnownQuery{Hashes: []match.Hash{q.Bytes()}, Radius: 0, Whole: true}); err != nil || len(hits) != 0 {
			t.Errorf("within no bit: %d, %v", len(hits), err)
		}
	})
}

// What its giver keeps from others keeps the bank from being opened to them, whatever the bank's own code.
func TestG23BankWithARestrictedEntryIsNotOpened(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, rev := t.Context(), h.North.Reviewers[0]
		b := newBank(h, t, rev, func(b *concert.Bank) { b.Handling = concert.HandlingNotShared })
		e := entryOf(strings.Repeat("3c", 32))
		e.Handling = concert.HandlingNotShared
		ref := filled(h, t, rev, b.Ref, e)[0].Ref
		open := b
		open.Handling, open.OpenTo = concert.HandlingOpen, []concert.Destination{concert.ToTenant}
		if _, err := h.ChangeBank(ctx, rev, b.Ref, b.Version, open); code(err) != "bank.open_to" {
			t.Errorf("opened with an entry that may not leave: %v", err)
		}
		_, err := h.EndEntry(ctx, rev, ref)
		testkit.Must(t, err)
		b, err = h.ChangeBank(ctx, rev, b.Ref, b.Version, open)
		testkit.Must(t, err)
		if out := filled(h, t, rev, b.Ref, e); out[0].Err == nil || out[0].Err.Code != "entry.handling" {
			t.Errorf("a restricted entry came into an open bank: %+v", out[0])
		}
	})
}

func TestEntriesOfASourceAreKnownAndRecalled(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		rev, ctx := h.North.Reviewers[0], t.Context()
		b := newBank(h, t, rev, func(b *concert.Bank) { b.Source = "EXERCISE exchange" })
		text := strings.Repeat("0f", 32)
		e := entryOf(text)
		e.SourceID, e.Name, e.Labels = "X-1", "EXERCISE clip", []string{"b", "a", "a"}
		bad := entryOf("zz")
		outcomes := func(in ...casework.Filling) string {
			t.Helper()
			out, err := h.FillBank(ctx, rev, b.Ref, in)
			testkit.Must(t, err)
			var all []string
			for _, r := range out {
				if r.Err != nil {
					r.Outcome = r.Err.Code
				}
				all = append(all, r.Outcome)
			}
			return strings.Join(all, " ")
		}
		if got := outcomes(casework.Filling{BankEntry: e}, casework.Filling{BankEntry: bad}, casework.Filling{BankEntry: e}); got != "added hash.value known" {
			t.Error(got)
		}
		if got := outcomes(casework.Filling{BankEntry: concert.BankEntry{SourceID: "X-1"}, Gone: true}, casework.Filling{BankEntry: concert.BankEntry{SourceID: "X-2"}, Gone: true}); got != "recalled known" {
			t.Error(got)
		}
		_, es, err := h.BankEntries(ctx, testkit.Scope(t, rev), b.Ref, casework.EntryQuery{Ended: true, Limit: 10})
		testkit.Must(t, err)
		if len(es) != 1 || es[0].End != concert.EntryRecalled || es[0].Name != "EXERCISE clip" || strings.Join(es[0].Labels, ",") != "a,b" || es[0].Hashes[0].Value != text {
			t.Errorf("it is kept as %+v", es)
		}
		both := casework.Filling{BankEntry: e}
		both.SourceID = "X-3"
		if got := outcomes(both, casework.Filling{BankEntry: concert.BankEntry{SourceID: "X-3"}, Gone: true}, both); got != "added recalled known" {
			t.Errorf("what one list brings and recalls: %s", got)
		}
		if _, err := h.FillBank(ctx, h.North.Officers[0], b.Ref, make([]casework.Filling, concert.BankEntriesMost+1)); code(err) != "bank.entries" {
			t.Errorf("too many at once: %v", err)
		}
		if _, err := h.OpenBank(ctx, rev, concert.Bank{Name: b.Name, Purpose: b.Purpose, LegalBasis: b.LegalBasis, Handling: b.Handling}); code(err) != "bank.name_taken" {
			t.Errorf("a second bank of the name: %v", err)
		}
	})
}

func TestFloodOfMatchesIsQuarantinedForAPerson(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx := t.Context()
		ann, rev, rex := h.North.Officers[0], h.North.Reviewers[0], h.North.Reviewers[1]
		const many = concert.FloodLeast + 4
		wall := asPNG(t, drawnWork(9, 320, 240))
		subs := make([]casework.Submission, many)
		for i := range subs {
			subs[i] = casework.Submission{Location: testkit.Page(i + 1), Type: concert.TypeVideo, Source: "form", Captures: []casework.Capturing{{Kind: concert.CaptureFile, Bytes: bytes.NewReader(wall)}}}
		}
		items, err := h.SubmitItems(ctx, ann, subs)
		testkit.Must(t, err)
		recognise(t, h)
		b := newBank(h, t, rev, nil)
		e, err := h.BankItem(ctx, rev, b.Ref, items[0].Ref)
		testkit.Must(t, err)
		recognise(t, h)
		v, es, err := h.BankEntries(ctx, testkit.Scope(t, rev), b.Ref, casework.EntryQuery{Quarantined: true, Limit: 2})
		testkit.Must(t, err)
		if len(es) != 1 || es[0].Ref != e.Ref || v.Count.Quarantined != 1 {
			t.Fatalf("of an entry that matches %d items: %+v, %+v", many, v.Count, es)
		}
		if hits, err := h.AskBanks(ann, casework.KnownQuery{Hashes: []match.Hash{pdqOf(t, e)}, Radius: -1}); err != nil || len(hits) != 0 {
			t.Errorf("it matches %d all the same, %v", len(hits), err)
		}
		open := b
		open.OpenTo = []concert.Destination{concert.ToTenant}
		b, err = h.ChangeBank(ctx, rev, b.Ref, b.Version, open)
		testkit.Must(t, err)
		sue := h.South.Officers[0]
		if _, es, err := h.BankEntries(ctx, testkit.Scope(t, sue), b.Ref, casework.EntryQuery{Limit: 10}); err != nil || len(es) != 0 {
			t.Errorf("others see what waits for a person: %+v, %v", es, err)
		}
		if _, _, err := h.BankEntry(ctx, testkit.Scope(t, sue), e.Ref); code(err) != "not_found" {
			t.Errorf("others read it: %v", err)
		}
		if f, err := h.BankFeed(ctx, testkit.Scope(t, sue), b.Ref, "", 10); err != nil || len(f.Entries) != 1 || !f.Entries[0].Gone || len(f.Entries[0].Hashes) != 0 {
			t.Errorf("others are fed %+v, %v", f.Entries, err)
		}
		entries := func() int {
			n := 0
			for _, m := range knownOf(h, t, ann, items[1].Ref).Matches {
				if m.Entry.N != 0 {
					n++
				}
			}
			return n
		}
		if entries() != 0 {
			t.Error("a match of it was kept")
		}
		if _, err := h.ClearEntry(ctx, rev, e.Ref); code(err) != "entry.same_person" {
			t.Errorf("who added it clears it: %v", err)
		}
		_, err = h.ClearEntry(ctx, rex, e.Ref)
		testkit.Must(t, err)
		recognise(t, h)
		if hits, err := h.AskBanks(ann, casework.KnownQuery{Hashes: []match.Hash{pdqOf(t, e)}, Radius: -1}); err != nil || len(hits) != 1 || entries() != 1 {
			t.Errorf("once a person looked: %d, %d, %v", len(hits), entries(), err)
		}
	})
}

// A hold keeps nothing back but its own place and bytes: of a copy elsewhere its holder learns, and nobody else.
func TestHolderLearnsOfCopiesAndTheirFinderNothing(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx := t.Context()
		ann, sue := h.North.Officers[0], h.South.Officers[0]
		work := drawnWork(21, 640, 480)
		seen(h, t, ann, testkit.Page(1), asPNG(t, work))
		hold := h.Hold(ann, testkit.Page(1), "EXERCISE desk, +00 0000", "EXERCISE case")
		theirs := seen(h, t, sue, testkit.Page(2), asJPEG(t, work, 60))
		recognise(t, h)
		hs, err := h.Holds(ctx, testkit.Scope(t, ann), "", 10)
		testkit.Must(t, err)
		if len(hs) != 1 || hs[0].Ref != hold.Ref || len(hs[0].Asked) != 1 || hs[0].Asked[0].Kind != concert.AskedAlike || hs[0].Asked[0].ItemRef != theirs.Ref || hs[0].Asked[0].By.ID != h.South.ID {
			t.Errorf("the holder learns %+v", hs)
		}
		v := knownOf(h, t, sue, theirs.Ref)
		if len(v.Matches) != 0 || v.Others != 1 || h.Item(theirs.Ref).Status != concert.ItemOpen {
			t.Errorf("the finder learns %+v", v)
		}
	})
}

func TestPrintsGoWithTheirItem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx := t.Context()
		ann, rev := h.North.Officers[0], h.North.Reviewers[0]
		work := drawnWork(11, 640, 480)
		first, second := seen(h, t, ann, testkit.Page(1), asPNG(t, work)), seen(h, t, ann, testkit.Page(2), asJPEG(t, work, 70))
		recognise(t, h)
		b := newBank(h, t, rev, nil)
		e, err := h.BankItem(ctx, rev, b.Ref, first.Ref)
		testkit.Must(t, err)
		it := h.Item(first.Ref)
		testkit.Must(t, h.AskErasure(ctx, ann, first.Ref, it.Version, concert.ErasureMistaken, ground))
		testkit.Must(t, h.EraseItem(ctx, rev, first.Ref, h.Item(first.Ref).Version))
		raw := testkit.Raw(t, h.Service)
		id := string(it.ID)
		if n := testkit.Count(t, raw, fmt.Sprintf("SELECT (SELECT count(*) FROM print WHERE item = '%[1]s') + (SELECT count(*) FROM print_digest WHERE item = '%[1]s') + (SELECT count(*) FROM known_match WHERE item = '%[1]s' OR other = '%[1]s') + (SELECT count(*) FROM item_cluster WHERE item = '%[1]s') + (SELECT count(*) FROM bank_entry WHERE item = '%[1]s')", id)); n != 0 {
			t.Errorf("%d traces are left", n)
		}
		if _, e, err := h.BankEntry(ctx, testkit.Scope(t, rev), e.Ref); err != nil || e.End != concert.EntryErased {
			t.Errorf("the entry that was made of it stands %q, %v", e.End, err)
		}
		// A node that held it holds nothing of it any more.
		before := h.KnownStatus().Seen
		testkit.Must(t, h.RefreshKnown(ctx))
		if after := h.KnownStatus().Seen; after != before-1 {
			t.Errorf("it held %d hashes of items before it learned of the erasure, and %d after", before, after)
		}
		third := seen(h, t, ann, testkit.Page(3), asJPEG(t, work, 50))
		recognise(t, h)
		for _, m := range knownOf(h, t, ann, third.Ref).Matches {
			if m.Entry.N == 0 && m.With.Ref != second.Ref {
				t.Errorf("the third is like %s", m.With.Ref)
			}
		}
	})
}

func TestTextsAreRecognisedAndTheirLanguageGuessed(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ann := h.North.Officers[0]
		const words = "EXERCISE. The invented garden society announces that its seventh meeting takes place behind the old mill, where everybody who brings a shovel and two buckets of good soil is welcome to plant roses along the river."
		first := seen(h, t, ann, testkit.Page(1), []byte(words))
		near := seen(h, t, ann, testkit.Page(2), []byte(strings.Replace(words, "roses", "tulips", 1)))
		french := seen(h, t, ann, testkit.Page(3), []byte("EXERCICE. La société inventée des jardins annonce que sa septième réunion se tiendra derrière le vieux moulin, et que chacun peut y venir avec une pelle."))
		// A saved page's words are a hint: the same wall stands at many places.
		wall, wall2 := bare(h, t, ann, testkit.Page(4)), bare(h, t, ann, testkit.Page(5))
		for _, it := range []casework.Result{wall, wall2} {
			take(h, t, ann, casework.Capturing{Item: it.Ref, Kind: concert.CapturePage, Bytes: text("<!doctype html><title>EXERCISE</title><p>You have to log in or to sign up before you can see what is written on this page of the invented network.")})
		}
		recognise(t, h)
		v := knownOf(h, t, ann, near.Ref)
		if len(v.Matches) != 1 || v.Matches[0].With.Ref != first.Ref || v.Matches[0].By != concert.PrintText || v.Matches[0].ShareHere < 500 || v.Language.Language != "en" || v.Waiting != 1 {
			t.Errorf("the altered text: %+v", v)
		}
		if v := knownOf(h, t, ann, french.Ref); len(v.Matches) != 0 || v.Language.Language != "fr" || v.Language.Script != "Latn" {
			t.Errorf("the French text: %+v", v)
		}
		if v := knownOf(h, t, ann, wall2.Ref); len(v.Matches) != 1 || v.Matches[0].By != concert.PrintPage || v.Waiting != 0 {
			t.Errorf("the wall: %+v", v)
		}
	})
}

// filmed is a video that ffmpeg makes of an invented source; without ffmpeg the test ends, and fails where all is to be installed.
func filmed(t *testing.T, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ffmpeg is missing: ./check installs it")
		}
		t.Skip("ffmpeg is not installed")
	}
	path := filepath.Join(t.TempDir(), "exercise.mp4")
	args = slices.Concat([]string{"-nostdin", "-loglevel", "error"}, args, []string{"-pix_fmt", "yuv420p", path})
	out, err := exec.Command("ffmpeg", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(path)
	testkit.Must(t, err)
	return b
}

func TestVideosAreRecognisedByTheirFrames(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		recognising(t, h)
		ctx, ann, rev := t.Context(), h.North.Officers[0], h.North.Reviewers[0]
		const source = "mandelbrot=size=320x240:rate=12:start_x=-0.6:start_y=0.55:start_scale=0.8:end_scale=0.1"
		first := seen(h, t, ann, testkit.Page(1), filmed(t, "-f", "lavfi", "-i", source, "-t", "6"))
		part := seen(h, t, ann, testkit.Page(2), filmed(t, "-f", "lavfi", "-i", source, "-ss", "2", "-t", "4", "-vf", "hflip,scale=240:180"))
		other := seen(h, t, ann, testkit.Page(3), filmed(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=12", "-t", "4"))
		recognise(t, h)
		v := knownOf(h, t, ann, part.Ref)
		if len(v.Matches) != 1 || v.Matches[0].With.Ref != first.Ref || v.Matches[0].By != concert.PrintVideo || v.Matches[0].Turn == 0 || v.Matches[0].ShareHere < concert.AlikeFrames || v.Waiting != 1 {
			t.Fatalf("the mirrored part is like %+v", v)
		}
		g := v.Matches[0].Detail.Segments
		if len(g) != 1 || g[0].Then < 1 || g[0].Then > 3 || g[0].To-g[0].From < 2 {
			t.Errorf("stretches in common: %+v, want the last four seconds", g)
		}
		if v := knownOf(h, t, ann, other.Ref); len(v.Matches) != 0 {
			t.Errorf("another video is like %+v", v.Matches)
		}
		// An entry made of it matches what was seen before, and what comes later.
		b := newBank(h, t, rev, nil)
		e, err := h.BankItem(ctx, ann, b.Ref, first.Ref)
		testkit.Must(t, err)
		later := seen(h, t, ann, testkit.Page(4), filmed(t, "-f", "lavfi", "-i", source, "-t", "5", "-crf", "35"))
		recognise(t, h)
		for _, ref := range []string{first.Ref, later.Ref} {
			if !slices.ContainsFunc(knownOf(h, t, ann, ref).Matches, func(m casework.MatchView) bool { return m.Entry.Ref == e.Ref }) {
				t.Errorf("%s does not match the entry", ref)
			}
		}
	})
}
