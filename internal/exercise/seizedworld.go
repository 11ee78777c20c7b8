package exercise

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"
)

// seizedWorld is everything that lines are put together from.
type seizedWorld struct {
	addrs      []string
	nets       []string
	agents     []string
	botAgents  []string
	paths      []string
	referrers  []string
	campaigns  []string
	byVisitor  seizedAlias
	byPath     seizedAlias
	pathOrder  []int
	statusOf   seizedAlias
	statuses   []int
	dayStrings []string
}

func zipf(n int, s float64) seizedAlias {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / math.Pow(float64(i+1), s)
	}
	return newSeizedAlias(w)
}

func newSeizedWorld(seed uint64, keep func(netip.Addr) bool) *seizedWorld {
	w := &seizedWorld{byVisitor: zipf(seizedVisitors, 0.8), byPath: zipf(seizedPaths, 1.05), pathOrder: shuffled(seizedPaths, seed)}
	w.statuses = []int{200, 304, 206, 301, 302, 404, 403, 500}
	w.statusOf = newSeizedAlias([]float64{74, 8, 5, 3, 2, 6, 1.5, 0.5})
	w.people(seed, keep)
	languages := []string{"en", "ar", "fr", "de", "tr", "ru", "id", "ur", "es", "bn"}
	kinds := []string{"video", "audio", "news", "image", "book"}
	for i := range seizedPaths {
		w.paths = append(w.paths, fmt.Sprintf("/%s/%s/%d.html", languages[i%len(languages)], kinds[i/10%len(kinds)], i))
	}
	for i := range 400 {
		w.referrers = append(w.referrers, fmt.Sprintf("https://site-%d.example.org/page/%d", i%37, i))
	}
	for i := range 12 {
		w.campaigns = append(w.campaigns, "exercise_"+strconv.Itoa(i))
	}
	for i := range 200 {
		switch i % 4 {
		case 0:
			w.agents = append(w.agents, fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.%d.110 Safari/537.36", 50+i/8, 2800+i))
		case 1:
			w.agents = append(w.agents, fmt.Sprintf("Mozilla/5.0 (Windows NT 6.1; WOW64; rv:%d.0) Gecko/20100101 Firefox/%d.%d", 40+i/8, 40+i/8, i))
		case 2:
			w.agents = append(w.agents, fmt.Sprintf("Mozilla/5.0 (iPhone; CPU iPhone OS 10_%d like Mac OS X) AppleWebKit/602.%d.1 (KHTML, like Gecko) Version/10.0 Mobile/14E304 Safari/602.1", i%4, i))
		default:
			w.agents = append(w.agents, fmt.Sprintf("Mozilla/5.0 (Linux; Android 7.%d; SM-G93%d) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/58.0.3029.%d Mobile Safari/537.36", i%2, i, i))
		}
	}
	for i := range 23 {
		w.botAgents = append(w.botAgents, fmt.Sprintf("Mozilla/5.0 (compatible; exercisebot-%d/2.1; +http://b%d.example.net/)", i, i))
	}
	for d := range seizedDays + 1 {
		w.dayStrings = append(w.dayStrings, time.Unix(seizedStart+int64(d)*86400, 0).UTC().Format("02/Jan/2006:"))
	}
	return w
}

// people draws addresses that are kept: unique, public by their look, a twentieth of them IPv6,
// every fourth of which shares the network of the one before.
func (w *seizedWorld) people(seed uint64, keep func(netip.Addr) bool) {
	r := seizedRandom(seed * 77)
	seen := map[string]bool{}
	var last [16]byte
	for i := 0; i < seizedVisitors+seizedBots; {
		var a netip.Addr
		net := ""
		if r.chance(seizedSixShare) {
			var b [16]byte
			v := r.next()
			for k := range 8 {
				b[k], b[8+k] = byte(v>>(8*k)), byte(r.next())
			}
			b[0], b[1] = 0x2a, b[1]&0x0f
			if i%4 == 3 && last[0] != 0 {
				copy(b[:8], last[:8])
			}
			last = b
			a = netip.AddrFrom16(b)
			net = netip.PrefixFrom(a, 64).Masked().String()
		} else {
			v := r.next()
			b := [4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}
			if b[0] == 0 || b[0] == 10 || b[0] == 127 || b[0] >= 224 || b[0] == 192 || b[0] == 172 {
				continue
			}
			a = netip.AddrFrom4(b)
			net = a.String()
		}
		if s := a.String(); !seen[s] && (keep == nil || keep(a)) {
			seen[s] = true
			w.addrs, w.nets = append(w.addrs, s), append(w.nets, net)
			i++
		}
	}
}

// block writes the lines of one block.
func (w *seizedWorld) block(buf []byte, b, lines int, seed uint64, t *seizedTally) []byte {
	if cap(buf) == 0 {
		buf = make([]byte, 0, seizedBlock*260)
	}
	r := seizedRandom(seed<<32 ^ uint64(b)*0x2545f4914f6cdd1d)
	from, to := b*seizedBlock, min((b+1)*seizedBlock, lines)
	for i := from; i < to; i++ {
		sec := int64(float64(i) / float64(lines) * seizedDays * 86400)
		if r.next()%10_000 < 1 {
			t.garbage++
			buf = w.garbage(buf, &r)
			continue
		}
		buf = w.line(buf, &r, sec, t)
	}
	return buf
}

func (w *seizedWorld) garbage(buf []byte, r *seizedRandom) []byte {
	switch r.below(4) {
	case 0:
		buf = append(buf, "EXERCISE: no access at all "...)
		buf = strconv.AppendUint(buf, r.next(), 16)
	case 1:
		buf = append(buf, make([]byte, 40)...)
	case 2:
		buf = append(buf, w.addrs[r.below(len(w.addrs))]...)
		buf = append(buf, ` - - [01/Jan/2017:00:00`...)
	default:
		buf = append(buf, w.addrs[r.below(len(w.addrs))]...)
		buf = append(buf, ` - - [01/Jan/2017:00:00:00 +0000] "GET /unclosed`...)
	}
	return append(buf, '\n')
}

func (w *seizedWorld) line(buf []byte, r *seizedRandom, sec int64, t *seizedTally) []byte {
	bot := r.chance(seizedBotShare)
	v, which := 0, 0
	agent := ""
	if bot {
		v = seizedVisitors + r.below(seizedBots)
		agent = w.botAgents[v%len(w.botAgents)]
		t.bots++
	} else {
		v = w.byVisitor.draw(r)
		if v%5 == 0 && r.below(4) == 0 {
			which = 1
		}
		agent = w.agents[(v*7+which*13)%len(w.agents)]
	}
	t.pairs[v] |= 1 << which
	day := int(sec / 86400)
	t.day[day]++
	buf = append(buf, w.addrs[v]...)
	if !bot && v < SeizedAdministrators && r.below(50) == 0 {
		user := "exercise-admin-" + strconv.Itoa(v)
		t.users[user] = true
		buf = append(buf, " - "...)
		buf = append(buf, user...)
		buf = append(buf, " ["...)
	} else {
		buf = append(buf, " - - ["...)
	}
	buf = append(buf, w.dayStrings[day]...)
	s := int(sec % 86400)
	buf = two(buf, s/3600, ':')
	buf = two(buf, s/60%60, ':')
	buf = two(buf, s%60, ' ')
	buf = append(buf, `+0000] "`...)
	if r.below(40) == 0 {
		buf = append(buf, "POST "...)
	} else {
		buf = append(buf, "GET "...)
	}
	p := w.pathOrder[w.byPath.draw(r)]
	t.paths[p]++
	buf = append(buf, w.paths[p]...)
	switch r.below(20) {
	case 0, 1:
		buf = append(buf, "?token="...)
		buf = strconv.AppendUint(buf, r.next(), 36)
	case 2:
		c := w.campaigns[r.below(len(w.campaigns))]
		t.campaigns[c]++
		buf = append(buf, "?utm_source=exercise&utm_campaign="...)
		buf = append(buf, c...)
	}
	buf = append(buf, ` HTTP/1.1" `...)
	status := w.statuses[w.statusOf.draw(r)]
	t.status[status]++
	buf = strconv.AppendInt(buf, int64(status), 10)
	size := int64(r.next() % 164_000)
	t.bytes += size
	buf = append(buf, ' ')
	buf = strconv.AppendInt(buf, size, 10)
	if r.below(10) < 4 {
		buf = append(buf, ` "-" "`...)
	} else {
		buf = append(buf, ` "`...)
		buf = append(buf, w.referrers[r.below(len(w.referrers))]...)
		buf = append(buf, `" "`...)
	}
	buf = append(buf, agent...)
	return append(buf, "\"\n"...)
}

func two(buf []byte, n int, after byte) []byte {
	return append(buf, byte('0'+n/10), byte('0'+n%10), after)
}
