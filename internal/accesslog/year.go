package accesslog

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// halfYear is how far a yearless line may lie from the line above it before
// another year is nearer.
const halfYear = 183 * 86400

// yearEdge is how the yearless lines of one task began and ended, and how often
// a year turned between them.
type yearEdge struct {
	file, seq   int
	first, last int64
	turns       int
}

// turnOf is +1 where a year turned between two lines, -1 where the second went
// back into the year before.
func turnOf(before, after int64) int {
	switch d := after - before; {
	case d < -halfYear:
		return 1
	case d > halfYear:
		return -1
	}
	return 0
}

// turn takes note of a yearless line.
func (n *finder) turn(file, seq int, wall int64) {
	if !n.reading {
		n.now, n.reading = yearEdge{file: file, seq: seq, first: wall, last: wall}, true
		return
	}
	n.now.turns += turnOf(n.now.last, wall)
	n.now.last = wall
}

// ended closes the task.
func (n *finder) ended() {
	if n.reading {
		n.years, n.reading = append(n.years, n.now), false
	}
}

// rotation is a file's place in a rotated set: its files are one log, in order.
type rotation struct {
	input  int
	set    string
	number int       // of "auth.log.3"; 0 for none
	day    time.Time // of "secure-20170618"; zero for none
}

// rotationOf reads a file's name.
func rotationOf(input int, path string) rotation {
	base := filepath.Base(path)
	for _, end := range []string{".gz", ".bz2", ".xz", ".zst"} {
		base = strings.TrimSuffix(base, end)
	}
	r := rotation{input: input, set: filepath.Join(filepath.Dir(path), base)}
	i := strings.LastIndexAny(base, ".-")
	if i <= 0 {
		return r
	}
	tail := base[i+1:]
	if day, err := time.Parse("20060102", tail); err == nil {
		r.day = day
	} else if n := number([]byte(tail)); n >= 0 && len(tail) <= 3 {
		r.number = n + 1
	} else {
		return r
	}
	r.set = filepath.Join(filepath.Dir(path), base[:i])
	return r
}

// rotations are the sets among the authentication logs, each from its oldest
// file to its newest: dates rising, numbers falling, the plain name last.
func rotations(inputs []*input) map[string][]rotation {
	sets := map[string][]rotation{}
	for i, in := range inputs {
		if in.auth {
			r := rotationOf(i, in.path)
			sets[r.set] = append(sets[r.set], r)
		}
	}
	for _, list := range sets {
		slices.SortFunc(list, func(a, b rotation) int {
			if a.day.IsZero() != b.day.IsZero() {
				if a.day.IsZero() {
					return 1
				}
				return -1
			}
			return cmp.Or(a.day.Compare(b.day), cmp.Compare(b.number, a.number), cmp.Compare(a.input, b.input))
		})
	}
	return sets
}

// knownYears tells of which inputs the years can be told.
func (f *facts) knownYears(inputs []*input) {
	f.known = make([]bool, len(inputs))
	for _, list := range rotations(inputs) {
		known := f.o.Year != 0 || slices.ContainsFunc(list, func(r rotation) bool { return !r.day.IsZero() })
		for _, r := range list {
			f.known[r.input] = known
		}
	}
}

// dateAll gives yearless facts their years: the last line of a set is of the
// year given, or the last line of a file of the year of the date in its name, and
// from line to line the nearer year counts.
func (f *facts) dateAll(inputs []*input, list []found) error {
	edges := map[int][]yearEdge{}
	for _, n := range f.finders {
		for _, e := range n.years {
			edges[e.file] = append(edges[e.file], e)
		}
	}
	base := map[[2]int]int{} // of a file's task: years since the set's first line
	shift := map[int]int{}   // of a file: the year that its set's first line would have
	for _, set := range rotations(inputs) {
		turns, offset, began := 0, 0, false
		var last int64
		for _, r := range set {
			slices.SortFunc(edges[r.input], func(a, b yearEdge) int { return cmp.Compare(a.seq, b.seq) })
			for _, e := range edges[r.input] {
				if began {
					turns += turnOf(last, e.first)
				}
				base[[2]int{e.file, e.seq}] = turns
				turns += e.turns
				last, began = e.last, true
			}
			if !r.day.IsZero() {
				if len(edges[r.input]) == 0 {
					end := time.Date(2000, r.day.Month(), r.day.Day(), 0, 0, 0, 0, time.UTC).Unix()
					if began {
						turns += turnOf(last, end)
					}
					last, began = end, true
				}
				offset = r.day.Year() - turns
				if end := time.Unix(last, 0).UTC(); end.YearDay() > leapDay(r.day)+1 {
					offset--
				}
			}
			shift[r.input] = offset
		}
		if f.o.Year != 0 {
			for _, r := range set {
				shift[r.input] = f.o.Year - turns
			}
		}
	}
	for i := range list {
		x := &list[i]
		if !x.yearless {
			continue
		}
		t := time.Unix(x.wall, 0).UTC()
		year := shift[x.file] + base[[2]int{x.file, x.seq}] + x.turn
		at := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		if at.Day() != t.Day() {
			return fmt.Errorf("%s: the line at offset %d is of 29 February, which %d does not have: give the year of the log's last line with -year", inputs[x.file].path, x.offset, year)
		}
		x.sec = (&authReader{zone: f.o.Zone}).local(at.Unix())
		x.until = x.sec
	}
	return nil
}

// leapDay is the day of the year 2000 with the same name.
func leapDay(t time.Time) int {
	return time.Date(2000, t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).YearDay()
}
