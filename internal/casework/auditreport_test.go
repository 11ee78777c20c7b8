package casework_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/testkit"
)

// Times in states come of the events alone, and are those that plain SQL finds in the table of events.
func TestTimeInStateIsWhatSQLFinds(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		acted(t, h, 6, 3)
		h.Submit(h.North.Officers[0], testkit.Page(40), testkit.Page(41))
		ds, _, err := h.AuditDwell(t.Context(), testkit.Scope(t, h.Auditor), concert.DwellQuery{Kind: concert.DwellItem})
		testkit.Must(t, err)
		status := "json_extract(body, '$.to.status')"
		if strings.HasPrefix(testkit.AddressOf(t, h.Service), "postgres") {
			status = "body::json->'to'->>'status'"
		}
		rows, err := testkit.Raw(t, h.Service).Query(`WITH e AS (SELECT subject, id, at, ` + status + ` AS status FROM event WHERE kind LIKE 'item.%'),
			c AS (SELECT e.*, LAG(status) OVER (PARTITION BY subject ORDER BY id) AS was FROM e WHERE status IS NOT NULL),
			m AS (SELECT * FROM c WHERE was IS NULL OR was <> status),
			d AS (SELECT status, (LEAD(at) OVER (PARTITION BY subject ORDER BY id) - at) / 1000000 AS s FROM m),
			r AS (SELECT status, s, ROW_NUMBER() OVER (PARTITION BY status ORDER BY CASE WHEN s IS NULL THEN 1 ELSE 0 END, s) AS n, COUNT(s) OVER (PARTITION BY status) AS k FROM d)
			SELECT status, k, COUNT(*) - k, COALESCE(MAX(s), 0), COALESCE(MAX(CASE WHEN n = (k * 50 + 99) / 100 THEN s END), 0), COALESCE(MAX(CASE WHEN n = (k * 90 + 99) / 100 THEN s END), 0) FROM r GROUP BY status, k`)
		testkit.Must(t, err)
		defer rows.Close()
		seen := 0
		for rows.Next() {
			var state string
			var ended, waiting, most, half, nine int64
			testkit.Must(t, rows.Scan(&state, &ended, &waiting, &most, &half, &nine))
			i := slices.IndexFunc(ds, func(d concert.Dwell) bool { return d.State == state })
			if !slices.Contains(concert.DwellStates(concert.DwellItem), state) {
				if i >= 0 {
					t.Errorf("%s is a place of rest and has times", state)
				}
				continue
			}
			if i < 0 {
				t.Errorf("no times in %s, SQL finds %d", state, ended)
				continue
			}
			seen++
			d := ds[i]
			near := func(got time.Duration, want int64) bool {
				return math.Abs(got.Seconds()-float64(want)) <= float64(want)/128
			}
			if d.Ended != ended || d.Waiting != waiting || d.Max != time.Duration(most)*time.Second || !near(d.P50, half) || !near(d.P90, nine) {
				t.Errorf("%s: %+v; SQL finds %d ended, %d waiting, at most %d s, half within %d s, nine in ten within %d s", state, d, ended, waiting, most, half, nine)
			}
			if ended > 0 && state == string(concert.ItemApproved) && most == 0 {
				t.Error("nothing waited: the test shows nothing")
			}
		}
		testkit.Must(t, rows.Err())
		if seen < 4 {
			t.Errorf("%d states were compared", seen)
		}
	})
}

// The report that leaves the workbench is made again from the exported bundle, byte for byte; one changed number is named, a draw by
// another head is refused, and nothing of fewer than five is told.
func TestG28AuditReportIsMadeAgainFromAnExport(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		acted(t, h, 7, 2)
		sc := testkit.Scope(t, h.Auditor)
		v := drawn1(t, h, concert.DrawFrame{}, concert.DrawPlan{Size: 9, By: concert.DrawByOutcome})
		for i, u := range v.Units {
			said := foundYes
			if i == 4 {
				said = foundNo
			}
			_, err := h.ReassessUnit(ctx, testkit.Scope(t, h.Auditor), v.Ref, u.Ref, said)
			testkit.Must(t, err)
		}
		r, err := h.AuditReport(ctx, sc)
		testkit.Must(t, err)
		file, err := casework.AuditReportFile(r, "csv")
		testkit.Must(t, err)
		for _, want := range []string{",draw," + v.Ref + ",all,judged,9", ",draw," + v.Ref + ",all,wrong,1", ",draw," + v.Ref + ",kept,share," + concert.AuditFew, ",draw," + v.Ref + ",weighted,share,0.1111", ",unit," + v.Ref + ",1,referral," + v.Units[0].Ref} {
			if !strings.Contains(string(file), want) {
				t.Errorf("the report does not say %q:\n%s", want, file)
			}
		}
		if strings.Contains(string(file), ",kept,wrong,") {
			t.Error("what was found of two is told")
		}
		h.Submit(h.North.Officers[0], testkit.Page(60)) // the log goes on
		var bundle bytes.Buffer
		testkit.Must(t, h.PublishLog(ctx))
		testkit.Must(t, h.Export(ctx, &bundle))
		got, err := formats.ReadAuditReport(bytes.NewReader(file))
		testkit.Must(t, err)
		again, seen, err := formats.RecountAudit(bytes.NewReader(bundle.Bytes()), h.LogKey, nil, got.Size)
		if err != nil || !seen.Verified {
			t.Fatalf("%v, %s", err, seen.Problem)
		}
		if diff := got.Compare(again); diff != nil {
			t.Errorf("made again it differs: %s", diff)
		}
		forged, err := formats.ReadAuditReport(strings.NewReader(strings.Replace(string(file), ",all,wrong,1", ",all,wrong,0", 1)))
		testkit.Must(t, err)
		if diff := forged.Compare(again); diff == nil || diff.Published != "0" || diff.Recounted != "1" {
			t.Errorf("a changed number is not named: %v", diff)
		}
		page, err := casework.AuditReportFile(r, "html")
		if err != nil || !strings.Contains(string(page), v.Ref) || !strings.Contains(string(page), "EXERCISE") {
			t.Errorf("as a page: %v\n%.300s", err, page)
		}
	})
}

// Every way in which data leave says why, or rests on an act: those that are asked refuse without, and record what was said.
func TestG19EveryWayOfDisclosureHasItsJustification(t *testing.T) {
	inHouse(t, func(t *testing.T, h *testkit.House) {
		ctx := t.Context()
		items := h.Assess(h.North.Officers[0], h.Submit(h.North.Officers[0], testkit.Page(70)))
		by := h.North.Officers[0]
		nothing, err := concert.NewScope(h.Auditor, "EXERCISE inspection")
		testkit.Must(t, err)
		asked := map[string]func() error{ // each without a reason, or with one that is none
			"item_export": func() error {
				_, err := h.ExportItems(ctx, testkit.Scope(t, by), []string{items[0].Ref}, concert.ToJudicial, "EXERCISE court", "no")
				return err
			},
			"capture_export": func() error {
				v := h.Item(items[0].Ref)
				_, err := h.ExportCapture(ctx, h.North.Reviewers[0], v.Captures[0].Ref, concert.CaptureInstrument{Issuer: "EXERCISE court", Reference: "EXERCISE 1", Recipient: "EXERCISE court", Justification: "no"})
				return err
			},
			"audit_bundle": func() error {
				_, err := concert.NewScope(h.Auditor, "")
				return err
			},
			"recommendation": func() error {
				acted(t, h, 1, 0)
				v := drawn1(t, h, concert.DrawFrame{}, concert.DrawPlan{Size: 1})
				_, err := h.ReassessUnit(ctx, testkit.Scope(t, h.Auditor), v.Ref, v.Units[0].Ref, foundNo)
				testkit.Must(t, err)
				_, err = h.Recommend(ctx, testkit.Scope(t, h.Auditor), v.Ref, v.Units[0].Ref, "no")
				return err
			},
		}
		for _, w := range concert.DisclosureWays() {
			try, ok := asked[w.Name]
			if ok != w.Asked {
				t.Errorf("the way %s is asked %v; the test tries it %v", w.Name, w.Asked, ok)
			}
			if !ok {
				continue
			}
			refused := code(try())
			if !slices.Contains([]string{"export.justification", "scope.justification", "recommend.text"}, refused) {
				t.Errorf("the way %s without a reason: %q", w.Name, refused)
			}
		}
		// And with one, each is recorded with it, sealed, where an auditor reads it.
		why := "EXERCISE: a made-up court asked for it in made-up proceedings."
		if _, err := h.ExportItems(ctx, testkit.Scope(t, by), []string{items[0].Ref}, concert.ToJudicial, "EXERCISE court of the moon", why); err != nil {
			t.Fatal(err)
		}
		if _, err := h.OpenExport(ctx, nothing); err != nil {
			t.Fatal(err)
		}
		l, err := h.ListAccesses(ctx, nothing, concert.AccessQuery{Kind: concert.AccessDisclosure}, "", "", 100)
		testkit.Must(t, err)
		found := map[concert.EventKind]casework.AccessLine{}
		for _, x := range l.Lines {
			found[x.Kind] = x
		}
		if x := found[concert.EventItemDisclosed]; x.Why != why || x.Whom != "EXERCISE court of the moon" || x.Operator != by.Operator {
			t.Errorf("the export of an item is listed as %+v", x)
		}
		if x := found[concert.EventConsulted]; x.Why != "EXERCISE inspection" || len(x.Recipients) != 1 || x.Recipients[0].Kind != concert.ToTheAuditorsCopy {
			t.Errorf("the bundle is listed as %+v", x)
		}
		var bundle bytes.Buffer
		testkit.Must(t, h.PublishLog(ctx))
		testkit.Must(t, h.Export(ctx, &bundle))
		for _, clear := range []string{why, "court of the moon", "EXERCISE inspection"} {
			if strings.Contains(bundle.String(), clear) {
				t.Errorf("%q stands in the log in the clear", clear)
			}
		}
	})
}
