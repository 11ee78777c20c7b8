package identity

import "time"

const (
	freeAttempts = 4
	maxWait      = 15 * time.Minute
	forgetAfter  = 24 * time.Hour
)

// LoginWait says how long from now a log-in must still wait, given the failed
// attempts in a row for this account (or this address) and when the last one
// was. Four are free; then 1 s, 2 s, 4 s, ... up to 15 minutes. A day without
// attempt forgets them. An account is slowed and never locked, since a lock
// would let anyone shut out anyone.
func LoginWait(failures int, last, now time.Time) time.Duration {
	since := now.Sub(last)
	if failures < freeAttempts || since >= forgetAfter {
		return 0
	}
	pause := maxWait
	if n := failures - freeAttempts; n < 10 {
		pause = min(time.Second<<n, maxWait)
	}
	// A clock that was set back must not lengthen the wait.
	return min(max(pause-since, 0), pause)
}
