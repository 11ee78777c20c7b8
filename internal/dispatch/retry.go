package dispatch

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter bounds what a receiver may ask for.
const MaxRetryAfter = 24 * time.Hour

// schedule is Standard Webhooks 1.0's: the pause before each attempt.
var schedule = [...]time.Duration{
	0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// MaxAttempts is the number of attempts in the schedule; about three days pass
// from the first to the last.
const MaxAttempts = len(schedule)

// slowest is the least pause after an endpoint said that it is overloaded and
// did not say for how long.
const slowest = time.Minute

// NextAttempt says what follows after attempt number attempt (the first is 1;
// 0 asks when to make the first) ended with receipt r: wait so long and try
// again, or give up. jitter in [0,1) spreads pauses by up to a fifth, upwards
// only, so that an attempt is never earlier than the schedule or Retry-After
// say. giveUp with Gone means: disable the endpoint; with any other outcome:
// the attempts are used up, or can never succeed, and a person must look.
// After Accepted there is nothing to do: giveUp is true, too.
func NextAttempt(attempt int, r Receipt, jitter float64) (delay time.Duration, giveUp bool) {
	if attempt <= 0 {
		return 0, false
	}
	switch r.Outcome {
	case Accepted, Gone, Invalid, Bounced:
		return 0, true
	}
	if attempt >= MaxAttempts {
		return 0, true
	}
	delay = schedule[attempt]
	if r.Outcome == SlowDown && r.RetryAfter == 0 {
		delay = max(delay, slowest)
	}
	delay = max(delay, min(r.RetryAfter, MaxRetryAfter))
	// Written so that NaN counts as no jitter.
	if !(jitter >= 0 && jitter < 1) {
		jitter = 0
	}
	return delay + time.Duration(jitter*float64(delay)/5), false
}

// ParseRetryAfter reads a Retry-After header (RFC 9110 section 10.2.3): whole
// seconds or an HTTP date. What cannot be read, is negative or past gives 0;
// what is longer than MaxRetryAfter gives MaxRetryAfter.
func ParseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" || len(value) > 64 {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), MaxRetryAfter)
}
