package witness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"concert/internal/durable"
	"concert/tlog"
)

const (
	// recentMost is how many of the newest checkpoints are all kept; of those
	// before, the last of each hour.
	recentMost = 512
	// refusedMost bounds the refusals that are kept: the newest.
	refusedMost = 64
)

// entry is one cosigned checkpoint, a line of the file and of GET /history.
type entry struct {
	Size       int64     `json:"size"`
	At         time.Time `json:"at"` // of the cosignature
	Checkpoint string    `json:"checkpoint"`
}

// history is the checkpoints that a witness cosigned of one log, oldest first. It
// is no part of what decides: a fork is found by the last one alone, and by these
// where it began.
type history struct {
	path    string
	file    *os.File
	entries []entry
	added   int // since the file was thinned out
}

// openHistory reads the file. A last line that was cut off by the end of a
// process is left out; any other damage is refused.
func openHistory(path string) (*history, error) {
	h := &history{path: path}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for n, line := range bytes.Split(bytes.TrimSuffix(whole, []byte("\n")), []byte("\n")) {
		if len(whole) == 0 {
			break
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s line %d: %w; put the file back as it was, or move it away: the witness goes on without its history", path, n+1, err)
		}
		h.entries = append(h.entries, e)
	}
	if len(whole) != len(text) {
		if err := durable.WriteFile(path, whole, 0o600); err != nil {
			return nil, err
		}
	}
	return h, h.open()
}

func (h *history) open() (err error) {
	h.file, err = os.OpenFile(h.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return err
}

func (h *history) close() error {
	if h.file == nil {
		return nil
	}
	err := h.file.Close()
	h.file = nil
	return err
}

// last is the newest entry, the zero one for none.
func (h *history) last() entry {
	if len(h.entries) == 0 {
		return entry{}
	}
	return h.entries[len(h.entries)-1]
}

// add appends an entry and returns once it is on the disk.
func (h *history) add(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if h.file == nil {
		if err := h.open(); err != nil {
			return err
		}
	}
	if _, err := h.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if err := h.file.Sync(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	h.entries = append(h.entries, e)
	if h.added++; h.added < recentMost || len(h.entries) < 2*recentMost {
		return nil
	}
	h.entries, h.added = thinned(h.entries), 0
	if err := h.close(); err != nil {
		return err
	}
	if err := durable.WriteFile(h.path, h.text(), 0o600); err != nil {
		return err
	}
	return h.open()
}

// text is the whole file.
func (h *history) text() []byte {
	var b bytes.Buffer
	for _, e := range h.entries {
		line, err := json.Marshal(e)
		if err != nil {
			continue // numbers, a time and a string
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

// thinned keeps the newest entries, and of those before them the last of each
// hour.
func thinned(entries []entry) []entry {
	if len(entries) <= recentMost {
		return entries
	}
	old := entries[:len(entries)-recentMost]
	var out []entry
	for i, e := range old {
		if i+1 == len(old) || !old[i+1].At.Truncate(time.Hour).Equal(e.At.Truncate(time.Hour)) {
			out = append(out, e)
		}
	}
	return append(out, entries[len(old):]...)
}

// Refusal is a checkpoint that the log signed and that was not shown to go on
// from what the witness had cosigned. With the one that it had cosigned it is
// proof of a fork where both have one size; otherwise the proof that came with it
// may have been a bad one, and anybody can send such a one.
type Refusal struct {
	At         time.Time `json:"at"`
	Status     int       `json:"status"` // of the answer: 409 or 422
	Reason     string    `json:"reason"`
	Checkpoint string    `json:"checkpoint"` // signed by the log
	Cosigned   string    `json:"cosigned"`   // that the witness had cosigned before
}

// refuse keeps a refusal that says something about the log's history, once for
// each checkpoint.
func (l *watched) refuse(why error, now time.Time) error {
	r, ok := errors.AsType[*tlog.WitnessRefusal](why)
	if !ok || len(r.Signed) == 0 || slices.ContainsFunc(l.refused, func(x Refusal) bool { return x.Checkpoint == string(r.Signed) }) {
		return nil
	}
	l.refused = append(l.refused, Refusal{At: now.UTC().Truncate(time.Second), Status: r.Status, Reason: r.Error(), Checkpoint: string(r.Signed), Cosigned: l.signed})
	l.refused = l.refused[max(0, len(l.refused)-refusedMost):]
	return l.writeRefused()
}

// settle takes away the refusal of a checkpoint that was cosigned after all:
// only its proof had been bad.
func (l *watched) settle(head tlog.Head) error {
	text := tlog.Checkpoint{Origin: l.origin, Head: head}.Marshal()
	left := slices.DeleteFunc(slices.Clone(l.refused), func(r Refusal) bool {
		return len(r.Checkpoint) > len(text) && r.Checkpoint[:len(text)+1] == text+"\n"
	})
	if len(left) == len(l.refused) {
		return nil
	}
	l.refused = left
	return l.writeRefused()
}

func (l *watched) writeRefused() error {
	text, err := json.MarshalIndent(l.refused, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(l.path+".refused", append(text, '\n'), 0o600)
}

func readRefused(path string) (out []Refusal, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("%s: %w; put the file back as it was, or move it away", path, err)
	}
	return out, nil
}
