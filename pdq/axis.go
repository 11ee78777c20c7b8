package pdq

// side is the side of the picture that is transformed, after the filter.
const side = 64

// axis is the filter along one dimension of a picture: a running mean over up
// to w points, twice, of which only 64 places are looked at in the end.
type axis struct {
	n    int // points
	w    int // points of a whole window
	half int // of them up to and including the centre and what follows it
	at   [side]int
}

func newAxis(n int) axis {
	w := (n + 2*side - 1) / (2 * side)
	a := axis{n: n, w: w, half: (w + 2) / 2}
	for i := range a.at {
		a.at[i] = int((float64(i) + 0.5) * float64(n) / side)
	}
	return a
}

// count is the number of points in the window of place o; outside the picture,
// where nothing is looked at, it is 1.
func (a *axis) count(o int) int {
	if o < 0 || o >= a.n {
		return 1
	}
	return min(o+a.half, a.n) - max(o+a.half-a.w, 0)
}
