// Command gen-accesslog writes an invented access log in combined format, always
// the same for the same seed, and a truth file that says what it holds. Every
// address, path and name in it is made by program (EXERCISE).
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// The shape of the log: the figures of a server that was seized.
const (
	visitorCount = 52_000
	botCount     = 1_000
	botShare     = 0.15
	sixShare     = 0.05
	pathCount    = 100_000
	days         = 120
	blockLines   = 50_000
	start        = 1_483_228_800 // 2017-01-01
)

func main() {
	lines := flag.Int("lines", 20_000_000, "number of lines")
	seed := flag.Uint64("seed", 1, "seed")
	out := flag.String("o", "", "file to write; empty: standard output")
	truthTo := flag.String("truth", "", "file for the truth, as JSON")
	flag.Parse()
	if err := write(*lines, *seed, *out, *truthTo); err != nil {
		fmt.Fprintln(os.Stderr, "gen-accesslog:", err)
		os.Exit(1)
	}
}

// write makes blocks side by side and writes them in order.
func write(lines int, seed uint64, out, truthTo string) error {
	var w io.Writer = os.Stdout
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	world := newWorld(seed)
	blocks := (lines + blockLines - 1) / blockLines
	workers := runtime.GOMAXPROCS(0)
	truths := make([]*truth, workers)
	done := make([]chan []byte, blocks)
	for i := range done {
		done[i] = make(chan []byte, 1)
	}
	ahead := make(chan struct{}, 2*workers)
	free := make(chan []byte, 2*workers)
	var next sync.Mutex
	at := 0
	for i := range workers {
		truths[i] = newTruth()
		go func() {
			for {
				ahead <- struct{}{}
				next.Lock()
				b := at
				at++
				next.Unlock()
				if b >= blocks {
					return
				}
				var buf []byte
				select {
				case buf = <-free:
				default:
				}
				done[b] <- world.block(buf[:0], b, lines, seed, truths[i])
			}
		}()
	}
	total := int64(0)
	for i := range done {
		buf := <-done[i]
		if _, err := w.Write(buf); err != nil {
			return err
		}
		total += int64(len(buf))
		select {
		case free <- buf:
		default:
		}
		<-ahead
	}
	return writeTruth(truths, lines, total, world, truthTo)
}

// truth is what a part of the log holds.
type truth struct {
	garbage, bots, bytes int64
	status               [600]int64
	day                  [days + 1]int64
	pairs                []uint8 // bits: first agent, second agent
	paths                []int64
	campaigns            map[string]int64
	users                map[string]bool
}

func newTruth() *truth {
	return &truth{pairs: make([]uint8, visitorCount+botCount), paths: make([]int64, pathCount), campaigns: map[string]int64{}, users: map[string]bool{}}
}

// Truth is the truth file.
type Truth struct {
	Lines     int              `json:"lines"`
	Parsed    int64            `json:"parsed"`
	Rejected  int64            `json:"rejected"`
	FileBytes int64            `json:"file_bytes"`
	Bytes     int64            `json:"bytes"`
	Bots      int64            `json:"bots"`
	IP        int              `json:"visitors_ip"`
	IPHuman   int              `json:"visitors_ip_without_bots"`
	IPUA      int              `json:"visitors_ip_ua"`
	IP64      int              `json:"visitors_ip64"`
	Users     int              `json:"auth_users"`
	Paths     int              `json:"distinct_paths"`
	Status    map[string]int64 `json:"status"`
	PerDay    map[string]int64 `json:"per_day"`
	TopPath   string           `json:"top_path"`
	TopPathN  int64            `json:"top_path_accesses"`
	Campaigns map[string]int64 `json:"campaigns"`
}

func writeTruth(parts []*truth, lines int, total int64, w *world, to string) error {
	sum := newTruth()
	for _, p := range parts {
		sum.garbage += p.garbage
		sum.bots += p.bots
		sum.bytes += p.bytes
		for i := range p.status {
			sum.status[i] += p.status[i]
		}
		for i := range p.day {
			sum.day[i] += p.day[i]
		}
		for i := range p.pairs {
			sum.pairs[i] |= p.pairs[i]
		}
		for i := range p.paths {
			sum.paths[i] += p.paths[i]
		}
		for k, n := range p.campaigns {
			sum.campaigns[k] += n
		}
		for k := range p.users {
			sum.users[k] = true
		}
	}
	t := Truth{Lines: lines, Parsed: int64(lines) - sum.garbage, Rejected: sum.garbage, FileBytes: total, Bytes: sum.bytes, Bots: sum.bots, Users: len(sum.users),
		Status: map[string]int64{}, PerDay: map[string]int64{}, Campaigns: sum.campaigns}
	nets := map[string]bool{}
	for i, b := range sum.pairs {
		if b == 0 {
			continue
		}
		t.IP++
		if i < visitorCount {
			t.IPHuman++
		}
		t.IPUA += int(b&1 + b>>1&1)
		nets[w.nets[i]] = true
	}
	t.IP64 = len(nets)
	for i, n := range sum.status {
		if n > 0 {
			t.Status[strconv.Itoa(i)] = n
		}
	}
	for i, n := range sum.day {
		if n > 0 {
			t.PerDay[time.Unix(start+int64(i)*86400, 0).UTC().Format(time.DateOnly)] = n
		}
	}
	for i, n := range sum.paths {
		if n > 0 {
			t.Paths++
		}
		if n > t.TopPathN || n == t.TopPathN && n > 0 && w.paths[i] < t.TopPath {
			t.TopPathN, t.TopPath = n, w.paths[i]
		}
	}
	if to == "" {
		return nil
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	enc := json.NewEncoder(out)
	enc.SetIndent("", " ")
	if err := enc.Encode(t); err != nil {
		return err
	}
	return out.Flush()
}

// random is a small fast generator (SplitMix64).
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) below(n int) int { return int(r.next() >> 33 * uint64(n) >> 31) }

func (r *random) chance(p float64) bool { return float64(r.next()>>11)/(1<<53) < p }

// alias draws from a fixed distribution in constant time (Walker, Vose).
type alias struct {
	keep  []float64
	other []int32
}

func newAlias(weights []float64) alias {
	n, sum := len(weights), 0.0
	for _, w := range weights {
		sum += w
	}
	a := alias{make([]float64, n), make([]int32, n)}
	var small, large []int32
	scaled := make([]float64, n)
	for i, w := range weights {
		if scaled[i] = w / sum * float64(n); scaled[i] < 1 {
			small = append(small, int32(i))
		} else {
			large = append(large, int32(i))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.keep[s], a.other[s] = scaled[s], l
		if scaled[l] -= 1 - scaled[s]; scaled[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, i := range append(small, large...) {
		a.keep[i] = 1
	}
	return a
}

func (a alias) draw(r *random) int {
	i := r.below(len(a.keep))
	if float64(r.next()>>11)/(1<<53) < a.keep[i] {
		return i
	}
	return int(a.other[i])
}

func shuffled(n int, seed uint64) []int { return rand.New(rand.NewPCG(seed, 7)).Perm(n) }
