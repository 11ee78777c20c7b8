package casework_test

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/testkit"
)

// The whole chain once, over real HTTP: found twice, referred once, delivered signed, answered in parts, looked at by ourselves.
func TestG29ChainFromFindToOurOwnLook(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		places := []string{testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Page(4), testkit.Page(5)}
		for i, status := range []int{404, 200, 451, 503, 200} {
			h.Pages.Set(places[i], status)
		}
		items := h.Submit(h.North.Officers[0], places...)
		approved := h.Approve(h.North.Reviewers[0], h.Assess(h.North.Officers[1], items))
		stop := testkit.Run(t, h.Service)
		ref := sent(h, t, approved[0].Ref)
		v := h.Referral(ref)
		if len(v.Items) != len(places) || v.Status != concert.ReferralSent {
			t.Fatalf("the referral has %d items and is %s, want one referral with %d", len(v.Items), v.Status, len(places))
		}
		testkit.Await(t, "the webhook", func() bool { return len(h.Hook.Taken(concert.NoticeReferral)) == 1 })
		notice := h.Hook.Taken(concert.NoticeReferral)[0]
		if notice.Data.Referral != ref || notice.Data.Items != len(places) || !notice.Data.Voluntary || !notice.Data.Exercise || notice.Data.Author != h.North.Name {
			t.Errorf("the notice says %+v", notice.Data)
		}
		stop()
		checkEnvelope(t, h, ref, items)
		rungIs(t, h, ref, concert.RungOpened)
		r, err := h.AcknowledgeReferral(t.Context(), h.Answerer, ref)
		if err != nil || r.Status != concert.ReferralAcknowledged {
			t.Fatalf("acknowledged: %s, %v", r.Status, err)
		}
		rungIs(t, h, ref, concert.RungAcknowledged)
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRemoved}, items[0].Ref, items[1].Ref)
		if v := h.Referral(ref); v.Status != concert.ReferralPartly || v.Answered != 2 {
			t.Errorf("after two of five answers: %s, %d", v.Status, v.Answered)
		}
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerDisabledIn, Countries: []string{"XN"}, Note: "EXERCISE note"}, items[2].Ref, items[3].Ref)
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRefused}, items[4].Ref)
		if v := h.Referral(ref); v.Status != concert.ReferralAnswered || v.Answered != 5 {
			t.Errorf("after all answers: %s, %d", v.Status, v.Answered)
		}
		h.At(h.Now(), swift)
		testkit.Run(t, h.Service)
		for i, want := range []struct {
			seen   concert.Observed
			status concert.ItemStatus
		}{{concert.ObservedDown, concert.ItemClosed}, {concert.ObservedUp, concert.ItemStillUp}, {concert.ObservedPartial, concert.ItemAnswered}, {concert.ObservedUnknown, concert.ItemAnswered}} {
			var v casework.ItemView
			testkit.Await(t, "a look at "+places[i], func() bool { v = h.Item(items[i].Ref); return len(v.Rechecks) > 0 })
			c := v.Rechecks[0]
			if v.Observed != want.seen || v.Status != want.status || c.State != want.seen || c.Vantage != h.Vantage || c.At.IsZero() || c.HTTP != []int{404, 200, 451, 503}[i] {
				t.Errorf("%s: seen %s, stands %s, look %+v; want %s and %s", places[i], v.Observed, v.Status, c, want.seen, want.status)
			}
		}
		if v := h.Item(items[2].Ref); len(v.Answers) != 1 || v.Answers[0].Note != "EXERCISE note" || !slices.Equal(v.Answers[0].Countries, []string{"XN"}) {
			t.Errorf("the answer is kept as %+v", v.Answers)
		}
		// What comes back after a day is seen to come back.
		h.Pages.Set(places[0], http.StatusOK)
		h.Status(items[0].Ref, concert.ItemReturned)
		if v := h.Item(items[4].Ref); len(v.Rechecks) != 0 || v.Status != concert.ItemRefused {
			t.Errorf("the refused item stands %s and was looked at %d times", v.Status, len(v.Rechecks))
		}
	})
}

func rungIs(t *testing.T, h *testkit.House, ref string, want concert.Rung) {
	t.Helper()
	for _, d := range h.Referral(ref).Deliveries {
		if d.Rung != want || d.Evidence == "" {
			t.Errorf("the delivery of %s stands on %s (%s), want %s", ref, d.Rung, d.Evidence, want)
		}
	}
}

// checkEnvelope reads the referral as its provider does and checks both signatures offline.
func checkEnvelope(t *testing.T, h *testkit.House, ref string, items []casework.Result) {
	t.Helper()
	v, err := h.ReadReferral(t.Context(), testkit.Scope(t, h.Answerer), ref)
	testkit.Must(t, err)
	if err := v.Signed.Verify("author", h.North.PublicKey); err != nil {
		t.Error(err)
	}
	if err := v.Signed.Verify("transport", h.TransportKey()); err != nil {
		t.Error(err)
	}
	if err := v.Signed.Verify("author", h.TransportKey()); err == nil {
		t.Error("G09: who carries the referral passes for its author")
	}
	if err := v.Signed.Verify("author", ed25519.PublicKey(h.South.PublicKey)); err == nil {
		t.Error("G09: another authority passes for its author")
	}
	p := v.Payload
	if p.Voluntary != concert.VoluntaryNotice || p.Author.Unit != "NORTH" || !p.Exercise || p.Transport != h.Origin || p.Automated.Decision || len(p.Items) != len(items) {
		t.Errorf("payload: %+v", p)
	}
	for i, it := range p.Items {
		if it.Ref != items[i].Ref || it.Location.Submitted != testkit.Page(i+1) || it.Operator != h.North.Officers[1].Operator || it.ScopeEntry == "" || it.Facts == "" || it.Reason == "" {
			t.Errorf("item %d of the payload: %+v", i, it)
		}
	}
	if text := string(v.Signed.Payload); strings.Contains(text, "officer-") {
		t.Errorf("the payload names a person: %s", text)
	}
}

func TestG08TwoUnitsShareOneItemAndOneReferral(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		first := h.Submit(h.North.Officers[0], testkit.Page(1))
		// Another spelling of the same place, by another unit, then by the same one.
		for _, c := range []struct {
			by    concert.Actor
			place string
			want  string
		}{{h.South.Officers[0], "HTTP://Video.Example:80/watch?v=ex000001Ab&utm_source=x", casework.OutcomeDuplicate}, {h.South.Officers[1], testkit.Page(1), casework.OutcomeKnown}, {h.North.Officers[1], testkit.Page(1), casework.OutcomeKnown}} {
			if got := h.Submit(c.by, c.place); got[0].Outcome != c.want || got[0].Ref != first[0].Ref {
				t.Fatalf("%s submits %s: %+v, want %s of %s", c.by.Operator, c.place, got[0], c.want, first[0].Ref)
			}
		}
		h.Approve(h.South.Reviewers[0], h.Assess(h.South.Officers[0], first))
		h.At(time.Now(), swift)
		testkit.Run(t, h.Service)
		ref := sent(h, t, first[0].Ref)
		testkit.Await(t, "the webhook", func() bool { return len(h.Hook.Got()) > 0 })
		v, err := h.ReadReferral(t.Context(), testkit.Scope(t, h.Answerer), ref)
		testkit.Must(t, err)
		if got := v.Payload.Items[0].Finders; !slices.Equal(got, []string{"NORTH", "SOUTH"}) || v.Payload.Author.Unit != "SOUTH" {
			t.Errorf("finders %v, author %s", got, v.Payload.Author.Unit)
		}
		b, err := h.ReadBoard(t.Context(), testkit.Scope(t, h.Coordinator), h.Action.Ref)
		testkit.Must(t, err)
		if b.Totals[concert.Unique] != 1 || b.Totals[concert.Duplicates] != 1 || b.Totals[concert.Referrals] != 1 || b.Totals[concert.ReferredN] != 1 {
			t.Errorf("the board counts %v", b.Totals)
		}
		if n := len(h.Hook.Taken(concert.NoticeReferral)); n != 1 {
			t.Errorf("the provider got %d referrals", n)
		}
	})
}

func TestG01RefusalEndsItForEveryone(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		stop := testkit.Run(t, h.Service)
		ref := sent(h, t, items[0].Ref)
		testkit.Await(t, "the webhook", func() bool { return len(h.Hook.Got()) > 0 })
		stop()
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRefused}, items[0].Ref)
		h.At(h.Now(), swift)
		stop = testkit.Run(t, h.Service)
		// The other one is silent: three reminders follow, for it alone.
		testkit.Await(t, "reminders of the silent item", func() bool { return len(h.Hook.Taken(concert.NoticeReminder)) >= 2 })
		for _, n := range h.Hook.Taken(concert.NoticeReminder) {
			if n.Data.Items != 1 {
				t.Errorf("a reminder counts %d items, one is silent", n.Data.Items)
			}
		}
		again := h.Submit(h.South.Officers[0], testkit.Page(1))
		if again[0].Outcome != casework.OutcomeDuplicate || again[0].Ref != items[0].Ref {
			t.Errorf("submitted again after the refusal: %+v", again[0])
		}
		v := h.Item(items[0].Ref)
		out, err := h.AssessItems(t.Context(), h.South.Officers[0], []casework.Judging{{Item: v.Ref, Version: v.Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})
		if err != nil || outcomes(out) != "item.move" {
			t.Errorf("the refused item is assessed anew: %s, %v", outcomes(out), err)
		}
		dec, err := h.DecideItems(t.Context(), h.North.Reviewers[1], []casework.Deciding{{Item: v.Ref, Version: v.Version, Decision: concert.Approve, Ground: ground}})
		if err != nil || outcomes(dec) != "item.move" {
			t.Errorf("the refused item is approved anew: %s, %v", outcomes(dec), err)
		}
		if v := h.Item(items[0].Ref); v.Status != concert.ItemRefused || v.ReferredAs != ref || len(v.Rechecks) != 0 {
			t.Errorf("the refused item: %s in %s, %d looks", v.Status, v.ReferredAs, len(v.Rechecks))
		}
		// A refusal of the rest ends the reminders.
		stop()
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRefused}, items[1].Ref)
		if n := len(h.Hook.Taken(concert.NoticeReferral)); n != 1 {
			t.Errorf("%d referrals went out", n)
		}
	})
}

func TestG16WithdrawalAndCorrectionReachTheProvider(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Sound(3))
		testkit.Run(t, h.Service)
		sent(h, t, items[0].Ref)
		sent(h, t, items[2].Ref)
		remedy(h, t, h.North.Officers[0], items[0].Ref, concert.RemedyWithdrawal)
		remedy(h, t, h.North.Reviewers[0], items[1].Ref, concert.RemedyCorrection)
		remedy(h, t, h.North.Officers[0], items[2].Ref, concert.RemedyWithdrawal)
		for kind, item := range map[concert.NoticeKind]string{concert.NoticeWithdrawal: items[0].Ref, concert.NoticeCorrection: items[1].Ref} {
			testkit.Await(t, "the webhook of a "+string(kind), func() bool { return len(h.Hook.Taken(kind)) == 1 })
			n := h.Hook.Taken(kind)[0]
			v := h.Item(item)
			if len(v.Remedies) != 1 || n.Data.Remedy != v.Remedies[0].Ref || n.Data.Items != 1 || v.Remedies[0].Reason != ground {
				t.Errorf("%s: notice %+v, kept %+v", kind, n.Data, v.Remedies)
			}
		}
		inboxHas(t, h, h.Answerer, concert.NoticeReferral, concert.NoticeWithdrawal, concert.NoticeCorrection)
		// Who polls finds it in the inbox.
		inboxHas(t, h, h.Puller, concert.NoticeReferral, concert.NoticeWithdrawal)
		if v := h.Item(items[0].Ref); v.Status != concert.ItemWithdrawn {
			t.Errorf("the withdrawn item is %s", v.Status)
		}
		b, err := h.ReadBoard(t.Context(), testkit.Scope(t, h.Coordinator), h.Action.Ref)
		if err != nil || b.Totals[concert.WithdrawnN] != 2 || b.Totals[concert.Corrected] != 1 {
			t.Errorf("the board counts %v, %v", b.Totals, err)
		}
		// Another unit takes nothing back, and a word after the withdrawal changes no status.
		out, err := h.RemedyItems(t.Context(), h.South.Officers[0], []casework.Remedying{{Item: items[1].Ref, Version: h.Item(items[1].Ref).Version, Kind: concert.RemedyWithdrawal, Reason: ground}})
		if err != nil || out[0].Err == nil {
			t.Errorf("another unit withdraws: %s, %v", outcomes(out), err)
		}
		answer(h, t, h.Answerer, h.Item(items[0].Ref).ReferredAs, concert.Answer{Code: concert.AnswerRemoved}, items[0].Ref)
		if v := h.Item(items[0].Ref); v.Status != concert.ItemWithdrawn || v.Claimed != concert.AnswerRemoved {
			t.Errorf("answered after the withdrawal: %s, %s", v.Status, v.Claimed)
		}
	})
}

// A withdrawal that the endpoint could not take yet is not lost when the provider confirms the referral meanwhile.
func TestG16WithdrawalOnItsWaySurvivesAnAnswer(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		stop := testkit.Run(t, h.Service)
		ref := sent(h, t, items[0].Ref)
		testkit.Await(t, "the webhook", func() bool { return len(h.Hook.Taken(concert.NoticeReferral)) == 1 })
		stop()
		h.At(day.AddDate(0, 0, 1), 1)
		remedy(h, t, h.North.Officers[0], items[0].Ref, concert.RemedyWithdrawal)
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRemoved}, items[1].Ref)
		testkit.Run(t, h.Service)
		testkit.Await(t, "the withdrawal", func() bool { return len(h.Hook.Taken(concert.NoticeWithdrawal)) == 1 })
	})
}

// inboxHas waits until the provider's inbox lists notices of exactly these kinds, in order of the log.
func inboxHas(t *testing.T, h *testkit.House, by concert.Actor, kinds ...concert.NoticeKind) {
	t.Helper()
	slices.Sort(kinds)
	var got []concert.NoticeKind
	testkit.Await(t, "the inbox", func() bool {
		out, err := h.Inbox(t.Context(), by, -1, 100)
		testkit.Must(t, err)
		got = got[:0]
		last := int64(-1)
		for _, d := range out {
			if d.Position <= last {
				t.Fatalf("the inbox lists %d after %d", d.Position, last)
			}
			last = d.Position
			got = append(got, d.Kind)
		}
		slices.Sort(got)
		return len(got) >= len(kinds)
	})
	if diff := cmp.Diff(kinds, got); diff != "" {
		t.Errorf("the inbox of %s lists (-want +got):\n%s", by.Provider, diff)
	}
}

// Anyone counts again from an export what the board shows.
func TestG28RecountFromAnExportEqualsTheBoard(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		items := h.Approved(testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Sound(4))
		stop := testkit.Run(t, h.Service)
		h.Submit(h.South.Officers[0], testkit.Page(1), testkit.Page(9), "https://video.example/")
		ref := sent(h, t, items[0].Ref)
		sent(h, t, items[3].Ref)
		stop()
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRemoved}, items[0].Ref)
		answer(h, t, h.Answerer, ref, concert.Answer{Code: concert.AnswerRefused}, items[1].Ref)
		remedy(h, t, h.North.Officers[0], items[2].Ref, concert.RemedyWithdrawal)
		h.At(h.Now(), swift)
		stop = testkit.Run(t, h.Service)
		testkit.Await(t, "a look", func() bool { return len(h.Item(items[0].Ref).Rechecks) > 0 })
		stop()
		var bundle bytes.Buffer
		testkit.Must(t, h.Export(t.Context(), &bundle))
		v, err := formats.VerifyBundle(bytes.NewReader(bundle.Bytes()), h.LogKey, nil)
		if err != nil || !v.Verified || !v.SelfAttested {
			t.Fatalf("the export: %s, %v", v.Problem, err)
		}
		b, err := h.ReadBoard(t.Context(), testkit.Scope(t, h.Coordinator), h.Action.Ref)
		testkit.Must(t, err)
		recount := v.Counts.Totals(h.Action.ID)
		for _, m := range concert.Metrics {
			if recount[m] != b.Totals[m] {
				t.Errorf("%s: the board shows %d, a recount gives %d", m, b.Totals[m], recount[m])
			}
		}
		for name, c := range map[string]concert.Counts{"board": b.Totals, "recount": recount} {
			if err := c.Check(); err != nil || c[concert.ReferredN] != 4 || c[concert.Duplicates] != 1 || c[concert.Guarded] != 1 || c[concert.Refused] != 1 {
				t.Errorf("%s: %v, %v", name, c, err)
			}
		}
		for side, sets := range map[byte]map[string]concert.Counts{'a': v.Counts.BySide(h.Action.ID, 'a'), 'p': v.Counts.BySide(h.Action.ID, 'p')} {
			for id, c := range sets {
				shown := b.Authorities[concert.AuthorityID(id)]
				if side == 'p' {
					shown = b.Providers[concert.ProviderID(id)]
				}
				for m, n := range c {
					if shown[m] != n {
						t.Errorf("%c:%s: %s is shown as %d and recounted as %d", side, id, m, shown[m], n)
					}
				}
			}
		}
		// One byte of an exported event changed, and the audit names it.
		broken := bytes.Replace(bundle.Bytes(), []byte(`"kind":"item.answered"`), []byte(`"kind":"item.rejected"`), 1)
		v, err = formats.VerifyBundle(bytes.NewReader(broken), h.LogKey, nil)
		if err != nil || v.Verified || v.FirstBad < 0 || !strings.Contains(v.Problem, "item.rejected") {
			t.Errorf("a changed export: %s, %v", v.Problem, err)
		}
	})
}
