package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"concert"
	"concert/internal/exercise"
	"concert/internal/store"
	"concert/order"
)

// hourEve is the evening before the hour, in case time: an invented date.
var hourEve = time.Date(2026, 5, 19, 20, 0, 0, 0, time.UTC)

// hourRate is how fast case time runs in the plan one-hour: the hour takes half a minute,
// and what is answered in its last minutes another half.
const hourRate = 120

// openHour makes the invented world of the plan one-hour. The fingerprint of the key that
// signs the register of orders is told to it here, and not by the server.
func (r *rehearsal) openHour(c exercise.Config) error {
	svc := r.node.svc
	c.Jump, c.Root = svc.JumpClock, order.FingerprintOf(svc.TransportKey())
	var err error
	if r.hour, err = exercise.NewHour(c); err != nil {
		return err
	}
	return r.hour.Listen()
}

// hourOutcome is the last line with -json (docs/onehour.md).
type hourOutcome struct {
	Plan        string `json:"plan"`
	Authorities int    `json:"authorities"`
	Providers   int    `json:"providers"`
	States      int    `json:"states"`
	exercise.HourOutcome
	Alarms    int     `json:"alarms"`
	AlarmLate spread  `json:"alarm_lateness_s"`   // wall seconds from the moment at which an alarm was due to its event
	MissLate  spread  `json:"missed_lateness_s"`  // the same, of hours that ended without an answer
	Delivery  spread  `json:"issue_to_receipt_s"` // wall seconds, those of providers that are slow, busy or ill included
	Events    int64   `json:"events"`
	ElapsedS  float64 `json:"elapsed_s"`
	PeakRSSMB float64 `json:"peak_rss_mb"`
	Database  string  `json:"database"`
	Ledger    ledger  `json:"ledger"`
	Data      string  `json:"data"`
	Table     string  `json:"table"`

	Witnesses []concert.RehearsedWitness `json:"witnesses,omitempty"` // what each cosigned (docs/witness.md)
}

// spread is how spans are spread, in seconds.
type spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func spreadOf(spans []time.Duration) spread {
	if len(spans) == 0 {
		return spread{}
	}
	slices.Sort(spans)
	at := func(part float64) float64 { return spans[int(part*float64(len(spans)-1)+.5)].Seconds() }
	return spread{at(.5), at(.99), at(1)}
}

// oneHour plays the plan and tells what came of it.
func (r *rehearsal) oneHour(ctx context.Context, begun time.Time) error {
	o, err := r.playHour(ctx)
	if err != nil {
		return fmt.Errorf("exercise: %w (data kept in %s)", err, r.dir)
	}
	r.node.svc.StopClock()
	out := hourOutcome{Plan: r.cmd.Plan, HourOutcome: o, ElapsedS: time.Since(begun).Seconds(), Database: r.node.svc.DB.Dialect(), Data: r.dir}
	if err := r.concludeHour(ctx, &out); err != nil {
		return err
	}
	r.tellHour(out)
	if err := r.last(out); err != nil || r.cmd.Exit {
		return err
	}
	fmt.Fprintln(r.e.stderr, "The server stays up until you stop it (Ctrl-C).")
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.done:
		return err
	}
}

func (r *rehearsal) playHour(ctx context.Context) (exercise.HourOutcome, error) {
	if err := r.hour.Setup(ctx); err != nil {
		return exercise.HourOutcome{}, err
	}
	fmt.Fprintf(r.e.stderr, "EXERCISE: everything is invented. Data directory %s\n", r.dir)
	return r.hour.Run(ctx)
}

// concludeHour measures by the events, verifies the log and writes the table of orders.
func (r *rehearsal) concludeHour(ctx context.Context, o *hourOutcome) error {
	svc := r.node.svc
	if err := svc.PublishLog(ctx); err != nil {
		return err
	}
	if err := svc.AskWitnesses(ctx, lastCosignMost); err != nil {
		return err
	}
	o.Witnesses = r.gallery.seen()
	if err := r.measureHour(ctx, o); err != nil {
		return err
	}
	g, err := svc.Registers(ctx)
	if err != nil {
		return err
	}
	states := map[string]bool{}
	for _, row := range o.Orders {
		states[row.State] = true
	}
	o.Authorities, o.Providers, o.States = len(g.Authorities), len(g.Providers), len(states)
	v, err := svc.VerifyLog(ctx, r.gallery.keys())
	if err != nil {
		return err
	}
	if o.Events, o.Ledger = v.Size, (ledger{v.Size, v.Root, v.Verified, !v.SelfAttested}); !v.Verified {
		return fmt.Errorf("the log does not verify: %s (data kept in %s)", v.Problem, r.dir)
	}
	o.PeakRSSMB, o.Table = peakRSS(), filepath.Join(r.dir, "orders.csv")
	f, err := os.Create(o.Table)
	if err != nil {
		return err
	}
	if err := o.WriteCSV(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// measureHour reads from the events how late alarms were and how long orders were on
// their way. Only the hour's own clock counts: what a jump of case time passed by came
// late by design.
func (r *rehearsal) measureHour(ctx context.Context, o *hourOutcome) error {
	issued := map[string]int64{}
	var alarms, misses, ways []time.Duration
	wall := func(from, to int64) time.Duration {
		return r.node.svc.Time.Wall(time.Duration(to-from) * time.Microsecond)
	}
	err := r.node.svc.DB.View(ctx, func(tx *store.Tx) error {
		clear(issued)
		alarms, misses, ways = nil, nil, nil
		return tx.EventsMade(ctx, time.Time{}, time.Time{}, func(e concert.RecordedEvent) error {
			switch e.Kind {
			case concert.EventOrderIssued, concert.EventOrderReceived, concert.EventOrderAlarmed, concert.EventOrderMissed:
			default:
				return nil
			}
			var b concert.OrderBody
			if err := json.Unmarshal(e.Body, &b); err != nil {
				return fmt.Errorf("event %s: %w", e.ID, err)
			}
			switch due := b.DueAt - int64(b.Left)*time.Minute.Microseconds(); {
			case e.Kind == concert.EventOrderIssued:
				issued[e.Subject] = e.At
			case e.Kind == concert.EventOrderReceived:
				ways = append(ways, wall(issued[e.Subject], e.At))
			case b.Term != concert.TermRemoval:
			case e.Kind == concert.EventOrderAlarmed:
				alarms = append(alarms, wall(due, e.At))
			default:
				misses = append(misses, wall(b.DueAt, e.At))
			}
			return nil
		})
	})
	o.Alarms, o.AlarmLate, o.MissLate, o.Delivery = len(alarms), spreadOf(alarms), spreadOf(misses), spreadOf(ways)
	return err
}

// tellHour is the outcome for people.
func (r *rehearsal) tellHour(o hourOutcome) {
	w := io.Writer(r.e.stderr)
	fmt.Fprintf(w, "\n%d orders issued in one hour to %d providers in %d states, %.1f s on %s, peak memory %.0f MB\n", o.Issued, o.Providers, o.States, o.ElapsedS, o.Database, o.PeakRSSMB)
	fmt.Fprintf(w, "  received %d, their files verified offline %d\n", o.Received, o.Verified)
	fmt.Fprintf(w, "  executed %d: in time %d, late %d; hours missed %d\n", o.Executed, o.InTime, o.Late, o.Missed)
	fmt.Fprintf(w, "  Annex III: %s; clarified %d\n", pairs(o.ImpossibleBy), o.Clarified)
	fmt.Fprintf(w, "  withdrawn %d, void %d, dropped %d, non-disclosure lapsed %d\n", o.Withdrawn, o.Void, o.Dropped, o.Lapsed)
	fmt.Fprintf(w, "  refused: %s\n", pairs(o.RefusedBy))
	fmt.Fprintf(w, "  alarms %d, late by p50 %.2f s, p99 %.2f s, at most %.2f s; hours found missed after at most %.2f s\n", o.Alarms, o.AlarmLate.P50, o.AlarmLate.P99, o.AlarmLate.Max, o.MissLate.Max)
	fmt.Fprintf(w, "  from issue to receipt p50 %.2f s, p99 %.2f s (wall time)\n", o.Delivery.P50, o.Delivery.P99)
	tellWitnesses(w, o.Witnesses)
	fmt.Fprintf(w, "Log: %d events, root %s, verified %t\nOrders: %s\nRecount: concert export -data %s FILE && concert verify -json FILE\n", o.Events, o.Ledger.Root, o.Ledger.Verified, o.Table, r.dir)
}

// pairs are counts by name, on one line.
func pairs(m map[string]int) string {
	out := ""
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf("%s %d", k, m[k])
	}
	return out
}
