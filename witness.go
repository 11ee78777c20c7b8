package concert

import "time"

const (
	// CosignEvery is how often a witness is asked at most: what the log published
	// meanwhile is cosigned with the newest head.
	CosignEvery = 2 * time.Second
	// CosignTerm is for how long one node has the turn to ask a witness; longer
	// than it waits for the answer.
	CosignTerm = 15 * time.Second
	// CosignLate is after how long without a cosignature a witness is shown as late.
	CosignLate = 2 * time.Minute
	// CosignFresh is how old the newest cosignature may be, for whoever verifies a
	// log that goes on, before events behind it count as the log's own word alone.
	CosignFresh = 10 * time.Minute
	// cosignRetryMost bounds the wait before a witness that did not answer is asked again.
	cosignRetryMost = time.Minute
	// cosignProblemMost bounds what is kept of a witness's answer, in bytes.
	cosignProblemMost = 300
)

// LogWitness is what a deployment knows of one witness of its log. Times are wall
// time: a witness outside knows no other.
type LogWitness struct {
	Origin     string // of the log
	Key        string // the witness's public key
	Size       int64  // of the head that it cosigned last, 0 for none
	Checkpoint string // that head as the log signed it
	Line       string // the witness's signature line to it
	CosignedAt time.Time
	NextAt     time.Time // not to be asked before
	Failures   int       // in a row
	FailingAt  time.Time // since when it does not cosign; zero where it does
	Problem    string    // why, "" for none
}

// Due reports whether the witness is to be asked to cosign a checkpoint now.
func (w LogWitness) Due(checkpoint string, now time.Time) bool {
	return checkpoint != "" && checkpoint != w.Checkpoint && !now.Before(w.NextAt)
}

// Cosigned is the witness after it cosigned a checkpoint over size events.
func (w LogWitness) Cosigned(size int64, checkpoint, line string, at, now time.Time) LogWitness {
	w.Size, w.Checkpoint, w.Line, w.CosignedAt = size, checkpoint, line, at
	w.NextAt, w.Failures, w.FailingAt, w.Problem = now.Add(CosignEvery), 0, time.Time{}, ""
	return w
}

// Failed is the witness after it was asked and did not cosign. It is asked again
// after a wait that doubles up to a minute.
func (w LogWitness) Failed(problem string, now time.Time) LogWitness {
	if len(problem) > cosignProblemMost {
		problem = problem[:cosignProblemMost] + "…"
	}
	if w.FailingAt.IsZero() {
		w.FailingAt = now
	}
	wait := min(CosignEvery<<min(w.Failures, 10), cosignRetryMost)
	w.Failures, w.Problem, w.NextAt = w.Failures+1, problem, now.Add(wait)
	return w
}

// Late reports whether the witness has not cosigned for too long.
func (w LogWitness) Late(now time.Time) bool {
	return !w.FailingAt.IsZero() && now.Sub(w.FailingAt) > CosignLate
}

// WitnessRefusal is that a witness would not cosign, since it had cosigned
// another history: the heads of both sides.
type WitnessRefusal struct {
	Witness string // its name
	Key     string
	Status  int      // of its answer (https://c2sp.org/tlog-witness): 409 or 422
	Size    int64    // of the head that it was asked to cosign
	Root    [32]byte // of that head
	Had     int64    // size of the head that it had cosigned, as it says
}

// WitnessRefusedBody is the body of log.witness_refused and log.witness_resumed.
type WitnessRefusedBody struct {
	Witness string `json:"witness"`
	Key     string `json:"key"`
	Status  int    `json:"status,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Root    string `json:"root,omitempty"` // hex
	Had     int64  `json:"had,omitempty"`
}

// Refused is the alarm about a refusal, which lasts until the witness cosigns
// again, and its event.
func (r WitnessRefusal) Refused(id AlarmID, root string, now time.Time) (Alarm, Event) {
	a := Alarm{ID: id, Kind: AlarmWitness, Witness: r.Witness, At: now}
	return a, NewEvent(EventLogWitnessRefused, House, string(id), now, WitnessRefusedBody{r.Witness, r.Key, r.Status, r.Size, root, r.Had})
}

// Reconciled ends the alarm about a witness that cosigns again.
func (a Alarm) Reconciled(key string, now time.Time) (Alarm, Event) {
	a.EndedAt = now
	return a, NewEvent(EventLogWitnessResumed, House, string(a.ID), now, WitnessRefusedBody{Witness: a.Witness, Key: key})
}
