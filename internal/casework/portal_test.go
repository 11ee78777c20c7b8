package casework_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// sentAll refers places of the hooked or the pulled provider and waits until each is on its way.
func sentAll(h *testkit.House, t *testing.T, places ...string) []string {
	t.Helper()
	var refs []string
	for _, it := range h.Approved(places...) {
		refs = append(refs, it.Ref)
	}
	for _, ref := range refs {
		sent(h, t, ref)
	}
	return refs
}

// teamOf adds an administrator of the hooked provider's people.
func teamOf(h *testkit.House) concert.Actor {
	return h.Person("video-admin", "", h.Hooked.Ref, concert.RoleProviderAdmin)
}

func TestAProvidersAdministratorLeadsItsOwnTeamOnly(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, boss := t.Context(), teamOf(h)
		added, err := h.AddTeammate(ctx, boss, concert.Person{Name: "EXERCISE New", Login: "video-new", Roles: []concert.Role{concert.RoleProviderAnswerer}})
		testkit.Must(t, err)
		if added.Link == "" || added.Provider != h.Hooked.ID || added.Waits {
			t.Fatalf("added %+v", added)
		}
		if _, _, err := h.Enter(ctx, testkit.Token(added.Link), ""); err != nil {
			t.Errorf("the new one cannot enter: %v", err)
		}
		// Roles outside a provider's side, and people of others, are out of reach.
		_, err = h.AddTeammate(ctx, boss, concert.Person{Name: "EXERCISE Spy", Login: "video-spy", Roles: []concert.Role{concert.RoleOfficer}})
		if code(err) != "team.role" {
			t.Errorf("an officer added by a provider: %v", err)
		}
		_, err = h.AddTeammate(ctx, h.Answerer, concert.Person{Name: "EXERCISE X", Login: "video-x", Roles: []concert.Role{concert.RoleProviderReader}})
		if code(err) != "role.missing" {
			t.Errorf("an answerer adds people: %v", err)
		}
		for _, other := range []string{"puller", "North-officer-0", "admin", "nobody-at-all"} {
			if _, err := h.DisableTeammate(ctx, boss, other); code(err) != "not_found" {
				t.Errorf("disabling %s: %v", other, err)
			}
			if _, err := h.LinkTeammate(ctx, boss, other); code(err) != "not_found" {
				t.Errorf("linking %s: %v", other, err)
			}
			if _, err := h.ChangeTeammate(ctx, boss, other, []concert.Role{concert.RoleProviderReader}); code(err) != "not_found" {
				t.Errorf("changing %s: %v", other, err)
			}
		}
		// The last administrator stays, whatever the way.
		if _, err := h.DisableTeammate(ctx, boss, "video-admin"); code(err) != "team.last_administrator" {
			t.Errorf("the last administrator goes: %v", err)
		}
		if _, err := h.ChangeTeammate(ctx, boss, "video-admin", []concert.Role{concert.RoleProviderReader}); code(err) != "team.last_administrator" {
			t.Errorf("the last administrator steps down: %v", err)
		}
		_, err = h.ChangeTeammate(ctx, boss, "video-new", []concert.Role{concert.RoleProviderAnswerer, concert.RoleProviderAdmin})
		testkit.Must(t, err)
		_, err = h.DisableTeammate(ctx, boss, "video-admin")
		testkit.Must(t, err)
		if _, err := h.LinkTeammate(ctx, boss, "video-new"); code(err) != "credential.unknown" {
			t.Errorf("an administrator that took itself away still acts: %v", err)
		}
		// The role alone reads nothing that was referred.
		if _, err := h.OwnItems(ctx, boss, casework.OwnQuery{View: concert.OwnAll}); code(err) != "role.missing" {
			t.Errorf("an administrator of people lists items: %v", err)
		}
	})
}

func TestATeamSeesNamesOfSessionsAndKeysAndNoText(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx, boss := t.Context(), teamOf(h)
		_, _, err := h.Enter(ctx, h.Links["reader"], "")
		testkit.Must(t, err)
		_, _, err = h.IssueKey(ctx, h.Answerer, "EXERCISE importer")
		testkit.Must(t, err)
		p, team, err := h.Team(ctx, boss)
		testkit.Must(t, err)
		if p.ID != h.Hooked.ID || len(team) != 3 {
			t.Fatalf("%d people of %s", len(team), p.Name)
		}
		for _, m := range team {
			switch m.Login {
			case "answerer":
				if len(m.Keys) != 1 || m.Keys[0].Name != "EXERCISE importer" || !strings.HasPrefix(m.Keys[0].ID, "ak_") {
					t.Errorf("keys %+v", m.Keys)
				}
			case "reader":
				if len(m.Sessions) != 1 || m.Sessions[0].Name != "link" {
					t.Errorf("sessions %+v", m.Sessions)
				}
			}
		}
	})
}

func TestBulkAnswersReachAcrossReferralsAndRefuseOneByOne(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		stop := testkit.Run(t, h.Service)
		first := sentAll(h, t, testkit.Page(1), testkit.Page(2))
		second := sentAll(h, t, testkit.Page(3))
		foreign := sentAll(h, t, testkit.Sound(1))
		stop()
		ctx := t.Context()
		page, err := h.OwnItems(ctx, h.Reader, casework.OwnQuery{View: concert.OwnWaiting, Limit: 2})
		testkit.Must(t, err)
		rest, err := h.OwnItems(ctx, h.Reader, casework.OwnQuery{View: concert.OwnWaiting, Limit: 2, After: page.After})
		testkit.Must(t, err)
		if len(page.Items) != 2 || len(rest.Items) != 1 || rest.After != "" {
			t.Fatalf("pages of %d and %d items", len(page.Items), len(rest.Items))
		}
		if page.Items[0].Location.Display == "" || page.Items[0].Said.Facts == "" || page.Items[0].RefRef == "" {
			t.Errorf("own item %+v", page.Items[0])
		}
		for _, d := range h.Referral(page.Items[0].RefRef).Deliveries {
			if d.Rung != concert.RungOpened && d.Rung != concert.RungAcknowledged {
				t.Errorf("listed and still %s", d.Rung)
			}
		}
		stale := page.Items[1].Version + 7
		in := []casework.Replying{
			{Item: first[0], Answer: concert.Answer{Code: concert.AnswerRemoved}, Version: page.Items[0].Version},
			{Item: first[1], Answer: concert.Answer{Code: concert.AnswerRemoved}, Version: stale},
			{Item: second[0], Answer: concert.Answer{Code: concert.AnswerDisabledIn}},
			{Item: foreign[0], Answer: concert.Answer{Code: concert.AnswerRemoved}},
			{Item: "IT-NONE", Answer: concert.Answer{Code: concert.AnswerRemoved}},
		}
		want := "answered stale answer.countries not_found not_found"
		pre, err := h.PreviewAnswers(ctx, h.Answerer, in)
		testkit.Must(t, err)
		if outcomes(pre) != want || h.Item(first[0]).Claimed != "" {
			t.Errorf("preview %q, claim %q", outcomes(pre), h.Item(first[0]).Claimed)
		}
		rs, err := h.AnswerItems(ctx, h.Answerer, in)
		testkit.Must(t, err)
		if outcomes(rs) != want || h.Item(first[0]).Claimed != concert.AnswerRemoved || h.Item(foreign[0]).Claimed != "" {
			t.Errorf("bulk %q", outcomes(rs))
		}
		if _, err := h.AnswerItems(ctx, h.Reader, in[:1]); code(err) != "role.missing" {
			t.Errorf("a reader answers: %v", err)
		}
		if _, err := h.AnswerItems(ctx, h.North.Officers[0], in[:1]); code(err) != "own.provider" {
			t.Errorf("an officer answers: %v", err)
		}
		if _, err := h.AnswerItems(ctx, h.Answerer, make([]casework.Replying, concert.BulkAnswers+1)); code(err) != "answer.bulk" {
			t.Errorf("more than %d: %v", concert.BulkAnswers, err)
		}
		rs, err = h.AnswerItems(ctx, h.Answerer, []casework.Replying{{Item: first[1], Answer: concert.Answer{Code: concert.AnswerRefused}}, {Item: second[0], Answer: concert.Answer{Code: concert.AnswerDisabledIn, Countries: []string{"BE"}}}})
		testkit.Must(t, err)
		if outcomes(rs) != "refused answered" {
			t.Errorf("the rest: %q", outcomes(rs))
		}
		counts, err := h.CountOwn(ctx, h.Answerer)
		testkit.Must(t, err)
		if counts[concert.OwnWaiting] != 0 || counts[concert.OwnAnswered] != 3 || counts[concert.OwnAll] != 3 {
			t.Errorf("views %v", counts)
		}
		if r := h.Referral(page.Items[0].RefRef); r.Status != concert.ReferralAnswered {
			t.Errorf("referral is %s", r.Status)
		}
	})
}

func TestThreadsGoOutwardAndToNobodyElse(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		testkit.Run(t, h.Service)
		item := sentAll(h, t, testkit.Page(1))[0]
		ref, ctx := h.Item(item).ReferredAs, t.Context()
		const secret = "EXERCISE question: which of the two clips is meant?"
		_, err := h.AskQuestion(ctx, h.Answerer, ref, item, secret)
		testkit.Must(t, err)
		for who, by := range map[string]concert.Actor{"a reader": h.Reader, "a rival": h.Puller, "an officer": h.North.Officers[0]} {
			if _, err := h.AskQuestion(ctx, by, ref, "", secret); err == nil {
				t.Errorf("%s asks as the provider", who)
			}
		}
		for who, by := range map[string]concert.Actor{"another unit": h.South.Officers[0], "the provider": h.Answerer, "an auditor": h.Auditor} {
			if _, err := h.ReplyQuestion(ctx, by, ref, "", secret); err == nil {
				t.Errorf("%s replies as the author", who)
			}
		}
		waiting, err := h.Threads(ctx, h.North.Officers[0], concert.SideAuthority, "", 10)
		testkit.Must(t, err)
		if len(waiting) != 1 || waiting[0].Ref != ref {
			t.Fatalf("threads that wait for the author: %+v", waiting)
		}
		if none, err := h.Threads(ctx, h.South.Officers[0], concert.SideAuthority, "", 10); err != nil || len(none) != 0 {
			t.Errorf("another unit's threads: %v, %v", none, err)
		}
		if _, err := h.ReadThread(ctx, must(concert.NewScope(h.North.Officers[0], ""))(t), ref); code(err) != "scope.justification" {
			t.Errorf("read without saying why: %v", err)
		}
		for _, by := range []concert.Actor{h.North.Officers[0], h.North.Officers[1]} {
			v, err := h.ReadThread(ctx, must(concert.NewScope(by, testkit.Why))(t), ref)
			testkit.Must(t, err)
			if len(v.Messages) != 1 || v.Messages[0].Text != secret || v.Messages[0].ItemRef != item {
				t.Fatalf("thread %+v", v.Messages)
			}
		}
		_, err = h.ReplyQuestion(ctx, h.North.Officers[0], ref, item, "EXERCISE: the first one.")
		testkit.Must(t, err)
		testkit.Await(t, "the webhook tells of the reply", func() bool {
			for _, a := range h.Hook.Got() {
				if a.Type == "referral.question" {
					if a.Data.Question == "" || strings.Contains(a.Data.Question+a.Data.URL, "first one") || !strings.HasSuffix(a.Data.URL, "/questions") {
						t.Errorf("notice %+v", a.Data)
					}
					return true
				}
			}
			return false
		})
		v, err := h.ReadThread(ctx, must(concert.NewScope(h.Reader, ""))(t), ref)
		testkit.Must(t, err)
		if len(v.Messages) != 2 || v.Messages[0].Readers != 2 || v.Messages[1].Question.Side != concert.SideAuthority {
			t.Errorf("thread %+v", v.Messages)
		}
		if _, err := h.ReadThread(ctx, must(concert.NewScope(h.Puller, ""))(t), ref); code(err) != "not_found" {
			t.Errorf("a rival reads: %v", err)
		}
		for _, c := range testkit.Cells(t, testkit.Raw(t, h.Service), h.DB.Dialect()) {
			if strings.Contains(c.Text, "which of the two clips") {
				t.Errorf("%s.%s holds the message in the clear", c.Table, c.Column)
			}
		}
	})
}

// Erasing one item takes its referral's whole thread along: what was written of one may tell of the other.
func TestErasureTakesTheThreadAndTheProportionalityAlong(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		stop := testkit.Run(t, h.Service)
		items := sentAll(h, t, testkit.Page(1), testkit.Page(2))
		stop()
		ctx, ref := t.Context(), h.Item(items[0]).ReferredAs
		_, err := h.AskQuestion(ctx, h.Answerer, ref, items[0], "EXERCISE about one item")
		testkit.Must(t, err)
		_, err = h.AskQuestion(ctx, h.Answerer, ref, "", "EXERCISE about the referral")
		testkit.Must(t, err)
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerCannotIsolate, Others: 3, OthersAre: concert.OtherSites}, items[0])
		_, err = h.WeighIsolation(ctx, h.North.Officers[0], items[0], h.Item(items[0]).Version, weighty)
		testkit.Must(t, err)
		testkit.Must(t, h.PublishLog(ctx))
		remedy(h, t, h.North.Officers[0], items[0], concert.RemedyWithdrawal)
		testkit.Must(t, h.PublishLog(ctx))
		testkit.Must(t, h.AskErasure(ctx, h.North.Officers[0], items[0], h.Item(items[0]).Version, concert.ErasureNotNeeded, ground))
		testkit.Must(t, h.PublishLog(ctx))
		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[0], items[0], h.Item(items[0]).Version))
		raw := testkit.Raw(t, h.Service)
		for table, query := range map[string]string{"question": "SELECT count(*) FROM question WHERE sealed IS NOT NULL", "isolation": "SELECT count(*) FROM isolation WHERE sealed IS NOT NULL OR area IS NOT NULL"} {
			if n := testkit.Count(t, raw, query); n != 0 {
				t.Errorf("%d sealed rows are left in %s", n, table)
			}
		}
		v, err := h.ReadThread(ctx, must(concert.NewScope(h.Reader, ""))(t), ref)
		testkit.Must(t, err)
		if len(v.Messages) != 2 || !v.Messages[0].Erased || v.Messages[1].Text != "" {
			t.Errorf("thread after erasure %+v", v.Messages)
		}
	})
}

const weighty = "EXERCISE: the three other sites are mirrors of the same customer with the same made-up material; removing single pages was tried twice and undone within the hour."

func TestCannotIsolateBlocksWhatIsWiderUntilTwoPeopleStandForIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		stop := testkit.Run(t, h.Service)
		item := sentAll(h, t, testkit.Page(1))[0]
		stop()
		ctx, ref := t.Context(), h.Item(item).ReferredAs
		officer, reviewer := h.North.Officers[0], h.North.Reviewers[0]
		for want, a := range map[string]concert.Answer{
			"answer.others":     {Code: concert.AnswerCannotIsolate},
			"answer.others_are": {Code: concert.AnswerCannotIsolate, Others: 3, OthersAre: "boats"},
		} {
			rs, _, err := h.AnswerReferral(ctx, h.Answerer, ref, h.Referral(ref).Version, []casework.Replying{{Item: item, Answer: a}})
			testkit.Must(t, err)
			if outcomes(rs) != want {
				t.Errorf("%+v: %s, want %s", a, outcomes(rs), want)
			}
		}
		if _, err := h.WeighIsolation(ctx, officer, item, h.Item(item).Version, weighty); code(err) != "isolation.none" {
			t.Errorf("weighed before it was said: %v", err)
		}
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerCannotIsolate, Others: 2000, OthersAre: concert.OtherSites}, item)
		v := h.Item(item)
		if v.Isolation.State() != concert.IsolationBlocked || v.Isolation.Others != 2000 {
			t.Fatalf("isolation %+v", v.Isolation)
		}
		_, c, err := h.ProviderCounts(ctx, h.Answerer)
		testkit.Must(t, err)
		if c[concert.CannotIsolate] != 1 || c[concert.OtherAnswer] != 1 {
			t.Errorf("counted %d of %d", c[concert.CannotIsolate], c[concert.OtherAnswer])
		}
		// A whole site of the same place is not approved meanwhile, another one is.
		wide := wideItem(h, t, "http://video.example/channel/exercise-wide")
		decide := func(ref string) string {
			rs, err := h.DecideItems(ctx, reviewer, []casework.Deciding{{Item: ref, Version: h.Item(ref).Version, Decision: concert.Approve, Ground: weighty}})
			testkit.Must(t, err)
			return outcomes(rs)
		}
		if got := decide(wide); got != "isolation.wider" {
			t.Errorf("the wider item: %s", got)
		}
		for who, by := range map[string]concert.Actor{"another unit": h.South.Officers[0], "the provider": h.Answerer, "a coordinator": h.Coordinator, "a reviewer": reviewer} {
			if _, err := h.WeighIsolation(ctx, by, item, v.Version, weighty); err == nil {
				t.Errorf("%s writes the proportionality", who)
			}
		}
		if _, err := h.ApproveIsolation(ctx, reviewer, item, v.Version); code(err) != "isolation.unwritten" {
			t.Errorf("approved unwritten: %v", err)
		}
		if _, err := h.WeighIsolation(ctx, officer, item, v.Version, "too short"); code(err) != "isolation.text" {
			t.Errorf("too short: %v", err)
		}
		both := h.Person("both", h.North.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		_, err = h.WeighIsolation(ctx, both, item, v.Version, weighty)
		testkit.Must(t, err)
		if _, err := h.ApproveIsolation(ctx, both, item, v.Version); code(err) != "isolation.same_person" {
			t.Errorf("who wrote it approves it: %v", err)
		}
		// Until then the provider sees neither text nor request.
		mine := must(h.ReadReferral(ctx, must(concert.NewScope(h.Answerer, ""))(t), ref))(t)
		if i := mine.Isolations[mine.Items[0].ID]; i.Text != "" || i.State() != concert.IsolationBlocked || mine.Thread.Messages != 0 {
			t.Errorf("the provider sees %+v and %d messages", i, mine.Thread.Messages)
		}
		_, err = h.ApproveIsolation(ctx, h.North.Reviewers[1], item, v.Version)
		testkit.Must(t, err)
		thread := must(h.ReadThread(ctx, must(concert.NewScope(h.Reader, ""))(t), ref))(t)
		if len(thread.Messages) != 1 || thread.Messages[0].Kind != concert.QuestionWider || thread.Messages[0].Text != weighty {
			t.Errorf("the wider request %+v", thread.Messages)
		}
		if got := decide(wide); got == "isolation.wider" {
			t.Errorf("still blocked after two people stood for it")
		}
	})
}

// wideItem is an assessed item of type website.
func wideItem(h *testkit.House, t *testing.T, place string) string {
	t.Helper()
	out, err := h.SubmitItems(t.Context(), h.North.Officers[0], []casework.Submission{{Location: place, Type: concert.TypeWebsite, Action: h.Action.Ref, Evaluation: "A1", Source: "form"}})
	testkit.Must(t, err)
	if out[0].Err != nil {
		t.Fatal(out[0].Err)
	}
	return h.Assess(h.North.Officers[0], out)[0].Ref
}

func TestG09Article16IsTheAuthorsOwnWordAndSigned(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		testkit.Run(t, h.Service)
		ctx := t.Context()
		before := sentAll(h, t, testkit.Page(1))[0]
		if v := h.Referral(h.Item(before).ReferredAs); v.Article16 || v.Payload.Article16 != nil {
			t.Errorf("a referral is an Art. 16 notice without anybody saying so: %+v", v.Payload.Article16)
		}
		for want, by := range map[string]concert.Actor{"role.missing": h.North.Officers[0], "not_found": h.South.Reviewers[0]} {
			if _, err := h.SetArticle16(ctx, by, h.North.Ref, true); code(err) != want {
				t.Errorf("%s: %v", want, err)
			}
		}
		_, err := h.SetArticle16(ctx, h.North.Reviewers[0], h.North.Ref, true)
		testkit.Must(t, err)
		after := sentAll(h, t, testkit.Page(2))[0]
		v := h.Referral(h.Item(after).ReferredAs)
		if !v.Article16 || v.Payload.Article16 == nil || v.Payload.Article16.GoodFaith != concert.GoodFaith || v.Payload.Article16.Notifier != h.North.Name || v.Payload.Version != 1 {
			t.Fatalf("payload %+v", v.Payload.Article16)
		}
		testkit.Must(t, v.Signed.Verify("author", h.North.PublicKey))
		forged := v.Signed
		forged.Payload = bytes.Replace(forged.Payload, []byte(`"article16"`), []byte(`"article17"`), 1)
		if forged.Verify("author", h.North.PublicKey) == nil {
			t.Error("the flag can be changed after signing")
		}
		testkit.Await(t, "the webhook says so", func() bool {
			for _, a := range h.Hook.Got() {
				if a.Data.Referral == v.Ref && a.Type == "referral.sent" {
					return a.Data.Article16
				}
			}
			return false
		})
	})
}

// Who is reached by mail alone gets the note by mail.
func TestNotesOnPatternsGoOutByMail(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		post := h.Post()
		h.MailContact(h.Hooked, "abuse@video.example", concert.MailSingle, nil)
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		testkit.Run(t, h.Service)
		sentAll(h, t, testkit.Page(1))
		for _, p := range concert.Phases[1:] {
			_, err := h.SetPhase(ctx, h.Coordinator, h.Action.Ref, 0, p)
			testkit.Must(t, err)
		}
		var notes []casework.NoteView
		testkit.Await(t, "the note is drafted", func() bool {
			var err error
			notes, err = h.ActionNotes(ctx, reads(t, h.Coordinator), h.Action.Ref)
			testkit.Must(t, err)
			return len(notes) == 1
		})
		_, err := h.ReviewNote(ctx, h.Coordinator, notes[0].Ref)
		testkit.Must(t, err)
		_, err = h.ReleaseNote(ctx, h.South.Reviewers[0], notes[0].Ref)
		testkit.Must(t, err)
		testkit.Await(t, "the note goes out by mail", func() bool {
			for _, m := range post.Got() {
				if strings.Contains(m.Header.Get("Subject"), notes[0].Ref) {
					return strings.Contains(m.Text, "Items referred to you: 1") && len(m.Files) == 1
				}
			}
			return false
		})
	})
}

func TestNotesOnPatternsAreReviewedByOneAndReleasedByAnother(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		testkit.Run(t, h.Service)
		ctx := t.Context()
		sentAll(h, t, testkit.Page(1), testkit.Page(2))
		sentAll(h, t, testkit.Sound(1))
		for _, p := range concert.Phases[1:] {
			_, err := h.SetPhase(ctx, h.Coordinator, h.Action.Ref, 0, p)
			testkit.Must(t, err)
		}
		var notes []casework.NoteView
		testkit.Await(t, "the notes are drafted", func() bool {
			var err error
			notes, err = h.ActionNotes(ctx, reads(t, h.Coordinator), h.Action.Ref)
			testkit.Must(t, err)
			return len(notes) == 2
		})
		var note casework.NoteView
		for _, n := range notes {
			if n.Provider.ID == h.Hooked.ID {
				note = n
			}
		}
		if note.Patterns.Items != 2 || note.Patterns.Types[0] != (concert.Counted{Value: "video", N: 2}) {
			t.Fatalf("patterns %+v", note.Patterns)
		}
		if own, err := h.OwnNotes(ctx, h.Reader); err != nil || len(own) != 0 {
			t.Errorf("seen before it is released: %v, %v", own, err)
		}
		if _, err := h.ReadNote(ctx, reads(t, h.Reader), note.Ref); code(err) != "not_found" {
			t.Errorf("read before it is released: %v", err)
		}
		if _, err := h.ReleaseNote(ctx, h.North.Reviewers[0], note.Ref); code(err) != "patterns.unreviewed" {
			t.Errorf("released unreviewed: %v", err)
		}
		if _, err := h.ReviewNote(ctx, h.North.Reviewers[0], note.Ref); code(err) != "role.missing" {
			t.Errorf("reviewed by no coordinator: %v", err)
		}
		_, err := h.ReviewNote(ctx, h.Coordinator, note.Ref)
		testkit.Must(t, err)
		if _, err := h.ReleaseNote(ctx, h.Coordinator, note.Ref); code(err) != "patterns.same_person" {
			t.Errorf("released by its reviewer: %v", err)
		}
		_, err = h.ReleaseNote(ctx, h.South.Reviewers[0], note.Ref)
		testkit.Must(t, err)
		if v, err := h.ReadNote(ctx, reads(t, h.Reader), note.Ref); err != nil || v.Patterns.Items != 2 {
			t.Errorf("its provider reads %+v, %v", v.Patterns, err)
		}
		if _, err := h.ReadNote(ctx, reads(t, h.Puller), note.Ref); code(err) != "not_found" {
			t.Errorf("a rival reads it: %v", err)
		}
		testkit.Await(t, "the webhook tells of the note", func() bool {
			for _, a := range h.Hook.Got() {
				if a.Type == "action.patterns" {
					return a.Data.Referral == note.Ref
				}
			}
			return false
		})
		side, err := h.OwnAction(ctx, h.Reader, h.Action.Ref)
		testkit.Must(t, err)
		if side.Note != note.Ref || side.Counts[concert.ReferredN] != 2 {
			t.Errorf("the provider's side of the action %+v", side)
		}
	})
}

// What leaves on file is what the list shows; a place is defanged, and nothing runs in a spreadsheet.
func TestG16OwnExportsAndDraftsTellOfWithdrawals(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Time = concert.CaseTime{Since: time.Now(), Start: day, Rate: brisk}
		stop := testkit.Run(t, h.Service)
		items := sentAll(h, t, testkit.Page(1), testkit.Page(2), testkit.Page(3))
		stop()
		ctx, ref := t.Context(), h.Item(items[0]).ReferredAs
		for i, c := range []concert.AnswerCode{concert.AnswerRemoved, concert.AnswerRemoved, concert.AnswerRefused} {
			answer(h, t, h.Answerer, h.Item(items[i]).ReferredAs, concert.Answer{Code: c}, items[i])
		}
		remedy(h, t, h.North.Officers[0], items[1], concert.RemedyWithdrawal)
		file := func(by concert.Actor, d casework.OwnDownload) string {
			write, err := h.OwnDownload(ctx, by, d)
			testkit.Must(t, err)
			var b bytes.Buffer
			testkit.Must(t, write(&b))
			return b.String()
		}
		text := file(h.Reader, casework.OwnDownload{File: "items.csv"})
		if strings.Count(text, "\n") != 4 || strings.Contains(text, "http://") || !strings.Contains(text, "hxxps://video[.]example") {
			t.Errorf("CSV\n%s", text)
		}
		lines := file(h.Reader, casework.OwnDownload{File: "items.jsonl", View: concert.OwnWithdrawn, Live: true})
		if strings.Count(lines, "\n") != 1 || !strings.Contains(lines, `"withdrawn":true`) || !strings.Contains(lines, testkit.Page(2)) {
			t.Errorf("JSON lines\n%s", lines)
		}
		drafts := file(h.Reader, casework.OwnDownload{File: "statements.json", Referral: ref})
		for _, want := range []string{`"SOURCE_TYPE_OTHER_NOTIFICATION"`, items[0] + "_removed", `"KEYWORD_TERRORIST_CONTENT"`, `"content_date": null`} {
			if !strings.Contains(drafts, want) {
				t.Errorf("no %s in\n%s", want, drafts)
			}
		}
		for _, never := range []string{items[1], items[2], "ex000001", "made-up", "OP-"} {
			if strings.Contains(drafts, never) {
				t.Errorf("%s stands in\n%s", never, drafts)
			}
		}
		if got := file(h.Puller, casework.OwnDownload{File: "items.jsonl"}); got != "" {
			t.Errorf("a rival exports %s", got)
		}
		if _, err := h.OwnDownload(ctx, h.Puller, casework.OwnDownload{File: "statements.json", Referral: ref}); code(err) != "not_found" {
			t.Errorf("a rival drafts for it: %v", err)
		}
		_, f, err := h.OwnFigures(ctx, h.Reader)
		testkit.Must(t, err)
		if f.Items != 2 || f.ByCode[concert.AnswerRemoved] != 1 || f.ByCode[concert.AnswerRefused] != 1 || f.Final.N != 3 || f.Agreement.Claimed != 1 {
			t.Errorf("figures %+v", f)
		}
	})
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// reads is a scope of somebody who says why.
func reads(t *testing.T, by concert.Actor) concert.Scope {
	t.Helper()
	return must(concert.NewScope(by, testkit.Why))(t)
}
