package concert_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"concert"
)

// Published values: Newcombe (1998), Statistics in Medicine 17, table I, methods 3 and 5; and the rule 1-(0.025)^(1/n) for none in n.
func TestIntervalsAreThePublishedOnes(t *testing.T) {
	t.Parallel()
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.00006 }
	for _, c := range []struct {
		x, n                  float64
		wilsonLow, wilsonHigh float64
		exactLow, exactHigh   float64
	}{
		{81, 263, 0.2553, 0.3662, 0.2527, 0.3676},
		{15, 148, 0.0624, 0.1605, 0.0578, 0.1617},
		{0, 20, 0, 0.1611, 0, 0.1684},
		{1, 29, 0.0061, 0.1718, 0.0009, 0.1776},
		{29, 29, 0.8830, 1, 0.8806, 1},
		{0, 10, 0, 0.2775, 0, 0.3085},
		{5, 10, 0.2366, 0.7634, 0.1871, 0.8129},
	} {
		w, e := concert.WilsonInterval(c.x, c.n), concert.ExactInterval(c.x, c.n)
		if !near(w.Low, c.wilsonLow) || !near(w.High, c.wilsonHigh) {
			t.Errorf("Wilson %v in %v: %.4f to %.4f, want %.4f to %.4f", c.x, c.n, w.Low, w.High, c.wilsonLow, c.wilsonHigh)
		}
		if !near(e.Low, c.exactLow) || !near(e.High, c.exactHigh) {
			t.Errorf("Clopper-Pearson %v in %v: %.4f to %.4f, want %.4f to %.4f", c.x, c.n, e.Low, e.High, c.exactLow, c.exactHigh)
		}
	}
	if w := concert.WilsonInterval(0, 0); w != (concert.Interval{High: 1}) {
		t.Errorf("of nothing: %v", w)
	}
}

// The exact interval's ends are where the binomial tails are 2.5 per cent, summed term by term.
func TestExactIntervalLeavesHalfOfFivePerCentOnEachSide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "n")
		x := rapid.IntRange(0, n).Draw(t, "x")
		e := concert.ExactInterval(float64(x), float64(n))
		term := func(k int, p float64) float64 {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(k + 1))
			c, _ := math.Lgamma(float64(n - k + 1))
			return math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		}
		var atLeast, atMost float64
		for k := range n + 1 {
			if k >= x && x > 0 {
				atLeast += term(k, e.Low)
			}
			if k <= x && x < n {
				atMost += term(k, e.High)
			}
		}
		if x > 0 && math.Abs(atLeast-0.025) > 1e-6 || x < n && math.Abs(atMost-0.025) > 1e-6 {
			t.Fatalf("%d in %d: the tails of %v are %g and %g", x, n, e, atLeast, atMost)
		}
		if w := concert.WilsonInterval(float64(x), float64(n)); w.Low < 0 || w.High > 1 || w.Low > float64(x)/float64(n)+1e-12 || w.High < float64(x)/float64(n)-1e-12 {
			t.Fatalf("%d in %d: Wilson %v", x, n, w)
		}
	})
}

func TestSampleSizeIsCochransWithTheFinitePopulation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		population int
		margin     float64
		want       int
	}{{1_000_000_000, 0.05, 385}, {1000, 0.05, 278}, {10_000, 0.05, 370}, {500, 0.03, 341}, {20, 0.05, 20}, {0, 0.05, 0}, {1, 0.5, 1}} {
		got := concert.SampleSize(c.population, c.margin)
		if got != c.want {
			t.Errorf("of %d at ±%v: %d, want %d", c.population, c.margin, got, c.want)
		}
		if m := concert.SampleMargin(c.population, got); got > 0 && got < c.population && m > c.margin+1e-9 {
			t.Errorf("%d of %d give ±%v, want at most ±%v", got, c.population, m, c.margin)
		}
	}
	if f := concert.FinitePopulation(100, 100); f != 0 {
		t.Errorf("a whole population varies by %v", f)
	}
}

// Cohen's own kind of table, as in textbooks: 20, 5, 10, 15 of fifty gives 0.4.
func TestKappaIsCohens(t *testing.T) {
	t.Parallel()
	k := concert.CohenKappa(20, 5, 10, 15)
	if math.Abs(k.Value-0.4) > 1e-12 || k.N != 50 || k.Agreed != 35 || !k.Known || k.Wide {
		t.Errorf("%+v", k)
	}
	if math.Abs(k.Interval.Low-0.1459) > 0.0005 || math.Abs(k.Interval.High-0.6541) > 0.0005 {
		t.Errorf("interval %v", k.Interval)
	}
	if k := concert.CohenKappa(4, 0, 0, 2); !k.Wide || !k.Known || k.Value != 1 {
		t.Errorf("six: %+v", k)
	}
	if k := concert.CohenKappa(12, 0, 0, 0); k.Known {
		t.Errorf("all of one effect: %+v", k)
	}
}
