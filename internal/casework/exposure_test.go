package casework_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// picture adds a made-up screenshot to a new item and gives both references.
func picture(h *testkit.House, t *testing.T, by concert.Actor, n int) (item, capture string) {
	t.Helper()
	it := bare(h, t, by, testkit.Page(n))
	return it.Ref, take(h, t, by, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(screenshot(t, 300+n, 200))}).Ref
}

func reveal(h *testkit.House, t *testing.T, by concert.Actor, capture string, on bool) (concert.Reveal, error) {
	t.Helper()
	r, _, err := h.RevealCapture(t.Context(), testkit.Scope(t, by), capture, on)
	return r, err
}

func TestG35MediaOfACaptureIsGivenToWhoOpenedItKnowinglyAndToNobodyElse(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Children = testkit.Children(t)
		h.StopClockAt(day)
		ann, bob, ctx := h.North.Officers[0], h.North.Officers[1], t.Context()
		_, cp := picture(h, t, ann, 1)
		preview := func(by concert.Actor) string {
			_, p, err := h.PreviewCapture(ctx, testkit.Scope(t, by), cp)
			if err == nil && len(p.Picture) == 0 {
				t.Errorf("a preview without a picture: %s", p.Note)
			}
			return code(err)
		}
		bytesOf := func(by concert.Actor) string { _, err := glance(h, t, by, cp); return code(err) }
		if p, b := preview(ann), bytesOf(ann); p != "capture.veiled" || b != "capture.veiled" {
			t.Errorf("before it is opened: preview %q, bytes %q", p, b)
		}
		for _, by := range []concert.Actor{h.South.Officers[0], h.Coordinator, h.Auditor} {
			if _, err := reveal(h, t, by, cp, true); err == nil {
				t.Errorf("%v opens it", by.Roles)
			}
		}
		r, err := reveal(h, t, ann, cp, false)
		testkit.Must(t, err)
		if again, err := reveal(h, t, ann, cp, false); err != nil || again.ID != r.ID {
			t.Errorf("opened twice, it counts twice: %v", err)
		}
		if p, b := preview(ann), bytesOf(ann); p != "" || b != "" {
			t.Errorf("open: preview %q, bytes %q", p, b)
		}
		// It is open to her and to nobody else, by whatever address.
		if p, b := preview(bob), bytesOf(bob); p != "capture.veiled" || b != "capture.veiled" {
			t.Errorf("a colleague: preview %q, bytes %q", p, b)
		}
		h.StopClockAt(day.Add(concert.RevealTerm))
		if p := preview(ann); p != "capture.veiled" {
			t.Errorf("after its term: %q", p)
		}
		if _, _, err := h.BeatReveal(ctx, ann, r.ID, time.Second, false); code(err) != "reveal.closed" {
			t.Errorf("a sign of looking after its term: %v", err)
		}
		// Text is read without any of it; what is opened is recorded as a reading.
		it := bare(h, t, ann, testkit.Page(9))
		page := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: text("EXERCISE only text")})
		if _, p, err := h.PreviewCapture(ctx, testkit.Scope(t, ann), page.Ref); err != nil || p.Text == "" {
			t.Errorf("text: %v", err)
		}
		if got, err := glance(h, t, ann, page.Ref); err != nil || got != "EXERCISE only text" {
			t.Errorf("the bytes of text: %v", err)
		}
		if _, err := reveal(h, t, ann, page.Ref, false); code(err) != "reveal.not_needed" {
			t.Errorf("text is opened: %v", err)
		}
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, `SELECT count(*) FROM event WHERE kind = 'consulted' AND body LIKE '%"what":"preview"%'`); n != 2 {
			t.Errorf("%d previews are recorded, wanted are the opening and the text", n)
		}
		if _, _, err := h.RevealCapture(ctx, concert.Scope{}, cp, true); code(err) != "scope.nobody" {
			t.Errorf("nobody opens it: %v", err)
		}
	})
}

func TestG35WhatIsCountedCannotBeFalsified(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.StopClockAt(day)
		ann, ctx := h.North.Officers[0], t.Context()
		shown := func() time.Duration {
			v, err := h.OwnExposure(ctx, ann)
			testkit.Must(t, err)
			return v.Today.Shown
		}
		beat := func(id concert.RevealID, at, claimed time.Duration, closing bool) error {
			h.StopClockAt(day.Add(at))
			_, _, err := h.BeatReveal(ctx, ann, id, claimed, closing)
			return err
		}
		_, cp := picture(h, t, ann, 1)
		r, err := reveal(h, t, ann, cp, false)
		testkit.Must(t, err)
		if got := shown(); got != concert.RevealUnmeasured {
			t.Errorf("unmeasured: %s", got)
		}
		for i, b := range []struct{ at, claimed, want time.Duration }{
			{5 * time.Second, 4 * time.Second, 4 * time.Second},
			{10 * time.Second, time.Hour, 9 * time.Second},                        // never more than the time that passed
			{15 * time.Second, -time.Hour, 9 * time.Second},                       // never less than nothing
			{15 * time.Second, time.Second, 9 * time.Second},                      // nothing passed
			{20 * time.Second, 1500 * time.Millisecond, 10500 * time.Millisecond}, // parts of a second count
		} {
			testkit.Must(t, beat(r.ID, b.at, b.claimed, false))
			if got := shown(); got != b.want {
				t.Errorf("sign %d: %s, wanted is %s", i, got, b.want)
			}
		}
		// Bytes that were downloaded are looked at elsewhere: that counts once.
		for range 2 {
			_, err = glance(h, t, ann, cp)
			testkit.Must(t, err)
		}
		if got := shown(); got != 10500*time.Millisecond+concert.RevealTaken {
			t.Errorf("downloaded: %s", got)
		}
		if _, _, err := h.BeatReveal(ctx, h.North.Officers[1], r.ID, time.Second, true); code(err) != "not_found" {
			t.Errorf("a colleague counts for her: %v", err)
		}
		testkit.Must(t, beat(r.ID, 21*time.Second, 0, true))
		if _, err := glance(h, t, ann, cp); code(err) != "capture.veiled" {
			t.Errorf("closed: %v", err)
		}
		if err := beat(r.ID, 30*time.Second, time.Second, false); code(err) != "reveal.closed" {
			t.Errorf("closed, it counts: %v", err)
		}
	})
}

func TestG35LimitsStopSoftlyThenHardAndNoLeadLiftsThemUnseen(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.StopClockAt(day)
		ann, rex, ctx := h.North.Officers[0], h.North.Reviewers[0], t.Context()
		set := func(by concert.Actor, soft, hard time.Duration, softOpened, hardOpened int) (concert.ExposureLimits, error) {
			return h.SetExposureLimits(ctx, by, concert.ExposureLimits{Soft: soft, Hard: hard, SoftOpened: softOpened, HardOpened: hardOpened})
		}
		for name, by := range map[string]concert.Actor{"role.missing": ann, "role.no_authority": {Person: "x", Roles: []concert.Role{concert.RoleCoordinator}}} {
			if _, err := set(by, time.Minute, time.Minute, 1, 1); code(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, bad := range []struct {
			soft, hard time.Duration
			n, m       int
		}{{0, time.Hour, 1, 2}, {2 * time.Hour, time.Hour, 1, 2}, {time.Hour, concert.ExposureMost + time.Minute, 1, 2}, {time.Hour, time.Hour, 0, 2}, {time.Hour, time.Hour, 3, 2}, {time.Hour, time.Hour, 1, concert.ExposureOpenedMost + 1}} {
			if _, err := set(rex, bad.soft, bad.hard, bad.n, bad.m); code(err) != "exposure.limits" {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		// Lower ones hold at once.
		_, err := set(rex, 10*time.Minute, 20*time.Minute, 2, 3)
		testkit.Must(t, err)
		var refs []string
		for n := range 6 {
			_, cp := picture(h, t, ann, n)
			refs = append(refs, cp)
		}
		for i := range 2 {
			_, err := reveal(h, t, ann, refs[i], false)
			testkit.Must(t, err)
		}
		if _, err := reveal(h, t, ann, refs[2], false); code(err) != "exposure.soft_stop" {
			t.Errorf("at the soft stop: %v", err)
		}
		_, err = reveal(h, t, ann, refs[2], true)
		testkit.Must(t, err)
		if _, err := reveal(h, t, ann, refs[3], true); code(err) != "exposure.hard_cap" || !strings.Contains(err.Error(), "2019-11-22T00:00:00Z") || !strings.Contains(err.Error(), "skip") {
			t.Errorf("at the hard cap: %v", err)
		}
		// A lead may raise them: from tomorrow, as an event, and she sees who did.
		l, err := set(rex, 15*time.Minute, 30*time.Minute, 3, 4)
		testkit.Must(t, err)
		if want := time.Date(2019, 11, 22, 0, 0, 0, 0, time.UTC); !l.From.Equal(want) {
			t.Errorf("raised limits hold from %s", l.From)
		}
		if _, err := reveal(h, t, ann, refs[3], true); code(err) != "exposure.hard_cap" {
			t.Errorf("a lead lifted her cap: %v", err)
		}
		v, err := h.OwnExposure(ctx, ann)
		if err != nil || v.Later.HardOpened != 4 || v.Team.HardOpened != 3 || v.SetBy != rex.Operator || v.Stop != concert.StopHard {
			t.Errorf("she sees %+v, %v", v, err)
		}
		if n := testkit.Count(t, testkit.Raw(t, h.Service), "SELECT count(*) FROM event WHERE kind = 'authority.exposure_limits'"); n != 2 {
			t.Errorf("%d settings are recorded", n)
		}
		// The next day begins at nothing, under the new limits. Time alone stops, too.
		h.StopClockAt(day.Add(13 * time.Hour))
		one, err := reveal(h, t, ann, refs[3], false)
		testkit.Must(t, err)
		for i := range 3 {
			h.StopClockAt(day.Add(13*time.Hour + time.Duration(i+1)*9*time.Minute))
			if _, s, err := h.BeatReveal(ctx, ann, one.ID, time.Hour, false); err != nil || (i == 1) != (s.Stop == concert.StopSoft) && i < 2 {
				t.Errorf("after %d minutes: %q, %v", 9*(i+1), s.Stop, err)
			}
		}
		h.StopClockAt(day.Add(13*time.Hour + 31*time.Minute))
		if r, s, err := h.BeatReveal(ctx, ann, one.ID, time.Hour, false); err != nil || s.Stop != concert.StopHard || r.ClosedAt.IsZero() {
			t.Errorf("past the cap what is open stays open: %+v %q, %v", r, s.Stop, err)
		}
		if _, err := reveal(h, t, ann, refs[4], true); code(err) != "exposure.hard_cap" {
			t.Errorf("past the cap by time: %v", err)
		}
		// Others have their own day, and what waits has ways out that need no reason.
		if err := h.SkipItem(ctx, ann, h.Submit(ann, testkit.Page(90))[0].Ref); err != nil {
			t.Errorf("she cannot skip: %v", err)
		}
		if _, err := reveal(h, t, h.North.Officers[1], refs[4], false); err != nil {
			t.Errorf("a colleague is stopped by her day: %v", err)
		}
	})
}

func TestG35OnesOwnLimitIsLowerAndIsNotLiftedOnceReached(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.StopClockAt(day)
		ann, ctx := h.North.Officers[0], t.Context()
		for _, bad := range []concert.OwnLimit{{Hard: 91 * time.Minute}, {Opened: 301}, {Hard: -time.Minute}, {Opened: -1}} {
			if _, err := h.SetOwnLimit(ctx, ann, bad); code(err) != "exposure.own" {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if _, err := h.SetOwnLimit(ctx, h.Auditor, concert.OwnLimit{}); code(err) != "role.missing" {
			t.Errorf("an auditor's: %v", err)
		}
		_, err := h.SetOwnLimit(ctx, ann, concert.OwnLimit{Opened: 1})
		testkit.Must(t, err)
		_, one := picture(h, t, ann, 1)
		_, two := picture(h, t, ann, 2)
		_, err = reveal(h, t, ann, one, false)
		testkit.Must(t, err)
		if _, err := reveal(h, t, ann, two, true); code(err) != "exposure.hard_cap" {
			t.Errorf("past her own limit: %v", err)
		}
		if _, err := h.SetOwnLimit(ctx, ann, concert.OwnLimit{}); code(err) != "exposure.own_reached" {
			t.Errorf("she lifts it in the moment: %v", err)
		}
		h.StopClockAt(day.AddDate(0, 0, 1))
		_, err = h.SetOwnLimit(ctx, ann, concert.OwnLimit{})
		testkit.Must(t, err)
		_, err = reveal(h, t, ann, two, false)
		testkit.Must(t, err)
		if v, err := h.OwnExposure(ctx, ann); err != nil || len(v.Days) != 2 || v.Days[0].Opened != 1 || v.Limits.Own {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestG35TheLedgerIsItsOwnersAloneAndATeamsNumbersNeedFivePeople(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		monday := time.Date(2019, 11, 11, 9, 0, 0, 0, time.UTC)
		h.StopClockAt(monday)
		rex, ctx := h.North.Reviewers[0], t.Context()
		people := []concert.Actor{h.North.Officers[0], h.North.Officers[1], h.North.Reviewers[1]}
		for n := range 2 {
			people = append(people, h.Person(fmt.Sprintf("north-more-%d", n), h.North.Ref, "", concert.RoleOfficer))
		}
		_, cp := picture(h, t, people[0], 1)
		testkit.Must(t, h.WarnCapture(ctx, people[0], cp, []concert.Warning{concert.WarnInjury}))
		_, mild := picture(h, t, people[0], 2)
		open := func(by concert.Actor, cp string) {
			_, err := reveal(h, t, by, cp, false)
			testkit.Must(t, err)
		}
		week := func(by concert.Actor) concert.TeamExposure {
			t.Helper()
			v, err := h.DeskExposure(ctx, by)
			testkit.Must(t, err)
			return v.Weeks[0]
		}
		for _, p := range people[:4] {
			open(p, cp)
		}
		open(people[0], mild)
		open(rex, cp) // who reads the numbers is not among them
		open2 := func() { h.StopClockAt(monday.AddDate(0, 0, 7)) }
		if w := week(rex); w.Enough || !w.Until.Equal(time.Date(2019, 11, 11, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("the week that runs is shown: %+v", w)
		}
		open2()
		if w := week(rex); w.Enough || w.Opened != 0 || w.Shown != 0 || w.People != 0 || w.Warnings != nil {
			t.Errorf("of four people a lead reads %+v", w)
		}
		h.StopClockAt(monday.Add(time.Hour))
		open(people[4], mild)
		open2()
		w := week(rex)
		if !w.Enough || w.People != 5 || w.Opened != 6 || w.Shown != 6*concert.RevealUnmeasured {
			t.Errorf("of five people a lead reads %+v", w)
		}
		if len(w.Warnings) != 0 {
			t.Errorf("four people opened what is warned of: %v", w.Warnings)
		}
		// A coordinator of the authority leads, too; officers, other authorities and auditors read nothing.
		if w := week(h.Coordinator); w.People != 6 {
			t.Errorf("the coordinator reads %+v", w)
		}
		if w := week(h.South.Reviewers[0]); w.Enough {
			t.Errorf("another authority reads %+v", w)
		}
		for _, by := range []concert.Actor{people[0], h.Auditor, h.Admin, h.Answerer} {
			if _, err := h.DeskExposure(ctx, by); code(err) != "role.missing" {
				t.Errorf("%v reads the team's: %v", by.Roles, err)
			}
		}
		if v, err := h.OwnExposure(ctx, people[0]); err != nil || len(v.Days) != 1 || v.Days[0].Opened != 2 || v.Days[0].Warnings[concert.WarnInjury] != 1 {
			t.Errorf("her own: %+v, %v", v, err)
		}
		// No event tells how many one opened beyond the readings that the law has recorded, and none for how long.
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT count(*) FROM event WHERE body LIKE '%shown%' OR body LIKE '%seconds%' OR kind LIKE '%reveal%'"); n != 0 {
			t.Errorf("%d events tell of somebody's pace", n)
		}
		// After 90 days it is forgotten.
		h.StopClockAt(monday.AddDate(0, 0, concert.ExposureKept))
		testkit.Must(t, h.ForgetExposure(ctx))
		if n := testkit.Count(t, raw, "SELECT count(*) FROM reveal"); n != 7 {
			t.Errorf("on the last day there are %d lines", n)
		}
		h.StopClockAt(monday.AddDate(0, 0, concert.ExposureKept+1))
		testkit.Must(t, h.ForgetExposure(ctx))
		if n := testkit.Count(t, raw, "SELECT count(*) FROM reveal"); n != 0 {
			t.Errorf("afterwards there are %d lines", n)
		}
	})
}

func TestG35WarningsComeFromWhoSawIt(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann, bob, ctx := h.North.Officers[0], h.North.Officers[1], t.Context()
		it := bare(h, t, ann, testkit.Page(1))
		c := take(h, t, ann, casework.Capturing{Item: it.Ref, Bytes: bytes.NewReader(screenshot(t, 20, 20)), Warnings: []concert.Warning{concert.WarnNothing}})
		look := func(by concert.Actor) casework.Veil {
			t.Helper()
			v, err := h.LookAtVeil(ctx, testkit.Scope(t, by), c.Ref)
			testkit.Must(t, err)
			return v
		}
		if v := look(bob); v.MaySay || fmt.Sprint(v.Warnings) != "[nothing]" || v.Opened.ID != "" {
			t.Errorf("bob is told %v, may say %v", v.Warnings, v.MaySay)
		}
		for want, said := range map[string][]concert.Warning{"warning.unknown": {"bang"}, "warning.nothing": {concert.WarnNothing, concert.WarnChild}} {
			if err := h.WarnCapture(ctx, ann, c.Ref, said); code(err) != want {
				t.Errorf("%v: %v", said, err)
			}
		}
		if err := h.WarnCapture(ctx, bob, c.Ref, []concert.Warning{concert.WarnChild}); code(err) != "warning.unseen" {
			t.Errorf("who has not seen it says: %v", err)
		}
		if err := h.WarnCapture(ctx, h.South.Officers[0], c.Ref, nil); code(err) != "not_found" {
			t.Errorf("another authority says: %v", err)
		}
		_, err := reveal(h, t, bob, c.Ref, false)
		testkit.Must(t, err)
		testkit.Must(t, h.WarnCapture(ctx, bob, c.Ref, []concert.Warning{concert.WarnInjury, concert.WarnChild}))
		if v := look(ann); fmt.Sprint(v.Warnings, v.Mine) != "[child injury] [nothing]" {
			t.Errorf("ann is told %v, said %v", v.Warnings, v.Mine)
		}
		if cs := h.Item(it.Ref).Captures; len(cs) != 1 || fmt.Sprint(cs[0].Warnings) != "[child injury]" {
			t.Errorf("the item's page tells %+v", cs)
		}
		testkit.Must(t, h.WarnCapture(ctx, bob, c.Ref, nil))
		if v := look(ann); fmt.Sprint(v.Warnings) != "[nothing]" {
			t.Errorf("taken back: %v", v.Warnings)
		}
		// What was said goes with its item, and the ledger keeps no trace of which it was.
		testkit.Must(t, h.AskErasure(ctx, ann, it.Ref, it.Version, concert.ErasureMistaken, ground))
		testkit.Must(t, h.EraseItem(ctx, h.North.Reviewers[0], it.Ref, h.Item(it.Ref).Version))
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT (SELECT count(*) FROM capture_warning) + (SELECT count(*) FROM reveal WHERE capture IS NOT NULL)"); n != 0 {
			t.Errorf("%d traces are left", n)
		}
		if v, err := h.OwnExposure(ctx, bob); err != nil || v.Today.Opened != 1 {
			t.Errorf("bob's day: %+v, %v", v.Today, err)
		}
	})
}

func TestG35SameContentIsShownOnceAndItsPurposeIsJudgedAnew(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann, rex, sue, ctx := h.North.Officers[0], h.North.Reviewers[0], h.South.Officers[0], t.Context()
		work := func(by concert.Actor, n int, kind concert.CaptureKind, bytes string) casework.Result {
			it := bare(h, t, by, testkit.Page(n))
			take(h, t, by, casework.Capturing{Item: it.Ref, Kind: kind, Bytes: text(bytes)})
			return it
		}
		same := func(by concert.Actor, ref string) (casework.SameJudged, bool) {
			t.Helper()
			v, ok, err := h.SameJudged(ctx, testkit.Scope(t, by), ref)
			testkit.Must(t, err)
			return v, ok
		}
		first, second := work(ann, 1, concert.CaptureFile, "EXERCISE the work"), work(ann, 2, concert.CaptureFile, "EXERCISE the work")
		other := work(ann, 3, concert.CaptureFile, "EXERCISE another work")
		// A page's bytes are no work's: the same notice stands at many places.
		wall, wall2 := work(ann, 4, concert.CapturePage, "EXERCISE wall"), work(ann, 5, concert.CapturePage, "EXERCISE wall")
		souths := work(sue, 6, concert.CaptureFile, "EXERCISE the work")
		if _, ok := same(ann, second.Ref); ok {
			t.Error("nobody has judged it yet")
		}
		serious := testkit.Judgement()
		serious.Severity, serious.Type = concert.SeveritySerious, concert.Instruction
		out, err := h.AssessItems(ctx, ann, []casework.Judging{{Item: first.Ref, Version: h.Item(first.Ref).Version, Outlet: h.Outlet.Ref, Assessment: serious}, {Item: wall.Ref, Version: h.Item(wall.Ref).Version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})
		testkit.Must(t, err)
		if got := outcomes(out); got != "assessed assessed" {
			t.Fatal(got)
		}
		v, ok := same(ann, second.Ref)
		if !ok || v.Item != first.Ref || v.Type != concert.Instruction || v.Severity != concert.SeveritySerious || v.Outlet.Ref != h.Outlet.Ref || v.At.IsZero() {
			t.Errorf("the copy is told %+v, %v", v, ok)
		}
		for _, ref := range []string{other.Ref, wall2.Ref, first.Ref} {
			if v, ok := same(ann, ref); ok {
				t.Errorf("%s is the same as %s", ref, v.Item)
			}
		}
		// Another authority learns nothing of it, of its own item or of ours.
		if v, ok := same(sue, souths.Ref); ok {
			t.Errorf("another authority is told of %s", v.Item)
		}
		if _, _, err := h.SameJudged(ctx, testkit.Scope(t, sue), second.Ref); code(err) != "not_found" {
			t.Errorf("another authority asks for ours: %v", err)
		}
		// Equal bytes of captures count where the item's own digest is another's.
		third := work(ann, 7, concert.CaptureFile, "EXERCISE its own first bytes")
		take(h, t, ann, casework.Capturing{Item: third.Ref, Kind: concert.CaptureFile, Bytes: text("EXERCISE the work")})
		if v, ok := same(ann, third.Ref); !ok || v.Item != first.Ref || !v.Bytes {
			t.Errorf("by bytes: %+v, %v", v, ok)
		}
		// What is told holds no purpose, so that none can be carried over; and an assessment without one is refused as ever.
		carried := testkit.Judgement()
		carried.Type, carried.Severity, carried.Purpose = v.Type, v.Severity, ""
		out, err = h.AssessItems(ctx, ann, []casework.Judging{{Item: second.Ref, Version: h.Item(second.Ref).Version, Outlet: h.Outlet.Ref, Assessment: carried}})
		testkit.Must(t, err)
		if got := outcomes(out); got != "assessment.purpose" {
			t.Errorf("without a purpose of its own: %s", got)
		}
		// What was found wrong is nothing to go by.
		out, err = h.DecideItems(ctx, rex, []casework.Deciding{{Item: first.Ref, Version: h.Item(first.Ref).Version, Decision: concert.Reject, Ground: ground}})
		testkit.Must(t, err)
		if got := outcomes(out); got != string(concert.ItemRejected) {
			t.Fatal(got)
		}
		if v, ok := same(ann, second.Ref); ok {
			t.Errorf("a rejected assessment is carried over: %+v", v)
		}
	})
}

func TestG35SomethingElseToDoHasNoPictures(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ann, ctx := h.North.Officers[0], t.Context()
		picture(h, t, ann, 1)
		plain := h.Submit(ann, testkit.Page(2))[0]
		picture(h, t, ann, 3)
		got, err := h.TakeNextUnveiled(ctx, ann)
		if err != nil || got.Ref != plain.Ref {
			t.Errorf("took %q, %v", got.Ref, err)
		}
		if got, err := h.TakeNextUnveiled(context.WithoutCancel(ctx), ann); err != nil || got.Ref != "" {
			t.Errorf("then %q, %v", got.Ref, err)
		}
	})
}
