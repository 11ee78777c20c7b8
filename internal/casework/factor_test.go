package casework_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/identity"
	"concert/internal/testkit"
)

const rightPassword = "EXERCISE correct horse 7 staple"

// entered lets somebody in for the first time, with a password, and gives the session.
func entered(t *testing.T, h *testkit.House, login string) (session string, by concert.Actor) {
	t.Helper()
	session, _, err := h.Enter(t.Context(), h.Links[login], h.Codes[login])
	testkit.Must(t, err)
	p, err := h.HalfBearer(t.Context(), session)
	testkit.Must(t, err)
	testkit.Must(t, h.SetPassword(t.Context(), p.Actor(), rightPassword))
	return session, p.Actor()
}

// again is the actor as its session stands now.
func again(t *testing.T, h *testkit.House, session string) concert.Actor {
	t.Helper()
	p, err := h.Bearer(t.Context(), session)
	testkit.Must(t, err)
	return p.Actor()
}

// aged makes the second factor of every session so old.
func aged(t *testing.T, h *testkit.House, by time.Duration) {
	t.Helper()
	_, err := testkit.Raw(t, h.Service).ExecContext(t.Context(), strings.ReplaceAll("UPDATE credential SET proven_at = proven_at - US WHERE proven_at > 0", "US", fmtInt(by.Microseconds())))
	testkit.Must(t, err)
}

func TestWhoeverApprovesExportsOrAdministersEnrolsFirst(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.SecondFactor = concert.FactorRequired
		for login, want := range map[string]string{"North-officer-0": "", "North-reviewer-0": "factor.missing", "coordinator": "factor.missing", "auditor": "factor.missing", "admin": "factor.missing", "answerer": ""} {
			session, _, err := h.Enter(t.Context(), h.Links[login], h.Codes[login])
			testkit.Must(t, err)
			if _, err := h.Bearer(t.Context(), session); code(err) != want {
				t.Errorf("%s goes on: %v, want %q", login, err, want)
			}
		}
		session, by := entered(t, h, "North-reviewer-1")
		setup, err := h.BeginTOTP(t.Context(), by, "EXERCISE telephone")
		testkit.Must(t, err)
		if _, err := h.ConfirmTOTP(t.Context(), by, "000000x"); code(err) != "factor.code" {
			t.Errorf("a wrong first code: %v", err)
		}
		if _, err := h.Bearer(t.Context(), session); code(err) != "factor.missing" {
			t.Errorf("half enrolled: %v", err)
		}
		codes, err := h.ConfirmTOTP(t.Context(), by, testkit.NewTelephone(t, setup.Text).Code())
		if err != nil || len(codes) != concert.RecoveryCodes {
			t.Fatalf("%d recovery codes, %v", len(codes), err)
		}
		if by := again(t, h, session); !by.Way.Fresh(time.Now()) || !by.Way.Enrolled {
			t.Errorf("enrolled: %+v", by.Way)
		}
		var sealed []byte
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRowContext(t.Context(), "SELECT sealed FROM factor").Scan(&sealed))
		if strings.Contains(string(sealed), "telephone") || len(sealed) == 0 {
			t.Error("the secret is not sealed")
		}
		testkit.Must(t, h.PublishLog(t.Context()))
		v, err := h.VerifyLog(t.Context(), nil)
		if err != nil || !v.Verified {
			t.Errorf("the log: %+v, %v", v, err)
		}
	})
}

func TestTheSecondStepTakesEachCodeOnce(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		_, by := entered(t, h, "North-officer-0")
		phone := testkit.Enrol(t, h.Service, by)
		in := func(how string) (casework.Entered, error) {
			e, err := h.LoginFrom(ctx, casework.Caller{Browser: "Firefox"}, "North-officer-0", rightPassword)
			testkit.Must(t, err)
			if !e.Half || e.Device != "" {
				t.Fatalf("a password alone opens: %+v", e)
			}
			if _, err := h.Bearer(ctx, e.Session); code(err) != "factor.second_step" {
				t.Errorf("a half session: %v", err)
			}
			return h.SecondStep(ctx, casework.Caller{}, e.Session, how)
		}
		used := phone.Code()
		e, err := in(used)
		testkit.Must(t, err)
		if e.Half || e.Device == "" || !again(t, h, e.Session).Way.Fresh(time.Now()) {
			t.Errorf("after both: %+v", e)
		}
		if _, err := in(used); code(err) != "factor.code" {
			t.Errorf("the same code again: %v", err)
		}
		paper := phone.Paper()
		if _, err := in(strings.ToLower(paper)); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		if _, err := in(paper); code(err) != "factor.code" {
			t.Errorf("the recovery code again: %v", err)
		}
		if _, left, err := h.Factors(ctx, by); err != nil || left != concert.RecoveryCodes-1 {
			t.Errorf("%d recovery codes left, %v", left, err)
		}
		half, err := h.LoginFrom(ctx, casework.Caller{}, "North-officer-0", rightPassword)
		testkit.Must(t, err)
		whole, err := h.SecondStep(ctx, casework.Caller{}, half.Session, phone.Paper())
		testkit.Must(t, err)
		if _, err := h.HalfBearer(ctx, half.Session); code(err) != "credential.unknown" || whole.Session == half.Session {
			t.Errorf("the half session goes on: %v", err)
		}
		if _, err := h.SecondStep(ctx, casework.Caller{}, whole.Session, phone.Paper()); code(err) != "factor.not_half" {
			t.Errorf("a second step of a whole log-in: %v", err)
		}
	})
}

func TestOneCodeSideBySideIsGoodOnce(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		session, by := entered(t, h, "North-officer-0")
		phone := testkit.Enrol(t, h.Service, by)
		by = again(t, h, session)
		paper := phone.Paper()
		var wg sync.WaitGroup
		good := make(chan bool, 4)
		for range 4 {
			wg.Go(func() { good <- h.StepUp(context.WithoutCancel(t.Context()), by, casework.Caller{}, paper) == nil })
		}
		wg.Wait()
		close(good)
		n := 0
		for ok := range good {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Errorf("one recovery code was good %d times", n)
		}
	})
}

func TestGuardedActsNeedAFreshSecondFactor(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.SecondFactor = concert.FactorRequired
		item := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(1)))[0]
		session, by := entered(t, h, "North-reviewer-0")
		phone := testkit.Enrol(t, h.Service, by)
		decide := func(by concert.Actor, d concert.Decision) error {
			out, err := h.DecideItems(ctx, by, []casework.Deciding{{Item: item.Ref, Version: item.Version, Decision: d, Ground: "EXERCISE"}})
			if err == nil && out[0].Err != nil {
				return out[0].Err
			}
			return err
		}
		aged(t, h, concert.FactorTerm+time.Minute)
		stale := again(t, h, session)
		if err := decide(stale, concert.Approve); code(err) != "factor.stale" {
			t.Errorf("approve with an old factor: %v", err)
		}
		guarded := map[string]func(by concert.Actor) error{
			"export": func(by concert.Actor) error {
				_, err := h.ExportItems(ctx, testkit.Scope(t, by), []string{item.Ref}, concert.ToJudicial, "EXERCISE court", "EXERCISE")
				return err
			},
			"the log":          func(by concert.Actor) error { _, err := h.OpenExport(ctx, testkit.Scope(t, by)); return err },
			"ask for erasure":  func(by concert.Actor) error { return h.AskErasure(ctx, by, item.Ref, item.Version, "", "") },
			"erase":            func(by concert.Actor) error { return h.EraseItem(ctx, by, item.Ref, item.Version) },
			"release a hold":   func(by concert.Actor) error { _, err := h.ReleaseHold(ctx, by, "", 1, ""); return err },
			"pass a hold":      func(by concert.Actor) error { _, err := h.OverrideHold(ctx, by, item.Ref, 1, ""); return err },
			"release dispatch": func(by concert.Actor) error { _, err := h.ReleaseDispatch(ctx, by, ""); return err },
			"make a key":       func(by concert.Actor) error { _, _, err := h.IssueKey(ctx, by, "EXERCISE"); return err },
		}
		for name, act := range guarded {
			if err := act(stale); code(err) != "factor.stale" {
				t.Errorf("%s with an old factor: %v", name, err)
			}
		}
		admin := h.Admin
		admin.Way = stale.Way
		if _, _, err := h.ConfirmPerson(ctx, admin, "auditor", "PP"); code(err) != "factor.stale" {
			t.Errorf("confirm with an old factor: %v", err)
		}
		officer := h.North.Officers[0]
		officer.Way = concert.Way{Kind: concert.WaySession, Policy: concert.FactorRequired}
		if err := guarded["ask for erasure"](officer); code(err) != "factor.missing" {
			t.Errorf("with no factor: %v", err)
		}
		if err := h.StepUp(ctx, stale, casework.Caller{}, "123"); code(err) != "factor.code" {
			t.Errorf("step up with a wrong code: %v", err)
		}
		testkit.Must(t, h.StepUp(ctx, stale, casework.Caller{}, phone.Code()))
		if err := decide(again(t, h, session), concert.Approve); err != nil {
			t.Errorf("approve after stepping up: %v", err)
		}
	})
}

func TestAKeySaysWhatItMayDo(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		items := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2)))
		session, _ := entered(t, h, "North-reviewer-0")
		by := again(t, h, session)
		if _, _, err := h.IssueKey(ctx, by, "EXERCISE", "fly"); code(err) != "key.scope_unknown" {
			t.Errorf("a key for nothing known: %v", err)
		}
		if _, _, err := h.IssueKey(ctx, by, "EXERCISE", concert.PowerKeys); code(err) != "key.scope_unknown" {
			t.Errorf("a key that makes keys: %v", err)
		}
		for i, c := range []struct {
			scopes []concert.Power
			want   string
		}{{nil, "key.scope"}, {[]concert.Power{concert.PowerExport}, "key.scope"}, {[]concert.Power{concert.PowerExport, concert.PowerApprove}, ""}} {
			key, made, err := h.IssueKey(ctx, by, "EXERCISE program", c.scopes...)
			testkit.Must(t, err)
			if len(made.Scopes) != len(c.scopes) {
				t.Errorf("key %d says %v", i, made.Scopes)
			}
			program := again(t, h, key)
			_, err = h.DecideItems(ctx, program, []casework.Deciding{{Item: items[0].Ref, Version: items[0].Version, Decision: concert.Approve}})
			if code(err) != c.want {
				t.Errorf("a key for %v approves: %v", c.scopes, err)
			}
			if _, _, err := h.IssueKey(ctx, program, "EXERCISE"); code(err) != "key.scope" {
				t.Errorf("a key makes a key: %v", err)
			}
			if err := h.StepUp(ctx, program, casework.Caller{}, "123456"); code(err) != "factor.no_session" {
				t.Errorf("a key steps up: %v", err)
			}
		}
		keys, err := h.ListKeys(ctx, by, "")
		if err != nil || len(keys) != 3 || !slices.Equal(keys[2].Scopes, []concert.Power{concert.PowerApprove, concert.PowerExport}) {
			t.Errorf("listed: %+v, %v", keys, err)
		}
	})
}

func TestALostFactorTakesTwoAdministrators(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		for _, login := range []string{"North-reviewer-0", "answerer"} {
			session, by := entered(t, h, login)
			testkit.Enrol(t, h.Service, by)
			if _, _, err := h.ResetFactors(ctx, h.Coordinator, login); code(err) != "role.missing" {
				t.Errorf("a coordinator resets: %v", err)
			}
			link, proposal, err := h.ResetFactors(ctx, h.Admin, login)
			testkit.Must(t, err)
			if _, _, err := h.ConfirmPerson(ctx, h.Admin, login, proposal); code(err) != "person.same_administrator" {
				t.Errorf("one administrator resets alone: %v", err)
			}
			if has, _, err := h.Factors(ctx, by); err != nil || len(has) != 1 {
				t.Errorf("proposed only: %d factors, %v", len(has), err)
			}
			_, half, err := h.ConfirmPerson(ctx, h.SecondAdmin, login, proposal)
			testkit.Must(t, err)
			if has, left, err := h.Factors(ctx, by); err != nil || len(has) != 0 || left != 0 {
				t.Errorf("after the reset: %d factors, %d codes, %v", len(has), left, err)
			}
			if _, err := h.Bearer(ctx, session); code(err) != "credential.unknown" {
				t.Errorf("the old session: %v", err)
			}
			if _, err := h.Login(ctx, login, rightPassword); code(err) != "login.refused" {
				t.Errorf("the old password: %v", err)
			}
			if _, _, err := h.Enter(ctx, testkit.Token(link), "AAAA-AAAA"); code(err) != "login.refused" {
				t.Errorf("the link alone: %v", err)
			}
			if e, err := h.EnterFrom(ctx, casework.Caller{}, testkit.Token(link), half); err != nil || e.Half {
				t.Errorf("link and code: %+v, %v", e, err)
			}
		}
	})
}

func TestFactorsAreAddedAndRemovedWithAFreshOne(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.SecondFactor = concert.FactorRequired
		session, by := entered(t, h, "coordinator")
		phone := testkit.Enrol(t, h.Service, by)
		key := testkit.NewAuthenticator(t, h.BaseURL)
		aged(t, h, concert.FactorTerm+time.Minute)
		by = again(t, h, session)
		if _, err := h.AskNewPasskey(ctx, by, "EXERCISE key"); code(err) != "factor.stale" {
			t.Errorf("another factor with an old one: %v", err)
		}
		factors, _, err := h.Factors(ctx, by)
		testkit.Must(t, err)
		if err := h.RemoveFactor(ctx, by, factors[0].Ref); code(err) != "factor.stale" {
			t.Errorf("removed with an old one: %v", err)
		}
		testkit.Must(t, h.StepUp(ctx, by, casework.Caller{}, phone.Code()))
		by = again(t, h, session)
		if err := h.RemoveFactor(ctx, by, factors[0].Ref); code(err) != "factor.last" {
			t.Errorf("the last one of a coordinator: %v", err)
		}
		if _, err := h.BeginTOTP(ctx, by, "EXERCISE second telephone"); code(err) != "factor.exists" {
			t.Errorf("one-time codes twice: %v", err)
		}
		asked, err := h.AskNewPasskey(ctx, by, "EXERCISE key")
		testkit.Must(t, err)
		if codes, err := h.AddPasskey(ctx, by, "EXERCISE key", asked.Token, key.Register(asked.Options)); err != nil || codes != nil {
			t.Fatalf("add a passkey: %v, %v", codes, err)
		}
		old := phone.Paper()
		codes, err := h.NewRecoveryCodes(ctx, by)
		if err != nil || len(codes) != concert.RecoveryCodes {
			t.Errorf("new recovery codes: %d, %v", len(codes), err)
		}
		if err := h.StepUp(ctx, by, casework.Caller{}, old); code(err) != "factor.code" {
			t.Errorf("an older paper: %v", err)
		}
		if err := h.RemoveFactor(ctx, by, "SF-NONE"); code(err) != concert.ErrNotFound.Code {
			t.Errorf("somebody else's: %v", err)
		}
		testkit.Must(t, h.RemoveFactor(ctx, by, factors[0].Ref))
		factors, left, err := h.Factors(ctx, by)
		if err != nil || len(factors) != 1 || factors[0].Kind != concert.FactorPasskey || factors[0].Name != "EXERCISE key" || left != 10 {
			t.Errorf("left: %+v, %d, %v", factors, left, err)
		}
	})
}

func TestPasskeysLogInAndStepUp(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		session, by := entered(t, h, "North-reviewer-0")
		key, other := testkit.NewAuthenticator(t, h.BaseURL), testkit.NewAuthenticator(t, h.BaseURL)
		ask := func(asked casework.Asked, err error) casework.Asked { t.Helper(); testkit.Must(t, err); return asked }
		a := ask(h.AskNewPasskey(ctx, by, "EXERCISE key"))
		answer := key.Register(a.Options)
		if _, err := h.AddPasskey(ctx, h.Coordinator, "EXERCISE key", a.Token, answer); code(err) != "factor.passkey" {
			t.Errorf("somebody else's question: %v", err)
		}
		codes, err := h.AddPasskey(ctx, by, "EXERCISE key", a.Token, answer)
		if err != nil || len(codes) != concert.RecoveryCodes {
			t.Fatalf("the first passkey: %d codes, %v", len(codes), err)
		}
		if _, err := h.AddPasskey(ctx, by, "EXERCISE key", a.Token, answer); code(err) != "factor.passkey" {
			t.Errorf("the same answer again: %v", err)
		}

		a = ask(h.AskAnyPasskey(ctx))
		answer = key.Answer(a.Options)
		e, err := h.EnterByPasskey(ctx, casework.Caller{}, a.Token, answer)
		if err != nil || e.Half || e.Person.Login != "North-reviewer-0" || !again(t, h, e.Session).Way.Fresh(time.Now()) {
			t.Fatalf("log in with a passkey: %+v, %v", e, err)
		}
		if _, err := h.EnterByPasskey(ctx, casework.Caller{}, a.Token, answer); code(err) != "factor.passkey" {
			t.Errorf("the same answer again: %v", err)
		}
		a = ask(h.AskAnyPasskey(ctx))
		if _, err := h.EnterByPasskey(ctx, casework.Caller{}, a.Token, other.Answer(a.Options)); code(err) != "factor.passkey" {
			t.Errorf("a passkey that nobody registered: %v", err)
		}
		forged := testkit.NewAuthenticator(t, "https://elsewhere.example")
		*forged, forged.Origin = *key, "https://elsewhere.example"
		if _, err := h.EnterByPasskey(ctx, casework.Caller{}, a.Token, forged.Answer(a.Options)); code(err) != "factor.passkey" {
			t.Errorf("an answer given on another site: %v", err)
		}

		half, err := h.LoginFrom(ctx, casework.Caller{}, "North-reviewer-0", rightPassword)
		if err != nil || !half.Half {
			t.Fatalf("the password: %+v, %v", half, err)
		}
		me, err := h.HalfBearer(ctx, half.Session)
		testkit.Must(t, err)
		a = ask(h.AskPasskey(ctx, me.Actor()))
		if _, err := h.EnterByPasskey(ctx, casework.Caller{}, a.Token, key.Answer(a.Options)); code(err) != "factor.passkey" {
			t.Errorf("an answer to another question: %v", err)
		}
		if e, err = h.SecondStepByPasskey(ctx, casework.Caller{}, half.Session, a.Token, key.Answer(a.Options)); err != nil || e.Half {
			t.Errorf("second step by passkey: %+v, %v", e, err)
		}

		aged(t, h, time.Hour)
		by = again(t, h, session)
		a = ask(h.AskPasskey(ctx, by))
		testkit.Must(t, h.StepUpByPasskey(ctx, by, casework.Caller{}, a.Token, key.Answer(a.Options)))
		if !again(t, h, session).Way.Fresh(time.Now()) {
			t.Error("stepping up by passkey proves nothing")
		}
		key.Rewind()
		a = ask(h.AskPasskey(ctx, by))
		if err := h.StepUpByPasskey(ctx, by, casework.Caller{}, a.Token, key.Answer(a.Options)); code(err) != "factor.passkey" {
			t.Errorf("a copied passkey: %v", err)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		first, _ := entered(t, h, "coordinator")
		in := func(browser string) string {
			e, err := h.LoginFrom(ctx, casework.Caller{Browser: browser}, "coordinator", rightPassword)
			testkit.Must(t, err)
			return e.Session
		}
		second, third := in("Firefox on Linux"), in("Safari on macOS")
		list, err := h.Sessions(ctx, again(t, h, second))
		if err != nil || len(list) != 3 || list[0].Browser != "Safari on macOS" || !list[1].Current || list[0].Current || time.Since(list[0].SeenAt) > 2*time.Minute || list[0].SeenAt.Second() != 0 {
			t.Fatalf("listed: %+v, %v", list, err)
		}
		if fresh, err := h.NewLogins(ctx, again(t, h, second)); err != nil || len(fresh) != 1 || fresh[0].ID != list[0].ID {
			t.Errorf("log-ins since: %+v, %v", fresh, err)
		}
		if err := h.EndSession(ctx, h.Admin, list[0].ID); code(err) != concert.ErrNotFound.Code {
			t.Errorf("somebody else's: %v", err)
		}
		ended := func(what string, session string) {
			t.Helper()
			if _, err := h.Bearer(ctx, session); code(err) != "credential.unknown" {
				t.Errorf("%s: %v", what, err)
			}
		}
		testkit.Must(t, h.EndSession(ctx, again(t, h, second), list[0].ID))
		ended("one ended", third)
		testkit.Must(t, h.EndOtherSessions(ctx, again(t, h, second)))
		ended("all others ended", first)
		if _, err := h.EndSessionsOf(ctx, again(t, h, second), "coordinator"); code(err) != "role.missing" {
			t.Errorf("a coordinator ends somebody's: %v", err)
		}
		_, err = h.EndSessionsOf(ctx, h.Admin, "coordinator")
		testkit.Must(t, err)
		ended("ended by an administrator", second)
		for _, c := range []struct{ name, set string }{
			{"idle", "seen_at = seen_at - " + fmtInt(concert.SessionIdle.Microseconds()+60_000_000)},
			{"twelve hours", "expires_at = expires_at - " + fmtInt(concert.SessionTerm.Microseconds())},
		} {
			s := in("")
			if _, err := testkit.Raw(t, h.Service).ExecContext(ctx, "UPDATE credential SET "+c.set+" WHERE kind = 'session'"); err != nil {
				t.Fatal(err)
			}
			ended(c.name, s)
		}
	})
}

func TestOtherRolesEndSessionsOnEveryNode(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		there := testkit.ServiceAt(t, testkit.AddressOf(t, h.Service))
		both := h.Person("both", h.North.Ref, "", concert.RoleOfficer, concert.RoleReviewer)
		enter := func() string {
			e, err := h.LoginFrom(ctx, casework.Caller{}, "both", rightPassword)
			testkit.Must(t, err)
			if p, err := there.Bearer(ctx, e.Session); err != nil || p.ID != both.Person {
				t.Fatalf("on the other node: %v", err)
			}
			return e.Session
		}
		entered(t, h, "both")
		gone := func(what, session string) {
			t.Helper()
			if _, err := there.Bearer(ctx, session); code(err) != "credential.unknown" {
				t.Errorf("%s: on the other node the session goes on: %v", what, err)
			}
		}
		s := enter()
		_, _, err := h.ChangeRoles(ctx, h.Admin, "both", []concert.Role{concert.RoleOfficer}, "")
		testkit.Must(t, err)
		gone("a role taken away", s)
		s = enter()
		_, proposal, err := h.ChangeRoles(ctx, h.Admin, "both", []concert.Role{concert.RoleOfficer, concert.RoleReviewer}, "")
		testkit.Must(t, err)
		if _, err := there.Bearer(ctx, s); err != nil {
			t.Errorf("a proposal alone ends a session: %v", err)
		}
		_, _, err = h.ConfirmPerson(ctx, h.SecondAdmin, "both", proposal)
		testkit.Must(t, err)
		gone("a role more", s)
		s = enter()
		_, err = h.DisablePerson(ctx, h.Admin, "both")
		testkit.Must(t, err)
		gone("disabled", s)
	})
}

func TestWhoeverGuessesFromElsewhereLocksNobodyOut(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		entered(t, h, "coordinator")
		home, elsewhere := casework.Caller{Network: "192.0.2.0/24"}, casework.Caller{Network: "198.51.100.0/24"}
		e, err := h.LoginFrom(ctx, home, "coordinator", rightPassword)
		testkit.Must(t, err)
		guess := func(c casework.Caller, login string) {
			t.Helper()
			for n := 0; identity.LoginWait(n, time.Now(), time.Now()) == 0; n++ {
				if _, err := h.LoginFrom(ctx, c, login, "EXERCISE wrong guess"); code(err) != "login.refused" {
					t.Fatal(err)
				}
			}
		}
		guess(elsewhere, "coordinator")
		if _, err := h.LoginFrom(ctx, elsewhere, "coordinator", rightPassword); code(err) != "login.refused" {
			t.Errorf("the guesser's next try is not slowed: %v", err)
		}
		if _, err := h.LoginFrom(ctx, elsewhere, h.Coordinator.Operator, rightPassword); code(err) != "login.refused" {
			t.Errorf("nor by the account's other name: %v", err)
		}
		if _, err := h.LoginFrom(ctx, home, "coordinator", rightPassword); err != nil {
			t.Errorf("the owner from its own network: %v", err)
		}
		guess(home, "coordinator")
		if _, err := h.LoginFrom(ctx, casework.Caller{Network: home.Network, Device: e.Device}, "coordinator", rightPassword); err != nil {
			t.Errorf("the owner from a device that is known, beside the guesser: %v", err)
		}
		if _, err := h.LoginFrom(ctx, casework.Caller{Network: home.Network, Device: e.Device}, "auditor", rightPassword); code(err) != "login.refused" {
			t.Errorf("a device is known for its own account only: %v", err)
		}
		known := casework.Caller{Network: elsewhere.Network, Device: e.Device}
		guess(known, "coordinator")
		if _, err := h.LoginFrom(ctx, known, "coordinator", rightPassword); code(err) != "login.refused" {
			t.Errorf("a stolen device guesses without end: %v", err)
		}
		// Unknown names are slowed after as many tries, with the same words.
		guess(elsewhere, "nobody-of-this-name")
		var n int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRowContext(ctx, "SELECT max(failed) - min(failed) FROM login_try WHERE failed >= 4").Scan(&n))
		if n != 0 {
			t.Errorf("an unknown name is counted otherwise: by %d", n)
		}
	})
}

func TestGuessesSideBySideAreAllCounted(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := context.WithoutCancel(t.Context())
		entered(t, h, "coordinator")
		var wg sync.WaitGroup
		for range 24 {
			wg.Go(func() {
				if _, err := h.LoginFrom(ctx, casework.Caller{}, "coordinator", "EXERCISE wrong guess"); code(err) != "login.refused" {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var failed int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRowContext(ctx, "SELECT max(failed) FROM login_try").Scan(&failed))
		if failed < 1 || failed > 8 {
			t.Errorf("%d guesses were looked at: 24 at once get no more than 24 in a row would", failed)
		}
	})
}

func fmtInt(n int64) string { return strconv.FormatInt(n, 10) }
