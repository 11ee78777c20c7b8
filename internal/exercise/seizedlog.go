package exercise

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// The shape of the log: the figures of a server that was seized.
const (
	seizedVisitors = 52_000
	seizedBots     = 1_000
	seizedBotShare = 0.15
	seizedSixShare = 0.05
	seizedPaths    = 100_000
	seizedDays     = 120
	seizedBlock    = 50_000
	seizedStart    = 1_483_228_800 // 2017-01-01
)

// SeizedAdministrators is how many of the invented visitors administer the server.
const SeizedAdministrators = 5

// SeizedLog is an invented access log in combined format, always the same for the
// same numbers. Every address, path and name in it is made by program (EXERCISE).
type SeizedLog struct {
	Lines int
	Seed  uint64
	Keep  func(netip.Addr) bool // visitors have only addresses that it keeps; nil: all
}

// Write makes blocks side by side, writes them in order, and says what they hold.
func (l SeizedLog) Write(w io.Writer) (SeizedTruth, error) {
	world := newSeizedWorld(l.Seed, l.Keep)
	blocks := (l.Lines + seizedBlock - 1) / seizedBlock
	workers := runtime.GOMAXPROCS(0)
	tallies := make([]*seizedTally, workers)
	done := make([]chan []byte, blocks)
	for i := range done {
		done[i] = make(chan []byte, 1)
	}
	ahead := make(chan struct{}, 2*workers)
	free := make(chan []byte, 2*workers)
	stop := make(chan struct{})
	defer close(stop)
	var next sync.Mutex
	at := 0
	for i := range workers {
		tallies[i] = newSeizedTally()
		go func() {
			for {
				select {
				case ahead <- struct{}{}:
				case <-stop:
					return
				}
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
				done[b] <- world.block(buf[:0], b, l.Lines, l.Seed, tallies[i])
			}
		}()
	}
	total := int64(0)
	for i := range done {
		buf := <-done[i]
		if _, err := w.Write(buf); err != nil {
			return SeizedTruth{}, err
		}
		total += int64(len(buf))
		select {
		case free <- buf:
		default:
		}
		<-ahead
	}
	return world.truth(tallies, l.Lines, total), nil
}

// WriteAuth is the same server's log of secure shell: each administrator logs in
// on some days and works for a while; strangers try and fail.
func (l SeizedLog) WriteAuth(w io.Writer) error {
	world := newSeizedWorld(l.Seed, l.Keep)
	r := seizedRandom(l.Seed * 131)
	for day := range seizedDays {
		for who := range SeizedAdministrators {
			if (day+who)%7 != 0 {
				continue
			}
			at := time.Unix(seizedStart+int64(day)*86400+int64(r.below(80_000)), 0).UTC()
			pid := 1000 + day*10 + who
			if _, err := fmt.Fprintf(w, "%s exercise sshd[%d]: Accepted publickey for exercise-admin-%d from %s port %d ssh2: ED25519 SHA256:EXERCISEexerciseEXERCISEexerciseEXERCISE%03d\n", at.Format(authTime), pid, who, world.addrs[who], 20_000+r.below(40_000), who); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s exercise sshd[%d]: Failed password for root from %s port %d ssh2\n", at.Add(time.Minute).Format(authTime), pid+5, world.addrs[10+r.below(1000)], 20_000+r.below(40_000)); err != nil {
				return err
			}
		}
	}
	return nil
}

// authTime is how the system's log writes times (RFC 3339, as rsyslog does).
const authTime = "2006-01-02T15:04:05.000000-07:00"

// Judged is a list of the server's paths that a person judged: films and recordings,
// a path a line.
func (l SeizedLog) Judged() []byte {
	world := newSeizedWorld(l.Seed, l.Keep)
	var out []byte
	for i, p := range world.paths {
		if i/10%5 < 2 {
			out = append(append(out, p...), '\n')
		}
	}
	return out
}

// Canaries are the addresses and user names of the administrators: what may stand
// nowhere in the clear once the server is read.
func (l SeizedLog) Canaries() []string {
	world := newSeizedWorld(l.Seed, l.Keep)
	var out []string
	for i := range SeizedAdministrators {
		out = append(out, world.addrs[i], "exercise-admin-"+strconv.Itoa(i))
	}
	return out
}

// seizedTally is what a part of the log holds.
type seizedTally struct {
	garbage, bots, bytes int64
	status               [600]int64
	day                  [seizedDays + 1]int64
	pairs                []uint8 // bits: first agent, second agent
	paths                []int64
	campaigns            map[string]int64
	users                map[string]bool
}

func newSeizedTally() *seizedTally {
	return &seizedTally{pairs: make([]uint8, seizedVisitors+seizedBots), paths: make([]int64, seizedPaths), campaigns: map[string]int64{}, users: map[string]bool{}}
}

// SeizedTruth says what an invented log holds.
type SeizedTruth struct {
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

func (w *seizedWorld) truth(parts []*seizedTally, lines int, total int64) SeizedTruth {
	sum := newSeizedTally()
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
	t := SeizedTruth{Lines: lines, Parsed: int64(lines) - sum.garbage, Rejected: sum.garbage, FileBytes: total, Bytes: sum.bytes, Bots: sum.bots, Users: len(sum.users),
		Status: map[string]int64{}, PerDay: map[string]int64{}, Campaigns: sum.campaigns}
	nets := map[string]bool{}
	for i, b := range sum.pairs {
		if b == 0 {
			continue
		}
		t.IP++
		if i < seizedVisitors {
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
			t.PerDay[time.Unix(seizedStart+int64(i)*86400, 0).UTC().Format(time.DateOnly)] = n
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
	return t
}

// seizedRandom is a small fast generator (SplitMix64).
type seizedRandom uint64

func (r *seizedRandom) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *seizedRandom) below(n int) int { return int(r.next() >> 33 * uint64(n) >> 31) }

func (r *seizedRandom) chance(p float64) bool { return float64(r.next()>>11)/(1<<53) < p }

// seizedAlias draws from a fixed distribution in constant time (Walker, Vose).
type seizedAlias struct {
	keep  []float64
	other []int32
}

func newSeizedAlias(weights []float64) seizedAlias {
	n, sum := len(weights), 0.0
	for _, w := range weights {
		sum += w
	}
	a := seizedAlias{make([]float64, n), make([]int32, n)}
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

func (a seizedAlias) draw(r *seizedRandom) int {
	i := r.below(len(a.keep))
	if float64(r.next()>>11)/(1<<53) < a.keep[i] {
		return i
	}
	return int(a.other[i])
}

func shuffled(n int, seed uint64) []int { return rand.New(rand.NewPCG(seed, 7)).Perm(n) }
