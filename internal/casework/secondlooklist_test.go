package casework_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// A second look at words that its reviewer does not read waits for a reader, or rests on a person's translation that is not the
// assessor's; the event names it, and the blind view shows the words and nobody who made them.
func TestG27SecondLookAsksForTheLanguage(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		rex, ann := h.North.Reviewers[0], h.North.Officers[0]
		p, err := h.StateLanguages(ctx, h.North.Reviewers[1], "", []string{"en"})
		testkit.Must(t, err)
		roy := p.Actor()
		it := drawn(h, t, 1, nil)
		h.Approve(rex, []casework.Result{it})
		agree := concert.SecondLook{Verdict: concert.LookAgree, Type: concert.Incites}
		refused := func(when string) {
			t.Helper()
			if _, err := h.LookAgain(ctx, roy, it.Ref, agree); code(err) != "second_look.language" {
				t.Errorf("%s: %v", when, err)
			}
			if v, err := h.ReadSecondLook(ctx, testkit.Scope(t, roy), it.Ref); err != nil || v.Understood || v.Language != "ar" {
				t.Errorf("%s it is shown as %+v, %v", when, v, err)
			}
		}
		translate := func(by concert.Actor, kind concert.TranslationKind, maker string) concert.Translation {
			t.Helper()
			tr, err := h.RecordTranslation(ctx, by, it.Ref, concert.Translation{Kind: kind, Source: "ar", Target: "en", Translator: maker, Text: "EXERCISE: invented words."})
			testkit.Must(t, err)
			return tr
		}
		refused("unread")
		translate(ann, concert.TranslationMachine, "EXERCISE engine 1")
		refused("with a machine's translation")
		translate(ann, concert.TranslationHuman, "")
		refused("with the assessor's own translation")
		mine := translate(h.North.Officers[1], concert.TranslationHuman, "")
		v, err := h.ReadSecondLook(ctx, testkit.Scope(t, roy), it.Ref)
		if err != nil || !v.Understood || len(v.Translations) != 3 || v.Translations[2].Text != "EXERCISE: invented words." {
			t.Fatalf("understood: %+v, %v", v, err)
		}
		text, err := json.Marshal(v)
		testkit.Must(t, err)
		for _, who := range []concert.Actor{ann, h.North.Officers[1]} {
			if strings.Contains(string(text), string(who.Person)) || strings.Contains(string(text), who.Operator) {
				t.Errorf("the look is not blind: it names %s", who.Operator)
			}
		}
		if _, err := h.LookAgain(ctx, roy, it.Ref, agree); err != nil {
			t.Fatalf("looked by a third person's translation: %v", err)
		}
		var basis string
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT body FROM event WHERE kind = 'item.second_look'").Scan(&basis))
		if !strings.Contains(basis, `"translation":"`+mine.Ref+`"`) {
			t.Errorf("the event rests on %s", basis)
		}
		// A reader who knows nothing of it needs nobody, and to read the look is no opening.
		if _, err := h.ReadSecondLook(ctx, testkit.Scope(t, rex), it.Ref); code(err) != "second_look.not_blind" {
			t.Errorf("read by who decided: %v", err)
		}
		if n := testkit.Count(t, testkit.Raw(t, h.Service), "SELECT count(*) FROM opening"); n != 0 {
			t.Errorf("%d openings by reading a second look", n)
		}
		for _, by := range []concert.Actor{h.South.Reviewers[0], ann, h.Auditor, h.Answerer} {
			if _, err := h.ReadSecondLook(ctx, testkit.Scope(t, by), it.Ref); err == nil {
				t.Errorf("%v read a second look", by.Roles)
			}
		}
	})
}

// The list of second looks answers its filters; while one waits it stands there for whoever may give it, and for nobody else.
func TestSecondLooksAreFilteredForWhoMaySeeThem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, 0)
		h.StopClockAt(day)
		rex, roy, officer := h.North.Reviewers[0], h.North.Reviewers[1], h.North.Officers[0]
		names := map[string]string{}
		draw := func(name string, from int, change func(*casework.Submission)) casework.Result {
			it := drawn(h, t, from, change)
			names[it.Ref] = name
			h.Approve(rex, []casework.Result{it})
			return it
		}
		draw("old", 1, nil)
		h.StopClockAt(day.Add(48 * time.Hour))
		agreed, disagreed := draw("agreed", 100_000, nil), draw("disagreed", 200_000, nil)
		draw("sound", 300_000, func(in *casework.Submission) {
			in.Location = strings.NewReplacer("video.example/watch?v=", "audio.example/listen/").Replace(in.Location)
		})
		_, err := h.LookAgain(ctx, roy, agreed.Ref, concert.SecondLook{Verdict: concert.LookAgree, Type: concert.Incites})
		testkit.Must(t, err)
		_, err = h.LookAgain(ctx, roy, disagreed.Ref, concert.SecondLook{Verdict: concert.LookDisagree, Note: ground})
		testkit.Must(t, err)
		want := func(by concert.Actor, q concert.LookSearch, looker string, want ...string) {
			t.Helper()
			got := pages(t, "second looks", func(p concert.Page) (concert.Listed[casework.ListedLook], error) {
				return h.SearchSecondLooks(ctx, testkit.Scope(t, by), q, looker, "", p)
			}, func(l casework.ListedLook) string {
				if l.At.IsZero() && (l.Status != "" || l.Operator != "" || l.Note != "" || l.Type != "") {
					t.Errorf("%s waits, and its row says %+v", names[l.Ref], l)
				}
				return names[l.Ref]
			}, func(l casework.ListedLook) []string { return casework.LookKeys(l.SecondLook) })
			slices.Sort(got) // those of one moment stand by their ids
			if slices.Sort(want); !slices.Equal(got, want) {
				t.Errorf("%s asks %+v by %q: %v, want %v", by.Operator, q, looker, got, want)
			}
		}
		waiting := concert.LookSearch{State: concert.LookWaiting}
		want(roy, waiting, "", "old", "sound")
		want(roy, concert.LookSearch{}, "", "old", "agreed", "disagreed", "sound")
		want(rex, waiting, "")
		want(rex, concert.LookSearch{}, "", "agreed", "disagreed") // who decided sees what was said, not what waits for others
		want(officer, concert.LookSearch{}, "", "agreed", "disagreed")
		want(officer, waiting, "")
		want(officer, concert.LookSearch{State: concert.LookDisagreed}, "", "disagreed")
		want(roy, concert.LookSearch{State: concert.LookAgreed}, "", "agreed")
		want(roy, concert.LookSearch{Provider: h.Pulled.ID}, "", "sound")
		want(roy, concert.LookSearch{Before: h.Now().Add(-24 * time.Hour)}, "", "old")
		want(officer, concert.LookSearch{}, roy.Operator, "agreed", "disagreed")
		want(officer, concert.LookSearch{}, rex.Operator)
		want(h.South.Reviewers[0], concert.LookSearch{}, "")
		want(h.South.Officers[0], concert.LookSearch{}, "")
		if _, err := h.SearchSecondLooks(ctx, testkit.Scope(t, h.South.Officers[0]), concert.LookSearch{}, roy.Operator, "", concert.Page{Limit: 5}); code(err) != "list.choice" {
			t.Errorf("another authority asks who looked: %v", err)
		}
		if _, err := h.SearchSecondLooks(ctx, mute(t, roy), waiting, "", "", concert.Page{Limit: 5}); code(err) != "scope.justification" {
			t.Errorf("listed without a justification: %v", err)
		}
		// Where the authority has nobody left, the look goes to another one in the action, and stands in its list.
		_, err = h.ReadItem(ctx, testkit.Scope(t, roy), func() string {
			for ref, name := range names {
				if name == "old" {
					return ref
				}
			}
			return ""
		}())
		testkit.Must(t, err)
		want(roy, waiting, "", "sound")
		want(h.South.Reviewers[0], waiting, "", "old")
	})
}
