package lead

import "concert/internal/accesslog"

// grid is a table of numbers whose rows' and columns' totals are known to a reader.
type grid struct {
	n      [][]int64
	hidden [][]bool
}

func newGrid(rows, columns int) grid {
	g := grid{make([][]int64, rows), make([][]bool, rows)}
	for i := range rows {
		g.n[i], g.hidden[i] = make([]int64, columns), make([]bool, columns)
	}
	return g
}

func (g grid) set(i, j int, n int64, hidden bool) {
	g.n[i][j], g.hidden[i][j] = n, n > 0 && (hidden || accesslog.Few(n))
}

// protect hides more until no total tells what is hidden: in each row and column
// there is enough (accesslog.Hide), and no hidden number follows from several totals
// together. It does where it is the only way from one part of the hidden numbers to
// another (a bridge of the graph of rows and columns: D. Gusfield, A Graph Theoretic
// Approach to Statistical Data Security, SIAM J. Comput. 17(3), 1988).
func (g grid) protect() {
	for more := true; more; {
		more = false
		for i := range g.n {
			more = g.cover(g.row(i)) || more
		}
		for j := range g.columns() {
			more = g.cover(g.column(j)) || more
		}
		if more {
			continue
		}
		for _, at := range g.bridges() {
			// The only number of its line is that line's total: whoever shows totals hides it there.
			if !g.lone(g.row(at.row)) && !g.lone(g.column(at.column)) {
				more = g.widen(at) || more
			}
		}
	}
}

func (g grid) columns() int {
	if len(g.n) == 0 {
		return 0
	}
	return len(g.n[0])
}

// place is a cell of a grid.
type place struct{ row, column int }

func (g grid) row(i int) (line []place) {
	for j := range g.n[i] {
		line = append(line, place{i, j})
	}
	return line
}

func (g grid) column(j int) (line []place) {
	for i := range g.n {
		line = append(line, place{i, j})
	}
	return line
}

// cover hides more of one line where its total needs it, and says whether it did.
func (g grid) cover(line []place) bool {
	rows, hidden := make([][]int64, 0, len(line)), make([]bool, 0, len(line))
	var at []place
	before := 0
	for _, p := range line {
		n := g.n[p.row][p.column]
		if n == 0 {
			continue
		}
		rows, hidden, at = append(rows, []int64{n}), append(hidden, g.hidden[p.row][p.column]), append(at, p)
		if g.hidden[p.row][p.column] {
			before++
		}
	}
	after := accesslog.Hide(rows, hidden)
	for i, p := range at {
		g.hidden[p.row][p.column] = hidden[i]
	}
	return after > before
}

func (g grid) lone(line []place) bool {
	n := 0
	for _, p := range line {
		if g.n[p.row][p.column] > 0 {
			n++
		}
	}
	return n < 2
}

// widen hides the smallest shown number of the bridge's row or column.
func (g grid) widen(at place) bool {
	best := place{-1, -1}
	for _, p := range append(g.row(at.row), g.column(at.column)...) {
		if n := g.n[p.row][p.column]; n > 0 && !g.hidden[p.row][p.column] && (best.row < 0 || n < g.n[best.row][best.column]) {
			best = p
		}
	}
	if best.row < 0 {
		return false
	}
	g.hidden[best.row][best.column] = true
	return true
}

// bridges are hidden cells that follow from totals: edges between a row and a column
// without which the two would be apart (R. Tarjan, 1974).
func (g grid) bridges() (found []place) {
	rows := len(g.n)
	order, low := make([]int, rows+g.columns()), make([]int, rows+g.columns())
	clock := 0
	var visit func(v, from int)
	visit = func(v, from int) {
		clock++
		order[v], low[v] = clock, clock
		line := g.columns()
		if v >= rows {
			line = rows
		}
		for k := range line {
			p, to := place{v, k}, rows+k
			if v >= rows {
				p, to = place{k, v - rows}, k
			}
			if to == from || !g.hidden[p.row][p.column] {
				continue
			}
			if order[to] == 0 {
				visit(to, v)
				if low[to] > order[v] {
					found = append(found, p)
				}
				low[v] = min(low[v], low[to])
			} else {
				low[v] = min(low[v], order[to])
			}
		}
	}
	for v := range order {
		if order[v] == 0 {
			visit(v, -1)
		}
	}
	return found
}
