package casework_test

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"concert"
	"concert/internal/casework"
	"concert/internal/formats"
	"concert/internal/testkit"
)

// publicYear lets a house refer and order for some days, and then a quarter go by: its clock stands after that.
func publicYear(t *testing.T, c *testkit.Competent) {
	t.Helper()
	ctx := t.Context()
	day := time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)
	c.At(day, 60)
	// What these orders bear in their texts must stand nowhere.
	orders := []concert.Order{c.Issued(testkit.Page(1)), c.Issued(testkit.Page(2)), c.Issued(testkit.Page(3)), c.Issued(testkit.Page(4))}
	var many []string
	for n := range 6 {
		many = append(many, c.Judged(testkit.Page(10+n)))
	}
	o := c.Reviewed(testkit.Urgent(testkit.Draft(many...)))
	o, err := c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version)
	testkit.Must(t, err)
	orders = append(orders, o)
	quiet := testkit.Urgent(testkit.Draft(c.Judged(testkit.Page(20))))
	quiet.Silent, quiet.SilenceGround = true, "EXERCISE: an investigation that must not be told of runs."
	o = c.Reviewed(quiet)
	if o, err = c.ApproveOrder(ctx, c.Issuer, o.Ref, o.Version); err != nil {
		t.Fatal(err)
	}
	orders = append(orders, o)
	var places []string
	for n := range 9 {
		places = append(places, testkit.Page(30+n))
	}
	items := c.Approved(places...)
	stop := testkit.Run(t, c.Service)
	for _, o := range orders {
		testkit.Await(t, "the order is received", func() bool {
			return readOrder(t, c, c.Officer, o.Ref).Status == concert.OrderReceived
		})
	}
	for _, i := range []int{0, 4, 5} {
		_, err := c.AnswerOrder(ctx, c.Answerer, orders[i].Ref, 0, feedback(c.Now()))
		testkit.Must(t, err)
	}
	if _, err := c.AnswerOrder(ctx, c.Answerer, orders[1].Ref, 0, concert.OrderAnswer{Reasons: []concert.ImpossibleReason{concert.ImpossibleErrors}, Further: "EXERCISE-FREE-TEXT: the place is another one.", Needed: "EXERCISE-FREE-TEXT", Person: "EXERCISE Moderator", Email: "legal@video.example"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WithdrawOrder(ctx, c.Issuer, orders[2].Ref, 0, "EXERCISE-FREE-TEXT: a mistake was made here."); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, "the items are referred", func() bool { return c.Item(items[8].Ref).Status == concert.ItemReferred })
	codes := []concert.AnswerCode{concert.AnswerRemoved, concert.AnswerRemoved, concert.AnswerRefused, concert.AnswerRemoved, concert.AnswerDisabledEU, concert.AnswerRemoved}
	var replies []casework.Replying
	for i, code := range codes {
		replies = append(replies, casework.Replying{Item: items[i].Ref, Answer: concert.Answer{Code: code, Note: "EXERCISE-FREE-TEXT of the provider"}})
	}
	out, err := c.AnswerItems(ctx, c.Answerer, replies)
	testkit.Must(t, err)
	for _, x := range out {
		if x.Err != nil {
			t.Fatal(x.Err)
		}
	}
	if _, err := c.RemedyItems(ctx, c.North.Reviewers[0], []casework.Remedying{{Item: items[7].Ref, Version: c.Item(items[7].Ref).Version, Kind: concert.RemedyWithdrawal, Category: concert.RemedyNotTerrorist, Reason: "EXERCISE-FREE-TEXT: it is none after all."}}); err != nil {
		t.Fatal(err)
	}
	stop()
	testkit.Must(t, c.PublishLog(ctx))
	c.At(day.AddDate(0, 0, 90), 0.000001)
}

func published(t *testing.T, s *casework.Service) *casework.Published {
	t.Helper()
	p, err := s.Public(t.Context())
	testkit.Must(t, err)
	return p
}

func totals(p *casework.Published) concert.Counts {
	r, _ := p.Row(concert.PublicScope{Kind: concert.ScopeAll}, 0)
	return r.Counts
}

// TestG28PublicNumbersAreThoseOfTheDatabase: what the fold over the log publishes is what plain SQL counts in the tables of the
// same house, wherever a number is shown.
func TestG28PublicNumbersAreThoseOfTheDatabase(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		publicYear(t, c)
		p := published(t, c.Service)
		raw := testkit.Raw(t, c.Service)
		count := func(query string) int64 { return int64(testkit.Count(t, raw, query)) }
		sent := "EXISTS (SELECT 1 FROM referral_item ri WHERE ri.item = item.id)"
		got, shown := totals(p), 0
		for m, query := range map[concert.Metric]string{
			concert.PublicOrders:    "SELECT count(*) FROM removal_order WHERE issued_at > 0",
			concert.OrdersExecuted:  "SELECT count(*) FROM removal_order WHERE executed_at > 0",
			concert.OrdersWithdrawn: "SELECT count(*) FROM removal_order WHERE status = 'withdrawn'",
			concert.OrdersErrors:    "SELECT count(DISTINCT order_id) FROM order_answer WHERE kind = 'order_impossible'",
			concert.OrdersEmergency: "SELECT count(*) FROM removal_order WHERE issued_at > 0 AND emergency = 1",
			concert.OrdersCross:     "SELECT count(*) FROM removal_order WHERE issued_at > 0 AND copied <> ''",
			concert.Ordered:         "SELECT coalesce(sum(items), 0) FROM removal_order WHERE issued_at > 0",
			concert.OrderedURLs:     "SELECT count(*) FROM order_item JOIN removal_order o ON o.id = order_id WHERE o.issued_at > 0",
			concert.OrderedRemoved:  "SELECT count(*) FROM order_item WHERE measure = 'removed'",
			concert.Referrals:       "SELECT count(*) FROM referral",
			concert.ReferredN:       "SELECT count(*) FROM referral_item",
			concert.Removed:         "SELECT count(*) FROM item WHERE " + sent + " AND claimed IN ('removed', 'disabled_eu')",
			concert.AnsweredN:       "SELECT count(*) FROM item WHERE " + sent + " AND claimed IN ('removed', 'disabled_eu', 'refused_not_violating')",
			concert.WithdrawnN:      "SELECT count(*) FROM item WHERE " + sent + " AND status = 'withdrawn'",
			concert.Unchecked:       "SELECT count(*) FROM item WHERE " + sent + " AND observed = ''",
		} {
			want := count(query)
			if got[m] == concert.Few {
				continue
			}
			shown++
			if got[m] != want {
				t.Errorf("%s: published %d, the database has %d", m, got[m], want)
			}
		}
		if shown < 9 {
			t.Errorf("%d numbers are shown: the test shows little", shown)
		}
		for _, m := range []concert.Metric{concert.WithdrawnN, concert.Refused} {
			if got[m] != concert.Few {
				t.Errorf("%s of one item is shown: %d", m, got[m])
			}
		}
	})
}

// TestPublicBytesHoldNoTextPlacePersonOrItem goes through the files, reports and records for everything that the database keeps of
// places, people, items and texts.
func TestPublicBytesHoldNoTextPlacePersonOrItem(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		publicYear(t, c)
		p := published(t, c.Service)
		var all bytes.Buffer
		for _, name := range p.Files() {
			data, _, err := p.File(name)
			testkit.Must(t, err)
			all.Write(data)
		}
		g, err := c.Registers(t.Context())
		testkit.Must(t, err)
		for article, subject := range map[int]string{7: c.Hooked.Ref, 8: c.Spain.Ref, 21: "ES"} {
			r, err := p.Report(article, subject, 2027)
			testkit.Must(t, err)
			for _, format := range []string{"csv", "html", "pdf"} {
				data, err := casework.PublicReportFile(r, g.PublicName(subject), format)
				testkit.Must(t, err)
				again, err := casework.PublicReportFile(r, g.PublicName(subject), format)
				testkit.Must(t, err)
				if !bytes.Equal(data, again) {
					t.Errorf("the same report as %s gives other bytes", format)
				}
				if format == "pdf" {
					data = pdfText(t, data)
				}
				all.Write(data)
			}
		}
		raw := testkit.Raw(t, c.Service)
		forbidden := []string{"EXERCISE-FREE-TEXT", "made-up", "EXERCISE Moderator", "legal@video.example", "EXERCISE Representative", "EXERCISE Inspector", "EXERCISE-1/2026", "EXERCISE Street", "+000 EXERCISE", "EXERCISE desk", "investigation that must", "video.example", "EXERCISE-77"}
		for _, query := range []string{"SELECT id FROM item", "SELECT ref FROM item", "SELECT id FROM person", "SELECT name FROM person", "SELECT operator FROM person", "SELECT digest FROM removal_order WHERE digest <> ''", "SELECT id FROM removal_order", "SELECT id FROM referral", "SELECT id FROM authority", "SELECT id FROM provider", "SELECT ref FROM remedy"} {
			forbidden = append(forbidden, testkit.Column(t, raw, query)...)
		}
		if len(forbidden) < 100 {
			t.Fatalf("%d things to look for: the test shows little", len(forbidden))
		}
		for _, f := range forbidden {
			if f != "" && bytes.Contains(all.Bytes(), []byte(f)) {
				t.Errorf("%q is public", f)
			}
		}
		silent := testkit.Column(t, raw, "SELECT ref FROM removal_order WHERE silent = 1")[0]
		if _, ok := p.Record(silent); !ok {
			t.Error("the silent order is not listed although its six weeks are over")
		}
		c.At(time.Date(2027, 2, 20, 0, 0, 0, 0, time.UTC), 0.000001)
		early := published(t, c.Service)
		for _, name := range early.Files() {
			data, _, err := early.File(name)
			testkit.Must(t, err)
			if bytes.Contains(data, []byte(silent)) {
				t.Errorf("%s has the silent order in its six weeks", name)
			}
		}
		if n := totals(early)[concert.OrdersWithheld]; n != concert.Few {
			t.Errorf("one order is withheld, and its number is shown: %d", n)
		}
	})
}

// pdfText is what stands in a PDF, by pdftotext where the machine has it.
func pdfText(t *testing.T, data []byte) []byte {
	t.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		return data
	}
	name := t.TempDir() + "/report.pdf"
	testkit.Must(t, os.WriteFile(name, data, 0o600))
	out, err := exec.CommandContext(t.Context(), tool, name, "-").Output()
	testkit.Must(t, err)
	if !bytes.Contains(out, []byte("2021/784")) {
		t.Error("the PDF's text cannot be read: the test shows nothing")
	}
	return out
}

// TestG28RecountOfAnExportIsWhatWasPublished: every file and report is counted again, cell by cell, from the export alone; one changed
// number is named.
func TestG28RecountOfAnExportIsWhatWasPublished(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		publicYear(t, c)
		p := published(t, c.Service)
		var export bytes.Buffer
		testkit.Must(t, c.Export(t.Context(), &export))
		rules, err := c.PublicRules()
		testkit.Must(t, err)
		compare := func(data []byte) *formats.PublicDifference {
			t.Helper()
			f, err := formats.ReadPublished(bytes.NewReader(data))
			testkit.Must(t, err)
			e, v, err := formats.RecountBundle(bytes.NewReader(export.Bytes()), c.LogKey, nil, rules, f.AsOf)
			testkit.Must(t, err)
			if !v.Verified {
				t.Fatal(v.Problem)
			}
			d, err := f.Compare(e)
			testkit.Must(t, err)
			return d
		}
		files := map[string][]byte{}
		for _, name := range p.Files() {
			if files[name], _, err = p.File(name); err != nil {
				t.Fatal(err)
			}
		}
		r, err := p.Report(8, c.Spain.Ref, 2027)
		testkit.Must(t, err)
		if files["report"], err = casework.PublicReportFile(r, "", "csv"); err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			if d := compare(data); d != nil {
				t.Errorf("%s differs: %s", name, d)
			}
			lines := strings.SplitAfter(string(data), "\n")
			if len(lines) < 3 {
				t.Errorf("%s has %d lines: the test shows little", name, len(lines))
			}
			last := len(lines) - 2
			gone := slices.Delete(slices.Clone(lines), last, last+1)
			if d := compare([]byte(strings.Join(gone, ""))); d == nil || d.Row != last || d.Published != "nothing" {
				t.Errorf("%s without its last row: %v", name, d)
			}
		}
		changed := strings.Replace(string(files[formats.FiguresFile]), ",orders,request,6,", ",orders,request,7,", 1)
		if d := compare([]byte(changed)); d == nil || d.Column != "number" || d.Published != "7" || d.Recounted != "6" {
			t.Errorf("a changed number: %v", d)
		} else {
			t.Log(d)
		}
		// An export in which somebody changed an event is not counted at all.
		forged := bytes.Replace(export.Bytes(), []byte(`"measure":"removed"`), []byte(`"measure":"renoved"`), 1)
		if _, v, err := formats.RecountBundle(bytes.NewReader(forged), c.LogKey, nil, rules, p.AsOf); err != nil || v.Verified {
			t.Errorf("a forged export: verified %v, %v", v.Verified, err)
		}
	})
}

// TestTwoNodesPublishTheSameBytes: one that went on day by day and one that has just started say the same.
func TestTwoNodesPublishTheSameBytes(t *testing.T) {
	eachCompetent(t, func(t *testing.T, c *testkit.Competent) {
		testkit.Must(t, c.PublishLog(t.Context()))
		if n := published(t, c.Service).Size; n != 0 {
			t.Errorf("%d events of today are public", n)
		}
		publicYear(t, c)
		other := testkit.ServiceAt(t, testkit.AddressOf(t, c.Service))
		other.Time, other.Exercise = c.Time, c.Exercise
		one, err := published(t, c.Service).Sums()
		testkit.Must(t, err)
		two, err := published(t, other).Sums()
		testkit.Must(t, err)
		if !bytes.Equal(one, two) {
			t.Errorf("one node:\n%s\nthe other:\n%s", one, two)
		}
		if first := published(t, c.Service); published(t, c.Service) != first {
			t.Error("the edition is made anew for each reader")
		}
	})
}

// TestNothingIsPublicBeforeItsTime: outside an exercise no delay below an hour is kept.
func TestNothingIsPublicBeforeItsTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		exercise bool
		set      time.Duration
		want     time.Duration
	}{{false, 0, 24 * time.Hour}, {false, time.Second, time.Hour}, {true, time.Second, time.Second}, {false, 48 * time.Hour, 48 * time.Hour}} {
		s := &casework.Service{Exercise: c.exercise, PublicDelay: c.set}
		r, err := s.PublicRules()
		testkit.Must(t, err)
		if r.Delay != c.want || r.Hour != time.Hour || r.Silence < 42*24*time.Hour {
			t.Errorf("exercise %v, set %s: %+v", c.exercise, c.set, r)
		}
	}
}

func BenchmarkPublic(b *testing.B) {
	s := testkit.Service(b, "sqlite")
	h := testkit.Furnish(b, s)
	h.Fill(98_000)
	testkit.Must(b, s.PublishLog(b.Context()))
	s.PublicDelay = time.Hour
	for b.Loop() {
		fresh := testkit.ServiceAt(b, testkit.AddressOf(b, s))
		fresh.Exercise, fresh.Time = true, concert.CaseTime{Since: time.Now(), Start: time.Now().AddDate(1, 0, 0), Rate: 1}
		p, err := fresh.Public(b.Context())
		testkit.Must(b, err)
		b.ReportMetric(float64(p.Size), "events")
		b.ReportMetric(float64(len(p.Records)), "records")
	}
}
