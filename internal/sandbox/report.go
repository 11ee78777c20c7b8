package sandbox

import (
	"encoding/json"
	"fmt"
)

// Report says which limits are in force; a reason stands for what is not.
type Report struct {
	Limits   bool   `json:"limits"` // processor time, memory, files, no core dump
	Landlock string `json:"landlock,omitempty"`
	Seccomp  string `json:"seccomp,omitempty"`
}

// TaskReport is the name of the task that every child has: to say what limits
// it.
const TaskReport = "report"

// With adds to the tasks the one that reports.
func (r Report) With(tasks map[string]Task) map[string]Task {
	out := map[string]Task{TaskReport: func([]byte) ([]byte, error) { return json.Marshal(r) }}
	for name, t := range tasks {
		out[name] = t
	}
	return out
}

// Lines are the report in words.
func (r Report) Lines() []string {
	word := func(reason string) string {
		if reason == "" {
			return "in force"
		}
		return "NOT in force: " + reason
	}
	limits := ""
	if !r.Limits {
		limits = "the system refused them"
	}
	return []string{
		fmt.Sprintf("limits on processor time, memory and files: %s", word(limits)),
		fmt.Sprintf("no file system (Landlock): %s", word(r.Landlock)),
		fmt.Sprintf("no network, files or programs (seccomp): %s", word(r.Seccomp)),
	}
}
