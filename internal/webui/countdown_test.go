package webui

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"concert"
	"concert/internal/design"
)

// A legal clock as people read it, under fake time: what runs, is nearly over, is over, stands still, was met, was met too late, lapsed.
func TestCountdownSaysByShapeAndTextHowMuchIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now().UTC() // midnight of 1 January 2000
		due := begun.Add(time.Hour)
		hour := concert.Deadline{Term: concert.TermRemoval, State: concert.DeadlineRunning, StartedAt: begun, DueAt: due}
		with := func(change func(*concert.Deadline)) concert.Deadline { d := hour; change(&d); return d }
		term := concert.Term{Key: concert.TermRemoval, Article: "3(3)", Length: concert.Span{Hours: 1}, Starts: "receipt", Stops: "feedback", Pauses: []concert.TermPause{{Why: concert.ImpossibleForce, Until: "it ceased", Anew: true, Evidence: "notice"}}}
		at := func(minutes int) { time.Sleep(time.Until(begun.Add(time.Duration(minutes) * time.Minute))) }
		see := func(name string, d concert.Deadline, stage, text string) {
			t.Helper()
			c := countingOf(t.Context(), d, time.Now())
			if c.Stage != stage || c.Text != text {
				t.Errorf("%s: %s %q, want %s %q", name, c.Stage, c.Text, stage, text)
			}
			if stageMarks[c.Stage] == "" || stageTones[c.Stage] == "" {
				t.Errorf("%s: the stage %q has no shape", name, c.Stage)
			}
		}
		at(26)
		see("running", hour, stageCalm, "34 min left, ends 01:00 UTC")
		stopped, err := hour.Paused(term, concert.ImpossibleForce, time.Now())
		must(t, err)
		at(30)
		see("half an hour", hour, stageSoon, "30 min left, ends 01:00 UTC")
		see("stands still", stopped, stageStill, "stands still since 00:26 UTC (force majeure or de facto impossibility)")
		at(48)
		met, err := hour.Met(time.Now())
		must(t, err)
		see("met", met, stageMet, "met 12 min before the end")
		at(50)
		see("ten minutes", hour, stageNear, "10 min left, ends 01:00 UTC")
		time.Sleep(9*time.Minute + 30*time.Second)
		see("the last minute", hour, stageNear, "less than a minute left, ends 01:00 UTC")
		at(60)
		see("its last moment", hour, stageNear, "less than a minute left, ends 01:00 UTC")
		at(63)
		see("over, though no clock has seen it yet", hour, stageOver, "over by 3 min, since 01:00 UTC")
		missed, fell := hour.Fell(time.Now())
		if !fell {
			t.Fatal("it did not fall")
		}
		see("missed", missed, stageOver, "over by 3 min, since 01:00 UTC")
		window := with(func(d *concert.Deadline) { d.Term, d.Window = concert.TermScrutinyAsk, true })
		see("a window that passed", window, stageEnd, "passed at 01:00 UTC")
		lapsed, _ := window.Fell(time.Now())
		see("lapsed", lapsed, stageEnd, "passed at 01:00 UTC")
		late, err := missed.Met(time.Now())
		must(t, err)
		at(24 * 60)
		see("met too late", late, stageLate, "done 3 min too late")
		see("met, a day on", met, stageMet, "met 12 min before the end")
		void, err := hour.Voided("order withdrawn")
		must(t, err)
		see("void", void, stageEnd, "runs no more")
		notice := concert.Deadline{Term: concert.TermFirstContact, State: concert.DeadlineRunning, Least: true, StartedAt: time.Now(), DueAt: time.Now().Add(12 * time.Hour)}
		see("twelve hours", notice, stageWait, "12 h 0 min to go, until 12:00 UTC")
		time.Sleep(13 * time.Hour)
		see("twelve hours over", notice, stageMet, "over since 12:00 UTC")
		see("a day ago it is named by its date", missed, stageOver, "over by 36 h 0 min, since 1 Jan 2000, 01:00 UTC")
	})
}

func TestCountdownIsReadWithoutColourAndWithoutScript(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 28, 14, 0, 0, 0, time.UTC)
	running := concert.Deadline{Term: concert.TermRemoval, State: concert.DeadlineRunning, StartedAt: now.Add(-53 * time.Minute), DueAt: now.Add(7 * time.Minute)}
	kept := concert.Deadline{Term: concert.TermPreservation, State: concert.DeadlineMet, StartedAt: now, DueAt: now, MetAt: now}
	var b strings.Builder
	must(t, countdown([]concert.Deadline{kept, running}, now).Render(t.Context(), &b))
	out := b.String()
	for _, want := range []string{`data-stage="near"`, "7 min left, ends 14:07 UTC", `role="status"`, `aria-hidden="true"`, `stroke-dasharray="11.7 100"`, `data-left="{} left, ends 14:07 UTC"`} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %s:\n%s", want, out)
		}
	}
	if strings.Index(out, "7 min left") > strings.Index(out, `data-stage="met"`) {
		t.Error("what runs does not come first")
	}
	b.Reset()
	must(t, countdown(nil, now).Render(t.Context(), &b))
	if b.String() != "" {
		t.Errorf("of nothing it shows %q", b.String())
	}
	arabic, _ := design.LanguageOf("ar")
	b.Reset()
	must(t, countdown([]concert.Deadline{running}, now).Render(design.WithReader(t.Context(), design.Reader{Language: arabic}), &b))
	if !strings.Contains(b.String(), "بقي") {
		t.Errorf("in Arabic:\n%s", b.String())
	}
}
