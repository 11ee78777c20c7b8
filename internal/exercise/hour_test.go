package exercise

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"concert"
)

func hourConfig(orders int, seed uint64, rate float64) Config {
	return Config{Base: "http://concert.example", Plan: PlanOneHour, Items: orders, Seed: seed, Jump: func(time.Duration) {},
		Time: concert.CaseTime{Since: time.Now(), Start: start, Rate: rate}}
}

func newHour(t testing.TB, orders int, seed uint64) *Hour {
	t.Helper()
	h, err := NewHour(hourConfig(orders, seed, 120))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func TestNewHourRefusesWhatItCannotPlan(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		change func(*Config)
		says   string
	}{
		"unknown plan":    {func(c *Config) { c.Plan = "two-hours" }, PlanOneHour},
		"the other plan":  {func(c *Config) { c.Plan = PlanNovember2019 }, PlanNovember2019},
		"too few orders":  {func(c *Config) { c.Items = MinOrders - 1 }, "30 orders"},
		"too many orders": {func(c *Config) { c.Items = 1 << 30 }, "hundred thousand"},
		"clock stands":    {func(c *Config) { c.Time.Rate = 0 }, "rate above 0"},
		"nobody jumps":    {func(c *Config) { c.Jump = nil }, "Jump"},
	} {
		c := hourConfig(MinOrders, 1, 120)
		x.change(&c)
		if _, err := NewHour(c); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(testConfigOf(PlanOneHour)); err == nil || !strings.Contains(err.Error(), PlanOneHour) || !strings.Contains(err.Error(), PlanNovember2019) {
		t.Errorf("New of the other plan: %v", err)
	}
}

func testConfigOf(plan string) Config {
	c := testConfig(MinItems, 1, 20_000)
	c.Plan = plan
	return c
}

func TestEveryEndingOccursFromTheLeastNumberOfOrdersOn(t *testing.T) {
	t.Parallel()
	for _, orders := range []int{MinOrders, MinOrders + 1, 77, 500} {
		for seed := range uint64(12) {
			s := newHourScript(seed, orders)
			met := map[ending]int{}
			hosts := map[int]bool{}
			states := map[string]bool{}
			issued := 0
			for n := range s.total {
				e := s.ending(n)
				met[e]++
				if e.issued() {
					issued++
					hosts[s.provider(n)] = true
					states[hourProvider(s.provider(n)).state] = true
				}
			}
			if issued != orders || len(hosts) != hourProviders || len(states) != len(hourStates) {
				t.Errorf("%d orders, seed %d: %d issued to %d providers in %d states", orders, seed, issued, len(hosts), len(states))
			}
			for e := range endings {
				if met[e] == 0 {
					t.Errorf("%d orders, seed %d: nothing is %s", orders, seed, e)
				}
			}
		}
	}
}

func TestSameSeedSameHour(t *testing.T) {
	t.Parallel()
	type row struct {
		Ending              ending
		Provider, Authority int
		Moment, Think       time.Duration
		Places              []string
		First               bool
	}
	rows := func(s *hourScript) (out []row) {
		for n := range s.total {
			r := row{s.ending(n), s.provider(n), s.authority(n), s.moment(n), s.think(n), nil, s.first[n]}
			for k := range s.places(n) {
				r.Places = append(r.Places, s.place(n, k))
			}
			out = append(out, r)
		}
		return out
	}
	one, two := newHourScript(7, 200), newHourScript(7, 200)
	if diff := cmp.Diff(rows(one), rows(two)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(rows(one), rows(newHourScript(8, 200))) {
		t.Error("another seed gives the same hour")
	}
	if diff := cmp.Diff(one.foreseen(), two.foreseen()); diff != "" {
		t.Error(diff)
	}
}

// What one order does to another's place comes later and from elsewhere; the first contact of each pair waits for its twelve
// hours, and only an emergency goes without one.
func TestOrdersOfAnHourFitTogether(t *testing.T) {
	t.Parallel()
	s := newHourScript(2019, 500)
	met := map[[2]int]bool{}
	places := map[string]uint32{}
	var last time.Duration
	for n := range s.total {
		e, pair := s.ending(n), [2]int{s.authority(n), s.provider(n)}
		if s.moment(n) < last || s.moment(n) > hourLast {
			t.Errorf("order %d comes at %s, after one at %s", n, s.moment(n), last)
		}
		last = s.moment(n)
		if e == endTwice || e == endOther {
			m := s.partner(n)
			if m >= n || !s.ending(m).executed() || s.place(n, 0) != s.place(m, 0) || (s.authority(n) == s.authority(m)) != (e == endTwice) {
				t.Errorf("order %d (%s) is about the place of order %d (%s)", n, e, m, s.ending(m))
			}
			continue
		}
		for k := range s.places(n) {
			id, ok := number(s.place(n, k))
			if !ok || id/placesMost != n || k >= placesMost {
				t.Errorf("the number of %s is %d", s.place(n, k), id)
			}
			if was, twice := places[s.place(n, k)]; twice {
				t.Errorf("orders %d and %d are about %s", was, n, s.place(n, k))
			}
			places[s.place(n, k)] = n
		}
		if s.first[n] {
			met[pair] = true
		}
		if e.issued() && e != endEmergency && !met[pair] {
			t.Errorf("order %d (%s) comes before the first contact of its authority with its provider", n, e)
		}
		if e == endEmergency && s.first[n] {
			t.Errorf("order %d is an emergency, and would wait for twelve hours", n)
		}
		if e == endHeld && s.holder(n) == s.authority(n) {
			t.Errorf("order %d is held by its own authority", n)
		}
		if e.scrutinised() && s.scrutiniser(n) == s.authority(n) {
			t.Errorf("order %d (%s) would be scrutinised by its own authority", n, e)
		}
		if late := s.think(n) > time.Hour; late != (e == endLate) {
			t.Errorf("order %d (%s) is answered after %s", n, e, s.think(n))
		}
		in := s.order(n, []string{"IT-1"}, true)
		if len(in.Statement) < concert.OrderStatementLeast || !strings.Contains(in.Statement, "EXERCISE") || !strings.HasPrefix(in.FileNo, "EXERCISE") {
			t.Errorf("order %d says %q", n, in.Statement)
		}
	}
}

func TestForeseenNumbersOfAnHourAddUp(t *testing.T) {
	t.Parallel()
	c := newHourScript(3, 500).foreseen()
	if c.Issued != 500 || c.Executed != c.InTime+c.Late || c.Missed != c.Late+c.Endings["silence"] || c.Issued != c.Executed+c.Endings["silence"]+c.Endings["manifest_errors_withdrawn"] {
		t.Errorf("%+v", c)
	}
	if err := c.differs(newHourScript(3, 500).foreseen()); err != nil {
		t.Error(err)
	}
	d := newHourScript(3, 500).foreseen()
	d.Late--
	d.RefusedBy["order.held"]++
	if err := d.differs(c); err == nil || !strings.Contains(err.Error(), "executed_late is") || !strings.Contains(err.Error(), "refused.order.held is") {
		t.Errorf("what is short is not named: %v", err)
	}
}

func TestPageOfAnOrderFollowsItsProvider(t *testing.T) {
	t.Parallel()
	h := newHour(t, MinOrders, 1)
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	p := h.providers[h.script.provider(0)]
	addr, ok := h.Resolve(p.plan.host)
	if !ok {
		t.Fatal("its host is nowhere")
	}
	if _, ok := h.Resolve("elsewhere.example"); ok {
		t.Error("a foreign host is played")
	}
	look := func(path string) int {
		t.Helper()
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	path := strings.TrimPrefix(h.script.place(0, 0), "http://"+p.plan.host)
	for _, x := range []struct {
		down bool
		want int
	}{{false, 200}, {true, 410}, {false, 200}} {
		p.mark([]uint32{0}, x.down)
		if got := look(path); got != x.want {
			t.Errorf("down %t: %d, want %d", x.down, got, x.want)
		}
	}
	for _, elsewhere := range []string{"/", "/e/ex9999999", "/e/" + token(placesMost*h.script.total)} {
		if got := look(elsewhere); got != 404 {
			t.Errorf("%s: %d", elsewhere, got)
		}
	}
}
