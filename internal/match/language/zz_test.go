package language

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestShow(t *testing.T) {
	for _, l := range strings.Split(os.Getenv("LTEXT"), "\n") {
		r := read(l)
		s, _ := r.script()
		m := models()[s]
		if m == nil {
			continue
		}
		fmt.Println(l, Detect(l))
		for li, c := range m.languages {
			w, g := 0, 0
			list := ""
			for _, x := range r.words {
				letters := r.letters[x.from:x.to]
				for _, h := range m.words[wordKey(letters)] {
					if int(h.language) == li {
						w += int(h.gain)
						list += fmt.Sprintf(" %s+%d", string(letters), h.gain)
					}
				}
				each(letters, func(k uint64) {
					for _, h := range m.grams[k] {
						if int(h.language) == li {
							g += int(h.gain)
						}
					}
				})
			}
			if strings.Contains(" "+os.Getenv("LL")+" ", " "+c+" ") {
				fmt.Println("   ", c, g/2, w, list)
			}
		}
	}
}

func TestBlame(t *testing.T) {
	a := strings.Fields(os.Getenv("LB")) // right wrong file
	if len(a) < 3 {
		t.Skip()
	}
	b, _ := os.ReadFile(a[2])
	blame := map[string]int{}
	n := 0
	for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if Detect(l).Language != strings.Split(a[1], "-")[0] {
			continue
		}
		r := read(l)
		s, _ := r.script()
		m := models()[s]
		idx := func(c string) int {
			for i, x := range m.languages {
				if x == c {
					return i
				}
			}
			return -1
		}
		n++
		for _, x := range r.words {
			letters := r.letters[x.from:x.to]
			hs := m.words[wordKey(letters)]
			if d := gainOf(hs, idx(a[1])) - gainOf(hs, idx(a[0])); d != 0 {
				blame[string(letters)] += d
			}
			for i := 5; i <= len(letters); i++ {
				hs := m.parts[wordKey(letters[i-5:i])]
				if d := gainOf(hs, idx(a[1])) - gainOf(hs, idx(a[0])); d != 0 {
					blame["*"+string(letters[i-5:i])] += d
				}
			}
		}
	}
	fmt.Println(n, blame)
}
