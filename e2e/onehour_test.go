package e2e

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"concert/internal/exercise"
	"concert/internal/testkit"
)

// The least hour of removal orders ends with every number as the script foresees it, which the world itself checks: every
// ending, every file verified offline, and a log that verifies.
func TestHourOfOrdersEndsAsForeseen(t *testing.T) {
	t.Parallel()
	path := program(t)
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			args := []string{"exercise", "-plan", exercise.PlanOneHour, "-json", "-exit", "-items", strconv.Itoa(exercise.MinOrders), "-speed", "720"}
			if database == "postgres" {
				args = append(args, "-database", testkit.Postgres(t))
			}
			ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
			defer stop()
			cmd := exec.CommandContext(ctx, path, args...)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			cmd.WaitDelay = 20 * time.Second
			cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, said.String())
			}
			var o struct {
				exercise.HourOutcome
				Providers, States, Alarms, Events int
				ElapsedS                          float64 `json:"elapsed_s"`
				Ledger                            struct{ Verified, Cosigned bool }
				Table                             string
			}
			lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
			testkit.Must(t, json.Unmarshal(lines[len(lines)-1], &o))
			if o.Issued != exercise.MinOrders || o.Received != o.Issued || o.Verified != o.Issued || o.Providers != 30 || o.States != 10 || o.Alarms == 0 || o.Void == 0 || !o.Ledger.Verified || !o.Ledger.Cosigned {
				t.Errorf("%+v", o)
			}
			if o.Missed != o.Late+o.Endings["silence"] || o.Executed != o.InTime+o.Late || len(o.RefusedBy) != 5 || len(o.ImpossibleBy) != 3 {
				t.Errorf("%+v", o.HourCounts)
			}
			table, err := os.Open(o.Table)
			testkit.Must(t, err)
			defer table.Close()
			rows, err := csv.NewReader(table).ReadAll()
			testkit.Must(t, err)
			sum := 0
			for _, n := range o.Endings {
				sum += n
			}
			if len(rows) != 1+sum || len(rows) <= o.Issued {
				t.Errorf("%d lines in the table of orders, %d endings", len(rows), sum)
			}
			t.Logf("%d events in %.1f s", o.Events, o.ElapsedS)
		})
	}
}
