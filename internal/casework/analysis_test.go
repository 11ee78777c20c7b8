package casework_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concert"
	"concert/internal/casework"
	"concert/internal/sandbox"
	"concert/internal/testkit"
)

const whatFor = "EXERCISE: which days, which files"

// seizedServer is an exhibit in a case of the north, whose bag and working copy lie where this node looks: two logs, one of them packed, and
// what is none.
func seizedServer(t *testing.T, h *testkit.House) (concert.Case, concert.Exhibit, string) {
	t.Helper()
	h.Exhibits, h.Children = t.TempDir(), testkit.Children(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(testkit.SeizedLog(30))
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	bag := testkit.SealFiles(t, h.Exhibits, map[string][]byte{"logs/access.log": testkit.SeizedLog(40), "logs/access.log.1.gz": packed.Bytes(), "index.html": []byte("EXERCISE <p>page</p>\n")})
	copied := filepath.Join(h.Exhibits, "work-1")
	bag.Copy(t, copied)
	c := opened(h, t)
	x, err := h.AddExhibit(t.Context(), h.North.Officers[0], c.Ref, "EXERCISE server", bag.Files(t))
	testkit.Must(t, err)
	return c, x, copied
}

func analysisAsked(t *testing.T, h *testkit.House, x concert.Exhibit, files ...string) concert.Analysis {
	t.Helper()
	a, err := h.AskAnalysis(t.Context(), h.North.Officers[0], x.Ref, concert.Analysis{Purpose: whatFor, Files: files})
	testkit.Must(t, err)
	return a
}

// ended waits for an analysis, however it ends.
func ended(t *testing.T, h *testkit.House, x concert.Exhibit, n int64) casework.AnalysisView {
	t.Helper()
	var v casework.AnalysisView
	testkit.Await(t, "the analysis ends", func() bool {
		var err error
		v, err = h.ReadAnalysis(t.Context(), testkit.Scope(t, h.North.Officers[0]), x.Ref, n)
		testkit.Must(t, err)
		return !v.Open()
	})
	return v
}

// analysisEvent is the body of an analysis's event of a kind.
func analysisEvent(t *testing.T, h *testkit.House, a concert.Analysis, kind concert.EventKind) (concert.AnalysisBody, string) {
	t.Helper()
	var raw string
	testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT body FROM event WHERE kind = '"+string(kind)+"' AND subject = '"+string(a.ID)+"'").Scan(&raw))
	var b concert.AnalysisBody
	testkit.Must(t, json.Unmarshal([]byte(raw), &b))
	return b, raw
}

// P9, G25: the logs of an exhibit are counted from a working copy, each as the manifest has it; the report is kept sealed, and nobody's
// address, name or token stands in it, in the database or in the log of the house.
func TestP9AnExhibitsLogsAreCountedAndNobodyStandsInWhatIsKept(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		c, x, _ := seizedServer(t, h)
		a := analysisAsked(t, h, x)
		for _, by := range []concert.Actor{h.South.Officers[0], h.North.Reviewers[1], h.Auditor, h.Admin, h.Answerer, h.Person("judge", h.North.Authority.Ref, "", concert.RoleMagistrate)} {
			if _, err := h.AskAnalysis(ctx, by, x.Ref, concert.Analysis{Purpose: whatFor}); code(err) != "not_found" {
				t.Errorf("%v asks: %v", by.Roles, err)
			}
			if _, err := h.DropAnalysis(ctx, by, x.Ref, a.N, a.Version); code(err) != "not_found" {
				t.Errorf("%v drops it: %v", by.Roles, err)
			}
			if _, err := h.ReadAnalysis(ctx, testkit.Scope(t, by), x.Ref, a.N); code(err) != "not_found" && !by.Has(concert.RoleAuditor) {
				t.Errorf("%v reads it: %v", by.Roles, err)
			}
		}
		if _, err := h.AskAnalysis(ctx, h.North.Reviewers[0], x.Ref, concert.Analysis{Purpose: whatFor}); code(err) != "analysis.running" {
			t.Errorf("two at once: %v", err)
		}
		if _, err := h.AskAnalysis(ctx, h.North.Officers[0], x.Ref, concert.Analysis{Purpose: whatFor, Files: []string{"data/x"}, Format: "no format"}); code(err) != "analysis.running" && code(err) != "analysis.format" {
			t.Errorf("no format: %v", err)
		}
		testkit.Run(t, h.Service)
		v := ended(t, h, x, a.N)
		r := v.Report
		if v.Status != concert.AnalysisDone || r == nil || r.Files != 2 || r.Lines != 80 || r.Parsed != 76 || r.Rejected != 2 || r.Blank != 2 || !v.Result.Work {
			t.Fatalf("%s %s, %+v", v.Status, v.Code, r)
		}
		if got := []string{r.Inputs[0].File, r.Inputs[1].File}; !slices.Equal(got, []string{"data/server/logs/access.log", "data/server/logs/access.log.1.gz"}) {
			t.Errorf("inputs: %v", got)
		}
		b, raw := analysisEvent(t, h, a, concert.EventAnalysisDone)
		if b.Lines == nil || *b.Lines != (concert.AnalysisLines{Lines: 80, Parsed: 76, Rejected: 2, Blank: 2}) || b.Exhibit != x.Ref || b.Manifest != x.Manifest || b.Files != 2 || b.Geo != "unknown" || b.Parser != 1 || b.Case != c.Ref {
			t.Errorf("the event: %s", raw)
		}
		var all bytes.Buffer
		for _, f := range casework.AnalysisFiles {
			file, err := h.AnalysisFile(ctx, testkit.Scope(t, h.North.Reviewers[0]), x.Ref, a.N, f)
			testkit.Must(t, err)
			if sum := sha256.Sum256(file); f == casework.AnalysisReport && hex.EncodeToString(sum[:]) != b.Report {
				t.Error("the report is not the one that the log names")
			}
			if len(file) < 1000 || f != casework.AnalysisReport && bytes.Contains(file, []byte("access.log")) {
				t.Errorf("%s has %d bytes, or names a file", f, len(file))
			}
			all.Write(file)
		}
		for _, canary := range testkit.LogCanaries {
			if bytes.Contains(all.Bytes(), []byte(canary)) {
				t.Errorf("%s stands in a report", canary)
			}
			if at := found(h, t, canary); at != "" {
				t.Errorf("in the clear: %s", at)
			}
		}
		if at := found(h, t, whatFor, "access.log", "film1.mp4"); at != "" {
			t.Errorf("in the clear: %s", at)
		}
		for _, by := range []concert.Actor{h.South.Officers[0], h.North.Reviewers[1]} {
			if _, err := h.AnalysisFile(ctx, testkit.Scope(t, by), x.Ref, a.N, casework.AnalysisReport); code(err) != "not_found" {
				t.Errorf("%v reads the report: %v", by.Roles, err)
			}
		}
		if _, err := h.AnalysisFile(ctx, testkit.Scope(t, h.North.Officers[0]), x.Ref, a.N, "../report.json"); code(err) != "not_found" {
			t.Errorf("a file of another name: %v", err)
		}
		var readings int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT count(*) FROM event WHERE kind = '"+string(concert.EventConsulted)+"' AND body LIKE '%analysis_file%' AND body LIKE '%released.pdf%'").Scan(&readings))
		if readings != 1 {
			t.Errorf("%d downloads of the PDF are recorded", readings)
		}
		e, err := h.ReadCaseEvidence(ctx, testkit.Scope(t, h.Auditor), c.Ref)
		if err != nil || len(e.Analyses) != 1 || e.Analyses[0].Operator == "" {
			t.Errorf("the case's analyses: %v, %+v", err, e.Analyses)
		}
	})
}

// G25: a log that is not what was sealed is refused by its name, and nothing is counted; what has another manifest is not taken at all.
func TestG25WhatIsNotAsItWasSealedIsNotCounted(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		_, x, copied := seizedServer(t, h)
		testkit.Run(t, h.Service)
		log := filepath.Join(copied, "files", "server", "logs", "access.log")
		sealed, err := os.ReadFile(log)
		testkit.Must(t, err)
		fails := func(name, want string, files ...string) {
			t.Helper()
			v := ended(t, h, x, analysisAsked(t, h, x, files...).N)
			if v.Status != concert.AnalysisFailed || v.Code != want || v.Report != nil {
				t.Errorf("%s: %s %q, want %s", name, v.Status, v.Code, want)
			}
			if b, raw := analysisEvent(t, h, v.Analysis, concert.EventAnalysisFailed); b.Code != want || b.Lines != nil || strings.Contains(raw, "access.log") {
				t.Errorf("%s: %s", name, raw)
			}
		}
		fails("a path that was not sealed", concert.AnalysisNoFile, "data/server/../../etc/passwd")
		fails("a path of the copy's list", concert.AnalysisNoFile, "data/working-copy.json")
		testkit.Must(t, os.WriteFile(log, bytes.Replace(sealed, []byte("film1"), []byte("film2"), 1), 0o600))
		fails("a byte was changed", concert.AnalysisAltered)
		testkit.Must(t, os.WriteFile(log, append(slices.Clone(sealed), sealed[:200]...), 0o600))
		fails("lines were added", concert.AnalysisAltered)
		testkit.Must(t, os.Remove(log))
		fails("it is gone", concert.AnalysisAltered)
		testkit.Must(t, os.Symlink(filepath.Join(h.Exhibits, "bag", "data", "server", "logs", "access.log"), log))
		fails("a link out of the copy", concert.AnalysisAltered)

		// What was worked on is taken away: the evidentiary copy is left, and is only read.
		testkit.Must(t, os.Rename(copied, filepath.Join(t.TempDir(), "elsewhere")))
		v := ended(t, h, x, analysisAsked(t, h, x, "data/server/logs/access.log").N)
		if v.Status != concert.AnalysisDone || v.Result.Work || v.Report.Files != 1 || v.Report.Lines != 45 {
			t.Errorf("from the bag: %s %s %+v", v.Status, v.Code, v.Result)
		}
		manifest := filepath.Join(h.Exhibits, "bag", "manifest.json")
		text, err := os.ReadFile(manifest)
		testkit.Must(t, err)
		testkit.Must(t, os.Chmod(manifest, 0o600))
		testkit.Must(t, os.WriteFile(manifest, append(text, '\n'), 0o600))
		if h.DB.Alone() { // several nodes look for a while
			fails("another manifest", concert.AnalysisNoCopy)
		}
	})
}

// A crash leaves the row alone: whichever node comes next begins anew. A node that dies in the middle again and again ends it by name, and
// one that was dropped counts no more.
func TestAnalysisOutlivesItsNode(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		_, x, _ := seizedServer(t, h)
		a := analysisAsked(t, h, x)
		raw := testkit.Raw(t, h.Service)
		_, err := raw.Exec("UPDATE analysis SET status = 'running', tries = 2, read_bytes = 5, all_bytes = 9")
		testkit.Must(t, err)
		stop := testkit.Run(t, h.Service)
		if v := ended(t, h, x, a.N); v.Status != concert.AnalysisDone || v.Tries != 3 {
			t.Errorf("taken over: %s %s, try %d", v.Status, v.Code, v.Tries)
		}
		stop()
		b := analysisAsked(t, h, x)
		_, err = raw.Exec("UPDATE analysis SET status = 'running', tries = 3 WHERE n = 2")
		testkit.Must(t, err)
		stop = testkit.Run(t, h.Service)
		if v := ended(t, h, x, b.N); v.Status != concert.AnalysisFailed || v.Code != concert.AnalysisDied {
			t.Errorf("died three times: %s %s", v.Status, v.Code)
		}
		stop()
		d := analysisAsked(t, h, x)
		if _, err := h.DropAnalysis(t.Context(), h.North.Reviewers[0], x.Ref, d.N, d.Version+1); code(err) != "stale" {
			t.Errorf("an old version drops it: %v", err)
		}
		if _, err := h.DropAnalysis(t.Context(), h.North.Reviewers[0], x.Ref, d.N, d.Version); err != nil {
			t.Fatal(err)
		}
		testkit.Run(t, h.Service)
		if v := ended(t, h, x, analysisAsked(t, h, x).N); v.Status != concert.AnalysisDone || v.N != 4 {
			t.Errorf("after one that was dropped: %s %s", v.Status, v.Code)
		}
		if v := ended(t, h, x, d.N); v.Status != concert.AnalysisDropped || v.Report != nil {
			t.Errorf("dropped: %+v", v.Analysis)
		}
	})
}

// More logs than a child is handed are refused by name, and none is left out.
func TestMoreLogsThanAreCountedAtOnceAreRefused(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.Exhibits, h.Children = t.TempDir(), testkit.Children(t)
		log := testkit.SeizedLog(20)
		files := map[string][]byte{}
		for i := range concert.AnalysisLogsMost + 1 {
			files[fmt.Sprintf("logs/%d.log", i)] = log
		}
		bag := testkit.SealFiles(t, h.Exhibits, files)
		x, err := h.AddExhibit(t.Context(), h.North.Officers[0], opened(h, t).Ref, "EXERCISE many logs", bag.Files(t))
		testkit.Must(t, err)
		testkit.Run(t, h.Service)
		if v := ended(t, h, x, analysisAsked(t, h, x).N); v.Code != concert.AnalysisMany {
			t.Errorf("%s %s", v.Status, v.Code)
		}
		if v := ended(t, h, x, analysisAsked(t, h, x, "data/server/logs/7.log", "data/server/logs/4096.log").N); v.Status != concert.AnalysisDone || v.Report.Files != 2 {
			t.Errorf("two of them: %s %s", v.Status, v.Code)
		}
	})
}

// Logs that break what reads them break nothing else: the reading is a child's, and what it says is not believed where the node knows better.
func TestLogsThatBreakTheirReaderBreakNothingElse(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		_, x, _ := seizedServer(t, h)
		good := h.Children
		for answer, want := range map[string]string{
			"exit 0": concert.AnalysisBroke, "kill -9 $$": concert.AnalysisBroke, "echo no": concert.AnalysisBroke, `echo '{"report":{"files":1}}'`: concert.AnalysisBroke,
			"echo '{\"read\":-9}'; exit 3": concert.AnalysisBroke, `echo '{"failed":"analysis.no_room"}'`: concert.AnalysisNoRoom, "head -c 5000000 /dev/zero": concert.AnalysisLong,
		} {
			h.Children = &sandbox.Pool{Command: []string{"/bin/sh", "-c", "cat >/dev/null; " + answer}}
			stop := testkit.Run(t, h.Service)
			v := ended(t, h, x, analysisAsked(t, h, x, "data/server/logs/access.log").N)
			stop()
			if v.Status != concert.AnalysisFailed || v.Code != want || v.Report != nil || v.Done > v.All {
				t.Errorf("a child that does %s: %s %q, want %s", answer, v.Status, v.Code, want)
			}
		}
		h.Children = &sandbox.Pool{Command: []string{"/bin/sh", "-c", "printf +"}}
		stop := testkit.Run(t, h.Service)
		if v := ended(t, h, x, analysisAsked(t, h, x).N); v.Code != concert.AnalysisBroke {
			t.Errorf("a child that looks at one file of three: %s %s", v.Status, v.Code)
		}
		stop()
		h.Children = good
		testkit.Run(t, h.Service)
		if v := ended(t, h, x, analysisAsked(t, h, x).N); v.Status != concert.AnalysisDone {
			t.Errorf("after all of them: %s %s", v.Status, v.Code)
		}
	})
}

// G22: a case that nobody reviews loses its reports, with their key.
func TestG22AnalysesAreErasedWithTheirCase(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		h.At(day, 0)
		h.StopClockAt(day)
		_, x, _ := seizedServer(t, h)
		a := analysisAsked(t, h, x)
		stop := testkit.Run(t, h.Service)
		if v := ended(t, h, x, a.N); v.Status != concert.AnalysisDone {
			t.Fatalf("%s %s", v.Status, v.Code)
		}
		stop()
		waiting := analysisAsked(t, h, x)
		h.Exhibits = "" // nobody takes the second up
		h.StopClockAt(day.AddDate(3, 0, 1).Add(concert.CaseGrace))
		testkit.Run(t, h.Service)
		testkit.Await(t, "the report is erased", func() bool { return happened(h, t, concert.EventAnalysisErased, string(a.ID)) })
		for _, n := range []int64{a.N, waiting.N} {
			v, err := h.ReadAnalysis(t.Context(), testkit.Scope(t, h.North.Officers[0]), x.Ref, n)
			if err != nil || !v.Erased || v.Open() || v.Purpose != "" || v.Report != nil {
				t.Errorf("analysis %d after its erasure: %v, %+v", n, err, v.Analysis)
			}
		}
		if _, err := h.AnalysisFile(t.Context(), testkit.Scope(t, h.North.Officers[0]), x.Ref, a.N, casework.AnalysisReport); code(err) != "not_found" {
			t.Errorf("the file is there: %v", err)
		}
		var left int
		testkit.Must(t, testkit.Raw(t, h.Service).QueryRow("SELECT (SELECT count(*) FROM analysis_report) + (SELECT count(*) FROM subject_key WHERE subject = '"+string(a.ID)+"')").Scan(&left))
		if left != 0 {
			t.Error("the report or its key is left")
		}
	})
}

// An exhibit that leaves takes nobody else's reports along: whoever receives it asks anew, and the giver keeps what it counted.
func TestAnalysesStayWithTheCaseThatAskedForThem(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		h.Exhibits, h.Children = t.TempDir(), testkit.Children(t)
		bag := testkit.SealFiles(t, h.Exhibits, map[string][]byte{"access.log": testkit.SeizedLog(9)})
		c := opened(h, t)
		x, err := h.AddExhibit(ctx, h.North.Officers[0], c.Ref, "EXERCISE server", bag.Files(t))
		testkit.Must(t, err)
		a := analysisAsked(t, h, x)
		testkit.Run(t, h.Service)
		ended(t, h, x, a.N)
		bag.Hand(t)
		_, err = h.HandExhibit(ctx, h.North.Officers[0], x.Ref, h.South.Authority.Ref, bag.Files(t))
		testkit.Must(t, err)
		if _, err := h.AskAnalysis(ctx, h.North.Officers[0], x.Ref, concert.Analysis{Purpose: whatFor}); code(err) != "exhibit.on_its_way" {
			t.Errorf("asked on its way: %v", err)
		}
		v, err := h.ReadExhibit(ctx, testkit.Scope(t, h.South.Officers[0]), x.Ref)
		if err != nil || len(v.Analyses) != 0 {
			t.Errorf("whoever receives it sees %d analyses, %v", len(v.Analyses), err)
		}
		if _, err := h.ReadAnalysis(ctx, testkit.Scope(t, h.South.Officers[0]), x.Ref, a.N); code(err) != "not_found" {
			t.Errorf("whoever receives it reads the giver's report: %v", err)
		}
	})
}
