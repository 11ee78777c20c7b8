package casework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/store"
	"concert/internal/testkit"
)

// consulted are the bodies of all recorded readings, oldest first, with proof that no justification stands in the clear.
func consulted(t *testing.T, h *testkit.House) []concert.ConsultedBody {
	t.Helper()
	rows, err := testkit.Raw(t, h.Service).Query("SELECT body, sealed, subject FROM event WHERE kind = 'consulted' ORDER BY id")
	testkit.Must(t, err)
	defer rows.Close()
	var out []concert.ConsultedBody
	for rows.Next() {
		var body, subject string
		var sealed []byte
		testkit.Must(t, rows.Scan(&body, &sealed, &subject))
		var b concert.ConsultedBody
		testkit.Must(t, json.Unmarshal([]byte(body), &b))
		if len(sealed) == 0 || bytes.Contains(sealed, []byte(testkit.Why)) || strings.Contains(body, testkit.Why) || subject != string(b.Person) {
			t.Errorf("recorded for %s as %s with %d sealed bytes", subject, body, len(sealed))
		}
		out = append(out, b)
	}
	testkit.Must(t, rows.Err())
	return out
}

// reading is one way to open sealed data; it gives what was shown, "" for nothing.
type reading struct {
	what string
	body concert.ConsultedBody // as it is recorded, without the reader
	read func(concert.Scope) (string, error)
	only []concert.Role // whose it is; nil for everybody's on the authorities' side
}

// readings are the ways to open what of an item, its list, a hold on it and its referral is sealed.
func readings(t *testing.T, h *testkit.House, item, referral string) []reading {
	ctx := t.Context()
	status := h.Item(item).Status // time runs fast, so that it may have been looked at again by now
	return []reading{
		{"item", concert.ConsultedBody{What: concert.ReadOneItem, Ref: item, Count: 1}, func(s concert.Scope) (string, error) {
			v, err := h.ReadItem(ctx, s, item)
			return v.Location.Submitted, err
		}, nil},
		{"list", concert.ConsultedBody{What: concert.ReadItemList, Filter: string(status), Count: 1}, func(s concert.Scope) (string, error) {
			vs, err := h.ListItems(ctx, s, casework.ItemQuery{Status: status, Limit: 10})
			return strings.Repeat("x", len(vs)), err
		}, nil},
		{"approvals", concert.ConsultedBody{What: concert.ReadApprovals}, func(s concert.Scope) (string, error) {
			as, err := h.SearchApprovals(ctx, s, concert.ItemSearch{}, "", concert.Page{Limit: 10})
			return strings.Repeat("x", len(as.Rows)), err
		}, []concert.Role{concert.RoleReviewer}},
		{"second looks", concert.ConsultedBody{What: concert.ReadSecondLooks}, func(s concert.Scope) (string, error) {
			ls, err := h.ListSecondLooks(ctx, s)
			return strings.Repeat("x", len(ls.Waiting)), err
		}, []concert.Role{concert.RoleOfficer, concert.RoleReviewer}},
		{"holds", concert.ConsultedBody{What: concert.ReadHolds, Count: 1}, func(s concert.Scope) (string, error) {
			hs, err := h.Holds(ctx, s, "", 10)
			return strings.Repeat("x", len(hs)), err
		}, []concert.Role{concert.RoleOfficer, concert.RoleReviewer}},
		{"referral", concert.ConsultedBody{What: concert.ReadReferral, Ref: referral, Count: 1}, func(s concert.Scope) (string, error) {
			v, err := h.ReadReferral(ctx, s, referral)
			return strings.Repeat("x", len(v.Items)), err
		}, nil},
	}
}

func TestG19EveryReadingOfSealedDataIsRecordedBeforeTheAnswer(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		items := h.Approved(testkit.Sound(1))
		h.At(h.Now(), swift)
		_, err := h.PlaceHold(t.Context(), h.North.Officers[0], casework.Holding{Location: testkit.Page(7), Contact: "EXERCISE desk", Case: "EXERCISE case 7"})
		testkit.Must(t, err)
		stop := testkit.Run(t, h.Service)
		referral := sent(h, t, items[0].Ref)
		stop()
		ways := readings(t, h, items[0].Ref, referral)
		for _, by := range []concert.Actor{h.North.Officers[0], h.North.Reviewers[0], h.Coordinator, h.Auditor} {
			for _, way := range ways {
				if way.only != nil && by.Need(way.only...) != nil {
					continue
				}
				before := len(consulted(t, h))
				for _, why := range []string{"", "because", " nine  ch "} {
					scope, err := concert.NewScope(by, why)
					if err == nil {
						var shown string
						if shown, err = way.read(scope); shown != "" {
							t.Errorf("%v is shown the %s for %q", by.Roles, way.what, why)
						}
					}
					if code(err) != "scope.justification" {
						t.Errorf("%v reads the %s for %q: %v", by.Roles, way.what, why, err)
					}
				}
				if n := len(consulted(t, h)); n != before {
					t.Fatalf("%v: refused readings of the %s were recorded", by.Roles, way.what)
				}
				shown, err := way.read(testkit.Scope(t, by))
				want := way.body
				want.Person = by.Person
				got := consulted(t, h)
				if len(got) == 0 {
					t.Fatalf("%v reads the %s and nothing is recorded", by.Roles, way.what)
				}
				if err != nil || (shown == "") != (want.Count == 0) || len(got) != before+1 || fmt.Sprint(got[before]) != fmt.Sprint(want) {
					t.Errorf("%v reads the %s: %q, %v, recorded %d times, last %+v, want %+v", by.Roles, way.what, shown, err, len(got)-before, got[len(got)-1], want)
				}
			}
		}
		// Whoever finds nothing has asked all the same; what was typed is kept only where it is a reference.
		before := len(consulted(t, h))
		for _, c := range []struct {
			by  concert.Actor
			ref string
			as  string
		}{{h.South.Officers[0], items[0].Ref, items[0].Ref}, {h.North.Officers[0], "EXERCISE Jane Doe", ""}} {
			if _, err := h.ReadItem(t.Context(), testkit.Scope(t, c.by), c.ref); !errors.Is(err, concert.ErrNotFound) {
				t.Errorf("%s: %v", c.ref, err)
			}
			got := consulted(t, h)
			if last := got[len(got)-1]; len(got) != before+1 || last.Ref != c.as || last.Count != 0 {
				t.Errorf("%s is recorded as %+v", c.ref, last)
			}
			before++
		}
		// A provider reads what was addressed to it: the ladder is its record.
		provider, err := concert.NewScope(h.Puller, "")
		testkit.Must(t, err)
		if v, err := h.ReadReferral(t.Context(), provider, referral); err != nil || len(v.Items) != 1 {
			t.Errorf("the provider reads %d items, %v", len(v.Items), err)
		}
		if _, err := h.ReadItem(t.Context(), provider, items[0].Ref); !errors.Is(err, concert.ErrNotFound) {
			t.Errorf("a provider reads an item: %v", err)
		}
		for what, err := range map[string]error{
			"item":  func() error { _, err := h.ReadItem(t.Context(), concert.Scope{}, items[0].Ref); return err }(),
			"list":  func() error { _, err := h.ListItems(t.Context(), concert.Scope{}, casework.ItemQuery{}); return err }(),
			"board": func() error { _, err := h.ReadBoard(t.Context(), concert.Scope{}, h.Action.Ref); return err }(),
			"holds": func() error { _, err := h.Holds(t.Context(), concert.Scope{}, "", 10); return err }(),
		} {
			if code(err) != "scope.nobody" {
				t.Errorf("nobody reads the %s: %v", what, err)
			}
		}
		if n := len(consulted(t, h)); n != before {
			t.Errorf("%d readings of a provider's or of nobody are recorded", n-before)
		}
	})
}

func TestG19NumbersNeedNoReasonButAnAuditors(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2), testkit.Page(3))
		h.Submit(h.South.Officers[0], testkit.Page(9))
		for _, c := range []struct {
			by       concert.Actor
			why      string
			open     int
			recorded int
		}{{h.North.Officers[0], "", 2, 0}, {h.South.Reviewers[0], "", 1, 0}, {h.Auditor, testkit.Why, 2, 2}} {
			before := len(consulted(t, h))
			scope, err := concert.NewScope(c.by, c.why)
			testkit.Must(t, err)
			n, err := h.CountItems(t.Context(), scope, []concert.ItemStatus{concert.ItemOpen, concert.ItemHeld}, 2)
			if err != nil || n[concert.ItemOpen] != c.open || n[concert.ItemHeld] != 0 {
				t.Errorf("%v counts %v, %v", c.by.Roles, n, err)
			}
			if _, err := h.ReadBoard(t.Context(), scope, h.Action.Ref); err != nil {
				t.Errorf("%v reads the board: %v", c.by.Roles, err)
			}
			if got := len(consulted(t, h)) - before; got != c.recorded {
				t.Errorf("%v: %d readings recorded, want %d", c.by.Roles, got, c.recorded)
			}
		}
		if _, err := h.CountItems(t.Context(), testkit.Scope(t, h.Answerer), nil, 2); code(err) != "items.authority" {
			t.Errorf("a provider counts items: %v", err)
		}
	})
}

func TestG19AnActsAnswerIsCoveredByItsEvent(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		north := h.North
		ref := h.Submit(north.Officers[0], testkit.Page(1))[0].Ref
		before := len(consulted(t, h))
		shown := func(by concert.Actor) string {
			v, err := h.ItemAfter(t.Context(), by, ref)
			if err != nil {
				return code(err)
			}
			if v.Status == "" || v.Version == 0 {
				t.Errorf("%s sees %+v", by.Operator, v.Item)
			}
			return v.Location.Submitted
		}
		if got := shown(north.Officers[0]); got != testkit.Page(1) {
			t.Errorf("whoever handed it in is answered %q", got)
		}
		// Others have done nothing to it: they are shown nothing that is sealed, or nothing at all.
		if got := shown(north.Officers[1]); got != "" {
			t.Errorf("a colleague who did nothing is shown %q", got)
		}
		if got := outcomes(h.Submit(north.Officers[1], testkit.Page(1))); got != "known" || shown(north.Officers[1]) != "" {
			t.Errorf("whoever hands in what is known (%s) is shown %q", got, shown(north.Officers[1]))
		}
		if got := shown(h.South.Officers[0]); got != "not_found" {
			t.Errorf("another unit: %q", got)
		}
		if got := outcomes(h.Submit(h.South.Officers[0], testkit.Page(1))); got != "duplicate" || shown(h.South.Officers[0]) != testkit.Page(1) {
			t.Errorf("whoever joined (%s) is shown %q", got, shown(h.South.Officers[0]))
		}
		if got := shown(h.Answerer); got != "not_found" {
			t.Errorf("a provider: %q", got)
		}
		if n := len(consulted(t, h)); n != before {
			t.Errorf("%d answers to acts were recorded as readings", n-before)
		}
	})
}

func TestG19ConcurrentReadingsAreCommittedTogetherAndEachHasItsEvent(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		raw := testkit.Raw(t, h.Service)
		acts := func() (n int) {
			testkit.Must(t, raw.QueryRow("SELECT count(*) FROM log_batch").Scan(&n))
			return n
		}
		before := acts()
		const readers, each = 40, 5
		people := []concert.Actor{h.North.Officers[0], h.North.Officers[1], h.North.Reviewers[0], h.North.Reviewers[1], h.Coordinator}
		var wg sync.WaitGroup
		var answered atomic.Int64
		for i := range readers {
			scope := testkit.Scope(t, people[i%len(people)])
			wg.Go(func() {
				for range each {
					v, err := h.ReadItem(t.Context(), scope, ref)
					if err != nil || v.Location.Submitted != testkit.Page(1) {
						t.Errorf("%q, %v", v.Location.Submitted, err)
						return
					}
					answered.Add(1)
				}
			})
		}
		wg.Wait()
		per := map[concert.PersonID]int{}
		for _, b := range consulted(t, h) {
			per[b.Person]++
		}
		for _, p := range people {
			if per[p.Person] != readers*each/len(people) {
				t.Errorf("%s read %d times, %d are recorded", p.Operator, readers*each/len(people), per[p.Person])
			}
		}
		commits := acts() - before
		t.Logf("%d readings in %d commits", answered.Load(), commits)
		if commits >= readers*each/2 {
			t.Errorf("%d readings at once took %d commits", readers*each, commits)
		}
		testkit.Must(t, h.PublishLog(t.Context()))
		if v, err := h.VerifyLog(t.Context(), nil); err != nil || !v.Verified {
			t.Errorf("%s, %v", v.Problem, err)
		}
	})
}

func TestG19ReadingThatCannotBeRecordedIsNotAnswered(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		raw := testkit.Raw(t, h.Service)
		full := []string{"CREATE TRIGGER full_disk BEFORE INSERT ON event WHEN NEW.kind = 'consulted' BEGIN SELECT RAISE(ABORT, 'EXERCISE: disk full'); END"}
		mend := "DROP TRIGGER full_disk"
		if h.DB.Dialect() == "postgres" {
			full = []string{"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'EXERCISE: disk full'; END $$",
				"CREATE TRIGGER full_disk BEFORE INSERT ON event FOR EACH ROW WHEN (NEW.kind = 'consulted') EXECUTE FUNCTION full_disk()"}
			mend = "DROP TRIGGER full_disk ON event"
		}
		for _, text := range full {
			_, err := raw.Exec(text)
			testkit.Must(t, err)
		}
		scope := testkit.Scope(t, h.Coordinator)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				v, err := h.ReadItem(t.Context(), scope, ref)
				if err == nil || !strings.Contains(err.Error(), "disk full") || v.ID != "" || v.Location.Submitted != "" {
					t.Errorf("not recorded, and answered %q, %v", v.Location.Submitted, err)
				}
				if items, err := h.ListItems(t.Context(), scope, casework.ItemQuery{Status: concert.ItemOpen, Limit: 10}); err == nil || items != nil {
					t.Errorf("not recorded, and listed %d, %v", len(items), err)
				}
			})
		}
		wg.Wait()
		_, err := raw.Exec(mend)
		testkit.Must(t, err)
		if v, err := h.ReadItem(t.Context(), scope, ref); err != nil || v.Ref != ref || len(consulted(t, h)) != 1 {
			t.Errorf("once the disk has room: %s, %v, %d recorded", v.Ref, err, len(consulted(t, h)))
		}
	})
}

func TestG19ReadingWaitsForItsCommit(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		if h.DB.Dialect() != "sqlite" {
			t.Skip("several write at once there; what is claimed follows from one commit at a time")
		}
		ref := h.Submit(h.North.Officers[0], testkit.Page(1))[0].Ref
		holding, release, held := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			held <- h.DB.Update(t.Context(), func(*store.Tx) error {
				close(holding)
				<-release
				return nil
			})
		}()
		<-holding
		scope := testkit.Scope(t, h.Coordinator)
		answers := make(chan error, 8)
		for range cap(answers) {
			go func() { _, err := h.ReadItem(t.Context(), scope, ref); answers <- err }()
		}
		// While nothing can be committed nobody is answered, however fast the reading itself was.
		for range 40 {
			if _, err := h.ReadBoard(t.Context(), scope, h.Action.Ref); err != nil {
				t.Error(err)
			}
		}
		if len(answers) != 0 || len(consulted(t, h)) != 0 {
			t.Errorf("%d answers before their commit", len(answers))
		}
		close(release)
		testkit.Must(t, <-held)
		for range cap(answers) {
			testkit.Must(t, <-answers)
		}
		if n := len(consulted(t, h)); n != cap(answers) {
			t.Errorf("%d readings recorded", n)
		}
	})
}

func TestG31AuditorReadsWhoReadWhatAndVerifiesElsewhere(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		refs := []string{}
		for _, r := range h.Submit(h.North.Officers[0], testkit.Page(1), testkit.Page(2), testkit.Page(3), testkit.Page(4)) {
			refs = append(refs, r.Ref)
		}
		h.Item(refs[0])
		_, err := h.ListItems(t.Context(), testkit.Scope(t, h.North.Officers[0]), casework.ItemQuery{Status: concert.ItemOpen, Limit: 10})
		testkit.Must(t, err)
		audit := testkit.Scope(t, h.Auditor)
		all, err := h.Consultations(t.Context(), audit, casework.ConsultationQuery{Limit: 10})
		if err != nil || len(all) != 2 || all[0].What != concert.ReadItemList || all[0].Count != 4 || all[0].Operator != h.North.Officers[0].Operator || all[1].Ref != refs[0] || all[1].Justification != testkit.Why || all[1].Operator != h.Coordinator.Operator {
			t.Errorf("who read what: %+v, %v", all, err)
		}
		of := func(q casework.ConsultationQuery) int {
			q.Limit = 10
			cs, err := h.Consultations(t.Context(), audit, q)
			if err != nil {
				t.Errorf("%+v: %v", q, err)
			}
			return len(cs)
		}
		if n := of(casework.ConsultationQuery{Ref: refs[0]}); n != 1 {
			t.Errorf("%d readings of the item", n)
		}
		if n := of(casework.ConsultationQuery{Operator: h.North.Officers[0].Operator}); n != 1 {
			t.Errorf("%d readings of the officer", n)
		}
		if n := of(casework.ConsultationQuery{Before: all[0].Event}); n != 1 {
			t.Errorf("%d readings before the last", n)
		}
		if _, err := h.Consultations(t.Context(), audit, casework.ConsultationQuery{Ref: "%"}); code(err) != "consultation.reference" {
			t.Errorf("a pattern for a reference: %v", err)
		}
		drawn, err := h.SampleItems(t.Context(), audit, 3)
		testkit.Must(t, err)
		slices.Sort(drawn)
		if len(slices.Compact(drawn)) != 3 {
			t.Errorf("drawn: %v", drawn)
		}
		for _, ref := range drawn {
			if !slices.Contains(refs, ref) {
				t.Errorf("%s was drawn and is not there", ref)
			}
		}
		if drawn, err = h.SampleItems(t.Context(), audit, 50); err != nil || len(drawn) != 4 {
			t.Errorf("more than there are: %v, %v", drawn, err)
		}
		write, err := h.OpenExport(t.Context(), audit)
		testkit.Must(t, err)
		var bundle bytes.Buffer
		testkit.Must(t, write(&bundle))
		v, err := formats.VerifyBundle(bytes.NewReader(bundle.Bytes()), h.LogKey, nil)
		if err != nil || !v.Verified || strings.Contains(bundle.String(), testkit.Why) || strings.Contains(bundle.String(), "video.example") {
			t.Errorf("the bundle: %s, %v", v.Problem, err)
		}
		want := []string{concert.ReadOneItem, concert.ReadItemList, concert.ReadConsultations, concert.ReadConsultations, concert.ReadConsultations, concert.ReadConsultations, concert.ReadSample, concert.ReadSample, concert.ReadExport}
		var got []string
		for _, b := range consulted(t, h) {
			got = append(got, b.What)
		}
		if !slices.Equal(got, want) || strings.Count(bundle.String(), `"kind":"consulted"`) != len(want) {
			t.Errorf("recorded %v; the bundle holds %d", got, strings.Count(bundle.String(), `"kind":"consulted"`))
		}
		for _, by := range []concert.Actor{h.North.Officers[0], h.North.Reviewers[0], h.Coordinator, h.Admin, h.Answerer} {
			s := testkit.Scope(t, by)
			_, err := h.Consultations(t.Context(), s, casework.ConsultationQuery{})
			_, drawn := h.SampleItems(t.Context(), s, 3)
			_, export := h.OpenExport(t.Context(), s)
			if code(err) != "role.missing" || code(drawn) != "role.missing" || code(export) != "role.missing" {
				t.Errorf("%v audits: %v, %v, %v", by.Roles, err, drawn, export)
			}
		}
	})
}
