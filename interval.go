package concert

import "math"

// z95 is the two-sided 95 per cent point of the normal distribution.
const z95 = 1.959963984540054

// Interval is what a share lies within, from 0 to 1, at 95 per cent.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// WilsonInterval is the score interval of x in n (Wilson 1927): near nominal
// coverage on average. x and n may be effective numbers, which are no integers. Without
// any trial it is the whole range.
func WilsonInterval(x, n float64) Interval {
	if n <= 0 {
		return Interval{0, 1}
	}
	p, z2 := x/n, z95*z95
	mid := (p + z2/(2*n)) / (1 + z2/n)
	half := z95 / (1 + z2/n) * math.Sqrt(p*(1-p)/n+z2/(4*n*n))
	out := Interval{max(0, mid-half), min(1, mid+half)}
	if x <= 0 {
		out.Low = 0
	}
	if x >= n {
		out.High = 1
	}
	return out
}

// ExactInterval is the interval of Clopper and Pearson (1934) of x in n: it covers at
// least 95 per cent whatever the truth is, and is wider for it.
func ExactInterval(x, n float64) Interval {
	out := Interval{0, 1}
	if n <= 0 {
		return out
	}
	if x > 0 {
		out.Low = betaQuantile(0.025, x, n-x+1)
	}
	if x < n {
		out.High = betaQuantile(0.975, x+1, n-x)
	}
	return out
}

// betaQuantile finds by halving where the beta distribution reaches p: sixty steps
// are below what a float can tell.
func betaQuantile(p, a, b float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		mid := (low + high) / 2
		if betaCumulative(mid, a, b) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// betaCumulative is the regularised incomplete beta function I_x(a, b), by its
// continued fraction (Abramowitz and Stegun 26.5.8).
func betaCumulative(x, a, b float64) float64 {
	if x <= 0 || x >= 1 {
		return min(max(x, 0), 1)
	}
	lab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	if x < (a+1)/(a+b+2) {
		return front * betaFraction(x, a, b) / a
	}
	return 1 - front*betaFraction(1-x, b, a)/b
}

// betaFraction is the continued fraction of betaCumulative by Lentz's method.
func betaFraction(x, a, b float64) float64 {
	const tiny = 1e-300
	floor := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/floor(1-(a+b)*x/(a+1))
	f := d
	for m := 1.0; m <= 500; m++ {
		num := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / floor(1+num*d)
		c = floor(1 + num/c)
		f *= d * c
		num = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / floor(1+num*d)
		c = floor(1 + num/c)
		step := d * c
		f *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	return f
}

// SampleSize is how many of a population must be judged so that a share is known to
// plus or minus margin (0.05 is five points) at 95 per cent, whatever the share is:
// Cochran's size for one half, with the finite population correction.
func SampleSize(population int, margin float64) int {
	if population <= 0 || margin <= 0 {
		return max(population, 0)
	}
	n := z95 * z95 / 4 / (margin * margin)
	n /= 1 + (n-1)/float64(population)
	return min(population, int(math.Ceil(n-1e-9)))
}

// SampleMargin is the other way round: to how much a share is known, at worst, by n
// of the population.
func SampleMargin(population, n int) float64 {
	if n <= 0 || population <= 0 {
		return 1
	}
	return min(1, z95*math.Sqrt(FinitePopulation(population, n)/float64(4*n)))
}

// FinitePopulation is the correction (N - n)/(N - 1) by which the variance of a sample
// without replacement is less than that of one with.
func FinitePopulation(population, n int) float64 {
	if population <= 1 || n >= population {
		return 0
	}
	return float64(population-n) / float64(population-1)
}

// Kappa is Cohen's agreement of two judges beyond chance (Cohen 1960).
type Kappa struct {
	N        int      // judged by both
	Agreed   int      // of them, to the same effect
	Value    float64  // from -1 to 1
	Known    bool     // there is a value: both effects occur
	Interval Interval // from -1 to 1
	Wide     bool     // too few for an interval: fewer than KappaFrom
}

// KappaFrom is how many must have been judged by both for an interval.
const KappaFrom = 10

// CohenKappa is the agreement of two judges who judged the same: both yes, first yes
// and second no, first no and second yes, both no. Its interval is by the usual
// large-sample standard error.
func CohenKappa(yesYes, yesNo, noYes, noNo int) Kappa {
	k := Kappa{N: yesYes + yesNo + noYes + noNo, Agreed: yesYes + noNo}
	if k.N == 0 {
		return k
	}
	n := float64(k.N)
	observed := float64(k.Agreed) / n
	first, second := float64(yesYes+yesNo)/n, float64(yesYes+noYes)/n
	chance := first*second + (1-first)*(1-second)
	if chance >= 1-1e-12 {
		return k // all of one effect: chance would agree as well
	}
	k.Known, k.Value = true, (observed-chance)/(1-chance)
	if k.Wide = k.N < KappaFrom; k.Wide {
		return k
	}
	se := math.Sqrt(observed * (1 - observed) / (n * (1 - chance) * (1 - chance)))
	k.Interval = Interval{max(-1, k.Value-z95*se), min(1, k.Value+z95*se)}
	return k
}
