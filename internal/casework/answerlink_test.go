package casework_test

import (
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

func replying(code concert.AnswerCode, items ...string) []casework.Replying {
	out := make([]casework.Replying, len(items))
	for i, it := range items {
		out[i] = casework.Replying{Item: it, Answer: concert.Answer{Code: code}}
	}
	return out
}

func TestProviderAnswersThroughTheLinkOnceAndThenSeesAReceipt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		_, ref, items, m := posted(t, h, concert.MailDigest, testkit.Page(1), testkit.Page(2))
		ctx, token := t.Context(), m.Link()
		// Following the link counts as nothing: programs do.
		if p, err := h.GreetLink(ctx, token); err != nil || p.ID != h.Hooked.ID {
			t.Fatal(err)
		}
		if d := h.Referral(ref).Deliveries[0]; d.Rung != concert.RungAccepted {
			t.Errorf("a look at the link moved the ladder to %s", d.Rung)
		}
		v, err := h.OpenLink(ctx, token)
		if err != nil || v.Ref != ref || len(v.Payload.Items) != 2 || len(v.May) != 2 || v.Finished {
			t.Fatalf("%+v, %v", v.Payload.Items, err)
		}
		if d := h.Referral(ref).Deliveries[0]; d.Rung != concert.RungOpened || !strings.Contains(d.Evidence, v.Contact.Ref) {
			t.Errorf("%+v", d)
		}
		testkit.Must(t, h.AcknowledgeByLink(ctx, token))
		testkit.Must(t, h.AskByLink(ctx, token, "", "EXERCISE: which part of it?"))
		testkit.Must(t, h.AskByLink(ctx, token, "", "EXERCISE: which part of it?"))
		version := func() int64 { return h.Referral(ref).Version }
		if _, err := h.AnswerByLink(ctx, token, version()-1, replying(concert.AnswerRemoved, items[0].Ref)); code(err) != "stale" {
			t.Errorf("an answer to what stood before: %v", err)
		}
		if _, err := h.AnswerByLink(ctx, token, version(), replying(concert.AnswerRemoved, items[0].Ref, "IT-other")); code(err) != "link.answered" {
			t.Errorf("an item of another referral: %v", err)
		}
		out, err := h.AnswerByLink(ctx, token, version(), replying(concert.AnswerInReview, items[0].Ref))
		if err != nil || outcomes(out) != string(concert.ItemReferred) {
			t.Errorf("in review: %s, %v", outcomes(out), err)
		}
		out, err = h.AnswerByLink(ctx, token, version(), replying(concert.AnswerRemoved, items[0].Ref))
		if err != nil || outcomes(out) != string(concert.ItemAnswered) {
			t.Errorf("removed: %s, %v", outcomes(out), err)
		}
		if _, err := h.AnswerByLink(ctx, token, version(), replying(concert.AnswerRefused, items[0].Ref)); code(err) != "link.answered" {
			t.Errorf("a second final answer: %v", err)
		}
		// What we correct may be answered once more.
		fix := func() {
			got, err := h.RemedyItems(ctx, h.North.Officers[0], []casework.Remedying{{Item: items[0].Ref, Version: h.Item(items[0].Ref).Version, Kind: concert.RemedyCorrection, Reason: ground}})
			if err != nil || got[0].Err != nil {
				t.Fatal(err, got)
			}
		}
		fix()
		if _, err := h.AnswerByLink(ctx, token, version(), replying(concert.AnswerRefused, items[0].Ref)); err != nil {
			t.Errorf("after a correction: %v", err)
		}
		if _, err := h.AnswerByLink(ctx, token, version(), replying(concert.AnswerNotOurs, items[1].Ref)); err != nil {
			t.Errorf("the other item: %v", err)
		}
		v, err = h.OpenLink(ctx, token)
		if err != nil || !v.Finished || len(v.Payload.Items) != 0 || v.Link.FinishedAt.IsZero() || v.Answered[v.Items[0].ID].Code == "" {
			t.Errorf("the receipt: %+v, %v", v, err)
		}
		if err := h.AskByLink(ctx, token, "", "EXERCISE: one more?"); code(err) != "link.answered" {
			t.Errorf("a question after the last answer: %v", err)
		}
		it := h.Item(items[0].Ref)
		if len(it.Answers) != 3 || string(it.Answers[0].By) != v.Contact.Ref || len(it.Messages) != 1 || it.Messages[0].Sender != concert.SenderLink {
			t.Errorf("%+v, %+v", it.Answers, it.Messages)
		}
	})
}

func TestLinkOpensNothingElseAndEndsWhenItShould(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		_, ref, _, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		token := m.Link()
		for _, wrong := range []string{"", "csa_x", token + "x", token[:len(token)-1] + "!", "cso_" + token[4:], strings.ToUpper(token)} {
			if _, err := h.OpenLink(t.Context(), wrong); code(err) != "not_found" {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		var n int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM answer_link WHERE id LIKE '%csa%'").Scan(&n))
		if n != 0 {
			t.Error("the token is kept")
		}
		if _, err := h.RevokeLinks(t.Context(), h.South.Officers[0], ref); code(err) != "not_found" {
			t.Errorf("another unit revokes: %v", err)
		}
		for range 100 {
			if _, err := h.OpenLink(t.Context(), token); err != nil {
				if code(err) != "link.busy" {
					t.Error(err)
				}
				n++
			}
		}
		if n == 0 {
			t.Error("a hundred requests in a moment were all served")
		}
		if k, err := h.RevokeLinks(t.Context(), h.North.Officers[1], ref); err != nil || k != 1 {
			t.Errorf("%d revoked, %v", k, err)
		}
		if _, err := h.GreetLink(t.Context(), token); code(err) != "link.over" {
			t.Errorf("revoked: %v", err)
		}
	})
}

func TestLinkIsOverAfterItsTerm(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		_, _, _, m := posted(t, h, concert.MailSingle, testkit.Page(1))
		h.StopClockAt(h.Now().Add(concert.AnswerLinkTerm))
		if _, err := h.GreetLink(t.Context(), m.Link()); code(err) != "link.over" {
			t.Errorf("after thirty days: %v", err)
		}
	})
}
