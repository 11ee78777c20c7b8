package casework_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/store"
	"concert/internal/testkit"
)

// monday is a working Monday in Spain and Ireland.
var monday = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

const infringing = "EXERCISE: the made-up video is a report of a made-up news desk, so that the order infringes Art. 1(3)."

// received is an order that its addressee has fetched.
func received(t *testing.T, c *testkit.Competent, place string, silent bool) concert.Order {
	t.Helper()
	d := testkit.Urgent(testkit.Draft(c.Judged(place)))
	if silent {
		d.Silent, d.SilenceGround = true, "EXERCISE: an arrest that is not made yet."
	}
	o := c.Reviewed(d)
	o, err := c.ApproveOrder(t.Context(), c.Issuer, o.Ref, o.Version)
	testkit.Must(t, err)
	return readOrder(t, c, c.Answerer, o.Ref).Order
}

func executed(t *testing.T, c *testkit.Competent, place string, silent bool) concert.Order {
	t.Helper()
	o := received(t, c, place, silent)
	o, err := c.AnswerOrder(t.Context(), c.Answerer, o.Ref, 0, feedback(c.Now()))
	testkit.Must(t, err)
	return o
}

// errorsOf are the lines of the error register about a reference.
func errorsOf(t *testing.T, c *testkit.House, ref string) []concert.ErrorRecord {
	t.Helper()
	all, err := c.ErrorRecords(t.Context(), "", 100)
	testkit.Must(t, err)
	return slices.DeleteFunc(all, func(r concert.ErrorRecord) bool { return r.Ref != ref })
}

// banked enters an item into a bank of the Spanish authority.
func banked(t *testing.T, c *testkit.Competent, item string) concert.BankEntry {
	t.Helper()
	ctx := t.Context()
	b := newBank(c.House, t, c.Second, nil)
	_, err := c.AddCapture(ctx, c.Officer, casework.Capturing{Item: item, Kind: concert.CaptureFile, Vantage: "EXERCISE desk", Bytes: strings.NewReader("EXERCISE: the bytes of a made-up work")})
	testkit.Must(t, err)
	e, err := c.BankItem(ctx, c.Officer, b.Ref, item)
	testkit.Must(t, err)
	return e
}

func bankEntries(t *testing.T, c *testkit.Competent, item concert.ItemID) (standing, ended int) {
	t.Helper()
	testkit.Must(t, c.DB.View(t.Context(), func(tx *store.Tx) error {
		es, err := tx.EntriesOf(t.Context(), item)
		for _, e := range es {
			if e.EndedAt.IsZero() {
				standing++
			} else {
				ended++
			}
		}
		return err
	}))
	return standing, ended
}

// Spain orders, a provider in Ireland removes in twenty minutes, Ireland's authority finds an infringement: the order is void, its
// clocks have ended, the notice to reinstate is on its way, the banks' entry has ended and the register has its line, all in the act's
// own transaction.
func TestG13InfringementVoidsTheOrderAndReinstates(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		c.At(monday, 1)
		c.StopClockAt(monday)
		item := c.Judged(testkit.Page(1))
		entry := banked(t, c, item)
		o := c.Reviewed(testkit.Urgent(testkit.Draft(item)))
		o, err := c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version)
		testkit.Must(t, err)
		// What Ireland scrutinises by is there from the moment of the issue on.
		pack, err := c.ScrutinyPackage(ctx, testkit.Scope(t, c.IrishOfficer), o.Ref)
		testkit.Must(t, err)
		for _, want := range []string{`"format": "concert/scrutiny-package/v1"`, o.Ref, "EXERCISE: a made-up video with a made-up logo.", `"sha256": "`, `"term": "own_scrutiny"`} {
			if !bytes.Contains(pack, []byte(want)) {
				t.Errorf("the scrutiny package lacks %s", want)
			}
		}
		if bytes.Contains(pack, []byte("the bytes of a made-up work")) || !json.Valid(pack) {
			t.Error("the package carries content, or is no JSON")
		}
		if _, err := c.ScrutinyPackage(ctx, testkit.Scope(t, c.South.Officers[0]), o.Ref); code(err) != "not_found" {
			t.Errorf("a stranger takes it: %v", err)
		}
		readOrder(t, c, c.Answerer, o.Ref)
		c.StopClockAt(monday.Add(20 * time.Minute))
		if o, err = c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, feedback(c.Now())); err != nil || o.Status != concert.OrderExecuted {
			t.Fatalf("executed: %s, %v", o.Status, err)
		}
		// A third state scrutinises, too, though not this order.
		third, err := c.AddAuthority(ctx, c.Admin, concert.Authority{Name: "EXERCISE Authority Third", Country: "NL", Kind: concert.KindCompetent, Unit: "CANL", Contact: "EXERCISE desk Third"})
		testkit.Must(t, err)
		c.Office(third, concert.FunctionScrutinise)
		stranger := c.Person("nl-issuer", third.Ref, "", concert.RoleIssuer)
		c.StopClockAt(monday.Add(71 * time.Hour))
		finding := concert.Finding{Outcome: concert.ScrutinyCharter, Category: concert.RemedyProtected, Reasons: infringing}
		for _, x := range []struct {
			name string
			by   concert.Actor
			want string
		}{{"the issuing authority", c.Issuer, "order.scrutiny_function"}, {"another state's authority", stranger, "not_found"}, {"an officer", c.IrishOfficer, "role.missing"}, {"before the issuing authority was told", c.IrishJudge, "order.scrutiny_unintended"}} {
			if _, err := c.DecideScrutiny(ctx, x.by, o.Ref, 0, finding); code(err) != x.want {
				t.Errorf("decided by %s: %v, want %s", x.name, err, x.want)
			}
		}
		_, err = c.IntendScrutiny(ctx, c.IrishOfficer, o.Ref, 0, infringing)
		testkit.Must(t, err)
		if v, err := c.ReadScrutiny(ctx, testkit.Scope(t, c.Officer), o.Ref); err != nil || len(v.Scrutinies) != 1 || v.Scrutinies[0].Intention != infringing || v.May {
			t.Errorf("the issuing authority reads of the intention: %+v, %v", v.Scrutinies, err)
		}
		if n := len(errorsOf(t, c.House, o.Ref)); n != 0 {
			t.Errorf("%d lines in the register before the decision", n)
		}
		began := time.Now()
		if o, err = c.DecideScrutiny(ctx, c.IrishJudge, o.Ref, 0, finding); err != nil || o.Status != concert.OrderVoid {
			t.Fatalf("decided: %s, %v", o.Status, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the decision took %s", took)
		}
		v := readOrder(t, c, c.Officer, o.Ref)
		for _, d := range v.Deadlines {
			if d.State == concert.DeadlineRunning || d.State == concert.DeadlinePaused {
				t.Errorf("%s runs on", d.Term)
			}
		}
		if clockOf(v, concert.TermOwnScrutiny).State != concert.DeadlineMet {
			t.Errorf("own scrutiny: %+v", clockOf(v, concert.TermOwnScrutiny))
		}
		if !slices.ContainsFunc(v.Deliveries, func(d store.Outgoing) bool { return d.Kind == concert.NoticeOrderEnded }) {
			t.Error("its addressee is not told to reinstate")
		}
		if up, ended := bankEntries(t, c, entry.Item); up != 0 || ended != 1 {
			t.Errorf("%d entries of the bank stand, %d ended", up, ended)
		}
		lines := errorsOf(t, c.House, o.Ref)
		if len(lines) != 1 || lines[0].Cause != concert.ErrorVoid || lines[0].Category != concert.RemedyProtected || lines[0].Authority != c.Spain.ID {
			t.Errorf("the register says %+v", lines)
		}
		for _, kind := range []concert.EventKind{concert.EventScrutinised, concert.EventOrderVoided, concert.EventErrorRecorded} {
			if !happened(c.House, t, kind, string(o.ID)) {
				t.Errorf("no %s", kind)
			}
		}
		if _, err := c.AnswerOrder(ctx, c.Answerer, o.Ref, 0, feedback(c.Now())); code(err) != "order.ended" {
			t.Errorf("answered after it is void: %v", err)
		}
		// The provider puts it back, and we see it.
		testkit.Must(t, c.LookAtOrder(ctx, c.IrishOfficer, o.Ref))
		if it := readOrder(t, c, c.Officer, o.Ref).About[0]; it.Observed != concert.ObservedUp {
			t.Errorf("the place was seen %q", it.Observed)
		}
	})
}

// Refused or late, the scrutiny changes nothing; asked for in time, it is decided within 72 hours, or its clock says that it was not.
func TestG13RequestedScrutinyHasItsClocks(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		c.At(monday, 1)
		c.StopClockAt(monday)
		o := received(t, c, testkit.Page(1), false)
		c.StopClockAt(monday.Add(48*time.Hour + time.Second))
		if _, err := c.AskScrutiny(ctx, c.Answerer, o.Ref, infringing); code(err) != "order.scrutiny_late" {
			t.Errorf("asked a second late: %v", err)
		}
		c.StopClockAt(monday.Add(48 * time.Hour))
		_, err := c.AskScrutiny(ctx, c.Answerer, o.Ref, infringing)
		testkit.Must(t, err)
		if _, err := c.AskScrutiny(ctx, c.Answerer, o.Ref, infringing); code(err) != "order.scrutiny_asked" {
			t.Errorf("asked twice: %v", err)
		}
		if d := clockOf(readOrder(t, c, c.Officer, o.Ref), concert.TermScrutiny); d.State != concert.DeadlineRunning || !d.DueAt.Equal(monday.Add(120*time.Hour)) {
			t.Errorf("the request's clock: %+v", d)
		}
		clear := concert.Finding{Outcome: concert.ScrutinyClear, Reasons: "EXERCISE: the statement of reasons carries the order, and no place in it is protected."}
		c.StopClockAt(monday.Add(119 * time.Hour))
		if o, err = c.DecideScrutiny(ctx, c.IrishJudge, o.Ref, 0, clear); err != nil || o.Status != concert.OrderReceived {
			t.Fatalf("no infringement: %s, %v", o.Status, err)
		}
		v := readOrder(t, c, c.Officer, o.Ref)
		if d := clockOf(v, concert.TermScrutiny); d.State != concert.DeadlineMet {
			t.Errorf("decided in time: %+v", d)
		}
		if !slices.ContainsFunc(v.Deliveries, func(d store.Outgoing) bool { return d.Kind == concert.NoticeScrutinised }) {
			t.Error("the asking provider is not told")
		}
		if _, err := c.DecideScrutiny(ctx, c.IrishJudge, o.Ref, 0, clear); code(err) != "order.scrutiny_over" {
			t.Errorf("decided twice: %v", err)
		}
		if n := len(errorsOf(t, c.House, o.Ref)); n != 0 {
			t.Errorf("%d errors recorded of an order without one", n)
		}
		// On its own motion: not after 72 hours.
		c.StopClockAt(monday.Add(200 * time.Hour))
		own := received(t, c, testkit.Page(2), false)
		c.StopClockAt(monday.Add(272*time.Hour + time.Second))
		if _, err := c.IntendScrutiny(ctx, c.IrishOfficer, own.Ref, 0, infringing); code(err) != "order.scrutiny_over" {
			t.Errorf("on its own motion after 72 hours: %v", err)
		}
		c.StopClockAt(monday.Add(272 * time.Hour))
		_, err = c.IntendScrutiny(ctx, c.IrishJudge, own.Ref, 0, infringing)
		testkit.Must(t, err)
		if _, err := c.DecideScrutiny(ctx, c.IrishJudge, own.Ref, 0, concert.Finding{Outcome: concert.ScrutinyRegulation, Category: concert.RemedyProcedure, Reasons: infringing}); code(err) != "order.scrutiny_own" {
			t.Errorf("one person alone: %v", err)
		}
		if _, err := testkit.Raw(t, c.Service).Exec("UPDATE scrutiny SET outcome = 'infringes_charter', decided_by = intended_by WHERE outcome = ''"); err == nil {
			t.Error("the table takes an infringement that one person infringing alone")
		}
	})
}

func TestOrderIsFinalOnlyWhenNobodyMayAppeal(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		ctx := t.Context()
		c.At(monday, 1)
		c.StopClockAt(monday)
		o := executed(t, c, testkit.Page(1), false)
		if _, err := c.FinaliseOrder(ctx, c.Issuer, o.Ref, 0); code(err) != "order.appealable" {
			t.Errorf("final at once: %v", err)
		}
		c.StopClockAt(monday.AddDate(0, 1, 0))
		a, err := c.AppealOrder(ctx, c.Issuer, o.Ref, 0, concert.Appeal{Party: concert.RedressProvider, FiledAt: monday.AddDate(0, 0, 20), AppealText: concert.AppealText{Court: "EXERCISE Court"}})
		testkit.Must(t, err)
		c.StopClockAt(monday.AddDate(0, 3, 0))
		if _, err := c.FinaliseOrder(ctx, c.Issuer, o.Ref, 0); code(err) != "order.appealed" {
			t.Errorf("final while an appeal is pending: %v", err)
		}
		judged := casework.Judgment{Appeal: a.Ref, Outcome: concert.AppealRejected, Reasons: "EXERCISE: the court finds the order lawful.", At: monday.AddDate(0, 2, 20)}
		if o, err = c.DecideAppeal(ctx, c.Issuer, o.Ref, 0, judged); err != nil || o.Status != concert.OrderFinal {
			t.Errorf("confirmed: %s, %v", o.Status, err)
		}
		second := executed(t, c, testkit.Page(2), false)
		a, err = c.AppealOrder(ctx, c.Issuer, second.Ref, 0, concert.Appeal{Party: concert.RedressContent, FiledAt: c.Now(), AppealText: concert.AppealText{Court: "EXERCISE Court"}})
		testkit.Must(t, err)
		judged = casework.Judgment{Appeal: a.Ref, Outcome: concert.AppealUpheld, Category: concert.RemedyNotTerrorist, Reasons: "EXERCISE: the court finds no terrorist content.", At: c.Now()}
		if second, err = c.DecideAppeal(ctx, c.Issuer, second.Ref, 0, judged); err != nil || second.Status != concert.OrderVoid || len(errorsOf(t, c.House, second.Ref)) != 1 {
			t.Errorf("upheld: %s, %v", second.Status, err)
		}
		third := executed(t, c, testkit.Page(3), false)
		c.StopClockAt(c.Now().AddDate(0, 2, 4))
		if third, err = c.FinaliseOrder(ctx, c.Issuer, third.Ref, 0); err != nil || third.Status != concert.OrderFinal {
			t.Errorf("lapsed: %s, %v", third.Status, err)
		}
	})
}
