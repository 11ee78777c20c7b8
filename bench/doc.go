// Package bench measures the whole system on the real binary: the exercise, submissions by twelve units, the board before two
// hundred viewers, webhooks, start, memory and size. It asserts no times, since machines differ; README.md beside it keeps what
// was measured, with the command to repeat each. Its one invariant: what it starts ends with the measurement, and what it
// writes lies on a real disk unless TMPDIR says otherwise, so that every commit it counts was durable.
package bench
