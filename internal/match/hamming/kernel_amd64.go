package hamming

import "golang.org/x/sys/cpu"

// bestLevel is the highest level that this machine and its system carry.
func bestLevel() level {
	switch {
	case cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VPOPCNTDQ:
		return levelAVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT:
		return levelAVX2
	}
	return levelGo
}

//go:noescape
func locateAMD64(p *probe)

//go:noescape
func spansAMD64(p *probe)

//go:noescape
func gatherAMD64(s *gather)

//go:noescape
func verifyAMD64(v *verify)

//go:noescape
func blocksAVX2(s *scan)

//go:noescape
func blocksAVX512(s *scan)

//go:noescape
func rowsPOPCNT(s *scan)

//go:noescape
func rowsAVX512(s *scan)

// locate asks for the directory lines of a step before they are read.
func (l level) locate(p *probe) {
	if l > levelGo {
		locateAMD64(p)
	}
}

func (l level) spans(p *probe) {
	if l > levelGo {
		spansAMD64(p)
	} else {
		p.spansGo()
	}
}

func (l level) gather(g *gather) {
	if l > levelGo {
		gatherAMD64(g)
	} else {
		g.runGo()
	}
}

func (l level) verify(v *verify) {
	if l > levelGo {
		verifyAMD64(v)
	} else {
		v.runGo()
	}
}

func (l level) blocks(s *scan) {
	switch l {
	case levelAVX512:
		blocksAVX512(s)
	case levelAVX2:
		blocksAVX2(s)
	default:
		s.blocksGo()
	}
}

// rows stops at a step that may hold hits; how many rows a step has is returned.
func (l level) rows(s *scan) (step int) {
	switch l {
	case levelAVX512:
		// Whole steps of four in assembly, what is left over row by row.
		if whole := s.n &^ 3; s.index < whole {
			n := s.n
			s.n = whole
			rowsAVX512(s)
			s.n = n
			if s.index < whole {
				return 4
			}
		}
		s.rowsGo()
	case levelAVX2:
		rowsPOPCNT(s)
	default:
		s.rowsGo()
	}
	return 1
}
