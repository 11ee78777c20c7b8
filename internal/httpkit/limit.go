package httpkit

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"concert"
)

// Rate is how often something costly may be asked for: so often at once, and so
// often a second in the long run.
type Rate struct {
	Name  string
	Burst float64
	Every float64 // a second
}

// The rates of one person. From one network come ten times as many, since an
// office has one address.
var (
	rateEntry  = Rate{"entry", 60, 1}    // log-ins, codes, passkeys
	rateSubmit = Rate{"submit", 400, 20} // finds handed in
	rateFind   = Rate{"find", 200, 20}   // lists and searches
	rateExport = Rate{"export", 30, 0.5} // what leaves as a file
	rateCheck  = Rate{"check", 6, 0.2}   // orders that anybody checks
)

// networkTimes is how many people's worth one network gets.
const networkTimes = 10

// rateOf is the rate that a request falls under; false for what costs little.
func rateOf(r *http.Request) (Rate, bool) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	if path == "/verify/order" || path == "/order-check" {
		return rateCheck, true
	}
	if r.Method == http.MethodPost {
		switch {
		case path == "/login", path == "/enter", strings.HasPrefix(path, "/login/"), strings.HasPrefix(path, "/enter/"), strings.HasPrefix(path, "/second"), strings.HasPrefix(path, "/step-up"),
			strings.HasSuffix(path, "/step-up"), strings.Contains(path, "/factors"):
			return rateEntry, true
		case path == "/submit", path == "/items", path == "/items/batch":
			return rateSubmit, true
		case strings.Contains(path, "/export"):
			return rateExport, true
		}
		return Rate{}, false
	}
	switch {
	case strings.Contains(path, "/export"), strings.HasSuffix(path, ".csv"), strings.HasPrefix(path, "/public/") && strings.HasSuffix(path, ".pdf"):
		return rateExport, true
	case path == "/public", strings.HasPrefix(path, "/public/"):
		return rateFind, true
	case path == "/items", strings.HasPrefix(path, "/find"), strings.HasPrefix(path, "/search"):
		return rateFind, true
	}
	return Rate{}, false
}

// limitsMost bounds what a node remembers: about 2 MB.
const limitsMost = 20_000

// Limits counts costly requests of this node, by person and by network, in
// bounded memory. Its zero value is ready. Another node counts for itself.
type Limits struct {
	mu   sync.Mutex // guards seen
	seen map[string]bucket
}

// bucket is how much was left at a moment.
type bucket struct {
	left float64
	at   time.Time
	rate Rate
}

// now is how much is left by now.
func (b bucket) now(now time.Time) float64 {
	return min(b.rate.Burst, b.left+b.rate.Every*max(now.Sub(b.at).Seconds(), 0))
}

// Take counts a request and refuses what is too often, with Retry-After. Who asks
// is taken from its person, "" for nobody.
func (l *Limits) Take(w http.ResponseWriter, r *http.Request, who concert.PersonID) error {
	rate, costly := rateOf(r)
	if !costly {
		return nil
	}
	now := time.Now()
	wide := Rate{rate.Name, rate.Burst * networkTimes, rate.Every * networkTimes}
	wait := l.take("n "+rate.Name+" "+Network(r), wide, now)
	if who != "" {
		wait = max(wait, l.take("p "+rate.Name+" "+string(who), rate, now))
	}
	if wait == 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return concert.Refuse(concert.Unavailable, "request.rate", "", "this was asked for too often: wait %d seconds and repeat it", seconds)
}

// take takes one out of a bucket; how long to wait where it is empty.
func (l *Limits) take(key string, rate Rate, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.seen[key]
	if !known {
		b = bucket{rate.Burst, now, rate}
		l.room(now)
	}
	b.left, b.at, b.rate = b.now(now), now, rate
	var wait time.Duration
	if b.left >= 1 {
		b.left--
	} else {
		wait = time.Duration((1 - b.left) / rate.Every * float64(time.Second))
	}
	l.seen[key] = b
	return wait
}

// room makes room for one more: first goes what says nothing any more, then
// what comes to hand.
func (l *Limits) room(now time.Time) {
	if l.seen == nil {
		l.seen = map[string]bucket{}
	}
	if len(l.seen) < limitsMost {
		return
	}
	for k, b := range l.seen {
		if b.now(now) >= b.rate.Burst {
			delete(l.seen, k)
		}
	}
	for k := range l.seen {
		if len(l.seen) < limitsMost-limitsMost/8 {
			return
		}
		delete(l.seen, k)
	}
}
