package casework_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/identity"
	"concert/internal/store"
	"concert/internal/testkit"
)

const (
	southDesk = "EXERCISE call the southern desk"
	somebytes = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

// captured takes items with captured bytes from a find of the northern unit to an approval there.
func captured(h *testkit.House, t *testing.T, sum string, severity concert.Severity, places ...string) []casework.Result {
	t.Helper()
	in := make([]casework.Submission, len(places))
	for i, p := range places {
		in[i] = casework.Submission{Location: p, Type: concert.TypeVideo, Action: h.Action.Ref, SHA256: sum, Source: "form", Captures: testkit.Seen(p)}
	}
	out, err := h.SubmitItems(t.Context(), h.North.Officers[0], in)
	testkit.Must(t, err)
	judged := make([]casework.Judging, len(out))
	for i, r := range out {
		a := testkit.Judgement()
		a.Severity = severity
		judged[i] = casework.Judging{Item: r.Ref, Version: r.Version, Outlet: h.Outlet.Ref, Assessment: a}
	}
	out, err = h.AssessItems(t.Context(), h.North.Officers[0], judged)
	testkit.Must(t, err)
	return h.Approve(h.North.Reviewers[0], out)
}

// holdsOf are an authority's holds as its officer lists them.
func holdsOf(h *testkit.House, t *testing.T, by concert.Actor) []casework.HoldView {
	t.Helper()
	hs, err := h.Holds(t.Context(), testkit.Scope(t, by), "", 100)
	testkit.Must(t, err)
	return hs
}

// asked says how items came upon the one hold of the southern unit.
func asked(h *testkit.House, t *testing.T) string {
	t.Helper()
	var kinds []string
	for _, v := range holdsOf(h, t, h.South.Officers[1]) {
		for _, a := range v.Asked {
			kinds = append(kinds, string(a.Kind)+" "+a.By.Unit)
		}
	}
	return strings.Join(kinds, ", ")
}

func TestG07OthersSeeOnlyTheHoldAndItsContact(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		ctx := t.Context()
		east, err := h.AddAuthority(ctx, h.Admin, concert.Authority{Name: "EXERCISE Unit East", Country: "XE", Kind: concert.KindReferralUnit, Unit: "EAST", Contact: "EXERCISE desk East"})
		testkit.Must(t, err)
		third := h.Person("east", east.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		held := h.Hold(h.South.Officers[0], testkit.Page(1), southDesk, "EXERCISE case 7")
		items := h.Approved(testkit.Page(1), testkit.Page(2))
		ref := items[0].Ref
		h.Submit(third, testkit.Page(1))
		h.Submit(h.South.Officers[0], testkit.Page(1))
		testkit.Run(t, h.Service)
		h.Status(ref, concert.ItemHeld)
		sent(h, t, items[1].Ref)

		// The author: held, and whom to call.
		v, err := h.ReadItem(ctx, testkit.Scope(t, h.North.Officers[0]), ref)
		text, _ := json.Marshal(v)
		if err != nil || v.Status != concert.ItemHeld || v.HoldBy != southDesk || v.HoldLate {
			t.Errorf("the author sees %s, %q, %v", v.Status, v.HoldBy, err)
		}
		for _, secret := range []string{held.Ref, string(held.ID), "case 7"} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the author is told %q", secret)
			}
		}
		mine, err := h.ListItems(ctx, testkit.Scope(t, h.North.Officers[0]), casework.ItemQuery{Status: concert.ItemHeld, Limit: 10})
		if err != nil || len(mine) != 1 {
			t.Errorf("the author lists %d held items, %v", len(mine), err)
		}
		// Who found it too did not ask: neither view, list, answer nor refusal tells of the hold.
		for _, by := range []concert.Actor{third, h.South.Officers[0]} {
			v, err := h.ReadItem(ctx, testkit.Scope(t, by), ref)
			if err != nil || v.Status != concert.ItemApproved || v.HoldBy != "" || v.Version != items[0].Version || v.UpdatedAt.After(v.Approvals[0].At) {
				t.Errorf("%s, a finder, sees %s, %q, version %d for %d, %v", by.Operator, v.Status, v.HoldBy, v.Version, items[0].Version, err)
			}
			again := h.Submit(by, testkit.Page(1))
			if outcomes(again) != "known" || again[0].Version != items[0].Version {
				t.Errorf("handed in again: %+v", again)
			}
			for _, version := range []int64{items[0].Version, items[0].Version + 1} {
				out, err := h.AssessItems(ctx, by, []casework.Judging{{Item: ref, Version: version, Outlet: h.Outlet.Ref, Assessment: testkit.Judgement()}})
				testkit.Must(t, err)
				if out[0].Err == nil || strings.Contains(out[0].Err.Message, "held") || strings.Contains(out[0].Err.Message, "hold") {
					t.Errorf("assessed with version %d: %v", version, out[0].Err)
				}
			}
			for _, version := range []int64{items[0].Version, items[0].Version + 1} {
				out, err := h.RemedyItems(ctx, by, []casework.Remedying{{Item: ref, Version: version, Kind: concert.RemedyWithdrawal, Reason: ground}})
				if want := map[bool]string{true: "remedy.author", false: "stale"}[version == items[0].Version]; err != nil || outcomes(out) != want {
					t.Errorf("%s withdraws version %d: %s, %v, want %s", by.Operator, version, outcomes(out), err, want)
				}
			}
			for _, status := range concert.ItemStatuses {
				if its, err := h.ListItems(ctx, testkit.Scope(t, by), casework.ItemQuery{Status: status, Limit: 10}); err != nil || len(its) != 0 {
					t.Errorf("%s lists %d items that are %s, %v", by.Operator, len(its), status, err)
				}
			}
			if _, err := h.OverrideHold(ctx, by, ref, items[0].Version+1, ground); code(err) != "not_found" && code(err) != "role.missing" {
				t.Errorf("%s overrides: %v", by.Operator, err)
			}
			if _, err := h.ReviewOverride(ctx, by, ref, concert.Justified, ground); code(err) != "not_found" {
				t.Errorf("%s reviews what is not overridden: %v", by.Operator, err)
			}
		}
		for _, act := range []func() error{
			func() error { _, err := h.ReleaseHold(ctx, third, held.Ref, held.Version, ground); return err },
			func() error { _, err := h.RenewHold(ctx, third, held.Ref, held.Version, ground); return err },
			func() error { _, err := h.ReleaseHold(ctx, third, "HO-NONE", 1, ground); return err },
		} {
			if err := act(); err == nil || err.Error() != concert.ErrNotFound.Error() {
				t.Errorf("another's hold is refused otherwise than a missing one: %v", err)
			}
		}
		if hs := holdsOf(h, t, third); len(hs) != 0 {
			t.Errorf("another lists %d holds", len(hs))
		}
		// The holder: who asked, whom to call, when, and nothing that was judged.
		got := holdsOf(h, t, h.South.Officers[1])
		if len(got) != 1 || len(got[0].Asked) != 1 || got[0].Asked[0].By.Unit != "NORTH" || got[0].Asked[0].By.Contact != "EXERCISE desk North" || got[0].Asked[0].Kind != concert.AskedDispatch || got[0].Asked[0].ItemRef != ref || !got[0].Asked[0].ReferredAt.IsZero() {
			t.Errorf("the holder sees %+v", got)
		}
	})
}

func TestG07CanaryOfAHoldLiesNowhereInTheClear(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		ctx := t.Context()
		place := "http://video.example/watch?v=CANARY7Ab"
		held, err := h.PlaceHold(ctx, h.South.Officers[0], casework.Holding{Location: place, SHA256: somebytes, Contact: "CANARY contact", Case: "CANARY case"})
		testkit.Must(t, err)
		items := h.Approved(place)
		testkit.Run(t, h.Service)
		h.Status(items[0].Ref, concert.ItemHeld)
		held, err = h.RenewHold(ctx, h.South.Officers[1], held.Ref, held.Version, "CANARY renewal")
		testkit.Must(t, err)
		_, err = h.ReleaseHold(ctx, h.South.Reviewers[0], held.Ref, held.Version, "CANARY release")
		testkit.Must(t, err)
		sent(h, t, items[0].Ref)
		got := holdsOf(h, t, h.South.Officers[1])[0]
		if got.Contact != "CANARY contact" || got.Case != "CANARY case" || got.Hash != somebytes || got.Location.Submitted != place || len(got.Notes) != 2 || got.Notes[0].Reason != "CANARY renewal" || got.Notes[1].Reason != "CANARY release" {
			t.Errorf("the holder reads %+v", got.Hold)
		}
		var bundle bytes.Buffer
		testkit.Must(t, h.Export(ctx, &bundle))
		sum, err := hex.DecodeString(somebytes)
		testkit.Must(t, err)
		dump := tables(t, h)
		for _, secret := range [][]byte{[]byte("CANARY"), []byte("canary"), []byte(somebytes), sum} {
			if bytes.Contains(bundle.Bytes(), secret) {
				t.Errorf("the export holds %q", secret)
			}
			for name, text := range dump {
				if bytes.Contains(text, secret) {
					t.Errorf("%s holds %q", name, secret)
				}
			}
		}
		if len(dump) < 20 || !bytes.Contains(dump["table hold"], []byte(held.Ref)) {
			t.Errorf("only %d tables and files were read, or not as they are", len(dump))
		}
	})
}

// tables is every table's content, and for the embedded database its files.
func tables(t *testing.T, h *testkit.House) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, c := range testkit.Cells(t, testkit.Raw(t, h.Service), h.DB.Dialect()) {
		name := "table " + c.Table
		out[name] = append(append(out[name], 0), c.Text...)
	}
	if h.DB.Dialect() == "sqlite" {
		for _, suffix := range []string{"", "-wal"} {
			text, err := os.ReadFile(testkit.AddressOf(t, h.Service) + suffix)
			testkit.Must(t, err)
			out["file"+suffix] = text
		}
	}
	return out
}

func TestG07OnlyTheHoldersKeyOpensAHold(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		held := h.Hold(h.South.Officers[0], testkit.Page(1), southDesk, "EXERCISE case 7")
		testkit.Must(t, h.DB.View(t.Context(), func(tx *store.Tx) error {
			bare, err := tx.Hold(t.Context(), held.Ref)
			if err != nil || bare.Case != "" || bare.Contact != "" || bare.Location.Canonical != "" {
				t.Errorf("unopened, the hold says %+v, %v", bare, err)
			}
			if own, err := tx.OpenHold(t.Context(), bare, h.South.ID); err != nil || own.Case != "EXERCISE case 7" {
				t.Errorf("the holder: %+v, %v", own, err)
			}
			if other, err := tx.OpenHold(t.Context(), bare, h.North.ID); !errors.Is(err, identity.ErrOpen) || other.Case != "" || other.Location.Canonical != "" {
				t.Errorf("on behalf of another: %+v, %v", other, err)
			}
			bare.Authority = h.North.ID // code that mistakes whose hold it is
			if other, err := tx.OpenHold(t.Context(), bare, h.North.ID); !errors.Is(err, identity.ErrOpen) || other.Case != "" {
				t.Errorf("mistaken for another's: %+v, %v", other, err)
			}
			return nil
		}))
		// What an older program wrote is read on.
		raw := testkit.Raw(t, h.Service)
		_, err := raw.Exec("UPDATE hold SET contact = 'EXERCISE old desk', contact_sealed = NULL, sealed = NULL")
		testkit.Must(t, err)
		if hs := holdsOf(h, t, h.South.Officers[0]); len(hs) != 1 || hs[0].Contact != "EXERCISE old desk" {
			t.Errorf("an old hold reads %+v", hs)
		}
	})
}

func TestG07HoldOnBytesStopsEveryCopy(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		held, err := h.PlaceHold(t.Context(), h.South.Officers[0], casework.Holding{SHA256: strings.ToUpper(somebytes), Contact: southDesk})
		testkit.Must(t, err)
		if _, err := h.PlaceHold(t.Context(), h.South.Officers[0], casework.Holding{SHA256: "abc", Contact: southDesk}); code(err) != "item.sha256" {
			t.Errorf("a short digest: %v", err)
		}
		copies := captured(h, t, somebytes, concert.SeverityRoutine, testkit.Page(1), testkit.Page(2), testkit.Page(3))
		free := h.Approved(testkit.Page(4))
		testkit.Run(t, h.Service)
		for _, it := range copies {
			if v := h.Status(it.Ref, concert.ItemHeld); v.HoldBy != southDesk {
				t.Errorf("contact %q", v.HoldBy)
			}
		}
		sent(h, t, free[0].Ref)
		if got := asked(h, t); got != "dispatch NORTH, dispatch NORTH, dispatch NORTH" {
			t.Errorf("the holder is told of %s", got)
		}
		// One of them stands under a second hold, which outlasts the first.
		place := h.Hold(h.South.Officers[0], testkit.Page(3), "EXERCISE second desk", "")
		_, err = h.ReleaseHold(t.Context(), h.South.Officers[1], held.Ref, held.Version, ground)
		testkit.Must(t, err)
		sent(h, t, copies[0].Ref)
		sent(h, t, copies[1].Ref)
		if v := h.Item(copies[2].Ref); v.Status != concert.ItemHeld || v.HoldBy != "EXERCISE second desk" {
			t.Errorf("under the second hold it is %s, %q", v.Status, v.HoldBy)
		}
		_, err = h.ReleaseHold(t.Context(), h.South.Officers[1], place.Ref, place.Version, ground)
		testkit.Must(t, err)
		sent(h, t, copies[2].Ref)
	})
}

func TestG07ProbingIsPausedAndAlarmed(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		const most = concert.ProbeLeast + 1
		var probes []string
		for n := range most + 4 {
			probes = append(probes, testkit.Page(100+n))
			h.Hold(h.South.Officers[0], probes[n], southDesk, "")
		}
		items := h.Approved(append(probes, testkit.Page(1), testkit.Page(2))...)
		stop := testkit.Run(t, h.Service)
		raw := testkit.Raw(t, h.Service)
		testkit.Await(t, "the pause", func() bool { return testkit.Count(t, raw, "SELECT count(*) FROM alarm WHERE ended_at = 0") == 1 })
		// The provider's other authors go on, and so does a threat to life; the paused author's other items stay.
		souths := h.Approve(h.South.Reviewers[0], h.Assess(h.South.Officers[0], h.Submit(h.South.Officers[0], testkit.Page(300))))
		sent(h, t, souths[0].Ref)
		urgent := captured(h, t, "", concert.SeverityThreat, testkit.Page(400))
		sent(h, t, urgent[0].Ref)
		if held, waiting := standing(h, items, concert.ItemHeld), standing(h, items, concert.ItemApproved); held != most || waiting != len(items)-most {
			t.Errorf("%d items are shown held and %d wait, of %d", held, waiting, len(items))
		}
		if n := testkit.Count(t, raw, "SELECT count(*) FROM event WHERE kind = 'hold.probed'"); n != 1 {
			t.Errorf("%d events of one pause", n)
		}
		if n := testkit.Count(t, raw, "SELECT count(*) FROM hold_asked"); n != most {
			t.Errorf("%d meetings are written down", n)
		}
		// Coordinators and auditors are shown it, holders concerned too, nobody else.
		for _, by := range []concert.Actor{h.Coordinator, h.Auditor} {
			as, _, err := h.Alarms(ctx, testkit.Scope(t, by), "", 10)
			if err != nil || len(as) != 1 || as[0].Kind != concert.AlarmProbed || as[0].By.Unit != "NORTH" || as[0].Met != most || !as[0].EndedAt.IsZero() {
				t.Errorf("%v see %+v, %v", by.Roles, as, err)
			}
		}
		for _, by := range []concert.Actor{h.North.Officers[0], h.South.Reviewers[0], h.Admin, h.Answerer} {
			if _, _, err := h.Alarms(ctx, testkit.Scope(t, by), "", 10); code(err) != "role.missing" {
				t.Errorf("%v see alarms: %v", by.Roles, err)
			}
		}
		var told int
		for _, v := range holdsOf(h, t, h.South.Officers[0]) {
			for _, a := range v.Asked {
				told += len(a.Probed)
			}
		}
		if told != most {
			t.Errorf("at %d of the meetings the holder is told of the alarm", told)
		}
		// Once the window has moved it goes on by itself, until it is too much again.
		stop()
		h.At(day.Add(concert.ProbeWindow+time.Hour), brisk)
		testkit.Run(t, h.Service)
		sent(h, t, items[len(items)-1].Ref)
		testkit.Await(t, "the rest to meet its holds", func() bool { return standing(h, items, concert.ItemHeld) == most+4 })
		as, _, err := h.Alarms(ctx, testkit.Scope(t, h.Coordinator), "", 10)
		if err != nil || len(as) != 1 || as[0].EndedAt.IsZero() || testkit.Count(t, raw, "SELECT count(*) FROM event WHERE kind = 'hold.resumed'") != 1 {
			t.Errorf("afterwards: %+v, %v", as, err)
		}
	})
}

func TestG07RenewedHoldOutlastsItsFirstTerm(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		held := h.Hold(h.South.Officers[0], testkit.Page(1), southDesk, "EXERCISE case 7")
		items := h.Approved(testkit.Page(1))
		stop := testkit.Run(t, h.Service)
		h.Status(items[0].Ref, concert.ItemHeld)
		stop()
		late := day.Add(concert.HoldTerm - time.Hour)
		h.At(late, 1)
		for want, by := range map[string]concert.Actor{"hold.same_person": h.South.Officers[0], "not_found": h.North.Officers[0], "role.missing": h.Person("cora", h.South.Ref, "", concert.RoleCoordinator)} {
			if _, err := h.RenewHold(ctx, by, held.Ref, held.Version, ground); code(err) != want {
				t.Errorf("%v renew: %v, want %s", by.Roles, err, want)
			}
		}
		if _, err := h.RenewHold(ctx, h.South.Officers[1], held.Ref, held.Version+1, ground); code(err) != "stale" {
			t.Errorf("a stale renewal: %v", err)
		}
		held, err := h.RenewHold(ctx, h.South.Officers[1], held.Ref, held.Version, ground)
		testkit.Must(t, err)
		raw := testkit.Raw(t, h.Service)
		clock := "SELECT coalesce(min(due_at), 0) FROM clock WHERE kind = 'hold.expire'"
		// Its first end passes without letting anything go; the clock follows the new one.
		h.At(day.Add(concert.HoldTerm+time.Hour), brisk)
		stop = testkit.Run(t, h.Service)
		testkit.Await(t, "the clock follows the renewal", func() bool { return due(t, raw.QueryRow(clock)).Equal(held.ExpiresAt.Truncate(time.Microsecond)) })
		stop()
		if v := h.Item(items[0].Ref); v.Status != concert.ItemHeld {
			t.Errorf("after the first term it is %s", v.Status)
		}
		h.At(late.Add(concert.HoldTerm+time.Hour), brisk)
		testkit.Run(t, h.Service)
		sent(h, t, items[0].Ref)
		if _, err := h.RenewHold(ctx, h.South.Reviewers[0], held.Ref, held.Version, ground); code(err) != "hold.over" {
			t.Errorf("renewed after its end: %v", err)
		}
	})
}

func TestG07LateHoldOffersWithdrawal(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		items := captured(h, t, somebytes, concert.SeverityRoutine, testkit.Page(1), testkit.Page(2), testkit.Page(3))
		testkit.Run(t, h.Service)
		for _, it := range items {
			sent(h, t, it.Ref)
		}
		remedy(h, t, h.North.Officers[0], items[2].Ref, concert.RemedyWithdrawal)
		h.Submit(h.South.Officers[0], testkit.Page(1))
		_, err := h.PlaceHold(ctx, h.South.Officers[0], casework.Holding{Location: testkit.Page(1), SHA256: somebytes, Contact: southDesk})
		testkit.Must(t, err)
		own, err := h.PlaceHold(ctx, h.North.Officers[0], casework.Holding{SHA256: somebytes, Contact: "EXERCISE desk North"})
		testkit.Must(t, err)
		if hs := holdsOf(h, t, h.North.Officers[0]); len(hs) != 1 || hs[0].Ref != own.Ref || len(hs[0].Asked) != 0 {
			t.Errorf("one's own items came upon one's own hold: %+v", hs)
		}
		if got := asked(h, t); got != "late NORTH, late NORTH" {
			t.Errorf("the holder is told of %s", got)
		}
		for _, a := range holdsOf(h, t, h.South.Officers[0])[0].Asked {
			if a.ReferredAt.IsZero() || a.ReferredAt.After(a.At) {
				t.Errorf("referred at %v, met at %v", a.ReferredAt, a.At)
			}
		}
		v, err := h.ReadItem(ctx, testkit.Scope(t, h.North.Officers[0]), items[0].Ref)
		if err != nil || !v.HoldLate || v.HoldBy != southDesk || v.Status != concert.ItemReferred {
			t.Errorf("the author sees %v %q %s, %v", v.HoldLate, v.HoldBy, v.Status, err)
		}
		if v, err := h.ReadItem(ctx, testkit.Scope(t, h.South.Officers[0]), items[0].Ref); err != nil || v.HoldLate || v.HoldBy != "" {
			t.Errorf("a finder sees %v %q, %v", v.HoldLate, v.HoldBy, err)
		}
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT count(*) FROM event WHERE kind = 'hold.late' AND sealed IS NULL"); n != 2 {
			t.Errorf("%d events of late holds", n)
		}
		remedy(h, t, h.North.Officers[0], items[0].Ref, concert.RemedyWithdrawal)
		if v := h.Item(items[0].Ref); v.HoldLate || v.Status != concert.ItemWithdrawn {
			t.Errorf("withdrawn, it still offers: %v %s", v.HoldLate, v.Status)
		}
	})
}

// held is an item that was assessed so severe, approved, and that a hold of the southern unit stopped.
func heldItem(h *testkit.House, t *testing.T, severity concert.Severity) casework.ItemView {
	t.Helper()
	h.Hold(h.South.Officers[0], testkit.Page(1), southDesk, "EXERCISE case 7")
	items := captured(h, t, "", severity, testkit.Page(1))
	return h.Status(items[0].Ref, concert.ItemHeld)
}

func TestG32OverriddenHoldLetsAThreatToLifePass(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		testkit.Run(t, h.Service)
		v := heldItem(h, t, concert.SeverityThreat)
		for _, c := range []struct {
			by      concert.Actor
			version int64
			reason  string
			want    string
		}{{h.North.Officers[1], v.Version, ground, "role.missing"}, {h.South.Reviewers[0], v.Version, ground, "not_found"}, {h.North.Reviewers[1], v.Version + 1, ground, "stale"}, {h.North.Reviewers[1], v.Version, "quick", "override.reason"}} {
			if _, err := h.OverrideHold(ctx, c.by, v.Ref, c.version, c.reason); code(err) != c.want {
				t.Errorf("%v override: %v, want %s", c.by.Roles, err, c.want)
			}
		}
		_, err := h.OverrideHold(ctx, h.North.Reviewers[1], v.Ref, v.Version, "CANARY: a life is in danger within the hour")
		testkit.Must(t, err)
		sent(h, t, v.Ref)
		// A hold that comes while it is under way does not stop it either; the holders are told.
		if got := asked(h, t); got != "dispatch NORTH, override NORTH" {
			t.Errorf("the holder is told of %s", got)
		}
		for name, text := range tables(t, h) {
			if bytes.Contains(text, []byte("CANARY")) {
				t.Errorf("%s holds the reason in the clear", name)
			}
		}
		seen := h.Item(v.Ref)
		if !seen.Overridden || seen.Override.Reason == "" || !seen.Override.DueAt.Equal(seen.Override.At.Add(concert.OverrideTerm)) {
			t.Errorf("%+v", seen.Override)
		}
		if _, reviews, err := h.Alarms(ctx, testkit.Scope(t, h.Coordinator), "", 10); err != nil || len(reviews) != 1 || reviews[0].ItemRef != v.Ref {
			t.Errorf("to review: %+v, %v", reviews, err)
		}
		for _, c := range []struct {
			by   concert.Actor
			want string
		}{{h.North.Reviewers[0], "override.same_person"}, {h.North.Reviewers[1], "override.same_person"}, {h.North.Officers[0], "role.missing"}, {h.South.Reviewers[0], "not_found"}, {h.Coordinator, ""}, {h.Coordinator, "override.reviewed"}} {
			if _, err := h.ReviewOverride(ctx, c.by, v.Ref, concert.Justified, ground); code(err) != c.want {
				t.Errorf("%v review: %v, want %q", c.by.Roles, err, c.want)
			}
		}
		b, err := h.ReadBoard(ctx, testkit.Scope(t, h.Coordinator), h.Action.Ref)
		if err != nil || b.Totals.Check() != nil || b.Totals[concert.Held] != 0 {
			t.Errorf("the board: %v, %v, %d held", err, b.Totals.Check(), b.Totals[concert.Held])
		}
	})
}

func TestG32MissingReviewRaisesAnAlarm(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.At(day, brisk)
		stop := testkit.Run(t, h.Service)
		v := heldItem(h, t, concert.SeverityThreat)
		_, err := h.OverrideHold(ctx, h.North.Reviewers[1], v.Ref, v.Version, ground)
		testkit.Must(t, err)
		sent(h, t, v.Ref)
		stop()
		raw := testkit.Raw(t, h.Service)
		if n := testkit.Count(t, raw, "SELECT count(*) FROM alarm"); n != 0 {
			t.Errorf("%d alarms before the review is due", n)
		}
		h.At(day.Add(concert.OverrideTerm+time.Hour), brisk)
		testkit.Run(t, h.Service)
		testkit.Await(t, "the alarm", func() bool { return testkit.Count(t, raw, "SELECT count(*) FROM alarm WHERE ended_at = 0") == 1 })
		as, _, err := h.Alarms(ctx, testkit.Scope(t, h.Auditor), "", 10)
		if err != nil || len(as) != 1 || as[0].Kind != concert.AlarmUnreviewed || as[0].ItemRef != v.Ref || testkit.Count(t, raw, "SELECT count(*) FROM event WHERE kind = 'override.unreviewed'") != 1 {
			t.Errorf("%+v, %v", as, err)
		}
		_, err = h.ReviewOverride(ctx, h.Coordinator, v.Ref, concert.Unjustified, ground)
		testkit.Must(t, err)
		if as, _, err = h.Alarms(ctx, testkit.Scope(t, h.Coordinator), "", 10); err != nil || len(as) != 1 || as[0].EndedAt.IsZero() {
			t.Errorf("reviewed late: %+v, %v", as, err)
		}
	})
}

func TestG32NothingLessThanAThreatToLifeIsOverridden(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, brisk)
		testkit.Run(t, h.Service)
		v := heldItem(h, t, concert.SeveritySerious)
		if _, err := h.OverrideHold(t.Context(), h.North.Reviewers[1], v.Ref, v.Version, ground); code(err) != "override.severity" {
			t.Errorf("a serious item: %v", err)
		}
		if v := h.Item(v.Ref); v.Status != concert.ItemHeld || v.Overridden {
			t.Errorf("it is %s", v.Status)
		}
	})
}
