//go:build !amd64

package hamming

func bestLevel() level { return levelGo }

func (l level) locate(*probe) {}

func (l level) spans(p *probe) { p.spansGo() }

func (l level) gather(g *gather) { g.runGo() }

func (l level) verify(v *verify) { v.runGo() }

func (l level) blocks(s *scan) { s.blocksGo() }

func (l level) rows(s *scan) (step int) {
	s.rowsGo()
	return 1
}
