package casework_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/testkit"
)

// threatened is a sound report.
func threatened(now time.Time, states ...string) casework.ThreatReport {
	r := casework.ThreatReport{Kind: concert.ThreatAnnounced, States: states, Content: concert.ThreatDisabled, Preserved: true, SeenAt: now, ThreatText: concert.ThreatText{Places: []string{testkit.Page(7)},
		Description: "EXERCISE: somebody who does not exist announces an attack for tonight.", Contact: "EXERCISE Night Desk", Telephone: "+000 EXERCISE"}}
	if len(states) == 0 {
		r.Unknown = "EXERCISE: nothing there says in which state it is."
	}
	return r
}

// whom is whom a report went to, as names and reasons.
func whom(v casework.ThreatView) []string {
	var out []string
	for _, c := range v.Copies {
		name := c.Of.Name
		if c.Authority == "" {
			name = "coordinators"
		}
		out = append(out, name+" "+string(c.Why)+" "+string(c.ThreatCopy.Status))
	}
	slices.Sort(out)
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func scopeOf(t *testing.T, by concert.Actor) concert.Scope {
	t.Helper()
	why := ""
	if by.Provider == "" {
		why = "EXERCISE of a threat to life"
	}
	s, err := concert.NewScope(by, why)
	testkit.Must(t, err)
	return s
}

// A report goes to the authority of each state concerned at the same moment; where none can be told, or none is there, to that of the
// provider's state and to the coordinators. The receipt, the copies and the mails that alarm are one transaction.
func TestG32ThreatGoesToEachStateAndIsNeverLost(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		c := testkit.FurnishCompetent(t, s)
		raw := testkit.Raw(t, s)
		for _, x := range []struct {
			states, to []string
		}{
			{[]string{"ES"}, []string{"EXERCISE Authority Spain state_concerned received"}},
			{[]string{"es", "IE", "ES"}, []string{"EXERCISE Authority Spain state_concerned received", "EXERCISE Authority Ireland state_concerned received"}},
			{[]string{"XN"}, []string{"EXERCISE Unit North state_concerned received"}},
			{[]string{"ES", "PL"}, []string{"EXERCISE Authority Spain state_concerned received", "EXERCISE Authority Ireland contact_point received", "coordinators coordinators received"}},
			{nil, []string{"EXERCISE Authority Ireland contact_point received", "coordinators coordinators received"}},
		} {
			var mails int
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM office_mail").Scan(&mails))
			v, err := s.ReportThreat(t.Context(), c.Reader, threatened(s.Now(), x.states...))
			testkit.Must(t, err)
			same(t, strings.Join(x.states, " "), whom(v), x.to)
			if len(v.Receipt.Commit) != 64 || v.Receipt.Event == "" || v.ReceivedAt.IsZero() {
				t.Errorf("the receipt: %+v", v.Receipt)
			}
			var more, copies, batches int
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM office_mail").Scan(&more))
			testkit.Must(t, raw.QueryRow(strings.Replace("SELECT count(DISTINCT e.at), count(DISTINCT c.received_at) FROM event e JOIN threat_copy c ON c.threat = e.subject WHERE e.kind = 'threat.received' AND e.subject = '?'", "?", string(v.ID), 1)).Scan(&batches, &copies))
			if more-mails != len(x.to) || copies != 1 {
				t.Errorf("%v: %d mails for %d copies, at %d moments", x.states, more-mails, len(x.to), copies)
			}
		}
		// A provider of a state without an authority, itself unknown: the coordinators alone.
		testkit.Must(t, s.SeatProvider(t.Context(), c.Admin, c.Pulled.Ref, concert.Seat{Establishment: "LU"}))
		v, err := s.ReportThreat(t.Context(), c.Puller, threatened(s.Now()))
		testkit.Must(t, err)
		same(t, "from nowhere", whom(v), []string{"coordinators coordinators received"})
	})
}

// Where the receipt cannot be given, nobody is alarmed, and where nobody can be alarmed there is no receipt: one transaction.
func TestG32ReceiptAndAlarmAreTrueTogether(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		c := testkit.FurnishCompetent(t, s)
		raw := testkit.Raw(t, s)
		_, err := raw.Exec("ALTER TABLE office_mail RENAME TO office_mail_away")
		testkit.Must(t, err)
		if _, err := s.ReportThreat(t.Context(), c.Reader, threatened(s.Now(), "ES")); err == nil {
			t.Error("a receipt without an alarm")
		}
		var n int
		testkit.Must(t, raw.QueryRow("SELECT (SELECT count(*) FROM life_threat) + (SELECT count(*) FROM threat_copy) + (SELECT count(*) FROM event WHERE kind = 'threat.received')").Scan(&n))
		if n != 0 {
			t.Errorf("%d rows are left of it", n)
		}
	})
}

// Who it went to reads it, with a reason that is recorded; its provider reads its own; nobody else learns that it is there.
func TestG19ThreatIsReadByThoseWhomItWentTo(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		ctx := t.Context()
		c := testkit.FurnishCompetent(t, s)
		v, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
		testkit.Must(t, err)
		for name, by := range map[string]concert.Actor{"officer": c.Officer, "issuer": c.Issuer, "reporter": c.Answerer, "colleague": c.Reader, "auditor": c.Auditor} {
			if got, err := s.ReadThreat(ctx, scopeOf(t, by), v.Ref); err != nil || got.Description != v.Description {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, by := range map[string]concert.Actor{"another authority": c.IrishOfficer, "another unit": c.North.Officers[0], "another provider": c.Puller, "coordinator": c.Coordinator} {
			if _, err := s.ReadThreat(ctx, scopeOf(t, by), v.Ref); !errors.Is(err, concert.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if list, err := s.Threats(ctx, scopeOf(t, by), ""); err == nil && len(list) > 0 {
				t.Errorf("%s lists it", name)
			}
			if by.Provider == "" {
				if _, err := s.TakeThreat(ctx, by, v.Ref, 0); !errors.Is(err, concert.ErrNotFound) {
					t.Errorf("%s takes it: %v", name, err)
				}
			}
		}
		mute, err := concert.NewScope(c.Officer, "")
		testkit.Must(t, err)
		if _, err := s.ReadThreat(ctx, mute, v.Ref); code(err) != "scope.justification" {
			t.Errorf("without a justification: %v", err)
		}
		var n int
		testkit.Must(t, testkit.Raw(t, s).QueryRow("SELECT count(*) FROM event WHERE kind = 'consulted' AND body LIKE '%\"what\":\"threat\"%'").Scan(&n))
		if n < 3 {
			t.Errorf("%d readings are recorded", n)
		}
		taken, err := s.TakeThreat(ctx, c.Officer, v.Ref, 0)
		if err != nil || taken.Description != "" || taken.Status != concert.ThreatTaken {
			t.Errorf("taking shows %q of it (%v)", taken.Description, err)
		}
	})
}

// Taken, passed on with a reason, taken there and closed with a word to the provider; each act refuses whom it must.
func TestG32ThreatIsTakenPassedAndClosed(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		ctx := t.Context()
		c := testkit.FurnishCompetent(t, s)
		v, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
		testkit.Must(t, err)
		alarmed := func(by concert.Actor) bool {
			as, err := s.ThreatAlarms(ctx, by)
			testkit.Must(t, err)
			return slices.ContainsFunc(as, func(a casework.ThreatAlarm) bool { return a.Ref == v.Ref })
		}
		for range 25 { // however many wait, one that comes in is told
			_, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
			testkit.Must(t, err)
		}
		newest, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
		testkit.Must(t, err)
		if as, err := s.ThreatAlarms(ctx, c.Officer); err != nil || len(as) == 0 || as[0].Ref != newest.Ref {
			t.Errorf("of 27 that wait the first on the page is %v, %v", as[0].Ref, err)
		}
		for range 26 {
			as, err := s.ThreatAlarms(ctx, c.Officer)
			testkit.Must(t, err)
			if as[0].Ref == v.Ref {
				break
			}
			_, err = s.TakeThreat(ctx, c.Officer, as[0].Ref, 0)
			testkit.Must(t, err)
		}
		if !alarmed(c.Officer) || !alarmed(c.Issuer) || alarmed(c.IrishOfficer) || alarmed(c.Answerer) {
			t.Error("not those are alarmed whom it went to")
		}
		if _, err := s.CloseThreat(ctx, c.Officer, v.Ref, 0, concert.ThreatNone, "EXERCISE: nothing is in it."); code(err) != "threat.untaken" {
			t.Errorf("closed before it was taken: %v", err)
		}
		if _, err := s.TakeThreat(ctx, c.Officer, v.Ref, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.TakeThreat(ctx, c.Second, v.Ref, 0); code(err) != "threat.taken" {
			t.Errorf("taken twice: %v", err)
		}
		if alarmed(c.Officer) {
			t.Error("it alarms though it was taken")
		}
		if _, err := s.PassThreat(ctx, c.Officer, v.Ref, 0, "IE", "short"); code(err) != "threat.reason" {
			t.Errorf("passed without a reason: %v", err)
		}
		if _, err := s.PassThreat(ctx, c.Officer, v.Ref, 0, "ES", "EXERCISE: it is ours after all."); code(err) != "threat.self" {
			t.Errorf("passed to itself: %v", err)
		}
		if _, err := s.PassThreat(ctx, c.Officer, v.Ref, 1, "IE", "EXERCISE: the square is in Ireland."); !errors.Is(err, concert.ErrStale) {
			t.Errorf("of a version that is no more: %v", err)
		}
		_, err = s.PassThreat(ctx, c.Officer, v.Ref, 0, "IE", "EXERCISE: the square is in Ireland.")
		testkit.Must(t, err)
		got, err := s.ReadThreat(ctx, scopeOf(t, c.IrishOfficer), v.Ref)
		if err != nil || got.Mine == nil || got.Mine.Reason != "EXERCISE: the square is in Ireland." || !alarmed(c.IrishOfficer) {
			t.Fatalf("Ireland has %+v, %v", got.Mine, err)
		}
		if own, err := s.ReadThreat(ctx, scopeOf(t, c.Answerer), v.Ref); err != nil || slices.ContainsFunc(own.Copies, func(x casework.ThreatCopyView) bool { return x.Reason != "" || x.Operator != "" }) {
			t.Errorf("the provider reads what authorities say to each other: %v", err)
		}
		// Back again, and on to a state that has nobody here: the coordinators have it then.
		_, err = s.PassThreat(ctx, c.IrishOfficer, v.Ref, 0, c.Spain.Ref, "EXERCISE: it is in Spain after all.")
		testkit.Must(t, err)
		if !alarmed(c.Officer) {
			t.Error("passed back, it alarms nobody")
		}
		_, err = s.PassThreat(ctx, c.Officer, v.Ref, 0, "PL", "EXERCISE: the train goes to Poland.")
		testkit.Must(t, err)
		if !alarmed(c.Coordinator) {
			t.Error("a state without an authority: nobody is alarmed")
		}
		_, err = s.TakeThreat(ctx, c.Coordinator, v.Ref, 0)
		testkit.Must(t, err)
		closed, err := s.CloseThreat(ctx, c.Coordinator, v.Ref, 0, concert.ThreatActed, "EXERCISE: the train was met. Thank you.")
		if err != nil || closed.Status != concert.ThreatClosed {
			t.Fatalf("%s, %v", closed.Status, err)
		}
		own, err := s.ReadThreat(ctx, scopeOf(t, c.Reader), v.Ref)
		if err != nil || !slices.ContainsFunc(own.Copies, func(x casework.ThreatCopyView) bool {
			return x.Word == "EXERCISE: the train was met. Thank you." && x.Outcome == concert.ThreatActed
		}) {
			t.Errorf("the provider has no word: %+v, %v", own.Copies, err)
		}
	})
}

// Nobody takes it: its people are alarmed again after a quarter of an hour and after the hour, each once, and then the coordinators have
// it too, whatever the node did meanwhile.
func TestG32ThreatAlarmsAgainUntilSomebodyTakesIt(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		ctx := t.Context()
		c := testkit.FurnishCompetent(t, s)
		raw := testkit.Raw(t, s)
		start := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		c.StopClockAt(start)
		v, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
		testkit.Must(t, err)
		late, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "IE"))
		testkit.Must(t, err)
		told := func(ref string) (kinds []string) {
			rows, err := raw.Query(strings.Replace("SELECT kind FROM office_mail WHERE ref = '?' ORDER BY id", "?", ref, 1))
			testkit.Must(t, err)
			defer rows.Close()
			for rows.Next() {
				var k string
				testkit.Must(t, rows.Scan(&k))
				kinds = append(kinds, k)
			}
			return kinds
		}
		tick := func(after time.Duration) {
			c.StopClockAt(start.Add(after))
			testkit.Must(t, c.FireThreats(ctx))
		}
		tick(14 * time.Minute)
		if got := told(v.Ref); !slices.Equal(got, []string{"threat"}) {
			t.Errorf("after 14 minutes: %v", got)
		}
		tick(15 * time.Minute)
		tick(16 * time.Minute)
		if got := told(v.Ref); !slices.Equal(got, []string{"threat", "threat_waits"}) {
			t.Errorf("after 15 minutes: %v", got)
		}
		_, err = s.TakeThreat(ctx, c.IrishOfficer, late.Ref, 0)
		testkit.Must(t, err)
		tick(60 * time.Minute)
		tick(61 * time.Minute)
		if got := told(v.Ref); !slices.Equal(got, []string{"threat", "threat_waits", "threat_missed", "threat"}) {
			t.Errorf("after the hour: %v", got)
		}
		if got := told(late.Ref); !slices.Equal(got, []string{"threat", "threat_waits"}) {
			t.Errorf("of what was taken: %v", got)
		}
		got, err := s.ReadThreat(ctx, scopeOf(t, c.Coordinator), v.Ref)
		testkit.Must(t, err)
		same(t, "after the hour", whom(got), []string{"EXERCISE Authority Spain state_concerned received", "coordinators untaken received"})
		// A node that was down tells the last alarm alone; the log has both.
		down, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
		testkit.Must(t, err)
		tick(4 * time.Hour)
		if got := told(down.Ref); !slices.Equal(got, []string{"threat", "threat_missed", "threat"}) {
			t.Errorf("after the outage: %v", got)
		}
		var n int
		testkit.Must(t, raw.QueryRow(strings.Replace("SELECT count(*) FROM event WHERE kind = 'threat.alarmed' AND subject = '?'", "?", string(down.ID), 1)).Scan(&n))
		if n != 2 {
			t.Errorf("%d alarms in the log", n)
		}
	})
}

// Six months after the last one closed it, what was written is gone, in the events too, and what happened still stands in the log.
func TestG22ThreatIsErasedAfterItsTerm(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		ctx := t.Context()
		c := testkit.FurnishCompetent(t, s)
		raw := testkit.Raw(t, s)
		start := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		c.StopClockAt(start)
		v, err := s.ReportThreat(ctx, c.Answerer, threatened(s.Now(), "ES"))
		testkit.Must(t, err)
		_, err = s.TakeThreat(ctx, c.Officer, v.Ref, 0)
		testkit.Must(t, err)
		sealed := func() (n int) {
			testkit.Must(t, raw.QueryRow(strings.Replace("SELECT count(*) FROM event WHERE subject = '?' AND sealed IS NOT NULL", "?", string(v.ID), 1)).Scan(&n))
			return n
		}
		c.StopClockAt(start.AddDate(1, 0, 0))
		testkit.Must(t, c.FireThreats(ctx))
		if sealed() == 0 {
			t.Error("erased while somebody has it in hand")
		}
		_, err = s.CloseThreat(ctx, c.Officer, v.Ref, 0, concert.ThreatKnown, "EXERCISE: it was known.")
		testkit.Must(t, err)
		c.StopClockAt(start.AddDate(1, 6, -1))
		testkit.Must(t, c.FireThreats(ctx))
		if sealed() == 0 {
			t.Error("erased too early")
		}
		testkit.Must(t, s.PublishLog(ctx))
		c.StopClockAt(start.AddDate(1, 6, 1))
		testkit.Must(t, c.FireThreats(ctx))
		if n := sealed(); n != 0 {
			t.Errorf("%d events are still sealed, so readable", n)
		}
		got, err := s.ReadThreat(ctx, scopeOf(t, c.Officer), v.Ref)
		if err != nil || got.Description != "" || len(got.Places) != 0 || got.ErasedAt.IsZero() || got.Mine.Word != "" {
			t.Errorf("what is left: %+v, %v", got.LifeThreat, err)
		}
		if _, err := s.PassThreat(ctx, c.Officer, v.Ref, 0, "IE", "EXERCISE: it is over."); code(err) != "threat.erased" {
			t.Errorf("passed once erased: %v", err)
		}
		var key int
		if err := raw.QueryRow(strings.Replace("SELECT 1 FROM subject_key WHERE subject = '?'", "?", string(v.ID), 1)).Scan(&key); err == nil {
			t.Errorf("its key: %v", err)
		}
	})
}

// Nothing that somebody wrote stands in the clear, in a row or in an event.
func TestG21ThreatsTextIsNowhereInTheClear(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, s *casework.Service) {
		ctx := t.Context()
		c := testkit.FurnishCompetent(t, s)
		in := threatened(s.Now(), "ES")
		in.Description, in.Contact, in.Places = "EXERCISE clearword description", "EXERCISE clearword person", []string{"EXERCISE clearword place"}
		v, err := s.ReportThreat(ctx, c.Answerer, in)
		testkit.Must(t, err)
		_, err = s.TakeThreat(ctx, c.Officer, v.Ref, 0)
		testkit.Must(t, err)
		_, err = s.PassThreat(ctx, c.Officer, v.Ref, 0, "IE", "EXERCISE clearword reason")
		testkit.Must(t, err)
		_, err = s.TakeThreat(ctx, c.IrishOfficer, v.Ref, 0)
		testkit.Must(t, err)
		_, err = s.CloseThreat(ctx, c.IrishOfficer, v.Ref, 0, concert.ThreatActed, "EXERCISE clearword word")
		testkit.Must(t, err)
		raw := testkit.Raw(t, s)
		for _, q := range []string{"SELECT count(*) FROM event WHERE body LIKE '%clearword%'", "SELECT count(*) FROM life_threat WHERE kind || states || content LIKE '%clearword%'"} {
			var n int
			testkit.Must(t, raw.QueryRow(q).Scan(&n))
			if n > 0 {
				t.Errorf("%s: %d", q, n)
			}
		}
		rows, err := raw.Query("SELECT sealed FROM life_threat UNION ALL SELECT sealed FROM threat_copy UNION ALL SELECT sealed FROM event WHERE kind LIKE 'threat.%' AND sealed IS NOT NULL")
		testkit.Must(t, err)
		defer rows.Close()
		n := 0
		for rows.Next() {
			var b []byte
			testkit.Must(t, rows.Scan(&b))
			if n++; strings.Contains(string(b), "clearword") {
				t.Error("a sealed part is readable")
			}
		}
		if n < 5 {
			t.Errorf("%d sealed parts", n)
		}
	})
}
